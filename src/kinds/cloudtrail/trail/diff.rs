//! What brings a trail to its declared state, and back.

use std::collections::BTreeSet;

use super::arn::TrailArn;
use super::observe::declared_region;
use super::selectors::Selectors;
use super::spec::{Action, Settings, Spec, State, Step};
use crate::kinds::kms::named;
use crate::kinds::tags;
use crate::kinds::{Change, Drift, Facts, Object, Risk, Undo, compared};

pub fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    changes(facts, spec, object).into_iter().map(|change| sent_outside(facts, change)).collect()
}

/// What others than the account have a hand in from now on.
fn sent_outside(facts: &Facts, change: Change<Action>) -> Change<Action> {
    let settings = change.action.as_ref().and_then(|action| match &action.step {
        Step::Create { settings, .. } | Step::Update { settings } => Some(settings.clone()),
        _ => None,
    });
    let Some(settings) = settings else { return change };
    [
        (settings.kms_key_id, named::LEFT),
        (settings.sns_topic_name, "notices of log files are sent"),
        (settings.cloud_watch_logs_log_group_arn, "events are sent"),
        (settings.cloud_watch_logs_role_arn, "the role that sends events is left"),
    ]
    .into_iter()
    .fold(change, |change, (arn, what)| change.sends(&facts.account, what, arn.as_deref()))
}

fn changes(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
    let Some(state) = object.state() else { return create(facts, spec) };
    // Only what `observe` made has such an ARN; nothing is compared without.
    let Some(arn) = TrailArn::parse(&state.arn) else { return Vec::new() };
    if arn.account != facts.account.as_str() {
        return of_organization(spec, state, &arn);
    }
    if let Some(finding) = misplaced(facts, spec, state, &arn) {
        return vec![finding];
    }
    let mut changes = Trail { spec, place: arn.into(), is_new: false }.changes(state);
    changes.extend(findings(spec, state));
    changes
}

/// A trail on its way to the declared state.
pub(super) struct Trail<'a> {
    pub(super) spec: &'a Spec,
    pub(super) place: Home<'a>,
    /// Whether it is only about to be made: then nothing can be lost.
    is_new: bool,
}

/// Where a trail is at home.
#[derive(Clone, Copy)]
pub(super) struct Home<'a> {
    pub(super) partition: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
}

impl<'a> From<TrailArn<'a>> for Home<'a> {
    fn from(arn: TrailArn<'a>) -> Self {
        Self { partition: arn.partition, region: arn.region, account: arn.account }
    }
}

