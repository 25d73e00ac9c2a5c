#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::attributes::Now as Others;
use super::key::Now as KeyNow;
use super::policy::Now as PolicyNow;
use super::*;
use crate::kinds::kms::let_in::Keyed;
use crate::kinds::kms::named::Named;
use crate::kinds::shapes::part::{Action, State, Step};
use crate::kinds::{Needs, Risk, Undo};

fn facts() -> Facts {
    Facts::example(Topic::NAME)
}

fn spec(fields: Value) -> Spec {
    let mut spec = json!({ "name": "alerts" });
    spec.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(spec).unwrap()
}

fn there() -> State<Topic> {
    State::at(Place { name: "alerts".to_owned() })
}

fn diff(fields: Value, state: State<Topic>) -> Vec<Change<Action<Topic>>> {
    Topic::diff(&facts(), &spec(fields), &Object::present("alerts", state))
}

fn write(change: &Change<Action<Topic>>) -> Value {
    match &change.action.as_ref().unwrap().step {
        Step::Write { write, .. } => write.clone(),
        Step::Create(()) => json!("create"),
    }
}

const OWNER: &str = r#"{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Effect":"Allow","Sid":"__default_statement_ID","Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission","SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"arn:aws:sns:eu-west-1:111122223333:alerts","Condition":{"StringEquals":{"AWS:SourceOwner":"111122223333"}}}]}"#;

fn with_policy(policy: &str, key: Option<&str>) -> State<Topic> {
    let (policy, key) = (Some(policy.to_owned()), key.map(str::to_owned));
    there().with::<policy::Policy>(&PolicyNow { policy, key, keyed: None })
}

/// The policy that a change writes.
fn policy(change: &Change<Action<Topic>>) -> Value {
    serde_json::from_str(write(change).as_str().unwrap()).unwrap()
}

#[test]
fn a_new_topic_is_made_first_and_its_owner_keeps_the_rights_that_aws_gives() {
    let declared = spec(json!({
        "display_name": "Alerts", "services": ["events"], "require_tls": true, "tags": {},
        "signature_version": "2", "kms_master_key_id": "alias/alerts", "delivery_policy": {},
    }));
    let changes = Topic::diff(&facts(), &declared, &Object::absent("alerts"));
    let writes: Vec<Value> = changes.iter().map(write).collect();
    assert_eq!(writes[0], "create");
    assert_eq!(writes[1], json!({ "declared": "alias/alerts" }));
    let sids: Vec<Value> = policy(&changes[2])["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Sid"].clone())
        .collect();
    assert_eq!(sids, ["__default_statement_ID", "DenyInsecureTransport", "EventBridgePublishes"]);
    assert_eq!(writes[3], json!({ "attribute": "DisplayName", "value": "Alerts" }));
    assert_eq!(writes[4], json!({ "attribute": "SignatureVersion", "value": "2" }));
    assert_eq!(writes.len(), 5);
    assert!(changes.iter().all(|change| change.risk == Risk::Safe && change.grants.is_empty()));
    assert!(changes[1..].iter().all(|change| change.needs == Needs::Only(vec![0])));
}

#[test]
fn a_service_gets_its_statement_and_those_of_others_stay() {
    let all = json!(["cloudtrail", "cloudwatch", "config", "events", "budgets"]);
    let changes = diff(json!({ "services": all }), with_policy(OWNER, None));
    assert_eq!(changes.len(), 1);
    assert!(changes[0].grants.is_empty(), "{:?}", changes[0].grants);
    let after = policy(&changes[0]);
    let statements = after["Statement"].as_array().unwrap();
    assert_eq!((after["Version"].as_str(), statements.len()), (Some("2008-10-17"), 6));
    let events = statements.iter().find(|one| one["Sid"] == "EventBridgePublishes").unwrap();
    assert_eq!(events.get("Condition"), None, "EventBridge sends no condition key");
    let object = Object::present("alerts", with_policy(&after.to_string(), None));
    let changes = Topic::diff(&facts(), &spec(json!({ "services": all })), &object);
    assert!(changes.is_empty(), "{changes:?}");
    let Undo::By(actions) = Topic::undo(
        &diff(json!({ "services": ["events"] }), with_policy(OWNER, None))[0]
            .action
            .clone()
            .unwrap(),
        &Object::present("alerts", with_policy(OWNER, None)),
    ) else {
        unreachable!()
    };
    let Step::Write { write, .. } = &actions[0].step else { unreachable!() };
    assert_eq!(write, OWNER);
}

