//! One real thing that an item governs, and what is known of it.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::aws::AwsError;

/// One object, as observed.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Object<S> {
    /// What tells it apart within its account, Region and kind: `vpc-0a1b`, a bucket's name;
    /// empty for the one object of a singleton.
    pub id: String,
    /// More for the reader, such as an address range or a name tag.
    #[serde(default)]
    pub label: Option<String>,
    /// Who else governs it, so that evenkeel reports but never writes: an organization trail,
    /// Control Tower, a declarative policy.
    #[serde(default)]
    pub managed_by: Option<String>,
    /// What is known.
    #[serde(flatten)]
    pub status: Status<S>,
}

/// Who governs what AWS Control Tower made.
pub const CONTROL_TOWER: &str = "AWS Control Tower";

/// Whether a name is one that AWS Control Tower gives to what it makes in an account. Source: AWS
/// Control Tower User Guide, "AWS Control Tower resource considerations".
pub fn is_of_control_tower(name: &str) -> bool {
    name.starts_with("aws-controltower-") || name == "AWSControlTowerExecution"
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(tag = "status", content = "state", rename_all = "snake_case")]
pub enum Status<S> {
    /// It is there.
    Present(S),
    /// It is not there, or not set.
    Absent,
    /// It could not be read: never in sync, never written.
    Unknown(Unknown),
    /// It is outside the item's reach, with the reason: not eligible, or excluded.
    Skipped {
        /// Why, in words.
        reason: String,
    },
}

/// Why something is not known.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Unknown {
    /// Why, in words.
    pub reason: String,
    /// The IAM action that is missing, when that is the reason.
    #[serde(default)]
    pub permission: Option<String>,
    /// What the reader should do next.
    #[serde(default)]
    pub remedy: Option<String>,
    /// Whether it is AWS's answer that is missing, or the declaration that leaves it open.
    #[serde(default, skip_serializing_if = "Cause::is_unread")]
    pub cause: Cause,
}

/// What keeps something from being known.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// It could not be read.
    #[default]
    Unread,
    /// It was read, or need not be, and cannot be judged by what is declared.
    Unjudged,
    /// Two items say different things of it.
    Contradicted,
    /// evenkeel has done its part, and somebody else must do theirs, such as confirm a subscription.
    Awaited,
}

impl Cause {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 4] = [Self::Contradicted, Self::Awaited, Self::Unjudged, Self::Unread];

    fn is_unread(&self) -> bool {
        *self == Self::Unread
    }

    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unread | Self::Unjudged => "unknown",
            Self::Contradicted => "contradicted",
            Self::Awaited => "waiting",
        }
    }

    /// What is said above those that are unknown for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Unread => "Unknown: could not be read, so neither in sync nor changed",
            Self::Unjudged => {
                "Unknown: cannot be judged by what is declared, so neither in sync nor changed"
            }
            Self::Awaited => {
                "Waiting: somebody else must do their part, so neither in sync nor changed"
            }
            Self::Contradicted => {
                "Contradicted: two items say different things of it, so neither is judged or changed"
            }
        }
    }
}

impl<S> Object<S> {
    /// An object that is there.
    pub fn present(id: impl Into<String>, state: S) -> Self {
        Self { id: id.into(), label: None, managed_by: None, status: Status::Present(state) }
    }

    /// The one object of a singleton: there, or not set.
    pub fn only(state: Option<S>) -> Self {
        match state {
            Some(state) => Self::present("", state),
            None => Self::absent(""),
        }
    }

    /// An object that is declared and not there.
    pub fn absent(id: impl Into<String>) -> Self {
        Self { id: id.into(), label: None, managed_by: None, status: Status::Absent }
    }

    /// An object that could not be read.
    pub fn unknown(id: impl Into<String>, error: impl Into<ObserveError>) -> Self {
        let unknown = error.into().into_unknown();
        Self { id: id.into(), label: None, managed_by: None, status: Status::Unknown(unknown) }
    }

    /// An object outside the item's reach.
    pub fn skipped(id: impl Into<String>, reason: impl Into<String>) -> Self {
        let status = Status::Skipped { reason: reason.into() };
        Self { id: id.into(), label: None, managed_by: None, status }
    }

