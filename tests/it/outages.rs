//! What may go wrong while the controller runs: after each, everything is as declared again or held back,
//! all of it is in the audit log, and no change was done twice.

#![allow(clippy::print_stdout)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use evenkeel::aws::{Session, session::Options};
use evenkeel::baseline::disk::Disk;
use evenkeel::baseline::{self, Environment, LoadOptions};
use evenkeel::kinds::registry;
use evenkeel::reconcile::{
    FleetTarget, Guarded, Hand, ListenError, Listener, Listeners, Look, Remembered, Remembering,
    RunEvent, Source, Stop, Told, reconcile,
};
use evenkeel::store::audit::SharedLog;
use evenkeel::store::memory::{Document, Memory};
use evenkeel::store::{Store, StoreError};
use serde_json::{Value, json};

use crate::controller::{Running, watched};
use crate::support::organization::Organization;
use crate::support::postgres::Postgres;
use crate::support::{self, Account, Run};

const STOP_LOGGING: &str = "boto3.client('cloudtrail').stop_logging(Name='main')\nprint('null')";
const START: &str = "StartLogging";

fn is_logging(account: &Account) -> bool {
    account.boto3(
        "print(json.dumps(boto3.client('cloudtrail').get_trail_status(Name='main')['IsLogging']))",
    ) == json!(true)
}

/// The controller, which has looked at everything once.
fn started(account: &Account) -> Running {
    let mut controller = Running::with(account.command(&["run"]));
    controller.next("run", |line| line["target"] == "here");
    controller
}

/// How often a call was made and accepted.
fn accepted(account: &Account, operation: &str) -> usize {
    let calls = account.calls();
    calls.iter().filter(|call| call.operation == operation && call.status == 200).count()
}

/// The records of the log; a line that was torn is none.
fn audit(account: &Account) -> Vec<Value> {
    let log = account.read(".evenkeel/audit.jsonl");
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// Insists that the log is whole, and that each intent in it has one end.
fn is_audited(account: &Account) {
    account.run(&["audit", "verify"]).code(0).says("whole");
    let records = audit(account);
    let of = |phase: &[&str]| {
        let is_it = |record: &&Value| phase.contains(&record["phase"].as_str().unwrap());
        let found = records.iter().filter(is_it);
        let mut keys: Vec<String> =
            found.map(|record| format!("{} {}", record["run"], record["change"])).collect();
        keys.sort();
        keys
    };
    assert_eq!(of(&["intent"]), of(&["applied", "failed", "recovered"]), "{records:#?}");
}

/// What is put back, once more, when what stood in the way has gone.
fn repairs(account: &Account, controller: &mut Running) {
    account.boto3(STOP_LOGGING);
    let repaired = controller.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    assert!(is_logging(account));
}

#[test]
fn a_database_that_is_gone_for_a_while_stops_writes_and_no_look() {
    let mut postgres = Postgres::start();
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}\n[store]\nurl = \"{}\"\n", postgres.url()));
    let mut controller = started(&account);
    postgres.stop();
    account.forget_calls();
    account.boto3(STOP_LOGGING);
    let seen = controller.next("run", |line| line["causes"].to_string().contains("StopLogging"));
    assert_eq!(seen["drift"].as_array().map(Vec::len), Some(1), "{seen}");
    assert_eq!((&seen["applied"], &seen["outcome"]), (&json!(0), &json!("partly")), "{seen}");
    assert_eq!(seen["held_back"][0]["guard"], "memory", "{seen}");
    let again = controller.next("again", |_| true);
    assert_eq!(again["why"], "other", "{again}");
    assert!(!is_logging(&account));
    postgres.start_again();
    repairs(&account, &mut controller);
    assert_eq!(accepted(&account, START), 1);
    controller.end();
    is_audited(&account);
    let history = account.run(&["history", "--format", "json", "-k", "cloudtrail.trail"]).json();
    let words: Vec<&Value> =
        history["entries"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    assert_eq!(words[..2], [&json!("resolved"), &json!("applied")], "{history}");
}

