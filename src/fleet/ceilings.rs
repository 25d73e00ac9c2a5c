//! What may be done in an account with a baseline of the command line (-b): no more than the targets
//! of the fleet file let it, however one comes in.

use super::Fleet;
use super::organization::{Account, Organization};
use super::select::{Choice, Stand, needs_organization, stand};
use crate::baseline::Mode;
use crate::names::AccountId;

/// The targets of a fleet file, as they choose accounts.
pub fn choices(fleet: &Fleet) -> Vec<Choice<'_>> {
    fleet
        .file
        .targets
        .iter()
        .map(|target| Choice {
            name: &target.name,
            select: target.select.as_ref(),
            except: target.except.as_ref(),
            is_beside: false,
        })
        .collect()
}

/// What the fleet file says of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The lowest mode of the targets that select it, or may: nobody knows without the organization.
    pub lowest: Option<Mode>,
    /// Why it is outside of the fleet, if it is.
    pub outside: Option<String>,
}

impl Standing {
    /// What may be done in the account; `outside` is the reader's explicit wish.
    pub fn ceiling(&self, outside: bool) -> Mode {
        match &self.outside {
            Some(_) if !outside => Mode::Report,
            _ => self.lowest.unwrap_or(Mode::Enforce),
        }
    }
}

/// Asks the fleet file. `organization` is `None` when nobody could or had to ask for it.
pub fn standing(
    fleet: &Fleet,
    account: &Account,
    own: &AccountId,
    organization: Option<&Organization>,
) -> Standing {
    let known = organization
        .and_then(|organization| organization.accounts.iter().find(|one| one.id == account.id));
    let id = &account.id;
    let mut lowest: Option<Mode> = None;
    let mut outside = None;
    for (target, choice) in fleet.file.targets.iter().zip(choices(fleet)) {
        let is_known = organization.is_some() || !needs_organization([&choice]);
        let stand = stand(&choice, known.unwrap_or(account), own);
        if stand == Stand::Excepted {
            let name = &target.name;
            outside = Some(format!("the target {name:?} leaves account {id} out (`except`)"));
        } else if !is_known {
            outside.get_or_insert_with(|| {
                format!(
                    "nobody knows whether the target {:?} selects account {id}: its organization could not be asked",
                    target.name
                )
            });
        }
        if stand == Stand::Selected || !is_known {
            let mode = target.mode.unwrap_or(Mode::Enforce);
            lowest = Some(lowest.map_or(mode, |lowest| lowest.min(mode)));
        }
    }
    if lowest.is_none() && outside.is_none() {
        outside = Some(format!("no target of the fleet file selects account {id}"));
    }
    Standing { lowest, outside }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::{Path, PathBuf};

    use super::*;
    use crate::baseline::load::Memory;

    fn account(id: &str) -> Account {
        serde_json::from_value(serde_json::json!({"id": id, "state": "ACTIVE", "ous": ["ou-1"]}))
            .unwrap()
    }

    fn fleet(targets: &str) -> Fleet {
        let path = PathBuf::from("evenkeel.toml");
        let text = format!("schema = 1\n{targets}");
        let files = Memory(BTreeMap::from([(path, text)]));
        crate::fleet::load(Path::new("evenkeel.toml"), &files)
            .unwrap_or_else(|problems| panic!("{problems}"))
    }

    const A: &str = "000000000001";
    const B: &str = "000000000002";

    #[test]
    fn the_lowest_target_that_selects_an_account_counts() {
        let fleet = fleet(
            "[[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"000000000001\", \"000000000002\"] }\n\
             [[target]]\nname = \"new\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"000000000002\"] }\nmode = \"report\"\n",
        );
        let own = A.parse().unwrap();
        let of = |id| standing(&fleet, &account(id), &own, None);
        assert_eq!(of(A).ceiling(false), Mode::Enforce);
        assert_eq!(of(B).ceiling(false), Mode::Report);
        // A wish to go outside does not lift what a target says.
        assert_eq!(of(B).ceiling(true), Mode::Report);
        let stranger = of("000000000003");
        assert!(stranger.outside.as_ref().unwrap().contains("no target"), "{stranger:?}");
        assert_eq!(stranger.ceiling(false), Mode::Report);
        assert_eq!(stranger.ceiling(true), Mode::Enforce);
    }

    #[test]
    fn what_except_names_is_outside_even_where_another_target_selects_it() {
        let fleet = fleet(
            "[[target]]\nname = \"some\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"000000000001\"] }\nexcept = { accounts = [\"000000000002\"] }\n\
             [[target]]\nname = \"more\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"000000000002\"] }\n",
        );
        let own = A.parse().unwrap();
        let excepted = standing(&fleet, &account(B), &own, None);
        assert!(excepted.outside.as_ref().unwrap().contains("except"), "{excepted:?}");
        assert_eq!(excepted.ceiling(false), Mode::Report);
        assert_eq!(excepted.ceiling(true), Mode::Enforce);
    }

    #[test]
    fn without_the_organization_nobody_knows() {
        let fleet = fleet(
            "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"ou-2\"] }\nmode = \"report\"\n",
        );
        let own = A.parse().unwrap();
        let unknown = standing(&fleet, &account(A), &own, None);
        assert!(unknown.outside.is_some());
        // It may be selected, and then only to report.
        assert_eq!(unknown.ceiling(true), Mode::Report);
    }
}
