//! The queue of events in SQS, standard or FIFO.
//!
//! Source: Amazon SQS API Reference, `ReceiveMessage`, `DeleteMessageBatch`,
//! `ChangeMessageVisibilityBatch`, `GetQueueAttributes`.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{
    BatchResultErrorEntry, ChangeMessageVisibilityBatchRequestEntry,
    DeleteMessageBatchRequestEntry, MessageSystemAttributeName, QueueAttributeName,
};

use super::door::Door;
use super::inbox::{Inbox, KEEP_EVERY, Message};
use crate::aws::meter::Meter;
use crate::aws::session::{Options, READ_TIMEOUT};
use crate::aws::{Call, Session};
use crate::names::Region;

const RECEIVE: Call = Call::new("sqs", "ReceiveMessage");
const KEEP: Call = Call::new("sqs", "ChangeMessageVisibilityBatch");
const DELETE: Call = Call::new("sqs", "DeleteMessageBatch");
const LOOK: Call = Call::new("sqs", "GetQueueAttributes");
/// Messages of one answer, which is also what one call deletes.
const AT_ONCE: i32 = 10;
/// Seconds that AWS waits for a message; its own limit.
const LONG_POLL: i32 = 20;
/// Seconds for which messages are ours: they are deleted as soon as they are in the controller's queue,
/// and kept for as long again while there is no room in it. What the open question of a controller that has
/// died takes comes again after so long. It is more than an answer is waited for (`READ_TIMEOUT`), as the SQS
/// Developer Guide has it ("Amazon SQS visibility timeout", best practices), and less than the minute within
/// which an event is mostly wanted.
const VISIBILITY: i32 = 40;
const _: () = assert!(VISIBILITY as u64 > READ_TIMEOUT.as_secs());
const _: () = assert!(VISIBILITY as u64 > 2 * KEEP_EVERY.as_secs());
/// How often a message was given out.
const COUNT: MessageSystemAttributeName = MessageSystemAttributeName::ApproximateReceiveCount;

/// A queue.
pub struct Sqs {
    url: String,
    region: Option<Region>,
    options: Options,
    /// Our own credentials, asked for when they are first needed, and again while there are none.
    session: tokio::sync::OnceCell<Session>,
    door: Door,
}

impl Sqs {
    /// The queue at a URL.
    pub fn new(url: impl Into<String>, options: Options) -> Self {
        let url = url.into();
        let session = tokio::sync::OnceCell::new();
        Self { region: region_of(&url), url, options, session, door: Door::default() }
    }

    async fn session(&self) -> Result<(&Session, Region), String> {
        let connect = || Session::connect(Arc::new(Meter::default()), self.options.clone());
        let session = self.session.get_or_try_init(connect).await;
        let session = session.map_err(|error| error.to_string())?;
        let region = self.region.as_ref().unwrap_or_else(|| session.home_region());
        Ok((session, region.clone()))
    }
}

/// The Region of a queue's URL, `https://sqs.REGION.amazonaws.com/ACCOUNT/NAME`, where it is one of
/// AWS's own.
fn region_of(url: &str) -> Option<Region> {
    let host = url.strip_prefix("https://")?.split('/').next()?;
    let region = host.strip_prefix("sqs.")?.split_once(".amazonaws.com")?.0;
    Some(Region::new(region))
}

#[async_trait]
impl Inbox for Sqs {
    async fn receive(&self) -> Result<Vec<Message>, String> {
        let (session, region) = self.session().await?;
        let request = session
            .client(&region, Client::new)
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(AT_ONCE)
            .wait_time_seconds(LONG_POLL)
            .visibility_timeout(VISIBILITY)
            .message_system_attribute_names(COUNT)
            .send();
        let answer = session.send(&region, RECEIVE, None, request).await;
        let answer = answer.map_err(|error| error.to_string())?;
        let messages = answer.messages.unwrap_or_default().into_iter();
        let mut has_new = false;
        // A message without a receipt could never be deleted, and one without a body says nothing.
        let messages: Vec<Message> = messages
            .filter_map(|message| {
                let receipt = message.receipt_handle?;
                // Without a count, nobody knows of an earlier time.
                let count = message.attributes.as_ref().and_then(|all| all.get(&COUNT));
                has_new |= count.is_none_or(|count| count == "1");
                let id = message.message_id.unwrap_or_else(|| receipt.clone());
                Some(Message { id, body: message.body.unwrap_or_default(), receipt })
            })
            .collect();
        if has_new {
            self.door.came();
        }
        Ok(messages)
    }

    async fn keep(&self, receipts: Vec<String>) -> Result<(), String> {
        let (session, region) = self.session().await?;
        let entries: Result<Vec<_>, _> = receipts
            .into_iter()
            .zip(0..)
            .map(|(receipt, id): (_, u32)| {
                ChangeMessageVisibilityBatchRequestEntry::builder()
                    .id(id.to_string())
                    .receipt_handle(receipt)
                    .visibility_timeout(VISIBILITY)
                    .build()
            })
            .collect();
        let entries = entries.map_err(|error| error.to_string())?;
        let request = session
            .client(&region, Client::new)
            .change_message_visibility_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send();
        let answer = session.send(&region, KEEP, None, request).await;
        all_done("kept", &answer.map_err(|error| error.to_string())?.failed)
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), String> {
        let (session, region) = self.session().await?;
        let entries: Result<Vec<_>, _> = receipts
            .into_iter()
            .zip(0..)
            .map(|(receipt, id): (_, u32)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(id.to_string())
                    .receipt_handle(receipt)
                    .build()
            })
            .collect();
        let entries = entries.map_err(|error| error.to_string())?;
        let request = session
            .client(&region, Client::new)
            .delete_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send();
        let answer = session.send(&region, DELETE, None, request).await;
        all_done("deleted", &answer.map_err(|error| error.to_string())?.failed)
    }

    fn most(&self) -> usize {
        usize::try_from(AT_ONCE).unwrap_or(1)
    }

    async fn shut(&self) -> Result<Option<String>, String> {
        let (session, region) = self.session().await?;
        let request = session
            .client(&region, Client::new)
            .get_queue_attributes()
            .queue_url(&self.url)
            .attribute_names(QueueAttributeName::Policy)
            .attribute_names(QueueAttributeName::QueueArn)
            .send();
        let answer = session.send(&region, LOOK, None, request).await;
        let all = answer.map_err(|error| error.to_string())?.attributes.unwrap_or_default();
        let arn = all.get(&QueueAttributeName::QueueArn).ok_or("AWS did not say its ARN")?;
        // A queue without a policy has none among its attributes.
        self.door.shut(all.get(&QueueAttributeName::Policy).map(String::as_str), arn)
    }
}

fn all_done(what: &str, failed: &[BatchResultErrorEntry]) -> Result<(), String> {
    match failed.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "{} messages could not be {what}: {}",
            failed.len(),
            first.message().unwrap_or(first.code())
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_is_that_of_the_url() {
        let of = |url| region_of(url).map(|region| region.as_str().to_owned());
        let expected = Some("eu-west-1".to_owned());
        assert_eq!(of("https://sqs.eu-west-1.amazonaws.com/111122223333/events"), expected);
        let china = of("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/events.fifo");
        assert_eq!(china.as_deref(), Some("cn-north-1"));
        for other in ["http://127.0.0.1:4566/111122223333/events", "sqs", "https://example.com/a/b"]
        {
            assert_eq!(of(other), None);
        }
    }
}
