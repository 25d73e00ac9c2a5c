//! What every history does; asked of each database.

mod accounts;
mod late;
mod waiting;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::*;
use crate::names::{AccountId, ItemName, Region};
use crate::store::db::Tx;
use crate::store::{Store, StoreError};

/// Asks a store that is empty.
pub async fn holds(store: &Store) {
    impossible_histories_are_refused(store).await;
    no_table_takes_a_try_without_the_one_before(store).await;
    a_failed_change_is_tried_again(store).await;
    drift_begins_goes_on_and_ends(store).await;
    what_is_unknown_ends_nothing(store).await;
    an_account_that_cannot_be_looked_at_is_named_until_it_is_seen(store).await;
    our_own_write_ends_drift(store).await;
    what_came_after_a_run_is_of_other_runs_and_the_same_objects(store).await;
    filters_leave_what_was_asked_for(store).await;
    what_is_old_is_forgotten_unless_it_is_open(store).await;
    what_keeps_drift_from_being_put_right_stays_with_it(store).await;
    a_run_that_was_killed_ends_when_it_was_heard_of_last(store).await;
    a_run_without_a_sign_of_life_was_killed(store).await;
    accounts::holds(store).await;
    late::holds(store).await;
    waiting::holds(store).await;
}

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_790_000_000, 0).unwrap() + TimeDelta::minutes(minute)
}

fn account(last: u8) -> AccountId {
    format!("{last:012}").parse().unwrap()
}

fn item(name: &str) -> ItemName {
    name.parse().unwrap()
}

pub fn run(id: &str, minute: i64) -> RunRecord {
    RunRecord {
        run: id.to_owned(),
        command: "apply".to_owned(),
        began: at(minute),
        ended: None,
        outcome: None,
        about: RunAbout::default(),
    }
}

pub fn intent(run: &str, change: u32, last: u8, minute: i64) -> Intent {
    Intent {
        run: run.to_owned(),
        change,
        time: at(minute),
        account: account(last),
        region: Region::new("eu-west-1"),
        item: item("iam.password_policy"),
        object: String::new(),
        actor: "arn:aws:sts::000000000001:assumed-role/evenkeel/x".to_owned(),
        token: None,
        about: IntentAbout { action: json!({"put": 1}), ..IntentAbout::default() },
    }
}

pub fn outcome(run: &str, change: u32, word: OutcomeWord, minute: i64) -> Outcome {
    Outcome {
        run: run.to_owned(),
        change,
        time: at(minute),
        outcome: word,
        actor: "arn".to_owned(),
        about: OutcomeAbout::default(),
    }
}

fn is_impossible(done: Result<(), StoreError>) -> bool {
    matches!(done, Err(StoreError::Impossible { .. }))
}

async fn impossible_histories_are_refused(store: &Store) {
    // A change of a run that nobody knows.
    assert!(is_impossible(store.begin_change(&intent("i", 1, 1, 0)).await));
    store.note_run(&run("i", 0)).await.unwrap();
    // An outcome of what was never begun.
    assert!(is_impossible(store.end_change(&outcome("i", 1, OutcomeWord::Applied, 1)).await));
    store.begin_change(&intent("i", 1, 1, 0)).await.unwrap();
    // Begun twice.
    assert!(is_impossible(store.begin_change(&intent("i", 1, 1, 1)).await));
    assert_eq!(store.unfinished(None).await.unwrap(), [intent("i", 1, 1, 0)]);
    assert_eq!(store.unfinished(Some(&account(2))).await.unwrap(), []);
    store.end_change(&outcome("i", 1, OutcomeWord::Applied, 1)).await.unwrap();
    // Two outcomes, and begun again after it was done.
    assert!(is_impossible(store.end_change(&outcome("i", 1, OutcomeWord::Failed, 2)).await));
    assert!(is_impossible(store.begin_change(&intent("i", 1, 1, 2)).await));
    assert_eq!(store.unfinished(None).await.unwrap(), []);
    // No change has the number 0: it stands for the object as a whole.
    assert!(is_impossible(store.begin_change(&intent("i", 0, 1, 2)).await));
    let shown = store.runs_called("i").await.unwrap();
    assert_eq!(shown[0].changes.len(), 1);
    assert_eq!(shown[0].changes[0].outcome, What::Applied);
    assert_eq!(shown[0].changes[0].intent, intent("i", 1, 1, 0));
}

