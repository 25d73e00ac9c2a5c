//! The token that opens what is not for everybody.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::notify::secret::Secret;

/// The shortest token, in bytes.
pub const SHORTEST: usize = 16;

/// Whether an `Authorization` header brings the token. How long it takes tells nothing of where they
/// differ: compared are codes under a key that nobody knows.
pub fn is_brought(header: Option<&str>, token: &Secret) -> bool {
    let Some((scheme, brought)) = header.and_then(|header| header.split_once(' ')) else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("bearer") || token.expose().len() < SHORTEST {
        return false;
    }
    let mut key = [0; 32];
    fastrand::fill(&mut key);
    code(&key, brought.trim())
        .zip(code(&key, token.expose()))
        .is_some_and(|(brought, own)| brought.verify_slice(&own.finalize().into_bytes()).is_ok())
}

fn code(key: &[u8], text: &str) -> Option<Hmac<Sha256>> {
    let mut code = Hmac::<Sha256>::new_from_slice(key).ok()?;
    code.update(text.as_bytes());
    Some(code)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::fleet::notify::SecretPlace;
    use crate::notify::secret;

    #[test]
    fn only_the_whole_token_opens() {
        let folder = tempfile::tempdir().unwrap();
        let read = |text: &str| {
            std::fs::write(folder.path().join("t"), text).unwrap();
            secret::read(&SecretPlace::File("t".to_owned()), folder.path()).unwrap()
        };
        let token = read("0123456789abcdef\n");
        assert!(is_brought(Some("Bearer 0123456789abcdef"), &token));
        assert!(is_brought(Some("bearer 0123456789abcdef"), &token));
        for wrong in [
            None,
            Some(""),
            Some("Bearer"),
            Some("Bearer "),
            Some("Bearer 0123456789abcde"),
            Some("Bearer 0123456789abcdef0"),
            Some("Basic 0123456789abcdef"),
            Some("0123456789abcdef"),
        ] {
            assert!(!is_brought(wrong, &token), "{wrong:?}");
        }
        assert!(!is_brought(Some("Bearer short"), &read("short")));
    }
}
