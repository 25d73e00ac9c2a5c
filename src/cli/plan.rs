//! `evenkeel plan`: what would change, and why. Writes nothing to AWS.

use std::path::Path;

use chrono::Utc;
use evenkeel::plan::{Detail, Plan};
use evenkeel::reconcile::Refusal;
use evenkeel::reconcile::limits::LimitCheck;

use super::args::{Format, Global, PlanArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Asking, Wish, say_outside};
use super::show::{detail, print};
use super::{again, out, saved, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &PlanArgs) -> Result<Exit, Failure> {
    let key = match &args.sign {
        Some(place) => Some(place.signer().await?),
        None => None,
    };
    out::take_nothing_away(
        &[("--save", args.save.as_deref()), ("--out", args.output.out.as_deref())],
        &settings::own_files(global, args.beside.audit_log.as_ref()),
    )?;
    let wish = Wish {
        max_risk: args.max_risk.map(Into::into),
        allow_grants: args.allow_grants.iter().copied().map(Into::into).collect(),
        snapshot: args.snapshot.clone(),
        max_age: args.max_age,
        compare_to: args.compare_to.clone(),
        detail: Some(match args.save {
            // A saved plan holds what applying needs.
            Some(_) => Detail::All,
            None => detail(args.output.format),
        }),
        only_made: true,
        asking: Asking { audit_log: args.beside.audit_log.clone(), ..Asking::default() },
        ..Wish::default()
    };
    let mut looked = look::look_remembered(global, &args.selectors, wish, "plan").await?;
    say_outside(&looked);
    let plan = &looked.plan;
    if let Some(path) = &args.save {
        saved::save(plan, key.as_ref(), path).await?;
    }
    let limits = LimitCheck::of(plan, &looked.guards.safety);
    let refusal = match plan.snapshot {
        // Nothing is applied from a snapshot.
        Some(_) => None,
        None => limits.check().err().or_else(|| limits.spent(plan)),
    };
    let asked = limits.options(plan);
    let next = next_step(global, args, plan, refusal.as_ref(), &asked);
    if let (
        Some(_),
        false,
        Format::Markdown
        | Format::Html
        | Format::Json
        | Format::JsonLines
        | Format::Sarif
        | Format::Junit,
    ) = (&refusal, global.quiet, args.output.format)
    {
        // The forms for machines have no place for what to run next.
        out::say(&format!("note: {next}"));
    }
    looked.plan.next = refusal.is_some().then(|| next.clone());
    let next = Some(next);
    looked.plan.held_now = looked.guards.holding(&looked.plan, &limits, Utc::now());
    let plan = &looked.plan;
    print(global, plan, "plan", &args.output, next)?;
    let exit = Exit::from(plan.outcome());
    Ok(if exit == Exit::Drift && !args.detailed_exitcode { Exit::Done } else { exit })
}

/// What the reader can do next. Where `apply` would refuse, that is said here already, with what it
/// would say.
fn next_step(
    global: &Global,
    args: &PlanArgs,
    plan: &Plan,
    refusal: Option<&Refusal>,
    asked: &[(&'static str, Option<String>)],
) -> String {
    if plan.order.is_empty() && refusal.is_none() {
        return "Nothing was changed, and there is nothing to apply.".to_owned();
    }
    if let Some(snapshot) = &plan.snapshot {
        return format!(
            "Nothing was changed. A plan from a snapshot (of {}) is not applied: make one from the accounts.",
            snapshot.taken
        );
    }
    let path = args.save.as_deref().unwrap_or(Path::new("plan.json"));
    let apply = again::apply_plan(global, args, path, asked);
    let saving = match &args.save {
        Some(_) => String::new(),
        None => format!("{}, then ", again::plan_saved(global, args, path)),
    };
    match (refusal, &args.save) {
        (Some(refusal), _) => format!(
            "Nothing was changed. Apply would refuse: {refusal}. If the plan is right: {saving}{apply}"
        ),
        (None, Some(_)) => format!("Nothing was changed. To apply exactly this: {apply}"),
        (None, None) => {
            format!("Nothing was changed. To apply exactly this later: {saving}{apply}")
        }
    }
}
