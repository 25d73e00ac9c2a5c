//! The wish to stop, asked for from outside and looked at between two writes.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// A shared flag; once raised it stays raised.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<Flag>);

#[derive(Debug, Default)]
struct Flag {
    is_raised: AtomicBool,
    raised: Notify,
}

impl Stop {
    /// Asks to stop.
    pub fn raise(&self) {
        self.0.is_raised.store(true, Ordering::SeqCst);
        self.0.raised.notify_waiters();
    }

    /// Whether somebody asked to stop.
    pub fn is_raised(&self) -> bool {
        self.0.is_raised.load(Ordering::SeqCst)
    }

    /// Waits until somebody asks.
    pub async fn raised(&self) {
        let mut notified = pin!(self.0.raised.notified());
        // From here on no call is missed, so that the flag is looked at afterwards.
        notified.as_mut().enable();
        if !self.is_raised() {
            notified.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wish_is_heard_whenever_it_comes() {
        let stop = Stop::default();
        let other = stop.clone();
        let ((), ()) = tokio::join!(stop.raised(), async { other.raise() });
        stop.raised().await;
        assert!(stop.is_raised());
    }
}
