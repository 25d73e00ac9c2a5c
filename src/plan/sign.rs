//! Signatures of plans that travel. The digest in a plan finds accidents: anybody can compute it
//! again. A signature is made with a key that only those have who may say what is applied.
//!
//! HMAC-SHA-256 (RFC 2104, FIPS 198-1) over a fixed prefix and the plan's digest, so that a signature
//! of something else with the same key is none of a plan. A key at hand makes it here; a key in KMS
//! makes the same of the same [`message`].

use std::collections::BTreeSet;
use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// What is signed begins with this.
const PREFIX: &str = "evenkeel plan 1\n";
/// The shortest key: what HMAC-SHA-256 needs for its full strength (RFC 2104, section 3: "less than
/// L bytes is strongly discouraged", where L is 32).
const SHORTEST: usize = 32;
/// Fewer different bytes than this are no key that was made at random: of 32 random hexadecimal
/// digits, fewer than 8 are different once in ten million times.
const FEWEST_DIFFERENT: usize = 8;

/// A plan's signature, as it stands in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Signature {
    /// How it was made.
    pub algorithm: Algorithm,
    /// The signature, hexadecimal.
    pub value: String,
}

impl Signature {
    /// A signature from its bytes.
    pub fn hmac_sha_256(bytes: &[u8]) -> Self {
        Self { algorithm: Algorithm::HmacSha256, value: hex::encode(bytes) }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// They are not written in hexadecimal.
    pub fn bytes(&self) -> Result<Vec<u8>, SignatureError> {
        let Self { algorithm: Algorithm::HmacSha256, value } = self;
        hex::decode(value).map_err(|_| SignatureError::Wrong)
    }
}

/// What is signed of the plan with this digest.
pub fn message(plan_digest: &str) -> Vec<u8> {
    [PREFIX, plan_digest].concat().into_bytes()
}

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Algorithm {
    /// With a secret that both sides know.
    #[serde(rename = "HMAC-SHA-256")]
    HmacSha256,
}

/// A key for signatures. It is never shown.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(…)")
    }
}

/// A key that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is too short.
    #[error("it has {0} bytes, and a key has at least {SHORTEST}")]
    Short(usize),
    /// It is no random text.
    #[error("too few of its bytes differ ({0}): a key is made at random")]
    Plain(usize),
}

/// Why a plan is not taken for signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// It has no signature.
    #[error("it is not signed")]
    Missing,
    /// Its signature is not of this plan with this key.
    #[error("its signature is not one of this plan with this key")]
    Wrong,
}

impl Key {
    /// A key from its bytes; the line end of a text file is not part of it.
    ///
    /// # Errors
    /// It is too short, or not made at random.
    pub fn new(bytes: &[u8]) -> Result<Self, KeyError> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() < SHORTEST {
            return Err(KeyError::Short(bytes.len()));
        }
        let different = bytes.iter().collect::<BTreeSet<_>>().len();
        if different < FEWEST_DIFFERENT {
            return Err(KeyError::Plain(different));
        }
        Hmac::new_from_slice(bytes).map(Self).map_err(|_| KeyError::Short(bytes.len()))
    }

    fn mac(&self, plan_digest: &str) -> Hmac<Sha256> {
        self.0.clone().chain_update(message(plan_digest))
    }

    /// Signs the plan with this digest.
    pub fn sign(&self, plan_digest: &str) -> Signature {
        Signature::hmac_sha_256(&self.mac(plan_digest).finalize().into_bytes())
    }

    /// Checks a signature of the plan with this digest, in a time that says nothing of where it
    /// differs.
    ///
    /// # Errors
    /// There is none, or it is another one.
    pub fn verify(
        &self,
        plan_digest: &str,
        signature: Option<&Signature>,
    ) -> Result<(), SignatureError> {
        let bytes = signature.ok_or(SignatureError::Missing)?.bytes()?;
        self.mac(plan_digest).verify_slice(&bytes).map_err(|_| SignatureError::Wrong)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn key(first: u8) -> Key {
        let bytes: Vec<u8> = (first..).take(SHORTEST).collect();
        Key::new(&bytes).unwrap()
    }

    #[test]
    fn a_signature_is_of_one_plan_with_one_key() {
        let signature = key(1).sign("aa");
        assert_eq!(key(1).verify("aa", Some(&signature)), Ok(()));
        let wrong = Err(SignatureError::Wrong);
        assert_eq!(key(1).verify("ab", Some(&signature)), wrong);
        assert_eq!(key(2).verify("aa", Some(&signature)), wrong);
        assert_eq!(key(1).verify("aa", None), Err(SignatureError::Missing));
        for value in ["", "0", "zz", &signature.value[2..], &format!("{}00", signature.value)] {
            let cut = Signature { value: value.to_owned(), ..signature.clone() };
            assert_eq!(key(1).verify("aa", Some(&cut)), wrong, "{value}");
        }
    }

    /// Of another implementation:
    /// `printf 'evenkeel plan 1\naa' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef`.
    #[test]
    fn the_signature_is_hmac_sha_256() {
        let key = Key::new(b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(
            key.sign("aa").value,
            "15fce0b2396a1b270813a52f0857130c9b0f734b8f2bbc4ee591e7e9691adebf"
        );
    }

    #[test]
    fn short_keys_are_refused_and_keys_are_never_shown() {
        assert_eq!(Key::new(&[b'x'; 31]).unwrap_err(), KeyError::Short(31));
        assert_eq!(Key::new(b"secret\n").unwrap_err(), KeyError::Short(6));
        assert_eq!(Key::new(&[b' '; 69]).unwrap_err(), KeyError::Plain(1));
        let text = b"0123456789abcdef0123456789abcdef";
        let file = [&text[..], b"\r\n"].concat();
        let signature = Key::new(&file).unwrap().sign("aa");
        assert_eq!(Key::new(text).unwrap().verify("aa", Some(&signature)), Ok(()));
        assert_eq!(format!("{:?}", key(7)), "Key(…)");
    }
}
