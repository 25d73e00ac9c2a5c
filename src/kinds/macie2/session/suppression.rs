//! Rules that archive findings by themselves: nobody sees these findings unless they ask for what is archived.

use std::collections::BTreeSet;

use aws_sdk_macie2::Client;

use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

const LIST: Call = Call::new("macie2", "ListFindingsFilters");

pub struct SuppressionRules;

/// There is none.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Write {}

impl Part for SuppressionRules {
    type Of = Session;
    /// By name.
    type Now = BTreeSet<String>;
    type Write = Write;

    const NAME: &'static str = "forbid_suppression_rules";
    const CALLS: &'static [Use<Spec>] = &[Use::read_if(LIST, Self::is_declared)];

    fn is_declared(spec: &Spec) -> bool {
        spec.forbid_suppression_rules.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let pages = cx.client(Client::new).list_findings_filters().into_paginator().send();
        let listed = cx
            .list(LIST, "", pages, "findingsFilterListItems", |page| {
                page.findings_filter_list_items
            })
            .await?;
        let mut rules = BTreeSet::new();
        for filter in listed.iter() {
            match told("action", filter.action())?.as_str() {
                "ARCHIVE" => {
                    rules.insert(told("name", filter.name())?.to_owned());
                }
                // Filters that are looks at the list of findings.
                "NOOP" => {}
                other => {
                    return Err(ObserveError::UnknownValue {
                        field: "action".to_owned(),
                        value: other.to_owned(),
                    });
                }
            }
        }
        Ok(rules)
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        if look.spec.forbid_suppression_rules != Some(true) || now.is_empty() {
            return Vec::new();
        }
        let names: Vec<&str> = now.iter().map(String::as_str).collect();
        let names = names.join(", ");
        let mut drift = Drift::new();
        drift.add(Self::NAME, Some(format!("findings are archived by: {names}")), Some(true));
        vec![Change::finding(drift).withhold(format!(
            "nobody sees what these rules archive: look at them (aws macie2 list-findings-filters), delete those that hide what they should not ({names}), or leave forbid_suppression_rules out"
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
