//! Reading a bucket: where it is, and those of its settings that the spec declares. Every call goes
//! to the bucket's own Region and insists on the bucket's owner.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Bucket;

use super::lifecycle::{self, Lifecycle};
use super::logging::logging;
use super::spec::{
    Encryption, EventHold, Key, ObjectLock, ObjectOwnership, PublicAccessBlock, Spec, State,
    Versioning,
};
use crate::aws::error::AbsentIf;
use crate::aws::{AwsError, Call};
use crate::kinds::tags::{Tags, is_reserved};
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, Status, Unknown, count, known, told};
use crate::names::Region;
use crate::policy_document::PolicyDocument;

pub const LIST: Call = Call::new("s3", "ListBuckets");
pub const HEAD: Call = Call::new("s3", "HeadBucket");
pub const GET_POLICY: Call = Call::new("s3", "GetBucketPolicy");
pub const GET_BLOCK: Call = Call::new("s3", "GetPublicAccessBlock");
pub const GET_ENCRYPTION: Call = Call::new("s3", "GetBucketEncryption");
pub const GET_VERSIONING: Call = Call::new("s3", "GetBucketVersioning");
pub const GET_LIFECYCLE: Call = Call::new("s3", "GetBucketLifecycleConfiguration");
pub const GET_LOCK: Call = Call::new("s3", "GetObjectLockConfiguration");
pub const GET_OWNERSHIP: Call = Call::new("s3", "GetBucketOwnershipControls");
pub const GET_TAGGING: Call = Call::new("s3", "GetBucketTagging");
pub const LIST_VERSIONS: Call = Call::new("s3", "ListObjectVersions");
pub const DESCRIBE_KEY: Call = Call::new("kms", "DescribeKey");
/// Without a page size, S3 refuses accounts with very many buckets and leaves the Region out.
const PAGE: i32 = 1000;

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let name = spec.bucket.as_str();
    let buckets = buckets(cx).await?;
    let Some(bucket) = buckets.iter().find(|bucket| bucket.name() == Some(name)) else {
        return free(cx, name).await;
    };
    let region = match bucket.bucket_region() {
        Some(region) => Region::new(region),
        None => region(cx, name).await?,
    };
    let cx = &cx.in_region(region.clone());
    let (policy, block, encryption, versions) = together!(
        when(spec.looks_at_policy(), policy(cx, name)),
        when(spec.public_access_block.is_some(), block(cx, name)),
        when(spec.has_encryption(), encryption(cx, name)),
        when(spec.has_versioning(), versioning(cx, name)),
    )?;
    let (lifecycle, lock, logging, ownership, tags) = together!(
        when(spec.has_lifecycle(), lifecycle(cx, name)),
        when(spec.has_object_lock(), object_lock(cx, name)),
        when(spec.has_logging(), logging(cx, name)),
        when(spec.object_ownership.is_some(), ownership(cx, name)),
        when(spec.tags.is_some(), tags(cx, name)),
    )?;
    let (encryption, lifecycle) = (encryption.flatten(), lifecycle.flatten());
    let (key, declared_key, is_empty) = together!(
        bucket_key(cx, spec, encryption.as_ref()),
        declared_key(cx, spec),
        is_empty(cx, spec, lifecycle.as_ref()),
    )?;
    let (versioning, mfa_delete) = versions.unwrap_or_default();
    let (system_tags, tags) =
        tags.unwrap_or_default().into_iter().partition(|(key, _)| is_reserved(key));
    let state = State {
        region: region.to_string(),
        policy: policy.flatten(),
        encryption,
        key,
        declared_key,
        versioning,
        mfa_delete,
        object_lock: lock.flatten(),
        lifecycle,
        is_empty,
        object_ownership: ownership.flatten(),
        public_access_block: block.flatten(),
        logging: logging.flatten(),
        tags,
        system_tags,
    };
    let object = Object::present(name, state);
    let control_tower = name.starts_with("aws-controltower-");
    Ok(vec![if control_tower { object.managed_by("AWS Control Tower") } else { object }])
}

/// Makes a read only when the spec needs it.
async fn when<T>(
    needed: bool,
    read: impl Future<Output = Result<T, ObserveError>>,
) -> Result<Option<T>, ObserveError> {
    if needed { read.await.map(Some) } else { Ok(None) }
}

