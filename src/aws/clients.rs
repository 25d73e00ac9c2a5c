//! The SDK's clients, one for each service and Region, shared by all accounts.
//!
//! Making a client costs as much as many calls, and a fleet would need thousands. So a client has
//! no credentials of its own: each request is signed with those of the session that sends it, which
//! go with the call in hand ([`super::wire`]). Outside of a session nothing can be signed at all.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::identity::IdentityCache;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_smithy_types::retry::RetryConfig;
use tokio::sync::Semaphore;

use super::{whole, wire};
use crate::names::Region;

/// Calls in flight for all accounts together.
const CALLS_IN_FLIGHT: usize = 512;
/// Attempts of a call without which nothing else can be done: who cannot reach AWS at all should
/// hear it in seconds.
const FIRST_CALL_ATTEMPTS: u32 = 4;
/// Credentials are fetched anew this long before they expire.
const BEFORE_EXPIRY: Duration = Duration::from_secs(120);

/// Clients, made when they are first needed.
#[derive(Debug)]
pub struct Clients {
    config: SdkConfig,
    made: Mutex<HashMap<(TypeId, Region), Arc<dyn Any + Send + Sync>>>,
    sts: OnceLock<aws_sdk_sts::Client>,
    /// The turns of calls in flight.
    pub in_flight: Semaphore,
}

impl Clients {
    /// Clients with these settings, their credentials left aside.
    pub fn new(config: SdkConfig) -> Self {
        let http = config.http_client().map(whole::client);
        let mut config = config.into_builder();
        config.set_http_client(http);
        let config = config
            .credentials_provider(SharedCredentialsProvider::new(OfTheCallInHand))
            // Sessions cache their own credentials; a cache here would mix them.
            .identity_cache(IdentityCache::no_cache())
            .build();
        Self {
            config,
            made: Mutex::default(),
            sts: OnceLock::new(),
            in_flight: Semaphore::new(CALLS_IN_FLIGHT),
        }
    }

    /// A client for a Region: `clients.get(&region, aws_sdk_iam::Client::new)`.
    pub fn get<C: Clone + Send + Sync + 'static>(
        &self,
        region: &Region,
        make: impl FnOnce(&SdkConfig) -> C,
    ) -> C {
        let key = (TypeId::of::<C>(), region.clone());
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = made.get(&key).and_then(|client| client.downcast_ref::<C>()) {
            return client.clone();
        }
        let region = aws_types::region::Region::new(region.as_str().to_owned());
        let client = make(&self.config.to_builder().region(region).build());
        made.insert(key, Arc::new(client.clone()));
        client
    }

    /// The client for who we are and which role we take, in the home Region.
    pub fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let retries = self.config.retry_config().cloned().unwrap_or_else(RetryConfig::standard);
            let attempts = retries.max_attempts().min(FIRST_CALL_ATTEMPTS);
            let config = aws_sdk_sts::config::Builder::from(&self.config)
                .retry_config(retries.with_max_attempts(attempts))
                .build();
            aws_sdk_sts::Client::from_conf(config)
        })
    }
}

/// Credentials of one session, fetched when they are needed and before they expire.
#[derive(Debug)]
pub struct SessionCredentials {
    provider: SharedCredentialsProvider,
    held: tokio::sync::Mutex<Option<Credentials>>,
}

impl SessionCredentials {
    /// Credentials from a provider.
    pub fn of(provider: impl ProvideCredentials + 'static) -> SharedCredentialsProvider {
        SharedCredentialsProvider::new(Self {
            provider: SharedCredentialsProvider::new(provider),
            held: tokio::sync::Mutex::default(),
        })
    }

    async fn get(&self) -> Result<Credentials, CredentialsError> {
        let mut held = self.held.lock().await;
        if let Some(credentials) = held.as_ref().filter(|held| is_fresh(held)) {
            return Ok(credentials.clone());
        }
        let credentials = wire::apart(self.provider.provide_credentials()).await?;
        *held = Some(credentials.clone());
        Ok(credentials)
    }
}

impl ProvideCredentials for SessionCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

fn is_fresh(credentials: &Credentials) -> bool {
    credentials.expiry().is_none_or(|expiry| expiry > SystemTime::now() + BEFORE_EXPIRY)
}

/// The credentials of the session whose call is in hand.
#[derive(Debug)]
struct OfTheCallInHand;

impl ProvideCredentials for OfTheCallInHand {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            match wire::in_hand() {
                Some(wire) => wire.credentials.provide_credentials().await,
                None => Err(CredentialsError::not_loaded("no session sends this request")),
            }
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn outside_of_a_session_nothing_is_signed() {
        let answer = OfTheCallInHand.provide_credentials().await;
        assert!(matches!(answer, Err(CredentialsError::CredentialsNotLoaded(_))));
    }
}
