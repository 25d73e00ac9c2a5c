use serde_json::{Value, json};

use super::spec::{Making, Properties};
use super::*;
use crate::kinds::{GrantClass, Risk};

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/1";
const BUCKET: &str = "arn:aws:s3:::findings";

fn facts() -> Facts {
    Facts::example(PublishingDestination::NAME)
}

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "destination_arn": BUCKET, "kms_key_arn": "alias/findings" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn lets_in(detector: &str) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": { "Service": "guardduty.amazonaws.com" },
        "Action": "kms:GenerateDataKey", "Resource": "*",
        "Condition": {
            "StringEquals": { "aws:SourceAccount": "111122223333" },
            "ArnLike": { "aws:SourceArn": format!("arn:aws:guardduty:*:111122223333:detector/{detector}") },
        },
    }] })
    .to_string()
}

/// A destination that is as it is declared, but for what is changed.
fn state(changed: Value) -> State {
    let mut state = json!({
        "detector_id": "d",
        "destination": {
            "destination_id": "p", "status": "PUBLISHING", "tags": {},
            "properties": { "destination_arn": BUCKET, "kms_key_arn": KEY },
        },
        "declared_key": {
            "name": "alias/findings", "policy": lets_in("*"),
            "key": { "is": "there", "arn": KEY, "is_own": false, "unusable": null },
        },
        "is_own_bucket": true,
    });
    for (pointer, value) in changed.as_object().unwrap() {
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        state.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    serde_json::from_value(state).unwrap()
}

fn diff(fields: Value, state: State) -> Vec<Change<Action>> {
    PublishingDestination::diff(&facts(), &spec(fields), &Object::present("", state))
}

fn fields(changes: &[Change<Action>]) -> Vec<&str> {
    changes.iter().flat_map(|one| &one.drift).map(|one| one.field.as_str()).collect()
}

#[test]
fn what_looks_like_drift_and_is_none() {
    assert!(diff(json!({}), state(json!({}))).is_empty());
    let slash = json!({ "destination_arn": "arn:aws:s3:::findings/" });
    assert!(diff(slash.clone(), state(json!({}))).is_empty());
    let with_slash =
        state(json!({ "/destination/properties/destination_arn": "arn:aws:s3:::findings/" }));
    assert!(diff(json!({}), with_slash).is_empty());
    let by_arn = json!({ "kms_key_arn": KEY, "tags": {} });
    assert!(diff(by_arn, state(json!({}))).is_empty());
    let owned = state(json!({ "/destination/properties/expected_bucket_owner": "444455556666" }));
    assert!(diff(json!({}), owned).is_empty(), "an owner that is not declared is not managed");
}

#[test]
fn a_destination_is_made_in_one_write_and_its_end_takes_it_back() {
    let before = state(json!({ "/destination": null, "/detector_id": null }));
    let declared = json!({ "tags": { "a": "b" }, "expected_bucket_owner": "111122223333" });
    let changes = diff(declared, before.clone());
    assert_eq!(changes.len(), 1, "{changes:#?}");
    let words = changes[0].warnings.join(" ");
    assert!(words.contains("AWS charges") && words.contains("no detector yet"), "{words}");
    assert!(changes[0].grants.is_empty() && !changes[0].moves);
    let made = changes[0].action.clone().unwrap();
    let object = |state| Object::present("", state);
    let back = PublishingDestination::undo(&made, &object(before));
    assert_eq!(back, Undo::By(vec![Action::Delete]));
    let after = state(json!({
        "/destination/properties/expected_bucket_owner": "111122223333",
        "/destination/tags": { "a": "b" },
    }));
    assert_eq!(PublishingDestination::undo(&Action::Delete, &object(after)), Undo::By(vec![made]));
}

#[test]
fn what_takes_a_way_back_back_is_the_write_of_the_run() {
    let owner = "/destination/properties/expected_bucket_owner";
    let before = state(json!({ owner: "111122223333" }));
    let key = "arn:aws:kms:eu-west-1:111122223333:key/2";
    for (declared, after) in [
        (
            json!({ "destination_arn": "arn:aws:s3:::archive/all" }),
            state(
                json!({ owner: "111122223333", "/destination/properties/destination_arn": "arn:aws:s3:::archive/all/" }),
            ),
        ),
        (
            json!({ "expected_bucket_owner": "444455556666" }),
            state(json!({ owner: "444455556666" })),
        ),
        (
            json!({ "kms_key_arn": "alias/new" }),
            state(json!({ owner: "111122223333", "/destination/properties/kms_key_arn": key })),
        ),
    ] {
        let new_key = json!({ "/declared_key/key": { "is": "missing" }, owner: "111122223333" });
        let there =
            if declared.get("kms_key_arn").is_some() { state(new_key) } else { before.clone() };
        let changes = diff(declared, there);
        let action = changes.last().unwrap().action.clone().unwrap();
        let Undo::By(back) =
            PublishingDestination::undo(&action, &Object::present("", before.clone()))
        else {
            unreachable!("it can be taken back")
        };
        let Undo::By(again) = PublishingDestination::undo(&back[0], &Object::present("", after))
        else {
            unreachable!("it can be done again")
        };
        assert!(PublishingDestination::is_same_write(&action, &again[0]), "{action:?} {again:?}");
    }
}

#[test]
fn another_place_or_key_moves_findings_and_an_owner_cannot_be_taken_away() {
    let there = state(json!({}));
    let change =
        diff(json!({ "destination_arn": "arn:aws:s3:::archive/all" }), there.clone()).remove(0);
    assert!(change.moves && change.risk == Risk::Disruptive, "{change:#?}");
    let before = Object::present("", there.clone());
    let undo = PublishingDestination::undo(change.action.as_ref().unwrap(), &before);
    let former = there.destination.as_ref().unwrap().properties.clone();
    assert_eq!(undo, Undo::By(vec![Action::Update(former.clone())]));
    let change = diff(json!({ "expected_bucket_owner": "111122223333" }), there).remove(0);
    assert!(!change.moves && change.risk == Risk::Safe && change.grants.is_empty(), "{change:#?}");
    let written = Properties { expected_bucket_owner: "111122223333".parse().ok(), ..former };
    assert_eq!(change.action, Some(Action::Update(written.clone())));
    let undo = PublishingDestination::undo(&Action::Update(written), &before);
    assert!(matches!(undo, Undo::Impossible(_)), "{undo:?}");
}

#[test]
fn a_bucket_or_a_key_of_another_account_is_a_rise() {
    let elsewhere = json!({ "destination_arn": "arn:aws:s3:::theirs", "expected_bucket_owner": "444455556666" });
    let change = diff(elsewhere, state(json!({ "/is_own_bucket": null }))).remove(0);
    assert_eq!(change.grants.len(), 1, "{change:#?}");
    assert_eq!(change.grants[0].class, GrantClass::Foreign);
    assert_eq!(change.grants[0].accounts, Some(["444455556666".parse().unwrap()].into()));
    let unnamed = json!({ "destination_arn": "arn:aws:s3:::theirs" });
    let change = diff(unnamed, state(json!({ "/is_own_bucket": false }))).remove(0);
    assert!(change.warnings.iter().any(|one| one.contains("must be by the time")), "{change:#?}");
    let key = "arn:aws:kms:eu-west-1:444455556666:key/9";
    let hidden = json!({ "/declared_key/key": { "is": "hidden" }, "/declared_key/policy": null });
    let change = diff(json!({ "kms_key_arn": key }), state(hidden)).remove(0);
    assert_eq!(change.grants[0].class, GrantClass::Foreign, "{change:#?}");
    let kept = json!({ "/destination/properties/expected_bucket_owner": "444455556666" });
    let change = diff(json!({ "destination_arn": "arn:aws:s3:::ours" }), state(kept)).remove(0);
    assert!(change.warnings.iter().any(|one| one.contains("exports nothing")), "{change:#?}");
}

#[test]
fn a_destination_that_does_not_publish_says_what_to_do() {
    for status in ["UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY", "STOPPED"] {
        let changes = diff(json!({}), state(json!({ "/destination/status": status })));
        assert_eq!((changes.len(), &changes[0].action), (1, &None), "{changes:#?}");
        let words = changes[0].withheld.as_ref().unwrap();
        for word in [status, "s3:PutObjectAcl", "kms:GenerateDataKey", "s3.bucket"] {
            assert!(words.contains(word), "{words}");
        }
    }
}

#[test]
fn a_key_that_is_of_no_use_is_said_before_and_after() {
    let cases = [
        (
            json!({ "/declared_key/key": { "is": "there", "arn": KEY, "is_own": false, "unusable": "it is off" } }),
            "it is off",
        ),
        (json!({ "/declared_key/policy": lets_in("other") }), "is let in by no statement"),
    ];
    for (changed, words) in cases {
        let now = diff(json!({}), state(changed.clone()));
        assert_eq!(fields(&now), ["kms_key_arn"], "{now:#?}");
        assert!(now[0].withheld.as_ref().unwrap().contains(words), "{now:#?}");
        let mut other = changed;
        other["/destination/properties/kms_key_arn"] =
            json!("arn:aws:kms:eu-west-1:111122223333:key/2");
        let change = diff(json!({}), state(other)).remove(0);
        let said = change.withheld.into_iter().chain(change.warnings).collect::<Vec<_>>().join(" ");
        assert!(said.contains(words), "{said}");
    }
    let unmade =
        json!({ "/declared_key": { "name": "alias/findings", "key": { "is": "missing" } } });
    let change = diff(json!({ "kms_key_arn": "alias/new" }), state(unmade)).remove(0);
    assert!(change.withheld.is_none(), "{change:#?}");
    assert!(change.warnings.iter().any(|one| one.contains("not there yet")), "{change:#?}");
    // Which detector will ask, nobody knows before there is one.
    let early = json!({ "/destination": null, "/detector_id": null, "/declared_key/policy": lets_in("other") });
    let change = diff(json!({}), state(early)).remove(0);
    assert!(change.warnings.iter().all(|one| !one.contains("policy of the key")), "{change:#?}");
}

#[test]
fn tags_are_set_and_taken_away_apart() {
    let there = state(json!({ "/destination/tags": { "a": "1", "b": "2" } }));
    let before = Object::present("", there.clone());
    let changes = diff(json!({ "tags": { "a": "9", "c": "3" } }), there);
    let actions: Vec<&Action> = changes.iter().filter_map(|one| one.action.as_ref()).collect();
    assert_eq!(actions.len(), 2, "{changes:#?}");
    let tags = |tags: Value| serde_json::from_value(tags).unwrap();
    assert_eq!(actions[1], &Action::Untag(tags(json!({ "b": "2" }))));
    assert_eq!(
        PublishingDestination::undo(actions[0], &before),
        Undo::By(vec![
            Action::Tag(tags(json!({ "a": "1" }))),
            Action::Untag(tags(json!({ "c": "3" }))),
        ])
    );
    let undo = PublishingDestination::undo(actions[1], &before);
    assert_eq!(undo, Undo::By(vec![Action::Tag(tags(json!({ "b": "2" })))]));
}

#[test]
fn what_guardduty_would_refuse_is_refused() {
    let problems = |fields: Value| PublishingDestination::check(&spec(fields)).len();
    assert_eq!(problems(json!({ "destination_arn": "arn:aws-cn:s3:::findings/a/b/" })), 0);
    for arn in
        ["findings", "arn:aws:s3:::", "arn:aws:s3:eu-west-1::findings", "arn:aws:sqs:::findings"]
    {
        assert_eq!(problems(json!({ "destination_arn": arn })), 1, "{arn}");
    }
    assert_eq!(problems(json!({ "kms_key_arn": "alias/aws/s3" })), 1);
    assert_eq!(problems(json!({ "tags": { "aws:x": "" } })), 1);
}

#[test]
fn what_is_exported_declares_what_is_there() {
    let there = state(json!({ "/destination/tags": { "a": "b" } }));
    let object = Object::present("", there.clone());
    let spec = PublishingDestination::export(&facts(), &object).unwrap();
    assert!(PublishingDestination::diff(&facts(), &spec, &object).is_empty());
    let none = Object::present("", state(json!({ "/destination": null })));
    assert!(PublishingDestination::export(&facts(), &none).is_none());
    let Some(there) = there.destination else { unreachable!("it is there") };
    let making = Making { properties: there.properties, tags: there.tags };
    let other = Making { tags: Default::default(), ..making.clone() };
    let same = |now| {
        PublishingDestination::is_same_write(&Action::Create(making.clone()), &Action::Create(now))
    };
    assert!(same(making.clone()) && !same(other));
}
