//! Putting back what a run did: a plan like any other, made from what the history has of the run. An
//! object that is not as the run left it has been moved by somebody since, and is left alone.

mod half;
mod judged;
mod later;
mod looks;
mod needed;
pub mod own;
pub mod still;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Utc;
use serde_json::Value;

use super::again;
use super::limits::Safety;
use super::look::Looked;
use super::named::has_new_ids;
use crate::aws::Session;
use crate::baseline::Mode;
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::stricter::weakened;
use crate::kinds::{Facts, FieldDrift, Object, Status, registry};
use crate::names::AccountId;
use crate::plan::make::{refused, said, state_digest};
use crate::plan::words::title;
use crate::plan::{
    AccountPlan, BaselineRef, Disposition, ObjectPlan, Plan, PlanHead, PlannedChange, PutsBack,
    Verdict, Waiver, WrittenByRun, assemble,
};
use crate::store::history::{ChangeShown, DriftKey, RunShown, What};
use half::{Half, is_left_by_run};
use judged::{Back, Judged, Judgement, Way};
use later::Later;
use looks::{Both, look_at_all, look_at_both, look_by_before};
use needed::{Stays, keep_what_is_needed};
use own::{Seen, Takes};

/// An object of the run that is not put back, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotPutBack {
    /// The object, in words.
    pub title: String,
    /// Why.
    pub why: String,
    /// Whether it is as it was, since an earlier rollback of the run has put it back.
    pub is_back: bool,
}

/// Why an object is not put back.
struct Left {
    why: String,
    is_back: bool,
}

impl From<String> for Left {
    fn from(why: String) -> Self {
        Self { why, is_back: false }
    }
}

impl From<&str> for Left {
    fn from(why: &str) -> Self {
        why.to_owned().into()
    }
}

/// How the plan of a rollback is named, before the run.
const ROLLBACK_OF: &str = "rollback of run ";

/// The run that a plan puts back; `None` when it puts none back.
pub fn rolled_back(plan: &Plan) -> Option<&str> {
    plan.baseline.name.strip_prefix(ROLLBACK_OF)
}

/// The run that the run of a change puts back, by the name and digest of its baseline.
fn of_baseline(baseline: &str) -> Option<&str> {
    baseline.strip_prefix(ROLLBACK_OF)?.split('@').next()
}

/// Why an object is left alone that is neither as the run left it nor on its way back.
const CHANGED: &str = "it is not as the run left it: somebody has changed it since the run, or a later run of evenkeel has \
     (evenkeel history)";

/// Why one is left alone that was not as the run wrote it when that looked at it afterwards.
const NOT_AS_WRITTEN: &str = "when it was looked at after the run's writes, it was not as they had made it: somebody has changed it at \
     that time, and what is there may be theirs";

/// Why one is left alone of which a way back would take away more than the run wrote.
const NOT_OWN: &str = "what is there is more than the run wrote: somebody has changed it, before the run looked at it afterwards or \
     since, and what is there may be theirs";

/// Why one is left alone that is not the very thing that the run made.
const ANOTHER: &str = "it is not what the run made: somebody has deleted that since, and what is there in its place, alike or \
     not, is theirs";

/// Why one is left alone that a rollback has taken away.
const TAKEN_AWAY: &str = "the run took it away as a whole, and no rollback makes it anew: where a baseline declares it, the next apply does";

/// What a run did to one object.
struct Done<'a> {
    key: DriftKey,
    /// In the order of the run.
    changes: Vec<&'a ChangeShown>,
    /// Where each stands in the run.
    places: Vec<usize>,
}

/// The plan of an object.
struct PutBack {
    /// Its changes have no numbers yet.
    object: ObjectPlan,
    /// Where in the run that stands which each of them takes back.
    places: Vec<usize>,
    /// The changes of it that stay, and why.
    stays: Vec<String>,
}

