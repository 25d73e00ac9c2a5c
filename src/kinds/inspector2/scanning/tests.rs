use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::cis::{self, CisScans};
use super::deep::{self, DeepInspection};
use super::ec2::Instances;
use super::ecr::{self, Images, Rescans};
use super::organization::{AutoEnableMembers, Scanned};
use super::spec::{PullDateRescanDuration, RescanDuration, ScanMode};
use super::types::{Scans, Types, class};
use super::*;
use crate::aws::ErrorClass;
use crate::kinds::shapes::part::{Action, Part, State};
use crate::kinds::{Risk, Undo, compared};

fn spec(types: &[&str], fields: Value) -> Spec {
    let mut all = json!({ "resource_types": types });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

fn scanning(types: &[(ResourceType, Scans)]) -> Object<State<Scanning>> {
    let types: BTreeMap<ResourceType, Scans> = types.iter().copied().collect();
    Object::present("", State::at(Place {}).with::<Types>(&types))
}

fn with<P: Part<Of = Scanning>>(now: &P::Now) -> Object<State<Scanning>> {
    let types = BTreeMap::from([(ResourceType::Ec2, Scans::Enabled)]);
    Object::present("", State::at(Place {}).with::<Types>(&types).with::<P>(now))
}

fn diff(spec: &Spec, object: &Object<State<Scanning>>) -> Vec<Change<Action<Scanning>>> {
    let facts = Facts::example(Scanning::NAME);
    compared::during(|| Scanning::diff(&facts, spec, object)).0
}

fn operations(changes: &[Change<Action<Scanning>>]) -> Vec<&'static str> {
    let actions = changes.iter().filter_map(|one| one.action.as_ref());
    actions.map(|action| Scanning::calls(action)[0].operation).collect()
}

fn written(change: &Change<Action<Scanning>>) -> Value {
    json!(change.action.as_ref().unwrap().step)["write"]["write"].clone()
}

fn back(change: &Change<Action<Scanning>>, before: &Object<State<Scanning>>) -> Value {
    let action = change.action.as_ref().unwrap();
    let Undo::By(back) = Scanning::undo(action, before) else { panic!("as it was") };
    json!(back[0].step)["write"]["write"].clone()
}

#[test]
fn inspector_is_enabled_with_what_is_to_be_scanned_and_goes_back_as_a_whole() {
    let absent = Object::absent("");
    let wanted = spec(&["EC2", "ECR"], json!({ "ec2_scan_mode": "EC2_HYBRID" }));
    let changes = diff(&wanted, &absent);
    // What it begins with nobody knows.
    assert_eq!(operations(&changes), ["Enable", "UpdateConfiguration"]);
    assert_eq!(changes[0].charges, [Charge::InspectorInstance, Charge::InspectorImage]);
    assert!(changes[0].warnings[0].contains("each instance, image"), "{changes:?}");
    let made = changes[0].action.as_ref().unwrap();
    assert_eq!(back(&changes[0], &absent), json!({ "disable": [] }));
    let now = scanning(&[
        (ResourceType::Ec2, Scans::Enabled),
        (ResourceType::Ecr, Scans::Enabled),
        (ResourceType::Lambda, Scans::Disabled),
    ]);
    let Undo::By(off) = Scanning::undo(made, &absent) else { panic!("off") };
    let Undo::By(again) = Scanning::undo(&off[0], &now) else { panic!("on again") };
    assert!(Scanning::is_same_write(made, &again[0]));
    assert!(diff(&spec(&[], json!({ "exclusive": true })), &absent).is_empty());
}

#[test]
fn types_are_turned_on_and_off_only_where_nothing_else_is_to_be_scanned() {
    let now = scanning(&[
        (ResourceType::Ec2, Scans::Enabled),
        (ResourceType::Ecr, Scans::Suspended),
        (ResourceType::Lambda, Scans::Disabled),
    ]);
    let wanted = spec(&["ECR", "LAMBDA"], json!({}));
    let changes = diff(&wanted, &now);
    assert_eq!(operations(&changes), ["Enable"]);
    assert_eq!(written(&changes[0]), json!({ "enable": ["ECR", "LAMBDA"] }));
    assert_eq!(back(&changes[0], &now), json!({ "disable": ["ECR", "LAMBDA"] }));
    let changes = diff(&spec(&["ECR", "LAMBDA"], json!({ "exclusive": true })), &now);
    assert_eq!(operations(&changes), ["Enable", "Disable"]);
    assert_eq!(changes[1].risk, Risk::Destructive);
    assert_eq!(written(&changes[1]), json!({ "disable": ["EC2"] }));
    assert_eq!(back(&changes[1], &now), json!({ "enable": ["EC2"] }));
    let off = diff(&spec(&[], json!({ "exclusive": true })), &now);
    assert_eq!(operations(&off), ["Disable"]);
    // What is off as a whole comes back as it was.
    let all = Action {
        place: Place {},
        step: serde_json::from_value(
            json!({ "write": { "part": "resource_types", "write": { "disable": [] } } }),
        )
        .unwrap(),
    };
    let Undo::By(on) = Scanning::undo(&all, &now) else { panic!("on") };
    assert_eq!(json!(on[0].step)["write"]["write"], json!({ "enable": ["EC2"] }));
}

