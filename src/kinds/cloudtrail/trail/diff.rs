//! What brings a trail to its declared state, and back.

use std::collections::BTreeSet;

use super::observe::{declared_region, place};
use super::selectors::{ReadWriteType, Selectors};
use super::spec::{Action, Settings, Spec, State, Step};
use crate::kinds::tags;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let Some(state) = object.state() else { return create(facts, spec) };
    let (account, region) = place(&state.arn);
    if account != Some(facts.account.as_str()) {
        return of_organization(spec, state);
    }
    let home = region.unwrap_or_default();
    let mut changes = Vec::new();
    changes.extend(misplaced(spec, home));
    let trail = Trail { spec, region: home, is_new: false };
    changes.extend(trail.update(state));
    changes.extend(trail.selectors(state.selectors.as_ref()));
    changes.extend(trail.insights(state.insight_selectors.as_ref()));
    changes.extend(trail.aggregation(state.event_aggregation.as_ref()));
    if let (Some(actual), Some(desired)) = (&state.tags, &spec.tags) {
        changes.extend(tags::CLOUDTRAIL.changes(
            actual,
            desired,
            |tags| trail.act(Step::AddTags { tags }),
            |tags| trail.act(Step::RemoveTags { tags }),
        ));
    }
    changes.extend(trail.logging(state.is_logging));
    changes.extend(excluded_sources(spec, state));
    changes.extend(broken_delivery(state));
    changes
}

/// A trail on its way to the declared state.
struct Trail<'a> {
    spec: &'a Spec,
    region: &'a str,
    /// Whether it is only about to be made: then nothing can be lost.
    is_new: bool,
}

fn create(facts: &Facts, spec: &Spec) -> Vec<Change<Action>> {
    let region = declared_region(facts, spec).to_string();
    let trail = Trail { spec, region: &region, is_new: true };
    let mut drift = Drift::new();
    drift.add("", None::<&str>, Some(&spec.name));
    let desired = trail.compare_settings(&mut drift, None, None);
    drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
    if spec.s3_bucket_name.is_none() {
        return vec![
            Change::finding(drift)
                .withhold("the trail is not there, and cannot be made without s3_bucket_name"),
        ];
    }
    let step = Step::Create { settings: desired, tags: spec.tags.clone().unwrap_or_default() };
    let mut changes = vec![Change::new(trail.act(step), drift)];
    changes.extend(trail.selectors(Some(&Selectors::default_selector())));
    changes.extend(trail.insights(Some(&BTreeSet::new())));
    changes.extend(trail.aggregation(Some(&BTreeSet::new())));
    changes.extend(trail.logging(false));
    changes
}

/// What matters of a trail that another account governs.
fn of_organization(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut drift = Drift::new();
    drift.compare("is_logging", Some(&state.is_logging), spec.is_logging.as_ref());
    drift.compare(
        "enable_log_file_validation",
        state.settings.enable_log_file_validation.as_ref(),
        spec.enable_log_file_validation.as_ref(),
    );
    if drift.is_empty() {
        return Vec::new();
    }
    vec![
        Change::finding(drift).withhold("only the organization's management account can change it"),
    ]
}

fn misplaced(spec: &Spec, home: &str) -> Option<Change<Action>> {
    let declared = spec.home_region.as_deref()?;
    let mut drift = Drift::new();
    drift.compare_text("home_region", Some(home), Some(declared)).then(|| {
        Change::finding(drift).withhold(
            "the home Region of a trail cannot be changed: make another trail, or declare this Region",
        )
    })
}

