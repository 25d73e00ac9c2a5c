//! The plan as one JSON document. Its form is the plan's own data; `format_version` grows when a
//! reader of an older form would misread.

use serde::Serialize;

use crate::plan::{Plan, Summary};

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

/// The JSON Schema of the document.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document<'_>).to_value();
    schema["title"] = "evenkeel plan".into();
    schema
}
