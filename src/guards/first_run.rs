//! The protection of a first run: what `run` has never applied, it only reports, until somebody says
//! that what it would do is right.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::plan::{Guard, Held};

/// Somebody agreed to a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmed {
    /// The target.
    pub target: String,
    /// When.
    pub since: DateTime<Utc>,
    /// Who.
    pub by: String,
    /// Whether by `evenkeel apply`, or by `evenkeel confirm`.
    pub applied: bool,
}

/// Where it is remembered that a target was confirmed.
pub fn document(target: &str) -> String {
    format!("guards/first-run/{}", crate::digest::of(&target))
}

/// Whether a target may be applied by `run`, and if not, why. `in_file` is what the fleet file says.
pub fn held(target: &str, in_file: bool, confirmed: Option<&Confirmed>) -> Option<Held> {
    let is_known = in_file || confirmed.is_some_and(|confirmed| confirmed.target == target);
    (!is_known).then(|| {
        Held::by(
            Guard::FirstRun,
            format!("the target {target:?} was never applied before"),
            format!(
                "evenkeel confirm {}, or confirmed = true for it in the fleet file",
                quoted(target)
            ),
        )
    })
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_confirmed_by_this_name_is_applied() {
        let confirmed = Confirmed {
            target: "a".to_owned(),
            since: DateTime::from_timestamp(0, 0).unwrap(),
            by: "ops".to_owned(),
            applied: false,
        };
        assert_eq!(held("a", false, Some(&confirmed)), None);
        assert_eq!(held("b", true, None), None);
        let other = held("the b's", false, Some(&confirmed)).unwrap();
        assert!(other.released_by.contains(r"evenkeel confirm 'the b'\''s'"), "{other}");
        assert!(held("a", false, None).unwrap().released_by.contains("evenkeel confirm a,"));
    }
}
