//! The head of a log, as it is kept where nobody who can write the log can change it: by a name that
//! says all of it.

use std::path::Path;

use super::head::last_seal;
use super::lines::Lines;
use super::seal::unseal;

/// Digits of a number, so that names are in the order of the records.
const DIGITS: usize = 12;
/// Digits of the digest by which a log is called.
const CALLED: usize = 16;

/// The head of a log.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// What the log is called: the beginning of the digest of its first record.
    pub log: String,
    /// The number of the last record.
    pub number: u64,
    /// Its digest.
    pub digest: String,
}

impl Head {
    /// That of a log that somebody may be writing to; none where it has no record, or cannot be read.
    pub fn of(path: &Path) -> Option<Self> {
        let last = last_seal(path)?;
        Some(Self { log: called(path)?, number: last.number, digest: last.digest })
    }

    /// Its name.
    pub fn name(&self) -> String {
        format!("{}/{:0DIGITS$}-{}.json", self.log, self.number, self.digest)
    }

    /// Reads such a name.
    pub fn named(name: &str) -> Option<Self> {
        let (log, rest) = name.split_once('/')?;
        let (number, digest) = rest.strip_suffix(".json")?.split_once('-')?;
        let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
        let head = Self {
            log: log.to_owned(),
            number: number.parse().ok()?,
            digest: is_digest.then(|| digest.to_owned())?,
        };
        (head.name() == name).then_some(head)
    }
}

/// What a log is called; none where it has no record, or cannot be read.
pub fn called(path: &Path) -> Option<String> {
    let lines = Lines::of(path).ok()?;
    let mut seals = lines.map_while(Result::ok).filter_map(|(line, _)| unseal(&line));
    seals.next()?.digest.get(..CALLED).map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_all_of_a_head_and_nothing_else_is_one() {
        let head = |number| Head { log: "0af1".to_owned(), number, digest: "ab".repeat(32) };
        for number in [1, 999_999_999_999, 1_000_000_000_000] {
            assert_eq!(Head::named(&head(number).name()), Some(head(number)));
        }
        assert!(head(9).name() < head(10).name());
        let name = head(7).name();
        for other in [
            "",
            "0af1/7.json",
            &name[1 + name.find('/').unwrap()..],
            &name.replace("000000000007", "7"),
            &name.replace("ab.json", ".json"),
            &name.replace(".json", ""),
            // Of another prefix, which begins like this one.
            &format!("other/{name}"),
        ] {
            assert_eq!(Head::named(other), None, "{other}");
        }
    }
}
