//! The guards that remember more than one run: what they hold back is not written, and is shown
//! everywhere with the guard's name and what releases it.

use std::process::Stdio;
use std::time::Duration;

use crate::support::organization::Organization;
use crate::support::{self, Account, Run};
use serde_json::{Value, json};

const POLICY: &str = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n[iam.password_policy]\nminimum_password_length = 14\n";

const TARGET: &str = "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n";

const UPDATE: &str = "iam:UpdateAccountPasswordPolicy";

/// An account whose password policy differs, with a target that is confirmed.
pub fn account(more: &str) -> Account {
    fleet(&format!("{TARGET}confirmed = true\n{more}"))
}

fn fleet(text: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account.write("evenkeel.toml", text);
    account
}

/// The line of the only run of `run --once`.
pub fn once(account: &Account, code: i32) -> Value {
    line(&account.run(&["run", "--once"]).code(code))
}

fn line(run: &Run) -> Value {
    let lines = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let runs: Vec<Value> = lines.filter(|line| line["event"] == "run").collect();
    assert_eq!(runs.len(), 1, "{}", run.stdout);
    runs[0].clone()
}

/// Insists that a run looked at everything, wrote nothing, and says which guard held it back.
pub fn held(line: &Value, guard: &str) {
    assert_eq!(line["outcome"], "held back", "{line}");
    assert_eq!(line["applied"], 0, "{line}");
    assert_eq!(line["drift"].as_array().unwrap().len(), 1, "{line}");
    let held = &line["held_back"][0];
    assert_eq!(held["guard"], guard, "{line}");
    assert!(held["object"].as_str().unwrap().starts_with("iam.password_policy"), "{line}");
    for words in ["reason", "released_by"] {
        assert!(!held[words].as_str().unwrap().is_empty(), "{line}");
    }
}

/// Somebody weakens the policy.
pub fn somebody(account: &Account) {
    account.boto3(
        "boto3.client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')",
    );
}

pub fn none(account: &Account) {
    assert_eq!(account.writes(), [""; 0]);
}

#[test]
fn outside_of_a_change_window_run_looks_and_reports_and_writes_nothing() {
    // Open for an hour on the first of January at midnight: not now.
    let account = account("[[safety.change_windows]]\ncron = \"0 0 0 1 1 *\"\nhours = 1\n");
    held(&once(&account, 3), "change-window");
    none(&account);
    account.run(&["apply", "--yes"]).code(3).complains("no change window is open");
    none(&account);
    shown(&account, "change-window", "opens at");
    // What is kept stays as it is, and a plan that was printed can be used as one that was saved.
    let printed = account.run(&["plan", "--format", "json"]).json();
    account
        .run(&["plan", "--save", "plan.json"])
        .code(0)
        .says("held back: 1 change, by change-window");
    let saved: Value = serde_json::from_str(&account.read("plan.json")).unwrap();
    assert!(saved["held_back"].is_null() && saved["order"] == printed["order"], "{saved}");
    account.write("printed.json", &printed.to_string());
    account.run(&["apply", "printed.json", "--yes"]).code(3).complains("no change window is open");
}

/// Insists that every form of a plan shows what would be held back now, by whom and what releases it, and
/// is else as it was.
fn shown(account: &Account, guard: &str, why: &str) {
    for command in ["plan", "check"] {
        for format in ["text", "json", "json-lines", "markdown", "html", "sarif", "junit"] {
            let run = account.run(&[command, "--format", format]);
            for word in [guard, why] {
                assert!(run.stdout.contains(word), "{command} --format {format}: {}", run.stdout);
            }
        }
        let plan = account.run(&[command, "--format", "json"]).json();
        assert_eq!(plan["held_back"][0]["guard"], guard, "{command}");
        assert!(plan["held_back"][0]["released_by"].is_string(), "{command}");
        assert_eq!(plan["summary"]["to_change"], 1, "{command}");
        assert_eq!(plan["order"].as_array().unwrap().len(), 1, "{command}");
    }
    none(account);
}

