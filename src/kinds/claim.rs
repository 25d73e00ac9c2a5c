//! What an item says of a thing, by the id that AWS gave the thing and not by the name that was
//! declared.

use serde_json::Value;

/// What an item says of one thing in its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The thing: `KMS key 1234abcd-…`.
    pub thing: String,
    /// A single setting of it, and its declared value; `None` for the whole thing.
    pub setting: Option<(&'static str, Value)>,
}

impl Claim {
    /// That the item governs a thing as a whole: no other item of its kind may.
    pub fn whole(thing: impl Into<String>) -> Self {
        Self { thing: thing.into(), setting: None }
    }

    /// That the item wants a setting of a thing to have a value: no item may want another one.
    pub fn setting(thing: impl Into<String>, name: &'static str, value: impl Into<Value>) -> Self {
        Self { thing: thing.into(), setting: Some((name, value.into())) }
    }
}
