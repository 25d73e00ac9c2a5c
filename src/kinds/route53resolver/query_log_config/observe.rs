//! Reading query logging: two lists for a Region, however many configurations and VPCs there are.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_route53resolver::Client;
use aws_sdk_route53resolver::types::{
    ResolverQueryLogConfig as Said, ResolverQueryLogConfigAssociation as Association,
    ResolverQueryLogConfigAssociationError as Fault,
    ResolverQueryLogConfigAssociationStatus as AssociationStatus,
    ResolverQueryLogConfigStatus as ConfigStatus,
};

use super::spec::{Associated, Config, Spec, Standing, State};
use crate::aws::Call;
use crate::kinds::ec2::flow_logs::spec::place;
use crate::kinds::ec2::vpcs;
use crate::kinds::shapes::sweep::is_left_out;
use crate::kinds::spec::found;
use crate::kinds::tags::{self, Tags};
use crate::kinds::together::{together, when};
use crate::kinds::{Cx, Facts, Found, Object, ObserveError, told};

pub const CONFIGS: Call = Call::new("route53resolver", "ListResolverQueryLogConfigs");
pub const ASSOCIATIONS: Call =
    Call::new("route53resolver", "ListResolverQueryLogConfigAssociations");
pub const TAGS: Call = Call::new("route53resolver", "ListTagsForResource");

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Object<State>, ObserveError> {
    let (configs, associations, vpcs) =
        together!(configs(cx), associations(cx), when(spec.vpcs.is_some(), standings(cx, spec)),)?;
    let Some(said) = named(&configs, cx, &spec.name)? else {
        return Ok(Object::present(&spec.name, State { config: None, vpcs }));
    };
    let owner = told("OwnerId", said.owner_id())?;
    let config_id = told("Id", said.id())?.to_owned();
    let is_own = owner == cx.account.as_str();
    let config = Config {
        destination_arn: place(told("DestinationArn", said.destination_arn())?).to_owned(),
        problem: problem_of_config(said)?,
        associated: associated(&associations, &config_id)?,
        // Those of another account only that account sees.
        tags: if is_own { tags_of(cx, &config_id).await? } else { Tags::new() },
        config_id,
    };
    let object = Object::present(&spec.name, State { config: Some(config), vpcs });
    Ok(match is_own {
        true => object,
        false => object.managed_by(format!("account {owner}, which shares it")),
    })
}

/// The names of the account's own configurations.
pub async fn found_all(cx: &Cx) -> Result<Vec<Found>, ObserveError> {
    let all = configs(cx).await?;
    let own = all.iter().filter(|one| one.owner_id() == Some(cx.account.as_str()));
    let names: BTreeSet<&str> = own.filter_map(Said::name).collect();
    Ok(names.into_iter().map(|name| found([("name", name.to_owned())])).collect())
}

/// All configurations of the Region, those that others share among them.
pub async fn configs(cx: &Cx) -> Result<Arc<Vec<Said>>, ObserveError> {
    let pages = cx.client(Client::new).list_resolver_query_log_configs().into_paginator().send();
    let part = |page: aws_sdk_route53resolver::operation::list_resolver_query_log_configs::ListResolverQueryLogConfigsOutput| {
        page.resolver_query_log_configs
    };
    Ok(cx.list(CONFIGS, "", pages, "ResolverQueryLogConfigs", part).await?)
}

/// All associations of the Region.
pub async fn associations(cx: &Cx) -> Result<Arc<Vec<Association>>, ObserveError> {
    let request = cx.client(Client::new).list_resolver_query_log_config_associations();
    let part = |page: aws_sdk_route53resolver::operation::list_resolver_query_log_config_associations::ListResolverQueryLogConfigAssociationsOutput| {
        page.resolver_query_log_config_associations
    };
    let pages = request.into_paginator().send();
    Ok(cx.list(ASSOCIATIONS, "", pages, "ResolverQueryLogConfigAssociations", part).await?)
}

/// The one configuration of a name; the account's own, where others share one of the same name.
pub fn named<'a>(
    all: &'a [Said],
    facts: &Facts,
    name: &str,
) -> Result<Option<&'a Said>, ObserveError> {
    let mut same: BTreeMap<&str, &Said> = BTreeMap::new();
    for one in all {
        // A list may show one on two of its pages.
        if told("Name", one.name())? == name {
            same.insert(told("Id", one.id())?, one);
        }
    }
    let is_own = |one: &&Said| one.owner_id() == Some(facts.account.as_str());
    if same.values().any(is_own) {
        same.retain(|_, one| is_own(&&**one));
    }
    match same.len() {
        0 | 1 => Ok(same.into_values().next()),
        more => Err(ObserveError::Unclear {
            reason: format!(
                "{more} query logging configurations are named {name:?}, and nothing says which one is meant"
            ),
            remedy: "look at them in Route 53's console, and delete all but one".to_owned(),
        }),
    }
}