#[test]
fn what_a_run_holds_back_is_written_by_hand_with_the_command_that_its_line_names() {
    let by_hand = |account: &Account, guard: &str| {
        let line = once(account, 3);
        held(&line, guard);
        none(account);
        line["held_back"][0]["by_hand"].as_str().unwrap_or_default().to_owned()
    };
    let switched = account("[safety]\nkill_switch = \"STOP\"\n");
    switched.write("STOP", "");
    switched.run(&["run", "--once", "--overrule", "kill-switch"]).code(1);
    let command = by_hand(&switched, "kill-switch");
    assert_eq!(command, "evenkeel apply -t here --overrule kill-switch");
    switched.shell(&format!("{command} --yes")).code(0);
    assert_eq!(switched.writes(), [UPDATE]);
    let new = fleet(TARGET);
    let command = by_hand(&new, "first-run");
    new.shell(&format!("{command} --yes")).code(0);
    let large = account("[safety]\nmax_changes = 0\n");
    let command = by_hand(&large, "budget");
    let refused = large.shell(&format!("{command} --yes")).code(3);
    large.shell(&refused.next()).code(0);
    assert_eq!(large.writes(), [UPDATE]);
    let shut = account("[[safety.change_windows]]\ncron = \"0 0 0 1 1 *\"\nhours = 1\n");
    assert_eq!(by_hand(&shut, "change-window"), "");
}

#[test]
fn what_no_guard_holds_back_is_written_and_the_exit_code_is_that_of_the_guard() {
    let account = account("[store]\nurl = \"sqlite://.evenkeel/store.db\"\n");
    let block = "[s3.account_public_access_block]\nblock_public_acls = true\n";
    account.write("b.toml", &format!("{POLICY}{block}"));
    account.run(&["apply", "--yes"]).code(0);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &run, "--yes", "--allow-grants", "public"]).code(0);
    // Both are held by now, and one is let go.
    let object = format!("{}/global/iam.password_policy", account.id);
    account.run(&["release", &object]).code(0);
    account.forget_calls();
    let run = account.run(&["apply", "--yes"]).code(3).says("1 change applied, 1 change held back");
    assert!(run.stdout.contains("by hold: "), "{}", run.stdout);
    assert_eq!(account.writes(), [UPDATE]);
}

#[test]
fn a_run_over_its_budget_reports_all_of_it() {
    let account = account("[safety]\nmax_changes = 0\n");
    held(&once(&account, 3), "budget");
    none(&account);
    shown(&account, "budget", "the limit is 0");
    // What would let it be applied is said as before.
    account.run(&["plan"]).code(0).says("Apply would refuse").says("--max-changes 1");
}

#[test]
fn a_target_that_was_never_applied_is_only_reported_until_somebody_confirms_it() {
    let account = fleet(TARGET);
    let line = once(&account, 3);
    held(&line, "first-run");
    assert!(line["held_back"][0]["released_by"].to_string().contains("evenkeel confirm here"));
    none(&account);
    account.run(&["confirm", "there"]).code(1).complains("it has here");
    account.run(&["confirm", "here"]).code(0).says("confirmed");
    account.run(&["confirm", "here"]).code(0).says("was confirmed at");
    assert_eq!(once(&account, 0)["applied"], 1);
    assert_eq!(account.writes(), [UPDATE]);
    // Who applied all of it by hand has confirmed it; a part of it does not count.
    let applied = fleet(TARGET);
    applied.run(&["apply", "-k", "iam", "--yes"]).code(0);
    somebody(&applied);
    held(&once(&applied, 3), "first-run");
    applied.run(&["apply", "--yes"]).code(0);
    somebody(&applied);
    assert_eq!(once(&applied, 0)["applied"], 1);
}

#[test]
fn while_the_kill_switch_is_on_nothing_is_written_and_everything_says_so() {
    let account = account("[safety]\nkill_switch = \"stop\"\n");
    account.write("stop", "");
    held(&once(&account, 3), "kill-switch");
    for format in ["text", "json", "markdown", "html", "sarif", "junit"] {
        let plan = account.run(&["plan", "--format", format]).code(0);
        let text = plan.stdout.to_lowercase();
        for words in ["kill-switch", "kill switch is on", "remove"] {
            assert!(text.contains(words), "no {words:?} as {format}: {text}");
        }
        assert!(text.contains("held back") || text.contains("held_back"), "{format}: {text}");
    }
    let plan = account.run(&["plan", "--format", "json"]).json();
    assert_eq!(plan["order"], json!([]));
    assert_eq!(plan["summary"]["held_back"], 1, "{}", plan["summary"]);
    account.run(&["check"]).code(2).says("1 held back");
    let refused = account.run(&["apply", "--yes"]).code(3).complains("kill switch");
    none(&account);
    // Only by its own name.
    account.run(&["apply", "--yes", "--overrule", "breaker"]).code(3);
    none(&account);
    assert_eq!(refused.next(), "evenkeel apply --yes --overrule kill-switch");
    account.shell(&refused.next()).code(0);
    assert_eq!(account.writes(), [UPDATE]);
}

