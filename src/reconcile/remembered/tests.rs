use sqlx::Connection;

use super::*;
use crate::kinds::Object;
use crate::plan::{AccountPlan, Guard, Held, TargetRef};
use crate::plan::{BaselineRef, Cost, PlanHead, assemble};
use crate::reconcile::event::{Recovered, Stream};
use crate::store::Leases;
use crate::store::audit::{Phase, Record};
use crate::store::history::{Ending, Filter, What};

fn account() -> AccountId {
    "000000000001".parse().unwrap()
}

fn object(verdict: Value) -> ObjectPlan {
    serde_json::from_value(json!({
        "account": "000000000001", "region": "eu-west-1", "global": true,
        "item": "iam.password_policy", "mode": "enforce", "controls": [],
        "verdict": verdict, "spec": {"minimum_password_length": 14}, "state_digest": "",
        "observed": {"id": "", "status": "absent"},
        "changes": [{
            "id": 1, "action": {"put": 1}, "risk": "safe", "warnings": [],
            "permissions": ["iam:UpdateAccountPasswordPolicy"], "disposition": {"is": "apply"},
            "depends_on": [],
            "drift": [{"field": "minimum_password_length", "actual": null, "desired": 14}],
            "undo": {"by": [{"delete": {}}]},
        }],
    }))
    .unwrap()
}

fn plan(run: &str, object: ObjectPlan) -> Plan {
    let head = PlanHead {
        run: run.to_owned(),
        baseline: BaselineRef {
            name: "b".to_owned(),
            digest: "d".to_owned(),
            files: Vec::new(),
            targets: vec!["here".to_owned()],
        },
        targets: vec![TargetRef {
            account: account(),
            name: None,
            partition: "aws".to_owned(),
            home_region: object.region.clone(),
            regions: vec![object.region.clone()],
        }],
        failed: Vec::new(),
        skipped: Vec::new(),
        snapshot: None,
        shards: None,
        cost: Cost::default(),
    };
    assemble(head, vec![AccountPlan { objects: vec![object], in_sync: 0, order: vec![1] }])
}

fn drifted(run: &str) -> Plan {
    plan(run, object(json!({"is": "drifted"})))
}

async fn store(folder: &tempfile::TempDir) -> Store {
    Store::open("sqlite://store.db", folder.path()).await.unwrap()
}

fn of_a_run() -> Remembering {
    Remembering {
        command: "run".to_owned(),
        keeps_drift: true,
        is_whole: true,
        ..Remembering::default()
    }
}

fn remembered(store: &Store) -> Remembered {
    Remembered::new(store.clone(), of_a_run())
}

fn write(stream: &Stream<'_>, plan: &Plan, token: Option<i64>) -> Result<(), ListenError> {
    if let Some(token) = token {
        stream.tell(RunEvent::Held { account: &account(), token })?;
    }
    stream.tell(RunEvent::Planned { plan })?;
    let object = &plan.objects[0];
    let (change, before) = (&object.changes[0], &object.observed);
    stream.tell(RunEvent::Writing { object, change, before, by: "arn", token })
}

async fn words(store: &Store) -> Vec<What> {
    let entries = store.entries(&Filter::default()).await.unwrap();
    entries.iter().map(|entry| entry.what).collect()
}

#[tokio::test]
async fn what_happens_in_a_run_is_in_the_store_before_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (listener, plan) = (remembered(&store), drifted("r"));
    let stream = Stream::new("r", vec![&listener]);
    write(&stream, &plan, None).unwrap();
    assert_eq!(words(&store).await, [What::Unfinished, What::Drift]);
    let object = &plan.objects[0];
    let change = &object.changes[0];
    stream.tell(RunEvent::Answered { object, change, answer: Ok(&[]), by: "arn" }).unwrap();
    let after: Object<Value> = serde_json::from_value(json!({
        "id": "", "status": "present", "state": {"minimum_password_length": 14},
    }))
    .unwrap();
    let (after, in_sync) = (Some(&after), true);
    stream.tell(RunEvent::Verified { object, after, in_sync, by: "arn" }).unwrap();
    stream.tell(RunEvent::Ended { outcome: RunOutcome::InSync, report: None }).unwrap();
    assert_eq!(words(&store).await, [What::Resolved, What::Applied, What::Drift]);
    let shown = store.runs_called("r").await.unwrap();
    assert_eq!(shown[0].run.outcome, Some(Ending::InSync));
    assert_eq!(shown[0].changes[0].intent.about.undo, json!({"by": [{"delete": {}}]}));
    // No second outcome, and nothing more is written once something could not be remembered.
    let twice = RunEvent::Answered { object, change, answer: Ok(&[]), by: "arn" };
    stream.tell(twice).unwrap_err();
    write(&stream, &plan, None).unwrap_err();
}

