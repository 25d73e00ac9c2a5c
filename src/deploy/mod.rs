//! What evenkeel itself needs in AWS, as templates: the hub's queue of events, the role in each account,
//! and the rules that pass events on. Permissions and event patterns come from the kinds' tables of
//! calls, so that they cannot differ from what the command does. Pure.

pub mod cloudformation;
pub mod events;
pub mod own;
pub mod split;
pub mod terraform;

use serde_json::{Value, json};

use self::own::Need;
use self::split::TooLong;
use crate::fleet::Fleet;
use crate::fleet::access::{AccessError, roles};
use crate::names::Arn;

/// The role in each account, unless another name is given to the template.
pub const ROLE: &str = "evenkeel";
/// The role with which an account's EventBridge passes events on to the hub.
pub const FORWARD_ROLE: &str = "evenkeel-events";
/// The bus of the hub, and its queue.
pub const BUS: &str = "evenkeel";
/// The queue that the controller reads.
pub const QUEUE: &str = "evenkeel-events";
/// How long what nobody could read is kept: as long as SQS keeps anything, in seconds.
const DEAD_LETTERS_KEPT: u32 = 14 * 24 * 60 * 60;
/// How long events wait for a controller that is away, in seconds.
const EVENTS_KEPT: u32 = 4 * 24 * 60 * 60;
/// For how long nobody else sees what one controller has received, in seconds.
const VISIBILITY: u32 = 60;
/// How often a message is received before it is a dead letter.
const RECEIVED_AT_MOST: u32 = 5;

/// A part of a deployment, which is a template of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Once, in the account and Region of the controller: bus, queue, dead letters, what the
    /// controller may do.
    Hub,
    /// Once in each account: the role that evenkeel takes there, and the one that passes events on.
    Role,
    /// In each Region of each account: the rules that pass events on to the hub.
    Events,
}

/// A template that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Of which part.
    pub part: Part,
    /// The fleet file that it is for, if there is one.
    pub fleet: Option<&'a Fleet>,
    /// What evenkeel may do in an account (part role).
    pub permissions: &'a Value,
}

/// Why there is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeployError {
    /// The permissions are too long for a role.
    #[error(transparent)]
    TooLong(#[from] TooLong),
    /// The fleet file does not say which role is taken.
    #[error(transparent)]
    Access(#[from] AccessError),
}

/// What the role in an account is called.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Named {
    /// Its path: `/`, or `/security/`.
    path: String,
    /// Its name; none where each account has another one.
    name: Option<String>,
}

impl Asked<'_> {
    /// Whether the role asks for an external id in any case, because the fleet file brings one.
    fn brings_external_id(&self) -> bool {
        let access = self.fleet.and_then(|fleet| fleet.file.access.as_ref());
        access.is_some_and(|access| access.external_id.is_some())
    }

    /// Whether the fleet file says which role is taken.
    fn names_role(&self) -> bool {
        self.fleet.is_some_and(|fleet| fleet.file.access.is_some())
    }

    /// What the role is called that the fleet file takes.
    fn role(&self) -> Result<Named, AccessError> {
        let roles = self.fleet.and_then(|fleet| roles(fleet, ""));
        let arn = roles.map(|roles| roles.own_role("*", "aws")).transpose()?;
        let role = arn.as_deref().and_then(Arn::parse);
        let whole = role.and_then(|arn| arn.resource.strip_prefix("role")).unwrap_or_default();
        let (path, name) = whole.rsplit_once('/').unwrap_or(("", ROLE));
        let is_everywhere = !path.contains('*') && !name.contains('*');
        let path = if path.contains('*') { "" } else { path };
        Ok(Named { path: format!("{path}/"), name: is_everywhere.then(|| name.to_owned()) })
    }
}

/// What the hub's bus passes on to the queue: CloudTrail's events of AWS's own services.
fn from_cloudtrail() -> Value {
    json!({"source": [{"prefix": "aws."}], "detail-type": [{"suffix": " via CloudTrail"}]})
}

/// Actions on the queue that the controller needs.
fn on_the_queue() -> Value {
    json!([
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility",
        "sqs:GetQueueAttributes",
    ])
}

/// What the controller itself may do, with its own credentials: read its queue, and what it [needs](Need)
/// besides. `written` is how the template has an ARN.
fn controller(queue_arn: &Value, needs: &[Need], written: fn(&str) -> Value) -> Value {
    let queue = json!({"Sid": "Events", "Effect": "Allow", "Action": on_the_queue(), "Resource": queue_arn});
    let one_or_many = |mut all: Vec<Value>| match all.len() {
        1 => all.remove(0),
        _ => Value::Array(all),
    };
    let needs = needs.iter().map(|Need { sid, actions, resources }| {
        let actions = actions.iter().map(|action| json!(action)).collect();
        let resources = resources.iter().map(|arn| written(arn)).collect();
        json!({
            "Sid": sid, "Effect": "Allow", "Action": one_or_many(actions),
            "Resource": one_or_many(resources),
        })
    });
    let statements: Vec<Value> = std::iter::once(queue).chain(needs).collect();
    json!({"Version": "2012-10-17", "Statement": statements})
}

/// Who may take the role in an account: the controller, who says which run it is, and brings the external id
/// where there is to be one.
fn trust(controller: &Value, condition: Option<Value>) -> Value {
    let mut take = json!({
        "Sid": "Take", "Effect": "Allow", "Principal": {"AWS": controller},
        "Action": "sts:AssumeRole",
    });
    if let Some(condition) = condition {
        take["Condition"] = condition;
    }
    json!({"Version": "2012-10-17", "Statement": [
        take,
        {
            "Sid": "SayWhichRun", "Effect": "Allow", "Principal": {"AWS": controller},
            "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
        },
    ]})
}

/// That the external id is brought.
fn brings(external_id: &Value) -> Value {
    json!({"StringEquals": {"sts:ExternalId": external_id}})
}

/// What EventBridge of an account may do: put events on the hub's bus.
fn forward(bus_arn: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Forward", "Effect": "Allow", "Action": "events:PutEvents", "Resource": bus_arn},
    ]})
}

/// EventBridge of the role's own account, and nobody else's.
fn trust_of_eventbridge(account: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": account}},
    }]})
}

/// Whose events the hub's bus takes: those of the organization's accounts.
fn bus_policy(bus_arn: &Value, organization: &Value) -> Value {
    json!({
        "Sid": "Organization", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents",
        "Resource": bus_arn, "Condition": {"StringEquals": {"aws:PrincipalOrgID": organization}},
    })
}

/// Who may send to a queue: one rule of EventBridge, over TLS.
fn queue_policy(queue_arn: &Value, rule_arn: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {
            "Sid": "Rule", "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
        },
        {
            "Sid": "TlsOnly", "Effect": "Deny", "Principal": "*", "Action": "sqs:*",
            "Resource": queue_arn, "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]})
}
