//! Conditions on an attribute of findings, which have a shape by the attribute's own.

use std::collections::BTreeSet;

use aws_sdk_securityhub::types::{
    BooleanFilter, DateFilter, DateRange as SaidRange, DateRangeComparison, DateRangeUnit,
    IpFilter, KeywordFilter, MapFilter, MapFilterComparison, NumberFilter, StringFilter,
    StringFilterComparison,
};
use chrono::{DateTime, SecondsFormat, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::spec::aws_enum;
use crate::kinds::{ObserveError, WriteError, known, sendable, told};

/// What a condition on an attribute consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A text, and how it is compared.
    Text,
    /// Bounds of a number.
    Number,
    /// A span of time.
    Date,
    /// A key, the text that it has, and how that is compared.
    Map,
    /// A block of addresses.
    Ip,
    /// A word, wherever it is.
    Keyword,
    /// Whether it is so.
    Boolean,
}

/// A condition on an attribute of a finding. What belongs to it depends on the attribute.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Of a text, or of what a key has: the value. Of `Sample`: `true` or `false`.
    pub value: Option<String>,
    /// How the value is compared. Of what a key has, by `EQUALS`, `NOT_EQUALS`, `CONTAINS` or
    /// `NOT_CONTAINS`.
    pub comparison: Option<Comparison>,
    /// Of an attribute with keys, such as `ResourceTags`: the key.
    pub key: Option<String>,
    /// Of a number: it is this or more.
    pub gte: Option<f64>,
    /// Of a number: it is this or less.
    pub lte: Option<f64>,
    /// Of a number: it is this.
    pub eq: Option<f64>,
    /// Of a number: it is more than this.
    pub gt: Option<f64>,
    /// Of a number: it is less than this.
    pub lt: Option<f64>,
    /// Of a time: it is not before this, such as `2026-01-31T00:00:00Z`.
    pub start: Option<String>,
    /// Of a time: it is not after this.
    pub end: Option<String>,
    /// Of a time: how long ago it is, in place of `start` and `end`.
    pub date_range: Option<DateRange>,
    /// Of an address: the block that it is in, such as `203.0.113.0/24`.
    pub cidr: Option<String>,
}

/// How long ago something is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateRange {
    /// How many.
    #[schemars(range(min = 1, max = 2_147_483_647))]
    pub value: u32,
    /// Of what; the default is `DAYS`, and AWS has no other.
    #[serde(default)]
    pub unit: Unit,
    /// Whether it is at most so long ago (`WITHIN`, the default) or longer (`OLDER_THAN`).
    #[serde(default)]
    pub comparison: Ago,
}

aws_enum! {
    /// How a value is compared.
    Comparison {
        Equals = "EQUALS",
        Prefix = "PREFIX",
        NotEquals = "NOT_EQUALS",
        PrefixNotEquals = "PREFIX_NOT_EQUALS",
        Contains = "CONTAINS",
        NotContains = "NOT_CONTAINS",
        ContainsWord = "CONTAINS_WORD",
    }
}

impl Comparison {
    /// Whether what a key has can be compared so (Security Hub API Reference, `MapFilter`).
    fn is_of_keys(self) -> bool {
        matches!(self, Self::Equals | Self::NotEquals | Self::Contains | Self::NotContains)
    }
}

aws_enum! {
    /// A unit of time.
    #[derive(Default)]
    Unit {
        #[default]
        Days = "DAYS",
    }
}

aws_enum! {
    /// On which side of a moment.
    #[derive(Default)]
    Ago {
        #[default]
        Within = "WITHIN",
        OlderThan = "OLDER_THAN",
    }
}

