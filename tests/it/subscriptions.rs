//! Who is told of what: a subscription waits for its owner, and a chain of key, topic, rule and
//! subscription is one plan.

use serde_json::json;

use crate::support::declared::{APPLY, account};
use crate::support::{emulator, root};

const MAIL: &str = r#"
[sns.topic.alerts]
name = "alerts"

[sns.subscription.team]
topic_arn = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol  = "email"
endpoint  = "Team@example.com"
"#;

#[test]
fn one_that_nobody_has_confirmed_waits_and_is_neither_drift_nor_asked_for_again() {
    let account = account(MAIL);
    account.run(&APPLY).code(4).says("has what was to be applied, and waits: Team@example.com");
    for _ in 0..2 {
        account.forget_calls();
        account
            .check()
            .code(4)
            .says("Waiting: somebody else must do their part")
            .says("has not confirmed that it wants the messages");
        let check = account.run(&["check", "-b", "b.toml", "--format", "json"]).json();
        let waiting = check["objects"].as_array().unwrap().iter();
        let verdicts: Vec<_> = waiting.map(|object| object["verdict"]["is"].clone()).collect();
        assert!(verdicts.contains(&json!("unknown")) && !verdicts.contains(&json!("drifted")));
        account.run(&APPLY);
        assert_eq!(account.writes(), Vec::<String>::new());
        // Waiting is no error, even where nothing else is looked at.
        account.run(&["check", "-b", "b.toml", "-k", "sns.subscription"]).code(4);
    }
    account.boto3(&format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/confirm?account={}&endpoint=Team@example.com'\n\
         urllib.request.urlopen(urllib.request.Request(url, b''))",
        account.id
    ));
    account.check().code(0).says("2 in sync");
    // Whoever takes it off is put right again, with a message to the owner.
    account.boto3(
        "sns = boto3.client('sns', region_name='eu-west-1')\n\
         for one in sns.list_subscriptions()['Subscriptions']: sns.unsubscribe(SubscriptionArn=one['SubscriptionArn'])",
    );
    account.check().code(2).says("must confirm");
}

#[test]
fn a_key_a_topic_a_rule_and_a_subscription_are_one_plan() {
    let account = account(
        r#"
[kms.key.alerts]
service_principals = ["events.amazonaws.com", "cloudwatch.amazonaws.com"]

[sns.topic.alerts]
name                  = "alerts"
kms_master_key_id     = "${kms.key.alerts.alias}"
services              = ["events", "cloudwatch"]
require_tls           = true
forbid_foreign_access = true

[events.rule.findings]
name          = "findings"
event_pattern = { source = ["aws.guardduty"], detail = { severity = [{ numeric = [">=", 7] }] } }

[[events.rule.findings.targets]]
id  = "mail"
arn = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"

[sns.subscription.queue]
topic_arn = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.alerts.name}"
protocol  = "sqs"
endpoint  = "arn:${partition}:sqs:${region}:${account.id}:alerts"
"#,
    );
    account.run(&APPLY).code(0);
    account.check().code(0).says("4 in sync");
    let seen = account.boto3(
        "sns, kms, events = [boto3.client(one, region_name='eu-west-1') for one in ('sns', 'kms', 'events')]\n\
         topic = sns.list_topics()['Topics'][0]['TopicArn']\n\
         attributes = sns.get_topic_attributes(TopicArn=topic)['Attributes']\n\
         key = kms.describe_key(KeyId='alias/alerts')['KeyMetadata']['Arn']\n\
         sids = [one['Sid'] for one in json.loads(attributes['Policy'])['Statement']]\n\
         target = events.list_targets_by_rule(Rule='findings')['Targets'][0]['Arn']\n\
         print(json.dumps([attributes['KmsMasterKeyId'] == key, sids, target == topic]))",
    );
    let sids = [
        "__default_statement_ID",
        "DenyInsecureTransport",
        "CloudWatchAlarmsPublish",
        "EventBridgePublishes",
    ];
    assert_eq!(seen, json!([true, sids, true]));
}

