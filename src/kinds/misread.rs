//! What the schema of a kind lets pass and its type does not, in our words: `14.0` is a whole number to JSON
//! Schema, and the keys of a map may be any.

use serde_json::Value;
use serde_path_to_error::Path;

use crate::baseline::catalog::SpecProblem;
use crate::baseline::problem::one_of;

/// The problem with a spec that its type does not take.
pub fn problem(spec: &Value, error: &serde_path_to_error::Error<serde_json::Error>) -> SpecProblem {
    let mut field = written(error.path());
    let message = error.inner().to_string();
    if let Some((word, known)) = unknown_word(&message) {
        // Of a map, the key is at fault.
        let is_key = at(spec, &field).is_some_and(|table| table.get(word).is_some());
        if is_key {
            field = if field.is_empty() { word.to_owned() } else { format!("{field}.{word}") };
        }
        return SpecProblem::new(
            field,
            format!("there is no \"{word}\" here"),
            one_of(word, &known),
        )
        .at_key(is_key);
    }
    let decimal = message
        .strip_prefix("invalid type: floating point `")
        .and_then(|rest| rest.split_once('`'))
        .map(|(number, _)| number);
    match decimal {
        Some(number) => SpecProblem {
            field,
            message: format!("{number} is a decimal number, and this setting takes a whole one"),
            help: number.strip_suffix(".0").map(|whole| format!("write {whole}")),
            at_key: false,
        },
        None => SpecProblem { field, message, help: None, at_key: false },
    }
}

/// A path as people write it; `.` is the whole, and what is not known of it is left out.
fn written(path: &Path) -> String {
    let path = path.to_string();
    path.trim_end_matches(['.', '?']).to_owned()
}

fn at<'a>(spec: &'a Value, field: &str) -> Option<&'a Value> {
    let mut steps = field.split(['.', '[', ']']).filter(|step| !step.is_empty());
    steps.try_fold(spec, |value, step| match value {
        Value::Array(list) => list.get(step.parse::<usize>().ok()?),
        other => other.get(step),
    })
}

/// A word that is none of an enum's, and the enum's: as serde says it.
fn unknown_word(message: &str) -> Option<(&str, Vec<&str>)> {
    let rest = message.strip_prefix("unknown variant `")?;
    let (word, rest) = rest.split_once("`, expected ")?;
    let known = rest.split('`').skip(1).step_by(2).collect();
    Some((word, known))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "snake_case")]
    enum Service {
        Cloudtrail,
        Config,
        Elb,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Spec {
        #[serde(default)]
        prefixes: BTreeMap<Service, String>,
        #[serde(default)]
        parts: Vec<Part>,
        days: Option<u32>,
    }

    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Part {
        of: BTreeMap<Service, u32>,
    }

    fn found(spec: &Value) -> SpecProblem {
        problem(spec, &serde_path_to_error::deserialize::<_, Spec>(spec).unwrap_err())
    }

    #[test]
    fn a_wrong_key_of_a_map_has_its_place_and_the_nearest_right_one() {
        let wrong = found(&json!({ "prefixes": { "cloudtrial": "a", "elb": "b" } }));
        assert_eq!(wrong.field, "prefixes.cloudtrial");
        assert_eq!(wrong.message, "there is no \"cloudtrial\" here");
        assert!(wrong.at_key);
        let help = wrong.help.unwrap();
        assert_eq!(
            help,
            "did you mean \"cloudtrail\"? It can be \"cloudtrail\", \"config\", \"elb\""
        );
        let wrong = found(&json!({ "prefixes": { "x": "a" } }));
        assert_eq!(wrong.help.unwrap(), "it can be \"cloudtrail\", \"config\", \"elb\"");
        let wrong = found(&json!({ "parts": [{ "of": {} }, { "of": { "Config": 1 } }] }));
        assert_eq!(wrong.field, "parts[1].of.Config");
        assert!(wrong.help.unwrap().starts_with("did you mean \"config\"?"));
    }

    #[test]
    fn a_decimal_number_is_said_to_be_one() {
        let wrong = found(&json!({ "days": 14.0 }));
        assert_eq!((wrong.field.as_str(), wrong.help.as_deref()), ("days", Some("write 14")));
    }
}
