//! What the limits say of a plan. It is gone through once, whatever is asked: the objects of a large fleet
//! are unpacked each time.

use std::collections::{BTreeMap, HashSet};

use super::refusal::{Over, Refusal};
use crate::fleet::Fleet;
use crate::kinds::{AllowedGrants, Grant, GrantClass, Risk};
use crate::names::AccountId;
use crate::plan::{Guard, Held, ObjectPlan, Plan, RunLimit};

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

/// What the limits say of a plan.
#[derive(Debug)]
pub struct LimitCheck {
    safety: Safety,
    /// The changes in each account.
    planned: BTreeMap<AccountId, Planned>,
    /// The riskiest change above the limit, with the object that it is of.
    riskiest: Option<(Risk, String)>,
    /// The first rise of privileges that is not allowed, with the object.
    risen: Option<(String, Grant)>,
    /// The classes of all such rises.
    classes: Vec<GrantClass>,
    /// What guards hold back.
    held: Vec<(String, Held)>,
}

/// The changes in an account.
#[derive(Debug, Default)]
struct Planned {
    /// That are to be applied.
    ordered: usize,
    /// That would be if no guard held them back.
    meant: usize,
}

impl LimitCheck {
    /// Goes through a plan.
    pub fn of(plan: &Plan, safety: &Safety) -> Self {
        let mut check = Self {
            safety: safety.clone(),
            planned: BTreeMap::new(),
            riskiest: None,
            risen: None,
            classes: Vec::new(),
            held: Vec::new(),
        };
        let ordered: HashSet<u32> = plan.order.iter().copied().collect();
        for object in plan.objects.each() {
            check.add(&object, &ordered);
        }
        check
    }

    fn add(&mut self, object: &ObjectPlan, ordered: &HashSet<u32>) {
        self.held.extend(object.held().map(|held| (object.title(), held.clone())));
        let mut planned = Planned::default();
        for change in &object.changes {
            planned.ordered += usize::from(ordered.contains(&change.id));
            planned.meant += usize::from(change.is_meant());
            if !change.is_applied() {
                continue;
            }
            let most = self.riskiest.as_ref().map_or(self.safety.max_risk, |(risk, _)| *risk);
            if change.risk > self.safety.max_risk && change.risk >= most {
                self.riskiest = Some((change.risk, object.title()));
            }
            for grant in &change.grants {
                if self.safety.allow_grants.allow(grant) {
                    continue;
                }
                self.risen.get_or_insert_with(|| (object.title(), grant.clone()));
                if !self.classes.contains(&grant.class) {
                    self.classes.push(grant.class);
                }
            }
        }
        match self.planned.get_mut(&object.account) {
            Some(all) => {
                all.ordered += planned.ordered;
                all.meant += planned.meant;
            }
            None => drop(self.planned.insert(object.account.clone(), planned)),
        }
    }

    /// Checks that nothing is above the limit of risk, that no rights are given that are not allowed, and
    /// that there are no more changes than allowed. All that is too many is told at once, so that the remedy
    /// is the last one.
    ///
    /// # Errors
    /// What the plan breaks.
    pub fn check(&self) -> Result<(), Refusal> {
        self.check_risk()?;
        self.check_counts(|planned| planned.ordered)
    }

    /// Checks that nothing is above the limit of risk, and that no rights are given that are not allowed.
    ///
    /// # Errors
    /// The riskiest change, or the first that gives rights.
    pub fn check_risk(&self) -> Result<(), Refusal> {
        self.too_risky().or_else(|| self.gives_rights()).map_or(Ok(()), Err)
    }

    fn too_risky(&self) -> Option<Refusal> {
        let (risk, object) = self.riskiest.clone()?;
        Some(Refusal::TooRisky { object, risk, limit: self.safety.max_risk })
    }

    fn gives_rights(&self) -> Option<Refusal> {
        let (object, grant) = self.risen.clone()?;
        Some(Refusal::GivesRights { object, grant: Box::new(grant), classes: self.classes.clone() })
    }

    fn check_counts(&self, count: impl Fn(&Planned) -> usize) -> Result<(), Refusal> {
        let Safety { max_changes, max_changes_per_account, .. } = self.safety;
        let all = Over::find(self.planned.values().map(&count).sum(), max_changes);
        let most = self.planned.iter().max_by_key(|(_, planned)| count(planned));
        let account = most.and_then(|(account, planned)| {
            Some((account.clone(), Over::find(count(planned), max_changes_per_account)?))
        });
        if all.is_none() && account.is_none() {
            return Ok(());
        }
        Err(Refusal::OverBudget { all, account })
    }

    /// The refusal of a plan of which guards hold back all, with what would be refused then; `None` when they
    /// do not.
    pub fn held_back(&self, plan: &Plan, held: Vec<(String, Held)>) -> Option<Refusal> {
        (plan.order.is_empty() && !held.is_empty()).then(|| {
            let then = self.check_counts(|planned| planned.meant).err().map(Box::new);
            Refusal::HeldBack { raise: self.raised(&held), held, then }
        })
    }

    /// The limits that release something when they are raised, and how far.
    fn raised(&self, held: &[(String, Held)]) -> Vec<(RunLimit, usize)> {
        let meant = || self.planned.values().map(|planned| planned.meant);
        let all = [
            (RunLimit::MaxChanges, meant().sum()),
            (RunLimit::MaxChangesPerAccount, meant().max().unwrap_or_default()),
        ];
        let is_named = |limit| held.iter().any(|(_, held)| held.raised_with == Some(limit));
        all.into_iter().filter(|(limit, _)| is_named(*limit)).collect()
    }

    /// The refusal of a plan of which a budget holds back all: who has reviewed it may overrule that.
    pub fn spent(&self, plan: &Plan) -> Option<Refusal> {
        let is_budget = self.held.iter().all(|(_, held)| held.guard == Guard::Budget);
        is_budget.then(|| self.held_back(plan, self.held.clone())).flatten()
    }

    /// All options that the guards would ask for one after the other, so that they are asked for at once.
    pub fn options(&self, plan: &Plan) -> Vec<(&'static str, Option<String>)> {
        let by_budget = |(_, held): &&(String, Held)| held.guard == Guard::Budget;
        let held: Vec<_> = self.held.iter().filter(by_budget).cloned().collect();
        if let Some(refusal) = self.held_back(plan, held) {
            return refusal.options();
        }
        let counts = self.check_counts(|planned| planned.ordered).err();
        let refusals = [self.too_risky(), self.gives_rights(), counts].into_iter().flatten();
        refusals.flat_map(|refusal| refusal.options()).collect()
    }
}

/// The refusal of a plan of which guards hold back all; see [`LimitCheck::held_back`].
pub fn held_back(plan: &Plan, held: Vec<(String, Held)>, safety: &Safety) -> Option<Refusal> {
    // Nothing is gone through that is not asked for.
    (plan.order.is_empty() && !held.is_empty())
        .then(|| LimitCheck::of(plan, safety).held_back(plan, held))
        .flatten()
}
