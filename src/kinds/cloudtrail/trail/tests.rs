#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;

use serde_json::json;

use super::selectors::{
    AdvancedEventSelector, DataResource, DataResourceType, EventSelector, FieldSelector,
    ReadWriteType,
};
use super::spec::{Settings, Step};
use super::*;
use crate::kinds::kms::named::Named;
use crate::kinds::{Needs, Risk};
use crate::names::Region;

fn facts() -> Facts {
    Facts::example(Trail::NAME)
}

fn spec() -> Spec {
    Spec { name: "audit".to_owned(), ..Spec::default() }
}

fn state() -> State {
    State {
        arn: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/audit".to_owned(),
        settings: Settings {
            s3_bucket_name: Some("logs".to_owned()),
            is_multi_region_trail: Some(true),
            enable_log_file_validation: Some(true),
            kms_key_id: Some("arn:aws:kms:eu-west-1:111122223333:key/1".to_owned()),
            cloud_watch_logs_log_group_arn: Some("arn:group:*".to_owned()),
            cloud_watch_logs_role_arn: Some("arn:role".to_owned()),
            sns_topic_name: Some("arn:aws:sns:eu-west-1:111122223333:trail".to_owned()),
            ..Settings::default()
        },
        is_logging: true,
        delivery_errors: Default::default(),
        hidden: Default::default(),
        namesakes: Vec::new(),
        selectors: Some(Selectors::default_selector()),
        insight_selectors: None,
        event_aggregation: None,
        tags: None,
        declared_key: None,
        key_policy: None,
    }
}

