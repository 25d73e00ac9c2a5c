//! What AWS tells of: a message of the queue becomes the parts that it may have touched and who did
//! it, and nothing else.
//!
//! CloudTrail's record of a call comes through EventBridge, as the whole event, into SQS, directly or
//! through SNS. Source: EventBridge User Guide, "AWS service events delivered via AWS CloudTrail";
//! CloudTrail User Guide, "CloudTrail record contents for management, data, and network activity
//! events".

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use serde::Deserialize;

pub use super::caller::Caller;
use super::queue::{Called, Part};
use crate::kinds::{Scope, registry};
use crate::names::{AccountId, Region};
use crate::reconcile::Named;
use crate::store::history::ByWhom;

/// What EventBridge calls CloudTrail's events of calls, of sign-ins and of service events.
const FROM_CLOUDTRAIL: &str = "via CloudTrail";
/// The call by whose event the controller knows that events come: its source and name.
pub const HEARTBEAT: (&str, &str) = ("ec2.amazonaws.com", "CreateTags");
/// The tag that such a call carries, with its mark as the value.
pub const HEARTBEAT_TAG: &str = "evenkeel-heartbeat";
/// What a caller may make of a name of theirs, cut short.
const LONGEST: usize = 256;

/// A call that AWS tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// CloudTrail's id of it, the same however often it comes.
    pub id: String,
    /// When the call was made.
    pub time: DateTime<Utc>,
    /// The account that it was made in.
    pub account: AccountId,
    /// The Region that it was made in; `us-east-1` for global services.
    pub region: Region,
    /// The call, as `cloudtrail.amazonaws.com:DeleteTrail`.
    pub call: String,
    /// Who made it.
    pub by: Caller,
    /// What it names.
    pub named: Arc<Named>,
    /// Why AWS refused it; then it changed nothing.
    pub refused: Option<String>,
    /// The mark of a call that a controller made only to hear of it.
    pub heartbeat: Option<String>,
    /// The same for a call that the same caller makes again, asking for the same: it says how soon is looked,
    /// and never whether.
    pub sort: u64,
}

impl Event {
    /// As a cause of a look; `told` is now.
    pub fn called(&self, told: DateTime<Utc>) -> Called {
        let by = ByWhom {
            principal: self.by.arn.clone(),
            call: self.call.clone(),
            time: Some(self.time),
            address: self.by.source_address.clone(),
            agent: self.by.user_agent.clone(),
            event: Some(self.id.clone()),
            ..ByWhom::default()
        };
        let identity = self.by.source_identity.clone();
        Called::of(by, identity, self.region.clone(), Arc::clone(&self.named), told)
    }
}

/// A message that is no event of CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEvent {
    /// It cannot be read.
    #[error("it is no event in JSON: {0}")]
    Unreadable(String),
    /// It is an event of another kind.
    #[error("it is {0:?}, and not an event of CloudTrail")]
    OfAnotherKind(String),
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "detail-type")]
    detail_type: String,
    account: String,
    region: String,
    #[serde(default)]
    detail: serde_json::Value,
}

