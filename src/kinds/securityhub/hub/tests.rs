#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;
use crate::kinds::Risk;
use crate::kinds::shapes::part::{Action, State, Step};

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "enabled": true });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there() -> State<Hub> {
    State::at(Place {}).with::<enabled::Enabled>(&enabled::Now::default())
}

fn diff(fields: Value, object: &Object<State<Hub>>) -> Vec<Change<Action<Hub>>> {
    Hub::diff(&Facts::example(Hub::NAME), &spec(fields), object)
}

#[test]
fn a_hub_is_made_without_standards_and_gets_what_the_first_call_does_not_take() {
    let guardduty = "arn:aws:securityhub:eu-west-1::product/aws/guardduty";
    let declared = json!({ "auto_enable_controls": false, "tags": { "a": "b" }, "product_integrations": [guardduty] });
    let changes = diff(declared, &Object::absent(""));
    let steps: Vec<Value> =
        changes.iter().map(|change| json!(change.action.as_ref().unwrap().step)).collect();
    assert_eq!(steps[0]["create"]["enable_default_standards"], false);
    assert_eq!(steps[1]["write"], json!({ "part": "auto_enable_controls", "write": false }));
    assert_eq!(steps[2]["write"]["write"], json!({ "enable": guardduty }));
    assert_eq!(steps.len(), 3);
    assert!(diff(json!({ "enabled": false }), &Object::absent("")).is_empty());
}

#[test]
fn turning_it_off_destroys_and_members_and_administrators_cannot() {
    let off = |administrator: Option<&str>, has_members| {
        let administrator = administrator.map(str::to_owned);
        let now = enabled::Now { administrator, has_members };
        let state = State::at(Place {}).with::<enabled::Enabled>(&now);
        diff(json!({ "enabled": false }), &Object::present("", state)).remove(0)
    };
    let alone = off(None, false);
    assert_eq!(alone.risk, Risk::Destructive);
    assert!(matches!(alone.action.unwrap().step, Step::Write { .. }));
    let member = off(Some("444455556666"), false);
    assert!(member.action.is_none() && member.withheld.unwrap().contains("444455556666"));
    assert!(off(None, true).action.is_none());
}

#[test]
fn a_member_has_the_findings_of_its_administrator() {
    let state = |administrator: Option<&str>| {
        let now = generator::Now {
            word: Some(Generator::StandardControl),
            administrator: administrator.map(str::to_owned),
        };
        Object::present("", there().with::<generator::FindingGenerator>(&now))
    };
    let declared = json!({ "control_finding_generator": "SECURITY_CONTROL" });
    let own = diff(declared.clone(), &state(None)).remove(0);
    assert_eq!((own.risk, own.action.is_some()), (Risk::Disruptive, true));
    let member = diff(declared, &state(Some("444455556666"))).remove(0);
    assert!(member.action.is_none() && member.withheld.unwrap().contains("444455556666"));
}

#[test]
fn products_are_known_by_name_and_those_of_other_regions_are_not_sent() {
    let now = ["aws/guardduty".to_owned()].into();
    let state = Object::present("", there().with::<products::Products>(&now));
    let arn =
        |region: &str, name: &str| format!("arn:aws:securityhub:{region}::product/aws/{name}");
    let declared = |arn: String| json!({ "product_integrations": [arn] });
    assert!(diff(declared(arn("eu-west-1", "guardduty")), &state).is_empty());
    assert!(diff(declared(arn("eu-west-1", "macie")), &state)[0].action.is_some());
    assert!(diff(declared(arn("us-east-1", "macie")), &state)[0].action.is_none());
}

#[test]
fn what_cannot_be_is_said_before() {
    for (fields, words) in [
        (json!({ "enabled": false, "tags": {} }), "that is off"),
        (json!({ "product_integrations": ["aws/guardduty"] }), "not the ARN"),
    ] {
        let problems = Hub::check(&spec(fields));
        assert!(problems.iter().any(|problem| problem.message.contains(words)), "{words}");
    }
}
