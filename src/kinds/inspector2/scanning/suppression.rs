//! Rules that suppress findings by themselves: nobody sees these findings unless they ask for what is suppressed.

use std::collections::BTreeSet;

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::FilterAction;

use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::aws::said::Said;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
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
        let client = cx.client(Client::new);
        let rules = cx
            .read(LIST, "SUPPRESS", async {
                let (mut rules, mut token) = (BTreeSet::new(), None);
                loop {
                    let said = Said::new("filters");
                    let request = client.list_filters().action(FilterAction::Suppress);
                    let request = request.set_next_token(token).customize();
                    let page = request.interceptor(said.clone()).send().await?;
                    // The SDK has an empty list for one that is left out.
                    if !said.is_there() {
                        return Ok(None);
                    }
                    rules.extend(page.filters.iter().map(|filter| filter.name.clone()));
                    token = page.next_token.filter(|token| !token.is_empty());
                    if token.is_none() {
                        return Ok(Some(rules));
                    }
                }
            })
            .await?;
        Ok(told("filters", rules.as_ref().as_ref())?.clone())
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
