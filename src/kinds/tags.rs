//! Tags of AWS resources: what a service takes, which a kind looks at, and how one set becomes
//! another.
//!
//! Sources: IAM API Reference, `Tag`, and IAM User Guide, "Tagging rules" (keys without case);
//! API models of KMS, CloudTrail, CloudWatch Logs, SNS and S3 (`Tag`); Tagging AWS Resources, "Tag naming limits and
//! requirements".

use std::collections::BTreeMap;

use crate::baseline::catalog::SpecProblem;
use crate::kinds::{Change, Drift, Risk, compared};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// AWS's own tags, which nobody may set.
const OF_AWS: &str = "aws:";
/// Marks by which evenkeel finds again what it made.
const OF_EVENKEEL: &str = "evenkeel:";
/// The signs that a tag may have beside letters, numbers and spaces.
const SIGNS: &str = "_.:/=+-@";

/// What a service takes for tags.
#[derive(Debug, Clone, Copy)]
pub struct TagRules {
    /// Whether keys that differ only by case are one key, which keeps the spelling of its last
    /// write.
    folds_keys: bool,
    /// How many tags a resource may have.
    limit: usize,
}

/// "Tag key names are not case sensitive, but case is preserved."
pub const IAM: TagRules = TagRules { folds_keys: true, limit: 50 };
/// Keys of KMS.
pub const KMS: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Trails.
pub const CLOUDTRAIL: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Alarms.
pub const CLOUDWATCH: TagRules = TagRules { folds_keys: false, limit: 50 };
/// What AWS Config has.
pub const CONFIG: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Log groups.
pub const LOGS: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Topics: more than 50 are "not recommended" (`TagResource`), and 50 is their quota.
pub const SNS: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Rules of EventBridge.
pub const EVENTS: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Analyzers.
pub const ACCESS_ANALYZER: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Detectors.
pub const GUARDDUTY: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Graphs.
pub const DETECTIVE: TagRules = TagRules { folds_keys: false, limit: 50 };
/// Hubs.
pub const SECURITY_HUB: TagRules = TagRules { folds_keys: false, limit: 50 };
/// What Route 53 Resolver has (`TagResource`).
pub const ROUTE53_RESOLVER: TagRules = TagRules { folds_keys: false, limit: 200 };
/// Buckets.
pub const S3: TagRules = TagRules { folds_keys: false, limit: 50 };

/// What turns one set of tags into another.
#[derive(Debug, Default, PartialEq)]
pub struct Comparison {
    /// What must be set.
    pub set: Tags,
    /// The drift that setting removes.
    pub set_drift: Drift,
    /// What must be taken away, with the values that are there.
    pub remove: Tags,
    /// The drift that taking away removes.
    pub remove_drift: Drift,
}

/// Tags that are nobody's to declare: AWS's own (`aws:…`) and the mark by which evenkeel finds a
/// key again that it made (`evenkeel:…`).
pub fn is_reserved(key: &str) -> bool {
    reserved_for(key).is_some()
}

fn reserved_for(key: &str) -> Option<&'static str> {
    let begins = |prefix: &str| {
        key.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if begins(OF_AWS) {
        return Some("AWS");
    }
    begins(OF_EVENKEEL).then_some("evenkeel's own marks")
}

