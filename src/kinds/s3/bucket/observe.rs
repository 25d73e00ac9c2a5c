//! Reading a bucket: where it is, and those of its settings that the spec declares. Every call goes
//! to the bucket's own Region and insists on the bucket's owner.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Bucket;

use super::lifecycle::{self, Lifecycle};
use super::spec::{Encryption, Logging, ObjectLock, PublicAccessBlock, Spec, State, Versioning};
use crate::aws::error::AbsentIf;
use crate::aws::{AwsError, Call};
use crate::kinds::tags::Tags;
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, known};
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
pub const GET_LOGGING: Call = Call::new("s3", "GetBucketLogging");
pub const GET_OWNERSHIP: Call = Call::new("s3", "GetBucketOwnershipControls");
pub const GET_TAGGING: Call = Call::new("s3", "GetBucketTagging");
/// Without a page size, S3 refuses accounts with very many buckets and leaves the Region out.
const PAGE: i32 = 1000;

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let name = spec.bucket.as_str();
    let buckets = buckets(cx).await?;
    let Some(bucket) = buckets.iter().find(|bucket| bucket.name() == Some(name)) else {
        return free(cx, name).await;
    };
    let region = bucket.bucket_region().map_or_else(|| cx.region.clone(), Region::new);
    let cx = &cx.in_region(region.clone());
    let (policy, block, encryption, versions) = together!(
        when(spec.has_policy(), policy(cx, name)),
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
    let (versioning, mfa_delete) = versions.unwrap_or_default();
    let (system_tags, tags) =
        tags.unwrap_or_default().into_iter().partition(|(key, _)| key.starts_with("aws:"));
    let state = State {
        region: region.to_string(),
        policy: policy.flatten(),
        encryption: encryption.flatten(),
        versioning,
        mfa_delete,
        object_lock: lock.flatten(),
        lifecycle: lifecycle.flatten(),
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

/// A name that is not among the account's buckets is free, or somebody else's.
async fn free(cx: &Cx, name: &str) -> Result<Vec<Object<State>>, ObserveError> {
    let client = cx.client(Client::new);
    let taken = ObserveError::Malformed {
        field: "bucket".to_owned(),
        problem: format!("another account has a bucket {name}: choose another name"),
    };
    match cx.read(HEAD, name, client.head_bucket().bucket(name).send()).await {
        Err(error) if error.is_code(&["404", "NotFound", "NoSuchBucket"]) => {
            Ok(vec![Object::absent(name)])
        }
        // A missing permission looks the same as somebody else's bucket, so AWS's word stands.
        Err(error) if error.status == Some(403) => Err(error.into()),
        Ok(_) | Err(_) => Err(taken),
    }
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
    let block = answer.as_ref().and_then(|answer| answer.public_access_block_configuration());
    Ok(block.map(|block| PublicAccessBlock {
        block_public_acls: block.block_public_acls().unwrap_or_default(),
        ignore_public_acls: block.ignore_public_acls().unwrap_or_default(),
        block_public_policy: block.block_public_policy().unwrap_or_default(),
        restrict_public_buckets: block.restrict_public_buckets().unwrap_or_default(),
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
    let rule = answer
        .as_ref()
        .and_then(|answer| answer.server_side_encryption_configuration())
        .and_then(|configuration| configuration.rules().first());
    let Some(rule) = rule else { return Ok(None) };
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
        bucket_key_enabled: rule.bucket_key_enabled().unwrap_or_default(),
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
    let mfa_delete = answer.mfa_delete().is_some_and(|status| status.as_str() == "Enabled");
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
    let Some(lock) = answer.as_ref().and_then(|answer| answer.object_lock_configuration()) else {
        return Ok(None);
    };
    let retention = lock.rule().and_then(|rule| rule.default_retention());
    let count = |count: Option<i32>| count.and_then(|count| u32::try_from(count).ok());
    Ok(Some(ObjectLock {
        mode: retention
            .and_then(|retention| retention.mode())
            .map(|mode| known("Mode", mode.as_str()))
            .transpose()?,
        days: count(retention.and_then(|retention| retention.days())),
        years: count(retention.and_then(|retention| retention.years())),
        has_event_hold: retention.is_some_and(|retention| retention.default_event_hold().is_some()),
    }))
}

async fn logging(cx: &Cx, bucket: &str) -> Result<Option<Logging>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_logging().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_LOGGING, bucket, request).await?;
    Ok(answer.logging_enabled().map(|logging| Logging {
        bucket: logging.target_bucket().to_owned(),
        prefix: logging.target_prefix().to_owned(),
    }))
}

async fn ownership(
    cx: &Cx,
    bucket: &str,
) -> Result<Option<super::spec::ObjectOwnership>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request =
        client.get_bucket_ownership_controls().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx
        .read(GET_OWNERSHIP, bucket, request)
        .await
        .absent_if(&["OwnershipControlsNotFoundError"])?;
    let rule = answer
        .as_ref()
        .and_then(|answer| answer.ownership_controls())
        .and_then(|controls| controls.rules().first());
    rule.map(|rule| known("ObjectOwnership", rule.object_ownership().as_str())).transpose()
}

async fn tags(cx: &Cx, bucket: &str) -> Result<Tags, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_tagging().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_TAGGING, bucket, request).await.absent_if(&["NoSuchTagSet"])?;
    let tags = answer.iter().flat_map(|answer| answer.tag_set());
    Ok(tags.map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect())
}
