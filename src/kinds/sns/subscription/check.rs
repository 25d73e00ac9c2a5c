//! What SNS would refuse of a subscription, said before anything is asked for.

use super::{Protocol, Spec};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::pattern;
use crate::kinds::sns::delivery;
use crate::names::is_arn;

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems: Vec<SpecProblem> = endpoint(spec).into_iter().collect();
    let mut problem = |field: &str, message: &str, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    let protocol = spec.protocol;
    let is_firehose = protocol == Protocol::Firehose;
    if is_firehose != spec.subscription_role_arn.is_some() {
        let (message, help) = match is_firehose {
            true => ("a delivery stream takes messages by a role alone", "add it"),
            false => ("only a delivery stream is written to with a role", "leave it out"),
        };
        problem("subscription_role_arn", message, help);
    }
    // Source: SNS API Reference, `Subscribe`, `RawMessageDelivery` and `DeliveryPolicy`; SNS Developer
    // Guide, "Raw message delivery".
    let is_raw = matches!(protocol, Protocol::Sqs | Protocol::Https | Protocol::Firehose);
    if spec.raw_message_delivery == Some(true) && !is_raw {
        problem(
            "raw_message_delivery",
            "only queues, HTTPS endpoints and delivery streams get messages as they are",
            "leave it out",
        );
    }
    if spec.delivery_policy.is_some() && protocol != Protocol::Https {
        problem(
            "delivery_policy",
            "only HTTPS endpoints have a delivery policy",
            "leave it out, or declare redrive_policy",
        );
    }
    if let Some(policy) = &spec.delivery_policy
        && protocol == Protocol::Https
        && let Some(wrong) = delivery::wrong(policy, delivery::Of::Subscription)
    {
        let help = "see \"Creating an HTTP/S delivery policy\" in the SNS Developer Guide";
        problem("delivery_policy", &wrong, help);
    }
    if protocol == Protocol::Sqs && spec.endpoint.ends_with(".fifo") {
        problem(
            "endpoint",
            "a FIFO queue cannot be subscribed to a standard topic",
            "name a standard queue",
        );
    }
    if let Some((path, wrong)) = spec.filter_policy.as_ref().and_then(pattern::wrong) {
        problem(
            "filter_policy",
            &format!("{path} {wrong}"),
            "write a list of values: { severity = [\"HIGH\"] }",
        );
    }
    let filters = spec.filter_policy.as_ref().is_some_and(|policy| !policy.is_empty());
    if spec.filter_policy_scope.is_some() && !filters {
        problem(
            "filter_policy_scope",
            "there is no filter policy that could look at it",
            "add filter_policy",
        );
    }
    if let Some(policy) = spec.redrive_policy.as_ref().filter(|policy| !policy.is_empty()) {
        let queue = policy.get("deadLetterTargetArn").and_then(serde_json::Value::as_str);
        if policy.len() != 1 || !queue.is_some_and(|arn| is_arn(arn, "sqs", "")) {
            problem(
                "redrive_policy",
                "it names no queue",
                "write { deadLetterTargetArn = \"arn:…:sqs:…\" }, or {} for none",
            );
        }
    }
    problems
}

/// Whether the endpoint is one of its protocol.
fn endpoint(spec: &Spec) -> Option<SpecProblem> {
    let text = spec.endpoint.as_str();
    let help = match spec.protocol {
        Protocol::Email | Protocol::EmailJson => {
            let is_address = text.split_once('@').is_some_and(|(user, host)| {
                !user.is_empty() && host.contains('.') && !host.contains('@')
            });
            (!is_address || text.contains(char::is_whitespace)).then_some("write a mail address")
        }
        Protocol::Https => https(text),
        Protocol::Sqs => (!is_arn(text, "sqs", "")).then_some("write the ARN of a queue"),
        Protocol::Lambda => {
            (!is_arn(text, "lambda", "function:")).then_some("write the ARN of a function")
        }
        Protocol::Firehose => (!is_arn(text, "firehose", "deliverystream/"))
            .then_some("write the ARN of a delivery stream"),
        Protocol::Sms => {
            // E.164, in which AWS shows them (SNS Developer Guide, "Publishing to a mobile phone").
            let is_number = text.strip_prefix('+').is_some_and(|digits| {
                (4..=15).contains(&digits.len()) && digits.bytes().all(|one| one.is_ascii_digit())
            });
            (!is_number).then_some("write a phone number as +15550100")
        }
    }?;
    // The text may hold a secret.
    let message = format!("it is no endpoint of the protocol {}", spec.protocol.as_str());
    Some(SpecProblem::new("endpoint", message, help))
}

/// What the names of parameters have in them that stand for credentials.
const SECRETS: [&str; 12] = [
    "apikey",
    "auth",
    "bearer",
    "code",
    "credential",
    "hash",
    "key",
    "pass",
    "pwd",
    "secret",
    "sig",
    "token",
];
/// From how many letters and digits on a value is taken for a random one.
const RANDOM: usize = 20;

/// Whether a query looks as if it had a credential in it: by the name of a parameter, or by a value that nobody
/// would choose.
fn holds_secret(query: &str) -> bool {
    let query = query.split('#').next().unwrap_or_default();
    query.split(['&', ';']).any(|part| {
        let (name, value) = part.split_once('=').unwrap_or(("", part));
        let letters = |one: &char| one.is_ascii_alphanumeric();
        let name: String = name.chars().filter(letters).collect::<String>().to_lowercase();
        let is_random = value.len() >= RANDOM
            && value.bytes().any(|one| one.is_ascii_digit())
            && value.bytes().any(|one| one.is_ascii_alphabetic())
            && !value.contains(['.', '/', ':']);
        (!value.is_empty() && SECRETS.iter().any(|word| name.contains(word))) || is_random
    })
}

fn https(text: &str) -> Option<&'static str> {
    let Some(rest) = text.strip_prefix("https://") else { return Some("write https://…") };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if host.contains('@') {
        return Some(
            "leave user and password out: plans and logs would show them, and so would AWS's list",
        );
    }
    if text.split_once('?').is_some_and(|(_, query)| holds_secret(query)) {
        return Some(
            "leave keys and tokens out of the query: plans and logs would show them, and so would AWS's list; let a function or a queue stand between, which adds them",
        );
    }
    (host.is_empty() || text.contains(char::is_whitespace)).then_some("write https://host/…")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_a_credential_in_it_is_refused() {
        for text in [
            "https://u:p@a.example/x",
            "https://a.example/x?token=S",
            "https://a.example/x?a=b&api_key=S",
            "https://a.example/?X-Amz-Signature=S",
            "https://a.example/?q=0123456789abcdef0123456789",
            "https://a.example?01234567890123456789abc",
        ] {
            let help = https(text).unwrap_or_default();
            assert!(help.contains("plans and logs would show"), "{text}: {help}");
        }
        for text in [
            "https://a.example/x",
            "https://a.example/x?team=security&env=prod",
            "https://a.example/?",
        ] {
            assert_eq!(https(text), None, "{text}");
        }
    }
}
