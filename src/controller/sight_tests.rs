use super::*;

fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

fn account(text: &str) -> AccountId {
    text.parse().unwrap()
}

fn sight() -> Sight {
    let heartbeat = Heartbeat::default();
    let objectives =
        Objectives { full: Some("1h".parse().unwrap()), event: Some("1m".parse().unwrap()) };
    let mut sight = Sight::new(Some(heartbeat), objectives);
    let home = Region::new("eu-west-1");
    for target in ["s", "t"] {
        sight.looked(&account("111122223333"), &home, Some(target), minutes(0));
    }
    sight
}

#[test]
fn who_is_not_heard_of_in_time_is_blind_until_it_is() {
    let (mut sight, one) = (sight(), account("111122223333"));
    let begun = sight.begin(minutes(5), 9);
    assert_eq!(begun, [(one.clone(), Region::new("eu-west-1"))]);
    assert_eq!(sight.wakes_at(true), Some(minutes(10)));
    assert!(sight.begin(minutes(9), 9).is_empty());
    assert_eq!(sight.came(&one, minutes(6)), None, "in time: nothing to say");
    assert_eq!(sight.begin(minutes(10), 9).len(), 1);
    assert_eq!(sight.begin(minutes(15), 9).len(), 1);
    assert_eq!(sight.wakes_at(false), Some(minutes(25)));
    assert!(sight.tick(minutes(24)).is_empty());
    let blind = sight.tick(minutes(25));
    assert_eq!(blind, [Change::Blind { account: one.clone(), silent: minutes(15) }]);
    assert!(sight.tick(minutes(26)).is_empty(), "it is said once");
    assert_eq!(sight.blind(minutes(26)), std::slice::from_ref(&one));
    assert!(sight.blind(minutes(27)).is_empty());
    assert_eq!(sight.blind(minutes(31)), std::slice::from_ref(&one), "looked at more often");
    assert_eq!(sight.all(minutes(31))[0].blind, Some(minutes(21)));
    let sees = sight.came(&one, minutes(32));
    assert_eq!(sees, Some(Change::Sees { account: one, blind: minutes(22) }));
    assert!(sight.blind(minutes(60)).is_empty());
}

#[test]
fn who_was_silent_before_a_restart_is_so_afterwards() {
    let (mut before, one) = (sight(), account("111122223333"));
    assert_eq!(before.begin(minutes(5), 9).len(), 1);
    assert!(before.silences(minutes(5)).is_empty(), "not yet");
    let half = before.silences(minutes(13));
    let silence = |silent, is_blind| Silence { account: one.clone(), silent, is_blind };
    assert_eq!(half, [silence(minutes(8), false)]);
    assert_eq!(before.tick(minutes(25)).len(), 1);
    assert_eq!(before.silences(minutes(26)), [silence(minutes(21), true)]);

    let again = |silences: Vec<Silence>| {
        let mut sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
        sight.remember(silences);
        sight.looked(&one, &Region::new("eu-west-1"), Some("t"), minutes(1));
        sight
    };
    // Not blind yet: the rest of the time counts from the first look on.
    let mut sight = again(half);
    assert_eq!(sight.wakes_at(false), Some(minutes(8)));
    assert!(sight.tick(minutes(7)).is_empty());
    assert_eq!(
        sight.tick(minutes(8)),
        [Change::Blind { account: one.clone(), silent: minutes(15) }]
    );
    // Blind already: nobody is told again, and it is looked at often.
    let mut sight = again(vec![silence(minutes(21), true)]);
    assert!(sight.tick(minutes(2)).is_empty());
    assert_eq!(sight.all(minutes(2))[0].blind, Some(minutes(22)));
    assert_eq!(sight.blind(minutes(2)), std::slice::from_ref(&one));
    assert_eq!(sight.silences(minutes(3)), [silence(minutes(23), true)]);
    let sees = sight.came(&one, minutes(4));
    assert_eq!(sees, Some(Change::Sees { account: one.clone(), blind: minutes(24) }));
    assert!(sight.silences(minutes(4)).is_empty());
    assert!(sight.tick(minutes(60)).is_empty(), "nothing of before is left");
}

#[test]
fn who_was_silent_before_a_restart_is_asked_at_once_and_other_processes_are_answered() {
    let (one, other) = (account("111122223333"), account("222233334444"));
    let mut sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
    let silence = |account: &AccountId, silent| Silence {
        account: account.clone(),
        silent: minutes(silent),
        is_blind: false,
    };
    sight.remember([silence(&one, 12)]);
    let home = Region::new("eu-west-1");
    for account in [&one, &other] {
        sight.looked(account, &home, Some("t"), Duration::from_secs(1));
    }
    let begun = sight.begin(Duration::from_secs(2), 9);
    assert_eq!(begun, [(one.clone(), home)], "and the other one in its turn");
    // What the process before has called comes to this one: until that call, it was heard of.
    sight.came_to_another(&one, minutes(20), minutes(1));
    assert!(sight.silences(minutes(1))[0].silent > minutes(12), "before it fell silent");
    sight.came_to_another(&one, minutes(2), minutes(1));
    assert_eq!(sight.silences(minutes(2)), [silence(&one, 3)]);
    assert!(sight.tick(minutes(13)).is_empty());
    assert_eq!(sight.tick(minutes(14)).len(), 1);
    sight.came_to_another(&one, minutes(0), minutes(14));
    assert!(sight.all(minutes(14))[0].blind.is_some(), "until it answers to us");
    // Before the first look, too.
    let mut sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
    sight.remember([silence(&one, 12), Silence { is_blind: true, ..silence(&other, 30) }]);
    sight.came_to_another(&one, minutes(2), minutes(1));
    sight.came_to_another(&other, minutes(2), minutes(1));
    let left = sight.silences(minutes(1));
    assert_eq!(left[0], silence(&one, 2));
    assert_eq!((left[1].silent, left[1].is_blind), (minutes(30), true));
    assert_eq!(sight.came(&one, minutes(1)), None);
    let sees = sight.came(&other, minutes(1));
    assert_eq!(sees, Some(Change::Sees { account: other, blind: minutes(30) }));
    assert!(sight.silences(minutes(2)).is_empty());
}

