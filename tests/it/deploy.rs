//! `evenkeel deploy`: the templates are made in the emulator, call by call (`tests/deploy/stack.py`), and
//! carry an event from a member account to the queue of the hub.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{emulator, root};

const FORMS: [(&str, &str); 2] = [("cloudformation", "json"), ("terraform", "tf.json")];
const PARTS: [&str; 3] = ["hub", "member-role", "member-events"];

/// A template, as the command prints it.
fn template(form: &str, part: &str) -> String {
    let foundation = root().join("baselines/foundation.toml");
    let mut args = vec!["deploy", form, part];
    if part == "member-role" {
        args.extend(["-b", foundation.to_str().unwrap(), "--mode", "enforce"]);
        args.extend(["--own-role", "arn:aws:iam::111122223333:role/evenkeel"]);
    }
    let account = emulator().account();
    let made = account.run(&args).code(0);
    assert!(account.calls().is_empty(), "it asks AWS for nothing");
    made.stdout
}

/// Those for the foundation are kept, so that everybody can read them, and the linter does.
#[test]
fn the_kept_templates_are_what_the_command_makes() {
    for (form, ending) in FORMS {
        for part in PARTS {
            let text = template(form, part);
            let kept = root().join(format!("deploy/{form}/{part}.{ending}"));
            if std::env::var_os("EVENKEEL_UPDATE").is_some() {
                std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
                std::fs::write(&kept, &text).unwrap();
            }
            let there = std::fs::read_to_string(&kept).unwrap_or_default();
            assert!(there == text, "{} is stale: run `make docs` and commit it", kept.display());
        }
    }
}

