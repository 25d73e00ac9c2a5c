//! A plan is an upper bound, never a source: whatever somebody writes into a saved plan, and with a
//! digest that fits, nothing is written that a fresh plan of the baselines at hand would not write.
//! And limits hold whichever way one comes in; what a refusal says to run next, works.

use crate::support::organization::{Organization, POLICY};
use crate::support::{self, Account};
use evenkeel::plan::Plan;
use evenkeel::plan::render::json;
use serde_json::{Value, json};

const WRITE: &str = "iam:UpdateAccountPasswordPolicy";

fn account() -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account
}

/// A plan's file after somebody was at it, with the digest that fits.
fn forged(text: &str, forge: impl FnOnce(&mut Value)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    forge(&mut value);
    let plan: Plan = serde_json::from_value(value).unwrap();
    let mut file = Vec::new();
    json::write(&plan, &mut file).unwrap();
    String::from_utf8(file).unwrap()
}

/// A change that the forger wants, as the plan would show it: only reported, or applied.
fn wanted(id: u32, action: &Value, disposition: &Value) -> Value {
    json!({
        "id": id, "drift": [], "action": action, "risk": "safe", "warnings": [],
        "disposition": disposition, "permissions": [], "depends_on": [],
    })
}

/// A role that everybody may take, with administrator rights.
fn backdoor(plan: &mut Value, disposition: &Value, verdict: &str) {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}"#;
    let mut object = plan["objects"][0].clone();
    object["item"] = json!("iam.role.backdoor");
    object["mode"] = json!("enforce");
    object["verdict"] = json!({"is": verdict});
    object["spec"] = Value::Null;
    object["observed"] = json!({"id": "backdoor", "status": "absent"});
    let make = json!({"role_name": "backdoor", "step": {"create": {"assume_role_policy": trust, "tags": {}}}});
    let attach = json!({"role_name": "backdoor", "step": {"attach": {"policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"}}});
    object["changes"] = json!([wanted(101, &make, disposition), wanted(102, &attach, disposition)]);
    plan["objects"].as_array_mut().unwrap().push(object);
}

