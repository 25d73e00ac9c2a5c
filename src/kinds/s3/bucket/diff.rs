//! What brings a bucket to its declared state, and back.

use super::lifecycle::{Lifecycle, new_deletions, same_rules};
use super::policy;
use super::spec::{
    Action, Encryption, EncryptionType, Logging, ObjectLock, ObjectLockMode, PublicAccessBlock,
    Spec, SseAlgorithm, State, Step, Versioning,
};
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants;

/// A bucket on its way to the declared state.
struct Look<'a> {
    facts: &'a Facts,
    spec: &'a Spec,
    state: &'a State,
    region: String,
    /// Whether the bucket is only about to be made: then nobody can lose anything.
    is_new: bool,
}

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    match object.state() {
        Some(state) => {
            let look = Look { facts, spec, state, region: state.region.clone(), is_new: false };
            let mut changes: Vec<_> = look.misplaced().into_iter().collect();
            changes.extend(look.settings());
            changes
        }
        None => {
            let region = spec.region.clone().unwrap_or_else(|| facts.home_region.to_string());
            let state = State::default();
            let look = Look { facts, spec, state: &state, region, is_new: true };
            let mut changes = vec![look.create()];
            changes.extend(look.settings());
            changes
        }
    }
}

impl Look<'_> {
    fn act(&self, step: Step) -> Action {
        Action { bucket: self.spec.bucket.clone(), region: self.region.clone(), step }
    }

    /// A change, which in a new bucket hurts nobody.
    fn change(&self, step: Step, drift: Drift) -> Change<Action> {
        Change::new(self.act(step), drift)
    }

    fn disruptive(&self, change: Change<Action>, warning: &str) -> Change<Action> {
        if self.is_new { change } else { change.risk(Risk::Disruptive).warn(warning) }
    }

    fn create(&self) -> Change<Action> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&self.spec.bucket));
        drift.add("region", None::<&str>, Some(&self.region));
        self.change(Step::Create { object_lock: self.spec.has_object_lock() }, drift)
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

    /// All settings, in the order in which S3 takes them.
    fn settings(&self) -> Vec<Change<Action>> {
        [
            self.public_access_block(),
            self.ownership(),
            self.encryption(),
            self.versioning(),
            self.mfa_delete(),
            self.policy(),
            self.lifecycle(),
            self.object_lock(),
            self.logging(),
            self.tags(),
        ]
        .into_iter()
        .flatten()
        .collect()
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
        let change = self.change(Step::PutPublicAccessBlock(Some(desired)), drift);
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
        if !drift.compare("object_ownership", self.state.object_ownership.as_ref(), Some(&desired))
        {
            return None;
        }
        let change = self.change(Step::PutOwnership(Some(desired)), drift);
        Some(self.disruptive(change, "writers that set ACLs may be refused"))
    }

    fn encryption(&self) -> Option<Change<Action>> {
        let spec = self.spec;
        if !spec.has_encryption() {
            return None;
        }
        let actual = self.state.encryption.clone().unwrap_or(Encryption {
            sse_algorithm: SseAlgorithm::Aes256,
            kms_master_key_id: None,
            bucket_key_enabled: false,
            blocked_encryption_types: Default::default(),
        });
        let sse_algorithm = spec.sse_algorithm.unwrap_or(actual.sse_algorithm);
        let key = match spec.kms_master_key_id.as_deref() {
            Some("") => None,
            Some(key) => Some(key.to_owned()),
            // AES256 has no key of its own.
            None if sse_algorithm == SseAlgorithm::Aes256 => None,
            None => actual.kms_master_key_id.clone(),
        };
        let desired = Encryption {
            sse_algorithm,
            kms_master_key_id: key,
            bucket_key_enabled: spec.bucket_key_enabled.unwrap_or(actual.bucket_key_enabled),
            blocked_encryption_types: spec
                .blocked_encryption_types
                .clone()
                .unwrap_or_else(|| actual.blocked_encryption_types.clone()),
        };
        let known = (!self.is_new).then_some(&actual);
        let mut drift = Drift::new();
        drift.compare(
            "sse_algorithm",
            known.map(|known| &known.sse_algorithm),
            spec.sse_algorithm.as_ref(),
        );
        let key_differs = drift.compare_text(
            "kms_master_key_id",
            known.and_then(|known| known.kms_master_key_id.as_deref()),
            spec.kms_master_key_id.as_deref(),
        );
        drift.compare(
            "bucket_key_enabled",
            known.map(|known| &known.bucket_key_enabled),
            spec.bucket_key_enabled.as_ref(),
        );
        self.compare_blocked(&mut drift, known);
        if drift.is_empty() {
            return None;
        }
        let to_kms = desired.sse_algorithm != SseAlgorithm::Aes256
            && (key_differs || actual.sse_algorithm == SseAlgorithm::Aes256);
        let blocks = desired.blocked_encryption_types.contains(&EncryptionType::SseC)
            && !actual.blocked_encryption_types.contains(&EncryptionType::SseC);
        let mut change = self.change(Step::PutEncryption(Some(desired)), drift);
        if to_kms {
            change = self.disruptive(
                change,
                "who writes to or reads from this bucket needs rights to the key",
            );
        }
        if blocks {
            change = self.disruptive(change, "writers with keys of their own (SSE-C) are refused");
        }
        Some(change)
    }

    /// "NONE" and nothing blocked are the same.
    fn compare_blocked(&self, drift: &mut Drift, known: Option<&Encryption>) {
        compared::mark("blocked_encryption_types");
        let Some(desired) = &self.spec.blocked_encryption_types else { return };
        let blocks = |types: &std::collections::BTreeSet<EncryptionType>| {
            types.contains(&EncryptionType::SseC)
        };
        match known {
            Some(known) if blocks(&known.blocked_encryption_types) == blocks(desired) => {}
            known => drift.add(
                "blocked_encryption_types",
                known.map(|known| &known.blocked_encryption_types),
                Some(desired),
            ),
        }
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

    fn policy(&self) -> Option<Change<Action>> {
        for field in policy::FIELDS {
            compared::mark(field);
        }
        let required = policy::required(self.facts, self.spec);
        let partition = &self.facts.partition;
        let actual =
            self.state.policy.as_deref().and_then(|text| PolicyDocument::from_text(text).ok());
        let before = actual.clone().unwrap_or_else(|| PolicyDocument::of_statements(Vec::new()));
        if required.is_empty() || before.missing_statements(&required, partition).is_empty() {
            return None;
        }
        let after = before.with_statements(&required, partition);
        let mut drift = Drift::new();
        drift.add("policy", actual.map(|actual| actual.to_value()), Some(after.to_value()));
        let rises = grants::of_resource_policy(Some(&before), &after, self.facts.account.as_str());
        let step = Step::PutPolicy(Some(after.to_compact_string()));
        let mut change = self.change(step, drift).rises(rises);
        if !self.is_new {
            for warning in before.narrowing(&after, partition).warnings() {
                change = change.risk(Risk::Disruptive).warn(warning);
            }
        }
        for warning in before.widening(&after, partition) {
            change = change.warn(warning);
        }
        Some(change)
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
        // Without rules AWS keeps no minimum size.
        compared::mark("transition_default_minimum_object_size");
        if !rules.is_empty() {
            drift.compare(
                "transition_default_minimum_object_size",
                actual.transition_default_minimum_object_size.as_ref(),
                spec.transition_default_minimum_object_size.as_ref(),
            );
        }
        if drift.is_empty() {
            return None;
        }
        let deletions = new_deletions(&rules, &actual.rules).len();
        let desired = Lifecycle {
            rules,
            transition_default_minimum_object_size: spec
                .transition_default_minimum_object_size
                .or(actual.transition_default_minimum_object_size),
        };
        let change = self.change(Step::PutLifecycle(desired), drift);
        Some(if deletions > 0 && !self.is_new {
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
            has_event_hold: false,
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
        if actual.has_event_hold {
            return Some(Change::finding(drift).withhold(
                "objects of this bucket are held until an event, which evenkeel would take away",
            ));
        }
        let change = self.change(Step::PutObjectLock(desired), drift);
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
        if !bucket.is_empty() {
            drift.compare_text(
                "access_log_prefix",
                actual.map(|logging| logging.prefix.as_str()),
                self.spec.access_log_prefix.as_deref(),
            );
        }
        if drift.is_empty() {
            return None;
        }
        let prefix = self
            .spec
            .access_log_prefix
            .clone()
            .or_else(|| actual.map(|logging| logging.prefix.clone()))
            .unwrap_or_default();
        let desired = (!bucket.is_empty()).then(|| Logging { bucket: bucket.to_owned(), prefix });
        Some(self.change(Step::PutLogging(desired), drift))
    }

    /// One write sets all tags, so there is one change for all.
    fn tags(&self) -> Option<Change<Action>> {
        let desired = self.spec.tags.as_ref()?;
        compared::mark("tags");
        let actual = &self.state.tags;
        let mut drift = Drift::new();
        let mut removes = false;
        let keys: std::collections::BTreeSet<_> = actual.keys().chain(desired.keys()).collect();
        for key in keys {
            let (there, wanted) = (actual.get(key), desired.get(key));
            if there != wanted {
                drift.add(&format!("tags.{key}"), there, wanted);
                removes |= wanted.is_none();
            }
        }
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

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |step: Step| Undo::By(vec![Action { step, ..action.clone() }]);
    let impossible = |reason: &str| Undo::Impossible(reason.to_owned());
    let new = State::default();
    let state = before.state().unwrap_or(&new);
    match &action.step {
        Step::Create { .. } => impossible("evenkeel never deletes a bucket"),
        Step::PutPublicAccessBlock(_) => by(Step::PutPublicAccessBlock(
            state.public_access_block.map(|block: PublicAccessBlock| block),
        )),
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
