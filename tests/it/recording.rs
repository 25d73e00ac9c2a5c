//! What records an account, a trail and a recorder: each quiet way to blind them is seen, and
//! nothing that somebody else has is written.

use crate::support::declared::HEADER;
use crate::support::{self, Account};
use serde_json::json;

/// A trail `main` of all Regions with its bucket, recording, and a recorder that delivers there.
const SETUP: &str = r#"
import os
account = boto3.client('sts').get_caller_identity()['Account']
s3, trails, config = (boto3.client(name) for name in ('s3', 'cloudtrail', 'config'))
bucket = f'trail-{account}'
s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})
by = {'Service': ['cloudtrail.amazonaws.com', 'config.amazonaws.com']}
s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [
    {'Effect': 'Allow', 'Principal': by, 'Action': 's3:GetBucketAcl', 'Resource': f'arn:aws:s3:::{bucket}'},
    {'Effect': 'Allow', 'Principal': by, 'Action': 's3:PutObject', 'Resource': f'arn:aws:s3:::{bucket}/*'}]}))
trails.create_trail(Name='main', S3BucketName=bucket, IsMultiRegionTrail=True)
trails.start_logging(Name='main')
role = f'arn:aws:iam::{account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig'
config.put_configuration_recorder(ConfigurationRecorder={'name': 'default', 'roleARN': role,
    'recordingGroup': {'allSupported': True, 'includeGlobalResourceTypes': True}})
config.put_delivery_channel(DeliveryChannel={'name': 'default', 's3BucketName': bucket})
config.start_configuration_recorder(ConfigurationRecorderName='default')
"#;

const TRAIL: &str = "[cloudtrail.trail.main]\nname = \"main\"\ns3_bucket_name = \"trail-${account.id}\"\nis_multi_region_trail = true\nis_logging = true\nrecord_all_management_events = true\n";
const RECORDER: &str = "[config.recorder]\ns3_bucket_name = \"trail-${account.id}\"\ninclude_global_resource_types = true\nrecording = true\n";

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    account.boto3(SETUP);
    account.declare(items);
    account
}

fn check(account: &Account, code: i32) -> support::Run {
    account.run(&["check", "-b", "b.toml"]).code(code)
}

/// Writes that arrived at the account.
fn writes(account: &Account) -> Vec<String> {
    let reads = ["Get", "List", "Describe"];
    let calls = account.calls().into_iter().map(|call| call.operation);
    calls.filter(|name| !reads.iter().any(|read| name.starts_with(read))).collect()
}

#[test]
fn selectors_that_leave_management_events_out_are_seen() {
    let account = account(TRAIL);
    check(&account, 0);
    let put = |arguments: &str| {
        account.boto3(&format!(
            "boto3.client('cloudtrail').put_event_selectors(TrailName='main', {arguments})"
        ));
    };
    let advanced = |conditions: &str| {
        format!(
            "AdvancedEventSelectors=[{{'FieldSelectors': [{{'Field': 'eventCategory', 'Equals': ['{}']}}{}]}}]",
            if conditions.contains("resources.type") { "Data" } else { "Management" },
            conditions
        )
    };
    let blind = [
        ("EventSelectors=[{'ReadWriteType': 'ReadOnly'}]".to_owned(), "writes"),
        ("EventSelectors=[{'ReadWriteType': 'WriteOnly'}]".to_owned(), "reads"),
        (
            "EventSelectors=[{'IncludeManagementEvents': False, 'DataResources': [{'Type': 'AWS::S3::Object', 'Values': ['arn:aws:s3:::one/']}]}]".to_owned(),
            "all management events",
        ),
        (
            "EventSelectors=[{'ExcludeManagementEventSources': ['kms.amazonaws.com']}]".to_owned(),
            "all management events of kms.amazonaws.com",
        ),
        (advanced(", {'Field': 'readOnly', 'Equals': ['true']}"), "writes"),
        (
            advanced(", {'Field': 'resources.type', 'Equals': ['AWS::S3::Object']}"),
            "all management events",
        ),
        (
            advanced(", {'Field': 'eventSource', 'NotEquals': ['kms.amazonaws.com']}"),
            "all management events of kms.amazonaws.com",
        ),
    ];
    for (selectors, words) in blind {
        put(&selectors);
        check(&account, 2).says("record_all_management_events").says(&format!("record {words};"));
    }
    put(&advanced(""));
    check(&account, 0);
    // The default in AWS's other words is the default.
    account.write(
        "b.toml",
        &format!(
            "{HEADER}{}",
            TRAIL.replace("record_all_management_events = true", "event_selectors = []")
        ),
    );
    check(&account, 0);
}

