//! What a running controller shows: its metrics, health and status, and the spans of a run. What alerts,
//! the dashboard and the documentation name is held against what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use evenkeel::controller::clocks::Machine;
use evenkeel::controller::sight::Sight;
use evenkeel::fleet::file::Objectives;
use evenkeel::guards::KillSwitch;
use evenkeel::store::Leases;
use evenkeel::telemetry::Telemetry;
use evenkeel::telemetry::book::{Described, Sort};
use evenkeel::telemetry::hub::Sources;
use serde_json::{Value, json};

use crate::controller::{Running, STOP_LOGGING, watched};
use crate::support::library;
use crate::support::organization::Organization;
use crate::support::postgres::Postgres;
use crate::support::{self, Account, free_port, root};

/// Every metric that there is.
fn described() -> Vec<Described> {
    let sight = Sight::new(None, Objectives::default());
    let telemetry = Telemetry::new(Sources {
        clocks: Arc::new(Machine::default()),
        sight: Arc::new(Mutex::new(sight)),
        objectives: Objectives::default(),
        kill_switch: KillSwitch::default(),
        hears: true,
    });
    telemetry.described().to_vec()
}

/// The names of metrics in a text, each with the labels that it is asked for by.
fn named(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    for (at, _) in text.match_indices("evenkeel_") {
        if text[..at].ends_with(is_name) {
            continue;
        }
        let rest = &text[at..];
        let end = rest.find(|letter| !is_name(letter)).unwrap_or(rest.len());
        let labels = all.entry(rest[..end].to_owned()).or_default();
        if let Some(inside) = rest[end..].strip_prefix('{') {
            let inside = inside.split('}').next().unwrap();
            let of = |pair: &str| {
                let name: String = pair.trim().chars().take_while(|one| is_name(*one)).collect();
                name
            };
            // A value may hold a comma, and no label's name is empty.
            labels.extend(inside.split(',').filter(|pair| pair.contains('=')).map(of));
        }
    }
    all
}

#[test]
fn each_metric_that_alerts_and_the_dashboard_name_is_there() {
    let all = described();
    let mut names: BTreeMap<String, &Described> = BTreeMap::new();
    for one in &all {
        match one.sort {
            Sort::Histogram => {
                for part in ["_bucket", "_sum", "_count"] {
                    names.insert(format!("{}{part}", one.name), one);
                }
            }
            Sort::Counter | Sort::Gauge => drop(names.insert(one.name.clone(), one)),
        }
    }
    let mut used = BTreeSet::new();
    for file in ["alerts/evenkeel.rules.yaml", "alerts/evenkeel.test.yaml", "grafana/evenkeel.json"]
    {
        let text = std::fs::read_to_string(root().join("deploy").join(file)).unwrap();
        let found = named(&text.replace("\\\"", "\""));
        assert!(found.len() > 10, "{file}: {found:?}");
        for (name, labels) in found {
            let Some(described) = names.get(&name) else { panic!("{file}: there is no {name}") };
            for label in labels.iter().filter(|label| !["le", "instance"].contains(&label.as_str()))
            {
                assert!(
                    described.labels.contains(&label.as_str()),
                    "{file}: {name} has no {label}"
                );
            }
            used.insert(described.name.clone());
        }
    }
    for one in &all {
        assert!(used.contains(&one.name), "{} is neither alerted on nor shown", one.name);
    }
}

/// The table of all metrics, as docs/operations.md has it.
fn table() -> String {
    let mut table = String::from("| metric | labels | what |\n| --- | --- | --- |\n");
    for Described { name, sort, labels, help } in described() {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let help = help.replace('|', "\\|");
        table += &format!("| `{name}` ({}) | {} | {help} |\n", sort.as_str(), labels.join(", "));
    }
    table
}

