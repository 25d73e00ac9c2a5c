//! An object that is not as declared, and what became of it in a run.

use serde_json::Value;

use super::super::holds::{self, Hold};
use super::super::matter::{Matter, Subject};
use super::super::worth::look_at;
use super::LONGEST;
use crate::digest;
use crate::fleet::notify::{On, Severity};
use crate::kinds::{FieldDrift, Risk};
use crate::plan::render::value;
use crate::plan::words::{counted, without_request};
use crate::plan::{Disposition, ObjectPlan};
use crate::reconcile::Step;
use crate::store::history::DriftRow;
use crate::visible::{shortened, visible};

/// Lines of what differs that a notice has.
const LINES: usize = 30;
/// Characters of what evenkeel did or why it did not: whom a fight names, when, and what releases it, is
/// not cut off.
const LONGEST_DID: usize = 1_000;

/// An object that is not as declared, and what became of it.
pub struct Drifted {
    pub subject: Subject,
    is_path: bool,
    risk: Option<Risk>,
    drift: Vec<(FieldDrift, bool)>,
    held: Option<Hold>,
    why_not: Option<String>,
    pub steps: Vec<(String, Step)>,
    pub verified: Option<bool>,
}

/// What became of an object.
pub enum Became {
    /// It is as declared.
    Right(Matter),
    /// It was as declared when it was to be written: another run did it, or somebody else.
    Already(String),
    /// It is not.
    Standing(Matter),
}

impl Drifted {
    /// What differs of an object.
    pub fn of(object: &ObjectPlan, subject: Subject, is_path: bool) -> Self {
        let drift = object.changes.iter().flat_map(|change| {
            let is_finding = change.action.is_none();
            change.drift.iter().map(move |drift| (drift.clone(), is_finding))
        });
        let why_not = object.changes.iter().find_map(|change| match &change.disposition {
            Disposition::Report { reason } => Some(reason.clone()),
            _ => None,
        });
        Self {
            subject,
            is_path,
            risk: object.risk(),
            drift: drift.collect(),
            held: holds::of_plan(object),
            why_not,
            steps: Vec::new(),
            verified: None,
        }
    }

    /// What differs, as the history tells it apart.
    pub fn marks(&self) -> Vec<u64> {
        let null = Value::Null;
        let mark = |(drift, is_finding): &(FieldDrift, bool)| {
            let values =
                (drift.actual.as_ref().unwrap_or(&null), drift.desired.as_ref().unwrap_or(&null));
            DriftRow::mark_of(&drift.field, (!is_finding).then_some(values))
        };
        self.drift.iter().map(mark).collect()
    }

    /// What differs: of what only people can mend, the fields alone, since its words may say how long
    /// it has been so.
    fn state(&self, more: &str) -> String {
        let fields: Vec<_> = self
            .drift
            .iter()
            .map(|(drift, is_finding)| match is_finding {
                true => (&drift.field, None),
                false => (&drift.field, Some((&drift.actual, &drift.desired))),
            })
            .collect();
        let mut state = digest::of(&(fields, more));
        state.truncate(16);
        state
    }

    fn matter(&self, on: On, severity: Severity, more: &str, did: String) -> Matter {
        Matter {
            subject: self.subject.clone(),
            on,
            severity: if self.is_path { severity.max(Severity::High) } else { severity },
            state: self.state(more),
            what: lines(&self.drift),
            did: shortened(&visible(&did), LONGEST_DID).into_owned(),
            look: look_at(&self.subject),
        }
    }

    /// What became of it; `refused` is why nothing was written, where that is so.
    pub fn became(&self, refused: Option<&(String, String)>) -> Became {
        let is_done = |(_, step): &(String, Step)| step.is_done();
        if self.verified == Some(true) && self.steps.iter().all(is_done) {
            let severity = match self.risk {
                Some(Risk::Safe) | None => Severity::Low,
                Some(Risk::Disruptive | Risk::Destructive) => Severity::Medium,
            };
            let names: Vec<&str> = self.steps.iter().map(|(name, _)| name.as_str()).collect();
            let did = match names.as_slice() {
                [] => "put it right by what it wrote elsewhere".to_owned(),
                names => format!("put it right: {}", names.join(", ")),
            };
            return Became::Right(self.matter(On::Applied, severity, "", did));
        }
        let is_needless = |(_, step): &(String, Step)| *step == Step::Needless;
        let is_seen = !self.steps.is_empty() && self.steps.iter().all(is_needless);
        if is_seen && self.verified.is_none() {
            return Became::Already(self.subject.key.clone());
        }
        Became::Standing(self.stands(refused))
    }

    fn stands(&self, refused: Option<&(String, String)>) -> Matter {
        let held = self.steps.iter().find_map(|(_, step)| holds::of_step(step));
        let failed = self.steps.iter().find(|(_, step)| step.is_failure());
        if let Some((name, step)) = failed {
            let step = step.to_string();
            let step = without_request(step.lines().next().unwrap_or_default()).into_owned();
            let did = format!("could not put it right: {name}: {step}");
            return self.matter(On::Failed, Severity::High, name, did);
        }
        let was_written = self.steps.iter().any(|(_, step)| step.is_done());
        if was_written && self.verified != Some(true) {
            let did = match self.verified {
                Some(_) => "AWS accepted its changes, and it is still not as declared",
                None => "AWS accepted its changes, and nobody could observe it afterwards",
            };
            return self.matter(On::Failed, Severity::High, "written", did.to_owned());
        }
        if let Some(held) = held.or_else(|| self.held.clone()) {
            let severity = if held.is_alarming { Severity::High } else { Severity::Medium };
            let did = format!("holds its changes back {}", held.why);
            return self.matter(On::HeldBack, severity, held.guard, did);
        }
        if let Some((why, remedy)) = refused.filter(|_| self.risk.is_some()) {
            let did = format!("wrote nothing: {why}; {remedy}");
            return self.matter(On::HeldBack, Severity::Medium, "refused", did);
        }
        let severity = if self.is_path { Severity::Critical } else { Severity::Medium };
        let did = match (&self.why_not, self.risk) {
            (Some(why), _) => format!("only reports it: {why}"),
            (None, Some(_)) => "did not get to it: the run was stopped, or only looked".to_owned(),
            (None, None) => "only reports it".to_owned(),
        };
        self.matter(On::Drift, severity, "drift", did)
    }
}

fn lines(drift: &[(FieldDrift, bool)]) -> Vec<String> {
    let mut all: Vec<String> = drift.iter().take(LINES).map(|(drift, _)| line(drift)).collect();
    if drift.len() > LINES {
        all.push(format!("and {}", counted(drift.len() - LINES, "more field")));
    }
    all
}

/// `minimum_password_length 9 → 14`.
fn line(drift: &FieldDrift) -> String {
    let value::Line { field, text, detail, .. } = value::line(drift);
    let text = match (text.is_empty(), detail.is_empty()) {
        (true, false) => "differs".to_owned(),
        _ => text,
    };
    let line = format!("{field} {text}");
    shortened(&visible(line.trim()), LONGEST).into_owned()
}
