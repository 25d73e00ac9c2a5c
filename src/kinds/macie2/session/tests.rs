use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::allow_lists::{self, AllowLists, Code};
use super::discovery::{self, AutomatedDiscovery};
use super::identifiers::{self, Identifiers};
use super::jobs::{Job, JobStatus, Jobs};
use super::publication::{Publication, Published};
use super::results::{self, Results};
use super::spec::{AutoEnable, Discovery};
use super::status::{Now, On};
use super::*;
use crate::aws::error::Detail;
use crate::kinds::kms::let_in::Keyed;
use crate::kinds::kms::named::Named;
use crate::kinds::shapes::part::{Action, Part, State};
use crate::kinds::tags::Tags;
use crate::kinds::{GrantClass, Needs, Risk, Undo, compared};
use crate::names::Region;

const KEY: &str = "arn:aws:kms:eu-west-1:111122223333:key/0123abcd-01ab-23cd-45ef-0123456789ab";

fn spec(fields: Value) -> Spec {
    let mut all = json!({ "status": "ENABLED" });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn on(status: Status, administrator: Option<&str>) -> State<Session> {
    let administrator = administrator.map(str::to_owned);
    State::at(Place {}).with::<On>(&Now { status, administrator })
}

fn with<P: Part<Of = Session>>(now: &P::Now) -> Object<State<Session>> {
    Object::present("", on(Status::Enabled, None).with::<P>(now))
}

fn diff(spec: &Spec, object: &Object<State<Session>>) -> Vec<Change<Action<Session>>> {
    let facts = Facts::example(Session::NAME);
    compared::during(|| Session::diff(&facts, spec, object)).0
}

fn operations(changes: &[Change<Action<Session>>]) -> Vec<&'static str> {
    let actions = changes.iter().filter_map(|one| one.action.as_ref());
    actions.map(|action| Session::calls(action)[0].operation).collect()
}

/// The way back of the first change, and that its own way back is the change again.
fn goes_back(changes: &[Change<Action<Session>>], before: &Object<State<Session>>) -> Value {
    let action = changes[0].action.as_ref().unwrap();
    let Undo::By(back) = Session::undo(action, before) else { panic!("as it was") };
    json!(back[0].step)["write"]["write"].clone()
}

#[test]
fn macie_is_enabled_with_what_it_takes_and_the_rest_follows() {
    let absent = Object::absent("");
    let wanted = spec(json!({
        "finding_publishing_frequency": "ONE_HOUR", "automated_discovery": "DISABLED",
        "publish_classification_findings": true, "allow_lists": {},
        "classification_export": { "bucket_name": "results", "kms_key_arn": "alias/macie" },
    }));
    let changes = diff(&wanted, &absent);
    assert_eq!(
        operations(&changes),
        [
            "EnableMacie",
            "PutFindingsPublicationConfiguration",
            "PutClassificationExportConfiguration",
            // What it begins with nobody knows.
            "UpdateAutomatedDiscoveryConfiguration",
        ]
    );
    assert!(changes[1..].iter().all(|change| change.needs == Needs::Only(vec![0])), "{changes:?}");
    assert!(changes[0].warnings[0].contains("each bucket"), "{:?}", changes[0].warnings);
    assert_eq!(changes[0].charges, [Charge::MacieBucket]);
    let Undo::Impossible(_) = Session::undo(changes[0].action.as_ref().unwrap(), &absent) else {
        panic!("evenkeel does not disable what it enabled");
    };
    let silent = diff(&spec(json!({})), &absent);
    assert!(silent[0].warnings[1].contains("declare automated_discovery"), "{silent:?}");
    assert!(diff(&spec(json!({ "status": "PAUSED" })), &absent)[0].charges.is_empty());
    assert!(diff(&spec(json!({ "status": "DISABLED" })), &absent).is_empty());
}

