//! `cloudtrail.event_data_stores`: whether what CloudTrail Lake keeps is kept well. Reports only.

mod observe;
mod spec;

use self::observe::{Federation, Status};
use self::spec::{Expected, Spec, State, Store};
use crate::baseline::catalog::SpecProblem;
use crate::kinds::cloudtrail::trail::selectors::{AdvancedEventSelector, Selectors};
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use};

/// The kind.
pub struct EventDataStores;

impl Audit for EventDataStores {
    const NAME: &'static str = "cloudtrail.event_data_stores";
    const SCOPE: Scope = Scope::Regional;
    const CONTROLS: Controls = Controls { well_architected: &["SEC04-BP02"], ..Controls::NONE };
    const CALLS: &'static [Use<Spec>] = &[Use::read(observe::LIST), Use::read(observe::GET)];
    const MORE_EVENTS: &'static [&'static str] = &[
        "cloudtrail.amazonaws.com:CreateEventDataStore",
        "cloudtrail.amazonaws.com:UpdateEventDataStore",
        "cloudtrail.amazonaws.com:DeleteEventDataStore",
        "cloudtrail.amazonaws.com:RestoreEventDataStore",
        "cloudtrail.amazonaws.com:StartEventDataStoreIngestion",
        "cloudtrail.amazonaws.com:StopEventDataStoreIngestion",
        "cloudtrail.amazonaws.com:EnableFederation",
        "cloudtrail.amazonaws.com:DisableFederation",
    ];
    const SAMPLES: &'static [&'static str] = &spec::SAMPLES;

    type Spec = Spec;
    type State = State;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        spec::check(spec)
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        Ok(vec![Object::present("", observe::observe(cx).await?)])
    }

    fn judge(_facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let mut findings = Findings::new();
        if let Some(expected) = &spec.expected_stores {
            findings.judge("expected_stores", Some(false), "", "", "");
            for (name, expected) in expected {
                judge_expected(&mut findings, name, expected, state.stores.get(name));
            }
        }
        if spec.record_all_management_events.is_some() {
            let wanted = spec.record_all_management_events == Some(true);
            findings.judge(
                "record_all_management_events",
                (!wanted).then_some(false).or_else(|| all_recorded(state).map(|all| !all)),
                "no store takes in every management event",
                "one that does",
                "make a store of all management events (aws cloudtrail create-event-data-store), or rely on a trail (cloudtrail.trail) and leave this field out",
            );
        }
        for ask in ASKS {
            let Some(asked) = (ask.of)(spec) else { continue };
            findings.judge(ask.field, Some(false), "", "", "");
            for (name, store) in &state.stores {
                let is_asked = store.status != Status::PendingDeletion || ask.field == INGESTION;
                if let Some((actual, wanted)) = (ask.weak)(store, asked).filter(|_| is_asked) {
                    let field = format!("{}.{name}", ask.field);
                    let what_to_do = ask.what_to_do.replace("NAME", name);
                    findings.judge(&field, Some(true), actual, wanted, what_to_do);
                }
            }
        }
        findings
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let stores = &object.state()?.stores;
        let kept = || stores.values().filter(|one| one.status != Status::PendingDeletion);
        let all = |is: fn(&Store) -> bool| Some(kept().all(is));
        let expected = stores.iter().filter(|(_, one)| one.status != Status::PendingDeletion);
        let expected = expected.map(|(name, one)| {
            let advanced_event_selectors = Some(one.advanced_event_selectors.clone());
            (name.clone(), Expected { advanced_event_selectors })
        });
        Some(Spec {
            expected_stores: Some(expected.collect()),
            min_retention_period: kept().map(|one| one.retention_period).min(),
            require_termination_protection: all(|one| one.termination_protection),
            require_kms_key: all(|one| one.kms_key_id.is_some()),
            require_multi_region: all(|one| one.multi_region),
            require_organization: all(|one| one.organization),
            require_ingestion: Some(stores.values().all(|one| one.status.takes_in())),
            record_all_management_events: all_recorded(object.state()?),
            allow_federation: Some(kept().any(is_federated)),
        })
    }
}

/// A question to every store: of which field, what is asked, and what is there and wanted where it is weak.
struct Ask {
    field: &'static str,
    of: fn(&Spec) -> Option<u32>,
    weak: fn(&Store, u32) -> Option<(String, String)>,
    /// `NAME` stands for the store's.
    what_to_do: &'static str,
}

const INGESTION: &str = "require_ingestion";

