//! Applies a plan: one write at a time, each object observed directly before it, each write told
//! before and after, above all to the audit log, each object observed again afterwards. Only that
//! observation makes a change a success. When an account's last change is written, what the plan could
//! only report there, or did not know, is looked at once more.

mod account;
mod applier;

use std::collections::{BTreeMap, BTreeSet};

use futures::FutureExt;
use futures::stream::{self, StreamExt};
use tracing::Instrument;

use account::{OfAccount, Open, Planned};
pub use applier::Applier;

use super::audited::Audited;
use super::event::{Listener, Stream};
use super::report::ApplyReport;
use super::stop::Stop;
use crate::names::{AccountId, TRACE};
use crate::plan::Plan;

impl Applier<'_> {
    /// Applies the plan's changes: in order within an account, several accounts at the same time.
    /// When the audit log or another listener cannot hear of a step, nothing more is written to AWS
    /// either.
    pub async fn apply(&self, plan: &Plan, listener: &dyn Listener) -> ApplyReport {
        let changes = plan.changes();
        let mut by_account: BTreeMap<&AccountId, Vec<Planned<'_>>> = BTreeMap::new();
        let mut named = BTreeSet::new();
        let order = plan.order.iter().filter(|id| named.insert(**id));
        for (object, change) in order.filter_map(|id| changes.get(id).copied()) {
            by_account.entry(&object.account).or_default().push((object, change));
        }
        let none = BTreeSet::new();
        let overruled = self.guarded.map_or(&none, |guarded| &guarded.overruled);
        let audited = Audited::new(self.audit, plan).overruling(overruled);
        // The audit log first: nobody hears of a write that is not in it.
        let events = Stream::new(&plan.run, vec![&audited, listener]);
        let halt = Stop::default();
        let mut open = Open::of(plan);
        let mut accounts = Vec::new();
        for (account, changes) in by_account {
            let open = open.remove(account).unwrap_or_default();
            let of_account = OfAccount::new(self, plan, &events, &halt, changes, open);
            let span = tracing::debug_span!(target: TRACE, "apply", aws.account = %account);
            let run = async move { (account, of_account.run().await) };
            accounts.push(run.instrument(span).boxed());
        }
        let mut reports: Vec<_> = stream::iter(accounts)
            .buffer_unordered(self.concurrent_accounts.max(1))
            .collect()
            .await;
        reports.sort_by_key(|(account, _)| *account);
        let mut all = ApplyReport::default();
        reports.into_iter().for_each(|(_, report)| all.add(report));
        all
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::super::event::Nobody;
    use super::super::limits::Safety;
    use super::super::locks::AccountLocks;
    use super::super::outcome::RunOutcome;
    use super::super::refusal::Refusal;
    use super::super::report::Step;
    use super::*;
    use crate::guards::KillSwitch;
    use crate::plan::{AccountPlan, BaselineRef, Cost, PlanHead, assemble};
    use crate::store::audit::AuditLog;

    #[tokio::test]
    async fn what_may_not_be_written_is_not_whatever_the_order_says() {
        let object = serde_json::from_value(json!({
            "account": "000000000001", "region": "eu-west-1", "global": true,
            "item": "iam.password_policy", "mode": "report", "controls": [],
            "verdict": {"is": "drifted"}, "spec": null, "state_digest": "",
            "observed": {"id": "", "status": "absent"},
            "changes": [{
                "id": 1, "action": {}, "risk": "safe", "warnings": [], "permissions": [],
                "disposition": {"is": "report", "reason": "mode is \"report\""},
                "depends_on": [], "drift": [],
            }],
        }))
        .unwrap();
        let head = PlanHead {
            run: String::new(),
            baseline: BaselineRef {
                name: String::new(),
                digest: String::new(),
                files: Vec::new(),
                targets: Vec::new(),
            },
            targets: Vec::new(),
            failed: Vec::new(),
            skipped: Vec::new(),
            snapshot: None,
            shards: None,
            cost: Cost::default(),
        };
        let part = AccountPlan { objects: vec![object], in_sync: 0, order: vec![1, 1, 7] };
        let plan = assemble(head, vec![part]);
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("audit.jsonl");
        let applier = Applier {
            sessions: &BTreeMap::new(),
            claimants: &BTreeMap::new(),
            audit: &AuditLog::open(&log).unwrap(),
            locks: &AccountLocks::default(),
            stop: &Stop::default(),
            guarded: None,
            kill_switch: &KillSwitch::default(),
            safety: &Safety::default(),
            concurrent_accounts: 1,
            may_begin: &|| Ok(()),
        };
        let closed = Refusal::OutsideWindow { next: None };
        let late = Applier { may_begin: &|| Err(closed.clone()), ..applier };
        let report = late.apply(&plan, &Nobody).await;
        assert_eq!(report.refused, Some(closed.clone()));
        let held = Step::HeldBack { held: closed.held() };
        assert_eq!(report.outcomes[0].step, held, "{report:?}");
        assert_eq!(report.outcome(), RunOutcome::Refused, "{report:?}");
        let applier = Applier { may_begin: &|| Ok(()), ..late };
        let report = applier.apply(&plan, &Nobody).await;
        assert_eq!(report.outcomes.len(), 1);
        assert!(
            matches!(&report.outcomes[0].step, Step::Failed { error } if error.contains("only reports")),
            "{report:?}"
        );
        assert!(!std::fs::read_to_string(&log).unwrap().contains("intent"));
    }
}
