//! What differs in the organization, and what it takes to put it right.

use std::collections::BTreeMap;

use super::spec::{Action, AutoEnable, Configuration, Feature, Spec, State, Wanted};
use crate::kinds::guardduty::detector::AGENTS;
use crate::kinds::organization::administrator::{self, Words};
use crate::kinds::{Change, Charge, Drift, Facts, Risk, compared};

/// What is said of an administrator.
const WORDS: Words = Words {
    service: "GuardDuty",
    gains: "switches GuardDuty on and off in all accounts of the organization, and sees all their findings",
    guide: "GuardDuty User Guide, \"Changing the delegated GuardDuty administrator account\"",
};

pub fn diff(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut changes = Vec::new();
    let now = state.administrator.as_ref().and_then(|now| now.account_id.as_ref());
    let naming = administrator::named(&facts.account, spec.admin_account_id.as_ref(), now, &WORDS);
    changes.extend(naming.map(|change| change.map(Action::EnableAdministrator)));
    let is_made = changes.iter().any(|change| change.action.is_some());
    let Some(wanted) = spec.auto_enable_organization_members else { return changes };
    compared::mark("features");
    if let Some(now) = &state.configuration {
        changes.extend(configure(spec, wanted, now));
        return changes;
    }
    // The management account, which is not the administrator, nor to be it.
    let other = now.or(spec.admin_account_id.as_ref()).filter(|one| **one != facts.account);
    if let Some(other) = other {
        changes.push(Change::finding(everything(spec, wanted)).withhold(format!(
            "GuardDuty tells and takes this in the administrator account {other} alone: declare it there, and here admin_account_id alone"
        )));
        return changes;
    }
    for change in configure(spec, wanted, &Configuration::first(spec)) {
        let change = if is_made { change.needs([0]) } else { change };
        changes.push(match state.has_detector {
            Some(true) => change,
            Some(false) | None => change.warn(
                "GuardDuty has no detector here yet: there must be one, and this account must be the organization's GuardDuty administrator account, by the time of this change",
            ),
        });
    }
    changes
}

/// All that is declared, where nobody can look at it.
fn everything(spec: &Spec, wanted: AutoEnable) -> Drift {
    let mut drift = Drift::new();
    drift.add("auto_enable_organization_members", None::<AutoEnable>, Some(wanted));
    for (name, feature) in spec.features.iter().flatten() {
        drift.add(&format!("features.{name}"), None::<&Feature>, Some(feature));
    }
    drift
}

/// What differs from what is configured: one write, and what AWS does not take.
fn configure(spec: &Spec, wanted: AutoEnable, now: &Configuration) -> Vec<Change<Action>> {
    let (mut drift, mut changes) = (Drift::new(), Vec::new());
    let before = now.auto_enable_organization_members;
    drift.compare("auto_enable_organization_members", Some(&before), Some(&wanted));
    let mut features = BTreeMap::new();
    for (name, feature) in spec.features.iter().flatten() {
        match now.features.get(name) {
            Some(there) => {
                if compare(name, feature, there, &mut drift) {
                    features.insert(name.clone(), feature.clone());
                }
            }
            // What GuardDuty does not name, it does not do here.
            None if !feature.is_any_on() => {}
            None => changes.push(lacking(name, feature)),
        }
    }
    if !drift.is_empty() {
        let gained = Gained::of(before, wanted, &features, &now.features);
        let weaker = weaker(&drift);
        let wanted = Wanted { auto_enable_organization_members: wanted, features };
        let mut change = gained.tell(Change::new(Action::Configure(wanted), drift)).independent();
        if !weaker.is_empty() {
            change = change.warn(format!(
                "weaker than before: fewer accounts get {} by themselves",
                weaker.join(", ")
            ));
        }
        changes.push(change);
    }
    changes.extend(full(wanted, now));
    changes
}

/// Compares a feature; says whether it differs.
fn compare(name: &str, wanted: &Feature, now: &Feature, drift: &mut Drift) -> bool {
    let field = format!("features.{name}.auto_enable");
    let mut differs = drift.compare(&field, Some(&now.auto_enable), Some(&wanted.auto_enable));
    for (more, wanted) in &wanted.additional_configuration {
        let there = now.additional_configuration.get(more);
        // What is not named is not switched on.
        if there.is_none() && *wanted == AutoEnable::None {
            continue;
        }
        let field = format!("features.{name}.additional_configuration.{more}");
        differs |= drift.compare(&field, there, Some(wanted));
    }
    differs
}

fn lacking(name: &str, wanted: &Feature) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add(&format!("features.{name}"), None::<&Feature>, Some(wanted));
    Change::finding(drift).withhold(format!(
        "GuardDuty does not name {name} in this Region, which lacks it: leave it out here"
    ))
}

/// A finding where AWS takes no more members.
fn full(wanted: AutoEnable, now: &Configuration) -> Option<Change<Action>> {
    if !now.member_account_limit_reached || wanted == AutoEnable::None {
        return None;
    }
    let mut drift = Drift::new();
    let actual = "the most members that an administrator can have";
    drift.add("auto_enable_organization_members", Some(actual), Some(wanted));
    Some(Change::finding(drift).withhold(
        "GuardDuty takes no more members, so that it is not switched on in further accounts: take out accounts that are closed, or ask AWS for more (GuardDuty User Guide, \"Quotas\")",
    ))
}

/// The fields by which fewer accounts get something.
fn weaker(drift: &Drift) -> Vec<String> {
    let mode = |value: &Option<serde_json::Value>| -> Option<AutoEnable> {
        serde_json::from_value(value.clone()?).ok()
    };
    let fewer = drift.0.iter().filter(|one| mode(&one.desired) < mode(&one.actual));
    fewer.map(|one| one.field.clone()).collect()
}

/// What more accounts get than before.
struct Gained {
    all: bool,
    charged: bool,
    agents: bool,
}

impl Gained {
    fn of(
        before: AutoEnable,
        wanted: AutoEnable,
        features: &BTreeMap<String, Feature>,
        there: &BTreeMap<String, Feature>,
    ) -> Self {
        let mut gained = Self {
            all: wanted == AutoEnable::All && before != AutoEnable::All,
            charged: wanted > before,
            agents: false,
        };
        for (name, feature) in features {
            let now = there.get(name);
            let mode = now.map_or(AutoEnable::None, |now| now.auto_enable);
            gained.all |= feature.auto_enable == AutoEnable::All && mode != AutoEnable::All;
            gained.charged |= feature.auto_enable > mode;
            for (more, wanted) in &feature.additional_configuration {
                let mode = now.and_then(|now| now.additional_configuration.get(more));
                let is_more = *wanted > mode.copied().unwrap_or(AutoEnable::None);
                gained.charged |= is_more;
                gained.agents |= is_more && more.ends_with("_MANAGEMENT");
            }
        }
        gained
    }

    fn tell(&self, mut change: Change<Action>) -> Change<Action> {
        if self.charged {
            change = change.charged(
                "AWS charges for what GuardDuty analyzes in each account that this switches on",
                [Charge::Guardduty],
            );
        }
        if self.all {
            change = change.warn(
                "ALL reaches all accounts of the organization within 24 hours, those that somebody has switched off included",
            );
        }
        if self.agents {
            change = change.risk(Risk::Disruptive).warn(AGENTS);
        }
        change
    }
}

impl Feature {
    /// Whether it, or something below it, is switched on anywhere.
    fn is_any_on(&self) -> bool {
        let mut all = self.additional_configuration.values().chain([&self.auto_enable]);
        all.any(|mode| *mode != AutoEnable::None)
    }
}
