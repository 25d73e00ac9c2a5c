//! Single statements of a policy document: which come, which go, who is nobody.

use serde_json::{Map, Value};

use super::patterns::{covers_all, texts};
use super::words::parts_of;
use super::{PolicyDocument, canonical};

/// What a new version of a policy takes away from somebody.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Narrowing {
    /// Statements that allow something and will be gone.
    pub removed_allows: Vec<Value>,
    /// Statements that deny something and are new.
    pub added_denies: Vec<Value>,
}

impl Narrowing {
    /// Whether nobody loses anything.
    pub fn is_empty(&self) -> bool {
        self.removed_allows.is_empty() && self.added_denies.is_empty()
    }

    /// One line for each statement, for the warnings of a plan.
    pub fn warnings(&self) -> Vec<String> {
        let removed = self
            .removed_allows
            .iter()
            .map(|statement| format!("no longer allowed: {}", summary(statement)));
        let added = self
            .added_denies
            .iter()
            .map(|statement| format!("denied from now on: {}", summary(statement)));
        removed.chain(added).collect()
    }
}

impl PolicyDocument {
    /// Principals that are ids of deleted users or roles: AWS shows the id once the name is gone.
    pub fn dangling_principals(&self) -> Vec<String> {
        let mut dangling = Vec::new();
        for statement in self.statements() {
            for key in ["Principal", "NotPrincipal"] {
                let entries = match statement.get(key).and_then(|value| value.get("AWS")) {
                    Some(Value::Array(list)) => list.clone(),
                    Some(one) => vec![one.clone()],
                    None => continue,
                };
                let ids =
                    entries.iter().filter_map(Value::as_str).filter(|text| is_unique_id(text));
                dangling.extend(ids.map(str::to_owned));
            }
        }
        dangling
    }

    /// What `new` allows that this document does not, and what it does not deny any more, in words
    /// for the warnings of a plan.
    pub fn widening(&self, new: &Self, partition: &str) -> Vec<String> {
        let mut lines = self.loosened(new, partition);
        let allowed = new.narrowing(self, partition).removed_allows;
        lines.extend(allowed.iter().map(|one| format!("allowed from now on: {}", summary(one))));
        lines.extend(self.lifted(new, partition));
        lines
    }

    /// The conditions on which this document allows what `new` allows without them, or on others, in
    /// words for the warnings of a plan.
    pub fn loosened(&self, new: &Self, partition: &str) -> Vec<String> {
        let apart = |statement: &Value| {
            let mut rest = canonical::statement(statement, partition);
            let conditions = rest.as_object_mut().and_then(|rest| rest.remove("Condition"));
            (rest, conditions)
        };
        let former: Vec<_> = self.narrowing(new, partition).removed_allows;
        let mut lines = Vec::new();
        for statement in new.narrowing(self, partition).removed_allows {
            let (rest, after) = apart(&statement);
            let alike = former.iter().find(|one| apart(one).0 == rest);
            let Some((written, (_, Some(before)))) = alike.map(|one| (one, apart(one))) else {
                continue;
            };
            let what = summary(&without_conditions(&statement));
            let after = after.unwrap_or_default();
            lines.extend(
                lost_conditions(&before, &after, &written["Condition"])
                    .into_iter()
                    .map(|how| format!("weaker than before: {what} {how}")),
            );
        }
        lines
    }

    /// What this document denies and `new` does not, in words for the warnings of a plan.
    pub fn lifted(&self, new: &Self, partition: &str) -> Vec<String> {
        let denies = new.narrowing(self, partition).added_denies;
        denies.iter().map(|one| format!("no longer denied: {}", summary(one))).collect()
    }

    /// What `new` takes away when it replaces this document.
    pub fn narrowing(&self, new: &Self, partition: &str) -> Narrowing {
        let (before, after) = (self.statements(), new.statements());
        Narrowing {
            removed_allows: only_in(&before, &after, "Allow", partition),
            added_denies: only_in(&after, &before, "Deny", partition),
        }
    }

