//! What a run is made for, as guards, the history and notices take it.

use crate::controller::queue::{Cause, Causes, What};
use crate::fleet::select::SelectError;
use crate::guards::Who;
use crate::reconcile::{Heard, LookError};
use crate::store::history::ByWhom;

/// Who touched what, as far as events told.
pub fn heard(what: &What, caused_by: &[ByWhom]) -> Vec<Heard> {
    let What::Parts { account, parts } = what else { return Vec::new() };
    let who = caused_by.iter().map(|by| Who {
        principal: by.principal.clone(),
        call: by.call.clone(),
        time: by.time,
    });
    who.flat_map(|who| {
        parts.iter().map(move |(kind, _)| Heard {
            account: account.clone(),
            kind: (*kind).to_owned(),
            who: who.clone(),
        })
    })
    .collect()
}

/// Who did what a run is made for.
pub fn by_whom(causes: &Causes) -> Vec<ByWhom> {
    let of_events = causes.kept.iter().filter_map(|cause| match cause {
        Cause::Event { id, call, time, by } => Some(ByWhom {
            principal: by.arn.clone(),
            call: call.clone(),
            time: Some(*time),
            address: by.source_address.clone(),
            agent: by.user_agent.clone(),
            event: Some(id.clone()),
        }),
        _ => None,
    });
    of_events.collect()
}

/// Whether a run asks anew which accounts there are: that of a target, but for what is left of it.
pub fn lists_anew(what: &What, causes: &Causes) -> bool {
    let is_left = |cause: &Cause| matches!(cause, Cause::Elsewhere | Cause::Again { .. });
    matches!(what, What::Target(_)) && (causes.kept.is_empty() || !causes.kept.iter().all(is_left))
}

/// Whether it is less than a target, and may be nothing that is declared.
pub fn is_part(what: &What) -> bool {
    !matches!(what, What::Target(_))
}

/// Whether a look came to nothing because nothing is declared there.
pub fn is_nothing_of_ours(error: &LookError) -> bool {
    matches!(
        error,
        LookError::NothingDeclared { .. }
            | LookError::NothingIn { .. }
            | LookError::Select(SelectError::NothingLeft | SelectError::NotSelected { .. })
    )
}
