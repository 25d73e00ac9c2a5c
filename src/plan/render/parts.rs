//! The drifted objects as readers take them in: all together, or beside another version of the
//! baselines in three parts.

use std::borrow::Cow;

use super::group::{Group, group, group_of};
use crate::plan::words::counted;
use crate::plan::{Comparison, Plan, Sort, Verdict};

/// Since when objects differ, beside another version of the baselines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Because of the change of the baselines.
    Introduced,
    /// Only before it.
    Removed,
    /// Already before it.
    Earlier,
}

/// Drifted objects that belong together.
pub struct Part<'a> {
    /// What they have in common; none when there is one part alone.
    pub title: Option<String>,
    /// Since when they differ, when that is known.
    pub since: Option<Since>,
    /// The objects.
    pub groups: Vec<Group<'a>>,
}

/// The drifted objects: all, or, beside another version of the baselines, in three parts.
pub fn parts(plan: &Plan) -> Vec<Part<'_>> {
    let Some(comparison) = &plan.comparison else {
        return vec![Part { title: None, since: None, groups: group(plan, Sort::Drifted) }];
    };
    let base = &comparison.base;
    let drifted = |introduced: bool| {
        let each = plan.objects.each().enumerate();
        each.filter(move |(place, object)| {
            object.verdict == Verdict::Drifted && comparison.is_introduced(*place) == introduced
        })
        .map(|(_, object)| object)
    };
    vec![
        Part {
            title: Some(format!(
                "Introduced by this change of the baselines (against {base}){}",
                besides(plan, comparison)
            )),
            since: Some(Since::Introduced),
            groups: group_of(drifted(true)),
        },
        Part {
            title: Some(format!("Removed by it: planned by {base}, and not any more")),
            since: Some(Since::Removed),
            groups: group_of(comparison.removed.iter().map(Cow::Borrowed)),
        },
        Part {
            title: Some("Drift that was there before".to_owned()),
            since: Some(Since::Earlier),
            groups: group_of(drifted(false)),
        },
    ]
}

/// What the change does besides: objects that have sections of their own.
fn besides(plan: &Plan, comparison: &Comparison) -> String {
    let count = |wanted: fn(&Verdict) -> bool| {
        let each = plan.objects.each().enumerate();
        each.filter(|(place, object)| wanted(&object.verdict) && comparison.is_introduced(*place))
            .count()
    };
    let excepted = count(|verdict| matches!(verdict, Verdict::Excepted { .. }));
    let unknown = count(|verdict| matches!(verdict, Verdict::Unknown(_)));
    let words: Vec<String> = [(excepted, "excepted"), (unknown, "unknown")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", counted(count, "object")))
        .collect();
    match words.as_slice() {
        [] => String::new(),
        words => format!("; it also makes {}, see below", words.join(" and ")),
    }
}
