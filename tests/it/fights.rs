//! Who changes back what evenkeel writes is named, and not fought; and what is no fight is not called one.

use serde_json::json;

use crate::guards::{account, held, none, once, somebody};
use crate::support::{self, Account};

#[test]
fn who_changes_the_same_back_again_and_again_is_named_and_not_fought() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        assert_eq!(once(&account, 0)["applied"], 1);
    }
    somebody(&account);
    account.forget_calls();
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    for words in ["minimum_password_length", "evenkeel wrote it at", "it was changed back before"] {
        assert!(reason.contains(words), "{reason}");
    }
    // It stays so, for hands as well.
    held(&once(&account, 3), "fight");
    account.run(&["apply", "--yes"]).code(3).complains("somebody changes");
    none(&account);
    let object = format!("{}/global/iam.password_policy", account.id);
    account.run(&["release"]).code(0).says(&object);
    account.run(&["release", "nothing"]).code(1).complains("names no object");
    account.run(&["release", &object]).code(0).says("released");
    account.run(&["release", &object]).code(1).complains("nothing holds");
    assert_eq!(once(&account, 0)["applied"], 1);
    // It was written of late, and nothing holds it back; what was written is counted as before.
    account.run(&["release"]).code(0).says("Nothing is held back");
    account.run(&["release", &object]).code(1).complains("nothing holds");
    somebody(&account);
    assert_eq!(once(&account, 0)["applied"], 1);
    somebody(&account);
    held(&once(&account, 3), "fight");
}

/// A run that is killed in a write; whether AWS has done the write by then.
fn killed(account: &Account, is_done: bool) {
    let calls = ["run", "--once"];
    account.forget_calls();
    let mut child = account.hanging_with("iam", "UpdateAccountPasswordPolicy", is_done, &calls);
    support::kill(&mut child);
    account.no_faults();
}

#[test]
fn runs_that_were_killed_before_aws_got_a_write_are_no_fight() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..3 {
        killed(&account, false);
    }
    assert_eq!(once(&account, 0)["applied"], 1);
}

#[test]
fn a_fight_is_found_though_runs_are_killed_in_it() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        killed(&account, false);
        assert_eq!(once(&account, 0)["applied"], 1);
    }
    somebody(&account);
    account.forget_calls();
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("somebody changes minimum_password_length back"), "{reason}");
    none(&account);
}

/// The write of a killed run that is seen done by the next one can be changed back like any other.
#[test]
fn what_a_killed_run_has_written_and_a_later_one_has_seen_counts_in_a_fight() {
    let account = account("[safety.fights]\ntimes = 2\n");
    for _ in 0..2 {
        somebody(&account);
        killed(&account, true);
        assert_eq!(once(&account, 0)["applied"], 0);
    }
    somebody(&account);
    held(&once(&account, 3), "fight");
}

/// AWS accepts a policy, and shows another form of it.
#[test]
fn what_aws_keeps_in_another_form_is_nobodys_fight() {
    let account = account("[safety.fights]\ntimes = 1\n");
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "replace",
        "find": "<MinimumPasswordLength>14<", "replace": "<MinimumPasswordLength>13<",
    }));
    assert_eq!(once(&account, 4)["applied"], 1);
    let line = once(&account, 3);
    held(&line, "fight");
    let reason = line["held_back"][0]["reason"].as_str().unwrap();
    assert!(reason.contains("was written once and never seen as written"), "{reason}");
    assert!(!reason.contains("somebody"), "{reason}");
}
