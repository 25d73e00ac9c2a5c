//! Whom a statement for one of AWS's services means.
//!
//! A service does what whoever uses it wants. On whose behalf it may do it is said by a condition, or
//! by the place that it writes to.
//!
//! Sources: IAM User Guide, "The confused deputy problem"; CloudWatch Logs User Guide, "Encrypt log
//! data in CloudWatch Logs using AWS KMS"; CloudTrail User Guide, "Configure AWS KMS key policies for
//! CloudTrail"; ELB User Guide, "Enable access logs for your Application Load Balancer", whose bucket
//! policy names the account in its resource alone; EventBridge User Guide, "Sending events to an AWS
//! service in another account".

use serde_json::Value;

use super::{ARN_KEYS, Rise, account_of};
use crate::policy_document::patterns::texts;

/// What a service says of the thing that it encrypts for, which others cannot say in its place.
const CONTEXT: &str = "kms:encryptioncontext:";
/// Services write below it what belongs to the account whose id follows.
const LOGS_OF_ACCOUNT: &str = "/AWSLogs/";
/// What a service writes with.
const PUT: &str = "s3:PutObject";

/// AWS's services are nobody else; `*` is all of them, on behalf of whomever.
pub(super) fn rise(name: &str, what: &str) -> Option<Rise> {
    const OF_AWS: [&str; 4] =
        [".amazonaws.com", ".amazonaws.com.cn", ".amazon.com", ".aws.internal"];
    if name.contains(['*', '?', '$']) {
        return Some(Rise::Public(format!("{what} to every service that {name} means")));
    }
    (!OF_AWS.iter().any(|of| name.ends_with(of)))
        .then(|| Rise::stranger(format!("{what} to {name}, which is no service of AWS")))
}

/// Whether a service does what a statement allows in its own name only for the account that the thing
/// belongs to: EventBridge sends to the targets of other accounts with a role of theirs alone, and to
/// topics it sends no condition key that could say for whom.
pub(super) fn is_of_owner(name: &str, statement: &Value) -> bool {
    const SENT: [&str; 4] =
        ["sns:publish", "sqs:sendmessage", "logs:createlogstream", "logs:putlogevents"];
    let actions = texts(&statement["Action"]);
    name == "events.amazonaws.com"
        && !actions.is_empty()
        && actions.iter().all(|action| SENT.contains(&action.to_lowercase().as_str()))
}

/// Keys and values that say on whose behalf a service may do what a statement allows.
pub(super) fn narrowing(statement: &Value) -> Vec<(String, Vec<String>)> {
    let mut all = super::narrowing(statement);
    for (key, values) in super::sound_conditions(statement) {
        let is_context = key.starts_with(CONTEXT) && !values.is_empty();
        if is_context && values.iter().all(|arn| account_of(arn).is_some_and(is_account)) {
            // An ARN says whose the thing is, by whatever key.
            all.push((ARN_KEYS[1].to_owned(), values));
        }
    }
    let places = texts(&statement["Resource"]);
    let only_writes = statement.get("NotAction").is_none()
        && texts(&statement["Action"]).iter().all(|action| action.eq_ignore_ascii_case(PUT));
    let accounts: Option<Vec<String>> =
        places.iter().filter(|_| only_writes).map(|place| below(place)).collect();
    if let Some(accounts) = accounts.filter(|accounts| !accounts.is_empty()) {
        all.push(("aws:sourceaccount".to_owned(), accounts));
    }
    all
}

/// The account whose logs are in a place.
fn below(place: &str) -> Option<String> {
    let (_, rest) = place.split_once(LOGS_OF_ACCOUNT)?;
    let account = rest.split('/').next()?;
    is_account(account).then(|| account.to_owned())
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