#[test]
fn unless_its_parameter_says_off_nothing_is_written() {
    let account = account("[safety]\nkill_switch_parameter = { name = \"/evenkeel/stop\" }\n");
    let set = |value: &str| {
        account.boto3(&format!(
            "boto3.client('ssm').put_parameter(Name='/evenkeel/stop', Type='String', Overwrite=True, Value={value:?})\nprint('null')"
        ));
        account.forget_calls();
    };
    // It is not there.
    let line = once(&account, 3);
    held(&line, "kill-switch");
    assert!(line["held_back"][0]["released_by"].to_string().contains("ssm:GetParameter"), "{line}");
    assert!(line["kill_switch"].to_string().contains("/evenkeel/stop"), "{line}");
    set("Jo looks at it");
    account.run(&["apply", "--yes"]).code(3).complains("Jo looks at it").complains("--value off");
    none(&account);
    set("off");
    account.fault(json!({
        "service": "ssm", "operation": "GetParameter", "kind": "error",
        "code": "AccessDeniedException", "status": 400,
    }));
    held(&once(&account, 3), "kill-switch");
    none(&account);
    account.no_faults();
    assert_eq!(once(&account, 0)["applied"], 1);
    assert_eq!(account.writes(), [UPDATE]);
}

/// Directly before each write, it is asked anew: one that was set during the look holds.
#[test]
fn a_parameter_that_is_set_in_the_middle_of_a_run_stops_the_next_write() {
    let account = account("[safety]\nkill_switch_parameter = { name = \"/evenkeel/stop\" }\n");
    account.write("b.toml", &format!("{POLICY}[iam.account_alias]\naccount_alias = \"a-name\"\n"));
    let set = |value: &str| {
        account.boto3(&format!(
            "boto3.client('ssm').put_parameter(Name='/evenkeel/stop', Type='String', Overwrite=True, Value='{value}')\nprint('null')"
        ));
    };
    set("off");
    // The first write waits for somebody to set it, and is done then.
    for operation in ["UpdateAccountPasswordPolicy", "CreateAccountAlias"] {
        account.fault(json!({
            "service": "iam", "operation": operation, "kind": "wait",
        }));
    }
    account.forget_calls();
    let mut command = account.command(&["run", "--once"]);
    let mut running = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("\"intent\"")) {
        assert!(running.try_wait().unwrap().is_none(), "it ended before it wrote");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    set("on");
    // What it said is good for one second, and no longer.
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    account.no_faults();
    let output = running.wait_with_output().unwrap();
    let line = line(&Run::new(&["run", "--once"], output));
    assert_eq!(line["applied"], 1, "{line}");
    let writes = account.writes();
    assert_eq!(writes.iter().filter(|write| write.starts_with("iam:")).count(), 1, "{writes:?}");
}

#[test]
fn a_kill_switch_in_the_middle_of_a_run_holds_back_what_is_left() {
    let account = account("[safety]\nkill_switch = \"stop\"\n");
    let regions = POLICY.replace("mode = ", "regions = [\"eu-west-1\"]\nmode = ");
    account.write("b.toml", &format!("{regions}[ec2.ebs_encryption]\nenabled = true\n"));
    for (service, operation) in
        [("iam", "UpdateAccountPasswordPolicy"), ("ec2", "EnableEbsEncryptionByDefault")]
    {
        account.fault(json!({
            "service": service, "operation": operation, "kind": "delay", "delay": 3,
        }));
    }
    let mut command = account.command(&["run", "--once"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    while !std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"intent\"")) {
        std::thread::sleep(Duration::from_millis(20));
    }
    account.write("stop", "");
    let run = Run::new(&["run", "--once"], child.wait_with_output().unwrap()).code(3);
    let line = line(&run);
    assert_eq!((&line["outcome"], &line["applied"]), (&json!("held back"), &json!(1)), "{line}");
    assert_eq!(line["failed"], json!([]), "{line}");
    let held = &line["held_back"];
    assert_eq!(
        (held.as_array().map(Vec::len), &held[0]["guard"]),
        (Some(1), &json!("kill-switch"))
    );
    assert!(held[0]["released_by"].to_string().contains("remove"), "{line}");
}

