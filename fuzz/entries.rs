//! The ways in which files of others come into evenkeel. Reading them may fail, and never panics or
//! hangs. The fuzz targets and `tests/it/damaged.rs` share them.

// Each fuzz target uses one of them.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::io::Cursor;
use std::path::PathBuf;

use chrono::NaiveDate;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Environment, LoadOptions};
use evenkeel::fleet;
use evenkeel::kinds::registry;
use evenkeel::plan::merge::{Report, merge};
use evenkeel::plan::render::{html, json, junit, markdown, text};
use evenkeel::plan::{self, Plan};

/// A baseline: loaded, expanded, resolved.
pub fn baseline(text: &str) {
    let path = PathBuf::from("b.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let options = LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: NaiveDate::MIN,
    };
    if let Ok(loaded) = baseline::load(&[path], &memory, registry::catalog(), options) {
        let _ = loaded.baseline.expanded();
        let _ = loaded.baseline.resolve_for_anyone("aws", None);
    }
}

/// A fleet file.
pub fn fleet(text: &str) {
    let path = PathBuf::from("evenkeel.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text.to_owned())]));
    let _ = fleet::load(&path, &memory);
}

/// A saved plan or a shard's report: read as a file, and, with whatever digest, counted, merged, shown in every format.
pub fn plan(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = plan::file::parse(text);
    }
    let Ok(plan) = serde_json::from_slice::<Plan>(bytes) else { return };
    let _ = (plan.summary(), plan.changes());
    let report = Report { name: "plan.json".to_owned(), plan: plan.clone() };
    let _ = merge(vec![report]);
    let _ = text::render(&plan, &text::Options::default());
    let _ = markdown::render(&plan, "plan", "plan.json");
    let _ = html::write(&plan, "plan", &mut Vec::new());
    let _ = junit::write(&plan, &mut Vec::new());
    let _ = json::write(&plan, &mut Vec::new());
    let _ = json::write_lines(&plan, &mut Vec::new());
}

/// A snapshot: checked and read to its end.
pub fn snapshot(bytes: &[u8]) {
    if let Ok(reader) = fleet::snapshot::Reader::new(Cursor::new(bytes)) {
        reader.for_each(drop);
    }
}