fn changes(spec: &Spec, state: State) -> Vec<Change<Action>> {
    Trail::diff(&facts(), spec, &Object::present("audit", state))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[test]
fn nothing_declared_is_nothing_to_do() {
    assert!(changes(&spec(), state()).is_empty());
}

/// AWS answers such an `UpdateTrail` with InvalidParameterCombinationException, each time anew.
#[test]
fn a_trail_of_all_regions_cannot_leave_global_services_out() {
    let of_all = |spec: &Spec| {
        let settings = Settings {
            is_multi_region_trail: Some(true),
            include_global_service_events: Some(true),
            enable_log_file_validation: Some(false),
            ..state().settings
        };
        changes(spec, State { settings, ..state() })
    };
    let without = Spec { include_global_service_events: Some(false), ..spec() };
    let alone = of_all(&without);
    assert_eq!(alone.len(), 1, "{alone:?}");
    assert_eq!(alone[0].action, None);
    assert!(alone[0].withheld.as_deref().unwrap().contains("is_multi_region_trail = false"));
    // What else differs is written without it, and with one Region AWS takes it.
    let beside = of_all(&Spec { enable_log_file_validation: Some(true), ..without.clone() });
    let sent = beside.iter().find_map(|change| change.action.as_ref());
    let Some(Step::Update { settings }) = sent.map(|action| &action.step) else { unreachable!() };
    assert_eq!((beside.len(), settings.include_global_service_events), (2, None));
    let of_one = of_all(&Spec { is_multi_region_trail: Some(false), ..without });
    assert!(of_one.len() == 1 && of_one[0].action.is_some(), "{of_one:?}");
}

#[test]
fn a_new_trail_is_started_last() {
    let spec = Spec {
        s3_bucket_name: some("logs"),
        is_logging: Some(true),
        insight_selectors: Some(BTreeSet::new()),
        event_selectors: Some(BTreeSet::new()),
        ..spec()
    };
    let changes = Trail::diff(&facts(), &spec, &Object::absent("audit"));
    let steps: Vec<_> =
        changes.iter().map(|change| &change.action.as_ref().unwrap().step).collect();
    assert!(matches!(steps.as_slice(), [Step::Create { .. }, Step::StartLogging]), "{steps:?}");
}

#[test]
fn other_spellings_of_the_same_are_no_drift() {
    let same = Spec {
        kms_key_id: some("alias/audit"),
        cloud_watch_logs_log_group_arn: some("arn:group"),
        cloud_watch_logs_role_arn: some("arn:role"),
        sns_topic_name: some("trail"),
        s3_key_prefix: some(""),
        event_selectors: Some(BTreeSet::new()),
        ..spec()
    };
    let arn = state().settings.kms_key_id.unwrap();
    let now = State {
        declared_key: Some(Named::There { arn, is_own: false, unusable: None }),
        ..state()
    };
    assert!(changes(&same, now).is_empty());
}

/// The key that a trail has and that cannot work is a finding, and no other such key is written; what
/// else differs does not wait for it.
#[test]
fn a_key_that_cannot_work_is_said_and_not_written() {
    let own = state().settings.kms_key_id.unwrap();
    let broken = |arn: &str| Named::There {
        arn: arn.to_owned(),
        is_own: false,
        unusable: some("it is in the state Disabled"),
    };
    for (name, declared) in [
        ("alias/audit", broken(&own)),
        ("1", broken(&own)),
        (own.as_str(), broken(&own)),
        (own.as_str(), Named::Missing),
    ] {
        let spec = Spec { kms_key_id: some(name), ..spec() };
        let changes = changes(&spec, State { declared_key: Some(declared), ..state() });
        assert_eq!(changes.len(), 1, "{name}");
        assert_eq!(changes[0].action, None);
        assert!(changes[0].withheld.as_deref().unwrap().contains("cannot encrypt"));
    }
    for (name, declared, is_withheld) in [
        ("arn:other", broken("arn:other"), true),
        ("arn:other", Named::Missing, true),
        ("alias/new", Named::Missing, false),
        (
            "arn:other",
            Named::There { arn: "arn:other".to_owned(), is_own: false, unusable: None },
            false,
        ),
        ("arn:other", Named::Hidden, false),
    ] {
        let spec = Spec {
            kms_key_id: some(name),
            is_multi_region_trail: Some(false),
            is_logging: Some(true),
            ..spec()
        };
        let settings = Settings { is_multi_region_trail: Some(true), ..state().settings };
        let stopped =
            State { declared_key: Some(declared), is_logging: false, settings, ..state() };
        let changes = changes(&spec, stopped);
        assert_eq!(changes.len(), 3, "{changes:#?}");
        assert_eq!(changes[0].withheld.is_some(), is_withheld, "{name} {:?}", changes[0]);
        assert!(changes.iter().all(|change| change.needs == Needs::Object));
    }
    let hidden = State { declared_key: Some(Named::Hidden), ..state() };
    assert!(changes(&Spec { kms_key_id: Some(own), ..spec() }, hidden).is_empty());
}

/// The conditions are those of the CloudTrail User Guide and of a key that evenkeel makes.
#[test]
fn a_key_that_shuts_the_trail_out_is_a_finding() {
    let arn = state().settings.kms_key_id.unwrap();
    let with = |condition: Value| {
        let policy = json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": { "Service": "cloudtrail.amazonaws.com" },
            "Action": "kms:GenerateDataKey*", "Resource": "*", "Condition": condition,
        }] });
        let declared = Named::There { arn: arn.clone(), is_own: false, unusable: None };
        let spec = Spec { kms_key_id: some("alias/audit"), ..spec() };
        let key_policy = Some(policy.to_string());
        changes(&spec, State { declared_key: Some(declared), key_policy, ..state() })
    };
    let trail = |name: &str| format!("arn:aws:cloudtrail:eu-west-1:111122223333:trail/{name}");
    for condition in [
        json!({}),
        json!({ "StringEquals": { "aws:SourceAccount": "111122223333" } }),
        json!({
            "StringEquals": { "aws:SourceArn": trail("audit") },
            "StringLike": { "kms:EncryptionContext:aws:cloudtrail:arn":
                "arn:aws:cloudtrail:*:111122223333:trail/*" },
        }),
    ] {
        assert!(with(condition.clone()).is_empty(), "{condition}");
    }
    for condition in [
        json!({ "StringEquals": { "aws:SourceArn": trail("other") } }),
        json!({ "StringEquals": { "aws:SourceAccount": "444455556666" } }),
    ] {
        let changes = with(condition.clone());
        assert_eq!((changes.len(), &changes[0].action), (1, &None), "{condition}");
        let why = changes[0].withheld.as_ref().unwrap();
        assert!(why.contains("cloudtrail.amazonaws.com is let in by no statement"), "{why}");
    }
}

