//! Jobs that must be there and at work.

use std::collections::BTreeMap;

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::LastRunErrorStatusCode;
use serde::{Deserialize, Serialize};

use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, known, told,
};

const LIST: Call = Call::new("macie2", "ListClassificationJobs");
const NAME: &str = "classification_jobs";

pub struct Jobs;

aws_enum! {
    /// How a job fares.
    JobStatus {
        Running = "RUNNING",
        Idle = "IDLE",
        Complete = "COMPLETE",
        Paused = "PAUSED",
        UserPaused = "USER_PAUSED",
        Cancelled = "CANCELLED",
    }
}

/// A job, of which Macie may have several with one name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub status: JobStatus,
    /// Whether something went wrong when it last ran.
    pub failed: bool,
}

/// There is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

impl Part for Jobs {
    type Of = Session;
    type Now = BTreeMap<String, Vec<Job>>;
    type Write = Write;

    const NAME: &'static str = NAME;
    const CALLS: &'static [Use<Spec>] = &[Use::read_if(LIST, Self::is_declared)];

    fn is_declared(spec: &Spec) -> bool {
        spec.classification_jobs.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        let pages = cx.client(Client::new).list_classification_jobs().into_paginator().send();
        let listed = cx.list(LIST, "", pages, "items", |page| page.items).await?;
        let mut jobs: BTreeMap<String, Vec<Job>> = BTreeMap::new();
        for one in listed.iter() {
            let name = told("items.name", one.name())?;
            let status = told("items.jobStatus", one.job_status())?;
            // A job that has not run yet has none.
            let failed = match one.last_run_error_status().and_then(|last| last.code()) {
                None | Some(LastRunErrorStatusCode::None) => false,
                Some(LastRunErrorStatusCode::Error) => true,
                Some(other) => {
                    return Err(ObserveError::UnknownValue {
                        field: "items.lastRunErrorStatus.code".to_owned(),
                        value: other.as_str().to_owned(),
                    });
                }
            };
            let status = known("items.jobStatus", status.as_str())?;
            jobs.entry(name.to_owned()).or_default().push(Job { status, failed });
        }
        Ok(jobs)
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Write>> {
        compared::mark(NAME);
        let declared = look.spec.classification_jobs.iter().flatten();
        declared
            .filter_map(|name| judge(name, now.get(name).map_or(&[][..], Vec::as_slice)))
            .collect()
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _before: &Self::Now) -> Undo<Write> {
        match *write {}
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        let at_work = now.iter().filter(|(_, jobs)| jobs.iter().any(Job::is_at_work));
        let names: std::collections::BTreeSet<_> = at_work.map(|(name, _)| name.clone()).collect();
        spec.classification_jobs = Some(names).filter(|names| !names.is_empty());
    }
}

impl Job {
    fn is_at_work(&self) -> bool {
        matches!(self.status, JobStatus::Running | JobStatus::Idle | JobStatus::Complete)
            && !self.failed
    }
}

/// What is to be said of a declared job.
fn judge(name: &str, there: &[Job]) -> Option<Change<Write>> {
    if there.iter().any(Job::is_at_work) {
        return None;
    }
    let help = match there.last() {
        None => "make the job: evenkeel makes none".to_owned(),
        Some(Job { status: JobStatus::Cancelled, .. }) => {
            "nobody resumes a job that was cancelled: make it anew, and look who cancelled it (CloudTrail, UpdateClassificationJob)".to_owned()
        }
        Some(Job { status: JobStatus::UserPaused, .. }) => {
            "resume the job within 30 days, or Macie cancels it".to_owned()
        }
        Some(Job { status: JobStatus::Paused, .. }) => {
            "the account's monthly quota of analyzed data is used up: raise it, or wait".to_owned()
        }
        Some(_) => "something went wrong when the job last ran: its log in CloudWatch Logs (/aws/macie/classificationjobs) says what".to_owned(),
    };
    let mut drift = Drift::new();
    let words = |job: &Job| match job.failed {
        true => format!("{}, its last run with errors", job.status.as_str()),
        false => job.status.as_str().to_owned(),
    };
    drift.add(&format!("{NAME}.{name}"), there.last().map(words), Some("at work"));
    Some(Change::finding(drift).withhold(help))
}
