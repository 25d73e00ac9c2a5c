//! The policy of a topic: what is declared is merged into what is there.
//!
//! Sources: CloudTrail User Guide, "Amazon SNS topic policy for CloudTrail"; AWS Config Developer Guide,
//! "Permissions for the Amazon SNS Topic"; EventBridge User Guide, "Using resource-based policies" and
//! "Troubleshooting" (a condition in the statement for EventBridge never holds); CloudWatch User Guide,
//! "Notifying users on alarm changes"; AWS Cost Management User Guide, "Creating an Amazon SNS topic for
//! budget notifications".

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Place, SET, Service, Spec, Topic, arn, attributes_of_found, key, requests, set, topic,
};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::kms::let_in::{self, Keyed};
use crate::kinds::kms::reads;
use crate::kinds::merged::{self, Merging};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};
use crate::names::Arn;
use crate::policy_document::{PolicyDocument, PolicyKind, Required};

const DENY_PLAIN: &str = "DenyInsecureTransport";
/// Source: SNS Developer Guide, "API permissions: Actions and resources reference".
const MOST_STATEMENTS: usize = 100;
/// The fields of the spec that the policy answers for.
const FIELDS: [&str; 5] = [
    "services",
    "source_accounts",
    "require_tls",
    "extra_policy_statements",
    "forbid_foreign_access",
];

pub struct Policy;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// As AWS returned it; `None` for that of a new topic.
    pub policy: Option<String>,
    /// The topic's key, with which services may not be able to publish.
    pub key: Option<String>,
    /// The key that the topic is to have, where services are to publish with it.
    pub keyed: Option<Keyed>,
}

impl Part for Policy {
    type Of = Topic;
    type Now = Now;
    type Write = String;

    const NAME: &'static str = "policy";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(reads::DESCRIBE, key::is_of_services),
        Use::read_if(let_in::GET_POLICY, key::is_of_services),
        Use::write_if(SET, has_statements, topic),
    ];

    fn is_declared(spec: &Spec) -> bool {
        has_statements(spec) || spec.forbid_foreign_access.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let attributes = attributes_of_found(cx, &place.name).await?;
        let policy = told("Policy", attributes.get("Policy"))?;
        PolicyDocument::from_text(policy).map_err(|error| ObserveError::Malformed {
            field: "Policy".to_owned(),
            problem: error.to_string(),
        })?;
        let key = attributes.get("KmsMasterKeyId").filter(|name| !name.is_empty());
        let keyed = key::of_services(cx, spec, key.map(String::as_str)).await?;
        Ok(Now { policy: Some(policy.clone()), key: key.cloned(), keyed })
    }

    fn diff(look: &Look<'_, Topic>, now: &Now) -> Vec<Change<String>> {
        merged::mark(&FIELDS);
        let spec = look.spec;
        let before = match now.policy.as_deref() {
            None => of_new(&About::of(look)),
            Some(text) => match PolicyDocument::from_text(text) {
                Ok(before) => before,
                Err(error) => return unreadable(text, &error).into_iter().collect(),
            },
        };
        let merging = merging(look);
        // What stayed until all had moved goes, unless somebody still uses it.
        let partition = &look.facts.partition;
        let base = before.without_staying(partition);
        let (mut after, notes) = merging.merged(&base, spec.extra_policy_statements.is_some());
        after = without_own(&About::of(look), spec, &merging.required, &after);
        let mut changes: Vec<Change<merged::Write>> = Vec::new();
        if after != before {
            let there = (!look.is_new()).then_some(&before);
            let between = before.on_the_way_to(&after, partition);
            let has_room = between.is_none_or(|between| refused(&between).is_none());
            let steps = match has_room {
                true => merging.steps(there, &before, &after, notes),
                false => vec![merging.put(there, &before, &after, notes)],
            };
            changes.extend(steps.into_iter().map(|change| match refused(&after) {
                Some(reason) => change.withhold(reason),
                None => change,
            }));
        } else {
            changes.extend(merging.misread_as_it_is(&before));
        }
        if spec.require_tls == Some(false) && after.denies_some_plain(&look.facts.partition) {
            let mut drift = Drift::new();
            drift.add("require_tls", Some(true), Some(false));
            changes.push(Change::finding(drift).withhold(
                "a statement that evenkeel did not write denies this: take it out of the topic policy, \
                 or declare what it denies",
            ));
        }
        let has_services = spec.services.as_ref().is_some_and(|services| !services.is_empty());
        let field = if has_services { "services" } else { "extra_policy_statements" };
        changes.extend(merging.denied(field, &after));
        changes.extend(locked_out(spec, now));
        changes.extend(key::shut_out(look, now.keyed.as_ref()));
        if spec.forbid_foreign_access == Some(true) {
            changes.extend(merging.foreign_access("forbid_foreign_access", &after));
        }
        // A policy without statements is withheld, so that each write has a text.
        changes.into_iter().map(|change| change.map(Option::unwrap_or_default)).collect()
    }

    fn calls(_: &String) -> Vec<Call> {
        vec![SET]
    }

    async fn write(cx: &WriteCx, place: &Place, policy: &String) -> Result<(), WriteError> {
        if policy.is_empty() {
            return Err(WriteError::Unsendable("a topic has a policy always".to_owned()));
        }
        set(cx, place, "Policy", policy).await
    }

    fn is_same(one: &String, other: &String) -> bool {
        merged::is_same(&Some(one.clone()), &Some(other.clone()))
    }

    fn undo(_: &String, before: &Now) -> Undo<String> {
        match &before.policy {
            Some(policy) => Undo::By(vec![policy.clone()]),
            None => Undo::Impossible("the topic was made with it".to_owned()),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.extra_policy_statements = now.policy.as_deref().and_then(|text| {
            let statements = PolicyDocument::from_text(text).ok()?.statements();
            serde_json::from_value(Value::Array(statements)).ok()
        });
    }
}

