//! Merging statements that must be there into a policy that others write too.
//!
//! No statement of somebody else is displaced, and none is written a second time. What evenkeel
//! writes always has a `Sid`, by which it is found again even when AWS keeps it in another form: a
//! principal that was deleted and made again, an identity by another name.

use serde_json::{Value, json};

use super::{PolicyDocument, canonical};
use crate::digest;

/// How much of a digest stands in a `Sid` that evenkeel makes.
const DIGEST_LENGTH: usize = 12;
/// What begins the `Sid` of a statement that was declared without one.
const NAMELESS: &str = "Evenkeel";

/// Whose word a `Sid` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Somebody named the statement in a baseline: the statement of this `Sid` is that one,
    /// whatever it says.
    Baseline,
    /// evenkeel chose it, and others may have chosen the same: only what differs in resources and
    /// values of conditions alone is a former version of it.
    Evenkeel,
}

/// A statement that a policy must have.
#[derive(Debug, Clone, PartialEq)]
pub struct Required {
    /// The statement.
    pub statement: Value,
    /// Whose word its `Sid` is.
    pub owner: Owner,
}

/// What becomes of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Merge {
    /// The policy with all that must be in it.
    pub document: PolicyDocument,
    /// What the reader must know: statements that took another name than theirs.
    pub notes: Vec<String>,
}

impl PolicyDocument {
    /// The document with all of `required`, or `None` when it has them in some form already.
    ///
    /// A missing statement takes the place of its own former version; else it comes last, under its
    /// `Sid` or, when that is taken, under a free one. Everything else stays as it is.
    pub fn merge(&self, required: &[Required], partition: &str) -> Option<Merge> {
        let wanted: Vec<Value> =
            required.iter().map(|one| canonical::statement(&one.statement, partition)).collect();
        let mut statements = self.statements();
        let mut notes = Vec::new();
        let mut is_changed = false;
        for (one, form) in required.iter().zip(&wanted) {
            let forms: Vec<Value> =
                statements.iter().map(|there| canonical::statement(there, partition)).collect();
            if forms.contains(form) {
                continue;
            }
            is_changed = true;
            // A statement that is required itself is nobody's former version.
            let is_free = |index: usize| !wanted.contains(&forms[index]);
            let own = own_sid(one, form);
            let place = the_one(&statements, &own)
                .filter(|index| is_free(*index))
                .or_else(|| former_version(one, form, &statements, &forms, &is_free));
            match place {
                Some(index) => {
                    let name = sid(&statements[index]).unwrap_or(&own).to_owned();
                    statements[index] = named(&one.statement, &name);
                }
                None => {
                    let declared = sid(&one.statement);
                    let is_taken =
                        |name: &str| statements.iter().any(|there| sid(there) == Some(name));
                    let name = match declared {
                        Some(name) if !is_taken(name) => name.to_owned(),
                        _ => own,
                    };
                    if let Some(declared) = declared.filter(|declared| *declared != name) {
                        notes.push(format!(
                            "another statement has the Sid {declared:?} and stays: this one is called {name:?}"
                        ));
                    }
                    statements.push(named(&one.statement, &name));
                }
            }
        }
        is_changed.then(|| Merge { document: self.having(statements), notes })
    }

    /// The document without the statements that evenkeel once wrote for declarations without a `Sid`,
    /// and that are not among `required` any more; `None` when it has none of them. Their name tells
    /// them from those of others: it holds the digest of what they say.
    pub fn without_former(&self, required: &[Required], partition: &str) -> Option<Self> {
        let form = |statement: &Value| canonical::statement(statement, partition);
        let wanted: Vec<Value> = required.iter().map(|one| form(&one.statement)).collect();
        let mut statements = self.statements();
        let all = statements.len();
        statements.retain(|one| {
            let form = form(one);
            sid(one) != Some(&called(NAMELESS, &form)) || wanted.contains(&form)
        });
        (statements.len() < all).then(|| self.having(statements))
    }
}

/// The `Sid` of a statement.
pub(super) fn sid(statement: &Value) -> Option<&str> {
    statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty())
}

pub(super) fn named(statement: &Value, name: &str) -> Value {
    let mut statement = statement.clone();
    if let Value::Object(map) = &mut statement {
        map.insert("Sid".to_owned(), json!(name));
    }
    statement
}

