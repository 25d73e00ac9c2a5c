//! A plan's file, read: only what is as it was written, by this version, and fits together.
//! [`render::json`](super::render::json) writes it.

use serde::Deserialize;
use serde_json::Value;

use super::check::Contradiction;
use super::sign::{Signature, SignatureError};
use super::{FORMAT_VERSION, Plan, Summary};
use crate::digest;
use crate::names::VERSION;

/// The file's form.
#[derive(Deserialize)]
struct Document {
    plan_digest: String,
    #[serde(default)]
    signature: Option<Signature>,
    #[serde(flatten)]
    plan: Plan,
    summary: Summary,
}

/// What a document has beside the plan.
const BESIDES: [&str; 5] = ["plan_digest", "signature", "held_back", "summary", "estimate"];

/// A plan in a file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(serde_json::Error),
    /// It has another form.
    #[error("it has format version {found}, and this evenkeel reads {FORMAT_VERSION}")]
    Format {
        /// Its version.
        found: String,
    },
    /// Another version of evenkeel made it, which may call the same write by another name.
    #[error("evenkeel {found} made it, and this is {VERSION}")]
    Version {
        /// That version.
        found: String,
    },
    /// Nobody can say whether it was edited.
    #[error("it has no plan_digest, so that nobody can tell whether it was edited")]
    NoDigest,
    /// It is not a plan.
    #[error("it is not a plan: {0}")]
    NotAPlan(serde_json::Error),
    /// It is not as it was written.
    #[error("it was edited since it was made")]
    Edited,
    /// It contradicts itself.
    #[error("it contradicts itself: {0}")]
    Contradiction(#[from] Contradiction),
    /// Its signature is missing or wrong.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl FileError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Version { found } => format!(
                "make the plan again with this version (evenkeel plan --save FILE), or use evenkeel {found}; plan and apply with the same version"
            ),
            Self::Signature(SignatureError::Missing) => {
                "sign it where it is made: evenkeel plan --save FILE --sign KEY".to_owned()
            }
            Self::Signature(SignatureError::Wrong) => {
                "it was signed with another key, or changed on its way: look at who could write it, and make the plan again".to_owned()
            }
            _ => "make the plan again (evenkeel plan --save FILE), and do not edit it".to_owned(),
        }
    }
}

/// A plan that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The plan.
    pub plan: Plan,
    /// Its digest, which is that of the plan.
    pub digest: String,
    /// Its signature, which nobody has looked at.
    pub signature: Option<Signature>,
}

/// Reads a plan.
///
/// # Errors
/// It is damaged, edited, of another version, or contradicts itself.
pub fn parse(text: &str) -> Result<Parsed, FileError> {
    accept(serde_json::from_str(text).map_err(FileError::NotJson)?)
}

/// The same for JSON that has been parsed.
///
/// # Errors
/// As [`parse`].
pub fn accept(mut value: Value) -> Result<Parsed, FileError> {
    let word = |field: &str| {
        value.get(field).and_then(Value::as_str).unwrap_or("none").chars().take(40).collect()
    };
    let found: String = word("format_version");
    if found != FORMAT_VERSION {
        return Err(FileError::Format { found });
    }
    let found: String = word("evenkeel_version");
    if found != VERSION {
        return Err(FileError::Version { found });
    }
    if value.get("plan_digest").is_none() {
        return Err(FileError::NoDigest);
    }
    let Document { plan_digest, signature, plan, summary } =
        Document::deserialize(&value).map_err(FileError::NotAPlan)?;
    // What guards held back when a plan was printed is said of that moment: no plan is signed with it.
    let is_sealed = signature.is_none() || value.get("held_back").is_none();
    let estimate = value.get("estimate").cloned().unwrap_or(Value::Null);
    if let Some(members) = value.as_object_mut() {
        members.retain(|name, _| !BESIDES.contains(&name.as_str()));
    }
    // The counts and the estimate are made from the plan, and what is no part of it is in no digest.
    let is_as_written = !plan_digest.is_empty()
        && digest::of_written(&plan) == plan_digest
        && plan.summary() == summary
        && is_sealed
        && estimate_of(&plan).is_ok_and(|counted| counted == estimate)
        && serde_json::to_value(&plan).is_ok_and(|plan| plan == value);
    if !is_as_written {
        return Err(FileError::Edited);
    }
    plan.check()?;
    Ok(Parsed { plan, digest: plan_digest, signature })
}

/// The estimate as a reader of the written one has it.
fn estimate_of(plan: &Plan) -> serde_json::Result<Value> {
    serde_json::from_str(&serde_json::to_string(&plan.estimate())?)
}
