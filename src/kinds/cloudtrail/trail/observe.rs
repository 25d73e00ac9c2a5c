//! Reading a trail: the account's own, or the organization trail that records it.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::types::{EventCategoryAggregation, Trail};

use super::arn::TrailArn;
use super::selectors::{self, Selectors};
use super::spec::{AggregationTemplate, InsightCategory, InsightSelector, Settings, Spec, State};
use crate::aws::error::AbsentIf;
use crate::aws::{Call, ErrorClass};
use crate::kinds::kms::let_in::{self, Keyed};
use crate::kinds::kms::named;
use crate::kinds::object::Cause;
use crate::kinds::tags::{self, Tags};
use crate::kinds::together::together;
use crate::kinds::{Cx, Facts, Found, Object, ObserveError, Status, Unknown, known, told};
use crate::names::Region;

pub const DESCRIBE: Call = Call::new("cloudtrail", "DescribeTrails");
pub const STATUS: Call = Call::new("cloudtrail", "GetTrailStatus");
pub const GET_SELECTORS: Call = Call::new("cloudtrail", "GetEventSelectors");
pub const GET_INSIGHTS: Call = Call::new("cloudtrail", "GetInsightSelectors");
pub const GET_EVENT_CONFIGURATION: Call = Call::new("cloudtrail", "GetEventConfiguration");
pub const LIST_TAGS: Call = Call::new("cloudtrail", "ListTags");

/// The Region that the spec wants a trail to be made in.
pub fn declared_region(facts: &Facts, spec: &Spec) -> Region {
    spec.home_region.as_deref().map_or_else(|| facts.home_region.clone(), Region::new)
}

/// A trail of an answer with what tells it apart.
struct Seen<'a> {
    arn: TrailArn<'a>,
    trail: &'a Trail,
}

/// The trails that a Region shows, shadows of other Regions' trails among them.
fn seen(list: Option<&Vec<Trail>>) -> Result<Vec<Seen<'_>>, ObserveError> {
    let trails = told("trailList", list)?.iter();
    trails
        .map(|trail| {
            let arn = told("TrailARN", trail.trail_arn())?;
            let arn = TrailArn::parse(arn).ok_or_else(|| ObserveError::Malformed {
                field: "TrailARN".to_owned(),
                problem: format!("{arn:?} is not the ARN of a trail"),
            })?;
            Ok(Seen { arn, trail })
        })
        .collect()
}

/// The account's own trails, each with its home Region; those of one Region are seen there alone.
pub async fn find_all(cx: &Cx, regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
    let mut found = Vec::new();
    for region in regions.iter().chain([&cx.region]) {
        let cx = &cx.in_region(region.clone());
        let request = cx.client(Client::new).describe_trails().include_shadow_trails(true).send();
        let trails = cx.read(DESCRIBE, "", request).await?;
        for Seen { arn, .. } in seen(trails.trail_list.as_ref())? {
            if arn.account != cx.account.as_str() {
                continue;
            }
            let fields = crate::kinds::spec::found([
                ("name", arn.name.to_owned()),
                ("home_region", arn.region.to_owned()),
            ]);
            if !found.contains(&fields) {
                found.push(fields);
            }
        }
    }
    Ok(found)
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let home = declared_region(cx, spec);
    let cx = &cx.in_region(home.clone());
    let client = cx.client(Client::new);
    let request = client.describe_trails().include_shadow_trails(true).send();
    let (trails, declared_key) =
        together!(async { Ok(cx.read(DESCRIBE, "", request).await?) }, look_at_key(cx, spec),)?;
    let trails = seen(trails.trail_list.as_ref())?;
    let is_own = |seen: &&Seen<'_>| seen.arn.account == cx.account.as_str();
    let own: Vec<&Seen<'_>> =
        trails.iter().filter(is_own).filter(|seen| seen.arn.name == spec.name).collect();
    let declared = own.iter().find(|seen| seen.arn.region == home.as_str());
    let object = match (declared, own.as_slice()) {
        (Some(declared), _) => present(cx, spec, declared, declared_key, &[]).await?,
        // Namesakes that are at home elsewhere: for the comparison to name, never to write to.
        (None, [first, others @ ..]) => present(cx, spec, first, declared_key, others).await?,
        (None, []) => {
            let of_organization: Vec<&Seen<'_>> = trails
                .iter()
                .filter(|seen| {
                    !is_own(seen)
                        && seen.trail.is_organization_trail() == Some(true)
                        && seen.trail.is_multi_region_trail() == Some(true)
                })
                .collect();
            let same_name = of_organization.iter().find(|seen| seen.arn.name == spec.name);
            match (same_name, of_organization.as_slice()) {
                (Some(one), _) | (None, [one]) => {
                    let object = present(cx, spec, one, declared_key, &[]).await?;
                    return Ok(vec![object.labelled(one.arn.text).managed_by(format!(
                        "the organization: the trail {} of account {} records this account too",
                        one.arn.name, one.arn.account
                    ))]);
                }
                (None, []) => return Ok(vec![Object::absent(&spec.name)]),
                (None, several) => return Ok(vec![several_of_organization(spec, several)]),
            }
        }
    };
    Ok(vec![object.of_control_tower_by(&spec.name)])
}

