//! Counts what goes over the wire, for the plan's header, the benchmarks and the user's API bill.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::permission::Call;

/// Counters of one run; shared by all clients.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    throttled: AtomicU64,
    calls: Mutex<BTreeMap<Call, u64>>,
}

impl Meter {
    /// One HTTP request was sent; pages and retries count each.
    pub fn sent(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// One answer asked us to slow down.
    pub fn was_throttled(&self) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
    }

    /// A kind asked for this operation, and no earlier answer served it.
    pub fn called(&self, call: Call) {
        *self.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(call).or_default() += 1;
    }

    /// HTTP requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Throttled answers so far.
    pub fn throttled(&self) -> u64 {
        self.throttled.load(Ordering::Relaxed)
    }

    /// How often each operation was asked for.
    pub fn calls(&self) -> BTreeMap<Call, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
