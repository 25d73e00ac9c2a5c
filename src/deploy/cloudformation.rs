//! The templates in CloudFormation's form. Source of the types: AWS CloudFormation User Guide, "AWS
//! resource and property types reference".

use serde_json::{Map, Value, json};

use super::split::{TooLong, split};
use super::{
    BUS, DEAD_LETTERS_KEPT, EVENTS_KEPT, FORWARD_ROLE, Part, QUEUE, RECEIVED_AT_MOST, ROLE, SWITCH,
    VISIBILITY, bus_policy, controller, events, forward, from_cloudtrail, queue_policy, trust,
    trust_of_eventbridge,
};

/// The template of a part. `permissions` is what evenkeel may do in an account.
///
/// # Errors
/// The permissions are too long for a role.
pub fn template(part: Part, permissions: &Value) -> Result<Value, TooLong> {
    Ok(match part {
        Part::Hub => hub(),
        Part::Role => role(permissions)?,
        Part::Events => rules(),
    })
}

fn document(description: &str, parameters: Value, resources: Value, outputs: Value) -> Value {
    let mut template = Map::new();
    template.insert("AWSTemplateFormatVersion".to_owned(), json!("2010-09-09"));
    template.insert("Description".to_owned(), json!(description));
    template.insert("Parameters".to_owned(), parameters);
    template.insert("Resources".to_owned(), resources);
    if outputs.as_object().is_some_and(|outputs| !outputs.is_empty()) {
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

fn role_name() -> Value {
    json!({
        "Type": "String", "Default": ROLE, "AllowedPattern": "[\\w+=,.@-]{1,64}",
        "Description": "The name of the role that evenkeel takes in each account.",
    })
}

fn hub() -> Value {
    let role = json!({"Fn::Sub": "arn:${AWS::Partition}:iam::*:role/${RoleName}"});
    let switch = format!("arn:${{AWS::Partition}}:ssm:*:${{AWS::AccountId}}:{SWITCH}");
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
        "BusPolicy": {"Type": "AWS::Events::EventBusPolicy", "Properties": {
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
            "PolicyDocument": controller(&arn_of("Events"), &role, &json!({"Fn::Sub": switch})),
        }},
    });
    document(
        "evenkeel: the hub's bus and queue of events, and what the controller itself may do.",
        json!({
            "OrganizationId": text("o-[a-z0-9]{10,32}", "The organization whose accounts may put events on the bus."),
            "RoleName": role_name(),
        }),
        resources,
        json!({
            "QueueUrl": {"Description": "[controller] event_queue_url", "Value": {"Ref": "Events"}},
            "BusArn": {"Description": "HubBusArn of the other templates", "Value": arn_of("Bus")},
            "ControllerPolicyArn": {
                "Description": "To be attached to the controller's own role", "Value": {"Ref": "Controller"},
            },
        }),
    )
}

fn role(permissions: &Value) -> Result<Value, TooLong> {
    let mut resources = Map::new();
    let mut arns = Vec::new();
    for (number, document) in split(permissions)?.into_iter().enumerate() {
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
            "RoleName": {"Ref": "RoleName"}, "Description": "evenkeel takes it to look and to repair.",
            "AssumeRolePolicyDocument": trust(&json!({"Ref": "ControllerArn"}), &json!({"Ref": "ExternalId"})),
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
            "ExternalId": text(".{2,1224}", "[access] external_id of the fleet file."),
            "HubBusArn": bus_arn(),
            "RoleName": role_name(),
        }),
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
        Value::Object(rules.collect()),
        json!({}),
    )
}
