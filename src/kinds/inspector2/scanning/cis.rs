//! Scans against the benchmarks of CIS.

mod schedule;

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{
    CisScanConfiguration, CisSecurityLevel, CreateCisTargets, UpdateCisTargets,
};
use serde::{Deserialize, Serialize};

use super::spec::CisScan;
use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Allowed, Arns, Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared,
    known, told,
};

const LIST: Call = Call::new("inspector2", "ListCisScanConfigurations");
const CREATE: Call = Call::new("inspector2", "CreateCisScanConfiguration");
const UPDATE: Call = Call::new("inspector2", "UpdateCisScanConfiguration");
const DELETE: Call = Call::new("inspector2", "DeleteCisScanConfiguration");
const NAME: &str = "cis_scans";
/// The own account, in requests.
const SELF: &str = "SELF";

pub struct CisScans;

/// A scan that is there, of which Inspector may have several with one name.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct There {
    pub scan_configuration_arn: String,
    /// `None` for one that is made once, which nobody declares.
    #[serde(default)]
    pub scan: Option<CisScan>,
    /// Whether it is of this account, and of no other.
    pub is_own: bool,
}

/// A scan, by its name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct One {
    pub name: String,
    pub scan: CisScan,
}

/// Deleting is only the way back from making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Create(One),
    Update(One),
    Delete(One),
}

