//! The drifted objects as readers take them in: all together, or beside another version of the
//! baselines in three parts.

use super::group::{Group, group_of};
use crate::plan::{Plan, Verdict};

/// Drifted objects that belong together.
pub struct Part<'a> {
    /// What they have in common; none when there is one part alone.
    pub title: Option<String>,
    /// The objects.
    pub groups: Vec<Group<'a>>,
}

/// The drifted objects: all, or, beside another version of the baselines, in three parts.
pub fn parts(plan: &Plan) -> Vec<Part<'_>> {
    let drifted = |place: &usize| plan.objects[*place].verdict == Verdict::Drifted;
    let places = || (0..plan.objects.len()).filter(drifted);
    let at = |place: usize| &plan.objects[place];
    let Some(comparison) = &plan.comparison else {
        return vec![Part { title: None, groups: group_of(places().map(at)) }];
    };
    let base = &comparison.base;
    let introduced = places().filter(|place| comparison.is_introduced(*place)).map(at);
    let earlier = places().filter(|place| !comparison.is_introduced(*place)).map(at);
    vec![
        Part {
            title: Some(format!("Introduced by this change of the baselines (against {base})")),
            groups: group_of(introduced),
        },
        Part {
            title: Some(format!("Removed by it: planned by {base}, and not any more")),
            groups: group_of(comparison.removed.iter()),
        },
        Part { title: Some("Drift that was there before".to_owned()), groups: group_of(earlier) },
    ]
}
