//! What must not happen in a fleet: a write that nobody reviewed, a green run over nothing, a Region
//! or an account that is forgotten.

use crate::support::organization::{Organization, POLICY};
use serde_json::{Value, json};

const EBS: &str = "schema = 1\n[baseline]\nname = \"ebs\"\nmode = \"enforce\"\n[ec2.ebs_encryption]\nenabled = true\n";

fn alpha(mode: &str) -> String {
    format!(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = {{ accounts = [\"<alpha>\"] }}\nmode = \"{mode}\"\n"
    )
}

#[test]
fn a_saved_plan_is_not_written_where_only_reporting_is_left() {
    let org = Organization::new();
    org.fleet(&alpha("enforce"));
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    org.fleet(&alpha("report"));
    org.management.run(&["apply", "plan.json", "--yes"]).code(3).complains("mode is \"report\"");
    assert_eq!(org.password_length("alpha"), Value::Null);
    // Nor through -b, where every target only reports.
    let id = org.id("alpha").to_owned();
    org.management
        .run(&["apply", "-b", "b.toml", "-a", &id, "--yes"])
        .code(2)
        .says("nothing to apply");
    assert_eq!(org.password_length("alpha"), Value::Null);
}

#[test]
fn accounts_that_have_left_or_cannot_be_entered_are_named_as_such() {
    let org = Organization::new();
    org.work();
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    org.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nexcept = { accounts = [\"<gamma>\"] }\n",
    );
    org.management.run(&["apply", "plan.json", "--yes"]).code(4).says(&format!(
        "account {} (gamma) with its 1 change: no target selects it any more",
        org.id("gamma")
    ));
    assert_eq!(org.password_length("gamma"), Value::Null);
    assert_eq!(org.password_length("beta"), 14);
    // Nobody can be entered: that is no stale plan.
    let other = Organization::new();
    other.work();
    other.management.run(&["plan", "--save", "plan.json"]).code(0);
    for name in ["alpha", "beta", "gamma"] {
        other.no_way_into(name, json!({"kind": "error"}));
    }
    other
        .management
        .run(&["apply", "plan.json", "--yes"])
        .code(1)
        .complains("3 accounts of the plan cannot be looked at")
        .complains("sts:TagSession");
}

#[test]
fn at_the_question_ctrl_c_ends_and_yes_goes_on_without_the_account_that_moved() {
    let org = Organization::new();
    org.work();
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    let run =
        org.management.at_terminal(&["apply", "plan.json"], &[("Only \"yes\"", "\u{3}")]).code(130);
    run.says("Apply 3 changes to 3 accounts?");
    org.inside("beta", "client('iam').update_account_password_policy(MinimumPasswordLength=9)");
    org.management
        .at_terminal(&["apply", "plan.json"], &[("Only \"yes\"", "yes\n")])
        .code(4)
        .says("Apply 2 changes to 2 accounts?")
        .says("2 changes applied, 1 left alone in 1 account");
    assert_eq!(org.password_length("alpha"), 14);
    assert_eq!(org.password_length("beta"), 9);
}

#[test]
fn selectors_that_leave_nothing_are_errors() {
    let org = Organization::new();
    org.work();
    org.management.run(&["apply", "--yes"]).code(0);
    for selectors in [&["-k", "kms"][..], &["-a", "999999999999"]] {
        for command in ["check", "plan", "snapshot", "apply"] {
            let mut args = vec![command];
            args.extend(selectors);
            if command == "apply" {
                args.push("--yes");
            }
            org.management.run(&args).code(1).complains("select");
        }
    }
    // One that is there does not hide one that is not.
    let id = org.id("alpha").to_owned();
    org.management
        .run(&["check", "-a", &id, "-a", "999999999999"])
        .code(1)
        .complains("no target selects the account 999999999999");
    org.management.write("b.toml", &EBS.replace("[ec2", "regions = [\"eu-west-1\"]\n[ec2"));
    org.management.run(&["check", "-r", "us-east-1"]).code(1).complains("-r and -k");
    // What exists once in an account must not make a Region look green.
    let file = org.management.read("b.toml");
    org.management
        .write("b.toml", &format!("{file}[iam.password_policy]\nminimum_password_length = 14\n"));
    let only_elsewhere = org.management.run(&["check", "-r", "us-east-1"]).code(1);
    only_elsewhere.complains("nothing in the baselines is declared for us-east-1");
    for (wrong, near) in
        [("mars", "describe-regions"), ("eu-west-11", "eu-west-1"), ("EU-WEST-1", "eu-west-1")]
    {
        org.management.run(&["check", "-r", wrong]).code(1).complains(wrong).complains(near);
    }
    // AWS may have more Regions than this version knows.
    org.management.fault(json!({
        "service": "ec2", "operation": "DescribeRegions", "kind": "replace",
        "find": "eu-west-3", "replace": "eu-west-9",
    }));
    let tomorrow = org.management.run(&["check", "-r", "eu-west-9"]).code(1);
    assert!(!tomorrow.stderr.contains("AWS has no Region"), "{}", tomorrow.stderr);
    org.management.no_faults();
    org.management.run(&["check", "-r", "eu-west-9"]).complains("AWS has no Region");
    org.management.write("b.toml", &file);
    // A job of a matrix may have nothing to do, and says so.
    org.management.run(&["check", "--shard", "1/500"]).code(0).complains("holds no account");
}

#[test]
fn an_item_that_cannot_be_resolved_is_unknown_where_it_is_declared() {
    let org = Organization::new();
    org.management.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"r\"\nmode = \"enforce\"\nregions = [\"us-east-1\"]\n[ec2.ebs_encryption]\nenabled = true\nkms_key_id = \"alias/${account.name}\"\n",
    );
    // Listed by hand, so that the account's name is not known.
    org.fleet(&alpha("enforce"));
    for args in
        [&["plan", "--format", "json"][..], &["plan", "--format", "json", "-r", "us-east-1"]]
    {
        let plan = org.management.run(args).code(1).json();
        assert_eq!(plan["summary"]["unknown"], 1);
        assert_eq!(plan["objects"][0]["region"], "us-east-1");
    }
}

#[test]
fn the_first_read_of_an_account_has_a_deadline_too() {
    let org = Organization::new();
    org.management.write("b.toml", EBS);
    org.work();
    let text = org.management.read("evenkeel.toml") + "[limits]\naccount_timeout_seconds = 5\n";
    org.management.write("evenkeel.toml", &text);
    org.management.fault_in(
        org.id("beta"),
        json!({"service": "ec2", "operation": "DescribeRegions", "kind": "hang"}),
    );
    org.management.run(&["check"]).code(4).says("within 5 seconds").says("account_timeout_seconds");
}

#[test]
fn a_home_region_that_is_denied_takes_no_other_with_it() {
    let org = Organization::new();
    org.management.write("b.toml", EBS);
    org.fleet(&alpha("enforce"));
    let denied = json!({"service": "ec2", "region": "eu-west-1", "kind": "error",
        "message": "You are not authorized with an explicit deny in a service control policy"});
    org.management.fault_in(org.id("alpha"), denied);
    let plan = org.management.run(&["plan", "--format", "json"]).code(4).json();
    assert_eq!(plan["summary"]["unknown"], 1);
    assert_eq!(plan["summary"]["to_change"], 16);
    // Nobody says which Regions there are: then that is said, and not that one Region is unknown.
    org.management.fault_in(
        org.id("alpha"),
        json!({"service": "ec2", "operation": "DescribeRegions", "kind": "error"}),
    );
    org.management.run(&["plan"]).code(1).says("it was looked at in no Region");
}

#[test]
fn two_targets_that_disagree_everywhere_are_one_error() {
    let org = Organization::new();
    org.management.write("other.toml", &POLICY.replace("14", "20"));
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<root>\"] }\n\
         [[target]]\nname = \"b\"\nbaselines = [\"other.toml\"]\nselect = { ous = [\"<root>\"] }\n",
    );
    let run =
        org.management.run(&["plan"]).code(1).complains("for 5 accounts").complains("and 2 more");
    assert_eq!(
        run.stderr.matches("iam.password_policy is declared twice").count(),
        1,
        "{}",
        run.stderr
    );
}

/// A git repository with the fleet's files as they are, committed.
fn commit(org: &Organization) {
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "c"],
    ] {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(org.management.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_comparison_with_what_was_not_there_yet_introduces_everything() {
    let org = Organization::new();
    org.management.write("README", "empty");
    let files = ["b.toml", "evenkeel.toml"];
    org.work();
    let kept: Vec<String> = files.iter().map(|file| org.management.read(file)).collect();
    for file in files {
        std::fs::remove_file(org.management.folder.path().join(file)).unwrap();
    }
    commit(&org);
    for (file, text) in files.iter().zip(&kept) {
        org.management.write(file, text);
    }
    let introduced = |args: &[&str]| {
        let mut all = vec!["plan", "--compare-to", "HEAD", "--format", "json"];
        all.extend(args);
        let plan = org.management.run(&all).code(0).json();
        plan["comparison"]["introduced"].as_array().unwrap().len()
    };
    assert_eq!(introduced(&[]), 3);
    assert_eq!(introduced(&["-t", "work"]), 3);
    assert_eq!(introduced(&["-b", "b.toml"]), 1);
    commit(&org);
    assert_eq!(introduced(&[]), 0);
    // An absolute path has another version too.
    org.management.write("b.toml", &POLICY.replace("14", "16"));
    let path = org.management.folder.path().join("b.toml");
    assert_eq!(introduced(&["-b", path.to_str().unwrap()]), 1);
    // A base that cannot be used is named, and not the files at hand.
    org.management.write("b.toml", &POLICY.replace("14", "4"));
    commit(&org);
    org.management.write("b.toml", POLICY);
    org.management
        .run(&["plan", "--compare-to", "HEAD"])
        .code(1)
        .complains("the files of HEAD, which --compare-to names");
}

#[test]
fn an_account_that_the_change_removes_does_not_count_against_it() {
    let org = Organization::new();
    org.work();
    commit(&org);
    org.fleet(&alpha("enforce"));
    org.no_way_into("beta", json!({"kind": "error"}));
    let run = org.management.run(&["plan", "--compare-to", "HEAD", "--format", "json"]).code(0);
    assert!(run.stderr.contains("could not be looked at"), "{}", run.stderr);
    let plan = run.json();
    assert_eq!(plan["targets"].as_array().unwrap().len(), 1);
    // What it planned in gamma is removed with it.
    assert_eq!(plan["comparison"]["removed"][0]["account"], org.id("gamma"));
}
