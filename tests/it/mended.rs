//! What a plan can only report, or does not know, and what the same apply puts right: it is looked at once
//! more when all is written, and the exit code, the log and the next `check` say the same.

use crate::support::Account;
use crate::support::declared::{APPLY, POLICY, account};
use serde_json::{Value, json};

/// A topic with a key that lets alarms publish.
const TOPIC: &str = r#"
[kms.key.alerts]
service_principals = ["cloudwatch.amazonaws.com"]

[sns.topic.alerts]
name              = "alerts"
kms_master_key_id = "${kms.key.alerts.alias}"
services          = ["cloudwatch"]
"#;

/// Takes all services out of the key's policy.
const CLOSE: &str = "kms = boto3.client('kms', region_name='eu-west-1')\n\
    key = kms.describe_key(KeyId='alias/alerts')['KeyMetadata']['KeyId']\n\
    policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy'])\n\
    policy['Statement'] = [one for one in policy['Statement'] if 'Service' not in one['Principal']]\n\
    kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps(policy))";

/// An account as declared but for the key's policy, for which the topic has a finding.
fn closed(items: &str) -> Account {
    let account = account(items);
    account.run(&APPLY).code(0);
    account.check().code(0);
    account.boto3(CLOSE);
    account
}

fn policies_read(account: &Account) -> usize {
    account.calls().iter().filter(|call| call.operation == "GetKeyPolicy").count()
}

/// What the audit log has of an item's objects since some line.
fn observed(account: &Account, item: &str, since: usize) -> Vec<Value> {
    let log = account.read(".evenkeel/audit.jsonl");
    let records = log.lines().skip(since).map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.filter(|one| one["item"] == item && one["phase"] == "observed").collect()
}

#[test]
fn a_finding_about_what_the_same_plan_mends_ends_with_it() {
    let account = closed(TOPIC);
    let before = account.read(".evenkeel/audit.jsonl").lines().count();
    account
        .check()
        .code(2)
        .says("cloudwatch.amazonaws.com is let in by no statement of the policy of the key")
        .says("this plan changes kms.key.alerts, and apply looks at this again");
    account
        .run(&APPLY)
        .code(0)
        .says("sns.topic.alerts alerts in eu-west-1")
        .says("is as declared by now: what was only reported of it, or unknown, is put right");
    let records = observed(&account, "sns.topic.alerts", before);
    assert_eq!(records.len(), 1, "{records:#?}");
    assert_eq!((&records[0]["in_sync"], &records[0]["change"]), (&json!(true), &json!(0)));
    account.run(&["audit", "verify"]).code(0);
    account.check().code(0).says("2 in sync");
}

#[test]
fn a_saved_plan_and_a_run_end_as_check_does_afterwards() {
    let account = closed(TOPIC);
    let plan = ["plan", "-b", "b.toml", "--max-risk", "destructive", "--save", "p.json"];
    account.run(&plan).code(0);
    let apply = ["apply", "p.json", "-b", "b.toml", "--yes", "--max-risk", "destructive"];
    account.run(&apply).code(0).says("is as declared by now");
    account.check().code(0);
    account.boto3(CLOSE);
    account.write(
        "evenkeel.toml",
        "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n\
         [safety]\nmax_risk = \"destructive\"\n",
    );
    let run = account.run(&["run", "--once"]).code(0);
    run.says("\"outcome\":\"in sync\"")
        .says("\"put_right\":[\"sns.topic.alerts alerts in eu-west-1");
    account.check().code(0);
}

#[test]
fn a_finding_that_stays_is_said_and_has_its_exit_code() {
    let account = closed(&format!("{TOPIC}{POLICY}"));
    // Of the two, the key is only reported.
    account.declare(&format!("{}{POLICY}", TOPIC.replace("[sns", "mode = \"report\"\n[sns")));
    account.boto3("boto3.client('iam').delete_account_password_policy()");
    account.forget_calls();
    account.run(&APPLY).code(2).says("stay open");
    // Once for the plan, and once when all was written.
    assert_eq!(policies_read(&account), 2);
    account.check().code(2);
}

#[test]
fn nothing_is_looked_at_again_where_nothing_was_written() {
    let account = closed(TOPIC);
    account.declare(&TOPIC.replace("[sns", "mode = \"report\"\n[sns"));
    account.forget_calls();
    account.check().code(2);
    let by_check = policies_read(&account);
    account.forget_calls();
    account.run(&APPLY).code(2).says("nothing to apply");
    assert_eq!(policies_read(&account), by_check);
}

/// An object that refers to a name which leads elsewhere is unknown until the name is put right.
#[test]
fn what_was_unknown_is_known_once_its_cause_is_put_right() {
    let account = account(
        "[kms.key.alerts]\ndescription = \"alerts\"\n\n[sns.topic.t]\nname = \"t\"\n\
         tags = { key = \"${kms.key.alerts.alias}\" }\n",
    );
    account.run(&APPLY).code(0);
    account.boto3(
        "kms = boto3.client('kms', region_name='eu-west-1')\n\
         kms.update_alias(AliasName='alias/alerts', TargetKeyId=kms.create_key()['KeyMetadata']['KeyId'])",
    );
    account.check().code(4).says("leads elsewhere than it should");
    // Where the name is not put right, it stays unknown.
    account.fault(json!({
        "service": "kms", "operation": "UpdateAlias", "kind": "error",
        "code": "AccessDeniedException", "status": 400,
    }));
    account.run(&APPLY).code(4).says("1 object unknown and left alone");
    account.no_faults();
    account.run(&APPLY).code(0).says("sns.topic.t t in eu-west-1").says("is as declared by now");
    account.check().code(0);
}
