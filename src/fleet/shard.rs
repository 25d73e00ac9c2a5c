//! Splits a fleet for jobs that run side by side. An account keeps its shard when others come and
//! go (rendezvous hashing: every shard bids for the account, the highest bid wins).

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::digest;
use crate::names::AccountId;

/// One of several shards, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which.
    pub number: u32,
    /// Of how many.
    pub of: u32,
}

impl Shard {
    /// Whether an account belongs to this shard.
    pub fn has(self, account: &AccountId) -> bool {
        let bid = |number: u32| digest::of(&(account.as_str(), number));
        (1..=self.of).max_by_key(|number| bid(*number)) == Some(self.number)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (number, of) = text.split_once('/')?;
            // Kubernetes counts its indexes from 0, and puts them into a text as they are.
            let number: u32 = match number.strip_suffix("+1") {
                Some(index) => index.parse::<u32>().ok()?.checked_add(1)?,
                None => number.parse().ok()?,
            };
            Some(Self { number, of: of.parse().ok()? })
        };
        match parse() {
            Some(shard) if shard.number >= 1 && shard.number <= shard.of && shard.of <= 1000 => {
                Ok(shard)
            }
            _ => Err(format!("{text:?} is no shard: write 3/8 for the third of eight")),
        }
    }
}

/// The shards of a fleet that a plan was made of; what it does not name, nobody has looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Shards {
    /// How many there are.
    pub of: u32,
    /// Which of them the plan has, from 1.
    pub numbers: BTreeSet<u32>,
    /// Whether the plan was put together of several shards' plans: it is to be that of the fleet then,
    /// and a shard that it does not have is missing. A shard's own plan is whole in itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
}

impl Shards {
    /// Those that the plan does not have.
    pub fn missing(&self) -> impl Iterator<Item = Shard> {
        (1..=self.of)
            .filter(|number| !self.numbers.contains(number))
            .map(|number| Shard { number, of: self.of })
    }

    /// Those that are missing in a plan that is to be that of the fleet, in words.
    pub fn left_out(&self) -> Option<String> {
        self.lacking().filter(|_| self.merged)
    }

    /// Those that the plan does not have, in words: `2 of 3 shards: 3/3 is missing`.
    pub fn lacking(&self) -> Option<String> {
        let missing: Vec<String> = self.missing().map(|shard| shard.to_string()).collect();
        let verb = if missing.len() == 1 { "is" } else { "are" };
        let (some, all) = (self.numbers.len(), self.of);
        (!missing.is_empty())
            .then(|| format!("{some} of {all} shards: {} {verb} missing", missing.join(", ")))
    }
}

impl From<Shard> for Shards {
    fn from(shard: Shard) -> Self {
        Self { of: shard.of, numbers: BTreeSet::from([shard.number]), merged: false }
    }
}

impl fmt::Display for Shards {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let numbers: Vec<String> = self.numbers.iter().map(ToString::to_string).collect();
        let noun = if numbers.len() == 1 { "shard" } else { "shards" };
        write!(out, "{noun} {} of {}", numbers.join(", "), self.of)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn owner(account: &AccountId, of: u32) -> u32 {
        let owners: Vec<u32> =
            (1..=of).filter(|number| Shard { number: *number, of }.has(account)).collect();
        assert_eq!(owners.len(), 1, "{account} of {of}");
        owners[0]
    }

    proptest! {
        #[test]
        fn each_account_has_one_shard_and_keeps_it_when_a_shard_is_added(
            account in "[0-9]{12}", of in 1u32..20,
        ) {
            let account: AccountId = account.parse().unwrap();
            let before = owner(&account, of);
            let after = owner(&account, of + 1);
            prop_assert!(after == before || after == of + 1);
        }
    }

    #[test]
    fn shards_are_about_equal() {
        let mut counts = [0; 8];
        for id in 0..4000 {
            let account = format!("{id:012}").parse().unwrap();
            counts[owner(&account, 8) as usize - 1] += 1;
        }
        assert!(counts.iter().all(|count| (400..600).contains(count)), "{counts:?}");
    }

    #[test]
    fn a_shard_is_written_as_a_fraction() {
        assert_eq!("3/8".parse(), Ok(Shard { number: 3, of: 8 }));
        // An index that counts from 0.
        assert_eq!("0+1/8".parse(), Ok(Shard { number: 1, of: 8 }));
        assert_eq!("7+1/8".parse(), Ok(Shard { number: 8, of: 8 }));
        for wrong in ["8+1/8", "+1/8", "1+1", "1+2/8", "4294967295+1/8"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
        for wrong in ["0/8", "9/8", "3", "a/b", "1/0", "3/8/1"] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }
}
