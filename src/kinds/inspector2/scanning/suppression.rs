//! Rules that suppress findings by themselves: nobody sees these findings unless they ask for what is suppressed.

use std::collections::BTreeSet;

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::FilterAction;

use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared,
};

const LIST: Call = Call::new("inspector2", "ListFilters");

pub struct SuppressionRules;

/// There is none.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Write {}

impl Part for SuppressionRules {
    type Of = Scanning;
    /// By name.
    type Now = BTreeSet<String>;
    type Write = Write;

    const NAME: &'static str = "forbid_suppression_rules";
    const CALLS: &'static [Use<Spec>] = &[Use::read_if(LIST, Self::is_declared)];

    fn is_declared(spec: &Spec) -> bool {
        spec.forbid_suppression_rules.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let request = cx.client(Client::new).list_filters().action(FilterAction::Suppress);
        let pages = request.into_paginator().send();
        let listed = cx.list(LIST, "SUPPRESS", pages, "filters", |page| Some(page.filters)).await?;
        let rules = listed.iter().map(|filter| filter.name().to_owned()).collect();
        Ok(rules)
    }

    fn diff(look: &Look<'_, Scanning>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        if look.spec.forbid_suppression_rules != Some(true) || now.is_empty() {
            return Vec::new();
        }
        let names: Vec<&str> = now.iter().map(String::as_str).collect();
        let names = names.join(", ");
        let mut drift = Drift::new();
        drift.add(Self::NAME, Some(format!("findings are suppressed by: {names}")), Some(true));
        vec![Change::finding(drift).withhold(format!(
            "nobody sees what these rules suppress: look at them (aws inspector2 list-filters --action SUPPRESS), delete those that hide what they should not ({names}), or leave forbid_suppression_rules out"
        ))]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _before: &Self::Now) -> Undo<Write> {
        match *write {}
    }

    fn export(_now: &Self::Now, _spec: &mut Spec) {}
}
