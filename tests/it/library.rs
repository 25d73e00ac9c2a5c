//! A whole run, and a whole controller, by the library alone: nothing of the command line is needed to
//! look, to plan, to look after a run that died, to apply, to do so again and again, and to hear of it.

#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use evenkeel::baseline::load::Memory;
use evenkeel::baseline::{self, Environment, LoadOptions};
use evenkeel::controller::begun::Looking;
use evenkeel::controller::files::Wanted;
use evenkeel::controller::{Audience, Options, Said, Service};
use evenkeel::fleet::{self, Fleet};
use evenkeel::kinds::registry;
use evenkeel::plan::PlanOutcome;
use evenkeel::reconcile::guarded::beside;
use evenkeel::reconcile::{
    FleetTarget, Guarded, Hand, ListenError, Listener, Look, Nobody, RunEvent, RunOutcome,
    Selectors, Source, Stop, Told, look, reconcile,
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
            RunEvent::Answered { answer: Ok(_), .. } => "answered",
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
    let log = account.folder.path().join("audit.jsonl");
    let wish = || Look {
        source: Source::Live { own: Some(Arc::clone(&own)), record: None },
        ..Look::at(vec![target()], None, Guarded::of(Hand::Loop, None, beside(&log)))
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
    let log = account.folder.path().join("audit.jsonl");
    let wish = Look {
        source: Source::Live { own: Some(own), record: None },
        ..Look::at(vec![target()], None, Guarded::of(Hand::Loop, None, beside(&log)))
    };
    let listener: Arc<dyn Listener> = Arc::new(Heard::default());
    let ended = reconcile(wish, &SharedLog::at(&log), &stop, &listener).await;
    assert_eq!(ended.unwrap_err().to_string(), "interrupted; nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_guards_of_a_fleet_file_hold_for_whoever_uses_the_library() {
    let account = support::emulator().account();
    let own = library::connect(&account).await;
    let log = account.folder.path().join("audit.jsonl");
    let listener: Arc<dyn Listener> = Arc::new(Nobody);
    let path = PathBuf::from("evenkeel.toml");
    let text = "schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\n".to_owned();
    let unconfirmed = fleet::load(&path, &Memory(BTreeMap::from([(path.clone(), text)])));
    let unconfirmed = unconfirmed.unwrap_or_else(|problems| panic!("{problems}"));
    let mut confirmed = unconfirmed.clone();
    confirmed.file.targets[0].confirmed = true;
    let mut switched = confirmed.clone();
    let switch = account.folder.path().join("stop");
    std::fs::write(&switch, "").unwrap();
    switched.file.safety.kill_switch = Some(switch.display().to_string());
    let run = async |fleet: Fleet| {
        let guarded = Guarded::of(Hand::Loop, Some(&fleet), beside(&log));
        let target = FleetTarget { name: "t".to_owned(), ..target() };
        let wish = Look {
            source: Source::Live { own: Some(Arc::clone(&own)), record: None },
            ..Look::at(vec![target], Some(fleet), guarded)
        };
        reconcile(wish, &SharedLog::at(&log), &Stop::default(), &listener).await
    };
    assert_eq!(run(unconfirmed).await.unwrap(), RunOutcome::Refused);
    assert_eq!(run(switched).await.unwrap(), RunOutcome::Refused);
    assert_eq!(account.writes(), [""; 0]);
    assert_eq!(run(confirmed).await.unwrap(), RunOutcome::InSync);
    assert_eq!(account.writes(), ["iam:UpdateAccountPasswordPolicy"]);
}

/// Says to the process of a test that it is the controller.
const CONTROLS: &str = "EVENKEEL_TEST_CONTROLS";

/// Hears a controller, and wishes that it stops when a run has ended.
#[derive(Clone)]
struct Overheard(Stop);

impl Audience for Overheard {
    fn hear(&self, said: &Said<'_>) {
        match said {
            Said::Scheduled { target, .. } => println!("{target} is scheduled"),
            Said::Failed { error, .. } => println!("{error}"),
            Said::Warned { warning } => println!("{warning}"),
            Said::Stopping => println!("it stops"),
            _ => {}
        }
    }

    fn of_run(&self, looking: &Looking<'_>) -> Vec<Arc<dyn Listener>> {
        println!("{:?} is looked at", looking.begun.job.what);
        vec![Arc::new(self.clone())]
    }
}

impl Listener for Overheard {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        if let RunEvent::Ended { outcome, report } = told.event {
            println!("{} of {outcome:?}", report.map_or(0, |report| report.applied()));
            self.0.raise();
        }
        Ok(())
    }
}

/// No test: a controller of the library in a process of its own.
#[test]
fn the_controller_of_a_library_user() {
    if std::env::var_os(CONTROLS).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let stop = Stop::default();
        let options = Options {
            files: Wanted {
                config: PathBuf::from("evenkeel.toml"),
                selectors: Selectors::default(),
                schedule: "0 0 0 1 1 *".to_owned(),
                commit: None,
            },
            audit_log: PathBuf::from("audit.jsonl"),
            once: false,
        };
        let hears = Arc::new(Overheard(stop.clone()));
        let service = Service::open(options, &stop, hears).await.unwrap();
        service.drive(std::future::pending()).await;
    });
}

#[test]
fn a_controller_needs_nothing_of_the_command_line() {
    let account = support::emulator().account();
    let folder = account.folder.path();
    std::fs::write(folder.join("b.toml"), BASELINE).unwrap();
    let file = "schema = 1\n[[target]]\nname = \"t\"\nbaselines = [\"b.toml\"]\nconfirmed = true\n";
    std::fs::write(folder.join("evenkeel.toml"), file).unwrap();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "library::the_controller_of_a_library_user", "--nocapture"])
        .env(CONTROLS, "yes")
        .envs(account.env())
        .current_dir(folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let expected = ["t is scheduled", "Target(\"t\") is looked at", "1 of InSync", "it stops"];
    let lines: Vec<&str> = said.lines().filter(|line| expected.contains(line)).collect();
    assert!(output.status.success() && lines == expected, "{said}");
    assert_eq!(account.writes(), ["iam:UpdateAccountPasswordPolicy"]);
    assert_eq!(Check::of(&folder.join("audit.jsonl"), None).unwrap().unfinished().count(), 0);
}
