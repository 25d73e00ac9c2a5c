//! The effective baseline: as TOML with the place that each value came from, and as a digest.

use std::fmt::Write;

use serde_json::{Map, Value as Json};

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

    fn origin(&self, place: &super::problem::Place) -> String {
        let location = self.location(place);
        format!("{}:{}", location.file.replace('\n', " "), location.line)
    }
}

/// A key, quoted where TOML wants it.
pub(crate) fn key(name: &str) -> String {
    let bare = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { name.to_owned() } else { toml_value(&Json::String(name.to_owned())) }
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
        Json::String(text) => toml::Value::String(text.clone()).to_string().replace('\n', "\\n"),
        other => other.to_string(),
    }
}
