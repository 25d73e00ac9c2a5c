//! The look directly before each write of a rollback: whether nobody else has come to have a part in what it takes
//! away since the plan was made, be it while the question was open or between two writes to one object.

use std::sync::Arc;

use serde_json::Value;

use super::looks::{look_at_all, look_by};
use super::own::{self, Seen, Takes, Written};
use super::{ANOTHER, NOT_OWN};
use crate::aws::Session;
use crate::kinds::Facts;
use crate::kinds::erased::DynKind;
use crate::plan::{ObjectPlan, PutsBack, WrittenWrite};

/// What becomes of a write.
#[derive(Debug, PartialEq, Eq)]
pub enum Still {
    /// It takes away the run's own and nothing else.
    Own,
    /// What it would put there is there.
    Needless,
}

/// Looks at an object as the rollback's plan did.
///
/// # Errors
/// Why it is left alone: it is somebody else's by now, or nobody can say.
pub async fn is_still_own(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    (object, back): (&ObjectPlan, &PutsBack),
    write: &Value,
) -> Result<Still, String> {
    let (run, id) = (&back.run, &object.observed.id);
    let now = look_by(session, facts, kind, &run.spec, id).await?.object;
    let whole = match run.made {
        true => look_at_all(session, facts, kind, &run.spec, id).await?,
        false => now.clone(),
    };
    let takes_back = |one: &&WrittenWrite| one.back.contains(write);
    let is_there = |one: &WrittenWrite| own::are_there(&one.ids, &whole);
    if !run.writes.iter().filter(takes_back).all(is_there) {
        return Err(ANOTHER.to_owned());
    }
    let seen = Seen { before: &back.before, now: &now, whole: &whole };
    let of_run = run.writes.iter().map(|WrittenWrite { write, back, .. }| Written { write, back });
    let of_run: Vec<Written<'_>> = of_run.collect();
    match own::takes(kind, facts, write, seen, &of_run) {
        Takes::ItsOwn => Ok(Still::Own),
        Takes::Nothing => Ok(Still::Needless),
        Takes::More => Err(NOT_OWN.to_owned()),
    }
}
