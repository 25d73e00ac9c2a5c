//! The templates in Terraform's JSON form (`main.tf.json`). Source: Terraform language documentation,
//! "JSON configuration syntax"; the resources are those of the provider hashicorp/aws.

use serde_json::{Map, Value, json};

use super::split::{TooLong, split};
use super::{
    BUS, DEAD_LETTERS_KEPT, EVENTS_KEPT, FORWARD_ROLE, Part, QUEUE, RECEIVED_AT_MOST, ROLE, SWITCH,
    VISIBILITY, bus_policy, controller, events, forward, from_cloudtrail, queue_policy, trust,
    trust_of_eventbridge,
};

/// The configuration of a part. `permissions` is what evenkeel may do in an account.
///
/// # Errors
/// The permissions are too long for a role.
pub fn configuration(part: Part, permissions: &Value) -> Result<Value, TooLong> {
    let mut all = match part {
        Part::Hub => hub(),
        Part::Role => role(permissions)?,
        Part::Events => rules(),
    };
    all["terraform"] = json!({"required_providers": {"aws": {"source": "hashicorp/aws"}}});
    Ok(all)
}

/// A document as Terraform takes it, with its own placeholders left to Terraform.
fn text(document: &Value) -> Value {
    json!(document.to_string())
}

/// A document whose `${…}` are AWS's own, such as `${aws:username}`.
fn literal(document: &Value) -> Value {
    json!(document.to_string().replace("${", "$${").replace("%{", "%%{"))
}

fn variable(description: &str) -> Value {
    json!({"type": "string", "description": description})
}

fn role_name() -> Value {
    json!({
        "type": "string", "default": ROLE,
        "description": "The name of the role that evenkeel takes in each account.",
    })
}

/// The parameter of the kill switch.
fn switch() -> Value {
    json!(format!(
        "arn:${{data.aws_partition.current.partition}}:ssm:*:${{data.aws_caller_identity.current.account_id}}:{SWITCH}"
    ))
}

fn hub() -> Value {
    let events = json!("${aws_sqs_queue.events.arn}");
    let dead = json!("${aws_sqs_queue.dead_letters.arn}");
    let rule = json!("${aws_cloudwatch_event_rule.queue.arn}");
    let bus = json!("${aws_cloudwatch_event_bus.hub.arn}");
    let role = json!("arn:${data.aws_partition.current.partition}:iam::*:role/${var.role_name}");
    let redrive = json!({"deadLetterTargetArn": dead, "maxReceiveCount": RECEIVED_AT_MOST});
    let on_the_bus = json!({
        "Version": "2012-10-17", "Statement": [bus_policy(&bus, &json!("${var.organization_id}"))],
    });
    json!({
        "variable": {
            "organization_id": variable("The organization whose accounts may put events on the bus."),
            "role_name": role_name(),
        },
        "data": {"aws_partition": {"current": {}}, "aws_caller_identity": {"current": {}}},
        "resource": {
            "aws_cloudwatch_event_bus": {"hub": {"name": BUS}},
            "aws_cloudwatch_event_bus_policy": {"hub": {
                "event_bus_name": "${aws_cloudwatch_event_bus.hub.name}", "policy": text(&on_the_bus),
            }},
            "aws_sqs_queue": {
                "dead_letters": {
                    "name": format!("{QUEUE}-dead-letters"), "sqs_managed_sse_enabled": true,
                    "message_retention_seconds": DEAD_LETTERS_KEPT,
                },
                "events": {
                    "name": QUEUE, "sqs_managed_sse_enabled": true,
                    "message_retention_seconds": EVENTS_KEPT,
                    "visibility_timeout_seconds": VISIBILITY, "receive_wait_time_seconds": 20,
                    "redrive_policy": text(&redrive),
                },
            },
            "aws_sqs_queue_policy": {
                "events": {
                    "queue_url": "${aws_sqs_queue.events.id}", "policy": text(&queue_policy(&events, &rule)),
                },
                "dead_letters": {
                    "queue_url": "${aws_sqs_queue.dead_letters.id}",
                    "policy": text(&queue_policy(&dead, &rule)),
                },
            },
            "aws_cloudwatch_event_rule": {"queue": {
                "name": format!("{BUS}-to-queue"), "event_bus_name": "${aws_cloudwatch_event_bus.hub.name}",
                "event_pattern": text(&from_cloudtrail()),
            }},
            "aws_cloudwatch_event_target": {"queue": {
                "rule": "${aws_cloudwatch_event_rule.queue.name}",
                "event_bus_name": "${aws_cloudwatch_event_bus.hub.name}",
                "target_id": "queue", "arn": events, "dead_letter_config": {"arn": dead},
            }},
            "aws_cloudwatch_metric_alarm": {"dead_letters": {
                "alarm_name": format!("{QUEUE}-dead-letters"),
                "alarm_description": "Messages that evenkeel could not read, or events that could not be delivered.",
                "namespace": "AWS/SQS", "metric_name": "ApproximateNumberOfMessagesVisible",
                "dimensions": {"QueueName": "${aws_sqs_queue.dead_letters.name}"},
                "statistic": "Maximum", "period": 300, "evaluation_periods": 1, "threshold": 0,
                "comparison_operator": "GreaterThanThreshold", "treat_missing_data": "notBreaching",
            }},
            "aws_iam_policy": {"controller": {
                "name": "evenkeel-controller",
                "description": "What the controller of evenkeel may do with its own credentials.",
                "policy": text(&controller(&events, &role, &switch())),
            }},
        },
        "output": {
            "queue_url": {"description": "[controller] event_queue_url", "value": "${aws_sqs_queue.events.id}"},
            "bus_arn": {"description": "hub_bus_arn of the other configurations", "value": bus},
            "controller_policy_arn": {
                "description": "To be attached to the controller's own role",
                "value": "${aws_iam_policy.controller.arn}",
            },
        },
    })
}

