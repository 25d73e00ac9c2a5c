//! The key of a Region's EBS encryption: AWS's own, one that is there, or one that is not.

use serde::{Deserialize, Serialize};

use crate::kinds::kms::named::{self, Named, Service};
use crate::kinds::{Cx, ObserveError};

/// The key of AWS that is used when nobody chose one.
pub const AWS_KEY: &str = "alias/aws/ebs";
/// EBS takes keys of its own Region, and of AWS's keys its own alone (EC2 User Guide, "Amazon EBS
/// encryption").
pub const KEYS: Service = Service { own_key: Some(AWS_KEY), of_region: true };

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
    Ok(match named::look_up(cx, name, KEYS).await? {
        Named::There { is_own: true, .. } => Key::AwsOwn,
        Named::There { arn, unusable, .. } => Key::There { arn, unusable },
        Named::Missing => Key::Missing { name: name.to_owned() },
        Named::Hidden => Key::There { arn: name.to_owned(), unusable: None },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
