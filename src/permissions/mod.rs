//! The least-privilege IAM policy for exactly the items of a baseline.

mod forms;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

pub use forms::{cloudformation, terraform};

use crate::aws::permission::DESCRIBE_REGIONS;
use crate::baseline::Mode;
use crate::kinds::calls::{Condition, NeededWrite};
use crate::kinds::erased::{DynKind, Misfit};
use crate::kinds::{Allowed, Arns, Scope};

/// The most characters that AWS takes in a customer managed policy, white space not counted
/// (IAM quotas).
pub const MANAGED_POLICY_LIMIT: usize = 6144;

/// The condition key for the permissions boundary of the role that a call is about.
const BOUNDARY: &str = "iam:PermissionsBoundary";
/// The writes that could give a role more than before, and that IAM narrows by the role's boundary
/// (Service Authorization Reference, "Actions defined by IAM").
const BOUNDED: [&str; 6] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// The IAM actions for some items: what reading needs, and what writing needs on top.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// For observing.
    pub reads: BTreeSet<String>,
    /// Reads that AWS checks while evenkeel writes.
    pub implied_reads: BTreeSet<String>,
    /// For applying: the actions by what they are allowed on.
    pub writes: BTreeMap<Allowed, BTreeSet<String>>,
    /// Of them, those that evenkeel calls itself.
    pub called: BTreeSet<String>,
    /// The ARN of the role that evenkeel runs as, which it may not change.
    pub own_role: Option<String>,
    /// Whether what was written may be put back as well.
    pub rolls_back: bool,
}

/// The baseline and a wish for permissions boundaries contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{action} would be allowed with the boundary {declared:?}, and not only with {wanted}")]
pub struct OtherBoundary {
    /// The IAM action.
    pub action: String,
    /// The boundaries that the baseline declares; none for a role without one.
    pub declared: Vec<String>,
    /// The boundary that every role must have.
    pub wanted: String,
}

impl Permissions {
    /// Adds what an item needs in a mode.
    ///
    /// # Errors
    /// The spec is not one of the kind's.
    pub fn add(
        &mut self,
        kind: &dyn DynKind,
        spec: &Value,
        mode: Mode,
        arns: &Arns,
    ) -> Result<(), Misfit> {
        if mode == Mode::Off {
            return Ok(());
        }
        let needed = match self.rolls_back {
            true => kind.needed_with_rollback(spec, arns)?,
            false => kind.needed(spec, arns)?,
        };
        self.reads.extend(needed.reads.into_iter().map(Into::into));
        if kind.scope() == Scope::Regional {
            self.reads.insert(DESCRIBE_REGIONS.iam_action().into());
        }
        if mode == Mode::Enforce {
            self.implied_reads.extend(needed.implied_reads.into_iter().map(Into::into));
            for NeededWrite { action, implied, allowed } in needed.writes {
                if !implied {
                    self.called.insert(action.to_string());
                }
                for allowed in allowed {
                    self.writes.entry(allowed).or_default().insert(action.to_string());
                }
            }
        }
        Ok(())
    }

    /// Adds what evenkeel calls beside the items, such as to be heard of.
    pub fn allow(&mut self, action: &str, allowed: Allowed) {
        self.writes.entry(allowed).or_default().insert(action.to_owned());
    }

    /// Lets roles be made, and their rights be changed, only with this permissions boundary.
    ///
    /// # Errors
    /// The baseline declares a role with another boundary, or with none at all.
    pub fn bound(&mut self, boundary: &str) -> Result<(), OtherBoundary> {
        let mut bound = BTreeMap::<Allowed, BTreeSet<String>>::new();
        for (allowed, actions) in std::mem::take(&mut self.writes) {
            let (narrowed, others): (BTreeSet<_>, BTreeSet<_>) =
                actions.into_iter().partition(|action| BOUNDED.contains(&action.as_str()));
            let declared: Vec<String> = allowed
                .conditions
                .iter()
                .filter(|condition| condition.key == BOUNDARY)
                .flat_map(|condition| condition.values.clone())
                .collect();
            // A role that is made without a boundary, or with another one, would be refused.
            let made = narrowed.contains("iam:CreateRole");
            if declared.iter().any(|declared| declared != boundary) || (made && declared.is_empty())
            {
                return Err(OtherBoundary {
                    action: narrowed.into_iter().next().unwrap_or_default(),
                    declared,
                    wanted: boundary.to_owned(),
                });
            }
            if let Some(action) = others.get("iam:DeleteRolePermissionsBoundary") {
                return Err(OtherBoundary {
                    action: action.clone(),
                    declared,
                    wanted: boundary.to_owned(),
                });
            }
            if !narrowed.is_empty() {
                let narrow = match declared.is_empty() {
                    true => allowed.clone().when("ArnLike", BOUNDARY, [boundary.to_owned()]),
                    false => allowed.clone(),
                };
                bound.entry(narrow).or_default().extend(narrowed);
            }
            if !others.is_empty() {
                bound.entry(allowed).or_default().extend(others);
            }
        }
        self.writes = bound;
        Ok(())
    }

