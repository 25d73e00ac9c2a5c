//! What an analyzer of unused or internal access looks for.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_accessanalyzer::Client;
use aws_sdk_accessanalyzer::types::{
    AnalysisRule, AnalysisRuleCriteria, AnalyzerConfiguration, InternalAccessAnalysisRule,
    InternalAccessAnalysisRuleCriteria, InternalAccessConfiguration, ResourceType,
    UnusedAccessConfiguration,
};
use serde::{Deserialize, Serialize};

use super::spec::{AnalyzerType, Exclusion, Inclusion, Spec};
use super::{Analyzer, Place, analyzer};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, count, sendable, told,
};
use crate::names::Arn;

const GET: Call = Call::new("accessanalyzer", "GetAnalyzer");
const UPDATE: Call = Call::new("accessanalyzer", "UpdateAnalyzer");
/// Source: IAM Access Analyzer API Reference, `AnalysisRuleCriteria`.
const MOST_ACCOUNTS: usize = 2_000;

pub struct Configured;

/// All of it; AWS replaces it as a whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Configuration {
    unused_access_age: Option<u32>,
    exclusions: BTreeSet<Exclusion>,
    inclusions: BTreeSet<Inclusion>,
}

impl Configuration {
    /// What is declared, for an analyzer that is made.
    pub fn declared(spec: &Spec) -> Self {
        Self::default().with(spec)
    }

    /// The same with what is declared in its place.
    fn with(&self, spec: &Spec) -> Self {
        Self {
            unused_access_age: spec.unused_access_age.or(self.unused_access_age),
            exclusions: spec.exclusions.clone().unwrap_or_else(|| self.exclusions.clone()),
            inclusions: spec.inclusions.clone().unwrap_or_else(|| self.inclusions.clone()),
        }
    }

    /// Compares what is declared.
    pub fn compare(&self, spec: &Spec, drift: &mut Drift) {
        drift.compare(
            "unused_access_age",
            self.unused_access_age.as_ref(),
            spec.unused_access_age.as_ref(),
        );
        drift.compare("exclusions", Some(&self.exclusions), spec.exclusions.as_ref());
        drift.compare("inclusions", Some(&self.inclusions), spec.inclusions.as_ref());
    }

    /// As a request takes it; an analyzer of external access has none.
    pub fn send(&self, of_type: AnalyzerType) -> Result<Option<AnalyzerConfiguration>, WriteError> {
        if of_type.is_internal() {
            let inclusions = self.inclusions.iter().map(send_inclusion).collect();
            let rule = InternalAccessAnalysisRule::builder().set_inclusions(Some(inclusions));
            let internal = InternalAccessConfiguration::builder().analysis_rule(rule.build());
            return Ok(Some(AnalyzerConfiguration::InternalAccess(internal.build())));
        }
        if !of_type.is_unused() {
            return Ok(None);
        }
        let age = self.unused_access_age.map(|age| sendable("unusedAccessAge", age)).transpose()?;
        let exclusions = self.exclusions.iter().map(send_exclusion).collect();
        let rule = AnalysisRule::builder().set_exclusions(Some(exclusions)).build();
        let unused =
            UnusedAccessConfiguration::builder().set_unused_access_age(age).analysis_rule(rule);
        Ok(Some(AnalyzerConfiguration::UnusedAccess(unused.build())))
    }

    fn of(said: &AnalyzerConfiguration) -> Result<Self, ObserveError> {
        match said {
            AnalyzerConfiguration::UnusedAccess(unused) => Ok(Self {
                unused_access_age: Some(count(
                    "unusedAccessAge",
                    told("unusedAccessAge", unused.unused_access_age())?,
                )?),
                // An analyzer without exclusions has no rule, or one without any.
                exclusions: unused
                    .analysis_rule()
                    .map(|rule| rule.exclusions().iter().map(read_exclusion).collect())
                    .unwrap_or_default(),
                inclusions: BTreeSet::new(),
            }),
            AnalyzerConfiguration::InternalAccess(internal) => Ok(Self {
                // Likewise.
                inclusions: internal
                    .analysis_rule()
                    .map(|rule| rule.inclusions().iter().map(read_inclusion).collect())
                    .unwrap_or_default(),
                ..Self::default()
            }),
            _ => Err(ObserveError::UnknownValue {
                field: "configuration".to_owned(),
                value: "a configuration of another type".to_owned(),
            }),
        }
    }
}

