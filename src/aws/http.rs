//! The HTTP client that all AWS clients share.
//!
//! Requests are counted, recorded or answered from a tape, and throttling is heard. And a host name such as `111122223333.127.0.0.1` is
//! connected to `127.0.0.1`. S3 Control puts the account id in front of the host of whatever
//! endpoint it is given; in front of an IP address no resolver knows the result, so that
//! `AWS_ENDPOINT_URL` of an emulator would work for every service but that one. Names below
//! `localhost` are the local host, as RFC 6761 section 6.3 wants it of resolvers. The request
//! itself (Host header, signature) stays as the SDK made it.

use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::Headers;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;
use hyper_util::client::proxy::matcher::Matcher;

use super::meter::{self, Meter, Sent};
use super::reach::Reach;
use super::tape::{self, Answer};
use super::wire::{self, AFTER_LOSS, Wire};

/// What is said of an endpoint that is not asked any more.
const NO_ANSWER: &str =
    "this endpoint has not answered many times in a row, and is not asked for a while";

/// The longest answer that is read, in bytes. A page of a list has some hundred kilobytes, the longest that AWS
/// documents (`GetCredentialReport` of 5,000 users) a few megabytes.
const LARGEST: usize = 64 << 20;

/// An HTTPS client with pooled connections, counting into `meter`.
pub fn client(meter: Arc<Meter>, tls: TlsContext) -> SharedHttpClient {
    let reach = Arc::new(Reach::default());
    let through = |proxy: ProxyConfig| {
        let tls = tls.clone();
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder().proxy_config(proxy.clone());
            connector.set_connector_settings(settings.cloned());
            connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
            connector
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(tls.clone())
                .build_with_resolver(Resolver)
        })
    };
    let outside = names_a_proxy(|name| std::env::var_os(name).is_some()).then(|| Outside {
        client: through(ProxyConfig::from_env()),
        proxies: Arc::new(Matcher::from_env()),
    });
    let direct = through(ProxyConfig::disabled());
    SharedHttpClient::new(MeteredClient { outside, direct, meter, reach })
}

/// Whether the environment names a proxy.
fn names_a_proxy(is_set: impl Fn(&str) -> bool) -> bool {
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"]
        .iter()
        .any(|name| is_set(name) || is_set(&name.to_ascii_lowercase()))
}

/// The way through the proxies that the environment names: `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and
/// `NO_PROXY`, in capitals or not.
#[derive(Debug)]
struct Outside<C> {
    client: C,
    proxies: Arc<Matcher>,
}

/// The proxy that a request goes through, without the password that its URL may hold.
pub(super) fn proxy_for(proxies: &Matcher, uri: &str) -> Option<String> {
    let intercept = proxies.intercept(&uri.parse().ok()?)?;
    let proxy = intercept.uri();
    let scheme = proxy.scheme_str().unwrap_or("http");
    let port = proxy.port_u16().map_or(String::new(), |port| format!(":{port}"));
    Some(format!("{scheme}://{}{port}", proxy.host()?))
}

/// An error of a connection through a proxy: it is more often the proxy's than AWS's.
pub(super) fn through(proxy: &str, error: ConnectorError) -> ConnectorError {
    let (is_timeout, is_user, is_io, kind) =
        (error.is_timeout(), error.is_user(), error.is_io(), error.as_other());
    let source = error.into_source();
    let mut root: &dyn std::error::Error = source.as_ref();
    while let Some(cause) = root.source() {
        root = cause;
    }
    let text = format!("through the proxy {proxy}, which the environment names: {root}").into();
    match (is_timeout, is_user, is_io) {
        (true, ..) => ConnectorError::timeout(text),
        (_, true, _) => ConnectorError::user(text),
        (.., true) => ConnectorError::io(text),
        _ => ConnectorError::other(text, kind),
    }
}

/// The local host behind a name that no resolver is sure to know.
fn local_host_behind(name: &str) -> Option<&str> {
    if name.ends_with(".localhost") {
        return Some("localhost");
    }
    let (prefix, rest) = name.split_once('.')?;
    let is_account = prefix.len() == 12 && prefix.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && rest.parse::<IpAddr>().is_ok()).then_some(rest)
}

/// Whether a request goes to this machine or to its metadata service, which no proxy can reach.
pub(super) fn is_inside(uri: &str) -> bool {
    let Some((_, rest)) = uri.split_once("://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(address) => address.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let host = local_host_behind(host).unwrap_or(host);
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => address.is_loopback() || address.is_link_local(),
        // fd00:ec2::/32 is EC2's and EKS's metadata.
        Ok(IpAddr::V6(address)) => {
            address.is_loopback() || address.segments().starts_with(&[0xfd00, 0x0ec2])
        }
        Err(_) => host == "localhost",
    }
}

