"""EventBridge: from an event on a bus over rules to targets that are queues, topics and other buses.

moto takes disabled and scheduled rules for matching, knows no topics, looks for a queue only in the rule's own account,
asks no policy, drops `Input`, `InputPath` and the account, and loses what cannot be delivered; so the way from a rule to
these targets is done here. Other targets stay with moto.
"""

import contextlib
import functools
import json
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from moto.core.exceptions import ServiceException

from emulator.answers import AwsError
from emulator.events import disorder, patterns, queues, topics
from emulator.events.permission import granting, key_serves, service_may
from emulator.missing import Forward, handles
from emulator.wire import Call

SERVICE = "events.amazonaws.com"
READ_PREFIXES = ("BatchGet", "Describe", "Get", "List")
WITH_READS = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
Event = dict[str, Any]
# How a template's `<aws.events.event>` spells members.
OF_EVENT = {"detail-type": "detailType"}


class Undeliverable(Exception):
    """The target refuses; the code is what EventBridge tells the dead-letter queue."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@functools.cache
def install() -> None:
    """Brings moto's rules (replays, notifications of S3) to the targets that are served here."""
    from moto.events.models import EventPattern, Rule

    def matches_event(self: Any, event: Event) -> bool:
        pattern = self.get_pattern()
        return not pattern or patterns.matches(pattern, event)

    EventPattern.matches_event = matches_event

    by_moto = Rule.send_to_targets

    def send_to_targets(self: Any, original_event: Event, transform_input: bool = True) -> None:
        event = {name: value for name, value in original_event.items() if name != "ingestion-time"}
        if not isinstance(event.get("time"), str):
            event["time"] = _text(event.get("time"))
        served = [target for target in self.targets if _served(target)]
        if served and _matches(self, event):
            for target in served:
                disorder.later(self.account_id, functools.partial(deliver, self, target, event))
        others = [target for target in self.targets if not _served(target)]
        if others and self.state != "DISABLED":
            whole, self.targets = self.targets, others
            try:
                by_moto(self, original_event, transform_input)
            finally:
                self.targets = whole

    Rule.send_to_targets = send_to_targets


def put(event: Event, account: str, region: str, bus: str = "default") -> None:
    """An event comes to the bus of the account."""
    from moto.events.models import events_backends

    install()
    found = events_backends[account][region].event_buses.get(bus)
    for rule in list(found.rules.values()) if found else []:
        rule.send_to_targets(dict(event, **{"ingestion-time": _text(None)}))


# What the entries of a call may have together ("PutEvents quota").
MOST_BYTES = 1024 * 1024


def _size(entry: dict[str, Any]) -> int:
    """The bytes of an entry ("Calculating PutEvents event entry size"): a time counts 14."""
    texts = [entry.get(name) or "" for name in ("Source", "DetailType", "Detail")] + (entry.get("Resources") or [])
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") else 0)


@handles("events", "PutEvents")
def put_events(call: Call, _: Forward) -> dict[str, Any]:
    if sum(map(_size, call.params["Entries"])) > MOST_BYTES:
        raise AwsError("ValidationException", "Total size of the entries in the request is over the limit.")
    entries = [_entry(call, entry) for entry in call.params["Entries"]]
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


def _entry(call: Call, entry: dict[str, Any]) -> dict[str, str]:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            reason = f"Parameter {name} is not valid. Reason: {name} is a required argument."
            return {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}
    if entry["Source"].startswith("aws."):
        return {"ErrorCode": "NotAuthorizedForSourceException", "ErrorMessage": "Not authorized for the source."}
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    if not isinstance(detail, dict):
        return {"ErrorCode": "MalformedDetail", "ErrorMessage": "Detail is malformed."}
    account, region, bus = call.account, call.region, entry.get("EventBusName") or "default"
    if bus.startswith("arn:"):
        region, account, bus = bus.split(":")[3], bus.split(":")[4], bus.rpartition("/")[2]
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": call.account,
        "time": _text(entry.get("Time")),
        "region": call.region,
        "resources": entry.get("Resources", []),
        "detail": detail,
    }
    _check_bus(account, region, bus)
    if account != call.account and _granted(call.account, account, region, bus, event) is None:
        raise AwsError("AccessDeniedException", f"The bus {bus} of account {account} does not take events from here.")
    put(event, account, region, bus)
    return {"EventId": event["id"]}


def _check_bus(account: str, region: str, bus: str) -> None:
    from moto.events.models import events_backends

    if bus not in events_backends[account][region].event_buses:
        raise AwsError("ResourceNotFoundException", f"Event bus {bus} does not exist.")


def deliver(rule: Any, target: dict[str, Any], event: Event) -> None:
    """The event to the target, or to the target's dead-letter queue."""
    arn = target["Arn"]
    try:
        if arn.split(":")[2] == "events":
            _to_bus(rule, target, event)
        else:
            _may(rule, arn)
            body = message(rule, target, event)
            try:
                if arn.split(":")[2] == "sqs":
                    queues.send(arn, body, (target.get("SqsParameters") or {}).get("MessageGroupId"))
                else:
                    topics.topic_of(arn).publish(body)
            except ServiceException as refused:
                # Such as a message that is too long for the queue; who put the event never hears of it.
                raise Undeliverable("INVALID_PARAMETER", refused.message) from None
    except Undeliverable as problem:
        _to_dead_letters(rule, target, event, problem)


def message(rule: Any, target: dict[str, Any], event: Event) -> str:
    """What the target gets of the event."""
    if target.get("Input"):
        return target["Input"]
    if target.get("InputPath"):
        return _dump(_at(target["InputPath"], event))
    if target.get("InputTransformer"):
        return transformed(rule, target["InputTransformer"], event)
    return _dump(event)


