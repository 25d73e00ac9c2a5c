//! AWS's limits as token buckets, for each account, Region and operation (or service).
//!
//! Where AWS documents them, these are its numbers: EC2 API Reference, "Request throttling for the
//! Amazon EC2 API" (describe calls: 50 at once, 20 per second after that; unfiltered ones less);
//! KMS Developer Guide, "Request quotas"; STS and AWS Config, Service Quotas. For the others
//! (IAM, CloudTrail) a cautious number stands in: 10 at once, 10 per second.

use std::collections::HashMap;
use std::time::Instant;

use crate::answers::Call;

/// The buckets that have been used.
#[derive(Default)]
pub struct Limits {
    buckets: HashMap<(String, String, String), (f64, Instant)>,
}

/// How many at once, and how many per second after that.
fn limit(call: &Call) -> (f64, f64, bool) {
    match (call.service.as_str(), call.operation.as_str()) {
        ("ec2", _) => (50.0, 20.0, true),
        ("kms", "ListKeys") => (500.0, 500.0, true),
        ("kms", "ListAliases") => (500.0, 500.0, true),
        ("kms", _) => (1000.0, 1000.0, true),
        ("sts", _) => (600.0, 600.0, false),
        ("config", _) => (20.0, 20.0, true),
        ("s3" | "s3control", _) => (1000.0, 1000.0, true),
        _ => (10.0, 10.0, true),
    }
}

impl Limits {
    /// Takes a token, if there is one.
    pub fn allows(&mut self, call: &Call) -> bool {
        let (burst, per_second, by_operation) = limit(call);
        let what = if by_operation { call.operation.clone() } else { call.service.clone() };
        let now = Instant::now();
        let key = (call.account.clone(), call.region.clone(), what);
        let (tokens, since) = self.buckets.entry(key).or_insert((burst, now));
        *tokens = (*tokens + now.duration_since(*since).as_secs_f64() * per_second).min(burst);
        *since = now;
        if *tokens < 1.0 {
            return false;
        }
        *tokens -= 1.0;
        true
    }
}
