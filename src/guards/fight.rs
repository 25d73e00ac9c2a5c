//! The detector of fights: when somebody changes the same field of the same object back again and
//! again, writing it stops, with both names, until a person decides.
//!
//! A turn is one write of ours and what became of it. A field that was seen as we wrote it, that is to be
//! written again and is not so any more, was changed back. One that AWS took, and that was never seen as
//! we wrote it, is written in vain, by nobody's fault that we know of: that counts as well, so that within
//! the window runs that come to their end write no field of what is declared more often than the rule says.
//! A write of which nobody knows that AWS took it, as a run that was killed leaves it, says nothing of
//! anybody; nor does one of what was declared otherwise then: whoever changes what is declared changes it
//! back himself.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::at;
use super::object::ObjectKey;
use crate::digest;
use crate::fleet::guards::Fights as Rules;
use crate::kinds::change::FieldDrift;
use crate::plan::{Guard, Held, ObjectPlan};
use crate::store::history::is_before;

/// Where fights are remembered.
pub const FIGHTS: &str = "fight";

/// Somebody who changed something, as AWS told of it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The principal.
    pub principal: String,
    /// The call.
    pub call: String,
    /// When, if that is known.
    #[serde(default)]
    pub time: Option<DateTime<Utc>>,
}

/// What was written of an object of late, and what became of it.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fight {
    /// The object.
    pub object: ObjectKey,
    /// The turns of each field; those of the whole object are under the empty name.
    fields: BTreeMap<String, Vec<Turn>>,
    /// Why nothing is written any more, if that is so.
    stopped: Option<Stopped>,
}

/// One write, and what became of it. There is one for each field of each object that is written: what says
/// nothing is not written down.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Turn {
    wrote: DateTime<Utc>,
    by: String,
    run: String,
    /// What was written, as a digest.
    wanted: String,
    /// What was declared of the object, as a digest; unknown of what an earlier version wrote.
    declared: Option<String>,
    /// What is known of the write.
    #[serde(default, skip_serializing_if = "Came::is_seen")]
    came: Came,
    /// When it was seen not to be so any more, and who changed it if AWS told.
    back: Option<Back>,
}

/// How far a write came, as far as somebody knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Came {
    /// It was about to be sent.
    Begun,
    /// AWS accepted it.
    Accepted,
    /// The object was seen as it was written, which was taken for granted once.
    #[default]
    Seen,
}

