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
