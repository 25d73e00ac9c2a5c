//! Who did it, where their event came after the look that saw what they did.

use super::*;

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
    assert_eq!((named[0].run.as_str(), &named[0].object), ("late", &object));
    assert_eq!(by().await, json!([who("eve", 1_995)]));
    // Who is named stays, and is told of once.
    assert_eq!(told(2_012, vec![who("mallory", 1_996)]).await, []);
    assert_eq!(by().await, json!([who("eve", 1_995)]));
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
}