#[test]
fn what_a_region_lacks_is_said_where_it_is_declared() {
    let now = scanning(&[(ResourceType::Ec2, Scans::Enabled)]);
    let changes = diff(&spec(&["EC2", "CODE_REPOSITORY"], json!({})), &now);
    assert_eq!(changes.len(), 1);
    assert!(changes[0].withheld.as_ref().unwrap().contains("lacks it"), "{changes:?}");
}

#[test]
fn a_section_is_written_as_a_whole_and_goes_back() {
    let rescans = Rescans {
        rescan_duration: RescanDuration::Days14,
        pull_date_rescan_duration: Some(PullDateRescanDuration::Days30),
        pull_date_rescan_mode: None,
    };
    let now = with::<Images>(&ecr::Now { there: Some(rescans), failed: false });
    let wanted = |fields| spec(&["EC2"], fields);
    let changes = diff(&wanted(json!({ "ecr_rescan_duration": "LIFETIME" })), &now);
    assert_eq!(
        written(&changes[0]),
        json!({ "rescan_duration": "LIFETIME", "pull_date_rescan_duration": "DAYS_30" })
    );
    assert_eq!(
        back(&changes[0], &now),
        json!({ "rescan_duration": "DAYS_14", "pull_date_rescan_duration": "DAYS_30" })
    );
    let same = wanted(json!({ "ecr_rescan_duration": "DAYS_14" }));
    assert!(diff(&same, &now).is_empty());
    let failed = with::<Images>(&ecr::Now { there: Some(rescans), failed: true });
    assert_eq!(operations(&diff(&same, &failed)), ["UpdateConfiguration"]);
    let alone = diff(
        &wanted(json!({ "ecr_pull_date_rescan_mode": "LAST_PULL_DATE" })),
        &Object::absent(""),
    );
    assert!(alone[1].withheld.as_ref().unwrap().contains("ecr_rescan_duration"), "{alone:?}");
    let hybrid = with::<Instances>(&Some(ScanMode::Hybrid));
    let changes = diff(&wanted(json!({ "ec2_scan_mode": "EC2_SSM_AGENT_BASED" })), &hybrid);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(back(&changes[0], &hybrid), "EC2_HYBRID");
}

#[test]
fn deep_inspection_is_written_by_what_differs() {
    let now = deep::Now {
        active: Some(true),
        package_paths: Some(["/opt/a".to_owned()].into()),
        failed: None,
    };
    let object = with::<DeepInspection>(&now);
    let wanted = |fields| spec(&["EC2"], fields);
    let more = diff(
        &wanted(json!({ "deep_inspection": true, "package_paths": ["/opt/a", "/srv"] })),
        &object,
    );
    assert_eq!(more[0].risk, Risk::Safe);
    assert_eq!(written(&more[0]), json!({ "package_paths": ["/opt/a", "/srv"] }));
    assert_eq!(back(&more[0], &object), json!({ "package_paths": ["/opt/a"] }));
    for fewer in [json!({ "deep_inspection": false }), json!({ "package_paths": ["/srv"] })] {
        assert_eq!(diff(&wanted(fewer), &object)[0].risk, Risk::Disruptive);
    }
    let failed = deep::Now { failed: Some("no agent".to_owned()), ..deep::Now::default() };
    let changes =
        diff(&wanted(json!({ "deep_inspection": true })), &with::<DeepInspection>(&failed));
    assert!(changes[0].action.is_none(), "{changes:?}");
}

fn scan(fields: Value) -> Value {
    let mut all = json!({
        "security_level": "LEVEL_1",
        "schedule": { "daily": { "start_time": { "time_of_day": "03:00", "timezone": "UTC" } } },
        "target_resource_tags": { "cis": ["yes"] },
    });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    all
}

fn scans(there: &[(&str, Option<Value>, bool)]) -> Object<State<Scanning>> {
    let mut now: BTreeMap<String, Vec<cis::There>> = BTreeMap::new();
    for (name, one, is_own) in there {
        now.entry((*name).to_owned()).or_default().push(cis::There {
            scan_configuration_arn: "arn".to_owned(),
            scan: one.clone().map(|one| serde_json::from_value(one).unwrap()),
            is_own: *is_own,
        });
    }
    with::<CisScans>(&now)
}

