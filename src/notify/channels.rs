//! The channels of a fleet file, ready to be sent to.

use std::path::Path;
use std::sync::Arc;

use super::channel::{Channel, Own, Reached};
use super::letter::Reader;
use super::{eventbridge, securityhub, slack, sns, webhook};
use crate::aws::session::Options;
use crate::fleet::notify::{self, Notify};
use crate::names::Region;

/// Who reads a channel, by its whole name.
pub fn reader(name: &str) -> Reader {
    match name.split('.').next() {
        Some("eventbridge" | "securityhub") => Reader::Program,
        _ => Reader::People,
    }
}

/// All channels of a fleet file in this folder.
pub fn all(notify: &Notify, folder: &Path, options: &Options) -> Vec<Reached> {
    let own = Arc::new(Own::new(options.clone()));
    let region = |region: &Option<String>| region.as_deref().map(Region::new);
    let mut all: Vec<(String, Box<dyn Channel>)> = Vec::new();
    for (name, topic) in &notify.sns {
        let channel = sns::Topic { arn: topic.topic_arn.clone(), own: Arc::clone(&own) };
        all.push((format!("sns.{name}"), Box::new(channel)));
    }
    for (name, hook) in &notify.slack {
        let channel = slack::Hook { url: hook.url.clone(), folder: folder.to_owned() };
        all.push((format!("slack.{name}"), Box::new(channel)));
    }
    for (name, hook) in &notify.webhook {
        let channel = webhook::Hook {
            url: hook.url.clone(),
            secret: hook.secret.clone(),
            folder: folder.to_owned(),
        };
        all.push((format!("webhook.{name}"), Box::new(channel)));
    }
    for (name, bus) in &notify.eventbridge {
        let channel = eventbridge::Bus {
            name: bus.event_bus_name.clone(),
            region: region(&bus.region),
            own: Arc::clone(&own),
        };
        all.push((format!("eventbridge.{name}"), Box::new(channel)));
    }
    for (name, hub) in &notify.securityhub {
        let channel = securityhub::Hub { region: region(&hub.region), own: Arc::clone(&own) };
        all.push((format!("securityhub.{name}"), Box::new(channel)));
    }
    let mut commons = notify::channels(notify);
    all.into_iter()
        .filter_map(|(name, channel)| {
            let common = commons.remove(&name)?;
            Some(Reached { reader: reader(&name), name, common, channel })
        })
        .collect()
}
