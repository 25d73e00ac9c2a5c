//! `evenkeel rollout`: how far a new version of the baselines is in its waves.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use evenkeel::guards::Rollout;
use evenkeel::guards::rollout::{FOLDER, Progress};
use evenkeel::plan::words::{counted, shortened_list};
use evenkeel::reconcile::Refusal;
use evenkeel::reconcile::keeping::person;
use evenkeel::store::error::StoreError;
use evenkeel::store::memory::{Memory, change};
use evenkeel::visible::visible;
use serde_json::json;

use super::args::{
    Global, LogFormat, RolloutArgs, RolloutCommand, RolloutResumeArgs, RolloutTargetArgs,
};
use super::exit::Exit;
use super::failure::Failure;
use super::{memory, out};

/// Accounts that are named.
const NAMED: usize = 5;

/// Runs the command.
///
/// # Errors
/// A target has no rollout, or what is remembered cannot be read or changed.
pub async fn run(global: &Global, args: &RolloutArgs) -> Result<Exit, Failure> {
    match &args.command {
        RolloutCommand::Status(args) => {
            let (fleet, memory) = memory::of(global, &args.beside).await?;
            let waves = fleet.map(|fleet| fleet.file.rollout.waves).unwrap_or_default();
            let all = all(memory.as_ref()).await.map_err(|error| memory::failure(&error))?;
            let all: Vec<Progress> =
                all.iter().map(|(_, rollout)| rollout.progress(&waves)).collect();
            match args.format {
                LogFormat::Json => out::line(&json!(all).to_string()),
                LogFormat::Text => status(&all),
            }
            Ok(Exit::Done)
        }
        RolloutCommand::Resume(args) => resume(global, args).await,
        RolloutCommand::Abort(args) => {
            let by = person();
            decide(global, args, "is given up", |rollout| rollout.abort(&by, Utc::now())).await
        }
    }
}

async fn all(memory: &dyn Memory) -> Result<Vec<(String, Rollout)>, StoreError> {
    let documents = memory.list(FOLDER).await?;
    let typed = documents.into_iter().map(|document| {
        let rollout = document.typed()?;
        Ok((document.name, rollout))
    });
    typed.collect()
}

fn status(all: &[Progress]) {
    if all.is_empty() {
        out::line(
            "No rollout is known: none has begun, or the fleet file has no [[rollout.wave]].",
        );
    }
    let short = |digest: &str| visible(digest.get(..12).unwrap_or(digest)).into_owned();
    for one in all {
        let target = visible(&one.target);
        let done = one.done.as_deref().map_or("none".to_owned(), short);
        let (Some(version), Some(wave)) = (&one.version, &one.wave) else {
            out::line(&format!("{target}: all accounts may have {done}"));
            continue;
        };
        let since = one.reached.map_or_else(String::new, |reached| {
            format!(" since {}", reached.to_rfc3339_opts(SecondsFormat::Secs, true))
        });
        out::line(&format!(
            "{target}: {} is in the wave {}{since}; {} as declared; all accounts may have {done}",
            short(version),
            visible(wave),
            counted(one.healthy.len(), "account")
        ));
        if let Some(why) = &one.halted {
            let word = if one.given_up { "given up" } else { "halted" };
            out::line(&format!("    {word}: {}", visible(why)));
            out::line(match one.given_up {
                true => {
                    "    another version of the baselines goes out in its place; this one again: evenkeel rollout resume --given-up"
                }
                false => "    look at it, then: evenkeel rollout resume, or evenkeel rollout abort",
            });
        }
        if let (Some(until), None) = (one.soaks_until, &one.halted) {
            out::line(&format!(
                "    moves on with a whole look at {} or later that finds all of the wave as declared",
                until.to_rfc3339_opts(SecondsFormat::Secs, true)
            ));
        }
        let missing: Vec<String> = one.missing.iter().map(ToString::to_string).collect();
        if !missing.is_empty() {
            out::line(&format!("    not as declared yet: {}", shortened_list(&missing, NAMED)));
        }
    }
}

/// Goes on after a halt. Of a version that somebody gave up, they say so.
async fn resume(global: &Global, args: &RolloutResumeArgs) -> Result<Exit, Failure> {
    if !args.given_up {
        let (_, memory): (_, Arc<dyn Memory>) = memory::of(global, &args.of.beside).await?;
        let known = all(memory.as_ref()).await.map_err(|error| memory::failure(&error))?;
        let is_meant = |rollout: &Rollout| {
            args.of.targets.is_empty() || args.of.targets.contains(&rollout.target)
        };
        for (_, rollout) in known.iter().filter(|(_, rollout)| is_meant(rollout)) {
            if let Some((since, why)) = rollout.given_up() {
                return Err(Refusal::GivenUp {
                    target: rollout.target.clone(),
                    since: since.to_rfc3339_opts(SecondsFormat::Secs, true),
                    why: why.to_owned(),
                }
                .into());
            }
        }
    }
    let also = args.given_up;
    decide(global, &args.of, "goes on", |rollout| rollout.resume(also, Utc::now())).await
}

/// Changes the rollouts of the targets that are named, or all.
async fn decide(
    global: &Global,
    args: &RolloutTargetArgs,
    word: &str,
    decide: impl Fn(&mut Rollout) -> bool + Send + Sync,
) -> Result<Exit, Failure> {
    let (_, memory): (_, Arc<dyn Memory>) = memory::of(global, &args.beside).await?;
    let known = all(memory.as_ref()).await.map_err(|error| memory::failure(&error))?;
    let is_known = |name: &&String| known.iter().any(|(_, rollout)| rollout.target == **name);
    if let Some(stranger) = args.targets.iter().find(|name| !is_known(name)) {
        return Err(Failure::usage(
            format!("no rollout of a target {stranger:?} is known"),
            "evenkeel rollout status lists them",
        ));
    }
    let mut any = false;
    for (name, rollout) in known {
        if !args.targets.is_empty() && !args.targets.contains(&rollout.target) {
            continue;
        }
        let mut is_changed = false;
        change(memory.as_ref(), &name, |there: Option<Rollout>| {
            let mut now = there?;
            is_changed = decide(&mut now);
            is_changed.then_some(now)
        })
        .await
        .map_err(|error| memory::failure(&error))?;
        if is_changed {
            any = true;
            out::line(&format!("{}: {word}", visible(&rollout.target)));
        }
    }
    if !any {
        out::line("There is nothing to change: see evenkeel rollout status.");
    }
    Ok(Exit::Done)
}
