//! A choice of targets, kinds or places changes no verdict and adds no write: what was not asked for is
//! heard all the same.

use serde_json::{Value, json};

use crate::support::organization::Organization;
use crate::support::{self, Account};

const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n";
const POLICY: &str = "[iam.password_policy]\nminimum_password_length = 14\n";
const KEY: &str = "[kms.key.audit]\nkey_users = [\"arn:aws:iam::${account.id}:root\"]\nenable_key_rotation = false\n";
const SWEEP: &str = "[kms.key_rotation]\nenabled = true\n";

const OTHER: &str = "[ec2.ebs_encryption]\nenabled = false\n";

/// An account with a fleet file of two targets for it, each with what it declares.
fn fleet(a: &str, b: &str) -> Account {
    let account = support::emulator().account();
    account.write("a.toml", &format!("{HEADER}{a}"));
    account.write("b.toml", &format!("{HEADER}{b}"));
    let targets: String = ["a", "b"]
        .map(|name| {
            format!(
                "[[target]]\nname = \"{name}\"\nbaselines = [\"{name}.toml\"]\nselect = {{ accounts = [\"{}\"] }}\n",
                account.id
            )
        })
        .concat();
    account.write("evenkeel.toml", &format!("schema = 1\n{targets}"));
    account
}

fn exception(of: &str) -> String {
    format!(
        "{of}\n[[exception]]\nitem = \"iam.password_policy\"\nuntil = 2099-12-31\nowner = \"ops@example.com\"\nreason = \"OPS-1\"\n"
    )
}

/// The verdict on each object.
fn verdicts(account: &Account, args: &[&str]) -> Vec<(String, String)> {
    let plan = account.run(&[&["plan", "--format", "json"], args].concat()).json();
    let objects = plan["objects"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    objects.map(|object| (text(&object["item"]), text(&object["verdict"]["is"]))).collect()
}

#[test]
fn an_exception_of_another_target_holds_where_one_target_is_chosen() {
    let account = fleet(POLICY, &exception(POLICY));
    let excepted = [("iam.password_policy".to_owned(), "excepted".to_owned())];
    assert_eq!(verdicts(&account, &[]), excepted);
    for target in ["a", "b"] {
        assert_eq!(verdicts(&account, &["-t", target]), excepted, "{target}");
    }
    account.run(&["apply", "-t", "a", "--yes"]).code(0).says("nothing to apply");
    account.run(&["run", "--once"]);
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn targets_that_disagree_do_so_where_one_is_chosen() {
    let account = fleet(POLICY, &POLICY.replace("14", "20"));
    for args in [&["plan"][..], &["plan", "-t", "a"], &["plan", "-t", "b"]] {
        account.run(args).code(1).complains("declared twice with different values");
    }
    let account = fleet("[kms.key.audit]\n", "[kms.key.other]\nalias = \"alias/audit\"\n");
    account.run(&["plan", "-t", "a"]).code(1).complains("both govern \"alias/audit\"");
}

#[test]
fn what_only_another_target_may_write_is_not_written_for_the_chosen_one() {
    let account = fleet(POLICY, POLICY);
    let text = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &text.replacen("\nselect", "\nmode = \"report\"\nselect", 1));
    account.run(&["apply", "-t", "a", "--yes"]).code(2).says("nothing to apply");
    assert_eq!(account.writes(), Vec::<String>::new());
    account.run(&["apply", "-t", "b", "--yes"]).code(0);
    assert_eq!(account.writes(), ["iam:UpdateAccountPasswordPolicy"]);
}

#[test]
fn a_contradiction_is_one_whatever_is_chosen() {
    let account = fleet(&KEY.replace("false", "true"), OTHER);
    account.run(&["apply", "-t", "a", "--yes"]).code(0);
    account.write("a.toml", &format!("{HEADER}{KEY}"));
    account.write("b.toml", &format!("{HEADER}{SWEEP}"));
    let unknown = |item: &str| (item.to_owned(), "unknown".to_owned());
    let (key, sweep) = (unknown("kms.key.audit"), unknown("kms.key_rotation"));
    let key_alone = std::slice::from_ref(&key);
    let sweep_alone = std::slice::from_ref(&sweep);
    assert_eq!(verdicts(&account, &["-t", "a"]), key_alone);
    assert_eq!(verdicts(&account, &["-k", "kms.key"]), key_alone);
    assert_eq!(verdicts(&account, &["-t", "b"]), sweep_alone);
    assert_eq!(verdicts(&account, &["-k", "kms.key_rotation"]), sweep_alone);
    assert_eq!(verdicts(&account, &[]), [key.clone(), sweep.clone()]);
    account.forget_calls();
    account.run(&["apply", "-t", "a", "--yes"]);
    account.run(&["run", "--once"]);
    assert_eq!(account.writes(), Vec::<String>::new());
}

/// A saved plan is applied at the places that it changes; what came to contradict it elsewhere is heard.
#[test]
fn a_contradiction_that_came_after_the_plan_stops_its_write() {
    let account = fleet(&KEY.replace("false", "true"), OTHER);
    account.run(&["apply", "--yes"]).code(0);
    account.write("a.toml", &format!("{HEADER}{KEY}"));
    let other = KEY.replace("audit", "other").replace("false", "true");
    account.write("b.toml", &format!("{HEADER}{other}"));
    account.run(&["apply", "-t", "b", "--yes"]).code(0);
    account.run(&["plan", "--save", "plan.json"]).code(0).says("1 to change");
    account.boto3(
        "kms = boto3.client('kms')\n\
         key = kms.describe_key(KeyId='alias/audit')['KeyMetadata']['KeyId']\n\
         kms.update_alias(AliasName='alias/other', TargetKeyId=key)\n\
         print('null')",
    );
    account.forget_calls();
    account.run(&["apply", "plan.json", "--yes"]);
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn what_is_made_and_claimed_twice_is_not_called_verified() {
    let account = fleet(KEY, SWEEP);
    let run = account.run(&["apply", "--yes"]).code(4).says("contradict each other");
    assert!(!run.stdout.contains("verified"), "{}", run.stdout);
    account.run(&["check"]).code(1).says("contradict each other").says("Contradicted: ");
    let other = fleet(&KEY.replace("false", "true"), SWEEP);
    other.run(&["apply", "--yes"]).code(0).says("verified");
    other.run(&["check"]).code(0);
}

#[test]
fn where_nobody_knows_what_others_except_nothing_is_written() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n\
         [[target]]\nname = \"b\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\n",
    );
    org.management.fault(
        json!({"service": "organizations", "operation": "DescribeOrganization", "kind": "error"}),
    );
    org.management
        .run(&["apply", "-t", "a", "--yes"])
        .code(3)
        .complains("nobody knows whether the target \"b\"");
    assert_eq!(org.password_length("alpha"), Value::Null);
    org.management.no_faults();
    org.management.run(&["apply", "-t", "a", "--yes"]).code(0);
    assert_eq!(org.password_length("alpha"), 14);
}
