"""EventBridge: rules and their targets, what they may say, tags, and rules that an AWS service manages; buses.

A rule is managed when route `owner` says so of `events:rule/NAME`.
"""

import json
from typing import Any

from emulator.answers import AwsError
from emulator.events import patterns
from emulator.missing import Forward, from_moto, handles
from emulator.shelf.pages import page
from emulator.shelf.store import owner_of
from emulator.wire import Call

MOST_TARGETS, MOST_RULES, POLICY_SIZE = 5, 300, 10240
# Targets that EventBridge calls as a role ("PutTargets", API reference), by the service in their ARN.
WANTS_ROLE = {"batch", "codebuild", "codepipeline", "ecs", "execute-api", "firehose", "kinesis", "ssm", "states"}


def bus_of(call: Call) -> Any:
    """moto's bus, named or by its ARN, or None."""
    from moto.events.models import events_backends

    name = str(call.params.get("EventBusName") or "default").rpartition("/")[2]
    return events_backends[call.account][call.region].event_buses.get(name)


def rule_of(call: Call, name: str) -> Any:
    """moto's rule, or None."""
    bus = bus_of(call)
    return bus.rules.get(name) if bus else None


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
    bus = bus_of(call)
    if old is None and bus and len(bus.rules) >= MOST_RULES:
        raise AwsError("LimitExceededException", "The requested resource exceeds the maximum number allowed.")
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
        rule.pop("CreatedBy", None)
    return answer if "Rules" in answer else answer | {"CreatedBy": call.account}


@handles("events", "ListTargetsByRule")
def list_targets(call: Call, _: Forward) -> dict[str, Any]:
    """moto loses its place among targets of one address."""
    rule = rule_of(call, call.params["Rule"])
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Rule {call.params['Rule']} does not exist on EventBus.")
    shown, token = page(call, list(rule.targets))
    return {"Targets": shown} | token


@handles("events", "PutTargets")
def put_targets(call: Call, forward: Forward) -> None:
    name = call.params["Rule"]
    _refuse_managed(call, name)
    for target in call.params["Targets"]:
        parts = target["Arn"].split(":")
        if len(parts) < 6 or parts[0] != "arn":
            message = f"Parameter {target['Arn']} is not valid. Reason: Provided Arn is not in correct format."
            raise AwsError("ValidationException", message)
        if parts[2] in WANTS_ROLE and not target.get("RoleArn"):
            raise AwsError("ValidationException", f"RoleArn is required for target {target['Arn']}.")
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


@handles("events", "PutPermission")
def put_permission(call: Call, forward: Forward) -> dict[str, Any]:
    """moto takes everybody for an account of that name, and adds a policy to the statements that are there."""
    bus = bus_of(call)
    before = dict(bus._statements) if bus else {}
    if bus and call.params.get("Policy"):
        bus._statements = {}
    try:
        from_moto(call, forward)
        for statement in bus._statements.values():
            if isinstance(statement.principal, dict) and str(statement.principal.get("AWS")).endswith("::*:root"):
                statement.principal = "*"
        if len(bus.policy or "") > POLICY_SIZE:
            raise AwsError("PolicyLengthExceededException", "The policy of an event bus has 10 KB at most.")
    except AwsError:
        if bus:
            bus._statements = before
        raise
    return {}


@handles("events", "DeleteEventBus")
def delete_bus(call: Call, _: Forward) -> None:
    from moto.events.models import events_backends

    there = events_backends[call.account][call.region].event_buses.get(call.params["Name"].rpartition("/")[2])
    if there is not None and there.rules and there.name != "default":
        raise AwsError("ValidationException", "EventBus can't be deleted since it has rules.")


@handles("events", "TestEventPattern")
def test_event_pattern(call: Call, _: Forward) -> dict[str, Any]:
    """Whether a pattern matches an event, which moto never says."""
    return {"Result": patterns.matches(json.loads(call.params["EventPattern"]), json.loads(call.params["Event"]))}
