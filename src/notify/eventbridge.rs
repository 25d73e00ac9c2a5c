//! A bus of EventBridge: an event for each notice.
//!
//! Source: Amazon EventBridge API Reference, `PutEvents` (10 entries in a request; what failed is told
//! entry by entry, with HTTP 200); User Guide, "Calculating PutEvents event entry size" (256 KB in all).

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::{Value, json};

use super::channel::{Channel, NotSent, Own};
use super::letter::{Letter, Notice};
use crate::aws::Call;
use crate::names::{Arn, Region};

/// The call.
pub const PUT: Call = Call::new("events", "PutEvents");
/// Entries of a request.
const ENTRIES: usize = 10;
/// Bytes of a request, with room for what stands around the details.
const BYTES: usize = 200 * 1024;
/// What the events say that they are from.
const SOURCE: &str = "evenkeel";
/// What the events say that they are.
const DETAIL_TYPE: &str = "evenkeel notice";

/// A bus.
pub struct Bus {
    /// Its name or ARN.
    pub name: String,
    /// Its Region.
    pub region: Option<Region>,
    /// Our own way to AWS.
    pub own: Arc<Own>,
}

#[async_trait]
impl Channel for Bus {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let session = self.own.session().await.map_err(NotSent::because)?;
        let of_arn = Arn::parse(&self.name).map(|arn| Region::new(arn.region));
        let region = self.region.clone().or(of_arn);
        let region = region.unwrap_or_else(|| session.home_region().clone());
        let client = session.client(&region, Client::new);
        let mut left = Vec::new();
        let mut why = None;
        for some in packed(letter) {
            let entries = some.iter().map(|(_, detail)| self.entry(letter, detail)).collect();
            let request = client.put_events().set_entries(Some(entries)).send();
            match session.send(&region, PUT, None, request).await {
                Ok(answer) => {
                    let answers = answer.entries();
                    for (place, (notice, _)) in some.iter().enumerate() {
                        let answer = answers.get(place);
                        if answer.is_some_and(|answer| answer.event_id().is_some()) {
                            continue;
                        }
                        let code = answer.and_then(|answer| answer.error_code());
                        let words = answer.and_then(|answer| answer.error_message());
                        why.get_or_insert(format!(
                            "the bus did not take every event: {} {}",
                            code.unwrap_or("no answer"),
                            words.unwrap_or_default()
                        ));
                        left.push((*notice).clone());
                    }
                }
                Err(error) => {
                    why.get_or_insert(error.to_string());
                    left.extend(some.iter().map(|(notice, _)| (*notice).clone()));
                }
            }
        }
        match why {
            None => Ok(()),
            Some(why) => Err(NotSent { left: Some(left), ..NotSent::because(why) }),
        }
    }
}

impl Bus {
    fn entry(&self, letter: &Letter, detail: &str) -> PutEventsRequestEntry {
        PutEventsRequestEntry::builder()
            .event_bus_name(&self.name)
            .source(SOURCE)
            .detail_type(DETAIL_TYPE)
            .detail(detail)
            .time(aws_sdk_eventbridge::primitives::DateTime::from_secs(letter.time.timestamp()))
            .build()
    }
}

/// The notices with their events, as many together as a request takes.
fn packed(letter: &Letter) -> Vec<Vec<(&Notice, String)>> {
    let mut packs: Vec<(usize, Vec<(&Notice, String)>)> = Vec::new();
    for notice in &letter.notices {
        let detail = detail(letter, notice).to_string();
        match packs.last_mut() {
            Some((bytes, pack)) if pack.len() < ENTRIES && *bytes + detail.len() <= BYTES => {
                *bytes += detail.len();
                pack.push((notice, detail));
            }
            _ => packs.push((detail.len(), vec![(notice, detail)])),
        }
    }
    packs.into_iter().map(|(_, pack)| pack).collect()
}

/// What an event says: the notice, and its place as fields that a rule can match.
fn detail(letter: &Letter, notice: &Notice) -> Value {
    let mut detail = json!({"format_version": 1});
    let parts = [serde_json::to_value(notice), serde_json::to_value(&letter.about)];
    let place = notice.places.first().map(serde_json::to_value);
    for part in parts.into_iter().chain(place).flatten() {
        if let (Some(detail), Value::Object(part)) = (detail.as_object_mut(), part) {
            detail.extend(part.into_iter().filter(|(name, _)| name != "places"));
        }
    }
    detail
}
