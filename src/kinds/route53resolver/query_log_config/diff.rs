//! Query logging against the declared one.

use std::collections::{BTreeMap, BTreeSet};

use super::spec::{Action, Config, Making, Spec, Standing, State, Step};
use crate::kinds::ec2::flow_logs::spec::place;
use crate::kinds::tags::ROUTE53_RESOLVER;
use crate::kinds::{Change, Drift, Facts, Risk, Undo, compared};

const DESTINATION: &str = "destination_arn";
const VPCS: &str = "vpcs";

/// The changes of a configuration and its VPCs.
pub fn changes(facts: &Facts, spec: &Spec, state: &State) -> Vec<Change<Action>> {
    let there = state.config.as_ref();
    let config_id = there.map(|config| config.config_id.clone());
    let act = |step| Action { name: spec.name.clone(), config_id: config_id.clone(), step };
    let mut changes = Vec::new();
    match there {
        None => {
            changes.push(made(
                facts,
                spec,
                act(Step::Create(Making {
                    destination_arn: spec.destination_arn.clone(),
                    tags: spec.tags.clone().unwrap_or_default(),
                })),
            ));
        }
        Some(config) => {
            if let Some(finding) = goes_elsewhere(spec, config) {
                return vec![finding];
            }
            changes.extend(out_of_order(config));
            if let Some(wanted) = &spec.tags {
                changes.extend(ROUTE53_RESOLVER.changes(
                    &config.tags,
                    wanted,
                    |tags| act(Step::Tag(tags)),
                    |tags| act(Step::Untag(tags)),
                ));
            }
        }
    }
    changes.extend(of_vpcs(facts, spec, state, &act));
    changes
}

fn made(facts: &Facts, spec: &Spec, action: Action) -> Change<Action> {
    compared::mark("tags");
    let mut drift = Drift::new();
    drift.add("", None::<&str>, Some(&spec.name));
    drift.add(DESTINATION, None::<&str>, Some(&spec.destination_arn));
    for (key, value) in spec.tags.iter().flatten() {
        drift.add(&format!("tags.{key}"), None::<&str>, Some(value));
    }
    sending(facts, spec, Change::new(action, drift)).independent()
}

fn sending(facts: &Facts, spec: &Spec, change: Change<Action>) -> Change<Action> {
    change.sends(&facts.account, "DNS queries are sent", spec.destination_arn.as_str())
}

/// A configuration of the name that records elsewhere: nobody would want more queries there.
fn goes_elsewhere(spec: &Spec, config: &Config) -> Option<Change<Action>> {
    let mut drift = Drift::new();
    let there = config.destination_arn.as_str();
    if !drift.compare(DESTINATION, Some(&there), Some(&place(&spec.destination_arn))) {
        return None;
    }
    compared::mark_all();
    Some(Change::finding(drift).withhold(
        "AWS changes no query logging configuration, and evenkeel deletes none: declare another name, or delete this one, and evenkeel makes it anew",
    ))
}

/// What does not arrive.
fn out_of_order(config: &Config) -> Option<Change<Action>> {
    let of_vpcs = config.associated.iter().filter_map(|(vpc, one)| {
        let problem = one.problem.as_deref()?;
        Some(format!("{vpc}: {problem}"))
    });
    let problems: Vec<String> = config.problem.clone().into_iter().chain(of_vpcs).collect();
    if problems.is_empty() {
        return None;
    }
    let arn = &config.destination_arn;
    let mut drift = Drift::new();
    drift.add(
        DESTINATION,
        Some(format!("{arn}, not in working order")),
        Some(format!("{arn}, in working order")),
    );
    Some(Change::finding(drift).withhold(format!(
        "queries are not recorded ({}): the destination must be there and let delivery.logs.amazonaws.com in (services of the item s3.bucket), \
         and so must its key",
        problems.join("; ")
    )))
}

