//! Who did it, where the event that tells of it came after it was put right: they are named in a notice of their own.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::matter::{Late, Matter, PATH, Seen, Subject, key_of_drift};
use super::words::called;
use super::worth::each_once;
use crate::fleet::notify::{On, Severity};
use crate::kinds::Risk;
use crate::names::AccountId;
use crate::store::history::{ByWhom, DriftRow, NamedLate, What, callers};
use crate::store::{Store, StoreError};
use crate::visible::visible;

/// An event comes so late at most.
const LATEST: TimeDelta = TimeDelta::days(1);

/// What was put right, and for which somebody is named by the run that saw this.
///
/// # Errors
/// The store cannot be asked.
pub async fn named_late(store: &Store, seen: &Seen) -> Result<Vec<Late>, StoreError> {
    let Some(run) = &seen.about.run else { return Ok(Vec::new()) };
    let accounts: BTreeSet<&AccountId> =
        seen.touched.iter().filter_map(|subject| subject.account.as_ref()).collect();
    let mut all = Vec::new();
    for account in accounts {
        for named in store.named_late(run, account, seen.time - LATEST).await? {
            let key = key_of_drift(&named.entry.object);
            if let Some(subject) = seen.touched.iter().find(|subject| subject.key == key) {
                all.extend(late(subject, named)?);
            }
        }
    }
    Ok(all)
}

/// What is told of it, unless there is nobody whom it did not name yet.
fn late(
    subject: &Subject,
    NamedLate { entry, added, past }: NamedLate,
) -> Result<Option<Late>, StoreError> {
    if !past.is_empty() {
        return Ok(some_of_it(subject, &entry.about["opened_in"], &added, &past));
    }
    let about = &entry.about;
    let by: Vec<ByWhom> = serde_json::from_value(about["by"].clone())?;
    let since = serde_json::from_value(about["first_seen"].clone())?;
    let mut before: Vec<&ByWhom> = by.iter().collect();
    for one in &added {
        if let Some(at) = before.iter().rposition(|before| before.is_alike(one)) {
            before.remove(at);
        }
    }
    let is_new = |one: &&ByWhom| !before.iter().any(|before| before.is_alike(one));
    let new = each_once(added.iter().filter(is_new));
    if new.is_empty() {
        return Ok(None);
    }
    let what = match before.is_empty() {
        true => "who may have changed it is known by now".to_owned(),
        false => format!("who may have changed it as well is known by now: {}", called(&new)),
    };
    let is_ours = about["how"] == What::Applied.word();
    let run = &entry.run;
    let (on, did) = match is_ours {
        true => (On::Applied, format!("put it right in run {run}, before AWS told of the call")),
        false => {
            (On::Drift, "did nothing: somebody put it right before AWS told of the call".to_owned())
        }
    };
    let look = match is_ours {
        true => format!("evenkeel show {run}"),
        false => {
            let account = subject.account.as_ref().map(|account| format!(" -a {account}"));
            let kind = subject.item.as_ref().map(|item| format!(" -k {}", item.kind));
            let [account, kind] = [account, kind].map(Option::unwrap_or_default);
            format!("evenkeel history{account}{kind}")
        }
    };
    // A call told of first is told of once, whatever is named later in the same run.
    let state = format!("named {}", by.len());
    let matter = Matter {
        subject: subject.clone(),
        on,
        severity: severity(subject, about, is_ours)?,
        state,
        what: vec![visible(&what).into_owned()],
        did,
        look,
    };
    Ok(Some(Late { matter, since, by: shown(by, &new) }))
}

/// The same of what was put right while the rest goes on.
fn some_of_it(
    subject: &Subject,
    opened_in: &serde_json::Value,
    added: &[ByWhom],
    past: &[DriftRow],
) -> Option<Late> {
    let since = past.iter().filter_map(|row| row.since).min()?;
    let by = callers::together(past.iter().flat_map(|row| &row.by));
    let new: Vec<&ByWhom> = added.iter().collect();
    let fields: Vec<&str> = past.iter().map(|row| row.field.as_str()).collect();
    let what = format!(
        "who may have changed {}, which is right again, is known by now: {}",
        fields.join(", "),
        called(&new)
    );
    let is_path = subject.item.as_ref().is_some_and(|item| PATH.contains(&item.kind.as_str()));
    let account = subject.account.as_ref().map(|account| format!(" -a {account}"));
    let kind = subject.item.as_ref().map(|item| format!(" -k {}", item.kind));
    let matter = Matter {
        subject: subject.clone(),
        on: On::Drift,
        severity: if is_path { Severity::Critical } else { Severity::Medium },
        state: crate::digest::of(&(opened_in, &fields, &by)),
        what: vec![visible(&what).into_owned()],
        did: "nothing more is to be done about that; the rest of it differs still".to_owned(),
        look: format!(
            "evenkeel history{}{}",
            account.unwrap_or_default(),
            kind.unwrap_or_default()
        ),
    };
    Some(Late { matter, since, by: shown(by, &new) })
}

/// Those who are named, with whoever is new among the first, who are all that a notice has room for.
fn shown(by: Vec<ByWhom>, new: &[&ByWhom]) -> Vec<ByWhom> {
    let (mut first, others): (Vec<ByWhom>, Vec<ByWhom>) =
        by.into_iter().partition(|by| new.iter().any(|new| new.is_alike(by)));
    first.extend(others);
    first
}

/// How much it matters: as much as what was told of it. What was seen and put right by one run was told as that; what
/// another run saw first was told as drift before.
fn severity(
    subject: &Subject,
    about: &serde_json::Value,
    is_ours: bool,
) -> Result<Severity, StoreError> {
    let item = subject.item.as_ref();
    let is_path = item.is_some_and(|item| PATH.contains(&item.kind.as_str()));
    let risk: Option<Risk> = serde_json::from_value(about["risk"].clone())?;
    let was_told = !is_ours || about["opened_in"] != about["resolved_in"];
    Ok(match risk {
        _ if is_path && was_told => Severity::Critical,
        _ if is_path => Severity::High,
        _ if was_told => Severity::Medium,
        Some(Risk::Disruptive | Risk::Destructive) => Severity::Medium,
        Some(Risk::Safe) | None => Severity::Low,
    })
}

#[cfg(test)]
#[path = "named_tests.rs"]
#[allow(clippy::unwrap_used)]
mod tests;
