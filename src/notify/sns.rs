//! A topic of SNS. E-mail goes through it.
//!
//! Source: Amazon SNS API Reference, `Publish`: a subject is ASCII, begins with a letter, number or
//! punctuation mark, has no line breaks or control characters, and is less than 100 characters long; a
//! message has 256 KiB at most. FIFO topics need a group, and an id by which a message that is sent
//! again within five minutes is known.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::MessageAttributeValue;

use super::channel::{Channel, NotSent, Own};
use super::letter::Letter;
use super::words;
use crate::aws::Call;
use crate::fleet::notify::topic_of;
use crate::names::Region;

/// The call.
pub const PUBLISH: Call = Call::new("sns", "Publish");
/// The longest subject.
const SUBJECT: usize = 99;
/// The longest message, in bytes; of 256 KiB, a part is left for the attributes.
const MESSAGE: usize = 200 * 1024;

/// A topic.
pub struct Topic {
    /// Its ARN.
    pub arn: String,
    /// Our own way to AWS.
    pub own: Arc<Own>,
}

#[async_trait]
impl Channel for Topic {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let (region, is_fifo) = topic_of(&self.arn)
            .ok_or_else(|| NotSent::because("its topic_arn is no ARN of a topic"))?;
        let region = Region::new(region);
        let session = self.own.session().await.map_err(NotSent::because)?;
        let severity = MessageAttributeValue::builder()
            .data_type("String")
            .string_value(letter.severity().as_str())
            .build()
            .map_err(|error| NotSent::because(error.to_string()))?;
        let mut request = session
            .client(&region, Client::new)
            .publish()
            .topic_arn(&self.arn)
            .subject(subject(&words::subject(letter)))
            .message(whole(words::text(letter, &str::to_owned)))
            .message_attributes("severity", severity);
        if is_fifo {
            request = request.message_group_id("evenkeel").message_deduplication_id(&letter.id);
        }
        let answer = session.send(&region, PUBLISH, None, request.send()).await;
        answer.map(drop).map_err(|error| NotSent::because(error.to_string()))
    }
}

/// A subject that SNS takes.
fn subject(text: &str) -> String {
    let plain = |letter: char| match letter {
        ' '..='~' => letter,
        _ => '?',
    };
    let text: String = text.chars().map(plain).collect();
    match text.len() <= SUBJECT {
        true => text,
        false => format!("{}...", &text[..SUBJECT - 3]),
    }
}

/// As much of a message as SNS takes.
fn whole(mut text: String) -> String {
    if text.len() > MESSAGE {
        let end = (0..=MESSAGE).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        text.truncate(end);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_what_sns_takes() {
        assert_eq!(subject("[evenkeel] low: ü\n"), "[evenkeel] low: ??");
        let long = subject(&"x".repeat(200));
        assert_eq!(long.len(), SUBJECT);
        assert!(long.ends_with("..."));
        assert_eq!(whole("ü".repeat(MESSAGE)).len(), MESSAGE);
    }
}