    /// What both this document and `new` allow, with all that either denies: on the way from one to
    /// the other, whom `new` shuts out is out, and nobody is in yet who was not. `None` when nobody
    /// at all is left.
    pub fn meeting(&self, new: &Self, partition: &str) -> Option<Self> {
        let (before, after) = (self.statements(), new.statements());
        let is = |effect: &'static str| move |one: &&Value| one["Effect"] == effect;
        let allowed: Vec<Value> = before
            .iter()
            .filter(is("Allow"))
            .map(|one| canonical::statement(one, partition))
            .collect();
        let mut kept: Vec<Value> = only_in(&before, &after, "Deny", partition);
        kept.extend(after.iter().filter(is("Deny")).cloned());
        let denies = kept.len();
        for wanted in after.iter().filter(is("Allow")) {
            let form = canonical::statement(wanted, partition);
            if allowed.contains(&form) {
                kept.push(wanted.clone());
                continue;
            }
            for principal in allowed.iter().filter_map(|there| shared(there, &form)) {
                let mut narrower = wanted.clone();
                narrower["Principal"] = principal;
                kept.push(narrower);
            }
        }
        let is_left = kept.len() > denies;
        for statement in kept.iter_mut().filter_map(Value::as_object_mut) {
            // Two statements of one name are refused, and the names mean nothing.
            statement.remove("Sid");
        }
        is_left.then(|| new.having(kept))
    }
}

/// The principals that two statements in canonical form share, when nothing else tells them apart.
fn shared(one: &Value, other: &Value) -> Option<Value> {
    let without = |statement: &Value| {
        let mut rest = statement.as_object().cloned().unwrap_or_default();
        let principal = rest.remove("Principal");
        (rest, principal)
    };
    let ((rest, of_one), (rest_of_other, of_other)) = (without(one), without(other));
    let (Some(Value::Object(of_one)), Some(Value::Object(of_other))) = (of_one, of_other) else {
        return None;
    };
    if rest != rest_of_other {
        return None;
    }
    let mut both = Map::new();
    for (key, these) in &of_one {
        let (Some(these), Some(those)) =
            (these.as_array(), of_other.get(key).and_then(Value::as_array))
        else {
            continue;
        };
        let names_all = |list: &[Value]| key == "AWS" && list.iter().any(|one| one == "*");
        let list: Vec<Value> = match (names_all(these), names_all(those)) {
            (true, _) => those.clone(),
            (false, true) => these.clone(),
            (false, false) => these.iter().filter(|one| those.contains(one)).cloned().collect(),
        };
        if !list.is_empty() {
            both.insert(key.clone(), Value::Array(list));
        }
    }
    (!both.is_empty()).then(|| both.into())
}

/// What AWS would refuse in a statement, whatever the kind of policy.
pub(super) fn problem(statement: &Value) -> Option<&'static str> {
    let Value::Object(map) = statement else { return Some("is not a table") };
    if !matches!(map.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
        return Some("needs an Effect, Allow or Deny");
    }
    if has_none_or_both(map, "Action", "NotAction") {
        return Some("needs either an Action or a NotAction");
    }
    None
}

fn has_none_or_both(map: &Map<String, Value>, one: &str, other: &str) -> bool {
    map.contains_key(one) == map.contains_key(other)
}

fn only_in(here: &[Value], there: &[Value], effect: &str, partition: &str) -> Vec<Value> {
    let there: Vec<Value> = there.iter().map(|one| canonical::statement(one, partition)).collect();
    here.iter()
        .filter(|one| one.get("Effect").and_then(Value::as_str) == Some(effect))
        .filter(|one| !there.contains(&canonical::statement(one, partition)))
        .cloned()
        .collect()
}

fn without_conditions(statement: &Value) -> Value {
    let mut plain = statement.clone();
    for key in ["Condition", "Sid"] {
        plain.as_object_mut().and_then(|plain| plain.remove(key));
    }
    plain
}

/// Whether one of the conditions on a key says all that the former one said of it, and perhaps more.
fn is_narrowed(operator: &str, key: &str, before: &Value, after: &Value) -> bool {
    let (quantifier, plain, if_exists) = parts_of(operator);
    let mut operators = after.as_object().into_iter().flatten();
    operators.any(|(other, keys)| {
        let (of_other, plain_other, other_if_exists) = parts_of(other);
        let Some(there) = keys.get(key).filter(|_| quantifier == of_other) else { return false };
        let (before, after) = (texts(before), texts(there));
        // Without its `IfExists`, a condition lets nobody through who lacks the key.
        let is_sound = (if_exists || !other_if_exists) && quantifier != "forallvalues";
        let narrows = match (plain, plain_other) {
            ("stringlike", "stringlike" | "stringequals")
            | ("arnlike" | "arnequals", "arnlike" | "arnequals") => covers_all(&before, &after),
            ("stringequals", "stringequals")
            | ("stringequalsignorecase", "stringequalsignorecase")
            | ("bool", "bool")
            | ("ipaddress", "ipaddress") => after.iter().all(|one| before.contains(one)),
            ("stringnotequals", "stringnotequals")
            | ("stringnotlike", "stringnotlike")
            | ("arnnotlike" | "arnnotequals", "arnnotlike" | "arnnotequals")
            | ("notipaddress", "notipaddress") => before.iter().all(|one| after.contains(one)),
            _ => false,
        };
        is_sound && narrows && !after.is_empty()
    })
}

