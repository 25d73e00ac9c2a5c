use proptest::prelude::*;

use super::super::letter::{Letter, Reader, grouped, letters};
use super::super::matter::{About, Known};
use super::*;
use crate::store::history::DriftRow;

const ACCOUNT: &str = "111122223333";

fn account() -> AccountId {
    ACCOUNT.parse().unwrap()
}

fn time(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000 + seconds, 0).unwrap()
}

fn matter(object: u8, state: u8, on: On, severity: Severity) -> Matter {
    let kind = if object.is_multiple_of(2) { "iam.password_policy" } else { "s3.bucket" };
    Matter {
        subject: Subject {
            account: Some(account()),
            item: Some(kind.parse().unwrap()),
            object: object.to_string(),
            targets: vec!["prod".to_owned()],
            ..Subject::named(format!("{ACCOUNT}/x/{kind}/{object}"), format!("{kind} {object}"))
        },
        on,
        severity,
        state: state.to_string(),
        what: vec![format!("field {state}")],
        did: "only reports it".to_owned(),
        look: "evenkeel plan".to_owned(),
    }
}

fn caller(name: &str) -> ByWhom {
    ByWhom {
        principal: name.to_owned(),
        call: "s:Call".to_owned(),
        time: Some(time(0)),
        ..ByWhom::default()
    }
}

fn so_far(since: DateTime<Utc>, by: Vec<ByWhom>) -> Known {
    Known { since, by, rows: Vec::new() }
}

fn all() -> Filter {
    Filter {
        on: On::ALL.into(),
        severity: Severity::Low,
        kinds: BTreeSet::new(),
        targets: BTreeSet::new(),
    }
}

/// A look at so many objects: each is as declared (0), unknown (1), or differs in a way (2 and more).
fn look(at: i64, objects: &[u8]) -> Seen {
    let mut seen = Seen::at(time(at));
    seen.about.run = Some(format!("run-{at}"));
    seen.accounts.insert(account());
    for (object, state) in (0..).zip(objects) {
        let matter = matter(object, *state, On::Drift, Severity::Medium);
        match state {
            0 => seen.fine.add(&matter.subject.key),
            1 => seen.fine.unsure(&account(), matter.subject.item.as_ref().unwrap()),
            _ => seen.standing.push(matter),
        }
    }
    seen
}

fn tell(book: &mut Book, seen: &Seen) -> Vec<Notice> {
    worth(book, seen, Some(&account()), &all())
}

/// How each object was told to be, by its latest notice.
fn told(notices: &[Notice], known: &mut BTreeMap<String, bool>) {
    for notice in notices {
        let key = notice.places[0].subject.key.clone();
        let is_open = known.get(&key).copied().unwrap_or(false);
        match notice.status {
            Status::New => assert!(!is_open, "told to begin twice: {notice:?}"),
            Status::Changed => assert!(is_open, "told to change before it began: {notice:?}"),
            _ => assert!(is_open, "told to be over twice: {notice:?}"),
        }
        known.insert(key, matches!(notice.status, Status::New | Status::Changed));
    }
}

