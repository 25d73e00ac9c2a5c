//! The writes on VPC Block Public Access. AWS takes minutes for each, and a second one must not meet the first.

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};

use super::observe::{excluded, options};
use super::spec::{Action, ExclusionMode};
use crate::aws::Call;
use crate::aws::settle::settle;
use crate::kinds::tags::Tags;
use crate::kinds::{ObserveError, WriteCx, WriteError};

pub const SET_MODE: Call = Call::new("ec2", "ModifyVpcBlockPublicAccessOptions");
pub const EXCLUDE: Call = Call::new("ec2", "CreateVpcBlockPublicAccessExclusion");
pub const CHANGE: Call = Call::new("ec2", "ModifyVpcBlockPublicAccessExclusion");
pub const DELETE: Call = Call::new("ec2", "DeleteVpcBlockPublicAccessExclusion");

const GONE: &str = "InvalidVpcBlockPublicAccessExclusionId.NotFound";

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    match action {
        Action::SetMode { internet_gateway_block_mode: mode } => {
            let request = client
                .modify_vpc_block_public_access_options()
                .internet_gateway_block_mode(mode.as_str().into());
            cx.send(SET_MODE, request.send()).await?;
            return at_rest(|| async { options(&cx.afresh()).await.map(drop) }).await;
        }
        Action::Exclude { resource, internet_gateway_exclusion_mode: mode, tags } => {
            exclude(cx, resource, *mode, tags).await?;
        }
        Action::ChangeExclusion { resource, internet_gateway_exclusion_mode: mode } => {
            let missing = || format!("{resource} is not excluded any more");
            let id = id(cx, resource).await?.ok_or_else(|| WriteError::Changed(missing()))?;
            let request = client
                .modify_vpc_block_public_access_exclusion()
                .exclusion_id(id)
                .internet_gateway_exclusion_mode(mode.as_str().into());
            cx.send(CHANGE, request.send()).await?;
        }
        Action::DeleteExclusion { resource } => {
            let Some(id) = id(cx, resource).await? else { return Ok(()) };
            let request = client.delete_vpc_block_public_access_exclusion().exclusion_id(id);
            cx.remove(DELETE, request.send(), &[GONE]).await?;
        }
    }
    at_rest(|| async { excluded(&cx.afresh()).await.map(drop) }).await
}

/// Excludes a VPC or subnet. Whether AWS would make a second exclusion of it is not written down.
async fn exclude(
    cx: &WriteCx,
    resource: &str,
    mode: ExclusionMode,
    tags: &Tags,
) -> Result<(), WriteError> {
    if id(cx, resource).await?.is_some() {
        return Err(WriteError::there_by_now(resource));
    }
    let is_vpc = resource.starts_with("vpc-");
    let request = cx
        .client(Client::new)
        .create_vpc_block_public_access_exclusion()
        .set_vpc_id(is_vpc.then(|| resource.to_owned()))
        .set_subnet_id((!is_vpc).then(|| resource.to_owned()))
        .internet_gateway_exclusion_mode(mode.as_str().into())
        .set_tag_specifications((!tags.is_empty()).then(|| vec![specification(tags)]));
    let (answer, _) = cx.make(EXCLUDE, request.send()).await?;
    let made = answer.vpc_block_public_access_exclusion();
    cx.note_made(made.and_then(|made| made.exclusion_id()));
    Ok(())
}

fn specification(tags: &Tags) -> TagSpecification {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    TagSpecification::builder()
        .resource_type(ResourceType::VpcBlockPublicAccessExclusion)
        .set_tags(Some(tags.collect()))
        .build()
}

/// The id of the exclusion of a VPC or subnet, as AWS tells it now.
async fn id(cx: &WriteCx, resource: &str) -> Result<Option<String>, WriteError> {
    let there = excluded(&cx.afresh()).await?;
    Ok(there.get(resource).map(|one| one.exclusion_id.clone()))
}

/// Waits until AWS has done, for as long as such things mostly take. Whoever looks then sees how it fares.
async fn at_rest<F>(look: impl FnMut() -> F) -> Result<(), WriteError>
where
    F: Future<Output = Result<(), ObserveError>>,
{
    let is_pending = |error: &ObserveError| matches!(error, ObserveError::Pending { .. });
    match settle(is_pending, look).await {
        Ok(()) | Err(ObserveError::Pending { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
