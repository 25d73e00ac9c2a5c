//! `docs/kinds/` is made from the kinds' own doc comments; here it is compared with them.
//! `EVENKEEL_UPDATE=1 cargo test --test it docs::` (or `make docs`) writes it anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use evenkeel::kinds::{describe, registry};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds")
}

/// The pages by file name.
fn pages() -> BTreeMap<String, String> {
    let mut index = String::from(
        "# Kinds\n\nMade from the doc comments in `src/kinds/` by `make docs`.\n\n| kind | what it is |\n| --- | --- |\n",
    );
    let mut pages = BTreeMap::new();
    for kind in registry::all() {
        let name = kind.name();
        let summary = describe::summary(kind.as_ref());
        let first = summary.split("\n\n").next().unwrap_or_default().replace('|', "\\|");
        index += &format!("| [`{name}`]({name}.md) | {first} |\n");
        pages.insert(format!("{name}.md"), describe::page(kind.as_ref()).unwrap());
    }
    pages.insert("README.md".to_owned(), index);
    pages
}

#[test]
fn the_pages_of_the_kinds_are_up_to_date() {
    let pages = pages();
    if std::env::var_os("EVENKEEL_UPDATE").is_some() {
        std::fs::create_dir_all(folder()).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder().join(name), text).unwrap();
        }
    }
    for (name, text) in &pages {
        let there = std::fs::read_to_string(folder().join(name)).unwrap_or_default();
        assert!(there == *text, "docs/kinds/{name} is stale: run `make docs` and commit it");
    }
    for entry in std::fs::read_dir(folder()).unwrap() {
        let name = entry.unwrap().file_name().to_string_lossy().into_owned();
        assert!(pages.contains_key(&name), "docs/kinds/{name} is of no kind: delete it");
    }
}

/// A reference in the example is the language; anywhere else, it is one that nobody filled in.
#[test]
fn no_page_holds_a_reference_that_is_not_filled_in() {
    for (name, page) in pages() {
        let outside = page.split("```").step_by(2);
        for line in outside.flat_map(str::lines) {
            assert!(!line.contains("${") && !line.contains("{$}"), "docs/kinds/{name}: {line}");
        }
    }
}

/// The tests of a file of `tests/it`, by name.
fn tests_of(text: &str) -> BTreeSet<&str> {
    let mut tests = BTreeSet::new();
    let mut is_test = false;
    // Within proptest!, they are indented.
    for line in text.lines().map(str::trim_start) {
        is_test |= line == "#[test]" || line.starts_with("#[tokio::test");
        if let Some(rest) = line.strip_prefix("fn ").or_else(|| line.strip_prefix("async fn ")) {
            let name = rest.split('(').next().unwrap_or_default();
            is_test.then(|| tests.insert(name));
            is_test = false;
        }
    }
    tests
}

/// Insists that the tests and files are there which a text names; says how many tests it names.
fn what_is_named_is_there(file: &Path, text: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut named = 0;
    for name in text.split('`').skip(1).step_by(2).filter(|name| !name.contains([' ', '\n'])) {
        if name.starts_with("src/") || name.starts_with("tests/") {
            let is_form = name.contains(['*', '<', '…', '{']);
            assert!(is_form || root.join(name).exists(), "{}: no {name}", file.display());
        }
        let Some((room, test)) = name.split_once("::") else { continue };
        if !room.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_') {
            continue;
        }
        let path = root.join("tests/it").join(room).with_extension("rs");
        // A part of the library, whose tests are its own.
        if root.join("src").join(room).exists() && !path.exists() || room == "evenkeel" {
            continue;
        }
        let there = std::fs::read_to_string(&path).unwrap_or_default();
        let is_there = tests_of(&there).contains(test);
        assert!(is_there, "{}: {name}: there is no such test", file.display());
        named += 1;
    }
    named
}

/// A promise whose test is gone would be a promise that nobody keeps.
#[test]
fn every_test_that_a_promise_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = ["SECURITY.md", "README.md"].map(|name| root.join(name)).into();
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    let is_page = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "md");
    pages.extend(docs.map(|entry| entry.unwrap().path()).filter(is_page));
    let mut named = BTreeMap::new();
    for page in &pages {
        let text = std::fs::read_to_string(page).unwrap();
        named.insert(
            page.file_name().unwrap().to_str().unwrap(),
            what_is_named_is_there(page, &text),
        );
    }
    for (page, least) in [("SECURITY.md", 30), ("controller.md", 12)] {
        assert!(named[page] > least, "{page}: {}", named[page]);
    }
    assert!(named.contains_key("runbook.md") && named.contains_key("operations.md"), "{named:?}");
}

/// Who follows the runbook at night must not find that a command has another name by now.
#[test]
fn every_command_of_the_runbook_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/runbook.md")).unwrap();
    let blocks = text.split("```sh").skip(1).filter_map(|rest| rest.split("```").next());
    let mut count = 0;
    for line in blocks.flat_map(str::lines).filter(|line| line.starts_with("evenkeel ")) {
        let words = line.split('#').next().unwrap_or_default();
        let words = words.split(['>', '|']).next().unwrap_or_default();
        // Asked for help, it says first what of the line it does not know.
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_evenkeel"))
            .args(words.split_whitespace().skip(1))
            .arg("--help")
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        count += 1;
    }
    assert!(count > 15, "{count}");
}