def transformed(rule: Any, transformer: dict[str, Any], event: Event) -> str:
    """The template with its variables: as JSON where they stand alone, as text inside of quotes."""
    template = transformer["InputTemplate"]
    known = {name: _at(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    known |= {
        "aws.events.rule-arn": rule.arn,
        "aws.events.rule-name": rule.name,
        "aws.events.event.ingestion-time": _text(None),
        "aws.events.event.json": event,
        "aws.events.event": {OF_EVENT.get(name, name): value for name, value in event.items() if name != "detail"},
    }

    def written(found: re.Match[str]) -> str:
        value = known.get(found.group(1), "")
        quoted = len(re.findall(r'(?<!\\)"', template[: found.start()])) % 2 == 1
        if not quoted:
            return _dump(value)
        return _dump(value)[1:-1] if isinstance(value, str) else _dump(_dump(value))[1:-1]

    text = re.sub(r"<([^<>\s]+)>", written, template)
    if template.lstrip().startswith(("{", "[")):
        try:
            json.loads(text)
        except ValueError:
            raise Undeliverable("INVALID_JSON", "The input transformer makes no valid JSON of the event.") from None
    return text


def _matches(rule: Any, event: Event) -> bool:
    pattern = rule.event_pattern
    if rule.state == "DISABLED" or not pattern.get_pattern() or not pattern.matches_event(event):
        return False
    by_trail = event["detail-type"].endswith(" via CloudTrail") and event["source"].startswith("aws.")
    read = by_trail and str(event["detail"].get("eventName", "")).startswith(READ_PREFIXES)
    return not read or rule.state == WITH_READS


def _served(target: dict[str, Any]) -> bool:
    service = target["Arn"].split(":")[2]
    return service in ("sqs", "sns") or (service == "events" and ":event-bus/" in target["Arn"])


def _may(rule: Any, arn: str) -> None:
    """Whether EventBridge may send to the queue or the topic, and use the key that encrypts it."""
    queue = queues.queue_of(arn)
    target = queue or topics.topic_of(arn)
    if target is None:
        raise Undeliverable("NO_RESOURCE", f"{arn} does not exist.")
    action = "sqs:SendMessage" if queue else "sns:Publish"
    # "You can't use Condition blocks in Amazon SNS topic policies for EventBridge" (User Guide, "Troubleshooting").
    context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id} if queue else {}
    if not service_may(target.policy, SERVICE, action, arn, context):
        raise Undeliverable("NO_PERMISSIONS", f"{SERVICE} is not authorized to perform {action} on {arn}.")
    key = target.kms_master_key_id
    if key and not key_serves(key, arn, SERVICE, {}):
        raise Undeliverable("NO_PERMISSIONS", f"{SERVICE} may not use the key {key} of {arn}.")
    if queue and queue.fifo_queue and queue.attributes.get("ContentBasedDeduplication") != "true":
        raise Undeliverable("INVALID_PARAMETER", "The FIFO queue has no content-based deduplication.")


def _to_bus(rule: Any, target: dict[str, Any], event: Event) -> None:
    _, _, _, region, account, resource = target["Arn"].split(":", 5)
    bus = resource.rpartition("/")[2]
    if event["account"] != rule.account_id and account != rule.account_id:
        raise Undeliverable("THIRD_ACCOUNT_HOP_DETECTED", "An event of another account goes to no third account.")
    if event["region"] != rule.region_name and region != rule.region_name:
        raise Undeliverable("THIRD_REGION_HOP_DETECTED", "An event of another Region goes to no third Region.")
    if account != rule.account_id:
        statement = _granted(rule.account_id, account, region, bus, event)
        if statement is None:
            raise Undeliverable("NO_PERMISSIONS", f"The policy of {target['Arn']} does not allow events:PutEvents.")
        if "aws:principalorgid" in json.dumps(statement).lower() and not target.get("RoleArn"):
            raise Undeliverable("NO_PERMISSIONS", "A permission for an organization needs a role of the target.")
    put(event, account, region, bus)


def _granted(sender: str, account: str, region: str, bus: str, event: Event) -> dict[str, Any] | None:
    """The statement of the bus's policy that lets the sender's account put the event."""
    from moto.events.models import events_backends

    found = events_backends[account][region].event_buses.get(bus)
    if found is None:
        return None
    context = {"events:source": event["source"], "events:detail-type": event["detail-type"]}
    return granting(found.policy, sender, "events:PutEvents", found.arn, context)


def _to_dead_letters(rule: Any, target: dict[str, Any], event: Event, problem: Undeliverable) -> None:
    arn = (target.get("DeadLetterConfig") or {}).get("Arn")
    queue = queues.queue_of(arn) if arn else None
    context = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    if queue is None or not service_may(queue.policy, SERVICE, "sqs:SendMessage", arn, context):
        return
    why = {
        "RULE_ARN": rule.arn,
        "TARGET_ARN": target["Arn"],
        "ERROR_CODE": problem.code,
        "ERROR_MESSAGE": str(problem),
        "RETRY_ATTEMPTS": "0",
    }
    with contextlib.suppress(ServiceException):
        queues.send(arn, _dump(event), attributes=why)


def _at(path: str, event: Event) -> Any:
    """What a path such as `$.detail.items[0].name` leads to; an empty text for what is not there."""
    found: Any = event
    for name, index in re.findall(r"\.([^.\[\]]+)|\[(\d+)\]", path):
        try:
            found = found[name] if name else found[int(index)]
        except (KeyError, IndexError, TypeError):
            return ""
    return found


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _text(moment: Any) -> str:
    if isinstance(moment, (int, float)):
        moment = datetime.fromtimestamp(moment, UTC)
    if isinstance(moment, str):
        return moment
    return (moment or datetime.now(UTC)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
