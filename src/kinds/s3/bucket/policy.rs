//! The policy of a bucket: what is declared is merged into what is there.

use serde_json::Value;

use super::spec::Spec;
use super::{Bucket, Place, bucket, request, statements, tls};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::merged::{self, Merging, Write};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError};
use crate::policy_document::{PolicyDocument, PolicyKind, Required};

const GET: Call = Call::new("s3", "GetBucketPolicy");
pub const PUT: Call = Call::new("s3", "PutBucketPolicy");
const DELETE: Call = Call::new("s3", "DeleteBucketPolicy");

pub struct Policy;

impl Part for Policy {
    type Of = Bucket;
    /// As AWS returned it.
    type Now = Option<String>;
    /// `None` deletes it.
    type Write = Write;

    // It comes after the switches and waits for them no more than for others: a deny must not, and of
    // a public policy S3 itself says whether the switches let it in.
    const NAME: &'static str = "policy";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(PUT, has_statements, bucket),
        Use::write_if(DELETE, may_be_emptied, bucket),
    ];

    fn is_declared(spec: &Spec) -> bool {
        has_statements(spec) || spec.forbid_foreign_access.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Option<String>, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_bucket_policy, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await.absent_if(&["NoSuchBucketPolicy"])?;
        let text = answer.as_ref().and_then(|answer| answer.policy());
        if let Some(text) = text {
            PolicyDocument::from_text(text).map_err(|error| ObserveError::Malformed {
                field: "Policy".to_owned(),
                problem: error.to_string(),
            })?;
        }
        Ok(text.map(str::to_owned))
    }

    fn diff(look: &Look<'_, Bucket>, now: &Option<String>) -> Vec<Change<Write>> {
        merged::mark(&statements::FIELDS);
        let actual = match now.as_deref().map(|now| (now, PolicyDocument::from_text(now))) {
            None => None,
            Some((_, Ok(actual))) => Some(actual),
            Some((now, Err(error))) => {
                return vec![merged::unreadable(now, &error, "aws s3api put-bucket-policy")];
            }
        };
        let before = actual.clone().unwrap_or_else(|| PolicyDocument::of_statements(Vec::new()));
        let (after, notes) = merged(look, &before);
        let merging = merging(look);
        let mut changes = Vec::new();
        if after != before {
            changes.extend(merging.steps(actual.as_ref(), &before, &after, notes));
        } else {
            changes.extend(merging.misread_as_it_is(&before));
        }
        changes.extend(denied_by_others(look, &after));
        let declares_services = look.spec.services.as_ref().is_some_and(|all| !all.is_empty());
        let field = if declares_services { "services" } else { "extra_policy_statements" };
        changes.extend(merging.denied(field, &after));
        if look.spec.forbid_foreign_access == Some(true) {
            changes.extend(merging.foreign_access("forbid_foreign_access", &after));
        }
        changes
    }

    fn calls(policy: &Write) -> Vec<Call> {
        vec![if policy.is_some() { PUT } else { DELETE }]
    }

    async fn write(cx: &WriteCx, place: &Place, policy: &Write) -> Result<(), WriteError> {
        let bucket = &place.bucket;
        match policy {
            Some(policy) => {
                let request = request!(put_bucket_policy, cx, bucket).policy(policy);
                cx.send(PUT, request.send()).await
            }
            None => cx.send(DELETE, request!(delete_bucket_policy, cx, bucket).send()).await,
        }
    }

    fn is_same(one: &Write, other: &Write) -> bool {
        merged::is_same(one, other)
    }

    fn undo(_: &Write, before: &Option<String>) -> Undo<Write> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Option<String>, spec: &mut Spec) {
        spec.extra_policy_statements = now.as_deref().and_then(|text| {
            let statements = PolicyDocument::from_text(text).ok()?.statements();
            serde_json::from_value(Value::Array(statements)).ok()
        });
    }
}

/// Whether anything is declared that evenkeel writes.
fn has_statements(spec: &Spec) -> bool {
    spec.services.is_some()
        || spec.require_tls.is_some()
        || spec.min_tls_version.is_some()
        || spec.extra_policy_statements.is_some()
}