    /// The same with a label.
    #[must_use]
    pub fn labelled(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The same, governed by somebody else.
    #[must_use]
    pub fn managed_by(mut self, manager: impl Into<String>) -> Self {
        self.managed_by = Some(manager.into());
        self
    }

    /// The same, governed by AWS Control Tower if its name says so.
    #[must_use]
    pub fn of_control_tower_by(self, name: &str) -> Self {
        if is_of_control_tower(name) { self.managed_by(CONTROL_TOWER) } else { self }
    }

    /// The state, when the object is there.
    pub fn state(&self) -> Option<&S> {
        match &self.status {
            Status::Present(state) => Some(state),
            _ => None,
        }
    }
}

/// Why an observation failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ObserveError {
    /// AWS did not give the answer.
    #[error(transparent)]
    Aws(#[from] AwsError),
    /// AWS answered with a value that this version does not know.
    #[error("AWS returned {value:?} for {field}, which this version of evenkeel does not know")]
    UnknownValue {
        /// The field, in AWS's words.
        field: String,
        /// The value.
        value: String,
    },
    /// AWS left out a member of which the verdict depends.
    #[error("AWS did not say {field}")]
    Untold {
        /// The member, in AWS's words.
        field: String,
    },
    /// AWS answered with something that cannot be understood.
    #[error("cannot understand {field}: {problem}")]
    Malformed {
        /// The field, in AWS's words.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
    /// AWS did not show one thing out of many, which has a name.
    #[error("{what}: {error}")]
    Refused {
        /// The thing.
        what: String,
        /// What AWS answered.
        error: AwsError,
        /// What the reader should do next.
        remedy: String,
    },
    /// AWS has not answered yet.
    #[error("{reason}")]
    Pending {
        /// What is awaited, in words.
        reason: String,
        /// What the reader should do next.
        remedy: String,
    },
    /// Everything was read, and somebody else must do their part.
    #[error("{reason}")]
    Awaited {
        /// Who must do what, in words.
        reason: String,
        /// What the reader should do next.
        remedy: String,
    },
    /// AWS tells it to another account alone.
    #[error("{reason}")]
    Elsewhere {
        /// To which, in words.
        reason: String,
        /// What the reader should do next.
        remedy: String,
    },
    /// Everything was read, and no verdict can be drawn from it.
    #[error("{reason}")]
    Unclear {
        /// Why, in words.
        reason: String,
        /// What the reader should do next.
        remedy: String,
    },
}

impl ObserveError {
    /// The time for the account was over before the answer came.
    pub fn too_late() -> Self {
        Self::Pending {
            reason: "AWS had not answered when the time for this account was over".to_owned(),
            remedy: "run again for this account alone (-a), or allow more with [limits] account_timeout_seconds"
                .to_owned(),
        }
    }

    /// The same as a status.
    pub fn into_unknown(self) -> Unknown {
        let (permission, remedy) = match &self {
            Self::Aws(error) => (error.missing_permission(), Some(error.remedy())),
            Self::Refused { error, remedy, .. } => {
                (error.missing_permission(), Some(remedy.clone()))
            }
            Self::Pending { remedy, .. }
            | Self::Awaited { remedy, .. }
            | Self::Elsewhere { remedy, .. }
            | Self::Unclear { remedy, .. } => (None, Some(remedy.clone())),
            Self::UnknownValue { .. } | Self::Malformed { .. } => {
                (None, Some("update evenkeel; until then it leaves this object alone".to_owned()))
            }
            Self::Untold { .. } => (
                None,
                Some(
                    "look at the object in AWS's console; evenkeel leaves alone what it cannot judge"
                        .to_owned(),
                ),
            ),
        };
        let cause = match &self {
            Self::Unclear { .. } => Cause::Unjudged,
            Self::Awaited { .. } => Cause::Awaited,
            _ => Cause::Unread,
        };
        Unknown { reason: self.to_string(), permission, remedy, cause }
    }
}

/// Turns a text from AWS into one of our enums; a value that we do not know is an error, never a
/// guess.
///
/// # Errors
/// [`ObserveError::UnknownValue`].
pub fn known<T: DeserializeOwned>(field: &str, value: &str) -> Result<T, ObserveError> {
    serde_json::from_value(serde_json::Value::String(value.to_owned())).map_err(|_| {
        ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
    })
}

/// What AWS must say, for the verdict depends on it. A member that AWS leaves out is unknown, never
/// its default; where AWS documents what an absent member means, the kind says so instead.
///
/// # Errors
/// [`ObserveError::Untold`].
pub fn told<T>(field: &str, value: Option<T>) -> Result<T, ObserveError> {
    value.ok_or_else(|| ObserveError::Untold { field: field.to_owned() })
}

/// A number from AWS that cannot be negative.
///
/// # Errors
/// [`ObserveError::Malformed`] when it is.
pub fn count<T: TryInto<u32> + Copy + std::fmt::Display>(
    field: &str,
    value: T,
) -> Result<u32, ObserveError> {
    value.try_into().map_err(|_| ObserveError::Malformed {
        field: field.to_owned(),
        problem: format!("{value} is not a count"),
    })
}
