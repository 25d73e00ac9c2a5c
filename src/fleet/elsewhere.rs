//! Two fleet files of one controller: the one that it was started with, which says where it keeps what it
//! remembers, and the repository's, which says the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::Fleet;
use super::file::{Controller, Store, SwitchParameter};
use crate::baseline::load::Reader;
use crate::baseline::node;
use crate::baseline::problem::{Problem, Problems, Sources};

/// What of the file that a controller was started with counts for all of its runs: where it remembers, what
/// stops it, and how it works.
#[derive(Debug, Clone)]
pub struct OwnParts {
    store: Store,
    kill_switch: Option<String>,
    kill_switch_parameter: Option<SwitchParameter>,
    controller: Controller,
    folder: PathBuf,
}

/// A table of both files: what is said of it there, here, and where nobody says anything.
struct Part {
    name: &'static str,
    said: Value,
    own: Value,
    silent: Value,
    help: &'static str,
}

impl OwnParts {
    /// Those of a fleet file.
    pub fn of(fleet: &Fleet) -> Self {
        let file = &fleet.file;
        Self {
            store: file.store.clone(),
            kill_switch: file.safety.kill_switch.clone(),
            kill_switch_parameter: file.safety.kill_switch_parameter.clone(),
            controller: file.controller.clone().unwrap_or_default(),
            folder: fleet.folder.clone(),
        }
    }

    /// Puts the store in the place of the repository's.
    pub fn put_into(&self, fleet: &mut Fleet) {
        let relative = self.store.url.as_deref().and_then(relative_file);
        fleet.file.store = self.store.clone();
        if let Some(file) = relative {
            // A relative path starts from the folder of the file that names it.
            fleet.file.store.url = Some(format!("sqlite://{}", self.absolute(file)));
        }
    }

    /// A path of the own file, from wherever one looks.
    fn absolute(&self, file: &str) -> String {
        let file = self.folder.join(file);
        std::path::absolute(&file).unwrap_or(file).display().to_string()
    }

    fn parts(&self, theirs: &Fleet) -> [Part; 3] {
        let safety = &theirs.file.safety;
        // The same file is the same switch, whichever way the own file writes it.
        let same = |said: &String| {
            Path::new(said).is_absolute()
                && self.kill_switch.as_deref().is_some_and(|own| self.absolute(own) == *said)
        };
        let own_switch = safety.kill_switch.clone().filter(same).or(self.kill_switch.clone());
        [
            Part {
                name: "store",
                said: json!(theirs.file.store),
                own: json!(self.store),
                silent: json!(Store::default()),
                help: "[store] is that of the file with [controller] git; leave it out here, or say the same, with an absolute path of a SQLite file",
            },
            Part {
                name: "safety",
                said: json!({
                    "kill_switch": safety.kill_switch,
                    "kill_switch_parameter": safety.kill_switch_parameter,
                }),
                own: json!({
                    "kill_switch": own_switch,
                    "kill_switch_parameter": self.kill_switch_parameter,
                }),
                silent: json!({ "kill_switch": null, "kill_switch_parameter": null }),
                help: "who pulls this one stops no controller: the kill switch is that of the file with [controller] git; leave it out here, or say the same, with an absolute path",
            },
            Part {
                name: "controller",
                said: json!(theirs.file.controller.clone().unwrap_or_default()),
                own: json!(self.controller),
                silent: json!(Controller::default()),
                help: "[controller] is that of the file that the controller was started with: put it there, and leave it out here, or say the same",
            },
        ]
    }

