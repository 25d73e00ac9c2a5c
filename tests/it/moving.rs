//! What is delivered goes to another place, or under another key, by one plan and one apply: first the new
//! place lets it in, then it goes there, and only then the old one shuts it out.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{self, APPLY};

/// A trail and a recorder that deliver below a prefix, the trail with a key.
fn items(prefix: &str, key: &str) -> String {
    format!(
        r#"
[kms.key.one]
alias              = "alias/one"
service_principals = [{one}]

[kms.key.two]
alias              = "alias/two"
service_principals = [{two}]

[s3.bucket.logs]
bucket           = "logs-${{account.id}}"
services         = ["cloudtrail", "config"]
service_prefixes = {{ cloudtrail = "{prefix}", config = "{prefix}" }}

[cloudtrail.trail.main]
name           = "main"
s3_bucket_name = "${{s3.bucket.logs.bucket}}"
s3_key_prefix  = "{prefix}"
kms_key_id     = "${{kms.key.{key}.alias}}"
is_logging     = true

[config.recorder]
s3_bucket_name = "${{s3.bucket.logs.bucket}}"
s3_key_prefix  = "{prefix}"
recording      = true
role_arn       = ""
"#,
        one = if key == "one" { "\"cloudtrail.amazonaws.com\"" } else { "" },
        two = if key == "two" { "\"cloudtrail.amazonaws.com\"" } else { "" },
    )
}

fn settled() -> Account {
    let account = declared::account(&items("old", "one"));
    account.run(&APPLY).code(0);
    account.check().code(0);
    account.declare(&items("new", "two"));
    account.forget_calls();
    account
}

