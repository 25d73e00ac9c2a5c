//! Questions to the history.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;

use super::records::{DriftKey, Intent, OutcomeAbout, RunAbout, RunRecord};
use super::{changes, microseconds, runs, time};
use crate::names::{AccountId, ItemName, Region};
use crate::store::Store;
use crate::store::db::{Arg, Row, Tx};
use crate::store::error::StoreError;
use crate::store::lease;

/// What happened, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A change was made.
    Applied,
    /// A change was tried in vain.
    Failed,
    /// AWS refused a change or gave no answer, and it was there all the same.
    Found,
    /// A run died in a change, and a later one looked at it.
    Recovered,
    /// A change was begun, and nobody knows what came of it; or it is in hand.
    Unfinished,
    /// An object was first seen to be not as declared.
    Drift,
    /// An object was seen to be as declared again, or to be none any more.
    Resolved,
}

impl What {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Applied,
        Self::Failed,
        Self::Found,
        Self::Recovered,
        Self::Unfinished,
        Self::Drift,
        Self::Resolved,
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Found => "found",
            Self::Recovered => "recovered",
            Self::Unfinished => "unfinished",
            Self::Drift => "drift",
            Self::Resolved => "resolved",
        }
    }

    fn of_outcome(word: Option<&str>) -> Self {
        let Some(word) = word else { return Self::Unfinished };
        Self::ALL.into_iter().find(|what| what.word() == word).unwrap_or(Self::Unfinished)
    }

    /// The outcome of a change of a run, which knows more than the answer of AWS alone.
    fn in_run(self, change: u32, run: &RunAbout) -> Self {
        match self {
            Self::Failed if run.found.contains(&change) => Self::Found,
            outcome => outcome,
        }
    }

    fn is_of_change(self) -> bool {
        !matches!(self, Self::Drift | Self::Resolved)
    }
}

/// Which part of the history is asked for.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Of this account.
    pub account: Option<AccountId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this item.
    pub item: Option<ItemName>,
    /// From this time on.
    pub since: Option<DateTime<Utc>>,
    /// Only this.
    pub what: Option<What>,
    /// The latest ones; all when none.
    pub most: Option<u32>,
}

/// Something that happened to an object.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// When.
    pub time: DateTime<Utc>,
    /// What.
    pub what: What,
    /// The object.
    #[serde(flatten)]
    pub object: DriftKey,
    /// The run: of drift the one that found it, of its end the one that put it right or saw that it is over.
    pub run: String,
    /// The change in its plan, where it is one.
    pub change: Option<u32>,
    /// Who AWS says that we were, where we wrote.
    pub actor: Option<String>,
    /// More: of a change, what it was; of drift, what differs, who opened it and until when it was so.
    pub about: Value,
}

/// A run with its changes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunShown {
    /// The run.
    #[serde(flatten)]
    pub run: RunRecord,
    /// Its changes, each try, in order.
    pub changes: Vec<ChangeShown>,
}

/// A try of a change, what came of it, and how its object was afterwards.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeShown {
    /// What was to be written.
    #[serde(flatten)]
    pub intent: Intent,
    /// What came of it.
    pub outcome: What,
    /// When that was known.
    pub answered: Option<DateTime<Utc>>,
    /// More of it.
    pub answer: OutcomeAbout,
    /// The object after the run's changes; none where it was not observed.
    pub after: Option<Value>,
    /// Whether it was as declared then.
    pub in_sync: Option<bool>,
}

/// Conditions of a statement and what they are given.
struct Where {
    text: String,
    args: Vec<Given>,
}

#[derive(Clone)]
enum Given {
    Int(i64),
    Text(String),
}

impl Given {
    fn arg(&self) -> Arg<'_> {
        match self {
            Self::Int(number) => Arg::Int(*number),
            Self::Text(text) => Arg::Text(text),
        }
    }
}

