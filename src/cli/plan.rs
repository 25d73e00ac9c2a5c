//! `evenkeel plan`: what would change, and why. Writes nothing to AWS.

use std::path::Path;

use evenkeel::plan::render::{html, json, junit, markdown, sarif, text};
use evenkeel::plan::{Detail, Plan, Verdict};
use evenkeel::reconcile::Refusal;
use evenkeel::reconcile::guard::check_budget;

use super::args::{Format, Global, Output, PlanArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::look::{self, Wish};
use super::{again, out, repository, saved, settings};

/// Runs the command.
pub async fn run(global: &Global, args: &PlanArgs) -> Result<Exit, Failure> {
    let key = match &args.sign {
        Some(place) => Some(place.signer().await?),
        None => None,
    };
    out::take_nothing_away(
        &[("--save", args.save.as_deref()), ("--out", args.output.out.as_deref())],
        &[&settings::likely_audit_log(global)],
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
        ..Wish::default()
    };
    let looked = look::look(global, &args.selectors, wish).await?;
    looked.say_outside();
    let plan = &looked.plan;
    if let Some(path) = &args.save {
        saved::save(plan, key.as_ref(), path).await?;
    }
    let refusal = match plan.snapshot {
        // Nothing is applied from a snapshot.
        Some(_) => None,
        None => check_budget(plan, &looked.safety).err(),
    };
    let next = next_step(global, args, plan, refusal.as_ref());
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
        // The forms for machines have no place for it.
        out::say(&format!("note: {next}"));
    }
    let next = Some(next);
    print(global, plan, "plan", &args.output, next)?;
    let exit = exit_of(plan);
    Ok(if exit == Exit::Drift && !args.detailed_exitcode { Exit::Done } else { exit })
}

/// How much of a plan a form shows.
pub fn detail(format: Format) -> Detail {
    match format {
        Format::Json | Format::JsonLines | Format::Junit => Detail::Drift,
        Format::Text | Format::Markdown | Format::Sarif | Format::Html => Detail::Shown,
    }
}

/// Prints a plan in the form that was asked for.
///
/// # Errors
/// The output file cannot be written.
pub fn print(
    global: &Global,
    plan: &Plan,
    command: &'static str,
    output: &Output,
    next: Option<String>,
) -> Result<(), Failure> {
    let trouble =
        |error: String| Failure::usage(format!("cannot write the plan in this form: {error}"), "");
    let file = output.out.as_deref();
    let text = match output.format {
        // These two can be large: they are written as they are made.
        Format::Json => return out::stream(file, |out| json::write(plan, out)),
        Format::JsonLines => return out::stream(file, |out| json::write_lines(plan, out)),
        Format::Text => {
            let verbose = global.verbose > 0;
            text::render(plan, &text::Options { command, next, verbose })
        }
        Format::Markdown => {
            markdown::render(plan, command, &format!("the output of `evenkeel {command}`"))
        }
        Format::Sarif => sarif::render(plan, &repository::source(global))
            .map_err(|error| trouble(error.to_string()))?,
        Format::Html => html::render(plan, command),
        Format::Junit => junit::render(plan).map_err(|error| trouble(error.to_string()))?,
    };
    out::result(&text, file)
}

/// What a plan means for a script: unknown things come first, since with them nobody can say
/// that the rest is all.
pub fn exit_of(plan: &Plan) -> Exit {
    let sum = plan.summary();
    if sum.unknown + sum.failed_accounts > 0 {
        let known = plan.in_sync > 0
            || plan.objects.iter().any(|object| !matches!(object.verdict, Verdict::Unknown(_)));
        if known { Exit::Partly } else { Exit::Error }
    } else if sum.to_change + sum.reported > 0 {
        Exit::Drift
    } else {
        Exit::Done
    }
}

/// What the reader can do next. Where `apply` would refuse, that is said here already, with what it
/// would say.
fn next_step(global: &Global, args: &PlanArgs, plan: &Plan, refusal: Option<&Refusal>) -> String {
    if plan.order.is_empty() {
        return "Nothing was changed, and there is nothing to apply.".to_owned();
    }
    if let Some(snapshot) = &plan.snapshot {
        return format!(
            "Nothing was changed. A plan from a snapshot (of {}) is not applied: make one from the accounts.",
            snapshot.taken
        );
    }
    let path = args.save.as_deref().unwrap_or(Path::new("plan.json"));
    let options = refusal.map(Refusal::options).unwrap_or_default();
    let apply = again::apply_plan(global, args, path, &options);
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