/// The plan that puts a run back, from a look at its places, and what is left out of it. What other runs have
/// written to its objects since tells the way that an earlier rollback has gone from what somebody else has changed.
pub async fn rollback(
    run: &RunShown,
    since: &[ChangeShown],
    looked: &Looked,
) -> (Plan, Vec<NotPutBack>) {
    let mut left = half_made(run);
    let mut parts: BTreeMap<AccountId, (AccountPlan, Vec<Vec<usize>>)> = BTreeMap::new();
    let mut stay = Vec::new();
    for done in done(run) {
        let later = Later::of(&run.run.run, &done.key, since);
        match put_back(&done, &later, looked).await {
            Ok(PutBack { object, places, stays }) => {
                let title = || done.title();
                let stays = stays.into_iter();
                left.extend(stays.map(|why| NotPutBack { title: title(), why, is_back: false }));
                let (part, of_objects) = parts.entry(object.account.clone()).or_default();
                part.objects.push(object);
                of_objects.push(places);
            }
            Err(Left { why, is_back }) => {
                stay.extend(done.stays().into_iter().filter(|_| !is_back && why != looks::GONE));
                left.push(NotPutBack { title: done.title(), why, is_back });
            }
        }
    }
    let objects = parts.values_mut().flat_map(|(part, _)| &mut part.objects);
    keep_what_is_needed(&mut objects.collect::<Vec<_>>(), stay);
    let mut ordered = Vec::with_capacity(parts.len());
    for (mut part, places) in parts.into_values() {
        in_order(&mut part, &places);
        ordered.push(part);
    }
    let head = PlanHead {
        run: looked.plan.run.clone(),
        baseline: BaselineRef {
            name: format!("{ROLLBACK_OF}{}", run.run.run),
            digest: looked.plan.baseline.digest.clone(),
            files: looked.plan.baseline.files.clone(),
            targets: looked.plan.baseline.targets.clone(),
        },
        targets: looked.plan.targets.clone(),
        failed: looked.plan.failed.clone(),
        skipped: looked.plan.skipped.clone(),
        snapshot: None,
        shards: None,
        cost: looked.plan.cost,
    };
    (assemble(head, ordered), left)
}

/// What the run made of something before AWS refused the rest of it: no change of its own, and there.
fn half_made(run: &RunShown) -> Vec<NotPutBack> {
    let failed = run.changes.iter().filter(|change| change.outcome == What::Failed);
    failed
        .filter_map(|change| {
            let ChangeShown { intent, answer, .. } = change;
            let is_global = intent.about.global;
            let (item, object) = (&intent.item, &intent.object);
            Some(NotPutBack {
                title: title(item, object, is_global, &intent.region, &intent.account),
                why: format!(
                    "the run made it in part, and no rollback takes that away: {}",
                    answer.left.as_ref()?
                ),
                is_back: false,
            })
        })
        .collect()
}

/// What the run did, object by object, the last one first: what was made for another one goes after
/// that.
fn done(run: &RunShown) -> Vec<Done<'_>> {
    let mut all: Vec<Done<'_>> = Vec::new();
    let changes = run.changes.iter().enumerate();
    for (place, change) in changes.filter(|(_, change)| change.outcome != What::Failed) {
        let intent = &change.intent;
        let key = DriftKey {
            account: intent.account.clone(),
            region: intent.region.clone(),
            item: intent.item.clone(),
            object: intent.object.clone(),
        };
        match all.iter_mut().find(|done| done.key == key) {
            Some(done) => {
                done.changes.push(change);
                done.places.push(place);
            }
            None => all.push(Done { key, changes: vec![change], places: vec![place] }),
        }
    }
    all.reverse();
    all
}

impl<'a> Done<'a> {
    fn title(&self) -> String {
        let is_global = self.changes.first().is_some_and(|change| change.intent.about.global);
        let DriftKey { account, region, item, object } = &self.key;
        title(item, object, is_global, region, account)
    }

    /// The object as the run left it, where it is known.
    fn stays(&self) -> Option<Stays> {
        let after = self.changes.iter().rev().find_map(|change| change.after.as_ref())?;
        let state = self.object(after).ok()?.state()?.clone();
        Some(Stays { kind: self.key.item.kind.clone(), title: self.title(), state })
    }

    fn object(&self, value: &Value) -> Result<Object<Value>, String> {
        serde_json::from_value(value.clone())
            .map_err(|error| format!("what the history has of it is no object: {error}"))
    }

