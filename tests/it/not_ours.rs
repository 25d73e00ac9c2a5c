//! What somebody else made while a run made it: it is not the run's, and nothing more is written to it.

use serde_json::json;

use super::rollback::{account, apply_while, last_run, phases};
use crate::support;

/// Somebody else makes the role while our call is under way, which AWS refuses then.
#[test]
fn a_role_that_aws_refused_to_make_is_not_ours() {
    let account = account("[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\n");
    let trust = format!(
        "json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {{'AWS': 'arn:aws:iam::{}:root'}}, 'Action': 'sts:AssumeRole'}}]}})",
        account.id
    );
    let make = format!(
        "boto3.client('iam').create_role(RoleName='ops', AssumeRolePolicyDocument={trust}, Description='payments', Tags=[{{'Key': 'owner', 'Value': 'payments'}}])\nprint('null')"
    );
    apply_while(&account, "iam", "CreateRole", &make)
        .code(0)
        .says("is there  iam.role.ops")
        .says("EntityAlreadyExists")
        .says("0 changes applied");
    // It is another one than ours, and as declared all the same, as the look says.
    assert_eq!(phases(&account), ["intent", "failed", "observed", "found"]);
    account.run(&["audit", "verify"]).code(0);
    let run = last_run(&account);
    account.run(&["show", &run]).code(0).says("is there all the same");
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "destructive"])
        .code(3)
        .says("somebody else may have made it");
    let roles = account.boto3(
        "print(json.dumps([role['RoleName'] for role in boto3.client('iam').list_roles()['Roles']]))",
    );
    assert_eq!(roles, json!(["ops"]));
}

/// What appears between the plan and the look before the write is left alone whole, though other objects were written
/// before it: neither the making nor what else was planned is done to it.
#[test]
fn what_appears_before_it_is_made_is_left_alone_whole() {
    let account = account(
        "[iam.password_policy]\nminimum_password_length = 14\n[s3.bucket.x]\nbucket = \"x-${account.id}\"\ntags = { a = \"b\" }\nversioning = \"Enabled\"\n\n[[s3.bucket.x.lifecycle]]\nid = \"x\"\nexpiration = { days = 30 }\n",
    );
    let make = format!(
        "s3, b = boto3.client('s3', 'eu-west-1'), 'x-{}'\n\
         s3.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         s3.put_bucket_tagging(Bucket=b, Tagging={{'TagSet': [{{'Key': 'owner', 'Value': 'payments'}}]}})\n\
         s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={{'Rules': [{{'ID': 'o', 'Status': 'Enabled', 'Filter': {{'Prefix': ''}}, 'Expiration': {{'Days': 9}}}}]}})\n\
         print('null')",
        account.id
    );
    apply_while(&account, "iam", "UpdateAccountPasswordPolicy", &make)
        .code(4)
        .says("it is there by now, and was not when the plan was made")
        .says("1 change applied");
    let theirs = account.boto3(&format!(
        "s3, b = boto3.client('s3', 'eu-west-1'), 'x-{}'\n\
         print(json.dumps([s3.get_bucket_tagging(Bucket=b)['TagSet'], s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules'][0]['Expiration'], s3.get_bucket_versioning(Bucket=b).get('Status')]))",
        account.id
    ));
    assert_eq!(theirs, json!([[{ "Key": "owner", "Value": "payments" }], { "Days": 9 }, null]));
}

/// What somebody else made meanwhile gets nothing of what was planned for a role of our own.
#[test]
fn nothing_is_attached_to_what_somebody_else_made_meanwhile() {
    let account = account(
        "[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\nmanaged_policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n",
    );
    let make = format!(
        "boto3.client('iam').create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {{'AWS': 'arn:aws:iam::{}:root'}}, 'Action': 'sts:AssumeRole'}}]}}), Description='payments')\nprint('null')",
        account.id
    );
    apply_while(&account, "iam", "CreateRole", &make)
        .code(4)
        .says("something else is there by now")
        .says("0 changes applied, 2 not");
    let attached = "print(json.dumps(boto3.client('iam').list_attached_role_policies(RoleName='ops')['AttachedPolicies']))";
    assert_eq!(account.boto3(attached), json!([]));
    // The next look plans for what is there.
    account.run(&["apply", "--yes"]).code(0).says("1 change applied");
}

/// It may be alike in all that tells it, and somebody else's all the same.
#[test]
fn nothing_more_is_written_to_what_was_there_when_it_was_to_be_made() {
    let account = account(
        "[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\nmanaged_policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n",
    );
    let make = format!(
        "boto3.client('iam').create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps({{'Version': '2012-10-17', 'Statement': [{{'Effect': 'Allow', 'Principal': {{'AWS': 'arn:aws:iam::{}:root'}}, 'Action': 'sts:AssumeRole'}}]}}))\nprint('null')",
        account.id
    );
    apply_while(&account, "iam", "CreateRole", &make)
        .code(4)
        .says("is there  iam.role.ops")
        .says("nobody knows whose it is")
        .says("0 changes applied, 1 not");
    let attached = "print(json.dumps(boto3.client('iam').list_attached_role_policies(RoleName='ops')['AttachedPolicies']))";
    assert_eq!(account.boto3(attached), json!([]));
    let run = last_run(&account);
    account.run(&["rollback", &run, "--yes"]).code(3).says("There is nothing to put back");
    // The next look shows what is there, and plans for it.
    account.run(&["apply", "--yes"]).code(0).says("1 change applied");
    account.run(&["check"]).code(0);
}

