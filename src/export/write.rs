//! The baseline as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;

use super::{Export, Exported};
use crate::baseline::catalog::Identity;
use crate::baseline::expand::{comment, key, toml_value};
use crate::kinds::registry;
use crate::names::{AccountId, ItemName};
use crate::plan::words::counted;

/// Writes an export as a baseline file in mode "report".
pub fn baseline(export: &Export, account: &AccountId, today: &str) -> String {
    let mut out =
        format!("# The state of account {account} on {today}, as evenkeel export found it.\n");
    if !export.unread.is_empty() {
        let _ = writeln!(
            out,
            "# IT IS NOT COMPLETE: {} could not be read, see the end; nobody knows what is there.",
            counted(export.unread.len(), "thing")
        );
    }
    let plan = match export.wrong.is_empty() {
        true => "The plan of this file is empty today.",
        false => "The plan of this file changes nothing today, and finds what is named at its end.",
    };
    let _ = writeln!(out, "# {plan}");
    out.push_str("# It only reports: read it, take out what you do not care about, raise what is too weak, and\n");
    out.push_str("# then set the mode to \"enforce\".\n");
    out.push_str(&items(export, account).text);
    for (title, list) in [
        ("Could not be read; nobody knows what is there", &export.unread),
        ("Declared as it is, and something is wrong with it", &export.wrong),
        ("Left out", &export.left_out),
    ] {
        if !list.is_empty() {
            let _ = writeln!(out, "\n# {title}:");
            for what in list {
                let _ = writeln!(out, "# - {}", comment(what));
            }
        }
    }
    out
}

/// The items as text.
pub(super) struct Written {
    pub text: String,
    /// Where each item begins.
    starts: Vec<(usize, ItemName)>,
    /// The fields in which a reference stands for another name of the object.
    tried: BTreeMap<ItemName, BTreeSet<String>>,
}

impl Written {
    /// The item that a byte belongs to.
    pub fn item_at(&self, byte: usize) -> Option<&ItemName> {
        self.starts.iter().rev().find(|(start, _)| *start <= byte).map(|(_, item)| item)
    }

    /// The fields of an item in which a reference is only an attempt.
    pub fn tried(&self, item: &ItemName) -> impl Iterator<Item = &String> {
        self.tried.get(item).into_iter().flatten()
    }
}

/// Writes the header and the items.
pub(super) fn items(export: &Export, account: &AccountId) -> Written {
    let mut written = Written { text: String::new(), starts: Vec::new(), tried: BTreeMap::new() };
    let all: Vec<Value> = export.regions.iter().map(|region| region.as_str().into()).collect();
    let _ = writeln!(
        written.text,
        "schema = 1\n\n[baseline]\nname    = \"account-{account}\"\nmode    = \"report\"\nregions = {}",
        toml_value(&Value::Array(all))
    );
    let references = references(export);
    for exported in &export.items {
        item(&mut written, export, exported, account, &references);
    }
    written
}

/// How an item can be referred to by one of its names.
struct Reference {
    text: String,
    /// Where its kind stands.
    position: usize,
    /// Whether the reference stands for another name than it gives.
    is_tried: bool,
}

fn item(
    written: &mut Written,
    export: &Export,
    exported: &Exported,
    account: &AccountId,
    references: &BTreeMap<String, Reference>,
) {
    let name = &exported.item;
    let out = &mut written.text;
    out.push('\n');
    written.starts.push((out.len(), name.clone()));
    let own = name.name.as_deref().map_or(String::new(), |own| format!(".{}", key(own)));
    let _ = writeln!(out, "[{}{own}]", name.kind);
    if let Some(regions) = exported.regions.as_ref().filter(|regions| **regions != export.regions) {
        let regions: Vec<Value> = regions.iter().map(|region| region.as_str().into()).collect();
        let _ = writeln!(out, "regions = {}", toml_value(&Value::Array(regions)));
    }
    let Some(fields) = exported.spec.as_object() else { return };
    let position = position(&name.kind);
    let identity = identity(&name.kind);
    let width = fields.keys().map(|field| field.len()).max().unwrap_or_default();
    for (field, value) in fields {
        let mut value = value.clone();
        let reference = value.as_str().and_then(|text| references.get(text)).filter(|reference| {
            // Only to what comes first, so that references never go in a circle.
            reference.position < position
                && identity != Some(field.as_str())
                && !(reference.is_tried && exported.literal.contains(field))
        });
        match reference {
            Some(reference) => {
                value = Value::String(format!("${{{}}}", reference.text));
                if reference.is_tried {
                    written.tried.entry(name.clone()).or_default().insert(field.clone());
                }
            }
            None => placeholders(&mut value, account),
        }
        let _ = writeln!(out, "{:width$} = {}", key(field), toml_value(&value));
    }
}

/// The AWS names that other items can refer to, and where their kinds stand.
fn references(export: &Export) -> BTreeMap<String, Reference> {
    let mut references = BTreeMap::new();
    for exported in &export.items {
        let Some(field) = identity(&exported.item.kind) else { continue };
        let Some(name) = exported.spec.get(field).and_then(Value::as_str) else { continue };
        let reference = |is_tried| Reference {
            text: format!("{}.{field}", exported.item),
            position: position(&exported.item.kind),
            is_tried,
        };
        references.insert(name.to_owned(), reference(false));
        for other in &exported.other_names {
            references.entry(other.clone()).or_insert_with(|| reference(true));
        }
    }
    references
}

fn identity(kind: &str) -> Option<&'static str> {
    match registry::find(kind)?.identity() {
        Identity::Named { field, .. } => Some(field),
        Identity::Singleton | Identity::Sweep => None,
    }
}

fn position(kind: &str) -> usize {
    registry::place(kind).unwrap_or_default()
}

/// Writes `${` as itself, and the account's own id as its placeholder.
fn placeholders(value: &mut Value, account: &AccountId) {
    match value {
        Value::String(text) => {
            *text = text.replace("${", "$${").replace(account.as_str(), "${account.id}");
        }
        Value::Array(list) => list.iter_mut().for_each(|value| placeholders(value, account)),
        Value::Object(map) => map.values_mut().for_each(|value| placeholders(value, account)),
        _ => {}
    }
}
