//! Whether the bucket's key lets the services in that deliver to the bucket: what it shuts out is not delivered,
//! and S3 says nothing of it.
//!
//! Sources: AWS Config Developer Guide, "Permissions for the KMS Key for the AWS Config Delivery Channel"; CloudWatch
//! Logs User Guide, "Logs sent to Amazon S3", "Amazon S3 bucket server-side encryption"; GuardDuty User Guide,
//! "Exporting findings", "Attaching policy to your KMS key". CloudTrail encrypts with the key of its trail, or with
//! S3's own (CloudTrail User Guide, "Encrypting CloudTrail log files"), and Macie with a key that is chosen there
//! (Macie User Guide, "Storing and retaining sensitive data discovery results"): the bucket's own is none of theirs.

use serde_json::json;

use super::Bucket;
use super::spec::{Service, Spec};
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named::{self, Named};
use crate::kinds::shapes::part::Look;
use crate::kinds::{Change, Drift};
use crate::policy_document::Keys;

/// Nobody here knows which detector or log source asks, or from which Region.
const KEYS: Keys<'static> = Keys { not_sent: &[], varying: &["aws:SourceArn"] };

/// What delivers with a bucket's key.
#[derive(Clone, Copy)]
struct Sender {
    /// As a principal.
    service: &'static str,
    /// What its `aws:SourceArn` has after the Region: the service and the resource.
    source: (&'static str, &'static str),
}

/// No object is written without it; `kms:Decrypt` is for large ones alone (S3 User Guide, "Using server-side
/// encryption with AWS KMS keys").
const ASKED: [&str; 1] = ["kms:GenerateDataKey"];

const CONFIG: Sender = Sender { service: "config.amazonaws.com", source: ("config", "*") };
const LOGS: Sender = Sender { service: "delivery.logs.amazonaws.com", source: ("logs", "*") };
const GUARD_DUTY: Sender =
    Sender { service: "guardduty.amazonaws.com", source: ("guardduty", "detector/*") };

/// Those that deliver with the bucket's key.
fn senders(spec: &Spec) -> Vec<Sender> {
    let mut senders: Vec<Sender> = Vec::new();
    for service in spec.services.iter().flatten() {
        let sender = match service {
            Service::Config => CONFIG,
            Service::VpcFlowLogs | Service::Waf | Service::Route53Resolver => LOGS,
            // It names a key itself, and the bucket's policy denies it every other than a declared ARN.
            Service::Guardduty if spec.key().is_some_and(|key| key.contains(":key/")) => GUARD_DUTY,
            _ => continue,
        };
        if !senders.iter().any(|one| one.service == sender.service) {
            senders.push(sender);
        }
    }
    senders
}

/// Whether anybody delivers with the bucket's key.
pub fn uses_key(spec: &Spec) -> bool {
    !senders(spec).is_empty()
}

fn asking(look: &Look<'_, Bucket>, key: &str) -> Vec<Asking> {
    let partition = look.facts.partition.as_str();
    let accounts: Vec<&str> = match &look.spec.source_accounts {
        Some(accounts) => accounts.iter().map(|account| account.as_str()).collect(),
        None => vec![look.facts.account.as_str()],
    };
    let of = |sender: Sender, account: &str| {
        let (service, resource) = sender.source;
        let says = json!({
            "StringEquals": { "aws:SourceAccount": account },
            "ArnLike": { "aws:SourceArn": format!("arn:{partition}:{service}:*:{account}:{resource}") },
        });
        let asking = Asking::of(sender.service, partition, key, &ASKED, &says).with(KEYS);
        match accounts.as_slice() {
            [_] => asking,
            _ => asking.for_account(account),
        }
    };
    let senders = senders(look.spec);
    let all =
        senders.iter().flat_map(|sender| accounts.iter().map(move |account| of(*sender, account)));
    all.collect()
}

/// In what words the declared key shuts services out, if it does.
pub fn shut_out(
    look: &Look<'_, Bucket>,
    declared_key: Option<&Named>,
    policy: Option<&str>,
) -> Option<String> {
    let name = look.spec.key()?;
    let key = declared_key.and_then(Named::arn)?;
    let partition = look.facts.partition.as_str();
    let_in::said(name, policy, &asking(look, key), partition)
}

/// The bucket has the declared key, which shuts services out.
pub fn closed_key<A>(spec: &Spec, said: &str) -> Change<A> {
    let key = spec.key().unwrap_or_default();
    let (there, wanted) = named::out_of_order(Some(key), key);
    let mut drift = Drift::new();
    drift.add("kms_master_key_id", Some(there), Some(wanted));
    let help = let_in::remedy("kms:GenerateDataKey* and kms:Decrypt");
    Change::finding(drift)
        .withhold(format!("{said}, so that nothing of theirs is delivered: {help}"))
}

/// A change to a key that shuts services out.
pub fn warned<A>(change: Change<A>, said: Option<String>) -> Change<A> {
    match said {
        Some(said) => {
            change.warn(format!("{said}: until they are let in, nothing of theirs is delivered"))
        }
        None => change,
    }
}
