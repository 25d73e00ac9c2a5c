//! What a kind could declare in one place.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::{StreamExt, stream};
use serde_json::Value;

use super::survey;
use crate::aws::Session;
use crate::aws::reads::ReadCache;
use crate::baseline::catalog::Identity;
use crate::kinds::erased::{DynKind, LookError};
use crate::kinds::{Cx, Facts, FieldDrift, Object, ObserveError, Status, Unknown};
use crate::names::{ItemName, Region};
use crate::plan::words::without_request;

/// Named objects of a place looked at at the same time.
const OBJECTS_IN_FLIGHT: usize = 8;
/// Rounds in which fields are taken out that do not come back as they are; two are enough for those
/// that depend on each other.
const ROUNDS: usize = 3;

/// A kind in a Region.
pub(super) struct KindInRegion {
    pub kind: &'static dyn DynKind,
    pub cx: Cx,
    wide: Arc<Value>,
}

impl KindInRegion {
    pub fn new(
        kind: &'static dyn DynKind,
        region: &Region,
        session: &Arc<Session>,
        reads: &Arc<ReadCache>,
        wide: Arc<Value>,
    ) -> Self {
        let facts = Facts {
            account: session.account().clone(),
            partition: session.partition().to_owned(),
            region: region.clone(),
            home_region: session.home_region().clone(),
            item: ItemName::singleton(kind.name()),
        };
        Self { kind, cx: Cx::new(facts, Arc::clone(session), Arc::clone(reads)), wide }
    }

    pub fn region(&self) -> &Region {
        &self.cx.facts().region
    }

    /// `s3.bucket logs in eu-west-1`.
    pub fn title(&self, object: &str) -> String {
        let gap = if object.is_empty() { "" } else { " " };
        format!("{}{gap}{object} in {}", self.kind.name(), self.region())
    }
}

/// An object that could be declared.
pub(super) struct Candidate {
    pub name: Option<String>,
    pub cx: Cx,
    pub object: String,
    pub spec: Value,
    pub other_names: Vec<String>,
    /// The things that it is as a whole.
    pub things: Vec<String>,
}

/// Something that could not be read.
pub(super) struct Unread {
    pub object: String,
    pub why: Unknown,
}

/// What was found in a place.
pub(super) struct Looked {
    pub place: KindInRegion,
    pub candidates: Vec<Candidate>,
    pub left_out: Vec<String>,
    pub unread: Vec<Unread>,
}

impl Looked {
    /// Whether nothing but refusals was found.
    pub fn is_shut(&self) -> bool {
        !self.unread.is_empty() && self.candidates.is_empty() && self.left_out.is_empty()
    }

    fn unread(&mut self, object: &str, why: Unknown) {
        self.unread.push(Unread { object: object.to_owned(), why });
    }
}

/// What to look at in a place: each named object that is there, or the kind as a whole.
async fn specs(
    kind: &dyn DynKind,
    cx: &Cx,
    wide: &Value,
    regions: &BTreeSet<Region>,
) -> Result<Vec<(Option<String>, Value)>, ObserveError> {
    let Identity::Named { field, .. } = kind.identity() else {
        return Ok(vec![(None, wide.clone())]);
    };
    let found = kind.find_all(cx, regions).await?;
    let specs = found.into_iter().map(|fields| {
        let name = fields.get(field).and_then(Value::as_str).map(str::to_owned);
        let mut spec = wide.clone();
        for (field, value) in fields {
            spec[field] = value;
        }
        (name, spec)
    });
    Ok(specs.collect())
}

