//! The writes of runs that died, or that the store did not hear of to their end: what is found of them is remembered.

use super::super::drift_key::key;
use super::super::event::{Recovered, Told};
use super::Remembered;
use crate::plan::{Plan, Verdict};
use crate::store::StoreError;
use crate::store::audit::{Closed, Record, Writer};
use crate::store::history::{DriftKey, Intent, OutcomeAbout, OutcomeWord};

impl Remembered {
    /// Looks after the writes in which another controller died, whose lease we have taken over: nothing of
    /// it is sent any more, and what came of them is seen on what was observed since.
    pub(super) fn take_over(&self, told: &Told<'_>, plan: &Plan) -> Result<(), StoreError> {
        let tokens = self.noted().tokens.clone();
        if tokens.is_empty() {
            return Ok(());
        }
        let store = self.store.clone();
        let open = self.store.wait(async move { store.unfinished(None).await })?;
        let is_over = |intent: &Intent| {
            let ours = tokens.get(&intent.account);
            ours.is_some_and(|ours| intent.token.is_none_or(|token| token < *ours))
        };
        for intent in open.iter().filter(|intent| is_over(intent)) {
            let of_intent = DriftKey {
                account: intent.account.clone(),
                region: intent.region.clone(),
                item: intent.item.clone(),
                object: intent.object.clone(),
            };
            let mut objects = plan.objects.each();
            let Some(object) = objects.find(|object| key(object) == of_intent) else { continue };
            if matches!(object.verdict, Verdict::Unknown(_)) {
                continue;
            }
            let about = OutcomeAbout {
                after: Some(serde_json::to_value(&object.observed)?),
                in_sync: Some(object.verdict == Verdict::InSync),
                observed_in: Some(told.run.to_owned()),
                ..OutcomeAbout::default()
            };
            let who = &intent.actor;
            self.end(told, &intent.run, intent.change, OutcomeWord::Recovered, about, who)?;
            self.was_killed(&intent.run)?;
        }
        Ok(())
    }

    /// Notes that a run was killed.
    pub(super) fn was_killed(&self, run: &str) -> Result<(), StoreError> {
        let (store, run) = (self.store.clone(), run.to_owned());
        self.store.wait(async move { store.note_killed(&run).await })
    }

    /// What a run of this audit log was about to do when it or the store was gone, and what came of it
    /// by the log.
    pub(super) fn catch_up(&self, told: &Told<'_>, log: &Writer) -> Result<(), StoreError> {
        let store = self.store.clone();
        let open = self.store.wait(async move { store.unfinished(None).await })?;
        for intent in open {
            let Some(closed) = log.outcome(&intent.run, intent.change) else { continue };
            let outcome = match closed {
                Closed::Applied => OutcomeWord::Applied,
                Closed::Failed | Closed::Found => OutcomeWord::Failed,
                Closed::Recovered => OutcomeWord::Recovered,
            };
            let about = OutcomeAbout {
                error: (closed == Closed::Failed).then(|| "see the audit log".to_owned()),
                ..OutcomeAbout::default()
            };
            self.end(told, &intent.run, intent.change, outcome, about, &intent.actor)?;
        }
        Ok(())
    }

    /// A write during which a run died was looked after.
    pub(super) fn recovered(
        &self,
        told: &Told<'_>,
        intent: &Record,
        found: Recovered<'_>,
        by: &str,
    ) -> Result<(), StoreError> {
        let about = OutcomeAbout {
            after: found.after.map(serde_json::to_value).transpose()?,
            in_sync: Some(found.in_sync),
            observed_in: Some(told.run.to_owned()),
            ..OutcomeAbout::default()
        };
        let end = |told: &Told<'_>, about| {
            self.end(told, &intent.run, intent.change, OutcomeWord::Recovered, about, by)
        };
        match end(told, about.clone()) {
            Err(StoreError::Impossible { .. }) => {}
            ended => return ended,
        }
        // It died before the store had it; or the log is older than the store, or another controller has
        // looked already.
        let (store, lacking) = (self.store.clone(), intent.clone());
        match self.store.wait(async move { store.take_over_intent(&lacking).await })? {
            // What the store did not hear of was not sent: it was in nobody's way since.
            true => end(&Told { time: intent.time, ..*told }, about),
            false => Ok(()),
        }
    }
}