impl Where {
    /// What a filter leaves of a table; `alias` is the table's name with a point, `when` its time.
    fn of(filter: &Filter, alias: &str, when: &str) -> Self {
        let mut all = Self { text: "1 = 1".to_owned(), args: Vec::new() };
        if let Some(account) = &filter.account {
            all.and(&format!("{alias}account = "), Given::Text(account.to_string()));
        }
        let kind = filter.item.as_ref().map(|item| &item.kind).or(filter.kind.as_ref());
        if let Some(kind) = kind {
            all.and(&format!("{alias}kind = "), Given::Text(kind.clone()));
        }
        if let Some(item) = &filter.item {
            all.and(&format!("{alias}item = "), Given::Text(item.to_string()));
        }
        if let Some(since) = filter.since {
            all.and(&format!("{when} >= "), Given::Int(microseconds(since)));
        }
        all
    }

    fn and(&mut self, condition: &str, given: Given) {
        self.args.push(given);
        self.text += &format!(" AND {condition}${}", self.args.len());
    }

    /// The statement whole, the latest first.
    fn of_latest(self, select: &str, also: &str, when: &str, most: Option<u32>) -> Statement {
        let limit = most.map_or_else(String::new, |most| format!(" LIMIT {most}"));
        let text = format!("{select} WHERE {}{also} ORDER BY {when} DESC{limit}", self.text);
        Statement { text, args: self.args }
    }
}

#[derive(Clone)]
struct Statement {
    text: String,
    args: Vec<Given>,
}

impl Statement {
    async fn rows(&self, tx: &mut Tx) -> Result<Vec<Row>, StoreError> {
        let args: Vec<Arg<'_>> = self.args.iter().map(Given::arg).collect();
        // Only names of tables and columns are put together; what somebody said is given apart.
        tx.rows(sqlx::AssertSqlSafe(self.text.clone()), &args).await
    }
}

fn of_changes(filter: &Filter) -> Statement {
    let select = format!(
        "SELECT {}, o.outcome, o.time, o.about, r.about FROM intents i LEFT JOIN outcomes o \
         ON o.run = i.run AND o.change = i.change AND o.attempt = i.attempt \
         LEFT JOIN runs r ON r.run = i.run",
        changes::COLUMNS
    );
    let mut conditions = Where::of(filter, "i.", "i.time");
    let (mut also, mut most) = ("", filter.most);
    match filter.what {
        Some(What::Unfinished) => also = " AND o.run IS NULL",
        // Which of them were there all the same, the run knows.
        Some(What::Failed | What::Found) => {
            most = None;
            conditions.and("o.outcome = ", Given::Text(What::Failed.word().to_owned()));
        }
        Some(what) => conditions.and("o.outcome = ", Given::Text(what.word().to_owned())),
        None => {}
    }
    conditions.of_latest(&select, also, "i.time", most)
}

const DRIFT: &str = "SELECT account, region, item, object, first_seen, last_seen, resolved, how, \
                     opened_in, about, resolved_in FROM drifts";

fn of_drift(filter: &Filter) -> Statement {
    Where::of(filter, "", "first_seen").of_latest(DRIFT, "", "first_seen", filter.most)
}

fn of_resolved(filter: &Filter) -> Statement {
    let conditions = Where::of(filter, "", "resolved");
    conditions.of_latest(DRIFT, " AND resolved IS NOT NULL", "resolved", filter.most)
}

fn change(row: &Row) -> Result<Entry, StoreError> {
    let intent = changes::intent(row)?;
    let run: RunAbout = match row.maybe_text(13)? {
        Some(_) => row.json(13)?,
        None => RunAbout::default(),
    };
    let what = What::of_outcome(row.maybe_text(10)?).in_run(intent.change, &run);
    let about = &intent.about;
    let mut more = serde_json::json!({
        "name": about.name, "drift": about.drift, "baseline": about.baseline, "commit": about.commit,
    });
    if row.maybe_text(12)?.is_some() {
        let answer: OutcomeAbout = row.json(12)?;
        more["error"] = serde_json::to_value(answer.error)?;
        more["observed_in"] = serde_json::to_value(answer.observed_in)?;
    }
    Ok(Entry {
        time: row.maybe_int(11)?.map_or(intent.time, time),
        what,
        object: DriftKey {
            account: intent.account,
            region: intent.region,
            item: intent.item,
            object: intent.object,
        },
        run: intent.run,
        change: Some(intent.change),
        actor: Some(intent.actor),
        about: more,
    })
}

