//! `docs/kinds/` is made from the kinds' own doc comments; here it is compared with them.
//! `EVENKEEL_UPDATE=1 cargo test --test it docs::` (or `make docs`) writes it anew.

use std::collections::BTreeMap;
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

/// Insists that the tests are there which a text names; says how many it names.
fn tests_are_there(file: &str) -> usize {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join(file)).unwrap();
    let mut named = 0;
    for name in text.split('`').skip(1).step_by(2).filter(|name| !name.contains(' ')) {
        let Some((room, test)) = name.split_once("::") else { continue };
        if room == "evenkeel" {
            continue;
        }
        let file = root.join("tests/it").join(room).with_extension("rs");
        let there = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(there.contains(&format!("fn {test}(")), "{name}: there is no such test");
        named += 1;
    }
    named
}

/// A promise whose test is gone would be a promise that nobody keeps.
#[test]
fn every_test_that_a_promise_names_is_there() {
    for (file, least) in [("SECURITY.md", 30), ("docs/controller.md", 12)] {
        let named = tests_are_there(file);
        assert!(named > least, "{file}: {named}");
    }
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
