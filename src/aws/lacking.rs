//! Regions that a service is known not to be offered in. Nothing is concluded from the list alone, which grows old: it
//! says why nobody answers.

use super::{AwsError, ErrorClass};
use crate::names::Region;

/// Regions without an endpoint, as AWS's own list of endpoints (botocore 1.44.5, `endpoints.json`) had it in
/// November 2026.
const LACKING: &[(&str, &[&str])] = &[
    (
        "detective",
        &[
            "ap-east-2",
            "ap-northeast-3",
            "ap-south-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-west-1",
            "eu-central-2",
            "eu-south-2",
            "me-central-1",
            "mx-central-1",
        ],
    ),
    ("inspector2", &["ap-southeast-6"]),
    (
        "macie2",
        &[
            "ap-east-2",
            "ap-south-2",
            "ap-southeast-3",
            "ap-southeast-4",
            "ap-southeast-5",
            "ap-southeast-6",
            "ap-southeast-7",
            "ca-west-1",
            "eu-central-2",
            "eu-south-2",
            "me-central-1",
            "mx-central-1",
        ],
    ),
];

/// Whether the list says that a Region lacks a service.
pub fn is_listed(service: &str, region: &Region) -> bool {
    let of = LACKING.iter().filter(|(name, _)| *name == service);
    of.flat_map(|(_, regions)| *regions).any(|lacks| *lacks == region.as_str())
}

/// Whether nobody answered a call, and the Region is known to lack its service.
pub fn is_known(error: &AwsError) -> bool {
    error.class == ErrorClass::Unreachable && is_listed(error.call.service, &error.region)
}

/// What is said of it.
pub fn words(service: &str, region: &Region) -> String {
    format!("{service} is not available in {region}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Call;
    use crate::aws::error::Detail;

    fn error(service: &'static str, region: &str, class: ErrorClass) -> AwsError {
        AwsError::new(Detail {
            after_loss: false,
            account: None,
            region: Region::new(region),
            call: Call::new(service, "ListGraphs"),
            code: "NoAnswer".to_owned(),
            message: String::new(),
            status: None,
            request_id: None,
            class,
        })
    }

    #[test]
    fn only_where_nobody_answers_is_a_service_not_available() {
        assert!(is_known(&error("detective", "eu-south-2", ErrorClass::Unreachable)));
        assert!(is_known(&error("macie2", "eu-south-2", ErrorClass::Unreachable)));
        assert!(!is_known(&error("macie2", "ap-northeast-3", ErrorClass::Unreachable)));
        assert!(!is_known(&error("detective", "eu-south-2", ErrorClass::Denied)));
        assert!(!is_known(&error("detective", "eu-west-1", ErrorClass::Unreachable)));
        assert!(!is_known(&error("guardduty", "eu-south-2", ErrorClass::Unreachable)));
    }
}
