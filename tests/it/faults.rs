//! Bad input and faults, each as a user would meet it: a clear message, the right exit code,
//! nothing half-forgotten, and a next run that converges.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;
use std::time::Duration;

use crate::support::declared::{self, HEADER, POLICY, ROLE, account};
use crate::support::{self, Account, Run};
use serde_json::{Value, json};

fn audit(account: &Account) -> Vec<Value> {
    let log = account.read(".evenkeel/audit.jsonl");
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Each mistake with the words that must be in the message; the file and the line always are.
#[test]
fn bad_baselines_name_file_line_and_the_nearest_right_answer() {
    let cases: [(&str, &[&str]); 11] = [
        ("[iam.pasword_policy]\nminimum_password_length = 14\n", &["iam.password_policy"]),
        ("[iam.password_policy]\nminimum_pasword_length = 14\n", &["minimum_password_length"]),
        ("[iam.password_policy]\nminimum_password_length = \"14\"\n", &["number"]),
        ("[iam.password_policy]\nminimum_password_length = 4\n", &["6 to 128"]),
        ("[iam.password_policy]\nhard_expiry = true\nmax_password_age = 0\n", &["never expire"]),
        (
            "[s3.bucket.a]\naccess_log_bucket = \"${s3.bucket.b.bucket}\"\n[s3.bucket.b]\naccess_log_bucket = \"${s3.bucket.a.bucket}\"\nbucket = \"${s3.bucket.a.access_log_bucket}\"\n",
            &["s3.bucket.a", "s3.bucket.b"],
        ),
        ("[s3.bucket.a]\nbucket = \"${logs}\"\n", &["logs"]),
        ("[s3.bucket.a]\nversioning = \"enabled\"\n", &["Enabled"]),
        (
            "[iam.password_policy]\nmode = \"enforced\"\nminimum_password_length = 14\n",
            &["enforce"],
        ),
        ("[iam.role.a]\nassume_role_policy = \"{\"\n", &["JSON"]),
        ("[iam.password_policy\n", &["b.toml"]),
    ];
    for (items, words) in cases {
        let account = account(items);
        let run = account.run(&["validate", "b.toml"]).code(1).complains("b.toml");
        for word in words {
            assert!(run.stderr.contains(word), "no {word:?} for\n{items}\n{}", run.stderr);
        }
        // A plan refuses in the same way, and asks AWS nothing.
        account.forget_calls();
        account.run(&["plan", "-b", "b.toml"]).code(1);
        assert!(account.calls().is_empty(), "AWS was asked for a baseline that is wrong");
    }
}

#[test]
fn expired_exceptions_are_void_and_say_so() {
    let exception = "[[exception]]\nitem = \"iam.password_policy\"\nuntil = 2020-01-01\nowner = \"a@example.com\"\nreason = \"old\"\n";
    let account = account(&format!("{POLICY}\n{exception}"));
    let run = account.run(&["plan", "-b", "b.toml", "--detailed-exitcode"]).code(2);
    assert!(run.stderr.contains("2020-01-01"), "{}", run.stderr);
    let account = declared::account(&format!("{POLICY}\n{}", exception.replace("2020", "2099")));
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn an_item_with_two_values_in_two_files_is_an_error_that_names_both() {
    let account = account(POLICY);
    account.write("c.toml", &format!("{HEADER}{}", POLICY.replace("14", "20")));
    account
        .run(&["plan", "-b", "b.toml", "-b", "c.toml"])
        .code(1)
        .complains("b.toml")
        .complains("c.toml");
}

#[test]
fn every_error_of_every_file_is_reported_at_once() {
    let account = account("[iam.password_policy]\nminimum_password_length = 4\nx = 1\n");
    account.write("c.toml", &format!("{HEADER}[iam.rolle.a]\n"));
    let run = account.run(&["validate", "b.toml", "c.toml"]).code(1);
    for word in ["6 to 128", "`x`", "iam.role"] {
        assert!(run.stderr.contains(word), "no {word:?}: {}", run.stderr);
    }
}

#[test]
fn no_credentials_expired_credentials_no_endpoint() {
    let account = account(POLICY);
    let run = |change: &dyn Fn(&mut std::process::Command)| {
        let mut command = account.command(&["plan", "-b", "b.toml"]);
        change(&mut command);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, text) = run(&|command| {
        command.env("HOME", account.folder.path());
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
            command.env_remove(name);
        }
    });
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("AWS_PROFILE"), "{text}");
    let (code, text) = run(&|command| {
        command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    });
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("AWS_ENDPOINT_URL"), "{text}");
    account.fault(
        json!({ "service": "sts", "operation": "GetCallerIdentity", "code": "ExpiredToken" }),
    );
    let (code, text) = run(&|_| {});
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("ExpiredToken") && text.contains("sign in again"), "{text}");
}

