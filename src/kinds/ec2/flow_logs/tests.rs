use serde_json::{Value, json};

use super::spec::{FileFormat, FlowLog, Settings, TrafficType};
use super::*;
use crate::kinds::{GrantClass, Risk};

const BUCKET: &str = "arn:aws:s3:::flow-logs/vpc";
const GROUP: &str = "arn:aws:logs:eu-west-1:111122223333:log-group:flow-logs";
const ROLE: &str = "arn:aws:iam::111122223333:role/flow-logs";

fn spec(fields: Value) -> Spec {
    let mut all = json!({ "traffic_type": "ALL", "log_destination": BUCKET });
    all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    serde_json::from_value(all).unwrap()
}

/// A flow log to the bucket, as AWS makes it by default.
fn log(id: &str) -> FlowLog {
    let format = ["version", "account-id"].map(str::to_owned).to_vec();
    FlowLog {
        flow_log_id: Some(id.to_owned()),
        tags: [("team".to_owned(), "a".to_owned()), ("aws:made".to_owned(), "b".to_owned())].into(),
        ..FlowLog::new(Settings {
            traffic_type: TrafficType::All,
            log_destination: BUCKET.to_owned(),
            log_destination_type: Some(LogDestinationType::S3),
            deliver_logs_permission_arn: None,
            deliver_cross_account_role: None,
            max_aggregation_interval: Some(600),
            log_format: Some(format),
            file_format: Some(FileFormat::PlainText),
            hive_compatible_partitions: Some(false),
            per_hour_partition: Some(false),
        })
    }
}

fn to(id: &str, place: &str) -> FlowLog {
    let mut log = log(id);
    log.settings.log_destination = place.to_owned();
    log
}

fn diff(spec: &Spec, flow_logs: Vec<FlowLog>) -> Vec<Change<Action>> {
    let facts = Facts::example(FlowLogs::NAME);
    FlowLogs::diff(&facts, spec, &Object::present("vpc-1", State { flow_logs }))
}

/// What the changes do, in a word each.
fn steps(spec: &Spec, flow_logs: Vec<FlowLog>) -> Vec<String> {
    let ids = |all: &[FlowLog]| {
        all.iter().map(|one| one.flow_log_id.clone().unwrap()).collect::<Vec<_>>().join(" ")
    };
    let step = |change: Change<Action>| match change.action.map(|action| action.step) {
        Some(Step::Create(_)) => "create".to_owned(),
        Some(Step::Delete(all)) => format!("delete {}", ids(&all)),
        None => "finding".to_owned(),
    };
    diff(spec, flow_logs).into_iter().map(step).collect()
}

#[test]
fn one_that_fits_is_enough_however_it_is_spelt() {
    let slash = spec(json!({ "log_destination": format!("{BUCKET}/") }));
    for fits in [spec(json!({})), slash, spec(json!({ "max_aggregation_interval": 600 }))] {
        assert_eq!(steps(&fits, vec![log("fl-1")]), [""; 0], "{fits:?}");
        assert_eq!(steps(&fits, vec![log("fl-1"), to("fl-2", GROUP)]), [""; 0]);
    }
    let mut group = to("fl-1", GROUP);
    group.settings.log_destination_type = Some(LogDestinationType::CloudWatchLogs);
    group.settings.deliver_logs_permission_arn = Some(ROLE.to_owned());
    let star = format!("{GROUP}:*");
    let declared = spec(json!({ "log_destination": star, "deliver_logs_permission_arn": ROLE }));
    assert_eq!(steps(&declared, vec![group]), [""; 0]);
}

#[test]
fn a_wrong_one_at_the_same_place_goes_first_and_others_last() {
    let small = spec(json!({ "max_aggregation_interval": 60 }));
    assert_eq!(steps(&small, vec![]), ["create"]);
    assert_eq!(steps(&small, vec![to("fl-1", GROUP)]), ["create"]);
    assert_eq!(steps(&small, vec![log("fl-1")]), ["delete fl-1", "create"]);
    let alone = spec(json!({ "max_aggregation_interval": 60, "exclusive": true }));
    let there = vec![log("fl-1"), to("fl-2", GROUP), to("fl-3", "arn:aws:s3:::other")];
    assert_eq!(steps(&alone, there), ["delete fl-1", "create", "delete fl-2 fl-3"]);
    let alone = spec(json!({ "exclusive": true }));
    assert_eq!(steps(&alone, vec![log("fl-1"), to("fl-2", GROUP)]), ["delete fl-2"]);
    assert_eq!(steps(&alone, vec![log("fl-1")]), [""; 0]);
}