impl Came {
    fn is_seen(&self) -> bool {
        *self == Self::Seen
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Back {
    seen: DateTime<Utc>,
    who: Option<Who>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stopped {
    at: DateTime<Utc>,
    field: String,
    turns: Vec<Turn>,
}

/// The turns of the run that wrote last: an edit of a list may be several of them, and was changed back where one
/// of them was.
fn last_run(turns: &[Turn]) -> impl Iterator<Item = &Turn> {
    let run = turns.last().map(|turn| &turn.run);
    turns.iter().rev().take_while(move |turn| Some(&turn.run) == run)
}

/// What differs in a field: a digest of what is there, and one of what is declared.
type Differs = BTreeMap<String, (String, String)>;

/// The fields that differ, several differences of one field taken together.
fn fields(drift: &[FieldDrift]) -> Differs {
    let mut all: BTreeMap<&str, (Vec<_>, Vec<_>)> = BTreeMap::new();
    for one in drift {
        let (actual, desired) = all.entry(one.field.as_str()).or_default();
        actual.push(&one.actual);
        desired.push(&one.desired);
    }
    let of = |(field, (actual, desired)): (&str, (Vec<_>, Vec<_>))| {
        (field.to_owned(), (digest::of(&actual), digest::of(&desired)))
    };
    all.into_iter().map(of).collect()
}

/// What is declared of an object, as a digest: all of it, because what one field says may be written with
/// another one, as the principals of a key are with its policy. Only its beginning: it stands with each field that is
/// written, and tells versions of one declaration apart.
pub fn declared(object: &ObjectPlan) -> String {
    digest::of(&(&object.spec, &object.puts_back)).chars().take(16).collect()
}

impl Fight {
    /// Nothing was written yet.
    pub fn about(object: ObjectKey) -> Self {
        Self { object, fields: BTreeMap::new(), stopped: None }
    }

    /// Sees what differs before it is written: what was accepted of it before is not there any more. Not so
    /// what `run` itself has written: what else it does to a field was planned before that; nor what was
    /// written when something else was `declared`.
    pub fn seen(
        &mut self,
        rules: &Rules,
        drift: &[FieldDrift],
        declared: &str,
        who: Option<&Who>,
        run: Option<&str>,
        now: DateTime<Utc>,
    ) {
        self.forget(rules, now);
        let is_other = |turn: &Turn| {
            run.is_none_or(|run| turn.run != run)
                && turn.declared.as_deref().is_none_or(|then| then == declared)
        };
        for (field, (actual, _)) in fields(drift) {
            let Some(turns) = self.fields.get_mut(&field) else { continue };
            let is_not_so = |turn: &Turn| turn.wanted != actual && is_other(turn);
            let last = last_run(turns).any(is_not_so);
            let last = turns.last_mut().filter(|turn| last && turn.came != Came::Begun);
            if let Some(turn) = last {
                // What somebody did before it was written is not what became of it.
                let is_later = |who: &&Who| who.time.is_none_or(|at| !is_before(at, turn.wrote));
                let who = who.filter(is_later).cloned();
                let back = turn.back.get_or_insert(Back { seen: now, who: None });
                back.who = back.who.take().or(who);
            }
            let lost = turns.iter().filter(|turn| turn.back.is_some()).count();
            if lost >= rules.times && self.stopped.is_none() {
                self.stopped = Some(Stopped { at: now, field, turns: turns.clone() });
            }
        }
    }

    /// Notes that a change is about to be written.
    pub fn writes(
        &mut self,
        drift: &[FieldDrift],
        declared: &str,
        by: &str,
        run: &str,
        now: DateTime<Utc>,
    ) {
        for (field, (_, wanted)) in fields(drift) {
            let (by, run) = (by.to_owned(), run.to_owned());
            let declared = Some(declared.to_owned());
            let turn =
                Turn { wrote: now, by, run, wanted, declared, came: Came::Begun, back: None };
            self.fields.entry(field).or_default().push(turn);
        }
    }

    /// A change that was noted was not accepted: nobody had anything to change back.
    pub fn failed(&mut self, drift: &[FieldDrift]) {
        for field in fields(drift).keys() {
            if let Some(turns) = self.fields.get_mut(field) {
                turns.pop_if(|turn| turn.back.is_none());
            }
        }
        self.fields.retain(|_, turns| !turns.is_empty());
    }

    /// The object was looked at after the writes of a run that did not fail: whether it has what was written.
    pub fn after(&mut self, run: &str, has_it: bool) {
        let turns = self.fields.values_mut().flatten();
        for turn in turns.filter(|turn| turn.run == run && turn.back.is_none()) {
            turn.came = match (has_it, turn.came) {
                (true, _) | (false, Came::Seen) => Came::Seen,
                (false, Came::Begun | Came::Accepted) => Came::Accepted,
            };
        }
    }

    /// The object was seen as declared, and so as it was written last.
    pub fn is_as_written(&mut self) {
        for turns in self.fields.values_mut() {
            if let Some(turn) = turns.last_mut().filter(|turn| turn.back.is_none()) {
                turn.came = Came::Seen;
            }
        }
    }

    /// Forgets what is older than the window. Why writing stopped is not forgotten.
    fn forget(&mut self, rules: &Rules, now: DateTime<Utc>) {
        let first = now - TimeDelta::hours(i64::from(rules.hours));
        for turns in self.fields.values_mut() {
            turns.retain(|turn| turn.wrote > first);
        }
        self.fields.retain(|_, turns| !turns.is_empty());
    }

    /// Whether nothing of it needs to be remembered.
    pub fn is_over(&self, rules: &Rules, now: DateTime<Utc>) -> bool {
        let first = now - TimeDelta::hours(i64::from(rules.hours));
        self.stopped.is_none() && self.fields.values().flatten().all(|turn| turn.wrote <= first)
    }

    /// Why the object is not written any more, if that is so.
    pub fn held(&self) -> Option<Held> {
        let Stopped { field, turns, .. } = self.stopped.as_ref()?;
        let what = if field.is_empty() { "the object" } else { field };
        let ours = |turns: &[&Turn]| {
            together(turns.iter().map(|turn| ("at", at(turn.wrote), turn.by.clone())))
        };
        let theirs = |nobody: &str| {
            let backs = turns.iter().filter_map(|turn| Some((turn, turn.back.as_ref()?)));
            let of = backs.filter_map(|(turn, back)| match (&back.who, turn.came) {
                (Some(Who { principal, call, time }), _) => {
                    Some(("at", at(time.unwrap_or(back.seen)), format!("{principal} ({call})")))
                }
                (None, Came::Seen) => Some(("before", at(back.seen), nobody.to_owned())),
                (None, Came::Begun | Came::Accepted) => None,
            });
            together(of)
        };
        // What became of the others, nobody knows.
        let known: Vec<&Turn> = turns.iter().filter(|turn| turn.came != Came::Begun).collect();
        let in_vain: Vec<&Turn> =
            known.iter().copied().filter(|turn| turn.came == Came::Accepted).collect();
        let reason = if in_vain.len() == known.len() {
            let told = theirs("");
            let told = match told.is_empty() {
                true => String::new(),
                false => format!("; AWS told of changes {told}"),
            };
            format!(
                "{what} was written {} and never seen as written: evenkeel wrote it {}, and AWS accepted \
                 that; AWS keeps it in another form, or it is changed at once{told}",
                times(in_vain.len()),
                ours(&in_vain)
            )
        } else {
            let vain = match in_vain.is_empty() {
                true => String::new(),
                false => format!("; {} it was not seen as written at all", times(in_vain.len())),
            };
            format!(
                "somebody changes {what} back: evenkeel wrote it {}; it was changed back {}{vain}",
                ours(&known),
                theirs("somebody of whom AWS told nothing")
            )
        };
        Some(Held::by(Guard::Fight, reason, format!("evenkeel release {}", self.object)))
    }
}

fn times(number: usize) -> String {
    match number {
        1 => "once".to_owned(),
        number => format!("{number} times"),
    }
}

/// Who did something, each once with all of their times.
fn together(turns: impl Iterator<Item = (&'static str, String, String)>) -> String {
    let mut all: Vec<(&str, String, Vec<String>)> = Vec::new();
    for (word, when, who) in turns {
        match all.iter_mut().find(|one| one.0 == word && one.1 == who) {
            Some((.., times)) => times.push(when),
            None => all.push((word, who, vec![when])),
        }
    }
    let each = all.into_iter();
    let each = each.map(|(word, who, times)| format!("{word} {} by {who}", times.join(", ")));
    each.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
