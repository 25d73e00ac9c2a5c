//! What a rollback would take along: what somebody has put beside the run's own values before the run looked at them
//! again, where the way back writes the whole record. It is theirs, and stays.

use std::time::Duration;

use serde_json::{Value, json};

use crate::rollback::{account, apply, last_run};
use crate::support::{Account, Run};

const THEIRS: &str = "and what is there may be theirs";

/// What is declared, what was there before, the look after the run's write, what somebody does before it looks, and
/// what is read of that in the end.
struct Case {
    items: &'static str,
    before: &'static str,
    look: (&'static str, &'static str),
    /// The write that makes what they change; empty where it is there.
    made_by: &'static str,
    theirs: &'static str,
    /// How the run ends: 4 where what they did is drift.
    code: i32,
    then: &'static str,
    is: Value,
}

pub const START: &str = "config, guardduty = boto3.client('config', 'eu-west-1'), boto3.client('guardduty', 'eu-west-1')\n\
    own = boto3.client('sts').get_caller_identity()['Account']\n\
    iam, s3, sns = boto3.client('iam'), boto3.client('s3', 'eu-west-1'), boto3.client('sns', 'eu-west-1')\n\
    events, logs = boto3.client('events', 'eu-west-1'), boto3.client('logs', 'eu-west-1')\n\
    cloudwatch, kms = boto3.client('cloudwatch', 'eu-west-1'), boto3.client('kms', 'eu-west-1')\n\
    b = f'b-{own}'\n\
    place = {'LocationConstraint': 'eu-west-1'}\n\
    statement = {'Sid': 'theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 'sns:Publish', 'Resource': f'arn:aws:sns:eu-west-1:{own}:t', 'Condition': {'Bool': {'aws:SecureTransport': 'false'}}}\n\
    alarm = {'AlarmName': 'al', 'MetricName': 'M', 'Namespace': 'N', 'Statistic': 'Sum', 'Period': 300, 'EvaluationPeriods': 1, 'ComparisonOperator': 'GreaterThanOrEqualToThreshold', 'TreatMissingData': 'notBreaching', 'AlarmActions': [f'arn:aws:sns:eu-west-1:{own}:x']}\n";

