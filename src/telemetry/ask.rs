//! Asks a running controller how everything stands.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Request, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::status::Status;
use super::trust::Trust;
use crate::notify::secret::Secret;

/// How long an answer may take in all.
const LONGEST: Duration = Duration::from_secs(10);
/// The largest answer, in bytes. That of a thousand accounts has less than a tenth of it.
const LARGEST: usize = 16 * 1024 * 1024;
/// Where a controller listens that does not say otherwise.
const PORT: u16 = 9464;

/// Where a controller of this machine is reached that listens there.
pub fn reached(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}

/// A controller that can be asked.
pub struct Asked {
    host: String,
    port: u16,
    /// With TLS: who is trusted, and the name that the certificate must have.
    tls: Option<(Trust, String)>,
}

/// An answer.
struct Answer {
    status: u16,
    body: Bytes,
}

impl Asked {
    /// The one that listens there, on this machine.
    pub fn listening(listen: SocketAddr, trust: Option<Trust>) -> Self {
        let at = reached(listen);
        let host = at.ip().to_string();
        Self { tls: trust.map(|trust| (trust, host.clone())), host, port: at.port() }
    }

    /// The one at a URL.
    ///
    /// # Errors
    /// It is none, or would be asked in clear by others than this machine.
    pub fn at(url: &str, trust: Option<Trust>) -> Result<Self, String> {
        let form = || format!("{url:?} is not https://NAME or https://NAME:PORT");
        let uri: Uri = url.parse().map_err(|_| form())?;
        let authority =
            uri.authority().filter(|all| !all.as_str().contains('@')).ok_or_else(form)?;
        if !["", "/"].contains(&uri.path()) || uri.query().is_some() || uri.host() == Some("") {
            return Err(form());
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost"
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        let tls = match (uri.scheme_str(), trust) {
            (Some("https"), Some(trust)) => Some((trust, host.clone())),
            (Some("https"), None) => {
                return Err("over https://, say by --ca whose certificates are trusted".to_owned());
            }
            (Some("http"), _) if is_here => None,
            (Some("http"), _) => {
                return Err(format!(
                    "{url} is in clear, with the token: only https:// leads to another machine"
                ));
            }
            _ => return Err(form()),
        };
        Ok(Self { host, port: authority.port_u16().unwrap_or(PORT), tls })
    }

    /// The name that its certificate must have, where that is another one than the address's.
    pub fn named(mut self, name: Option<&str>) -> Self {
        if let (Some((_, own)), Some(name)) = (&mut self.tls, name) {
            name.clone_into(own);
        }
        self
    }

    fn address(&self) -> String {
        match self.host.contains(':') {
            true => format!("[{}]:{}", self.host, self.port),
            false => format!("{}:{}", self.host, self.port),
        }
    }

    /// How everything stands.
    ///
    /// # Errors
    /// Why it is not known, in words.
    pub async fn status(&self, token: Option<&Secret>) -> Result<Status, String> {
        let address = self.address();
        let answer = self.get("status", token).await?;
        match answer.status {
            200 => {}
            401 => return Err(format!("the controller at {address} asks for another token")),
            403 => {
                return Err(format!(
                    "the controller at {address} asks for a client certificate: show one by --certificate and --key"
                ));
            }
            status => return Err(format!("{address} answered {status}: is it evenkeel?")),
        }
        serde_json::from_slice(&answer.body).map_err(|error| {
            format!("the controller at {address} answers in another form, as another version does: {error}")
        })
    }

    /// Whether it is alive.
    ///
    /// # Errors
    /// It is not, or nobody answers.
    pub async fn is_alive(&self) -> Result<(), String> {
        match self.get("healthz", None).await?.status {
            200 => Ok(()),
            status => Err(format!(
                "the controller at {} is not alive: it answered {status}",
                self.address()
            )),
        }
    }

    async fn get(&self, path: &str, token: Option<&Secret>) -> Result<Answer, String> {
        let late = |_| {
            Err(format!("nobody answered at {} within {} s", self.address(), LONGEST.as_secs()))
        };
        let asked = self.get_at_leisure(path, token);
        tokio::time::timeout(LONGEST, asked).await.unwrap_or_else(late)
    }

    async fn get_at_leisure(&self, path: &str, token: Option<&Secret>) -> Result<Answer, String> {
        let address = self.address();
        // What is wrong with our own files is said first.
        let tls = match &self.tls {
            None => None,
            Some((trust, name)) => {
                let name = ServerName::try_from(name.clone())
                    .map_err(|_| format!("{name:?} is no name that a certificate can have"))?;
                Some((trust, TlsConnector::from(Arc::new(trust.config()?)), name))
            }
        };
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|_| {
            format!(
                "nobody answers at {address}: the controller does not run, or not on this machine"
            )
        })?;
        match tls {
            None => request(stream, &address, path, token)
                .await
                .map_err(|error| format!("the connection to {address} broke off: {error}")),
            Some((trust, connector, name)) => {
                let words =
                    |error: &(dyn std::error::Error + 'static)| trust.words(&address, error);
                let stream =
                    connector.connect(name, stream).await.map_err(|error| words(&error))?;
                request(stream, &address, path, token).await.map_err(|error| words(error.as_ref()))
            }
        }
    }
}

async fn request(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: &str,
    path: &str,
    token: Option<&Secret>,
) -> Result<Answer, Box<dyn std::error::Error + Send + Sync>> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let mut asking = Request::get(format!("/{path}"))
        .header(header::HOST, address)
        .header(header::CONNECTION, "close");
    if let Some(token) = token {
        asking = asking.header(header::AUTHORIZATION, format!("Bearer {}", token.expose()));
    }
    let asking = asking.body(Empty::<Bytes>::new())?;
    let answered = async {
        let answer = sender.send_request(asking).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), LARGEST).collect().await?.to_bytes();
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(Answer { status, body })
    };
    // Who is sent away in the middle is told why by the connection.
    let (ended, answered) = tokio::join!(connection, answered);
    match answered {
        Ok(answer) => Ok(answer),
        Err(error) => Err(ended.err().map_or(error, Into::into)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trust::Known;
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

    #[test]
    fn a_token_goes_to_another_machine_only_over_tls() {
        let trust = || Some(Trust { known: Known::Authorities("ca.pem".into()), own: None });
        for (url, address) in [
            ("https://evenkeel.example.com", "evenkeel.example.com:9464"),
            ("https://evenkeel-0.evenkeel:1/", "evenkeel-0.evenkeel:1"),
            ("https://[2001:db8::1]:2", "[2001:db8::1]:2"),
            ("http://localhost:3", "localhost:3"),
            ("http://127.0.0.1:4", "127.0.0.1:4"),
            ("http://[::1]:5", "[::1]:5"),
        ] {
            assert_eq!(
                Asked::at(url, trust()).map(|asked| asked.address()).as_deref(),
                Ok(address)
            );
        }
        for (url, why) in [
            ("http://evenkeel.example.com", "in clear"),
            ("http://10.0.0.7:9464", "in clear"),
            ("evenkeel.example.com:9464", "is not https://"),
            ("ftp://evenkeel.example.com", "is not https://"),
            ("https://you@evenkeel.example.com", "is not https://"),
            ("https://evenkeel.example.com/metrics", "is not https://"),
            ("https://", "is not https://"),
        ] {
            let said = Asked::at(url, trust()).map(|asked| asked.address()).unwrap_err();
            assert!(said.contains(why), "{url}: {said}");
        }
        assert!(Asked::at("https://a", None).map(|_| ()).unwrap_err().contains("--ca"));
    }
}
