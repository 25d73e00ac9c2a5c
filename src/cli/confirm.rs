//! `evenkeel confirm`: let `run` apply a target that was never applied before.

use chrono::Utc;
use evenkeel::guards::{Confirmed, first_run};
use evenkeel::reconcile::keeping::person;
use evenkeel::store::memory::change;
use evenkeel::visible::visible;

use super::args::{ConfirmArgs, Global};
use super::exit::Exit;
use super::failure::Failure;
use super::{memory, out};

/// Runs the command.
///
/// # Errors
/// The fleet file has no such target, or it cannot be remembered.
pub async fn run(global: &Global, args: &ConfirmArgs) -> Result<Exit, Failure> {
    let (fleet, memory) = memory::of(global, &args.beside).await?;
    let fleet = fleet.ok_or_else(|| {
        Failure::usage(
            "there is no fleet file, and so no target to confirm",
            "name it with --config",
        )
    })?;
    let names: Vec<&str> = fleet.file.targets.iter().map(|target| target.name.as_str()).collect();
    if let Some(stranger) = args.targets.iter().find(|name| !names.contains(&name.as_str())) {
        return Err(Failure::usage(
            format!("the fleet file has no target {stranger:?}"),
            format!("it has {}", names.join(", ")),
        ));
    }
    for target in &args.targets {
        let confirmed =
            Confirmed { target: target.clone(), since: Utc::now(), by: person(), applied: false };
        let mut earlier = None;
        change(memory.as_ref(), &first_run::document(target), |there: Option<Confirmed>| {
            earlier.clone_from(&there);
            there.is_none().then(|| confirmed.clone())
        })
        .await
        .map_err(|error| memory::failure(&error))?;
        let name = visible(target);
        out::line(&match earlier {
            None => format!("{name}: confirmed; from now on, run applies what plan shows"),
            Some(Confirmed { since, by, .. }) => {
                format!("{name}: was confirmed at {} by {}", since.to_rfc3339(), visible(&by))
            }
        });
    }
    Ok(Exit::Done)
}
