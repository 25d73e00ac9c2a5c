"""EC2's flow logs: each resource by itself, destinations in a folder or by ARN, options, tokens of idempotency, pages."""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.missing.ec2 import backend_of
from emulator.shelf import Row, place
from emulator.shelf.pages import page
from emulator.wire import Call

MOST = {"VPC": 300, "Subnet": 300, "NetworkInterface": 300}
USUAL_OPTIONS = {"FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False}
THERE = "Error. There is an existing Flow Log with the same configuration and log destination."
# Of records about VPCs, up to version 10.
FIELDS = set(
    "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status "
    "vpc-id subnet-id instance-id tcp-flags type pkt-srcaddr pkt-dstaddr region az-id sublocation-type sublocation-id "
    "pkt-src-aws-service pkt-dst-aws-service flow-direction traffic-path ecs-cluster-arn ecs-cluster-name "
    "ecs-container-instance-arn ecs-container-instance-id ecs-container-id ecs-second-container-id ecs-service-name "
    "ecs-task-definition-arn ecs-task-arn ecs-task-id reject-reason resource-id encryption-status".split()
)
# Describe answers with so many unless it is asked for fewer.
PAGE = 1000


@refuses("ec2", "CreateFlowLogs")
def what_a_flow_log_says(call: Call) -> None:
    given, kind = call.params, call.params["ResourceType"]
    if "TrafficType" not in given and kind in MOST:
        raise AwsError("MissingParameter", "The request must contain the parameter TrafficType")
    if len(given["ResourceIds"]) > MOST.get(kind, 25):
        raise _wrong(f"There may be {MOST.get(kind, 25)} resources of type {kind}.")
    to = given.get("LogDestinationType", "cloud-watch-logs")
    if to != "s3" and "DestinationOptions" in given:
        raise _wrong("DestinationOptions are for flow logs that go to S3.")
    if to == "kinesis-data-firehose" and "LogDestination" not in given:
        raise _wrong("LogDestination can't be empty if LogDestinationType is kinesis-data-firehose.")
    if "LogFormat" in given and not re.search(r"\$\{[a-z0-9-]+\}", given["LogFormat"]):
        raise _wrong("The log format has no field.")
    strange = set(re.findall(r"\$\{([^}]*)\}", given.get("LogFormat", ""))) - FIELDS
    if strange and kind in MOST:
        raise _wrong(f"Unknown fields provided: {', '.join(sorted(strange))}")
    if to == "s3" and not re.fullmatch(r"arn:[^:]+:s3:::[^/]+(/.*)?", given.get("LogDestination", "arn:aws:s3:::b")):
        raise _wrong(f"{given['LogDestination']} is not the ARN of a bucket.")


    for one in _specified(call):
        if one.get("ResourceType") != "vpc-flow-log":
            message = f"'{one.get('ResourceType')}' is not a valid taggable resource type for this operation."
            raise AwsError("InvalidParameterValue", message)


def _specified(call: Call) -> list[dict[str, Any]]:
    return call.params.get("TagSpecifications") or []


def _wrong(message: str) -> AwsError:
    return AwsError("InvalidParameter", message)


@handles("ec2", "CreateFlowLogs")
def create_flow_logs(call: Call, _: Forward) -> dict[str, Any]:
    """What fails is told in the answer, beside what was made; the same token answers the same."""
    token = call.params.get("ClientToken")
    sent = {name: value for name, value in call.params.items() if name != "ClientToken"}
    used = place(call, "flow_logs/tokens").get(token) if token else None
    if used:
        if used.now["sent"] != sent:
            raise AwsError("IdempotentParameterMismatch", "The token was used before, with other parameters.")
        return dict(used.now["answer"])
    backend_of(call)._validate_request(
        call.params.get("LogGroupName"),
        call.params.get("LogDestination"),
        call.params.get("LogDestinationType", "cloud-watch-logs"),
        call.params.get("MaxAggregationInterval", 600),
        call.params.get("DeliverLogsPermissionArn"),
    )
    made, failed = [], []
    for resource in call.params["ResourceIds"]:
        flow_log, problem = _create(call, resource)
        if problem:
            failed.append({"ResourceId": resource, "Error": dict(zip(("Code", "Message"), problem, strict=True))})
        else:
            made.append(flow_log.id)
    answer = {"FlowLogIds": made, "Unsuccessful": failed} | ({"ClientToken": token} if token else {})
    if token:
        place(call, "flow_logs/tokens")[token] = Row({"sent": sent, "answer": dict(answer)})
    return answer


def _create(call: Call, resource: str) -> tuple[Any, tuple[str, str] | None]:
    given, backend = call.params, backend_of(call)
    to, destination = given.get("LogDestinationType", "cloud-watch-logs"), given.get("LogDestination")
    group = given.get("LogGroupName")
    if to == "cloud-watch-logs" and destination and not group:
        group = destination.partition(":log-group:")[2].removesuffix(":*")
    same = (resource, group, destination)
    if any((one.resource_id, one.log_group_name, one.log_destination) == same for one in backend.flow_logs.values()):
        return None, ("FlowLogAlreadyExists", THERE)
    # moto takes the folder for a part of the bucket's name, and would find those that go to the bucket itself.
    bucket = destination.partition("/")[0] if to == "s3" and destination else destination
    others, backend.flow_logs = backend.flow_logs, {}
    try:
        done, failed = backend.create_flow_logs(
            resource_type=given["ResourceType"],
            resource_ids=[resource],
            traffic_type=given.get("TrafficType"),
            deliver_logs_permission_arn=given.get("DeliverLogsPermissionArn"),
            log_destination_type=to,
            log_destination=bucket,
            log_group_name=group,
            log_format=given.get("LogFormat"),
            max_aggregation_interval=given.get("MaxAggregationInterval"),
        )
    finally:
        backend.flow_logs = others | backend.flow_logs
    if failed:
        return None, failed[0][1:]
    [flow_log] = done
    flow_log.log_destination = destination
    flow_log.destination_options = USUAL_OPTIONS | given["DestinationOptions"] if "DestinationOptions" in given else None
    flow_log.add_tags({tag["Key"]: tag["Value"] for one in _specified(call) for tag in one.get("Tags", [])})
    return flow_log, None


@handles("ec2", "DeleteFlowLogs")
def delete_flow_logs(call: Call, _: Forward) -> dict[str, Any]:
    """Those that are not there are told in the answer, beside those that are gone now."""
    failed = []
    for name in call.params["FlowLogIds"]:
        if backend_of(call).flow_logs.pop(name, None) is None:
            said = {"Code": "InvalidFlowLogId.NotFound", "Message": f"The flow log {name} does not exist."}
            failed.append({"ResourceId": name, "Error": said})
    return {"Unsuccessful": failed}


@handles("ec2", "DescribeFlowLogs")
def describe_flow_logs(call: Call, forward: Forward) -> dict[str, Any]:
    made = from_moto(call, forward).get("FlowLogs", [])
    for one in made:
        options = getattr(backend_of(call).flow_logs[one["FlowLogId"]], "destination_options", None)
        if options:
            one["DestinationOptions"] = options
    shown, token = page(call, made, PAGE)
    return {"FlowLogs": shown} | token
