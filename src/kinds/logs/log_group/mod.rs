//! `logs.log_group`: a log group that evenkeel makes and keeps as declared, part by part.

mod data_protection;
pub mod deletion_protection;
pub mod kms_key;
mod protection_document;
pub mod retention;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::{Client, types};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::logs::claims::{self, Claimed};
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::shapes::tagged::{OwnTags, Tagged, declares, sets};
use crate::kinds::spec::{aws_enum, found};
use crate::kinds::tags::{self, LOGS, TagRules, Tags};
use crate::kinds::{
    Allowed, Arns, Change, Claim, Controls, Cx, Drift, Facts, Found, Kind, Made, Object,
    ObserveError, Scope, Stricter, Use, WriteCx, WriteError, known, told,
};
use crate::names::Region;

pub const LIST_TAGS: Call = Call::new("logs", "ListTagsForResource");
pub const DESCRIBE: Call = Call::new("logs", "DescribeLogGroups");
const CREATE: Call = Call::new("logs", "CreateLogGroup");

/// A log group: for how long its events are kept, with which key they are encrypted, who may see
/// what is in them, and whether anybody can delete it.
///
/// evenkeel makes a group that is not there, and never deletes one. Groups of other names are left
/// alone.
///
/// Source: CloudWatch Logs API Reference, `CreateLogGroup`, `DescribeLogGroups`, `PutRetentionPolicy`,
/// `AssociateKmsKey`, `PutLogGroupDeletionProtection`, `PutDataProtectionPolicy`.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The group's name, up to 512 letters, digits and `.`, `-`, `_`, `/`, `#`. Nobody but AWS makes
    /// groups whose names begin with `aws/`.
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[.\-_/#A-Za-z0-9]+$"))]
    pub log_group_name: String,
    /// The class, which is chosen when the group is made and never changes. AWS's default is
    /// `STANDARD`, the only one with metric filters.
    pub log_group_class: Option<LogGroupClass>,
    /// For how many days events are kept: 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545,
    /// 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653; 0 for ever, which is AWS's default. An
    /// account-level retention policy goes before it, and is reported where it does. Groups of the class
    /// `DELIVERY` keep events for one day, whatever is declared, which is reported.
    pub retention_in_days: Option<u32>,
    /// Whether events may be kept for longer: `at_least` (the default) or `exact`.
    pub retention_mode: Option<RetentionMode>,
    /// The KMS key of new events, by ARN, id or alias; "" for a key of AWS. Compared is the key
    /// itself; one that is gone or disabled is reported. The key's policy must let
    /// `logs.<region>.amazonaws.com` use it for this group; where it does not, and the key is one of
    /// this account, that is reported too.
    pub kms_key_id: Option<String>,
    /// Whether nobody can delete the group before this is turned off. AWS's default is false.
    pub deletion_protection_enabled: Option<bool>,
    /// The data protection policy, in AWS's own JSON shape: what is found and masked in events; {}
    /// for none. Policies of the account add to it.
    pub data_protection_policy: Option<Map<String, Value>>,
    /// All tags of the group; {} for none. Tags of AWS (`aws:…`) are left alone.
    pub tags: Option<BTreeMap<String, String>>,
}

aws_enum! {
    /// The class of a log group.
    LogGroupClass {
        Standard = "STANDARD",
        InfrequentAccess = "INFREQUENT_ACCESS",
        Delivery = "DELIVERY",
        Essentials = "ESSENTIALS",
    }
}

/// How a retention is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetentionMode {
    /// To keep events for longer is as good.
    #[default]
    AtLeast,
    /// Only this very number of days.
    Exact,
}

/// Which group.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    log_group_name: String,
    /// Its class, when it is declared.
    log_group_class: Option<LogGroupClass>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct LogGroup;