#[test]
fn a_saved_plan_is_held_back_and_not_stale() {
    let account = account("[safety]\nkill_switch = \"stop\"\n");
    account.run(&["plan", "--save", "plan.json"]).code(0);
    account.write("stop", "");
    let refused = account.run(&["apply", "plan.json", "--yes"]).code(3);
    let refused = refused.complains("kill switch is on");
    assert!(!refused.stderr.contains("stale"), "{}", refused.stderr);
    std::fs::remove_file(account.folder.path().join("stop")).unwrap();
    account.run(&["apply", "plan.json", "--yes"]).code(0);
}

#[test]
fn when_too_many_writes_fail_nothing_more_is_written_until_one_was_tried() {
    let account = account("[safety.breaker]\nfailures = 2\nminutes = 60\n");
    account.fault(json!({
        "service": "iam", "operation": "UpdateAccountPasswordPolicy", "kind": "error",
        "code": "AccessDenied", "status": 403,
    }));
    for _ in 0..2 {
        assert_eq!(once(&account, 4)["outcome"], "partly");
    }
    account.no_faults();
    account.forget_calls();
    let line = once(&account, 3);
    held(&line, "breaker");
    assert!(line["held_back"][0]["reason"].to_string().contains("2 of the last 2 changes"));
    account.run(&["check"]).code(2).says("held back: by breaker: too many changes failed");
    let refused = account.run(&["apply", "--yes"]).code(3).complains("breaker");
    none(&account);
    account.shell(&refused.next()).code(0);
    assert_eq!(account.writes(), [UPDATE]);
}

#[test]
fn a_day_has_a_budget() {
    let account = account("[safety]\nmax_changes_per_account_per_day = 1\n");
    assert_eq!(once(&account, 0)["applied"], 1);
    somebody(&account);
    account.forget_calls();
    held(&once(&account, 3), "budget");
    account.run(&["apply", "--yes"]).code(3).complains("in 24 hours");
    none(&account);
    account.run(&["apply", "--yes", "--overrule", "budget"]).code(0);
    assert_eq!(account.writes(), [UPDATE]);
}

#[test]
fn guards_that_cannot_remember_let_nothing_through() {
    let account = account("");
    account.write(".evenkeel/guards.json", "{\"latest\": 1, \"docu");
    // It may be mended by the next time: that is a failure, and tried again.
    let line = once(&account, 4);
    assert_eq!((&line["outcome"], &line["applied"]), (&json!("partly"), &json!(0)), "{line}");
    assert_eq!(line["held_back"][0]["guard"], "memory", "{line}");
    let refused = account.run(&["apply", "--yes"]).code(3).complains("cannot be read");
    let refused = refused.complains(".evenkeel/guards.json is damaged").complains("move it away");
    none(&account);
    // Who only looks is not stopped, and told once.
    for command in ["plan", "check"] {
        let run = account.run(&[command]);
        let lines: Vec<&str> = run.stderr.lines().filter(|line| line.contains("guards")).collect();
        let [line] = lines.as_slice() else { panic!("{}", run.stderr) };
        assert!(line.starts_with("warning: what the guards remember cannot be read"), "{line}");
        assert!(line.contains("guards.json is damaged") && line.contains("move it away"), "{line}");
        assert!(!run.stderr.contains("WARN"), "{}", run.stderr);
    }
    account.shell(&refused.next()).code(0);
    assert_eq!(account.writes(), [UPDATE]);
}

#[test]
fn a_run_whose_guards_cannot_remember_fails_also_where_nothing_is_to_be_written() {
    let in_store = "[store]\nurl = \"sqlite://.evenkeel/store.db\"\n";
    for (store, file) in [("", "guards.json"), (in_store, "store.db")] {
        let account = account(store);
        once(&account, 0);
        assert_eq!(once(&account, 0)["outcome"], "in sync");
        account.forget_calls();
        for entry in std::fs::read_dir(account.folder.path().join(".evenkeel")).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_string_lossy().starts_with("store.db") {
                std::fs::remove_file(path).unwrap();
            }
        }
        account.write(&format!(".evenkeel/{file}"), &"garbage".repeat(1000));
        let run = account.run(&["run", "--once"]).code(4).complains("nothing could have been");
        let line = line(&run);
        assert_eq!((&line["outcome"], &line["applied"]), (&json!("partly"), &json!(0)), "{line}");
        none(&account);
        // Who only looks says so, and how all of it stands.
        account.run(&["check"]).code(0);
    }
}

