"""What CloudTrail verifies: selectors, and what a trail uses: organization, bucket, key, topic, log group, role.

Of buckets and topics conditions and the trail's folder are judged, of keys whether they let CloudTrail in.
"""

import re
from typing import Any

from emulator.answers import AwsError
from emulator.delivery import bucket_of
from emulator.events.permission import service_may
from emulator.events.topics import topic_of
from emulator.missing import refuses
from emulator.policy import allows_service
from emulator.wire import Call

SERVICE = "cloudtrail.amazonaws.com"
LONGEST_PREFIX = 200


def check_organization(call: Call) -> None:
    """An organization's trail is made by its management account or CloudTrail's delegated administrators."""
    from emulator.organization.structure import all_features, home_of, may_administer, trusted

    found = home_of(call.account, call.partition)
    if found is None:
        raise AwsError("OrganizationsNotInUseException", f"Account {call.account} is not in an organization.")
    if not may_administer(call, SERVICE):
        raise AwsError("NotOrganizationMasterAccountException", f"{call.account} is not the management account.")
    if not all_features(found):
        raise AwsError("OrganizationNotInAllFeaturesModeException", "The organization must have all features enabled.")
    if not trusted(found, SERVICE):
        raise AwsError("CloudTrailAccessNotEnabledException", "Trusted access of CloudTrail is not enabled.")


@refuses("cloudtrail", "CreateTrail", "UpdateTrail")
def length_of_a_prefix(call: Call) -> None:
    if len(call.params.get("S3KeyPrefix") or "") > LONGEST_PREFIX:
        raise AwsError("InvalidS3PrefixException", f"S3 prefix is longer than maximum length: {LONGEST_PREFIX}")


def check_bucket(trail: Any, settings: dict[str, Any]) -> None:
    name = settings["S3BucketName"]
    match delivery_error(trail, settings):
        case "NoSuchBucket":
            raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
        case "AccessDenied":
            raise AwsError(
                "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}"
            )


def delivery_error(trail: Any, settings: dict[str, Any]) -> str | None:
    """What S3 would answer to CloudTrail's delivery: in the trail's folder, in the trail's name."""
    partition, name = trail.arn.split(":")[1], settings["S3BucketName"]
    bucket = bucket_of(partition, name)
    if bucket is None:
        return "NoSuchBucket"
    text = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    from emulator.organization.structure import home_of

    found = home_of(trail.account, partition) if settings.get("IsOrganizationTrail") else None
    owner = f"{found.org.id}/{trail.account}" if found else trail.account
    prefix = f"{settings['S3KeyPrefix']}/" if settings.get("S3KeyPrefix") else ""
    context = _context(trail) | {"s3:x-amz-acl": "bucket-owner-full-control"}
    arn = f"arn:{partition}:s3:::{name}"
    log = f"{arn}/{prefix}AWSLogs/{owner}/CloudTrail/{trail.region}/log"
    for action, resource in (("s3:GetBucketAcl", arn), ("s3:PutObject", log)):
        if not service_may(text, SERVICE, action, resource, context):
            return "AccessDenied"
    return None


def _context(trail: Any) -> dict[str, str]:
    return {"aws:SourceArn": trail.arn, "aws:SourceAccount": trail.account}


# A whole service, or one resource of it; S3 values are beginnings, the others whole ARNs.
DATA_RESOURCES = {
    "AWS::S3::Object": r"arn:[^:*]+:s3(:::|:::[^/:*]+/[^*]*)?",
    "AWS::Lambda::Function": r"arn:[^:*]+:lambda(:[^:*]+:\d{12}:function:[^*]+)?",
    "AWS::DynamoDB::Table": r"arn:[^:*]+:dynamodb(:[^:*]+:\d{12}:table/[^*]+)?",
}
EXCLUDABLE = {"kms.amazonaws.com", "rdsdata.amazonaws.com"}
# Of a trail; event data stores know more.
FIELDS = {
    "Management": {"eventCategory", "eventSource", "readOnly"},
    "Data": {
        "eventCategory",
        "eventName",
        "eventSource",
        "eventType",
        "readOnly",
        "resources.ARN",
        "resources.type",
        "sessionCredentialFromConsole",
        "userIdentity.arn",
    },
    "NetworkActivity": {"eventCategory", "eventSource", "eventName", "errorCode", "vpcEndpointId"},
}
REQUIRED = {"Management": set(), "Data": {"resources.type"}, "NetworkActivity": {"eventSource"}}


