//! KMS keys whose alias was moved, whose answer was lost, that somebody planted, that let nobody
//! look: what is written then, and what is said.

use crate::support::Account;
use crate::support::declared::{self, account};
use serde_json::json;

const AUDIT: &str = "[kms.key.audit]\nkey_users = [\"arn:aws:iam::${account.id}:root\"]\nenable_key_rotation = true\n";
const FOREIGN: &str = "policy = lambda account: json.dumps({'Version': '2012-10-17', 'Statement': [\n\
    \x20   {'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{account}:root'}, 'Action': 'kms:*', 'Resource': '*'},\n\
    \x20   {'Effect': 'Allow', 'Principal': {'AWS': 'arn:aws:iam::999999999999:root'}, 'Action': 'kms:Decrypt', 'Resource': '*'}]})\n\
    kms = boto3.client('kms')\n\
    own = boto3.client('sts').get_caller_identity()['Account']\n\
    mark = [{'TagKey': 'evenkeel:alias', 'TagValue': 'alias/audit'}]\n";

fn python(account: &Account, script: &str) -> serde_json::Value {
    account.boto3(&format!("{FOREIGN}{script}"))
}

/// The writes; an answer that was lost has no status.
fn writes(account: &Account) -> Vec<String> {
    let calls = account.calls_of(&account.id).into_iter();
    let operations = calls.map(|call| call["operation"].as_str().unwrap().to_owned());
    let is_read =
        |name: &String| ["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb));
    operations.filter(|name| !is_read(name)).collect()
}

#[test]
fn an_alias_that_was_moved_is_said_and_put_back_and_neither_key_is_written() {
    let account = account(AUDIT);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    let ids = python(
        &account,
        "own_key = kms.describe_key(KeyId='alias/audit')['KeyMetadata']['KeyId']\n\
         other = kms.create_key(Description='of somebody else', Policy=policy(own))['KeyMetadata']['KeyId']\n\
         kms.update_alias(AliasName='alias/audit', TargetKeyId=other)\n\
         print(json.dumps([own_key, other]))",
    );
    let (own, other) = (ids[0].as_str().unwrap(), ids[1].as_str().unwrap());
    account.run(&["check", "-b", "b.toml"]).code(2).says(own).says(other);
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "safe"]);
    assert_eq!(writes(&account), Vec::<String>::new());
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    assert_eq!(writes(&account), ["UpdateAlias"]);
    let after = python(
        &account,
        &format!(
            "print(json.dumps([kms.get_key_policy(KeyId='{other}')['Policy'], kms.describe_key(KeyId='alias/audit')['KeyMetadata']['KeyId']]))"
        ),
    );
    assert!(after[0].as_str().unwrap().contains("999999999999"), "{after}");
    assert_eq!(after[1].as_str(), Some(own));
    account.run(&["check", "-b", "b.toml"]).code(0);
}

/// Nothing below evenkeel makes the call a second time, and what the lost answer made is found.
#[test]
fn a_lost_answer_of_create_key_leaves_one_key() {
    for fault in [json!({ "kind": "drop" }), json!({ "kind": "status", "status": 500 })] {
        let account = account(AUDIT);
        let mut fault = fault;
        fault["service"] = json!("kms");
        fault["operation"] = json!("CreateKey");
        fault["executed"] = json!(true);
        fault["count"] = json!(3);
        account.fault(fault);
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
        assert_eq!(writes(&account), ["CreateKey", "CreateAlias", "EnableKeyRotation"]);
        let keys = python(&account, "print(len(kms.list_keys()['Keys']))");
        assert_eq!(keys, 1);
        account.run(&["check", "-b", "b.toml"]).code(0);
    }
}

#[test]
fn a_throttled_create_key_is_tried_again() {
    let account = account(AUDIT);
    account.fault(
        json!({ "service": "kms", "operation": "CreateKey", "kind": "throttle", "count": 1 }),
    );
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    assert_eq!(python(&account, "print(len(kms.list_keys()['Keys']))"), 1);
}

#[test]
fn a_key_that_was_made_and_got_no_alias_is_adopted_with_words() {
    let account = account(AUDIT);
    let key =
        python(&account, "print(json.dumps(kms.create_key(Tags=mark)['KeyMetadata']['KeyId']))");
    let key = key.as_str().unwrap();
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says(&format!("adopts the key {key}"))
        .says("disruptive");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
    assert_eq!(python(&account, "print(len(kms.list_keys()['Keys']))"), 1);
}

