//! Who can do everything, or make himself somebody who can.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::methods::{METHODS, Method, PASS_ROLE};
use super::{Rise, new_allows, sound_conditions};
use crate::names::Arn;
use crate::policy_document::PolicyDocument;
use crate::policy_document::patterns::{matches, overlap, texts, without_variables};

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
    of_identity_policies(before.as_slice(), &[after], after, &[])
}

/// The rises to which one policy, `of`, adds something where policies of one identity are replaced
/// by others: what one of them lacks may be in another. `itself` are the ARNs of the identity and of
/// the policies that it has: who can change these needs nobody else.
pub fn of_identity_policies(
    before: &[&PolicyDocument],
    after: &[&PolicyDocument],
    of: &PolicyDocument,
    itself: &[String],
) -> Vec<Rise> {
    let join = |documents: &[&PolicyDocument]| {
        PolicyDocument::of_statements(documents.iter().flat_map(|one| one.statements()).collect())
    };
    let all = join(after);
    let new = new_allows(Some(&join(before)), &all);
    let all = all.statements();
    let kept: Vec<Value> =
        all.iter().filter(|statement| !new.contains(statement)).cloned().collect();
    let of = of.statements();
    let own: Vec<Value> = new.into_iter().filter(|statement| of.contains(statement)).collect();
    let [kept, own, all] = [&kept, &own, &all].map(|statements| Said { statements, itself });
    let mut ways = BTreeSet::new();
    let mut passed: BTreeMap<String, Passed> = BTreeMap::new();
    for method in METHODS.iter().filter(|method| method.is_begun(&own)) {
        match method.passed_to {
            [] if method.words(&kept).is_none() => ways.extend(method.words(&all)),
            [] => {}
            services if method.passes(&kept).is_none() => {
                let Some(by) = method.passes(&all) else { continue };
                let passed = passed.entry(by.to_string()).or_default();
                passed.services.extend(services);
                let starts = method.starts();
                passed.starts.extend(starts.first().filter(|_| all.allows_all(starts)));
            }
            _ => {}
        }
    }
    for (by, passed) in &passed {
        // Who may do everything there passes roles, too: that is said.
        if !ways.contains(by) {
            ways.insert(format!("{by} {passed}"));
        }
    }
    let mut rises: Vec<Rise> =
        ways.iter().take(NAMED).map(|way| Rise::Administrator(way.clone())).collect();
    if let Some(others) = ways.len().checked_sub(NAMED).filter(|others| *others > 0) {
        let ways = if others == 1 { "way" } else { "ways" };
        rises.push(Rise::Administrator(format!(
            "and {others} more {ways} to become an administrator"
        )));
    }
    rises
}

/// Whether a policy allows something that the one which it replaces did not.
pub fn allows_more(before: Option<&PolicyDocument>, after: &PolicyDocument) -> bool {
    !new_allows(before, after).is_empty()
}

/// To whom roles may be passed, and what may be started with them.
#[derive(Default)]
struct Passed {
    services: BTreeSet<&'static str>,
    starts: BTreeSet<&'static str>,
}

impl fmt::Display for Passed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, list, then) = match self.starts.is_empty() {
            true => ("to", &self.services, "what is started there"),
            false => ("with", &self.starts, "what is started so"),
        };
        let names: Vec<&str> = list.iter().take(NAMED).copied().collect();
        write!(out, "{word} {}", names.join(", "))?;
        if list.len() > NAMED {
            write!(out, " and {} more", list.len() - NAMED)?;
        }
        write!(out, ": {then} has the rights of the role")
    }
}

/// What a statement allows, as it says it.
#[derive(PartialEq, Eq)]
struct By {
    pattern: String,
    on: String,
}

impl fmt::Display for By {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} on {}", self.pattern, self.on)
    }
}

/// Statements of an identity, and the ARNs of what it is and has.
struct Said<'a> {
    statements: &'a [Value],
    itself: &'a [String],
}

impl Said<'_> {
    fn allowing(&self) -> impl Iterator<Item = &Value> {
        self.statements.iter().filter(|one| one["Effect"] == "Allow")
    }

    /// Whether all of some actions are allowed, on whatever.
    fn allows_all(&self, actions: &[&str]) -> bool {
        actions.iter().all(|action| self.allowing().any(|one| pattern_of(one, action).is_some()))
    }
}

