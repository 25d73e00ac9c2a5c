"""EventBridge rules: targets that are not there, quotas, tags, and rules that an AWS service manages.

A rule is managed when route `owner` says so of `events:rule/NAME`.
"""

from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles
from emulator.shelf.store import owner_of
from emulator.wire import Call

MOST_TARGETS = 5


def rule_of(call: Call, name: str) -> Any:
    """moto's rule, or None."""
    from moto.events.models import events_backends

    bus = str(call.params.get("EventBusName") or "default").rpartition("/")[2]
    found = events_backends[call.account][call.region].event_buses.get(bus)
    return found.rules.get(name) if found else None


def _refuse_managed(call: Call, name: str) -> None:
    owner = owner_of(call, f"rule/{name}")
    if owner and not call.params.get("Force"):
        raise AwsError("ManagedRuleException", f"Rule {name} is managed by {owner} and cannot be modified.")


@handles("events", "PutRule")
def put_rule(call: Call, forward: Forward) -> dict[str, Any]:
    """Tags of a rule that is there already are not looked at."""
    from moto.events.models import events_backends

    name, tagger = call.params["Name"], events_backends[call.account][call.region].tagger
    _refuse_managed(call, name)
    old = rule_of(call, name)
    tags = tagger.list_tags_for_resource(old.arn)["Tags"] if old else []
    answer = from_moto(call, forward)
    if old:
        tagger.delete_all_tags_for_resource(old.arn)
        tagger.tag_resource(old.arn, tags)
    return answer


@handles("events", "DeleteRule", "EnableRule", "DisableRule")
def change_rule(call: Call, _: Forward) -> None:
    _refuse_managed(call, call.params["Name"])


@handles("events", "DescribeRule", "ListRules")
def show_rules(call: Call, forward: Forward) -> dict[str, Any]:
    answer = from_moto(call, forward)
    for rule in answer.get("Rules", [answer]):
        owner = owner_of(call, f"rule/{rule['Name']}")
        if owner:
            rule["ManagedBy"] = owner
    return answer


@handles("events", "PutTargets")
def put_targets(call: Call, forward: Forward) -> None:
    name = call.params["Rule"]
    _refuse_managed(call, name)
    rule = rule_of(call, name)
    there = {target["Id"] for target in rule.targets} if rule else set()
    if len(there | {target["Id"] for target in call.params["Targets"]}) > MOST_TARGETS:
        raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")


@handles("events", "RemoveTargets")
def remove_targets(call: Call, forward: Forward) -> dict[str, Any]:
    """moto says nothing of targets that are not there."""
    name = call.params["Rule"]
    _refuse_managed(call, name)
    rule = rule_of(call, name)
    there = {target["Id"] for target in rule.targets} if rule else set()
    from_moto(call, forward)
    failed = [
        {
            "TargetId": one,
            "ErrorCode": "ResourceNotFoundException",
            "ErrorMessage": f"Rule {name} does not have a target with the Id {one}.",
        }
        for one in call.params["Ids"]
        if one not in there
    ]
    return {"FailedEntryCount": len(failed), "FailedEntries": failed}