#[derive(Debug, Clone)]
pub(super) struct Resolver;

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let host = local_host_behind(name).unwrap_or(name).to_owned();
        DnsFuture::new(async move {
            let found =
                tokio::task::spawn_blocking(move || (host.as_str(), 0).to_socket_addrs()).await;
            match found {
                Ok(Ok(addresses)) => Ok(addresses.map(|address| address.ip()).collect()),
                Ok(Err(error)) => Err(ResolveDnsError::new(error)),
                Err(error) => Err(ResolveDnsError::new(error)),
            }
        })
    }
}

#[derive(Debug)]
struct MeteredClient {
    /// None where no proxy is named: then everything goes the direct way.
    outside: Option<Outside<SharedHttpClient>>,
    direct: SharedHttpClient,
    meter: Arc<Meter>,
    reach: Arc<Reach>,
}

impl HttpClient for MeteredClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let outside = self.outside.as_ref().map(|Outside { client, proxies }| Outside {
            client: client.http_connector(settings, components),
            proxies: Arc::clone(proxies),
        });
        SharedHttpConnector::new(MeteredConnector {
            outside,
            direct: self.direct.http_connector(settings, components),
            meter: Arc::clone(&self.meter),
            reach: Arc::clone(&self.reach),
        })
    }
}

#[derive(Debug)]
struct MeteredConnector {
    outside: Option<Outside<SharedHttpConnector>>,
    direct: SharedHttpConnector,
    meter: Arc<Meter>,
    reach: Arc<Reach>,
}

/// Marks an answer to a call of which an earlier try was lost, and remembers a try that is.
fn after_loss(wire: Option<&Wire>, answer: &mut Result<HttpResponse, ConnectorError>) {
    let Some(wire) = wire else { return };
    match answer {
        Ok(response) if response.status().as_u16() < 500 => {
            if wire.was_lost.load(Ordering::Relaxed) {
                response.headers_mut().insert(AFTER_LOSS, "1");
            }
        }
        _ => wire.was_lost.store(true, Ordering::Relaxed),
    }
}

/// An answer of which no more than the limit is read: who answers without an end must not take all memory.
fn bounded(answer: HttpConnectorFuture) -> HttpConnectorFuture {
    HttpConnectorFuture::new(async move {
        let limited = |body: SdkBody| {
            body.map_preserve_contents(|body| SdkBody::from_body_1_x(Limited::new(body, LARGEST)))
        };
        Ok(answer.await?.map(limited))
    })
}

impl HttpConnector for MeteredConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let wire = wire::in_hand();
        let tape = wire.as_ref().and_then(|wire| wire.tape.as_ref());
        if let Some(answer) = tape.and_then(|(tape, key)| tape.play(key, &request)) {
            return answer;
        }
        let page = tape.map(|_| tape::page_of(&request));
        let gave_up = wire
            .as_ref()
            .is_some_and(|wire| self.reach.is_given_up(&wire.region, wire.call.service));
        let outside = self.outside.as_ref().filter(|_| !gave_up && !is_inside(request.uri()));
        let proxy = outside.and_then(|outside| proxy_for(&outside.proxies, request.uri()));
        let answer = if gave_up {
            // Not an error that the SDK tries again.
            let error = ConnectorError::other(NO_ANSWER.into(), None);
            HttpConnectorFuture::ready(Err(error))
        } else {
            self.meter.sent();
            bounded(outside.map_or(&self.direct, |outside| &outside.client).call(request))
        };
        let (meter, reach) = (Arc::clone(&self.meter), Arc::clone(&self.reach));
        let service = wire.as_ref().map_or("other", |wire| wire.call.service);
        HttpConnectorFuture::new(async move {
            let began = Instant::now();
            let mut answer = answer.await.map_err(|error| match &proxy {
                Some(proxy) => through(proxy, error),
                None => error,
            });
            let took = began.elapsed();
            if let (Some(wire), false) = (&wire, gave_up) {
                match &answer {
                    Ok(_) => reach.answered(&wire.region, wire.call.service),
                    Err(_) => reach.silent(&wire.region, wire.call.service),
                }
            }
            if let (Some(wire), Some(page)) = (&wire, page)
                && let Some((tape, key)) = &wire.tape
            {
                answer = match answer {
                    Ok(response) => {
                        let (taken, response) = Answer::take(response).await?;
                        tape.record(key, page, taken);
                        Ok(response)
                    }
                    Err(error) => {
                        let words = Answer::Nothing { error: error.to_string() };
                        tape.record(key, page, words);
                        Err(error)
                    }
                };
            }
            let tell = |answer| {
                if !gave_up {
                    meter::tell(&Sent { service, took, answer });
                }
            };
            after_loss(wire.as_deref(), &mut answer);
            let answer = answer.inspect_err(|_| tell(meter::Answer::Nothing))?;
            let (throttled, answer) = is_throttled(answer).await?;
            tell(match throttled {
                true => meter::Answer::Throttled,
                false if answer.status().is_success() => meter::Answer::Ok,
                false => meter::Answer::Error,
            });
            if throttled {
                meter.was_throttled(wait(answer.headers()));
                if let Some(wire) = &wire {
                    wire.limits.slow_down(&wire.region, wire.call);
                }
            }
            Ok(answer)
        })
    }
}

