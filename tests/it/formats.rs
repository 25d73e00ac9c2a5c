//! The plan in each of its forms: valid by the form's own schema, and true to the plan.

use crate::support::{self, Account};
use evenkeel::plan::Plan;
use evenkeel::plan::render::json;
use serde_json::{Value, json};

/// An account with drift, something unknown, something skipped and something excepted, and its plan
/// in `plan.json`.
fn messy() -> (Account, Value) {
    let account = support::emulator().account();
    account.mess();
    std::fs::copy(
        support::root().join("baselines/foundation.toml"),
        account.folder.path().join("foundation.toml"),
    )
    .unwrap();
    account.write(
        "b <1>.toml",
        "schema = 1\n[baseline]\nname = \"messy\"\nextends = [\"foundation.toml\"]\nregions = [\"eu-west-1\", \"us-east-1\"]\n\
         [[exception]]\nitem = \"iam.root_user\"\nuntil = 2999-01-01\nowner = \"<team>\"\nreason = \"keys & <script>\"\n",
    );
    account.fault(json!({"service": "cloudtrail", "operation": "DescribeTrails", "kind": "error"}));
    let run = account
        .run(&["plan", "-b", "b <1>.toml", "--format", "json", "--out", "plan.json"])
        .code(4);
    drop(run);
    let plan = serde_json::from_str(&account.read("plan.json")).unwrap();
    (account, plan)
}

fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .take(5)
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn every_form_is_valid_and_tells_the_same() {
    let (account, plan) = messy();
    let form = |format: &str| {
        account.run(&["merge-reports", "plan.json", "--format", format]).code(4).stdout
    };
    // JSON, by the schema that we print.
    let schema = account.run(&["schema", "plan"]).code(0).json();
    valid(&schema, &plan);
    let mut wrong = plan.clone();
    wrong["objects"][0]["account"] = json!("12");
    assert!(!jsonschema::validator_for(&schema).unwrap().is_valid(&wrong));
    // JSON Lines are the same, line by line.
    let lines: Vec<Value> =
        form("json-lines").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["head"]["run"], plan["run"]);
    assert_eq!(lines[1]["object"], plan["objects"][0]);
    assert_eq!(lines.last().unwrap()["summary"], plan["summary"]);
    assert_eq!(lines[lines.len() - 2]["estimate"], plan["estimate"]);
    assert!(plan["estimate"]["by_use"].as_u64() > Some(0), "{}", plan["estimate"]);
    assert_eq!(lines.len(), plan["objects"].as_array().unwrap().len() + 3);
    // SARIF, by its own schema; its locations are lines of the baselines.
    let sarif: Value = serde_json::from_str(&form("sarif")).unwrap();
    let schema = std::fs::read_to_string(support::root().join("tests/schemas/sarif-2.1.0.json"));
    let mut schema: Value = serde_json::from_str(&schema.unwrap()).unwrap();
    // The published schema has a bracket too many in this pattern; we do not use the property.
    for part in ["run", "toolComponent"] {
        let language = &mut schema["definitions"][part]["properties"]["language"];
        language.as_object_mut().unwrap().remove("pattern");
    }
    valid(&schema, &sarif);
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let of = |kind: &str| results.iter().find(|result| result["ruleId"] == kind).unwrap();
    let place = &of("iam.password_policy")["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "foundation.toml");
    let line = usize::try_from(place["region"]["startLine"].as_u64().unwrap()).unwrap();
    let text = account.read("foundation.toml");
    assert_eq!(text.lines().nth(line - 1).unwrap(), "[iam.password_policy]");
    assert_eq!(of("cloudtrail.trail")["level"], "warning");
    assert_eq!(of("iam.root_user")["suppressions"][0]["status"], "accepted");
    // JUnit, as a reader of XML sees it.
    account.write("report.xml", &form("junit"));
    let counts = account.boto3(&format!(
        "import xml.etree.ElementTree as tree\n\
         cases = list(tree.parse({:?}).getroot().iter('testcase'))\n\
         has = lambda name: sum(case.find(name) is not None for case in cases)\n\
         print(json.dumps([len(cases), has('failure'), has('error'), has('skipped')]))",
        account.folder.path().join("report.xml").display().to_string(),
    ));
    let sum = |name: &str| plan["summary"][name].as_u64().unwrap();
    assert_eq!(
        counts,
        json!([
            plan["objects"].as_array().unwrap().len(),
            sum("to_change") + sum("reported"),
            sum("unknown"),
            sum("skipped") + sum("excepted"),
        ])
    );
    // HTML: nothing from elsewhere, and no text of ours or theirs is markup.
    let html = form("html");
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"));
    assert!(!html.contains("src=") && !html.contains("@import") && !html.contains("<link"));
    assert!(html.contains("cloudtrail.trail.audit"));
    // Markdown.
    let markdown = form("markdown");
    assert!(markdown.contains("| kind |") && !markdown.contains("<script>"));
    // Text, whole.
    assert!(form("text").contains("messy@"));
}

