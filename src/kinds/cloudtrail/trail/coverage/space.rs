//! The examples that stand for all events, and which of them conditions let through.

use std::collections::BTreeSet;

use super::super::selectors::FieldSelector;

/// Comparisons that are worth making; AWS takes 500 values a trail, so real selectors need few.
const MOST: usize = 200_000;

/// Whether selectors record something cannot be said, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotTell(pub String);

/// An event that stands for its like: for each field of the space, the place of an example.
pub type Event = Vec<usize>;
/// Conditions that must all hold.
pub type Filter = Vec<FieldSelector>;

/// Whether a field with this value fulfils a condition.
pub fn takes(condition: &FieldSelector, value: &str) -> bool {
    let is = |set: &BTreeSet<String>| set.contains(value);
    let starts = |set: &BTreeSet<String>| set.iter().any(|one| value.starts_with(one.as_str()));
    let ends = |set: &BTreeSet<String>| set.iter().any(|one| value.ends_with(one.as_str()));
    let selects_nothing = condition.equals.is_empty()
        && condition.starts_with.is_empty()
        && condition.ends_with.is_empty();
    let selected = selects_nothing
        || is(&condition.equals)
        || starts(&condition.starts_with)
        || ends(&condition.ends_with);
    let deselected = is(&condition.not_equals)
        || starts(&condition.not_starts_with)
        || ends(&condition.not_ends_with);
    selected && !deselected
}

/// A value that stands for all that no condition tells apart from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Example {
    /// A value that a condition names.
    Exactly(String),
    /// Any other that starts and ends so, and with nothing longer that a condition names.
    Like { start: String, end: String },
}

impl Example {
    /// The character between start and end stands in no condition, so that none reaches across.
    pub fn value(&self) -> String {
        match self {
            Self::Exactly(value) => value.clone(),
            Self::Like { start, end } => format!("{start}\u{0}{end}"),
        }
    }

    pub fn words(&self) -> String {
        match self {
            Self::Exactly(value) => value.clone(),
            Self::Like { start, end } => match (start.as_str(), end.as_str()) {
                ("", "") => "all others".to_owned(),
                (start, "") => format!("those that start with {start}"),
                ("", end) => format!("those that end with {end}"),
                (start, end) => format!("those that start with {start} and end with {end}"),
            },
        }
    }
}

/// The fields that matter, each with its examples; the first is `readOnly`, the second
/// `eventSource`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Space(pub Vec<(String, Vec<Example>)>);

impl Space {
    pub fn of<'a>(filters: impl Iterator<Item = &'a Filter>) -> Result<Self, CannotTell> {
        let filters: Vec<&Filter> = filters.collect();
        let conditions = || filters.iter().copied().flatten();
        let exactly = |value: &str| Example::Exactly(value.to_owned());
        let mut fields = vec![("readOnly".to_owned(), vec![exactly("true"), exactly("false")])];
        let others: BTreeSet<&str> = conditions().map(|one| one.field.as_str()).collect();
        let names = others.into_iter().filter(|name| !["readOnly", "eventSource"].contains(name));
        for name in ["eventSource"].into_iter().chain(names) {
            let (mut starts, mut ends) = (BTreeSet::from([""]), BTreeSet::from([""]));
            let mut examples = BTreeSet::new();
            for condition in conditions().filter(|one| one.field == name) {
                let named = condition.equals.iter().chain(&condition.not_equals);
                examples.extend(named.map(|value| exactly(value)));
                let both = condition.starts_with.iter().chain(&condition.not_starts_with);
                starts.extend(both.map(String::as_str));
                let both = condition.ends_with.iter().chain(&condition.not_ends_with);
                ends.extend(both.map(String::as_str));
            }
            for start in &starts {
                let like = |end: &&str| Example::Like {
                    start: (*start).to_owned(),
                    end: (*end).to_owned(),
                };
                examples.extend(ends.iter().map(like));
            }
            fields.push((name.to_owned(), examples.into_iter().collect()));
        }
        let events = fields
            .iter()
            .try_fold(filters.len().max(1), |count, (_, list)| count.checked_mul(list.len()))
            .filter(|count| *count <= MOST);
        match events {
            Some(_) => Ok(Self(fields)),
            None => Err(CannotTell("the selectors have too many conditions to judge".to_owned())),
        }
    }

    /// All events.
    pub fn all(&self) -> Vec<Event> {
        self.0.iter().fold(vec![Vec::new()], |events, (_, examples)| {
            events
                .iter()
                .flat_map(|event| {
                    (0..examples.len()).map(|place| {
                        let mut longer = event.clone();
                        longer.push(place);
                        longer
                    })
                })
                .collect()
        })
    }

    pub fn recorded(&self, filters: &[Filter]) -> BTreeSet<Event> {
        let values: Vec<(&str, Vec<String>)> = self
            .0
            .iter()
            .map(|(name, examples)| (name.as_str(), examples.iter().map(Example::value).collect()))
            .collect();
        let holds = |event: &Event, condition: &FieldSelector| {
            values.iter().zip(event).any(|((name, values), place)| {
                *name == condition.field
                    && values.get(*place).is_some_and(|value| takes(condition, value))
            })
        };
        let mut events = self.all();
        events.retain(|event| {
            filters.iter().any(|filter| filter.iter().all(|condition| holds(event, condition)))
        });
        events.into_iter().collect()
    }
}
