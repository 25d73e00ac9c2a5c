//! What a plan leaves open: findings, and what is unknown. What the plan writes may put it right, so that
//! it is looked at again once all is written.

use std::collections::BTreeSet;

use super::input::ObservedItem;
use super::moving::names;
use super::order::see_each_other;
use super::outcome::Spot;
use super::{Disposition, Mode, ObjectPlan, Plan, PlannedChange, Verdict};
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::object::Cause;
use crate::names::{AccountId, ItemName, Region};

impl ObjectPlan {
    /// Whether writes to other objects may put it right: somebody else must mend it, it cannot be written
    /// yet, or nobody knows how it is. Items that contradict each other still do so afterwards.
    pub fn is_open(&self) -> bool {
        let may_be_written = self.mode == Mode::Enforce && self.observed.managed_by.is_none();
        let is_left = |change: &PlannedChange| {
            let is_reported = matches!(change.disposition, Disposition::Report { .. });
            is_reported && (change.action.is_none() || may_be_written)
        };
        match &self.verdict {
            Verdict::Unknown(unknown) => unknown.cause != Cause::Contradicted,
            Verdict::Drifted => self.changes.iter().any(is_left),
            Verdict::InSync | Verdict::Skipped { .. } | Verdict::Excepted { .. } => false,
        }
    }

    fn spot(&self) -> Spot {
        (self.account.clone(), self.item.clone(), self.region.clone())
    }
}

impl Plan {
    /// Where the plan would write, and what it leaves open in the same accounts.
    pub fn concerned(&self) -> BTreeSet<Spot> {
        let mut spots = self.changed();
        let accounts: BTreeSet<AccountId> =
            spots.iter().map(|(account, _, _)| account.clone()).collect();
        let open = self.objects.each().filter(|object| object.is_open());
        spots.extend(open.map(|object| object.spot()).filter(|(of, _, _)| accounts.contains(of)));
        spots
    }

    /// Only reports what would be changed elsewhere than in these spots, and waits for none of it.
    pub fn only_report_beside(&mut self, spots: &BTreeSet<Spot>, reason: &str) {
        let mut left = BTreeSet::new();
        let beside = self.objects.iter_mut().filter(|object| !spots.contains(&object.spot()));
        for change in beside.flat_map(|object| &mut object.changes) {
            if change.is_meant() {
                left.insert(change.id);
                change.disposition = Disposition::Report { reason: reason.to_owned() };
            }
        }
        self.order.retain(|id| !left.contains(id));
        for change in self.objects.iter_mut().flat_map(|object| &mut object.changes) {
            change.depends_on.retain(|id| !left.contains(id));
        }
    }

    /// Takes over what a later plan says of what it has [looked at again](Self::concerned).
    pub fn take_over(&mut self, later: &Self) {
        let asked = self.concerned();
        let seen: BTreeSet<&AccountId> =
            later.targets.iter().map(|target| &target.account).collect();
        self.objects
            .retain(|object| !seen.contains(&object.account) || !asked.contains(&object.spot()));
        self.objects.extend(later.objects.each().map(std::borrow::Cow::into_owned));
    }
}

/// A thing that the plan writes.
struct Written {
    item: ItemName,
    region: Option<Region>,
    name: String,
    /// Whether there is no other of its kind in its place.
    is_only_one: bool,
}

