//! Which Regions are linked, which AWS replaces as a whole.

use std::collections::BTreeSet;

use aws_sdk_securityhub::Client;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::spec::{LinkingMode, Spec};
use super::{FindingAggregator, Place, aggregator};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, known, told};

const GET: Call = Call::new("securityhub", "GetFindingAggregator");
const UPDATE: Call = Call::new("securityhub", "UpdateFindingAggregator");
const DELETE: Call = Call::new("securityhub", "DeleteFindingAggregator");

pub struct Linking;

/// The mode, with the Regions that it speaks of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Linked {
    pub mode: LinkingMode,
    pub regions: BTreeSet<String>,
}

/// No Region is linked where nothing is made.
impl Default for Linked {
    fn default() -> Self {
        Self { mode: LinkingMode::None, regions: BTreeSet::new() }
    }
}

/// A write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Links these.
    Link(Linked),
    /// Deletes the aggregator; only to undo that it was made.
    Delete,
}

/// The write that undoes that an aggregator was made.
pub fn deleting() -> (&'static str, Value) {
    (Linking::NAME, json!(Write::Delete))
}

impl Linked {
    /// What is declared.
    pub fn declared(spec: &Spec) -> Self {
        Self {
            mode: spec.region_linking_mode,
            regions: spec.linked_regions.clone().unwrap_or_default(),
        }
    }

    /// Compares what is declared; to what is not there at all, all of it is new.
    pub fn compare(now: Option<&Self>, spec: &Spec, drift: &mut Drift) {
        let wanted = Self::declared(spec);
        drift.compare("region_linking_mode", now.map(|now| &now.mode), Some(&wanted.mode));
        let regions = now.map(|now| &now.regions);
        drift.compare("linked_regions", regions, spec.linked_regions.as_ref());
    }

    /// The Regions as they are sent.
    pub fn listed(&self) -> Option<Vec<String>> {
        self.mode.has_regions().then(|| self.regions.iter().cloned().collect())
    }

    /// Whether everything that the other one links is linked here.
    fn covers(&self, other: &Self) -> bool {
        use LinkingMode as Mode;
        match (self.mode, other.mode) {
            (Mode::AllRegions, _) | (_, Mode::None) => true,
            (Mode::AllButSome, Mode::AllButSome) => self.regions.is_subset(&other.regions),
            (Mode::AllButSome, Mode::Some) => self.regions.is_disjoint(&other.regions),
            (Mode::Some, Mode::Some) => other.regions.is_subset(&self.regions),
            (Mode::AllButSome | Mode::Some | Mode::None, _) => false,
        }
    }
}

impl Part for Linking {
    type Of = FindingAggregator;
    type Now = Linked;
    type Write = Write;

    const NAME: &'static str = "linked";
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(GET), Use::write(UPDATE, aggregator), Use::undo(DELETE, aggregator)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Linked, ObserveError> {
        let arn = told("FindingAggregatorArn", place.arn.as_deref())?;
        let request = cx.client(Client::new).get_finding_aggregator().finding_aggregator_arn(arn);
        let answer = cx.read(GET, arn, request.send()).await?;
        let mode: LinkingMode =
            known("RegionLinkingMode", told("RegionLinkingMode", answer.region_linking_mode())?)?;
        // "Specified" without a list would be no link at all, and all but none would be all.
        let listed = answer.regions();
        let listed = (!mode.has_regions() || !listed.is_empty()).then_some(listed);
        let regions = told("Regions", listed)?.iter().cloned().collect();
        Ok(Linked { mode, regions })
    }

    fn diff(look: &Look<'_, FindingAggregator>, now: &Linked) -> Vec<Change<Write>> {
        let mut drift = Drift::new();
        Linked::compare(Some(now), look.spec, &mut drift);
        // A new aggregator is made with it.
        if drift.is_empty() || look.is_new() {
            return Vec::new();
        }
        let wanted = Linked::declared(look.spec);
        let loses = !wanted.covers(now);
        let change = Change::new(Write::Link(wanted), drift);
        if !loses {
            return vec![change];
        }
        vec![look.disruptive(
            change,
            "what is found in Regions that are no longer linked is not seen in the home Region any more",
        )]
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Link(_) => UPDATE,
            Write::Delete => DELETE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        let arn = place.made(cx).await?;
        match write {
            Write::Link(linked) => {
                let request = client
                    .update_finding_aggregator()
                    .finding_aggregator_arn(arn)
                    .region_linking_mode(linked.mode.as_str())
                    .set_regions(linked.listed());
                cx.send(UPDATE, request.send()).await
            }
            Write::Delete => {
                let request = client.delete_finding_aggregator().finding_aggregator_arn(arn);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Linked) -> Undo<Write> {
        match write {
            Write::Link(_) => Undo::By(vec![Write::Link(before.clone())]),
            Write::Delete => Undo::Impossible("this undoes something already".to_owned()),
        }
    }

    fn export(now: &Linked, spec: &mut Spec) {
        spec.region_linking_mode = now.mode;
        spec.linked_regions = now.mode.has_regions().then(|| now.regions.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(mode: LinkingMode, regions: &[&str]) -> Linked {
        Linked { mode, regions: regions.iter().map(|&one| one.to_owned()).collect() }
    }

    #[test]
    fn what_covers_what() {
        use LinkingMode as Mode;
        let all = linked(Mode::AllRegions, &[]);
        let none = linked(Mode::None, &[]);
        let but = |regions| linked(Mode::AllButSome, regions);
        let some = |regions| linked(Mode::Some, regions);
        for (one, other, covers) in [
            (&all, &but(&["a"]), true),
            (&but(&["a"]), &all, false),
            (&but(&["a"]), &but(&["a", "b"]), true),
            (&but(&["a", "b"]), &but(&["a"]), false),
            (&but(&["a"]), &some(&["b"]), true),
            (&but(&["a"]), &some(&["a", "b"]), false),
            (&some(&["a", "b"]), &some(&["a"]), true),
            (&some(&["a"]), &some(&["b"]), false),
            (&some(&["a"]), &but(&["b"]), false),
            (&some(&["a"]), &none, true),
            (&none, &some(&["a"]), false),
            (&none, &none, true),
        ] {
            assert_eq!(one.covers(other), covers, "{one:?} {other:?}");
        }
    }
}