/// Whatever is written to the tables past our own code: a try after another one says that that one has failed.
async fn no_table_takes_a_try_without_the_one_before(store: &Store) {
    let begun = async |after: Option<i64>, because: Option<&'static str>| {
        let write = move |mut tx: Tx| async move {
            let sql = "INSERT INTO intents (run, change, attempt, again_after, again_because, \
                       time, account, region, kind, item, object, actor, token, about) SELECT \
                       run, change, attempt + 1, CAST($1 AS BIGINT), CAST($2 AS TEXT), time, \
                       account, region, kind, item, object, actor, token, about FROM intents \
                       WHERE run = 'i' AND attempt = 1";
            tx.run(sql, &[after.into(), because.into()]).await?;
            Ok((tx, ()))
        };
        store.db.write(write).await
    };
    for (after, because) in
        [(None, None), (Some(1), None), (None, Some("failed")), (Some(1), Some("failed"))]
    {
        assert!(is_impossible(begun(after, because).await), "{after:?} {because:?}");
    }
    assert_eq!(store.runs_called("i").await.unwrap()[0].changes.len(), 1);
}

async fn a_failed_change_is_tried_again(store: &Store) {
    store.note_run(&run("again", 10)).await.unwrap();
    store.begin_change(&intent("again", 1, 1, 10)).await.unwrap();
    let mut failed = outcome("again", 1, OutcomeWord::Failed, 11);
    failed.about.error = Some("the quota is full".to_owned());
    store.end_change(&failed).await.unwrap();
    store.begin_change(&intent("again", 1, 1, 12)).await.unwrap();
    store.end_change(&outcome("again", 1, OutcomeWord::Recovered, 13)).await.unwrap();
    assert!(is_impossible(store.begin_change(&intent("again", 1, 1, 14)).await));
    let ended = RunRecord {
        ended: Some(at(14)),
        outcome: Some(Ending::Partly),
        about: RunAbout { applied: 1, ..RunAbout::default() },
        ..run("again", 10)
    };
    store.note_run(&ended).await.unwrap();
    let shown = store.runs_called("aga").await.unwrap();
    assert_eq!(shown[0].run, ended);
    let words: Vec<What> = shown[0].changes.iter().map(|change| change.outcome).collect();
    assert_eq!(words, [What::Failed, What::Recovered]);
    assert_eq!(shown[0].changes[0].answer.error.as_deref(), Some("the quota is full"));
    assert_eq!(store.runs(Some(at(5)), None).await.unwrap(), [ended]);
}

fn key(last: u8, name: &str, object: &str) -> DriftKey {
    DriftKey {
        account: account(last),
        region: Region::new("eu-west-1"),
        item: item(name),
        object: object.to_owned(),
    }
}

fn seen(last: u8, minute: i64) -> SeenAccount {
    SeenAccount {
        run: format!("look {minute}"),
        time: at(minute),
        began: at(minute),
        account: account(last),
        name: Some("payments".to_owned()),
        targets: Vec::new(),
        extent: Extent::Account,
        drifted: Vec::new(),
        in_sync: Vec::new(),
        unknown: Vec::new(),
        excepted: 0,
        touched: Vec::new(),
    }
}

fn drifted(key: &DriftKey, field: &str) -> DriftSeen {
    let row = RowSeen { field: field.to_owned(), ..RowSeen::default() };
    DriftSeen { key: key.clone(), about: json!({}), rows: vec![row] }
}

async fn of(store: &Store, last: u8) -> Vec<Entry> {
    let filter = Filter { account: Some(account(last)), ..Filter::default() };
    store.entries(&filter).await.unwrap()
}