/// The controller, for which a write beyond a limit is an error, as on a full disk, and not its end.
fn on_a_disk(account: &Account) -> Command {
    let inner = account.command(&["run"]);
    let mut command = Command::new("bash");
    command.args(["-c", "trap '' XFSZ; exec \"$@\"", "run"]);
    command.arg(inner.get_program()).args(inner.get_args());
    command.current_dir(account.folder.path()).envs(account.env());
    command
}

/// Lets no file of a process grow beyond this size.
fn disk(process: &Child, size: &str) {
    let size = format!("--fsize={size}:unlimited");
    let pid = process.id().to_string();
    assert!(Command::new("prlimit").args(["--pid", &pid, &size]).status().unwrap().success());
}

#[test]
fn a_disk_that_is_full_for_a_while_stops_writes_until_there_is_room() {
    let account = watched("enforce");
    let mut controller = Running::with(on_a_disk(&account));
    controller.next("run", |line| line["target"] == "here");
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    let size = std::fs::metadata(log).unwrap().len();
    disk(&controller.process, &size.to_string());
    account.forget_calls();
    account.boto3(STOP_LOGGING);
    let full = controller.next("run", |line| line["causes"].to_string().contains("StopLogging"));
    assert_eq!((&full["applied"], &full["outcome"]), (&json!(0), &json!("partly")), "{full}");
    controller.next("again", |_| true);
    assert!(!is_logging(&account));
    disk(&controller.process, "unlimited");
    repairs(&account, &mut controller);
    assert_eq!(accepted(&account, START), 1);
    controller.end();
    is_audited(&account);
}

#[test]
fn a_store_whose_disk_is_full_for_a_while_goes_on_without_a_restart() {
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}\n[store]\nurl = \"sqlite://store.db\"\n"));
    let mut controller = Running::with(on_a_disk(&account));
    controller.next("run", |line| line["target"] == "here");
    // Once all that was to be noted is: while the connections are open.
    disk(&controller.process, "1");
    account.forget_calls();
    account.boto3(STOP_LOGGING);
    let full = controller.next("run", |line| line["causes"].to_string().contains("StopLogging"));
    assert_eq!((&full["applied"], &full["outcome"]), (&json!(0), &json!("partly")), "{full}");
    assert_eq!(full["held_back"][0]["guard"], "memory", "{full}");
    controller.next("again", |_| true);
    assert!(!is_logging(&account));
    disk(&controller.process, "unlimited");
    repairs(&account, &mut controller);
    assert_eq!(accepted(&account, START), 1);
    controller.end();
    is_audited(&account);
    let history = account.run(&["history", "--format", "json", "-k", "cloudtrail.trail"]).json();
    let words: Vec<&Value> =
        history["entries"].as_array().unwrap().iter().map(|entry| &entry["what"]).collect();
    assert_eq!(words[..2], [&json!("resolved"), &json!("applied")], "{history}");
}

#[test]
fn what_comes_twice_late_and_out_of_order_is_put_right_once() {
    let account = watched("enforce");
    account.control("POST", "events", Some(json!({"duplicates": 1.0, "reorder": 1.0, "seed": 7})));
    let mut controller = started(&account);
    account.forget_calls();
    account.boto3(
        "boto3.client('cloudtrail').stop_logging(Name='main')\n\
         boto3.client('ec2').disable_ebs_encryption_by_default()\nprint('null')",
    );
    let mut applied = 0;
    while applied < 2 {
        let run = controller.next("run", |line| line["applied"] != 0);
        assert_eq!(run["outcome"], "in sync", "{run}");
        applied += run["applied"].as_u64().unwrap();
    }
    account.control("POST", "events/flush", None);
    assert_eq!(accepted(&account, START), 1);
    // What came late, and twice, was a look at most: the next write is of the next drift.
    repairs(&account, &mut controller);
    let left = controller.end();
    assert!(
        !left.iter().any(|line| line["event"] == "run"
            && line["applied"].as_u64().is_some_and(|applied| applied != 0)),
        "{left:?}"
    );
    assert_eq!(accepted(&account, START), 2);
    assert_eq!(accepted(&account, "EnableEbsEncryptionByDefault"), 1);
    is_audited(&account);
}

