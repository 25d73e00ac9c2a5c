//! The drifted objects as readers take them in: all together, or beside another version of the
//! baselines in three parts.

use super::group::{Group, group_of};
use crate::plan::words::counted;
use crate::plan::{Comparison, Plan, Verdict};

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
    let drifted = |place: &usize| plan.objects[*place].verdict == Verdict::Drifted;
    let places = || (0..plan.objects.len()).filter(drifted);
    let at = |place: usize| &plan.objects[place];
    let Some(comparison) = &plan.comparison else {
        return vec![Part { title: None, since: None, groups: group_of(places().map(at)) }];
    };
    let base = &comparison.base;
    let introduced = places().filter(|place| comparison.is_introduced(*place)).map(at);
    let earlier = places().filter(|place| !comparison.is_introduced(*place)).map(at);
    vec![
        Part {
            title: Some(format!(
                "Introduced by this change of the baselines (against {base}){}",
                besides(plan, comparison)
            )),
            since: Some(Since::Introduced),
            groups: group_of(introduced),
        },
        Part {
            title: Some(format!("Removed by it: planned by {base}, and not any more")),
            since: Some(Since::Removed),
            groups: group_of(comparison.removed.iter()),
        },
        Part {
            title: Some("Drift that was there before".to_owned()),
            since: Some(Since::Earlier),
            groups: group_of(earlier),
        },
    ]
}

/// What the change does besides: objects that have sections of their own.
fn besides(plan: &Plan, comparison: &Comparison) -> String {
    let count = |wanted: fn(&Verdict) -> bool| {
        let places = comparison.introduced.iter().filter_map(|place| plan.objects.get(*place));
        places.filter(|object| wanted(&object.verdict)).count()
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
