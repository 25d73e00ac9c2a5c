//! Reading AWS Config in a Region.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_config::Client;
use aws_sdk_config::operation::describe_delivery_channel_status::DescribeDeliveryChannelStatusOutput;
use aws_sdk_config::operation::describe_delivery_channels::DescribeDeliveryChannelsOutput;
use aws_sdk_config::types::{ConfigurationRecorder, DeliveryChannel};

use super::spec::{
    Channel, Frequency, Override, Recorder, SERVICE_LINKED_ROLE, Spec, State, Strategy,
};
use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::kinds::kms::let_in::{self, Keyed};
use crate::kinds::kms::named;
use crate::kinds::together::together;
use crate::kinds::{Cx, Object, ObserveError, count, known, told};

pub const RECORDERS: Call = Call::new("config", "DescribeConfigurationRecorders");
pub const STATUS: Call = Call::new("config", "DescribeConfigurationRecorderStatus");
pub const CHANNELS: Call = Call::new("config", "DescribeDeliveryChannels");
pub const CHANNEL_STATUS: Call = Call::new("config", "DescribeDeliveryChannelStatus");
pub const RETENTION: Call = Call::new("config", "DescribeRetentionConfigurations");
pub const GET_ROLE: Call = Call::new("iam", "GetRole");

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    let client = cx.client(Client::new);
    let ((recorders, deliveries), statuses, (channels, key), retention, role) = together!(
        async {
            together!(
                async {
                    let request = client.describe_configuration_recorders().send();
                    Ok::<_, ObserveError>(cx.read(RECORDERS, "", request).await?)
                },
                deliveries(cx, spec),
            )
        },
        async {
            let request = client.describe_configuration_recorder_status().send();
            Ok(cx.read(STATUS, "", request).await?)
        },
        channels(cx, spec),
        retention(cx, spec),
        service_linked_role(cx, spec),
    )?;
    let recorder =
        own(told("ConfigurationRecorders", recorders.configuration_recorders.as_ref())?)?;
    let name = recorder.map(|recorder| told("ConfigurationRecorder.name", recorder.name()));
    let name = name.transpose()?;
    let list =
        told("ConfigurationRecordersStatus", statuses.configuration_recorders_status.as_ref())?;
    let status = name.map(|name| {
        let status = list.iter().find(|status| status.name() == Some(name));
        told("ConfigurationRecordersStatus", status)
    });
    let status = status.transpose()?;
    let channel = match &channels {
        Some(channels) => told("DeliveryChannels", channels.delivery_channels.as_ref())?
            .first()
            .map(read_channel)
            .transpose()?,
        None => None,
    };
    // `recording` is false for AWS when the answer does not have it: a boolean that its API model does
    // not box (botocore, config/2014-11-12/service-2.json).
    let recording = status.is_some_and(|status| status.recording());
    let mut failures = match (&channel, &deliveries) {
        (Some(channel), Some(answer)) => failed_deliveries(&channel.name, answer)?,
        _ => BTreeMap::new(),
    };
    if let Some(status) = status.filter(|_| recording && spec.recording == Some(true)) {
        let word = told("lastStatus", status.last_status())?.as_str();
        failures.extend(failure(
            "recording.last_status",
            Some(word),
            status.last_error_code(),
            status.last_error_message(),
        )?);
    }
    let (declared_key, key_policy) = key.map(|keyed| (keyed.key, keyed.policy)).unzip();
    let state = State {
        recorder: recorder.map(|recorder| read_recorder(spec, recorder)).transpose()?,
        recorder_arn: recorder.and_then(|recorder| recorder.arn()).map(str::to_owned),
        recording,
        failures,
        channel,
        declared_key,
        key_policy: key_policy.flatten(),
        retention_period_in_days: retention,
        has_service_linked_role: role,
    };
    let name = state.recorder.as_ref().map(|recorder| recorder.name.clone()).unwrap_or_default();
    Ok(vec![Object::present("", state).of_control_tower_by(&name)])
}

