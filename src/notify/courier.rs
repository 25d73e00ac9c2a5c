//! Sends what waits, each channel on its own: one that hangs, refuses or is gone keeps nobody waiting,
//! and no run hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::join_all;

use super::channel::{NotSent, Reached};
use super::outbox::{self, Waiting};
use crate::fleet::notify::Severity;
use crate::store::StoreError;
use crate::store::memory::{Document, Memory, change};

/// How long one letter may take; who has not answered then is cut off.
const LONGEST: Duration = Duration::from_secs(30);
/// Failures in a row, after which a channel is left alone until the next time.
const IN_A_ROW: usize = 3;

/// Who sends.
pub struct Courier {
    /// Where letters wait.
    pub memory: Arc<dyn Memory>,
    /// The channels.
    pub channels: Vec<Reached>,
    /// Channels that are being sent to: who comes meanwhile does not wait for them.
    in_hand: Mutex<BTreeSet<String>>,
    /// Why notices could be neither kept nor sent, until somebody has said it.
    trouble: Mutex<Option<String>>,
    /// How long one letter may take.
    longest: Duration,
}

/// A channel that is being sent to, until this is dropped.
struct InHand<'a>(&'a Courier, &'a str);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(self.1);
    }
}

/// What a round came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Letters that arrived.
    pub sent: usize,
    /// Letters that wait still.
    pub left: usize,
}

impl Courier {
    /// One for some channels.
    pub fn new(memory: Arc<dyn Memory>, channels: Vec<Reached>) -> Self {
        Self {
            memory,
            channels,
            in_hand: Mutex::default(),
            trouble: Mutex::default(),
            longest: LONGEST,
        }
    }

    /// Notes that what waits can be neither kept nor sent: once, whatever the number of channels.
    pub fn is_in_trouble(&self, error: &StoreError) {
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        trouble.get_or_insert_with(|| format!("{error}; {}", error.remedy()));
    }

    /// Why notices could be neither kept nor sent since this was asked last, and what to do.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Takes a channel in hand, unless somebody has it.
    fn take<'a>(&'a self, channel: &'a str) -> Option<InHand<'a>> {
        let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
        in_hand.insert(channel.to_owned()).then(|| InHand(self, channel))
    }

    /// Sends what is due, all channels at the same time. What cannot be sent is said in the log, and
    /// waits; what cannot be read is a [`trouble`](Self::trouble).
    pub async fn round(&self) -> Round {
        let rounds = join_all(self.channels.iter().map(|reached| async move {
            let Some(_in_hand) = self.take(&reached.name) else { return Round::default() };
            self.channel(reached).await.unwrap_or_else(|error| {
                self.is_in_trouble(&error);
                Round::default()
            })
        }))
        .await;
        rounds.into_iter().fold(Round::default(), |all, one| Round {
            sent: all.sent + one.sent,
            left: all.left + one.left,
        })
    }