#[test]
fn a_service_that_is_taken_out_of_the_list_loses_what_evenkeel_gave_it_and_no_more() {
    let both =
        policy(&diff(json!({ "services": ["events", "cloudwatch"] }), with_policy(OWNER, None))[0]);
    let state = with_policy(&both.to_string(), None);
    let changes = diff(json!({ "services": ["events"] }), state.clone());
    assert_eq!(policy(&changes[0])["Statement"].as_array().unwrap().len(), 2);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert!(changes[0].warnings[0].contains("cloudwatch.amazonaws.com"), "{changes:?}");
    // It is somebody else's word: under another name, or in the baseline itself.
    let mut theirs = both.clone();
    theirs["Statement"][1]["Sid"] = json!("Theirs");
    let changes = diff(json!({ "services": ["events"] }), with_policy(&theirs.to_string(), None));
    assert!(changes.is_empty(), "{changes:?}");
    let declared =
        json!({ "services": ["events"], "extra_policy_statements": [both["Statement"][1]] });
    assert!(diff(declared, state).is_empty());
}

#[test]
fn what_sns_or_eventbridge_would_not_heed_is_refused() {
    let field = |fields: Value| {
        let problems = Topic::check(&spec(fields));
        problems.first().map(|problem| problem.field.clone()).unwrap_or_default()
    };
    let other = json!(["444455556666"]);
    let events = json!({ "services": ["events"], "source_accounts": other });
    assert_eq!(field(events), "source_accounts");
    assert_eq!(field(json!({ "services": ["events", "config"], "source_accounts": other })), "");
    let retries = json!({ "http": { "defaultHealthyRetryPolicy": { "numRetries": 101 } } });
    assert_eq!(field(json!({ "delivery_policy": retries })), "delivery_policy");
}

#[test]
fn services_for_other_accounts_are_a_rise() {
    let declared = json!({ "services": ["config"], "source_accounts": ["444455556666"] });
    let changes = diff(declared, with_policy(OWNER, None));
    assert_eq!(changes[0].grants.len(), 1);
    assert!(changes[0].grants[0].what.contains("444455556666"), "{:?}", changes[0].grants);
}

#[test]
fn a_key_that_shuts_services_out_is_a_finding() {
    let settled = |services: Value| {
        let changes = diff(json!({ "services": services }), with_policy(OWNER, None));
        policy(&changes[0]).to_string()
    };
    for (services, key, words) in [
        (json!(["events"]), "alias/aws/sns", Some("lets no service in")),
        (json!(["events"]), "arn:aws:kms:eu-west-1:111122223333:alias/aws/sns", Some("no service")),
        (json!(["events"]), "alias/own", None),
        (json!(["config"]), "alias/own", Some("Config publishes to no topic")),
    ] {
        let state = with_policy(&settled(services.clone()), Some(key));
        let changes = diff(json!({ "services": services }), state);
        let said = changes.first().and_then(|change| change.withheld.clone());
        assert_eq!(said.is_some(), words.is_some(), "{key}: {changes:?}");
        assert!(said.unwrap_or_default().contains(words.unwrap_or_default()), "{key}");
    }
    let problems = |fields: Value| Topic::check(&spec(fields)).len();
    let own = "alias/aws/sns";
    assert_eq!(problems(json!({ "services": ["events"], "kms_master_key_id": own })), 1);
    assert_eq!(problems(json!({ "services": [], "kms_master_key_id": own })), 0);
    assert_eq!(problems(json!({ "services": ["config"], "kms_master_key_id": "alias/own" })), 1);
    assert_eq!(problems(json!({ "services": ["config"], "kms_master_key_id": "" })), 0);
    assert_eq!(problems(json!({ "source_accounts": ["444455556666"] })), 1);
}

