//! The baseline language as a whole: no input panics, what is printed can be read again, and the
//! schema that editors use fits the baselines that we ship.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Environment, LoadOptions, Loaded};
use evenkeel::kinds::registry;
use proptest::prelude::*;

fn options() -> LoadOptions {
    LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: NaiveDate::from_ymd_opt(2026, 1, 1).unwrap(),
    }
}

/// Loads a text; the result does not matter to those who ask only whether it panics.
fn load(text: &str) -> Option<Loaded<'static>> {
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    baseline::load(&[path], &memory, registry::catalog(), options()).ok()
}

/// Pieces of baselines, so that random texts come close to real ones.
fn pieces() -> impl Strategy<Value = String> {
    let samples: Vec<String> = registry::all()
        .iter()
        .flat_map(|kind| kind.samples())
        .flat_map(|sample| sample.lines())
        .map(str::to_owned)
        .chain([
            "schema = 1".to_owned(),
            "[baseline]".to_owned(),
            "name = \"x\"".to_owned(),
            "[[exception]]".to_owned(),
            "until = 2026-13-45".to_owned(),
            "x = \"${\"".to_owned(),
            "x = \"${a.b.c.d}\"".to_owned(),
            "x = \"$${\"".to_owned(),
            "[variables]".to_owned(),
            "x = [[[[]]]]".to_owned(),
            "\u{feff}".to_owned(),
            "\0".to_owned(),
        ])
        .collect();
    proptest::collection::vec(
        prop_oneof![
            4 => proptest::sample::select(samples),
            1 => ".{0,40}",
        ],
        0..30,
    )
    .prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn no_input_panics(text in pieces()) {
        let _ = load(&text);
    }

    #[test]
    fn no_damaged_baseline_panics(cut in 0usize..4000, junk in ".{0,8}") {
        let whole = include_str!("../../baselines/foundation.toml");
        let at = whole.char_indices().map(|(at, _)| at).nth(cut).unwrap_or(whole.len());
        let _ = load(&format!("{}{junk}{}", &whole[..at], &whole[at..]));
        let _ = load(&whole[..at]);
    }
}

#[test]
fn what_expanded_prints_is_the_same_baseline() {
    for sample in registry::all().iter().flat_map(|kind| kind.samples()) {
        let text =
            format!("schema = 1\n[baseline]\nname = \"sample\"\nmode = \"report\"\n{sample}");
        let loaded = load(&text).unwrap_or_else(|| panic!("{text}"));
        let printed = loaded.baseline.expanded();
        let again = load(&printed).unwrap_or_else(|| panic!("{printed}"));
        assert_eq!(again.baseline.digest, loaded.baseline.digest, "{printed}");
    }
}