/// A time in one form, whatever way it is written.
fn time(text: &str) -> Option<String> {
    let time = DateTime::parse_from_rfc3339(text).ok()?;
    Some(time.with_timezone(&Utc).to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

/// Conditions in one form: their order, and what is there twice, says nothing (Security Hub User Guide,
/// "Creating custom insights").
pub fn in_one_form(conditions: impl IntoIterator<Item = Condition>) -> Vec<Condition> {
    let timed = |text: Option<String>| text.map(|text| time(&text).unwrap_or(text));
    let mut all: Vec<Condition> = Vec::new();
    for one in conditions {
        let one = Condition { start: timed(one.start), end: timed(one.end), ..one };
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.sort_by_cached_key(|one| serde_json::to_string(one).unwrap_or_default());
    all
}

/// What is wrong with a condition on an attribute of this shape.
pub fn problem(shape: Shape, condition: &Condition) -> Option<String> {
    let (must, may): (&[&str], &[&str]) = match shape {
        Shape::Text => (&["value", "comparison"], &[]),
        Shape::Map => (&["key", "value", "comparison"], &[]),
        Shape::Number => (&[], &["gte", "lte", "eq", "gt", "lt"]),
        Shape::Date => (&[], &["start", "end", "date_range"]),
        Shape::Ip => (&["cidr"], &[]),
        Shape::Keyword | Shape::Boolean => (&["value"], &[]),
    };
    let said = serde_json::to_value(condition).ok()?;
    let said: BTreeSet<&str> = said.as_object()?.keys().map(String::as_str).collect();
    if let Some(lacks) = must.iter().find(|name| !said.contains(*name)) {
        return Some(format!("lacks {lacks}"));
    }
    if let Some(other) = said.iter().find(|name| !must.contains(name) && !may.contains(name)) {
        return Some(format!("has {other}, which belongs to another sort of attribute"));
    }
    if said.is_empty() {
        return Some(format!("needs one of {}", may.join(", ")));
    }
    if condition.date_range.is_some() && said.len() > 1 {
        return Some("has both a span from or to a moment and date_range".to_owned());
    }
    let mut moments = [&condition.start, &condition.end].into_iter().flatten();
    if let Some(moment) = moments.find(|moment| time(moment).is_none()) {
        return Some(format!("has {moment:?} for a time, which is written 2026-01-31T00:00:00Z"));
    }
    let is_flag = condition.value.as_deref().is_some_and(|value| flag(value).is_some());
    match condition.comparison {
        Some(how) if shape == Shape::Map && !how.is_of_keys() => {
            Some(format!("has {}, by which AWS compares nothing that a key has", how.as_str()))
        }
        _ if shape == Shape::Boolean && !is_flag => Some("is neither true nor false".to_owned()),
        _ => None,
    }
}

fn flag(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A condition as AWS has it.
pub trait Wire: Sized {
    /// What it says, of an attribute by its name.
    ///
    /// # Errors
    /// What it does not say, or what is not known.
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError>;

    /// The same as it is sent.
    ///
    /// # Errors
    /// What it lacks.
    fn say(condition: &Condition) -> Result<Self, WriteError>;
}

/// What AWS says of an attribute, in one form.
pub fn heard<W: Wire>(attribute: &str, said: &[W]) -> Result<Vec<Condition>, ObserveError> {
    let all = said.iter().map(|one| one.hear(attribute)).collect::<Result<Vec<_>, _>>()?;
    Ok(in_one_form(all))
}

/// What is sent of an attribute.
pub fn sent<W: Wire>(conditions: Option<&[Condition]>) -> Result<Option<Vec<W>>, WriteError> {
    conditions.map(|all| all.iter().map(W::say).collect()).transpose()
}

/// The name of a member, for whoever reads what was not said.
fn member(attribute: &str, name: &str) -> String {
    format!("Filters.{attribute}.{name}")
}

fn text(attribute: &str, name: &str, value: Option<&str>) -> Result<Option<String>, ObserveError> {
    told(&member(attribute, name), value).map(|value| Some(value.to_owned()))
}

/// What must be sent.
fn needed<'a, T>(name: &str, value: Option<&'a T>) -> Result<&'a T, WriteError> {
    value.ok_or_else(|| WriteError::Unsendable(format!("a condition lacks {name}")))
}

/// What AWS must have said something of.
fn said(attribute: &str, condition: Condition) -> Result<Condition, ObserveError> {
    let says = condition != Condition::default();
    told(&member(attribute, "…"), says.then_some(condition))
}

impl Wire for StringFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        let name = member(attribute, "Comparison");
        let comparison = known(&name, told(&name, self.comparison())?.as_str())?;
        let value = text(attribute, "Value", self.value())?;
        Ok(Condition { value, comparison: Some(comparison), ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        let how = needed("comparison", condition.comparison.as_ref())?.as_str();
        let value = needed("value", condition.value.as_ref())?;
        let how = StringFilterComparison::from(how);
        Ok(Self::builder().value(value).comparison(how).build())
    }
}

impl Wire for MapFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        let name = member(attribute, "Comparison");
        let comparison = known(&name, told(&name, self.comparison())?.as_str())?;
        Ok(Condition {
            key: text(attribute, "Key", self.key())?,
            value: text(attribute, "Value", self.value())?,
            comparison: Some(comparison),
            ..Condition::default()
        })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        let how = needed("comparison", condition.comparison.as_ref())?.as_str();
        let key = needed("key", condition.key.as_ref())?;
        let value = needed("value", condition.value.as_ref())?;
        let how = MapFilterComparison::from(how);
        Ok(Self::builder().key(key).value(value).comparison(how).build())
    }
}