/// How conditions that must hold before need not hold afterwards; keys are named as they are `written`.
fn lost_conditions(before: &Value, after: &Value, written: &Value) -> Vec<String> {
    let mut lost = Vec::new();
    let names: Vec<&String> = written
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, keys)| keys.as_object())
        .flat_map(Map::keys)
        .collect();
    for (operator, keys) in before.as_object().into_iter().flatten() {
        for (key, value) in keys.as_object().into_iter().flatten() {
            let of_operator = after.get(operator).and_then(|keys| keys.get(key));
            if of_operator == Some(value) || is_narrowed(operator, key, value, after) {
                continue;
            }
            let written = names.iter().find(|name| name.eq_ignore_ascii_case(key));
            let name = written.map_or(key, |name| *name);
            let mut others = after.as_object().into_iter().flatten();
            let other = others.find_map(|(_, keys)| keys.get(key));
            lost.push(match other {
                Some(other) => format!(
                    "needs {name} {}, and needed {}",
                    words(other, "anything"),
                    words(value, "anything")
                ),
                None => format!("no longer needs {name} {}", words(value, "anything")),
            });
        }
    }
    lost
}

/// `s3:GetObject for 111122223333 if aws:SourceIp ("ReadLogs")`.
pub(super) fn summary(statement: &Value) -> String {
    let part = |keys: [&'static str; 2]| {
        keys.into_iter().find_map(move |key| statement.get(key).map(|value| (key, value)))
    };
    let actions = part(["Action", "NotAction"]).map_or_else(String::new, |(key, value)| {
        let words = words(value, "everything");
        if key == "NotAction" { format!("everything but {words}") } else { words }
    });
    let who = part(["Principal", "NotPrincipal"]).map_or_else(String::new, |(key, value)| {
        let words = words(value, "everybody");
        let but = if key == "NotPrincipal" { "everybody but " } else { "" };
        format!(" for {but}{words}")
    });
    let sid = statement
        .get("Sid")
        .and_then(Value::as_str)
        .map_or_else(String::new, |sid| format!(" (\"{sid}\")"));
    let keys: Vec<&str> = statement
        .get("Condition")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|operators| operators.values())
        .filter_map(Value::as_object)
        .flat_map(|keys| keys.keys().map(String::as_str))
        .collect();
    let conditions =
        if keys.is_empty() { String::new() } else { format!(" if {}", keys.join(", ")) };
    format!("{actions}{who}{conditions}{sid}")
}

fn words(value: &Value, all: &str) -> String {
    let join = |values: Vec<String>| values.join(", ");
    match value {
        Value::String(text) if text == "*" => all.to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => join(list.iter().map(|one| words(one, all)).collect()),
        Value::Object(map) => join(map.values().map(|one| words(one, all)).collect()),
        other => other.to_string(),
    }
}

