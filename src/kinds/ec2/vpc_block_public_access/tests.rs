use serde_json::{Value, json};

use super::spec::{BlockMode, Excluded, ExclusionMode};
use super::*;
use crate::kinds::{Needs, Risk};

fn there(mode: BlockMode, exclusions: &[(&str, ExclusionMode)]) -> Object<State> {
    let exclusion = |(resource, mode): &(&str, ExclusionMode)| {
        let one = Excluded {
            exclusion_id: format!("vpcbpa-exclude-of-{resource}"),
            internet_gateway_exclusion_mode: *mode,
            tags: [("team".to_owned(), "a".to_owned())].into(),
            problem: None,
        };
        ((*resource).to_owned(), one)
    };
    let exclusions = Some(exclusions.iter().map(exclusion).collect());
    Object::present("", State { internet_gateway_block_mode: mode, exclusions })
}

fn spec(spec: Value) -> Spec {
    serde_json::from_value(spec).unwrap()
}

fn excluded(resource: &str, mode: &str) -> Value {
    json!({ "vpc_id": resource, "internet_gateway_exclusion_mode": mode })
}

fn diff(declared: Value, object: &Object<State>) -> Vec<Change<Action>> {
    let facts = Facts::example(VpcBlockPublicAccess::NAME);
    VpcBlockPublicAccess::diff(&facts, &spec(declared), object)
}

/// What the changes do, in a word or two each, and which of them each needs.
fn steps(declared: Value, object: &Object<State>) -> Vec<(String, Vec<usize>)> {
    let step = |change: Change<Action>| {
        let needs = match change.needs {
            Needs::Only(needs) => needs,
            Needs::Object => vec![99],
        };
        let words = match change.action {
            Some(Action::SetMode { internet_gateway_block_mode: mode }) => mode.as_str().to_owned(),
            Some(Action::Exclude { resource, .. }) => format!("+{resource}"),
            Some(Action::ChangeExclusion { resource, .. }) => format!("~{resource}"),
            Some(Action::DeleteExclusion { resource }) => format!("-{resource}"),
            None => format!("finding on {}", change.drift[0].field),
        };
        (words, needs)
    };
    diff(declared, object).into_iter().map(step).collect()
}

fn words(expected: &[(&str, &[usize])]) -> Vec<(String, Vec<usize>)> {
    expected.iter().map(|(words, needs)| ((*words).to_owned(), needs.to_vec())).collect()
}

use BlockMode::{BlockBidirectional, BlockIngress, Off};
use ExclusionMode::{AllowBidirectional, AllowEgress};

#[test]
fn what_must_pass_is_excluded_before_something_is_blocked() {
    let declared = json!({
        "internet_gateway_block_mode": "block-ingress",
        "exclusions": [excluded("vpc-1", "allow-bidirectional"), excluded("vpc-2", "allow-bidirectional")],
        "exclusive_exclusions": true,
    });
    let now = there(Off, &[("vpc-2", AllowEgress), ("vpc-3", AllowBidirectional)]);
    let expected =
        words(&[("+vpc-1", &[]), ("~vpc-2", &[]), ("block-ingress", &[0, 1]), ("-vpc-3", &[])]);
    assert_eq!(steps(declared, &now), expected);
}

#[test]
fn what_passes_stays_excluded_until_it_is_let_through() {
    let declared = json!({
        "internet_gateway_block_mode": "off",
        "exclusions": [excluded("vpc-1", "allow-egress")],
        "exclusive_exclusions": true,
    });
    let now = there(BlockIngress, &[("vpc-1", AllowBidirectional), ("vpc-2", AllowEgress)]);
    let expected = words(&[("off", &[]), ("~vpc-1", &[0]), ("-vpc-2", &[0])]);
    assert_eq!(steps(declared, &now), expected);
}

#[test]
fn others_stay_where_the_declaration_is_not_exclusive_and_all_where_none_are_declared() {
    let now = there(Off, &[("vpc-3", AllowBidirectional)]);
    assert_eq!(steps(json!({ "exclusions": [] }), &now), []);
    assert_eq!(steps(json!({ "internet_gateway_block_mode": "off" }), &now), []);
    assert_eq!(steps(json!({}), &now), []);
}

#[test]
fn an_entry_for_another_region_says_nothing_here() {
    let of = |region: &str| {
        let mut entry = excluded("vpc-1", "allow-egress");
        entry["region"] = json!(region);
        steps(json!({ "exclusions": [entry], "exclusive_exclusions": true }), &there(Off, &[]))
            .len()
    };
    assert_eq!((of("eu-west-1"), of("us-east-1")), (1, 0));
}

