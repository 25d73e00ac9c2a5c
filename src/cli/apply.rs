//! `evenkeel apply`: show the plan, ask, do it, verify it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::Utc;
use evenkeel::kinds::Risk;
use evenkeel::names::AccountId;
use evenkeel::plan::render::text::{self, counted};
use evenkeel::plan::{Detail, Disposition, ObjectPlan, Plan, PlannedChange};
use evenkeel::reconcile::fleet::Place;
use evenkeel::reconcile::guard::{LeftAlone, check_budget, check_windows, moved};
use evenkeel::reconcile::{Applier, ApplyReport, Progress, Refusal, Safety, Step, Stop};
use evenkeel::store::audit::{AuditLog, Phase, Record};
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
        max_changes: args.max_changes,
        audit_log: args.audit_log.clone(),
        only: stored.as_ref().map(changed_places),
        detail: Some(Detail::All),
        ..Wish::default()
    };
    let looked = look::look(global, &selectors, wish.clone()).await?;
    let audit = AuditLog::open(&looked.audit_log)?;
    recover(&audit, &looked)?;
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
        if !ask::agrees(&question).await? {
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
    let stop = Stop::default();
    ask::stop_on_signals(&stop);
    let applier = Applier {
        sessions: &looked.sessions,
        audit: &audit,
        stop: &stop,
        concurrent_accounts: looked.concurrent_accounts,
    };
    out::line("");
    let report = applier.apply(&chosen, &mut Lines::default()).await?;
    let exit = conclude(&chosen, &report, &left_alone, audit.path())?;
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

/// Looks after the writes during which an earlier run died: their objects have just been observed.
pub fn recover(audit: &AuditLog, looked: &Looked) -> Result<(), Failure> {
    for intent in audit.unfinished()? {
        let Some(session) = looked.sessions.get(&intent.account) else { continue };
        let object = looked.plan.objects.iter().find(|object| {
            object.account == intent.account
                && object.region == intent.region
                && object.item == intent.item
                && (object.observed.id == intent.object)
        });
        let title =
            object.map_or_else(|| format!("{} {}", intent.item, intent.object), ObjectPlan::title);
        out::say(&format!(
            "note: run {} was killed while it wrote {title}; it has been observed again, and this run goes on from there",
            intent.run
        ));
        let after = object.and_then(|object| serde_json::to_value(&object.observed).ok());
        audit.append(&Record {
            time: Utc::now(),
            by: session.caller_arn().to_owned(),
            phase: Phase::Recovered { after },
            ..intent
        })?;
    }
    Ok(())
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

    fn verified(&mut self, object: &ObjectPlan, in_sync: bool) {
        let title = object.title();
        if in_sync && self.verified.insert(title.clone()) {
            out::line(&format!("  verified  {title}"));
        }
    }
}

/// The last lines, and the exit code.
fn conclude(
    plan: &Plan,
    report: &ApplyReport,
    left_alone: &[LeftAlone],
    audit: &Path,
) -> Result<Exit, Failure> {
    let left = report.outcomes.len() - report.applied();
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
    out::line(&format!("{line} · audit log: {} · run {}", audit.display(), plan.run));
    if report.interrupted {
        out::line(&format!(
            "Stopped as asked; {left} left to do. The next plan starts from what is there."
        ));
        return Ok(Exit::Interrupted);
    }
    if report.is_complete() && unknown == 0 {
        return Ok(Exit::Done);
    }
    Ok(Exit::Partly)
}