#[test]
fn a_key_whose_policy_shuts_a_service_out_is_a_finding() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let declared = json!({ "services": ["cloudwatch", "events"] });
    let settled = policy(&diff(declared.clone(), with_policy(OWNER, None))[0]).to_string();
    let found = |statements: Value, unusable: Option<&str>| {
        let key = Named::There {
            arn: arn.to_owned(),
            is_own: false,
            unusable: unusable.map(str::to_owned),
        };
        let text = json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        let keyed = Keyed { name: "alias/alerts".to_owned(), key, policy: Some(text) };
        let now = PolicyNow {
            policy: Some(settled.clone()),
            key: Some("alias/alerts".to_owned()),
            keyed: Some(keyed),
        };
        let changes = diff(declared.clone(), there().with::<policy::Policy>(&now));
        changes.first().and_then(|change| change.withheld.clone()).unwrap_or_default()
    };
    let root = json!({ "Effect": "Allow", "Principal": { "AWS": "111122223333" },
        "Action": "kms:*", "Resource": "*" });
    let lets = |services: Value, condition: Value| {
        json!({ "Effect": "Allow", "Principal": { "Service": services }, "Resource": "*",
            "Action": ["kms:GenerateDataKey*", "kms:Decrypt"], "Condition": condition })
    };
    let both = json!(["cloudwatch.amazonaws.com", "events.amazonaws.com"]);
    let own = json!({ "StringEquals": { "aws:SourceAccount": "111122223333" } });
    assert_eq!(found(json!([root, lets(both.clone(), json!({}))]), None), "");
    let words = found(json!([root]), None);
    assert!(words.contains("cloudwatch.amazonaws.com is let in by no statement"), "{words}");
    assert!(words.contains("service_principals"), "{words}");
    // EventBridge sends no account.
    let words = found(json!([root, lets(both.clone(), own.clone())]), None);
    assert!(words.contains("events.amazonaws.com is let in by no"), "{words}");
    assert!(!words.contains("cloudwatch.amazonaws.com is"), "{words}");
    let to_topics = json!({ "ArnLike": {
        "kms:EncryptionContext:aws:sns:topicArn": "arn:aws:sns:eu-west-1:111122223333:*" } });
    let events = lets(json!("events.amazonaws.com"), to_topics);
    assert_eq!(found(json!([root, lets(both.clone(), own), events]), None), "");
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "kms:Decrypt",
        "Resource": "*" });
    let words = found(json!([lets(both.clone(), json!({})), deny]), None);
    assert!(words.contains("is denied"), "{words}");
    let via = json!({ "StringEquals": { "kms:ViaService": "sns.eu-west-1.amazonaws.com" } });
    let words = found(json!([lets(both.clone(), via)]), None);
    assert!(words.contains("nobody can say here"), "{words}");
    let words = found(json!([lets(both, json!({}))]), Some("it is in the state Disabled"));
    assert!(words.contains("in the state Disabled"), "{words}");
}

#[test]
fn who_publishes_in_the_clear_is_denied_and_let_in_again() {
    let denying = policy(&diff(json!({ "require_tls": true }), with_policy(OWNER, None))[0]);
    let state = with_policy(&denying.to_string(), None);
    assert!(diff(json!({ "require_tls": true }), state.clone()).is_empty());
    let changes = diff(json!({ "require_tls": false }), state);
    assert_eq!(policy(&changes[0])["Statement"].as_array().unwrap().len(), 1);
    let mut theirs = denying;
    theirs["Statement"][1]["Sid"] = json!("Theirs");
    let changes = diff(json!({ "require_tls": false }), with_policy(&theirs.to_string(), None));
    assert_eq!(changes.len(), 1);
    assert!(changes[0].action.is_none() && changes[0].withheld.is_some());
}

