//! One account's way in: its credentials, who they are, and a client per service and Region.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_http_client::tls::TlsContext;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::app_name::AppName;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use tracing::Instrument;
use tracing::field::Empty;

use super::clients::{Clients, SessionCredentials};
use super::environment::{self, BadVariable};
use super::error::{AwsError, Detail, ErrorClass};
use super::http;
use super::meter::Meter;
use super::permission::Call;
use super::rate::{self, RateLimits};
use super::role::{AssumedRole, RoleCredentials};
use super::tape::{Held, ReadKey, Tape};
use super::wire::{self, Wire};
use crate::names::{AccountId, Arn, InvalidName, Region, TRACE};

/// Attempts per call, the first included; with the longest back-off, throttling of half a minute is
/// survived. A user's own `AWS_MAX_ATTEMPTS` wins; `max_attempts` of a profile does not count.
const MAX_ATTEMPTS: u32 = 10;
/// The longest wait between two attempts.
const MAX_BACKOFF: Duration = Duration::from_secs(20);
/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin.
pub const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a call may take in all, its retries included.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// Calls in flight for one account, in all Regions together; AWS's read limits are per account, Region
/// and service, and are kept by [`RateLimits`]. With 32, one account in 17 Regions waited for its own
/// turns longer than for AWS.
const CALLS_IN_FLIGHT: usize = 128;

/// The credentials could not be turned into a known account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The question "who am I" was not answered.
    #[error("cannot tell which account the AWS credentials belong to: {0}")]
    Identity(#[source] AwsError),
    /// The role that leads into an account was refused.
    #[error("cannot assume {role_arn}: {error}")]
    Role {
        /// The role.
        role_arn: String,
        /// What STS said.
        error: AwsError,
    },
    /// A variable of the environment has a value that the SDK cannot use.
    #[error(transparent)]
    Environment(#[from] BadVariable),
    /// The answer had no usable account id.
    #[error("AWS answered with an account id that is none: {0}")]
    Account(#[from] InvalidName),
}

impl ConnectError {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Identity(error) => error.remedy(),
            Self::Environment(bad) => bad.remedy(),
            Self::Role { error, .. } => match error.class {
                ErrorClass::Denied | ErrorClass::Absent => {
                    "check that the role is there, that its trust policy names this caller with sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity, and that the external id is right; an account that was just closed answers in the same way".to_owned()
                }
                ErrorClass::RegionUnavailable => {
                    "the account may be suspended or closed: look it up in AWS Organizations".to_owned()
                }
                ErrorClass::Blocked => {
                    "an organization policy forbids sts:AssumeRole there: change it, or leave the account out with `except`".to_owned()
                }
                ErrorClass::Refused => {
                    "correct [access] in the fleet file: role_arn, external_id (2 characters at least), session_name".to_owned()
                }
                _ => error.remedy(),
            },
            Self::Account(_) => {
                "check AWS_ENDPOINT_URL: the answer did not come from AWS".to_owned()
            }
        }
    }
}

/// How sessions behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// The home Region; without it, that of the SDK's settings.
    pub home_region: Option<Region>,
    /// Calls per second for each account, Region and service.
    pub requests_per_second: u32,
    /// Whether the answers to reads are recorded.
    pub record: bool,
    /// The roles by which accounts are entered, as ARNs; `${account.id}` and `${partition}` stand for
    /// those of the account.
    pub entered_by: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            home_region: None,
            requests_per_second: rate::DEFAULT_PER_SECOND,
            record: false,
            entered_by: Vec::new(),
        }
    }
}

/// Whose credentials they are, and where their home is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// Who AWS says that we are.
    pub caller_arn: String,
    /// Where account-wide things are done.
    pub home_region: Region,
}

/// Credentials that are proven to belong to one account, with their clients.
pub struct Session {
    clients: Arc<Clients>,
    credentials: SharedCredentialsProvider,
    identity: Identity,
    meter: Arc<Meter>,
    in_flight: Semaphore,
    limits: Arc<RateLimits>,
    tape: Option<Tape>,
    options: Options,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Session").field("account", &self.identity.account).finish_non_exhaustive()
    }
}

