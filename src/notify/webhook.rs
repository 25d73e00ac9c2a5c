//! A webhook of any receiver: the letter as JSON, with a signature.
//!
//! `evenkeel-signature: v1=HEX` is HMAC-SHA256, by the shared secret, over the value of
//! `evenkeel-timestamp`, a point, and the body's bytes. Whoever checks the signature and refuses what is
//! older than five minutes takes nothing that others wrote, or sent once more; `evenkeel-id` is the same
//! whenever a letter is sent again.

use std::path::PathBuf;

use async_trait::async_trait;
use chrono::Utc;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::json;
use sha2::Sha256;

use super::channel::{Channel, NotSent};
use super::letter::Letter;
use super::{http, secret};
use crate::fleet::notify::SecretPlace;

/// The shortest secret, in bytes.
const SHORTEST: usize = 32;

/// A webhook.
pub struct Hook {
    /// Its URL, or where that is.
    pub url: String,
    /// Where its secret is.
    pub secret: String,
    /// The fleet file's folder.
    pub folder: PathBuf,
}

#[async_trait]
impl Channel for Hook {
    async fn send(&self, letter: &Letter) -> Result<(), NotSent> {
        let url = secret::text_or_place(&self.url, &self.folder).map_err(NotSent::because)?;
        let place = SecretPlace::of(&self.secret)
            .ok_or_else(|| NotSent::because("its secret must not stand in the fleet file"))?;
        let key = secret::read(&place, &self.folder).map_err(NotSent::because)?;
        if key.expose().len() < SHORTEST {
            let why = format!("the secret in {place} is shorter than {SHORTEST} bytes");
            return Err(NotSent::because(why));
        }
        let body = body(letter).map_err(|error| NotSent::because(error.to_string()))?;
        let timestamp = Utc::now().timestamp().to_string();
        let signature = sign(key.expose().as_bytes(), &timestamp, &body)
            .ok_or_else(|| NotSent::because("its secret is no key"))?;
        let headers = [
            ("evenkeel-id", letter.id.clone()),
            ("evenkeel-timestamp", timestamp),
            ("evenkeel-signature", format!("v1={signature}")),
        ];
        http::post(&url, body, &headers, &[&key]).await
    }
}

/// The letter, with the version of its form.
fn body(letter: &Letter) -> serde_json::Result<String> {
    let mut body = json!({"format_version": 1});
    if let (Some(body), serde_json::Value::Object(letter)) =
        (body.as_object_mut(), serde_json::to_value(letter)?)
    {
        body.extend(letter);
    }
    serde_json::to_string(&body)
}

fn sign(key: &[u8], timestamp: &str, body: &str) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(timestamp.as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    Some(hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha_256_over_timestamp_point_and_body() {
        // printf 'The quick brown fox jumps over the lazy dog.' | openssl dgst -sha256 -hmac key
        let known = "e98139c39d76eb80d8db982552b44b251b94f312987f91ee72d12ef673caa813";
        let text = "The quick brown fox jumps over the lazy dog";
        assert_eq!(sign(b"key", text, "").unwrap(), known);
        assert_ne!(sign(b"another", text, "").unwrap(), known);
        assert_ne!(sign(b"key", "1", "2"), sign(b"key", "12", ""));
    }
}
