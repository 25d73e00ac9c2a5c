//! Whether the topics that a rule sends to are there: to one that has gone, AWS delivers nothing, and the rule says nothing
//! of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Place, Rule, Spec};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::sns::topic;
use crate::kinds::together::all;
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError};
use crate::names::Arn;

pub struct Topics;

/// The declared topics of the account that are not there, by ARN.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Missing(BTreeSet<String>);

#[cfg(test)]
impl From<&str> for Missing {
    fn from(topic: &str) -> Self {
        Self([topic.to_owned()].into())
    }
}

/// There is nothing to write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

/// The declared topics.
fn topics(spec: &Spec) -> impl Iterator<Item = &str> {
    let targets = spec.targets.iter().flatten();
    targets
        .map(|target| target.arn.as_str())
        .filter(|text| Arn::parse(text).is_some_and(|arn| arn.service == "sns"))
}

fn name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

impl Part for Topics {
    type Of = Rule;
    type Now = Missing;
    type Write = Write;

    const NAME: &'static str = "topics";
    const CALLS: &'static [Use<Spec>] = &[Use::read_if(topic::GET, Self::is_declared)];

    fn is_declared(spec: &Spec) -> bool {
        topics(spec).next().is_some()
    }

    async fn read(cx: &Cx, spec: &Spec, _place: &Place) -> Result<Missing, ObserveError> {
        // Those of others cannot be looked at.
        let own = topics(spec).filter(|arn| *arn == topic::arn(cx, name(arn)));
        let looks = own.map(|arn| async move {
            let is_there = topic::is_there(cx, name(arn)).await?;
            Ok::<_, ObserveError>((!is_there).then(|| arn.to_owned()))
        });
        Ok(Missing(all(looks).await?.into_iter().flatten().collect()))
    }

    fn diff(look: &Look<'_, Rule>, Missing(missing): &Missing) -> Vec<Change<Write>> {
        // What a new one sends to may be about to be made as well.
        if missing.is_empty() || look.is_new() {
            return Vec::new();
        }
        let mut drift = Drift::new();
        let targets = look.spec.targets.iter().flatten();
        for target in targets.filter(|target| missing.contains(&target.arn)) {
            let field = format!("targets.{}.arn", target.id);
            drift.add(
                &field,
                Some(format!("{}, which is not there", target.arn)),
                Some(&target.arn),
            );
        }
        let names: Vec<&str> = missing.iter().map(String::as_str).collect();
        vec![Change::finding(drift).withhold(format!(
            "the rule tells nobody there: there is no topic {}; make it (an item sns.topic, and sns.subscription for who hears of it), or declare another",
            names.join(", ")
        ))]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_: &WriteCx, _: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _: &Missing) -> Undo<Write> {
        match *write {}
    }

    fn export(_: &Missing, _: &mut Spec) {}
}