/// The key is there and costs, though its change failed: whoever reads of the run is told of it.
#[test]
fn a_key_that_got_no_alias_is_named_by_all_who_tell_of_the_run() {
    let account = account(AUDIT);
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.fault(json!({ "service": "kms", "operation": "CreateAlias", "kind": "error", "status": 403, "code": "AccessDeniedException", "message": "no identity-based policy allows kms:CreateAlias" }));
    let run = account.run(&["apply", "--yes"]).code(4);
    let key = python(&account, "print(json.dumps(kms.list_keys()['Keys'][0]['KeyId']))");
    let key = key.as_str().unwrap();
    let run = run.says(key).says("has no alias").says("0 changes applied");
    assert!(run.stdout.contains("FAILED"), "{}", run.stdout);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap();
    account.run(&["show", run]).code(0).says(key);
    account.run(&["rollback", run, "--yes"]).code(3).says(key).says("left alone: kms.key.audit");
    account.no_faults();
    account.run(&["apply", "--yes"]).code(0);
    assert_eq!(python(&account, "print(len(kms.list_keys()['Keys']))"), 1);
}

#[test]
fn a_planted_key_is_not_adopted_in_silence() {
    let account = account("[kms.key.audit]\n");
    let key = python(
        &account,
        "print(json.dumps(kms.create_key(Origin='EXTERNAL', Tags=mark)['KeyMetadata']['KeyId']))",
    );
    account.run(&["check", "-b", "b.toml"]).code(2).says(key.as_str().unwrap()).says("EXTERNAL");
    account.forget_calls();
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "destructive"]);
    assert_eq!(writes(&account), Vec::<String>::new());
    // One that is as declared says whom it lets in.
    let account = declared::account("[kms.key.audit]\n");
    python(&account, "kms.create_key(Tags=mark, Policy=policy(own))");
    account.run(&["plan", "-b", "b.toml"]).says("adopts").says("999999999999");
    // Two of them are nobody's to choose from.
    python(&account, "kms.create_key(Tags=mark)");
    account.run(&["check", "-b", "b.toml"]).code(1).says("all bear its mark");
}

#[test]
fn another_key_with_the_mark_is_a_finding() {
    let account = account(AUDIT);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    let key =
        python(&account, "print(json.dumps(kms.create_key(Tags=mark)['KeyMetadata']['KeyId']))");
    account.run(&["check", "-b", "b.toml"]).code(2).says(key.as_str().unwrap());
}

#[test]
fn a_key_that_lets_nobody_look_stops_itself_alone() {
    let account = account(&format!("{AUDIT}\n[kms.key_rotation]\nenabled = true\n"));
    let locked = python(
        &account,
        "locked = kms.create_key(Description='of a third party')['KeyMetadata']['KeyId']\n\
         kms.create_key(Description='another')\n\
         print(json.dumps(locked))",
    );
    for operation in ["DescribeKey", "ListResourceTags"] {
        account.fault(json!({ "service": "kms", "operation": operation,
            "where": { "KeyId": locked }, "kind": "error", "code": "AccessDeniedException" }));
    }
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says(&format!("key policy of {} refuses", locked.as_str().unwrap()));
    let made = writes(&account);
    for write in ["CreateKey", "CreateAlias"] {
        assert!(made.iter().any(|made| made == write), "{made:?}");
    }
    assert_eq!(made.iter().filter(|write| *write == "EnableKeyRotation").count(), 2, "{made:?}");
}

/// The index of tags names the keys with a mark, whatever their policies: the one that is looked for is not passed
/// over because it lets nobody look, and no twin is made.
#[test]
fn a_marked_key_that_lets_nobody_look_is_not_passed_over() {
    let account = account(AUDIT);
    let locked =
        python(&account, "print(json.dumps(kms.create_key(Tags=mark)['KeyMetadata']['KeyId']))");
    for operation in ["DescribeKey", "ListResourceTags"] {
        account.fault(json!({ "service": "kms", "operation": operation,
            "where": { "KeyId": locked }, "kind": "error", "code": "AccessDeniedException" }));
    }
    account.forget_calls();
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(1)
        .says(&format!("key policy of {} refuses", locked.as_str().unwrap()));
    assert_eq!(writes(&account), Vec::<String>::new());
}

