//! What is scanned.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{AccountState, FailedAccount, ResourceScanType, State, Status};
use serde::{Deserialize, Serialize};

use super::spec::ResourceType;
use super::{DISABLE, ENABLE, Place, Scanning, Spec, cost};
use crate::aws::error::Detail;
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Made, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared,
};

pub const STATUS: Call = Call::new("inspector2", "BatchGetAccountStatus");
const NAME: &str = "resource_types";

pub struct Types;

/// How the scans of a type fare; a type that the Region lacks has none.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scans {
    Enabled,
    Disabled,
    Suspended,
}

/// Turns types on or off; off without any name turns all off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Enable(BTreeSet<ResourceType>),
    Disable(BTreeSet<ResourceType>),
}

impl Part for Types {
    type Of = Scanning;
    type Now = BTreeMap<ResourceType, Scans>;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::write_if(DISABLE, |spec| spec.exclusive == Some(true), everywhere),
        Use::undo(DISABLE, everywhere),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        Ok(scanned(cx).await?.unwrap_or_default())
    }

    fn diff(look: &Look<'_, Scanning>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        compared::mark("exclusive");
        // A new one is made with them.
        if look.is_new() {
            return Vec::new();
        }
        let mut changes = Vec::new();
        let declared = &look.spec.resource_types;
        let mut added = (BTreeSet::new(), Drift::new());
        for one in declared.iter().copied() {
            let field = format!("{NAME}.{}", one.as_str());
            match now.get(&one) {
                Some(Scans::Enabled) => {}
                Some(there) => {
                    added.1.add(&field, Some(there), Some(Scans::Enabled));
                    added.0.insert(one);
                }
                None => {
                    let mut drift = Drift::new();
                    drift.add(&field, None::<Scans>, Some(Scans::Enabled));
                    let words = "Inspector does not name it in this Region, which lacks it: leave it out here";
                    changes.push(Change::finding(drift).withhold(words));
                }
            }
        }
        if !added.0.is_empty() {
            let (types, drift) = added;
            let (words, charges) = cost(&types);
            let change = Change::new(Write::Enable(types), drift);
            changes.push(change.charged(&words, charges).independent());
        }
        if look.spec.exclusive == Some(true) {
            changes.extend(turned_off(declared, now));
        }
        changes
    }

    fn calls(write: &Write) -> Vec<Call> {
        vec![if matches!(write, Write::Enable(_)) { ENABLE } else { DISABLE }, STATUS]
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Enable(types) => make(cx, types).await.map(drop),
            Write::Disable(types) => {
                let request = cx.client(Client::new).disable().account_ids(cx.account.as_str());
                let request = request.set_resource_types(Some(sent(types)));
                let answer = cx.write(DISABLE, request.send()).await?;
                whole(cx, DISABLE, answer.failed_accounts())?;
                settled(cx).await
            }
        }
    }

    fn is_same(planned: &Write, now: &Write) -> bool {
        match (planned, now) {
            // Nothing named is everything.
            (Write::Disable(one), Write::Disable(other)) => {
                one == other || one.is_empty() || other.is_empty()
            }
            _ => planned == now,
        }
    }

    fn undo(write: &Write, before: &Self::Now) -> Undo<Write> {
        let is_on = |one: &ResourceType| before.get(one) == Some(&Scans::Enabled);
        // Nothing named is everything.
        let (back, turn): (BTreeSet<ResourceType>, fn(_) -> Write) = match write {
            Write::Enable(types) => {
                (types.iter().copied().filter(|one| !is_on(one)).collect(), Write::Disable)
            }
            Write::Disable(types) => {
                let all = before.keys().copied().filter(is_on);
                (all.filter(|one| types.is_empty() || types.contains(one)).collect(), Write::Enable)
            }
        };
        Undo::By(if back.is_empty() { Vec::new() } else { vec![turn(back)] })
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let on = now.iter().filter(|(_, scans)| **scans == Scans::Enabled);
        spec.resource_types = on.map(|(one, _)| *one).collect();
        spec.exclusive = Some(true);
    }
}

/// The change that turns off what is not declared.
fn turned_off(
    declared: &BTreeSet<ResourceType>,
    now: &BTreeMap<ResourceType, Scans>,
) -> Option<Change<Write>> {
    let mut drift = Drift::new();
    let mut types = BTreeSet::new();
    let others = now.iter().filter(|(one, _)| !declared.contains(one));
    for (one, there) in others.filter(|(_, scans)| **scans == Scans::Enabled) {
        drift.add(&format!("{NAME}.{}", one.as_str()), Some(there), Some(Scans::Disabled));
        types.insert(*one);
    }
    if types.is_empty() {
        return None;
    }
    let warning = "findings of what is no longer scanned are lost; they come back only as far as it is scanned anew";
    let change = Change::new(Write::Disable(types), drift);
    Some(change.risk(Risk::Destructive).warn(warning).independent())
}

/// Turns types on, and waits for it.
///
/// # Errors
/// What AWS answered, also inside an answer that says "done".
pub async fn make(cx: &WriteCx, types: &BTreeSet<ResourceType>) -> Result<Made, WriteError> {
    let request = cx.client(Client::new).enable().account_ids(cx.account.as_str());
    let request = request.set_resource_types(Some(sent(types)));
    let (answer, made) = cx.make(ENABLE, request.send()).await?;
    whole(cx, ENABLE, answer.failed_accounts())?;
    settled(cx).await?;
    Ok(made)
}