proptest! {
    /// Whatever is seen in whatever order: nothing begins or ends twice, what is seen again is told once,
    /// and after a look that knows everything, what was told is what is so.
    #[test]
    fn each_thing_begins_once_and_ends_once(
        looks in proptest::collection::vec(proptest::collection::vec(0_u8..5, 6), 1..12)
    ) {
        let mut book = Book::default();
        let mut known = BTreeMap::new();
        let mut ids = BTreeSet::new();
        for (at, objects) in (0..).zip(&looks) {
            let seen = look(at, objects);
            let notices = tell(&mut book, &seen);
            told(&notices, &mut known);
            for notice in &notices {
                prop_assert!(!notice.id.is_empty());
                ids.insert((notice.id.clone(), notice.status));
            }
            prop_assert_eq!(tell(&mut book, &look(at + 100, objects)), Vec::new());
        }
        let last: Vec<u8> = looks.last().unwrap().iter().map(|state| if *state == 1 { 0 } else { *state }).collect();
        told(&tell(&mut book, &look(1_000, &last)), &mut known);
        for (object, state) in (0_u8..).zip(&last) {
            let key = matter(object, 0, On::Drift, Severity::Low).subject.key;
            prop_assert_eq!(known.get(&key).copied().unwrap_or(false), *state > 1);
            prop_assert_eq!(book.open.contains_key(&key), *state > 1);
        }
    }

    /// The order in which things are seen changes nothing, nor does how they come together in letters.
    #[test]
    fn the_order_changes_nothing(
        objects in proptest::collection::vec(0_u8..5, 1..40), seed in any::<u64>()
    ) {
        let (mut one, mut other) = (Book::default(), Book::default());
        let seen = look(0, &objects);
        let mut mixed = seen.clone();
        let middle = usize::try_from(seed).unwrap_or(0) % mixed.standing.len().max(1);
        mixed.standing.rotate_left(middle);
        mixed.standing.reverse();
        let letter = |notices| letters(Reader::People, time(0), &About::default(), notices);
        prop_assert_eq!(letter(tell(&mut one, &seen)), letter(tell(&mut other, &mixed)));
        prop_assert_eq!(one, other);
    }

    /// A channel is told what it asks for, all of it, and nothing else.
    #[test]
    fn a_filter_leaves_out_and_adds_nothing(
        objects in proptest::collection::vec((0_usize..7, 0_usize..4), 1..20),
        on in proptest::collection::btree_set(0_usize..7, 1..7),
        least in 0_usize..4,
        kind in proptest::option::of(prop_oneof![Just("iam"), Just("s3.bucket")]),
    ) {
        let severities = [Severity::Low, Severity::Medium, Severity::High, Severity::Critical];
        let mut seen = Seen::at(time(0));
        for (object, (on, severity)) in (0..).zip(&objects) {
            seen.standing.push(matter(object, 2, On::ALL[*on], severities[*severity]));
        }
        let filter = Filter {
            on: on.iter().map(|on| On::ALL[*on]).collect(),
            severity: severities[least],
            kinds: kind.iter().map(|kind| (*kind).to_owned()).collect(),
            targets: BTreeSet::new(),
        };
        let notices = worth(&mut Book::default(), &seen, Some(&account()), &filter);
        let expected = seen.standing.iter().filter(|matter| {
            passes(&filter, matter.on, matter.severity, &matter.subject)
        });
        prop_assert_eq!(notices.len(), expected.count());
        for notice in notices {
            prop_assert!(filter.on.contains(&notice.on) && notice.severity >= filter.severity);
        }
    }
}

#[test]
fn unknown_and_not_looked_at_end_nothing() {
    let mut book = Book::default();
    assert_eq!(tell(&mut book, &look(0, &[2, 2])).len(), 2);
    assert_eq!(tell(&mut book, &look(1, &[1, 1])), Vec::new());
    let mut elsewhere = Seen::at(time(2));
    elsewhere.accounts.insert(account());
    assert_eq!(tell(&mut book, &elsewhere), Vec::new());
    // A whole look at the account that does not meet it any more, and knows everything of its item.
    let mut whole = Seen::at(time(3));
    whole.accounts.insert(account());
    whole.fine.whole(&account(), BTreeSet::new());
    whole.fine.unsure(&account(), &"s3.bucket".parse().unwrap());
    let over = tell(&mut book, &whole);
    assert_eq!(over.len(), 1, "{over:?}");
    assert_eq!(over[0].status, Status::Resolved);
    assert!(over[0].what[0].contains("not there any more"), "{over:?}");
}

