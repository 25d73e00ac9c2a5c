//! `evenkeel apply`: show the plan, ask, do it, verify it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::Utc;
use evenkeel::kinds::Risk;
use evenkeel::plan::render::text::{self, counted};
use evenkeel::plan::{ObjectPlan, Plan, PlannedChange};
use evenkeel::reconcile::guard::{check_budget, check_windows, moved};
use evenkeel::reconcile::{Applier, ApplyReport, Progress, Refusal, Safety, Step, Stop};
use evenkeel::store::audit::{AuditLog, Phase, Record};

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
    };
    let looked = look::look(global, &selectors, wish.clone()).await?;
    let audit = AuditLog::open(&looked.audit_log)?;
    recover(&audit, &looked)?;
    let chosen = match stored {
        None => looked.plan.clone(),
        Some(stored) => {
            refuse_if_stale(&stored, &looked.plan)?;
            stored
        }
    };
    let options = text::Options { command: "apply", next: None, verbose: global.verbose > 0 };
    if global.quiet && args.yes {
        // Who has agreed already may do without seeing it again.
        out::line(&format!("evenkeel apply: {}", text::summary_line(&chosen)));
    } else {
        out::text(&text::render(&chosen, &options));
    }
    if chosen.order.is_empty() {
        out::line("\nThere is nothing to apply.");
        return Ok(if chosen.summary().unknown > 0 { plan::exit_of(&chosen) } else { Exit::Done });
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
            counted(chosen.targets.len(), "account")
        );
        if !ask::agrees(&question).await {
            out::line("Nothing was changed.");
            return Ok(Exit::Interrupted);
        }
        // The reader took their time; the account may have moved meanwhile.
        let only = Some(changed_places(&chosen));
        let now = look::look(global, &selectors, Wish { only, ..wish }).await?;
        refuse_if_stale(&chosen, &now.plan)?;
    }
    let stop = Stop::default();
    ask::stop_on_signals(&stop);
    let applier = Applier { sessions: &looked.sessions, audit: &audit, stop: &stop };
    out::line("");
    let report = applier.apply(&chosen, &mut Lines::default()).await?;
    conclude(&chosen, &report, audit.path())
}

/// The selectors that lead to the same baselines and accounts as a saved plan.
fn selectors_of(plan: &Plan) -> Selectors {
    Selectors {
        baseline: plan.baseline.files.iter().map(Into::into).collect(),
        account: plan.targets.iter().map(|target| target.account.to_string()).collect(),
        ..Selectors::default()
    }
}

/// Where a plan would write: item and Region.
fn changed_places(plan: &Plan) -> BTreeSet<look::Place> {
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .map(|object| (object.account.clone(), object.item.clone(), object.region.clone()))
        .collect()
}

fn refuse_if_stale(plan: &Plan, now: &Plan) -> Result<(), Refusal> {
    let mut what = Vec::new();
    if plan.baseline.digest != now.baseline.digest {
        what.push("the baseline has changed since the plan was made".to_owned());
    }
    what.extend(moved(plan, now));
    if what.is_empty() { Ok(()) } else { Err(Refusal::Stale { moved: what }) }
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
                    out::line(&format!("            {line}"));
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
fn conclude(plan: &Plan, report: &ApplyReport, audit: &Path) -> Result<Exit, Failure> {
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