    /// The object as the run found it.
    fn before(&self) -> Result<Object<Value>, String> {
        let first = self.changes.first().ok_or("the history has no change of it")?;
        self.object(&first.intent.about.before)
    }

    /// The object as the run found and left it; not where nobody could put that back.
    fn both(&self, kind: &dyn DynKind) -> Result<(Object<Value>, Object<Value>), Left> {
        let before = self.before()?;
        self.is_own(&before)?;
        let after = self.after()?;
        match is_named(kind) && before.status != Status::Absent && after.status == Status::Absent {
            true => Err(TAKEN_AWAY.into()),
            false => Ok((before, after)),
        }
    }

    /// Nothing, where what was not there before the run is the run's own by what AWS said: what nobody knows
    /// to be so is not taken away.
    fn is_own(&self, before: &Object<Value>) -> Result<(), String> {
        let kind = &self.key.item.kind;
        let is_absent = before.status == Status::Absent;
        // Also in a setting, such as the flow logs of a VPC, what has an id is a thing that somebody has made.
        let is_made = self.after().is_ok_and(|after| has_new_ids(kind, before, &after));
        let is = |outcome| self.changes.iter().any(|change| change.outcome == outcome);
        if is(What::Found) && (is_absent || is_made) {
            return Err(
                "it was there when it was to be made, or AWS gave no answer: somebody else may have made it"
                    .to_owned(),
            );
        }
        if is(What::Recovered) {
            return Err(
                "the run died while it wrote to it, and no later look can tell whose what is there is: somebody else may have done that".to_owned(),
            );
        }
        Ok(())
    }

    /// Nothing, where the object was as the run had written it when that looked at it afterwards.
    fn is_as_written(
        &self,
        kind: &dyn DynKind,
        facts: &Facts,
        both: (&Object<Value>, &Object<Value>),
        drift: &[FieldDrift],
    ) -> Result<(), Left> {
        let was_right = self.changes.iter().all(|change| change.in_sync == Some(true));
        // What the run made is compared as a whole with what it wrote, before it goes.
        let is_made = is_named(kind) && both.0.status == Status::Absent;
        let last = self.changes.last().ok_or("the history has no change of it")?;
        let declared_then = &last.intent.about.spec;
        let is_left =
            was_right || is_made || is_left_by_run(kind, facts, declared_then, both, drift);
        match is_left {
            true => Ok(()),
            false => Err(NOT_AS_WRITTEN.into()),
        }
    }

    /// The change that made the object, where it was not there.
    fn making(&self, before: &Object<Value>) -> Option<&'a ChangeShown> {
        self.changes.first().copied().filter(|_| before.status == Status::Absent)
    }

    /// The object as the run left it.
    fn after(&self) -> Result<Object<Value>, String> {
        let unknown = "nobody knows how the run left it: it died in a write, or could not look";
        // What a later run found after a death is known as well.
        let is_known = |change: &&ChangeShown| {
            change.outcome == What::Applied
                || matches!(change.outcome, What::Recovered | What::Found) && change.after.is_some()
        };
        if !self.changes.iter().all(is_known) {
            return Err(unknown.to_owned());
        }
        let after = self.changes.iter().rev().find_map(|change| change.after.as_ref());
        self.object(after.filter(|after| !after.is_null()).ok_or(unknown)?)
    }
}

/// Whether an object of a kind is one of several, which somebody makes, and no setting that is always there.
fn is_named(kind: &dyn DynKind) -> bool {
    !matches!(kind.identity(), Identity::Singleton)
}

fn way_in<'a>(looked: &'a Looked, account: &AccountId) -> Result<&'a Arc<Session>, Left> {
    let session = looked.sessions.get(account);
    session.ok_or_else(|| {
        format!("there is no way into account {account} now: no target of the fleet file selects it, or its role cannot be assumed").into()
    })
}

/// Whether its item may be written today.
fn mode(looked: &Looked, key: &DriftKey) -> Mode {
    let is_of = |plan: &ObjectPlan| {
        (&plan.account, &plan.region, &plan.item) == (&key.account, &key.region, &key.item)
    };
    let declared = looked.plan.objects.each().find(|plan| is_of(plan));
    declared.as_ref().map_or(Mode::Enforce, |plan| plan.mode)
}

