"""What CloudTrail verifies about the things that a trail uses: organization, bucket, key, topic, log group, role.

Policies are read only as far as "does it let CloudTrail do this"; conditions and prefixes are not judged.
"""

import re

from emulator.answers import AwsError
from emulator.policy import allows_service
from emulator.wire import Call

SERVICE = "cloudtrail.amazonaws.com"


def check_organization(call: Call) -> None:
    from moto.organizations.models import organizations_backends

    organization = organizations_backends[call.account][call.partition].org
    if organization is None:
        raise AwsError("OrganizationsNotInUseException", f"Account {call.account} is not in an organization.")
    if organization.master_account_id != call.account:
        raise AwsError("NotOrganizationMasterAccountException", f"{call.account} is not the management account.")


def check_bucket(call: Call, name: str) -> None:
    from moto.s3.models import s3_backends

    for partitions in list(s3_backends.values()):
        bucket = partitions[call.partition].buckets.get(name)
        if bucket:
            break
    else:
        raise AwsError("S3BucketDoesNotExistException", f"S3 bucket {name} does not exist!")
    policy = bucket.policy.decode() if isinstance(bucket.policy, bytes) else bucket.policy
    for action in ("s3:GetBucketAcl", "s3:PutObject"):
        if not allows_service(policy, SERVICE, action):
            raise AwsError(
                "InsufficientS3BucketPolicyException", f"Incorrect S3 bucket policy is detected for bucket: {name}"
            )


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


def check_topic(arn: str) -> None:
    from moto.sns.models import sns_backends

    _, _, _, region, account, _ = arn.split(":")
    if arn not in sns_backends[account][region].topics:
        raise AwsError(
            "InsufficientSnsTopicPolicyException", f"SNS topic {arn} does not exist or its policy is not enough."
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
