//! `evenkeel export`: what is there becomes a baseline whose plan is empty.

use crate::support::{self, Account, organization};
use evenkeel::kinds::registry;
use serde_json::json;

const REGIONS: [&str; 4] = ["-r", "eu-west-1", "-r", "us-east-1"];

fn export(account: &Account) -> String {
    export_with(account, 0)
}

fn export_with(account: &Account, code: i32) -> String {
    let args: Vec<&str> =
        ["export", "--out", "account.toml", "--force"].into_iter().chain(REGIONS).collect();
    account.run(&args).code(code);
    account.read("account.toml")
}

/// Applies the foundation in both Regions.
fn foundation(account: &Account) {
    std::fs::copy(
        support::root().join("baselines/foundation.toml"),
        account.folder.path().join("foundation.toml"),
    )
    .unwrap();
    let args: Vec<&str> =
        ["apply", "-b", "foundation.toml", "--yes", "--max-changes-per-account", "100"]
            .into_iter()
            .chain(REGIONS)
            .collect();
    // That the root user has no MFA is left to people.
    account.run(&args).code(2);
}

#[test]
fn a_messy_account_as_it_is_gives_an_empty_plan() {
    let account = support::emulator().account();
    account.mess();
    let text = export(&account);
    account.run(&["check", "-b", "account.toml"]).code(0).says("in sync");
    // The account's own id is a placeholder, a trail that does not log is there, and what could not
    // be declared is named.
    assert!(
        text.contains("downloads-${account.id}")
            && !text.contains(&format!("downloads-{}", account.id))
    );
    assert!(text.contains("is_logging") && text.contains("# Left out:"), "{text}");
    assert!(text.contains("cannot rotate"), "{text}");
    // It only reports, and somebody else's change is seen.
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=6)");
    account.run(&["check", "-b", "account.toml"]).code(2).says("minimum_password_length");
}

#[test]
fn every_kind_goes_round() {
    for kind in registry::all() {
        let account = support::emulator().account();
        account.mess();
        organization::prepare(&account, kind.name());
        let name = kind.name();
        let sample = kind.samples()[0];
        account.write(
            "sample.toml",
            &format!("schema = 1\n[baseline]\nname = \"s\"\nmode = \"enforce\"\nregions = [\"eu-west-1\", \"us-east-1\"]\n{sample}"),
        );
        let applied = account.run(&[
            "apply",
            "-b",
            "sample.toml",
            "--yes",
            "--max-risk",
            "destructive",
            "--max-changes-per-account",
            "100",
            "--allow-grants",
            "foreign",
        ]);
        assert!(
            [0, 2, 4].contains(&applied.code),
            "{name}: {}\n{}",
            applied.stdout,
            applied.stderr
        );
        let args: Vec<&str> =
            ["export", "--out", "account.toml", "-k", name].into_iter().chain(REGIONS).collect();
        account.run(&args).code(0);
        let text = account.read("account.toml");
        let (_, after) =
            text.split_once(&format!("\n[{name}")).unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(after.contains(" = "), "{name}: {text}");
        account.run(&["check", "-b", "account.toml"]).code(0);
    }
}

#[test]
fn references_take_the_place_of_repeated_names_and_errors_are_named() {
    let account = support::emulator().account();
    foundation(&account);
    account.fault(json!({"service": "iam", "operation": "ListRoles", "kind": "error"}));
    // Something was not read: nobody can say that this is all.
    let text = export_with(&account, 4);
    assert!(text.contains("= \"${s3.bucket.evenkeel-audit.bucket}\""), "{text}");
    assert!(text.contains("# - iam.role in eu-west-1: iam:ListRoles: AccessDenied"), "{text}");
    assert!(text.contains("IT IS NOT COMPLETE: 1 thing could not be read"), "{text}");
    assert!(!text.contains("(request "), "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
}

#[test]
fn a_key_is_referred_to_where_the_trail_names_its_arn() {
    let account = support::emulator().account();
    foundation(&account);
    let text = export(&account);
    let trail = section(&text, "[cloudtrail.trail.");
    assert!(trail.contains("\"${kms.key.evenkeel-audit.alias}\""), "{text}");
    // The recorder of the home Region is the one that records what is global; the word for it means
    // nothing elsewhere, so that one item holds for both.
    let recorder = section(&text, "[config.recorder]");
    assert!(recorder.contains("include_global_resource_types = true"), "{text}");
    assert!(!recorder.contains("regions"), "{text}");
    assert!(!text.contains("# - config.recorder"), "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
    let saved = account.run(&["plan", "-b", "account.toml", "--format", "json"]).code(0).json();
    assert_eq!(saved["summary"]["in_sync"], saved["objects"].as_array().unwrap().len());
}

/// The part of a baseline that begins with a header.
fn section<'a>(text: &'a str, header: &str) -> &'a str {
    let (_, after) = text.split_once(header).unwrap_or_else(|| panic!("no {header}: {text}"));
    after.split("\n[").next().unwrap()
}

