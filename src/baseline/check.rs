//! Checks values against a JSON Schema and says what is wrong in our own words.

use std::collections::BTreeSet;

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde_json::Value as Json;

use super::problem::{did_you_mean, one_of};

/// The forms of texts that many fields share, in words.
const FORMS: [(&str, &str); 3] = [
    ("^[0-9]{12}$", "an account's id has 12 digits, such as \"111122223333\""),
    (
        REGION_FORM,
        "write a Region's code, such as eu-west-1: `aws ec2 describe-regions` lists them",
    ),
    (r"^[a-z0-9]+(-[a-z0-9]+)+$", "write a Region's code, such as eu-west-1"),
];

/// What Regions look like.
pub const REGION_FORM: &str = "^[a-z]{2,}(-[a-z]+)+-[0-9]+$";

/// Something that does not fit, and where in the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// A stable word for it.
    pub code: &'static str,
    /// The steps to it: keys, and positions in lists.
    pub path: Vec<String>,
    /// Whether the key is at fault rather than its value.
    pub at_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: Option<String>,
}

impl Mismatch {
    /// The path as people write it: `lifecycle[0].days`.
    pub fn field(&self) -> String {
        written(&self.path)
    }

    /// Whether it could come from a sample value in place of a fact that is not known yet.
    pub fn concerns_text(&self) -> bool {
        matches!(self.code, "pattern" | "length" | "unknown-value")
    }
}

/// A schema that is ready to check values.
pub struct Checker {
    schema: Json,
    validator: Validator,
}

impl Checker {
    /// Prepares a schema; `None` when it is none, which a test of all kinds rules out.
    pub fn new(schema: Json) -> Option<Self> {
        let validator = jsonschema::validator_for(&schema).ok()?;
        Some(Self { schema, validator })
    }

    /// Everything in a value that does not fit.
    pub fn mismatches(&self, value: &Json) -> Vec<Mismatch> {
        let mut found = Vec::new();
        for error in self.validator.iter_errors(value) {
            self.translate(&error, &mut found);
        }
        found
    }

