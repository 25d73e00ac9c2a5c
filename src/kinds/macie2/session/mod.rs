//! `macie2.session`: whether Macie looks at the buckets of a Region, and what it looks for in them.

mod administrator;
mod allow_lists;
mod discovery;
mod frequency;
mod identifiers;
mod jobs;
mod organization;
mod publication;
mod results;
mod spec;
mod status;
mod suppression;

use std::sync::Arc;

use aws_sdk_macie2::Client;
use aws_sdk_macie2::operation::get_macie_session::GetMacieSessionOutput;
use aws_sdk_macie2::types::{FindingPublishingFrequency, MacieStatus};
use serde::{Deserialize, Serialize};

pub use self::spec::Spec;
use self::spec::{Frequency, Status};
use crate::aws::lacking;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{AnyPart, Parted, by_parts};
use crate::kinds::{
    Allowed, Change, Charge, Controls, Cx, Drift, Facts, Kind, Made, Object, ObserveError, Scope,
    Stricter, Use, WriteCx, WriteError,
};

const GET: Call = Call::new("macie2", "GetMacieSession");
const ENABLE: Call = Call::new("macie2", "EnableMacie");
const UPDATE: Call = Call::new("macie2", "UpdateMacieSession");
/// The service as a principal, and its role (Macie User Guide, "Using service-linked roles for Macie").
const SERVICE: &str = "macie.amazonaws.com";
const ROLE: &str = "AWSServiceRoleForAmazonMacie";
/// What Macie that is on costs, in words.
const COST: &str = "AWS charges for each bucket that Macie looks at, by the day; the first 30 days of an account are free";

/// Which session: a Region has one at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {}

/// How Macie is enabled.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Making {
    status: Status,
    #[serde(default)]
    finding_publishing_frequency: Option<Frequency>,
}

/// The kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Session;