/// Looks at a place.
pub(super) async fn look(place: KindInRegion, regions: &BTreeSet<Region>) -> Looked {
    let mut looked =
        Looked { place, candidates: Vec::new(), left_out: Vec::new(), unread: Vec::new() };
    let KindInRegion { kind, cx, wide } = &looked.place;
    let (kind, cx) = (*kind, cx.clone());
    let specs = match specs(kind, &cx, wide, regions).await {
        Ok(specs) => specs,
        Err(error) => {
            looked.unread("", unknown(error));
            return looked;
        }
    };
    let among = cx.clone().among(specs.len());
    let observed = specs.into_iter().map(|(name, spec)| {
        let cx = &among;
        async move {
            let objects = match kind.observe(cx, &spec).await {
                Ok(objects) => objects,
                Err(error) => return (name, Err(error)),
            };
            let mut declared = Vec::with_capacity(objects.len());
            for object in objects {
                let outcome = declare(kind, cx, &object).await;
                declared.push((object, outcome));
            }
            (name, Ok(declared))
        }
    });
    let mut observed = std::pin::pin!(stream::iter(observed).buffered(OBJECTS_IN_FLIGHT));
    while let Some((name, objects)) = observed.next().await {
        let objects = match objects {
            Ok(objects) => objects,
            // What another account has is nothing that is missing here.
            Err(LookError::Observe(ObserveError::Elsewhere { reason, .. })) => {
                let title = looked.place.title(name.as_deref().unwrap_or_default());
                looked.left_out.push(format!("{title}: {reason}"));
                continue;
            }
            Err(error) => {
                let why = match error {
                    LookError::Observe(error) => unknown(error),
                    LookError::Misfit(misfit) => misfit.into(),
                };
                looked.unread(name.as_deref().unwrap_or_default(), why);
                continue;
            }
        };
        for (object, outcome) in objects {
            let title = looked.place.title(&object.id);
            match outcome {
                Outcome::Nothing => {}
                Outcome::Unread(why) => looked.unread(&object.id, why),
                Outcome::LeftOut(reason) => looked.left_out.push(format!("{title}: {reason}")),
                Outcome::Declared { spec, without } => {
                    for (field, reason) in without {
                        looked.left_out.push(format!("{title}: its field {field}: {reason}"));
                    }
                    let claims = kind.claims(cx.facts(), &spec, &object).unwrap_or_default();
                    let whole = claims.into_iter().filter(|claim| claim.setting.is_none());
                    looked.candidates.push(Candidate {
                        name: name.clone(),
                        things: whole.map(|claim| claim.thing).collect(),
                        cx: cx.clone(),
                        other_names: kind.other_names(cx.facts(), &object).unwrap_or_default(),
                        object: object.id,
                        spec,
                    });
                }
            }
        }
    }
    looked
}

/// What became of an object.
enum Outcome {
    Nothing,
    Declared {
        spec: Value,
        /// The fields that were taken out, and why.
        without: Vec<(String, String)>,
    },
    LeftOut(String),
    Unread(Unknown),
}

impl From<LookError> for Outcome {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Observe(error) => Self::Unread(unknown(error)),
            LookError::Misfit(misfit) => Self::LeftOut(misfit.to_string()),
        }
    }
}

/// What an object's present state is as a declaration; fields that would be changed all the same
/// are taken out again.
async fn declare(kind: &dyn DynKind, cx: &Cx, object: &Object<Value>) -> Outcome {
    match &object.status {
        Status::Absent => return Outcome::Nothing,
        Status::Unknown(unknown) => {
            return Outcome::Unread(brief(unknown));
        }
        Status::Skipped { reason } => return Outcome::LeftOut(reason.clone()),
        Status::Present(_) => {}
    }
    if let Some(manager) = &object.managed_by {
        return Outcome::LeftOut(format!("managed by {manager}"));
    }
    let mut spec = match kind.export(cx.facts(), object) {
        Ok(Some(spec)) => spec,
        Ok(None) => return Outcome::Nothing,
        Err(misfit) => return Outcome::LeftOut(misfit.to_string()),
    };
    survey::without_nulls(&mut spec);
    let mut without = Vec::new();
    for _ in 0..ROUNDS {
        let wrong = match differences(kind, cx, &spec, &object.id).await {
            Ok(wrong) => wrong,
            Err(outcome) => return outcome,
        };
        if wrong.is_empty() {
            return Outcome::Declared { spec, without };
        }
        let Some(map) = spec.as_object_mut() else { break };
        let before = map.len();
        for (field, reason) in wrong {
            if map.shift_remove(&field).is_some() {
                without.push((field, reason));
            }
        }
        if map.len() == before {
            break;
        }
    }
    let mut reason = "its present state cannot be declared so that nothing would change".to_owned();
    for (field, why) in without {
        reason.push_str(&format!("; {field}: {why}"));
    }
    Outcome::LeftOut(reason)
}

