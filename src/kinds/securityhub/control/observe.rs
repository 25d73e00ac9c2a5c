//! Reading which controls are on, and with which values they are checked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::operation::batch_get_security_controls::BatchGetSecurityControlsOutput;
use aws_sdk_securityhub::types::{
    ParameterConfiguration, ParameterValue, RegionAvailabilityStatus, SecurityControl,
    SecurityControlDefinition, SecurityControlProperty, StandardsControlAssociationDetail,
    StandardsControlAssociationId, StandardsControlsUpdatable, StandardsStatus,
    StandardsSubscription, UnprocessedErrorCode,
};

use super::spec::{Association, Control, Parameter, Spec, State, ValueType};
use crate::aws::Call;
use crate::kinds::securityhub::{administrator, described, standards};
use crate::kinds::together::{all, together};
use crate::kinds::{Cx, Object, ObserveError, known, told};

pub const DEFINITIONS: Call = Call::new("securityhub", "ListSecurityControlDefinitions");
pub const ASSOCIATIONS: Call = Call::new("securityhub", "BatchGetStandardsControlAssociations");
pub const CONTROLS: Call = Call::new("securityhub", "BatchGetSecurityControls");
/// How many a batch has at most (Security Hub API Reference).
const MOST: usize = 100;
/// How many a page has at most (Security Hub API Reference, `ListSecurityControlDefinitions`).
const PAGE: i32 = 100;

pub async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
    if described(cx).await?.is_none() {
        return Ok(vec![Object::present("", State::default())]);
    }
    let (administrator, subscriptions) =
        together!(administrator::of(cx), standards::subscriptions(cx))?;
    let standards = usable(&subscriptions)?;
    let defined = all(standards.iter().map(|(name, arn)| definitions(cx, name, arn))).await?;
    let mut state =
        State { is_on: true, standards: standards.keys().cloned().collect(), ..State::default() };
    let is_asked = |id: &str| spec.is_exclusive() || spec.controls.contains_key(id);
    let (mut pairs, mut customizable) = (Vec::new(), BTreeSet::new());
    for ((name, arn), defined) in standards.iter().zip(&defined) {
        for one in defined.iter() {
            let id =
                told("SecurityControlDefinitions.SecurityControlId", one.security_control_id())?;
            if !is_asked(id) {
                continue;
            }
            if is_available(one)? {
                pairs.push((name.as_str(), arn.as_str(), id));
            } else if spec.controls.contains_key(id) {
                state.unavailable.insert(id.to_owned());
            }
            if is_customizable(one)? {
                customizable.insert(id);
            }
        }
    }
    let declared = spec.controls.keys().map(String::as_str);
    let asked: Vec<&str> =
        BTreeSet::from_iter(declared.chain(customizable.iter().copied())).into_iter().collect();
    let (associated, said) = together!(
        all(pairs
            .chunk_by(|one, other| one.0 == other.0)
            .flat_map(|of| of.chunks(MOST))
            .map(|pairs| associations(cx, pairs))),
        all(asked.chunks(MOST).map(|ids| controls(cx, ids))),
    )?;
    for (standard, id, association) in associated.into_iter().flatten() {
        state.controls.entry(id).or_default().associations.insert(standard, association);
    }
    for answer in &said {
        for one in answer.security_controls() {
            add(&mut state, one, spec, &customizable)?;
        }
        state.unknown.extend(unknown(answer)?);
    }
    state.unknown.retain(|id| spec.controls.contains_key(id));
    state.controls.retain(|id, one| spec.controls.contains_key(id) || !one.is_usual());
    let object = Object::present("", state);
    Ok(vec![administrator::govern(object, administrator.as_deref(), spec.under_administrator)])
}

