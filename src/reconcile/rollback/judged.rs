//! What the way back of a change means: how dangerous it is, which rights it gives, and what is to be said
//! of it.

mod policies;

use serde_json::Value;

use super::own::Written;
use crate::baseline::catalog::Identity;
use crate::kinds::erased::DynKind;
use crate::kinds::{
    Change, Drift, Facts, FieldDrift, Grant, GrantClass, Object, Risk, Status, Undo,
};
use crate::plan::WrittenWrite;
use crate::reconcile::again;
use crate::store::history::ChangeShown;

/// What putting an object back means.
pub struct Judged<'a> {
    by_kind: ByKind,
    kind: &'a dyn DynKind,
    facts: &'a Facts,
    now: &'a Object<Value>,
}

/// What its kind says of the way from what is there to what was.
enum ByKind {
    /// This: by what is declared with what the run changed as it was, and by all of how it was. A declaration that leaves
    /// others' things alone says nothing of what the run put beside them.
    Says { declared: Vec<Change<Value>>, whole: Vec<Change<Value>> },
    /// What the run made goes again.
    TakenAway,
    /// Nothing.
    Nothing,
}

impl<'a> Judged<'a> {
    /// `wanted` is what was declared, with what the run changed as it was; `None` where nobody can say that. `was` is
    /// all of how it was, with the object as a look by that has seen it.
    pub fn of(
        kind: &'a dyn DynKind,
        facts: &'a Facts,
        (wanted, was): (Option<&Value>, Option<&(Value, Object<Value>)>),
        (before, now): (&Object<Value>, &'a Object<Value>),
    ) -> Self {
        let is_named = !matches!(kind.identity(), Identity::Singleton);
        let changes = |spec: &Value, now| kind.diff(facts, spec, now).ok();
        let whole = was.and_then(|(was, seen)| changes(was, seen));
        let declared = match wanted {
            Some(wanted) => changes(wanted, now),
            None => whole.clone(),
        };
        let by_kind = match declared {
            Some(declared) => ByKind::Says { declared, whole: whole.unwrap_or_default() },
            None if is_named && matches!(before.status, Status::Absent) => ByKind::TakenAway,
            None => ByKind::Nothing,
        };
        Self { by_kind, kind, facts, now }
    }

    /// What is said of each way back.
    pub fn about(&self, backs: &[Back<'_>]) -> Vec<Judgement> {
        let policies = || policies::judged(self.kind, self.facts, self.now, backs);
        match &self.by_kind {
            ByKind::Says { declared, whole } => {
                about(self.kind, (declared, whole), backs, &policies())
            }
            ByKind::TakenAway => {
                let change = disruptive().warn(DELETED);
                backs.iter().map(|_| Judgement::of(&change)).collect()
            }
            ByKind::Nothing => about(self.kind, (&[], &[]), backs, &policies()),
        }
    }
}

/// What is said where nothing comes back that held before.
const DELETED: &str = "what the run made is deleted: whatever has come to use it stops working";

fn disruptive() -> Change<Value> {
    Change::finding(Drift::new()).risk(Risk::Disruptive)
}

/// What is said of each way back: what is said of its write, or else of its policies and its fields. What is said of
/// none of them counts for those of which nothing is said, and so does the worst of all; where nothing is said of
/// anything, nobody judges it.
fn about(
    kind: &dyn DynKind,
    (changes, whole): (&[Change<Value>], &[Change<Value>]),
    backs: &[Back<'_>],
    policies: &[Vec<Change<Value>>],
) -> Vec<Judgement> {
    let mut all: Vec<Judgement> = backs.iter().map(|_| Judgement::default()).collect();
    let mut is_judged = vec![false; backs.len()];
    let mut left_over = Vec::new();
    // How near the nearest write comes to each.
    let written = |back: &Back<'_>| {
        let writes = changes.iter().filter(|change| change.action.is_some());
        writes.map(|change| back.near(kind, change)).max().unwrap_or(Near::Not)
    };
    let written: Vec<Near> = backs.iter().map(written).collect();
    for change in changes {
        let near: Vec<Near> = backs.iter().map(|back| back.near(kind, change)).collect();
        let nearest = near.iter().copied().max().unwrap_or(Near::Not);
        if nearest == Near::Not {
            left_over.push(change);
            continue;
        }
        for (place, _) in near.iter().enumerate().filter(|(_, near)| **near == nearest) {
            // What only people can mend beside it, such as what others have not allowed yet, holds up no write, and
            // least of all one that takes away what the run put there.
            let holds_up = nearest >= written[place] && backs[place].restores();
            if change.action.is_some() || holds_up {
                all[place].bounds(change);
                is_judged[place] = true;
            }
            all[place].says(change);
        }
    }
    for (place, policies) in policies.iter().enumerate() {
        if written[place] == Near::Write {
            continue;
        }
        for change in policies {
            all[place].bounds(change);
            all[place].says(change);
            is_judged[place] = true;
        }
    }
    for (place, back) in backs.iter().enumerate() {
        // A write of a whole record brings back more than the fields that the run changed.
        let least = if is_judged[place] { Near::FieldCall } else { Near::Call };
        let near = |change: &&Change<Value>| {
            if change.action.is_some() { back.near(kind, change) } else { Near::Not }
        };
        let nearest = whole.iter().map(|change| near(&change)).max().filter(|near| *near >= least);
        for change in whole.iter().filter(|change| Some(near(change)) == nearest) {
            all[place].bounds(change);
            all[place].says(change);
            is_judged[place] = true;
        }
    }
    let writes = || changes.iter().filter(|change| change.action.is_some());
    let unjudged = all.iter_mut().zip(backs).zip(is_judged).filter(|(_, is_judged)| !is_judged);
    for ((judgement, back), _) in unjudged {
        writes().for_each(|change| judgement.bounds(change));
        left_over.iter().for_each(|change| judgement.says(change));
        // What the others' writes are judged by says nothing of one that takes something away.
        let is_left_over = left_over.iter().any(|change| change.action.is_some());
        if writes().next().is_none() || !is_left_over && !back.restores() {
            let change = back.unjudged();
            judgement.bounds(&change);
            judgement.says(&change);
        }
    }
    all
}

/// How near a judged change is to a way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Near {
    Not,
    /// Of the same declared field.
    Top,
    /// Of the same field in it.
    Field,
    /// The same call, whatever field it is told under.
    Call,
    /// The same call of the same field.
    FieldCall,
    /// The same write.
    Write,
}

/// The way back of a change of the run.
pub struct Back<'a> {
    pub change: &'a ChangeShown,
    /// Where the change stands in the run.
    pub place: usize,
    pub actions: Vec<Value>,
    pub drift: Vec<FieldDrift>,
}

