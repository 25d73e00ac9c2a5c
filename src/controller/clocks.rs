//! The clocks of the loop.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use tokio::time::Instant;

/// The clocks of the loop.
#[async_trait]
pub trait Clocks: Send + Sync {
    /// The time since the start, which nobody sets.
    fn now(&self) -> Duration;

    /// The clock on the wall.
    fn wall(&self) -> DateTime<Utc>;

    /// Sleeps until a time since the start.
    async fn sleep_until(&self, at: Duration);
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct Machine {
    start: Instant,
}

impl Default for Machine {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

#[async_trait]
impl Clocks for Machine {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self) -> DateTime<Utc> {
        Utc::now()
    }

    async fn sleep_until(&self, at: Duration) {
        tokio::time::sleep_until(self.start + at).await;
    }
}
