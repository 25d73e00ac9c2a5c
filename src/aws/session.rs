//! One account's way in: its credentials, who they are, and a client per service and Region.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;
use tokio::sync::Semaphore;

use super::error::{AwsError, Detail, ErrorClass};
use super::http;
use super::meter::Meter;
use super::permission::Call;
use crate::names::{AccountId, InvalidName, Region};

/// Attempts per call, the first included; with the back-off below, throttling of half a minute
/// is survived. A user's own `AWS_MAX_ATTEMPTS` wins.
const MAX_ATTEMPTS: u32 = 10;
const SDK_DEFAULT_ATTEMPTS: u32 = 3;
/// Attempts of the very first call: who cannot reach AWS at all should hear it in seconds.
const FIRST_CALL_ATTEMPTS: u32 = 4;
/// Calls in flight for one account; AWS's read limits are per account, Region and service.
const CALLS_IN_FLIGHT: usize = 32;

/// The credentials could not be turned into a known account.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The question "who am I" was not answered.
    #[error("cannot tell which account the AWS credentials belong to: {0}")]
    Identity(#[source] AwsError),
    /// The answer had no usable account id.
    #[error("AWS answered with an account id that is none: {0}")]
    Account(#[from] InvalidName),
}

impl ConnectError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Identity(error) => error.remedy(),
            Self::Account(_) => {
                "check AWS_ENDPOINT_URL: the answer did not come from AWS".to_owned()
            }
        }
    }
}

/// Credentials that are proven to belong to one account, with their clients.
pub struct Session {
    config: SdkConfig,
    account: AccountId,
    partition: String,
    caller_arn: String,
    home_region: Region,
    meter: Arc<Meter>,
    clients: Mutex<HashMap<(TypeId, Region), Arc<dyn Any + Send + Sync>>>,
    in_flight: Semaphore,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session").field("account", &self.account).finish_non_exhaustive()
    }
}

impl Session {
    /// Takes the SDK's own settings (profile, Region, endpoint, SSO, IMDS …) and asks AWS whose
    /// credentials they are.
    ///
    /// # Errors
    /// No credentials, credentials that AWS refuses, or no answer.
    pub async fn connect(meter: Arc<Meter>) -> Result<Self, ConnectError> {
        Self::with_loader(aws_config::defaults(BehaviorVersion::latest()), meter).await
    }

