//! Reading a trail: the account's own, or the organization trail that records it.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_trail_status::GetTrailStatusOutput;
use aws_sdk_cloudtrail::types::Trail;

use super::selectors::{self, Selectors};
use super::spec::{AggregationTemplate, InsightCategory, InsightSelector, Settings, Spec, State};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::tags::{self, Tags};
use crate::kinds::together::together;
use crate::kinds::{Cx, Facts, Found, Object, ObserveError, known};
use crate::names::Region;

pub const DESCRIBE: Call = Call::new("cloudtrail", "DescribeTrails");
pub const STATUS: Call = Call::new("cloudtrail", "GetTrailStatus");
pub const GET_SELECTORS: Call = Call::new("cloudtrail", "GetEventSelectors");
pub const GET_INSIGHTS: Call = Call::new("cloudtrail", "GetInsightSelectors");
pub const GET_EVENT_CONFIGURATION: Call = Call::new("cloudtrail", "GetEventConfiguration");
pub const LIST_TAGS: Call = Call::new("cloudtrail", "ListTags");
pub const DESCRIBE_KEY: Call = Call::new("kms", "DescribeKey");

/// The Region that the spec wants a trail to be made in.
pub fn declared_region(facts: &Facts, spec: &Spec) -> Region {
    spec.home_region.as_deref().map_or_else(|| facts.home_region.clone(), Region::new)
}

/// The account and the Region in an ARN.
pub fn place(arn: &str) -> (Option<&str>, Option<&str>) {
    let mut parts = arn.split(':').skip(3);
    let region = parts.next();
    (parts.next(), region)
}

/// The account's own trails, each with its home Region; those of one Region are seen there alone.
pub async fn find_all(cx: &Cx, regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
    let mut found = Vec::new();
    for region in regions.iter().chain([&cx.region]) {
        let cx = &cx.in_region(region.clone());
        let request = cx.client(Client::new).describe_trails().include_shadow_trails(true).send();
        let trails = cx.read(DESCRIBE, "", request).await?;
        for trail in trails.trail_list().iter().filter(|trail| is_own(cx, trail)) {
            let name = trail.name().unwrap_or_default().to_owned();
            let home = trail.home_region().unwrap_or(region.as_str()).to_owned();
            let fields = crate::kinds::spec::found([("name", name), ("home_region", home)]);
            if !found.contains(&fields) {
                found.push(fields);
            }
        }
    }
    Ok(found)
}

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let cx = &cx.in_region(declared_region(cx, spec));
    let client = cx.client(Client::new);
    let request = client.describe_trails().include_shadow_trails(true).send();
    let (trails, declared_key_arn) =
        together!(async { Ok(cx.read(DESCRIBE, "", request).await?) }, declared_key(cx, spec),)?;
    let own = trails
        .trail_list()
        .iter()
        .find(|trail| trail.name() == Some(spec.name.as_str()) && is_own(cx, trail));
    let of_organization = || {
        trails.trail_list().iter().find(|trail| {
            !is_own(cx, trail)
                && trail.is_organization_trail() == Some(true)
                && trail.is_multi_region_trail() == Some(true)
        })
    };
    let Some(trail) = own.or_else(of_organization) else {
        return Ok(vec![Object::absent(&spec.name)]);
    };
    let state = state(cx, spec, trail, declared_key_arn).await?;
    let arn = state.arn.clone();
    let object = Object::present(&spec.name, state);
    Ok(vec![if own.is_none() {
        let account = place(&arn).0.unwrap_or_default();
        object.labelled(&arn).managed_by(format!(
            "the organization: the trail {} of account {account} records this account too",
            trail.name().unwrap_or_default()
        ))
    } else if spec.name.starts_with("aws-controltower-") {
        object.managed_by("AWS Control Tower")
    } else {
        object
    }])
}

fn is_own(cx: &Cx, trail: &Trail) -> bool {
    trail.trail_arn().and_then(|arn| place(arn).0) == Some(cx.account.as_str())
}

async fn state(
    cx: &Cx,
    spec: &Spec,
    trail: &Trail,
    declared_key_arn: Option<String>,
) -> Result<State, ObserveError> {
    let arn = trail.trail_arn().unwrap_or_default();
    let home = trail.home_region().map_or_else(|| cx.region.clone(), Region::new);
    // What is not there in the trail's own Region is nowhere.
    let cx = &cx.in_region(home);
    let client = cx.client(Client::new);
    let own = is_own(cx, trail);
    let (status, selectors, insight_selectors, event_aggregation, tags) = together!(
        async {
            let request = client.get_trail_status().name(arn).send();
            Ok::<_, ObserveError>(cx.read(STATUS, arn, request).await?)
        },
        when(own && spec.looks_at_selectors(), event_selectors(cx, arn)),
        when(own && spec.insight_selectors.is_some(), insights(cx, arn)),
        when(own && spec.event_aggregation.is_some(), aggregation(cx, arn)),
        when(own && spec.tags.is_some(), all_tags(cx, arn)),
    )?;
    Ok(State {
        arn: arn.to_owned(),
        settings: settings(trail),
        is_logging: status.is_logging().unwrap_or(false),
        delivery_error: delivery_error(&status),
        selectors,
        insight_selectors,
        event_aggregation,
        tags,
        declared_key_arn,
    })
}

