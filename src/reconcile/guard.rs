//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use std::collections::{BTreeMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::guarded::{Hand, Standing};
use super::refusal::{Over, Refusal};
use crate::fleet::file::{ChangeWindow, schedule};
use crate::guards::KillSwitch;
use crate::kinds::{AllowedGrants, Grant, Risk};
use crate::names::AccountId;
use crate::plan::{Guard, Held, Plan, PlannedChange};

/// The limits of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Safety {
    /// Changes in all.
    pub max_changes: usize,
    /// Changes in one account.
    pub max_changes_per_account: usize,
    /// Changes of a higher risk are reported, not applied.
    pub max_risk: Risk,
    /// Changes with another rise of privileges are reported, not applied.
    pub allow_grants: AllowedGrants,
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            max_changes: 200,
            max_changes_per_account: 25,
            max_risk: Risk::Disruptive,
            allow_grants: AllowedGrants::default(),
        }
    }
}

/// What stands between a plan and its writes.
#[derive(Debug, Clone, Default)]
pub struct Guards {
    /// The limits.
    pub safety: Safety,
    /// The change windows; without any, changes are always allowed.
    pub windows: Vec<ChangeWindow>,
    /// The kill switch.
    pub kill_switch: KillSwitch,
}

impl Guards {
    /// Asks all of them.
    ///
    /// # Errors
    /// The first one that says no.
    pub fn check(&self, plan: &Plan, now: DateTime<Utc>) -> Result<(), Refusal> {
        check_budget(plan, &self.safety)?;
        self.may_begin(now)
    }

    /// Holds back in a plan what they do not let through. A run without anybody at the terminal shows
    /// all of it and goes on looking; a person who applies a plan is told of windows and limits when they
    /// apply it.
    pub fn hold(&self, plan: &mut Plan, standing: Option<&Standing>, now: DateTime<Utc>) {
        let Some(standing) = standing else { return };
        if let Some(pulled) = self.kill_switch.pulled() {
            plan.hold_all(&Held::from(&pulled));
        }
        if let (Hand::Loop, Err(refusal)) = (standing.hand(), self.check(plan, now)) {
            plan.hold_all(&refusal.held());
        }
    }

    /// Which of them would hold back all that a plan has to apply, were it applied now. A plan that is only
    /// made, or looked for, is shown with them and stays as it is: who applies it asks anew. Of what was read
    /// from a snapshot nobody knows when it is applied: windows do not count then.
    pub fn holding(&self, plan: &Plan, now: DateTime<Utc>) -> Vec<Held> {
        if plan.order.is_empty() {
            return Vec::new();
        }
        let windows = match &plan.snapshot {
            None => check_windows(&self.windows, now),
            Some(_) => Ok(()),
        };
        let asked = [check_budget(plan, &self.safety), windows];
        asked.iter().filter_map(|answer| Some(answer.as_ref().err()?.held())).collect()
    }

    /// Asks those that may say no in the middle of a run.
    ///
    /// # Errors
    /// The first one that says no.
    pub fn may_begin(&self, now: DateTime<Utc>) -> Result<(), Refusal> {
        if let Some(pulled) = self.kill_switch.pulled() {
            return Err(Refusal::KillSwitch(pulled));
        }
        check_windows(&self.windows, now)
    }
}

/// Checks a plan against the limits. All that it breaks of the budget is told at once, so that the
/// remedy is the last one.
///
/// # Errors
/// What it breaks.
pub fn check_budget(plan: &Plan, safety: &Safety) -> Result<(), Refusal> {
    check_risk(plan, safety)?;
    let ordered: HashSet<u32> = plan.order.iter().copied().collect();
    check_counts(plan, safety, &|change| ordered.contains(&change.id))
}

/// The refusal of a plan of which guards hold back all, with what would be refused then; `None` when they do
/// not.
pub fn held_back(plan: &Plan, held: Vec<(String, Held)>, safety: &Safety) -> Option<Refusal> {
    (plan.order.is_empty() && !held.is_empty()).then(|| {
        let then = check_counts(plan, safety, &PlannedChange::is_meant).err().map(Box::new);
        Refusal::HeldBack { held, then }
    })
}

fn check_counts(
    plan: &Plan,
    safety: &Safety,
    counts: &dyn Fn(&PlannedChange) -> bool,
) -> Result<(), Refusal> {
    let mut per_account: BTreeMap<AccountId, usize> = BTreeMap::new();
    for object in plan.objects.each() {
        let planned = object.changes.iter().filter(|change| counts(change)).count();
        match per_account.get_mut(&object.account) {
            Some(all) => *all += planned,
            None => drop(per_account.insert(object.account.clone(), planned)),
        }
    }
    let all = Over::find(per_account.values().sum(), safety.max_changes);
    let account = per_account.into_iter().max_by_key(|(_, planned)| *planned).and_then(
        |(account, planned)| Some((account, Over::find(planned, safety.max_changes_per_account)?)),
    );
    if all.is_none() && account.is_none() {
        return Ok(());
    }
    Err(Refusal::OverBudget { all, account })
}

/// All options that the guards would ask for one after the other, so that they are asked for at once.
pub fn options(plan: &Plan, safety: &Safety) -> Vec<(&'static str, Option<String>)> {
    let held: Vec<_> = plan.held().filter(|(_, held)| held.guard == Guard::Budget).collect();
    if let Some(refusal) = held_back(plan, held, safety) {
        return refusal.options();
    }
    let mut options = Vec::new();
    let mut safety = safety.clone();
    // Each refusal names at least one class or limit that was not allowed before.
    while let Err(refusal) = check_budget(plan, &safety) {
        match &refusal {
            Refusal::TooRisky { risk, .. } => safety.max_risk = *risk,
            Refusal::GivesRights { classes, .. } => {
                safety.allow_grants.extend(classes.iter().copied());
            }
            _ => {
                options.extend(refusal.options());
                break;
            }
        }
        options.extend(refusal.options());
    }
    options
}

/// Checks that a plan applies nothing above the risk limit, and gives no rights that are not allowed.
///
/// # Errors
/// The riskiest change, or the first that gives rights.
pub fn check_risk(plan: &Plan, safety: &Safety) -> Result<(), Refusal> {
    let mut riskiest: Option<(Risk, String)> = None;
    let mut risen: Option<(String, Grant)> = None;
    let mut classes = Vec::new();
    for object in plan.objects.each() {
        for change in object.changes.iter().filter(|change| change.is_applied()) {
            let most = riskiest.as_ref().map_or(safety.max_risk, |(risk, _)| *risk);
            if change.risk > safety.max_risk && change.risk >= most {
                riskiest = Some((change.risk, object.title()));
            }
            let grants = change.grants.iter().filter(|grant| !safety.allow_grants.allow(grant));
            for grant in grants {
                risen.get_or_insert_with(|| (object.title(), grant.clone()));
                if !classes.contains(&grant.class) {
                    classes.push(grant.class);
                }
            }
        }
    }
    if let Some((risk, object)) = riskiest {
        return Err(Refusal::TooRisky { object, risk, limit: safety.max_risk });
    }
    match risen {
        Some((object, grant)) => {
            Err(Refusal::GivesRights { object, grant: Box::new(grant), classes })
        }
        None => Ok(()),
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
