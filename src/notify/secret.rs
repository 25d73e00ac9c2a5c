//! Secrets of channels: read when they are needed, so that a new one counts at once; never shown.

use std::fmt;
use std::path::Path;

use crate::files;
use crate::fleet::notify::SecretPlace;

/// The largest file of a secret, in MiB.
const LARGEST_MIB: u64 = 1;

/// Something that nobody may see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Secret(…)")
    }
}

impl Secret {
    /// For whoever needs it in order to send.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text without it, should it be there.
    pub fn hide(&self, text: &str) -> String {
        match self.0.is_empty() {
            true => text.to_owned(),
            false => text.replace(&self.0, "…"),
        }
    }
}

/// Reads what stands in a place; relative files start from the fleet file's folder.
///
/// # Errors
/// It is not there, or empty.
pub fn read(place: &SecretPlace, folder: &Path) -> Result<Secret, String> {
    let text = match place {
        SecretPlace::Env(name) => {
            std::env::var(name).map_err(|_| format!("{place} is not set, or is not text"))?
        }
        SecretPlace::File(path) => files::text(&folder.join(path), LARGEST_MIB)
            .map_err(|error| format!("cannot read {place}: {error}"))?,
    };
    match text.trim() {
        "" => Err(format!("{place} is empty")),
        text => Ok(Secret(text.to_owned())),
    }
}

/// Reads what a field of the fleet file says: a place, or the text itself.
///
/// # Errors
/// It is a place, and nothing is there.
pub fn text_or_place(text: &str, folder: &Path) -> Result<Secret, String> {
    match SecretPlace::of(text) {
        Some(place) => read(&place, folder),
        None => Ok(Secret(text.to_owned())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_read_anew_each_time_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let place = SecretPlace::File("key".to_owned());
        assert!(read(&place, folder.path()).unwrap_err().contains("the file key"));
        std::fs::write(folder.path().join("key"), "first\n").unwrap();
        let secret = read(&place, folder.path()).unwrap();
        assert_eq!(secret.expose(), "first");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        assert_eq!(secret.hide("no first here"), "no … here");
        std::fs::write(folder.path().join("key"), "second").unwrap();
        assert_eq!(read(&place, folder.path()).unwrap().expose(), "second");
        std::fs::write(folder.path().join("key"), " \n").unwrap();
        assert!(read(&place, folder.path()).is_err());
    }
}
