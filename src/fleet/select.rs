//! Which accounts a run looks at: targets and what the organization knows of accounts in, accounts
//! with their targets out. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::account::SkippedAccount;
use super::file::Selector;
use super::organization::{Account, Organization};
use crate::names::AccountId;

/// An account to look at, and for which targets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What is known of the account.
    pub account: Account,
    /// The targets that select it, by their place in the list.
    pub targets: Vec<usize>,
}

/// What a target says of accounts.
#[derive(Debug, Clone, Default)]
pub struct Choice<'a> {
    /// The target's name, for messages.
    pub name: &'a str,
    /// The accounts; `None` for the account of the credentials.
    pub select: Option<&'a Selector>,
    /// Accounts that are left out.
    pub except: Option<&'a Selector>,
    /// Whether it was not asked for, and is only heard in the accounts of the others.
    pub is_beside: bool,
}

/// A selection that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectError {
    /// A target selects nothing.
    #[error("the target {target:?} selects no account")]
    Nothing {
        /// The target.
        target: String,
    },
    /// An organizational unit is not there.
    #[error("the target {target:?} names {unit}, and the organization has no such unit")]
    NoUnit {
        /// The target.
        target: String,
        /// The unit.
        unit: String,
    },
    /// An account id is none.
    #[error("the target {target:?} names the account {account:?}, which is none")]
    NoAccount {
        /// The target.
        target: String,
        /// What was written.
        account: String,
    },
    /// Accounts were asked for, and no target selects them.
    #[error("no target selects the account {}", accounts.iter().map(AccountId::as_str).collect::<Vec<_>>().join(", "))]
    NotSelected {
        /// The accounts.
        accounts: Vec<AccountId>,
    },
    /// What was asked for leaves no account.
    #[error("no target is left: the selectors exclude everything")]
    NothingLeft,
    /// Every account that is selected is left out.
    #[error("no account can be looked at: {}", in_words(skipped))]
    AllLeftOut {
        /// The accounts, and why.
        skipped: Vec<SkippedAccount>,
    },
    /// The targets of the other version of the baselines cannot be decided.
    #[error("in the version that --compare-to names: {0}")]
    OfOther(Box<SelectError>),
}

fn in_words(skipped: &[SkippedAccount]) -> String {
    const NAMED: usize = 5;
    let mut words: Vec<String> = skipped
        .iter()
        .take(NAMED)
        .map(|skip| format!("{} is {}", skip.account, skip.reason))
        .collect();
    if skipped.len() > NAMED {
        words.push(format!("and so on for {} more", skipped.len() - NAMED));
    }
    words.join(", ")
}

impl SelectError {
    /// What the reader should do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::Nothing { .. } => {
                "a run that looks at nothing would look green: correct `select` and `except`"
            }
            Self::NoUnit { .. } => {
                "look the id up with `aws organizations list-organizational-units-for-parent`; a root (r-…) selects everything below it"
            }
            Self::NoAccount { .. } => "an account id has twelve digits",
            Self::NotSelected { .. } => "correct -a, or `select` and `except` in the fleet file",
            Self::NothingLeft => "a run that looks at nothing would look green; correct -a and -t",
            Self::AllLeftOut { .. } => {
                "a run that looks at nothing would look green; select an active account"
            }
            Self::OfOther(error) => error.remedy(),
        }
    }
}

/// Whether the targets can only be decided with the organization's help.
pub fn needs_organization<'a>(choices: impl IntoIterator<Item = &'a Choice<'a>>) -> bool {
    choices
        .into_iter()
        .flat_map(|choice| choice.select.into_iter().chain(choice.except))
        .any(|selector| !selector.ous.is_empty() || !selector.account_tags.is_empty())
}

/// Whether tags of accounts decide anything.
pub fn needs_tags<'a>(choices: impl IntoIterator<Item = &'a Choice<'a>>) -> bool {
    choices
        .into_iter()
        .flat_map(|choice| choice.select.into_iter().chain(choice.except))
        .any(|selector| !selector.account_tags.is_empty())
}

