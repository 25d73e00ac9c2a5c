use chrono::TimeDelta;
use evenkeel::fleet::notify::Severity;
use evenkeel::telemetry::health::Ready;
use evenkeel::telemetry::known::OpenBreaker;
use evenkeel::telemetry::objects::State;
use evenkeel::telemetry::status::{Drifted, NamedAccount, Queue};
use evenkeel::telemetry::{Files, RefusedFiles};

use super::*;

fn now() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn ago(minutes: i64) -> DateTime<Utc> {
    now() - TimeDelta::minutes(minutes)
}

/// So many accounts, the first of them for the longest time.
fn accounts(count: usize, why: Option<&str>) -> Option<Named> {
    let one = |number: usize| NamedAccount {
        account: format!("{:012}", 111_111_111_111 + number).parse().unwrap(),
        seconds: 60.0 * (1_000 - number) as f64,
        why: why.map(str::to_owned),
    };
    Some(Named::of((0..count).map(one).collect()))
}

fn held(object: &str) -> HeldObject {
    HeldObject { object: object.to_owned(), why: "w".to_owned(), released_by: "r".to_owned() }
}

/// A controller that does not hear, whose store is gone, and whose newest files were refused.
fn controller() -> Controller {
    Controller {
        version: "0.1.0".to_owned(),
        started: ago(60 * 24 * 30),
        alive: true,
        ready: Ready { working: true, store: false, guards: true, events: false, staying: true },
        files: Files {
            digest: "3f9a1c2b".to_owned(),
            commit: Some("abc".to_owned()),
            since: ago(600),
            refused: Some(RefusedFiles {
                digest: "77aa".to_owned(),
                commit: None,
                since: ago(5),
                why: "1 error\nmore of it".to_owned(),
            }),
            unreachable: None,
        },
        queue: Queue {
            waiting: 70,
            late_seconds: 300.0,
            in_hand: (0..12).map(|number| format!("account {number:012}")).collect(),
        },
        events: Some(Events {
            answer_age_seconds: Some(700.0),
            deaf: Some("NonExistentQueue".to_owned()),
            deaf_seconds: Some(600.0),
            policy_unknown: None,
            events: 1204,
            own: 12,
            unreadable: 1,
        }),
        leases: Some(LeaseCounts { held: 4, lost: 1 }),
        listen_tls: Some("certificate tls.crt has run out".to_owned()),
    }
}

fn run_line(number: i64) -> RunLine {
    RunLine {
        run: format!("run-{number}"),
        of: "target workloads".to_owned(),
        began: ago(number),
        ended: Some(ago(number) + TimeDelta::seconds(42)),
        outcome: Some("held_back".to_owned()),
        accounts: 1_000,
        applied: 7,
        empty_shard: None,
    }
}

/// A thousand accounts with something wrong everywhere.
fn troubled() -> Status {
    let drift = (0..2_000).map(|number| Drifted {
        title: format!("s3.bucket.logs of bucket {number} in eu-west-1"),
        state: if number % 2 == 0 { State::Reported } else { State::HeldBack },
        severity: if number == 0 { Severity::Critical } else { Severity::Medium },
        since: ago(number * 10),
        guard: (number % 2 == 1).then(|| "wave".to_owned()),
        released_by: (number % 2 == 1).then(|| "the waves before it".to_owned()),
        failed_since: None,
    });
    let breaker = |number: usize| OpenBreaker {
        scope: "account".to_owned(),
        name: Some(format!("{number:012}")),
        why: "5 of 6 changes failed within 15 minutes".to_owned(),
        until: None,
    };
    Status {
        format_version: "1".to_owned(),
        time: now(),
        controller: Some(controller()),
        unknown: [("store".to_owned(), "connection refused".to_owned())].into(),
        accounts: Some(Accounts {
            watched: Some(true),
            seen: 1_000,
            oldest_full_look_seconds: Some(7_500.0),
            never_in_full: 0,
            blind: accounts(40, None),
            unseen: accounts(2, Some("cannot assume the role\u{1b}[31m")),
            unseen_targets: Vec::new(),
            missed: Some([("full".to_owned(), accounts(900, None).unwrap())].into()),
            objectives_seconds: [("full".to_owned(), 3_600.0)].into(),
        }),
        drift: Some(Drift {
            in_sync: Some(78_000),
            unknown: Some(3),
            excepted: Some(1),
            ..Drift::of(drift.collect(), now())
        }),
        kill_switch: Some("the file STOP is there".to_owned()),
        guards: Some(Guards {
            breakers: (0..30).map(breaker).collect(),
            fights: vec![held("111111111111/global/iam.password_policy")],
            holds: Vec::new(),
            rollouts: Vec::new(),
        }),
        notices: Some(vec![Outbox {
            channel: "sns.ops".to_owned(),
            waiting: 3,
            failing: 2,
            oldest: Some(ago(180)),
        }]),
        runs: Some((0..5).map(run_line).collect()),
    }
}

