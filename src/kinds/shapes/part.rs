//! The shape of named objects with parts.
//!
//! An object is found by its name, or made. What can be declared of it falls into parts: what some
//! calls read and others replace. A part is a file, which holds all that is to be said of it: its
//! calls, what AWS keeps, what differs, what may hurt, the writes and their undoing. The kind lists
//! its parts in the order in which AWS takes them; here is what all such kinds do with the list.

mod any;

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use any::AnyPart;

use crate::aws::settle::settle;
use crate::aws::{Call, ErrorClass};
use crate::baseline::catalog::Identity;
use crate::kinds::{
    Change, Cx, Facts, Kind, Made, Needs, Object, ObserveError, Risk, Status, Undo, Unknown, Use,
    WriteCx, WriteError, compared, together,
};
use crate::names::Region;

/// Plain data, as snapshots and saved plans store it.
pub trait Data: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync {}
impl<T: Serialize + DeserializeOwned + Clone + Debug + PartialEq + Send + Sync> Data for T {}

/// A kind with parts: what else a `Kind` has, `by_parts` writes.
pub trait Parted: Kind {
    /// What tells an object to AWS in every call.
    type Place: Data;
    /// How an object is made.
    type Making: Data;

    /// All its parts, in the order in which AWS takes them.
    const PARTS: &'static [&'static dyn AnyPart<Self>];
    /// The call that makes an object. Its row in the kind's `CALLS` has the resources.
    const CREATE: Call;
    /// All calls of making one: that, and what goes with it.
    const CREATING: &'static [Call] = &[Self::CREATE];
    /// Why making one is not undone.
    const KEPT: &'static str;

    /// Finds the object that a spec names.
    ///
    /// # Errors
    /// Nobody can say whether it is there.
    fn find(
        cx: &Cx,
        spec: &Self::Spec,
    ) -> impl Future<Output = Result<Object<Self::Place>, ObserveError>> + Send;

    /// Where the object would be that is not there.
    fn place(facts: &Facts, spec: &Self::Spec) -> Self::Place;

    /// Whether an object that is not there is to be made.
    fn is_wanted(_spec: &Self::Spec) -> bool {
        true
    }

    /// Findings about what is declared of an object that is not there, nor to be made.
    fn lacking(_spec: &Self::Spec) -> Vec<Change<Self::Making>> {
        Vec::new()
    }

    /// The Region to call, where the place says another one.
    fn region(_place: &Self::Place) -> Option<Region> {
        None
    }

    /// The change that makes the object; a finding where AWS makes none of this name.
    fn making(facts: &Facts, spec: &Self::Spec) -> Change<Self::Making>;

    /// Makes the object.
    ///
    /// # Errors
    /// What AWS answered; [`WriteError::WasThere`] where it is there already as it is to be.
    fn create(
        cx: &WriteCx,
        place: &Self::Place,
        making: &Self::Making,
    ) -> impl Future<Output = Result<Made, WriteError>> + Send;

    /// What an object is looked for by once more directly before the call that makes it: where AWS answers
    /// that call alike whether it makes something or finds it, or puts what is asked for in the place of what
    /// somebody else has made. `None` where AWS refuses to make what is there.
    fn looked_for(_place: &Self::Place) -> Option<Self::Spec> {
        None
    }

    /// A finding about what was chosen when the object was made, and cannot be changed.
    fn immovable(_spec: &Self::Spec, _place: &Self::Place) -> Option<Change<Self::Making>> {
        None
    }

    /// A finding that stands for everything that is declared: something else has the object's name.
    fn another(_spec: &Self::Spec, _place: &Self::Place) -> Option<Change<Self::Making>> {
        None
    }

    /// The write, of a part by its name, that takes back that an object was made, where evenkeel does.
    fn unmade() -> Option<(&'static str, Value)> {
        None
    }

    /// The write of that same part that would have made it so; `None` where nobody can say.
    fn made(_making: &Self::Making) -> Option<Value> {
        None
    }

    /// Whether an error of a write passes by itself.
    fn is_settling(error: &WriteError) -> bool {
        matches!(error, WriteError::Aws(error) if error.class == ErrorClass::Settling)
    }

    /// The spec that names an object and declares nothing of it.
    fn named(id: &str, place: &Self::Place) -> Self::Spec;
}

