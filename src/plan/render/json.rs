//! The plan as one JSON document. Its form is the plan's own data; `format_version` grows when a
//! reader of an older form would misread. A digest tells whether it is as it was written.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::digest;
use crate::plan::sign::{Key, Signature};
use crate::plan::{Comparison, Plan, Summary};

/// The document: the plan, its digest and its counts.
#[derive(Serialize, schemars::JsonSchema)]
struct Document<'a> {
    /// Digest of the plan, hexadecimal: what was damaged, or edited by hand, is neither merged nor
    /// applied. Anybody can compute it again: it is no signature.
    plan_digest: String,
    /// A signature of the digest, when the plan was saved with a key.
    #[serde(skip_serializing_if = "Option::is_none")]
    signature: Option<Signature>,
    #[serde(flatten)]
    plan: &'a Plan,
    summary: Summary,
}

/// Writes the document.
///
/// # Errors
/// `out` cannot be written.
pub fn write(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    write_signed(plan, None, out)
}

/// The same, signed when there is a key.
///
/// # Errors
/// `out` cannot be written.
pub fn write_signed(plan: &Plan, key: Option<&Key>, out: &mut dyn Write) -> io::Result<()> {
    let plan_digest = digest::of_written(plan);
    let signature = key.map(|key| key.sign(&plan_digest));
    let document = Document { plan_digest, signature, plan, summary: plan.summary() };
    serde_json::to_writer_pretty(&mut *out, &document)?;
    out.write_all(b"\n")
}

/// Writes JSON Lines, for readers that take one thing at a time: a `head`, each `object`, each
/// `removed` object of a comparison, and the `summary`. Each line has one of these keys, and under
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
    for object in &plan.objects {
        line(out, "object", object)?;
    }
    for object in plan.comparison.iter().flat_map(|comparison| &comparison.removed) {
        line(out, "removed", object)?;
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
        objects: Vec::new(),
        order: plan.order.clone(),
        cost: plan.cost,
    }
}

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document<'_>).to_value();
    schema["title"] = "evenkeel plan".into();
    schema
}
