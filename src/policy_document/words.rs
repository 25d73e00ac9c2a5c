//! The words of a policy document taken apart: operators of conditions, ARNs.

use crate::names::Arn;

/// The quantifier of an operator in lower case, the operator itself, and whether it asks only `IfExists`.
pub(super) fn parts_of(operator: &str) -> (&str, &str, bool) {
    let (quantifier, plain) = operator.split_once(':').unwrap_or(("", operator));
    match plain.strip_suffix("ifexists") {
        Some(plain) => (quantifier, plain, true),
        None => (quantifier, plain, false),
    }
}

/// The account in an ARN, when it has one.
pub fn account_of(arn: &str) -> Option<&str> {
    Arn::parse(arn).map(|arn| arn.account).filter(|account| !account.is_empty())
}
