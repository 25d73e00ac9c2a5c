//! Which management events a trail's selectors record, and which they leave out.
//!
//! Of a field of an event, conditions see only how it relates to the values that they name: is it
//! one of them, does it start or end with one. So a few examples stand for all values, and trying
//! the examples of all fields with each other gives an exact answer.
//!
//! Source: CloudTrail API Reference, `EventSelector`, `AdvancedFieldSelector`; CloudTrail User
//! Guide, "Logging management events" and "Filtering data events by using advanced event
//! selectors": of the conditions on a field, one of those that select must hold and none of those
//! that deselect.

mod space;

use std::collections::BTreeSet;

use super::selectors::{
    AdvancedEventSelector, EventSelector, FieldSelector, ReadWriteType, Selectors,
};

pub use space::CannotTell;
use space::{Event, Example, Filter, Space, takes};

/// The fields of management events that CloudTrail documents for selectors.
const KNOWN: [&str; 6] = [
    "readOnly",
    "eventSource",
    "eventName",
    "eventType",
    "userIdentity.arn",
    "sessionCredentialFromConsole",
];
/// Gaps that are put into words.
const MOST_WORDS: usize = 5;

/// The management events that selectors leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    space: Space,
    events: BTreeSet<Event>,
}

impl Selectors {
    /// The management events that these selectors together do not record.
    ///
    /// # Errors
    /// They use a field of which it is not known what it means.
    pub fn missing(&self) -> Result<Missing, CannotTell> {
        let filters = self.management();
        let (sure, unsure): (Vec<_>, Vec<_>) = filters.iter().cloned().partition(is_understood);
        let least = Missing::of(&sure)?;
        let Some(condition) = unsure.iter().flatten().find(|one| !knows(one)) else {
            return Ok(least);
        };
        // What is left out even when the strange conditions held for every event, is left out.
        let generous: Vec<Filter> =
            filters.into_iter().map(|filter| filter.into_iter().filter(knows).collect()).collect();
        let most = Missing::of(&generous)?;
        match least.is_empty() || !most.is_empty() {
            true => Ok(if least.is_empty() { least } else { most }),
            false => Err(CannotTell(format!(
                "a selector of management events has a condition on {:?}, which is no field of them that is known here",
                condition.field
            ))),
        }
    }

    /// Whether these record the same events as `other`, however they are written.
    pub fn mean_the_same_as(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let (own, others) = (self.management(), other.management());
        let understood = own.iter().chain(&others).all(is_understood);
        self.is_management_only()
            && other.is_management_only()
            && understood
            && Space::of(own.iter().chain(&others))
                .is_ok_and(|space| space.recorded(&own) == space.recorded(&others))
    }

    /// Whether `other` leaves out anything that these record; also when that cannot be told.
    pub fn record_more_than(&self, other: &Self) -> bool {
        let (own, others) = (self.management(), other.management());
        let loses_management = !own.iter().chain(&others).all(is_understood)
            || !Space::of(own.iter().chain(&others))
                .is_ok_and(|space| space.recorded(&own).is_subset(&space.recorded(&others)));
        loses_management || !self.other_events_are_in(other)
    }

    /// Whether what is recorded besides management events is recorded by `other` in the same words.
    fn other_events_are_in(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Basic(own), Self::Basic(others)) => {
                let others: BTreeSet<_> = others.iter().flat_map(data_events).collect();
                own.iter().flat_map(data_events).all(|event| {
                    let of_both = (ReadWriteType::All, event.1, event.2.clone());
                    others.contains(&event) || others.contains(&of_both)
                })
            }
            (Self::Advanced(own), Self::Advanced(others)) => {
                own.iter().filter(|one| !is_of_management(one)).all(|one| others.contains(one))
            }
            _ => self.is_management_only(),
        }
    }

    fn is_management_only(&self) -> bool {
        match self {
            Self::Basic(list) => list.iter().all(|one| one.data_resources.is_empty()),
            Self::Advanced(list) => list.iter().all(is_of_management),
        }
    }

    /// The selectors of management events, as conditions.
    fn management(&self) -> Vec<Filter> {
        match self {
            Self::Basic(list) => list
                .iter()
                .filter(|one| one.include_management_events)
                .map(|one| {
                    let read_only = match one.read_write_type {
                        ReadWriteType::All => None,
                        ReadWriteType::ReadOnly => Some("true"),
                        ReadWriteType::WriteOnly => Some("false"),
                    };
                    let source = FieldSelector {
                        field: "eventSource".to_owned(),
                        not_equals: one.exclude_management_event_sources.clone(),
                        ..FieldSelector::default()
                    };
                    let read_only = read_only.map(|word| FieldSelector {
                        field: "readOnly".to_owned(),
                        equals: BTreeSet::from([word.to_owned()]),
                        ..FieldSelector::default()
                    });
                    read_only.into_iter().chain([source]).collect()
                })
                .collect(),
            Self::Advanced(list) => list
                .iter()
                .map(|one| {
                    let conditions = one.field_selectors.iter().cloned();
                    conditions.partition::<Vec<_>, _>(|one| one.field == "eventCategory")
                })
                .filter(|(category, _)| {
                    !category.is_empty() && category.iter().all(|one| takes(one, "Management"))
                })
                .map(|(_, filter)| filter)
                .collect(),
        }
    }
}

