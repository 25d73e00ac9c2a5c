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
    first.drifted = vec![drifted(&object, "minimum_password_length")];
    first.drifted[0].rows[0].right = Some(at(1_990));
    first.drifted[0].rows[0].not_by = [OTHER.to_owned()].into();
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
    each_field_has_its_own_names(store).await;
    nobody_fills_the_list_of_who_may_have_done_it(store).await;
    what_an_earlier_version_noted_is_read(store).await;
}

fn who(name: &str, call: &str, minute: i64) -> ByWhom {
    let (principal, call) = (name.to_owned(), call.to_owned());
    ByWhom { principal, call, time: Some(at(minute)), ..ByWhom::default() }
}

/// A look at a part that saw these fields of an object differ.
fn saw(object: &DriftKey, last: u8, minute: i64, fields: &[&str]) -> SeenAccount {
    let mut look = SeenAccount { extent: Extent::Part, ..seen(last, minute) };
    match fields {
        [] => look.in_sync = vec![object.clone()],
        fields => {
            let rows = fields.iter().flat_map(|field| drifted(object, field).rows).collect();
            look.drifted = vec![DriftSeen { rows, ..drifted(object, "") }];
        }
    }
    look
}

fn names(rows: &Value) -> Vec<(String, Vec<String>)> {
    let rows = rows.as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let by = |row: &Value| {
        let by = row["by"].as_array().into_iter().flatten();
        by.map(|by| text(&by["principal"])).collect()
    };
    rows.map(|row| (text(&row["field"]), by(row))).collect()
}

/// What is open of an account.
async fn open(store: &Store, last: u8) -> Entry {
    let open = store.open_drift().await.unwrap();
    open.into_iter().find(|entry| entry.object.account == account(last)).unwrap()
}

async fn each_field_has_its_own_names(store: &Store) {
    let object = key(35, "cloudtrail.trail.main", "main");
    let note = async |look: SeenAccount| store.note_seen(vec![look]).await.unwrap();
    let of = |name: &str, by: &[&str]| {
        (name.to_owned(), by.iter().map(|by| (*by).to_owned()).collect::<Vec<_>>())
    };
    note(saw(&object, 35, 10, &[])).await;
    let mut first = saw(&object, 35, 20, &["valid"]);
    first.touched =
        vec![Touched { key: object.clone(), by: vec![who("innocent", "c:Update", 15)] }];
    note(first).await;
    // On time, and late.
    let mut second = saw(&object, 35, 30, &["valid", "logs"]);
    second.drifted[0].rows[0].by = vec![who("eve", "c:Stop", 25)];
    second.drifted[0].rows[1].by = vec![who("eve", "c:Stop", 25)];
    note(second).await;
    let now = open(store, 35).await;
    let expected = [of("valid", &["innocent"]), of("logs", &["eve"])];
    assert_eq!(names(&now.about["drift"]), expected);
    let mut third = saw(&object, 35, 40, &["valid", "logs"]);
    third.touched = vec![Touched { key: object.clone(), by: vec![who("mallory", "c:Stop", 26)] }];
    note(third).await;
    let now = open(store, 35).await;
    assert_eq!(names(&now.about["drift"])[1], of("logs", &["eve", "mallory"]));
    assert_eq!(now.about["by"].as_array().unwrap().len(), 3);
    // What is right again takes its names with it, and who did it may be known later still.
    note(saw(&object, 35, 50, &["logs"])).await;
    let mut fifth = saw(&object, 35, 60, &["logs"]);
    fifth.touched = vec![Touched { key: object.clone(), by: vec![who("ann", "c:Update", 16)] }];
    note(fifth).await;
    let now = open(store, 35).await;
    assert_eq!(names(&now.about["drift"]), [of("logs", &["eve", "mallory"])]);
    assert_eq!(now.about["by"].as_array().unwrap().len(), 2);
    assert_eq!(names(&now.about["past"]), [of("valid", &["innocent", "ann"])]);
    let named = store.named_late("look 60", &account(35), at(0)).await.unwrap();
    let past: Vec<&str> = named[0].past.iter().map(|row| row.field.as_str()).collect();
    assert_eq!((named.len(), past), (1, vec!["valid"]));
    assert_eq!(named[0].added, [who("ann", "c:Update", 16)]);
    note(saw(&object, 35, 70, &[])).await;
}

