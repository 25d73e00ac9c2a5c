//! Whether the analyzer works.

use aws_sdk_accessanalyzer::types::{AnalyzerStatus, AnalyzerSummary};
use serde::{Deserialize, Serialize};

use super::{Analyzer, Place, Spec, analyzers};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

pub struct Status;

/// There is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

impl Part for Status {
    type Of = Analyzer;
    /// What is wrong, in AWS's words.
    type Now = Option<String>;
    type Write = Write;

    const NAME: &'static str = "status";
    const CALLS: &'static [Use<Spec>] = &[];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Option<String>, ObserveError> {
        let all = analyzers(cx).await?;
        let there = all.iter().find(|one| one.name() == place.analyzer_name);
        problem(told("analyzers", there)?)
    }

    fn diff(_look: &Look<'_, Analyzer>, now: &Option<String>) -> Vec<Change<Write>> {
        let Some(problem) = now else { return Vec::new() };
        let mut drift = Drift::new();
        drift.add("type.status", Some(problem), Some("ACTIVE"));
        vec![Change::finding(drift).withhold(
            "the analyzer finds nothing until what AWS names is put right: trusted access of access-analyzer.amazonaws.com, the delegated administrator, or the service-linked role; an analyzer that stays so must be deleted by somebody, and evenkeel makes another",
        )]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _before: &Option<String>) -> Undo<Write> {
        match *write {}
    }

    fn export(_now: &Option<String>, _spec: &mut Spec) {}
}

/// What is wrong with an analyzer, if anything is.
fn problem(one: &AnalyzerSummary) -> Result<Option<String>, ObserveError> {
    match one.status() {
        AnalyzerStatus::Active => Ok(None),
        AnalyzerStatus::Creating => Err(ObserveError::Pending {
            reason: format!("AWS is still making the analyzer {}", one.name()),
            remedy: "run again in a few minutes".to_owned(),
        }),
        status @ (AnalyzerStatus::Disabled | AnalyzerStatus::Failed) => {
            let reason = one.status_reason().map(|reason| reason.code().as_str());
            let words = [Some(status.as_str()), reason];
            Ok(Some(words.into_iter().flatten().collect::<Vec<_>>().join(": ")))
        }
        other => Err(ObserveError::UnknownValue {
            field: "status".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}
