use serde_json::json;

use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::TimeDelta::minutes(minute)
}

fn by(who: &str, call: &str, minute: i64) -> ByWhom {
    let (principal, call) = (who.to_owned(), call.to_owned());
    ByWhom { principal, call, time: Some(at(minute)), ..ByWhom::default() }
}

fn field(name: &str, actual: Value, desired: Value) -> RowSeen {
    RowSeen { field: name.to_owned(), actual, desired, ..RowSeen::default() }
}

/// A look at this minute after one at the minute before it.
fn look(rows: Rows, minute: i64, looked: Option<i64>, seen: &[RowSeen]) -> Rows {
    let (looked, right) = (looked.map(at), Some(at(0)));
    rows.after(seen, Moment { seen: at(minute), looked, right }, &|_| None)
}

fn named(rows: &[DriftRow]) -> Vec<(&str, Vec<&str>)> {
    rows.iter()
        .map(|row| (row.field.as_str(), row.by.iter().map(|by| by.principal.as_str()).collect()))
        .collect()
}

#[test]
fn each_field_has_its_own_time_and_its_own_names() {
    let (valid, logs) =
        (field("valid", json!(false), json!(true)), field("logs", json!(false), json!(true)));
    let mut rows = look(Rows::default(), 10, None, std::slice::from_ref(&valid));
    rows.name(&by("innocent", "s:Update", 5), true);
    let mut rows = look(rows, 20, Some(10), &[valid.clone(), logs.clone()]);
    rows.name(&by("eve", "s:Stop", 15), true);
    rows.name(&by("late", "s:Update", 25), true);
    assert_eq!(named(&rows.now), [("valid", vec!["innocent"]), ("logs", vec!["eve"])]);
    assert_eq!(rows.by().len(), 2);
    // What is right again takes its names with it; who did it may be known later still.
    let mut rows = look(rows, 30, Some(20), &[logs]);
    assert_eq!(named(&rows.now), [("logs", vec!["eve"])]);
    assert_eq!(rows.by().len(), 1);
    let [now, past] = rows.name(&by("mallory", "s:Update", 6), true);
    assert!(now.is_none() && past.is_some());
    assert_eq!(named(&rows.past), [("valid", vec!["innocent", "mallory"])]);
    assert_eq!(rows.past[0].until, Some(at(30)));
    // And again: another time of it.
    let mut rows = look(rows, 40, Some(30), &[valid]);
    rows.name(&by("eve", "s:Update", 35), true);
    assert_eq!(named(&rows.now), [("valid", vec!["eve"])]);
}

#[test]
fn a_call_is_held_against_what_it_may_have_changed() {
    let seen = RowSeen {
        not_by: BTreeSet::from(["s:Start".to_owned()]),
        ..field("logs", json!(false), json!(true))
    };
    let mut rows = look(Rows::default(), 10, None, &[seen]);
    assert_eq!(rows.name(&by("innocent", "s:Start", 5), true), [None, None]);
    assert!(rows.name(&by("eve", "s:Stop", 5), true)[0].is_some());
}

#[test]
fn who_gave_it_another_value_stands_beside_who_changed_it_before() {
    let length = |now: u32| field("length", json!(now), json!(14));
    let mut rows = look(Rows::default(), 10, None, &[length(8)]);
    rows.name(&by("ann", "s:Put", 5), true);
    let mut rows = look(rows, 20, Some(10), &[length(6)]);
    assert_eq!((rows.now[0].since, rows.now[0].right), (Some(at(20)), Some(at(10))));
    rows.name(&by("eve", "s:Put", 15), true);
    // Of the value before as well, who did it may be known only by now.
    rows.name(&by("bob", "s:Put", 4), true);
    assert_eq!(named(&rows.now), [("length", vec!["ann", "eve", "bob"])]);
    assert!(rows.past.is_empty());
    // With another declaration, nobody has changed anything.
    let declared = field("length", json!(6), json!(16));
    let rows = look(rows, 30, Some(20), &[declared]);
    assert_eq!(rows.now[0].since, Some(at(20)));
}

#[test]
fn elements_of_a_list_are_things_of_their_own() {
    let missing = |name: &str| field("policies", Value::Null, json!(name));
    let more = |name: &str| field("policies", json!(name), Value::Null);
    let mut rows = look(Rows::default(), 10, None, &[missing("a"), more("x")]);
    rows.name(&by("ann", "s:Detach", 5), true);
    let rows = look(rows, 20, Some(10), &[missing("b"), more("y")]);
    assert_eq!(named(&rows.now), [("policies", vec![]), ("policies", vec![])]);
    assert_eq!(rows.past.len(), 2);
}

#[test]
fn a_finding_in_other_words_is_the_same() {
    let finding =
        |words: &str| RowSeen { is_finding: true, ..field("delivery", json!(words), Value::Null) };
    let mut rows = look(Rows::default(), 10, None, &[finding("failed 1 minute ago")]);
    rows.name(&by("ann", "s:Put", 5), true);
    let rows = look(rows, 20, Some(10), &[finding("failed 11 minutes ago")]);
    assert_eq!(
        (named(&rows.now), rows.now[0].since),
        (vec![("delivery", vec!["ann"])], Some(at(10)))
    );
}

#[test]
fn what_is_so_again_after_our_own_write_somebody_has_done_anew() {
    let name = field("name", json!("EVIL"), json!("x"));
    let rows = look(Rows::default(), 10, None, std::slice::from_ref(&name));
    let moment = Moment { seen: at(20), looked: Some(at(10)), right: Some(at(0)) };
    let mut rows = rows.after(&[name], moment, &|field| (field == "name").then(|| at(12)));
    assert_eq!((rows.now[0].since, rows.now[0].right), (Some(at(20)), Some(at(12))));
    assert_eq!(rows.name(&by("nobody", "s:Set", 11), true), [None, None]);
    assert!(rows.name(&by("eve", "s:Set", 13), true)[0].is_some());
    assert!(rows.name(&by("ann", "s:Set", 9), true)[0].is_some(), "the first time");
}

#[test]
fn what_an_earlier_version_noted_of_the_object_holds_for_its_fields() {
    let about = json!({
        "drift": [{"field": "a", "actual": 1, "desired": 2}, {"field": "b", "actual": 1, "desired": 2}],
        "by": [{"principal": "eve", "call": "s:A", "time": at(5)}],
        "right": at(3), "not_by": ["s:B"],
    });
    let mut rows = Rows::of(&about, at(10)).unwrap();
    assert_eq!(named(&rows.now), [("a", vec!["eve"]), ("b", vec!["eve"])]);
    assert_eq!((rows.now[0].since, rows.now[0].right), (Some(at(10)), Some(at(3))));
    assert_eq!(rows.name(&by("innocent", "s:B", 6), true), [None, None]);
    let mut again = json!({});
    rows.note(&mut again).unwrap();
    assert_eq!(Rows::of(&again, at(99)).unwrap(), rows, "and is read as it is from then on");
    let unreadable = json!({"by": "eve"});
    assert!(Rows::of(&unreadable, at(1)).is_err());
}
