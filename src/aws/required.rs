//! Lists and maps that AWS's API model requires of an answer. The SDK has them as plain lists, and gives an empty
//! one where the answer has none: "there are none" and "AWS did not say" would look the same.
//!
//! The table has every such list of every read that we make; `tests/emulator/test_required.py` holds it
//! against AWS's API model. Of what is no list, the SDK gives an empty word or a zero, which no
//! comparison takes for an answer.

use serde_json::{Map, Value};

use super::permission::Call;

/// A list that an answer must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Required {
    call: Call,
    /// Where it stands, in the words of the answer: `Rules`, `Selectors[].Fields`.
    pub member: &'static str,
    /// The element of an answer in XML; of a list without an element of its own, that of its entries.
    element: Option<&'static str>,
}

const fn json(service: &'static str, operation: &'static str, member: &'static str) -> Required {
    Required { call: Call::new(service, operation), member, element: None }
}

const fn xml(
    service: &'static str,
    operation: &'static str,
    member: &'static str,
    element: &'static str,
) -> Required {
    Required { call: Call::new(service, operation), member, element: Some(element) }
}

const LISTS: &[Required] = &[
    json("accessanalyzer", "ListAnalyzers", "analyzers"),
    json("accessanalyzer", "ListArchiveRules", "archiveRules"),
    json("accessanalyzer", "ListArchiveRules", "archiveRules[].filter"),
    json("cloudtrail", "GetEventConfiguration", "AggregationConfigurations[].Templates"),
    json("cloudtrail", "GetEventConfiguration", "ContextKeySelectors[].Equals"),
    json("cloudtrail", "GetEventDataStore", "AdvancedEventSelectors[].FieldSelectors"),
    json("cloudtrail", "GetEventSelectors", "AdvancedEventSelectors[].FieldSelectors"),
    json(
        "cloudtrail",
        "ListEventDataStores",
        "EventDataStores[].AdvancedEventSelectors[].FieldSelectors",
    ),
    json(
        "config",
        "DescribeConfigurationAggregators",
        "ConfigurationAggregators[].AccountAggregationSources[].AccountIds",
    ),
    json(
        "config",
        "DescribeConfigurationRecorders",
        "ConfigurationRecorders[].recordingMode.recordingModeOverrides[].resourceTypes",
    ),
    json(
        "events",
        "ListTargetsByRule",
        "Targets[].EcsParameters.NetworkConfiguration.awsvpcConfiguration.Subnets",
    ),
    json(
        "ecr",
        "GetRegistryScanningConfiguration",
        "scanningConfiguration.rules[].repositoryFilters",
    ),
    json("events", "ListTargetsByRule", "Targets[].RunCommandParameters.RunCommandTargets"),
    json(
        "events",
        "ListTargetsByRule",
        "Targets[].RunCommandParameters.RunCommandTargets[].Values",
    ),
    json("guardduty", "ListDetectors", "detectorIds"),
    json("guardduty", "ListFilters", "filterNames"),
    json("guardduty", "ListIPSets", "ipSetIds"),
    json("guardduty", "ListPublishingDestinations", "destinations"),
    json("guardduty", "ListTrustedEntitySets", "trustedEntitySetIds"),
    xml("iam", "ListAccountAliases", "AccountAliases", "AccountAliases"),
    xml("iam", "ListRolePolicies", "PolicyNames", "PolicyNames"),
    xml("iam", "ListRoles", "Roles", "Roles"),
    xml("iam", "ListVirtualMFADevices", "VirtualMFADevices", "VirtualMFADevices"),
    json("inspector2", "BatchGetAccountStatus", "accounts"),
    json("inspector2", "ListCisScanConfigurations", "scanConfigurations[].schedule.weekly.days"),
    json("inspector2", "ListFilters", "filters"),
    json("macie2", "ListClassificationJobs", "items[].bucketDefinitions[].buckets"),
    xml("s3", "GetBucketEncryption", "ServerSideEncryptionConfiguration.Rules", "Rule"),
    xml("s3", "GetBucketOwnershipControls", "OwnershipControls.Rules", "Rule"),
    xml("s3", "GetBucketTagging", "TagSet", "TagSet"),
    json("securityhub", "BatchGetSecurityControls", "SecurityControls"),
    json(
        "securityhub",
        "BatchGetStandardsControlAssociations",
        "StandardsControlAssociationDetails",
    ),
    json("securityhub", "GetEnabledStandards", "StandardsSubscriptions[].StandardsInput"),
    json("securityhub", "GetInsights", "Insights"),
    json("securityhub", "ListSecurityControlDefinitions", "SecurityControlDefinitions"),
];