#[test]
fn what_was_read_when_the_time_is_over_is_kept() {
    let account = account("[kms.key_rotation]\nenabled = true\n");
    account.write(
        "evenkeel.toml",
        "schema = 1\n[limits]\naccount_timeout_seconds = 4\n[[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\n",
    );
    let keys = python(
        &account,
        "print(json.dumps([kms.create_key()['KeyMetadata']['KeyId'] for _ in range(4)]))",
    );
    account.fault(json!({ "service": "kms", "operation": "DescribeKey", "kind": "hang",
        "where": { "KeyId": keys[0] } }));
    let plan = account.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["summary"]["unknown"], 1, "{plan:#}");
    assert_eq!(
        plan["summary"]["reported"].as_u64().unwrap()
            + plan["summary"]["changes"].as_u64().unwrap_or(0),
        3,
        "{plan:#}"
    );
}

#[test]
fn answers_from_before_a_member_was_there_are_read_by_the_older_one() {
    let account = account(
        "[kms.key_rotation]\nenabled = true\n[kms.key.audit]\nkey_spec = \"SYMMETRIC_DEFAULT\"\n",
    );
    // The first time makes the key, the second makes it rotate.
    for _ in 0..2 {
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    }
    account.run(&["check", "-b", "b.toml"]).code(0);
    account.fault(json!({ "service": "kms", "operation": "DescribeKey", "kind": "replace",
        "find": "\"KeySpec\"", "replace": "\"NotYetThere\"" }));
    account.run(&["check", "-b", "b.toml"]).code(0);
    account.no_faults();
    account.fault(json!({ "service": "kms", "operation": "DescribeKey", "kind": "replace",
        "find": "\"KeyManager\"", "replace": "\"NotThere\"" }));
    account.run(&["check", "-b", "b.toml"]).code(1).says("AWS did not say KeyManager");
    account.no_faults();
    // Where the SDK would say "off" in AWS's place.
    account.declare("[kms.key_rotation]\nenabled = false\n");
    account
        .fault(json!({ "service": "kms", "operation": "GetKeyRotationStatus", "kind": "replace",
        "find": "\"KeyRotationEnabled\"", "replace": "\"NotThere\"" }));
    account.run(&["check", "-b", "b.toml"]).code(1).says("AWS did not say KeyRotationEnabled");
}

/// The key that evenkeel made is about to be deleted and its alias points to somebody else's key, or
/// nowhere: nothing of the other key is written, no new key is made, and the verdict is never in sync.
#[test]
fn a_marked_key_that_is_about_to_be_deleted_is_never_passed_over() {
    let protected = format!("{AUDIT}prevent_destroy = true\nenabled = true\n");
    for (items, elsewhere) in
        [(AUDIT, true), (AUDIT, false), (&protected, true), (&protected, false)]
    {
        let account = account(items);
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
        let then = if elsewhere {
            "kms.update_alias(AliasName='alias/audit', TargetKeyId=other)\n"
        } else {
            "kms.delete_alias(AliasName='alias/audit')\n"
        };
        let ids = python(
            &account,
            &format!(
                "own_key = kms.describe_key(KeyId='alias/audit')['KeyMetadata']['KeyId']\n\
                 other = kms.create_key(Description='of somebody else', Policy=policy(own))['KeyMetadata']['KeyId']\n\
                 {then}\
                 kms.schedule_key_deletion(KeyId=own_key)\n\
                 print(json.dumps([own_key, other]))"
            ),
        );
        let (own, other) = (ids[0].as_str().unwrap(), ids[1].as_str().unwrap());
        account.run(&["check", "-b", "b.toml"]).code(2).says(own).says("PendingDeletion");
        account.forget_calls();
        account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "destructive"]);
        let expected: &[&str] = match (items.contains("prevent_destroy"), elsewhere) {
            (false, _) => &[],
            (true, true) => &["CancelKeyDeletion", "UpdateAlias"],
            (true, false) => &["CancelKeyDeletion", "CreateAlias", "EnableKey"],
        };
        assert_eq!(writes(&account), expected, "{items} {elsewhere}");
        let after = python(
            &account,
            &format!(
                "print(json.dumps([kms.get_key_policy(KeyId='{other}')['Policy'], len(kms.list_keys()['Keys'])]))"
            ),
        );
        assert!(after[0].as_str().unwrap().contains("999999999999"), "{after}");
        assert_eq!(after[1], 2, "no key is made beside them");
        let run = account.run(&["check", "-b", "b.toml"]);
        match (items.contains("prevent_destroy"), elsewhere) {
            (false, _) => run.code(2).says("PendingDeletion"),
            // Only with its alias is it enabled.
            (true, true) => run.code(2).says("enabled"),
            (true, false) => run.code(0),
        };
        if items.contains("prevent_destroy") {
            account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
            account.run(&["check", "-b", "b.toml"]).code(0);
        }
    }
}

