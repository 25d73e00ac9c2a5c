//! One contract over both databases.

use std::path::Path;
use std::time::Duration;

use super::history::contract::{intent, run};
use super::server::Postgres;
use super::*;

async fn hold(store: &Store) {
    memory::contract::holds(store).await;
    history::contract::holds(store).await;
    leases_are_held_by_one_and_taken_over(store).await;
    a_token_that_is_too_old_begins_no_change(store).await;
    what_is_shared_out_is_looked_at_once(store).await;
}

#[tokio::test]
async fn sqlite_does_what_a_store_does() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open("sqlite://deep/store.db", folder.path()).await.unwrap();
    hold(&store).await;
    let runs = store.runs(None, None).await.unwrap();
    drop(store);
    let file = folder.path().join("deep/store.db");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // What was kept is there the next time.
    let again = Store::open("sqlite://deep/store.db", folder.path()).await.unwrap();
    assert_eq!(again.runs(None, None).await.unwrap(), runs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn several_who_come_at_the_same_moment_wait_for_each_other() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let all = (0..6).map(|_| Store::open("sqlite://store.db", folder.path()));
        let opened = futures::future::join_all(all).await;
        let failed: Vec<_> = opened.iter().filter_map(|one| one.as_ref().err()).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_does_what_a_store_does() {
    let mut server = Postgres::start();
    let store = Store::open(&server.url(), Path::new(".")).await.unwrap();
    hold(&store).await;
    // Several at a time make the tables once.
    let url = server.url();
    let others = (0..3).map(|_| Store::open(&url, Path::new(".")));
    assert!(futures::future::join_all(others).await.iter().all(Result::is_ok));
    let runs = store.runs(None, None).await.unwrap();
    assert!(!runs.is_empty());
    server.stop();
    let gone = store.runs(None, None).await;
    assert!(matches!(gone, Err(StoreError::Unreachable { .. })), "{gone:?}");
    server.start_again();
    assert_eq!(store.runs(None, None).await.unwrap(), runs);
}

const TERM: Duration = Duration::from_secs(3600);

fn names(leases: &[Lease]) -> Vec<&str> {
    leases.iter().map(|lease| lease.name.as_str()).collect()
}

async fn leases_are_held_by_one_and_taken_over(store: &Store) {
    let all: Vec<String> = (1..=4).map(|number| format!("{number:012}")).collect();
    let first = store.claim(&all, "one", TERM, 2).await.unwrap();
    assert_eq!(names(&first), [&all[0], &all[1]]);
    let second = store.claim(&all, "two", TERM, 9).await.unwrap();
    assert_eq!(names(&second), [&all[2], &all[3]]);
    assert!(store.claim(&all, "three", TERM, 9).await.unwrap().is_empty());
    store.renew(&first[0], TERM).await.unwrap();
    // One that died: its term is over.
    store.renew(&first[0], Duration::ZERO).await.unwrap();
    let over = store.claim(&all, "three", TERM, 9).await.unwrap();
    assert_eq!(names(&over), [&all[0]]);
    assert!(over[0].token > first[0].token);
    let lost = store.renew(&first[0], TERM).await;
    assert!(matches!(lost, Err(StoreError::LeaseLost { .. })), "{lost:?}");
    // It has nothing to give back any more.
    store.release(&first[0]).await.unwrap();
    assert!(store.claim(&all, "four", TERM, 9).await.unwrap().is_empty());
    // Many at a time: each lease has one holder.
    let many: Vec<String> = (100..160).map(|number| format!("{number:012}")).collect();
    let claims = (0..6).map(|who| {
        let (many, store) = (many.clone(), store.clone());
        async move { store.claim(&many, &format!("many {who}"), TERM, 10).await.unwrap() }
    });
    let mut taken: Vec<String> = futures::future::join_all(claims)
        .await
        .into_iter()
        .inspect(|leases| assert!(leases.len() <= 10))
        .flatten()
        .map(|lease| lease.name)
        .collect();
    taken.sort();
    let total = taken.len();
    taken.dedup();
    assert_eq!(taken.len(), total);
    for lease in over.iter().chain(&second).chain(&first[1..]) {
        store.release(lease).await.unwrap();
    }
}

async fn a_token_that_is_too_old_begins_no_change(store: &Store) {
    let name = vec!["000000000009".to_owned()];
    store.note_run(&run("fenced", 0)).await.unwrap();
    let begin = async |change: u32, token: Option<i64>| {
        let intent = history::Intent { token, ..intent("fenced", change, 9, 0) };
        store.begin_change(&intent).await
    };
    let is_lost = |done: Result<(), StoreError>| matches!(done, Err(StoreError::LeaseLost { .. }));
    // Without leases, nobody needs one; a token of none is a mistake.
    begin(1, None).await.unwrap();
    assert!(is_lost(begin(2, Some(1)).await));
    let first = store.claim(&name, "one", TERM, 1).await.unwrap().remove(0);
    begin(2, Some(first.token)).await.unwrap();
    // Somebody without a lease stays away while another works there.
    assert!(is_lost(begin(3, None).await));
    // The term is over: nobody has taken over yet, but somebody may at any moment.
    store.renew(&first, Duration::ZERO).await.unwrap();
    assert!(is_lost(begin(3, Some(first.token)).await));
    let short = Duration::from_millis(1500);
    let second = store.claim(&name, "two", short, 1).await.unwrap().remove(0);
    assert!(is_lost(begin(3, Some(first.token)).await));
    // A write begins with a whole term before it.
    store.renew(&second, Duration::from_millis(500)).await.unwrap();
    begin(3, Some(second.token)).await.unwrap();
    tokio::time::sleep(Duration::from_millis(600)).await;
    begin(4, Some(second.token)).await.unwrap();
    store.release(&second).await.unwrap();
}

async fn what_is_shared_out_is_looked_at_once(store: &Store) {
    let all: Vec<String> = (1..=3).map(|number| format!("target/t/{number:012}")).collect();
    let tick = store.time().await.unwrap();
    assert!((chrono::Utc::now() - tick).abs() < chrono::TimeDelta::minutes(1), "{tick}");
    let take = async |who: &str, since| store.take(&all, who, TERM, 2, since).await.unwrap();
    let looked = async |since| -> Vec<(String, String)> {
        store.looked(&all, since).await.unwrap().into_iter().collect()
    };
    let by = |names: &[String], who: &str| -> Vec<(String, String)> {
        names.iter().map(|name| (name.clone(), who.to_owned())).collect()
    };
    assert_eq!(looked(tick).await, []);
    assert_eq!(take("one", tick).await, all[..2]);
    assert_eq!(take("two", tick).await, all[2..]);
    // Somebody else's stay as they are.
    store.finish(&all, "one", Some(tick)).await.unwrap();
    store.keep(&all, "two", TERM).await.unwrap();
    assert_eq!(looked(tick).await, by(&all[..2], "one"));
    assert_eq!(take("three", tick).await, [""; 0]);
    // Given back without a look: it is free.
    store.finish(&all, "two", None).await.unwrap();
    assert_eq!(take("three", tick).await, all[2..]);
    // What was taken after a time was looked at after it, whatever tick that was for.
    store.finish(&all, "three", Some(tick - chrono::TimeDelta::hours(1))).await.unwrap();
    assert_eq!(take("one", tick).await, [""; 0]);
    let next = tick + chrono::TimeDelta::hours(1);
    assert_eq!(take("one", next).await.len(), 2);
    assert_eq!(looked(next).await, []);
    assert_eq!(looked(tick).await.len(), all.len());
    store.release_all("one").await.unwrap();
    store.release_all("nobody").await.unwrap();
    assert_eq!(take("two", next).await.len(), 2);
    store.release_all("two").await.unwrap();
}

#[tokio::test]
async fn what_is_no_url_is_refused_without_a_password() {
    for url in ["mysql://u:secret@h/d", "postgres://u:secret@h:port/d", "sqlite://", "secret"] {
        let error = Store::open(url, Path::new(".")).await.unwrap_err();
        assert!(matches!(error, StoreError::Unfit { .. }), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_link_is_no_database() {
    let folder = tempfile::tempdir().unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("/tmp/elsewhere.db", folder.path().join("store.db")).unwrap();
    let error = Store::open("sqlite://store.db", folder.path()).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
}

#[test]
fn who_listens_waits_outside_of_every_task() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(Store::open("sqlite://store.db", folder.path())).unwrap();
    let asked = store.clone();
    runtime.block_on(async move {
        let inside = asked.clone();
        let all = asked.wait(async move { inside.runs(None, None).await });
        assert_eq!(all.unwrap(), []);
    });
}

#[tokio::test]
async fn one_whose_file_has_gone_does_not_answer() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("there");
    let store = Store::open("sqlite://store.db", &place).await.unwrap();
    store.ping().await.unwrap();
    std::fs::rename(&place, folder.path().join("elsewhere")).unwrap();
    let error = store.ping().await.unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    std::fs::rename(folder.path().join("elsewhere"), &place).unwrap();
    store.ping().await.unwrap();
}