/// Whether a change of the run can be taken back.
pub enum Way<'a> {
    /// So.
    Back(Back<'a>),
    /// Not, for this reason.
    None(String),
}

impl<'a> Way<'a> {
    pub fn of(change: &'a ChangeShown, place: usize) -> Result<Self, String> {
        let about = &change.intent.about;
        let strange =
            |error: serde_json::Error| format!("what the history has of it is none: {error}");
        let undo: Option<Undo<Value>> =
            serde_json::from_value(about.undo.clone()).map_err(strange)?;
        let actions = match undo {
            Some(Undo::By(actions)) => actions,
            Some(Undo::Impossible(why)) => return Ok(Self::None(why)),
            None => return Err("the history does not say how it is taken back".to_owned()),
        };
        let drift: Vec<FieldDrift> =
            serde_json::from_value(about.drift.clone()).map_err(strange)?;
        let turned = |FieldDrift { field, actual, desired }| FieldDrift {
            field,
            actual: desired,
            desired: actual,
        };
        let drift = drift.into_iter().map(turned).collect();
        Ok(Self::Back(Back { change, place, actions, drift }))
    }
}

impl Back<'_> {
    /// What it takes back.
    pub fn written(&self) -> Written<'_> {
        Written { write: &self.change.intent.about.action, back: &self.actions }
    }

    /// The same, for the look before the write.
    pub fn in_plan(&self) -> WrittenWrite {
        WrittenWrite {
            write: self.change.intent.about.action.clone(),
            back: self.actions.clone(),
            ids: self.change.answer.made.clone(),
        }
    }

    /// What counts where its kind says nothing: what held before may give any rights. To take away what
    /// the run made gives none.
    fn unjudged(&self) -> Change<Value> {
        if !self.restores() {
            return disruptive()
                .warn("what the run put there goes: whatever has come to use it stops working");
        }
        let change = disruptive().warn("its kind does not judge the way back: look at it well");
        [GrantClass::Foreign, GrantClass::Public, GrantClass::Administrator]
            .into_iter()
            .fold(change, |change, class| {
                change.grant(class, "what held before, which its kind does not judge")
            })
    }

    /// Whether something comes back that held before.
    fn restores(&self) -> bool {
        let held =
            |drift: &FieldDrift| drift.desired.as_ref().is_some_and(|value| !value.is_null());
        self.drift.is_empty() || self.drift.iter().any(held)
    }

    fn near(&self, kind: &dyn DynKind, judged: &Change<Value>) -> Near {
        if judged.action.as_ref().is_some_and(|action| self.actions.contains(action)) {
            return Near::Write;
        }
        let calls = |action: &Value| kind.writes(action).ok().filter(|calls| !calls.is_empty());
        let is_same_call = judged.action.as_ref().is_some_and(|then| {
            // One of the two may have to look for a key first.
            let is_same = |own: &Value| match (calls(own), calls(then)) {
                (Some(own), Some(then)) => is_part(&own, &then) || is_part(&then, &own),
                _ => false,
            };
            self.actions.iter().any(|own| part(own) == part(then) && is_same(own))
        });
        let pairs =
            || self.drift.iter().flat_map(|own| judged.drift.iter().map(move |it| (own, it)));
        let is_same_field = pairs().any(|(own, it)| own.field == it.field);
        let is_same_top =
            || pairs().any(|(own, it)| again::top(&own.field) == again::top(&it.field));
        match (is_same_field, is_same_call) {
            (true, true) => Near::FieldCall,
            (false, true) => Near::Call,
            (true, false) => Near::Field,
            (false, false) if is_same_top() => Near::Top,
            (false, false) => Near::Not,
        }
    }
}

