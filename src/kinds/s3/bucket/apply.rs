//! The writes on a bucket. Each goes to the bucket's own Region and insists on its owner.

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, BucketLocationConstraint, BucketNamespace,
    BucketVersioningStatus, CreateBucketConfiguration, DefaultRetention, EventHoldDuration,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
    ObjectOwnership, OwnershipControls, OwnershipControlsRule, PublicAccessBlockConfiguration, Tag,
    Tagging, TransitionDefaultMinimumObjectSize, VersioningConfiguration,
};

use super::lifecycle::{self, Lifecycle};
use super::spec::{Action, ObjectLock, Step};
use super::{encryption, logging};
use crate::aws::error::AbsentIf;
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::{WriteCx, WriteError, sendable};
use crate::names::Region;

pub const CREATE: Call = Call::new("s3", "CreateBucket");
pub const PUT_BLOCK: Call = Call::new("s3", "PutPublicAccessBlock");
pub const DELETE_BLOCK: Call = Call::new("s3", "DeletePublicAccessBlock");
pub const PUT_OWNERSHIP: Call = Call::new("s3", "PutBucketOwnershipControls");
pub const DELETE_OWNERSHIP: Call = Call::new("s3", "DeleteBucketOwnershipControls");
pub const PUT_ENCRYPTION: Call = Call::new("s3", "PutBucketEncryption");
pub const DELETE_ENCRYPTION: Call = Call::new("s3", "DeleteBucketEncryption");
pub const PUT_VERSIONING: Call = Call::new("s3", "PutBucketVersioning");
pub const PUT_POLICY: Call = Call::new("s3", "PutBucketPolicy");
pub const DELETE_POLICY: Call = Call::new("s3", "DeleteBucketPolicy");
pub const PUT_LIFECYCLE: Call = Call::new("s3", "PutBucketLifecycleConfiguration");
pub const DELETE_LIFECYCLE: Call = Call::new("s3", "DeleteBucketLifecycle");
pub const PUT_LOCK: Call = Call::new("s3", "PutObjectLockConfiguration");
pub const PUT_LOGGING: Call = Call::new("s3", "PutBucketLogging");
pub const PUT_TAGGING: Call = Call::new("s3", "PutBucketTagging");
pub const DELETE_TAGGING: Call = Call::new("s3", "DeleteBucketTagging");

/// The one Region that S3 does not want to be named.
const NAMELESS_REGION: &str = "us-east-1";

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let cx = cx.in_region(Region::new(&action.region));
    // S3 takes one change of a bucket at a time, and does not know new principals at once.
    settle(is_settling, || step(&cx, &action.bucket, &action.step)).await
}

fn is_settling(error: &WriteError) -> bool {
    let WriteError::Aws(error) = error else { return false };
    error.class == ErrorClass::Settling
        || (error.is_code(&["MalformedPolicy"]) && error.message.contains("principal"))
}

#[allow(clippy::too_many_lines, reason = "an arm for each write")]
async fn step(cx: &WriteCx, bucket: &str, step: &Step) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let done: Result<(), AwsError> = match step {
        Step::Create { object_lock } => create(cx, &client, bucket, *object_lock).await,
        Step::PutPublicAccessBlock(Some(block)) => {
            let configuration = PublicAccessBlockConfiguration::builder()
                .block_public_acls(block.block_public_acls)
                .ignore_public_acls(block.ignore_public_acls)
                .block_public_policy(block.block_public_policy)
                .restrict_public_buckets(block.restrict_public_buckets)
                .build();
            let request = client
                .put_public_access_block()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .public_access_block_configuration(configuration);
            cx.write(PUT_BLOCK, request.send()).await.map(drop)
        }
        Step::PutPublicAccessBlock(None) => {
            let request =
                client.delete_public_access_block().bucket(bucket).expected_bucket_owner(owner);
            cx.write(DELETE_BLOCK, request.send()).await.map(drop)
        }
        Step::PutOwnership(Some(ownership)) => {
            let rule = OwnershipControlsRule::builder()
                .object_ownership(ObjectOwnership::from(ownership.as_str()))
                .build()?;
            let controls = OwnershipControls::builder().rules(rule).build()?;
            let request = client
                .put_bucket_ownership_controls()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .ownership_controls(controls);
            cx.write(PUT_OWNERSHIP, request.send()).await.map(drop)
        }
        Step::PutOwnership(None) => {
            let request = client
                .delete_bucket_ownership_controls()
                .bucket(bucket)
                .expected_bucket_owner(owner);
            cx.write(DELETE_OWNERSHIP, request.send()).await.map(drop)
        }
        Step::PutEncryption(Some(encryption)) => {
            let request = client
                .put_bucket_encryption()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .server_side_encryption_configuration(encryption::send(encryption)?);
            cx.write(PUT_ENCRYPTION, request.send()).await.map(drop)
        }
        Step::PutEncryption(None) => {
            let request =
                client.delete_bucket_encryption().bucket(bucket).expected_bucket_owner(owner);
            cx.write(DELETE_ENCRYPTION, request.send()).await.map(drop)
        }
        Step::PutVersioning(versioning) => {
            let configuration = VersioningConfiguration::builder()
                .status(BucketVersioningStatus::from(versioning.as_str()))
                .build();
            let request = client
                .put_bucket_versioning()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .versioning_configuration(configuration);
            cx.write(PUT_VERSIONING, request.send()).await.map(drop)
        }
        Step::PutPolicy(Some(policy)) => {
            let request = client
                .put_bucket_policy()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .policy(policy);
            cx.write(PUT_POLICY, request.send()).await.map(drop)
        }
        Step::PutPolicy(None) => {
            let request = client.delete_bucket_policy().bucket(bucket).expected_bucket_owner(owner);
            cx.write(DELETE_POLICY, request.send()).await.map(drop)
        }
        Step::PutLifecycle(lifecycle) => {
            return put_lifecycle(cx, &client, bucket, lifecycle).await;
        }
        Step::PutObjectLock(lock) => {
            let request = client
                .put_object_lock_configuration()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .object_lock_configuration(send_lock(lock)?);
            cx.write(PUT_LOCK, request.send()).await.map(drop)
        }
        Step::PutLogging(logging) => {
            let request = client
                .put_bucket_logging()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .bucket_logging_status(logging::send(logging.as_ref())?);
            cx.write(PUT_LOGGING, request.send()).await.map(drop)
        }
        Step::PutTags(tags) if tags.is_empty() => {
            let request =
                client.delete_bucket_tagging().bucket(bucket).expected_bucket_owner(owner);
            cx.write(DELETE_TAGGING, request.send()).await.map(drop)
        }
        Step::PutTags(tags) => {
            let tags = tags
                .iter()
                .map(|(key, value)| Tag::builder().key(key).value(value).build())
                .collect::<Result<_, _>>()?;
            let tagging = Tagging::builder().set_tag_set(Some(tags)).build()?;
            let request = client
                .put_bucket_tagging()
                .bucket(bucket)
                .expected_bucket_owner(owner)
                .tagging(tagging);
            cx.write(PUT_TAGGING, request.send()).await.map(drop)
        }
    };
    Ok(done?)
}