#[test]
fn what_is_made_anew_keeps_its_tags_and_what_is_not_declared() {
    let changes = diff(&spec(json!({ "file_format": "parquet" })), vec![log("fl-1")]);
    assert_eq!(changes[0].risk, Risk::Disruptive);
    assert!(changes[0].warnings[0].contains("is not recorded"), "{:?}", changes[0].warnings);
    assert_eq!(changes[0].drift[0].field, "file_format");
    let new = changes[1].action.as_ref().and_then(|action| match &action.step {
        Step::Create(new) => Some(new),
        Step::Delete(_) => None,
    });
    let new = new.unwrap();
    assert_eq!(new.settings.file_format, Some(FileFormat::Parquet));
    assert_eq!(new.settings.log_format, log("fl-1").settings.log_format);
    assert_eq!(new.tags, [("team".to_owned(), "a".to_owned())].into());
    // What evenkeel cannot make again is left alone.
    let mut special = log("fl-1");
    special.unknown = vec!["TagFieldSpecifications".to_owned()];
    let changes = diff(&spec(json!({ "file_format": "parquet" })), vec![special.clone()]);
    assert!(changes.iter().all(|change| change.withheld.is_some()), "{changes:#?}");
    let delete = Action { vpc_id: "vpc-1".to_owned(), step: Step::Delete(vec![special]) };
    let undo = FlowLogs::undo(&delete, &Object::absent("vpc-1"));
    assert!(matches!(undo, Undo::Impossible(_)));
}

/// Once the wrong one is gone, only what is declared is needed, and the planned write has it and more.
#[test]
fn a_planned_write_is_the_one_that_is_needed_where_it_has_all_of_that() {
    let create = |settings: Settings| Action {
        vpc_id: "vpc-1".to_owned(),
        step: Step::Create(FlowLog::new(settings)),
    };
    let declared = Settings::from(&spec(json!({ "file_format": "parquet" })));
    let (planned, now) = (create(declared.clone().or(&log("fl-1").settings)), create(declared));
    assert!(FlowLogs::is_same_write(&planned, &now));
    assert!(!FlowLogs::is_same_write(&now, &planned));
    let elsewhere = Action { vpc_id: "vpc-2".to_owned(), ..now.clone() };
    assert!(!FlowLogs::is_same_write(&planned, &elsewhere));
    let other = create(Settings::from(&spec(json!({ "file_format": "plain-text" }))));
    assert!(!FlowLogs::is_same_write(&planned, &other));
}

/// What a rollback takes away is known by it: somebody may have tagged what a run made, or put another in its place.
#[test]
fn what_goes_is_what_is_there_and_not_what_was_written() {
    let declared = Settings::from(&spec(json!({})));
    let act = |step| Action { vpc_id: "vpc-1".to_owned(), step };
    let made = act(Step::Create(FlowLog::new(declared.clone())));
    let back = act(Step::Delete(vec![FlowLog::new(declared.clone())]));
    let again = |there: FlowLog| {
        let state = State { flow_logs: vec![to("fl-2", GROUP), there] };
        let mut writes = match FlowLogs::undo(&back, &Object::present("vpc-1", state)) {
            Undo::By(writes) => writes,
            Undo::Impossible(_) => Vec::new(),
        };
        assert_eq!(writes.len(), 1);
        writes.remove(0)
    };
    let seen = FlowLog { flow_log_id: Some("fl-1".to_owned()), ..FlowLog::new(declared.whole()) };
    assert!(FlowLogs::is_same_write(&made, &again(seen.clone())));
    let mut tagged = seen.clone();
    tagged.tags.insert("theirs".to_owned(), "1".to_owned());
    assert!(!FlowLogs::is_same_write(&made, &again(tagged)));
    let mut other = seen;
    other.settings.log_format = Some(vec!["version".to_owned()]);
    assert!(!FlowLogs::is_same_write(&made, &again(other)));
}

