#![allow(clippy::unwrap_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::kinds::{GrantClass, Needs, Risk};
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

fn anywhere() -> Written {
    Written {
        ip_protocol: "-1".to_owned(),
        cidr_ipv4: Some("0.0.0.0/0".to_owned()),
        ..Written::default()
    }
}

fn tcp(port: i32) -> Written {
    Written {
        ip_protocol: "tcp".to_owned(),
        from_port: Some(port),
        to_port: Some(port),
        ..anywhere()
    }
}

fn from_group(name: &str) -> Written {
    Written { cidr_ipv4: None, referenced_group_id: Some(name.to_owned()), ..tcp(5432) }
}

fn seen(id: &str, rule: Written) -> SeenRule {
    SeenRule {
        security_group_rule_id: Some(id.to_owned()),
        rule: rule.try_into().unwrap(),
        description: None,
        tags: BTreeMap::new(),
    }
}

fn state(users: usize) -> State {
    State {
        group_id: "sg-1".to_owned(),
        ingress: vec![seen("sgr-1", anywhere())],
        egress: vec![seen("sgr-2", anywhere())],
        used_by: (0..users)
            .map(|index| Interface {
                network_interface_id: format!("eni-{index}"),
                user: Some(format!("i-{index}")),
            })
            .collect(),
    }
}

fn lets_in(rules: Vec<SeenRule>) -> State {
    State { ingress: rules, ..state(0) }
}

fn diff(spec: &Spec, state: State) -> Vec<Change<Action>> {
    DefaultSecurityGroup::diff(&facts(), spec, &Object::present("vpc-1", state))
}

