//! Counts what goes over the wire, for the plan's header, the benchmarks and the user's API bill.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use super::error::ErrorClass;
use super::permission::Call;

/// Who hears of each request of this process.
type Watcher = Box<dyn Fn(&Sent) + Send + Sync>;

/// There is one process, and one who watches it; each run has counters of its own.
static WATCHER: OnceLock<Watcher> = OnceLock::new();

/// A request that was sent.
#[derive(Debug, Clone, Copy)]
pub struct Sent {
    /// The service, as IAM names it; `other` where it is of no call of ours.
    pub service: &'static str,
    /// How long it took until the answer began.
    pub took: Duration,
    /// What came of it.
    pub answer: Answer,
}

/// What came of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A good answer.
    Ok,
    /// An answer that is an error.
    Error,
    /// An answer that asks us to slow down.
    Throttled,
    /// None.
    Nothing,
}

/// Lets somebody hear of each request to AWS from now on; the first one who asks, and nobody after.
pub fn watch(watcher: impl Fn(&Sent) + Send + Sync + 'static) {
    let _ = WATCHER.set(Box::new(watcher));
}

/// Tells of a request.
pub(super) fn tell(sent: &Sent) {
    if let Some(watcher) = WATCHER.get() {
        watcher(sent);
    }
}

/// Counters of one run; shared by all clients.
#[derive(Debug, Default)]
pub struct Meter {
    requests: AtomicU64,
    throttled: AtomicU64,
    /// The longest that AWS asked us to wait, in milliseconds.
    wait: AtomicU64,
    calls: Mutex<BTreeMap<Call, u64>>,
    failed: Mutex<HashSet<ErrorClass>>,
}

impl Meter {
    /// One HTTP request was sent; pages and retries count each.
    pub fn sent(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }

    /// One answer asked us to slow down, and perhaps for how long.
    pub fn was_throttled(&self, wait: Option<Duration>) {
        self.throttled.fetch_add(1, Ordering::Relaxed);
        let wait = wait.map_or(0, |wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self.wait.fetch_max(wait, Ordering::Relaxed);
    }

    /// A call failed after all retries.
    pub fn failed(&self, class: ErrorClass) {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).insert(class);
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

    /// The longest that AWS asked us to wait, if it did.
    pub fn wait(&self) -> Option<Duration> {
        let wait = self.wait.load(Ordering::Relaxed);
        (wait > 0).then(|| Duration::from_millis(wait))
    }

    /// Of which classes the failures so far were. That something is not there is one of them, and often
    /// the answer that was asked for.
    pub fn failures(&self) -> HashSet<ErrorClass> {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// How often each operation was asked for.
    pub fn calls(&self) -> BTreeMap<Call, u64> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
