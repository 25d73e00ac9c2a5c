//! The events that wait for their look. A message of a queue is deleted when what it tells is here: who is killed before
//! the look takes it up again at its next start.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::{microseconds, time};
use crate::names::{AccountId, Region};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;
use crate::store::{lease, shares};

/// So long an event waits at most.
const LONGEST: TimeDelta = TimeDelta::days(1);

/// An event that waits for a look at a kind of an account.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingEvent {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: String,
    /// The Region; none where the kind's objects exist once in an account.
    pub region: Option<Region>,
    /// What tells it apart from the others.
    pub mark: String,
    /// When it was told of.
    pub told: DateTime<Utc>,
    /// What it says.
    pub about: Value,
}

impl WaitingEvent {
    fn of(row: &Row) -> Result<Self, StoreError> {
        let strange = || StoreError::Unreadable {
            what: "event that waits".to_owned(),
            why: "its account is none".to_owned(),
        };
        Ok(Self {
            account: row.text(0)?.parse().map_err(|_| strange())?,
            kind: row.text(1)?.to_owned(),
            region: Some(row.text(2)?).filter(|region| !region.is_empty()).map(Region::new),
            mark: row.text(3)?.to_owned(),
            told: time(row.int(4)?),
            about: row.json(5)?,
        })
    }
}

/// A kind of an account that was looked at, and up to when what was told of it is answered by that.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The account.
    pub account: AccountId,
    /// The kind.
    pub kind: String,
    /// The Region, if it has any.
    pub region: Option<Region>,
    /// When the last event was told of that the look was for.
    pub told: DateTime<Utc>,
}

fn region(region: Option<&Region>) -> Arg<'_> {
    Arg::Text(region.map_or("", Region::as_str))
}

impl Store {
    /// Keeps events until they are answered; `holder` is who has them in hand, where several share the store.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_waiting(
        &self,
        events: Vec<WaitingEvent>,
        holder: &str,
    ) -> Result<(), StoreError> {
        let (events, holder) = (Arc::new(events), holder.to_owned());
        let note = move |mut tx: Tx| {
            let (events, holder) = (Arc::clone(&events), holder.clone());
            async move {
                for event in events.iter() {
                    let about = event.about.to_string();
                    let sql = "INSERT INTO waiting \
                               (account, kind, region, mark, told, about, holder) \
                               VALUES ($1, $2, $3, $4, $5, $6, $7) \
                               ON CONFLICT (account, kind, region, mark) DO UPDATE SET \
                               told = excluded.told, holder = excluded.holder";
                    let args = [
                        Arg::Text(event.account.as_str()),
                        Arg::Text(&event.kind),
                        region(event.region.as_ref()),
                        Arg::Text(&event.mark),
                        microseconds(event.told).into(),
                        Arg::Text(&about),
                        Arg::Text(&holder),
                    ];
                    tx.run(sql, &args).await?;
                }
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }

    /// The events that wait, in the order in which they were told of.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn waiting(&self, now: DateTime<Utc>) -> Result<Vec<WaitingEvent>, StoreError> {
        let since = microseconds(now - LONGEST);
        let look = move |mut tx: Tx| async move {
            let sql = "SELECT account, kind, region, mark, told, about FROM waiting \
                       WHERE told >= $1 ORDER BY told, mark";
            let rows = tx.rows(sql, &[since.into()]).await?;
            let all = rows.iter().map(WaitingEvent::of).collect::<Result<Vec<_>, _>>()?;
            Ok((tx, all))
        };
        self.db.read(look).await
    }

    /// Takes over the events of those who give no sign of life any more, in the order in which they were told of. `holder`
    /// is who does; of what it has itself, it takes nothing.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn take_over_waiting(
        &self,
        holder: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<WaitingEvent>, StoreError> {
        let (holder, since) = (holder.to_owned(), microseconds(now - LONGEST));
        let take = move |mut tx: Tx| {
            let holder = holder.clone();
            async move {
                let by_store = lease::now(&mut tx).await?;
                let sql = "UPDATE waiting SET holder = $1 \
                           WHERE holder <> $1 AND told >= $2 AND NOT EXISTS ( \
                               SELECT 1 FROM leases \
                               WHERE leases.name = $3 || waiting.holder AND leases.until > $4) \
                           RETURNING account, kind, region, mark, told, about";
                let args = [
                    Arg::Text(&holder),
                    since.into(),
                    Arg::Text(shares::PRESENT.0),
                    by_store.into(),
                ];
                let rows = tx.rows(sql, &args).await?;
                let mut all =
                    rows.iter().map(WaitingEvent::of).collect::<Result<Vec<_>, StoreError>>()?;
                all.sort_by(|one, other| (one.told, &one.mark).cmp(&(other.told, &other.mark)));
                Ok((tx, all))
            }
        };
        self.db.write(take).await
    }

    /// Forgets the events that looks have answered, and those that nothing has answered for long.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_answered(
        &self,
        looks: Vec<Answered>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let looks = Arc::new(looks);
        let old = microseconds(now - LONGEST);
        let note = move |mut tx: Tx| {
            let looks = Arc::clone(&looks);
            async move {
                for look in looks.iter() {
                    let sql = "DELETE FROM waiting WHERE account = $1 AND kind = $2 \
                               AND region = $3 AND told <= $4";
                    let args = [
                        Arg::Text(look.account.as_str()),
                        Arg::Text(&look.kind),
                        region(look.region.as_ref()),
                        microseconds(look.told).into(),
                    ];
                    tx.run(sql, &args).await?;
                }
                tx.run("DELETE FROM waiting WHERE told < $1", &[old.into()]).await?;
                Ok((tx, ()))
            }
        };
        self.db.write(note).await
    }
}
