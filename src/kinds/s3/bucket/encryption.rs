//! The default encryption of a bucket: what differs, and writing it whole.

use std::collections::BTreeSet;

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BlockedEncryptionTypes, ServerSideEncryption, ServerSideEncryptionByDefault,
    ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};

use super::diff::Look;
use super::spec::{Action, Encryption, EncryptionType, Key, SseAlgorithm, Step};
use crate::kinds::{Change, Drift, compared};

pub fn diff(look: &Look<'_>) -> Option<Change<Action>> {
    let spec = look.spec;
    if !spec.has_encryption() {
        return None;
    }
    let actual = look.state.encryption.clone().unwrap_or(Encryption {
        sse_algorithm: SseAlgorithm::Aes256,
        kms_master_key_id: None,
        bucket_key_enabled: false,
        blocked_encryption_types: BTreeSet::new(),
    });
    let sse_algorithm = spec.sse_algorithm.unwrap_or(actual.sse_algorithm);
    let declared_arn = look.state.declared_key.as_ref().map(|key| key.arn.as_str());
    let key = match spec.key() {
        // Of a key's names only the ARN means the same to everybody and for ever.
        Some(key) if !is_same_key(look) => Some(declared_arn.unwrap_or(key).to_owned()),
        // AES256 has no key of its own.
        None if sse_algorithm == SseAlgorithm::Aes256 || spec.kms_master_key_id.is_some() => None,
        _ => actual.kms_master_key_id.clone(),
    };
    let desired = Encryption {
        sse_algorithm,
        kms_master_key_id: key,
        bucket_key_enabled: spec.bucket_key_enabled.unwrap_or(actual.bucket_key_enabled),
        blocked_encryption_types: spec
            .blocked_encryption_types
            .clone()
            .unwrap_or_else(|| actual.blocked_encryption_types.clone()),
    };
    let known = (!look.is_new).then_some(&actual);
    let mut drift = Drift::new();
    drift.compare(
        "sse_algorithm",
        known.map(|known| &known.sse_algorithm),
        spec.sse_algorithm.as_ref(),
    );
    let key_differs = compare_key(look, known, &mut drift);
    drift.compare(
        "bucket_key_enabled",
        known.map(|known| &known.bucket_key_enabled),
        spec.bucket_key_enabled.as_ref(),
    );
    compare_blocked(look, known, &mut drift);
    if drift.is_empty() {
        return None;
    }
    let to_kms = desired.sse_algorithm != SseAlgorithm::Aes256
        && (key_differs || actual.sse_algorithm == SseAlgorithm::Aes256);
    let blocks = desired.blocked_encryption_types.contains(&EncryptionType::SseC)
        && !actual.blocked_encryption_types.contains(&EncryptionType::SseC);
    let mut change = look.change(Step::PutEncryption(Some(desired)), drift);
    if to_kms {
        change = look
            .disruptive(change, "who writes to or reads from this bucket needs rights to the key");
    }
    if key_differs
        && !look.is_new
        && let Some(problem) = problem(spec.key(), look.state.declared_key.as_ref())
    {
        change = change.warn(problem);
    }
    if blocks {
        change = look.disruptive(change, "writers with keys of their own (SSE-C) are refused");
    }
    Some(change)
}

/// Whether the bucket's key is the declared one, whatever either is called.
fn is_same_key(look: &Look<'_>) -> bool {
    let Some(declared) = look.spec.kms_master_key_id.as_deref() else { return true };
    let there = look
        .state
        .encryption
        .as_ref()
        .filter(|encryption| encryption.sse_algorithm != SseAlgorithm::Aes256)
        .map(|encryption| encryption.kms_master_key_id.as_deref());
    let (key, declared_key) = (look.state.key.as_ref(), look.state.declared_key.as_ref());
    let is_of_aws = |key: Option<&Key>| key.is_some_and(|key| key.is_of_aws);
    match (there, declared) {
        // A bucket without KMS has no key, which AWS's own need not be told from.
        (None, declared) => declared.is_empty(),
        (Some(None), "") => true,
        (Some(Some(_)), "") => is_of_aws(key),
        (Some(None), _) => is_of_aws(declared_key),
        (Some(Some(name)), declared) => match (key, declared_key) {
            (Some(key), Some(declared)) => key.arn == declared.arn,
            _ => name == declared,
        },
    }
}

