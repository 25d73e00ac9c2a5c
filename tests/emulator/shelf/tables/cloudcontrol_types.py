"""Cloud Control's types of resources: each is made, read, changed and deleted by the operations of its own service.

Properties are those of the type's CloudFormation schema; one that is not in the table is a gap of the emulator (501).
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from emulator.answers import AwsError
from emulator.ask import ask
from emulator.wire import Call

Model = dict[str, Any]


@dataclass
class Type:
    """One type: `create` answers the identifier, `read` raises the service's own error when there is nothing."""

    create: Callable[[Call, Model], str]
    read: Callable[[Call, str], Model]
    change: Callable[[Call, str, Model, Model], None]
    delete: Callable[[Call, str], None]
    every: Callable[[Call], list[str]]
    # What the caller may say, what it must, what stays as it was made, and what AWS adds.
    properties: set[str]
    required: frozenset[str] = frozenset()
    fixed: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


def name(model: Model, member: str) -> str:
    """The name that is given, or one that AWS makes."""
    return model.get(member) or f"resource-{uuid.uuid4().hex[:12]}"


def pairs(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def present(**values: Any) -> Model:
    return {member: value for member, value in values.items() if value not in (None, "", [], {})}


# Buckets.


def make_bucket(call: Call, model: Model) -> str:
    bucket = name(model, "BucketName")
    place = {} if call.region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": call.region}}
    if bucket in every_bucket(call):
        raise AwsError("BucketAlreadyOwnedByYou", f"{bucket} already exists")
    ask(call, "s3", "CreateBucket", Bucket=bucket, **place)
    change_bucket(call, bucket, {}, model)
    return bucket


def read_bucket(call: Call, bucket: str) -> Model:
    ask(call, "s3", "HeadBucket", Bucket=bucket)
    block = optional(call, "GetPublicAccessBlock", bucket).get("PublicAccessBlockConfiguration")
    versioning = ask(call, "s3", "GetBucketVersioning", Bucket=bucket).get("Status")
    return present(
        BucketName=bucket,
        Arn=f"arn:{call.partition}:s3:::{bucket}",
        PublicAccessBlockConfiguration=block,
        VersioningConfiguration={"Status": versioning} if versioning else None,
        Tags=optional(call, "GetBucketTagging", bucket).get("TagSet"),
    )


def optional(call: Call, operation: str, bucket: str) -> Model:
    try:
        return ask(call, "s3", operation, Bucket=bucket)
    except AwsError as error:
        if error.code.startswith("NoSuch") and error.code != "NoSuchBucket":
            return {}
        raise


def change_bucket(call: Call, bucket: str, old: Model, new: Model) -> None:
    for member, put, argument, gone in (
        ("PublicAccessBlockConfiguration", "PutPublicAccessBlock", None, "DeletePublicAccessBlock"),
        ("VersioningConfiguration", "PutBucketVersioning", None, None),
        ("Tags", "PutBucketTagging", "Tagging", "DeleteBucketTagging"),
    ):
        value = new.get(member)
        if value == old.get(member):
            continue
        if value:
            body = {"TagSet": value} if member == "Tags" else value
            ask(call, "s3", put, Bucket=bucket, **{argument or member: body})
        elif gone:
            ask(call, "s3", gone, Bucket=bucket)
        else:
            ask(call, "s3", put, Bucket=bucket, **{member: {"Status": "Suspended"}})


def every_bucket(call: Call) -> list[str]:
    return [one["Name"] for one in ask(call, "s3", "ListBuckets").get("Buckets", [])]


# Log groups.


def make_group(call: Call, model: Model) -> str:
    group = name(model, "LogGroupName")
    more = present(logGroupClass=model.get("LogGroupClass"), kmsKeyId=model.get("KmsKeyId"))
    tags = {one["Key"]: one["Value"] for one in model.get("Tags", [])}
    ask(call, "logs", "CreateLogGroup", logGroupName=group, **more, **present(tags=tags))
    change_group(call, group, {}, {"RetentionInDays": model.get("RetentionInDays")})
    return group


def read_group(call: Call, group: str) -> Model:
    found = ask(call, "logs", "DescribeLogGroups", logGroupNamePrefix=group)["logGroups"]
    one = next((one for one in found if one["logGroupName"] == group), None)
    if one is None:
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    arn = one["arn"].removesuffix(":*")
    tags = ask(call, "logs", "ListTagsForResource", resourceArn=arn).get("tags", {})
    return present(
        LogGroupName=group,
        Arn=one["arn"],
        RetentionInDays=one.get("retentionInDays"),
        KmsKeyId=one.get("kmsKeyId"),
        LogGroupClass=one.get("logGroupClass"),
        Tags=pairs(tags),
    )


def change_group(call: Call, group: str, old: Model, new: Model) -> None:
    days, key = new.get("RetentionInDays"), new.get("KmsKeyId")
    if days and days != old.get("RetentionInDays"):
        ask(call, "logs", "PutRetentionPolicy", logGroupName=group, retentionInDays=days)
    elif not days and old.get("RetentionInDays"):
        ask(call, "logs", "DeleteRetentionPolicy", logGroupName=group)
    if key and key != old.get("KmsKeyId"):
        ask(call, "logs", "AssociateKmsKey", logGroupName=group, kmsKeyId=key)
    elif not key and old.get("KmsKeyId"):
        ask(call, "logs", "DisassociateKmsKey", logGroupName=group)
    before, after = ({one["Key"]: one["Value"] for one in model.get("Tags", [])} for model in (old, new))
    arn = f"arn:{call.partition}:logs:{call.region}:{call.account}:log-group:{group}"
    if after and after != before:
        ask(call, "logs", "TagResource", resourceArn=arn, tags=after)
    if gone := [key for key in before if key not in after]:
        ask(call, "logs", "UntagResource", resourceArn=arn, tagKeys=gone)


def every_group(call: Call) -> list[str]:
    return [one["logGroupName"] for one in ask(call, "logs", "DescribeLogGroups")["logGroups"]]


# Roles.


def make_role(call: Call, model: Model) -> str:
    role = name(model, "RoleName")
    trust = json.dumps(model["AssumeRolePolicyDocument"])
    more = {one: model[one] for one in ("Path", "Description", "MaxSessionDuration", "Tags") if one in model}
    ask(call, "iam", "CreateRole", RoleName=role, AssumeRolePolicyDocument=trust, **more)
    change_role(call, role, model | {"ManagedPolicyArns": []}, model)
    return role


def read_role(call: Call, role: str) -> Model:
    one = ask(call, "iam", "GetRole", RoleName=role)["Role"]
    attached = ask(call, "iam", "ListAttachedRolePolicies", RoleName=role)["AttachedPolicies"]
    return present(
        RoleName=one["RoleName"],
        RoleId=one["RoleId"],
        Arn=one["Arn"],
        Path=one["Path"],
        Description=one.get("Description"),
        MaxSessionDuration=one.get("MaxSessionDuration"),
        AssumeRolePolicyDocument=json.loads(unquote(one["AssumeRolePolicyDocument"])),
        ManagedPolicyArns=[policy["PolicyArn"] for policy in attached],
        Tags=one.get("Tags"),
    )


def change_role(call: Call, role: str, old: Model, new: Model) -> None:
    if new["AssumeRolePolicyDocument"] != old["AssumeRolePolicyDocument"]:
        trust = json.dumps(new["AssumeRolePolicyDocument"])
        ask(call, "iam", "UpdateAssumeRolePolicy", RoleName=role, PolicyDocument=trust)
    members = ("Description", "MaxSessionDuration")
    if any(new.get(member) != old.get(member) for member in members):
        ask(call, "iam", "UpdateRole", RoleName=role, **{"Description": ""} | {m: new[m] for m in members if m in new})
    before, after = (model.get("ManagedPolicyArns", []) for model in (old, new))
    for arn in after:
        if arn not in before:
            ask(call, "iam", "AttachRolePolicy", RoleName=role, PolicyArn=arn)
    for arn in before:
        if arn not in after:
            ask(call, "iam", "DetachRolePolicy", RoleName=role, PolicyArn=arn)
    keys = {one["Key"] for one in new.get("Tags", [])}
    if new.get("Tags") and new["Tags"] != old.get("Tags"):
        ask(call, "iam", "TagRole", RoleName=role, Tags=new["Tags"])
    if gone := [one["Key"] for one in old.get("Tags", []) if one["Key"] not in keys]:
        ask(call, "iam", "UntagRole", RoleName=role, TagKeys=gone)


def delete_role(call: Call, role: str) -> None:
    """What is attached goes first."""
    there = read_role(call, role)
    change_role(call, role, there, there | {"ManagedPolicyArns": []})
    ask(call, "iam", "DeleteRole", RoleName=role)


# Parameters.


def make_parameter(call: Call, model: Model) -> str:
    parameter = name(model, "Name")
    put_parameter(call, parameter, {}, model)
    return parameter


def put_parameter(call: Call, parameter: str, old: Model, new: Model) -> None:
    more = present(Description=new.get("Description"))
    ask(call, "ssm", "PutParameter", Name=parameter, Type=new["Type"], Value=new["Value"], Overwrite=bool(old), **more)


def read_parameter(call: Call, parameter: str) -> Model:
    one = ask(call, "ssm", "GetParameter", Name=parameter)["Parameter"]
    wanted = [{"Key": "Name", "Option": "Equals", "Values": [parameter]}]
    [about] = ask(call, "ssm", "DescribeParameters", ParameterFilters=wanted)["Parameters"]
    return present(Name=one["Name"], Type=one["Type"], Value=one["Value"], Description=about.get("Description"))


# Detectors, analyzers, the hub.


def make_detector(call: Call, model: Model) -> str:
    return str(ask(call, "guardduty", "CreateDetector", **model)["DetectorId"])


def read_detector(call: Call, detector: str) -> Model:
    one = ask(call, "guardduty", "GetDetector", DetectorId=detector)
    frequency = one["FindingPublishingFrequency"]
    return {"Id": detector, "Enable": one["Status"] == "ENABLED", "FindingPublishingFrequency": frequency}


def make_analyzer(call: Call, model: Model) -> str:
    made = ask(
        call, "accessanalyzer", "CreateAnalyzer", analyzerName=name(model, "AnalyzerName"), type=model["Type"]
    )
    return str(made["arn"])


def read_analyzer(call: Call, arn: str) -> Model:
    one = ask(call, "accessanalyzer", "GetAnalyzer", analyzerName=arn.rpartition("/")[2])["analyzer"]
    return {"Arn": arn, "AnalyzerName": one["name"], "Type": one["type"]}


def make_hub(call: Call, model: Model) -> str:
    first = {key: model[key] for key in ("EnableDefaultStandards", "ControlFindingGenerator") if key in model}
    ask(call, "securityhub", "EnableSecurityHub", **first)
    arn = str(ask(call, "securityhub", "DescribeHub")["HubArn"])
    if "AutoEnableControls" in model:
        change_hub(call, arn, {}, model)
    return arn


def read_hub(call: Call, arn: str) -> Model:
    one = ask(call, "securityhub", "DescribeHub", HubArn=arn)
    return {
        "ARN": one["HubArn"],
        "SubscribedAt": one["SubscribedAt"],
        "AutoEnableControls": one["AutoEnableControls"],
        "ControlFindingGenerator": one["ControlFindingGenerator"],
    }


def change_hub(call: Call, arn: str, old: Model, new: Model) -> None:
    members = ("AutoEnableControls", "ControlFindingGenerator")
    changed = {one: new[one] for one in members if one in new and new[one] != old.get(one)}
    ask(call, "securityhub", "UpdateSecurityHubConfiguration", **changed)


def every_hub(call: Call) -> list[str]:
    try:
        return [ask(call, "securityhub", "DescribeHub")["HubArn"]]
    except AwsError:
        return []


def nothing(call: Call, identifier: str, old: Model, new: Model) -> None:
    """All that the caller may say is fixed."""


TYPES = {
    "AWS::AccessAnalyzer::Analyzer": Type(
        make_analyzer,
        read_analyzer,
        nothing,
        lambda call, arn: ask(call, "accessanalyzer", "DeleteAnalyzer", analyzerName=arn.rpartition("/")[2]) and None,
        lambda call: [one["arn"] for one in ask(call, "accessanalyzer", "ListAnalyzers")["analyzers"]],
        {"AnalyzerName", "Type"},
        required=frozenset({"Type"}),
        fixed=frozenset({"AnalyzerName", "Type"}),
        added=frozenset({"Arn"}),
    ),
    "AWS::GuardDuty::Detector": Type(
        make_detector,
        read_detector,
        lambda call, detector, _, new: ask(call, "guardduty", "UpdateDetector", DetectorId=detector, **new) and None,
        lambda call, detector: ask(call, "guardduty", "DeleteDetector", DetectorId=detector) and None,
        lambda call: list(ask(call, "guardduty", "ListDetectors")["DetectorIds"]),
        {"Enable", "FindingPublishingFrequency"},
        required=frozenset({"Enable"}),
        added=frozenset({"Id"}),
    ),
    "AWS::IAM::Role": Type(
        make_role,
        read_role,
        change_role,
        delete_role,
        lambda call: [one["RoleName"] for one in ask(call, "iam", "ListRoles")["Roles"]],
        {
            "AssumeRolePolicyDocument",
            "Description",
            "ManagedPolicyArns",
            "MaxSessionDuration",
            "Path",
            "RoleName",
            "Tags",
        },
        required=frozenset({"AssumeRolePolicyDocument"}),
        fixed=frozenset({"Path", "RoleName"}),
        added=frozenset({"Arn", "RoleId"}),
    ),
    "AWS::Logs::LogGroup": Type(
        make_group,
        read_group,
        change_group,
        lambda call, group: ask(call, "logs", "DeleteLogGroup", logGroupName=group) and None,
        every_group,
        {"KmsKeyId", "LogGroupClass", "LogGroupName", "RetentionInDays", "Tags"},
        fixed=frozenset({"LogGroupName"}),
        added=frozenset({"Arn"}),
    ),
    "AWS::S3::Bucket": Type(
        make_bucket,
        read_bucket,
        change_bucket,
        lambda call, bucket: ask(call, "s3", "DeleteBucket", Bucket=bucket) and None,
        every_bucket,
        {"BucketName", "PublicAccessBlockConfiguration", "Tags", "VersioningConfiguration"},
        fixed=frozenset({"BucketName"}),
        added=frozenset({"Arn"}),
    ),
    "AWS::SSM::Parameter": Type(
        make_parameter,
        read_parameter,
        put_parameter,
        lambda call, parameter: ask(call, "ssm", "DeleteParameter", Name=parameter) and None,
        lambda call: [one["Name"] for one in ask(call, "ssm", "DescribeParameters")["Parameters"]],
        {"Description", "Name", "Type", "Value"},
        required=frozenset({"Type", "Value"}),
        fixed=frozenset({"Name"}),
    ),
    "AWS::SecurityHub::Hub": Type(
        make_hub,
        read_hub,
        change_hub,
        lambda call, _: ask(call, "securityhub", "DisableSecurityHub") and None,
        every_hub,
        {"AutoEnableControls", "ControlFindingGenerator", "EnableDefaultStandards"},
        added=frozenset({"ARN", "SubscribedAt"}),
    ),
}