#[test]
fn only_what_differs_is_sent_and_undone() {
    let spec = Spec { kms_key_id: some(""), is_multi_region_trail: Some(true), ..spec() };
    let object = Object::present("audit", state());
    let changes = Trail::diff(&facts(), &spec, &object);
    let action = changes[0].action.as_ref().unwrap();
    let sent = Settings { kms_key_id: some(""), ..Settings::default() };
    assert_eq!(action.step, Step::Update { settings: sent });
    let Undo::By(undo) = Trail::undo(action, &object) else { panic!("no undo") };
    let back = Settings { kms_key_id: state().settings.kms_key_id, ..Settings::default() };
    assert_eq!(undo[0].step, Step::Update { settings: back });
}

#[test]
fn dangers() {
    let narrow = EventSelector {
        read_write_type: ReadWriteType::WriteOnly,
        include_management_events: true,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: BTreeSet::new(),
    };
    let cases = [
        (Spec { is_logging: Some(false), ..spec() }, Risk::Destructive),
        (Spec { is_multi_region_trail: Some(false), ..spec() }, Risk::Destructive),
        (Spec { s3_bucket_name: some("other"), ..spec() }, Risk::Disruptive),
        (Spec { kms_key_id: some(""), ..spec() }, Risk::Disruptive),
        (Spec { enable_log_file_validation: Some(false), ..spec() }, Risk::Disruptive),
        (Spec { event_selectors: Some(BTreeSet::from([narrow])), ..spec() }, Risk::Disruptive),
        (
            Spec { insight_selectors: Some(BTreeSet::new()), s3_key_prefix: some("x"), ..spec() },
            Risk::Disruptive,
        ),
    ];
    for (spec, risk) in cases {
        let changes = changes(&spec, state());
        assert_eq!(changes.len(), 1, "{spec:?}");
        assert_eq!(changes[0].risk, risk, "{spec:?}");
    }
}

fn of_organization() -> State {
    State { arn: "arn:aws:cloudtrail:us-east-1:999999999999:trail/org".to_owned(), ..state() }
}

/// The fields of the findings; nothing of these may be written.
fn findings(changes: &[Change<Action>]) -> Vec<&str> {
    assert!(changes.iter().all(|change| change.action.is_none() && change.withheld.is_some()));
    changes.iter().flat_map(|change| &change.drift).map(|drift| drift.field.as_str()).collect()
}

#[test]
fn an_organization_trail_is_compared_in_every_declared_field_and_never_written() {
    let spec = Spec {
        s3_bucket_name: some("logs"),
        is_logging: Some(true),
        enable_log_file_validation: Some(true),
        is_multi_region_trail: Some(true),
        record_all_management_events: Some(true),
        forbid_excluded_sources: Some(true),
        ..spec()
    };
    assert!(changes(&spec, of_organization()).is_empty());
    let narrow = EventSelector {
        read_write_type: ReadWriteType::WriteOnly,
        include_management_events: true,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: BTreeSet::new(),
    };
    let worse = State {
        is_logging: false,
        selectors: Some(Selectors::Basic(BTreeSet::from([narrow]))),
        settings: Settings {
            s3_bucket_name: some("theirs"),
            enable_log_file_validation: Some(false),
            is_multi_region_trail: Some(true),
            ..Settings::default()
        },
        ..of_organization()
    };
    assert_eq!(
        findings(&changes(&spec, worse)),
        [
            "s3_bucket_name",
            "enable_log_file_validation",
            "is_logging",
            "record_all_management_events"
        ]
    );
    // A name means a topic beside the trail, in the management account.
    let topic = Spec { sns_topic_name: some("trail"), ..self::spec() };
    assert_eq!(findings(&changes(&topic, of_organization())), ["sns_topic_name"]);
}

#[test]
fn what_aws_does_not_show_of_an_organization_trail_is_said() {
    let spec = Spec {
        tags: Some([("a".to_owned(), "b".to_owned())].into()),
        record_all_management_events: Some(true),
        ..spec()
    };
    let why = |part: &str| (part.to_owned(), "cloudtrail:X: NotPermitted".to_owned());
    let hidden = State {
        hidden: [why("tags"), why("event_selectors")].into(),
        selectors: None,
        ..of_organization()
    };
    let changes = changes(&spec, hidden);
    assert_eq!(findings(&changes), ["record_all_management_events", "tags"]);
    assert!(changes[0].withheld.as_ref().unwrap().contains("999999999999"));
}

