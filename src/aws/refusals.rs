//! What helps against the refusals that AWS has words of its own for.
//!
//! Sources: the errors of each operation in the API References of CloudTrail, AWS Config, CloudWatch
//! Logs, EC2, EventBridge, IAM, KMS and S3.

/// Codes, each with what the reader should do next.
const REFUSALS: &[(&[&str], &str)] = &[
    (
        &["MalformedPolicyDocument", "MalformedPolicyDocumentException", "MalformedPolicy"],
        "AWS does not take the policy; mostly, a role, user or account that it names is not there (any more): check these in the baseline, then run again",
    ),
    (
        &["InvalidTargetBucketForLogging"],
        "the bucket that takes the access logs must be of the same account and Region, and let logging.s3.amazonaws.com write: declare it with services = [\"s3_access_logs\"], then run again",
    ),
    (
        &["InvalidBucketAclWithObjectOwnership"],
        "the bucket's ACL gives others access: let them in by the bucket policy, make the ACL private (aws s3api put-bucket-acl --acl private), then run again",
    ),
    (
        &["InvalidBucketState"],
        "another setting of the bucket stands in the way, mostly versioning: object lock and replication need it, and it cannot be suspended with them; correct the baseline",
    ),
    (
        &["BucketAlreadyExists"],
        "bucket names are shared by all of AWS, and another account has this one: choose another name, such as one with ${account.id}",
    ),
    (
        &["InsufficientS3BucketPolicyException", "InsufficientDeliveryPolicyException"],
        "the bucket's policy does not let the service deliver: declare the bucket with services = [\"cloudtrail\", \"config\"], or let whoever owns it allow the service; a policy that was just written needs a minute",
    ),
    (
        &["InsufficientEncryptionPolicyException"],
        "the key's policy does not let the service use it: declare the service in service_principals of the kms.key, or let whoever owns the key allow it",
    ),
    (
        &["InsufficientSnsTopicPolicyException"],
        "the topic's policy does not let CloudTrail publish: allow sns:Publish to cloudtrail.amazonaws.com there, then run again",
    ),
    (
        &["InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsLogGroupArnException"],
        "the role must let cloudtrail.amazonaws.com assume it and write to the log group, whose ARN ends with :*; a role that was just made needs a minute",
    ),
    (
        &["KMSInvalidStateException", "KmsKeyDisabledException", "DisabledException"],
        "the key is disabled, about to be deleted or still being made: put it right, or declare another; then run again",
    ),
    (
        &["InvalidPermission.Duplicate", "EntityAlreadyExists", "AlreadyExistsException"],
        "somebody made the same meanwhile: make a new plan, which starts from what is there",
    ),
    (
        &["InvalidEventPatternException"],
        "AWS does not take the event pattern: try it with aws events test-event-pattern, correct it in the baseline, then run again",
    ),
    (&["DeleteConflict"], "something still uses it: take that away first, then run again"),
    (
        &["InvalidAccessException"],
        "Security Hub has this answer for two things: allow the action to the identity that evenkeel uses (`evenkeel policy`) where nothing of it is missing, in a service control policy too; or turn Security Hub on here (securityhub.hub; for a call that ends with V2, aws securityhub enable-security-hub-v2)",
    ),
    (
        &["NoAvailableConfigurationRecorderException", "NoAvailableDeliveryChannelException"],
        "Config has no recorder or delivery channel here: declare both in one config.recorder, then run again",
    ),
];

/// What helps against a code of AWS's; nothing where the code alone does not say it.
pub fn remedy(code: &str, operation: &str) -> Option<&'static str> {
    if code == "InvalidParameterException" && operation == "AssociateKmsKey" {
        return Some(
            "CloudWatch Logs cannot use the key: it must be symmetric, enabled and of this Region, and its policy must let logs.REGION.amazonaws.com use it (service_principals of the kms.key)",
        );
    }
    REFUSALS.iter().find(|(codes, _)| codes.contains(&code)).map(|(_, remedy)| *remedy)
}