/// The account's own recorder: those with a service principal are that service's own, those with a
/// connector are for another cloud.
fn own(
    recorders: &[ConfigurationRecorder],
) -> Result<Option<&ConfigurationRecorder>, ObserveError> {
    let is_own = |one: &&ConfigurationRecorder| {
        one.service_principal().is_none() && one.connector_arn().is_none()
    };
    let own: Vec<_> = recorders.iter().filter(is_own).collect();
    if own.len() > 1 {
        return Err(ObserveError::Malformed {
            field: "ConfigurationRecorders".to_owned(),
            problem: format!("a Region has one recorder of the account's own, not {}", own.len()),
        });
    }
    Ok(own.first().copied())
}

/// What failed, in the words of a status that AWS gives in capitals though its API model does not;
/// so the case of letters and `_` are not looked at.
fn failure(
    field: &str,
    status: Option<&str>,
    code: Option<&str>,
    message: Option<&str>,
) -> Result<Option<(String, String)>, ObserveError> {
    let Some(status) = status else { return Ok(None) };
    match status.replace('_', "").to_ascii_lowercase().as_str() {
        "success" | "pending" | "notapplicable" => Ok(None),
        "failure" => {
            let said = [code, message].into_iter().flatten().filter(|text| !text.is_empty());
            let said: Vec<&str> = [status].into_iter().chain(said).collect();
            Ok(Some((field.to_owned(), said.join(": "))))
        }
        _ => Err(ObserveError::UnknownValue {
            field: "lastStatus".to_owned(),
            value: status.to_owned(),
        }),
    }
}

/// The channel, and the key that is declared for it with its policy.
async fn channels(
    cx: &Cx,
    spec: &Spec,
) -> Result<(Option<Arc<DescribeDeliveryChannelsOutput>>, Option<Keyed>), ObserveError> {
    if !spec.has_channel() {
        return Ok((None, None));
    }
    let request = cx.client(Client::new).describe_delivery_channels().send();
    let channels = cx.read(CHANNELS, "", request).await?;
    let key = match spec.key() {
        Some(key) => Some(let_in::look_at(cx, key, named::DELIVERY).await?),
        None => None,
    };
    Ok((Some(channels), key))
}

async fn deliveries(
    cx: &Cx,
    spec: &Spec,
) -> Result<Option<Arc<DescribeDeliveryChannelStatusOutput>>, ObserveError> {
    if !spec.has_channel() {
        return Ok(None);
    }
    let request = cx.client(Client::new).describe_delivery_channel_status().send();
    Ok(Some(cx.read(CHANNEL_STATUS, "", request).await?))
}

/// The deliveries of a channel that failed the last time. One that was never tried has no status.
fn failed_deliveries(
    channel: &str,
    answer: &DescribeDeliveryChannelStatusOutput,
) -> Result<BTreeMap<String, String>, ObserveError> {
    let mut failures = BTreeMap::new();
    let list = told("DeliveryChannelsStatus", answer.delivery_channels_status.as_ref())?;
    // Without names asked for, AWS tells the status of every channel.
    let status = list.iter().find(|one| one.name() == Some(channel));
    let status = told("DeliveryChannelsStatus", status)?;
    let exports = [
        ("s3_bucket_name.config_history_delivery_info", status.config_history_delivery_info()),
        (
            "snapshot_delivery_frequency.config_snapshot_delivery_info",
            status.config_snapshot_delivery_info(),
        ),
    ];
    for (field, info) in exports {
        let Some(info) = info else { continue };
        let word = info.last_status().map(|word| word.as_str());
        if info.last_attempt_time().or(info.last_successful_time()).is_some() {
            told("lastStatus", word)?;
        }
        failures.extend(failure(field, word, info.last_error_code(), info.last_error_message())?);
    }
    if let Some(info) = status.config_stream_delivery_info() {
        let word = info.last_status().map(|word| word.as_str());
        if info.last_status_change_time().is_some() {
            told("lastStatus", word)?;
        }
        failures.extend(failure(
            "sns_topic_arn.config_stream_delivery_info",
            word,
            info.last_error_code(),
            info.last_error_message(),
        )?);
    }
    Ok(failures)
}

