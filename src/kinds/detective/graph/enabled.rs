//! Deleting a graph. Making one is the making of the object.

use aws_sdk_detective::Client;
use serde::{Deserialize, Serialize};

use super::{Graph, Place, Spec, graphs};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared,
};

const DELETE: Call = Call::new("detective", "DeleteGraph");

pub struct Enabled;

/// Deletes it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Delete,
}

impl Part for Enabled {
    type Of = Graph;
    type Now = ();
    type Write = Write;

    const NAME: &'static str = "enabled";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(DELETE, |spec| !spec.enabled, graphs)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(_cx: &Cx, _spec: &Spec, _place: &Place) -> Result<(), ObserveError> {
        Ok(())
    }

    fn diff(look: &Look<'_, Graph>, (): &()) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        if look.is_new() || look.spec.enabled {
            return Vec::new();
        }
        let mut drift = Drift::new();
        drift.add(Self::NAME, Some(true), Some(false));
        vec![Change::new(Write::Delete, drift).risk(Risk::Destructive).warn(
            "up to a year of history goes with the graph, of all its members, and nobody brings it back",
        )]
    }

    fn calls(_write: &Write) -> Vec<Call> {
        vec![DELETE]
    }

    async fn write(cx: &WriteCx, place: &Place, _write: &Write) -> Result<(), WriteError> {
        let request = cx.client(Client::new).delete_graph().graph_arn(place.found(cx).await?);
        cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
    }

    fn undo(_write: &Write, (): &()) -> Undo<Write> {
        Undo::Impossible(
            "what the graph knew is gone; declare `enabled = true` for a new one".to_owned(),
        )
    }

    fn export((): &(), spec: &mut Spec) {
        spec.enabled = true;
    }
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    if spec.enabled {
        return Vec::new();
    }
    let declared = [
        ("datasource_packages", spec.datasource_packages.is_some()),
        ("auto_enable_members", spec.auto_enable_members.is_some()),
        ("tags", spec.tags.is_some()),
    ];
    let declared = declared.into_iter().filter(|(_, is_declared)| *is_declared);
    let problem = |(field, _)| {
        let message = "a graph that is not there has none";
        SpecProblem::new(field, message, "leave it out, or declare enabled = true")
    };
    declared.map(problem).collect()
}
