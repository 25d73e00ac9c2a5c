//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::fleet::file::{ChangeWindow, schedule};
use crate::kinds::Risk;
use crate::names::AccountId;
use crate::plan::Plan;

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// Changes in all.
    pub max_changes: usize,
    /// Changes in one account.
    pub max_changes_per_account: usize,
    /// Changes of a higher risk are reported, not applied.
    pub max_risk: Risk,
}

impl Default for Safety {
    fn default() -> Self {
        Self { max_changes: 200, max_changes_per_account: 25, max_risk: Risk::Disruptive }
    }
}

/// Why a run refuses to write.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The credentials belong to another account.
    #[error("the credentials belong to account {actual}, not to {wanted}")]
    WrongAccount {
        /// The account of the plan, or the one asked for.
        wanted: String,
        /// The account behind the credentials.
        actual: AccountId,
    },
    /// More changes than allowed.
    #[error("the plan has {planned} changes, and the limit is {limit}")]
    TooManyChanges {
        /// In the plan.
        planned: usize,
        /// Allowed.
        limit: usize,
    },
    /// More changes in one account than allowed.
    #[error(
        "the plan has {planned} changes in account {account}, and the limit for one account is {limit}"
    )]
    TooManyChangesInAccount {
        /// The account.
        account: AccountId,
        /// In the plan.
        planned: usize,
        /// Allowed.
        limit: usize,
    },
    /// A saved plan holds a change above the present risk limit.
    #[error("the plan holds a {} change of {object}, and the limit is {}", risk.as_str(), limit.as_str())]
    TooRisky {
        /// Its object.
        object: String,
        /// The change's risk.
        risk: Risk,
        /// Allowed.
        limit: Risk,
    },
    /// The baseline or an object has changed since the plan was made.
    #[error("the plan is stale: {}", moved.join("; "))]
    Stale {
        /// What moved.
        moved: Vec<String>,
    },
    /// The snapshot is older than allowed, or nobody can say how old it is.
    #[error("the snapshot of {taken} is {age}, and the limit is {}", match limit { 1 => "1 hour".to_owned(), hours => format!("{hours} hours") })]
    OldSnapshot {
        /// When it was taken.
        taken: String,
        /// How old it is, in words.
        age: String,
        /// Allowed hours.
        limit: u32,
    },
    /// No change window is open.
    #[error("no change window is open{}", next.as_ref().map_or(String::new(), |next| format!("; the next one opens at {next}")))]
    OutsideWindow {
        /// When the next one opens.
        next: Option<String>,
    },
    /// The saved plan is not one that this version can apply.
    #[error("the saved plan cannot be applied: {0}")]
    Unusable(String),
    /// Nobody has agreed: no terminal to ask on, and no `--yes`.
    #[error("nobody is there to agree: standard input is not a terminal")]
    NobodyToAsk,
}

impl Refusal {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::WrongAccount { .. } => {
                "use the credentials of the right account, or correct -a / the plan"
            }
            Self::TooManyChanges { .. } | Self::TooManyChangesInAccount { .. } => {
                "look at the plan; if it is right, allow more with --max-changes or [safety] in evenkeel.toml, or narrow with -k and -r"
            }
            Self::TooRisky { .. } => "look at the change; if it is right, allow it with --max-risk",
            Self::Stale { .. } => "make a new plan and review it",
            Self::OldSnapshot { .. } => {
                "take a new one (`evenkeel snapshot --out FILE`), or allow more with --max-age"
            }
            Self::OutsideWindow { .. } => {
                "wait, or change [safety] change_windows in evenkeel.toml"
            }
            Self::Unusable(_) => "make the plan again with this version and do not edit it",
            Self::NobodyToAsk => {
                "review the plan, then pass --yes, or apply a saved plan with --yes"
            }
        }
    }
}

