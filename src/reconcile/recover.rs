//! Looks after the writes during which an earlier run died, or to which it got no answer: whether AWS made
//! them is seen on their objects alone. The caller holds the log's lock, so that no run whose intents are open in it is
//! alive.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::again::{self, Now};
use super::audited::Audited;
use super::event::{ListenError, Listener, Recovered, RunEvent, Stream};
use super::guarded::Guarded;
use super::locks::AccountLocks;
use crate::aws::Session;
use crate::guards::ObjectKey;
use crate::kinds::{Scope, registry};
use crate::names::AccountId;
use crate::plan::Plan;
use crate::store::audit::{Phase, Record, Writer};
use crate::visible::visible;

/// `iam.role audit of 111122223333`, for people to read.
pub fn title(record: &Record) -> String {
    let Record { item, object, region, account, .. } = record;
    let mut title = item.to_string();
    if !object.is_empty() {
        title = format!("{title} {object}");
    }
    if registry::find(&item.kind).is_some_and(|kind| kind.scope() == Scope::Regional) {
        title = format!("{title} in {region}");
    }
    visible(&format!("{title} of {account}")).into_owned()
}

/// Observes the object of each open intent, and of each that got no answer, and closes those of which
/// something is known. The others stay open, and every later run comes back to them.
///
/// # Errors
/// The audit log cannot be written, or somebody who listens cannot go on.
pub async fn recover(
    audit: &Writer,
    locks: &AccountLocks,
    sessions: &BTreeMap<AccountId, Arc<Session>>,
    plan: &Plan,
    guarded: Option<&Guarded>,
    listener: &dyn Listener,
) -> Result<(), ListenError> {
    let audited = Audited::new(audit.log(), plan);
    let stream = Stream::new(&plan.run, vec![&audited, listener]);
    for intent in audit.unfinished() {
        let session = sessions.get(&intent.account);
        let held = match session {
            Some(_) => Some(locks.hold(&intent.account).await),
            None => None,
        };
        // Another run may have looked after it while this one waited.
        let is_it = |one: &Record| one.run == intent.run && one.change == intent.change;
        if !audit.unfinished().iter().any(is_it) {
            if let Some(held) = held {
                held.give_back().await;
            }
            continue;
        }
        let now = look(&intent, session, plan).await;
        let found = match &now {
            Err(why) => Err(why.as_str()),
            Ok(now) => Ok(Recovered {
                after: now.as_ref().map(|now| &now.object),
                in_sync: now.as_ref().is_some_and(Now::is_as_declared),
            }),
        };
        let by = session.map(|session| session.caller_arn()).unwrap_or_default();
        stream.tell(RunEvent::Recovered { intent: &intent, found, by })?;
        if let (Some(guarded), Ok(Recovered { in_sync: true, .. })) = (guarded, found) {
            heard(guarded, &intent).await;
        }
        if let Some(held) = held {
            held.give_back().await;
        }
    }
    see_since(audit, locks, sessions, plan, &stream).await
}

/// Observes the objects of writes that got no answer and that nobody has seen since.
async fn see_since(
    audit: &Writer,
    locks: &AccountLocks,
    sessions: &BTreeMap<AccountId, Arc<Session>>,
    plan: &Plan,
    stream: &Stream<'_>,
) -> Result<(), ListenError> {
    for intent in audit.unanswered() {
        // Who does not look at the account leaves it to a run that does.
        let Some(session) = sessions.get(&intent.account) else { continue };
        let held = locks.hold(&intent.account).await;
        // Another run may have seen it while this one waited.
        let seen = match audit.unanswered().contains(&intent) {
            true => look(&intent, Some(session), plan).await.ok(),
            false => None,
        };
        if let Some(now) = seen {
            let now = Recovered {
                after: now.as_ref().map(|now| &now.object),
                in_sync: now.as_ref().is_some_and(Now::is_as_declared),
            };
            let by = session.caller_arn();
            stream.tell(RunEvent::SeenSince { intent: &intent, now, by })?;
        }
        held.give_back().await;
    }
    Ok(())
}

/// Tells the guards that what an earlier run was about to write is there.
async fn heard(guarded: &Guarded, intent: &Record) {
    let scope = registry::find(&intent.item.kind).map(|kind| kind.scope());
    let region = (scope != Some(Scope::Global)).then_some(&intent.region);
    let key = ObjectKey::at(&intent.account, region, &intent.item, &intent.object);
    if let Err(error) = guarded.seen_again(&key).await {
        tracing::warn!(
            "the guards cannot remember that {} is as declared: {error}; {}",
            title(intent),
            error.remedy()
        );
    }
}

/// The object of an intent now, or why it cannot be said.
async fn look(
    intent: &Record,
    session: Option<&Arc<Session>>,
    plan: &Plan,
) -> Result<Option<Now>, String> {
    let Record { account, item, region, .. } = intent;
    let session = session.ok_or_else(|| format!("this run does not look at account {account}"))?;
    let kind = registry::find(&item.kind)
        .ok_or_else(|| format!("this version does not know the kind {}", item.kind))?;
    let recorded = match &intent.phase {
        Phase::Intent { spec, .. } if !spec.is_null() => Some(spec),
        _ => None,
    };
    let declared = || {
        let mut objects = plan.objects.iter();
        let same = objects.find(|object| {
            object.account == *account && object.region == *region && object.item == *item
        });
        same.map(|object| &object.spec).filter(|spec: &&Value| !spec.is_null())
    };
    let spec = recorded
        .or_else(declared)
        .ok_or_else(|| format!("neither the log nor a baseline says what is declared of {item}"))?;
    let cx = again::fresh(session, again::facts(session, region, item));
    again::look(&cx, kind, spec, &intent.object).await.map_err(|unknown| unknown.reason)
}
