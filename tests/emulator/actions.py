"""Which permission of IAM an operation asks for, where that is not `service:Operation`.

From the Service Authorization Reference: the prefixes of services, "Actions, resources, and condition keys for Amazon
S3", and the notes of the other services. What an operation asks for besides is said by `access.py`.
"""

from emulator.wire import SIGNING_NAMES, Call

PREFIXES = {
    "accessanalyzer": "access-analyzer",
    "cloudcontrol": "cloudformation",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "opensearch": "es",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "sso-admin": "sso",
    "stepfunctions": "states",
    "service-quotas": "servicequotas",
}

# Kinds of S3's settings whose permission is that of the kind, without "Bucket" and for reads, lists and deletes alike.
_KINDS = ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
S3 = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateBucketMetadataConfiguration": "CreateBucketMetadataTableConfiguration",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketMetadataConfiguration": "DeleteBucketMetadataTableConfiguration",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketMetadataConfiguration": "GetBucketMetadataTableConfiguration",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
S3 |= {f"GetBucket{kind}Configuration": f"Get{kind}Configuration" for kind in _KINDS}
S3 |= {f"ListBucket{kind}Configurations": f"Get{kind}Configuration" for kind in _KINDS}
S3 |= {f"{verb}Bucket{kind}Configuration": f"Put{kind}Configuration" for kind in _KINDS for verb in ("Put", "Delete")}
# Of a version that is named, the permission is one for versions.
OF_VERSIONS = {
    "DeleteObject": "DeleteObjectVersion",
    "DeleteObjectTagging": "DeleteObjectVersionTagging",
    "GetObject": "GetObjectVersion",
    "GetObjectAcl": "GetObjectVersionAcl",
    "GetObjectAttributes": "GetObjectVersionAttributes",
    "GetObjectTagging": "GetObjectVersionTagging",
    "HeadObject": "GetObjectVersion",
    "PutObjectAcl": "PutObjectVersionAcl",
    "PutObjectTagging": "PutObjectVersionTagging",
}
ACTIONS = {
    "accessanalyzer": {"GetFindingV2": "GetFinding", "ListFindingsV2": "ListFindings"},
    "cloudfront": {"CreateDistributionWithTags": "CreateDistribution"},
    "detective": {"ListOrganizationAdminAccounts": "ListOrganizationAdminAccount"},
    "kms": {"ReEncrypt": "ReEncryptFrom"},
    "lambda": {
        "GetLayerVersionByArn": "GetLayerVersion",
        "Invoke": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
    },
    "s3": S3,
    "s3control": {
        "DeleteBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeletePublicAccessBlock": "PutAccountPublicAccessBlock",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetBucketReplication": "GetReplicationConfiguration",
        "GetPublicAccessBlock": "GetAccountPublicAccessBlock",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "PutBucketReplication": "PutReplicationConfiguration",
        "PutPublicAccessBlock": "PutAccountPublicAccessBlock",
    },
    "sns": {"PublishBatch": "Publish"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
}


def iam_action(call: Call) -> str:
    """The permission that the call needs, such as `s3:GetEncryptionConfiguration`."""
    service, operation = call.service or "", call.operation or "Unknown"
    prefix = PREFIXES.get(service) or service
    if service not in PREFIXES and call.signing and SIGNING_NAMES.get(call.signing, call.signing) != service:
        # Services that are found by another name in the signature have that name in policies, too.
        prefix = call.signing
    # What API Gateway asks for are the methods of HTTP, on paths.
    if service == "apigateway":
        return f"{prefix}:{call.method}"
    if service == "s3" and operation in OF_VERSIONS and call.params.get("VersionId"):
        return f"{prefix}:{OF_VERSIONS[operation]}"
    return f"{prefix}:{ACTIONS.get(service, {}).get(operation, operation)}"