#[test]
fn an_event_of_a_member_comes_to_the_queue_of_the_hub() {
    let hub = emulator().account();
    let templates: Value = PARTS
        .iter()
        .map(|part| {
            (
                part.to_string(),
                serde_json::from_str::<Value>(&template("cloudformation", part)).unwrap(),
            )
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    hub.write("templates.json", &templates.to_string());
    let carried = |what: &str| {
        hub.boto3(&format!(
            "import sys\nsys.path.insert(0, {:?})\nfrom deploy import carry\nprint(json.dumps({what}))",
            root().join("tests")
        ))
    };
    let file = hub.folder.path().join("templates.json");
    let made = carried(&format!("carry.make(json.load(open({file:?})))"));
    let member = made["member"].as_str().unwrap();
    ureq::post(&format!("{}/_evenkeel/events?account={member}", emulator().url))
        .send_json(json!({}))
        .unwrap();
    carried(&format!("carry.touch({member:?})"));
    let heard = carried(&format!("carry.heard({})", made["QueueUrl"]));
    assert_eq!(
        heard,
        json!(["CreateTags", "EnableEbsEncryptionByDefault", "UpdateAccountPasswordPolicy"])
    );
}

/// A fleet with everything that evenkeel calls with its own credentials.
const WHOLE: &str = r#"schema = 1
home_region = "eu-west-1"
[access]
role_arn = "arn:${partition}:iam::${account.id}:role/security/keeper"
organizations_role_arn = "arn:${partition}:iam::999999999999:role/list"
[safety]
kill_switch_parameter = { name = "/ops/stop", region = "eu-north-1" }
[store]
anchor = { bucket = "heads", prefix = "keel/" }
[notify.sns.security]
topic_arn = "arn:aws:sns:eu-west-1:999999999999:security"
[notify.eventbridge.own]
event_bus_name = "notices"
[notify.eventbridge.theirs]
event_bus_name = "arn:aws:events:us-east-1:999999999999:event-bus/security"
[notify.securityhub.findings]
region = "eu-central-1"
[[target]]
name = "all"
baselines = ["b.toml"]
"#;
const BASELINE: &str = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n[iam.password_policy]\nrequire_symbols = true\n";

/// What each action is allowed on, as a template or policy has it.
fn allowed(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let many = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        one => vec![one.clone()],
    };
    let text = |value: &Value| {
        let known = value["Fn::Sub"].as_str().or(value.as_str());
        known.map_or_else(|| value.to_string(), str::to_owned)
    };
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let statements = document["Statement"].as_array().unwrap();
    for statement in statements.iter().filter(|statement| statement["Effect"] == "Allow") {
        for action in many(&statement["Action"]) {
            let on = all.entry(text(&action)).or_default();
            on.extend(many(&statement["Resource"]).iter().map(text));
        }
    }
    all
}

/// What the policy for the controller's own role allows.
fn of_controller(form: &str, template: &Value) -> BTreeMap<String, BTreeSet<String>> {
    allowed(&match form {
        "cloudformation" => {
            template["Resources"]["Controller"]["Properties"]["PolicyDocument"].clone()
        }
        _ => {
            let policy = template["resource"]["aws_iam_policy"]["controller"]["policy"].as_str();
            serde_json::from_str(policy.unwrap()).unwrap()
        }
    })
}

#[test]
fn the_hubs_policy_has_what_the_fleet_file_asks_for_and_evenkeel_policy_the_same() {
    let account = emulator().account();
    account.write("evenkeel.toml", WHOLE);
    account.write("b.toml", BASELINE);
    let policy = allowed(&account.run(&["policy", "--mode", "enforce"]).code(0).json());
    for (form, partition, own) in [
        ("cloudformation", "${AWS::Partition}", "${AWS::AccountId}"),
        (
            "terraform",
            "${data.aws_partition.current.partition}",
            "${data.aws_caller_identity.current.account_id}",
        ),
    ] {
        let hub = account.run(&["deploy", form, "hub"]).code(0).json();
        let may = of_controller(form, &hub);
        let beside = |partition: &str, own: &str| {
            [
                ("sns:Publish", vec!["arn:aws:sns:eu-west-1:999999999999:security".to_owned()]),
                (
                    "events:PutEvents",
                    vec![
                        format!("arn:{partition}:events:eu-west-1:{own}:event-bus/notices"),
                        "arn:aws:events:us-east-1:999999999999:event-bus/security".to_owned(),
                    ],
                ),
                (
                    "securityhub:BatchImportFindings",
                    vec![format!(
                        "arn:{partition}:securityhub:eu-central-1:{own}:product/{own}/default"
                    )],
                ),
                ("s3:PutObject", vec![format!("arn:{partition}:s3:::heads/keel/*")]),
                ("s3:PutObjectRetention", vec![format!("arn:{partition}:s3:::heads/keel/*")]),
                (
                    "ssm:GetParameter",
                    vec![format!("arn:{partition}:ssm:eu-north-1:{own}:parameter/ops/stop")],
                ),
            ]
        };
        for (action, on) in beside(partition, own) {
            assert_eq!(may[action], on.into_iter().collect(), "{form}: {action}");
        }
        for (action, on) in beside("aws", "*") {
            assert_eq!(policy[action], on.into_iter().collect(), "policy: {action}");
        }
        let roles = [
            format!("arn:{partition}:iam::*:role/security/keeper"),
            format!("arn:{partition}:iam::999999999999:role/list"),
        ];
        for action in ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"] {
            assert_eq!(may[action], roles.clone().into(), "{form}: {action}");
        }
        assert!(!may.contains_key("organizations:ListRoots"), "that role asks the organization");
        let parameters = if form == "terraform" { "variable" } else { "Parameters" };
        assert_eq!(hub[parameters].as_object().unwrap().len(), 1, "the role is known");
        let role = account.run(&["deploy", form, "member-role", "--mode", "enforce"]);
        let role = role.code(0).json();
        let (made, name) = match form {
            "terraform" => (
                &role["resource"]["aws_iam_role"]["evenkeel"]["path"],
                &role["variable"]["role_name"]["default"],
            ),
            _ => (
                &role["Resources"]["Role"]["Properties"]["Path"],
                &role["Parameters"]["RoleName"]["Default"],
            ),
        };
        assert_eq!((made, name), (&json!("/security/"), &json!("keeper")), "{form}");
    }
}