/// A fleet whose new versions begin in `alpha`.
fn waves() -> Organization {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nconfirmed = true\n\
         [[rollout.wave]]\nname = \"canary\"\naccounts = [\"<alpha>\"]\nsoak_minutes = 0\n",
    );
    org
}

fn run(org: &Organization, code: i32) -> Run {
    org.management.run(&["run", "--once"]).code(code)
}

#[test]
fn a_new_version_reaches_the_canary_first_and_the_rest_when_it_is_healthy() {
    let org = waves();
    // Nothing is remembered of a rollout yet: a plan shows no more than it knows.
    org.management.run(&["plan"]).code(0).says("3 to change");
    let first = line(&run(&org, 3));
    assert_eq!(first["applied"], 1, "{first}");
    assert_eq!(first["held_back"].as_array().unwrap().len(), 2, "{first}");
    assert_eq!(first["held_back"][0]["guard"], "wave", "{first}");
    assert_eq!(org.password_length("alpha"), 14);
    assert_eq!(org.password_length("beta"), Value::Null);
    org.management.run(&["rollout", "status"]).code(0).says("canary").says("1 account as declared");
    org.management.run(&["apply", "-a", org.id("beta"), "--yes"]).code(3).complains("wave");
    // Somebody changes the canary back: the look that finds that moves nothing on.
    org.inside(
        "alpha",
        "client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')",
    );
    run(&org, 3);
    assert_eq!(org.password_length("alpha"), 14);
    assert_eq!(org.password_length("beta"), Value::Null);
    // The next one finds it as declared, and the one after it writes to the rest.
    run(&org, 3);
    assert_eq!(org.password_length("beta"), Value::Null);
    run(&org, 0);
    assert_eq!(org.password_length("beta"), 14);
    org.management.run(&["rollout", "status"]).code(0).says("all accounts may have");
    // The next version says something else anew; what it says as before is repaired everywhere.
    org.management.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"fleet\"\nmode = \"enforce\"\n[iam.password_policy]\nminimum_password_length = 14\n[ec2.ebs_encryption]\nenabled = true\n",
    );
    org.inside(
        "beta",
        "client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')",
    );
    let next = line(&run(&org, 3));
    assert_eq!(org.password_length("beta"), 14);
    let held = next["held_back"][0]["object"].as_str().unwrap();
    assert!(held.starts_with("ec2.ebs_encryption"), "{next}");
}

#[test]
fn a_canary_that_goes_wrong_halts_the_rollout_until_somebody_decides() {
    let org = waves();
    org.management.fault_in(
        org.id("alpha"),
        json!({
            "service": "iam", "operation": "UpdateAccountPasswordPolicy", "kind": "error",
            "code": "AccessDenied", "status": 403,
        }),
    );
    run(&org, 4);
    org.management.no_faults_in(org.id("alpha"));
    org.management.run(&["rollout", "status"]).code(0).says("halted").says("rollout resume");
    run(&org, 3);
    assert_eq!(org.password_length("alpha"), Value::Null);
    org.management.run(&["rollout", "resume"]).code(0).says("work: goes on");
    run(&org, 3);
    assert_eq!(org.password_length("alpha"), 14);
    org.management.run(&["rollout", "abort", "work"]).code(0).says("work: is given up");
    // What somebody gave up does not go out again because somebody else resumes.
    org.management
        .run(&["rollout", "resume"])
        .code(3)
        .complains("was given up at")
        .complains("rollout resume --given-up");
    org.management.run(&["rollout", "status"]).code(0).says("resume --given-up");
    org.management.run(&["rollout", "resume", "--given-up"]).code(0).says("work: goes on");
    org.management.run(&["rollout", "abort", "work"]).code(0).says("work: is given up");
    run(&org, 3);
    assert_eq!(org.password_length("beta"), Value::Null);
    org.management.run(&["rollout", "resume", "none"]).code(1).complains("no rollout");
    org.management.run(&["apply", "--yes", "--overrule", "wave"]).code(0);
    assert_eq!(org.password_length("beta"), 14);
}
