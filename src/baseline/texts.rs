//! The texts of files as they were at one time, whatever happens to the files afterwards.
//!
//! They are read once, by whoever reads them first; after [`Texts::seal`] nothing more is read, so that
//! what was found good is what is used. Whether all of them belong together is known by reading them
//! again: when each is still as it was after the last one was read, none of them was exchanged in
//! between ([`Texts::is_as_in`]).

use std::collections::BTreeMap;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::load::Reader;
use crate::digest;

/// What a reader said of a file.
type Answer<T> = Result<T, (ErrorKind, String)>;

/// Texts as they were at one time.
pub struct Texts<R> {
    /// Where they come from; none once they are sealed.
    reader: Option<R>,
    known: Mutex<Known>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Known {
    texts: BTreeMap<PathBuf, Answer<String>>,
    reached: BTreeMap<(PathBuf, PathBuf), Answer<()>>,
    linked: BTreeMap<(PathBuf, PathBuf), Option<PathBuf>>,
}

impl<R: Reader> Texts<R> {
    /// The texts that a reader gives from now on, each once.
    pub fn of(reader: R) -> Self {
        Self { reader: Some(reader), known: Mutex::default() }
    }

    /// Reads nothing more: a file that was not read is not there.
    pub fn seal(&mut self) {
        self.reader = None;
    }

    /// Whether a reader gives the same texts now.
    pub fn is_as_in(&self, reader: &dyn Reader) -> bool {
        let known = self.known().clone();
        known.texts.iter().all(|(path, text)| noted(reader.read(path)) == *text)
            && known
                .reached
                .iter()
                .all(|((from, path), may)| noted(reader.reaches(from, path)).is_ok() == may.is_ok())
            && known
                .linked
                .iter()
                .all(|((folder, file), link)| reader.linked_folder(folder, file) == *link)
    }

    /// The digest of all texts with their names.
    pub fn digest(&self) -> String {
        let known = self.known();
        let texts: BTreeMap<_, _> = known
            .texts
            .iter()
            .filter_map(|(path, text)| Some((path, text.as_ref().ok()?)))
            .collect();
        digest::of(&texts)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn noted<T>(answer: std::io::Result<T>) -> Answer<T> {
    answer.map_err(|error| (error.kind(), error.to_string()))
}

fn answer<T: Clone>(noted: &Answer<T>) -> std::io::Result<T> {
    noted.clone().map_err(|(kind, text)| Error::new(kind, text))
}

impl<R: Reader> Reader for Texts<R> {
    fn read(&self, path: &Path) -> std::io::Result<String> {
        let mut known = self.known();
        match (known.texts.get(path), &self.reader) {
            (Some(text), _) => answer(text),
            (None, None) => Err(ErrorKind::NotFound.into()),
            (None, Some(reader)) => {
                let text = noted(reader.read(path));
                answer(known.texts.entry(path.to_owned()).or_insert(text))
            }
        }
    }

    fn reaches(&self, from: &Path, path: &Path) -> std::io::Result<()> {
        let key = (from.to_owned(), path.to_owned());
        let mut known = self.known();
        match (known.reached.get(&key), &self.reader) {
            (Some(may), _) => answer(may),
            // Not "not there", which would be said later, and not refused.
            (None, None) => Err(ErrorKind::PermissionDenied.into()),
            (None, Some(reader)) => {
                let may = noted(reader.reaches(from, path));
                answer(known.reached.entry(key).or_insert(may))
            }
        }
    }

    fn linked_folder(&self, folder: &Path, file: &Path) -> Option<PathBuf> {
        let key = (folder.to_owned(), file.to_owned());
        let mut known = self.known();
        match (known.linked.get(&key), &self.reader) {
            (Some(link), _) => link.clone(),
            // The same texts were asked for the same before they were sealed.
            (None, None) => None,
            (None, Some(reader)) => {
                let link = reader.linked_folder(folder, file);
                known.linked.entry(key).or_insert(link).clone()
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::load::Memory;
    use super::*;

    fn files(texts: &[(&str, &str)]) -> Memory {
        Memory(texts.iter().map(|(path, text)| (path.into(), (*text).to_owned())).collect())
    }

    #[test]
    fn what_was_read_stays_and_what_was_not_is_not_there() {
        let before = files(&[("a", "1"), ("b", "2")]);
        let mut texts = Texts::of(before.clone());
        assert_eq!(texts.read(Path::new("a")).unwrap(), "1");
        assert!(texts.read(Path::new("none")).is_err());
        texts.seal();
        assert_eq!(texts.read(Path::new("a")).unwrap(), "1");
        assert_eq!(texts.read(Path::new("b")).unwrap_err().kind(), ErrorKind::NotFound);
        let reaches = texts.reaches(Path::new("a"), Path::new("b"));
        assert_eq!(reaches.unwrap_err().kind(), ErrorKind::PermissionDenied, "nobody has asked");
        assert!(texts.is_as_in(&before));
        let read = |texts: &[(&str, &str)]| {
            let other = Texts::of(files(texts));
            let _ = (other.read(Path::new("a")), other.read(Path::new("none")));
            other.digest()
        };
        assert_eq!(texts.digest(), read(&[("a", "1")]), "what was not read has no part in it");
        assert_ne!(texts.digest(), read(&[("a", "2")]));
    }

    #[test]
    fn one_file_of_another_version_is_noticed() {
        let texts = Texts::of(files(&[("a", "1"), ("b", "1")]));
        for path in ["a", "b", "none"] {
            let _ = texts.read(Path::new(path));
        }
        assert!(texts.is_as_in(&files(&[("a", "1"), ("b", "1")])));
        for other in
            [&[("a", "2"), ("b", "1")][..], &[("a", "1")], &[("a", "1"), ("b", "1"), ("none", "")]]
        {
            assert!(!texts.is_as_in(&files(other)), "{other:?}");
        }
    }
}
