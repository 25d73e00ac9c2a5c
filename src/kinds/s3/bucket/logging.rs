//! The access log of a bucket: reading it, and writing it whole.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLoggingStatus, BucketLogsPermission, Grantee, LoggingEnabled, PartitionDateSource,
    PartitionedPrefix, SimplePrefix, TargetGrant, TargetObjectKeyFormat, Type,
};

use super::spec::{LogGrant, LogKeyFormat, Logging};
use crate::aws::Call;
use crate::kinds::{Cx, ObserveError, known, told};

pub const GET_LOGGING: Call = Call::new("s3", "GetBucketLogging");

pub async fn logging(cx: &Cx, bucket: &str) -> Result<Option<Logging>, ObserveError> {
    let client = cx.client(Client::new);
    let owner = cx.account.as_str();
    let request = client.get_bucket_logging().bucket(bucket).expected_bucket_owner(owner).send();
    let answer = cx.read(GET_LOGGING, bucket, request).await?;
    // A bucket without access log has none of this.
    answer.logging_enabled().map(read).transpose()
}

fn read(logging: &LoggingEnabled) -> Result<Logging, ObserveError> {
    Ok(Logging {
        bucket: logging.target_bucket().to_owned(),
        prefix: logging.target_prefix().to_owned(),
        key_format: logging.target_object_key_format().map(read_format).transpose()?,
        grants: logging.target_grants().iter().map(read_grant).collect::<Result<_, _>>()?,
    })
}

fn read_format(format: &TargetObjectKeyFormat) -> Result<LogKeyFormat, ObserveError> {
    match (format.partitioned_prefix(), format.simple_prefix()) {
        (Some(partitioned), _) => {
            let source = told("PartitionDateSource", partitioned.partition_date_source())?;
            known("PartitionDateSource", source.as_str())
        }
        (None, Some(_)) => Ok(LogKeyFormat::SimplePrefix),
        (None, None) => Err(ObserveError::Untold { field: "TargetObjectKeyFormat".to_owned() }),
    }
}

fn read_grant(grant: &TargetGrant) -> Result<LogGrant, ObserveError> {
    let grantee = told("Grantee", grant.grantee())?;
    let text = |text: Option<&str>| text.map(str::to_owned);
    Ok(LogGrant {
        grantee_type: known("Type", grantee.r#type().as_str())?,
        id: text(grantee.id()),
        display_name: text(grantee.display_name()),
        email_address: text(grantee.email_address()),
        uri: text(grantee.uri()),
        permission: known("Permission", told("Permission", grant.permission())?.as_str())?,
    })
}

/// The whole setting for AWS; `None` turns the log off.
///
/// # Errors
/// A required member is missing.
pub fn send(logging: Option<&Logging>) -> Result<BucketLoggingStatus, BuildError> {
    let enabled = logging.map(send_enabled).transpose()?;
    Ok(BucketLoggingStatus::builder().set_logging_enabled(enabled).build())
}

fn send_enabled(logging: &Logging) -> Result<LoggingEnabled, BuildError> {
    let grants = logging.grants.iter().map(send_grant).collect::<Result<Vec<_>, _>>()?;
    LoggingEnabled::builder()
        .target_bucket(&logging.bucket)
        .target_prefix(&logging.prefix)
        .set_target_object_key_format(logging.key_format.map(send_format))
        .set_target_grants((!grants.is_empty()).then_some(grants))
        .build()
}

fn send_format(format: LogKeyFormat) -> TargetObjectKeyFormat {
    let builder = TargetObjectKeyFormat::builder();
    match format {
        LogKeyFormat::SimplePrefix => builder.simple_prefix(SimplePrefix::builder().build()),
        LogKeyFormat::EventTime | LogKeyFormat::DeliveryTime => builder.partitioned_prefix(
            PartitionedPrefix::builder()
                .partition_date_source(PartitionDateSource::from(format.as_str()))
                .build(),
        ),
    }
    .build()
}

fn send_grant(grant: &LogGrant) -> Result<TargetGrant, BuildError> {
    let grantee = Grantee::builder()
        .r#type(Type::from(grant.grantee_type.as_str()))
        .set_id(grant.id.clone())
        .set_display_name(grant.display_name.clone())
        .set_email_address(grant.email_address.clone())
        .set_uri(grant.uri.clone())
        .build()?;
    Ok(TargetGrant::builder()
        .grantee(grantee)
        .permission(BucketLogsPermission::from(grant.permission.as_str()))
        .build())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::spec::{GranteeType, LogPermission};
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_read() {
        let grant = LogGrant {
            grantee_type: GranteeType::CanonicalUser,
            id: Some("79a5".to_owned()),
            display_name: None,
            email_address: None,
            uri: None,
            permission: LogPermission::Read,
        };
        for key_format in [
            None,
            Some(LogKeyFormat::SimplePrefix),
            Some(LogKeyFormat::EventTime),
            Some(LogKeyFormat::DeliveryTime),
        ] {
            let logging = Logging {
                bucket: "target".to_owned(),
                prefix: "a/".to_owned(),
                key_format,
                grants: vec![grant.clone()],
            };
            let sent = send(Some(&logging)).unwrap();
            assert_eq!(read(sent.logging_enabled().unwrap()).unwrap(), logging);
        }
        assert_eq!(send(None).unwrap().logging_enabled(), None);
    }
}