fn empty() -> Spec {
    Spec { ingress: Some(Vec::new()), egress: Some(Vec::new()), ..Spec::default() }
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

fn ingress(rules: impl Into<Vec<Written>>) -> Spec {
    Spec { ingress: Some(rules.into()), ..Spec::default() }
}

fn steps(changes: &[Change<Action>]) -> Vec<&Step> {
    changes.iter().filter_map(|change| Some(&change.action.as_ref()?.step)).collect()
}

#[test]
fn rules_are_added_before_others_go() {
    let changes = diff(&ingress([tcp(22)]), state(0));
    assert!(matches!(steps(&changes).as_slice(), [Step::Authorize(_), Step::Revoke(_)]));
    assert!(changes[1].makes_room && !changes[0].makes_room);
}

#[test]
fn nothing_that_closes_a_door_waits_and_the_directions_are_apart() {
    let spec = Spec { egress: Some(vec![tcp(443)]), ..ingress([tcp(22)]) };
    let changes = diff(&spec, state(0));
    assert_eq!(changes.len(), 4);
    for change in &changes {
        assert_eq!(change.needs, Needs::Only(Vec::new()), "{:?}", change.action);
    }
}

#[test]
fn in_a_full_group_as_few_as_needed_go_first_and_the_plan_says_why() {
    let full: Vec<SeenRule> =
        (1..=60).map(|port| seen(&format!("sgr-{port}"), tcp(port))).collect();
    let spec = Spec { egress: Some(Vec::new()), ..ingress([tcp(443), tcp(444)]) };
    let changes = diff(&spec, lets_in(full));
    let sizes: Vec<_> = steps(&changes)
        .iter()
        .map(|step| match step {
            Step::Revoke(rules) => ("revoke", rules.len()),
            Step::Authorize(addition) => ("authorize", addition.rules.len()),
        })
        .collect();
    assert_eq!(sizes, [("revoke", 2), ("authorize", 2), ("revoke", 58), ("revoke", 1)]);
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    assert!(changes[0].warnings.concat().contains("60 rules"), "{:?}", changes[0].warnings);
    for place in [0, 2, 3] {
        assert_eq!(changes[place].needs, Needs::Only(Vec::new()), "{place}");
    }
}

#[test]
fn one_rule_in_several_spellings_is_one_rule() {
    let there = lets_in(vec![
        seen("sgr-1", Written { cidr_ipv4: Some("100.68.0.0/18".to_owned()), ..tcp(443) }),
        seen("sgr-2", Written { from_port: Some(0), to_port: Some(65535), ..tcp(0) }),
        seen("sgr-3", from_group("self")),
    ]);
    let declared = [
        Written {
            ip_protocol: "6".to_owned(),
            cidr_ipv4: Some("100.68.0.18/18".to_owned()),
            ..tcp(443)
        },
        Written { from_port: None, to_port: None, ..tcp(0) },
        from_group("111122223333/sg-1"),
        from_group("sg-1"),
    ];
    assert_eq!(diff(&ingress(declared), there), []);
}

#[test]
fn the_account_of_a_foreign_peer_counts_where_it_is_declared() {
    let there = || lets_in(vec![seen("sgr-1", from_group("444455556666/sg-2"))]);
    for same in ["sg-2", "444455556666/sg-2"] {
        assert_eq!(diff(&ingress([from_group(same)]), there()), [], "{same}");
    }
    let changes = diff(&ingress([from_group("777788889999/sg-2")]), there());
    assert_eq!(
        changes[0].drift[0].desired,
        Some(serde_json::json!("tcp 5432 from 777788889999/sg-2"))
    );
    assert_eq!(
        changes[1].drift[0].actual,
        Some(serde_json::json!("tcp 5432 from 444455556666/sg-2"))
    );
}

#[test]
fn a_peer_of_which_aws_names_no_account_is_a_finding() {
    let there = lets_in(vec![seen("sgr-1", from_group("sg-2"))]);
    let changes = diff(&ingress([from_group("444455556666/sg-2")]), there);
    assert_eq!(changes.len(), 1);
    assert!(changes[0].action.is_none());
    assert!(changes[0].withheld.as_deref().unwrap().contains("deleted"));
}

#[test]
fn undoing_a_removal_brings_back_descriptions_tags_and_accounts() {
    let described =
        |rule: SeenRule, text: &str| SeenRule { description: Some(text.to_owned()), ..rule };
    let tagged = |rule: SeenRule, key: &str| SeenRule {
        tags: BTreeMap::from([(key.to_owned(), "x".to_owned())]),
        ..rule
    };
    let there = vec![
        described(seen("sgr-1", from_group("444455556666/sg-2")), "over peering"),
        tagged(described(seen("sgr-2", tcp(22)), "ssh"), "owner"),
        tagged(seen("sgr-3", tcp(23)), "aws:cloudformation:stack-name"),
    ];
    let object = Object::present("vpc-1", lets_in(there));
    let changes = diff(&empty(), object.state().unwrap().clone());
    let action = changes[0].action.as_ref().unwrap();
    let Undo::By(undo) = DefaultSecurityGroup::undo(action, &object) else { panic!("no undo") };
    let additions: Vec<&Addition> = undo
        .iter()
        .map(|action| match &action.step {
            Step::Authorize(addition) => addition,
            Step::Revoke(_) => panic!("not an addition"),
        })
        .collect();
    assert_eq!(additions.len(), 2);
    let first = &additions[0].rules[0];
    assert_eq!(first.description.as_deref(), Some("over peering"));
    assert_eq!(first.rule.peer().to_string(), "444455556666/sg-2");
    assert_eq!(additions[0].rules.len(), 2, "AWS's own tags cannot be written");
    assert_eq!(additions[1].tags["owner"], "x");
    assert!(DefaultSecurityGroup::calls(&undo[1]).contains(&CREATE_TAGS));
    assert!(!DefaultSecurityGroup::calls(&undo[0]).contains(&CREATE_TAGS));
}

#[test]
fn an_export_names_foreign_accounts_and_no_other() {
    let there = lets_in(vec![
        seen("sgr-1", from_group("444455556666/sg-2")),
        seen("sgr-2", from_group("111122223333/sg-3")),
    ]);
    let spec = DefaultSecurityGroup::export(&facts(), &Object::present("vpc-1", there)).unwrap();
    let peers: Vec<_> =
        spec.ingress.unwrap().into_iter().map(|rule| rule.referenced_group_id).collect();
    assert_eq!(peers, [Some("444455556666/sg-2".to_owned()), Some("sg-3".to_owned())]);
}

#[test]
fn a_wrong_rule_is_refused_at_its_place_in_the_file() {
    let cases = [
        (Written { cidr_ipv4: None, ..tcp(1) }, "egress[1]"),
        (Written { cidr_ipv6: Some("::/0".to_owned()), ..anywhere() }, "egress[1]"),
        (Written { from_port: Some(1), ..anywhere() }, "egress[1]"),
        (Written { cidr_ipv4: Some("10.0.0.0/33".to_owned()), ..tcp(1) }, "egress[1].cidr_ipv4"),
        (Written { to_port: Some(0), ..tcp(9) }, "egress[1].from_port"),
    ];
    for (rule, place) in cases {
        let spec = Spec { egress: Some(vec![tcp(65535), rule.clone()]), ..Spec::default() };
        let problems = DefaultSecurityGroup::check(&spec);
        assert_eq!(problems.len(), 1, "{rule:?}");
        assert_eq!(problems[0].field, place, "{rule:?}");
        // What was not refused, for whatever reason, is never in sync.
        let object = serde_json::to_value(state(0)).unwrap();
        let erased = crate::kinds::erased::erase::<DefaultSecurityGroup>();
        let spec = serde_json::to_value(&spec).unwrap();
        assert!(
            erased.diff(&facts(), &spec, &Object::present("vpc-1", object)).is_err(),
            "{rule:?}"
        );
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
            let rules = |step: &Step| -> Vec<Rule> {
                match step {
                    Step::Revoke(seen) => seen.iter().map(|seen| seen.rule.clone()).collect(),
                    Step::Authorize(addition) => {
                        addition.rules.iter().map(|new| new.rule.clone()).collect()
                    }
                }
            };
            prop_assert_eq!(rules(&again[0].step), rules(&action.step));
        }
    }
}

