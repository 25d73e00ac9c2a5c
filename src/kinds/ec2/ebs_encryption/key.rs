//! The key of a Region's EBS encryption: AWS's own, one that is there, or one that is not.

use aws_sdk_kms::types::KeyMetadata;
use serde::{Deserialize, Serialize};

use super::DESCRIBE_KEY;
use crate::aws::error::AbsentIf;
use crate::kinds::kms::reads;
use crate::kinds::{Cx, ObserveError, told};

/// The key of AWS that is used when nobody chose one.
pub const AWS_KEY: &str = "alias/aws/ebs";

/// What a name of a key stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Key {
    /// AWS's own key for EBS.
    AwsOwn,
    /// A key that is there.
    There {
        /// Its ARN.
        arn: String,
        /// Why EBS cannot use it.
        unusable: Option<String>,
    },
    /// Nothing: the key is not there, any more or yet.
    Missing {
        /// The name.
        name: String,
    },
}

impl Key {
    /// Whether a declaration means this key by its own name, so that nothing has to be looked up.
    pub fn is_called(&self, declared: &str) -> bool {
        match self {
            Self::AwsOwn => means_aws_own(declared),
            Self::There { arn, .. } => arn == declared,
            Self::Missing { name } => is_same_name(name, declared),
        }
    }

    /// Whether two names stand for one key.
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AwsOwn, Self::AwsOwn) => true,
            (Self::There { arn, .. }, Self::There { arn: other, .. }) => arn == other,
            (Self::Missing { name }, Self::Missing { name: other }) => is_same_name(name, other),
            _ => false,
        }
    }

    /// Why EBS cannot use the key.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Self::AwsOwn => None,
            Self::There { unusable, .. } => unusable.as_deref(),
            Self::Missing { .. } => Some("it is not there"),
        }
    }
}

/// Whether a declaration asks for AWS's own key.
pub fn means_aws_own(declared: &str) -> bool {
    declared.is_empty() || declared == AWS_KEY
}

/// Whether a name can be given to a key later on: an id cannot.
pub fn is_alias(name: &str) -> bool {
    name.starts_with("alias/") || name.contains(":alias/")
}

/// One name, or a name and the ARN that ends with it: nobody can be asked about a key that is gone.
fn is_same_name(one: &str, other: &str) -> bool {
    let is_end = |long: &str, short: &str| {
        long.strip_suffix(short).is_some_and(|start| start.ends_with([':', '/']))
    };
    one == other || is_end(one, other) || is_end(other, one)
}

/// What a name of a key stands for; empty for AWS's own.
pub async fn look_up(cx: &Cx, name: &str) -> Result<Key, ObserveError> {
    if means_aws_own(name) {
        return Ok(Key::AwsOwn);
    }
    let Some(metadata) = describe(cx, name).await? else {
        return Ok(Key::Missing { name: name.to_owned() });
    };
    let arn = arn(&metadata)?.to_owned();
    if reads::is_customers(&metadata)? {
        let unusable = unusable(&metadata)?;
        return Ok(Key::There { arn, unusable });
    }
    // AWS manages a key for each of its services, and EBS can use the one of EBS alone. KMS knows its
    // predefined aliases in every account.
    let of_ebs = told("the key behind alias/aws/ebs", describe(cx, AWS_KEY).await?)?;
    if self::arn(&of_ebs)? == arn {
        return Ok(Key::AwsOwn);
    }
    let unusable = Some("it is AWS's own key of another service".to_owned());
    Ok(Key::There { arn, unusable })
}

/// The ARN of a key, which two names of it have in common: one that is empty would be everybody's.
fn arn(metadata: &KeyMetadata) -> Result<&str, ObserveError> {
    told("Arn", metadata.arn().filter(|arn| !arn.is_empty()))
}

async fn describe(cx: &Cx, name: &str) -> Result<Option<KeyMetadata>, ObserveError> {
    let client = cx.client(aws_sdk_kms::Client::new);
    let request = client.describe_key().key_id(name).send();
    let answer = cx.read(DESCRIBE_KEY, name, request).await.absent_if(&["NotFoundException"])?;
    answer.map(|answer| told("KeyMetadata", answer.key_metadata().cloned())).transpose()
}

fn unusable(metadata: &KeyMetadata) -> Result<Option<String>, ObserveError> {
    // Answers from before 2021 have the older member alone; where both are, they agree.
    #[allow(deprecated)]
    let older = metadata.customer_master_key_spec().map(|spec| spec.as_str());
    let spec = told("KeySpec", metadata.key_spec().map(|spec| spec.as_str()).or(older))?;
    let state = told("KeyState", metadata.key_state())?.as_str();
    Ok(if spec != "SYMMETRIC_DEFAULT" {
        Some(format!("it is of the spec {spec}, and must be SYMMETRIC_DEFAULT"))
    } else if state != "Enabled" {
        Some(format!("it is in the state {state}, and must be Enabled"))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_without_an_arn_are_not_the_same() {
        let key = |arn: Option<&str>| {
            let key = KeyMetadata::builder().key_id("1").set_arn(arn.map(str::to_owned));
            key.build().ok()
        };
        assert!(key(Some("arn")).is_some_and(|key| arn(&key).is_ok_and(|arn| arn == "arn")));
        for nothing in [None, Some("")] {
            assert!(key(nothing).is_some_and(|key| arn(&key).is_err()), "{nothing:?}");
        }
    }

    #[test]
    fn a_key_that_is_gone_is_known_by_the_end_of_its_arn() {
        let arn = "arn:aws:kms:eu-west-1:111122223333:key/11111111-2222-3333-4444-555555555555";
        let gone = Key::Missing { name: arn.to_owned() };
        for (name, is_it) in [
            (arn, true),
            ("11111111-2222-3333-4444-555555555555", true),
            ("2222-3333-4444-555555555555", false),
            ("", false),
            (AWS_KEY, false),
        ] {
            assert_eq!(gone.is_called(name), is_it, "{name}");
        }
    }
}
