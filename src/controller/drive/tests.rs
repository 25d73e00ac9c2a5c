//! The loop on a made-up clock, with made-up runs and messages.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use super::super::queue::What;
use super::fake::{aim, drive, drive_to_rest, event, fake, targets_begun};
use super::*;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_target_is_looked_at_first_at_the_start_and_then_by_its_schedule() {
    let fake = fake(&[("often", "0 */10 * * * *"), ("seldom", "0 0 * * * *")]);
    drive(&fake, 25 * MINUTE).await;
    let expected = [(0, "often"), (0, "seldom"), (600, "often"), (1200, "often")];
    assert_eq!(targets_begun(&fake), expected.map(|(at, name)| (at, name.to_owned())));
}

#[tokio::test]
async fn an_event_is_looked_at_at_once_and_its_message_is_deleted() {
    let fake = fake(&[]);
    let storm: Vec<_> = (0..1000).map(|_| event("DeleteTrail", "111122223333", "m")).collect();
    fake.messages.lock().unwrap().push_back(Ok(storm));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert!(begun[0].0 < Duration::from_millis(200), "{begun:?}");
    assert_eq!(fake.deleted.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_an_event_tells_is_kept_before_its_message_is_deleted_and_no_look_waits_for_that() {
    let fake = fake(&[]);
    *fake.keeps_for.lock().unwrap() = Duration::from_secs(3);
    let ours = event("DeleteTrail", "111122223333", "evenkeel-ours");
    let theirs = event("DeleteTrail", "111122223333", "m");
    fake.messages.lock().unwrap().push_back(Ok(vec![ours]));
    fake.messages.lock().unwrap().push_back(Ok(vec![theirs]));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert!(begun[0].0 < Duration::from_millis(200), "{begun:?}");
    let waits = fake.waits.lock().unwrap();
    let kept: Vec<_> = waits.iter().map(|(one, deleted)| (one.part.kind, *deleted)).collect();
    assert_eq!(kept, [("cloudtrail.trail", 1)], "our own call waits for nothing");
    assert_eq!(fake.deleted.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_others_who_are_gone_have_left_is_looked_at() {
    let (dead, living) = (fake(&[]), fake(&[]));
    dead.messages.lock().unwrap().push_back(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    drive(&dead, MINUTE).await;
    let waits = std::mem::take(&mut *dead.waits.lock().unwrap());
    let left = waits.into_iter().map(|(one, _)| one).collect();
    living.left.lock().unwrap().push_back((3 * MINUTE, left));
    drive(&living, 5 * MINUTE).await;
    let begun = living.begun.lock().unwrap();
    assert!(
        matches!(&begun[..], [(at, What::Parts { account, .. })]
            if *at == 3 * MINUTE && account.as_str() == "111122223333"),
        "{begun:?}"
    );
}

#[tokio::test]
async fn what_waited_when_the_process_before_was_killed_is_looked_at() {
    let (before, after) = (fake(&[]), fake(&[]));
    before.messages.lock().unwrap().push_back(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    drive(&before, MINUTE).await;
    let waits = std::mem::take(&mut *before.waits.lock().unwrap());
    *after.waited.lock().unwrap() = waits.into_iter().map(|(one, _)| one).collect();
    drive(&after, MINUTE).await;
    let begun = after.begun.lock().unwrap();
    assert!(
        matches!(&begun[0].1, What::Parts { account, .. } if account.as_str() == "111122223333")
    );
}

#[test]
fn ten_thousand_messages_at_the_start_are_a_handful_of_looks_and_none_is_left() {
    let fake = fake(&[("t", "0 0 0 * * *")]);
    let accounts = ["111122223333", "444455556666", "777788889999"];
    let message = |number: usize| Message {
        id: number.to_string(),
        receipt: number.to_string(),
        ..event("DeleteTrail", accounts[number % accounts.len()], "m")
    };
    for first in (0..10_000).step_by(10) {
        let batch = (first..first + 10).map(message).collect();
        fake.messages.lock().unwrap().push_back(Ok(batch));
    }
    drive_to_rest(&fake, 5 * MINUTE);
    assert_eq!(fake.deleted.lock().unwrap().len(), 10_000);
    let looks = fake.begun.lock().unwrap().len();
    assert!((4..=12).contains(&looks), "{looks} looks");
}

#[tokio::test]
async fn an_event_waits_for_no_run_but_one_of_the_same_account() {
    let fake = fake(&[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *")]);
    *fake.lanes.lock().unwrap() = Lanes { parts: 2, targets: 1, slow: 0 };
    let one = || event("DeleteTrail", "111122223333", "m");
    let other = event("DeleteTrail", "444455556666", "m");
    fake.messages.lock().unwrap().push_back(Ok(vec![one(), other]));
    let telling = Arc::clone(&fake);
    let later = async move {
        telling.clocks.sleep(Duration::from_secs(2)).await;
        telling.messages.lock().unwrap().push_back(Ok(vec![one()]));
    };
    tokio::join!(drive(&fake, MINUTE), later);
    let begun = fake.begun.lock().unwrap();
    let short = |what: &What| match what {
        What::Target(name) | What::Path(name) => name.clone(),
        What::Account(account) | What::Parts { account, .. } => account.as_str()[..4].to_owned(),
    };
    let order: Vec<_> = begun.iter().map(|(at, what)| (at.as_secs(), short(what))).collect();
    let expected = [(0, "a"), (0, "1111"), (0, "4444"), (5, "b"), (5, "1111")];
    assert!(
        expected.iter().all(|(at, name)| order.contains(&(*at, (*name).to_owned()))),
        "{order:?}"
    );
    assert_eq!(order.len(), expected.len(), "{order:?}");
}

#[tokio::test]
async fn what_was_held_back_is_looked_at_when_the_kill_switch_is_off_again() {
    let fake = fake(&[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *")]);
    fake.waking.lock().unwrap().push_back((MINUTE, Woken::Released));
    drive(&fake, 2 * MINUTE).await;
    let expected = [(0, "a"), (0, "b"), (60, "a"), (60, "b")];
    assert_eq!(targets_begun(&fake), expected.map(|(at, name)| (at, name.to_owned())));
}

#[tokio::test]
async fn an_account_that_is_left_behind_is_looked_at_alone_while_others_are() {
    let fake = fake(&[("a", "0 0 0 * * *")]);
    let slow: AccountId = "111122223333".parse().unwrap();
    // The run of the target is still in hand.
    let after = Duration::from_secs(2);
    fake.waking.lock().unwrap().push_back((after, Woken::LeftBehind([slow.clone()].into())));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    let parts = PATH.into_iter().map(|kind| (kind, None)).collect();
    assert_eq!(begun[1..], [(after, What::Parts { account: slow, parts })]);
}

#[tokio::test]
async fn what_others_have_in_hand_is_looked_after_and_is_no_failure() {
    let fake = fake(&[("a", "0 0 0 * * *")]);
    let after = Duration::from_secs(150);
    fake.ends.lock().unwrap().extend([Ended::Elsewhere { after }, Ended::Done]);
    drive(&fake, 20 * MINUTE).await;
    assert_eq!(targets_begun(&fake), [(0, "a".to_owned()), (155, "a".to_owned())]);
    assert!(!fake.said.lock().unwrap().iter().any(|said| said.contains("Again")));
}

#[tokio::test]
async fn a_call_of_another_controller_is_passed_on_and_ours_that_came_there_counts() {
    let fake = fake(&[("t", "0 0 0 * * *")]);
    *fake.sight.lock().unwrap() = Sight::new(Some(Default::default()), Default::default());
    let one: AccountId = "111122223333".parse().unwrap();
    let home = Region::new("eu-west-1");
    fake.sight.lock().unwrap().looked(&one, &home, Some("t"), Duration::ZERO);
    fake.goes_elsewhere.store(true, Ordering::SeqCst);
    Heart::beat(fake.as_ref(), &one, &home, "of another").await.unwrap();
    drive(&fake, 60 * MINUTE).await;
    let passed = fake.passed.lock().unwrap();
    assert!(passed.contains(&(one, "of another".to_owned())), "{passed:?}");
    assert!(!fake.said.lock().unwrap().iter().any(|said| said.contains("Blind")));
}

#[tokio::test]
async fn other_files_are_in_force_at_once() {
    let fake = fake(&[("a", "0 0 0 * * *")]);
    let changing = Arc::clone(&fake);
    fake.waking.lock().unwrap().push_back((Duration::from_secs(10), Woken::Files));
    let later = async move {
        changing.clocks.sleep(Duration::from_secs(9)).await;
        aim(&changing, &[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *")]);
    };
    tokio::join!(drive(&fake, Duration::from_secs(20)), later);
    assert_eq!(targets_begun(&fake), [(0, "a".to_owned()), (10, "b".to_owned())]);
}

#[tokio::test]
async fn our_own_calls_are_no_cause() {
    let fake = fake(&[]);
    let ours = event("UpdateTrail", "111122223333", "evenkeel-ours");
    let another = event("UpdateTrail", "444455556666", "evenkeel-other");
    fake.messages.lock().unwrap().push_back(Ok(vec![ours, another]));
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert!(
        matches!(&begun[..], [(_, What::Parts { account, .. })] if account.as_str() == "444455556666"),
        "{begun:?}"
    );
    assert_eq!(fake.deleted.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_read_is_left_to_the_dead_letters() {
    let fake = fake(&[]);
    let text = |text: &str| text.to_owned();
    let odd = Message { id: text("1"), body: text("?"), receipt: text("first") };
    let again = Message { receipt: text("second"), ..odd.clone() };
    fake.messages.lock().unwrap().extend([Ok(vec![odd]), Ok(vec![again])]);
    drive(&fake, MINUTE).await;
    assert!(fake.deleted.lock().unwrap().is_empty() && fake.begun.lock().unwrap().is_empty());
    let said = fake.said.lock().unwrap();
    assert_eq!(said.iter().filter(|said| said.contains("NoEvent")).count(), 1, "each once");
    assert_eq!(fake.sight.lock().unwrap().counts.unreadable, 1, "each once");
}

#[tokio::test]
async fn messages_that_wait_for_room_are_kept_from_others() {
    let fake = fake(&[("t", "0 0 0 * * *")]);
    // More than may wait, each of an account of its own; one look at a time empties it slowly.
    *fake.lanes.lock().unwrap() = Lanes { parts: 1, targets: 1, slow: 0 };
    let all: Vec<_> = (0..MOST_WAITING + 20)
        .map(|number| event("DeleteTrail", &format!("{number:012}"), "m"))
        .collect();
    let last = event("DeleteTrail", "999999999999", "m");
    fake.messages.lock().unwrap().extend([Ok(all), Ok(vec![last; 3])]);
    drive(&fake, 2 * MINUTE).await;
    let kept = fake.kept.lock().unwrap();
    assert!(kept.len() >= 4 && kept.iter().all(|(_, count)| *count == 3), "{kept:?}");
    assert!(fake.deleted.lock().unwrap().contains("DeleteTrail 999999999999 m"));
}

#[tokio::test]
async fn who_is_not_heard_of_is_said_and_looked_at_more_often_until_it_is() {
    let fake = fake(&[("t", "0 0 0 * * *")]);
    let home = Region::new("eu-west-1");
    *fake.sight.lock().unwrap() = Sight::new(Some(Default::default()), Default::default());
    let one: AccountId = "111122223333".parse().unwrap();
    fake.sight.lock().unwrap().looked(&one, &home, Some("t"), Duration::ZERO);
    let deafening = Arc::clone(&fake);
    let later = async move {
        deafening.clocks.sleep(20 * MINUTE).await;
        deafening.is_deaf.store(true, Ordering::SeqCst);
        deafening.clocks.sleep(40 * MINUTE).await;
        deafening.is_deaf.store(false, Ordering::SeqCst);
    };
    tokio::join!(drive(&fake, 90 * MINUTE), later);
    let said = fake.said.lock().unwrap();
    let sight: Vec<_> = said.iter().filter(|said| said.contains("Sight")).collect();
    assert!(sight[0].contains("Blind") && sight[1].contains("Sees"), "{sight:?}");
    assert_eq!(sight.len(), 2);
    let begun = fake.begun.lock().unwrap();
    let polled = begun.iter().filter(|(_, what)| *what == What::Account(one.clone()));
    let minutes: Vec<u64> = polled.map(|(at, _)| at.as_secs() / 60).collect();
    assert!((4..=7).contains(&minutes.len()), "{minutes:?}");
    assert!(minutes.iter().all(|minute| (35..=65).contains(minute)), "{minutes:?}");
    assert!((17..=19).contains(&fake.beats.lock().unwrap().len()));
}

#[tokio::test]
async fn what_events_depend_on_is_looked_at_whatever_happens() {
    let fake = fake(&[("t", "0 0 0 * * *")]);
    *fake.path_every.lock().unwrap() = Some(2 * MINUTE);
    drive(&fake, 11 * MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    let path = begun.iter().filter(|(_, what)| *what == What::Path("t".to_owned()));
    let minutes: Vec<u64> = path.map(|(at, _)| at.as_secs() / 60).collect();
    assert_eq!(minutes, [2, 4, 6, 8, 10]);
}

#[tokio::test]
async fn what_failed_is_repeated_and_what_was_not_deleted_does_no_harm() {
    let fake = fake(&[]);
    fake.cannot_delete.store(true, Ordering::SeqCst);
    fake.ends.lock().unwrap().extend([Ended::Again(Setback::Other), Ended::Again(Setback::Other)]);
    fake.messages.lock().unwrap().push_back(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    drive(&fake, 10 * MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    let at: Vec<u64> = begun.iter().map(|(at, _)| at.as_secs()).collect();
    assert_eq!(at.len(), 3, "{at:?}");
    assert!((17..=20).contains(&(at[1] - at[0])) && (29..=35).contains(&(at[2] - at[1])), "{at:?}");
}

#[tokio::test]
async fn a_queue_that_cannot_be_asked_is_said_and_asked_again() {
    let fake = fake(&[]);
    let mut messages = vec![Err("down".to_owned()); 3];
    messages.push(Ok(vec![event("DeleteTrail", "111122223333", "m")]));
    fake.messages.lock().unwrap().extend(messages);
    drive(&fake, MINUTE).await;
    let begun = fake.begun.lock().unwrap();
    assert_eq!(begun[0].0.as_secs(), 1 + 2 + 4);
    let said = fake.said.lock().unwrap();
    assert_eq!(said.iter().filter(|said| said.contains("Deaf")).count(), 3);
    // It is said once when it answers again.
    let answers: Vec<&String> = said.iter().filter(|said| said.contains("Answered")).collect();
    assert_eq!(answers, ["Answered { deaf: Some(7s) }"]);
}

#[tokio::test]
async fn files_that_break_are_said_once_and_the_last_good_ones_hold() {
    let fake = fake(&[("t", "0 */10 * * * *")]);
    let breaking = Arc::clone(&fake);
    let later = async move {
        breaking.clocks.sleep(MINUTE).await;
        *breaking.wrong.lock().unwrap() = Some("line 3".to_owned());
        breaking.clocks.sleep(20 * MINUTE).await;
        aim(&breaking, &[("u", "0 */10 * * * *")]);
    };
    tokio::join!(drive(&fake, 25 * MINUTE), later);
    let begun: Vec<_> = targets_begun(&fake).into_iter().map(|(_, name)| name).collect();
    assert_eq!(begun, ["t", "t", "t", "u"]);
    assert_eq!(fake.said.lock().unwrap().iter().filter(|said| said.contains("line 3")).count(), 1);
}

#[tokio::test]
async fn the_runs_in_hand_come_to_their_end_and_no_other_begins() {
    let fake = fake(&[("a", "0 0 0 * * *"), ("b", "0 0 0 * * *"), ("c", "0 0 0 * * *")]);
    *fake.lanes.lock().unwrap() = Lanes { parts: 1, targets: 2, slow: 0 };
    drive(&fake, Duration::from_secs(2)).await;
    assert_eq!(fake.begun.lock().unwrap().len(), 2);
    assert_eq!(fake.finished.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn nothing_is_run_where_nothing_is_declared_and_nothing_happens() {
    let fake = fake(&[]);
    drive(&fake, 60 * MINUTE).await;
    assert!(fake.begun.lock().unwrap().is_empty() && fake.said.lock().unwrap().is_empty());
}