#[test]
fn what_was_put_right_ends_what_was_told_and_says_since_when_and_by_whom() {
    let mut book = Book::default();
    let by = ByWhom {
        principal: "arn:aws:iam::111122223333:user/eve".to_owned(),
        call: "iam.amazonaws.com:UpdateAccountPasswordPolicy".to_owned(),
        ..ByWhom::default()
    };
    let mut first = look(0, &[2]);
    let other = ByWhom { principal: "innocent".to_owned(), ..ByWhom::default() };
    let key = first.standing[0].subject.key.clone();
    first.heard.insert(format!("{key}1"), vec![other]);
    first.heard.insert(key, vec![by.clone()]);
    tell(&mut book, &first);
    let mut second = look(60, &[]);
    let mut put_right = matter(0, 2, On::Applied, Severity::Low);
    put_right.did = "put it right".to_owned();
    second.fine.add(&put_right.subject.key);
    second.done.push(put_right);
    let notices = tell(&mut book, &second);
    assert_eq!(notices.len(), 1, "{notices:?}");
    assert_eq!((notices[0].status, notices[0].on), (Status::Done, On::Applied));
    assert_eq!(notices[0].places[0].since, time(0));
    assert_eq!(notices[0].places[0].by, [by]);
    assert_eq!(book, Book::default());
    // Who is not told what was put right is told that it is over.
    let mut book = Book::default();
    let filter = Filter { on: [On::Drift].into(), ..all() };
    assert_eq!(worth(&mut book, &first, Some(&account()), &filter).len(), 1);
    let over = worth(&mut book, &second, Some(&account()), &filter);
    assert_eq!(over.len(), 1);
    assert_eq!((over[0].status, over[0].on), (Status::Resolved, On::Drift));
}

#[test]
fn who_did_it_is_told_once_it_is_known() {
    let by = ByWhom { principal: "eve".to_owned(), ..ByWhom::default() };
    let mut book = Book::default();
    let mut seen = look(0, &[2]);
    let key = seen.standing[0].subject.key.clone();
    seen.known.insert(key.clone(), so_far(time(0), Vec::new()));
    let first = tell(&mut book, &seen).remove(0);
    assert_eq!((first.status, first.places[0].by.len()), (Status::New, 0));
    assert!(tell(&mut book, &seen).is_empty());
    seen.known.insert(key, so_far(time(0), vec![by.clone()]));
    let named = tell(&mut book, &seen).remove(0);
    assert_eq!((named.status, &named.places[0].by), (Status::Changed, &vec![by]));
    assert_ne!(first.id, named.id);
    assert!(tell(&mut book, &seen).is_empty(), "once");
}

#[test]
fn who_else_may_have_done_it_is_told_as_well() {
    let by = |name: &str, second| ByWhom {
        principal: name.to_owned(),
        call: "s:Call".to_owned(),
        time: Some(time(second)),
        ..ByWhom::default()
    };
    let mut book = Book::default();
    let mut seen = look(0, &[2]);
    let key = seen.standing[0].subject.key.clone();
    let mut known: Vec<ByWhom> = Vec::new();
    let mut ids = BTreeSet::new();
    for (count, name) in (0..).zip(["ann", "bob", "cyd", "dan", "eve"]) {
        known.push(by(name, count));
        seen.known.insert(key.clone(), so_far(time(0), known.clone()));
        let told = tell(&mut book, &seen).remove(0);
        assert!(told.places[0].by.iter().any(|by| by.principal == name), "{told:?}");
        let also = format!("who may have changed it as well is known by now: s:Call by {name}");
        assert_eq!(told.what.contains(&also), count > 0, "{told:?}");
        assert_eq!(told.status, if count == 0 { Status::New } else { Status::Changed });
        ids.insert(told.id);
        assert!(tell(&mut book, &seen).is_empty(), "once");
    }
    assert_eq!(ids.len(), 5);
    known.push(by("eve", 9));
    seen.known.insert(key, so_far(time(0), known));
    assert!(tell(&mut book, &seen).is_empty(), "she is known to have called that");
}

