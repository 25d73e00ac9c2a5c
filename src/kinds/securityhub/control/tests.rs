#![allow(clippy::unwrap_used, clippy::panic)]

use aws_sdk_securityhub::types::{
    StandardsControlsUpdatable, StandardsProvider, StandardsStatus, StandardsSubscription,
};
use serde_json::{Value, json};

use super::*;
use crate::kinds::{Risk, compared};

const FSBP: &str = "aws-foundational-security-best-practices/v/1.0.0";
const CIS: &str = "cis-aws-foundations-benchmark/v/5.0.0";

fn spec(controls: Value, exclusive: bool) -> Spec {
    serde_json::from_value(json!({ "controls": controls, "exclusive": exclusive })).unwrap()
}

/// A Region with two standards, in which these controls are told of.
fn state(controls: Value) -> State {
    let state = json!({
        "is_on": true, "standards": [FSBP, CIS], "unknown": [], "unavailable": [], "controls": controls,
    });
    serde_json::from_value(state).unwrap()
}

/// A control by the standards in which it is off, and by values.
fn control(off: &[(&str, &str)], on: &[&str], parameters: Value) -> Value {
    let off = off.iter().map(|(name, why)| {
        ((*name).to_owned(), json!({ "status": "DISABLED", "updated_reason": why }))
    });
    let on = on.iter().map(|name| ((*name).to_owned(), json!({ "status": "ENABLED" })));
    let associations: serde_json::Map<String, Value> = off.chain(on).collect();
    json!({ "associations": associations, "parameters": parameters })
}

fn off(reason: &str) -> Value {
    json!({ "association_status": "DISABLED", "updated_reason": reason })
}

fn diff(spec: &Spec, state: State) -> Vec<Change<Action>> {
    let object = Object::present("", state);
    let facts = Facts::example(Control::NAME);
    let (changes, fields) = compared::during(|| Control::diff(&facts, spec, &object));
    assert!(fields.contains("controls"));
    changes
}

fn fields(changes: &[Change<Action>]) -> Vec<String> {
    changes.iter().flat_map(|one| &one.drift).map(|one| one.field.clone()).collect()
}

fn set(change: &Change<Action>) -> (Status, Option<String>, Vec<String>) {
    let Some(Action::Set { status, updated_reason, standards, .. }) = &change.action else {
        panic!("{change:#?}")
    };
    (*status, updated_reason.clone(), standards.iter().cloned().collect())
}

use super::spec::Status;

#[test]
fn one_that_is_off_and_not_declared_is_turned_on_unless_others_are_left_alone() {
    let there = || {
        state(json!({ "IAM.6": control(&[(CIS, "quiet")], &[FSBP], json!({})),
            "IAM.7": control(&[], &[FSBP], json!({ "MaxPasswordAge": { "integer": 90 } })) }))
    };
    let changes = diff(&spec(json!({}), true), there());
    let found = ["controls.IAM.6.association_status", "controls.IAM.7.parameters.MaxPasswordAge"];
    assert_eq!(fields(&changes), found);
    assert_eq!(set(&changes[0]), (Status::Enabled, None, vec![CIS.to_owned()]));
    assert_eq!(changes[0].risk, Risk::Safe);
    assert!(diff(&spec(json!({}), false), there()).is_empty());
}

#[test]
fn one_that_is_to_be_off_is_switched_off_where_it_is_meant_with_a_warning() {
    let on = || state(json!({ "IAM.6": control(&[], &[FSBP, CIS], json!({})) }));
    let everywhere = diff(&spec(json!({ "IAM.6": off("why") }), true), on());
    assert_eq!(everywhere.len(), 1, "{everywhere:#?}");
    assert_eq!(set(&everywhere[0]), (Status::Disabled, Some("why".to_owned()), vec![]), "in all");
    assert_eq!(everywhere[0].risk, Risk::Disruptive);
    assert!(everywhere[0].warnings[0].contains("IAM.6 is not checked any more"));
    let mut wanted = off("why");
    wanted["standards"] = json!([CIS]);
    let one = diff(&spec(json!({ "IAM.6": wanted }), true), on());
    assert_eq!(set(&one[0]).2, [CIS]);
    // Where it is not meant, it is to be on.
    let both = control(&[(FSBP, "why"), (CIS, "why")], &[], json!({}));
    let back = diff(&spec(json!({ "IAM.6": wanted }), true), state(json!({ "IAM.6": both })));
    assert_eq!(set(&back[0]), (Status::Enabled, None, vec![FSBP.to_owned()]));
    // Another reason is another declaration, by which nothing gets weaker.
    let other = control(&[(FSBP, "old"), (CIS, "why")], &[], json!({}));
    let reason =
        diff(&spec(json!({ "IAM.6": off("why") }), true), state(json!({ "IAM.6": other })));
    assert_eq!(reason[0].risk, Risk::Safe);
    assert_eq!(reason[0].drift[0].actual, Some(json!("DISABLED: old")));
}