    /// The writes that stand on `*`: AWS has no resource for them.
    pub fn everywhere(&self) -> BTreeSet<&str> {
        let is_read = |action: &str| {
            let name = action.split(':').nth(1).unwrap_or(action);
            ["BatchGet", "Describe", "Get", "List"].iter().any(|verb| name.starts_with(verb))
        };
        self.writes
            .iter()
            .filter(|(allowed, _)| allowed.resources.contains("*"))
            .flat_map(|(_, actions)| actions.iter().map(String::as_str))
            .filter(|action| !is_read(action))
            .collect()
    }

    /// Whether it could change whom roles trust, or what they may do.
    pub fn changes_roles(&self) -> bool {
        self.writes.values().flatten().any(|action| {
            action.starts_with("iam:")
                && action.contains("Role")
                && !action.contains("ServiceLinkedRole")
                && action != "iam:PassRole"
        })
    }

    /// Whether it could change anything of IAM.
    pub fn writes_iam(&self) -> bool {
        self.writes.values().flatten().any(|action| action.starts_with("iam:"))
    }

    /// The policy document.
    pub fn document(&self) -> Value {
        let mut statements = Vec::new();
        let reads: BTreeSet<&str> =
            self.reads.union(&self.implied_reads).map(String::as_str).collect();
        if !reads.is_empty() {
            statements.push(json!({
                "Sid": "EvenkeelObserve", "Effect": "Allow", "Action": reads, "Resource": "*",
            }));
        }
        for (number, (allowed, actions)) in self.merged().into_iter().enumerate() {
            let sid = format!("EvenkeelApply{}", number + 1);
            statements.push(statement(&sid, &actions, &allowed));
        }
        if let Some(role) = self.own_role.as_ref().filter(|_| self.writes_iam()) {
            // Whatever is allowed above: only looking, never another right or another trust.
            statements.push(json!({
                "Sid": "EvenkeelNotItself", "Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*"],
                "Resource": role,
            }));
        }
        json!({"Version": "2012-10-17", "Statement": statements})
    }

    /// The writes, with one entry for what has the same actions and conditions.
    fn merged(&self) -> Vec<(Allowed, BTreeSet<String>)> {
        let mut merged = BTreeMap::<(&BTreeSet<Condition>, BTreeSet<&str>), BTreeSet<&str>>::new();
        for (allowed, actions) in &self.writes {
            let actions: BTreeSet<&str> = actions
                .iter()
                .map(String::as_str)
                .filter(|action| !self.reads.contains(*action))
                .collect();
            if actions.is_empty() {
                continue;
            }
            let resources = merged.entry((&allowed.conditions, actions)).or_default();
            resources.extend(allowed.resources.iter().map(String::as_str));
        }
        let mut list: Vec<_> = merged
            .into_iter()
            .map(|((conditions, actions), resources)| {
                let allowed = Allowed {
                    resources: resources.into_iter().map(str::to_owned).collect(),
                    conditions: conditions.clone(),
                };
                (allowed, actions.into_iter().map(str::to_owned).collect::<BTreeSet<_>>())
            })
            .collect();
        list.sort();
        list
    }
}

fn statement(sid: &str, actions: &BTreeSet<String>, allowed: &Allowed) -> Value {
    let mut statement = json!({
        "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": one_or_many(&allowed.resources),
    });
    let mut conditions = Map::new();
    for Condition { operator, key, values } in &allowed.conditions {
        if let Some(map) = conditions.entry(*operator).or_insert_with(|| json!({})).as_object_mut()
        {
            map.insert(key.clone(), one_or_many(values));
        }
    }
    if let (false, Some(map)) = (conditions.is_empty(), statement.as_object_mut()) {
        map.insert("Condition".to_owned(), Value::Object(conditions));
    }
    statement
}

