//! The effective baseline: as TOML with the place that each value came from, and as a digest.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Map, Value as Json};
use toml_writer::{ToTomlKey, ToTomlValue, TomlKeyBuilder, TomlStringBuilder};

use super::Baseline;
use super::declare::Field;
use super::interpolate::Target;
use super::resolve::split;
use crate::digest;

/// The digest of a baseline's effective content.
pub(super) fn digest(baseline: &Baseline<'_>) -> String {
    digest::of(&content(baseline))
}

/// Everything that a plan can depend on, placeholders of target facts as they are written.
fn content(baseline: &Baseline<'_>) -> Json {
    let filler = baseline.filler(Target::AsWritten);
    let mut items = Map::new();
    for (name, declared) in &baseline.declarations.items {
        if let Ok(parts) = split(&filler, baseline, name, declared) {
            let mut item = Map::from_iter(parts.words);
            item.insert("spec".to_owned(), parts.spec);
            items.insert(name.to_string(), Json::Object(item));
        }
    }
    let exceptions: Vec<String> =
        baseline.exceptions.iter().map(|exception| format!("{exception:?}")).collect();
    serde_json::json!({"name": baseline.name, "items": items, "exceptions": exceptions})
}

impl Baseline<'_> {
    /// The digest of each item with the exceptions that it has.
    pub fn item_digests(&self) -> BTreeMap<String, String> {
        let filler = self.filler(Target::AsWritten);
        let items = self.declarations.items.iter().filter_map(|(name, declared)| {
            let parts = split(&filler, self, name, declared).ok()?;
            let own = self.exceptions.iter().filter(|exception| exception.item == *name);
            let exceptions: Vec<String> = own.map(|exception| format!("{exception:?}")).collect();
            let all = (Map::from_iter(parts.words), parts.spec, exceptions);
            Some((name.to_string(), digest::of(&all)))
        });
        items.collect()
    }

    /// The effective baseline as TOML. Variables and references are filled in; facts of the
    /// target stay as they are written. Each line ends with the file and line of its value.
    pub fn expanded(&self) -> String {
        let mut out = format!("schema = {}\n\n[baseline]\n", super::declare::SCHEMA);
        let _ = writeln!(out, "name = {}", toml_value(&Json::String(self.name.clone())));
        if let Some(description) = &self.description {
            let _ =
                writeln!(out, "description = {}", toml_value(&Json::String(description.clone())));
        }
        let filler = self.filler(Target::AsWritten);
        for (name, declared) in &self.declarations.items {
            let own = name.name.as_deref().map_or(String::new(), |own| format!(".{}", key(own)));
            let _ = writeln!(out, "\n[{}{own}]  # {}", name.kind, self.origin(&declared.place));
            let Ok(parts) = split(&filler, self, name, declared) else { continue };
            let spec = parts.spec.as_object().cloned().unwrap_or_default();
            for (field, value) in parts.words.iter().chain(&spec) {
                let origin = declared.fields.get(field).map_or_else(
                    || "the item's name".to_owned(),
                    |Field { key, .. }| self.origin(key),
                );
                let _ = writeln!(out, "{} = {}  # {origin}", key(field), toml_value(value));
            }
        }
        for (exception, node) in self.exceptions.iter().zip(&self.declarations.exceptions) {
            let _ = writeln!(out, "\n[[exception]]  # {}", self.origin(&node.place));
            let text = |text: &str| toml_value(&Json::String(text.to_owned()));
            let _ = writeln!(out, "item = {}", text(&exception.item.to_string()));
            if let Some(account) = &exception.account {
                let _ = writeln!(out, "account = {}", text(account.as_str()));
            }
            if let Some(region) = &exception.region {
                let _ = writeln!(out, "region = {}", text(region.as_str()));
            }
            if let Some(object) = &exception.object {
                let _ = writeln!(out, "object = {}", text(object));
            }
            let _ = writeln!(out, "until = {}", exception.until);
            let _ = writeln!(out, "owner = {}", text(&exception.owner));
            let _ = writeln!(out, "reason = {}", text(&exception.reason));
        }
        out
    }

    fn origin(&self, place: &super::problem::SourcePlace) -> String {
        let location = self.location(place);
        format!("{}:{}", comment(&location.file), location.line)
    }
}

/// A key, quoted where TOML wants it.
pub(crate) fn key(name: &str) -> String {
    TomlKeyBuilder::new(name).as_default().to_toml_key()
}

/// A value on one line.
pub(crate) fn toml_value(value: &Json) -> String {
    match value {
        Json::Object(map) if map.is_empty() => "{}".to_owned(),
        Json::Object(map) => {
            let entries: Vec<_> = map
                .iter()
                .map(|(name, value)| format!("{} = {}", key(name), toml_value(value)))
                .collect();
            format!("{{ {} }}", entries.join(", "))
        }
        Json::Array(list) => {
            format!("[{}]", list.iter().map(toml_value).collect::<Vec<_>>().join(", "))
        }
        Json::String(text) => {
            let text = TomlStringBuilder::new(text);
            let pretty = text.as_basic_pretty().or_else(|| text.as_literal());
            pretty.unwrap_or_else(|| text.as_basic()).to_toml_value()
        }
        other => other.to_string(),
    }
}

/// A text as part of a comment, where TOML allows no control characters.
pub(crate) fn comment(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::baseline::node::{self, Value};

    /// What our own loader reads from `key = value`.
    fn read_back(name: &str, value: &Json) -> (String, Json) {
        let text = format!("{} = {}", key(name), toml_value(value));
        assert!(!text.contains(['\n', '\r']), "{text:?}");
        let (root, problems) = node::parse(0, &text);
        assert!(problems.is_empty(), "{text:?}: {problems:?}");
        let Value::Table(table) = &root.value else { unreachable!("a document is a table") };
        let (name, _, node) = &table.entries[0];
        (name.clone(), node.to_json())
    }

    #[test]
    fn texts_with_control_characters_are_read_back() {
        let nasty =
            ["\n", "\n\nx\r\ny", "\u{7f}", "\0\u{1b}[0m", "a\"b'c", "''", "\"\"\"", "\\", "\t"];
        for text in nasty {
            let value = Json::String(text.to_owned());
            assert_eq!(read_back(text, &value), (text.to_owned(), value));
        }
        assert_eq!(comment("a\r\nb\u{7f}"), "a  b ");
    }

    fn json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            any::<String>().prop_map(Json::String),
            "[\\x00-\\x7f'\"\\\\]{0,12}".prop_map(Json::String),
            any::<i64>().prop_map(Json::from),
            any::<bool>().prop_map(Json::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|map| Json::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_value_is_read_back(name in any::<String>(), value in json()) {
            prop_assert_eq!(read_back(&name, &value), (name, value));
        }
    }
}
