#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use super::spec::*;
use super::*;
use crate::kinds::kms::named::Named;
use crate::kinds::{GrantClass, Risk};
use crate::names::Region;

fn facts(region: &str) -> Facts {
    let home_region = Region::new("us-east-1");
    let region = Region::new(region);
    Facts { region, home_region, ..Facts::example(ConfigRecorder::NAME) }
}

fn types(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn recorder() -> Recorder {
    Recorder {
        name: "theirs".to_owned(),
        role_arn: "arn:aws:iam::111122223333:role/config".to_owned(),
        strategy: Strategy::All,
        include_global_resource_types: true,
        resource_types: BTreeSet::new(),
        recording_frequency: Frequency::Continuous,
        recording_overrides: Vec::new(),
    }
}

fn state() -> State {
    State {
        recorder: Some(recorder()),
        recorder_arn: None,
        recording: true,
        channel: Some(Channel {
            name: "theirs".to_owned(),
            s3_bucket_name: Some("logs".to_owned()),
            ..Channel::default()
        }),
        ..State::default()
    }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    ConfigRecorder::diff(&facts("us-east-1"), spec, &Object::present("", state))
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&Spec::default(), state()).is_empty());
    assert!(changes(&Spec::default(), State::default()).is_empty());
}

/// With the service-linked role, Config asks as a service; another role's own policies may let it in.
#[test]
fn a_key_that_shuts_config_out_is_a_finding_where_it_asks_as_a_service() {
    let arn = "arn:aws:kms:us-east-1:111122223333:key/1".to_owned();
    let own = "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig";
    let with = |role: &str, account: &str, there: Option<&str>| {
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "config.amazonaws.com" }, "Resource": "*",
            "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
            "Condition": { "StringEquals": { "AWS:SourceAccount": account } },
        }] });
        let mut state = state();
        state.recorder = Some(Recorder { role_arn: role.to_owned(), ..recorder() });
        state.channel.as_mut().unwrap().s3_kms_key_arn = there.map(str::to_owned);
        state.declared_key = Some(Named::There { arn: arn.clone(), is_own: false, unusable: None });
        state.key_policy = Some(policy.to_string());
        changes(&Spec { s3_kms_key_arn: Some(arn.clone()), ..Spec::default() }, state)
    };
    assert!(with(own, "111122223333", Some(&arn)).is_empty());
    assert!(with("arn:aws:iam::111122223333:role/config", "444455556666", Some(&arn)).is_empty());
    let changes = with(own, "444455556666", Some(&arn));
    assert_eq!((changes.len(), &changes[0].action), (1, &None), "{changes:?}");
    let why = changes[0].withheld.as_ref().unwrap();
    assert!(why.contains("config.amazonaws.com is let in by no statement"), "{why}");
    let changes = with(own, "444455556666", None);
    assert!(changes[0].action.is_some(), "{changes:?}");
    assert!(changes[0].warnings[0].contains("until it is let in"), "{changes:?}");
}

#[test]
fn everything_is_made_in_the_only_order_that_works() {
    let spec = Spec {
        recording: Some(true),
        s3_bucket_name: Some("logs".to_owned()),
        retention_period_in_days: Some(DEFAULT),
        ..Spec::default()
    };
    let empty = State { has_service_linked_role: Some(false), ..State::default() };
    let actions: Vec<_> =
        changes(&spec, empty).into_iter().map(|change| change.action.unwrap()).collect();
    assert!(
        matches!(
            actions.as_slice(),
            [
                Action::CreateServiceLinkedRole,
                Action::PutRecorder { .. },
                Action::PutChannel { .. },
                Action::Start { .. }
            ]
        ),
        "{actions:?}"
    );
}

const DEFAULT: u32 = super::diff::DEFAULT_RETENTION;

#[test]
fn what_is_there_is_adopted_whatever_its_name_and_settings_that_are_not_declared_stay() {
    let spec = Spec { recording_frequency: Some(Frequency::Daily), ..Spec::default() };
    let changes = changes(&spec, state());
    let recorder = Recorder { recording_frequency: Frequency::Daily, ..recorder() };
    assert_eq!(changes[0].action, Some(Action::PutRecorder { recorder }));
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert_eq!(changes.len(), 1);
}

