//! The quotas of IAM that a role meets.
//!
//! Source: IAM User Guide, "IAM and AWS STS quotas": white space does not count.

use std::collections::BTreeMap;

/// Managed policies of a role, where nobody had the quota raised.
pub const MANAGED_POLICIES: usize = 10;
/// Characters of all inline policies of a role together; cannot be raised.
pub const INLINE_POLICIES: usize = 10_240;
/// Characters of a trust policy, where nobody had the quota raised.
pub const TRUST_POLICY: usize = 2_048;

/// The size of a policy as IAM counts it.
pub fn size(policy: &str) -> usize {
    policy.chars().filter(|character| !character.is_whitespace()).count()
}

/// How many of the policies that may go must go first, so that as many as are new find room.
pub fn managed_in_the_way(attached: usize, new: usize) -> usize {
    // Who has more than the quota had it raised; how far, nobody knows.
    let quota = attached.max(MANAGED_POLICIES);
    if new == 0 { 0 } else { (attached + new).saturating_sub(quota) }
}

/// Which inline policies must go first, so that the others find room with their new sizes: the
/// largest, for these are the fewest.
pub fn inline_in_the_way<'a>(
    now: &'a BTreeMap<String, String>,
    new: &BTreeMap<&str, usize>,
    may_go: &[&'a str],
) -> Vec<&'a str> {
    let stays: usize = now
        .iter()
        .filter(|(name, _)| !new.contains_key(name.as_str()))
        .map(|(_, policy)| size(policy))
        .sum();
    let mut total = stays + new.values().sum::<usize>();
    let mut may_go: Vec<(usize, &str)> = may_go
        .iter()
        .filter_map(|name| now.get(*name).map(|policy| (size(policy), *name)))
        .collect();
    may_go.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(other.1)));
    let mut must_go = Vec::new();
    for (size, name) in may_go {
        if new.is_empty() || total <= INLINE_POLICIES {
            break;
        }
        total -= size;
        must_go.push(name);
    }
    must_go
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_little_as_needed_goes_first() {
        assert_eq!(managed_in_the_way(9, 1), 0);
        assert_eq!(managed_in_the_way(10, 0), 0);
        assert_eq!(managed_in_the_way(10, 1), 1);
        assert_eq!(managed_in_the_way(8, 4), 2);
        assert_eq!(managed_in_the_way(15, 2), 2);
        let policy = |length: usize| "x".repeat(length);
        let now = BTreeMap::from([
            ("a".to_owned(), policy(1_000)),
            ("b".to_owned(), policy(6_000)),
            ("c".to_owned(), policy(2_000)),
        ]);
        let go = |size| inline_in_the_way(&now, &BTreeMap::from([("new", size)]), &["a", "b", "c"]);
        assert_eq!(go(1_240), Vec::<&str>::new());
        assert_eq!(go(1_241), ["b"]);
        assert_eq!(go(7_241), ["b", "c"]);
        assert_eq!(size("{ \"a\":\n 1 }"), 7);
    }
}