#[test]
fn a_forged_plan_writes_nothing() {
    let report = json!({"is": "report", "reason": "x"});
    let apply = json!({"is": "apply"});
    type Forge = Box<dyn Fn(&mut Value)>;
    let order = |ids: &'static [u32]| -> Forge { Box::new(move |plan| plan["order"] = json!(ids)) };
    let (shown, hidden) = (apply.clone(), report.clone());
    let edit = |path: &'static str, to: Value| -> Forge {
        let (parent, key) = path.rsplit_once('/').unwrap();
        Box::new(move |plan| plan.pointer_mut(parent).unwrap()[key] = to.clone())
    };
    let cases: Vec<(&str, Forge)> = vec![
        (
            "changes that are only reported, in the order",
            Box::new(move |plan| {
                backdoor(plan, &hidden, "in_sync");
                plan["order"] = json!([1, 101, 102]);
            }),
        ),
        (
            "changes to apply that nobody declares",
            Box::new(move |plan| {
                backdoor(plan, &shown, "drifted");
                plan["order"] = json!([1, 101, 102]);
            }),
        ),
        ("the same change five times", order(&[1, 1, 1, 1, 1])),
        ("a number that is nowhere", order(&[1, 999])),
        ("a change that is shown and not in the order", order(&[])),
        (
            "another write under the reviewed change",
            Box::new(|plan| {
                let action = &mut plan["objects"][0]["changes"][0]["action"];
                let other = action.to_string().replace("14", "6");
                assert_ne!(action.to_string(), other);
                *action = serde_json::from_str(&other).unwrap();
            }),
        ),
        ("another spec", edit("/objects/0/spec/minimum_password_length", json!(6))),
        (
            "another state before",
            Box::new(|plan| plan["objects"][0]["observed"]["label"] = json!("as the forger wants")),
        ),
        ("another digest of the state", edit("/objects/0/state_digest", json!("00"))),
        ("another risk", edit("/objects/0/changes/0/risk", json!("disruptive"))),
        ("another item", edit("/objects/0/item", json!("iam.account_alias"))),
        ("another Region", edit("/objects/0/region", json!("us-east-1"))),
        (
            "a second change of the same object",
            Box::new(move |plan| {
                let mut again = plan["objects"][0]["changes"][0].clone();
                again["id"] = json!(2);
                plan["objects"][0]["changes"].as_array_mut().unwrap().push(again);
                plan["order"] = json!([1, 2]);
            }),
        ),
        (
            "the same object twice",
            Box::new(move |plan| {
                let mut again = plan["objects"][0].clone();
                again["changes"][0]["id"] = json!(2);
                plan["objects"].as_array_mut().unwrap().push(again);
                plan["order"] = json!([1, 2]);
            }),
        ),
        ("an account that was not looked at", edit("/targets", json!([]))),
        ("another baseline's digest", edit("/baseline/digest", json!("00"))),
        ("targets of a fleet that is not here", edit("/baseline/targets", json!(["work"]))),
    ];
    let account = account();
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    let honest = account.read("plan.json");
    for (name, forge) in cases {
        account.write("evil.json", &forged(&honest, forge));
        account.forget_calls();
        let run = account.run(&["apply", "evil.json", "-b", "b.toml", "--yes"]);
        if name != "targets of a fleet that is not here" {
            assert_eq!(run.code, 3, "{name}\n{}\n{}", run.stdout, run.stderr);
            assert_eq!(account.writes(), Vec::<String>::new(), "{name}");
        }
        assert!(account.writes().iter().all(|write| write == WRITE), "{name}");
    }
    // Through merge-reports, the forged plan gets a digest that is right, and is no better for it.
    let shard = forged(&honest, |plan| {
        backdoor(plan, &apply, "drifted");
        plan["order"] = json!([1, 101, 102]);
    });
    account.write("shard.json", &shard);
    account.run(&["merge-reports", "shard.json", "--save", "merged.json"]).code(0);
    account.forget_calls();
    account
        .run(&["apply", "merged.json", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("iam.role.backdoor");
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn by_what_a_plan_is_judged_is_never_taken_from_the_plan() {
    let account = account();
    account.write("my baselines/b.toml", &POLICY.replace("14", "20"));
    account.run(&["plan", "-b", "my baselines/b.toml", "--save", "plan.json"]).code(0);
    // Without -b: the line that names it again, to be run once the reader agrees.
    let run =
        account.run(&["apply", "plan.json", "--yes"]).code(1).complains("name the baseline again");
    assert!(run.next().contains("-b 'my baselines/b.toml'"), "{}", run.next());
    assert_eq!(account.writes(), Vec::<String>::new());
    // A plan that names another file is judged by the one that was named.
    let text = account.read("plan.json");
    let evil = forged(&text, |plan| plan["baseline"]["files"] = json!(["/etc/evil.toml"]));
    account.write("evil.json", &evil);
    account
        .run(&["apply", "evil.json", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("the baseline has changed");
    assert_eq!(account.writes(), Vec::<String>::new());
    account.shell(&run.next()).code(0);
    assert_eq!(account.writes(), [WRITE]);
}

#[test]
fn a_plan_does_not_choose_accounts_and_targets() {
    let org = Organization::new();
    let targets = "[[target]]\nname = \"new\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\nmode = \"report\"\n\
         [[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<beta>\"] }\n";
    org.fleet(targets);
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    let honest = org.management.read("plan.json");
    let (alpha, gamma) = (org.id("alpha").to_owned(), org.id("gamma").to_owned());
    let fleet = org.management.read("evenkeel.toml");
    for (name, forge) in [
        (
            "a report-only account",
            &(|plan: &mut Value| {
                for object in plan["objects"].as_array_mut().unwrap() {
                    object["mode"] = json!("enforce");
                    object["changes"][0]["disposition"] = json!({"is": "apply"});
                }
                plan["order"] = json!([1, 2]);
            }) as &dyn Fn(&mut Value),
        ),
        ("without the target that only reports", &|plan: &mut Value| {
            plan["baseline"]["targets"] = json!(["work"]);
            plan["objects"][0]["mode"] = json!("enforce");
            plan["objects"][0]["changes"][0]["disposition"] = json!({"is": "apply"});
            plan["order"] = json!([1, 2]);
        }),
        ("an account that no target selects", &|plan: &mut Value| {
            for object in plan["objects"].as_array_mut().unwrap() {
                if object["account"] == json!(alpha) {
                    object["account"] = json!(gamma);
                    object["mode"] = json!("enforce");
                    object["changes"][0]["disposition"] = json!({"is": "apply"});
                }
            }
            let mut target = plan["targets"][0].clone();
            target["account"] = json!(gamma);
            plan["targets"].as_array_mut().unwrap().push(target);
            plan["order"] = json!([1, 2]);
        }),
    ] {
        org.management.write("evil.json", &forged(&honest, forge));
        let run = org.management.run(&["apply", "evil.json", "--yes"]);
        assert!([3, 4].contains(&run.code), "{name}: {}\n{}", run.stdout, run.stderr);
        for account in ["alpha", "gamma"] {
            assert_eq!(org.password_length(account), Value::Null, "{name}: {account}");
        }
        assert_eq!(org.management.read("evenkeel.toml"), fleet);
    }
}

#[test]
fn an_account_of_a_saved_plan_can_be_applied_alone() {
    let org = Organization::new();
    org.work();
    org.management.run(&["plan", "--save", "plan.json"]).code(0);
    let beta = org.id("beta").to_owned();
    org.management
        .run(&["apply", "plan.json", "-a", &beta, "--yes"])
        .code(0)
        .says("1 change applied");
    assert_eq!(org.password_length("beta"), 14);
    assert_eq!(org.password_length("alpha"), Value::Null);
    org.management
        .run(&["apply", "plan.json", "-a", org.id("delta"), "--yes"])
        .code(1)
        .complains("changes nothing in account");
    // The rest goes on without it: there, the plan is stale.
    org.management.run(&["apply", "plan.json", "--yes"]).code(4).says("2 changes applied");
}

#[test]
fn a_plan_of_another_version_is_refused() {
    let account = account();
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    let text = account.read("plan.json");
    let older = forged(&text, |plan| plan["evenkeel_version"] = json!("0.0.9"));
    account.write("older.json", &older);
    account
        .run(&["apply", "older.json", "-b", "b.toml", "--yes"])
        .code(3)
        .complains("evenkeel 0.0.9 made it")
        .complains("or use evenkeel 0.0.9");
    account.run(&["merge-reports", "older.json"]).code(1).complains("evenkeel 0.0.9 made it");
    // Two commits have the version of one package, and not the same sources.
    let own: Value = serde_json::from_str(&text).unwrap();
    let own = own["evenkeel_version"].as_str().unwrap();
    let (package, sources) = own.split_once('+').unwrap();
    account.run(&["--version"]).code(0).says(own);
    for other in [package.to_owned(), format!("{package}+{}", "0".repeat(sources.len()))] {
        let text = forged(&text, |plan| plan["evenkeel_version"] = json!(other));
        account.write("other.json", &text);
        account
            .run(&["apply", "other.json", "-b", "b.toml", "--yes"])
            .code(3)
            .complains(&format!("evenkeel {other} made"));
    }
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn with_a_key_only_what_was_signed_with_it_is_applied_or_merged() {
    const SECRET: &str = "canary-0123456789abcdef0123456789abcdef";
    let account = account();
    account.write("key", &format!("{SECRET}\n"));
    account.write("other", "another-key-0123456789abcdef0123456789");
    account.write("short", "canary");
    let plan = ["plan", "-b", "b.toml", "--save", "plan.json"];
    account.run(&plan).code(0);
    let apply = ["apply", "plan.json", "-b", "b.toml", "--yes"];
    let verify = |key: &str| account.run(&[&apply[..], &["--verify", key]].concat());
    verify("file:key").code(3).complains("it is not signed").complains("--sign");
    let run = account.run(&[&plan[..], &["--sign", "file:key"]].concat()).code(0);
    assert!(run.next().contains("--verify file:key"), "{}", run.next());
    assert!(!account.read("plan.json").contains("canary"));
    verify("file:other").code(3).complains("signature");
    verify("file:short").code(1).complains("has 6 bytes");
    verify("file:none").code(1);
    verify("env:NOT_THERE").code(1).complains("NOT_THERE");
    // The key itself on the command line: it is not taken, and not shown.
    for given in [SECRET, &format!("env:{SECRET}"), &format!("hmac:{SECRET}")] {
        let run = verify(given).code(1);
        assert!(!run.stderr.contains("canary") && !run.stdout.contains("canary"), "{}", run.stderr);
    }
    // Edited and with a right digest: whoever has no key cannot sign it.
    let signed = account.read("plan.json");
    let signature = serde_json::from_str::<Value>(&signed).unwrap()["signature"].clone();
    let edited = forged(&signed, |plan| plan["run"] = json!("another"));
    let mut edited: Value = serde_json::from_str(&edited).unwrap();
    edited["signature"] = signature;
    account.write("plan.json", &edited.to_string());
    verify("file:key").code(3).complains("signature");
    // What is no part of a plan is in no digest, and so in no signature.
    for place in ["", "/objects/0", "/objects/0/changes/0"] {
        let mut more: Value = serde_json::from_str(&signed).unwrap();
        more.pointer_mut(place).unwrap()["note_of_somebody"] = json!(1);
        account.write("plan.json", &more.to_string());
        verify("file:key").code(3).complains("edited");
    }
    // Nor what is counted from it, and what was said of the moment at which it was printed.
    for (member, value) in [
        ("estimate", json!({ "low": 0.0, "high": 0.0, "by_use": 0, "counted": [] })),
        ("held_back", json!([{ "guard": "hold", "reason": "x", "released_by": "y" }])),
    ] {
        let mut more: Value = serde_json::from_str(&signed).unwrap();
        more[member] = value;
        account.write("plan.json", &more.to_string());
        verify("file:key").code(3).complains("edited");
    }
    account.write("shard.json", &signed);
    let merge = ["merge-reports", "shard.json", "--verify"];
    account.run(&[&merge[..], &["file:other"]].concat()).code(1).complains("signature");
    let merged = ["file:key", "--save", "plan.json", "--sign", "file:key"];
    account.run(&[&merge[..], &merged].concat()).code(0);
    assert_eq!(account.writes(), Vec::<String>::new());
    let run = account.shell(&format!(
        "KEY={SECRET} evenkeel apply plan.json -b b.toml --yes --verify env:KEY -vv"
    ));
    let run = run.code(0);
    assert!(!run.stderr.contains("canary") && !run.stdout.contains("canary"), "{}", run.stderr);
    assert_eq!(account.writes(), [WRITE]);
}

#[test]
fn a_key_of_kms_signs_and_checks_without_leaving_it() {
    let account = account();
    let make = |usage: &str, spec: &str| -> String {
        let script = format!(
            "print(json.dumps(boto3.client('kms').create_key(KeyUsage='{usage}', KeySpec='{spec}')['KeyMetadata']['Arn']))"
        );
        account.boto3(&script).as_str().unwrap().to_owned()
    };
    let key = format!("kms:{}", make("GENERATE_VERIFY_MAC", "HMAC_256"));
    let other = format!("kms:{}", make("GENERATE_VERIFY_MAC", "HMAC_256"));
    let encrypts = format!("kms:{}", make("ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT"));
    let plan = ["plan", "-b", "b.toml", "--save", "plan.json"];
    let apply = ["apply", "plan.json", "-b", "b.toml", "--yes", "--verify"];
    let sign = |key: &str| account.run(&[&plan[..], &["--sign", key]].concat());
    let verify = |key: &str| account.run(&[&apply[..], &[key]].concat());

    sign(&encrypts).code(1).complains("HMAC_256").complains("GENERATE_VERIFY_MAC");
    for wrong in ["kms:alias/plans", "kms:arn:aws:kms:us-east-1:1:key/1", "kms:"] {
        sign(wrong).code(1).complains("kms:ARN");
    }
    // Heard before the accounts are looked at.
    account.forget_calls();
    account.fault(json!({"service": "kms", "operation": "GenerateMac", "kind": "error"}));
    sign(&key).code(1).complains("allow kms:GenerateMac on this key");
    assert!(account.calls().iter().all(|call| call.service != "iam"), "it looked first");
    account.no_faults();

    let run = sign(&key).code(0);
    assert!(run.next().contains(&format!("--verify {key}")), "{}", run.next());
    let saved: Value = serde_json::from_str(&account.read("plan.json")).unwrap();
    // What boto3 makes with the same key of what SECURITY.md says.
    let made = account.boto3(&format!(
        "print(json.dumps(boto3.client('kms').generate_mac(KeyId='{}', MacAlgorithm='HMAC_SHA_256', Message=b'evenkeel plan 1\\n' + b{})['Mac'].hex()))",
        &key["kms:".len()..],
        saved["plan_digest"]
    ));
    assert_eq!(saved["signature"], json!({"algorithm": "HMAC-SHA-256", "value": made}));

    verify(&other).code(3).complains("signature");
    account.fault(json!({"service": "kms", "operation": "VerifyMac", "kind": "error"}));
    verify(&key).code(1).complains("kms:VerifyMac");
    account.no_faults();
    account.run(&plan).code(0);
    verify(&key).code(3).complains("it is not signed");
    assert_eq!(account.writes().iter().filter(|write| *write == WRITE).count(), 0);
    sign(&key).code(0);
    verify(&key).code(0);
    assert_eq!(account.writes().iter().filter(|write| *write == WRITE).count(), 1);
}

#[test]
fn a_fleet_file_can_take_signed_plans_only() {
    let account = account();
    account.write("key", "0123456789abcdef0123456789abcdef");
    account.write(
        "evenkeel.toml",
        "schema = 1\n[[target]]\nname = \"own\"\nbaselines = [\"b.toml\"]\n[safety]\nrequire_signed_plans = true\n",
    );
    account.run(&["plan", "--save", "plan.json", "--sign", "file:key"]).code(0);
    let run = account.run(&["apply", "plan.json", "--yes"]).code(3);
    run.complains("require_signed_plans").complains("--verify");
    assert_eq!(account.writes(), Vec::<String>::new());
    account.run(&["apply", "plan.json", "--yes", "--verify", "file:key"]).code(0);
    assert_eq!(account.writes(), [WRITE]);
    // What is planned and applied in one go has no file that anybody could forge.
    account.boto3("boto3.client('iam').delete_account_password_policy()");
    account.run(&["apply", "--yes"]).code(0);
}

#[test]
fn a_baseline_of_the_command_line_does_no_more_than_the_fleet_file_allows() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"newcomers\"\nbaselines = [\"b.toml\"]\nselect = { accounts = [\"<alpha>\"] }\nmode = \"report\"\n\
         [[target]]\nname = \"enforced\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nexcept = { accounts = [\"<gamma>\"] }\n",
    );
    let apply = |name: &str, more: &[&str]| {
        let id = org.id(name).to_owned();
        org.management.run(&[&["apply", "-b", "b.toml", "-a", &id, "--yes"][..], more].concat())
    };
    // Two targets select it, and one only reports.
    apply("alpha", &[]).code(2).says("nothing to apply");
    apply("alpha", &["--outside-fleet"]).code(2).says("nothing to apply");
    assert_eq!(org.password_length("alpha"), Value::Null);
    // The line that the refusal names is the wish to go outside.
    for (name, why) in [("gamma", "(`except`)"), ("delta", "no target of the fleet file selects")] {
        let run = apply(name, &[]).code(3).complains(why);
        assert_eq!(org.password_length(name), Value::Null);
        org.management.shell(&run.next()).code(0);
        assert_eq!(org.password_length(name), 14, "{name}");
    }
    apply("beta", &[]).code(0).says("1 change applied");
    // A plan says the same, and does not need the organization to answer.
    let delta = org.id("delta").to_owned();
    org.management
        .run(&["plan", "-b", "b.toml", "-a", &delta])
        .code(0)
        .complains("--outside-fleet");
    org.management.fault(json!({"service": "organizations", "kind": "error"}));
    let beta = org.id("beta").to_owned();
    org.management.run(&["check", "-b", "b.toml", "-a", &beta]).code(0).complains("nobody knows");
    apply("beta", &[]).code(3).complains("nobody knows whether");
}

/// More changes than `limit` in one account and than `all` in all.
fn busy(all: usize, limit: usize) -> Account {
    let account = support::emulator().account();
    account.mess();
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"busy\"\nmode = \"enforce\"\n[ec2.ebs_encryption]\nenabled = true\n",
    );
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n[safety]\nmax_changes = {all}\nmax_changes_per_account = {limit}\n"
        ),
    );
    account
}

