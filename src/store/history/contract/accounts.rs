//! What every history says of accounts and targets.

use super::*;

pub async fn holds(store: &Store) {
    what_is_put_right_is_in_sync_before_the_next_look(store).await;
    what_no_target_selects_any_more_is_forgotten(store).await;
    nothing_is_in_sync_of_a_target_whose_latest_run_came_to_nothing(store).await;
}

async fn look_at(store: &Store, last: u8) -> Option<LookShown> {
    store.looks().await.unwrap().into_iter().find(|look| look.account == account(last))
}

async fn what_is_put_right_is_in_sync_before_the_next_look(store: &Store) {
    let (broken, fine) = (key(21, "iam.password_policy", ""), key(21, "kms.key.audit", "a"));
    let mut first = seen(21, 10);
    first.drifted = vec![drifted(&broken, "minimum_password_length")];
    first.in_sync = vec![fine.clone()];
    store.note_seen(vec![first]).await.unwrap();
    let in_sync = async || look_at(store, 21).await.unwrap().count("in_sync");
    assert_eq!(in_sync().await, 1);
    let verified = Verified {
        run: "right".to_owned(),
        object: broken,
        time: at(11),
        after: json!(null),
        in_sync: true,
    };
    store.note_run(&run("right", 11)).await.unwrap();
    store.note_verified(&verified).await.unwrap();
    assert_eq!(in_sync().await, 2, "it was put right and seen so");
    let mut part = SeenAccount { is_whole: false, ..seen(21, 12) };
    part.drifted = vec![drifted(&fine, "rotation")];
    store.note_seen(vec![part]).await.unwrap();
    assert_eq!(in_sync().await, 1, "what differs since is not");
    let part = SeenAccount { is_whole: false, in_sync: vec![fine], ..seen(21, 13) };
    store.note_seen(vec![part]).await.unwrap();
    assert_eq!(in_sync().await, 2);
}

fn selected(minute: i64, target: &str, accounts: &[u8]) -> Selected {
    Selected {
        run: format!("look {minute}"),
        time: at(minute),
        target: target.to_owned(),
        accounts: accounts.iter().map(|last| account(*last)).collect(),
        targets: ["s", "t"].map(str::to_owned).into(),
    }
}

async fn what_no_target_selects_any_more_is_forgotten(store: &Store) {
    let object = key(22, "iam.password_policy", "");
    for target in ["s", "t"] {
        let mut first = SeenAccount { targets: vec![target.to_owned()], ..seen(22, 10) };
        first.drifted = vec![drifted(&object, "minimum_password_length")];
        store.note_seen(vec![first]).await.unwrap();
    }
    store.note_selected(selected(11, "t", &[22])).await.unwrap();
    store.note_selected(selected(12, "s", &[])).await.unwrap();
    assert_eq!(look_at(store, 22).await.unwrap().targets(), ["t".to_owned()].into());
    assert!(of(store, 22).await.iter().all(|entry| entry.what == What::Drift), "it goes on");
    store.note_selected(selected(13, "t", &[23])).await.unwrap();
    assert_eq!(look_at(store, 22).await, None);
    let all = of(store, 22).await;
    let last = &all[0];
    assert_eq!((last.what, &last.about["how"]), (What::Resolved, &json!("gone")));
    assert_eq!(last.run, "look 13");
    // Whoever was never seen is forgotten as well, and so is the account of a target that is gone.
    let unseen = UnseenAccount {
        run: "look 14".to_owned(),
        time: at(14),
        account: account(22),
        name: None,
        targets: vec!["u".to_owned()],
        why: "denied".to_owned(),
    };
    store.note_unseen(vec![unseen]).await.unwrap();
    store.note_selected(selected(15, "t", &[])).await.unwrap();
    assert_eq!(look_at(store, 22).await, None);
}

async fn nothing_is_in_sync_of_a_target_whose_latest_run_came_to_nothing(store: &Store) {
    let mut first = SeenAccount { targets: vec!["t".to_owned()], ..seen(24, 10) };
    first.in_sync = vec![key(24, "kms.key.audit", "a")];
    store.note_seen(vec![first]).await.unwrap();
    let counts = async || {
        let look = look_at(store, 24).await.unwrap();
        (look.count("in_sync"), look.count("unknown"))
    };
    let failed = |minute: i64, was_seen: bool| {
        Some(NotSeen { since: at(minute), why: "not listed".to_owned(), was_seen })
    };
    store.note_target("t", None).await.unwrap();
    assert!(store.unseen_targets().await.unwrap().is_empty());
    store.note_target("t", failed(11, false)).await.unwrap();
    store.note_target("t", failed(12, false)).await.unwrap();
    let unseen = store.unseen_targets().await.unwrap();
    assert_eq!(unseen["t"].since, at(11), "since the first of these runs");
    assert_eq!(counts().await, (0, 1));
    store.note_target("t", failed(13, true)).await.unwrap();
    assert_eq!(counts().await, (1, 0), "it was looked at");
    store.note_target("t", None).await.unwrap();
    assert!(store.unseen_targets().await.unwrap().is_empty());
    store.note_target("u", failed(14, false)).await.unwrap();
    store.note_selected(selected(15, "t", &[24])).await.unwrap();
    assert!(store.unseen_targets().await.unwrap().is_empty(), "there is no such target");
}