fn send_exclusion(one: &Exclusion) -> AnalysisRuleCriteria {
    let accounts = one.account_ids.iter().cloned().collect::<Vec<_>>();
    let tags = one.resource_tags.iter().map(|tags| tags.clone().into_iter().collect());
    let tags = tags.collect::<Vec<HashMap<_, _>>>();
    AnalysisRuleCriteria::builder()
        .set_account_ids(Some(accounts).filter(|list| !list.is_empty()))
        .set_resource_tags(Some(tags).filter(|list| !list.is_empty()))
        .build()
}

fn read_exclusion(said: &AnalysisRuleCriteria) -> Exclusion {
    let tags = said.resource_tags().iter();
    Exclusion {
        account_ids: said.account_ids().iter().cloned().collect(),
        resource_tags: tags.map(|tags| tags.clone().into_iter().collect()).collect(),
    }
}

fn send_inclusion(one: &Inclusion) -> InternalAccessAnalysisRuleCriteria {
    let accounts = one.account_ids.iter().cloned().collect::<Vec<_>>();
    let types = one.resource_types.iter().map(|name| ResourceType::from(name.as_str()));
    let types = types.collect::<Vec<_>>();
    let arns = one.resource_arns.iter().cloned().collect::<Vec<_>>();
    InternalAccessAnalysisRuleCriteria::builder()
        .set_account_ids(Some(accounts).filter(|list| !list.is_empty()))
        .set_resource_types(Some(types).filter(|list| !list.is_empty()))
        .set_resource_arns(Some(arns).filter(|list| !list.is_empty()))
        .build()
}

fn read_inclusion(said: &InternalAccessAnalysisRuleCriteria) -> Inclusion {
    let types = said.resource_types().iter();
    Inclusion {
        account_ids: said.account_ids().iter().cloned().collect(),
        resource_types: types.map(|name| name.as_str().to_owned()).collect(),
        resource_arns: said.resource_arns().iter().cloned().collect(),
    }
}

impl Part for Configured {
    type Of = Analyzer;
    type Now = Configuration;
    type Write = Configuration;

    const NAME: &'static str = "configuration";
    const CALLS: &'static [Use<Spec>] =
        &[Use::read_if(GET, Self::is_declared), Use::write_if(UPDATE, Self::is_declared, analyzer)];

