//! Who did it, where their event came after the look that saw what they did.

use super::*;

/// A call that cannot have made what was seen.
const OTHER: &str = "iam.amazonaws.com:CreateAccountAlias";

/// Asks a store that holds what others have noted.
pub async fn holds(store: &Store) {
    let object = key(31, "iam.password_policy", "");
    let who = |name: &str, minute: i64| ByWhom {
        principal: name.to_owned(),
        time: Some(at(minute)),
        ..ByWhom::default()
    };
    let mut first = seen(31, 2_000);
    first.drifted =
        vec![DriftSeen { right: Some(at(1_990)), ..drifted(&object, "minimum_password_length") }];
    first.drifted[0].about[NOT_BY] = json!([OTHER]);
    store.note_seen(vec![first]).await.unwrap();
    store.note_run(&run("late", 2_001)).await.unwrap();
    store.begin_change(&intent("late", 1, 31, 2_001)).await.unwrap();
    store.end_change(&outcome("late", 1, OutcomeWord::Applied, 2_001)).await.unwrap();
    let after = json!({"id": "", "status": "absent"});
    let verified = Verified {
        run: "late".to_owned(),
        object: object.clone(),
        time: at(2_002),
        after,
        in_sync: true,
    };
    store.note_verified(&verified).await.unwrap();
    let by = async || of(store, 31).await.remove(0).about["by"].clone();
    let told = async |minute: i64, by: Vec<ByWhom>| {
        let mut look = SeenAccount { extent: Extent::Part, ..seen(31, minute) };
        look.in_sync = vec![object.clone()];
        look.touched = vec![Touched { key: object.clone(), by }];
        store.note_seen(vec![look]).await.unwrap();
        store.named_late(&format!("look {minute}"), &account(31), at(1_000)).await.unwrap()
    };
    assert_eq!(by().await, json!([]));
    // Before it was right, and after it was seen.
    assert_eq!(told(2_010, vec![who("carol", 1_980), who("innocent", 2_005)]).await, []);
    assert_eq!(by().await, json!([]));
    let named = told(2_011, vec![who("carol", 1_980), who("eve", 1_995)]).await;
    assert_eq!(named.len(), 1);
    let entry = &named[0].entry;
    assert_eq!((entry.run.as_str(), &entry.object), ("late", &object));
    assert_eq!(named[0].added, [who("eve", 1_995)]);
    assert_eq!(by().await, json!([who("eve", 1_995)]));
    // The same event again, or the same call by another id, names nobody anew.
    let again = ByWhom { event: Some("e-2".to_owned()), ..who("eve", 1_995) };
    assert_eq!(told(2_012, vec![who("eve", 1_995), again]).await, []);
    // Who else may have done it is named beside them; not who called what cannot have made it so.
    let other = ByWhom { call: OTHER.to_owned(), ..who("innocent", 1_997) };
    let named = told(2_013, vec![who("mallory", 1_996), who("carol", 1_980), other]).await;
    assert_eq!((named.len(), &named[0].added), (1, &vec![who("mallory", 1_996)]));
    assert_eq!(by().await, json!([who("eve", 1_995), who("mallory", 1_996)]));
    // Of drift that goes on as well; but not for what we have written since.
    let mut again = seen(31, 2_020);
    again.drifted = vec![drifted(&object, "minimum_password_length")];
    store.note_seen(vec![again.clone()]).await.unwrap();
    again.touched =
        vec![Touched { key: object.clone(), by: vec![who("eve", 1_995), who("mallory", 2_015)] }];
    store.note_seen(vec![SeenAccount { time: at(2_021), ..again }]).await.unwrap();
    let open = store.open_drift().await.unwrap();
    let of_object = open.iter().find(|entry| entry.object == object).unwrap();
    assert_eq!(of_object.about["by"], json!([who("mallory", 2_015)]));
    let mut ended = seen(31, 2_030);
    ended.in_sync = vec![object];
    store.note_seen(vec![ended]).await.unwrap();
    each_is_named_for_the_drift_that_came_next(store).await;
    what_was_right_is_so_over_a_restart(store).await;
}

async fn each_is_named_for_the_drift_that_came_next(store: &Store) {
    let object = key(32, "iam.password_policy", "");
    let who = |name: &str, minute: i64| ByWhom {
        principal: name.to_owned(),
        time: Some(at(minute)),
        ..ByWhom::default()
    };
    let look = |minute: i64, is_drifted: bool| {
        let mut look = SeenAccount { extent: Extent::Part, ..seen(32, minute) };
        match is_drifted {
            true => look.drifted = vec![drifted(&object, "f")],
            false => look.in_sync = vec![object.clone()],
        }
        look
    };
    for (minute, is_drifted) in [(10, false), (20, true), (30, false), (40, true), (50, false)] {
        store.note_seen(vec![look(minute, is_drifted)]).await.unwrap();
    }
    let mut late = look(60, false);
    let by = vec![who("second", 35), who("first", 15), who("between", 25), who("before", 5)];
    late.touched = vec![Touched { key: object.clone(), by }];
    store.note_seen(vec![late]).await.unwrap();
    let mut named = store.named_late("look 60", &account(32), at(0)).await.unwrap();
    named.sort_by_key(|named| named.entry.time);
    let by: Vec<&Value> = named.iter().map(|named| &named.entry.about["by"]).collect();
    assert_eq!(by, [&json!([who("first", 15)]), &json!([who("second", 35)])]);
    assert!(named.iter().all(|named| named.entry.about["how"] == "elsewhere"));
}

async fn what_was_right_is_so_over_a_restart(store: &Store) {
    let object = key(33, "iam.password_policy", "");
    let who = |name: &str, minute: i64| ByWhom {
        principal: name.to_owned(),
        time: Some(at(minute)),
        ..ByWhom::default()
    };
    let mut fine = SeenAccount { began: at(20), ..seen(33, 22) };
    fine.in_sync = vec![object.clone()];
    store.note_seen(vec![fine]).await.unwrap();
    // Another process, which has not seen it right itself.
    let mut first = seen(33, 30);
    first.drifted = vec![drifted(&object, "f")];
    first.drifted[0].by = vec![who("innocent", 15)];
    store.note_seen(vec![first]).await.unwrap();
    let by = async || of(store, 33).await.remove(0).about["by"].clone();
    assert_eq!(by().await, json!([]));
    let mut late = SeenAccount { extent: Extent::Part, ..seen(33, 40) };
    late.drifted = vec![drifted(&object, "f")];
    late.touched =
        vec![Touched { key: object.clone(), by: vec![who("innocent", 15), who("eve", 21)] }];
    store.note_seen(vec![late]).await.unwrap();
    assert_eq!(by().await, json!([who("eve", 21)]), "it may have come after the look had begun");
    let rights = store.rights([account(33), account(34)].into()).await.unwrap();
    assert_eq!(rights[&account(33)].last(&object), Some(at(20)));
    assert_eq!(rights[&account(34)].last(&key(34, "s3.bucket.a", "a")), None);
}
