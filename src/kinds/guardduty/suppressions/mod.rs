//! `guardduty.suppressions`: what keeps findings from being seen. Reports only.

mod observe;
pub mod spec;

use std::collections::BTreeMap;

use crate::kinds::guardduty::detector;
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use};
use spec::{AllowedFilter, AllowedList, Criteria, Spec, State, Trusted};

/// The kind.
pub struct Suppressions;

impl Audit for Suppressions {
    const NAME: &'static str = "guardduty.suppressions";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP04"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(detector::LIST),
        Use::read_if(observe::FILTERS, filters),
        Use::read_if(observe::FILTER, filters),
        Use::read_if(observe::IP_SETS, ip_sets),
        Use::read_if(observe::IP_SET, ip_sets),
        Use::read_if(observe::ENTITY_SETS, entity_sets),
        Use::read_if(observe::ENTITY_SET, entity_sets),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "guardduty.amazonaws.com:CreateFilter",
        "guardduty.amazonaws.com:UpdateFilter",
        "guardduty.amazonaws.com:DeleteFilter",
        "guardduty.amazonaws.com:CreateIPSet",
        "guardduty.amazonaws.com:UpdateIPSet",
        "guardduty.amazonaws.com:DeleteIPSet",
        "guardduty.amazonaws.com:CreateTrustedEntitySet",
        "guardduty.amazonaws.com:UpdateTrustedEntitySet",
        "guardduty.amazonaws.com:DeleteTrustedEntitySet",
        "guardduty.amazonaws.com:CreateDetector",
        "guardduty.amazonaws.com:DeleteDetector",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;
    type State = State;

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![Object::present("", observe::observe(cx, spec).await?)])
    }

    fn judge(_facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let mut findings = Findings::new();
        if let (Some(allowed), Some(there)) = (&spec.allowed_filters, &state.filters) {
            judge_filters(&mut findings, allowed, there);
        }
        let lists = [
            ("allowed_ip_sets", &spec.allowed_ip_sets, &state.ip_sets, "IP addresses", "ip-set"),
            (
                "allowed_trusted_entity_sets",
                &spec.allowed_trusted_entity_sets,
                &state.trusted_entity_sets,
                "entities",
                "trusted-entity-set",
            ),
        ];
        for (field, allowed, there, what, command) in lists {
            if let (Some(allowed), Some(there)) = (allowed, there) {
                judge_lists(&mut findings, field, allowed, there, (what, command));
            }
        }
        findings
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let filter = |(name, criteria): (&String, &Criteria)| {
            (name.clone(), AllowedFilter { finding_criteria: Some(criteria.clone()) })
        };
        let filters = state.filters.as_ref().map(|all| all.iter().map(filter).collect());
        Some(Spec {
            allowed_filters: filters,
            allowed_ip_sets: state.ip_sets.as_deref().map(allowed),
            allowed_trusted_entity_sets: state.trusted_entity_sets.as_deref().map(allowed),
        })
    }
}

fn filters(spec: &Spec) -> bool {
    spec.allowed_filters.is_some()
}

fn ip_sets(spec: &Spec) -> bool {
    spec.allowed_ip_sets.is_some()
}

fn entity_sets(spec: &Spec) -> bool {
    spec.allowed_trusted_entity_sets.is_some()
}

/// Lists as they are allowed, of which one name may stand for several.
fn allowed(lists: &[Trusted]) -> BTreeMap<String, AllowedList> {
    let of = |one: &Trusted| {
        let is_single = lists.iter().filter(|other| other.name == one.name).count() == 1;
        (one.name.clone(), AllowedList { location: is_single.then(|| one.location.clone()) })
    };
    lists.iter().map(of).collect()
}

fn judge_filters(
    findings: &mut Findings,
    allowed: &BTreeMap<String, AllowedFilter>,
    there: &BTreeMap<String, Criteria>,
) {
    findings.judge("allowed_filters", Some(false), "", "", "");
    for (name, criteria) in there {
        let wanted = match allowed.get(name) {
            None => "no filter that archives".to_owned(),
            Some(AllowedFilter { finding_criteria: Some(wanted) }) if wanted != criteria => {
                format!("archives {}", words(wanted))
            }
            Some(_) => continue,
        };
        findings.judge(
            &format!("allowed_filters.{name}"),
            Some(true),
            format!("archives {}", words(criteria)),
            wanted,
            format!(
                "what this filter archives is told to nobody and shown to nobody who looks at current findings: look \
                 who made it (CloudTrail, CreateFilter and UpdateFilter), look through archived findings, and take it \
                 away (aws guardduty delete-filter --filter-name {name}), or declare it in allowed_filters"
            ),
        );
    }
}

/// Which findings, in words.
fn words(criteria: &Criteria) -> String {
    match criteria.is_empty() {
        true => "all findings".to_owned(),
        false => {
            let each = criteria.iter().map(|(attribute, condition)| {
                let text = serde_json::to_string(condition).unwrap_or_default();
                format!("{attribute} {text}")
            });
            each.collect::<Vec<_>>().join(" and ")
        }
    }
}

fn judge_lists(
    findings: &mut Findings,
    field: &str,
    allowed: &BTreeMap<String, AllowedList>,
    there: &[Trusted],
    (what, command): (&str, &str),
) {
    findings.judge(field, Some(false), "", "", "");
    for Trusted { name, location } in there {
        let wanted = match allowed.get(name) {
            None => "no such list".to_owned(),
            Some(AllowedList { location: Some(wanted) }) if wanted != location => {
                format!("a list at {wanted}")
            }
            Some(_) => continue,
        };
        findings.judge(
            &format!("{field}.{name}"),
            Some(true),
            format!("a list at {location}"),
            wanted,
            format!(
                "of {what} on this list GuardDuty makes no finding: look who made it (CloudTrail) and what is on it, \
                 and take it away (aws guardduty delete-{command}), or declare it in {field}"
            ),
        );
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