/// Whoever declares that the key may be destroyed gets another, and is told of the one that goes.
#[test]
fn a_key_that_may_be_destroyed_is_followed_by_another_with_words() {
    let account = account("[kms.key.audit]\nprevent_destroy = false\n");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    let own = python(
        &account,
        "own_key = kms.describe_key(KeyId='alias/audit')['KeyMetadata']['KeyId']\n\
         kms.delete_alias(AliasName='alias/audit')\n\
         kms.schedule_key_deletion(KeyId=own_key)\n\
         print(json.dumps(own_key))",
    );
    let own = own.as_str().unwrap();
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says(&format!("its former key {own} is deleted"));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

/// What refers to an alias that leads to a stranger's key is not in sync with that key: as a reference,
/// and by its bare name.
#[test]
fn what_refers_to_a_moved_alias_is_not_in_sync_with_the_other_key() {
    let items = "[kms.key.audit]\n[ec2.ebs_encryption]\nkms_key_id = \"KEY\"\n";
    for name in ["${kms.key.audit.alias}", "alias/audit"] {
        let account = account(&items.replace("KEY", name));
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
        python(
            &account,
            "other = kms.create_key()['KeyMetadata']['Arn']\n\
             kms.update_alias(AliasName='alias/audit', TargetKeyId=other)\n\
             boto3.client('ec2').modify_ebs_default_kms_key_id(KmsKeyId=other)",
        );
        account
            .run(&["check", "-b", "b.toml"])
            .code(4)
            .says("0 in sync")
            .says("put kms.key.audit right first");
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(4);
        account.run(&["check", "-b", "b.toml"]).code(2).says("kms_key_id");
        account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
        account.run(&["check", "-b", "b.toml"]).code(0);
    }
}

#[test]
fn keys_are_left_out_by_patterns_of_their_names() {
    let account = account(
        "[kms.key_rotation]\nenabled = true\nexclude = [{ aliases = [\"alias/legacy-*\"] }]\n",
    );
    python(
        &account,
        "for name in ('alias/legacy-1', 'alias/legacy'):\n\
         \x20   kms.create_alias(AliasName=name, TargetKeyId=kms.create_key()['KeyMetadata']['KeyId'])\n\
         print('{}')",
    );
    let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).json();
    assert_eq!(plan["summary"]["skipped"], 1, "{plan:#}");
    account.run(&["plan", "-b", "b.toml", "-vv"]).says("alias/legacy-1 is in aliases");
}

/// A key that the same plan makes has only its alias in the plan, and an ARN at the write: what was there
/// before is given it in one `apply`.
#[test]
fn what_is_there_gets_a_key_that_the_same_plan_makes() {
    let account = account(
        "[kms.key.k]\nservice_principals = [\"logs.eu-west-1.amazonaws.com\", \"sns.amazonaws.com\"]\n\
         [logs.log_group.a]\nlog_group_name = \"/a\"\nkms_key_id = \"${kms.key.k.alias}\"\n\
         [logs.log_groups]\nkms_key_id = \"${kms.key.k.alias}\"\n\
         [sns.topic.t]\nname = \"t\"\nkms_master_key_id = \"${kms.key.k.alias}\"\n\
         [s3.bucket.b]\nbucket = \"b-${account.id}\"\nsse_algorithm = \"aws:kms\"\n\
         kms_master_key_id = \"${kms.key.k.alias}\"\n",
    );
    python(
        &account,
        &format!(
            "logs = boto3.client('logs', region_name='eu-west-1')\n\
             for name in ('/a', '/b'): logs.create_log_group(logGroupName=name)\n\
             boto3.client('sns', region_name='eu-west-1').create_topic(Name='t')\n\
             boto3.client('s3', region_name='eu-west-1').create_bucket(Bucket='b-{}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
             print('{{}}')",
            account.id
        ),
    );
    account.run(&["plan", "-b", "b.toml"]).code(0).says("the key is not there yet");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}
