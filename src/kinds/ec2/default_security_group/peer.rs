//! Whom a rule lets in, or out to.

use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};

use crate::names::AccountId;

/// How a rule names its own group.
pub const SELF: &str = "self";

/// The other end of a rule. Ranges have no bits behind their prefix.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Peer {
    /// An IPv4 range.
    Ipv4(Ipv4Net),
    /// An IPv6 range.
    Ipv6(Ipv6Net),
    /// A prefix list.
    PrefixList(String),
    /// The members of the group that has the rule.
    Itself,
    /// The members of another group.
    Group(Group),
}

/// A security group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Group {
    /// Its account. A baseline that gives none means the group of that id, whosever it is; AWS
    /// gives none for a group that its account has deleted.
    pub account: Option<AccountId>,
    /// Its id.
    pub id: String,
}

/// Whether a peer that is declared is the one that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Same {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// AWS does not say enough.
    Untold,
}

impl Peer {
    /// The peer as it looks from a group: its own id is itself.
    #[must_use]
    pub fn seen_within(self, group: &str, account: &AccountId) -> Self {
        match self {
            Self::Group(peer)
                if peer.id == group && peer.account.as_ref().is_none_or(|of| of == account) =>
            {
                Self::Itself
            }
            other => other,
        }
    }

    /// The peer with its account only where it is another one.
    #[must_use]
    pub fn without_own(self, own: &AccountId) -> Self {
        match self {
            Self::Group(Group { account: Some(account), id }) if account == *own => {
                Self::Group(Group { account: None, id })
            }
            other => other,
        }
    }

    /// Whether all whom another means are meant here.
    pub fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Ipv4(wide), Self::Ipv4(narrow)) => wide.contains(narrow),
            (Self::Ipv6(wide), Self::Ipv6(narrow)) => wide.contains(narrow),
            _ => self == other,
        }
    }

    /// Whether this peer, which is declared, is one that is there.
    pub fn is(&self, there: &Self) -> Same {
        let (Self::Group(declared), Self::Group(there)) = (self, there) else {
            return if self == there { Same::Yes } else { Same::No };
        };
        match (&declared.account, &there.account) {
            _ if declared.id != there.id => Same::No,
            (None, _) => Same::Yes,
            (Some(_), None) => Same::Untold,
            (Some(declared), Some(there)) if declared == there => Same::Yes,
            (Some(_), Some(_)) => Same::No,
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ipv4(range) => range.fmt(out),
            Self::Ipv6(range) => range.fmt(out),
            Self::PrefixList(list) => list.fmt(out),
            Self::Itself => SELF.fmt(out),
            Self::Group(Group { account: None, id }) => id.fmt(out),
            Self::Group(Group { account: Some(account), id }) => write!(out, "{account}/{id}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn group(text: &str) -> Peer {
        let (account, id) = match text.split_once('/') {
            Some((account, id)) => (Some(account.parse().unwrap()), id),
            None => (None, text),
        };
        Peer::Group(Group { account, id: id.to_owned() })
    }

    #[test]
    fn groups_are_compared_with_their_account_where_it_is_declared() {
        let cases = [
            ("sg-1", "sg-1", Same::Yes),
            ("sg-1", "444455556666/sg-1", Same::Yes),
            ("444455556666/sg-1", "444455556666/sg-1", Same::Yes),
            ("444455556666/sg-1", "111122223333/sg-1", Same::No),
            ("444455556666/sg-1", "444455556666/sg-2", Same::No),
            ("444455556666/sg-1", "sg-1", Same::Untold),
        ];
        for (declared, there, same) in cases {
            assert_eq!(group(declared).is(&group(there)), same, "{declared} and {there}");
        }
    }

    #[test]
    fn the_own_group_is_itself_by_whatever_name() {
        let own = "111122223333".parse().unwrap();
        for (name, is_itself) in [
            ("sg-1", true),
            ("111122223333/sg-1", true),
            ("444455556666/sg-1", false),
            ("sg-2", false),
        ] {
            assert_eq!(group(name).seen_within("sg-1", &own) == Peer::Itself, is_itself, "{name}");
        }
    }
}
