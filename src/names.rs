//! The names that cross module borders, each with its own type, so that an account is never
//! taken for a region. Nothing here does IO.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// This version of evenkeel: that of the package, and a digest of the sources that it is made of, so
/// that two commits, and one with changes of its own, are never taken for the same.
pub const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "+", env!("EVENKEEL_SOURCES"));

/// The target of the spans that traces are made of. It is not below the name of the crate, so that no
/// level of logging turns them on.
pub const TRACE: &str = "traces-of-evenkeel";

/// A string was not the name that it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not {expected}")]
pub struct InvalidName {
    value: String,
    expected: &'static str,
}

/// An AWS account: twelve decimal digits, leading zeros kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(Arc<str>);

impl AccountId {
    /// The twelve digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName { value: text.to_owned(), expected: "an account id (12 digits)" })
        }
    }
}

impl TryFrom<String> for AccountId {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl schemars::JsonSchema for AccountId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "AccountId".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9]{12}$" })
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// An AWS Region code, such as `eu-west-1`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Region(Arc<str>);

impl Region {
    /// Takes a Region code as AWS writes it; that it exists is for AWS to say.
    pub fn new(code: impl AsRef<str>) -> Self {
        Self(code.as_ref().into())
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// AWS's Regions (botocore 1.43, `partitions.json`).
#[rustfmt::skip]
pub const REGIONS: [&str; 48] = [
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1",
    "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
    "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "me-west-1", "mx-central-1", "sa-east-1", "sa-west-1", "us-east-1", "us-east-2", "us-west-1",
    "us-west-2",
    "cn-north-1", "cn-northwest-1", "eusc-de-east-1", "us-gov-east-1", "us-gov-west-1",
    "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1", "eu-isoe-west-1",
    "us-isof-east-1", "us-isof-south-1",
];

/// A text that is no Region of AWS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("AWS has no Region {text:?}")]
pub struct UnknownRegion {
    text: String,
}

impl UnknownRegion {
    /// What the reader should do next.
    pub fn remedy(&self) -> String {
        let wanted = self.text.trim().to_lowercase();
        let likeness = |region: &str| strsim::jaro_winkler(&wanted, region);
        let near = REGIONS
            .into_iter()
            .filter(|region| likeness(region) > 0.8)
            .max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
        match near {
            Some(near) => format!("did you mean {near}?"),
            None => "write its code, such as eu-west-1: `aws ec2 describe-regions` lists them"
                .to_owned(),
        }
    }
}

/// Insists that a text is one of AWS's Regions.
///
/// # Errors
/// It is none that this version of evenkeel knows.
pub fn known_region(text: &str) -> Result<(), UnknownRegion> {
    if REGIONS.contains(&text) {
        return Ok(());
    }
    Err(UnknownRegion { text: text.to_owned() })
}

/// Insists that a text is one of AWS's Regions, or has at least the form of one: AWS may have more than
/// this version of evenkeel knows.
///
/// # Errors
/// It is none.
pub fn well_formed_region(text: &str) -> Result<(), UnknownRegion> {
    let words: Vec<&str> = text.split('-').collect();
    let is_word =
        |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    match words.as_slice() {
        [first, middle @ .., number]
            if first.len() > 1
                && !middle.is_empty()
                && std::iter::once(first).chain(middle).all(is_word)
                && number.parse::<u8>().is_ok_and(|value| value.to_string() == *number) =>
        {
            Ok(())
        }
        _ => known_region(text),
    }
}

/// The partition that a Region belongs to, by how AWS names Regions (botocore, `partitions.json`).
pub fn partition_of(region: &str) -> &'static str {
    let partitions = [
        ("cn-", "aws-cn"),
        ("us-gov-", "aws-us-gov"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
    ];
    let found = partitions.into_iter().find(|(prefix, _)| region.starts_with(prefix));
    found.map_or("aws", |(_, partition)| partition)
}

impl schemars::JsonSchema for Region {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Region".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl schemars::JsonSchema for ItemName {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ItemName".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string" })
    }
}

impl From<String> for Region {
    fn from(code: String) -> Self {
        Self(code.into())
    }
}

impl From<Region> for String {
    fn from(region: Region) -> Self {
        region.0.as_ref().to_owned()
    }
}

impl fmt::Display for Region {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// One declaration of a kind in a baseline: `iam.password_policy`, or `s3.bucket.audit`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ItemName {
    /// The kind, `service.thing`.
    pub kind: String,
    /// The item's own name; singletons and sweeps have none.
    pub name: Option<String>,
}

impl ItemName {
    /// The item of a kind that is declared at most once in a baseline.
    pub fn singleton(kind: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: None }
    }

