//! What is a fight, and what is none.

use serde_json::json;

use super::super::seeded::Seeded;
use super::*;

/// What is declared all the time.
const AS_EVER: &str = "as ever";

fn drift(field: &str, actual: u64, desired: u64) -> Vec<FieldDrift> {
    vec![FieldDrift {
        field: field.to_owned(),
        actual: Some(json!(actual)),
        desired: Some(json!(desired)),
    }]
}

fn fight() -> Fight {
    Fight::about("111122223333/global/iam.password_policy".parse().unwrap())
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn who(name: &str) -> Who {
    Who {
        principal: format!("arn:aws:iam::111122223333:user/{name}"),
        call: "UpdateAccountPasswordPolicy".to_owned(),
        time: Some(start()),
    }
}

#[test]
fn the_same_field_changed_back_three_times_stops_with_both_names_and_times() {
    let (rules, mut fight) = (Rules::default(), fight());
    let mut now = start();
    for turn in 0..3 {
        fight.seen(&rules, &drift("length", 8, 14), AS_EVER, Some(&who("eve")), None, now);
        assert_eq!(fight.held(), None, "turn {turn}");
        fight.writes(
            &drift("length", 8, 14),
            AS_EVER,
            "arn:aws:sts::1:assumed-role/evenkeel/r",
            "r",
            now,
        );
        fight.after("r", true);
        now += TimeDelta::hours(1);
    }
    fight.seen(&rules, &drift("length", 8, 14), AS_EVER, None, None, now);
    let held = fight.held().unwrap();
    for part in
        ["length", "assumed-role/evenkeel", "2023-11-14T22:13:20Z", "user/eve", "told nothing"]
    {
        assert!(held.reason.contains(part), "{part}: {held}");
    }
    assert_eq!(held.released_by, "evenkeel release 111122223333/global/iam.password_policy");
    // Time alone does not release it.
    fight.seen(&rules, &drift("length", 8, 14), AS_EVER, None, None, now + TimeDelta::days(99));
    assert!(fight.held().is_some() && !fight.is_over(&rules, now + TimeDelta::days(99)));
}

#[test]
fn what_says_nothing_is_not_remembered_and_what_was_remembered_is_read() {
    let mut fight = fight();
    fight.writes(&drift("length", 8, 14), AS_EVER, "us", "r", start());
    let begun = serde_json::to_value(&fight).unwrap();
    let turn = &begun["fields"]["length"][0];
    assert_eq!((&turn["came"], turn.get("back")), (&json!("begun"), None), "{begun}");
    assert_eq!(serde_json::from_value::<Fight>(begun).unwrap(), fight);
    fight.after("r", true);
    let seen = serde_json::to_value(&fight).unwrap();
    assert_eq!(seen["fields"]["length"][0].as_object().unwrap().len(), 5, "{seen}");
    assert_eq!(seen.as_object().unwrap().len(), 2, "{seen}");
    assert_eq!(serde_json::from_value::<Fight>(seen.clone()).unwrap(), fight);
    // As it was written once.
    let mut before = seen;
    before["stopped"] = json!(null);
    before["fields"]["length"][0]["back"] = json!(null);
    assert_eq!(serde_json::from_value::<Fight>(before).unwrap(), fight);
}

#[test]
fn other_fields_other_versions_and_failed_writes_are_no_fight() {
    let (rules, mut fight) = (Rules::default(), fight());
    for number in 0..20 {
        let run = format!("run {number}");
        // Each version of the baseline wants something else, and finds what the last one wrote.
        let version = drift("length", number, number + 1);
        fight.seen(&rules, &version, AS_EVER, None, None, start());
        fight.writes(&version, AS_EVER, "us", &run, start());
        fight.after(&run, true);
        let other = drift(&format!("field {number}"), 1, 2);
        fight.seen(&rules, &other, AS_EVER, None, None, start());
        fight.writes(&other, AS_EVER, "us", &run, start());
        fight.after(&run, true);
        let refused = drift("refused", 1, 2);
        fight.seen(&rules, &refused, AS_EVER, None, None, start());
        fight.writes(&refused, AS_EVER, "us", &run, start());
        fight.failed(&refused);
    }
    assert_eq!(fight.held(), None);
    assert!(fight.is_over(&rules, start() + TimeDelta::hours(24)));
}

#[test]
fn two_changes_of_one_field_in_one_run_are_no_fight_and_two_runs_are() {
    let (rules, mut fight) = (Rules { times: 1, hours: 24 }, fight());
    for actual in [8, 9] {
        fight.seen(&rules, &drift("length", actual, 14), AS_EVER, None, Some("first"), start());
        assert_eq!(fight.held(), None);
        fight.writes(&drift("length", actual, 14), AS_EVER, "us", "first", start());
    }
    fight.after("first", true);
    fight.seen(&rules, &drift("length", 8, 14), AS_EVER, None, Some("second"), start());
    assert!(fight.held().is_some());
}

/// A list of addresses, of which one was to come and one to go.
#[test]
fn the_first_time_that_an_edit_of_several_steps_is_taken_back_counts() {
    let one = |actual: Option<&str>, desired: Option<&str>| {
        let (actual, desired) = (actual.map(|it| json!(it)), desired.map(|it| json!(it)));
        vec![FieldDrift { field: "ingress".to_owned(), actual, desired }]
    };
    let (comes, goes) = (one(None, Some("new")), one(Some("old"), None));
    for back in [&comes, &goes] {
        let (rules, mut fight) = (Rules { times: 1, hours: 24 }, fight());
        for step in [&comes, &goes] {
            fight.seen(&rules, step, AS_EVER, None, Some("first"), start());
            assert_eq!(fight.held(), None);
            fight.writes(step, AS_EVER, "us", "first", start());
        }
        fight.after("first", true);
        fight.seen(&rules, back, AS_EVER, None, Some("second"), start());
        assert!(fight.held().is_some(), "{back:?}");
    }
}

#[test]
fn who_called_before_it_was_written_has_not_changed_it_back() {
    let mut fight = fight();
    let late = Who { time: Some(start() - TimeDelta::minutes(20)), ..who("carol") };
    for number in 0..4 {
        let (run, now) = (format!("run {number}"), start() + TimeDelta::minutes(number));
        let differs = drift("length", 8, 14);
        fight.seen(&Rules::default(), &differs, AS_EVER, Some(&late), Some(&run), now);
        if fight.held().is_none() {
            fight.writes(&differs, AS_EVER, "us", &run, now);
            fight.after(&run, true);
        }
    }
    let reason = fight.held().unwrap().reason;
    assert!(!reason.contains("carol"), "{reason}");
    assert!(reason.contains("somebody of whom AWS told nothing"), "{reason}");
}

/// A run that writes, up to where it comes.
fn run(fight: &mut Fight, number: i64, came: Option<bool>) {
    let (run, now) = (format!("run {number}"), start() + TimeDelta::minutes(number));
    let differs = drift("length", 8, 14);
    fight.seen(&Rules::default(), &differs, AS_EVER, None, Some(&run), now);
    if fight.held().is_none() {
        fight.writes(&differs, AS_EVER, "us", &run, now);
        if let Some(has_it) = came {
            fight.after(&run, has_it);
        }
    }
}

#[test]
fn what_killed_runs_were_about_to_write_is_no_move_of_anybody() {
    let mut fight = fight();
    for number in 0..20 {
        run(&mut fight, number, None);
        assert_eq!(fight.held(), None, "run {number}");
    }
}

#[test]
fn a_fight_is_found_through_any_number_of_killed_runs() {
    let mut fight = fight();
    for number in 0..3 {
        run(&mut fight, 3 * number, Some(true));
        run(&mut fight, 3 * number + 1, None);
        run(&mut fight, 3 * number + 2, None);
        assert_eq!(fight.held().is_some(), number == 2, "after {number}");
    }
    let reason = fight.held().unwrap().reason;
    assert_eq!(reason.matches("2023-11-14T22:").count(), 6, "only what is known: {reason}");
    assert!(reason.contains("somebody changes length back"), "{reason}");
}

#[test]
fn what_was_seen_as_declared_later_was_written_whatever_became_of_the_run() {
    let mut fight = fight();
    for number in 0..4 {
        run(&mut fight, number, None);
        fight.is_as_written();
    }
    assert!(fight.held().unwrap().reason.contains("somebody changes length back"));
}

#[test]
fn what_aws_takes_and_never_shows_is_written_in_vain_by_nobodys_fault() {
    let mut fight = fight();
    for number in 0..4 {
        run(&mut fight, number, Some(false));
    }
    let reason = fight.held().unwrap().reason;
    assert!(reason.contains("length was written 3 times and never seen as written"), "{reason}");
    assert!(!reason.contains("somebody"), "{reason}");
}

#[test]
fn in_any_history_a_field_is_written_no_more_often_than_the_rule_says() {
    for seed in 0..200 {
        let mut numbers = Seeded(seed);
        let rules = Rules { times: usize::try_from(1 + numbers.below(4)).unwrap(), hours: 24 };
        let (mut fight, mut now, mut written) = (fight(), start(), Vec::new());
        for _ in 0..60 {
            now += TimeDelta::minutes(i64::try_from(numbers.below(600)).unwrap());
            let differs = drift("length", numbers.below(10), 14);
            let told = (numbers.below(2) == 0).then(|| who("eve"));
            fight.seen(&rules, &differs, AS_EVER, told.as_ref(), None, now);
            if fight.held().is_some() {
                continue;
            }
            fight.writes(&differs, AS_EVER, "us", "run", now);
            match numbers.below(5) {
                0 => fight.failed(&differs),
                of => {
                    fight.after("run", of % 2 == 0);
                    written.push(now);
                }
            }
            let of_window = |one: &&DateTime<Utc>| now - **one < TimeDelta::hours(24);
            assert!(written.iter().filter(of_window).count() <= rules.times, "seed {seed}");
            fight = serde_json::from_value(serde_json::to_value(&fight).unwrap()).unwrap();
        }
    }
}

#[test]
fn who_edits_what_is_declared_fights_nobody_whatever_the_form_of_the_drift() {
    let (rules, mut fight) = (Rules { times: 1, hours: 24 }, fight());
    for number in 0..20 {
        // A list that says what must come and go, and never what is there: no drift is what the last one wrote.
        let (edit, run) = (format!("edit {number}"), format!("run {number}"));
        let differs = drift("rules", 100 + number, number);
        fight.seen(&rules, &differs, &edit, None, None, start());
        fight.seen(&rules, &differs, &edit, None, Some(&run), start());
        assert_eq!(fight.held(), None, "edit {number}");
        fight.writes(&differs, &edit, "us", &run, start());
        fight.after(&run, true);
    }
    // Somebody takes the last one back.
    fight.seen(&rules, &drift("rules", 0, 19), "edit 19", Some(&who("eve")), None, start());
    assert!(fight.held().unwrap().reason.contains("user/eve"));
}

#[test]
fn turns_of_what_was_declared_before_count_when_the_fight_goes_on() {
    let (rules, mut fight) = (Rules { times: 2, hours: 24 }, fight());
    let differs = drift("rules", 8, 14);
    for (number, edit) in ["first", "first", "second"].into_iter().enumerate() {
        let run = format!("run {number}");
        fight.seen(&rules, &differs, edit, None, Some(&run), start());
        assert_eq!(fight.held(), None, "{number}");
        fight.writes(&differs, edit, "us", &run, start());
        fight.after(&run, true);
    }
    fight.seen(&rules, &differs, "second", None, None, start());
    assert!(fight.held().is_some());
}

#[test]
fn what_an_earlier_version_wrote_counts_as_it_did() {
    let (rules, mut fight) = (Rules { times: 1, hours: 24 }, fight());
    fight.writes(&drift("rules", 8, 14), AS_EVER, "us", "r", start());
    fight.after("r", true);
    let mut before = serde_json::to_value(&fight).unwrap();
    before["fields"]["rules"][0].as_object_mut().unwrap().remove("declared").unwrap();
    let mut fight: Fight = serde_json::from_value(before).unwrap();
    fight.seen(&rules, &drift("rules", 8, 14), AS_EVER, None, None, start());
    assert!(fight.held().is_some());
}