fn drift(row: &Row, what: What) -> Result<Entry, StoreError> {
    let strange = |what: &str| StoreError::Unreadable {
        what: "drift".to_owned(),
        why: format!("its {what} is none"),
    };
    let first_seen = time(row.int(4)?);
    let resolved = row.maybe_int(6)?.map(time);
    let mut about: Value = row.json(9)?;
    about["first_seen"] = serde_json::to_value(first_seen)?;
    about["last_seen"] = serde_json::to_value(time(row.int(5)?))?;
    about["resolved"] = serde_json::to_value(resolved)?;
    about["how"] = serde_json::to_value(row.maybe_text(7)?)?;
    let opened_in = row.text(8)?;
    about["opened_in"] = serde_json::to_value(opened_in)?;
    // What ended before it was noted in which run has none.
    let resolved_in = row.maybe_text(10)?;
    about["resolved_in"] = serde_json::to_value(resolved_in)?;
    let run = if what == What::Resolved { resolved_in.unwrap_or(opened_in) } else { opened_in };
    Ok(Entry {
        time: if what == What::Drift { first_seen } else { resolved.unwrap_or(first_seen) },
        what,
        object: DriftKey {
            account: row.text(0)?.parse().map_err(|_| strange("account"))?,
            region: Region::new(row.text(1)?),
            item: row.text(2)?.parse().map_err(|_| strange("item"))?,
            object: row.text(3)?.to_owned(),
        },
        run: run.to_owned(),
        change: None,
        actor: None,
        about,
    })
}

impl Store {
    /// What happened to objects, the latest first.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn entries(&self, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        let filter = filter.clone();
        let most = filter.most;
        let look = move |mut tx: Tx| {
            let filter = filter.clone();
            async move {
                let mut all = Vec::new();
                if filter.what.is_none_or(What::is_of_change) {
                    let rows = of_changes(&filter).rows(&mut tx).await?;
                    let changes = rows.iter().map(change).collect::<Result<Vec<_>, _>>()?;
                    let is_asked =
                        |entry: &Entry| filter.what.is_none_or(|asked| asked == entry.what);
                    all.extend(changes.into_iter().filter(is_asked));
                }
                for (what, statement) in
                    [(What::Drift, of_drift(&filter)), (What::Resolved, of_resolved(&filter))]
                {
                    if filter.what.is_none_or(|asked| asked == what) {
                        for row in statement.rows(&mut tx).await? {
                            all.push(drift(&row, what)?);
                        }
                    }
                }
                Ok((tx, all))
            }
        };
        let mut all: Vec<Entry> = self.db.read(look).await?;
        all.sort_by(|one, other| {
            (other.time, other.what, &other.object).cmp(&(one.time, one.what, &one.object))
        });
        all.truncate(most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX)));
        Ok(all)
    }

    /// Drift that has not ended, the oldest first.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn open_drift(&self) -> Result<Vec<Entry>, StoreError> {
        let look = move |mut tx: Tx| async move {
            let sql = format!("{DRIFT} WHERE resolved IS NULL ORDER BY first_seen");
            let rows = tx.rows(sqlx::AssertSqlSafe(sql), &[]).await?;
            let all = rows.iter().map(|row| drift(row, What::Drift));
            let all = all.collect::<Result<Vec<_>, _>>()?;
            Ok((tx, all))
        };
        self.db.read(look).await
    }

    /// The drift of an account that has not ended.
    pub(super) async fn open_drift_of(
        &self,
        account: &AccountId,
    ) -> Result<Vec<Entry>, StoreError> {
        let account = account.clone();
        let look = move |mut tx: Tx| {
            let account = account.clone();
            async move {
                let sql = format!("{DRIFT} WHERE account = $1 AND resolved IS NULL");
                let args = [Arg::Text(account.as_str())];
                let rows = tx.rows(sqlx::AssertSqlSafe(sql), &args).await?;
                let all = rows.iter().map(|row| drift(row, What::Drift));
                let all = all.collect::<Result<Vec<_>, _>>()?;
                Ok((tx, all))
            }
        };
        self.db.read(look).await
    }

    /// Runs, the latest first.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn runs(
        &self,
        since: Option<DateTime<Utc>>,
        most: Option<u32>,
    ) -> Result<Vec<RunRecord>, StoreError> {
        let filter = Filter { since, ..Filter::default() };
        let select = format!("SELECT {} FROM runs", runs::COLUMNS);
        let statement = Where::of(&filter, "", "began").of_latest(&select, "", "began", most);
        let look = move |mut tx: Tx| {
            let statement = statement.clone();
            async move {
                let rows = statement.rows(&mut tx).await?;
                let now = lease::now(&mut tx).await?;
                let all = rows.iter().map(|row| runs::record(row, now));
                let all = all.collect::<Result<Vec<_>, _>>()?;
                Ok((tx, all))
            }
        };
        self.db.read(look).await
    }

    /// The runs whose ids begin or end so, each with its changes; more than one where that is not enough.
    ///
    /// # Errors
    /// The store cannot be asked.
    pub async fn runs_called(&self, part: &str) -> Result<Vec<RunShown>, StoreError> {
        let part = part.to_owned();
        let look = move |mut tx: Tx| {
            let part = part.clone();
            async move {
                let sql = format!(
                    "SELECT {} FROM runs WHERE run >= $1 AND run < $2 ORDER BY run LIMIT 10",
                    runs::COLUMNS
                );
                let end = format!("{part}{}", char::MAX);
                let args = [Arg::Text(&part), Arg::Text(&end)];
                let rows = tx.rows(sqlx::AssertSqlSafe(sql), &args).await?;
                let now = lease::now(&mut tx).await?;
                let mut all = Vec::new();
                for row in rows {
                    let run = runs::record(&row, now)?;
                    let mut changes = changes_of(&mut tx, &run.run).await?;
                    for change in &mut changes {
                        change.outcome = change.outcome.in_run(change.intent.change, &run.about);
                    }
                    all.push(RunShown { run, changes });
                }
                Ok((tx, all))
            }
        };
        self.db.read(look).await
    }
}