/// Why one is left alone that is as it was already.
fn back_already(fields: &BTreeSet<&str>, later: &Later<'_>) -> Left {
    match fields.iter().all(|field| later.has_put_back(field)) {
        true => Left {
            why: "it is as it was before the run already, since an earlier rollback".to_owned(),
            is_back: true,
        },
        false => "it is as it was before the run already".into(),
    }
}

fn kind_of(key: &DriftKey) -> Result<&'static dyn DynKind, String> {
    let kind = &key.item.kind;
    registry::find(kind).ok_or_else(|| format!("this version does not know the kind {kind}"))
}

/// The plan of an object, or why all of it is left alone.
async fn put_back(done: &Done<'_>, later: &Later<'_>, looked: &Looked) -> Result<PutBack, Left> {
    let kind = kind_of(&done.key)?;
    let (before, after) = done.both(kind)?;
    let DriftKey { account, region, item, object } = &done.key;
    let session = way_in(looked, account)?;
    let last = done.changes.last().ok_or("the history has no change of it")?;
    let declared_then = &last.intent.about.spec;
    let facts = again::facts(session, region, item);
    let drift = done.changes.iter().flat_map(|change| drift_of(change)).collect::<Vec<_>>();
    let fields: BTreeSet<&str> = drift.iter().map(|drift| again::top(&drift.field)).collect();
    done.is_as_written(kind, &facts, (&before, &after), &drift)?;
    let Both { now, by_run, wanted, spec } =
        look_at_both(session, &facts, kind, (declared_then, object), &fields, &before).await?;
    let is_as_left = state_digest(Some(kind), &by_run.object) == state_digest(Some(kind), &after);
    let mut back = PutsBack {
        before: before.clone(),
        stays: BTreeSet::new(),
        run: WrittenByRun { spec: declared_then.clone(), ..WrittenByRun::default() },
    };
    let half = match is_as_left {
        // Whoever it was has put it back before the run looked.
        true if state_digest(Some(kind), &before) == state_digest(Some(kind), &after) => {
            return Err(back_already(&fields, later));
        }
        true => None,
        false if now.is_as_before(&item.kind, &spec, &fields, &back) => {
            return Err(back_already(&fields, later));
        }
        false => {
            Some(Half::of(kind, &facts, (&before, &after), &by_run.object, later).ok_or(CHANGED)?)
        }
    };
    let now = now.object;
    let mode = mode(looked, &done.key);
    let exceptions = looked.exceptions.get(account).into_iter().flatten();
    let today = Utc::now().date_naive();
    let kept = Waiver::among(exceptions, (item, account, region), object, today);
    let (mut backs, stays) = ways_back(done, &before)?;
    back.stays = not_taken_back(&fields, &backs);
    if let Some(half) = &half {
        half.leaves_to_do(&mut backs, done.making(&before));
    }
    back.run.made = done.making(&before).is_some();
    back.run.writes = backs.iter().map(Back::in_plan).collect();
    only_own(done, session, &facts, (&before, &by_run.object), &mut backs).await?;
    if backs.is_empty() {
        return Err(match stays.first() {
            Some(why) => format!("what can be taken back is back already; {why}").into(),
            None => back_already(&fields, later),
        });
    }
    let was = look_by_before(session, &facts, kind, &before).await;
    let judged = Judged::of(kind, &facts, (wanted.as_ref(), was.as_ref()), (&before, &now));
    let judgements = judged.about(&backs);
    let bounds = Bounds { mode, kept: kept.as_ref(), safety: &looked.guards.safety };
    let (changes, places) = undo_all(&backs, kind, &now, &judgements, &bounds);
    let object = ObjectPlan {
        account: account.clone(),
        region: region.clone(),
        global: last.intent.about.global,
        item: item.clone(),
        location: None,
        note: None,
        mode,
        controls: Vec::new(),
        verdict: kept.as_ref().map_or(Verdict::Drifted, Waiver::verdict),
        spec,
        state_digest: state_digest(Some(kind), &now),
        observed: now,
        puts_back: Some(Box::new(back)),
        changes,
        alike: None,
    };
    Ok(PutBack { object, places, stays })
}

