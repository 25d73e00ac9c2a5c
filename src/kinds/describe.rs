//! What a kind says of itself: its page in the documentation and the answer of `explain`, both
//! from the doc comments in its file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::{Map, Value};

use super::erased::{DynKind, Misfit};
use super::{Arns, Framework, Scope, registry};
use crate::baseline::catalog::Identity;
use crate::baseline::words::ENGINE_WORDS;

/// One field of a spec, or of a table inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its path: `lifecycle[].days`.
    pub path: String,
    /// Its type with its range, in words.
    pub takes: String,
    /// Whether a baseline must declare it.
    pub required: bool,
    /// Its doc comment.
    pub doc: String,
}

/// A kind's doc comment.
pub fn summary(kind: &dyn DynKind) -> String {
    paragraphs(kind.schema().get("description").and_then(Value::as_str).unwrap_or_default())
}

/// A kind's fields, those of inner tables after the field that holds them.
pub fn fields(kind: &dyn DynKind) -> Vec<Field> {
    let schema = kind.schema();
    let mut fields = Vec::new();
    collect(&schema, &schema, "", &mut fields, 0);
    fields
}

/// A kind's page in Markdown.
///
/// # Errors
/// A sample of the kind does not fit it; a test of all kinds rules that out.
pub fn page(kind: &dyn DynKind) -> Result<String, Misfit> {
    let mut out = String::new();
    let _ = writeln!(out, "# {}\n\n{}\n", kind.name(), summary(kind));
    let _ = writeln!(out, "| | |\n| --- | --- |");
    let _ = writeln!(out, "| scope | {} |", scope_words(kind));
    let _ = writeln!(out, "| declared as | {} |", declared_words(kind));
    if !kind.after().is_empty() {
        let _ = writeln!(out, "| applied after | {} |", code_list(kind.after()));
    }
    for (title, ids) in controls(kind) {
        let _ = writeln!(out, "| {title} | {ids} |");
    }
    let _ = writeln!(out, "\n## Example\n\n```toml\n{}\n```", example(kind));
    let _ = writeln!(out, "\n## Fields\n\nA field that is not declared is not managed.\n");
    let _ = writeln!(out, "| field | takes | what it is |\n| --- | --- | --- |");
    for field in fields(kind) {
        let needed = if field.required { " (required)" } else { "" };
        let _ = writeln!(
            out,
            "| `{}` | {}{needed} | {} |",
            field.path,
            cell(&field.takes),
            cell(&field.doc.replace("\n\n", " ").replace('\n', " "))
        );
    }
    let _ = writeln!(out, "\n## Permissions\n\nFor all fields of the example:\n");
    let (reads, writes) = permissions(kind)?;
    let _ = writeln!(out, "- to report: {}", code_list(&reads));
    let _ = writeln!(
        out,
        "- to enforce, also: {}",
        if writes.is_empty() { "none; this kind never writes" } else { "" }
    );
    for (on, actions) in &writes {
        let _ = writeln!(out, "  - {}: {}", where_words(on, "`"), code_list(actions));
    }
    let _ = writeln!(out, "\n## Events\n\nLooked at again after: {}", code_list(&kind.events()));
    Ok(out)
}

/// The frameworks that the kind serves, with the ids of the items.
fn controls(kind: &dyn DynKind) -> impl Iterator<Item = (&'static str, String)> {
    let controls = kind.controls();
    Framework::ALL.into_iter().filter_map(move |framework| {
        let ids = controls.of(framework);
        (!ids.is_empty()).then(|| (framework.title(), ids.join(", ")))
    })
}

