//! What the files of a simulation declare, and their texts.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::baseline::load::Memory;
use crate::fleet::guards::{Breaker, Fights, Wave};
use crate::names::AccountId;
use crate::reconcile::{FleetTarget, Rules};

/// Accounts.
pub const ACCOUNTS: [&str; 4] = ["111111111111", "222222222222", "333333333333", "444444444444"];
/// The fleet file.
pub const FLEET: &str = "evenkeel.toml";
/// The baseline of all targets.
const BASELINE: &str = "b.toml";
/// Changes of one run in one account, at most.
pub const BUDGET: usize = 2;

/// A kind, of which each account has one object. What it is to be is a number.
pub struct KindOfThing {
    /// Its name.
    pub name: &'static str,
    /// Its item.
    pub item: &'static str,
    /// The service whose call somebody changes it by.
    pub source: &'static str,
    /// The call.
    pub call: &'static str,
    /// The Region, if it is not global.
    pub region: Option<&'static str>,
    /// The field that has the number, and how it is written.
    field: (&'static str, &'static str),
    /// What must be declared besides.
    besides: &'static str,
}

/// All kinds.
pub const KINDS: [KindOfThing; 3] = [
    KindOfThing {
        name: "cloudtrail.trail",
        item: "cloudtrail.trail.audit",
        source: "cloudtrail.amazonaws.com",
        call: "UpdateTrail",
        region: None,
        field: ("s3_key_prefix", "\"#\""),
        besides: "name = \"audit\"\ns3_bucket_name = \"trails\"",
    },
    KindOfThing {
        name: "iam.password_policy",
        item: "iam.password_policy",
        source: "iam.amazonaws.com",
        call: "UpdateAccountPasswordPolicy",
        region: None,
        field: ("max_password_age", "#"),
        besides: "",
    },
    KindOfThing {
        name: "ec2.ebs_encryption",
        item: "ec2.ebs_encryption",
        source: "ec2.amazonaws.com",
        call: "DisableEbsEncryptionByDefault",
        region: Some("eu-west-1"),
        field: ("kms_key_id", "\"alias/#\""),
        besides: "enabled = true\nregions = [\"eu-west-1\"]",
    },
];

/// One object: an account and one of the kinds.
pub type Thing = (AccountId, usize);

/// What the files declare: each target's accounts, and what each kind is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The targets.
    pub targets: BTreeMap<String, Vec<AccountId>>,
    /// The number of the version.
    pub number: u64,
    /// What each kind is to be.
    pub wanted: [u64; 3],
}

impl Declared {
    /// A first version.
    pub fn first() -> Self {
        let all: Vec<AccountId> = ACCOUNTS.iter().map(|id| id.parse().unwrap()).collect();
        let targets = [("s", all[..3].to_vec()), ("t", all[2..].to_vec())];
        let targets = targets.map(|(name, accounts)| (name.to_owned(), accounts)).into();
        Self { targets, number: 1, wanted: [1; 3] }
    }

    /// The files that say so.
    pub fn texts(&self, rules: &Rules) -> Memory {
        let mut fleet = "schema = 1\nhome_region = \"eu-west-1\"\n".to_owned();
        for (name, accounts) in &self.targets {
            let confirmed = rules.confirmed.contains(name);
            let accounts: Vec<&str> = accounts.iter().map(AccountId::as_str).collect();
            writeln!(
                fleet,
                "[[target]]\nname = {name:?}\nselect = {{ accounts = {accounts:?} }}\nbaselines = [{BASELINE:?}]\nconfirmed = {confirmed}"
            )
            .unwrap();
        }
        let Rules { per_day, per_account_per_day, breaker, fights, waves, .. } = rules;
        let Breaker { failures, percent, minutes, pause_minutes } = breaker;
        let Fights { times, hours } = fights;
        writeln!(
            fleet,
            "[safety]\nmax_changes_per_account = {BUDGET}\nmax_changes_per_day = {per_day}\nmax_changes_per_account_per_day = {per_account_per_day}\nbreaker = {{ failures = {failures}, percent = {percent}, minutes = {minutes}, pause_minutes = {pause_minutes} }}\nfights = {{ times = {times}, hours = {hours} }}"
        )
        .unwrap();
        for Wave { name, accounts, soak_minutes, .. } in waves {
            writeln!(
                fleet,
                "[[rollout.wave]]\nname = {name:?}\naccounts = {accounts:?}\nsoak_minutes = {soak_minutes}"
            )
            .unwrap();
        }
        let mut baseline = "schema = 1\n".to_owned();
        for (KindOfThing { item, field: (field, form), besides, .. }, wanted) in
            KINDS.iter().zip(self.wanted)
        {
            let value = form.replace('#', &wanted.to_string());
            writeln!(baseline, "[{item}]\n{field} = {value}\n{besides}").unwrap();
        }
        let files = [(FLEET, fleet), (BASELINE, baseline)];
        Memory(files.map(|(name, text)| (name.into(), text)).into())
    }
}

/// Files that nobody can use, of a version.
pub fn invalid(number: u64) -> Memory {
    Memory([(FLEET.into(), format!("schema = 1\nno_such_key = {number}\n"))].into())
}

/// What each kind is to be, as a run has it from the files.
pub fn wanted_of(target: &FleetTarget) -> [u64; 3] {
    let items = target.baseline.resolve_for_anyone("aws", None);
    KINDS.map(|kind| {
        let item = items.iter().find(|item| item.item.kind == kind.name).unwrap();
        let said = item.spec[kind.field.0].to_string();
        let digits: String = said.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    })
}
