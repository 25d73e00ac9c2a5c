//! Ways back that are gone, and those that are not: what AWS refused half way, what somebody has made anew just alike,
//! what no declaration tells apart, and what a way back means.

use serde_json::{Value, json};

use crate::rollback::{account, apply, declare, last_run};
use crate::support::{self, Account, Run};
use crate::taken_along::{ALARM, ROLE, START, run, run_while};

const ANOTHER: &str = "it is not what the run made";

fn read(account: &Account, script: &str) -> Value {
    account.boto3(&format!("{START}{script}"))
}

fn rollback(account: &Account, run: &str) -> Run {
    account.run(&["rollback", run, "--yes", "--max-risk", "disruptive"])
}

/// What was made of something before AWS refused the rest is the run's own, and goes again.
#[test]
fn what_was_made_before_aws_refused_the_rest_goes_again() {
    let account = account(ALARM);
    run(&account, "logs.create_log_group(logGroupName='g')\nsns.create_topic(Name='x')");
    account.fault(json!({
        "service": "cloudwatch", "operation": "PutMetricAlarm", "kind": "error", "status": 403, "code": "AccessDenied",
    }));
    account.run(&["apply", "--yes"]).code(4);
    account.no_faults();
    let filters = "print(json.dumps(len(logs.describe_metric_filters()['metricFilters'])))";
    assert_eq!(read(&account, filters), json!(1));
    rollback(&account, &last_run(&account)).code(0).says("1 change put back");
    assert_eq!(read(&account, filters), json!(0));
}

const ROLE_ANEW: &str = "made = iam.get_role(RoleName='ops')['Role']\n\
    iam.delete_role(RoleName='ops')\n\
    iam.create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps(made['AssumeRolePolicyDocument']))";
const IS_THERE: &str =
    "print(json.dumps(sum(role['RoleName'] == 'ops' for role in iam.list_roles()['Roles'])))";

/// A write that was on the way to another one is not what the run left.
#[test]
fn a_rollback_of_several_steps_is_rolled_back_as_well() {
    let topic =
        |service: &str| format!("[sns.topic.t]\nname = \"t\"\nservices = [\"{service}\"]\n");
    let account = account(&topic("cloudwatch"));
    apply(&account);
    declare(&account, &topic("events"));
    let mut run = apply(&account);
    let policy = "sns = boto3.client('sns')\n\
        arn = sns.list_topics()['Topics'][0]['TopicArn']\n\
        print(json.dumps(sns.get_topic_attributes(TopicArn=arn)['Attributes']['Policy']))";
    for service in ["cloudwatch", "events", "cloudwatch"] {
        let args = ["rollback", &run, "--yes", "--max-risk", "destructive", "--overrule", "hold"];
        account.run(&args).code(0);
        let policy = read(&account, policy).to_string();
        assert!(policy.contains(&format!("{service}.amazonaws.com")), "{policy}");
        run = last_run(&account);
    }
}

/// A service that is off as a whole was turned off by nobody but the rollback.
#[test]
fn a_service_that_was_off_is_turned_on_and_off_by_turns() {
    let account = account("[inspector2.scanning]\nresource_types = [\"EC2\", \"ECR\"]\n");
    let mut run = apply(&account);
    let is_on = "answer = boto3.client('inspector2').batch_get_account_status()\n\
        print(json.dumps(answer['accounts'][0]['resourceState']['ec2']['status'] == 'ENABLED'))";
    for on in [false, true, false, true] {
        let all = ["foreign", "public", "administrator"];
        let args = ["rollback", &run, "--yes", "--max-risk", "destructive", "--overrule", "hold"];
        let grants = all.iter().flat_map(|class| ["--allow-grants", class]);
        account.run(&args.into_iter().chain(grants).collect::<Vec<_>>()).code(0);
        assert_eq!(read(&account, is_on), json!(on));
        run = last_run(&account);
    }
}

