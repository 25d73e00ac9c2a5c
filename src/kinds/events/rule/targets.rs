//! To whom a rule sends. AWS adds and replaces targets by their ids, and keeps those that are not named.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::error::BuildError;
use aws_sdk_eventbridge::types;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Place, Rule, Spec, rule};
use crate::aws::error::Detail;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, count,
    sendable, told,
};

pub const LIST: Call = Call::new("events", "ListTargetsByRule");
const PUT: Call = Call::new("events", "PutTargets");
const REMOVE: Call = Call::new("events", "RemoveTargets");
/// "Each rule can have up to five (5) targets" (`PutTargets`).
pub const MOST: usize = 5;

/// A target of a rule. Without `input`, `input_path` and `input_transformer`, it gets the whole event.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in the rule, up to 64 letters, digits, `.`, `-` and `_`.
    #[schemars(length(min = 1, max = 64), regex(pattern = r"^[.\-_A-Za-z0-9]+$"))]
    pub id: String,
    /// The ARN of the topic, queue, function, log group, bus …
    #[schemars(length(min = 1, max = 1600))]
    pub arn: String,
    /// The role with which the rule sends to it, by ARN. Topics, queues, functions and log groups of the
    /// own account take none: their policies let EventBridge in.
    #[serde(default)]
    pub role_arn: Option<String>,
    /// What it gets in the place of the event: a JSON text.
    #[serde(default)]
    #[schemars(length(min = 1, max = 8192))]
    pub input: Option<String>,
    /// Which part of the event it gets: `$.detail`.
    #[serde(default)]
    #[schemars(length(min = 1, max = 256))]
    pub input_path: Option<String>,
    /// What it gets, made of parts of the event.
    #[serde(default)]
    pub input_transformer: Option<InputTransformer>,
    /// Where events go that could not be delivered.
    #[serde(default)]
    pub dead_letter_config: Option<DeadLetterConfig>,
    /// How often and for how long a delivery is tried. AWS's default is 185 times and a day.
    #[serde(default)]
    pub retry_policy: Option<RetryPolicy>,
    /// For a fair or FIFO queue.
    #[serde(default)]
    pub sqs_parameters: Option<SqsParameters>,
}

/// A text that is filled in with parts of an event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InputTransformer {
    /// The parts by their names in the template: `{ who = "$.detail.userIdentity.arn" }`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub input_paths_map: BTreeMap<String, String>,
    /// The template, in which `<who>` stands for a part.
    #[schemars(length(min = 1, max = 8192))]
    pub input_template: String,
}

/// A queue for what could not be delivered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadLetterConfig {
    /// Its ARN. Its policy must let `events.amazonaws.com` in.
    pub arn: String,
}

/// How a delivery is tried again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryPolicy {
    /// How often, 0 to 185.
    #[schemars(range(min = 0, max = 185))]
    pub maximum_retry_attempts: u32,
    /// For how many seconds, 60 to 86400.
    #[schemars(range(min = 60, max = 86400))]
    pub maximum_event_age_in_seconds: u32,
}

/// "The default is 24 hours and up to 185 times" (EventBridge User Guide, "How EventBridge retries
/// delivering events").
const DEFAULT_RETRIES: RetryPolicy =
    RetryPolicy { maximum_retry_attempts: 185, maximum_event_age_in_seconds: 86_400 };

/// What a queue is told besides the event.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SqsParameters {
    /// The group of the message.
    #[schemars(length(min = 1, max = 100))]
    pub message_group_id: String,
}

pub struct Targets;

/// A target that is there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    #[serde(flatten)]
    pub target: Target,
    /// Parameters that evenkeel does not know, such as those of an ECS task, by AWS's names: a write
    /// would lose them.
    pub others: BTreeSet<String>,
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Adds targets, or puts them in the place of those with their ids.
    Put(Vec<Target>),
    /// Takes targets away, by their ids.
    Remove(BTreeSet<String>),
}

impl Target {
    /// The same with AWS's defaults written out.
    fn whole(&self) -> Self {
        let mut whole = self.clone();
        whole.retry_policy.get_or_insert(DEFAULT_RETRIES);
        whole
    }
}

impl Part for Targets {
    type Of = Rule;
    type Now = Vec<Seen>;
    type Write = Write;

