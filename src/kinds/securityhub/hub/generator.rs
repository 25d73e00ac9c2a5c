//! What a check of a control makes findings for.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::ControlFindingGenerator;
use serde::{Deserialize, Serialize};

use super::spec::Generator;
use super::{Hub, Place, Spec, UPDATE, hub};
use crate::aws::Call;
use crate::kinds::securityhub::{administrator, described};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, told,
};

pub struct FindingGenerator;

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    /// Always there, but for a hub that is not made yet.
    pub word: Option<Generator>,
    /// Who decides it in the account's place.
    pub administrator: Option<String>,
}

impl Part for FindingGenerator {
    type Of = Hub;
    type Now = Now;
    type Write = Generator;

    const NAME: &'static str = "control_finding_generator";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(UPDATE, Self::is_declared, hub)];

    fn is_declared(spec: &Spec) -> bool {
        spec.control_finding_generator.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let hub = told("DescribeHub", described(cx).await?)?;
        let word = told("ControlFindingGenerator", hub.control_finding_generator())?;
        Ok(Now {
            word: Some(known("ControlFindingGenerator", word.as_str())?),
            administrator: administrator::of(cx).await?,
        })
    }

    fn diff(look: &Look<'_, Hub>, now: &Now) -> Vec<Change<Generator>> {
        compared::mark(Self::NAME);
        // Security Hub is turned on with it.
        let Some(wanted) = look.spec.control_finding_generator.filter(|_| !look.is_new()) else {
            return Vec::new();
        };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, now.word.as_ref(), Some(&wanted)) {
            return Vec::new();
        }
        let change = look.disruptive(
            Change::new(wanted, drift).independent(),
            "ids and titles of findings change, so that automations and filters by the old ones no longer match; for about a day there are both",
        );
        vec![match &now.administrator {
            Some(account) => Change { action: None, ..change }.withhold(format!(
                "a member has what its administrator account {account} has: change it there"
            )),
            None => change,
        }]
    }

    fn calls(_write: &Generator) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, generator: &Generator) -> Result<(), WriteError> {
        let generator = ControlFindingGenerator::from(generator.as_str());
        let request = cx.client(Client::new).update_security_hub_configuration();
        cx.send(UPDATE, request.control_finding_generator(generator).send()).await
    }

    fn undo(_write: &Generator, before: &Now) -> Undo<Generator> {
        Undo::By(before.word.into_iter().collect())
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.control_finding_generator = now.word;
    }
}
