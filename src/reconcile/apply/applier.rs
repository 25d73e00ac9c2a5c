//! Everything that applying needs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::guarded::Guarded;
use super::super::limits::Safety;
use super::super::locks::AccountLocks;
use super::super::look::Claimants;
use super::super::refusal::Refusal;
use super::super::stop::Stop;
use crate::aws::Session;
use crate::guards::KillSwitch;
use crate::names::AccountId;
use crate::store::audit::AuditLog;

/// Everything that applying needs.
pub struct Applier<'a> {
    /// The way into each account.
    pub sessions: &'a BTreeMap<AccountId, Arc<Session>>,
    /// The items of each account whose objects claim things: they are looked at again when something
    /// was made that they may claim.
    pub claimants: &'a Claimants,
    /// Where every write is recorded.
    pub audit: &'a AuditLog,
    /// The accounts that runs hold: this one holds an account while it writes there.
    pub locks: &'a AccountLocks,
    /// The wish to stop.
    pub stop: &'a Stop,
    /// The guards that are asked before each write and hear what became of it.
    pub guarded: Option<&'a Guarded>,
    /// What is read anew directly before each write, for `may_begin` to go by.
    pub kill_switch: &'a KillSwitch,
    /// The limits of the run: what a write turns out to do beyond its plan must be within them.
    pub safety: &'a Safety,
    /// Accounts written to at the same time.
    pub concurrent_accounts: usize,
    /// Asked directly before each write: a long run may outlast what allowed it, such as a change
    /// window, and the kill switch stops it between two writes.
    pub may_begin: &'a (dyn Fn() -> Result<(), Refusal> + Sync),
}