fn sent(types: &BTreeSet<ResourceType>) -> Vec<ResourceScanType> {
    types.iter().map(|one| ResourceScanType::from(one.as_str())).collect()
}

/// Nothing, where no account is among those that failed.
fn whole(cx: &WriteCx, call: Call, failed: &[FailedAccount]) -> Result<(), AwsError> {
    let counts = |one: &&FailedAccount| one.error_code().as_str() != "ALREADY_ENABLED";
    let Some(first) = failed.iter().find(counts) else { return Ok(()) };
    let code = first.error_code().as_str();
    Err(AwsError::new(Detail {
        account: Some(cx.account.clone()),
        region: cx.region.clone(),
        call,
        class: class(code, first.error_message()),
        message: format!("the account {}: {}", first.account_id(), first.error_message()),
        code: code.to_owned(),
        status: Some(200),
        request_id: None,
        after_loss: false,
    }))
}

/// What a code of a failed account comes to (Inspector API Reference, `FailedAccount`).
pub fn class(code: &str, message: &str) -> ErrorClass {
    match code {
        "ENABLE_IN_PROGRESS"
        | "DISABLE_IN_PROGRESS"
        | "SUSPEND_IN_PROGRESS"
        | "SSM_UNAVAILABLE"
        | "SSM_THROTTLED"
        | "EVENTBRIDGE_UNAVAILABLE"
        | "EVENTBRIDGE_THROTTLED" => ErrorClass::Settling,
        "ACCESS_DENIED" | "ACCOUNT_IS_ISOLATED" => ErrorClass::Blocked,
        "INTERNAL_ERROR" => ErrorClass::ServerFault,
        "EC2_SSM_RESOURCE_DATA_SYNC_LIMIT_EXCEEDED"
        | "EC2_SSM_ASSOCIATION_VERSION_LIMIT_EXCEEDED" => ErrorClass::Quota,
        other => ErrorClass::of(other, message, None),
    }
}

/// Waits until Inspector is neither turning anything on nor off, for about two minutes.
async fn settled(cx: &WriteCx) -> Result<(), WriteError> {
    let is_pending = |error: &ObserveError| matches!(error, ObserveError::Pending { .. });
    settle(is_pending, || async { scanned(&cx.afresh()).await.map(drop) }).await?;
    Ok(())
}

/// How the scans of each type fare; `None` where Inspector is off.
///
/// # Errors
/// Inspector did not say it, or is turning something on or off.
pub async fn scanned(cx: &Cx) -> Result<Option<BTreeMap<ResourceType, Scans>>, ObserveError> {
    let request = cx.client(Client::new).batch_get_account_status();
    let request = request.account_ids(cx.account.as_str());
    let answer = cx.read(STATUS, "", request.send()).await?;
    if let Some(failed) = answer.failed_accounts().first() {
        return Err(ObserveError::Unclear {
            reason: format!(
                "Inspector did not say how the account {} fares: {} ({})",
                failed.account_id(),
                failed.error_message(),
                failed.error_code().as_str()
            ),
            remedy: "run again; when it happens again, ask AWS".to_owned(),
        });
    }
    match answer.accounts() {
        [account] if account.account_id() == cx.account.as_str() => of(account),
        others => Err(ObserveError::Malformed {
            field: "accounts".to_owned(),
            problem: format!("{} was asked for, and there are {}", cx.account, others.len()),
        }),
    }
}

fn of(account: &AccountState) -> Result<Option<BTreeMap<ResourceType, Scans>>, ObserveError> {
    let untold = |field: &str| ObserveError::Untold { field: field.to_owned() };
    let whole = account.state().ok_or_else(|| untold("state"))?;
    let each = account.resource_state().ok_or_else(|| untold("resourceState"))?;
    let mut scans = BTreeMap::new();
    // The names of the types here are others than those that are sent.
    let named = [
        (ResourceType::Ec2, "ec2", Some(each.ec2().ok_or_else(|| untold("resourceState.ec2"))?)),
        (ResourceType::Ecr, "ecr", Some(each.ecr().ok_or_else(|| untold("resourceState.ecr"))?)),
        (ResourceType::Lambda, "lambda", each.lambda()),
        (ResourceType::LambdaCode, "lambdaCode", each.lambda_code()),
        (ResourceType::CodeRepository, "codeRepository", each.code_repository()),
    ];
    for (one, name, state) in named {
        if let Some(state) = state {
            scans.insert(one, fares(&format!("resourceState.{name}.status"), state)?);
        }
    }
    let is_on = fares("state.status", whole)? != Scans::Disabled;
    if !is_on && scans.values().any(|scans| *scans != Scans::Disabled) {
        return Err(ObserveError::Malformed {
            field: "state.status".to_owned(),
            problem: "Inspector is off, and scans something".to_owned(),
        });
    }
    Ok(is_on.then_some(scans))
}

fn fares(field: &str, state: &State) -> Result<Scans, ObserveError> {
    match state.status() {
        Status::Enabled => Ok(Scans::Enabled),
        Status::Disabled => Ok(Scans::Disabled),
        Status::Suspended => Ok(Scans::Suspended),
        Status::Enabling | Status::Disabling | Status::Suspending => Err(ObserveError::Pending {
            reason: format!("Inspector is still working: {field} is {}", state.status().as_str()),
            remedy: "run again in a few minutes".to_owned(),
        }),
        other => Err(ObserveError::UnknownValue {
            field: field.to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}