    /// What the repository's fleet file says of the controller itself, and does not count. People who work in a
    /// checkout of the repository go by it: where it is another store, their `confirm` or `release` would
    /// reach nobody, and another kill switch would stop nobody.
    pub fn strays(&self, path: &Path, theirs: &Fleet, reader: &dyn Reader) -> Option<Problems> {
        let mut found: Vec<(Vec<String>, String, &'static str)> = Vec::new();
        for Part { name: table, said, own, silent, help } in self.parts(theirs) {
            for (name, value) in said.as_object().into_iter().flatten() {
                let is_same = *value == own[name];
                if *value == silent[name] || (is_same && !is_relative(name, value)) {
                    continue;
                }
                let why = match is_same {
                    true => {
                        "is a path beside this file, which is another one in each checkout of the repository"
                    }
                    false => {
                        "does not count: it is not what the file says that the controller was started with"
                    }
                };
                let place = vec![table.to_owned(), name.clone()];
                found.push((place, format!("[{table}] {name} {why}"), help));
            }
        }
        if found.is_empty() {
            return None;
        }
        let mut sources = Sources::default();
        let text = reader.read(path).unwrap_or_default();
        let source = sources.add(path.display().to_string(), text.as_str());
        let (root, _) = node::parse(source, &text);
        let problems = found.into_iter().map(|(steps, message, help)| {
            let place = root.place_at(&steps).clone();
            Problem::error("does-not-count", message, place).help(help)
        });
        let problems = problems.collect();
        Some(Problems::new(Arc::new(sources), problems))
    }
}

/// The file of a SQLite URL whose path is relative.
fn relative_file(url: &str) -> Option<&str> {
    url.strip_prefix("sqlite://").filter(|file| Path::new(file).is_relative())
}

fn is_relative(name: &str, value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    match name {
        "url" => relative_file(text).is_some(),
        "audit_log" | "kill_switch" => Path::new(text).is_relative(),
        "listen_token" => {
            text.strip_prefix("file:").is_some_and(|file| Path::new(file).is_relative())
        }
        "listen_tls" => {
            let mut files = value.as_object().into_iter().flatten();
            files.any(|(_, file)| file.as_str().is_some_and(|file| Path::new(file).is_relative()))
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::load;
    use super::*;
    use crate::baseline::load::Memory;

    fn fleet(store: &str) -> (Fleet, Memory) {
        of(&format!("[store]\n{store}"))
    }

    fn of(parts: &str) -> (Fleet, Memory) {
        let text =
            format!("schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n{parts}\n");
        let memory = Memory([(PathBuf::from("sub/evenkeel.toml"), text)].into());
        (load(Path::new("sub/evenkeel.toml"), &memory).unwrap(), memory)
    }

    #[test]
    fn what_does_not_count_is_refused_with_its_line() {
        let (shared, sqlite) = ("url = \"postgres://u@h/d\"", "url = \"sqlite:///var/s.db\"");
        let relative = "url = \"sqlite://s.db\"";
        let cases: [(&str, &str, &[&str]); 9] = [
            (shared, "", &[]),
            (shared, shared, &[]),
            (sqlite, sqlite, &[]),
            ("", "", &[]),
            ("", shared, &["store"]),
            (shared, sqlite, &["store"]),
            (relative, relative, &["another one in each checkout"]),
            (shared, "keep_days = 30\nlease = \"200s\"", &["keep_days", "lease"]),
            ("audit_log = \"/var/a.jsonl\"", "audit_log = \"a.jsonl\"", &["audit_log"]),
        ];
        for (own, theirs, expected) in cases {
            let own = OwnParts::of(&fleet(own).0);
            let (theirs, memory) = fleet(theirs);
            let strays = own.strays(Path::new("sub/evenkeel.toml"), &theirs, &memory);
            let lines = strays.map(|all| all.errors_in_lines(9)).unwrap_or_default();
            assert_eq!(lines.len(), expected.len(), "{lines:?}");
            for (at, (line, word)) in lines.iter().zip(expected).enumerate() {
                assert!(line.contains(word), "{line}");
                assert!(line.contains(&format!("sub/evenkeel.toml:{}", at + 6)), "{line}");
            }
        }
    }

    #[test]
    fn a_kill_switch_and_a_controller_of_the_repositorys_file_do_not_count_in_silence() {
        let stop = "[safety]\nkill_switch = \"STOP\"";
        let here = std::path::absolute("sub/STOP").unwrap();
        let same = format!("[safety]\nkill_switch = {:?}", here.display().to_string());
        let parameter = "[safety]\nkill_switch_parameter = { name = \"/evenkeel/stop\" }";
        let listen = "[controller]\nlisten = \"127.0.0.1:9464\"";
        let token = "[controller]\nlisten = \"127.0.0.1:9464\"\nlisten_token = \"file:token\"";
        let cases: [(&str, &str, &[&str]); 11] = [
            ("", "", &[]),
            (stop, "", &[]),
            ("", "[safety]\nmax_changes = 3", &[]),
            ("", stop, &["[safety] kill_switch does not count"]),
            (stop, stop, &["[safety] kill_switch is a path beside this file"]),
            (stop, &same, &[]),
            (&same, &same, &[]),
            (parameter, parameter, &[]),
            (stop, parameter, &["[safety] kill_switch_parameter does not count"]),
            ("", listen, &["[controller] listen does not count"]),
            (token, token, &["[controller] listen_token is a path beside this file"]),
        ];
        for (own, theirs, expected) in cases {
            let own = OwnParts::of(&of(own).0);
            let (fleet, memory) = of(theirs);
            let strays = own.strays(Path::new("sub/evenkeel.toml"), &fleet, &memory);
            let lines = strays.map(|all| all.errors_in_lines(9)).unwrap_or_default();
            assert_eq!(lines.len(), expected.len(), "{theirs}: {lines:?}");
            for (line, words) in lines.iter().zip(expected) {
                assert!(line.contains(words), "{line}");
            }
        }
    }

    #[test]
    fn the_store_is_that_of_the_file_that_was_started_with_and_its_path_starts_there() {
        let (own, _) = fleet("url = \"sqlite://s.db\"\nkeep_days = 30");
        let mut theirs = Fleet { folder: PathBuf::new(), ..fleet("").0 };
        OwnParts::of(&own).put_into(&mut theirs);
        let there = std::path::absolute("sub/s.db").unwrap();
        assert_eq!(theirs.file.store.url, Some(format!("sqlite://{}", there.display())));
        assert_eq!(theirs.file.store.keep_days, 30);
        let (own, _) = fleet("url = \"postgres://u@h/d\"");
        OwnParts::of(&own).put_into(&mut theirs);
        assert_eq!(theirs.file.store.url.as_deref(), Some("postgres://u@h/d"));
    }
}
