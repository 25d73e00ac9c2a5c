//! Names of buckets: what S3 makes today, and what it made once.
//!
//! Source: S3 User Guide, "General purpose bucket naming rules".

use crate::baseline::catalog::SpecProblem;

/// Why S3 makes no bucket of this name any more.
pub fn problem(name: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_address = name.parse::<std::net::Ipv4Addr>().is_ok();
    let bytes = name.as_bytes();
    let ends_plain =
        [bytes.first(), bytes.last()].into_iter().flatten().all(|byte| is_plain(*byte));
    if !(3..=63).contains(&name.len()) {
        return Some("names have 3 to 63 characters");
    }
    if !bytes.iter().all(|byte| is_plain(*byte) || matches!(byte, b'.' | b'-')) {
        return Some("names have lower-case letters, digits, `.` and `-`");
    }
    if !ends_plain {
        return Some("names begin and end with a letter or digit");
    }
    if name.contains("..") || is_address {
        return Some("names have no two dots side by side, and are no IP address");
    }
    let begins = ["xn--", "sthree-", "amzn-s3-demo-"];
    let ends = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
    let is_reserved = begins.iter().any(|part| name.starts_with(part))
        || ends.iter().any(|part| name.ends_with(part));
    is_reserved.then_some("the beginning or end of the name is AWS's own")
}

/// What is wrong with a text that names a bucket, whoever made it and whenever: once, S3 took names of up to
/// 255 letters of both cases, digits, `.`, `-` and `_`.
pub fn named(field: &str, text: &str) -> Option<SpecProblem> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
    let is_name = (3..=255).contains(&text.len()) && text.bytes().all(fits);
    (!text.is_empty() && !is_name).then(|| {
        let message = format!("{text:?} is the name of no bucket");
        SpecProblem::new(
            field,
            message,
            "write the bucket's name alone, without ARN, path or `s3://`",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_s3_makes_and_made() {
        for name in ["abc", "a.b-c", "audit-111122223333", &"a".repeat(63)] {
            assert_eq!(problem(name), None, "{name}");
        }
        for name in [
            "ab",
            "Audit",
            "a_b",
            "-ab",
            "ab-",
            "a..b",
            "10.0.0.1",
            "xn--a",
            "a--x-s3",
            &"a".repeat(64),
        ] {
            assert!(problem(name).is_some(), "{name}");
        }
    }

    #[test]
    fn what_names_a_bucket_may_be_old_and_is_no_path() {
        for text in ["", "abc", "Old_Logs", &"a".repeat(255)] {
            assert_eq!(named("bucket", text), None, "{text}");
        }
        for text in ["Bad/x", "b-1/", "arn:aws:s3:::b", "s3://logs", "ab", &"a".repeat(256)] {
            assert!(named("bucket", text).is_some(), "{text}");
        }
    }
}
