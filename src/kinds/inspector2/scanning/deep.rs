//! Whether packages of programming languages on instances are looked at, and where.

use std::collections::BTreeSet;

use aws_sdk_inspector2::Client;
use serde::{Deserialize, Serialize};

use super::configuration::in_force;
use super::{Place, Scanning, Spec};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const GET: Call = Call::new("inspector2", "GetEc2DeepInspectionConfiguration");
const UPDATE: Call = Call::new("inspector2", "UpdateEc2DeepInspectionConfiguration");

pub struct DeepInspection;

/// What is there; of Inspector that is off, nothing is known.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    #[serde(default)]
    pub active: Option<bool>,
    #[serde(default)]
    pub package_paths: Option<BTreeSet<String>>,
    /// Why Inspector failed with it.
    #[serde(default)]
    pub failed: Option<String>,
}

/// What is written; the rest stays.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Write {
    #[serde(default)]
    pub active: Option<bool>,
    #[serde(default)]
    pub package_paths: Option<BTreeSet<String>>,
}

impl Part for DeepInspection {
    type Of = Scanning;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = "deep_inspection";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.deep_inspection.is_some() || spec.package_paths.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let request = cx.client(Client::new).get_ec2_deep_inspection_configuration();
        let answer = cx.read(GET, "", request.send()).await?;
        let status = told("status", answer.status())?.as_str();
        if !in_force("status", status)? {
            let why = answer.error_message().unwrap_or("Inspector gives no reason").to_owned();
            return Ok(Now { failed: Some(why), ..Now::default() });
        }
        let paths = told("packagePaths", answer.package_paths.as_ref())?;
        Ok(Now {
            active: Some(status == "ACTIVATED"),
            package_paths: Some(paths.iter().cloned().collect()),
            failed: None,
        })
    }

    fn diff(look: &Look<'_, Scanning>, now: &Now) -> Vec<Change<Write>> {
        let (active, paths) = (look.spec.deep_inspection, look.spec.package_paths.as_ref());
        let mut drift = Drift::new();
        if let Some(why) = &now.failed {
            let field = if active.is_some() { Self::NAME } else { "package_paths" };
            drift.add(field, Some(format!("FAILED: {why}")), Some("in working order"));
            return vec![Change::finding(drift).withhold(
                "Inspector failed with deep inspection: put right what it says, or write its settings again in the console",
            )];
        }
        let switched = drift.compare(Self::NAME, now.active.as_ref(), active.as_ref());
        let moved = drift.compare("package_paths", now.package_paths.as_ref(), paths);
        if drift.is_empty() {
            return Vec::new();
        }
        let write = Write {
            active: active.filter(|_| switched),
            package_paths: paths.filter(|_| moved).cloned(),
        };
        let change = Change::new(write, drift);
        let change = if look.is_new() { change } else { change.independent() };
        let fewer = match (&now.package_paths, paths) {
            (Some(now), Some(wanted)) => moved && !now.is_subset(wanted),
            _ => false,
        };
        vec![match fewer || (switched && active == Some(false)) {
            true => look.disruptive(
                change,
                "packages there are no longer looked at, and their findings are closed",
            ),
            false => change,
        }]
    }

    fn calls(_write: &Write) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Write) -> Result<(), WriteError> {
        let paths = wanted.package_paths.clone().map(|paths| paths.into_iter().collect());
        let request = cx
            .client(Client::new)
            .update_ec2_deep_inspection_configuration()
            .set_activate_deep_inspection(wanted.active)
            .set_package_paths(paths);
        cx.send(UPDATE, request.send()).await
    }

    fn undo(write: &Write, before: &Now) -> Undo<Write> {
        let back = Write {
            active: before.active.filter(|_| write.active.is_some()),
            package_paths: before.package_paths.clone().filter(|_| write.package_paths.is_some()),
        };
        match back == (Write { active: None, package_paths: None }) {
            true => Undo::Impossible("what it was before was not observed".to_owned()),
            false => Undo::By(vec![back]),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.deep_inspection = now.active;
        spec.package_paths.clone_from(&now.package_paths);
    }
}
