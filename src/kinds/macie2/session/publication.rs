//! Which findings go to Security Hub.

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::SecurityHubConfiguration;
use serde::{Deserialize, Serialize};

use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

const GET: Call = Call::new("macie2", "GetFindingsPublicationConfiguration");
const PUT: Call = Call::new("macie2", "PutFindingsPublicationConfiguration");

pub struct Publication;

/// Both, for a write replaces both.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Published {
    pub policy: bool,
    pub classification: bool,
}

/// AWS's default (Macie API Reference, "Findings Publication Configuration").
impl Default for Published {
    fn default() -> Self {
        Self { policy: true, classification: false }
    }
}

impl Part for Publication {
    type Of = Session;
    type Now = Published;
    type Write = Published;

    const NAME: &'static str = "publish_findings";
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(GET, Self::is_declared), Use::write_if(PUT, Self::is_declared, everywhere)];

    fn is_declared(spec: &Spec) -> bool {
        spec.publish_policy_findings.is_some() || spec.publish_classification_findings.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Published, ObserveError> {
        let request = cx.client(Client::new).get_findings_publication_configuration();
        let answer = cx.read(GET, "", request.send()).await?;
        let said = told("securityHubConfiguration", answer.security_hub_configuration())?;
        Ok(Published {
            policy: told("publishPolicyFindings", said.publish_policy_findings())?,
            classification: told(
                "publishClassificationFindings",
                said.publish_classification_findings(),
            )?,
        })
    }

    fn diff(look: &Look<'_, Session>, now: &Published) -> Vec<Change<Published>> {
        let (policy, classification) =
            (look.spec.publish_policy_findings, look.spec.publish_classification_findings);
        let mut drift = Drift::new();
        drift.compare("publish_policy_findings", Some(&now.policy), policy.as_ref());
        let there = Some(&now.classification);
        drift.compare("publish_classification_findings", there, classification.as_ref());
        if drift.is_empty() {
            return Vec::new();
        }
        let wanted = Published {
            policy: policy.unwrap_or(now.policy),
            classification: classification.unwrap_or(now.classification),
        };
        let hidden =
            (now.policy && !wanted.policy) || (now.classification && !wanted.classification);
        let change = Change::new(wanted, drift);
        let change = if look.is_new() { change } else { change.independent() };
        vec![match hidden {
            true => {
                look.disruptive(change, "who looks at Security Hub no longer sees these findings")
            }
            false => change,
        }]
    }

    fn calls(_write: &Published) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Published) -> Result<(), WriteError> {
        let both = SecurityHubConfiguration::builder()
            .publish_policy_findings(wanted.policy)
            .publish_classification_findings(wanted.classification)
            .build();
        let request = cx.client(Client::new).put_findings_publication_configuration();
        cx.send(PUT, request.security_hub_configuration(both).send()).await
    }

    fn undo(_write: &Published, before: &Published) -> Undo<Published> {
        Undo::By(vec![*before])
    }

    fn export(now: &Published, spec: &mut Spec) {
        spec.publish_policy_findings = Some(now.policy);
        spec.publish_classification_findings = Some(now.classification);
    }
}
