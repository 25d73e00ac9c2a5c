//! What the store costs: a history of many accounts over many days in SQLite, its size, and how long the
//! questions of `history` and `status` take. Each question is asked several times; the median and the longest
//! are printed.
//!
//! Usage: `history_figures FILE [ACCOUNTS [DAYS]]`; the file is made anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use std::future::Future;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use evenkeel::names::{AccountId, Region};
use evenkeel::store::Store;
use evenkeel::store::history::{
    DriftKey, DriftSeen, Ending, Extent, Filter, Intent, IntentAbout, Outcome, OutcomeAbout,
    OutcomeWord, RowSeen, RunAbout, RunRecord, SeenAccount, Verified, What,
};
use serde_json::json;

/// Of so many accounts, one drifts anew each day and is repaired.
const DRIFTS_ONE_IN: usize = 3;
/// Looks at the whole fleet each day.
const LOOKS_A_DAY: usize = 24;
const TIMES: usize = 21;
const KINDS: [&str; 5] = [
    "iam.password_policy",
    "s3.bucket.logs",
    "kms.key.audit",
    "cloudtrail.trail.main",
    "ec2.ebs_encryption",
];

fn account(number: usize) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn key(number: usize, day: usize) -> DriftKey {
    DriftKey {
        account: account(number),
        region: Region::new("eu-west-1"),
        item: KINDS[(number + day) % KINDS.len()].parse().unwrap(),
        object: "example".to_owned(),
    }
}

fn run(id: &str, began: DateTime<Utc>, accounts: usize) -> RunRecord {
    RunRecord {
        run: id.to_owned(),
        command: "run".to_owned(),
        began,
        ended: Some(began + TimeDelta::minutes(2)),
        outcome: Some(Ending::InSync),
        about: RunAbout {
            baseline: "foundation@3f9a1c".to_owned(),
            accounts,
            summary: json!({"to_change": 0, "reported": 0, "in_sync": 40 * accounts, "unknown": 0}),
            ..RunAbout::default()
        },
    }
}

/// A change of a size as changes of a password policy or a bucket have.
fn intent(run: &str, number: usize, day: usize, change: u32, time: DateTime<Utc>) -> Intent {
    let key = key(number, day);
    let record = json!({
        "minimum_password_length": 9, "require_symbols": true, "require_numbers": true,
        "require_uppercase_characters": true, "require_lowercase_characters": true,
        "allow_users_to_change_password": true, "max_password_age": 90,
        "password_reuse_prevention": 24, "hard_expiry": false,
    });
    Intent {
        run: run.to_owned(),
        change,
        time,
        account: key.account,
        region: key.region,
        item: key.item,
        object: key.object,
        actor: "arn:aws:sts::111122223333:assumed-role/evenkeel/evenkeel-run".to_owned(),
        token: None,
        about: IntentAbout {
            name: "minimum_password_length (iam:UpdateAccountPasswordPolicy)".to_owned(),
            action: json!({ "put": record }),
            before: json!({"id": "", "status": "present", "state": record}),
            spec: record.clone(),
            drift: json!([{"field": "minimum_password_length", "actual": 9, "desired": 14}]),
            undo: json!({"by": [{ "put": record }]}),
            ..IntentAbout::default()
        },
    }
}