    const NAME: &'static str = "targets";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::write_if(PUT, |spec| spec.targets.as_ref().is_some_and(|all| !all.is_empty()), rule),
        Use::write_if(REMOVE, Self::is_declared, rule),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.targets.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Vec<Seen>, ObserveError> {
        let client = cx.client(Client::new);
        let all = cx
            .read(LIST, &place.id(), async {
                let (mut all, mut token) = (Vec::new(), None);
                loop {
                    let request = client.list_targets_by_rule().rule(&place.name);
                    let request = request.event_bus_name(&place.event_bus_name);
                    let page = request.set_next_token(token).send().await?;
                    let Some(part) = page.targets else { return Ok(None) };
                    all.extend(part);
                    token = page.next_token.filter(|token| !token.is_empty());
                    if token.is_none() {
                        return Ok(Some(all));
                    }
                }
            })
            .await?;
        let all = told("Targets", all.as_ref().as_ref())?.iter().map(seen);
        let mut all = all.collect::<Result<Vec<_>, _>>()?;
        // They come in any order.
        all.sort_by(|one, other| one.target.id.cmp(&other.target.id));
        Ok(all)
    }

    fn diff(look: &Look<'_, Rule>, now: &Vec<Seen>) -> Vec<Change<Write>> {
        let Some(wanted) = &look.spec.targets else { return Vec::new() };
        compared::mark(Self::NAME);
        let there = |id: &str| now.iter().find(|seen| seen.target.id == id);
        let (mut drift, mut put, mut lost) = (Drift::new(), Vec::new(), BTreeSet::new());
        let mut is_other = false;
        for target in wanted {
            let seen = there(&target.id);
            let is_same = seen.is_some_and(|seen| {
                seen.others.is_empty() && seen.target.whole() == target.whole()
            });
            if is_same {
                continue;
            }
            let actual = seen.map(|seen| &seen.target);
            drift.add(&format!("targets.{}", target.id), actual, Some(target));
            is_other |= seen.is_some();
            lost.extend(seen.iter().flat_map(|seen| seen.others.iter().cloned()));
            put.push(target.clone());
        }
        let gone: Vec<&Seen> =
            now.iter().filter(|seen| wanted.iter().all(|one| one.id != seen.target.id)).collect();
        let is_full = now.len() + put.iter().filter(|one| there(&one.id).is_none()).count() > MOST;
        let mut changes = Vec::new();
        if !put.is_empty() {
            changes.push(putting(look, put, drift, is_other, &lost));
        }
        if !gone.is_empty() {
            let mut drift = Drift::new();
            for seen in &gone {
                drift.add(&format!("targets.{}", seen.target.id), Some(&seen.target), None::<&str>);
            }
            let ids = gone.iter().map(|seen| seen.target.id.clone()).collect();
            let arns: Vec<&str> = gone.iter().map(|seen| seen.target.arn.as_str()).collect();
            let warning = format!("no longer sent to: {}", arns.join(", "));
            let change = Change::new(Write::Remove(ids), drift);
            let change = change.risk(Risk::Disruptive).warn(warning).makes_room().moves();
            match is_full {
                true => changes.insert(
                    0,
                    change.warn(format!(
                        "a rule has room for {MOST} targets: so this goes first, and for a moment fewer are told"
                    )),
                ),
                // Who is to be told in their place must be there first.
                false => {
                    let before = 0..changes.len();
                    changes.push(change.needs(before));
                }
            }
        }
        changes
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![match write {
            Write::Put(_) => PUT,
            Write::Remove(_) => REMOVE,
        }]
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match write {
            Write::Put(targets) => {
                let targets = targets.iter().map(sent).collect::<Result<Vec<_>, _>>()?;
                let request = client.put_targets().rule(&place.name);
                let request = request.event_bus_name(&place.event_bus_name);
                let answer = cx.write(PUT, request.set_targets(Some(targets)).send()).await?;
                let failed = answer.failed_entries().iter();
                let failed =
                    failed.map(|one| (one.target_id(), one.error_code(), one.error_message()));
                whole(cx, PUT, answer.failed_entry_count(), failed)
            }
            Write::Remove(ids) => {
                let request = client.remove_targets().rule(&place.name);
                let request = request.event_bus_name(&place.event_bus_name);
                let ids = ids.iter().cloned().collect();
                let answer = cx.write(REMOVE, request.set_ids(Some(ids)).send()).await?;
                // One that is gone already is no failure.
                let is_gone = |code: Option<&str>| code == Some("ResourceNotFoundException");
                let failed: Vec<_> = answer
                    .failed_entries()
                    .iter()
                    .filter(|one| !is_gone(one.error_code()))
                    .map(|one| (one.target_id(), one.error_code(), one.error_message()))
                    .collect();
                let passed = answer.failed_entries().len() - failed.len();
                let count = answer.failed_entry_count() - i32::try_from(passed).unwrap_or(0);
                whole(cx, REMOVE, count, failed.into_iter())
            }
        }
    }

