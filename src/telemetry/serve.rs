//! Serves metrics, health and status over HTTP.
//!
//! `/healthz` and `/readyz` say nothing that is not for everybody, and need no token: Kubernetes has none
//! to show. All else needs it, where there is one; and there must be one where others than this machine
//! can connect.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use tokio::net::TcpListener;

use super::around::Around;
use super::book::CONTENT_TYPE;
use super::hub::Telemetry;
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
}

/// What requests are answered from.
#[derive(Clone)]
struct Asked {
    telemetry: Arc<Telemetry>,
    around: Arc<dyn Around>,
    token: Option<Arc<TokenPlace>>,
}

impl Server {
    /// Takes an address.
    ///
    /// # Errors
    /// Somebody else has it, or the token cannot be read.
    pub async fn bind(address: SocketAddr, token: Option<TokenPlace>) -> Result<Self, String> {
        if let Some(TokenPlace { place, folder }) = &token {
            let read = secret::read(place, folder)?;
            if read.expose().len() < token::SHORTEST {
                return Err(format!(
                    "the token in {place} is shorter than {} bytes",
                    token::SHORTEST
                ));
            }
        }
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| format!("cannot listen on {address}: {error}"))?;
        Ok(Self { listener, token })
    }

    /// The address that it has.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers, until it is dropped.
    pub async fn serve(self, telemetry: Arc<Telemetry>, around: Arc<dyn Around>) {
        let asked = Asked { telemetry, around, token: self.token.map(Arc::new) };
        let router = Router::new()
            .route("/healthz", get(healthz))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .route("/status", get(status))
            .with_state(asked);
        if let Err(error) = axum::serve(self.listener, router).await {
            tracing::error!("health and metrics are not served any more: {error}");
            // The controller goes on; who watches it will say that it does not answer.
            std::future::pending::<()>().await;
        }
    }
}

impl Asked {
    /// What is answered to somebody who may know no more than that it is alive.
    fn refuses(&self, headers: &HeaderMap) -> Option<Response> {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let Some(TokenPlace { place, folder }) = self.token.as_deref() else {
            // A page in a browser of this machine can reach it by a name of its own that leads here.
            let is_name = !is_of_this_machine(text(header::HOST).unwrap_or_default());
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

async fn metrics(State(asked): State<Asked>, headers: HeaderMap) -> Response {
    if let Some(refused) = asked.refuses(&headers) {
        return refused;
    }
    match asked.telemetry.metrics(asked.around.as_ref()).await {
        Ok(text) => ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

async fn status(State(asked): State<Asked>, headers: HeaderMap) -> Response {
    match asked.refuses(&headers) {
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
