//! What AWS charges for, once it is switched on. Prices are data, in one file with their source and date; the kinds say
//! what of it a change switches on.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// What is said of a key that begins to rotate.
pub const ROTATES: &str =
    "AWS charges for the key material of the first two rotations as for a key";

/// What AWS charges for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// A customer managed key.
    KmsKey,
    /// The further key material of a key that rotates.
    KmsRotation,
    /// An alarm of standard resolution.
    Alarm,
    /// A metric of one's own.
    Metric,
    /// A configuration item that Config records.
    ConfigurationItem,
    /// An evaluation of a rule of Config.
    RuleEvaluation,
    /// A check of a control of Security Hub.
    SecurityCheck,
    /// A role or user that is analyzed for unused access.
    UnusedAccess,
    /// A resource that is analyzed for internal access.
    InternalAccess,
    /// Vended logs that go to CloudWatch Logs.
    LogsToCloudwatch,
    /// Vended logs that go to a bucket or a stream.
    LogsToOthers,
    /// What GuardDuty analyzes.
    Guardduty,
    /// An instance that Inspector scans.
    InspectorInstance,
    /// An image that Inspector scans.
    InspectorImage,
    /// A function that Inspector scans.
    InspectorFunction,
    /// A bucket that Macie looks at.
    MacieBucket,
    /// Objects that Macie keeps an eye on for automated discovery.
    MacieObject,
    /// What Macie inspects.
    MacieInspected,
}

/// What one of it costs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// One of it, in words.
    pub unit: String,
    /// USD a month for one that is there, from and to.
    pub month: Option<(f64, f64)>,
    /// USD for each use: how many there will be, nobody knows before.
    #[serde(rename = "use")]
    pub each: Option<f64>,
    /// The page that says so.
    pub source: String,
}

/// The price list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The month as of which the prices are known, `2026-03`.
    pub as_of: String,
    /// The Region whose prices they are.
    pub region: String,
    prices: BTreeMap<Charge, Price>,
}

// The list is part of the program, and a test reads it: it never falls back to none.
static PRICES: LazyLock<Prices> =
    LazyLock::new(|| toml::from_str(include_str!("charge/prices.toml")).unwrap_or_default());

/// The price list that this version knows.
pub fn prices() -> &'static Prices {
    &PRICES
}

impl Prices {
    /// The price of one; each has one.
    pub fn of(&self, charge: Charge) -> Option<&Price> {
        self.prices.get(&charge)
    }
}

impl Price {
    /// `1.00 USD a month for each key`, `0.003 USD for each configuration item`; none where one price does not say it.
    pub fn words(&self) -> Option<String> {
        let unit = &self.unit;
        match (self.month, self.each) {
            (Some((low, high)), _) if low == high => {
                Some(format!("{high:.2} USD a month for each {unit}"))
            }
            (Some((0.0, high)), _) => Some(format!("up to {high:.2} USD a month for each {unit}")),
            (Some((low, high)), _) => {
                Some(format!("{low:.2} to {high:.2} USD a month for each {unit}"))
            }
            (None, Some(each)) if each < 0.01 => Some(format!("{each} USD for each {unit}")),
            (None, Some(each)) => Some(format!("{each:.2} USD for each {unit}")),
            (None, None) => None,
        }
    }
}

/// What the reader is told of a change that switches it on.
pub fn warning(text: &str, charges: &[Charge]) -> String {
    let words: Vec<String> =
        charges.iter().filter_map(|charge| prices().of(*charge)?.words()).collect();
    match words.is_empty() {
        true => text.to_owned(),
        false => format!("{text} (list price: {})", words.join(", ")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn each_charge_has_a_price_of_one_kind_with_a_source() {
        let all: Prices = toml::from_str(include_str!("charge/prices.toml")).unwrap();
        let named = schemars::schema_for!(Charge).to_value();
        let names = named["oneOf"].as_array().unwrap().len();
        assert_eq!(all.prices.len(), names);
        for price in all.prices.values() {
            assert!(price.source.starts_with("https://aws.amazon.com/"), "{price:?}");
            assert!(price.month.is_none() || price.each.is_none(), "{price:?}");
            assert!(price.month.is_none_or(|(low, high)| 0.0 <= low && low <= high), "{price:?}");
        }
    }

    #[test]
    fn a_charge_is_told_with_its_price() {
        let told = |charges: &[Charge]| warning("AWS charges", charges);
        assert_eq!(
            told(&[Charge::KmsKey]),
            "AWS charges (list price: 1.00 USD a month for each key)"
        );
        assert_eq!(
            told(&[Charge::Alarm, Charge::Metric]),
            "AWS charges (list price: up to 0.10 USD a month for each alarm, up to 0.30 USD a month for each metric of one's own)"
        );
        assert_eq!(
            told(&[Charge::ConfigurationItem]),
            "AWS charges (list price: 0.003 USD for each configuration item)"
        );
        assert_eq!(told(&[Charge::Guardduty]), "AWS charges");
    }
}