/// A kind's answer to `explain`, as plain text.
///
/// # Errors
/// As [`page`].
pub fn explain(kind: &dyn DynKind, only: Option<&str>) -> Result<String, Misfit> {
    let mut out = String::new();
    if only.is_none() {
        let _ = writeln!(out, "{}\n\n{}\n", kind.name(), summary(kind));
        let _ = writeln!(out, "Scope: {}", scope_words(kind));
        let _ = writeln!(out, "Declared as: {}", declared_words(kind).replace('`', ""));
        for (title, ids) in controls(kind) {
            let _ = writeln!(out, "{title}: {ids}");
        }
        let _ = writeln!(out, "\nFields");
    }
    for field in fields(kind) {
        let inside = only.is_none_or(|only| {
            field.path == only
                || field.path.starts_with(&format!("{only}."))
                || field.path.starts_with(&format!("{only}[]"))
        });
        if !inside {
            continue;
        }
        let needed = if field.required { ", required" } else { "" };
        let _ = writeln!(out, "\n  {}  ({}{needed})", field.path, field.takes.replace('`', ""));
        for line in field.doc.lines() {
            let _ = writeln!(out, "    {line}");
        }
    }
    if only.is_none() {
        let (reads, writes) = permissions(kind)?;
        let _ = writeln!(out, "\nPermissions to report\n  {}", reads.join("\n  "));
        if !writes.is_empty() {
            let _ = writeln!(out, "\nPermissions to enforce, also");
        }
        for (on, actions) in &writes {
            let _ = writeln!(out, "  {}\n    {}", where_words(on, ""), actions.join("\n    "));
        }
        let _ = writeln!(out, "\nExample\n\n{}", example(kind));
    }
    Ok(out)
}

/// Resources and the condition keys that narrow them.
type Where = (BTreeSet<String>, BTreeSet<String>);
/// Actions by what they are allowed on.
type Writes = Vec<(Where, Vec<String>)>;

/// IAM actions of the kind's own items in its samples: to read, and to write, with on what.
fn permissions(kind: &dyn DynKind) -> Result<(Vec<String>, Writes), Misfit> {
    let (mut reads, mut writes) = (BTreeSet::new(), BTreeMap::<Where, BTreeSet<String>>::new());
    let arns = Arns::of("aws", "111122223333");
    for spec in kind.samples().iter().flat_map(|sample| sample_specs(kind, sample)) {
        let needed = kind.needed(&spec, &arns)?;
        reads.extend(needed.reads.into_iter().map(String::from));
        let implied_reads = needed.implied_reads.into_iter().map(String::from);
        let anywhere = (BTreeSet::from(["*".to_owned()]), BTreeSet::new());
        writes.entry(anywhere).or_default().extend(implied_reads);
        for write in needed.writes {
            for allowed in write.allowed {
                let keys = allowed.conditions.into_iter().map(|condition| condition.key).collect();
                let on = writes.entry((allowed.resources, keys)).or_default();
                on.insert(write.action.to_string());
            }
        }
    }
    for actions in writes.values_mut() {
        actions.retain(|action| !reads.contains(action));
    }
    writes.retain(|_, actions| !actions.is_empty());
    let writes = writes.into_iter().map(|(on, actions)| (on, actions.into_iter().collect()));
    Ok((reads.into_iter().collect(), writes.collect()))
}

/// On what, in words; `quote` is around each name.
fn where_words((resources, keys): &Where, quote: &str) -> String {
    let names = |names: &BTreeSet<String>| {
        let quoted: Vec<_> = names.iter().map(|name| format!("{quote}{name}{quote}")).collect();
        quoted.join(" and ")
    };
    match keys.is_empty() {
        true => format!("on {}", names(resources)),
        false => format!("on {}, narrowed by {}", names(resources), names(keys)),
    }
}

/// The specs of the kind's own items in a sample, as in an account of AWS's examples; references are
/// filled in from the sample.
pub(super) fn sample_specs(kind: &dyn DynKind, sample: &str) -> Vec<Value> {
    let sample = sample
        .replace("${account.id}", "111122223333")
        .replace("${partition}", "aws")
        .replace("${region}", "us-east-1");
    let Ok(mut table) = toml::from_str::<Value>(&sample) else { return Vec::new() };
    let declared = table.clone();
    fill(&mut table, &declared);
    let Some(found) = kind.name().split('.').try_fold(&table, |table, part| table.get(part)) else {
        return Vec::new();
    };
    let specs = match kind.identity() {
        Identity::Singleton | Identity::Sweep => vec![found.clone()],
        Identity::Named { field, prefix } => found
            .as_object()
            .into_iter()
            .flatten()
            .map(|(name, spec)| {
                let mut spec = spec.clone();
                if let Some(map) = spec.as_object_mut() {
                    map.entry(field).or_insert_with(|| Value::String(format!("{prefix}{name}")));
                }
                spec
            })
            .collect(),
    };
    specs.into_iter().map(without_engine_words).collect()
}