async fn changes_of(tx: &mut Tx, run: &str) -> Result<Vec<ChangeShown>, StoreError> {
    let sql = format!(
        "{} WHERE i.run = $1 ORDER BY i.time, i.change, i.attempt",
        shown_from("intents i")
    );
    let rows = tx.rows(sqlx::AssertSqlSafe(sql), &[Arg::Text(run)]).await?;
    rows.iter().map(change_shown).collect()
}

/// What is selected of changes, [`change_shown`] reads it; `intents` is a table, or a join, that calls them `i`.
pub(super) fn shown_from(intents: &str) -> String {
    format!(
        "SELECT {}, o.outcome, o.time, o.about, v.after, v.in_sync FROM {intents} \
         LEFT JOIN outcomes o ON o.run = i.run AND o.change = i.change AND o.attempt = i.attempt \
         LEFT JOIN verified v ON v.run = i.run AND v.account = i.account \
         AND v.region = i.region AND v.item = i.item AND v.object = i.object",
        changes::COLUMNS
    )
}

pub(super) fn change_shown(row: &Row) -> Result<ChangeShown, StoreError> {
    let answer: OutcomeAbout = match row.maybe_text(12)? {
        Some(_) => row.json(12)?,
        None => OutcomeAbout::default(),
    };
    // Of a run that died, a later one says how it left the object.
    let after: Option<Value> = row.maybe_text(13)?.map(|_| row.json(13)).transpose()?;
    let in_sync = row.maybe_int(14)?.map(|in_sync| in_sync == 1);
    Ok(ChangeShown {
        intent: changes::intent(row)?,
        outcome: What::of_outcome(row.maybe_text(10)?),
        answered: row.maybe_int(11)?.map(time),
        after: after.or_else(|| answer.after.clone()),
        in_sync: in_sync.or(answer.in_sync),
        answer,
    })
}
