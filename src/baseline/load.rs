//! Reads files and composes them: what a file extends, left to right, then the file itself; an
//! item field by field. Files given side by side must not contradict each other.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::catalog::Catalog;
use super::declare::{self, Declarations, Field};
use super::node::{self, Node, Value};
use super::problem::{Problem, SourcePlace, Sources};

/// Where texts come from: the disk, or memory in tests and fuzzing.
pub trait Reader {
    /// The text of a file.
    ///
    /// # Errors
    /// It cannot be read.
    fn read(&self, path: &Path) -> std::io::Result<String>;

    /// Whether a file may name another one.
    ///
    /// # Errors
    /// It may not: the text of a pull request must not reach what is outside of its repository.
    fn reaches(&self, _from: &Path, _path: &Path) -> std::io::Result<()> {
        Ok(())
    }

    /// The folder on the way from `folder` to a file that is a link, if one is: whoever may change the
    /// repository may have made it, and what is written there would go elsewhere.
    fn linked_folder(&self, folder: &Path, file: &Path) -> Option<PathBuf>;
}

impl<R: Reader + ?Sized> Reader for Box<R> {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        (**self).read(path)
    }

    fn reaches(&self, from: &Path, path: &Path) -> std::io::Result<()> {
        (**self).reaches(from, path)
    }

    fn linked_folder(&self, folder: &Path, file: &Path) -> Option<PathBuf> {
        (**self).linked_folder(folder, file)
    }
}

/// Texts in memory, by name.
#[derive(Debug, Clone, Default)]
pub struct Memory(pub BTreeMap<PathBuf, String>);

impl Reader for Memory {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }

    fn linked_folder(&self, _folder: &Path, _file: &Path) -> Option<PathBuf> {
        None
    }
}

/// Reads and composes.
pub struct Loader<'a> {
    /// Where texts come from.
    pub reader: &'a dyn Reader,
    /// The kinds.
    pub catalog: &'a Catalog,
    /// The texts read so far.
    pub sources: Sources,
    /// What is wrong so far.
    pub problems: Vec<Problem>,
    composed: BTreeMap<PathBuf, Declarations>,
}

impl<'a> Loader<'a> {
    /// One that has read nothing yet.
    pub fn new(reader: &'a dyn Reader, catalog: &'a Catalog) -> Self {
        Self {
            reader,
            catalog,
            sources: Sources::default(),
            problems: Vec::new(),
            composed: BTreeMap::new(),
        }
    }
}

