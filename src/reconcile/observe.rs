//! Observes everything that is declared for one account: concurrently, each AWS read once.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream;

use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::kinds::erased::LookError;
use crate::kinds::object::Unknown;
use crate::kinds::{Cx, Facts, registry};
use crate::plan::{Declared, ObservedItem};

/// Items looked at at the same time; the calls in flight have their own limit in the session.
const ITEMS_IN_FLIGHT: usize = 64;

/// Looks at every declared item in its place; the result has the order of `declared`.
pub async fn observe_all(
    session: &Arc<Session>,
    declared: Vec<(Declared, Facts)>,
    mut seen: impl FnMut(),
) -> Vec<ObservedItem> {
    let reads = Arc::new(ReadCache::default());
    let mut observed: Vec<(usize, ObservedItem)> = Vec::with_capacity(declared.len());
    let looks = declared.into_iter().enumerate().map(|(position, (declared, facts))| {
        let cx = Cx::new(facts.clone(), Arc::clone(session), Arc::clone(&reads));
        async move {
            let objects = match registry::find(&declared.item.kind) {
                None => Err(Unknown {
                    reason: format!("this version does not know the kind {}", declared.item.kind),
                    permission: None,
                    remedy: None,
                }),
                Some(kind) => kind.observe(&cx, &declared.spec).await.map_err(into_unknown),
            };
            (position, ObservedItem { declared, facts, objects })
        }
    });
    let mut looks = stream::iter(looks).buffer_unordered(ITEMS_IN_FLIGHT);
    while let Some(item) = looks.next().await {
        seen();
        observed.push(item);
    }
    observed.sort_by_key(|(position, _)| *position);
    observed.into_iter().map(|(_, item)| item).collect()
}

fn into_unknown(error: LookError) -> Unknown {
    match error {
        LookError::Observe(error) => error.into_unknown(),
        LookError::Misfit(misfit) => {
            Unknown { reason: misfit.to_string(), permission: None, remedy: None }
        }
    }
}
