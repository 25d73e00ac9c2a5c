//! What lowers the metric again, as other filters of the log group can: what one adds to a metric, another takes away.

use serde::{Deserialize, Serialize};

use super::filter::{self, DESCRIBE};
use super::{LogAlarm, Place, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError};

pub struct Others;

/// The filters of the group that lower the metric, each in words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now(pub Vec<String>);

/// There is nothing to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

impl Part for Others {
    type Of = LogAlarm;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = "other_filters";
    const CALLS: &'static [Use<Spec>] = &[Use::read(DESCRIBE)];

    fn is_declared(_: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        let lowering = filter::lowering(cx, spec, place).await?;
        Ok(Now(lowering))
    }

    fn diff(look: &Look<'_, LogAlarm>, now: &Now) -> Vec<Change<Write>> {
        if now.0.is_empty() {
            return Vec::new();
        }
        let mut drift = Drift::new();
        drift.add("metric_value", Some(now.0.join("; ")), look.spec.metric_value.as_ref());
        vec![Change::finding(drift).withhold(
            "what is counted is taken away from the metric again, so that the alarm may never hear of it: let such a \
             filter feed another metric, or give it no negative value, nor a negative default",
        )]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_: &WriteCx, _: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _: &Now) -> Undo<Write> {
        match *write {}
    }

    fn export(_: &Now, _: &mut Spec) {}
}
