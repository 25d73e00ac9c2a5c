//! What a graph takes in.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_detective::Client;
use aws_sdk_detective::types::DatasourcePackage;
use serde::{Deserialize, Serialize};

use super::spec::Package;
use super::{Graph, Place, Spec, graphs, pages};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, told,
};

const LIST: Call = Call::new("detective", "ListDatasourcePackages");
const UPDATE: Call = Call::new("detective", "UpdateDatasourcePackages");

pub struct Packages;

/// How a source fares.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Ingest {
    Started,
    Stopped,
    Disabled,
}

/// The sources by their names, those that this version does not know among them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sources(pub BTreeMap<String, Ingest>);

/// What every graph has from the start (Detective User Guide, "Types of data sources").
impl Default for Sources {
    fn default() -> Self {
        Self(BTreeMap::from([(Package::Core.as_str().to_owned(), Ingest::Started)]))
    }
}

impl Part for Packages {
    type Of = Graph;
    type Now = Sources;
    /// The sources to be added.
    type Write = BTreeSet<Package>;

    const NAME: &'static str = "datasource_packages";
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(LIST, Self::is_declared), Use::write_if(UPDATE, Self::is_declared, graphs)];

    fn is_declared(spec: &Spec) -> bool {
        spec.datasource_packages.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Sources, ObserveError> {
        let arn = told("GraphArn", place.graph_arn.as_deref())?;
        let client = cx.client(Client::new);
        let request = client.list_datasource_packages().graph_arn(arn);
        let pages = cx.read(LIST, arn, pages!(request.clone())).await?;
        let mut sources = BTreeMap::new();
        for page in pages.iter() {
            for (name, said) in told("DatasourcePackages", page.datasource_packages.as_ref())? {
                let state = said.datasource_package_ingest_state();
                let state = told("DatasourcePackageIngestState", state)?;
                let state = known("DatasourcePackageIngestState", state.as_str())?;
                sources.insert(name.as_str().to_owned(), state);
            }
        }
        Ok(Sources(sources))
    }

    fn diff(look: &Look<'_, Graph>, Sources(now): &Sources) -> Vec<Change<BTreeSet<Package>>> {
        compared::mark(Self::NAME);
        let mut drift = Drift::new();
        let mut added = BTreeSet::new();
        for wanted in look.spec.datasource_packages.iter().flatten() {
            let there = now.get(wanted.as_str());
            if there != Some(&Ingest::Started) {
                let field = format!("{}.{}", Self::NAME, wanted.as_str());
                drift.add(&field, there, Some(Ingest::Started));
                added.insert(*wanted);
            }
        }
        if added.is_empty() {
            return Vec::new();
        }
        let change = Change::new(added, drift)
            .warn("AWS charges for each gigabyte that Detective takes in, of this source too");
        vec![if look.is_new() { change } else { change.independent() }]
    }

    fn calls(_added: &BTreeSet<Package>) -> Vec<Call> {
        vec![UPDATE, super::LIST]
    }

    async fn write(
        cx: &WriteCx,
        place: &Place,
        added: &BTreeSet<Package>,
    ) -> Result<(), WriteError> {
        let added = added.iter().map(|one| DatasourcePackage::from(one.as_str())).collect();
        let request = cx.client(Client::new).update_datasource_packages();
        let request = request.graph_arn(place.found(cx).await?);
        cx.send(UPDATE, request.set_datasource_packages(Some(added)).send()).await
    }

    fn undo(_added: &BTreeSet<Package>, _before: &Sources) -> Undo<BTreeSet<Package>> {
        Undo::Impossible("Detective has no call that takes a source away again".to_owned())
    }

    fn export(Sources(now): &Sources, spec: &mut Spec) {
        let started = now.iter().filter(|(_, state)| **state == Ingest::Started);
        let known = started.filter_map(|(name, _)| known(Self::NAME, name).ok());
        let known: BTreeSet<Package> = known.collect();
        spec.datasource_packages = Some(known).filter(|known| !known.is_empty());
    }
}
