//! How soon repetitions of a finding are told.

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::FindingPublishingFrequency;

use super::spec::Frequency;
use super::{Place, Session, Spec, UPDATE, session};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, told,
};

pub struct PublishingFrequency;

impl Part for PublishingFrequency {
    type Of = Session;
    /// Always there, but for a session that is not made yet.
    type Now = Option<Frequency>;
    type Write = Frequency;

    const NAME: &'static str = "finding_publishing_frequency";
    const CALLS: &'static [Use<Spec>] = &[Use::write_if(UPDATE, Self::is_declared, everywhere)];

    fn is_declared(spec: &Spec) -> bool {
        spec.finding_publishing_frequency.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let session = told("findingPublishingFrequency", session(cx).await?)?;
        let word = told("findingPublishingFrequency", session.finding_publishing_frequency())?;
        known("findingPublishingFrequency", word.as_str()).map(Some)
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Frequency>> {
        compared::mark(Self::NAME);
        let Some(wanted) = look.spec.finding_publishing_frequency.filter(|_| !look.is_new()) else {
            return Vec::new();
        };
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, now.as_ref(), Some(&wanted)) {
            return Vec::new();
        }
        vec![Change::new(wanted, drift).independent()]
    }

    fn calls(_write: &Frequency) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, _place: &Place, frequency: &Frequency) -> Result<(), WriteError> {
        let frequency = FindingPublishingFrequency::from(frequency.as_str());
        let request = cx.client(Client::new).update_macie_session();
        cx.send(UPDATE, request.finding_publishing_frequency(frequency).send()).await
    }

    fn undo(_write: &Frequency, before: &Self::Now) -> Undo<Frequency> {
        Undo::By(before.iter().copied().collect())
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.finding_publishing_frequency = *now;
    }
}
