//! Where the key of a signature comes from. The command line names the place, never the key: others
//! on the machine can read the arguments of a process.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use evenkeel::plan::sign::Key;

use super::failure::Failure;

/// What is accepted, in words.
const FORMS: &str = "name where the key is: env:NAME for an environment variable, file:PATH for a file; at least 32 bytes, such as `openssl rand -hex 32` makes";

/// The place of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// Something else, which may be the key itself: it is not kept.
    Neither,
}

impl FromStr for KeyPlace {
    // Clap would show what it cannot parse.
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        Ok(match text.split_once(':') {
            Some(("env", name)) if is_name(name) => Self::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Self::File(path.into()),
            _ => Self::Neither,
        })
    }
}

impl KeyPlace {
    /// As it is written on the command line.
    pub fn word(&self) -> String {
        match self {
            Self::Env(name) => format!("env:{name}"),
            Self::File(path) => format!("file:{}", path.display()),
            Self::Neither => "KEY".to_owned(),
        }
    }

    /// Reads the key.
    ///
    /// # Errors
    /// There is none, or it is too short.
    pub fn load(&self) -> Result<Key, Failure> {
        let bytes = match self {
            Self::Env(name) => std::env::var(name).map(String::into_bytes).map_err(|_| {
                // What stands after `env:` may be the key, when a shell has filled it in.
                let named = match name.bytes().all(|byte| !byte.is_ascii_lowercase()) {
                    true if name.len() < 32 => format!("the environment variable {name}"),
                    _ => "the environment variable".to_owned(),
                };
                Failure::usage(format!("{named} for the key is not set, or is not text"), FORMS)
            })?,
            Self::File(path) => read(path)?,
            Self::Neither => {
                return Err(Failure::usage(
                    "--sign and --verify do not take the key itself (what was given is not shown, in case it is the key)",
                    FORMS,
                ));
            }
        };
        Key::new(&bytes).map_err(|error| {
            Failure::usage(format!("the key of {} cannot be used: {error}", self.word()), FORMS)
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    /// No key is longer.
    const LONGEST: u64 = 64 * 1024;
    let about = std::fs::metadata(path).map_err(|why| Failure::file("read", path, why))?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(Failure::usage(format!("{} is not a key file", path.display()), FORMS));
    }
    std::fs::read(path).map_err(|why| Failure::file("read", path, why))
}
