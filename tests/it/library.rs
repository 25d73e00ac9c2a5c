//! A whole run by the library alone: nothing of the command line is needed to look, to plan, to look
//! after a run that died, to apply and to hear of all of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Environment, LoadOptions};
use evenkeel::kinds::registry;
use evenkeel::plan::PlanOutcome;
use evenkeel::reconcile::{
    FleetTarget, ListenError, Listener, Look, RunEvent, RunOutcome, Source, Stop, Told, look,
    reconcile,
};
use evenkeel::store::audit::{AuditLog, Check, Phase, Record, SharedLog};
use serde_json::Value;

use crate::support::{self, library};

const BASELINE: &str = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n\
     [iam.password_policy]\nminimum_password_length = 14\n";

/// Notes what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<&'static str>>);

impl Listener for Heard {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        self.0.lock().unwrap().push(match told.event {
            RunEvent::Chosen { accounts: 1 } => "chosen",
            RunEvent::Found { items: 1, .. } => "found",
            RunEvent::Observed { .. } => "observed",
            RunEvent::Seen { .. } => "seen",
            RunEvent::Looked => "looked",
            RunEvent::Opened { .. } => "opened",
            RunEvent::Planned { .. } => "planned",
            RunEvent::Recovered { found: Ok(found), .. } if !found.in_sync => "recovered",
            RunEvent::Writing { .. } => "writing",
            RunEvent::Answered { answer: Ok(()), .. } => "answered",
            RunEvent::Wrote { .. } => "wrote",
            RunEvent::Verified { in_sync: true, .. } => "verified",
            RunEvent::Ended { outcome: RunOutcome::InSync, .. } => "ended",
            other => panic!("{other:?}"),
        });
        Ok(())
    }
}

fn target() -> FleetTarget {
    let path = PathBuf::from("b.toml");
    let files = Memory(BTreeMap::from([(path.clone(), BASELINE.to_owned())]));
    let options = LoadOptions {
        variables: BTreeMap::new(),
        environment: Environment::default(),
        today: Utc::now().date_naive(),
    };
    let loaded = baseline::load(&[path], &files, registry::catalog(), options)
        .unwrap_or_else(|problems| panic!("{problems}"));
    FleetTarget::own(loaded.baseline)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_needs_nothing_of_the_command_line() {
    let account = support::emulator().account();
    let own = library::connect(&account).await;
    let wish = || Look {
        source: Source::Live { own: Some(Arc::clone(&own)), record: None },
        ..Look::at(vec![target()])
    };
    let heard = Arc::new(Heard::default());
    let listener: Arc<dyn Listener> = Arc::clone(&heard) as Arc<dyn Listener>;
    let stop = Stop::default();
    let noted = || std::mem::take(&mut *heard.0.lock().unwrap());
    let seen = ["chosen", "found", "observed", "seen", "looked", "planned"];

    let looked = look(wish(), &listener, &stop).await.unwrap();
    assert_eq!(looked.plan.outcome(), PlanOutcome::Drift);
    assert_eq!(noted(), seen);
    assert_eq!(account.writes(), [""; 0]);

    // A run that died between intent and outcome.
    let log = account.folder.path().join("audit.jsonl");
    let object = &looked.plan.objects[0];
    let intent = Record {
        time: Utc::now(),
        run: "dead".to_owned(),
        change: 1,
        account: object.account.clone(),
        region: object.region.clone(),
        item: object.item.clone(),
        object: object.observed.id.clone(),
        by: own.caller_arn().to_owned(),
        baseline: "b@0".to_owned(),
        token: None,
        phase: Phase::Intent {
            action: Value::clone(object.changes[0].action.as_ref().unwrap()),
            before: Value::Null,
            spec: object.spec.clone(),
            overruled: Vec::new(),
        },
    };
    AuditLog::open(&log).unwrap().append(&intent).unwrap();

    let outcome = reconcile(wish(), &SharedLog::at(&log), &stop, &listener).await.unwrap();
    assert_eq!(outcome, RunOutcome::InSync);
    let written = ["opened", "recovered", "writing", "answered", "wrote", "verified", "ended"];
    assert_eq!(noted(), [&seen[..], &written].concat());
    assert_eq!(account.writes(), ["iam:UpdateAccountPasswordPolicy"]);
    let check = Check::of(&log, None).unwrap();
    assert!(check.faults().is_empty(), "{:?}", check.faults());
    assert_eq!(check.unfinished().count(), 0);

    let outcome = reconcile(wish(), &SharedLog::at(&log), &stop, &listener).await.unwrap();
    assert_eq!(outcome, RunOutcome::InSync);
    assert_eq!(noted(), [&seen[..], &["opened", "ended"]].concat());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_to_stop_ends_a_look_without_a_plan() {
    let account = support::emulator().account();
    let own = library::connect(&account).await;
    let stop = Stop::default();
    stop.raise();
    let wish =
        Look { source: Source::Live { own: Some(own), record: None }, ..Look::at(vec![target()]) };
    let listener: Arc<dyn Listener> = Arc::new(Heard::default());
    let ended = reconcile(
        wish,
        &SharedLog::at(account.folder.path().join("audit.jsonl")),
        &stop,
        &listener,
    )
    .await;
    assert_eq!(ended.unwrap_err().to_string(), "interrupted; nothing was changed");
}
