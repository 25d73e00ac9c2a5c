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
/// What the anchor of the audit log is called.
pub const ANCHOR: &str = "audit-log-anchor";
/// What the queue of events is called.
pub const QUEUE: &str = "events";
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

/// The head of the audit log is not kept where the fleet file says.
pub fn not_anchored(why: &str) -> Matter {
    Matter {
        subject: Subject::named(ANCHOR, "the anchor of the audit log"),
        on: On::Failed,
        severity: Severity::High,
        state: "failed".to_owned(),
        what: vec![said(why)],
        did: "tries again; what is kept then stands for all before it".to_owned(),
        look: "evenkeel audit verify --anchored".to_owned(),
    }
}

/// What the silence of an account is called.
pub fn silence_of(account: &AccountId) -> String {
    format!("events/{account}")
}

/// No event of an account comes any more.
pub fn blind(account: &AccountId, silent: Duration) -> Matter {
    let (number, unit) = match silent.as_secs() {
        seconds @ 0..60 => (seconds, "second"),
        seconds => (seconds / 60, "minute"),
    };
    let number = usize::try_from(number).unwrap_or(usize::MAX);
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
            counted(number, unit)
        )],
        did: "looks at the whole account every few minutes until events come again".to_owned(),
        look: look_at(&subject),
        subject,
    }
}

/// No event of any account comes any more.
pub fn deaf(why: &str) -> Matter {
    Matter {
        subject: Subject::named(QUEUE, "the queue of events"),
        on: On::Blind,
        severity: Severity::High,
        state: "deaf".to_owned(),
        what: vec![said(why)],
        did: "looks at everything on the schedule alone until events come again".to_owned(),
        look: "evenkeel status".to_owned(),
    }
}

