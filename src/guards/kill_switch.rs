//! The kill switch: as long as it is on, nothing new is written to AWS. It is asked directly before
//! each write, so that the write in hand is the last one. Looking goes on, and drift is reported.
//!
//! It is on while a file is there, or after somebody has pulled it in the process. A file of which
//! nobody can say whether it is there counts as there.

use std::fmt;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The kill switch of a process; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct KillSwitch(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    files: Mutex<Vec<PathBuf>>,
    is_pulled: AtomicBool,
}

/// Why the kill switch is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pulled {
    /// A file is there.
    File(PathBuf),
    /// Nobody can say whether a file is there.
    Unknown {
        /// The file.
        file: PathBuf,
        /// Why nobody can say it.
        why: String,
    },
    /// Somebody pulled it in the process.
    Here,
}

impl fmt::Display for Pulled {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(file) => write!(out, "the file {} is there", file.display()),
            Self::Unknown { file, why } => {
                write!(out, "nobody can say whether the file {} is there: {why}", file.display())
            }
            Self::Here => out.write_str("somebody sent SIGUSR1"),
        }
    }
}

impl Pulled {
    /// What releases it.
    pub fn release(&self) -> String {
        match self {
            Self::File(file) => {
                format!("find out who put it there; then remove {}", file.display())
            }
            Self::Unknown { file, .. } => {
                format!("let evenkeel look at {}, and remove it if it is there", file.display())
            }
            Self::Here => "find out who sent it; then send SIGUSR1 once more".to_owned(),
        }
    }
}

impl KillSwitch {
    /// One that is on while one of the files is there.
    pub fn at(files: impl IntoIterator<Item = PathBuf>) -> Self {
        let switch = Self::default();
        switch.watch(files);
        switch
    }

    /// Looks at these files from now on.
    pub fn watch(&self, files: impl IntoIterator<Item = PathBuf>) {
        let mut watched = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        *watched = files.into_iter().collect();
    }

    /// Pulls it, or releases what was pulled in this way; gives whether it is pulled now.
    pub fn toggle(&self) -> bool {
        !self.0.is_pulled.fetch_xor(true, Ordering::SeqCst)
    }

    /// Why it is on, if it is.
    pub fn pulled(&self) -> Option<Pulled> {
        if self.0.is_pulled.load(Ordering::SeqCst) {
            return Some(Pulled::Here);
        }
        let files = self.0.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.iter().find_map(|file| match std::fs::symlink_metadata(file) {
            Ok(_) => Some(Pulled::File(file.clone())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(Pulled::Unknown { file: file.clone(), why: error.to_string() }),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_while_its_file_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("stop");
        let switch = KillSwitch::at([file.clone()]);
        assert_eq!(switch.pulled(), None);
        std::fs::write(&file, "").unwrap();
        assert_eq!(switch.clone().pulled(), Some(Pulled::File(file.clone())));
        std::fs::remove_file(&file).unwrap();
        assert_eq!(switch.pulled(), None);
        // A link that leads nowhere is there as well.
        std::os::unix::fs::symlink("/nowhere/at/all", &file).unwrap();
        assert!(switch.pulled().is_some());
    }

    #[test]
    fn what_nobody_can_look_at_counts_as_on() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let switch = KillSwitch::at([file.join("below")]);
        assert!(matches!(switch.pulled(), Some(Pulled::Unknown { .. })), "{:?}", switch.pulled());
    }

    #[test]
    fn who_pulls_it_twice_has_released_it() {
        let switch = KillSwitch::default();
        assert!(switch.clone().toggle());
        assert_eq!(switch.pulled(), Some(Pulled::Here));
        assert!(!switch.toggle());
        assert_eq!(switch.pulled(), None);
    }
}
