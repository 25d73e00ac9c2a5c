//! Digests of what was observed and planned, so that what moved since is noticed.

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a value's JSON, hexadecimal, the same whatever the order of the keys.
pub fn of<T: Serialize>(value: &T) -> String {
    let value = serde_json::to_value(value).unwrap_or(Value::Null);
    let mut text = String::new();
    canonical(&value, &mut text);
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// The digest of a value as it is written, hexadecimal: for large values whose fields always come in
/// the same order. Nothing of it is held in memory.
pub fn of_written<T: Serialize>(value: &T) -> String {
    struct Hashing(Sha256);
    impl std::io::Write for Hashing {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut hashing = Hashing(Sha256::new());
    // What cannot be written has no digest that anything equals.
    match serde_json::to_writer(&mut hashing, value) {
        Ok(()) => hex::encode(hashing.0.finalize()),
        Err(_) => String::new(),
    }
}

/// The digest of bytes, hexadecimal.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    hex::encode(bytes)
}

/// A value as JSON with sorted keys and no white space.
fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort();
            out.push('{');
            for (index, key) in keys.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                canonical(&map[key], out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (index, entry) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                canonical(entry, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_order_of_keys_does_not_matter_and_that_of_lists_does() {
        assert_eq!(of(&json!({"a": 1, "b": [1, 2]})), of(&json!({"b": [1, 2], "a": 1})));
        assert_ne!(of(&json!([1, 2])), of(&json!([2, 1])));
        assert_eq!(of(&json!(null)).len(), 64);
    }
}
