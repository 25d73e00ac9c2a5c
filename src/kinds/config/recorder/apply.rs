//! The writes on AWS Config in a Region.

use aws_sdk_config::Client;
use aws_sdk_config::types::{
    ConfigSnapshotDeliveryProperties, ConfigurationRecorder, DeliveryChannel,
    ExclusionByResourceTypes, MaximumExecutionFrequency, RecordingFrequency, RecordingGroup,
    RecordingMode, RecordingModeOverride, RecordingStrategy, RecordingStrategyType, ResourceType,
};

use super::spec::{Action, Channel, Recorder, Strategy};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::{Made, WriteCx, WriteError, sendable};

pub const CREATE_ROLE: Call = Call::new("iam", "CreateServiceLinkedRole");
pub const PUT_RECORDER: Call = Call::new("config", "PutConfigurationRecorder");
pub const DELETE_RECORDER: Call = Call::new("config", "DeleteConfigurationRecorder");
pub const PUT_CHANNEL: Call = Call::new("config", "PutDeliveryChannel");
pub const DELETE_CHANNEL: Call = Call::new("config", "DeleteDeliveryChannel");
pub const START: Call = Call::new("config", "StartConfigurationRecorder");
pub const STOP: Call = Call::new("config", "StopConfigurationRecorder");
pub const PUT_RETENTION: Call = Call::new("config", "PutRetentionConfiguration");
pub const DELETE_RETENTION: Call = Call::new("config", "DeleteRetentionConfiguration");
/// AWS knows retention by this name alone.
const RETENTION_NAME: &str = "default";

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    // Only what AWS answered is worth another attempt; what cannot be sent never can.
    let settling =
        |error: &WriteError| matches!(error, WriteError::Aws(error) if is_settling(error));
    settle(settling, || write(cx, action)).await
}

/// Config tries role, bucket and key at once, and new policies need some time to arrive.
fn is_settling(error: &AwsError) -> bool {
    error.class == ErrorClass::Settling || error.is_code(&["InvalidRoleException"])
}

async fn write(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    match action {
        Action::CreateServiceLinkedRole => {
            create_role(cx).await?;
        }
        Action::PutRecorder { recorder } => {
            let recorder = send_recorder(recorder)?;
            let request = client.put_configuration_recorder().configuration_recorder(recorder);
            cx.write(PUT_RECORDER, request.send()).await?;
        }
        Action::DeleteRecorder { name } => {
            let request = client.delete_configuration_recorder().configuration_recorder_name(name);
            cx.remove(DELETE_RECORDER, request.send(), &["NoSuchConfigurationRecorderException"])
                .await?;
        }
        Action::PutChannel { channel } => {
            let request = client.put_delivery_channel().delivery_channel(send_channel(channel));
            cx.write(PUT_CHANNEL, request.send()).await?;
        }
        Action::DeleteChannel { name } => {
            let request = client.delete_delivery_channel().delivery_channel_name(name);
            cx.remove(DELETE_CHANNEL, request.send(), &["NoSuchDeliveryChannelException"]).await?;
        }
        Action::Start { name } => {
            let request = client.start_configuration_recorder().configuration_recorder_name(name);
            cx.write(START, request.send()).await?;
        }
        Action::Stop { name } => {
            let request = client.stop_configuration_recorder().configuration_recorder_name(name);
            cx.write(STOP, request.send()).await?;
        }
        Action::PutRetention { days } => {
            let days = sendable("RetentionPeriodInDays", *days)?;
            let request = client.put_retention_configuration().retention_period_in_days(days);
            cx.write(PUT_RETENTION, request.send()).await?;
        }
        Action::DeleteRetention => {
            let request = client
                .delete_retention_configuration()
                .retention_configuration_name(RETENTION_NAME);
            cx.remove(DELETE_RETENTION, request.send(), &["NoSuchRetentionConfigurationException"])
                .await?;
        }
    }
    Ok(())
}

async fn create_role(cx: &WriteCx) -> Result<Made, WriteError> {
    let cx = cx.in_region(cx.home_region.clone());
    let client = cx.client(aws_sdk_iam::Client::new);
    let request = client.create_service_linked_role().aws_service_name("config.amazonaws.com");
    match cx.made(CREATE_ROLE, request.send()).await {
        // Another Region of this run, or somebody else, was faster.
        Err(WriteError::Aws(error))
            if error.is_code(&["InvalidInput"]) && error.message.contains("has been taken") =>
        {
            Err(WriteError::WasThereAlike(error.to_string()))
        }
        answer => answer,
    }
}

fn send_recorder(recorder: &Recorder) -> Result<ConfigurationRecorder, WriteError> {
    let types: Vec<ResourceType> =
        recorder.resource_types.iter().map(|name| ResourceType::from(name.as_str())).collect();
    let strategy = RecordingStrategy::builder()
        .use_only(RecordingStrategyType::from(recorder.strategy.as_str()))
        .build();
    let group = RecordingGroup::builder()
        .all_supported(recorder.strategy == Strategy::All)
        .include_global_resource_types(recorder.include_global_resource_types)
        .recording_strategy(strategy);
    let group = match recorder.strategy {
        Strategy::All => group,
        Strategy::Inclusion => group.set_resource_types(Some(types)),
        Strategy::Exclusion => group.exclusion_by_resource_types(
            ExclusionByResourceTypes::builder().set_resource_types(Some(types)).build(),
        ),
    };
    let overrides = recorder
        .recording_overrides
        .iter()
        .map(|one| {
            let types = one.resource_types.iter().map(|name| ResourceType::from(name.as_str()));
            RecordingModeOverride::builder()
                .set_description(one.description.clone())
                .set_resource_types(Some(types.collect()))
                .recording_frequency(RecordingFrequency::from(one.recording_frequency.as_str()))
                .build()
        })
        .collect::<Result<Vec<_>, _>>()?;
    let mode = RecordingMode::builder()
        .recording_frequency(RecordingFrequency::from(recorder.recording_frequency.as_str()))
        .set_recording_mode_overrides(Some(overrides))
        .build()?;
    Ok(ConfigurationRecorder::builder()
        .name(&recorder.name)
        .role_arn(&recorder.role_arn)
        .recording_group(group.build())
        .recording_mode(mode)
        .build())
}

fn send_channel(channel: &Channel) -> DeliveryChannel {
    let properties = channel.snapshot_delivery_frequency.map(|frequency| {
        ConfigSnapshotDeliveryProperties::builder()
            .delivery_frequency(MaximumExecutionFrequency::from(frequency.as_str()))
            .build()
    });
    DeliveryChannel::builder()
        .name(&channel.name)
        .set_s3_bucket_name(channel.s3_bucket_name.clone())
        .set_s3_key_prefix(channel.s3_key_prefix.clone())
        .set_s3_kms_key_arn(channel.s3_kms_key_arn.clone())
        .set_sns_topic_arn(channel.sns_topic_arn.clone())
        .set_config_snapshot_delivery_properties(properties)
        .build()
}
