//! The observed state of a fleet in a file, so that plans can be made without credentials.
//!
//! A snapshot holds what AWS answered to each read, account by account, one JSON object a line,
//! compressed with gzip. The answers of STS are never recorded, and no request is: no credentials
//! are in a snapshot. The last line says how many accounts there are, so that half a file is not
//! taken for a whole one; and a file is read through to its checksum before anything is taken from
//! it, so that a damaged one never gives another plan.

use std::io::{self, BufRead, BufReader, BufWriter, IntoInnerError, Read, Seek, Write};

use chrono::{DateTime, Utc};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};

use super::account::FailedAccount;
use super::organization::{Account, Organization};
use crate::aws::session::Identity;
use crate::aws::tape::Recorded;
use crate::names::AccountId;

/// The version of the form; it grows when a reader of an older one would misread.
pub const VERSION: &str = "1";

/// The first line.
#[serde_with::skip_serializing_none]
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
    #[serde(default)]
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
    /// It is not as it was written.
    #[error("it is damaged: {0}")]
    Damaged(io::Error),
    /// An account's line is longer than any that is written.
    #[error("an account after the first {accounts} takes more than {} MiB", LONGEST_LINE / 1024 / 1024)]
    TooLong {
        /// The accounts before it.
        accounts: usize,
    },
    /// It goes on after its end.
    #[error("it is damaged: something follows its end")]
    GoesOn,
}

impl SnapshotError {
    /// An error of the file or of what unpacks it, after so many accounts.
    fn reading(error: io::Error, accounts: usize) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut { accounts },
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => Self::Damaged(error),
            _ => Self::Io(error),
        }
    }
}

/// The longest line that is read, in bytes; an account of 5,000 security groups takes some 20 million.
const LONGEST_LINE: u64 = 256 * 1024 * 1024;

/// Writes a snapshot account by account.
pub struct Writer<W: Write> {
    /// Buffered on both sides: JSON is written word by word, and each write costs an encoder a whole buffer.
    out: BufWriter<GzEncoder<BufWriter<W>>>,
    accounts: usize,
}

impl<W: Write> Writer<W> {
    /// Begins.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(file: W, head: &Head) -> Result<Self, SnapshotError> {
        let out = BufWriter::new(GzEncoder::new(BufWriter::new(file), Compression::default()));
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
        let out = self.out.into_inner().map_err(IntoInnerError::into_error)?.finish()?;
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
    lines: Lines<R>,
    /// Those before the end, as the end says.
    accounts: usize,
    /// The first line.
    pub head: Head,
}

impl<R: Read + Seek> Reader<R> {
    /// Opens, after the whole file was found to be as it was written. Nothing of it is kept.
    ///
    /// # Errors
    /// It is not a snapshot, of another version, or damaged.
    pub fn new(mut file: R) -> Result<Self, SnapshotError> {
        let (head, accounts) = verify(&mut file)?;
        file.rewind()?;
        let mut lines = Lines::new(file);
        lines.next()?;
        Ok(Self { lines, accounts, head })
    }
}

impl<R: Read> Iterator for Reader<R> {
    type Item = Result<Line, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.accounts = self.accounts.checked_sub(1)?;
        let line = self.lines.next().and_then(|line| match line {
            Some(line) => Ok(serde_json::from_slice(line)?),
            // Somebody writes to the file while it is read.
            None => Err(SnapshotError::Cut { accounts: self.accounts }),
        });
        if line.is_err() {
            self.accounts = 0;
        }
        Some(line)
    }
}

/// The lines of a file that is being unpacked; one is in memory at a time.
struct Lines<R: Read> {
    text: BufReader<GzDecoder<BufReader<R>>>,
    line: Vec<u8>,
    /// How many have been read.
    count: usize,
}

impl<R: Read> Lines<R> {
    fn new(file: R) -> Self {
        let text = BufReader::new(GzDecoder::new(BufReader::new(file)));
        Self { text, line: Vec::new(), count: 0 }
    }

