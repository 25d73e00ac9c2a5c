//! The way into the queue of events: whether its policy lets anybody send who passes CloudTrail's events on. No
//! kind declares the policy of a queue, and without it nobody is heard of.
//!
//! Source: EventBridge User Guide, "Using resource-based policies for Amazon EventBridge" (a target in SQS takes
//! a policy of the queue, or a role of the rule's target); SNS Developer Guide, "Subscribing an Amazon SQS queue".

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::policy_document::{Admission, Keys, PolicyDocument};

/// Who passes events on.
const SENDERS: [&str; 2] = ["events.amazonaws.com", "sns.amazonaws.com"];

/// What is known of the way in, besides what the policy says now.
#[derive(Debug, Default)]
pub struct Door {
    /// Whether the policy let somebody in before.
    was_open: AtomicBool,
    /// Whether something came.
    came: AtomicBool,
}

impl Door {
    /// Something came that nobody was given before.
    pub fn came(&self) {
        self.came.store(true, Ordering::Relaxed);
    }

    /// Why nothing comes in any more, if that is so. A policy that lets nobody in is no reason while things
    /// come all the same: the target of a rule may have a role instead. Where the policy was the way, and
    /// is not any more, it is one.
    ///
    /// # Errors
    /// It is no policy.
    pub fn shut(&self, policy: Option<&str>, arn: &str) -> Result<Option<String>, String> {
        let said = match policy.filter(|text| !text.is_empty()) {
            None => Admission::Out,
            Some(text) => admission(text, arn)?,
        };
        if matches!(said, Admission::In | Admission::Perhaps) {
            self.was_open.store(true, Ordering::Relaxed);
            return Ok(None);
        }
        let another_way =
            self.came.load(Ordering::Relaxed) && !self.was_open.load(Ordering::Relaxed);
        let why = match said {
            Admission::Denied => "has a statement that denies it to EventBridge",
            _ => "lets neither EventBridge nor SNS send",
        };
        Ok((!another_way).then(|| {
            format!(
                "the queue's policy {why}: let events.amazonaws.com have sqs:SendMessage on {arn}, as in the template of evenkeel deploy cloudformation hub"
            )
        }))
    }
}

/// What a policy says to those who pass events on: the best of it.
fn admission(text: &str, arn: &str) -> Result<Admission, String> {
    let policy = PolicyDocument::from_text(text).map_err(|error| error.to_string())?;
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    let of = |sender: &str| {
        let wanted = json!({
            "Effect": "Allow", "Principal": {"Service": sender},
            "Action": ["sqs:SendMessage"], "Resource": arn,
        });
        policy.admission(&wanted, Keys::default(), partition)
    };
    let all = SENDERS.map(of);
    let [first, ..] = &all;
    let is_way = |one: &&Admission| matches!(one, Admission::In | Admission::Perhaps);
    Ok(all.iter().find(is_way).unwrap_or(first).clone())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::Value;

    use super::*;

    const ARN: &str = "arn:aws:sqs:eu-west-1:111122223333:events";

    fn policy(statements: &Value) -> String {
        json!({"Version": "2012-10-17", "Statement": statements}).to_string()
    }

    fn allow(service: &str) -> Value {
        json!({
            "Effect": "Allow", "Principal": {"Service": service}, "Action": "sqs:SendMessage",
            "Resource": ARN,
            "Condition": {"ArnEquals": {"aws:SourceArn": "arn:aws:events:eu-west-1:111122223333:rule/r"}},
        })
    }

    #[test]
    fn a_policy_lets_those_in_who_pass_events_on() {
        let tls = json!({
            "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": ARN,
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        });
        let owner = json!({
            "Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sqs:*", "Resource": ARN,
        });
        let deny =
            json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:Send*", "Resource": "*"});
        let elsewhere = json!({
            "Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111122223333:other",
        });
        let open = [
            json!([allow("events.amazonaws.com"), tls]),
            json!([owner, allow("sns.amazonaws.com")]),
            json!([{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]),
        ];
        for statements in open {
            assert_eq!(Door::default().shut(Some(&policy(&statements)), ARN), Ok(None));
        }
        let shut = [
            (json!([owner]), "neither EventBridge nor SNS"),
            (json!([elsewhere]), "neither EventBridge nor SNS"),
            (json!([allow("lambda.amazonaws.com")]), "neither EventBridge nor SNS"),
            (json!([allow("events.amazonaws.com"), deny]), "denies it"),
        ];
        for (statements, words) in shut {
            let why = Door::default().shut(Some(&policy(&statements)), ARN).unwrap().unwrap();
            assert!(why.contains(words) && why.contains(ARN), "{why}");
        }
        assert!(Door::default().shut(None, ARN).unwrap().is_some());
        assert!(Door::default().shut(Some("no policy"), ARN).is_err());
    }

    #[test]
    fn what_comes_another_way_needs_no_policy_unless_the_policy_was_the_way() {
        let open = policy(&json!([allow("events.amazonaws.com")]));
        let door = Door::default();
        assert!(door.shut(None, ARN).unwrap().is_some(), "nothing came yet");
        door.came();
        assert_eq!(door.shut(None, ARN), Ok(None), "the rule's target has a role");
        assert_eq!(door.shut(Some(&open), ARN), Ok(None));
        assert!(door.shut(Some(""), ARN).unwrap().is_some(), "somebody took it away");
        assert_eq!(door.shut(Some(&open), ARN), Ok(None));
    }
}
