//! Which accounts a run looks at, for which of its targets, and what may be done there. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::account::SkippedAccount;
use super::organization::{Account, Organization};
use super::select::{Beside, Choice, SelectError, beside, select};
use super::shard::Shard;
use crate::baseline::Mode;
use crate::names::AccountId;

/// An account to look at.
#[derive(Debug, Clone)]
pub struct Job {
    /// What is known of it.
    pub account: Account,
    /// Its targets, by their place in the list.
    pub targets: Vec<usize>,
    /// Its targets in the version of the baselines that is compared with.
    pub before: Vec<usize>,
    /// The targets that were not asked for and concern it.
    pub beside: Beside,
    /// The same in the version that is compared with.
    pub beside_before: Beside,
    /// What may be done there at most, whatever its targets say.
    pub ceiling: Mode,
}

/// Who is asked for.
pub struct Asked<'a> {
    /// The account of the credentials.
    pub own: &'a AccountId,
    /// The organization, where it is known.
    pub organization: Option<&'a Organization>,
    /// The targets.
    pub targets: &'a [Choice<'a>],
    /// The targets of the version that is compared with.
    pub before: Option<&'a [Choice<'a>]>,
    /// Only these accounts; all when empty.
    pub accounts: &'a BTreeSet<AccountId>,
    /// Only the accounts of this shard.
    pub shard: Option<Shard>,
}

/// Who is looked at.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// The accounts to look at, sorted; none at all only in a shard that has none.
    pub jobs: Vec<Job>,
    /// Those that a target selects and that are left out.
    pub skipped: Vec<SkippedAccount>,
    /// The accounts that other shards look at, each with its targets.
    pub elsewhere: BTreeMap<AccountId, Vec<usize>>,
}

impl Asked<'_> {
    /// Decides. A choice of nothing is an error, since a run that looks at nothing would look green.
    ///
    /// # Errors
    /// A target selects nothing or names what is not there; or nothing is left.
    pub fn choose(&self) -> Result<Chosen, SelectError> {
        let (mut jobs, mut skipped) = self.selected()?;
        if !self.accounts.is_empty() {
            let is_there = |account: &&AccountId| {
                jobs.contains_key(*account) || skipped.iter().any(|skip| skip.account == **account)
            };
            let missing: Vec<AccountId> =
                self.accounts.iter().filter(|account| !is_there(account)).cloned().collect();
            if !missing.is_empty() {
                return Err(SelectError::NotSelected { accounts: missing });
            }
            jobs.retain(|account, _| self.accounts.contains(account));
            skipped.retain(|skip| self.accounts.contains(&skip.account));
            if jobs.is_empty() && skipped.is_empty() {
                return Err(SelectError::NothingLeft);
            }
        }
        if jobs.is_empty() {
            return Err(SelectError::AllLeftOut { skipped });
        }
        let mut elsewhere = BTreeMap::new();
        if let Some(shard) = self.shard {
            let (own, others): (BTreeMap<_, _>, BTreeMap<_, _>) =
                jobs.into_iter().partition(|(account, _)| shard.has(account));
            jobs = own;
            elsewhere.extend(others.into_iter().map(|(account, job)| (account, job.targets)));
            skipped.retain(|skip| shard.has(&skip.account));
        }
        Ok(Chosen { jobs: jobs.into_values().collect(), skipped, elsewhere })
    }

    /// What the targets of both versions select.
    fn selected(&self) -> Result<(BTreeMap<AccountId, Job>, Vec<SkippedAccount>), SelectError> {
        let choose = |choices: &[Choice<'_>]| select(choices, self.own, self.organization);
        let job = |account: Account| Job {
            account,
            targets: Vec::new(),
            before: Vec::new(),
            beside: Beside::default(),
            beside_before: Beside::default(),
            ceiling: Mode::Enforce,
        };
        let (assigned, skipped) = choose(self.targets)?;
        let mut jobs: BTreeMap<AccountId, Job> = assigned
            .into_iter()
            .map(|one| (one.account.id.clone(), Job { targets: one.targets, ..job(one.account) }))
            .collect();
        if let Some(before) = self.before {
            let of_other = |error| SelectError::OfOther(Box::new(error));
            for one in choose(before).map_err(of_other)?.0 {
                let id = one.account.id.clone();
                jobs.entry(id).or_insert_with(|| job(one.account)).before = one.targets;
            }
        }
        for job in jobs.values_mut() {
            let of = |choices| beside(choices, &job.account, self.own, self.organization);
            let (now, before) = (of(self.targets), of(self.before.unwrap_or_default()));
            (job.beside, job.beside_before) = (now, before);
        }
        Ok((jobs, skipped))
    }
}
