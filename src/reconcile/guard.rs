//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;

use super::guarded::{Hand, Standing};
use crate::fleet::Fleet;
use crate::fleet::file::{ChangeWindow, schedule};
use crate::guards::{KillSwitch, Pulled};
use crate::kinds::{AllowedGrants, Grant, GrantClass, Risk};
use crate::names::AccountId;
use crate::plan::words::{counted, shortened_list};
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

impl Safety {
    /// As a fleet file says; without one, as one that says nothing.
    pub fn of(fleet: Option<&Fleet>) -> Self {
        let Some(file) = fleet.map(|fleet| &fleet.file.safety) else { return Self::default() };
        let mut allow_grants: AllowedGrants = file.allow_grants.iter().copied().collect();
        allow_grants.trust_all(file.trusted_accounts.iter().cloned());
        Self {
            max_changes: file.max_changes,
            max_changes_per_account: file.max_changes_per_account,
            max_risk: file.max_risk,
            allow_grants,
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
    /// More changes than allowed: in all, in one account, or both.
    #[error("the plan has {}", budget_words(all.as_ref(), account.as_ref()))]
    OverBudget {
        /// In all.
        all: Option<Over>,
        /// In the account with the most changes.
        account: Option<(AccountId, Over)>,
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
        grant: Box<Grant>,
        /// All classes that the plan's changes have and that are not allowed.
        classes: Vec<GrantClass>,
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
    /// Guards hold back all that was to be applied.
    #[error("{}{}", held_words(held), then.as_ref().map_or(String::new(), |then| format!("; and {then}")))]
    HeldBack {
        /// Each object with the first reason.
        held: Vec<(String, Held)>,
        /// What would be refused if the guards were overruled.
        then: Option<Box<Refusal>>,
    },
    /// The kill switch is on.
    #[error("the kill switch is on: {0}")]
    KillSwitch(Pulled),
    /// The saved plan is not one that can be applied.
    #[error("the saved plan cannot be applied: {why}")]
    Unusable {
        /// Why.
        why: String,
        /// What the reader should do next.
        remedy: String,
    },
    /// A rollout that is to go on was given up by somebody.
    #[error("the version of {target:?} that was on its way was given up at {since}: {why}")]
    GivenUp {
        /// The target.
        target: String,
        /// When.
        since: String,
        /// By whom.
        why: String,
    },
    /// With a baseline of the command line: an account that the fleet file leaves out.
    #[error("{}", why.join("; "))]
    OutsideFleet {
        /// Which accounts, and why each is left out.
        why: Vec<String>,
    },
    /// With a choice of targets: nobody knows what the others except in an account.
    #[error("{}", why.join("; "))]
    Undecided {
        /// Which accounts, and of which targets.
        why: Vec<String>,
    },
    /// Nobody has agreed: no terminal to ask on, and no `--yes`.
    #[error("nobody is there to agree: standard input is not a terminal")]
    NobodyToAsk,
}

/// How far a limit is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Over {
    /// In the plan.
    pub planned: usize,
    /// Allowed.
    pub limit: usize,
}

impl Over {
    fn find(planned: usize, limit: usize) -> Option<Self> {
        (planned > limit).then_some(Self { planned, limit })
    }
}

/// Reasons that are told in a line.
const NAMED: usize = 3;

fn held_words(held: &[(String, Held)]) -> String {
    let mut reasons: Vec<String> =
        held.iter().map(|(_, held)| format!("{}: {}", held.guard, held.reason)).collect();
    reasons.dedup();
    let objects = counted(held.len(), "object");
    format!("{objects} held back by {}", shortened_list(&reasons, NAMED))
}

/// The option that overrules a guard.
fn overrule(guard: Guard) -> (&'static str, Option<String>) {
    ("--overrule", Some(guard.as_str().to_owned()))
}

fn budget_words(all: Option<&Over>, account: Option<&(AccountId, Over)>) -> String {
    let all = all.map(|Over { planned, limit }| {
        format!("{}, and the limit is {limit}", counted(*planned, "change"))
    });
    let account = account.map(|(account, Over { planned, limit })| {
        let changes = counted(*planned, "change");
        format!("{changes} in account {account}, and the limit for one account is {limit}")
    });
    all.into_iter().chain(account).collect::<Vec<_>>().join("; it has ")
}

impl Refusal {
    /// What the reader should do next.
    pub fn remedy(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::WrongAccount { .. } => {
                "use the credentials of the right account, correct -a or the plan, or name the role that leads into other accounts: [access] role_arn in the fleet file"
            }
            Self::OverBudget { all, account } => {
                let safety = match (all, account) {
                    (Some(_), Some(_)) => "max_changes and max_changes_per_account",
                    (Some(_), None) => "max_changes",
                    (None, _) => "max_changes_per_account",
                };
                return Cow::Owned(format!(
                    "look at the plan; if it is right, allow so many: this once with the options below, always with [safety] {safety} in evenkeel.toml"
                ));
            }
            Self::TooRisky { risk, .. } => {
                return Cow::Owned(format!(
                    "look at the change; if it is right, allow it this once with --max-risk {}",
                    risk.as_str()
                ));
            }
            Self::GivesRights { .. } => {
                "look at whom the change gives what; if it is right, allow the classes this once with --allow-grants, always with [safety] allow_grants in evenkeel.toml"
            }
            Self::Stale { .. } => "make a new plan and review it",
            Self::OldSnapshot { .. } => {
                "take a new one (`evenkeel snapshot --out FILE`), or allow more with --max-age"
            }
            Self::OutsideWindow { .. } => {
                "wait, or change [safety] change_windows in evenkeel.toml"
            }
            Self::HeldBack { held, .. } => {
                let mut by: Vec<&str> =
                    held.iter().map(|(_, held)| held.released_by.as_str()).collect();
                by.dedup();
                by.truncate(NAMED);
                return Cow::Owned(format!(
                    "what releases it: {}; if it is right to write all the same, overrule each guard by its name",
                    by.join("; or ")
                ));
            }
            Self::KillSwitch(pulled) => return Cow::Owned(pulled.release()),
            Self::Unusable { remedy, .. } => remedy,
            Self::GivenUp { .. } => {
                "let another version of its baselines go out; if this one is right after all: evenkeel rollout resume --given-up"
            }
            Self::OutsideFleet { .. } => {
                "apply the fleet file's own baselines (without -b), let a target select the account, or, if it is right to write there all the same, say so with --outside-fleet"
            }
            Self::Undecided { .. } => {
                "let the organization be asked: run where it may be listed, or name a role for it with [access] organizations_role_arn"
            }
            Self::NobodyToAsk => {
                "review the plan, then pass --yes, or apply a saved plan with --yes"
            }
        })
    }