impl Part for CisScans {
    type Of = Scanning;
    type Now = BTreeMap<String, Vec<There>>;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(LIST, Self::is_declared),
        Use::write_if(CREATE, has_scans, scans),
        Use::write_if(UPDATE, has_scans, scans),
        Use::undo(DELETE, scans),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.cis_scans.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        there(cx).await
    }

    fn diff(look: &Look<'_, Scanning>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        let declared = look.spec.cis_scans.iter().flatten();
        let there = |name: &str| now.get(name).map_or(&[][..], Vec::as_slice);
        declared.filter_map(|(name, wanted)| changed(look, name, wanted, there(name))).collect()
    }

    fn calls(write: &Write) -> Vec<Call> {
        match write {
            Write::Create(_) => vec![CREATE, LIST],
            Write::Update(_) => vec![UPDATE, LIST],
            Write::Delete(_) => vec![DELETE, LIST],
        }
    }

    async fn write(cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match write {
            Write::Create(one) => create(cx, one).await,
            Write::Update(One { name, scan }) => {
                let targets = UpdateCisTargets::builder()
                    .account_ids(SELF)
                    .set_target_resource_tags(Some(tags(scan)))
                    .build();
                let request = cx
                    .client(Client::new)
                    .update_cis_scan_configuration()
                    .scan_configuration_arn(only(cx, name).await?)
                    .security_level(CisSecurityLevel::from(scan.security_level.as_str()))
                    .schedule(schedule::sent(&scan.schedule)?)
                    .targets(targets);
                cx.send(UPDATE, request.send()).await
            }
            Write::Delete(One { name, .. }) => {
                let request = cx.client(Client::new).delete_cis_scan_configuration();
                let request = request.scan_configuration_arn(only(cx, name).await?);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Self::Now) -> Undo<Write> {
        match write {
            Write::Create(one) => Undo::By(vec![Write::Delete(one.clone())]),
            Write::Delete(one) => Undo::By(vec![Write::Create(one.clone())]),
            Write::Update(One { name, .. }) => match before.get(name).map(Vec::as_slice) {
                Some([There { scan: Some(scan), is_own: true, .. }]) => {
                    let former = One { name: name.clone(), scan: scan.clone() };
                    Undo::By(vec![Write::Update(former)])
                }
                _ => Undo::Impossible(
                    "it was of other accounts, or made once, which evenkeel does not write"
                        .to_owned(),
                ),
            },
        }
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let single = now.iter().filter_map(|(name, there)| match there.as_slice() {
            [There { scan: Some(scan), is_own: true, .. }] => Some((name.clone(), scan.clone())),
            _ => None,
        });
        let single: BTreeMap<_, _> = single.collect();
        spec.cis_scans = Some(single).filter(|single| !single.is_empty());
    }
}

/// The change of a declared scan.
fn changed(
    look: &Look<'_, Scanning>,
    name: &str,
    wanted: &CisScan,
    there: &[There],
) -> Option<Change<Write>> {
    let field = format!("{NAME}.{name}");
    let one = One { name: name.to_owned(), scan: wanted.clone() };
    let mut drift = Drift::new();
    match there {
        [] => {
            drift.add(&field, None::<&str>, Some(wanted));
            let change = Change::new(Write::Create(one), drift)
                .warn("AWS charges for each scan of an instance");
            Some(if look.is_new() { change } else { change.independent() })
        }
        [now] => {
            let of = |what: &str| format!("{field}.{what}");
            let scan = now.scan.as_ref();
            let level = scan.map(|scan| scan.security_level);
            drift.compare(&of("security_level"), level.as_ref(), Some(&wanted.security_level));
            let schedule = scan.map(|scan| &scan.schedule);
            drift.compare(&of("schedule"), schedule, Some(&wanted.schedule));
            let tags = scan.map(|scan| &scan.target_resource_tags);
            let there = Some(&wanted.target_resource_tags);
            drift.compare(&of("target_resource_tags"), tags, there);
            if !now.is_own {
                drift.add(&of("accounts"), Some("others too"), Some("this account"));
            }
            let change = || Change::new(Write::Update(one), drift.clone()).independent();
            (!drift.is_empty()).then(change)
        }
        more => {
            drift.add(&field, Some(more.len()), Some(1));
            let words = format!("{} scans have this name: delete all but one", more.len());
            Some(Change::finding(drift).withhold(words))
        }
    }
}

/// All scans, by name.
async fn there(cx: &Cx) -> Result<BTreeMap<String, Vec<There>>, ObserveError> {
    let pages = cx.client(Client::new).list_cis_scan_configurations().into_paginator().send();
    let listed =
        cx.list(LIST, "", pages, "scanConfigurations", |page| page.scan_configurations).await?;
    let mut found: BTreeMap<String, Vec<There>> = BTreeMap::new();
    for one in listed.iter() {
        let name = told("scanName", one.scan_name())?;
        let alike = found.entry(name.to_owned()).or_default();
        // A list may show one on two of its pages.
        if alike.iter().all(|there| there.scan_configuration_arn != one.scan_configuration_arn()) {
            alike.push(read(cx, one)?);
        }
    }
    Ok(found)
}

fn read(cx: &Cx, said: &CisScanConfiguration) -> Result<There, ObserveError> {
    let targets = told("targets", said.targets())?;
    let accounts = told("targets.accountIds", targets.account_ids.as_ref())?;
    let is_own = accounts.iter().all(|one| one == SELF || one == cx.account.as_str());
    let tags = told("targets.targetResourceTags", targets.target_resource_tags())?.iter();
    let tags = tags.map(|(key, values)| (key.clone(), values.iter().cloned().collect()));
    let level = told("securityLevel", said.security_level())?;
    let schedule = schedule::read(told("schedule", said.schedule())?)?;
    let security_level = known("securityLevel", level.as_str())?;
    let target_resource_tags: BTreeMap<String, BTreeSet<String>> = tags.collect();
    let scan = schedule.map(|schedule| CisScan { security_level, schedule, target_resource_tags });
    let scan_configuration_arn = said.scan_configuration_arn().to_owned();
    Ok(There { scan_configuration_arn, scan, is_own: is_own && !accounts.is_empty() })
}

async fn create(cx: &WriteCx, One { name, scan }: &One) -> Result<(), WriteError> {
    // Inspector makes as many of one name as it is asked for.
    if there(&cx.afresh()).await?.contains_key(name) {
        return Err(WriteError::there_by_now(name));
    }
    let targets = CreateCisTargets::builder()
        .account_ids(SELF)
        .set_target_resource_tags(Some(tags(scan)))
        .build()?;
    let request = cx
        .client(Client::new)
        .create_cis_scan_configuration()
        .scan_name(name)
        .security_level(CisSecurityLevel::from(scan.security_level.as_str()))
        .schedule(schedule::sent(&scan.schedule)?)
        .targets(targets);
    let answer = cx.write(CREATE, request.send()).await?;
    cx.note_made(answer.scan_configuration_arn());
    Ok(())
}

/// The ARN of the only scan of a name.
async fn only(cx: &WriteCx, name: &str) -> Result<String, WriteError> {
    let there = there(&cx.afresh()).await?;
    match there.get(name).map(Vec::as_slice) {
        Some([one]) => Ok(one.scan_configuration_arn.clone()),
        Some(_) => Err(WriteError::Changed(format!("there are several scans {name} by now"))),
        None => Err(WriteError::Changed(format!("there is no scan {name} any more"))),
    }
}

fn tags(scan: &CisScan) -> std::collections::HashMap<String, Vec<String>> {
    let tags = scan.target_resource_tags.iter();
    tags.map(|(key, values)| (key.clone(), values.iter().cloned().collect())).collect()
}

fn has_scans(spec: &Spec) -> bool {
    spec.cis_scans.as_ref().is_some_and(|scans| !scans.is_empty())
}

/// Inspector chooses their ids.
fn scans(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("inspector2", "owner/*/cis-configuration/*")]).into()
}