/// Whether anything is declared that evenkeel writes.
fn has_statements(spec: &Spec) -> bool {
    spec.services.is_some() || spec.require_tls.is_some() || spec.extra_policy_statements.is_some()
}

/// What SNS takes in the policy of a topic (SNS Developer Guide, "API permissions: Actions and resources
/// reference"), and `sns:Receive`, which policies of older topics have.
const ACTIONS: [&str; 12] = [
    "addpermission",
    "deletetopic",
    "getdataprotectionpolicy",
    "gettopicattributes",
    "listsubscriptionsbytopic",
    "listtagsforresource",
    "publish",
    "putdataprotectionpolicy",
    "receive",
    "removepermission",
    "settopicattributes",
    "subscribe",
];

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if spec.source_accounts.is_some() && spec.services.is_none() {
        let message = "no service is declared that could publish for them";
        problems.push(SpecProblem::new("source_accounts", message, "add services"));
    }
    let services = spec.services.iter().flatten();
    if spec.source_accounts.is_some()
        && spec.services.as_ref().is_some_and(|services| !services.is_empty())
        && services.into_iter().all(|service| *service == Service::Events)
    {
        problems.push(SpecProblem::new(
            "source_accounts",
            "EventBridge publishes for the topic's own account alone, whatever accounts are named",
            "leave it out: rules of other accounts publish with a role, which extra_policy_statements lets in",
        ));
    }
    if spec.extra_policy_statements.is_none() {
        return problems;
    }
    // Of whom and where the statements speak makes no difference here.
    let about = About { arn: String::new(), partition: "aws", account: "000000000000" };
    problems.extend(merged::refused(required(&about, spec), PolicyKind::Topic, "topic"));
    for (statement, number) in spec.extra_policy_statements.iter().flatten().zip(1..) {
        let mut problem = |what: &str, help: &str| {
            let message = format!("statement {number} {what}");
            problems.push(SpecProblem::new("extra_policy_statements", message, help));
        };
        let texts = |key: &str| match statement.get(key) {
            Some(Value::Array(list)) => list.clone(),
            Some(one) => vec![one.clone()],
            None => Vec::new(),
        };
        let is_known = |action: &Value| {
            let name = action.as_str().map(str::to_lowercase);
            let name = name.as_deref().and_then(|name| name.strip_prefix("sns:"));
            name.is_some_and(|name| ACTIONS.contains(&name))
        };
        if !texts("Action").iter().all(is_known) || statement.contains_key("NotAction") {
            problem(
                "has an action that SNS does not take in the policy of a topic, wildcards among them",
                "name the actions, such as sns:Publish and sns:Subscribe",
            );
        }
        let is_topic = |resource: &Value| {
            let arn = resource.as_str().and_then(Arn::parse);
            arn.is_some_and(|arn| arn.service == "sns" && arn.resource == spec.name)
        };
        let resources = texts("Resource");
        if resources.len() > 1 || !resources.iter().all(is_topic) {
            problem(
                "is not about this topic alone, and SNS refuses the whole policy for that",
                "write the topic's ARN as the only Resource",
            );
        }
    }
    problems
}

fn unreadable(text: &str, error: &crate::policy_document::PolicyError) -> Option<Change<String>> {
    let how = "aws sns set-topic-attributes --attribute-name Policy";
    Some(merged::unreadable(text, error, how).map(Option::unwrap_or_default))
}

/// The topic that statements are about.
struct About<'a> {
    arn: String,
    partition: &'a str,
    account: &'a str,
}

impl<'a> About<'a> {
    fn of(look: &Look<'a, Topic>) -> Self {
        let facts = look.facts;
        let (partition, account) = (facts.partition.as_str(), facts.account.as_str());
        Self { arn: arn(facts, &look.spec.name), partition, account }
    }
}

