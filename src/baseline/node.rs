//! A parsed TOML file in which every key and value knows its place.

use std::ops::Range;

use serde_json::{Map, Number, Value as Json};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{Problem, SourcePlace};

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The value.
    pub value: Value,
    /// Where it stands.
    pub place: SourcePlace,
}

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text, which may hold placeholders.
    Text(String),
    /// A number or a boolean.
    Plain(Json),
    /// A date or time, as written.
    Date(String),
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(Table),
}

/// A table: keys in the order of the file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Key, its place, its value.
    pub entries: Vec<(String, SourcePlace, Node)>,
}

impl Table {
    /// A value by its key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries.iter().find(|(name, _, _)| name == key).map(|(_, _, node)| node)
    }

    /// The place of a key.
    pub fn key_place(&self, key: &str) -> Option<&SourcePlace> {
        self.entries.iter().find(|(name, _, _)| name == key).map(|(_, place, _)| place)
    }
}

impl Node {
    /// What it is, in words.
    pub fn kind_word(&self) -> &'static str {
        match &self.value {
            Value::Text(_) => "text",
            Value::Plain(Json::Bool(_)) => "true or false",
            Value::Plain(_) => "a number",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The text, when it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The table, when it is one.
    pub fn as_table(&self) -> Option<&Table> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The value as JSON, placeholders as they are written.
    pub fn to_json(&self) -> Json {
        match &self.value {
            Value::Text(text) | Value::Date(text) => Json::String(text.clone()),
            Value::Plain(json) => json.clone(),
            Value::List(list) => Json::Array(list.iter().map(Self::to_json).collect()),
            Value::Table(table) => Json::Object(
                table
                    .entries
                    .iter()
                    .map(|(key, _, node)| (key.clone(), node.to_json()))
                    .collect::<Map<_, _>>(),
            ),
        }
    }

    /// Whether a text in it holds a placeholder.
    pub fn has_placeholder(&self) -> bool {
        match &self.value {
            Value::Text(text) => text.contains("${"),
            Value::List(list) => list.iter().any(Self::has_placeholder),
            Value::Table(table) => table.entries.iter().any(|(_, _, node)| node.has_placeholder()),
            Value::Plain(_) | Value::Date(_) => false,
        }
    }

    /// The place of what stands at a path below, or of the nearest thing above it.
    pub fn place_at(&self, path: &[String]) -> &SourcePlace {
        let Some((first, rest)) = path.split_first() else { return &self.place };
        match &self.value {
            Value::Table(table) => table.get(first).map_or(&self.place, |node| node.place_at(rest)),
            Value::List(list) => first
                .parse::<usize>()
                .ok()
                .and_then(|index| list.get(index))
                .map_or(&self.place, |node| node.place_at(rest)),
            _ => &self.place,
        }
    }

    /// The place of the key that a path ends with.
    pub fn key_at(&self, path: &[String]) -> Option<&SourcePlace> {
        let (last, before) = path.split_last()?;
        let mut node = self;
        for step in before {
            node = match &node.value {
                Value::Table(table) => table.get(step)?,
                Value::List(list) => list.get(step.parse::<usize>().ok()?)?,
                _ => return None,
            };
        }
        node.as_table()?.key_place(last)
    }
}

/// Parses a text; all syntax errors are reported.
pub fn parse(source: usize, text: &str) -> (Node, Vec<Problem>) {
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut problems: Vec<Problem> = errors
        .into_iter()
        .map(|error| {
            let span = error.span().unwrap_or(0..0);
            Problem::error(
                "syntax",
                format!("this is not TOML: {}", error.message()),
                place(source, span, text),
            )
        })
        .collect();
    let span = table.span();
    let node = Node {
        value: Value::Table(table_of(source, table.get_ref(), text, &mut problems)),
        place: place(source, span, text),
    };
    (node, problems)
}

/// A span that lies within the text, on character borders.
fn place(source: usize, span: Range<usize>, text: &str) -> SourcePlace {
    let fit = |mut at: usize| {
        at = at.min(text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    SourcePlace { source, start: fit(span.start), end: fit(span.end.max(span.start)) }
}

fn table_of(source: usize, table: &DeTable<'_>, text: &str, problems: &mut Vec<Problem>) -> Table {
    let mut entries: Vec<_> = table
        .iter()
        .map(|(key, value)| {
            let at = place(source, key.span(), text);
            (key.get_ref().to_string(), at, node_of(source, value, text, problems))
        })
        .collect();
    entries.sort_by_key(|(_, at, _)| at.start);
    Table { entries }
}

fn node_of(
    source: usize,
    value: &Spanned<DeValue<'_>>,
    text: &str,
    problems: &mut Vec<Problem>,
) -> Node {
    let at = place(source, value.span(), text);
    let value = match value.get_ref() {
        DeValue::String(string) => Value::Text(string.to_string()),
        DeValue::Boolean(boolean) => Value::Plain(Json::Bool(*boolean)),
        DeValue::Datetime(datetime) => Value::Date(datetime.to_string()),
        DeValue::Integer(integer) => match i64::from_str_radix(integer.as_str(), integer.radix()) {
            Ok(number) => Value::Plain(Json::Number(number.into())),
            Err(_) => {
                problems.push(Problem::error("syntax", "this number is too large", at.clone()));
                Value::Plain(Json::Null)
            }
        },
        DeValue::Float(float) => {
            match float.as_str().parse::<f64>().ok().and_then(Number::from_f64) {
                Some(number) => Value::Plain(Json::Number(number)),
                None => {
                    problems.push(Problem::error(
                        "syntax",
                        "this number has no place here",
                        at.clone(),
                    ));
                    Value::Plain(Json::Null)
                }
            }
        }
        DeValue::Array(list) => {
            Value::List(list.iter().map(|entry| node_of(source, entry, text, problems)).collect())
        }
        DeValue::Table(table) => Value::Table(table_of(source, table, text, problems)),
    };
    Node { value, place: at }
}