#[test]
fn opening_to_everybody_or_to_another_account_is_a_rise() {
    let empty = State { ingress: Vec::new(), egress: Vec::new(), ..state(0) };
    let added = |ingress: Option<Vec<Written>>, egress: Option<Vec<Written>>| {
        let spec = Spec { ingress, egress, ..Spec::default() };
        let changes =
            DefaultSecurityGroup::diff(&facts(), &spec, &Object::present("sg-1", empty.clone()));
        let grants = changes[0].grants.iter().map(|grant| grant.class).collect::<Vec<_>>();
        let way = if spec.ingress.is_some() { "is let in" } else { "may go out" };
        assert_eq!(changes[0].warnings.len(), 1, "{changes:?}");
        assert!(changes[0].warnings[0].ends_with(way), "{changes:?}");
        grants
    };
    let range = |ipv4: Option<&str>, ipv6: Option<&str>| Written {
        cidr_ipv4: ipv4.map(str::to_owned),
        cidr_ipv6: ipv6.map(str::to_owned),
        ..tcp(22)
    };
    for (rule, class) in [
        (anywhere(), Some(GrantClass::Public)),
        (range(Some("0.0.0.0/1"), None), Some(GrantClass::Public)),
        (range(None, Some("::/0")), Some(GrantClass::Public)),
        (range(Some("10.0.0.0/8"), None), None),
        (from_group("444455556666/sg-0123456789abcdef0"), Some(GrantClass::Foreign)),
        (from_group("111122223333/sg-0123456789abcdef0"), None),
        (from_group("sg-0123456789abcdef0"), None),
    ] {
        let wanted: Vec<GrantClass> = class.into_iter().collect();
        assert_eq!(added(Some(vec![rule.clone()]), None), wanted, "{rule:?}");
        assert!(added(None, Some(vec![rule.clone()])).is_empty(), "{rule:?}");
    }
}

#[test]
fn whatever_is_let_in_that_was_not_is_weaker() {
    let from = |range: &str| Written { cidr_ipv4: Some(range.to_owned()), ..tcp(22) };
    let list = || Written {
        cidr_ipv4: None,
        prefix_list_id: Some("pl-0123456789abcdef0".to_owned()),
        ..tcp(22)
    };
    let weaker = |spec: &Spec, there: State| -> usize {
        let changes = diff(spec, there);
        let all = changes.iter().flat_map(|change| &change.warnings);
        all.filter(|warning| warning.starts_with("weaker than before")).count()
    };
    let closed = || lets_in(Vec::new());
    for rule in [from("8.0.0.0/8"), from("10.1.2.0/24"), list(), from_group("self")] {
        assert_eq!(weaker(&ingress([rule.clone()]), closed()), 1, "{rule:?}");
    }
    // What a wider rule lets in already comes in already.
    assert_eq!(weaker(&ingress([from("8.0.0.0/8")]), state(0)), 0);
    let wide = lets_in(vec![seen("sgr-1", from("10.0.0.0/8"))]);
    assert_eq!(weaker(&ingress([from("10.1.0.0/16")]), wide.clone()), 0);
    assert_eq!(weaker(&ingress([from("10.1.0.0/16"), list()]), wide), 1);
}

#[test]
fn an_entry_of_exclude_that_can_meet_nothing_is_refused() {
    let field = |entry: Exclude| {
        let spec = Spec { exclude: Some(vec![entry]), ..Spec::default() };
        let problems = <DefaultSecurityGroup as Kind>::check(&spec);
        problems.first().map(|problem| problem.field.clone()).unwrap_or_default()
    };
    let ids = |id: &str| Exclude { vpc_ids: [id.to_owned()].into(), ..Exclude::default() };
    for id in ["x", "vpc-*", "vpc-", "VPC-0abc"] {
        assert_eq!(field(ids(id)), "exclude[0].vpc_ids", "{id}");
    }
    assert_eq!(field(ids("vpc-0abc")), "");
}

#[test]
fn only_what_is_left_out_by_its_id_alone_is_out_of_reach() {
    let arns = Arns::of("aws", "111122223333");
    let conditions = |entry: Exclude| {
        groups(&Spec { exclude: Some(vec![entry]), ..Spec::default() }, &arns)[0].conditions.len()
    };
    let by_id = || Exclude { vpc_ids: ["vpc-0abc".to_owned()].into(), ..Exclude::default() };
    assert_eq!(conditions(by_id()), 1);
    // Where more must hold, a VPC of the id may be one to write to.
    let tags = [("legacy".to_owned(), "true".to_owned())].into();
    assert_eq!(conditions(Exclude { vpc_tags: tags, ..by_id() }), 0);
}
