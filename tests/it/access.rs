//! Least privilege and rises of privileges: what the printed policy allows is enough and not more,
//! and what gives rights away is written only when its class is allowed.

use std::process::Command;
use std::sync::Arc;

use crate::support::library::{self, Declaration};
use crate::support::organization::{self, Organization};
use crate::support::{self, Account};
use evenkeel::aws::reads::ReadCache;
use evenkeel::kinds::object::Cause;
use evenkeel::kinds::{Arns, registry};
use evenkeel::permissions::{MANAGED_POLICY_LIMIT, Permissions};
use evenkeel::plan::{Mode, Verdict};
use evenkeel::reconcile::observe::turns;
use evenkeel::reconcile::observe_all;
use serde_json::{Value, json};

const FOUNDATION: &str = "baselines/foundation.toml";
/// A role for another company, with everything.
const BACKDOOR: &str = "schema = 1\n[baseline]\nname = \"e\"\nmode = \"enforce\"\n[iam.role.helper]\ntrusted_account_ids = [\"999999999999\"]\nmanaged_policy_arns = [\"arn:aws:iam::aws:policy/AdministratorAccess\"]\n";

fn foundation() -> String {
    support::root().join(FOUNDATION).to_str().unwrap().to_owned()
}

/// What the catalogue of IAM says against a policy.
fn problems(account: &Account, policy: &Value) -> Value {
    account.write("policy.json", &policy.to_string());
    let emulator = support::root().join("tests/emulator");
    let output = Command::new(support::python())
        .arg(emulator.join("catalogue.py"))
        .arg(account.folder.path().join("policy.json"))
        .arg(emulator.join("catalogue_exceptions.json"))
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {complaint}"))
}

/// All kinds with all their samples, in one policy.
#[tokio::test(flavor = "multi_thread")]
async fn an_independent_catalogue_agrees_with_the_policies_of_all_kinds() {
    let account = support::emulator().account();
    let session = library::connect(&account).await;
    let mut permissions = Permissions::default();
    let arns = Arns::of("aws", &account.id);
    for kind in registry::all() {
        for sample in kind.samples() {
            for (item, _) in Declaration::new(&account, sample).items(&session).await {
                let kind = registry::find(&item.item.kind).unwrap();
                permissions.add(kind, &item.spec, Mode::Enforce, &arns).unwrap();
            }
        }
    }
    assert_eq!(problems(&account, &permissions.document()), json!([]));
}

/// AWS, as the emulator plays it, lets through what the printed policy allows: action, resource
/// and conditions of every call, the reads and the writes.
#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_inside_the_printed_policy() {
    let only = std::env::var("EVENKEEL_KIND").ok();
    for kind in registry::all() {
        if only.as_deref().is_some_and(|only| only != kind.name()) {
            continue;
        }
        let account = support::emulator().account();
        account.mess();
        organization::prepare(&account, kind.name());
        let session = library::connect(&account).await;
        let samples = kind.samples();
        for sample in samples.iter().chain(samples.first()) {
            let declaration = Declaration::new(&account, sample);
            let mut permissions = Permissions::default();
            let arns = Arns::of(session.partition(), &account.id);
            for (item, _) in declaration.items(&session).await {
                let kind = registry::find(&item.item.kind).unwrap();
                permissions.add(kind, &item.spec, Mode::Enforce, &arns).unwrap();
            }
            account.allow_only(&permissions.document());
            let look = async || {
                let reads = Arc::new(ReadCache::default());
                let items = declaration.items(&session).await;
                let items = observe_all(&session, &reads, items, None, &turns(), |_, _| {}).await;
                library::plan(&session, &declaration, items)
            };
            let plan = look().await;
            let report = library::apply(&account, &session, &plan).await;
            assert!(report.is_complete(), "{}\n{report:#?}", declaration.text);
            let left = look().await;
            for object in &left.objects {
                // What could not be read would prove nothing.
                let was_read = match &object.verdict {
                    Verdict::Unknown(unknown) => unknown.cause == Cause::Awaited,
                    _ => true,
                };
                assert!(was_read, "{}: {:?}", object.title(), object.verdict);
                assert!(!object.is_changed(), "{}: {:#?}", object.title(), object.changes);
            }
            account.allow_everything();
        }
    }
}

