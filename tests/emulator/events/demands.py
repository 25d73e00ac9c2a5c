"""Which permissions calls of SNS, SQS, EventBridge and CloudWatch demand (Service Authorization Reference).

What a policy must name: topics, queues, rules and alarms by ARN; tags at creation and roles that are passed besides.
"""

from typing import Any

from emulator.access import MORE_DEMANDS, Demand
from emulator.wire import Call


def _arn(call: Call, service: str, resource: str) -> str:
    return f"arn:{call.partition}:{service}:{call.region}:{call.account}:{resource}"


# Where SNS knows no resource: what is asked of one subscription, and of all.
_ANY_TOPIC = {"Unsubscribe", "GetSubscriptionAttributes", "SetSubscriptionAttributes"} | {
    "ListTopics",
    "ListSubscriptions",
}


def _sns(call: Call, action: str) -> list[Demand]:
    params = call.params
    named = params.get("TopicArn") or params.get("ResourceArn") or params.get("TargetArn")
    if params.get("Name"):
        named = _arn(call, "sns", params["Name"])
    resource = "*" if call.operation in _ANY_TOPIC or not named else named
    return [Demand(action, resource), *_tagged(call, "sns:TagResource", resource)]


def _sqs(call: Call, action: str) -> list[Demand]:
    params = call.params
    if params.get("QueueUrl"):
        *_, account, name = str(params["QueueUrl"]).split("/")
        resource = f"arn:{call.partition}:sqs:{call.region}:{account}:{name}"
    else:
        resource = _arn(call, "sqs", params["QueueName"]) if params.get("QueueName") else "*"
    return [Demand(action, resource), *([Demand("sqs:TagQueue", resource)] if params.get("tags") else [])]


def _events(call: Call, action: str) -> list[Demand]:
    params = call.params
    bus = str(params.get("EventBusName") or "default").rpartition("/")[2]
    rule = params.get("Rule") or (params.get("Name") if "Rule" in str(call.operation) else None)
    if params.get("ResourceARN"):
        resource = params["ResourceARN"]
    elif rule:
        resource = _arn(call, "events", f"rule/{'' if bus == 'default' else bus + '/'}{rule}")
    elif call.operation == "DescribeEventBus":
        name = str(params.get("Name") or "default").rpartition("/")[2]
        resource = _arn(call, "events", f"event-bus/{name}")
    else:
        resource = "*"
    if call.operation == "PutEvents":
        buses = [str(entry.get("EventBusName") or "default") for entry in params.get("Entries", [])]
        arns = {bus if bus.startswith("arn:") else _arn(call, "events", f"event-bus/{bus}") for bus in buses}
        return [Demand(action, arn) for arn in sorted(arns)]
    roles = [params.get("RoleArn"), *(target.get("RoleArn") for target in params.get("Targets") or [])]
    passed = {"iam:passedtoservice": ["events.amazonaws.com"]}
    return [
        Demand(action, resource),
        *_tagged(call, "events:TagResource", resource),
        *(Demand("iam:PassRole", role, passed) for role in roles if role),
    ]


def _cloudwatch(call: Call, action: str) -> list[Demand]:
    params = call.params
    if params.get("ResourceARN"):
        return [Demand(action, params["ResourceARN"])]
    names = params.get("AlarmNames") or ([params["AlarmName"]] if params.get("AlarmName") else [])
    arns = [_arn(call, "cloudwatch", f"alarm:{name}") for name in names] or ["*"]
    if call.operation == "DescribeAlarms" and not names:
        arns = [_arn(call, "cloudwatch", "alarm:*")]
    return [*(Demand(action, arn) for arn in arns), *_tagged(call, "cloudwatch:TagResource", arns[0])]


def _tagged(call: Call, action: str, resource: str) -> list[Demand]:
    """The permission to tag what is made with tags."""
    making = call.operation in ("CreateTopic", "PutRule", "PutMetricAlarm")
    return [Demand(action, resource)] if making and call.params.get("Tags") else []


def register() -> None:
    """Tells `emulator.access` of them."""
    made: dict[str, Any] = {"sns": _sns, "sqs": _sqs, "events": _events, "cloudwatch": _cloudwatch}
    MORE_DEMANDS.update(made)
