//! How a line of the log is sealed: its number, the digest of the line before and, last of all, the
//! digest of all bytes before it. Everything is taken from the bytes as they are in the file, so
//! that no second way of writing the same JSON counts as the same.

use crate::digest;

/// What the first line of a log has for the digest of the line before.
pub const NONE_BEFORE: &str = "0000000000000000000000000000000000000000000000000000000000000000";

const HEX: usize = 64;
const DIGEST: &str = ",\"digest\":\"";
const FORMER: &str = ",\"former\":\"";
const NUMBER: &str = ",\"number\":";

/// A line's seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seal {
    /// Its place among the sealed lines, from 1.
    pub number: u64,
    /// The digest of the sealed line before.
    pub former: String,
    /// Its own digest, as it says.
    pub digest: String,
    /// Whether that is the digest of what stands there.
    pub is_true: bool,
}

/// Seals a JSON object.
pub fn seal(mut body: Vec<u8>, number: u64, former: &str) -> Vec<u8> {
    // The object goes on.
    body.pop();
    body.extend_from_slice(format!("{NUMBER}{number}{FORMER}{former}\"").as_bytes());
    let digest = digest::of_bytes(&body);
    body.extend_from_slice(format!("{DIGEST}{digest}\"}}").as_bytes());
    body
}

/// The seal of a line; `None` when it has none.
pub fn unseal(line: &[u8]) -> Option<Seal> {
    let line = line.strip_suffix(b"\"}")?;
    let (body, own) = split(line, DIGEST)?;
    let is_true = digest::of_bytes(body) == own;
    let (rest, former) = split(body.strip_suffix(b"\"")?, FORMER)?;
    let digits = rest.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let (rest, number) = rest.split_at(rest.len() - digits);
    rest.ends_with(NUMBER.as_bytes()).then_some(())?;
    let number = std::str::from_utf8(number).ok()?.parse().ok()?;
    Some(Seal { number, former: former.to_owned(), digest: own.to_owned(), is_true })
}

/// What stands before a name, and the digest after it.
fn split<'a>(line: &'a [u8], name: &str) -> Option<(&'a [u8], &'a str)> {
    let (rest, hex) = line.split_at_checked(line.len().checked_sub(HEX)?)?;
    let hex = std::str::from_utf8(hex).ok()?;
    hex.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(())?;
    Some((rest.strip_suffix(name.as_bytes())?, hex))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_noticed() {
        let sealed = seal(br#"{"run":"a","object":"\"digest\":"}"#.to_vec(), 7, NONE_BEFORE);
        let seal = unseal(&sealed).unwrap();
        assert_eq!((seal.number, seal.former.as_str(), seal.is_true), (7, NONE_BEFORE, true));
        let _: serde_json::Value = serde_json::from_slice(&sealed).unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert!(!unseal(&changed).is_some_and(|seal| seal.is_true), "byte {place}");
            assert_eq!(unseal(&sealed[..place]), None, "cut at byte {place}");
        }
    }
}
