//! The key of a trail's log files: which one it is, whether it works, and whether it lets CloudTrail in.
//!
//! Sources: CloudTrail User Guide, "Configure AWS KMS key policies for CloudTrail" (`GenerateDataKey`, with the
//! ARN of the trail as `aws:SourceArn` and in the encryption context).

use serde_json::json;

use super::diff::Trail;
use super::spec::{Action, Settings, State, Step};
use crate::kinds::kms::let_in::{self, Asking};
use crate::kinds::kms::named::{self, Named};
use crate::kinds::{Change, Drift, Risk, compared};

impl Trail<'_> {
    /// Compares the key by what its names stand for.
    pub(super) fn compare_key(&self, drift: &mut Drift, state: Option<&State>) {
        compared::mark("kms_key_id");
        let key = state.and_then(|state| state.settings.kms_key_id.as_deref());
        let declared = state.and_then(|state| state.declared_key.as_ref());
        let is_same =
            key.is_some_and(|key| declared.is_some_and(|declared| declared.is_behind(key)));
        if !is_same {
            drift.compare_text("kms_key_id", key, self.spec.kms_key_id.as_deref());
        }
    }

    /// Whether the trail has the declared key, and it works.
    pub(super) fn key(&self, state: &State, drift: Drift) -> Option<Change<Action>> {
        let problem = state.declared_key.as_ref().and_then(Named::problem);
        let key = self.spec.kms_key_id.clone()?;
        if drift.is_empty() {
            return self.out_of_order(state, &key, problem);
        }
        let is_alias = named::is_alias(&key);
        let said = self.shut_out(state);
        let settings = Settings { kms_key_id: Some(key), ..Settings::default() };
        let change = Change::new(self.act(Step::Update { settings }), drift)
            .moves()
            .risk(Risk::Disruptive)
            .warn("who reads new log files needs rights to their key");
        Some(match (problem, &state.declared_key) {
            // Another item may be about to make it.
            (Some(_), Some(Named::Missing)) if is_alias => {
                change.warn("the key is not there yet: it must be by the time of this change")
            }
            (Some(problem), _) => change.withhold(format!(
                "CloudTrail could not encrypt with this key: {problem}; no log file would be delivered: put the key right, or declare another"
            )),
            (None, _) => match said {
                Some(said) => change.warn(format!(
                    "{said}: by the time of this change it must be let in, or AWS refuses the key"
                )),
                None => change,
            },
        })
    }

    /// The right key, which does not work or shuts CloudTrail out.
    fn out_of_order(
        &self,
        state: &State,
        key: &str,
        problem: Option<&str>,
    ) -> Option<Change<Action>> {
        let words = match problem {
            Some(problem) => format!(
                "CloudTrail cannot encrypt with this key: {problem}; no log file can be \
                 delivered until the key works again, or another is declared"
            ),
            None => {
                let help = let_in::remedy("kms:GenerateDataKey*");
                format!("{}, so that no log file is delivered: {help}", self.shut_out(state)?)
            }
        };
        let (there, wanted) = named::out_of_order(state.settings.kms_key_id.as_deref(), key);
        let mut drift = Drift::new();
        drift.add("kms_key_id", Some(there), Some(wanted));
        Some(Change::finding(drift).withhold(words))
    }

    /// In what words the declared key shuts CloudTrail out, if it does.
    fn shut_out(&self, state: &State) -> Option<String> {
        let (name, key) = (self.spec.key()?, state.declared_key.as_ref()?.arn()?);
        let partition = self.place.partition;
        let trail = format!(
            "arn:{partition}:cloudtrail:{}:{}:trail/{}",
            self.place.region, self.place.account, self.spec.name
        );
        let says = json!({ "ArnEquals": {
            "aws:SourceArn": trail, "kms:EncryptionContext:aws:cloudtrail:arn": trail,
        } });
        let service = "cloudtrail.amazonaws.com";
        let asking = [Asking::of(service, partition, key, &["kms:GenerateDataKey"], &says)];
        let_in::said(name, state.key_policy.as_deref(), &asking, partition)
    }
}
