//! Why a run refuses to write. A refusal is not an error: nothing went wrong, and nothing was written.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::guards::Pulled;
use crate::kinds::{Grant, GrantClass, Risk};
use crate::names::AccountId;
use crate::plan::words::{counted, shortened_list};
use crate::plan::{Guard, Held, RunLimit};

/// Reasons that are told in a line.
const NAMED: usize = 3;

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
        /// The limits of the run that release some of it when they are raised, and how far.
        raise: Vec<(RunLimit, usize)>,
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
    pub(super) fn find(planned: usize, limit: usize) -> Option<Self> {
        (planned > limit).then_some(Self { planned, limit })
    }
}

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
            Self::HeldBack { held, raise, then } => {
                let overruled = held.iter().filter(|(_, held)| held.raised_with.is_none());
                let guards: BTreeSet<Guard> = overruled.map(|(_, held)| held.guard).collect();
                let raised = raise.iter().map(|(limit, to)| (limit.option(), Some(to.to_string())));
                let mut options: Vec<_> = guards.into_iter().map(overrule).chain(raised).collect();
                for further in then.iter().flat_map(|then| then.options()) {
                    if !options.iter().any(|(name, _)| *name == further.0) {
                        options.push(further);
                    }
                }
                options
            }
            Self::NobodyToAsk => vec![("--yes", None)],
            _ => Vec::new(),
        }
    }
}
