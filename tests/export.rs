//! `evenkeel export`: what is there becomes a baseline whose plan is empty.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

use evenkeel::kinds::registry;
use serde_json::json;
use support::Account;

const REGIONS: [&str; 4] = ["-r", "eu-west-1", "-r", "us-east-1"];

fn export(account: &Account) -> String {
    let args: Vec<&str> = ["export", "--out", "account.toml"].into_iter().chain(REGIONS).collect();
    account.run(&args).code(0);
    account.read("account.toml")
}

#[test]
fn a_messy_account_as_it_is_gives_an_empty_plan() {
    let account = support::emulator().account();
    account.mess();
    let text = export(&account);
    account.run(&["check", "-b", "account.toml"]).code(0).says("in sync");
    // The account's own id is a placeholder, a trail that does not log is there, and what could not
    // be declared is named.
    assert!(
        text.contains("downloads-${account.id}")
            && !text.contains(&format!("downloads-{}", account.id))
    );
    assert!(text.contains("is_logging") && text.contains("# Left out:"), "{text}");
    assert!(text.contains("cannot rotate"), "{text}");
    // It only reports, and somebody else's change is seen.
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=6)");
    account.run(&["check", "-b", "account.toml"]).code(2).says("minimum_password_length");
}

#[test]
fn every_kind_goes_round() {
    for kind in registry::all() {
        let account = support::emulator().account();
        account.mess();
        let name = kind.name();
        let sample = kind.samples()[0];
        account.write(
            "sample.toml",
            &format!("schema = 1\n[baseline]\nname = \"s\"\nmode = \"enforce\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n{sample}"),
        );
        let applied = account.run(&[
            "apply",
            "-b",
            "sample.toml",
            "--yes",
            "--max-risk",
            "destructive",
            "--max-changes",
            "100",
        ]);
        assert!([0, 4].contains(&applied.code), "{name}: {}\n{}", applied.stdout, applied.stderr);
        let args: Vec<&str> =
            ["export", "--out", "account.toml", "-k", name].into_iter().chain(REGIONS).collect();
        account.run(&args).code(0);
        let text = account.read("account.toml");
        let (_, after) =
            text.split_once(&format!("\n[{name}")).unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(after.contains(" = "), "{name}: {text}");
        account.run(&["check", "-b", "account.toml"]).code(0);
    }
}

#[test]
fn references_take_the_place_of_repeated_names_and_errors_are_named() {
    let account = support::emulator().account();
    std::fs::copy(
        support::root().join("baselines/foundation.toml"),
        account.folder.path().join("foundation.toml"),
    )
    .unwrap();
    let args: Vec<&str> = ["apply", "-b", "foundation.toml", "--yes", "--max-changes", "100"]
        .into_iter()
        .chain(REGIONS)
        .collect();
    account.run(&args).code(0);
    account.fault(json!({"service": "iam", "operation": "ListRoles", "kind": "error"}));
    let text = export(&account);
    assert!(text.contains("= \"${s3.bucket.evenkeel-audit.bucket}\""), "{text}");
    assert!(text.contains("# - iam.role in eu-west-1: iam:ListRoles"), "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
}