#[test]
fn a_delivery_that_fails_is_a_finding_where_its_field_is_declared() {
    let error = |field: &str| (field.to_owned(), "AccessDenied".to_owned());
    let broken = State {
        delivery_errors: [
            error("is_logging.latest_delivery_error"),
            error("enable_log_file_validation.latest_digest_delivery_error"),
            error("sns_topic_name.latest_notification_error"),
            error("cloud_watch_logs_log_group_arn.latest_cloud_watch_logs_delivery_error"),
        ]
        .into(),
        ..state()
    };
    assert!(changes(&Spec { s3_bucket_name: some("logs"), ..spec() }, broken.clone()).is_empty());
    let cases = [
        (Spec { is_logging: Some(true), ..spec() }, "is_logging.latest_delivery_error"),
        (
            Spec { enable_log_file_validation: Some(true), ..spec() },
            "enable_log_file_validation.latest_digest_delivery_error",
        ),
        (
            Spec { sns_topic_name: some("trail"), ..spec() },
            "sns_topic_name.latest_notification_error",
        ),
    ];
    for (spec, field) in cases {
        assert_eq!(findings(&changes(&spec, broken.clone())), [field]);
    }
    let stopped = State { is_logging: false, ..broken };
    let changes = changes(&Spec { is_logging: Some(true), ..spec() }, stopped);
    assert_eq!(changes.len(), 1, "that it does not record is enough to say");
}

#[test]
fn sources_that_are_left_out_are_a_finding() {
    let mut selectors = BTreeSet::new();
    selectors.insert(EventSelector {
        read_write_type: ReadWriteType::All,
        include_management_events: true,
        data_resources: BTreeSet::new(),
        exclude_management_event_sources: BTreeSet::from(["kms.amazonaws.com".to_owned()]),
    });
    let spec = Spec { forbid_excluded_sources: Some(true), ..spec() };
    let now = State { selectors: Some(Selectors::Basic(selectors.clone())), ..state() };
    assert_eq!(changes(&spec, now)[0].drift[0].field, "forbid_excluded_sources");
    let declared = Spec { event_selectors: Some(selectors), ..spec };
    assert_eq!(Trail::check(&declared)[0].field, "forbid_excluded_sources");
}

#[test]
fn selectors_that_do_not_keep_a_promise_are_a_finding_in_words() {
    let basic = |read_write_type, management| {
        Selectors::Basic(BTreeSet::from([EventSelector {
            read_write_type,
            include_management_events: management,
            data_resources: BTreeSet::new(),
            exclude_management_event_sources: BTreeSet::new(),
        }]))
    };
    let data_only = Selectors::Advanced(vec![AdvancedEventSelector {
        name: None,
        field_selectors: BTreeSet::from([FieldSelector {
            field: "eventCategory".to_owned(),
            equals: BTreeSet::from(["Data".to_owned()]),
            ..FieldSelector::default()
        }]),
    }]);
    let spec = Spec { record_all_management_events: Some(true), ..spec() };
    for (selectors, words, recorded) in [
        (basic(ReadWriteType::ReadOnly, true), "do not record writes;", "all but writes"),
        (basic(ReadWriteType::All, false), "do not record all management events;", "none"),
        (data_only, "do not record all management events;", "none"),
    ] {
        let changes = changes(&spec, State { selectors: Some(selectors), ..state() });
        assert_eq!(findings(&changes), ["record_all_management_events"]);
        assert_eq!(changes[0].drift[0].actual, Some(recorded.into()));
        assert!(changes[0].withheld.as_ref().unwrap().contains(words), "{changes:?}");
    }
    let declared = Spec {
        event_selectors: Some(BTreeSet::from([EventSelector {
            read_write_type: ReadWriteType::WriteOnly,
            include_management_events: true,
            data_resources: BTreeSet::new(),
            exclude_management_event_sources: BTreeSet::new(),
        }])),
        ..spec
    };
    assert_eq!(Trail::check(&declared)[0].field, "record_all_management_events");
}