/// The fields of a declaration that are refused, or would change what is there.
async fn differences(
    kind: &dyn DynKind,
    cx: &Cx,
    spec: &Value,
    id: &str,
) -> Result<Vec<(String, String)>, Outcome> {
    let problems = kind.check(spec);
    if !problems.is_empty() {
        let fields = problems.into_iter();
        return Ok(fields
            .map(|problem| (survey::top_field(&problem.field), problem.message))
            .collect());
    }
    let again = kind.observe(cx, spec).await?;
    let Some(again) = again.into_iter().find(|again| again.id == id) else {
        return Err(Outcome::LeftOut("it was not found a second time".to_owned()));
    };
    if let Status::Unknown(unknown) = &again.status {
        return Err(Outcome::Unread(brief(unknown)));
    }
    let changes = kind
        .diff(cx.facts(), spec, &again)
        .map_err(|misfit| Outcome::LeftOut(misfit.to_string()))?;
    if stands(spec, changes.iter().map(|change| (change.action.is_some(), &change.drift[..]))) {
        return Ok(Vec::new());
    }
    Ok(changes
        .iter()
        .flat_map(|change| &change.drift)
        .map(|drift| (survey::top_field(&drift.field), would_change(drift)))
        .collect())
}

/// Whether all that a spec declares is as it is declared, and does not do what it is declared for: every change is
/// a finding about something below one of its fields, and without these nothing would be declared.
pub(super) fn stands<'a>(
    spec: &Value,
    changes: impl Iterator<Item = (bool, &'a [FieldDrift])>,
) -> bool {
    let mut found = BTreeSet::new();
    for (is_written, drift) in changes {
        if is_written || !drift.iter().all(|drift| is_below(spec, drift)) {
            return false;
        }
        found.extend(drift.iter().map(|drift| survey::top_field(&drift.field)));
    }
    let declared = spec.as_object().into_iter().flatten();
    let mut declared = declared.filter(|(_, value)| !value.is_null());
    !found.is_empty() && declared.all(|(field, _)| found.contains(field))
}

/// Whether a finding is about something below a field that has nothing below it.
fn is_below(spec: &Value, finding: &FieldDrift) -> bool {
    let field = survey::top_field(&finding.field);
    let value = spec.get(&field).filter(|_| field != finding.field);
    value.is_some_and(|value| !value.is_object() && !value.is_array())
}

/// Why a field is not declared.
pub(super) fn would_change(drift: &FieldDrift) -> String {
    let shown = |value: &Value| value.to_string();
    format!(
        "declaring it as it is would change it ({} → {})",
        drift.actual.as_ref().map_or("–".to_owned(), shown),
        drift.desired.as_ref().map_or("–".to_owned(), shown),
    )
}

/// Why something was not read; without the request's id, which says nothing to a reader of a file.
fn unknown(error: ObserveError) -> Unknown {
    let reason = match &error {
        ObserveError::Aws(error) => format!("{}: {}: {}", error.call, error.code, error.message),
        other => other.to_string(),
    };
    Unknown { reason, ..error.into_unknown() }
}

/// The same of what is told already.
fn brief(unknown: &Unknown) -> Unknown {
    Unknown { reason: without_request(&unknown.reason).into_owned(), ..unknown.clone() }
}
