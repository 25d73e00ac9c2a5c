//! `evenkeel rollback`: put back what a run did, as a plan like any other: shown, bounded, agreed to,
//! applied and verified.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chrono::TimeDelta;
use evenkeel::baseline::disk::Disk;
use evenkeel::guards::{Hold, ObjectKey};
use evenkeel::plan::render::text;
use evenkeel::plan::words::counted;
use evenkeel::plan::{Detail, Guard, ObjectPlan, Plan, PlannedChange, Spot};
use evenkeel::reconcile::bound::{accounts, bound_knowing};
use evenkeel::reconcile::event::Stream;
use evenkeel::reconcile::keeping::person;
use evenkeel::reconcile::limits::held_back;
use evenkeel::reconcile::rollback::{NotPutBack, rollback};
use evenkeel::reconcile::{
    ApplyReport, Guarded, Kept, Listener, Listeners, Looked, Refusal, Run, RunEvent, RunOutcome,
    Safety, Stop,
};
use evenkeel::store::audit::{AuditLog, SharedLog};
use evenkeel::store::history::RunShown;
use evenkeel::visible::visible;

use super::args::{Global, RollbackArgs, Selectors};
use super::conclude::{not_tried, say_next};
use super::exit::Exit;
use super::failure::Failure;
use super::listen::{Steps, Talk};
use super::look::{self, Asking, Wish};
use super::{again, anchor, ask, out, remember, saved, settings, show_run};

/// Runs the command.
pub async fn run(global: &Global, args: &RollbackArgs) -> Result<Exit, Failure> {
    let (kept, _) = remember::kept(global, args.audit_log.as_ref()).await?;
    let done = remembered(global, args, &kept).await;
    remember::close(&kept, done.as_ref().copied());
    done.map_err(|failure| failure.or_with(|options| again::rollback(global, args, options)))
}

async fn remembered(global: &Global, args: &RollbackArgs, kept: &Kept) -> Result<Exit, Failure> {
    let key = match &args.sign {
        Some(place) => Some(place.signer().await?),
        None => None,
    };
    let (_, store) = remember::kept(global, args.audit_log.as_ref()).await?;
    let run = show_run::find(&store, &args.run).await?;
    let audit_log = settings::audit_log(global, args.audit_log.as_ref())?;
    let own = settings::own_files(global, Some(&audit_log));
    out::take_nothing_away(&[("--save", args.save.as_deref())], &own)?;
    if !args.yes && args.save.is_none() {
        ask::somebody()?;
    }
    let stop = Stop::default();
    let _listening = ask::stop_on_signals(&stop);
    let (mut looked, memory) = look_at(global, args, &run, kept, &stop).await?;
    // What other runs have done since may stand in the log alone.
    if audit_log.exists() {
        store.take_over(&audit_log).await?;
    }
    // After the look, which notes what came of the writes of runs that have died.
    let since = store.changes_after(&run.run.run).await?;
    let (fresh, left) = rollback(&run, &since, &looked).await;
    let (plan, moved) = match &args.plan {
        None => (fresh, false),
        Some(path) => {
            let saved = saved::to_apply(global, args.verify.as_ref(), path).await?;
            within(&saved, path, fresh, &left)?
        }
    };
    looked.plan = plan;
    let is_left = moved || left.iter().any(|one| !one.is_back);
    let options = text::Options { command: "rollback", next: None, verbose: global.verbose > 0 };
    out::text(&text::render(&looked.plan, &options));
    name(&left);
    if let Some(path) = &args.save {
        saved::save(&looked.plan, key.as_ref(), path).await?;
        out::line(&format!(
            "Nothing was changed. To apply exactly this: {}",
            again::rollback_of_plan(global, args, &run.run.run, path)
        ));
        return Ok(Exit::Done);
    }
    if looked.plan.order.is_empty() {
        return nothing(&looked.plan, &looked.guards.safety, moved || !left.is_empty());
    }
    let fleet = settings::fleet_file(global, &Disk)?;
    let _alone = kept.alone()?;
    let done = put_back(looked, &audit_log, memory, &stop, (global, args), is_left).await;
    anchor::end(fleet.as_ref(), &audit_log).await;
    done
}

/// Says that nothing is written, and why.
fn nothing(plan: &Plan, safety: &Safety, is_left: bool) -> Result<Exit, Failure> {
    if let Some(refusal) = held_back(plan, plan.held().collect(), safety) {
        return Err(refusal.into());
    }
    let reported = only_reported(plan);
    out::line(&match reported {
        0 => "\nThere is nothing to put back.".to_owned(),
        reported => {
            format!("\nNothing is put back; {} only reported.", counted(reported, "change"))
        }
    });
    Ok(match (is_left, reported) {
        (true, _) => Exit::Refused,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Drift,
    })
}