/// Of two that are alike in all that can be declared, AWS's own id tells which is which.
#[test]
fn what_somebody_has_made_anew_just_alike_stays() {
    let account = account(ROLE);
    let made = apply(&account);
    let log = std::fs::read_to_string(account.folder.path().join(".evenkeel/audit.jsonl")).unwrap();
    assert!(log.contains("\"made\":[\"AROA"), "{log}");
    run(&account, ROLE_ANEW);
    rollback(&account, &made).code(3).says(ANOTHER);
    assert_eq!(read(&account, IS_THERE), json!(1));
}

#[test]
fn what_somebody_has_made_anew_just_alike_before_the_look_stays() {
    let role = account(ROLE);
    run_while(&role, &["apply", "--yes"], ("iam", "GetRole"), 1, "CreateRole", ROLE_ANEW).code(0);
    rollback(&role, &last_run(&role)).code(3).says(ANOTHER);
    assert_eq!(read(&role, IS_THERE), json!(1));

    let aggregator = account(
        "[config.aggregator.a]\nconfiguration_aggregator_name = \"a\"\naccount_aggregation_source = { account_ids = [\"${account.id}\"], all_aws_regions = true }\n",
    );
    let anew = "[made] = config.describe_configuration_aggregators()['ConfigurationAggregators']\n\
        config.delete_configuration_aggregator(ConfigurationAggregatorName='a')\n\
        config.put_configuration_aggregator(ConfigurationAggregatorName='a', AccountAggregationSources=made['AccountAggregationSources'])";
    let look = ("config", "DescribeConfigurationAggregators");
    run_while(&aggregator, &["apply", "--yes"], look, 1, "PutConfigurationAggregator", anew)
        .code(0);
    rollback(&aggregator, &last_run(&aggregator)).code(3).says(ANOTHER);
    let all = "print(json.dumps(len(config.describe_configuration_aggregators()['ConfigurationAggregators'])))";
    assert_eq!(read(&aggregator, all), json!(1));
}

const TO_BUCKET: &str = "[s3.bucket.f]\nbucket = \"f-${account.id}\"\nservices = [\"vpc_flow_logs\"]\n\n[ec2.flow_logs]\ntraffic_type = \"ALL\"\nlog_destination = \"arn:${partition}:s3:::f-${account.id}/";
const FLOW_LOGS: &str = "ec2 = boto3.client('ec2', 'eu-west-1')\n\
    print(json.dumps(sorted(one['LogDestination'].split('/')[1] for one in ec2.describe_flow_logs()['FlowLogs'])))";

/// What is declared says nothing of the one beside it: that it is there is known all the same.
#[test]
fn a_flow_log_beside_another_goes_again() {
    let account = account(&format!("{TO_BUCKET}one\"\n"));
    apply(&account);
    declare(&account, &format!("{TO_BUCKET}two\"\n"));
    let second = apply(&account);
    assert_eq!(read(&account, FLOW_LOGS), json!(["one", "two"]));
    rollback(&account, &second).code(0).says("1 change put back");
    assert_eq!(read(&account, FLOW_LOGS), json!(["one"]));
}

#[test]
fn a_product_whose_findings_come_in_is_turned_off_again() {
    let account = account(
        "[securityhub.hub]\nenabled = true\nproduct_integrations = [\"arn:${partition}:securityhub:${region}::product/aws/guardduty\"]\n",
    );
    let hub = "hub = boto3.client('securityhub', 'eu-west-1')\n";
    run(&account, &format!("{hub}hub.enable_security_hub(EnableDefaultStandards=False)"));
    let made = apply(&account);
    let products = format!(
        "{hub}print(json.dumps(len(hub.list_enabled_products_for_import()['ProductSubscriptions'])))"
    );
    assert_eq!(read(&account, &products), json!(1));
    rollback(&account, &made).code(0).says("1 change put back");
    assert_eq!(read(&account, &products), json!(0));
}