    async fn channel(&self, reached: &Reached) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let mut failed = 0;
        // What is over must not be told before what began.
        let mut behind: BTreeSet<String> = BTreeSet::new();
        let all = outbox::waiting(self.memory.as_ref(), &reached.name).await?;
        for (document, waiting) in urgent_first(all) {
            let now = Utc::now();
            if waiting.is_given_up(now) {
                let why = waiting.why.as_deref().unwrap_or("nobody knows why");
                tracing::warn!(
                    "a notice for {} is given up after {} tries: {why}",
                    reached.name,
                    waiting.tries
                );
                self.memory.remove(&document.name, document.version).await?;
                continue;
            }
            let may_go = waiting.is_due(now)
                && failed < IN_A_ROW
                && !keys(&waiting).any(|key| behind.contains(key));
            if may_go && self.has_turn(reached, now).await? {
                if self.try_one(reached, &document, &waiting, now).await? {
                    round.sent += 1;
                    continue;
                }
                self.gives_back(reached, now).await?;
                failed += 1;
            }
            round.left += 1;
            behind.extend(keys(&waiting).cloned());
        }
        Ok(round)
    }

    /// What the channel did not take does not count: only the pauses of a letter keep back what fails.
    async fn gives_back(&self, reached: &Reached, now: DateTime<Utc>) -> Result<(), StoreError> {
        change(self.memory.as_ref(), &sent_by(reached), |sent: Option<Vec<DateTime<Utc>>>| {
            let mut sent = sent?;
            let place = sent.iter().position(|time| *time == now)?;
            sent.remove(place);
            Some(sent)
        })
        .await
    }

    /// Whether the channel may be sent one more letter in this hour; if so, it is counted.
    async fn has_turn(&self, reached: &Reached, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let most = usize::try_from(reached.common.per_hour).unwrap_or(usize::MAX);
        let mut has_turn = false;
        change(self.memory.as_ref(), &sent_by(reached), |sent: Option<Vec<DateTime<Utc>>>| {
            let mut sent = sent.unwrap_or_default();
            // A clock that was set back must not keep the channel shut.
            sent.retain(|time| *time <= now && now - *time < TimeDelta::hours(1));
            has_turn = sent.len() < most;
            has_turn.then(|| {
                sent.push(now);
                sent
            })
        })
        .await?;
        Ok(has_turn)
    }

    /// Tries a letter, unless somebody else does.
    async fn try_one(
        &self,
        reached: &Reached,
        document: &Document,
        waiting: &Waiting,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mut tried = waiting.in_hand(now);
        let name = &document.name;
        let body = serde_json::to_value(&tried)?;
        let version = match self.memory.write(name, document.version, &body).await {
            Err(StoreError::Moved { .. }) => return Ok(false),
            written => written?,
        };
        let late = |_| NotSent::because(format!("it took longer than {:?}", self.longest));
        let sent = tokio::time::timeout(self.longest, reached.channel.send(&waiting.letter)).await;
        let written = match sent.map_err(late).flatten() {
            Ok(()) => self.memory.remove(name, version).await.map(|()| true),
            Err(NotSent { why, retry_after, left }) => {
                tracing::warn!(
                    "a notice could not be sent by {}, and is tried again: {why}",
                    reached.name
                );
                tried.failed(now);
                tried.why = Some(why);
                if let Some(left) = left {
                    tried.letter.notices = left;
                }
                if let Some(wished) = retry_after.and_then(|after| TimeDelta::from_std(after).ok())
                {
                    tried.not_before = tried.not_before.max(now + wished.min(TimeDelta::hours(1)));
                }
                let body = serde_json::to_value(&tried)?;
                self.memory.write(name, version, &body).await.map(|_| false)
            }
        };
        match written {
            // Somebody put more into it: it is sent once more, with that.
            Err(StoreError::Moved { .. }) => Ok(false),
            written => written,
        }
    }
}

/// Where it is counted what a channel took in an hour.
fn sent_by(reached: &Reached) -> String {
    format!("notices/{}/sent", reached.name)
}

/// The most urgent letters first, then the oldest; but none before an older one that is about the same.
fn urgent_first(all: Vec<(Document, Waiting)>) -> Vec<(Document, Waiting)> {
    let mut about: BTreeMap<String, Severity> = BTreeMap::new();
    let mut ranked = Vec::with_capacity(all.len());
    for (document, waiting) in all {
        let before = keys(&waiting).filter_map(|key| about.get(key)).min();
        let rank =
            before.map_or(waiting.letter.severity(), |one| waiting.letter.severity().min(*one));
        about.extend(keys(&waiting).map(|key| (key.clone(), rank)));
        ranked.push((rank, document, waiting));
    }
    // Stable: of the same rank, the oldest first.
    ranked.sort_by_key(|(rank, ..)| std::cmp::Reverse(*rank));
    ranked.into_iter().map(|(_, document, waiting)| (document, waiting)).collect()
}

/// What a letter is about.
fn keys(waiting: &Waiting) -> impl Iterator<Item = &String> {
    let places = waiting.letter.notices.iter().flat_map(|notice| &notice.places);
    places.map(|place| &place.subject.key)
}

#[cfg(test)]
#[path = "courier_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
