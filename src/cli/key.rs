//! Where the key of a signature comes from. The command line names the place, never the key: others
//! on the machine can read the arguments of a process. A key in KMS stays there.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use evenkeel::aws::mac::{KmsKey, KmsKeyArn};
use evenkeel::plan::file::{FileError, Parsed};
use evenkeel::plan::sign::{Key, Signature, SignatureError, message};

use super::failure::Failure;

/// What is accepted, in words.
const FORMS: &str = "name where the key is: env:NAME for an environment variable, file:PATH for a file, both with at least 32 bytes, such as `openssl rand -hex 32` makes; kms:ARN for an HMAC_256 key of AWS KMS";

/// The place of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
    /// AWS KMS.
    Kms(KmsKeyArn),
    /// Something else, which may be the key itself: it is not kept.
    Neither,
}

impl FromStr for KeyPlace {
    // Clap would show what it cannot parse.
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let is_name = |name: &str| {
            !name.is_empty()
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        Ok(match text.split_once(':') {
            Some(("env", name)) if is_name(name) => Self::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Self::File(path.into()),
            Some(("kms", arn)) => arn.parse().map_or(Self::Neither, Self::Kms),
            _ => Self::Neither,
        })
    }
}

impl KeyPlace {
    /// As it is written on the command line.
    pub fn word(&self) -> String {
        match self {
            Self::Env(name) => format!("env:{name}"),
            Self::File(path) => format!("file:{}", path.display()),
            Self::Kms(arn) => format!("kms:{arn}"),
            Self::Neither => "KEY".to_owned(),
        }
    }

    /// The key, to check signatures with.
    ///
    /// # Errors
    /// There is none, it is too short, or there is no way to AWS.
    pub async fn verifier(&self) -> Result<SigningKey, Failure> {
        match self {
            Self::Kms(arn) => Ok(SigningKey::Kms(Box::new(KmsKey::connect(arn.clone()).await?))),
            _ => self.load().map(SigningKey::Held),
        }
    }

    /// The key, to sign with.
    ///
    /// # Errors
    /// As [`KeyPlace::verifier`], or KMS would refuse to sign.
    pub async fn signer(&self) -> Result<SigningKey, Failure> {
        let key = self.verifier().await?;
        if let SigningKey::Kms(key) = &key {
            key.try_generate().await?;
        }
        Ok(key)
    }

    fn load(&self) -> Result<Key, Failure> {
        let bytes = match self {
            Self::Env(name) => std::env::var(name).map(String::into_bytes).map_err(|_| {
                // What stands after `env:` may be the key, when a shell has filled it in.
                let named = match name.bytes().all(|byte| !byte.is_ascii_lowercase()) {
                    true if name.len() < 32 => format!("the environment variable {name}"),
                    _ => "the environment variable".to_owned(),
                };
                Failure::usage(format!("{named} for the key is not set, or is not text"), FORMS)
            })?,
            Self::File(path) => read(path)?,
            Self::Kms(_) | Self::Neither => {
                return Err(Failure::usage(
                    "--sign and --verify do not take the key itself (what was given is not shown, in case it is the key)",
                    FORMS,
                ));
            }
        };
        Key::new(&bytes).map_err(|error| {
            Failure::usage(format!("the key of {} cannot be used: {error}", self.word()), FORMS)
        })
    }
}

/// A key to sign with and to check signatures with.
pub enum SigningKey {
    /// Its bytes are at hand.
    Held(Key),
    /// It is in KMS.
    Kms(Box<KmsKey>),
}

impl SigningKey {
    /// Signs the plan with this digest.
    ///
    /// # Errors
    /// KMS does not sign.
    pub async fn sign(&self, plan_digest: &str) -> Result<Signature, Failure> {
        Ok(match self {
            Self::Held(key) => key.sign(plan_digest),
            Self::Kms(key) => Signature::hmac_sha_256(&key.generate(&message(plan_digest)).await?),
        })
    }

    /// Checks the signature of a plan that was read; that it is none of this key is the inner error.
    ///
    /// # Errors
    /// KMS does not say.
    pub async fn verify(&self, parsed: &Parsed) -> Result<Result<(), FileError>, Failure> {
        let Parsed { digest, signature, .. } = parsed;
        let verified = match (self, signature) {
            (Self::Held(key), _) => key.verify(digest, signature.as_ref()),
            (Self::Kms(_), None) => Err(SignatureError::Missing),
            (Self::Kms(key), Some(signature)) => match signature.bytes() {
                Err(error) => Err(error),
                Ok(mac) if key.verify(&message(digest), &mac).await? => Ok(()),
                Ok(_) => Err(SignatureError::Wrong),
            },
        };
        Ok(verified.map_err(FileError::from))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    /// No key is longer.
    const LONGEST: u64 = 64 * 1024;
    let about = std::fs::metadata(path).map_err(|why| Failure::file("read", path, why))?;
    if !about.is_file() || about.len() > LONGEST {
        return Err(Failure::usage(format!("{} is not a key file", path.display()), FORMS));
    }
    std::fs::read(path).map_err(|why| Failure::file("read", path, why))
}