/// Checks a plan against the limits.
///
/// # Errors
/// The first limit that it breaks.
pub fn check_budget(plan: &Plan, safety: &Safety) -> Result<(), Refusal> {
    let planned = plan.order.len();
    if planned > safety.max_changes {
        return Err(Refusal::TooManyChanges { planned, limit: safety.max_changes });
    }
    let mut per_account: BTreeMap<&AccountId, usize> = BTreeMap::new();
    let changes = plan.changes();
    for (object, change) in plan.order.iter().filter_map(|id| changes.get(id)) {
        *per_account.entry(&object.account).or_default() += 1;
        if change.risk > safety.max_risk {
            return Err(Refusal::TooRisky {
                object: object.title(),
                risk: change.risk,
                limit: safety.max_risk,
            });
        }
    }
    match per_account.into_iter().find(|(_, planned)| *planned > safety.max_changes_per_account) {
        None => Ok(()),
        Some((account, planned)) => Err(Refusal::TooManyChangesInAccount {
            account: account.clone(),
            planned,
            limit: safety.max_changes_per_account,
        }),
    }
}

/// Checks that a change window is open. Without windows, changes are always allowed.
///
/// # Errors
/// None is open.
pub fn check_windows(windows: &[ChangeWindow], now: DateTime<Utc>) -> Result<(), Refusal> {
    let mut next: Option<DateTime<Tz>> = None;
    for window in windows {
        // The fleet file was checked when it was loaded; a window that cannot be read is shut.
        let zone: Tz = window.timezone.as_deref().unwrap_or("UTC").parse().unwrap_or(Tz::UTC);
        let Ok(cron) = schedule(&window.cron) else { continue };
        let local = now.with_timezone(&zone);
        let earliest = local - TimeDelta::hours(i64::from(window.hours));
        if cron.find_next_occurrence(&earliest, false).is_ok_and(|opened| opened <= local) {
            return Ok(());
        }
        if let Ok(opens) = cron.find_next_occurrence(&local, false)
            && next.as_ref().is_none_or(|next| opens < *next)
        {
            next = Some(opens);
        }
    }
    if windows.is_empty() {
        return Ok(());
    }
    Err(Refusal::OutsideWindow { next: next.map(|next| next.to_rfc3339()) })
}

/// Names what has moved between the plan and a new observation of the objects that it changes,
/// by account.
pub fn moved(plan: &Plan, now: &Plan) -> BTreeMap<AccountId, Vec<String>> {
    let key = |object: &crate::plan::ObjectPlan| {
        (
            object.account.clone(),
            object.region.clone(),
            object.item.clone(),
            object.observed.id.clone(),
        )
    };
    let digests: BTreeMap<_, _> =
        now.objects.iter().map(|object| (key(object), object.state_digest.as_str())).collect();
    let mut moved: BTreeMap<AccountId, Vec<String>> = BTreeMap::new();
    for object in plan.objects.iter().filter(|object| object.is_changed()) {
        let account = &object.account;
        let failed = now.failed.iter().find(|failed| failed.account == *account);
        let what = match (failed, digests.get(&key(object))) {
            (Some(failed), _) => {
                let what = format!("account {account} cannot be looked at: {}", failed.reason);
                if moved.get(account).is_some_and(|list| list.contains(&what)) {
                    continue;
                }
                what
            }
            (None, Some(digest)) if *digest == object.state_digest => continue,
            (None, Some(_)) => format!("{} has changed since the plan was made", object.title()),
            (None, None) => format!("{} is not there any more", object.title()),
        };
        moved.entry(account.clone()).or_default().push(what);
    }
    moved
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn window() -> ChangeWindow {
        ChangeWindow {
            cron: "0 0 9 * * MON-FRI".to_owned(),
            hours: 8,
            timezone: Some("Asia/Seoul".to_owned()),
        }
    }

    #[test]
    fn changes_wait_for_their_window() {
        let cases = [
            ("2026-11-23T01:00:00Z", true),  // Monday 10:00 in Seoul
            ("2026-11-23T08:30:00Z", false), // Monday 17:30
            ("2026-11-22T01:00:00Z", false), // Sunday 10:00
        ];
        for (now, open) in cases {
            let now = now.parse().unwrap();
            assert_eq!(check_windows(&[window()], now).is_ok(), open, "{now}");
        }
        assert!(check_windows(&[], "2026-11-22T01:00:00Z".parse().unwrap()).is_ok());
    }
}