fn role(permissions: &Value) -> Result<Value, TooLong> {
    let (mut policies, mut attachments) = (Map::new(), Map::new());
    for (number, document) in split(permissions)?.into_iter().enumerate() {
        let name = format!("permissions_{}", number + 1);
        attachments.insert(
            name.clone(),
            json!({
                "role": "${aws_iam_role.evenkeel.name}",
                "policy_arn": format!("${{aws_iam_policy.{name}.arn}}"),
            }),
        );
        let policy = json!({
            "name_prefix": "evenkeel-", "policy": literal(&document),
            "description": "What evenkeel may do in this account, by its baseline.",
        });
        policies.insert(name, policy);
    }
    let trusted = trust(&json!("${var.controller_arn}"), &json!("${var.external_id}"));
    let forwarding = trust_of_eventbridge(&json!("${data.aws_caller_identity.current.account_id}"));
    Ok(json!({
        "variable": {
            "controller_arn": variable("The controller's own role."),
            "external_id": variable("[access] external_id of the fleet file."),
            "hub_bus_arn": variable("bus_arn of the hub."),
            "role_name": role_name(),
        },
        "data": {"aws_caller_identity": {"current": {}}},
        "resource": {
            "aws_iam_policy": policies,
            "aws_iam_role": {
                "evenkeel": {
                    "name": "${var.role_name}", "description": "evenkeel takes it to look and to repair.",
                    "assume_role_policy": text(&trusted),
                },
                "forward": {
                    "name": FORWARD_ROLE,
                    "description": "EventBridge passes events on to evenkeel's hub with it.",
                    "assume_role_policy": text(&forwarding),
                },
            },
            "aws_iam_role_policy": {"forward": {
                "name": "forward", "role": "${aws_iam_role.forward.name}",
                "policy": text(&forward(&json!("${var.hub_bus_arn}"))),
            }},
            "aws_iam_role_policy_attachment": attachments,
        },
        "output": {"role_arn": {"value": "${aws_iam_role.evenkeel.arn}"}},
    }))
}

fn rules() -> Value {
    let (mut rules, mut targets) = (Map::new(), Map::new());
    for rule in events::patterns() {
        let name = rule.name.replace('-', "_");
        targets.insert(
            name.clone(),
            json!({
                "rule": format!("${{aws_cloudwatch_event_rule.{name}.name}}"),
                "target_id": "hub", "arn": "${var.hub_bus_arn}",
                "role_arn": format!(
                    "arn:${{data.aws_partition.current.partition}}:iam::${{data.aws_caller_identity.current.account_id}}:role/{FORWARD_ROLE}"
                ),
            }),
        );
        let described = json!({
            "name": format!("evenkeel-{}", rule.name), "event_pattern": text(&rule.pattern),
            "description": "Passes on to evenkeel what may touch what it keeps.",
        });
        rules.insert(name, described);
    }
    json!({
        "variable": {"hub_bus_arn": variable("bus_arn of the hub.")},
        "data": {"aws_partition": {"current": {}}, "aws_caller_identity": {"current": {}}},
        "resource": {"aws_cloudwatch_event_rule": rules, "aws_cloudwatch_event_target": targets},
    })
}
