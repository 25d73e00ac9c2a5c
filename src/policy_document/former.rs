//! Statements by which services deliver to where they deliver no more once the plan is done. Until then they
//! stay beside the new ones, under a name by which a later run knows them.

use serde_json::Value;

use super::merge::{called, named, sid};
use super::patterns::texts;
use super::{PolicyDocument, canonical};

/// What begins the `Sid` of a statement that stays for a while.
const FORMER: &str = "EvenkeelFormer";

impl PolicyDocument {
    /// The document without the statements that were to stay for a while. Their name tells them from those
    /// of others: it holds the digest of what they say.
    #[must_use]
    pub fn without_staying(&self, partition: &str) -> Self {
        let mut statements = self.statements();
        let all = statements.len();
        statements.retain(|one| !is_staying(one, partition));
        if statements.len() < all { self.having(statements) } else { self.clone() }
    }

    /// `after`, and what this document lets services do that `after` does not: this document itself where
    /// all that `after` has is there, and `None` where it takes nothing away from a service.
    pub fn on_the_way_to(&self, after: &Self, partition: &str) -> Option<Self> {
        let formed = |document: &Self| -> Vec<(Value, Value)> {
            let all = document.statements().into_iter();
            all.map(|one| (canonical::statement(&one, partition), one)).collect()
        };
        let (here, there) = (formed(self), formed(after));
        let is_in = |all: &[(Value, Value)], form: &Value| all.iter().any(|(one, _)| one == form);
        let is_covered = |all: &[(Value, Value)], form: &Value| {
            all.iter().any(|(wide, _)| wide == form || allows_all_of(wide, form))
        };
        let staying: Vec<_> = here
            .iter()
            .filter(|(form, _)| lets_services_in(form) && !is_covered(&there, form))
            .collect();
        if staying.is_empty() {
            return None;
        }
        let is_to_come = |(form, _): &(Value, Value)| !is_covered(&here, form);
        let is_to_go = |(form, _): &(Value, Value)| !lets_services_in(form) && !is_in(&there, form);
        if !there.iter().any(is_to_come) && !here.iter().any(is_to_go) {
            return Some(self.clone());
        }
        let staying = staying.into_iter().map(|(form, one)| named(one, &called(FORMER, form)));
        Some(after.having(after.statements().into_iter().chain(staying).collect()))
    }
}

fn is_staying(statement: &Value, partition: &str) -> bool {
    let name = sid(statement).filter(|name| name.starts_with(FORMER));
    name.is_some_and(|name| name == called(FORMER, &canonical::statement(statement, partition)))
}

/// Whether a statement allows something to services and to nobody else.
fn lets_services_in(form: &Value) -> bool {
    let principals = form.get("Principal").and_then(Value::as_object);
    form.get("Effect").and_then(Value::as_str) == Some("Allow")
        && principals.is_some_and(|all| all.len() == 1 && all.contains_key("Service"))
}