/// A part of the objects of a kind.
pub trait Part: Send + Sync + 'static {
    /// Of which kind.
    type Of: Parted;
    /// What AWS keeps of it. The default is what a new object has.
    type Now: Data + Default;
    /// One write of it.
    type Write: Data;

    /// Its name in snapshots and saved plans.
    const NAME: &'static str;
    /// Its calls.
    const CALLS: &'static [Use<<Self::Of as Kind>::Spec>];
    /// The parts whose writes its own cannot do without.
    const NEEDS: &'static [&'static str] = &[];

    /// Whether a spec says anything of it. What is not declared is neither read nor written.
    fn is_declared(spec: &<Self::Of as Kind>::Spec) -> bool;

    /// Reads it.
    ///
    /// # Errors
    /// Nobody can say what is there.
    fn read(
        cx: &Cx,
        spec: &<Self::Of as Kind>::Spec,
        place: &<Self::Of as Parted>::Place,
    ) -> impl Future<Output = Result<Self::Now, ObserveError>> + Send;

    /// What differs, and the writes that remove it. A change that needs others counts those of this list.
    fn diff(look: &Look<'_, Self::Of>, now: &Self::Now) -> Vec<Change<Self::Write>>;

    /// The calls of a write: itself, and reads inside it.
    fn calls(write: &Self::Write) -> Vec<Call>;

    /// Does one write.
    ///
    /// # Errors
    /// What AWS answered.
    fn write(
        cx: &WriteCx,
        place: &<Self::Of as Parted>::Place,
        write: &Self::Write,
    ) -> impl Future<Output = Result<(), WriteError>> + Send;

    /// Whether a planned write does what is needed now; see [`Kind::is_same_write`].
    fn is_same(planned: &Self::Write, now: &Self::Write) -> bool {
        planned == now
    }

    /// The writes that put back what was there.
    fn undo(write: &Self::Write, before: &Self::Now) -> Undo<Self::Write>;

    /// Declares what is there.
    fn export(now: &Self::Now, spec: &mut <Self::Of as Kind>::Spec);

    /// Says what held; see [`Kind::as_it_was`].
    fn as_it_was(_facts: &Facts, now: &Self::Now, spec: &mut <Self::Of as Kind>::Spec) {
        Self::export(now, spec);
    }
}

/// An object on its way to the declared state.
pub struct Look<'a, K: Parted> {
    /// Where it is.
    pub facts: &'a Facts,
    /// What is declared.
    pub spec: &'a K::Spec,
    state: Option<&'a State<K>>,
}

impl<K: Parted> Look<'_, K> {
    /// Whether the object is only about to be made: then nobody can lose anything.
    pub fn is_new(&self) -> bool {
        self.state.is_none()
    }

    /// The same change with a risk, which a new object does not have.
    pub fn disruptive<A>(&self, change: Change<A>, warning: &str) -> Change<A> {
        if self.is_new() { change } else { change.risk(Risk::Disruptive).warn(warning) }
    }

    /// What is there of a part; `None` when it was not read.
    pub fn now<P: Part<Of = K>>(&self) -> Option<P::Now> {
        before::<P>(self.state)
    }
}

/// What was there of a part: of an object that was not there, what a new one has; `None` when it was
/// not read, or is not what this version of evenkeel reads.
fn before<P: Part>(state: Option<&State<P::Of>>) -> Option<P::Now> {
    let Some(state) = state else { return Some(P::Now::default()) };
    P::Now::deserialize(state.parts.get(P::NAME)?).ok()
}

/// An object as observed: where it is, and those of its parts that were read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct State<K: Parted> {
    /// Where it is.
    pub place: K::Place,
    parts: BTreeMap<String, Value>,
}

impl<K: Parted> State<K> {
    /// What is there of a part; `None` when it was not read.
    pub fn now<P: Part<Of = K>>(&self) -> Option<P::Now> {
        before::<P>(Some(self))
    }
}

