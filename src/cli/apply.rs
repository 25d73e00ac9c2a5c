//! `evenkeel apply`: show the plan, ask, do it, verify it.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::Utc;
use evenkeel::kinds::{GrantClass, Risk};
use evenkeel::names::AccountId;
use evenkeel::plan::render::summary::summary_line;
use evenkeel::plan::render::text;
use evenkeel::plan::words::counted;
use evenkeel::plan::{Detail, Disposition, ObjectPlan, Plan, PlannedChange, Verdict};
use evenkeel::reconcile::bound::accounts;
use evenkeel::reconcile::fleet::Place;
use evenkeel::reconcile::guard::{check_budget, check_risk, check_windows};
use evenkeel::reconcile::recover::{recover, title};
use evenkeel::reconcile::{
    Applier, ApplyReport, Bounded, LeftAlone, Progress, Refusal, Step, Stop, bound,
};
use evenkeel::store::audit::AuditLog;
use evenkeel::visible::visible;

use super::args::{ApplyArgs, Global, Selectors};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Looked, Wish};
use super::settings::{self, Settings};
use super::{again, ask, out, plan, saved};

/// Runs the command.
pub async fn run(global: &Global, args: &ApplyArgs) -> Result<Exit, Failure> {
    apply(global, args)
        .await
        .map_err(|failure| failure.or_with(|options| again::apply(global, args, options)))
}

async fn apply(global: &Global, args: &ApplyArgs) -> Result<Exit, Failure> {
    let saved = match &args.plan {
        None => None,
        Some(path) => Some(saved_plan(global, args, path).await?),
    };
    if !args.yes {
        ask::somebody()?;
    }
    if let Some(saved) = saved.as_ref().filter(|saved| saved.order.is_empty()) {
        out::line(&format!("evenkeel apply: {}", summary_line(saved)));
        return Ok(nothing_to_apply(saved));
    }
    // From the beginning: a wish to stop is heard whenever it comes.
    let stop = Stop::default();
    ask::stop_on_signals(&stop);
    let looked = look_within(global, args, saved.as_ref()).await?;
    if !looked.outside.is_empty() {
        return Err(Refusal::OutsideFleet { why: looked.outside }.into());
    }
    let audit = open_log(&looked, &stop).await?;
    let Looked { plan: fresh, mut sessions, safety, mut windows, concurrent_accounts, .. } = looked;
    let (mut chosen, mut left_alone) = match &saved {
        None => (fresh, Vec::new()),
        Some(saved) => within(saved, fresh)?,
    };
    let options = text::Options { command: "apply", next: None, verbose: global.verbose > 0 };
    if global.quiet && args.yes {
        // Who has agreed already may do without seeing it again.
        out::line(&format!("evenkeel apply: {}", summary_line(&chosen)));
    } else {
        out::text(&text::render(&chosen, &options));
    }
    name(&left_alone);
    if chosen.order.is_empty() {
        return Ok(nothing_to_apply(&chosen));
    }
    check_budget(&chosen, &safety)?;
    check_windows(&windows, Utc::now())?;
    if !args.yes {
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
        let now = look_within(global, args, Some(&chosen)).await?;
        let (still, moved) = within(&chosen, now.plan)?;
        name(&moved);
        chosen = still;
        left_alone.extend(moved);
        sessions = now.sessions;
        windows = now.windows;
        check_budget(&chosen, &now.safety)?;
        check_windows(&windows, Utc::now())?;
    }
    let applier = Applier {
        sessions: &sessions,
        audit: &audit,
        stop: &stop,
        concurrent_accounts,
        may_begin: &|| check_windows(&windows, Utc::now()),
    };
    out::line("");
    let report = applier.apply(&chosen, &mut Lines::default()).await;
    // What nobody could see when the plan was made has not been looked at since.
    let reviewed = saved.as_ref().unwrap_or(&chosen);
    let exit = conclude(&chosen, reviewed, &report, &left_alone, &audit);
    let left_out = !left_alone.is_empty() || !reviewed.failed.is_empty();
    Ok(if exit == Exit::Done && left_out { Exit::Partly } else { exit })
}

