//! For how long events are kept.

use aws_sdk_cloudwatchlogs::{Client, types};
use serde::{Deserialize, Serialize};

use super::{LogGroup, LogGroupClass, Place, RetentionMode, Spec, described, group};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, count,
    sendable,
};

pub const PUT: Call = Call::new("logs", "PutRetentionPolicy");
pub const DELETE: Call = Call::new("logs", "DeleteRetentionPolicy");
/// Source: CloudWatch Logs API Reference, `PutRetentionPolicy`, `retentionInDays`.
const DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// What it costs to keep events for ever.
pub const FOR_EVER: &str = "events are kept, and paid for, for ever: nothing deletes them any more";

/// Who decides in the place of the group.
pub fn decided_by(policy: &str) -> String {
    format!(
        "the account-level retention policy {policy:?} decides, whatever the group says: change that policy"
    )
}

/// What AWS says of a class (CloudWatch Logs API Reference, `CreateLogGroup`, `logGroupClass`).
pub const ONE_DAY: &str =
    "groups of the class DELIVERY keep events for one day, whatever is declared";

pub struct Retention;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// `None` for ever: events "do not expire if they belong to log groups without a retention
    /// policy" (`DeleteRetentionPolicy`).
    pub days: Option<u32>,
    /// The account-level policy that decides instead of the group.
    pub policy: Option<String>,
    /// Whether the group is of a class that keeps events for one day.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_delivery: bool,
}

impl Now {
    /// For how many days events are kept; `None` for ever.
    fn kept(&self) -> Option<u32> {
        if self.is_delivery { Some(1) } else { self.days }
    }
}

impl Part for Retention {
    type Of = LogGroup;
    type Now = Now;
    type Write = Option<u32>;

    const NAME: &'static str = "retention_in_days";
    const CALLS: &'static [Use<Spec>] = &[
        Use::write_if(PUT, |spec| spec.retention_in_days.is_some_and(|days| days > 0), group),
        Use::write_if(DELETE, |spec| spec.retention_in_days == Some(0), group),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.retention_in_days.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let group = described(cx, &place.log_group_name).await?;
        let days = group.as_ref().and_then(|group| group.retention_in_days());
        let class = group.as_ref().and_then(|group| group.log_group_class());
        Ok(Now {
            is_delivery: class == Some(&types::LogGroupClass::Delivery),
            days: days.map(|days| count("RetentionInDays", days)).transpose()?,
            policy: group.and_then(|group| group.retention_policy_name),
        })
    }

    fn diff(look: &Look<'_, LogGroup>, now: &Now) -> Vec<Change<Option<u32>>> {
        compared::mark(Self::NAME);
        let wanted = look.spec.retention_in_days.filter(|days| *days > 0);
        let kept = now.kept();
        let shorter = wanted.is_some_and(|wanted| kept.is_none_or(|days| days > wanted));
        let mode = look.spec.retention_mode.unwrap_or_default();
        if kept == wanted || (shorter && mode == RetentionMode::AtLeast && !look.is_new()) {
            return Vec::new();
        }
        let mut drift = Drift::new();
        drift.add(Self::NAME, kept, look.spec.retention_in_days);
        if now.is_delivery {
            return vec![Change::finding(drift).withhold(format!(
                "{ONE_DAY}: leave it out, or have a group of another class written to"
            ))];
        }
        if let Some(policy) = &now.policy {
            return vec![Change::finding(drift).withhold(decided_by(policy))];
        }
        let change = Change::new(wanted, drift);
        vec![match wanted {
            _ if look.is_new() => change,
            Some(_) if shorter => change
                .risk(Risk::Destructive)
                .warn("older events are deleted within 72 hours, and cannot be brought back"),
            Some(_) => change,
            None => change.warn(FOR_EVER),
        }]
    }

    fn calls(days: &Option<u32>) -> Vec<Call> {
        vec![if days.is_some() { PUT } else { DELETE }]
    }

    async fn write(cx: &WriteCx, place: &Place, days: &Option<u32>) -> Result<(), WriteError> {
        set(cx, &place.log_group_name, *days).await
    }

    fn undo(_: &Option<u32>, before: &Now) -> Undo<Option<u32>> {
        Undo::By(vec![before.days])
    }

    fn export(now: &Now, spec: &mut Spec) {
        if now.is_delivery || spec.log_group_class == Some(LogGroupClass::Delivery) {
            return;
        }
        spec.retention_in_days = Some(now.days.unwrap_or(0));
        spec.retention_mode = Some(RetentionMode::Exact);
    }
}

/// Keeps the events of a group for so many days; `None` for ever.
pub async fn set(cx: &WriteCx, group: &str, days: Option<u32>) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    match days {
        Some(days) => {
            let days = sendable("RetentionInDays", days)?;
            let request =
                client.put_retention_policy().log_group_name(group).retention_in_days(days);
            cx.send(PUT, request.send()).await
        }
        None => {
            let request = client.delete_retention_policy().log_group_name(group);
            cx.send(DELETE, request.send()).await
        }
    }
}

/// A number of days that CloudWatch Logs does not take.
pub fn unknown_days(declared: Option<u32>) -> Option<SpecProblem> {
    let days = declared.filter(|days| *days > 0 && !DAYS.contains(days))?;
    let help = match DAYS.iter().find(|taken| **taken > days) {
        Some(next) => format!("the next longer one is {next}"),
        None => "write 0 to keep events for ever".to_owned(),
    };
    let message = format!("CloudWatch Logs knows no retention of {days} days");
    Some(SpecProblem::new(Retention::NAME, message, help))
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    // Source: CloudWatch Logs API Reference, `CreateLogGroup`, `logGroupClass`.
    if spec.log_group_class == Some(LogGroupClass::Delivery) && spec.retention_in_days.is_some() {
        problems.push(SpecProblem::new(
            Retention::NAME,
            ONE_DAY,
            "leave it out, or declare another class",
        ));
    }
    problems.extend(unknown_days(spec.retention_in_days));
    if spec.retention_mode.is_some() && spec.retention_in_days.is_none() {
        let message = "there is no retention to compare";
        problems.push(SpecProblem::new("retention_mode", message, "add retention_in_days"));
    }
    problems
}
