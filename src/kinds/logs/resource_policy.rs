//! `logs.resource_policy`: which AWS services may write to log groups.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::{Client, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::aws::settle::settle;
use crate::aws::{Call, ErrorClass};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::merged::{self, Merging};
use crate::kinds::spec::found;
use crate::kinds::{
    Change, Controls, Cx, Drift, Facts, Found, Kind, Object, ObserveError, Scope, Undo, Use,
    WriteCx, WriteError, compared, told,
};
use crate::names::Region;
use crate::policy_document::{PolicyDocument, PolicyKind};

const DESCRIBE: Call = Call::new("logs", "DescribeResourcePolicies");
const PUT: Call = Call::new("logs", "PutResourcePolicy");
const DELETE: Call = Call::new("logs", "DeleteResourcePolicy");
/// The policy that AWS writes whenever a service is set up to deliver logs (CloudWatch Logs User Guide,
/// "Enabling logging from AWS services").
const OF_AWS: &str = "AWSLogDeliveryWrite20150319";
/// "Policy only supports logs:PutLogEvents and logs:CreateLogStream actions" (`PutResourcePolicy`).
const ACTIONS: [&str; 2] = ["logs:putlogevents", "logs:createlogstream"];
const FIELD: &str = "policy_document";

/// A resource policy of CloudWatch Logs: which AWS services, such as EventBridge or Route 53, may write
/// to which log groups of a Region.
///
/// A Region has room for ten such policies, and AWS raises that for nobody: one policy for several
/// services saves room. Policies of other names, AWS's own `AWSLogDeliveryWrite20150319` among them,
/// are left alone, and evenkeel deletes none.
///
/// Source: CloudWatch Logs API Reference, `PutResourcePolicy`, `DescribeResourcePolicies`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The policy's name. It cannot be changed.
    #[schemars(length(min = 1))]
    pub policy_name: String,
    /// The whole policy, compared by what it means. It lets services of AWS do `logs:PutLogEvents` and
    /// `logs:CreateLogStream`, on behalf of the accounts or things that a condition names
    /// (`aws:SourceAccount`, `aws:SourceArn`): without one, on behalf of anybody, which is a rise of
    /// privileges. `events.amazonaws.com` needs none: EventBridge sends to log groups of the account for its own
    /// rules alone.
    pub policy_document: PolicyDocument,
}

/// What was observed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// As AWS returned it.
    policy_document: String,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    policy_name: String,
    /// The text of the policy; `None` takes a policy away that was made by mistake.
    policy_document: Option<String>,
    /// Whether there is none of this name. The call would replace one that is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_new: bool,
}

/// The kind.
pub struct ResourcePolicy;