fn nothing_to_apply(plan: &Plan) -> Exit {
    out::line(&match open_findings(plan) {
        0 => "\nThere is nothing to apply.".to_owned(),
        open => format!("\nThere is nothing to apply; {}.", stay_open(open)),
    });
    match plan::exit_of(plan) {
        // What is only reported is not for apply to do.
        Exit::Drift => Exit::Done,
        exit => exit,
    }
}

/// How many changes and findings are not for apply to do.
fn open_findings(plan: &Plan) -> usize {
    let objects = plan.objects.iter().filter(|object| object.verdict == Verdict::Drifted);
    objects.flat_map(|object| &object.changes).filter(|change| !change.is_applied()).count()
}

fn stay_open(open: usize) -> String {
    let stay = if open == 1 { "stays" } else { "stay" };
    format!("{} {stay} open: see evenkeel check", counted(open, "finding"))
}

fn name(left_alone: &[LeftAlone]) {
    for left in left_alone {
        out::line(&format!("left alone: {}", visible(&left.to_string())));
    }
}

/// Reads the saved plan, and takes of it what was asked for.
async fn saved_plan(global: &Global, args: &ApplyArgs, path: &Path) -> Result<Plan, Failure> {
    let key = match &args.verify {
        Some(place) => Some(place.verifier().await?),
        None if settings::wants_signed_plans(global)? => {
            return Err(Refusal::Unusable {
                why: format!(
                    "{}: the fleet file takes signed plans only ([safety] require_signed_plans), and no key is named to check its signature with",
                    path.display()
                ),
                remedy: "name the place of the key that it was signed with: --verify env:NAME, file:PATH or kms:ARN".to_owned(),
            }
            .into());
        }
        None => None,
    };
    let (mut saved, is_signed) = saved::load(path, key.as_ref()).await?;
    if is_signed && key.is_none() {
        out::say(&format!(
            "note: {} is signed, and nobody has looked at the signature (--verify)",
            path.display()
        ));
    }
    // By what a plan is judged is never taken from the plan itself.
    if saved.baseline.targets.is_empty() && args.selectors.baseline.is_empty() {
        let accounts: Vec<String> = match args.selectors.account.is_empty() {
            true => saved.targets.iter().map(|target| target.account.to_string()).collect(),
            false => args.selectors.account.clone(),
        };
        let line = again::apply_with_baselines(global, args, &saved.baseline.files, &accounts);
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
        only_in(&mut saved, &asked);
    }
    Ok(saved)
}

/// Takes only the changes of some accounts.
fn only_in(plan: &mut Plan, accounts: &BTreeSet<AccountId>) {
    let mut left = BTreeSet::new();
    for object in plan.objects.iter_mut().filter(|object| !accounts.contains(&object.account)) {
        for change in object.changes.iter_mut().filter(|change| change.is_applied()) {
            left.insert(change.id);
            change.disposition =
                Disposition::Report { reason: "its account was not asked for (-a)".to_owned() };
        }
    }
    plan.order.retain(|id| !left.contains(id));
}

/// Looks at what the files in front of us declare; with an earlier plan, where that has changes.
async fn look_within(
    global: &Global,
    args: &ApplyArgs,
    earlier: Option<&Plan>,
) -> Result<Looked, Failure> {
    let settings = settings::resolve(global, &args.selectors)?;
    let max_risk: Option<Risk> = args.max_risk.map(Into::into);
    let allow_grants: Vec<GrantClass> = args.allow_grants.iter().copied().map(Into::into).collect();
    if let Some(earlier) = earlier {
        same_baselines(earlier, &settings, &args.selectors)?;
        let mut safety = settings.safety;
        safety.max_risk = max_risk.unwrap_or(safety.max_risk);
        safety.allow_grants.extend(allow_grants.iter().copied());
        check_risk(earlier, &safety)?;
    }
    let wish = Wish {
        max_risk,
        allow_grants,
        max_changes: args.max_changes,
        max_changes_per_account: args.max_changes_per_account,
        audit_log: args.audit_log.clone(),
        only: earlier.map(changed_places),
        detail: Some(Detail::All),
        ..Wish::default()
    };
    look::at(global, &args.selectors, settings, wish).await
}

