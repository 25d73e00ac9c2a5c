//! The ready-made baseline as a guard: what the quiet ways of blinding or weakening an account do,
//! `evenkeel check` must see.
//!
//! `tests/attacks/<kind>.toml` lists the attacks of a kind; each is done with boto3 to an account
//! that is as `baselines/foundation.toml` wants it, must be seen, and is put back: by evenkeel
//! itself, or by the attack's own `undo` where evenkeel may only report. What is declared beyond the
//! foundation is attacked in a list of its own, `<kind>.more.toml`: what is shipped must see the others as it is.
//!
//! One kind only: `EVENKEEL_KIND=kms.key cargo test --test it attacks::`.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::support::{self, Account, Run, python, root};
use evenkeel::kinds::registry;
use serde::Deserialize;
use serde_json::{Value, json};

/// One way of weakening an account.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attack {
    id: String,
    /// What it means.
    #[allow(dead_code)]
    what: String,
    /// Python with what `attacker.py` offers.
    r#do: String,
    /// How it is put back, where evenkeel does not.
    undo: Option<String>,
    /// Whether evenkeel puts the rest back after `undo`.
    #[serde(default)]
    repair: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    /// What the account is given before anything is declared.
    #[serde(default)]
    before: String,
    /// What is declared on top of the foundation.
    #[serde(default)]
    baseline: String,
    attack: Vec<Attack>,
}

/// The lists, by kind; with `EVENKEEL_KIND`, of one kind.
fn lists() -> Vec<(&'static str, List)> {
    let only = std::env::var("EVENKEEL_KIND").ok();
    registry::all()
        .iter()
        .map(|kind| kind.name())
        .filter(|kind| only.as_deref().is_none_or(|only| only == *kind))
        .flat_map(|kind| ["toml", "more.toml"].map(|end| (kind, format!("{kind}.{end}"))))
        .filter_map(|(kind, file)| {
            let text = std::fs::read_to_string(root().join("tests/attacks").join(file)).ok()?;
            Some((kind, toml::from_str(&text).unwrap()))
        })
        .collect()
}

/// A Python that does what it is told.
struct Attacker {
    process: Child,
    orders: ChildStdin,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Attacker {
    fn of(account: &Account) -> Self {
        let mut process = Command::new(python())
            .arg(root().join("tests/attacks/attacker.py"))
            .envs(account.env())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let orders = process.stdin.take().unwrap();
        let answers = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, orders, answers }
    }

    /// Runs a fragment; gives what went wrong.
    fn run(&mut self, code: &str) -> Result<(), String> {
        writeln!(self.orders, "{}", json!({ "code": code })).map_err(|error| error.to_string())?;
        let answer = self.answers.next().ok_or("the attacker has ended")?;
        let answer: Value = serde_json::from_str(&answer.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())?;
        answer.get("error").map_or(Ok(()), |error| Err(error.to_string().replace("\\n", "\n")))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn evenkeel(account: &Account, kind: &str, args: &[&str]) -> Run {
    let common = ["-b", "guard.toml", "-k", kind, "-r", "eu-west-1"];
    account.run(&[args, &common].concat())
}

fn repair(account: &Account, kind: &str) -> Run {
    let args = ["apply", "--yes", "--max-changes-per-account", "99", "--max-risk", "destructive"];
    evenkeel(account, kind, &args)
}

/// Whether `check` sees that something is wrong with an object of the kind, and ends accordingly.
fn is_seen(check: &Run, kind: &str) -> bool {
    let plan = check.json();
    let objects = plan["objects"].as_array().unwrap();
    let seen = objects.iter().any(|object| {
        let item = object["item"].as_str().unwrap_or_default();
        let verdict = object["verdict"]["is"].as_str().unwrap_or_default();
        (item == kind || item.starts_with(&format!("{kind}.")))
            && ["drifted", "unknown"].contains(&verdict)
    });
    seen && [1, 2, 4].contains(&check.code)
}

/// Does the attacks of one kind, one after the other; gives what went wrong.
fn attack(kind: &str, list: &List) -> Vec<String> {
    let account = support::emulator().account();
    let foundation = std::fs::read_to_string(root().join("baselines/foundation.toml")).unwrap();
    account.write("foundation.toml", &foundation);
    let guard = "schema = 1\n[baseline]\nname = \"guard\"\nextends = [\"foundation.toml\"]\nmode = \"enforce\"\n";
    account.write("guard.toml", &format!("{guard}{}", list.baseline));
    let mut attacker = Attacker::of(&account);
    let no_root = "control('root', mfa=True, access_keys=False, signing_certificates=False, last_used='2020-01-01T00:00:00+00:00')";
    attacker.run(no_root).and_then(|()| attacker.run(&list.before)).unwrap();
    let all = [
        "apply",
        "-b",
        "guard.toml",
        "-r",
        "eu-west-1",
        "--yes",
        "--max-changes-per-account",
        "99",
    ];
    account.run(&all);
    let mut wrong = Vec::new();
    for attack in &list.attack {
        // Each attack is a story of its own: guards that remember the one before would see a fight.
        let _ = std::fs::remove_file(account.folder.path().join(".evenkeel/guards.json"));
        let mut failed = |what: &str, details: &str| {
            wrong.push(format!("{}: {what}\n{details}", attack.id));
        };
        let before = evenkeel(&account, kind, &["check"]);
        if before.code != 0 {
            failed("the account is not in order before", &(before.stdout + &before.stderr));
            break;
        }
        if let Err(error) = attacker.run(&attack.r#do) {
            failed("cannot be done", &error);
            continue;
        }
        let check = evenkeel(&account, kind, &["check", "--format", "json"]);
        if !is_seen(&check, kind) {
            failed("NOT SEEN", &format!("check ends with {}", check.code));
        }
        if let Some(undo) = &attack.undo
            && let Err(error) = attacker.run(undo)
        {
            failed("cannot be undone", &error);
        }
        if attack.undo.is_none() || attack.repair {
            let repair = repair(&account, kind);
            if repair.code != 0 {
                failed("is not repaired", &(repair.stdout + &repair.stderr));
            }
        }
    }
    wrong
}

#[test]
fn check_sees_every_known_way_of_weakening_the_foundation() {
    let lists = lists();
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let all: Vec<_> =
            lists.iter().map(|(kind, list)| scope.spawn(move || attack(kind, list))).collect();
        all.into_iter().flat_map(|one| one.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_kind_of_the_foundation_is_attacked_and_every_attack_has_a_name() {
    let foundation = std::fs::read_to_string(root().join("baselines/foundation.toml")).unwrap();
    let lists = lists();
    for kind in registry::all().iter().map(|kind| kind.name()) {
        let declared = foundation.lines().any(|line| {
            line.strip_prefix(&format!("[{kind}")).is_some_and(|rest| rest.starts_with(['.', ']']))
        });
        let attacked = lists.iter().any(|(name, _)| *name == kind);
        assert!(!declared || attacked || std::env::var_os("EVENKEEL_KIND").is_some(), "{kind}");
        let as_shipped = root().join("tests/attacks").join(format!("{kind}.toml"));
        let adds =
            std::fs::read_to_string(as_shipped).is_ok_and(|text| text.contains("baseline ="));
        assert!(!declared || !adds, "{kind}: what is added belongs in {kind}.more.toml");
    }
    let mut names = BTreeSet::new();
    for attack in lists.iter().flat_map(|(_, list)| &list.attack) {
        assert!(names.insert(&attack.id), "two attacks are called {}", attack.id);
    }
}