impl Wire for NumberFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        let (gte, lte, eq) = (self.gte(), self.lte(), self.eq());
        let (gt, lt) = (self.gt(), self.lt());
        said(attribute, Condition { gte, lte, eq, gt, lt, ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        Ok(Self::builder()
            .set_gte(condition.gte)
            .set_lte(condition.lte)
            .set_eq(condition.eq)
            .set_gt(condition.gt)
            .set_lt(condition.lt)
            .build())
    }
}

impl Wire for DateFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        let date_range = self.date_range().map(|range| range_of(attribute, range)).transpose()?;
        let (start, end) = (self.start().map(str::to_owned), self.end().map(str::to_owned));
        said(attribute, Condition { start, end, date_range, ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        let range = condition.date_range.as_ref().map(|range| {
            let value = sendable("date_range.value", range.value)?;
            let comparison = DateRangeComparison::from(range.comparison.as_str());
            let unit = DateRangeUnit::from(range.unit.as_str());
            let range = SaidRange::builder().value(value).unit(unit).comparison(comparison);
            Ok::<_, WriteError>(range.build())
        });
        Ok(Self::builder()
            .set_start(condition.start.clone())
            .set_end(condition.end.clone())
            .set_date_range(range.transpose()?)
            .build())
    }
}

fn range_of(attribute: &str, range: &SaidRange) -> Result<DateRange, ObserveError> {
    let of = |name: &str| member(attribute, &format!("DateRange.{name}"));
    let value = crate::kinds::count(&of("Value"), told(&of("Value"), range.value())?)?;
    let unit = known(&of("Unit"), told(&of("Unit"), range.unit())?.as_str())?;
    // AWS documents what none stands for (Security Hub API Reference, `DateRange`).
    let comparison = range.comparison().map(|word| known(&of("Comparison"), word.as_str()));
    Ok(DateRange { value, unit, comparison: comparison.transpose()?.unwrap_or_default() })
}

impl Wire for IpFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        Ok(Condition { cidr: text(attribute, "Cidr", self.cidr())?, ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        Ok(Self::builder().cidr(needed("cidr", condition.cidr.as_ref())?).build())
    }
}

impl Wire for KeywordFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        Ok(Condition { value: text(attribute, "Value", self.value())?, ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        Ok(Self::builder().value(needed("value", condition.value.as_ref())?).build())
    }
}

impl Wire for BooleanFilter {
    fn hear(&self, attribute: &str) -> Result<Condition, ObserveError> {
        let value = told(&member(attribute, "Value"), self.value())?;
        Ok(Condition { value: Some(value.to_string()), ..Condition::default() })
    }

    fn say(condition: &Condition) -> Result<Self, WriteError> {
        let value = condition.value.as_deref().and_then(flag);
        Ok(Self::builder().value(*needed("value", value.as_ref())?).build())
    }
}
