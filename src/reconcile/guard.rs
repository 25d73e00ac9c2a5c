//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::guarded::{Hand, Standing};
use super::limits::{LimitCheck, Safety};
use super::refusal::Refusal;
use crate::fleet::file::{ChangeWindow, schedule};
use crate::guards::KillSwitch;

use crate::plan::{Held, Plan};

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
        LimitCheck::of(plan, &self.safety).check()?;
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
    pub fn holding(&self, plan: &Plan, limits: &LimitCheck, now: DateTime<Utc>) -> Vec<Held> {
        if plan.order.is_empty() {
            return Vec::new();
        }
        let windows = match &plan.snapshot {
            None => check_windows(&self.windows, now),
            Some(_) => Ok(()),
        };
        let asked = [limits.check(), windows];
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