/// The names of the account's own buckets.
pub async fn names(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    Ok(buckets(cx).await?.iter().filter_map(|bucket| bucket.name()).map(str::to_owned).collect())
}

/// The account's own buckets.
async fn buckets(cx: &Cx) -> Result<Arc<Vec<Bucket>>, AwsError> {
    let client = cx.client(Client::new);
    cx.read(LIST, "", async {
        client.list_buckets().max_buckets(PAGE).into_paginator().send().try_collect().await.map(
            |pages| pages.into_iter().flat_map(|page| page.buckets.unwrap_or_default()).collect(),
        )
    })
    .await
}

/// A name that is not among the account's buckets is free, or somebody else's: then it is neither
/// absent nor ours to make.
async fn free(cx: &Cx, name: &str) -> Result<Vec<Object<State>>, ObserveError> {
    let client = cx.client(Client::new);
    let taken = |reason: String, permission: Option<String>, remedy: &str| {
        let unknown = Unknown { reason, permission, remedy: Some(remedy.to_owned()) };
        Ok(vec![Object {
            id: name.to_owned(),
            label: None,
            managed_by: None,
            status: Status::Unknown(unknown),
        }])
    };
    match cx.read(HEAD, name, client.head_bucket().bucket(name).send()).await {
        Err(error) if error.is_code(&["404", "NotFound", "NoSuchBucket"]) => {
            Ok(vec![Object::absent(name)])
        }
        // A missing permission looks the same as somebody else's bucket.
        Err(error) if error.status == Some(403) => taken(
            format!(
                "the bucket {name} is not among this account's, and S3 shows it to nobody here ({error})"
            ),
            error.missing_permission(),
            "another account has most likely taken the name: choose another one; should no account \
             have it, allow s3:ListBucket",
        ),
        // Any other Region answers with a redirect, and only buckets that are there have one.
        Ok(_) => taken(
            format!("another account has the bucket {name}"),
            None,
            "choose another name, or declare the bucket in the baseline of its own account",
        ),
        Err(error) if matches!(error.status, Some(301 | 307 | 400)) => taken(
            format!("another account has the bucket {name}, in another Region ({error})"),
            None,
            "choose another name, or declare the bucket in the baseline of its own account",
        ),
        Err(error) => Err(error.into()),
    }
}

/// The Region of a bucket of which the list did not say it.
async fn region(cx: &Cx, name: &str) -> Result<Region, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.head_bucket().bucket(name).expected_bucket_owner(owner).send();
    let answer = cx.read(HEAD, name, request).await?;
    Ok(Region::new(told("BucketRegion", answer.bucket_region())?))
}

/// What the key of the bucket's encryption is. Only needed where a key is declared.
async fn bucket_key(
    cx: &Cx,
    spec: &Spec,
    encryption: Option<&Encryption>,
) -> Result<Option<Key>, ObserveError> {
    let name = encryption.and_then(|encryption| encryption.kms_master_key_id.as_deref());
    match (name, spec.kms_master_key_id.as_deref()) {
        (Some(name), Some(_)) => key(cx, name).await,
        _ => Ok(None),
    }
}

async fn declared_key(cx: &Cx, spec: &Spec) -> Result<Option<Key>, ObserveError> {
    match spec.key() {
        Some(name) => key(cx, name).await,
        None => Ok(None),
    }
}

/// The key of a name: an ARN, an id, an alias or the ARN of an alias.
async fn key(cx: &Cx, name: &str) -> Result<Option<Key>, ObserveError> {
    let client = cx.client(aws_sdk_kms::Client::new);
    let request = client.describe_key().key_id(name).send();
    let answer = cx.read(DESCRIBE_KEY, name, request).await.absent_if(&["NotFoundException"])?;
    let Some(answer) = answer else { return Ok(None) };
    let metadata = told("KeyMetadata", answer.key_metadata())?;
    let is_of_aws = match told("KeyManager", metadata.key_manager())?.as_str() {
        "AWS" => true,
        "CUSTOMER" => false,
        other => return Err(unknown_value("KeyManager", other)),
    };
    Ok(Some(Key {
        arn: told("Arn", metadata.arn().filter(|arn| !arn.is_empty()))?.to_owned(),
        state: told("KeyState", metadata.key_state())?.as_str().to_owned(),
        spec: told("KeySpec", metadata.key_spec())?.as_str().to_owned(),
        is_of_aws,
    }))
}

