//! One account's limit of calls per second, for each Region and service, or for each operation where
//! AWS documents a quota of it: a token bucket that gives way when AWS throttles, and comes back
//! slowly. Accounts do not share buckets, so that one that is throttled does not starve the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::permission::Call;
use super::quota::{self, Quota};
use crate::names::Region;

/// A throttled bucket never gets slower than this, in calls per second.
const SLOWEST: f64 = 0.5;
/// What a call that was not throttled wins back, as a part of the ceiling.
const RECOVERY: f64 = 0.02;

/// Calls per second for each account, Region and service, when nobody says otherwise.
pub const DEFAULT_PER_SECOND: u32 = 20;

/// No limit at all, for calls that reach nobody.
pub const UNLIMITED: u32 = u32::MAX;

/// The limits of one account.
#[derive(Debug)]
pub struct RateLimits {
    per_second: u32,
    buckets: Mutex<HashMap<(Region, &'static str, &'static str), Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Calls that may be made now; below zero, calls that are already waiting.
    tokens: f64,
    per_second: f64,
    /// The most calls per second, when nothing is throttled.
    ceiling: f64,
    /// How many calls may be made at once after a pause.
    burst: f64,
    filled: Instant,
}

impl RateLimits {
    /// `per_second` calls, and as many at once after a pause of a second, of services without a
    /// documented quota; of the others in proportion to [`DEFAULT_PER_SECOND`].
    pub fn new(per_second: u32) -> Self {
        Self { per_second: per_second.max(1), buckets: Mutex::default() }
    }

    /// Waits for the turn of a call. First come, first served.
    pub async fn turn(&self, region: &Region, call: Call) {
        let wait = self.with(region, call, |bucket| bucket.take(Instant::now()));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// AWS has throttled a call: half as many from now on.
    pub fn slow_down(&self, region: &Region, call: Call) {
        self.with(region, call, Bucket::slow_down);
    }

    fn with<T>(&self, region: &Region, call: Call, change: impl FnOnce(&mut Bucket) -> T) -> T {
        let quota = quota::of(call).filter(|_| self.per_second != UNLIMITED);
        let group = quota.map_or("", |quota| quota.group);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((region.clone(), call.service, group))
            .or_insert_with(|| self.bucket(quota, call.is_read()));
        change(bucket)
    }

    fn bucket(&self, quota: Option<Quota>, is_read: bool) -> Bucket {
        let wanted = f64::from(self.per_second);
        match quota {
            None => Bucket::full(wanted, wanted, Instant::now()),
            // Half of a quota of reads is left to others in the account, unless more is asked for.
            Some(Quota { per_second, .. }) => {
                let share =
                    wanted / f64::from(DEFAULT_PER_SECOND) / if is_read { 2.0 } else { 1.0 };
                let ours = (per_second * share).min(per_second);
                Bucket::full(ours, ours.max(quota::LEAST_BURST), Instant::now())
            }
        }
    }
}

impl Bucket {
    fn full(per_second: f64, burst: f64, now: Instant) -> Self {
        Self { tokens: burst, per_second, ceiling: per_second, burst, filled: now }
    }

    /// Takes a token, and says how long to wait for it.
    fn take(&mut self, now: Instant) -> Duration {
        let since = now.duration_since(self.filled).as_secs_f64();
        let slowed = self.per_second / self.ceiling;
        self.tokens = (self.tokens + since * self.per_second).min(self.burst * slowed) - 1.0;
        self.filled = now;
        self.per_second = (self.per_second + self.ceiling * RECOVERY).min(self.ceiling);
        Duration::from_secs_f64((-self.tokens / self.per_second).max(0.0))
    }

    fn slow_down(&mut self) {
        self.per_second = (self.per_second / 2.0).max(SLOWEST.min(self.ceiling));
        self.tokens = self.tokens.min(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Seconds that some calls one after the other take; the clock is moved on by what they wait.
    fn seconds_for(bucket: &mut Bucket, now: &mut Instant, calls: usize) -> f64 {
        let started = *now;
        for _ in 0..calls {
            *now += bucket.take(*now);
        }
        now.duration_since(started).as_secs_f64()
    }

    #[test]
    fn a_burst_is_free_and_the_rest_is_paced() {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(10.0, 10.0, now);
        assert!(seconds_for(&mut bucket, &mut now, 10) < 0.01);
        let paced = seconds_for(&mut bucket, &mut now, 20);
        assert!((1.9..2.1).contains(&paced), "{paced}");
    }

    #[test]
    fn throttling_slows_a_bucket_for_a_while() {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(10.0, 10.0, now);
        bucket.slow_down();
        bucket.slow_down();
        let slow = seconds_for(&mut bucket, &mut now, 5);
        assert!(slow > 1.0, "{slow}");
        seconds_for(&mut bucket, &mut now, 50);
        let again = seconds_for(&mut bucket, &mut now, 10);
        assert!(again < 1.1, "{again}");
    }

    #[test]
    fn calls_at_the_same_time_wait_in_turn() {
        let now = Instant::now();
        let mut bucket = Bucket { tokens: 0.0, ..Bucket::full(10.0, 10.0, now) };
        let waits: Vec<_> = (0..3).map(|_| bucket.take(now).as_millis()).collect();
        assert_eq!(waits, [100, 200, 300]);
    }

    #[test]
    fn documented_quotas_are_used_by_half_and_never_passed() {
        let ceiling = |per_second: u32, call: Call| {
            let limits = RateLimits::new(per_second);
            limits.with(&Region::new("eu-west-1"), call, |bucket| bucket.ceiling)
        };
        let describe = Call::new("kms", "DescribeKey");
        assert_eq!(ceiling(DEFAULT_PER_SECOND, describe), 1000.0);
        assert_eq!(ceiling(DEFAULT_PER_SECOND / 2, describe), 500.0);
        assert_eq!(ceiling(1000, describe), 2000.0);
        assert_eq!(ceiling(UNLIMITED, describe), f64::from(UNLIMITED));
        assert_eq!(ceiling(DEFAULT_PER_SECOND, Call::new("cloudtrail", "UpdateTrail")), 1.0);
        assert_eq!(ceiling(DEFAULT_PER_SECOND, Call::new("cloudtrail", "GetTrailStatus")), 5.0);
        assert_eq!(ceiling(DEFAULT_PER_SECOND, Call::new("iam", "GetRole")), 20.0);
        // A storm of events is drained at the pace of the queue.
        for operation in ["ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"] {
            assert_eq!(ceiling(DEFAULT_PER_SECOND, Call::new("sqs", operation)), 300.0);
        }
    }
}
