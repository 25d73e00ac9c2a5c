//! `evenkeel release`: let an object be written again that a fight or a hold holds back.

use chrono::Utc;
use evenkeel::guards::{Fight, Hold, ObjectKey, fight, hold};
use evenkeel::plan::Held;
use evenkeel::store::error::StoreError;
use evenkeel::store::memory::{Document, Memory};
use evenkeel::visible::visible;

use super::args::{Global, ReleaseArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{memory, out};

/// Runs the command.
///
/// # Errors
/// An object is not held, or what is remembered cannot be changed.
pub async fn run(global: &Global, args: &ReleaseArgs) -> Result<Exit, Failure> {
    let (_, memory) = memory::of(global, &args.beside).await?;
    if args.objects.is_empty() {
        return list(memory.as_ref()).await.map_err(|error| memory::failure(&error));
    }
    let mut keys = Vec::new();
    for text in &args.objects {
        let key: ObjectKey = text.parse().map_err(|error| {
            Failure::usage(format!("{error}"), "evenkeel release alone lists what is held")
        })?;
        keys.push(key);
    }
    for key in keys {
        let is_held = release_all(memory.as_ref(), &key).await;
        let is_held = is_held.map_err(|error| memory::failure(&error))?;
        let name = key.to_string();
        if !is_held {
            return Err(Failure::usage(
                format!("nothing holds {} back", visible(&name)),
                "evenkeel release alone lists what is held",
            ));
        }
        out::line(&format!("{}: released; the next run writes it again", visible(&name)));
    }
    Ok(Exit::Done)
}

/// Removes what holds an object back; says whether something did.
async fn release_all(memory: &dyn Memory, key: &ObjectKey) -> Result<bool, StoreError> {
    let fought = |document: &Document| Ok(document.typed::<Fight>()?.held());
    let held = |document: &Document| Ok(document.typed::<Hold>()?.held(Utc::now()));
    let by_fight = release(memory, &key.document(fight::FIGHTS), fought).await?;
    Ok(release(memory, &key.document(hold::HOLDS), held).await? || by_fight)
}

/// Removes what is remembered, if it holds something back; says whether it did. What was written of late, and is
/// fought over by nobody so far, goes on being counted.
async fn release(
    memory: &dyn Memory,
    name: &str,
    held: impl Fn(&Document) -> Result<Option<Held>, StoreError>,
) -> Result<bool, StoreError> {
    loop {
        let Some(document) = memory.read(name).await? else { return Ok(false) };
        if held(&document)?.is_none() {
            return Ok(false);
        }
        match memory.remove(name, document.version).await {
            Err(StoreError::Moved { .. }) => {}
            removed => return removed.map(|()| true),
        }
    }
}

async fn list(memory: &dyn Memory) -> Result<Exit, StoreError> {
    let mut lines = Vec::new();
    for document in memory.list(&format!("guards/{}/", fight::FIGHTS)).await? {
        let fight: Fight = document.typed()?;
        lines.extend(fight.held().map(|held| (fight.object.to_string(), held)));
    }
    for document in memory.list(&format!("guards/{}/", hold::HOLDS)).await? {
        let hold: Hold = document.typed()?;
        lines.extend(hold.held(Utc::now()).map(|held| (hold.object.to_string(), held)));
    }
    if lines.is_empty() {
        out::line("Nothing is held back by a fight or a hold.");
    }
    for (object, held) in lines {
        out::line(&format!("{}\n    {}", visible(&object), visible(&held.to_string())));
    }
    Ok(Exit::Done)
}
