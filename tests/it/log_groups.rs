//! Log groups, of which an account has many: AWS lets a Region be asked for them five times a second.

use serde_json::json;

use crate::support::declared::{APPLY, account as declared};
use crate::support::{self, Account};

fn account(groups: usize, declared: usize) -> Account {
    let account = support::emulator().account();
    account.boto3(&format!(
        "logs = boto3.client('logs', region_name='eu-west-1')\n\
         for number in range({groups}):\n\
         \x20   name = f'/app/{{number:03}}'\n\
         \x20   logs.create_log_group(logGroupName=name)\n\
         \x20   logs.put_retention_policy(logGroupName=name, retentionInDays=365)"
    ));
    account.write("b.toml", &baseline(declared));
    account
}

fn baseline(items: usize) -> String {
    let items = (0..items).map(|number| {
        format!("[logs.log_group.g{number}]\nlog_group_name = \"/app/{number:03}\"\nretention_in_days = 365\n")
    });
    let head = "schema = 1\n[baseline]\nname = \"x\"\nregions = [\"eu-west-1\"]\n";
    format!("{head}{}", items.collect::<String>())
}

fn described(account: &Account) -> usize {
    account.calls().iter().filter(|call| call.operation == "DescribeLogGroups").count()
}

#[test]
fn many_items_share_one_listing_and_few_ask_for_their_names() {
    let account = account(60, 8);
    for (items, calls) in [(8, 2), (3, 3)] {
        account.write("b.toml", &baseline(items));
        account.forget_calls();
        account.run(&["check", "-b", "b.toml"]).code(0);
        assert_eq!(described(&account), calls, "{items}");
    }
    // A group that is not there is absent either way.
    account.write("b.toml", &baseline(62));
    account.forget_calls();
    account.run(&["check", "-b", "b.toml"]).code(2).says("2 objects to change").says("60 in sync");
    assert_eq!(described(&account), 2);
}

#[test]
fn a_listing_that_takes_long_is_given_up() {
    let account = account(120, 5);
    account.forget_calls();
    account.run(&["check", "-b", "b.toml"]).code(0);
    // Two pages of three, then each by its name.
    assert_eq!(described(&account), 7);
}

#[test]
fn a_snapshot_of_few_items_answers_for_them_when_there_are_more() {
    let account = account(8, 3);
    account.run(&["snapshot", "-b", "b.toml", "--out", "few.snap"]).code(0);
    account.write("b.toml", &baseline(8));
    account.run(&["snapshot", "-b", "b.toml", "--out", "all.snap"]).code(0);
    let few = account.run(&["plan", "-b", "b.toml", "--snapshot", "few.snap"]);
    few.says("3 in sync").says("5 unknown");
    account.write("b.toml", &baseline(3));
    account.run(&["plan", "-b", "b.toml", "--snapshot", "all.snap"]).code(0).says("3 in sync");
}

#[test]
fn an_export_lists_them_once() {
    let account = account(60, 1);
    account.forget_calls();
    account.run(&["export", "-k", "logs", "-r", "eu-west-1", "--out", "e.toml"]).code(0);
    let exporting = described(&account);
    account.forget_calls();
    account.run(&["check", "-b", "e.toml"]).code(0);
    assert_eq!((exporting, described(&account)), (2, 2));
}

const GROUPS: &str = "logs = boto3.client('logs', region_name='eu-west-1')\n\
    def group(name, days=None):\n\
    \x20   logs.create_log_group(logGroupName=name)\n\
    \x20   if days: logs.put_retention_policy(logGroupName=name, retentionInDays=days)\n\
    def kept():\n\
    \x20   found = logs.describe_log_groups()['logGroups']\n\
    \x20   print(json.dumps({one['logGroupName']: one.get('retentionInDays') for one in found}))\n";

#[test]
fn all_groups_keep_events_for_long_enough_and_none_for_shorter() {
    let account = declared(
        "[logs.log_groups]\nretention_in_days = 365\ndeletion_protection_enabled = true\n\
         exclude = [{ log_group_names = [\"/short/*\"] }, { log_group_tags = { retention = \"short\" } }]\n",
    );
    account.boto3(&format!(
        "{GROUPS}group('/app/a', 7)\ngroup('/app/b', 400)\ngroup('/app/c')\ngroup('/short/d', 1)\n\
         group('tagged', 3)\ngroup('aws-controltower/CloudTrailLogs', 14)\n\
         logs.tag_log_group(logGroupName='tagged', tags={{'retention': 'short'}})"
    ));
    account.forget_calls();
    account.run(&APPLY).code(0);
    account
        .run(&["check", "-b", "b.toml", "-v"])
        .code(0)
        .says("3 in sync")
        .says("/short/d is in log_group_names")
        .says("it has the tag retention = short")
        .says("AWS Control Tower made it");
    let kept = account.boto3(&format!("{GROUPS}kept()"));
    let expected = json!({
        "/app/a": 365, "/app/b": 400, "/app/c": null, "/short/d": 1, "tagged": 3,
        "aws-controltower/CloudTrailLogs": 14,
    });
    assert_eq!(kept, expected);
    let protected = account.boto3(&format!(
        "{GROUPS}print(json.dumps([one['logGroupName'] for one in logs.describe_log_groups()['logGroups'] if one.get('deletionProtectionEnabled')]))"
    ));
    assert_eq!(protected, json!(["/app/a", "/app/b", "/app/c"]));
}

#[test]
fn all_groups_are_read_with_one_list() {
    let account = account(120, 0);
    account.declare("[logs.log_groups]\nname_pattern = \"/app/*\"\nretention_in_days = 365\n");
    account.forget_calls();
    account.check().code(0).says("120 in sync");
    // Three pages of fifty.
    assert_eq!((described(&account), account.calls().len() - described(&account)), (3, 1));
    account.fault(json!({ "service": "logs", "operation": "DescribeLogGroups", "kind": "error" }));
    account.check().code(1).says("missing permission: logs:DescribeLogGroups");
}

#[test]
fn all_groups_get_a_key_that_lets_cloudwatch_logs_in() {
    let account = declared(
        "[kms.key.logs]\nservice_principals = [\"logs.eu-west-1.amazonaws.com\"]\n\
         [logs.log_groups]\nkms_key_id = \"${kms.key.logs.alias}\"\n",
    );
    account.boto3(&format!("{GROUPS}group('/app/a')\ngroup('/app/b')"));
    account.run(&APPLY).code(0);
    account.check().code(0);
    let keys = account.boto3(&format!(
        "{GROUPS}kms = boto3.client('kms', region_name='eu-west-1')\n\
         key = kms.describe_key(KeyId='alias/logs')['KeyMetadata']['Arn']\n\
         print(json.dumps([one.get('kmsKeyId') == key for one in logs.describe_log_groups()['logGroups']]))"
    ));
    assert_eq!(keys, json!([true, true]));
}

#[test]
fn a_group_of_which_two_items_want_different_things_is_judged_by_neither() {
    let account = declared("");
    account.boto3(&format!("{GROUPS}group('/app/a', 30)\ngroup('/app/b', 400)"));
    let declare = |retention: &str| {
        account.declare(&format!(
            "[logs.log_groups]\nretention_in_days = 365\n\
             [logs.log_group.a]\nlog_group_name = \"/app/a\"\n{retention}\n"
        ));
    };
    declare("retention_in_days = 30\nretention_mode = \"exact\"");
    let check = account.check().code(4);
    check
        .says("contradict each other in the retention of the log group /app/a")
        .says("at least 365");
    declare("retention_in_days = 30");
    account.check().code(2).says("1 to change · 2 in sync");
}