#[test]
fn suspending_is_disruptive_and_disabling_loses_everything() {
    let now = Object::present("", on(Status::Enabled, None));
    let paused = diff(&spec(json!({ "status": "PAUSED" })), &now);
    assert_eq!(operations(&paused), ["UpdateMacieSession"]);
    assert_eq!(paused[0].risk, Risk::Disruptive);
    assert_eq!(goes_back(&paused, &now), "ENABLED");
    let gone = diff(&spec(json!({ "status": "DISABLED" })), &now);
    assert_eq!(operations(&gone), ["DisableMacie"]);
    assert_eq!(gone[0].risk, Risk::Destructive);
    let action = gone[0].action.as_ref().unwrap();
    assert!(matches!(Session::undo(action, &now), Undo::Impossible(_)));
    let resumed = diff(&spec(json!({})), &Object::present("", on(Status::Paused, None)));
    assert_eq!(resumed[0].risk, Risk::Safe);
    assert_eq!(resumed[0].charges, [Charge::MacieBucket]);
}

#[test]
fn in_a_member_the_administrator_decides_on_status_and_discovery_and_on_nothing_else() {
    let administrator = Some("444455556666");
    let discovery = discovery::Now {
        status: Some(Discovery::Disabled),
        auto_enable_organization_members: None,
        administrator: administrator.map(str::to_owned),
    };
    let state = on(Status::Paused, administrator)
        .with::<AutomatedDiscovery>(&discovery)
        .with::<Publication>(&Published::default());
    let wanted = spec(json!({
        "automated_discovery": "ENABLED", "publish_classification_findings": true,
    }));
    let changes = diff(&wanted, &Object::present("", state));
    assert_eq!(operations(&changes), ["PutFindingsPublicationConfiguration"]);
    let withheld: Vec<_> = changes.iter().filter_map(|one| one.withheld.as_deref()).collect();
    assert_eq!(withheld.len(), 2);
    for words in withheld {
        assert!(words.starts_with("managed by the Macie administrator account 444455556666"));
    }
}

#[test]
fn what_is_not_declared_of_a_write_stays_as_it_is() {
    let now = discovery::Now {
        status: Some(Discovery::Enabled),
        auto_enable_organization_members: Some(AutoEnable::New),
        administrator: None,
    };
    let object = with::<AutomatedDiscovery>(&now);
    let changes = diff(&spec(json!({ "automated_discovery": "DISABLED" })), &object);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(
        json!(changes[0].action.as_ref().unwrap().step)["write"]["write"],
        json!({ "status": "DISABLED", "auto_enable_organization_members": "NEW" })
    );
    assert_eq!(
        goes_back(&changes, &object),
        json!({ "status": "ENABLED", "auto_enable_organization_members": "NEW" })
    );
    let wider = diff(&spec(json!({ "auto_enable_organization_members": "ALL" })), &object);
    assert!(wider[0].warnings[0].contains("each account"), "{wider:?}");
    let published = with::<Publication>(&Published { policy: true, classification: true });
    let changes = diff(&spec(json!({ "publish_policy_findings": false })), &published);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(
        json!(changes[0].action.as_ref().unwrap().step)["write"]["write"],
        json!({ "policy": false, "classification": true })
    );
}

fn exported(there: Option<Value>, key: Named, is_own_bucket: Option<bool>) -> results::Now {
    results::Now {
        there: there.map(|there| serde_json::from_value(there).unwrap()),
        declared_key: Some(Keyed { name: "alias/macie".to_owned(), key, policy: None }),
        is_own_bucket,
    }
}

fn there(unusable: Option<&str>) -> Named {
    Named::There { arn: KEY.to_owned(), is_own: false, unusable: unusable.map(str::to_owned) }
}

#[test]
fn results_go_elsewhere_with_what_is_not_declared_and_back() {
    let now = json!({ "bucket_name": "former", "key_prefix": "macie", "kms_key_arn": KEY, "expected_bucket_owner": "999988887777" });
    let object = with::<Results>(&exported(Some(now.clone()), there(None), Some(true)));
    let wanted = json!({ "bucket_name": "results", "kms_key_arn": "alias/macie" });
    let wanted = spec(json!({ "classification_export": wanted }));
    let changes = diff(&wanted, &object);
    assert_eq!(changes.len(), 1);
    assert!(changes[0].moves && changes[0].risk == Risk::Disruptive, "{changes:?}");
    assert_eq!(
        json!(changes[0].action.as_ref().unwrap().step)["write"]["write"]["to"],
        // An owner is the owner of one bucket.
        json!({ "bucket_name": "results", "key_prefix": "macie", "kms_key_arn": KEY })
    );
    assert_eq!(goes_back(&changes, &object)["to"], now);
    let first = with::<Results>(&exported(None, there(None), Some(true)));
    assert_eq!(goes_back(&diff(&wanted, &first), &first), json!({}));
}

