//! Turning Security Hub off. Turning it on is the making of the hub.

use aws_sdk_securityhub::Client;
use serde::{Deserialize, Serialize};

use super::{Hub, Place, Spec, hub};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::securityhub::administrator;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared,
};

const MEMBERS: Call = Call::new("securityhub", "ListMembers");
const DISABLE: Call = Call::new("securityhub", "DisableSecurityHub");

pub struct Enabled;

/// What keeps Security Hub from being turned off.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    pub administrator: Option<String>,
    pub has_members: bool,
}

/// Turns it off.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    Disable,
}

impl Part for Enabled {
    type Of = Hub;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = "enabled";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(MEMBERS, |spec| !spec.enabled),
        Use::write_if(DISABLE, |spec| !spec.enabled, hub),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        if spec.enabled {
            return Ok(Now::default());
        }
        let administrator = administrator::of(cx).await?;
        let pages = cx.client(Client::new).list_members().into_paginator().send();
        let members = cx.list(MEMBERS, "", pages, "Members", |page| page.members).await?;
        Ok(Now { administrator, has_members: !members.is_empty() })
    }

    fn diff(look: &Look<'_, Hub>, now: &Now) -> Vec<Change<Write>> {
        compared::mark(Self::NAME);
        if look.is_new() || look.spec.enabled {
            return Vec::new();
        }
        let mut drift = Drift::new();
        drift.add(Self::NAME, Some(true), Some(false));
        let change = Change::new(Write::Disable, drift).risk(Risk::Destructive).warn(
            "nothing is checked or collected any more; after 90 days AWS deletes findings, insights and settings, which nobody brings back",
        );
        // Source: Security Hub User Guide, "Disabling Security Hub CSPM".
        let reason = match (&now.administrator, now.has_members) {
            (Some(account), _) => format!(
                "AWS lets no member turn Security Hub off: let the administrator account {account} remove this account from its members first"
            ),
            (None, true) => {
                "AWS lets no administrator account turn Security Hub off: remove its members first"
                    .to_owned()
            }
            (None, false) => return vec![change],
        };
        vec![Change { action: None, ..change }.withhold(reason)]
    }

    fn calls(_write: &Write) -> Vec<Call> {
        vec![DISABLE]
    }

    async fn write(cx: &WriteCx, _place: &Place, _write: &Write) -> Result<(), WriteError> {
        let request = cx.client(Client::new).disable_security_hub();
        match cx.write(DISABLE, request.send()).await {
            Err(error) if super::super::is_off(&error) => Ok(()),
            answer => Ok(answer.map(drop)?),
        }
    }

    fn undo(_write: &Write, _before: &Now) -> Undo<Write> {
        Undo::Impossible(
            "declare `enabled = true`: for 90 days AWS still has what Security Hub had, and its settings are to be declared again"
                .to_owned(),
        )
    }

    fn export(_now: &Now, spec: &mut Spec) {
        spec.enabled = true;
    }
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    if spec.enabled {
        return Vec::new();
    }
    let declared = [
        ("enable_default_standards", spec.enable_default_standards.is_some()),
        ("control_finding_generator", spec.control_finding_generator.is_some()),
        ("auto_enable_controls", spec.auto_enable_controls.is_some()),
        ("product_integrations", spec.product_integrations.is_some()),
        ("tags", spec.tags.is_some()),
    ];
    let declared = declared.into_iter().filter(|(_, is_declared)| *is_declared);
    let problem = |(field, _)| {
        let message = "Security Hub that is off has none";
        SpecProblem::new(field, message, "leave it out, or declare enabled = true")
    };
    declared.map(problem).collect()
}
