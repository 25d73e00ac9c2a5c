//! The order of the rooms of `src/`, as ARCHITECTURE.md states it: each takes only from those below,
//! so that there is no circle.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::root;

/// The heading under which the rooms stand, from the top down; those of one line know nothing of
/// each other.
const HEADING: &str = "## The order of the rooms";

/// Each room with its floor, counted from the top.
fn floors() -> BTreeMap<String, usize> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, section) = page.split_once(HEADING).unwrap();
    let lines = section.lines().skip_while(|line| !line.starts_with("    "));
    let rooms: BTreeMap<String, usize> = lines
        .take_while(|line| line.starts_with("    "))
        .enumerate()
        .flat_map(|(floor, line)| line.split(',').map(move |room| (room.trim().to_owned(), floor)))
        .collect();
    assert!(rooms.len() > 10, "{rooms:?}");
    rooms
}

/// The rooms that a source text takes something from.
fn taken(text: &str) -> Vec<String> {
    let code: Vec<&str> =
        text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n");
    let mut rooms = Vec::new();
    for start in ["crate::", "evenkeel::"] {
        for rest in code.split(start).skip(1) {
            // `use crate::{aws, names::Region}` names several at once.
            let list = rest.strip_prefix('{').map(|rest| rest.split('}').next().unwrap());
            for path in list.map_or_else(|| vec![rest], |list| list.split(',').collect()) {
                let is_name = |letter: char| letter.is_ascii_lowercase() || letter == '_';
                let path = path.trim_start();
                rooms.push(
                    path[..path.find(|letter| !is_name(letter)).unwrap_or(path.len())].to_owned(),
                );
            }
        }
    }
    rooms
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

#[test]
fn rooms_take_only_from_those_below() {
    let floors = floors();
    let src = root().join("src");
    let mut wrong = Vec::new();
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.components().next().unwrap();
        let room = Path::new(first.as_os_str()).file_stem().unwrap().to_str().unwrap().to_owned();
        if ["main", "lib"].contains(&room.as_str()) {
            continue;
        }
        let Some(floor) = floors.get(&room) else {
            wrong.push(format!("ARCHITECTURE.md does not say on which floor {room} is"));
            continue;
        };
        for other in taken(&std::fs::read_to_string(&file).unwrap()) {
            let is_above = floors.get(&other).is_some_and(|below| below <= floor);
            if is_above && other != room {
                wrong.push(format!("{} takes something from {other}", inside.display()));
            }
        }
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for room in floors.keys() {
        let is_there = src.join(room).is_dir() || src.join(format!("{room}.rs")).is_file();
        assert!(is_there, "ARCHITECTURE.md names the room {room}, which is not there");
    }
}

#[test]
fn what_is_taken_is_found_however_it_is_written() {
    let text = "use crate::aws::{Call, Session};\n//! [`crate::plan`]\nuse crate::{digest, names::Region};\n    evenkeel::fleet::load(x)";
    assert_eq!(taken(text), ["aws", "digest", "names", "fleet"]);
}