    fn next(&mut self) -> Result<Option<&[u8]>, SnapshotError> {
        let accounts = self.count.saturating_sub(1);
        self.line.clear();
        let mut limited = (&mut self.text).take(LONGEST_LINE);
        let read = limited.read_until(b'\n', &mut self.line);
        if read.map_err(|error| SnapshotError::reading(error, accounts))? == 0 {
            return Ok(None);
        }
        if self.line.len() as u64 == LONGEST_LINE {
            return Err(SnapshotError::TooLong { accounts });
        }
        self.count += 1;
        Ok(Some(&self.line))
    }
}

/// Reads the whole file, to the checksum at its end. Gives the head, and how many accounts there
/// are.
fn verify<R: Read>(file: R) -> Result<(Head, usize), SnapshotError> {
    let mut lines = Lines::new(file);
    let head = head(lines.next()?.ok_or(SnapshotError::Cut { accounts: 0 })?)?;
    let mut last = Vec::new();
    while let Some(line) = lines.next()? {
        last.clear();
        last.extend_from_slice(line);
    }
    let before = lines.count.saturating_sub(2);
    match serde_json::from_slice(&last) {
        Ok(Line::End(accounts)) if accounts == before => {}
        _ => return Err(SnapshotError::Cut { accounts: lines.count - 1 }),
    }
    let mut packed = lines.text.into_inner().into_inner();
    if packed.fill_buf()?.is_empty() { Ok((head, before)) } else { Err(SnapshotError::GoesOn) }
}

fn head(line: &[u8]) -> Result<Head, SnapshotError> {
    let value: serde_json::Value = serde_json::from_slice(line)?;
    let found = value.get("evenkeel_snapshot").and_then(serde_json::Value::as_str);
    if let Some(found) = found.filter(|found| *found != VERSION) {
        return Err(SnapshotError::Version { found: found.to_owned() });
    }
    Ok(serde_json::from_value(value)?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;
    use proptest::sample::Index;

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
        for _ in 0..3 {
            writer.add(&failed()).unwrap();
        }
        writer.finish().unwrap()
    }

    /// What a reader takes from a file.
    fn read(file: &[u8]) -> Result<(Head, Vec<Line>), SnapshotError> {
        let mut reader = Reader::new(Cursor::new(file))?;
        let head = reader.head.clone();
        let lines = reader.by_ref().collect::<Result<_, _>>()?;
        Ok((head, lines))
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(read(&written()).unwrap(), (head(), vec![failed(); 3]));
    }

    #[test]
    fn half_a_file_and_another_version_are_refused() {
        let mut writer = Writer::new(Vec::new(), &head()).unwrap();
        writer.add(&failed()).unwrap();
        let cut = writer.out.into_inner().unwrap().finish().unwrap().into_inner().unwrap();
        let refused = read(&cut);
        assert!(matches!(refused, Err(SnapshotError::Cut { accounts: 1 })), "{refused:?}");
        let other = Head { evenkeel_snapshot: "9".to_owned(), ..head() };
        let other = Writer::new(Vec::new(), &other).unwrap().finish().unwrap();
        assert!(matches!(read(&other), Err(SnapshotError::Version { .. })));
        assert!(read(b"hello").is_err());
    }

    #[test]
    fn the_checksum_and_the_end_count() {
        let file = written();
        let mut without_checksum = file.clone();
        let trailer = file.len() - 8;
        without_checksum[trailer..trailer + 4].fill(0);
        assert!(matches!(read(&without_checksum), Err(SnapshotError::Damaged(_))));
        assert!(matches!(read(&file[..trailer]), Err(SnapshotError::Cut { .. })));
        let twice = [file.as_slice(), file.as_slice()].concat();
        assert!(matches!(read(&twice), Err(SnapshotError::GoesOn)));
        assert!(matches!(read(&[file.as_slice(), b"\n"].concat()), Err(SnapshotError::GoesOn)));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn a_flipped_bit_is_refused_or_changes_nothing(at in any::<Index>(), bit in 0..8_u8) {
            let file = written();
            let mut flipped = file.clone();
            flipped[at.index(file.len())] ^= 1 << bit;
            if let Ok(content) = read(&flipped) {
                prop_assert_eq!(content, read(&file).unwrap());
            }
        }

        #[test]
        fn a_cut_is_refused(at in any::<Index>()) {
            let file = written();
            prop_assert!(read(&file[..at.index(file.len())]).is_err());
        }
    }
}