#[test]
fn closing_cuts_off_and_opening_is_said() {
    let mode = |now, then: &str| {
        diff(json!({ "internet_gateway_block_mode": then }), &there(now, &[])).remove(0)
    };
    for then in ["block-ingress", "block-bidirectional"] {
        let closing = mode(Off, then);
        assert_eq!(closing.risk, Risk::Disruptive);
        assert!(closing.warnings[0].contains("has not looked"), "{then}");
    }
    let opening = mode(BlockIngress, "off");
    assert_eq!((opening.risk, opening.warnings.len()), (Risk::Safe, 1));
    assert!(mode(BlockBidirectional, "block-ingress").warnings[0].contains("reaches"));
    let exclude = |now, mode: &str| {
        let declared = json!({ "exclusions": [excluded("vpc-1", mode)] });
        diff(declared, &there(now, &[])).remove(0).warnings.len()
    };
    assert_eq!(exclude(Off, "allow-bidirectional"), 0);
    assert_eq!(exclude(BlockIngress, "allow-egress"), 0);
    assert_eq!(exclude(BlockIngress, "allow-bidirectional"), 1);
    assert_eq!(exclude(BlockBidirectional, "allow-egress"), 1);
}

#[test]
fn an_exclusion_that_aws_could_not_make_is_a_finding() {
    let mut object = there(BlockIngress, &[("vpc-1", AllowEgress)]);
    if let crate::kinds::Status::Present(state) = &mut object.status {
        let one = state.exclusions.as_mut().unwrap().get_mut("vpc-1").unwrap();
        one.problem = Some("create-failed".to_owned());
    }
    let declared = json!({ "exclusions": [excluded("vpc-1", "allow-egress")] });
    assert_eq!(steps(declared, &object), words(&[("finding on exclusions.vpc-1", &[])]));
    let facts = Facts::example(VpcBlockPublicAccess::NAME);
    assert!(VpcBlockPublicAccess::export(&facts, &object).unwrap().exclusions.unwrap().is_empty());
}

#[test]
fn undo_puts_back_what_was_there_with_its_tags() {
    let before = there(BlockIngress, &[("vpc-1", AllowEgress)]);
    let back = |action: &Action| match VpcBlockPublicAccess::undo(action, &before) {
        Undo::By(mut writes) => writes.remove(0),
        Undo::Impossible(reason) => panic!("{reason}"),
    };
    let mode = |mode| Action::SetMode { internet_gateway_block_mode: mode };
    assert_eq!(back(&mode(Off)), mode(BlockIngress));
    let delete = |resource: &str| Action::DeleteExclusion { resource: resource.to_owned() };
    let exclude = |resource: &str, tags| Action::Exclude {
        resource: resource.to_owned(),
        internet_gateway_exclusion_mode: AllowEgress,
        tags,
    };
    let tags = [("team".to_owned(), "a".to_owned())].into();
    assert_eq!(back(&delete("vpc-1")), exclude("vpc-1", tags));
    assert_eq!(back(&exclude("vpc-2", std::collections::BTreeMap::new())), delete("vpc-2"));
    let change = |mode| Action::ChangeExclusion {
        resource: "vpc-1".to_owned(),
        internet_gateway_exclusion_mode: mode,
    };
    assert_eq!(back(&change(AllowBidirectional)), change(AllowEgress));
    assert!(matches!(VpcBlockPublicAccess::undo(&delete("vpc-9"), &before), Undo::Impossible(_)));
}

#[test]
fn what_aws_would_refuse_is_said_before() {
    let subnet =
        json!({ "subnet_id": "subnet-1", "internet_gateway_exclusion_mode": "allow-egress" });
    let mut both = excluded("vpc-1", "allow-egress");
    both["subnet_id"] = json!("subnet-1");
    for (declared, field) in [
        (json!({ "exclusions": [excluded("vpc-1", "allow-egress"), subnet] }), None),
        (json!({ "exclusive_exclusions": true }), Some("exclusive_exclusions")),
        (json!({ "exclusions": [both] }), Some("exclusions[0]")),
        (
            json!({ "exclusions": [{ "internet_gateway_exclusion_mode": "allow-egress" }] }),
            Some("exclusions[0]"),
        ),
        (
            json!({ "exclusions": [excluded("subnet-1", "allow-egress")] }),
            Some("exclusions[0].vpc_id"),
        ),
        (
            json!({ "exclusions": [{ "subnet_id": "vpc-1", "internet_gateway_exclusion_mode": "allow-egress" }] }),
            Some("exclusions[0].subnet_id"),
        ),
        (
            json!({ "exclusions": [excluded("vpc-1", "allow-egress"), excluded("vpc-1", "allow-bidirectional")] }),
            Some("exclusions[1]"),
        ),
    ] {
        let problems = VpcBlockPublicAccess::check(&spec(declared.clone()));
        assert_eq!(problems.first().map(|one| one.field.as_str()), field, "{declared}");
    }
}
