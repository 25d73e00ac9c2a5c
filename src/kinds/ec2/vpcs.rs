//! The VPCs of a Region, which several sweeps go over: how they are listed, shown and left out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{Filter, Vpc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::{AwsError, Call};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::sweep::Way;
use crate::kinds::{Cx, ObserveError, told};
use crate::names::AccountId;

/// Lists VPCs.
pub const VPCS: Call = Call::new("ec2", "DescribeVpcs");

/// VPCs that are left out: by their ids, tags or accounts. Of what one entry gives, all must hold; of
/// several entries, one is enough.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exclude {
    /// Tags and their values; a VPC must have all of them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub vpc_tags: BTreeMap<String, String>,
    /// Ids of VPCs.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub vpc_ids: BTreeSet<String>,
    /// Accounts whose VPCs are left alone.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub accounts: BTreeSet<AccountId>,
}

/// Whether it is the id of a VPC.
pub fn is_id(id: &str) -> bool {
    let digits = id.strip_prefix("vpc-").unwrap_or_default();
    !digits.is_empty() && digits.bytes().all(|one| one.is_ascii_hexdigit())
}

/// What in `exclude` can meet no VPC.
pub fn problems(exclude: &[Exclude]) -> Vec<SpecProblem> {
    let ids = exclude.iter().enumerate();
    let ids = ids.flat_map(|(index, entry)| entry.vpc_ids.iter().map(move |id| (index, id)));
    let wrong = ids.filter(|(_, id)| !is_id(id));
    let problem = |(index, id): (usize, &String)| {
        SpecProblem::new(
            format!("exclude[{index}].vpc_ids"),
            format!("{id:?} is the id of no VPC, and meets nothing"),
            "write the whole id, vpc-…; vpc_tags and accounts leave out more than one",
        )
    };
    wrong.map(problem).collect()
}

/// The ways in which an entry of `exclude` leaves a VPC out.
pub fn ways<'a>(entry: &'a Exclude, id: &'a str) -> Vec<Way<'a>> {
    vec![
        Way::Ids("vpc_ids", &entry.vpc_ids, vec![id]),
        Way::Tags("vpc_tags", &entry.vpc_tags),
        Way::Accounts("accounts", &entry.accounts),
    ]
}

/// The ids of VPCs that `exclude` leaves out whatever else holds of them.
pub fn excluded_ids(exclude: &[Exclude]) -> impl Iterator<Item = &str> {
    let by_ids = exclude.iter().filter(|one| one.vpc_tags.is_empty() && one.accounts.is_empty());
    by_ids.flat_map(|entry| &entry.vpc_ids).map(String::as_str)
}

/// The VPCs of the Region; one read, whoever asks.
pub async fn all(cx: &Cx) -> Result<Arc<Vec<Vpc>>, AwsError> {
    let client = cx.client(Client::new);
    let pages = client.describe_vpcs().into_paginator().send();
    cx.list(VPCS, "", pages, "Vpcs", |page| page.vpcs).await
}

/// One VPC; none when it is gone.
pub async fn one(cx: &Cx, id: &str) -> Result<Arc<Vec<Vpc>>, AwsError> {
    let filter = Filter::builder().name("vpc-id").values(id).build();
    let pages = cx.client(Client::new).describe_vpcs().filters(filter).into_paginator().send();
    cx.list(VPCS, id, pages, "Vpcs", |page| page.vpcs).await
}

/// What is shown of a VPC: its name and its range.
pub fn shown(vpc: &Vpc) -> [Option<&str>; 2] {
    let name = vpc.tags().iter().find(|tag| tag.key() == Some("Name")).and_then(|tag| tag.value());
    let name = name.filter(|name| !name.is_empty());
    let name = name.or_else(|| (vpc.is_default() == Some(true)).then_some("default VPC"));
    [name, vpc.cidr_block()]
}

/// The tags of a VPC.
///
/// # Errors
/// AWS did not say how one is called.
pub fn tags(vpc: &Vpc) -> Result<BTreeMap<String, String>, ObserveError> {
    let tags = vpc.tags().iter().map(|tag| {
        let key = told("Key of a VPC's tag", tag.key())?;
        // A tag without a value has an empty one.
        Ok((key.to_owned(), tag.value().unwrap_or_default().to_owned()))
    });
    tags.collect()
}

/// In what words a VPC is another account's, which shares it; `None` for one of this account.
///
/// # Errors
/// AWS did not say whose it is.
pub fn shared_by(cx: &Cx, vpc: &Vpc) -> Result<Option<String>, ObserveError> {
    let owner = told("OwnerId", vpc.owner_id())?;
    let is_own = owner == cx.account.as_str();
    Ok((!is_own).then(|| format!("the VPC belongs to account {owner}, which shares it")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use aws_sdk_ec2::types::Tag;

    use super::*;

    #[test]
    fn a_tag_without_a_value_is_there_and_leaves_its_vpc_out() {
        let of = |tag: Tag| tags(&Vpc::builder().tags(tag).build());
        let valueless = of(Tag::builder().key("keep").build()).unwrap();
        assert_eq!(valueless, BTreeMap::from([("keep".to_owned(), String::new())]));
        assert!(of(Tag::builder().value("x").build()).is_err(), "nobody knows what it is");
    }
}