/// The tags of a configuration of this account.
async fn tags_of(cx: &Cx, config_id: &str) -> Result<Tags, ObserveError> {
    let request = cx.client(Client::new).list_tags_for_resource().resource_arn(arn(cx, config_id));
    let pages = request.into_paginator().send();
    let all = cx.list(TAGS, config_id, pages, "Tags", |page| page.tags).await?;
    Ok(tags::collect(all.iter().map(|tag| (tag.key(), tag.value()))))
}

/// Source: Service Authorization Reference, "Amazon Route 53 Resolver".
pub fn arn(facts: &Facts, config_id: &str) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!(
        "arn:{partition}:route53resolver:{region}:{account}:resolver-query-log-config/{config_id}"
    )
}

fn still(what: &str) -> ObserveError {
    ObserveError::Pending {
        reason: format!("Route 53 Resolver is still {what}"),
        remedy: "run again in a few minutes".to_owned(),
    }
}

/// How a configuration fares, where it does not work.
pub fn problem_of_config(said: &Said) -> Result<Option<String>, ObserveError> {
    match told("Status", said.status())? {
        ConfigStatus::Created => Ok(None),
        ConfigStatus::Failed => Ok(Some("FAILED".to_owned())),
        ConfigStatus::Creating => Err(still("making the configuration")),
        ConfigStatus::Deleting => Err(still("deleting the configuration")),
        other => Err(ObserveError::UnknownValue {
            field: "Status of a configuration".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}

/// The VPCs of a configuration.
pub fn associated(
    all: &[Association],
    config_id: &str,
) -> Result<BTreeMap<String, Associated>, ObserveError> {
    let mut found = BTreeMap::new();
    for one in all {
        if told("ResolverQueryLogConfigId", one.resolver_query_log_config_id())? == config_id {
            let vpc = told("ResourceId", one.resource_id())?;
            found.insert(vpc.to_owned(), Associated { problem: problem(one, vpc)? });
        }
    }
    Ok(found)
}

fn problem(one: &Association, vpc: &str) -> Result<Option<String>, ObserveError> {
    let unknown = |field: &str, value: &str| ObserveError::UnknownValue {
        field: format!("{field} of an association"),
        value: value.to_owned(),
    };
    let status = told("Status of an association", one.status())?;
    let is_well = match status {
        AssociationStatus::Active => true,
        AssociationStatus::ActionNeeded | AssociationStatus::Failed => false,
        AssociationStatus::Creating => return Err(still(&format!("associating {vpc}"))),
        AssociationStatus::Deleting => return Err(still(&format!("disassociating {vpc}"))),
        other => return Err(unknown("Status", other.as_str())),
    };
    let fault = match one.error() {
        None | Some(Fault::None) => None,
        Some(
            known
            @ (Fault::AccessDenied | Fault::DestinationNotFound | Fault::InternalServiceError),
        ) => Some(known.as_str()),
        Some(other) => return Err(unknown("Error", other.as_str())),
    };
    if is_well && fault.is_none() {
        return Ok(None);
    }
    let message = one.error_message().filter(|message| !message.is_empty());
    let words: Vec<&str> = [Some(status.as_str()), fault, message].into_iter().flatten().collect();
    Ok(Some(words.join(", ")))
}

/// The VPCs of the Region, and how each stands to what is declared.
async fn standings(cx: &Cx, spec: &Spec) -> Result<BTreeMap<String, Standing>, ObserveError> {
    let mut standings = BTreeMap::new();
    for vpc in vpcs::all(cx).await?.iter() {
        let id = told("VpcId", vpc.vpc_id())?;
        let mut standing = match vpcs::shared_by(cx, vpc)? {
            Some(_) => Standing::Shared,
            None => Standing::Own,
        };
        let tags = vpcs::tags(vpc)?;
        for (entry, excluded) in spec.exclude.iter().flatten().enumerate() {
            if is_left_out(vpcs::ways(excluded, id), &cx.account, &tags) {
                cx.note_left_out(entry);
                standing = Standing::LeftOut;
            }
        }
        standings.insert(id.to_owned(), standing);
    }
    Ok(standings)
}