/// Of several trails of the organization, none is more the declared one than the others.
fn several_of_organization(spec: &Spec, several: &[&Seen<'_>]) -> Object<State> {
    let arns: Vec<&str> = several.iter().map(|seen| seen.arn.text).collect();
    let unknown = Unknown {
        reason: format!(
            "there is no trail {}, and several of the organization record this account: {}",
            spec.name,
            arns.join(", ")
        ),
        permission: None,
        remedy: Some("declare the name of the one that is meant".to_owned()),
        cause: Cause::Unjudged,
    };
    Object { status: Status::Unknown(unknown), ..Object::absent(&spec.name) }
}

async fn present(
    cx: &Cx,
    spec: &Spec,
    seen: &Seen<'_>,
    key: Option<Keyed>,
    namesakes: &[&Seen<'_>],
) -> Result<Object<State>, ObserveError> {
    let arn = seen.arn.text;
    // What is not there in the trail's own Region is nowhere.
    let cx = &cx.in_region(Region::new(seen.arn.region));
    let client = cx.client(Client::new);
    let (status, selectors, insight_selectors, event_aggregation, tags) = together!(
        async {
            let request = client.get_trail_status().name(arn).send();
            Ok::<_, ObserveError>(cx.read(STATUS, arn, request).await?)
        },
        when(spec.looks_at_selectors(), event_selectors(cx, spec, arn)),
        when(spec.insight_selectors.is_some(), insights(cx, arn)),
        when(spec.event_aggregation.is_some(), aggregation(cx, arn)),
        when(spec.tags.is_some(), all_tags(cx, arn)),
    )?;
    let (declared_key, key_policy) = key.map(|keyed| (keyed.key, keyed.policy)).unzip();
    let mut hidden = Hidden { own: seen.arn.account == cx.account.as_str(), why: BTreeMap::new() };
    Ok(Object::present(
        &spec.name,
        State {
            arn: arn.to_owned(),
            settings: settings(spec, seen)?,
            is_logging: told("IsLogging", status.is_logging())?,
            delivery_errors: delivery_errors(&status),
            selectors: hidden.or_shown("event_selectors", selectors)?,
            insight_selectors: hidden.or_shown("insight_selectors", insight_selectors)?,
            event_aggregation: hidden.or_shown("event_aggregation", event_aggregation)?,
            tags: hidden.or_shown("tags", tags)?,
            declared_key,
            key_policy: key_policy.flatten(),
            hidden: hidden.why,
            namesakes: namesakes.iter().map(|seen| seen.arn.text.to_owned()).collect(),
        },
    ))
}

/// Makes a read only when it is needed. Its error is kept for [`Hidden`] to judge.
async fn when<T>(
    needed: bool,
    read: impl Future<Output = Result<T, ObserveError>>,
) -> Result<Option<Result<T, ObserveError>>, ObserveError> {
    if needed { Ok(Some(read.await)) } else { Ok(None) }
}

/// What AWS does not show of a trail to accounts that it does not belong to. Which parts those are
/// is not documented, so each is asked for.
struct Hidden {
    own: bool,
    why: BTreeMap<String, String>,
}

impl Hidden {
    fn or_shown<T>(
        &mut self,
        field: &str,
        read: Option<Result<T, ObserveError>>,
    ) -> Result<Option<T>, ObserveError> {
        let refused = [
            "OperationNotPermittedException",
            "UnsupportedOperationException",
            "NotOrganizationMasterAccountException",
        ];
        let error = match read {
            None => return Ok(None),
            Some(Ok(value)) => return Ok(Some(value)),
            Some(Err(error)) => error,
        };
        match &error {
            ObserveError::Aws(aws)
                if !self.own
                    && (matches!(aws.class, ErrorClass::Denied | ErrorClass::Absent)
                        || aws.is_code(&refused)) =>
            {
                self.why.insert(field.to_owned(), format!("{}: {}", aws.call, aws.code));
                Ok(None)
            }
            _ => Err(error),
        }
    }
}

/// The settings. What is declared must be told; of the texts, AWS leaves out those that are not set.
fn settings(spec: &Spec, seen: &Seen<'_>) -> Result<Settings, ObserveError> {
    let Seen { arn, trail } = seen;
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let told_if = |declared: Option<bool>, field: &str, answer: Option<bool>| match declared {
        Some(_) => told(field, answer).map(Some),
        None => Ok(answer),
    };
    let bucket = text(trail.s3_bucket_name());
    if spec.s3_bucket_name.is_some() {
        told("S3BucketName", bucket.as_ref())?;
    }
    Ok(Settings {
        s3_bucket_name: bucket,
        s3_key_prefix: text(trail.s3_key_prefix()),
        is_multi_region_trail: told_if(
            spec.is_multi_region_trail,
            "IsMultiRegionTrail",
            trail.is_multi_region_trail(),
        )?,
        include_global_service_events: told_if(
            spec.include_global_service_events,
            "IncludeGlobalServiceEvents",
            trail.include_global_service_events(),
        )?,
        is_organization_trail: told_if(
            spec.is_organization_trail,
            "IsOrganizationTrail",
            trail.is_organization_trail(),
        )?,
        enable_log_file_validation: told_if(
            spec.enable_log_file_validation,
            "LogFileValidationEnabled",
            trail.log_file_validation_enabled(),
        )?,
        kms_key_id: text(trail.kms_key_id()),
        cloud_watch_logs_log_group_arn: text(trail.cloud_watch_logs_log_group_arn()),
        cloud_watch_logs_role_arn: text(trail.cloud_watch_logs_role_arn()),
        // The name alone is from before there was SnsTopicARN.
        sns_topic_name: text(trail.sns_topic_arn())
            .or_else(|| text(former_topic_name(trail)).map(|name| arn.topic(&name))),
        // "The default value is true" (CloudTrail API Reference, Trail), and trails from before
        // there was a choice do not have it.
        recursive_logging: Some(trail.recursive_logging().unwrap_or(true)),
    })
}

#[allow(deprecated, reason = "old answers have nothing else")]
fn former_topic_name(trail: &Trail) -> Option<&str> {
    trail.sns_topic_name()
}

/// Why nothing arrives, though the trail records.
fn delivery_errors(status: &GetTrailStatusOutput) -> BTreeMap<String, String> {
    let errors = [
        ("is_logging.latest_delivery_error", status.latest_delivery_error()),
        (
            "enable_log_file_validation.latest_digest_delivery_error",
            status.latest_digest_delivery_error(),
        ),
        ("sns_topic_name.latest_notification_error", status.latest_notification_error()),
        (
            "cloud_watch_logs_log_group_arn.latest_cloud_watch_logs_delivery_error",
            status.latest_cloud_watch_logs_delivery_error(),
        ),
    ];
    errors
        .into_iter()
        .filter_map(|(field, error)| Some((field, error.filter(|error| !error.is_empty())?)))
        .map(|(field, error)| (field.to_owned(), error.to_owned()))
        .collect()
}

/// What the declared name of the key stands for.
async fn look_at_key(cx: &Cx, spec: &Spec) -> Result<Option<Keyed>, ObserveError> {
    match spec.key() {
        Some(key) => let_in::look_at(cx, key, named::DELIVERY).await.map(Some),
        None => Ok(None),
    }
}

async fn event_selectors(cx: &Cx, spec: &Spec, arn: &str) -> Result<Selectors, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_event_selectors().trail_name(arn).send();
    let answer = cx.read(GET_SELECTORS, arn, request).await?;
    let (basic, advanced) = (answer.event_selectors(), answer.advanced_event_selectors());
    // AWS shows the default selector of a trail that nobody gave any.
    if basic.is_empty() && advanced.is_empty() {
        return Err(ObserveError::Untold { field: "EventSelectors".to_owned() });
    }
    let selectors = if advanced.is_empty() {
        Selectors::Basic(basic.iter().map(selectors::read_basic).collect::<Result<_, _>>()?)
    } else {
        let advanced = advanced.iter().map(selectors::read_advanced);
        Selectors::Advanced(advanced.collect::<Result<_, _>>()?)
    };
    if spec.promises_events() {
        selectors.missing().map_err(|problem| ObserveError::Malformed {
            field: "AdvancedEventSelectors".to_owned(),
            problem: problem.to_string(),
        })?;
    }
    Ok(selectors.normal())
}

async fn insights(cx: &Cx, arn: &str) -> Result<BTreeSet<InsightSelector>, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_insight_selectors().trail_name(arn).send();
    let answer =
        cx.read(GET_INSIGHTS, arn, request).await.absent_if(&["InsightNotEnabledException"])?;
    let Some(answer) = answer else { return Ok(BTreeSet::new()) };
    let mut found = BTreeSet::new();
    for selector in told("InsightSelectors", answer.insight_selectors.as_ref())? {
        let word = told("InsightType", selector.insight_type())?.as_str();
        // So AWS wrote "no insights" once (CloudTrail User Guide of 2019).
        if word.is_empty() {
            continue;
        }
        let categories: BTreeSet<InsightCategory> = selector
            .event_categories()
            .iter()
            .map(|category| known("EventCategories", category.as_str()))
            .collect::<Result<_, _>>()?;
        found.insert(InsightSelector {
            insight_type: known("InsightType", word)?,
            // Selectors from before there were categories are for management events.
            event_categories: if categories.is_empty() {
                BTreeSet::from([InsightCategory::Management])
            } else {
                categories
            },
        });
    }
    Ok(found)
}

