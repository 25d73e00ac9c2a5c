//! What is kept outside of the process, read when somebody wants to know: what guards remember, what
//! waits in the outbox, and whether the store answers. Nobody waits for it for long.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::around::Kept;
use crate::fleet::guards::Wave;
use crate::guards::breaker::Standing;
use crate::guards::rollout::{FOLDER, Progress};
use crate::guards::{Breaker, Fight, Hold, Rollout, fight, hold};
use crate::notify::outbox;
use crate::plan::Held;
use crate::reconcile::guarded::{ACCOUNTS, ALL, OfAccount, OfAll};
use crate::store::memory::Memory;
use crate::store::{Store, StoreError};

/// How long a question may take.
const LONGEST: Duration = Duration::from_secs(3);

/// What guards hold back beyond one run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guards {
    /// The breakers that are not closed.
    pub breakers: Vec<OpenBreaker>,
    /// The objects that are fought over.
    pub fights: Vec<HeldObject>,
    /// The objects that somebody holds.
    pub holds: Vec<HeldObject>,
    /// How far the rollouts are that are not through.
    pub rollouts: Vec<Progress>,
}

/// A breaker that is not closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenBreaker {
    /// `all`, `wave` or `account`.
    pub scope: String,
    /// Which wave or account.
    pub name: Option<String>,
    /// Why, and since when.
    pub why: String,
    /// When one change is tried; none where it may be tried now.
    pub until: Option<DateTime<Utc>>,
}

/// An object that is held back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldObject {
    /// The object.
    pub object: String,
    /// Why.
    pub why: String,
    /// What releases it.
    pub released_by: String,
}

impl HeldObject {
    fn of(object: &impl ToString, held: Held) -> Self {
        Self { object: object.to_string(), why: held.reason, released_by: held.released_by }
    }
}

/// What waits for a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// The channel.
    pub channel: String,
    /// How many letters wait.
    pub waiting: usize,
    /// Of these, how many were tried in vain.
    pub failing: usize,
    /// Since when the oldest waits.
    pub oldest: Option<DateTime<Utc>>,
}

/// All of it, each part or why it is not known.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whether the store answers, and how it is called; none where none is named.
    pub store: Option<Result<String, String>>,
    /// What the guards remember.
    pub guards: Result<Guards, String>,
    /// What waits to be told.
    pub notices: Result<Vec<Outbox>, String>,
}

/// Reads all of it.
pub async fn known(kept: &Kept, now: DateTime<Utc>) -> Known {
    let store = async {
        match &kept.store {
            None => None,
            Some(Err(why)) => Some(Err(why.clone())),
            Some(Ok(store)) => Some(answers(store).await.map(|()| store.name().to_owned())),
        }
    };
    let (store, guards, notices) = tokio::join!(
        store,
        in_time(kept_guards(kept, now)),
        in_time(notices(kept.notices.as_ref(), &kept.channels)),
    );
    Known { store, guards, notices }
}

/// What guards hold back, where they can write it down as well: without that, nothing is let through.
async fn kept_guards(kept: &Kept, now: DateTime<Utc>) -> Result<Guards, StoreError> {
    kept.guards.ping().await?;
    guards(kept.guards.as_ref(), &kept.waves, now).await
}

/// Whether a store answers now.
///
/// # Errors
/// Why it does not.
pub async fn answers(store: &Store) -> Result<(), String> {
    in_time(store.ping()).await
}

/// What was read in time.
///
/// # Errors
/// It was not, or it failed.
pub async fn in_time<T>(asking: impl Future<Output = Result<T, StoreError>>) -> Result<T, String> {
    match tokio::time::timeout(LONGEST, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", LONGEST.as_secs())),
    }
}

/// What guards hold back.
///
/// # Errors
/// The memory cannot be asked.
pub async fn guards(
    memory: &dyn Memory,
    waves: &[Wave],
    now: DateTime<Utc>,
) -> Result<Guards, StoreError> {
    let mut found = Guards::default();
    if let Some(document) = memory.read(ALL).await? {
        let all: OfAll = document.typed()?;
        found.breakers.extend(open("all", None, &all.breaker, now));
        for (wave, breaker) in &all.waves {
            found.breakers.extend(open("wave", Some(wave), breaker, now));
        }
    }
    for document in memory.list(ACCOUNTS).await? {
        let of: OfAccount = document.typed()?;
        let account = document.name.strip_prefix(ACCOUNTS).unwrap_or(&document.name);
        found.breakers.extend(open("account", Some(account), &of.breaker, now));
    }
    for document in memory.list(&format!("guards/{}/", fight::FIGHTS)).await? {
        let fight: Fight = document.typed()?;
        found.fights.extend(fight.held().map(|held| HeldObject::of(&fight.object, held)));
    }
    for document in memory.list(&format!("guards/{}/", hold::HOLDS)).await? {
        let hold: Hold = document.typed()?;
        found.holds.extend(hold.held(now).map(|held| HeldObject::of(&hold.object, held)));
    }
    for document in memory.list(FOLDER).await? {
        let progress = document.typed::<Rollout>()?.progress(waves);
        found.rollouts.extend(Some(progress).filter(|one| one.version.is_some()));
    }
    Ok(found)
}