async fn create(
    cx: &WriteCx,
    client: &Client,
    bucket: &str,
    object_lock: bool,
) -> Result<(), AwsError> {
    let region = cx.region.to_string();
    let configuration = (region != NAMELESS_REGION).then(|| {
        CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(region.as_str()))
            .build()
    });
    // Such names are the account's own, and S3 wants to be told.
    let own_name = bucket.ends_with(&format!("-{}-{region}-an", cx.account));
    let request = client
        .create_bucket()
        .bucket(bucket)
        .set_create_bucket_configuration(configuration)
        .set_bucket_namespace(own_name.then_some(BucketNamespace::AccountRegional))
        .set_object_lock_enabled_for_bucket(object_lock.then_some(true));
    // Made by an earlier try.
    cx.write(CREATE, request.send()).await.absent_if(&["BucketAlreadyOwnedByYou"]).map(drop)
}

async fn put_lifecycle(
    cx: &WriteCx,
    client: &Client,
    bucket: &str,
    lifecycle: &Lifecycle,
) -> Result<(), WriteError> {
    let owner = cx.account.as_str();
    if lifecycle.rules.is_empty() {
        let request = client.delete_bucket_lifecycle().bucket(bucket).expected_bucket_owner(owner);
        cx.write(DELETE_LIFECYCLE, request.send()).await?;
        return Ok(());
    }
    let rules = lifecycle.rules.iter().map(lifecycle::send).collect::<Result<_, _>>()?;
    let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build()?;
    let size = lifecycle
        .transition_default_minimum_object_size
        .map(|size| TransitionDefaultMinimumObjectSize::from(size.as_str()));
    let request = client
        .put_bucket_lifecycle_configuration()
        .bucket(bucket)
        .expected_bucket_owner(owner)
        .set_transition_default_minimum_object_size(size)
        .lifecycle_configuration(configuration);
    cx.write(PUT_LIFECYCLE, request.send()).await?;
    Ok(())
}

fn send_lock(lock: &ObjectLock) -> Result<ObjectLockConfiguration, WriteError> {
    let count = |field: &str, count: Option<u32>| {
        count.map(|count| sendable::<u32, i32>(field, count)).transpose()
    };
    let hold = match &lock.event_hold {
        Some(hold) => Some(
            EventHoldDuration::builder()
                .set_days(count("Days", hold.days)?)
                .set_years(count("Years", hold.years)?)
                .build(),
        ),
        None => None,
    };
    let is_set = lock.mode.is_some() || hold.is_some();
    let retention = DefaultRetention::builder()
        .set_mode(lock.mode.map(|mode| ObjectLockRetentionMode::from(mode.as_str())))
        .set_days(count("Days", lock.days)?)
        .set_years(count("Years", lock.years)?)
        .set_default_event_hold(hold)
        .build();
    let rule = ObjectLockRule::builder().default_retention(retention).build();
    Ok(ObjectLockConfiguration::builder()
        .object_lock_enabled(ObjectLockEnabled::Enabled)
        .set_rule(is_set.then_some(rule))
        .build())
}
