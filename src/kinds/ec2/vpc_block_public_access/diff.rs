//! VPC Block Public Access against the declared one: what must pass is excluded before something is blocked, and
//! stays so until it is let through again.

use std::collections::BTreeMap;

use super::spec::{Action, BlockMode, Excluded, ExclusionMode, Spec, State};
use crate::kinds::{Change, Drift, Facts, Risk, Undo, compared};

const MODE: &str = "internet_gateway_block_mode";
const EXCLUSIONS: &str = "exclusions";
const EXCLUSION_MODE: &str = "internet_gateway_exclusion_mode";

/// The changes of a Region, in the order in which nobody is cut off who is to pass.
pub fn changes(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let of = Exclusions::of(facts, spec, state);
    let mut changes = of.opening;
    let first: Vec<usize> = (0..changes.len()).filter(|at| changes[*at].action.is_some()).collect();
    changes.extend(of.findings);
    let mode = mode_change(spec, state);
    let mut opens = None;
    if let Some(mode) = mode {
        let blocks = spec.internet_gateway_block_mode > Some(state.internet_gateway_block_mode);
        opens = (!blocks).then_some(changes.len());
        changes.push(if blocks { mode.needs(first) } else { mode.independent() });
    }
    changes.extend(of.closing.into_iter().map(|one| one.needs(opens)));
    changes
}

fn mode_change(spec: &Spec, state: &State) -> Option<Change<Action>> {
    let now = state.internet_gateway_block_mode;
    let mut drift = Drift::new();
    if !drift.compare(MODE, Some(&now), spec.internet_gateway_block_mode.as_ref()) {
        return None;
    }
    let then = spec.internet_gateway_block_mode?;
    let change = Change::new(Action::SetMode { internet_gateway_block_mode: then }, drift);
    if then < now {
        let what = match then {
            BlockMode::Off => {
                "what route tables and security groups let through can be reached from the internet again"
            }
            _ => "what route tables and security groups let out reaches the internet again",
        };
        return Some(change.warn(what));
    }
    let who = "in every VPC of the Region that is not excluded";
    let what = match then {
        BlockMode::BlockIngress => {
            format!("{who}, nothing can be reached from the internet any more")
        }
        _ => format!("{who}, nothing can be reached from the internet or reach it any more"),
    };
    Some(change.risk(Risk::Disruptive).warn(format!("{what}; evenkeel has not looked at who does")))
}

/// What is to be done with exclusions.
#[derive(Default)]
struct Exclusions {
    /// What lets more through.
    opening: Vec<Change<Action>>,
    /// What lets less through.
    closing: Vec<Change<Action>>,
    /// What AWS could not do.
    findings: Vec<Change<Action>>,
}

impl Exclusions {
    fn of(facts: &Facts, spec: &Spec, state: &State) -> Self {
        let mut all = Self::default();
        let (Some(wanted), Some(there)) = (spec.excluded_in(&facts.region), &state.exclusions)
        else {
            return all;
        };
        compared::mark(EXCLUSIONS);
        compared::mark("exclusive_exclusions");
        let blocked = state.internet_gateway_block_mode;
        for (resource, mode) in wanted {
            match there.get(resource) {
                None => all.opening.push(made(resource, mode, blocked)),
                Some(now) => all.changed(resource, mode, now, blocked),
            }
        }
        let wanted = spec.excluded_in(&facts.region).unwrap_or_default();
        let others = there.iter().filter(|(resource, _)| !wanted.contains_key(resource.as_str()));
        if spec.is_exclusive() {
            all.closing.extend(others.map(|(resource, now)| deleted(resource, now)));
        }
        all
    }