#[test]
fn a_recorder_whose_role_is_gone_is_not_in_sync() {
    let spec = Spec { role_arn: Some(String::new()), ..Spec::default() };
    let with = |there: bool| {
        let role_arn = format!(
            "arn:aws:iam::111122223333:role/aws-service-role/config.amazonaws.com/{SERVICE_LINKED_ROLE}"
        );
        let recorder = Some(Recorder { role_arn, ..recorder() });
        changes(&spec, State { recorder, has_service_linked_role: Some(there), ..state() })
    };
    assert!(with(true).is_empty());
    let missing = with(false);
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].action, Some(Action::CreateServiceLinkedRole));
}

#[test]
fn another_name_is_a_finding() {
    let spec = Spec { recorder_name: Some("ours".to_owned()), ..Spec::default() };
    let changes = changes(&spec, state());
    assert_eq!(changes[0].action, None);
    assert_eq!(changes.len(), 1);
}

#[test]
fn global_types_are_recorded_in_the_home_region_alone() {
    let spec = Spec { include_global_resource_types: Some(true), ..Spec::default() };
    assert!(changes(&spec, state()).is_empty());
    let elsewhere = ConfigRecorder::diff(&facts("eu-west-1"), &spec, &Object::present("", state()));
    let Some(Action::PutRecorder { recorder }) = &elsewhere[0].action else { panic!("no change") };
    assert!(!recorder.include_global_resource_types);
}

#[test]
fn dangers() {
    let inclusion = |names: &[&str]| Spec {
        strategy: Some(Strategy::Inclusion),
        resource_types: Some(types(names)),
        ..Spec::default()
    };
    let cases = [
        (Spec { recording: Some(false), ..Spec::default() }, Risk::Destructive),
        (Spec { retention_period_in_days: Some(30), ..Spec::default() }, Risk::Destructive),
        (Spec { s3_bucket_name: Some("other".to_owned()), ..Spec::default() }, Risk::Disruptive),
        (inclusion(&["AWS::EC2::Instance"]), Risk::Disruptive),
        (Spec { sns_topic_arn: Some("arn:topic".to_owned()), ..Spec::default() }, Risk::Safe),
    ];
    for (spec, risk) in cases {
        let changes = changes(&spec, state());
        assert_eq!(changes.len(), 1, "{spec:?}");
        assert_eq!(changes[0].risk, risk, "{spec:?}");
    }
    let few = State {
        recorder: Some(Recorder {
            strategy: Strategy::Inclusion,
            resource_types: types(&["AWS::A::A"]),
            ..recorder()
        }),
        ..state()
    };
    assert_eq!(
        changes(&inclusion(&["AWS::A::A", "AWS::B::B"]), few)[0].risk,
        Risk::Safe,
        "more is recorded"
    );
}

#[test]
fn a_recorder_without_a_place_to_deliver_to_is_not_started() {
    let spec = Spec { recording: Some(true), ..Spec::default() };
    let last = changes(&spec, State::default()).pop().unwrap();
    assert_eq!(last.action, None);
    assert!(last.withheld.unwrap().contains("s3_bucket_name"));
}

#[test]
fn what_fails_is_a_finding_where_its_field_is_declared() {
    let fails = |field: &str| State {
        failures: [(field.to_owned(), "FAILURE: AccessDenied: no".to_owned())].into(),
        ..state()
    };
    let some = |text: &str| Some(text.to_owned());
    let cases = [
        ("recording.last_status", Spec { recording: Some(true), ..Spec::default() }),
        (
            "s3_bucket_name.config_history_delivery_info",
            Spec { s3_bucket_name: some("logs"), ..Spec::default() },
        ),
        (
            "snapshot_delivery_frequency.config_snapshot_delivery_info",
            Spec {
                snapshot_delivery_frequency: Some(SnapshotFrequency::SixHours),
                ..Spec::default()
            },
        ),
        (
            "sns_topic_arn.config_stream_delivery_info",
            Spec { sns_topic_arn: some("arn:topic"), ..Spec::default() },
        ),
    ];
    for (field, spec) in cases {
        let mut there = fails(field);
        let channel = there.channel.as_mut().unwrap();
        channel.sns_topic_arn = some("arn:topic");
        channel.snapshot_delivery_frequency = Some(SnapshotFrequency::SixHours);
        let found = changes(&spec, there.clone());
        assert_eq!(found.len(), 1, "{field}");
        assert_eq!(found[0].action, None);
        assert_eq!(found[0].drift[0].field, field);
        assert!(changes(&Spec::default(), there).is_empty(), "{field} is not declared");
    }
}

