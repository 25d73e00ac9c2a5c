//! Taking a role in another account, so that CloudTrail there says who came and why.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_sdk_sts::Client;
use aws_sdk_sts::types::Tag;

use super::error::AwsError;
use super::permission::Call;
use super::rate::RateLimits;
use super::wire::{self, Wire};
use crate::names::Region;

const ASSUME: Call = Call::new("sts", "AssumeRole");
/// The longest session policy that `AssumeRole` takes, in characters (STS API Reference).
pub const SESSION_POLICY_LIMIT: usize = 2048;
/// The session tag that carries the run's id.
pub const RUN_TAG: &str = "evenkeel-run";

/// A role to take, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The name of the session, which CloudTrail records.
    pub session_name: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
    /// Who is behind the session, kept by CloudTrail through role chains.
    pub source_identity: Option<String>,
    /// The run's id, as a session tag.
    pub run: Option<String>,
    /// What the session may do at most: a policy document.
    pub policy: Option<String>,
}

/// Credentials of a role, taken anew each time that they are asked for.
pub struct RoleCredentials {
    client: Client,
    region: Region,
    /// Those with which the role is taken.
    base: SharedCredentialsProvider,
    limits: Arc<RateLimits>,
    role: AssumedRole,
    /// The first credentials, until somebody asks for them.
    first: Mutex<Option<Credentials>>,
}

impl std::fmt::Debug for RoleCredentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("RoleCredentials").field("role_arn", &self.role.role_arn).finish()
    }
}

impl RoleCredentials {
    /// Takes the role for the first time.
    ///
    /// # Errors
    /// STS refuses, or does not answer.
    pub async fn take(
        client: Client,
        region: Region,
        base: SharedCredentialsProvider,
        limits: Arc<RateLimits>,
        role: AssumedRole,
    ) -> Result<Self, AwsError> {
        let credentials = Self { client, region, base, limits, role, first: Mutex::new(None) };
        let first = credentials.assume().await?;
        *credentials.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        Ok(credentials)
    }

    async fn assume(&self) -> Result<Credentials, AwsError> {
        let role = &self.role;
        let tag = role
            .run
            .as_ref()
            .and_then(|run| Tag::builder().key(RUN_TAG).value(run.as_str()).build().ok());
        let request = self
            .client
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(&role.session_name)
            .set_external_id(role.external_id.clone())
            .set_source_identity(role.source_identity.clone())
            .set_tags(tag.map(|tag| vec![tag]))
            .set_policy(role.policy.clone());
        let wire = Wire {
            was_lost: AtomicBool::default(),
            region: self.region.clone(),
            call: ASSUME,
            credentials: self.base.clone(),
            limits: Arc::clone(&self.limits),
            // Never recorded: the answer holds credentials.
            tape: None,
        };
        let answer = wire::carrying(wire, request.send())
            .await
            .map_err(|error| AwsError::from_sdk(None, &self.region, ASSUME, &error))?;
        let credentials = answer.credentials().ok_or_else(|| {
            AwsError::malformed(&self.region, ASSUME, "the answer holds no credentials")
        })?;
        let expires = std::time::SystemTime::try_from(*credentials.expiration()).ok();
        Ok(Credentials::new(
            credentials.access_key_id(),
            credentials.secret_access_key(),
            Some(credentials.session_token().to_owned()),
            expires,
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        future::ProvideCredentials::new(async move {
            match first {
                Some(credentials) => Ok(credentials),
                None => self.assume().await.map_err(CredentialsError::provider_error),
            }
        })
    }
}