#[test]
fn a_fleet_that_brings_no_external_id_and_has_no_organization_uses_them_as_they_are() {
    let account = emulator().account();
    account.write("b.toml", BASELINE);
    let mut templates = serde_json::Map::new();
    account.write("evenkeel.toml", WHOLE);
    for part in PARTS {
        let mut args = vec!["deploy", "cloudformation", part];
        if part == "member-role" {
            args.extend(["--mode", "enforce"]);
        }
        templates.insert(part.to_owned(), account.run(&args).code(0).json());
    }
    account.write("templates.json", &Value::from(templates).to_string());
    let carried = |what: &str| {
        account.boto3(&format!(
            "import sys\nsys.path.insert(0, {:?})\nfrom deploy import carry\nprint(json.dumps({what}))",
            root().join("tests")
        ))
    };
    let file = account.folder.path().join("templates.json");
    let made = carried(&format!("carry.make_alone(json.load(open({file:?})))"));
    let own = made["member"].as_str().unwrap();
    assert_eq!(made["role"], format!("arn:aws:iam::{own}:role/security/keeper"));
    assert_eq!(made["bus_policy"], Value::Null, "this account alone may put events on it");
    let take = &made["trust"]["Statement"][0];
    assert_eq!((&take["Action"], &take["Condition"]), (&json!("sts:AssumeRole"), &Value::Null));
    let may = allowed(&made["may"]);
    assert!(
        may["ssm:GetParameter"]
            .contains(&format!("arn:aws:ssm:eu-north-1:{own}:parameter/ops/stop"))
    );
    ureq::post(&format!("{}/_evenkeel/events?account={own}", emulator().url))
        .send_json(json!({}))
        .unwrap();
    carried(&format!("carry.touch({own:?})"));
    let heard = carried(&format!("carry.heard({})", made["QueueUrl"]));
    assert_eq!(
        heard,
        json!(["CreateTags", "EnableEbsEncryptionByDefault", "UpdateAccountPasswordPolicy"])
    );
}

#[test]
fn a_role_asks_for_the_external_id_that_the_fleet_file_brings() {
    let account = emulator().account();
    account.write("b.toml", BASELINE);
    let brings = WHOLE.replace("[access]", "[access]\nexternal_id = \"of-ours\"");
    for (fleet, is_asked) in [(WHOLE, false), (&brings, true)] {
        account.write("evenkeel.toml", fleet);
        let of = |form: &str| {
            let args = ["deploy", form, "member-role", "--mode", "report"];
            let made = account.run(&args).code(0);
            assert!(!made.stdout.contains("of-ours"), "it may be a secret");
            made.json()
        };
        let template = of("cloudformation");
        assert_eq!(template["Parameters"]["ExternalId"]["Default"].is_null(), is_asked);
        assert_eq!(template["Conditions"].is_null(), is_asked);
        let configuration = of("terraform");
        let variable = configuration["variable"]["external_id"].as_object().unwrap();
        assert_eq!(variable.contains_key("default"), !is_asked);
        let trust = &configuration["resource"]["aws_iam_role"]["evenkeel"]["assume_role_policy"];
        let trust = trust.as_str().unwrap();
        assert_eq!(trust.contains("var.external_id == null"), !is_asked, "{trust}");
        assert!(trust.contains("sts:ExternalId"), "{trust}");
    }
}

#[test]
fn a_fleet_file_that_names_a_repository_says_that_the_rest_is_there() {
    let account = emulator().account();
    let text = "schema = 1\n[controller]\ngit = { url = \"https://git.invalid/fleet.git\" }\n";
    account.write("evenkeel.toml", text);
    account.run(&["deploy", "cloudformation", "hub"]).code(0).complains("in a checkout of it");
    let unknown = WHOLE.replace("role/security", "role/${env.NOT_NAMED}");
    account.write("evenkeel.toml", &unknown);
    account.run(&["deploy", "terraform", "hub"]).code(1).complains("a placeholder");
}

#[test]
fn a_member_role_needs_to_know_whether_it_may_write() {
    let refused = emulator().account().run(&["deploy", "terraform", "member-role"]);
    refused.code(1).complains("--mode");
}
