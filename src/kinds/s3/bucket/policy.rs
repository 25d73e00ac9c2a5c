//! The policy of a bucket: what is declared is merged into what is there.

use serde_json::Value;

use super::spec::Spec;
use super::{Bucket, Place, bucket, request, statements, tls};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared,
};
use crate::policy_document::grants::{self, Rise};
use crate::policy_document::{PolicyDocument, PolicyError, PolicyKind, Required};

const GET: Call = Call::new("s3", "GetBucketPolicy");
pub const PUT: Call = Call::new("s3", "PutBucketPolicy");
const DELETE: Call = Call::new("s3", "DeleteBucketPolicy");

type Write = Option<String>;

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
        for field in statements::FIELDS {
            compared::mark(field);
        }
        let actual = match now.as_deref().map(PolicyDocument::from_text) {
            None => None,
            Some(Ok(actual)) => Some(actual),
            Some(Err(error)) => return vec![unreadable(now, &error)],
        };
        let before = actual.clone().unwrap_or_else(|| PolicyDocument::of_statements(Vec::new()));
        let (after, notes) = merged(look, &before);
        let mut changes = Vec::new();
        if after != before {
            changes.push(put(look, actual.as_ref(), &before, &after, notes));
        }
        changes.extend(denied_by_others(look, &after));
        changes.extend(delivery_denied(look, &after));
        changes.extend(foreign_access(look, &after));
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

fn unreadable(now: &Option<String>, error: &PolicyError) -> Change<Write> {
    let mut drift = Drift::new();
    drift.add("policy", now.as_ref(), None::<&str>);
    Change::finding(drift)
        .withhold(format!("the policy that is there cannot be read, so nothing is merged: {error}; correct it by hand first (aws s3api put-bucket-policy)"))
}

fn arn(look: &Look<'_, Bucket>) -> String {
    format!("arn:{}:s3:::{}", look.facts.partition, look.spec.bucket)
}

/// The statements that the spec asks for.
fn required(look: &Look<'_, Bucket>) -> Vec<Required> {
    statements::required(&look.facts.partition, look.facts.account.as_str(), look.spec)
}

/// The policy with all that is declared, and what the reader must know of it.
fn merged(look: &Look<'_, Bucket>, before: &PolicyDocument) -> (PolicyDocument, Vec<String>) {
    let (spec, partition, bucket) = (look.spec, &look.facts.partition, arn(look));
    let mut document = before.clone();
    if spec.require_tls == Some(false) {
        let mut statements = before.statements();
        statements.retain(|one| !tls::is_own_deny(one, &bucket, partition));
        if statements.len() < before.statements().len() {
            document = before.having(statements);
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

fn put(
    look: &Look<'_, Bucket>,
    actual: Option<&PolicyDocument>,
    before: &PolicyDocument,
    after: &PolicyDocument,
    notes: Vec<String>,
) -> Change<Write> {
    let partition = &look.facts.partition;
    let mut drift = Drift::new();
    let is_empty = after.statements().is_empty();
    let desired = (!is_empty).then(|| after.to_value());
    drift.add("policy", actual.map(PolicyDocument::to_value), desired);
    let text = (!is_empty).then(|| after.to_compact_string());
    let rises = grants::of_resource_policy(Some(before), after, look.facts.account.as_str());
    let mut change =
        Change::new(text, drift).rises(rises).rises(grants::of_lifted_denials(before, after));
    if !look.is_new() {
        for warning in before.narrowing(after, partition).warnings() {
            change = change.risk(Risk::Disruptive).warn(warning);
        }
    }
    for warning in before.widening(after, partition).into_iter().chain(notes) {
        change = change.warn(warning);
    }
    match refused(before, after) {
        Some(reason) => change.withhold(reason),
        None => change,
    }
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

/// What others deny of that which the declared services need to deliver.
fn delivery_denied(look: &Look<'_, Bucket>, policy: &PolicyDocument) -> Option<Change<Write>> {
    let partition = &look.facts.partition;
    let required = required(look);
    let wanted: Vec<Value> = required.into_iter().map(|one| one.statement).collect();
    let denied = policy.denying(&wanted, partition);
    if denied.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    let declares_services = look.spec.services.as_ref().is_some_and(|all| !all.is_empty());
    let field = if declares_services { "services" } else { "extra_policy_statements" };
    drift.add(field, Some(denied), None::<&str>);
    Some(Change::finding(drift).withhold(
        "a statement that evenkeel did not write denies a service what it delivers with, or \
         may do so: take it out of the bucket policy, spare services in it with the condition \
         aws:PrincipalIsAWSService = false, or declare it in extra_policy_statements",
    ))
}

/// Whom statements of others let in from outside of the account.
fn foreign_access(look: &Look<'_, Bucket>, policy: &PolicyDocument) -> Option<Change<Write>> {
    if look.spec.forbid_foreign_access != Some(true) {
        return None;
    }
    let (partition, account) = (&look.facts.partition, look.facts.account.as_str());
    let form = |statement: &Value| PolicyDocument::canonical_statement(statement, partition);
    let declared: Vec<Value> = required(look).iter().map(|one| form(&one.statement)).collect();
    let others = policy.statements().into_iter().filter(|one| !declared.contains(&form(one)));
    let rises: Vec<Rise> = others.flat_map(|one| grants::from_outside(&one, account)).collect();
    if rises.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    let words: Vec<&str> = rises.iter().map(Rise::what).collect();
    drift.add("forbid_foreign_access", Some(words), None::<&str>);
    Some(Change::finding(drift).withhold(
        "a statement that evenkeel did not write lets somebody outside of the account in: take it \
         out of the bucket policy, or declare it in extra_policy_statements",
    ))
}

/// Why S3 would refuse a policy.
fn refused(before: &PolicyDocument, after: &PolicyDocument) -> Option<String> {
    if let Some(refusal) = after.too_large(PolicyKind::Bucket) {
        return Some(format!("{}: {}", refusal.message, refusal.help));
    }
    let dangling = after.dangling_principals();
    if !dangling.is_empty() {
        return Some(format!(
            "the policy names {}, users or roles that were deleted, and S3 refuses any policy with \
             such names: take them out first",
            dangling.join(", ")
        ));
    }
    let added = after.statements().into_iter().filter(|one| !before.statements().contains(one));
    let has_variables = added.into_iter().any(|one| one.to_string().contains("${"));
    (has_variables && after.version() != PolicyDocument::VERSION && !before.statements().is_empty())
        .then(|| {
            format!(
                "the policy is written in the language of {}, which has no variables: raise its \
                 Version to {} first",
                after.version(),
                PolicyDocument::VERSION
            )
        })
}