    fn undo(write: &Write, before: &Vec<Seen>) -> Undo<Write> {
        let there = |id: &str| before.iter().find(|seen| seen.target.id == id);
        let ids: Vec<&str> = match write {
            Write::Put(targets) => targets.iter().map(|target| target.id.as_str()).collect(),
            Write::Remove(ids) => ids.iter().map(String::as_str).collect(),
        };
        let former: Vec<&Seen> = ids.iter().filter_map(|id| there(id)).collect();
        if let Some(seen) = former.iter().find(|seen| !seen.others.is_empty()) {
            return Undo::Impossible(format!(
                "the target {} had parameters that evenkeel does not know",
                seen.target.id
            ));
        }
        let new: BTreeSet<String> =
            ids.iter().filter(|id| there(id).is_none()).map(|id| (*id).to_owned()).collect();
        let former: Vec<Target> = former.into_iter().map(|seen| seen.target.clone()).collect();
        let mut writes = Vec::new();
        if !new.is_empty() {
            writes.push(Write::Remove(new));
        }
        if !former.is_empty() {
            writes.push(Write::Put(former));
        }
        Undo::By(writes)
    }

    fn export(now: &Vec<Seen>, spec: &mut Spec) {
        // What cannot be declared whole is not declared.
        let is_known = now.iter().all(|seen| seen.others.is_empty());
        spec.targets = is_known.then(|| now.iter().map(|seen| seen.target.clone()).collect());
    }
}

/// The change that puts targets: whether it takes anything from those that are there, and where events
/// leave the account.
fn putting(
    look: &Look<'_, Rule>,
    put: Vec<Target>,
    drift: Drift,
    is_other: bool,
    lost: &BTreeSet<String>,
) -> Change<Write> {
    // A queue for what is not delivered gets every event that its target does not take.
    let arns: Vec<(String, &str)> = put
        .iter()
        .flat_map(|target| {
            let undelivered = target.dead_letter_config.as_ref();
            let undelivered =
                undelivered.map(|queue| (queue.arn.clone(), "undelivered events are sent"));
            [(target.arn.clone(), "events are sent")].into_iter().chain(undelivered)
        })
        .collect();
    let mut change = Change::new(Write::Put(put), drift);
    change.moves = !look.is_new();
    for (arn, what) in &arns {
        change = change.sends(&look.facts.account, what, arn.as_str());
    }
    if is_other {
        change = look
            .disruptive(change, "what the target gets today, or where, is another than declared");
    }
    if lost.is_empty() {
        return change;
    }
    let names: Vec<&str> = lost.iter().map(String::as_str).collect();
    change.withhold(format!(
        "the target that is there has {}, which evenkeel does not know and would take away: take them out first, or declare the target under another id",
        names.join(", ")
    ))
}

/// Nothing of a write failed, or the first that did.
fn whole<'a>(
    cx: &WriteCx,
    call: Call,
    count: i32,
    mut failed: impl Iterator<Item = (Option<&'a str>, Option<&'a str>, Option<&'a str>)>,
) -> Result<(), WriteError> {
    let (target, code, message) = match failed.next() {
        Some(first) => first,
        None if count <= 0 => return Ok(()),
        None => (None, None, None),
    };
    let code = code.unwrap_or("FailedEntry").to_owned();
    let message = message.unwrap_or("AWS gave no message");
    Err(WriteError::Aws(AwsError::new(Detail {
        after_loss: false,
        account: Some(cx.account.clone()),
        region: cx.region.clone(),
        call,
        class: ErrorClass::of(&code, message, None),
        message: format!("the target {}: {message}", target.unwrap_or("that AWS does not name")),
        code,
        status: Some(200),
        request_id: None,
    })))
}