/// The lists that an answer to a call must have.
pub fn of(call: Call) -> impl Iterator<Item = &'static Required> {
    LISTS.iter().filter(move |list| list.call == call)
}

impl Required {
    /// Whether an answer has the list, wherever it must. What cannot be parsed is said by whoever needs
    /// it.
    pub fn is_in(&self, body: &str) -> bool {
        match self.element {
            Some(element) => has_element(body, element),
            // The SDK takes no body for an answer without members.
            None if body.trim().is_empty() => has_list(&Value::Object(Map::new()), self.member),
            None => match serde_json::from_str(body) {
                Ok(answer) => has_list(&answer, self.member),
                Err(_) => true,
            },
        }
    }
}

/// Whether XML has an element. A `<` of a text is written in another way.
fn has_element(body: &str, name: &str) -> bool {
    body.match_indices(&format!("<{name}")).any(|(at, tag)| {
        body[at + tag.len()..]
            .starts_with(|next: char| matches!(next, '>' | '/') || next.is_whitespace())
    })
}

/// Whether a list is below a value in every place that a path leads to. What must not be there on the
/// way may be missing, and the list with it.
fn has_list(value: &Value, path: &str) -> bool {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let name = step.trim_end_matches("[]");
    match (value.get(name).filter(|value| !value.is_null()), rest) {
        (Some(value), None) => value.is_array() || value.is_object(),
        (None, None) => false,
        (None, Some(_)) => true,
        (Some(Value::Array(entries)), Some(rest)) => {
            entries.iter().all(|entry| has_list(entry, rest))
        }
        (Some(value), Some(rest)) => has_list(value, rest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(operation: &str, body: &str) -> bool {
        LISTS.iter().filter(|list| list.call.operation == operation).all(|list| list.is_in(body))
    }

    #[test]
    fn lists_in_json_are_found_in_every_place() {
        for (body, whole) in [
            (r#"{"AdvancedEventSelectors": [{"FieldSelectors": []}]}"#, true),
            (r#"{"AdvancedEventSelectors": []}"#, true),
            (r"{}", true),
            (r#"{"AdvancedEventSelectors": null}"#, true),
            ("no JSON", true),
            ("", true),
            (r#"{"AdvancedEventSelectors": [{"FieldSelectors": []}, {"Name": "x"}]}"#, false),
            (r#"{"AdvancedEventSelectors": [{"FieldSelectors": null}]}"#, false),
        ] {
            assert_eq!(is_in("GetEventSelectors", body), whole, "{body}");
        }
        let recorders = |overrides: &str| {
            format!(
                r#"{{"ConfigurationRecorders": [{{"recordingMode": {{"recordingModeOverrides": {overrides}}}}}]}}"#
            )
        };
        assert!(is_in("DescribeConfigurationRecorders", &recorders(r#"[{"resourceTypes": []}]"#)));
        assert!(!is_in("DescribeConfigurationRecorders", &recorders("[{}]")));
    }

    #[test]
    fn elements_are_told_from_others_that_begin_so() {
        for body in ["<T><TagSet/></T>", "<T><TagSet><Tag/></TagSet></T>", "<T><TagSet /></T>"] {
            assert!(is_in("GetBucketTagging", body), "{body}");
        }
        for body in ["<T></T>", "<T><TagSets/></T>", "<T><A>&lt;TagSet/></A></T>", "<TagSe"] {
            assert!(!is_in("GetBucketTagging", body), "{body}");
        }
        assert!(is_in("GetBucketEncryption", "<C><Rule><X/></Rule></C>"));
        assert!(!is_in("GetBucketEncryption", "<C><RuleX/></C>"));
    }
}
