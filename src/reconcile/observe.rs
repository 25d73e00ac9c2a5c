//! Observes everything that is declared for one account: concurrently, each AWS read once.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};
use tracing::Instrument;

use crate::aws::Session;
use crate::aws::error::ErrorClass;
use crate::aws::reads::ReadCache;
use crate::kinds::erased::LookError;
use crate::kinds::object::{Cause, Unknown};
use crate::kinds::{Cx, Facts, Object, ObserveError, registry};
use crate::names::{ItemName, Region, TRACE};
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
    mut seen: impl FnMut(&ItemName, &Region),
) -> Vec<ObservedItem> {
    let mut found: Vec<Option<Result<Vec<Object<Value>>, Unknown>>> =
        declared.iter().map(|_| None).collect();
    {
        let mut items: BTreeMap<(&str, &Region), usize> = BTreeMap::new();
        for (declared, facts) in &declared {
            *items.entry((&declared.item.kind, &facts.region)).or_default() += 1;
        }
        let items = &items;
        let looks = declared.iter().enumerate().map(|(position, (declared, facts))| async move {
            // Nobody closes it; without a turn, it would only be too many at a time.
            let _turn = turns.acquire().await.ok();
            let items = items.get(&(declared.item.kind.as_str(), &facts.region)).copied();
            let cx = Cx::new(facts.clone(), Arc::clone(session), Arc::clone(reads))
                .until(deadline)
                .among(items.unwrap_or(1));
            let (item, region) = (&declared.item, &facts.region);
            let span = tracing::debug_span!(target: TRACE, "item", evenkeel.item = %item, aws.region = %region);
            (position, look(&cx, declared).instrument(span).await)
        });
        let mut looks: FuturesUnordered<_> = looks.collect();
        // One timer for all: it is looked at each time that any of them moves.
        let mut late = pin!(sleep_until(deadline.unwrap_or_else(Instant::now)));
        loop {
            let next = tokio::select! {
                biased;
                next = looks.next() => next,
                () = &mut late, if deadline.is_some() => break,
            };
            let Some((position, objects)) = next else { break };
            let (declared, facts) = &declared[position];
            seen(&declared.item, &facts.region);
            found[position] = Some(objects);
        }
    }
    declared
        .into_iter()
        .zip(found)
        .map(|((declared, facts), objects)| ObservedItem {
            declared,
            facts,
            objects: objects.unwrap_or_else(|| Err(too_late())),
        })
        .collect()
}

async fn look(cx: &Cx, declared: &Declared) -> Result<Vec<Object<Value>>, Unknown> {
    let Some(kind) = registry::find(&declared.item.kind) else {
        return Err(Unknown {
            reason: format!("this version does not know the kind {}", declared.item.kind),
            permission: None,
            remedy: Some(
                "use the version of evenkeel that the baseline was written for, or take the item out"
                    .to_owned(),
            ),
            cause: Cause::Unjudged,
        });
    };
    kind.observe(cx, &declared.spec).await.map_err(into_unknown)
}

fn too_late() -> Unknown {
    ObserveError::too_late().into_unknown()
}

/// What is not known after an observation failed.
pub(super) fn into_unknown(error: LookError) -> Unknown {
    match error {
        LookError::Observe(ObserveError::Aws(error)) if error.class == ErrorClass::Late => {
            too_late()
        }
        LookError::Observe(error) => error.into_unknown(),
        LookError::Misfit(misfit) => misfit.into(),
    }
}
