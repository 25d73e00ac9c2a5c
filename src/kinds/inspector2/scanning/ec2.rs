//! Which instances are scanned.

use aws_sdk_inspector2::Client;
use aws_sdk_inspector2::types::{Ec2Configuration, Ec2ScanMode};

use super::configuration::{GET, UPDATE, get, in_force};
use super::spec::ScanMode;
use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, known, told};

pub struct Instances;

impl Part for Instances {
    type Of = Scanning;
    /// Of Inspector that is off, nothing is known.
    type Now = Option<ScanMode>;
    type Write = ScanMode;

    const NAME: &'static str = "ec2_scan_mode";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.ec2_scan_mode.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let answer = get(cx).await?;
        let section = answer.ec2_configuration().and_then(|section| section.scan_mode_state());
        let section = told("ec2Configuration.scanModeState", section)?;
        let status = told("scanModeStatus", section.scan_mode_status())?.as_str();
        // Of instances, the API model has no word for a failure.
        if !in_force("scanModeState.scanModeStatus", status)? {
            return Err(ObserveError::UnknownValue {
                field: "scanModeState.scanModeStatus".to_owned(),
                value: status.to_owned(),
            });
        }
        known("scanMode", told("scanMode", section.scan_mode())?.as_str()).map(Some)
    }

    fn diff(look: &Look<'_, Scanning>, now: &Self::Now) -> Vec<Change<ScanMode>> {
        let Some(wanted) = look.spec.ec2_scan_mode else { return Vec::new() };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, now.as_ref(), Some(&wanted)) {
            return Vec::new();
        }
        let change = Change::new(wanted, drift);
        let change = if look.is_new() { change } else { change.independent() };
        vec![match wanted {
            ScanMode::Hybrid => change.warn(
                "Inspector makes snapshots of the volumes of instances without an agent, and AWS charges more for scanning these",
            ),
            ScanMode::AgentBased => {
                look.disruptive(change, "instances without an agent of Systems Manager are scanned no more")
            }
        }]
    }

    fn calls(_write: &ScanMode) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &ScanMode) -> Result<(), WriteError> {
        let mode = Ec2ScanMode::from(wanted.as_str());
        let section = Ec2Configuration::builder().scan_mode(mode).build()?;
        let request = cx.client(Client::new).update_configuration();
        cx.send(UPDATE, request.ec2_configuration(section).send()).await
    }

    fn undo(_write: &ScanMode, before: &Self::Now) -> Undo<ScanMode> {
        match before {
            Some(mode) => Undo::By(vec![*mode]),
            None => Undo::Impossible("what it was before was not observed".to_owned()),
        }
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.ec2_scan_mode = *now;
    }
}