/// Decides. `own` is the account of the credentials.
///
/// # Errors
/// A target selects nothing, or names what is not there.
pub fn select(
    choices: &[Choice<'_>],
    own: &AccountId,
    organization: Option<&Organization>,
) -> Result<(Vec<Assignment>, Vec<SkippedAccount>), SelectError> {
    let known: BTreeMap<&AccountId, &Account> = organization
        .iter()
        .flat_map(|organization| &organization.accounts)
        .map(|account| (&account.id, account))
        .collect();
    let units = organization.map(|organization| &organization.units);
    let mut assigned: BTreeMap<AccountId, Assignment> = BTreeMap::new();
    let mut skipped: BTreeMap<AccountId, SkippedAccount> = BTreeMap::new();
    let chosen = choices.iter().enumerate().filter(|(_, choice)| !choice.is_beside);
    for (position, choice) in chosen {
        let target = || choice.name.to_owned();
        for unit in choice.select.iter().chain(&choice.except).flat_map(|selector| &selector.ous) {
            if !units.is_some_and(|units| units.contains(unit)) {
                return Err(SelectError::NoUnit { target: target(), unit: unit.clone() });
            }
        }
        let mut chosen = accounts_of(choice, own, &known)?;
        chosen.retain(|account| !choice.except.is_some_and(|except| is_any(except, account)));
        if chosen.is_empty() {
            return Err(SelectError::Nothing { target: target() });
        }
        for account in chosen {
            if let Some(reason) = account.why_not() {
                let name = account.name.clone();
                let skip = SkippedAccount { account: account.id.clone(), name, reason };
                skipped.insert(account.id, skip);
                continue;
            }
            assigned
                .entry(account.id.clone())
                .or_insert_with(|| Assignment { account, targets: Vec::new() })
                .targets
                .push(position);
        }
    }
    Ok((assigned.into_values().collect(), skipped.into_values().collect()))
}

/// What a target says of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// It selects the account.
    Selected,
    /// Its `except` leaves the account out.
    Excepted,
    /// It says nothing of the account.
    Elsewhere,
}

/// What a target says of an account. One that `except` meets is left out, whether `select` would
/// have chosen it or not.
pub fn stand(choice: &Choice<'_>, account: &Account, own: &AccountId) -> Stand {
    if choice.except.is_some_and(|except| is_any(except, account)) {
        return Stand::Excepted;
    }
    let is_selected = match choice.select {
        None => account.id == *own,
        Some(select) => {
            let parts = [
                !select.accounts.is_empty(),
                !select.ous.is_empty(),
                !select.account_tags.is_empty(),
            ];
            let by_id = select.accounts.is_empty()
                || select.accounts.iter().any(|id| id == account.id.as_str());
            let by_unit = select.ous.is_empty() || is_below(select, account);
            let by_tags = select.account_tags.is_empty() || has_tags(select, account);
            parts.contains(&true) && by_id && by_unit && by_tags
        }
    };
    if is_selected { Stand::Selected } else { Stand::Elsewhere }
}

/// The targets that were not asked for and concern an account all the same, by their place in the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Beside {
    /// Those that select it.
    pub targets: Vec<usize>,
    /// Those of which nobody knows, because the organization could not be asked.
    pub undecided: Vec<usize>,
}