/// Says of a finding that the plan writes something that it depends on, where that is known: by what its
/// item refers to, or because its kind comes after a kind that is there once.
pub fn foretell(
    objects: &mut [ObjectPlan],
    items: &[&ObservedItem],
    kind: &dyn Fn(&str) -> Option<&'static dyn DynKind>,
) {
    let region = |object: &ObjectPlan| (!object.global).then(|| object.region.clone());
    let is_only_one =
        |name: &str| kind(name).is_some_and(|kind| kind.identity() == Identity::Singleton);
    let changed = objects.iter().filter(|object| object.is_changed());
    let written: Vec<Written> = changed
        .map(|object| Written {
            item: object.item.clone(),
            region: region(object),
            name: object.observed.id.clone(),
            is_only_one: is_only_one(&object.item.kind),
        })
        .collect();
    let is_finding = |change: &PlannedChange| change.action.is_none();
    let open = objects.iter_mut().filter(|object| object.verdict == Verdict::Drifted);
    for object in open.filter(|object| object.changes.iter().any(is_finding)) {
        let after = kind(&object.item.kind).map(DynKind::after).unwrap_or_default();
        let declared = items.iter().find(|item| item.declared.item == object.item);
        let refers = |item: &ItemName| {
            declared.is_some_and(|one| {
                one.declared.references.values().any(|items| items.contains(item))
            })
        };
        let here = region(object);
        let depends = |on: &&Written| {
            on.item != object.item
                && see_each_other(here.as_ref(), on.region.as_ref())
                && (refers(&on.item)
                    || (!on.name.is_empty() && names(&object.spec, &on.name))
                    || (on.is_only_one && after.contains(&on.item.kind.as_str())))
        };
        let Some(on) = written.iter().find(depends) else { continue };
        let hope = format!(
            "; this plan changes {}, and apply looks at this again once that is written",
            on.item
        );
        for change in object.changes.iter_mut().filter(|change| is_finding(change)) {
            if let Disposition::Report { reason } = &mut change.disposition {
                reason.push_str(&hope);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::registry;
    use crate::plan::render::testing::{change, object, plan};

    fn finding(id: u32) -> serde_json::Value {
        let mut finding =
            change(json!({ "id": id, "disposition": {"is": "report", "reason": "mend it"} }));
        finding.as_object_mut().unwrap().remove("action");
        finding
    }

    fn topic(key: &str) -> ObjectPlan {
        object(
            1,
            json!({
                "item": "sns.topic.alerts", "global": false, "changes": [finding(2)],
                "spec": { "name": "alerts", "kms_master_key_id": key },
                "observed": { "id": "alerts", "status": "present", "state": {} },
            }),
        )
    }

    fn key() -> ObjectPlan {
        object(
            1,
            json!({
                "item": "kms.key.alerts", "global": false, "changes": [change(json!({"id": 1}))],
                "observed": { "id": "alias/alerts", "status": "present", "state": {} },
            }),
        )
    }

    fn reason(object: &ObjectPlan) -> &str {
        match &object.changes[0].disposition {
            Disposition::Report { reason } => reason,
            _ => "",
        }
    }

    #[test]
    fn a_finding_says_that_the_plan_changes_what_it_names() {
        let mut objects = [key(), topic("alias/alerts"), topic("alias/others")];
        foretell(&mut objects, &[], &registry::find);
        assert!(reason(&objects[1]).contains("this plan changes kms.key.alerts"));
        assert_eq!(reason(&objects[2]), "mend it");
        let rule =
            object(1, json!({ "item": "config.rule.r", "global": false, "changes": [finding(3)] }));
        let recorder = object(
            1,
            json!({ "item": "config.recorder", "global": false, "changes": [change(json!({"id": 4}))] }),
        );
        let mut objects = [rule, recorder, key()];
        foretell(&mut objects, &[], &registry::find);
        assert!(reason(&objects[0]).contains("this plan changes config.recorder"));
    }

    #[test]
    fn what_is_open_where_something_is_written_is_looked_at_again() {
        let elsewhere = object(2, json!({ "changes": [finding(3)] }));
        let unknown = |cause: &str| {
            let verdict = json!({ "is": "unknown", "reason": "denied", "cause": cause });
            object(1, json!({ "item": "iam.root_user", "changes": [], "verdict": verdict }))
        };
        let plan = plan(2, vec![key(), topic("x"), elsewhere, unknown("unread")]);
        let items: Vec<String> =
            plan.concerned().iter().map(|(_, item, _)| item.to_string()).collect();
        assert_eq!(items, ["iam.root_user", "kms.key.alerts", "sns.topic.alerts"]);
        assert!(!unknown("contradicted").is_open());
    }

    #[test]
    fn what_is_looked_at_beside_is_neither_written_nor_waited_for() {
        let topic = object(
            1,
            json!({
                "item": "sns.topic.alerts", "global": false,
                "changes": [change(json!({ "id": 2, "depends_on": [1] }))],
            }),
        );
        let mut plan = plan(1, vec![key(), topic]);
        plan.order = vec![1, 2];
        let of_topic = std::iter::once(plan.objects[1].spot()).collect();
        plan.only_report_beside(&of_topic, "not in the plan");
        assert_eq!(plan.order, [2]);
        assert!(plan.objects[1].changes[0].depends_on.is_empty());
        assert_eq!(reason(&plan.objects[0]), "not in the plan");
    }

    #[test]
    fn what_was_seen_again_takes_the_place_of_what_was_seen() {
        let elsewhere = object(2, json!({ "changes": [finding(3)] }));
        let mut earlier = plan(2, vec![key(), topic("x"), elsewhere]);
        let later = plan(1, vec![key()]);
        earlier.take_over(&later);
        let items: Vec<String> = earlier.objects.iter().map(ObjectPlan::title).collect();
        assert_eq!(items.len(), 2, "{items:?}");
        assert!(items[0].contains("000000000002") && items[1].contains("kms.key.alerts"));
    }
}
