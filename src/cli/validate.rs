//! `evenkeel validate`: everything that can be said without AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use evenkeel::baseline::Baseline;
use evenkeel::baseline::disk::Disk;
use evenkeel::fleet::Fleet;
use evenkeel::plan::words::counted;
use evenkeel::reconcile::settings::{environment, options};
use evenkeel::reconcile::{LookError, contradictions};

use super::args::{Global, ValidateArgs};
use super::exit::Exit;
use super::failure::Failure;
use super::{out, settings};

/// Runs the command.
pub fn run(global: &Global, args: &ValidateArgs) -> Result<Exit, Failure> {
    let fleet = settings::fleet_file(global, &Disk)?;
    let mut failed: Option<Failure> = None;
    let mut done = Vec::new();
    for (paths, variables, environment) in wanted(global, args, fleet.as_ref())? {
        match settings::load(global, &paths, &Disk, options(variables, environment)) {
            Ok(baseline) => done.push((paths, baseline)),
            Err(failure) => failed = Some(failure),
        }
    }
    if let Some(failure) = failed {
        return Err(failure);
    }
    if let Some(fleet) = fleet.as_ref().filter(|_| args.paths.is_empty()) {
        agree(fleet, &done)?;
    }
    // Targets that differ in their accounts alone would say the same twice.
    let mut said = Vec::new();
    for (paths, baseline) in &done {
        if said.contains(&(paths, &baseline.digest)) {
            continue;
        }
        said.push((paths, &baseline.digest));
        if args.expanded {
            out::text(&baseline.expanded());
        } else {
            out::line(&summary(paths, baseline));
        }
    }
    Ok(Exit::Done)
}

/// Insists that targets which list one account do not contradict each other there.
fn agree(fleet: &Fleet, loaded: &[(Vec<PathBuf>, Baseline<'static>)]) -> Result<(), Failure> {
    let targets = fleet.file.targets.iter().zip(loaded.iter().map(|(_, baseline)| baseline));
    let targets: Vec<_> = targets.collect();
    let conflicts = contradictions(&targets, fleet.file.home_region.as_deref());
    match conflicts.is_empty() {
        true => Ok(()),
        false => Err(LookError::Conflicts(conflicts).into()),
    }
}

type Load = (Vec<PathBuf>, BTreeMap<String, serde_json::Value>, evenkeel::baseline::Environment);

/// What to load together: the paths one by one, or each target of the fleet file.
fn wanted(
    global: &Global,
    args: &ValidateArgs,
    fleet: Option<&Fleet>,
) -> Result<Vec<Load>, Failure> {
    let environment = fleet.map(environment).unwrap_or_default();
    if !args.paths.is_empty() {
        let mut files = Vec::new();
        for path in &args.paths {
            files.extend(baselines_in(path)?);
        }
        return Ok(files
            .into_iter()
            .map(|file| (vec![file], BTreeMap::new(), environment.clone()))
            .collect());
    }
    if let Some(fleet) = fleet {
        settings::says_only_where(fleet)?;
        let of_target = |target| {
            let files = settings::baselines_of(&global.config, fleet, target, &Disk)?;
            Ok((files, target.variables.clone(), environment.clone()))
        };
        return fleet.file.targets.iter().map(of_target).collect();
    }
    if Path::new("baselines").is_dir() {
        let files = baselines_in(Path::new("baselines"))?;
        return Ok(files
            .into_iter()
            .map(|file| (vec![file], BTreeMap::new(), environment.clone()))
            .collect());
    }
    Err(Failure::usage(
        "there is nothing to validate: no path, no evenkeel.toml, no folder baselines/",
        "name a file, or make a starter repository with `evenkeel init`",
    ))
}

/// A file, or the TOML files of a folder and of those below it.
fn baselines_in(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let files = files_below(path)?;
    if files.is_empty() {
        return Err(Failure::usage(
            format!("{} holds no TOML file", path.display()),
            "name a file",
        ));
    }
    Ok(files)
}

/// The TOML files below a folder. Hidden folders, such as `.git` and `.evenkeel`, hold no baselines.
fn files_below(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    let entries = std::fs::read_dir(path).map_err(|error| Failure::file("read", path, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| Failure::file("read", path, error))?;
        let (file, name) = (entry.path(), entry.file_name());
        if file.is_dir() {
            if !name.as_encoded_bytes().starts_with(b".") {
                files.extend(files_below(&file)?);
            }
        } else if file.extension().is_some_and(|extension| extension == "toml") {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

fn summary(paths: &[PathBuf], baseline: &Baseline<'_>) -> String {
    let names: Vec<_> = paths.iter().map(|path| path.display().to_string()).collect();
    let items = baseline.items().count();
    let digest = baseline.digest.get(..6).unwrap_or_default();
    format!(
        "ok  {}  {}@{digest} · {} · {}",
        names.join(" + "),
        baseline.name,
        counted(items, "item"),
        counted(baseline.exceptions.len(), "exception")
    )
}
