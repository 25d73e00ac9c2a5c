//! A resource policy into which a kind merges its statements: what replacing it does, what others deny
//! of that which is to be delivered, and whom they let in from outside. Statements of others stay as
//! they are, so that what is wrong with them is a finding.

use serde_json::{Value, json};

use super::{Change, Drift, Facts, Risk, compared};
use crate::baseline::catalog::SpecProblem;
use crate::policy_document::grants::{self, Rise};
use crate::policy_document::{Owner, PolicyDocument, PolicyError, PolicyKind, Required};

/// The field that declares statements, in every kind that merges some.
const DECLARED: &str = "extra_policy_statements";

/// The text of a policy to write; `None` deletes it.
pub type Write = Option<String>;

/// What must be in the policy of an object.
#[derive(Debug)]
pub struct Merging<'a> {
    /// Where the object is.
    pub facts: &'a Facts,
    /// Whether the object is only about to be made: then nobody can lose anything.
    pub is_new: bool,
    /// The statements that must be in it.
    pub required: Vec<Required>,
    /// What the policy hangs on.
    pub kind: PolicyKind,
    /// What it is called: `bucket policy`.
    pub name: &'static str,
    /// The field that it is shown under.
    pub field: &'static str,
}

/// The statements that evenkeel makes and those that a baseline declares, in this order.
pub fn required<S: serde::Serialize>(made: Vec<Value>, declared: Option<&Vec<S>>) -> Vec<Required> {
    let declared = declared.into_iter().flatten().map(|statement| json!(statement));
    made.into_iter()
        .map(|statement| Required { statement, owner: Owner::Evenkeel })
        .chain(declared.map(|statement| Required { statement, owner: Owner::Baseline }))
        .collect()
}

/// What AWS would refuse of the statements that a baseline declares, and those that have the `Sid` of one
/// of evenkeel's own making. `thing` is what the policy hangs on: `bucket`.
pub fn refused(required: Vec<Required>, kind: PolicyKind, thing: &str) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let (made, extra): (Vec<_>, Vec<_>) =
        required.into_iter().partition(|one| one.owner == Owner::Evenkeel);
    let extra: Vec<_> = extra.into_iter().map(|one| one.statement).collect();
    for statement in &extra {
        let sid = statement.get("Sid").and_then(|sid| sid.as_str());
        if let Some(sid) = sid
            && made.iter().any(|one| one.statement.get("Sid") == statement.get("Sid"))
        {
            problems.push(SpecProblem::new(
                DECLARED,
                format!(
                    "the Sid {sid:?} is that of a statement which follows from another field of this \
                     {thing}"
                ),
                "choose another Sid",
            ));
        }
    }
    let document = PolicyDocument::of_statements(extra);
    match PolicyDocument::from_text(&document.to_compact_string()) {
        Ok(_) => {
            for refusal in document.refusals(kind) {
                problems.push(SpecProblem::new(DECLARED, &refusal.message, refusal.help));
            }
        }
        Err(error) => {
            let help = "see the IAM policy grammar";
            problems.push(SpecProblem::new(DECLARED, error.to_string(), help));
        }
    }
    problems
}

/// Whether two texts of a policy say the same: AWS keeps them in a form of its own.
pub fn is_same(one: &Write, other: &Write) -> bool {
    // In which partition an account's id is short for an ARN makes no difference to what both say.
    const ANY: &str = "aws";
    match (one, other) {
        (Some(one), Some(other)) => {
            match (PolicyDocument::from_text(one), PolicyDocument::from_text(other)) {
                (Ok(one), Ok(other)) => one.same_meaning(&other, ANY),
                _ => one == other,
            }
        }
        _ => one == other,
    }
}

/// A policy that is there and cannot be read. `how` is the command that writes one by hand.
pub fn unreadable(now: &str, error: &PolicyError, how: &str) -> Change<Write> {
    let mut drift = Drift::new();
    drift.add("policy", Some(now), None::<&str>);
    Change::finding(drift).withhold(format!(
        "the policy that is there cannot be read, so nothing is merged: {error}; correct it by hand first ({how})"
    ))
}

