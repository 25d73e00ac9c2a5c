//! What a baseline declares of a bucket, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lifecycle::{Lifecycle, MinimumObjectSize, Rule};
use crate::kinds::spec::aws_enum;
use crate::names::AccountId;

/// A bucket of your own, above all for logs: who may write to it, how it is encrypted, and how long
/// things are kept.
///
/// The bucket policy follows from `services`, `require_tls`, `min_tls_version` and
/// `extra_policy_statements`: these statements are merged into the policy that is there. Whatever
/// else the policy says stays, also under the same `Sid`. Replaced are only former versions: of an
/// extra statement, the one that has its `Sid`; of evenkeel's own, the one that differs in resources
/// and in the values of conditions alone. A statement without a `Sid` gets one.
///
/// What S3 keeps of a setting and a baseline does not declare, such as who may read the access
/// log's files (`TargetGrants`), is sent back as it was with every write.
///
/// Log files are expected under `AWSLogs/`; for a prefix of your own add a statement. evenkeel never
/// deletes a bucket. A name that another account has taken is reported as unknown.
///
/// Source: S3 API Reference, `CreateBucket` and the `PutBucket…` operations.
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
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The AWS services that deliver logs to the bucket; each adds its statements to the policy. A
    /// statement of others that denies what they need is reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<BTreeSet<Service>>,
    /// The accounts whose logs are delivered; the bucket's own by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_accounts: Option<BTreeSet<AccountId>>,
    /// The organization, `o-…`, whose trail is delivered here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"))]
    pub organization_id: Option<String>,
    /// How new objects are encrypted. AWS's default is `AES256`; S3 access logs and load balancers
    /// can write to such buckets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sse_algorithm: Option<SseAlgorithm>,
    /// The KMS key, by ARN, id or alias; with `aws:kms` and `aws:kms:dsse` only. "" for AWS's own
    /// key, `aws/s3`, which services that deliver logs cannot use. Compared is the key itself, by
    /// whatever name; a key that is gone or disabled is reported. GuardDuty is denied other keys
    /// only when this is the ARN of a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_master_key_id: Option<String>,
    /// Whether a key of the bucket lowers the number of calls to KMS. AWS's default is false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bucket_key_enabled: Option<bool>,
    /// Encryption that writers may not ask for: `["SSE-C"]`, or `["NONE"]` to allow everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub blocked_encryption_types: Option<BTreeSet<EncryptionType>>,
    /// Whether former versions of objects are kept. A new bucket has no versions at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub versioning: Option<Versioning>,
    /// Whether deleting a version needs MFA. Only the root user can change that: evenkeel reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mfa_delete: Option<bool>,
    /// How strictly new objects are locked: in `GOVERNANCE` mode who has the permission may lift the
    /// lock, in `COMPLIANCE` mode nobody can. A bucket's object lock can never be turned off again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_lock_mode: Option<ObjectLockMode>,
    /// For how many days, 1 or more; or `object_lock_years`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 36500))]
    pub object_lock_days: Option<u32>,
    /// For how many years, 1 or more; or `object_lock_days`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub object_lock_years: Option<u32>,
    /// All lifecycle rules; [] for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 1000))]
    pub lifecycle: Option<Vec<Rule>>,
    /// Which small objects lifecycle rules leave alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transition_default_minimum_object_size: Option<MinimumObjectSize>,
    /// Who owns what others write. AWS's default is `BucketOwnerEnforced`, which turns ACLs off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object_ownership: Option<ObjectOwnership>,
    /// The four switches that keep the bucket from being public; all on in a new bucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_access_block: Option<PublicAccessBlock>,
    /// Whether requests without TLS are denied. With false, evenkeel takes away the statement that
    /// it would have put there, and reports any other that denies them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_tls: Option<bool>,
    /// The oldest TLS version that is not denied: "1.2" or "1.3". Statements of others that deny
    /// more are reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_tls_version: Option<TlsVersion>,
    /// The bucket that the access log goes to, in the same Region and account; "" for none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log_bucket: Option<String>,
    /// What stands before the names of access log files; "" for nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log_prefix: Option<String>,
    /// How access log files are named: `SimplePrefix`, AWS's default, or in folders by the date of
    /// the event or of the delivery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_log_key_format: Option<LogKeyFormat>,
    /// More statements that the bucket policy must have, in AWS's own shape. Each is best given a
    /// `Sid`, by which a former version of it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra_policy_statements: Option<Vec<BTreeMap<String, Value>>>,
    /// Whether it is a finding when the bucket policy lets somebody outside of the account in:
    /// another account, everybody, a provider of identities, or an AWS service on behalf of another
    /// account or of nobody in particular. Statements that are declared here do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forbid_foreign_access: Option<bool>,
    /// All tags of the bucket, up to 50; tags of AWS's own (`aws:…`) do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags: Option<BTreeMap<String, String>>,
    /// Always true: evenkeel deletes no bucket. For those who want to read it in the baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prevent_destroy: Option<bool>,
}