/// For how long an answer asks us to wait: AWS in milliseconds (`x-amz-retry-after`), other servers in
/// seconds.
///
/// Source: the SDKs' retry behaviour, as aws-runtime reads it; RFC 9110, 10.2.3. A date is not read.
fn wait(headers: &Headers) -> Option<Duration> {
    let number = |name: &str| headers.get(name)?.trim().parse::<u64>().ok();
    number("x-amz-retry-after")
        .map(Duration::from_millis)
        .or_else(|| number("retry-after").map(Duration::from_secs))
}

/// Whether an answer asks us to slow down. Most services say so with the status 400 and a word in
/// the body.
async fn is_throttled(response: HttpResponse) -> Result<(bool, HttpResponse), ConnectorError> {
    match response.status().as_u16() {
        429 => Ok((true, response)),
        400 | 503 => {
            let (answer, response) = Answer::take(response).await?;
            let words = ["Throttl", "RequestLimitExceeded", "TooManyRequests", "SlowDown"];
            Ok((words.iter().any(|word| answer.mentions(word)), response))
        }
        _ => Ok((false, response)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_and_its_metadata_are_inside() {
        for inside in [
            "http://127.0.0.1:5000/",
            "http://localhost:80",
            "http://x.localhost/",
            "http://111122223333.127.0.0.1:5000/v20180820",
            "http://169.254.169.254/latest",
            "http://169.254.170.2/x",
            "http://[::1]:80/",
            "http://[fd00:ec2::254]/latest",
        ] {
            assert!(is_inside(inside), "{inside}");
        }
        for outside in ["https://sts.amazonaws.com/", "http://10.0.0.1/", "https://[2001:db8::1]/"]
        {
            assert!(!is_inside(outside), "{outside}");
        }
    }

    #[test]
    fn an_answer_may_say_for_how_long_to_wait() {
        let of = |name: &'static str, value: &'static str| {
            let mut headers = Headers::new();
            headers.insert(name, value);
            wait(&headers)
        };
        assert_eq!(of("x-amz-retry-after", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(of("Retry-After", "7"), Some(Duration::from_secs(7)));
        for value in ["soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT"] {
            assert_eq!(of("retry-after", value), None);
        }
    }

    #[test]
    fn a_proxy_is_named_in_capitals_or_not() {
        for name in ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"] {
            assert!(names_a_proxy(|asked| asked == name), "{name}");
        }
        assert!(!names_a_proxy(|asked| asked == "NO_PROXY"));
    }

    #[test]
    fn the_proxy_of_a_request_is_named_without_its_password() {
        let proxies = Matcher::builder()
            .https("http://user:secret@proxy.example:3128")
            .no("kms.example")
            .build();
        let named = proxy_for(&proxies, "https://sts.amazonaws.com/").unwrap();
        assert_eq!(named, "http://proxy.example:3128");
        assert_eq!(proxy_for(&proxies, "https://kms.example/"), None);
        assert_eq!(proxy_for(&proxies, "http://sts.amazonaws.com/"), None);
        let error = through(&named, ConnectorError::timeout("it took too long".into()));
        assert!(error.is_timeout());
        assert!(error.into_source().to_string().contains("proxy.example:3128"));
    }

    #[test]
    fn only_local_names_are_changed() {
        assert_eq!(local_host_behind("111122223333.127.0.0.1"), Some("127.0.0.1"));
        assert_eq!(local_host_behind("111122223333.localhost"), Some("localhost"));
        assert_eq!(local_host_behind("111122223333.s3-control.eu-west-1.amazonaws.com"), None);
        assert_eq!(local_host_behind("bucket.localhost"), Some("localhost"));
        assert_eq!(local_host_behind("bucket.127.0.0.1"), None);
        assert_eq!(local_host_behind("sts.amazonaws.com"), None);
    }
}
