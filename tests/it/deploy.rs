//! `evenkeel deploy`: the templates are made in the emulator, call by call (`tests/deploy/stack.py`), and
//! carry an event from a member account to the queue of the hub.

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

#[test]
fn a_member_role_needs_to_know_whether_it_may_write() {
    let refused = emulator().account().run(&["deploy", "terraform", "member-role"]);
    refused.code(1).complains("--mode");
}