/// Whether nothing is there that the declared rules could newly delete. Who may not ask is told
/// of the deletions instead: it decides no verdict.
async fn is_empty(
    cx: &Cx,
    spec: &Spec,
    lifecycle: Option<&Lifecycle>,
) -> Result<bool, ObserveError> {
    let there = lifecycle.map(|lifecycle| lifecycle.rules.as_slice()).unwrap_or_default();
    let declared = spec.lifecycle.as_deref().unwrap_or_default();
    if lifecycle::new_deletions(declared, there).is_empty() {
        return Ok(false);
    }
    let (client, name, owner) = (cx.client(Client::new), &spec.bucket, cx.account.as_str());
    let request =
        client.list_object_versions().bucket(name).max_keys(1).expected_bucket_owner(owner).send();
    let answer = cx.read(LIST_VERSIONS, name, request).await.absent_if(&["AccessDenied"])?;
    Ok(answer
        .is_some_and(|answer| answer.versions().is_empty() && answer.delete_markers().is_empty()))
}

async fn policy(cx: &Cx, bucket: &str) -> Result<Option<String>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_policy().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_POLICY, bucket, request).await.absent_if(&["NoSuchBucketPolicy"])?;
    let Some(text) = answer.as_ref().and_then(|answer| answer.policy()) else { return Ok(None) };
    PolicyDocument::from_text(text).map_err(|error| ObserveError::Malformed {
        field: "Policy".to_owned(),
        problem: error.to_string(),
    })?;
    Ok(Some(text.to_owned()))
}

async fn block(cx: &Cx, bucket: &str) -> Result<Option<PublicAccessBlock>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request =
        client.get_public_access_block().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx
        .read(GET_BLOCK, bucket, request)
        .await
        .absent_if(&["NoSuchPublicAccessBlockConfiguration"])?;
    let Some(answer) = answer else { return Ok(None) };
    let block = told("PublicAccessBlockConfiguration", answer.public_access_block_configuration())?;
    Ok(Some(PublicAccessBlock {
        block_public_acls: told("BlockPublicAcls", block.block_public_acls())?,
        ignore_public_acls: told("IgnorePublicAcls", block.ignore_public_acls())?,
        block_public_policy: told("BlockPublicPolicy", block.block_public_policy())?,
        restrict_public_buckets: told("RestrictPublicBuckets", block.restrict_public_buckets())?,
    }))
}

async fn encryption(cx: &Cx, bucket: &str) -> Result<Option<Encryption>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_encryption().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx
        .read(GET_ENCRYPTION, bucket, request)
        .await
        .absent_if(&["ServerSideEncryptionConfigurationNotFoundError"])?;
    let Some(answer) = answer else { return Ok(None) };
    let configuration =
        told("ServerSideEncryptionConfiguration", answer.server_side_encryption_configuration())?;
    // A bucket has one rule.
    let [rule] = configuration.rules() else {
        return Err(ObserveError::Malformed {
            field: "Rules".to_owned(),
            problem: format!(
                "a bucket has one rule of encryption, not {}",
                configuration.rules().len()
            ),
        });
    };
    // A rule may speak of its other members alone; then S3 encrypts with its own keys, as every
    // bucket does since January 2023 (S3 User Guide, "Setting default server-side encryption").
    let default = rule.apply_server_side_encryption_by_default();
    let blocked = rule.blocked_encryption_types().map(|blocked| blocked.encryption_type());
    Ok(Some(Encryption {
        sse_algorithm: known(
            "SSEAlgorithm",
            default.map_or("AES256", |default| default.sse_algorithm().as_str()),
        )?,
        kms_master_key_id: default
            .and_then(|default| default.kms_master_key_id())
            .filter(|key| !key.is_empty())
            .map(str::to_owned),
        // "By default, S3 Bucket Key is not enabled." (S3 API Reference, ServerSideEncryptionRule)
        bucket_key_enabled: rule.bucket_key_enabled().unwrap_or(false),
        // Buckets from before there were blocked types have none.
        blocked_encryption_types: blocked
            .unwrap_or_default()
            .iter()
            .map(|blocked| known("EncryptionType", blocked.as_str()))
            .collect::<Result<_, _>>()?,
    }))
}

