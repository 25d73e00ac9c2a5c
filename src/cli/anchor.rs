//! Keeps the head of the audit log where the fleet file says (`[store] anchor`).

use std::path::Path;

use evenkeel::fleet::Fleet;
use evenkeel::notify::anchor::Anchored;

use super::out;

/// Keeps the head of the log that a command has written, and says when it cannot.
pub async fn end(fleet: Option<&Fleet>, log: &Path) {
    let Some(anchored) = Anchored::of(fleet) else { return };
    if let Err(why) = anchored.keep_in_time(log).await {
        out::say(&format!(
            "warning: the head of the audit log is not kept in the bucket of [store] anchor: {why}\n  \
             the next run keeps one that stands for this one too"
        ));
    }
}
