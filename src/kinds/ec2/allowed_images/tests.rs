use aws_sdk_ec2::types::{CreationDateCondition, ImageCriterion, ScanResultCondition};
use serde_json::{Value, json};

use super::*;

fn criteria(criteria: Value) -> Vec<Criterion> {
    serde_json::from_value(criteria).unwrap()
}

fn there(state: Settings, of: &Value) -> Object<State> {
    let image_criteria = criteria::sorted(&criteria(of.clone()));
    Object::present("", State { state, image_criteria })
}

fn diff(spec: Value, object: &Object<State>) -> Vec<Change<Action>> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    AllowedImages::diff(&Facts::example(AllowedImages::NAME), &spec, object)
}

fn calls(changes: &[Change<Action>]) -> Vec<Call> {
    changes.iter().flat_map(|one| AllowedImages::calls(one.action.as_ref().unwrap())).collect()
}

fn amazon() -> Value {
    json!([{ "image_providers": ["amazon"] }])
}

#[test]
fn criteria_are_there_before_anything_is_refused_and_until_nothing_is() {
    let spec = json!({ "state": "enabled", "image_criteria": amazon() });
    let changes = diff(spec, &there(Settings::Disabled, &json!([])));
    assert_eq!(calls(&changes), [REPLACE, ENABLE]);
    assert_eq!(changes[1].needs, crate::kinds::Needs::Only(vec![0]));
    let spec = json!({ "state": "disabled", "image_criteria": [] });
    let changes = diff(spec, &there(Settings::Enabled, &amazon()));
    assert_eq!(calls(&changes), [DISABLE, REPLACE]);
    assert!(diff(json!({}), &there(Settings::Enabled, &amazon())).is_empty());
}

#[test]
fn enabling_says_what_nobody_has_seen_and_what_is_left() {
    let change = |now, of: Value| {
        let spec = json!({ "state": "enabled" });
        diff(spec, &there(now, &of)).remove(0)
    };
    let first = change(Settings::Disabled, amazon());
    assert_eq!((first.risk, first.warnings.len()), (Risk::Disruptive, 2));
    assert!(first.warnings[1].contains("audit-mode"));
    let seen = change(Settings::AuditMode, amazon());
    assert_eq!((seen.risk, seen.warnings.len()), (Risk::Disruptive, 1));
    let own = change(Settings::AuditMode, json!([]));
    assert!(own.warnings[1].contains("only the account's own images"));
    let audited = diff(json!({ "state": "audit-mode" }), &there(Settings::Disabled, &amazon()));
    assert_eq!((audited[0].risk, audited[0].warnings.len()), (Risk::Safe, 0));
}

#[test]
fn other_criteria_cut_somebody_off_only_where_they_count() {
    let two = json!([{ "image_providers": ["amazon"] }, { "image_providers": ["444455556666"] }]);
    let other = json!({ "image_criteria": [{ "image_providers": ["999988887777"] }] });
    let counting = diff(other.clone(), &there(Settings::Enabled, &two)).remove(0);
    assert_eq!((counting.risk, counting.warnings.len()), (Risk::Disruptive, 2));
    let audited = diff(other, &there(Settings::AuditMode, &two)).remove(0);
    assert_eq!((audited.risk, audited.warnings.len()), (Risk::Safe, 0));
    let fewer = diff(json!({ "image_criteria": amazon() }), &there(Settings::Enabled, &two));
    assert_eq!((fewer[0].risk, fewer[0].warnings.len()), (Risk::Disruptive, 1));
    let more = diff(json!({ "image_criteria": two }), &there(Settings::Enabled, &amazon()));
    assert_eq!((more[0].risk, more[0].warnings.len()), (Risk::Safe, 1));
}

#[test]
fn order_and_repetition_say_nothing() {
    let there = there(
        Settings::AuditMode,
        &json!([{ "image_providers": ["amazon", "444455556666"] }, { "image_names": ["a", "b"] }]),
    );
    let declared = json!([
        { "image_names": ["b", "a"] },
        { "image_providers": ["444455556666", "amazon"] },
        { "image_names": ["a", "b"] },
    ]);
    assert!(diff(json!({ "image_criteria": declared }), &there).is_empty());
}

