//! What to look for where all of an object is to be read: a spec that declares every field of its kind.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::{Map, Value};

use crate::aws::Session;
use crate::baseline::load::Memory;
use crate::baseline::{self, Environment, LoadOptions, TargetFacts};
use crate::kinds::erased::DynKind;
use crate::kinds::registry;

/// Fields that choose objects instead of describing them.
const CHOOSING: [&str; 2] = ["exclude", "filter_name"];

/// All fields of a kind's samples together. Their values do not matter to observing.
pub fn wide_spec(kind: &dyn DynKind, session: &Session) -> Option<Value> {
    let mut wide = Map::new();
    for sample in kind.samples() {
        for spec in specs_of(kind, sample, session) {
            for (field, value) in spec.as_object()?.clone() {
                if !CHOOSING.contains(&field.as_str()) {
                    wide.entry(field).or_insert(value);
                }
            }
        }
    }
    (!wide.is_empty()).then_some(Value::Object(wide))
}

/// What is declared, and all else that can be of that object.
pub fn widened(kind: &dyn DynKind, session: &Session, declared: &Value) -> Option<Value> {
    let Some(Value::Object(mut wide)) = wide_spec(kind, session) else { return None };
    let said = declared.as_object()?.iter().filter(|(_, value)| !value.is_null());
    wide.extend(said.map(|(field, value)| (field.clone(), value.clone())));
    Some(Value::Object(wide))
}

fn specs_of(kind: &dyn DynKind, sample: &str, session: &Session) -> Vec<Value> {
    let text = format!("schema = 1\n[baseline]\nname = \"sample\"\n{sample}");
    let path = PathBuf::from("sample.toml");
    let memory = Memory(BTreeMap::from([(path.clone(), text)]));
    let options = LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: NaiveDate::default(),
    };
    let Ok(loaded) = baseline::load(&[path], &memory, registry::catalog(), options) else {
        return Vec::new();
    };
    let home = session.home_region().clone();
    let facts = TargetFacts {
        account_id: session.account().clone(),
        account_name: None,
        account_email: None,
        account_tags: None,
        ous: None,
        organization_id: None,
        partition: session.partition().to_owned(),
        region: home.clone(),
        home_region: home,
    };
    let items = loaded.baseline.resolve(&facts).into_iter().filter_map(Result::ok);
    items.filter(|item| item.item.kind == kind.name()).map(|item| item.spec.clone()).collect()
}
