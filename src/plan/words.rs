//! Words that plans, their forms and what is said of them share.

use std::borrow::Cow;

use super::TargetRef;
use crate::names::{AccountId, ItemName, Region};
use crate::visible::visible;

/// `1 region`, `17 regions`.
pub fn counted(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// With a capital first letter: `Only reported`.
pub fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
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

/// What an object is called: `ec2.default_security_group vpc-0a1b in eu-west-1 of 111122223333`.
pub fn title(
    item: &ItemName,
    id: &str,
    global: bool,
    region: &Region,
    account: &AccountId,
) -> String {
    let mut title = item.to_string();
    if !id.is_empty() {
        title.push(' ');
        title.push_str(id);
    }
    if !global {
        title.push_str(" in ");
        title.push_str(region.as_str());
    }
    title.push_str(" of ");
    title.push_str(account.as_str());
    visible(&title).into_owned()
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
