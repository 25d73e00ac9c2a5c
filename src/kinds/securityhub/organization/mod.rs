//! `securityhub.organization`: who administers Security Hub for an organization, and what its accounts begin with.

mod diff;
mod observe;
mod spec;

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::{
    AutoEnableStandards, OrganizationConfiguration, OrganizationConfigurationConfigurationType,
};

use self::observe::{configures, names_administrator};
use self::spec::Settings;
pub use self::spec::{Action, Spec, State};
use super::hub_arn;
use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::organization::{administrator, delegates, trusts};
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError,
};
use crate::names::AccountId;

const ENABLE: Call = Call::new("securityhub", "EnableOrganizationAdminAccount");
const UPDATE: Call = Call::new("securityhub", "UpdateOrganizationConfiguration");
const SERVICE: &str = "securityhub.amazonaws.com";

/// The kind.
pub struct Organization;

impl Kind for Organization {
    const NAME: &'static str = "securityhub.organization";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["securityhub.hub", "securityhub.finding_aggregator"];
    const BESIDE: &'static [&'static str] =
        &["/configuration/member_account_limit_reached", "/configuration/failed"];
    const CONTROLS: Controls = Controls { well_architected: &["SEC01-BP01"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read_if(observe::LIST, names_administrator),
        Use::read_if(observe::DESCRIBE, configures),
        Use::write_if(ENABLE, names_administrator, hub),
        // What Security Hub does as whoever names its administrator (Security Hub User Guide, "Managing
        // administrator and member accounts with AWS Organizations").
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
        Use::write_if(UPDATE, configures, hub),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "securityhub.amazonaws.com:DisableOrganizationAdminAccount",
        "securityhub.amazonaws.com:EnableSecurityHub",
        "securityhub.amazonaws.com:DisableSecurityHub",
        "organizations.amazonaws.com:DeregisterDelegatedAdministrator",
        "organizations.amazonaws.com:DisableAWSServiceAccess",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::On("auto_enable"),
        Stricter::Order("auto_enable_standards", &["NONE", "DEFAULT"]),
        Stricter::Neither("configuration_type"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match action {
            Action::EnableAdministrator(_) => vec![ENABLE, observe::LIST],
            Action::Configure(_) => vec![UPDATE],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![observe::observe(cx, spec).await?])
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        object.state().map(|state| diff::diff(facts, spec, state)).unwrap_or_default()
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        match action {
            Action::EnableAdministrator(account) => enable(cx, account).await,
            Action::Configure(settings) => configure(cx, settings).await,
        }
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let Action::Configure(_) = action else { return administrator::stays() };
        match before.state().and_then(|before| before.configuration.as_ref()) {
            Some(before) => Undo::By(vec![Action::Configure(before.settings.clone())]),
            None => Undo::Impossible("what was there before was not observed".to_owned()),
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let administrator = state.administrator.clone().unwrap_or_default();
        let settings = state.configuration.as_ref().map(|now| &now.settings);
        let spec = Spec {
            admin_account_id: administrator.account_id,
            auto_enable: settings.map(|now| now.auto_enable),
            auto_enable_standards: settings.map(|now| now.auto_enable_standards),
            configuration_type: settings.map(|now| now.configuration_type),
        };
        (spec != Spec::default()).then_some(spec)
    }
}

async fn enable(cx: &WriteCx, account: &AccountId) -> Result<(), WriteError> {
    let request = cx.client(Client::new).enable_organization_admin_account();
    match cx.write(ENABLE, request.admin_account_id(account.as_str()).send()).await {
        Ok(_) => Ok(()),
        // Who is there by now tells whether that is why.
        Err(error) if error.is_code(&["InvalidInputException"]) => {
            match observe::administrator(&cx.afresh()).await {
                Ok(Some(there)) if there == *account => Err(WriteError::was_there(&error)),
                Ok(_) | Err(_) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

async fn configure(cx: &WriteCx, settings: &Settings) -> Result<(), WriteError> {
    let of_type =
        OrganizationConfigurationConfigurationType::from(settings.configuration_type.as_str());
    let organization = OrganizationConfiguration::builder().configuration_type(of_type).build();
    let standards = AutoEnableStandards::from(settings.auto_enable_standards.as_str());
    let request = cx
        .client(Client::new)
        .update_organization_configuration()
        .auto_enable(settings.auto_enable)
        .auto_enable_standards(standards)
        .organization_configuration(organization);
    cx.send(UPDATE, request.send()).await
}

fn hub(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    hub_arn(arns)
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