/// The fields that no way back leads back to where they were.
fn not_taken_back(fields: &BTreeSet<&str>, backs: &[Back<'_>]) -> BTreeSet<String> {
    let drift = backs.iter().flat_map(|back| &back.drift);
    let taken: BTreeSet<&str> = drift.map(|drift| again::top(&drift.field)).collect();
    fields.difference(&taken).map(|field| (*field).to_owned()).collect()
}

/// The writes that take all of an object's changes back, and where in the run that stands which each of them takes back.
fn undo_all(
    backs: &[Back<'_>],
    kind: &dyn DynKind,
    now: &Object<Value>,
    judgements: &[Judgement],
    bounds: &Bounds<'_>,
) -> (Vec<PlannedChange>, Vec<usize>) {
    let (mut changes, mut places) = (Vec::new(), Vec::new());
    for (back, judged) in backs.iter().zip(judgements) {
        let writes = undo(back, kind, now, judged, bounds);
        places.extend(writes.iter().map(|_| back.place));
        changes.extend(writes);
    }
    all_or_nothing(&mut changes);
    (changes, places)
}

/// An object goes back as a whole, or not at all: half the way is neither what was there nor what is declared.
fn all_or_nothing(changes: &mut [PlannedChange]) {
    let reason = changes.iter().find_map(|change| match &change.disposition {
        Disposition::Report { reason } => Some(reason.clone()),
        Disposition::Apply | Disposition::HeldBack(_) => None,
    });
    let Some(reason) = reason else { return };
    for change in changes.iter_mut().filter(|change| change.is_applied()) {
        let reason = format!("another step of its way back is only reported: {reason}");
        change.disposition = Disposition::Report { reason };
    }
}

/// Leaves out what is back already; nothing of it, where anything would take away what the run has not written.
async fn only_own(
    done: &Done<'_>,
    session: &Arc<Session>,
    facts: &Facts,
    (before, now): (&Object<Value>, &Object<Value>),
    backs: &mut Vec<Back<'_>>,
) -> Result<(), Left> {
    let kind = kind_of(&done.key)?;
    let whole = match done.making(before) {
        Some(made) => {
            let declared = &made.intent.about.spec;
            look_at_all(session, facts, kind, declared, &done.key.object).await?
        }
        None => now.clone(),
    };
    if backs.iter().any(|back| !own::are_there(&back.change.answer.made, &whole)) {
        return Err(ANOTHER.into());
    }
    let seen = Seen { before, now, whole: &whole };
    let mut needless = BTreeSet::new();
    let written: Vec<_> = backs.iter().map(Back::written).collect();
    for (at, back) in backs.iter().enumerate() {
        for (step, action) in back.actions.iter().enumerate() {
            match own::takes(kind, facts, action, seen, &written) {
                Takes::ItsOwn => {}
                Takes::Nothing => _ = needless.insert((at, step)),
                Takes::More => return Err(NOT_OWN.into()),
            }
        }
    }
    for (at, back) in backs.iter_mut().enumerate() {
        let mut step = 0..;
        back.actions.retain(|_| step.next().is_none_or(|step| !needless.contains(&(at, step))));
    }
    backs.retain(|back| !back.actions.is_empty());
    Ok(())
}

/// The ways back of an object's changes, the last one first, and what is said of those that have none. What the
/// run made and nobody takes back is left whole: without its settings it would be neither what was there nor what
/// is declared.
fn ways_back<'a>(
    done: &Done<'a>,
    before: &Object<Value>,
) -> Result<(Vec<Back<'a>>, Vec<String>), String> {
    let (mut backs, mut stays) = (Vec::new(), Vec::new());
    for (change, place) in done.changes.iter().zip(&done.places).rev() {
        match Way::of(change, *place)? {
            Way::Back(back) => backs.push(back),
            Way::None(why) => stays.push(why),
        }
    }
    match stays.first() {
        Some(why) if matches!(before.status, Status::Absent) => Err(format!(
            "it cannot be taken back: {why}; so all that the run did to it stays, and what it does and costs goes on"
        )),
        Some(why) if backs.is_empty() => Err(format!("it cannot be taken back: {why}")),
        _ => {
            let said = |why: String| format!("a part of it cannot be taken back: {why}");
            Ok((backs, stays.into_iter().map(said).collect()))
        }
    }
}

/// What bounds the writes of an object.
struct Bounds<'a> {
    mode: Mode,
    /// The exception that covers it today.
    kept: Option<&'a Waiver>,
    safety: &'a Safety,
}

