"""What CloudTrail calls services and operations, where their events appear, and what is a read.

Sources: "CloudTrail record contents" (eventSource), "Amazon S3 CloudTrail events" (names of S3), "Logging AWS Lambda
API calls", the guides of the global services. An operation that is not named here has its own name.
"""

import functools
from typing import Any

# Where eventSource is not the endpoint's name.
SOURCES = {"s3control": "s3", "ses": "ses", "sso-admin": "sso"}

# (service, operation) to the name in the record.
EVENT_NAMES = {
    ("s3", "PutBucketLifecycleConfiguration"): "PutBucketLifecycle",
    ("s3", "GetBucketLifecycleConfiguration"): "GetBucketLifecycle",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "DeletePublicAccessBlock"): "DeleteBucketPublicAccessBlock",
    ("s3", "PutObjectLockConfiguration"): "PutBucketObjectLockConfiguration",
    ("s3", "GetObjectLockConfiguration"): "GetBucketObjectLockConfiguration",
    ("s3", "PutBucketNotificationConfiguration"): "PutBucketNotification",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3control", "PutPublicAccessBlock"): "PutAccountPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
    ("s3control", "DeletePublicAccessBlock"): "DeleteAccountPublicAccessBlock",
    ("lambda", "CreateFunction"): "CreateFunction20150331",
    ("lambda", "DeleteFunction"): "DeleteFunction20150331",
    ("lambda", "UpdateFunctionCode"): "UpdateFunctionCode20150331v2",
    ("lambda", "UpdateFunctionConfiguration"): "UpdateFunctionConfiguration20150331v2",
    ("lambda", "AddPermission"): "AddPermission20150331v2",
    ("lambda", "RemovePermission"): "RemovePermission20150331v2",
    ("lambda", "GetFunction"): "GetFunction20150331v2",
    ("lambda", "GetPolicy"): "GetPolicy20150331v2",
    ("lambda", "ListFunctions"): "ListFunctions20150331",
}

# Services whose events appear in the partition's leader Region alone, whatever endpoint was called.
GLOBAL = {"iam", "organizations", "account", "route53", "cloudfront", "shield"}
LEADERS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1"}
CHINA_NORTHWEST = {"organizations", "account", "route53", "cloudfront"}

# Calls on what is in a resource: data events, which no management event tells of.
DATA = {
    "sqs": {"SendMessage", "SendMessageBatch", "ReceiveMessage", "DeleteMessage", "DeleteMessageBatch"}
    | {"ChangeMessageVisibility", "ChangeMessageVisibilityBatch"},
    "sns": {"Publish", "PublishBatch"},
    "events": {"PutEvents"},
    "logs": {"PutLogEvents", "GetLogEvents", "FilterLogEvents"},
    "cloudwatch": {"PutMetricData", "GetMetricData", "GetMetricStatistics", "ListMetrics"},
    "lambda": {"Invoke", "InvokeAsync"},
    "dynamodb": {"GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "BatchGetItem", "BatchWriteItem"},
    "kinesis": {"PutRecord", "PutRecords", "GetRecords", "GetShardIterator"},
}

READS = ("Get", "List", "Describe", "Head", "Lookup", "Search", "BatchGet", "Simulate", "Validate", "Check", "Test")
# Reads by another name (readOnly is true in the examples of the guides of KMS and STS).
OTHER_READS = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot"}
OTHER_READS |= {"DecodeAuthorizationMessage", "Encrypt", "Decrypt", "ReEncrypt", "GenerateRandom"}
OTHER_READS |= {"GenerateDataKey", "GenerateDataKeyWithoutPlaintext"}
OTHER_READS |= {"Sign", "Verify", "GenerateMac", "VerifyMac", "GenerateCredentialReport"}


def event_source(call: Any) -> str:
    return f"{short_source(call.service)}.amazonaws.com"


@functools.cache
def short_source(service: str) -> str:
    """The service as `eventSource` begins, and as EventBridge's source `aws.…` ends."""
    from moto.core.utils import get_service_model

    return SOURCES.get(service) or get_service_model(service).metadata["endpointPrefix"].removeprefix("api.")


def event_name(call: Any) -> str:
    return EVENT_NAMES.get((call.service, call.operation), call.operation)


def event_region(call: Any) -> str:
    if call.service not in GLOBAL:
        return call.region
    if call.partition == "aws-cn" and call.service in CHINA_NORTHWEST:
        return "cn-northwest-1"
    return LEADERS.get(call.partition, call.region)


def is_read(operation: str) -> bool:
    return operation.startswith(READS) or operation in OTHER_READS


def is_management(call: Any) -> bool:
    if call.service == "s3":
        return "Key" not in call.params and call.operation not in (
            "ListObjects",
            "ListObjectsV2",
            "ListObjectVersions",
            "ListMultipartUploads",
            "DeleteObjects",
            "HeadBucket",
        )
    return call.operation not in DATA.get(call.service, ())


# The resource that a parameter names, for LookupEvents ("Supported resource types" of Config, as CloudTrail uses them).
RESOURCES = {
    ("s3", "bucketName"): "AWS::S3::Bucket",
    ("iam", "roleName"): "AWS::IAM::Role",
    ("iam", "userName"): "AWS::IAM::User",
    ("iam", "groupName"): "AWS::IAM::Group",
    ("iam", "policyArn"): "AWS::IAM::Policy",
    ("kms", "keyId"): "AWS::KMS::Key",
    ("kms", "targetKeyId"): "AWS::KMS::Key",
    ("kms", "aliasName"): "AWS::KMS::Alias",
    ("cloudtrail", "name"): "AWS::CloudTrail::Trail",
    ("cloudtrail", "trailName"): "AWS::CloudTrail::Trail",
    ("cloudtrail", "s3BucketName"): "AWS::S3::Bucket",
    ("ec2", "groupId"): "AWS::EC2::SecurityGroup",
    ("ec2", "vpcId"): "AWS::EC2::VPC",
    ("ec2", "subnetId"): "AWS::EC2::Subnet",
    ("ec2", "networkAclId"): "AWS::EC2::NetworkAcl",
    ("sns", "topicArn"): "AWS::SNS::Topic",
    ("events", "name"): "AWS::Events::Rule",
    ("events", "rule"): "AWS::Events::Rule",
    ("sts", "roleArn"): "AWS::IAM::Role",
}
