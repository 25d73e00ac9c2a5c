//! Where a bucket is: among the account's own, free, or somebody else's. Every call on a bucket goes
//! to its own Region and insists on its owner.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::types::Bucket;
use serde::{Deserialize, Serialize};

use super::request;
use crate::aws::{AwsError, Call};
use crate::kinds::object::Cause;
use crate::kinds::{Cx, Object, ObserveError, Status, Unknown, told};
use crate::names::Region;

pub const LIST: Call = Call::new("s3", "ListBuckets");
pub const HEAD: Call = Call::new("s3", "HeadBucket");
/// Without a page size, S3 refuses accounts with very many buckets and leaves the Region out.
const PAGE: i32 = 1000;

/// Which bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Its name.
    pub bucket: String,
    /// Its Region.
    pub region: String,
}

/// The bucket of a name.
pub async fn find(cx: &Cx, name: &str) -> Result<Object<Place>, ObserveError> {
    let buckets = buckets(cx).await?;
    let Some(bucket) = buckets.iter().find(|bucket| bucket.name() == Some(name)) else {
        return free(cx, name).await;
    };
    let region = match bucket.bucket_region() {
        Some(region) => Region::new(region),
        None => region(cx, name).await?,
    };
    let place = Place { bucket: name.to_owned(), region: region.to_string() };
    let object = Object::present(name, place);
    let control_tower = name.starts_with("aws-controltower-");
    Ok(if control_tower { object.managed_by("AWS Control Tower") } else { object })
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
async fn free(cx: &Cx, name: &str) -> Result<Object<Place>, ObserveError> {
    let client = cx.client(Client::new);
    let taken = |reason: String, permission: Option<String>, remedy: &str| {
        let remedy = Some(remedy.to_owned());
        let cause = if permission.is_some() { Cause::Unread } else { Cause::Unjudged };
        let unknown = Unknown { reason, permission, remedy, cause };
        Ok(Object {
            id: name.to_owned(),
            label: None,
            managed_by: None,
            status: Status::Unknown(unknown),
        })
    };
    match cx.read(HEAD, name, client.head_bucket().bucket(name).send()).await {
        Err(error) if error.is_code(&["404", "NotFound", "NoSuchBucket"]) => {
            Ok(Object::absent(name))
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
    let request = request!(head_bucket, cx, name).send();
    let answer = cx.read(HEAD, name, request).await?;
    Ok(Region::new(told("BucketRegion", answer.bucket_region())?))
}
