//! `evenkeel check`: the drift report for schedules and CI. One line first that says it all.

use std::sync::Arc;

use evenkeel::baseline::disk::Disk;
use evenkeel::plan::render::summary::summary_line;

use super::args::{CheckArgs, Format, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Wish, say_outside};
use super::notices::{self, Notices};
use super::remember::Kept;
use super::{out, settings, show};

/// Runs the command.
pub async fn run(global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    out::take_nothing_away(
        &[("--out", args.output.out.as_deref())],
        &[&settings::likely_audit_log(global)],
    )?;
    let notices = notices(global, args).await?;
    let wish = Wish {
        detail: Some(show::detail(args.output.format)),
        notices: notices.clone(),
        ..Wish::default()
    };
    let looked = look::look_remembered(global, &args.selectors, wish, "check").await?;
    if let Some(notices) = notices {
        notices.end().await;
    }
    say_outside(&looked);
    let found = &looked.plan;
    let exit = Exit::from(found.outcome());
    if args.output.format == Format::Text && args.output.out.is_none() {
        let verdict = match exit {
            Exit::Done => "in sync",
            Exit::Drift => "drift",
            _ if found.is_all_read() => "not everything can be judged",
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

/// Who is told, if that is wished: a look at a branch that nobody has merged should tell nobody.
async fn notices(global: &Global, args: &CheckArgs) -> Result<Option<Arc<Notices>>, Failure> {
    if !args.notify {
        return Ok(None);
    }
    let fleet = settings::fleet_file(global, &Disk)?;
    let kept = Kept::open(fleet.as_ref()).await;
    let audit_log = settings::likely_audit_log(global);
    let notices = Notices::of(fleet.as_ref(), &audit_log, notices::store_of(&kept));
    let notices = notices.ok_or_else(|| {
        Failure::usage(
            "--notify: the fleet file has no channel to tell",
            "add [notify.sns.NAME], or another channel; docs/notices.md lists them",
        )
    })?;
    Ok(Some(Arc::new(notices)))
}