/// The audit log hears of a write before the store does.
#[tokio::test]
async fn a_write_that_died_before_the_store_heard_of_it_is_in_the_history() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (dead, plan) = (remembered(&store), drifted("dead"));
    Stream::new("dead", vec![&dead]).tell(RunEvent::Planned { plan: &plan }).unwrap();
    let object = &plan.objects[0];
    let intent = Record {
        time: Utc::now(),
        run: "dead".to_owned(),
        change: 1,
        account: account(),
        region: object.region.clone(),
        item: object.item.clone(),
        object: object.observed.id.clone(),
        by: "arn".to_owned(),
        baseline: "b@d".to_owned(),
        // Nobody has its lease any more.
        token: Some(7),
        phase: Phase::Intent {
            action: json!({"put": 1}),
            before: json!({"id": "", "status": "absent"}),
            spec: json!({}),
            overruled: Vec::new(),
        },
    };
    let next = remembered(&store);
    let stream = Stream::new("next", vec![&next]);
    stream.tell(RunEvent::Planned { plan: &drifted("next") }).unwrap();
    for run in ["dead", "older than the store"] {
        let found = Ok(Recovered { after: None, in_sync: false });
        let intent = Record { run: run.to_owned(), ..intent.clone() };
        stream.tell(RunEvent::Recovered { intent: &intent, found, by: "arn" }).unwrap();
        // Whoever looks once more changes nothing.
        stream.tell(RunEvent::Recovered { intent: &intent, found, by: "arn" }).unwrap();
    }
    assert_eq!(words(&store).await, [What::Recovered, What::Drift]);
    let shown = store.runs_called("dead").await.unwrap();
    assert_eq!(shown[0].run.ending(), "killed");
    assert_eq!(shown[0].changes[0].intent.about.action, json!({"put": 1}));
}

#[tokio::test]
async fn a_write_by_who_has_lost_the_lease_is_not_announced_and_its_successor_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let names = [account().to_string()];
    let claim = async |holder: &str| {
        let term = std::time::Duration::from_secs(600);
        store.claim(&names, holder, term, 1).await.unwrap().remove(0)
    };
    let first = claim("one").await;
    let (of_first, dead) = (remembered(&store), drifted("dead"));
    write(&Stream::new("dead", vec![&of_first]), &dead, Some(first.token)).unwrap();
    // It dies, and its lease runs out.
    store.renew(&first, std::time::Duration::ZERO).await.unwrap();
    let second = claim("two").await;
    let late = drifted("late");
    let stream = Stream::new("late", vec![&of_first]);
    let error = write(&stream, &late, Some(first.token)).unwrap_err();
    assert!(error.to_string().contains("two has taken it over"), "{error}");
    // That is the end of the run in this account alone.
    assert!(matches!(error, ListenError::LeaseLost(_)), "{error:?}");
    let next = write(&stream, &late, Some(first.token)).unwrap_err();
    assert!(matches!(next, ListenError::LeaseLost(_)), "{next:?}");
    // The successor has looked since: it closes what was open, as it was observed.
    let of_second = remembered(&store);
    let next = plan("next", object(json!({"is": "in_sync"})));
    let stream = Stream::new("next", vec![&of_second]);
    stream.tell(RunEvent::Held { account: &account(), token: second.token }).unwrap();
    stream.tell(RunEvent::Planned { plan: &next }).unwrap();
    assert!(store.unfinished(None).await.unwrap().is_empty());
    let shown = store.runs_called("dead").await.unwrap();
    assert_eq!(shown[0].changes[0].outcome, What::Recovered);
    assert_eq!(shown[0].changes[0].answer.in_sync, Some(true));
}

#[tokio::test]
async fn a_run_whose_lease_somebody_has_taken_over_was_killed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let names = [account().to_string()];
    let claim = async |holder: &str| {
        let term = std::time::Duration::from_secs(600);
        store.claim(&names, holder, term, 1).await.unwrap().remove(0)
    };
    let first = claim("one").await;
    let of_first = remembered(&store);
    write(&Stream::new("dead", vec![&of_first]), &drifted("dead"), Some(first.token)).unwrap();
    let of = async || store.runs_called("dead").await.unwrap().remove(0).run;
    assert_eq!(of().await.ending(), "not ended");
    store.renew(&first, std::time::Duration::ZERO).await.unwrap();
    let second = claim("two").await;
    let of_second = remembered(&store);
    let next = plan("next", object(json!({"is": "in_sync"})));
    let stream = Stream::new("next", vec![&of_second]);
    stream.tell(RunEvent::Held { account: &account(), token: second.token }).unwrap();
    stream.tell(RunEvent::Planned { plan: &next }).unwrap();
    assert_eq!(of().await.ending(), "killed");
}