#[test]
fn a_bucket_of_somebody_else_and_a_key_that_is_of_no_use_are_said() {
    let wanted = |fields: Value| {
        let mut export = json!({ "bucket_name": "results", "kms_key_arn": "alias/macie" });
        export.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        spec(json!({ "classification_export": export }))
    };
    let none = |key| with::<Results>(&exported(None, key, Some(false)));
    let foreign =
        diff(&wanted(json!({ "expected_bucket_owner": "999988887777" })), &none(there(None)));
    assert_eq!(foreign[0].grants[0].class, GrantClass::Foreign);
    let changes = diff(&wanted(json!({})), &none(there(None)));
    assert!(changes[0].warnings.iter().any(|one| one.contains("not among those")), "{changes:?}");
    let changes = diff(&wanted(json!({})), &none(Named::Missing));
    assert!(changes[0].warnings.iter().any(|one| one.contains("not there yet")), "{changes:?}");
    let changes = diff(&wanted(json!({})), &none(there(Some("it is disabled"))));
    assert!(changes[0].action.is_none() && changes[0].withheld.is_some(), "{changes:?}");
    let there_already = json!({ "bucket_name": "results", "kms_key_arn": KEY });
    let now = exported(Some(there_already.clone()), there(Some("it is disabled")), Some(true));
    let changes = diff(&wanted(json!({})), &with::<Results>(&now));
    assert!(changes[0].withheld.as_ref().unwrap().contains("no result is kept"), "{changes:?}");
    let now = exported(Some(there_already), there(None), Some(true));
    assert!(diff(&wanted(json!({})), &with::<Results>(&now)).is_empty());
}

#[test]
fn a_planned_alias_is_the_key_that_has_it_by_then() {
    let write = |bucket: &str, key: &str| {
        let to = json!({ "to": { "bucket_name": bucket, "kms_key_arn": key } });
        serde_json::from_value::<results::Write>(to).unwrap()
    };
    let now = write("results", KEY);
    for (key, same) in [
        ("alias/macie", true),
        ("0123abcd-01ab-23cd-45ef-0123456789ab", true),
        (KEY, true),
        ("0123abcd-01ab-23cd-45ef-000000000000", false),
    ] {
        assert_eq!(<Results as Part>::is_same(&write("results", key), &now), same, "{key}");
        assert!(!<Results as Part>::is_same(&write("other", key), &now));
    }
}

fn identifier(fields: Value) -> Value {
    let mut all = json!({ "regex": "[0-9]{8}", "maximum_match_distance": 50 });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    all
}

fn identified(there: &[(&str, Value)]) -> Object<State<Session>> {
    let mut now: BTreeMap<String, Vec<identifiers::There>> = BTreeMap::new();
    for (name, one) in there {
        now.entry((*name).to_owned()).or_default().push(identifiers::There {
            custom_data_identifier_id: "x".to_owned(),
            identifier: serde_json::from_value(one.clone()).unwrap(),
            tags: Tags::from([("team".to_owned(), "a".to_owned())]),
        });
    }
    with::<Identifiers>(&now)
}

