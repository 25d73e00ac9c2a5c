//! What a baseline declares of a KMS key, what is observed of it, and the writes.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grants::ForeignGrant;
use crate::kinds::spec::aws_enum;
use crate::policy_document::PolicyDocument;

/// A KMS key with its alias and its key policy.
///
/// A key has no name: the alias is what it is known by. A key that does not exist is made, marked
/// with the tags `evenkeel:alias` and `evenkeel:run`, and given its alias; should evenkeel be
/// stopped between the two, the next run finds the key by that mark. Which keys bear it, AWS's index of
/// tags says, whatever their policies: one that bears the mark of the alias and lets nobody look makes the
/// item unknown, and one that does not bear it stops nothing.
///
/// Tags can be set by anybody who may tag keys, so that a mark proves nothing: a marked key without
/// alias is adopted only by a disruptive change of its own, which says what is known of the key, and
/// only when its spec, usage, origin and multi-Region setting are the declared ones, or else AWS's
/// defaults. When the alias points to a key without the mark while another key bears it, somebody
/// moved the alias: nothing is written to either key, and the one change is `UpdateAlias`, which
/// puts it back. More keys with the mark are findings.
///
/// A marked key whose deletion is scheduled is still the key of its alias: with
/// `prevent_destroy = true` evenkeel cancels the deletion and gives it its alias back; otherwise
/// that is a finding. Whether the alias points to another key by then or to none, no key takes its
/// place in silence: a new one is made only with `prevent_destroy = false`.
///
/// The key policy is either declared as a whole with `policy`, or put together from
/// `key_administrators`, `key_users`, `service_principals` and `via_services`; the account itself
/// may then always administer the key through IAM policies, so that nobody is locked out.
/// evenkeel never deletes a key.
///
/// Source: KMS API Reference, `CreateKey`; KMS Developer Guide, "Default key policy".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The alias, `alias/` and up to 250 letters, digits, `/`, `_`, `-`; not `alias/aws/…`.
    #[schemars(length(max = 256), regex(pattern = r"^alias/[A-Za-z0-9/_-]+$"))]
    pub alias: String,
    /// What the key is for, up to 8192 characters.
    #[schemars(length(max = 8192))]
    pub description: Option<String>,
    /// The type of key material; cannot be changed. AWS's default is `SYMMETRIC_DEFAULT`.
    pub key_spec: Option<KeySpec>,
    /// What the key can be used for; cannot be changed. AWS's default is `ENCRYPT_DECRYPT`.
    pub key_usage: Option<KeyUsage>,
    /// Where the key material comes from; cannot be changed. AWS's default is `AWS_KMS`.
    pub origin: Option<Origin>,
    /// Whether the key can be replicated to other Regions; cannot be changed. AWS's default is
    /// false.
    pub multi_region: Option<bool>,
    /// The whole key policy, as a table or as JSON. Not together with the four lists below.
    pub policy: Option<PolicyDocument>,
    /// ARNs of those who may administer the key but not use it.
    pub key_administrators: Option<BTreeSet<String>>,
    /// ARNs of those who may encrypt and decrypt with the key, and let AWS services do so for them.
    pub key_users: Option<BTreeSet<String>>,
    /// AWS services that use the key for this account themselves: `cloudtrail.amazonaws.com`. For
    /// CloudWatch Logs, `logs.<region>.amazonaws.com`. `events.amazonaws.com` may also publish to the
    /// encrypted topics of this account.
    #[schemars(inner(regex(pattern = r"^[a-z0-9.-]+\.amazonaws\.com(\.cn)?$")))]
    pub service_principals: Option<BTreeSet<String>>,
    /// AWS services through which everybody in this account may use the key, as in `kms:ViaService`
    /// without the Region: `ec2`, `s3`, `secretsmanager`.
    #[schemars(inner(regex(pattern = "^[a-z0-9-]+$")))]
    pub via_services: Option<BTreeSet<String>>,
    /// Whether the key can be used. AWS's default is true.
    pub enabled: Option<bool>,
    /// Whether AWS makes new key material regularly; for symmetric keys of AWS's own material.
    /// AWS's default is false.
    pub enable_key_rotation: Option<bool>,
    /// Days between rotations, 90 to 2560. AWS's default is 365.
    #[schemars(range(min = 90, max = 2560))]
    pub rotation_period_in_days: Option<u32>,
    /// Days that a deletion waits, 7 to 30, when the making of a key is undone; 30 by default. Only
    /// with `prevent_destroy = false`.
    #[schemars(range(min = 7, max = 30))]
    pub deletion_window_days: Option<u32>,
    /// With true, a deletion that somebody has scheduled is cancelled. With false, undoing the
    /// making of a key may schedule its deletion. When absent, neither happens, and a scheduled
    /// deletion is reported.
    pub prevent_destroy: Option<bool>,
    /// All tags of the key, up to 50; tags of AWS's own (`aws:…`) do not count.
    pub tags: Option<BTreeMap<String, String>>,
}

