//! The command as a process against the emulator: what a user does from the first day on, with
//! boto3 as a second opinion.

use crate::support::{self, Account};
use serde_json::Value;

const POLICY: &str = "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n[iam.password_policy]\nminimum_password_length = 14\n";

fn account() -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account
}

fn password_length(account: &Account) -> Value {
    account.boto3(
        "iam = boto3.client('iam')\n\
         try: print(iam.get_account_password_policy()['PasswordPolicy']['MinimumPasswordLength'])\n\
         except iam.exceptions.NoSuchEntityException: print('null')",
    )
}

#[test]
fn plan_apply_check_and_a_second_opinion() {
    let account = account();
    account.run(&["plan", "-b", "b.toml"]).code(0).says("minimum_password_length");
    assert_eq!(password_length(&account), Value::Null, "plan wrote something");
    account.run(&["plan", "-b", "b.toml", "--detailed-exitcode"]).code(2);
    account.run(&["check", "-b", "b.toml"]).code(2).says("evenkeel check: drift");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0).says("verified");
    assert_eq!(password_length(&account), Value::from(14));
    account.run(&["check", "-b", "b.toml"]).code(0).says("evenkeel check: in sync");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0).says("nothing to apply");
    let log = account.read(".evenkeel/audit.jsonl");
    let phases: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["phase"].clone())
        .collect();
    assert_eq!(phases, ["intent", "applied", "observed"]);
}

#[test]
fn without_a_terminal_and_without_yes_nothing_is_applied() {
    let account = account();
    account.run(&["apply", "-b", "b.toml"]).code(3).complains("--yes");
    assert_eq!(password_length(&account), Value::Null);
}

#[test]
fn a_saved_plan_is_applied_exactly_or_not_at_all() {
    let account = account();
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0).says("apply plan.json");
    let saved = account.read("plan.json");
    // Somebody edits it.
    account.write("edited.json", &saved.replace("14", "64"));
    account.run(&["apply", "edited.json", "--yes"]).code(3);
    // The account moves.
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=9)");
    account
        .run(&["apply", "plan.json", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("iam.password_policy");
    assert_eq!(password_length(&account), Value::from(9));
    // The baseline changes.
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    account.write("b.toml", &POLICY.replace("14", "20"));
    account.run(&["apply", "plan.json", "-b", "b.toml", "--yes"]).code(3).complains("baseline");
    // Back as it was, it is what it was.
    account.write("b.toml", POLICY);
    account.run(&["apply", "plan.json", "-b", "b.toml", "--yes"]).code(0);
    assert_eq!(password_length(&account), Value::from(14));
    // And it cannot be applied again.
    account.run(&["apply", "plan.json", "-b", "b.toml", "--yes"]).code(3);
}

#[test]
fn guards_refuse_before_anything_is_written() {
    let account = account();
    account.run(&["plan", "-b", "b.toml", "-a", "999999999999"]).code(3).complains("999999999999");
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-changes", "0"]).code(3);
    account.write("b.toml", &format!("{POLICY}max_password_age = 90\n"));
    account.run(&["apply", "-b", "b.toml", "--yes", "--max-risk", "safe"]);
    assert_eq!(password_length(&account), Value::Null);
}

#[test]
fn items_in_mode_report_are_never_written() {
    let account = account();
    account.write("b.toml", &POLICY.replace("enforce", "report"));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(2);
    assert_eq!(password_length(&account), Value::Null);
    account.run(&["check", "-b", "b.toml"]).code(2);
}

#[test]
fn json_and_markdown_are_whole_documents() {
    let account = account();
    let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).code(0).json();
    assert_eq!(plan["format_version"], "1");
    assert_eq!(plan["objects"][0]["item"], "iam.password_policy");
    account.run(&["plan", "-b", "b.toml", "--format", "markdown"]).code(0).says("| ");
    account.run(&["plan", "-b", "b.toml", "--out", "plan.txt"]).code(0);
    assert!(account.read("plan.txt").contains("iam.password_policy"));
}

#[test]
fn a_new_repository_validates_and_is_never_overwritten() {
    let account = support::emulator().account();
    account.run(&["init", "."]).code(0);
    account.run(&["validate"]).code(0).says("ok");
    account.write("evenkeel.toml", "mine");
    account.run(&["init", "."]);
    assert_eq!(account.read("evenkeel.toml"), "mine");
}

#[test]
fn the_offline_commands_answer() {
    let account = account();
    account.run(&["validate", "b.toml", "--expanded"]).code(0).says("b.toml:9");
    account.run(&["explain"]).code(0).says("s3.bucket");
    account.run(&["explain", "iam.role"]).code(0).says("Permissions to enforce");
    account.run(&["explain", "iam.role.require_mfa"]).code(0).says("MFA");
    account.run(&["explain", "iam.rolle"]).code(1).complains("iam.role");
    account.run(&["completions", "bash"]).code(0).says("evenkeel");
    account.run(&["man"]).code(0).says(".TH");
    let schema = account.run(&["schema"]).code(0).json();
    assert!(schema.to_string().contains("minimum_password_length"));
    let policy = account.run(&["policy", "-b", "b.toml", "--mode", "enforce"]).code(0).json();
    assert!(policy.to_string().contains("iam:UpdateAccountPasswordPolicy"));
    let policy = account.run(&["policy", "-b", "b.toml", "--mode", "report"]).code(0).json();
    assert!(!policy.to_string().contains("iam:UpdateAccountPasswordPolicy"));
}