#[test]
fn the_policy_names_what_the_baseline_names() {
    let account = support::emulator().account();
    let own = "arn:aws:iam::111122223333:role/ops/evenkeel";
    let file = foundation();
    let run = account
        .run(&["policy", "-b", &file, "--mode", "enforce", "--own-role", own])
        .code(0)
        .complains(
            "stand on \"*\" because AWS has no resource for them: config:PutDeliveryChannel",
        );
    let policy = run.json();
    assert_eq!(problems(&account, &policy), json!([]));
    let text = policy.to_string();
    assert!(text.len() <= MANAGED_POLICY_LIMIT, "{} characters", text.len());
    let statements = policy["Statement"].as_array().unwrap();
    let of = |action: &str| -> Vec<&Value> {
        let has = |one: &&Value| {
            one["Action"].as_array().is_some_and(|list| list.contains(&json!(action)))
        };
        statements.iter().filter(has).collect()
    };
    // Its path is declared, and under another one it is another role.
    let roles = json!("arn:aws:iam::*:role/aws-support");
    for action in ["iam:CreateRole", "iam:UpdateAssumeRolePolicy", "iam:AttachRolePolicy"] {
        assert_eq!(of(action)[0]["Resource"], roles, "{action}");
        assert_eq!(of(action).len(), 1, "{action}");
    }
    assert_eq!(
        of("iam:AttachRolePolicy")[0]["Condition"]["ArnLike"]["iam:PolicyARN"],
        "arn:aws:iam::aws:policy/AWSSupportAccess"
    );
    assert_eq!(of("s3:PutBucketPolicy")[0]["Resource"], "arn:aws:s3:::evenkeel-audit-*");
    for key in of("kms:PutKeyPolicy") {
        assert!(key["Condition"].to_string().contains("alias/evenkeel-audit"), "{key}");
    }
    let deny = statements.iter().find(|one| one["Effect"] == "Deny").unwrap();
    assert_eq!(deny["Resource"], own);
    // With a known account there is no wildcard left for it.
    let policy = account
        .run(&["policy", "-b", &file, "--mode", "enforce", "-a", "111122223333"])
        .code(0)
        .complains("--own-role")
        .json();
    let text = policy.to_string();
    assert!(text.contains("arn:aws:iam::111122223333:role/aws-support"));
    assert!(text.contains("\"arn:aws:s3:::evenkeel-audit-111122223333\""), "{text}");
    assert!(!text.contains("evenkeel-audit-*"), "{text}");
    // Reading needs no word of any of this.
    let report = account.run(&["policy", "-b", &file, "--mode", "report"]).code(0);
    assert_eq!(report.json()["Statement"].as_array().unwrap().len(), 1);
    assert_eq!(report.stderr, "");
}

/// Whoever could put evenkeel's mark on a key could write its policy.
#[test]
fn the_mark_is_put_on_no_key_of_somebody_else() {
    let account = support::emulator().account();
    account.boto3(
        "kms = boto3.client('kms')\n\
         for alias, tags in (('alias/theirs', []), ('', [{'TagKey': 'evenkeel:alias', 'TagValue': 'alias/other'}])):\n\
         \x20   key = kms.create_key(Tags=tags)['KeyMetadata']['KeyId']\n\
         \x20   if alias: kms.create_alias(AliasName=alias, TargetKeyId=key)\n\
         print('null')",
    );
    let file = foundation();
    let args = ["policy", "-b", &file, "--mode", "enforce", "-a", &account.id];
    account.allow_only(&account.run(&args).code(0).json());
    let answers = account.boto3(
        "import json\n\
         kms, answers = boto3.client('kms'), []\n\
         mark = [{'TagKey': 'evenkeel:alias', 'TagValue': 'alias/evenkeel-audit'}]\n\
         for key in kms.list_keys()['Keys']:\n\
         \x20   for call in ('tag_resource', 'put_key_policy'):\n\
         \x20       more = {'Tags': mark} if call == 'tag_resource' else {'PolicyName': 'default', 'Policy': '{}'}\n\
         \x20       try:\n\
         \x20           getattr(kms, call)(KeyId=key['KeyId'], **more)\n\
         \x20           answers.append('done')\n\
         \x20       except kms.exceptions.ClientError as error:\n\
         \x20           answers.append(error.response['Error']['Code'])\n\
         print(json.dumps(answers))",
    );
    assert_eq!(answers, json!(vec!["AccessDeniedException"; 4]));
    account.allow_everything();
}

