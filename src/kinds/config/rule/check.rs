//! What a declaration of a rule must fulfil that the schema cannot say.

use super::record::LONGEST_PARAMETERS;
use super::spec::{MessageType, Owner, Spec};
use crate::baseline::catalog::SpecProblem;
use crate::names::is_arn;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = source(spec);
    problems.extend(details(spec));
    problems.extend(scope(spec));
    let parameters = spec.input_parameters.as_ref();
    let long = parameters.and_then(|map| serde_json::to_string(map).ok());
    if long.is_some_and(|text| text.len() > LONGEST_PARAMETERS) {
        problems.push(SpecProblem::new(
            "input_parameters",
            "they are longer than AWS takes",
            "as JSON, they have up to 1,024 characters",
        ));
    }
    problems
}

/// What each owner's rules have and have not.
fn source(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: &str, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    let identifier = spec.source_identifier.as_deref();
    match (spec.source_owner, identifier) {
        (Owner::CustomPolicy, Some(_)) => {
            problem("source_identifier", "a policy has none", "leave it out");
        }
        (Owner::CustomPolicy, None) => {}
        (Owner::Aws, Some(text)) => {
            let is_sign =
                |sign: u8| sign.is_ascii_uppercase() || sign.is_ascii_digit() || sign == b'_';
            if !text.bytes().all(is_sign) {
                problem(
                    "source_identifier",
                    "it is not the identifier of a rule of AWS",
                    "write it as the list of managed rules does, such as ROOT_ACCOUNT_MFA_ENABLED",
                );
            }
        }
        (Owner::CustomLambda, Some(text)) => {
            if !is_arn(text, "lambda", "function:") {
                problem(
                    "source_identifier",
                    "it is not the ARN of a Lambda function",
                    "write arn:aws:lambda:REGION:ACCOUNT:function:NAME",
                );
            }
        }
        (Owner::Aws | Owner::CustomLambda, None) => {
            problem(
                "source_identifier",
                "nothing says which rule it is",
                "name a rule of AWS, or the ARN of a Lambda function",
            );
        }
    }
    let is_policy = spec.source_owner == Owner::CustomPolicy;
    if is_policy && spec.policy_text.is_none() {
        problem("policy_text", "there is no policy", "write it, in Guard");
    }
    for (field, is_declared) in [
        ("policy_runtime", spec.policy_runtime.is_some()),
        ("policy_text", spec.policy_text.is_some()),
        ("enable_debug_log_delivery", spec.enable_debug_log_delivery.is_some()),
    ] {
        if is_declared && !is_policy {
            let help = "leave it out, or declare source_owner = \"CUSTOM_POLICY\"";
            problem(field, "only a policy has it", help);
        }
    }
    if spec.policy_runtime.as_deref().is_some_and(|runtime| runtime != "guard-2.x.x") {
        problem("policy_runtime", "Config knows guard-2.x.x alone", "write guard-2.x.x");
    }
    problems
}

fn details(spec: &Spec) -> Vec<SpecProblem> {
    const FIELD: &str = "source_details";
    let is_own = spec.source_owner != Owner::Aws;
    let mut problems = Vec::new();
    if is_own && spec.source_details.is_none() {
        let help =
            "name a message, such as { message_type = \"ConfigurationItemChangeNotification\" }";
        problems.push(SpecProblem::new(FIELD, "nothing lets the rule run", help));
    }
    for one in spec.source_details.iter().flatten() {
        let (message, help) = if !is_own {
            ("a rule of AWS has its own", "leave them out")
        } else if spec.source_owner == Owner::CustomPolicy
            && !matches!(one.message_type, MessageType::Change | MessageType::OversizedChange)
        {
            (
                "a policy runs when something changes, and by no other message",
                "name a message of changes",
            )
        } else if one.maximum_execution_frequency.is_some()
            && one.message_type != MessageType::Scheduled
        {
            ("only ScheduledNotification has a frequency", "leave the frequency out")
        } else {
            continue;
        };
        problems.push(SpecProblem::new(FIELD, message, help));
    }
    problems
}

/// Source: AWS Config API Reference, `Scope`.
fn scope(spec: &Spec) -> Option<SpecProblem> {
    let scope = spec.scope.as_ref()?;
    let types = scope.compliance_resource_types.len();
    let has_tag = scope.tag_key.is_some() || scope.tag_value.is_some();
    let (message, help) = if scope.tag_value.is_some() && scope.tag_key.is_none() {
        ("a tag's value without its key", "add tag_key")
    } else if scope.compliance_resource_id.is_some() && types != 1 {
        ("a resource is known by its type and its id", "name one type in compliance_resource_types")
    } else if has_tag && (types > 0 || scope.compliance_resource_id.is_some()) {
        ("AWS takes a tag, or types of resources, and not both", "keep one of them")
    } else {
        return None;
    };
    Some(SpecProblem::new("scope", message, help))
}