/// How many changes the plan has that it does not write.
fn only_reported(plan: &Plan) -> usize {
    let objects = plan.objects.each();
    objects.map(|object| object.changes.iter().filter(|change| !change.is_applied()).count()).sum()
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
        puts_back: true,
        asking: Asking {
            overruled: args.overrule.iter().copied().map(Guard::from).collect(),
            ..Asking::default()
        },
        ..Wish::default()
    };
    let settings = settings::resolve(global, &selectors)?;
    kept.rolls_back(&run.run.run);
    let command = Some(("rollback", kept));
    look::remembering(global, &selectors, settings, wish, stop, command).await
}

/// What a reviewed plan allows of a fresh one, and whether something has moved since.
fn within(
    saved: &Plan,
    path: &Path,
    fresh: Plan,
    left: &[NotPutBack],
) -> Result<(Plan, bool), Failure> {
    if saved.baseline.name != fresh.baseline.name {
        return Err(Refusal::Unusable {
            why: format!("{} is no plan of a {}", path.display(), fresh.baseline.name),
            remedy: "make it with evenkeel rollback RUN --save FILE".to_owned(),
        }
        .into());
    }
    let why_missing = |object: &ObjectPlan| {
        let title = object.title();
        let mut of = left.iter().filter(|one| one.title == title);
        of.next().map(|one| one.why.clone())
    };
    let bounded = bound_knowing(saved, fresh, why_missing);
    for left in bounded.left_alone.values() {
        out::line(&format!("left alone: {}", visible(&left.to_string())));
    }
    Ok((bounded.plan, !bounded.left_alone.is_empty()))
}

fn name(left: &[NotPutBack]) {
    for NotPutBack { title, why, .. } in left {
        out::line(&format!("left alone: {}: {}", visible(title), visible(why)));
    }
}

async fn put_back(
    looked: Looked,
    audit_log: &Path,
    remembering: Vec<Arc<dyn Listener>>,
    stop: &Stop,
    (global, args): (&Global, &RollbackArgs),
    is_left: bool,
) -> Result<Exit, Failure> {
    let mut listener = Listeners(vec![Arc::new(Talk), Arc::new(Steps::default())]);
    listener.0.extend(remembering);
    let standing = looked.standing.clone();
    let (run, plan) = Run::begin(looked, &SharedLog::at(audit_log), stop, &listener).await?;
    // Of what was seen, this is what is to be done.
    Stream::new(&plan.run, vec![&listener]).mention(RunEvent::Planned { plan: &plan });
    run.check(&plan)?;
    if !args.yes {
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
    let held = match &standing {
        Some(standing) => held(standing.guarded(), &plan, args.hold_days).await?,
        None => Vec::new(),
    };
    let report = run.apply(&plan).await?;
    if let Some(standing) = &standing {
        say_held(standing.guarded(), &plan, &report, held).await?;
    }
    let outcome = RunOutcome::of(&plan, Some(&report));
    Stream::new(&plan.run, vec![&listener])
        .mention(RunEvent::Ended { outcome, report: Some(&report) });
    let exit = conclude(&plan, &report, run.audit());
    say_next(&report, |options| again::rollback(global, args, options));
    Ok(match exit {
        Exit::Done if is_left => Exit::Partly,
        Exit::Done if only_reported(&plan) > 0 => Exit::Drift,
        exit => exit,
    })
}

/// Holds what is put back, so that the next run does not take it back.
async fn held(guarded: &Guarded, plan: &Plan, hold_days: u32) -> Result<Vec<ObjectKey>, Failure> {
    let since = guarded.now();
    let mut held = Vec::new();
    for object in plan.objects.each().filter(|object| object.is_changed() && hold_days > 0) {
        let hold = Hold {
            object: ObjectKey::of(&object),
            since,
            until: since + TimeDelta::days(i64::from(hold_days)),
            owner: person(),
            reason: plan.baseline.name.clone(),
        };
        let key = hold.object.clone();
        if guarded.hold(hold).await? {
            held.push(key);
        }
    }
    Ok(held)
}

/// Lets go what was not put back, and says what is held.
async fn say_held(
    guarded: &Guarded,
    plan: &Plan,
    report: &ApplyReport,
    held: Vec<ObjectKey>,
) -> Result<(), Failure> {
    let is_sent = |change: &PlannedChange| {
        let mut outcomes = report.outcomes.iter().filter(|one| one.change == change.id);
        outcomes.any(|one| one.step.is_done())
    };
    let objects = plan.objects.each().filter(|object| object.changes.iter().any(is_sent));
    let kept: BTreeSet<ObjectKey> = objects.map(|object| ObjectKey::of(&object)).collect();
    for key in held {
        if !kept.contains(&key) {
            guarded.let_go(&key).await?;
            continue;
        }
        let key = key.to_string();
        out::line(&format!("held as it is now: {0} (evenkeel release {0})", visible(&key)));
    }
    Ok(())
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
            "The baselines are as they were: once nothing holds it any more, the next apply or run writes this again, unless they change too.",
        );
    }
    report.outcome().into()
}