fn cases() -> Vec<Case> {
    vec![
        Case {
            items: "[iam.password_policy]\nminimum_password_length = 14\n",
            before: "",
            look: ("iam", "GetAccountPasswordPolicy"),
            made_by: "",
            theirs: "iam.update_account_password_policy(MinimumPasswordLength=14, RequireSymbols=True, PasswordReusePrevention=24)",
            code: 0,
            then: "policy = iam.get_account_password_policy()['PasswordPolicy']\n\
                   print(json.dumps([policy['RequireSymbols'], policy['PasswordReusePrevention']]))",
            is: json!([true, 24]),
        },
        Case {
            items: "[s3.bucket.b]\nbucket = \"b-${account.id}\"\ntags = { a = \"b\" }\n",
            before: "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)",
            look: ("s3", "GetBucketTagging"),
            made_by: "",
            theirs: "s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}, {'Key': 'o', 'Value': '1'}]})",
            code: 4,
            then: "print(json.dumps(sorted(tag['Key'] for tag in s3.get_bucket_tagging(Bucket=b)['TagSet'])))",
            is: json!(["a", "o"]),
        },
        Case {
            items: "[s3.bucket.b]\nbucket = \"b-${account.id}\"\ntags = { o = \"1\", c = \"d\" }\n",
            before: "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)\n\
                     s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 'o', 'Value': '1'}]})",
            look: ("s3", "GetBucketTagging"),
            made_by: "",
            theirs: "s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': k, 'Value': v} for k, v in [('o', '1'), ('c', 'd'), ('z', '9')]]})",
            code: 4,
            then: "print(json.dumps(sorted(tag['Key'] for tag in s3.get_bucket_tagging(Bucket=b)['TagSet'])))",
            is: json!(["c", "o", "z"]),
        },
        Case {
            items: ALARM,
            before: "logs.create_log_group(logGroupName='g')\n\
                     sns.create_topic(Name='x')\n\
                     logs.put_metric_filter(logGroupName='g', filterName='al', filterPattern='ERROR', metricTransformations=[{'metricName': 'M', 'metricNamespace': 'N', 'metricValue': '1'}])\n\
                     cloudwatch.put_metric_alarm(Threshold=50, **alarm)",
            look: ("cloudwatch", "DescribeAlarms"),
            made_by: "",
            theirs: "cloudwatch.put_metric_alarm(Threshold=1, AlarmDescription='theirs', OKActions=alarm['AlarmActions'], **alarm)",
            code: 0,
            then: "[seen] = cloudwatch.describe_alarms()['MetricAlarms']\n\
                   print(json.dumps([seen['AlarmDescription'], seen['Threshold'], len(seen['OKActions'])]))",
            is: json!(["theirs", 1.0, 1]),
        },
        Case {
            items: "[events.rule.r]\nname = \"r\"\nevent_pattern = { source = [\"aws.cloudtrail\"] }\n",
            before: "events.put_rule(Name='r', EventPattern='{\"source\": [\"aws.ec2\"]}', State='ENABLED')",
            look: ("events", "DescribeRule"),
            made_by: "",
            theirs: "events.put_rule(Name='r', EventPattern='{\"source\": [\"aws.cloudtrail\"]}', State='DISABLED', Description='theirs')",
            code: 0,
            then: "seen = events.describe_rule(Name='r')\nprint(json.dumps([seen['State'], seen['Description']]))",
            is: json!(["DISABLED", "theirs"]),
        },
        Case {
            items: "[sns.topic.t]\nname = \"t\"\nservices = [\"cloudwatch\"]\n",
            before: "sns.create_topic(Name='t')",
            look: ("sns", "GetTopicAttributes"),
            made_by: "",
            theirs: "policy = json.dumps({'Version': '2012-10-17', 'Statement': [statement]})\n\
                     sns.set_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t', AttributeName='Policy', AttributeValue=policy)",
            code: 4,
            then: "print(json.dumps('theirs' in sns.get_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t')['Attributes']['Policy']))",
            is: json!(true),
        },
        // Theirs says what a statement there says.
        Case {
            items: "[logs.resource_policy.e]\npolicy_name = \"e\"\npolicy_document = { Version = \"2012-10-17\", Statement = [{ Sid = \"ours\", Effect = \"Allow\", Principal = { Service = \"events.amazonaws.com\" }, Action = \"logs:PutLogEvents\", Resource = \"arn:${partition}:logs:${region}:${account.id}:log-group:/aws/events/*:*\" }] }\n",
            before: "",
            look: ("logs", "DescribeResourcePolicies"),
            made_by: "PutResourcePolicy",
            theirs: "one = {'Effect': 'Allow', 'Principal': {'Service': 'events.amazonaws.com'}, 'Action': 'logs:PutLogEvents', 'Resource': f'arn:aws:logs:eu-west-1:{own}:log-group:/aws/events/*:*'}\n\
                     logs.put_resource_policy(policyName='e', policyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': sid, **one} for sid in ['ours', 'theirs']]}))",
            code: 0,
            then: "[one] = logs.describe_resource_policies()['resourcePolicies']\nprint(json.dumps('theirs' in one['policyDocument']))",
            is: json!(true),
        },
        Case {
            items: ROLE,
            before: "",
            look: ("iam", "GetRole"),
            made_by: "CreateRole",
            theirs: "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': s}, 'Action': 'sts:AssumeRole'} for s in ['lambda.amazonaws.com', 'ec2.amazonaws.com']]}\n\
                     iam.update_assume_role_policy(RoleName='ops', PolicyDocument=json.dumps(trust))",
            code: 4,
            then: "print(json.dumps(len(iam.get_role(RoleName='ops')['Role']['AssumeRolePolicyDocument']['Statement'])))",
            is: json!(2),
        },
        Case {
            items: ROLE,
            before: "",
            look: ("iam", "GetRole"),
            made_by: "CreateRole",
            theirs: "iam.update_role(RoleName='ops', Description='theirs')",
            code: 0,
            then: "print(json.dumps(iam.get_role(RoleName='ops')['Role']['Description']))",
            is: json!("theirs"),
        },
        Case {
            items: "[kms.key.k]\nalias = \"alias/k\"\ndescription = \"ours\"\nprevent_destroy = false\ndeletion_window_days = 7\n",
            before: "",
            look: ("kms", "DescribeKey"),
            made_by: "CreateAlias",
            theirs: "[key] = [one['TargetKeyId'] for one in kms.list_aliases()['Aliases'] if one['AliasName'] == 'alias/k']\n\
                     kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': 'theirs', 'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{own}:root'}, 'Action': 'kms:*', 'Resource': '*'}, {'Sid': 'more', 'Effect': 'Allow', 'Principal': {'Service': 'sns.amazonaws.com'}, 'Action': 'kms:Decrypt', 'Resource': '*'}]}))",
            code: 0,
            then: "print(json.dumps(kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyState']))",
            is: json!("Enabled"),
        },
        Case {
            items: "[config.aggregation_authorization.a]\nauthorized_account_id = \"${account.id}\"\nauthorized_aws_region = \"eu-west-1\"\n",
            before: "",
            look: ("config", "DescribeAggregationAuthorizations"),
            made_by: "PutAggregationAuthorization",
            theirs: "config.tag_resource(ResourceArn=f'arn:aws:config:eu-west-1:{own}:aggregation-authorization/{own}/eu-west-1', Tags=[{'Key': 'o', 'Value': '1'}])",
            code: 0,
            then: "print(json.dumps(len(config.describe_aggregation_authorizations()['AggregationAuthorizations'])))",
            is: json!(1),
        },
        Case {
            items: "[guardduty.detector]\nenable = true\n\n[guardduty.detector.features.RUNTIME_MONITORING]\nstatus = \"ENABLED\"\n",
            before: "guardduty.create_detector(Enable=True, Features=[{'Name': 'RUNTIME_MONITORING', 'Status': 'DISABLED'}])",
            look: ("guardduty", "GetDetector"),
            made_by: "",
            theirs: "guardduty.update_detector(DetectorId=guardduty.list_detectors()['DetectorIds'][0], Features=[{'Name': 'RUNTIME_MONITORING', 'Status': 'ENABLED', 'AdditionalConfiguration': [{'Name': 'EC2_AGENT_MANAGEMENT', 'Status': 'ENABLED'}]}])",
            code: 0,
            then: "features = guardduty.get_detector(DetectorId=guardduty.list_detectors()['DetectorIds'][0])['Features']\n\
                   print(json.dumps([one['Status'] for one in features if one['Name'] == 'RUNTIME_MONITORING']))",
            is: json!(["ENABLED"]),
        },
    ]
}

