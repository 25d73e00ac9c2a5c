//! The fleet file and its baselines, read and judged.

use std::collections::BTreeMap;
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use chrono::Utc;
use serde_json::json;

use super::error::SettingsError;
use crate::baseline::load::Reader;
use crate::baseline::{self, Baseline, Environment, LoadOptions, Problems};
use crate::fleet::file::{FleetFile, Git, SafetyTable as Limits, Target};
use crate::fleet::notify::Notify;
use crate::fleet::{self, Fleet};
use crate::kinds::registry;

/// Who hears what somebody should look at, of files that can be used all the same.
pub type Hears<'a> = &'a dyn Fn(&Problems);

/// The fleet file that is meant where nobody names one.
const USUAL: &str = "evenkeel.toml";

/// Reads the fleet file. One that was not asked for and is not there is none.
///
/// # Errors
/// It cannot be used.
pub fn fleet_file(
    config: &Path,
    reader: &dyn Reader,
    hears: Hears<'_>,
) -> Result<Option<Fleet>, SettingsError> {
    let is_absent = || reader.read(config).is_err_and(|error| error.kind() == NotFound);
    if config == Path::new(USUAL) && is_absent() {
        return Ok(None);
    }
    let fleet = fleet::load(config, reader).map_err(SettingsError::Declared)?;
    hears(&fleet.warnings);
    Ok(Some(fleet))
}

/// Loads baselines.
///
/// # Errors
/// They cannot be used.
pub fn load(
    paths: &[PathBuf],
    reader: &dyn Reader,
    options: LoadOptions,
    hears: Hears<'_>,
) -> Result<Baseline<'static>, SettingsError> {
    let loaded = baseline::load(paths, reader, registry::catalog(), options);
    let loaded = loaded.map_err(SettingsError::Declared)?;
    hears(&loaded.warnings);
    Ok(loaded.baseline)
}

/// The baseline files of a target, which the fleet file must reach.
///
/// # Errors
/// One of them is outside of the fleet file's repository.
pub fn baselines_of(
    config: &Path,
    fleet: &Fleet,
    target: &Target,
    reader: &dyn Reader,
) -> Result<Vec<PathBuf>, SettingsError> {
    let files = fleet.baselines(target);
    for file in &files {
        match reader.reaches(config, file) {
            Ok(()) => {}
            // That one is not there is said with the others, when they are read.
            Err(error) if error.kind() == NotFound => {}
            Err(why) => {
                let (target, file) = (target.name.clone(), file.clone());
                return Err(SettingsError::Outside { target, file, why });
            }
        }
    }
    Ok(files)
}

/// Refuses a fleet file that only names the repository of the files: it declares nothing itself.
///
/// # Errors
/// It is that.
pub fn declares(fleet: Option<&Fleet>) -> Result<(), SettingsError> {
    match fleet.filter(|fleet| fleet.file.targets.is_empty()).and_then(git_of) {
        Some(git) => Err(SettingsError::Elsewhere { of: Box::new(git.clone()) }),
        None => Ok(()),
    }
}

/// Refuses a fleet file that names the repository of the files, and says besides what is taken from there
/// alone: nobody would notice that it does not count.
///
/// # Errors
/// It says more than counts.
pub fn says_only_where(fleet: &Fleet) -> Result<(), SettingsError> {
    let Some(git) = git_of(fleet) else { return Ok(()) };
    let FleetFile { env, targets, access, safety, rollout, notify, .. } = &fleet.file;
    let limits = Limits { kill_switch: None, kill_switch_parameter: None, ..safety.clone() };
    let is_said = |part: serde_json::Value, none: serde_json::Value| part != none;
    let parts = [
        ("env", !env.is_empty()),
        ("[[target]]", !targets.is_empty()),
        ("[access]", access.is_some()),
        ("[safety], but for the kill switch", is_said(json!(limits), json!(Limits::default()))),
        ("[[rollout.wave]]", !rollout.waves.is_empty()),
        ("[notify]", *notify != Notify::default()),
    ];
    let parts: Vec<&str> = parts.iter().filter(|(_, is)| *is).map(|(name, _)| *name).collect();
    match parts.is_empty() {
        true => Ok(()),
        false => {
            Err(SettingsError::SaysMore { parts: parts.join("; "), of: Box::new(git.clone()) })
        }
    }
}

fn git_of(fleet: &Fleet) -> Option<&Git> {
    fleet.file.controller.as_ref()?.git.as_ref()
}

/// The audit log of a fleet file.
pub fn audit_log(fleet: Option<&Fleet>) -> PathBuf {
    fleet
        .and_then(|fleet| Some(fleet.folder.join(fleet.file.store.audit_log.as_ref()?)))
        .unwrap_or_else(|| PathBuf::from(".evenkeel/audit.jsonl"))
}

/// The environment variables that a fleet file allows.
pub fn environment(fleet: &Fleet) -> Environment {
    let values =
        fleet.file.env.iter().map(|name| (name.clone(), std::env::var(name).ok())).collect();
    Environment { values }
}

/// What loading depends on, today.
pub fn options(
    variables: BTreeMap<String, serde_json::Value>,
    environment: Environment,
) -> LoadOptions {
    LoadOptions { variables, environment, today: Utc::now().date_naive() }
}