def check_selectors(basic: list[dict[str, Any]], advanced: list[dict[str, Any]]) -> None:
    """What CloudTrail refuses of selectors; the quotas as far as evenkeel can meet them."""
    if len(basic) > 5:
        raise _selectors("A trail has at most five event selectors.")
    for selector in basic:
        strange = set(selector.get("ExcludeManagementEventSources", [])) - EXCLUDABLE
        if strange:
            raise _selectors(f"The value(s) for ExcludeManagementEventSources are not valid: {sorted(strange)}")
        for resource in selector.get("DataResources", []):
            for value in resource.get("Values", []):
                if not re.fullmatch(DATA_RESOURCES.get(resource["Type"], ""), value):
                    raise _selectors(f"Value {value} for DataResources.Values is invalid.")
    for selector in advanced:
        _check_advanced({one["Field"]: one for one in selector["FieldSelectors"]})


def _check_advanced(fields: dict[str, dict[str, Any]]) -> None:
    for field, condition in fields.items():
        values = [value for name, values in condition.items() if name != "Field" for value in values]
        if not values:
            raise _selectors(f"The condition on {field} has no values.")
        if any("*" in value for value in values):
            raise _selectors("Wildcards are not supported.")
        if field in ("eventCategory", "readOnly", "resources.type") and set(condition) != {"Field", "Equals"}:
            raise _selectors(f"{field} can only be compared with Equals.")
        if field == "readOnly" and not set(values) <= {"true", "false"}:
            raise _selectors("readOnly is true or false.")
    category = fields.get("eventCategory", {"Equals": []})["Equals"]
    if len(category) != 1 or category[0] not in FIELDS:
        raise _selectors("An advanced event selector needs the field eventCategory with one known value.")
    if not set(fields) <= FIELDS[category[0]]:
        raise _selectors(f"Fields that {category[0]} events of a trail do not have: {sorted(fields)}")
    if not REQUIRED[category[0]] <= set(fields):
        raise _selectors(f"{category[0]} events need {sorted(REQUIRED[category[0]])}.")


def _selectors(message: str) -> AwsError:
    return AwsError("InvalidEventSelectorsException", message)


def check_key(call: Call, key_id: str) -> str:
    from moto.kms.models import kms_backends

    region = key_id.split(":")[3] if key_id.startswith("arn:") else call.region
    account = key_id.split(":")[4] if key_id.startswith("arn:") else call.account
    backend = kms_backends[account][region]
    try:
        key = backend.keys[backend.any_id_to_key_id(key_id)]
    except (KeyError, AttributeError):
        raise AwsError("KmsKeyNotFoundException", f"KMS key {key_id} does not exist.") from None
    if key.key_state != "Enabled":
        raise AwsError("KmsKeyDisabledException", f"KMS key {key.arn} is not enabled.")
    if not allows_service(key.policy, SERVICE, "kms:GenerateDataKey"):
        raise AwsError(
            "InsufficientEncryptionPolicyException",
            f"The policy of KMS key {key.arn} does not allow CloudTrail to use it.",
        )
    return key.arn


def check_topic(trail: Any, arn: str) -> None:
    topic = topic_of(arn)
    if topic is None or not service_may(topic.policy, SERVICE, "sns:Publish", arn, _context(trail)):
        raise AwsError(
            "InsufficientSnsTopicPolicyException", "SNS Topic does not exist or the topic policy is incorrect!"
        )


def check_log_group(call: Call, arn: str) -> None:
    from moto.logs.models import logs_backends

    found = re.fullmatch(r"arn:[^:]+:logs:([^:]+):(\d{12}):log-group:([^:]+):\*", arn)
    if not found or found.group(3) not in logs_backends[found.group(2)][found.group(1)].groups:
        raise AwsError("InvalidCloudWatchLogsLogGroupArnException", f"{arn} is not the ARN of a log group.")


def check_role(call: Call, arn: str) -> None:
    from moto.iam.models import iam_backends

    for role in iam_backends[call.account][call.partition].roles.values():
        if role.arn == arn:
            if allows_service(role.assume_role_policy_document, SERVICE, "sts:AssumeRole"):
                return
            break
    raise AwsError("InvalidCloudWatchLogsRoleArnException", f"CloudTrail cannot assume the role {arn}. Access denied.")