async fn fill(store: &Store, accounts: usize, days: usize) {
    let start = Utc::now() - TimeDelta::days(i64::try_from(days).unwrap());
    for day in 0..days {
        let morning = start + TimeDelta::days(i64::try_from(day).unwrap());
        for look in 0..LOOKS_A_DAY {
            let time = morning + TimeDelta::hours(i64::try_from(look).unwrap());
            store.note_run(&run(&format!("look {day} {look}"), time, accounts)).await.unwrap();
        }
        let drifting: Vec<usize> =
            (0..accounts).filter(|number| (number + day) % DRIFTS_ONE_IN == 0).collect();
        let seen = |number: usize, drifts: bool| SeenAccount {
            run: format!("look {day} 0"),
            time: morning,
            began: morning,
            account: account(number),
            name: Some(format!("account {number}")),
            targets: Default::default(),
            extent: Extent::Part,
            drifted: drifts
                .then(|| DriftSeen {
                    key: key(number, day),
                    about: json!({"mode": "enforce"}),
                    rows: vec![RowSeen {
                        field: "minimum_password_length".to_owned(),
                        actual: json!(9),
                        desired: json!(14),
                        ..RowSeen::default()
                    }],
                })
                .into_iter()
                .collect(),
            in_sync: Vec::new(),
            unknown: Vec::new(),
            excepted: 0,
            touched: Vec::new(),
        };
        let all: Vec<SeenAccount> =
            (0..accounts).map(|number| seen(number, drifting.contains(&number))).collect();
        for some in all.chunks(50) {
            store.note_seen(some.to_vec()).await.unwrap();
        }
        let repair = format!("repair {day}");
        store.note_run(&run(&repair, morning, accounts)).await.unwrap();
        // What drifted on the last day is still open.
        if day + 1 == days {
            continue;
        }
        for (change, number) in (1..).zip(drifting) {
            store.begin_change(&intent(&repair, number, day, change, morning)).await.unwrap();
            let outcome = Outcome {
                run: repair.clone(),
                change,
                time: morning,
                outcome: OutcomeWord::Applied,
                actor: "arn".to_owned(),
                about: OutcomeAbout::default(),
            };
            store.end_change(&outcome).await.unwrap();
            let verified = Verified {
                run: repair.clone(),
                object: key(number, day),
                time: morning,
                after: json!({"id": "", "status": "absent"}),
                in_sync: true,
            };
            store.note_verified(&verified).await.unwrap();
        }
    }
}

async fn timed<T>(what: &str, mut ask: impl AsyncFnMut() -> T, count: impl Fn(&T) -> usize) {
    let mut all: Vec<Duration> = Vec::new();
    let mut found = 0;
    for _ in 0..TIMES {
        let began = Instant::now();
        let answer = ask().await;
        all.push(began.elapsed());
        found = count(&answer);
    }
    all.sort_unstable();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    println!(
        "| {what} | {found} | {:.1} | {:.1} |",
        milliseconds(all[TIMES / 2]),
        milliseconds(all[TIMES - 1])
    );
}

fn block_on<T>(what: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(what)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, usual: usize| {
        arguments.get(place).map_or(usual, |text| text.parse().expect("a number"))
    };
    let (accounts, days) = (number(1, 1_000), number(2, 90));
    let file = arguments.first().expect("a file for the database").clone();
    for end in ["", "-wal", "-shm"] {
        std::fs::remove_file(format!("{file}{end}")).ok();
    }
    block_on(figures(&file, accounts, days));
}

async fn figures(file: &str, accounts: usize, days: usize) {
    let store = Store::open(&format!("sqlite://{file}"), Path::new(".")).await.unwrap();
    let began = Instant::now();
    fill(&store, accounts, days).await;
    let size = std::fs::metadata(file).unwrap().len();
    println!(
        "{accounts} accounts, {days} days: filled in {:.0} s, {} MiB",
        began.elapsed().as_secs_f64(),
        size / 1024 / 1024
    );
    println!("| question | answers | median ms | longest ms |");
    println!("| --- | ---: | ---: | ---: |");
    let latest = Filter { most: Some(100), ..Filter::default() };
    let of_account = Filter { account: Some(account(7)), ..latest.clone() };
    let of_kind = Filter { kind: Some("kms.key".to_owned()), ..latest.clone() };
    let failed = Filter { what: Some(What::Failed), ..latest.clone() };
    let week = Filter { since: Some(Utc::now() - TimeDelta::days(7)), ..latest.clone() };
    let all = [
        ("`history`", &latest),
        ("`history -a ACCOUNT`", &of_account),
        ("`history -k KIND`", &of_kind),
        ("`history --outcome failed` (there is none)", &failed),
        ("`history --since 7d`", &week),
    ];
    for (what, filter) in all {
        timed(what, async || store.entries(filter).await.unwrap(), Vec::len).await;
    }
    timed("`history --runs`", async || store.runs(None, Some(100)).await.unwrap(), Vec::len).await;
    timed(
        "`show RUN`",
        async || store.runs_called("repair 1").await.unwrap(),
        |runs| runs[0].changes.len(),
    )
    .await;
    timed("`status`: open drift", async || store.open_drift().await.unwrap(), Vec::len).await;
    timed("`status`: latest looks", async || store.looks().await.unwrap(), Vec::len).await;
    timed("what a killed run left", async || store.unfinished(None).await.unwrap(), Vec::len).await;
}
