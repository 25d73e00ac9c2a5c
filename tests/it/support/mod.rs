//! Starts the AWS emulator, a process for each core, and gives each test an account of its own.

#![allow(dead_code, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod answers;
pub mod boto3;
pub mod cbor;
pub mod declared;
pub mod library;
pub mod organization;
pub mod postgres;
pub mod tree;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

use serde::Deserialize;
use serde_json::Value;

/// The emulator's server and where it listens.
pub struct Emulator {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    _server: Child,
}

/// One call that arrived at the emulator.
#[derive(Debug, Clone, Deserialize)]
pub struct WireCall {
    /// As botocore names it.
    pub service: String,
    pub operation: String,
    pub region: Option<String>,
    pub status: u16,
}

/// An account in the emulator, with credentials for it.
pub struct Account {
    /// Twelve digits.
    pub id: String,
    pub access_key: String,
    pub secret_key: String,
    pub session_token: String,
    emulator: &'static Emulator,
    /// A folder of the test's own; the commands run in it.
    pub folder: tempfile::TempDir,
}

/// The repository's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Python of the emulator's virtual environment.
pub fn python() -> PathBuf {
    std::env::var_os("EVENKEEL_PYTHON").map_or_else(
        || {
            let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(
                || PathBuf::from(std::env::var_os("HOME").expect("HOME is set")).join(".cache"),
                PathBuf::from,
            );
            cache.join("evenkeel/venv/bin/python")
        },
        PathBuf::from,
    )
}

/// An emulator for this thread, always the same one: a test can have several accounts that see each
/// other. The emulator is Python, which uses one core, so there are as many as there are cores.
pub fn emulator() -> &'static Emulator {
    static EMULATORS: OnceLock<Vec<OnceLock<Emulator>>> = OnceLock::new();
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    thread_local!(static MINE: usize = NEXT.fetch_add(1, Ordering::SeqCst));
    let emulators = EMULATORS.get_or_init(|| (0..cores()).map(|_| OnceLock::new()).collect());
    emulators[MINE.with(|mine| *mine) % emulators.len()].get_or_init(Emulator::start)
}

/// How much is done at the same time.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(8))
}

