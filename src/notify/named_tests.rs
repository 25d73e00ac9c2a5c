use serde_json::{Value, json};

use super::*;
use crate::names::Region;
use crate::store::history::{DriftKey, Entry};

fn who(name: &str) -> ByWhom {
    ByWhom { principal: name.to_owned(), call: "s:Call".to_owned(), ..ByWhom::default() }
}

/// Drift that has ended so, and for which the last of these were named later.
fn told(item: &str, ended: &Value, by: &[&str], added: usize) -> Option<Late> {
    let key = DriftKey {
        account: "111122223333".parse().unwrap(),
        region: Region::new("eu-west-1"),
        item: item.parse().unwrap(),
        object: String::new(),
    };
    let by: Vec<ByWhom> = by.iter().map(|name| who(name)).collect();
    let mut about = json!({
        "by": by, "first_seen": "2026-01-01T00:00:00Z", "opened_in": "a", "resolved_in": "a",
        "how": "applied", "risk": "safe",
    });
    for (name, value) in ended.as_object().unwrap() {
        about[name] = value.clone();
    }
    let subject = Subject {
        account: Some(key.account.clone()),
        item: Some(key.item.clone()),
        ..Subject::named(key_of_drift(&key), "it")
    };
    let entry = Entry {
        time: "2026-01-01T00:01:00Z".parse().unwrap(),
        what: What::Resolved,
        object: key,
        run: "r".to_owned(),
        change: None,
        actor: None,
        about,
    };
    let added = by[by.len() - added..].to_vec();
    late(&subject, NamedLate { entry, added, past: Vec::new() }).unwrap()
}

#[test]
fn it_matters_as_much_as_what_was_told_of_it() {
    let severity = |item, ended: Value| told(item, &ended, &["eve"], 1).unwrap().matter.severity;
    let policy = |ended| severity("iam.password_policy", ended);
    assert_eq!(policy(json!({})), Severity::Low);
    assert_eq!(policy(json!({"risk": "disruptive"})), Severity::Medium);
    assert_eq!(policy(json!({"resolved_in": "b"})), Severity::Medium, "it was told as drift");
    assert_eq!(policy(json!({"how": "elsewhere"})), Severity::Medium);
    let trail = |ended| severity("cloudtrail.trail.main", ended);
    assert_eq!(trail(json!({})), Severity::High, "as the notice that it was put right");
    assert_eq!(trail(json!({"resolved_in": "b"})), Severity::Critical);
    assert_eq!(trail(json!({"how": "elsewhere"})), Severity::Critical);
}

#[test]
fn who_is_new_is_said_with_who_put_it_right() {
    let first = told("s3.bucket.a", &json!({}), &["eve"], 1).unwrap().matter;
    assert_eq!(first.on, On::Applied);
    assert_eq!(first.what, ["who may have changed it is known by now"]);
    assert!(first.did.contains("in run r,") && first.look == "evenkeel show r", "{first:?}");
    let more = told("s3.bucket.a", &json!({}), &["a", "b", "c", "eve"], 1).unwrap();
    let said = "who may have changed it as well is known by now: s:Call by eve";
    assert_eq!(more.matter.what, [said]);
    assert_eq!(more.by[0], who("eve"), "a notice has no room for all");
    assert_ne!(more.matter.state, first.state);
    assert!(told("s3.bucket.a", &json!({}), &["eve", "eve"], 1).is_none(), "nobody is new");
    let other = told("s3.bucket.a", &json!({"how": "elsewhere"}), &["eve"], 1).unwrap().matter;
    assert_eq!(other.on, On::Drift);
    assert!(other.did.contains("somebody put it right"), "{other:?}");
    assert_eq!(other.look, "evenkeel history -a 111122223333 -k s3.bucket");
}

#[test]
fn who_did_what_is_right_again_while_the_rest_goes_on_is_said_with_what_it_is() {
    let told = told("s3.bucket.a", &json!({}), &["ann"], 1).unwrap();
    let entry = Entry {
        time: "2026-01-01T00:01:00Z".parse().unwrap(),
        what: What::Drift,
        object: DriftKey {
            account: told.matter.subject.account.clone().unwrap(),
            region: Region::new("eu-west-1"),
            item: "s3.bucket.a".parse().unwrap(),
            object: String::new(),
        },
        run: "r".to_owned(),
        change: None,
        actor: None,
        about: json!({"opened_in": "r"}),
    };
    let since = "2026-01-01T00:00:30Z".parse().ok();
    let by = vec![who("ann"), who("eve")];
    let row = DriftRow { field: "versioning".to_owned(), since, by, ..DriftRow::default() };
    let named = NamedLate { entry, added: vec![who("eve")], past: vec![row] };
    let late = late(&told.matter.subject, named).unwrap().unwrap();
    let said = "who may have changed versioning, which is right again, is known by now: \
                s:Call by eve";
    assert_eq!(late.matter.what, [said]);
    assert_eq!((late.matter.on, late.matter.severity), (On::Drift, Severity::Medium));
    assert_eq!((Some(late.since), &late.by[0]), (since, &who("eve")));
}
