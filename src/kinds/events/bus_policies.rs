//! `events.bus_policies`: who from outside may send events over the buses of an account. Reports only.

use std::collections::BTreeSet;

use aws_sdk_eventbridge::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use, told};
use crate::names::AccountId;
use crate::policy_document::PolicyDocument;
use crate::policy_document::grants::{Rise, from_outside};

const LIST: Call = Call::new("events", "ListEventBuses");
/// Buses of partners, which have no policy.
const OF_PARTNERS: &str = "aws.partner/";
/// The bus that AWS's own events come over, and that no other account needs to send to.
const DEFAULT_BUS: &str = "default";
const ORGANIZATION_KEY: &str = "aws:principalorgid";

/// The policies of all event buses of a Region: whoever may send events over a bus can set off its
/// rules, with events that look like anything, and whoever may make rules on it hears what passes.
///
/// evenkeel only reports: who needs to send events, it cannot know.
///
/// Source: EventBridge API Reference, `ListEventBuses`; EventBridge User Guide, "Permissions for event
/// buses in Amazon EventBridge".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether it is a finding when a policy lets everybody in: the principal `*` without a condition
    /// that narrows it, such as `aws:PrincipalOrgID`.
    pub forbid_public_access: Option<bool>,
    /// Whether it is a finding when a policy lets other accounts in, but for `allowed_accounts` and
    /// `organization_id`.
    pub forbid_foreign_access: Option<bool>,
    /// Other accounts that may be let in.
    pub allowed_accounts: Option<BTreeSet<AccountId>>,
    /// The organization, `o-…`, whose accounts may be let in.
    #[schemars(regex(pattern = r"^o-[a-z0-9]{10,32}$"))]
    pub organization_id: Option<String>,
    /// Whether a bus of one's own without a policy is a finding: then nobody has said who may send.
    pub require_policy: Option<bool>,
}

/// What was observed of a bus.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    name: String,
    policy: Option<PolicyDocument>,
}

/// The kind.
pub struct BusPolicies;