#[test]
fn each_limit_is_raised_by_its_own_option_alone() {
    let account = busy(500, 5);
    account.run(&["plan", "--save", "plan.json"]).code(0);
    for way in [
        &["apply", "plan.json", "--yes"][..],
        &["apply", "--yes"],
        &["apply", "-b", "b.toml", "--yes"],
    ] {
        account.run(way).code(3).complains("the limit for one account is 5");
        let run = account.run(&[way, &["--max-changes", "40"]].concat());
        run.code(3).complains("the limit for one account is 5");
    }
    account.run(&["run", "--once"]).code(3);
    assert_eq!(account.writes(), Vec::<String>::new());
    let run = account.run(&[
        "apply",
        "plan.json",
        "--yes",
        "--max-changes-per-account",
        "40",
        "--max-changes",
        "3",
    ]);
    let next = run.code(3).complains("the limit is 3").next();
    assert!(
        next.contains("--max-changes-per-account 40") && !next.contains("--max-changes 3"),
        "{next}"
    );
    account.shell(&next).code(0);
    account.run(&["check"]).code(0);
}

#[test]
fn what_is_too_much_for_a_day_that_is_unused_needs_no_guard_overruled() {
    let account = busy(500, 5);
    let fleet = account.read("evenkeel.toml");
    let day = "max_changes_per_account_per_day = 10\n";
    account.write("evenkeel.toml", &format!("{fleet}{day}"));
    let run = account.run(&["plan", "--save", "plan.json"]).code(0).says("Apply would refuse: ");
    let next = run.next();
    let is_right = |next: &str| {
        next.contains("--max-changes-per-account 17")
            && !next.contains("--overrule")
            && !next.contains("--max-changes ")
    };
    assert!(is_right(&next), "{next}");
    let refused = account.run(&["apply", "--yes"]).code(3).complains("in 24 hours").next();
    assert!(is_right(&refused), "{refused}");
    // Where some of the day is used, no limit of a run gives it back.
    account.run(&["apply", "--yes", "-r", "us-east-1"]).code(0);
    let refused = account.run(&["apply", "--yes"]).code(3).next();
    assert!(refused.contains("--overrule budget"), "{refused}");
    account.shell(&refused).code(0);
    account.run(&["check"]).code(0);
}