impl Loader<'_> {
    /// Loads files that were given side by side.
    pub fn side_by_side(&mut self, paths: &[PathBuf]) -> Declarations {
        let mut all = Declarations::default();
        for path in paths {
            let mut one = self.file(path, &mut Vec::new(), None);
            self.settle_defaults(&mut one);
            self.join(&mut all, one);
        }
        all
    }

    /// Gives each item its file's default mode and Regions, which must not reach the items of a
    /// file beside it.
    fn settle_defaults(&self, one: &mut Declarations) {
        for (name, item) in &mut one.items {
            let regional = self.catalog.find(&name.kind).is_some_and(|kind| kind.regional);
            for word in ["mode", "regions"] {
                if let Some(field) = one.header.get(word).filter(|_| word == "mode" || regional) {
                    item.fields.entry(word.to_owned()).or_insert_with(|| field.clone());
                }
            }
        }
    }

    /// Loads a file and what it extends.
    fn file(
        &mut self,
        path: &Path,
        above: &mut Vec<PathBuf>,
        from: Option<&SourcePlace>,
    ) -> Declarations {
        let path = normal(path);
        let shown = path.display().to_string();
        if above.contains(&path) {
            let chain: Vec<_> =
                above.iter().chain([&path]).map(|path| path.display().to_string()).collect();
            let message = format!("the files extend each other: {}", chain.join(" → "));
            self.report("extends-cycle", message, from);
            return Declarations::default();
        }
        if let Some(done) = self.composed.get(&path) {
            return done.clone();
        }
        let reached = above.last().map_or(Ok(()), |from| self.reader.reaches(from, &path));
        let text = match reached.and_then(|()| self.reader.read(&path)) {
            Ok(text) => text,
            Err(error) => {
                self.report("unreadable", format!("cannot read {shown}: {error}"), from);
                return Declarations::default();
            }
        };
        let source = self.sources.add(shown, text.as_str());
        let (root, syntax) = node::parse(source, &text);
        let broken = !syntax.is_empty();
        self.problems.extend(syntax);
        let mut found = Vec::new();
        let own = declare::declarations(&root, self.catalog, &mut found);
        if !broken {
            // Half a file gives misleading problems: first the syntax.
            self.problems.extend(found);
        }
        above.push(path.clone());
        let mut composed = Declarations::default();
        for (base, place) in self.extends(&own) {
            let base = path.parent().unwrap_or(Path::new("")).join(base);
            let below = self.file(&base, above, Some(&place));
            merge(&mut composed, below);
        }
        above.pop();
        merge(&mut composed, own);
        // A file that many extend is read once, and composed once.
        self.composed.insert(path, composed.clone());
        composed
    }

    /// The files that a file extends.
    fn extends(&mut self, own: &Declarations) -> Vec<(String, SourcePlace)> {
        let Some(Field { node, .. }) = own.header.get("extends") else { return Vec::new() };
        let entries: &[Node] = match &node.value {
            Value::List(list) => list,
            _ => std::slice::from_ref(node),
        };
        let mut files = Vec::new();
        for entry in entries {
            match entry.as_text() {
                Some(text) => files.push((text.to_owned(), entry.place.clone())),
                None => self.problems.push(Problem::error(
                    "wrong-type",
                    format!("`extends` names files, and this is {}", entry.kind_word()),
                    entry.place.clone(),
                )),
            }
        }
        files
    }

    /// Adds a file to those given beside it; where both say something, they must say the same.
    fn join(&mut self, all: &mut Declarations, one: Declarations) {
        for (name, item) in one.items {
            let Some(there) = all.items.get_mut(&name) else {
                all.items.insert(name, item);
                continue;
            };
            for (key, field) in item.fields {
                match there.fields.get(&key) {
                    Some(other) if other.node.to_json() != field.node.to_json() => {
                        self.problems.push(
                            Problem::error(
                                "contradiction",
                                format!("{name} declares `{key}` twice, with different values"),
                                field.key,
                            )
                            .label("here it has another value")
                            .related(other.key.clone(), "declared before")
                            .help("let one file extend the other: then the last value wins"),
                        );
                    }
                    Some(_) => {}
                    None => {
                        there.fields.insert(key, field);
                    }
                }
            }
        }
        for (key, field) in one.variables {
            match all.variables.get(&key) {
                Some(other) if other.node.to_json() != field.node.to_json() => {
                    self.problems.push(
                        Problem::error(
                            "contradiction",
                            format!(
                                "the variable `{key}` is declared twice, with different values"
                            ),
                            field.key,
                        )
                        .related(other.key.clone(), "declared before")
                        .help("let one file extend the other: then the last value wins"),
                    );
                }
                Some(_) => {}
                None => {
                    all.variables.insert(key, field);
                }
            }
        }
        for (key, field) in one.header {
            all.header.entry(key).or_insert(field);
        }
        all.exceptions.extend(one.exceptions);
    }

    fn report(&mut self, code: &'static str, message: String, from: Option<&SourcePlace>) {
        self.problems.push(match from {
            Some(place) => Problem::error(code, message, place.clone()),
            None => Problem::general(code, message),
        });
    }
}

/// Puts a later file over an earlier one, field by field.
fn merge(into: &mut Declarations, later: Declarations) {
    into.header.extend(later.header);
    into.variables.extend(later.variables);
    for (name, item) in later.items {
        match into.items.get_mut(&name) {
            Some(there) => {
                there.place = item.place;
                there.fields.extend(item.fields);
            }
            None => {
                into.items.insert(name, item);
            }
        }
    }
    for exception in later.exceptions {
        if !into.exceptions.iter().any(|there| there.to_json() == exception.to_json()) {
            into.exceptions.push(exception);
        }
    }
}

/// A path without `.` and `..` steps that can be taken out, so that a file has one name.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
