//! Whether the policy of a key lets the services in that are to use it: of a log group, a trail, a bucket that
//! services deliver to, and Config's channel.

use crate::support::Account;
use crate::support::declared::{APPLY, account};
use serde_json::json;

const KEYS: &str = r#"
[kms.key.all]
service_principals = ["cloudtrail.amazonaws.com", "config.amazonaws.com", "delivery.logs.amazonaws.com", "logs.eu-west-1.amazonaws.com"]

[logs.log_group.one]
log_group_name = "/one"
kms_key_id     = "${kms.key.all.alias}"

[logs.log_group.two]
log_group_name = "/two"
kms_key_id     = "${kms.key.all.alias}"

[s3.bucket.logs]
bucket            = "logs-${account.id}"
services          = ["cloudtrail", "config", "vpc_flow_logs"]
sse_algorithm     = "aws:kms"
kms_master_key_id = "${kms.key.all.alias}"

[cloudtrail.trail.audit]
name           = "audit"
s3_bucket_name = "${s3.bucket.logs.bucket}"
kms_key_id     = "${kms.key.all.alias}"
"#;

/// Keeps of the key's policy what `one`, a statement, makes true.
fn keep(account: &Account, condition: &str) {
    account.boto3(&format!(
        "kms = boto3.client('kms', region_name='eu-west-1')\n\
         key = kms.describe_key(KeyId='alias/all')['KeyMetadata']['KeyId']\n\
         policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy'])\n\
         policy['Statement'] = [one for one in policy['Statement'] if {condition}]\n\
         kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps(policy))"
    ));
}

/// With the ARN of the key, which a channel of Config must have.
fn with_channel(account: &Account) -> String {
    let arn = account.boto3(
        "print(json.dumps(boto3.client('kms', region_name='eu-west-1').describe_key(KeyId='alias/all')['KeyMetadata']['Arn']))",
    );
    let arn = arn.as_str().unwrap();
    format!(
        "{KEYS}\n[config.recorder]\nrole_arn = \"\"\nrecording = true\n\
         s3_bucket_name = \"${{s3.bucket.logs.bucket}}\"\ns3_kms_key_arn = \"{arn}\"\n"
    )
}

#[test]
fn a_key_that_shuts_out_who_is_to_use_it_is_a_finding_of_theirs_and_read_once() {
    let account = account(KEYS);
    account.run(&APPLY).code(0);
    account.declare(&with_channel(&account));
    account.run(&APPLY).code(0);
    account.forget_calls();
    account.check().code(0).says("6 in sync");
    let read = account.calls().iter().filter(|call| call.operation == "GetKeyPolicy").count();
    assert_eq!(read, 1, "one key, one read, whoever asks");
    keep(&account, "'Service' not in one['Principal']");
    for (kind, service) in [
        ("logs.log_group", "logs.eu-west-1.amazonaws.com"),
        ("cloudtrail.trail", "cloudtrail.amazonaws.com"),
        ("s3.bucket", "config.amazonaws.com"),
        ("s3.bucket", "delivery.logs.amazonaws.com"),
        ("config.recorder", "config.amazonaws.com"),
    ] {
        account
            .run(&["check", "-b", "b.toml", "-k", kind, "-v"])
            .code(2)
            .says(&format!("{service} is let in by no statement of the policy of the key"))
            .says("service_principals of the item kms.key");
    }
    // The key's own item puts the policy right, and the others are in order with it.
    account.run(&APPLY).code(0).says("is as declared by now");
    account.check().code(0).says("6 in sync");
}

#[test]
fn a_key_whose_policy_nobody_may_read_leaves_its_users_unknown() {
    let account = account(KEYS);
    account.run(&APPLY).code(0);
    account.fault(json!({
        "service": "kms", "operation": "GetKeyPolicy", "kind": "error",
        "code": "AccessDeniedException", "status": 400,
    }));
    for kind in ["logs.log_group", "cloudtrail.trail", "s3.bucket"] {
        let check = account.run(&["check", "-b", "b.toml", "-k", kind]);
        check.code(1).says("kms:GetKeyPolicy");
    }
}

/// A key that is about to be given, and shuts its user out now, is said with the change; another item may
/// be about to let it in.
#[test]
fn a_key_that_shuts_out_is_said_before_it_is_given() {
    let account = account(KEYS);
    account.run(&APPLY).code(0);
    keep(&account, "'Service' not in one['Principal']");
    account.boto3(
        "boto3.client('logs', region_name='eu-west-1').disassociate_kms_key(logGroupName='/one')",
    );
    let check = account.run(&["check", "-b", "b.toml", "-k", "logs.log_group", "-v"]);
    check.code(2).says("by the time of this change it must be let in");
    account.run(&APPLY).code(0);
    account.check().code(0);
}

/// Services that deliver for several accounts ask for each of them.
#[test]
fn a_bucket_of_several_accounts_asks_the_key_for_each() {
    let account = account(&KEYS.replace(
        "kms_master_key_id = ",
        "source_accounts   = [\"${account.id}\", \"444455556666\"]\nkms_master_key_id = ",
    ));
    let foreign = [&APPLY[..], &["--allow-grants", "foreign"]].concat();
    account.run(&foreign);
    let check = account.run(&["check", "-b", "b.toml", "-k", "s3.bucket", "-v"]);
    check.code(2).says("config.amazonaws.com for account 444455556666 is let in by no statement");
}