fn compare_key(look: &Look<'_>, known: Option<&Encryption>, drift: &mut Drift) -> bool {
    compared::mark("kms_master_key_id");
    let Some(declared) = look.spec.kms_master_key_id.as_deref() else { return false };
    if is_same_key(look) {
        return false;
    }
    let there = known.and_then(|known| known.kms_master_key_id.as_deref());
    drift.add("kms_master_key_id", there, Some(declared).filter(|key| !key.is_empty()));
    true
}

/// "NONE" and nothing blocked are the same.
fn compare_blocked(look: &Look<'_>, known: Option<&Encryption>, drift: &mut Drift) {
    compared::mark("blocked_encryption_types");
    let Some(desired) = &look.spec.blocked_encryption_types else { return };
    let blocks = |types: &BTreeSet<EncryptionType>| types.contains(&EncryptionType::SseC);
    match known {
        Some(known) if blocks(&known.blocked_encryption_types) == blocks(desired) => {}
        known => drift.add(
            "blocked_encryption_types",
            known.map(|known| &known.blocked_encryption_types),
            Some(desired),
        ),
    }
}

/// The right key is there and cannot be used, so that nobody can write or read.
pub fn key_health(look: &Look<'_>) -> Option<Change<Action>> {
    if look.is_new || look.spec.key().is_none() || !is_same_key(look) {
        return None;
    }
    let key = look.state.declared_key.as_ref();
    let problem = problem(look.spec.key(), key)?;
    let mut drift = Drift::new();
    let actual = key.map_or("no such key", |key| match key.state.as_str() {
        "Enabled" => key.spec.as_str(),
        state => state,
    });
    drift.add("kms_master_key_id", Some(actual), look.spec.key());
    Some(Change::finding(drift).withhold(problem))
}

/// Why the declared key is of no use.
fn problem(name: Option<&str>, key: Option<&Key>) -> Option<String> {
    let name = name?;
    match key {
        None => Some(format!(
            "KMS has no key {name}: nothing can be written to or read from the bucket with it; \
             make the key, or declare another one"
        )),
        Some(key) if key.state != "Enabled" => Some(format!(
            "the key {name} is {}: nothing can be written to or read from the bucket with it; enable \
             the key, or declare another one",
            key.state
        )),
        // S3 User Guide, "Using server-side encryption with AWS KMS keys".
        Some(key) if key.spec != "SYMMETRIC_DEFAULT" => Some(format!(
            "the key {name} is of the kind {}, and S3 encrypts with symmetric keys alone: nothing can \
             be written to the bucket with it; declare another one",
            key.spec
        )),
        Some(_) => None,
    }
}

/// The whole setting for AWS.
///
/// # Errors
/// A required member is missing.
pub fn send(encryption: &Encryption) -> Result<ServerSideEncryptionConfiguration, BuildError> {
    let default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::from(encryption.sse_algorithm.as_str()))
        .set_kms_master_key_id(encryption.kms_master_key_id.clone())
        .build()?;
    let blocked: Vec<_> =
        encryption.blocked_encryption_types.iter().map(|kind| kind.as_str().into()).collect();
    let rule =
        ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .bucket_key_enabled(encryption.bucket_key_enabled)
            .set_blocked_encryption_types((!blocked.is_empty()).then(|| {
                BlockedEncryptionTypes::builder().set_encryption_type(Some(blocked)).build()
            }))
            .build();
    ServerSideEncryptionConfiguration::builder().rules(rule).build()
}
