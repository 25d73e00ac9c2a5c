//! Reading VPC Block Public Access.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_sdk_ec2::Client;
use aws_sdk_ec2::types::{
    VpcBlockPublicAccessExclusion as Said, VpcBlockPublicAccessExclusionState as ExclusionState,
    VpcBlockPublicAccessExclusionsAllowed as Allowed, VpcBlockPublicAccessOptions as Options,
    VpcBlockPublicAccessState as OptionsState,
};

use super::spec::{Excluded, Spec, State};
use crate::aws::Call;
use crate::kinds::ec2::owner;
use crate::kinds::tags;
use crate::kinds::together::{together, when};
use crate::kinds::{Cx, Object, ObserveError, known, told};

pub const OPTIONS: Call = Call::new("ec2", "DescribeVpcBlockPublicAccessOptions");
pub const EXCLUSIONS: Call = Call::new("ec2", "DescribeVpcBlockPublicAccessExclusions");
/// As many as AWS gives in one answer: lists that ask for no number have a smaller quota.
const PAGE: i32 = 1000;

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Object<State>, ObserveError> {
    let declared = spec.exclusions.is_some();
    let (options, exclusions) = together!(options(cx), when(declared, excluded(cx)))?;
    let mode = told("InternetGatewayBlockMode", options.internet_gateway_block_mode())?;
    let internet_gateway_block_mode = known("InternetGatewayBlockMode", mode.as_str())?;
    let object = Object::only(Some(State { internet_gateway_block_mode, exclusions }));
    let by = options.managed_by();
    // A policy may leave the exclusions to the account: then whoever declares these alone has them kept.
    let is_policy = owner::is_policy(told("ManagedBy", by)?)?;
    if is_policy && spec.internet_gateway_block_mode.is_none() && may_exclude(&options)? {
        return Ok(object);
    }
    owner::of(object, by)
}

/// Whether an organization leaves exclusions to the account.
fn may_exclude(options: &Options) -> Result<bool, ObserveError> {
    match told("ExclusionsAllowed", options.exclusions_allowed())? {
        Allowed::Allowed => Ok(true),
        Allowed::NotAllowed => Ok(false),
        other => Err(unknown("ExclusionsAllowed", other.as_str())),
    }
}

fn unknown(field: &str, value: &str) -> ObserveError {
    ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
}

fn still(what: &str) -> ObserveError {
    ObserveError::Pending {
        reason: format!("AWS is still {what}"),
        remedy: "run again in a few minutes".to_owned(),
    }
}

/// The mode, once AWS is done with it.
pub async fn options(cx: &Cx) -> Result<Options, ObserveError> {
    let request = cx.client(Client::new).describe_vpc_block_public_access_options();
    let answer = cx.read(OPTIONS, "", request.send()).await?;
    let options = told("VpcBlockPublicAccessOptions", answer.vpc_block_public_access_options())?;
    match told("State", options.state())? {
        OptionsState::DefaultState | OptionsState::UpdateComplete => Ok(options.clone()),
        OptionsState::UpdateInProgress => Err(still("changing what internet gateways may do")),
        other => Err(unknown("State", other.as_str())),
    }
}

/// The exclusions by the id of the VPC or subnet, once AWS is done with them.
pub async fn excluded(cx: &Cx) -> Result<BTreeMap<String, Excluded>, ObserveError> {
    let mut found = BTreeMap::new();
    for said in all(cx).await?.iter() {
        let arn = told("ResourceArn", said.resource_arn())?;
        let resource = arn.rsplit('/').next().unwrap_or(arn).to_owned();
        let Some(one) = exclusion(said, &resource)? else { continue };
        match found.get(&resource) {
            // A list may show one on two of its pages.
            Some(other) if *other != one => {
                return Err(ObserveError::Unclear {
                    reason: format!(
                        "{resource} is excluded twice, and nothing says which exclusion counts"
                    ),
                    remedy: "look at the exclusions in the VPC console, and delete one of them"
                        .to_owned(),
                });
            }
            _ => drop(found.insert(resource, one)),
        }
    }
    Ok(found)
}

