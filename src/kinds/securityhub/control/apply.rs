//! Switching controls on and off, and giving them values.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AssociationStatus, ParameterConfiguration, ParameterValue, ParameterValueType,
    SecurityControlDefinition, StandardsControlAssociationUpdate,
};

use super::observe::{definitions, usable};
use super::spec::{Action, Parameter, Status, ValueType};
use super::{PARAMETERS, SET};
use crate::aws::AwsError;
use crate::kinds::securityhub::standards;
use crate::kinds::{WriteCx, WriteError};

pub async fn write(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    match action {
        Action::Set { control, status, updated_reason, standards } => {
            set(cx, control, (*status, updated_reason.as_deref()), standards).await
        }
        Action::Parameters { control, parameters, last_update_reason } => {
            let each = parameters.iter().map(|(name, one)| Ok((name.clone(), sent(one.as_ref())?)));
            let request = cx
                .client(Client::new)
                .update_security_control()
                .security_control_id(control)
                .set_parameters(Some(each.collect::<Result<_, WriteError>>()?))
                .set_last_update_reason(last_update_reason.clone());
            cx.send(PARAMETERS, request.send()).await
        }
    }
}

async fn set(
    cx: &WriteCx,
    control: &str,
    (status, reason): (Status, Option<&str>),
    standards: &BTreeSet<String>,
) -> Result<(), WriteError> {
    let arns = arns(cx, control, standards).await?;
    // Where no standard has it, none has it off.
    if arns.is_empty() && status == Status::Enabled {
        return Ok(());
    }
    if arns.is_empty() {
        return Err(WriteError::Changed(format!("no standard that is on here has {control}")));
    }
    let updates = arns.into_iter().map(|arn| {
        StandardsControlAssociationUpdate::builder()
            .standards_arn(arn)
            .security_control_id(control)
            .association_status(AssociationStatus::from(status.as_str()))
            .set_updated_reason(reason.map(str::to_owned))
            .build()
    });
    let request = cx
        .client(Client::new)
        .batch_update_standards_control_associations()
        .set_standards_control_association_updates(Some(updates.collect()));
    let answer = cx.write(SET, request.send()).await?;
    // A success may hold a failure.
    let Some(failed) = answer.unprocessed_association_updates().first() else { return Ok(()) };
    let update = failed.standards_control_association_update();
    let standard = update.and_then(|one| one.standards_arn()).unwrap_or("a standard");
    let code = failed.error_code().map_or("no code", |code| code.as_str());
    let why = failed.error_reason().unwrap_or("it gives no reason");
    let problem = format!("AWS failed with {control} of {standard}: {code}: {why}");
    Err(AwsError::malformed(&cx.region, SET, &problem).into())
}

/// The ARNs of standards by name; of all that are on and have the control, where none are named.
async fn arns(
    cx: &WriteCx,
    control: &str,
    named: &BTreeSet<String>,
) -> Result<Vec<String>, WriteError> {
    let on: BTreeMap<String, String> = usable(&standards::subscriptions(&cx.afresh()).await?)?;
    if !named.is_empty() {
        let arn = |name: &String| {
            on.get(name).cloned().ok_or_else(|| {
                WriteError::Changed(format!(
                    "{name} is not on here: turn it on with securityhub.standards, or leave it out"
                ))
            })
        };
        return named.iter().map(arn).collect();
    }
    let mut arns = Vec::new();
    for (name, arn) in on {
        let has = |one: &SecurityControlDefinition| one.security_control_id() == Some(control);
        if definitions(cx, &name, &arn).await?.iter().any(has) {
            arns.push(arn);
        }
    }
    Ok(arns)
}

/// A value as it is sent; AWS's own where there is none.
fn sent(parameter: Option<&Parameter>) -> Result<ParameterConfiguration, WriteError> {
    let of = |of_type: ValueType| {
        let of_type = ParameterValueType::from(of_type.as_str());
        ParameterConfiguration::builder().value_type(of_type)
    };
    let Some(parameter) = parameter else { return Ok(of(ValueType::Default).build()) };
    let Parameter { boolean, double, word, enum_list, integer, .. } = parameter.clone();
    let Parameter { integer_list, string, string_list, .. } = parameter.clone();
    let list = |set: BTreeSet<String>| set.into_iter().collect();
    let value = boolean
        .map(ParameterValue::Boolean)
        .or(double.map(ParameterValue::Double))
        .or(word.map(ParameterValue::Enum))
        .or(enum_list.map(|all| ParameterValue::EnumList(list(all))))
        .or(integer.map(ParameterValue::Integer))
        .or(integer_list.map(|all| ParameterValue::IntegerList(all.into_iter().collect())))
        .or(string.map(ParameterValue::String))
        .or(string_list.map(|all| ParameterValue::StringList(list(all))));
    let missing = || WriteError::Unsendable("a parameter has no value".to_owned());
    Ok(of(ValueType::Custom).value(value.ok_or_else(missing)?).build())
}