fn is_part<T: PartialEq>(part: &[T], whole: &[T]) -> bool {
    part.iter().all(|one| whole.contains(one))
}

/// The part of an object that a write is of, where its kind has parts.
fn part(action: &Value) -> Option<&str> {
    action.pointer("/step/write/part")?.as_str()
}

/// What is said of a way back.
pub struct Judgement {
    pub risk: Risk,
    pub grants: Vec<Grant>,
    pub warnings: Vec<String>,
    pub withheld: Option<String>,
}

impl Default for Judgement {
    fn default() -> Self {
        Self { risk: Risk::Safe, grants: Vec::new(), warnings: Vec::new(), withheld: None }
    }
}

impl Judgement {
    fn of(change: &Change<Value>) -> Self {
        let mut judgement = Self::default();
        judgement.bounds(change);
        judgement.says(change);
        judgement
    }

    /// Takes over what bounds a change.
    fn bounds(&mut self, change: &Change<Value>) {
        self.risk = self.risk.max(change.risk);
        for grant in change.grants.iter() {
            if !self.grants.contains(grant) {
                self.grants.push(grant.clone());
            }
        }
        if self.withheld.is_none() {
            self.withheld.clone_from(&change.withheld);
        }
    }

    /// Takes over what is said of a change.
    fn says(&mut self, change: &Change<Value>) {
        for warning in &change.warnings {
            if !self.warnings.contains(warning) {
                self.warnings.push(warning.clone());
            }
        }
    }
}