#[test]
fn what_is_no_event_is_left_in_the_queue_and_stops_nothing() {
    let account = watched("enforce");
    let mut controller = started(&account);
    account.boto3(
        "q = boto3.client('sqs')\nurl = q.get_queue_url(QueueName='events')['QueueUrl']\n\
         bodies = ['?', '{}', '[' * 10000, json.dumps({'detail-type': 'AWS API Call via CloudTrail', 'account': '1', 'region': 'x', 'detail': {}}), '\\u00e9' * 1000]\n\
         for body in bodies: q.send_message(QueueUrl=url, MessageBody=body)\nprint('null')",
    );
    for _ in 0..5 {
        let line = controller.next("unreadable", |_| true);
        assert!(!line["error"].as_str().unwrap().is_empty(), "{line}");
    }
    repairs(&account, &mut controller);
    controller.end();
    let left = account.boto3(
        "q = boto3.client('sqs')\nurl = q.get_queue_url(QueueName='events')['QueueUrl']\n\
         print(q.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']['ApproximateNumberOfMessagesNotVisible'])",
    );
    assert!(left.as_u64() >= Some(5), "{left}: nobody deletes what nobody understands");
    is_audited(&account);
}

#[test]
fn a_webhook_that_hangs_keeps_no_repair_waiting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (sender, called) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut open = Vec::new();
        for stream in listener.incoming() {
            open.push(stream.unwrap());
            sender.send(()).unwrap();
        }
    });
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    let hook = "[notify.webhook.ops]\nsecret = \"${env.HOOK_SECRET}\"";
    account
        .write("evenkeel.toml", &format!("{fleet}\n{hook}\nurl = \"http://127.0.0.1:{port}/\"\n"));
    let mut command = account.command(&["run"]);
    command.env("HOOK_SECRET", "0123456789abcdef0123456789abcdef");
    let mut controller = Running::with(command);
    controller.next("run", |line| line["target"] == "here");
    repairs(&account, &mut controller);
    called.recv_timeout(std::time::Duration::from_secs(60)).expect("the webhook is called");
    // It has not answered, and never will.
    repairs(&account, &mut controller);
    controller.end();
    is_audited(&account);
    // What it has not taken is kept.
    assert!(account.read(".evenkeel/notices.json").contains("StopLogging"));
}

#[test]
fn credentials_that_are_revoked_are_a_failure_until_they_work_again() {
    let account = watched("enforce");
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &fleet.replace("0 0 0 1 1 *", "* * * * * *"));
    let mut controller = started(&account);
    account.boto3(STOP_LOGGING);
    controller.next("run", |line| line["applied"] == 1);
    account.forget_calls();
    account.fault(json!({"service": "*", "code": "ExpiredToken"}));
    let failed = controller.next("run", |line| line["outcome"] == "failed");
    assert!(failed["error"].as_str().unwrap().contains("ExpiredToken"), "{failed}");
    assert_eq!(controller.next("again", |_| true)["why"], "other");
    controller.next("deaf", |_| true);
    account.no_faults();
    controller.next("hears", |line| line["deaf_seconds"].is_u64());
    controller.next("run", |line| line["outcome"] == "in sync");
    assert_eq!(accepted(&account, START), 0);
    // Of the permission to write alone.
    account.fault(json!({"service": "cloudtrail", "operation": START}));
    account.boto3(STOP_LOGGING);
    let denied = controller.next("run", |line| line["outcome"] == "partly");
    assert!(denied["failed"][0].as_str().unwrap().contains("cloudtrail:StartLogging"), "{denied}");
    assert_eq!(controller.next("again", |_| true)["why"], "denied");
    account.no_faults();
    let repaired = controller.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    assert_eq!(accepted(&account, START), 1);
    controller.end();
    is_audited(&account);
}