#[test]
fn selectors_that_cannot_be_understood_are_unknown() {
    let account = account(TRAIL);
    account.boto3(
        "boto3.client('cloudtrail').put_event_selectors(TrailName='main', AdvancedEventSelectors=[{'FieldSelectors': [{'Field': 'eventCategory', 'Equals': ['Management']}, {'Field': 'readOnly', 'Equals': ['true', 'false']}]}])",
    );
    check(&account, 0);
    for (find, replace) in [("readOnly", "vpcEndpointId"), ("AdvancedEventSelectors", "Nothing")] {
        account.fault(json!({
            "service": "cloudtrail", "operation": "GetEventSelectors", "kind": "replace",
            "find": find, "replace": replace,
        }));
        let run = account.run(&["check", "-b", "b.toml"]);
        assert!(run.code != 0 && run.stdout.contains("unknown"), "{find}: {}", run.stdout);
        account.no_faults();
    }
}

#[test]
fn a_trail_whose_word_on_recording_is_missing_is_unknown() {
    let account = account(&TRAIL.replace("is_logging = true", "is_logging = false"));
    account.fault(json!({
        "service": "cloudtrail", "operation": "GetTrailStatus", "kind": "replace",
        "find": "\"IsLogging\"", "replace": "\"Ignored\"",
    }));
    let run = account.run(&["check", "-b", "b.toml"]);
    assert!(run.code != 0 && run.stdout.contains("did not say IsLogging"), "{}", run.stdout);
}

#[test]
fn a_topic_of_the_same_name_in_another_account_is_drift() {
    let account = account(&format!("{TRAIL}sns_topic_name = \"alerts\"\n"));
    account.boto3(
        r#"
sns = boto3.client('sns')
topic = sns.create_topic(Name='alerts')['TopicArn']
sns.set_topic_attributes(TopicArn=topic, AttributeName='Policy', AttributeValue=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'cloudtrail.amazonaws.com'}, 'Action': 'sns:Publish', 'Resource': topic}]}))
boto3.client('cloudtrail').update_trail(Name='main', SnsTopicName='alerts')
"#,
    );
    check(&account, 0);
    account.fault(json!({
        "service": "cloudtrail", "operation": "DescribeTrails", "kind": "replace",
        "find": format!(":{}:alerts", account.id), "replace": ":444455556666:alerts",
    }));
    check(&account, 2).says("444455556666");
}

#[test]
fn of_two_trails_of_one_name_the_one_of_the_declared_region_is_meant() {
    let account = account(
        &TRAIL.replace("is_logging = true\n", "is_logging = true\nhome_region = \"us-east-1\"\n"),
    );
    // There is only the one of eu-west-1: neither it nor anything else is written.
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes"]).says("home_region").says("eu-west-1");
    assert_eq!(writes(&account), Vec::<String>::new());
    // Now there is one in us-east-1 too, of that Region alone, and it does not record.
    account.boto3(
        r#"
account = boto3.client('sts').get_caller_identity()['Account']
boto3.client('cloudtrail').update_trail(Name='main', IsMultiRegionTrail=False)
there = boto3.client('cloudtrail', region_name='us-east-1')
there.create_trail(Name='main', S3BucketName=f'trail-{account}')
boto3.client('cloudtrail').update_trail(Name='main', IsMultiRegionTrail=True)
"#,
    );
    check(&account, 2).says("is_logging");
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "destructive"]).code(0);
    check(&account, 0);
    let both = account.boto3(
        "print(json.dumps([boto3.client('cloudtrail', region_name=region).describe_trails(includeShadowTrails=False)['trailList'][0]['IsMultiRegionTrail'] for region in ('eu-west-1', 'us-east-1')]))",
    );
    assert_eq!(both, json!([true, true]));
}

