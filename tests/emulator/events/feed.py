"""The switch, and the way of a call: a record for the event history, files of trails, an event on the default bus.

Off until `POST /_evenkeel/events` turns it on for an account or for all, so that nothing else changes.
"""

import uuid
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from emulator.answers import Answer
from emulator.events import bus, disorder, history, trails
from emulator.events import record as records
from emulator.events.disorder import Disorder
from emulator.events.identity import seen_from_elsewhere
from emulator.wire import Call


DETAIL_TYPES = {
    "AwsApiCall": "AWS API Call via CloudTrail",
    "AwsServiceEvent": "AWS Service Event via CloudTrail",
    "AwsConsoleSignIn": "AWS Console Sign In via CloudTrail",
}


@dataclass
class Settings:
    """What the control route takes, besides the fields of Disorder."""

    lookup_delay: float = 0.0
    files: bool = False


class Feed:
    def __init__(self) -> None:
        self._settings: dict[str, Settings] = {}

    def turn_on(self, account: str, **given: Any) -> dict[str, Any]:
        settings = Settings(**{name: given.pop(name) for name in ("lookup_delay", "files") if name in given})
        made = Disorder(**given)
        self._settings[account] = settings
        disorder.set_for(account, made if given else None)
        shown = asdict(made)
        shown.pop("dice")
        return asdict(settings) | shown

    def turn_off(self, account: str | None) -> None:
        for one in [one for one in self._settings if account in (None, one)]:
            del self._settings[one]
            disorder.set_for(one, None)
        history.forget(account)

    def on(self) -> bool:
        """Whether anybody is told of anything."""
        return bool(self._settings)

    def of(self, account: str) -> Settings | None:
        return self._settings.get(account) or self._settings.get("*")

    def put(self, account: str, region: str, given: dict[str, Any]) -> dict[str, Any]:
        """An event of an AWS service comes to the default bus, as no call of a customer can bring it there."""
        made = {
            "version": "0",
            "id": str(uuid.uuid4()),
            "account": account,
            "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": region,
            "resources": [],
        } | {name: given[name] for name in ("source", "detail-type", "detail")}
        made |= {name: given[name] for name in ("time", "resources") if name in given}
        bus.put(made, account, region)
        return made

    def before(self, call: Call) -> list[Any]:
        """The trails that log a change of trails: the call that stops the last of them is still an event."""
        if call.service != "cloudtrail" or not self._settings or self.of(call.account) is None:
            return []
        from emulator.missing.cloudtrail import all_trails

        return [replace(trail) for trail in all_trails()]

    def after(self, call: Call, answer: Answer, before: list[Any]) -> None:
        """What a call that was answered leads to."""
        settings = self.of(call.account) if self._settings else None
        if settings is None or call.service is None:
            return
        record = records.make(call, answer)
        if record is None:
            return
        for one, of in [(record, settings), *self._of_the_other_account(call, record)]:
            self._tell(one, of, before)
        result = records.service_event(call, answer, record)
        if result:
            self._tell(result, settings, before)

    def _tell(self, record: dict[str, Any], settings: Settings, before: list[Any]) -> None:
        history.keep(record, settings.lookup_delay)
        found = trails.logging_trails(record, before or None)
        if not found:
            return
        if settings.files:
            for trail in found:
                trails.write(trail, record)
        bus.put(event(record), record["recipientAccountId"], record["awsRegion"])

    def _of_the_other_account(self, call: Call, record: dict[str, Any]) -> list[tuple[dict[str, Any], Settings]]:
        """A role, or the root user, of another account is taken: that is told there, too; both records share an id."""
        taken = {"AssumeRole": "RoleArn", "AssumeRoot": "TargetPrincipal"}.get(str(call.operation))
        named = str(call.params.get(taken) or call.account) if taken else call.account
        owner = named.split(":")[4] if named.count(":") >= 5 else named
        settings = self.of(owner)
        if owner == call.account or settings is None or "errorCode" in record:
            return []
        record["sharedEventID"] = str(uuid.uuid4())
        theirs = record | {
            "userIdentity": seen_from_elsewhere(record["userIdentity"]),
            "eventID": str(uuid.uuid4()),
            "recipientAccountId": owner,
        }
        return [(theirs, settings)]


def event(record: dict[str, Any]) -> dict[str, Any]:
    """The record as EventBridge has it."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": DETAIL_TYPES[record["eventType"]],
        "source": f"aws.{record['eventSource'].removesuffix('.amazonaws.com')}",
        "account": record["recipientAccountId"],
        "time": record["eventTime"],
        "region": record["awsRegion"],
        "resources": [],
        "detail": record,
    }
