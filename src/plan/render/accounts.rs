//! The accounts that a plan says nothing else of: those that nobody could look at, alike failures
//! once, and those that were left out.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::plan::words::{named, shortened_list, without_request};
use crate::plan::{FailedAccount, Plan, SkippedAccount};

/// Accounts that failed in the same way.
#[derive(Debug)]
pub struct Failed<'a> {
    /// One of them, for what they share.
    first: &'a FailedAccount,
    /// All of them.
    pub accounts: Vec<&'a FailedAccount>,
}

/// The accounts that could not be looked at; what few have comes first.
pub fn failed(plan: &Plan) -> Vec<Failed<'_>> {
    let mut groups: Vec<Failed<'_>> = Vec::new();
    let mut places: BTreeMap<(String, Option<String>), usize> = BTreeMap::new();
    for account in &plan.failed {
        let mark = (
            alike(account, &account.reason),
            account.remedy.as_deref().map(|it| alike(account, it)),
        );
        match places.get(&mark) {
            Some(place) => groups[*place].accounts.push(account),
            None => {
                places.insert(mark, groups.len());
                groups.push(Failed { first: account, accounts: vec![account] });
            }
        }
    }
    groups.sort_by_key(|group| group.accounts.len());
    groups
}

/// A text without what each account has of its own.
fn alike(failed: &FailedAccount, text: &str) -> String {
    without_request(text).replace(failed.account.as_str(), "ACCOUNT")
}

impl Failed<'_> {
    /// The same in every run for the same failure, whoever has it.
    pub fn mark(&self) -> String {
        alike(self.first, &self.first.reason)
    }

    /// `111122223333 (payments)`, or `57 accounts: …` with the first few.
    pub fn who(&self, few: usize) -> String {
        let names =
            self.accounts.iter().map(|account| named(&account.account, account.name.as_deref()));
        who(names.collect(), few)
    }

    /// Why, as it holds for all.
    pub fn reason(&self) -> Cow<'_, str> {
        self.for_all(&self.first.reason)
    }

    /// What to do next, as it holds for all.
    pub fn remedy(&self) -> Option<Cow<'_, str>> {
        self.first.remedy.as_deref().map(|remedy| self.for_all(remedy))
    }

    fn for_all<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match self.accounts.len() {
            1 => Cow::Borrowed(text),
            _ => without_request(text).replace(self.first.account.as_str(), "${account.id}").into(),
        }
    }
}

/// The accounts that were left out, by reason: who, and why.
pub fn left_out(plan: &Plan, few: usize) -> Vec<(String, &str)> {
    let mut reasons: BTreeMap<&str, Vec<&SkippedAccount>> = BTreeMap::new();
    for skipped in &plan.skipped {
        reasons.entry(&skipped.reason).or_default().push(skipped);
    }
    let mut groups: Vec<_> = reasons.into_iter().collect();
    groups.sort_by_key(|(_, accounts)| accounts.len());
    groups
        .into_iter()
        .map(|(reason, accounts)| {
            let names = accounts.iter().map(|skip| named(&skip.account, skip.name.as_deref()));
            (who(names.collect(), few), reason)
        })
        .collect()
}

fn who(names: Vec<String>, few: usize) -> String {
    match names.len() {
        1 => names.concat(),
        count => format!("{count} accounts: {}", shortened_list(&names, few)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::plan::render::testing::plan;

    #[test]
    fn alike_failures_are_one() {
        let mut plan = plan(1, Vec::new());
        let failure = |number: u32, what: &str| {
            let id = format!("{number:012}");
            serde_json::from_value(json!({
                "account": id, "name": format!("team-{number}"),
                "reason": format!("cannot assume role/{id}: {what} (request {number}-f)"),
                "remedy": "look at the role",
            }))
            .unwrap()
        };
        plan.failed = (10..67).map(|number| failure(number, "denied")).collect();
        plan.failed.push(failure(99, "no answer"));
        let groups = failed(&plan);
        assert_eq!(groups.len(), 2);
        assert_eq!(groups[0].who(3), "000000000099 (team-99)");
        assert_eq!(groups[0].reason(), "cannot assume role/000000000099: no answer (request 99-f)");
        assert_eq!(
            groups[1].who(3),
            "57 accounts: 000000000010 (team-10), 000000000011 (team-11), 000000000012 (team-12) and 54 more"
        );
        assert_eq!(groups[1].reason(), "cannot assume role/${account.id}: denied");
        plan.skipped = serde_json::from_value(json!([
            {"account": "000000000001", "name": "old", "reason": "suspended"},
            {"account": "000000000002", "reason": "closed"},
            {"account": "000000000003", "reason": "suspended"},
        ]))
        .unwrap();
        assert_eq!(
            left_out(&plan, 3),
            [
                ("000000000002".to_owned(), "closed"),
                ("2 accounts: 000000000001 (old), 000000000003".to_owned(), "suspended"),
            ]
        );
    }
}