#[test]
fn what_others_let_in_or_deny_is_found() {
    let statements = |more: Value| {
        let mut document: Value = serde_json::from_str(OWNER).unwrap();
        document["Statement"].as_array_mut().unwrap().push(more);
        with_policy(&document.to_string(), None)
    };
    let arn = "arn:aws:sns:eu-west-1:111122223333:alerts";
    let foreign = json!({ "Effect": "Allow", "Principal": { "AWS": "444455556666" },
        "Action": "sns:Subscribe", "Resource": arn });
    let forbid = json!({ "forbid_foreign_access": true });
    assert_eq!(diff(forbid.clone(), statements(foreign.clone())).len(), 1);
    assert!(diff(forbid, with_policy(OWNER, None)).is_empty());
    let declared = json!({ "forbid_foreign_access": true, "extra_policy_statements": [foreign] });
    assert!(diff(declared, statements(foreign)).is_empty());
    let deny =
        json!({ "Effect": "Deny", "Principal": "*", "Action": "SNS:Publish", "Resource": arn });
    let changes = diff(json!({ "services": ["events"] }), statements(deny));
    assert!(changes[1].withheld.as_ref().unwrap().contains("topic policy"), "{changes:?}");
}

#[test]
fn a_policy_is_never_emptied_and_never_grows_beyond_what_sns_takes() {
    let only = |sid: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Sid": sid, "Effect": "Deny",
            "Principal": { "AWS": "*" }, "Action": "sns:Publish",
            "Resource": "arn:aws:sns:eu-west-1:111122223333:alerts",
            "Condition": { "Bool": { "aws:SecureTransport": "false" } } }] })
    };
    let state = with_policy(&only("DenyInsecureTransport").to_string(), None);
    let changes = diff(json!({ "require_tls": false }), state);
    assert!(changes[0].withheld.as_ref().unwrap().contains("the last one"), "{changes:?}");
    let many: Vec<Value> = (0..100)
        .map(|number| {
            json!({ "Sid": format!("s{number}"), "Effect": "Allow", "Action": "sns:Publish",
            "Principal": { "AWS": "111122223333" }, "Resource": format!("r{number}") })
        })
        .collect();
    let declared = json!({ "extra_policy_statements": many });
    let changes = diff(declared, with_policy(OWNER, None));
    assert!(changes[0].withheld.as_ref().unwrap().contains("101 statements"), "{changes:?}");
}

#[test]
fn keys_are_compared_by_what_they_are() {
    let arn = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let named = |arn: &str, unusable: Option<&str>| {
        let unusable = unusable.map(str::to_owned);
        Some(Named::There { arn: arn.to_owned(), is_own: false, unusable })
    };
    let state = |name: Option<&str>, key: Option<Named>, declared: Option<Named>| {
        there().with::<key::Key>(&KeyNow { name: name.map(str::to_owned), key, declared })
    };
    let declared = json!({ "kms_master_key_id": "alias/alerts" });
    let same = state(Some("1"), named(arn, None), named(arn, None));
    assert!(diff(declared.clone(), same).is_empty());
    let other = state(Some("alias/x"), named("arn:other", None), named(arn, None));
    let changes = diff(declared.clone(), other);
    assert_eq!(
        (write(&changes[0]), changes[0].risk),
        (json!({ "declared": arn }), Risk::Disruptive)
    );
    // What was looked up may be what was declared before.
    let none = || json!({ "kms_master_key_id": "" });
    assert!(diff(none(), state(None, None, named(arn, None))).is_empty());
    assert_eq!(diff(none(), state(Some("alias/x"), named(arn, None), named(arn, None))).len(), 1);
    let disabled = "it is in the state Disabled, and must be Enabled";
    for key in ["arn:other", arn] {
        let broken = state(Some(key), None, named(arn, Some(disabled)));
        let change = &diff(declared.clone(), broken)[0];
        assert!(change.action.is_none() && change.withheld.is_some(), "{change:?}");
    }
    let off = json!({ "kms_master_key_id": "" });
    assert!(diff(off.clone(), state(None, None, None)).is_empty());
    assert_eq!(write(&diff(off, state(Some("alias/x"), None, None))[0]), "none");
    let missing = state(None, None, Some(Named::Missing));
    assert_eq!(write(&diff(declared, missing)[0]), json!({ "declared": "alias/alerts" }));
}

