//! JSON Schema of a baseline file, for editors.

use serde_json::{Map, Value as Json, json};

use super::catalog::{Catalog, Identity};
use super::resolve::ENGINE_WORDS;
use super::verify::word_schema;

/// The schema of a baseline file.
pub fn baseline_schema(catalog: &Catalog) -> Json {
    let mut definitions = Map::new();
    let mut services: Map<String, Json> = Map::new();
    for kind in catalog.kinds() {
        let mut spec = (kind.schema)();
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
    let mut properties = json!({
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
    });
    if let Some(map) = properties.as_object_mut() {
        map.extend(services);
    }
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
            {
                *reference = format!("#/$defs/{kind}.{name}");
            }
            map.values_mut().for_each(|value| rename_references(value, kind));
        }
        Json::Array(list) => list.iter_mut().for_each(|value| rename_references(value, kind)),
        _ => {}
    }
}
