//! Alarms on what stands in log groups: the ready-made baseline of the CIS benchmark in an account that has
//! nothing, read back with boto3; how few calls it takes; and snapshots of what is no text on the wire.

use std::collections::BTreeSet;

use crate::support::{self, Account};
use serde_json::json;

const READ_BACK: &str = "
own = boto3.client('sts').get_caller_identity()['Account']
group = '/evenkeel/audit'
trail = boto3.client('cloudtrail').get_trail(Name='evenkeel-audit')['Trail']
assert trail['CloudWatchLogsLogGroupArn'] == f'arn:aws:logs:eu-west-1:{own}:log-group:{group}:*', trail
filters = boto3.client('logs').describe_metric_filters(logGroupName=group)['metricFilters']
alarms = boto3.client('cloudwatch').describe_alarms()['MetricAlarms']
metrics = {}
for one in filters:
    [metric] = one['metricTransformations']
    assert metric['metricNamespace'] == 'CISBenchmark' and metric['metricValue'] == '1', metric
    metrics[metric['metricName']] = one['filterPattern']
for one in alarms:
    assert one['MetricName'] in metrics and one['Namespace'] == 'CISBenchmark', one
    assert one['AlarmActions'] == [f'arn:aws:sns:eu-west-1:{own}:evenkeel-alerts'], one
    assert (one['Statistic'], one['Period'], one['EvaluationPeriods'], one['Threshold']) == ('Sum', 300, 1, 1.0), one
    assert one['ComparisonOperator'] == 'GreaterThanOrEqualToThreshold' and one['ActionsEnabled'], one
    assert one['TreatMissingData'] == 'notBreaching' and not one['Dimensions'], one
elsewhere = boto3.client('cloudwatch', region_name='us-east-1').describe_alarms()['MetricAlarms']
print(json.dumps({'patterns': sorted(metrics.values()), 'alarms': [one['AlarmName'] for one in alarms], 'elsewhere': len(elsewhere)}))
";

/// What the alarms stand on, and they themselves.
const CHAIN: [&str; 10] = [
    "-k",
    "cloudwatch.log_alarm",
    "-k",
    "logs.log_group",
    "-k",
    "cloudtrail.trail",
    "-k",
    "sns.topic",
    "-k",
    "iam.role",
];

fn with(command: &[&'static str]) -> Vec<&'static str> {
    command.iter().copied().chain(CHAIN).collect()
}

/// An account with nothing in it, and the ready-made baseline for four Regions.
fn account() -> Account {
    let account = support::emulator().account();
    for name in ["foundation.toml", "cis-alarms.toml"] {
        let text = std::fs::read_to_string(support::root().join("baselines").join(name)).unwrap();
        account.write(name, &text);
    }
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"four\"\nextends = [\"cis-alarms.toml\"]\nmode = \"enforce\"\n\
         regions = [\"eu-west-1\", \"us-east-1\", \"eu-central-1\", \"ap-southeast-2\"]\n",
    );
    account
}

fn described(account: &Account, operation: &str) -> usize {
    account.calls().iter().filter(|call| call.operation == operation).count()
}

#[test]
fn the_fifteen_controls_of_cis_are_planned_applied_and_kept() {
    let account = account();
    let plan = account.run(&["plan", "-b", "b.toml"]).code(0);
    assert!(plan.stdout.contains("CIS 4.3"), "{}", plan.stdout);
    // What AWS charges for waits for nobody, and root is only reported.
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "200"]);
    account.run(&with(&["check", "-b", "b.toml"])).code(0);
    let there = account.boto3(READ_BACK);
    let patterns: Vec<&str> =
        there["patterns"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(patterns.len(), 15, "{patterns:?}");
    assert_eq!(there["alarms"].as_array().unwrap().len(), 15);
    assert_eq!(there["elsewhere"], 0, "the trail delivers at home alone");
    // Those that Security Hub looks for as a whole: CloudWatch.1, .2 and .3 (AWS Security Hub User Guide).
    let tight: BTreeSet<String> = patterns.iter().map(|one| one.replace(' ', "")).collect();
    for wanted in [
        r#"{$.userIdentity.type="Root"&&$.userIdentity.invokedByNOTEXISTS&&$.eventType!="AwsServiceEvent"}"#,
        r#"{($.errorCode="*UnauthorizedOperation")||($.errorCode="AccessDenied*")}"#,
        r#"{($.eventName="ConsoleLogin")&&($.additionalEventData.MFAUsed!="Yes")&&($.userIdentity.type="IAMUser")&&($.responseElements.ConsoleLogin="Success")}"#,
    ] {
        assert!(tight.contains(wanted), "{wanted}: {tight:#?}");
    }
    // Fifteen alarms are two listings.
    account.forget_calls();
    account.run(&["check", "-b", "b.toml", "-k", "cloudwatch.log_alarm"]).code(0);
    assert_eq!(described(&account, "DescribeAlarms"), 1);
    assert_eq!(described(&account, "DescribeMetricFilters"), 1);
    assert_eq!(described(&account, "GetTopicAttributes"), 1);
}

