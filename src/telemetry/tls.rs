//! The certificate and the key that the controller answers with, and the authorities whose certificates it
//! asks for. They are read anew whenever somebody connects, so that a new pair counts at once; one that
//! cannot be used is refused, and the last good one stays.

pub mod pem;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{CertificateError, Error, RootCertStore, ServerConfig};
use sha2::{Digest, Sha256};

use crate::fleet::file::ListenTls;

/// Where the files are.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate, and those between it and its authority.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    /// The authorities of who may ask.
    pub client_ca: Option<PathBuf>,
}

impl TlsFiles {
    /// As the fleet file of this folder names them.
    pub fn of(part: &ListenTls, folder: &Path) -> Self {
        Self {
            certificate: folder.join(&part.certificate),
            key: folder.join(&part.key),
            client_ca: part.client_ca.as_ref().map(|path| folder.join(path)),
        }
    }

    fn read(&self) -> Result<Texts, String> {
        let certificate = pem::read("certificate", &self.certificate)?;
        let key = pem::read_secret("key", &self.key)?;
        let client_ca = self.client_ca.as_ref().map(|path| pem::read("client_ca", path));
        Ok(Texts { certificate, key, client_ca: client_ca.transpose()? })
    }

    fn make(&self, texts: &Texts) -> Result<Made, String> {
        let chain = pem::certificates("certificate", &self.certificate, &texts.certificate)?;
        let key = pem::key("key", &self.key, &texts.key)?;
        let builder = ServerConfig::builder_with_provider(pem::provider())
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match (&self.client_ca, &texts.client_ca) {
            (Some(path), Some(text)) => {
                let roots = Arc::new(pem::authorities("client_ca", path, text)?);
                // Probes have no certificate to show: who shows none is answered no more than they are.
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, pem::provider())
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| {
                        format!("client_ca {} cannot be used: {error}", path.display())
                    })?;
                builder.with_client_cert_verifier(verifier)
            }
            _ => builder.with_no_client_auth(),
        };
        let leaf = chain.first().cloned().ok_or("there is no certificate")?;
        let mut config = builder.with_single_cert(chain, key).map_err(|error| {
            let (certificate, key) = (self.certificate.display(), self.key.display());
            match error {
                Error::InconsistentKeys(_) => format!(
                    "key {key} is not the key of certificate {certificate}: put both in place, the certificate of the controller itself first in its file"
                ),
                other => format!("certificate {certificate} with key {key} cannot be used: {other}"),
            }
        })?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        // Who comes again shows its certificate again: it may have run out, or its authority may be gone.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(Made { digest: texts.digest(), config: Arc::new(config), leaf })
    }

    /// That the certificate is of another time.
    fn out_of_date(&self, leaf: &CertificateDer<'static>) -> Option<String> {
        let words = time_of(leaf, UnixTime::now())?;
        let path = self.certificate.display();
        Some(format!("certificate {path} {words}: put one in place that is valid now"))
    }
}

struct Texts {
    certificate: String,
    key: String,
    client_ca: Option<String>,
}

impl Texts {
    fn digest(&self) -> [u8; 32] {
        let mut digest = Sha256::new();
        for text in [&self.certificate, &self.key].into_iter().chain(&self.client_ca) {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        digest.finalize().into()
    }
}

/// What connections are answered by.
struct Made {
    digest: [u8; 32],
    config: Arc<ServerConfig>,
    leaf: CertificateDer<'static>,
}

struct State {
    made: Made,
    refused: Option<String>,
}

/// The files in force.
pub struct Tls {
    files: TlsFiles,
    state: Mutex<State>,
}

impl Tls {
    /// Reads the files for the first time. A certificate that has run out is told of, and taken: the
    /// controller's work does not wait for it.
    ///
    /// # Errors
    /// They cannot be used.
    pub fn open(files: TlsFiles) -> Result<Self, String> {
        let made = files.make(&files.read()?)?;
        if let Some(why) = files.out_of_date(&made.leaf) {
            tracing::error!("listen_tls: {why}");
        }
        Ok(Self { files, state: Mutex::new(State { made, refused: None }) })
    }

    /// Whether who asks for more than probes do must show a certificate.
    pub fn asks_for_certificate(&self) -> bool {
        self.files.client_ca.is_some()
    }

    /// What a connection is answered by now.
    pub fn now(&self) -> Arc<ServerConfig> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let refused = match self.newer_than(&state.made) {
            Ok(None) => None,
            Ok(Some(made)) => {
                tracing::info!("listen_tls: the new files are in force");
                state.made = made;
                None
            }
            Err(why) => Some(why),
        };
        if refused != state.refused {
            match &refused {
                Some(why) => tracing::error!(
                    "listen_tls: the new files are refused, and the last good ones stay in force: {why}"
                ),
                None => tracing::info!("listen_tls: the files are good again"),
            }
        }
        state.refused = refused;
        Arc::clone(&state.made.config)
    }

    fn newer_than(&self, now: &Made) -> Result<Option<Made>, String> {
        let texts = self.files.read()?;
        if texts.digest() == now.digest {
            return Ok(None);
        }
        let made = self.files.make(&texts)?;
        match self.files.out_of_date(&made.leaf) {
            // Nothing is lost where what is in force is no better.
            Some(why) if self.files.out_of_date(&now.leaf).is_none() => Err(why),
            _ => Ok(Some(made)),
        }
    }

    /// What somebody should put right: new files that were refused, or a certificate in force that has
    /// run out.
    pub fn wrong(&self) -> Option<String> {
        self.now();
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.refused.clone().or_else(|| self.files.out_of_date(&state.made.leaf))
    }
}

/// In words, that a certificate is not valid at a time. Whether it is trusted is another question.
fn time_of(leaf: &CertificateDer<'static>, now: UnixTime) -> Option<&'static str> {
    let mut roots = RootCertStore::empty();
    roots.add(leaf.clone()).ok()?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), pem::provider())
        .build()
        .ok()?;
    let name = ServerName::IpAddress(std::net::Ipv4Addr::LOCALHOST.into());
    // The time is looked at before the issuer.
    match verifier.verify_server_cert(leaf, &[], &name, &[], now) {
        Err(Error::InvalidCertificate(
            CertificateError::Expired | CertificateError::ExpiredContext { .. },
        )) => Some("has run out"),
        Err(Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        )) => Some("is not valid yet"),
        _ => None,
    }
}
