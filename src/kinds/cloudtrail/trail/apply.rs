//! The writes on a trail. All go to its home Region.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{
    AggregationConfiguration, EventCategoryAggregation, InsightSelector, InsightType,
    SourceEventCategory, Tag, Template,
};

use super::selectors::{Selectors, send_advanced, send_basic};
use super::spec::{self, Action, InsightCategory, Settings, Step};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::tags::Tags;
use crate::kinds::{Made, WriteCx, WriteError};
use crate::names::Region;

pub const CREATE: Call = Call::new("cloudtrail", "CreateTrail");
const DESCRIBE: Call = Call::new("cloudtrail", "DescribeTrails");
pub const UPDATE: Call = Call::new("cloudtrail", "UpdateTrail");
pub const PUT_SELECTORS: Call = Call::new("cloudtrail", "PutEventSelectors");
pub const PUT_INSIGHTS: Call = Call::new("cloudtrail", "PutInsightSelectors");
pub const PUT_EVENT_CONFIGURATION: Call = Call::new("cloudtrail", "PutEventConfiguration");
pub const ADD_TAGS: Call = Call::new("cloudtrail", "AddTags");
pub const REMOVE_TAGS: Call = Call::new("cloudtrail", "RemoveTags");
pub const START: Call = Call::new("cloudtrail", "StartLogging");
pub const STOP: Call = Call::new("cloudtrail", "StopLogging");

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let cx = cx.in_region(Region::new(&action.region));
    // Only what AWS answered is worth another attempt; what cannot be sent never can.
    let settling =
        |error: &WriteError| matches!(error, WriteError::Aws(error) if is_settling(error));
    settle(settling, || step(&cx, &action.trail, &action.step)).await
}

/// CloudTrail tries bucket, key and role at once, and new policies need some time to arrive.
fn is_settling(error: &AwsError) -> bool {
    let role_not_yet_known =
        ["InvalidCloudWatchLogsRoleArnException", "InvalidCloudWatchLogsLogGroupArnException"];
    error.class == ErrorClass::Settling
        || (error.is_code(&role_not_yet_known) && error.message.contains("Access denied"))
}

async fn step(cx: &WriteCx, name: &str, step: &Step) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let trail = &arn(cx, name);
    match step {
        Step::Create { settings, tags } => {
            create(cx, &client, name, settings, tags).await?;
        }
        Step::Update { settings } => update(cx, &client, trail, settings).await?,
        Step::PutEventSelectors { selectors } => {
            let request = client.put_event_selectors().trail_name(trail);
            let request = match selectors {
                Selectors::Basic(list) => {
                    request.set_event_selectors(Some(list.iter().map(send_basic).collect()))
                }
                Selectors::Advanced(list) => request.set_advanced_event_selectors(Some(
                    list.iter().map(send_advanced).collect::<Result<_, _>>()?,
                )),
            };
            cx.write(PUT_SELECTORS, request.send()).await?;
        }
        Step::PutInsightSelectors { insight_selectors } => {
            let selectors = insight_selectors.iter().map(send_insight).collect();
            let request = client
                .put_insight_selectors()
                .trail_name(trail)
                .set_insight_selectors(Some(selectors));
            cx.write(PUT_INSIGHTS, request.send()).await?;
        }
        Step::PutEventConfiguration { event_aggregation } => {
            let templates: Vec<_> = event_aggregation
                .iter()
                .map(|template| Template::from(template.as_str()))
                .collect();
            let configurations = if templates.is_empty() {
                Vec::new()
            } else {
                let data = AggregationConfiguration::builder()
                    .event_category(EventCategoryAggregation::Data)
                    .set_templates(Some(templates));
                vec![data.build()?]
            };
            let request = client
                .put_event_configuration()
                .trail_name(trail)
                .set_aggregation_configurations(Some(configurations));
            cx.write(PUT_EVENT_CONFIGURATION, request.send()).await?;
        }
        Step::AddTags { tags } => {
            let request =
                client.add_tags().resource_id(trail).set_tags_list(Some(send_tags(tags)?));
            cx.write(ADD_TAGS, request.send()).await?;
        }
        Step::RemoveTags { tags } => {
            let request =
                client.remove_tags().resource_id(trail).set_tags_list(Some(send_tags(tags)?));
            cx.write(REMOVE_TAGS, request.send()).await?;
        }
        Step::StartLogging => {
            cx.write(START, client.start_logging().name(trail).send()).await?;
        }
        Step::StopLogging => {
            cx.write(STOP, client.stop_logging().name(trail).send()).await?;
        }
    }
    Ok(())
}