    /// The same, with settings that win over those of the environment.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn with_loader(
        loader: ConfigLoader,
        meter: Arc<Meter>,
    ) -> Result<Self, ConnectError> {
        let mut loader = loader.http_client(http::client(Arc::clone(&meter))).timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(5))
                .operation_attempt_timeout(Duration::from_secs(30))
                .build(),
        );
        if let Ok(name) = AppName::new(concat!("evenkeel-", env!("CARGO_PKG_VERSION"))) {
            loader = loader.app_name(name);
        }
        let mut config = loader.load().await;
        let attempts =
            config.retry_config().map_or(SDK_DEFAULT_ATTEMPTS, RetryConfig::max_attempts);
        if attempts == SDK_DEFAULT_ATTEMPTS {
            let retries = config
                .retry_config()
                .cloned()
                .unwrap_or_else(RetryConfig::standard)
                .with_max_attempts(MAX_ATTEMPTS)
                .with_max_backoff(Duration::from_secs(20));
            config = config.into_builder().retry_config(retries).build();
        }
        let home_region =
            Region::new(config.region().map_or("us-east-1", |region| region.as_ref()));
        let config = config
            .into_builder()
            .region(aws_types::region::Region::new(home_region.as_str().to_owned()))
            .build();
        Self::identify(config, home_region, meter).await
    }

    /// Takes another role, usually in another account, with this session's credentials.
    ///
    /// # Errors
    /// The role cannot be assumed, or its credentials are refused.
    pub async fn assume(&self, role: &AssumedRole) -> Result<Self, ConnectError> {
        let mut builder = aws_config::sts::AssumeRoleProvider::builder(&role.role_arn)
            .session_name(&role.session_name)
            .configure(&self.config);
        if let Some(external_id) = &role.external_id {
            builder = builder.external_id(external_id);
        }
        let provider = SharedCredentialsProvider::new(builder.build().await);
        let config = self.config.to_builder().credentials_provider(provider).build();
        Self::identify(config, self.home_region.clone(), Arc::clone(&self.meter)).await
    }

    async fn identify(
        config: SdkConfig,
        home_region: Region,
        meter: Arc<Meter>,
    ) -> Result<Self, ConnectError> {
        let call = Call::new("sts", "GetCallerIdentity");
        meter.called(call);
        let retries = config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
        let attempts = retries.max_attempts().min(FIRST_CALL_ATTEMPTS);
        let first = aws_sdk_sts::config::Builder::from(&config)
            .retry_config(retries.with_max_attempts(attempts))
            .build();
        let client = aws_sdk_sts::Client::from_conf(first);
        let answer = client.get_caller_identity().send().await.map_err(|error| {
            let mut detail = (*AwsError::from_sdk(None, &home_region, call, &error)).clone();
            // Without a known account no Region can be at fault: the key itself is not valid.
            if detail.class == ErrorClass::RegionUnavailable {
                detail.class = ErrorClass::Credentials;
            }
            ConnectError::Identity(AwsError::new(detail))
        })?;
        let caller_arn = answer.arn().unwrap_or_default().to_owned();
        let partition = caller_arn.split(':').nth(1).unwrap_or("aws").to_owned();
        Ok(Self {
            account: answer.account().unwrap_or_default().parse()?,
            partition,
            caller_arn,
            home_region,
            config,
            meter,
            clients: Mutex::default(),
            in_flight: Semaphore::new(CALLS_IN_FLIGHT),
        })
    }

    /// The account that the credentials belong to.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        &self.partition
    }

    /// Who AWS says that we are, for the audit log.
    pub fn caller_arn(&self) -> &str {
        &self.caller_arn
    }

    /// The Region of the SDK's settings, where account-wide things are done.
    pub fn home_region(&self) -> &Region {
        &self.home_region
    }

    /// The counters of the run.
    pub fn meter(&self) -> &Arc<Meter> {
        &self.meter
    }

    /// A client for a Region, made once: `session.client(&region, aws_sdk_iam::Client::new)`.
    pub fn client<C: Clone + Send + Sync + 'static>(
        &self,
        region: &Region,
        make: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        let key = (TypeId::of::<C>(), region.clone());
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key).and_then(|client| client.downcast_ref::<C>()) {
            return client.clone();
        }
        let config = self
            .config
            .to_builder()
            .region(aws_types::region::Region::new(region.as_str().to_owned()))
            .build();
        let client = make(&config);
        clients.insert(key, Arc::new(client.clone()));
        client
    }

    /// Sends one request, within the account's limit of calls in flight.
    ///
    /// # Errors
    /// What AWS answered, with the account, Region and operation.
    pub async fn send<T, E>(
        &self,
        region: &Region,
        call: Call,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<T, AwsError>
    where
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
    {
        let _permit = self.in_flight.acquire().await.map_err(|_| self.closed(region, call))?;
        self.meter.called(call);
        request.await.map_err(|error| AwsError::from_sdk(Some(&self.account), region, call, &error))
    }

    fn closed(&self, region: &Region, call: Call) -> AwsError {
        AwsError::new(Detail {
            account: Some(self.account.clone()),
            region: region.clone(),
            call,
            code: "Stopping".to_owned(),
            message: "evenkeel is stopping".to_owned(),
            status: None,
            request_id: None,
            class: ErrorClass::Unreachable,
        })
    }
}

/// A role to take, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The role's ARN.
    pub role_arn: String,
    /// The name of the session, which CloudTrail records.
    pub session_name: String,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
}

/// What an SDK operation's `send()` gives.
pub type SdkResult<T, E> = Result<
    T,
    aws_smithy_runtime_api::client::result::SdkError<
        E,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
>;
