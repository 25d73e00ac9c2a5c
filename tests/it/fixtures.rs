//! Recorded answers in AWS's own spelling, and the plan that must come out of them: a folder a case
//! under `tests/kinds/<kind>/`, without a server, in milliseconds.
//!
//! `EVENKEEL_UPDATE=1` writes the plans anew. It also records the answers of a case that has none,
//! from the emulator after its baseline was applied there; what the emulator spells otherwise than
//! AWS is then corrected by hand.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::support::answers::{self, Played};
use crate::support::library::{self, Declaration};
use crate::support::{self, root};
use evenkeel::aws::session::Options;
use evenkeel::kinds::erased::DynKind;
use evenkeel::kinds::registry;
use evenkeel::plan::{Mode, Plan, Verdict};
use serde_json::{Value, json};

/// One folder of recorded answers.
pub struct Case {
    /// The kind that it is about.
    pub kind: &'static dyn DynKind,
    /// Its name.
    pub name: String,
    folder: PathBuf,
}

impl Case {
    /// Its title for messages.
    pub fn title(&self) -> String {
        format!("{}/{}", self.kind.name(), self.name)
    }

    /// Whether the account is as declared, which the verdict property starts from.
    pub fn is_in_sync(&self) -> bool {
        self.name.starts_with("in-sync")
    }

    /// What it declares of its kind; other items of the baseline are there to be referred to.
    pub fn declaration(&self) -> Declaration {
        let text = std::fs::read_to_string(self.folder.join("baseline.toml")).unwrap();
        Declaration::of(text).of_kind(self.kind)
    }

    /// What AWS answers.
    pub fn answers(&self) -> answers::Answers {
        answers::load(&self.folder.join("answers"))
    }
}

/// All cases of all kinds; with `EVENKEEL_KIND`, of one kind.
pub fn cases() -> Vec<Case> {
    let only = std::env::var("EVENKEEL_KIND").ok();
    let mut cases = Vec::new();
    for kind in registry::all().iter().map(AsRef::as_ref) {
        if only.as_deref().is_some_and(|only| only != kind.name()) {
            continue;
        }
        let Ok(folders) = std::fs::read_dir(root().join("tests/kinds").join(kind.name())) else {
            continue;
        };
        for folder in folders.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
            let name = folder.file_name().unwrap().to_string_lossy().into_owned();
            cases.push(case(kind.name(), &name));
        }
    }
    cases.sort_by_key(Case::title);
    assert!(!cases.is_empty(), "no case of {only:?}");
    cases
}

/// One case.
pub fn case(kind: &str, name: &str) -> Case {
    let kind = registry::find(kind).unwrap();
    let folder = root().join("tests/kinds").join(kind.name()).join(name);
    Case { kind, name: name.to_owned(), folder }
}

/// Applies a case's baseline in the emulator, and keeps what it answers then.
async fn record(case: &Case) {
    let account = support::emulator().account();
    let session =
        library::connect_with(&account, Options { record: true, ..Options::default() }).await;
    let text = std::fs::read_to_string(case.folder.join("baseline.toml")).unwrap();
    account.write("b.toml", &text);
    account.run(&[
        "apply",
        "-b",
        "b.toml",
        "--yes",
        "--max-changes-per-account",
        "99",
        "--max-risk",
        "destructive",
    ]);
    library::observe(&session, &case.declaration()).await;
    let recorded = session.tape().unwrap().recorded();
    answers::save(&case.folder.join("answers"), &recorded, &account.id);
}

/// What is kept of a plan: everything that is concluded, nothing of how it is shown.
fn kept(plan: &Plan) -> Value {
    plan.objects
        .iter()
        .map(|object| {
            let changes = object.changes.iter().map(|change| {
                let mut change = serde_json::to_value(change).unwrap();
                let fields = change.as_object_mut().unwrap();
                fields.retain(|name, value| {
                    name != "id" && name != "permissions" && *value != json!([])
                });
                change
            });
            json!({
                "object": object.title(),
                "verdict": object.verdict,
                "changes": changes.collect::<Vec<_>>(),
            })
        })
        .collect()
}

#[tokio::test]
async fn every_case_gives_its_plan() {
    let update = std::env::var_os("EVENKEEL_UPDATE").is_some();
    let mut wrong = Vec::new();
    for case in cases() {
        if update && !case.folder.join("answers").exists() {
            record(&case).await;
        }
        let played = Played::new(case.answers());
        let declaration = case.declaration();
        let items = declaration.items(&answers::session()).await;
        let plan = answers::plan(&declaration, items, &played).await;
        let misfits = played.misfits();
        if !misfits.is_empty() {
            wrong.push(format!("{}: {misfits:#?}", case.title()));
        }
        let text = serde_json::to_string_pretty(&kept(&plan)).unwrap() + "\n";
        let file = case.folder.join("plan.json");
        if update {
            std::fs::write(&file, &text).unwrap();
        }
        let expected = std::fs::read_to_string(&file).unwrap_or_default();
        if expected != text {
            let diff = similar::TextDiff::from_lines(&expected, &text);
            wrong.push(format!("{}:\n{}", case.title(), diff.unified_diff()));
        }
        if case.is_in_sync() {
            // What the item excludes is skipped, beside something that is not.
            let is_skipped = |verdict: &Verdict| matches!(verdict, Verdict::Skipped { .. });
            let verdicts = || plan.objects.iter().map(|object| &object.verdict);
            let not = verdicts().filter(|one| **one != Verdict::InSync && !is_skipped(one));
            wrong.extend(not.map(|verdict| format!("{}: {verdict:?}", case.title())));
            assert!(verdicts().any(|one| *one == Verdict::InSync), "{}", case.title());
        }
    }
    assert!(wrong.is_empty(), "{}\nEVENKEEL_UPDATE=1 writes the plans anew", wrong.join("\n"));
}

/// The cases in sync of a kind declare all its fields, so that what starts from them leaves none
/// out.
#[tokio::test]
async fn the_cases_in_sync_declare_every_field() {
    let cases = cases();
    let kinds: BTreeSet<&str> = cases.iter().map(|case| case.kind.name()).collect();
    for kind in kinds.into_iter().filter_map(registry::find) {
        let mut declared: BTreeSet<String> = BTreeSet::new();
        for case in cases.iter().filter(|case| case.kind.name() == kind.name() && case.is_in_sync())
        {
            for (item, _) in case.declaration().items(&answers::session()).await {
                assert_eq!(item.mode, Mode::Enforce);
                let fields = item.spec.as_object().unwrap().clone();
                let fields = fields.into_iter().filter(|(_, value)| !value.is_null());
                declared.extend(fields.map(|(field, _)| field));
            }
        }
        let schema = kind.schema();
        let left_out: Vec<&String> = schema["properties"]
            .as_object()
            .unwrap()
            .keys()
            .filter(|field| !declared.contains(*field))
            .collect();
        assert!(left_out.is_empty(), "{}: no case in sync declares {left_out:?}", kind.name());
    }
}
