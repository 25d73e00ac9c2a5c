//! `evenkeel check`: the drift report for schedules and CI. One line first that says it all.

use std::path::Path;
use std::sync::Arc;

use chrono::Utc;
use evenkeel::baseline::disk::Disk;
use evenkeel::notify::Notices;
use evenkeel::plan::render::summary::summary_line;
use evenkeel::reconcile::Kept;
use evenkeel::reconcile::limits::LimitCheck;

use super::args::{CheckArgs, Format, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Asking, Wish, say_outside};
use super::{out, settings, show};

/// Runs the command.
pub async fn run(global: &Global, args: &CheckArgs) -> Result<Exit, Failure> {
    let audit_log = settings::likely_audit_log(global, args.beside.audit_log.as_ref());
    let own = settings::own_files(global, Some(&audit_log));
    out::take_nothing_away(&[("--out", args.output.out.as_deref())], &own)?;
    let notices = notices(global, args, &audit_log).await?;
    let wish = Wish {
        detail: Some(show::detail(args.output.format)),
        notices: notices.clone(),
        asking: Asking { audit_log: Some(audit_log), ..Asking::default() },
        ..Wish::default()
    };
    let mut looked = look::look_remembered(global, &args.selectors, wish, "check").await?;
    if let Some(notices) = notices {
        notices.end().await;
    }
    say_outside(&looked);
    let limits = LimitCheck::of(&looked.plan, &looked.guards.safety);
    looked.plan.held_now = looked.guards.holding(&looked.plan, &limits, Utc::now());
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
async fn notices(
    global: &Global,
    args: &CheckArgs,
    audit_log: &Path,
) -> Result<Option<Arc<Notices>>, Failure> {
    if !args.notify {
        return Ok(None);
    }
    let fleet = settings::fleet_file(global, &Disk)?;
    let warns = out::warns();
    let kept = Kept::open(fleet.as_ref(), audit_log, &warns).await;
    let notices = Notices::of(fleet.as_ref(), audit_log, &kept, &warns);
    let notices = notices.ok_or_else(|| {
        Failure::usage(
            "--notify: the fleet file has no channel to tell",
            "add [notify.sns.NAME], or another channel; docs/notices.md lists them",
        )
    })?;
    Ok(Some(Arc::new(notices)))
}
