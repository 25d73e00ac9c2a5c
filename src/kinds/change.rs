//! Drift and the writes that remove it, as kinds state them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much a change can hurt; ordered.
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
pub enum Risk {
    /// Nothing that works today stops working.
    Safe,
    /// Something that works today may stop working until it is put right.
    Disruptive,
    /// Something is lost that cannot be brought back.
    Destructive,
}

impl Risk {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Disruptive => "disruptive",
            Self::Destructive => "destructive",
        }
    }
}

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct FieldDrift {
    /// The field's path in the spec: `lifecycle[0].days`; empty for the whole object.
    pub field: String,
    /// What is there; `None` when nothing is.
    pub actual: Option<Value>,
    /// What is declared; `None` when it must not be there.
    pub desired: Option<Value>,
}

/// The fields of an object that differ, collected one by one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Drift(pub Vec<FieldDrift>);

impl Drift {
    /// Nothing differs yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Compares a field when it is declared; says whether it differs.
    pub fn compare<T: Serialize + PartialEq>(
        &mut self,
        field: &str,
        actual: Option<&T>,
        desired: Option<&T>,
    ) -> bool {
        match desired {
            Some(desired) if actual != Some(desired) => {
                self.add(field, actual, Some(desired));
                true
            }
            _ => false,
        }
    }

    /// Compares a text field when it is declared; an empty text means "not set" on both sides.
    pub fn compare_text(
        &mut self,
        field: &str,
        actual: Option<&str>,
        desired: Option<&str>,
    ) -> bool {
        let Some(desired) = desired else { return false };
        let (actual, desired) =
            (actual.filter(|text| !text.is_empty()), Some(desired).filter(|text| !text.is_empty()));
        if actual == desired {
            return false;
        }
        self.add(field, actual, desired);
        true
    }

    /// Records a field that differs.
    pub fn add<A: Serialize, D: Serialize>(
        &mut self,
        field: &str,
        actual: Option<A>,
        desired: Option<D>,
    ) {
        self.0.push(FieldDrift {
            field: field.to_owned(),
            actual: actual.as_ref().and_then(to_value),
            desired: desired.as_ref().and_then(to_value),
        });
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A value as plans show it; plain data always has one.
fn to_value<T: Serialize>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok()
}

/// One write, or one finding that evenkeel cannot write away.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change<A> {
    /// What differs.
    pub drift: Vec<FieldDrift>,
    /// The write; `None` for a finding that only people can mend.
    pub action: Option<A>,
    /// How much the write can hurt.
    pub risk: Risk,
    /// What the reader must know before agreeing: who would be cut off, what it costs.
    pub warnings: Vec<String>,
    /// Why the kind itself wants this only reported, such as a group that is in use.
    pub withheld: Option<String>,
}

impl<A> Change<A> {
    /// A safe write that removes some drift.
    pub fn new(action: A, drift: Drift) -> Self {
        Self {
            drift: drift.0,
            action: Some(action),
            risk: Risk::Safe,
            warnings: Vec::new(),
            withheld: None,
        }
    }

    /// Drift that evenkeel does not write away.
    pub fn finding(drift: Drift) -> Self {
        Self {
            drift: drift.0,
            action: None,
            risk: Risk::Safe,
            warnings: Vec::new(),
            withheld: None,
        }
    }

    /// The same with another risk.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }

    /// The same with a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// The same, only to be reported.
    #[must_use]
    pub fn withhold(mut self, reason: impl Into<String>) -> Self {
        self.withheld = Some(reason.into());
        self
    }
}

/// How a write is taken back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Undo<A> {
    /// By these writes, in this order.
    By(Vec<A>),
    /// Not at all, or not by evenkeel, with the reason.
    Impossible(String),
}