#[test]
fn global_types_are_looked_for_in_a_list_that_governs_them() {
    let by = |strategy, names: &[&str]| State {
        recorder: Some(Recorder {
            strategy,
            include_global_resource_types: false,
            resource_types: types(names),
            ..recorder()
        }),
        ..state()
    };
    let declared = |global| Spec { include_global_resource_types: Some(global), ..Spec::default() };
    let iam = ["AWS::IAM::Group", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::User"];
    let (inclusion, exclusion) = (Strategy::Inclusion, Strategy::Exclusion);
    let cases = [
        (true, by(inclusion, &["AWS::EC2::Instance"]), false),
        (true, by(inclusion, &iam[..3]), false),
        (true, by(inclusion, &iam), true),
        (false, by(inclusion, &["AWS::EC2::Instance"]), true),
        (false, by(inclusion, &iam[..1]), false),
        (true, by(exclusion, &["AWS::EC2::Instance"]), true),
        (true, by(exclusion, &iam[..1]), false),
        (false, by(exclusion, &iam), true),
    ];
    for (global, state, agrees) in cases {
        let shown = format!("{global} {:?}", state.recorder);
        let found = changes(&declared(global), state);
        assert_eq!(found.is_empty(), agrees, "{shown}");
        assert!(found.iter().all(|one| one.action.is_none()), "{shown}");
        assert!(
            found.iter().all(|one| one.drift[0].field == "include_global_resource_types"),
            "{shown}"
        );
    }
}

#[test]
fn a_description_of_an_override_that_is_not_declared_stays() {
    let with = |description: Option<&str>, frequency| Override {
        description: description.map(str::to_owned),
        resource_types: types(&["AWS::EC2::NetworkInterface"]),
        recording_frequency: frequency,
    };
    let there = State {
        recorder: Some(Recorder {
            recording_overrides: vec![with(Some("by finance"), Frequency::Daily)],
            ..recorder()
        }),
        ..state()
    };
    let spec = |one| Spec { recording_overrides: Some(vec![one]), ..Spec::default() };
    assert!(changes(&spec(with(None, Frequency::Daily)), there.clone()).is_empty());
    let other = changes(&spec(with(None, Frequency::Continuous)), there.clone());
    let Some(Action::PutRecorder { recorder }) = &other[0].action else { panic!("no change") };
    assert_eq!(recorder.recording_overrides, [with(Some("by finance"), Frequency::Continuous)]);
    let renamed = changes(&spec(with(Some("by us"), Frequency::Daily)), there.clone());
    assert_eq!(renamed.len(), 1);
    assert_eq!(renamed[0].risk, Risk::Safe, "as much is recorded");
    let none = changes(&Spec { recording_overrides: Some(Vec::new()), ..Spec::default() }, there);
    assert!(none[0].warnings.iter().any(|one| one.contains("empty list")), "{none:?}");
}

/// What is recorded less often, type by type, is what is lost.
#[test]
fn an_override_that_is_taken_off_is_judged_by_what_it_leaves() {
    let of = |names: &[&str], recording_frequency| Override {
        description: None,
        resource_types: types(names),
        recording_frequency,
    };
    let put = |there: Vec<Override>, declared: Vec<Override>| {
        let recorder = Recorder { recording_overrides: there, ..recorder() };
        let there = State { recorder: Some(recorder), ..state() };
        let spec = Spec { recording_overrides: Some(declared), ..Spec::default() };
        let change = &changes(&spec, there)[0];
        change.warnings.iter().any(|one| one.contains("less is recorded"))
    };
    let (instance, network) = ("AWS::EC2::Instance", "AWS::EC2::NetworkInterface");
    let (daily, at_once) = (Frequency::Daily, Frequency::Continuous);
    let both = vec![of(&[instance, network], daily)];
    assert!(!put(both.clone(), vec![of(&[network], daily)]));
    assert!(put(vec![of(&[network], daily)], both.clone()));
    assert!(put(vec![], both.clone()));
    assert!(!put(both, vec![of(&[instance, network], at_once)]));
}

#[test]
fn what_aws_refuses() {
    let some = |text: &str| Some(text.to_owned());
    let one = |name: &str| Override {
        description: None,
        resource_types: types(&[name]),
        recording_frequency: Frequency::Daily,
    };
    let overrides =
        |name: &str| Spec { recording_overrides: Some(vec![one(name)]), ..Spec::default() };
    let bad = [
        (overrides("EC2::Instance"), "recording_overrides"),
        (overrides("AWS::Config::ResourceCompliance"), "recording_overrides"),
        (Spec { role_arn: some("config"), ..Spec::default() }, "role_arn"),
        (Spec { s3_kms_key_arn: some("alias/config"), ..Spec::default() }, "s3_kms_key_arn"),
        (Spec { sns_topic_arn: some("config"), ..Spec::default() }, "sns_topic_arn"),
    ];
    for (spec, field) in bad {
        let problems = ConfigRecorder::check(&spec);
        assert_eq!(problems.first().map(|one| one.field.as_str()), Some(field));
    }
    let good = [
        overrides("AWS::EC2::NetworkInterface"),
        Spec { role_arn: some("arn:aws:iam::111122223333:role/config"), ..Spec::default() },
        Spec { s3_kms_key_arn: some(""), sns_topic_arn: some(""), ..Spec::default() },
    ];
    for spec in good {
        assert_eq!(ConfigRecorder::check(&spec), Vec::new());
    }
}

#[test]
fn undo_restores_or_deletes() {
    let object = Object::present("", state());
    let put = Action::PutRecorder {
        recorder: Recorder { recording_frequency: Frequency::Daily, ..recorder() },
    };
    assert_eq!(
        ConfigRecorder::undo(&put, &object),
        Undo::By(vec![Action::PutRecorder { recorder: recorder() }])
    );
    assert_eq!(
        ConfigRecorder::undo(&put, &Object::present("", State::default())),
        Undo::By(vec![Action::DeleteRecorder { name: "theirs".to_owned() }])
    );
}

#[test]
fn rules_between_fields() {
    let cases = [
        (Spec { resource_types: Some(types(&["AWS::A::A"])), ..Spec::default() }, "resource_types"),
        (Spec { strategy: Some(Strategy::Inclusion), ..Spec::default() }, "strategy"),
        (
            Spec {
                strategy: Some(Strategy::Exclusion),
                resource_types: Some(types(&["AWS::A::A"])),
                include_global_resource_types: Some(true),
                ..Spec::default()
            },
            "include_global_resource_types",
        ),
    ];
    for (spec, field) in cases {
        let problems = ConfigRecorder::check(&spec);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].field, field);
    }
}