#[cfg(test)]
impl<K: Parted> State<K> {
    /// An object of which no part was read.
    pub fn at(place: K::Place) -> Self {
        Self { place, parts: BTreeMap::new() }
    }

    /// The same with a part.
    pub fn with<P: Part<Of = K>>(mut self, now: &P::Now) -> Self {
        self.parts.insert(P::NAME.to_owned(), serde_json::json!(now));
        self
    }
}

/// One write.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound = "", try_from = "Stored<K>")]
pub struct Action<K: Parted> {
    /// Which object.
    #[serde(flatten)]
    pub place: K::Place,
    /// What to do.
    pub step: Step<K::Making>,
}

/// What to do with an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step<M> {
    /// Makes it.
    Create(M),
    /// Writes a part.
    Write {
        /// Its name.
        part: String,
        /// The part's own write.
        write: Value,
    },
}

/// Everything of a `Kind` that follows from its parts.
macro_rules! by_parts {
    () => {
        type State = $crate::kinds::shapes::part::State<Self>;
        type Action = $crate::kinds::shapes::part::Action<Self>;

        fn uses() -> Vec<&'static $crate::kinds::Use<Self::Spec>> {
            $crate::kinds::shapes::part::uses::<Self>()
        }

        fn calls(action: &Self::Action) -> Vec<$crate::aws::Call> {
            $crate::kinds::shapes::part::calls(action)
        }

        async fn observe(
            cx: &$crate::kinds::Cx,
            spec: &Self::Spec,
        ) -> Result<Vec<$crate::kinds::Object<Self::State>>, $crate::kinds::ObserveError> {
            $crate::kinds::shapes::part::observe(cx, spec).await
        }

        fn diff(
            facts: &$crate::kinds::Facts,
            spec: &Self::Spec,
            object: &$crate::kinds::Object<Self::State>,
        ) -> Vec<$crate::kinds::Change<Self::Action>> {
            $crate::kinds::shapes::part::diff(facts, spec, object)
        }

        async fn apply(
            cx: &$crate::kinds::WriteCx,
            action: &Self::Action,
        ) -> Result<(), $crate::kinds::WriteError> {
            $crate::kinds::shapes::part::apply(cx, action).await
        }

        fn is_same_write(planned: &Self::Action, now: &Self::Action) -> bool {
            $crate::kinds::shapes::part::is_same_write(planned, now)
        }

        fn undo(
            action: &Self::Action,
            before: &$crate::kinds::Object<Self::State>,
        ) -> $crate::kinds::Undo<Self::Action> {
            $crate::kinds::shapes::part::undo(action, before)
        }

        fn export(
            _facts: &$crate::kinds::Facts,
            object: &$crate::kinds::Object<Self::State>,
        ) -> Option<Self::Spec> {
            $crate::kinds::shapes::part::export(object)
        }

        fn as_it_was(
            facts: &$crate::kinds::Facts,
            object: &$crate::kinds::Object<Self::State>,
        ) -> Option<Self::Spec> {
            $crate::kinds::shapes::part::as_it_was(facts, object)
        }
    };
}
pub(crate) use by_parts;

/// An action that nobody has looked at yet.
#[derive(Deserialize)]
#[serde(bound = "")]
struct Stored<K: Parted> {
    #[serde(flatten)]
    place: K::Place,
    step: Step<K::Making>,
}

impl<K: Parted> TryFrom<Stored<K>> for Action<K> {
    type Error = String;

    fn try_from(stored: Stored<K>) -> Result<Self, String> {
        if let Step::Write { part, write } = &stored.step {
            let known = part_of::<K>(part).ok_or_else(|| format!("there is no part {part}"))?;
            known.calls(write).map_err(|error| error.to_string())?;
        }
        Ok(Self { place: stored.place, step: stored.step })
    }
}

fn part_of<K: Parted>(name: &str) -> Option<&'static dyn AnyPart<K>> {
    K::PARTS.iter().copied().find(|part| part.name() == name)
}