impl Method {
    /// Where a role is passed, the actions that start something with it.
    fn starts(&self) -> &'static [&'static str] {
        match self.actions {
            [first, starts @ ..] if *first == PASS_ROLE => starts,
            _ => &[],
        }
    }

    /// Whether statements are a part of the way.
    fn is_begun(&self, said: &Said<'_>) -> bool {
        if self.passed_to.is_empty() {
            return self
                .actions
                .iter()
                .any(|action| self.by(said, action, is_everywhere).is_some());
        }
        let starts = self.starts().iter().any(|start| said.allows_all(&[start]));
        starts || self.by(said, PASS_ROLE, is_of_roles).is_some()
    }

    /// The way in words, where statements let somebody go it who passes no role.
    fn words(&self, said: &Said<'_>) -> Option<String> {
        let mut all: Vec<By> = Vec::new();
        for action in self.actions {
            let by = self.by(said, action, is_everywhere)?;
            if !all.contains(&by) {
                all.push(by);
            }
        }
        let words: Vec<String> = match all.split_last() {
            Some((last, others)) if others.iter().all(|one| one.on == last.on) => {
                let patterns = others.iter().map(|one| one.pattern.clone());
                patterns.chain([last.to_string()]).collect()
            }
            _ => all.iter().map(By::to_string).collect(),
        };
        Some(words.join(" and "))
    }

    /// How statements let somebody pass roles to one of the services. A role of many is enough where
    /// something may be started with it, too; every role is enough alone, because what starts something
    /// is often allowed by another policy.
    fn passes(&self, said: &Said<'_>) -> Option<By> {
        self.by(said, PASS_ROLE, is_everywhere).or_else(|| {
            let starts = said.allows_all(self.starts());
            starts.then(|| self.by(said, PASS_ROLE, is_of_roles)).flatten()
        })
    }

    /// How the statements allow an action on resources that are wide enough.
    fn by(&self, said: &Said<'_>, action: &str, is_wide: Wide) -> Option<By> {
        said.allowing().filter(|statement| !self.is_kept_small(statement)).find_map(|statement| {
            let pattern = pattern_of(statement, action)?;
            Some(By { pattern, on: wide(statement, action, said.itself, is_wide)? })
        })
    }

    /// Whether the conditions keep one from becoming an administrator.
    fn is_kept_small(&self, statement: &Value) -> bool {
        sound_conditions(statement).iter().any(|(key, values)| {
            // A variable stands for whatever the request says.
            let values: Vec<String> = values.iter().map(|one| without_variables(one)).collect();
            !values.is_empty() && self.is_small(key, &values)
        })
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

/// Whether a resource is wide enough for an action.
type Wide = fn(&str, &str) -> bool;

/// The resources of a statement that are wide enough for an action, or the identity itself, in words.
fn wide(statement: &Value, action: &str, itself: &[String], is_wide: Wide) -> Option<String> {
    if statement.get("NotResource").is_some() {
        let but = texts(&statement["NotResource"]);
        return Some(format!("everything but {}", but.join(", ")));
    }
    // What a role passes on to itself it has.
    let changes_itself = action.starts_with("iam:") && action != PASS_ROLE;
    texts(&statement["Resource"]).into_iter().find_map(|one| match one.as_str() {
        "*" => Some("everything".to_owned()),
        one if is_wide(one, action) => Some(one.to_owned()),
        one if changes_itself && itself.iter().any(|arn| matches(one, arn)) => {
            Some("itself".to_owned())
        }
        _ => None,
    })
}

/// Whether a resource names no particular one.
fn is_pattern(resource: &str) -> bool {
    resource.contains(['*', '?', '$'])
}

/// Whether a resource may mean many roles.
fn is_of_roles(resource: &str, _action: &str) -> bool {
    let may_be_role = Arn::parse(resource)
        .is_none_or(|arn| matches(arn.service, "iam") && overlap(arn.resource, "role/*"));
    may_be_role && is_pattern(resource)
}

/// Whether a resource names no particular one of those that an action is on: what is not shown to
/// be narrow is everything.
fn is_everywhere(resource: &str, action: &str) -> bool {
    let service = action.split(':').next().unwrap_or_default();
    let services: &[&str] = match service {
        "sts" => &["iam"],
        "ssm" => &["ssm", "ec2"],
        "ec2-instance-connect" => &["ec2"],
        "batch" => &["batch", "ecs"],
        _ => &[service],
    };
    let Some(Arn { service: of, account, resource: thing, .. }) = Arn::parse(resource) else {
        return is_pattern(resource);
    };
    // A name in whatever account is as wide as the accounts are many.
    let is_far = is_pattern(account) && is_pattern(thing);
    if service == "sts" && (is_far || ADMINISTRATOR_ROLES.iter().any(|role| matches(thing, role))) {
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