    fn translate(&self, error: &ValidationError<'_>, found: &mut Vec<Mismatch>) {
        let path: Vec<String> = error
            .instance_path()
            .as_str()
            .split('/')
            .skip(1)
            .map(|step| step.replace("~1", "/").replace("~0", "~"))
            .collect();
        let mut add = |code, message: String, help: Option<String>| {
            found.push(Mismatch { code, path: path.clone(), at_key: false, message, help });
        };
        let subject = subject(&path);
        match error.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                self.unknown_fields(error, &path, unexpected, found);
            }
            ValidationErrorKind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let help = format!("add `{name} = …`");
                add("missing-field", format!("the field `{name}` is missing"), Some(help));
            }
            ValidationErrorKind::Type { kind } => {
                let (wanted, there) = (expected(kind), actual(error.instance()));
                add("wrong-type", format!("{subject} should be {wanted}, and is {there}"), None);
            }
            ValidationErrorKind::Enum { options } => {
                let options: Vec<&str> =
                    options.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
                let (message, help) = choice(&subject, error.instance(), &options);
                add("unknown-value", message, help);
            }
            ValidationErrorKind::Constant { expected_value } => {
                add("unknown-value", format!("{subject} should be {expected_value}"), None);
            }
            ValidationErrorKind::Minimum { .. } | ValidationErrorKind::Maximum { .. } => {
                let message = format!("{subject} is {}, which is out of range", error.instance());
                let range = self.range(error).map(|range| format!("it can be {range}"));
                add("out-of-range", message, range);
            }
            ValidationErrorKind::MinLength { limit } => {
                add("length", format!("{subject} is too short: at least {limit} characters"), None);
            }
            ValidationErrorKind::MaxLength { limit } => {
                add("length", format!("{subject} is too long: at most {limit} characters"), None);
            }
            ValidationErrorKind::MinItems { limit } => {
                let help = "name some, or leave the field out".to_owned();
                let message = format!("{subject} has too few entries: at least {limit}");
                add("length", message, Some(help));
            }
            ValidationErrorKind::MaxItems { limit } => {
                add("length", format!("{subject} has too many entries: at most {limit}"), None);
            }
            ValidationErrorKind::Pattern { pattern } => add(
                "pattern",
                format!("{subject} does not have the right form: {}", error.instance()),
                Some(self.form(error, pattern)),
            ),
            ValidationErrorKind::UniqueItems => {
                add("duplicate", format!("{subject} names something twice"), None)
            }
            ValidationErrorKind::AnyOf { context }
            | ValidationErrorKind::OneOfNotValid { context } => {
                self.alternatives(&path, error.instance(), context, found);
            }
            other => {
                add("wrong-value", format!("{subject} is not valid ({})", other.keyword()), None)
            }
        }
    }

    /// Fields that the schema does not have.
    fn unknown_fields(
        &self,
        error: &ValidationError<'_>,
        path: &[String],
        unexpected: &[String],
        found: &mut Vec<Mismatch>,
    ) {
        let names = self.names_beside(error);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        for name in unexpected {
            let mut path = path.to_vec();
            path.push(name.clone());
            found.push(Mismatch {
                code: "unknown-field",
                path,
                at_key: true,
                message: format!("there is no field `{name}`"),
                help: did_you_mean(name, &names),
            });
        }
    }

    /// Of several alternatives, the one that the author most likely meant.
    fn alternatives(
        &self,
        path: &[String],
        value: &Json,
        context: &[Vec<ValidationError<'static>>],
        found: &mut Vec<Mismatch>,
    ) {
        let constants: Vec<&str> = context
            .iter()
            .flatten()
            .flat_map(|error| match error.kind() {
                ValidationErrorKind::Constant { expected_value } => {
                    expected_value.as_str().into_iter().collect::<Vec<_>>()
                }
                ValidationErrorKind::Enum { options } => {
                    options.as_array().into_iter().flatten().filter_map(Json::as_str).collect()
                }
                _ => Vec::new(),
            })
            .collect();
        if value.is_string() && !constants.is_empty() {
            let (message, help) = choice(&subject(path), value, &constants);
            let types = types(context);
            found.push(Mismatch {
                code: "unknown-value",
                path: path.to_vec(),
                at_key: false,
                message,
                help: help.map(|help| match types.is_empty() {
                    true => help,
                    false => format!("{help}, or {types}"),
                }),
            });
            return;
        }
        let is_wrong_type = |errors: &&Vec<ValidationError<'static>>| {
            errors.iter().any(|error| {
                // A list of words is for texts.
                let is_of_words = || {
                    let kind = error.kind();
                    let is_choice = matches!(
                        kind,
                        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. }
                    );
                    is_choice && !error.instance().is_string()
                };
                (matches!(error.kind(), ValidationErrorKind::Type { .. }) || is_of_words())
                    && error.instance_path().as_str().split('/').count() == path.len() + 1
            })
        };
        match context.iter().find(|errors| !is_wrong_type(errors) && !errors.is_empty()) {
            Some(errors) => {
                for error in errors {
                    self.translate(error, found);
                }
            }
            None => {
                let types = types(context);
                found.push(Mismatch {
                    code: "wrong-type",
                    path: path.to_vec(),
                    at_key: false,
                    message: format!(
                        "{} should be {types}, and is {}",
                        subject(path),
                        actual(value)
                    ),
                    help: None,
                });
            }
        }
    }

    /// What a text should look like, in words where there are some.
    fn form(&self, error: &ValidationError<'_>, pattern: &str) -> String {
        if let Some((_, words)) = FORMS.iter().find(|(form, _)| *form == pattern) {
            return (*words).to_owned();
        }
        let description = self.schema_above(error).and_then(|schema| schema.get("description"));
        match description.and_then(Json::as_str).and_then(|text| text.split(". ").next()) {
            Some(text) => {
                let text = text.replace('\n', " ");
                format!("it must match {pattern}: {}", text.trim_end_matches('.'))
            }
            None => format!("it must match {pattern}"),
        }
    }

    /// The fields of the schema that rejected a field.
    fn names_beside(&self, error: &ValidationError<'_>) -> Vec<String> {
        self.schema_above(error)
            .and_then(|schema| schema.get("properties"))
            .and_then(Json::as_object)
            .map(|properties| properties.keys().cloned().collect())
            .unwrap_or_default()
    }

    /// `6 to 128`.
    fn range(&self, error: &ValidationError<'_>) -> Option<String> {
        let schema = self.schema_above(error)?;
        match (schema.get("minimum"), schema.get("maximum")) {
            (Some(low), Some(high)) => Some(format!("{low} to {high}")),
            (Some(low), None) => Some(format!("{low} or more")),
            (None, Some(high)) => Some(format!("{high} or less")),
            (None, None) => None,
        }
    }

    fn schema_above(&self, error: &ValidationError<'_>) -> Option<&Json> {
        let path = error.schema_path().as_str();
        let (above, _) = path.rsplit_once('/')?;
        self.schema.pointer(above)
    }
}

