//! Two fleet files of one controller: the one that it was started with, which says where it keeps what it
//! remembers, and the repository's, which says the rest.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::Fleet;
use super::file::Store;
use crate::baseline::load::Reader;
use crate::baseline::node;
use crate::baseline::problem::{Problem, Problems, Sources};

/// The `[store]` of the file that a controller was started with, which counts for all of its runs.
#[derive(Debug, Clone)]
pub struct OwnStore {
    store: Store,
    folder: PathBuf,
}

impl OwnStore {
    /// That of a fleet file.
    pub fn of(fleet: &Fleet) -> Self {
        Self { store: fleet.file.store.clone(), folder: fleet.folder.clone() }
    }

    /// Puts it in the place of the repository's.
    pub fn put_into(&self, fleet: &mut Fleet) {
        let relative = self.store.url.as_deref().and_then(relative_file);
        fleet.file.store = self.store.clone();
        if let Some(file) = relative {
            // A relative path starts from the folder of the file that names it.
            let file = self.folder.join(file);
            let file = std::path::absolute(&file).unwrap_or(file);
            fleet.file.store.url = Some(format!("sqlite://{}", file.display()));
        }
    }

    /// What the repository's fleet file says of the store, and does not count. People who work in a checkout
    /// of the repository go by it: where it is another store, their `confirm` or `release` would reach
    /// nobody.
    pub fn strays(&self, path: &Path, theirs: &Fleet, reader: &dyn Reader) -> Option<Problems> {
        let (said, own, silent) =
            (json!(theirs.file.store), json!(self.store), json!(Store::default()));
        let members = said.as_object().into_iter().flatten();
        let is_other = |(name, value): &(&String, &Value)| {
            let (name, value) = (name.as_str(), *value);
            *value != silent[name] && (*value != own[name] || is_relative(name, value))
        };
        let mut others = members.filter(is_other).peekable();
        others.peek()?;
        let mut sources = Sources::default();
        let text = reader.read(path).unwrap_or_default();
        let source = sources.add(path.display().to_string(), text.as_str());
        let (root, _) = node::parse(source, &text);
        let problems = others.map(|(name, value)| {
            let place = root.place_at(&["store".to_owned(), name.clone()]).clone();
            let why = match *value == own[name.as_str()] {
                true => "is a path beside this file, which is another one in each checkout of the repository",
                false => "does not count: it is not what the file says that the controller was started with",
            };
            Problem::error("does-not-count", format!("[store] {name} {why}"), place).help(
                "[store] is that of the file with [controller] git; leave it out here, or say the same, with an absolute path of a SQLite file",
            )
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
        "audit_log" => Path::new(text).is_relative(),
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
        let text = format!(
            "schema = 1\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\n[store]\n{store}\n"
        );
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
            let own = OwnStore::of(&fleet(own).0);
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
    fn the_store_is_that_of_the_file_that_was_started_with_and_its_path_starts_there() {
        let (own, _) = fleet("url = \"sqlite://s.db\"\nkeep_days = 30");
        let mut theirs = Fleet { folder: PathBuf::new(), ..fleet("").0 };
        OwnStore::of(&own).put_into(&mut theirs);
        let there = std::path::absolute("sub/s.db").unwrap();
        assert_eq!(theirs.file.store.url, Some(format!("sqlite://{}", there.display())));
        assert_eq!(theirs.file.store.keep_days, 30);
        let (own, _) = fleet("url = \"postgres://u@h/d\"");
        OwnStore::of(&own).put_into(&mut theirs);
        assert_eq!(theirs.file.store.url.as_deref(), Some("postgres://u@h/d"));
    }
}
