//! Single requests to others than AWS, on the way that AWS is reached by: the same proxies and trusted
//! certificates, nothing signed and nothing tried again.

use std::time::Duration;

use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorSettings};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use hyper_util::client::proxy::matcher::Matcher;

use super::environment::{self, BadVariable};
use super::http::{Resolver, is_inside, proxy_for, through};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Who sends them.
#[derive(Debug)]
pub struct Plain {
    outside: Connector,
    inside: Connector,
    proxies: Matcher,
}

impl Plain {
    /// With the environment's proxies and certificates.
    ///
    /// # Errors
    /// A variable cannot be used.
    pub fn from_environment() -> Result<Self, BadVariable> {
        let variables = environment::check(std::env::vars_os())?;
        let tls = variables.ca_bundle.unwrap_or_default();
        Ok(Self {
            outside: connector(ProxyConfig::from_env(), tls.clone()),
            inside: connector(ProxyConfig::disabled(), tls),
            proxies: Matcher::from_env(),
        })
    }

    /// Sends a request. How long an answer may take is up to the caller.
    ///
    /// # Errors
    /// Nobody answered.
    pub async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        if is_inside(request.uri()) {
            return self.inside.call(request).await;
        }
        let proxy = proxy_for(&self.proxies, request.uri());
        self.outside.call(request).await.map_err(|error| match &proxy {
            Some(proxy) => through(proxy, error),
            None => error,
        })
    }
}

fn connector(proxy: ProxyConfig, tls: TlsContext) -> Connector {
    let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
    let mut connector = Connector::builder().proxy_config(proxy);
    connector.set_connector_settings(Some(settings));
    connector.set_sleep_impl(Some(SharedAsyncSleep::new(TokioSleep::new())));
    connector
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(tls)
        .build_with_resolver(Resolver)
}
