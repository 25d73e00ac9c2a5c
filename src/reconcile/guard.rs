//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::fleet::file::{ChangeWindow, schedule};
use crate::kinds::{Grant, GrantClasses, Risk};
use crate::names::AccountId;
use crate::plan::render::group::account_name;
use crate::plan::{Disposition, ObjectPlan, Plan};

/// The limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safety {
    /// Changes in all.
    pub max_changes: usize,
    /// Changes in one account.
    pub max_changes_per_account: usize,
    /// Changes of a higher risk are reported, not applied.
    pub max_risk: Risk,
    /// Changes with a rise of privileges of another class are reported, not applied.
    pub allow_grants: GrantClasses,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_changes: 200,
            max_changes_per_account: 25,
            max_risk: Risk::Disruptive,
            allow_grants: GrantClasses::default(),
        }
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
    /// A saved plan holds a change that gives rights of a class that is not allowed.
    #[error("the plan gives rights of the class {:?} with {object}: {}", grant.class.as_str(), grant.what)]
    GivesRights {
        /// The change's object.
        object: String,
        /// What it gives.
        grant: Grant,
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
                "use the credentials of the right account, correct -a or the plan, or name the role that leads into other accounts: [access] role_arn in the fleet file"
            }
            Self::TooManyChanges { .. } | Self::TooManyChangesInAccount { .. } => {
                "look at the plan; if it is right, allow more with --max-changes or [safety] in evenkeel.toml, or narrow with -k and -r"
            }
            Self::TooRisky { .. } => "look at the change; if it is right, allow it with --max-risk",
            Self::GivesRights { .. } => {
                "look at whom the change gives what; if it is right, allow the class with --allow-grants or [safety] allow_grants in evenkeel.toml"
            }
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
        let risen = change.grants.iter().find(|grant| !safety.allow_grants.contains(grant.class));
        if let Some(grant) = risen {
            return Err(Refusal::GivesRights { object: object.title(), grant: grant.clone() });
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

/// Why an account's part of a plan is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// The account, with its name when it is known.
    pub account: String,
    /// How many changes are left alone with it.
    pub changes: usize,
    /// What moved, or why nobody knows.
    pub why: Vec<String>,
    /// Whether the account could not be looked at at all.
    pub is_unseen: bool,
}

impl fmt::Display for LeftAlone {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.changes == 1 { "change" } else { "changes" };
        write!(
            out,
            "account {} with its {} {word}: {}",
            self.account,
            self.changes,
            self.why.join("; ")
        )
    }
}

/// The accounts in which something moved between a plan and a new observation of the objects that
/// it changes: what is there, or what may be done. An account is applied as a whole or not at all,
/// since its changes build on each other.
pub fn moved(plan: &Plan, now: &Plan) -> BTreeMap<AccountId, LeftAlone> {
    let key = |object: &ObjectPlan| {
        (
            object.account.clone(),
            object.region.clone(),
            object.item.clone(),
            object.observed.id.clone(),
        )
    };
    let seen: BTreeMap<_, _> = now.objects.iter().map(|object| (key(object), object)).collect();
    let mut moved: BTreeMap<AccountId, LeftAlone> = BTreeMap::new();
    for object in plan.objects.iter().filter(|object| object.is_changed()) {
        let account = &object.account;
        let (why, is_unseen) = match (whereabouts(account, now), seen.get(&key(object))) {
            (Whereabouts::Failed(reason), _) => (format!("it cannot be looked at: {reason}"), true),
            (Whereabouts::Gone(reason), _) => (reason, false),
            (Whereabouts::Here, None) => {
                (format!("{} is not there any more", title(object)), false)
            }
            (Whereabouts::Here, Some(now)) => match difference(object, now) {
                None => continue,
                Some(why) => (why, false),
            },
        };
        let name = plan.targets.iter().find(|target| target.account == *account);
        let left = moved.entry(account.clone()).or_insert_with(|| LeftAlone {
            account: name.map_or_else(|| account.to_string(), account_name),
            changes: 0,
            why: Vec::new(),
            is_unseen,
        });
        if !left.why.contains(&why) {
            left.why.push(why);
        }
    }
    for object in &plan.objects {
        if let Some(left) = moved.get_mut(&object.account) {
            left.changes += object.changes.iter().filter(|change| change.is_applied()).count();
        }
    }
    moved
}

/// Where an account of a plan is in a later one.
enum Whereabouts<'a> {
    Here,
    Failed(&'a str),
    Gone(String),
}

fn whereabouts<'a>(account: &AccountId, now: &'a Plan) -> Whereabouts<'a> {
    if let Some(failed) = now.failed.iter().find(|failed| failed.account == *account) {
        return Whereabouts::Failed(&failed.reason);
    }
    if let Some(skipped) = now.skipped.iter().find(|skipped| skipped.account == *account) {
        return Whereabouts::Gone(format!("it is {}", skipped.reason));
    }
    if now.targets.iter().any(|target| target.account == *account) {
        Whereabouts::Here
    } else {
        Whereabouts::Gone("no target selects it any more".to_owned())
    }
}

/// What an object's plan says differently now.
fn difference(then: &ObjectPlan, now: &ObjectPlan) -> Option<String> {
    if then.state_digest != now.state_digest {
        return Some(format!("{} has changed since the plan was made", title(then)));
    }
    let mut later = now.changes.iter();
    for change in &then.changes {
        let Some(again) = later.next() else {
            return Some(format!("{} would be changed in another way now", title(then)));
        };
        if !change.is_applied() {
            continue;
        }
        if let Disposition::Report { reason } = &again.disposition {
            return Some(format!("{} may not be written any more: {reason}", title(then)));
        }
        if again.action != change.action
            || again.risk != change.risk
            || again.grants != change.grants
        {
            return Some(format!("{} would be changed in another way now", title(then)));
        }
    }
    None
}

/// `iam.role audit in eu-west-1`, without the account.
fn title(object: &ObjectPlan) -> String {
    object.title().replace(&format!(" of {}", object.account), "")
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