#[test]
fn the_role_of_the_fleet_file_is_denied_to_itself() {
    let org = Organization::new();
    org.management.write("b.toml", BACKDOOR);
    org.work();
    org.management.write("b.toml", BACKDOOR);
    let policy = org.management.run(&["policy", "--mode", "enforce"]).code(0).json();
    let last = policy["Statement"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["Effect"], "Deny");
    assert_eq!(last["Resource"], "arn:aws:iam::*:role/evenkeel");
}

#[test]
fn a_boundary_on_request_is_a_condition_or_a_refusal() {
    let account = support::emulator().account();
    let boundary = "arn:aws:iam::111122223333:policy/limit";
    account.write("e.toml", BACKDOOR);
    let ask = ["policy", "-b", "e.toml", "--mode", "enforce", "--permissions-boundary", boundary];
    account.run(&ask).code(1).complains("permissions_boundary");
    account.write("e.toml", &format!("{BACKDOOR}permissions_boundary = \"{boundary}\"\n"));
    let policy = account.run(&ask).code(0).json();
    for statement in policy["Statement"].as_array().unwrap() {
        let attaches = statement["Action"].to_string().contains("iam:AttachRolePolicy");
        assert!(!attaches || statement["Condition"].to_string().contains(boundary), "{statement}");
    }
}

#[test]
fn rights_for_another_company_are_only_reported_until_somebody_allows_them() {
    let account = support::emulator().account();
    account.write("e.toml", BACKDOOR);
    let plan = account
        .run(&["plan", "-b", "e.toml"])
        .code(0)
        .says("gives rights (foreign): sts:AssumeRole to account 999999999999")
        .says("gives rights (administrator): arn:aws:iam::aws:policy/AdministratorAccess to helper")
        .says("--allow-grants foreign, [safety] allow_grants");
    assert!(plan.stdout.contains("0 to change"), "{}", plan.stdout);
    account.run(&["apply", "-b", "e.toml", "--yes"]).code(2).says("nothing to apply");
    for format in ["markdown", "html", "junit", "sarif", "json"] {
        account.run(&["plan", "-b", "e.toml", "--format", format]).code(0).says("999999999999");
    }
    // One class is not the other.
    account
        .run(&["apply", "-b", "e.toml", "--yes", "--allow-grants", "administrator"])
        .code(2)
        .says("nothing to apply");
    // What is not allowed is left, and the run says that it is not all.
    account
        .run(&["apply", "-b", "e.toml", "--yes", "--allow-grants", "foreign"])
        .code(2)
        .says("1 change applied");
}

/// Whoever has the key can take it away, and with it all that was encrypted.
#[test]
fn a_key_of_another_account_is_left_to_nobody_in_silence() {
    const KEY: &str = "arn:aws:kms:eu-west-1:999999999999:key/0f1e2d3c-0000-4000-8000-000000000000";
    let account = support::emulator().account();
    let items = [
        ("ec2.ebs_encryption", "enabled = true\nkms_key_id"),
        ("logs.log_group.x", "log_group_name = \"/app/x\"\nkms_key_id"),
        (
            "s3.bucket.x",
            "bucket = \"x-${account.id}\"\nsse_algorithm = \"aws:kms\"\nkms_master_key_id",
        ),
        ("sns.topic.x", "name = \"x\"\nkms_master_key_id"),
        ("cloudtrail.trail.main", "s3_bucket_name = \"some-logs\"\nkms_key_id"),
    ];
    let items = items.map(|(item, fields)| format!("[{item}]\n{fields} = \"{KEY}\"\n"));
    account.write(
        "e.toml",
        &format!("schema = 1\n[baseline]\nname = \"e\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n{}", items.join("")),
    );
    let plan = account.run(&["plan", "-b", "e.toml", "--format", "json"]).code(0).json();
    let objects = plan["objects"].as_array().unwrap();
    assert_eq!(objects.len(), items.len(), "{plan}");
    for object in objects {
        let changes = object["changes"].as_array().unwrap().iter();
        let left = changes.filter(|change| change["grants"].to_string().contains("999999999999"));
        let left: Vec<_> = left.collect();
        assert_eq!(left.len(), 1, "{object}");
        assert_eq!(left[0]["grants"][0]["class"], "foreign", "{object}");
    }
}

