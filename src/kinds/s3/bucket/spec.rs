//! What a baseline declares of a bucket.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encryption::{EncryptionType, SseAlgorithm};
use super::lifecycle::{MinimumObjectSize, Rule};
use super::logging::LogKeyFormat;
use super::object_lock::ObjectLockMode;
use super::ownership::ObjectOwnership;
use super::public_access_block::PublicAccessBlock;
use super::versioning::Versioning;
use crate::kinds::spec::aws_enum;
use crate::names::AccountId;

/// A bucket of your own, above all for logs: who may write to it, how it is encrypted, and how long
/// things are kept.
///
/// The bucket policy follows from `services`, `require_tls`, `min_tls_version` and
/// `extra_policy_statements`: these statements are merged into the policy that is there. Whatever
/// else the policy says stays. Replaced are only former versions: of an extra statement, the one
/// that has its `Sid`, whoever wrote it; of evenkeel's own, the one that differs in resources and in
/// the values of conditions alone. A statement without a `Sid` gets one. What a service loses by that
/// stays, under a `Sid` that begins with `EvenkeelFormer`, until whatever the plan leads elsewhere has gone
/// there; across accounts nobody waits for anybody, so that a prefix of theirs moves in two steps.
///
/// What S3 keeps of a setting and a baseline does not declare, such as who may read the access
/// log's files (`TargetGrants`), is sent back as it was with every write.
///
/// Services may write log files under `AWSLogs/` (GuardDuty, Macie and S3's access logs: anywhere), or
/// below the prefixes that `service_prefixes` names. evenkeel never deletes a bucket. A name that another
/// account has taken is reported as unknown.
///
/// Source: S3 API Reference, `CreateBucket` and the `PutBucket…` operations.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The bucket's name, 3 to 63 lower-case letters, digits, `.`, `-`; unique in the partition,
    /// except for names `…-<account>-<region>-an`, which belong to the account. Buckets of
    /// us-east-1 from before March 2018 may have up to 255 characters, capitals and `_`; no new
    /// ones are made with such names.
    #[schemars(length(min = 3, max = 255), regex(pattern = r"^[A-Za-z0-9._-]+$"))]
    pub bucket: String,
    /// The Region that the bucket is in; the home Region of the account by default. It cannot be
    /// changed.
    #[serde(default)]
    pub region: Option<String>,
    /// The AWS services that deliver logs to the bucket; each adds its statements to the policy. A
    /// statement of others that denies what they need is reported.
    #[serde(default)]
    pub services: Option<BTreeSet<Service>>,
    /// What stands before the names of a service's files, for services of `services` that deliver below a
    /// prefix: `{ cloudtrail = "trails" }` lets CloudTrail write below `trails/AWSLogs/` alone, as
    /// `s3_key_prefix` of the trail says. Without an end in `/`, but for `s3_access_logs`, whose files have
    /// the very text before their names. A service that is not named here delivers without a prefix.
    #[serde(default)]
    pub service_prefixes: Option<BTreeMap<Service, String>>,
    /// The accounts whose logs are delivered; the bucket's own by default.
    #[serde(default)]
    pub source_accounts: Option<BTreeSet<AccountId>>,
    /// The organization, `o-…`, whose trail is delivered here.
    #[serde(default)]
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"))]
    pub organization_id: Option<String>,
    /// How new objects are encrypted. AWS's default is `AES256`; S3 access logs and load balancers
    /// can write to such buckets only.
    #[serde(default)]
    pub sse_algorithm: Option<SseAlgorithm>,
    /// The KMS key, by ARN, id or alias; with `aws:kms` and `aws:kms:dsse` only. "" for AWS's own
    /// key, `aws/s3`, which services that deliver logs cannot use. Compared is the key itself, by
    /// whatever name. A key that cannot work (gone, disabled, asymmetric, of another Region …) is
    /// reported and not written. So is reported a key of this account whose policy does not let those of
    /// `services` use it that deliver with the bucket's key: Config, also where its channel names a key of
    /// its own, and what CloudWatch Logs delivers (VPC flow logs, WAF, Resolver); GuardDuty, which is
    /// denied other keys, only when this is the ARN of a key.
    #[serde(default)]
    pub kms_master_key_id: Option<String>,
    /// Whether a key of the bucket lowers the number of calls to KMS. AWS's default is false.
    #[serde(default)]
    pub bucket_key_enabled: Option<bool>,
    /// Encryption that writers may not ask for: `["SSE-C"]`, as AWS gives it to new buckets, or `["NONE"]` to allow
    /// everything.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub blocked_encryption_types: Option<BTreeSet<EncryptionType>>,
    /// Whether former versions of objects are kept. A new bucket has no versions at all.
    #[serde(default)]
    pub versioning: Option<Versioning>,
    /// Whether deleting a version needs MFA. Only the root user can change that: evenkeel reports.
    #[serde(default)]
    pub mfa_delete: Option<bool>,
    /// How strictly new objects are locked: in `GOVERNANCE` mode who has the permission may lift the
    /// lock, in `COMPLIANCE` mode nobody can. A bucket's object lock can never be turned off again.
    #[serde(default)]
    pub object_lock_mode: Option<ObjectLockMode>,
    /// For how many days, 1 or more; or `object_lock_years`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 36500))]
    pub object_lock_days: Option<u32>,
    /// For how many years, 1 or more; or `object_lock_days`.
    #[serde(default)]
    #[schemars(range(min = 1, max = 100))]
    pub object_lock_years: Option<u32>,
    /// All lifecycle rules; [] for none.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub lifecycle: Option<Vec<Rule>>,
    /// Which small objects lifecycle rules leave alone.
    #[serde(default)]
    pub transition_default_minimum_object_size: Option<MinimumObjectSize>,
    /// Who owns what others write. AWS's default is `BucketOwnerEnforced`, which turns ACLs off.
    #[serde(default)]
    pub object_ownership: Option<ObjectOwnership>,
    /// The four switches that keep the bucket from being public; all on in a new bucket.
    #[serde(default)]
    pub public_access_block: Option<PublicAccessBlock>,
    /// Whether requests without TLS are denied. With false, evenkeel takes away the statement that
    /// it would have put there, and reports any other that denies them.
    #[serde(default)]
    pub require_tls: Option<bool>,
    /// The oldest TLS version that is not denied: "1.2" or "1.3". Statements of others that deny
    /// more are reported.
    #[serde(default)]
    pub min_tls_version: Option<TlsVersion>,
    /// The bucket that the access log goes to, in the same Region and account; "" for none.
    #[serde(default)]
    pub access_log_bucket: Option<String>,
    /// What stands before the names of access log files; "" for nothing.
    #[serde(default)]
    pub access_log_prefix: Option<String>,
    /// How access log files are named: `SimplePrefix`, AWS's default, or in folders by the date of
    /// the event or of the delivery.
    #[serde(default)]
    pub access_log_key_format: Option<LogKeyFormat>,
    /// More statements that the bucket policy must have, in AWS's own shape. A `Sid` is the name by
    /// which a former version of a statement is known and replaced; under a new name it is a new
    /// statement, and the old one stays. One without a `Sid` is written under a name made of what it
    /// says, by which it is taken away again when it is not declared any more.
    #[serde(default)]
    pub extra_policy_statements: Option<Vec<BTreeMap<String, Value>>>,
    /// Whether it is a finding when the bucket policy lets somebody outside of the account in:
    /// another account, everybody, a provider of identities, or an AWS service on behalf of another
    /// account or of nobody in particular, or leaves it to the policies of access points. Statements that
    /// are declared here do not count. What copies objects elsewhere by settings of their own
    /// (replication, inventory) is not looked at.
    #[serde(default)]
    pub forbid_foreign_access: Option<bool>,
    /// All tags of the bucket, up to 50; tags of AWS's own (`aws:…`) do not count.
    #[serde(default)]
    pub tags: Option<BTreeMap<String, String>>,
    /// Always true: evenkeel deletes no bucket. For those who want to read it in the baseline.
    #[serde(default)]
    pub prevent_destroy: Option<bool>,
}

impl Spec {
    /// The declared key, unless it is AWS's own.
    pub fn key(&self) -> Option<&str> {
        self.kms_master_key_id.as_deref().filter(|key| !key.is_empty())
    }
}

/// A service that delivers logs.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Service {
    /// AWS CloudTrail.
    Cloudtrail,
    /// AWS Config.
    Config,
    /// VPC flow logs.
    VpcFlowLogs,
    /// Findings of Amazon GuardDuty.
    Guardduty,
    /// Access logs of S3.
    S3AccessLogs,
    /// Access logs of Elastic Load Balancing.
    Elb,
    /// Logs of AWS WAF.
    Waf,
    /// Query logs of Route 53 Resolver.
    Route53Resolver,
    /// Findings of Amazon Macie.
    Macie,
}

aws_enum! {
    /// A version of TLS.
    TlsVersion { V1_2 = "1.2", V1_3 = "1.3", }
}