#[test]
fn the_baselines_validate() {
    let account = support::emulator().account();
    for file in std::fs::read_dir(support::root().join("baselines")).unwrap() {
        account.run(&["validate", file.unwrap().path().to_str().unwrap()]).code(0).says("ok");
    }
}

#[test]
fn run_once_reconciles_and_logs_one_line() {
    let account = account();
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\nschedule = \"0 */15 * * * *\"\n",
    );
    let run = account.run(&["run", "--once"]).code(0);
    let line = run.stdout.lines().chain(run.stderr.lines()).find(|line| line.starts_with('{'));
    let line: Value = serde_json::from_str(line.expect("a line of JSON")).unwrap();
    assert!(line.to_string().contains("here"), "{line}");
    assert_eq!(password_length(&account), Value::from(14));
}

/// What apply cannot do is said, whether it had anything else to do or not.
#[test]
fn findings_that_stay_open_are_counted_by_apply() {
    let account = support::emulator().account();
    let baseline = |mode: &str, items: &str| {
        account.write(
            "b.toml",
            &format!(
                "schema = 1\n[baseline]\nname = \"t\"\nmode = \"{mode}\"\nregions = [\"eu-west-1\"]\n{items}"
            ),
        );
    };
    let policy = "[iam.password_policy]\nminimum_password_length = 14\n";
    baseline("report", policy);
    // One state, one code, whichever command meets it.
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(2)
        .says("There is nothing to apply; 1 finding stays open: see evenkeel check.");
    account.run(&["check", "-b", "b.toml"]).code(2);
    account.run(&["run", "--once", "-b", "b.toml"]).code(2);
    account.run(&["plan", "-b", "b.toml", "--detailed-exitcode", "--save", "none.json"]).code(2);
    account
        .run(&["apply", "none.json", "-b", "b.toml", "--yes"])
        .code(2)
        .says("There is nothing to apply; 1 finding stays open: see evenkeel check.");
    baseline("enforce", &format!("{policy}[iam.root_user]\nallow_access_keys = false\n"));
    account.boto3("print(1)");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0).says("There is nothing to apply.");
    // What a saved plan only reports is not looked at again, and not forgotten.
    let longer = "[iam.password_policy]\nminimum_password_length = 15\nmode = \"report\"\n";
    baseline("enforce", &format!("{longer}[ec2.ebs_encryption]\nenabled = true\n"));
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    account
        .run(&["apply", "plan.json", "-b", "b.toml", "--yes"])
        .code(2)
        .says("1 change applied")
        .says("1 finding stays open: see evenkeel check.");
    account.run(&["check", "-b", "b.toml"]).code(2);
    account.run(&["run", "--once", "-b", "b.toml"]).code(2);
}

/// Targets that list one account say one thing of it, which needs no AWS to see.
#[test]
fn targets_that_contradict_each_other_do_not_validate() {
    let account = support::emulator().account();
    for (name, length) in [("one.toml", 14), ("two.toml", 8)] {
        account.write(
            name,
            &format!("schema = 1\n[baseline]\nname = \"b\"\n[iam.password_policy]\nminimum_password_length = {length}\n"),
        );
    }
    let fleet = |second: &str| {
        let target = |name: &str, file: &str, account: &str| {
            format!(
                "[[target]]\nname = \"{name}\"\nbaselines = [\"{file}\"]\nselect = {{ accounts = [\"{account}\"] }}\n"
            )
        };
        let both = [target("one", "one.toml", "111122223333"), target("two", "two.toml", second)];
        account.write("evenkeel.toml", &format!("schema = 1\n{}", both.concat()));
    };
    fleet("111122223333");
    account
        .run(&["validate"])
        .code(1)
        .complains("iam.password_policy is declared twice with different values")
        .complains("one.toml:4")
        .complains("two.toml:4")
        .complains("111122223333");
    fleet("444455556666");
    account.run(&["validate"]).code(0);
}

#[test]
fn folders_without_baselines_below_one_with_some_are_passed_over() {
    let account = support::emulator().account();
    account.write("lines/b.toml", "schema = 1\n[baseline]\nname = \"b\"\n[iam.password_policy]\nminimum_password_length = 14\n");
    for other in
        ["lines/docs/read.md", "lines/.git/config", "lines/.evenkeel/audit.jsonl", "empty/x"]
    {
        account.write(other, "");
    }
    // A hidden folder holds no baselines of anybody.
    account.write("lines/.git/odd.toml", "no TOML");
    account.run(&["validate", "lines"]).code(0).says("lines/b.toml");
    account.run(&["validate", "empty"]).code(1).complains("empty holds no TOML file");
}