impl Kind for LogGroup {
    const NAME: &'static str = "logs.log_group";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Named { field: "log_group_name", prefix: "" };
    const AFTER: &'static [&'static str] = &["kms.key"];
    const NOT_STATE: &'static [&'static str] = &["log_group_name", "retention_mode"];
    const IN_REGION: &'static [&'static str] = &["kms_key_id"];
    const BESIDE: &'static [&'static str] = &[
        "/parts/kms_key_id/declared",
        "/parts/kms_key_id/key_policy",
        "/parts/retention_in_days/policy",
    ];
    const CONTROLS: Controls = Controls {
        security_hub: &["CloudWatch.16"],
        well_architected: &["SEC04-BP01", "SEC07-BP04", "SEC08-BP02"],
        by_fields: &[(&["CloudWatch.16"], &["retention_in_days"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[Use::read(DESCRIBE), Use::write(CREATE, group)];
    const LENT: Option<&'static [Call]> = Some(&[CREATE]);
    const CLAIMS: &'static [&'static str] = &[claims::THING];
    const MORE_EVENTS: &'static [&'static str] = &[
        "logs.amazonaws.com:DeleteLogGroup",
        "logs.amazonaws.com:PutAccountPolicy",
        "logs.amazonaws.com:DeleteAccountPolicy",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("log_group_class", r#""STANDARD""#),
        ("kms_key_id", r#""""#),
        ("deletion_protection_enabled", "false"),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[kms.key.logs]
service_principals = ["logs.eu-west-1.amazonaws.com", "logs.us-east-1.amazonaws.com"]

[logs.log_group.audit]
log_group_name              = "/audit/cloudtrail"
log_group_class             = "STANDARD"
retention_in_days           = 365
kms_key_id                  = "${kms.key.logs.alias}"
deletion_protection_enabled = true
tags                        = { team = "security", purpose = "audit" }

[logs.log_group.audit.data_protection_policy]
Name      = "mask-addresses"
Version   = "2021-06-01"
Statement = [
    { Sid = "find", DataIdentifier = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"], Operation = { Audit = { FindingsDestination = {} } } },
    { Sid = "mask", DataIdentifier = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"], Operation = { Deidentify = { MaskConfig = {} } } },
]
"#,
        r#"
[logs.log_group.audit]
log_group_name              = "/audit/cloudtrail"
retention_in_days           = 400
retention_mode              = "exact"
kms_key_id                  = ""
deletion_protection_enabled = false
data_protection_policy      = {}
tags                        = {}
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("log_group_class"),
        Stricter::MoreOrNone("retention_in_days"),
        Stricter::On("deletion_protection_enabled"),
        Stricter::Set("kms_key_id"),
        Stricter::Set("data_protection_policy"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = retention::check(spec);
        problems.extend(kms_key::check(spec));
        problems.extend(data_protection::check(spec));
        problems.extend(LOGS.check(spec.tags.as_ref()));
        problems
    }

    // A sweep over all groups can declare it too.
    fn claims(_facts: &Facts, spec: &Spec, object: &Object<Self::State>) -> Vec<Claim> {
        let Some(state) = object.state() else { return Vec::new() };
        let key = state.now::<kms_key::KmsKey>().and_then(|now| now.declared);
        Claimed {
            log_group_name: &spec.log_group_name,
            retention_in_days: spec.retention_in_days,
            keeps_longer: spec.retention_mode.unwrap_or_default() == RetentionMode::AtLeast,
            kms_key_id: claims::key(spec.kms_key_id.as_deref(), key.as_ref()),
            deletion_protection_enabled: spec.deletion_protection_enabled,
        }
        .claims()
    }

    async fn find_all(cx: &Cx, _regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        let groups = told("logGroups", groups(cx, usize::MAX).await?)?;
        let names = groups.iter().filter_map(|group| group.log_group_name());
        Ok(names.map(|name| found([("log_group_name", name.to_owned())])).collect())
    }

    by_parts!();
}

impl Parted for LogGroup {
    type Place = Place;
    type Making = Option<LogGroupClass>;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &deletion_protection::DeletionProtection,
        &kms_key::KmsKey,
        &data_protection::DataProtection,
        &retention::Retention,
        &OwnTags::<Self>::PART,
    ];
    const CREATE: Call = CREATE;
    const KEPT: &'static str = "evenkeel never deletes a log group";

    async fn find(cx: &Cx, spec: &Spec) -> Result<Object<Place>, ObserveError> {
        let name = spec.log_group_name.as_str();
        let Some(group) = described(cx, name).await? else { return Ok(Object::absent(name)) };
        let class = match spec.log_group_class {
            Some(_) => Some(known(
                "LogGroupClass",
                told("LogGroupClass", group.log_group_class())?.as_str(),
            )?),
            None => None,
        };
        let place = Place { log_group_name: name.to_owned(), log_group_class: class };
        let object = Object::present(name, place);
        let of_control_tower = name.starts_with("aws-controltower/");
        Ok(if of_control_tower { object.managed_by("AWS Control Tower") } else { object })
    }

    fn place(_facts: &Facts, spec: &Spec) -> Place {
        Place { log_group_name: spec.log_group_name.clone(), log_group_class: spec.log_group_class }
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Option<LogGroupClass>> {
        let mut drift = Drift::new();
        drift.add("", None::<&str>, Some(&spec.log_group_name));
        // Source: CloudWatch Logs API Reference, `CreateLogGroup`.
        if spec.log_group_name.starts_with("aws/") {
            return Change::finding(drift).withhold(
                "CloudWatch Logs lets nobody make a group whose name begins with aws/: begin it with a /, or declare one that AWS has made",
            );
        }
        Change::new(spec.log_group_class, drift)
    }

    async fn create(
        cx: &WriteCx,
        place: &Place,
        class: &Option<LogGroupClass>,
    ) -> Result<Made, WriteError> {
        let request =
            cx.client(Client::new).create_log_group().log_group_name(&place.log_group_name);
        let class = class.map(|class| types::LogGroupClass::from(class.as_str()));
        match cx.made(CREATE, request.set_log_group_class(class.clone()).send()).await {
            // An earlier try whose answer was lost made it, or somebody else did since the look.
            Err(WriteError::Aws(error)) if error.is_code(&["ResourceAlreadyExistsException"]) => {
                let there = described(cx, &place.log_group_name).await?;
                Err(match there.filter(|group| is_as_made(group, class.as_ref())) {
                    Some(_) => WriteError::was_there(&error),
                    None => WriteError::Another(format!(
                        "somebody else makes the log group {}: {error}",
                        place.log_group_name
                    )),
                })
            }
            answer => answer,
        }
    }

    fn immovable(spec: &Spec, place: &Place) -> Option<Change<Option<LogGroupClass>>> {
        let mut drift = Drift::new();
        drift.compare("log_group_class", place.log_group_class.as_ref(), spec.log_group_class.as_ref())
            .then(|| Change::finding(drift).withhold("the class of a log group cannot be changed: make another group, or declare this class"))
    }

    fn named(id: &str, place: &Place) -> Spec {
        Spec {
            log_group_name: id.to_owned(),
            log_group_class: place.log_group_class,
            ..Spec::default()
        }
    }
}

impl Tagged for LogGroup {
    const TAG_RULES: TagRules = LOGS;
    const TAG: Call = Call::new("logs", "TagResource");
    const UNTAG: Call = Call::new("logs", "UntagResource");
    const TAG_CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST_TAGS, declares::<Self>),
        Use::write_if(Self::TAG, sets::<Self>, group),
        Use::write_if(Self::UNTAG, declares::<Self>, group),
    ];
    const MADE_WITH_TAGS: bool = false;

    fn tags(spec: &Spec) -> Option<&Tags> {
        spec.tags.as_ref()
    }

    fn declare_tags(spec: &mut Spec, tags: Tags) {
        spec.tags = Some(tags);
    }

    async fn read_tags(cx: &Cx, place: &Place) -> Result<Tags, ObserveError> {
        tags_of(cx, &place.log_group_name).await
    }

    async fn set_tags(
        cx: &WriteCx,
        place: &Place,
        tags: HashMap<String, String>,
    ) -> Result<(), WriteError> {
        let request =
            cx.client(Client::new).tag_resource().resource_arn(arn(cx, &place.log_group_name));
        cx.send(Self::TAG, request.set_tags(Some(tags)).send()).await
    }

    async fn remove_tags(cx: &WriteCx, place: &Place, keys: Vec<String>) -> Result<(), WriteError> {
        let request =
            cx.client(Client::new).untag_resource().resource_arn(arn(cx, &place.log_group_name));
        cx.send(Self::UNTAG, request.set_tag_keys(Some(keys)).send()).await
    }
}

/// Whether a group is one that a request of ours made a moment ago: of its class, and with nothing set.
fn is_as_made(group: &types::LogGroup, class: Option<&types::LogGroupClass>) -> bool {
    let class = class.unwrap_or(&types::LogGroupClass::Standard);
    group.log_group_class().is_none_or(|there| there == class)
        && group.retention_in_days().is_none()
        && group.kms_key_id().is_none()
        && group.data_protection_status().is_none()
        && group.stored_bytes().is_none_or(|bytes| bytes == 0)
        && group.deletion_protection_enabled() != Some(true)
}

/// From so many items on, one listing of all groups is tried for all of them.
const MANY: usize = 5;

/// All groups, AWS's own included, if they fit into so many pages; `None` if not. A Region has up to a
/// million.
pub async fn groups(
    cx: &Cx,
    pages: usize,
) -> Result<Option<Arc<Vec<types::LogGroup>>>, ObserveError> {
    let mut answers = cx.client(Client::new).describe_log_groups().into_paginator().send();
    let groups = cx
        .read(DESCRIBE, "", async {
            let mut groups = Vec::new();
            for _ in 0..pages {
                let Some(page) = answers.next().await.transpose()? else { break };
                let is_last = page.next_token().is_none_or(str::is_empty);
                let Some(part) = page.log_groups else { return Ok(Some(None)) };
                groups.extend(part);
                if is_last {
                    return Ok(Some(Some(Arc::new(groups))));
                }
            }
            Ok(None)
        })
        .await?;
    groups.as_ref().clone().map(|groups| told("logGroups", groups)).transpose()
}

/// A group as AWS describes it, which several parts read; `None` when it is not there.
///
/// AWS lets a Region be asked five times a second and gives fifty groups a page: many items share one
/// listing, which is given up where it takes long, and few ask for their names.
pub async fn described(cx: &Cx, name: &str) -> Result<Option<types::LogGroup>, ObserveError> {
    let find = |groups: &[types::LogGroup]| {
        groups.iter().find(|group| group.log_group_name() == Some(name)).cloned()
    };
    // Whoever made a snapshot may have declared fewer items, or more. A listing that was not recorded whole
    // is no answer: the name is asked for below, and is unknown where that was not recorded either.
    let all = if cx.is_recorded() {
        groups(cx, usize::MAX).await.unwrap_or(None)
    } else if cx.items() >= MANY {
        groups(cx, cx.items().div_ceil(4)).await?
    } else {
        None
    };
    if let Some(all) = all {
        return Ok(find(&all));
    }
    let pages = cx.client(Client::new).describe_log_groups().log_group_name_prefix(name);
    let pages = pages.into_paginator().send();
    let groups = cx.list(DESCRIBE, name, pages, "logGroups", |page| page.log_groups).await?;
    Ok(find(&groups))
}

/// The ARN of a group, in the form that its tags take.
pub fn arn(facts: &Facts, group: &str) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:logs:{region}:{account}:log-group:{group}")
}

/// The tags of a group.
pub async fn tags_of(cx: &Cx, group: &str) -> Result<Tags, ObserveError> {
    let arn = arn(cx, group);
    let request = cx.client(Client::new).list_tags_for_resource().resource_arn(&arn);
    let answer = cx.read(LIST_TAGS, &arn, request.send()).await?;
    // A group without tags may have no list of them.
    let tags = answer.tags().into_iter().flatten();
    Ok(tags::collect(tags.map(|(key, value)| (key.as_str(), value.as_str()))))
}

/// Policies know a group by both forms of its ARN.
fn group(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let arn = arns.regional("logs", &format!("log-group:{}", arns.text(&spec.log_group_name)));
    Allowed::on([format!("{arn}:*"), arn]).into()
}

#[cfg(test)]
mod tests;
