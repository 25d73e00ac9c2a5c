//! Of several controllers, one dies, or is ended, with events that it has taken and not looked at: another one that
//! lives takes them over, and names who called, though no controller starts and no schedule comes.

use std::path::Path;
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::{Value, json};

use crate::controller::{Running, watched};
use crate::support::postgres::Postgres;
use crate::support::{self, Account, library};

/// Whatever is waited for comes within this time.
const LONGEST: Duration = Duration::from_secs(300);

/// Two controllers of an account, of which only the first has a queue of events.
struct Two {
    account: Account,
    server: Postgres,
    first: Running,
    second: Running,
}

impl Two {
    fn start() -> Self {
        let (account, server) = (watched("enforce"), Postgres::start());
        let store = format!("\n[store]\nurl = \"{}\"\nlease = \"3s\"\n", server.url());
        let fleet = account.read("evenkeel.toml");
        let (before, _) = fleet.split_once("[controller]").unwrap();
        account.write("other/b.toml", &account.read("b.toml"));
        account.write("other/evenkeel.toml", &format!("{before}{store}"));
        account.write("evenkeel.toml", &format!("{fleet}{store}"));
        let mut first = Running::start(&account);
        first.next("run", |line| line["outcome"] == "in sync");
        // What it wrote itself is looked at once more, without a role.
        first.next("run", |line| line["causes"].to_string().contains("EnableEbsEncryption"));
        let mut command = account.command(&["run"]);
        command.current_dir(account.folder.path().join("other"));
        let mut second = Running::with(command);
        second.next("run", |line| line["causes"] == json!(["start"]));
        Self { account, server, first, second }
    }

    /// Somebody stops the trail, and the first one has it in the store and cannot look; gives what it said of it.
    fn is_told(&mut self) -> Value {
        self.account.fault(json!({
            "service": "cloudtrail", "operation": "GetTrailStatus", "kind": "hang",
        }));
        self.account.boto3("boto3.client('cloudtrail').stop_logging(Name='main')\nprint('null')");
        let call = "cloudtrail.amazonaws.com:StopLogging";
        let told = self.first.next("told", |line| line["call"] == call);
        let begun = Instant::now();
        let waits = || {
            library::ask(&self.server.url(), async |store| {
                let waiting = store.waiting(Utc::now()).await.unwrap();
                waiting.iter().any(|event| event.about.to_string().contains(call))
            })
        };
        while !waits() {
            assert!(begun.elapsed() < LONGEST, "it is not in the store");
            std::thread::sleep(Duration::from_millis(100));
        }
        told
    }

    /// The second one puts it right, and names who did it.
    fn is_taken_over(&mut self, told: &Value) {
        self.account.no_faults();
        let repaired = self.second.next("run", |line| line["applied"] != 0);
        assert_eq!(repaired["parts"], json!(["cloudtrail.trail"]), "{repaired}");
        assert_eq!(repaired["causes"][0]["call"], told["call"], "{repaired}");
        assert_eq!(repaired["causes"][0]["by"], told["by"], "{repaired}");
        let args = ["history", "-i", "cloudtrail.trail.main", "--outcome", "drift", "--limit", "1"];
        let mut history = self.account.command(&args);
        history.current_dir(Path::new(self.account.folder.path()).join("other"));
        let said = String::from_utf8(history.output().unwrap().stdout).unwrap();
        assert!(said.contains(told["by"].as_str().unwrap()), "{said}");
    }
}

#[test]
fn what_a_killed_one_had_taken_a_living_one_takes_over() {
    let mut two = Two::start();
    let told = two.is_told();
    support::kill(&mut two.first.process);
    two.is_taken_over(&told);
    two.second.end();
}

#[test]
fn what_one_that_was_ended_had_taken_a_living_one_takes_over() {
    let mut two = Two::start();
    let told = two.is_told();
    support::send(&two.first.process, "TERM");
    two.first.process.wait().unwrap();
    two.is_taken_over(&told);
    two.second.end();
}