/// The policy that AWS gives a new topic: all of the account may use it.
fn of_new(about: &About<'_>) -> PolicyDocument {
    PolicyDocument::of_statements(vec![json!({
        "Sid": "__default_statement_ID", "Effect": "Allow", "Principal": { "AWS": "*" },
        "Action": [
            "SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:AddPermission",
            "SNS:RemovePermission", "SNS:DeleteTopic", "SNS:Subscribe",
            "SNS:ListSubscriptionsByTopic", "SNS:Publish",
        ],
        "Resource": about.arn,
        "Condition": { "StringEquals": { "AWS:SourceOwner": about.account } },
    })])
}

fn merging<'a>(look: &Look<'a, Topic>) -> Merging<'a> {
    Merging {
        facts: look.facts,
        is_new: look.is_new(),
        required: required(&About::of(look), look.spec),
        kind: PolicyKind::Topic,
        name: "topic policy",
        field: "policy",
    }
}

/// The statements that the spec asks for, in a fixed order.
fn required(about: &About<'_>, spec: &Spec) -> Vec<Required> {
    let services = spec.services.iter().flatten().map(|service| publishes(about, spec, *service));
    let deny = (spec.require_tls == Some(true)).then(|| deny_plain(about));
    let made = deny.into_iter().chain(services).collect();
    merged::required(made, spec.extra_policy_statements.as_ref())
}

fn deny_plain(about: &About<'_>) -> Value {
    json!({
        "Sid": DENY_PLAIN, "Effect": "Deny", "Principal": { "AWS": "*" },
        "Action": "sns:Publish", "Resource": about.arn,
        "Condition": { "Bool": { "aws:SecureTransport": "false" } },
    })
}

/// The statement that lets a service publish.
fn publishes(about: &About<'_>, spec: &Spec, service: Service) -> Value {
    let name = match service {
        Service::Cloudtrail => "CloudTrailPublishes",
        Service::Cloudwatch => "CloudWatchAlarmsPublish",
        Service::Config => "ConfigPublishes",
        Service::Events => "EventBridgePublishes",
        Service::Budgets => "BudgetsPublish",
    };
    let mut statement = json!({
        "Sid": name, "Effect": "Allow", "Principal": { "Service": service.principal() },
        "Action": "sns:Publish", "Resource": about.arn,
    });
    let condition = requests::says(about.partition, about.account, spec, service);
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

/// The policy without those statements of evenkeel's own making that are not asked for any more: against
/// requests without TLS, and for services that are not in the list.
fn without_own(
    about: &About<'_>,
    spec: &Spec,
    required: &[Required],
    document: &PolicyDocument,
) -> PolicyDocument {
    let form = |one: &Value| PolicyDocument::canonical_statement(one, about.partition);
    let mut own = Vec::new();
    if spec.require_tls == Some(false) {
        own.push(deny_plain(about));
    }
    if let Some(declared) = &spec.services {
        let others = Service::ALL.into_iter().filter(|service| !declared.contains(service));
        own.extend(others.map(|service| publishes(about, spec, service)));
    }
    let is_own = |one: &Value| {
        own.iter().any(|own| {
            let name = own["Sid"].as_str().unwrap_or_default();
            one["Sid"].as_str().is_some_and(|sid| sid.starts_with(name)) && form(one) == form(own)
        })
    };
    let is_required =
        |one: &Value| required.iter().any(|required| form(&required.statement) == form(one));
    let mut statements = document.statements();
    let before = statements.len();
    statements.retain(|one| is_required(one) || !is_own(one));
    if statements.len() == before { document.clone() } else { document.having(statements) }
}

/// Why SNS would refuse a policy, besides what all services refuse.
fn refused(after: &PolicyDocument) -> Option<String> {
    match after.statements().len() {
        0 => Some(
            "SNS takes no policy without statements, and this was the last one: declare one in \
             extra_policy_statements, such as the one for the topic's owner"
                .to_owned(),
        ),
        statements if statements > MOST_STATEMENTS => Some(format!(
            "the policy has {statements} statements, and SNS takes {MOST_STATEMENTS}: join some, or \
             take out what is no longer needed"
        )),
        _ => None,
    }
}

/// A key with which a declared service cannot publish, where no key is declared: then `check` and the
/// key's own part say it.
fn locked_out(spec: &Spec, now: &Now) -> Option<Change<merged::Write>> {
    let services = spec.services.as_ref().filter(|services| !services.is_empty())?;
    let name = now.key.as_deref().filter(|_| spec.kms_master_key_id.is_none())?;
    let words = if key::is_own(name) {
        "AWS's own key for topics lets no service in, so that nothing that they publish arrives: \
         declare kms_master_key_id, with a key of your own that lets them in"
    } else if services.contains(&Service::Config) {
        "AWS Config publishes to no topic that is encrypted: declare another topic for it, or \
         kms_master_key_id = \"\""
    } else {
        return None;
    };
    let mut drift = Drift::new();
    drift.add("services", Some(format!("shut out by the key {name}")), Some(services));
    Some(Change::finding(drift).withhold(words))
}