async fn nobody_fills_the_list_of_who_may_have_done_it(store: &Store) {
    let object = key(36, "cloudtrail.trail.main", "main");
    store.note_seen(vec![saw(&object, 36, 10, &[])]).await.unwrap();
    store.note_seen(vec![saw(&object, 36, 50, &["logs"])]).await.unwrap();
    let mut late = saw(&object, 36, 60, &["logs"]);
    let calls = (0..30).map(|minute| who("ci", "c:Update", 11 + minute));
    let many = (0..30).map(|number| who("ci", &format!("c:{number}"), 20));
    let eve = [who("eve", "c:Stop", 45)];
    let by = calls.chain(many).chain(eve).collect();
    late.touched = vec![Touched { key: object.clone(), by }];
    store.note_seen(vec![late]).await.unwrap();
    let by: Vec<ByWhom> =
        serde_json::from_value(open(store, 36).await.about["by"].clone()).unwrap();
    assert_eq!(by[0].count(), 30, "one entry says how often");
    assert!(by.iter().any(|by| by.principal == "eve"), "{by:?}");
    assert_eq!(by.iter().filter(|by| by.principal == "ci").count(), 20);
    assert_eq!(by.iter().filter(|by| by.is_not_kept()).count(), 11);
    store.note_seen(vec![saw(&object, 36, 70, &[])]).await.unwrap();
}

/// Drift that was open when an earlier version ended.
async fn what_an_earlier_version_noted_is_read(store: &Store) {
    let object = key(37, "cloudtrail.trail.main", "main");
    store.note_seen(vec![saw(&object, 37, 10, &["valid"])]).await.unwrap();
    let about = json!({
        "drift": [{"field": "valid", "actual": null, "desired": null}],
        "by": [who("innocent", "c:Update", 5)], "right": at(1), "not_by": [OTHER],
    });
    let about = about.to_string();
    let write = move |mut tx: Tx| {
        let about = about.clone();
        async move {
            let sql = "UPDATE drifts SET about = $1 WHERE account = '000000000037'";
            tx.run(sql, &[crate::store::db::Arg::Text(&about)]).await?;
            Ok((tx, ()))
        }
    };
    store.db.write(write).await.unwrap();
    let mut late = saw(&object, 37, 20, &["valid", "logs"]);
    let by = vec![who("eve", "c:Stop", 15), who("ann", "c:Update", 6), who("bob", OTHER, 6)];
    late.touched = vec![Touched { key: object.clone(), by }];
    store.note_seen(vec![late]).await.unwrap();
    let rows = names(&open(store, 37).await.about["drift"]);
    let names: Vec<&[String]> = rows.iter().map(|(_, names)| names.as_slice()).collect();
    assert_eq!(names, [&["innocent".to_owned(), "ann".to_owned()][..], &["eve".to_owned()]]);
    // What cannot be read is said, and not taken for nobody.
    let write = |mut tx: Tx| async move {
        let sql = "UPDATE drifts SET about = '{\"by\": 7}' WHERE account = '000000000037'";
        tx.run(sql, &[]).await?;
        Ok((tx, ()))
    };
    store.db.write(write).await.unwrap();
    let mut late = saw(&object, 37, 30, &["valid"]);
    late.touched = vec![Touched { key: object.clone(), by: vec![who("eve", "c:Stop", 8)] }];
    assert!(store.note_seen(vec![late]).await.is_err());
    let write = |mut tx: Tx| async move {
        tx.run("DELETE FROM drifts WHERE account = '000000000037'", &[]).await?;
        Ok((tx, ()))
    };
    store.db.write(write).await.unwrap();
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
    first.drifted[0].rows[0].by = vec![who("innocent", 15)];
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