type DataEvents = (ReadWriteType, super::selectors::DataResourceType, String);

fn data_events(selector: &EventSelector) -> impl Iterator<Item = DataEvents> + '_ {
    selector.data_resources.iter().flat_map(|resource| {
        resource.values.iter().map(|value| (selector.read_write_type, resource.kind, value.clone()))
    })
}

/// Whether a selector is about management events and nothing else.
fn is_of_management(selector: &AdvancedEventSelector) -> bool {
    selector.field_selectors.iter().any(|condition| {
        condition.field == "eventCategory"
            && condition.equals == BTreeSet::from(["Management".to_owned()])
            && condition.starts_with.is_empty()
            && condition.ends_with.is_empty()
    })
}

fn knows(condition: &FieldSelector) -> bool {
    KNOWN.contains(&condition.field.as_str())
}

fn is_understood(filter: &Filter) -> bool {
    filter.iter().all(knows)
}

impl Missing {
    fn of(filters: &[Filter]) -> Result<Self, CannotTell> {
        let space = Space::of(filters.iter())?;
        let recorded = space.recorded(filters);
        let events = space.all().into_iter().filter(|event| !recorded.contains(event)).collect();
        Ok(Self { space, events })
    }

    /// Whether every management event is recorded.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether no management event is recorded.
    pub fn is_all(&self) -> bool {
        self.events.len() == self.space.all().len()
    }

    /// The sources of which nothing is recorded, or only reads or only writes though both are
    /// recorded of others.
    pub fn sources(&self) -> BTreeSet<String> {
        if self.is_all() {
            return BTreeSet::from(["every source".to_owned()]);
        }
        let whole = |read_only: usize, source: Option<usize>| {
            self.space
                .all()
                .iter()
                .filter(|event| event.first() == Some(&read_only))
                .filter(|event| source.is_none() || event.get(1) == source.as_ref())
                .all(|event| self.events.contains(event))
        };
        let Some((_, sources)) = self.space.0.get(1) else { return BTreeSet::new() };
        let kept: Vec<usize> = [0, 1].into_iter().filter(|one| !whole(*one, None)).collect();
        let left_out = |source: usize| kept.iter().any(|one| whole(*one, Some(source)));
        let places = sources.iter().enumerate().filter(|(place, _)| left_out(*place));
        places.map(|(_, source)| source.words()).collect()
    }

    /// What is left out, in words.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut told: BTreeSet<Event> = BTreeSet::new();
        for event in &self.events {
            if told.contains(event) {
                continue;
            }
            if words.len() == MOST_WORDS {
                words.push("more".to_owned());
                break;
            }
            // As many fields as possible are left out of the sentence.
            let mut free = vec![false; event.len()];
            for field in 0..event.len() {
                let wider: Vec<bool> =
                    free.iter().enumerate().map(|(at, free)| *free || at == field).collect();
                if self.like(event, &wider).all(|event| self.events.contains(&event)) {
                    free = wider;
                }
            }
            told.extend(self.like(event, &free));
            words.push(self.sentence(event, &free));
        }
        words
    }

    /// All events that differ from one in the free fields alone.
    fn like<'a>(&self, event: &'a Event, free: &'a [bool]) -> impl Iterator<Item = Event> + 'a {
        self.space.all().into_iter().filter(move |other| {
            other.iter().zip(event).zip(free).all(|((other, one), free)| *free || other == one)
        })
    }

    fn sentence(&self, event: &Event, free: &[bool]) -> String {
        let mut sentence = String::new();
        let mut narrowed = false;
        for (((field, examples), place), free) in self.space.0.iter().zip(event).zip(free) {
            let example = examples.get(*place).filter(|_| !free);
            match (field.as_str(), example) {
                ("readOnly", None) => sentence.push_str("all management events"),
                ("readOnly", Some(Example::Exactly(word))) if word == "true" => {
                    sentence.push_str("reads");
                }
                ("readOnly", Some(_)) => sentence.push_str("writes"),
                (_, None) => {}
                ("eventSource", Some(example @ Example::Exactly(_))) => {
                    sentence.push_str(&format!(" of {}", example.words()));
                }
                ("eventSource", Some(example)) => {
                    sentence.push_str(&format!(" of sources: {}", example.words()));
                }
                (field, Some(example)) => {
                    let word = if narrowed { "and" } else { "where" };
                    sentence.push_str(&format!(" {word} {field} is {}", example.words()));
                    narrowed = true;
                }
            }
        }
        sentence
    }
}

#[cfg(test)]
mod tests;
