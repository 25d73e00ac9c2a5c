//! Several controllers share a fleet: three processes with one PostgreSQL, of which one is killed in the
//! middle of its work again and again, while somebody changes the accounts. Afterwards every account is as
//! declared, and the store and the audit logs are asked what happened.
//!
//! `EVENKEEL_KILLS=60 EVENKEEL_ACCOUNTS=200` makes a longer one (`make kill-test`); the figures are printed with
//! `--nocapture`.

#![allow(clippy::print_stderr)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use evenkeel::store::Leases;
use evenkeel::store::audit::Check;
use evenkeel::store::history::{ChangeShown, What};
use serde_json::{Value, json};

use crate::support::library;
use crate::support::postgres::Postgres;
use crate::support::{self, Account};

/// How many processes there are.
const REPLICAS: usize = 3;
/// When all is over, everything is as declared within this time.
const LONGEST: Duration = Duration::from_secs(300);

const BASELINE: &str = "schema = 1\n[baseline]\nname = \"fleet\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\
     [iam.password_policy]\nminimum_password_length = 14\n\
     [s3.account_public_access_block]\nblock_public_acls = true\n";

fn number(name: &str, otherwise: usize) -> usize {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// A fleet that several processes share.
struct Fleet {
    hub: Account,
    server: Postgres,
    ids: Vec<String>,
    running: Vec<Child>,
}

impl Fleet {
    /// So many accounts, none of which is as declared.
    fn new(accounts: usize) -> Self {
        let hub = support::emulator().account();
        let first: u64 = hub.id.parse::<u64>().unwrap() * 1000 % 400_000_000_000 + 500_000_000_000;
        let ids: Vec<String> = (0..accounts as u64).map(|n| format!("{:012}", first + n)).collect();
        let server = Postgres::start();
        let fleet = format!(
            "schema = 1\nhome_region = \"eu-west-1\"\n\
             [[target]]\nname = \"all\"\nbaselines = [\"b.toml\"]\nselect = {{ accounts = {ids:?} }}\n\
             schedule = \"*/10 * * * * *\"\nconfirmed = true\n\
             [access]\nrole_arn = \"arn:${{partition}}:iam::${{account.id}}:role/evenkeel\"\n\
             [limits]\nconcurrent_accounts = 4\n\
             [safety]\nmax_changes = 100000\nmax_changes_per_day = 1000000\nmax_changes_per_account_per_day = 100000\n\
             [safety.fights]\ntimes = 100\n\
             [safety.breaker]\nfailures = 100\n\
             [store]\nurl = \"{}\"\nlease = \"3s\"\n",
            server.url()
        );
        for replica in 0..REPLICAS {
            hub.write(&format!("{replica}/b.toml"), BASELINE);
            hub.write(&format!("{replica}/evenkeel.toml"), &fleet);
        }
        Self { hub, server, ids, running: Vec::new() }
    }

    fn folder(&self, replica: usize) -> PathBuf {
        self.hub.folder.path().join(replica.to_string())
    }

    fn start(&self, replica: usize) -> Child {
        let folder = self.folder(replica);
        let append =
            |name: &str| File::options().create(true).append(true).open(folder.join(name)).unwrap();
        let mut command = self.hub.command(&["run"]);
        command.current_dir(&folder).env("HOSTNAME", format!("replica-{replica}"));
        command.stdout(Stdio::from(append("out"))).stderr(Stdio::from(append("err")));
        command.spawn().unwrap()
    }

    fn start_all(&mut self) {
        self.running = (0..REPLICAS).map(|replica| self.start(replica)).collect();
        std::thread::sleep(Duration::from_secs(1));
        for (replica, process) in self.running.iter_mut().enumerate() {
            let err = self.hub.folder.path().join(format!("{replica}/err"));
            let says = || std::fs::read_to_string(err).unwrap_or_default();
            assert!(process.try_wait().unwrap().is_none(), "it does not begin: {}", says());
        }
    }

    /// Kills one as nothing can be caught, and starts it again; gives what it was about to write.
    fn kill(&mut self, replica: usize) -> usize {
        support::kill(&mut self.running[replica]);
        let in_hand = self.check(replica).map_or(0, |check| check.unfinished().count());
        self.running[replica] = self.start(replica);
        in_hand
    }

    fn check(&self, replica: usize) -> Option<Check> {
        let log = self.folder(replica).join(".evenkeel/audit.jsonl");
        log.exists().then(|| Check::of(&log, None).unwrap())
    }

    /// Somebody takes the policy away in every so many accounts.
    fn drift(&self, every: usize) {
        let some: Vec<&String> = self.ids.iter().step_by(every).collect();
        self.hub.boto3(&format!(
            "for id in {}:\n\
             \x20   c = boto3.client('sts').assume_role(RoleArn=f'arn:aws:iam::{{id}}:role/somebody', RoleSessionName='somebody')['Credentials']\n\
             \x20   iam = boto3.client('iam', aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])\n\
             \x20   try: iam.delete_account_password_policy()\n\
             \x20   except iam.exceptions.NoSuchEntityException: pass\n\
             print('null')",
            json!(some)
        ));
    }

    /// Waits until everything is as declared; gives how long that took.
    fn converges(&self) -> Duration {
        let began = Instant::now();
        loop {
            let mut check = self.hub.command(&["check", "--format", "json"]);
            let output = check.current_dir(self.folder(0)).output().unwrap();
            if output.status.code() == Some(0) {
                return began.elapsed();
            }
            if began.elapsed() > LONGEST {
                panic!(
                    "not as declared: {}\n{}",
                    String::from_utf8_lossy(&output.stderr),
                    std::fs::read_to_string(self.folder(0).join("err")).unwrap_or_default()
                );
            }
            std::thread::sleep(Duration::from_secs(1));
        }
    }

    /// Ends all as a supervisor does.
    fn end(&mut self) {
        for process in &self.running {
            support::send(process, "TERM");
        }
        for mut process in self.running.drain(..) {
            assert_eq!(process.wait().unwrap().code(), Some(0));
        }
    }

    /// The writes that came to AWS, by account.
    fn writes(&self) -> BTreeMap<&str, usize> {
        let writes = |id: &String| {
            let calls = self.hub.calls_of(id);
            let ours = ["UpdateAccountPasswordPolicy", "PutPublicAccessBlock"];
            calls.iter().filter(|call| ours.iter().any(|name| call["operation"] == *name)).count()
        };
        self.ids.iter().map(|id| (id.as_str(), writes(id))).collect()
    }

    /// All changes, as the store knows them.
    fn changes(&self) -> Vec<ChangeShown> {
        library::ask(&self.server.url(), async |store| {
            let mut all = Vec::new();
            for run in store.runs(None, None).await.unwrap() {
                for shown in store.runs_called(&run.run).await.unwrap() {
                    all.extend(shown.changes);
                }
            }
            all
        })
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.running.iter_mut().for_each(support::kill);
    }
}

/// The lines of an audit log.
fn lines(log: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// What must hold of all that was written, whatever happened.
fn verify(fleet: &Fleet) {
    let changes = fleet.changes();
    // Nobody was in an account while somebody else had a change of it in hand, and tokens only grow.
    let mut of_account: BTreeMap<&str, Vec<&ChangeShown>> = BTreeMap::new();
    for change in &changes {
        assert_ne!(change.outcome, What::Unfinished, "nobody looked after it: {:?}", change.intent);
        assert!(change.intent.token.is_some_and(|token| token > 0), "{:?}", change.intent);
        of_account.entry(change.intent.account.as_str()).or_default().push(change);
    }
    for changes in of_account.values_mut() {
        changes.sort_by_key(|change| change.intent.time);
        for pair in changes.windows(2) {
            let [one, next] = pair else { continue };
            assert!(one.answered.unwrap() <= next.intent.time, "two at once: {one:?}\n{next:?}");
            assert!(one.intent.token <= next.intent.token, "an old token: {one:?}\n{next:?}");
        }
    }
    // What the logs say and what the store says is the same, and nothing is missing in either.
    let known: BTreeSet<(String, u64)> = changes
        .iter()
        .map(|change| (change.intent.run.clone(), u64::from(change.intent.change)))
        .collect();
    let mut logged = BTreeSet::new();
    let mut refused = BTreeSet::new();
    let mut shares = Vec::new();
    for replica in 0..REPLICAS {
        let check = fleet.check(replica).expect("each has written");
        assert!(check.faults().is_empty(), "{:?}", check.faults());
        let mut own = 0;
        for line in lines(&fleet.folder(replica).join(".evenkeel/audit.jsonl")) {
            let key = (
                line["run"].as_str().unwrap_or_default().to_owned(),
                line["change"].as_u64().unwrap_or_default(),
            );
            match line["phase"].as_str().unwrap() {
                "intent" => {
                    assert!(line["token"].is_i64() || line["token"].is_u64(), "{line}");
                    own += 1;
                    logged.insert(key);
                }
                "failed" if line["class"] == "unheard" => drop(refused.insert(key)),
                _ => {}
            }
        }
        shares.push(own);
    }
    let unknown: Vec<_> = known.difference(&logged).collect();
    assert!(unknown.is_empty(), "not in a log: {unknown:?}");
    // An intent that was on the disk when its process died may not have come to the store: nothing was sent.
    let missing = logged.difference(&known).filter(|key| !refused.contains(*key)).count();
    let writes: usize = fleet.writes().values().sum();
    assert!(
        writes <= changes.len(),
        "{writes} writes came to AWS, and {} are known",
        changes.len()
    );
    let recovered = changes.iter().filter(|change| change.outcome == What::Recovered).count();
    eprintln!(
        "{} changes in {} accounts, {writes} writes; {recovered} looked after by somebody else, {missing} announced in a log alone; changes by replica: {shares:?}",
        changes.len(),
        of_account.len(),
    );
    let least = logged.len() / REPLICAS / 4;
    assert!(shares.iter().all(|share| *share >= least), "the work is not spread: {shares:?}");
}

#[test]
fn whoever_is_killed_others_take_over_and_nothing_is_done_twice_or_lost() {
    let (kills, accounts) = (number("EVENKEEL_KILLS", 6), number("EVENKEEL_ACCOUNTS", 200));
    let mut fleet = Fleet::new(accounts);
    fleet.start_all();
    let mut in_hand = 0;
    let began = Instant::now();
    for kill in 0..kills {
        std::thread::sleep(Duration::from_millis(2500));
        in_hand += fleet.kill(kill % REPLICAS);
        if kill % 2 == 1 {
            fleet.drift(5);
        }
    }
    let troubled = began.elapsed();
    let calm = fleet.converges();
    // What was open when somebody died is looked after within a term and a tick.
    let left = || {
        library::ask(&fleet.server.url(), async |store| store.unfinished(None).await.unwrap().len())
    };
    while left() > 0 {
        assert!(began.elapsed() < troubled + LONGEST, "{} changes are open", left());
        std::thread::sleep(Duration::from_secs(1));
    }
    eprintln!(
        "{kills} kills in {:.0} s, {in_hand} of them in a write; all as declared {:.0} s later",
        troubled.as_secs_f64(),
        calm.as_secs_f64()
    );
    fleet.end();
    verify(&fleet);
    // Who ended has given everything back.
    let free = library::ask(&fleet.server.url(), async |store| {
        let one = Duration::from_secs(1);
        store.claim(&fleet.ids, "test", one, fleet.ids.len()).await.unwrap().len()
    });
    assert_eq!(free, fleet.ids.len());
}

#[test]
fn fewer_accounts_than_one_controller_can_have_in_hand_are_shared_out() {
    let mut fleet = Fleet::new(24);
    for replica in 0..REPLICAS {
        let file = fleet.folder(replica).join("evenkeel.toml");
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, text.replace("concurrent_accounts = 4", "concurrent_accounts = 32"))
            .unwrap();
    }
    fleet.start_all();
    fleet.converges();
    fleet.end();
    let written = |replica| {
        let lines = lines(&fleet.folder(replica).join(".evenkeel/audit.jsonl"));
        lines.iter().filter(|line| line["phase"] == "applied").count()
    };
    let written: Vec<usize> = (0..REPLICAS).map(written).collect();
    assert_eq!(written.iter().sum::<usize>(), 2 * fleet.ids.len(), "{written:?}");
    // Nobody waits while another one writes nearly all of it.
    assert!(written.iter().all(|one| *one >= fleet.ids.len() / 6), "{written:?}");
}

#[test]
fn who_was_killed_between_two_writes_is_said_to_be_so_once_it_gives_no_sign_of_life() {
    let (account, server) = (support::emulator().account(), Postgres::start());
    account.write("b.toml", BASELINE);
    account.write(
        "evenkeel.toml",
        &format!(
            "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nconfirmed = true\n\
             [store]\nurl = \"{}\"\nlease = \"2s\"\n",
            server.url()
        ),
    );
    // The look that plans is let through, and the one before the write is not.
    account.fault(json!({
        "service": "s3control", "operation": "GetPublicAccessBlock", "kind": "hang", "after": 1,
    }));
    let mut apply = account.command(&["apply", "--yes"]);
    let mut apply = apply.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let looks = || {
        let calls = account.calls_of(&account.id);
        calls.iter().filter(|call| call["operation"] == "GetPublicAccessBlock").count()
    };
    while looks() < 2 {
        assert!(begun.elapsed() < LONGEST, "it never came to the write");
        std::thread::sleep(Duration::from_millis(50));
    }
    let runs = || account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    // For longer than its sign holds: it gives another one.
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(runs()["runs"][0]["outcome"], Value::Null, "it is alive");
    support::kill(&mut apply);
    let killed = Instant::now();
    while runs()["runs"][0]["outcome"].is_null() {
        assert!(killed.elapsed() < Duration::from_secs(20), "{}", runs());
        std::thread::sleep(Duration::from_millis(250));
    }
    account.run(&["history", "--runs"]).says("  killed  ");
    let open =
        library::ask(&server.url(), async |store| store.unfinished(None).await.unwrap().len());
    assert_eq!(open, 0, "it died between two writes");
}

#[test]
fn while_the_store_is_gone_nothing_is_written_and_it_recovers_by_itself() {
    let mut fleet = Fleet::new(12);
    fleet.start_all();
    fleet.converges();
    fleet.server.stop();
    fleet.drift(1);
    // A write that was announced before may still be on its way.
    std::thread::sleep(Duration::from_secs(1));
    let before = fleet.writes();
    std::thread::sleep(Duration::from_secs(number("EVENKEEL_GONE", 12) as u64));
    assert_eq!(fleet.writes(), before, "nothing is written that cannot be remembered");
    fleet.server.start_again();
    let calm = fleet.converges();
    eprintln!("all as declared {:.0} s after the store was there again", calm.as_secs_f64());
    fleet.end();
    verify(&fleet);
}
