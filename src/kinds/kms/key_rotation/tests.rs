use aws_sdk_kms::types::{
    KeyManagerType, KeySpec, KeyState, KeyUsageType, MultiRegionConfiguration, OriginType,
};

use super::{
    Facts, KeyMetadata, KeyRotation, Kind, MultiRegionKeyType, Object, PeriodMode, Spec, State,
    Step, ineligible,
};
use crate::names::{ItemName, Region};

fn diff(spec: &Spec, state: State) -> Vec<Step> {
    let facts = Facts {
        account: "111122223333".parse().unwrap(),
        partition: "aws".to_owned(),
        region: Region::new("eu-west-1"),
        home_region: Region::new("us-east-1"),
        item: ItemName::singleton(KeyRotation::NAME),
    };
    KeyRotation::diff(&facts, spec, &Object::present("key", state))
        .into_iter()
        .map(|change| change.action.unwrap().step)
        .collect()
}

fn every(days: u32, mode: Option<PeriodMode>) -> Spec {
    Spec {
        enabled: Some(true),
        rotation_period_in_days: Some(days),
        period_mode: mode,
        exclude: None,
    }
}

#[test]
fn an_entry_that_can_meet_no_key_is_refused() {
    let problems = |entry: serde_json::Value| {
        let spec = serde_json::json!({ "enabled": true, "exclude": [entry] });
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let problems = <KeyRotation as Kind>::check(&spec);
        problems.first().and_then(|problem| problem.help.clone()).unwrap_or_default()
    };
    for (entry, help) in [
        (serde_json::json!({ "aliases": ["legacy"] }), "write \"alias/legacy\""),
        (serde_json::json!({ "key_ids": ["the key"] }), "whole id or ARN"),
    ] {
        assert!(problems(entry.clone()).contains(help), "{entry}: {}", problems(entry.clone()));
    }
    for entry in [
        serde_json::json!({ "aliases": ["alias/legacy-*", "*old"] }),
        serde_json::json!({ "key_ids": ["1234abcd-12ab-34cd-56ef-1234567890ab"] }),
        serde_json::json!({ "key_tags": { "legacy": "true" } }),
    ] {
        assert_eq!(problems(entry.clone()), "", "{entry}");
    }
}

#[test]
fn periods_are_compared_as_declared() {
    let on = |days| State { enabled: true, rotation_period_in_days: Some(days) };
    let off = State { enabled: false, rotation_period_in_days: None };
    let set = |days| vec![Step::Enable { rotation_period_in_days: days }];
    let exact = Some(PeriodMode::Exact);
    let cases = [
        (every(365, None), off, set(365)),
        (every(365, None), on(365), vec![]),
        (every(365, None), on(180), vec![]),
        (every(180, None), on(365), set(180)),
        (every(365, exact), on(180), set(365)),
        (Spec { enabled: Some(false), ..Spec::default() }, on(365), vec![Step::Disable]),
        (Spec { enabled: Some(true), ..Spec::default() }, on(999), vec![]),
        (Spec::default(), off, vec![]),
    ];
    for (spec, state, expected) in cases {
        assert_eq!(diff(&spec, state), expected, "{spec:?} {state:?}");
    }
}

fn primary() -> MultiRegionConfiguration {
    MultiRegionConfiguration::builder().multi_region_key_type(MultiRegionKeyType::Primary).build()
}

#[test]
fn keys_that_cannot_rotate_say_why() {
    let key = || {
        KeyMetadata::builder()
            .key_id("1")
            .aws_account_id("111122223333")
            .key_manager(KeyManagerType::Customer)
            .key_spec(KeySpec::SymmetricDefault)
            .key_usage(KeyUsageType::EncryptDecrypt)
            .origin(OriginType::AwsKms)
            .key_state(KeyState::Enabled)
            .multi_region(true)
            .multi_region_configuration(primary())
    };
    let replica = MultiRegionConfiguration::builder()
        .multi_region_key_type(MultiRegionKeyType::Replica)
        .build();
    let cases = [
        (key().key_manager(KeyManagerType::Aws), "AWS manages it"),
        (key().key_spec(KeySpec::Rsa2048), "RSA_2048"),
        (key().key_usage(KeyUsageType::SignVerify), "SIGN_VERIFY"),
        (key().origin(OriginType::External), "EXTERNAL"),
        (key().key_state(KeyState::PendingDeletion), "PendingDeletion"),
        (key().key_state(KeyState::Disabled), "Disabled"),
        (key().multi_region_configuration(replica), "replica"),
        (key().aws_account_id("444455556666"), "444455556666"),
    ];
    for (key, word) in cases {
        let reason = ineligible(&key.build().unwrap(), "111122223333").unwrap().unwrap();
        assert!(reason.contains(word), "{reason}");
    }
    assert_eq!(ineligible(&key().build().unwrap(), "111122223333").unwrap(), None);
}

#[test]
fn a_key_of_which_a_word_is_missing_is_unknown_and_never_left_out() {
    let whole = || {
        KeyMetadata::builder()
            .key_id("1")
            .aws_account_id("111122223333")
            .key_manager(KeyManagerType::Customer)
            .key_spec(KeySpec::SymmetricDefault)
            .key_usage(KeyUsageType::EncryptDecrypt)
            .origin(OriginType::AwsKms)
            .key_state(KeyState::Enabled)
    };
    let cases = [
        (whole().set_key_manager(None), "KeyManager"),
        (whole().set_aws_account_id(None), "AWSAccountId"),
        (whole().set_key_spec(None), "KeySpec"),
        (whole().set_key_usage(None), "KeyUsage"),
        (whole().set_origin(None), "Origin"),
        (whole().set_key_state(None), "KeyState"),
        (whole().multi_region(true), "MultiRegionConfiguration"),
        (whole().key_state(KeyState::Updating), "Updating"),
        (whole().key_state(KeyState::Creating), "Creating"),
        (whole().key_state(KeyState::from("Resting")), "Resting"),
    ];
    for (key, word) in cases {
        let error = ineligible(&key.build().unwrap(), "111122223333").unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    #[allow(deprecated)]
    let older = whole()
        .set_key_spec(None)
        .customer_master_key_spec(aws_sdk_kms::types::CustomerMasterKeySpec::SymmetricDefault);
    assert_eq!(ineligible(&older.build().unwrap(), "111122223333").unwrap(), None);
}