impl Kind for Session {
    const NAME: &'static str = "macie2.session";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["kms.key", "s3.bucket", "securityhub.hub"];
    const BESIDE: &'static [&'static str] = &[
        "/parts/status/administrator",
        "/parts/automated_discovery/administrator",
        "/parts/classification_export/declared_key",
        "/parts/classification_export/is_own_bucket",
        "/parts/classification_jobs",
        "/parts/require_administrator_account",
        "/parts/forbid_suppression_rules",
    ];
    const CONTROLS: Controls = Controls {
        fsbp: &["Macie.1", "Macie.2"],
        well_architected: &["SEC07-BP01", "SEC07-BP03"],
        by_fields: &[(&["Macie.1"], &["status"]), (&["Macie.2"], &["automated_discovery"])],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(GET),
        Use::read(administrator::GET),
        Use::write_if(ENABLE, |spec| spec.status != Status::Disabled, everywhere),
        Use::implied(
            "iam:CreateServiceLinkedRole",
            |spec| spec.status != Status::Disabled,
            |_, arns| {
                Allowed::on([arns.service_linked_role(SERVICE, ROLE)])
                    .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
                    .into()
            },
        ),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "macie2.amazonaws.com:AcceptInvitation",
        "macie2.amazonaws.com:DisassociateFromAdministratorAccount",
        "macie2.amazonaws.com:DisassociateFromMasterAccount",
        "macie2.amazonaws.com:DisableMacie",
        "macie2.amazonaws.com:UpdateMemberSession",
        "macie2.amazonaws.com:DeleteAllowList",
        "macie2.amazonaws.com:CreateFindingsFilter",
        "macie2.amazonaws.com:UpdateFindingsFilter",
        "macie2.amazonaws.com:CreateClassificationJob",
        "macie2.amazonaws.com:UpdateClassificationJob",
    ];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("finding_publishing_frequency", r#""FIFTEEN_MINUTES""#),
        ("status", r#""ENABLED""#),
        ("automated_discovery", r#""ENABLED""#),
        ("automated_discovery", r#""DISABLED""#),
        ("publish_policy_findings", "true"),
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;
    const STRICTER: &'static [Stricter] = &[
        Stricter::Order("status", &["DISABLED", "PAUSED", "ENABLED"]),
        Stricter::Order(
            "finding_publishing_frequency",
            &["SIX_HOURS", "ONE_HOUR", "FIFTEEN_MINUTES"],
        ),
        Stricter::Order("automated_discovery", &["DISABLED", "ENABLED"]),
        Stricter::Order("auto_enable_organization_members", &["NONE", "NEW", "ALL"]),
        Stricter::On("auto_enable_members"),
        Stricter::On("publish_policy_findings"),
        Stricter::Neither("forbid_suppression_rules"),
        Stricter::On("publish_classification_findings"),
    ];

    type Spec = Spec;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        let mut problems = off(spec);
        problems.extend(administrator::check(spec));
        problems.extend(results::check(spec));
        problems.extend(identifiers::check(spec));
        problems.extend(allow_lists::check(spec));
        problems
    }

    by_parts!();
}

impl Parted for Session {
    type Place = Place;
    type Making = Making;

    const PARTS: &'static [&'static dyn AnyPart<Self>] = &[
        &status::On,
        &frequency::PublishingFrequency,
        &publication::Publication,
        &results::Results,
        &identifiers::Identifiers,
        &allow_lists::AllowLists,
        &discovery::AutomatedDiscovery,
        &organization::AutoEnableMembers,
        &jobs::Jobs,
        &suppression::SuppressionRules,
        &administrator::AdministratorAccount,
    ];
    const CREATE: Call = ENABLE;
    const CREATING: &'static [Call] = &[ENABLE, GET];
    const KEPT: &'static str = "evenkeel disables Macie only where `status = \"DISABLED\"` is declared: all that it has would go with it";

    async fn find(cx: &Cx, _spec: &Spec) -> Result<Object<Place>, ObserveError> {
        match session(cx).await {
            Ok(Some(_)) => Ok(Object::present("", Place {})),
            Ok(None) => Ok(Object::absent("")),
            Err(error) if lacking::is_known(&error) => {
                Ok(Object::skipped("", lacking::words("Amazon Macie", &error.region)))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_wanted(spec: &Spec) -> bool {
        spec.status != Status::Disabled
    }

    fn place(_facts: &Facts, _spec: &Spec) -> Place {
        Place {}
    }

    fn making(_facts: &Facts, spec: &Spec) -> Change<Making> {
        let making = Making {
            status: spec.status,
            finding_publishing_frequency: spec.finding_publishing_frequency,
        };
        let mut drift = Drift::new();
        drift.compare("status", Some(&Status::Disabled), Some(&spec.status));
        let frequency = spec.finding_publishing_frequency.as_ref();
        drift.compare("finding_publishing_frequency", None, frequency);
        let change = Change::new(making, drift);
        if spec.status == Status::Paused {
            return change;
        }
        let change = change.charged(COST, [Charge::MacieBucket]);
        if spec.automated_discovery.is_some() {
            return change;
        }
        change.warn("automated discovery may be on from the start, and AWS charges for it: declare automated_discovery")
    }

    // A look directly before tells who enabled it meanwhile; the conflicts that pass are those after it was disabled.
    fn looked_for(_place: &Place) -> Option<Spec> {
        Some(Spec::default())
    }

    async fn create(cx: &WriteCx, _place: &Place, making: &Making) -> Result<Made, WriteError> {
        let frequency = making.finding_publishing_frequency;
        let request = cx
            .client(Client::new)
            .enable_macie()
            .status(MacieStatus::from(making.status.as_str()))
            .set_finding_publishing_frequency(
                frequency.map(|word| FindingPublishingFrequency::from(word.as_str())),
            );
        match cx.made(ENABLE, request.send()).await {
            Err(WriteError::Aws(error)) if error.message.contains("already been enabled") => Err(
                WriteError::Another(format!("somebody else has enabled Macie meanwhile: {error}")),
            ),
            answer => answer,
        }
    }

    // Directly after it was disabled Macie is not enabled again yet.
    fn is_settling(error: &WriteError) -> bool {
        matches!(error, WriteError::Aws(error)
            if error.class == ErrorClass::Settling || error.is_code(&["ClientError"]))
    }

    fn named(_id: &str, _place: &Place) -> Spec {
        Spec::default()
    }
}

/// The session, if Macie is on.
async fn session(cx: &Cx) -> Result<Option<Arc<GetMacieSessionOutput>>, AwsError> {
    match cx.read(GET, "", cx.client(Client::new).get_macie_session().send()).await {
        Ok(session) => Ok(Some(session)),
        Err(error) if is_off(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether Macie says that it is off, which it mostly says as if a permission were missing.
fn is_off(error: &AwsError) -> bool {
    error.is_code(&["ResourceNotFoundException"])
        || error.is_code(&["AccessDeniedException"])
            && error.message.contains("Macie is not enabled")
}

/// Macie that is disabled has no settings.
fn off(spec: &Spec) -> Vec<SpecProblem> {
    if spec.status != Status::Disabled {
        return Vec::new();
    }
    let declared = [
        ("finding_publishing_frequency", spec.finding_publishing_frequency.is_some()),
        ("automated_discovery", spec.automated_discovery.is_some()),
        ("auto_enable_organization_members", spec.auto_enable_organization_members.is_some()),
        ("auto_enable_members", spec.auto_enable_members.is_some()),
        ("require_administrator_account", spec.require_administrator_account.is_some()),
        ("publish_policy_findings", spec.publish_policy_findings.is_some()),
        ("publish_classification_findings", spec.publish_classification_findings.is_some()),
        ("classification_export", spec.classification_export.is_some()),
        ("custom_data_identifiers", spec.custom_data_identifiers.is_some()),
        ("allow_lists", spec.allow_lists.is_some()),
        ("classification_jobs", spec.classification_jobs.is_some()),
        ("forbid_suppression_rules", spec.forbid_suppression_rules.is_some()),
    ];
    let declared = declared.into_iter().filter(|(_, is_declared)| *is_declared);
    let problem = |(field, _)| {
        let message = "Macie that is disabled has none";
        SpecProblem::new(field, message, "leave it out, or declare another status")
    };
    declared.map(problem).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
