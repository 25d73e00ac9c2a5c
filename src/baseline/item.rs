//! An item of a baseline, with what the engine takes from it.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::names::{ItemName, Region};

/// What an item may do.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Nothing: it is not even looked at.
    Off,
    /// Report drift.
    Report,
    /// Report drift and remove it.
    Enforce,
}

/// Where something is declared.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
pub struct Location {
    /// The file, as it was given.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

/// In which Regions an item of a regional kind holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Regions {
    /// A word for a set of Regions.
    Word(RegionWord),
    /// These.
    List(Vec<Region>),
}

/// A set of Regions that depends on the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionWord {
    /// All enabled ones.
    Enabled,
    /// The home Region.
    Home,
}

impl Regions {
    /// Whether the item holds in a Region.
    pub fn includes(&self, region: &Region, home: &Region) -> bool {
        match self {
            Self::Word(RegionWord::Enabled) => true,
            Self::Word(RegionWord::Home) => region == home,
            Self::List(list) => list.contains(region),
        }
    }

    /// Whether two items share a Region in whatever account: which Region the home is, and so whether
    /// a list has it, is seen there.
    pub fn surely_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::List(one), Self::List(other)) => one.iter().any(|region| other.contains(region)),
            (Self::Word(RegionWord::Home), Self::List(_))
            | (Self::List(_), Self::Word(RegionWord::Home)) => false,
            (Self::Word(_), _) | (_, Self::Word(_)) => true,
        }
    }
}

/// An item for one account and Region, with all placeholders filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedItem {
    /// Its name.
    pub item: ItemName,
    /// What it may do.
    pub mode: Mode,
    /// Where it holds.
    pub regions: Regions,
    /// Why we have it.
    pub note: Option<String>,
    /// The kind's own fields.
    pub spec: Value,
    /// The items that its fields refer to, by field.
    pub references: BTreeMap<String, BTreeSet<ItemName>>,
    /// Where it is declared.
    pub location: Location,
}
