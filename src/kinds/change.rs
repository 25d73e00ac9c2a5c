//! Drift and the writes that remove it, as kinds state them.

use std::collections::BTreeSet;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::charge::{self, Charge};
use super::compared;
use crate::names::{AccountId, Arn};
use crate::policy_document::grants::Rise;

/// How much a change can hurt; ordered.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Nothing that works today stops working.
    Safe,
    /// Something that works today may stop working until it is put right.
    Disruptive,
    /// Something is lost that cannot be brought back.
    Destructive,
}

impl Risk {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FieldDrift {
    /// The field's path in the spec: `lifecycle[0].days`; empty for the whole object.
    pub field: String,
    /// What is there; `None` when nothing is.
    pub actual: Option<Value>,
    /// What is declared; `None` when it must not be there.
    pub desired: Option<Value>,
}

/// The fields of an object that differ, collected one by one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drift(pub Vec<FieldDrift>);

impl Drift {
    /// Nothing differs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares a field when it is declared; says whether it differs.
    pub fn compare<T: Serialize + PartialEq>(
        &mut self,
        field: &str,
        actual: Option<&T>,
        desired: Option<&T>,
    ) -> bool {
        compared::mark(field);
        match desired {
            Some(desired) if actual != Some(desired) => {
                self.add(field, actual, Some(desired));
                true
            }
            _ => false,
        }
    }

    /// Compares a text field when it is declared; an empty text means "not set" on both sides.
    pub fn compare_text(
        &mut self,
        field: &str,
        actual: Option<&str>,
        desired: Option<&str>,
    ) -> bool {
        compared::mark(field);
        let Some(desired) = desired else { return false };
        let (actual, desired) =
            (actual.filter(|text| !text.is_empty()), Some(desired).filter(|text| !text.is_empty()));
        if actual == desired {
            return false;
        }
        self.add(field, actual, desired);
        true
    }

    /// Records a field that differs.
    pub fn add<A: Serialize, D: Serialize>(
        &mut self,
        field: &str,
        actual: Option<A>,
        desired: Option<D>,
    ) {
        compared::mark(field);
        self.0.push(FieldDrift {
            field: field.to_owned(),
            actual: actual.as_ref().and_then(to_value),
            desired: desired.as_ref().and_then(to_value),
        });
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value as plans show it; plain data always has one.
fn to_value<T: Serialize>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// Which earlier changes of the same object a change cannot do without. The order of the list is
/// kept in any case; this says what a failure, or a change that is only reported, stops. What closes
/// a door must not wait for what opens or adorns another, so that a need is always said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Needs {
    /// The making of its object, which is the first change of one that is not there; of one that
    /// is there, none.
    #[default]
    Object,
    /// Those at these places of the kind's list, counted from 0; none at all when empty.
    Only(Vec<usize>),
}

/// Whom a write gives rights that evenkeel counts as a rise of privileges.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum GrantClass {
    /// Somebody in another account.
    Foreign,
    /// Everybody: the principal `*` without a condition that narrows it.
    Public,
    /// Rights over everything, such as `AdministratorAccess` or `*` on `*`.
    Administrator,
}

impl GrantClass {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Foreign => "foreign",
            Self::Public => "public",
            Self::Administrator => "administrator",
        }
    }
}

/// The rises of privileges that may be applied: some classes, and those for trusted accounts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedGrants {
    foreign: bool,
    public: bool,
    administrator: bool,
    trusted: BTreeSet<AccountId>,
}

impl AllowedGrants {
    /// All of them.
    pub const ALL: Self =
        Self { foreign: true, public: true, administrator: true, trusted: BTreeSet::new() };

    /// Whether a rise may be applied.
    pub fn allow(&self, grant: &Grant) -> bool {
        let is_class = match grant.class {
            GrantClass::Foreign => self.foreign,
            GrantClass::Public => self.public,
            GrantClass::Administrator => self.administrator,
        };
        is_class || self.trust(grant)
    }

