//! Observes everything that is declared for one account: concurrently, each AWS read once.

use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::aws::Session;
use crate::aws::error::ErrorClass;
use crate::aws::reads::ReadCache;
use crate::kinds::erased::LookError;
use crate::kinds::object::Unknown;
use crate::kinds::{Cx, Facts, ObserveError, registry};
use crate::plan::{Declared, ObservedItem};

/// Items looked at at the same time in all accounts together; calls in flight have limits of their
/// own. An item in hand takes some ten kilobytes.
const ITEMS_IN_HAND: usize = 1024;

/// The turns of items in a run, first come, first served: what is begun in one account is finished
/// before the next one takes its memory, and the last accounts have all turns to themselves.
pub fn turns() -> Semaphore {
    Semaphore::new(ITEMS_IN_HAND)
}

/// Looks at every declared item in its place; the result has the order of `declared`. What is not
/// read at the deadline is unknown.
pub async fn observe_all(
    session: &Arc<Session>,
    reads: &Arc<ReadCache>,
    declared: Vec<(Declared, Facts)>,
    deadline: Option<Instant>,
    turns: &Semaphore,
    mut seen: impl FnMut(),
) -> Vec<ObservedItem> {
    let mut observed: Vec<(usize, ObservedItem)> = Vec::with_capacity(declared.len());
    let looks = declared.into_iter().enumerate().map(|(position, (declared, facts))| {
        let cx = Cx::new(facts.clone(), Arc::clone(session), Arc::clone(reads));
        async move {
            let objects = match registry::find(&declared.item.kind) {
                None => Err(Unknown {
                    reason: format!("this version does not know the kind {}", declared.item.kind),
                    permission: None,
                    remedy: None,
                }),
                Some(kind) => {
                    let look = async {
                        // Nobody closes it; without a turn, it would only be too many at a time.
                        let _turn = turns.acquire().await.ok();
                        kind.observe(&cx, &declared.spec).await
                    };
                    match deadline {
                        None => look.await.map_err(into_unknown),
                        Some(deadline) => match timeout_at(deadline, look).await {
                            Ok(objects) => objects.map_err(into_unknown),
                            Err(_) => Err(too_late()),
                        },
                    }
                }
            };
            (position, ObservedItem { declared, facts, objects })
        }
    });
    let mut looks: FuturesUnordered<_> = looks.collect();
    while let Some(item) = looks.next().await {
        seen();
        observed.push(item);
    }
    observed.sort_by_key(|(position, _)| *position);
    observed.into_iter().map(|(_, item)| item).collect()
}

fn too_late() -> Unknown {
    Unknown {
        reason: "AWS had not answered when the time for this account was over".to_owned(),
        permission: None,
        remedy: Some(
            "run again for this account alone (-a), or allow more with [limits] account_timeout_seconds"
                .to_owned(),
        ),
    }
}

fn into_unknown(error: LookError) -> Unknown {
    match error {
        LookError::Observe(ObserveError::Aws(error)) if error.class == ErrorClass::Late => {
            too_late()
        }
        LookError::Observe(error) => error.into_unknown(),
        LookError::Misfit(misfit) => {
            Unknown { reason: misfit.to_string(), permission: None, remedy: None }
        }
    }
}
