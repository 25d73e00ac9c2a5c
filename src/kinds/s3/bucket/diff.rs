//! What brings a bucket to its declared state, and back.

use serde_json::Value;

use super::lifecycle::{Lifecycle, new_deletions, same_rules};
use super::spec::{
    Action, LogKeyFormat, Logging, ObjectLock, ObjectLockMode, ObjectOwnership, Spec, State, Step,
    Versioning,
};
use super::{encryption, name, policy, tls};
use crate::kinds::{Change, Drift, Facts, GrantClass, Object, Risk, Undo, compared, tags};
use crate::policy_document::grants;
use crate::policy_document::{PolicyDocument, PolicyError, PolicyKind};

/// A bucket on its way to the declared state.
pub(super) struct Look<'a> {
    facts: &'a Facts,
    pub(super) spec: &'a Spec,
    pub(super) state: &'a State,
    region: String,
    /// Whether the bucket is only about to be made: then nobody can lose anything.
    pub(super) is_new: bool,
}

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    match object.state() {
        Some(state) => {
            let look = Look { facts, spec, state, region: state.region.clone(), is_new: false };
            let mut changes: Vec<_> = look.misplaced().into_iter().collect();
            look.settings(&mut changes);
            changes
        }
        None => {
            let region = spec.region.clone().unwrap_or_else(|| facts.home_region.to_string());
            let state = State::default();
            let look = Look { facts, spec, state: &state, region, is_new: true };
            if let Some(problem) = name::problem(&spec.bucket) {
                return vec![look.not_made(problem)];
            }
            let mut changes = vec![look.create()];
            look.settings(&mut changes);
            changes
        }
    }
}

