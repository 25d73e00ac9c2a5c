//! `evenkeel apply`: show the plan, ask, do it, verify it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use evenkeel::baseline::disk::Disk;
use evenkeel::kinds::{GrantClass, Risk};
use evenkeel::names::AccountId;
use evenkeel::notify::Notices;
use evenkeel::plan::render::summary::summary_line;
use evenkeel::plan::render::text;
use evenkeel::plan::words::counted;
use evenkeel::plan::{Detail, Guard, Held, Plan};
use evenkeel::reconcile::bound::{NothingLeft, accounts, same_baselines, within};
use evenkeel::reconcile::event::Stream;
use evenkeel::reconcile::limits::{self, LimitCheck};
use evenkeel::reconcile::rollback::rolled_back;
use evenkeel::reconcile::settings as library;
use evenkeel::reconcile::{
    Bounded, Kept, LeftAlone, Listener, Listeners, Looked, Refusal, Run, RunEvent, RunOutcome,
    Safety, Stop,
};
use evenkeel::store::audit::SharedLog;
use evenkeel::visible::visible;

use super::args::{ApplyArgs, Global};
use super::conclude::{conclude, nothing_to_apply, say_next};
use super::exit::Exit;
use super::failure::Failure;
use super::listen::{Steps, Talk};
use super::look::{self, Asking, Wish};
use super::{again, anchor, ask, out, remember, saved, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &ApplyArgs) -> Result<Exit, Failure> {
    apply(global, args)
        .await
        .map_err(|failure| failure.or_with(|options| again::apply(global, args, options)))
}

async fn apply(global: &Global, args: &ApplyArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let audit_log = settings::likely_audit_log(global, args.audit_log.as_ref());
    let warns = out::warns();
    let store = Kept::open(fleet.as_ref(), &audit_log, &warns).await;
    let notices = Notices::of(fleet.as_ref(), &audit_log, &store, &warns).map(Arc::new);
    let done = remembered(global, args, &store, notices.as_ref()).await;
    remember::close(&store, done.as_ref().copied());
    anchor::end(fleet.as_ref(), &audit_log).await;
    if let Some(notices) = notices {
        notices.end().await;
    }
    done
}

async fn remembered(
    global: &Global,
    args: &ApplyArgs,
    store: &Kept,
    notices: Option<&Arc<Notices>>,
) -> Result<Exit, Failure> {
    let saved = match &args.plan {
        None => None,
        Some(path) => Some(saved_plan(global, args, path).await?),
    };
    if !args.yes {
        ask::somebody()?;
    }
    if let Some(saved) = saved.as_ref().filter(|saved| is_empty(saved)) {
        out::line(&format!("evenkeel apply: {}", summary_line(saved)));
        return Ok(nothing_to_apply(saved));
    }
    // From the beginning: a wish to stop is heard whenever it comes.
    let stop = Stop::default();
    let _listening = ask::stop_on_signals(&stop);
    let (looked, audit_log, memory) =
        look_within(global, args, saved.as_ref(), &stop, (store, notices)).await?;
    if !looked.outside.is_empty() {
        return Err(Refusal::OutsideFleet { why: looked.outside }.into());
    }
    if !looked.undecided.is_empty() {
        return Err(Refusal::Undecided { why: looked.undecided }.into());
    }
    let mut listener = Listeners(vec![Arc::new(Talk), Arc::new(Steps::default())]);
    listener.0.extend(memory);
    let _alone = store.alone()?;
    let log = SharedLog::at(audit_log);
    let safety = looked.guards.safety.clone();
    let (mut run, fresh) = Run::begin(looked, &log, &stop, &listener).await?;
    let held = still_held(&fresh, saved.as_ref());
    let (mut chosen, mut left_alone) = match &saved {
        None => (fresh, Vec::new()),
        Some(saved) => kept(saved, fresh)?,
    };
    let mut reviewed = reviewed(args, saved, &chosen);
    show(global, args, &chosen);
    name(&left_alone);
    if chosen.order.is_empty() {
        held_back(&chosen, held, &safety, store)?;
        return Ok(nothing_to_apply(&chosen));
    }
    run.check(&chosen)?;
    remember::insist(store)?;
    if !args.yes {
        // Nobody can agree to what nobody could read.
        out::is_whole()?;
        let question = format!(
            "\nApply {} to {}?",
            counted(chosen.order.len(), "change"),
            counted(accounts(&chosen).len(), "account")
        );
        if !ask::agrees(&question, &stop).await? {
            out::line("Nothing was changed.");
            return Ok(Exit::Interrupted);
        }
        // The reader took their time: the account may have moved meanwhile, the window closed.
        let (now, _, _) = look_within(global, args, Some(&chosen), &stop, (store, notices)).await?;
        let (still, moved) = kept(&chosen, run.go_on_from(now))?;
        name(&moved);
        chosen = still;
        reviewed.take_over(&chosen);
        left_alone.extend(moved);
        held_back(&chosen, chosen.held().collect(), &safety, store)?;
        run.check(&chosen)?;
    }
    out::line("");
    let report = run.apply(&chosen).await?;
    let outcome = RunOutcome::of(&chosen, Some(&report));
    Stream::new(&chosen.run, vec![&listener])
        .mention(RunEvent::Ended { outcome, report: Some(&report) });
    let exit = conclude(&chosen, &reviewed, &report, &left_alone, run.audit());
    say_next(&report, |options| again::apply(global, args, options));
    let left_out = !left_alone.is_empty() || !reviewed.failed.is_empty();
    Ok(match exit {
        Exit::Done | Exit::Drift if left_out => Exit::Partly,
        exit => exit,
    })
}