#[test]
fn a_denied_read_makes_one_kind_unknown_and_stops_no_other() {
    let account = account(&format!("{POLICY}\n{ROLE}"));
    account.fault(json!({ "service": "iam", "operation": "GetRole" }));
    account.run(&["plan", "-b", "b.toml"]).says("iam:GetRole").says("minimum_password_length");
    account.run(&["check", "-b", "b.toml"]).code(4);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(4).says("unknown and left alone");
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn a_denied_write_is_named_and_what_depends_on_it_is_not_tried() {
    let account = account(&format!("{POLICY}\n{ROLE}"));
    account.fault(json!({ "service": "iam", "operation": "CreateRole" }));
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says("FAILED")
        .says("iam:CreateRole")
        .says("not tried");
    assert!(audit(&account).iter().any(|record| record["phase"] == "failed"));
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn an_organization_policy_is_reported_as_such() {
    let account = account(POLICY);
    account.fault(json!({
        "service": "iam", "operation": "UpdateAccountPasswordPolicy",
        "message": "User is not authorized with an explicit deny in a service control policy",
    }));
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says("an organization policy forbids this call");
}

#[test]
fn throttling_that_ends_is_waited_for() {
    let account = account(POLICY);
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "throttle", "count": 3,
    }));
    account.run(&["plan", "-b", "b.toml"]).code(0).says("minimum_password_length");
}

#[test]
fn throttling_that_lasts_is_unknown_and_not_in_sync() {
    let account = account(POLICY);
    account.fault(json!({
        "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "throttle", "seconds": 120,
    }));
    account.run(&["check", "-b", "b.toml"]).code(1).says("Throttling");
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
}

