//! Runs: how they ended, how long they took, what became of their changes, and what they found.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus_client::metrics::histogram::Histogram;

use super::book::{Book, Counts, Levels, Sizes};
use super::figures::Figures;
use super::objects::State;
use super::status::RunLine;
use super::{number, seconds_since};
use crate::controller::queue::What;
use crate::fleet::notify::Severity;
use crate::plan::Guard;
use crate::reconcile::{RunEvent, RunOutcome, Step, Told};
use chrono::{DateTime, Utc};

/// A look at a part takes a second, one at a thousand accounts many minutes.
fn buckets() -> Histogram {
    Histogram::new([0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0, 3600.0])
}

/// Runs that are named.
const LATEST: usize = 5;

/// Runs.
#[derive(Debug, Clone)]
pub struct Runs {
    ended: Counts,
    took: Sizes,
    changes: Counts,
    log_failures: Counts,
    objects: Levels,
    drift: Levels,
    oldest: Levels,
    held: Levels,
    unseen: Levels,
    lost: Levels,
    latest: Arc<Mutex<VecDeque<RunLine>>>,
}

impl Runs {
    /// Describes them.
    pub fn of(book: &mut Book) -> Self {
        Self {
            ended: book.counter(
                "runs",
                &["scope", "outcome"],
                "Runs that ended. scope: target, account, path, parts; outcome: in_sync, drift, held_back, partly, interrupted, failed, left_to_others (other controllers have looked at everything), nothing_declared (it concerned nothing that is declared: nothing was looked at)",
            ),
            took: book.histogram("run_duration_seconds", &["scope"], buckets, "How long runs took"),
            changes: book.counter(
                "changes",
                &["kind", "outcome"],
                "What became of planned changes. outcome: applied, found, needless, failed, moved, blocked, not_tried, held_back, lease_lost",
            ),
            log_failures: book.counter(
                "audit_log_failures",
                &[],
                "Runs that stopped writing because the audit log could not be written",
            ),
            objects: book.gauge(
                "objects",
                &["state"],
                "Objects by how they stand. state: in_sync (as of the last full looks), to_change, held_back, reported, failed, unknown (all that was in sync in an account or a target that cannot be looked at, too), excepted",
            ),
            drift: book.gauge(
                "drift_objects",
                &["severity"],
                "Objects that are not as declared and not excepted. severity: medium, high, critical",
            ),
            oldest: book.gauge(
                "drift_oldest_seconds",
                &["severity"],
                "Age of the oldest of these; 0 where there are none",
            ),
            held: book.gauge(
                "held_back_objects",
                &["guard"],
                "Objects whose changes a guard holds back",
            ),
            unseen: book.gauge(
                "accounts_unseen",
                &[],
                "Accounts that could not be looked at when it was last tried",
            ),
            lost: book.gauge(
                "targets_unseen",
                &[],
                "Targets whose latest run came to nothing, such as an organization that cannot be listed: what was in sync there is unknown",
            ),
            latest: Arc::default(),
        }
    }

    pub(super) fn hear(&self, told: &Told<'_>, scope: &'static str, began: DateTime<Utc>) {
        match told.event {
            RunEvent::Wrote { step, object, .. } => {
                let outcome = of_step(step);
                self.changes.add(&[("kind", &object.item.kind), ("outcome", outcome)]);
            }
            RunEvent::Ended { outcome, report } => {
                let took = seconds_since(began, told.time);
                self.ended(scope, of_outcome(outcome), Duration::from_secs_f64(took));
                if report.is_some_and(|report| report.log_failure.is_some()) {
                    self.log_failures.add(&[]);
                }
            }
            _ => {}
        }
    }