#[test]
fn each_line_says_who_may_have_done_just_that() {
    let row = |field: &str, names: &[&str]| DriftRow {
        field: field.to_owned(),
        by: names.iter().map(|name| caller(name)).collect(),
        ..DriftRow::default()
    };
    let see = |state: u8, rows: Vec<DriftRow>| {
        let mut seen = look(0, &[state]);
        let matter = &mut seen.standing[0];
        matter.what = rows.iter().map(|row| row.field.clone()).collect();
        let key = matter.subject.key.clone();
        seen.rows.insert(key.clone(), rows.iter().map(DriftRow::mark).collect());
        let by = rows.iter().flat_map(|row| row.by.clone()).collect();
        seen.known.insert(key, Known { since: time(0), by, rows });
        seen
    };
    let said = |notice: &Notice| -> (Vec<String>, Vec<String>) {
        let by = notice.places[0].by.iter().map(|by| by.principal.clone()).collect();
        (by, notice.what.clone())
    };
    let are = |names: &[&str], lines: &[&str]| -> (Vec<String>, Vec<String>) {
        let all = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        (all(names), all(lines))
    };
    let mut book = Book::default();
    let first = tell(&mut book, &see(2, vec![row("valid", &["innocent"])])).remove(0);
    assert_eq!(said(&first), are(&["innocent"], &["valid"]));
    // It grows by what somebody else does.
    let both = vec![row("valid", &["innocent"]), row("logs", &["eve"])];
    let grown = tell(&mut book, &see(3, both)).remove(0);
    assert_eq!(grown.status, Status::Changed);
    let each = ["valid (after s:Call by innocent)", "logs (after s:Call by eve)"];
    assert_eq!(said(&grown), are(&["eve", "innocent"], &each));
    // And nobody is named for what is right again by now.
    let rest = tell(&mut book, &see(4, vec![row("logs", &["eve"])])).remove(0);
    assert_eq!(said(&rest), are(&["eve"], &["logs"]));
    let over = tell(&mut book, &look(9, &[0])).remove(0);
    assert_eq!((over.status, said(&over).0), (Status::Resolved, vec!["eve".to_owned()]));
}

#[test]
fn how_many_more_may_have_done_it_is_said() {
    let mut seen = look(0, &[2]);
    let key = seen.standing[0].subject.key.clone();
    let mut all = ["", "a", "b", "c", "d", "e"].map(caller).to_vec();
    all[0].more = 11;
    seen.known.insert(key, so_far(time(0), all));
    let place = tell(&mut Book::default(), &seen).remove(0).places.remove(0);
    assert_eq!((place.by.len(), place.more_by, place.not_kept), (3, 2, 12));
}

#[test]
fn who_did_what_is_over_is_told_where_that_is_asked_for_and_opens_nothing() {
    let mut seen = look(0, &[]);
    let mut matter = matter(0, 2, On::Applied, Severity::Medium);
    matter.state = "named 1".to_owned();
    let by = ByWhom { principal: "eve".to_owned(), ..ByWhom::default() };
    seen.late.push(Late { matter, since: time(-60), by: vec![by.clone()] });
    let mut book = Book::default();
    let told = tell(&mut book, &seen).remove(0);
    assert_eq!((told.status, told.on), (Status::Done, On::Applied));
    assert_eq!((told.places[0].since, &told.places[0].by), (time(-60), &vec![by]));
    assert_eq!(book, Book::default());
    let filter = Filter { severity: Severity::High, ..all() };
    assert!(worth(&mut book, &seen, Some(&account()), &filter).is_empty());
    assert!(worth(&mut book, &seen, None, &all()).is_empty(), "it is another account's");
}

#[test]
fn what_is_told_together_is_by_all_who_touched_some_of_it() {
    let mut seen = look(0, &[]);
    let by = |name: &str| vec![ByWhom { principal: name.to_owned(), ..ByWhom::default() }];
    for (key, name) in
        [("x/s3.bucket/a", "ann"), ("y/s3.bucket/b", "bob"), ("x/s3.bucket.c/c", "cyd")]
    {
        seen.heard.insert(format!("{ACCOUNT}/{key}"), by(name));
    }
    let key = super::super::matter::key_of_all(&account(), &"s3.bucket".parse().unwrap());
    let who = seen.by(&Subject::named(key, "many"));
    let who: Vec<&str> = who.iter().map(|by| by.principal.as_str()).collect();
    assert_eq!(who, ["ann", "bob"]);
}

