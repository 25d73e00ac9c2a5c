//! Fleets: an emulated organization, the command as a process, boto3 as a second opinion.

use std::process::Stdio;
use std::time::Duration;

use crate::support;
use crate::support::organization::{Organization, POLICY};
use serde_json::{Value, json};

fn accounts_of(plan: &Value) -> Vec<String> {
    plan["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|target| target["account"].as_str().unwrap().to_owned())
        .collect()
}

fn sorted(mut ids: Vec<&str>) -> Vec<String> {
    ids.sort_unstable();
    ids.into_iter().map(str::to_owned).collect()
}

#[test]
fn units_tags_and_exceptions_choose_accounts_and_closed_ones_are_named() {
    let org = Organization::new();
    org.work();
    let run = org.management.run(&["plan", "--format", "json"]).code(0);
    let plan = run.json();
    assert_eq!(accounts_of(&plan), sorted(vec![org.id("alpha"), org.id("beta"), org.id("gamma")]));
    assert_eq!(plan["skipped"][0]["account"], org.id("closed"));
    assert_eq!(plan["skipped"][0]["name"], "closed");
    org.management
        .run(&["plan"])
        .code(0)
        .says("all 3 accounts")
        .says(&format!("{} (closed): suspended", org.id("closed")));
    org.fleet(
        "[[target]]\nname = \"prod\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<root>\"], account_tags = { env = \"prod\" } }\n\
         [[target]]\nname = \"rest\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<root>\"] }\nexcept = { accounts = [\"<gamma>\"], ous = [\"<Team>\"] }\nmode = \"report\"\n",
    );
    let plan = org.management.run(&["plan", "--format", "json"]).code(0).json();
    let mut wanted = vec![org.id("alpha"), org.id("delta"), org.management.id.as_str()];
    wanted.sort_unstable();
    assert_eq!(accounts_of(&plan), wanted);
}

#[test]
fn a_fleet_is_applied_account_by_account_and_stale_ones_are_named() {
    let org = Organization::new();
    org.work();
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    org.inside("beta", "client('iam').update_account_password_policy(MinimumPasswordLength=9)");
    org.management
        .run(&["apply", "plan.json", "--yes"])
        .code(4)
        .says(&format!(
            "left alone: account {} (beta) with its 1 change: iam.password_policy has changed",
            org.id("beta")
        ))
        .says("2 changes applied, 1 left alone in 1 account");
    assert_eq!(org.password_length("alpha"), 14);
    assert_eq!(org.password_length("gamma"), 14);
    assert_eq!(org.password_length("beta"), 9);
    org.management.run(&["apply", "--yes"]).code(0);
    assert_eq!(org.password_length("beta"), 14);
    org.management.run(&["check"]).code(0).says("in sync");
}

#[test]
fn the_session_says_who_and_why_and_reporting_cannot_write() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n\
         [[target]]\nname = \"b\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<beta>\"] }\nmode = \"report\"\n",
    );
    org.management.forget_calls();
    let plan = org.management.run(&["plan", "--format", "json"]).code(0).json();
    let run = plan["run"].as_str().unwrap();
    let calls = org.management.calls_of(&org.management.id);
    let role_of = |name: &str| {
        let arn = format!("arn:aws:iam::{}:role/evenkeel", org.id(name));
        calls
            .iter()
            .find(|call| call["operation"] == "AssumeRole" && call["args"]["RoleArn"] == arn)
            .unwrap_or_else(|| panic!("{name}: {calls:?}"))["args"]
            .clone()
    };
    let enforcing = role_of("alpha");
    assert_eq!(enforcing["SourceIdentity"], format!("evenkeel-{run}"));
    assert_eq!(enforcing["RoleSessionName"], "evenkeel");
    assert_eq!(enforcing["Tags"], json!([{"Key": "evenkeel-run", "Value": run}]));
    // Writing is narrowed to what the baseline needs.
    let policy: Value =
        serde_json::from_str(enforcing["Policy"].as_str().expect("a session policy")).unwrap();
    assert_eq!(policy["Statement"][1]["Action"], json!(["iam:UpdateAccountPasswordPolicy"]));
    assert_eq!(
        policy["Statement"][2],
        json!({
            "Sid": "EvenkeelNotItself", "Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*"],
            "Resource": enforcing["RoleArn"],
        })
    );
    let policy: Value =
        serde_json::from_str(role_of("beta")["Policy"].as_str().expect("a session policy"))
            .unwrap();
    assert_eq!(policy["Statement"][0]["Action"], json!(["iam:GetAccountPasswordPolicy"]));
}

