//! The loop and its queue: whether it goes round, what waits, and whether events are heard.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use prometheus_client::metrics::histogram::Histogram;

use super::book::{Book, Counts, Levels, Sizes};
use super::number;
use crate::controller::queue::What;
use crate::controller::said::Said;

/// CloudTrail's events take from seconds to some minutes.
fn buckets() -> Histogram {
    Histogram::new([1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0])
}

/// What the loop said of late.
#[derive(Debug, Clone, Default)]
pub struct Signs {
    /// When it last came round.
    pub turn: Option<Duration>,
    /// Whether it has come to its end.
    pub is_stopping: bool,
    /// How many things wait.
    pub waiting: usize,
    /// When the first of them is due, or was.
    pub due: Option<Duration>,
    /// What is being looked at.
    pub in_hand: Vec<What>,
    /// When the queue of events last answered.
    pub answered: Option<Duration>,
    /// Since when it does not, and why.
    pub deaf: Option<(Duration, String)>,
    /// Since when nothing may come into it, and why.
    pub shut: Option<(Duration, String)>,
    /// Why nobody can say whether something may.
    pub door_unknown: Option<String>,
}

impl Signs {
    /// Since when no event comes, and why: the queue cannot be asked, or nothing may come into it.
    pub fn no_events(&self) -> Option<&(Duration, String)> {
        self.deaf.as_ref().or(self.shut.as_ref())
    }

    /// How long the longest of what is due has waited.
    pub fn late_by(&self, now: Duration) -> Duration {
        self.due.map(|due| now.saturating_sub(due)).unwrap_or_default()
    }
}

/// The loop and its queue.
#[derive(Debug)]
pub struct Pace {
    signs: Mutex<Signs>,
    turn: Levels,
    waiting: Levels,
    late: Levels,
    in_hand: Levels,
    heard: Levels,
    answered: Levels,
    lag: Sizes,
    touched: Counts,
    defects: Counts,
    repeated: Counts,
    no_beat: Counts,
}

impl Pace {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            signs: Mutex::default(),
            turn: book.gauge(
                "loop_turn_age_seconds",
                &[],
                "Since the controller's loop last came round; it does every 30 s at least",
            ),
            waiting: book.gauge("queue_waiting", &[], "Looks that wait in the controller's queue"),
            late: book.gauge(
                "queue_late_seconds",
                &[],
                "How long the longest of what is due has waited in the controller's queue",
            ),
            in_hand: book.gauge("queue_in_hand", &["lane"], "Looks in hand. lane: parts, targets"),
            heard: book.gauge(
                "event_queue_up",
                &[],
                "Whether the queue of events answered when it was last asked, and its policy lets events in; absent where none is configured",
            ),
            answered: book.gauge(
                "event_queue_answer_age_seconds",
                &[],
                "Since the queue of events last answered; absent until it first does",
            ),
            lag: book.histogram(
                "event_lag_seconds",
                &[],
                buckets,
                "From a call to its event being in the controller's queue, of calls that others made",
            ),
            touched: book.counter(
                "event_looks",
                &[],
                "Parts of accounts that events asked to be looked at; many events are one look",
            ),
            defects: book.counter("defects", &[], "Looks in which evenkeel itself failed"),
            repeated: book.counter("looks_repeated", &[], "Looks that failed and are repeated"),
            no_beat: book.counter(
                "heartbeats_not_made",
                &[],
                "Calls to be heard of that could not be made, each account's reason once",
            ),
        }
    }

    fn signs(&self) -> MutexGuard<'_, Signs> {
        self.signs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the loop said of late.
    pub fn now(&self) -> Signs {
        self.signs().clone()
    }

    /// Hears what happens in the loop.
    pub fn hear(&self, said: &Said<'_>, now: Duration, wall: DateTime<Utc>) {
        match said {
            Said::Turn { queue } => {
                let mut signs = self.signs();
                signs.turn = Some(now);
                signs.waiting = queue.len();
                signs.due = queue.first_due();
                signs.in_hand = queue.in_hand().cloned().collect();
            }
            Said::Stopping => self.signs().is_stopping = true,
            Said::Answered { .. } => {
                let mut signs = self.signs();
                signs.answered = Some(now);
                signs.deaf = None;
            }
            Said::Deaf { why, .. } => {
                let mut signs = self.signs();
                let since = signs.deaf.as_ref().map_or(now, |(since, _)| *since);
                signs.deaf = Some((since, (*why).to_owned()));
            }
            Said::Door { shut } => {
                let mut signs = self.signs();
                signs.door_unknown = shut.as_ref().err().cloned();
                match shut {
                    Ok(None) => signs.shut = None,
                    Ok(Some(why)) => {
                        let since = signs.shut.as_ref().map_or(now, |(since, _)| *since);
                        signs.shut = Some((since, why.clone()));
                    }
                    // What was known before stays.
                    Err(_) => {}
                }
            }
            Said::Told { event, parts } => {
                self.lag.note(&[], super::seconds_since(event.time, wall));
                for _ in 0..*parts {
                    self.touched.add(&[]);
                }
            }
            Said::Defect { .. } => self.defects.add(&[]),
            Said::Again { .. } => self.repeated.add(&[]),
            Said::NoBeat { .. } => self.no_beat.add(&[]),
            _ => {}
        }
    }

    /// Says how it is now.
    pub fn fill(&self, hears: bool, now: Duration) {
        let signs = self.now();
        let age = |at: Duration| now.saturating_sub(at).as_secs_f64();
        self.turn.maybe(&[], signs.turn.map(age));
        self.waiting.set(&[], number(signs.waiting));
        self.late.set(&[], signs.late_by(now).as_secs_f64());
        let targets = signs.in_hand.iter().filter(|what| matches!(what, What::Target(_))).count();
        self.in_hand.set(&[("lane", "targets")], number(targets));
        self.in_hand.set(&[("lane", "parts")], number(signs.in_hand.len() - targets));
        let up = f64::from(u8::from(signs.answered.is_some() && signs.no_events().is_none()));
        self.heard.maybe(&[], hears.then_some(up));
        self.answered.maybe(&[], signs.answered.filter(|_| hears).map(age));
    }
}
