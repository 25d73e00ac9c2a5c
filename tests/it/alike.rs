//! What is said of objects and accounts does not depend on whom one asks: the controller that looked, one that was
//! started since, another one that shares the store, or the store alone.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::controller::Running;
use crate::support::organization::Organization;
use crate::support::postgres::Postgres;
use crate::support::{self, Account, free_port, library};

const POLICY: &str = "schema = 1\n[baseline]\nname = \"t\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\
     [iam.password_policy]\nminimum_password_length = 14\n";
/// What is waited for comes within this time.
const LONGEST: Duration = Duration::from_secs(120);

/// The fleet file of one account, looked at all two seconds, with a store in SQLite.
fn alone(more: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", POLICY);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nschedule = \"*/2 * * * * *\"\nconfirmed = true\n\
             [safety.breaker]\nfailures = 1000\n[store]\nurl = \"sqlite://store.db\"\n{more}"
        ),
    );
    account
}

fn listening() -> String {
    format!("[controller]\nlisten = \"127.0.0.1:{}\"\n", free_port())
}

fn refused() -> Value {
    json!({
        "service": "iam", "operation": "UpdateAccountPasswordPolicy", "kind": "error",
        "code": "AccessDenied", "status": 403,
    })
}

/// What a status says of its worst object, and whether all is in sync.
fn worst(status: &Value) -> Value {
    let one = &status["drift"]["worst"][0];
    let fields = ["title", "state", "severity", "since", "failed_since"];
    fields.iter().map(|field| ((*field).to_owned(), one[*field].clone())).collect()
}

