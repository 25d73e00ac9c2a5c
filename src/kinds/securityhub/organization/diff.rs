//! What differs in the organization, and what it takes to put it right.

use super::spec::{Action, Configuration, ConfigurationType, Settings, Spec, State};
use crate::kinds::organization::administrator::{self, Words};
use crate::kinds::{Change, Charge, Drift, Facts, Risk};

/// What is said of an administrator.
const WORDS: Words = Words {
    service: "Security Hub",
    gains: "decides what Security Hub does in all accounts of the organization, and sees all their findings",
    guide: "Security Hub User Guide, \"Removing or changing the delegated administrator\"",
};

pub fn diff(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let mut changes = Vec::new();
    let now = state.administrator.as_ref().and_then(|now| now.account_id.as_ref());
    let naming = administrator::named(&facts.account, spec.admin_account_id.as_ref(), now, &WORDS);
    changes.extend(naming.map(|change| change.map(Action::EnableAdministrator)));
    let is_made = changes.iter().any(|change| change.action.is_some());
    if let Some(now) = &state.configuration {
        changes.extend(configure(spec, now, compare(spec, Some(&now.settings))));
        return changes;
    }
    // The management account, which is not the administrator, nor to be it.
    let other = now.or(spec.admin_account_id.as_ref()).filter(|one| **one != facts.account);
    if let Some(other) = other {
        let drift = compare(spec, None);
        if !drift.is_empty() {
            changes.push(Change::finding(drift).withhold(format!(
                "Security Hub tells and takes this in the administrator account {other} alone: declare it there, and here admin_account_id alone"
            )));
        }
        return changes;
    }
    let drift = compare(spec, Some(&Settings::FIRST));
    if !drift.is_empty() {
        let change = change(&Settings::FIRST, Settings::FIRST.with(spec), drift);
        changes.push(match is_made {
            true => change.needs([0]),
            false => change.independent().warn(
                "Security Hub is not on here yet: it must be, and this account must be the organization's Security Hub administrator account, by the time of this change",
            ),
        });
    }
    changes
}

/// Compares what is declared; where nobody can look, all of it differs.
fn compare(spec: &Spec, now: Option<&Settings>) -> Drift {
    let mut drift = Drift::new();
    drift.compare("auto_enable", now.map(|now| &now.auto_enable), spec.auto_enable.as_ref());
    drift.compare(
        "auto_enable_standards",
        now.map(|now| &now.auto_enable_standards),
        spec.auto_enable_standards.as_ref(),
    );
    drift.compare(
        "configuration_type",
        now.map(|now| &now.configuration_type),
        spec.configuration_type.as_ref(),
    );
    drift
}

fn configure(spec: &Spec, now: &Configuration, drift: Drift) -> Vec<Change<Action>> {
    let mut changes = Vec::new();
    if !drift.is_empty() {
        let then = now.settings.with(spec);
        changes.push(match then.fit() {
            true => change(&now.settings, then, drift).independent(),
            false => Change::finding(drift).withhold(
                "with central configuration, Security Hub switches nothing on beside its policies: declare configuration_type = \"LOCAL\", too, or leave this out",
            ),
        });
    }
    let central = spec.configuration_type == Some(ConfigurationType::Central);
    if let Some(reason) = now.failed.as_ref().filter(|_| central) {
        let mut drift = Drift::new();
        drift.add("configuration_type", Some("CENTRAL, and failed"), spec.configuration_type);
        changes.push(Change::finding(drift).withhold(format!(
            "Security Hub could not begin with central configuration: {reason}"
        )));
    }
    if now.member_account_limit_reached && spec.auto_enable == Some(true) {
        let mut drift = Drift::new();
        let actual = "the most members that an administrator can have";
        drift.add("auto_enable", Some(actual), spec.auto_enable);
        changes.push(Change::finding(drift).withhold(
            "Security Hub takes no more members, so that it is not switched on in further accounts: take out accounts that are closed, or ask AWS for more (Security Hub User Guide, \"Quotas\")",
        ));
    }
    changes
}

/// The write, with what the reader must know of it.
fn change(now: &Settings, then: Settings, drift: Drift) -> Change<Action> {
    use ConfigurationType::{Central, Local};
    let mut change = Change::new(Action::Configure(then.clone()), drift);
    match (now.configuration_type, then.configuration_type) {
        (Local, Central) => {
            change = change.risk(Risk::Disruptive).warn(
                "what accounts have set themselves gives way to the policies that they are associated with, in this Region and in those that are linked to it",
            );
        }
        (Central, Local) => {
            change = change.risk(Risk::Disruptive).warn(
                "policies decide no longer what accounts have: Security Hub takes their associations away",
            );
        }
        (Local, Local) | (Central, Central) => {}
    }
    if then.auto_enable && !now.auto_enable {
        change = change.charged(
            "AWS charges for what Security Hub checks in each account that joins",
            [Charge::SecurityCheck],
        );
    }
    let is_central = then.configuration_type == Central;
    if now.auto_enable && !then.auto_enable && !is_central {
        change = change.warn("weaker than before: an account that joins is not switched on");
    }
    let fewer = now.auto_enable_standards > then.auto_enable_standards;
    if fewer && !is_central {
        change = change.warn("weaker than before: an account that joins begins without standards");
    }
    change
}