/// The VPCs that are to come, and those that are to go.
fn of_vpcs(
    facts: &Facts,
    spec: &Spec,
    state: &State,
    act: &dyn Fn(Step) -> Action,
) -> Vec<Change<Action>> {
    let (Some(declared), Some(region)) = (&spec.vpcs, &state.vpcs) else { return Vec::new() };
    compared::mark(VPCS);
    let none = BTreeMap::new();
    let associated = state.config.as_ref().map_or(&none, |config| &config.associated);
    let own = |id: &String| region.get(id) == Some(&Standing::Own);
    let all = spec.means_all_vpcs();
    let wanted: BTreeSet<&String> = match all {
        true => region.keys().filter(|id| own(id)).collect(),
        false => declared.iter().collect(),
    };
    let mut changes = Vec::new();
    for id in wanted.iter().filter(|id| !associated.contains_key(**id)) {
        let mut drift = Drift::new();
        drift.add(&format!("{VPCS}.{id}"), None::<&str>, Some("associated"));
        changes.push(if region.contains_key(*id) {
            let change = Change::new(act(Step::Associate { vpc_id: (*id).clone() }), drift)
                .warn("AWS charges for each gigabyte of queries that is delivered");
            let change = sending(facts, spec, change);
            // One that is still to be made comes first.
            if state.config.is_none() { change.needs([0]) } else { change.independent() }
        } else {
            Change::finding(drift).withhold(format!(
                "there is no VPC {id} in {}: make it first, or take it out",
                facts.region
            ))
        });
    }
    // Others' VPCs are others' to take out.
    let goes = associated.keys().filter(|id| !all && !wanted.contains(id) && own(id));
    changes.extend(goes.map(|id| {
        let mut drift = Drift::new();
        drift.add(&format!("{VPCS}.{id}"), Some("associated"), None::<&str>);
        Change::new(act(Step::Disassociate { vpc_id: id.clone() }), drift)
            .risk(Risk::Disruptive)
            .warn(format!("the DNS queries of {id} are not recorded there any more"))
            .independent()
    }));
    changes
}

/// Whether two writes do the same: AWS may write the ARN of a destination in another way than it was declared.
pub fn is_same_step(planned: &Step, now: &Step) -> bool {
    match (planned, now) {
        (Step::Create(planned), Step::Create(now)) => {
            place(&planned.destination_arn) == place(&now.destination_arn)
                && planned.tags == now.tags
        }
        _ => planned == now,
    }
}

pub fn undo(action: &Action, before: &State) -> Undo<Action> {
    let act = |step| Action { step, ..action.clone() };
    let there = before.config.as_ref();
    let is_associated =
        |vpc: &String| there.is_some_and(|config| config.associated.contains_key(vpc));
    let unknown = || Undo::Impossible("there was no such configuration before".to_owned());
    match (&action.step, there) {
        (Step::Create(_), _) => Undo::By(vec![act(Step::Delete)]),
        // With it goes all that it has.
        (Step::Delete, Some(config)) => {
            let making = Making {
                destination_arn: config.destination_arn.clone(),
                tags: config.tags.clone(),
            };
            let vpcs = config.associated.keys();
            let vpcs = vpcs.map(|vpc| Step::Associate { vpc_id: vpc.clone() });
            Undo::By([Step::Create(making)].into_iter().chain(vpcs).map(act).collect())
        }
        (Step::Associate { vpc_id }, _) => {
            let back = || act(Step::Disassociate { vpc_id: vpc_id.clone() });
            Undo::By((!is_associated(vpc_id)).then(back).into_iter().collect())
        }
        (Step::Disassociate { vpc_id }, _) => {
            let back = || act(Step::Associate { vpc_id: vpc_id.clone() });
            Undo::By(is_associated(vpc_id).then(back).into_iter().collect())
        }
        (Step::Tag(tags), Some(config)) => Undo::By(ROUTE53_RESOLVER.undo(
            tags,
            Some(&config.tags),
            |tags| act(Step::Tag(tags)),
            |tags| act(Step::Untag(tags)),
        )),
        (Step::Untag(tags), Some(config)) => {
            let set = |tags| act(Step::Tag(tags));
            Undo::By(ROUTE53_RESOLVER.undo_removal(tags, Some(&config.tags), set))
        }
        (Step::Delete | Step::Tag(_) | Step::Untag(_), None) => unknown(),
    }
}
