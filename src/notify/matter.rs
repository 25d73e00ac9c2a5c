//! What matters of a run, before anybody decides who is told.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::digest;
use crate::fleet::notify::{On, Severity};
use crate::kinds::TRAIL;
use crate::names::{AccountId, ItemName, Region};
use crate::plan::ObjectPlan;
use crate::store::history::{ByWhom, DriftKey, DriftRow};

/// The kinds that all else depends on: events, and what is known of who did what.
pub const PATH: &[&str] = &[TRAIL];

/// What something is about: an object, an account, a run, the files.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The same for the same thing, whenever it is seen.
    pub key: String,
    /// What it is called, for people to read.
    pub title: String,
    /// The account, where it is in one.
    #[serde(default)]
    pub account: Option<AccountId>,
    /// The account's name, when known.
    #[serde(default)]
    pub account_name: Option<String>,
    /// The Region; none where it is the account's only one.
    #[serde(default)]
    pub region: Option<Region>,
    /// The item, where it is an object.
    #[serde(default)]
    pub item: Option<ItemName>,
    /// The object's id; empty for the one object of a singleton.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub object: String,
    /// The targets of the run that saw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
}

impl Subject {
    /// Something that is no object.
    pub fn named(key: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            title: title.into(),
            account: None,
            account_name: None,
            region: None,
            item: None,
            object: String::new(),
            targets: Vec::new(),
        }
    }

    /// An object of a plan.
    pub fn of(object: &ObjectPlan, account_name: Option<&str>, targets: &[String]) -> Self {
        Self {
            key: key_of(object),
            title: object.title(),
            account: Some(object.account.clone()),
            account_name: account_name.map(str::to_owned),
            region: (!object.global).then(|| object.region.clone()),
            item: Some(object.item.clone()),
            object: object.observed.id.clone(),
            targets: targets.to_vec(),
        }
    }
}

/// What tells an object apart from all others.
pub fn key_of(object: &ObjectPlan) -> String {
    key(&object.account, &object.region, &object.item, &object.observed.id)
}

/// The same of an object of the history.
pub fn key_of_drift(drift: &DriftKey) -> String {
    key(&drift.account, &drift.region, &drift.item, &drift.object)
}

/// What stands in a key for the Region, where many objects are told together.
const EACH: &str = "/*/";
/// What stands there for the id.
const ALL: &str = "/*";

/// What tells the objects of an item in an account apart from all others, where they are told together.
pub fn key_of_all(account: &AccountId, item: &ItemName) -> String {
    format!("{account}{EACH}{item}{ALL}")
}

fn key(account: &AccountId, region: &Region, item: &ItemName, object: &str) -> String {
    format!("{account}/{region}/{item}/{object}")
}

/// Something that may be worth telling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Matter {
    /// What it is about.
    pub subject: Subject,
    /// Of which sort it is.
    pub on: On,
    /// How much it matters.
    pub severity: Severity,
    /// A digest of what is so: with another one, it is told again.
    pub state: String,
    /// What is so, in lines; the same for objects that are alike.
    pub what: Vec<String>,
    /// What evenkeel did, or why it did not.
    pub did: String,
    /// The command to look closer.
    pub look: String,
}

/// What is as it should be, of what a run looked at.
#[derive(Debug, Clone, Default)]
pub struct Fine {
    /// Digests of the keys: there may be a million objects.
    keys: HashSet<[u8; 16]>,
    /// Items of which something is unknown: nothing of them is gone for certain.
    unsure: BTreeSet<(AccountId, ItemName)>,
    /// Accounts of which all was looked at that the run's targets declare, with the other targets that declare
    /// something there.
    whole: BTreeMap<AccountId, BTreeSet<String>>,
    /// Why something is over that is not just so no longer.
    why: BTreeMap<String, &'static str>,
    /// Which accounts the run's targets select, where it is of all of them.
    selected: Option<Selected>,
}