#[test]
fn what_this_plan_turns_on_is_switched_off_when_it_is_there() {
    for is_on in [false, true] {
        let state = State { is_on, ..State::default() };
        let changes = diff(&spec(json!({ "IAM.6": off("why") }), true), state);
        assert_eq!(set(&changes[0]).2, Vec::<String>::new());
        // By the time that it is written, it is on, and nothing of the plan has changed.
        let needed = diff(&spec(json!({ "IAM.6": off("why") }), true), state_on());
        assert_eq!((&needed[0].action, needed[0].risk), (&changes[0].action, changes[0].risk));
        assert_eq!(needed[0].drift, changes[0].drift);
    }
    let mut named = off("why");
    named["standards"] = json!([CIS]);
    let before = diff(&spec(json!({ "IAM.6": named }), true), State::default());
    let after = diff(&spec(json!({ "IAM.6": named }), true), state_on());
    assert_eq!((&before[0].drift, &before[0].action), (&after[0].drift, &after[0].action));
    assert_eq!(before[0].risk, after[0].risk);
    let nothing = State::default();
    assert!(
        diff(&spec(json!({ "IAM.6": { "association_status": "ENABLED" } }), true), nothing)
            .is_empty()
    );
}

fn state_on() -> State {
    state(json!({ "IAM.6": control(&[], &[FSBP, CIS], json!({})) }))
}

#[test]
fn what_security_hub_or_the_region_lacks_is_told_or_left_alone() {
    let wanted = spec(json!({ "IAM.600": off("why") }), true);
    let mut lacks = state(json!({}));
    lacks.unknown.insert("IAM.600".to_owned());
    let changes = diff(&wanted, lacks);
    assert!(changes[0].action.is_none() && fields(&changes) == ["controls.IAM.600"]);
    let mut elsewhere = state(json!({}));
    elsewhere.unavailable.insert("IAM.600".to_owned());
    assert!(diff(&wanted, elsewhere).is_empty());
    // None that is on has it, so that it is off already; nor can it be on.
    assert!(diff(&wanted, state(json!({}))).is_empty());
    let on = spec(json!({ "IAM.600": { "association_status": "ENABLED" } }), true);
    assert_eq!(fields(&diff(&on, state(json!({})))), ["controls.IAM.600.standards"]);
    let mut named = off("why");
    named["standards"] = json!([CIS]);
    let there = state(json!({ "IAM.6": control(&[], &[FSBP], json!({})) }));
    let changes = diff(&spec(json!({ "IAM.6": named }), true), there);
    assert!(changes[0].action.is_none() && changes[0].withheld.as_ref().unwrap().contains(CIS));
}