/// What was not there has an empty name, by which the way back is judged: it gives nobody rights.
#[test]
fn the_way_back_to_nothing_stops_and_deletes() {
    let was = |before| {
        ConfigRecorder::as_it_was(&facts("us-east-1"), &Object::present("", before)).unwrap()
    };
    let nothing = was(State::default());
    let back = changes(&nothing, state());
    let name = "theirs".to_owned();
    let actions: Vec<_> = back.iter().filter_map(|change| change.action.clone()).collect();
    let (stop, channel, recorder) = (
        Action::Stop { name: name.clone() },
        Action::DeleteChannel { name: name.clone() },
        Action::DeleteRecorder { name },
    );
    assert_eq!((back.len(), actions.len()), (3, 3), "{back:?}");
    for action in [&stop, &channel, &recorder] {
        assert!(actions.contains(action), "{actions:?}");
    }
    // As long as it records, to delete it is to stop it.
    assert!(back.iter().all(|one| one.risk == Risk::Destructive && one.grants.is_empty()));
    assert!(changes(&nothing, State::default()).is_empty());
    let alone = changes(&was(State { channel: None, ..state() }), state());
    let alone: Vec<_> = alone.into_iter().map(|change| change.action).collect();
    assert_eq!(alone, [Some(channel)]);
    for empty in ["recorder_name", "delivery_channel_name"] {
        let schema = serde_json::to_value(schemars::schema_for!(Spec)).unwrap();
        assert_eq!(schema["properties"][empty]["minLength"], 1, "nobody can declare that");
    }
}

#[test]
fn a_key_or_a_topic_of_another_account_is_a_rise() {
    let grants = |spec: &Spec| changes(spec, state())[0].grants.clone();
    let key = |account: &str| Spec {
        s3_kms_key_arn: Some(format!("arn:aws:kms:us-east-1:{account}:key/1")),
        ..Spec::default()
    };
    let topic = |account: &str| Spec {
        sns_topic_arn: Some(format!("arn:aws:sns:us-east-1:{account}:changes")),
        ..Spec::default()
    };
    for outside in [key("999999999999"), topic("999999999999")] {
        let grants = grants(&outside);
        assert_eq!(grants[0].class, GrantClass::Foreign, "{grants:?}");
        assert!(grants[0].what.contains("999999999999"), "{grants:?}");
    }
    for own in [key("111122223333"), topic("111122223333")] {
        assert!(grants(&own).is_empty(), "{own:?}");
    }
}
