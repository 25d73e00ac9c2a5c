//! `evenkeel schema`: JSON Schema for editors.

use evenkeel::baseline::schema::baseline_schema;
use evenkeel::fleet;
use evenkeel::kinds::registry;

use super::args::{SchemaArgs, SchemaOf};
use super::exit::Exit;
use super::failure::Failure;
use super::out;

/// Runs the command.
pub fn run(args: &SchemaArgs) -> Result<Exit, Failure> {
    let schema = match args.file {
        SchemaOf::Baseline => baseline_schema(registry::catalog()),
        SchemaOf::Fleet => fleet::file::schema(),
        SchemaOf::Plan => evenkeel::plan::render::json::schema(),
    };
    out::line(&serde_json::to_string_pretty(&schema).unwrap_or_default());
    Ok(Exit::Done)
}