#[test]
fn who_leaves_while_blind_is_said_to_and_may_be_blind_again() {
    let (mut sight, one) = (sight(), account("111122223333"));
    let left = || [Change::Left { account: one.clone() }];
    sight.keep_targets(&["s", "t"].map(str::to_owned).into());
    assert_eq!(sight.begin(minutes(5), 9).len(), 1);
    assert_eq!(sight.tick(minutes(20)).len(), 1);
    sight.keep_accounts("s", &BTreeSet::new());
    assert!(sight.tick(minutes(21)).is_empty(), "the other target selects it still");
    sight.keep_accounts("t", &BTreeSet::new());
    assert_eq!(sight.tick(minutes(22)), left());
    assert!(sight.tick(minutes(23)).is_empty(), "once");
    assert!(sight.silences(minutes(23)).is_empty());
    sight.looked(&one, &Region::new("eu-west-1"), Some("t"), minutes(30));
    assert_eq!(sight.begin(minutes(31), 9).len(), 1);
    assert_eq!(sight.tick(minutes(46)).len(), 1, "it is blind anew");
    sight.keep_targets(&BTreeSet::from(["s".to_owned()]));
    assert_eq!(sight.tick(minutes(47)), left());

    // It has left while nobody was there.
    let silence = Silence { account: one.clone(), silent: minutes(20), is_blind: true };
    let mut sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
    sight.remember([silence]);
    sight.keep_accounts("s", &BTreeSet::new());
    sight.keep_targets(&["s", "t"].map(str::to_owned).into());
    assert!(sight.tick(minutes(1)).is_empty(), "the other target may select it");
    assert_eq!(sight.silences(minutes(1)).len(), 1);
    sight.keep_accounts("t", &BTreeSet::from([one.clone()]));
    assert!(sight.tick(minutes(2)).is_empty(), "it does");
    sight.keep_accounts("t", &BTreeSet::new());
    assert_eq!(sight.tick(minutes(3)), left());
    assert!(sight.silences(minutes(3)).is_empty());
}

#[test]
fn a_call_that_could_not_be_made_expects_no_event() {
    let (mut sight, one) = (sight(), account("111122223333"));
    assert_eq!(sight.begin(minutes(5), 9).len(), 1);
    sight.not_made(&one);
    assert!(sight.tick(minutes(60)).is_empty());
    assert_eq!(sight.begin(minutes(10), 9).len(), 1, "it is tried again");
    assert_eq!(sight.tick(minutes(25)).len(), 1);
    assert_eq!(sight.begin(minutes(26), 9).len(), 1);
    sight.not_made(&one);
    assert!(sight.all(minutes(27))[0].blind.is_some(), "it stays blind until it is heard of");
}

#[test]
fn ages_are_told_against_their_objectives() {
    let (mut sight, one) = (sight(), account("111122223333"));
    let home = Region::new("eu-west-1");
    sight.looked(&one, &home, Some("s"), minutes(50));
    sight.heard(&one, Duration::from_secs(20), minutes(55));
    let seen = sight.all(minutes(61)).remove(0);
    assert_eq!((seen.full, seen.event), (Some(minutes(61)), Some(minutes(6))), "the oldest counts");
    assert_eq!(seen.missed, ["full"]);
    sight.looked(&one, &home, None, minutes(61));
    sight.heard(&one, Duration::from_secs(90), minutes(61));
    let seen = sight.all(minutes(62)).remove(0);
    assert_eq!((seen.full, seen.missed), (Some(minutes(1)), vec!["event"]));
    sight.keep_accounts("s", &BTreeSet::new());
    assert_eq!(sight.all(minutes(62)).len(), 1, "the other target selects it still");
    sight.keep_accounts("t", &BTreeSet::from([one.clone()]));
    assert_eq!(sight.all(minutes(62)).len(), 1);
    sight.keep_accounts("t", &BTreeSet::new());
    assert!(sight.all(minutes(62)).is_empty(), "no target selects it any more");
    sight.looked(&one, &home, Some("s"), minutes(61));
    sight.keep_targets(&BTreeSet::from(["other".to_owned()]));
    assert!(sight.all(minutes(62)).is_empty());
    sight.heard(&account("999988887777"), Duration::ZERO, minutes(62));
    assert!(sight.all(minutes(62)).is_empty(), "of what nobody declares nothing is remembered");
}

#[test]
fn accounts_do_not_come_together() {
    let mut sight = Sight::new(Some(Heartbeat::default()), Objectives::default());
    for number in 0..1000_u64 {
        let account = account(&format!("{:012}", 100_000_000_000 + number * 7_919));
        sight.looked(&account, &Region::new("eu-west-1"), Some("t"), Duration::ZERO);
    }
    let half = sight.begin(Duration::from_secs(150), 1000).len();
    assert!((400..600).contains(&half), "{half} of 1000 in half the time");
    assert_eq!(sight.begin(Duration::from_secs(299), 9).len(), 9, "no more than were asked for");
    assert_eq!(sight.begin(minutes(5), 1000).len(), 1000 - half - 9);
}
