//! Serves metrics, health and status over HTTP.
//!
//! `/healthz` and `/readyz` say nothing that is not for everybody, and need neither a token nor a client
//! certificate: Kubernetes has none to show. All else needs what there is of these; and there must be one of
//! them where others than this machine can connect.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::IncomingStream;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::around::Around;
use super::book::CONTENT_TYPE;
use super::hub::Telemetry;
use super::listener::{Gate, Limits};
use super::tls::{Tls, TlsFiles};
use super::token;
use crate::fleet::notify::SecretPlace;
use crate::notify::secret;

/// Where the token is.
#[derive(Debug, Clone)]
pub struct TokenPlace {
    /// The place.
    pub place: SecretPlace,
    /// The fleet file's folder.
    pub folder: PathBuf,
}

/// A server that has its address, and answers nobody yet.
pub struct Server {
    listener: TcpListener,
    token: Option<TokenPlace>,
    tls: Option<Arc<Tls>>,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
struct Peer {
    /// Whether the connection has shown a certificate of an authority that may ask.
    shows_certificate: bool,
}

impl Connected<IncomingStream<'_, Gate>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Gate>) -> Self {
        Self { shows_certificate: stream.io().shows_certificate() }
    }
}

/// What requests are answered from.
#[derive(Clone)]
struct Asked {
    telemetry: Arc<Telemetry>,
    around: Arc<dyn Around>,
    token: Option<Arc<TokenPlace>>,
    tls: Option<Arc<Tls>>,
}

impl Server {
    /// Takes an address.
    ///
    /// # Errors
    /// Somebody else has it, or the token or the files of TLS cannot be used.
    pub async fn bind(
        address: SocketAddr,
        token: Option<TokenPlace>,
        tls: Option<TlsFiles>,
    ) -> Result<Self, String> {
        if let Some(TokenPlace { place, folder }) = &token {
            let read = secret::read(place, folder)?;
            if read.expose().len() < token::SHORTEST {
                return Err(format!(
                    "the token in {place} is shorter than {} bytes",
                    token::SHORTEST
                ));
            }
        }
        let tls = tls.map(Tls::open).transpose().map_err(|why| format!("listen_tls: {why}"))?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        Ok(Self { listener, token, tls: tls.map(Arc::new) })
    }

    /// What it answers by, with TLS.
    pub fn tls(&self) -> Option<&Arc<Tls>> {
        self.tls.as_ref()
    }

    /// The address that it has.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers, until it is dropped.
    pub async fn serve(self, telemetry: Arc<Telemetry>, around: Arc<dyn Around>) {
        let tls = self.tls.clone();
        let asked = Asked { telemetry, around, token: self.token.map(Arc::new), tls };
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/status", get(status))
            // One request a connection: who comes again is looked at again.
            .layer(map_response(async |response: Response| {
                ([(header::CONNECTION, "close")], response).into_response()
            }))
            .with_state(asked);
        let gate = Gate::new(self.listener, self.tls, Limits::default());
        let service = router.into_make_service_with_connect_info::<Peer>();
        if let Err(error) = axum::serve(gate, service).await {
            tracing::error!("health and metrics are not served any more: {error}");
            // The controller goes on; who watches it will say that it does not answer.
            std::future::pending::<()>().await;
        }
    }
}

impl Asked {
    /// What is answered to somebody who may know no more than that it is alive.
    fn refuses(&self, headers: &HeaderMap, peer: Peer) -> Option<Response> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        if self.tls.as_ref().is_some_and(|tls| tls.asks_for_certificate())
            && !peer.shows_certificate
        {
            let why = "a client certificate is missing\n";
            return Some((StatusCode::FORBIDDEN, why).into_response());
        }
        let Some(TokenPlace { place, folder }) = self.token.as_deref() else {
            // A page in a browser of this machine can reach it by a name of its own that leads here; with
            // TLS, the certificate is of another name.
            let is_name =
                self.tls.is_none() && !is_of_this_machine(text(header::HOST).unwrap_or_default());
            let refused = (StatusCode::MISDIRECTED_REQUEST, "ask by address\n");
            return is_name.then(|| refused.into_response());
        };
        // Read each time, so that a new one counts at once.
        match secret::read(place, folder) {
            Ok(token) if token::is_brought(text(header::AUTHORIZATION), &token) => None,
            Ok(_) => {
                let scheme = [(header::WWW_AUTHENTICATE, "Bearer")];
                let why = "the token is missing or wrong\n";
                Some((StatusCode::UNAUTHORIZED, scheme, why).into_response())
            }
            Err(why) => {
                tracing::warn!("nobody is let in to metrics and status: {why}");
                let why = "the token cannot be read\n";
                Some((StatusCode::SERVICE_UNAVAILABLE, why).into_response())
            }
        }
    }
}

/// Whether a `Host` header is an address or `localhost`, and no other name.
fn is_of_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::IpAddr>().is_ok()
}

async fn healthz(State(asked): State<Asked>) -> Response {
    match asked.telemetry.is_alive() {
        true => "alive\n".into_response(),
        false => {
            (StatusCode::SERVICE_UNAVAILABLE, "the loop does not come round\n").into_response()
        }
    }
}

async fn readyz(State(asked): State<Asked>) -> Response {
    let ready = asked.telemetry.ready(asked.around.as_ref()).await;
    let status = match ready.is_whole() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (status, ready.text()).into_response()
}

async fn metrics(
    State(asked): State<Asked>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    if let Some(refused) = asked.refuses(&headers, peer) {
        return refused;
    }
    match asked.telemetry.metrics(asked.around.as_ref()).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn status(
    State(asked): State<Asked>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Response {
    match asked.refuses(&headers, peer) {
        None => Json(asked.telemetry.status(asked.around.as_ref()).await).into_response(),
        Some(refused) => refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_elsewhere_does_not_lead_in() {
        for host in
            ["127.0.0.1:9464", "[::1]:9464", "[::1]", "localhost", "LOCALHOST:1", "10.1.2.3"]
        {
            assert!(is_of_this_machine(host), "{host}");
        }
        for host in ["", "evil.example", "evil.example:9464", "127.0.0.1.evil.example:80"] {
            assert!(!is_of_this_machine(host), "{host}");
        }
    }
}