async fn versioning(cx: &Cx, bucket: &str) -> Result<(Option<Versioning>, bool), ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_versioning().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_VERSIONING, bucket, request).await?;
    let status = answer.status().map(|status| known("Status", status.as_str())).transpose()?;
    // "This element is only returned if the bucket has been configured with MFA delete." So it is
    // with the status (S3 API Reference, GetBucketVersioning).
    let mfa_delete = match answer.mfa_delete().map(|status| status.as_str()) {
        None | Some("Disabled") => false,
        Some("Enabled") => true,
        Some(other) => return Err(unknown_value("MFADelete", other)),
    };
    Ok((status, mfa_delete))
}

async fn lifecycle(cx: &Cx, bucket: &str) -> Result<Option<Lifecycle>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client
        .get_bucket_lifecycle_configuration()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .send();
    let answer = cx
        .read(GET_LIFECYCLE, bucket, request)
        .await
        .absent_if(&["NoSuchLifecycleConfiguration"])?;
    let Some(answer) = answer else { return Ok(None) };
    let size = answer.transition_default_minimum_object_size();
    Ok(Some(Lifecycle {
        rules: answer.rules().iter().map(lifecycle::read).collect::<Result<_, _>>()?,
        transition_default_minimum_object_size: size
            .map(|size| known("TransitionDefaultMinimumObjectSize", size.as_str()))
            .transpose()?,
    }))
}

async fn object_lock(cx: &Cx, bucket: &str) -> Result<Option<ObjectLock>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request =
        client.get_object_lock_configuration().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx
        .read(GET_LOCK, bucket, request)
        .await
        .absent_if(&["ObjectLockConfigurationNotFoundError"])?;
    let Some(answer) = answer else { return Ok(None) };
    let lock = told("ObjectLockConfiguration", answer.object_lock_configuration())?;
    // "Enabled" is its only value (S3 API Reference, ObjectLockConfiguration).
    match told("ObjectLockEnabled", lock.object_lock_enabled())?.as_str() {
        "Enabled" => {}
        other => return Err(unknown_value("ObjectLockEnabled", other)),
    }
    let retention = lock.rule().and_then(|rule| rule.default_retention());
    let hold = retention.and_then(|retention| retention.default_event_hold());
    Ok(Some(ObjectLock {
        mode: retention
            .and_then(|retention| retention.mode())
            .map(|mode| known("Mode", mode.as_str()))
            .transpose()?,
        days: period("Days", retention.and_then(|retention| retention.days()))?,
        years: period("Years", retention.and_then(|retention| retention.years()))?,
        event_hold: hold
            .map(|hold| {
                Ok::<_, ObserveError>(EventHold {
                    days: period("Days", hold.days())?,
                    years: period("Years", hold.years())?,
                })
            })
            .transpose()?,
    }))
}

fn unknown_value(field: &str, value: &str) -> ObserveError {
    ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
}

/// A period has days or years; 0 of the other is none.
fn period(field: &str, value: Option<i32>) -> Result<Option<u32>, ObserveError> {
    let value = value.map(|value| count(field, value)).transpose()?;
    Ok(value.filter(|value| *value > 0))
}

async fn ownership(cx: &Cx, bucket: &str) -> Result<Option<ObjectOwnership>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request =
        client.get_bucket_ownership_controls().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx
        .read(GET_OWNERSHIP, bucket, request)
        .await
        .absent_if(&["OwnershipControlsNotFoundError"])?;
    let Some(answer) = answer else { return Ok(None) };
    let controls = told("OwnershipControls", answer.ownership_controls())?;
    let rule = told("Rules", controls.rules().first())?;
    known("ObjectOwnership", rule.object_ownership().as_str()).map(Some)
}

async fn tags(cx: &Cx, bucket: &str) -> Result<Tags, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_tagging().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_TAGGING, bucket, request).await.absent_if(&["NoSuchTagSet"])?;
    let tags = answer.iter().flat_map(|answer| answer.tag_set());
    Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
}
