#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::names::{ItemName, Region};

fn facts() -> Facts {
    Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("eu-west-1"),
        home_region: Region::new("us-east-1"),
        item: ItemName::singleton(DefaultSecurityGroup::NAME),
    }
}

fn anywhere() -> Rule {
    Rule {
        ip_protocol: "-1".to_owned(),
        cidr_ipv4: Some("0.0.0.0/0".to_owned()),
        ..Rule::default()
    }
}

fn state(users: usize) -> State {
    let seen =
        |id: &str| SeenRule { security_group_rule_id: Some(id.to_owned()), rule: anywhere() };
    State {
        group_id: "sg-1".to_owned(),
        ingress: vec![seen("sgr-1")],
        egress: vec![seen("sgr-2")],
        used_by: (0..users)
            .map(|index| Interface {
                network_interface_id: format!("eni-{index}"),
                user: Some(format!("i-{index}")),
            })
            .collect(),
    }
}

fn diff(spec: &Spec, state: State) -> Vec<Change<Action>> {
    DefaultSecurityGroup::diff(&facts(), spec, &Object::present("vpc-1", state))
}

fn empty() -> Spec {
    Spec { ingress: Some(BTreeSet::new()), egress: Some(BTreeSet::new()), ..Spec::default() }
}

#[test]
fn an_unused_group_is_emptied_one_write_a_direction() {
    let changes = diff(&empty(), state(0));
    assert_eq!(changes.len(), 2);
    assert!(changes.iter().all(|change| change.withheld.is_none() && change.risk == Risk::Safe));
}

#[test]
fn a_used_group_is_only_reported_and_its_users_are_named() {
    let changes = diff(&empty(), state(7));
    let withheld = changes[0].withheld.as_deref().unwrap();
    assert!(withheld.contains("eni-0 (i-0)") && withheld.contains("2 more"), "{withheld}");
    let enforced = Spec { in_use: Some(InUse::Enforce), ..empty() };
    let changes = diff(&enforced, state(7));
    assert_eq!(changes[0].withheld, None);
    assert_eq!(changes[0].risk, Risk::Disruptive);
}

#[test]
fn a_direction_that_is_not_declared_is_not_managed() {
    let spec = Spec { egress: None, ..empty() };
    let changes = diff(&spec, state(0));
    assert_eq!(changes.len(), 1);
    assert!(!changes[0].action.as_ref().unwrap().egress);
}

#[test]
fn rules_are_added_before_others_go() {
    let ssh =
        Rule { ip_protocol: "6".to_owned(), from_port: Some(22), to_port: Some(22), ..anywhere() };
    let spec = Spec { ingress: Some(BTreeSet::from([ssh])), ..Spec::default() };
    let changes = diff(&spec, state(0));
    let steps: Vec<_> =
        changes.iter().map(|change| &change.action.as_ref().unwrap().step).collect();
    assert!(matches!(steps.as_slice(), [Step::Authorize(_), Step::Revoke(_)]));
}

#[test]
fn a_rule_needs_one_peer_and_both_ports() {
    let cases = [
        Rule { ip_protocol: "tcp".to_owned(), ..Rule::default() },
        Rule { cidr_ipv6: Some("::/0".to_owned()), ..anywhere() },
        Rule { from_port: Some(1), ..anywhere() },
    ];
    for rule in cases {
        let spec = Spec { egress: Some(BTreeSet::from([rule.clone()])), ..Spec::default() };
        assert_eq!(DefaultSecurityGroup::check(&spec).len(), 1, "{rule:?}");
    }
}

proptest! {
    #[test]
    fn what_is_not_declared_is_never_changed(users in 0usize..4) {
        prop_assert!(diff(&Spec::default(), state(users)).is_empty());
    }

    #[test]
    fn undoing_twice_is_doing(users in 0usize..4) {
        let object = Object::present("vpc-1", state(users));
        for change in diff(&empty(), state(users)) {
            let action = change.action.unwrap();
            let Undo::By(undo) = DefaultSecurityGroup::undo(&action, &object) else { panic!() };
            let Undo::By(again) = DefaultSecurityGroup::undo(&undo[0], &object) else { panic!() };
            let rules = |step: &Step| match step {
                Step::Revoke(seen) => seen.iter().map(|seen| seen.rule.clone()).collect(),
                Step::Authorize(rules) => rules.clone(),
            };
            prop_assert_eq!(rules(&again[0].step), rules(&action.step));
        }
    }
}
