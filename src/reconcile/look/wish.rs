//! What a look wants.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::super::declare::Selection;
use super::super::guarded::Guarded;
use super::super::limits::Safety;
use super::super::locks::AccountLocks;
use super::super::share::Share;
use super::super::target::FleetTarget;
use super::listed::Listing;
use crate::aws::Session;
use crate::aws::meter::Meter;
use crate::fleet::Fleet;
use crate::fleet::ceilings::choices;
use crate::fleet::file::Limits;
use crate::fleet::select::Choice;
use crate::fleet::shard::Shard;
use crate::guards::KillSwitch;
use crate::names::{AccountId, Region};
use crate::plan::{Detail, Spot};

/// Where observations come from.
#[derive(Clone)]
pub enum Source {
    /// The accounts themselves.
    Live {
        /// Our own credentials; those of the AWS settings when there are none.
        own: Option<Arc<Session>>,
        /// Where to record what AWS answers.
        record: Option<PathBuf>,
    },
    /// A snapshot.
    Recorded {
        /// The file.
        path: PathBuf,
        /// The hours after which it is too old.
        max_age: Option<u32>,
    },
}

/// Another version of the baselines, to be planned from the same observations.
pub struct Other {
    /// A git ref or a folder, for people to read.
    pub name: String,
    /// Its targets.
    pub targets: Vec<FleetTarget>,
}

/// What a look wants. [`Look::at`] is a look at everything that targets declare.
pub struct Look {
    /// The run's id.
    pub run: String,
    /// The targets.
    pub targets: Vec<FleetTarget>,
    /// The other version to compare with.
    pub compare_to: Option<Other>,
    /// The fleet file, where there is one.
    pub fleet: Option<Fleet>,
    /// Whether the targets are others than the fleet file's, whose targets then still say what may be
    /// done in which account.
    pub beside_fleet: bool,
    /// Whether accounts may be written to that no target of the fleet file selects.
    pub outside_fleet: bool,
    /// Where observations come from.
    pub source: Source,
    /// Only these accounts; all when empty.
    pub accounts: BTreeSet<AccountId>,
    /// Only this part of the baselines.
    pub selection: Selection,
    /// Only the accounts of this shard.
    pub shard: Option<Shard>,
    /// Only these places: those that an earlier plan would change.
    pub only: Option<BTreeSet<Spot>>,
    /// Whether what is there is to be put back.
    pub puts_back: bool,
    /// The limits of the run.
    pub safety: Safety,
    /// The commit of the files, where it is known.
    pub commit: Option<String>,
    /// What stops new writes at once.
    pub kill_switch: KillSwitch,
    /// The guards that remember more than one run.
    pub guarded: Arc<Guarded>,
    /// The accounts that runs of this process hold.
    pub locks: AccountLocks,
    /// What other controllers look at as well, and what of it is left to this one; all, where there are
    /// none.
    pub share: Option<Arc<Share>>,
    /// For how long others wait for an account, where several are looked at: a few that take longer are left behind, and
    /// whoever hears of that looks at each of them alone. None waits for all of them.
    pub patience: Option<Duration>,
    /// Whether an earlier listing of the organization will do.
    pub listing: Listing,
    /// How much of the plan is kept. What is to be applied needs all of it.
    pub detail: Detail,
    /// Whether the ways into the accounts are kept, to apply the plan.
    pub to_apply: bool,
    /// Counts the calls.
    pub meter: Arc<Meter>,
}

impl Look {
    /// A look at all that targets declare, which could be applied within what the fleet file allows: its
    /// limits, its kill switch and its change windows hold. Without a fleet file, the limits hold of one
    /// that says nothing. Who writes is guarded ([`Guarded::of`]): nobody can forget it.
    pub fn at(targets: Vec<FleetTarget>, fleet: Option<Fleet>, guarded: Guarded) -> Self {
        let safety = Safety::of(fleet.as_ref());
        let kill_switch = KillSwitch::of(fleet.as_ref());
        Self {
            run: uuid::Uuid::now_v7().to_string(),
            targets,
            compare_to: None,
            fleet,
            beside_fleet: false,
            outside_fleet: false,
            source: Source::Live { own: None, record: None },
            accounts: BTreeSet::new(),
            selection: Selection::default(),
            shard: None,
            only: None,
            puts_back: false,
            safety,
            commit: None,
            kill_switch,
            guarded: Arc::new(guarded),
            locks: AccountLocks::default(),
            share: None,
            patience: None,
            listing: Listing::default(),
            detail: Detail::All,
            to_apply: true,
            meter: Arc::default(),
        }
    }

    pub(super) fn limits(&self) -> Limits {
        self.fleet.as_ref().map(|fleet| fleet.file.limits.clone()).unwrap_or_default()
    }

    pub(super) fn home_region(&self) -> Option<Region> {
        let home = self.fleet.as_ref().and_then(|fleet| fleet.file.home_region.as_deref());
        home.map(Region::new)
    }

    /// The targets of both versions.
    pub(super) fn all_targets(&self) -> impl Iterator<Item = &FleetTarget> {
        self.targets.iter().chain(self.compare_to.iter().flat_map(|other| &other.targets))
    }

    /// Whether all is looked at that the files declare.
    pub(super) fn is_whole(&self) -> bool {
        let is_part = self.targets.iter().any(|target| target.is_beside)
            || (self.beside_fleet && self.fleet.is_some())
            || self.shard.is_some()
            || self.share.is_some()
            || self.only.is_some();
        !is_part && self.accounts.is_empty() && self.selection == Selection::default()
    }

    /// Whether all is looked at that the chosen targets declare in their accounts, or in those of the
    /// shard.
    pub(super) fn is_full(&self) -> bool {
        !self.beside_fleet
            && self.only.is_none()
            && self.accounts.is_empty()
            && self.selection == Selection::default()
    }

    /// Whether nothing narrows the accounts that the chosen targets of the fleet select.
    pub(in crate::reconcile) fn is_of_all_accounts(&self) -> bool {
        self.is_of_the_fleet() && self.only.is_none() && self.accounts.is_empty()
    }

    /// Whether all is looked at that the chosen targets declare for the accounts which are looked at.
    pub(in crate::reconcile) fn is_whole_in_its_accounts(&self) -> bool {
        self.only.is_none() && self.selection == Selection::default()
    }

    /// Whether what is looked at is what the fleet declares, as it is.
    pub(in crate::reconcile) fn is_of_the_fleet(&self) -> bool {
        let is_live = matches!(self.source, Source::Live { .. });
        is_live && !self.beside_fleet && self.compare_to.is_none()
    }

    /// Whether the accounts of the fleet are trusted.
    pub(super) fn trusts_fleet(&self) -> bool {
        self.fleet.as_ref().is_some_and(|fleet| fleet.file.safety.trust_fleet_accounts)
    }

    /// The targets of the fleet file that say what may be done where others are looked at, and which
    /// accounts are trusted.
    pub(super) fn governing(&self) -> Vec<Choice<'_>> {
        let governs = self.beside_fleet || self.trusts_fleet();
        self.fleet.as_ref().filter(|_| governs).map(choices).unwrap_or_default()
    }
}
