//! What evenkeel itself needs in AWS, as templates: the hub's queue of events, the role in each account,
//! and the rules that pass events on. Permissions and event patterns come from the kinds' tables of
//! calls, so that they cannot differ from what the command does. Pure.

pub mod cloudformation;
pub mod events;
pub mod split;
pub mod terraform;

use serde_json::{Value, json};

use crate::fleet::organization::READS;

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
/// The parameter of the kill switch, as an ARN names it.
const SWITCH: &str = "parameter/evenkeel/stop";
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

/// What the controller asks of the organization.
fn of_the_organization() -> Vec<String> {
    READS.iter().map(|call| call.iam_action().into_owned()).collect()
}

/// What the controller itself may do, with its own credentials: read its queue, ask the organization
/// which accounts there are, take the role in each, and read the kill switch.
fn controller(queue_arn: &Value, role_arn: &Value, parameter_arn: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Events", "Effect": "Allow", "Action": on_the_queue(), "Resource": queue_arn},
        {"Sid": "Accounts", "Effect": "Allow", "Action": of_the_organization(), "Resource": "*"},
        {
            "Sid": "Roles", "Effect": "Allow", "Resource": role_arn,
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"],
        },
        {
            "Sid": "KillSwitch", "Effect": "Allow", "Action": "ssm:GetParameter",
            "Resource": parameter_arn,
        },
    ]})
}

/// Who may take the role in an account: the controller, who says which run it is.
fn trust(controller: &Value, external_id: &Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": [
        {
            "Sid": "Take", "Effect": "Allow", "Principal": {"AWS": controller},
            "Action": "sts:AssumeRole", "Condition": {"StringEquals": {"sts:ExternalId": external_id}},
        },
        {
            "Sid": "SayWhichRun", "Effect": "Allow", "Principal": {"AWS": controller},
            "Action": ["sts:SetSourceIdentity", "sts:TagSession"],
        },
    ]})
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