/// The ready-made example is applied to an empty account in one plan; its rules hear what they are for.
#[test]
fn the_example_tells_of_a_touched_trail_and_of_findings_with_a_fraction() {
    let account = emulator().account();
    let example = std::fs::read_to_string(root().join("examples/alerts.toml")).unwrap();
    account.write("b.toml", &example);
    account.run(&[&APPLY[..], &["-r", "eu-west-1"]].concat()).code(4).says("11 changes applied");
    let check = account.run(&["check", "-b", "b.toml", "-r", "eu-west-1"]);
    check.code(4).says("security-team@example.com (email) has not confirmed");
    let heard = account.boto3(
        "events = boto3.client('events', region_name='eu-west-1')\n\
         def fits(rule, **event):\n\
         \x20   pattern = events.describe_rule(Name=rule)['EventPattern']\n\
         \x20   usual = dict(id='1', account='111122223333', time='2026-11-01T10:00:00Z', region='eu-west-1', resources=[])\n\
         \x20   return events.test_event_pattern(EventPattern=pattern, Event=json.dumps({**usual, **event}))['Result']\n\
         found = lambda severity: fits('evenkeel-findings', **{'source': 'aws.guardduty',\n\
         \x20   'detail-type': 'GuardDuty Finding', 'detail': {'severity': severity}})\n\
         called = lambda name: fits('evenkeel-trail', **{'source': 'aws.cloudtrail',\n\
         \x20   'detail-type': 'AWS API Call via CloudTrail',\n\
         \x20   'detail': {'eventSource': 'cloudtrail.amazonaws.com', 'eventName': name}})\n\
         print(json.dumps([[found(one) for one in (3.9, 4, 5.3, 8)], [called(one) for one in ('StopLogging', 'DescribeTrails')]]))",
    );
    assert_eq!(heard, json!([[false, true, true, true], [true, false]]));
}

/// A filter that turns to something else takes three calls; what the first one did is said where a later one
/// fails.
#[test]
fn a_filter_that_fails_half_way_says_what_was_sent() {
    let account = account(
        r#"
[sns.topic.t]
name = "t"

[sns.subscription.queue]
topic_arn           = "arn:${partition}:sns:${region}:${account.id}:${sns.topic.t.name}"
protocol            = "sqs"
endpoint            = "arn:${partition}:sqs:${region}:${account.id}:alerts"
filter_policy       = { detail = { severity = ["HIGH"] } }
filter_policy_scope = "MessageBody"
"#,
    );
    account.boto3(&format!(
        "sns = boto3.client('sns', region_name='eu-west-1')\n\
         topic = sns.create_topic(Name='t')['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint='arn:aws:sqs:eu-west-1:{}:alerts',\n\
         \x20   Attributes={{'FilterPolicy': json.dumps({{'severity': ['HIGH']}})}})",
        account.id
    ));
    account.fault(json!({
        "service": "sns", "operation": "SetSubscriptionAttributes", "kind": "error",
        "code": "AuthorizationError", "status": 403, "after": 1,
    }));
    account.run(&APPLY).code(4).says("every message is delivered here until the next apply");
    account.no_faults();
    account.run(&APPLY).code(0);
}

/// Whether a key lets the services in, its policy alone says: where nobody may read that, nobody knows.
#[test]
fn a_topic_whose_key_keeps_its_policy_to_itself_is_unknown() {
    let account = account(
        "[sns.topic.t]\nname = \"t\"\nservices = [\"cloudwatch\"]\nkms_master_key_id = \"alias/theirs\"\n",
    );
    account.boto3(
        "kms = boto3.client('kms', region_name='eu-west-1')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         kms.create_alias(AliasName='alias/theirs', TargetKeyId=key)",
    );
    account.run(&APPLY);
    account.check().code(2).says("cloudwatch.amazonaws.com is let in by no statement");
    account.fault(json!({
        "service": "kms", "operation": "GetKeyPolicy", "kind": "error",
        "code": "AccessDeniedException", "status": 400,
    }));
    account.check().code(1).says("kms:GetKeyPolicy");
    account.no_faults();
}