/// Which accounts targets select.
#[derive(Debug, Clone)]
struct Selected {
    /// These targets.
    by: BTreeSet<String>,
    accounts: BTreeSet<AccountId>,
    /// All targets that there are.
    targets: BTreeSet<String>,
}

impl Selected {
    /// Whether a target selects an account no more, or is there no more.
    fn is_left_by(&self, target: &String, account: &AccountId) -> bool {
        let is_there = self.targets.is_empty() || self.targets.contains(target);
        !is_there || (self.by.contains(target) && !self.accounts.contains(account))
    }
}

fn short(key: &str) -> [u8; 16] {
    let mut short = [0; 16];
    let digest = digest::of_bytes(key.as_bytes());
    for (to, from) in short.iter_mut().zip(digest.bytes()) {
        *to = from;
    }
    short
}

impl Fine {
    /// This is as it should be.
    pub fn add(&mut self, key: &str) {
        self.keys.insert(short(key));
    }

    /// This is over for a reason of its own.
    pub fn because(&mut self, key: &str, why: Option<&'static str>) {
        self.why.extend(why.map(|why| (key.to_owned(), why)));
    }

    /// Nobody knows of something that an item governs.
    pub fn unsure(&mut self, account: &AccountId, item: &ItemName) {
        self.unsure.insert((account.clone(), item.clone()));
    }

    /// All was looked at that is declared for an account, but for what other targets declare there.
    pub fn whole(&mut self, account: &AccountId, beside: BTreeSet<String>) {
        self.whole.insert(account.clone(), beside);
    }

    /// These targets, of all that there are, select these accounts and no others.
    pub fn selects(
        &mut self,
        by: BTreeSet<String>,
        accounts: BTreeSet<AccountId>,
        targets: BTreeSet<String>,
    ) {
        self.selected = Some(Selected { by, accounts, targets });
    }

    /// Whether it is said which accounts are selected.
    pub fn is_of_all_accounts(&self) -> bool {
        self.selected.is_some()
    }

    /// Whether an account is none of those that the run's targets select.
    pub fn is_elsewhere(&self, account: &AccountId) -> bool {
        self.selected.as_ref().is_some_and(|selected| !selected.accounts.contains(account))
    }

    fn is_left_by(&self, target: &String, account: Option<&AccountId>) -> bool {
        let selected = self.selected.as_ref().zip(account);
        selected.is_some_and(|(selected, account)| selected.is_left_by(target, account))
    }

    /// Of which targets something still may be that was not seen: of those that were not asked for, and select its account.
    pub fn leaves<'a>(&self, subject: &'a Subject) -> impl Iterator<Item = &'a String> {
        let is_unsure = |account: &&AccountId| {
            let of = subject.item.clone().map(|item| ((*account).clone(), item));
            of.is_some_and(|of| self.unsure.contains(&of))
        };
        let account = subject.account.as_ref().filter(|account| !is_unsure(account));
        let beside = account.and_then(|account| self.whole.get(account));
        let is_asked = move |target: &&String| beside.is_none_or(|all| all.contains(*target));
        let is_left = |target: &&String| self.is_left_by(target, subject.account.as_ref());
        subject.targets.iter().filter(is_asked).filter(move |target| !is_left(target))
    }

    /// Whether something that was told is over, and why; `is_there` says whether it was seen as well.
    pub fn ends(&self, subject: &Subject, is_there: bool) -> Option<&'static str> {
        if self.keys.contains(&short(&subject.key)) {
            return Some(match (self.why.get(&subject.key), &subject.item) {
                (Some(why), _) => why,
                (None, Some(_)) => "it is as declared",
                (None, None) => "it is so no longer",
            });
        }
        let is_left = |target| self.is_left_by(target, subject.account.as_ref());
        if !subject.targets.is_empty() && subject.targets.iter().all(is_left) {
            return Some("no target selects its account any more");
        }
        let (Some(account), Some(item)) = (&subject.account, &subject.item) else { return None };
        let is_gone = !is_there
            && self.whole.contains_key(account)
            && self.leaves(subject).next().is_none()
            && !self.unsure.contains(&(account.clone(), item.clone()));
        is_gone.then_some("it is not there any more, or not declared")
    }
}