/// The templates; AWS leaves out `AggregationConfigurations` when there are none.
async fn aggregation(cx: &Cx, arn: &str) -> Result<BTreeSet<AggregationTemplate>, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_event_configuration().trail_name(arn).send();
    let answer = cx.read(GET_EVENT_CONFIGURATION, arn, request).await?;
    // What says nothing at all does not say that there are none.
    told("TrailARN", answer.trail_arn())?;
    let mut found = BTreeSet::new();
    for configuration in answer.aggregation_configurations() {
        let category = configuration.event_category();
        if *category != EventCategoryAggregation::Data {
            return Err(ObserveError::UnknownValue {
                field: "AggregationConfigurations.EventCategory".to_owned(),
                value: category.as_str().to_owned(),
            });
        }
        for template in configuration.templates() {
            found.insert(known("Templates", template.as_str())?);
        }
    }
    Ok(found)
}

async fn all_tags(cx: &Cx, arn: &str) -> Result<Tags, ObserveError> {
    let client = cx.client(Client::new);
    let pages = cx
        .pages(LIST_TAGS, arn, client.list_tags().resource_id_list(arn).into_paginator().send())
        .await?;
    let mut pairs = Vec::new();
    for page in pages.iter() {
        for resource in told("ResourceTagList", page.resource_tag_list.as_ref())? {
            let list = resource.tags_list().iter();
            pairs.extend(list.map(|tag| (tag.key(), tag.value().unwrap_or_default())));
        }
    }
    Ok(tags::collect(pairs))
}
