//! Message authentication codes by a key that never leaves AWS KMS.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::MacAlgorithmSpec;

use super::error::{AwsError, ErrorClass};
use super::meter::Meter;
use super::permission::Call;
use super::session::{ConnectError, Options, Session};
use crate::names::{AccountId, Region};

const GENERATE: Call = Call::new("kms", "GenerateMac");
const VERIFY: Call = Call::new("kms", "VerifyMac");
const ALGORITHM: MacAlgorithmSpec = MacAlgorithmSpec::HmacSha256;

/// The whole name of a KMS key, or of an alias: with account and Region, so that it means the same
/// key whoever reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKeyArn {
    arn: String,
    region: Region,
}

/// A text that is no such name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not the ARN of a KMS key or alias: arn:aws:kms:REGION:ACCOUNT:key/ID")]
pub struct NotAKeyArn;

impl FromStr for KmsKeyArn {
    type Err = NotAKeyArn;

    fn from_str(text: &str) -> Result<Self, NotAKeyArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, resource] = parts.as_slice() else {
            return Err(NotAKeyArn);
        };
        let is_named = ["key/", "alias/"]
            .iter()
            .any(|kind| resource.strip_prefix(kind).is_some_and(|name| !name.is_empty()));
        let is_word = |text: &str| {
            !text.is_empty()
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-/_".contains(&byte))
        };
        let is_whole = is_named
            && is_word(partition)
            && is_word(region)
            && is_word(resource)
            && account.parse::<AccountId>().is_ok();
        if !is_whole {
            return Err(NotAKeyArn);
        }
        Ok(Self { arn: text.to_owned(), region: Region::new(region) })
    }
}

impl fmt::Display for KmsKeyArn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.arn)
    }
}

/// Why KMS made or checked no code.
#[derive(Debug, thiserror::Error)]
pub enum MacError {
    /// There is no way to AWS.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// KMS refused.
    #[error("{error}")]
    Refused {
        /// The key.
        key: KmsKeyArn,
        /// What KMS said.
        error: AwsError,
    },
}

impl MacError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Connect(error) => error.remedy(),
            Self::Refused { key, error } => match error.class {
                ErrorClass::Denied => format!(
                    "allow {} on this key to whoever runs the command; in the key's policy, too, where it is another account's",
                    error.call.iam_action()
                ),
                ErrorClass::Absent => format!("check the account, the Region and the id of {key}"),
                ErrorClass::Refused | ErrorClass::Settling => {
                    "use a key that is enabled and was made for it: KeyUsage GENERATE_VERIFY_MAC, KeySpec HMAC_256".to_owned()
                }
                _ => error.remedy(),
            },
        }
    }
}

/// A key in KMS, reached with the credentials of the AWS settings.
#[derive(Debug)]
pub struct KmsKey {
    session: Session,
    key: KmsKeyArn,
}

impl KmsKey {
    /// Finds out who we are.
    ///
    /// # Errors
    /// No credentials, or no answer.
    pub async fn connect(key: KmsKeyArn) -> Result<Self, MacError> {
        let options = Options { home_region: Some(key.region.clone()), ..Options::default() };
        let session = Session::connect(Arc::new(Meter::default()), options).await?;
        Ok(Self { session, key })
    }

    /// Asks KMS whether it would make a code, so that a long work is not done in vain
    /// ([DryRun](https://docs.aws.amazon.com/kms/latest/developerguide/testing-permissions.html)).
    ///
    /// # Errors
    /// It would not.
    pub async fn try_generate(&self) -> Result<(), MacError> {
        match self.generate_or_try(b"evenkeel", true).await {
            Err(MacError::Refused { error, .. })
                if error.is_code(&["DryRunOperationException"]) =>
            {
                Ok(())
            }
            answer => answer.map(drop),
        }
    }

    /// Makes the HMAC-SHA-256 of a message of at most 4,096 bytes.
    ///
    /// # Errors
    /// KMS refuses, or does not answer.
    pub async fn generate(&self, message: &[u8]) -> Result<Vec<u8>, MacError> {
        self.generate_or_try(message, false).await
    }

    async fn generate_or_try(&self, message: &[u8], is_trial: bool) -> Result<Vec<u8>, MacError> {
        let region = &self.key.region;
        let request = self
            .session
            .client(region, Client::new)
            .generate_mac()
            .key_id(&self.key.arn)
            .mac_algorithm(ALGORITHM)
            .message(Blob::new(message))
            .set_dry_run(is_trial.then_some(true));
        let answer = self.session.send(region, GENERATE, None, request.send()).await;
        let answer = answer.map_err(|error| self.refused(error))?;
        let missing = || self.refused(AwsError::malformed(region, GENERATE, "it has no Mac"));
        Ok(answer.mac.ok_or_else(missing)?.into_inner())
    }

    /// Whether a code is that of the message with this key.
    ///
    /// # Errors
    /// KMS refuses, or does not answer: nobody can tell.
    pub async fn verify(&self, message: &[u8], mac: &[u8]) -> Result<bool, MacError> {
        let region = &self.key.region;
        let request = self
            .session
            .client(region, Client::new)
            .verify_mac()
            .key_id(&self.key.arn)
            .mac_algorithm(ALGORITHM)
            .message(Blob::new(message))
            .mac(Blob::new(mac));
        match self.session.send(region, VERIFY, None, request.send()).await {
            Ok(answer) => Ok(answer.mac_valid),
            Err(error) if error.is_code(&["KMSInvalidMacException"]) => Ok(false),
            Err(error) => Err(self.refused(error)),
        }
    }

    fn refused(&self, error: AwsError) -> MacError {
        MacError::Refused { key: self.key.clone(), error }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_its_whole_name() {
        for arn in [
            "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws-cn:kms:cn-north-1:111122223333:alias/plans/production",
        ] {
            let key: KmsKeyArn = arn.parse().unwrap();
            assert_eq!(key.to_string(), arn);
        }
        for wrong in [
            "",
            "alias/plans",
            "1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:111122223333:key/",
            "arn:aws:kms::111122223333:key/1",
            "arn:aws:kms:eu-west-1:1:key/1",
            "arn:aws:iam:eu-west-1:111122223333:key/1",
            "arn:aws:kms:eu-west-1:111122223333:key/1\u{1b}[2J",
        ] {
            assert_eq!(wrong.parse::<KmsKeyArn>(), Err(NotAKeyArn), "{wrong}");
        }
    }
}
