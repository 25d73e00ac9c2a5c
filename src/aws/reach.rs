//! Which endpoints answer. Waiting for one that does not costs half a minute and more for each call,
//! and a fleet would wait for it once more in every account. After some calls in a row that nobody
//! answered, an endpoint is not asked for a while; what would have been read there is unknown.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::lacking;
use crate::names::Region;

/// Calls in a row without any answer, an error of AWS being one, after which we give up.
const PATIENCE: u32 = 10;
/// The same where a Region is known to lack the service: it would be a surprise if somebody answered.
const PATIENCE_WITH_LACKING: u32 = 3;
/// After this long without a try, we try again.
const PAUSE: Duration = Duration::from_secs(15);

fn patience(region: &Region, service: &str) -> u32 {
    if lacking::is_listed(service, region) { PATIENCE_WITH_LACKING } else { PATIENCE }
}

/// The endpoints of a run that did not answer last time.
#[derive(Debug, Default)]
pub struct Reach {
    silent: Mutex<HashMap<(Region, &'static str), Silence>>,
}

#[derive(Debug, Clone, Copy)]
struct Silence {
    calls: u32,
    last: Instant,
}

impl Silence {
    fn is_given_up(self, patience: u32, now: Instant) -> bool {
        self.calls >= patience && now.duration_since(self.last) < PAUSE
    }
}

impl Reach {
    /// Whether a service's endpoint in a Region is not asked now.
    pub fn is_given_up(&self, region: &Region, service: &'static str) -> bool {
        self.with(|silent| {
            // Mostly everybody answers, and nothing is there to look for.
            !silent.is_empty()
                && silent.get(&(region.clone(), service)).is_some_and(|silence| {
                    silence.is_given_up(patience(region, service), Instant::now())
                })
        })
    }

    /// An endpoint has answered, if only with an error.
    pub fn answered(&self, region: &Region, service: &'static str) {
        self.with(|silent| {
            if !silent.is_empty() {
                silent.remove(&(region.clone(), service));
            }
        });
    }

    /// An endpoint has not answered.
    pub fn silent(&self, region: &Region, service: &'static str) {
        let last = Instant::now();
        self.with(|silent| {
            let silence =
                silent.entry((region.clone(), service)).or_insert(Silence { calls: 0, last });
            *silence = Silence { calls: silence.calls + 1, last };
        });
    }

    fn with<T>(&self, what: impl FnOnce(&mut HashMap<(Region, &'static str), Silence>) -> T) -> T {
        what(&mut self.silent.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_that_never_answers_is_given_up_and_others_are_not() {
        let reach = Reach::default();
        let (here, there) = (Region::new("eu-west-1"), Region::new("me-south-1"));
        for _ in 0..PATIENCE {
            assert!(!reach.is_given_up(&there, "ec2"));
            reach.silent(&there, "ec2");
        }
        assert!(reach.is_given_up(&there, "ec2"));
        assert!(!reach.is_given_up(&there, "kms") && !reach.is_given_up(&here, "ec2"));
        reach.answered(&there, "ec2");
        assert!(!reach.is_given_up(&there, "ec2"));
    }

    #[test]
    fn after_a_pause_it_is_tried_again() {
        let last = Instant::now();
        let silence = Silence { calls: PATIENCE, last };
        assert!(silence.is_given_up(PATIENCE, last + PAUSE / 2));
        assert!(!silence.is_given_up(PATIENCE, last + PAUSE));
    }

    #[test]
    fn nobody_waits_long_where_a_region_is_known_to_lack_the_service() {
        let (reach, lacks, has) =
            (Reach::default(), Region::new("eu-south-2"), Region::new("eu-west-1"));
        for _ in 0..PATIENCE_WITH_LACKING {
            assert!(!reach.is_given_up(&lacks, "detective"));
            reach.silent(&lacks, "detective");
            reach.silent(&has, "detective");
        }
        assert!(reach.is_given_up(&lacks, "detective") && !reach.is_given_up(&has, "detective"));
    }
}
