//! What is remembered where the fleet file names no store: the controller's runs in a file beside its audit
//! log, the rest in the small files there; and the one way in which every command is told of another log.

use serde_json::Value;

use crate::controller::Running;
use crate::support::{self, Account};

const POLICY: &str = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n[iam.password_policy]\nminimum_password_length = 14\n";

/// A target whose password policy differs, of which no tick comes.
fn account(more: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n{more}\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nschedule = \"0 0 0 1 1 *\"\nconfirmed = true\n"
        ),
    );
    account
}

fn weaken(account: &Account) {
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9)");
}

fn runs(account: &Account, more: &[&str]) -> Vec<Value> {
    let args = [&["history", "--runs", "--format", "json"], more].concat();
    account.run(&args).code(0).json()["runs"].as_array().unwrap().clone()
}

/// Lets the controller make its first run, and ends it.
fn one_run(account: &Account, args: &[&str]) {
    let mut controller = Running::with(account.command(&[&["run"], args].concat()));
    controller.next("run", |_| true);
    controller.end();
}

#[test]
fn a_controller_without_a_store_remembers_its_runs_beside_its_log_and_nothing_else_there() {
    let account = account("");
    let is_there = |name: &str| account.folder.path().join(name).exists();
    // A job, or somebody who looks, leaves no store behind.
    account.run(&["run", "--once"]).code(0);
    account.run(&["check"]).code(0);
    assert!(!is_there(".evenkeel/audit.history.db"));
    account.run(&["history"]).code(1).complains("no controller has run with the audit log");
    weaken(&account);
    one_run(&account, &[]);
    let entries = account.run(&["history", "--format", "json"]).code(0).json();
    let of = |name: &str| -> Vec<Value> {
        entries["entries"].as_array().unwrap().iter().map(|entry| entry[name].clone()).collect()
    };
    assert_eq!(of("what"), ["resolved", "applied", "drift"]);
    assert_eq!(of("run")[0], of("run")[1], "the run that put it right");
    account.run(&["show", of("run")[0].as_str().unwrap()]).code(0).says("9 → 14");
    account.run(&["status"]).says("1 account seen").says("1 applied");
    // Now that it is there, it is that of every command with this log; guards remember where they did.
    account.run(&["check"]).code(0);
    weaken(&account);
    account.run(&["apply", "--yes"]).code(0);
    let commands: Vec<Value> =
        runs(&account, &[]).iter().map(|run| run["command"].clone()).collect();
    assert_eq!(commands, ["apply", "check", "run"]);
    assert!(is_there(".evenkeel/guards.json"));
    let rollback = runs(&account, &[])[0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &rollback, "--yes"]).code(0);
    account.run(&["release"]).code(0).says("iam.password_policy");
}

#[test]
fn a_store_that_nobody_named_and_that_cannot_be_used_holds_nothing_back() {
    let account = account("");
    account.write(".evenkeel/audit.history.db", "this is no database, and never was one");
    account.run(&["check"]).code(2).complains("runs are not remembered");
    account.run(&["run", "--once"]).code(0).complains("runs are not remembered");
    weaken(&account);
    one_run(&account, &[]);
    account.run(&["check"]).code(0);
    account.run(&["history"]).code(1).complains("audit.history.db");
}

#[test]
fn every_command_takes_another_log_by_the_same_option() {
    let account = account("[safety]\nmax_changes_per_account_per_day = 1\n");
    let log = ["--audit-log", "logs/a.jsonl"];
    one_run(&account, &log);
    for named in [&log[..], &log[1..], &["logs/a.jsonl", log[0], log[1]][..]] {
        account.run(&[&["audit", "verify"], named].concat()).code(0).says("whole");
        let lines = account.run(&[&["audit", "export"], named].concat()).code(0).stdout;
        assert_eq!(lines.lines().count(), 3, "{lines}");
    }
    let two = ["audit", "verify", "other.jsonl", log[0], log[1]];
    account.run(&two).code(1).complains("two logs are named");
    // What is remembered beside it is found by who only looks, too.
    weaken(&account);
    for command in ["plan", "check"] {
        let seen = account.run(&[&[command], &log[..]].concat());
        assert!(seen.stdout.contains("held back: by budget"), "{command}: {}", seen.stdout);
        assert!(!account.run(&[command]).stdout.contains("held back"), "{command}");
    }
    assert_eq!(runs(&account, &log).last().unwrap()["command"], "run");
    account.run(&[&["status"], &log[..]].concat()).says("1 account seen");
    account.run(&["history"]).code(1);
}
