//! What waits to be sent: a document for each letter, made before it is sent and removed after.
//!
//! Who sends a letter first writes down when it may be tried again. So a letter whose sender dies is
//! sent later by somebody else, and of several controllers only one sends it; it may arrive twice, with
//! the same id, when a sender dies between the answer and the removal.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::letter::{Letter, Reader};
use crate::store::StoreError;
use crate::store::memory::{Document, Memory, NOT_THERE, change};

/// The pause after the first failure; each further one doubles it.
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(10);
/// The longest pause.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(1);
/// For so long, a sender may be at a letter: longer than it may take, on clocks that differ a little.
const IN_HAND: TimeDelta = TimeDelta::seconds(60);
/// After so long, a letter tells of another time, and is given up.
const GIVEN_UP: TimeDelta = TimeDelta::days(7);
/// Letters for people that wait at the same time; what comes then goes into the last of them.
const MOST: usize = 20;
/// Letters for programs that wait at the same time; with more, nothing is told until there is room,
/// and then what is still so.
const MOST_EACH: usize = 500;

/// A letter that waits.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Waiting {
    /// It.
    pub letter: Letter,
    /// Since when.
    pub since: DateTime<Utc>,
    /// How often it was tried in vain.
    pub tries: u32,
    /// When it may be tried again.
    pub not_before: DateTime<Utc>,
    /// Why it could not be sent.
    #[serde(default)]
    pub why: Option<String>,
}

impl Waiting {
    /// Whether it may be tried now.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.not_before <= now
    }

    /// Whether it is too old to be of use.
    pub fn is_given_up(&self, now: DateTime<Utc>) -> bool {
        self.tries > 0 && now - self.since > GIVEN_UP
    }

    /// The same, in hand: while its sender may still be at it, nobody else tries.
    pub fn in_hand(&self, now: DateTime<Utc>) -> Self {
        let tries = self.tries.saturating_add(1);
        Self { tries, not_before: now + pause(tries).max(IN_HAND), ..self.clone() }
    }

    /// It could not be sent: when it is tried again.
    pub fn failed(&mut self, now: DateTime<Utc>) {
        self.not_before = now + pause(self.tries);
    }
}

/// How long it is waited after so many tries.
pub fn pause(tries: u32) -> TimeDelta {
    let doubled = 2_i32.checked_pow(tries.saturating_sub(1)).unwrap_or(i32::MAX);
    FIRST_PAUSE.checked_mul(doubled).map_or(LONGEST_PAUSE, |pause| pause.min(LONGEST_PAUSE))
}

/// Where the letters of a channel are.
fn folder(channel: &str) -> String {
    format!("notices/{channel}/out/")
}

/// The letters of a channel that wait, the oldest first.
///
/// # Errors
/// The store cannot be asked.
pub async fn waiting(
    memory: &dyn Memory,
    channel: &str,
) -> Result<Vec<(Document, Waiting)>, StoreError> {
    let mut all = Vec::new();
    for document in memory.list(&folder(channel)).await? {
        match document.typed::<Waiting>() {
            Ok(waiting) => all.push((document, waiting)),
            // Of another version: it must not keep back the others.
            Err(error) => {
                tracing::warn!(
                    "a notice for {channel} cannot be read: {error}; {}",
                    error.remedy()
                );
            }
        }
    }
    all.sort_by(|(_, one), (_, other)| {
        (one.since, &one.letter.id).cmp(&(other.since, &other.letter.id))
    });
    Ok(all)
}

/// Whether there is room for what is to be told.
///
/// # Errors
/// The store cannot be asked.
pub async fn has_room(
    memory: &dyn Memory,
    channel: &str,
    reader: Reader,
) -> Result<bool, StoreError> {
    Ok(match reader {
        Reader::People => true,
        Reader::Program => memory.list(&folder(channel)).await?.len() < MOST_EACH,
    })
}

/// Puts a letter there; one that is there already stays as it is.
///
/// # Errors
/// The store cannot be asked.
pub async fn put(
    memory: &dyn Memory,
    channel: &str,
    reader: Reader,
    letter: Letter,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if reader == Reader::People {
        let all = waiting(memory, channel).await?;
        if let Some((last, _)) = all.last().filter(|_| all.len() >= MOST) {
            return take_in(memory, &last.name, letter).await;
        }
    }
    let name = format!("{}{}", folder(channel), letter.id);
    let waiting = Waiting { letter, since: now, tries: 0, not_before: now, why: None };
    match memory.write(&name, NOT_THERE, &serde_json::to_value(waiting)?).await {
        Err(StoreError::Moved { .. }) => Ok(()),
        written => written.map(drop),
    }
}

async fn take_in(memory: &dyn Memory, name: &str, letter: Letter) -> Result<(), StoreError> {
    let mut left = Some(letter);
    change(memory, name, |now: Option<Waiting>| {
        let mut waiting = now?;
        waiting.letter.take_in(left.clone()?);
        Some(waiting)
    })
    .await?;
    // It was sent meanwhile: then there is room.
    if memory.read(name).await?.is_none()
        && let Some(letter) = left.take()
    {
        let since = letter.time;
        let waiting = Waiting { letter, since, tries: 0, not_before: since, why: None };
        memory.write(name, NOT_THERE, &serde_json::to_value(waiting)?).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_is_sending_is_nobody_elses_before_the_sender_is_cut_off() {
        let now = Utc::now();
        let letter = Letter::of(now, Default::default(), Vec::new());
        let waiting = Waiting { letter, since: now, tries: 0, not_before: now, why: None };
        let mut in_hand = waiting.in_hand(now);
        // A courier cuts a channel off after half a minute.
        assert!(!in_hand.is_due(now + TimeDelta::seconds(45)));
        assert!(in_hand.is_due(now + IN_HAND));
        in_hand.failed(now);
        assert!(in_hand.is_due(now + FIRST_PAUSE));
    }

    #[test]
    fn pauses_double_up_to_an_hour() {
        let seconds: Vec<i64> =
            [1, 2, 3, 9, 10, 1000].map(|tries| pause(tries).num_seconds()).into();
        assert_eq!(seconds, [10, 20, 40, 2560, 3600, 3600]);
    }
}