impl Emulator {
    fn start() -> Self {
        let mut server = Command::new(python())
            .arg(root().join("tests/emulator/server.py"))
            .args(["--port", "0", "--die-with-parent"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the emulator starts; `make emulator` installs it");
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .unwrap_or_else(|| panic!("the emulator did not start: {line:?}"))
            .to_owned();
        Self { url, _server: server }
    }

    /// A new account that nobody else uses.
    pub fn account(&'static self) -> Account {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let id =
            format!("{:012}", 200_000_000_000_u64 + u64::from(NEXT.fetch_add(1, Ordering::SeqCst)));
        let body = format!(
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn:aws:iam::{id}:role/evenkeel&RoleSessionName=test"
        );
        let answer = ureq::post(&self.url)
            .header("Content-Type", "application/x-www-form-urlencoded")
            .header(
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/sts/aws4_request, SignedHeaders=host, Signature=0",
            )
            .send(body)
            .expect("the emulator assumes roles")
            .body_mut()
            .read_to_string()
            .unwrap();
        let field = |name: &str| {
            let open = format!("<{name}>");
            let start =
                answer.find(&open).unwrap_or_else(|| panic!("no {name}: {answer}")) + open.len();
            let end = answer[start..].find('<').unwrap() + start;
            answer[start..end].to_owned()
        };
        Account {
            access_key: field("AccessKeyId"),
            secret_key: field("SecretAccessKey"),
            session_token: field("SessionToken"),
            id,
            emulator: self,
            folder: tempfile::tempdir().unwrap(),
        }
    }
}

impl Account {
    /// The environment that makes the SDK use this account in the emulator.
    pub fn env(&self) -> BTreeMap<&'static str, String> {
        BTreeMap::from([
            ("AWS_ENDPOINT_URL", self.emulator.url.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_key.clone()),
            ("AWS_SESSION_TOKEN", self.session_token.clone()),
            ("AWS_REGION", "eu-west-1".to_owned()),
            ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ])
    }

    /// The command as a process, in the test's folder.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_evenkeel"));
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        for name in ["AWS_PROFILE", "EVENKEEL_LOG", "EVENKEEL_AUDIT_LOG", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.envs(self.env());
        command
    }

    /// Runs the command to its end.
    pub fn run(&self, args: &[&str]) -> Run {
        Run::new(args, self.command(args).output().expect("evenkeel starts"))
    }

    /// Runs a command line as a person would who copies it into a shell.
    pub fn shell(&self, line: &str) -> Run {
        let line = line.replacen("evenkeel", env!("CARGO_BIN_EXE_evenkeel"), 1);
        let mut command = Command::new("bash");
        command.args(["-c", &line]).current_dir(self.folder.path()).stdin(Stdio::null());
        let output = command.env_remove("EVENKEEL_AUDIT_LOG").envs(self.env()).output().unwrap();
        Run::new(&[&line], output)
    }

    /// The writes that arrived for this account, as `iam:CreateRole`.
    pub fn writes(&self) -> Vec<String> {
        let reads = ["BatchGet", "Get", "List", "Describe", "Head"];
        self.calls()
            .iter()
            .filter(|call| call.service != "sts")
            .filter(|call| !reads.iter().any(|read| call.operation.starts_with(read)))
            .map(|call| format!("{}:{}", call.service, call.operation))
            .collect()
    }

    /// Runs the command on a terminal, where somebody types an answer once a text is shown; what
    /// the terminal showed is the standard output.
    pub fn at_terminal(&self, args: &[&str], conversation: &[(&str, &str)]) -> Run {
        self.at_terminal_while(args, &serde_json::json!(conversation))
    }

    /// The same, while something happens before an answer: `[text, answer, {file: text}]`.
    pub fn at_terminal_while(&self, args: &[&str], conversation: &Value) -> Run {
        let output = Command::new(python())
            .arg(root().join("tests/it/support/terminal.py"))
            .arg(conversation.to_string())
            .arg(env!("CARGO_BIN_EXE_evenkeel"))
            .args(args)
            .current_dir(self.folder.path())
            .envs(self.env())
            .env("TERM", "xterm")
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let (code, stdout): (i32, String) = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{error}: {stderr}"));
        Run { code, stdout, stderr, args: args.join(" ") }
    }

    /// Writes a file into the test's folder.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file of the test's folder.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap()
    }

    /// The calls that arrived for this account since they were last forgotten.
    pub fn calls(&self) -> Vec<WireCall> {
        let answer = self.control("GET", "calls", None);
        serde_json::from_value(answer).unwrap()
    }

    /// Forgets the calls.
    pub fn forget_calls(&self) {
        self.control("DELETE", "calls", None);
    }

    /// Adds a fault; see docs/emulator.md.
    pub fn fault(&self, mut fault: Value) {
        fault["account"] = Value::String(self.id.clone());
        self.control("POST", "faults", Some(fault));
    }

    /// A run of `apply` that hangs in its first write, of which AWS has heard: whether it was
    /// `executed` or not, nothing of it comes later. The record alone says that it was about to be
    /// sent.
    pub fn hanging(&self, service: &str, operation: &str, executed: bool) -> Child {
        self.hanging_with(service, operation, executed, &["apply", "-b", "b.toml", "--yes"])
    }