/// Only people can mend that Config records nothing, and it holds up nothing that goes away.
#[test]
fn a_standard_beside_others_is_disabled_again_while_config_records_nothing() {
    let account = account(
        "[securityhub.standards]\nstandards = [\"cis-aws-foundations-benchmark/v/5.0.0\"]\nexclusive = false\n",
    );
    let hub = "hub = boto3.client('securityhub', 'eu-west-1')\n";
    run(&account, &format!("{hub}hub.enable_security_hub(EnableDefaultStandards=False)"));
    account.run(&["apply", "--yes"]).code(4);
    let all = format!(
        "{hub}print(json.dumps(len(hub.get_enabled_standards()['StandardsSubscriptions'])))"
    );
    assert_eq!(read(&account, &all), json!(1));
    rollback(&account, &last_run(&account)).code(0).says("1 change put back");
    assert_eq!(read(&account, &all), json!(0));
}

/// What is denied today and would be allowed again is a right, whoever gives it.
#[test]
fn a_way_back_that_lifts_a_denial_gives_rights() {
    let all = [
        (
            "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nrequire_tls = true\n",
            "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)",
        ),
        (
            "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nrequire_tls = true\n",
            "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)\n\
          theirs = {'Sid': 'one', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteBucket', 'Resource': f'arn:aws:s3:::{b}'}\n\
          s3.put_bucket_policy(Bucket=b, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [theirs]}))",
        ),
        ("[sns.topic.t]\nname = \"t\"\nrequire_tls = true\n", "sns.create_topic(Name='t')"),
    ];
    let role = "[iam.role.ops]\nrole_name = \"ops\"\nexclusive_policies = false\n\n[iam.role.ops.inline_policies.x]\nVersion = \"2012-10-17\"\nStatement = [{ Effect = \"Deny\", Action = \"iam:*\", Resource = \"*\" }]\n";
    let of_role = "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{own}:root'}, 'Action': 'sts:AssumeRole'}]}\n\
        iam.create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps(trust))\n\
        iam.attach_role_policy(RoleName='ops', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')";
    for (items, before) in all.into_iter().chain([(role, of_role)]) {
        let account = account(items);
        run(&account, before);
        let made = apply(&account);
        rollback(&account, &made).code(2).says("gives rights (administrator): ");
        let args = [
            "rollback",
            &made,
            "--yes",
            "--allow-grants",
            "administrator",
            "--max-risk",
            "disruptive",
        ];
        account.run(&args).code(0).says("1 change put back");
    }
}

const RECORDER: &str = "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nservices = [\"config\"]\n\n[config.recorder]\ns3_bucket_name = \"b-${account.id}\"\n";
const RECORDERS: &str = "print(json.dumps([one['recording'] for one in config.describe_configuration_recorder_status()['ConfigurationRecordersStatus']]))";

/// A recorder that somebody starts before the run looks is theirs from then on.
#[test]
fn a_recorder_that_somebody_has_started_stays() {
    let account = account(&format!("{RECORDER}role_arn = \"\"\n"));
    run(&account, "iam.create_service_linked_role(AWSServiceName='config.amazonaws.com')");
    let start = "config.start_configuration_recorder(ConfigurationRecorderName=config.describe_configuration_recorders()['ConfigurationRecorders'][0]['name'])";
    let look = ("config", "DescribeConfigurationRecorderStatus");
    run_while(&account, &["apply", "--yes"], look, 1, "PutDeliveryChannel", start).code(0);
    rollback(&account, &last_run(&account))
        .code(3)
        .says("config.recorder in eu-west-1")
        .says("theirs");
    assert_eq!(read(&account, RECORDERS), json!([true]));
}

/// What a rollback has taken away, nobody has touched: a rollback of that says what makes it again.
#[test]
fn what_a_rollback_took_away_is_nobody_elses() {
    let account = account(ROLE);
    let made = apply(&account);
    rollback(&account, &made).code(0);
    account
        .run(&["rollback", &last_run(&account), "--yes", "--overrule", "hold"])
        .code(3)
        .says("the run took it away as a whole");
}