#[test]
fn an_identifier_that_differs_is_made_anew_with_its_tags_and_description() {
    let wanted =
        |fields| spec(json!({ "custom_data_identifiers": { "orders": identifier(fields) } }));
    let now = identified(&[(
        "orders",
        identifier(json!({ "description": "d", "ignore_words": ["11111111"] })),
    )]);
    let changes = diff(&wanted(json!({})), &now);
    assert_eq!(operations(&changes), ["DeleteCustomDataIdentifier", "CreateCustomDataIdentifier"]);
    assert_eq!(changes[1].needs, Needs::Only(vec![0]));
    assert_eq!(changes[1].drift[0].field, "custom_data_identifiers.orders.ignore_words");
    let made = json!(changes[1].action.as_ref().unwrap().step)["write"]["write"]["create"].clone();
    assert_eq!(made["tags"], json!({ "team": "a" }));
    assert_eq!(made["identifier"]["description"], "d");
    let back = goes_back(&changes, &now);
    assert_eq!(back["create"]["identifier"]["ignore_words"], json!(["11111111"]));
    // Nobody can say which of two it was.
    let two = identified(&[
        ("orders", identifier(json!({ "regex": "a" }))),
        ("orders", identifier(json!({ "regex": "b" }))),
    ]);
    assert_eq!(operations(&diff(&wanted(json!({})), &two)), ["CreateCustomDataIdentifier"]);
    let none = diff(&wanted(json!({})), &identified(&[]));
    assert_eq!(operations(&none), ["CreateCustomDataIdentifier"]);
    assert!(goes_back(&none, &identified(&[]))["delete"].is_object());
}

#[test]
fn what_macie_has_by_itself_of_an_identifier_is_no_drift() {
    let wanted = spec(json!({ "custom_data_identifiers": { "orders": { "regex": "[0-9]{8}" } } }));
    for there in [
        json!({}),
        json!({ "description": "not declared" }),
        json!({ "severity_levels": { "MEDIUM": 1 } }),
    ] {
        assert!(
            diff(&wanted, &identified(&[("orders", identifier(there.clone()))])).is_empty(),
            "{there}"
        );
    }
    for there in [
        json!({ "regex": "[0-9]{9}" }),
        json!({ "keywords": ["order"] }),
        json!({ "ignore_words": ["order"] }),
        json!({ "maximum_match_distance": 1 }),
        json!({ "severity_levels": { "LOW": 1 } }),
    ] {
        assert!(
            !diff(&wanted, &identified(&[("orders", identifier(there.clone()))])).is_empty(),
            "{there}"
        );
    }
}

fn allowed(there: &[(&str, Value, Code)]) -> Object<State<Session>> {
    let mut now: BTreeMap<String, Vec<allow_lists::There>> = BTreeMap::new();
    for (name, list, status) in there {
        now.entry((*name).to_owned()).or_default().push(allow_lists::There {
            allow_list_id: "0123456789abcdefghijkl".to_owned(),
            list: serde_json::from_value(list.clone()).unwrap(),
            status: *status,
        });
    }
    with::<AllowLists>(&now)
}

#[test]
fn what_macie_is_not_to_report_is_all_that_is_declared() {
    let regex = |regex: &str| json!({ "regex": regex });
    let words = json!({ "s3_words_list": { "bucket_name": "bucket", "object_key": "words" } });
    let wanted = |lists: Value| spec(json!({ "allow_lists": lists }));
    let now = allowed(&[("a", regex("1"), Code::Ok)]);
    let changes = diff(&wanted(json!({ "a": regex("2") })), &now);
    assert_eq!(operations(&changes), ["UpdateAllowList"]);
    assert_eq!(goes_back(&changes, &now)["update"]["list"], regex("1"));
    let made = diff(&wanted(json!({ "a": regex("1"), "b": words })), &now);
    assert_eq!(operations(&made), ["CreateAllowList"]);
    assert!(goes_back(&made, &now)["delete"].is_object());
    assert!(diff(&wanted(json!({ "a": regex("1") })), &now).is_empty());
    for (lists, there, says) in [
        (json!({}), now.clone(), "delete-allow-list --id 0123456789abcdefghijkl"),
        (json!({ "a": words }), now, "does not change the type"),
        (
            json!({ "a": words }),
            allowed(&[("a", words.clone(), Code::ObjectNotFound)]),
            "S3_OBJECT_NOT_FOUND",
        ),
        (
            json!({ "a": regex("1") }),
            allowed(&[("a", regex("1"), Code::Ok), ("a", regex("1"), Code::Ok)]),
            "2 lists",
        ),
    ] {
        let changes = diff(&wanted(lists), &there);
        assert!(changes[0].action.is_none(), "{changes:?}");
        assert!(changes[0].withheld.as_ref().unwrap().contains(says), "{changes:?}");
    }
}