/// The prefixes below which the bucket lets services write.
fn open_prefixes(account: &Account) -> Vec<String> {
    let script = format!(
        "print(boto3.client('s3').get_bucket_policy(Bucket='logs-{}')['Policy'])",
        account.id
    );
    let policy = account.boto3(&script);
    let mut found = Vec::new();
    for statement in policy["Statement"].as_array().unwrap() {
        let resources = match &statement["Resource"] {
            Value::Array(list) => list.clone(),
            one => vec![one.clone()],
        };
        for resource in resources {
            if let Some((_, below)) = resource.as_str().unwrap().split_once('/') {
                found.push(below.split('/').next().unwrap().to_owned());
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn trail(account: &Account) -> Value {
    account.boto3(
        "trail = boto3.client('cloudtrail').describe_trails()['trailList'][0]\n\
         print(json.dumps({'prefix': trail['S3KeyPrefix'], 'key': trail['KmsKeyId']}))",
    )
}

fn place(writes: &[String], call: &str) -> usize {
    let found = writes.iter().position(|write| write == call);
    found.unwrap_or_else(|| panic!("no {call} in {writes:?}"))
}

fn last_place(writes: &[String], call: &str) -> usize {
    writes.len() - 1 - writes.iter().rev().position(|write| write == call).unwrap()
}

#[test]
fn bucket_prefix_and_key_move_in_one_apply() {
    let account = settled();
    account.run(&APPLY).code(0);
    let refused: Vec<_> = account.calls().into_iter().filter(|call| call.status >= 400).collect();
    let refused: Vec<_> = refused
        .iter()
        .filter(|call| ["UpdateTrail", "PutDeliveryChannel"].contains(&call.operation.as_str()))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let writes = account.writes();
    for (policy, moves) in [
        ("s3:PutBucketPolicy", "cloudtrail:UpdateTrail"),
        ("s3:PutBucketPolicy", "config:PutDeliveryChannel"),
        ("kms:PutKeyPolicy", "cloudtrail:UpdateTrail"),
    ] {
        assert!(place(&writes, policy) < place(&writes, moves), "{writes:?}");
        assert!(last_place(&writes, policy) > last_place(&writes, moves), "{writes:?}");
    }
    assert_eq!(trail(&account)["prefix"], "new");
    assert_eq!(open_prefixes(&account), ["new"]);
    account.check().code(0);
}

#[test]
fn who_could_not_move_is_not_shut_out() {
    let account = settled();
    account.fault(json!({ "service": "cloudtrail", "operation": "UpdateTrail", "kind": "error",
        "code": "OperationNotPermittedException", "status": 400 }));
    account.run(&APPLY).code(4);
    assert_eq!(open_prefixes(&account), ["new", "old"]);
    assert_eq!(trail(&account)["prefix"], "old");
    account.no_faults();
    // What is left is known from what is there alone.
    account.run(&APPLY).code(0);
    assert_eq!(open_prefixes(&account), ["new"]);
    account.check().code(0);
}

#[test]
fn who_is_only_reported_keeps_the_place_that_it_uses() {
    let account = settled();
    let reported = items("new", "two")
        .replace("is_logging     = true", "is_logging     = true\nmode = \"report\"");
    account.declare(&reported);
    account.run(&APPLY).says("cloudtrail.trail.main still delivers as before");
    assert_eq!(open_prefixes(&account), ["new", "old"]);
    account.declare(&items("new", "two"));
    account.run(&APPLY).code(0);
    assert_eq!(open_prefixes(&account), ["new"]);
    account.check().code(0);
}

#[test]
fn what_s3_keeps_in_another_form_is_the_same_write() {
    let account = settled();
    let folder =
        |prefix: &str| format!("arn:aws:s3:::logs-{id}/{prefix}/AWSLogs/{id}/*", id = account.id);
    for prefix in ["old", "new"] {
        let one = folder(prefix);
        account.fault(json!({ "service": "s3", "operation": "GetBucketPolicy", "kind": "replace",
            "find": format!("[\"{one}\"]"), "replace": format!("\"{one}\"") }));
    }
    account.run(&APPLY).code(0);
    account.no_faults();
    assert_eq!(open_prefixes(&account), ["new"]);
    account.check().code(0);
}

/// An account with a store, so that runs can be put back.
fn settled_with_store() -> Account {
    let account = declared::account(&items("old", "one"));
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.run(&MOVE).code(0);
    account.declare(&items("new", "two"));
    account.run(&MOVE).code(0);
    account
}

const MOVE: [&str; 5] =
    ["apply", "--yes", "--max-risk", "destructive", "--max-changes-per-account=1000"];

/// The way back goes as the way there went: what the old place lets in comes first, then they move, and then the
/// new place shuts them out.
#[test]
fn who_has_moved_moves_back_while_both_places_let_them_in() {
    let account = settled_with_store();
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap();
    account.forget_calls();
    account.run(&["rollback", run, "--yes", "--max-risk", "destructive"]).code(0);
    let moves = ["UpdateTrail", "PutDeliveryChannel"];
    let calls = account.calls();
    let refused: Vec<_> = calls
        .iter()
        .filter(|call| call.status >= 400 && moves.contains(&call.operation.as_str()))
        .collect();
    assert!(refused.is_empty(), "{refused:?}");
    let writes = account.writes();
    for (policy, moves) in [
        ("s3:PutBucketPolicy", "cloudtrail:UpdateTrail"),
        ("s3:PutBucketPolicy", "config:PutDeliveryChannel"),
        ("kms:PutKeyPolicy", "cloudtrail:UpdateTrail"),
    ] {
        assert!(place(&writes, policy) < place(&writes, moves), "{writes:?}");
        assert!(last_place(&writes, policy) > last_place(&writes, moves), "{writes:?}");
    }
    assert_eq!(trail(&account)["prefix"], "old");
    assert_eq!(open_prefixes(&account), ["old"]);
    account.declare(&items("old", "one"));
    account.check().code(0);
}

/// The policy of a topic lets a service in and shuts another one out around those who move.
#[test]
fn a_topic_shuts_a_service_out_once_its_rules_have_moved() {
    let items = |from: &str, to: &str, sends: &str| {
        format!(
            "[sns.topic.one]\nname = \"one\"\nservices = [{from}]\n\n[sns.topic.two]\nname = \"two\"\nservices = [{to}]\n\n\
             [events.rule.r]\nname = \"r\"\nschedule_expression = \"rate(1 day)\"\n\
             targets = [{{ id = \"t\", arn = \"arn:aws:sns:eu-west-1:${{account.id}}:{sends}\" }}]\n"
        )
    };
    let account = declared::account(&items("\"events\"", "", "one"));
    account.run(&APPLY).code(0);
    account.declare(&items("", "\"events\"", "two"));
    account.forget_calls();
    account.run(&APPLY).code(0);
    let writes = account.writes();
    let (policy, moved) = ("sns:SetTopicAttributes", "events:PutTargets");
    assert!(place(&writes, policy) < place(&writes, moved), "{writes:?}");
    assert!(last_place(&writes, policy) > last_place(&writes, moved), "{writes:?}");
    account.check().code(0);
}