impl Session {
    /// Takes the SDK's own settings (profile, Region, endpoint, SSO, IMDS …) and asks AWS whose
    /// credentials they are.
    ///
    /// # Errors
    /// No credentials, credentials that AWS refuses, or no answer.
    pub async fn connect(meter: Arc<Meter>, options: Options) -> Result<Self, ConnectError> {
        let variables = environment::check(std::env::vars_os())?;
        // Not left to the SDK, which panics over a word that it does not know.
        let attempts = variables.max_attempts.unwrap_or(MAX_ATTEMPTS);
        let retries =
            RetryConfig::standard().with_max_attempts(attempts).with_max_backoff(MAX_BACKOFF);
        let loader = aws_config::defaults(BehaviorVersion::latest()).retry_config(retries);
        Self::load(loader, meter, options, variables.ca_bundle.unwrap_or_default()).await
    }

    /// The same, with settings that win over those of the environment.
    ///
    /// # Errors
    /// As [`Session::connect`].
    pub async fn with_loader(
        loader: ConfigLoader,
        meter: Arc<Meter>,
        options: Options,
    ) -> Result<Self, ConnectError> {
        Self::load(loader, meter, options, TlsContext::default()).await
    }

    async fn load(
        loader: ConfigLoader,
        meter: Arc<Meter>,
        options: Options,
        tls: TlsContext,
    ) -> Result<Self, ConnectError> {
        let client = http::client(Arc::clone(&meter), tls);
        let mut loader = loader.http_client(client).timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT_TIMEOUT)
                .read_timeout(READ_TIMEOUT)
                .operation_timeout(CALL_TIMEOUT)
                .build(),
        );
        // The time-outs cover an answer that stalls; watching each body's pace costs CPU time.
        loader = loader.stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Ok(name) = AppName::new(concat!("evenkeel-", env!("CARGO_PKG_VERSION"))) {
            loader = loader.app_name(name);
        }
        let config = loader.load().await;
        let home_region = options.home_region.clone().unwrap_or_else(|| {
            Region::new(config.region().map_or("us-east-1", |region| region.as_ref()))
        });
        let provider = config
            .credentials_provider()
            .unwrap_or_else(|| SharedCredentialsProvider::new(NoCredentials));
        let config = config
            .into_builder()
            .region(aws_types::region::Region::new(home_region.as_str().to_owned()))
            .build();
        let clients = Arc::new(Clients::new(config));
        let credentials = SessionCredentials::of(provider);
        Self::identify(clients, credentials, home_region, meter, options).await
    }

    /// Takes another role, usually in another account, with this session's credentials.
    ///
    /// # Errors
    /// The role cannot be assumed, or its credentials are refused.
    pub async fn assume(&self, role: &AssumedRole) -> Result<Self, ConnectError> {
        let home = self.identity.home_region.clone();
        let credentials = RoleCredentials::take(
            self.clients.sts().clone(),
            home.clone(),
            self.credentials.clone(),
            Arc::clone(&self.limits),
            role.clone(),
        )
        .await
        .map_err(|error| {
            self.meter.failed(error.class);
            ConnectError::Role { role_arn: role.role_arn.clone(), error }
        })?;
        let credentials = SessionCredentials::of(credentials);
        let (clients, meter) = (Arc::clone(&self.clients), Arc::clone(&self.meter));
        Self::identify(clients, credentials, home, meter, self.options.clone()).await
    }

    /// A session whose answers come from a tape. It has no credentials, and reaches nobody.
    pub fn playing(
        identity: Identity,
        tape: Tape,
        clients: Arc<Clients>,
        meter: Arc<Meter>,
    ) -> Self {
        let nobody = Credentials::new("snapshot", "snapshot", None, None, "snapshot");
        let credentials = SessionCredentials::of(nobody);
        let options = Options { requests_per_second: rate::UNLIMITED, ..Options::default() };
        let session = Self::new(clients, credentials, identity, meter, options);
        Self { tape: Some(tape), ..session }
    }

    /// The same, where these roles are those by which accounts are entered: see [`Options`].
    #[must_use]
    pub fn entered_by(mut self, roles: Vec<String>) -> Self {
        self.options.entered_by = roles;
        self
    }

    /// Clients for sessions that play tapes.
    pub fn playing_clients(home_region: &Region, meter: &Arc<Meter>) -> Arc<Clients> {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(aws_types::region::Region::new(home_region.as_str().to_owned()))
            .retry_config(RetryConfig::disabled())
            .http_client(http::client(Arc::clone(meter), TlsContext::default()))
            .build();
        Arc::new(Clients::new(config))
    }

    fn new(
        clients: Arc<Clients>,
        credentials: SharedCredentialsProvider,
        identity: Identity,
        meter: Arc<Meter>,
        options: Options,
    ) -> Self {
        Self {
            clients,
            credentials,
            identity,
            meter,
            in_flight: Semaphore::new(CALLS_IN_FLIGHT),
            limits: Arc::new(RateLimits::new(options.requests_per_second)),
            tape: options.record.then(Tape::blank),
            options,
        }
    }

    async fn identify(
        clients: Arc<Clients>,
        credentials: SharedCredentialsProvider,
        home_region: Region,
        meter: Arc<Meter>,
        options: Options,
    ) -> Result<Self, ConnectError> {
        let call = Call::new("sts", "GetCallerIdentity");
        meter.called(call);
        let wire = Wire {
            was_lost: AtomicBool::default(),
            region: home_region.clone(),
            call,
            credentials: credentials.clone(),
            limits: Arc::new(RateLimits::new(options.requests_per_second)),
            tape: None,
        };
        let request = clients.sts().get_caller_identity().send();
        let answer = wire::carrying(wire, request).await.map_err(|error| {
            let mut detail = (*AwsError::from_sdk(None, &home_region, call, &error)).clone();
            // Without a known account no Region can be at fault: the key itself is not valid.
            if detail.class == ErrorClass::RegionUnavailable {
                detail.class = ErrorClass::Credentials;
            }
            meter.failed(detail.class);
            ConnectError::Identity(AwsError::new(detail))
        })?;
        let caller_arn = answer.arn().unwrap_or_default().to_owned();
        let identity = Identity {
            account: answer.account().unwrap_or_default().parse()?,
            partition: Arn::parse(&caller_arn).map_or("aws", |arn| arn.partition).to_owned(),
            caller_arn,
            home_region,
        };
        Ok(Self::new(clients, credentials, identity, meter, options))
    }

    /// Whose credentials they are.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What was recorded, or is played.
    pub fn tape(&self) -> Option<&Tape> {
        self.tape.as_ref()
    }

    /// The account that the credentials belong to.
    pub fn account(&self) -> &AccountId {
        &self.identity.account
    }

    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub fn partition(&self) -> &str {
        &self.identity.partition
    }

    /// Who AWS says that we are, for the audit log.
    pub fn caller_arn(&self) -> &str {
        &self.identity.caller_arn
    }

    /// Whether evenkeel itself works as a role of the account: the credentials are a session of it, or the
    /// account is entered by it, be it by another run. Names of roles are unique in an account, whatever
    /// their paths and letter case:
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
    pub fn works_as(&self, role: &str) -> bool {
        let Identity { account, partition, caller_arn, .. } = &self.identity;
        let is_it = |name: &str| name.eq_ignore_ascii_case(role);
        // arn:aws:sts::…:assumed-role/NAME/SESSION
        let taken =
            caller_arn.split_once(":assumed-role/").and_then(|(_, of)| of.split('/').next());
        taken.is_some_and(is_it)
            || self.options.entered_by.iter().any(|arn| {
                let arn = arn
                    .replace("${account.id}", account.as_str())
                    .replace("${partition}", partition);
                Arn::parse(&arn).is_some_and(|arn| {
                    arn.account == account.as_str()
                        && arn.resource.starts_with("role/")
                        && arn.resource.rsplit('/').next().is_some_and(is_it)
                })
            })
    }

    /// The Region of the SDK's settings, where account-wide things are done.
    pub fn home_region(&self) -> &Region {
        &self.identity.home_region
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
        self.clients.get(region, make)
    }

    /// Sends one request, within the limits of calls in flight and per second.
    ///
    /// `arguments` tells reads of the same operation in the same Region apart; a write has none,
    /// and is never recorded.
    ///
    /// # Errors
    /// What AWS answered, with the account, Region and operation.
    pub async fn send<T, E>(
        &self,
        region: &Region,
        call: Call,
        arguments: Option<&str>,
        request: impl Future<Output = SdkResult<T, E>> + Send,
    ) -> Result<T, AwsError>
    where
        E: aws_smithy_types::error::metadata::ProvideErrorMetadata + std::error::Error + 'static,
    {
        let tape = match (&self.tape, arguments) {
            (Some(tape), Some(arguments)) => {
                let key = ReadKey {
                    region: region.to_string(),
                    call: call.to_string(),
                    arguments: arguments.to_owned(),
                };
                if let Tape::Playing { taken, .. } = tape
                    && let held @ (Held::Nothing | Held::GivenUp) = tape.held(&key)
                {
                    let (class, problem) = match held {
                        Held::GivenUp => (ErrorClass::Late, "was too late"),
                        _ => (ErrorClass::NotRecorded, "holds no answer to this read"),
                    };
                    let message = format!("the snapshot of {taken} {problem}");
                    return Err(self.failed(region, call, class, message));
                }
                Some((tape.clone(), key))
            }
            (Some(Tape::Playing { taken, .. }), None) => {
                let message = format!("this is the snapshot of {taken}, and not AWS");
                return Err(self.failed(region, call, ErrorClass::NotRecorded, message));
            }
            _ => None,
        };
        let stopping = || {
            let message = "evenkeel is stopping".to_owned();
            self.failed(region, call, ErrorClass::Unreachable, message)
        };
        let _permit = self.in_flight.acquire().await.map_err(|_| stopping())?;
        self.limits.turn(region, call).await;
        let _permit_in_all = self.clients.in_flight.acquire().await.map_err(|_| stopping())?;
        self.meter.called(call);
        let begun = tape.as_ref().map(|(tape, key)| tape.begin(key));
        let limits = Arc::clone(&self.limits);
        let credentials = self.credentials.clone();
        let was_lost = AtomicBool::default();
        let wire = Wire { region: region.clone(), call, credentials, limits, tape, was_lost };
        let span = tracing::debug_span!(
            target: TRACE, "call", otel.kind = "client", otel.name = %call, rpc.system = "aws-api",
            rpc.service = call.service, rpc.method = call.operation, aws.region = %region,
            aws.account = %self.identity.account, otel.status_code = Empty, otel.status_description = Empty,
        );
        let answer = wire::carrying(wire, request).instrument(span.clone()).await;
        if let Some(begun) = begun {
            begun.end();
        }
        answer.map_err(|error| {
            let error = AwsError::from_sdk(Some(&self.identity.account), region, call, &error);
            self.meter.failed(error.class);
            // The code alone: words of AWS may hold what not everybody is to see.
            span.record("otel.status_code", "ERROR");
            span.record("otel.status_description", error.code.as_str());
            error
        })
    }

    /// An error of our own making.
    fn failed(&self, region: &Region, call: Call, class: ErrorClass, message: String) -> AwsError {
        let code = match class {
            ErrorClass::NotRecorded | ErrorClass::Late => "NotInSnapshot",
            _ => "Stopping",
        };
        AwsError::new(Detail {
            after_loss: false,
            account: Some(self.identity.account.clone()),
            region: region.clone(),
            call,
            code: code.to_owned(),
            message,
            status: None,
            request_id: None,
            class,
        })
    }
}