#[test]
fn one_that_delivers_nothing_is_told_unless_another_does() {
    let mut failing = log("fl-1");
    failing.problem = Some("Access error".to_owned());
    let changes = diff(&spec(json!({})), vec![failing.clone()]);
    assert!(changes[0].action.is_none());
    let words = changes[0].withheld.as_deref().unwrap();
    assert!(words.contains("fl-1 does not deliver: Access error"), "{words}");
    assert_eq!(steps(&spec(json!({})), vec![failing.clone(), log("fl-2")]), [""; 0]);
    let alone = spec(json!({ "exclusive": true }));
    assert_eq!(steps(&alone, vec![failing, log("fl-2")]), ["delete fl-1"]);
}

#[test]
fn records_that_leave_the_account_are_said_to() {
    let foreign = GROUP.replace("111122223333", "444455556666");
    let changes = diff(
        &spec(json!({ "log_destination": foreign, "deliver_logs_permission_arn": ROLE })),
        vec![],
    );
    assert_eq!(changes[0].grants[0].class, GrantClass::Foreign);
    assert!(diff(&spec(json!({})), vec![])[0].grants.is_empty());
}

#[test]
fn what_aws_would_refuse_is_refused() {
    let stream = "arn:aws:firehose:eu-west-1:111122223333:deliverystream/flow-logs";
    let wrong = |fields: Value| {
        let problems = check::problems(&spec(fields));
        problems.first().map(|problem| problem.field.clone()).unwrap_or_default()
    };
    for (fields, field) in [
        (json!({}), ""),
        (json!({ "log_destination": "arn:aws:s3:::flow-logs" }), ""),
        (json!({ "log_destination": stream }), ""),
        (json!({ "log_destination": stream, "deliver_logs_permission_arn": ROLE }), ""),
        (json!({ "log_destination": "flow-logs" }), "log_destination"),
        (json!({ "log_destination": "arn:aws:sqs:eu-west-1:111122223333:q" }), "log_destination"),
        (json!({ "log_destination": "arn:aws:s3:::flow-logs/AWSLogs/" }), "log_destination"),
        (json!({ "log_destination_type": "s3" }), ""),
        (json!({ "log_destination_type": "cloud-watch-logs" }), "log_destination_type"),
        (json!({ "log_destination": GROUP }), "log_destination"),
        (json!({ "log_destination": GROUP, "deliver_logs_permission_arn": ROLE }), ""),
        (
            json!({ "log_destination": GROUP, "deliver_logs_permission_arn": "flow-logs" }),
            "deliver_logs_permission_arn",
        ),
        (json!({ "deliver_logs_permission_arn": ROLE }), "deliver_logs_permission_arn"),
        (json!({ "log_destination": stream, "per_hour_partition": true }), "per_hour_partition"),
        (json!({ "max_aggregation_interval": 300 }), "max_aggregation_interval"),
        (json!({ "log_format": ["version", "${srcaddr}"] }), "log_format[1]"),
        (json!({ "exclude": [{ "vpc_ids": ["vpc-*"] }] }), "exclude[0].vpc_ids"),
    ] {
        assert_eq!(wrong(fields.clone()), field, "{fields}");
    }
}

#[test]
fn what_is_left_out_by_its_id_alone_is_out_of_reach() {
    let arns = Arns::of("aws", "111122223333");
    let vpcs = |entry: Value| made(&spec(json!({ "exclude": [entry] })), &arns)[1].clone();
    let conditions = vpcs(json!({ "vpc_ids": ["vpc-0abc"] })).conditions;
    let condition = conditions.first().unwrap();
    assert_eq!((condition.operator, condition.key.as_str()), ("StringNotLike", "ec2:VpcID"));
    // Where more must hold, a VPC of the id may be one to write to.
    let more = json!({ "vpc_ids": ["vpc-0abc"], "vpc_tags": { "a": "b" } });
    assert!(vpcs(more).conditions.is_empty());
}