impl Kind for ResourcePolicy {
    const NAME: &'static str = "logs.resource_policy";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "policy_name", prefix: "" };
    const NOT_STATE: &'static [&'static str] = &["policy_name"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP01"], ..Controls::NONE };
    // IAM knows no resource for these policies.
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(DESCRIBE), Use::write(PUT, everywhere), Use::undo(DELETE, everywhere)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[logs.resource_policy.events]
policy_name = "events-to-logs"

[logs.resource_policy.events.policy_document]
Version = "2012-10-17"

[[logs.resource_policy.events.policy_document.Statement]]
Sid       = "EventBridge"
Effect    = "Allow"
Principal = { Service = "events.amazonaws.com" }
Action    = ["logs:CreateLogStream", "logs:PutLogEvents"]
Resource  = "arn:${partition}:logs:${region}:${account.id}:log-group:/aws/events/*:*"
"#,
        r#"
[logs.resource_policy.events]
policy_name = "events-to-logs"

[logs.resource_policy.events.policy_document]
Version = "2012-10-17"

[[logs.resource_policy.events.policy_document.Statement]]
Sid       = "Resolver"
Effect    = "Allow"
Principal = { Service = "route53.amazonaws.com" }
Action    = "logs:PutLogEvents"
Resource  = "arn:${partition}:logs:${region}:${account.id}:log-group:/aws/route53/*:*"
Condition = { StringEquals = { "aws:SourceAccount" = "${account.id}" } }
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        if spec.policy_name == OF_AWS {
            problems.push(SpecProblem::new(
                "policy_name",
                "AWS writes the policy of this name itself, and would put its own in the place of yours",
                "choose another name",
            ));
        }
        let refusals = spec.policy_document.refusals(PolicyKind::Logs).into_iter();
        problems
            .extend(refusals.map(|refusal| SpecProblem::new(FIELD, refusal.message, refusal.help)));
        for (statement, number) in spec.policy_document.statements().iter().zip(1..) {
            let refused = refused(statement).map(|(problem, help)| {
                SpecProblem::new(FIELD, format!("statement {number} {problem}"), help)
            });
            problems.extend(refused);
        }
        problems
    }

    fn calls(action: &Action) -> Vec<Call> {
        match (&action.policy_document, action.is_new) {
            (Some(_), true) => vec![PUT, DESCRIBE],
            (Some(_), false) => vec![PUT],
            (None, _) => vec![DELETE],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let name = spec.policy_name.as_str();
        let all = policies(cx).await?;
        let own = all.iter().find(|policy| is_of(policy, name));
        let Some(own) = own else { return Ok(vec![Object::absent(name)]) };
        let text = told("PolicyDocument", own.policy_document())?;
        PolicyDocument::from_text(text).map_err(|error| ObserveError::Malformed {
            field: "PolicyDocument".to_owned(),
            problem: error.to_string(),
        })?;
        Ok(vec![Object::present(name, State { policy_document: text.to_owned() })])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        compared::mark(FIELD);
        let after = &spec.policy_document;
        let there = object.state().map(|state| PolicyDocument::from_text(&state.policy_document));
        let before = match there {
            None => None,
            Some(Ok(before)) => Some(before),
            Some(Err(error)) => {
                let text = object.state().map_or("", |state| &state.policy_document);
                let how = "aws logs put-resource-policy";
                return vec![merged::unreadable(text, &error, how).map(|text| act(spec, text))];
            }
        };
        let merging = Merging {
            facts,
            is_new: before.is_none(),
            required: Vec::new(),
            kind: PolicyKind::Logs,
            name: "resource policy",
            field: FIELD,
        };
        let nothing = PolicyDocument::of_statements(Vec::new());
        match &before {
            Some(before) if before.same_meaning(after, &facts.partition) => Vec::new(),
            Some(there) => {
                let steps = merging.steps(Some(there), there, after, Vec::new()).into_iter();
                steps.map(|change| change.map(|text| act(spec, text))).collect()
            }
            None => {
                let mut drift = Drift::new();
                drift.add("", None::<&str>, Some(&spec.policy_name));
                let mut change = merging.put(None, &nothing, after, Vec::new());
                drift.0.append(&mut change.drift);
                change.drift = drift.0;
                vec![change.map(|text| Action { is_new: true, ..act(spec, text) })]
            }
        }
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let (client, name) = (cx.client(Client::new), &action.policy_name);
        if action.is_new && policies(&cx.afresh()).await?.iter().any(|one| is_of(one, name)) {
            return Err(WriteError::there_by_now(name));
        }
        let is_settling = |error: &WriteError| matches!(error, WriteError::Aws(error) if error.class == ErrorClass::Settling);
        settle(is_settling, || async {
            match &action.policy_document {
                Some(text) => {
                    let request = client.put_resource_policy().policy_name(name);
                    cx.send(PUT, request.policy_document(text).send()).await
                }
                None => {
                    let request = client.delete_resource_policy().policy_name(name).send();
                    cx.remove(DELETE, request, &["ResourceNotFoundException"]).await
                }
            }
        })
        .await
    }

    // Whether it is there by now, is another question.
    fn is_same_write(planned: &Action, now: &Action) -> bool {
        planned.policy_name == now.policy_name
            && merged::is_same(&planned.policy_document, &now.policy_document)
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let policy_document = before.state().map(|state| state.policy_document.clone());
        let policy_name = action.policy_name.clone();
        Undo::By(vec![Action { policy_name, policy_document, is_new: false }])
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let all = policies(cx).await?;
        let names = all.iter().filter_map(|policy| policy.policy_name());
        let own = names.filter(|name| *name != OF_AWS);
        Ok(own.map(|name| found([("policy_name", name.to_owned())])).collect())
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let policy_document = PolicyDocument::from_text(&object.state()?.policy_document).ok()?;
        Some(Spec { policy_name: object.id.clone(), policy_document })
    }
}

fn act(spec: &Spec, policy_document: Option<String>) -> Action {
    Action { policy_name: spec.policy_name.clone(), policy_document, is_new: false }
}

fn is_of(policy: &types::ResourcePolicy, name: &str) -> bool {
    policy.policy_name() == Some(name)
}

/// All policies of the account in a Region: the operation has pages, and the SDK no way of its own to
/// turn them.
async fn policies(cx: &Cx) -> Result<Arc<Vec<types::ResourcePolicy>>, ObserveError> {
    let client = cx.client(Client::new);
    let all = cx
        .read(DESCRIBE, "", async {
            let (mut all, mut token) = (Vec::new(), None);
            loop {
                let request = client.describe_resource_policies().set_next_token(token);
                let page = request.send().await?;
                let Some(part) = page.resource_policies else { return Ok(None) };
                all.extend(part);
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok(Some(Arc::new(all)));
                }
            }
        })
        .await?;
    told("resourcePolicies", all.as_ref().clone())
}