#[test]
fn texts_with_lines_and_placeholders_come_back_as_they_are() {
    let account = support::emulator().account();
    account.boto3(
        "kms = boto3.client('kms')\n\
         for number, text in enumerate(['\\n\\nbegins with lines\\r\\nand ends with one\\n', 'rub\\x7fout and bell\\x07', '\"quotes\" and \\'more\\'', 'a ${placeholder} and $${two} and $$${three}']):\n\
         \x20   key = kms.create_key(Description=text)['KeyMetadata']['KeyId']\n\
         \x20   kms.create_alias(AliasName=f'alias/key-{number}', TargetKeyId=key)",
    );
    let text = export(&account);
    for number in 0..4 {
        assert!(text.contains(&format!("[kms.key.key-{number}]")), "{text}");
    }
    account.run(&["validate", "account.toml", "--expanded"]).code(0);
    account.run(&["check", "-b", "account.toml"]).code(0);
    // They are really declared.
    account.boto3(
        "kms = boto3.client('kms')\n\
         for number in range(4): kms.update_key_description(KeyId=kms.describe_key(KeyId=f'alias/key-{number}')['KeyMetadata']['KeyId'], Description='x')",
    );
    let plan = account.run(&["plan", "-b", "account.toml", "--format", "json"]).code(0).json();
    assert_eq!(plan["summary"]["reported"], 4, "{text}");
}

#[test]
fn a_region_that_lets_nobody_in_is_one_line_and_the_rest_is_declared() {
    let account = support::emulator().account();
    foundation(&account);
    for service in [
        "ec2",
        "kms",
        "config",
        "cloudtrail",
        "logs",
        "sns",
        "events",
        "accessanalyzer",
        "guardduty",
        "securityhub",
        "detective",
        "ecr",
        "inspector2",
        "macie2",
        "route53resolver",
    ] {
        account.fault(json!({"service": service, "region": "us-east-1", "kind": "error",
            "code": "AccessDeniedException", "status": 403,
            "message": "You are not authorized with an explicit deny in a service control policy"}));
    }
    let text = export_with(&account, 4);
    let named: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("# - ") && line.contains("us-east-1"))
        .collect();
    assert_eq!(named.len(), 1, "{text}");
    assert!(named[0].contains("us-east-1: nothing of it could be read"), "{text}");
    assert!(text.contains("regions = [\"eu-west-1\"]"), "{text}");
    assert!(text.contains("[config.recorder]") && !text.contains("(request "), "{text}");
    account.run(&["check", "-b", "account.toml"]).code(0);
}

#[test]
fn a_file_that_is_there_is_kept() {
    let account = support::emulator().account();
    account.write("account.toml", "mine");
    account.forget_calls();
    let args: Vec<&str> = ["export", "--out", "account.toml"].into_iter().chain(REGIONS).collect();
    account.run(&args).code(1).complains("--force");
    assert_eq!(account.read("account.toml"), "mine");
    account.run(&[args.as_slice(), &["--force"]].concat()).code(0);
    assert!(account.read("account.toml").contains("[baseline]"));
}

#[test]
fn what_is_taken_out_is_named_and_the_order_is_always_the_same() {
    let account = support::emulator().account();
    account.mess();
    foundation(&account);
    account.boto3(
        "config = boto3.client('config', region_name='us-east-1')\n\
         recorder = config.describe_configuration_recorders()['ConfigurationRecorders'][0]\n\
         group = {'allSupported': True, 'includeGlobalResourceTypes': True}\n\
         config.put_configuration_recorder(ConfigurationRecorder={'name': recorder['name'], 'roleARN': recorder['roleARN'], 'recordingGroup': group})",
    );
    let text = export(&account);
    // Elsewhere than at home, evenkeel never asks for what is global.
    assert!(
        text.contains("in us-east-1: its field include_global_resource_types: declaring it as it is would change it (true → false)"),
        "{text}"
    );
    account.run(&["check", "-b", "account.toml"]).code(0);
    let items = |text: &str| text.split_once("\nschema").unwrap().1.to_owned();
    for _ in 0..2 {
        assert_eq!(items(&export(&account)), items(&text));
    }
}

#[test]
fn what_was_not_read_has_the_remedy_of_its_own_reason() {
    let account = support::emulator().account();
    let complains = |words: &str| {
        let run = account.run(&["export", "-k", "iam.password_policy"]).code(1).complains(words);
        assert!(!run.stderr.contains("look at other Regions"), "{}", run.stderr);
        run.stderr
    };
    account
        .fault(json!({ "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "error",
        "code": "ServiceFailure", "status": 500, "message": "We encountered an internal error." }));
    let plan = |account: &Account| {
        let baseline = "schema = 1\n[baseline]\nname = \"x\"\n[iam.password_policy]\nminimum_password_length = 14\n";
        account.write("b.toml", baseline);
        let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).json();
        let unknown = &plan["objects"][0]["verdict"];
        unknown["remedy"].as_str().unwrap().to_owned()
    };
    let remedy = plan(&account);
    let first = remedy.split_whitespace().next().unwrap().to_owned();
    assert!(!complains(&first).contains("evenkeel policy"), "{remedy}");
    account.no_faults();
    account.fault(json!({ "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "error",
        "code": "AccessDenied", "status": 403, "message": "User is not authorized to perform: iam:GetAccountPasswordPolicy" }));
    complains("evenkeel policy");
}