async fn drift_begins_goes_on_and_ends(store: &Store) {
    let (bucket, trail) = (key(3, "s3.bucket.logs", "logs"), key(3, "cloudtrail.trail.audit", ""));
    let who = ByWhom {
        principal: "arn:aws:iam::000000000003:user/eve".to_owned(),
        call: "cloudtrail:DeleteTrail".to_owned(),
        ..ByWhom::default()
    };
    let mut first = seen(3, 20);
    first.drifted = vec![drifted(&bucket, "versioning"), drifted(&trail, "there")];
    first.drifted[0].rows[0].by = vec![who.clone()];
    store.note_seen(vec![first]).await.unwrap();
    let mut second = seen(3, 30);
    second.drifted = vec![drifted(&bucket, "versioning"), drifted(&trail, "there")];
    let encryption = drifted(&bucket, "encryption").rows;
    second.drifted[0].rows.extend(encryption);
    store.note_seen(vec![second]).await.unwrap();
    let open = store.open_drift().await.unwrap();
    assert_eq!(open.len(), 2);
    let of_bucket = open.iter().find(|entry| entry.object == bucket).unwrap();
    assert_eq!((of_bucket.time, of_bucket.what), (at(20), What::Drift));
    assert_eq!(of_bucket.about["last_seen"], json!(at(30)));
    let fields: Vec<&Value> =
        of_bucket.about["drift"].as_array().unwrap().iter().map(|row| &row["field"]).collect();
    assert_eq!(fields, ["versioning", "encryption"]);
    assert_eq!(of_bucket.about["by"], json!([who]), "who opened it stays");
    let of_trail = open.iter().find(|entry| entry.object == trail).unwrap();
    assert_eq!(of_trail.about["by"], json!([]), "nobody is named for what they did not touch");
    // In sync again, and gone.
    let mut third = seen(3, 40);
    third.in_sync = vec![bucket.clone()];
    store.note_seen(vec![third]).await.unwrap();
    assert_eq!(store.open_drift().await.unwrap(), []);
    let how = |entries: &[Entry], object: &DriftKey| -> Vec<(What, Value)> {
        let of = entries.iter().filter(|entry| entry.object == *object);
        of.map(|entry| (entry.what, entry.about["how"].clone())).collect()
    };
    let all = of(store, 3).await;
    assert_eq!(
        how(&all, &bucket),
        [(What::Resolved, json!("elsewhere")), (What::Drift, json!("elsewhere"))]
    );
    assert_eq!(how(&all, &trail), [(What::Resolved, json!("gone")), (What::Drift, json!("gone"))]);
    let runs: Vec<&str> = all.iter().map(|entry| entry.run.as_str()).collect();
    assert_eq!(runs, ["look 40", "look 40", "look 20", "look 20"]);
    // What comes again is another one.
    let mut fourth = seen(3, 50);
    fourth.drifted = vec![drifted(&bucket, "versioning")];
    store.note_seen(vec![fourth]).await.unwrap();
    assert_eq!(store.open_drift().await.unwrap()[0].time, at(50));
    let looks = store.looks().await.unwrap();
    let look = looks.iter().find(|look| look.account == account(3)).unwrap();
    assert_eq!((look.time, look.whole), (at(50), Some(at(50))));
    assert_eq!(look.about["drifted"], 1);
    let mut last = seen(3, 51);
    last.in_sync = vec![bucket];
    store.note_seen(vec![last]).await.unwrap();
}

async fn what_is_unknown_ends_nothing(store: &Store) {
    let object = key(4, "kms.key.audit", "alias/audit");
    let mut first = seen(4, 60);
    first.drifted = vec![drifted(&object, "rotation")];
    store.note_seen(vec![first]).await.unwrap();
    let mut unknown = seen(4, 61);
    unknown.unknown = vec![object.clone()];
    store.note_seen(vec![unknown]).await.unwrap();
    // A look at a part says nothing of the rest.
    let part = SeenAccount { extent: Extent::Part, ..seen(4, 62) };
    store.note_seen(vec![part]).await.unwrap();
    let open = store.open_drift().await.unwrap();
    assert_eq!(open.iter().map(|entry| &entry.object).collect::<Vec<_>>(), [&object]);
    assert_eq!(open[0].about[UNREAD], json!(true), "it is counted as unknown");
    let looks = store.looks().await.unwrap();
    let look = looks.iter().find(|look| look.account == account(4)).unwrap();
    assert_eq!((look.time, look.whole), (at(62), Some(at(61))));
    // A clock that went back breaks nothing.
    let mut earlier = seen(4, 59);
    earlier.in_sync = vec![object];
    store.note_seen(vec![earlier]).await.unwrap();
    assert_eq!(store.open_drift().await.unwrap(), []);
}

