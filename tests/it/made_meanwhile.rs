//! What somebody else makes between a run's look and the call that would make it, where AWS would not say that it
//! was there: it answers the call as if it had made something, or puts it in the place of what they have made.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{self, Account, Run};

/// What is declared, the read by which it is looked for directly before it is made, who else makes it, what
/// is read of it afterwards, and what that says if it is as they made it.
struct Case {
    items: &'static str,
    before: &'static str,
    read: (&'static str, &'static str),
    theirs: &'static str,
    then: &'static str,
    is: Value,
    /// How many changes are made beside it.
    applied: &'static str,
    code: i32,
}

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.declare(items);
    account
}

/// Applies, while a script makes the same thing once it was looked for: when the plan was made, and directly
/// before the write. The third look is the one before the call itself.
pub fn apply_while(account: &Account, (service, operation): (&str, &str), script: &str) -> Run {
    account.fault(json!({
        "service": service, "operation": operation, "kind": "delay", "delay": 6, "after": 2, "count": 1,
    }));
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    std::thread::scope(|scope| {
        let run = scope.spawn(|| account.run(&["apply", "--yes", "--allow-grants", "foreign"]));
        for _ in 0..600 {
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            if text.contains("\"phase\":\"intent\"") {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        account.boto3(&format!("{script}\nprint('null')"));
        run.join().unwrap()
    })
}

const CONFIG: &str = "config = boto3.client('config', 'eu-west-1')\n";
const EVENTS: &str = "events = boto3.client('events', 'eu-west-1')\n";
const LOGS: &str = "logs = boto3.client('logs', 'eu-west-1')\n";
const SNS: &str = "sns = boto3.client('sns', 'eu-west-1')\n\
                   own = boto3.client('sts').get_caller_identity()['Account']\n";
const S3: &str = "own = boto3.client('sts').get_caller_identity()['Account']\n\
                  s3 = boto3.client('s3', 'us-east-1')\n";

fn cases() -> Vec<Case> {
    vec![
        Case {
            items: "[sns.topic.x]\nname = \"x\"\nrequire_tls = true\n",
            before: "",
            read: ("sns", "GetTopicAttributes"),
            theirs: "topic = sns.create_topic(Name='x')['TopicArn']\n\
                     sns.set_topic_attributes(TopicArn=topic, AttributeName='Policy', AttributeValue=json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': 'Theirs', 'Effect': 'Allow', 'Principal': {'AWS': own}, 'Action': 'sns:Publish', 'Resource': topic}]}))",
            then: "policy = sns.get_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:x')['Attributes']['Policy']\n\
                   print(json.dumps('Theirs' in policy))",
            is: json!(true),
            applied: "0 changes applied",
            code: 4,
        },
        Case {
            items: "[sns.subscription.q]\ntopic_arn = \"arn:aws:sns:eu-west-1:${account.id}:t\"\nprotocol = \"sqs\"\nendpoint = \"arn:aws:sqs:eu-west-1:${account.id}:q\"\n",
            before: "sns.create_topic(Name='t')\nboto3.client('sqs', 'eu-west-1').create_queue(QueueName='q')",
            read: ("sns", "ListSubscriptionsByTopic"),
            theirs: "sns.subscribe(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t', Protocol='sqs', Endpoint=f'arn:aws:sqs:eu-west-1:{own}:q')",
            then: "print(json.dumps(len(sns.list_subscriptions()['Subscriptions'])))",
            is: json!(1),
            applied: "0 changes applied",
            code: 0,
        },
        Case {
            items: "[s3.bucket.x]\nbucket = \"x-${account.id}\"\nregion = \"us-east-1\"\n",
            before: "",
            read: ("s3", "ListBuckets"),
            theirs: "s3.create_bucket(Bucket=f'x-{own}')",
            then: "print(json.dumps(len(s3.list_buckets()['Buckets'])))",
            is: json!(1),
            applied: "0 changes applied",
            code: 0,
        },
        Case {
            items: "[config.aggregator.all]\n\n[config.aggregator.all.account_aggregation_source]\naccount_ids = [\"111122223333\"]\nall_aws_regions = true\n",
            before: "",
            read: ("config", "DescribeConfigurationAggregators"),
            theirs: "config.put_configuration_aggregator(ConfigurationAggregatorName='all', AccountAggregationSources=[{'AccountIds': ['444455556666'], 'AllAwsRegions': True}])",
            then: "[one] = config.describe_configuration_aggregators()['ConfigurationAggregators']\n\
                   print(json.dumps(one['AccountAggregationSources'][0]['AccountIds']))",
            is: json!(["444455556666"]),
            applied: "0 changes applied",
            code: 4,
        },
        Case {
            items: "[config.aggregation_authorization.a]\nauthorized_account_id = \"999988887777\"\nauthorized_aws_region = \"eu-west-1\"\n",
            before: "",
            read: ("config", "DescribeAggregationAuthorizations"),
            theirs: "config.put_aggregation_authorization(AuthorizedAccountId='999988887777', AuthorizedAwsRegion='eu-west-1')",
            then: "print(json.dumps(len(config.describe_aggregation_authorizations()['AggregationAuthorizations'])))",
            is: json!(1),
            applied: "0 changes applied",
            code: 0,
        },
        Case {
            items: "[events.rule.r]\nname = \"r\"\nschedule_expression = \"rate(1 day)\"\n",
            before: "",
            read: ("events", "DescribeRule"),
            theirs: "events.put_rule(Name='r', ScheduleExpression='rate(2 days)')",
            then: "print(json.dumps(events.describe_rule(Name='r')['ScheduleExpression']))",
            is: json!("rate(2 days)"),
            applied: "0 changes applied",
            code: 4,
        },
        Case {
            items: "[logs.resource_policy.p]\npolicy_name = \"p\"\n\n[logs.resource_policy.p.policy_document]\nVersion = \"2012-10-17\"\n\n[[logs.resource_policy.p.policy_document.Statement]]\nEffect = \"Allow\"\nPrincipal = { Service = \"events.amazonaws.com\" }\nAction = \"logs:PutLogEvents\"\nResource = \"arn:aws:logs:eu-west-1:${account.id}:log-group:a:*\"\n",
            before: "",
            read: ("logs", "DescribeResourcePolicies"),
            theirs: "logs.put_resource_policy(policyName='p', policyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': 'Theirs', 'Effect': 'Allow', 'Principal': {'Service': 'route53.amazonaws.com'}, 'Action': 'logs:PutLogEvents', 'Resource': 'arn:aws:logs:eu-west-1:111122223333:log-group:b:*'}]}))",
            then: "[one] = logs.describe_resource_policies()['resourcePolicies']\n\
                   print(json.dumps('Theirs' in one['policyDocument']))",
            is: json!(true),
            applied: "0 changes applied",
            code: 4,
        },
        Case {
            items: "[cloudwatch.log_alarm.a]\nalarm_name = \"a\"\nlog_group_name = \"/app\"\nfilter_pattern = \"ERROR\"\nmetric_name = \"errors\"\nmetric_namespace = \"app\"\nmetric_value = \"1\"\nstatistic = \"Sum\"\nperiod = 300\nevaluation_periods = 1\nthreshold = 1\ncomparison_operator = \"GreaterThanOrEqualToThreshold\"\n",
            before: "logs.create_log_group(logGroupName='/app')",
            read: ("logs", "DescribeMetricFilters"),
            theirs: "logs.put_metric_filter(logGroupName='/app', filterName='a', filterPattern='WARN', metricTransformations=[{'metricName': 'warnings', 'metricNamespace': 'app', 'metricValue': '1'}])",
            then: "[one] = logs.describe_metric_filters(logGroupName='/app')['metricFilters']\n\
                   print(json.dumps(one['filterPattern']))",
            is: json!("WARN"),
            // The alarm was not there; but whose the filter is, nobody knows.
            applied: "0 changes applied",
            code: 4,
        },
    ]
}

fn holds(case: &Case) {
    let clients = format!("{CONFIG}{EVENTS}{LOGS}{SNS}{S3}");
    let account = account(case.items);
    account.boto3(&format!("{clients}{}\nprint('null')", case.before));
    apply_while(&account, case.read, &format!("{clients}{}", case.theirs))
        .says("is there")
        .says("no rollback takes it away")
        .says(case.applied)
        .code(case.code);
    let now = || account.boto3(&format!("{clients}{}", case.then));
    assert_eq!(now(), case.is, "{}", case.items);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap();
    account
        .run(&["rollback", run, "--yes", "--max-risk", "destructive"])
        .code(3)
        .says("somebody else may have made it");
    assert_eq!(now(), case.is, "{}", case.items);
}

#[test]
fn what_aws_would_not_tell_apart_is_looked_for_before_it_is_made() {
    let cases = cases();
    std::thread::scope(|scope| {
        let all: Vec<_> = cases.iter().map(|case| scope.spawn(|| holds(case))).collect();
        let failed = all.into_iter().map(|one| one.join()).filter(Result::is_err).count();
        assert_eq!(failed, 0, "the reasons stand above");
    });
}
