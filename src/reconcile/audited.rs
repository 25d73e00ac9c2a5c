//! The audit log as a listener: what is about to be written, and what came of it, is on the disk
//! before the run goes on.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::event::{ListenError, Listener, Recovered, RunEvent, Told};
use crate::plan::{Guard, ObjectPlan, Plan};
use crate::store::audit::{AuditError, AuditLog, Phase, Record};

/// Writes the events of a plan's run into an audit log.
pub struct Audited<'a> {
    log: &'a AuditLog,
    /// The baseline of the plan: name and digest.
    baseline: String,
    /// The guards that somebody overruled for the run.
    overruled: Vec<String>,
}

impl<'a> Audited<'a> {
    /// For the run of a plan.
    pub fn new(log: &'a AuditLog, plan: &Plan) -> Self {
        let baseline = format!("{}@{}", plan.baseline.name, plan.baseline.digest);
        Self { log, baseline, overruled: Vec::new() }
    }

    /// The same for a run for which somebody has overruled guards.
    pub fn overruling(mut self, guards: &BTreeSet<Guard>) -> Self {
        self.overruled = guards.iter().map(ToString::to_string).collect();
        self
    }

    fn append(
        &self,
        told: &Told<'_>,
        object: &ObjectPlan,
        change: u32,
        by: &str,
        token: Option<i64>,
        phase: Phase,
    ) -> Result<(), AuditError> {
        self.log.append(&Record {
            time: told.time,
            run: told.run.to_owned(),
            change,
            account: object.account.clone(),
            region: object.region.clone(),
            item: object.item.clone(),
            object: object.observed.id.clone(),
            by: by.to_owned(),
            baseline: self.baseline.clone(),
            token,
            phase,
        })
    }

    fn record(&self, told: &Told<'_>) -> Result<(), AuditError> {
        match told.event {
            RunEvent::Writing { object, change, before, by, token } => {
                let intent = Phase::Intent {
                    action: change.action.as_deref().cloned().unwrap_or_default(),
                    before: serde_json::to_value(before)?,
                    spec: object.spec.clone(),
                    overruled: self.overruled.clone(),
                };
                self.append(told, object, change.id, by, token, intent)
            }
            RunEvent::Answered { object, change, answer, by } => {
                let phase = match answer {
                    Ok(made) => Phase::Applied { made: made.to_vec() },
                    Err(failed) => Phase::Failed(failed.clone()),
                };
                self.append(told, object, change.id, by, None, phase)
            }
            RunEvent::Verified { object, after, in_sync, by } => {
                let after = after.map_or(Ok(Value::Null), serde_json::to_value)?;
                self.append(told, object, 0, by, None, Phase::Observed { after, in_sync })
            }
            RunEvent::FoundThere { object, change, by } => {
                self.append(told, object, change.id, by, None, Phase::Found)
            }
            RunEvent::Recovered { intent, found: Ok(Recovered { after, in_sync }), by } => {
                let after = after.map(serde_json::to_value).transpose()?;
                self.log.append(&Record {
                    time: told.time,
                    by: by.to_owned(),
                    token: None,
                    phase: Phase::Recovered { after, in_sync },
                    ..intent.clone()
                })
            }
            // It is there all the same.
            RunEvent::SeenSince { intent, now: Recovered { in_sync: true, .. }, by } => {
                self.log.append(&Record {
                    time: told.time,
                    by: by.to_owned(),
                    token: None,
                    phase: Phase::Found,
                    ..intent.clone()
                })
            }
            RunEvent::SeenSince { intent, now: Recovered { after, in_sync }, by } => {
                let absent = || Ok(json!({"id": intent.object, "status": "absent"}));
                let after = after.map_or_else(absent, serde_json::to_value)?;
                self.log.append(&Record {
                    time: told.time,
                    run: told.run.to_owned(),
                    change: 0,
                    by: by.to_owned(),
                    baseline: self.baseline.clone(),
                    token: None,
                    phase: Phase::Observed { after, in_sync },
                    ..intent.clone()
                })
            }
            _ => Ok(()),
        }
    }
}

impl Listener for Audited<'_> {
    fn hear(&self, told: &Told<'_>) -> Result<(), ListenError> {
        Ok(self.record(told)?)
    }
}
