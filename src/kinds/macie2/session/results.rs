//! Where the results of every analysis are kept.

mod key;

use std::collections::BTreeSet;

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::{ClassificationExportConfiguration, S3Destination};
use serde::{Deserialize, Serialize};

use super::spec::ClassificationExport;
use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::kms::let_in::{self, Keyed};
use crate::kinds::kms::named::{self, DELIVERY, Named};
use crate::kinds::kms::reads;
use crate::kinds::s3::bucket::place;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::together::{together, when};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, known, told,
};
use crate::policy_document::grants::Rise;

const GET: Call = Call::new("macie2", "GetClassificationExportConfiguration");
const PUT: Call = Call::new("macie2", "PutClassificationExportConfiguration");
const NAME: &str = "classification_export";
const KEY: &str = "classification_export.kms_key_arn";

pub struct Results;

/// What is there, and what is known of what is declared.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    #[serde(default)]
    pub there: Option<ClassificationExport>,
    /// The declared key; absent while there is no session, whose first look it is not.
    #[serde(default)]
    pub declared_key: Option<Keyed>,
    /// Whether the declared bucket is among the account's own; absent where its owner is declared.
    #[serde(default)]
    pub is_own_bucket: Option<bool>,
}

/// Where to, or nowhere.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    #[serde(default)]
    pub to: Option<ClassificationExport>,
}

/// Whether the owner of the bucket is not declared, so that evenkeel looks.
fn looks_at_bucket(spec: &Spec) -> bool {
    spec.classification_export.as_ref().is_some_and(|to| to.expected_bucket_owner.is_none())
}

impl Part for Results {
    type Of = Session;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::read_if(reads::DESCRIBE, Self::is_declared),
        Use::read_if(let_in::GET_POLICY, Self::is_declared),
        Use::read_if(place::LIST, looks_at_bucket),
        Use::write_if(PUT, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.classification_export.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let declared = told(NAME, spec.classification_export.as_ref())?;
        let (there, key, is_own_bucket) = together!(
            there(cx),
            let_in::look_at(cx, &declared.kms_key_arn, DELIVERY),
            when(looks_at_bucket(spec), is_own(cx, &declared.bucket_name)),
        )?;
        Ok(Now { there, declared_key: Some(key), is_own_bucket })
    }

    fn diff(look: &Look<'_, Session>, now: &Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        let Some(spec) = &look.spec.classification_export else { return Vec::new() };
        let wanted = wanted(spec, now);
        let there = now.there.as_ref();
        let mut drift = Drift::new();
        let field = |name: &str| format!("{NAME}.{name}");
        let bucket = there.map(|there| &there.bucket_name);
        drift.compare(&field("bucket_name"), bucket, Some(&spec.bucket_name));
        let prefix = there.and_then(|there| there.key_prefix.as_deref());
        drift.compare_text(&field("key_prefix"), prefix, spec.key_prefix.as_deref());
        let owner = there.and_then(|there| there.expected_bucket_owner.as_ref());
        let declared = spec.expected_bucket_owner.as_ref();
        drift.compare(&field("expected_bucket_owner"), owner, declared);
        let has_key = there.is_some_and(|there| there.kms_key_arn == wanted.kms_key_arn);
        if !has_key {
            drift.add(KEY, there.map(|there| &there.kms_key_arn), Some(&spec.kms_key_arn));
        }
        let shut_out = key::shut_out(look.facts, spec, now);
        if drift.is_empty() {
            return key::useless(spec, now, shut_out).into_iter().collect();
        }
        let change = Change::new(Write { to: Some(wanted.clone()) }, drift);
        let change = if look.is_new() { change } else { change.independent() };
        let change = moved(look, now, &wanted, change);
        vec![if has_key { change } else { key::new(look.facts, spec, now, change, shut_out) }]
    }

    fn calls(write: &Write) -> Vec<Call> {
        let Some(to) = &write.to else { return vec![PUT] };
        let looks = to.expected_bucket_owner.is_none().then_some(place::LIST);
        [PUT, reads::DESCRIBE].into_iter().chain(looks).collect()
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        let destination = match &write.to {
            Some(to) => Some(send(cx, to).await?),
            None => None,
        };
        let configuration =
            ClassificationExportConfiguration::builder().set_s3_destination(destination).build();
        let request = cx.client(Client::new).put_classification_export_configuration();
        cx.send(PUT, request.configuration(configuration).send()).await
    }

    fn is_same(planned: &Write, now: &Write) -> bool {
        let (Some(planned), Some(now)) = (&planned.to, &now.to) else { return planned == now };
        // With a session that is only about to be made, the key is as it is declared.
        let is_same_key = planned.kms_key_arn == now.kms_key_arn
            || now.kms_key_arn.ends_with(&format!(":key/{}", planned.kms_key_arn))
            || named::is_there_by_now(&planned.kms_key_arn, &now.kms_key_arn);
        let kms_key_arn = now.kms_key_arn.clone();
        is_same_key && ClassificationExport { kms_key_arn, ..planned.clone() } == *now
    }

