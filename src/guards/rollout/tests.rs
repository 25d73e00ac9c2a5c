use super::super::seeded::Seeded;
use super::*;

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn fleet() -> BTreeSet<AccountId> {
    (1..=40).map(account).collect()
}

fn waves() -> Vec<Wave> {
    let wave = |name: &str, accounts: &[u64], percent, soak_minutes| Wave {
        name: name.to_owned(),
        accounts: accounts.iter().map(|one| format!("{one:012}")).collect(),
        percent,
        soak_minutes,
    };
    vec![wave("canary", &[1, 2], None, 60), wave("some", &[], Some(30), 30)]
}

fn version(digest: &str, items: &[(&str, &str)]) -> Version {
    let items = items.iter().map(|(item, digest)| ((*item).to_owned(), (*digest).to_owned()));
    Version { digest: digest.to_owned(), items: items.collect() }
}

fn start() -> DateTime<Utc> {
    DateTime::from_timestamp(1_700_000_000, 0).unwrap()
}

fn item(name: &str) -> ItemName {
    name.parse().unwrap()
}

const NEW: &str = "iam.password_policy";
const OLD: &str = "s3.account_public_access_block";

fn begun() -> Rollout {
    let mut rollout = Rollout::of("all");
    rollout.done = Some(version("v1", &[(OLD, "1"), (NEW, "1")]));
    rollout.look(&waves(), &version("v2", &[(OLD, "1"), (NEW, "2")]), &fleet(), start());
    rollout
}

#[test]
fn a_new_version_goes_on_only_while_the_wave_before_is_healthy_for_its_soak_time() {
    let (waves, mut rollout) = (waves(), begun());
    let next = version("v2", &[(OLD, "1"), (NEW, "2")]);
    let of = |rollout: &Rollout, number, name| rollout.held(&waves, &account(number), &item(name));
    let last = (3..=40).find(|one| wave_of(&waves, &account(*one)) == 2).unwrap();
    assert_eq!(of(&rollout, 1, NEW), None);
    assert_eq!(of(&rollout, last, OLD), None, "what is the same is repaired everywhere");
    let held = of(&rollout, last, NEW).unwrap();
    assert!(held.reason.contains("\"canary\"") && held.reason.contains("the rest"), "{held}");
    assert!(held.reason.contains("neither is written"), "it was in v1, otherwise: {held}");
    let hour = |hours| start() + TimeDelta::hours(hours);
    let good = |rollout: &mut Rollout, number, at| {
        rollout.heard(&waves, "v2", &account(number), &Health::Good, (at, at));
    };
    let ends = |rollout: &mut Rollout, at| {
        rollout.goes_on(&waves, "v2", at);
        rollout.progress(&waves).wave.unwrap_or_default()
    };
    good(&mut rollout, 1, start());
    assert_eq!(ends(&mut rollout, hour(5)), "canary", "account 2 is not there yet");
    assert_eq!(rollout.progress(&waves).soaks_until, None);
    good(&mut rollout, 1, hour(5));
    good(&mut rollout, 2, hour(5));
    assert_eq!(ends(&mut rollout, hour(5)), "canary", "the soak time is not over");
    assert_eq!(rollout.progress(&waves).soaks_until, Some(hour(6)));
    rollout.look(&waves, &next, &fleet(), hour(9));
    assert_eq!(ends(&mut rollout, hour(9)), "canary", "time alone moves nothing on");
    good(&mut rollout, 1, hour(6));
    assert_eq!(ends(&mut rollout, hour(9)), "canary", "account 2 was not looked at since");
    good(&mut rollout, 2, hour(6));
    assert_eq!(ends(&mut rollout, hour(6)), "some");
    for one in fleet() {
        rollout.heard(&waves, "v2", &one, &Health::Good, (hour(6), hour(6)));
    }
    assert_eq!(ends(&mut rollout, hour(7)), "some", "nobody has looked since");
    for one in fleet() {
        rollout.heard(&waves, "v2", &one, &Health::Good, (hour(7), hour(7)));
    }
    ends(&mut rollout, hour(7));
    assert_eq!(rollout.progress(&waves).done.unwrap(), "v2");
    assert_eq!(of(&rollout, last, NEW), None);
}

