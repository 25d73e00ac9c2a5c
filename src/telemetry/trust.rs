//! Whom somebody trusts who asks a controller over TLS, and what they show of themselves.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, Error, InvalidMessage,
    SignatureScheme,
};

use super::tls::pem;

/// By what the controller is known.
#[derive(Debug, Clone)]
pub enum Known {
    /// By a certificate of one of these authorities, for the name that it is asked by.
    Authorities(PathBuf),
    /// By this very certificate, which it reads itself: that of the fleet file on the same machine.
    Certificate(PathBuf),
}

/// Who asks.
#[derive(Debug, Clone)]
pub struct Trust {
    /// By what the controller is known.
    pub known: Known,
    /// A certificate and its key to show, where the controller wants to see one.
    pub own: Option<(PathBuf, PathBuf)>,
}

impl Trust {
    /// What a connection is made by.
    ///
    /// # Errors
    /// A file cannot be used.
    pub fn config(&self) -> Result<ClientConfig, String> {
        let provider = pem::provider();
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| error.to_string())?;
        let builder = match &self.known {
            Known::Authorities(path) => {
                let text = pem::read("--ca", path)?;
                builder.with_root_certificates(pem::authorities("--ca", path, &text)?)
            }
            Known::Certificate(path) => {
                let setting = "listen_tls.certificate";
                let text = pem::read(setting, path)?;
                let leaf = pem::certificates(setting, path, &text)?.into_iter().next();
                let leaf = leaf.ok_or("there is no certificate")?;
                builder
                    .dangerous()
                    .with_custom_certificate_verifier(Arc::new(Only { leaf, provider }))
            }
        };
        let Some((certificate, key)) = &self.own else { return Ok(builder.with_no_client_auth()) };
        let text = pem::read("--certificate", certificate)?;
        let chain = pem::certificates("--certificate", certificate, &text)?;
        let secret = pem::read_secret("--key", key)?;
        let secret = pem::key("--key", key, &secret)?;
        builder.with_client_auth_cert(chain, secret).map_err(|error| {
            let (certificate, key) = (certificate.display(), key.display());
            match error {
                Error::InconsistentKeys(_) => {
                    format!("--key {key} is not the key of --certificate {certificate}")
                }
                other => format!("--certificate {certificate} with --key {key}: {other}"),
            }
        })
    }

    /// What went wrong on the way to an address, in words that help.
    pub fn words(&self, address: &str, error: &(dyn std::error::Error + 'static)) -> String {
        let Some(error) = of_tls(error) else {
            return format!("the connection to {address} broke off: {error}");
        };
        let shown = |path: &Path| path.display().to_string();
        let known = match &self.known {
            Known::Authorities(path) | Known::Certificate(path) => shown(path),
        };
        match error {
            Error::InvalidCertificate(why) => match why {
                CertificateError::ApplicationVerificationFailure => format!(
                    "{address} shows another certificate than {known}: is it this controller, and were its new files refused? Or say by --ca whose certificates are trusted"
                ),
                CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                    format!(
                        "the certificate of {address} has run out: put a new one in place of listen_tls.certificate there"
                    )
                }
                CertificateError::NotValidForName
                | CertificateError::NotValidForNameContext { .. } => format!(
                    "the certificate of {address} is for another name ({why}): ask by that name in --url, or say it by --server-name"
                ),
                _ => format!(
                    "the certificate of {address} is not trusted ({why}): --ca {known} must hold its authority"
                ),
            },
            Error::AlertReceived(alert) => match &self.own {
                Some((certificate, _)) => format!(
                    "{address} refuses --certificate {} ({}): show one that is valid now and of an authority in the controller's listen_tls.client_ca",
                    shown(certificate),
                    alert_words(*alert)
                ),
                None => format!("{address} refuses the connection ({})", alert_words(*alert)),
            },
            Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
                format!("{address} does not speak TLS")
            }
            other => format!("no safe connection to {address}: {other}"),
        }
    }
}

fn alert_words(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::UnknownCA => "it is of another authority",
        AlertDescription::CertificateExpired => "it has run out",
        AlertDescription::BadCertificate
        | AlertDescription::DecryptError
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnsupportedCertificate => "it cannot be used",
        _ => "TLS does not come about",
    }
}

/// The error of TLS among the causes of another.
fn of_tls<'e>(error: &'e (dyn std::error::Error + 'static)) -> Option<&'e Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<Error>() {
            return Some(found);
        }
        let inner = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match inner {
            Some(inner) => Some(inner),
            None => error.source(),
        };
    }
    None
}

/// Trusts one certificate. Its time is not asked for: who can put a file here is trusted anyhow.
#[derive(Debug)]
struct Only {
    leaf: CertificateDer<'static>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Only {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match end_entity.as_ref() == self.leaf.as_ref() {
            true => Ok(ServerCertVerified::assertion()),
            false => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
