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
pub fn matches(pattern: &str, text: &str) -> bool {
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

/// A policy variable may stand for anything.
pub(super) fn without_variables(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push('*');
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    plain + rest
}

/// Whether each of the narrow patterns is inside one of the wide.
pub(super) fn covers_all(wide: &[String], narrow: &[String]) -> bool {
    let covers = |wide: &str, narrow: &str| {
        // A `?` of the wide one would take the `*` of the narrow one for a letter.
        wide == narrow || (!wide.contains('?') && matches(wide, narrow))
    };
    narrow.iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
}

/// Whether some text is matched by both of two patterns.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    // Whether what is left of `one` overlaps with what is left of `other`, from the end on.
    let mut below = vec![false; other.len() + 1];
    for at in (0..=one.len()).rev() {
        let mut row = vec![false; other.len() + 1];
        for beside in (0..=other.len()).rev() {
            let right = || row.get(beside + 1).copied().unwrap_or(false);
            row[beside] = match (one.get(at), other.get(beside)) {
                (None, None) => true,
                (Some(b'*'), None) => below[beside],
                (Some(b'*'), Some(_)) => below[beside] || right(),
                (None, Some(b'*')) => right(),
                (Some(_), Some(b'*')) => below[beside] || right(),
                (Some(here), Some(there)) => {
                    (here == there || *here == b'?' || *there == b'?') && below[beside + 1]
                }
                _ => false,
            };
        }
        below = row;
    }
    below[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_where_a_text_fits_both() {
        for (one, other) in [
            ("", ""),
            ("*", ""),
            ("a*", "*b"),
            ("a?c", "ab?"),
            ("arn:b/AWSLogs/1/*", "arn:*/AWSLogs/*/2026/*"),
            ("*a*", "b*"),
        ] {
            assert!(overlap(one, other) && overlap(other, one), "{one} {other}");
        }
        for (one, other) in [("", "a"), ("a*", "b*"), ("a?", "a"), ("*/x", "a/*/y"), ("?", "")] {
            assert!(!overlap(one, other) && !overlap(other, one), "{one} {other}");
        }
    }

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