#[test]
fn the_documentation_has_each_metric_and_each_alert() {
    const MARKS: [&str; 2] =
        ["<!-- the metrics, by make docs -->\n", "<!-- the end of the metrics -->"];
    let path = root().join("docs/operations.md");
    let mut page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(MARKS[0]).unwrap();
    let (there, after) = rest.split_once(MARKS[1]).unwrap();
    if std::env::var_os("EVENKEEL_UPDATE").is_some() {
        page = format!("{before}{}{}{}{after}", MARKS[0], table(), MARKS[1]);
        std::fs::write(&path, &page).unwrap();
    } else {
        assert!(there == table(), "docs/operations.md is stale: run `make docs` and commit it");
    }
    let alerts = |file: &str, mark: &str| -> BTreeSet<String> {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let names = text.lines().filter_map(|line| line.trim().strip_prefix(mark));
        names.map(|name| name.trim().to_owned()).collect()
    };
    let rules = alerts("deploy/alerts/evenkeel.rules.yaml", "- alert:");
    assert!(rules.len() > 20, "{rules:?}");
    let documented = page.lines().filter_map(|line| line.strip_prefix("### Evenkeel"));
    let documented: BTreeSet<String> = documented.map(|name| format!("Evenkeel{name}")).collect();
    assert_eq!(documented, rules);
    let tests = std::fs::read_to_string(root().join("deploy/alerts/evenkeel.test.yaml")).unwrap();
    for alert in rules {
        assert!(tests.contains(&alert), "nothing shows that {alert} fires");
    }
}

/// Adds to the fleet file's `[controller]`, which is its last table.
fn controlled(account: &Account, lines: &str) {
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &format!("{fleet}{lines}\n"));
}

struct Asked {
    port: u16,
    token: Option<&'static str>,
}

