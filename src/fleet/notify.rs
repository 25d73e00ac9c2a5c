//! `[notify]`: who is told what, and by which channel.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::registry;

/// The channels of notices, by their sort and a name: `[notify.sns.security]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Notify {
    /// Topics of SNS, such as those that send e-mail.
    pub sns: BTreeMap<String, SnsTopic>,
    /// Incoming webhooks of Slack, or of what takes the same, such as Mattermost.
    pub slack: BTreeMap<String, SlackHook>,
    /// Webhooks of any receiver: JSON with a signature.
    pub webhook: BTreeMap<String, Webhook>,
    /// Buses of EventBridge.
    pub eventbridge: BTreeMap<String, EventBus>,
    /// Security Hub: a finding for each object.
    pub securityhub: BTreeMap<String, SecurityHub>,
}

/// What a notice is about.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum On {
    /// An object is not as declared, and is only reported.
    Drift,
    /// evenkeel changed an object, and it is as declared now.
    Applied,
    /// A change or a run failed, or came to nothing.
    Failed,
    /// A guard holds changes back.
    HeldBack,
    /// Something cannot be seen: an account, an object, or the events of an account.
    Blind,
    /// Files that cannot be used were refused; the last good ones stay in force.
    Files,
    /// An exception ends within seven days.
    ExceptionExpiring,
}

impl On {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Drift,
        Self::Applied,
        Self::Failed,
        Self::HeldBack,
        Self::Blind,
        Self::Files,
        Self::ExceptionExpiring,
    ];

    /// The word in the fleet file and in notices.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Drift => "drift",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::HeldBack => "held-back",
            Self::Blind => "blind",
            Self::Files => "files",
            Self::ExceptionExpiring => "exception-expiring",
        }
    }
}

/// How much a notice matters.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Something was put right, or will need somebody later.
    #[default]
    Low,
    /// Something is not as declared, and stays so.
    Medium,
    /// Something failed, cannot be seen, is fought over, or is open to others.
    High,
    /// What all else depends on: events, the trail behind them, the audit log.
    Critical,
}

impl Severity {
    /// The word in the fleet file and in notices.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Which notices a channel is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// About what.
    pub on: BTreeSet<On>,
    /// What matters less is not told.
    pub severity: Severity,
    /// Of these kinds or services; of all when empty.
    pub kinds: BTreeSet<String>,
    /// Of these targets; of all when empty.
    pub targets: BTreeSet<String>,
}

fn everything() -> BTreeSet<On> {
    On::ALL.into()
}

fn per_hour() -> u32 {
    60
}

fn default_bus() -> String {
    "default".to_owned()
}

/// A sort of channel: its own fields, and those that all channels have.
macro_rules! channel {
    ($(#[$about:meta])* $name:ident { $($(#[$field_about:meta])* $field:ident: $of:ty,)* }) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$field_about])* pub $field: $of,)*
            /// What is told; everything by default.
            #[serde(default = "everything")]
            pub on: BTreeSet<On>,
            /// What matters less is not told: `low` (the default), `medium`, `high` or `critical`.
            #[serde(default)]
            pub severity: Severity,
            /// Only of these kinds or services, such as `iam` or `cloudtrail.trail`; of all by default.
            #[serde(default)]
            pub kinds: BTreeSet<String>,
            /// Only of these targets; of all by default.
            #[serde(default)]
            pub targets: BTreeSet<String>,
            /// Messages in an hour at most; what is more waits, and is put together.
            #[serde(default = "per_hour")]
            #[schemars(range(min = 1, max = 3600))]
            pub per_hour: u32,
        }

        impl $name {
            /// Which notices it is for.
            pub fn filter(&self) -> Filter {
                Filter {
                    on: self.on.clone(),
                    severity: self.severity,
                    kinds: self.kinds.clone(),
                    targets: self.targets.clone(),
                }
            }
        }

        // What a field holds may be secret where it should name the place of a secret.
        impl fmt::Debug for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

channel! {
    /// A topic of SNS, standard or FIFO. evenkeel's own credentials need `sns:Publish` on it.
    SnsTopic {
        /// The topic's ARN.
        topic_arn: String,
    }
}

channel! {
    /// An incoming webhook of Slack, or of what takes the same.
    SlackHook {
        /// Where the URL is, which is a secret: `${env.NAME}` or `file:PATH`.
        url: String,
    }
}

channel! {
    /// A webhook.
    Webhook {
        /// The URL, `https://…`; or where it is, when it is a secret: `${env.NAME}` or `file:PATH`.
        url: String,
        /// Where the secret is with which messages are signed: `${env.NAME}` or `file:PATH`, 32 bytes
        /// or more, such as `openssl rand -hex 32` makes.
        secret: String,
    }
}

channel! {
    /// A bus of EventBridge. evenkeel's own credentials need `events:PutEvents` on it.
    EventBus {
        /// Its name, or its ARN where it is in another account.
        #[serde(default = "default_bus")]
        event_bus_name: String,
        /// Its Region; by default that of the ARN, else the home Region.
        #[serde(default)]
        region: Option<String>,
    }
}

channel! {
    /// Security Hub, in the account of evenkeel's own credentials, which need
    /// `securityhub:BatchImportFindings`.
    SecurityHub {
        /// The Region; by default the home Region.
        #[serde(default)]
        region: Option<String>,
    }
}

/// Where something is that must not stand in the fleet file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In an environment variable.
    Env(String),
    /// In a file, relative to the fleet file.
    File(String),
}

impl SecretPlace {
    /// What a text of the fleet file says.
    pub fn of(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("file:") {
            return (!path.is_empty()).then(|| Self::File(path.to_owned()));
        }
        let name = text.strip_prefix("${env.")?.strip_suffix('}')?;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let is_name = !name.is_empty() && name.bytes().all(fits);
        is_name.then(|| Self::Env(name.to_owned()))
    }
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(out, "the environment variable {name}"),
            Self::File(path) => write!(out, "the file {path}"),
        }
    }
}

