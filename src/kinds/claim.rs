//! What an item says of a thing, by the id that AWS gave the thing and not by the name that was
//! declared.

use std::fmt;

use serde_json::Value;

/// What an item says of one thing in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The thing: `KMS key 1234abcd-…`.
    pub thing: String,
    /// A single setting of it, and what it is to be; `None` for the whole thing.
    pub setting: Option<(&'static str, Wish)>,
}

/// What a setting is to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Wish {
    /// Just this.
    Exactly(Value),
    /// A number that is no larger.
    AtMost(u64),
    /// A number that is no smaller, or a word for more than any number.
    AtLeast(u64),
}

impl Wish {
    /// Whether a thing can be as both wish.
    pub fn agrees(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exactly(one), Self::Exactly(other)) => one == other,
            (Self::Exactly(value), Self::AtMost(most))
            | (Self::AtMost(most), Self::Exactly(value)) => {
                value.as_u64().is_some_and(|value| value <= *most)
            }
            (Self::Exactly(value), Self::AtLeast(least))
            | (Self::AtLeast(least), Self::Exactly(value)) => {
                value.as_u64().is_none_or(|value| value >= *least)
            }
            (Self::AtMost(most), Self::AtLeast(least))
            | (Self::AtLeast(least), Self::AtMost(most)) => most >= least,
            (Self::AtMost(_), Self::AtMost(_)) | (Self::AtLeast(_), Self::AtLeast(_)) => true,
        }
    }
}

impl fmt::Display for Wish {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(value) => write!(out, "{value}"),
            Self::AtMost(most) => write!(out, "at most {most}"),
            Self::AtLeast(least) => write!(out, "at least {least}"),
        }
    }
}

impl Claim {
    /// That the item governs a thing as a whole: no other item of its kind may.
    pub fn whole(thing: impl Into<String>) -> Self {
        Self { thing: thing.into(), setting: None }
    }

    /// That the item wants a setting of a thing to have a value: no item may want another one.
    pub fn setting(thing: impl Into<String>, name: &'static str, value: impl Into<Value>) -> Self {
        Self { thing: thing.into(), setting: Some((name, Wish::Exactly(value.into()))) }
    }

    /// That the item wants a setting of a thing to be no smaller: no item may want it to be.
    pub fn at_least(thing: impl Into<String>, name: &'static str, least: u32) -> Self {
        Self { thing: thing.into(), setting: Some((name, Wish::AtLeast(least.into()))) }
    }

    /// That the item wants a setting of a thing to be no larger: no item may want it to be.
    pub fn at_most(thing: impl Into<String>, name: &'static str, most: u32) -> Self {
        Self { thing: thing.into(), setting: Some((name, Wish::AtMost(most.into()))) }
    }
}