#[test]
fn the_trail_of_an_organization_is_compared_whole() {
    let account = support::emulator().account();
    account.write(
        "b.toml",
        &format!("{HEADER}[cloudtrail.trail.main]\nis_logging = true\nrecord_all_management_events = true\nis_multi_region_trail = true\n"),
    );
    let url = format!(
        "{}/_evenkeel/organization_trail?account={}&management=999900001111&region=eu-west-1",
        account.env()["AWS_ENDPOINT_URL"],
        account.id
    );
    ureq::post(&url).send_empty().unwrap();
    check(&account, 0);
    account.fault(json!({
        "service": "cloudtrail", "operation": "GetEventSelectors", "kind": "replace",
        "find": "\"All\"", "replace": "\"ReadOnly\"",
    }));
    check(&account, 2).says("do not record writes").says("999900001111");
    account.no_faults();
    account.fault(json!({
        "service": "cloudtrail", "operation": "GetEventSelectors", "kind": "error",
        "code": "OperationNotPermittedException",
    }));
    check(&account, 2).says("does not show this part of the trail of account 999900001111");
    account.no_faults();
    account.declare(TRAIL);
    check(&account, 2).says("s3_bucket_name");
}

#[test]
fn a_trail_that_cannot_deliver_is_found_and_can_be_exported() {
    let account = account(TRAIL);
    account.boto3("s3 = boto3.client('s3'); s3.delete_bucket_policy(Bucket='trail-' + boto3.client('sts').get_caller_identity()['Account'])");
    check(&account, 2).says("latest_delivery_error").says("AccessDenied");
    let undeclared = TRAIL.replace("is_logging = true\n", "");
    account.declare(&undeclared);
    check(&account, 0);
    account.run(&[
        "export",
        "-r",
        "eu-west-1",
        "-k",
        "cloudtrail.trail",
        "-k",
        "config.recorder",
        "--out",
        "account.toml",
    ]);
    let text = account.read("account.toml");
    assert!(
        text.contains("[cloudtrail.trail.main]") && text.contains("[config.recorder]"),
        "{text}"
    );
    assert!(text.contains("its field is_logging"), "what is left out is named: {text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
}

#[test]
fn values_of_data_resources_that_cloudtrail_refuses_are_refused_first() {
    let selector = |value: &str| {
        format!(
            "{HEADER}[cloudtrail.trail.main]\nevent_selectors = [{{ data_resources = [{{ type = \"AWS::S3::Object\", values = [\"{value}\"] }}] }}]\n"
        )
    };
    let account = support::emulator().account();
    account.write("b.toml", &selector("arn:${partition}:s3:::one/"));
    account.run(&["validate", "b.toml"]).code(0);
    account.write("b.toml", &selector("arn:aws:s3:::one"));
    account.run(&["validate", "b.toml"]).code(1).complains("arn:aws:s3:::one/");
}

#[test]
fn a_recorder_that_cannot_deliver_is_found_however_aws_spells_it() {
    let account = account(RECORDER);
    check(&account, 0);
    for word in ["FAILURE", "Failure"] {
        account.fault(json!({
            "service": "config", "operation": "DescribeConfigurationRecorderStatus",
            "kind": "replace", "find": "\"SUCCESS\"", "replace": format!("\"{word}\""),
        }));
        check(&account, 2).says("recording.last_status").says(word);
        account.no_faults();
    }
    account.fault(json!({
        "service": "config", "operation": "DescribeConfigurationRecorderStatus",
        "kind": "replace", "find": "\"SUCCESS\"", "replace": "\"Asleep\"",
    }));
    let run = account.run(&["check", "-b", "b.toml"]);
    assert!(run.code != 0 && run.stdout.contains("Asleep"), "{}", run.stdout);
    account.no_faults();
    account.boto3("s3 = boto3.client('s3'); s3.delete_bucket_policy(Bucket='trail-' + boto3.client('sts').get_caller_identity()['Account'])");
    check(&account, 2).says("config_history_delivery_info").says("AccessDenied");
}

#[test]
fn a_recorder_that_goes_by_a_list_without_the_global_types_is_found() {
    let account = account("[config.recorder]\ninclude_global_resource_types = true\n");
    check(&account, 0);
    account.boto3(
        r#"
config = boto3.client('config')
recorder = config.describe_configuration_recorders()['ConfigurationRecorders'][0]
config.put_configuration_recorder(ConfigurationRecorder={'name': 'default', 'roleARN': recorder['roleARN'],
    'recordingGroup': {'allSupported': False, 'includeGlobalResourceTypes': False, 'resourceTypes': ['AWS::EC2::Instance'],
                       'recordingStrategy': {'useOnly': 'INCLUSION_BY_RESOURCE_TYPES'}}})
"#,
    );
    check(&account, 2).says("include_global_resource_types").says("declare strategy");
}

#[test]
fn a_description_that_nobody_declared_stays() {
    let item = "[config.recorder]\nrecording_overrides = [{ resource_types = [\"AWS::EC2::NetworkInterface\"], recording_frequency = \"DAILY\" }]\n";
    let account = account(item);
    account.boto3(
        r#"
config = boto3.client('config')
recorder = config.describe_configuration_recorders()['ConfigurationRecorders'][0]
config.put_configuration_recorder(ConfigurationRecorder={'name': 'default', 'roleARN': recorder['roleARN'],
    'recordingGroup': {'allSupported': True, 'includeGlobalResourceTypes': False},
    'recordingMode': {'recordingFrequency': 'CONTINUOUS', 'recordingModeOverrides': [
        {'description': 'by finance', 'resourceTypes': ['AWS::EC2::NetworkInterface'], 'recordingFrequency': 'DAILY'}]}})
"#,
    );
    check(&account, 0);
    account.declare(&format!("{item}include_global_resource_types = true\n"));
    account.run(&["apply", "-b", "b.toml", "--yes", "-r", "eu-west-1"]).code(0);
    let kept = account.boto3(
        "print(json.dumps(boto3.client('config').describe_configuration_recorders()['ConfigurationRecorders'][0]['recordingMode']['recordingModeOverrides'][0]['description']))",
    );
    assert_eq!(kept, "by finance");
    account.write(
        "b.toml",
        &format!("{HEADER}{}", item.replace("{ res", "{ description = \"\", res")),
    );
    account.run(&["validate", "b.toml"]).code(1).complains("description");
}

#[test]
fn a_channel_without_a_recorder_is_exported() {
    let account = account("");
    account.boto3(
        "config = boto3.client('config'); config.stop_configuration_recorder(ConfigurationRecorderName='default'); config.delete_configuration_recorder(ConfigurationRecorderName='default')",
    );
    account
        .run(&["export", "-r", "eu-west-1", "-k", "config.recorder", "--out", "account.toml"])
        .code(0);
    let text = account.read("account.toml");
    assert!(text.contains("[config.recorder]") && text.contains("delivery_channel_name"), "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
}

#[test]
fn the_foundation_sees_a_blinded_trail() {
    let account = support::emulator().account();
    std::fs::copy(
        support::root().join("baselines/foundation.toml"),
        account.folder.path().join("b.toml"),
    )
    .unwrap();
    let kinds = ["-k", "cloudtrail.trail", "-k", "kms.key", "-k", "s3.bucket", "-r", "eu-west-1"];
    let with = |command: &[&'static str]| command.iter().copied().chain(kinds).collect::<Vec<_>>();
    account
        .run(&with(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "100"]))
        .code(0);
    account.run(&with(&["check", "-b", "b.toml"])).code(0);
    account.boto3(
        "boto3.client('cloudtrail').put_event_selectors(TrailName='evenkeel-audit', EventSelectors=[{'ReadWriteType': 'ReadOnly'}])",
    );
    account.run(&with(&["check", "-b", "b.toml"])).code(2).says("do not record writes");
}

#[test]
fn an_insight_without_a_type_is_no_insight() {
    let account = account(&format!("{TRAIL}insight_selectors = []\n"));
    account.boto3(
        "boto3.client('cloudtrail').put_insight_selectors(TrailName='main', InsightSelectors=[{'InsightType': 'ApiCallRateInsight'}])",
    );
    check(&account, 2).says("insight_selectors");
    account.fault(json!({
        "service": "cloudtrail", "operation": "GetInsightSelectors", "kind": "replace",
        "find": "\"ApiCallRateInsight\"", "replace": "\"\"",
    }));
    check(&account, 0);
}

/// A key with which nothing can be encrypted, whichever way it came to that and is named.
#[test]
fn a_key_under_a_trail_or_a_channel_that_cannot_work_is_seen() {
    let account = account("");
    let key = account.boto3(
        "kms = boto3.client('kms')\n\
         own = boto3.client('sts').get_caller_identity()['Account']\n\
         by = {'Service': ['cloudtrail.amazonaws.com', 'config.amazonaws.com']}\n\
         policy = json.dumps({'Version': '2012-10-17', 'Statement': [\n\
         \x20   {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{own}:root'}, 'Action': 'kms:*', 'Resource': '*'},\n\
         \x20   {'Effect': 'Allow', 'Principal': by, 'Action': 'kms:GenerateDataKey*', 'Resource': '*'}]})\n\
         arn = kms.create_key(Policy=policy)['KeyMetadata']['Arn']\n\
         kms.create_alias(AliasName='alias/logs', TargetKeyId=arn)\n\
         boto3.client('cloudtrail').update_trail(Name='main', KmsKeyId=arn)\n\
         boto3.client('config').put_delivery_channel(DeliveryChannel={'name': 'default', 's3BucketName': f'trail-{own}', 's3KmsKeyArn': arn})\n\
         print(json.dumps(arn))",
    );
    let arn = key.as_str().unwrap();
    let id = arn.rsplit('/').next().unwrap();
    let declared = ["alias/logs", id, arn].map(|name| format!("{TRAIL}kms_key_id = \"{name}\"\n"));
    let channel = format!("{RECORDER}s3_kms_key_arn = \"{arn}\"\n");
    let all: Vec<&String> = declared.iter().chain([&channel]).collect();
    let expect = |code: i32, word: &str| {
        for items in &all {
            account.declare(items);
            check(&account, code).says(word);
            if code != 0 {
                account.forget_calls();
                account.run(&["apply", "-b", "b.toml", "--yes"]);
                assert_eq!(writes(&account), Vec::<String>::new(), "{items}");
            }
        }
    };
    expect(0, "in sync");
    account.boto3(&format!("boto3.client('kms').disable_key(KeyId='{id}')"));
    expect(2, "Disabled");
    account.boto3(&format!("boto3.client('kms').schedule_key_deletion(KeyId='{id}')"));
    expect(2, "PendingDeletion");
    account.fault(json!({
        "service": "kms", "operation": "DescribeKey", "kind": "error", "code": "NotFoundException", "status": 400,
    }));
    for items in [&declared[2], &channel] {
        account.declare(items);
        check(&account, 2).says("it is not there");
    }
}

/// A key that is known not to work is not written, and what else differs does not wait for that.
#[test]
fn no_key_is_written_that_cannot_work() {
    let account = account("");
    let keys = account.boto3(
        "kms = boto3.client('kms')\n\
         disabled = kms.create_key()['KeyMetadata']\n\
         kms.disable_key(KeyId=disabled['KeyId'])\n\
         signs = kms.create_key(KeySpec='RSA_2048', KeyUsage='SIGN_VERIFY')['KeyMetadata']['Arn']\n\
         boto3.client('cloudtrail').stop_logging(Name='main')\n\
         boto3.client('config').stop_configuration_recorder(ConfigurationRecorderName='default')\n\
         print(json.dumps([disabled['Arn'], signs]))",
    );
    for (at, word) in [(0, "Disabled"), (1, "RSA_2048")] {
        let arn = keys[at].as_str().unwrap();
        account.boto3("boto3.client('cloudtrail').stop_logging(Name='main')");
        account.boto3(
            "boto3.client('config').stop_configuration_recorder(ConfigurationRecorderName='default')",
        );
        account.write(
            "b.toml",
            &format!(
                "{HEADER}{TRAIL}kms_key_id = \"{arn}\"\n{RECORDER}s3_kms_key_arn = \"{arn}\"\nsnapshot_delivery_frequency = \"{}\"\n",
                ["Six_Hours", "One_Hour"][at]
            ),
        );
        account.forget_calls();
        account.run(&["apply", "-b", "b.toml", "--yes"]).says(word);
        assert_eq!(
            writes(&account),
            ["StartLogging", "PutDeliveryChannel", "StartConfigurationRecorder"]
        );
        check(&account, 2).says(word);
    }
}

/// What lets a trail or a recorder record waits for no other setting of theirs.
#[test]
fn what_starts_a_record_waits_for_no_other_setting() {
    let account = account(&format!(
        "{TRAIL}enable_log_file_validation = true\n{RECORDER}snapshot_delivery_frequency = \"Six_Hours\"\nretention_period_in_days = 400\n"
    ));
    account.boto3(
        "boto3.client('cloudtrail').stop_logging(Name='main')\n\
         boto3.client('config').stop_configuration_recorder(ConfigurationRecorderName='default')",
    );
    for (service, operation) in [("cloudtrail", "UpdateTrail"), ("config", "PutDeliveryChannel")] {
        account.fault(json!({
            "service": service, "operation": operation, "kind": "error", "code": "AccessDenied", "status": 403,
        }));
    }
    account
        .run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "destructive"])
        .code(4)
        .says("FAILED");
    let done = writes(&account);
    for operation in ["StartLogging", "StartConfigurationRecorder", "PutRetentionConfiguration"] {
        assert!(done.iter().any(|one| one == operation), "{operation}: {done:?}");
    }
    // The same with what is only reported.
    let account = self::account(&TRAIL.replace("trail = true", "trail = false"));
    account.boto3("boto3.client('cloudtrail').stop_logging(Name='main')");
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes"]);
    assert_eq!(writes(&account), ["StartLogging"]);
}