#[test]
fn a_thousand_accounts_are_one_screen() {
    let screen = render(&troubled());
    assert!(screen.lines().count() <= 40, "{screen}");
    for part in [
        "NOT READY (store, events)",
        "REFUSED 77aa 5 min ago: 1 error",
        "70 waiting · late by 5 min",
        "and 9 more",
        "DEAF for 10 min: NonExistentQueue",
        "leases      4 accounts held · 1 LOST",
        "1000 accounts seen · oldest full look 2 h ago (objective 60 min)",
        "BLIND 40: 111111111111 for 17 h",
        "OBJECTIVE full MISSED 900",
        "2000 objects · 78000 in sync · 3 unknown · 1 excepted",
        "critical     1",
        "and 1997: evenkeel history --outcome drift",
        "KILL SWITCH ON, nothing is written: the file STOP is there",
        "BREAKER OPEN of account 000000000000",
        "and 27 more breakers",
        "FIGHT over 1 object",
        "sns.ops: 3 waiting, 2 TRIED IN VAIN, the oldest for 3 h",
        "held back    target workloads · 1000 accounts · 7 applied · 42 s",
        "as of       2026-03-01T12:00:00Z",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert!(!screen.contains('\u{1b}') && !screen.contains("more of it"), "{screen}");
}

#[test]
fn of_a_commit_that_is_refused_its_name_and_the_reason_are_said() {
    let mut controller = controller();
    let refused = controller.files.refused.as_mut().unwrap();
    (refused.commit, refused.digest) = (Some("4e5f".to_owned()), "4e".to_owned());
    refused.why = "commit 4e5f is not signed".to_owned();
    let screen = render(&Status { controller: Some(controller), ..troubled() });
    assert!(
        screen.contains("REFUSED commit 4e5f 5 min ago: commit 4e5f is not signed"),
        "{screen}"
    );
}

#[test]
fn where_nobody_watches_nobody_is_said_to_see() {
    let mut accounts = Accounts { blind: accounts(0, None), ..Accounts::default() };
    accounts.unseen.clone_from(&accounts.blind);
    let screen =
        |accounts: &Accounts| render(&Status { accounts: Some(accounts.clone()), ..troubled() });
    accounts.watched = Some(true);
    assert!(screen(&accounts).contains("none blind"));
    accounts.blind = None;
    accounts.watched = Some(false);
    let screen = screen(&accounts);
    assert!(screen.contains("not watched") && !screen.contains("none blind"), "{screen}");
}

#[test]
fn what_is_not_known_is_said_to_be_so() {
    let why = |part: &str| (part.to_owned(), format!("no {part}"));
    let parts = ["controller", "accounts", "drift", "guards", "notices", "runs"];
    let status = Status {
        controller: None,
        accounts: None,
        drift: None,
        kill_switch: None,
        guards: None,
        notices: None,
        runs: None,
        unknown: parts.map(why).into(),
        ..troubled()
    };
    let screen = render(&status);
    for part in parts {
        assert!(screen.contains(&format!("{part:<10}  unknown: no {part}")), "{screen}");
    }
}

#[test]
fn what_a_budget_a_window_or_a_missing_memory_holds_back_is_said_with_what_releases_it() {
    let guards = ["budget", "change-window", "memory"];
    let drift = guards.iter().chain(&guards[..1]).map(|guard| Drifted {
        title: "the trail".to_owned(),
        state: State::HeldBack,
        severity: Severity::Critical,
        since: ago(1),
        guard: Some((*guard).to_owned()),
        released_by: Some(format!("what releases {guard}")),
        failed_since: None,
    });
    let drift = Some(Drift::of(drift.collect(), now()));
    let status = Status { kill_switch: None, drift, ..troubled() };
    let screen = render(&Status { guards: Some(Guards::default()), ..status.clone() });
    for part in [
        "guards      2 objects held back by budget; released by: what releases budget",
        "            1 object held back by change-window; released by: what releases change-window",
        "            1 object held back by memory; released by: what releases memory",
    ] {
        assert!(screen.contains(part), "{part}:\n{screen}");
    }
    assert!(!screen.contains("nothing is held back"), "{screen}");
    // Also where nobody knows of the others.
    let screen = render(&Status { guards: None, ..status });
    assert!(screen.contains("1 object held back by memory; released by:"), "{screen}");
    let nothing = Status { drift: Some(Drift::default()), kill_switch: None, ..troubled() };
    let screen = render(&Status { guards: Some(Guards::default()), ..nothing });
    assert!(screen.contains("guards      nothing is held back beyond a run"), "{screen}");
}

#[test]
fn nobody_says_that_there_is_no_drift_where_accounts_are_not_seen() {
    let screen = |unseen: usize| {
        let accounts = Accounts { unseen: accounts(unseen, None), ..Accounts::default() };
        let drift = Drift { unknown: Some(3 * unseen), ..Drift::default() };
        render(&Status { accounts: Some(accounts), drift: Some(drift), ..troubled() })
    };
    assert!(screen(0).contains("drift       none · 0 unknown"), "{}", screen(0));
    let one = screen(1);
    assert!(
        one.contains("drift       none seen, and 1 account not to be looked at · 3 unknown"),
        "{one}"
    );
}

#[test]
fn a_shard_without_accounts_says_that_it_has_none() {
    let run = RunLine { accounts: 0, empty_shard: Some("3/8".to_owned()), ..run_line(1) };
    let status = Status {
        accounts: Some(Accounts::default()),
        drift: Some(Drift::default()),
        runs: Some(vec![run.clone()]),
        ..troubled()
    };
    let screen = render(&status);
    assert!(screen.contains("accounts    0 accounts seen · the shard 3/8 has none"), "{screen}");
    assert!(screen.contains("drift       none"), "{screen}");
    let runs = Some(vec![RunLine { empty_shard: None, ..run }]);
    let screen = render(&Status { runs, ..status });
    assert!(screen.contains("drift       unknown: nothing was looked at yet"), "{screen}");
}
