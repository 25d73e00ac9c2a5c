//! `evenkeel merge-reports`: the plans of a fleet's shards, printed or saved as one.

use std::path::Path;

use evenkeel::plan::Shards;
use evenkeel::plan::file::FileError;
use evenkeel::plan::merge::{Report, merge};

use super::args::{Global, MergeReportsArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::key::SigningKey;
use super::{out, saved, settings, show};

/// Runs the command.
pub async fn run(global: &Global, args: &MergeReportsArgs) -> Result<Exit, Failure> {
    let mut own = settings::own_files(global, None);
    own.extend(args.reports.iter().cloned());
    out::take_nothing_away(
        &[("--save", args.save.as_deref()), ("--out", args.output.out.as_deref())],
        &own,
    )?;
    let key = match &args.verify {
        Some(place) => Some(place.verifier().await?),
        None => None,
    };
    let own_key = match &args.sign {
        Some(place) => Some(place.signer().await?),
        None => None,
    };
    let mut reports = Vec::new();
    for path in &args.reports {
        reports.push(read(path, key.as_ref()).await?);
    }
    let merged =
        merge(reports).map_err(|error| Failure::usage(error.to_string(), error.remedy()))?;
    if let Some(path) = &args.save {
        if let Some(snapshot) = &merged.snapshot {
            return Err(Failure::usage(
                format!(
                    "a plan from a snapshot (of {}) cannot be saved to be applied",
                    snapshot.taken
                ),
                "merge plans of the accounts themselves: evenkeel plan --shard 1/8 --save FILE",
            ));
        }
        saved::save(&merged, own_key.as_ref(), path).await?;
    }
    show::print(global, &merged, "merge-reports", &args.output, None)?;
    let missing = merged.shards.as_ref().and_then(Shards::lacking);
    if let Some(missing) = &missing {
        out::say(&format!("warning: {missing}; nobody has looked at their accounts"));
    }
    Ok(match Exit::from(merged.outcome()) {
        exit @ (Exit::Error | Exit::Partly) => exit,
        _ if missing.is_some() => Exit::Partly,
        Exit::Drift if !args.detailed_exitcode => Exit::Done,
        exit => exit,
    })
}

/// Reads what `plan --format json` or `plan --save` wrote.
async fn read(path: &Path, key: Option<&SigningKey>) -> Result<Report, Failure> {
    let parsed = saved::read(path, key).await?.map_err(|error| {
        let help = match &error {
            FileError::Signature(_) | FileError::Version { .. } => error.remedy(),
            _ => "make it with this version and do not edit it: evenkeel plan --shard 1/8 --format json --out FILE".to_owned(),
        };
        Failure::usage(format!("cannot use the report {}: {error}", path.display()), help)
    })?;
    let plan = parsed.plan;
    Ok(Report { name: path.display().to_string(), plan })
}