    /// The latest runs, the latest first.
    pub fn latest(&self) -> Vec<RunLine> {
        self.lines().iter().cloned().collect()
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<RunLine>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn note(&self, line: RunLine) {
        let mut lines = self.lines();
        lines.push_front(line);
        lines.truncate(LATEST);
    }

    fn ended(&self, scope: &'static str, outcome: &'static str, took: Duration) {
        self.ended.add(&[("scope", scope), ("outcome", outcome)]);
        self.took.note(&[("scope", scope)], took.as_secs_f64());
    }

    /// What somebody did concerns nothing that is declared.
    pub fn nothing_declared(&self, what: &What) {
        self.ended.add(&[("scope", scope(what)), ("outcome", "nothing_declared")]);
    }

    /// A run came to an end before it had one to tell.
    pub fn failed(&self, what: &What, began: DateTime<Utc>, now: DateTime<Utc>) {
        self.ended(scope(what), "failed", (now - began).to_std().unwrap_or_default());
        self.note(RunLine {
            run: String::new(),
            of: in_words(what),
            began,
            ended: Some(now),
            outcome: Some("failed".to_owned()),
            accounts: 0,
            applied: 0,
            empty_shard: None,
        });
    }

    /// Says how the objects stand now; nothing where nobody knows it.
    pub fn fill(&self, figures: Option<&Figures>) {
        let Some(figures) = figures else {
            let all =
                [&self.objects, &self.drift, &self.oldest, &self.held, &self.unseen, &self.lost];
            for levels in all {
                levels.clear();
            }
            return;
        };
        let words = State::ALL.map(State::as_str);
        for word in words.into_iter().chain(["in_sync"]) {
            let count = figures.states.get(word).copied().unwrap_or_default();
            self.objects.set(&[("state", word)], number(count));
        }
        for severity in [Severity::Medium, Severity::High, Severity::Critical] {
            let (count, oldest) = figures.drift.get(&severity).copied().unwrap_or_default();
            let label = [("severity", severity.as_str())];
            self.drift.set(&label, number(count));
            self.oldest.set(&label, oldest);
        }
        for guard in GUARDS {
            let count = figures.held.get(guard.as_str()).copied().unwrap_or_default();
            self.held.set(&[("guard", guard.as_str())], number(count));
        }
        self.unseen.set(&[], number(figures.unseen));
        self.lost.set(&[], number(figures.lost));
    }
}

const GUARDS: [Guard; 9] = [
    Guard::KillSwitch,
    Guard::ChangeWindow,
    Guard::Budget,
    Guard::FirstRun,
    Guard::Breaker,
    Guard::Fight,
    Guard::Wave,
    Guard::Hold,
    Guard::Memory,
];

fn of_step(step: &Step) -> &'static str {
    match step {
        Step::Applied => "applied",
        Step::Needless => "needless",
        Step::Failed { .. } => "failed",
        Step::Found | Step::WasThere { .. } => "found",
        Step::Moved { .. } => "moved",
        Step::Blocked { .. } => "blocked",
        Step::NotTried => "not_tried",
        Step::HeldBack { .. } => "held_back",
        Step::LeaseLost { .. } => "lease_lost",
    }
}

/// The words of the log, as a label has them.
pub fn of_outcome(outcome: RunOutcome) -> &'static str {
    match outcome {
        RunOutcome::Elsewhere => "left_to_others",
        RunOutcome::InSync => "in_sync",
        RunOutcome::Drift => "drift",
        RunOutcome::Refused => "held_back",
        RunOutcome::Partly | RunOutcome::Unknown => "partly",
        RunOutcome::Interrupted => "interrupted",
    }
}

/// What is looked at, for people to read.
pub(super) fn in_words(what: &What) -> String {
    match what {
        What::Target(name) => format!("target {name}"),
        What::Path(name) => format!("target {name}, only what events depend on"),
        What::Account(account) => format!("account {account}"),
        What::Parts { account, parts } => {
            let kinds: std::collections::BTreeSet<&str> =
                parts.iter().map(|(kind, _)| *kind).collect();
            let kinds: Vec<&str> = kinds.into_iter().collect();
            format!("{} of account {account}", kinds.join(", "))
        }
    }
}

/// What a run looks at, in a word.
pub fn scope(what: &What) -> &'static str {
    match what {
        What::Target(_) => "target",
        What::Account(_) => "account",
        What::Path(_) => "path",
        What::Parts { .. } => "parts",
    }
}
