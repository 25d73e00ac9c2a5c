//! Kinds of AWS Key Management Service.

pub mod key;
pub mod key_rotation;
pub(in crate::kinds) mod let_in;
pub(crate) mod named;
pub(in crate::kinds) mod reads;

/// What both kinds claim.
const THING: &str = "KMS key";

/// What two items call a key by its id.
fn thing(key_id: &str) -> String {
    format!("the KMS key {key_id}")
}

/// What both kinds can declare of a key.
const ROTATION: &str = "rotation";
const ROTATION_PERIOD: &str = "rotation period";