#[test]
fn drift_in_the_soak_time_begins_it_anew_whoever_finds_it_and_whether_it_is_put_right_or_not() {
    let waves = waves();
    let hour = |hours| start() + TimeDelta::hours(hours);
    let whole = Health::Repaired { whole: true };
    // By what is found within the soak time: when a look at the end of it moves on, and one an hour later.
    let cases = [
        (Health::Good, "some", "some"),
        (Health::Open, "some", "some"),
        (whole.clone(), "canary", "some"),
        (Health::Repaired { whole: false }, "canary", "some"),
        // Nobody saw it as declared since.
        (Health::Drifted, "canary", "some"),
    ];
    for (found, first, later) in cases {
        let mut rollout = begun();
        let mut hear = |number, health: &Health, at| {
            rollout.heard(&waves, "v2", &account(number), health, (at, at));
            rollout.goes_on(&waves, "v2", at);
            rollout.progress(&waves).wave.unwrap()
        };
        hear(1, &whole, hour(0));
        assert_eq!(hear(2, &whole, hour(0)), "canary");
        hear(1, &found, start() + TimeDelta::minutes(30));
        hear(1, &Health::Good, hour(1));
        assert_eq!(hear(2, &Health::Good, hour(1)), first, "{found:?}");
        hear(1, &Health::Good, hour(2));
        assert_eq!(hear(2, &Health::Good, hour(2)), later, "{found:?}");
    }
    // The look at the end itself finds it, and puts it right.
    let mut rollout = begun();
    for (at, health) in [(hour(0), &whole), (hour(1), &whole)] {
        for number in [1, 2] {
            rollout.heard(&waves, "v2", &account(number), health, (at, at));
        }
        rollout.goes_on(&waves, "v2", at);
        assert_eq!(rollout.progress(&waves).wave.unwrap(), "canary");
    }
    assert_eq!(rollout.progress(&waves).soaks_until, Some(hour(2)));
}

#[test]
fn the_first_that_goes_wrong_halts_it_until_somebody_decides() {
    let (waves, mut rollout) = (waves(), begun());
    let next = version("v2", &[(OLD, "1"), (NEW, "2")]);
    let bad = Health::Bad("AWS refused it".to_owned());
    rollout.heard(&waves, "v2", &account(1), &bad, (start(), start()));
    rollout.heard(&waves, "v2", &account(1), &Health::Good, (start(), start()));
    let held = rollout.held(&waves, &account(2), &item(NEW)).unwrap();
    assert!(
        held.reason.contains("AWS refused it") && held.released_by.contains("resume"),
        "{held}"
    );
    assert!(held.reason.contains("neither is written"), "{held}");
    assert!(held.released_by.contains("the one that all accounts have"), "{held}");
    assert_eq!(rollout.held(&waves, &account(2), &item(OLD)), None);
    rollout.look(&waves, &next, &fleet(), start() + TimeDelta::days(9));
    assert_eq!(rollout.progress(&waves).wave.unwrap(), "canary");
    assert!(rollout.resume(false, start()) && !rollout.resume(false, start()));
    assert_eq!(rollout.held(&waves, &account(2), &item(NEW)), None);
    assert!(rollout.abort("ops", start()));
    assert_eq!(rollout.given_up(), Some((start(), "ops gave it up")));
    assert!(!rollout.resume(false, start()) && rollout.given_up().is_some());
    let held = rollout.held(&waves, &account(1), &item(NEW)).unwrap();
    assert!(held.reason.contains("ops gave it up"), "{held}");
    // Another version begins anew; the old one needs no rollout.
    rollout.look(&waves, &version("v3", &[]), &fleet(), start());
    assert_eq!(rollout.progress(&waves).version.unwrap(), "v3");
    rollout.look(&waves, &version("v1", &[]), &fleet(), start());
    assert_eq!(rollout.progress(&waves).version, None);
}