#[test]
fn an_account_that_cannot_be_entered_hides_no_other() {
    let org = Organization::new();
    org.work();
    org.no_way_into("beta", json!({"kind": "error"}));
    org.no_way_into("gamma", json!({"kind": "drop"}));
    let run = org.management.run(&["check"]).code(4);
    let run = run.says("2 accounts not looked at").says(&format!("{} (beta)", org.id("beta")));
    run.says("sts:TagSession").says("minimum_password_length");
    // Applying goes on with the others, and says that it is not all.
    org.management.run(&["apply", "--yes"]).code(4);
    assert_eq!(org.password_length("alpha"), 14);
    assert_eq!(org.password_length("beta"), Value::Null);
    // With nothing left to do in the others, it is still not all.
    org.management.run(&["apply", "--yes"]).code(4).says("nothing to apply");
    org.management.run(&["check"]).code(4);
    org.management.no_faults();
    org.management.run(&["apply", "--yes"]).code(0);
    assert_eq!(org.password_length("beta"), 14);
}

#[test]
fn a_wrong_external_id_is_refused_and_the_right_one_is_not() {
    let org = Organization::new();
    org.fleet("env = [\"X_ID\"]\n[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n");
    let text = org.management.read("evenkeel.toml") + "external_id = \"${env.X_ID}\"\n";
    org.management.write("evenkeel.toml", &text);
    org.inside(
        "alpha",
        "client('iam').create_role(RoleName='evenkeel', AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'], 'Condition': {'StringEquals': {'sts:ExternalId': 'secret-4711'}}}]}))",
    );
    let with = |id: &str| {
        let output =
            org.management.command(&["check"]).env("X_ID", id).output().expect("evenkeel starts");
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, said) = with("wrong");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("external id") && !said.contains("4711"), "{said}");
    assert_eq!(with("secret-4711").0, Some(2));
    org.management.run(&["check"]).code(1).complains("X_ID");
}

#[test]
fn a_fleet_that_selects_nothing_is_an_error_and_not_a_green_run() {
    let org = Organization::new();
    org.fleet("[[target]]\nname = \"none\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"], account_tags = { env = \"moon\" } }\n");
    org.management.run(&["check"]).code(1).complains("selects no account");
    // A unit without accounts is there, and an account that was closed is none to look at.
    let empty = org.management.boto3(&format!(
        "print(json.dumps(boto3.client('organizations').create_organizational_unit(ParentId='{}', Name='Empty')['OrganizationalUnit']['Id']))",
        org.id("Work")
    ));
    let empty = empty.as_str().unwrap();
    org.fleet(&format!("[[target]]\nname = \"empty\"\nbaselines = [\"b.toml\"]\nselect = {{ ous = [\"{empty}\"] }}\n"));
    org.management.run(&["check"]).code(1).complains("selects no account");
    org.fleet("[[target]]\nname = \"closed\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"], accounts = [\"<closed>\"] }\n");
    org.management.run(&["check"]).code(1).complains(&format!("{} is suspended", org.id("closed")));
    org.work();
    org.management.run(&["apply", "--yes"]).code(0);
    org.management.run(&["check", "-a", org.id("closed")]).code(1).complains("is suspended");
    org.fleet("[[target]]\nname = \"gone\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"ou-gone-12345678\"] }\n");
    org.management.run(&["check"]).code(1).complains("ou-gone-12345678");
}

#[test]
fn two_targets_that_disagree_are_an_error_that_names_both_files() {
    let org = Organization::new();
    org.management.write("other.toml", &POLICY.replace("14", "20"));
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\n\
         [[target]]\nname = \"b\"\nbaselines = [\"other.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n",
    );
    org.management.run(&["plan"]).code(1).complains("b.toml:5").complains("other.toml:5");
    // The same values are no contradiction.
    org.management.write("other.toml", POLICY);
    let plan = org.management.run(&["plan", "--format", "json"]).code(0).json();
    assert_eq!(plan["objects"].as_array().unwrap().len(), 3);
}