/// A rollback of a bucket asks for what an apply of the former baseline would ask for.
#[test]
fn what_goes_from_a_bucket_is_judged_as_its_kind_judges_it() {
    let all = [
        ("lifecycle = [{ id = \"a\", expiration = { days = 400 } }]\n", "safe", None),
        (
            "public_access_block = { block_public_acls = true, ignore_public_acls = true, block_public_policy = true, restrict_public_buckets = true }\n",
            "safe",
            Some("gives rights (public)"),
        ),
    ];
    for (field, risk, warning) in all {
        let account = account(&format!("[s3.bucket.b]\nbucket = \"b-${{account.id}}\"\n{field}"));
        run(
            &account,
            "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)\ns3.delete_public_access_block(Bucket=b)",
        );
        let made = apply(&account);
        let plan = account.run(&["rollback", &made, "--save", "back.json"]);
        assert!(plan.stdout.contains(&format!("    {risk} · s3:")), "{field}\n{}", plan.stdout);
        assert!(!plan.stdout.contains("what the run made is deleted"), "{field}\n{}", plan.stdout);
        assert!(warning.is_none_or(|text| plan.stdout.contains(text)), "{field}\n{}", plan.stdout);
    }
}

/// A run that died before AWS heard of it has made nothing: what is there, somebody else has made.
#[test]
fn what_somebody_made_while_a_run_was_dead_stays() {
    let account = account(
        "[securityhub.hub]\nenabled = true\n\n[securityhub.finding_aggregator]\nhome_region = \"eu-west-1\"\nregion_linking_mode = \"ALL_REGIONS\"\n",
    );
    let hub = "hub = boto3.client('securityhub', 'eu-west-1')\n";
    run(&account, &format!("{hub}hub.enable_security_hub(EnableDefaultStandards=False)"));
    let args = ["apply", "--yes"];
    support::kill(&mut account.hanging_with(
        "securityhub",
        "CreateFindingAggregator",
        false,
        &args,
    ));
    account.no_faults();
    let killed = last_run(&account);
    run(&account, &format!("{hub}hub.create_finding_aggregator(RegionLinkingMode='ALL_REGIONS')"));
    account.run(&["apply", "--yes"]).code(0);
    rollback(&account, &killed).code(3).says("somebody else may have done that");
    let all = format!(
        "{hub}print(json.dumps(len(hub.list_finding_aggregators()['FindingAggregators'])))"
    );
    assert_eq!(read(&account, &all), json!(1));
}

/// What cannot be taken back is said again by the second rollback as well.
#[test]
fn a_second_rollback_says_again_what_stays() {
    let account = account(
        "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nversioning = \"Enabled\"\ntags = { a = \"b\" }\n",
    );
    run(&account, "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)");
    let made = apply(&account);
    rollback(&account, &made).code(4).says("a part of it cannot be taken back");
    account
        .run(&["rollback", &made, "--yes", "--overrule", "hold"])
        .code(3)
        .says("what can be taken back is back already; a part of it cannot be taken back");
}

/// What AWS refused to a run, and somebody else has made since, is theirs, in a setting as well.
#[test]
fn what_somebody_made_after_a_refusal_stays() {
    let account = account(&format!("{RECORDER}role_arn = \"\"\n"));
    run(&account, "iam.create_service_linked_role(AWSServiceName='config.amazonaws.com')");
    account.fault(json!({
        "service": "config", "operation": "PutConfigurationRecorder", "kind": "error", "status": 403, "code": "AccessDenied",
    }));
    account.fault(json!({
        "service": "config", "operation": "DescribeDeliveryChannels", "kind": "delay", "delay": 4,
    }));
    let refused = |account: &Account| {
        account.calls().iter().any(|call| call.operation == "PutConfigurationRecorder")
    };
    std::thread::scope(|scope| {
        let apply = scope.spawn(|| account.run(&["apply", "--yes"]));
        while !(apply.is_finished() || refused(&account)) {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        account.no_faults();
        run(
            &account,
            "config.put_configuration_recorder(ConfigurationRecorder={'name': 'default', 'roleARN': f'arn:aws:iam::{own}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig', 'recordingGroup': {'allSupported': True, 'includeGlobalResourceTypes': False}})",
        );
        apply.join().unwrap();
    });
    let run = last_run(&account);
    let back = account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]);
    assert_eq!(read(&account, RECORDERS), json!([false]), "{}", back.stdout);
}