/// The `Sid` under which only evenkeel writes just this statement.
fn own_sid(required: &Required, form: &Value) -> String {
    called(sid(&required.statement).unwrap_or(NAMELESS), form)
}

pub(super) fn called(name: &str, form: &Value) -> String {
    let digest: String = digest::of(form).chars().take(DIGEST_LENGTH).collect();
    format!("{name}{digest}")
}

/// The place of the only statement of a `Sid`; of two, neither is meant.
fn the_one(statements: &[Value], name: &str) -> Option<usize> {
    let mut places = (0..statements.len()).filter(|index| sid(&statements[*index]) == Some(name));
    places.next().filter(|_| places.next().is_none())
}

fn former_version(
    required: &Required,
    form: &Value,
    statements: &[Value],
    forms: &[Value],
    is_free: &impl Fn(usize) -> bool,
) -> Option<usize> {
    let place = the_one(statements, sid(&required.statement)?).filter(|index| is_free(*index))?;
    let is_former = match required.owner {
        Owner::Baseline => true,
        Owner::Evenkeel => shape(form) == shape(&forms[place]),
    };
    is_former.then_some(place)
}

/// A statement without what its versions may differ in: resources and the values of conditions.
fn shape(form: &Value) -> Value {
    let Value::Object(map) = form else { return form.clone() };
    let mut shape = map.clone();
    shape.remove("Resource");
    if let Some(Value::Object(operators)) = shape.get_mut("Condition") {
        for keys in operators.values_mut() {
            let names = keys.as_object().map(|keys| keys.keys().cloned().collect::<Vec<_>>());
            *keys = json!(names);
        }
    }
    Value::Object(shape)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allow(sid: Option<&str>, action: &str, resource: &str) -> Value {
        let mut statement = json!({ "Effect": "Allow", "Principal": { "AWS": "111122223333" },
                "Action": action, "Resource": resource });
        if let Some(sid) = sid {
            statement["Sid"] = json!(sid);
        }
        statement
    }

    fn of(owner: Owner, statement: Value) -> Required {
        Required { statement, owner }
    }

    fn merged<const P: usize, const R: usize>(
        present: [&Value; P],
        required: [Required; R],
    ) -> Option<Vec<Value>> {
        let document = PolicyDocument::of_statements(present.into_iter().cloned().collect());
        let merge = document.merge(&required, "aws")?;
        assert_eq!(merge.document.merge(&required, "aws"), None, "once is enough");
        Some(merge.document.statements())
    }

    #[test]
    fn what_is_missing_comes_last_and_others_stay() {
        let theirs = allow(Some("Theirs"), "s3:GetObject", "*");
        let ours = allow(Some("Ours"), "s3:PutObject", "*");
        let after = merged([&theirs], [of(Owner::Evenkeel, ours.clone())]).unwrap();
        assert_eq!(after, [theirs, ours]);
    }

    #[test]
    fn what_is_there_in_another_spelling_is_not_written_again() {
        let ours = of(
            Owner::Evenkeel,
            json!({ "Sid": "Ours", "Effect": "Deny", "Principal": "*",
            "Action": ["s3:*"], "Resource": "*",
            "Condition": { "Bool": { "aws:SecureTransport": false } } }),
        );
        let theirs = json!({ "Effect": "Deny", "Principal": { "AWS": ["*"] }, "Action": "S3:*",
            "Resource": ["*"], "Condition": { "bool": { "AWS:securetransport": "False" } } });
        assert_eq!(merged([&theirs], [ours]), None);
    }

    #[test]
    fn a_sid_of_evenkeels_own_displaces_nothing_of_others() {
        let theirs = allow(Some("Ours"), "s3:GetObject", "*");
        let ours = allow(Some("Ours"), "s3:PutObject", "*");
        let after = merged([&theirs], [of(Owner::Evenkeel, ours)]).unwrap();
        assert_eq!(after[0], theirs);
        assert!(sid(&after[1]).unwrap().starts_with("Ours"), "{after:?}");
        assert_ne!(sid(&after[1]), Some("Ours"));
    }

    #[test]
    fn a_former_version_of_a_statement_is_replaced() {
        let before = allow(Some("Ours"), "s3:PutObject", "a");
        let now = allow(Some("Ours"), "s3:PutObject", "b");
        let after = merged([&before], [of(Owner::Evenkeel, now.clone())]).unwrap();
        assert_eq!(after, [now]);
    }

    #[test]
    fn a_statement_that_the_baseline_names_is_that_statement() {
        let before = allow(Some("Auditors"), "s3:*", "a");
        let now = allow(Some("Auditors"), "s3:GetObject", "a");
        let after = merged([&before], [of(Owner::Baseline, now.clone())]).unwrap();
        assert_eq!(after, std::slice::from_ref(&now));
        // Of two of one name, neither is meant.
        let after = merged([&before, &before], [of(Owner::Baseline, now)]).unwrap();
        assert_eq!(after[..2], [before.clone(), before]);
        assert_eq!(after.len(), 3);
    }

    #[test]
    fn two_required_statements_of_one_sid_do_not_displace_each_other() {
        let one = of(Owner::Evenkeel, allow(Some("Same"), "s3:GetObject", "a"));
        let other = of(Owner::Baseline, allow(Some("Same"), "s3:PutObject", "a"));
        let after = merged([], [one, other]).unwrap();
        assert_eq!(after.len(), 2);
        assert_ne!(sid(&after[0]), sid(&after[1]));
    }

    #[test]
    fn a_statement_without_a_sid_that_aws_rewrites_is_written_once() {
        let required = [of(Owner::Baseline, allow(None, "s3:GetObject", "a"))];
        let document = PolicyDocument::of_statements(Vec::new());
        let mut statements = document.merge(&required, "aws").unwrap().document.statements();
        // The principal was deleted.
        statements[0]["Principal"] = json!({ "AWS": "AROAEXAMPLEEXAMPLE123" });
        let again = document.having(statements).merge(&required, "aws").unwrap().document;
        assert_eq!(again.statements().len(), 1);
    }

    #[test]
    fn a_former_statement_without_a_sid_is_known_by_what_it_says() {
        let of_role = |role: &str| {
            let mut statement = allow(None, "s3:GetObject", "a");
            statement["Principal"] =
                json!({ "AWS": format!("arn:aws:iam::111122223333:role/{role}") });
            of(Owner::Baseline, statement)
        };
        let theirs = allow(Some("Evenkeel0123456789ab"), "s3:PutObject", "a");
        let document = PolicyDocument::of_statements(vec![theirs.clone()]);
        let first = document.merge(&[of_role("a")], "aws").unwrap().document;
        assert_eq!(first.without_former(&[of_role("a")], "aws"), None);
        // Account ids become ARNs, texts lists.
        let mut kept = first.statements();
        kept[1]["Action"] = json!(["s3:GetObject"]);
        let kept = first.having(kept).without_former(&[of_role("b")], "aws").unwrap();
        assert_eq!(kept.statements(), std::slice::from_ref(&theirs));
        let edited = kept.merge(&[of_role("b")], "aws").unwrap().document.statements();
        assert_eq!(edited.len(), 2);
        assert!(edited[1].to_string().contains("role/b"), "{edited:?}");
        // What somebody changed under that name is not what evenkeel wrote.
        let mut changed = first.statements();
        changed[1]["Action"] = json!("s3:*");
        assert_eq!(first.having(changed).without_former(&[of_role("b")], "aws"), None);
    }

    fn statements() -> impl Strategy<Value = Vec<Value>> {
        let one = (
            proptest::option::of(prop_oneof!["[A-B]", Just("Evenkeel".to_owned())]),
            prop_oneof![Just("s3:GetObject"), Just("s3:PutObject")],
            "[a-b]",
        )
            .prop_map(|(sid, action, resource)| allow(sid.as_deref(), action, &resource));
        proptest::collection::vec(one, 0..5)
    }

    proptest! {
        #[test]
        fn merging_ends_and_keeps_what_is_not_its_own(
            present in statements(), required in statements(), by_name in any::<bool>(),
        ) {
            let owner = if by_name { Owner::Baseline } else { Owner::Evenkeel };
            let required: Vec<_> = required.into_iter().map(|one| of(owner, one)).collect();
            let document = PolicyDocument::of_statements(present.clone());
            let Some(merge) = document.merge(&required, "aws") else { return Ok(()) };
            prop_assert_eq!(merge.document.merge(&required, "aws"), None);
            let after = merge.document.statements();
            let names: Vec<_> = required.iter().filter_map(|one| sid(&one.statement)).collect();
            for one in present.iter().filter(|one| sid(one).is_none_or(|sid| !names.contains(&sid))) {
                prop_assert!(after.contains(one), "{} was lost", one);
            }
        }
    }
}
