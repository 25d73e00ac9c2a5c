//! Log groups, of which an account has many: AWS lets a Region be asked for them five times a second.

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
