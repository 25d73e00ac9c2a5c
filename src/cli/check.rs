//! `evenkeel check`: the drift report for schedules and CI. One line first that says it all.

use evenkeel::plan::render::summary::summary_line;

use super::args::{CheckArgs, Format, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Wish, say_outside};
use super::{out, settings, show};

/// Runs the command.
pub async fn run(global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    out::take_nothing_away(
        &[("--out", args.output.out.as_deref())],
        &[&settings::likely_audit_log(global)],
    )?;
    let wish = Wish { detail: Some(show::detail(args.output.format)), ..Wish::default() };
    let looked = look::look_remembered(global, &args.selectors, wish, "check").await?;
    say_outside(&looked);
    let found = &looked.plan;
    let exit = Exit::from(found.outcome());
    if args.output.format == Format::Text && args.output.out.is_none() {
        let verdict = match exit {
            Exit::Done => "in sync",
            Exit::Drift => "drift",
            _ => "not everything could be read",
        };
        out::line(&format!("evenkeel check: {verdict} · {}", summary_line(found)));
        if exit == Exit::Done && global.verbose == 0 {
            return Ok(exit);
        }
        out::line("");
    }
    show::print(global, found, "check", &args.output, None)?;
    Ok(exit)
}