    /// Whether a rise gives something to trusted accounts alone.
    pub fn trust(&self, grant: &Grant) -> bool {
        let strangers = |accounts: &BTreeSet<AccountId>| !accounts.is_subset(&self.trusted);
        grant.class == GrantClass::Foreign
            && !grant.accounts.as_ref().is_none_or(|all| all.is_empty() || strangers(all))
    }

    /// Trusts accounts.
    pub fn trust_all(&mut self, accounts: impl IntoIterator<Item = AccountId>) {
        self.trusted.extend(accounts);
    }
}

impl Extend<GrantClass> for AllowedGrants {
    fn extend<I: IntoIterator<Item = GrantClass>>(&mut self, classes: I) {
        for class in classes {
            match class {
                GrantClass::Foreign => self.foreign = true,
                GrantClass::Public => self.public = true,
                GrantClass::Administrator => self.administrator = true,
            }
        }
    }
}

impl FromIterator<GrantClass> for AllowedGrants {
    fn from_iter<I: IntoIterator<Item = GrantClass>>(classes: I) -> Self {
        let mut all = Self::default();
        all.extend(classes);
        all
    }
}

/// A rise of privileges that a write would make.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Grant {
    /// Of which class.
    pub class: GrantClass,
    /// Who gets what, in words.
    pub what: String,
    /// The accounts of all who get it, of a rise for other accounts; absent where the policy does
    /// not say.
    #[serde(default)]
    pub accounts: Option<BTreeSet<AccountId>>,
}

/// One write, or one finding that evenkeel cannot write away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change<A> {
    /// What differs.
    pub drift: Vec<FieldDrift>,
    /// The write; `None` for a finding that only people can mend.
    pub action: Option<A>,
    /// How much the write can hurt.
    pub risk: Risk,
    /// What the reader must know before agreeing: who would be cut off, what it costs.
    pub warnings: Vec<String>,
    /// Why the kind itself wants this only reported, such as a group that is in use.
    pub withheld: Option<String>,
    /// Which earlier changes of the object it cannot do without.
    pub needs: Needs,
    /// Whether it takes something away that counts against a quota: when an earlier change of the
    /// object is refused for a quota, this one goes first and the refused one is tried again.
    pub makes_room: bool,
    /// The rises of privileges that it would make.
    pub grants: Vec<Grant>,
    /// Whether it is a write for the whole account, which objects in several Regions need and one of
    /// them makes for all.
    pub of_account: bool,
    /// Whether it leads what is delivered elsewhere: until it is done, the former place is in use.
    pub moves: bool,
    /// Whether it takes away what others may still use: it comes after everything by which they move.
    pub comes_last: bool,
    /// What AWS charges for from then on, each as often as there is one more of it.
    pub charges: Vec<Charge>,
}

impl<A> Change<A> {
    /// A safe write that removes some drift.
    pub fn new(action: A, drift: Drift) -> Self {
        Self {
            drift: drift.0,
            action: Some(action),
            risk: Risk::Safe,
            warnings: Vec::new(),
            withheld: None,
            needs: Needs::Object,
            makes_room: false,
            grants: Vec::new(),
            of_account: false,
            moves: false,
            comes_last: false,
            charges: Vec::new(),
        }
    }

    /// Drift that evenkeel does not write away.
    pub fn finding(drift: Drift) -> Self {
        Self {
            drift: drift.0,
            action: None,
            risk: Risk::Safe,
            warnings: Vec::new(),
            withheld: None,
            needs: Needs::Only(Vec::new()),
            makes_room: false,
            grants: Vec::new(),
            of_account: false,
            moves: false,
            comes_last: false,
            charges: Vec::new(),
        }
    }

    /// The same with another risk.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// The same with a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// The same, switching on what AWS charges for, which `text` says in words.
    #[must_use]
    pub fn charged(mut self, text: &str, charges: impl IntoIterator<Item = Charge>) -> Self {
        let charges: Vec<Charge> = charges.into_iter().collect();
        self.warnings.push(charge::warning(text, &charges));
        self.charges.extend(charges);
        self
    }