#[test]
fn a_saved_plan_gives_no_rights_that_are_not_allowed_when_it_is_applied() {
    let account = support::emulator().account();
    account.write("e.toml", BACKDOOR);
    let both = ["--allow-grants", "foreign", "--allow-grants", "administrator"];
    let save = ["plan", "-b", "e.toml", "--save", "plan.json"];
    account.run(&[&save[..], &both[..]].concat()).code(0);
    account
        .run(&["apply", "plan.json", "-b", "e.toml", "--yes"])
        .code(3)
        .complains("--allow-grants");
    account.run(&[&["apply", "plan.json", "-b", "e.toml", "--yes"], &both[..]].concat()).code(0);
    // The fleet file can allow them too.
    account.run(&[&save[..], &both[..]].concat()).code(0).says("in sync");
}

fn trusting(account: &str) -> String {
    format!(
        "schema = 1\n[baseline]\nname = \"trust\"\nmode = \"enforce\"\n[iam.role.reader]\ntrusted_account_ids = [\"{account}\"]\n"
    )
}

#[test]
fn rights_for_a_trusted_account_are_named_and_applied() {
    let account = support::emulator().account();
    account.write("b.toml", &trusting("999999999999"));
    let fleet = |trusted: &str| {
        account.write(
            "evenkeel.toml",
            &format!("schema = 1\n[safety]\ntrusted_accounts = [{trusted}]\n[[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\n"),
        );
    };
    let reported = || {
        let plan = account.run(&["plan"]).code(0).says("gives rights (foreign): sts:AssumeRole");
        assert!(plan.stdout.contains("0 to change"), "{}", plan.stdout);
    };
    fleet("");
    reported();
    fleet("\"888888888888\"");
    reported();
    // What is no account is wrong in its line.
    for wrong in ["\"99999999999\"", "\"*\"", "\"arn:aws:iam::999999999999:root\"", "999999999999"]
    {
        fleet(wrong);
        account.run(&["plan"]).code(1).complains("evenkeel.toml:3").complains("trusted_accounts");
    }
    fleet("\"888888888888\", \"999999999999\"");
    account
        .run(&["plan"])
        .code(0)
        .says("1 to change")
        .says("gives rights (foreign, trusted): sts:AssumeRole to account 999999999999");
    account.run(&["plan", "--save", "plan.json"]).code(0);
    // By what a plan is judged is never taken from the plan itself.
    fleet("\"888888888888\"");
    account.run(&["apply", "plan.json", "--yes"]).code(3).complains("--allow-grants");
    fleet("\"999999999999\"");
    account.run(&["apply", "plan.json", "--yes"]).code(0).says("1 change applied");
    // Everybody is no account.
    account.write("b.toml", &trusting("999999999999").replace("trusted_account_ids = [\"999999999999\"]",
        "[iam.role.reader.assume_role_policy]\nVersion = \"2012-10-17\"\n[[iam.role.reader.assume_role_policy.Statement]]\nEffect = \"Allow\"\nPrincipal = \"*\"\nAction = \"sts:AssumeRole\""));
    account.run(&["plan"]).code(0).says("gives rights (public)").says("--allow-grants public");
}

#[test]
fn the_fleets_own_accounts_are_trusted_only_on_request() {
    let org = Organization::new();
    let target =
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\n";
    let trust = format!("[safety]\ntrust_fleet_accounts = true\n{target}");
    let alone = format!(
        "{trust}[[target]]\nname = \"alpha\"\nbaselines = [\"b.toml\"]\nselect = {{ accounts = [\"<alpha>\"] }}\n"
    );
    let changes = |fleet: &str, whom: &str, args: &[&str]| {
        org.management.write("b.toml", &trusting(org.id(whom)));
        org.fleet(fleet);
        let plan =
            org.management.run(&[&["plan", "--format", "json"], args].concat()).code(0).json();
        plan["summary"]["to_change"].clone()
    };
    let alpha = ["-a", org.id("alpha")];
    assert_eq!(changes(target, "beta", &alpha), 0, "off by default");
    assert_eq!(changes(&trust, "beta", &alpha), 1);
    assert_eq!(changes(&alone, "beta", &["-t", "alpha"]), 1, "whatever -t chooses");
    // In the organization, and in no target.
    assert_eq!(changes(&trust, "delta", &alpha), 0);
}
