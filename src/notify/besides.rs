//! What matters beside the runs: accounts of which nothing is heard, files that were refused, the kill
//! switch, and runs that came to no end of their own.

use std::time::Duration;

use super::matter::{Matter, Subject};
use super::worth::look_at;
use crate::digest;
use crate::fleet::notify::{On, Severity};
use crate::names::AccountId;
use crate::plan::words::{counted, without_request};
use crate::visible::{shortened, visible};

/// Characters of a line.
const LONGEST: usize = 300;
/// What refused files are called.
pub const FILES: &str = "files";
/// What the kill switch is called.
pub const KILL_SWITCH: &str = "kill-switch";

fn said(text: &str) -> String {
    shortened(&visible(&without_request(text)), LONGEST).into_owned()
}

/// A run that came to no end of its own. `key` tells it apart from the runs of others.
pub fn failed_run(what: &str, key: &str, why: &str) -> Matter {
    Matter {
        subject: Subject::named(key, format!("the run of {what}")),
        on: On::Failed,
        severity: Severity::High,
        state: "failed".to_owned(),
        what: vec![said(why)],
        did: "looks again after a pause".to_owned(),
        look: "evenkeel check".to_owned(),
    }
}

/// What the silence of an account is called.
pub fn silence_of(account: &AccountId) -> String {
    format!("events/{account}")
}

/// No event of an account comes any more.
pub fn blind(account: &AccountId, silent: Duration) -> Matter {
    let minutes = usize::try_from(silent.as_secs() / 60).unwrap_or(usize::MAX);
    let subject = Subject {
        account: Some(account.clone()),
        ..Subject::named(silence_of(account), format!("events of account {account}"))
    };
    Matter {
        on: On::Blind,
        severity: Severity::High,
        state: "blind".to_owned(),
        what: vec![format!(
            "nothing is heard of its calls for {}: somebody may have taken away its trail, rule or queue",
            counted(minutes, "minute")
        )],
        did: "looks at the whole account every few minutes until events come again".to_owned(),
        look: look_at(&subject),
        subject,
    }
}

/// Files that cannot be used.
pub fn refused_files(why: &str) -> Matter {
    let mut state = digest::of_bytes(why.as_bytes());
    state.truncate(16);
    Matter {
        subject: Subject::named(FILES, "the fleet file and its baselines"),
        on: On::Files,
        severity: Severity::High,
        state,
        what: vec![said(why)],
        did: "goes on with the last files that were good".to_owned(),
        look: "evenkeel validate".to_owned(),
    }
}

/// The kill switch is on.
pub fn kill_switch(why: &str, release: &str) -> Matter {
    Matter {
        subject: Subject::named(KILL_SWITCH, "all writes, by the kill switch"),
        on: On::HeldBack,
        severity: Severity::High,
        state: "on".to_owned(),
        what: vec![said(why)],
        did: format!("writes nothing until it is released: {}", said(release)),
        look: "evenkeel check".to_owned(),
    }
}