#[test]
fn a_job_that_is_not_at_work_is_said() {
    let wanted = spec(json!({ "classification_jobs": ["weekly"] }));
    let now = |jobs: &[(JobStatus, bool)]| {
        let jobs = jobs.iter().map(|(status, failed)| Job { status: *status, failed: *failed });
        with::<Jobs>(&BTreeMap::from([("weekly".to_owned(), jobs.collect())]))
    };
    for status in [JobStatus::Idle, JobStatus::Running, JobStatus::Complete] {
        assert!(diff(&wanted, &now(&[(status, false)])).is_empty());
        assert!(!diff(&wanted, &now(&[(status, true)])).is_empty());
        assert!(diff(&wanted, &now(&[(status, false), (JobStatus::Cancelled, false)])).is_empty());
    }
    for (jobs, says) in [
        (&[(JobStatus::Cancelled, false)][..], "anew"),
        (&[(JobStatus::UserPaused, false)], "resume"),
        (&[(JobStatus::Paused, false)], "quota"),
        (&[(JobStatus::Idle, true)], "went wrong"),
        (&[], "evenkeel makes none"),
    ] {
        let changes = diff(&wanted, &now(jobs));
        assert!(changes[0].withheld.as_ref().unwrap().contains(says), "{changes:?}");
    }
}

#[test]
fn macie_says_in_two_ways_that_it_is_off_and_a_permission_is_another_thing() {
    let error = |code: &str, message: &str| {
        AwsError::new(Detail {
            after_loss: false,
            account: None,
            region: Region::new("eu-west-1"),
            call: GET,
            code: code.to_owned(),
            message: message.to_owned(),
            status: Some(403),
            request_id: None,
            class: ErrorClass::of(code, message, Some(403)),
        })
    };
    assert!(is_off(&error("AccessDeniedException", "Macie is not enabled.")));
    assert!(is_off(&error("ResourceNotFoundException", "The request failed.")));
    let denied = "User: x is not authorized to perform: macie2:GetMacieSession";
    assert!(!is_off(&error("AccessDeniedException", denied)));
}

#[test]
fn export_declares_what_is_there_once_and_is_in_sync_with_it() {
    let one = identifier(json!({ "severity_levels": { "LOW": 2 } }));
    let object = identified(&[("orders", one.clone()), ("twice", one.clone()), ("twice", one)]);
    let exported = Session::export(&Facts::example(Session::NAME), &object).unwrap();
    assert_eq!(exported.custom_data_identifiers.as_ref().unwrap().len(), 1);
    assert!(diff(&exported, &object).is_empty());
    let lists = allowed(&[("a", json!({ "regex": "1" }), Code::Ok)]);
    let exported = Session::export(&Facts::example(Session::NAME), &lists).unwrap();
    assert!(diff(&exported, &lists).is_empty() && exported.allow_lists.is_some());
}

#[test]
fn what_macie_refuses_and_what_it_has_not_while_it_is_off_is_said() {
    for (fields, field) in [
        (json!({}), None),
        (json!({ "status": "DISABLED" }), None),
        (json!({ "status": "DISABLED", "allow_lists": {} }), Some("allow_lists")),
        (
            json!({ "classification_export": { "bucket_name": "b", "kms_key_arn": "a key" } }),
            Some("classification_export.kms_key_arn"),
        ),
        (
            json!({ "custom_data_identifiers": { "a": { "regex": "1", "keywords": ["no"] } } }),
            Some("custom_data_identifiers.a.keywords"),
        ),
        (
            json!({ "custom_data_identifiers": { "a": { "regex": "1", "ignore_words": ["not"] } } }),
            Some("custom_data_identifiers.a.ignore_words"),
        ),
        (
            json!({ "custom_data_identifiers": { "a": { "regex": "1", "severity_levels": { "LOW": 9, "HIGH": 9 } } } }),
            Some("custom_data_identifiers.a.severity_levels"),
        ),
        (json!({ "allow_lists": { "a": {} } }), Some("allow_lists.a")),
    ] {
        let problems = Session::check(&spec(fields.clone()));
        let first = problems.first().map(|one| one.field.as_str());
        assert_eq!(first, field, "{fields}");
    }
}
