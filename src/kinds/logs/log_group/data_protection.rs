//! What is found and masked in events.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::types::DataProtectionStatus;
use serde_json::{Map, Value};

use super::{LogGroup, Place, Spec, described, group, protection_document};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

const GET: Call = Call::new("logs", "GetDataProtectionPolicy");
const PUT: Call = Call::new("logs", "PutDataProtectionPolicy");
const DELETE: Call = Call::new("logs", "DeleteDataProtectionPolicy");

pub struct DataProtection;

type Policy = Map<String, Value>;

fn declared(spec: &Spec) -> Option<&Policy> {
    spec.data_protection_policy.as_ref().filter(|policy| !policy.is_empty())
}

impl Part for DataProtection {
    type Of = LogGroup;
    type Now = Option<Policy>;
    type Write = Option<Policy>;

    const NAME: &'static str = "data_protection_policy";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, |spec| spec.data_protection_policy.is_some()),
        Use::write_if(PUT, |spec| declared(spec).is_some(), group),
        Use::write_if(
            DELETE,
            |spec| spec.data_protection_policy.is_some() && declared(spec).is_none(),
            group,
        ),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.data_protection_policy.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Option<Policy>, ObserveError> {
        let name = &place.log_group_name;
        let request =
            cx.client(Client::new).get_data_protection_policy().log_group_identifier(name);
        let answer =
            cx.read(GET, name, request.send()).await.absent_if(&["ResourceNotFoundException"])?;
        let text = answer.as_ref().and_then(|answer| answer.policy_document());
        let group = described(cx, name).await?;
        let status = group.as_ref().and_then(|group| group.data_protection_status());
        if status == Some(&DataProtectionStatus::Activated) {
            told("PolicyDocument", text)?;
        }
        text.map(|text| {
            serde_json::from_str(text).map_err(|error| ObserveError::Malformed {
                field: "PolicyDocument".to_owned(),
                problem: error.to_string(),
            })
        })
        .transpose()
    }

    fn diff(look: &Look<'_, LogGroup>, now: &Option<Policy>) -> Vec<Change<Option<Policy>>> {
        compared::mark(Self::NAME);
        let wanted = declared(look.spec);
        if now.as_ref().map(unordered) == wanted.map(unordered) {
            return Vec::new();
        }
        let mut drift = Drift::new();
        drift.add(Self::NAME, now.as_ref(), wanted);
        let mut change = Change::new(wanted.cloned(), drift);
        let strange = wanted.map(protection_document::not_known).unwrap_or_default();
        if !strange.is_empty() {
            let names = strange.into_iter().collect::<Vec<_>>().join(", ");
            change = change.warn(format!(
                "this version knows no data identifier {names} of AWS: it is refused if AWS has none of that name"
            ));
        }
        if look.is_new() {
            return vec![change];
        }
        let [before, after] = [now.as_ref(), wanted].map(|policy| policy.map(Effects::of));
        let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
        let new = after.masked.difference(&before.masked).cloned().collect::<Vec<_>>();
        if !new.is_empty() {
            let words = format!("who reads new events no longer sees {}", new.join(", "));
            change = look.disruptive(change, &words);
        }
        for (lost, what) in [
            (before.masked.difference(&after.masked), "seen by whoever reads new events"),
            (before.reported.difference(&after.reported), "no longer reported when it is logged"),
        ] {
            let lost: Vec<String> = lost.cloned().collect();
            if !lost.is_empty() {
                change = change.warn(format!("weaker than before: {} is {what}", lost.join(", ")));
            }
        }
        if before.custom != after.custom && !before.custom.is_empty() {
            change = change.warn("custom identifiers find other data than today");
        }
        vec![change]
    }

    fn calls(policy: &Option<Policy>) -> Vec<Call> {
        vec![if policy.is_some() { PUT } else { DELETE }]
    }

    async fn write(cx: &WriteCx, place: &Place, policy: &Option<Policy>) -> Result<(), WriteError> {
        let (client, name) = (cx.client(Client::new), &place.log_group_name);
        match policy {
            Some(policy) => {
                let text = Value::Object(policy.clone()).to_string();
                let request = client.put_data_protection_policy().log_group_identifier(name);
                cx.send(PUT, request.policy_document(text).send()).await
            }
            None => {
                let request = client.delete_data_protection_policy().log_group_identifier(name);
                cx.send(DELETE, request.send()).await
            }
        }
    }

    fn undo(_: &Option<Policy>, before: &Option<Policy>) -> Undo<Option<Policy>> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Option<Policy>, spec: &mut Spec) {
        spec.data_protection_policy = Some(now.clone().unwrap_or_default());
    }
}

/// What a policy does. Source: CloudWatch Logs User Guide, "Understanding data protection policies".
#[derive(Default)]
struct Effects {
    /// The data that is masked.
    masked: BTreeSet<String>,
    /// The data that is reported as found.
    reported: BTreeSet<String>,
    /// The account's own identifiers.
    custom: String,
}

impl Effects {
    fn of(policy: &Policy) -> Self {
        let mut effects = Self::default();
        for statement in policy.get("Statement").and_then(Value::as_array).into_iter().flatten() {
            let identifiers = statement["DataIdentifier"].as_array().into_iter().flatten();
            let names = identifiers
                .filter_map(Value::as_str)
                .map(|arn| arn.rsplit('/').next().unwrap_or(arn).to_owned());
            let does = |operation: &str| statement["Operation"].get(operation).is_some();
            match () {
                () if does("Deidentify") => effects.masked.extend(names),
                () if does("Audit") => effects.reported.extend(names),
                () => {}
            }
        }
        effects.custom = policy.get("Configuration").map(ToString::to_string).unwrap_or_default();
        effects
    }
}

/// A policy without the order of its lists, all of which are sets, and of its members.
fn unordered(policy: &Policy) -> Value {
    fn sort(value: &Value) -> Value {
        match value {
            Value::Array(list) => {
                let mut list: Vec<Value> = list.iter().map(sort).collect();
                list.sort_by_key(Value::to_string);
                Value::Array(list)
            }
            Value::Object(map) => {
                let mut members: Vec<_> =
                    map.iter().map(|(key, value)| (key.clone(), sort(value))).collect();
                members.sort_by(|one, other| one.0.cmp(&other.0));
                Value::Object(members.into_iter().collect())
            }
            other => other.clone(),
        }
    }
    sort(&Value::Object(policy.clone()))
}

pub fn check(spec: &Spec) -> Option<SpecProblem> {
    let (message, help) = protection_document::wrong(declared(spec)?)?;
    Some(SpecProblem::new(DataProtection::NAME, message, help))
}