#[test]
fn an_account_that_hangs_is_given_up_and_the_rest_is_planned() {
    let org = Organization::new();
    org.work();
    let text = org.management.read("evenkeel.toml") + "[limits]\naccount_timeout_seconds = 5\n";
    org.management.write("evenkeel.toml", &text);
    org.management.fault_in(
        org.id("beta"),
        json!({"service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "hang"}),
    );
    org.management
        .run(&["check"])
        .code(4)
        .says("when the time for this account was over")
        .says("account_timeout_seconds")
        .says("1 unknown");
}

#[test]
fn a_region_that_is_denied_is_unknown_for_itself_alone() {
    let org = Organization::new();
    org.management.write("b.toml", "schema = 1\n[baseline]\nname = \"r\"\nregions = [\"eu-west-1\", \"us-east-1\"]\nmode = \"enforce\"\n[ec2.ebs_encryption]\nenabled = true\n");
    org.work();
    org.management.fault_in(
        org.id("alpha"),
        json!({"service": "ec2", "region": "us-east-1", "kind": "error",
               "message": "You are not authorized with an explicit deny in a service control policy"}),
    );
    let plan = org.management.run(&["plan", "--format", "json"]).code(4).json();
    assert_eq!(plan["summary"]["unknown"], 1);
    assert_eq!(plan["summary"]["to_change"], 5);
    // A Region that the account has not enabled.
    org.management.no_faults_in(org.id("alpha"));
    org.management.fault_in(
        org.id("alpha"),
        json!({"service": "ec2", "region": "us-east-1", "kind": "error", "code": "AuthFailure", "status": 401}),
    );
    org.management.run(&["check"]).code(4).says("enable the Region us-east-1");
    // A Region that does not answer at all: after some calls nobody waits for it any more.
    org.management.no_faults_in(org.id("alpha"));
    for name in ["alpha", "beta", "gamma"] {
        org.management.fault_in(
            org.id(name),
            json!({"service": "ec2", "region": "us-east-1", "kind": "drop"}),
        );
    }
    let plan = org.management.run(&["plan", "--format", "json"]).code(4).json();
    assert_eq!(plan["summary"]["unknown"], 3);
    assert_eq!(plan["summary"]["to_change"], 3);
    org.management.run(&["check"]).code(4).says("has not answered many times in a row");
}

#[test]
fn an_account_that_was_closed_a_minute_ago_is_named_and_hides_no_other() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\", \"<gamma>\"] }\n",
    );
    // Listed by hand, so that nobody asks the organization. STS answers as for a role that is gone.
    org.no_way_into("gamma", json!({"kind": "error", "code": "AccessDenied", "status": 403}));
    org.management
        .run(&["check"])
        .code(4)
        .says(org.id("gamma"))
        .says("an account that was just closed answers in the same way")
        .says("minimum_password_length");
}

#[test]
fn a_snapshot_gives_exactly_the_live_plan_and_holds_no_credentials() {
    let org = Organization::new();
    std::fs::copy(
        support::root().join("baselines/foundation.toml"),
        org.management.folder.path().join("foundation.toml"),
    )
    .unwrap();
    org.management.write("b.toml", "schema = 1\n[baseline]\nname = \"all\"\nextends = [\"foundation.toml\"]\nregions = [\"eu-west-1\", \"us-east-1\"]\n");
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\", \"<beta>\"] }\n",
    );
    org.inside("alpha", "client('iam').update_account_password_policy(MinimumPasswordLength=9)");
    org.no_way_into("beta", json!({"kind": "error"}));
    org.management.fault_in(
        org.id("alpha"),
        json!({"service": "kms", "operation": "ListKeys", "region": "us-east-1", "kind": "error"}),
    );
    org.management.run(&["snapshot", "--out", "s.gz"]).code(4);
    let live = org.management.run(&["plan", "--format", "json"]).code(4).json();
    let mut offline = org.management.command(&["plan", "--format", "json", "--snapshot", "s.gz"]);
    for name in
        ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"]
    {
        offline.env_remove(name);
    }
    let offline = offline.env("HOME", "/nonexistent").output().unwrap();
    let stderr = String::from_utf8_lossy(&offline.stderr);
    assert_eq!(offline.status.code(), Some(4), "{stderr}");
    let offline: Value = serde_json::from_slice(&offline.stdout).unwrap();
    // Request ids and the run differ; nothing else may.
    let comparable = |plan: &Value| {
        let mut plan = plan.clone();
        for field in ["run", "cost", "snapshot", "plan_digest"] {
            plan.as_object_mut().unwrap().shift_remove(field);
        }
        without_request_ids(&mut plan);
        plan
    };
    assert!(offline["snapshot"]["taken"].is_string());
    same(&comparable(&live), &comparable(&offline));
    // What was recorded holds no credentials.
    let secrets: Vec<String> = org
        .management
        .calls_of(org.id("alpha"))
        .iter()
        .filter_map(|call| call["access_key"].as_str().map(str::to_owned))
        .chain([org.management.access_key.clone(), org.management.secret_key.clone()])
        .collect();
    let path = org.management.folder.path().join("s.gz");
    let recorded = org.management.boto3(&format!(
        "import gzip; print(json.dumps(gzip.open({:?}, 'rt').read()))",
        path.display().to_string()
    ));
    let recorded = recorded.as_str().unwrap();
    assert!(recorded.contains("MinimumPasswordLength"));
    for word in ["SecretAccessKey", "SessionToken", "Authorization"] {
        assert!(!recorded.contains(word), "{word}");
    }
    for secret in secrets {
        assert!(!recorded.contains(&secret), "{secret}");
    }
}