#[test]
fn values_are_compared_one_by_one_and_their_reason_goes_with_them() {
    let wanted = json!({ "IAM.7": {
        "parameters": { "MinimumPasswordLength": { "integer": 14 }, "RequireSymbols": { "value_type": "DEFAULT" } },
        "last_update_reason": "rules",
    } });
    let there = |reason: Option<&str>, values: Value| {
        let mut one = control(&[], &[FSBP], values);
        one["last_update_reason"] = json!(reason);
        state(json!({ "IAM.7": one }))
    };
    let right = json!({ "MinimumPasswordLength": { "integer": 14 } });
    assert!(diff(&spec(wanted.clone(), true), there(Some("rules"), right.clone())).is_empty());
    let wrong = json!({ "MinimumPasswordLength": { "integer": 8 }, "RequireSymbols": { "boolean": false }, "MaxPasswordAge": { "integer": 90 } });
    let at = |name: &str| format!("controls.IAM.7.{name}");
    for (exclusive, more) in [(true, vec![at("parameters.MaxPasswordAge")]), (false, vec![])] {
        let changes = diff(&spec(wanted.clone(), exclusive), there(Some("rules"), wrong.clone()));
        let mut found =
            vec![at("parameters.MinimumPasswordLength"), at("parameters.RequireSymbols")];
        found.extend(more);
        assert_eq!(fields(&changes), found);
    }
    let reason = diff(&spec(wanted, true), there(None, right));
    assert_eq!(fields(&reason), [at("last_update_reason")]);
    let Some(Action::Parameters { parameters, .. }) = &reason[0].action else { panic!("values") };
    assert_eq!(parameters.keys().collect::<Vec<_>>(), ["MinimumPasswordLength", "RequireSymbols"]);
}

#[test]
fn a_way_back_is_what_was_there_and_its_way_back_is_the_write() {
    let before = state(json!({ "IAM.6": control(&[(CIS, "old")], &[FSBP], json!({})),
        "IAM.7": control(&[], &[FSBP], json!({ "MaxPasswordAge": { "integer": 90 } })) }));
    let after = state(json!({ "IAM.6": control(&[(CIS, "new"), (FSBP, "new")], &[], json!({})),
        "IAM.7": control(&[], &[FSBP], json!({ "MinimumPasswordLength": { "integer": 14 } })) }));
    let wanted = json!({ "IAM.6": off("new"), "IAM.7": { "parameters": { "MinimumPasswordLength": { "integer": 14 } } } });
    for change in diff(&spec(wanted, true), before.clone()) {
        let write = change.action.unwrap();
        let Undo::By(back) = Control::undo(&write, &Object::present("", before.clone())) else {
            panic!("put back")
        };
        let again: Vec<Action> = back
            .iter()
            .flat_map(|one| match Control::undo(one, &Object::present("", after.clone())) {
                Undo::By(again) => again,
                Undo::Impossible(why) => panic!("{why}"),
            })
            .collect();
        match &write {
            Action::Set { .. } => {
                assert_eq!(back.len(), 2, "one for each of what it was: {back:#?}")
            }
            Action::Parameters { .. } => {
                assert!(Control::is_same_write(&write, &again[0]), "{again:#?}")
            }
        }
    }
    // Where it was so already, nothing goes back, nor does what is back.
    let partly = state(json!({ "IAM.6": control(&[(CIS, "new")], &[FSBP], json!({})) }));
    let write = Action::Set {
        control: "IAM.6".to_owned(),
        status: Status::Disabled,
        updated_reason: Some("new".to_owned()),
        standards: [].into(),
    };
    let partly = Object::present("", partly);
    let Undo::By(back) = Control::undo(&write, &partly) else { panic!("on again") };
    assert!(
        matches!(&back[..], [Action::Set { status: Status::Enabled, standards, .. }] if *standards == [FSBP.to_owned()].into())
    );
    assert!(matches!(Control::undo(&back[0], &partly), Undo::By(again) if again.is_empty()));
    // Of what was not there yet, all is on again.
    let write = Action::Set {
        control: "IAM.6".to_owned(),
        status: Status::Disabled,
        updated_reason: Some("new".to_owned()),
        standards: [].into(),
    };
    let Undo::By(back) = Control::undo(&write, &Object::present("", State::default())) else {
        panic!("on again")
    };
    assert!(
        matches!(&back[..], [Action::Set { status: Status::Enabled, standards, .. }] if standards.is_empty())
    );
    let Undo::By(again) = Control::undo(&back[0], &Object::present("", after)) else {
        panic!("off again")
    };
    assert!(Control::is_same_write(&write, &again[0]), "{again:#?}");
}

