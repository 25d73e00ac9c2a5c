//! Words that plans, their forms and what is said of them share.

use std::borrow::Cow;

use super::TargetRef;
use crate::names::AccountId;

/// `1 region`, `17 regions`.
pub fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// An account with its name: `111122223333 (payments)`.
pub fn account_name(target: &TargetRef) -> String {
    named(&target.account, target.name.as_deref())
}

/// An account, and its name when it is known.
pub fn named(account: &AccountId, name: Option<&str>) -> String {
    match name {
        Some(name) => format!("{account} ({name})"),
        None => account.to_string(),
    }
}

/// The first few names, and how many more there are.
pub fn shortened_list(names: &[String], few: usize) -> String {
    if names.len() <= few + 1 {
        names.join(", ")
    } else {
        format!("{} and {} more", names[..few].join(", "), names.len() - few)
    }
}

/// A text without AWS's request ids: each failure has its own.
pub fn without_request(text: &str) -> Cow<'_, str> {
    const OPEN: &str = " (request ";
    let Some((before, rest)) = text.split_once(OPEN) else { return Cow::Borrowed(text) };
    match rest.split_once(')') {
        Some((_, after)) => Cow::Owned(format!("{before}{}", without_request(after))),
        None => Cow::Borrowed(text),
    }
}
