//! A made-up clock for tests.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

use super::super::clocks::Clocks;

/// Turns in which all that is awake comes to a rest: more than there are hand-overs in a row.
const TURNS: usize = 32;

/// A clock that goes on to the next thing to wake whenever nobody has anything to do.
#[derive(Clone, Default)]
pub struct Simulated(Arc<Mutex<Passing>>);

#[derive(Default)]
struct Passing {
    now: Duration,
    /// Who sleeps, until when; of those until the same time, who came first.
    sleeping: BTreeMap<(Duration, usize), oneshot::Sender<()>>,
    came: usize,
    /// How far the clock on the wall was set forward, in seconds, or back.
    set: i64,
}

impl Simulated {
    /// Sleeps so long.
    pub async fn sleep(&self, pause: Duration) {
        self.sleep_until(self.now() + pause).await;
    }

    /// Sets the clock on the wall.
    pub fn set(&self, seconds: i64) {
        self.0.lock().unwrap().set += seconds;
    }

    /// Lets the time pass, for ever.
    pub async fn pass(&self) {
        loop {
            // All that is awake has its turns first.
            for _ in 0..TURNS {
                tokio::task::yield_now().await;
            }
            self.go_on();
        }
    }

    /// Goes on to the next thing to wake; says whether there was one. Who has a runtime whose thread is about to
    /// rest knows that nobody is awake, and needs no turns.
    pub fn go_on(&self) -> bool {
        let mut passing = self.0.lock().unwrap();
        // Who does not wait any more is left out.
        while let Some(((at, _), sleeper)) = passing.sleeping.pop_first() {
            if !sleeper.is_closed() {
                passing.now = passing.now.max(at);
                sleeper.send(()).unwrap();
                return true;
            }
        }
        false
    }
}

#[async_trait]
impl Clocks for Simulated {
    fn now(&self) -> Duration {
        self.0.lock().unwrap().now
    }

    fn wall(&self) -> DateTime<Utc> {
        let set = chrono::TimeDelta::seconds(self.0.lock().unwrap().set);
        "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + self.now() + set
    }

    async fn sleep_until(&self, at: Duration) {
        let waking = {
            let mut passing = self.0.lock().unwrap();
            if at <= passing.now {
                return;
            }
            let (sleeper, waking) = oneshot::channel();
            passing.came += 1;
            let place = (at, passing.came);
            passing.sleeping.insert(place, sleeper);
            waking
        };
        waking.await.unwrap();
    }
}
