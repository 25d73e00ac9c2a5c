//! Texts of policies with wildcards: what one matches, and what one covers.

use serde_json::Value;

/// A text or a list of texts, as a list.
pub(super) fn texts(value: &Value) -> Vec<String> {
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(word).collect(),
        one => vec![word(one)],
    }
}

/// Whether a pattern with `*` and `?` matches a text.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut in_text) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while in_text < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, in_text));
                at += 1;
            }
            Some(&letter) if letter == b'?' || letter == text[in_text] => {
                at += 1;
                in_text += 1;
            }
            _ => {
                let Some((star_at, from)) = star else { return false };
                star = Some((star_at, from + 1));
                at = star_at + 1;
                in_text = from + 1;
            }
        }
    }
    pattern[at..].iter().all(|letter| *letter == b'*')
}

/// Whether each of the narrow patterns is inside one of the wide.
pub(super) fn covers_all(wide: &[String], narrow: &[String]) -> bool {
    let covers = |wide: &str, narrow: &str| {
        // A `?` of the wide one would take the `*` of the narrow one for a letter.
        wide == narrow || (!wide.contains('?') && matches(wide, narrow))
    };
    narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_as_in_iam() {
        let cases = [
            ("*", "", true),
            ("*", "anything", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:*Object", "s3:GetBucketObject", true),
            ("s3:G?t", "s3:Get", true),
            ("s3:Get", "s3:GetObject", false),
            ("a*b*c", "aXbYc", true),
            ("a*b*c", "aXbY", false),
            ("a**", "a", true),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_pattern_covers_what_it_matches_in_every_case() {
        let list = |text: &str| vec![text.to_owned()];
        let cases = [
            ("*", "s3:*", true),
            ("s3:Get*", "s3:GetObject*", true),
            ("s3:Get*", "s3:*", false),
            ("s3:Get?", "s3:Get*", false),
            ("s3:Get?", "s3:Get?", true),
        ];
        for (wide, narrow, expected) in cases {
            assert_eq!(covers_all(&list(wide), &list(narrow)), expected, "{wide} {narrow}");
        }
    }
}
