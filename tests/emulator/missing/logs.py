"""CloudWatch Logs: keys, deletion protection and data protection policies of log groups.

moto keeps a log group's key only when it is made with one, takes any number of days for a retention, and knows neither
deletion protection nor data protection policies nor classes.
"""

import json
import re
import time
from typing import Any

from emulator import policy
from emulator.answers import AwsError
from emulator.missing import Forward, from_moto, handles, refuses
from emulator.missing.kms import find_key
from emulator.wire import Call

DAYS = {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
LONGEST_POLICY = 30_720


def group_of(call: Call) -> Any:
    """The log group that a call names, by its name or ARN."""
    from moto.logs.models import logs_backends

    members = ("logGroupName", "logGroupIdentifier", "resourceArn", "resourceIdentifier")
    named = next(call.params[member] for member in members if member in call.params)
    here = f"arn:{call.partition}:logs:{call.region}:{call.account}:log-group:"
    # The ARN of a group in another account or Region is found nowhere here: a name has no colon.
    name = named.removeprefix(here)
    group = logs_backends[call.account][call.region].groups.get(name)
    if group is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return group


@handles("logs", "CreateLogGroup")
def create_log_group(call: Call, forward: Forward) -> dict[str, Any] | None:
    if str(call.params["logGroupName"]).startswith("aws/"):
        raise AwsError("InvalidParameterException", "Log group names can't start with aws/.")
    if "kmsKeyId" in call.params:
        _check_key(call, call.params["kmsKeyId"])
    from_moto(call, forward)
    group = group_of(call)
    group.log_group_class = call.params.get("logGroupClass", "STANDARD")
    group.deletion_protection = bool(call.params.get("deletionProtectionEnabled"))
    return {}


@handles("logs", "DescribeLogGroups")
def describe_log_groups(call: Call, forward: Forward) -> dict[str, Any]:
    from moto.logs.models import logs_backends

    if "logGroupNamePrefix" in call.params and "logGroupNamePattern" in call.params:
        raise AwsError("InvalidParameterException", "LogGroup name prefix and pattern are mutually exclusive.")
    answer = from_moto(call, forward)
    for shown in answer.get("logGroups", []):
        group = logs_backends[call.account][call.region].groups[shown["logGroupName"]]
        shown["logGroupArn"] = group.arn
        shown["logGroupClass"] = getattr(group, "log_group_class", "STANDARD")
        shown["deletionProtectionEnabled"] = getattr(group, "deletion_protection", False)
        shown["metricFilterCount"] = sum(one["logGroupName"] == group.name for one in filters_of(call))
        if status := getattr(group, "data_protection_status", None):
            shown["dataProtectionStatus"] = status
    return answer


@handles("logs", "DeleteLogGroup")
def delete_log_group(call: Call, _: Forward) -> None:
    """With a group go its metric filters."""
    if getattr(group_of(call), "deletion_protection", False):
        raise AwsError("ValidationException", "Deletion protection is enabled for the log group.")
    filters = filters_of(call)
    filters[:] = [one for one in filters if one["logGroupName"] != call.params["logGroupName"]]


def filters_of(call: Call) -> list[dict[str, Any]]:
    from moto.logs.models import logs_backends

    return logs_backends[call.account][call.region].filters.metric_filters


@handles("logs", "PutRetentionPolicy")
def put_retention_policy(call: Call, _: Forward) -> None:
    group_of(call)
    if call.params["retentionInDays"] not in DAYS:
        raise AwsError("InvalidParameterException", f"retentionInDays must be one of {sorted(DAYS)}.")


@handles("logs", "PutLogGroupDeletionProtection")
def put_deletion_protection(call: Call, _: Forward) -> dict[str, Any]:
    group_of(call).deletion_protection = call.params["deletionProtectionEnabled"]
    return {}


@refuses("logs", "AssociateKmsKey", "DisassociateKmsKey")
def one_thing_with_a_key(call: Call) -> None:
    if ("logGroupName" in call.params) == ("resourceIdentifier" in call.params):
        raise AwsError("InvalidParameterException", "Specify either logGroupName or resourceIdentifier.")
    if call.params.get("resourceIdentifier", "").endswith(":query-result:*"):
        raise NotImplementedError("keys of query results")


@handles("logs", "AssociateKmsKey")
def associate_kms_key(call: Call, _: Forward) -> dict[str, Any]:
    group = group_of(call)
    _check_key(call, call.params["kmsKeyId"])
    group.kms_key_id = call.params["kmsKeyId"]
    return {}


@handles("logs", "DisassociateKmsKey")
def disassociate_kms_key(call: Call, _: Forward) -> dict[str, Any]:
    group_of(call).kms_key_id = None
    return {}


@handles("logs", "GetDataProtectionPolicy")
def get_data_protection_policy(call: Call, _: Forward) -> dict[str, Any]:
    group = group_of(call)
    answer = {"logGroupIdentifier": call.params["logGroupIdentifier"]}
    if text := getattr(group, "data_protection_policy", None):
        answer |= {"policyDocument": text, "lastUpdatedTime": group.data_protection_time}
    return answer


@handles("logs", "PutDataProtectionPolicy")
def put_data_protection_policy(call: Call, _: Forward) -> dict[str, Any]:
    group, text = group_of(call), call.params["policyDocument"]
    check_data_protection(text)
    group.data_protection_policy = text
    group.data_protection_time = int(time.time() * 1000)
    group.data_protection_status = "ACTIVATED"
    return {
        "logGroupIdentifier": call.params["logGroupIdentifier"],
        "policyDocument": text,
        "lastUpdatedTime": group.data_protection_time,
    }


@handles("logs", "DeleteDataProtectionPolicy")
def delete_data_protection_policy(call: Call, _: Forward) -> dict[str, Any]:
    group = group_of(call)
    if getattr(group, "data_protection_policy", None):
        group.data_protection_policy, group.data_protection_status = None, "DELETED"
    return {}


@handles("logs", "ListTagsForResource", "TagResource", "UntagResource")
def tags(call: Call, _: Forward) -> None:
    """moto keeps tags for whatever ARN it is given; AWS takes that of a group, without `:*`."""
    if ":log-group:" in call.params["resourceArn"]:
        group_of(call)


def _check_key(call: Call, name: str) -> None:
    """A symmetric key that is enabled, by its ARN, whose policy lets CloudWatch Logs of the Region use it."""
    refused = AwsError("InvalidParameterException", f"The specified KMS key does not exist or is not allowed: {name}")
    if not re.fullmatch(r"arn:[^:]+:kms:[^:]+:\d{12}:key/.+", name):
        raise refused
    try:
        key = find_key(call, name)
    except AwsError:
        raise refused from None
    service = f"logs.{call.region}.amazonaws.com"
    if (
        key.key_state != "Enabled"
        or key.key_spec != "SYMMETRIC_DEFAULT"
        or not policy.allows_service(key.policy, service, "kms:Encrypt")
    ):
        raise refused


def check_data_protection(text: str) -> None:
    """An audit and a masking, of the same data."""
    refused = AwsError("InvalidParameterException", "The specified data protection policy is not valid.")
    if len(text) > LONGEST_POLICY:
        raise refused
    try:
        statements = json.loads(text)["Statement"]
        audits = [one for one in statements if "FindingsDestination" in one["Operation"].get("Audit", {})]
        masks = [one for one in statements if one["Operation"].get("Deidentify", {}).get("MaskConfig") == {}]
        same = audits[0]["DataIdentifier"] == masks[0]["DataIdentifier"]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise refused from None
    if len(audits) != 1 or len(masks) != 1 or not same:
        raise refused
