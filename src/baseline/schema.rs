//! JSON Schema of a baseline file, for editors.

use serde_json::{Map, Value as Json, json};

use super::catalog::{Catalog, Identity};
use super::words::{ENGINE_WORDS, word_schema};

/// The schema of a baseline file.
pub fn baseline_schema(catalog: &Catalog) -> Json {
    let mut definitions = Map::new();
    let mut services: Map<String, Json> = Map::new();
    for kind in catalog.kinds() {
        let mut spec = (kind.schema)();
        allow_interpolation(&mut spec);
        lift_definitions(&mut spec, &mut definitions, kind.name);
        if let Some(properties) = spec.get_mut("properties").and_then(Json::as_object_mut) {
            for word in ENGINE_WORDS {
                if word != "regions" || kind.regional {
                    properties.insert(word.to_owned(), word_schema(word));
                }
            }
        }
        if let (Identity::Named { field, .. }, Some(required)) =
            (kind.identity, spec.get_mut("required").and_then(Json::as_array_mut))
        {
            // The loader fills it in from the item's name.
            required.retain(|name| name != field);
        }
        definitions.insert(kind.name.to_owned(), spec);
        let reference = json!({"$ref": format!("#/$defs/{}", kind.name)});
        let item = match kind.identity {
            Identity::Named { .. } => json!({"type": "object", "additionalProperties": reference}),
            Identity::Singleton | Identity::Sweep => reference,
        };
        if let Some((service, thing)) = kind.name.split_once('.') {
            let table = services.entry(service.to_owned()).or_insert_with(
                || json!({"type": "object", "additionalProperties": false, "properties": {}}),
            );
            table["properties"][thing] = item;
        }
    }
    let mut properties = properties();
    if let Some(map) = properties.as_object_mut() {
        map.extend(services);
    }
    definitions.insert(
        INTERPOLATED.to_owned(),
        json!({"type": "string", "pattern": r"\$\{", "description": "Text with a ${variable} or a ${reference}."}),
    );
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "evenkeel baseline",
        "type": "object",
        "required": ["schema"],
        "additionalProperties": false,
        "properties": properties,
        "$defs": definitions,
    })
}

/// The tables of a baseline file that are no service's.
fn properties() -> Json {
    json!({
        "schema": {"const": super::declare::SCHEMA, "description": "The version of the language."},
        "baseline": {
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "name": {"type": "string"},
                "description": {"type": "string"},
                "extends": {"type": "array", "items": {"type": "string"}, "description": "Files that this one builds on, left to right."},
                "mode": word_schema("mode"),
                "regions": word_schema("regions"),
            },
        },
        "variables": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "array"]}},
        "exception": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": false,
                "required": ["item", "until", "owner", "reason"],
                "properties": {
                    "item": {"type": "string"},
                    "account": {"type": "string", "pattern": "^[0-9]{12}$"},
                    "region": {"type": "string"},
                    "object": {"type": "string"},
                    "until": {"description": "The last day, a TOML date."},
                    "owner": {"type": "string", "minLength": 1},
                    "reason": {"type": "string", "minLength": 1},
                },
            },
        },
    })
}

/// Under this name of `$defs` is what may stand in the place of every value.
const INTERPOLATED: &str = "interpolated";

/// Lets every value that is not a table also be text with `${…}`: what it stands for is known only
/// when the baseline is loaded, and is checked against the kind's own schema then.
fn allow_interpolation(schema: &mut Json) {
    let Some(map) = schema.as_object_mut() else { return };
    for keyword in ["properties", "$defs"] {
        if let Some(Json::Object(children)) = map.get_mut(keyword) {
            children.values_mut().for_each(allow_interpolation);
        }
    }
    for keyword in ["items", "additionalProperties"] {
        if let Some(child) = map.get_mut(keyword) {
            allow_interpolation(child);
        }
    }
    for keyword in ["oneOf", "anyOf", "allOf"] {
        if let Some(Json::Array(children)) = map.get_mut(keyword) {
            children.iter_mut().filter(|child| !is_leaf(child)).for_each(allow_interpolation);
        }
    }
    if is_leaf(schema) {
        let description = schema.as_object_mut().and_then(|map| map.remove("description"));
        let reference = json!({"$ref": format!("#/$defs/{INTERPOLATED}")});
        let mut either = json!({"anyOf": [schema.take(), reference]});
        if let Some(description) = description {
            either["description"] = description;
        }
        *schema = either;
    }
}

/// A value that is not a table, or a choice with at least one.
fn is_leaf(schema: &Json) -> bool {
    let typed = match &schema["type"] {
        Json::String(name) => name != "object",
        Json::Array(names) => names.iter().any(|name| name != "object"),
        _ => schema.get("enum").is_some(),
    };
    let choice = ["oneOf", "anyOf"].iter().any(|keyword| {
        schema[*keyword].as_array().is_some_and(|children| children.iter().any(is_leaf))
    });
    typed || choice
}

/// Moves a kind's own definitions to the top, under names of their own.
fn lift_definitions(spec: &mut Json, definitions: &mut Map<String, Json>, kind: &str) {
    let own = spec.as_object_mut().and_then(|map| map.remove("$defs"));
    rename_references(spec, kind);
    for (name, mut definition) in
        own.as_ref().and_then(Json::as_object).cloned().unwrap_or_default()
    {
        rename_references(&mut definition, kind);
        definitions.insert(format!("{kind}.{name}"), definition);
    }
    if let Some(map) = spec.as_object_mut() {
        map.remove("$schema");
        map.remove("title");
    }
}

fn rename_references(value: &mut Json, kind: &str) {
    match value {
        Json::Object(map) => {
            if let Some(Json::String(reference)) = map.get_mut("$ref")
                && let Some(name) = reference.strip_prefix("#/$defs/")
                && name != INTERPOLATED
            {
                *reference = format!("#/$defs/{kind}.{name}");
            }
            map.values_mut().for_each(|value| rename_references(value, kind));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| rename_references(value, kind)),
        _ => {}
    }
}
