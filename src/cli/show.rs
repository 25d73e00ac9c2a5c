//! A plan in the form that was asked for.

use evenkeel::plan::render::{html, json, junit, markdown, sarif, text};
use evenkeel::plan::{Detail, Plan};

use super::args::{Format, Global, Output};
use super::failure::Failure;
use super::{out, repository};

/// How much of a plan a form shows.
pub fn detail(format: Format) -> Detail {
    match format {
        Format::Json | Format::JsonLines | Format::Junit => Detail::Drift,
        Format::Text | Format::Markdown | Format::Sarif | Format::Html => Detail::Shown,
    }
}

/// Prints a plan in the form that was asked for.
///
/// # Errors
/// The output file cannot be written.
pub fn print(
    global: &Global,
    plan: &Plan,
    command: &'static str,
    output: &Output,
    next: Option<String>,
) -> Result<(), Failure> {
    let file = output.out.as_deref();
    let text = match output.format {
        // These can be large: they are written as they are made.
        Format::Json => return out::stream(file, |out| json::write(plan, out)),
        Format::JsonLines => return out::stream(file, |out| json::write_lines(plan, out)),
        Format::Text => {
            let verbose = global.verbose > 0;
            text::render(plan, &text::Options { command, next, verbose })
        }
        Format::Markdown => {
            markdown::render(plan, command, &format!("the output of `evenkeel {command}`"))
        }
        Format::Sarif => {
            let source = repository::source(global);
            return out::stream(file, |out| sarif::write(plan, &source, out));
        }
        Format::Html => return out::stream(file, |out| html::write(plan, command, out)),
        Format::Junit => return out::stream(file, |out| junit::write(plan, out)),
    };
    out::result(&text, file)
}