/// All exclusions, those that are gone and still shown among them.
async fn all(cx: &Cx) -> Result<Arc<Vec<Said>>, ObserveError> {
    let client = cx.client(Client::new);
    let answer = cx
        .read(EXCLUSIONS, "", async {
            let (mut all, mut token) = (Vec::new(), None);
            loop {
                let request = client.describe_vpc_block_public_access_exclusions();
                let page = request.max_results(PAGE).set_next_token(token).send().await?;
                let Some(part) = page.vpc_block_public_access_exclusions else { return Ok(None) };
                all.extend(part);
                token = page.next_token.filter(|token| !token.is_empty());
                if token.is_none() {
                    return Ok(Some(Arc::new(all)));
                }
            }
        })
        .await?;
    told("VpcBlockPublicAccessExclusions", answer.as_ref().clone())
}

/// One exclusion; `None` of one that is gone.
fn exclusion(said: &Said, resource: &str) -> Result<Option<Excluded>, ObserveError> {
    let reason = || said.reason().filter(|reason| !reason.is_empty());
    let failed = |what: &str| Some(reason().map_or_else(|| what.to_owned(), str::to_owned));
    let problem = match told("State of an exclusion", said.state())? {
        ExclusionState::CreateComplete | ExclusionState::UpdateComplete => None,
        ExclusionState::CreateFailed => failed("create-failed"),
        ExclusionState::UpdateFailed => failed("update-failed"),
        ExclusionState::DeleteComplete | ExclusionState::DisableComplete => return Ok(None),
        ExclusionState::CreateInProgress => return Err(still(&format!("excluding {resource}"))),
        ExclusionState::UpdateInProgress => {
            return Err(still(&format!("changing the exclusion of {resource}")));
        }
        ExclusionState::DeleteInProgress | ExclusionState::DisableInProgress => {
            return Err(still(&format!("taking the exclusion of {resource} away")));
        }
        other => return Err(unknown("State of an exclusion", other.as_str())),
    };
    let mode =
        told("InternetGatewayExclusionMode", said.internet_gateway_exclusion_mode())?.as_str();
    let texts = |tag: &aws_sdk_ec2::types::Tag| {
        let key = told("Key of an exclusion's tag", tag.key())?;
        Ok::<_, ObserveError>((key.to_owned(), tag.value().unwrap_or_default().to_owned()))
    };
    let tags: Vec<_> = said.tags().iter().map(texts).collect::<Result<_, _>>()?;
    Ok(Some(Excluded {
        exclusion_id: told("ExclusionId", said.exclusion_id())?.to_owned(),
        internet_gateway_exclusion_mode: known("InternetGatewayExclusionMode", mode)?,
        tags: tags::collect(tags.iter().map(|(key, value)| (key.as_str(), value.as_str()))),
        problem,
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn said(state: &str) -> Result<Option<Excluded>, ObserveError> {
        let said = Said::builder()
            .exclusion_id("vpcbpa-exclude-1")
            .internet_gateway_exclusion_mode("allow-egress".into())
            .state(state.into())
            .build();
        exclusion(&said, "vpc-1")
    }

    #[test]
    fn what_aws_is_still_doing_and_words_of_later_are_unknown_and_what_is_gone_is_gone() {
        for state in ["create-complete", "update-complete"] {
            assert_eq!(said(state).unwrap().unwrap().problem, None, "{state}");
        }
        for state in ["create-failed", "update-failed"] {
            assert_eq!(said(state).unwrap().unwrap().problem.as_deref(), Some(state));
        }
        for state in ["delete-complete", "disable-complete"] {
            assert_eq!(said(state).unwrap(), None, "{state}");
        }
        for state in ["create-in-progress", "update-in-progress", "delete-in-progress", "asleep"] {
            assert!(said(state).is_err(), "{state}");
        }
    }

    #[test]
    fn whether_exclusions_are_left_to_the_account_is_told() {
        let allowed = |word: Option<&str>| {
            may_exclude(&Options::builder().set_exclusions_allowed(word.map(Into::into)).build())
        };
        assert!(allowed(Some("allowed")).unwrap() && !allowed(Some("not-allowed")).unwrap());
        assert!(allowed(Some("sometimes")).is_err() && allowed(None).is_err());
    }
}