fn role_with(policy: &str) -> String {
    ROLE.replacen(
        "role_name = \"ops\"\n",
        &format!(
            "role_name = \"ops\"\nmanaged_policy_arns = [\"arn:aws:iam::aws:policy/{policy}\"]\n"
        ),
        1,
    )
}

/// Half the way is neither what was there nor what is declared, and nobody would finish it.
#[test]
fn an_object_goes_back_as_a_whole_or_not_at_all() {
    let account = account(&role_with("SecurityAudit"));
    apply(&account);
    declare(&account, &role_with("AWSSupportAccess"));
    account.run(&["apply", "--yes", "--max-risk", "disruptive"]).code(0);
    let run = last_run(&account);
    let attached = "print(json.dumps([one['PolicyName'] for one in iam.list_attached_role_policies(RoleName='ops')['AttachedPolicies']]))";
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "safe"])
        .code(2)
        .says("another step of its way back is only reported");
    assert_eq!(read(&account, attached), json!(["AWSSupportAccess"]));
    rollback(&account, &run).code(0).says("2 changes put back");
    assert_eq!(read(&account, attached), json!(["SecurityAudit"]));
}

/// What somebody has put back before the run looked is back: nothing is written over it.
#[test]
fn what_is_back_before_the_look_is_not_written_again() {
    let trail = |services: &str| {
        format!("[kms.key.k]\nalias = \"alias/k\"\nservice_principals = [{services}]\n")
    };
    let account = account(&trail("\"cloudtrail.amazonaws.com\""));
    apply(&account);
    declare(&account, &trail("\"sns.amazonaws.com\""));
    let key = "[key] = [one['TargetKeyId'] for one in kms.list_aliases()['Aliases'] if one['AliasName'] == 'alias/k']\n";
    let policy = read(
        &account,
        &format!(
            "{key}print(json.dumps(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy']))"
        ),
    );
    let theirs = format!(
        "import time; time.sleep(2)\n{key}kms.put_key_policy(KeyId=key, PolicyName='default', Policy={policy})"
    );
    let args = ["apply", "--yes", "--max-risk", "disruptive"];
    run_while(&account, &args, ("kms", "GetKeyPolicy"), 2, "", &theirs).code(4);
    account.forget_calls();
    rollback(&account, &last_run(&account)).code(3);
    assert!(account.writes().is_empty(), "{:?}", account.writes());
}

/// A rollback that deletes a flow log is as dangerous as an apply that does.
#[test]
fn a_flow_log_goes_no_more_easily_than_by_an_apply() {
    let account = account(&format!("{TO_BUCKET}one\"\nexclusive = true\n"));
    apply(&account);
    declare(&account, &format!("{TO_BUCKET}two\"\nexclusive = true\n"));
    account.run(&["apply", "--yes", "--max-risk", "disruptive"]).code(0);
    let second = last_run(&account);
    account.run(&["rollback", &second, "--yes", "--max-risk", "safe"]).code(2);
    assert_eq!(read(&account, FLOW_LOGS), json!(["two"]));
    rollback(&account, &second).code(0);
    assert_eq!(read(&account, FLOW_LOGS), json!(["one"]));
}

/// With a key goes all that is encrypted with it, and no field of it says by whom.
#[test]
fn a_key_that_somebody_uses_is_not_deleted() {
    let key = "key = kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyId']\n";
    let uses = [
        ("kms.create_alias(AliasName='alias/theirs', TargetKeyId=key)", "alias/theirs points to"),
        (
            "kms.create_grant(KeyId=key, GranteePrincipal=f'arn:aws:iam::{own}:role/app', Operations=['Decrypt'])",
            "has grants (1;",
        ),
    ];
    for (used, said) in uses {
        let account = account(
            "[kms.key.k]\nalias = \"alias/k\"\nprevent_destroy = false\ndeletion_window_days = 7\n",
        );
        let made = apply(&account);
        run(&account, &format!("{key}{used}"));
        rollback(&account, &made).code(4).says(said).says("somebody uses it, and it stays");
        let state =
            "print(json.dumps(kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyState']))";
        assert_eq!(read(&account, state), json!("Enabled"));
    }
}
