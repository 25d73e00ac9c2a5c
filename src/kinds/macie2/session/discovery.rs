//! Whether Macie looks for sensitive data by itself.

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::{AutoEnableMode, AutomatedDiscoveryStatus};
use serde::{Deserialize, Serialize};

use super::spec::{AutoEnable, Discovery};
use super::{Place, Session, Spec, administrator};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Charge, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, known, told,
};

const GET: Call = Call::new("macie2", "GetAutomatedDiscoveryConfiguration");
const UPDATE: Call = Call::new("macie2", "UpdateAutomatedDiscoveryConfiguration");
const ORGANIZATION: &str = "auto_enable_organization_members";

pub struct AutomatedDiscovery;

/// Whether it is on, where it is enabled by itself, and who decides that. Of a new session nothing is known.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    #[serde(default)]
    pub status: Option<Discovery>,
    #[serde(default)]
    pub auto_enable_organization_members: Option<AutoEnable>,
    #[serde(default)]
    pub administrator: Option<String>,
}

/// A write says both: of what it leaves out, AWS's default is all accounts.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    pub status: Discovery,
    #[serde(default)]
    pub auto_enable_organization_members: Option<AutoEnable>,
}

impl Part for AutomatedDiscovery {
    type Of = Session;
    type Now = Now;
    type Write = Settings;

    const NAME: &'static str = "automated_discovery";
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(GET, Self::is_declared),
        Use::write_if(UPDATE, Self::is_declared, everywhere),
    ];

    fn is_declared(spec: &Spec) -> bool {
        spec.automated_discovery.is_some() || spec.auto_enable_organization_members.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let administrator = administrator::of(cx).await?;
        let request = cx.client(Client::new).get_automated_discovery_configuration();
        let answer = cx.read(GET, "", request.send()).await?;
        let status = told("status", answer.status())?;
        let accounts = answer.auto_enable_organization_members();
        // Only the organization's administrator must be told it.
        if spec.auto_enable_organization_members.is_some() {
            told("autoEnableOrganizationMembers", accounts)?;
        }
        let accounts = accounts
            .map(|word| known("autoEnableOrganizationMembers", word.as_str()))
            .transpose()?;
        Ok(Now {
            status: Some(known("status", status.as_str())?),
            auto_enable_organization_members: accounts,
            administrator,
        })
    }

    fn diff(look: &Look<'_, Session>, now: &Now) -> Vec<Change<Settings>> {
        let (status, accounts) =
            (look.spec.automated_discovery, look.spec.auto_enable_organization_members);
        let there = now.auto_enable_organization_members;
        let mut drift = Drift::new();
        drift.compare(Self::NAME, now.status.as_ref(), status.as_ref());
        drift.compare(ORGANIZATION, there.as_ref(), accounts.as_ref());
        if drift.is_empty() {
            return Vec::new();
        }
        let Some(wanted) = status.or(now.status) else {
            return vec![Change::finding(drift).withhold(
                "Macie takes it only with automated_discovery, which is not known yet: declare that too",
            )];
        };
        // Of a write without it AWS would take all accounts, which nobody has declared.
        let kept = there.or(look.is_new().then_some(AutoEnable::None));
        let settings =
            Settings { status: wanted, auto_enable_organization_members: accounts.or(kept) };
        let is_off = wanted == Discovery::Disabled && now.status == Some(Discovery::Enabled);
        let is_on = wanted == Discovery::Enabled && now.status != Some(Discovery::Enabled);
        let is_wider = accounts.is_some_and(|accounts| Some(accounts) != there)
            && accounts != Some(AutoEnable::None);
        let mut change = Change::new(settings, drift);
        if !look.is_new() {
            change = change.independent();
        }
        if is_off {
            let lost = "Macie looks for no sensitive data by itself; what it knows so far is deleted after 30 days";
            change = look.disruptive(change, lost);
        }
        if is_on {
            let cost = "AWS charges for automated discovery by the objects that Macie keeps an eye on and by the gigabytes that it inspects";
            change = change.charged(cost, [Charge::MacieObject, Charge::MacieInspected]);
        }
        if is_wider {
            change = change
                .warn("AWS charges for automated discovery in each account that it is enabled in");
        }
        vec![administrator::left_to(now.administrator.as_deref(), change)]
    }

    fn calls(_write: &Settings) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Settings) -> Result<(), WriteError> {
        let accounts = wanted.auto_enable_organization_members;
        let request = cx
            .client(Client::new)
            .update_automated_discovery_configuration()
            .status(AutomatedDiscoveryStatus::from(wanted.status.as_str()))
            .set_auto_enable_organization_members(
                accounts.map(|word| AutoEnableMode::from(word.as_str())),
            );
        cx.send(UPDATE, request.send()).await
    }

    fn undo(_write: &Settings, before: &Now) -> Undo<Settings> {
        match before.status {
            Some(status) => Undo::By(vec![Settings {
                status,
                auto_enable_organization_members: before.auto_enable_organization_members,
            }]),
            None => Undo::Impossible("what a new session begins with was not observed".to_owned()),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.automated_discovery = now.status;
        // To an account on its own Macie may say that there are none.
        let accounts = now.auto_enable_organization_members;
        spec.auto_enable_organization_members =
            accounts.filter(|accounts| *accounts != AutoEnable::None);
    }

    fn as_it_was(_facts: &Facts, now: &Now, spec: &mut Spec) {
        spec.automated_discovery = now.status;
        spec.auto_enable_organization_members = now.auto_enable_organization_members;
    }
}
