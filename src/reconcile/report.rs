//! What became of a plan, change by change.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use super::refusal::Refusal;
use crate::plan::{Held, Plan, PlannedChange, Verdict};

/// What became of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// AWS accepted it.
    Applied,
    /// Not written, because the object has it already.
    Needless,
    /// AWS refused it, or did not answer; or the object could not be observed before.
    Failed {
        /// What went wrong, with the remedy.
        error: String,
    },
    /// AWS refused it, or did not answer, and the object is as declared all the same: an answer was
    /// lost and the call made again below us, or somebody else did it.
    Found,
    /// It was not made, because it was there: made by an earlier try whose answer was lost, or by
    /// somebody else since the look. AWS refused it, or was not asked where it would not have said so.
    WasThere {
        /// What AWS or the look said.
        why: String,
    },
    /// Not written, because the object is not what the plan was made for any more.
    Moved {
        /// What is different now.
        why: String,
    },
    /// Not tried, because one that it waits for was not done.
    Blocked {
        /// The change that was not done.
        by: u32,
        /// The same in words: its object, and what it would have written.
        what: String,
    },
    /// Not tried, because the run was asked to stop, or cannot write its log.
    NotTried,
    /// Not written, because a guard holds it back.
    HeldBack {
        /// Which one, why, and what releases it.
        held: Held,
    },
    /// Not written, because another controller works on the account by now.
    LeaseLost {
        /// Who, as far as known.
        why: String,
    },
}

impl Step {
    /// Whether something was to be put right, and was not, for another reason than a guard or the end of the run.
    pub fn is_failure(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Moved { .. } | Self::Blocked { .. })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Applied => out.write_str("done"),
            Self::Needless => out.write_str("is there already"),
            Self::Failed { error } => write!(out, "failed: {error}"),
            Self::Found => out.write_str("is as declared, though the answer was lost"),
            Self::WasThere { why } => write!(out, "was there already, and was not made: {why}"),
            Self::Moved { why } => write!(out, "left alone, because it has moved: {why}"),
            Self::Blocked { what, .. } => {
                write!(out, "not tried: it needs {what}, which was not done")
            }
            Self::NotTried => out.write_str("not tried"),
            Self::HeldBack { held } => write!(out, "held back {held}"),
            Self::LeaseLost { why } => write!(out, "not written, because {why}"),
        }
    }
}

impl Step {
    /// Whether the change is there now.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Applied | Self::Needless | Self::Found | Self::WasThere { .. })
    }
}

/// A change and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplyOutcome {
    /// The change's id.
    pub change: u32,
    /// Its object, in words.
    pub title: String,
    /// What became of it.
    pub step: Step,
}

/// How something is that the plan could only report, or did not know, now that all is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anew {
    /// The object, in words.
    pub title: String,
    /// How it is by now.
    pub verdict: Verdict,
}

/// What became of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ApplyReport {
    /// Each change, in the order of applying.
    pub outcomes: Vec<ApplyOutcome>,
    /// Objects whose writes were accepted and that are still not as declared.
    pub not_converged: Vec<String>,
    /// Objects that have what was written, and need something else by now.
    pub needs_more: Vec<String>,
    /// Objects whose writes were accepted and that nobody could observe afterwards, with the reason.
    pub unobserved: Vec<(String, String)>,
    /// Objects that have what was to be written, and of which something is left that was only
    /// reported.
    pub only_reported: Vec<String>,
    /// Objects that have what was to be written, and of which somebody else must do their part, with
    /// who must do what.
    pub awaited: Vec<(String, String)>,
    /// What was looked at once more in the end, and is otherwise than the plan says.
    pub anew: Vec<Anew>,
    /// Whether the run was asked to stop before the end.
    pub interrupted: bool,
    /// Why a guard let no account begin any more, if one did.
    pub refused: Option<Refusal>,
    /// Why the audit log could not be written: nothing was written to AWS from then on.
    pub log_failure: Option<String>,
    /// What the reader should do next, where the store could not hear of a step, and not the log.
    pub store_remedy: Option<&'static str>,
    /// Objects of writes that are in the log without what came of them, because it could not be
    /// written any more.
    pub unrecorded: Vec<String>,
}

impl ApplyReport {
    /// How many changes were written, by what AWS answered or by what is there. What was there already
    /// when it was to be made is none of them.
    pub fn applied(&self) -> usize {
        let is_there = |step: &Step| matches!(step, Step::Applied | Step::Found);
        self.outcomes.iter().filter(|outcome| is_there(&outcome.step)).count()
    }

    /// What guards held back in the end: each object with the reason.
    pub fn held(&self) -> impl Iterator<Item = (&str, &Held)> {
        self.outcomes.iter().filter_map(|outcome| match &outcome.step {
            Step::HeldBack { held } => Some((outcome.title.as_str(), held)),
            _ => None,
        })
    }

    /// The plan, with what was looked at once more as it is by now.
    pub fn judged<'p>(&self, plan: &'p Plan) -> Cow<'p, Plan> {
        let anew: BTreeMap<&str, &Verdict> =
            self.anew.iter().map(|one| (one.title.as_str(), &one.verdict)).collect();
        if anew.is_empty() {
            return Cow::Borrowed(plan);
        }
        let mut plan = plan.clone();
        for object in plan.objects.iter_mut() {
            let Some(verdict) = anew.get(object.title().as_str()) else { continue };
            if **verdict == Verdict::InSync {
                object.changes.retain(PlannedChange::is_meant);
            }
            if object.changes.iter().all(|change| !change.is_meant()) {
                object.verdict = (*verdict).clone();
            }
        }
        Cow::Owned(plan)
    }

    /// What was looked at once more and is as declared by now.
    pub fn put_right(&self) -> impl Iterator<Item = &str> {
        let right = self.anew.iter().filter(|one| one.verdict == Verdict::InSync);
        right.map(|one| one.title.as_str())
    }

    /// Forgets what was said against an object that is as declared by now.
    pub(super) fn is_right(&mut self, title: &str) {
        let others = |one: &String| one != title;
        self.only_reported.retain(others);
        self.not_converged.retain(others);
        self.needs_more.retain(others);
        self.unobserved.retain(|(one, _)| one != title);
        self.awaited.retain(|(one, _)| one != title);
    }

    /// How many changes are not there.
    pub fn left(&self) -> usize {
        self.outcomes.iter().filter(|outcome| !outcome.step.is_done()).count()
    }

    /// Whether everything was applied, every object that was written has it, and the log tells of it.
    /// What is only reported of one is not for this run to do.
    pub fn is_complete(&self) -> bool {
        self.left() == 0
            && self.not_converged.is_empty()
            && self.needs_more.is_empty()
            && self.unobserved.is_empty()
            && self.log_failure.is_none()
    }

    /// Adds what became of another account's changes.
    pub(super) fn add(&mut self, other: Self) {
        self.outcomes.extend(other.outcomes);
        self.not_converged.extend(other.not_converged);
        self.needs_more.extend(other.needs_more);
        self.unobserved.extend(other.unobserved);
        self.only_reported.extend(other.only_reported);
        self.awaited.extend(other.awaited);
        self.anew.extend(other.anew);
        self.interrupted |= other.interrupted;
        self.refused = self.refused.take().or(other.refused);
        if self.log_failure.is_none() {
            (self.log_failure, self.store_remedy) = (other.log_failure, other.store_remedy);
        }
        self.unrecorded.extend(other.unrecorded);
    }
}