#[test]
fn a_server_error_in_the_middle_is_retried_or_named() {
    let account = account(&format!("{POLICY}\n{ROLE}"));
    account.fault(json!({
        "service": "iam", "operation": "AttachRolePolicy", "kind": "status", "status": 500, "count": 1,
    }));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    let account = declared::account(&format!("{POLICY}\n{ROLE}"));
    account.fault(json!({
        "service": "iam", "operation": "AttachRolePolicy", "kind": "status", "status": 500,
    }));
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(4)
        .says("AttachRolePolicy")
        .says("run again");
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn an_unknown_enum_value_is_unknown_and_never_in_sync() {
    let account = account("[kms.key.k]\nkey_spec = \"SYMMETRIC_DEFAULT\"\n");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.fault(json!({
        "service": "kms", "operation": "DescribeKey", "kind": "replace",
        "find": "SYMMETRIC_DEFAULT", "replace": "QUANTUM_9",
    }));
    account.run(&["check", "-b", "b.toml"]).code(1).says("QUANTUM_9").says("update evenkeel");
}

#[test]
fn an_object_that_goes_between_plan_and_apply_makes_the_plan_stale() {
    let account = account(&format!("{ROLE}description = \"one\"\n"));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.declare(&format!("{ROLE}description = \"two\"\n"));
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    account.boto3(
        "iam = boto3.client('iam')\niam.detach_role_policy(RoleName='audit', PolicyArn='arn:aws:iam::aws:policy/SecurityAudit')\niam.delete_role(RoleName='audit')",
    );
    account
        .run(&["apply", "plan.json", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("iam.role.audit");
    // Between the look and the write itself, AWS's word is passed on.
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.declare(&format!("{ROLE}description = \"three\"\n"));
    account.fault(json!({
        "service": "iam", "operation": "UpdateRole", "code": "NoSuchEntity", "message": "gone",
    }));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(4).says("make a new plan");
}

#[test]
fn killed_between_the_record_and_the_write_nothing_is_forgotten() {
    let account = account(POLICY);
    support::kill(&mut account.hanging("iam", "UpdateAccountPasswordPolicy", false));
    account.no_faults();
    let phases: Vec<_> = audit(&account).iter().map(|record| record["phase"].clone()).collect();
    assert_eq!(phases, ["intent"]);
    account
        .run(&["apply", "-b", "b.toml", "--yes"])
        .code(0)
        .complains("was killed while it wrote iam.password_policy");
    assert!(audit(&account).iter().any(|record| record["phase"] == "recovered"));
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn a_write_whose_answer_was_lost_is_found_done() {
    let account = account(ROLE);
    account.fault(json!({
        "service": "iam", "operation": "CreateRole", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn ctrl_c_finishes_the_write_in_hand_and_says_what_is_left() {
    finishes_the_write_in_hand("INT");
}

#[test]
fn a_lost_terminal_does_the_same() {
    finishes_the_write_in_hand("HUP");
}

fn finishes_the_write_in_hand(signal: &str) {
    let account = account(&format!("{POLICY}\n{ROLE}"));
    account
        .fault(json!({ "service": "iam", "operation": "CreateRole", "kind": "delay", "delay": 2 }));
    let mut command = support::hears_hangup(&account.command(&["apply", "-b", "b.toml", "--yes"]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for_intent(&account);
    support::send(&child, signal);
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{stdout}");
    assert!(stdout.contains("Stopped as asked"), "{stdout}");
    assert!(stdout.contains("done      iam.role.audit"), "the write in hand is finished: {stdout}");
    assert!(!audit(&account).iter().any(|record| record["phase"] == "failed"));
    account.no_faults();
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn the_controller_stops_on_sigterm() {
    let account = account(POLICY);
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"report\"\nschedule = \"* * * * * *\"\n",
    );
    let mut command = account.command(&["run", "--log-format", "json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let line = lines.next().expect("a line a run").unwrap();
    assert!(serde_json::from_str::<Value>(&line).is_ok(), "{line}");
    support::send(&child, "TERM");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn an_audit_log_that_cannot_be_written_stops_everything() {
    let account = account(POLICY);
    account.write("file", "");
    let run: Run =
        account.run(&["apply", "-b", "b.toml", "--yes", "--audit-log", "file/audit.jsonl"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("audit log"), "{}", run.stderr);
    account.run(&["check", "-b", "b.toml"]).code(2);
}

fn wait_for_intent(account: &Account) {
    let path = account.folder.path().join(".evenkeel/audit.jsonl");
    for _ in 0..600 {
        if std::fs::read_to_string(&path).is_ok_and(|log| log.contains("\"intent\"")) {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("no write was begun");
}

/// Each read of a list with its list under another name: nobody knows then that it is empty.
#[test]
fn an_answer_without_its_list_is_not_taken_for_an_empty_list() {
    let account = account(
        "[iam.role.audit]\ntrusted_account_ids = [\"${account.id}\"]\nmanaged_policy_arns = []\n\n\
         [logs.log_group.audit]\nlog_group_name = \"audit\"\nretention_in_days = 30\n\n\
         [s3.bucket.audit]\nbucket = \"audit-${account.id}\"\nlifecycle = []\n\n\
         [ec2.default_security_group]\ningress = []\negress = []\n",
    );
    account.run(&declared::APPLY).code(0);
    account.check().code(0);
    account.boto3(
        "a = boto3.client('sts').get_caller_identity()['Account']\n\
         boto3.client('iam').attach_role_policy(RoleName='audit', PolicyArn='arn:aws:iam::aws:policy/AdministratorAccess')\n\
         boto3.client('s3').put_bucket_lifecycle_configuration(Bucket=f'audit-{a}', LifecycleConfiguration={'Rules': [\
         {'ID': 'r', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 1}}]})\n\
         print('null')",
    );
    let cases = [
        ("iam", "ListAttachedRolePolicies", "AttachedPolicies"),
        ("logs", "DescribeLogGroups", "\"logGroups\""),
        ("s3", "GetBucketLifecycleConfiguration", "Rule>"),
        ("ec2", "DescribeVpcs", "vpcSet"),
        ("ec2", "DescribeSecurityGroups", "securityGroupInfo"),
        ("ec2", "DescribeSecurityGroupRules", "securityGroupRuleSet"),
    ];
    for (service, operation, member) in cases {
        account.no_faults();
        let letters: String = member.chars().filter(char::is_ascii_alphabetic).collect();
        account.fault(json!({
            "service": service, "operation": operation, "kind": "replace",
            "find": member, "replace": member.replace(&letters, "Another"),
        }));
        let run = account.run(&["check", "-b", "b.toml"]);
        assert!([1, 4].contains(&run.code), "{operation}: {}", run.stdout);
        assert!(run.stdout.contains("AWS did not say"), "{operation}: {}", run.stdout);
        assert!(!run.stdout.contains("CreateLogGroup"), "{}", run.stdout);
    }
}
