//! Who changes back what evenkeel writes is named, and not fought; and what is no fight is not called one.

use serde_json::json;

use crate::guards::{account, held, none, once, somebody};
use crate::support::{self, Account};

#[test]
fn who_changes_the_same_back_again_and_again_is_named_and_not_fought() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        assert_eq!(once(&account, 0)["applied"], 1);
    }
    somebody(&account);
    account.forget_calls();
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    for words in ["minimum_password_length", "evenkeel wrote it at", "it was changed back before"] {
        assert!(reason.contains(words), "{reason}");
    }
    // It stays so, for hands as well.
    held(&once(&account, 3), "fight");
    account.run(&["apply", "--yes"]).code(3).complains("somebody changes");
    none(&account);
    let object = format!("{}/global/iam.password_policy", account.id);
    account.run(&["release"]).code(0).says(&object);
    account.run(&["release", "nothing"]).code(1).complains("names no object");
    account.run(&["release", &object]).code(0).says("released");
    account.run(&["release", &object]).code(1).complains("nothing holds");
    assert_eq!(once(&account, 0)["applied"], 1);
    // It was written of late, and nothing holds it back; what was written is counted as before.
    account.run(&["release"]).code(0).says("Nothing is held back");
    account.run(&["release", &object]).code(1).complains("nothing holds");
    somebody(&account);
    assert_eq!(once(&account, 0)["applied"], 1);
    somebody(&account);
    held(&once(&account, 3), "fight");
}

/// A run that is killed in a write; whether AWS has done the write by then.
fn killed(account: &Account, is_done: bool) {
    let calls = ["run", "--once"];
    account.forget_calls();
    let mut child = account.hanging_with("iam", "UpdateAccountPasswordPolicy", is_done, &calls);
    support::kill(&mut child);
    account.no_faults();
}

#[test]
fn runs_that_were_killed_before_aws_got_a_write_are_no_fight() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..3 {
        killed(&account, false);
    }
    assert_eq!(once(&account, 0)["applied"], 1);
}

#[test]
fn a_fight_is_found_though_runs_are_killed_in_it() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        killed(&account, false);
        assert_eq!(once(&account, 0)["applied"], 1);
    }
    somebody(&account);
    account.forget_calls();
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("somebody changes minimum_password_length back"), "{reason}");
    none(&account);
}

/// The write of a killed run that is seen done by the next one can be changed back like any other.
#[test]
fn what_a_killed_run_has_written_and_a_later_one_has_seen_counts_in_a_fight() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        killed(&account, true);
        assert_eq!(once(&account, 0)["applied"], 0);
    }
    somebody(&account);
    held(&once(&account, 3), "fight");
}

/// AWS accepts a policy, and shows another form of it.
#[test]
fn what_aws_keeps_in_another_form_is_nobodys_fight() {
    let account = account("[safety.fights]\ntimes = 1\n");
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "replace",
        "find": "<MinimumPasswordLength>14<", "replace": "<MinimumPasswordLength>13<",
    }));
    assert_eq!(once(&account, 4)["applied"], 1);
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("was written once and never seen as written"), "{reason}");
    assert!(!reason.contains("somebody"), "{reason}");
}

/// Insists that whoever edits a list again and again fights nobody, and that somebody who takes the last edit
/// back does. `then` is what somebody does, in Python.
fn edits(before: &str, items: &[&str], then: &str) {
    let account = account("[safety.fights]\ntimes = 1\n");
    let python = |text: &str| {
        let text = text.replace("ACCOUNT", &account.id);
        account.boto3(&format!("import json\n{text}\nprint('null')"));
    };
    let apply = ["apply", "--yes", "--max-risk", "destructive", "--max-changes-per-account", "100"];
    python(before);
    for item in items {
        let item = item.replace("ACCOUNT", &account.id);
        account.write("b.toml", &format!("{BASELINE}{item}\n"));
        account.run(&apply).code(0).says("applied");
    }
    python(then);
    account.run(&apply).code(3).complains("somebody changes").complains("back");
}

const BASELINE: &str =
    "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n";

#[test]
fn who_edits_the_rules_of_a_security_group_fights_nobody() {
    edits(
        "",
        &[22, 80, 443]
            .map(|port| {
                format!(
                    "[ec2.default_security_group]\ningress = [{{ ip_protocol = \"tcp\", \
                 from_port = {port}, to_port = {port}, cidr_ipv4 = \"10.0.0.0/8\" }}]"
                )
            })
            .each_ref()
            .map(String::as_str),
        "ec2 = boto3.client('ec2')\n\
         group = ec2.describe_security_groups(GroupNames=['default'])['SecurityGroups'][0]\n\
         ec2.revoke_security_group_ingress(GroupId=group['GroupId'], IpPermissions=group['IpPermissions'])",
    );
}

const TRUST: &str = "{'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', \
    'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}";

#[test]
fn who_edits_the_managed_policies_of_a_role_fights_nobody() {
    let of = |arns: &str| format!("[iam.role.r]\nmanaged_policy_arns = [{arns}]");
    let [audit, support, view] = ["SecurityAudit", "AWSSupportAccess", "AmazonS3ReadOnlyAccess"]
        .map(|name| format!("\"arn:aws:iam::aws:policy/{name}\""));
    edits(
        &format!(
            "boto3.client('iam').create_role(RoleName='r', AssumeRolePolicyDocument=json.dumps({TRUST}))"
        ),
        &[&of(&audit), &of(&format!("{audit}, {support}")), &of(&view)],
        "boto3.client('iam').detach_role_policy(RoleName='r', \
         PolicyArn='arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess')",
    );
}

#[test]
fn who_edits_the_lifecycle_of_a_bucket_fights_nobody() {
    let of = |days: u32| {
        format!(
            "[s3.bucket.b]\nbucket = \"b-ACCOUNT\"\nlifecycle = [{{ id = \"a\", expiration = {{ days = {days} }} }}]"
        )
    };
    edits(
        "boto3.client('s3').create_bucket(Bucket='b-ACCOUNT', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})",
        &[&of(100), &of(200), &of(300)],
        "boto3.client('s3').delete_bucket_lifecycle(Bucket='b-ACCOUNT')",
    );
}

#[test]
fn who_edits_whom_a_key_lets_in_fights_nobody() {
    let of =
        |service: &str| format!("[kms.key.k]\nservice_principals = [\"{service}.amazonaws.com\"]");
    edits(
        "",
        &[&of("cloudtrail"), &of("events"), &of("config")],
        "kms = boto3.client('kms')\n\
         policy = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', \
         'Principal': {'AWS': 'arn:aws:iam::ACCOUNT:root'}, 'Action': 'kms:*', 'Resource': '*'}]}\n\
         key = kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyId']\n\
         kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps(policy))",
    );
}

#[test]
fn who_edits_what_flow_logs_record_fights_nobody() {
    let of = |traffic: &str| {
        format!(
            "[ec2.flow_logs]\ntraffic_type = \"{traffic}\"\nlog_destination = \"arn:aws:s3:::f-ACCOUNT/vpc\""
        )
    };
    edits(
        "boto3.client('s3').create_bucket(Bucket='f-ACCOUNT', CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})",
        &[&of("ALL"), &of("REJECT"), &of("ACCEPT")],
        "ec2 = boto3.client('ec2')\n\
         logs = ec2.describe_flow_logs()['FlowLogs']\n\
         ec2.delete_flow_logs(FlowLogIds=[one['FlowLogId'] for one in logs])",
    );
}