    fn undo(_write: &Write, before: &Now) -> Undo<Write> {
        Undo::By(vec![Write { to: before.there.clone() }])
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.classification_export.clone_from(&now.there);
    }
}

/// What Macie has; Macie tells of none by leaving it out.
async fn there(cx: &Cx) -> Result<Option<ClassificationExport>, ObserveError> {
    let request = cx.client(Client::new).get_classification_export_configuration();
    let answer = cx.read(GET, "", request.send()).await?;
    let Some(said) = answer.configuration().and_then(|all| all.s3_destination()) else {
        return Ok(None);
    };
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let owner = text(said.expected_bucket_owner());
    Ok(Some(ClassificationExport {
        bucket_name: told("bucketName", said.bucket_name())?.to_owned(),
        key_prefix: text(said.key_prefix()),
        kms_key_arn: told("kmsKeyArn", said.kms_key_arn())?.to_owned(),
        expected_bucket_owner: owner
            .map(|owner| known("expectedBucketOwner", &owner))
            .transpose()?,
    }))
}

async fn is_own(cx: &Cx, bucket: &str) -> Result<bool, ObserveError> {
    Ok(place::names(cx).await?.iter().any(|name| name == bucket))
}

/// All that is to be said of the place: what is not declared stays.
fn wanted(spec: &ClassificationExport, now: &Now) -> ClassificationExport {
    let there = now.there.as_ref();
    let of_bucket = there.filter(|there| there.bucket_name == spec.bucket_name);
    let key = now.declared_key.as_ref().and_then(|declared| declared.key.arn());
    let prefix = match &spec.key_prefix {
        Some(prefix) => Some(prefix.clone()),
        None => there.and_then(|there| there.key_prefix.clone()),
    };
    ClassificationExport {
        bucket_name: spec.bucket_name.clone(),
        key_prefix: prefix.filter(|prefix| !prefix.is_empty()),
        kms_key_arn: key.unwrap_or(&spec.kms_key_arn).to_owned(),
        expected_bucket_owner: spec
            .expected_bucket_owner
            .clone()
            .or_else(|| of_bucket.and_then(|there| there.expected_bucket_owner.clone())),
    }
}

/// What is to be said of where results go from now on.
fn moved(
    look: &Look<'_, Session>,
    now: &Now,
    wanted: &ClassificationExport,
    change: Change<Write>,
) -> Change<Write> {
    let mut change = match &now.there {
        Some(there) if there.bucket_name != wanted.bucket_name => {
            change.moves().risk(Risk::Disruptive).warn(format!(
                "results no longer go to the bucket {}: who reads them must follow",
                there.bucket_name
            ))
        }
        Some(_) => change,
        None => {
            change.warn("AWS charges for what is kept in the bucket, and for each use of the key")
        }
    };
    let bucket = &wanted.bucket_name;
    match &wanted.expected_bucket_owner {
        Some(owner) if *owner != look.facts.account => {
            let what = format!("what Macie finds in objects is kept in account {owner}");
            change = change
                .rises([Rise::Foreign { what, accounts: Some(BTreeSet::from([owner.clone()])) }]);
        }
        Some(_) => {}
        None if now.is_own_bucket == Some(false) => {
            change = change.warn(format!(
                "the bucket {bucket} is not among those of this account, and must be by the time of this change: \
                 declare expected_bucket_owner if it is another account's"
            ));
        }
        None => {}
    }
    change
}

/// The place as it is sent, with the ARN of a key that can be used.
async fn send(cx: &WriteCx, to: &ClassificationExport) -> Result<S3Destination, WriteError> {
    let key = named::ready(cx, &to.kms_key_arn, DELIVERY).await?;
    let bucket = &to.bucket_name;
    if to.expected_bucket_owner.is_none() && !is_own(&cx.afresh(), bucket).await? {
        return Err(WriteError::Look(ObserveError::Unclear {
            reason: format!("the bucket {bucket} is not among those of this account, so that nothing was sent"),
            remedy: "make the bucket first, or declare expected_bucket_owner if it is another account's; then run again".to_owned(),
        }));
    }
    let owner = to.expected_bucket_owner.as_ref().map(ToString::to_string);
    Ok(S3Destination::builder()
        .bucket_name(bucket)
        .set_key_prefix(to.key_prefix.clone())
        .kms_key_arn(key)
        .set_expected_bucket_owner(owner)
        .build())
}

pub fn check(spec: &Spec) -> Option<SpecProblem> {
    let declared = spec.classification_export.as_ref()?;
    named::wrong(KEY, &declared.kms_key_arn, DELIVERY)
}

/// Whether the declared key is not there yet, and may be by the time of the change.
fn is_to_come(name: &str, key: &Named) -> bool {
    *key == Named::Missing && named::is_alias(name)
}
