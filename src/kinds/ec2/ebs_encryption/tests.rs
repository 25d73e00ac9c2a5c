#![allow(clippy::unwrap_used)]

use super::*;

fn facts() -> Facts {
    Facts::example(EbsEncryption::NAME).away()
}

fn diff(spec: &Spec, state: State) -> Vec<Change<Action>> {
    EbsEncryption::diff(&facts(), spec, &Object::present("", state))
}

fn key(arn: &str) -> Key {
    Key::There { arn: arn.to_owned(), unusable: None }
}

fn broken(arn: &str) -> Key {
    Key::There { arn: arn.to_owned(), unusable: Some("it is disabled".to_owned()) }
}

fn missing(name: &str) -> Key {
    Key::Missing { name: name.to_owned() }
}

fn with(key: Key, declared_key: Key) -> State {
    let kms_key_id = Some(match &key {
        Key::AwsOwn => "arn:of-aws".to_owned(),
        Key::There { arn, .. } => arn.clone(),
        Key::Missing { name } => name.clone(),
    });
    State { enabled: false, kms_key_id, key: Some(key), declared_key: Some(declared_key) }
}

fn uses(key: &str) -> Spec {
    Spec { enabled: None, kms_key_id: Some(key.to_owned()) }
}

fn set(name: &str) -> Option<Action> {
    Some(Action::SetKey { kms_key_id: name.to_owned() })
}

#[test]
fn keys_are_compared_by_what_they_are() {
    let same = None;
    let cases = [
        ("alias/own", with(key("arn:a"), key("arn:a")), same.clone()),
        ("", with(Key::AwsOwn, Key::AwsOwn), same.clone()),
        ("alias/aws/ebs", with(Key::AwsOwn, Key::AwsOwn), same.clone()),
        ("arn:of-aws", with(Key::AwsOwn, Key::AwsOwn), same),
        ("", with(key("arn:a"), Key::AwsOwn), Some(Action::ResetKey)),
        ("", with(missing("arn:gone"), Key::AwsOwn), Some(Action::ResetKey)),
        ("alias/own", with(Key::AwsOwn, key("arn:a")), set("alias/own")),
        ("alias/own", with(Key::AwsOwn, missing("alias/own")), set("alias/own")),
        ("alias/own", with(missing("arn:gone"), key("arn:a")), set("alias/own")),
    ];
    for (declared, state, expected) in cases {
        let actions: Vec<_> =
            diff(&uses(declared), state).into_iter().map(|change| change.action).collect();
        assert_eq!(actions, expected.into_iter().map(Some).collect::<Vec<_>>(), "{declared}");
    }
}

#[test]
fn a_key_that_cannot_work_is_a_finding_and_never_in_sync() {
    let cases = [
        ("alias/own", with(Key::AwsOwn, broken("arn:a")), "it is disabled"),
        ("alias/own", with(broken("arn:a"), broken("arn:a")), "it is disabled"),
        ("arn:a", with(broken("arn:a"), broken("arn:a")), "it is disabled"),
        ("arn:key/gone", with(missing("arn:key/gone"), missing("arn:key/gone")), "not there"),
        ("gone", with(missing("arn:key/gone"), missing("gone")), "not there"),
        ("arn:key/other", with(Key::AwsOwn, missing("arn:key/other")), "not there"),
    ];
    for (declared, state, why) in cases {
        let spec = Spec { enabled: Some(true), ..uses(declared) };
        let changes = diff(&spec, state);
        assert_eq!(changes.len(), 2, "{declared}");
        assert_eq!(changes[0].action, None, "{declared}");
        assert!(changes[0].withheld.as_deref().unwrap().contains(why), "{declared}");
        assert_ne!(changes[0].drift[0].actual, changes[0].drift[0].desired);
        // Encryption with such a key would end all launches.
        assert!(changes[1].withheld.as_deref().unwrap().contains(why), "{declared}");
    }
}