async fn an_account_that_cannot_be_looked_at_is_named_until_it_is_seen(store: &Store) {
    let unseen = |minute: i64, why: &str| UnseenAccount {
        run: format!("look {minute}"),
        time: at(minute),
        account: account(9),
        name: None,
        targets: Vec::new(),
        why: why.to_owned(),
    };
    let noted = async || {
        let looks = store.looks().await.unwrap();
        let look = looks.into_iter().find(|look| look.account == account(9)).unwrap();
        let counts = (look.count("in_sync"), look.count("unknown"), look.count("excepted"));
        (look.unseen().map(|one| (one.since, one.why)), look.whole, counts)
    };
    store.note_unseen(vec![unseen(10, "denied")]).await.unwrap();
    assert_eq!(noted().await, (Some((at(10), "denied".to_owned())), None, (0, 0, 0)));
    let object = key(9, "kms.key.audit", "alias/audit");
    let other = key(9, "kms.key.other", "alias/other");
    let whole = SeenAccount {
        in_sync: vec![object.clone()],
        unknown: vec![other],
        excepted: 1,
        ..seen(9, 20)
    };
    store.note_seen(vec![whole]).await.unwrap();
    assert_eq!(noted().await, (None, Some(at(20)), (1, 0, 1)));
    store.note_unseen(vec![unseen(30, "denied")]).await.unwrap();
    store.note_unseen(vec![unseen(31, "gone")]).await.unwrap();
    let since = Some((at(30), "gone".to_owned()));
    assert_eq!(noted().await, (since, Some(at(20)), (0, 1, 1)), "nothing is known to be in sync");
    // Whoever can look at a part can enter.
    let part = SeenAccount { extent: Extent::Part, in_sync: vec![object], ..seen(9, 40) };
    store.note_seen(vec![part]).await.unwrap();
    assert_eq!(noted().await, (None, Some(at(20)), (1, 0, 1)));
}

async fn what_keeps_drift_from_being_put_right_stays_with_it(store: &Store) {
    let object = key(10, "iam.password_policy", "");
    let look = async |minute: i64, about: Value| {
        let mut one = seen(10, minute);
        one.drifted = vec![DriftSeen { about, ..drifted(&object, "f") }];
        store.note_seen(vec![one]).await.unwrap();
    };
    let hinder = async |run: &str, minute: i64, by: Hindrance| {
        let (run, time, object) = (run.to_owned(), at(minute), object.clone());
        store.note_hindered(&Hindered { run, time, object, by }).await.unwrap();
    };
    let noted = async || of(store, 10).await.remove(0).about;
    let failed =
        |why: &str| Hindrance::Failed { why: why.to_owned(), class: Some(json!("denied")) };
    // Nothing to note it with.
    hinder("a", 1, failed("no")).await;
    assert!(of(store, 10).await.is_empty());
    let to_apply = || json!({"is_applied": true, "held_back": null});
    look(2, to_apply()).await;
    hinder("b", 3, failed("no")).await;
    hinder("b", 4, Hindrance::NotRight).await;
    let first = json!({"since": at(3), "run": "b", "why": "no", "class": "denied"});
    assert_eq!(noted().await["failed"], first, "it failed, and so it is not right");
    look(5, to_apply()).await;
    assert_eq!(noted().await["failed"], first);
    hinder("c", 6, failed("never")).await;
    let since_first = json!({"since": at(3), "run": "c", "why": "never", "class": "denied"});
    assert_eq!(noted().await["failed"], since_first);
    let held = json!({"guard": "fight"});
    hinder("d", 7, Hindrance::HeldBack(held.clone())).await;
    hinder("d", 8, Hindrance::NotRight).await;
    let about = noted().await;
    assert_eq!((&about["held_back"], &about["is_applied"]), (&held, &json!(false)));
    assert_eq!(about["failed"], since_first, "nothing was written since");
    look(9, json!({"is_applied": false, "held_back": null})).await;
    assert_eq!(noted().await["failed"], Value::Null, "it is only reported");
    look(10, to_apply()).await;
    hinder("e", 11, failed("no")).await;
    let fine = |minute: i64| SeenAccount { in_sync: vec![object.clone()], ..seen(10, minute) };
    store.note_seen(vec![fine(12)]).await.unwrap();
    look(13, to_apply()).await;
    assert_eq!(noted().await["failed"], Value::Null, "it was as declared in between");
    store.note_seen(vec![fine(14)]).await.unwrap();
}

