//! The words that the engine takes from every item, and where in an item something stands.

use serde_json::{Value as Json, json};

use super::check::REGION_FORM;
use super::declare::Declared;
use super::problem::SourcePlace;

/// The words.
pub const ENGINE_WORDS: [&str; 4] = ["mode", "regions", "when", "note"];

/// The schema of a word that every item understands.
pub fn word_schema(word: &str) -> Json {
    match word {
        "mode" => mode_schema(),
        "regions" => regions_schema(),
        "when" => {
            let accounts =
                json!({"type": "array", "items": {"type": "string", "pattern": "^[0-9]{12}$"}});
            json!({
                "type": "object",
                "additionalProperties": false,
                "description": "The targets that the item is for; every condition must hold.",
                "properties": {
                    "account_tags": {"type": "object", "additionalProperties": {"type": "string"}},
                    "ous": {"type": "array", "items": {"type": "string"}},
                    "accounts": accounts,
                    "not_accounts": accounts,
                },
            })
        }
        _ => json!({"type": "string", "description": "Why we have this; shown in plans."}),
    }
}

pub(super) fn mode_schema() -> Json {
    json!({"enum": ["enforce", "report", "off"], "description": "What the item may do: remove drift, report it, or nothing."})
}

pub(super) fn regions_schema() -> Json {
    json!({
        "description": "The Regions in which the item holds: all enabled ones, the home Region, or a list.",
        "anyOf": [
            {"enum": ["enabled", "home"]},
            {"type": "array", "minItems": 1, "items": {"type": "string", "pattern": REGION_FORM}},
        ],
    })
}

/// The place of a path in an item, or of the nearest thing above it.
pub(super) fn locate(declared: &Declared, path: &[String], at_key: bool) -> SourcePlace {
    let Some((first, rest)) = path.split_first() else { return declared.place.clone() };
    let Some(field) = declared.fields.get(first) else { return declared.place.clone() };
    if at_key {
        return if rest.is_empty() {
            field.key.clone()
        } else {
            field.node.key_at(rest).unwrap_or(&field.node.place).clone()
        };
    }
    field.node.place_at(rest).clone()
}