#[test]
fn what_is_exported_finds_nothing_and_says_what_cannot_be_declared() {
    for (controls, is_whole) in [
        (json!({}), true),
        (json!({ "IAM.6": control(&[(CIS, "a"), (FSBP, "a")], &[], json!({})) }), true),
        (
            json!({ "IAM.6": control(&[(CIS, "a")], &[FSBP], json!({ "x": { "string_list": ["b"] } })) }),
            true,
        ),
        (json!({ "IAM.6": control(&[(CIS, "a"), (FSBP, "b")], &[], json!({})) }), false),
    ] {
        let there = state(controls);
        let facts = Facts::example(Control::NAME);
        let spec = Control::export(&facts, &Object::present("", there.clone())).unwrap();
        assert_eq!(spec.exclusive, Some(is_whole));
        assert!(Control::check(&spec).is_empty());
        assert!(diff(&spec, there).is_empty());
    }
    assert!(
        Control::export(&Facts::example(Control::NAME), &Object::present("", State::default()))
            .is_none()
    );
}

#[test]
fn declarations_that_say_nothing_or_too_much_are_refused() {
    for (id, wanted, problem) in [
        ("IAM.6", off("why"), None),
        ("arn:aws:x", off("why"), Some("not the id")),
        ("IAM.6", json!({}), Some("nothing is said")),
        ("IAM.6", json!({ "association_status": "DISABLED" }), Some("without a reason")),
        (
            "IAM.6",
            json!({ "association_status": "ENABLED", "updated_reason": "a" }),
            Some("the reason why"),
        ),
        (
            "IAM.6",
            json!({ "parameters": {}, "standards": [CIS] }),
            Some("nothing is said of the control in these"),
        ),
        (
            "IAM.6",
            json!({ "association_status": "ENABLED", "standards": ["cis"] }),
            Some("not the name"),
        ),
        (
            "IAM.6",
            json!({ "association_status": "ENABLED", "last_update_reason": "a" }),
            Some("values of parameters"),
        ),
        ("IAM.6", json!({ "parameters": {}, "last_update_reason": "a/b" }), Some("letters")),
        ("IAM.6", json!({ "parameters": { "a": {} } }), Some("not 0")),
        (
            "IAM.6",
            json!({ "parameters": { "a": { "integer": 1, "boolean": true } } }),
            Some("not 2"),
        ),
        (
            "IAM.6",
            json!({ "parameters": { "a": { "integer": 1, "value_type": "DEFAULT" } } }),
            Some("no other"),
        ),
        ("IAM.6", json!({ "parameters": { "a": { "integer": 1, "value_type": "CUSTOM" } } }), None),
    ] {
        let problems = Control::check(&spec(json!({ id: wanted }), true));
        assert_eq!(problems.is_empty(), problem.is_none(), "{wanted} {problems:?}");
        if let Some(problem) = problem {
            assert!(problems[0].message.contains(problem), "{problems:?}");
        }
    }
}

#[test]
fn a_standard_whose_controls_are_not_told_yet_is_waited_for() {
    let one = |status: StandardsStatus| {
        StandardsSubscription::builder()
            .standards_arn(format!("arn:aws:securityhub:eu-west-1::standards/{CIS}"))
            .standards_status(status)
            .provider(StandardsProvider::Aws)
    };
    let usable = |one: StandardsSubscription| observe::usable(&[one]);
    let ready = StandardsControlsUpdatable::ReadyForUpdates;
    let not_ready = StandardsControlsUpdatable::NotReadyForUpdates;
    assert_eq!(
        usable(one(StandardsStatus::Incomplete).standards_controls_updatable(ready).build())
            .unwrap()
            .len(),
        1
    );
    assert_eq!(usable(one(StandardsStatus::Ready).build()).unwrap().len(), 1);
    for gone in [StandardsStatus::Deleting, StandardsStatus::Failed] {
        assert!(usable(one(gone).build()).unwrap().is_empty());
    }
    for pending in [
        one(StandardsStatus::Pending).build(),
        one(StandardsStatus::Ready).standards_controls_updatable(not_ready).build(),
    ] {
        assert!(matches!(usable(pending), Err(ObserveError::Pending { .. })));
    }
    let later = one(StandardsStatus::Ready).standards_controls_updatable("SOON".into()).build();
    assert!(matches!(usable(later), Err(ObserveError::UnknownValue { .. })));
}
