//! What an export calls what it has found.

use serde_json::Value;

use crate::names::AccountId;

/// Takes out what is null: in a baseline, a field that is not declared is not there.
pub fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, value| !value.is_null());
            map.values_mut().for_each(without_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// `lifecycle` of `lifecycle[0].days`.
pub fn top_field(path: &str) -> String {
    path.split(['.', '[']).next().unwrap_or_default().to_owned()
}

/// An item's name from an AWS name: what TOML takes without quotes, and without the account's id.
pub fn item_name(aws_name: &str, prefix: &str, account: &AccountId) -> String {
    let name = aws_name.strip_prefix(prefix).unwrap_or(aws_name);
    let name = name.replace(account.as_str(), "");
    let name = name.trim_matches(['-', '_', '.', '/']).replace("--", "-");
    let mut own: String = name
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' => character,
            _ => '-',
        })
        .collect();
    if own.is_empty() {
        own.push_str("unnamed");
    }
    own
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn names_are_bare_keys() {
        let account = "111122223333".parse().unwrap();
        let name = |name: &str, prefix: &str| item_name(name, prefix, &account);
        assert_eq!(name("alias/orders/eu", "alias/"), "orders-eu");
        assert_eq!(name("my.bucket", ""), "my-bucket");
        assert_eq!(name("logs-111122223333-eu", ""), "logs-eu");
        assert_eq!(name("111122223333", ""), "unnamed");
        assert_eq!(top_field("lifecycle[0].days"), "lifecycle");
    }
}