/// What SNS puts around a message.
#[derive(Deserialize)]
struct Notification {
    #[serde(rename = "Type")]
    _type: String,
    #[serde(rename = "TopicArn")]
    _topic: String,
    #[serde(rename = "Message")]
    message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(rename = "eventID")]
    event_id: String,
    event_time: DateTime<Utc>,
    event_source: String,
    event_name: String,
    error_code: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_address: Option<String>,
    user_agent: Option<String>,
    recipient_account_id: Option<String>,
    #[serde(default)]
    user_identity: Identity,
    #[serde(default)]
    request_parameters: serde_json::Value,
    #[serde(default)]
    response_elements: serde_json::Value,
    #[serde(default)]
    resources: serde_json::Value,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Identity {
    #[serde(rename = "type")]
    kind: Option<String>,
    arn: Option<String>,
    invoked_by: Option<String>,
    session_context: Option<SessionContext>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SessionContext {
    source_identity: Option<String>,
}

/// Reads a message.
///
/// # Errors
/// It is no event of CloudTrail.
pub fn parse(body: &str) -> Result<Event, NoEvent> {
    let unwrapped = serde_json::from_str::<Notification>(body).map(|sns| sns.message);
    let body = unwrapped.as_deref().unwrap_or(body);
    let envelope: Envelope = serde_json::from_str(body).map_err(unreadable)?;
    if !envelope.detail_type.ends_with(FROM_CLOUDTRAIL) {
        return Err(NoEvent::OfAnotherKind(short(envelope.detail_type)));
    }
    let detail = Detail::deserialize(envelope.detail).map_err(unreadable)?;
    let (heartbeat, sort) = (mark(&detail), sort(&detail));
    let named = Named::of(&detail.request_parameters, &detail.resources, &detail.response_elements);
    let Identity { kind, arn, invoked_by, session_context } = detail.user_identity;
    // The account whose trail recorded it is where something changed, whoever called.
    let account = detail.recipient_account_id.unwrap_or(envelope.account);
    Ok(Event {
        id: short(detail.event_id),
        time: detail.event_time,
        account: account.parse().map_err(unreadable)?,
        region: region(envelope.region)?,
        call: short(format!("{}:{}", detail.event_source, detail.event_name)),
        by: Caller {
            arn: short(
                arn.filter(|arn| !arn.is_empty())
                    .or(invoked_by)
                    .or(kind)
                    .unwrap_or_else(|| "nobody named".to_owned()),
            ),
            source_identity: session_context.and_then(|context| context.source_identity).map(short),
            source_address: detail.source_address.map(short),
            user_agent: detail.user_agent.map(short),
        },
        named: Arc::new(named),
        refused: detail.error_code.map(short),
        heartbeat,
        sort,
    })
}

fn sort(detail: &Detail) -> u64 {
    let mut hasher = DefaultHasher::new();
    let Detail { event_source, event_name, user_identity, request_parameters, .. } = detail;
    (event_source, event_name, &user_identity.arn, &user_identity.invoked_by).hash(&mut hasher);
    request_parameters.to_string().hash(&mut hasher);
    hasher.finish()
}

/// The mark of a call that was made only to be heard of: the value of its tag.
fn mark(detail: &Detail) -> Option<String> {
    if detail.event_name != HEARTBEAT.1 || detail.event_source != HEARTBEAT.0 {
        return None;
    }
    let tags = detail.request_parameters.get("tagSet")?.get("items")?.as_array()?;
    let ours = tags.iter().find(|tag| tag["key"] == HEARTBEAT_TAG)?;
    ours["value"].as_str().map(|mark| short(mark.to_owned()))
}

fn unreadable(problem: impl ToString) -> NoEvent {
    NoEvent::Unreadable(problem.to_string())
}

fn region(text: String) -> Result<Region, NoEvent> {
    let is_code = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    match !text.is_empty()
        && text.len() <= 32
        && text.bytes().all(|letter| is_code(letter) || letter == b'-')
    {
        true => Ok(Region::new(text)),
        false => Err(unreadable("its region is none")),
    }
}

fn short(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// Which kinds a call may touch.
#[derive(Debug)]
pub struct Routes(BTreeMap<String, Vec<(&'static str, Scope)>>);

impl Routes {
    /// The routes of all kinds, from their tables of calls.
    pub fn of_all_kinds() -> &'static Self {
        static ALL: LazyLock<Routes> = LazyLock::new(|| {
            let mut routes: BTreeMap<String, Vec<(&'static str, Scope)>> = BTreeMap::new();
            for kind in registry::all() {
                for call in kind.events() {
                    routes.entry(call).or_default().push((kind.name(), kind.scope()));
                }
            }
            Routes(routes)
        });
        &ALL
    }

    /// The kinds that a call in a Region may have touched, with the Region where a kind has several.
    pub fn touched<'a>(
        &'a self,
        call: &str,
        region: &'a Region,
    ) -> impl Iterator<Item = (&'static str, Option<&'a Region>)> {
        let kinds = self.0.get(call).map(Vec::as_slice).unwrap_or_default();
        kinds
            .iter()
            .map(move |(kind, scope)| (*kind, (*scope == Scope::Regional).then_some(region)))
    }

    /// The parts that an event may have touched: none where AWS refused the call.
    pub fn parts(&self, event: &Event) -> BTreeSet<Part> {
        if event.refused.is_some() {
            return BTreeSet::new();
        }
        let part = |(kind, region): (&'static str, Option<&Region>)| Part {
            account: event.account.clone(),
            kind,
            region: region.cloned(),
        };
        self.touched(&event.call, &event.region).map(part).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn message(source: &str, name: &str) -> Value {
        json!({
            "version": "0", "id": "7bf73129-1428-4cd3-a780-95db273d1602",
            "detail-type": "AWS API Call via CloudTrail", "source": "aws.cloudtrail",
            "account": "111122223333", "time": "2026-03-01T12:00:02Z", "region": "eu-west-1",
            "resources": [],
            "detail": {
                "eventVersion": "1.11", "eventID": "e1", "eventTime": "2026-03-01T12:00:00Z",
                "eventSource": source, "eventName": name, "awsRegion": "eu-west-1",
                "sourceIPAddress": "192.0.2.1", "userAgent": "aws-cli/2.31",
                "userIdentity": {
                    "type": "AssumedRole", "principalId": "AROA:mallory",
                    "arn": "arn:aws:sts::111122223333:assumed-role/admin/mallory",
                    "sessionContext": {"sourceIdentity": "mallory@example.com"},
                },
                "requestParameters": {"name": "main"},
            },
        })
    }

    #[test]
    fn who_did_what_where_is_read_and_nothing_else() {
        let text = message("cloudtrail.amazonaws.com", "DeleteTrail").to_string();
        let event = parse(&text).unwrap();
        let through_sns = json!({"Type": "Notification", "TopicArn": "arn", "Message": text});
        assert_eq!(parse(&through_sns.to_string()).unwrap(), event);
        assert_eq!(event.call, "cloudtrail.amazonaws.com:DeleteTrail");
        assert_eq!(event.by.arn, "arn:aws:sts::111122223333:assumed-role/admin/mallory");
        assert_eq!(event.by.source_identity.as_deref(), Some("mallory@example.com"));
        assert_eq!(event.by.source_address.as_deref(), Some("192.0.2.1"));
        let parts = Routes::of_all_kinds().parts(&event);
        let kinds: Vec<_> = parts.iter().map(|part| (part.kind, part.region.clone())).collect();
        assert_eq!(kinds, [("cloudtrail.trail", None)]);
        let named = Named::of(&json!({"name": "main"}), &json!(null), &json!(null));
        assert_eq!(*event.named, named);
    }

    #[test]
    fn the_account_is_the_one_where_something_changed() {
        let mut message = message("kms.amazonaws.com", "DisableKey");
        message["detail"]["recipientAccountId"] = json!("444455556666");
        assert_eq!(parse(&message.to_string()).unwrap().account.as_str(), "444455556666");
    }

    #[test]
    fn a_regional_kind_is_looked_at_where_the_call_was_made() {
        let event =
            parse(&message("ec2.amazonaws.com", "DisableEbsEncryptionByDefault").to_string());
        let parts = Routes::of_all_kinds().parts(&event.unwrap());
        let part = parts.first().unwrap();
        assert_eq!((part.kind, parts.len()), ("ec2.ebs_encryption", 1));
        assert_eq!(part.region, Some(Region::new("eu-west-1")));
    }

    #[test]
    fn a_refused_call_changed_nothing_and_others_touch_no_kind() {
        let routes = Routes::of_all_kinds();
        let mut denied = message("cloudtrail.amazonaws.com", "DeleteTrail");
        denied["detail"]["errorCode"] = json!("AccessDenied");
        let event = parse(&denied.to_string()).unwrap();
        assert!(event.refused.is_some() && routes.parts(&event).is_empty());
        let other = parse(&message("sqs.amazonaws.com", "CreateQueue").to_string()).unwrap();
        assert!(routes.parts(&other).is_empty());
    }

    #[test]
    fn a_call_that_was_made_only_to_be_heard_of_has_a_mark() {
        let mut beat = message("ec2.amazonaws.com", "CreateTags");
        beat["detail"]["errorCode"] = json!("Client.DryRunOperation");
        beat["detail"]["requestParameters"] = json!({
            "resourcesSet": {"items": [{"resourceId": "vpc-0"}]},
            "tagSet": {"items": [{"key": "a", "value": "b"}, {"key": HEARTBEAT_TAG, "value": "m"}]},
        });
        let marked = |message: &Value| parse(&message.to_string()).unwrap().heartbeat;
        assert_eq!(marked(&beat).as_deref(), Some("m"));
        let mut other = beat.clone();
        other["detail"]["eventName"] = json!("DeleteTags");
        let mut plain = beat.clone();
        plain["detail"]["requestParameters"]["tagSet"]["items"][1]["key"] = json!("c");
        let mut odd = beat;
        odd["detail"]["requestParameters"] = json!(["tagSet"]);
        for message in [other, plain, odd] {
            assert_eq!(marked(&message), None);
        }
    }

    #[test]
    fn what_is_no_event_says_why() {
        let mut health = message("a", "b");
        health["detail-type"] = json!("AWS Health Event");
        assert!(matches!(parse(&health.to_string()), Err(NoEvent::OfAnotherKind(_))));
        let mut nameless = message("a", "b");
        nameless["detail"]["eventName"] = json!(null);
        let mut nowhere = message("a", "b");
        nowhere["region"] = json!("eu-west-1; rm");
        let mut nobody = message("a", "b");
        nobody["account"] = json!("12");
        for message in [nameless, nowhere, nobody, json!({}), json!("text"), json!(null)] {
            let read = parse(&message.to_string());
            assert!(matches!(read, Err(NoEvent::Unreadable(_))), "{message}: {read:?}");
        }
    }

    #[test]
    fn long_words_of_a_caller_are_cut() {
        let mut message = message("a", "b");
        message["detail"]["userAgent"] = json!("ü".repeat(100_000));
        let agent = parse(&message.to_string()).unwrap().by.user_agent.unwrap();
        assert_eq!(agent.chars().count(), LONGEST + 1);
    }

    #[test]
    fn every_event_of_every_kind_leads_back_to_it() {
        let routes = Routes::of_all_kinds();
        for kind in registry::all() {
            for call in kind.events() {
                let (source, name) = call.split_once(':').unwrap();
                let event = parse(&message(source, name).to_string()).unwrap();
                let parts = routes.parts(&event);
                assert!(parts.iter().any(|part| part.kind == kind.name()), "{call}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in ".{0,200}") {
            let _ = parse(&text);
            let mut message = message("a", "b");
            message["detail"]["userIdentity"]["arn"] = json!(text);
            prop_assert!(parse(&message.to_string()).is_ok());
        }
    }
}
