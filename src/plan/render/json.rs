//! The plan as one JSON document. Its form is the plan's own data; `format_version` grows when a
//! reader of an older form would misread. A digest tells whether it is as it was written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::digest;
use crate::plan::estimate::Estimate;
use crate::plan::sign::Signature;
use crate::plan::{Comparison, Held, Objects, Plan, Summary};

/// The document: the plan, its digest and its counts.
#[serde_with::skip_serializing_none]
#[derive(Serialize, schemars::JsonSchema)]
struct Document<'a> {
    /// Digest of the plan, hexadecimal: what was damaged, or edited by hand, is neither merged nor
    /// applied. Anybody can compute it again: it is no signature.
    plan_digest: String,
    /// A signature of the digest, when the plan was saved with a key.
    signature: Option<Signature>,
    #[serde(flatten)]
    plan: &'a Plan,
    /// What guards would hold back all of `order` if it were applied when this was printed: a closed change
    /// window, the limits of a run. Absent where none would. It is no part of the plan.
    #[serde(skip_serializing_if = "<[Held]>::is_empty")]
    held_back: &'a [Held],
    summary: Summary,
    /// What the changes that would be applied cost a month from then on, as far as it can be counted; absent where nothing
    /// is switched on that AWS charges for. It is no part of the plan.
    estimate: Option<Estimate>,
}

/// Writes the document.
///
/// # Errors
/// `out` cannot be written.
pub fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    Sealed::new(plan).write(None, out)
}

/// A plan with its digest, to be signed before it is written.
#[derive(Debug)]
pub struct Sealed<'a> {
    plan: &'a Plan,
    digest: String,
}

impl<'a> Sealed<'a> {
    /// Computes the digest.
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, digest: digest::of_written(plan) }
    }

    /// The digest.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Writes the document, with a signature of the digest if there is one.
    ///
    /// # Errors
    /// `out` cannot be written.
    pub fn write(self, signature: Option<Signature>, out: &mut dyn Write) -> io::Result<()> {
        let Self { plan, digest: plan_digest } = self;
        let (held_back, summary) = (plan.held_now.as_slice(), plan.summary());
        let estimate = plan.estimate();
        let document = Document { plan_digest, signature, plan, held_back, summary, estimate };
        serde_json::to_writer_pretty(&mut *out, &document)?;
        out.write_all(b"\n")
    }
}

/// Writes JSON Lines, for readers that take one thing at a time: a `head`, each `object`, each
/// `removed` object of a comparison, what is `held_back` as a whole, the `estimate` of what it costs, and the `summary`. Each line has one of these keys, and under
/// it what the document has.
///
/// # Errors
/// `out` cannot be written.
pub fn write_lines(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    let mut head = serde_json::to_value(head_of(plan))?;
    if let Some(head) = head.as_object_mut() {
        head.shift_remove("objects");
    }
    line(out, "head", &head)?;
    for object in plan.objects.each() {
        line(out, "object", &object)?;
    }
    for object in plan.comparison.iter().flat_map(|comparison| &comparison.removed) {
        line(out, "removed", object)?;
    }
    for held in &plan.held_now {
        line(out, "held_back", held)?;
    }
    if let Some(estimate) = plan.estimate() {
        line(out, "estimate", &estimate)?;
    }
    line(out, "summary", &plan.summary())
}

fn line<T: Serialize>(out: &mut dyn Write, key: &str, value: &T) -> io::Result<()> {
    serde_json::to_writer(&mut *out, &BTreeMap::from([(key, value)]))?;
    out.write_all(b"\n")
}

/// A plan without its objects.
fn head_of(plan: &Plan) -> Plan {
    Plan {
        format_version: plan.format_version.clone(),
        evenkeel_version: plan.evenkeel_version.clone(),
        run: plan.run.clone(),
        baseline: plan.baseline.clone(),
        targets: plan.targets.clone(),
        failed: plan.failed.clone(),
        skipped: plan.skipped.clone(),
        snapshot: plan.snapshot.clone(),
        shards: plan.shards.clone(),
        comparison: plan
            .comparison
            .as_ref()
            .map(|comparison| Comparison { removed: Vec::new(), ..comparison.clone() }),
        in_sync: plan.in_sync,
        objects: Objects::default(),
        order: plan.order.clone(),
        cost: plan.cost,
        held_now: Vec::new(),
        next: None,
    }
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document<'_>).to_value();
    schema["title"] = "evenkeel plan".into();
    schema
}
