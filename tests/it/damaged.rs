//! Files of others: plans, reports, snapshots, fleet files and baselines that are anything but what
//! evenkeel wrote. Nothing panics or hangs, whatever is in them; and what is made to take all memory
//! ends with an error under a limit of the address space.

#[path = "../../fuzz/entries.rs"]
mod entries;

use std::process::Command;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use crate::fixtures;
use crate::support::answers::{self, Played};
use crate::support::{self, root};

/// A plan with something in it.
fn a_plan() -> Vec<u8> {
    let plan = async {
        let case = fixtures::case("iam.password_policy", "in-sync");
        let declaration = case.declaration();
        let items = declaration.items(&answers::session()).await;
        // Nothing is answered, so that everything is unknown; and the same with answers.
        let unknown =
            answers::plan(&declaration, items.clone(), &Played::new(answers::Answers::new())).await;
        let mut plan = answers::plan(&declaration, items, &Played::new(case.answers())).await;
        plan.objects.extend(unknown.objects);
        plan
    };
    let plan = tokio::runtime::Runtime::new().unwrap().block_on(plan);
    let mut out = Vec::new();
    evenkeel::plan::render::json::write(&plan, &mut out).unwrap();
    out
}

/// A snapshot of one account.
fn a_snapshot() -> Vec<u8> {
    let head = json!({
        "evenkeel_snapshot": "1", "evenkeel_version": "0", "taken": "2026-01-01T00:00:00Z",
        "run": "r", "own": "111122223333",
    });
    let head = serde_json::from_value(head).unwrap();
    let mut writer = evenkeel::fleet::snapshot::Writer::new(Vec::new(), &head).unwrap();
    let failed = json!({ "failed": { "account": "111122223333", "reason": "no" } });
    writer.add(&serde_json::from_value(failed).unwrap()).unwrap();
    writer.finish().unwrap()
}

/// What stands in hostile files in the place of a value.
fn hostile_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!(u64::MAX)),
        Just(json!(-1)),
        Just(json!(1.5e300)),
        Just(json!("\u{1b}[2J\u{202e}\r\n\0")),
        Just(json!("ａ".repeat(5000))),
        any::<String>().prop_map(|text| json!(text)),
        (1..100_usize).prop_map(|deep| (0..deep).fold(json!(1), |inner, _| json!([inner]))),
    ]
}

/// All places of a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    let escape = |name: &str| name.replace('~', "~0").replace('/', "~1");
    match value {
        Value::Object(map) => {
            map.iter()
                .for_each(|(name, value)| places(value, &format!("{at}/{}", escape(name)), all));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(n, value)| places(value, &format!("{at}/{n}"), all));
        }
        _ => {}
    }
}

/// Bytes with some of them changed, cut out, or put there twice.
fn damaged(bytes: &[u8], edits: &[(Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for (at, how, byte) in edits.iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        let end = (at + usize::from(*byte)).min(bytes.len());
        match how % 4 {
            0 => bytes[at] = *byte,
            1 => drop(bytes.drain(at..end)),
            2 => {
                let twice = bytes[at..end].to_vec();
                bytes.splice(at..at, twice);
            }
            _ => bytes.insert(at, *byte),
        }
    }
    bytes
}

fn edits() -> impl Strategy<Value = Vec<(Index, u8, u8)>> {
    proptest::collection::vec(any::<(Index, u8, u8)>(), 0..6)
}

const FLEET: &str = r#"
schema = 1
home_region = "eu-west-1"
env = ["EXTERNAL_ID"]
[[target]]
name = "all"
baselines = ["b.toml"]
select = { ous = ["ou-abcd-11111111"], account_tags = { env = "prod" } }
except = { accounts = ["999988887777"] }
schedule = "0 */15 * * * *"
[access]
role_arn = "arn:${partition}:iam::${account.id}:role/evenkeel"
external_id = "${env.EXTERNAL_ID}"
[safety]
max_changes = 200
change_windows = [{ cron = "0 0 9 * * MON-FRI", hours = 8, timezone = "Asia/Seoul" }]
[limits]
requests_per_second = 20
"#;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_text_as_a_baseline_or_fleet_file(text in any::<String>()) {
        entries::baseline(&text);
        entries::fleet(&text);
    }

    #[test]
    fn any_bytes_as_a_plan_or_snapshot(bytes in any::<Vec<u8>>()) {
        entries::plan(&bytes);
        entries::snapshot(&bytes);
    }

    #[test]
    fn a_damaged_fleet_file(edits in edits()) {
        let damaged = damaged(FLEET.as_bytes(), &edits);
        entries::fleet(&String::from_utf8_lossy(&damaged));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn a_damaged_baseline(edits in edits()) {
        let foundation = std::fs::read(root().join("baselines/foundation.toml")).unwrap();
        entries::baseline(&String::from_utf8_lossy(&damaged(&foundation, &edits)));
    }

    #[test]
    fn a_damaged_snapshot(edits in edits()) {
        entries::snapshot(&damaged(&a_snapshot(), &edits));
    }
}

/// A plan in which anything may stand anywhere, in its right form or not.
#[test]
fn a_hostile_plan() {
    let plan: Value = serde_json::from_slice(&a_plan()).unwrap();
    let mut all = Vec::new();
    places(&plan, "", &mut all);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(2000));
    runner
        .run(&(any::<Index>(), hostile_value()), |(place, value)| {
            let mut plan = plan.clone();
            *plan.pointer_mut(place.get::<String>(&all)).unwrap() = value;
            entries::plan(plan.to_string().as_bytes());
            Ok(())
        })
        .unwrap();
}

/// Inputs that are small and ask for much, read with an address space of four gibibytes: an error
/// in words, and not the end of the process.
#[test]
fn small_inputs_that_ask_for_much_end_with_an_error() {
    let account = support::emulator().account();
    let header = "schema = 1\n[baseline]\nname = \"b\"\nmode = \"report\"\n";
    let deep = format!("{header}[variables]\nx = {}{}\n", "[".repeat(20_000), "]".repeat(20_000));
    account.write("deep.toml", &deep);
    account.write("long.toml", &format!("{header}note = \"{}\n", "a".repeat(8_000_000)));
    let deep = "[".repeat(2_000_000);
    account.write("plan.json", &format!("{{\"format_version\": {deep}"));
    account.write("snapshot.gz", &"\u{1f}".repeat(1_000_000));
    for args in [
        "validate deep.toml",
        "validate long.toml",
        "apply plan.json --yes",
        "merge-reports plan.json",
        "plan -b deep.toml --snapshot snapshot.gz",
    ] {
        let script = format!("ulimit -v 4194304; exec \"$0\" {args}");
        let output = Command::new("bash")
            .args(["-c", &script, env!("CARGO_BIN_EXE_evenkeel")])
            .current_dir(account.folder.path())
            .envs(account.env())
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        let is_an_error = matches!(output.status.code(), Some(1 | 3));
        assert!(is_an_error && words.len() < 100_000, "{args}: {:?} {words}", output.status);
    }
}
