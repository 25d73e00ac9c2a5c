//! The ready-made baseline of detection, and the examples of who is told: in an account that has nothing, in one
//! apply, read back with boto3; what breaks is found, and mended.

use crate::support::{self, Account};
use serde_json::{Value, json};

/// What is there in each of the four Regions.
const READ_BACK: &str = "
own = boto3.client('sts').get_caller_identity()['Account']
home = 'eu-west-1'
def look(region):
    client = lambda name: boto3.client(name, region_name=region)
    guardduty, hub, kms, ec2 = client('guardduty'), client('securityhub'), client('kms'), client('ec2')
    [detector] = guardduty.list_detectors()['DetectorIds']
    found = guardduty.get_detector(DetectorId=detector)
    features = {one['Name']: one['Status'] for one in found['Features']}
    for name in ('S3_DATA_EVENTS', 'EKS_AUDIT_LOGS', 'EBS_MALWARE_PROTECTION', 'RDS_LOGIN_EVENTS', 'LAMBDA_NETWORK_LOGS', 'RUNTIME_MONITORING'):
        assert features[name] == 'ENABLED', (name, features)
    assert guardduty.list_filters(DetectorId=detector)['FilterNames'] == []
    scans = guardduty.get_malware_scan_settings(DetectorId=detector)
    assert scans['EbsSnapshotPreservation'] == 'RETENTION_WITH_FINDING', scans
    [destination] = guardduty.list_publishing_destinations(DetectorId=detector)['Destinations']
    export = guardduty.describe_publishing_destination(DetectorId=detector, DestinationId=destination['DestinationId'])
    key = boto3.client('kms', region_name=home).describe_key(KeyId='alias/evenkeel-findings')['KeyMetadata']['Arn']
    assert export['DestinationProperties']['KmsKeyArn'] == key and f':{home}:' in key, export
    assert export['DestinationProperties']['DestinationArn'] == f'arn:aws:s3:::evenkeel-findings-{own}', export
    macie = client('macie2')
    session, published = macie.get_macie_session(), macie.get_findings_publication_configuration()
    kept = macie.get_classification_export_configuration()['configuration']['s3Destination']
    assert kept['kmsKeyArn'] == key and kept['bucketName'] == f'evenkeel-findings-{own}', kept
    assert set(published['securityHubConfiguration'].values()) == {True}, published
    inspector = client('inspector2')
    [scans] = inspector.batch_get_account_status()['accounts']
    scans = sorted(name for name, state in scans['resourceState'].items() if state['status'] == 'ENABLED')
    assert inspector.get_configuration()['ecrConfiguration']['rescanDurationState']['pullDateRescanDuration'] == 'DAYS_90'
    standards = hub.get_enabled_standards()['StandardsSubscriptions']
    insights = [one['Name'] for one in hub.get_insights()['Insights'] if f':{own}:insight/{own}/custom/' in one['InsightArn']]
    analyzers = client('accessanalyzer').list_analyzers(type='ACCOUNT')['analyzers']
    flows = ec2.describe_flow_logs()['FlowLogs']
    for one in flows:
        assert one['LogDestination'] == f'arn:aws:s3:::evenkeel-flow-logs-{own}' and one['TrafficType'] == 'ALL', one
        assert one['DestinationOptions']['FileFormat'] == 'parquet', one
    topic = f'arn:aws:sns:{region}:{own}:evenkeel-findings'
    attributes = client('sns').get_topic_attributes(TopicArn=topic)['Attributes']
    local = kms.describe_key(KeyId='alias/evenkeel-findings')['KeyMetadata']
    assert attributes['KmsMasterKeyId'] in (local['KeyId'], local['Arn'], 'alias/evenkeel-findings'), attributes
    rules = {}
    for one in client('events').list_rules(NamePrefix='evenkeel-')['Rules']:
        [target] = client('events').list_targets_by_rule(Rule=one['Name'])['Targets']
        assert target['Arn'] == topic, target
        rules[one['Name']] = one['State']
    return {
        'running': [found['Status'], export['Status'], found['FindingPublishingFrequency']],
        'discovers': [session['status'], macie.get_automated_discovery_configuration()['status']],
        'scans': scans,
        'standards': sorted(one['StandardsArn'].split('/', 1)[1] for one in standards),
        'insights': len(insights),
        'analyzers': [one['name'] for one in analyzers],
        'flows': len(flows) == len(ec2.describe_vpcs()['Vpcs']) > 0,
        'rules': sorted(name for name, state in rules.items() if state == 'ENABLED'),
    }