/// Fills in the references of a value from what is declared.
fn fill(value: &mut Value, declared: &Value) {
    match value {
        Value::String(text) => {
            let mut parts = text.split("${");
            let mut filled = parts.next().unwrap_or_default().to_owned();
            for part in parts {
                let (path, rest) = part.split_once('}').unwrap_or((part, ""));
                filled += &referred(path, declared);
                filled += rest;
            }
            *text = filled;
        }
        Value::Array(list) => list.iter_mut().for_each(|one| fill(one, declared)),
        Value::Object(map) => map.values_mut().for_each(|one| fill(one, declared)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What a reference stands for: a declared field, or the field that an item's own name fills.
fn referred(path: &str, declared: &Value) -> String {
    let found = path.split('.').try_fold(declared, |table, part| table.get(part));
    if let Some(text) = found.and_then(Value::as_str) {
        return text.to_owned();
    }
    let mut parts = path.rsplitn(3, '.');
    let (field, name, kind) = (parts.next(), parts.next(), parts.next());
    match kind.and_then(registry::find).map(DynKind::identity) {
        Some(Identity::Named { field: own, prefix }) if field == Some(own) => {
            format!("{prefix}{}", name.unwrap_or_default())
        }
        _ => format!("<{path}>"),
    }
}

fn without_engine_words(mut spec: Value) -> Value {
    if let Some(map) = spec.as_object_mut() {
        for word in ENGINE_WORDS {
            map.shift_remove(word);
        }
    }
    spec
}

fn example(kind: &dyn DynKind) -> &'static str {
    kind.samples().first().map_or("", |sample| sample.trim())
}

fn scope_words(kind: &dyn DynKind) -> &'static str {
    match kind.scope() {
        Scope::Global => "once per account",
        Scope::Regional => "in every Region that the item names (`regions`)",
    }
}

fn declared_words(kind: &dyn DynKind) -> String {
    match kind.identity() {
        Identity::Singleton => format!("`[{}]`, at most once", kind.name()),
        Identity::Sweep => format!("`[{}]`, at most once; it governs many objects", kind.name()),
        Identity::Named { field, prefix } => {
            format!("`[{}.NAME]`; `{field}` is `{prefix}NAME` when it is not declared", kind.name())
        }
    }
}

fn code_list<W: std::fmt::Display>(words: &[W]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Text for a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// Doc comments keep their line breaks; paragraphs become single lines.
fn paragraphs(text: &str) -> String {
    text.split("\n\n").map(|part| part.replace('\n', " ")).collect::<Vec<_>>().join("\n\n")
}

/// Adds the fields of a schema and of the tables inside it.
fn collect(root: &Value, schema: &Value, prefix: &str, fields: &mut Vec<Field>, depth: usize) {
    let schema = resolve(root, schema);
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let required: BTreeSet<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    for (name, property) in properties {
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let inner = resolve(root, property);
        let doc = property
            .get("description")
            .or_else(|| inner.get("description"))
            .and_then(Value::as_str)
            .unwrap_or_default();
        fields.push(Field {
            path: path.clone(),
            takes: takes(root, property),
            required: required.contains(name.as_str()),
            doc: paragraphs(doc),
        });
        if depth > 6 {
            continue;
        }
        if inner.get("properties").is_some() {
            collect(root, inner, &path, fields, depth + 1);
        } else if let Some(items) = inner.get("items") {
            collect(root, items, &format!("{path}[]"), fields, depth + 1);
        } else if let Some(values) =
            inner.get("additionalProperties").filter(|values| values.is_object())
        {
            collect(root, values, &format!("{path}.NAME"), fields, depth + 1);
        }
    }
}

/// Follows references and optional wrappers to the schema that says what a value is.
fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut schema = schema;
    for _ in 0..16 {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let Some(found) = root.pointer(reference.trim_start_matches('#')) else {
                return schema;
            };
            schema = found;
            continue;
        }
        let options = schema.get("anyOf").and_then(Value::as_array);
        let mut real = options
            .into_iter()
            .flatten()
            .filter(|option| option.get("type").and_then(Value::as_str) != Some("null"));
        match (real.next(), real.next()) {
            (Some(only), None) => schema = only,
            _ => return schema,
        }
    }
    schema
}

