//! The plan as one JSON document. Its form is the plan's own data; `format_version` grows when a
//! reader of an older form would misread.

use serde::Serialize;

use crate::plan::{Comparison, Plan, Summary};

/// The document: the plan and its counts.
#[derive(Serialize, schemars::JsonSchema)]
struct Document<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    summary: Summary,
}

/// Renders.
///
/// # Errors
/// Never for a plan made here; a plan holds plain data only.
pub fn render(plan: &Plan) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(&Document { plan, summary: plan.summary() })
        .map(|text| text + "\n")
}

/// Renders as JSON Lines, for readers that take one thing at a time: a `head`, each `object`, each
/// `removed` object of a comparison, and the `summary`. Each line has one of these keys, and under
/// it what the document has.
///
/// # Errors
/// Never for a plan made here.
pub fn render_lines(plan: &Plan) -> Result<String, serde_json::Error> {
    let mut head = serde_json::to_value(Plan {
        objects: Vec::new(),
        comparison: plan
            .comparison
            .as_ref()
            .map(|comparison| Comparison { removed: Vec::new(), ..comparison.clone() }),
        ..head_of(plan)
    })?;
    if let Some(head) = head.as_object_mut() {
        head.shift_remove("objects");
    }
    let mut out = String::new();
    let mut line = |key: &str, value: &serde_json::Value| {
        let mut object = serde_json::Map::new();
        object.insert(key.to_owned(), value.clone());
        let text = serde_json::to_string(&object)?;
        out.push_str(&text);
        out.push('\n');
        Ok::<_, serde_json::Error>(())
    };
    line("head", &head)?;
    for object in &plan.objects {
        line("object", &serde_json::to_value(object)?)?;
    }
    for object in plan.comparison.iter().flat_map(|comparison| &comparison.removed) {
        line("removed", &serde_json::to_value(object)?)?;
    }
    line("summary", &serde_json::to_value(plan.summary())?)?;
    Ok(out)
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
        comparison: None,
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
