//! `evenkeel apply`: show the plan, ask, do it, verify it.

use std::collections::BTreeSet;

use chrono::Utc;
use evenkeel::kinds::Risk;
use evenkeel::names::AccountId;
use evenkeel::plan::render::text::{self, counted};
use evenkeel::plan::{Detail, Disposition, ObjectPlan, Plan, PlannedChange};
use evenkeel::reconcile::fleet::Place;
use evenkeel::reconcile::guard::{LeftAlone, check_budget, check_windows, moved};
use evenkeel::reconcile::recover::{recover, title};
use evenkeel::reconcile::{Applier, ApplyReport, Progress, Refusal, Safety, Step, Stop};
use evenkeel::store::audit::AuditLog;
use evenkeel::visible::visible;

use super::args::{ApplyArgs, Global, Selectors};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Looked, Wish};
use super::{ask, out, plan, saved};

/// Runs the command.
pub async fn run(global: &Global, args: &ApplyArgs) -> Result<Exit, Failure> {
    let stored = args.plan.as_deref().map(saved::load).transpose()?;
    if !args.yes {
        ask::somebody()?;
    }
    let max_risk: Option<Risk> = args.max_risk.map(Into::into);
    let selectors = match &stored {
        None => args.selectors.clone(),
        Some(stored) => selectors_of(stored),
    };
    let wish = Wish {
        max_risk,
        allow_grants: args.allow_grants.iter().copied().map(Into::into).collect(),
        max_changes: args.max_changes,
        audit_log: args.audit_log.clone(),
        only: stored.as_ref().map(changed_places),
        detail: Some(Detail::All),
        ..Wish::default()
    };
    // From the beginning: a wish to stop is heard whenever it comes.
    let stop = Stop::default();
    ask::stop_on_signals(&stop);
    let looked = look::look(global, &selectors, wish.clone()).await?;
    let audit = open_log(&looked, &stop).await?;
    let (mut chosen, mut left_alone) = match stored {
        None => (looked.plan.clone(), Vec::new()),
        Some(stored) => without_moved(stored, &looked.plan)?,
    };
    let options = text::Options { command: "apply", next: None, verbose: global.verbose > 0 };
    if global.quiet && args.yes {
        // Who has agreed already may do without seeing it again.
        out::line(&format!("evenkeel apply: {}", text::summary_line(&chosen)));
    } else {
        out::text(&text::render(&chosen, &options));
    }
    name(&left_alone);
    if chosen.order.is_empty() {
        out::line("\nThere is nothing to apply.");
        return Ok(match plan::exit_of(&chosen) {
            // What is only reported is not for apply to do.
            Exit::Drift => Exit::Done,
            exit => exit,
        });
    }
    check_budget(
        &chosen,
        &Safety { max_risk: max_risk.unwrap_or(looked.safety.max_risk), ..looked.safety },
    )?;
    check_windows(&looked.windows, Utc::now())?;
    if !args.yes {
        let question = format!(
            "\nApply {} to {}?",
            counted(chosen.order.len(), "change"),
            counted(accounts_of(&chosen).len(), "account")
        );
        if !ask::agrees(&question, &stop).await? {
            out::line("Nothing was changed.");
            return Ok(Exit::Interrupted);
        }
        // The reader took their time; the account may have moved meanwhile.
        let only = Some(changed_places(&chosen));
        let now = look::look(global, &selectors, Wish { only, ..wish }).await?;
        let (still, moved) = without_moved(chosen, &now.plan)?;
        name(&moved);
        chosen = still;
        left_alone.extend(moved);
    }
    let applier = Applier {
        sessions: &looked.sessions,
        audit: &audit,
        stop: &stop,
        concurrent_accounts: looked.concurrent_accounts,
    };
    out::line("");
    let report = applier.apply(&chosen, &mut Lines::default()).await;
    let exit = conclude(&chosen, &report, &left_alone, &audit);
    let left_out = !left_alone.is_empty() || !chosen.failed.is_empty();
    Ok(if exit == Exit::Done && left_out { Exit::Partly } else { exit })
}

