//! The access log of a bucket.

use aws_sdk_s3::error::BuildError;
use aws_sdk_s3::types::{
    BucketLoggingStatus, BucketLogsPermission, Grantee, LoggingEnabled, PartitionDateSource,
    PartitionedPrefix, SimplePrefix, TargetGrant, TargetObjectKeyFormat, Type,
};
use serde::{Deserialize, Serialize};

use super::spec::Spec;
use super::{Bucket, Place, bucket, request};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, known, told,
};

const GET: Call = Call::new("s3", "GetBucketLogging");
const PUT: Call = Call::new("s3", "PutBucketLogging");

aws_enum! {
    /// How access log files are named.
    LogKeyFormat {
        SimplePrefix = "SimplePrefix",
        EventTime = "EventTime",
        DeliveryTime = "DeliveryTime",
    }
}

aws_enum! {
    /// Who may do what with the files of an access log.
    LogPermission { FullControl = "FULL_CONTROL", Read = "READ", Write = "WRITE", }
}

aws_enum! {
    /// What a grantee is.
    GranteeType {
        CanonicalUser = "CanonicalUser",
        AmazonCustomerByEmail = "AmazonCustomerByEmail",
        Group = "Group",
    }
}

/// Where an access log goes.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logging {
    /// The bucket.
    pub bucket: String,
    /// What stands before the names of its files.
    pub prefix: String,
    /// How its files are named; absent when S3 names no format, which is `SimplePrefix`.
    #[serde(default)]
    pub key_format: Option<LogKeyFormat>,
    /// Who may read its files, which cannot be declared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<LogGrant>,
}

/// Who may do what with the files of an access log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGrant {
    /// What the grantee is.
    pub grantee_type: GranteeType,
    /// The canonical id of an account.
    pub id: Option<String>,
    /// Its name, which S3 gives in old answers.
    pub display_name: Option<String>,
    /// Its e-mail address.
    pub email_address: Option<String>,
    /// The URI of a group.
    pub uri: Option<String>,
    /// What is granted.
    pub permission: LogPermission,
}

pub struct AccessLog;

impl Part for AccessLog {
    type Of = Bucket;
    type Now = Option<Logging>;
    /// `None` turns it off.
    type Write = Option<Logging>;

    const NAME: &'static str = "logging";
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(GET, Self::is_declared), Use::write_if(PUT, Self::is_declared, bucket)];

    fn is_declared(spec: &Spec) -> bool {
        spec.access_log_bucket.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        let bucket = &place.bucket;
        let request = request!(get_bucket_logging, cx, bucket).send();
        let answer = cx.read(GET, bucket, request).await?;
        // A bucket without access log has none of this.
        answer.logging_enabled().map(read).transpose()
    }

    fn diff(look: &Look<'_, Bucket>, now: &Self::Now) -> Vec<Change<Self::Write>> {
        let Some(bucket) = look.spec.access_log_bucket.as_deref() else { return Vec::new() };
        let actual = now.as_ref();
        let mut drift = Drift::new();
        drift.compare_text(
            "access_log_bucket",
            actual.map(|logging| logging.bucket.as_str()),
            Some(bucket),
        );
        if bucket.is_empty() {
            if drift.is_empty() {
                return Vec::new();
            }
            let warning = "nobody sees any more who asked for what in this bucket";
            return vec![look.disruptive(Change::new(None, drift).moves(), warning)];
        }
        drift.compare_text(
            "access_log_prefix",
            actual.map(|logging| logging.prefix.as_str()),
            look.spec.access_log_prefix.as_deref(),
        );
        // "SimplePrefix" is the format of logs that name none (S3 API Reference, LoggingEnabled).
        let named = |logging: &Logging| logging.key_format.unwrap_or(LogKeyFormat::SimplePrefix);
        let reformats = drift.compare(
            "access_log_key_format",
            actual.map(named).as_ref(),
            look.spec.access_log_key_format.as_ref(),
        );
        if drift.is_empty() {
            return Vec::new();
        }
        // What is not declared stays as S3 keeps it.
        let mut desired = actual.cloned().unwrap_or_default();
        bucket.clone_into(&mut desired.bucket);
        if let Some(prefix) = &look.spec.access_log_prefix {
            desired.prefix.clone_from(prefix);
        }
        if reformats {
            desired.key_format = look.spec.access_log_key_format;
        }
        vec![Change::new(Some(desired), drift).moves()]
    }

    fn calls(_: &Self::Write) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, logging: &Self::Write) -> Result<(), WriteError> {
        let request = request!(put_bucket_logging, cx, &place.bucket)
            .bucket_logging_status(send(logging.as_ref())?);
        cx.send(PUT, request.send()).await
    }

    fn undo(_: &Self::Write, before: &Self::Now) -> Undo<Self::Write> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let logging = now.as_ref();
        spec.access_log_bucket = logging.map(|logging| logging.bucket.clone());
        spec.access_log_prefix = logging.map(|logging| logging.prefix.clone());
        spec.access_log_key_format = logging.and_then(|logging| logging.key_format);
    }

    fn as_it_was(_facts: &Facts, now: &Self::Now, spec: &mut Spec) {
        Self::export(now, spec);
        spec.access_log_bucket.get_or_insert_default();
    }
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
fn send(logging: Option<&Logging>) -> Result<BucketLoggingStatus, BuildError> {
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

/// What has no meaning without an access log.
pub fn check(spec: &Spec, problems: &mut Vec<SpecProblem>) {
    let declared = [
        ("access_log_prefix", spec.access_log_prefix.is_some()),
        ("access_log_key_format", spec.access_log_key_format.is_some()),
    ];
    if spec.access_log_bucket.as_deref().is_none_or(str::is_empty) {
        for (field, _) in declared.iter().filter(|(_, is_there)| *is_there) {
            problems.push(SpecProblem::new(
                *field,
                "this has no meaning without an access log",
                "declare access_log_bucket",
            ));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
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
