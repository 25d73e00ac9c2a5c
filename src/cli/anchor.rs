//! Keeps the head of the audit log where the fleet file says (`[store] anchor`).

use std::path::Path;
use std::time::Duration;

use evenkeel::fleet::Fleet;
use evenkeel::notify::anchor::Anchored;

use super::{notices, out};

/// How long whoever ends waits for it.
const LONGEST: Duration = Duration::from_secs(20);

/// The bucket of a fleet file, if it names one.
pub fn of(fleet: Option<&Fleet>) -> Option<Anchored> {
    let fleet = fleet?;
    Some(Anchored::new(fleet.file.store.anchor.as_ref()?, notices::options(fleet)))
}

/// Keeps the head of a log, within the time that somebody can wait.
///
/// # Errors
/// Why it is not kept, in words.
pub async fn keep(anchored: &Anchored, log: &Path) -> Result<(), String> {
    let late = |_| Err(format!("no answer within {} s", LONGEST.as_secs()));
    tokio::time::timeout(LONGEST, anchored.keep(log)).await.unwrap_or_else(late)
}

/// Keeps the head of the log that a command has written, and says when it cannot.
pub async fn end(fleet: Option<&Fleet>, log: &Path) {
    let Some(anchored) = of(fleet) else { return };
    if let Err(why) = keep(&anchored, log).await {
        out::say(&format!(
            "warning: the head of the audit log is not kept in the bucket of [store] anchor: {why}\n  \
             the next run keeps one that stands for this one too"
        ));
    }
}
