//! Any bytes as a baseline: loading them may fail, but must not panic.
#![no_main]

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Environment, LoadOptions};
use evenkeel::kinds::registry;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let options = LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: NaiveDate::MIN,
    };
    if let Ok(loaded) = baseline::load(&[path], &memory, registry::catalog(), options) {
        let _ = loaded.baseline.expanded();
        let _ = loaded.baseline.resolve_for_anyone();
    }
});