impl Trail<'_> {
    fn act(&self, step: Step) -> Action {
        Action { trail: self.spec.name.clone(), region: self.region.to_owned(), step }
    }

    fn update(&self, state: &State) -> Option<Change<Action>> {
        let mut drift = Drift::new();
        let actual = &state.settings;
        let desired =
            self.compare_settings(&mut drift, Some(actual), state.declared_key_arn.as_deref());
        if drift.is_empty() {
            return None;
        }
        let mut change = Change::new(self.act(Step::Update { settings: desired.clone() }), drift);
        let off = |then: Option<bool>, now: Option<bool>| then == Some(false) && now == Some(true);
        if off(desired.is_multi_region_trail, actual.is_multi_region_trail) {
            change = change.risk(Risk::Destructive).warn(
                "the trail no longer records any other Region, and its copies there are deleted",
            );
        }
        if off(desired.is_organization_trail, actual.is_organization_trail) {
            change = change
                .risk(Risk::Destructive)
                .warn("the accounts of the organization are no longer recorded");
        }
        let more = [
            (
                desired.s3_bucket_name.is_some() || desired.s3_key_prefix.is_some(),
                "log files go to another place: whatever reads them there must follow",
            ),
            (desired.kms_key_id.is_some(), "who reads new log files needs rights to their key"),
            (
                off(desired.enable_log_file_validation, actual.enable_log_file_validation),
                "it can no longer be proved that log files were not changed",
            ),
            (
                off(desired.include_global_service_events, actual.include_global_service_events),
                "events of global services such as IAM are no longer recorded",
            ),
            (
                desired.cloud_watch_logs_log_group_arn.as_deref() == Some(""),
                "alarms on the log group no longer see any event",
            ),
        ];
        for (_, warning) in more.into_iter().filter(|(applies, _)| *applies) {
            let risk = change.risk.max(Risk::Disruptive);
            change = change.risk(risk).warn(warning);
        }
        Some(change)
    }

    /// Records the settings that differ, and returns those that must be sent. For a new trail, all
    /// that are declared.
    fn compare_settings(
        &self,
        drift: &mut Drift,
        actual: Option<&Settings>,
        declared_key: Option<&str>,
    ) -> Settings {
        let spec = self.spec;
        let mut send = Settings::default();
        macro_rules! text {
            ($($field:ident),+) => {$(
                let there = actual.and_then(|actual| actual.$field.as_deref());
                if drift.compare_text(stringify!($field), there, spec.$field.as_deref()) {
                    send.$field = spec.$field.clone();
                }
            )+};
        }
        macro_rules! switch {
            ($($field:ident),+) => {$(
                let there = actual.and_then(|actual| actual.$field.as_ref());
                if drift.compare(stringify!($field), there, spec.$field.as_ref()) {
                    send.$field = spec.$field;
                }
            )+};
        }
        text!(s3_bucket_name, s3_key_prefix);
        switch!(
            is_multi_region_trail,
            include_global_service_events,
            is_organization_trail,
            enable_log_file_validation,
            recursive_logging
        );
        let key = actual.and_then(|actual| actual.kms_key_id.as_deref());
        compared::mark("kms_key_id");
        let same_key = key.is_some() && key == declared_key;
        if !same_key && drift.compare_text("kms_key_id", key, spec.kms_key_id.as_deref()) {
            send.kms_key_id = spec.kms_key_id.clone();
        }
        self.compare_log_group(drift, actual, &mut send);
        let topic = actual.and_then(|actual| actual.sns_topic_name.as_deref());
        compared::mark("sns_topic_name");
        let same_topic =
            topic.is_some_and(|arn| spec.sns_topic_name.as_deref() == arn.rsplit(':').next());
        if !same_topic
            && drift.compare_text("sns_topic_name", topic, spec.sns_topic_name.as_deref())
        {
            send.sns_topic_name = spec.sns_topic_name.clone();
        }
        send
    }

    /// CloudTrail wants log group and role together, and the group's ARN with `:*` at its end.
    fn compare_log_group(&self, drift: &mut Drift, actual: Option<&Settings>, send: &mut Settings) {
        let spec = self.spec;
        let bare = |arn: &str| arn.strip_suffix(":*").unwrap_or(arn).to_owned();
        let group_there =
            actual.and_then(|actual| actual.cloud_watch_logs_log_group_arn.as_deref()).map(bare);
        let group = spec.cloud_watch_logs_log_group_arn.as_deref().map(bare);
        let role_there = actual.and_then(|actual| actual.cloud_watch_logs_role_arn.as_deref());
        let role = spec.cloud_watch_logs_role_arn.as_deref();
        let differs = drift.compare_text(
            "cloud_watch_logs_log_group_arn",
            group_there.as_deref(),
            group.as_deref(),
        ) | drift.compare_text("cloud_watch_logs_role_arn", role_there, role);
        if differs {
            let group = group.or(group_there).unwrap_or_default();
            send.cloud_watch_logs_log_group_arn =
                Some(if group.is_empty() { group } else { format!("{group}:*") });
            send.cloud_watch_logs_role_arn =
                Some(role.or(role_there).unwrap_or_default().to_owned());
        }
    }

    fn selectors(&self, actual: Option<&Selectors>) -> Option<Change<Action>> {
        let actual = actual?;
        let (field, desired) =
            match (&self.spec.event_selectors, &self.spec.advanced_event_selectors) {
                (Some(basic), _) => ("event_selectors", Selectors::Basic(basic.clone())),
                (None, Some(advanced)) => {
                    ("advanced_event_selectors", Selectors::Advanced(advanced.clone()))
                }
                (None, None) => return None,
            };
        compared::mark(field);
        let desired = desired.normal();
        if *actual == desired {
            return None;
        }
        let mut drift = Drift::new();
        drift.add(field, Some(actual), Some(&desired));
        let adds = *actual == Selectors::default_selector() && records_all_management(&desired);
        let change = Change::new(self.act(Step::PutEventSelectors { selectors: desired }), drift);
        Some(if self.is_new || adds {
            change
        } else {
            change
                .risk(Risk::Disruptive)
                .warn("events that only the former selectors ask for are no longer recorded")
        })
    }

    fn insights(
        &self,
        actual: Option<&BTreeSet<super::spec::InsightSelector>>,
    ) -> Option<Change<Action>> {
        let desired = self.spec.insight_selectors.as_ref()?;
        let mut drift = Drift::new();
        if !drift.compare("insight_selectors", Some(actual?), Some(desired)) {
            return None;
        }
        let step = Step::PutInsightSelectors { insight_selectors: desired.clone() };
        Some(Change::new(self.act(step), drift))
    }

    fn aggregation(
        &self,
        actual: Option<&BTreeSet<super::spec::AggregationTemplate>>,
    ) -> Option<Change<Action>> {
        let desired = self.spec.event_aggregation.as_ref()?;
        let mut drift = Drift::new();
        if !drift.compare("event_aggregation", Some(actual?), Some(desired)) {
            return None;
        }
        let step = Step::PutEventConfiguration { event_aggregation: desired.clone() };
        Some(Change::new(self.act(step), drift))
    }

    fn logging(&self, actual: bool) -> Option<Change<Action>> {
        let desired = self.spec.is_logging?;
        let mut drift = Drift::new();
        let known = (!self.is_new).then_some(&actual);
        compared::mark("is_logging");
        if actual == desired {
            return None;
        }
        drift.compare("is_logging", known, Some(&desired));
        Some(if desired {
            Change::new(self.act(Step::StartLogging), drift)
        } else {
            Change::new(self.act(Step::StopLogging), drift)
                .risk(Risk::Destructive)
                .warn("what happens from now on is not recorded, and nobody can find it out later")
        })
    }
}

