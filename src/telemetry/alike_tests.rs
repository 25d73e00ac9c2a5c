//! Whoever looked at an object, whoever has started since and whoever asks the store say the same of it.

use serde_json::{Value, json};

use super::tests::{drifted, fine, object, plan, target};
use super::*;
use crate::plan::{Guard, Held};
use crate::reconcile::{Listener, Remembered, Remembering};
use crate::store::Store;
use crate::telemetry::figures;
use crate::telemetry::status::Drifted;

/// A controller, and the store that it fills.
struct Controller {
    objects: Objects,
    store: Store,
}

/// What is said of the only object that is not as declared.
type Said = Option<(State, Severity, Option<String>, Option<String>, i64, Option<i64>)>;

fn said(drifted: Option<Drifted>) -> Said {
    let one = drifted?;
    let failed = one.failed_since.map(|since| since.timestamp_micros());
    let since = one.since.timestamp_micros();
    Some((one.state, one.severity, one.guard, one.released_by, since, failed))
}

impl Controller {
    /// One that starts now.
    async fn starts(store: &Store) -> Self {
        let mut objects = Objects::default();
        let open = store.open_drift().await.unwrap();
        objects.known(open.into_iter().map(|one| {
            let earlier = Earlier { since: one.time, failed: figures::failed(&one) };
            (one.object, earlier)
        }));
        Self { objects, store: store.clone() }
    }

    /// Its run sees this, and this comes of it.
    fn runs(&mut self, run: &str, minute: i64, plan: &Plan, events: &[RunEvent<'_>]) {
        let what = Remembering {
            command: "run".to_owned(),
            keeps_drift: true,
            is_whole: true,
            ..Remembering::default()
        };
        let remembered = Remembered::new(self.store.clone(), what);
        for (second, event) in [RunEvent::Planned { plan }].iter().chain(events).enumerate() {
            let second = 60 * minute + i64::try_from(second).unwrap();
            let time = DateTime::from_timestamp(1_790_000_000 + second, 0).unwrap();
            let told = Told { time, run, event: *event };
            remembered.hear(&told).unwrap();
            self.objects.hear(&told, &target("t"), &Looked::new());
        }
    }

    /// What it says, which is what the store says.
    async fn says(&self) -> Said {
        let own = self.objects.open_ones().next().map(|(_, open)| figures::of_open(open));
        let of_store = self.store.open_drift().await.unwrap();
        let of_store = of_store.first().map(figures::drifted);
        assert_eq!(said(own.clone()), said(of_store));
        said(own)
    }
}

fn policy(disposition: Value) -> ObjectPlan {
    object("iam.password_policy", "", json!({"is": "drifted"}), disposition)
}

fn to_apply() -> ObjectPlan {
    policy(json!({"is": "apply"}))
}

fn wrote<'a>(object: &'a ObjectPlan, step: &'a Step) -> RunEvent<'a> {
    RunEvent::Wrote { object, change: &object.changes[0], step }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_failed_is_known_to_all_until_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
    let mut one = Controller::starts(&store).await;
    let (object, denied) = (to_apply(), Step::Failed { error: "denied".to_owned() });
    one.runs("a", 0, &plan(vec![to_apply()]), &[]);
    assert_eq!(one.says().await.unwrap().0, State::ToChange);
    one.runs("b", 1, &plan(vec![to_apply()]), &[wrote(&object, &denied)]);
    let failed = one.says().await.unwrap();
    assert_eq!((failed.0, failed.1), (State::Failed, Severity::High));
    assert!(failed.5.is_some());
    // Another look, of this controller and of one that has started since.
    one.runs("c", 2, &plan(vec![to_apply()]), &[]);
    assert_eq!(one.says().await.as_ref(), Some(&failed));
    let mut other = Controller::starts(&store).await;
    other.runs("d", 3, &plan(vec![to_apply()]), &[]);
    assert_eq!(other.says().await.as_ref(), Some(&failed));
    // It fails again: since the first time.
    other.runs("e", 4, &plan(vec![to_apply()]), &[wrote(&object, &denied)]);
    assert_eq!(other.says().await, Some(failed));
    // A guard holds it back in the meantime.
    let held = json!({"is": "held_back", "guard": "fight", "reason": "r", "released_by": "x"});
    other.runs("f", 5, &plan(vec![policy(held)]), &[]);
    assert_eq!(other.says().await.unwrap().0, State::HeldBack);
    other.runs("g", 6, &plan(vec![to_apply()]), &[]);
    assert_eq!(other.says().await.unwrap().0, State::Failed);
    // Once it is right, it is forgotten.
    let verified = |in_sync| RunEvent::Verified { object: &object, after: None, in_sync, by: "" };
    other.runs("h", 7, &plan(vec![to_apply()]), &[verified(true)]);
    assert_eq!(other.says().await, None);
    other.runs("i", 8, &plan(vec![to_apply()]), &[]);
    assert_eq!(other.says().await.unwrap().0, State::ToChange);
    // What is only reported from now on is nothing that fails.
    other.runs("j", 9, &plan(vec![to_apply()]), &[wrote(&object, &denied)]);
    let reported = || policy(json!({"is": "report", "reason": "r"}));
    other.runs("k", 10, &plan(vec![reported()]), &[]);
    assert_eq!(other.says().await.unwrap().0, State::Reported);
    other.runs("l", 11, &plan(vec![to_apply()]), &[]);
    assert_eq!(other.says().await.unwrap().0, State::ToChange);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guard_holds_back_at_the_write_and_what_is_not_right_after_it_are_known_to_all() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open("sqlite://store.db", folder.path()).await.unwrap();
    let mut one = Controller::starts(&store).await;
    let object = to_apply();
    let held = Step::HeldBack { held: Held::by(Guard::KillSwitch, "it is on", "somebody") };
    one.runs("a", 0, &plan(vec![to_apply()]), &[wrote(&object, &held)]);
    let says = one.says().await.unwrap();
    assert_eq!((says.0, says.1), (State::HeldBack, Severity::High));
    assert_eq!(says.2.as_deref(), Some("kill-switch"));
    let wrong = RunEvent::Verified { object: &object, after: None, in_sync: false, by: "" };
    one.runs("b", 1, &plan(vec![to_apply()]), &[wrong]);
    assert_eq!(one.says().await.unwrap().0, State::Failed);
    // A guard that held back the rest of it is why it is not as declared.
    one.runs("c", 2, &plan(vec![fine("")]), &[]);
    let trail = drifted("t");
    let wrong = RunEvent::Verified { object: &trail, after: None, in_sync: false, by: "" };
    let again = |one: &mut Controller, run, minute| {
        one.runs(run, minute, &plan(vec![drifted("t")]), &[wrote(&trail, &held), wrong]);
    };
    again(&mut one, "d", 3);
    assert_eq!(one.says().await.unwrap().0, State::HeldBack);
}