/// Why something may not be sent to a URL, which is not said again: it may be a secret.
///
/// # Errors
/// It is not https, or leads to this machine without it being said; or it is no URL.
pub fn check_url(url: &str) -> Result<(), &'static str> {
    let Some((scheme, rest)) = url.split_once("://") else { return Err("is no URL") };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || !url.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("is no URL");
    }
    if authority.contains('@') {
        return Err("has a user or password before its host, where others would show it");
    }
    match scheme {
        "https" => Ok(()),
        "http" if is_loopback(authority) => Ok(()),
        "http" => Err("is not https; plain http is for this machine alone"),
        _ => Err("is not https"),
    }
}

fn is_loopback(authority: &str) -> bool {
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Something that a channel cannot be: the field, what is wrong with it, and what helps.
pub type Wrong = (String, String, &'static str);

const A_PLACE: &str =
    "say where it is: \"${env.NAME}\" for an environment variable, \"file:PATH\" for a file";

/// What is wrong with the channels that the schema does not see; no value that may be secret is said.
pub fn wrong(notify: &Notify, targets: &BTreeSet<&str>) -> Vec<Wrong> {
    let mut all = Vec::new();
    for (name, of) in channels(notify) {
        let at = format!("notify.{name}");
        let unknown = |target: &&String| !targets.contains(target.as_str());
        for target in of.filter.targets.iter().filter(unknown) {
            let what =
                format!("{name} is for the target {target:?}, and there is none of that name");
            all.push((format!("{at}.targets"), what, "use the name of a [[target]]"));
        }
        let is_known = |kind: &str| {
            registry::find(kind).is_some()
                || registry::all().iter().any(|one| one.name().split('.').next() == Some(kind))
        };
        for kind in of.filter.kinds.iter().filter(|kind| !is_known(kind)) {
            let what = format!("{name} is for {kind:?}, which is no kind and no service");
            all.push((format!("{at}.kinds"), what, "`evenkeel explain` lists the kinds"));
        }
        let own = name.split_once('.').map_or("", |(_, own)| own);
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if own.is_empty() || own.len() > 64 || !own.bytes().all(fits) {
            let what = format!("{name:?} is no name of a channel");
            all.push((at.clone(), what, "use letters, digits, - and _, 64 at most"));
        }
        if of.filter.on.is_empty() {
            let what = format!("{name} is told nothing");
            all.push((format!("{at}.on"), what, "leave `on` out to be told everything"));
        }
    }
    of_places(notify, &mut all);
    all
}

fn of_places(notify: &Notify, all: &mut Vec<Wrong>) {
    for (name, topic) in &notify.sns {
        if topic_of(&topic.topic_arn).is_none() {
            let what = format!("the topic of sns.{name} is no ARN of a topic");
            let help = "arn:aws:sns:REGION:ACCOUNT:NAME is one";
            all.push((format!("notify.sns.{name}.topic_arn"), what, help));
        }
    }
    for (name, hook) in &notify.slack {
        if SecretPlace::of(&hook.url).is_none() {
            let what =
                format!("the URL of slack.{name} is a secret, and must not stand in this file");
            all.push((format!("notify.slack.{name}.url"), what, A_PLACE));
        }
    }
    for (name, hook) in &notify.webhook {
        if SecretPlace::of(&hook.secret).is_none() {
            let what = format!("the secret of webhook.{name} must not stand in this file");
            all.push((format!("notify.webhook.{name}.secret"), what, A_PLACE));
        }
        if let (None, Err(why)) = (SecretPlace::of(&hook.url), check_url(&hook.url)) {
            let what = format!("the url of webhook.{name} {why}");
            let help = "use https://…, or say where it is: \"${env.NAME}\" or \"file:PATH\"";
            all.push((format!("notify.webhook.{name}.url"), what, help));
        }
    }
    let regions = notify
        .eventbridge
        .iter()
        .map(|(name, bus)| (format!("eventbridge.{name}"), &bus.region))
        .chain(
            notify
                .securityhub
                .iter()
                .map(|(name, hub)| (format!("securityhub.{name}"), &hub.region)),
        );
    for (name, region) in regions {
        let Some(region) = region else { continue };
        if crate::names::well_formed_region(region).is_err() {
            let what = format!("{region:?} of {name} is no Region");
            all.push((format!("notify.{name}.region"), what, "use a code such as eu-west-1"));
        }
    }
}

/// The Region of a topic's ARN, and whether it is a FIFO topic.
pub fn topic_of(arn: &str) -> Option<(&str, bool)> {
    let parts: Vec<&str> = arn.split(':').collect();
    match parts.as_slice() {
        ["arn", _, "sns", region, account, name]
            if !region.is_empty() && account.len() == 12 && !name.is_empty() =>
        {
            Some((region, name.ends_with(".fifo")))
        }
        _ => None,
    }
}

/// What all sorts of channels have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// Which notices it is for.
    pub filter: Filter,
    /// Messages in an hour at most.
    pub per_hour: u32,
}

/// All channels by their whole names: `sns.security`.
pub fn channels(notify: &Notify) -> BTreeMap<String, Common> {
    let mut all = BTreeMap::new();
    let mut add = |sort: &str, name: &str, filter: Filter, per_hour: u32| {
        all.insert(format!("{sort}.{name}"), Common { filter, per_hour });
    };
    notify.sns.iter().for_each(|(name, one)| add("sns", name, one.filter(), one.per_hour));
    notify.slack.iter().for_each(|(name, one)| add("slack", name, one.filter(), one.per_hour));
    notify.webhook.iter().for_each(|(name, one)| add("webhook", name, one.filter(), one.per_hour));
    let buses = notify.eventbridge.iter();
    buses.for_each(|(name, one)| add("eventbridge", name, one.filter(), one.per_hour));
    let hubs = notify.securityhub.iter();
    hubs.for_each(|(name, one)| add("securityhub", name, one.filter(), one.per_hour));
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_https_and_this_machine_are_sent_to() {
        for good in [
            "https://hooks.example.com/x?y=1",
            "http://127.0.0.1:8080/x",
            "http://localhost/x",
            "http://[::1]:80/",
        ] {
            assert_eq!(check_url(good), Ok(()), "{good}");
        }
        for bad in [
            "http://hooks.example.com/",
            "http://10.0.0.1/",
            "http://169.254.169.254/latest/meta-data",
            "http://localhost.example.com/",
            "ftp://x/",
            "https://",
            "https://user:secret@x.example/",
            "https://x.example/a b",
            "x",
        ] {
            assert!(check_url(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_secret_has_a_place_and_is_not_in_the_file() {
        assert_eq!(SecretPlace::of("${env.HOOK}"), Some(SecretPlace::Env("HOOK".to_owned())));
        assert_eq!(SecretPlace::of("file:a/b"), Some(SecretPlace::File("a/b".to_owned())));
        for other in ["", "file:", "${env.}", "${env.A-B}", "https://x.example/", "env:HOOK"] {
            assert_eq!(SecretPlace::of(other), None, "{other}");
        }
        let secret = "https://hooks.example.com/T000/verysecret";
        let text = format!(
            "[slack.ops]\nurl = \"{secret}\"\n[webhook.x]\nurl = \"{secret}\"\nsecret = \"verysecret\""
        );
        let notify: Notify = toml::from_str(&text).unwrap();
        let said = format!("{:?} {notify:?}", wrong(&notify, &BTreeSet::new()));
        assert!(!said.contains("verysecret"), "{said}");
        assert_eq!(wrong(&notify, &BTreeSet::new()).len(), 2);
    }

    #[test]
    fn what_a_channel_cannot_be_is_named_with_its_field() {
        let text = "[sns.a]\ntopic_arn = \"x\"\non = []\n[eventbridge.b]\nregion = \"x@y\"\n\
                    [securityhub.c]\nkinds = [\"iam\", \"nope\"]\ntargets = [\"prod\", \"none\"]";
        let notify: Notify = toml::from_str(text).unwrap();
        let all = wrong(&notify, &BTreeSet::from(["prod"]));
        let fields: Vec<&str> = all.iter().map(|(field, ..)| field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "notify.securityhub.c.targets",
                "notify.securityhub.c.kinds",
                "notify.sns.a.on",
                "notify.sns.a.topic_arn",
                "notify.eventbridge.b.region"
            ]
        );
        assert!(toml::from_str::<Notify>("[sms.x]\nnumber = \"1\"").is_err());
        assert!(toml::from_str::<Notify>("[sns.x]\ntopic_arn = \"x\"\nonly = 1").is_err());
    }
}