fn send_insight(selector: &spec::InsightSelector) -> InsightSelector {
    let categories = selector.event_categories.iter().map(|category| match category {
        InsightCategory::Management => SourceEventCategory::Management,
        InsightCategory::Data => SourceEventCategory::Data,
    });
    InsightSelector::builder()
        .insight_type(InsightType::from(selector.insight_type.as_str()))
        .set_event_categories(Some(categories.collect()))
        .build()
}

async fn create(
    cx: &WriteCx,
    client: &Client,
    trail: &str,
    settings: &Settings,
    tags: &Tags,
) -> Result<Made, WriteError> {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    let request = client
        .create_trail()
        .name(trail)
        .set_s3_bucket_name(text(&settings.s3_bucket_name))
        .set_s3_key_prefix(text(&settings.s3_key_prefix))
        .set_is_multi_region_trail(settings.is_multi_region_trail)
        .set_include_global_service_events(settings.include_global_service_events)
        .set_is_organization_trail(settings.is_organization_trail)
        .set_enable_log_file_validation(settings.enable_log_file_validation)
        .set_kms_key_id(text(&settings.kms_key_id))
        .set_cloud_watch_logs_log_group_arn(text(&settings.cloud_watch_logs_log_group_arn))
        .set_cloud_watch_logs_role_arn(text(&settings.cloud_watch_logs_role_arn))
        .set_sns_topic_name(text(&settings.sns_topic_name))
        .set_recursive_logging(settings.recursive_logging)
        .set_tags_list((!tags.is_empty()).then(|| send_tags(tags)).transpose()?);
    match cx.made(CREATE, request.send()).await {
        Err(WriteError::Aws(error))
            if error.is_code(&["TrailAlreadyExistsException"])
                && is_made(cx, client, trail, settings).await? =>
        {
            Err(WriteError::was_there(&error))
        }
        answer => answer,
    }
}

/// Whether the trail that is there has all that was asked for, as one that an earlier try made
/// whose answer was lost; somebody else's is not taken over.
async fn is_made(
    cx: &WriteCx,
    client: &Client,
    name: &str,
    settings: &Settings,
) -> Result<bool, WriteError> {
    let arn = arn(cx, name);
    let request = client.describe_trails().trail_name_list(&arn).send();
    let answer = cx.write(DESCRIBE, request).await?;
    let same = |wanted: Option<bool>, there: Option<bool>| wanted.is_none() || wanted == there;
    Ok(answer.trail_list().iter().any(|there| {
        there.trail_arn() == Some(arn.as_str())
            && there.s3_bucket_name() == settings.s3_bucket_name.as_deref()
            && there.s3_key_prefix().unwrap_or_default()
                == settings.s3_key_prefix.as_deref().unwrap_or_default()
            && same(settings.is_multi_region_trail, there.is_multi_region_trail())
            && same(settings.is_organization_trail, there.is_organization_trail())
            && same(settings.enable_log_file_validation, there.log_file_validation_enabled())
    }))
}

/// A name alone could be taken for that of another Region's trail, which is seen here too.
fn arn(cx: &WriteCx, name: &str) -> String {
    format!("arn:{}:cloudtrail:{}:{}:trail/{name}", cx.partition, cx.region, cx.account)
}

/// What is not set stays as it is; "" takes a setting away.
async fn update(
    cx: &WriteCx,
    client: &Client,
    trail: &str,
    settings: &Settings,
) -> Result<(), AwsError> {
    let request = client
        .update_trail()
        .name(trail)
        .set_s3_bucket_name(settings.s3_bucket_name.clone())
        .set_s3_key_prefix(settings.s3_key_prefix.clone())
        .set_is_multi_region_trail(settings.is_multi_region_trail)
        .set_include_global_service_events(settings.include_global_service_events)
        .set_is_organization_trail(settings.is_organization_trail)
        .set_enable_log_file_validation(settings.enable_log_file_validation)
        .set_kms_key_id(settings.kms_key_id.clone())
        .set_cloud_watch_logs_log_group_arn(settings.cloud_watch_logs_log_group_arn.clone())
        .set_cloud_watch_logs_role_arn(settings.cloud_watch_logs_role_arn.clone())
        .set_sns_topic_name(settings.sns_topic_name.clone())
        .set_recursive_logging(settings.recursive_logging);
    cx.write(UPDATE, request.send()).await.map(drop)
}

fn send_tags(tags: &Tags) -> Result<Vec<Tag>, WriteError> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    Ok(tags.collect::<Result<_, _>>()?)
}