    fn is_declared(spec: &Spec) -> bool {
        spec.unused_access_age.is_some() || spec.exclusions.is_some() || spec.inclusions.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Configuration, ObserveError> {
        // An analyzer of another type than the declared one is only reported.
        if !place.of_type.is_unused() && !place.of_type.is_internal() {
            return Ok(Configuration::default());
        }
        let name = &place.analyzer_name;
        let request = cx.client(Client::new).get_analyzer().analyzer_name(name);
        // The list leaves the configuration out.
        let answer = cx.read(GET, name, request.send()).await?;
        let analyzer = told("analyzer", answer.analyzer())?;
        Configuration::of(told("configuration", analyzer.configuration())?)
    }

    fn diff(look: &Look<'_, Analyzer>, now: &Configuration) -> Vec<Change<Configuration>> {
        let mut drift = Drift::new();
        now.compare(look.spec, &mut drift);
        // A new analyzer is made with it.
        if drift.is_empty() || look.is_new() {
            return Vec::new();
        }
        let then = now.with(look.spec);
        let sees_less = !then.exclusions.is_subset(&now.exclusions)
            || !now.inclusions.is_subset(&then.inclusions);
        let change = Change::new(then, drift);
        vec![if sees_less {
            look.disruptive(
                change,
                "weaker than before: what is no longer looked at has no findings any more",
            )
        } else {
            change
        }]
    }

    fn calls(_write: &Configuration) -> Vec<Call> {
        vec![UPDATE]
    }

    async fn write(cx: &WriteCx, place: &Place, then: &Configuration) -> Result<(), WriteError> {
        let request = cx
            .client(Client::new)
            .update_analyzer()
            .analyzer_name(&place.analyzer_name)
            .set_configuration(then.send(place.of_type)?);
        cx.send(UPDATE, request.send()).await
    }

    fn undo(_write: &Configuration, before: &Configuration) -> Undo<Configuration> {
        Undo::By(vec![before.clone()])
    }

    fn export(now: &Configuration, spec: &mut Spec) {
        if spec.of_type.is_unused() {
            spec.unused_access_age = now.unused_access_age;
            spec.exclusions = Some(now.exclusions.clone());
        }
        if spec.of_type.is_internal() {
            spec.inclusions = Some(now.inclusions.clone());
        }
    }
}

pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut problem = |field: &str, message: &str, help: &str| {
        problems.push(SpecProblem::new(field, message, help));
    };
    for (field, declared, fits, of) in [
        ("unused_access_age", spec.unused_access_age.is_some(), spec.of_type.is_unused(), "unused"),
        ("exclusions", spec.exclusions.is_some(), spec.of_type.is_unused(), "unused"),
        ("inclusions", spec.inclusions.is_some(), spec.of_type.is_internal(), "internal"),
    ] {
        if declared && !fits {
            let message = format!("an analyzer of the type {} has none", spec.of_type.as_str());
            let help = format!("leave it out: it is for analyzers of {of} access");
            problem(field, &message, &help);
        }
    }
    let exclusions = spec.exclusions.iter().flatten();
    let inclusions = spec.inclusions.iter().flatten();
    for one in exclusions.clone().filter(|one| **one == Exclusion::default()) {
        let _ = one;
        problem("exclusions", "an entry that says nothing", "name account_ids or resource_tags");
    }
    for one in inclusions.clone().filter(|one| **one == Inclusion::default()) {
        let _ = one;
        problem(
            "inclusions",
            "an entry that says nothing",
            "name account_ids, resource_types or resource_arns",
        );
    }
    for one in inclusions.clone() {
        let known = ResourceType::values();
        if let Some(other) = one.resource_types.iter().find(|name| !known.contains(&name.as_str()))
        {
            let message = format!("Access Analyzer knows no resources of the type {other:?}");
            problem("inclusions", &message, &format!("write one of {}", known.join(", ")));
        }
        if let Some(other) = one.resource_arns.iter().find(|arn| Arn::parse(arn).is_none()) {
            problem("inclusions", &format!("{other:?} is no ARN"), "write the ARN of the resource");
        }
    }
    let accounts = exclusions.map(|one| ("exclusions", &one.account_ids));
    let accounts = accounts.chain(inclusions.map(|one| ("inclusions", &one.account_ids)));
    for (field, ids) in accounts.filter(|(_, ids)| !ids.is_empty()) {
        if !spec.of_type.is_of_organization() {
            problem(
                field,
                "AWS takes account_ids for analyzers of an organization alone",
                "leave them out, or declare an analyzer of the organization",
            );
        }
        if ids.len() > MOST_ACCOUNTS {
            problem(field, "AWS takes up to 2,000 accounts", "name fewer");
        }
        let is_id = |id: &&String| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(id) = ids.iter().find(|id| !is_id(id)) {
            problem(field, &format!("{id:?} is no account"), "write its twelve digits");
        }
    }
    problems
}
