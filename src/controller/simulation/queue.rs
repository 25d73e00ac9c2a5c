//! The queue of events, and the calls that are made to be heard of.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;

use super::super::clocks::Clocks;
use super::super::drive::Heart;
use super::super::inbox::{Inbox, Message};
use super::world::World;
use crate::names::{AccountId, Region};

#[async_trait]
impl Inbox for World {
    async fn receive(&self) -> Result<Vec<Message>, String> {
        if self.happens(200) {
            return Err("the queue is away".to_owned());
        }
        let until = self.clocks.now() + Duration::from_secs(20);
        loop {
            let now = self.clocks.now();
            let next = {
                let mut state = self.state();
                let due: Vec<_> =
                    state.messages.extract_if(.., |(at, _)| *at <= now).take(10).collect();
                let due: Vec<Message> = due.into_iter().map(|(_, message)| message).collect();
                if !due.is_empty() || now >= until {
                    let real = due.iter().filter(|message| message.body != "?");
                    let receipts: Vec<_> = real.map(|message| message.receipt.clone()).collect();
                    state.undeleted.extend(receipts);
                    // Who dies with them is given them again.
                    let again =
                        due.iter().cloned().map(|message| (now + Duration::from_secs(60), message));
                    let again: Vec<_> = again.filter(|(_, message)| message.body != "?").collect();
                    state.messages.extend(again);
                    return Ok(due);
                }
                state.messages.iter().map(|(at, _)| *at).min()
            };
            let next = next.unwrap_or(until).max(now + Duration::from_millis(1));
            self.clocks.sleep_until(next.min(until)).await;
        }
    }

    async fn keep(&self, _: Vec<String>) -> Result<(), String> {
        Ok(())
    }

    async fn delete(&self, receipts: Vec<String>) -> Result<(), String> {
        if self.happens(50) {
            return Err("cannot delete".to_owned());
        }
        let mut state = self.state();
        for receipt in receipts {
            state.undeleted.remove(&receipt);
            state.messages.retain(|(_, message)| message.receipt != receipt);
        }
        Ok(())
    }

    fn most(&self) -> usize {
        10
    }
}

#[async_trait]
impl Heart for World {
    async fn beat(&self, account: &AccountId, _: &Region, mark: &str) -> Result<(), String> {
        self.takes(500).await;
        if self.happens(20) {
            return Err("no answer".to_owned());
        }
        let trail = (account.clone(), 0);
        if self.thing(&trail) == self.files().wanted[0] {
            let request =
                json!({"tagSet": {"items": [{"key": "evenkeel-heartbeat", "value": mark}]}});
            self.tell(account, "ec2.amazonaws.com", "CreateTags", "beat", &request);
        }
        Ok(())
    }
}
