"""Who calls, and the permission a call needs: for error messages that read as AWS's own."""

from emulator.wire import Call

# Where the IAM action is not `service:Operation` (Service Authorization Reference of Amazon S3).
S3_ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "HeadObject": "GetObject",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
}
S3_CONTROL_ACTIONS = {
    "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
    "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
}
# Sessions of root users: access key to ARN.
root_keys: dict[str, str] = {}
PREFIXES = {
    "s3control": "s3",
    "accessanalyzer": "access-analyzer",
    "elbv2": "elasticloadbalancing",
    "cloudcontrol": "cloudformation",
    "resourcegroupstaggingapi": "tag",
}
# The service-linked roles of AWS's services, whose names follow no rule.
LINKED_ROLES = {
    "access-analyzer": "AccessAnalyzer",
    "agentless.inspector2": "AmazonInspector2Agentless",
    "backup": "Backup",
    "cloudtrail": "CloudTrail",
    "config": "Config",
    "config-conforms": "ConfigConforms",
    "detective": "AmazonDetective",
    "fms": "FMS",
    "guardduty": "AmazonGuardDuty",
    "inspector2": "AmazonInspector2",
    "macie": "AmazonMacie",
    "malware-protection.guardduty": "AmazonGuardDutyMalwareProtection",
    "organizations": "Organizations",
    "route53resolver": "Route53Resolver",
    "securityhub": "SecurityHub",
    "sso": "SSO",
    "wafv2": "WAFV2Logging",
}


def linked_role(principal: str) -> str | None:
    """The name of the service's linked role, where it is known."""
    name = LINKED_ROLES.get(principal.removesuffix(".amazonaws.com"))
    return f"AWSServiceRoleFor{name}" if name else None


def iam_action(call: Call) -> str:
    """The permission that the call needs, such as `s3:GetEncryptionConfiguration`."""
    operation = call.operation or "Unknown"
    if call.service == "s3":
        operation = S3_ACTIONS.get(operation, operation)
    elif call.service == "s3control":
        operation = S3_CONTROL_ACTIONS.get(operation, operation)
    return f"{PREFIXES.get(call.service or '', call.service)}:{operation}"


def caller_arn(call: Call) -> str:
    """The caller as GetCallerIdentity names it."""
    if call.access_key in root_keys:
        return root_keys[call.access_key]
    from moto.sts.models import sts_backends

    role = sts_backends[call.account][call.partition].get_assumed_role_from_access_key(call.access_key or "")
    if role:
        return role.arn
    from moto.iam.models import iam_backends

    user = iam_backends[call.account][call.partition].get_user_from_access_key_id(call.access_key or "")
    return user.arn if user else f"arn:{call.partition}:iam::{call.account}:user/evenkeel-test"


def access_denied_message(call: Call) -> str:
    """What AWS says when no policy of the caller allows the call."""
    action = iam_action(call)
    return (
        f"User: {caller_arn(call)} is not authorized to perform: {action} on resource: {resource_of(call)} "
        f"because no identity-based policy allows the {action} action"
    )


def resource_of(call: Call) -> str:
    """The resource as an error message names it; `*` where the input has no name of one."""
    params = call.params
    if call.service == "s3" and params.get("Bucket"):
        return f"arn:{call.partition}:s3:::{params['Bucket']}"
    if call.service == "iam" and params.get("RoleName"):
        return f"arn:{call.partition}:iam::{call.account}:role/{params['RoleName']}"
    if call.service == "kms" and params.get("KeyId", "").startswith("arn:"):
        return params["KeyId"]
    return "*"
