//! A write whose answer was lost, together with the look after it: whether it was done, a later run sees, and says
//! it in the audit log and in the history.

use serde_json::{Value, json};

use crate::support::{self, Account};

const UPDATE: &str = "UpdateAccountPasswordPolicy";

fn account() -> Account {
    let account = support::emulator().account();
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.write(
        "b.toml",
        "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n[iam.password_policy]\nminimum_password_length = 14\n",
    );
    account
}

/// A run whose write gets no answer, and whose looks afterwards fail; whether AWS has done the write.
fn unanswered(account: &Account, is_done: bool) {
    account.fault(
        json!({ "service": "iam", "operation": UPDATE, "kind": "drop", "executed": is_done }),
    );
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "error",
        "code": "AccessDenied", "status": 403, "after": 2,
    }));
    account.run(&["run", "--once"]).code(4);
    account.no_faults();
    let last = records(account).pop().unwrap();
    assert_eq!((&last["phase"], &last["after"]), (&json!("observed"), &Value::Null), "{last}");
}

fn records(account: &Account) -> Vec<Value> {
    let log = account.read(".evenkeel/audit.jsonl");
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn phases(account: &Account) -> Vec<String> {
    let phase = |record: &Value| record["phase"].as_str().unwrap().to_owned();
    records(account).iter().map(phase).collect()
}

#[test]
fn what_was_done_without_an_answer_is_found_by_the_next_look() {
    let account = account();
    unanswered(&account, true);
    account.forget_calls();
    account
        .run(&["run", "--once"])
        .code(0)
        .complains("got no answer when it wrote iam.password_policy")
        .complains("(as declared)");
    assert_eq!(account.writes(), [""; 0], "it is not written again");
    assert_eq!(phases(&account), ["intent", "failed", "observed", "found"]);
    let (first, found) = (records(&account).remove(0), records(&account).pop().unwrap());
    assert_eq!((&found["run"], &found["change"]), (&first["run"], &first["change"]));
    // Once, and the log is whole.
    account.run(&["run", "--once"]).code(0);
    assert_eq!(phases(&account).len(), 4);
    account.run(&["audit", "verify"]).code(0).says("whole");
    let history = account.run(&["history", "--format", "json"]).code(0).json();
    let what = |entry: &Value| entry["what"].as_str().unwrap().to_owned();
    let what: Vec<String> = history["entries"].as_array().unwrap().iter().map(what).collect();
    assert!(what.iter().any(|what| what == "found"), "{history}");
}

#[test]
fn what_was_not_done_is_seen_not_to_be_there_and_written_again() {
    let account = account();
    unanswered(&account, false);
    account.run(&["run", "--once"]).code(0).complains("(not as declared)");
    assert_eq!(
        phases(&account),
        ["intent", "failed", "observed", "observed", "intent", "applied", "observed"]
    );
    account.run(&["audit", "verify"]).code(0).says("whole");
}