#[test]
fn what_was_given_up_stays_so_whatever_went_out_since() {
    let waves = waves();
    let (one, two) = (version("v1", &[(NEW, "1")]), version("v2", &[(NEW, "2")]));
    for between in [vec![&one], vec![&version("v3", &[])], vec![&version("v3", &[]), &one]] {
        let mut rollout = begun();
        assert!(rollout.abort("ops", start()));
        for version in between {
            rollout.look(&waves, version, &fleet(), start() + TimeDelta::hours(1));
            assert_eq!(rollout.given_up(), None);
        }
        rollout = serde_json::from_value(serde_json::to_value(&rollout).unwrap()).unwrap();
        let later = start() + TimeDelta::hours(2);
        rollout.look(&waves, &two, &fleet(), later);
        assert_eq!(rollout.given_up(), Some((start(), "ops gave it up")));
        let held = rollout.held(&waves, &account(1), &item(NEW)).unwrap();
        assert!(held.released_by.contains("--given-up"), "{held}");
        assert!(!rollout.resume(false, later) && rollout.resume(true, later));
        assert_eq!(rollout.held(&waves, &account(1), &item(NEW)), None);
        // Somebody has said that it is right after all: that holds, too.
        rollout.look(&waves, &one, &fleet(), later);
        rollout.look(&waves, &two, &fleet(), later);
        assert_eq!(rollout.given_up(), None);
    }
}

#[test]
fn percentages_are_of_all_accounts_and_an_account_keeps_its_wave() {
    let waves = waves();
    let some = (3..1003).filter(|one| wave_of(&waves, &account(*one)) == 1).count();
    assert!((250..350).contains(&some), "{some}");
    let mut all = waves.clone();
    all[1].percent = Some(100);
    assert!((1..200).all(|one| wave_of(&all, &account(one)) < 2));
    // A larger percentage takes none away.
    all[1].percent = Some(60);
    for one in (3..200).filter(|one| wave_of(&waves, &account(*one)) == 1) {
        assert_eq!(wave_of(&all, &account(one)), 1);
    }
}

#[test]
fn in_any_history_no_account_gets_a_version_before_its_waves_were_healthy() {
    for seed in 0..200 {
        let (mut numbers, waves) = (Seeded(seed), waves());
        let (mut rollout, mut now) = (Rollout::of("all"), start());
        let mut healthy: BTreeMap<AccountId, DateTime<Utc>> = BTreeMap::new();
        let mut passed = 0;
        let one = version("v1", &[(NEW, "1")]);
        for _ in 0..400 {
            now += TimeDelta::minutes(i64::try_from(numbers.below(20)).unwrap());
            rollout.look(&waves, &one, &fleet(), now);
            let about = account(1 + numbers.below(40));
            if rollout.held(&waves, &about, &item(NEW)).is_some() {
                if numbers.below(10) == 0 {
                    rollout.resume(true, now);
                }
                continue;
            }
            // It is written there: all accounts of the waves before were healthy for their time.
            assert!(wave_of(&waves, &about) <= passed, "{seed}");
            let health = match numbers.below(50) {
                0 => Health::Bad("why".to_owned()),
                1 => Health::Open,
                2 => Health::Drifted,
                3 => Health::Repaired { whole: true },
                4 => Health::Repaired { whole: false },
                _ => Health::Good,
            };
            rollout.heard(&waves, "v1", &about, &health, (now, now));
            match health {
                Health::Open => {}
                Health::Good => drop(healthy.entry(about).or_insert(now)),
                Health::Repaired { whole: true } => drop(healthy.insert(about, now)),
                Health::Repaired { whole: false } => {
                    healthy.entry(about).and_modify(|since| *since = now);
                }
                Health::Drifted | Health::Bad(_) => drop(healthy.remove(&about)),
            }
            let is_over = waves.get(passed).is_none_or(|wave| {
                let soak = TimeDelta::minutes(i64::from(wave.soak_minutes));
                let is_soaked =
                    |one: &AccountId| healthy.get(one).is_some_and(|since| *since + soak <= now);
                fleet().iter().filter(|one| wave_of(&waves, one) == passed).all(is_soaked)
            });
            rollout.goes_on(&waves, "v1", now);
            passed += usize::from(is_over && passed < waves.len());
            rollout = serde_json::from_value(serde_json::to_value(&rollout).unwrap()).unwrap();
        }
    }
}