#[test]
fn the_schema_for_editors_takes_the_foundation() {
    let schema = baseline::schema::baseline_schema(registry::catalog());
    let validator = jsonschema::validator_for(&schema).unwrap();
    let text = include_str!("../../baselines/foundation.toml");
    let value: serde_json::Value = toml::from_str(text).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let mut wrong = value;
    wrong["iam"]["password_policy"]["minimum_password_length"] = serde_json::json!(4);
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn the_baseline_of_the_readme_is_valid() {
    let readme = include_str!("../../README.md");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (baseline, _) = rest.split_once("```").unwrap();
    assert!(load(baseline).is_some(), "{baseline}");
}

/// Checks a file without an account, and says all that is wrong with it.
fn wrong(text: &str) -> Vec<String> {
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let options = LoadOptions {
        environment: Environment { values: BTreeMap::from([("NAME".to_owned(), None)]) },
        ..options()
    };
    match baseline::load(&[path], &memory, registry::catalog(), options) {
        Ok(_) => Vec::new(),
        Err(problems) => problems.to_string().lines().map(str::to_owned).collect(),
    }
}

#[test]
fn what_is_known_only_of_each_account_can_be_used_in_every_field() {
    let head = "schema = 1\n[baseline]\nname = \"x\"\n";
    for placeholder in
        ["account.tags.acct", "account.name", "account.email", "organization.id", "env.NAME"]
    {
        for kind in registry::all() {
            for sample in kind.samples() {
                for (at, _) in sample.match_indices(" = \"") {
                    let start = at + 4;
                    let end = start + sample[start..].find('"').unwrap();
                    let text =
                        format!("{head}{}${{{placeholder}}}{}", &sample[..start], &sample[end..]);
                    let said = wrong(&text).join("\n");
                    assert!(!said.contains("sample"), "{text}\n{said}");
                }
            }
        }
        let role =
            "[iam.role.ops]\ntrusted_account_ids = [\"${P}\"]\nmax_session_duration = 3600\n";
        let text = format!("{head}{}", role.replace('P', placeholder));
        assert_eq!(wrong(&text), Vec::<String>::new(), "{text}");
    }
    // Two placeholders are not one name, because both stand for the same sample.
    let buckets = "[s3.bucket.a]\nbucket = \"x-${account.tags.a}\"\nversioning = \"Enabled\"\n[s3.bucket.b]\nbucket = \"x-${account.tags.b}\"\nversioning = \"Enabled\"\n";
    assert_eq!(wrong(&format!("{head}{buckets}")), Vec::<String>::new());
    let same = buckets.replace("tags.b", "tags.a");
    assert!(wrong(&format!("{head}{same}")).join("").contains("both govern"));
    let regions = "[ec2.ebs_encryption]\nregions = [\"${account.tags.region}\"]\nenabled = true\n";
    assert_eq!(wrong(&format!("{head}{regions}")), Vec::<String>::new());
    // The place of what does not fit is the field.
    let role = "[iam.role.ops]\ntrusted_account_ids = [\"11112222333\"]\n";
    let said = wrong(&format!("{head}{role}")).join("");
    assert!(said.contains("b.toml:5:"), "{said}");
}

#[test]
fn what_cannot_be_is_refused_with_words_that_help() {
    let head = "schema = 1\n[baseline]\nname = \"x\"\n";
    for (items, words) in [
        ("[ec2.ebs_encryption]\nregions = []\nenabled = true\n", "too few entries"),
        ("[ec2.ebs_encryption]\nregions = \"mars\"\nenabled = true\n", "or a list"),
        ("[ec2.ebs_encryption]\nregions = [\"mars\"]\nenabled = true\n", "such as eu-west-1"),
        ("[cloudtrail.trail.t]\nhome_region = \"mars\"\nis_logging = true\n", "no Region \"mars\""),
        ("[iam.role.r]\ntrusted_account_ids = [\"99\"]\n", "has 12 digits"),
        ("[logs.log_group.a]\nkms_key_id = \"nonsense key\"\n", "is no KMS key"),
        ("[logs.log_group.a]\nkms_key_id = \"alias/aws/logs\"\n", "of another service"),
        (
            "[s3.bucket.data]\nsse_algorithm = \"aws:kms\"\nkms_master_key_id = \"nonsense\"\n",
            "is no KMS key",
        ),
        (
            "[logs.log_group.a]\nlog_group_class = \"DELIVERY\"\nretention_in_days = 365\n",
            "keep events for one day",
        ),
        (
            "[logs.log_group.a]\nretention = 30\n",
            "did you mean `retention_in_days` or `retention_mode`?",
        ),
        (
            "[s3.bucket.logs]\nservices = [\"cloudtrail\"]\nservice_prefixes = { cloudtrial = \"trails\" }\n",
            "did you mean \"cloudtrail\"?",
        ),
        (
            "[s3.bucket.logs]\nservices = [\"cloudtrail\"]\nservice_prefixes = { cloudtrial = \"trails\" }\n",
            "there is no \"cloudtrial\" here",
        ),
        (
            "[kms.key_rotation]\nenabled = true\nexclude = [{ aliases = [\"alias/legacy\"] }, {}]\n",
            "names nothing to leave out",
        ),
        (
            "[kms.key.k]\npolicy = { Statement = [{ Effect = \"Deny\", Principal = \"*\", Action = \"kms:*\", Resource = \"*\" }] }\n",
            "lets nobody change it",
        ),
    ] {
        let said = refused(&format!("{head}{items}"));
        assert!(said.contains(words), "{items}{said}");
    }
}

#[test]
fn a_wrong_key_of_a_map_is_pointed_at_and_not_its_value() {
    let text = "schema = 1\n[baseline]\nname = \"x\"\n[s3.bucket.logs]\nservices = [\"cloudtrail\"]\n\
                service_prefixes = { config = \"c\", cloudtrial = \"trails\" }\n";
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let problems = baseline::load(&[path], &memory, registry::catalog(), options()).err().unwrap();
    let places = problems.list.iter().filter_map(|problem| problem.place.as_ref());
    let said: Vec<&str> = places.map(|(place, _)| &text[place.start..place.end]).collect();
    assert_eq!(said, ["cloudtrial"]);
}

/// What is said of a text that is refused, with what helps.
fn refused(text: &str) -> String {
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let problems = baseline::load(&[path], &memory, registry::catalog(), options()).err().unwrap();
    let lines = problems.list.iter().map(|problem| {
        format!("{} ({})", problem.message, problem.help.as_deref().unwrap_or_default())
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn exceptions_that_name_no_object_are_said() {
    let exception = |item: &str, object: &str| {
        format!(
            "schema = 1\n[baseline]\nname = \"x\"\n[iam.password_policy]\nminimum_password_length = 14\n\
             [ec2.default_security_group]\ningress = []\n[[exception]]\nitem = \"{item}\"\nobject = \"{object}\"\n\
             until = 2099-12-31\nowner = \"o\"\nreason = \"r\"\n"
        )
    };
    for (item, object, words) in [
        ("ec2.default_security_group", "*", "is a pattern"),
        ("ec2.default_security_group", "vpc-0a?", "is a pattern"),
        ("ec2.default_security_group", "", "`object` is empty"),
        ("iam.password_policy", "x", "has one object"),
    ] {
        let loaded = load(&exception(item, object)).unwrap();
        let said = loaded.warnings.to_string();
        assert!(said.contains("can match nothing") && said.contains(words), "{item}: {said}");
    }
    for (item, object) in [("ec2.default_security_group", "vpc-0a1b"), ("iam.password_policy", "")]
    {
        let loaded = load(&exception(item, object)).unwrap();
        assert!(!loaded.warnings.to_string().contains("match nothing"), "{item}");
    }
}