/// The standards that are on and whose controls can be told and changed, by name, with their ARNs.
///
/// # Errors
/// AWS is still turning one on.
pub fn usable(
    subscriptions: &[StandardsSubscription],
) -> Result<BTreeMap<String, String>, ObserveError> {
    let mut usable = BTreeMap::new();
    for one in subscriptions.iter().filter(|one| standards::is_of_aws(one.provider())) {
        let name = standards::standard_of(one)?;
        let is_on = match told("StandardsStatus", one.standards_status())? {
            StandardsStatus::Ready | StandardsStatus::Incomplete => true,
            StandardsStatus::Pending => false,
            StandardsStatus::Deleting | StandardsStatus::Failed => continue,
            other => return Err(of_later("StandardsStatus", other.as_str())),
        };
        if standards::is_of_another_service(name) {
            continue;
        }
        let is_ready = match one.standards_controls_updatable() {
            Some(StandardsControlsUpdatable::ReadyForUpdates) => true,
            Some(StandardsControlsUpdatable::NotReadyForUpdates) => false,
            // An older answer has no such member.
            None => is_on,
            Some(other) => return Err(of_later("StandardsControlsUpdatable", other.as_str())),
        };
        if !is_ready {
            return Err(ObserveError::Pending {
                reason: format!(
                    "AWS is still turning {name} on, and does not show its controls yet"
                ),
                remedy: "run again in a few minutes".to_owned(),
            });
        }
        usable.insert(name.to_owned(), told("StandardsArn", one.standards_arn())?.to_owned());
    }
    Ok(usable)
}

/// The controls that a standard has, by its name and ARN.
pub async fn definitions(
    cx: &Cx,
    name: &str,
    arn: &str,
) -> Result<Arc<Vec<SecurityControlDefinition>>, ObserveError> {
    let pages = cx.client(Client::new).list_security_control_definitions().standards_arn(arn);
    let pages = pages.max_results(PAGE).into_paginator().send();
    let part = |page: aws_sdk_securityhub::operation::list_security_control_definitions::ListSecurityControlDefinitionsOutput| {
        page.security_control_definitions
    };
    Ok(cx.list(DEFINITIONS, name, pages, "SecurityControlDefinitions", part).await?)
}

fn is_available(one: &SecurityControlDefinition) -> Result<bool, ObserveError> {
    match told("CurrentRegionAvailability", one.current_region_availability())? {
        RegionAvailabilityStatus::Available => Ok(true),
        RegionAvailabilityStatus::Unavailable => Ok(false),
        other => Err(of_later("CurrentRegionAvailability", other.as_str())),
    }
}

/// Whether the values with which a control is checked can be chosen.
fn is_customizable(one: &SecurityControlDefinition) -> Result<bool, ObserveError> {
    let properties = told("CustomizableProperties", one.customizable_properties.as_ref())?;
    if let Some(other) = properties.iter().find(|one| **one != SecurityControlProperty::Parameters)
    {
        return Err(of_later("CustomizableProperties", other.as_str()));
    }
    Ok(!properties.is_empty())
}

fn of_later(field: &str, value: &str) -> ObserveError {
    ObserveError::UnknownValue { field: field.to_owned(), value: value.to_owned() }
}

/// What controls are in a standard, by its name and ARN, asked for in one batch.
async fn associations(
    cx: &Cx,
    pairs: &[(&str, &str, &str)],
) -> Result<Vec<(String, String, Association)>, ObserveError> {
    let asked = pairs.iter().map(|(_, arn, id)| {
        StandardsControlAssociationId::builder()
            .standards_arn(*arn)
            .security_control_id(*id)
            .build()
    });
    let request = cx
        .client(Client::new)
        .batch_get_standards_control_associations()
        .set_standards_control_association_ids(Some(asked.collect()));
    let standard = pairs.first().map_or("", |(name, ..)| *name);
    let ids: Vec<&str> = pairs.iter().map(|(.., id)| *id).collect();
    let arguments = format!("{standard} {}", ids.join(","));
    let answer = cx.read(ASSOCIATIONS, &arguments, request.send()).await?;
    if let Some(one) = answer.unprocessed_associations().first() {
        return Err(ObserveError::Malformed {
            field: "UnprocessedAssociations".to_owned(),
            problem: one.error_reason().unwrap_or("a control of a standard is not told").to_owned(),
        });
    }
    let details = answer.standards_control_association_details();
    let each = pairs.iter().map(|(name, arn, id)| {
        let is_it = |one: &&StandardsControlAssociationDetail| {
            one.standards_arn() == Some(*arn) && one.security_control_id() == Some(*id)
        };
        let one = told("StandardsControlAssociationDetails", details.iter().find(is_it))?;
        let status = told("AssociationStatus", one.association_status())?;
        let association = Association {
            status: known("AssociationStatus", status.as_str())?,
            updated_reason: one.updated_reason().map(str::to_owned),
        };
        Ok(((*name).to_owned(), (*id).to_owned(), association))
    });
    each.collect()
}

