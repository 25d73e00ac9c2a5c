//! A look at a target takes as long as its slowest account, and others look at its accounts meanwhile: what it saw
//! first is not told as if it were so at its end.

use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;

use crate::controller::{Running, tell, watched};
use crate::support;

#[test]
fn what_another_run_has_seen_meanwhile_is_not_overruled_by_a_long_look() {
    let (account, slow) = (watched("report"), support::emulator().account());
    account
        .boto3("boto3.client('events').remove_targets(Rule='calls', Ids=['queue'])\nprint('null')");
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"t\"\nmode = \"report\"\nregions = [\"eu-west-1\"]\n\n[ec2.ebs_encryption]\nenabled = true\n",
    );
    let fleet = account.read("evenkeel.toml").replace(
        "confirmed = true\n",
        &format!(
            "confirmed = true\nselect = {{ accounts = [\"{}\", \"{}\"] }}\n",
            account.id, slow.id
        ),
    );
    let access = "\n[access]\nrole_arn = \"arn:${partition}:iam::${account.id}:role/evenkeel\"\n";
    account.write("evenkeel.toml", &format!("{fleet}{access}"));
    for one in [&account, &slow] {
        one.boto3("boto3.client('ec2').enable_ebs_encryption_by_default()\nprint('null')");
    }
    account.forget_calls();
    slow.fault(json!({
        "service": "ec2", "operation": "GetEbsEncryptionByDefault", "kind": "delay", "delay": 20, "count": 1,
    }));
    let mut controller = Running::start(&account);
    let has_looked = || {
        let calls = account.calls_of(&account.id);
        calls.iter().any(|call| call["operation"] == "GetEbsEncryptionByDefault")
    };
    for _ in 0..600 {
        if has_looked() {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    account.boto3("boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')");
    tell(&account, &[("eve", "ec2:DisableEbsEncryptionByDefault", Utc::now(), json!({}))]);
    let part =
        controller.next("run", |line| line["parts"].to_string().contains("ec2.ebs_encryption"));
    assert_eq!(part["outcome"], "drift", "{part}");
    let whole = controller.next("run", |line| line["target"] == "here");
    assert_eq!(whole["outcome"], "drift", "{whole}");
    let over = account.run(&["history", "--outcome", "resolved"]).code(0);
    assert!(!over.stdout.contains("resolved"), "{}", over.stdout);
    let drift = account.run(&["history", "--outcome", "drift"]).code(0).says("user/eve");
    assert_eq!(drift.stdout.matches("drift").count(), 1, "{}", drift.stdout);
    controller.end();
}

#[test]
fn a_slow_account_does_not_hold_up_the_look_at_the_trail_of_another() {
    let (account, slow) = (watched("report"), support::emulator().account());
    account
        .boto3("boto3.client('events').remove_targets(Rule='calls', Ids=['queue'])\nprint('null')");
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"t\"\nmode = \"report\"\nregions = [\"eu-west-1\"]\n\n[cloudtrail.trail.another]\nname = \"another\"\nis_logging = true\n",
    );
    let fleet = account.read("evenkeel.toml").replace(
        "confirmed = true\n",
        &format!(
            "confirmed = true\nselect = {{ accounts = [\"{}\", \"{}\"] }}\n",
            account.id, slow.id
        ),
    );
    let access = "\n[access]\nrole_arn = \"arn:${partition}:iam::${account.id}:role/evenkeel\"\n";
    account.write("evenkeel.toml", &format!("{fleet}path_every = \"6s\"\n{access}"));
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["target"] == "here" && line["parts"].is_null());
    // Longer than this test: whoever waits for it finds nothing.
    slow.fault(json!({
        "service": "cloudtrail", "operation": "DescribeTrails", "kind": "delay", "delay": 90, "count": 20,
    }));
    let begun = Instant::now();
    account.boto3("boto3.client('cloudtrail').stop_logging(Name='another')\nprint('null')");
    for _ in 0..600 {
        let history = account.run(&["history", "-a", &account.id, "--outcome", "drift"]);
        if history.stdout.contains("is_logging") {
            assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
            controller.end();
            return;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("nobody has found that the trail is stopped");
}