impl Spec {
    /// Whether anything is declared of the bucket policy.
    pub fn has_policy(&self) -> bool {
        self.services.is_some()
            || self.require_tls.is_some()
            || self.min_tls_version.is_some()
            || self.extra_policy_statements.is_some()
    }

    /// Whether the bucket policy must be read.
    pub fn looks_at_policy(&self) -> bool {
        self.has_policy() || self.forbid_foreign_access == Some(true)
    }

    /// Whether evenkeel may take away the only statement of the bucket policy: it puts none there
    /// itself.
    pub fn may_empty_policy(&self) -> bool {
        self.require_tls == Some(false)
            && self.min_tls_version.is_none()
            && self.services.as_ref().is_none_or(BTreeSet::is_empty)
            && self.extra_policy_statements.as_ref().is_none_or(Vec::is_empty)
    }

    /// Whether anything is declared of the default encryption.
    pub fn has_encryption(&self) -> bool {
        self.sse_algorithm.is_some()
            || self.kms_master_key_id.is_some()
            || self.bucket_key_enabled.is_some()
            || self.blocked_encryption_types.is_some()
    }

    /// The declared key, unless it is AWS's own.
    pub fn key(&self) -> Option<&str> {
        self.kms_master_key_id.as_deref().filter(|key| !key.is_empty())
    }

    /// Whether anything is declared of versions.
    pub fn has_versioning(&self) -> bool {
        self.versioning.is_some() || self.mfa_delete.is_some()
    }

    /// Whether anything is declared of the object lock.
    pub fn has_object_lock(&self) -> bool {
        self.object_lock_mode.is_some()
    }

    /// Whether anything is declared of the lifecycle.
    pub fn has_lifecycle(&self) -> bool {
        self.lifecycle.is_some() || self.transition_default_minimum_object_size.is_some()
    }

    /// Whether a declared rule deletes something, so that it matters whether anything is there.
    pub fn may_delete(&self) -> bool {
        self.lifecycle.iter().flatten().any(Rule::deletes)
    }

    /// Whether anything is declared of the access log.
    pub fn has_logging(&self) -> bool {
        self.access_log_bucket.is_some()
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
    /// How objects are encrypted.
    SseAlgorithm { Aes256 = "AES256", Kms = "aws:kms", KmsDsse = "aws:kms:dsse", }
}

aws_enum! {
    /// Encryption that writers may not ask for.
    EncryptionType { SseC = "SSE-C", None = "NONE", }
}

aws_enum! {
    /// Whether former versions are kept.
    Versioning { Enabled = "Enabled", Suspended = "Suspended", }
}

aws_enum! {
    /// How strictly objects are locked.
    ObjectLockMode { Governance = "GOVERNANCE", Compliance = "COMPLIANCE", }
}

aws_enum! {
    /// Who owns objects.
    ObjectOwnership {
        BucketOwnerEnforced = "BucketOwnerEnforced",
        BucketOwnerPreferred = "BucketOwnerPreferred",
        ObjectWriter = "ObjectWriter",
    }
}

aws_enum! {
    /// How access log files are named.
    LogKeyFormat {
        SimplePrefix = "SimplePrefix",
        EventTime = "EventTime",
        DeliveryTime = "DeliveryTime",
    }
}

aws_enum! {
    /// Who may do what with the files of an access log.
    LogPermission { FullControl = "FULL_CONTROL", Read = "READ", Write = "WRITE", }
}

aws_enum! {
    /// What a grantee is.
    GranteeType {
        CanonicalUser = "CanonicalUser",
        AmazonCustomerByEmail = "AmazonCustomerByEmail",
        Group = "Group",
    }
}

aws_enum! {
    /// A version of TLS.
    TlsVersion { V1_2 = "1.2", V1_3 = "1.3", }
}

/// The four switches that keep a bucket from being public.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublicAccessBlock {
    /// Whether new public ACLs are refused.
    pub block_public_acls: bool,
    /// Whether public ACLs have no effect.
    pub ignore_public_acls: bool,
    /// Whether new public policies are refused.
    pub block_public_policy: bool,
    /// Whether a public policy is open to the account and AWS services alone.
    pub restrict_public_buckets: bool,
}