    /// The same, needing the changes at these places of the list, counted from 0.
    #[must_use]
    pub fn needs(mut self, earlier: impl IntoIterator<Item = usize>) -> Self {
        self.needs = Needs::Only(earlier.into_iter().collect());
        self
    }

    /// The same, needing no other change: what closes a door waits for nothing.
    #[must_use]
    pub fn independent(self) -> Self {
        self.needs([])
    }

    /// The same, known to free what a quota counts.
    #[must_use]
    pub fn makes_room(mut self) -> Self {
        self.makes_room = true;
        self
    }

    /// The same, for the whole account: planned once, whatever the Regions that need it.
    #[must_use]
    pub fn of_account(mut self) -> Self {
        self.of_account = true;
        self
    }

    /// The same, by which what is delivered goes elsewhere.
    #[must_use]
    pub fn moves(mut self) -> Self {
        self.moves = true;
        self
    }

    /// The same, to be done once all have moved that this plan moves.
    #[must_use]
    pub fn comes_last(mut self) -> Self {
        self.comes_last = true;
        self
    }

    /// The same with a rise of privileges.
    #[must_use]
    pub fn grant(mut self, class: GrantClass, what: impl Into<String>) -> Self {
        self.grants.push(Grant { class, what: what.into(), accounts: None });
        self
    }

    /// The same with the rises of privileges that a policy makes.
    #[must_use]
    pub fn rises(self, rises: impl IntoIterator<Item = Rise>) -> Self {
        rises.into_iter().fold(self, |change, rise| match rise {
            Rise::Foreign { what, accounts } => {
                let class = GrantClass::Foreign;
                let mut change = change;
                change.grants.push(Grant { class, what, accounts });
                change
            }
            Rise::Public(what) => change.grant(GrantClass::Public, what),
            Rise::Administrator(what) => change.grant(GrantClass::Administrator, what),
        })
    }

    /// The same with a rise where `what` goes to another account: `events are sent`. Nowhere, or to what is no
    /// ARN, is to the own one.
    #[must_use]
    pub fn sends<'a>(
        self,
        account: &AccountId,
        what: &str,
        arn: impl Into<Option<&'a str>>,
    ) -> Self {
        let Some(Arn { account: outside, .. }) = arn.into().and_then(Arn::parse) else {
            return self;
        };
        if outside.is_empty() || outside == account.as_str() {
            return self;
        }
        let accounts = outside.parse().ok().map(|account| BTreeSet::from([account]));
        self.rises([Rise::Foreign { what: format!("{what} to account {outside}"), accounts }])
    }

    /// The same write in other words.
    pub fn map<B>(self, convert: impl FnOnce(A) -> B) -> Change<B> {
        let Ok(change) = self.try_map(|action| Ok::<_, Infallible>(convert(action)));
        change
    }

    /// The same write in other types.
    ///
    /// # Errors
    /// What `convert` says.
    pub fn try_map<B, E>(self, convert: impl FnOnce(A) -> Result<B, E>) -> Result<Change<B>, E> {
        Ok(Change {
            drift: self.drift,
            action: self.action.map(convert).transpose()?,
            risk: self.risk,
            warnings: self.warnings,
            withheld: self.withheld,
            needs: self.needs,
            makes_room: self.makes_room,
            grants: self.grants,
            of_account: self.of_account,
            moves: self.moves,
            comes_last: self.comes_last,
            charges: self.charges,
        })
    }

    /// The same, only to be reported.
    #[must_use]
    pub fn withhold(mut self, reason: impl Into<String>) -> Self {
        self.withheld = Some(reason.into());
        self
    }
}

/// How a write is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undo<A> {
    /// By these writes, in this order.
    By(Vec<A>),
    /// Not at all, or not by evenkeel, with the reason.
    Impossible(String),
}
