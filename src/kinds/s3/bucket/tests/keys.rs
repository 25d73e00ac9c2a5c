//! Keys of a bucket.

use super::*;

fn arn(id: &str) -> String {
    format!("arn:aws:kms:us-east-1:111122223333:key/{id}")
}

fn key(id: &str) -> Named {
    Named::There { arn: arn(id), is_own: false, unusable: None }
}

fn useless(id: &str, why: &str) -> Named {
    Named::There { arn: arn(id), is_own: false, unusable: Some(why.to_owned()) }
}

fn encrypted(name: &str, there: Option<Named>, declared: Option<Named>) -> State {
    let encryption = Encryption {
        sse_algorithm: Some(SseAlgorithm::Kms),
        kms_master_key_id: Some(name.to_owned()),
        bucket_key_enabled: false,
        blocked_encryption_types: BTreeSet::new(),
    };
    State { encryption: Some(encryption), key: there, declared_key: declared, ..state() }
}

fn with_key(name: &str) -> Spec {
    Spec {
        sse_algorithm: Some(SseAlgorithm::Kms),
        kms_master_key_id: Some(name.to_owned()),
        ..spec()
    }
}

#[test]
fn a_key_is_what_it_is_and_not_what_it_is_called() {
    let declared = with_key("alias/data");
    for name in ["1", &arn("1"), "alias/data", "arn:aws:kms:us-east-1:111122223333:alias/data"] {
        let same = encrypted(name, Some(key("1")), Some(key("1")));
        assert!(changes(&declared, same).is_empty(), "{name}");
    }
    // The alias points elsewhere; written is the key's own name.
    let elsewhere = encrypted(&arn("2"), Some(key("2")), Some(key("1")));
    let changed = changes(&declared, elsewhere);
    let Step::PutEncryption(Some(encryption)) = step(&changed[0]) else { panic!("no encryption") };
    assert_eq!(encryption.kms_master_key_id.as_deref(), Some(arn("1").as_str()));
    assert_eq!(changed[0].risk, Risk::Disruptive);
    // The right key is of no use.
    for why in ["Disabled", "PendingDeletion", "RSA_2048"] {
        let state = encrypted(&arn("1"), Some(useless("1", why)), Some(useless("1", why)));
        is_finding(&changes(&declared, state), "kms_master_key_id", why);
    }
    let gone = encrypted("alias/data", Some(Named::Missing), Some(Named::Missing));
    is_finding(&changes(&declared, gone), "kms_master_key_id", "alias/data: it is not there");
}

#[test]
fn a_key_that_cannot_work_is_not_written_and_stops_nothing_else() {
    let blocked = Some(BTreeSet::from([EncryptionType::SseC]));
    let wrong = [
        (arn("1"), useless("1", "it is in the state PendingImport, and must be Enabled")),
        (arn("1"), useless("1", "it is a key of eu-west-1, and must be one of us-east-1")),
        (arn("1"), Named::Missing),
        ("alias/data".to_owned(), useless("1", "it is in the state Disabled, and must be Enabled")),
    ];
    for (name, declared_key) in wrong {
        let declared = Spec {
            bucket_key_enabled: Some(true),
            blocked_encryption_types: blocked.clone(),
            ..with_key(&name)
        };
        let problem = declared_key.problem().unwrap().to_owned();
        // Another key: the rest is written with the one that is there.
        let other = encrypted(&arn("2"), Some(key("2")), Some(declared_key.clone()));
        let changed = changes(&declared, other);
        is_finding(&changed[..1], "kms_master_key_id", &problem);
        let expected = Encryption {
            sse_algorithm: Some(SseAlgorithm::Kms),
            kms_master_key_id: Some(arn("2")),
            bucket_key_enabled: true,
            blocked_encryption_types: blocked.clone().unwrap(),
        };
        assert_eq!(step(&changed[1]), &Step::PutEncryption(Some(expected)));
        // No encryption with KMS yet: none begins, and what needs no key is written.
        let none = State { declared_key: Some(declared_key), ..state() };
        let changed = changes(&declared, none);
        is_finding(&changed[..1], "sse_algorithm", &problem);
        let Step::PutEncryption(Some(written)) = step(&changed[1]) else { panic!("{changed:?}") };
        assert_eq!(written.sse_algorithm, Some(SseAlgorithm::Aes256));
        assert_eq!((&written.kms_master_key_id, written.bucket_key_enabled), (&None, false));
        assert_eq!(Some(&written.blocked_encryption_types), blocked.as_ref());
        assert_eq!(changed.len(), 2);
    }
    // Another item may be about to make it; it is looked at again before the write.
    let coming = State { declared_key: Some(Named::Missing), ..state() };
    let changed = changes(&with_key("alias/data"), coming);
    assert_eq!((changed.len(), &changed[0].withheld), (1, &None));
    assert!(changed[0].warnings.iter().any(|warning| warning.contains("not there yet")));
    let calls = Bucket::calls(&changed[0].action.as_ref().unwrap().whole);
    assert!(calls.contains(&Call::new("kms", "DescribeKey")), "{calls:?}");
}

#[test]
fn the_key_of_aws_has_a_name_too() {
    let declared = Spec { kms_master_key_id: Some(String::new()), ..spec() };
    let of_aws = Named::There { arn: arn("9"), is_own: true, unusable: None };
    let named = encrypted(&arn("9"), Some(of_aws), None);
    assert!(changes(&declared, named).is_empty());
    let own = encrypted(&arn("1"), Some(key("1")), None);
    assert_eq!(changes(&declared, own).len(), 1);
}
