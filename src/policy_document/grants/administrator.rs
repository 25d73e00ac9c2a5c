//! Who can do everything, or make himself somebody who can.

use std::collections::BTreeSet;

use serde_json::Value;

use super::methods::{METHODS, Method, PASS_ROLE};
use super::{Rise, is_any_of, new_allows};
use crate::names::Arn;
use crate::policy_document::PolicyDocument;
use crate::policy_document::patterns::{matches, texts};

/// AWS's managed policies, one a line; `!` marks those with which one is or becomes an administrator,
/// judged by their documents as any other policy is, and `~` those that deny something.
const OF_AWS: &str = include_str!("aws_managed_policies.txt");

/// How many ways in are named one by one.
const NAMED: usize = 3;
/// So many letters or fewer in front of a wildcard name no particular thing.
const FEW_LETTERS: usize = 2;

/// The administrators that AWS Organizations and Control Tower make in accounts. Source: AWS
/// Organizations User Guide, "Accessing member accounts"; AWS Control Tower User Guide, "How AWS
/// Control Tower works with roles".
const ADMINISTRATOR_ROLES: [&str; 2] =
    ["role/OrganizationAccountAccessRole", "role/AWSControlTowerExecution"];

/// What is known of a managed policy by its ARN alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// One of AWS's, with which one is an administrator or can become one.
    Administrator,
    /// One of AWS's, with which one can not.
    Harmless,
    /// One of AWS's that is newer than evenkeel's list of them.
    New,
    /// A customer's own: its document decides, which is not read.
    Customer,
}

/// What is known of a managed policy by its ARN alone.
pub fn managed_policy(arn: &str) -> Known {
    match of_aws(arn).map(listed) {
        None => Known::Customer,
        Some(None) => Known::New,
        Some(Some(marks)) if marks.contains('!') => Known::Administrator,
        Some(Some(_)) => Known::Harmless,
    }
}

/// Whether a managed policy may deny something: one of AWS's that does or that is not on the list,
/// or a customer's own, whose document is not read.
pub fn may_deny(arn: &str) -> bool {
    of_aws(arn).and_then(listed).is_none_or(|marks| marks.contains('~'))
}

/// The name of a policy that is AWS's.
fn of_aws(arn: &str) -> Option<&str> {
    match Arn::parse(arn)? {
        Arn { service: "iam", region: "", account: "aws", resource, .. } => {
            resource.rsplit('/').next()
        }
        _ => None,
    }
}

/// The marks of a policy on the list.
fn listed(name: &str) -> Option<&'static str> {
    OF_AWS.lines().find_map(|line| {
        let marks = line.strip_prefix(name)?;
        marks.chars().all(|mark| "!~".contains(mark)).then_some(marks)
    })
}

/// Whether a managed policy of AWS's makes an administrator, or may: what is not on the list may.
pub fn is_administrator_policy(arn: &str) -> bool {
    matches!(managed_policy(arn), Known::Administrator | Known::New)
}

/// The rises of an identity policy that replaces `before`, none when there was none.
pub fn of_identity_policy(before: Option<&PolicyDocument>, after: &PolicyDocument) -> Vec<Rise> {
    of_identity_policies(before.as_slice(), &[after], after)
}

/// The rises to which one policy, `of`, adds something where policies of one identity are replaced
/// by others: what one of them lacks may be in another.
pub fn of_identity_policies(
    before: &[&PolicyDocument],
    after: &[&PolicyDocument],
    of: &PolicyDocument,
) -> Vec<Rise> {
    let join = |documents: &[&PolicyDocument]| {
        PolicyDocument::of_statements(documents.iter().flat_map(|one| one.statements()).collect())
    };
    let all = join(after);
    let new = new_allows(Some(&join(before)), &all);
    let kept: Vec<Value> =
        all.statements().into_iter().filter(|statement| !new.contains(statement)).collect();
    let of = of.statements();
    let own: Vec<Value> = new.into_iter().filter(|statement| of.contains(statement)).collect();
    let ways: BTreeSet<String> = METHODS
        .iter()
        .filter(|method| method.is_open(&kept).is_none())
        .filter(|method| method.decisive().iter().any(|action| method.by(&own, action).is_some()))
        .filter_map(|method| method.is_open(&all.statements()))
        .collect();
    let mut rises: Vec<Rise> =
        ways.iter().take(NAMED).map(|way| Rise::Administrator(way.clone())).collect();
    if let Some(others) = ways.len().checked_sub(NAMED).filter(|others| *others > 0) {
        rises.push(Rise::Administrator(format!(
            "and {others} more ways to become an administrator"
        )));
    }
    rises
}