/// Insists that what an earlier plan was made from is declared as it was. What other targets declare
/// counts as well, in the fresh plan.
fn same_baselines(
    earlier: &Plan,
    settings: &Settings,
    selectors: &Selectors,
) -> Result<(), Refusal> {
    let stale = |what: String| Refusal::Stale { moved: vec![what] };
    let then = &earlier.baseline;
    let mut works = Vec::new();
    if selectors.baseline.is_empty() {
        for name in &then.targets {
            if !settings.targets.iter().any(|work| work.name == *name) {
                return Err(stale(format!("the fleet file has no target {name:?} any more")));
            }
        }
        works.extend(settings.targets.iter().filter(|work| then.targets.contains(&work.name)));
    } else {
        works.extend(&settings.targets);
    }
    if look::digest_of(works) == then.digest {
        return Ok(());
    }
    Err(stale("the baseline has changed since the plan was made".to_owned()))
}

/// Where a plan would write: item and Region.
fn changed_places(plan: &Plan) -> BTreeSet<Place> {
    plan.objects
        .iter()
        .filter(|object| object.is_changed())
        .map(|object| (object.account.clone(), object.item.clone(), object.region.clone()))
        .collect()
}

/// The fresh plan within an earlier one, and the accounts that have moved.
///
/// # Errors
/// No account with changes is as it was.
fn within(earlier: &Plan, fresh: Plan) -> Result<(Plan, Vec<LeftAlone>), Failure> {
    let Bounded { plan, left_alone, beyond } = bound(earlier, fresh);
    if plan.order.is_empty() && !left_alone.is_empty() {
        if let Some(unseen) =
            plan.failed.first().filter(|_| left_alone.values().all(|left| left.is_unseen))
        {
            return Err(Failure::usage(
                format!(
                    "{} of the plan cannot be looked at; {}: {}",
                    counted(left_alone.len(), "account"),
                    unseen.account,
                    unseen.reason
                ),
                unseen.remedy.clone().unwrap_or_default(),
            ));
        }
        let what = left_alone.values().map(ToString::to_string).collect();
        return Err(Refusal::Stale { moved: what }.into());
    }
    if beyond > 0 {
        out::say(&format!(
            "note: {} more {} needed by now than the plan has: make a new plan for them",
            counted(beyond, "change"),
            if beyond == 1 { "is" } else { "are" }
        ));
    }
    Ok((plan, left_alone.into_values().collect()))
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
            Step::Found => out::line(&format!(
                "  is there  {}{what}: it is as declared by now, so that an answer of AWS was lost or \
                 somebody else did it",
                object.title()
            )),
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
            Step::Refused { why } => {
                out::line(&format!("  not tried {}{what}: {}", object.title(), visible(why)));
            }
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

/// The last lines, and the exit code. What is only reported is not for apply to do: it is counted, and
/// `check` has a code for it.
fn conclude(
    plan: &Plan,
    reviewed: &Plan,
    report: &ApplyReport,
    left_alone: &[LeftAlone],
    audit: &AuditLog,
) -> Exit {
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
    let unknown = plan.summary().unknown.max(reviewed.summary().unknown);
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
    let open = open_findings(plan);
    if open > 0 {
        out::line(&format!("{}.", stay_open(open)));
    }
    if report.is_complete() && unknown == 0 {
        return Exit::Done;
    }
    match &report.refused {
        Some(refusal)
            if report.outcomes.iter().all(|one| matches!(one.step, Step::Refused { .. })) =>
        {
            out::say(&format!("refused: {refusal}; {}", refusal.remedy()));
            Exit::Refused
        }
        _ => Exit::Partly,
    }
}