[aggregator] = boto3.client('securityhub', region_name=home).list_finding_aggregators()['FindingAggregators']
assert f':{home}:' in aggregator['FindingAggregatorArn'], aggregator
print(json.dumps({region: look(region) for region in (home, 'us-east-1', 'ap-southeast-2', 'us-west-2')}))
";

/// Which events the rules are for.
const HEARD: &str = "
events = boto3.client('events', region_name='eu-west-1')
def fits(rule, source, what, detail):
    pattern = events.describe_rule(Name=rule)['EventPattern']
    event = {'id': '1', 'account': '111122223333', 'time': '2026-11-01T10:00:00Z', 'region': 'eu-west-1', 'resources': [],
        'source': source, 'detail-type': what, 'detail': detail}
    return events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))['Result']
def threat(severity):
    return fits('evenkeel-threats', 'aws.guardduty', 'GuardDuty Finding', {'severity': severity})
def weakness(label, product='Security Hub', status='NEW'):
    finding = {'ProductName': product, 'RecordState': 'ACTIVE', 'Workflow': {'Status': status}, 'Severity': {'Label': label}}
    return fits('evenkeel-weaknesses', 'aws.securityhub', 'Security Hub Findings - Imported', {'findings': [finding]})
def called(name):
    detail = {'eventSource': 'cloudtrail.amazonaws.com', 'eventName': name}
    return fits('evenkeel-trail-touched', 'aws.cloudtrail', 'AWS API Call via CloudTrail', detail)
def signed_in(who):
    detail = {'eventName': 'ConsoleLogin', 'userIdentity': {'type': who}}
    return fits('evenkeel-root-signs-in', 'aws.signin', 'AWS Console Sign In via CloudTrail', detail)
print(json.dumps([
    [threat(one) for one in (3.9, 4, 5.3, 8)],
    [weakness('CRITICAL'), weakness('HIGH'), weakness('MEDIUM'), weakness('HIGH', 'GuardDuty'), weakness('HIGH', status='NOTIFIED')],
    [called(one) for one in ('StopLogging', 'DeleteTrail', 'UpdateTrail', 'PutEventSelectors', 'DescribeTrails')],
    [signed_in(one) for one in ('Root', 'IAMUser')],
]))
";

/// One thing of each service is broken, as somebody would who wants to stay unseen.
const BREAK: &str = "
there = lambda name, region='us-east-1': boto3.client(name, region_name=region)
own = lambda client: client.list_detectors()['DetectorIds'][0]
guardduty, home = there('guardduty'), there('guardduty', 'eu-west-1')
guardduty.update_detector(DetectorId=own(guardduty), Enable=False)
[destination] = home.list_publishing_destinations(DetectorId=own(home))['Destinations']
home.delete_publishing_destination(DetectorId=own(home), DestinationId=destination['DestinationId'])
there('events', 'eu-west-1').disable_rule(Name='evenkeel-threats')
subscriptions = there('securityhub').get_enabled_standards()['StandardsSubscriptions']
[fsbp] = [one['StandardsSubscriptionArn'] for one in subscriptions if 'foundational' in one['StandardsArn']]
there('securityhub').batch_disable_standards(StandardsSubscriptionArns=[fsbp])
there('macie2').update_macie_session(status='PAUSED')
there('inspector2').disable(resourceTypes=['EC2'])
there('accessanalyzer').delete_analyzer(analyzerName='evenkeel-external')
flows = [one['FlowLogId'] for one in there('ec2').describe_flow_logs()['FlowLogs']]
assert not there('ec2').delete_flow_logs(FlowLogIds=flows)['Unsuccessful']
print('null')
";

/// An account with nothing in it, whose root user has MFA: that, evenkeel only reports.
fn account(files: &[&str]) -> Account {
    let account = support::emulator().account();
    for file in files {
        let text = std::fs::read_to_string(support::root().join(file)).unwrap();
        account.write(file.rsplit('/').next().unwrap(), &text);
    }
    account.control("POST", "root", Some(json!({ "mfa": true })));
    account
}