#[test]
fn an_account_that_is_closed_is_left_out_and_the_others_are_repaired() {
    let org = Organization::new();
    org.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\n\
         confirmed = true\nschedule = \"* * * * * *\"\n",
    );
    let mut controller = Running::with(org.management.command(&["run"]));
    let first = controller.next("run", |line| line["applied"] == 3);
    assert_eq!(first["outcome"], "in sync", "{first}");
    let writes_in = |name: &str| {
        let calls = org.management.calls_of(org.id(name));
        calls.iter().filter(|call| call["operation"] == "UpdateAccountPasswordPolicy").count()
    };
    let weaken = |name: &str| {
        org.inside(
            name,
            "client('iam').update_account_password_policy(MinimumPasswordLength=8)\nprint('null')",
        );
    };
    // STS refuses at once; the organization says so later.
    org.no_way_into("beta", json!({"code": "AccessDenied"}));
    let denied = controller.next("run", |line| line["outcome"] == "partly");
    assert_eq!(denied["summary"]["failed_accounts"], 1, "{denied}");
    weaken("alpha");
    controller.next("run", |line| line["applied"] == 1);
    assert_eq!(org.password_length("alpha"), 14);
    let close =
        format!("boto3.client('organizations').close_account(AccountId='{}')", org.id("beta"));
    org.management.boto3(&format!("{close}\nprint('null')"));
    let before = writes_in("beta");
    let closed = controller.next("run", |line| line["outcome"] == "in sync");
    assert_eq!(closed["summary"]["failed_accounts"], 0, "{closed}");
    weaken("gamma");
    controller.next("run", |line| line["applied"] == 1);
    assert_eq!(org.password_length("gamma"), 14);
    controller.end();
    assert_eq!(writes_in("beta"), before);
    is_audited(&org.management);
}

// ---- Killed at every step ----------------------------------------------------------------------

const POLICY: &str = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"enforce\"\n[iam.password_policy]\nminimum_password_length = 14\n";
const FLEET: &str = "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nconfirmed = true\n\
     [store]\nurl = \"sqlite://.evenkeel/store.db\"\n";
const DIES_AT: &str = "EVENKEEL_TEST_DIES_AT";
const UPDATE: &str = "UpdateAccountPasswordPolicy";

/// The steps of a run, of which one is the last.
struct Steps {
    last: usize,
    done: AtomicUsize,
}

impl Steps {
    /// A step is done; the last one of a life ends the process, as a power cut does.
    fn done(&self, what: &str) {
        let step = self.done.fetch_add(1, Ordering::SeqCst) + 1;
        println!("step {step}: {what}");
        if step == self.last {
            let pid = std::process::id().to_string();
            Command::new("kill").args(["-KILL", &pid]).status().unwrap();
            unreachable!("nobody survives SIGKILL");
        }
    }
}

/// What guards remember, each reading and writing of which is a step.
struct Mortal(Store, Arc<Steps>);

#[async_trait]
impl Memory for Mortal {
    async fn read(&self, name: &str) -> Result<Option<Document>, StoreError> {
        self.0.read(name).await
    }

