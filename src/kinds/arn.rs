//! The shape of ARNs, for the rules of declarations.

/// Whether a text is the ARN of something of a service whose resource part begins so:
/// `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE…`.
pub fn is_arn(text: &str, service: &str, resource: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts.as_slice(), ["arn", partition, of, _, _, what]
        if !partition.is_empty()
            && *of == service
            && what.len() > resource.len()
            && what.starts_with(resource))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes() {
        let role = "arn:aws-cn:iam::111122223333:role/path/name";
        assert!(is_arn(role, "iam", "role/"));
        for (service, resource) in [("kms", "role/"), ("iam", "user/"), ("iam", role)] {
            assert!(!is_arn(role, service, resource), "{service} {resource}");
        }
        for wrong in ["", "role/name", "arn:aws:iam::1:role/", "arn::iam::1:role/name"] {
            assert!(!is_arn(wrong, "iam", "role/"), "{wrong}");
        }
    }
}