/// A target as AWS has it.
fn seen(target: &types::Target) -> Result<Seen, ObserveError> {
    let some = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let transformer = target.input_transformer().map(|transformer| InputTransformer {
        input_paths_map: transformer
            .input_paths_map()
            .into_iter()
            .flatten()
            .map(|(name, path)| (name.clone(), path.clone()))
            .collect(),
        input_template: transformer.input_template().to_owned(),
    });
    let dead_letters = target.dead_letter_config().and_then(|config| some(config.arn()));
    Ok(Seen {
        target: Target {
            id: target.id().to_owned(),
            arn: target.arn().to_owned(),
            role_arn: some(target.role_arn()),
            input: some(target.input()),
            input_path: some(target.input_path()),
            input_transformer: transformer,
            dead_letter_config: dead_letters.map(|arn| DeadLetterConfig { arn }),
            retry_policy: target.retry_policy().map(retries_of).transpose()?,
            sqs_parameters: target
                .sqs_parameters()
                .and_then(|parameters| some(parameters.message_group_id()))
                .map(|message_group_id| SqsParameters { message_group_id }),
        },
        others: others(target),
    })
}

fn retries_of(policy: &types::RetryPolicy) -> Result<RetryPolicy, ObserveError> {
    let number = |field, number: Option<i32>, default| match number {
        Some(number) => count(field, number),
        None => Ok(default),
    };
    Ok(RetryPolicy {
        maximum_retry_attempts: number(
            "MaximumRetryAttempts",
            policy.maximum_retry_attempts(),
            DEFAULT_RETRIES.maximum_retry_attempts,
        )?,
        maximum_event_age_in_seconds: number(
            "MaximumEventAgeInSeconds",
            policy.maximum_event_age_in_seconds(),
            DEFAULT_RETRIES.maximum_event_age_in_seconds,
        )?,
    })
}

/// The parameters of a target that no field here has.
fn others(target: &types::Target) -> BTreeSet<String> {
    let all = [
        ("KinesisParameters", target.kinesis_parameters().is_some()),
        ("RunCommandParameters", target.run_command_parameters().is_some()),
        ("EcsParameters", target.ecs_parameters().is_some()),
        ("BatchParameters", target.batch_parameters().is_some()),
        ("HttpParameters", target.http_parameters().is_some()),
        ("RedshiftDataParameters", target.redshift_data_parameters().is_some()),
        ("SageMakerPipelineParameters", target.sage_maker_pipeline_parameters().is_some()),
        ("AppSyncParameters", target.app_sync_parameters().is_some()),
    ];
    all.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned()).collect()
}

/// A target as it is sent.
fn sent(target: &Target) -> Result<types::Target, WriteError> {
    let transformer = target.input_transformer.as_ref().map(|transformer| {
        let paths = transformer.input_paths_map.clone().into_iter().collect();
        types::InputTransformer::builder()
            .set_input_paths_map(Some(paths))
            .input_template(&transformer.input_template)
            .build()
    });
    let retries = target.retry_policy.as_ref().map(|policy| {
        Ok::<_, WriteError>(
            types::RetryPolicy::builder()
                .maximum_retry_attempts(sendable(
                    "MaximumRetryAttempts",
                    policy.maximum_retry_attempts,
                )?)
                .maximum_event_age_in_seconds(sendable(
                    "MaximumEventAgeInSeconds",
                    policy.maximum_event_age_in_seconds,
                )?)
                .build(),
        )
    });
    let dead_letters = target.dead_letter_config.as_ref();
    let dead_letters =
        dead_letters.map(|config| types::DeadLetterConfig::builder().arn(&config.arn).build());
    let queue = target.sqs_parameters.as_ref().map(|parameters| {
        types::SqsParameters::builder().message_group_id(&parameters.message_group_id).build()
    });
    let built: Result<_, BuildError> = types::Target::builder()
        .id(&target.id)
        .arn(&target.arn)
        .set_role_arn(target.role_arn.clone())
        .set_input(target.input.clone())
        .set_input_path(target.input_path.clone())
        .set_input_transformer(transformer.transpose()?)
        .set_dead_letter_config(dead_letters)
        .set_retry_policy(retries.transpose()?)
        .set_sqs_parameters(queue)
        .build();
    Ok(built?)
}