pub const ALARM: &str = "[cloudwatch.log_alarm.al]\nalarm_name = \"al\"\nlog_group_name = \"g\"\nfilter_pattern = \"ERROR\"\nmetric_name = \"M\"\nmetric_namespace = \"N\"\nmetric_value = \"1\"\nstatistic = \"Sum\"\nperiod = 300\nevaluation_periods = 1\nthreshold = 1\ncomparison_operator = \"GreaterThanOrEqualToThreshold\"\ntreat_missing_data = \"notBreaching\"\nalarm_actions = [\"arn:aws:sns:eu-west-1:${account.id}:x\"]\nrequire_trail = false\n";

pub const ROLE: &str = "[iam.role.ops]\nrole_name = \"ops\"\n\n[iam.role.ops.assume_role_policy]\nVersion = \"2012-10-17\"\n\n[[iam.role.ops.assume_role_policy.Statement]]\nEffect = \"Allow\"\nPrincipal = { Service = \"lambda.amazonaws.com\" }\nAction = \"sts:AssumeRole\"\n";

pub fn run(account: &Account, script: &str) {
    account.boto3(&format!("{START}{script}\nprint('null')"));
}

/// Runs a command, while a script changes something between its last write and the look after it.
pub fn run_while(
    account: &Account,
    args: &[&str],
    (service, operation): (&str, &str),
    writes: usize,
    made_by: &str,
    script: &str,
) -> Run {
    account.fault(json!({
        "service": service, "operation": operation, "kind": "delay", "delay": 5,
    }));
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    let intents = || {
        std::fs::read_to_string(&log).unwrap_or_default().matches("\"phase\":\"intent\"").count()
    };
    let before = intents();
    let done = std::thread::scope(|scope| {
        let command = scope.spawn(|| account.run(args));
        let is_made =
            || made_by.is_empty() || account.calls().iter().any(|call| call.operation == made_by);
        let is_written = || intents() >= before + writes && is_made();
        while !(command.is_finished() || is_written()) {
            std::thread::sleep(Duration::from_millis(50));
        }
        run(account, script);
        command.join().unwrap()
    });
    account.no_faults();
    done
}