impl Spec {
    /// Whether the key policy is put together from lists.
    pub fn has_lists(&self) -> bool {
        self.key_administrators.is_some()
            || self.key_users.is_some()
            || self.service_principals.is_some()
            || self.via_services.is_some()
    }

    /// Whether the key policy is declared, one way or the other.
    pub fn has_policy(&self) -> bool {
        self.policy.is_some() || self.has_lists()
    }

    /// Whether anything is declared of the rotation.
    pub fn has_rotation(&self) -> bool {
        self.enable_key_rotation.is_some() || self.rotation_period_in_days.is_some()
    }
}

aws_enum! {
    /// A type of key material.
    KeySpec {
        SymmetricDefault = "SYMMETRIC_DEFAULT",
        Rsa2048 = "RSA_2048",
        Rsa3072 = "RSA_3072",
        Rsa4096 = "RSA_4096",
        EccNistP256 = "ECC_NIST_P256",
        EccNistP384 = "ECC_NIST_P384",
        EccNistP521 = "ECC_NIST_P521",
        EccNistEdwards25519 = "ECC_NIST_EDWARDS25519",
        EccSecgP256k1 = "ECC_SECG_P256K1",
        Hmac224 = "HMAC_224",
        Hmac256 = "HMAC_256",
        Hmac384 = "HMAC_384",
        Hmac512 = "HMAC_512",
        Sm2 = "SM2",
        MlDsa44 = "ML_DSA_44",
        MlDsa65 = "ML_DSA_65",
        MlDsa87 = "ML_DSA_87",
        MlKem512 = "ML_KEM_512",
        MlKem768 = "ML_KEM_768",
        MlKem1024 = "ML_KEM_1024",
    }
}

aws_enum! {
    /// What a key can be used for.
    KeyUsage {
        EncryptDecrypt = "ENCRYPT_DECRYPT",
        SignVerify = "SIGN_VERIFY",
        GenerateVerifyMac = "GENERATE_VERIFY_MAC",
        KeyAgreement = "KEY_AGREEMENT",
        EncapsulateDecapsulate = "ENCAPSULATE_DECAPSULATE",
    }
}

aws_enum! {
    /// Where key material comes from.
    Origin {
        AwsKms = "AWS_KMS",
        External = "EXTERNAL",
        AwsCloudHsm = "AWS_CLOUDHSM",
        ExternalKeyStore = "EXTERNAL_KEY_STORE",
    }
}

aws_enum! {
    /// The state of a key.
    KeyState {
        Creating = "Creating",
        Enabled = "Enabled",
        Disabled = "Disabled",
        PendingDeletion = "PendingDeletion",
        PendingImport = "PendingImport",
        PendingReplicaDeletion = "PendingReplicaDeletion",
        Unavailable = "Unavailable",
        Updating = "Updating",
    }
}

impl KeyState {
    /// Whether AWS deletes the key unless somebody cancels that.
    pub fn is_dying(self) -> bool {
        matches!(self, Self::PendingDeletion | Self::PendingReplicaDeletion)
    }
}