impl Look<'_> {
    pub(super) fn act(&self, step: Step) -> Action {
        Action { bucket: self.spec.bucket.clone(), region: self.region.clone(), step }
    }

    pub(super) fn change(&self, step: Step, drift: Drift) -> Change<Action> {
        Change::new(self.act(step), drift)
    }

    /// The same with a risk, which a new bucket does not have: it hurts nobody.
    pub(super) fn disruptive(&self, change: Change<Action>, warning: &str) -> Change<Action> {
        if self.is_new { change } else { change.risk(Risk::Disruptive).warn(warning) }
    }

    fn create(&self) -> Change<Action> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&self.spec.bucket));
        drift.add("region", None::<&str>, Some(&self.region));
        self.change(Step::Create { object_lock: self.spec.has_object_lock() }, drift)
    }

    /// A bucket whose name S3 takes no more; those that have one may stay.
    fn not_made(&self, problem: &str) -> Change<Action> {
        compared::mark_all();
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&self.spec.bucket));
        Change::finding(drift).withhold(format!(
            "there is no such bucket, and S3 makes none of this name: {problem}; choose another name"
        ))
    }

    fn misplaced(&self) -> Option<Change<Action>> {
        let mut drift = Drift::new();
        let differs = drift.compare("region", Some(&self.state.region), self.spec.region.as_ref());
        differs.then(|| {
            Change::finding(drift).withhold(
                "a bucket cannot move to another Region: make another bucket, or declare this Region",
            )
        })
    }

    /// All settings, in the order in which S3 takes them. Each stands for itself, but all need the
    /// bucket, a public policy needs the switches, and object lock needs versions.
    fn settings(&self, changes: &mut Vec<Change<Action>>) {
        let made: Vec<usize> = self.is_new.then_some(0).into_iter().collect();
        let mut push = |change: Change<Action>, before: Option<usize>| {
            let place = changes.len();
            let is_write = change.action.is_some();
            changes.push(change.needs(made.iter().copied().chain(before)));
            is_write.then_some(place)
        };
        let block = self.public_access_block().and_then(|change| push(change, None));
        for change in [self.ownership(), self.encryption()].into_iter().flatten() {
            push(change, None);
        }
        if let Some(change) = encryption::key_health(self) {
            push(change, None);
        }
        let versions = self.versioning().and_then(|change| push(change, None));
        if let Some(change) = self.mfa_delete() {
            push(change, None);
        }
        for change in self.policy() {
            push(change, block);
        }
        if let Some(change) = self.lifecycle() {
            push(change, None);
        }
        if let Some(change) = self.object_lock() {
            push(change, versions);
        }
        for change in [self.logging(), self.tags()].into_iter().flatten() {
            push(change, None);
        }
    }

    fn public_access_block(&self) -> Option<Change<Action>> {
        let desired = self.spec.public_access_block?;
        let actual = self.state.public_access_block.unwrap_or_default();
        let known = (!self.is_new).then_some(&actual);
        let mut drift = Drift::new();
        macro_rules! compare {
            ($($field:ident),+) => {$(
                drift.compare(
                    concat!("public_access_block.", stringify!($field)),
                    known.map(|known| &known.$field),
                    Some(&desired.$field),
                );
            )+};
        }
        compare!(
            block_public_acls,
            ignore_public_acls,
            block_public_policy,
            restrict_public_buckets
        );
        if drift.is_empty() {
            return None;
        }
        let closes = |then: bool, now: bool| then && !now;
        let mut change = self.change(Step::PutPublicAccessBlock(Some(desired)), drift);
        // A bucket is made with all of them on (S3 User Guide, "Blocking public access").
        let opens = |then: bool, now: bool| !then && (now || self.is_new);
        let open: Vec<&str> = [
            ("block_public_acls", opens(desired.block_public_acls, actual.block_public_acls)),
            ("ignore_public_acls", opens(desired.ignore_public_acls, actual.ignore_public_acls)),
            ("block_public_policy", opens(desired.block_public_policy, actual.block_public_policy)),
            (
                "restrict_public_buckets",
                opens(desired.restrict_public_buckets, actual.restrict_public_buckets),
            ),
        ]
        .into_iter()
        .filter(|(_, opens)| *opens)
        .map(|(name, _)| name)
        .collect();
        if !open.is_empty() {
            let switches = open.join(", ");
            change = change
                .grant(
                    GrantClass::Public,
                    format!(
                        "what ACLs and the bucket's policy allow to everybody, without {switches}"
                    ),
                )
                .warn(format!("weaker than before: {switches} no longer hold for this bucket"));
        }
        let cuts = closes(desired.ignore_public_acls, actual.ignore_public_acls)
            || closes(desired.restrict_public_buckets, actual.restrict_public_buckets);
        Some(if cuts {
            self.disruptive(change, "whoever reads this bucket as the public is locked out")
        } else {
            change
        })
    }

    fn ownership(&self) -> Option<Change<Action>> {
        let mut drift = Drift::new();
        let desired = self.spec.object_ownership?;
        // "Object writer" is what buckets from before there were ownership controls have (S3 User
        // Guide, "Controlling ownership of objects").
        let oldest = ObjectOwnership::ObjectWriter;
        let actual = self.state.object_ownership.or((!self.is_new).then_some(oldest));
        if !drift.compare("object_ownership", actual.as_ref(), Some(&desired)) {
            return None;
        }
        let change = self.change(Step::PutOwnership(Some(desired)), drift);
        Some(self.disruptive(change, "writers that set ACLs may be refused"))
    }

    fn encryption(&self) -> Option<Change<Action>> {
        encryption::diff(self)
    }

    fn versioning(&self) -> Option<Change<Action>> {
        let desired = self.spec.versioning?;
        let mut drift = Drift::new();
        if !drift.compare("versioning", self.state.versioning.as_ref(), Some(&desired)) {
            return None;
        }
        let suspends = desired == Versioning::Suspended;
        // A bucket that never had versions is as good as suspended.
        if suspends && self.state.versioning.is_none() {
            return None;
        }
        let change = self.change(Step::PutVersioning(desired), drift);
        if self.state.mfa_delete {
            return Some(change.withhold(
                "MFA delete is on, so that only the root user, with its MFA device, can change versioning",
            ));
        }
        Some(if suspends {
            self.disruptive(change, "what is overwritten or deleted from now on is lost")
        } else {
            change
        })
    }

    fn mfa_delete(&self) -> Option<Change<Action>> {
        let mut drift = Drift::new();
        let differs = drift.compare(
            "mfa_delete",
            Some(&self.state.mfa_delete),
            self.spec.mfa_delete.as_ref(),
        );
        differs.then(|| {
            Change::finding(drift)
                .withhold("only the root user, with its MFA device, can change MFA delete")
        })
    }

    fn policy(&self) -> Vec<Change<Action>> {
        for field in policy::FIELDS {
            compared::mark(field);
        }
        if !self.spec.has_policy() {
            return Vec::new();
        }
        let actual = match self.state.policy.as_deref().map(PolicyDocument::from_text) {
            None => None,
            Some(Ok(actual)) => Some(actual),
            Some(Err(error)) => return vec![self.unreadable(&error)],
        };
        let before = actual.clone().unwrap_or_else(|| PolicyDocument::of_statements(Vec::new()));
        let (after, notes) = self.merged(&before);
        let mut changes = Vec::new();
        if after != before {
            changes.push(self.put_policy(actual.as_ref(), &before, &after, notes));
        }
        changes.extend(self.denied_by_others(&after));
        changes.extend(self.delivery_denied(&after));
        changes
    }

    fn unreadable(&self, error: &PolicyError) -> Change<Action> {
        let mut drift = Drift::new();
        drift.add("policy", self.state.policy.as_ref(), None::<&str>);
        Change::finding(drift).withhold(format!(
            "the policy that is there cannot be read, so nothing is merged: {error}"
        ))
    }

    fn bucket_arn(&self) -> String {
        format!("arn:{}:s3:::{}", self.facts.partition, self.spec.bucket)
    }

    /// The policy with all that is declared, and what the reader must know of it.
    fn merged(&self, before: &PolicyDocument) -> (PolicyDocument, Vec<String>) {
        let (spec, partition, bucket) = (self.spec, &self.facts.partition, self.bucket_arn());
        let mut document = before.clone();
        if spec.require_tls == Some(false) {
            let mut statements = before.statements();
            statements.retain(|one| !tls::is_own_deny(one, &bucket, partition));
            if statements.len() < before.statements().len() {
                document = before.having(statements);
            }
        }
        let all = policy::required(partition, self.facts.account.as_str(), spec);
        // What others deny in another form is denied already, if it stays.
        let denied = self.denied_already(before);
        let missing = all.iter().filter(|one| !denied.contains(&one.statement)).cloned();
        let merge = document.merge(&missing.collect::<Vec<_>>(), partition);
        let merge = match merge {
            Some(merge) if self.denied_already(&merge.document).len() < denied.len() => {
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
    fn denied_already(&self, document: &PolicyDocument) -> Vec<Value> {
        let bucket = self.bucket_arn();
        let denied = tls::Denied::by(document, &bucket, &self.facts.partition);
        let plain = (self.spec.require_tls == Some(true) && denied.all_plain())
            .then(|| tls::deny_plain(&bucket));
        let version = self.spec.min_tls_version.filter(|version| denied.all_older_than(*version));
        plain.into_iter().chain(version.map(|version| tls::deny_old(&bucket, version))).collect()
    }

    fn put_policy(
        &self,
        actual: Option<&PolicyDocument>,
        before: &PolicyDocument,
        after: &PolicyDocument,
        notes: Vec<String>,
    ) -> Change<Action> {
        let partition = &self.facts.partition;
        let mut drift = Drift::new();
        let is_empty = after.statements().is_empty();
        let desired = (!is_empty).then(|| after.to_value());
        drift.add("policy", actual.map(PolicyDocument::to_value), desired);
        let text = (!is_empty).then(|| after.to_compact_string());
        let rises = grants::of_resource_policy(Some(before), after, self.facts.account.as_str());
        let mut change = self.change(Step::PutPolicy(text), drift).rises(rises);
        if !self.is_new {
            for warning in before.narrowing(after, partition).warnings() {
                change = change.risk(Risk::Disruptive).warn(warning);
            }
        }
        for warning in before.widening(after, partition).into_iter().chain(notes) {
            change = change.warn(warning);
        }
        for statement in after.narrowing(before, partition).added_denies {
            let sid = statement.get("Sid").and_then(|sid| sid.as_str()).unwrap_or_default();
            change =
                change.warn(format!("no longer denied: what the statement {sid:?} denies today"));
        }
        match refused(before, after) {
            Some(reason) => change.withhold(reason),
            None => change,
        }
    }

    /// What others deny for the sake of TLS, and the declaration does not want denied.
    fn denied_by_others(&self, after: &PolicyDocument) -> Vec<Change<Action>> {
        let denied = tls::Denied::by(after, &self.bucket_arn(), &self.facts.partition);
        let mut drift = Drift::new();
        if self.spec.require_tls == Some(false) && denied.some_plain() {
            drift.add("require_tls", Some(true), Some(false));
        }
        if let Some(version) = self.spec.min_tls_version
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
    fn delivery_denied(&self, policy: &PolicyDocument) -> Option<Change<Action>> {
        let partition = &self.facts.partition;
        let required = policy::required(partition, self.facts.account.as_str(), self.spec);
        let wanted: Vec<Value> = required.into_iter().map(|one| one.statement).collect();
        let denied = policy.denying(&wanted, partition);
        if denied.is_empty() {
            return None;
        }
        let mut drift = Drift::new();
        let declares_services = self.spec.services.as_ref().is_some_and(|all| !all.is_empty());
        let field = if declares_services { "services" } else { "extra_policy_statements" };
        drift.add(field, Some(denied), None::<&str>);
        Some(Change::finding(drift).withhold(
            "a statement that evenkeel did not write denies a service what it delivers with, or \
             may do so: take it out of the bucket policy, spare services in it with the condition \
             aws:PrincipalIsAWSService = false, or declare it in extra_policy_statements",
        ))
    }

    fn lifecycle(&self) -> Option<Change<Action>> {
        let spec = self.spec;
        if !spec.has_lifecycle() {
            return None;
        }
        let actual = self.state.lifecycle.clone().unwrap_or_default();
        let mut drift = Drift::new();
        compared::mark("lifecycle");
        if let Some(rules) = &spec.lifecycle
            && !same_rules(rules, &actual.rules)
        {
            let there = (!actual.rules.is_empty()).then_some(&actual.rules);
            drift.add("lifecycle", there, Some(rules));
        }
        let rules = spec.lifecycle.as_ref().unwrap_or(&actual.rules).clone();
        drift.compare(
            "transition_default_minimum_object_size",
            actual.transition_default_minimum_object_size.as_ref(),
            spec.transition_default_minimum_object_size.as_ref(),
        );
        if drift.is_empty() {
            return None;
        }
        if rules.is_empty() && spec.lifecycle.is_none() {
            return Some(Change::finding(drift).withhold(
                "S3 keeps a minimum size with lifecycle rules alone, and there are none: declare \
                 lifecycle",
            ));
        }
        let deletions = new_deletions(&rules, &actual.rules).len();
        let desired = Lifecycle {
            rules,
            transition_default_minimum_object_size: spec
                .transition_default_minimum_object_size
                .or(actual.transition_default_minimum_object_size),
        };
        let change = self.change(Step::PutLifecycle(desired), drift);
        Some(if deletions > 0 && !self.is_new && !self.state.is_empty {
            change.risk(Risk::Destructive).warn(format!(
                "{deletions} new or changed rules delete objects that are old enough, within a day"
            ))
        } else {
            change
        })
    }

    fn object_lock(&self) -> Option<Change<Action>> {
        let mode = self.spec.object_lock_mode?;
        let desired = ObjectLock {
            mode: Some(mode),
            days: self.spec.object_lock_days,
            years: self.spec.object_lock_years,
            event_hold: self.state.object_lock.as_ref().and_then(|lock| lock.event_hold.clone()),
        };
        let actual = self.state.object_lock.clone().unwrap_or_default();
        let mut drift = Drift::new();
        drift.compare("object_lock_mode", actual.mode.as_ref(), desired.mode.as_ref());
        for (field, actual, desired) in [
            ("object_lock_days", actual.days, desired.days),
            ("object_lock_years", actual.years, desired.years),
        ] {
            compared::mark(field);
            if actual != desired {
                drift.add(field, actual, desired);
            }
        }
        if drift.is_empty() {
            return None;
        }
        let weaker = lock_weakens(&actual, &desired);
        let mut change = self.change(Step::PutObjectLock(desired), drift);
        if let Some(how) = weaker {
            change = change.warn(format!("weaker than before: {how}"));
        }
        let never_off = "a bucket's object lock can never be turned off again";
        Some(if mode == ObjectLockMode::Compliance {
            change.risk(Risk::Destructive).warn(
                "in COMPLIANCE mode nobody, not even the root user, can delete an object before its time",
            )
        } else if self.state.object_lock.is_none() && !self.is_new {
            change.risk(Risk::Destructive).warn(never_off)
        } else {
            change
        })
    }

    fn logging(&self) -> Option<Change<Action>> {
        let bucket = self.spec.access_log_bucket.as_deref()?;
        let actual = self.state.logging.as_ref();
        let mut drift = Drift::new();
        drift.compare_text(
            "access_log_bucket",
            actual.map(|logging| logging.bucket.as_str()),
            Some(bucket),
        );
        if bucket.is_empty() {
            return (!drift.is_empty()).then(|| {
                let change = self.change(Step::PutLogging(None), drift);
                self.disruptive(change, "nobody sees any more who asked for what in this bucket")
            });
        }
        drift.compare_text(
            "access_log_prefix",
            actual.map(|logging| logging.prefix.as_str()),
            self.spec.access_log_prefix.as_deref(),
        );
        // "SimplePrefix" is the format of logs that name none (S3 API Reference, LoggingEnabled).
        let named = |logging: &Logging| logging.key_format.unwrap_or(LogKeyFormat::SimplePrefix);
        let reformats = drift.compare(
            "access_log_key_format",
            actual.map(named).as_ref(),
            self.spec.access_log_key_format.as_ref(),
        );
        if drift.is_empty() {
            return None;
        }
        // What is not declared stays as S3 keeps it.
        let mut desired = actual.cloned().unwrap_or_default();
        bucket.clone_into(&mut desired.bucket);
        if let Some(prefix) = &self.spec.access_log_prefix {
            desired.prefix.clone_from(prefix);
        }
        if reformats {
            desired.key_format = self.spec.access_log_key_format;
        }
        Some(self.change(Step::PutLogging(Some(desired)), drift))
    }

    /// One write sets all tags, so there is one change for all.
    fn tags(&self) -> Option<Change<Action>> {
        let desired = self.spec.tags.as_ref()?;
        let comparison = tags::S3.compare(&self.state.tags, desired);
        let removes = !comparison.remove.is_empty();
        let mut drift = comparison.set_drift;
        drift.0.extend(comparison.remove_drift.0);
        if drift.is_empty() {
            return None;
        }
        let mut all = self.state.system_tags.clone();
        all.extend(desired.clone());
        let change = self.change(Step::PutTags(all), drift);
        Some(if removes {
            self.disruptive(
                change,
                "policies and cost reports that look at these tags no longer see them",
            )
        } else {
            change
        })
    }
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

/// How new objects are kept less safely than now, if they are.
fn lock_weakens(actual: &ObjectLock, desired: &ObjectLock) -> Option<String> {
    let days = |lock: &ObjectLock| match (lock.days, lock.years) {
        (Some(days), _) => i64::from(days),
        // S3 counts a year as 365 days.
        (None, years) => i64::from(years.unwrap_or_default()) * 365,
    };
    let mut how = Vec::new();
    if actual.mode == Some(ObjectLockMode::Compliance)
        && desired.mode == Some(ObjectLockMode::Governance)
    {
        how.push(
            "in GOVERNANCE mode, who may bypass it can delete a new object before its time"
                .to_owned(),
        );
    }
    if days(desired) < days(actual) {
        how.push(format!(
            "new objects are kept {} days, and were kept {}",
            days(desired),
            days(actual)
        ));
    }
    (!how.is_empty()).then(|| how.join("; "))
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |step: Step| Undo::By(vec![Action { step, ..action.clone() }]);
    let impossible = |reason: &str| Undo::Impossible(reason.to_owned());
    let new = State::default();
    let state = before.state().unwrap_or(&new);
    match &action.step {
        Step::Create { .. } => impossible("evenkeel never deletes a bucket"),
        Step::PutPublicAccessBlock(_) => by(Step::PutPublicAccessBlock(state.public_access_block)),
        Step::PutOwnership(_) => by(Step::PutOwnership(state.object_ownership)),
        Step::PutEncryption(_) => by(Step::PutEncryption(state.encryption.clone())),
        Step::PutVersioning(_) => match state.versioning {
            Some(versioning) => by(Step::PutVersioning(versioning)),
            None => impossible("a bucket that has had versions can never be without them again"),
        },
        Step::PutPolicy(_) => by(Step::PutPolicy(state.policy.clone())),
        Step::PutLifecycle(_) => {
            by(Step::PutLifecycle(state.lifecycle.clone().unwrap_or_default()))
        }
        Step::PutObjectLock(_) => match &state.object_lock {
            Some(lock) => by(Step::PutObjectLock(lock.clone())),
            None => impossible("a bucket's object lock can never be turned off again"),
        },
        Step::PutLogging(_) => by(Step::PutLogging(state.logging.clone())),
        Step::PutTags(_) => {
            let mut all = state.system_tags.clone();
            all.extend(state.tags.clone());
            by(Step::PutTags(all))
        }
    }
}