#[test]
fn a_snapshot_answers_for_alarms_as_aws_did() {
    let account = account();
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "200"]);
    account.run(&["snapshot", "-b", "b.toml", "--out", "all.snap"]).code(0);
    account.boto3("boto3.client('cloudwatch').disable_alarm_actions(AlarmNames=['cis-root-use'])");
    account.run(&with(&["check", "-b", "b.toml"])).code(2).says("actions_enabled");
    account.forget_calls();
    let plan = ["plan", "-b", "b.toml", "-k", "cloudwatch.log_alarm", "--snapshot"];
    account.run(&[&plan[..], &["all.snap"]].concat()).code(0).says("15 in sync");
    assert!(account.calls().is_empty(), "a snapshot asks nobody");
    account.run(&["snapshot", "-b", "b.toml", "--out", "now.snap"]).code(0);
    account.run(&[&plan[..], &["now.snap"]].concat()).code(0).says("actions_enabled");
}

#[test]
fn an_export_declares_alarms_with_their_filters() {
    let account = account();
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "200"]);
    let kinds = ["-k", "cloudwatch.log_alarm"];
    let args = ["export", "-r", "eu-west-1", "--out", "account.toml"];
    account.run(&[&args[..], &kinds].concat()).code(0);
    let text = account.read("account.toml");
    assert_eq!(text.matches("[cloudwatch.log_alarm.").count(), 15, "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
    // A filter of which AWS does not say where it is, is not left out in silence.
    account.fault(json!({
        "service": "logs", "operation": "DescribeMetricFilters", "kind": "replace",
        "find": "\"logGroupName\"", "replace": "\"ignored\"",
    }));
    let unknown = ["export", "-r", "eu-west-1", "--out", "unknown.toml"];
    let run = account.run(&[&unknown[..], &kinds].concat()).code(1);
    run.complains("AWS did not say logGroupName");
}

#[test]
fn a_group_that_is_not_there_is_said_with_what_to_do() {
    let account = support::emulator().account();
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"x\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\
         [cloudwatch.log_alarm.errors]\nlog_group_name = \"/nowhere\"\nfilter_pattern = \"ERROR\"\n\
         metric_name = \"Errors\"\nmetric_namespace = \"Audit\"\nmetric_value = \"1\"\nstatistic = \"Sum\"\n\
         period = 300\nevaluation_periods = 1\nthreshold = 1\n\
         comparison_operator = \"GreaterThanOrEqualToThreshold\"\n",
    );
    let run = account.run(&["apply", "-b", "b.toml", "--yes"]);
    assert_ne!(run.code, 0);
    let said = run.stdout.clone() + &run.stderr;
    assert!(said.contains("there is no log group /nowhere"), "{said}");
    assert!(said.contains("an item logs.log_group"), "{said}");
    let alarms = account.boto3(
        "print(json.dumps(len(boto3.client('cloudwatch').describe_alarms()['MetricAlarms'])))",
    );
    assert_eq!(alarms, json!(0), "nobody is told of what nobody counts");
}
