//! `evenkeel snapshot`: records the observed state of the selected targets.

use evenkeel::plan::words::counted;

use super::args::{Global, SnapshotArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Wish};
use super::{out, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &SnapshotArgs) -> Result<Exit, Failure> {
    out::take_nothing_away(&[("--out", Some(&args.out))], &settings::own_files(global, None))?;
    let wish = Wish { record: Some(args.out.clone()), ..Wish::default() };
    let looked = look::look(global, &args.selectors, wish).await?;
    let plan = &looked.plan;
    let size = std::fs::metadata(&args.out).map_or(0, |file| file.len());
    out::line(&format!(
        "{}: {} with {} in {} KiB",
        args.out.display(),
        counted(plan.targets.len(), "account"),
        counted(usize::try_from(plan.cost.requests).unwrap_or(usize::MAX), "call"),
        size.div_ceil(1024),
    ));
    let unknown = plan.summary().unknown;
    if unknown > 0 {
        out::line(&format!(
            "{} could not be read and will be unknown in plans from it",
            counted(unknown, "object")
        ));
    }
    for failed in &plan.failed {
        out::line(&format!("account {} could not be looked at: {}", failed.account, failed.reason));
    }
    Ok(if plan.failed.is_empty() && unknown == 0 { Exit::Done } else { Exit::Partly })
}