impl Audit for BusPolicies {
    const NAME: &'static str = "events.bus_policies";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const CONTROLS: Controls = Controls {
        fsbp: &["EventBridge.3"],
        well_architected: &["SEC03-BP07"],
        by_fields: &[(&["EventBridge.3"], &["require_policy"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[Use::read(LIST)];
    const MORE_EVENTS: &'static [&'static str] = &[
        "events.amazonaws.com:PutPermission",
        "events.amazonaws.com:RemovePermission",
        "events.amazonaws.com:CreateEventBus",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[events.bus_policies]
forbid_public_access  = true
forbid_foreign_access = true
allowed_accounts      = ["444455556666"]
organization_id       = "o-a1b2c3d4e5"
require_policy        = true
"#,
        r#"
[events.bus_policies]
forbid_public_access  = false
forbid_foreign_access = false
require_policy        = false
"#,
    ];

    type Spec = Spec;
    type State = State;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let allows = [
            ("allowed_accounts", spec.allowed_accounts.is_some()),
            ("organization_id", spec.organization_id.is_some()),
        ];
        let judges =
            spec.forbid_foreign_access == Some(true) || spec.forbid_public_access == Some(true);
        let idle = allows.into_iter().filter(|(_, is_there)| *is_there && !judges);
        idle.map(|(field, _)| {
            SpecProblem::new(
                field,
                "nobody is looked at whom it could allow",
                "add forbid_foreign_access = true",
            )
        })
        .collect()
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let buses = cx
            .read(LIST, "", async {
                let (mut buses, mut token) = (Vec::new(), None);
                loop {
                    let page = client.list_event_buses().set_next_token(token).send().await?;
                    let Some(part) = page.event_buses else { return Ok(None) };
                    buses.extend(part);
                    token = page.next_token.filter(|token| !token.is_empty());
                    if token.is_none() {
                        return Ok(Some(buses));
                    }
                }
            })
            .await?;
        let buses = told("EventBuses", buses.as_ref().as_ref())?;
        let mut objects = Vec::new();
        for bus in buses {
            let name = told("Name", bus.name())?;
            // A bus without a policy has no such member.
            let policy =
                bus.policy().filter(|text| !text.is_empty()).map(PolicyDocument::from_text);
            objects.push(match policy.transpose() {
                Ok(policy) => Object::present(name, State { name: name.to_owned(), policy }),
                Err(error) => Object::unknown(
                    name,
                    ObserveError::Malformed {
                        field: "Policy".to_owned(),
                        problem: error.to_string(),
                    },
                ),
            });
        }
        // Every Region has this one.
        if !objects.iter().any(|object| object.id == DEFAULT_BUS) {
            return Err(ObserveError::Untold { field: "the bus \"default\"".to_owned() });
        }
        Ok(objects)
    }

    fn judge(facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let (public, foreign) = outsiders(facts, spec, state);
        let mut findings = Findings::new();
        findings.judge(
            "forbid_public_access",
            asked(spec.forbid_public_access, !public.is_empty()),
            public.join("; "),
            "nobody that the policy does not name",
            "name the accounts that send events, or add the condition aws:PrincipalOrgID, in the policy of the bus (aws events put-permission)",
        );
        findings.judge(
            "forbid_foreign_access",
            asked(spec.forbid_foreign_access, !foreign.is_empty()),
            foreign.join("; "),
            "this account, and those that are allowed",
            "take the statement out of the policy of the bus (aws events remove-permission), or declare the account in allowed_accounts",
        );
        let is_own = state.name != DEFAULT_BUS && !state.name.starts_with(OF_PARTNERS);
        findings.judge(
            "require_policy",
            asked(spec.require_policy, is_own && state.policy.is_none()),
            "no policy",
            "a policy",
            "put a policy on the bus that says who may send events over it (aws events put-permission)",
        );
        // What is allowed has been heeded.
        for field in ["allowed_accounts", "organization_id"] {
            findings.judge(field, Some(false), "", "", "");
        }
        findings
    }

    fn export(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let (public, foreign) = outsiders(facts, &Spec::default(), state);
        Some(Spec {
            forbid_public_access: Some(public.is_empty()),
            forbid_foreign_access: Some(foreign.is_empty()),
            require_policy: Some(state.policy.is_some()),
            ..Spec::default()
        })
    }
}

/// Whether a field that asks for something finds it wrong.
fn asked(field: Option<bool>, is_weak: bool) -> Option<bool> {
    field.map(|asks| asks && is_weak)
}

/// Whom a policy lets in without a name, and whom from other accounts, in words.
fn outsiders(facts: &Facts, spec: &Spec, state: &State) -> (Vec<String>, Vec<String>) {
    let statements = state.policy.as_ref().map(PolicyDocument::statements).unwrap_or_default();
    let (mut public, mut foreign) = (Vec::new(), Vec::new());
    for statement in &statements {
        for rise in from_outside(statement, facts.account.as_str()) {
            match rise {
                Rise::Public(what) | Rise::Administrator(what) => public.push(what),
                Rise::Foreign { what, accounts } => {
                    let is_allowed = accounts.as_ref().is_some_and(|accounts| {
                        let allowed = spec.allowed_accounts.as_ref();
                        !accounts.is_empty()
                            && allowed.is_some_and(|allowed| accounts.is_subset(allowed))
                    });
                    if !is_allowed && !is_of_organization(spec, statement) {
                        foreign.push(what);
                    }
                }
            }
        }
    }
    (public, foreign)
}

/// Whether a statement lets in accounts of the declared organization alone.
fn is_of_organization(spec: &Spec, statement: &Value) -> bool {
    let Some(organization) = &spec.organization_id else { return false };
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    let mut keys = conditions
        .filter(|(operator, _)| operator.eq_ignore_ascii_case("StringEquals"))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten();
    keys.any(|(key, value)| {
        let values = match value {
            Value::Array(list) => list.as_slice(),
            one => std::slice::from_ref(one),
        };
        key.eq_ignore_ascii_case(ORGANIZATION_KEY)
            && !values.is_empty()
            && values.iter().all(|value| value.as_str() == Some(organization))
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::shapes::Inspect;
    use crate::kinds::{Kind, compared};

    fn found(spec: Value, name: &str, policy: Value) -> Vec<String> {
        let spec: Spec = serde_json::from_value(spec).unwrap();
        let policy = (!policy.is_null()).then(|| serde_json::from_value(policy).unwrap());
        let object = Object::present(name, State { name: name.to_owned(), policy });
        let facts = Facts::example(BusPolicies::NAME);
        let (changes, fields) =
            compared::during(|| Inspect::<BusPolicies>::diff(&facts, &spec, &object));
        assert!(fields.contains("allowed_accounts"));
        changes.iter().map(|change| change.drift[0].field.clone()).collect()
    }

    fn policy(principal: Value, condition: Value) -> Value {
        let mut one = json!({ "Effect": "Allow", "Principal": principal, "Action": "events:PutEvents",
            "Resource": "arn:aws:events:eu-west-1:111122223333:event-bus/default" });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        json!({ "Version": "2012-10-17", "Statement": [one] })
    }

    #[test]
    fn who_comes_from_outside_is_told_by_what_the_policy_says() {
        let all = json!({ "forbid_public_access": true, "forbid_foreign_access": true });
        let org = |id: &str| json!({ "StringEquals": { "aws:PrincipalOrgID": id } });
        let with = |more: Value| {
            let mut spec = all.clone();
            spec.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            spec
        };
        let theirs = json!({ "AWS": "arn:aws:iam::444455556666:root" });
        let own = json!({ "AWS": "arn:aws:iam::111122223333:root" });
        let ours = "o-a1b2c3d4e5";
        for (spec, principal, condition, expected) in [
            (all.clone(), json!("*"), Value::Null, &["forbid_public_access"][..]),
            (all.clone(), json!({ "AWS": "*" }), org(ours), &["forbid_foreign_access"]),
            (with(json!({ "organization_id": ours })), json!("*"), org(ours), &[]),
            (
                with(json!({ "organization_id": ours })),
                json!("*"),
                org("o-somebodyelse"),
                &["forbid_foreign_access"],
            ),
            (all.clone(), own, Value::Null, &[]),
            (all.clone(), theirs.clone(), Value::Null, &["forbid_foreign_access"]),
            (
                with(json!({ "allowed_accounts": ["444455556666"] })),
                theirs.clone(),
                Value::Null,
                &[],
            ),
            (
                with(json!({ "allowed_accounts": ["777788889999"] })),
                theirs.clone(),
                Value::Null,
                &["forbid_foreign_access"],
            ),
            (
                json!({ "forbid_public_access": true, "forbid_foreign_access": false }),
                theirs,
                Value::Null,
                &[],
            ),
        ] {
            let found =
                found(spec.clone(), "default", policy(principal.clone(), condition.clone()));
            assert_eq!(found, expected, "{spec} {principal} {condition}");
        }
    }

    #[test]
    fn a_bus_of_ones_own_needs_a_policy_and_those_of_aws_need_none() {
        let spec = || json!({ "require_policy": true });
        assert_eq!(found(spec(), "orders", Value::Null), ["require_policy"]);
        assert!(found(spec(), "default", Value::Null).is_empty());
        assert!(found(spec(), "aws.partner/example.com/x", Value::Null).is_empty());
        let some = policy(json!({ "AWS": "111122223333" }), Value::Null);
        assert!(found(spec(), "orders", some).is_empty());
    }
}