    /// The same of any command that writes.
    pub fn hanging_with(
        &self,
        service: &str,
        operation: &str,
        executed: bool,
        args: &[&str],
    ) -> Child {
        self.fault(serde_json::json!({
            "service": service, "operation": operation, "kind": "hang", "executed": executed,
        }));
        let mut command = self.command(args);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        for _ in 0..600 {
            if self.calls_of(&self.id).iter().any(|call| call["operation"] == operation) {
                assert!(self.read(".evenkeel/audit.jsonl").contains("\"intent\""));
                return child;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        kill(&mut child);
        panic!("no write was begun");
    }

    /// Adds a fault in another account.
    pub fn fault_in(&self, account: &str, mut fault: Value) {
        fault["account"] = Value::String(account.to_owned());
        self.control("POST", "faults", Some(fault));
    }

    /// Removes the faults in another account.
    pub fn no_faults_in(&self, account: &str) {
        let url = format!("{}/_evenkeel/faults?account={account}", self.emulator.url);
        ureq::delete(&url).call().unwrap();
    }

    /// The calls that arrived for another account.
    pub fn calls_of(&self, account: &str) -> Vec<Value> {
        let url = format!("{}/_evenkeel/calls?account={account}", self.emulator.url);
        ureq::get(&url).call().unwrap().body_mut().read_json().unwrap()
    }

    /// Removes all faults.
    pub fn no_faults(&self) {
        self.control("DELETE", "faults", None);
    }

    /// Lets the account's callers do only what a policy allows.
    pub fn allow_only(&self, policy: &Value) {
        self.control("POST", "policy", Some(policy.clone()));
    }

    /// Lets the account's callers do everything again.
    pub fn allow_everything(&self) {
        self.control("DELETE", "policy", None);
    }

    /// Makes the account messy.
    pub fn mess(&self) {
        self.control("POST", "mess", None);
    }

    /// Runs a Python script with boto3 against the account, for a second opinion; its last
    /// expression must be printed as JSON.
    pub fn boto3(&self, script: &str) -> Value {
        let mut env = self.env();
        env.insert("AWS_DEFAULT_REGION", "eu-west-1".to_owned());
        boto3::run(&env, script)
    }

    /// Asks the emulator's control routes; see docs/emulator.md.
    pub fn control(&self, method: &str, route: &str, body: Option<Value>) -> Value {
        let url = format!("{}/_evenkeel/{route}?account={}", self.emulator.url, self.id);
        let answer = match (method, body) {
            ("GET", _) => ureq::get(&url).call(),
            ("DELETE", _) => ureq::delete(&url).call(),
            (_, Some(body)) => ureq::post(&url).send_json(body),
            (_, None) => ureq::post(&url).send_empty(),
        };
        answer
            .unwrap_or_else(|error| panic!("{method} {url}: {error}"))
            .body_mut()
            .read_json()
            .unwrap()
    }
}

/// A port of this machine that nobody has.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Ends a process at once.
pub fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// Sends a process a signal, such as `TERM`.
pub fn send(child: &Child, name: &str) {
    let status =
        Command::new("kill").args([format!("-{name}"), child.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Lets a command hear of a lost terminal also where who runs the tests does not, as below `nohup`.
pub fn hears_hangup(command: &Command) -> Command {
    let mut heard = Command::new("env");
    heard.arg("--default-signal=HUP").arg(command.get_program()).args(command.get_args());
    heard.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    for (name, _) in command.get_envs().filter(|(_, value)| value.is_none()) {
        heard.env_remove(name);
    }
    if let Some(folder) = command.get_current_dir() {
        heard.current_dir(folder);
    }
    heard.stdin(Stdio::null());
    heard
}

/// A finished command.
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    args: String,
}

impl Run {
    /// What a command came to.
    pub fn new(args: &[&str], output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            args: args.join(" "),
        }
    }

    /// The command line that a refusal or a plan says to run next.
    #[track_caller]
    pub fn next(&self) -> String {
        let lines = self.stdout.lines().chain(self.stderr.lines());
        let mut next =
            lines.filter_map(|line| Some(line.get(line.rfind("evenkeel apply")?..)?.to_owned()));
        next.next_back().unwrap_or_else(|| {
            panic!("no next step in evenkeel {}\n{}\n{}", self.args, self.stdout, self.stderr)
        })
    }

    /// Insists on an exit code.
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "evenkeel {}\n--- stdout\n{}\n--- stderr\n{}",
            self.args, self.stdout, self.stderr
        );
        self
    }

    /// Insists on a text in standard output.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stdout.contains(text),
            "no {text:?} in evenkeel {}\n--- stdout\n{}\n--- stderr\n{}",
            self.args,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Insists on a text in standard error, wherever reports break their lines.
    #[track_caller]
    pub fn complains(self, text: &str) -> Self {
        let words = self.stderr.split_whitespace().filter(|word| *word != "│");
        let unbroken = words.collect::<Vec<_>>().join(" ");
        assert!(
            self.stderr.contains(text) || unbroken.contains(text),
            "no {text:?} in evenkeel {}\n--- stdout\n{}\n--- stderr\n{}",
            self.args,
            self.stdout,
            self.stderr
        );
        self
    }

    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}
