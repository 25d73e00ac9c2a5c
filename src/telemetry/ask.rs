//! Asks a running controller how everything stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::status::Status;
use crate::aws::plain::Plain;
use crate::notify::secret::Secret;

/// How long an answer may take in all.
const LONGEST: Duration = Duration::from_secs(10);

/// Where a controller of this machine is reached that listens there.
pub fn reached(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// Asks the controller that listens there how everything stands.
///
/// # Errors
/// Why it is not known, in words.
pub async fn status(listen: SocketAddr, token: Option<&Secret>) -> Result<Status, String> {
    let address = reached(listen);
    let asked = async {
        let answer = get(address, "status", token).await?;
        match answer.status().as_u16() {
            200 => {}
            401 => return Err(format!("the controller at {address} asks for another token")),
            status => return Err(format!("{address} answered {status}: is it evenkeel?")),
        }
        let body = ByteStream::new(answer.into_body()).collect().await;
        let body = body.map_err(|error| format!("the answer of {address} broke off: {error}"))?;
        serde_json::from_slice(&body.into_bytes()).map_err(|error| {
            format!("the controller at {address} answers in another form, as another version does: {error}")
        })
    };
    in_time(address, asked).await
}

/// Asks the controller that listens there whether it is alive.
///
/// # Errors
/// It is not, or nobody answers.
pub async fn is_alive(listen: SocketAddr) -> Result<(), String> {
    let address = reached(listen);
    let asked = async {
        match get(address, "healthz", None).await?.status().as_u16() {
            200 => Ok(()),
            status => {
                Err(format!("the controller at {address} is not alive: it answered {status}"))
            }
        }
    };
    in_time(address, asked).await
}

async fn in_time<T>(
    address: SocketAddr,
    asked: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let late = |_| Err(format!("nobody answered at {address} within {} s", LONGEST.as_secs()));
    tokio::time::timeout(LONGEST, asked).await.unwrap_or_else(late)
}

async fn get(
    address: SocketAddr,
    path: &str,
    token: Option<&Secret>,
) -> Result<HttpResponse, String> {
    let plain = Plain::from_environment().map_err(|error| error.to_string())?;
    let mut request = HttpRequest::new(SdkBody::empty());
    let broken = |_| format!("{address} cannot be asked");
    request.set_method("GET").map_err(broken)?;
    request.set_uri(format!("http://{address}/{path}")).map_err(broken)?;
    if let Some(token) = token {
        request.headers_mut().insert("authorization", format!("Bearer {}", token.expose()));
    }
    plain.send(request).await.map_err(|_| {
        format!("nobody answers at {address}: the controller does not run, or not on this machine")
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listen, asked) in [
            ("0.0.0.0:9464", "127.0.0.1:9464"),
            ("[::]:1", "[::1]:1"),
            ("127.0.0.1:2", "127.0.0.1:2"),
            ("10.0.0.7:3", "10.0.0.7:3"),
        ] {
            assert_eq!(reached(listen.parse().unwrap()).to_string(), asked);
        }
    }
}