fn records_all_management(selectors: &Selectors) -> bool {
    match selectors {
        Selectors::Basic(list) => list.iter().any(|selector| {
            selector.include_management_events
                && selector.read_write_type == ReadWriteType::All
                && selector.exclude_management_event_sources.is_empty()
        }),
        Selectors::Advanced(list) => list.iter().any(|selector| {
            selector.field_selectors.len() == 1
                && selector.field_selectors.iter().any(|condition| {
                    condition.field == "eventCategory" && condition.equals.contains("Management")
                })
        }),
    }
}

fn excluded_sources(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let declares = spec.event_selectors.is_some() || spec.advanced_event_selectors.is_some();
    if spec.forbid_excluded_sources != Some(true) || declares {
        compared::mark("forbid_excluded_sources");
        return None;
    }
    let excluded = state.selectors.as_ref()?.excluded_sources();
    compared::mark("forbid_excluded_sources");
    if excluded.is_empty() {
        return None;
    }
    let mut drift = Drift::new();
    drift.add("forbid_excluded_sources", Some(&excluded), None::<&str>);
    Some(Change::finding(drift).withhold(
        "management events of these sources are not recorded; declare event_selectors = [] to record all",
    ))
}

fn broken_delivery(state: &State) -> Option<Change<Action>> {
    let error = state.delivery_error.as_deref().filter(|_| state.is_logging)?;
    let mut drift = Drift::new();
    drift.add("is_logging", Some(error), Some("delivered"));
    Some(Change::finding(drift).withhold(
        "CloudTrail records and cannot deliver: look at the bucket's policy, and at the key's",
    ))
}