fn name(left_alone: &[LeftAlone]) {
    for left in left_alone {
        out::line(&format!("left alone: {}", visible(&left.to_string())));
    }
}

/// The accounts that a plan would write to.
fn accounts_of(plan: &Plan) -> BTreeSet<AccountId> {
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .map(|object| object.account.clone())
        .collect()
}

/// The selectors that lead to the same baselines and the accounts with changes of a saved plan.
fn selectors_of(plan: &Plan) -> Selectors {
    let named = plan.baseline.targets.is_empty();
    let mut accounts = accounts_of(plan);
    if accounts.is_empty() {
        accounts.extend(plan.targets.iter().map(|target| target.account.clone()));
    }
    Selectors {
        baseline: match named {
            true => plan.baseline.files.iter().map(Into::into).collect(),
            false => Vec::new(),
        },
        target: plan.baseline.targets.clone(),
        account: accounts.iter().map(ToString::to_string).collect(),
        ..Selectors::default()
    }
}

/// Where a plan would write: item and Region.
fn changed_places(plan: &Plan) -> BTreeSet<Place> {
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .map(|object| (object.account.clone(), object.item.clone(), object.region.clone()))
        .collect()
}

/// The plan without the changes of accounts that have moved since it was made, and those accounts.
///
/// # Errors
/// The baseline has changed, or no account with changes is as it was.
fn without_moved(mut plan: Plan, now: &Plan) -> Result<(Plan, Vec<LeftAlone>), Failure> {
    if plan.baseline.digest != now.baseline.digest {
        let what = "the baseline has changed since the plan was made".to_owned();
        return Err(Refusal::Stale { moved: vec![what] }.into());
    }
    let moved = moved(&plan, now);
    if !moved.is_empty() && accounts_of(&plan).iter().all(|account| moved.contains_key(account)) {
        if let Some(unseen) =
            now.failed.first().filter(|_| moved.values().all(|left| left.is_unseen))
        {
            return Err(Failure::usage(
                format!(
                    "{} of the plan cannot be looked at; {}: {}",
                    counted(moved.len(), "account"),
                    unseen.account,
                    unseen.reason
                ),
                unseen.remedy.clone().unwrap_or_default(),
            ));
        }
        let what = moved.values().map(ToString::to_string).collect();
        return Err(Refusal::Stale { moved: what }.into());
    }
    let mut left = BTreeSet::new();
    for object in plan.objects.iter_mut().filter(|object| moved.contains_key(&object.account)) {
        for change in object.changes.iter_mut().filter(|change| change.is_applied()) {
            left.insert(change.id);
            change.disposition = Disposition::Report {
                reason: "left alone, because this account has moved since the plan was made"
                    .to_owned(),
            };
        }
    }
    plan.order.retain(|id| !left.contains(id));
    Ok((plan, moved.into_values().collect()))
}

/// Opens the audit log, says what is wrong with it, and looks after the writes during which an
/// earlier run died.
///
/// # Errors
/// The log cannot be used, or somebody wishes to stop.
pub async fn open_log(looked: &Looked, stop: &Stop) -> Result<AuditLog, Failure> {
    let audit = AuditLog::open(&looked.audit_log)?;
    if let Some(fault) = audit.faults().first() {
        out::say(&format!(
            "warning: the audit log {} is not as its runs wrote it ({}); see evenkeel audit verify",
            audit.path().display(),
            visible(&fault.to_string())
        ));
    }
    let recoveries = tokio::select! {
        recoveries = recover(&audit, &looked.sessions, &looked.plan) => recoveries?,
        () = stop.raised() => return Err(Failure::Interrupted),
    };
    for recovery in recoveries {
        let run = visible(&recovery.intent.run);
        let title = title(&recovery.intent);
        out::say(&match &recovery.found {
            Ok(in_sync) => format!(
                "note: run {run} was killed while it wrote {title}; it has been observed again ({}), and this run goes on from there",
                if *in_sync { "as declared" } else { "not as declared" }
            ),
            Err(why) => format!(
                "warning: run {run} was killed while it wrote {title}, and nobody knows what came of it, because {}; this will be said until a run could look at it",
                visible(why)
            ),
        });
    }
    Ok(audit)
}

