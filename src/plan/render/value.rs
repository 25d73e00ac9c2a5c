//! Values and differences of values, in words.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::kinds::FieldDrift;
use crate::visible::visible;

/// Values longer than this are shown as a line-by-line difference.
const SHORT: usize = 100;
/// Tables and lists inside documents that are not longer than this stay on one line.
const INLINE: usize = 88;
/// Unchanged lines around a change.
const CONTEXT: usize = 2;

/// What stands before a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// It will be there.
    Add,
    /// It will be gone.
    Remove,
    /// It will be another.
    Update,
    /// It stays.
    Keep,
}

impl Sign {
    /// `+`, `-`, `~` or a space.
    pub fn symbol(self) -> char {
        match self {
            Self::Add => '+',
            Self::Remove => '-',
            Self::Update => '~',
            Self::Keep => ' ',
        }
    }
}

/// One field's difference, ready for any format: its texts are visible and on one line each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What happens.
    pub sign: Sign,
    /// The field; empty for the whole object.
    pub field: String,
    /// `8 → 14`, or empty when `detail` says it.
    pub text: String,
    /// A line-by-line difference, for documents.
    pub detail: Vec<(Sign, String)>,
}

/// Renders a field's difference.
pub fn line(drift: &FieldDrift) -> Line {
    let sign = match (&drift.actual, &drift.desired) {
        (None, _) => Sign::Add,
        (_, None) => Sign::Remove,
        _ => Sign::Update,
    };
    let (actual, desired) = (drift.actual.as_ref().map(word), drift.desired.as_ref().map(word));
    let long = [&actual, &desired].into_iter().flatten().any(|text| text.chars().count() > SHORT);
    let (text, detail) = match (actual, desired) {
        _ if long => (String::new(), detail(drift)),
        (Some(actual), None) => (actual, Vec::new()),
        (None, Some(desired)) if drift.field.is_empty() => (desired, Vec::new()),
        (actual, Some(desired)) => {
            (format!("{} → {desired}", actual.as_deref().unwrap_or("–")), Vec::new())
        }
        (None, None) => (String::new(), Vec::new()),
    };
    let shown = |text: String| visible(&text).into_owned();
    Line {
        sign,
        field: visible(&drift.field).into_owned(),
        text: shown(text),
        detail: detail.into_iter().map(|(sign, text)| (sign, shown(text))).collect(),
    }
}

/// A value on one line: texts without quotes, lists and tables as JSON.
pub fn word(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => {
            text.escape_debug().to_string().replace("\\\"", "\"").replace("\\'", "'")
        }
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(list) if list.iter().all(|entry| !entry.is_array() && !entry.is_object()) => {
            format!("[{}]", list.iter().map(word).collect::<Vec<_>>().join(", "))
        }
        Value::Null => "–".to_owned(),
        other => other.to_string(),
    }
}

/// A line-by-line difference of two documents, with a little of what stays around each change.
fn detail(drift: &FieldDrift) -> Vec<(Sign, String)> {
    let text = |value: &Option<Value>| match value {
        None => String::new(),
        Some(Value::String(text)) => format!("{text}\n"),
        Some(value) => {
            let mut text = String::new();
            write_value(value, 0, &mut text);
            text + "\n"
        }
    };
    let (before, after) = (text(&drift.actual), text(&drift.desired));
    let diff = TextDiff::from_lines(&before, &after);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
        if index > 0 {
            lines.push((Sign::Keep, "⋯".to_owned()));
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Equal => Sign::Keep,
                ChangeTag::Delete => Sign::Remove,
                ChangeTag::Insert => Sign::Add,
            };
            lines.push((sign, change.value().trim_end_matches('\n').to_owned()));
        }
    }
    lines
}

/// A value as JSON, indented, with everything that is short on one line: a statement of a policy
/// is then a few lines and not twenty.
fn write_value(value: &Value, indent: usize, out: &mut String) {
    let inline = inline(value);
    if indent + inline.chars().count() <= INLINE {
        out.push_str(&inline);
        return;
    }
    let open = |out: &mut String, inner: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', inner));
    };
    match value {
        Value::Array(list) => {
            out.push('[');
            for (index, entry) in list.iter().enumerate() {
                open(out, indent + 2);
                write_value(entry, indent + 2, out);
                out.push_str(if index + 1 < list.len() { "," } else { "" });
            }
            open(out, indent);
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, entry)) in map.iter().enumerate() {
                open(out, indent + 2);
                out.push_str(&Value::String(key.clone()).to_string());
                out.push_str(": ");
                write_value(entry, indent + 2, out);
                out.push_str(if index + 1 < map.len() { "," } else { "" });
            }
            open(out, indent);
            out.push('}');
        }
        _ => out.push_str(&inline),
    }
}

/// A value as JSON on one line, with spaces.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let pair = |(key, value): (&String, &Value)| {
                format!("{}: {}", Value::String(key.clone()), inline(value))
            };
            format!("{{ {} }}", map.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn drift(field: &str, actual: Option<Value>, desired: Option<Value>) -> FieldDrift {
        FieldDrift { field: field.to_owned(), actual, desired }
    }

    #[test]
    fn short_values_stand_on_one_line() {
        let cases = [
            (drift("a", Some(json!(8)), Some(json!(14))), '~', "8 → 14"),
            (drift("a", None, Some(json!(24))), '+', "– → 24"),
            (drift("ingress", Some(json!("tcp 22")), None), '-', "tcp 22"),
            (drift("", None, Some(json!("bucket audit"))), '+', "bucket audit"),
            (drift("a", Some(json!([])), Some(json!(["x", "y"]))), '~', "[] → [x, y]"),
        ];
        for (drift, symbol, text) in cases {
            let line = line(&drift);
            assert_eq!((line.sign.symbol(), line.text.as_str()), (symbol, text));
        }
    }

    #[test]
    fn documents_are_compared_line_by_line() {
        let statement = |action: &str| json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::a-bucket-with-a-long-name/*"}]});
        let line = line(&drift("policy", Some(statement("s3:*")), Some(statement("s3:GetObject"))));
        assert!(line.text.is_empty());
        assert!(
            line.detail.iter().any(|(sign, text)| *sign == Sign::Remove && text.contains("s3:*"))
        );
        assert!(
            line.detail
                .iter()
                .any(|(sign, text)| *sign == Sign::Add && text.contains("s3:GetObject"))
        );
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(word(&json!("a\u{1b}[31m")), "a\\u{1b}[31m");
        let long = "x".repeat(120);
        let documents = [
            json!(format!("a\u{1b}[2J{long}\nb\u{202e}c\rd")),
            json!({"Sid": format!("a\u{1b}[2J{long}"), "b\u{202e}\u{9b}": 1}),
        ];
        for document in documents {
            let line = line(&drift("policy\u{1b}", Some(document), Some(json!({}))));
            assert_eq!(line.field, "policy\\u{1b}");
            let text: String = line.detail.iter().map(|(_, text)| text.as_str()).collect();
            assert!(text.contains("\\u{202e}") && !text.is_empty(), "{text}");
            assert!(!text.contains(|each: char| each.is_control() || each == '\u{202e}'));
        }
    }
}
