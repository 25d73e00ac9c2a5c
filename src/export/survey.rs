//! What to look for: a spec that declares every field of a kind, so that all of it is read.

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::NaiveDate;
use serde_json::Value;

use crate::aws::Session;
use crate::baseline::load::Memory;
use crate::baseline::{self, Environment, LoadOptions, TargetFacts};
use crate::kinds::erased::DynKind;
use crate::kinds::registry;
use crate::names::AccountId;

/// Fields that choose objects instead of describing them.
const CHOOSING: [&str; 1] = ["exclude"];

/// All fields of a kind's samples together. Their values do not matter to observing.
pub fn wide_spec(kind: &dyn DynKind, session: &Session) -> Option<Value> {
    let mut wide = serde_json::Map::new();
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

/// Takes out what is null: in a baseline, a field that is not declared is not there.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// `lifecycle` of `lifecycle[0].days`.
pub fn top_field(path: &str) -> String {
    path.split(['.', '[']).next().unwrap_or_default().to_owned()
}

/// An item's name from an AWS name: what TOML takes without quotes, and without the account's id.
pub fn item_name(aws_name: &str, prefix: &str, account: &AccountId) -> String {
    let name = aws_name.strip_prefix(prefix).unwrap_or(aws_name);
    let name = name.replace(account.as_str(), "");
    let name = name.trim_matches(['-', '_', '.', '/']).replace("--", "-");
    let mut own: String = name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => character,
            _ => '-',
        })
        .collect();
    if own.is_empty() {
        own.push_str("unnamed");
    }
    own
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bare_keys() {
        let account = "111122223333".parse().unwrap();
        let name = |name: &str, prefix: &str| item_name(name, prefix, &account);
        assert_eq!(name("alias/orders/eu", "alias/"), "orders-eu");
        assert_eq!(name("my.bucket", ""), "my-bucket");
        assert_eq!(name("logs-111122223333-eu", ""), "logs-eu");
        assert_eq!(name("111122223333", ""), "unnamed");
        assert_eq!(top_field("lifecycle[0].days"), "lifecycle");
    }
}
