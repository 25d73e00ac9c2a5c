//! The settings of a trail that one call writes: where log files go, their key, and the rest.

use super::arn;
use super::diff::{Home, Trail};
use super::spec::{Action, Settings, State, Step};
use crate::kinds::{Change, Drift, Risk};

/// Where log files go.
const PLACE: [&str; 2] = ["s3_bucket_name", "s3_key_prefix"];

impl Settings {
    /// Whether log files go to another place with these.
    fn moves(&self) -> bool {
        self.s3_bucket_name.is_some() || self.s3_key_prefix.is_some()
    }

    /// The place of the log files, and the rest.
    fn apart(mut self) -> (Self, Self) {
        let place = Self {
            s3_bucket_name: self.s3_bucket_name.take(),
            s3_key_prefix: self.s3_key_prefix.take(),
            ..Self::default()
        };
        (place, self)
    }
}

/// CloudTrail refuses to leave out the events of global services where a trail records all Regions: that wish
/// is taken out of what is sent, and is a finding. Source: CloudTrail API Reference, `UpdateTrail`.
fn global_services(
    desired: &mut Settings,
    actual: &Settings,
    drift: &mut Drift,
) -> Option<Change<Action>> {
    const FIELD: &str = "include_global_service_events";
    let records_all = desired.is_multi_region_trail.or(actual.is_multi_region_trail) == Some(true);
    if !records_all || desired.include_global_service_events != Some(false) {
        return None;
    }
    desired.include_global_service_events = None;
    let (of_field, others) =
        std::mem::take(&mut drift.0).into_iter().partition(|one| one.field == FIELD);
    drift.0 = others;
    Some(Change::finding(Drift(of_field)).withhold(
        "the trail records all Regions, and such a trail always records global services: take \
         include_global_service_events out, or declare is_multi_region_trail = false as well",
    ))
}

/// One write of two: that of the place, and that of the key.
fn together(place: Change<Action>, key: Change<Action>) -> Change<Action> {
    let Change { action, drift, warnings, risk, grants, .. } = key;
    let mut both = place;
    if let (Some(Step::Update { settings }), Some(Step::Update { settings: of_key })) =
        (both.action.as_mut().map(|action| &mut action.step), action.map(|action| action.step))
    {
        settings.kms_key_id = of_key.kms_key_id;
    }
    both.drift.extend(drift);
    both.warnings.extend(warnings);
    both.grants.extend(grants);
    both.risk = both.risk.max(risk);
    both
}

impl Trail<'_> {
    /// The key apart from the other settings: it may have to be made first, or not be written at
    /// all, and they are not to wait for it. Where log files go to another place as well, key and place
    /// go together: CloudTrail tries both at each write, and neither may work with what was before.
    pub(super) fn update(&self, state: &State) -> Vec<Change<Action>> {
        let mut drift = Drift::new();
        let mut desired = self.compare_settings(&mut drift, Some(&state.settings));
        let impossible = global_services(&mut desired, &state.settings, &mut drift);
        let mut of_key = Drift::new();
        self.compare_key(&mut of_key, Some(state));
        let key = self.key(state, of_key);
        let is_written = |key: &Change<Action>| key.action.is_some() && key.withheld.is_none();
        let mut changes: Vec<_> = match key {
            Some(key) if desired.moves() && is_written(&key) => {
                let (place, others) = desired.apart();
                let (of_place, of_others): (Vec<_>, Vec<_>) =
                    drift.0.into_iter().partition(|one| PLACE.contains(&one.field.as_str()));
                let place = self.update_settings(state, place, Drift(of_place));
                let others = self.update_settings(state, others, Drift(of_others));
                place.map(|place| together(place, key)).into_iter().chain(others).collect()
            }
            key => key.into_iter().chain(self.update_settings(state, desired, drift)).collect(),
        };
        changes.extend(impossible);
        changes
    }

    fn update_settings(
        &self,
        state: &State,
        desired: Settings,
        drift: Drift,
    ) -> Option<Change<Action>> {
        if drift.is_empty() {
            return None;
        }
        let actual = &state.settings;
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
                desired.moves(),
                "log files go to another place: whatever reads them there must follow",
            ),
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
        change.moves = desired.moves() || desired.sns_topic_name.is_some();
        Some(change)
    }

    /// Records the settings that differ, and returns those that must be sent. For a new trail, all
    /// that are declared.
    pub(super) fn compare_settings(
        &self,
        drift: &mut Drift,
        actual: Option<&Settings>,
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
        self.compare_log_group(drift, actual, &mut send);
        let topic = actual.and_then(|actual| actual.sns_topic_name.as_deref());
        let Home { partition, region, account } = self.place;
        let wanted = spec.sns_topic_name.as_deref();
        let wanted = wanted.map(|topic| arn::topic(partition, region, account, topic));
        if drift.compare_text("sns_topic_name", topic, wanted.as_deref()) {
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
}
