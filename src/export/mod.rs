//! Writes an account's present state down as a baseline, so that adopting evenkeel begins with an
//! empty plan.
//!
//! Every kind is observed with all its fields declared; what it then exports is observed and
//! compared once more, and only what that finds as it is declared is written. In the end the text itself is
//! loaded and planned, and what would still change is taken out. What is left out is named in a
//! comment, with the reason. What does not do what it is declared for, such as encryption with a key that is
//! gone, stays where nothing else can be declared, and is named, too. What could not be read is named
//! apart, for then nobody knows what is there.

mod join;
mod look;
mod settle;
mod survey;
mod write;

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::Value;

use crate::aws::reads::ReadCache;
use crate::aws::{AwsError, Session};
use crate::kinds::{Scope, registry};
use crate::names::{ItemName, Region};
use crate::reconcile::wide;
use crate::reconcile::{Selection, regions};

use look::{KindInRegion, Looked, Unread};
pub use write::baseline;

/// Kinds and Regions looked at at the same time; calls in flight have limits of their own.
const PLACES_IN_FLIGHT: usize = 32;

/// One item of the baseline to be.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// Its name.
    pub item: ItemName,
    /// The Regions that it holds in; `None` for global kinds.
    pub regions: Option<BTreeSet<Region>>,
    /// What it declares.
    pub spec: Value,
    /// What other objects may call it, besides the field that names it.
    pub other_names: BTreeSet<String>,
    /// Fields that keep their values, because a reference would change something.
    pub literal: BTreeSet<String>,
}

/// What an account holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    /// The items, in the registry's order.
    pub items: Vec<Exported>,
    /// What is wrong with what is declared as it is, and nothing that is declared puts right.
    pub wrong: Vec<String>,
    /// What is not declared, and why.
    pub left_out: Vec<String>,
    /// What could not be read, and why: nobody knows what is there.
    pub unread: Vec<String>,
    /// What the reader should do so that all of that can be read.
    pub remedies: BTreeSet<String>,
    /// The Regions that were looked at, without those of which nothing could be read.
    pub regions: BTreeSet<Region>,
}

/// An export that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The enabled Regions are needed and cannot be read.
    #[error("cannot list the account's Regions: {0}")]
    Regions(#[from] AwsError),
    /// What was written cannot be loaded, and it is not an item's fault.
    #[error("the baseline that was written cannot be loaded: {0}")]
    Unusable(String),
}

/// Reads an account.
///
/// # Errors
/// The Regions cannot be listed, or no usable baseline comes of it.
pub async fn export(session: &Arc<Session>, selection: &Selection) -> Result<Export, ExportError> {
    let reads = Arc::new(ReadCache::default());
    let regions: BTreeSet<Region> = if selection.regions.is_empty() {
        regions::enabled(session, &reads).await?.iter().cloned().collect()
    } else {
        selection.regions.clone()
    };
    let mut export = Export { regions: regions.clone(), ..Export::default() };
    let kinds: Vec<_> = registry::all()
        .iter()
        .map(AsRef::as_ref)
        .filter(|kind| selection.has_kind(kind.name()))
        .collect();
    let mut places = Vec::new();
    for kind in &kinds {
        let Some(wide) = wide::wide_spec(*kind, session) else {
            export.left_out.push(format!("{}: nothing to look for", kind.name()));
            continue;
        };
        let wide = Arc::new(wide);
        let home = [session.home_region().clone()];
        let mut place = |region: &Region| {
            places.push(KindInRegion::new(*kind, region, session, &reads, Arc::clone(&wide)));
        };
        match kind.scope() {
            Scope::Global => home.iter().for_each(&mut place),
            Scope::Regional => regions.iter().for_each(&mut place),
        }
    }
    let regional = kinds.iter().filter(|kind| kind.scope() == Scope::Regional).count();
    let looks = places.into_iter().map(|place| look::look(place, &regions));
    let looked: Vec<Looked> = stream::iter(looks).buffered(PLACES_IN_FLIGHT).collect().await;
    unread(&looked, regional, &mut export);
    let mut looked = looked.into_iter().peekable();
    while let Some(first) = looked.next() {
        let kind = first.place.kind;
        let mut candidates = first.candidates;
        export.left_out.extend(first.left_out);
        while let Some(next) = looked.next_if(|next| next.place.kind.name() == kind.name()) {
            candidates.extend(next.candidates);
            export.left_out.extend(next.left_out);
        }
        join::join(kind, session.account(), candidates, &mut export).await;
    }
    settle::settle(session, &reads, &mut export).await?;
    Ok(export)
}

/// Names what could not be read; a Region that does not let anybody in is one line, not one for
/// each kind.
fn unread(looked: &[Looked], regional: usize, export: &mut Export) {
    let shut: BTreeSet<Region> = export
        .regions
        .iter()
        .filter(|region| {
            let mut here = looked.iter().filter(|looked| {
                looked.place.kind.scope() == Scope::Regional && looked.place.region() == *region
            });
            regional > 1 && here.all(Looked::is_shut)
        })
        .cloned()
        .collect();
    for region in &shut {
        let here = looked.iter().filter(|looked| looked.place.region() == region);
        let reason = here.flat_map(|looked| &looked.unread).map(|unread| &unread.why.reason).next();
        let reason = reason.map_or("", String::as_str);
        export.unread.push(format!("{region}: nothing of it could be read: {reason}"));
    }
    let whys = looked.iter().flat_map(|looked| &looked.unread).map(|unread| &unread.why);
    export.remedies.extend(whys.filter_map(|why| why.remedy.clone()));
    for looked in looked {
        let regional = looked.place.kind.scope() == Scope::Regional;
        if regional && shut.contains(looked.place.region()) {
            continue;
        }
        for Unread { object, why } in &looked.unread {
            export.unread.push(format!("{}: {}", looked.place.title(object), why.reason));
        }
    }
    export.regions.retain(|region| !shut.contains(region));
}
