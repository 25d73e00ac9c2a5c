//! Python with boto3, as a second opinion on what is in AWS.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::{python, root};

/// A process that runs scripts, one after the other. It ends with the tests: its input is closed then.
struct Server {
    _process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Server {
    fn start() -> Self {
        let mut process = Command::new(python())
            .arg(root().join("tests/it/support/boto3_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python starts; `make emulator` installs it");
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { _process: process, orders, answers }
    }
}

/// What a script printed, as JSON; null if it printed none.
///
/// # Panics
///
/// If the script fails.
pub fn run(env: &BTreeMap<&'static str, String>, script: &str) -> Value {
    static IDLE: Mutex<Vec<Server>> = Mutex::new(Vec::new());
    let idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut server = idle.unwrap_or_else(Server::start);
    writeln!(server.orders, "{}", json!({ "env": env, "script": script })).unwrap();
    let answer = server.answers.next().expect("an answer").unwrap();
    IDLE.lock().unwrap_or_else(PoisonError::into_inner).push(server);
    let answer: Value = serde_json::from_str(&answer).unwrap();
    let printed = answer["printed"].as_str();
    let printed = printed.unwrap_or_else(|| panic!("{}", answer["error"].as_str().unwrap()));
    serde_json::from_str(printed).unwrap_or(Value::Null)
}
