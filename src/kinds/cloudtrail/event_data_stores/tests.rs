use serde_json::{Value, json};

use super::*;
use crate::kinds::shapes::Inspect;
use crate::kinds::{Kind, compared};

fn store(changed: Value) -> Value {
    let mut store = json!({
        "status": "ENABLED",
        "retention_period": 366,
        "termination_protection": true,
        "multi_region": true,
        "organization": false,
        "federation": "DISABLED",
        "kms_key_id": "arn:aws:kms:eu-west-1:111122223333:key/1",
        "advanced_event_selectors": [
            { "field_selectors": [{ "field": "eventCategory", "equals": ["Management"] }] },
        ],
    });
    for (name, value) in changed.as_object().unwrap() {
        store[name] = value.clone();
    }
    store
}

fn observed(stores: Value) -> Object<State> {
    Object::present("", serde_json::from_value::<State>(json!({ "stores": stores })).unwrap())
}

fn fields(spec: Value, stores: Value) -> Vec<String> {
    let spec: Spec = serde_json::from_value(spec).unwrap();
    let facts = Facts::example(EventDataStores::NAME);
    let changes = Inspect::<EventDataStores>::diff(&facts, &spec, &observed(stores));
    assert!(
        changes.iter().all(|one| one.withheld.as_ref().is_some_and(|what| !what.contains("NAME")))
    );
    changes.into_iter().flat_map(|change| change.drift).map(|one| one.field).collect()
}

#[test]
fn every_question_finds_the_store_that_is_weak_there_and_no_other() {
    for (spec, weak) in [
        (json!({ "min_retention_period": 366 }), json!({ "retention_period": 365 })),
        (
            json!({ "require_termination_protection": true }),
            json!({ "termination_protection": false }),
        ),
        (json!({ "require_kms_key": true }), json!({ "kms_key_id": null })),
        (json!({ "require_multi_region": true }), json!({ "multi_region": false })),
        (json!({ "require_ingestion": true }), json!({ "status": "STOPPED_INGESTION" })),
        (json!({ "require_ingestion": true }), json!({ "status": "STOPPING_INGESTION" })),
        (json!({ "require_ingestion": true }), json!({ "status": "PENDING_DELETION" })),
        (json!({ "require_ingestion": true }), json!({ "status": "CREATED" })),
        (json!({ "allow_federation": false }), json!({ "federation": "ENABLED" })),
        (json!({ "allow_federation": false }), json!({ "federation": "ENABLING" })),
    ] {
        let stores = json!({ "good": store(json!({})), "weak": store(weak) });
        let field = spec.as_object().unwrap().keys().next().unwrap().clone();
        assert_eq!(fields(spec, stores), [format!("{field}.weak")]);
    }
    let one = json!({ "a": store(json!({})) });
    assert_eq!(fields(json!({ "require_organization": true }), one), ["require_organization.a"]);
}

#[test]
fn what_nobody_asks_is_no_finding_and_what_goes_is_asked_one_thing() {
    let worst = store(json!({
        "status": "PENDING_DELETION", "retention_period": 7, "termination_protection": false, "kms_key_id": null,
        "multi_region": false, "federation": "ENABLED",
    }));
    let off = json!({
        "require_termination_protection": false, "require_kms_key": false, "require_multi_region": false,
        "require_organization": false, "require_ingestion": false, "record_all_management_events": false,
        "allow_federation": true, "expected_stores": {},
    });
    assert!(fields(off, json!({ "a": worst })).is_empty());
    let all = json!({
        "min_retention_period": 90, "require_termination_protection": true, "require_kms_key": true,
        "require_multi_region": true, "require_ingestion": true, "allow_federation": false,
    });
    assert_eq!(fields(all, json!({ "a": worst })), ["require_ingestion.a"]);
}

#[test]
fn a_store_that_must_be_there_takes_in_what_is_declared() {
    let both = json!([
        { "name": "renamed", "field_selectors": [{ "field": "eventCategory", "equals": ["Management"] }] },
    ]);
    let writes = json!([{ "field_selectors": [
        { "field": "eventCategory", "equals": ["Management"] }, { "field": "readOnly", "equals": ["false"] },
    ] }]);
    for (expected, there, found) in [
        (json!({}), json!({}), None),
        (json!({}), json!({ "status": "PENDING_DELETION" }), Some("expected_stores.audit")),
        (json!({ "advanced_event_selectors": both }), json!({}), None),
        (
            json!({ "advanced_event_selectors": both }),
            json!({ "advanced_event_selectors": writes }),
            Some("expected_stores.audit.advanced_event_selectors"),
        ),
    ] {
        let spec = json!({ "expected_stores": { "audit": expected } });
        let fields = fields(spec, json!({ "audit": store(there) }));
        assert_eq!(fields, found.into_iter().collect::<Vec<_>>());
    }
    let missing = json!({ "expected_stores": { "audit": {} } });
    assert_eq!(fields(missing, json!({})), ["expected_stores.audit"]);
}

#[test]
fn one_store_that_takes_in_every_management_event_is_enough() {
    let spec = || json!({ "record_all_management_events": true });
    let some = json!({ "advanced_event_selectors": [{ "field_selectors": [
        { "field": "eventCategory", "equals": ["Management"] },
        { "field": "eventSource", "not_equals": ["kms.amazonaws.com"] },
    ] }] });
    let found = ["record_all_management_events"];
    assert_eq!(fields(spec(), json!({})), found);
    assert_eq!(fields(spec(), json!({ "a": store(some.clone()) })), found);
    assert_eq!(
        fields(spec(), json!({ "a": store(json!({ "status": "STOPPED_INGESTION" })) })),
        found
    );
    assert!(fields(spec(), json!({ "a": store(some), "b": store(json!({})) })).is_empty());
}

#[test]
fn what_is_declared_is_compared_and_what_is_exported_finds_nothing() {
    let facts = Facts::example(EventDataStores::NAME);
    for stores in [
        json!({}),
        json!({ "a": store(json!({ "retention_period": 90, "federation": "ENABLED" })) }),
        json!({ "a": store(json!({ "organization": true })), "b": store(json!({ "status": "PENDING_DELETION" })) }),
    ] {
        let object = observed(stores);
        let spec = EventDataStores::export(&facts, &object).unwrap();
        let (changes, fields) =
            compared::during(|| Inspect::<EventDataStores>::diff(&facts, &spec, &object));
        assert!(changes.is_empty(), "{changes:#?}");
        let declared = serde_json::to_value(&spec).unwrap();
        for field in declared.as_object().unwrap().keys() {
            assert!(fields.contains(field), "{field}");
        }
    }
}

#[test]
fn a_condition_that_says_nothing_is_refused() {
    let spec = |condition: Value| {
        serde_json::from_value::<Spec>(json!({ "expected_stores": { "audit": {
            "advanced_event_selectors": [{ "field_selectors": [condition] }],
        } } }))
        .unwrap()
    };
    assert_eq!(EventDataStores::check(&spec(json!({ "field": "eventName" }))).len(), 1);
    let fine = spec(json!({ "field": "eventName", "equals": ["PutObject"] }));
    assert!(EventDataStores::check(&fine).is_empty());
}