    /// A named item of a kind.
    pub fn named(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: Some(name.into()) }
    }
}

impl FromStr for ItemName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let mut parts = text.splitn(3, '.');
        match (parts.next(), parts.next(), parts.next()) {
            (Some(service), Some(thing), name)
                if !service.is_empty() && !thing.is_empty() && name != Some("") =>
            {
                Ok(Self { kind: format!("{service}.{thing}"), name: name.map(str::to_owned) })
            }
            _ => Err(InvalidName {
                value: text.to_owned(),
                expected: "an item (service.thing or service.thing.name)",
            }),
        }
    }
}

impl TryFrom<String> for ItemName {
    type Error = InvalidName;

    fn try_from(text: String) -> Result<Self, InvalidName> {
        text.parse()
    }
}

impl From<ItemName> for String {
    fn from(item: ItemName) -> Self {
        item.to_string()
    }
}

impl fmt::Display for ItemName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            None => out.write_str(&self.kind),
            Some(name) => write!(out, "{}.{name}", self.kind),
        }
    }
}

/// An Amazon Resource Name, taken apart: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arn<'a> {
    /// `aws`, `aws-cn` …
    pub partition: &'a str,
    /// `iam`, `kms` …
    pub service: &'a str,
    /// The Region; empty where the service has none.
    pub region: &'a str,
    /// The account; empty where the name is enough.
    pub account: &'a str,
    /// The rest, which may have colons: `role/audit`, `log-group:audit:*`.
    pub resource: &'a str,
}

impl<'a> Arn<'a> {
    /// Takes a text apart; `None` when it is no ARN.
    pub fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let (partition, service) = (parts.next()?, parts.next()?);
        let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Self { partition, service, region, account, resource })
    }
}

/// Whether a text is the ARN of something of a service whose resource part begins so and goes on.
pub fn is_arn(text: &str, service: &str, resource: &str) -> bool {
    Arn::parse(text).is_some_and(|arn| {
        !arn.partition.is_empty()
            && arn.service == service
            && arn.resource.len() > resource.len()
            && arn.resource.starts_with(resource)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_region_that_is_none_is_told_with_the_nearest() {
        for (text, near) in [
            ("eu-west-11", "eu-west-1"),
            ("EU-WEST-1", "eu-west-1"),
            ("us-east1", "us-east-1"),
            ("eu_central_1", "eu-central-1"),
            ("mars", "describe-regions"),
        ] {
            let error = known_region(text).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
            assert!(error.remedy().contains(near), "{text}: {}", error.remedy());
        }
        assert!(REGIONS.iter().all(|region| known_region(region).is_ok()));
    }

    #[test]
    fn a_region_of_tomorrow_has_the_form_of_one() {
        assert!(REGIONS.iter().all(|region| well_formed_region(region).is_ok()));
        for tomorrow in ["eu-west-9", "us-gov-north-1", "ap-southeast-12"] {
            assert!(well_formed_region(tomorrow).is_ok(), "{tomorrow}");
            assert!(known_region(tomorrow).is_err(), "{tomorrow}");
        }
        for none in
            ["", "mars", "EU-WEST-1", "eu_west_1", "us-east1", "eu-west-01", "e-west-1", "eu-1"]
        {
            assert!(well_formed_region(none).is_err(), "{none}");
        }
    }

    #[test]
    fn shapes_of_arns() {
        let role = "arn:aws-cn:iam::111122223333:role/path/name";
        assert!(is_arn(role, "iam", "role/"));
        for (service, resource) in [("kms", "role/"), ("iam", "user/"), ("iam", role)] {
            assert!(!is_arn(role, service, resource), "{service} {resource}");
        }
        for wrong in ["", "role/name", "arn:aws:iam::1:role/", "arn::iam::1:role/name"] {
            assert!(!is_arn(wrong, "iam", "role/"), "{wrong}");
        }
    }

    #[test]
    fn an_arn_is_taken_apart() {
        let group = "arn:aws-cn:logs:cn-north-1:111122223333:log-group:audit:*";
        let arn = Arn::parse(group).unwrap();
        assert_eq!((arn.partition, arn.service, arn.region), ("aws-cn", "logs", "cn-north-1"));
        assert_eq!((arn.account, arn.resource), ("111122223333", "log-group:audit:*"));
        assert_eq!(
            Arn::parse("arn:aws:s3:::b").map(|arn| (arn.region, arn.account)),
            Some(("", ""))
        );
        for wrong in ["", "arn", "arn:aws:s3", "urn:aws:s3:::b"] {
            assert_eq!(Arn::parse(wrong), None, "{wrong}");
        }
    }
}
