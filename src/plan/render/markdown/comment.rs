//! Text that may not be longer than so many characters, and what there was no room for.

use crate::plan::words::counted;

/// A part of a comment.
#[derive(Debug)]
pub struct Comment {
    text: String,
    length: usize,
    limit: usize,
}

impl Comment {
    /// Nothing yet, and room for so many characters.
    pub fn new(limit: usize) -> Self {
        Self { text: String::new(), length: 0, limit }
    }

    /// Adds what was made sure to fit.
    pub fn push(&mut self, text: &str) {
        self.length += text.chars().count();
        self.text.push_str(text);
    }

    /// Adds a text when it leaves so much room; says whether it did.
    pub fn push_if_room(&mut self, text: &str, left: usize) -> bool {
        let fits = self.length + text.chars().count() + left <= self.limit;
        if fits {
            self.push(text);
        }
        fits
    }

    /// The text.
    pub fn into_text(self) -> String {
        self.text
    }
}

/// What there was no room for, by its sort.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// Objects that differ.
    pub drifted: usize,
    /// Objects that could not be read.
    pub unknown: usize,
    /// Objects that are excepted.
    pub excepted: usize,
    /// Objects out of their item's reach.
    pub skipped: usize,
    /// Accounts that could not be looked at.
    pub accounts: usize,
}

impl LeftOut {
    /// `2884 drifted and 3000 unknown objects`; nothing when everything fitted.
    pub fn words(&self) -> Option<String> {
        let sorts = [
            (self.drifted, "drifted"),
            (self.unknown, "unknown"),
            (self.excepted, "excepted"),
            (self.skipped, "skipped"),
        ];
        let total: usize = sorts.iter().map(|(count, _)| count).sum();
        let mut parts: Vec<String> = sorts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, sort)| format!("{count} {sort}"))
            .collect();
        if let Some(last) = parts.last_mut() {
            last.push_str(if total == 1 { " object" } else { " objects" });
        }
        if self.accounts > 0 {
            let accounts = counted(self.accounts, "account");
            parts.push(format!("{accounts} that could not be looked at"));
        }
        let last = parts.pop()?;
        Some(if parts.is_empty() { last } else { format!("{} and {last}", parts.join(", ")) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said_by_sort() {
        let words = |drifted, unknown, accounts| {
            LeftOut { drifted, unknown, accounts, ..LeftOut::default() }.words()
        };
        assert_eq!(words(0, 0, 0), None);
        assert_eq!(words(1, 0, 0).as_deref(), Some("1 drifted object"));
        assert_eq!(words(2884, 3000, 0).as_deref(), Some("2884 drifted and 3000 unknown objects"));
        assert_eq!(
            words(2, 0, 1).as_deref(),
            Some("2 drifted objects and 1 account that could not be looked at")
        );
    }
}
