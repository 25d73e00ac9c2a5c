//! `guardduty.organization`: who administers GuardDuty for an organization, and where it is switched on by itself.

mod diff;
mod observe;
mod spec;

use aws_sdk_guardduty::Client;
use aws_sdk_guardduty::types::{
    AutoEnableMembers, OrgFeature, OrgFeatureAdditionalConfiguration, OrgFeatureStatus,
    OrganizationAdditionalConfiguration, OrganizationFeatureConfiguration,
};

use self::observe::{configures, names_administrator};
pub use self::spec::{Action, Spec, State};
use self::spec::{Feature, Wanted};
use super::detector;
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::organization::{administrator, delegates, trusts};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError,
};
use crate::names::AccountId;

const ENABLE: Call = Call::new("guardduty", "EnableOrganizationAdminAccount");
const UPDATE: Call = Call::new("guardduty", "UpdateOrganizationConfiguration");
const SERVICE: &str = "guardduty.amazonaws.com";

/// The kind.
pub struct Organization;

impl Kind for Organization {
    const NAME: &'static str = "guardduty.organization";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["guardduty.detector"];
    const BESIDE: &'static [&'static str] =
        &["/has_detector", "/configuration/member_account_limit_reached"];
    const CONTROLS: Controls =
        Controls { well_architected: &["SEC01-BP01", "SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(observe::LIST, names_administrator),
        Use::read_if(detector::LIST, configures),
        Use::read_if(observe::DESCRIBE, configures),
        Use::write_if(ENABLE, names_administrator, everywhere),
        // What GuardDuty does as whoever names its administrator (GuardDuty User Guide, "Permissions required to
        // designate a delegated GuardDuty administrator account").
        Use::implied("organizations:EnableAWSServiceAccess", names_administrator, trusted),
        Use::implied(
            "organizations:RegisterDelegatedAdministrator",
            names_administrator,
            delegated,
        ),
        Use::implied_read("organizations:DescribeOrganization", names_administrator),
        Use::implied_read("organizations:DescribeAccount", names_administrator),
        Use::implied_read("organizations:ListAccounts", names_administrator),
        Use::implied_read("organizations:ListAWSServiceAccessForOrganization", names_administrator),
        Use::implied_read("organizations:ListDelegatedAdministrators", names_administrator),
        Use::write_if(UPDATE, configures, everywhere),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "guardduty.amazonaws.com:DisableOrganizationAdminAccount",
        "guardduty.amazonaws.com:CreateDetector",
        "guardduty.amazonaws.com:DeleteDetector",
        "organizations.amazonaws.com:DeregisterDelegatedAdministrator",
        "organizations.amazonaws.com:DisableAWSServiceAccess",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] =
        &[Stricter::Order("auto_enable_organization_members", &["NONE", "NEW", "ALL"])];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::EnableAdministrator(_) => vec![ENABLE, observe::LIST],
            Action::Configure(_) => vec![UPDATE, detector::LIST],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![Object::present("", observe::observe(cx, spec).await?)])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map(|state| diff::diff(facts, spec, state)).unwrap_or_default()
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        match action {
            Action::EnableAdministrator(account) => enable(cx, account).await,
            Action::Configure(wanted) => configure(cx, wanted).await,
        }
    }

    // Features that are not sent stay as they are, and one that is sent again does, too.
    fn is_same_write(planned: &Action, now: &Action) -> bool {
        match (planned, now) {
            (Action::Configure(planned), Action::Configure(now)) => {
                let is_sent = |(name, feature)| planned.features.get(name) == Some(feature);
                planned.auto_enable_organization_members == now.auto_enable_organization_members
                    && now.features.iter().all(is_sent)
            }
            _ => planned == now,
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let Action::Configure(wanted) = action else {
            return administrator::stays();
        };
        let before = before.state().and_then(|before| before.configuration.as_ref());
        let Some(before) = before else {
            return Undo::Impossible("what was there before was not observed".to_owned());
        };
        // What was not written is not put back either.
        let features = wanted.features.iter().filter_map(|(name, wrote)| {
            let mut feature = before.features.get(name)?.clone();
            let written = &wrote.additional_configuration;
            feature.additional_configuration.retain(|more, _| written.contains_key(more));
            Some((name.clone(), feature))
        });
        Undo::By(vec![Action::Configure(Wanted {
            auto_enable_organization_members: before.auto_enable_organization_members,
            features: features.collect(),
        })])
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let administrator = state.administrator.clone().unwrap_or_default();
        let configuration = state.configuration.as_ref();
        let known = |features: &std::collections::BTreeMap<String, Feature>| {
            let known = features.iter().filter(|(name, _)| spec::is_name(name));
            known.map(|(name, feature)| (name.clone(), feature.clone())).collect()
        };
        let spec = Spec {
            admin_account_id: administrator.account_id,
            auto_enable_organization_members: configuration
                .map(|now| now.auto_enable_organization_members),
            features: configuration.map(|now| known(&now.features)),
        };
        (spec != Spec::default()).then_some(spec)
    }
}

async fn enable(cx: &WriteCx, account: &AccountId) -> Result<(), WriteError> {
    let request = cx.client(Client::new).enable_organization_admin_account();
    let request = request.admin_account_id(account.as_str());
    match cx.write(ENABLE, request.send()).await {
        Ok(_) => Ok(()),
        // GuardDuty has one code for everything: who is there by now tells.
        Err(error) if error.is_code(&["BadRequestException"]) => {
            match observe::administrator(&cx.afresh()).await {
                Ok(Some(there)) if there == *account => Err(WriteError::was_there(&error)),
                Ok(_) | Err(_) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

async fn configure(cx: &WriteCx, wanted: &Wanted) -> Result<(), WriteError> {
    // A detector that the same plan makes has an id only now.
    let Some(id) = detector::id(&cx.afresh()).await? else {
        return Err(WriteError::Look(ObserveError::Unclear {
            reason: "GuardDuty has no detector here, so that nothing was sent".to_owned(),
            remedy: "declare guardduty.detector with enable = true for this account and Region, then run again"
                .to_owned(),
        }));
    };
    let members = wanted.auto_enable_organization_members.as_str();
    let features = wanted.features.iter().map(|(name, feature)| send(name, feature));
    let features: Vec<_> = features.collect();
    let request = cx
        .client(Client::new)
        .update_organization_configuration()
        .detector_id(id)
        .auto_enable_organization_members(AutoEnableMembers::from(members))
        .set_features(Some(features).filter(|features| !features.is_empty()));
    cx.send(UPDATE, request.send()).await
}

/// A feature as a request takes it.
fn send(name: &str, feature: &Feature) -> OrganizationFeatureConfiguration {
    let more = feature.additional_configuration.iter().map(|(name, mode)| {
        OrganizationAdditionalConfiguration::builder()
            .name(OrgFeatureAdditionalConfiguration::from(name.as_str()))
            .auto_enable(OrgFeatureStatus::from(mode.as_str()))
            .build()
    });
    let more: Vec<_> = more.collect();
    OrganizationFeatureConfiguration::builder()
        .name(OrgFeature::from(name))
        .auto_enable(OrgFeatureStatus::from(feature.auto_enable.as_str()))
        .set_additional_configuration(Some(more).filter(|more| !more.is_empty()))
        .build()
}

fn trusted(_spec: &Spec, _arns: &Arns) -> Vec<Allowed> {
    trusts(SERVICE)
}

fn delegated(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    delegates(SERVICE, spec.admin_account_id.as_ref(), arns)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