/// Insists that two plans are the same, and shows just where they differ.
#[track_caller]
fn same(live: &Value, offline: &Value) {
    let text = |plan: &Value| serde_json::to_string_pretty(plan).unwrap();
    let (live, offline) = (text(live), text(offline));
    let difference = similar::TextDiff::from_lines(&live, &offline);
    assert!(live == offline, "{}", difference.unified_diff().context_radius(2));
}

fn without_request_ids(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some((before, _)) = text.split_once(" (request ") {
                *text = before.to_owned();
            }
        }
        Value::Array(list) => list.iter_mut().for_each(without_request_ids),
        Value::Object(map) => {
            // The digest of an error holds its request id.
            if map.get("verdict").is_some_and(|verdict| verdict["is"] == "unknown") {
                map.shift_remove("state_digest");
            }
            map.values_mut().for_each(without_request_ids);
        }
        _ => {}
    }
}

#[test]
fn a_snapshot_that_cannot_be_used_says_why() {
    let org = Organization::new();
    org.work();
    org.management.run(&["plan", "--snapshot", "none.gz"]).code(1).complains("none.gz");
    org.management.write("text.gz", "hello");
    org.management.run(&["plan", "--snapshot", "text.gz"]).code(1).complains("take a new one");
    org.management.run(&["snapshot", "--out", "s.gz"]).code(0);
    // A baseline that asks for more than was recorded is unknown, not in sync.
    org.management.write(
        "b.toml",
        &(POLICY.to_owned() + "[s3.account_public_access_block]\nblock_public_acls = true\n"),
    );
    org.management
        .run(&["plan", "--snapshot", "s.gz"])
        .code(4)
        .says("holds no answer to this read")
        .says("take a new snapshot");
    // So is what would be governed from another home now.
    org.management.write("b.toml", POLICY);
    let text = org.management.read("evenkeel.toml");
    org.management.write("evenkeel.toml", &text.replace("eu-west-1", "us-east-1"));
    let plan =
        org.management.run(&["plan", "--snapshot", "s.gz", "--format", "json"]).code(1).json();
    assert_eq!(plan["targets"][0]["home_region"], "us-east-1");
    assert_eq!(plan["summary"]["unknown"], 3);
}

#[test]
fn a_comparison_separates_the_change_from_the_drift() {
    let org = Organization::new();
    org.management.write(
        "b.toml",
        &(POLICY.to_owned() + "[s3.account_public_access_block]\nblock_public_acls = true\n"),
    );
    org.work();
    let git = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(org.management.folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    git(&["add", "."]);
    git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "before"]);
    // The change: longer passwords, a new item, and one item less.
    org.management.write(
        "b.toml",
        &(POLICY.replace("14", "16")
            + "[iam.account_alias]\naccount_alias = \"acme-${account.id}\"\n"),
    );
    let run = org.management.run(&["plan", "--compare-to", "HEAD"]).code(0);
    let (introduced, rest) = run.stdout.split_once("Removed by it").unwrap();
    let (removed, before) = rest.split_once("Drift that was there before").unwrap();
    assert!(introduced.contains("iam.account_alias"), "{introduced}");
    assert!(introduced.contains("minimum_password_length"), "{introduced}");
    assert!(removed.contains("block_public_acls"), "{removed}");
    assert!(!before.contains("iam.account_alias"), "{before}");
    // Without a change of the baselines, everything is old drift.
    git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qam", "after"]);
    let run = org.management.run(&["plan", "--compare-to", "HEAD", "--format", "json"]).code(0);
    assert_eq!(run.json()["comparison"]["introduced"], json!([]));
    org.management.run(&["plan", "--compare-to", "nowhere"]).code(1).complains("nowhere");
}