    fn changed(&mut self, resource: &str, mode: ExclusionMode, now: &Excluded, blocked: BlockMode) {
        let there = now.internet_gateway_exclusion_mode;
        if let Some(problem) = &now.problem {
            self.findings.push(out_of_order(resource, there, problem));
            return;
        }
        let mut drift = Drift::new();
        if !drift.compare(&format!("{}.{EXCLUSION_MODE}", of(resource)), Some(&there), Some(&mode))
        {
            return;
        }
        let action = Action::ChangeExclusion {
            resource: resource.to_owned(),
            internet_gateway_exclusion_mode: mode,
        };
        let change = Change::new(action, drift).independent();
        match mode {
            ExclusionMode::AllowBidirectional => {
                self.opening.push(opened(change, resource, mode, blocked))
            }
            ExclusionMode::AllowEgress => self.closing.push(
                change
                    .risk(Risk::Disruptive)
                    .warn(format!("{resource} cannot be reached from the internet any more")),
            ),
        }
    }
}

/// The path of an exclusion.
fn of(resource: &str) -> String {
    format!("{EXCLUSIONS}.{resource}")
}

/// The same change, saying what gets through that does not today.
fn opened(
    change: Change<Action>,
    resource: &str,
    mode: ExclusionMode,
    blocked: BlockMode,
) -> Change<Action> {
    match (blocked, mode) {
        (BlockMode::Off, _) | (BlockMode::BlockIngress, ExclusionMode::AllowEgress) => change,
        (_, ExclusionMode::AllowBidirectional) => {
            change.warn(format!("weaker than before: {resource} can be reached from the internet"))
        }
        (BlockMode::BlockBidirectional, ExclusionMode::AllowEgress) => {
            change.warn(format!("weaker than before: {resource} reaches the internet"))
        }
    }
}

fn made(resource: &str, mode: ExclusionMode, blocked: BlockMode) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add(&of(resource), None::<&str>, Some(mode));
    let action = Action::Exclude {
        resource: resource.to_owned(),
        internet_gateway_exclusion_mode: mode,
        tags: BTreeMap::new(),
    };
    opened(Change::new(action, drift).independent(), resource, mode, blocked)
}

fn deleted(resource: &str, now: &Excluded) -> Change<Action> {
    let mut drift = Drift::new();
    drift.add(&of(resource), Some(now.internet_gateway_exclusion_mode), None::<&str>);
    Change::new(Action::DeleteExclusion { resource: resource.to_owned() }, drift)
        .risk(Risk::Disruptive)
        .warn(format!("the block holds for {resource} from now on"))
}

/// An exclusion that AWS shows and could not make or change.
fn out_of_order(resource: &str, mode: ExclusionMode, problem: &str) -> Change<Action> {
    let mode = mode.as_str();
    let mut drift = Drift::new();
    drift.add(
        &of(resource),
        Some(format!("{mode}, not in working order")),
        Some(format!("{mode}, in working order")),
    );
    Change::finding(drift).withhold(format!(
        "AWS could not exclude {resource} ({problem}): delete this exclusion, and evenkeel makes it anew"
    ))
}

pub fn undo(action: &Action, before: &State) -> Undo<Action> {
    let there = before.exclusions.as_ref();
    let was = |resource: &String| there.and_then(|there| there.get(resource));
    let unknown = || Undo::Impossible("there was no such exclusion before".to_owned());
    let back = match action {
        Action::SetMode { .. } => {
            Action::SetMode { internet_gateway_block_mode: before.internet_gateway_block_mode }
        }
        Action::Exclude { resource, .. } => Action::DeleteExclusion { resource: resource.clone() },
        Action::ChangeExclusion { resource, .. } => {
            let Some(was) = was(resource) else { return unknown() };
            Action::ChangeExclusion {
                resource: resource.clone(),
                internet_gateway_exclusion_mode: was.internet_gateway_exclusion_mode,
            }
        }
        Action::DeleteExclusion { resource } => {
            let Some(was) = was(resource) else { return unknown() };
            Action::Exclude {
                resource: resource.clone(),
                internet_gateway_exclusion_mode: was.internet_gateway_exclusion_mode,
                tags: was.tags.clone(),
            }
        }
    };
    Undo::By(vec![back])
}
