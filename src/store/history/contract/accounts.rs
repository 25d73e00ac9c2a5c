//! What every history says of accounts and targets.

use super::*;

pub async fn holds(store: &Store) {
    what_is_put_right_is_in_sync_before_the_next_look(store).await;
    what_no_target_selects_any_more_is_forgotten(store).await;
    nothing_is_in_sync_of_a_target_whose_latest_run_came_to_nothing(store).await;
    an_account_of_several_targets_is_seen_when_each_was_looked_at(store).await;
    drift_of_one_of_several_targets_ends_with_what_that_one_declares(store).await;
    what_no_target_has_seen_is_over_when_all_have_looked(store).await;
}

/// A look at what one of the targets `s` and `t` declares.
fn of_target(last: u8, minute: i64, target: &str) -> SeenAccount {
    let targets = ["s", "t"].map(str::to_owned).into();
    SeenAccount { targets, extent: Extent::Target(target.to_owned()), ..seen(last, minute) }
}

async fn open_in(store: &Store, last: u8) -> Vec<DriftKey> {
    let open = store.open_drift().await.unwrap().into_iter();
    open.map(|entry| entry.object).filter(|key| key.account == account(last)).collect()
}

async fn an_account_of_several_targets_is_seen_when_each_was_looked_at(store: &Store) {
    let [policy, alias, topic] = [
        key(25, "iam.password_policy", ""),
        key(25, "kms.key.audit", "a"),
        key(25, "sns.topic.alarms", "b"),
    ];
    let stands = async || {
        let look = look_at(store, 25).await.unwrap();
        (look.whole, look.count("in_sync"), look.count("unknown"))
    };
    let mut of_s = of_target(25, 10, "s");
    of_s.drifted = vec![drifted(&policy, "minimum_password_length")];
    of_s.in_sync = vec![alias.clone()];
    store.note_seen(vec![of_s]).await.unwrap();
    assert_eq!(stands().await, (None, 1, 0), "t was never looked at");
    let mut of_t = of_target(25, 12, "t");
    of_t.in_sync = vec![topic.clone()];
    store.note_seen(vec![of_t.clone()]).await.unwrap();
    assert_eq!(stands().await, (Some(at(10)), 2, 0));
    assert_eq!(
        open_in(store, 25).await,
        std::slice::from_ref(&policy),
        "what t saw says nothing of it"
    );
    // An event's look sees it put right, and what another target declares broken.
    let mut part = SeenAccount { extent: Extent::Part, ..seen(25, 13) };
    part.in_sync = vec![policy.clone()];
    part.drifted = vec![drifted(&topic, "policy")];
    store.note_seen(vec![part]).await.unwrap();
    assert_eq!(stands().await, (Some(at(10)), 2, 0));
    let mut of_s = of_target(25, 14, "s");
    of_s.in_sync = vec![policy, alias];
    store.note_seen(vec![of_s]).await.unwrap();
    assert_eq!(stands().await, (Some(at(12)), 2, 0));
    store.note_seen(vec![SeenAccount { run: "r".to_owned(), time: at(15), ..of_t }]).await.unwrap();
    assert_eq!(stands().await, (Some(at(14)), 3, 0));
    // Of a target whose runs come to nothing, nothing is known.
    let why = "not listed".to_owned();
    let failed = NotSeen { since: at(16), why, was_seen: false };
    store.note_target("t", Some(failed)).await.unwrap();
    assert_eq!(stands().await, (Some(at(14)), 2, 1));
    store.note_target("t", None).await.unwrap();
    // What only one of them selects from now on is seen by that one alone.
    store.note_selected(selected(17, "s", &[22, 24])).await.unwrap();
    assert_eq!(stands().await, (Some(at(15)), 1, 0));
    store.note_selected(selected(18, "t", &[22, 24])).await.unwrap();
    assert_eq!(look_at(store, 25).await, None);
}

async fn drift_of_one_of_several_targets_ends_with_what_that_one_declares(store: &Store) {
    let [own, both] = [key(26, "kms.key.audit", "a"), key(26, "iam.password_policy", "")];
    let look = async |minute: i64, target: &str, keys: &[&DriftKey]| {
        let mut one = of_target(26, minute, target);
        one.drifted = keys.iter().map(|key| drifted(key, "rotation")).collect();
        store.note_seen(vec![one]).await.unwrap();
        open_in(store, 26).await
    };
    look(10, "s", &[&own, &both]).await;
    look(11, "t", &[&both]).await;
    assert_eq!(
        look(12, "s", &[&both]).await,
        std::slice::from_ref(&both),
        "s does not declare it any more"
    );
    let resolved = &of(store, 26).await[0];
    assert_eq!((resolved.what, &resolved.about["how"]), (What::Resolved, &json!("gone")));
    assert_eq!(look(13, "s", &[]).await, std::slice::from_ref(&both), "t declares it still");
    assert!(look(14, "t", &[]).await.is_empty());
    // One that nobody can read goes on, and so does one of a target that is left.
    look(15, "t", &[&own]).await;
    let mut unknown = of_target(26, 16, "s");
    unknown.unknown = vec![own.clone()];
    store.note_seen(vec![unknown]).await.unwrap();
    store.note_selected(selected(17, "t", &[22, 24])).await.unwrap();
    assert_eq!(open_in(store, 26).await, [own]);
    store.note_selected(selected(18, "s", &[22, 24])).await.unwrap();
    assert!(open_in(store, 26).await.is_empty());
}

async fn what_no_target_has_seen_is_over_when_all_have_looked(store: &Store) {
    let object = key(27, "kms.key.audit", "a");
    for (minute, target) in [(10, "s"), (11, "t")] {
        store.note_seen(vec![of_target(27, minute, target)]).await.unwrap();
    }
    let mut part = SeenAccount { extent: Extent::Part, ..seen(27, 12) };
    part.drifted = vec![drifted(&object, "rotation")];
    store.note_seen(vec![part]).await.unwrap();
    store.note_seen(vec![of_target(27, 13, "s")]).await.unwrap();
    assert_eq!(open_in(store, 27).await, [object], "t may declare it");
    store.note_seen(vec![of_target(27, 14, "t")]).await.unwrap();
    assert!(open_in(store, 27).await.is_empty());
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
    let mut part = SeenAccount { extent: Extent::Part, ..seen(21, 12) };
    part.drifted = vec![drifted(&fine, "rotation")];
    store.note_seen(vec![part]).await.unwrap();
    assert_eq!(in_sync().await, 1, "what differs since is not");
    let part = SeenAccount { extent: Extent::Part, in_sync: vec![fine], ..seen(21, 13) };
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
