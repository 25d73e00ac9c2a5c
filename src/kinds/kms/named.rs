//! A key that another kind's field names: which one it is, and whether a service can encrypt with
//! it. AWS takes many a key that cannot work, and the failures come later and elsewhere.

use aws_sdk_kms::types::KeyMetadata;
use serde::{Deserialize, Serialize};

use super::reads;
use crate::aws::ErrorClass;
use crate::kinds::{Cx, ObserveError, told};
use crate::names::Region;

/// What a name of a key stands for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Named {
    /// A key that is there.
    There {
        /// Its ARN.
        arn: String,
        /// Why no service can encrypt with it.
        unusable: Option<String>,
    },
    /// Nothing: the key is not there, any more or yet.
    Missing,
    /// A key of another account, which does not let evenkeel look. Its ARN tells it from others, and
    /// whether it works, only that account knows.
    Hidden,
}

impl Named {
    /// Whether a key that is there is meant by this name: by its ARN, whatever each is called.
    pub fn is_behind(&self, arn: &str) -> bool {
        matches!(self, Self::There { arn: own, .. } if own == arn)
    }

    /// Why no service can encrypt with the key, as far as it is known.
    pub fn problem(&self) -> Option<&str> {
        match self {
            Self::There { unusable, .. } => unusable.as_deref(),
            Self::Missing => Some("it is not there"),
            Self::Hidden => None,
        }
    }
}

/// Whether a name can be given to a key later on: an id cannot.
pub fn is_alias(name: &str) -> bool {
    name.starts_with("alias/") || name.contains(":alias/")
}

/// The Region that a name says, if it is an ARN.
pub fn region_of(name: &str) -> Option<Region> {
    Place::of(name).map(|place| Region::new(place.region))
}

/// Looks at the key that a field names by its id, ARN, alias or the alias's ARN. An ARN names its own
/// Region; `cx` is for the other names.
///
/// # Errors
/// KMS did not say it.
pub async fn look_up(cx: &Cx, name: &str) -> Result<Named, ObserveError> {
    let place = Place::of(name);
    let there = match &place {
        Some(place) => cx.in_region(Region::new(place.region)),
        None => cx.clone(),
    };
    let metadata = match reads::describe(&there, name).await {
        Ok(Some(metadata)) => metadata,
        Ok(None) => return Ok(Named::Missing),
        Err(error) => {
            let is_foreign = place.is_some_and(|place| {
                place.account != cx.facts().account.as_str() && place.names_a_key
            });
            return if is_foreign && is_denied(&error) { Ok(Named::Hidden) } else { Err(error) };
        }
    };
    Ok(Named::There { arn: arn(&metadata)?.to_owned(), unusable: unusable(&metadata)? })
}

fn is_denied(error: &ObserveError) -> bool {
    matches!(error, ObserveError::Refused { error, .. } if error.class == ErrorClass::Denied)
}

/// Where an ARN of KMS says that its key is: `arn:aws:kms:REGION:ACCOUNT:key/ID`.
struct Place<'a> {
    region: &'a str,
    account: &'a str,
    names_a_key: bool,
}

impl<'a> Place<'a> {
    fn of(name: &'a str) -> Option<Self> {
        let parts: Vec<&str> = name.splitn(6, ':').collect();
        match parts.as_slice() {
            ["arn", _, "kms", region, account, what] if !region.is_empty() => {
                Some(Self { region, account, names_a_key: what.starts_with("key/") })
            }
            _ => None,
        }
    }
}

/// The ARN of a key, which two names of it have in common: one that is empty would be everybody's.
pub fn arn(metadata: &KeyMetadata) -> Result<&str, ObserveError> {
    told("Arn", metadata.arn().filter(|arn| !arn.is_empty()))
}

/// Why no service can encrypt with a key: all want a symmetric key that is enabled.
///
/// Source: KMS Developer Guide, "Key states of KMS keys"; the services' own pages on encryption.
pub fn unusable(metadata: &KeyMetadata) -> Result<Option<String>, ObserveError> {
    let spec = reads::key_spec(metadata)?;
    let state = told("KeyState", metadata.key_state())?.as_str();
    Ok(if spec != "SYMMETRIC_DEFAULT" {
        Some(format!("it is of the spec {spec}, and must be SYMMETRIC_DEFAULT"))
    } else if state != "Enabled" {
        Some(format!("it is in the state {state}, and must be Enabled"))
    } else {
        None
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_keys_without_an_arn_are_not_the_same() {
        let key = |arn: Option<&str>| {
            let key = KeyMetadata::builder().key_id("1").set_arn(arn.map(str::to_owned));
            key.build().ok()
        };
        assert!(key(Some("arn")).is_some_and(|key| arn(&key).is_ok_and(|arn| arn == "arn")));
        for nothing in [None, Some("")] {
            assert!(key(nothing).is_some_and(|key| arn(&key).is_err()), "{nothing:?}");
        }
    }

    #[test]
    fn an_arn_says_where_its_key_is() {
        let place = Place::of("arn:aws:kms:eu-west-1:111122223333:key/1");
        assert!(place.is_some_and(|place| place.region == "eu-west-1"
            && place.account == "111122223333"
            && place.names_a_key));
        for name in ["alias/audit", "1234", "arn:aws:iam::111122223333:role/a"] {
            assert!(Place::of(name).is_none(), "{name}");
        }
    }
}