/// A key as observed. What the spec does not declare may be absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The key's id.
    pub key_id: String,
    /// How it was found.
    pub found: Found,
    /// Ids of other keys that bear the mark of this alias.
    pub others: BTreeSet<String>,
    /// Its state.
    pub key_state: KeyState,
    /// When its deletion is due, when one is scheduled.
    pub deletion_date: Option<String>,
    /// As in [`Spec`]; "" for none.
    pub description: Option<String>,
    /// What cannot be changed in it.
    #[serde(flatten)]
    pub nature: Nature,
    /// The key policy as AWS returned it.
    pub policy: Option<String>,
    /// Its grants to others than this account and AWS's services; looked at with the policy.
    #[serde(default)]
    pub foreign_grants: BTreeSet<ForeignGrant>,
    /// Its rotation; absent when not looked at or when the key cannot rotate.
    pub rotation: Option<Rotation>,
    /// Its tags, without reserved ones.
    pub tags: Option<BTreeMap<String, String>>,
}

/// What cannot be changed in a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nature {
    pub key_spec: KeySpec,
    pub key_usage: KeyUsage,
    pub origin: Origin,
    /// As in [`Spec`]; absent in answers of AWS from before there were such keys.
    pub multi_region: Option<bool>,
}

/// How a key was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// By its alias.
    Alias,
    /// By the mark alone: there is no such alias.
    Mark(Box<Marked>),
    /// By its alias, while another key bears the mark of the alias.
    Moved(Box<Marked>),
}

/// What is known of a key that bears the mark of the alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Marked {
    /// The key's id.
    pub key_id: String,
    /// Whether it can be used.
    pub key_state: KeyState,
    /// When AWS deletes it, if somebody has scheduled that.
    pub deletion_date: Option<String>,
    /// What cannot be changed in it.
    pub nature: Nature,
    /// When it was made.
    pub created: String,
    /// The run that the mark names.
    pub run: Option<String>,
    /// Its key policy as AWS returned it.
    pub policy: String,
    /// Its grants to others than this account and AWS's services.
    #[serde(default)]
    pub foreign_grants: BTreeSet<ForeignGrant>,
}

/// The rotation of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// Whether it rotates.
    pub enabled: bool,
    /// How often; known while it rotates.
    pub period_in_days: Option<u32>,
}

/// The writes, on the key behind an alias.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The alias.
    pub alias: String,
    /// The key that was observed: nothing is written to another one, wherever the alias points by
    /// then. Absent when the plan makes the key.
    #[serde(default)]
    pub key_id: Option<String>,
    /// What to do.
    pub step: Step,
}

/// A write on the key that was observed.
pub(super) fn act(spec: &Spec, state: &State, step: Step) -> Action {
    Action { alias: spec.alias.clone(), key_id: Some(state.key_id.clone()), step }
}

/// What to do with a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Makes the key, and gives it its alias.
    Create(Box<NewKey>),
    /// Gives a key that is there its alias.
    CreateAlias,
    /// Moves the alias from another key to this one.
    UpdateAlias {
        /// The key that the alias points to now.
        from: String,
    },
    /// Takes the alias away; only to undo.
    DeleteAlias,
    /// Replaces the key policy.
    PutPolicy {
        /// The JSON.
        policy: String,
    },
    /// Changes the description.
    Describe {
        /// The text.
        description: String,
    },
    /// Lets the key be used.
    Enable,
    /// Lets nobody use the key.
    Disable,
    /// Turns rotation on, or changes its period.
    Rotate {
        /// Days between rotations.
        period_in_days: Option<u32>,
    },
    /// Turns rotation off.
    StopRotating,
    /// Sets tags.
    Tag {
        /// The tags.
        tags: BTreeMap<String, String>,
    },
    /// Takes tags away.
    Untag {
        /// The tags, with the values that they have.
        tags: BTreeMap<String, String>,
    },
    /// Cancels a scheduled deletion; the key is disabled then.
    CancelDeletion,
    /// Schedules the deletion; only to undo the making of the key.
    ScheduleDeletion {
        /// Days until then.
        window_days: u32,
    },
}

/// A key to be made.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewKey {
    pub description: Option<String>,
    pub key_spec: Option<KeySpec>,
    pub key_usage: Option<KeyUsage>,
    pub origin: Option<Origin>,
    pub multi_region: Option<bool>,
    /// The JSON of the key policy; AWS's default when absent.
    pub policy: Option<String>,
    /// Its tags, the mark of evenkeel aside.
    pub tags: BTreeMap<String, String>,
    /// Days until deletion when this is undone; absent when it may not be.
    pub deletion_window_days: Option<u32>,
}