#[test]
fn a_plan_that_would_be_refused_says_so_with_the_line_that_is_not() {
    let account = busy(10, 5);
    let run = account.run(&["plan", "--save", "plan.json"]).code(0).says("Apply would refuse: ");
    let next = run.next();
    let refused = account.run(&["apply", "plan.json", "--yes"]).code(3);
    assert_eq!(refused.next(), next.replace("plan.json", "plan.json --yes"));
    assert!(
        next.contains("--max-changes ") && next.contains("--max-changes-per-account "),
        "{next}"
    );
    // Forms for machines stay as they are, and the person hears of it all the same.
    account
        .run(&["plan", "--format", "json", "--out", "p.json"])
        .code(0)
        .complains("Apply would refuse");
    // Who reviews a comment or a page reads it there.
    for format in ["markdown", "html"] {
        let shown = account.run(&["plan", "--format", format]).code(0).stdout;
        assert!(shown.contains("Apply would refuse") && shown.contains("max-changes"), "{shown}");
    }
    account.shell(&refused.next()).code(0);
    account.run(&["check"]).code(0);
    // Unsaved, it says how to save it.
    let other = busy(10, 5);
    let run = other.run(&["plan", "-k", "ec2"]).code(0);
    let line = run.stdout.lines().last().unwrap().to_owned();
    let (save, apply) = line.split_once("evenkeel plan").unwrap().1.split_once(", then ").unwrap();
    other.shell(&format!("evenkeel plan{save}")).code(0);
    other.shell(&format!("{apply} --yes")).code(0);
}

