//! From an API operation to the IAM action that allows it, and to the event that tells of it.
//!
//! The three have the same name except where these tables say otherwise. Source: the Service
//! Authorization Reference, "Actions defined by Amazon S3"; Amazon S3 User Guide, "Amazon S3
//! CloudTrail events"; and the API pages of the operations.

use std::borrow::Cow;
use std::fmt;

/// An operation of an AWS API, as its model names it: `s3` `GetBucketEncryption`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Call {
    /// The service, as the SDK and botocore name it; permissions and events may have another name for it.
    pub service: &'static str,
    /// The operation.
    pub operation: &'static str,
}

/// Lists the Regions that an account can use.
pub const DESCRIBE_REGIONS: Call = Call::new("ec2", "DescribeRegions");

impl Call {
    /// Names an operation.
    pub const fn new(service: &'static str, operation: &'static str) -> Self {
        Self { service, operation }
    }

    /// Whether it reads and changes nothing, as AWS names its operations.
    pub fn is_read(&self) -> bool {
        ["BatchGet", "Describe", "Get", "Head", "List"]
            .iter()
            .any(|verb| self.operation.starts_with(verb))
    }

    /// The IAM action that a principal needs for this call.
    pub fn iam_action(&self) -> Cow<'static, str> {
        iam_action(self.service, self.operation)
    }

    /// The CloudTrail event that tells of this call, `source:name`.
    pub fn event(&self) -> String {
        let source = match self.service {
            // CloudWatch User Guide, "Logging CloudWatch API and console operations with AWS CloudTrail".
            "cloudwatch" => "monitoring",
            other => prefix(other),
        };
        format!("{source}.amazonaws.com:{}", event_name(self))
    }
}

impl fmt::Display for Call {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}", self.service, self.operation)
    }
}

/// The IAM action for an operation of a service.
pub fn iam_action(service: &str, operation: &str) -> Cow<'static, str> {
    let exception = match (service, operation) {
        ("s3", "ListBuckets") => "s3:ListAllMyBuckets",
        ("s3", "HeadBucket" | "ListObjects" | "ListObjectsV2") => "s3:ListBucket",
        ("s3", "ListObjectVersions") => "s3:ListBucketVersions",
        ("s3", "GetBucketEncryption") => "s3:GetEncryptionConfiguration",
        ("s3", "PutBucketEncryption" | "DeleteBucketEncryption") => "s3:PutEncryptionConfiguration",
        ("s3", "GetPublicAccessBlock") => "s3:GetBucketPublicAccessBlock",
        ("s3", "PutPublicAccessBlock" | "DeletePublicAccessBlock") => {
            "s3:PutBucketPublicAccessBlock"
        }
        ("s3", "GetBucketLifecycleConfiguration") => "s3:GetLifecycleConfiguration",
        ("s3", "PutBucketLifecycleConfiguration" | "DeleteBucketLifecycle") => {
            "s3:PutLifecycleConfiguration"
        }
        ("s3", "GetObjectLockConfiguration") => "s3:GetBucketObjectLockConfiguration",
        ("s3", "PutObjectLockConfiguration") => "s3:PutBucketObjectLockConfiguration",
        ("s3", "DeleteBucketOwnershipControls") => "s3:PutBucketOwnershipControls",
        ("s3", "DeleteBucketTagging") => "s3:PutBucketTagging",
        ("s3", "GetBucketReplication") => "s3:GetReplicationConfiguration",
        ("s3control", "GetPublicAccessBlock") => "s3:GetAccountPublicAccessBlock",
        ("s3control", "PutPublicAccessBlock" | "DeletePublicAccessBlock") => {
            "s3:PutAccountPublicAccessBlock"
        }
        ("resourcegroupstaggingapi", "GetResources") => "tag:GetResources",
        _ => return Cow::Owned(format!("{}:{operation}", prefix(service))),
    };
    Cow::Borrowed(exception)
}

/// The name of a service in permissions and events, where it is another one.
fn prefix(service: &str) -> &str {
    match service {
        "accessanalyzer" => "access-analyzer",
        "s3control" => "s3",
        other => other,
    }
}

fn event_name(call: &Call) -> &'static str {
    match (call.service, call.operation) {
        ("s3", "PutPublicAccessBlock") => "PutBucketPublicAccessBlock",
        ("s3", "DeletePublicAccessBlock") => "DeleteBucketPublicAccessBlock",
        ("s3", "PutBucketLifecycleConfiguration") => "PutBucketLifecycle",
        ("s3", "PutObjectLockConfiguration") => "PutBucketObjectLockConfiguration",
        ("s3control", "PutPublicAccessBlock") => "PutAccountPublicAccessBlock",
        ("s3control", "DeletePublicAccessBlock") => "DeleteAccountPublicAccessBlock",
        (_, operation) => operation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_actions_are_called_like_their_operation() {
        assert_eq!(Call::new("iam", "GetRole").iam_action(), "iam:GetRole");
    }

    #[test]
    fn events_of_cloudwatch_come_from_its_endpoint() {
        let put = Call::new("cloudwatch", "PutMetricAlarm");
        assert_eq!(put.iam_action(), "cloudwatch:PutMetricAlarm");
        assert_eq!(put.event(), "monitoring.amazonaws.com:PutMetricAlarm");
    }

    #[test]
    fn s3_goes_its_own_way() {
        assert_eq!(Call::new("s3", "HeadBucket").iam_action(), "s3:ListBucket");
        assert_eq!(
            Call::new("s3control", "DeletePublicAccessBlock").iam_action(),
            "s3:PutAccountPublicAccessBlock"
        );
    }
}