/// What is asked with a number; a switch is 1 when it is on.
const ASKS: &[Ask] = &[
    Ask {
        field: "min_retention_period",
        of: |spec| spec.min_retention_period,
        weak: |store, days| {
            let said = |days| format!("{days} days");
            (store.retention_period < days).then(|| (said(store.retention_period), said(days)))
        },
        what_to_do: "what is older is gone: keep events for longer (aws cloudtrail update-event-data-store --retention-period), or declare that NAME may keep them for less",
    },
    Ask {
        field: "require_termination_protection",
        of: |spec| spec.require_termination_protection.map(u32::from),
        weak: |store, is_on| {
            is_weak(store.termination_protection, is_on, "can be deleted", "is protected")
        },
        what_to_do: "whoever may delete event data stores can take NAME away: protect it (aws cloudtrail update-event-data-store --termination-protection-enabled)",
    },
    Ask {
        field: "require_kms_key",
        of: |spec| spec.require_kms_key.map(u32::from),
        weak: |store, is_on| {
            let is_fine = store.kms_key_id.is_some();
            is_weak(is_fine, is_on, "a key of CloudTrail's", "a KMS key of one's own")
        },
        what_to_do: "give it a key (aws cloudtrail update-event-data-store --kms-key-id); it cannot be taken away again, and who may read NAME needs it",
    },
    Ask {
        field: "require_multi_region",
        of: |spec| spec.require_multi_region.map(u32::from),
        weak: |store, is_on| is_weak(store.multi_region, is_on, "one Region", "all Regions"),
        what_to_do: "what is done in other Regions is not in NAME: take them in (aws cloudtrail update-event-data-store --multi-region-enabled)",
    },
    Ask {
        field: "require_organization",
        of: |spec| spec.require_organization.map(u32::from),
        weak: |store, is_on| {
            is_weak(store.organization, is_on, "this account alone", "all accounts")
        },
        what_to_do: "what other accounts of the organization do is not in NAME: take them in (aws cloudtrail update-event-data-store --organization-enabled), from the management account",
    },
    Ask {
        field: INGESTION,
        of: |spec| spec.require_ingestion.map(u32::from),
        weak: |store, is_on| {
            is_weak(store.status.takes_in(), is_on, store.status.as_str(), "ENABLED")
        },
        what_to_do: "nothing that is done is in NAME any more: look who stopped or deleted it (CloudTrail, StopEventDataStoreIngestion and DeleteEventDataStore), and start it (aws cloudtrail start-event-data-store-ingestion), or within seven days bring it back (aws cloudtrail restore-event-data-store)",
    },
    Ask {
        field: "allow_federation",
        of: |spec| spec.allow_federation.map(u32::from),
        weak: |store, is_allowed| {
            let is_weak = is_allowed == 0 && is_federated(store);
            is_weak.then(|| (store.federation.as_str().to_owned(), "DISABLED".to_owned()))
        },
        what_to_do: "who did what can be read by whomever AWS Lake Formation lets in: look who turned it on (CloudTrail, EnableFederation), and turn it off (aws cloudtrail disable-federation), or declare allow_federation = true",
    },
];

/// What is there and wanted, where a switch is on and the store is not as it asks.
fn is_weak(is_fine: bool, is_on: u32, actual: &str, wanted: &str) -> Option<(String, String)> {
    (is_on == 1 && !is_fine).then(|| (actual.to_owned(), wanted.to_owned()))
}

/// Whether it can be queried from outside, or cannot be ruled out yet.
fn is_federated(store: &Store) -> bool {
    store.federation != Federation::Disabled
}

fn judge_expected(findings: &mut Findings, name: &str, expected: &Expected, there: Option<&Store>) {
    let field = format!("expected_stores.{name}");
    match there.filter(|store| store.status != Status::PendingDeletion) {
        None => findings.judge(
            &field,
            Some(true),
            if there.is_some() { "about to be deleted" } else { "no such store" },
            "a store of this name",
            format!(
                "look who deleted it (CloudTrail, DeleteEventDataStore), and within seven days bring it back (aws cloudtrail restore-event-data-store), or make {name} anew; it is paid for by what it takes in and keeps"
            ),
        ),
        Some(store) => {
            let Some(wanted) = &expected.advanced_event_selectors else { return };
            let form = |list: &[AdvancedEventSelector]| Selectors::Advanced(list.to_vec()).normal();
            let (now, then) = (form(&store.advanced_event_selectors), form(wanted));
            findings.judge(
                &format!("{field}.advanced_event_selectors"),
                Some(!now.mean_the_same_as(&then)),
                words(&store.advanced_event_selectors),
                words(wanted),
                format!(
                    "look who changed which events it takes in (CloudTrail, UpdateEventDataStore), and put it right (aws cloudtrail update-event-data-store --advanced-event-selectors), or declare what {name} takes in now"
                ),
            );
        }
    }
}

/// Selectors as a reader can compare them.
fn words(selectors: &[AdvancedEventSelector]) -> String {
    let conditions: Vec<_> = selectors.iter().map(|one| &one.field_selectors).collect();
    serde_json::to_string(&conditions).unwrap_or_default()
}

/// Whether a store that takes in events takes in every management event; `None` where that cannot be told.
fn all_recorded(state: &State) -> Option<bool> {
    let mut all = Some(false);
    for store in state.stores.values().filter(|one| one.status.takes_in()) {
        match Selectors::Advanced(store.advanced_event_selectors.clone()).missing() {
            Ok(missing) if missing.is_empty() => return Some(true),
            Ok(_) => {}
            Err(_) => all = None,
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
