//! Reading what hides findings.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{self, FilterAction, FindingCriteria};

use super::spec::{Condition, Criteria, Spec, State, Trusted};
use crate::aws::Call;
use crate::kinds::guardduty::detector;
use crate::kinds::together::{all, together, when};
use crate::kinds::{Cx, ObserveError, told};

pub const FILTERS: Call = Call::new("guardduty", "ListFilters");
pub const FILTER: Call = Call::new("guardduty", "GetFilter");
pub const IP_SETS: Call = Call::new("guardduty", "ListIPSets");
pub const IP_SET: Call = Call::new("guardduty", "GetIPSet");
pub const ENTITY_SETS: Call = Call::new("guardduty", "ListTrustedEntitySets");
pub const ENTITY_SET: Call = Call::new("guardduty", "GetTrustedEntitySet");

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<State, ObserveError> {
    let Some(detector) = detector::id(cx).await? else {
        return Ok(State {
            filters: spec.allowed_filters.is_some().then(BTreeMap::new),
            ip_sets: spec.allowed_ip_sets.is_some().then(Vec::new),
            trusted_entity_sets: spec.allowed_trusted_entity_sets.is_some().then(Vec::new),
        });
    };
    let (filters, ip_sets, trusted_entity_sets) = together!(
        when(spec.allowed_filters.is_some(), filters(cx, &detector)),
        when(spec.allowed_ip_sets.is_some(), ip_sets(cx, &detector)),
        when(spec.allowed_trusted_entity_sets.is_some(), entity_sets(cx, &detector)),
    )?;
    Ok(State { filters, ip_sets, trusted_entity_sets })
}

/// The filters that archive.
async fn filters(cx: &Cx, detector: &str) -> Result<BTreeMap<String, Criteria>, ObserveError> {
    let pages = cx.client(Client::new).list_filters().detector_id(detector);
    let pages = pages.into_paginator().send();
    let names = cx.list(FILTERS, detector, pages, "filterNames", |page| page.filter_names).await?;
    let found = all(names.iter().map(|name| filter(cx, detector, name))).await?;
    Ok(found.into_iter().flatten().collect())
}

/// A filter with its criteria, if it archives.
async fn filter(
    cx: &Cx,
    detector: &str,
    name: &str,
) -> Result<Option<(String, Criteria)>, ObserveError> {
    let request = cx.client(Client::new).get_filter().detector_id(detector).filter_name(name);
    let answer = cx.read(FILTER, &format!("{detector} {name}"), request.send()).await?;
    match told("action", answer.action())? {
        FilterAction::Noop => Ok(None),
        FilterAction::Archive => {
            let criteria = criteria(told("findingCriteria", answer.finding_criteria())?)?;
            Ok(Some((name.to_owned(), criteria)))
        }
        other => Err(unknown("action", other.as_str())),
    }
}

fn unknown(field: &str, value: &str) -> ObserveError {
    ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
}

/// Criteria in one form: none at all is every finding.
pub fn criteria(said: &FindingCriteria) -> Result<Criteria, ObserveError> {
    let all = said.criterion().into_iter().flatten();
    all.map(|(attribute, said)| Ok((attribute.clone(), condition(attribute, said)?))).collect()
}

/// A condition, whose older names AWS still takes and tells (GuardDuty API Reference, `Condition`).
#[allow(deprecated)]
fn condition(attribute: &str, said: &types::Condition) -> Result<Condition, ObserveError> {
    let either = |new: &[String], old: &[String]| -> BTreeSet<String> {
        new.iter().chain(old).cloned().collect()
    };
    let condition = Condition {
        equals: either(said.equals(), said.eq()),
        not_equals: either(said.not_equals(), said.neq()),
        matches: either(said.matches(), &[]),
        not_matches: either(said.not_matches(), &[]),
        greater_than: said.greater_than().or(said.gt().map(i64::from)),
        greater_than_or_equal: said.greater_than_or_equal().or(said.gte().map(i64::from)),
        less_than: said.less_than().or(said.lt().map(i64::from)),
        less_than_or_equal: said.less_than_or_equal().or(said.lte().map(i64::from)),
    };
    match condition == Condition::default() {
        true => Err(ObserveError::Malformed {
            field: format!("findingCriteria.criterion.{attribute}"),
            problem: "nothing is known of its condition".to_owned(),
        }),
        false => Ok(condition),
    }
}

async fn ip_sets(cx: &Cx, detector: &str) -> Result<Vec<Trusted>, ObserveError> {
    let pages = cx.client(Client::new).list_ip_sets().detector_id(detector);
    let pages = pages.into_paginator().send();
    let ids = cx.list(IP_SETS, detector, pages, "ipSetIds", |page| page.ip_set_ids).await?;
    let each = ids.iter().map(|id| async move {
        let request = cx.client(Client::new).get_ip_set().detector_id(detector).ip_set_id(id);
        let answer = cx.read(IP_SET, &format!("{detector} {id}"), request.send()).await?;
        let status = answer.status().map(|one| one.as_str());
        trusted(answer.name(), answer.location(), status)
    });
    Ok(all(each).await?.into_iter().flatten().collect())
}

async fn entity_sets(cx: &Cx, detector: &str) -> Result<Vec<Trusted>, ObserveError> {
    let pages = cx.client(Client::new).list_trusted_entity_sets().detector_id(detector);
    let pages = pages.into_paginator().send();
    let ids = cx.list(ENTITY_SETS, detector, pages, "trustedEntitySetIds", |page| {
        page.trusted_entity_set_ids
    });
    let ids = ids.await?;
    let each = ids.iter().map(|id| async move {
        let request = cx.client(Client::new).get_trusted_entity_set();
        let request = request.detector_id(detector).trusted_entity_set_id(id);
        let answer = cx.read(ENTITY_SET, &format!("{detector} {id}"), request.send()).await?;
        let status = answer.status().map(|one| one.as_str());
        trusted(answer.name(), answer.location(), status)
    });
    Ok(all(each).await?.into_iter().flatten().collect())
}

/// A list, if it is in use: one that could not be read may still be, in the form that it had.
fn trusted(
    name: Option<&str>,
    location: Option<&str>,
    status: Option<&str>,
) -> Result<Option<Trusted>, ObserveError> {
    match told("status", status)? {
        "INACTIVE" | "DELETE_PENDING" | "DELETED" => Ok(None),
        "ACTIVATING" | "ACTIVE" | "DEACTIVATING" | "ERROR" => Ok(Some(Trusted {
            name: told("name", name)?.to_owned(),
            location: told("location", location)?.to_owned(),
        })),
        other => Err(unknown("status", other)),
    }
}