#[test]
fn what_aws_leaves_out_is_its_default_and_what_it_fills_in_is_no_drift() {
    let others = |policy: Value| {
        let policy: Option<Map<String, Value>> = serde_json::from_value(policy).unwrap();
        there().with::<attributes::Attributes>(&Others {
            delivery_policy: policy,
            ..Others::default()
        })
    };
    let nothing = others(Value::Null);
    let default = json!({ "display_name": "", "signature_version": "1",
        "tracing_config": "PassThrough", "delivery_policy": {} });
    assert!(diff(default, nothing.clone()).is_empty());
    let declared = json!({ "delivery_policy":
        { "http": { "defaultHealthyRetryPolicy": { "numRetries": 5 } } } });
    let full = json!({ "http": { "defaultHealthyRetryPolicy":
        { "numRetries": 5.0, "minDelayTarget": 20 }, "disableSubscriptionOverrides": false } });
    assert!(diff(declared.clone(), others(full)).is_empty());
    let fewer = json!({ "http": { "defaultHealthyRetryPolicy": { "numRetries": 0 } } });
    assert_eq!(diff(declared.clone(), others(fewer.clone())).len(), 1);
    assert_eq!(diff(declared, nothing).len(), 1);
    let changes = diff(json!({ "delivery_policy": {} }), others(fewer));
    assert_eq!(write(&changes[0])["value"], "");
    let changes = diff(json!({ "signature_version": "2" }), others(Value::Null));
    assert_eq!(changes[0].risk, Risk::Disruptive);
}

/// The policy that SNS gives a topic is of the older version, which has no variables.
#[test]
fn a_statement_with_variables_means_nothing_in_the_older_version() {
    let extra = |resource: &str| {
        json!({ "Sid": "Own", "Effect": "Allow", "Principal": { "AWS": "111122223333" },
            "Action": "sns:Publish", "Resource": resource })
    };
    let found = |version: &str, statement: &Value| {
        let policy = json!({ "Version": version, "Statement": [statement] });
        let fields = json!({ "name": "alarms", "extra_policy_statements": [statement] });
        diff(fields, with_policy(&policy.to_string(), None))
    };
    let plain = extra("arn:aws:sns:eu-west-1:111122223333:alarms");
    assert!(found("2008-10-17", &plain).is_empty());
    let variable = extra("arn:aws:sns:eu-west-1:111122223333:${aws:username}");
    assert!(found("2012-10-17", &variable).is_empty());
    let found = found("2008-10-17", &variable);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].action.is_none());
    assert!(found[0].withheld.as_deref().unwrap().contains("raise its Version"), "{found:?}");
}

/// Who publishes elsewhere from now on is shut out last, and known again by who finds the policy half way.
#[test]
fn a_service_is_shut_out_once_all_have_moved() {
    let of = |services: &str| json!({ "services": [services] });
    let now = |policy: &Value| with_policy(&policy.to_string(), None);
    let before = policy(&diff(of("cloudtrail"), with_policy(OWNER, None))[0]);
    let changes = diff(of("events"), now(&before));
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(!changes[0].comes_last && changes[1].comes_last, "{changes:?}");
    let between = policy(&changes[0]);
    for service in ["cloudtrail.amazonaws.com", "events.amazonaws.com"] {
        assert!(between.to_string().contains(service), "{between}");
    }
    let changes = diff(of("events"), now(&between));
    assert_eq!((changes.len(), changes[0].comes_last), (1, true), "{changes:?}");
    let after = policy(&changes[0]);
    assert!(!after.to_string().contains("cloudtrail"), "{after}");
    assert!(diff(of("events"), now(&after)).is_empty());
}