    async fn write(&self, name: &str, seen: u64, body: &Value) -> Result<u64, StoreError> {
        let written = self.0.write(name, seen, body).await;
        self.1.done(&format!("the guards wrote {name}"));
        written
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Document>, StoreError> {
        self.0.list(prefix).await
    }

    async fn remove(&self, name: &str, seen: u64) -> Result<(), StoreError> {
        self.0.remove(name, seen).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}

/// Hears each step; one stands before the store and one behind it.
struct Hearing(&'static str, Arc<Steps>);

impl Listener for Hearing {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        let what = match told.event {
            RunEvent::Opened { .. } => "opened",
            RunEvent::Writing { .. } => "writing",
            RunEvent::Answered { .. } => "answered",
            RunEvent::Wrote { .. } => "wrote",
            RunEvent::Verified { .. } => "verified",
            RunEvent::Ended { .. } => "ended",
            _ => return Ok(()),
        };
        self.1.done(&format!("{what}, {}", self.0));
        Ok(())
    }
}

/// No test: a run of the library in a process of its own, which ends at a step.
#[test]
fn the_run_that_dies() {
    let Ok(last) = std::env::var(DIES_AT) else { return };
    let steps = Arc::new(Steps { last: last.parse().unwrap(), done: AtomicUsize::new(0) });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(dying(&steps));
    println!("it lives");
}

async fn dying(steps: &Arc<Steps>) {
    let folder = std::env::current_dir().unwrap();
    let store = Store::open("sqlite://.evenkeel/store.db", &folder).await.unwrap();
    let own = Session::connect(Arc::default(), Options::default()).await.unwrap();
    let options = LoadOptions {
        variables: std::collections::BTreeMap::new(),
        environment: Environment::default(),
        today: chrono::Utc::now().date_naive(),
    };
    let loaded = baseline::load(&["b.toml".into()], &Disk, registry::catalog(), options);
    let Ok(loaded) = loaded else { panic!("the baseline is not good") };
    let memory = Arc::new(Mortal(store.clone(), Arc::clone(steps)));
    let wish = Look {
        source: Source::Live { own: Some(Arc::new(own)), record: None },
        ..Look::at(
            vec![FleetTarget::own(loaded.baseline)],
            None,
            Guarded::of(Hand::Person, None, memory),
        )
    };
    let remembered = Remembered::new(store, Remembering::of("run", &wish, None));
    let listener: Arc<dyn Listener> = Arc::new(Listeners(vec![
        Arc::new(Hearing("in the audit log alone", Arc::clone(steps))),
        Arc::new(remembered),
        Arc::new(Hearing("in the store as well", Arc::clone(steps))),
    ]));
    let log = SharedLog::at(folder.join(".evenkeel/audit.jsonl"));
    reconcile(wish, &log, &Stop::default(), &listener).await.unwrap();
}

/// Runs it up to a step; says which step that was, or that it lived.
fn dies_at(account: &Account, step: usize) -> Option<String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "outages::the_run_that_dies", "--nocapture"])
        .env(DIES_AT, step.to_string())
        .envs(account.env())
        .current_dir(account.folder.path())
        .stdout(Stdio::piped());
    let output = command.output().unwrap();
    let lines: Vec<String> =
        BufReader::new(&output.stdout[..]).lines().map(Result::unwrap).collect();
    if lines.iter().any(|line| line == "it lives") {
        return None;
    }
    assert_eq!(output.status.code(), None, "{lines:?}");
    lines.into_iter().rfind(|line| line.starts_with("step "))
}

#[test]
fn killed_at_any_step_of_a_write_nothing_is_lost_and_nothing_done_twice() {
    let mut steps = Vec::new();
    loop {
        let account = support::emulator().account();
        account.write("b.toml", POLICY);
        account.write("evenkeel.toml", FLEET);
        let Some(step) = dies_at(&account, steps.len() + 1) else { break };
        let next: Run = account.run(&["run", "--once"]);
        assert_eq!(next.code, 0, "after {step}: {}{}", next.stdout, next.stderr);
        assert_eq!(accepted(&account, UPDATE), 1, "after {step}");
        is_audited(&account);
        account.run(&["check"]).code(0);
        let history = account.run(&["history", "--format", "json"]).json();
        assert!(!history.to_string().contains("unfinished"), "after {step}: {history}");
        steps.push(step);
    }
    for part in [
        "opened, in the audit log alone",
        "writing, in the audit log alone",
        "writing, in the store as well",
        "answered, in the audit log alone",
        "answered, in the store as well",
        "verified, in the audit log alone",
        "ended, in the store as well",
        "the guards wrote guards/account/",
        "the guards wrote guards/all",
        "the guards wrote guards/fight/",
    ] {
        assert!(steps.iter().any(|step| step.contains(part)), "no {part:?} in {steps:#?}");
    }
}