/// What CloudWatch Logs does not heed in a statement, and what to do.
fn refused(statement: &Value) -> Option<(&'static str, &'static str)> {
    let principal = statement.get("Principal").and_then(Value::as_object);
    let is_of_services =
        principal.is_some_and(|principal| principal.keys().all(|kind| kind == "Service"));
    if !is_of_services {
        return Some((
            "is not about services of AWS alone, and nobody else is let in by such a policy",
            "write Principal = { Service = \"…\" }, and let others in by policies of IAM",
        ));
    }
    let actions = match statement.get("Action") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let is_known = |action: &Value| {
        action.as_str().is_some_and(|action| ACTIONS.contains(&action.to_lowercase().as_str()))
    };
    (actions.is_empty() || !actions.iter().all(is_known)).then_some((
        "asks for more than logs:PutLogEvents and logs:CreateLogStream",
        "leave the other actions out",
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::Risk;

    fn spec(statements: Value) -> Spec {
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        serde_json::from_value(json!({ "policy_name": "p", "policy_document": policy })).unwrap()
    }

    fn allow(service: &str, more: Value) -> Value {
        let mut one = json!({ "Effect": "Allow", "Principal": { "Service": service },
            "Action": ["logs:PutLogEvents"], "Resource": "arn:aws:logs:*:*:log-group:a:*" });
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        one
    }

    fn diff(spec: &Spec, there: Option<&Spec>) -> Vec<Change<Action>> {
        let object = match there {
            Some(there) => {
                let policy_document = there.policy_document.to_compact_string();
                Object::present("p", State { policy_document })
            }
            None => Object::absent("p"),
        };
        ResourcePolicy::diff(&Facts::example(ResourcePolicy::NAME), spec, &object)
    }

    fn of_account() -> Value {
        json!({ "Condition": { "StringEquals": { "aws:SourceAccount": "111122223333" } } })
    }

    #[test]
    fn policies_are_compared_by_meaning_and_put_back() {
        let one = spec(json!([allow("route53.amazonaws.com", of_account())]));
        let same = spec(json!(allow(
            "route53.amazonaws.com",
            json!({ "Sid": "x", "Action": "logs:putlogevents",
                "Condition": { "StringEquals": { "AWS:SourceAccount": ["111122223333"] } } })
        )));
        assert!(diff(&one, Some(&same)).is_empty());
        let other = spec(json!([allow("events.amazonaws.com", json!({}))]));
        let changes = diff(&one, Some(&other));
        // Who is to write is let in first, and who is not is shut out once all have moved.
        assert_eq!((changes.len(), changes[0].risk), (2, Risk::Safe));
        assert_eq!((changes[1].risk, changes[1].comes_last), (Risk::Disruptive, true));
        assert!(changes[1].warnings[0].contains("events.amazonaws.com"), "{changes:?}");
        let action = changes[1].action.as_ref().unwrap();
        let there = Object::present("p", State { policy_document: "{}".to_owned() });
        for (before, text) in [(there, Some("{}")), (Object::absent("p"), None)] {
            let Undo::By(back) = ResourcePolicy::undo(action, &before) else { unreachable!() };
            assert_eq!(back[0].policy_document.as_deref(), text);
        }
    }

    #[test]
    fn a_service_on_behalf_of_anybody_is_a_rise() {
        let rises = |service: &str, more: Value| {
            diff(&spec(json!([allow(service, more)])), None)[0].grants.len()
        };
        assert_eq!(rises("route53.amazonaws.com", json!({})), 1);
        assert_eq!(rises("route53.amazonaws.com", of_account()), 0);
        // It writes for the rules of the own account alone.
        assert_eq!(rises("events.amazonaws.com", json!({})), 0);
    }

    #[test]
    fn what_is_not_heeded_is_said_before() {
        let wrong = |statement: Value| ResourcePolicy::check(&spec(json!([statement]))).len();
        let with = |more: Value| allow("events.amazonaws.com", more);
        assert_eq!(wrong(with(json!({}))), 0);
        assert_eq!(wrong(with(json!({ "Action": "logs:*" }))), 1);
        assert_eq!(wrong(with(json!({ "Action": ["logs:CreateLogGroup"] }))), 1);
        assert_eq!(wrong(with(json!({ "Principal": { "AWS": "111122223333" } }))), 1);
        assert_eq!(wrong(with(json!({ "Principal": "*" }))), 1);
        let mut of_aws = spec(json!([with(json!({}))]));
        of_aws.policy_name = OF_AWS.to_owned();
        assert_eq!(ResourcePolicy::check(&of_aws).len(), 1);
    }
}
