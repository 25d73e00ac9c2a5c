//! Events that wait for their look.

use std::time::Duration;

use super::*;
use crate::store::{Leases, Shares};

/// Each is there until it is answered.
pub async fn holds(store: &Store) {
    let event =
        |last: u8, kind: &str, region: Option<&str>, mark: &str, minute: i64| WaitingEvent {
            account: account(last),
            kind: kind.to_owned(),
            region: region.map(Region::new),
            mark: mark.to_owned(),
            told: at(minute),
            about: json!({"call": mark}),
        };
    let trail = event(40, "cloudtrail.trail", None, "a", 10);
    let later = event(40, "cloudtrail.trail", None, "b", 20);
    let ebs = event(40, "ec2.ebs_encryption", Some("eu-west-1"), "a", 10);
    let all = vec![trail.clone(), later.clone(), ebs.clone()];
    store.note_waiting(all.clone(), "").await.unwrap();
    store.note_waiting(vec![trail], "").await.unwrap();
    let marks = async |minute: i64| -> Vec<(String, String)> {
        let all = store.waiting(at(minute)).await.unwrap();
        all.into_iter().map(|event| (event.kind, event.mark)).collect()
    };
    assert_eq!(marks(30).await.len(), 3, "each once");
    let answered = |kind: &str, region: Option<&str>, minute: i64| Answered {
        account: account(40),
        kind: kind.to_owned(),
        region: region.map(Region::new),
        told: at(minute),
    };
    let looks = vec![answered("cloudtrail.trail", None, 10), answered("iam.role", None, 90)];
    store.note_answered(looks, at(30)).await.unwrap();
    let waiting = store.waiting(at(30)).await.unwrap();
    assert_eq!(waiting, [ebs.clone(), later], "what came after the look's events waits on");
    assert_eq!(marks(24 * 60 + 15).await.len(), 1, "nothing waits for ever");
    store.note_answered(Vec::new(), at(3 * 24 * 60)).await.unwrap();
    assert!(store.waiting(at(30)).await.unwrap().is_empty());
    what_one_had_that_is_gone_another_takes_over(store, ebs).await;
}

async fn what_one_had_that_is_gone_another_takes_over(store: &Store, event: WaitingEvent) {
    let term = Duration::from_secs(60);
    let marked = |mark: &str| WaitingEvent { mark: mark.to_owned(), ..event.clone() };
    store.appear("living", term).await.unwrap();
    store.appear("ended", term).await.unwrap();
    for (holder, mark) in [("living", "a"), ("dead", "b"), ("ended", "c"), ("", "d")] {
        store.note_waiting(vec![marked(mark)], holder).await.unwrap();
    }
    let take = async |holder: &str| -> Vec<String> {
        let all = store.take_over_waiting(holder, at(30)).await.unwrap();
        all.into_iter().map(|event| event.mark).collect()
    };
    store.appear("me", term).await.unwrap();
    assert_eq!(take("me").await, ["b", "d"], "who is there keeps what it has");
    assert!(take("me").await.is_empty() && take("living").await.is_empty(), "each once");
    store.release_all("ended").await.unwrap();
    assert_eq!(take("living").await, ["c"], "who has ended is gone at once");
    assert!(store.take_over_waiting("me", at(3 * 24 * 60)).await.unwrap().is_empty(), "too old");
    store.release_all("me").await.unwrap();
    store.release_all("living").await.unwrap();
    store.note_answered(Vec::new(), at(3 * 24 * 60)).await.unwrap();
}
