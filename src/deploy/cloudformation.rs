//! The templates in CloudFormation's form. Source of the types: AWS CloudFormation User Guide, "AWS
//! resource and property types reference".

use serde_json::{Map, Value, json};

use super::own::{At, of_controller};
use super::split::split;
use super::{
    Asked, BUS, DEAD_LETTERS_KEPT, DeployError, EVENTS_KEPT, FORWARD_ROLE, Named, Part, QUEUE,
    RECEIVED_AT_MOST, VISIBILITY, brings, bus_policy, controller, events, forward, from_cloudtrail,
    queue_policy, trust, trust_of_eventbridge,
};

/// The condition that the parameter `OrganizationId` is given, and that `ExternalId` is.
const IN_ORGANIZATION: &str = "InOrganization";
const HAS_EXTERNAL_ID: &str = "HasExternalId";

/// The template of a part.
///
/// # Errors
/// The permissions are too long for a role, or the fleet file does not say which one is taken.
pub fn template(asked: &Asked<'_>) -> Result<Value, DeployError> {
    Ok(match asked.part {
        Part::Hub => hub(asked)?,
        Part::Role => role(asked)?,
        Part::Events => rules(),
    })
}

fn document(
    description: &str,
    parameters: Value,
    conditions: Value,
    resources: Value,
    outputs: Value,
) -> Value {
    let has_any = |part: &Value| part.as_object().is_some_and(|part| !part.is_empty());
    let mut template = Map::new();
    template.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
    template.insert("Description".to_owned(), json!(description));
    template.insert("Parameters".to_owned(), parameters);
    if has_any(&conditions) {
        template.insert("Conditions".to_owned(), conditions);
    }
    template.insert("Resources".to_owned(), resources);
    if has_any(&outputs) {
        template.insert("Outputs".to_owned(), outputs);
    }
    Value::Object(template)
}

fn arn_of(resource: &str) -> Value {
    json!({"Fn::GetAtt": [resource, "Arn"]})
}

fn text(pattern: &str, description: &str) -> Value {
    json!({"Type": "String", "AllowedPattern": pattern, "Description": description})
}

/// A parameter that may be left out.
fn optional(pattern: &str, description: &str) -> Value {
    let mut parameter = text(&format!("({pattern})?"), description);
    parameter["Default"] = json!("");
    parameter
}

/// The condition that such a parameter is given.
fn given(parameter: &str) -> Value {
    json!({"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]})
}

fn role_name(name: Option<&str>) -> Value {
    let mut parameter =
        text("[\\w+=,.@-]{1,64}", "The name of the role that evenkeel takes in each account.");
    if let Some(name) = name {
        parameter["Default"] = json!(name);
    }
    parameter
}

/// The account and partition of the stack.
const HERE: At<'_> = At {
    partition: "${AWS::Partition}",
    account: "${AWS::AccountId}",
    plain: |text| text.replace("${", "${!"),
};

/// A text with its placeholders filled in.
fn filled(text: &str) -> Value {
    match text.contains("${") {
        true => json!({"Fn::Sub": text}),
        false => json!(text),
    }
}

fn hub(asked: &Asked<'_>) -> Result<Value, DeployError> {
    let role = "arn:${AWS::Partition}:iam::*:role/${RoleName}".to_owned();
    let needs = of_controller(asked.fleet, &HERE, role)?;
    let queue = |kept: u32| json!({"SqsManagedSseEnabled": true, "MessageRetentionPeriod": kept});
    let mut events = queue(EVENTS_KEPT);
    events["QueueName"] = json!(QUEUE);
    events["VisibilityTimeout"] = json!(VISIBILITY);
    events["ReceiveMessageWaitTimeSeconds"] = json!(20);
    events["RedrivePolicy"] = json!({
        "deadLetterTargetArn": arn_of("DeadLetters"), "maxReceiveCount": RECEIVED_AT_MOST,
    });
    let mut dead = queue(DEAD_LETTERS_KEPT);
    dead["QueueName"] = json!(format!("{QUEUE}-dead-letters"));
    let policy = |queue: &str| {
        json!({"Type": "AWS::SQS::QueuePolicy", "Properties": {
            "Queues": [{"Ref": queue}], "PolicyDocument": queue_policy(&arn_of(queue), &arn_of("Rule")),
        }})
    };
    let resources = json!({
        "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": BUS}},
        "BusPolicy": {"Type": "AWS::Events::EventBusPolicy", "Condition": IN_ORGANIZATION, "Properties": {
            "EventBusName": {"Ref": "Bus"}, "StatementId": "Organization",
            "Statement": bus_policy(&arn_of("Bus"), &json!({"Ref": "OrganizationId"})),
        }},
        "DeadLetters": {"Type": "AWS::SQS::Queue", "Properties": dead},
        "Events": {"Type": "AWS::SQS::Queue", "Properties": events},
        "EventsPolicy": policy("Events"),
        "DeadLettersPolicy": policy("DeadLetters"),
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {
            "Name": format!("{BUS}-to-queue"), "EventBusName": {"Ref": "Bus"}, "State": "ENABLED",
            "EventPattern": from_cloudtrail(),
            "Targets": [{
                "Id": "queue", "Arn": arn_of("Events"),
                "DeadLetterConfig": {"Arn": arn_of("DeadLetters")},
            }],
        }},
        "DeadLettersAlarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
            "AlarmDescription": "Messages that evenkeel could not read, or events that could not be delivered.",
            "Namespace": "AWS/SQS", "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["DeadLetters", "QueueName"]}}],
            "Statistic": "Maximum", "Period": 300, "EvaluationPeriods": 1, "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        }},
        "Controller": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
            "Description": "What the controller of evenkeel may do with its own credentials.",
            "PolicyDocument": controller(&arn_of("Events"), &needs, filled),
        }},
    });
    let mut parameters = json!({"OrganizationId": optional(
        "o-[a-z0-9]{10,32}",
        "The organization whose accounts may put events on the bus; without one, this account alone may.",
    )});
    if !asked.names_role() {
        parameters["RoleName"] = role_name(asked.role()?.name.as_deref());
    }
    Ok(document(
        "evenkeel: the hub's bus and queue of events, and what the controller itself may do.",
        parameters,
        json!({IN_ORGANIZATION: given("OrganizationId")}),
        resources,
        json!({
            "QueueUrl": {"Description": "[controller] event_queue_url", "Value": {"Ref": "Events"}},
            "BusArn": {"Description": "HubBusArn of the other templates", "Value": arn_of("Bus")},
            "ControllerPolicyArn": {
                "Description": "To be attached to the controller's own role", "Value": {"Ref": "Controller"},
            },
        }),
    ))
}