pub fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
    let by = |step: Step| Undo::By(vec![Action { step, ..action.clone() }]);
    let lost = || Undo::Impossible("what was there before was not observed".to_owned());
    let state = before.state();
    match &action.step {
        Step::Create { .. } => Undo::Impossible("evenkeel never deletes a trail".to_owned()),
        Step::Update { settings } => match state {
            Some(state) => by(Step::Update { settings: former(settings, &state.settings) }),
            None => lost(),
        },
        Step::PutEventSelectors { .. } => {
            let selectors = state.and_then(|state| state.selectors.clone());
            let selectors = selectors.unwrap_or_else(Selectors::default_selector);
            by(Step::PutEventSelectors { selectors })
        }
        Step::PutInsightSelectors { .. } => by(Step::PutInsightSelectors {
            insight_selectors: state
                .and_then(|state| state.insight_selectors.clone())
                .unwrap_or_default(),
        }),
        Step::PutEventConfiguration { .. } => by(Step::PutEventConfiguration {
            event_aggregation: state
                .and_then(|state| state.event_aggregation.clone())
                .unwrap_or_default(),
        }),
        Step::AddTags { tags } => {
            let (former, new) =
                tags::CLOUDTRAIL.before(tags, state.and_then(|state| state.tags.as_ref()));
            let mut actions = Vec::new();
            let act = |step| Action { step, ..action.clone() };
            if !former.is_empty() {
                actions.push(act(Step::AddTags { tags: former }));
            }
            if !new.is_empty() {
                actions.push(act(Step::RemoveTags { tags: new }));
            }
            Undo::By(actions)
        }
        Step::RemoveTags { tags } => by(Step::AddTags { tags: tags.clone() }),
        Step::StartLogging => by(Step::StopLogging),
        Step::StopLogging => by(Step::StartLogging),
    }
}

/// The former values of the settings in `changed`; "" takes a text away again.
fn former(changed: &Settings, before: &Settings) -> Settings {
    macro_rules! text {
        ($field:ident) => {
            changed.$field.as_ref().map(|_| before.$field.clone().unwrap_or_default())
        };
    }
    macro_rules! switch {
        ($field:ident, $default:expr) => {
            changed.$field.map(|_| before.$field.unwrap_or($default))
        };
    }
    Settings {
        s3_bucket_name: text!(s3_bucket_name),
        s3_key_prefix: text!(s3_key_prefix),
        is_multi_region_trail: switch!(is_multi_region_trail, false),
        include_global_service_events: switch!(include_global_service_events, true),
        is_organization_trail: switch!(is_organization_trail, false),
        enable_log_file_validation: switch!(enable_log_file_validation, false),
        kms_key_id: text!(kms_key_id),
        cloud_watch_logs_log_group_arn: text!(cloud_watch_logs_log_group_arn),
        cloud_watch_logs_role_arn: text!(cloud_watch_logs_role_arn),
        sns_topic_name: text!(sns_topic_name),
        recursive_logging: switch!(recursive_logging, true),
    }
}