/// Asks for the status until it is as wanted.
fn until(account: &Account, folder: Option<PathBuf>, is_it: impl Fn(&Value) -> bool) -> Value {
    let began = Instant::now();
    loop {
        let mut command = account.command(&["status", "--format", "json"]);
        if let Some(folder) = &folder {
            command.current_dir(folder);
        }
        let output = command.output().unwrap();
        let status: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if is_it(&status) {
            assert!(began.elapsed() < LONGEST);
            let mut status = status;
            status["exit"] = json!(output.status.code());
            return status;
        }
        assert!(began.elapsed() < LONGEST, "{status}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn is_failed(status: &Value) -> bool {
    status["drift"]["worst"][0]["state"] == "failed"
}

#[test]
fn a_write_that_failed_is_the_same_for_the_store_and_for_a_controller_that_was_started_since() {
    let account = alone(&listening());
    account.fault(refused());
    let mut controller = Running::start(&account);
    controller.next("run", |line| line["outcome"] == "partly");
    let first = until(&account, None, is_failed);
    assert_eq!(first["exit"], 4, "{first}");
    assert_eq!(worst(&first)["severity"], "high", "{first}");
    // It is looked at again and again, and is never only to change in between.
    for _ in 0..10 {
        let again = until(&account, None, |_| true);
        assert_eq!((&again["exit"], worst(&again)), (&first["exit"], worst(&first)), "{again}");
        std::thread::sleep(Duration::from_millis(300));
    }
    controller.end();
    let of_store = until(&account, None, |_| true);
    assert_eq!((&of_store["exit"], worst(&of_store)), (&first["exit"], worst(&first)));
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let restarted = until(&account, None, is_failed);
    assert_eq!((&restarted["exit"], worst(&restarted)), (&first["exit"], worst(&first)));
    account.no_faults();
    controller.next("run", |line| line["applied"] == 1);
    let right = until(&account, None, |status| status["drift"]["objects"] == 0);
    assert_eq!((&right["exit"], &right["drift"]["in_sync"]), (&json!(0), &json!(1)), "{right}");
    controller.end();
}

#[test]
fn what_was_just_put_right_is_in_sync_by_the_store_alone() {
    let account = alone("");
    account.run(&["run", "--once"]).code(0);
    account.run(&["status"]).code(0).says("none · 1 in sync · 0 unknown");
    account.run(&["history", "--outcome", "resolved"]).code(0).says("iam.password_policy");
}

#[test]
fn the_objects_of_an_account_that_cannot_be_entered_are_unknown_after_a_restart_too() {
    let organization = Organization::new();
    organization.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nconfirmed = true\nschedule = \"*/2 * * * * *\"\n",
    );
    let account = &organization.management;
    let fleet = account.read("evenkeel.toml");
    let store = "[store]\nurl = \"sqlite://store.db\"\n";
    account.write("evenkeel.toml", &format!("{fleet}{store}{}", listening()));
    let mut controller = Running::start(account);
    controller.next("run", |line| line["applied"] == 3);
    let counts = |status: &Value| {
        let drift = &status["drift"];
        (drift["in_sync"].clone(), drift["unknown"].clone())
    };
    until(account, None, |status| counts(status) == (json!(3), json!(0)));
    controller.end();
    organization
        .no_way_into("gamma", json!({"kind": "error", "code": "AccessDenied", "status": 403}));
    let mut controller = Running::start(account);
    controller.next("run", |_| true);
    let restarted = until(account, None, |status| counts(status) == (json!(2), json!(1)));
    assert_eq!(restarted["exit"], 4, "{restarted}");
    controller.end();
    let of_store = until(account, None, |_| true);
    assert_eq!((counts(&of_store), &of_store["exit"]), ((json!(2), json!(1)), &json!(4)));
}

#[test]
fn an_account_of_two_targets_is_seen_in_whole() {
    let account = alone(&listening());
    let fleet = account.read("evenkeel.toml");
    account.write(
        "c.toml",
        "schema = 1\n[baseline]\nname = \"u\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n[ec2.ebs_encryption]\nenabled = true\n",
    );
    let other = "[[target]]\nname = \"there\"\nbaselines = [\"c.toml\"]\nschedule = \"*/2 * * * * *\"\nconfirmed = true\n";
    account.write("evenkeel.toml", &fleet.replacen("[[target]]", &format!("{other}[[target]]"), 1));
    let controller = Running::start(&account);
    let is_right = |status: &Value| {
        let accounts = &status["accounts"];
        status["drift"]["in_sync"] == 2 && accounts["seen"] == 1 && accounts["never_in_full"] == 0
    };
    until(&account, None, is_right);
    controller.end();
    let of_store = until(&account, None, |_| true);
    assert!(is_right(&of_store), "{of_store}");
    assert!(of_store["accounts"]["oldest_full_look_seconds"].is_number(), "{of_store}");
}

#[test]
fn a_shard_without_accounts_is_no_failure_and_is_said() {
    let account = alone(&listening());
    let shards = ["1/2", "2/2"];
    let is_empty = |shard: &&str| {
        let plan = account.run(&["plan", "--shard", shard]);
        plan.stderr.contains("holds no account") || plan.stdout.contains("holds no account")
    };
    let shard = shards.into_iter().find(is_empty).unwrap();
    let mut controller = Running::with(account.command(&["run", "--shard", shard]));
    controller.next("run", |line| line["outcome"] == "in sync");
    let says = format!("0 accounts seen · the shard {shard} has none");
    account.run(&["status"]).code(0).says(&says).says("drift       none");
    controller.end();
    account.run(&["status"]).says(&says).says("drift       none");
}

/// Some controllers that share one account.
struct Replicas {
    hub: Account,
    id: String,
    server: Postgres,
    running: Vec<Running>,
}

impl Replicas {
    fn start(count: usize) -> Self {
        let (hub, server) = (support::emulator().account(), Postgres::start());
        let id = format!(
            "{:012}",
            hub.id.parse::<u64>().unwrap() * 1000 % 400_000_000_000 + 450_000_000_000
        );
        hub.fault_in(&id, refused());
        let mut running = Vec::new();
        for replica in 0..count {
            hub.write(&format!("{replica}/b.toml"), POLICY);
            hub.write(
                &format!("{replica}/evenkeel.toml"),
                &format!(
                    "schema = 1\nhome_region = \"eu-west-1\"\n\
                     [[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\nselect = {{ accounts = [\"{id}\"] }}\n\
                     schedule = \"*/5 * * * * *\"\nconfirmed = true\n\
                     [access]\nrole_arn = \"arn:${{partition}}:iam::${{account.id}}:role/evenkeel\"\n\
                     [safety.breaker]\nfailures = 1000\n\
                     [store]\nurl = \"{}\"\nlease = \"3s\"\n{}",
                    server.url(),
                    listening()
                ),
            );
            let mut command = hub.command(&["run"]);
            command.current_dir(hub.folder.path().join(replica.to_string()));
            command.env("HOSTNAME", format!("replica-{replica}"));
            running.push(Running::with(command));
        }
        Self { hub, id, server, running }
    }

    fn status(&self, replica: usize, is_it: impl Fn(&Value) -> bool) -> Value {
        let folder = self.hub.folder.path().join(replica.to_string());
        until(&self.hub, Some(folder), is_it)
    }
}

#[test]
fn replicas_say_the_same_and_one_of_them_looks_at_each_tick() {
    const REPLICAS: usize = 3;
    const TICK: i64 = 5;
    let mut replicas = Replicas::start(REPLICAS);
    let first = replicas.status(0, is_failed);
    assert_eq!(
        (&first["exit"], &worst(&first)["severity"]),
        (&json!(4), &json!("high")),
        "{first}"
    );
    for _ in 0..3 {
        for replica in 0..REPLICAS {
            let one = replicas.status(replica, |_| true);
            assert_eq!((&one["exit"], worst(&one)), (&first["exit"], worst(&first)), "{replica}");
        }
        std::thread::sleep(Duration::from_secs(2));
    }
    replicas.hub.no_faults_in(&replicas.id);
    for replica in 0..REPLICAS {
        let right = replicas.status(replica, |status| status["drift"]["objects"] == 0);
        assert_eq!((&right["exit"], &right["drift"]["in_sync"]), (&json!(0), &json!(1)), "{right}");
    }
    let calm = chrono::Utc::now().timestamp() / TICK + 1;
    std::thread::sleep(Duration::from_secs(6 * TICK.unsigned_abs()));
    let lines: Vec<Value> =
        replicas.running.drain(..).flat_map(|controller| controller.end()).collect();
    // Who had nothing left to look at says so, and has no run in the history.
    let of = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count();
    assert!(of("left to others") >= 4, "{lines:?}");
    let runs =
        library::ask(&replicas.server.url(), async |store| store.runs(None, None).await.unwrap());
    assert!(runs.iter().all(|run| run.about.accounts == 1), "{runs:?}");
    let mut of_tick: BTreeMap<i64, usize> = BTreeMap::new();
    for run in &runs {
        *of_tick.entry(run.began.timestamp() / TICK).or_default() += 1;
    }
    let of_tick: BTreeMap<_, _> = of_tick.into_iter().filter(|(tick, _)| *tick >= calm).collect();
    assert!(of_tick.len() >= 4 && of_tick.values().all(|count| *count == 1), "{of_tick:?}");
}
