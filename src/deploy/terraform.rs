//! The templates in Terraform's JSON form (`main.tf.json`). Source: Terraform language documentation,
//! "JSON configuration syntax"; the resources are those of the provider hashicorp/aws.

use serde_json::{Map, Value, json};

use super::own::{At, of_controller};
use super::split::split;
use super::{
    Asked, BUS, DEAD_LETTERS_KEPT, DeployError, EVENTS_KEPT, FORWARD_ROLE, Named, Part, QUEUE,
    RECEIVED_AT_MOST, VISIBILITY, brings, bus_policy, controller, events, forward, from_cloudtrail,
    queue_policy, trust, trust_of_eventbridge,
};

/// The configuration of a part.
///
/// # Errors
/// The permissions are too long for a role, or the fleet file does not say which one is taken.
pub fn configuration(asked: &Asked<'_>) -> Result<Value, DeployError> {
    let mut all = match asked.part {
        Part::Hub => hub(asked)?,
        Part::Role => role(asked)?,
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

/// A variable that may be left out.
fn optional(description: &str) -> Value {
    json!({"type": "string", "default": null, "description": description})
}

fn role_name(name: Option<&str>) -> Value {
    let mut variable = variable("The name of the role that evenkeel takes in each account.");
    if let Some(name) = name {
        variable["default"] = json!(name);
    }
    variable
}

/// The account and partition of the provider.
const HERE: At<'_> = At {
    partition: "${data.aws_partition.current.partition}",
    account: "${data.aws_caller_identity.current.account_id}",
    plain: |text| text.replace("${", "$${").replace("%{", "%%{"),
};

fn hub(asked: &Asked<'_>) -> Result<Value, DeployError> {
    let events = json!("${aws_sqs_queue.events.arn}");
    let dead = json!("${aws_sqs_queue.dead_letters.arn}");
    let rule = json!("${aws_cloudwatch_event_rule.queue.arn}");
    let bus = json!("${aws_cloudwatch_event_bus.hub.arn}");
    let role =
        "arn:${data.aws_partition.current.partition}:iam::*:role/${var.role_name}".to_owned();
    let needs = of_controller(asked.fleet, &HERE, role)?;
    let on_the_bus = json!({
        "Version": "2012-10-17", "Statement": [bus_policy(&bus, &json!("${var.organization_id}"))],
    });
    let mut variables = json!({"organization_id": optional(
        "The organization whose accounts may put events on the bus; without one, this account alone may.",
    )});
    if !asked.names_role() {
        variables["role_name"] = role_name(asked.role()?.name.as_deref());
    }
    Ok(json!({
        "variable": variables,
        "data": {"aws_partition": {"current": {}}, "aws_caller_identity": {"current": {}}},
        "resource": {
            "aws_cloudwatch_event_bus": {"hub": {"name": BUS}},
            "aws_cloudwatch_event_bus_policy": {"hub": {
                "count": "${var.organization_id == null ? 0 : 1}",
                "event_bus_name": "${aws_cloudwatch_event_bus.hub.name}", "policy": text(&on_the_bus),
            }},
            "aws_sqs_queue": queues(&dead),
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
                "policy": text(&controller(&events, &needs, |arn| json!(arn))),
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
    }))
}

/// The queue of events, and that of the messages that could not be read.
fn queues(dead: &Value) -> Value {
    let redrive = json!({"deadLetterTargetArn": dead, "maxReceiveCount": RECEIVED_AT_MOST});
    json!({
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
    })
}

/// Who may take the role: an expression, where the external id may be left out.
fn trusted(asked: &Asked<'_>) -> Value {
    let (who, external_id) = (json!("${var.controller_arn}"), "${var.external_id}");
    let with_id = trust(&who, Some(brings(&json!(external_id))));
    if asked.brings_external_id() {
        return text(&with_id);
    }
    // What is not chosen is evaluated, too: a null cannot stand in a text.
    let with_id = with_id.to_string().replace(&json!(external_id).to_string(), "var.external_id");
    json!(format!(
        "${{var.external_id == null ? jsonencode({}) : jsonencode({with_id})}}",
        trust(&who, None)
    ))
}

fn role(asked: &Asked<'_>) -> Result<Value, DeployError> {
    let Named { path, name } = asked.role()?;
    let (mut policies, mut attachments) = (Map::new(), Map::new());
    for (number, document) in split(asked.permissions)?.into_iter().enumerate() {
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
    let external_id = match asked.brings_external_id() {
        true => variable("[access] external_id of the fleet file."),
        false => optional("[access] external_id of the fleet file."),
    };
    let forwarding = trust_of_eventbridge(&json!("${data.aws_caller_identity.current.account_id}"));
    Ok(json!({
        "variable": {
            "controller_arn": variable("The controller's own role."),
            "external_id": external_id,
            "hub_bus_arn": variable("bus_arn of the hub."),
            "role_name": role_name(name.as_deref()),
        },
        "data": {"aws_caller_identity": {"current": {}}},
        "resource": {
            "aws_iam_policy": policies,
            "aws_iam_role": {
                "evenkeel": {
                    "path": path, "name": "${var.role_name}", "description": "evenkeel takes it to look and to repair.",
                    "assume_role_policy": trusted(asked),
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