#[test]
fn what_the_history_knows_is_not_told_to_begin_now() {
    let mut seen = look(500, &[2]);
    let key = seen.standing[0].subject.key.clone();
    let by = ByWhom { principal: "eve".to_owned(), ..ByWhom::default() };
    seen.known.insert(key, so_far(time(7), vec![by.clone()]));
    let notices = tell(&mut Book::default(), &seen);
    assert_eq!((notices[0].places[0].since, &notices[0].places[0].by), (time(7), &vec![by]));
}

#[test]
fn a_thousand_alike_are_one() {
    let mut seen = Seen::at(time(0));
    for object in 0..1_000_u32 {
        let mut one = matter(1, 2, On::Drift, Severity::Medium);
        one.subject.key = format!("{ACCOUNT}/x/s3.bucket/{object}");
        seen.standing.push(one);
    }
    seen.standing.push(matter(2, 3, On::Failed, Severity::High));
    let notices = tell(&mut Book::default(), &seen);
    assert_eq!(notices.len(), 1_001);
    let groups = grouped(notices.clone());
    assert_eq!(groups.len(), 2);
    let people = letters(Reader::People, time(0), &About::default(), notices.clone());
    assert_eq!(people.len(), 1);
    assert_eq!(people[0].notices.iter().map(|notice| notice.count).sum::<usize>(), 1_001);
    // What matters most comes first, and no letter grows with the fleet.
    assert_eq!(people[0].notices[0].on, On::Failed);
    assert!(serde_json::to_vec(&people[0]).unwrap().len() < 64 * 1024);
    let programs = letters(Reader::Program, time(0), &About::default(), notices);
    assert_eq!(programs.iter().map(|letter| letter.notices.len()).sum::<usize>(), 1_001);
}

#[test]
fn an_account_with_far_too_much_is_told_by_its_items() {
    let mut seen = Seen::at(time(0));
    for object in 0..5_000_u32 {
        let mut one = matter(1, 2, On::Drift, Severity::Medium);
        one.subject.key = format!("{ACCOUNT}/x/s3.bucket/{object}");
        seen.standing.push(one);
    }
    seen.standing.push(matter(2, 3, On::Failed, Severity::High));
    let mut book = Book::default();
    let notices = tell(&mut book, &seen);
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(
        notices.iter().any(|notice| notice.places[0].subject.title.starts_with("5000 objects"))
    );
    assert_eq!(tell(&mut book, &seen), Vec::new());
}

#[test]
fn a_letter_that_takes_in_others_stays_short_and_counts_the_rest() {
    let mut book = Book::default();
    let mut all = Vec::new();
    for round in 0..60_u8 {
        let mut seen = Seen::at(time(i64::from(round)));
        seen.standing.push(matter(round, round, On::Drift, Severity::Medium));
        all.extend(letters(Reader::People, time(0), &About::default(), tell(&mut book, &seen)));
    }
    let mut all = all.into_iter();
    let first: Letter = all.next().unwrap();
    let whole = all.fold(first, |mut letter, later| {
        letter.take_in(later);
        letter
    });
    assert_eq!(whole.notices.len() + whole.more, 60);
    assert!(whole.notices.len() <= 20);
}

fn all_right(at: i64) -> Seen {
    look(at, &[0])
}

/// A look of one of two targets of the account: an object of its own that differs, or none.
fn look_of(target: &str, other: &str, at: i64, state: Option<u8>) -> Seen {
    let mut seen = look(at, &[]);
    seen.fine.whole(&account(), [other.to_owned()].into());
    seen.standing.extend(state.map(|state| {
        let mut matter = matter(0, state, On::Drift, Severity::Medium);
        matter.subject.targets = vec![target.to_owned()];
        matter
    }));
    seen
}