/// A role is the account's, whatever the Regions that need it.
#[test]
fn what_is_for_the_whole_account_is_planned_and_written_once() {
    let account = support::emulator().account();
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"t\"\nmode = \"enforce\"\n\
         regions = [\"eu-central-1\", \"eu-west-1\", \"us-east-1\"]\n\
         [s3.bucket.records]\nbucket = \"records-${account.id}\"\nservices = [\"config\"]\n\
         [config.recorder]\ns3_bucket_name = \"${s3.bucket.records.bucket}\"\nrecording = true\n",
    );
    let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).code(0).json();
    let changes: Vec<&serde_json::Value> = plan["objects"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|object| object["changes"].as_array().unwrap())
        .collect();
    let does = |change: &serde_json::Value, what: &str| change["action"]["do"] == what;
    let roles: Vec<_> =
        changes.iter().filter(|change| does(change, "create_service_linked_role")).collect();
    assert_eq!(roles.len(), 1, "{plan}");
    let recorders = changes.iter().filter(|change| does(change, "put_recorder"));
    let waits: Vec<bool> = recorders
        .map(|change| change["depends_on"].as_array().unwrap().contains(&roles[0]["id"]))
        .collect();
    assert_eq!(waits, [true; 3], "{plan}");
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    let run = account.run(&["apply", "plan.json", "-b", "b.toml", "--yes"]).code(0);
    assert!(!run.stdout.contains("is so"), "{}", run.stdout);
    let made = writes(&account);
    let made = made.iter().filter(|one| *one == "CreateServiceLinkedRole").count();
    assert_eq!(made, 1);
    check(&account, 0);
    // Where it cannot be made, no recorder is tried without it.
    let other = support::emulator().account();
    other.write("b.toml", &account.read("b.toml"));
    other.fault(json!({
        "service": "iam", "operation": "CreateServiceLinkedRole", "kind": "error", "code": "AccessDenied", "status": 403,
    }));
    other.run(&["apply", "-b", "b.toml", "--yes"]).code(4).says("FAILED").says("not tried");
    assert!(!writes(&other).iter().any(|one| one == "PutConfigurationRecorder"));
}