/// Controls across the standards, asked for in one batch.
async fn controls(
    cx: &Cx,
    ids: &[&str],
) -> Result<Arc<BatchGetSecurityControlsOutput>, ObserveError> {
    let request = cx
        .client(Client::new)
        .batch_get_security_controls()
        .set_security_control_ids(Some(ids.iter().map(|&id| id.to_owned()).collect()));
    let answer = cx.read(CONTROLS, &ids.join(","), request.send()).await?;
    for &id in ids {
        let is_told =
            answer.security_controls().iter().any(|one| one.security_control_id() == Some(id));
        let is_left =
            answer.unprocessed_ids().iter().any(|one| one.security_control_id() == Some(id));
        told("SecurityControls", (is_told || is_left).then_some(()))?;
    }
    Ok(answer)
}

/// Those of a batch that Security Hub does not have.
fn unknown(answer: &BatchGetSecurityControlsOutput) -> Result<Vec<String>, ObserveError> {
    let each = answer.unprocessed_ids().iter().map(|one| {
        let id = told("UnprocessedIds.SecurityControlId", one.security_control_id())?;
        match told("UnprocessedIds.ErrorCode", one.error_code())? {
            UnprocessedErrorCode::NotFound | UnprocessedErrorCode::ResourceNotFound => {
                Ok(id.to_owned())
            }
            other => Err(ObserveError::Malformed {
                field: "UnprocessedIds".to_owned(),
                problem: format!("{id} is not told ({})", other.as_str()),
            }),
        }
    });
    each.collect()
}

/// Adds the values of a control that are not AWS's own. Of one whose values can be chosen AWS tells all, and of any
/// other none.
fn add(
    state: &mut State,
    said: &SecurityControl,
    spec: &Spec,
    customizable: &BTreeSet<&str>,
) -> Result<(), ObserveError> {
    let id = told("SecurityControls.SecurityControlId", said.security_control_id())?;
    let told_of = said.parameters();
    if customizable.contains(id) {
        told("SecurityControls.Parameters", told_of)?;
    }
    let wanted = spec.controls.get(id).and_then(|one| one.parameters.as_ref());
    for name in wanted.into_iter().flat_map(BTreeMap::keys) {
        let field = format!("Parameters.{name} of {id}");
        told(&field, told_of.and_then(|all| all.get(name)))?;
    }
    let mut parameters = BTreeMap::new();
    for (name, one) in told_of.into_iter().flatten() {
        if let Some(value) = parameter(name, one)? {
            parameters.insert(name.clone(), value);
        }
    }
    let there: &mut Control = state.controls.entry(id.to_owned()).or_default();
    there.parameters = parameters;
    there.last_update_reason = said.last_update_reason().map(str::to_owned);
    Ok(())
}

/// A value of one's own; `None` where it is AWS's.
fn parameter(name: &str, said: &ParameterConfiguration) -> Result<Option<Parameter>, ObserveError> {
    let field = |member: &str| format!("Parameters.{name}.{member}");
    let of_type = told(&field("ValueType"), said.value_type())?.as_str();
    if known::<ValueType>(&field("ValueType"), of_type)? == ValueType::Default {
        return Ok(None);
    }
    let set = |list: &[String]| Some(list.iter().cloned().collect());
    let none = Parameter::default();
    Ok(Some(match told(&field("Value"), said.value())? {
        ParameterValue::Boolean(value) => Parameter { boolean: Some(*value), ..none },
        ParameterValue::Double(value) => Parameter { double: Some(*value), ..none },
        ParameterValue::Enum(value) => Parameter { word: Some(value.clone()), ..none },
        ParameterValue::EnumList(value) => Parameter { enum_list: set(value), ..none },
        ParameterValue::Integer(value) => Parameter { integer: Some(*value), ..none },
        ParameterValue::IntegerList(value) => {
            Parameter { integer_list: Some(value.iter().copied().collect()), ..none }
        }
        ParameterValue::String(value) => Parameter { string: Some(value.clone()), ..none },
        ParameterValue::StringList(value) => Parameter { string_list: set(value), ..none },
        _ => {
            return Err(ObserveError::UnknownValue {
                field: field("Value"),
                value: "a value of a later sort".to_owned(),
            });
        }
    }))
}