/// A bucket as observed. What the spec does not declare, and what is not set, is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// Its Region.
    pub region: String,
    /// The policy as AWS returned it.
    pub policy: Option<String>,
    /// Its default encryption.
    pub encryption: Option<Encryption>,
    /// What the key of its default encryption is, when a key is declared.
    pub key: Option<Key>,
    /// What the declared key is; absent when KMS has none of that name.
    pub declared_key: Option<Key>,
    /// Whether versions are kept; absent when they never were.
    pub versioning: Option<Versioning>,
    /// Whether deleting a version needs MFA.
    pub mfa_delete: bool,
    /// Its object lock.
    pub object_lock: Option<ObjectLock>,
    /// Its lifecycle rules.
    pub lifecycle: Option<Lifecycle>,
    /// Whether nothing is in it, no former version either, so that no rule can delete anything. Only
    /// looked at when new rules would.
    pub is_empty: bool,
    /// Who owns its objects.
    pub object_ownership: Option<ObjectOwnership>,
    /// Its four switches.
    pub public_access_block: Option<PublicAccessBlock>,
    /// Where its access log goes.
    pub logging: Option<Logging>,
    /// Its tags, without AWS's own.
    pub tags: BTreeMap<String, String>,
    /// AWS's own tags, which a write must carry.
    pub system_tags: BTreeMap<String, String>,
}

/// The default encryption of a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Encryption {
    /// As in [`Spec`].
    pub sse_algorithm: SseAlgorithm,
    /// As in [`Spec`]; absent for AWS's own key.
    pub kms_master_key_id: Option<String>,
    /// As in [`Spec`].
    pub bucket_key_enabled: bool,
    /// As in [`Spec`].
    pub blocked_encryption_types: BTreeSet<EncryptionType>,
}

/// A KMS key, whatever it was called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its ARN.
    pub arn: String,
    /// `Enabled`, `Disabled`, `PendingDeletion` …
    pub state: String,
    /// `SYMMETRIC_DEFAULT`, the only one that S3 encrypts with, `RSA_2048` …
    pub spec: String,
    /// Whether it is AWS's own, `aws/s3`.
    pub is_of_aws: bool,
}

/// The object lock of a bucket, which once there stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectLock {
    /// As in [`Spec`]; absent when new objects are not locked.
    pub mode: Option<ObjectLockMode>,
    /// As in [`Spec`].
    pub days: Option<u32>,
    /// As in [`Spec`].
    pub years: Option<u32>,
    /// For how long objects are held at least after an event, which cannot be declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_hold: Option<EventHold>,
}

/// A period of `DefaultEventHold`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventHold {
    /// Days.
    pub days: Option<u32>,
    /// Years.
    pub years: Option<u32>,
}

/// Where an access log goes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The bucket.
    pub bucket: String,
    /// What stands before the names of its files.
    pub prefix: String,
    /// How its files are named; absent when S3 names no format, which is `SimplePrefix`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_format: Option<LogKeyFormat>,
    /// Who may read its files, which cannot be declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<LogGrant>,
}

/// Who may do what with the files of an access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGrant {
    /// What the grantee is.
    pub grantee_type: GranteeType,
    /// The canonical id of an account.
    pub id: Option<String>,
    /// Its name, which S3 gives in old answers.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email_address: Option<String>,
    /// The URI of a group.
    pub uri: Option<String>,
    /// What is granted.
    pub permission: LogPermission,
}

/// The writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The bucket.
    pub bucket: String,
    /// Its Region.
    pub region: String,
    /// What to do.
    pub step: Step,
}

/// What to do with a bucket. Each replaces one part of its settings whole.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes the bucket.
    Create {
        /// Whether objects can be locked.
        object_lock: bool,
    },
    /// Sets the four switches; `None` takes them away.
    PutPublicAccessBlock(Option<PublicAccessBlock>),
    /// Sets who owns objects; `None` goes back to AWS's oldest default.
    PutOwnership(Option<ObjectOwnership>),
    /// Sets the default encryption; `None` goes back to AWS's default.
    PutEncryption(Option<Encryption>),
    /// Sets whether versions are kept.
    PutVersioning(Versioning),
    /// Sets the policy; `None` deletes it.
    PutPolicy(Option<String>),
    /// Sets the lifecycle rules; without rules, deletes them.
    PutLifecycle(Lifecycle),
    /// Sets how new objects are locked.
    PutObjectLock(ObjectLock),
    /// Sets where the access log goes; `None` turns it off.
    PutLogging(Option<Logging>),
    /// Sets all tags, AWS's own among them.
    PutTags(BTreeMap<String, String>),
}
