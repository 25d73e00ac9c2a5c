//! One direction of a group: the declared rules against those that are there.

use std::collections::BTreeSet;

use super::peer::{Group, Peer, Same};
use super::room::{self, QUOTA};
use super::rule::Rule;
use super::written::Written;
use super::{Action, Addition, Interface, NewRule, SeenRule, Spec, State, Step};
use crate::kinds::spec::InUse;
use crate::kinds::{Change, Drift, Facts, GrantClass, Risk, compared};

/// How many network interfaces a warning names.
const NAMED_INTERFACES: usize = 5;

/// A direction of a group with what is declared of it.
pub struct Direction<'a> {
    pub facts: &'a Facts,
    pub spec: &'a Spec,
    pub state: &'a State,
    pub egress: bool,
}

impl Direction<'_> {
    /// The changes, which stand behind `before` others of the group. The directions need nothing of
    /// each other, and what closes a door waits for nothing.
    pub fn changes(&self, declared: &[Written], before: usize) -> Vec<Change<Action>> {
        // A rule that validation would have refused is compared with nothing: the group is unknown.
        let Some(declared) = self.declared(declared) else { return Vec::new() };
        compared::mark(self.field());
        let there = self.there();
        let mut changes = Vec::new();
        let mut missing = Vec::new();
        for rule in &declared {
            let of = |same| there.iter().find(|seen| rule.is(&seen.rule) == same);
            match (of(Same::Yes), of(Same::Untold)) {
                (Some(_), _) => {}
                (None, Some(seen)) => changes.push(self.untold(rule, seen)),
                (None, None) => missing.push(rule.clone()),
            }
        }
        let extra: Vec<&SeenRule> = there
            .iter()
            .filter(|seen| declared.iter().all(|rule| rule.is(&seen.rule) == Same::No))
            .collect();
        let all: Vec<&Rule> = there.iter().map(|seen| &seen.rule).collect();
        let going: Vec<&Rule> = extra.iter().map(|seen| &seen.rule).collect();
        let goes_first = room::to_go_first(&all, &missing, &going);
        let (mut first, mut later) = (Vec::new(), Vec::new());
        for (place, seen) in extra.into_iter().enumerate() {
            let list = if goes_first.contains(&place) { &mut first } else { &mut later };
            list.push(seen.clone());
        }
        let place = before + changes.len();
        let waits_for_room = !first.is_empty();
        if waits_for_room {
            changes.push(self.revoke(first).independent().warn(format!(
                "AWS's default quota is {QUOTA} rules a direction for IPv4 and for IPv6, and the \
                 new rules have no room beside the old ones: these go first, and for a moment the \
                 group allows less than before or after",
            )));
        }
        if !missing.is_empty() {
            let authorize = self.authorize(missing);
            changes.push(match waits_for_room {
                true => authorize.needs([place]),
                false => authorize.independent(),
            });
        }
        if !later.is_empty() {
            changes.push(self.revoke(later).independent().makes_room());
        }
        changes
    }

    fn field(&self) -> &'static str {
        if self.egress { "egress" } else { "ingress" }
    }

    fn there(&self) -> &[SeenRule] {
        if self.egress { &self.state.egress } else { &self.state.ingress }
    }

    fn words(&self, rule: &Rule) -> String {
        rule.words(self.egress, &self.facts.account)
    }

    fn act(&self, step: Step) -> Action {
        Action { group_id: self.state.group_id.clone(), egress: self.egress, step }
    }

    /// The declared rules, each once; of a group with and without its account the former.
    fn declared(&self, declared: &[Written]) -> Option<Vec<Rule>> {
        let rules: BTreeSet<Rule> = declared
            .iter()
            .map(|written| {
                let rule = Rule::try_from(written).ok()?;
                Some(rule.seen_within(&self.state.group_id, &self.facts.account))
            })
            .collect::<Option<_>>()?;
        let is_said_better =
            |rule: &Rule| rules.iter().any(|other| other != rule && rule.is(other) == Same::Yes);
        Some(rules.iter().filter(|rule| !is_said_better(rule)).cloned().collect())
    }

    /// A rule whose peer may be the declared one: AWS names no account.
    fn untold(&self, declared: &Rule, there: &SeenRule) -> Change<Action> {
        let mut drift = Drift::new();
        drift.add(self.field(), Some(self.words(&there.rule)), Some(self.words(declared)));
        Change::finding(drift).withhold(
            "AWS does not say whose the other group is, as it does for one that has been deleted; \
             when it is gone, take the rule out of the baseline",
        )
    }

    fn authorize(&self, missing: Vec<Rule>) -> Change<Action> {
        let mut drift = Drift::new();
        for rule in &missing {
            drift.add(self.field(), None::<&str>, Some(self.words(rule)));
        }
        let is_new = |rule: &&Rule| !self.there().iter().any(|seen| seen.rule.covers(rule));
        let opens: Vec<(Option<GrantClass>, String)> = missing
            .iter()
            .filter(is_new)
            // What goes out gives nobody rights here.
            .map(|rule| (self.opens_to(rule.peer()).filter(|_| !self.egress), self.words(rule)))
            .collect();
        let way = if self.egress { "may go out" } else { "is let in" };
        let rules = missing.into_iter().map(|rule| NewRule { rule, description: None }).collect();
        let step = Step::Authorize(Addition { rules, ..Addition::default() });
        opens.into_iter().fold(Change::new(self.act(step), drift), |change, (class, words)| {
            let change = change.warn(format!("weaker than before: {words} {way}"));
            match class {
                Some(class) => change.grant(class, words),
                None => change,
            }
        })
    }

    /// Whether whoever is let in is everybody, or of another account. S3 calls ranges larger than
    /// these public as well (S3 User Guide, "The meaning of 'public'").
    fn opens_to(&self, peer: &Peer) -> Option<GrantClass> {
        match peer {
            Peer::Ipv4(range) if range.prefix_len() < 8 => Some(GrantClass::Public),
            Peer::Ipv6(range) if range.prefix_len() < 32 => Some(GrantClass::Public),
            Peer::Group(Group { account: Some(account), .. }) if *account != self.facts.account => {
                Some(GrantClass::Foreign)
            }
            _ => None,
        }
    }

    fn revoke(&self, extra: Vec<SeenRule>) -> Change<Action> {
        let mut drift = Drift::new();
        for seen in &extra {
            drift.add(self.field(), Some(self.words(&seen.rule)), None::<&str>);
        }
        let change = Change::new(self.act(Step::Revoke(extra)), drift);
        if self.state.used_by.is_empty() {
            return change;
        }
        let users = users(&self.state.used_by);
        let lose = if self.state.used_by.len() == 1 { "loses" } else { "lose" };
        let change = change.risk(Risk::Disruptive).warn(format!("{users} {lose} this traffic"));
        match self.spec.in_use.unwrap_or_default() {
            InUse::Enforce => change,
            InUse::Report => change.withhold(format!(
                "the group is in use by {users}; move them to groups of their own, or set in_use = \"enforce\""
            )),
        }
    }
}

/// `eni-1 (i-1), eni-2 and 3 more`.
fn users(interfaces: &[Interface]) -> String {
    let mut names: Vec<String> = interfaces
        .iter()
        .take(NAMED_INTERFACES)
        .map(|interface| match &interface.user {
            Some(user) => format!("{} ({user})", interface.network_interface_id),
            None => interface.network_interface_id.clone(),
        })
        .collect();
    let more = interfaces.len().saturating_sub(NAMED_INTERFACES);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names.join(", ")
}