#[test]
fn a_comment_for_a_large_fleet_fits_and_counts_what_it_leaves_out() {
    let (account, mut plan) = messy();
    let drifted = plan["objects"]
        .as_array()
        .unwrap()
        .iter()
        .find(|object| object["item"] == "iam.password_policy")
        .unwrap()
        .clone();
    let target = plan["targets"][0].clone();
    let (mut objects, mut targets, mut failed, mut order) = (vec![], vec![], vec![], vec![]);
    for number in 0..600 {
        let id = format!("{:012}", 700_000_000_000_u64 + number);
        let mut object = drifted.clone();
        object["account"] = json!(id);
        object["changes"][0]["id"] = json!(number + 1);
        // Each account differs in an item and a way of its own, so that nothing can be grouped.
        object["item"] = json!(format!("iam.role.role-{number}"));
        object["changes"][0]["drift"][0]["actual"] = json!(format!("its own way {number}"));
        objects.push(object);
        order.push(number + 1);
        let mut target = target.clone();
        target["account"] = json!(id);
        targets.push(target);
        failed.push(json!({
            "account": format!("{:012}", 800_000_000_000_u64 + number),
            "name": "an account",
            "reason": "no ".repeat(400),
        }));
    }
    plan["objects"] = json!(objects);
    plan["targets"] = json!(targets);
    plan["failed"] = json!(failed);
    plan["order"] = json!(order);
    let plan: Plan = serde_json::from_value(plan).unwrap();
    let mut document = Vec::new();
    json::write(&plan, &mut document).unwrap();
    account.write("plan.json", &String::from_utf8(document).unwrap());
    let markdown =
        account.run(&["merge-reports", "plan.json", "--format", "markdown"]).code(4).stdout;
    assert!(markdown.chars().count() < 65_536, "{}", markdown.chars().count());
    assert!(markdown.contains("did not fit into this comment"), "{markdown}");
    assert!(markdown.contains("600 accounts could not be looked at"));
    assert!(markdown.contains("and 580 more"));
}

#[test]
fn paths_in_sarif_are_those_of_the_repository() {
    let account = support::emulator().account();
    account.write("evenkeel.toml", "schema = 1\nhome_region = \"eu-west-1\"\n[[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\n");
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"b\"\nregions = [\"eu-west-1\"]\n[iam.password_policy]\nminimum_password_length = 14\n",
    );
    account.write("deep/er/empty", "");
    let git = std::process::Command::new("git")
        .args(["init", "--quiet"])
        .current_dir(account.folder.path())
        .status();
    assert!(git.unwrap().success());
    let absolute = account.folder.path().canonicalize().unwrap().join("b.toml");
    let absolute = absolute.display().to_string();
    for args in [["-b", "../../b.toml"], ["-b", &absolute], ["--config", "../../evenkeel.toml"]] {
        let args: Vec<&str> = ["plan", "--format", "sarif"].into_iter().chain(args).collect();
        let output = account
            .command(&args)
            .current_dir(account.folder.path().join("deep/er"))
            .output()
            .unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{args:?} {error}");
        let sarif: Value = serde_json::from_slice(&output.stdout).unwrap();
        let place = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"];
        let at = &place["artifactLocation"];
        assert_eq!(at, &json!({"uri": "b.toml", "uriBaseId": "%SRCROOT%"}), "{args:?}");
    }
}

#[test]
fn nothing_that_others_wrote_can_forge_a_line() {
    let account = support::emulator().account();
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"b\"\nregions = [\"eu-west-1\"]\n\
         [iam.password_policy]\nminimum_password_length = 14\nnote = \"fine\\n0 to change \\u001b[2J\\u202E\"\n\
         [s3.account_public_access_block]\nblock_public_acls = true\n\
         [[exception]]\nitem = \"s3.account_public_access_block\"\nuntil = 2999-01-01\nowner = \"me\\n0 to change\"\nreason = \"so\\u2066\"\n",
    );
    for format in ["text", "markdown", "html", "sarif", "junit"] {
        let text = account.run(&["check", "-b", "b.toml", "--format", format]).code(2).stdout;
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\u{2066}']), "{format}: {text}");
        assert!(!text.lines().any(|line| line.starts_with("0 to change")), "{format}: {text}");
        assert!(!format.starts_with('m') || text.contains("## evenkeel check · b@"), "{text}");
    }
    account
        .run(&["check", "-b", "b.toml"])
        .says("why: fine\\n0 to change \\u{1b}[2J\\u{202e}\n")
        .says("me\\n0 to change · so\\u{2066}\n");
}
