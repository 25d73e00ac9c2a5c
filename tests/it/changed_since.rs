//! A rollback of a run over whose objects somebody else, or a later run, has gone since: what equals what was there
//! before the run is on the way back only where a rollback of that run has put it there.

use serde_json::json;

use crate::rollback::{account, apply, declare};
use crate::support::Account;

const ROLE: &str = "[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\n";
const WITH: &str = "managed_policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n";
const WITHOUT: &str = "managed_policy_arns = []\n";

fn roles(account: &Account) -> serde_json::Value {
    account.boto3(
        "print(json.dumps([role['RoleName'] for role in boto3.client('iam').list_roles()['Roles']]))",
    )
}

fn detach(account: &Account) {
    account.boto3(
        "boto3.client('iam').detach_role_policy(RoleName='ops', PolicyArn='arn:aws:iam::aws:policy/SecurityAudit')\nprint('null')",
    );
}

const LEFT_ALONE: &str = "it is not as the run left it: somebody has changed it since the run, or a later run of evenkeel has";

#[test]
fn what_somebody_has_taken_away_since_is_no_step_of_a_rollback() {
    let account = account(&format!("{ROLE}{WITH}"));
    let run = apply(&account);
    detach(&account);
    account.run(&["rollback", &run, "--yes"]).code(3).says(LEFT_ALONE);
    assert_eq!(roles(&account), json!(["ops"]));
}

#[test]
fn what_a_later_run_has_taken_away_is_no_step_of_a_rollback() {
    let account = account(&format!("{ROLE}{WITH}"));
    let first = apply(&account);
    declare(&account, &format!("{ROLE}{WITHOUT}"));
    account.run(&["apply", "--yes", "--max-risk", "disruptive"]).code(0).says("1 change applied");
    account.run(&["rollback", &first, "--yes"]).code(3).says(LEFT_ALONE);
    assert_eq!(roles(&account), json!(["ops"]));
}

/// A rollback has put the policy's place back, a later run has attached it once more, and somebody has detached it:
/// that rollback has nothing to do with how it is now.
#[test]
fn what_a_rollback_had_put_back_before_a_later_run_is_no_step_of_the_next_one() {
    let account = account(&format!("{ROLE}{WITH}"));
    let run = apply(&account);
    account.fault(json!({
        "service": "iam", "operation": "DeleteRole", "kind": "error", "code": "AccessDenied", "status": 403,
    }));
    let back = account.run(&["rollback", &run, "--yes"]).code(4);
    account.no_faults();
    let (_, held) = back.stdout.split_once("(evenkeel release ").unwrap();
    account.run(&["release", held.split_once(')').unwrap().0]).code(0);
    account.run(&["apply", "--yes"]).code(0).says("1 change applied");
    detach(&account);
    account.run(&["rollback", &run, "--yes"]).code(3).says(LEFT_ALONE);
    assert_eq!(roles(&account), json!(["ops"]));
}

/// A topic has its key by the name that it was given, and gets that back.
#[test]
fn a_topics_key_comes_back_by_the_name_that_it_had() {
    let account = account("[sns.topic.t]\nname = \"t\"\nkms_master_key_id = \"\"\n");
    let key = || {
        account.boto3(
            "sns = boto3.client('sns', 'eu-west-1')\n\
             [topic] = sns.list_topics()['Topics']\n\
             print(json.dumps(sns.get_topic_attributes(TopicArn=topic['TopicArn'])['Attributes'].get('KmsMasterKeyId')))",
        )
    };
    for name in ["key", "'alias/k'"] {
        account.boto3(&format!(
            "kms = boto3.client('kms', 'eu-west-1')\n\
             try: key = kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyId']\n\
             except kms.exceptions.NotFoundException:\n    \
                 key = kms.create_key()['KeyMetadata']['KeyId']\n    \
                 kms.create_alias(AliasName='alias/k', TargetKeyId=key)\n\
             sns = boto3.client('sns', 'eu-west-1')\n\
             topic = sns.create_topic(Name='t')['TopicArn']\n\
             sns.set_topic_attributes(TopicArn=topic, AttributeName='KmsMasterKeyId', AttributeValue={name})\n\
             print('null')"
        ));
        let before = key();
        account.run(&["apply", "--yes", "--max-risk", "disruptive"]).code(0);
        assert_ne!(key(), before);
        let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
        let run = list["runs"][0]["run"].as_str().unwrap();
        let back = account.run(&["rollback", run, "--yes"]).code(0).says("1 change put back");
        assert_eq!(key(), before);
        let (_, held) = back.stdout.split_once("(evenkeel release ").unwrap();
        account.run(&["release", held.split_once(')').unwrap().0]).code(0);
    }
}
