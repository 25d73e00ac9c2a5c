//! The baseline as text.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;

use super::{Export, Exported};
use crate::baseline::catalog::Identity;
use crate::baseline::expand::{key, toml_value};
use crate::kinds::registry;
use crate::names::AccountId;

/// Writes an export as a baseline file in mode "report".
pub fn baseline(export: &Export, account: &AccountId, today: &str) -> String {
    let mut out = String::new();
    let _ =
        writeln!(out, "# The state of account {account} on {today}, as evenkeel export found it.");
    out.push_str("# The plan of this file is empty today. It only reports: read it, take out what you do not\n");
    out.push_str("# care about, raise what is too weak, and then set the mode to \"enforce\".\nschema = 1\n\n");
    let _ = writeln!(out, "[baseline]\nname    = \"account-{account}\"\nmode    = \"report\"");
    let all: Vec<Value> = export.regions.iter().map(|region| region.as_str().into()).collect();
    let _ = writeln!(out, "regions = {}", toml_value(&Value::Array(all)));
    let references = references(export);
    for exported in &export.items {
        item(&mut out, export, exported, account, &references);
    }
    if !export.left_out.is_empty() {
        out.push_str("\n# Left out:\n");
        for what in &export.left_out {
            let _ = writeln!(out, "# - {}", what.replace(['\n', '\r'], " "));
        }
    }
    out
}

fn item(
    out: &mut String,
    export: &Export,
    exported: &Exported,
    account: &AccountId,
    references: &BTreeMap<String, (String, usize)>,
) {
    let name = &exported.item;
    let own = name.name.as_deref().map_or(String::new(), |own| format!(".{}", key(own)));
    let _ = writeln!(out, "\n[{}{own}]", name.kind);
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
        let reference = value.as_str().and_then(|text| references.get(text)).filter(|(_, at)| {
            // Only to what comes first, so that references never go in a circle.
            *at < position && identity != Some(field.as_str())
        });
        match reference {
            Some((reference, _)) => value = Value::String(format!("${{{reference}}}")),
            None => placeholders(&mut value, account),
        }
        let _ = writeln!(out, "{:width$} = {}", key(field), toml_value(&value));
    }
}

/// The AWS names that other items can refer to, and where their kinds stand.
fn references(export: &Export) -> BTreeMap<String, (String, usize)> {
    export
        .items
        .iter()
        .filter_map(|exported| {
            let field = identity(&exported.item.kind)?;
            let name = exported.spec.get(field)?.as_str()?.to_owned();
            let reference = format!("{}.{field}", exported.item);
            Some((name, (reference, position(&exported.item.kind))))
        })
        .collect()
}

fn identity(kind: &str) -> Option<&'static str> {
    match registry::find(kind)?.identity() {
        Identity::Named { field, .. } => Some(field),
        Identity::Singleton | Identity::Sweep => None,
    }
}

fn position(kind: &str) -> usize {
    registry::all().iter().position(|known| known.name() == kind).unwrap_or_default()
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
