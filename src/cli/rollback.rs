//! `evenkeel rollback`: put back what a run did, as a plan like any other: shown, bounded, agreed to,
//! applied and verified.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use evenkeel::plan::render::text;
use evenkeel::plan::words::counted;
use evenkeel::plan::{Detail, Plan, Spot};
use evenkeel::reconcile::bound::{accounts, bound};
use evenkeel::reconcile::event::Stream;
use evenkeel::reconcile::rollback::{NotPutBack, rollback};
use evenkeel::reconcile::{
    ApplyReport, Listener, Listeners, Looked, Refusal, Run, RunEvent, RunOutcome, Stop,
};
use evenkeel::store::audit::{AuditLog, SharedLog};
use evenkeel::store::history::RunShown;
use evenkeel::visible::visible;

use super::args::{Global, RollbackArgs, Selectors};
use super::conclude::not_tried;
use super::exit::Exit;
use super::failure::Failure;
use super::listen::{Steps, Talk};
use super::look::{self, Wish};
use super::remember::{self, Kept};
use super::{ask, out, saved, settings, show_run};

/// Runs the command.
pub async fn run(global: &Global, args: &RollbackArgs) -> Result<Exit, Failure> {
    let kept = Kept::from(remember::store(global).await?);
    let done = remembered(global, args, &kept).await;
    kept.close(&done);
    done
}

async fn remembered(global: &Global, args: &RollbackArgs, kept: &Kept) -> Result<Exit, Failure> {
    let run = show_run::find(&remember::store(global).await?, &args.run).await?;
    let audit_log = args.audit_log.clone().map_or_else(|| settings::audit_log(global), Ok)?;
    out::take_nothing_away(&[("--save", args.save.as_deref())], &[&audit_log])?;
    if !args.yes && args.save.is_none() {
        ask::somebody()?;
    }
    let stop = Stop::default();
    let _listening = ask::stop_on_signals(&stop);
    let (mut looked, memory) = look_at(global, args, &run, kept, &stop).await?;
    let (fresh, left) = rollback(&run, &looked).await;
    looked.plan = match &args.plan {
        None => fresh,
        Some(path) => within(path, fresh).await?,
    };
    let options = text::Options { command: "rollback", next: None, verbose: global.verbose > 0 };
    out::text(&text::render(&looked.plan, &options));
    name(&left);
    if let Some(path) = &args.save {
        saved::save(&looked.plan, None, path).await?;
        out::line(&format!(
            "Nothing was changed. To apply exactly this: evenkeel rollback {} {}",
            run.run.run,
            path.display()
        ));
        return Ok(Exit::Done);
    }
    if looked.plan.order.is_empty() {
        out::line("\nThere is nothing to put back.");
        return Ok(if left.is_empty() { Exit::Done } else { Exit::Refused });
    }
    put_back(looked, &audit_log, memory, &stop, args.yes, !left.is_empty()).await
}

/// Looks at what the run wrote: the ways into its accounts, and who limits what is written there.
async fn look_at(
    global: &Global,
    args: &RollbackArgs,
    run: &RunShown,
    kept: &Kept,
    stop: &Stop,
) -> Result<(Looked, Vec<Arc<dyn Listener>>), Failure> {
    let spots: BTreeSet<Spot> = run
        .changes
        .iter()
        .map(|change| &change.intent)
        .map(|intent| (intent.account.clone(), intent.item.clone(), intent.region.clone()))
        .collect();
    if spots.is_empty() {
        return Err(Failure::usage(
            format!("run {} has written nothing", run.run.run),
            "evenkeel history lists what was written, and in which run",
        ));
    }
    let selectors = Selectors::default();
    let wish = Wish {
        max_risk: args.max_risk.map(Into::into),
        allow_grants: args.allow_grants.iter().copied().map(Into::into).collect(),
        max_changes: args.max_changes,
        max_changes_per_account: args.max_changes_per_account,
        only: Some(spots),
        detail: Some(Detail::All),
        ..Wish::default()
    };
    let settings = settings::resolve(global, &selectors)?;
    kept.rolls_back(&run.run.run);
    let command = Some(("rollback", kept));
    look::remembering(global, &selectors, settings, wish, stop, command).await
}

/// What a reviewed plan allows of a fresh one.
async fn within(path: &Path, fresh: Plan) -> Result<Plan, Failure> {
    let (saved, _) = saved::load(path, None).await?;
    if saved.baseline.name != fresh.baseline.name {
        return Err(Refusal::Unusable {
            why: format!("{} is no plan of a {}", path.display(), fresh.baseline.name),
            remedy: "make it with evenkeel rollback RUN --save FILE".to_owned(),
        }
        .into());
    }
    let bounded = bound(&saved, fresh);
    for left in bounded.left_alone.values() {
        out::line(&format!("left alone: {}", visible(&left.to_string())));
    }
    Ok(bounded.plan)
}

fn name(left: &[NotPutBack]) {
    for NotPutBack { title, why } in left {
        out::line(&format!("left alone: {}: {}", visible(title), visible(why)));
    }
}

async fn put_back(
    looked: Looked,
    audit_log: &Path,
    memory: Vec<Arc<dyn Listener>>,
    stop: &Stop,
    is_agreed: bool,
    is_left: bool,
) -> Result<Exit, Failure> {
    let mut listener = Listeners(vec![Arc::new(Talk), Arc::new(Steps::default())]);
    listener.0.extend(memory);
    let (run, plan) = Run::begin(looked, &SharedLog::at(audit_log), stop, &listener).await?;
    // Of what was seen, this is what is to be done.
    Stream::new(&plan.run, vec![&listener]).mention(RunEvent::Planned { plan: &plan });
    run.check(&plan)?;
    if !is_agreed {
        out::is_whole()?;
        let question = format!(
            "\nPut back {} in {}?",
            counted(plan.order.len(), "change"),
            counted(accounts(&plan).len(), "account")
        );
        if !ask::agrees(&question, stop).await? {
            out::line("Nothing was changed.");
            return Ok(Exit::Interrupted);
        }
    }
    out::line("");
    let report = run.apply(&plan).await?;
    let outcome = RunOutcome::of(&plan, Some(&report));
    Stream::new(&plan.run, vec![&listener])
        .mention(RunEvent::Ended { outcome, report: Some(&report) });
    let exit = conclude(&plan, &report, run.audit());
    Ok(if exit == Exit::Done && is_left { Exit::Partly } else { exit })
}

fn conclude(plan: &Plan, report: &ApplyReport, audit: &AuditLog) -> Exit {
    for line in not_tried(report) {
        out::line(&line);
    }
    out::line("");
    for title in &report.not_converged {
        out::line(&format!("AWS accepted the changes of {title}, but it is still not as it was"));
    }
    for (title, why) in &report.unobserved {
        out::line(&format!(
            "AWS accepted the changes of {title}, but nobody knows whether it is as it was: {}",
            visible(why)
        ));
    }
    let left = match report.left() {
        0 => String::new(),
        left => format!(", {left} not"),
    };
    out::line(&format!(
        "{} put back{left} · audit log: {} ({}) · run {}",
        counted(report.applied(), "change"),
        audit.path().display(),
        audit.head(),
        plan.run
    ));
    if let Some(why) = &report.log_failure {
        out::line(&format!("{why}: nothing more was written to AWS from then on."));
    }
    if report.applied() > 0 {
        out::line(
            "The baselines are as they were: the next apply or run writes this again, unless they change too.",
        );
    }
    report.outcome().into()
}