fn role(asked: &Asked<'_>) -> Result<Value, DeployError> {
    let Named { path, name } = asked.role()?;
    let about = "[access] external_id of the fleet file.";
    let brought = brings(&json!({"Ref": "ExternalId"}));
    let (external_id, condition, conditions) = match asked.brings_external_id() {
        true => (text(".{2,1224}", about), brought, json!({})),
        false => (
            optional(".{2,1224}", about),
            json!({"Fn::If": [HAS_EXTERNAL_ID, brought, {"Ref": "AWS::NoValue"}]}),
            json!({HAS_EXTERNAL_ID: given("ExternalId")}),
        ),
    };
    let mut resources = Map::new();
    let mut arns = Vec::new();
    for (number, document) in split(asked.permissions)?.into_iter().enumerate() {
        let name = format!("Permissions{}", number + 1);
        arns.push(json!({"Ref": name}));
        resources.insert(
            name,
            json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "Description": "What evenkeel may do in this account, by its baseline.",
                "PolicyDocument": document,
            }}),
        );
    }
    resources.insert(
        "Role".to_owned(),
        json!({"Type": "AWS::IAM::Role", "Properties": {
            "Path": path, "RoleName": {"Ref": "RoleName"},
            "Description": "evenkeel takes it to look and to repair.",
            "AssumeRolePolicyDocument": trust(&json!({"Ref": "ControllerArn"}), Some(condition)),
            "ManagedPolicyArns": arns,
        }}),
    );
    resources.insert(
        "Forward".to_owned(),
        json!({"Type": "AWS::IAM::Role", "Properties": {
            "RoleName": FORWARD_ROLE, "Description": "EventBridge passes events on to evenkeel's hub with it.",
            "AssumeRolePolicyDocument": trust_of_eventbridge(&json!({"Ref": "AWS::AccountId"})),
            "Policies": [{"PolicyName": "forward", "PolicyDocument": forward(&json!({"Ref": "HubBusArn"}))}],
        }}),
    );
    Ok(document(
        "evenkeel: the role that it takes in an account, once in each account.",
        json!({
            "ControllerArn": text("arn:[a-z-]+:iam::[0-9]{12}:role/.+", "The controller's own role."),
            "ExternalId": external_id,
            "HubBusArn": bus_arn(),
            "RoleName": role_name(name.as_deref()),
        }),
        conditions,
        Value::Object(resources),
        json!({"RoleArn": {"Value": arn_of("Role")}}),
    ))
}

fn bus_arn() -> Value {
    text("arn:[a-z-]+:events:[a-z0-9-]+:[0-9]{12}:event-bus/.+", "BusArn of the hub.")
}

fn rules() -> Value {
    let forward = format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:role/{FORWARD_ROLE}");
    let rules = events::patterns().into_iter().map(|rule| {
        let logical: String =
            rule.name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let resource = json!({"Type": "AWS::Events::Rule", "Properties": {
            "Name": format!("evenkeel-{}", rule.name), "State": "ENABLED",
            "Description": "Passes on to evenkeel what may touch what it keeps.",
            "EventPattern": rule.pattern,
            "Targets": [{"Id": "hub", "Arn": {"Ref": "HubBusArn"}, "RoleArn": {"Fn::Sub": forward}}],
        }});
        (format!("Rule{logical}"), resource)
    });
    document(
        "evenkeel: the rules that pass events on to the hub, in each Region of each account.",
        json!({"HubBusArn": bus_arn()}),
        json!({}),
        Value::Object(rules.collect()),
        json!({}),
    )
}