async fn retention(cx: &Cx, spec: &Spec) -> Result<Option<u32>, ObserveError> {
    if spec.retention_period_in_days.is_none() {
        return Ok(None);
    }
    let client = cx.client(Client::new);
    let pages = cx
        .pages(RETENTION, "", client.describe_retention_configurations().into_paginator().send())
        .await?;
    for page in pages.iter() {
        let list = told("RetentionConfigurations", page.retention_configurations.as_ref())?;
        if let Some(one) = list.first() {
            return count("RetentionPeriodInDays", one.retention_period_in_days()).map(Some);
        }
    }
    Ok(None)
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
    if let Some(answer) = &answer {
        told("Role", answer.role())?;
    }
    Ok(Some(answer.is_some()))
}

fn read_recorder(spec: &Spec, recorder: &ConfigurationRecorder) -> Result<Recorder, ObserveError> {
    let group = recorder.recording_group();
    if spec.has_recorder() {
        told("recordingGroup", group)?;
    }
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
    if strategy == Strategy::All && group.is_some_and(|group| !group.all_supported()) {
        return Err(ObserveError::Malformed {
            field: "recordingGroup".to_owned(),
            problem: "its strategy is to record all types, and allSupported is false".to_owned(),
        });
    }
    let types = match strategy {
        Strategy::All => &[],
        Strategy::Inclusion => group.map(|group| group.resource_types()).unwrap_or_default(),
        Strategy::Exclusion => excluded,
    };
    let mode = recorder.recording_mode();
    let overrides = mode.map(|mode| mode.recording_mode_overrides()).unwrap_or_default();
    Ok(Recorder {
        name: told("ConfigurationRecorder.name", recorder.name())?.to_owned(),
        role_arn: told("roleARN", recorder.role_arn())?.to_owned(),
        strategy,
        // Also a primitive of the API model: what the answer does not have is false.
        include_global_resource_types: strategy == Strategy::All
            && group.is_some_and(|group| group.include_global_resource_types()),
        resource_types: types.iter().map(|name| name.as_str().to_owned()).collect(),
        recording_frequency: match mode {
            // Recorders from before there was a choice (November 2023) have no mode.
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
        name: told("DeliveryChannel.name", channel.name())?.to_owned(),
        s3_bucket_name: text(channel.s3_bucket_name()),
        s3_key_prefix: text(channel.s3_key_prefix()),
        s3_kms_key_arn: text(channel.s3_kms_key_arn()),
        sns_topic_arn: text(channel.sns_topic_arn()),
        snapshot_delivery_frequency: frequency
            .map(|frequency| known("DeliveryFrequency", frequency.as_str()))
            .transpose()?,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use aws_sdk_config::primitives::DateTime;
    use aws_sdk_config::types::{ConfigExportDeliveryInfo, DeliveryChannelStatus, DeliveryStatus};

    fn answer(info: ConfigExportDeliveryInfo) -> DescribeDeliveryChannelStatusOutput {
        let status =
            DeliveryChannelStatus::builder().name("default").config_history_delivery_info(info);
        DescribeDeliveryChannelStatusOutput::builder()
            .delivery_channels_status(status.build())
            .build()
    }

    #[test]
    fn a_channel_has_a_status_and_a_delivery_that_was_tried_has_an_outcome() {
        let info = ConfigExportDeliveryInfo::builder;
        let never = answer(info().build());
        assert!(failed_deliveries("default", &never).unwrap().is_empty());
        assert!(failed_deliveries("other", &never).is_err());
        let tried = info().last_attempt_time(DateTime::from_secs(1));
        assert!(failed_deliveries("default", &answer(tried.clone().build())).is_err());
        let failed = tried.last_status(DeliveryStatus::Failure).last_error_code("AccessDenied");
        let failures = failed_deliveries("default", &answer(failed.build())).unwrap();
        assert_eq!(
            failures["s3_bucket_name.config_history_delivery_info"],
            "Failure: AccessDenied"
        );
    }
}