/// What a change of the run removed.
fn drift_of(change: &ChangeShown) -> Vec<FieldDrift> {
    serde_json::from_value(change.intent.about.drift.clone()).unwrap_or_default()
}

/// The writes that take a change back.
fn undo(
    back: &Back<'_>,
    kind: &dyn DynKind,
    now: &Object<Value>,
    judged: &Judgement,
    bounds: &Bounds<'_>,
) -> Vec<PlannedChange> {
    let Back { change, actions, drift, .. } = back;
    let mut warnings = weakened(kind.stricter(), drift, false);
    if change.outcome == What::Found {
        warnings.push(
            "AWS refused the run's write or its answer was lost, and it was there all the same: the run did \
             it, or somebody else"
                .to_owned(),
        );
    }
    warnings.extend(
        judged.warnings.iter().filter(|one| !warnings.contains(one)).cloned().collect::<Vec<_>>(),
    );
    let Bounds { mode, kept, safety } = bounds;
    warnings.extend(judged.grants.iter().map(|grant| said(&safety.allow_grants, grant)));
    let reason = match (kept, &now.managed_by, &judged.withheld) {
        (Some(waiver), _, _) => Some(waiver.to_string()),
        (None, Some(manager), _) => Some(format!("managed by {manager}")),
        (None, None, Some(withheld)) => Some(withheld.clone()),
        (None, None, None) if *mode != Mode::Enforce => Some("mode is \"report\"".to_owned()),
        (None, None, None) => {
            refused(judged.risk, &judged.grants, safety.max_risk, &safety.allow_grants)
        }
    };
    let planned = |action: &Value| PlannedChange {
        id: 0,
        drift: drift.clone(),
        permissions: kind.writes(action).unwrap_or_default(),
        undo: kind.undo(action, now).ok().map(Box::new),
        action: Some(Box::new(action.clone())),
        risk: judged.risk,
        warnings: warnings.clone(),
        disposition: match &reason {
            Some(reason) => Disposition::Report { reason: reason.clone() },
            None => Disposition::Apply,
        },
        depends_on: Vec::new(),
        makes_room: false,
        grants: judged.grants.clone(),
        charges: Vec::new(),
    };
    actions.iter().map(planned).collect()
}

/// Numbers an account's changes, what the run did last first: who has moved goes back once the old place lets
/// them in again, and before the new one shuts them out. Those of an object wait for each other, and so do
/// those of objects of which one may have been made for the other.
fn in_order(part: &mut AccountPlan, places: &[Vec<usize>]) {
    let mut all: Vec<(Reverse<usize>, usize, usize)> = Vec::new();
    for (object, places) in places.iter().enumerate() {
        all.extend(places.iter().enumerate().map(|(at, place)| (Reverse(*place), object, at)));
    }
    all.sort_unstable();
    let after = |object: &ObjectPlan| {
        registry::find(&object.item.kind).map_or(&[][..], |kind| kind.after())
    };
    let mut done: Vec<(usize, &'static str, &'static [&'static str], u32)> = Vec::new();
    for (id, (_, at_object, at_change)) in (1..).zip(all) {
        let object = &mut part.objects[at_object];
        let (own_after, kind) = (after(object), object.item.kind.clone());
        let change = &mut object.changes[at_change];
        change.id = id;
        if !change.is_applied() {
            continue;
        }
        let waits = done.iter().filter(|(other, other_kind, other_after, _)| {
            *other == at_object
                || other_after.contains(&kind.as_str())
                || own_after.contains(other_kind)
        });
        change.depends_on = waits.map(|(_, _, _, id)| *id).collect();
        part.order.push(id);
        if let Some(kind) = registry::find(&kind) {
            done.push((at_object, kind.name(), own_after, id));
        }
    }
}