#[test]
fn a_window_that_closes_while_the_question_is_open_is_closed() {
    let account = account();
    let fleet = "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n";
    account.write("evenkeel.toml", fleet);
    // Open for an hour on the first of January at midnight: not now.
    let closed = format!("{fleet}[[safety.change_windows]]\ncron = \"0 0 0 1 1 *\"\nhours = 1\n");
    let run = account.at_terminal_while(
        &["apply"],
        &json!([["Only \"yes\"", "yes\n", {"evenkeel.toml": closed}]]),
    );
    run.code(3).says("Apply 1 change to 1 account?").says("no change window is open");
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn a_ref_that_leaves_a_commit_out_is_no_other_version() {
    let account = account();
    for args in [
        &["init", "-q"][..],
        &["add", "."],
        &["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "c"],
    ] {
        let git = std::process::Command::new("git");
        let mut git = git;
        assert!(git.args(args).current_dir(account.folder.path()).status().unwrap().success());
    }
    account.run(&["plan", "-b", "b.toml", "--compare-to", "HEAD"]).code(0);
    for name in ["^HEAD", "--all", "HEAD..HEAD", "no-such"] {
        let compare = format!("--compare-to={name}");
        account
            .run(&["plan", "-b", "b.toml", &compare])
            .code(1)
            .complains("neither a folder nor a git ref");
    }
}

#[cfg(unix)]
#[test]
fn a_baseline_whose_path_is_no_text_can_be_planned_and_applied() {
    use std::os::unix::ffi::OsStrExt;
    let account = account();
    let path = account.folder.path().join(std::ffi::OsStr::from_bytes(b"b\xff.toml"));
    std::fs::copy(account.folder.path().join("b.toml"), path).unwrap();
    let run = account.shell("evenkeel plan -b $'b\\xff.toml' --save plan.json").code(0);
    account.shell(&format!("{} --yes", run.next())).code(0);
    assert_eq!(account.writes(), [WRITE]);
}

#[test]
fn nobody_to_ask_is_told_the_line_with_which_nobody_needs_to() {
    let account = account();
    let run = account.run(&["apply", "-b", "b.toml"]).code(3);
    assert_eq!(run.next(), "evenkeel apply -b b.toml --yes");
    account.shell(&run.next()).code(0);
}

#[test]
fn a_saved_plan_above_the_risk_limit_says_how_to_allow_it() {
    let account = account();
    account.write("b.toml", &format!("{POLICY}max_password_age = 90\n"));
    account.run(&["plan", "-b", "b.toml", "--save", "plan.json"]).code(0);
    let apply = ["apply", "plan.json", "-b", "b.toml", "--max-risk", "safe", "--yes"];
    let run = account.run(&apply).code(3).complains("a disruptive change of iam.password_policy");
    assert_eq!(account.writes(), Vec::<String>::new());
    assert_eq!(run.next(), "evenkeel apply plan.json -b b.toml --yes --max-risk disruptive");
    account.shell(&run.next()).code(0);
    // What was left out when the plan was made stays left out.
    let other = self::account();
    other.write("b.toml", &format!("{POLICY}max_password_age = 90\n"));
    other.run(&["plan", "-b", "b.toml", "--max-risk", "safe", "--save", "plan.json"]).code(0);
    other.run(&["apply", "plan.json", "-b", "b.toml", "--yes"]).says("nothing to apply");
    assert_eq!(other.writes(), Vec::<String>::new());
}

#[test]
fn the_first_apply_of_the_foundation_is_one_reviewed_plan_away() {
    let account = support::emulator().account();
    account.mess();
    let foundation = support::root().join("baselines/foundation.toml");
    account.write("f.toml", &std::fs::read_to_string(foundation).unwrap());
    // More than a run may change, and more than a day has: both are said at once.
    let plan = account.run(&["plan", "-b", "f.toml", "--save", "first.json"]).code(0);
    let next = plan.says("Apply would refuse: ").next();
    // The README promises this very line.
    let readme = std::fs::read_to_string(support::root().join("README.md")).unwrap();
    let (_, limit) = next.split_once("--max-changes-per-account ").unwrap();
    assert!(readme.contains(&format!("`--max-changes-per-account {limit}`")), "{next}");
    account.shell(&format!("{next} --yes")).code(2).says("verified").says("stay open");
}