impl Method {
    /// The actions that decide: where a role is passed, the passing.
    fn decisive(&self) -> &'static [&'static str] {
        if self.passed_to.is_empty() { self.actions } else { &[PASS_ROLE] }
    }

    /// The way in words, where statements let somebody go it.
    fn is_open(&self, statements: &[Value]) -> Option<String> {
        let mut by: Vec<String> = Vec::new();
        for action in self.decisive() {
            let pattern = self.by(statements, action)?;
            if !by.contains(&pattern) {
                by.push(pattern);
            }
        }
        // A pattern opens many ways, and needs no name for one of them.
        let id = match by.iter().any(|pattern| pattern.contains(['*', '?', ' '])) {
            true => String::new(),
            false => format!(" (way {})", self.id),
        };
        Some(format!("{} on everything{id}", by.join(" and ")))
    }

    /// How the statements allow an action on everything, as they say it.
    fn by(&self, statements: &[Value], action: &str) -> Option<String> {
        statements.iter().filter(|one| one["Effect"] == "Allow").find_map(|statement| {
            (is_everywhere(statement, action) && !self.is_kept_small(statement))
                .then(|| pattern_of(statement, action))
                .flatten()
        })
    }

    /// Whether the conditions keep one from becoming an administrator. An operator with a negation,
    /// `IfExists` or `ForAllValues` lets through who has no such key.
    fn is_kept_small(&self, statement: &Value) -> bool {
        statement
            .get("Condition")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .filter(|(operator, _)| is_any_of(operator) && !operator.ends_with("IfExists"))
            .filter_map(|(_, keys)| keys.as_object())
            .flatten()
            .any(|(key, values)| self.is_small(&key.to_lowercase(), &texts(values)))
    }

    fn is_small(&self, key: &str, values: &[String]) -> bool {
        match key {
            "iam:permissionsboundary" | "iam:policyarn" => {
                values.iter().all(|arn| !may_be_administrator(arn))
            }
            "iam:passedtoservice" => {
                !self.passed_to.is_empty()
                    && values.iter().all(|pattern| {
                        let pattern = pattern.trim_end_matches(".cn").to_lowercase();
                        !self.passed_to.iter().any(|service| matches(&pattern, service))
                    })
            }
            _ => {
                key.split(':').nth(1).is_some_and(|key| key.starts_with("resourcetag/"))
                    && values.iter().all(|value| !value.starts_with(['*', '?']))
            }
        }
    }
}

/// Whether a pattern of policies' ARNs may mean one that makes an administrator.
fn may_be_administrator(arn: &str) -> bool {
    if !arn.contains(['*', '?', '$']) {
        return is_administrator_policy(arn);
    }
    // A policy that may be made under this name may allow everything.
    let name = arn.rsplit('/').next().unwrap_or(arn);
    name.starts_with(['*', '?', '$'])
        || OF_AWS
            .lines()
            .filter_map(|line| line.split_once('!'))
            .any(|(name, _)| matches(arn, &format!("arn:aws:iam::aws:policy/{name}")))
}

/// The pattern of a statement that takes an action in.
fn pattern_of(statement: &Value, action: &str) -> Option<String> {
    let action = action.to_lowercase();
    let takes = |pattern: &&String| matches(&pattern.to_lowercase(), &action);
    if statement.get("NotAction").is_some() {
        let but = texts(&statement["NotAction"]);
        return match but.iter().find(takes) {
            Some(_) => None,
            None => Some(format!("everything but {}", but.join(", "))),
        };
    }
    texts(&statement["Action"]).iter().find(takes).cloned()
}

/// Whether a statement is about all things, or all of the sort that an action is on.
fn is_everywhere(statement: &Value, action: &str) -> bool {
    statement.get("NotResource").is_some()
        || texts(&statement["Resource"]).iter().any(|one| is_everything(one, action))
}

/// Whether a resource names no particular one of those that an action is on: what is not shown to
/// be narrow is everything.
fn is_everything(resource: &str, action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    let services: &[&str] = match service {
        "sts" => &["iam"],
        "ssm" => &["ssm", "ec2"],
        "ec2-instance-connect" => &["ec2"],
        "batch" => &["batch", "ecs"],
        _ => &[service],
    };
    let Some(Arn { service: of, resource: thing, .. }) = Arn::parse(resource) else {
        return resource.contains(['*', '?', '$']);
    };
    if service == "sts" && ADMINISTRATOR_ROLES.iter().any(|role| matches(thing, role)) {
        return true;
    }
    if !services.iter().any(|service| matches(of, service)) {
        return false;
    }
    // `role/path/name`, `function:name`, `stack/name/id`: the sort comes first.
    let name = match thing.split_once(['/', ':']) {
        Some((sort, name)) if !sort.contains(['*', '?', '$']) => name,
        _ => thing,
    };
    let fixed = name.find(['*', '?', '$']);
    // `i-*` is every instance.
    fixed.is_some_and(|letters| letters <= FEW_LETTERS)
}