fn create(facts: &Facts, spec: &Spec) -> Vec<Change<Action>> {
    let region = declared_region(facts, spec).to_string();
    let place =
        Home { partition: &facts.partition, region: &region, account: facts.account.as_str() };
    let trail = Trail { spec, place, is_new: true };
    let mut drift = Drift::new();
    drift.add("", None::<&str>, Some(&spec.name));
    let mut desired = trail.compare_settings(&mut drift, None);
    trail.compare_key(&mut drift, None);
    desired.kms_key_id = spec.key().map(str::to_owned);
    drift.compare("tags", None, spec.tags.as_ref().filter(|tags| !tags.is_empty()));
    if spec.s3_bucket_name.is_none() {
        // One finding for all that is declared of it.
        compared::mark_all();
        return vec![
            Change::finding(drift)
                .withhold("the trail is not there, and cannot be made without s3_bucket_name: declare it, or take the item out"),
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

/// A trail of the organization, which another account governs: whatever differs is reported.
fn of_organization(spec: &Spec, state: &State, arn: &TrailArn<'_>) -> Vec<Change<Action>> {
    let mut drift = Drift::new();
    if let Some(region) = &spec.home_region {
        drift.compare_text("home_region", Some(arn.region), Some(region));
    }
    for change in (Trail { spec, place: (*arn).into(), is_new: false }).changes(state) {
        drift.0.extend(change.drift);
    }
    let mut changes = Vec::new();
    if !drift.is_empty() {
        changes.push(Change::finding(drift).withhold(format!(
            "only account {} can change the trail {}: do it there, or declare here what it is meant to be",
            arn.account, arn.name
        )));
    }
    changes.extend(hidden(spec, state, arn));
    changes.extend(findings(spec, state));
    changes
}

/// What AWS does not show of another account's trail cannot be in sync.
fn hidden(spec: &Spec, state: &State, arn: &TrailArn<'_>) -> Vec<Change<Action>> {
    let of_selectors = [
        "event_selectors",
        "advanced_event_selectors",
        "record_all_management_events",
        "forbid_excluded_sources",
    ];
    let Ok(declared) = serde_json::to_value(spec) else { return Vec::new() };
    let mut changes = Vec::new();
    for (part, why) in &state.hidden {
        let fields: &[&str] =
            if part == "event_selectors" { &of_selectors } else { &[part.as_str()] };
        let mut drift = Drift::new();
        for field in fields {
            if let Some(value) = declared.get(field).filter(|value| !value.is_null()) {
                drift.add(field, None::<&str>, Some(value));
            }
        }
        changes.push(Change::finding(drift).withhold(format!(
            "AWS does not show this part of the trail of account {} ({why}): allow that call if \
             evenkeel's role lacks it; if only that account may see it, declare it there and not here",
            arn.account
        )));
    }
    changes
}

/// A trail of the declared name that is at home in another Region is not the declared one.
fn misplaced(
    facts: &Facts,
    spec: &Spec,
    state: &State,
    arn: &TrailArn<'_>,
) -> Option<Change<Action>> {
    let declared = declared_region(facts, spec);
    if arn.region == declared.as_str() {
        compared::mark("home_region");
        return None;
    }
    compared::mark_all();
    let mut drift = Drift::new();
    drift.add("home_region", Some(arn.region), Some(&declared));
    let reason = if state.namesakes.is_empty() {
        format!(
            "the trail {} is at home in {}, which cannot be changed: declare home_region = {:?} to \
             govern it, or another name to have one in {declared}",
            arn.text, arn.region, arn.region
        )
    } else {
        format!(
            "several trails have this name, and none is at home in {declared}: {}, {}; declare the \
             home_region of the one that is meant",
            arn.text,
            state.namesakes.join(", ")
        )
    };
    Some(Change::finding(drift).withhold(reason))
}

impl Trail<'_> {
    pub(super) fn act(&self, step: Step) -> Action {
        Action { trail: self.spec.name.clone(), region: self.place.region.to_owned(), step }
    }

    /// The writes that bring it to the declared state.
    fn changes(&self, state: &State) -> Vec<Change<Action>> {
        let mut changes = self.update(state);
        changes.extend(self.selectors(state.selectors.as_ref()));
        changes.extend(self.insights(state.insight_selectors.as_ref()));
        changes.extend(self.aggregation(state.event_aggregation.as_ref()));
        if let (Some(actual), Some(desired)) = (&state.tags, &self.spec.tags) {
            changes.extend(tags::CLOUDTRAIL.changes(
                actual,
                desired,
                |tags| self.act(Step::AddTags { tags }),
                |tags| self.act(Step::RemoveTags { tags }),
            ));
        }
        changes.extend(self.logging(state.is_logging));
        changes
    }

    fn selectors(&self, actual: Option<&Selectors>) -> Option<Change<Action>> {
        let actual = actual?;
        let desired = self.spec.selectors()?;
        let field = match self.spec.event_selectors {
            Some(_) => "event_selectors",
            None => "advanced_event_selectors",
        };
        compared::mark(field);
        if actual.mean_the_same_as(&desired) {
            return None;
        }
        let mut drift = Drift::new();
        drift.add(field, Some(actual), Some(&desired));
        let loses = actual.record_more_than(&desired);
        let change = Change::new(self.act(Step::PutEventSelectors { selectors: desired }), drift);
        Some(if self.is_new || !loses {
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

/// What is wrong with a trail and nothing that can be written.
fn findings(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut findings = Vec::new();
    findings.extend(promised_events(spec, state));
    findings.extend(broken_delivery(spec, state));
    findings
}

/// The management events that are promised and not recorded.
fn promised_events(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    // Declared selectors keep the promise (`check` sees to that), and they are compared themselves.
    let kept = spec.declares_selectors() && state.selectors.is_some();
    let promises = [
        ("record_all_management_events", spec.record_all_management_events),
        ("forbid_excluded_sources", spec.forbid_excluded_sources),
    ];
    let missing = state.selectors.as_ref().and_then(|selectors| selectors.missing().ok());
    let mut findings = Vec::new();
    for (field, promise) in promises {
        if promise == Some(false) || (promise == Some(true) && kept) {
            compared::mark(field);
        }
        let Some(missing) = missing.as_ref().filter(|_| promise == Some(true) && !kept) else {
            continue;
        };
        compared::mark(field);
        let left_out = match field {
            "forbid_excluded_sources" => missing.sources().into_iter().collect(),
            _ => missing.words(),
        };
        if left_out.is_empty() {
            continue;
        }
        // What is recorded, so that it does not read as its opposite.
        let recorded = match field {
            "forbid_excluded_sources" => format!("{} left out", left_out.join(", ")),
            _ if missing.is_all() => "none".to_owned(),
            _ => format!("all but {}", left_out.join("; ")),
        };
        let mut drift = Drift::new();
        drift.add(field, Some(recorded), Some(true));
        findings.push(Change::finding(drift).withhold(format!(
            "the event selectors of the trail do not record {}; declare event_selectors = [] to \
             record all management events and nothing else, or selectors that record them too",
            match field {
                "forbid_excluded_sources" =>
                    format!("the management events of {}", left_out.join(", ")),
                _ => left_out.join("; "),
            }
        )));
    }
    findings
}

/// Deliveries that fail, each where the field that it contradicts is declared.
fn broken_delivery(spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let set = |text: &Option<String>| text.as_deref().is_some_and(|text| !text.is_empty());
    let is_promised = |field: &str| match field.split('.').next() {
        Some("is_logging") => spec.is_logging == Some(true),
        Some("enable_log_file_validation") => spec.enable_log_file_validation == Some(true),
        Some("sns_topic_name") => set(&spec.sns_topic_name),
        Some("cloud_watch_logs_log_group_arn") => set(&spec.cloud_watch_logs_log_group_arn),
        _ => false,
    };
    let errors = state.delivery_errors.iter().filter(|(field, _)| is_promised(field));
    errors
        .filter(|_| state.is_logging)
        .map(|(field, error)| {
            let mut drift = Drift::new();
            drift.add(field, Some(error), None::<&str>);
            let look = match field.split('.').next() {
                Some("sns_topic_name") => "the topic, its policy and its key's",
                Some("cloud_watch_logs_log_group_arn") => "the log group and the role",
                _ => "the bucket's policy, and at the key's",
            };
            Change::finding(drift)
                .withhold(format!("CloudTrail records and cannot deliver: look at {look}"))
        })
        .collect()
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
        // Of a trail that was not there, what AWS gives to a new one is what was before.
        Step::PutEventSelectors { .. } => {
            match former_part(state, Selectors::default_selector(), |state| state.selectors.clone())
            {
                Some(selectors) => by(Step::PutEventSelectors { selectors }),
                None => lost(),
            }
        }
        Step::PutInsightSelectors { .. } => {
            match former_part(state, BTreeSet::new(), |state| state.insight_selectors.clone()) {
                Some(insight_selectors) => by(Step::PutInsightSelectors { insight_selectors }),
                None => lost(),
            }
        }
        Step::PutEventConfiguration { .. } => {
            match former_part(state, BTreeSet::new(), |state| state.event_aggregation.clone()) {
                Some(event_aggregation) => by(Step::PutEventConfiguration { event_aggregation }),
                None => lost(),
            }
        }
        Step::AddTags { tags } => {
            let before = state.and_then(|state| state.tags.as_ref());
            let act = |step| Action { step, ..action.clone() };
            Undo::By(tags::CLOUDTRAIL.undo(
                tags,
                before,
                |tags| act(Step::AddTags { tags }),
                |tags| act(Step::RemoveTags { tags }),
            ))
        }
        Step::RemoveTags { tags } => {
            let before = state.and_then(|state| state.tags.as_ref());
            let act = |tags| Action { step: Step::AddTags { tags }, ..action.clone() };
            Undo::By(tags::CLOUDTRAIL.undo_removal(tags, before, act))
        }
        Step::StartLogging => by(Step::StopLogging),
        Step::StopLogging => by(Step::StartLogging),
    }
}

/// What a part of the trail was before; `new` when there was no trail, nothing when it was not read.
fn former_part<T>(
    before: Option<&State>,
    new: T,
    part: impl FnOnce(&State) -> Option<T>,
) -> Option<T> {
    match before {
        Some(state) => part(state),
        None => Some(new),
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
        ($field:ident) => {
            changed.$field.and(before.$field)
        };
    }
    Settings {
        s3_bucket_name: text!(s3_bucket_name),
        s3_key_prefix: text!(s3_key_prefix),
        is_multi_region_trail: switch!(is_multi_region_trail),
        include_global_service_events: switch!(include_global_service_events),
        is_organization_trail: switch!(is_organization_trail),
        enable_log_file_validation: switch!(enable_log_file_validation),
        kms_key_id: text!(kms_key_id),
        cloud_watch_logs_log_group_arn: text!(cloud_watch_logs_log_group_arn),
        cloud_watch_logs_role_arn: text!(cloud_watch_logs_role_arn),
        sns_topic_name: text!(sns_topic_name),
        recursive_logging: switch!(recursive_logging),
    }
}
