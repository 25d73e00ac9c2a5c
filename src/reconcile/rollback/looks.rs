//! The looks at an object that a rollback goes by.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

use serde_json::Value;

use crate::aws::Session;
use crate::kinds::erased::DynKind;
use crate::kinds::{Facts, Object, Status};
use crate::reconcile::again::{self, Now};
use crate::reconcile::wide;

/// What is said of an object that has gone.
pub const GONE: &str = "it is not there any more";

/// An object as it is.
pub struct Both {
    /// By how it was.
    pub now: Now,
    /// By what the run declared.
    pub by_run: Now,
    /// What was declared, with the run's fields as they were; `None` where nobody can say that.
    pub wanted: Option<Value>,
    /// By what it is looked at from here on.
    pub spec: Value,
}

/// Looks at an object by how it was, and by what the run declared.
///
/// # Errors
/// It is not there, or nobody can say how it is.
pub async fn look_at_both(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    (declared_then, id): (&Value, &str),
    fields: &BTreeSet<&str>,
    before: &Object<Value>,
) -> Result<Both, String> {
    // What is looked at goes by what is declared, as the key that a name stands for: from here on that is
    // how it was. What moves between the two looks is seen by the second one.
    // Where that says nothing of a field, nobody would look at what the run did to it.
    let says_all = |spec: &Value| fields.iter().all(|field| again::said(spec, field).is_some());
    let wanted = again::as_it_was(kind, facts, declared_then, fields, before).filter(says_all);
    let spec = wanted.clone().unwrap_or_else(|| declared_then.clone());
    let now = look_by(session, facts, kind, &spec, id).await?;
    let by_run = look_by(session, facts, kind, declared_then, id).await?;
    // What is looked for by the names that are declared is not seen by a declaration without them.
    let said = |now: &Now| kind.as_it_was(facts, &now.object).ok().flatten();
    let sees_as_much = match (said(&now), said(&by_run)) {
        (Some(one), Some(other)) => {
            fields.iter().all(|field| again::said(&one, field) == again::said(&other, field))
        }
        _ => true,
    };
    match sees_as_much {
        true => Ok(Both { now, by_run, wanted, spec }),
        false => {
            let now = look_by(session, facts, kind, declared_then, id).await?;
            Ok(Both { now, by_run, wanted, spec: declared_then.clone() })
        }
    }
}

/// Looks at an object by a declaration.
///
/// # Errors
/// It is not there, or nobody can say how it is.
pub async fn look_by(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    spec: &Value,
    id: &str,
) -> Result<Now, String> {
    let cx = again::fresh(session, facts.clone());
    match again::look(&cx, kind, spec, id).await {
        Ok(Some(now)) => Ok(now),
        Ok(None) => Err(GONE.to_owned()),
        Err(unknown) => Err(format!("it cannot be observed: {}", unknown.reason)),
    }
}

/// All of how an object was, and the object as a look by that sees it: what a key's owner says is read by its name.
/// `None` where nobody can say either.
pub async fn look_by_before(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    before: &Object<Value>,
) -> Option<(Value, Object<Value>)> {
    let was = kind.as_it_was(facts, before).ok().flatten()?;
    let seen = look_by(session, facts, kind, &was, &before.id).await.ok()?;
    Some((was, seen.object))
}

/// All of what the run made: it goes with whatever somebody has set on it since, declared or not.
///
/// # Errors
/// Nobody can say all of it.
pub async fn look_at_all(
    session: &Arc<Session>,
    facts: &Facts,
    kind: &dyn DynKind,
    declared: &Value,
    id: &str,
) -> Result<Object<Value>, String> {
    let unknown = |why: &dyn Display| {
        format!(
            "the run made it, and whether somebody has set anything on it since is not known: {why}"
        )
    };
    let spec = wide::widened(kind, session, declared)
        .ok_or_else(|| unknown(&"nobody can say what all can be declared of it"))?;
    let cx = again::fresh(session, facts.clone());
    let seen = kind.observe_one(&cx, &spec, id).await.map_err(|error| unknown(&error))?;
    let object = seen.ok_or(GONE)?;
    match &object.status {
        Status::Unknown(why) => Err(unknown(&why.reason)),
        Status::Present(_) | Status::Absent | Status::Skipped { .. } => Ok(object),
    }
}