fn show(global: &Global, args: &ApplyArgs, plan: &Plan) {
    if global.quiet && args.yes {
        // Who has agreed already may do without seeing it again.
        out::line(&format!("evenkeel apply: {}", summary_line(plan)));
        return;
    }
    let options = text::Options { command: "apply", next: None, verbose: global.verbose > 0 };
    out::text(&text::render(plan, &options));
}

/// Whether nobody meant to write anything.
fn is_empty(saved: &Plan) -> bool {
    saved.order.is_empty() && saved.held().next().is_none()
}

/// What guards hold back of what somebody has reviewed.
fn still_held(fresh: &Plan, saved: Option<&Plan>) -> Vec<(String, Held)> {
    let reviewed: Option<BTreeSet<String>> =
        saved.map(|saved| saved.objects.each().map(|object| object.title()).collect());
    let is_asked = |title: &String| reviewed.as_ref().is_none_or(|all| all.contains(title));
    fresh.held().filter(|(title, _)| is_asked(title)).collect()
}

/// Refuses where guards hold back all that was to be applied: of a saved plan, all that is left of it.
fn held_back(
    plan: &Plan,
    held: Vec<(String, Held)>,
    safety: &Safety,
    kept: &Kept,
) -> Result<(), Failure> {
    let Some(refusal) = limits::held_back(plan, held, safety) else { return Ok(()) };
    remember::insist(kept)?;
    Err(refusal.into())
}

fn name(left_alone: &[LeftAlone]) {
    for left in left_alone {
        out::line(&format!("left alone: {}", visible(&left.to_string())));
    }
}

/// Reads the saved plan, and takes of it what was asked for.
async fn saved_plan(global: &Global, args: &ApplyArgs, path: &Path) -> Result<Plan, Failure> {
    let mut saved = saved::to_apply(global, args.verify.as_ref(), path).await?;
    if let Some(run) = rolled_back(&saved) {
        return Err(Refusal::Unusable {
            why: format!("{} is the plan of a rollback", path.display()),
            remedy: format!("evenkeel rollback {} {}", visible(run), path.display()),
        }
        .into());
    }
    // By what a plan is judged is never taken from the plan itself.
    if saved.baseline.targets.is_empty() && args.selectors.baseline.is_empty() {
        let accounts: Vec<String> = match args.selectors.account.is_empty() {
            true => saved.targets.iter().map(|target| target.account.to_string()).collect(),
            false => args.selectors.account.clone(),
        };
        let asked =
            LimitCheck::of(&saved, &within_limits(args, settings::safety(global)?)).options(&saved);
        let files = &saved.baseline.files;
        let line = again::apply_with_baselines(global, args, files, &accounts, &asked);
        return Err(Failure::usage(
            format!(
                "{} was made with -b, and a plan does not say by which baselines it is judged",
                path.display()
            ),
            "name the baseline again; if these are the files and accounts that you have reviewed, with the line below",
        )
        .with_next(line));
    }
    let asked = settings::accounts(&args.selectors.account)?;
    if !asked.is_empty() {
        let planned = accounts(&saved);
        if let Some(stranger) = asked.iter().find(|account| !planned.contains(*account)) {
            return Err(Failure::usage(
                format!("{} changes nothing in account {stranger}", path.display()),
                "correct -a, or leave it out",
            ));
        }
        saved.only_in(&asked, "its account was not asked for (-a)");
    }
    Ok(saved)
}

