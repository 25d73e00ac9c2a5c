//! Whether a trail delivers to the log group: without one, no event of CloudTrail is ever counted.

use serde::{Deserialize, Serialize};

use super::{LogAlarm, Place, Spec};
use crate::aws::Call;
use crate::kinds::cloudtrail::trail::delivery::{self, Delivering};
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, Facts, ObserveError, Undo, Use, WriteCx, WriteError, compared,
};

pub struct Delivery;

/// The trails that deliver to the group.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now(Vec<Delivering>);

#[cfg(test)]
impl From<Vec<Delivering>> for Now {
    fn from(trails: Vec<Delivering>) -> Self {
        Self(trails)
    }
}

/// There is nothing to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

const FIELD: &str = "require_trail";

fn is_asked(spec: &Spec) -> bool {
    spec.require_trail == Some(true)
}

/// The ARN of a group in the form in which trails have it.
fn group_arn(facts: &Facts, group: &str) -> String {
    let Facts { partition, region, account, .. } = facts;
    format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:*")
}

impl Part for Delivery {
    type Of = LogAlarm;
    type Now = Now;
    type Write = Write;

    const NAME: &'static str = FIELD;
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(delivery::DESCRIBE, is_asked), Use::read_if(delivery::STATUS, is_asked)];

    fn is_declared(spec: &Spec) -> bool {
        spec.require_trail.is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, place: &Place) -> Result<Now, ObserveError> {
        if !is_asked(spec) {
            return Ok(Now::default());
        }
        let group = group_arn(cx, &place.log_group_name);
        Ok(Now(delivery::to_log_group(cx, &group).await?))
    }

    fn diff(look: &Look<'_, LogAlarm>, now: &Now) -> Vec<Change<Write>> {
        compared::mark(FIELD);
        // Of one that is only about to be made, nobody has looked.
        if !is_asked(look.spec) || look.is_new() || now.0.iter().any(Delivering::works) {
            return Vec::new();
        }
        let group = &look.spec.log_group_name;
        let actual = match now.0.as_slice() {
            [] => "no trail delivers to it".to_owned(),
            trails => {
                let words: Vec<String> = trails.iter().map(Delivering::in_words).collect();
                words.join("; ")
            }
        };
        let mut drift = Drift::new();
        drift.add(FIELD, Some(&actual), Some(true));
        vec![Change::finding(drift).withhold(format!(
            "nothing is counted in {group}: {actual}; declare cloud_watch_logs_log_group_arn and is_logging of a cloudtrail.trail, or the group to which a trail delivers"
        ))]
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
