//! Reading the log groups of a Region: one list, however many there are.

use std::collections::BTreeMap;

use aws_sdk_cloudwatchlogs::types;

use super::LogGroups;
use super::spec::{Exclude, Spec, State};
use crate::kinds::kms::let_in;
use crate::kinds::logs::log_group::retention::ONE_DAY;
use crate::kinds::logs::log_group::{LogGroupClass, described, groups, kms_key, tags_of};
use crate::kinds::object::CONTROL_TOWER;
use crate::kinds::shapes::sweep::{Reach, Sweep, Way};
use crate::kinds::{Cx, ObserveError, Status, count, known, told};
use crate::policy_document::matches;

/// A group as the list shows it.
pub struct Listed {
    name: String,
    group: types::LogGroup,
}

impl Listed {
    fn of(group: types::LogGroup) -> Result<Self, ObserveError> {
        let name = told("logGroupName", group.log_group_name())?.to_owned();
        Ok(Self { name, group })
    }
}

impl Sweep for LogGroups {
    type Listed = Listed;
    type Exclude = Exclude;

    async fn list(cx: &Cx) -> Result<Vec<Listed>, ObserveError> {
        let groups = told("logGroups", groups(cx, usize::MAX).await?)?;
        let mut of_name = BTreeMap::new();
        for group in groups.iter() {
            let listed = Listed::of(group.clone())?;
            of_name.insert(listed.name.clone(), listed);
        }
        Ok(of_name.into_values().collect())
    }

    async fn find(cx: &Cx, id: &str) -> Result<Option<Listed>, ObserveError> {
        described(cx, id).await?.map(Listed::of).transpose()
    }

    fn id(listed: &Listed) -> &str {
        &listed.name
    }

    fn is_meant(spec: &Spec, listed: &Listed) -> bool {
        spec.name_pattern.as_deref().is_none_or(|pattern| matches(pattern, &listed.name))
    }

    async fn reach(_cx: &Cx, listed: &Listed) -> Result<Reach, ObserveError> {
        Ok(match listed.name.starts_with("aws-controltower/") {
            true => Reach::Closed(format!("{CONTROL_TOWER} made it, and keeps it")),
            false => Reach::Open,
        })
    }

    fn exclude(spec: &Spec) -> &[Exclude] {
        spec.exclude.as_deref().unwrap_or_default()
    }

    fn ways<'a>(entry: &'a Exclude, listed: &'a Listed) -> Vec<Way<'a>> {
        vec![
            Way::Names("log_group_names", &entry.log_group_names, vec![&listed.name]),
            Way::Tags("log_group_tags", &entry.log_group_tags),
            Way::Accounts("accounts", &entry.accounts),
        ]
    }

    async fn tags(cx: &Cx, listed: &Listed) -> Result<BTreeMap<String, String>, ObserveError> {
        tags_of(cx, &listed.name).await
    }

    async fn read(cx: &Cx, spec: &Spec, listed: &Listed) -> Result<Status<State>, ObserveError> {
        let group = &listed.group;
        let class = group.log_group_class();
        let class = class.map(|class| known("LogGroupClass", class.as_str())).transpose()?;
        if class == Some(LogGroupClass::Delivery) && spec.is_of_retention_alone() {
            return Ok(Status::Skipped { reason: ONE_DAY.to_owned() });
        }
        let days = group.retention_in_days();
        let (mut declared_key, mut shut_out) = (None, None);
        if let Some(name) = spec.key() {
            let keyed = let_in::look_at(cx, name, kms_key::KEYS).await?;
            let policy = keyed.policy.as_deref();
            shut_out = kms_key::shut_out(cx, &listed.name, name, &keyed.key, policy);
            declared_key = Some(keyed.key);
        }
        Ok(Status::Present(State {
            log_group_class: class,
            retention_in_days: days.map(|days| count("RetentionInDays", days)).transpose()?,
            retention_policy: group.retention_policy_name().map(str::to_owned),
            kms_key_id: group.kms_key_id().map(str::to_owned),
            declared_key,
            shut_out,
            deletion_protection_enabled: group.deletion_protection_enabled(),
        }))
    }
}
