//! Who decides a setting of EC2: the account, or a declarative policy of its organization.

use aws_sdk_ec2::types::ManagedBy;

use crate::kinds::{Object, ObserveError, told};

/// What is said of an object that a declarative policy decides: AWS refuses every write of the account.
const POLICY: &str = "a declarative policy";

/// The same object, of whoever decides it. Source: EC2 API Reference, `ManagedBy` of the answers.
pub fn of<S>(object: Object<S>, by: Option<&ManagedBy>) -> Result<Object<S>, ObserveError> {
    Ok(if is_policy(told("ManagedBy", by)?)? { object.managed_by(POLICY) } else { object })
}

/// Whether it is a declarative policy.
pub fn is_policy(by: &ManagedBy) -> Result<bool, ObserveError> {
    match by {
        ManagedBy::Account => Ok(false),
        ManagedBy::DeclarativePolicy => Ok(true),
        other => Err(ObserveError::UnknownValue {
            field: "ManagedBy".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_later_and_none_at_all_are_unknown() {
        let of = |by: Option<&str>| of(Object::only(Some(1)), by.map(ManagedBy::from).as_ref());
        assert_eq!(of(Some("account")).unwrap().managed_by, None);
        assert!(of(Some("declarative-policy")).unwrap().managed_by.is_some());
        for by in [Some("control-tower"), Some(""), None] {
            assert!(of(by).is_err(), "{by:?}");
        }
    }
}