impl Merging<'_> {
    fn form(&self, statement: &Value) -> Value {
        PolicyDocument::canonical_statement(statement, &self.facts.partition)
    }

    /// The policy with all that must be in it, and what the reader must know of it. Where statements are
    /// `declared`, those that once were, without a `Sid`, and are not any more go.
    pub fn merged(&self, before: &PolicyDocument, declared: bool) -> (PolicyDocument, Vec<String>) {
        let partition = &self.facts.partition;
        let former = declared.then(|| before.without_former(&self.required, partition)).flatten();
        let document = former.unwrap_or_else(|| before.clone());
        match document.merge(&self.required, partition) {
            Some(merge) => (merge.document, merge.notes),
            None => (document, Vec::new()),
        }
    }

    /// The changes that put a policy in the place of another. What it takes away from services stays, if there
    /// is room for both, until all have moved that this plan moves: nobody is shut out meanwhile.
    pub fn steps(
        &self,
        actual: Option<&PolicyDocument>,
        before: &PolicyDocument,
        after: &PolicyDocument,
        notes: Vec<String>,
    ) -> Vec<Change<Write>> {
        let Some(between) = before.on_the_way_to(after, &self.facts.partition) else {
            return vec![self.put(actual, before, after, notes)];
        };
        if between.too_large(self.kind).is_some() && after.too_large(self.kind).is_none() {
            let change = self.put(actual, before, after, notes);
            return vec![change.warn(
                "the policy has no room for what services may do by now beside what they may do then: \
                 who delivers elsewhere from then on is refused until it does",
            )];
        }
        let mut changes = Vec::new();
        if between != *before {
            changes.push(self.put(actual, before, &between, notes));
        }
        let widened = changes.len().checked_sub(1);
        let last = self.put(Some(&between), &between, after, Vec::new());
        changes.push(last.comes_last().needs(widened));
        changes
    }

    /// The change that puts a policy in the place of another: who loses what, who gets what, and
    /// whether AWS would take it. `actual` is what the reader sees of the former one.
    pub fn put(
        &self,
        actual: Option<&PolicyDocument>,
        before: &PolicyDocument,
        after: &PolicyDocument,
        notes: Vec<String>,
    ) -> Change<Write> {
        let partition = &self.facts.partition;
        let mut drift = Drift::new();
        let is_empty = after.statements().is_empty();
        let desired = (!is_empty).then(|| after.to_value());
        drift.add(self.field, actual.map(PolicyDocument::to_value), desired);
        let text = (!is_empty).then(|| after.to_compact_string());
        let rises = grants::of_resource_policy(Some(before), after, self.facts.account.as_str());
        let mut change =
            Change::new(text, drift).rises(rises).rises(grants::of_lifted_denials(before, after));
        if !self.is_new {
            for warning in before.narrowing(after, partition).warnings() {
                change = change.risk(Risk::Disruptive).warn(warning);
            }
        }
        for warning in before.widening(after, partition).into_iter().chain(notes) {
            change = change.warn(warning);
        }
        match self.refused(before, after) {
            Some(reason) => change.withhold(reason),
            None => change,
        }
    }

    /// What others deny of that which the required statements let services do; `field` asks for it.
    pub fn denied(&self, field: &str, policy: &PolicyDocument) -> Option<Change<Write>> {
        let wanted: Vec<Value> = self.required.iter().map(|one| one.statement.clone()).collect();
        let denied = policy.denying(&wanted, &self.facts.partition);
        if denied.is_empty() {
            return None;
        }
        let mut drift = Drift::new();
        drift.add(field, Some(denied), None::<&str>);
        Some(Change::finding(drift).withhold(format!(
            "a statement that evenkeel did not write denies a service what it delivers with, or \
             may do so: take it out of the {}, spare services in it with the condition \
             aws:PrincipalIsAWSService = false, or declare it in extra_policy_statements",
            self.name
        )))
    }

    /// Whom statements of others let in from outside of the account; `field` forbids it.
    pub fn foreign_access(&self, field: &str, policy: &PolicyDocument) -> Option<Change<Write>> {
        let account = self.facts.account.as_str();
        let declared: Vec<Value> =
            self.required.iter().map(|one| self.form(&one.statement)).collect();
        let others =
            policy.statements().into_iter().filter(|one| !declared.contains(&self.form(one)));
        let rises: Vec<Rise> = others.flat_map(|one| grants::from_outside(&one, account)).collect();
        if rises.is_empty() {
            return None;
        }
        let mut drift = Drift::new();
        let words: Vec<&str> = rises.iter().map(Rise::what).collect();
        drift.add(field, Some(words), None::<&str>);
        Some(Change::finding(drift).withhold(format!(
            "a statement that evenkeel did not write lets somebody outside of the account in: take it \
             out of the {}, or declare it in extra_policy_statements",
            self.name
        )))
    }

    /// Why AWS would refuse a policy.
    fn refused(&self, before: &PolicyDocument, after: &PolicyDocument) -> Option<String> {
        if let Some(refusal) = after.too_large(self.kind) {
            return Some(format!("{}: {}", refusal.message, refusal.help));
        }
        let dangling = after.dangling_principals();
        if !dangling.is_empty() {
            return Some(format!(
                "the policy names {}, users or roles that were deleted, and {} refuses any policy with \
                 such names: take them out first",
                dangling.join(", "),
                self.kind.service(),
            ));
        }
        self.misread(before)
    }

    /// Why a policy that is there says something else with the required statements than they say.
    fn misread(&self, policy: &PolicyDocument) -> Option<String> {
        let is_misread = self.required.iter().any(|one| policy.misreads(&one.statement));
        (is_misread && !policy.statements().is_empty()).then(|| {
            format!(
                "the policy is written in the language of {}, which has no variables: raise its \
                 Version to {} first, once what others wrote into it means the same in that",
                policy.version(),
                PolicyDocument::VERSION
            )
        })
    }

    /// A policy that has all the statements that must be in it, letter for letter, and reads them in
    /// another way than they are meant.
    pub fn misread_as_it_is(&self, policy: &PolicyDocument) -> Option<Change<Write>> {
        let why = self.misread(policy)?;
        let mut drift = Drift::new();
        let version = |version: &str| json!({ "Version": version });
        let (there, wanted) = (version(policy.version()), version(PolicyDocument::VERSION));
        drift.add(self.field, Some(there), Some(wanted));
        Some(Change::finding(drift).withhold(why))
    }
}

/// Notes that all the fields that a policy answers for were compared.
pub fn mark(fields: &[&str]) {
    fields.iter().copied().for_each(compared::mark);
}