fn stays(Case { items, before, look, made_by, theirs, code, then, is }: &Case) {
    let account = account(items);
    run(&account, before);
    let done = run_while(&account, &["apply", "--yes"], *look, 1, made_by, theirs);
    assert_eq!(done.code, *code, "{items}\n{}\n{}", done.stdout, done.stderr);
    let back = account.run(&["rollback", &last_run(&account), "--yes", "--max-risk", "disruptive"]);
    assert_eq!(back.code, 3, "{items}\n{}", back.stdout);
    back.says(THEIRS);
    assert_eq!(account.boto3(&format!("{START}{then}")), *is, "{items}");
}

#[test]
fn what_somebody_put_beside_the_runs_own_values_before_its_look_stays() {
    let cases = cases();
    std::thread::scope(|scope| {
        for case in &cases {
            scope.spawn(move || stays(case));
        }
    });
}

/// Where nobody came in between, all is put back.
#[test]
fn what_a_run_made_goes_again_where_nobody_has_touched_it() {
    let alarm = cases().into_iter().find(|case| case.items.contains("log_alarm")).unwrap();
    let account = account(alarm.items);
    run(&account, "logs.create_log_group(logGroupName='g')\nsns.create_topic(Name='x')");
    let made = apply(&account);
    account
        .run(&["rollback", &made, "--yes", "--max-risk", "disruptive"])
        .code(0)
        .says("2 changes put back");
    let left = "print(json.dumps([len(cloudwatch.describe_alarms()['MetricAlarms']), len(logs.describe_metric_filters()['metricFilters'])]))";
    assert_eq!(account.boto3(&format!("{START}{left}")), json!([0, 0]));
}

#[test]
fn a_key_of_a_bucket_without_kms_is_put_back_as_well() {
    let account =
        account("[s3.bucket.b]\nbucket = \"b-${account.id}\"\nbucket_key_enabled = true\n");
    run(&account, "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)");
    let on = "print(json.dumps(s3.get_bucket_encryption(Bucket=b)['ServerSideEncryptionConfiguration']['Rules'][0]['BucketKeyEnabled']))";
    let run = apply(&account);
    assert_eq!(account.boto3(&format!("{START}{on}")), json!(true));
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "disruptive"])
        .code(0)
        .says("1 change put back");
    assert_eq!(account.boto3(&format!("{START}{on}")), json!(false));
}

/// The same of a rollback that is itself put back.
#[test]
fn what_somebody_put_in_the_place_of_what_a_rollback_took_away_stays() {
    let account = account(
        "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nrequire_tls = true\ntags = { a = \"b\" }\n",
    );
    run(&account, "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)");
    let first = apply(&account);
    let back = run_while(
        &account,
        &[
            "rollback",
            &first,
            "--yes",
            "--max-risk",
            "disruptive",
            "--allow-grants",
            "administrator",
        ],
        ("s3", "GetBucketPolicy"),
        2,
        "",
        "statement.update(Action='s3:DeleteObject', Resource=f'arn:aws:s3:::{b}/*')\n\
         s3.put_bucket_policy(Bucket=b, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [statement]}))",
    );
    back.code(4);
    let rollback = last_run(&account);
    account
        .run(&["rollback", &rollback, "--yes", "--overrule", "hold", "--allow-grants", "foreign"])
        .code(3)
        .says(THEIRS);
    let policy = account.boto3(&format!(
        "{START}print(json.dumps('theirs' in s3.get_bucket_policy(Bucket=b)['Policy']))"
    ));
    assert_eq!(policy, json!(true));
}

/// What is not there any more is no step of a rollback, and the rest is put back.
#[test]
fn what_somebody_took_away_before_the_look_is_not_taken_away_again() {
    let items = "[logs.log_group.g]\nlog_group_name = \"g\"\ndeletion_protection_enabled = true\ntags = { a = \"b\" }\n";
    let account = account(items);
    run(&account, "logs.create_log_group(logGroupName='g')");
    let theirs = "logs.untag_resource(resourceArn=f'arn:aws:logs:eu-west-1:{own}:log-group:g', tagKeys=['a'])";
    run_while(&account, &["apply", "--yes"], ("logs", "ListTagsForResource"), 2, "", theirs)
        .code(4);
    let run = last_run(&account);
    account.forget_calls();
    let back = account.run(&["rollback", &run, "--yes", "--max-risk", "disruptive"]);
    let calls: Vec<String> = account.calls().into_iter().map(|call| call.operation).collect();
    assert!(!calls.contains(&"UntagResource".to_owned()), "{calls:?}\n{}", back.stdout);
    assert!(!back.stdout.contains("tags.a"), "{}", back.stdout);
    back.says("1 change put back");
}
