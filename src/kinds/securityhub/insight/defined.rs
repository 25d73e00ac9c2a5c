//! What an insight counts, which is made and replaced as a whole.

use aws_sdk_securityhub::Client;
use aws_sdk_securityhub::types::Insight as Said;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::attributes::{self, Filters, normal};
use super::spec::Spec;
use super::{CREATE, Insight, Place, create, hub, insights};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, compared, told,
};

const UPDATE: Call = Call::new("securityhub", "UpdateInsight");
const DELETE: Call = Call::new("securityhub", "DeleteInsight");

pub struct Definition;

/// All of an insight but its name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Defined {
    pub group_by_attribute: String,
    pub filters: Filters,
}

/// A write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// Has one that is there count this.
    Put(Defined),
    /// Makes one; only to take back that it was deleted.
    Make(Defined),
    /// Deletes it; only to undo that it was made.
    Delete,
}

/// The write that undoes that an insight was made.
pub fn deleting() -> (&'static str, Value) {
    (Definition::NAME, json!(Write::Delete))
}

/// The write that would have made it.
pub fn making(defined: &Defined) -> Option<Value> {
    serde_json::to_value(Write::Make(defined.clone())).ok()
}

impl Defined {
    /// What is declared.
    pub fn declared(spec: &Spec) -> Self {
        let group_by_attribute = spec.group_by_attribute.clone();
        Self { group_by_attribute, filters: normal(&spec.filters) }
    }

    /// What AWS says of an insight.
    pub fn of(said: &Said) -> Result<Self, ObserveError> {
        let group_by_attribute = told("Insights.GroupByAttribute", said.group_by_attribute())?;
        Ok(Self {
            group_by_attribute: group_by_attribute.to_owned(),
            filters: attributes::read(told("Insights.Filters", said.filters())?)?,
        })
    }

    /// Compares what is declared, each attribute for itself; to what is not there, all of it is new.
    pub fn compare(now: Option<&Self>, spec: &Spec, drift: &mut Drift) {
        compared::mark("filters");
        let wanted = Self::declared(spec);
        let grouped = now.map(|now| &now.group_by_attribute);
        drift.compare("group_by_attribute", grouped, Some(&wanted.group_by_attribute));
        let none = Filters::new();
        let filters = now.map_or(&none, |now| &now.filters);
        for (name, conditions) in &wanted.filters {
            drift.compare(&format!("filters.{name}"), filters.get(name), Some(conditions));
        }
        for (name, conditions) in filters {
            if !wanted.filters.contains_key(name) {
                drift.add(&format!("filters.{name}"), Some(conditions), None::<&Value>);
            }
        }
    }
}

impl Part for Definition {
    type Of = Insight;
    type Now = Defined;
    type Write = Write;

    const NAME: &'static str = "defined";
    const CALLS: &'static [Use<Spec>] = &[Use::write(UPDATE, hub), Use::undo(DELETE, hub)];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Defined, ObserveError> {
        let arn = told("InsightArn", place.arn.as_deref())?;
        let all = insights(cx).await?;
        let one = all.iter().find(|one| one.insight_arn() == Some(arn));
        Defined::of(told("Insights", one)?)
    }

    fn diff(look: &Look<'_, Insight>, now: &Defined) -> Vec<Change<Write>> {
        let mut drift = Drift::new();
        Defined::compare(Some(now), look.spec, &mut drift);
        // A new insight is made with it.
        if drift.is_empty() || look.is_new() {
            return Vec::new();
        }
        vec![Change::new(Write::Put(Defined::declared(look.spec)), drift)]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match write {
            Write::Put(_) => vec![UPDATE, super::LIST],
            Write::Make(_) => vec![CREATE, super::LIST],
            Write::Delete => vec![DELETE, super::LIST],
        }
    }

    async fn write(cx: &WriteCx, place: &Place, write: &Write) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match write {
            Write::Put(defined) => {
                let request = client
                    .update_insight()
                    .insight_arn(place.found(cx).await?)
                    .group_by_attribute(&defined.group_by_attribute)
                    .filters(attributes::send(&defined.filters)?);
                cx.send(UPDATE, request.send()).await
            }
            Write::Make(defined) => create(cx, place, defined).await.map(drop),
            Write::Delete => {
                let request = client.delete_insight().insight_arn(place.found(cx).await?);
                cx.remove(DELETE, request.send(), &["ResourceNotFoundException"]).await
            }
        }
    }

    fn undo(write: &Write, before: &Defined) -> Undo<Write> {
        match write {
            Write::Put(_) => Undo::By(vec![Write::Put(before.clone())]),
            Write::Make(_) => Undo::By(vec![Write::Delete]),
            Write::Delete if *before == Defined::default() => {
                Undo::Impossible("nothing was there before it".to_owned())
            }
            Write::Delete => Undo::By(vec![Write::Make(before.clone())]),
        }
    }

    fn export(now: &Defined, spec: &mut Spec) {
        spec.group_by_attribute = now.group_by_attribute.clone();
        spec.filters = now.filters.clone();
    }
}