#[test]
fn scans_of_cis_are_made_and_put_right_and_others_left_alone() {
    let wanted = spec(&["EC2"], json!({ "cis_scans": { "a": scan(json!({})) } }));
    let none = scans(&[("b", Some(scan(json!({}))), true)]);
    let made = diff(&wanted, &none);
    assert_eq!(operations(&made), ["CreateCisScanConfiguration"]);
    assert!(back(&made[0], &none)["delete"].is_object());
    assert!(diff(&wanted, &scans(&[("a", Some(scan(json!({}))), true)])).is_empty());
    let other =
        scans(&[("a", Some(scan(json!({ "target_resource_tags": { "cis": ["no"] } }))), true)]);
    let changes = diff(&wanted, &other);
    assert_eq!(operations(&changes), ["UpdateCisScanConfiguration"]);
    assert_eq!(changes[0].drift[0].field, "cis_scans.a.target_resource_tags");
    assert_eq!(
        back(&changes[0], &other)["update"]["scan"]["target_resource_tags"],
        json!({ "cis": ["no"] })
    );
    for there in [scans(&[("a", None, true)]), scans(&[("a", Some(scan(json!({}))), false)])] {
        let changes = diff(&wanted, &there);
        assert_eq!(operations(&changes), ["UpdateCisScanConfiguration"]);
        let action = changes[0].action.as_ref().unwrap();
        assert!(matches!(Scanning::undo(action, &there), Undo::Impossible(_)));
    }
    let two = scans(&[("a", Some(scan(json!({}))), true), ("a", Some(scan(json!({}))), true)]);
    assert!(diff(&wanted, &two)[0].action.is_none());
}

#[test]
fn new_members_are_scanned_for_just_what_is_declared() {
    let now = Scanned { types: [ResourceType::Ec2, ResourceType::Lambda].into(), ami: Some(true) };
    let object = with::<AutoEnableMembers>(&now);
    let changes = diff(&spec(&["EC2"], json!({ "auto_enable_members": ["EC2", "ECR"] })), &object);
    assert_eq!(written(&changes[0]), json!({ "types": ["EC2", "ECR"], "ami": true }));
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(changes[0].warnings.len(), 2);
    assert_eq!(back(&changes[0], &object), json!(now));
}

#[test]
fn what_fails_inside_of_a_success_is_told_apart() {
    for (code, wanted) in [
        ("ENABLE_IN_PROGRESS", ErrorClass::Settling),
        ("SSM_THROTTLED", ErrorClass::Settling),
        ("ACCESS_DENIED", ErrorClass::Blocked),
        ("BLOCKED_BY_ORGANIZATION_POLICY", ErrorClass::Blocked),
        ("EC2_SSM_ASSOCIATION_VERSION_LIMIT_EXCEEDED", ErrorClass::Quota),
        ("INTERNAL_ERROR", ErrorClass::ServerFault),
        ("DISASSOCIATE_ALL_MEMBERS", ErrorClass::Refused),
    ] {
        assert_eq!(class(code, ""), wanted, "{code}");
    }
}

#[test]
fn export_declares_what_is_scanned_and_nothing_else() {
    let now =
        scanning(&[(ResourceType::Ec2, Scans::Enabled), (ResourceType::Ecr, Scans::Disabled)]);
    let exported = Scanning::export(&Facts::example(Scanning::NAME), &now).unwrap();
    assert_eq!(json!(exported), json!({ "resource_types": ["EC2"], "exclusive": true }));
    assert!(diff(&exported, &now).is_empty());
}

#[test]
fn what_inspector_refuses_and_what_says_nothing_is_said() {
    for (types, fields, field) in [
        (&["EC2"][..], json!({}), None),
        (&["LAMBDA", "LAMBDA_CODE"], json!({}), None),
        (&["LAMBDA_CODE"], json!({}), Some("resource_types")),
        (&["EC2"], json!({ "auto_enable_members": ["LAMBDA_CODE"] }), Some("auto_enable_members")),
        (&[], json!({ "exclusive": true }), None),
        (&[], json!({}), Some("resource_types")),
        (&[], json!({ "exclusive": true, "deep_inspection": true }), Some("deep_inspection")),
        (
            &["EC2"],
            json!({ "cis_scans": { "a": scan(json!({ "schedule": {} })) } }),
            Some("cis_scans.a.schedule"),
        ),
        (
            &["EC2"],
            json!({ "cis_scans": { "a": scan(json!({ "target_resource_tags": { "cis": [] } })) } }),
            Some("cis_scans.a.target_resource_tags"),
        ),
    ] {
        let problems = Scanning::check(&spec(types, fields.clone()));
        let first = problems.first().map(|one| one.field.as_str());
        assert_eq!(first, field, "{types:?} {fields}");
    }
}