/// The tags of an answer, without reserved ones.
pub fn collect<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Tags {
    tags.into_iter()
        .filter(|(key, _)| !is_reserved(key))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

impl TagRules {
    /// What the service would refuse of declared tags. Every kind with tags calls it in `check`.
    pub fn check(self, tags: Option<&Tags>) -> Vec<SpecProblem> {
        let Some(tags) = tags else { return Vec::new() };
        let mut problems = Vec::new();
        let mut problem = |message: String, help: &str| {
            problems.push(SpecProblem::new("tags", message, help));
        };
        if tags.len() > self.limit {
            let (there, limit) = (tags.len(), self.limit);
            problem(
                format!("{there} tags are more than AWS takes"),
                &format!("keep {limit} or fewer"),
            );
            return problems;
        }
        let mut seen: BTreeMap<String, &str> = BTreeMap::new();
        for (key, value) in tags {
            if let Some(owner) = reserved_for(key) {
                problem(format!("the key {key:?} is reserved for {owner}"), "choose another key");
            }
            if !(1..=128).contains(&key.chars().count()) {
                problem(
                    format!("the key {key:?} is too short or too long"),
                    "keys have 1 to 128 characters",
                );
            }
            if value.chars().count() > 256 {
                problem(
                    format!("the value of {key:?} is too long"),
                    "values have up to 256 characters",
                );
            }
            if let Some(sign) = key.chars().chain(value.chars()).find(|one| !is_taken(*one)) {
                problem(
                    format!("AWS takes no {sign:?} in tags, and {key:?} has one"),
                    &format!("letters, numbers, spaces and {SIGNS} are taken"),
                );
            }
            if let Some(other) = seen.insert(self.fold(key), key) {
                problem(
                    format!(
                        "{other:?} and {key:?} are one key: this service knows no case in them"
                    ),
                    "keep one of them",
                );
            }
        }
        problems
    }

    /// What turns the tags that are there into the declared ones. The only comparison of tags.
    pub fn compare(self, actual: &Tags, desired: &Tags) -> Comparison {
        compared::mark("tags");
        let there = self.by_key(actual);
        let wanted = self.by_key(desired);
        let mut comparison = Comparison::default();
        for (folded, (key, value)) in &wanted {
            let now = there.get(folded);
            if now != Some(&(*key, *value)) {
                let field = format!("tags.{key}");
                // Of a key in another spelling, the spelling is what differs.
                match now {
                    Some((spelling, now)) if spelling != key => comparison.set_drift.add(
                        &field,
                        Some(format!("{spelling} = {now}")),
                        Some(format!("{key} = {value}")),
                    ),
                    now => comparison.set_drift.add(&field, now.map(|(_, now)| now), Some(value)),
                }
                comparison.set.insert((*key).to_owned(), (*value).to_owned());
            }
        }
        for (_, (key, value)) in there.iter().filter(|(folded, _)| !wanted.contains_key(*folded)) {
            comparison.remove_drift.add(&format!("tags.{key}"), Some(value), None::<&str>);
            comparison.remove.insert((*key).to_owned(), (*value).to_owned());
        }
        comparison
    }

    /// The changes from one set of tags to another: one write that sets, one that takes away. What
    /// goes away goes last, unless there is no room for what comes.
    pub fn changes<A>(
        self,
        actual: &Tags,
        desired: &Tags,
        set: impl FnOnce(Tags) -> A,
        remove: impl FnOnce(Tags) -> A,
    ) -> Vec<Change<A>> {
        let comparison = self.compare(actual, desired);
        let there = self.by_key(actual);
        let new = comparison.set.keys().filter(|key| !there.contains_key(&self.fold(key))).count();
        let is_full = actual.len() + new > self.limit;
        let mut changes = Vec::new();
        if !comparison.set.is_empty() {
            changes.push(Change::new(set(comparison.set), comparison.set_drift).independent());
        }
        if !comparison.remove.is_empty() {
            let change = Change::new(remove(comparison.remove), comparison.remove_drift)
                .risk(Risk::Disruptive)
                .warn("policies and cost reports that look at these tags no longer see them")
                .independent()
                .makes_room();
            changes.push(change);
        }
        if is_full {
            changes.reverse();
        }
        changes
    }

    /// The writes that take the setting of tags back.
    pub fn undo<A>(
        self,
        written: &Tags,
        before: Option<&Tags>,
        set: impl FnOnce(Tags) -> A,
        remove: impl FnOnce(Tags) -> A,
    ) -> Vec<A> {
        let (former, new) = self.before(written, before);
        let former = (!former.is_empty()).then(|| set(former));
        former.into_iter().chain((!new.is_empty()).then(|| remove(new))).collect()
    }

    /// The write that takes their removal back: as they were, and nothing of those that were not there.
    pub fn undo_removal<A>(
        self,
        removed: &Tags,
        before: Option<&Tags>,
        set: impl FnOnce(Tags) -> A,
    ) -> Vec<A> {
        let former = match before {
            Some(_) => self.before(removed, before).0,
            None => removed.clone(),
        };
        (!former.is_empty()).then(|| set(former)).into_iter().collect()
    }

    /// Of the tags that were written, those that were there before and those that were not: what
    /// undoing the write must set and take away.
    fn before(self, written: &Tags, before: Option<&Tags>) -> (Tags, Tags) {
        let there = before.map(|before| self.by_key(before)).unwrap_or_default();
        let (mut former, mut new) = (Tags::new(), Tags::new());
        for (key, value) in written {
            match there.get(&self.fold(key)) {
                Some((key, value)) => former.insert((*key).to_owned(), (*value).to_owned()),
                None => new.insert(key.clone(), value.clone()),
            };
        }
        (former, new)
    }

    /// A key in the one form that all its spellings share.
    fn fold(self, key: &str) -> String {
        if self.folds_keys { key.to_lowercase() } else { key.to_owned() }
    }

    fn by_key(self, tags: &Tags) -> BTreeMap<String, (&str, &str)> {
        tags.iter().map(|(key, value)| (self.fold(key), (key.as_str(), value.as_str()))).collect()
    }
}

/// `[\p{L}\p{Z}\p{N}_.:/=+\-@]`
fn is_taken(sign: char) -> bool {
    sign.is_alphanumeric() || (sign.is_whitespace() && !sign.is_control()) || SIGNS.contains(sign)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn aws_own_tags_do_not_count() {
        let seen = collect([("aws:cloudformation:stack-name", "x"), ("team", "core")]);
        assert_eq!(seen, tags(&[("team", "core")]));
    }

    #[test]
    fn one_write_sets_and_one_takes_away() {
        let actual = tags(&[("keep", "1"), ("change", "1"), ("drop", "1")]);
        let desired = tags(&[("keep", "1"), ("change", "2"), ("new", "1")]);
        let changes = S3.changes(&actual, &desired, |tags| ("set", tags), |tags| ("remove", tags));
        assert_eq!(changes[0].action, Some(("set", tags(&[("change", "2"), ("new", "1")]))));
        assert_eq!(changes[1].action, Some(("remove", tags(&[("drop", "1")]))));
        assert_eq!(changes[1].risk, Risk::Disruptive);
        assert!(changes[1].makes_room);
    }

    #[test]
    fn a_key_of_iam_in_another_case_is_set_and_never_taken_away() {
        let (actual, desired) = (tags(&[("Team", "core")]), tags(&[("team", "core")]));
        let changes = IAM.changes(&actual, &desired, |tags| ("set", tags), |tags| ("remove", tags));
        assert_eq!(changes.len(), 1, "taking the former away takes the new one away");
        assert_eq!(changes[0].action, Some(("set", desired.clone())));
        assert_eq!(IAM.before(&desired, Some(&actual)), (actual.clone(), Tags::new()));
        let changes = KMS.changes(&actual, &desired, |tags| ("set", tags), |tags| ("remove", tags));
        assert_eq!(changes.len(), 2, "elsewhere they are two keys");
    }

    #[test]
    fn where_there_is_no_room_what_goes_away_goes_first() {
        let many = |prefix: &str, count| {
            (0..count).map(|number| (format!("{prefix}{number}"), String::new())).collect::<Tags>()
        };
        let order = |there| {
            let changes = KMS.changes(&many("a", there), &many("b", 1), |_| "set", |_| "remove");
            changes.into_iter().filter_map(|change| change.action).collect::<Vec<_>>()
        };
        assert_eq!(order(49), ["set", "remove"]);
        assert_eq!(order(50), ["remove", "set"]);
    }

    #[test]
    fn what_was_not_there_does_not_come_back() {
        let removed = tags(&[("a", "1"), ("b", "1")]);
        let undo = |before: Option<&Tags>| KMS.undo_removal(&removed, before, |tags| tags);
        assert_eq!(undo(Some(&tags(&[("a", "2"), ("c", "1")]))), [tags(&[("a", "2")])]);
        assert!(undo(Some(&tags(&[("c", "1")]))).is_empty());
        assert_eq!(undo(None), std::slice::from_ref(&removed));
    }

    #[test]
    fn undoing_knows_what_was_there() {
        let written = tags(&[("change", "2"), ("new", "1")]);
        let (former, new) = S3.before(&written, Some(&tags(&[("change", "1")])));
        assert_eq!(former, tags(&[("change", "1")]));
        assert_eq!(new, tags(&[("new", "1")]));
    }

    #[test]
    fn what_a_service_refuses_is_said_before_the_write() {
        let long = "x".repeat(129);
        let cases = [
            (IAM, tags(&[("Team", "1"), ("team", "1")]), Some("are one key")),
            (S3, tags(&[("Team", "1"), ("team", "1")]), None),
            (S3, tags(&[("aws:x", "1")]), Some("reserved for AWS")),
            (S3, tags(&[("AWS:x", "1")]), Some("reserved for AWS")),
            (KMS, tags(&[("evenkeel:alias", "1")]), Some("evenkeel's own marks")),
            (KMS, tags(&[("", "1")]), Some("too short")),
            (KMS, tags(&[(&long, "1")]), Some("too long")),
            (KMS, tags(&[("k", &"x".repeat(257))]), Some("too long")),
            (CLOUDTRAIL, tags(&[("k", "a,b")]), Some("takes no ','")),
            (CLOUDTRAIL, tags(&[("k", "a\nb")]), Some("takes no '\\n'")),
            (CLOUDTRAIL, tags(&[("größe", "é 1_.:/=+-@")]), None),
        ];
        for (rules, tags, expected) in cases {
            let problems = rules.check(Some(&tags));
            let message = problems.first().map(|problem| problem.message.as_str());
            match expected {
                None => assert_eq!(message, None),
                Some(part) => {
                    assert!(message.is_some_and(|message| message.contains(part)), "{message:?}");
                }
            }
        }
        let many = (0..100_000).map(|number| (number.to_string(), String::new())).collect();
        assert_eq!(S3.check(Some(&many)).len(), 1);
    }
}