/// The types that alternatives ask for.
fn types(context: &[Vec<ValidationError<'static>>]) -> String {
    let types: BTreeSet<String> = context
        .iter()
        .flatten()
        .filter_map(|error| match error.kind() {
            ValidationErrorKind::Type { kind } => Some(expected(kind)),
            _ => None,
        })
        .filter(|word| word != "nothing")
        .collect();
    types.into_iter().collect::<Vec<_>>().join(" or ")
}

/// A path as people write it.
pub fn written(path: &[String]) -> String {
    let mut out = String::new();
    for step in path {
        if step.parse::<usize>().is_ok() {
            out.push_str(&format!("[{step}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(step);
        }
    }
    out
}

/// A path from what people write.
pub fn steps(field: &str) -> Vec<String> {
    field
        .replace('[', ".")
        .replace(']', "")
        .split('.')
        .filter(|step| !step.is_empty())
        .map(str::to_owned)
        .collect()
}

fn subject(path: &[String]) -> String {
    if path.is_empty() { "this".to_owned() } else { format!("`{}`", written(path)) }
}

fn choice(subject: &str, value: &Json, options: &[&str]) -> (String, Option<String>) {
    let message = format!("{subject} cannot be {value}");
    (message, Some(one_of(value.as_str().unwrap_or_default(), options)))
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => word(&kind.to_string()),
        TypeKind::Multiple(kinds) => {
            let words: BTreeSet<String> = kinds
                .iter()
                .map(|kind| word(&kind.to_string()))
                .filter(|word| word != "nothing")
                .collect();
            words.into_iter().collect::<Vec<_>>().join(" or ")
        }
    }
}

fn word(kind: &str) -> String {
    match kind.trim_matches('"') {
        "string" => "text",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a table",
        "null" => "nothing",
        other => return other.to_owned(),
    }
    .to_owned()
}

fn actual(value: &Json) -> &'static str {
    match value {
        Json::String(_) => "text",
        Json::Number(number) if number.is_f64() => "a number with a fraction",
        Json::Number(_) => "a number",
        Json::Bool(_) => "true or false",
        Json::Array(_) => "a list",
        Json::Object(_) => "a table",
        Json::Null => "nothing",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checker() -> Checker {
        Checker::new(json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["name"],
            "properties": {
                "name": {"type": "string", "maxLength": 5, "pattern": "^[a-z]+$"},
                "length": {"type": ["integer", "null"], "minimum": 6, "maximum": 128},
                "state": {"anyOf": [{"enum": ["Enabled", "Suspended"]}, {"type": "null"}]},
                "rules": {"type": "array", "items": {"type": "object", "additionalProperties": false, "properties": {"days": {"type": "integer"}}}},
            },
        }))
        .unwrap()
    }

    #[test]
    fn all_mismatches_are_found_at_once_in_plain_words() {
        let value = json!({"nam": "x", "length": 4, "state": "enabled", "rules": [{"dayz": 1}]});
        let mut found: Vec<String> = checker()
            .mismatches(&value)
            .iter()
            .map(|mismatch| {
                format!(
                    "{}: {} ({})",
                    mismatch.field(),
                    mismatch.message,
                    mismatch.help.clone().unwrap_or_default()
                )
            })
            .collect();
        found.sort();
        insta::assert_debug_snapshot!(found);
    }

    #[test]
    fn a_wrong_type_names_both() {
        let found = checker().mismatches(&json!({"name": "abc", "length": "14", "rules": 3}));
        let messages: Vec<_> = found.iter().map(|mismatch| mismatch.message.as_str()).collect();
        assert!(
            messages.contains(&"`length` should be a whole number, and is text"),
            "{messages:?}"
        );
        assert!(messages.contains(&"`rules` should be a list, and is a number"), "{messages:?}");
    }
}
