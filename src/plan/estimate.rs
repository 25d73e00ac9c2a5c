//! What a plan would cost from then on: an estimate, as far as it can be counted from what was observed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Plan, PlannedChange, Sort};
use crate::kinds::charge::{Charge, prices};

/// What the changes of a plan that would be applied switch on, and what that costs a month. What a guard holds
/// back counts: whoever releases it should know before.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Estimate {
    /// USD a month, at least.
    pub low: f64,
    /// USD a month, at most.
    pub high: f64,
    /// How it was counted.
    pub counted: Vec<Counted>,
    /// The changes that are charged by use, of which nobody knows how much there will be.
    pub by_use: usize,
    /// The month as of which the list prices are known.
    pub as_of: String,
    /// The Region whose prices they are; others may cost more.
    pub region: String,
}

/// What is switched on of a thing that has a price a month.
#[derive(Debug, Clone, PartialEq, Serialize, schemars::JsonSchema)]
pub struct Counted {
    /// One of it, in words.
    pub unit: String,
    /// How many.
    pub count: usize,
    /// USD a month for one, at least.
    pub low: f64,
    /// USD a month for one, at most.
    pub high: f64,
    /// The page that has the price.
    pub source: String,
}

impl Plan {
    /// The estimate; `None` where nothing is switched on that AWS charges for.
    pub fn estimate(&self) -> Option<Estimate> {
        let is_meant = |change: &PlannedChange| change.is_applied() || change.held().is_some();
        let mut counts: BTreeMap<Charge, usize> = BTreeMap::new();
        let mut by_use = 0;
        for object in self.objects.of(Sort::Drifted) {
            for change in object.changes.iter().filter(|change| is_meant(change)) {
                let is_monthly = |charge: &Charge| {
                    prices().of(*charge).is_some_and(|price| price.month.is_some())
                };
                let (monthly, used): (Vec<_>, Vec<_>) =
                    change.charges.iter().copied().partition(is_monthly);
                by_use += usize::from(!used.is_empty());
                monthly.into_iter().for_each(|charge| *counts.entry(charge).or_default() += 1);
            }
        }
        let counted: Vec<Counted> = counts
            .into_iter()
            .filter_map(|(charge, count)| {
                let price = prices().of(charge)?;
                let (low, high) = price.month?;
                let (unit, source) = (price.unit.clone(), price.source.clone());
                Some(Counted { unit, count, low, high, source })
            })
            .collect();
        if counted.is_empty() && by_use == 0 {
            return None;
        }
        let sum = |of: fn(&Counted) -> f64| {
            counted
                .iter()
                .map(|one| f64::from(u32::try_from(one.count).unwrap_or(u32::MAX)) * of(one))
                .sum()
        };
        Some(Estimate {
            low: sum(|one| one.low),
            high: sum(|one| one.high),
            by_use,
            as_of: prices().as_of.clone(),
            region: prices().region.clone(),
            counted,
        })
    }
}

impl Estimate {
    /// `estimate: 2.00 to 2.80 USD a month more (2 keys × 1.00, 2 alarms × 0.00 to 0.10 …) …`.
    pub fn line(&self) -> String {
        let Self { low, high, counted, by_use, as_of, region } = self;
        let parts: Vec<String> = counted.iter().map(Counted::words).collect();
        let mut line = match counted.is_empty() {
            true => "estimate: what is switched on costs by use".to_owned(),
            false => {
                format!("estimate: {} USD a month more ({})", range(*low, *high), parts.join(" + "))
            }
        };
        if *by_use > 0 {
            let changes = super::words::counted(*by_use, "change");
            line.push_str(&match counted.is_empty() {
                true => format!(" ({changes}), which nobody can count from here"),
                false => format!(", and what is charged by use ({changes})"),
            });
        }
        format!("{line} · list prices of {region} as of {as_of}, without taxes and discounts")
    }
}

impl Counted {
    fn words(&self) -> String {
        let Self { unit, count, low, high, .. } = self;
        format!("{count} × {} for each {unit}", range(*low, *high))
    }
}

fn range(low: f64, high: f64) -> String {
    match low == high {
        true => format!("{high:.2}"),
        false => format!("{low:.2} to {high:.2}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use crate::plan::render::testing::{change, object, plan};

    #[test]
    fn what_can_be_counted_is_summed_and_the_rest_is_named() {
        let of = |charges: serde_json::Value, disposition: &str| {
            let is = match disposition {
                "apply" => json!({"is": "apply"}),
                "held" => {
                    json!({"is": "held_back", "guard": "budget", "reason": "much", "released_by": "more"})
                }
                _ => json!({"is": "report", "reason": "mode is \"report\""}),
            };
            json!({"changes": [change(json!({"charges": charges, "disposition": is}))]})
        };
        let objects = vec![
            object(1, of(json!(["kms_key"]), "apply")),
            object(2, of(json!(["kms_key"]), "held")),
            object(3, of(json!(["alarm", "metric"]), "apply")),
            object(4, of(json!(["configuration_item"]), "apply")),
            object(5, of(json!(["kms_key"]), "report")),
        ];
        let estimate = plan(5, objects).estimate().unwrap();
        assert_eq!((estimate.low, estimate.by_use), (2.0, 1));
        assert!(
            estimate.line().starts_with(
                "estimate: 2.00 to 2.40 USD a month more (2 × 1.00 for each key + 1 × 0.00 to 0.10 for each alarm + 1 × 0.00 to 0.30 for each metric of one's own), and what is charged by use (1 change)"
            ),
            "{}",
            estimate.line()
        );
    }

    #[test]
    fn what_costs_by_use_alone_is_no_sum_and_what_costs_nothing_is_not_told() {
        let used = json!({"changes": [change(json!({"charges": ["guardduty"]}))]});
        let line = plan(1, vec![object(1, used)]).estimate().unwrap().line();
        assert!(
            line.starts_with("estimate: what is switched on costs by use (1 change)"),
            "{line}"
        );
        let free = json!({"changes": [change(json!({}))]});
        assert_eq!(plan(1, vec![object(1, free)]).estimate(), None);
    }
}
