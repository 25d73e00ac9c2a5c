//! Reading AWS Config in a Region.

use aws_sdk_config::Client;
use aws_sdk_config::types::{ConfigurationRecorder, DeliveryChannel};

use super::spec::{
    Channel, Frequency, Override, Recorder, SERVICE_LINKED_ROLE, Spec, State, Strategy,
};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, known};

pub const RECORDERS: Call = Call::new("config", "DescribeConfigurationRecorders");
pub const STATUS: Call = Call::new("config", "DescribeConfigurationRecorderStatus");
pub const CHANNELS: Call = Call::new("config", "DescribeDeliveryChannels");
pub const RETENTION: Call = Call::new("config", "DescribeRetentionConfigurations");
pub const GET_ROLE: Call = Call::new("iam", "GetRole");

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let client = cx.client(Client::new);
    let (recorders, statuses, channels, retention, role) = together!(
        async {
            let request = client.describe_configuration_recorders().send();
            Ok::<_, ObserveError>(cx.read(RECORDERS, "", request).await?)
        },
        async {
            let request = client.describe_configuration_recorder_status().send();
            Ok(cx.read(STATUS, "", request).await?)
        },
        async {
            match spec.has_channel() {
                true => {
                    let request = client.describe_delivery_channels().send();
                    Ok(Some(cx.read(CHANNELS, "", request).await?))
                }
                false => Ok(None),
            }
        },
        retention(cx, spec),
        service_linked_role(cx, spec),
    )?;
    // Recorders with a service principal are that service's own.
    let recorder = recorders
        .configuration_recorders()
        .iter()
        .find(|recorder| recorder.service_principal().is_none());
    let status = statuses
        .configuration_recorders_status()
        .iter()
        .find(|status| status.name() == recorder.and_then(|recorder| recorder.name()));
    let channel = channels
        .as_ref()
        .and_then(|channels| channels.delivery_channels().first())
        .map(read_channel)
        .transpose()?;
    let failed = status
        .filter(|status| status.last_status().is_some_and(|last| last.as_str() == "Failure"))
        .map(|status| {
            format!(
                "{}: {}",
                status.last_error_code().unwrap_or("Failure"),
                status.last_error_message().unwrap_or("AWS gave no message")
            )
        });
    let state = State {
        recorder: recorder.map(read_recorder).transpose()?,
        recording: status.is_some_and(|status| status.recording()),
        failure: failed,
        channel,
        retention_period_in_days: retention,
        has_service_linked_role: role,
    };
    let of_control_tower = state
        .recorder
        .as_ref()
        .is_some_and(|recorder| recorder.name.starts_with("aws-controltower-"));
    let object = Object::present("", state);
    Ok(vec![if of_control_tower { object.managed_by("AWS Control Tower") } else { object }])
}

async fn retention(cx: &Cx, spec: &Spec) -> Result<Option<u32>, ObserveError> {
    if spec.retention_period_in_days.is_none() {
        return Ok(None);
    }
    let client = cx.client(Client::new);
    let lists = cx
        .read(RETENTION, "", async {
            client
                .describe_retention_configurations()
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
        })
        .await?;
    Ok(lists.first().and_then(|one| u32::try_from(one.retention_period_in_days()).ok()))
}

/// Whether the service-linked role is there. IAM is global, so one Region asks for all.
async fn service_linked_role(cx: &Cx, spec: &Spec) -> Result<Option<bool>, ObserveError> {
    if !spec.may_use_service_linked_role() {
        return Ok(None);
    }
    let cx = cx.in_region(cx.home_region.clone());
    let client = cx.client(aws_sdk_iam::Client::new);
    let request = client.get_role().role_name(SERVICE_LINKED_ROLE).send();
    let answer =
        cx.read(GET_ROLE, SERVICE_LINKED_ROLE, request).await.absent_if(&["NoSuchEntity"])?;
    Ok(Some(answer.is_some()))
}

fn read_recorder(recorder: &ConfigurationRecorder) -> Result<Recorder, ObserveError> {
    let group = recorder.recording_group();
    let excluded = group
        .and_then(|group| group.exclusion_by_resource_types())
        .map(|exclusion| exclusion.resource_types())
        .unwrap_or_default();
    // Recorders from before there were strategies have only the lists.
    let strategy = match group.and_then(|group| group.recording_strategy()?.use_only()) {
        Some(word) => known("RecordingStrategy.UseOnly", word.as_str())?,
        None if !excluded.is_empty() => Strategy::Exclusion,
        None if group.is_some_and(|group| !group.all_supported()) => Strategy::Inclusion,
        None => Strategy::All,
    };
    let types = match strategy {
        Strategy::All => &[],
        Strategy::Inclusion => group.map(|group| group.resource_types()).unwrap_or_default(),
        Strategy::Exclusion => excluded,
    };
    let mode = recorder.recording_mode();
    let overrides = mode.map(|mode| mode.recording_mode_overrides()).unwrap_or_default();
    Ok(Recorder {
        name: recorder.name().unwrap_or_default().to_owned(),
        role_arn: recorder.role_arn().unwrap_or_default().to_owned(),
        strategy,
        include_global_resource_types: strategy == Strategy::All
            && group.is_some_and(|group| group.include_global_resource_types()),
        resource_types: types.iter().map(|name| name.as_str().to_owned()).collect(),
        recording_frequency: match mode {
            None => Frequency::Continuous,
            Some(mode) => known("RecordingFrequency", mode.recording_frequency().as_str())?,
        },
        recording_overrides: overrides
            .iter()
            .map(|one| {
                Ok(Override {
                    description: one
                        .description()
                        .filter(|text| !text.is_empty())
                        .map(str::to_owned),
                    resource_types: one
                        .resource_types()
                        .iter()
                        .map(|name| name.as_str().to_owned())
                        .collect(),
                    recording_frequency: known(
                        "RecordingFrequency",
                        one.recording_frequency().as_str(),
                    )?,
                })
            })
            .collect::<Result<_, ObserveError>>()?,
    })
}

fn read_channel(channel: &DeliveryChannel) -> Result<Channel, ObserveError> {
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let frequency = channel
        .config_snapshot_delivery_properties()
        .and_then(|properties| properties.delivery_frequency());
    Ok(Channel {
        name: channel.name().unwrap_or_default().to_owned(),
        s3_bucket_name: text(channel.s3_bucket_name()),
        s3_key_prefix: text(channel.s3_key_prefix()),
        s3_kms_key_arn: text(channel.s3_kms_key_arn()),
        sns_topic_arn: text(channel.sns_topic_arn()),
        snapshot_delivery_frequency: frequency
            .map(|frequency| known("DeliveryFrequency", frequency.as_str()))
            .transpose()?,
    })
}