/// Where no key is declared, whichever there is must work.
#[test]
fn a_key_that_nobody_declared_must_work_where_volumes_are_to_be_encrypted() {
    let own = "arn:aws:kms:eu-west-1:111122223333:key/1";
    let foreign = "arn:aws:kms:eu-west-1:999999999999:key/1";
    assert_eq!(facts().account.as_str(), "111122223333");
    let on = Spec { enabled: Some(true), kms_key_id: None };
    let of = |enabled, key| State { enabled, declared_key: None, ..with(key, Key::AwsOwn) };
    for key in [Key::AwsOwn, key(own)] {
        assert!(diff(&on, of(true, key)).is_empty());
    }
    for (key, why) in [
        (broken(own), "it is disabled"),
        (missing(own), "it is not there"),
        (key(foreign), "account 999999999999"),
    ] {
        let found = diff(&on, of(true, key.clone()));
        assert_eq!((found.len(), &found[0].action), (1, &None), "{found:?}");
        assert!(found[0].withheld.as_deref().unwrap().contains(why), "{found:?}");
        for spec in [Spec::default(), Spec { enabled: Some(false), ..Spec::default() }] {
            assert!(diff(&spec, of(false, key.clone())).is_empty(), "{key:?}");
        }
        // With a key that cannot work, encryption would end all launches; who owns it is another question.
        let enable = diff(&on, of(false, key.clone())).into_iter().find(|one| one.action.is_some());
        assert_eq!(enable.unwrap().withheld.is_some(), key.problem().is_some(), "{key:?}");
    }
}

#[test]
fn a_key_that_nobody_declared_is_not_put_back() {
    let was = |declared_key| {
        let object = Object::present("", State { declared_key, ..with(key("arn:a"), Key::AwsOwn) });
        EbsEncryption::as_it_was(&facts(), &object).unwrap()
    };
    assert_eq!(was(None), Spec { enabled: Some(false), kms_key_id: None });
    assert_eq!(was(Some(Key::AwsOwn)).kms_key_id.as_deref(), Some("arn:a"));
}

#[test]
fn undo_brings_back_what_was_there_even_a_name_without_a_key() {
    let undo = |state| EbsEncryption::undo(&Action::ResetKey, &Object::present("", state));
    assert_eq!(undo(with(Key::AwsOwn, key("arn:a"))), Undo::By(vec![Action::ResetKey]));
    for before in [key("arn:a"), missing("arn:a")] {
        assert_eq!(undo(with(before, Key::AwsOwn)), Undo::By(vec![set("arn:a").unwrap()]));
    }
    let not_looked = State { kms_key_id: None, key: None, ..with(Key::AwsOwn, Key::AwsOwn) };
    assert!(matches!(undo(not_looked), Undo::Impossible(_)));
}

#[test]
fn an_export_never_says_aws_own_of_another_key() {
    let export = |key| {
        let object = Object::present("", with(key, missing("alias/volumes")));
        EbsEncryption::export(&facts(), &object).unwrap().kms_key_id.unwrap()
    };
    assert_eq!(export(Key::AwsOwn), "");
    assert_eq!(export(key("arn:a")), "arn:a");
    assert_eq!(export(missing("arn:gone")), "arn:gone");
}

#[test]
fn what_names_no_key_is_refused() {
    for right in [
        "",
        "alias/own",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:key/1-2",
    ] {
        assert_eq!(EbsEncryption::check(&uses(right)), [], "{right}");
    }
    for wrong in ["my key", " ", "arn:aws:iam::111122223333:role/x", "keys/own"] {
        assert_eq!(EbsEncryption::check(&uses(wrong)).len(), 1, "{wrong}");
    }
}

#[test]
fn the_key_comes_before_encryption_and_enabling_is_disruptive() {
    let spec = Spec { enabled: Some(true), ..uses("alias/own") };
    let changes = diff(&spec, with(Key::AwsOwn, key("arn:a")));
    assert!(matches!(changes[0].action, Some(Action::SetKey { .. })));
    assert_eq!(changes[1].action, Some(Action::Enable));
    assert_eq!(changes[1].risk, Risk::Disruptive);
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(diff(&Spec::default(), with(key("arn:a"), Key::AwsOwn)).is_empty());
}
