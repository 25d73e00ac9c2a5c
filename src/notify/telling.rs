//! The notices of a controller, whose fleet file may name other channels from one run to the next.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::besides::silence_of;
use super::matter::Matter;
use super::notices::Notices;
use super::over::Over;
use crate::fleet::Fleet;
use crate::fleet::notify::Notify as Channels;
use crate::names::AccountId;
use crate::reconcile::{Kept, Warn};

/// How long a controller that somebody waits for waits for channels.
const AT_A_STOP: Duration = Duration::from_secs(10);
/// How often the controller looks for what waits.
const EVERY: Duration = Duration::from_secs(5);

/// The notices of a controller.
pub struct Telling {
    warn: Warn,
    current: Mutex<Option<Current>>,
    /// What is to be told, in its order.
    noted: Mutex<VecDeque<Noted>>,
    /// Said when there is something to be told or sent.
    wake: Notify,
}

/// What begins, and what is over.
type Noted = (Vec<Matter>, Vec<Over>);

#[derive(Debug)]
struct Current {
    notify: Channels,
    store: Option<String>,
    notices: Option<Arc<Notices>>,
}

impl Telling {
    /// Of a controller that warns in this way.
    pub fn new(warn: Warn) -> Self {
        let (current, noted) = (Mutex::default(), Mutex::default());
        Self { warn, current, noted, wake: Notify::new() }
    }

    /// Those of a run.
    pub fn of(&self, fleet: Option<&Fleet>, audit_log: &Path, kept: &Kept) -> Option<Arc<Notices>> {
        let notify = fleet.map(|fleet| fleet.file.notify.clone()).unwrap_or_default();
        let name = kept.history().map(|store| store.name().to_owned());
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) =
            current.as_ref().filter(|there| there.notify == notify && there.store == name)
        {
            return there.notices.clone();
        }
        let notices = Notices::of(fleet, audit_log, kept, &self.warn).map(Arc::new);
        *current = Some(Current { notify, store: name, notices: notices.clone() });
        notices
    }

    /// Those of the latest run.
    fn now(&self) -> Option<Arc<Notices>> {
        let current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        current.as_ref().and_then(|current| current.notices.clone())
    }

    /// Notes what was not seen in a run, to be told.
    pub fn note(&self, matters: Vec<Matter>, over: Vec<Over>) {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.push_back((matters, over));
        self.wake.notify_one();
    }

    /// Notes what is over.
    pub fn over(&self, account: Option<AccountId>, key: String) {
        self.note(Vec::new(), vec![Over { account, key, why: None }]);
    }

    /// Notes that an account of which nothing was heard has left the fleet.
    pub fn left(&self, account: &AccountId) {
        let (key, why) = (silence_of(account), Some("no target selects the account any more"));
        self.note(Vec::new(), vec![Over { account: Some(account.clone()), key, why }]);
    }

    /// Says that there is something to be sent.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    fn next(&self) -> Option<Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Tells what was noted.
    async fn tell(&self, notices: &Notices) {
        while let Some((matters, over)) = self.next() {
            notices.tell_of(matters, &over).await;
        }
    }

    /// Tells and sends what waits, until this is dropped. Nothing waits for a channel that hangs.
    pub async fn keep_sending(&self) {
        loop {
            if let Some(notices) = self.now() {
                self.tell(&notices).await;
                tokio::spawn(async move { notices.send().await });
            }
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Sends what waits once more, when the controller ends.
    pub async fn end(&self) {
        if let Some(notices) = self.now() {
            self.tell(&notices).await;
            notices.send_within(AT_A_STOP).await;
        }
    }
}