/// What is known of the run, or of whatever else was seen.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The run's id.
    #[serde(default)]
    pub run: Option<String>,
    /// The baseline: name and digest.
    #[serde(default)]
    pub baseline: Option<String>,
    /// The commit of the files, where it is known.
    #[serde(default)]
    pub commit: Option<String>,
    /// The head of the audit log: the number of its last record and the beginning of its digest.
    #[serde(default)]
    pub audit_log: Option<String>,
}

/// What was seen at one time.
#[derive(Debug, Clone)]
pub struct Seen {
    /// When.
    pub time: DateTime<Utc>,
    /// In which run.
    pub about: About,
    /// Who may have touched which object, by its key, as far as events told.
    pub heard: BTreeMap<String, Vec<ByWhom>>,
    /// What is so, until it is seen otherwise.
    pub standing: Vec<Matter>,
    /// What happened.
    pub done: Vec<Matter>,
    /// What is as it should be.
    pub fine: Fine,
    /// What differs of which object, in the order of the lines that say it, by [`DriftRow::mark`].
    pub rows: BTreeMap<String, Vec<u64>>,
    /// What is known from before of drift: since when, and by whom.
    pub known: BTreeMap<String, Known>,
    /// The accounts that were looked at.
    pub accounts: BTreeSet<AccountId>,
    /// What was touched by somebody, as events told by now: they may have done what was put right before.
    pub touched: Vec<Subject>,
    /// Who did what was put right before, as is known by now.
    pub late: Vec<Late>,
}

/// What the history knows of drift.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// Since when it is so.
    pub since: DateTime<Utc>,
    /// Who may have done any of it.
    pub by: Vec<ByWhom>,
    /// What differs, each with who may have done it.
    pub rows: Vec<DriftRow>,
}

/// What was told, and who may have done it, as is known by now.
#[derive(Debug, Clone)]
pub struct Late {
    /// What is told of it.
    pub matter: Matter,
    /// Since when it was so.
    pub since: DateTime<Utc>,
    /// Who may have done it, all who are named.
    pub by: Vec<ByWhom>,
}

impl Seen {
    /// Nothing yet.
    pub fn at(time: DateTime<Utc>) -> Self {
        Self {
            time,
            about: About::default(),
            heard: BTreeMap::new(),
            standing: Vec::new(),
            done: Vec::new(),
            fine: Fine::default(),
            rows: BTreeMap::new(),
            known: BTreeMap::new(),
            accounts: BTreeSet::new(),
            touched: Vec::new(),
            late: Vec::new(),
        }
    }

    /// Who may have touched something: nobody, where no event told of it.
    pub fn by(&self, subject: &Subject) -> Vec<ByWhom> {
        let Some((before, after)) =
            subject.key.split_once(EACH).filter(|(_, of)| of.ends_with(ALL))
        else {
            return self.heard.get(&subject.key).cloned().unwrap_or_default();
        };
        let item = format!("/{}/", after.trim_end_matches(ALL));
        let is_one = |key: &str| {
            let rest = key.strip_prefix(before).and_then(|rest| rest.strip_prefix('/'));
            rest.is_some_and(|rest| rest.contains(&item))
        };
        let mut all: Vec<ByWhom> = Vec::new();
        for by in self.heard.iter().filter(|(key, _)| is_one(key)).flat_map(|(_, by)| by) {
            if !all.contains(by) {
                all.push(by.clone());
            }
        }
        all
    }

    /// The books that it is about: one for each account, and one for what is in none.
    pub fn books(&self) -> BTreeSet<Option<AccountId>> {
        let matters = self.standing.iter().chain(&self.done);
        let mut books: BTreeSet<_> = self.accounts.iter().cloned().map(Some).collect();
        books.extend(matters.map(|matter| matter.subject.account.clone()));
        books.insert(None);
        books
    }
}
