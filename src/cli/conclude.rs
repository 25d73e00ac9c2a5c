//! How `apply` ends: its last lines, and the exit code.

use std::collections::{BTreeMap, BTreeSet};

use evenkeel::plan::words::{counted, shortened_list};
use evenkeel::plan::{Guard, ObjectPlan, Plan, Shards, Verdict};
use evenkeel::reconcile::{ApplyReport, LeftAlone, RunOutcome, Step};
use evenkeel::store::audit::AuditLog;
use evenkeel::visible::visible;

use super::exit::Exit;
use super::out;

/// An option with its value.
type Asked = (&'static str, Option<String>);

/// Says that there is nothing to apply, and what is left all the same.
pub fn nothing_to_apply(plan: &Plan) -> Exit {
    out::line(&match open_findings(plan) {
        0 => "\nThere is nothing to apply.".to_owned(),
        open => format!("\nThere is nothing to apply; {}.", stay_open(open)),
    });
    whole(plan, Exit::from(plan.outcome()))
}

/// How many changes and findings are not for apply to do.
fn open_findings(plan: &Plan) -> usize {
    let open =
        |object: &ObjectPlan| object.changes.iter().filter(|change| !change.is_applied()).count();
    let objects = plan.objects.each().filter(|object| object.verdict == Verdict::Drifted);
    objects.map(|object| open(&object)).sum()
}

fn stay_open(open: usize) -> String {
    let stay = if open == 1 { "stays" } else { "stay" };
    format!("{} {stay} open: see evenkeel check", counted(open, "finding"))
}

/// Says with which command line the guards would not hold back what they did in the middle of the run, where a
/// person can overrule them.
pub fn say_next(report: &ApplyReport, line: impl FnOnce(&[Asked]) -> String) {
    let guards: BTreeSet<Guard> = report
        .outcomes
        .iter()
        .filter_map(|outcome| match &outcome.step {
            Step::HeldBack { held } => Some(held.guard),
            _ => None,
        })
        .collect();
    let can_be_overruled = |guard: &Guard| !matches!(guard, Guard::FirstRun | Guard::ChangeWindow);
    if guards.is_empty() || !guards.iter().all(can_be_overruled) {
        return;
    }
    let asked: Vec<Asked> =
        guards.iter().map(|guard| ("--overrule", Some(guard.as_str().to_owned()))).collect();
    out::line(&format!("  next: {}", line(&asked)));
}

/// What was not tried because the run came to its end, in a line for each reason.
pub fn not_tried(report: &ApplyReport) -> Vec<String> {
    const NAMED: usize = 3;
    let mut by_reason: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    for outcome in &report.outcomes {
        let why = match &outcome.step {
            Step::NotTried => "stopping".to_owned(),
            Step::LeaseLost { why } => why.clone(),
            Step::HeldBack { held } => format!("held back {held}"),
            _ => continue,
        };
        let (changes, titles) = by_reason.entry(why).or_default();
        *changes += 1;
        if !titles.contains(&outcome.title) {
            titles.push(outcome.title.clone());
        }
    }
    let line = |(why, (changes, titles)): (String, (usize, Vec<String>))| {
        let (changes, names) = (counted(changes, "change"), shortened_list(&titles, NAMED));
        format!("  not tried {changes} of {names}: {}", visible(&why))
    };
    by_reason.into_iter().map(line).collect()
}

/// The last lines, and the exit code. What is only reported is not for apply to do: it is counted, and
/// has the exit code that `check` has for it.
pub fn conclude(
    plan: &Plan,
    reviewed: &Plan,
    report: &ApplyReport,
    left_alone: &[LeftAlone],
    audit: &AuditLog,
) -> Exit {
    let (plan, reviewed) = (report.judged(plan), report.judged(reviewed));
    let (plan, reviewed) = (plan.as_ref(), reviewed.as_ref());
    let left = report.left();
    for line in not_tried(report) {
        out::line(&line);
    }
    out::line("");
    objects(report);
    let mut line = format!("{} applied", counted(report.applied(), "change"));
    if left > 0 {
        line += &format!(", {left} not");
    }
    if !left_alone.is_empty() {
        let changes: usize = left_alone.iter().map(|left| left.changes).sum();
        line += &format!(", {changes} left alone in {}", counted(left_alone.len(), "account"));
    }
    let held = plan.summary().held_back_changes;
    if held > 0 {
        line += &format!(", {} held back", counted(held, "change"));
    }
    let unknown = plan.summary().unknown.max(reviewed.summary().unknown);
    if unknown > 0 {
        line += &format!(", {} unknown and left alone", counted(unknown, "object"));
    }
    let log = audit.path().display();
    let has_log = audit.path().exists();
    out::line(&match has_log {
        true => format!("{line} · audit log: {log} ({}) · run {}", audit.head(), plan.run),
        false => format!("{line} · run {} · the audit log {log} is not there any more", plan.run),
    });
    if let Some(why) = &report.log_failure {
        log_failed(report, why, has_log);
        return Exit::Partly;
    }
    // A saved plan looks again only at the accounts that it changes.
    let open = open_findings(plan).max(open_findings(reviewed));
    if open > 0 && !report.interrupted {
        out::line(&format!("{}.", stay_open(open)));
    }
    let outcome = RunOutcome::of(plan, Some(report)).max(RunOutcome::of(reviewed, Some(report)));
    match outcome {
        RunOutcome::Interrupted => {
            out::line(&format!(
                "Stopped as asked; {left} left to do. The next plan starts from what is there."
            ));
            Exit::Interrupted
        }
        RunOutcome::Refused => {
            if let Some(refusal) = &report.refused {
                out::say(&format!("refused: {refusal}; {}", refusal.remedy()));
            }
            Exit::Refused
        }
        outcome => whole(reviewed, outcome.into()),
    }
}

/// The objects that are not as declared, each with what helps.
fn objects(report: &ApplyReport) {
    for title in &report.not_converged {
        out::line(&format!(
            "AWS accepted the changes of {title}, but it is still not as declared; run check in a minute, \
             and when it still differs, find out in CloudTrail who puts it back"
        ));
    }
    let was_open = |title: &String| report.anew.iter().any(|one| one.title == *title);
    for title in &report.needs_more {
        let what = match was_open(title) {
            true => "was unknown, and is known to differ by now",
            false => "has what was to be applied, and needs something else by now",
        };
        out::line(&format!("{title} {what}: look at a new plan, and apply it"));
    }
    for title in report.put_right() {
        out::line(&format!(
            "{title} is as declared by now: what was only reported of it, or unknown, is put right"
        ));
    }
    for (title, why) in &report.unobserved {
        out::line(&format!(
            "AWS accepted the changes of {title}, but nobody knows whether it is as declared: {}; run check",
            visible(why)
        ));
    }
    for (title, why) in &report.awaited {
        out::line(&format!("{title} has what was to be applied, and waits: {}", visible(why)));
    }
    for title in &report.only_reported {
        out::line(&format!(
            "{title} has what was to be applied; what the plan only reports of it is left"
        ));
    }
    if report.outcomes.iter().any(|outcome| matches!(outcome.step, Step::Moved { .. })) {
        out::line("What has moved was left alone: make a new plan, and look at what it is now.");
    }
}

/// What is known of a run whose log could not be written any more.
fn log_failed(report: &ApplyReport, why: &str, has_log: bool) {
    out::line(&format!(
        "{why}: nothing more was written to AWS from then on. What is \"done\" above was written before."
    ));
    for title in &report.unrecorded {
        out::line(&match has_log {
            _ if report.store_remedy.is_some() => format!(
                "The last write to {title} is in the store without what came of it; the log has it, and the next run catches up."
            ),
            true => format!(
                "The last write to {title} is in the log without what came of it; the next run looks at it."
            ),
            false => {
                format!("The last write to {title} is in no log: run check, and look at it.")
            }
        });
    }
    if let Some(remedy) = report.store_remedy {
        out::line(&format!("{remedy}; the next apply goes on from what is there."));
        return;
    }
    out::line(match has_log {
        true => {
            "Make room for the log, or name another with --audit-log; the next apply goes on from what is there."
        }
        false => {
            "Find out who took the log away; the next apply begins another, and goes on from what is there."
        }
    });
}

/// The exit code for a plan that was merged of shards: accounts of those that are missing may have
/// anything. A shard alone is a plan of its own.
fn whole(plan: &Plan, exit: Exit) -> Exit {
    let Some(missing) = plan.shards.as_ref().and_then(Shards::left_out) else { return exit };
    out::say(&format!("warning: {missing}; nobody has looked at their accounts"));
    match exit {
        Exit::Done | Exit::Drift => Exit::Partly,
        exit => exit,
    }
}
