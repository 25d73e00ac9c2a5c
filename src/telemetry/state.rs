//! How an object stands, and how much that matters.

use serde::{Deserialize, Serialize};

use crate::fleet::notify::Severity;
use crate::kinds::TRAIL;
use crate::plan::{ObjectPlan, Verdict};

/// How an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It differs, and is to be put right.
    ToChange,
    /// It differs, and a guard holds its changes back.
    HeldBack,
    /// It differs, and is only reported.
    Reported,
    /// It was to be put right, and that failed.
    Failed,
    /// Nobody can say.
    Unknown,
    /// It differs, and an exception covers it.
    Excepted,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::ToChange,
        Self::HeldBack,
        Self::Reported,
        Self::Failed,
        Self::Unknown,
        Self::Excepted,
    ];

    /// The word in metrics and in status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ToChange => "to_change",
            Self::HeldBack => "held_back",
            Self::Reported => "reported",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Excepted => "excepted",
        }
    }

    /// Whether it is drift: different, and nobody has excepted it.
    pub fn is_drift(self) -> bool {
        !matches!(self, Self::Unknown | Self::Excepted)
    }
}

/// How an object stands that is not as declared.
pub fn state(object: &ObjectPlan) -> Option<State> {
    match &object.verdict {
        Verdict::InSync | Verdict::Skipped { .. } => None,
        Verdict::Drifted if object.is_changed() => Some(State::ToChange),
        Verdict::Drifted if object.held().is_some() => Some(State::HeldBack),
        Verdict::Drifted => Some(State::Reported),
        Verdict::Unknown(_) => Some(State::Unknown),
        Verdict::Excepted { .. } => Some(State::Excepted),
    }
}

/// How much it matters, as notices have it.
pub fn severity(object: &ObjectPlan, is_alarming: bool) -> Severity {
    let is_trail = object.item.kind == TRAIL;
    match (is_trail, &object.verdict) {
        (_, Verdict::Excepted { .. }) => Severity::Low,
        (true, _) => Severity::Critical,
        (false, _) if is_alarming => Severity::High,
        (false, _) => Severity::Medium,
    }
}
