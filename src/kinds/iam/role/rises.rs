//! What a role could do by a change of its policies or limits, where that is a rise of privileges.

use std::collections::BTreeMap;

use super::spec::{Spec, State};
use crate::kinds::Facts;
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{self, Known, Rise, is_administrator_policy};

/// The policies of a role as they are and as they are declared: what one of them lacks may be in
/// another.
pub struct Beside<'a> {
    former: BTreeMap<&'a str, PolicyDocument>,
    declared: Option<&'a BTreeMap<String, PolicyDocument>>,
    /// Those that are there and cannot be understood: they may allow anything.
    not_understood: Vec<&'a str>,
    itself: Vec<String>,
}

impl<'a> Beside<'a> {
    /// Those of a role; `None` for one that is not there.
    pub fn of(facts: &Facts, spec: &'a Spec, state: Option<&'a State>) -> Self {
        let (former, not_understood) = understood(state);
        let arn = state.map_or_else(|| arn(facts, spec), |state| state.arn.clone());
        let attached = state.into_iter().flat_map(|state| &state.managed_policy_arns);
        let attached = attached.chain(&spec.managed_policy_arns).flatten();
        let itself = itself(arn, attached);
        Self { former, declared: spec.inline_policies.as_ref(), not_understood, itself }
    }

    /// The rises that one of the declared policies makes.
    pub fn rises(
        &self,
        name: &str,
        former: Option<&PolicyDocument>,
        desired: &PolicyDocument,
    ) -> Vec<Rise> {
        let before: Vec<&PolicyDocument> = self.former.values().collect();
        let mut after: BTreeMap<&str, &PolicyDocument> =
            self.former.iter().map(|(name, policy)| (*name, policy)).collect();
        let declared = self.declared.into_iter().flatten();
        after.extend(declared.map(|(name, policy)| (name.as_str(), policy)));
        let after: Vec<&PolicyDocument> = after.into_values().collect();
        let mut rises = grants::of_identity_policies(&before, &after, desired, &self.itself);
        if let Some(other) = self.not_understood.first()
            && grants::allows_more(former, desired)
        {
            rises.push(Rise::Administrator(format!(
                "what its policy {name} allows together with its policy {other}, which cannot be understood"
            )));
        }
        rises
    }
}

/// The role's own policies, and the names of those that cannot be understood.
fn understood(state: Option<&State>) -> (BTreeMap<&str, PolicyDocument>, Vec<&str>) {
    let mut policies = BTreeMap::new();
    let mut others = Vec::new();
    let all = state.into_iter().flat_map(|state| &state.inline_policies).flatten();
    for (name, text) in all {
        match PolicyDocument::from_text(text) {
            Ok(policy) => {
                policies.insert(name.as_str(), policy);
            }
            Err(_) => others.push(name.as_str()),
        }
    }
    (policies, others)
}

/// The ARN that a role will have.
fn arn(facts: &Facts, spec: &Spec) -> String {
    let path = spec.path.as_deref().unwrap_or("/");
    format!("arn:{}:iam::{}:role{path}{}", facts.partition, facts.account, spec.role_name)
}

/// The ARNs of a role and of those of its policies that can be changed in its account.
fn itself<'a>(arn: String, attached: impl IntoIterator<Item = &'a String>) -> Vec<String> {
    let own = attached.into_iter().filter(|arn| grants::managed_policy(arn) == Known::Customer);
    [arn].into_iter().chain(own.cloned()).collect()
}

/// What the role can do once a policy that may deny has gone. A customer's own policy mostly allows:
/// there, what was not looked at is no reason to leave it attached.
pub fn freed_of(state: &State, arn: &str) -> Option<Rise> {
    let mut without = state.clone();
    without.managed_policy_arns.iter_mut().for_each(|all| {
        all.remove(arn);
    });
    if grants::managed_policy(arn) == Known::Customer {
        without.inline_policies.get_or_insert_default();
    }
    unbound(&without)
}

/// What the role can do once nothing but its own policies limits it, where that is everything, or
/// was not looked at or understood.
pub fn unbound(state: &State) -> Option<Rise> {
    let (Some(attached), Some(_)) = (&state.managed_policy_arns, &state.inline_policies) else {
        return Some(Rise::Administrator(
            "all that its policies allow, which are not declared and were not looked at".to_owned(),
        ));
    };
    if let Some(arn) = attached.iter().find(|arn| is_administrator_policy(arn)) {
        return Some(Rise::Administrator(format!("all that {arn} allows")));
    }
    let (inline, not_understood) = understood(Some(state));
    if let Some(name) = not_understood.first() {
        return Some(Rise::Administrator(format!(
            "all that its policy {name} allows, which cannot be understood"
        )));
    }
    let itself = itself(state.arn.clone(), attached);
    let all: Vec<&PolicyDocument> = inline.values().collect();
    inline.iter().find_map(|(name, policy)| {
        (!grants::of_identity_policies(&[], &all, policy, &itself).is_empty())
            .then(|| Rise::Administrator(format!("all that its policy {name} allows")))
    })
}

/// Whether a policy takes something away, or may: one that cannot be understood.
pub fn denies(text: &str) -> bool {
    PolicyDocument::from_text(text).map_or(true, |policy| {
        policy.statements().iter().any(|statement| statement["Effect"] == "Deny")
    })
}