/// A baseline that extends others, in some Regions.
fn extending(account: &Account, bases: &str, regions: &str) {
    account.write(
        "b.toml",
        &format!(
            "schema = 1\n[baseline]\nname = \"some\"\nextends = [{bases}]\nmode = \"enforce\"\nregions = [{regions}]\n"
        ),
    );
}

const APPLY: [&str; 6] = ["apply", "-b", "b.toml", "--yes", "--max-changes-per-account", "400"];
const BASELINES: [&str; 3] =
    ["baselines/foundation.toml", "baselines/cis-alarms.toml", "baselines/detection.toml"];

#[test]
fn one_apply_makes_the_whole_chain_in_four_regions_and_what_breaks_is_found_and_mended() {
    let account = account(&BASELINES);
    let regions = r#""eu-west-1", "us-east-1", "ap-southeast-2", "us-west-2""#;
    extending(&account, r#""detection.toml""#, regions);
    account.run(&["validate", "b.toml"]).code(0).says("ok");
    account.run(&APPLY).code(0);
    let plan = account.run(&["plan", "-b", "b.toml", "--detailed-exitcode"]).code(0);
    assert!(plan.stdout.contains("0 to change"), "{}", plan.stdout);
    account.run(&["check", "-b", "b.toml"]).code(0);
    let there = account.boto3(READ_BACK);
    for (region, one) in there.as_object().unwrap() {
        let is_home = region == "eu-west-1";
        let mut rules =
            vec!["evenkeel-root-signs-in", "evenkeel-threats", "evenkeel-trail-touched"];
        if is_home {
            rules.push("evenkeel-weaknesses");
        }
        let wanted = json!({
            "running": ["ENABLED", "PUBLISHING", "FIFTEEN_MINUTES"],
            "discovers": ["ENABLED", "ENABLED"],
            "scans": ["ec2", "ecr", "lambda"],
            "standards": [
                "aws-foundational-security-best-practices/v/1.0.0",
                "cis-aws-foundations-benchmark/v/5.0.0",
            ],
            "insights": if is_home { 3 } else { 0 },
            "analyzers": ["evenkeel-external"],
            "flows": true,
            "rules": rules,
        });
        assert_eq!(one, &wanted, "{region}");
    }
    let heard = json!([
        [false, true, true, true],
        [true, true, false, false, false],
        [true, true, true, true, false],
        [true, false],
    ]);
    assert_eq!(account.boto3(HEARD), heard);

    account.boto3(BREAK);
    for (kind, said) in [
        ("guardduty.detector", "enable"),
        ("guardduty.publishing_destination", "destination_arn"),
        ("events.rule", "state"),
        ("securityhub.standards", "aws-foundational-security-best-practices"),
        ("accessanalyzer.analyzer", "evenkeel-external"),
        ("macie2.session", "status"),
        ("inspector2.scanning", "resource_types.EC2"),
        ("ec2.flow_logs", "log_destination"),
    ] {
        account.run(&["check", "-b", "b.toml", "-k", kind]).code(2).says(said);
    }
    account.run(&APPLY).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
    assert_eq!(account.boto3(READ_BACK), there);
}

#[test]
fn it_goes_with_the_alarms_of_cis() {
    let account = account(&BASELINES);
    extending(&account, r#""cis-alarms.toml", "detection.toml""#, r#""eu-west-1""#);
    account.run(&["validate", "b.toml"]).code(0).says("ok");
    account.run(&APPLY).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
    let counts = account.boto3(
        "alarms = boto3.client('cloudwatch').describe_alarms()['MetricAlarms']\n\
         topics = sorted(one['TopicArn'].split(':')[5] for one in boto3.client('sns').list_topics()['Topics'])\n\
         trails = [one['Name'] for one in boto3.client('cloudtrail').list_trails()['Trails']]\n\
         print(json.dumps([len(alarms), topics, trails]))",
    );
    assert_eq!(counts, json!([15, ["evenkeel-alerts", "evenkeel-findings"], ["evenkeel-audit"]]));
}

/// An example in its home Region, with what waits for whoever reads the mail.
fn example(file: &str) -> Account {
    let account = account(&[file]);
    let text = account.read(file.rsplit('/').next().unwrap());
    account.write("b.toml", &text);
    account.run(&["validate", "b.toml"]).code(0).says("ok");
    let apply = [&APPLY[..], &["-r", "eu-west-1"]].concat();
    account.run(&apply).code(4).says("security-team@example.com (email) has not confirmed");
    let mail = account.boto3(
        "[one] = boto3.client('sns').list_subscriptions()['Subscriptions']\n\
         print(json.dumps([one['Protocol'], one['Endpoint'], one['SubscriptionArn']]))",
    );
    assert_eq!(mail, json!(["email", "security-team@example.com", "PendingConfirmation"]));
    // Whether anybody reads the mail is not known yet.
    let plan = account.run(&["plan", "-b", "b.toml", "-r", "eu-west-1"]).code(4);
    assert!(plan.stdout.contains("0 to change"), "{}", plan.stdout);
    account
}

/// Without what its owner has not confirmed.
fn check(account: &Account, kind: &str) -> support::Run {
    account.run(&["check", "-b", "b.toml", "-r", "eu-west-1", "-k", kind])
}

#[test]
fn a_trail_that_somebody_deletes_is_back_as_it_was() {
    let account = example("examples/trail-deleted.toml");
    check(&account, "cloudtrail.trail").code(0);
    account.boto3("boto3.client('cloudtrail').delete_trail(Name='evenkeel-trail')\nprint('null')");
    check(&account, "cloudtrail.trail").code(2).says("evenkeel-trail");
    account.run(&[&APPLY[..], &["-r", "eu-west-1"]].concat());
    check(&account, "cloudtrail.trail").code(0);
    let back: Value = account.boto3(
        "cloudtrail = boto3.client('cloudtrail')\n\
         trail = cloudtrail.get_trail(Name='evenkeel-trail')['Trail']\n\
         print(json.dumps([cloudtrail.get_trail_status(Name='evenkeel-trail')['IsLogging'],\n\
         \x20   trail['IsMultiRegionTrail'], trail['LogFileValidationEnabled']]))",
    );
    assert_eq!(back, json!([true, true, true]));
    account
        .boto3("boto3.client('events').disable_rule(Name='evenkeel-trail-deleted')\nprint('null')");
    check(&account, "events.rule").code(2).says("state");
}

#[test]
fn what_config_guardduty_and_cloudwatch_find_is_sent_by_mail() {
    let account = example("examples/findings-by-mail.toml");
    let heard = account.boto3(
        "events = boto3.client('events')\n\
         def fits(rule, source, what, detail):\n\
         \x20   [target] = events.list_targets_by_rule(Rule=rule)['Targets']\n\
         \x20   assert target['Arn'].endswith(':evenkeel-findings-by-mail'), target\n\
         \x20   event = {'id': '1', 'account': '111122223333', 'time': '2026-11-01T10:00:00Z', 'region': 'eu-west-1', 'resources': [],\n\
         \x20       'source': source, 'detail-type': what, 'detail': detail}\n\
         \x20   pattern = events.describe_rule(Name=rule)['EventPattern']\n\
         \x20   return events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))['Result']\n\
         def config(now):\n\
         \x20   return fits('evenkeel-mail-config', 'aws.config', 'Config Rules Compliance Change',\n\
         \x20       {'messageType': 'ComplianceChangeNotification', 'newEvaluationResult': {'complianceType': now}})\n\
         def threat(severity):\n\
         \x20   return fits('evenkeel-mail-guardduty', 'aws.guardduty', 'GuardDuty Finding', {'severity': severity})\n\
         def alarm(now):\n\
         \x20   return fits('evenkeel-mail-alarms', 'aws.cloudwatch', 'CloudWatch Alarm State Change', {'state': {'value': now}})\n\
         print(json.dumps([[config('NON_COMPLIANT'), config('COMPLIANT')], [threat(3.9), threat(5.3)], [alarm('ALARM'), alarm('OK')]]))",
    );
    assert_eq!(heard, json!([[true, false], [false, true], [true, false]]));
    account.boto3(
        "guardduty = boto3.client('guardduty')\n\
         [detector] = guardduty.list_detectors()['DetectorIds']\n\
         guardduty.update_detector(DetectorId=detector, Enable=False)\n\
         boto3.client('config').stop_configuration_recorder(ConfigurationRecorderName='default')\n\
         boto3.client('events').disable_rule(Name='evenkeel-mail-alarms')\nprint('null')",
    );
    check(&account, "guardduty.detector").code(2).says("enable");
    check(&account, "config.recorder").code(2).says("recording");
    check(&account, "events.rule").code(2).says("state");
}