/// Files that cannot be used: of which commit, and where somebody finds them, if not here.
pub fn refused_files(why: &str, commit: Option<&str>, checkout: Option<&str>) -> Matter {
    // Another commit with the same problem is told as well: whoever made it thought to have mended it.
    let mut state = digest::of(&(commit, why));
    state.truncate(16);
    let mut lines = why.lines();
    // The first problem, and how many there are; the log has all of them.
    let problems = lines.next().into_iter().chain(lines.next_back()).map(said);
    let what = commit.map(|commit| said(&format!("commit {commit}"))).into_iter().chain(problems);
    Matter {
        subject: Subject::named(FILES, "the fleet file and its baselines"),
        on: On::Files,
        severity: Severity::High,
        state,
        what: what.collect(),
        did: "goes on with the last files that were good".to_owned(),
        // Here, the fleet file only says where they are.
        look: match checkout {
            Some(checkout) => format!("evenkeel status; evenkeel validate {}", said(checkout)),
            None => "evenkeel validate".to_owned(),
        },
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

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, Utc};

    use super::super::letter::{Notice, Status};
    use super::super::matter::{Fine, Seen};
    use super::super::worth::{Book, worth};
    use super::*;
    use crate::fleet::notify::Filter;

    fn account() -> AccountId {
        "111122223333".parse().unwrap()
    }

    fn all() -> [Matter; 5] {
        [
            failed_run("target prod", "run/prod", "no credentials"),
            blind(&account(), Duration::from_secs(1000)),
            refused_files("evenkeel.toml: 1 error", None, None),
            kill_switch("the file STOP is there", "remove STOP"),
            deaf("the policy of the queue lets nobody send"),
        ]
    }

    #[test]
    fn each_is_told_as_of_its_own_sort_and_matters_much() {
        let sorts: Vec<On> = all().iter().map(|matter| matter.on).collect();
        assert_eq!(sorts, [On::Failed, On::Blind, On::Files, On::HeldBack, On::Blind]);
        let keys: BTreeSet<String> = all().into_iter().map(|matter| matter.subject.key).collect();
        assert_eq!(keys.len(), 5, "{keys:?}");
        for matter in all() {
            assert_eq!(matter.severity, Severity::High, "{matter:?}");
            assert!(matter.look.starts_with("evenkeel "), "{matter:?}");
            assert!(!matter.what[0].is_empty() && !matter.did.is_empty(), "{matter:?}");
        }
    }

    #[test]
    fn who_is_silent_is_named_with_the_time_and_the_command_that_looks() {
        let minutes = |seconds| blind(&account(), Duration::from_secs(seconds)).what[0].clone();
        assert!(minutes(1000).contains("for 16 minutes:"), "{}", minutes(1000));
        assert!(minutes(45).contains("for 45 seconds:"), "{}", minutes(45));
        assert!(minutes(60).contains("for 1 minute:"), "{}", minutes(60));
        let matter = blind(&account(), Duration::MAX);
        assert_eq!(matter.subject.account, Some(account()));
        assert_eq!(matter.subject.key, silence_of(&account()));
        assert_eq!(matter.look, "evenkeel plan -a 111122223333");
    }

    #[test]
    fn other_problems_of_the_files_are_told_and_the_same_are_not() {
        let state = |why| refused_files(why, None, None).state;
        assert_eq!(state("line 3"), state("line 3"));
        assert_ne!(state("line 3"), state("line 4"));
        assert_eq!(state("line 3").len(), 16);
        let why = "b.toml:2: no such field\nb.toml:3: none\n2 errors";
        let here = refused_files(why, None, None);
        assert_eq!(here.what, ["b.toml:2: no such field", "2 errors"]);
        assert_eq!(here.look, "evenkeel validate");
        let there = |commit| refused_files(why, Some(commit), Some("in a checkout of x at c0ffee"));
        assert_eq!(there("c0ffee").what[..2], ["commit c0ffee", "b.toml:2: no such field"]);
        assert!(there("c0ffee").look.ends_with("validate in a checkout of x at c0ffee"));
        assert_ne!(there("c0ffee").state, there("decade").state);
    }

    #[test]
    fn the_kill_switch_says_what_releases_it() {
        let matter = kill_switch("the file STOP is there", "find out who; then remove STOP");
        assert_eq!(matter.what, ["the file STOP is there"]);
        assert!(matter.did.ends_with("find out who; then remove STOP"), "{}", matter.did);
    }

    #[test]
    fn what_others_wrote_is_one_line_that_is_not_too_long_and_has_no_request_id() {
        let why = format!("denied (request 4f2a)\nall is well\u{202e}{}", "x".repeat(1000));
        for matter in [
            failed_run("target prod", "run/prod", &why),
            refused_files(&why, Some(&why), Some(&why)),
            kill_switch(&why, &why),
        ] {
            for line in matter.what.iter().chain([&matter.did]) {
                assert!(!line.contains(['\n', '\u{202e}']), "{line}");
                assert!(!line.contains("4f2a"), "{line}");
                assert!(line.chars().count() < 400, "{line}");
            }
        }
    }

    fn tell(book: &mut Book, standing: Vec<Matter>, over: &[Matter]) -> Vec<Notice> {
        let time: DateTime<Utc> = DateTime::from_timestamp(1_700_000_000, 0).unwrap();
        let mut fine = Fine::default();
        over.iter().for_each(|matter| fine.add(&matter.subject.key));
        let seen = Seen { standing, fine, ..Seen::at(time) };
        let filter = Filter {
            on: On::ALL.into(),
            severity: Severity::Low,
            kinds: BTreeSet::new(),
            targets: BTreeSet::new(),
        };
        worth(book, &seen, None, &filter)
    }

    #[test]
    fn each_is_told_when_it_begins_once_and_when_it_is_over() {
        let mut book = Book::default();
        let of_none = || all().into_iter().filter(|matter| matter.subject.account.is_none());
        let begun = tell(&mut book, of_none().collect(), &[]);
        assert_eq!(begun.len(), 4, "{begun:?}");
        assert!(begun.iter().all(|notice| notice.status == Status::New), "{begun:?}");
        assert!(tell(&mut book, of_none().collect(), &[]).is_empty());
        let over: Vec<Matter> = of_none().collect();
        let over = tell(&mut book, Vec::new(), &over);
        assert_eq!(over.len(), 4, "{over:?}");
        assert!(over.iter().all(|notice| notice.status == Status::Resolved), "{over:?}");
        assert!(tell(&mut book, Vec::new(), &[]).is_empty());
    }
}