fn open(
    scope: &str,
    name: Option<&str>,
    breaker: &Breaker,
    now: DateTime<Utc>,
) -> Option<OpenBreaker> {
    let (why, until) = match breaker.standing(now) {
        Standing::Closed => return None,
        Standing::Open { why, until } => (why, Some(until)),
        Standing::HalfOpen { why, .. } => (why, None),
    };
    Some(OpenBreaker { scope: scope.to_owned(), name: name.map(str::to_owned), why, until })
}

/// What waits for each channel.
///
/// # Errors
/// The memory cannot be asked.
pub async fn notices(memory: &dyn Memory, channels: &[String]) -> Result<Vec<Outbox>, StoreError> {
    let mut all = Vec::new();
    for channel in channels {
        let waiting = outbox::waiting(memory, channel).await?;
        all.push(Outbox {
            channel: channel.clone(),
            waiting: waiting.len(),
            failing: waiting.iter().filter(|(_, letter)| letter.tries > 0).count(),
            oldest: waiting.iter().map(|(_, letter)| letter.since).min(),
        });
    }
    Ok(all)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::store::memory::{InMemory, NOT_THERE};

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    #[tokio::test]
    async fn what_holds_back_is_found_and_what_is_over_is_not() {
        let memory = InMemory::default();
        let open = |until: &str| json!({"open": {"since": "2026-03-01T11:00:00Z", "until": until, "why": "5 of 6 failed", "probe": null}, "answers": []});
        let all = json!({"breaker": open("2026-03-01T12:30:00Z"), "waves": {"canary": open("2026-03-01T11:30:00Z")}});
        memory.write("guards/all", NOT_THERE, &all).await.unwrap();
        let calm = json!({"breaker": {"open": null, "answers": []}});
        memory.write("guards/account/111122223333", NOT_THERE, &calm).await.unwrap();
        for (name, until) in [("a", "2026-03-02T00:00:00Z"), ("b", "2026-02-01T00:00:00Z")] {
            let hold = json!({
                "object": format!("111122223333/global/iam.password_policy/{name}"), "until": until,
                "since": "2026-01-01T00:00:00Z", "owner": "ops", "reason": "rolled back",
            });
            let name = format!("guards/hold/111122223333/{name}");
            memory.write(&name, NOT_THERE, &hold).await.unwrap();
        }
        let found = guards(&memory, &[], now()).await.unwrap();
        let breakers: Vec<_> = found
            .breakers
            .iter()
            .map(|one| (one.scope.as_str(), one.name.as_deref(), one.until.is_some()))
            .collect();
        assert_eq!(breakers, [("all", None, true), ("wave", Some("canary"), false)]);
        assert_eq!(found.holds.len(), 1);
        assert!(found.holds[0].why.contains("ops"), "{found:?}");
    }

    #[tokio::test]
    async fn each_part_that_cannot_be_read_says_why_and_hides_no_other() {
        let memory = InMemory::default();
        memory.write("guards/all", NOT_THERE, &json!({"breaker": 7})).await.unwrap();
        let memory: Arc<dyn Memory> = Arc::new(memory);
        let kept = Kept {
            store: Some(Err("the password is wrong".to_owned())),
            guards: Arc::clone(&memory),
            notices: memory,
            waves: Vec::new(),
            channels: vec!["sns.ops".to_owned()],
        };
        let known = known(&kept, now()).await;
        assert_eq!(known.store, Some(Err("the password is wrong".to_owned())));
        assert!(known.guards.unwrap_err().contains("guards/all"));
        let empty = Outbox { channel: "sns.ops".to_owned(), waiting: 0, failing: 0, oldest: None };
        assert_eq!(known.notices.unwrap(), [empty]);
    }
}
