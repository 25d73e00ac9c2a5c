//! Whom a TLS connection trusts: the certificates of the machine or, with `AWS_CA_BUNDLE`, those of that
//! file in their place, as a proxy that looks into connections needs it.
//!
//! Source: AWS CLI User Guide, "Environment variables", `AWS_CA_BUNDLE`.

use std::path::Path;

use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::files;

/// The largest bundle that is read: that of a machine has some 200 KiB.
const LARGEST_MIB: u64 = 8;

/// The certificates of a PEM file, each of which must be one: the HTTP client ends the program over one
/// that is not.
///
/// # Errors
/// What is wrong with the file, to follow the name of the variable.
pub fn bundle(path: &Path) -> Result<TlsContext, String> {
    if !path.is_file() {
        return Err("names no file".to_owned());
    }
    let text = files::text(path, LARGEST_MIB)
        .map_err(|error| format!("names a file that cannot be read: {error}"))?;
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(CertificateDer::pem_slice_iter(text.as_bytes())) {
        let bad = |why: String| format!("names a file whose certificate {number} is none: {why}");
        let certificate = certificate.map_err(|error| bad(error.to_string()))?;
        roots.add(certificate).map_err(|error| bad(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err("names a file without a certificate in PEM form".to_owned());
    }
    let trusted = TrustStore::empty().with_pem_certificate(text.into_bytes());
    TlsContext::builder()
        .with_trust_store(trusted)
        .build()
        .map_err(|error| format!("names a file that cannot be used: {error}"))
}
