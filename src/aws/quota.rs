//! AWS's documented quotas of calls per second, for each account and Region.
//!
//! Sources: KMS Developer Guide, "Request quotas"; CloudTrail User Guide, "Quotas" (get, describe and
//! list calls together, and all others, neither of which can be raised); CloudWatch Logs User Guide,
//! "CloudWatch Logs quotas" (raised in some Regions since); CloudWatch User Guide, "CloudWatch service
//! quotas"; SNS API Reference, `TagResource`, `ListTopics`, `ListSubscriptionsByTopic`; Security Hub API
//! Reference, "Welcome"; SQS Developer Guide, "Amazon SQS message quotas" (300 a second for each action on
//! a FIFO queue; a standard queue takes nearly any number).

use super::permission::Call;

/// The least that may be made at once after a pause: a thing that is made takes a few calls.
pub const LEAST_BURST: f64 = 5.0;

/// A documented quota.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quota {
    /// What it counts: an operation, or some that count together.
    pub group: &'static str,
    /// Calls per second.
    pub per_second: f64,
}

/// The quota that counts a call, where AWS documents one.
pub fn of(call: Call) -> Option<Quota> {
    let quota = |group, per_second| Some(Quota { group, per_second });
    match (call.service, call.operation) {
        ("kms", "DescribeKey" | "ListResourceTags") => quota(call.operation, 2000.0),
        ("kms", "GetKeyPolicy" | "GetKeyRotationStatus") => quota(call.operation, 1000.0),
        ("kms", "ListGrants") => quota(call.operation, 100.0),
        ("kms", "ListAliases" | "ListKeys") => quota(call.operation, 500.0),
        ("kms", "PutKeyPolicy" | "EnableKeyRotation" | "ScheduleKeyDeletion" | "DeleteAlias") => {
            quota(call.operation, 15.0)
        }
        ("kms", "TagResource") => quota(call.operation, 10.0),
        (
            "kms",
            "CreateKey"
            | "CreateAlias"
            | "UpdateAlias"
            | "EnableKey"
            | "DisableKey"
            | "DisableKeyRotation"
            | "CancelKeyDeletion"
            | "UntagResource"
            | "UpdateKeyDescription",
        ) => quota(call.operation, 5.0),
        ("cloudtrail", _) if call.is_read() => quota("get, describe and list", 10.0),
        ("cloudtrail", _) => quota("all other", 1.0),
        (
            "logs",
            "DescribeLogGroups"
            | "CreateLogGroup"
            | "DescribeMetricFilters"
            | "PutMetricFilter"
            | "DeleteMetricFilter",
        ) => quota(call.operation, 5.0),
        ("cloudwatch", "DescribeAlarms") => quota(call.operation, 9.0),
        ("cloudwatch", "PutMetricAlarm" | "DeleteAlarms") => quota(call.operation, 3.0),
        ("sns", "TagResource" | "UntagResource") => quota("tagging", 10.0),
        ("sns", "ListTopics" | "ListSubscriptions" | "ListSubscriptionsByTopic") => {
            quota(call.operation, 30.0)
        }
        ("sns", "Subscribe") => quota(call.operation, 100.0),
        ("sqs", "ReceiveMessage" | "DeleteMessageBatch" | "ChangeMessageVisibilityBatch") => {
            quota(call.operation, 300.0)
        }
        ("securityhub", "BatchEnableStandards" | "UpdateStandardsControl") => {
            quota(call.operation, 1.0)
        }
        ("securityhub", "GetFindings") => quota(call.operation, 3.0),
        ("securityhub", _) => quota(call.operation, 10.0),
        _ => None,
    }
}
