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

use std::collections::BTreeSet;

use super::selectors::{
    AdvancedEventSelector, EventSelector, FieldSelector, ReadWriteType, Selectors,
};

/// The fields of management events that CloudTrail documents for selectors.
const KNOWN: [&str; 6] = [
    "readOnly",
    "eventSource",
    "eventName",
    "eventType",
    "userIdentity.arn",
    "sessionCredentialFromConsole",
];
/// Comparisons that are worth making; AWS takes 500 values a trail, so real selectors need few.
const MOST: usize = 200_000;
/// Gaps that are put into words.
const MOST_WORDS: usize = 5;

/// Whether selectors record something cannot be said, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotTell(String);

/// The management events that selectors leave out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    space: Space,
    events: BTreeSet<Event>,
}

/// An event that stands for its like: for each field of the space, the place of an example.
type Event = Vec<usize>;
/// Conditions that must all hold.
type Filter = Vec<FieldSelector>;

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

/// Whether a field with this value fulfils a condition.
fn takes(condition: &FieldSelector, value: &str) -> bool {
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
enum Example {
    /// A value that a condition names.
    Exactly(String),
    /// Any other that starts and ends so, and with nothing longer that a condition names.
    Like { start: String, end: String },
}

impl Example {
    /// The character between start and end stands in no condition, so that none reaches across.
    fn value(&self) -> String {
        match self {
            Self::Exactly(value) => value.clone(),
            Self::Like { start, end } => format!("{start}\u{0}{end}"),
        }
    }

    fn words(&self) -> String {
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
struct Space(Vec<(String, Vec<Example>)>);

impl Space {
    fn of<'a>(filters: impl Iterator<Item = &'a Filter>) -> Result<Self, CannotTell> {
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
    fn all(&self) -> Vec<Event> {
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

    fn recorded(&self, filters: &[Filter]) -> BTreeSet<Event> {
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

    /// The sources of which nothing is recorded, or only reads or only writes though both are
    /// recorded of others.
    pub fn sources(&self) -> BTreeSet<String> {
        if self.events.len() == self.space.all().len() {
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
mod tests {
    use super::*;

    fn conditions(list: &[(&str, &str, &[&str])]) -> AdvancedEventSelector {
        let field_selectors = list
            .iter()
            .map(|(field, operator, values)| {
                let values: BTreeSet<String> = values.iter().map(|one| (*one).to_owned()).collect();
                let mut one = FieldSelector { field: (*field).to_owned(), ..Default::default() };
                match *operator {
                    "=" => one.equals = values,
                    "!=" => one.not_equals = values,
                    "^" => one.starts_with = values,
                    "!^" => one.not_starts_with = values,
                    "$" => one.ends_with = values,
                    _ => one.not_ends_with = values,
                }
                one
            })
            .collect();
        AdvancedEventSelector { name: None, field_selectors }
    }

    fn basic(kind: ReadWriteType, management: bool, excluded: &[&str]) -> EventSelector {
        EventSelector {
            read_write_type: kind,
            include_management_events: management,
            data_resources: BTreeSet::new(),
            exclude_management_event_sources: excluded
                .iter()
                .map(|one| (*one).to_owned())
                .collect(),
        }
    }

    fn of(list: &[EventSelector]) -> Selectors {
        Selectors::Basic(list.iter().cloned().collect())
    }

    const MANAGEMENT: (&str, &str, &[&str]) = ("eventCategory", "=", &["Management"]);

    type Conditions = &'static [(&'static str, &'static str, &'static [&'static str])];

    fn advanced(list: &[Conditions]) -> Selectors {
        Selectors::Advanced(list.iter().map(|one| conditions(one)).collect())
    }

    fn words(selectors: &Selectors) -> String {
        selectors.missing().map_or_else(|error| format!("? {error}"), |gap| gap.words().join("; "))
    }

    #[test]
    fn basic_selectors() {
        use ReadWriteType::{All, ReadOnly, WriteOnly};
        let kms = "kms.amazonaws.com";
        let cases: [(&[EventSelector], &str); 8] = [
            (&[basic(All, true, &[])], ""),
            (&[basic(All, false, &[])], "all management events"),
            (&[basic(ReadOnly, true, &[])], "writes"),
            (&[basic(WriteOnly, true, &[])], "reads"),
            (&[basic(ReadOnly, true, &[]), basic(WriteOnly, true, &[])], ""),
            (&[basic(All, true, &[kms])], "all management events of kms.amazonaws.com"),
            // What one leaves out, another may record.
            (
                &[basic(All, true, &[kms]), basic(WriteOnly, true, &[])],
                "reads of kms.amazonaws.com",
            ),
            (
                &[basic(ReadOnly, true, &[kms])],
                "all management events of kms.amazonaws.com; writes",
            ),
        ];
        for (selectors, expected) in cases {
            let mut left: Vec<String> = expected.split("; ").map(str::to_owned).collect();
            let mut got: Vec<String> =
                words(&of(selectors)).split("; ").map(str::to_owned).collect();
            left.sort();
            got.sort();
            assert_eq!(got, left, "{selectors:?}");
        }
    }

    #[test]
    fn advanced_selectors_with_every_operator() {
        let cases: [(&[Conditions], &str); 14] = [
            (&[&[MANAGEMENT]], ""),
            (&[], "all management events"),
            (&[&[("eventCategory", "=", &["Data"])]], "all management events"),
            (&[&[MANAGEMENT, ("readOnly", "=", &["true"])]], "writes"),
            (&[&[MANAGEMENT, ("readOnly", "=", &["true", "false"])]], ""),
            (
                &[
                    &[MANAGEMENT, ("readOnly", "=", &["true"])],
                    &[MANAGEMENT, ("readOnly", "=", &["false"])],
                ],
                "",
            ),
            (
                &[&[MANAGEMENT, ("eventSource", "!=", &["kms.amazonaws.com"])]],
                "all management events of kms.amazonaws.com",
            ),
            (
                &[&[MANAGEMENT, ("eventSource", "=", &["kms.amazonaws.com"])]],
                "all management events of sources: all others",
            ),
            (
                &[
                    &[MANAGEMENT, ("eventSource", "=", &["kms.amazonaws.com"])],
                    &[MANAGEMENT, ("eventSource", "!=", &["kms.amazonaws.com"])],
                ],
                "",
            ),
            (
                &[&[MANAGEMENT, ("eventSource", "!^", &["iam"])]],
                "all management events of sources: those that start with iam",
            ),
            (
                &[
                    &[MANAGEMENT, ("eventSource", "^", &["iam"])],
                    &[MANAGEMENT, ("eventSource", "!^", &["ia"])],
                ],
                "all management events of sources: those that start with ia",
            ),
            (
                &[&[MANAGEMENT, ("eventSource", "!$", &[".com"])]],
                "all management events of sources: those that end with .com",
            ),
            (
                &[&[MANAGEMENT, ("eventName", "!=", &["StopLogging"])]],
                "all management events where eventName is StopLogging",
            ),
            (
                &[&[
                    MANAGEMENT,
                    ("readOnly", "=", &["false"]),
                    ("userIdentity.arn", "!$", &["/mallory"]),
                ]],
                "reads; all management events where userIdentity.arn is those that end with /mallory",
            ),
        ];
        for (selectors, expected) in cases {
            let mut left: Vec<&str> = expected.split("; ").collect();
            let got = words(&advanced(selectors));
            let mut got: Vec<&str> = got.split("; ").collect();
            left.sort_unstable();
            got.sort_unstable();
            assert_eq!(got, left, "{selectors:?}");
        }
    }

    #[test]
    fn what_is_not_understood_is_neither_recorded_nor_left_out() {
        let strange: Conditions = &[MANAGEMENT, ("vpcEndpointId", "!=", &["vpce-1"])];
        assert!(words(&advanced(&[strange])).starts_with("? "), "it may leave out something");
        assert_eq!(words(&advanced(&[strange, &[MANAGEMENT]])), "", "another records everything");
        let reads: Conditions =
            &[MANAGEMENT, ("readOnly", "=", &["true"]), ("vpcEndpointId", "!=", &["vpce-1"])];
        assert_eq!(words(&advanced(&[reads])), "writes", "whatever it means");
        let values: Vec<String> = (0..3000).map(|one| one.to_string()).collect();
        let many = ["eventSource", "eventName"].map(|field| FieldSelector {
            field: field.to_owned(),
            not_equals: values.iter().cloned().collect(),
            ..FieldSelector::default()
        });
        let mut one = conditions(&[MANAGEMENT]);
        one.field_selectors.extend(many);
        assert!(words(&Selectors::Advanced(vec![one])).starts_with("? "));
    }

    #[test]
    fn sources_that_are_left_out() {
        use ReadWriteType::{All, WriteOnly};
        let sources = |selectors: &[EventSelector]| -> Vec<String> {
            of(selectors).missing().into_iter().flat_map(|gap| gap.sources()).collect()
        };
        assert!(sources(&[basic(All, true, &[])]).is_empty());
        assert!(sources(&[basic(WriteOnly, true, &[])]).is_empty(), "reads are no source");
        assert_eq!(sources(&[basic(All, false, &[])]), ["every source"]);
        for kind in [All, WriteOnly] {
            let one = basic(kind, true, &["kms.amazonaws.com"]);
            assert_eq!(sources(&[one]), ["kms.amazonaws.com"]);
        }
        let twice = [basic(All, true, &["kms.amazonaws.com"]), basic(All, true, &[])];
        assert!(sources(&twice).is_empty());
    }

    #[test]
    fn selectors_of_both_sorts_that_mean_the_same() {
        let every = advanced(&[&[MANAGEMENT]]);
        assert!(Selectors::default_selector().mean_the_same_as(&every));
        assert!(every.mean_the_same_as(&Selectors::default_selector()));
        let writes = of(&[basic(ReadWriteType::WriteOnly, true, &[])]);
        assert!(
            writes.mean_the_same_as(&advanced(&[&[MANAGEMENT, ("readOnly", "=", &["false"])]]))
        );
        assert!(!writes.mean_the_same_as(&every));
        let and_data = advanced(&[&[MANAGEMENT], &[("eventCategory", "=", &["Data"])]]);
        assert!(!and_data.mean_the_same_as(&every));
        assert!(and_data.record_more_than(&every) && !every.record_more_than(&and_data));
        assert!(every.record_more_than(&writes) && !writes.record_more_than(&every));
    }
}