#[test]
fn the_default_selector_in_other_words_is_no_drift() {
    let spec = Spec { event_selectors: Some(BTreeSet::new()), ..spec() };
    let every = Selectors::Advanced(vec![AdvancedEventSelector {
        name: some("Management events selector"),
        field_selectors: BTreeSet::from([FieldSelector {
            field: "eventCategory".to_owned(),
            equals: BTreeSet::from(["Management".to_owned()]),
            ..FieldSelector::default()
        }]),
    }]);
    assert!(changes(&spec, State { selectors: Some(every), ..state() }).is_empty());
}

#[test]
fn a_namesake_in_another_region_is_never_written() {
    let spec = Spec { home_region: some("us-east-1"), is_logging: Some(false), ..self::spec() };
    let alone = changes(&spec, state());
    assert_eq!(findings(&alone), ["home_region"]);
    assert!(alone[0].withheld.as_ref().unwrap().contains("home_region = \"eu-west-1\""));
    let second = "arn:aws:cloudtrail:eu-west-2:111122223333:trail/audit";
    let two = changes(&spec, State { namesakes: vec![second.to_owned()], ..state() });
    let words = two[0].withheld.as_ref().unwrap();
    assert!(words.contains(second) && words.contains(&state().arn), "{words}");
    // Without a declared Region, the account's home Region is meant.
    let facts = Facts { home_region: Region::new("us-east-1"), ..facts() };
    let plain = Spec { is_logging: Some(false), ..self::spec() };
    let changes = Trail::diff(&facts, &plain, &Object::present("audit", state()));
    assert_eq!(findings(&changes), ["home_region"]);
}

#[test]
fn a_topic_of_the_same_name_elsewhere_is_another_topic() {
    let spec = Spec { sns_topic_name: some("trail"), ..spec() };
    assert!(changes(&spec, state()).is_empty());
    for elsewhere in
        ["arn:aws:sns:eu-west-1:444455556666:trail", "arn:aws:sns:us-east-1:111122223333:trail"]
    {
        let settings = Settings { sns_topic_name: some(elsewhere), ..state().settings };
        let changes = changes(&spec, State { settings, ..state() });
        let sent = Settings { sns_topic_name: some("trail"), ..Settings::default() };
        let step = Step::Update { settings: sent };
        assert_eq!(changes[0].action.as_ref().map(|action| &action.step), Some(&step));
        assert_eq!(changes[0].drift[0].field, "sns_topic_name");
    }
}

#[test]
fn values_that_cloudtrail_refuses() {
    let resource = |kind, value: &str| EventSelector {
        read_write_type: ReadWriteType::All,
        include_management_events: true,
        data_resources: BTreeSet::from([DataResource {
            kind,
            values: BTreeSet::from([value.to_owned()]),
        }]),
        exclude_management_event_sources: BTreeSet::new(),
    };
    use DataResourceType::{DynamoDbTable, LambdaFunction, S3Object};
    let cases = [
        (S3Object, "arn:aws:s3:::one", Some("\"arn:aws:s3:::one/\"")),
        (S3Object, "arn:aws:s3:::one/*", Some("\"arn:aws:s3:::one/\"")),
        (S3Object, "arn:aws:s3:::*", Some("\"arn:aws:s3\"")),
        (S3Object, "arn:aws-cn:s3:::*/", Some("\"arn:aws-cn:s3\"")),
        (S3Object, "one/", Some("\"arn:aws:s3:::BUCKET/\"")),
        (S3Object, "arn:aws:s3:::/", Some("\"arn:aws:s3\"")),
        (LambdaFunction, "arn:aws:lambda:*", Some("\"arn:aws:lambda\"")),
        (LambdaFunction, "arn:aws:s3", Some("\"arn:aws:lambda\"")),
        (DynamoDbTable, "arn:aws:dynamodb:eu-west-1:111122223333:*", Some("table/NAME")),
        (S3Object, "arn:aws:s3", None),
        (S3Object, "arn:aws:s3:::", None),
        (S3Object, "arn:aws:s3:::one/", None),
        (S3Object, "arn:aws:s3:::one/logs", None),
        (LambdaFunction, "arn:aws:lambda", None),
        (LambdaFunction, "arn:aws:lambda:eu-west-1:111122223333:function:f", None),
        (DynamoDbTable, "arn:aws:dynamodb:eu-west-1:111122223333:table/t", None),
    ];
    for (kind, value, help) in cases {
        let one = BTreeSet::from([resource(kind, value)]);
        let problems = Trail::check(&Spec { event_selectors: Some(one), ..spec() });
        let got = problems.first().and_then(|problem| problem.help.clone());
        match help {
            None => assert_eq!(got, None, "{value}"),
            Some(help) => assert!(got.is_some_and(|got| got.contains(help)), "{value}"),
        }
    }
}