/// The kind's `uses`: its own calls and those of its parts.
pub fn uses<K: Parted>() -> Vec<&'static Use<K::Spec>> {
    K::CALLS.iter().chain(K::PARTS.iter().flat_map(|part| part.uses())).collect()
}

/// The kind's `calls`.
pub fn calls<K: Parted>(action: &Action<K>) -> Vec<Call> {
    match &action.step {
        Step::Create(_) => K::CREATING.to_vec(),
        Step::Write { part, write } => {
            // What is no write of the part was refused when the action was read.
            part_of::<K>(part).and_then(|part| part.calls(write).ok()).unwrap_or_default()
        }
    }
}

/// The kind's `observe`: the object, and those of its parts that are declared.
///
/// # Errors
/// Something of it could not be read.
pub async fn observe<K: Parted>(
    cx: &Cx,
    spec: &K::Spec,
) -> Result<Vec<Object<State<K>>>, ObserveError> {
    let found = K::find(cx, spec).await?;
    let status = match found.status {
        Status::Present(place) => Status::Present(read(cx, spec, place).await?),
        Status::Absent => Status::Absent,
        Status::Unknown(unknown) => Status::Unknown(unknown),
        Status::Skipped { reason } => Status::Skipped { reason },
    };
    Ok(vec![Object { id: found.id, label: found.label, managed_by: found.managed_by, status }])
}

async fn read<K: Parted>(
    cx: &Cx,
    spec: &K::Spec,
    place: K::Place,
) -> Result<State<K>, ObserveError> {
    let there = K::region(&place).map(|region| cx.in_region(region));
    let cx = there.as_ref().unwrap_or(cx);
    let declared: Vec<_> = K::PARTS.iter().filter(|part| part.is_declared(spec)).collect();
    let reads = declared.iter().map(|part| part.read(cx, spec, &place));
    let values = together::all(reads).await?;
    let names = declared.iter().map(|part| part.name().to_owned());
    Ok(State { parts: names.zip(values).collect(), place })
}

/// The kind's `diff`: making the object, and what differs of each declared part. Each part stands
/// for itself, but all need the object.
pub fn diff<K: Parted>(
    facts: &Facts,
    spec: &K::Spec,
    object: &Object<State<K>>,
) -> Vec<Change<Action<K>>> {
    let state = object.state();
    let place = state.map_or_else(|| K::place(facts, spec), |state| state.place.clone());
    let act = |step| Action { place: place.clone(), step };
    let mut changes = Vec::new();
    if state.is_none() && !K::is_wanted(spec) {
        compared::mark_all();
        let findings = K::lacking(spec).into_iter();
        return findings.map(|one| one.map(|making| act(Step::Create(making)))).collect();
    }
    if state.is_none() {
        let making = K::making(facts, spec);
        let is_made = making.action.is_some();
        changes.push(making.map(|making| act(Step::Create(making))));
        if !is_made {
            compared::mark_all();
            return changes;
        }
    }
    if state.is_some() {
        if let Some(finding) = K::another(spec, &place) {
            compared::mark_all();
            return vec![finding.map(|making| act(Step::Create(making)))];
        }
        let finding = K::immovable(spec, &place);
        changes.extend(finding.map(|change| change.map(|making| act(Step::Create(making)))));
    }
    let made: Vec<usize> = state.is_none().then_some(0).into_iter().collect();
    let mut written: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    let look = Look { facts, spec, state };
    for part in K::PARTS.iter().filter(|part| part.is_declared(spec)) {
        let mut needs = made.clone();
        needs.extend(part.needs().iter().filter_map(|name| written.get(name)).flatten());
        let first = changes.len();
        for change in part.diff(&look) {
            // What comes last is nothing to wait for.
            if change.action.is_some() && !change.comes_last {
                written.entry(part.name()).or_default().push(changes.len());
            }
            // A part counts its own changes alone.
            let own: Vec<usize> = match &change.needs {
                Needs::Object => Vec::new(),
                Needs::Only(own) => own.iter().map(|at| first + at).collect(),
            };
            let change =
                change.map(|write| act(Step::Write { part: part.name().to_owned(), write }));
            changes.push(change.needs(needs.iter().copied().chain(own)));
        }
    }
    changes
}

