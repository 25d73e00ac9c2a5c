//! A bucket with Object Lock that keeps the heads of audit logs: each is an object of its own, which nobody
//! can change or delete before its time, whoever can write the log.
//!
//! Since each record has the digest of the one before, a head stands for the whole log up to it: what was not
//! kept at once is kept with the next one.
//!
//! Source: Amazon S3 API Reference, `PutObject` (an object with a retention needs a checksum; with
//! `If-None-Match: *`, one that is there is left alone, `PreconditionFailed`) and `ListObjectVersions`; User Guide, "Locking objects with Object Lock" (a delete without a version only hides
//! it: the version is still there).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{ChecksumAlgorithm, ObjectLockMode};
use serde_json::json;

use super::channel::Own;
use crate::aws::session::Options;
use crate::aws::{Call, Session};
use crate::fleet::Fleet;
use crate::fleet::file::Anchor;
use crate::names::Region;
use crate::store::audit::Head;

/// The call that keeps a head.
pub const PUT: Call = Call::new("s3", "PutObject");
const LIST: Call = Call::new("s3", "ListObjectVersions");
/// How long whoever ends waits for it.
const LONGEST: Duration = Duration::from_secs(20);
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The bucket.
pub struct Anchored {
    anchor: Anchor,
    own: Own,
    /// What is kept of which log, as far as this process knows.
    last: tokio::sync::Mutex<Option<Head>>,
}

impl Anchored {
    /// The bucket that a fleet file names.
    pub fn new(anchor: &Anchor, options: Options) -> Self {
        let (own, last) = (Own::new(options), tokio::sync::Mutex::default());
        Self { anchor: anchor.clone(), own, last }
    }

    /// The bucket of a fleet file, if it names one.
    pub fn of(fleet: Option<&Fleet>) -> Option<Self> {
        let fleet = fleet?;
        Some(Self::new(fleet.file.store.anchor.as_ref()?, fleet.options()))
    }

    fn region(&self, session: &Session) -> Region {
        self.anchor.region.as_deref().map_or_else(|| session.home_region().clone(), Region::new)
    }

    /// Keeps the head of a log, within the time that somebody can wait.
    ///
    /// # Errors
    /// Why it is not kept, in words.
    pub async fn keep_in_time(&self, log: &Path) -> Result<(), String> {
        let late = |_| Err(format!("no answer within {} s", LONGEST.as_secs()));
        tokio::time::timeout(LONGEST, self.keep(log)).await.unwrap_or_else(late)
    }

    /// Keeps the head of a log, unless this process has done so already.
    ///
    /// # Errors
    /// Why it is not kept, in words.
    pub async fn keep(&self, log: &Path) -> Result<(), String> {
        // Who comes second waits for the first.
        let mut last = self.last.lock().await;
        let Some(head) = Head::of(log) else { return Ok(()) };
        if last.as_ref() == Some(&head) {
            return Ok(());
        }
        self.put(&head).await?;
        *last = Some(head);
        Ok(())
    }

    async fn put(&self, head: &Head) -> Result<(), String> {
        let session = self.own.session().await?;
        let region = self.region(session);
        let (name, now) = (head.name(), SystemTime::now());
        let body = json!({
            "log": head.log, "record": head.number, "digest": head.digest,
            "time": chrono::DateTime::<chrono::Utc>::from(now),
        });
        let request = session
            .client(&region, Client::new)
            .put_object()
            .bucket(&self.anchor.bucket)
            .key(format!("{}{name}", self.anchor.prefix))
            .content_type("application/json")
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .object_lock_mode(ObjectLockMode::Compliance)
            .object_lock_retain_until_date(DateTime::from(now + A_DAY * self.anchor.days))
            .body(ByteStream::from(format!("{body}\n").into_bytes()))
            .send();
        match session.send(&region, PUT, None, request).await {
            // Somebody has kept it before: its name says all of it.
            Err(error) if error.is_code(&["PreconditionFailed"]) => Ok(()),
            answer => answer.map(drop).map_err(|error| error.to_string()),
        }
    }

    /// The heads that were kept under the prefix, by what their log is called; also those that somebody has
    /// hidden since.
    ///
    /// # Errors
    /// Why they are not known, in words.
    pub async fn kept(&self) -> Result<BTreeMap<String, BTreeSet<Head>>, String> {
        let session = self.own.session().await?;
        let region = self.region(session);
        let client = session.client(&region, Client::new);
        let mut heads: BTreeMap<String, BTreeSet<Head>> = BTreeMap::new();
        let (mut key, mut version) = (None, None);
        loop {
            let request = client
                .list_object_versions()
                .bucket(&self.anchor.bucket)
                .prefix(&self.anchor.prefix)
                .set_key_marker(key)
                .set_version_id_marker(version)
                .send();
            let page = session.send(&region, LIST, None, request).await;
            let page = page.map_err(|error| error.to_string())?;
            let keys = page.versions().iter().filter_map(|version| version.key());
            let names = keys.filter_map(|key| key.strip_prefix(self.anchor.prefix.as_str()));
            for head in names.filter_map(Head::named) {
                heads.entry(head.log.clone()).or_default().insert(head);
            }
            match (page.is_truncated, page.next_key_marker) {
                (Some(false), _) => return Ok(heads),
                (Some(true), Some(next)) => {
                    (key, version) = (Some(next), page.next_version_id_marker);
                }
                _ => return Err("S3 does not say whether there is more, or where".to_owned()),
            }
        }
    }
}
