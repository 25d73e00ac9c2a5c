//! The guards before the first write. A refusal is not an error: nothing went wrong, and nothing
//! was written.

use std::collections::BTreeMap;

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
    for (object, change) in plan.order.iter().filter_map(|id| plan.change(*id)) {
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

/// Names what has moved between the plan and a new observation of the objects that it changes.
pub fn moved(plan: &Plan, now: &Plan) -> Vec<String> {
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
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .filter_map(|object| match digests.get(&key(object)) {
            Some(digest) if *digest == object.state_digest => None,
            Some(_) => Some(format!("{} has changed since the plan was made", object.title())),
            None => Some(format!("{} is not there any more", object.title())),
        })
        .collect()
}
