//! The lines of a log one after the other, for other programs.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use super::{AuditError, Record, file};

/// No record is longer: what is, is no record.
pub(super) const LONGEST_LINE: u64 = 64 * 1024 * 1024;

/// The lines of a log, each as it stands there, with what it says of a change; of a line that tells of
/// the log itself, or is no record, that is nothing.
#[derive(Debug)]
pub struct Lines {
    reader: BufReader<File>,
    path: PathBuf,
}

impl Lines {
    /// Opens a log.
    ///
    /// # Errors
    /// It cannot be read, or is no regular file.
    pub fn of(path: &Path) -> Result<Self, AuditError> {
        let reader = BufReader::new(file::open_to_read(path)?);
        Ok(Self { reader, path: path.to_owned() })
    }
}

impl Iterator for Lines {
    type Item = Result<(Vec<u8>, Option<Record>), AuditError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut line = Vec::new();
        let read = (&mut self.reader).take(LONGEST_LINE).read_until(b'\n', &mut line);
        match read {
            Ok(0) => None,
            Ok(_) => {
                if line.last() == Some(&b'\n') {
                    line.pop();
                }
                let record = serde_json::from_slice(&line).ok();
                Some(Ok((line, record)))
            }
            Err(source) => {
                Some(Err(AuditError::Io { doing: "read", path: self.path.clone(), source }))
            }
        }
    }
}