/// One text stands alone: a policy has few characters to spend.
fn one_or_many(texts: &BTreeSet<String>) -> Value {
    match texts.iter().next() {
        Some(only) if texts.len() == 1 => json!(only),
        _ => json!(texts),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::registry;

    fn permissions(kind: &str, spec: Value, mode: Mode) -> Permissions {
        let mut permissions = Permissions::default();
        let arns = Arns::of("aws", "111122223333");
        permissions.add(registry::find(kind).unwrap(), &spec, mode, &arns).unwrap();
        permissions
    }

    #[test]
    fn reporting_needs_no_writes() {
        let spec = json!({"require_symbols": true});
        let report = permissions("iam.password_policy", spec.clone(), Mode::Report);
        assert_eq!(
            report.document()["Statement"],
            json!([{"Sid": "EvenkeelObserve", "Effect": "Allow", "Action": ["iam:GetAccountPasswordPolicy"], "Resource": "*"}])
        );
        let enforce = permissions("iam.password_policy", spec, Mode::Enforce);
        assert_eq!(
            enforce.document()["Statement"][1]["Action"],
            json!(["iam:UpdateAccountPasswordPolicy"])
        );
        assert_eq!(enforce.everywhere(), BTreeSet::from(["iam:UpdateAccountPasswordPolicy"]));
    }

    #[test]
    fn a_role_is_named_and_its_policies_too() {
        let spec = json!({
            "role_name": "aws-support", "trusted_account_ids": ["111122223333"],
            "managed_policy_arns": ["arn:aws:iam::aws:policy/AWSSupportAccess"],
        });
        let mut enforce = permissions("iam.role", spec, Mode::Enforce);
        enforce.own_role = Some("arn:aws:iam::111122223333:role/evenkeel".to_owned());
        assert_eq!(enforce.everywhere(), BTreeSet::new());
        let document = enforce.document();
        let statements = document["Statement"].as_array().unwrap();
        let of = |action: &str| {
            let has = |one: &&Value| {
                one["Action"].as_array().is_some_and(|list| list.contains(&json!(action)))
            };
            statements.iter().find(has).unwrap()
        };
        let role = json!([
            "arn:aws:iam::111122223333:role/*/aws-support",
            "arn:aws:iam::111122223333:role/aws-support",
        ]);
        assert_eq!(of("iam:CreateRole")["Resource"], role);
        assert_eq!(of("iam:AttachRolePolicy")["Resource"], role);
        assert_eq!(
            of("iam:AttachRolePolicy")["Condition"],
            json!({"ArnLike": {"iam:PolicyARN": "arn:aws:iam::aws:policy/AWSSupportAccess"}})
        );
        assert_eq!(
            statements.last().unwrap(),
            &json!({
                "Sid": "EvenkeelNotItself", "Effect": "Deny", "NotAction": ["iam:Get*", "iam:List*"],
                "Resource": "arn:aws:iam::111122223333:role/evenkeel",
            })
        );
    }

    #[test]
    fn a_boundary_on_request_stands_in_every_rise_of_rights_or_is_refused() {
        let boundary = "arn:aws:iam::111122223333:policy/limit";
        let role = |declared: Value| {
            let mut spec = json!({"role_name": "a", "trusted_account_ids": ["111122223333"],
                "managed_policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"], "inline_policies": {}});
            if !declared.is_null() {
                spec["permissions_boundary"] = declared;
            }
            permissions("iam.role", spec, Mode::Enforce)
        };
        let mut bound = role(json!(boundary));
        bound.bound(boundary).unwrap();
        for (allowed, actions) in &bound.writes {
            let has = allowed.conditions.iter().any(|one| one.key == BOUNDARY);
            let rises = actions.iter().any(|action| BOUNDED.contains(&action.as_str()));
            assert_eq!(has, rises, "{allowed:?} {actions:?}");
        }
        for other in [Value::Null, json!(""), json!("arn:aws:iam::111122223333:policy/other")] {
            let error = role(other.clone()).bound(boundary).unwrap_err();
            assert!(error.to_string().contains(boundary), "{other}: {error}");
        }
    }

    #[test]
    fn items_that_need_the_same_share_a_statement() {
        let mut both = Permissions::default();
        let kind = registry::find("s3.bucket").unwrap();
        let arns = Arns::of("aws", "111122223333");
        for bucket in ["a-logs", "b-logs"] {
            both.add(kind, &json!({"bucket": bucket}), Mode::Enforce, &arns).unwrap();
        }
        let document = both.document();
        assert_eq!(
            document["Statement"][1]["Resource"],
            json!(["arn:aws:s3:::a-logs", "arn:aws:s3:::b-logs"]),
            "{document:#}"
        );
    }
}