/// Prints a line a step.
#[derive(Default)]
struct Lines {
    verified: BTreeSet<String>,
}

impl Progress for Lines {
    fn wrote(&mut self, object: &ObjectPlan, change: &PlannedChange, step: &Step) {
        let what = change
            .permissions
            .first()
            .map_or_else(String::new, |permission| format!("  {permission}"));
        match step {
            Step::Applied => out::line(&format!("  done      {}{what}", object.title())),
            Step::Needless => {
                out::line(&format!(
                    "  is so     {}{what}: it is as declared already",
                    object.title()
                ));
            }
            Step::Moved { why } => out::line(&format!(
                "  MOVED     {}{what}: {}; it was left alone",
                object.title(),
                visible(why)
            )),
            Step::Failed { error } => {
                out::line(&format!("  FAILED    {}{what}", object.title()));
                for line in error.lines() {
                    out::line(&format!("            {}", visible(line)));
                }
            }
            Step::Blocked { by } => {
                out::line(&format!("  not tried {}{what}: change {by} failed", object.title()));
            }
            Step::NotTried => out::line(&format!("  not tried {}{what}: stopping", object.title())),
        }
    }

    fn makes_room(&mut self, object: &ObjectPlan, refused: &PlannedChange, room: &PlannedChange) {
        out::line(&format!(
            "  no room   {}: a quota is full; change {} goes first, then change {} once more",
            object.title(),
            room.id,
            refused.id
        ));
    }

    fn verified(&mut self, object: &ObjectPlan, in_sync: bool) {
        let title = object.title();
        if in_sync && self.verified.insert(title.clone()) {
            out::line(&format!("  verified  {title}"));
        }
    }
}

/// The last lines, and the exit code.
fn conclude(plan: &Plan, report: &ApplyReport, left_alone: &[LeftAlone], audit: &AuditLog) -> Exit {
    let left = report.left();
    out::line("");
    for title in &report.not_converged {
        out::line(&format!(
            "AWS accepted the changes of {title}, but it is still not as declared; run check in a minute"
        ));
    }
    let mut line = format!("{} applied", counted(report.applied(), "change"));
    if left > 0 {
        line += &format!(", {left} not");
    }
    if !left_alone.is_empty() {
        let changes: usize = left_alone.iter().map(|left| left.changes).sum();
        line += &format!(", {changes} left alone in {}", counted(left_alone.len(), "account"));
    }
    let unknown = plan.summary().unknown;
    if unknown > 0 {
        line += &format!(", {} unknown and left alone", counted(unknown, "object"));
    }
    out::line(&format!(
        "{line} · audit log: {} ({}) · run {}",
        audit.path().display(),
        audit.head(),
        plan.run
    ));
    if let Some(why) = &report.log_failure {
        out::line(&format!(
            "{why}: nothing more was written to AWS from then on. What is \"done\" above was written before."
        ));
        for title in &report.unrecorded {
            out::line(&format!(
                "The last write to {title} is in the log without what came of it; the next run looks at it."
            ));
        }
        out::line(
            "Make room for the log, or name another with --audit-log; the next apply goes on from what is there.",
        );
        return Exit::Partly;
    }
    if report.interrupted {
        out::line(&format!(
            "Stopped as asked; {left} left to do. The next plan starts from what is there."
        ));
        return Exit::Interrupted;
    }
    if report.is_complete() && unknown == 0 { Exit::Done } else { Exit::Partly }
}
