//! One account's limit of calls per second, for each Region and service: a token bucket that gives
//! way when AWS throttles, and comes back slowly. Accounts do not share buckets, so that one that
//! is throttled does not starve the others.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::names::Region;

/// A throttled bucket never gets slower than this, in calls per second.
const SLOWEST: f64 = 0.5;
/// What a call that was not throttled wins back, as a part of the ceiling.
const RECOVERY: f64 = 0.02;

/// The limits of one account.
#[derive(Debug)]
pub struct RateLimits {
    per_second: f64,
    buckets: Mutex<HashMap<(Region, &'static str), Bucket>>,
}

#[derive(Debug)]
struct Bucket {
    /// Calls that may be made now; below zero, calls that are already waiting.
    tokens: f64,
    per_second: f64,
    filled: Instant,
}

impl RateLimits {
    /// `per_second` calls, and as many at once after a pause of a second.
    pub fn new(per_second: u32) -> Self {
        Self { per_second: f64::from(per_second.max(1)), buckets: Mutex::default() }
    }

    /// Waits for the turn of a call. First come, first served.
    pub async fn turn(&self, region: &Region, service: &'static str) {
        let wait =
            self.with(region, service, |bucket, ceiling| bucket.take(Instant::now(), ceiling));
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// AWS has throttled a call: half as many from now on.
    pub fn slow_down(&self, region: &Region, service: &'static str) {
        self.with(region, service, |bucket, _| bucket.slow_down());
    }

    fn with<T>(
        &self,
        region: &Region,
        service: &'static str,
        change: impl FnOnce(&mut Bucket, f64) -> T,
    ) -> T {
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets
            .entry((region.clone(), service))
            .or_insert_with(|| Bucket::full(self.per_second, Instant::now()));
        change(bucket, self.per_second)
    }
}

impl Bucket {
    fn full(per_second: f64, now: Instant) -> Self {
        Self { tokens: per_second, per_second, filled: now }
    }

    /// Takes a token, and says how long to wait for it.
    fn take(&mut self, now: Instant, ceiling: f64) -> Duration {
        let since = now.duration_since(self.filled).as_secs_f64();
        // What fits into one second may be made at once.
        self.tokens = (self.tokens + since * self.per_second).min(self.per_second) - 1.0;
        self.filled = now;
        self.per_second = (self.per_second + ceiling * RECOVERY).min(ceiling);
        Duration::from_secs_f64((-self.tokens / self.per_second).max(0.0))
    }

    fn slow_down(&mut self) {
        self.per_second = (self.per_second / 2.0).max(SLOWEST);
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
            *now += bucket.take(*now, 10.0);
        }
        now.duration_since(started).as_secs_f64()
    }

    #[test]
    fn a_burst_is_free_and_the_rest_is_paced() {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(10.0, now);
        assert!(seconds_for(&mut bucket, &mut now, 10) < 0.01);
        let paced = seconds_for(&mut bucket, &mut now, 20);
        assert!((1.9..2.1).contains(&paced), "{paced}");
    }

    #[test]
    fn throttling_slows_a_bucket_for_a_while() {
        let mut now = Instant::now();
        let mut bucket = Bucket::full(10.0, now);
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
        let mut bucket = Bucket { tokens: 0.0, per_second: 10.0, filled: now };
        let waits: Vec<_> = (0..3).map(|_| bucket.take(now, 10.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 300]);
    }
}