impl Asked {
    fn get(&self, path: &str) -> (u16, String) {
        let url = format!("http://127.0.0.1:{}/{path}", self.port);
        let mut request = ureq::get(&url).config().http_status_as_error(false).build();
        if let Some(token) = self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let mut answer = request.call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_to_string().unwrap())
    }

    /// The value of a series, by its name with labels in the order of the table.
    fn value(&self, series: &str) -> Option<f64> {
        let (status, text) = self.get("metrics");
        assert_eq!(status, 200, "{text}");
        let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().unwrap())
    }

    /// Waits until a series has a value. What is read is a moment old at the most.
    fn until(&self, series: &str, wanted: f64) {
        let mut last = None;
        for _ in 0..200 {
            last = self.value(series);
            if last == Some(wanted) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{series} is {last:?}, and not {wanted}: {}", self.get("metrics").1);
    }

    fn until_ready(&self, status: u16, part: &str) {
        let mut last = (0, String::new());
        for _ in 0..200 {
            last = self.get("readyz");
            if last.0 == status && last.1.contains(part) {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{last:?}");
    }
}

#[test]
fn metrics_health_and_status_follow_what_happens() {
    let account = watched("enforce");
    let asked = Asked { port: free_port(), token: None };
    controlled(
        &account,
        &format!(
            "listen = \"127.0.0.1:{}\"\nobjectives = {{ full = \"1h\" }}\n[safety]\nkill_switch = \"STOP\"\n[store]\nurl = \"sqlite://store.db\"",
            asked.port
        ),
    );
    let mut controller = Running::start(&account);
    assert!(controller.next("listening", |_| true)["address"].is_string());
    controller.next("run", |_| true);
    assert_eq!(asked.get("healthz"), (200, "alive\n".to_owned()));
    asked.until_ready(200, "events: yes");
    for (series, wanted) in [
        ("evenkeel_objects{state=\"in_sync\"}", 2.0),
        ("evenkeel_runs_total{scope=\"target\",outcome=\"in_sync\"}", 1.0),
        ("evenkeel_run_duration_seconds_count{scope=\"target\"}", 1.0),
        ("evenkeel_accounts", 1.0),
        ("evenkeel_objective_seconds{objective=\"full\"}", 3600.0),
        ("evenkeel_store_up", 1.0),
        ("evenkeel_event_queue_up", 1.0),
        ("evenkeel_kill_switch", 0.0),
        ("evenkeel_files_refused", 0.0),
    ] {
        asked.until(series, wanted);
    }
    assert_eq!(asked.value("evenkeel_leases_held"), None, "it has the fleet for itself");
    assert!(
        asked.value("evenkeel_aws_requests_total{service=\"cloudtrail\",answer=\"ok\"}").unwrap()
            >= 2.0
    );
    let good = account.run(&["status"]).code(0).says("ready").says("2 in sync").says("not watched");
    assert!(good.stdout.contains("target here · 1 account"), "{}", good.stdout);

    let applied = "evenkeel_changes_total{kind=\"cloudtrail.trail\",outcome=\"applied\"}";
    let before = asked.value(applied).unwrap();
    account.boto3(STOP_LOGGING);
    controller.next("run", |line| line["applied"] == 1);
    asked.until(applied, before + 1.0);
    asked.until("evenkeel_objects{state=\"in_sync\"}", 2.0);
    assert!(asked.value("evenkeel_event_lag_seconds_count").unwrap() >= 1.0);

    account.write("STOP", "");
    controller.next("kill_switch", |_| true);
    asked.until("evenkeel_kill_switch", 1.0);
    account.boto3(STOP_LOGGING);
    controller.next("run", |line| line["causes"].to_string().contains("StopLogging"));
    asked.until("evenkeel_drift_objects{severity=\"critical\"}", 1.0);
    asked.until("evenkeel_held_back_objects{guard=\"kill-switch\"}", 1.0);
    account.run(&["status"]).code(3).says("KILL SWITCH ON").says("held back by kill-switch");
    let status = account.run(&["status", "--format", "json"]).code(3).json();
    assert_eq!(status["drift"]["worst"][0]["severity"], "critical", "{status}");
    assert_eq!(status["controller"]["ready"]["events"], true, "{status}");
    std::fs::remove_file(account.folder.path().join("STOP")).unwrap();
    controller.next("run", |line| line["applied"] == 1);
    asked.until("evenkeel_drift_objects{severity=\"critical\"}", 0.0);

    account.boto3("q = boto3.client('sqs')\nq.delete_queue(QueueUrl=q.get_queue_url(QueueName='events')['QueueUrl'])\nprint('null')");
    controller.next("deaf", |_| true);
    asked.until_ready(503, "events: no");
    asked.until("evenkeel_event_queue_up", 0.0);
    assert_eq!(asked.get("healthz").0, 200, "who is deaf is alive");
    account.run(&["status"]).code(4).says("NOT READY (events)").says("DEAF");
    account.run(&["status", "--alive"]).code(0).says("alive");
    controller.end();

    account.run(&["status", "--alive"]).code(1).complains("nobody answers");
    let without =
        account.run(&["status"]).code(4).says("unknown: nobody answers").says("1 account seen");
    assert!(without.stdout.contains("run here"), "the store remembers: {}", without.stdout);
}

#[test]
fn a_target_whose_runs_come_to_nothing_is_not_said_to_be_in_sync() {
    let organization = Organization::new();
    let account = &organization.management;
    let asked = Asked { port: free_port(), token: None };
    organization.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nconfirmed = true\nschedule = \"*/2 * * * * *\"\n",
    );
    let fleet = account.read("evenkeel.toml");
    account.write(
        "evenkeel.toml",
        &format!(
            "{fleet}[store]\nurl = \"sqlite://store.db\"\n[controller]\nlisten = \"127.0.0.1:{}\"\n",
            asked.port
        ),
    );
    let not_listed = || {
        account.fault(json!({
            "service": "organizations", "operation": "*", "kind": "error", "code": "AccessDeniedException",
        }));
    };
    not_listed();
    let mut controller = Running::start(account);
    let is_failed = |line: &Value| line["outcome"] == "failed";
    controller.next("run", is_failed);
    asked.until("evenkeel_targets_unseen", 1.0);
    let nothing = account.run(&["status"]).code(4);
    nothing
        .says("0 accounts seen")
        .says("NOT TO BE LOOKED AT target work for")
        .says("none seen, and 1 target not to be looked at");
    account.no_faults();
    controller.next("run", |line| line["outcome"] == "in sync" && line["applied"] == 3);
    asked.until("evenkeel_targets_unseen", 0.0);
    asked.until("evenkeel_objects{state=\"in_sync\"}", 3.0);
    account.run(&["status"]).code(0).says("3 accounts seen").says("none · 3 in sync · 0 unknown");

    not_listed();
    controller.next("run", is_failed);
    asked.until("evenkeel_objects{state=\"unknown\"}", 3.0);
    asked.until("evenkeel_objects{state=\"in_sync\"}", 0.0);
    let lost = account.run(&["status"]).code(4).says("cannot list the organization's accounts");
    lost.says("none seen, and 1 target not to be looked at · 0 in sync · 3 unknown");
    controller.end();
    // The same without the controller, by the store alone.
    let lost = account.run(&["status"]).code(4).says("NOT TO BE LOOKED AT target work for");
    let lost = lost.says("none seen, and 1 target not to be looked at · 0 in sync · 3 unknown");
    assert!(lost.stdout.contains("failed       run work · 0 accounts"), "{}", lost.stdout);
    account.run(&["history", "--runs"]).code(0).says("failed");
    account.no_faults();
    account.run(&["run", "--once"]).code(0);
    account.run(&["status"]).says("none · 3 in sync · 0 unknown");
}

#[test]
fn an_account_that_no_target_selects_any_more_is_forgotten() {
    let organization = Organization::new();
    let account = &organization.management;
    let asked = Asked { port: free_port(), token: None };
    organization.fleet(
        "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\nmode = \"report\"\nschedule = \"*/2 * * * * *\"\n",
    );
    let fleet = account.read("evenkeel.toml");
    account.write(
        "evenkeel.toml",
        &format!(
            "{fleet}[store]\nurl = \"sqlite://store.db\"\n[controller]\nlisten = \"127.0.0.1:{}\"\n",
            asked.port
        ),
    );
    let mut controller = Running::start(account);
    controller.next("run", |line| line["outcome"] == "drift");
    asked.until("evenkeel_accounts", 3.0);
    asked.until("evenkeel_objects{state=\"reported\"}", 3.0);
    let (gamma, root) = (organization.id("gamma"), organization.id("root"));
    let work = organization.id("Work");
    account.boto3(&format!(
        "boto3.client('organizations').move_account(AccountId='{gamma}', SourceParentId='{work}', DestinationParentId='{root}')\nprint('null')"
    ));
    asked.until("evenkeel_accounts", 2.0);
    asked.until("evenkeel_objects{state=\"reported\"}", 2.0);
    account.run(&["status"]).code(2).says("2 accounts seen").says("2 objects");
    controller.end();
    account.run(&["status"]).says("2 accounts seen").says("2 objects");
    let gone = account.run(&["history", "--outcome", "resolved"]).code(0);
    gone.says(gamma).says("nothing governs it any more");
}

#[test]
fn leases_are_counted_as_they_are_held_and_lost() {
    let server = Postgres::start();
    let account = watched("enforce");
    let asked = Asked { port: free_port(), token: None };
    controlled(
        &account,
        &format!(
            "listen = \"127.0.0.1:{}\"\n[store]\nurl = \"{}\"\nlease = \"3s\"",
            asked.port,
            server.url()
        ),
    );
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    asked.until("evenkeel_leases_held", 0.0);
    asked.until("evenkeel_leases_lost_total", 0.0);
    // A look at the account, which waits for AWS.
    account.fault(json!({"service": "cloudtrail", "operation": "GetTrailStatus", "kind": "wait"}));
    account.boto3(STOP_LOGGING);
    asked.until("evenkeel_leases_held", 1.0);
    account.run(&["status"]).says("1 account held · none lost");
    // It stands still for longer than a term, and somebody else takes over.
    support::send(&controller.process, "STOP");
    let names = [account.id.clone()];
    library::ask(&server.url(), async |store| {
        let term = Duration::from_secs(600);
        while store.claim(&names, "somebody", term, 1).await.unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    support::send(&controller.process, "CONT");
    asked.until("evenkeel_leases_lost_total", 1.0);
    asked.until("evenkeel_leases_held", 0.0);
    account.run(&["status"]).says("0 accounts held · 1 LOST");
    account.no_faults();
    // Who has it gives it back: what drifted is put right, under a lease of its own.
    library::ask(&server.url(), async |store| store.release_all("somebody").await.unwrap());
    let repaired = controller.next("run", |line| line["applied"] == 1);
    assert_eq!(repaired["outcome"], "in sync", "{repaired}");
    asked.until("evenkeel_leases_held", 0.0);
    assert_eq!(asked.value("evenkeel_leases_lost_total"), Some(1.0));
    controller.end();
}

#[test]
fn without_a_store_or_a_controller_status_says_what_nobody_knows() {
    let account = watched("report");
    let screen = account.run(&["status"]).code(4).stdout;
    for line in [
        "controller  unknown: the fleet file does not say where it listens",
        "drift       unknown: the fleet file names no store",
        "guards      nothing is held back beyond a run",
    ] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    assert!(
        account.calls().iter().all(|call| call.service != "iam"),
        "status asks AWS for nothing"
    );
}

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
const NEXT_TOKEN: &str = "fedcba9876543210fedcba9876543210";

#[test]
fn where_there_is_a_token_only_probes_need_none() {
    let account = watched("report");
    let port = free_port();
    controlled(&account, &format!("listen = \"127.0.0.1:{port}\"\nlisten_token = \"file:token\""));
    let command = account.run(&["run"]).code(1).complains("token");
    assert!(!command.stderr.contains(TOKEN));
    account.write("token", TOKEN);
    let mut controller = Running::start(&account);
    controller.next("run", |_| true);
    let ask = |token| Asked { port, token };
    assert_eq!(ask(None).get("healthz").0, 200);
    ask(None).until_ready(200, "working: yes");
    for path in ["metrics", "status"] {
        assert_eq!(ask(None).get(path).0, 401, "{path}");
        assert_eq!(ask(Some("0123456789abcdef")).get(path).0, 401, "{path}");
        assert_eq!(ask(Some(TOKEN)).get(path).0, 200, "{path}");
    }
    assert!(!ask(Some(TOKEN)).get("status").1.contains(TOKEN));
    account.run(&["status"]).code(2).says("ready");
    account.write("token", NEXT_TOKEN);
    assert_eq!(ask(Some(TOKEN)).get("metrics").0, 401, "a new one counts at once");
    assert_eq!(ask(Some(NEXT_TOKEN)).get("metrics").0, 200);
    let left = controller.end();
    assert!(!left.iter().any(|line| line.to_string().contains(TOKEN)), "{left:?}");

    controlled(&account, "");
    let open = account.read("evenkeel.toml").replace("127.0.0.1", "0.0.0.0");
    account.write("evenkeel.toml", &open.replace("listen_token = \"file:token\"", ""));
    let refused = account.run(&["validate"]).code(1).complains("others than this machine");
    assert!(refused.stderr.contains("evenkeel.toml:1"), "with its line: {}", refused.stderr);
}

/// A collector that takes what is sent to it.
struct Collector {
    port: u16,
    bodies: Arc<Mutex<Vec<Value>>>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let bodies = Arc::new(Mutex::new(Vec::new()));
        let taken = Arc::clone(&bodies);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = Vec::new();
                let mut some = [0; 65536];
                loop {
                    let text = String::from_utf8_lossy(&bytes).to_ascii_lowercase();
                    if let Some((head, body)) = text.split_once("\r\n\r\n") {
                        let length =
                            head.lines().find_map(|line| line.strip_prefix("content-length:"));
                        if body.len() >= length.unwrap().trim().parse().unwrap() {
                            break;
                        }
                    }
                    let count = stream.read(&mut some).unwrap();
                    bytes.extend_from_slice(&some[..count]);
                }
                let text = String::from_utf8(bytes).unwrap();
                let (head, body) = text.split_once("\r\n\r\n").unwrap();
                assert!(head.starts_with("POST /v1/traces "), "{head}");
                taken.lock().unwrap().push(serde_json::from_str(body).unwrap());
                let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { port, bodies }
    }

    /// All spans by their ids.
    fn spans(&self) -> BTreeMap<String, Value> {
        let bodies = self.bodies.lock().unwrap();
        let spans = bodies.iter().flat_map(|body| {
            body["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().unwrap().clone()
        });
        spans.map(|span| (span["spanId"].as_str().unwrap().to_owned(), span)).collect()
    }
}

#[test]
fn a_run_is_traced_down_to_its_calls_and_without_a_secret() {
    let account = watched("report");
    let collector = Collector::start();
    let endpoint = format!("http://127.0.0.1:{}", collector.port);
    let plan = |endpoint: Option<&str>| {
        let mut command = account.command(&["plan", "--detailed-exitcode", "--format", "json"]);
        command.envs(endpoint.map(|endpoint| ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)));
        support::Run::new(&["plan"], command.output().unwrap())
    };
    plan(Some(&endpoint)).code(2);
    let spans = collector.spans();
    let call = spans.values().find(|span| span["name"] == "cloudtrail:DescribeTrails").unwrap();
    assert_eq!(call["kind"], 3, "{call}");
    let mut names = Vec::new();
    let mut next = Some(call);
    while let Some(span) = next {
        names.push(span["name"].as_str().unwrap());
        next = span["parentSpanId"].as_str().map(|parent| &spans[parent]);
    }
    assert_eq!(names, ["cloudtrail:DescribeTrails", "item", "account", "look"]);
    let all = json!(*collector.bodies.lock().unwrap()).to_string();
    assert!(all.contains("\"service.name\"") && all.contains(&account.id), "{all}");
    for secret in [&account.access_key, &account.secret_key, &account.session_token] {
        assert!(!all.contains(secret.as_str()), "a secret");
    }

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let nobody = format!("http://127.0.0.1:{}", free_port());
    for unreachable in [&nobody, &silent] {
        let run = plan(Some(unreachable)).code(2);
        assert_eq!(run.json()["objects"], plan(None).json()["objects"], "it is the same without");
    }
    let told = plan(Some("localhost:4317")).code(2);
    assert!(told.stderr.contains("there are no traces"), "{}", told.stderr);
}