/// The kind's `apply`.
///
/// # Errors
/// What AWS answered.
pub async fn apply<K: Parted>(cx: &WriteCx, action: &Action<K>) -> Result<(), WriteError> {
    let there = K::region(&action.place).map(|region| cx.in_region(region));
    let cx = there.as_ref().unwrap_or(cx);
    // Before all tries: a later one may find what an earlier one has made.
    if let (Step::Create(_), Some(spec)) = (&action.step, K::looked_for(&action.place)) {
        is_free::<K>(cx, &spec).await?;
    }
    settle(K::is_settling, || async {
        match &action.step {
            Step::Create(making) => K::create(cx, &action.place, making).await.map(drop),
            Step::Write { part, write } => match part_of::<K>(part) {
                Some(known) => known.write(cx, &action.place, write).await,
                None => Err(WriteError::Unsendable(format!("there is no part {part}"))),
            },
        }
    })
    .await
}

/// Nothing, where what is to be made is not there yet. AWS would not say it afterwards.
async fn is_free<K: Parted>(cx: &WriteCx, spec: &K::Spec) -> Result<(), WriteError> {
    let found = K::find(&cx.afresh(), spec).await?;
    match found.status {
        Status::Absent => Ok(()),
        Status::Present(_) => Err(WriteError::there_by_now(&found.id)),
        Status::Unknown(Unknown { reason, .. }) | Status::Skipped { reason } => {
            Err(WriteError::Changed(reason))
        }
    }
}

/// The kind's `is_same_write`.
pub fn is_same_write<K: Parted>(planned: &Action<K>, now: &Action<K>) -> bool {
    let Step::Write { part, write: needed } = &now.step else { return false };
    let is_same = |write: &Value| part_of::<K>(part).is_some_and(|one| one.is_same(write, needed));
    planned.place == now.place
        && match &planned.step {
            Step::Write { part: same, write } => part == same && is_same(write),
            // What takes the making back is a write of a part, and so is what takes that back.
            Step::Create(making) => {
                K::unmade().is_some_and(|(same, _)| part == same)
                    && K::made(making).is_some_and(|write| is_same(&write))
            }
        }
}

/// The kind's `undo`.
pub fn undo<K: Parted>(action: &Action<K>, before: &Object<State<K>>) -> Undo<Action<K>> {
    let act = |part: &str, write| Action {
        place: action.place.clone(),
        step: Step::Write { part: part.to_owned(), write },
    };
    let Step::Write { part, write } = &action.step else {
        return match K::unmade() {
            Some((part, write)) => Undo::By(vec![act(part, write)]),
            None => Undo::Impossible(K::KEPT.to_owned()),
        };
    };
    let Some(known) = part_of::<K>(part) else {
        return Undo::Impossible(format!("there is no part {part}"));
    };
    // What turns on a service that is off as a whole is taken back as its making is.
    let is_off =
        matches!(K::IDENTITY, Identity::Singleton) && matches!(before.status, Status::Absent);
    if let Some((same, off)) = K::unmade()
        && is_off
        && part == same
        && *write != off
    {
        return Undo::By(vec![act(part, off)]);
    }
    match known.undo(write, before.state()) {
        Undo::By(writes) => Undo::By(writes.into_iter().map(|write| act(part, write)).collect()),
        Undo::Impossible(reason) => Undo::Impossible(reason),
    }
}

/// The kind's `export`.
pub fn export<K: Parted>(object: &Object<State<K>>) -> Option<K::Spec> {
    let state = object.state()?;
    let mut spec = K::named(&object.id, &state.place);
    for part in K::PARTS {
        part.export(state, &mut spec);
    }
    Some(spec)
}

/// The kind's `as_it_was`.
pub fn as_it_was<K: Parted>(facts: &Facts, object: &Object<State<K>>) -> Option<K::Spec> {
    let state = object.state()?;
    let mut spec = K::named(&object.id, &state.place);
    for part in K::PARTS {
        part.as_it_was(facts, state, &mut spec);
    }
    Some(spec)
}