/// A value's type with its range, in words.
fn takes(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(choices) = choices(schema) {
        return choices.iter().map(|choice| format!("`{choice}`")).collect::<Vec<_>>().join(" or ");
    }
    let Some(map) = schema.as_object() else { return "any value".to_owned() };
    let kinds: Vec<&str> = match map.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect()
        }
        _ => Vec::new(),
    };
    match kinds.first() {
        Some(&"integer" | &"number") => format!("number{}", range(map, "minimum", "maximum")),
        Some(&"boolean") => "true or false".to_owned(),
        Some(&"string") => {
            let length = range(map, "minLength", "maxLength");
            let length = if length.is_empty() { length } else { format!("{length} characters") };
            format!("text{length}")
        }
        Some(&"array") => {
            let items = map.get("items").map_or("any value".to_owned(), |items| takes(root, items));
            let size = range(map, "minItems", "maxItems");
            let size = if size.is_empty() { size } else { format!("{size} entries") };
            format!("list{size} of {items}")
        }
        Some(&"object") if map.contains_key("properties") => "table".to_owned(),
        Some(&"object") => {
            match map.get("additionalProperties").filter(|inner| inner.is_object()) {
                Some(values) => format!("table of {}", takes(root, values)),
                None => "table".to_owned(),
            }
        }
        _ => match map.get("anyOf").or_else(|| map.get("oneOf")).and_then(Value::as_array) {
            Some(options) => {
                let words: BTreeSet<String> =
                    options.iter().map(|option| takes(root, option)).collect();
                words.into_iter().collect::<Vec<_>>().join(" or ")
            }
            None => "any value".to_owned(),
        },
    }
}

/// The values of an enumeration.
fn choices(schema: &Value) -> Option<Vec<String>> {
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>())
            .filter(|choices| !choices.is_empty());
    }
    let constants: Option<Vec<String>> = schema
        .get("oneOf")?
        .as_array()?
        .iter()
        .map(|option| option.get("const").and_then(Value::as_str).map(str::to_owned))
        .collect();
    constants.filter(|choices| !choices.is_empty())
}

/// ` 6 to 128`, ` of at least 1`, or nothing.
fn range(map: &Map<String, Value>, low: &str, high: &str) -> String {
    let low = map.get(low).filter(|low| low.as_f64() != Some(0.0) || map.contains_key(high));
    match (low, map.get(high)) {
        (Some(low), Some(high)) => format!(" {low} to {high}"),
        (Some(low), None) => format!(" of at least {low}"),
        (None, Some(high)) => format!(" of at most {high}"),
        (None, None) => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_field_says_its_range() {
        let kind = registry::find("iam.password_policy").unwrap();
        let fields = fields(kind);
        assert_eq!(fields[0].path, "minimum_password_length");
        assert_eq!(fields[0].takes, "number 6 to 128");
        assert!(fields.iter().all(|field| !field.doc.is_empty()));
    }

    #[test]
    fn every_kind_has_a_page_with_an_example_that_needs_permissions() {
        for kind in registry::all() {
            let page = page(kind.as_ref()).unwrap();
            assert!(page.contains("## Example"), "{}", kind.name());
            assert!(!permissions(kind.as_ref()).unwrap().0.is_empty(), "{}", kind.name());
            for field in super::fields(kind.as_ref()) {
                assert!(!field.doc.is_empty(), "{} {} has no doc", kind.name(), field.path);
            }
        }
    }
}
