//! The head of a log that somebody else may be writing to: read from its end.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::check::LONGEST_LINE;
use super::file;
use super::seal::unseal;

/// What is read first; a longer last record is read whole.
const FIRST: u64 = 16 * 1024;

/// The number of the last record and the beginning of its digest, as [`super::AuditLog::head`] says it;
/// nothing where there is none, or it cannot be read.
pub fn head_of(path: &Path) -> Option<String> {
    let mut file = file::open_to_read(path).ok()?;
    let length = file.metadata().ok()?.len();
    let mut wanted = FIRST;
    loop {
        let from = length.saturating_sub(wanted);
        if let Some(head) = last_of(&mut file, from, length)? {
            return Some(head);
        }
        if from == 0 || wanted > LONGEST_LINE {
            return None;
        }
        wanted *= 8;
    }
}

/// The head by what stands from a place on, if a whole record does.
fn last_of(file: &mut File, from: u64, to: u64) -> Option<Option<String>> {
    file.seek(SeekFrom::Start(from)).ok()?;
    let mut bytes = Vec::new();
    Read::by_ref(file).take(to - from).read_to_end(&mut bytes).ok()?;
    // What has no end yet is being written.
    let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
    let lines = bytes.get(..end)?.rsplit(|byte| *byte == b'\n');
    let mut seals = lines.filter_map(unseal);
    Some(seals.next().map(|seal| {
        let digest = seal.digest.get(..16).unwrap_or(&seal.digest);
        format!("record {}, {digest}", seal.number)
    }))
}
