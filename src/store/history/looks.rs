//! The latest look at each account, and the targets whose accounts nobody could look at when that was last
//! tried.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::counts::{self, UNSEEN};
use super::drift::{in_account, left_by};
use super::records::{Extent, NotSeen, SeenAccount, Selected};
use super::time;
use crate::names::AccountId;
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;
use crate::store::memory::{self, Memory};

/// The documents that say which targets could not be looked at.
const OF_TARGETS: &str = "looks/target/";

/// The latest look at an account.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LookShown {
    /// The account.
    pub account: AccountId,
    /// Its name.
    pub name: Option<String>,
    /// The run.
    pub run: String,
    /// When it was last looked at, in whole or in part.
    pub time: DateTime<Utc>,
    /// When it was last looked at in whole.
    pub whole: Option<DateTime<Utc>>,
    /// What that look counted: `drifted`, `in_sync`, `unknown` …; `unseen`, where it is not to be looked at since.
    pub about: Value,
    /// How much drift goes on there now.
    #[serde(skip)]
    pub open: usize,
    /// The targets that select it and could not be looked at since.
    #[serde(skip)]
    pub lost: BTreeSet<String>,
}

impl LookShown {
    /// Since when the account cannot be looked at, and why, if it cannot.
    pub fn unseen(&self) -> Option<NotSeen> {
        serde_json::from_value(self.about[UNSEEN].clone()).ok()
    }

    /// How many objects of a sort there are: `in_sync`, `unknown`, `excepted`, by the last look in whole and by what
    /// drift began and ended since. Where the account cannot be looked at since, what was in sync is unknown.
    pub fn count(&self, sort: &str) -> usize {
        counts::count(&self.about, sort, self.open, &self.lost)
    }

    /// The targets that select it, as far as looks of theirs were noted.
    pub fn targets(&self) -> BTreeSet<String> {
        counts::targets(&self.about)
    }
}

impl Store {
    /// The latest look at each account, by account.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn looks(&self) -> Result<Vec<LookShown>, StoreError> {
        let look = move |mut tx: Tx| async move {
            let sql = "SELECT account, name, run, time, whole, about, (SELECT COUNT(*) FROM drifts d \
                       WHERE d.account = looks.account AND d.resolved IS NULL) \
                       FROM looks ORDER BY account";
            let all =
                tx.rows(sql, &[]).await?.iter().map(look_shown).collect::<Result<Vec<_>, _>>()?;
            Ok((tx, all))
        };
        let mut looks: Vec<LookShown> = self.db.read(look).await?;
        let lost = self.unseen_targets().await?;
        for look in looks.iter_mut().filter(|_| !lost.is_empty()) {
            let is_lost = |target: &String| lost.get(target).is_some_and(|lost| !lost.was_seen);
            look.lost = look.targets().into_iter().filter(is_lost).collect();
        }
        Ok(looks)
    }

    /// Notes that a run of a target came to nothing, or that it could be looked at.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_target(
        &self,
        target: &str,
        failed: Option<NotSeen>,
    ) -> Result<(), StoreError> {
        let name = format!("{OF_TARGETS}{target}");
        memory::change(self, &name, |before: Option<Option<NotSeen>>| {
            match (before.flatten(), failed.clone()) {
                (None, None) => None,
                (before, Some(failed)) => {
                    let since = before.map_or(failed.since, |before| before.since);
                    Some(Some(NotSeen { since, ..failed }))
                }
                (Some(_), None) => Some(None),
            }
        })
        .await
    }

    /// The targets whose latest run came to nothing.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn unseen_targets(&self) -> Result<BTreeMap<String, NotSeen>, StoreError> {
        let mut all = BTreeMap::new();
        for document in self.list(OF_TARGETS).await? {
            let target = document.name.strip_prefix(OF_TARGETS).unwrap_or(&document.name);
            if let Some(unseen) = document.typed::<Option<NotSeen>>()? {
                all.insert(target.to_owned(), unseen);
            }
        }
        Ok(all)
    }

    /// Notes which accounts a target selects. One that no target selects any more is forgotten, and its
    /// drift ends: nothing governs it.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn note_selected(&self, selected: Selected) -> Result<(), StoreError> {
        for target in self.unseen_targets().await?.keys() {
            if !selected.targets.contains(target) {
                self.note_target(target, None).await?;
            }
        }
        for look in self.looks().await? {
            let before = look.targets();
            let mut targets = before.clone();
            targets.retain(|target| {
                let is_left =
                    *target == selected.target && !selected.accounts.contains(&look.account);
                !is_left && selected.targets.contains(target)
            });
            if targets == before {
                continue;
            }
            let about = counts::selected_by(look.about.clone(), &targets);
            let whole = counts::whole(&about);
            let left: BTreeSet<String> = before.difference(&targets).cloned().collect();
            let nothing = SeenAccount {
                run: selected.run.clone(),
                time: selected.time,
                began: selected.time,
                account: look.account.clone(),
                name: None,
                targets: Vec::new(),
                extent: Extent::Account,
                drifted: Vec::new(),
                in_sync: Vec::new(),
                unknown: Vec::new(),
                excepted: 0,
                touched: Vec::new(),
            };
            let is_left = targets.is_empty();
            let note = move |mut tx: Tx| {
                let (nothing, about, left) = (nothing.clone(), about.to_string(), left.clone());
                async move {
                    let account = Arg::Text(nothing.account.as_str());
                    if is_left {
                        in_account(&mut tx, &nothing).await?;
                        tx.run("DELETE FROM looks WHERE account = $1", &[account]).await?;
                    } else {
                        left_by(&mut tx, &nothing, &left).await?;
                        let sql = "UPDATE looks SET about = $2, whole = COALESCE($3, whole) \
                                   WHERE account = $1";
                        tx.run(sql, &[account, Arg::Text(&about), whole.into()]).await?;
                    }
                    Ok((tx, ()))
                }
            };
            self.db.write(note).await?;
        }
        Ok(())
    }
}

fn look_shown(row: &Row) -> Result<LookShown, StoreError> {
    Ok(LookShown {
        account: row.text(0)?.parse().map_err(|_| StoreError::Unreadable {
            what: "look".to_owned(),
            why: "its account is none".to_owned(),
        })?,
        name: row.maybe_text(1)?.map(str::to_owned),
        run: row.text(2)?.to_owned(),
        time: time(row.int(3)?),
        whole: row.maybe_int(4)?.map(time),
        about: row.json(5)?,
        open: usize::try_from(row.int(6)?).unwrap_or_default(),
        lost: BTreeSet::new(),
    })
}