/// Where the SDK's settings name no credentials at all.
#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let error = CredentialsError::not_loaded("the AWS settings name no credentials");
        future::ProvideCredentials::ready(Err(error))
    }
}

/// What an SDK operation's `send()` gives.
pub type SdkResult<T, E> = Result<
    T,
    aws_smithy_runtime_api::client::result::SdkError<
        E,
        aws_smithy_runtime_api::client::orchestrator::HttpResponse,
    >,
>;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn session(caller_arn: &str, entered_by: &[&str]) -> Session {
        let home_region = Region::new("eu-west-1");
        let meter = Arc::new(Meter::default());
        let clients = Session::playing_clients(&home_region, &meter);
        let identity = Identity {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            caller_arn: caller_arn.to_owned(),
            home_region,
        };
        Session::playing(identity, Tape::blank(), clients, meter)
            .entered_by(entered_by.iter().map(|arn| (*arn).to_owned()).collect())
    }

    #[test]
    fn the_roles_as_which_evenkeel_works_are_known() {
        let taken = session("arn:aws:sts::111122223333:assumed-role/Evenkeel/run-1", &[]);
        assert!(taken.works_as("evenkeel"));
        assert!(!taken.works_as("run-1"));
        let user = "arn:aws:iam::111122223333:user/evenkeel";
        assert!(!session(user, &[]).works_as("evenkeel"));
        // Here a user looks; others come by the role.
        let of_fleet = session(
            user,
            &[
                "arn:${partition}:iam::${account.id}:role/ops/evenkeel-${account.id}",
                "arn:aws:iam::111122223333:role/lists",
                "arn:aws:iam::999999999999:role/elsewhere",
            ],
        );
        assert!(of_fleet.works_as("Evenkeel-111122223333"));
        assert!(of_fleet.works_as("lists"));
        assert!(!of_fleet.works_as("evenkeel") && !of_fleet.works_as("elsewhere"));
        assert!(!of_fleet.works_as("ops"));
    }
}