/// Whether evenkeel may take away the only statement of the policy: it puts none there itself.
fn may_be_emptied(spec: &Spec) -> bool {
    (spec.require_tls == Some(false) || spec.extra_policy_statements.is_some())
        && spec.require_tls != Some(true)
        && spec.min_tls_version.is_none()
        && spec.services.as_ref().is_none_or(std::collections::BTreeSet::is_empty)
        && spec.extra_policy_statements.as_ref().is_none_or(Vec::is_empty)
}

fn arn(look: &Look<'_, Bucket>) -> String {
    format!("arn:{}:s3:::{}", look.facts.partition, look.spec.bucket)
}

/// The statements that the spec asks for.
fn required(look: &Look<'_, Bucket>) -> Vec<Required> {
    statements::required(&look.facts.partition, look.facts.account.as_str(), look.spec)
}

fn merging<'a>(look: &Look<'a, Bucket>) -> Merging<'a> {
    Merging {
        facts: look.facts,
        is_new: look.is_new(),
        required: required(look),
        kind: PolicyKind::Bucket,
        name: "bucket policy",
        field: "policy",
    }
}

/// The policy with all that is declared, and what the reader must know of it.
fn merged(look: &Look<'_, Bucket>, before: &PolicyDocument) -> (PolicyDocument, Vec<String>) {
    let (spec, partition, bucket) = (look.spec, &look.facts.partition, arn(look));
    // What stayed until all had moved goes, unless somebody still uses it.
    let mut document = before.without_staying(partition);
    if spec.require_tls == Some(false) {
        let mut statements = document.statements();
        let all = statements.len();
        statements.retain(|one| !tls::is_own_deny(one, &bucket, partition));
        if statements.len() < all {
            document = document.having(statements);
        }
    }
    let all = required(look);
    if spec.extra_policy_statements.is_some() {
        document = document.without_former(&all, partition).unwrap_or(document);
    }
    // What others deny in another form is denied already, if it stays.
    let denied = denied_already(look, before);
    let missing = all.iter().filter(|one| !denied.contains(&one.statement)).cloned();
    let merge = document.merge(&missing.collect::<Vec<_>>(), partition);
    let merge = match merge {
        Some(merge) if denied_already(look, &merge.document).len() < denied.len() => {
            document.merge(&all, partition)
        }
        merge => merge,
    };
    match merge {
        Some(merge) => (merge.document, merge.notes),
        None => (document, Vec::new()),
    }
}

/// Of the statements that evenkeel writes for the sake of TLS, those whose work is done by the
/// policy's own.
fn denied_already(look: &Look<'_, Bucket>, document: &PolicyDocument) -> Vec<Value> {
    let bucket = arn(look);
    let denied = tls::Denied::by(document, &bucket, &look.facts.partition);
    let plain = (look.spec.require_tls == Some(true) && denied.all_plain())
        .then(|| tls::deny_plain(&bucket));
    let version = look.spec.min_tls_version.filter(|version| denied.all_older_than(*version));
    plain.into_iter().chain(version.map(|version| tls::deny_old(&bucket, version))).collect()
}

/// What others deny for the sake of TLS, and the declaration does not want denied.
fn denied_by_others(look: &Look<'_, Bucket>, after: &PolicyDocument) -> Vec<Change<Write>> {
    let denied = tls::Denied::by(after, &arn(look), &look.facts.partition);
    let mut drift = Drift::new();
    if look.spec.require_tls == Some(false) && denied.some_plain() {
        drift.add("require_tls", Some(true), Some(false));
    }
    if let Some(version) = look.spec.min_tls_version
        && let Some(more) = denied.more_than(version)
    {
        drift.add("min_tls_version", Some(more), Some(version));
    }
    if drift.is_empty() {
        return Vec::new();
    }
    vec![Change::finding(drift).withhold(
        "a statement that evenkeel did not write denies this: take it out of the bucket policy, \
         or declare what it denies",
    )]
}