async fn our_own_write_ends_drift(store: &Store) {
    let object = key(5, "iam.password_policy", "");
    let mut first = seen(5, 70);
    first.drifted = vec![drifted(&object, "minimum_password_length")];
    store.note_seen(vec![first]).await.unwrap();
    store.note_run(&run("own", 71)).await.unwrap();
    store.begin_change(&intent("own", 1, 5, 71)).await.unwrap();
    store.end_change(&outcome("own", 1, OutcomeWord::Applied, 72)).await.unwrap();
    let verified = Verified {
        run: "own".to_owned(),
        object: object.clone(),
        time: at(73),
        after: json!({"id": "", "status": "absent"}),
        in_sync: true,
    };
    store.note_verified(&Verified { in_sync: false, ..verified.clone() }).await.unwrap();
    assert_eq!(store.open_drift().await.unwrap().len(), 1);
    store.note_verified(&verified).await.unwrap();
    assert_eq!(store.open_drift().await.unwrap(), []);
    let all = of(store, 5).await;
    let words: Vec<What> = all.iter().map(|entry| entry.what).collect();
    assert_eq!(words, [What::Resolved, What::Applied, What::Drift]);
    assert_eq!(all[0].about["how"], "applied");
    assert_eq!((all[0].run.as_str(), &all[0].about["opened_in"]), ("own", &json!("look 70")));
    let shown = store.runs_called("own").await.unwrap();
    assert_eq!(shown[0].changes[0].after.as_ref().unwrap(), &verified.after);
    assert_eq!(shown[0].changes[0].in_sync, Some(true));
    // A run that died after its write: the next look finds the object in order, by our own hand.
    let mut again = seen(5, 80);
    again.drifted = vec![drifted(&object, "minimum_password_length")];
    store.note_seen(vec![again]).await.unwrap();
    store.note_run(&run("dead", 81)).await.unwrap();
    store.begin_change(&intent("dead", 1, 5, 81)).await.unwrap();
    let mut after = seen(5, 82);
    after.in_sync = vec![object];
    store.note_seen(vec![after]).await.unwrap();
    let ended = of(store, 5).await.remove(0);
    assert_eq!((ended.run.as_str(), &ended.about["how"]), ("dead", &json!("applied")));
}

async fn what_came_after_a_run_is_of_other_runs_and_the_same_objects(store: &Store) {
    let runs = async |id: &str| {
        let after = store.changes_after(id).await.unwrap();
        after.into_iter().map(|change| change.intent.run).collect::<Vec<_>>()
    };
    // "own" and "dead" wrote to one object, one after the other; the others to other accounts.
    assert_eq!(runs("own").await, ["dead"]);
    assert!(runs("dead").await.is_empty());
    assert_eq!(runs("i").await, ["again", "again"]);
}

async fn filters_leave_what_was_asked_for(store: &Store) {
    let ask = async |filter: Filter| store.entries(&filter).await.unwrap();
    let failed = ask(Filter { what: Some(What::Failed), ..Filter::default() }).await;
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].about["error"], "the quota is full");
    let open = ask(Filter { what: Some(What::Unfinished), ..Filter::default() }).await;
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].run, "dead");
    let of_kind = ask(Filter { kind: Some("s3.bucket".to_owned()), ..Filter::default() }).await;
    assert_eq!(of_kind.len(), 4);
    let of_item = ask(Filter { item: Some(item("s3.bucket.other")), ..Filter::default() }).await;
    assert_eq!(of_item, []);
    let late = ask(Filter { since: Some(at(80)), ..Filter::default() }).await;
    assert_eq!(late.len(), 3, "{late:?}");
    let most = ask(Filter { most: Some(2), ..Filter::default() }).await;
    assert_eq!(most, ask(Filter::default()).await[..2]);
    // What somebody says is no part of a statement.
    let odd = "s3.bucket' OR '1' = '1".to_owned();
    assert_eq!(ask(Filter { kind: Some(odd), ..Filter::default() }).await, []);
}