#[test]
fn what_was_sent_is_read_back() {
    let of_samples = AllowedImages::SAMPLES.iter().flat_map(|sample| {
        let sample: toml::Value = toml::from_str(sample).unwrap();
        let spec = sample["ec2"]["allowed_images"].clone();
        let spec: Spec = serde_json::from_value(json!(spec)).unwrap();
        spec.image_criteria.unwrap()
    });
    let declared: Vec<Criterion> = of_samples.collect();
    let sent = criteria::requested(&declared).unwrap();
    assert_eq!((declared.len(), sent.len()), (4, 4));
    let scanned = sent[3].scan_result_condition().unwrap();
    assert_eq!(scanned.max_days_since_critical_fix_available(), Some(7));
    assert_eq!(sent[3].image_watermarks()[0].source_image_region(), Some("eu-*"));
    assert_eq!(sent[2].marketplace_product_codes().len(), 1);
}

#[test]
fn numbers_and_words_that_make_no_sense_are_unknown() {
    let one = |builder: aws_sdk_ec2::types::builders::ImageCriterionBuilder| {
        criteria::seen(&[builder.build()])
    };
    let days = |days: Option<i32>| {
        let condition = CreationDateCondition::builder().set_maximum_days_since_created(days);
        one(ImageCriterion::builder().creation_date_condition(condition.build()))
    };
    assert!(days(Some(3)).is_ok() && days(Some(-1)).is_err() && days(None).is_err());
    let severity = |word: &str| {
        let condition = ScanResultCondition::builder().maximum_severity_label(word.into());
        one(ImageCriterion::builder().scan_result_condition(condition.build()))
    };
    assert!(severity("medium").is_ok() && severity("untidy").is_err());
}

#[test]
fn undo_puts_back_what_was_there() {
    let before = there(Settings::AuditMode, &amazon());
    let back = |action: Action| AllowedImages::undo(&action, &before);
    assert_eq!(
        back(Action::Set { state: Settings::Enabled }),
        Undo::By(vec![Action::Set { state: Settings::AuditMode }])
    );
    assert_eq!(
        back(Action::ReplaceCriteria { image_criteria: Vec::new() }),
        Undo::By(vec![Action::ReplaceCriteria { image_criteria: criteria(amazon()) }])
    );
}

#[test]
fn what_aws_would_refuse_is_said_before() {
    for (declared, field) in [
        (amazon(), None),
        (json!([{ "image_providers": ["none"] }]), None),
        (json!([{}]), Some("image_criteria[0]")),
        (json!([{ "image_providers": ["somebody"] }]), Some("image_criteria[0].image_providers")),
        (
            json!([{ "image_providers": ["none", "amazon"] }]),
            Some("image_criteria[0].image_providers"),
        ),
        (json!([{ "image_names": ["a?"] }]), Some("image_criteria[0].image_names")),
        (json!([{ "image_names": ["a,b"] }]), Some("image_criteria[0].image_names")),
        (
            json!([{ "marketplace_product_codes": ["a-b"] }]),
            Some("image_criteria[0].marketplace_product_codes"),
        ),
        (json!([{ "image_watermarks": [{}] }]), Some("image_criteria[0].image_watermarks")),
        (
            json!([{ "image_names": ["a"], "scan_result_condition": {} }]),
            Some("image_criteria[0].scan_result_condition"),
        ),
        (
            json!(
                (0..11).map(|one| json!({ "image_names": [one.to_string()] })).collect::<Vec<_>>()
            ),
            Some("image_criteria"),
        ),
        (
            json!([{ "image_names": (0..51).map(|one| one.to_string()).collect::<Vec<_>>() }]),
            Some("image_criteria[0].image_names"),
        ),
    ] {
        let spec = Spec { image_criteria: Some(criteria(declared.clone())), ..Spec::default() };
        let problems = AllowedImages::check(&spec);
        assert_eq!(problems.first().map(|one| one.field.as_str()), field, "{declared}");
    }
}
