//! What stays needs what it was given: a trail that no rollback takes away would be shut out of its bucket, and blind.

use serde_json::Value;

use crate::kinds::{Risk, registry};
use crate::plan::{Disposition, ObjectPlan};
use crate::reconcile::named::own_ids;

/// An object of a run that is not put back.
pub struct Stays {
    /// Its kind.
    pub kind: String,
    /// The object, in words.
    pub title: String,
    /// As the run left it.
    pub state: Value,
}

/// Only reports the ways back of objects that others of the run need, which stay as the run left them.
pub fn keep_what_is_needed(planned: &mut [&mut ObjectPlan], mut stay: Vec<Stays>) {
    loop {
        let reported = planned.iter().filter(|object| !object.is_changed());
        stay.extend(reported.map(|object| Stays {
            kind: object.item.kind.clone(),
            title: object.title(),
            state: object.observed.state().cloned().unwrap_or_default(),
        }));
        let mut is_over = true;
        for object in planned.iter_mut().filter(|object| object.is_changed()) {
            let takes =
                |object: &ObjectPlan| object.changes.iter().any(|change| change.risk > Risk::Safe);
            let Some(who) = stay.iter().find(|stays| takes(object) && stays.needs(object)) else {
                continue;
            };
            is_over = false;
            let reason = format!("{} stays as the run left it, and needs this", who.title);
            for change in &mut object.changes {
                change.disposition = Disposition::Report { reason: reason.clone() };
            }
        }
        if is_over {
            return;
        }
    }
}

impl Stays {
    fn needs(&self, object: &ObjectPlan) -> bool {
        // A bucket may be where another one keeps its log.
        let is_after = self.kind == object.item.kind
            || registry::find(&self.kind)
                .is_some_and(|kind| kind.after().contains(&object.item.kind.as_str()));
        let mut called = own_ids(object);
        called.push(object.observed.id.clone());
        is_after && names(&self.state, &called)
    }
}

/// Whether a state names one of these, as such, in an ARN or in a policy, which is the text of a document.
fn names(state: &Value, called: &[String]) -> bool {
    match state {
        Value::String(text) => {
            let document = || serde_json::from_str::<Value>(text).ok();
            called.iter().any(|name| is_named(text, name))
                || text.starts_with('{') && document().is_some_and(|says| names(&says, called))
        }
        Value::Array(all) => all.iter().any(|one| names(one, called)),
        Value::Object(all) => all.values().any(|one| names(one, called)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_named(text: &str, name: &str) -> bool {
    if text == name {
        return true;
    }
    let Some(arn) = text.strip_prefix("arn:") else { return false };
    // Of a path or a folder, too: a role's, a bucket's, a log group's.
    let ends = |at: usize| arn[at..].chars().next().is_none_or(|next| ":/".contains(next));
    let begins = |at: usize| arn[..at].chars().next_back().is_some_and(|last| ":/".contains(last));
    arn.match_indices(name).any(|(at, _)| begins(at) && ends(at + name.len()))
}