async fn what_is_old_is_forgotten_unless_it_is_open(store: &Store) {
    let mut open = seen(6, 90);
    open.drifted = vec![drifted(&key(6, "s3.bucket.old", "old"), "versioning")];
    store.note_seen(vec![open]).await.unwrap();
    let before = store.entries(&Filter::default()).await.unwrap().len();
    let removed = store.forget_before(at(15)).await.unwrap();
    assert_eq!(removed, Removed { runs: 2, drifts: 0 });
    assert_eq!(store.entries(&Filter::default()).await.unwrap().len(), before - 3);
    let removed = store.forget_before(at(1_000)).await.unwrap();
    assert_eq!(removed, Removed { runs: 1, drifts: 6 });
    let left = store.entries(&Filter::default()).await.unwrap();
    let words: Vec<(What, &str)> =
        left.iter().map(|entry| (entry.what, entry.run.as_str())).collect();
    assert_eq!(words, [(What::Drift, "look 90"), (What::Unfinished, "dead")]);
    assert_eq!(store.runs(None, None).await.unwrap().len(), 1);
}

async fn a_run_that_was_killed_ends_when_it_was_heard_of_last(store: &Store) {
    let of = async |id: &str| store.runs_called(id).await.unwrap().remove(0).run;
    for id in ["killed", "idle", "later"] {
        let minute = if id == "later" { 1_210 } else { 1_200 };
        store.note_run(&run(id, minute)).await.unwrap();
    }
    store.begin_change(&intent("killed", 1, 7, 1_201)).await.unwrap();
    store.note_killed("killed").await.unwrap();
    let killed = of("killed").await;
    assert_eq!((killed.ended, killed.ending()), (Some(at(1_201)), "killed"));
    assert_eq!(killed.outcome, Some(Ending::Interrupted));
    assert_eq!(store.unfinished(Some(&account(7))).await.unwrap().len(), 1, "nobody looked at it");
    store.note_all_killed(at(1_205)).await.unwrap();
    assert_eq!((of("idle").await.ended, of("idle").await.ending()), (Some(at(1_200)), "killed"));
    assert_eq!(of("later").await.ending(), "not ended");
    // One that goes on all the same says how it ended, and what has ended stays so.
    let ended =
        RunRecord { ended: Some(at(1_220)), outcome: Some(Ending::Refused), ..run("idle", 1_200) };
    store.note_run(&ended).await.unwrap();
    store.note_killed("idle").await.unwrap();
    assert_eq!(of("idle").await, ended);
    assert_eq!(ended.ending(), "held back");
    assert_eq!(json!(ended)["outcome"], "held_back");
}

async fn a_run_without_a_sign_of_life_was_killed(store: &Store) {
    let of = async || store.runs_called("signs").await.unwrap().remove(0).run;
    let listed = async || {
        let all = store.runs(None, None).await.unwrap();
        all.into_iter().find(|run| run.run == "signs").unwrap()
    };
    let term = std::time::Duration::from_secs(600);
    store.give_sign("signs", term).await.unwrap();
    store.note_run(&run("signs", 1_300)).await.unwrap();
    assert_eq!(of().await.ending(), "not ended", "one that gives no signs may be alive");
    store.give_sign("signs", term).await.unwrap();
    assert_eq!(of().await.ending(), "not ended");
    store.give_sign("signs", std::time::Duration::ZERO).await.unwrap();
    let killed = of().await;
    assert_eq!((killed.ending(), killed.outcome), ("killed", Some(Ending::Interrupted)));
    assert!(killed.ended.unwrap() > killed.began, "it ended with its last sign");
    assert_eq!(listed().await, killed);
    // It was only out of reach.
    store.give_sign("signs", term).await.unwrap();
    assert_eq!(of().await.ending(), "not ended");
    let ended =
        RunRecord { ended: Some(at(1_310)), outcome: Some(Ending::InSync), ..run("signs", 1_300) };
    store.note_run(&ended).await.unwrap();
    store.give_sign("signs", std::time::Duration::ZERO).await.unwrap();
    assert_eq!(of().await, ended, "what has ended needs no signs");
}
