//! The head of a log that somebody else may be writing to: read from its end.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::file;
use super::lines::LONGEST_LINE;
use super::seal::{Seal, unseal};

/// What is read first; a longer last record is read whole.
const FIRST: u64 = 16 * 1024;

/// The number of the last record and the beginning of its digest, as [`super::AuditLog::head`] says it;
/// nothing where there is none, or it cannot be read.
pub fn head_of(path: &Path) -> Option<String> {
    let seal = last_seal(path)?;
    let digest = seal.digest.get(..16).unwrap_or(&seal.digest);
    Some(format!("record {}, {digest}", seal.number))
}

/// The seal of the last record; none where there is none, or it cannot be read.
pub(super) fn last_seal(path: &Path) -> Option<Seal> {
    let mut file = file::open_to_read(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut wanted = FIRST;
    loop {
        let from = length.saturating_sub(wanted);
        if let Some(seal) = last_of(&mut file, from, length)? {
            return Some(seal);
        }
        if from == 0 || wanted > LONGEST_LINE {
            return None;
        }
        wanted *= 8;
    }
}

/// The last seal in what stands from a place on, if a whole record does.
fn last_of(file: &mut File, from: u64, to: u64) -> Option<Option<Seal>> {
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    Read::by_ref(file).take(to - from).read_to_end(&mut bytes).ok()?;
    // What has no end yet is being written.
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = bytes.get(..end)?.rsplit(|byte| *byte == b'\n');
    Some(lines.filter_map(unseal).next())
}
