//! What guards hold back: a reason that holds for many objects is said once, for all of them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::group::Group;
use crate::names::AccountId;
use crate::plan::words::counted;
use crate::plan::{Disposition, Guard, Held, Plan, Sort};

/// Objects up to which each says the reason itself.
const FEW: usize = 3;
/// Reasons that are said once.
const SAID: usize = 3;

/// The reasons for which many objects are held back, as they hold for all accounts.
#[derive(Debug, Default)]
pub struct HeldTogether {
    in_several_accounts: bool,
    /// By the words.
    reasons: BTreeMap<String, Shared>,
}

/// A reason that several objects share.
#[derive(Debug)]
struct Shared {
    guard: Guard,
    objects: usize,
    accounts: BTreeSet<AccountId>,
}

impl HeldTogether {
    /// Those of a plan.
    pub fn of(plan: &Plan) -> Self {
        let mut all =
            Self { in_several_accounts: plan.targets.len() > 1, reasons: BTreeMap::new() };
        for object in plan.objects.of(Sort::Drifted) {
            if let Some(held) = object.changes.iter().find_map(|change| change.held()) {
                let words = all.words(held, object.account.as_str());
                let new = || Shared { guard: held.guard, objects: 0, accounts: BTreeSet::new() };
                let shared = all.reasons.entry(words).or_insert_with(new);
                shared.objects += 1;
                if !shared.accounts.contains(&object.account) {
                    shared.accounts.insert(object.account.clone());
                }
            }
        }
        let mut counts: Vec<usize> = all.reasons.values().map(|shared| shared.objects).collect();
        counts.sort_unstable_by_key(|count| std::cmp::Reverse(*count));
        let least = counts.get(SAID - 1).copied().unwrap_or_default().max(FEW + 1);
        all.reasons.retain(|_, shared| shared.objects >= least);
        // Of two reasons of one guard, each object says its own.
        let mut of_guard: BTreeMap<Guard, usize> = BTreeMap::new();
        for shared in all.reasons.values() {
            *of_guard.entry(shared.guard).or_default() += 1;
        }
        all.reasons.retain(|_, shared| of_guard.get(&shared.guard) == Some(&1));
        all
    }

    fn words(&self, held: &Held, account: &str) -> String {
        match self.in_several_accounts {
            true => held.to_string().replace(account, "${account.id}"),
            false => held.to_string(),
        }
    }

    /// `73 objects, by budget: …; released by: …`, for each reason.
    pub fn lines(&self) -> impl Iterator<Item = String> + '_ {
        self.reasons.iter().map(|(words, shared)| {
            let words = match shared.accounts.first().filter(|_| shared.accounts.len() == 1) {
                Some(only) => words.replace("${account.id}", only.as_str()),
                None => words.clone(),
            };
            format!("{}, {words}", counted(shared.objects, "object"))
        })
    }

    /// Why the changes of a group with a disposition are not applied, and the word before it; short where
    /// the reason is said for all.
    pub fn why_not(
        &self,
        group: &Group<'_>,
        disposition: &Disposition,
    ) -> Option<(&'static str, Cow<'static, str>)> {
        let (word, reason) = disposition.why_not()?;
        let short = match disposition {
            Disposition::HeldBack(held)
                if self.reasons.contains_key(&self.words(held, group.first.account.as_str())) =>
            {
                Some(format!("by {}, like the others: the summary says why", held.guard))
            }
            _ => None,
        };
        Some((word, Cow::Owned(short.unwrap_or_else(|| group.for_all(&reason)))))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::group::group;
    use crate::plan::render::testing::{account, change, object, plan};

    fn held(number: usize, why: &str) -> crate::plan::ObjectPlan {
        let held = json!({"is": "held_back", "guard": "budget", "reason": why, "released_by": "x"});
        object(
            number,
            json!({
                "item": format!("iam.role.r{number}"),
                "changes": [change(json!({"disposition": held}))],
            }),
        )
    }

    #[test]
    fn what_holds_for_many_is_said_once() {
        let of = |number: usize| held(number, &format!("9 changes of {}", account(number)));
        let few = plan(3, (1..=3).map(of).collect());
        let together = HeldTogether::of(&few);
        assert_eq!(together.lines().count(), 0);
        let groups = group(&few, Sort::Drifted);
        let said = groups[0].disposition().and_then(|it| together.why_not(&groups[0], it)).unwrap();
        assert!(said.1.contains("9 changes of"), "{said:?}");

        let mut objects: Vec<_> = (1..=4).map(of).collect();
        objects.push(held(4, "something else"));
        let many = plan(4, objects);
        let together = HeldTogether::of(&many);
        let lines: Vec<_> = together.lines().collect();
        assert_eq!(lines, ["4 objects, by budget: 9 changes of ${account.id}; released by: x"]);
        let words: Vec<_> = group(&many, Sort::Drifted)
            .iter()
            .filter_map(|it| together.why_not(it, it.disposition()?))
            .map(|(word, words)| format!("{word} {words}"))
            .collect();
        let short = "held back by budget, like the others: the summary says why";
        assert_eq!(words.iter().filter(|words| *words == short).count(), 4, "{words:?}");
        assert!(words.iter().any(|words| words.contains("something else")), "{words:?}");
    }

    #[test]
    fn of_two_reasons_of_one_guard_each_says_its_own() {
        let of = |number: usize, count: usize| {
            held(number, &format!("{count} changes of {}", account(number)))
        };
        let mut objects: Vec<_> = (0..4).map(|_| of(1, 12)).collect();
        objects.extend((0..4).map(|_| of(2, 8)));
        let two = plan(2, objects);
        assert_eq!(HeldTogether::of(&two).lines().count(), 0);
        // One reason of one account names it.
        let one = plan(2, (0..4).map(|_| of(1, 12)).collect());
        let lines: Vec<_> = HeldTogether::of(&one).lines().collect();
        assert_eq!(
            lines,
            [format!("4 objects, by budget: 12 changes of {}; released by: x", account(1))]
        );
    }
}
