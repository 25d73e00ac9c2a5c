//! Certificates and keys in PEM files. What is wrong is said with the name of the setting and of the file.

use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::files;

/// The largest file that is read.
const LARGEST_MIB: u64 = 1;

/// The cryptography that AWS is reached by.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// The text of a file.
///
/// # Errors
/// It cannot be read.
pub fn read(setting: &str, path: &Path) -> Result<String, String> {
    files::text(path, LARGEST_MIB)
        .map_err(|error| format!("{setting} {} cannot be read: {error}", path.display()))
}

/// The text of a file that only its owner and its group may read.
///
/// # Errors
/// It cannot be read, or everybody can read it.
pub fn read_secret(setting: &str, path: &Path) -> Result<String, String> {
    // Kubernetes gives a pod its secrets through the group of the file.
    #[cfg(unix)]
    if let Ok(metadata) = files::open(path).and_then(|file| file.metadata())
        && std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o007 != 0
    {
        let path = path.display();
        return Err(format!(
            "{setting} {path} is open to every user of this machine: chmod o-rwx {path}"
        ));
    }
    read(setting, path)
}

/// The certificates of a text, of which there must be one.
///
/// # Errors
/// Something in it is none.
pub fn certificates(
    setting: &str,
    path: &Path,
    text: &str,
) -> Result<Vec<CertificateDer<'static>>, String> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.as_bytes()).collect();
    let path = path.display();
    match all {
        Ok(all) if all.is_empty() => Err(format!(
            "{setting} {path} holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"
        )),
        Ok(all) => Ok(all),
        Err(error) => Err(format!("{setting} {path} holds a certificate that is none: {error}")),
    }
}

/// The key of a text.
///
/// # Errors
/// There is none that can be used.
pub fn key(setting: &str, path: &Path, text: &str) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
        format!(
            "{setting} {} holds no private key in PEM form: give one in PKCS#8, PKCS#1 or SEC1 form, without a passphrase",
            path.display()
        )
    })
}

/// The certificates of a text as authorities.
///
/// # Errors
/// One of them cannot be one.
pub fn authorities(setting: &str, path: &Path, text: &str) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (number, certificate) in (1..).zip(certificates(setting, path, text)?) {
        roots.add(certificate).map_err(|error| {
            format!("{setting} {}: certificate {number} cannot be used: {error}", path.display())
        })?;
    }
    Ok(roots)
}