#[test]
fn a_trail_that_was_there_when_it_was_to_be_made_is_not_started() {
    let account = account(
        "[cloudtrail.trail.main]\ns3_bucket_name = \"trails-${account.id}\"\nis_multi_region_trail = true\nis_logging = true\n",
    );
    account.boto3(&format!(
        "s, b = boto3.client('s3'), 'trails-{}'\n\
         s.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         s.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [\n\
         \x20  dict(Effect='Allow', Principal={{'Service': 'cloudtrail.amazonaws.com'}}, Action=['s3:GetBucketAcl', 's3:PutObject'], Resource=[f'arn:aws:s3:::{{b}}', f'arn:aws:s3:::{{b}}/*'])]}}))\n\
         print('null')",
        account.id
    ));
    let make = format!(
        "boto3.client('cloudtrail', 'eu-west-1').create_trail(Name='main', S3BucketName='trails-{}', IsMultiRegionTrail=True)\nprint('null')",
        account.id
    );
    apply_while(&account, "cloudtrail", "CreateTrail", &make)
        .code(4)
        .says("nobody knows whose it is")
        .says("0 changes applied");
    let logs = "print(json.dumps(boto3.client('cloudtrail', 'eu-west-1').get_trail_status(Name='main')['IsLogging']))";
    assert_eq!(account.boto3(logs), json!(false));
}

/// A setting that somebody turned on meanwhile is nobody's change of ours.
#[test]
fn a_hub_that_somebody_turned_on_meanwhile_is_not_counted() {
    let account = account("[securityhub.hub]\nenabled = true\n");
    let make = "boto3.client('securityhub', 'eu-west-1').enable_security_hub(EnableDefaultStandards=False)\nprint('null')";
    apply_while(&account, "securityhub", "EnableSecurityHub", make)
        .code(0)
        .says("is there  securityhub.hub")
        .says("0 changes applied");
}

#[test]
fn a_role_of_another_trust_was_refused_by_aws_and_not_left_unsent() {
    let account = account("[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\n");
    let make = "boto3.client('iam').create_role(RoleName='ops', AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}))\nprint('null')";
    let run = apply_while(&account, "iam", "CreateRole", make)
        .code(4)
        .says("something else is there by now")
        .says("0 changes applied, 1 not");
    assert!(!run.stdout.contains("nothing was sent"), "{}", run.stdout);
}

/// What else was planned for a new group may take something from one that somebody else has made, and nobody could
/// take it back.
#[test]
fn what_was_there_when_it_was_to_be_made_is_somebody_elses_to_what_comes_after() {
    let account = account(
        "[logs.log_group.x]\nlog_group_name = \"/app/x\"\nretention_in_days = 30\nretention_mode = \"exact\"\n",
    );
    let make =
        "boto3.client('logs', 'eu-west-1').create_log_group(logGroupName='/app/x')\nprint('null')";
    apply_while(&account, "logs", "CreateLogGroup", make)
        .code(4)
        .says("is there  logs.log_group.x")
        .says("would be destructive now")
        .says("0 changes applied, 1 not");
    assert_eq!(phases(&account)[..3], ["intent", "failed", "found"]);
}

#[test]
fn a_bucket_that_was_there_when_it_was_to_be_made_is_not_counted() {
    let account = account("[s3.bucket.x]\nbucket = \"x-${account.id}\"\n");
    let make = format!(
        "boto3.client('s3', 'eu-west-1').create_bucket(Bucket='x-{}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\nprint('null')",
        account.id
    );
    apply_while(&account, "s3", "CreateBucket", &make)
        .code(0)
        .says("is there  s3.bucket.x")
        .says("0 changes applied");
    assert_eq!(phases(&account), ["intent", "failed", "found", "observed"]);
}

/// A run that was killed while it made a role cannot say whose the role is that is there.
#[test]
fn what_a_killed_run_may_have_made_is_not_taken_away() {
    let account = account("[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\n");
    let mut child = account.hanging_with("iam", "CreateRole", true, &["apply", "--yes"]);
    support::kill(&mut child);
    account.no_faults();
    let run = last_run(&account);
    account.run(&["apply", "--yes"]).code(0);
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "destructive"])
        .code(3)
        .says("the run died while it wrote to it");
}

/// What is deleted between the plan and the look before the write is written to no more.
#[test]
fn what_goes_before_it_is_changed_is_sent_nothing() {
    let account = account(
        "[iam.password_policy]\nminimum_password_length = 14\n\n\
         [s3.bucket.x]\nbucket = \"x-${account.id}\"\ntags = { a = \"b\" }\nversioning = \"Enabled\"\n\n\
         [sns.topic.t]\nname = \"t\"\ndisplay_name = \"T\"\n\n\
         [events.rule.r]\nname = \"r\"\nschedule_expression = \"rate(1 day)\"\n\n\
         [[events.rule.r.targets]]\nid = \"t\"\narn = \"arn:aws:sns:eu-west-1:${account.id}:t\"\n",
    );
    let clients =
        "s3, sns, events = [boto3.client(name, 'eu-west-1') for name in ['s3', 'sns', 'events']]\n";
    let bucket = format!("x-{}", account.id);
    account.boto3(&format!(
        "{clients}s3.create_bucket(Bucket='{bucket}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         sns.create_topic(Name='t')\nevents.put_rule(Name='r', ScheduleExpression='rate(1 day)')\nprint('null')"
    ));
    let gone = format!(
        "{clients}s3.delete_bucket(Bucket='{bucket}')\nsns.delete_topic(TopicArn='arn:aws:sns:eu-west-1:{}:t')\n\
         events.delete_rule(Name='r')\nprint('null')",
        account.id
    );
    let run = apply_while(&account, "iam", "UpdateAccountPasswordPolicy", &gone)
        .code(4)
        .says("1 change applied, 4 not");
    assert_eq!(run.stdout.matches("it is not there any more").count(), 4, "{}", run.stdout);
    assert_eq!(phases(&account), ["intent", "applied", "observed"]);
}