#[test]
fn shards_split_the_fleet_and_merge_again() {
    let org = Organization::new();
    org.work();
    let whole = org.management.run(&["plan", "--format", "json"]).code(0).json();
    let mut seen = Vec::new();
    for shard in ["1/2", "2/2"] {
        let file = format!("shard-{}.json", &shard[..1]);
        org.management.run(&["plan", "--shard", shard, "--format", "json", "--out", &file]).code(0);
        let plan: Value = serde_json::from_str(&org.management.read(&file)).unwrap();
        seen.extend(accounts_of(&plan));
    }
    seen.sort();
    assert_eq!(seen, accounts_of(&whole));
    let merged = org
        .management
        .run(&[
            "merge-reports",
            "shard-1.json",
            "shard-2.json",
            "--format",
            "json",
            "--save",
            "plan.json",
        ])
        .code(0)
        .json();
    assert_eq!(merged["summary"], whole["summary"]);
    org.management.run(&["merge-reports", "shard-1.json", "shard-1.json"]).code(1);
    org.management.run(&["plan", "--shard", "3/2"]).code(1);
    org.management.run(&["apply", "plan.json", "--yes"]).code(0);
    org.management.run(&["check"]).code(0);
}

#[test]
fn credentials_that_expire_in_the_middle_are_taken_anew() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"a\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\n",
    );
    // The first credentials are already over when they come.
    let year = chrono::Utc::now().format("%Y").to_string();
    org.no_way_into(
        "alpha",
        json!({"kind": "replace", "count": 1, "find": format!("<Expiration>{year}"), "replace": "<Expiration>2001"}),
    );
    org.management.forget_calls();
    org.management.run(&["apply", "--yes"]).code(0);
    assert_eq!(org.password_length("alpha"), 14);
    let arn = format!("arn:aws:iam::{}:role/evenkeel", org.id("alpha"));
    let calls = org.management.calls_of(&org.management.id);
    let taken = calls.iter().filter(|call| call["args"]["RoleArn"] == arn).count();
    assert!(taken > 1, "the role was taken {taken} times");
}

#[test]
fn ctrl_c_during_a_fleet_apply_finishes_what_is_in_hand() {
    let org = Organization::new();
    org.work();
    let text = org.management.read("evenkeel.toml") + "[limits]\nconcurrent_accounts = 1\n";
    org.management.write("evenkeel.toml", &text);
    for name in ["alpha", "beta", "gamma"] {
        org.management.fault_in(
            org.id(name),
            json!({"service": "iam", "operation": "UpdateAccountPasswordPolicy", "kind": "delay", "delay": 2}),
        );
    }
    let mut command = org.management.command(&["apply", "--yes"]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let log = org.management.folder.path().join(".evenkeel/audit.jsonl");
    for _ in 0..600 {
        if std::fs::read_to_string(&log).is_ok_and(|log| log.contains("\"intent\"")) {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let signalled =
        std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signalled.unwrap().success());
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stdout}");
    assert!(stdout.contains("1 change applied, 2 not"), "{stdout}");
    let phases: Vec<Value> = std::fs::read_to_string(&log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["phase"].clone())
        .collect();
    assert_eq!(phases, ["intent", "applied", "observed"]);
    for name in ["alpha", "beta", "gamma"] {
        org.management.no_faults_in(org.id(name));
    }
    org.management.run(&["apply", "--yes"]).code(0);
    org.management.run(&["check"]).code(0);
}

#[test]
fn what_the_organization_knows_of_an_account_can_be_used_in_a_baseline() {
    let org = Organization::new();
    let text = format!(
        "{POLICY}when = {{ ous = [\"{}\"] }}\n[iam.account_alias]\naccount_alias = \"acme-${{account.name}}-${{account.tags.env}}\"\nwhen = {{ account_tags = {{ env = \"prod\" }} }}\n",
        org.id("Team")
    );
    org.management.write("b.toml", &text);
    org.work();
    let plan = org.management.run(&["plan", "--format", "json"]).code(0).json();
    let items: Vec<(String, &str)> = plan["objects"]
        .as_array()
        .unwrap()
        .iter()
        .map(|object| {
            (object["account"].as_str().unwrap().to_owned(), object["item"].as_str().unwrap())
        })
        .collect();
    let wanted = [
        (org.id("alpha").to_owned(), "iam.password_policy"),
        (org.id("alpha").to_owned(), "iam.account_alias"),
        (org.id("beta").to_owned(), "iam.password_policy"),
    ];
    assert_eq!(items.len(), wanted.len(), "{items:?}");
    assert!(wanted.iter().all(|item| items.contains(item)), "{items:?}");
    org.management.run(&["plan"]).code(0).says("acme-alpha-prod");
}