/// Makes a read only when it is needed.
async fn when<T>(
    needed: bool,
    read: impl Future<Output = Result<T, ObserveError>>,
) -> Result<Option<T>, ObserveError> {
    if needed { read.await.map(Some) } else { Ok(None) }
}

fn settings(trail: &Trail) -> Settings {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    Settings {
        s3_bucket_name: text(trail.s3_bucket_name()),
        s3_key_prefix: text(trail.s3_key_prefix()),
        is_multi_region_trail: Some(trail.is_multi_region_trail().unwrap_or(false)),
        include_global_service_events: Some(trail.include_global_service_events().unwrap_or(true)),
        is_organization_trail: Some(trail.is_organization_trail().unwrap_or(false)),
        enable_log_file_validation: Some(trail.log_file_validation_enabled().unwrap_or(false)),
        kms_key_id: text(trail.kms_key_id()),
        cloud_watch_logs_log_group_arn: text(trail.cloud_watch_logs_log_group_arn()),
        cloud_watch_logs_role_arn: text(trail.cloud_watch_logs_role_arn()),
        sns_topic_name: text(trail.sns_topic_arn()),
        recursive_logging: trail.recursive_logging(),
    }
}

/// Why nothing arrives, though the trail records.
fn delivery_error(status: &GetTrailStatusOutput) -> Option<String> {
    let errors = [
        ("log files", status.latest_delivery_error()),
        ("CloudWatch Logs", status.latest_cloud_watch_logs_delivery_error()),
        ("digests", status.latest_digest_delivery_error()),
    ];
    let texts: Vec<String> = errors
        .into_iter()
        .filter_map(|(what, error)| {
            error.filter(|error| !error.is_empty()).map(|error| format!("{what}: {error}"))
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

/// The ARN of the declared key, when it is declared by id or alias.
async fn declared_key(cx: &Cx, spec: &Spec) -> Result<Option<String>, ObserveError> {
    let Some(key) = spec.key_to_resolve() else { return Ok(None) };
    let client = cx.client(aws_sdk_kms::Client::new);
    let answer = cx
        .read(DESCRIBE_KEY, key, client.describe_key().key_id(key).send())
        .await
        .absent_if(&["NotFoundException"])?;
    Ok(answer
        .as_ref()
        .and_then(|answer| answer.key_metadata())
        .and_then(|metadata| metadata.arn())
        .map(str::to_owned))
}

async fn event_selectors(cx: &Cx, arn: &str) -> Result<Selectors, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_event_selectors().trail_name(arn).send();
    let answer = cx.read(GET_SELECTORS, arn, request).await?;
    let advanced = answer.advanced_event_selectors();
    let selectors = if advanced.is_empty() {
        let basic = answer.event_selectors().iter().map(selectors::read_basic);
        Selectors::Basic(basic.collect::<Result<_, _>>()?)
    } else {
        Selectors::Advanced(advanced.iter().map(selectors::read_advanced).collect())
    };
    Ok(selectors.normal())
}

async fn insights(cx: &Cx, arn: &str) -> Result<BTreeSet<InsightSelector>, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_insight_selectors().trail_name(arn).send();
    let answer =
        cx.read(GET_INSIGHTS, arn, request).await.absent_if(&["InsightNotEnabledException"])?;
    let selectors = answer.iter().flat_map(|answer| answer.insight_selectors());
    selectors
        .map(|selector| {
            let categories: BTreeSet<InsightCategory> = selector
                .event_categories()
                .iter()
                .map(|category| known("EventCategories", category.as_str()))
                .collect::<Result<_, _>>()?;
            Ok(InsightSelector {
                insight_type: known(
                    "InsightType",
                    selector.insight_type().map(|word| word.as_str()).unwrap_or_default(),
                )?,
                // Selectors from before there were categories are for management events.
                event_categories: if categories.is_empty() {
                    BTreeSet::from([InsightCategory::Management])
                } else {
                    categories
                },
            })
        })
        .collect()
}

async fn aggregation(cx: &Cx, arn: &str) -> Result<BTreeSet<AggregationTemplate>, ObserveError> {
    let client = cx.client(Client::new);
    let request = client.get_event_configuration().trail_name(arn).send();
    let answer = cx.read(GET_EVENT_CONFIGURATION, arn, request).await?;
    answer
        .aggregation_configurations()
        .iter()
        .flat_map(|configuration| configuration.templates())
        .map(|template| known("Templates", template.as_str()))
        .collect()
}

async fn all_tags(cx: &Cx, arn: &str) -> Result<Tags, ObserveError> {
    let client = cx.client(Client::new);
    let lists = cx
        .read(LIST_TAGS, arn, async {
            client
                .list_tags()
                .resource_id_list(arn)
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
        })
        .await?;
    let pairs = lists
        .iter()
        .flat_map(|resource| resource.tags_list())
        .map(|tag| (tag.key(), tag.value().unwrap_or_default()));
    Ok(tags::collect(pairs))
}
