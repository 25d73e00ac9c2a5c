//! What a policy denies to requests without TLS, in whatever form somebody wrote it.

use serde_json::Value;

use super::patterns::matches;
use super::{PolicyDocument, canonical};

/// The condition key that says whether a request came over TLS, in its one form.
const KEY: &str = "aws:securetransport";

impl PolicyDocument {
    /// Whether anybody is denied anything for want of TLS.
    pub fn denies_some_plain(&self, partition: &str) -> bool {
        let statements = self.statements();
        statements.iter().any(|one| is_denied_plain(&canonical::statement(one, partition)))
    }
}

/// Whether a statement in canonical form denies something to whomever, for want of TLS.
fn is_denied_plain(form: &Value) -> bool {
    let conditions = form["Condition"].as_object().into_iter().flatten();
    let mut keys = conditions.filter_map(|(operator, keys)| Some((operator, keys.get(KEY)?)));
    form["Effect"] == "Deny"
        && keys.any(|(operator, values)| {
            let plain = operator.rsplit(':').next().unwrap_or(operator);
            let plain = plain.strip_suffix("ifexists").unwrap_or(plain);
            let values = values.as_array().into_iter().flatten().filter_map(Value::as_str);
            holds_without_tls(plain, values)
        })
}

/// Whether a condition on `aws:SecureTransport` holds for a request without TLS. The operator is in
/// lower case, without quantifier and `IfExists`.
fn holds_without_tls<'a>(operator: &str, mut values: impl Iterator<Item = &'a str>) -> bool {
    let is_false = |value: &str| match operator {
        "stringlike" | "stringnotlike" => matches(value, "false"),
        _ => value.eq_ignore_ascii_case("false"),
    };
    match operator {
        "bool" | "stringequals" | "stringequalsignorecase" | "stringlike" => values.any(is_false),
        "stringnotequals" | "stringnotequalsignorecase" | "stringnotlike" => !values.any(is_false),
        // The key is in every request, so that `Null` says nothing of TLS.
        _ => false,
    }
}
