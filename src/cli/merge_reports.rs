//! `evenkeel merge-reports`: the plans of a fleet's shards, printed or saved as one.

use std::collections::BTreeSet;
use std::path::Path;

use evenkeel::plan::{
    AccountPlan, Cost, FORMAT_VERSION, Plan, PlanHead, SkippedAccount, TargetRef, assemble,
};

use super::args::{Global, MergeReportsArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{plan, saved};

/// Runs the command.
pub fn run(global: &Global, args: &MergeReportsArgs) -> Result<Exit, Failure> {
    let plans = args
        .reports
        .iter()
        .map(|path| Ok((path.as_path(), read(path)?)))
        .collect::<Result<Vec<_>, Failure>>()?;
    let merged = merge(plans)?;
    if let Some(path) = &args.save {
        saved::save(&merged, path)?;
    }
    plan::print(global, &merged, "merge-reports", &args.output, None)?;
    let exit = plan::exit_of(&merged);
    Ok(if exit == Exit::Drift && !args.detailed_exitcode { Exit::Done } else { exit })
}

/// Reads what `plan --format json` or `plan --save` wrote.
fn read(path: &Path) -> Result<Plan, Failure> {
    let unusable = |problem: String| {
        Failure::usage(
            format!("cannot use the report {}: {problem}", path.display()),
            "make it with this version: evenkeel plan --shard 1/8 --format json --out FILE",
        )
    };
    let text = std::fs::read_to_string(path).map_err(|error| Failure::file("read", path, error))?;
    let value: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| unusable(format!("it is not JSON: {error}")))?;
    match value.get("format_version").and_then(serde_json::Value::as_str) {
        Some(FORMAT_VERSION) => {}
        Some(other) => {
            return Err(unusable(format!(
                "it has format version {other}, and this evenkeel reads {FORMAT_VERSION}"
            )));
        }
        None => return Err(unusable("it has no format version".to_owned())),
    }
    if value.get("plan_digest").is_some() {
        return saved::load(path);
    }
    serde_json::from_value(value).map_err(|error| unusable(format!("it is not a plan: {error}")))
}

/// Puts plans of different accounts together.
fn merge(plans: Vec<(&Path, Plan)>) -> Result<Plan, Failure> {
    let mut plans = plans.into_iter();
    let Some((first_path, first)) = plans.next() else {
        return Err(Failure::usage("there is nothing to merge", "name the shards' reports"));
    };
    let mut head = PlanHead {
        run: first.run,
        baseline: first.baseline,
        targets: first.targets,
        failed: first.failed,
        skipped: first.skipped,
        snapshot: first.snapshot,
        cost: first.cost,
    };
    let mut accounts =
        vec![AccountPlan { objects: first.objects, in_sync: first.in_sync, order: first.order }];
    for (path, plan) in plans {
        if plan.baseline.digest != head.baseline.digest {
            return Err(Failure::usage(
                format!(
                    "{} and {} were made from different baselines",
                    first_path.display(),
                    path.display()
                ),
                "make all shards from the same commit",
            ));
        }
        head.targets.extend(plan.targets);
        head.failed.extend(plan.failed);
        head.skipped.extend(plan.skipped);
        head.cost = Cost {
            requests: head.cost.requests + plan.cost.requests,
            milliseconds: head.cost.milliseconds.max(plan.cost.milliseconds),
        };
        let (objects, in_sync, order) = (plan.objects, plan.in_sync, plan.order);
        accounts.push(AccountPlan { objects, in_sync, order });
    }
    let mut seen = BTreeSet::new();
    let ids = head
        .targets
        .iter()
        .map(|TargetRef { account, .. }| account)
        .chain(head.failed.iter().map(|failed| &failed.account))
        .chain(head.skipped.iter().map(|SkippedAccount { account, .. }| account));
    for account in ids {
        if !seen.insert(account) {
            return Err(Failure::usage(
                format!("account {account} is in two of the reports"),
                "merge each shard once: 1/8, 2/8 … 8/8",
            ));
        }
    }
    head.targets.sort_by(|left, right| left.account.cmp(&right.account));
    head.failed.sort_by(|left, right| left.account.cmp(&right.account));
    head.skipped.sort_by(|left, right| left.account.cmp(&right.account));
    Ok(assemble(head, accounts))
}
