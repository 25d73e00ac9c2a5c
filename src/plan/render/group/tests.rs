use serde_json::{Value, json};

use super::*;
use crate::plan::Verdict;
use crate::plan::render::rows::rows;
use crate::plan::render::testing::{change, object, plan, policy};
use crate::plan::thin::Alike;

fn grouped(objects: &[ObjectPlan]) -> Vec<Group<'_>> {
    group_of(objects.iter().map(Cow::Borrowed))
}

fn length(account: usize, length: u32) -> ObjectPlan {
    policy(account, &[("minimum_password_length", json!(length), json!(14))])
}

fn shown(plan: &Plan, group: &Group<'_>) -> Vec<String> {
    rows(group, 0)
        .iter()
        .map(|row| {
            let only = row.only_in(group, plan).unwrap_or_default();
            format!("{} {} {only}", row.line.field, row.line.text).trim_end().to_owned()
        })
        .collect()
}

#[test]
fn what_is_alike_is_kept_once_and_grouped_as_before() {
    let whole = [length(1, 8), length(2, 8), length(3, 6), length(4, 8)];
    // They come in another order than they are shown in.
    let mut thin = whole.clone();
    let mut alike = Alike::default();
    for place in [3, 2, 1, 0] {
        alike.note(&mut thin[place]);
    }
    let plan = plan(4, Vec::new());
    let all = |groups: Vec<Group<'_>>| -> Vec<(usize, Vec<String>)> {
        groups.iter().map(|group| (group.objects.len(), shown(&plan, group))).collect()
    };
    assert_eq!(all(grouped(&thin)), all(grouped(&whole)));
    assert_eq!(thin.iter().filter(|object| object.controls.is_empty()).count(), 2);
}

/// A key at home, which objects of all Regions name: in that Region it names the own one by chance.
#[test]
fn a_text_that_is_the_same_everywhere_is_said_once() {
    let named = |region: &str, text: &str| {
        let drift = json!([{"field": "minimum_password_length", "actual": 6, "desired": text}]);
        let with = json!({"region": region, "changes": [change(json!({"drift": drift}))]});
        object(1, with)
    };
    let mut plan = plan(1, Vec::new());
    let regions = ["eu-west-1", "us-east-1"].map(|region| serde_json::from_value(json!(region)));
    plan.targets[0].regions = regions.into_iter().filter_map(Result::ok).collect();
    let at_home = ["eu-west-1", "us-east-1"].map(|region| named(region, "key of eu-west-1"));
    let groups = grouped(&at_home);
    assert_eq!(shown(&plan, &groups[0]), ["minimum_password_length 6 → key of eu-west-1"]);
    // A Region that names the key of another one, beside two that name their own.
    let two = |region: &str, key: &str, length: u32| {
        let drift = json!([
            {"field": "minimum_password_length", "actual": format!("key of {key}"), "desired": "other"},
            {"field": "max_password_age", "actual": length, "desired": 90},
        ]);
        let changes = [change(json!({"drift": drift}))];
        object(1, json!({"region": region, "global": false, "changes": changes}))
    };
    let three = [
        two("eu-west-1", "eu-west-1", 5),
        two("us-east-1", "us-east-1", 7),
        two("eu-central-1", "eu-west-1", 9),
    ];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let three = order.map(|place: usize| three[place].clone());
        let groups = grouped(&three);
        let lines = shown(&plan, &groups[0]).join("\n");
        assert!(!lines.contains("3 regions") && lines.contains("key of ${region}"), "{lines}");
        let literal = lines.lines().find(|line| line.contains("key of eu-west-1"));
        assert!(literal.is_some_and(|line| line.ends_with("eu-central-1")), "{lines}");
    }
    let own = ["eu-west-1", "us-east-1"].map(|region| named(region, &format!("key of {region}")));
    let groups = grouped(&own);
    assert_eq!(shown(&plan, &groups[0]), ["minimum_password_length 6 → key of ${region}"]);
}

#[test]
fn what_differs_only_in_what_is_there_is_one_group() {
    let reuse = ("password_reuse_prevention", Value::Null, json!(24));
    let mut both = policy(5, &[("minimum_password_length", json!(8), json!(14)), reuse]);
    both.changes[0].drift[1].actual = None;
    let objects = [length(1, 8), length(2, 8), length(3, 6), length(4, 8), both];
    let plan = plan(5, Vec::new());
    let groups = grouped(&objects);
    assert_eq!(groups.len(), 1);
    assert_eq!(
        shown(&plan, &groups[0]),
        [
            "minimum_password_length 6 → 14 000000000003",
            "minimum_password_length 8 → 14 4 accounts: 000000000001, 000000000002, 000000000004, 000000000005",
            "password_reuse_prevention – → 24 000000000005",
        ]
    );
    // Another risk is another matter.
    let mut risky = objects.clone();
    risky[0].changes[0].risk = crate::kinds::Risk::Disruptive;
    assert_eq!(grouped(&risky).len(), 2);
    // What is taken away is no value of a field.
    let rule = |account: usize, rule: &str| {
        object(
            account,
            json!({"changes": [change(json!({"drift": [
                {"field": "ingress", "actual": rule, "desired": null}
            ]}))]}),
        )
    };
    assert_eq!(grouped(&[rule(1, "tcp 22"), rule(2, "tcp 80")]).len(), 2);
}

#[test]
fn what_one_has_alone_comes_first_also_inside_a_group() {
    let alone = |account: usize| {
        let mut object = length(account, 1);
        object.item = "iam.account_alias".parse().unwrap_or_else(|_| object.item.clone());
        object
    };
    let objects = [length(1, 8), length(2, 8), length(3, 6), alone(1), alone(2)];
    let groups = grouped(&objects);
    // Three accounts, one of which stands alone with its value; then two that are alike.
    assert_eq!(groups.iter().map(|group| group.objects.len()).collect::<Vec<_>>(), [3, 2]);
}

#[test]
fn the_same_drift_that_is_only_reported_elsewhere_follows_at_once() {
    let reported = |account: usize| {
        let mut object = length(account, 8);
        object.mode = crate::plan::Mode::Report;
        object.changes[0].disposition =
            Disposition::Report { reason: "mode is \"report\"".to_owned() };
        object
    };
    let mut other = length(5, 8);
    other.note = Some("another".to_owned());
    let objects = [length(1, 8), length(2, 8), other, reported(3), reported(4), reported(6)];
    let groups = grouped(&objects);
    let shown: Vec<_> = groups.iter().map(|group| (group.objects.len(), group.as_before)).collect();
    assert_eq!(shown, [(1, false), (2, false), (3, true)]);
}

#[test]
fn likeness_is_of_the_drift_and_not_of_who_has_it() {
    let of = |objects: &[ObjectPlan]| grouped(objects)[0].likeness.clone();
    let once = of(&[length(1, 8)]);
    assert_eq!(once, of(&[length(2, 8), length(3, 6)]));
    let mut moved = length(1, 8);
    moved.location = Some(crate::plan::Location { file: "b.toml".to_owned(), line: 99 });
    assert_eq!(once, of(&[moved]));
    let mut excepted = length(1, 8);
    excepted.verdict = Verdict::Skipped { reason: String::new() };
    assert_ne!(once, of(&[excepted]));
}
