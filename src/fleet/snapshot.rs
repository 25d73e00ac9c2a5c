//! The observed state of a fleet in a file, so that plans can be made without credentials.
//!
//! A snapshot holds what AWS answered to each read, account by account, one JSON object a line,
//! compressed with gzip. The answers of STS are never recorded, and no request is: no credentials
//! are in a snapshot. The last line says how many accounts there are, so that half a file is not
//! taken for a whole one.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::organization::{Account, Organization};
use crate::aws::session::Identity;
use crate::aws::tape::Recorded;
use crate::names::AccountId;
use crate::plan::FailedAccount;

/// The version of the form; it grows when a reader of an older one would misread.
pub const VERSION: &str = "1";

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// See [`VERSION`].
    pub evenkeel_snapshot: String,
    /// The version of evenkeel that took it.
    pub evenkeel_version: String,
    /// When.
    pub taken: DateTime<Utc>,
    /// The run that took it.
    pub run: String,
    /// The account of the credentials that took it.
    pub own: AccountId,
    /// The organization, when it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Organization>,
}

/// A line for each account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Line {
    /// An account that was looked at.
    Seen {
        /// What is known of the account.
        account: Account,
        /// Whose credentials looked.
        identity: Identity,
        /// What AWS answered.
        reads: Vec<Recorded>,
    },
    /// An account that could not be looked at.
    Failed(FailedAccount),
    /// The last line: how many accounts came before.
    End(usize),
}

/// A snapshot that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The file cannot be read or written.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It is not a snapshot.
    #[error("it is not a snapshot: {0}")]
    NotOne(#[from] serde_json::Error),
    /// It has another version.
    #[error("it has version {found}, and this evenkeel reads version {VERSION}")]
    Version {
        /// Its version.
        found: String,
    },
    /// It breaks off.
    #[error("it breaks off: {accounts} accounts, and no end")]
    Cut {
        /// The accounts that are there.
        accounts: usize,
    },
}

/// Writes a snapshot account by account.
pub struct Writer<W: Write> {
    out: GzEncoder<BufWriter<W>>,
    accounts: usize,
}

impl<W: Write> Writer<W> {
    /// Begins.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(file: W, head: &Head) -> Result<Self, SnapshotError> {
        let out = GzEncoder::new(BufWriter::new(file), Compression::default());
        let mut writer = Self { out, accounts: 0 };
        writer.line(head)?;
        Ok(writer)
    }

    /// Adds an account.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn add(&mut self, line: &Line) -> Result<(), SnapshotError> {
        self.accounts += 1;
        self.line(line)
    }

    /// Ends, and gives the file back.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> Result<W, SnapshotError> {
        let accounts = self.accounts;
        self.line(&Line::End(accounts))?;
        let out = self.out.finish()?;
        out.into_inner().map_err(|error| error.into_error().into())
    }

    fn line<T: Serialize>(&mut self, value: &T) -> Result<(), SnapshotError> {
        serde_json::to_writer(&mut self.out, value)?;
        self.out.write_all(b"\n")?;
        Ok(())
    }
}

/// Reads a snapshot account by account.
pub struct Reader<R: Read> {
    lines: std::io::Lines<BufReader<GzDecoder<BufReader<R>>>>,
    accounts: usize,
    ended: bool,
    /// The first line.
    pub head: Head,
}

impl<R: Read> Reader<R> {
    /// Opens.
    ///
    /// # Errors
    /// It is not a snapshot, or of another version.
    pub fn new(file: R) -> Result<Self, SnapshotError> {
        let mut lines = BufReader::new(GzDecoder::new(BufReader::new(file))).lines();
        let first = lines.next().ok_or(SnapshotError::Cut { accounts: 0 })??;
        let value: serde_json::Value = serde_json::from_str(&first)?;
        let found = value.get("evenkeel_snapshot").and_then(serde_json::Value::as_str);
        if let Some(found) = found.filter(|found| *found != VERSION) {
            return Err(SnapshotError::Version { found: found.to_owned() });
        }
        let head = serde_json::from_value(value)?;
        Ok(Self { lines, accounts: 0, ended: false, head })
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Line, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let cut = SnapshotError::Cut { accounts: self.accounts };
        let line = match self.lines.next() {
            None => Err(cut),
            Some(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => Err(cut),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(text)) => serde_json::from_str(&text).map_err(SnapshotError::from),
        };
        match line {
            Ok(Line::End(accounts)) if accounts == self.accounts => {
                self.ended = true;
                None
            }
            Ok(Line::End(_)) => {
                self.ended = true;
                Some(Err(SnapshotError::Cut { accounts: self.accounts }))
            }
            Ok(line) => {
                self.accounts += 1;
                Some(Ok(line))
            }
            Err(error) => {
                self.ended = true;
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn head() -> Head {
        Head {
            evenkeel_snapshot: VERSION.to_owned(),
            evenkeel_version: "0".to_owned(),
            taken: DateTime::default(),
            run: "r".to_owned(),
            own: "111122223333".parse().unwrap(),
            organization: None,
        }
    }

    fn failed() -> Line {
        Line::Failed(FailedAccount {
            account: "111122223333".parse().unwrap(),
            name: None,
            reason: "no".to_owned(),
            remedy: None,
        })
    }

    fn written() -> Vec<u8> {
        let mut writer = Writer::new(Vec::new(), &head()).unwrap();
        writer.add(&failed()).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn what_is_written_is_read() {
        let file = written();
        let mut reader = Reader::new(file.as_slice()).unwrap();
        assert_eq!(reader.head, head());
        assert_eq!(reader.next().unwrap().unwrap(), failed());
        assert!(reader.next().is_none());
    }

    #[test]
    fn half_a_file_and_another_version_are_refused() {
        let mut writer = Writer::new(Vec::new(), &head()).unwrap();
        writer.add(&failed()).unwrap();
        let cut = writer.out.finish().unwrap().into_inner().unwrap();
        let last = Reader::new(cut.as_slice()).unwrap().last().unwrap();
        assert!(matches!(last, Err(SnapshotError::Cut { accounts: 1 })), "{last:?}");
        let other = Head { evenkeel_snapshot: "9".to_owned(), ..head() };
        let other = Writer::new(Vec::new(), &other).unwrap().finish().unwrap();
        assert!(matches!(Reader::new(other.as_slice()), Err(SnapshotError::Version { .. })));
        assert!(Reader::new(b"hello".as_slice()).is_err());
    }
}