/// Which targets that were not asked for concern an account.
pub fn beside(
    choices: &[Choice<'_>],
    account: &Account,
    own: &AccountId,
    organization: Option<&Organization>,
) -> Beside {
    let mut found = Beside::default();
    for (position, choice) in choices.iter().enumerate().filter(|(_, choice)| choice.is_beside) {
        if organization.is_some() || !needs_organization([choice]) {
            if stand(choice, account, own) == Stand::Selected {
                found.targets.push(position);
            }
        } else if may_select(choice, account, own) {
            found.undecided.push(position);
        }
    }
    found
}

/// Whether a target can select an account, whatever its organization says.
fn may_select(choice: &Choice<'_>, account: &Account, own: &AccountId) -> bool {
    let names = |selector: &Selector| selector.accounts.iter().any(|id| id == account.id.as_str());
    !choice.except.is_some_and(names)
        && match choice.select {
            None => account.id == *own,
            Some(select) => select.accounts.is_empty() || names(select),
        }
}

/// The accounts of `select`: those that meet every part of it that is given.
fn accounts_of(
    choice: &Choice<'_>,
    own: &AccountId,
    known: &BTreeMap<&AccountId, &Account>,
) -> Result<Vec<Account>, SelectError> {
    let named = |id: &AccountId| {
        known.get(id).map_or_else(|| unknown(id.clone()), |account| (*account).clone())
    };
    let Some(select) = choice.select else { return Ok(vec![named(own)]) };
    let mut ids = BTreeSet::new();
    for text in &select.accounts {
        let id: AccountId = text.parse().map_err(|_| SelectError::NoAccount {
            target: choice.name.to_owned(),
            account: text.clone(),
        })?;
        ids.insert(id);
    }
    let candidates: Vec<Account> = if ids.is_empty() {
        if select.ous.is_empty() && select.account_tags.is_empty() {
            return Ok(Vec::new());
        }
        known.values().map(|account| (*account).clone()).collect()
    } else {
        ids.iter().map(named).collect()
    };
    Ok(candidates
        .into_iter()
        .filter(|account| select.ous.is_empty() || is_below(select, account))
        .filter(|account| select.account_tags.is_empty() || has_tags(select, account))
        .collect())
}

/// An account of which only the id is known.
fn unknown(id: AccountId) -> Account {
    Account { id, name: None, email: None, state: "ACTIVE".to_owned(), ous: Vec::new(), tags: None }
}

/// Whether an account meets any part of `except`.
fn is_any(except: &Selector, account: &Account) -> bool {
    except.accounts.iter().any(|id| id == account.id.as_str())
        || is_below(except, account)
        || (!except.account_tags.is_empty() && has_tags(except, account))
}

fn is_below(selector: &Selector, account: &Account) -> bool {
    account.ous.iter().any(|unit| selector.ous.contains(unit))
}

fn has_tags(selector: &Selector, account: &Account) -> bool {
    selector.account_tags.iter().all(|(key, value)| {
        account.tags.as_ref().and_then(|tags| tags.get(key)).is_some_and(|tag| tag == value)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn account(id: &str, ous: &[&str], env: &str, state: &str) -> Account {
        Account {
            id: id.parse().unwrap(),
            name: Some(format!("account-{id}")),
            email: None,
            state: state.to_owned(),
            ous: ous.iter().map(|unit| (*unit).to_owned()).collect(),
            tags: Some(BTreeMap::from([("env".to_owned(), env.to_owned())])),
        }
    }

    fn organization() -> Organization {
        Organization {
            id: "o-1".to_owned(),
            management_account: "000000000001".parse().unwrap(),
            units: ["r-1", "ou-work", "ou-team", "ou-empty"].map(str::to_owned).into(),
            accounts: vec![
                account("000000000001", &["r-1"], "prod", "ACTIVE"),
                account("000000000002", &["r-1", "ou-work"], "prod", "ACTIVE"),
                account("000000000003", &["r-1", "ou-work", "ou-team"], "test", "ACTIVE"),
                account("000000000004", &["r-1", "ou-work"], "prod", "SUSPENDED"),
            ],
        }
    }

    fn ids(select: &Selector, except: Option<&Selector>) -> Result<Vec<String>, SelectError> {
        let choices = [Choice { name: "t", select: Some(select), except, is_beside: false }];
        let own = "000000000001".parse().unwrap();
        let (assigned, _) = self::select(&choices, &own, Some(&organization()))?;
        Ok(assigned.into_iter().map(|one| one.account.id.to_string()).collect())
    }

    fn ous(units: &[&str]) -> Selector {
        Selector {
            ous: units.iter().map(|unit| (*unit).to_owned()).collect(),
            ..Selector::default()
        }
    }

    fn tag(value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("env".to_owned(), value.to_owned())])
    }

    #[test]
    fn units_select_what_is_below_them_and_suspended_accounts_are_skipped() {
        assert_eq!(ids(&ous(&["ou-work"]), None).unwrap(), ["000000000002", "000000000003"]);
        assert_eq!(ids(&ous(&["r-1"]), None).unwrap().len(), 3);
        let select = ous(&["ou-work"]);
        let choices =
            [Choice { name: "t", select: Some(&select), except: None, ..Choice::default() }];
        let own = "000000000001".parse().unwrap();
        let (_, skipped) = self::select(&choices, &own, Some(&organization())).unwrap();
        assert_eq!(skipped.len(), 1);
        assert_eq!(skipped[0].reason, "suspended");
    }

    #[test]
    fn select_is_all_of_its_parts_and_except_is_any() {
        let prod = Selector { account_tags: tag("prod"), ..ous(&["ou-work"]) };
        assert_eq!(ids(&prod, None).unwrap(), ["000000000002"]);
        let except = Selector {
            accounts: vec!["000000000001".to_owned()],
            account_tags: tag("test"),
            ..Selector::default()
        };
        assert_eq!(ids(&ous(&["r-1"]), Some(&except)).unwrap(), ["000000000002"]);
    }

    #[test]
    fn a_target_stands_to_an_account_as_it_would_select_it() {
        let organization = organization();
        let own: AccountId = "000000000001".parse().unwrap();
        let selects = [
            None,
            Some(ous(&["r-1"])),
            Some(ous(&["ou-work"])),
            Some(Selector { account_tags: tag("prod"), ..ous(&["ou-work"]) }),
            Some(Selector { accounts: vec!["000000000003".to_owned()], ..Selector::default() }),
            Some(Selector { accounts: vec!["000000000003".to_owned()], ..ous(&["ou-empty"]) }),
            Some(Selector::default()),
        ];
        let excepts = [
            None,
            Some(Selector { account_tags: tag("test"), ..Selector::default() }),
            Some(ous(&["ou-team"])),
        ];
        for (select, except) in
            selects.iter().flat_map(|select| excepts.iter().map(move |except| (select, except)))
        {
            let choice = Choice {
                name: "t",
                select: select.as_ref(),
                except: except.as_ref(),
                ..Choice::default()
            };
            let chosen =
                match self::select(std::slice::from_ref(&choice), &own, Some(&organization)) {
                    Ok((assigned, skipped)) => assigned
                        .into_iter()
                        .map(|one| one.account.id)
                        .chain(skipped.into_iter().map(|one| one.account))
                        .collect(),
                    Err(_) => BTreeSet::new(),
                };
            for account in &organization.accounts {
                assert_eq!(
                    stand(&choice, account, &own) == Stand::Selected,
                    chosen.contains(&account.id),
                    "{} of {choice:?}",
                    account.id
                );
            }
        }
        let left_out = ous(&["ou-team"]);
        let choice =
            Choice { name: "t", select: None, except: Some(&left_out), ..Choice::default() };
        assert_eq!(stand(&choice, &organization.accounts[2], &own), Stand::Excepted);
        assert_eq!(stand(&choice, &organization.accounts[1], &own), Stand::Elsewhere);
    }

    #[test]
    fn nothing_is_an_error() {
        let nothing = Selector { account_tags: tag("moon"), ..Selector::default() };
        assert_eq!(ids(&nothing, None), Err(SelectError::Nothing { target: "t".to_owned() }));
        assert!(matches!(ids(&ous(&["ou-gone"]), None), Err(SelectError::NoUnit { .. })));
        assert!(matches!(ids(&ous(&["ou-empty"]), None), Err(SelectError::Nothing { .. })));
        assert!(matches!(ids(&Selector::default(), None), Err(SelectError::Nothing { .. })));
    }
}