/// The limits of the fleet file with those of the command line.
fn within_limits(args: &ApplyArgs, mut safety: Safety) -> Safety {
    safety.max_risk = args.max_risk.map_or(safety.max_risk, Into::into);
    safety.allow_grants.extend(args.allow_grants.iter().copied().map(GrantClass::from));
    safety.max_changes = args.max_changes.unwrap_or(safety.max_changes);
    safety.max_changes_per_account =
        args.max_changes_per_account.unwrap_or(safety.max_changes_per_account);
    safety
}

/// Looks at what the files in front of us declare; with an earlier plan, where that has changes.
async fn look_within(
    global: &Global,
    args: &ApplyArgs,
    earlier: Option<&Plan>,
    stop: &Stop,
    (store, notices): (&Kept, Option<&Arc<Notices>>),
) -> Result<(Looked, PathBuf, Vec<Arc<dyn Listener>>), Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let max_risk: Option<Risk> = args.max_risk.map(Into::into);
    let allow_grants: Vec<GrantClass> = args.allow_grants.iter().copied().map(Into::into).collect();
    if let Some(earlier) = earlier {
        let targets = settings.targets.iter();
        same_baselines(earlier, targets, args.selectors.baseline.is_empty())?;
    }
    let audit_log =
        args.audit_log.clone().unwrap_or_else(|| library::audit_log(settings.fleet.as_ref()));
    let wish = Wish {
        max_risk,
        allow_grants,
        max_changes: args.max_changes,
        max_changes_per_account: args.max_changes_per_account,
        only: earlier.map(Plan::concerned),
        detail: Some(Detail::All),
        notices: notices.cloned(),
        asking: Asking {
            overruled: args.overrule.iter().copied().map(Guard::from).collect(),
            audit_log: Some(audit_log.clone()),
        },
        ..Wish::default()
    };
    let command = Some(("apply", store));
    let (looked, memory) =
        look::remembering(global, &args.selectors, settings, wish, stop, command).await?;
    // Which accounts are trusted is known only now.
    if let Some(earlier) = earlier {
        let safety = &looked.guards.safety;
        let limits = LimitCheck::of(earlier, safety);
        limits.check_risk().map_err(|refusal| {
            let asked = limits.options(earlier);
            Failure::Refused {
                refusal: Box::new(refusal),
                next: Some(again::apply(global, args, &asked)),
            }
        })?;
    }
    Ok((looked, audit_log, memory))
}

/// The fresh plan within an earlier one, and the accounts that have moved.
///
/// # Errors
/// No account with changes is as it was.
fn kept(earlier: &Plan, mut fresh: Plan) -> Result<(Plan, Vec<LeftAlone>), Failure> {
    // What is open is looked at to see how the run ends, and not to be written.
    fresh.only_report_beside(
        &earlier.changed(),
        "it is not in the plan that is applied: make a new one",
    );
    let Bounded { plan, left_alone, beyond } =
        within(earlier, fresh).map_err(|nothing| match nothing {
            NothingLeft::Stale(refusal) => refusal.into(),
            NothingLeft::Unseen { ref first, .. } => {
                Failure::usage(nothing.to_string(), first.remedy.clone().unwrap_or_default())
            }
        })?;
    if beyond > 0 {
        out::say(&format!(
            "note: {} more {} needed by now than the plan has: make a new plan for them",
            counted(beyond, "change"),
            if beyond == 1 { "is" } else { "are" }
        ));
    }
    Ok((plan, left_alone.into_values().collect()))
}

/// What somebody has reviewed of the accounts that were asked for, as far as it was not looked at again. What
/// guards hold back, they have said again.
fn reviewed(args: &ApplyArgs, saved: Option<Plan>, chosen: &Plan) -> Plan {
    let asked: BTreeSet<AccountId> =
        args.selectors.account.iter().filter_map(|account| account.parse().ok()).collect();
    let Some(saved) = saved else { return chosen.clone() };
    let mut saved = if asked.is_empty() { saved } else { saved.about(&asked) };
    saved.release();
    saved.take_over(chosen);
    saved
}