/// Whether a statement allows all that another one does, both in canonical form: it names the same, and
/// perhaps more.
fn allows_all_of(wide: &Value, narrow: &Value) -> bool {
    let rest = |form: &Value| {
        let mut rest = form.clone();
        for key in ["Action", "Resource", "Principal", "Condition"] {
            rest.as_object_mut().and_then(|rest| rest.remove(key));
        }
        rest
    };
    let names = |wide: &Value, narrow: &Value| {
        let wide = texts(wide);
        texts(narrow).iter().all(|one| wide.contains(one))
    };
    let same_keys = |one: &Value, other: &Value| {
        let keys = |value: &Value| -> Option<Vec<String>> {
            Some(value.as_object()?.keys().cloned().collect())
        };
        keys(one) == keys(other)
    };
    let members = |value: &Value| value.as_object().cloned().unwrap_or_default();
    wide["Effect"] == "Allow"
        && rest(wide) == rest(narrow)
        && names(&wide["Action"], &narrow["Action"])
        && names(&wide["Resource"], &narrow["Resource"])
        && same_keys(&wide["Principal"], &narrow["Principal"])
        && members(&narrow["Principal"])
            .iter()
            .all(|(key, list)| names(&wide["Principal"][key], list))
        && same_keys(&wide["Condition"], &narrow["Condition"])
        && members(&narrow["Condition"]).iter().all(|(operator, keys)| {
            let there = &wide["Condition"][operator];
            // With any other operator, more values say less.
            let is_positive = operator.ends_with("equals") || operator.ends_with("like");
            match is_positive && !operator.contains("not") {
                true => {
                    same_keys(there, keys)
                        && members(keys).iter().all(|(key, list)| names(&there[key], list))
                }
                false => there == keys,
            }
        })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn delivery(sid: &str, prefix: &str) -> Value {
        json!({
            "Sid": sid, "Effect": "Allow", "Principal": { "Service": "cloudtrail.amazonaws.com" },
            "Action": "s3:PutObject", "Resource": [format!("arn:aws:s3:::logs/{prefix}/*")],
            "Condition": { "StringEquals": { "s3:x-amz-acl": "bucket-owner-full-control" } },
        })
    }

    fn of(statements: Vec<Value>) -> PolicyDocument {
        PolicyDocument::of_statements(statements)
    }

    #[test]
    fn what_a_service_loses_stays_under_a_name_by_which_it_is_known_again() {
        let theirs = json!({ "Sid": "Theirs", "Effect": "Allow", "Principal": { "AWS": "111122223333" },
            "Action": "s3:GetObject", "Resource": "*" });
        let before = of(vec![delivery("Write", "old"), theirs.clone()]);
        let after = of(vec![delivery("Write", "new"), theirs.clone()]);
        let between = before.on_the_way_to(&after, "aws");
        let statements = between.as_ref().map(PolicyDocument::statements).unwrap_or_default();
        assert_eq!(statements.len(), 3, "{statements:?}");
        assert_eq!(statements[0], delivery("Write", "new"));
        assert_eq!(statements[2]["Resource"], delivery("", "old")["Resource"]);
        // The next look finds it as it was left, and AWS may keep lists of one as texts.
        let mut kept = statements.clone();
        kept[2]["Resource"] = kept[2]["Resource"][0].clone();
        kept.swap(1, 2);
        let kept = of(kept);
        assert!(kept.without_staying("aws").same_meaning(&after, "aws"));
        assert_eq!(kept.on_the_way_to(&after, "aws"), Some(kept.clone()));
        // What somebody else changed under that name is theirs.
        let mut changed = statements;
        changed[2]["Action"] = json!("s3:*");
        let changed = of(changed);
        assert_eq!(changed.without_staying("aws"), changed);
    }

    #[test]
    fn nothing_stays_where_no_service_loses_anything() {
        let mut wider = delivery("Write", "old");
        wider["Resource"] = json!(["arn:aws:s3:::logs/old/*", "arn:aws:s3:::logs/more/*"]);
        let before = of(vec![delivery("Write", "old")]);
        assert_eq!(before.on_the_way_to(&of(vec![wider.clone()]), "aws"), None);
        assert!(of(vec![wider]).on_the_way_to(&before, "aws").is_some());
        let mut both = delivery("Write", "old");
        both["Principal"]["Service"] = json!(["cloudtrail.amazonaws.com", "config.amazonaws.com"]);
        assert_eq!(before.on_the_way_to(&of(vec![both.clone()]), "aws"), None);
        // What only goes needs no write before it goes.
        let both = of(vec![both]);
        assert_eq!(both.on_the_way_to(&before, "aws"), Some(both.clone()));
        let mut elsewhere = delivery("Write", "old");
        elsewhere["Condition"] =
            json!({ "StringNotEquals": { "aws:SourceAccount": ["111122223333"] } });
        let mut fewer = elsewhere.clone();
        fewer["Condition"]["StringNotEquals"]["aws:SourceAccount"] =
            json!(["111122223333", "444455556666"]);
        assert!(of(vec![elsewhere]).on_the_way_to(&of(vec![fewer]), "aws").is_some());
        let person = json!({ "Effect": "Allow", "Principal": { "AWS": "111122223333" },
            "Action": "s3:*", "Resource": "*" });
        assert_eq!(of(vec![person]).on_the_way_to(&of(Vec::new()), "aws"), None);
    }
}
