//! Exceptions: dated, owned, reasoned waivers. Past its date an exception is void.

use std::collections::BTreeMap;

use chrono::NaiveDate;

use super::declare::{Declarations, Declared, unknown};
use super::node::{Node, Value};
use super::problem::{Problem, Severity, SourcePlace};
use crate::names::{AccountId, ItemName, Region, known_region};

/// Days before its end in which an exception is announced.
pub const WARNING_DAYS: i64 = 14;
const FIELDS: [&str; 7] = ["item", "account", "region", "object", "until", "owner", "reason"];

/// A waiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exception {
    /// The item that it waives.
    pub item: ItemName,
    /// In this account only.
    pub account: Option<AccountId>,
    /// In this Region only.
    pub region: Option<Region>,
    /// For this object only.
    pub object: Option<String>,
    /// The last day.
    pub until: NaiveDate,
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
}

impl Exception {
    /// Whether it waives an object on a day. What exists once in an account is in no Region.
    pub fn covers(
        &self,
        item: &ItemName,
        account: &AccountId,
        region: Option<&Region>,
        object: &str,
        today: NaiveDate,
    ) -> bool {
        self.item == *item
            && self.until >= today
            && self.account.as_ref().is_none_or(|wanted| wanted == account)
            && self.region.as_ref().is_none_or(|wanted| Some(wanted) == region)
            && self.object.as_ref().is_none_or(|wanted| wanted == object)
    }
}

/// Reads the exceptions; what is void or soon will be is a warning.
pub fn read(
    declarations: &Declarations,
    today: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Vec<Exception> {
    declarations
        .exceptions
        .iter()
        .filter_map(|node| one(node, &declarations.items, today, problems))
        .collect()
}

fn one(
    node: &Node,
    items: &BTreeMap<ItemName, Declared>,
    today: NaiveDate,
    problems: &mut Vec<Problem>,
) -> Option<Exception> {
    let before = problems.len();
    let Some(table) = node.as_table() else {
        problems.push(Problem::error("wrong-type", "an exception is a table", node.place.clone()));
        return None;
    };
    for (key, place, _) in &table.entries {
        if !FIELDS.contains(&key.as_str()) {
            problems.push(unknown("field", key, "an exception", &FIELDS, place));
        }
    }
    let mut fields = Fields { node, problems };
    let item = fields.item(items);
    let account = fields.parsed::<AccountId>("account");
    let region = fields.region();
    let object = fields.text("object").map(|(text, _)| text);
    let owner = fields.required("owner", "who answers for it");
    let reason = fields.required("reason", "why it is needed");
    let (until, place) = fields.until()?;
    let (item, owner, reason) = (item?, owner?, reason?);
    // A warning stops nothing.
    if problems[before..].iter().any(|problem| problem.severity == Severity::Error) {
        return None;
    }
    let left = (until - today).num_days();
    if left < 0 {
        problems.push(
            Problem::error(
                "exception-void",
                format!("the exception of {item} ended on {until} and is void"),
                place,
            )
            .help(format!("renew it with {owner}, or remove it; until then the item holds again"))
            .warning(),
        );
    } else if left <= WARNING_DAYS {
        problems.push(
            Problem::error(
                "exception-expiring",
                format!("the exception of {item} ends on {until}, {}", in_days(left)),
                place,
            )
            .help(format!("ask {owner}: {reason}"))
            .warning(),
        );
    }
    Some(Exception { item, account, region, object, until, owner, reason })
}

fn in_days(left: i64) -> String {
    match left {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        left => format!("in {left} days"),
    }
}

struct Fields<'a> {
    node: &'a Node,
    problems: &'a mut Vec<Problem>,
}

impl Fields<'_> {
    fn get(&self, name: &str) -> Option<&Node> {
        self.node.as_table()?.get(name)
    }

    fn text(&mut self, name: &str) -> Option<(String, SourcePlace)> {
        let node = self.get(name)?;
        match node.as_text() {
            Some(text) => Some((text.to_owned(), node.place.clone())),
            None => {
                let problem = Problem::error(
                    "wrong-type",
                    format!("`{name}` should be text, and is {}", node.kind_word()),
                    node.place.clone(),
                );
                self.problems.push(problem);
                None
            }
        }
    }

    fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let (text, place) = self.text(name)?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.problems.push(Problem::error(
                    "wrong-value",
                    format!("`{name}`: {error}"),
                    place,
                ));
                None
            }
        }
    }

    /// A Region that AWS does not have is waived nowhere, and said.
    fn region(&mut self) -> Option<Region> {
        let (text, place) = self.text("region")?;
        if let Err(error) = known_region(&text) {
            self.problems.push(
                Problem::error(
                    "unknown-region",
                    format!("the exception waives nothing: {error}"),
                    place,
                )
                .help(error.remedy())
                .warning(),
            );
        }
        Some(Region::new(text))
    }

    fn required(&mut self, name: &str, what: &str) -> Option<String> {
        if self.get(name).is_none() {
            self.missing(name, what);
            return None;
        }
        let (text, place) = self.text(name)?;
        if text.trim().is_empty() {
            self.problems.push(
                Problem::error("missing-field", format!("`{name}` is empty"), place)
                    .help(format!("say {what}")),
            );
            return None;
        }
        Some(text)
    }

    fn missing(&mut self, name: &str, what: &str) {
        self.problems.push(
            Problem::error(
                "missing-field",
                format!("the exception has no `{name}`"),
                self.node.place.clone(),
            )
            .label(format!("`{name}` is missing"))
            .help(format!("add `{name} = …`: {what}")),
        );
    }

    fn item(&mut self, items: &BTreeMap<ItemName, Declared>) -> Option<ItemName> {
        if self.get("item").is_none() {
            self.missing("item", "which item it waives");
            return None;
        }
        let item: ItemName = self.parsed("item")?;
        if items.contains_key(&item) {
            return Some(item);
        }
        let names: Vec<String> = items.keys().map(ToString::to_string).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        if let Some(node) = self.get("item") {
            let problem = unknown("item", &item.to_string(), "the baseline", &names, &node.place);
            self.problems.push(problem);
        }
        None
    }

    fn until(&mut self) -> Option<(NaiveDate, SourcePlace)> {
        let Some(node) = self.get("until") else {
            self.missing("until", "its last day, as a date: 2027-03-31");
            return None;
        };
        let place = node.place.clone();
        let date = match &node.value {
            Value::Date(text) => text.parse().ok(),
            _ => None,
        };
        if date.is_none() {
            self.problems.push(
                Problem::error("wrong-type", "`until` is not a date", place.clone())
                    .help("write the day without quotes: until = 2027-03-31"),
            );
        }
        date.map(|date| (date, place))
    }
}