#[test]
fn what_another_target_of_the_account_declares_is_not_over_where_it_is_not_seen() {
    let of_two = Filter { targets: ["two".to_owned()].into(), ..all() };
    for filter in [all(), of_two] {
        let mut book = Book::default();
        let mut statuses = |seen: &Seen| -> Vec<Status> {
            let told = worth(&mut book, seen, Some(&account()), &filter);
            told.iter().map(|notice| notice.status).collect()
        };
        let one = |at, state| look_of("one", "two", at, state);
        let two = |at, state| look_of("two", "one", at, state);
        assert_eq!(statuses(&two(0, Some(2))), [Status::New]);
        for at in [10, 30] {
            assert_eq!(statuses(&one(at, None)), [], "the other target has not looked at it");
            assert_eq!(statuses(&two(at + 10, Some(2))), []);
        }
        // The first one declares it as well, and the second one no longer.
        assert_eq!(statuses(&one(50, Some(2))), [], "it is the same drift");
        assert_eq!(statuses(&two(60, None)), []);
        let mut unsure = one(70, None);
        unsure.fine.unsure(&account(), &"iam.password_policy".parse().unwrap());
        assert_eq!(statuses(&unsure), [], "nobody knows");
        assert_eq!(statuses(&one(80, None)), [Status::Resolved], "nobody declares it any more");
        assert_eq!(statuses(&two(90, None)), []);
    }
}

#[test]
fn however_many_are_named_each_is_told_of_once_and_who_comes_next_is_named_first() {
    let mut book = Book::default();
    let key = matter(0, 2, On::Drift, Severity::Medium).subject.key;
    let mut look = |at: i64, names: &[ByWhom]| {
        let mut seen = look(at, &[2]);
        seen.known.insert(key.clone(), so_far(time(0), names.to_vec()));
        tell(&mut book, &seen)
    };
    let mut names: Vec<ByWhom> = (0..60).map(|number| caller(&format!("u{number}"))).collect();
    let first = look(0, &names);
    assert_eq!((first.len(), first[0].places[0].by.len(), first[0].places[0].more_by), (1, 3, 57));
    for at in [10, 20] {
        assert_eq!(look(at, &names), [], "all of them were told of");
    }
    names.push(caller("eve"));
    let next = look(30, &names);
    assert_eq!(next[0].places[0].by[0].principal, "eve", "{next:?}");
    assert_eq!((next.len(), next[0].places[0].more_by), (1, 58));
    assert_eq!(look(40, &names), []);
    let over = all_right(50);
    let over = tell(&mut book, &over);
    assert_eq!((over[0].status, over[0].places[0].more_by), (Status::Resolved, 58));
}

#[test]
fn what_one_of_two_targets_holds_back_is_not_told_with_each_run_of_theirs() {
    let mut book = Book::default();
    let mut at = 0;
    let mut told = |target: &str, on: On, state: u8| {
        at += 1;
        let mut seen = Seen::at(time(at));
        let mut one = matter(0, state, on, Severity::Medium);
        one.subject.targets = vec![target.to_owned()];
        seen.standing.push(one);
        let told = worth(&mut book, &seen, Some(&account()), &all());
        told.iter().map(|notice| notice.status).collect::<Vec<_>>()
    };
    assert_eq!(told("one", On::HeldBack, 1), [Status::New]);
    assert_eq!(told("two", On::Drift, 2), [Status::Changed]);
    for _ in 0..3 {
        assert!(told("one", On::HeldBack, 1).is_empty());
        assert!(told("two", On::Drift, 2).is_empty());
    }
    assert_eq!(told("one", On::Drift, 2), [Status::Changed], "nothing holds it back any more");
    assert!(told("two", On::Drift, 2).is_empty() && told("one", On::Drift, 2).is_empty());
    assert!(told("three", On::Drift, 2).is_empty(), "another one says the same");
    assert_eq!(told("three", On::Drift, 3), [Status::Changed]);
}