    /// As what a guard holds back.
    pub fn held(&self) -> Held {
        let guard = match self {
            Self::KillSwitch(pulled) => return pulled.into(),
            Self::OutsideWindow { .. } => Guard::ChangeWindow,
            _ => {
                let released_by = "evenkeel apply with the options that it names, where somebody sees the plan, or a higher limit in [safety]";
                return Held::by(Guard::Budget, self.to_string(), released_by);
            }
        };
        Held::by(guard, self.to_string(), self.remedy())
    }

    /// The options with which the same command would not be refused for this reason; none when no
    /// option helps.
    pub fn options(&self) -> Vec<(&'static str, Option<String>)> {
        match self {
            Self::OverBudget { all, account } => {
                let all = all.map(|over| ("--max-changes", over));
                let account =
                    account.as_ref().map(|(_, over)| ("--max-changes-per-account", *over));
                all.into_iter()
                    .chain(account)
                    .map(|(name, over)| (name, Some(over.planned.to_string())))
                    .collect()
            }
            Self::TooRisky { risk, .. } => vec![("--max-risk", Some(risk.as_str().to_owned()))],
            Self::GivesRights { classes, .. } => classes
                .iter()
                .map(|class| ("--allow-grants", Some(class.as_str().to_owned())))
                .collect(),
            Self::OutsideFleet { .. } => vec![("--outside-fleet", None)],
            Self::KillSwitch(_) => vec![overrule(Guard::KillSwitch)],
            Self::HeldBack { held, then } => {
                let guards: BTreeSet<Guard> = held.iter().map(|(_, held)| held.guard).collect();
                let further = then.iter().flat_map(|then| then.options());
                guards.into_iter().map(overrule).chain(further).collect()
            }
            Self::NobodyToAsk => vec![("--yes", None)],
            _ => Vec::new(),
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