/// `AIDA…` for users, `AROA…` for roles, 16 or more letters and digits.
pub(super) fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && text.len() >= 16
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn allow(sid: &str, action: &str) -> Value {
        json!({ "Sid": sid, "Effect": "Allow", "Principal": { "AWS": "111122223333" },
                "Action": action, "Resource": "*" })
    }

    fn deny(action: &str) -> Value {
        json!({ "Sid": "Deny", "Effect": "Deny", "Principal": "*", "Action": action,
                "Resource": "*" })
    }

    #[test]
    fn who_loses_what_is_said() {
        let before = PolicyDocument::of_statements(vec![allow("Read", "s3:GetObject")]);
        let after = PolicyDocument::of_statements(vec![deny("s3:*")]);
        let narrowing = before.narrowing(&after, "aws");
        assert_eq!(
            narrowing.warnings(),
            [
                "no longer allowed: s3:GetObject for 111122223333 (\"Read\")",
                "denied from now on: s3:* for everybody (\"Deny\")"
            ]
        );
        assert!(before.narrowing(&before, "aws").is_empty());
    }

    #[test]
    fn a_narrower_condition_is_no_weakening() {
        let of = |condition: Value| {
            PolicyDocument::of_statements(vec![json!({ "Effect": "Allow",
                "Action": "logs:PutLogEvents", "Principal": { "Service": "events.amazonaws.com" },
                "Resource": "*", "Condition": condition })])
        };
        let loosened = |before: Value, after: Value| of(before).loosened(&of(after), "aws").len();
        let account = |operator: &str, accounts: Value| json!({ operator: { "aws:SourceAccount": accounts } });
        let own = account("StringEquals", json!("111122223333"));
        let both = account("StringEquals", json!(["111122223333", "999999999999"]));
        let if_there = account("StringEqualsIfExists", json!("111122223333"));
        let like = json!({ "ArnLike": { "aws:SourceArn": "arn:aws:events:*:111122223333:*" } });
        let equal =
            json!({ "ArnEquals": { "aws:SourceArn": "arn:aws:events:*:111122223333:rule/*" } });
        for (before, after) in [(&both, &own), (&if_there, &own), (&like, &equal)] {
            assert_eq!(loosened(before.clone(), after.clone()), 0, "{before} {after}");
            assert_eq!(loosened(after.clone(), before.clone()), 1, "{after} {before}");
        }
        let but = |accounts: Value| account("StringNotEquals", accounts);
        let (one, two) = (but(json!("1")), but(json!(["1", "2"])));
        assert_eq!((loosened(one.clone(), two.clone()), loosened(two, one)), (0, 1));
    }

    #[test]
    fn conditions_that_go_are_named() {
        let trust = |condition: Value| {
            let mut one = json!({ "Effect": "Allow", "Action": "sts:AssumeRole",
                "Principal": { "AWS": "arn:aws:iam::111122223333:root" } });
            if !condition.is_null() {
                one["Condition"] = condition;
            }
            PolicyDocument::of_statements(vec![one])
        };
        let both = trust(json!({ "StringEquals": { "sts:ExternalId": "x1" },
            "Bool": { "aws:MultiFactorAuthPresent": "true" } }));
        let lines = |to: &PolicyDocument| both.loosened(to, "aws").join("\n");
        let none = lines(&trust(Value::Null));
        for key in ["sts:ExternalId x1", "aws:MultiFactorAuthPresent true"] {
            assert!(none.contains(&format!("no longer needs {key}")), "{none}");
        }
        assert!(none.starts_with("weaker than before: sts:AssumeRole for "), "{none}");
        let other = lines(&trust(json!({ "StringEquals": { "sts:ExternalId": "x2" },
            "Bool": { "aws:MultiFactorAuthPresent": "true" } })));
        assert!(other.contains("needs sts:ExternalId x2, and needed x1"), "{other}");
        assert!(!other.contains("MultiFactor"), "{other}");
        assert_eq!(trust(Value::Null).loosened(&both, "aws"), Vec::<String>::new());
    }

    #[test]
    fn deleted_principals_are_found() {
        let document = PolicyDocument::of_statements(vec![
            json!({ "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": { "AWS": ["AIDACKCEVSQ6C2EXAMPLE", "arn:aws:iam::111122223333:root"] } }),
        ]);
        assert_eq!(document.dangling_principals(), ["AIDACKCEVSQ6C2EXAMPLE"]);
    }

    proptest! {
        #[test]
        fn order_and_repetition_mean_nothing(
            actions in proptest::collection::vec("[a-z]{1,4}:[A-Z][a-z]{1,6}", 1..5),
            turn in 0usize..5,
        ) {
            let one = json!({ "Effect": "Allow", "Action": actions, "Resource": "*" });
            let mut turned = actions.clone();
            turned.rotate_left(turn % actions.len());
            turned.extend(actions.clone());
            let other = json!({ "Resource": ["*"], "Action": turned, "Effect": "Allow" });
            let one = PolicyDocument::of_statements(vec![one.clone(), deny("x:*")]);
            let other = PolicyDocument::of_statements(vec![deny("X:*"), other]);
            prop_assert!(one.same_meaning(&other, "aws"));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = PolicyDocument::from_text(&text);
            let _ = PolicyDocument::from_url_encoded(&text);
        }
    }
}
