"""An account that AWS Control Tower governs: what it puts there, by its names (Control Tower User Guide)."""

import json
from typing import Any

from emulator.inside import Inside

REGION = "us-east-1"
PREFIX = "aws-controltower-"
TOPICS = ("SecurityNotifications", "AllConfigNotifications", "AggregateSecurityNotifications")


def govern(emulator: Any, account: str, management: str) -> dict[str, Any]:
    """Puts role, bucket, trail, recorder, topics and log group into the account, and returns their names."""
    inside = Inside(emulator, account)
    bucket = _bucket(inside)
    trust = _document("sts:AssumeRole", {"AWS": f"arn:aws:iam::{management}:root"})
    inside.call("iam", "CreateRole", RoleName="AWSControlTowerExecution", AssumeRolePolicyDocument=trust)
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    inside.call("iam", "AttachRolePolicy", RoleName="AWSControlTowerExecution", PolicyArn=administrator)
    inside.call("logs", "CreateLogGroup", logGroupName="aws-controltower/CloudTrailLogs")
    topics = [inside.call("sns", "CreateTopic", Name=PREFIX + name)["TopicArn"] for name in TOPICS]
    trail = f"{PREFIX}BaselineCloudTrail"
    inside.call("cloudtrail", "CreateTrail", Name=trail, S3BucketName=bucket, IsMultiRegionTrail=True)
    inside.call("cloudtrail", "StartLogging", Name=trail)
    recorder, channel = f"{PREFIX}BaselineConfigRecorder", f"{PREFIX}BaselineConfigDeliveryChannel"
    role = f"arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    inside.call(
        "config",
        "PutConfigurationRecorder",
        ConfigurationRecorder={
            "name": recorder,
            "roleARN": role,
            "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True},
        },
    )
    inside.call("config", "PutDeliveryChannel", DeliveryChannel={"name": channel, "s3BucketName": bucket})
    inside.call("config", "StartConfigurationRecorder", ConfigurationRecorderName=recorder)
    return {
        "account": account,
        "role": "AWSControlTowerExecution",
        "bucket": bucket,
        "trail": trail,
        "recorder": recorder,
        "channel": channel,
        "topics": topics,
    }


def _bucket(inside: Inside) -> str:
    name = f"{PREFIX}logs-{inside.account}-{REGION}"
    arn = f"arn:aws:s3:::{name}"
    inside.call("s3", "CreateBucket", Bucket=name)
    says = [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": resource}
        for service in ("cloudtrail.amazonaws.com", "config.amazonaws.com")
        for action, resource in (("s3:GetBucketAcl", arn), ("s3:PutObject", f"{arn}/*"))
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": says})
    inside.call("s3", "PutBucketPolicy", Bucket=name, Policy=policy)
    return name


def _document(action: str, principal: dict[str, str]) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
