//! A rollback of a run over whose objects somebody else, or a later run, has gone since: what equals what was there
//! before the run is on the way back only where a rollback of that run has put it there.

use serde_json::json;

use crate::made_meanwhile::apply_while;
use crate::rollback::{account, apply, declare, last_run};
use crate::support::{Account, Run};

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

/// Lets go what a rollback says that it holds.
fn release(account: &Account, back: &Run) {
    let (_, held) = back.stdout.split_once("(evenkeel release ").unwrap();
    account.run(&["release", held.split_once(')').unwrap().0]).code(0);
}

/// A rollback that takes the policy away and may not delete the role.
fn go_half_way_back(account: &Account, run: &str) {
    account.fault(json!({
        "service": "iam", "operation": "DeleteRole", "kind": "error", "code": "AccessDenied", "status": 403,
    }));
    let back = account.run(&["rollback", run, "--yes"]).code(4);
    account.no_faults();
    release(account, &back);
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
    go_half_way_back(&account, &run);
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
        release(&account, &back);
    }
}

/// The same under another item's name: the role is the same one.
#[test]
fn what_a_later_run_of_another_item_has_taken_away_is_no_step_of_a_rollback() {
    let account = account(&format!("{ROLE}{WITH}"));
    let run = apply(&account);
    go_half_way_back(&account, &run);
    let renamed = ROLE.replace("iam.role.ops]", "iam.role.support]\nrole_name = \"ops\"");
    declare(&account, &format!("{renamed}{WITH}"));
    account.run(&["apply", "--yes"]).code(0).says("1 change applied");
    declare(&account, &format!("{renamed}{WITHOUT}"));
    account.run(&["apply", "--yes", "--max-risk", "disruptive"]).code(0).says("1 change applied");
    account.run(&["rollback", &run, "--yes"]).code(3).says(LEFT_ALONE);
    assert_eq!(roles(&account), json!(["ops"]));
}

/// Somebody is faster than the look that follows the run's write: what that look saw is theirs.
#[test]
fn what_somebody_did_between_the_write_and_the_look_after_it_is_not_the_runs() {
    let account = account("[iam.password_policy]\nminimum_password_length = 14\n");
    let theirs = "boto3.client('iam').update_account_password_policy(MinimumPasswordLength=20, RequireSymbols=True)";
    apply_while(&account, ("iam", "GetAccountPasswordPolicy"), theirs).code(4);
    let run = last_run(&account);
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says("somebody has changed it at that time, and what is there may be theirs");
    let policy = account.boto3(
        "policy = boto3.client('iam').get_account_password_policy()['PasswordPolicy']\n\
         print(json.dumps([policy['MinimumPasswordLength'], policy['RequireSymbols']]))",
    );
    assert_eq!(policy, json!([20, true]));
}

const BUCKET: &str = "[s3.bucket.b]\nbucket = \"b-${account.id}\"\ntags = { a = \"b\" }\n";

fn make_bucket(account: &Account) {
    account.boto3(&format!(
        "boto3.client('s3').create_bucket(Bucket='b-{}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\nprint('null')",
        account.id
    ));
}

/// A rollback over several objects that was stopped half way is finished by the next one, which ends with 0.
#[test]
fn what_an_earlier_rollback_has_put_back_is_no_failure_of_the_next_one() {
    let account = account(&format!("{ROLE}{WITH}\n{BUCKET}"));
    make_bucket(&account);
    let run = apply(&account);
    account.fault(json!({
        "service": "iam", "operation": "DeleteRole", "kind": "error", "code": "AccessDenied", "status": 403,
    }));
    account.run(&["rollback", &run, "--yes", "--max-risk", "disruptive"]).code(4);
    account.no_faults();
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "disruptive"])
        .code(0)
        .says("since an earlier rollback")
        .says("1 change put back");
    assert_eq!(roles(&account), json!([]));
}

/// What cannot be taken back is said, and the rest is back.
#[test]
fn what_cannot_be_taken_back_does_not_make_the_rest_look_undone() {
    let items = format!(
        "{BUCKET}versioning = \"Enabled\"\n\n[[s3.bucket.b.lifecycle]]\nid = \"x\"\nexpiration = {{ days = 30 }}\n"
    );
    let account = account(&items);
    make_bucket(&account);
    let run = apply(&account);
    let back = account.run(&["rollback", &run, "--yes", "--max-risk", "disruptive"]).code(4);
    let back = back.says("a part of it cannot be taken back").says("2 changes put back");
    assert!(!back.stdout.contains("still not as it was"), "{}", back.stdout);
}

/// A fleet that takes signed plans only takes those of rollbacks signed as well.
#[test]
fn a_plan_of_a_rollback_is_signed_like_any_other() {
    let account = account("[iam.password_policy]\nminimum_password_length = 14\n");
    let fleet = account.read("evenkeel.toml");
    account.write(
        "evenkeel.toml",
        &fleet.replace("[safety]\n", "[safety]\nrequire_signed_plans = true\n"),
    );
    account.write("key", "0123456789abcdef0123456789abcdef");
    let run = apply(&account);
    account.run(&["rollback", &run, "--save", "plain.json"]).code(0);
    account
        .run(&["rollback", &run, "plain.json", "--yes"])
        .code(3)
        .complains("takes signed plans only");
    account.run(&["rollback", &run, "plain.json", "--verify", "file:key", "--yes"]).code(3);
    let saved = account.run(&["rollback", &run, "--save", "signed.json", "--sign", "file:key"]);
    saved.code(0).says("signed.json --verify file:key");
    account
        .run(&["rollback", &run, "signed.json", "--verify", "file:key", "--yes"])
        .code(0)
        .says("1 change put back");
}

/// A policy is written whole: what somebody put beside the run's statement, or in its place, before the look is theirs.
#[test]
fn what_somebody_put_into_a_policy_between_the_write_and_the_look_after_it_stays() {
    let theirs = "{'Sid': 'theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteObject', 'Resource': f'arn:aws:s3:::{b}/*'}";
    let beside = "json.loads(s3.get_bucket_policy(Bucket=b)['Policy'])['Statement']";
    for (of_ours, code) in [(beside, 0), ("[]", 4)] {
        let account = account(&format!("{BUCKET}require_tls = true\n"));
        make_bucket(&account);
        let script = format!(
            "s3, b = boto3.client('s3', 'eu-west-1'), 'b-{}'\n\
             s3.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': {of_ours} + [{theirs}]}}))",
            account.id
        );
        apply_while(&account, ("s3", "GetBucketPolicy"), &script).code(code);
        let run = last_run(&account);
        account
            .run(&["rollback", &run, "--yes", "--max-risk", "disruptive"])
            .code(3)
            .says("what is there may be theirs");
        let policy = account.boto3(&format!(
            "print(json.dumps('theirs' in boto3.client('s3', 'eu-west-1').get_bucket_policy(Bucket='b-{}')['Policy']))",
            account.id
        ));
        assert_eq!(policy, json!(true));
    }
}
