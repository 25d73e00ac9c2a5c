//! Many objects of one item, looked at together within the time that there is.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures::stream::{self, StreamExt};
use tokio::time::{Instant, sleep_until};

use super::{Cx, Object, ObserveError};

/// Objects looked at at the same time; calls in flight have limits of their own.
const TOGETHER: usize = 32;
/// What is left of the time when the looking ends, so that what was found is still taken.
const TO_HAND_OVER: Duration = Duration::from_millis(250);

/// Looks at objects by their ids. What was not read when the time of the account is over is unknown
/// one by one: what was read is kept.
pub async fn sweep<S, F>(cx: &Cx, looks: impl IntoIterator<Item = (String, F)>) -> Vec<Object<S>>
where
    F: Future<Output = Object<S>>,
{
    let (ids, looks): (Vec<String>, Vec<F>) = looks.into_iter().unzip();
    let mut left: BTreeSet<String> = ids.into_iter().collect();
    let mut objects = Vec::with_capacity(left.len());
    {
        let deadline = cx.deadline();
        let end = deadline.and_then(|end| end.checked_sub(TO_HAND_OVER)).or(deadline);
        let mut late = pin!(sleep_until(end.unwrap_or_else(Instant::now)));
        let mut looks = pin!(stream::iter(looks).buffer_unordered(TOGETHER));
        loop {
            let next = tokio::select! {
                biased;
                next = looks.next() => next,
                () = &mut late, if end.is_some() => break,
            };
            let Some(object) = next else { break };
            left.remove(&object.id);
            objects.push(object);
        }
    }
    objects.extend(left.into_iter().map(|id| Object::unknown(id, ObserveError::too_late())));
    objects.sort_by(|one, other| one.id.cmp(&other.id));
    objects
}