#[tokio::test]
async fn a_run_that_ended_before_its_first_write_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let listener = remembered(&store);
    let stream = Stream::new("r", vec![&listener]);
    stream.tell(RunEvent::Planned { plan: &drifted("r") }).unwrap();
    let of = async || store.runs_called("r").await.unwrap().remove(0).run;
    assert_eq!(of().await.ending(), "not ended");
    listener.close(RunOutcome::Refused, Some("somebody else has the log"));
    let run = of().await;
    assert_eq!(run.ending(), "held back");
    assert_eq!(run.about.left, ["nothing was written: somebody else has the log"]);
}

#[tokio::test]
async fn a_run_all_of_which_guards_hold_back_is_held_back_from_the_beginning() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let listener = remembered(&store);
    let mut plan = drifted("r");
    plan.hold_all(&Held::by(Guard::KillSwitch, "it is on", "somebody"));
    Stream::new("r", vec![&listener]).tell(RunEvent::Planned { plan: &plan }).unwrap();
    let shown = store.runs_called("r").await.unwrap();
    assert_eq!(shown[0].run.outcome, Some(Ending::Refused));
}

#[test]
fn without_a_store_nothing_is_announced_and_everything_is_seen() {
    let (gone, plan) = (Unreachable("gone".to_owned()), drifted("r"));
    let stream = Stream::new("r", vec![&gone]);
    stream.tell(RunEvent::Planned { plan: &plan }).unwrap();
    write(&stream, &plan, None).unwrap_err();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_other_targets_govern_too_is_looked_at_for_one_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let look = async |run: &str, own: &str, other: &str| {
        let what = Remembering {
            command: "run".to_owned(),
            keeps_drift: true,
            is_whole: true,
            target: Some(own.to_owned()),
            ..Remembering::default()
        };
        let listener = Remembered::new(store.clone(), what);
        let stream = Stream::new(run, vec![&listener]);
        let (account, targets) = (&account(), &[other.to_owned()].into());
        stream.tell(RunEvent::GovernedBeside { account, targets }).unwrap();
        stream.tell(RunEvent::Planned { plan: &drifted(run) }).unwrap();
        store.looks().await.unwrap().remove(0).whole
    };
    assert_eq!(look("one", "s", "t").await, None);
    assert!(look("two", "t", "s").await.is_some(), "both have looked");
}

/// Somebody calls a table otherwise.
async fn rename(folder: &tempfile::TempDir, from: &str, to: &str) {
    let url = format!("sqlite://{}", folder.path().join("store.db").display());
    let mut beside = sqlx::SqliteConnection::connect(&url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}"));
    sqlx::query(sql).execute(&mut beside).await.unwrap();
}

#[tokio::test]
async fn what_the_store_does_not_take_in_is_known_to_be_missing() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (listener, plan) = (remembered(&store), drifted("r"));
    let stream = Stream::new("r", vec![&listener]);
    rename(&folder, "drifts", "hidden").await;
    stream.tell(RunEvent::Planned { plan: &plan }).unwrap();
    assert!(listener.has_missed(), "the look is of use without it");
    rename(&folder, "hidden", "drifts").await;
    listener.go_on(of_a_run());
    stream.tell(RunEvent::Planned { plan: &plan }).unwrap();
    assert!(!listener.has_missed());
    assert_eq!(words(&store).await, [What::Drift]);
}

/// What a write puts right, no later look sees.
#[tokio::test]
async fn what_the_store_has_missed_is_in_it_before_a_write() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let (listener, plan) = (remembered(&store), drifted("r"));
    let stream = Stream::new("r", vec![&listener]);
    rename(&folder, "drifts", "hidden").await;
    stream.tell(RunEvent::Planned { plan: &plan }).unwrap();
    rename(&folder, "hidden", "drifts").await;
    let object = &plan.objects[0];
    let (change, before) = (&object.changes[0], &object.observed);
    let writing = RunEvent::Writing { object, change, before, by: "arn", token: None };
    stream.tell(writing).unwrap();
    assert!(!listener.has_missed());
    assert_eq!(words(&store).await, [What::Unfinished, What::Drift]);
}