#[test]
fn conditions_that_cloudtrail_refuses() {
    let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let equals = |field: &str, values: &[&str]| FieldSelector {
        field: field.to_owned(),
        equals: list(values),
        ..FieldSelector::default()
    };
    let category = |word: &str| equals("eventCategory", &[word]);
    let other = FieldSelector {
        field: "readOnly".to_owned(),
        not_equals: list(&["true"]),
        ..FieldSelector::default()
    };
    let cases: [(Vec<FieldSelector>, Option<&str>); 11] = [
        (vec![category("Management")], None),
        (vec![category("Management"), equals("readOnly", &["true"])], None),
        (vec![category("Data"), equals("resources.type", &["AWS::S3::Object"])], None),
        (vec![equals("readOnly", &["true"])], Some("needs the field eventCategory")),
        (vec![category("Management"), other], Some("with equals alone")),
        (vec![category("Management"), equals("readOnly", &["True"])], Some("true or false")),
        (vec![category("Data")], Some("resources.type")),
        (vec![category("management")], Some("not one category")),
        (vec![category("NetworkActivity")], Some("eventSource")),
        (vec![category("Management"), equals("eventName", &["A"])], Some("by eventName")),
        (
            vec![
                category("Data"),
                equals("resources.type", &["AWS::S3::Object"]),
                equals("eventName", &["Get*"]),
            ],
            Some("no wildcards"),
        ),
    ];
    for (field_selectors, message) in cases {
        let selector = AdvancedEventSelector {
            name: None,
            field_selectors: field_selectors.into_iter().collect(),
        };
        let shown = format!("{selector:?}");
        let spec = Spec { advanced_event_selectors: Some(vec![selector]), ..spec() };
        let problems = Trail::check(&spec);
        let got = problems.first().map(|problem| problem.message.as_str());
        match message {
            None => assert_eq!(got, None, "{shown}"),
            Some(message) => {
                assert!(got.is_some_and(|got| got.contains(message)), "{shown}: {got:?}")
            }
        }
    }
}

#[test]
fn texts_that_aws_refuses() {
    let arn = "arn:aws:logs:eu-west-1:111122223333:log-group:trail:*";
    let role = "arn:aws:iam::111122223333:role/trail";
    let both = |group: &str, role: &str| Spec {
        cloud_watch_logs_log_group_arn: some(group),
        cloud_watch_logs_role_arn: some(role),
        ..spec()
    };
    let key = |key: &str| Spec { kms_key_id: some(key), ..spec() };
    let topic = |topic: &str| Spec { sns_topic_name: some(topic), ..spec() };
    let good = [
        both(arn, role),
        both("", ""),
        key("alias/a"),
        key("arn:aws:kms:eu-west-1:111122223333:key/1"),
        key("12345678-1234-1234-1234-123456789012"),
        key("mrk-1234567890abcdef1234567890abcdef"),
        key(""),
        topic("alerts"),
        topic("arn:aws:sns:eu-west-1:111122223333:alerts"),
    ];
    for spec in good {
        assert_eq!(Trail::check(&spec), Vec::new());
    }
    let bad = [
        (both("trail", role), "cloud_watch_logs_log_group_arn"),
        (both(arn, "trail"), "cloud_watch_logs_role_arn"),
        (key("audit"), "kms_key_id"),
        (key("arn:aws:kms:eu-west-1:111122223333:audit"), "kms_key_id"),
        (topic("two words"), "sns_topic_name"),
        (topic("arn:aws:sqs:eu-west-1:111122223333:alerts"), "sns_topic_name"),
        (Spec { name: "10.0.0.1".to_owned(), ..spec() }, "name"),
    ];
    for (spec, field) in bad {
        assert_eq!(Trail::check(&spec).first().map(|one| one.field.as_str()), Some(field));
    }
}
