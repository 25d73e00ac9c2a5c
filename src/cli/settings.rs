//! Settings on the command line: the library resolves them, and their problems are printed here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use evenkeel::baseline::disk::Disk;
use evenkeel::baseline::load::Reader;
use evenkeel::baseline::{Baseline, LoadOptions, Problems};
use evenkeel::controller::ControllerError;
use evenkeel::fleet::file::Target;
use evenkeel::fleet::{self, Fleet};
use evenkeel::names::AccountId;
use evenkeel::reconcile::settings as library;
use evenkeel::reconcile::{FleetTarget, Safety, Settings, SettingsError};

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::terminal::colours_on_stderr;
use super::{explain, out};

/// Resolves the settings. All problems of all files are printed.
///
/// # Errors
/// The files cannot be used, or the selectors name nothing.
pub fn resolve(global: &Global, selectors: &Selectors) -> Result<Settings, Failure> {
    Settings::resolve(&global.config, &selectors.plain(), &Disk, &|problems| {
        print(global, problems)
    })
    .map_err(|error| failure(global, error))
}

/// A failure of the settings, whose problems are printed.
pub fn failure(global: &Global, error: SettingsError) -> Failure {
    match error {
        SettingsError::NoKind { name } => explain::unknown_kind(&name),
        SettingsError::Name(error) => Failure::Name(error),
        SettingsError::Declared(ref problems) => {
            print(global, problems);
            Failure::Declared { said: error.to_string() }
        }
        SettingsError::OtherVersion { ref problems, .. } => {
            print(global, problems);
            of_settings(&error)
        }
        other => of_settings(&other),
    }
}

/// The failure of a controller that cannot start; problems of its files are printed.
pub fn of_controller(global: &Global, error: ControllerError) -> Failure {
    match error {
        ControllerError::Settings(error) => failure(global, error),
        ControllerError::Refused(refusal) => Failure::Refused { refusal, next: None },
        ControllerError::Run(error) => error.into(),
        ControllerError::Audit(error) => Failure::Audit(error),
        ControllerError::Store(error) => Failure::Store(error),
        ControllerError::Unreachable(_) => Failure::usage(error.to_string(), error.remedy()),
    }
}

fn of_settings(error: &SettingsError) -> Failure {
    Failure::usage(error.to_string(), error.remedy())
}

/// The limits, where the command line names none.
///
/// # Errors
/// The fleet file cannot be used.
pub fn safety(global: &Global) -> Result<Safety, Failure> {
    Ok(Safety::of(fleet_file(global, &Disk)?.as_ref()))
}

/// The audit log: the one that the command line or the environment names, or else the fleet file's.
///
/// # Errors
/// The fleet file cannot be used.
pub fn audit_log(global: &Global, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(library::audit_log(fleet_file(global, &Disk)?.as_ref())),
    }
}

/// The same, as far as the fleet file can be read; what is wrong with it is said when it is used.
pub fn likely_audit_log(global: &Global, named: Option<&PathBuf>) -> PathBuf {
    let of_fleet = || library::audit_log(fleet::load(&global.config, &Disk).ok().as_ref());
    named.cloned().or_else(audit_log_of_environment).unwrap_or_else(of_fleet)
}

/// The files that evenkeel keeps, or looks for, where no output goes: the audit log, the store and what switches
/// writing off; as far as the fleet file can be read.
pub fn own_files(global: &Global, named: Option<&PathBuf>) -> Vec<PathBuf> {
    let fleet = fleet::load(&global.config, &Disk).ok();
    let mut files = vec![likely_audit_log(global, named)];
    let Some(fleet) = &fleet else { return files };
    files.extend(fleet.kill_switch());
    let store = fleet.file.store.url.as_deref().and_then(|url| url.strip_prefix("sqlite://"));
    files.extend(store.map(|path| fleet.folder.join(path)));
    files
}

/// The audit log that the environment names, for commands that have no option for it.
pub fn audit_log_of_environment() -> Option<PathBuf> {
    std::env::var_os("EVENKEEL_AUDIT_LOG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

/// The targets of another version of the files, as far as it has them.
///
/// # Errors
/// The files of that version cannot be used.
pub fn other_targets(
    global: &Global,
    selectors: &Selectors,
    reader: &dyn Reader,
    name: &str,
) -> Result<Vec<FleetTarget>, Failure> {
    let hears = |problems: &Problems| print(global, problems);
    library::other_targets(&global.config, &selectors.plain(), reader, name, &hears)
        .map_err(|error| failure(global, error))
}

/// Kinds and services of the command line.
///
/// # Errors
/// One of them is none.
pub fn known_kinds(global: &Global, names: &[String]) -> Result<BTreeSet<String>, Failure> {
    library::known_kinds(names).map_err(|error| failure(global, error))
}

/// Reads the fleet file. One that was not asked for and is not there is none.
///
/// # Errors
/// It cannot be used.
pub fn fleet_file(global: &Global, reader: &dyn Reader) -> Result<Option<Fleet>, Failure> {
    library::fleet_file(&global.config, reader, &|problems| print(global, problems))
        .map_err(|error| failure(global, error))
}

/// Refuses a fleet file that only names the repository of the files: it declares nothing itself.
///
/// # Errors
/// It is that.
pub fn declares(fleet: Option<&Fleet>) -> Result<(), Failure> {
    library::declares(fleet).map_err(|error| of_settings(&error))
}

/// Refuses a fleet file that names the repository of the files, and says besides what is taken from there
/// alone.
///
/// # Errors
/// It says more than counts.
pub fn says_only_where(fleet: &Fleet) -> Result<(), Failure> {
    library::says_only_where(fleet).map_err(|error| of_settings(&error))
}

/// Whether the fleet file takes signed plans only.
///
/// # Errors
/// The fleet file cannot be used.
pub fn wants_signed_plans(global: &Global) -> Result<bool, Failure> {
    let fleet = fleet_file(global, &Disk)?;
    Ok(fleet.is_some_and(|fleet| fleet.file.safety.require_signed_plans))
}

/// Loads baselines and prints their warnings.
///
/// # Errors
/// They cannot be used; every problem has been printed.
pub fn load(
    global: &Global,
    paths: &[PathBuf],
    reader: &dyn Reader,
    options: LoadOptions,
) -> Result<Baseline<'static>, Failure> {
    library::load(paths, reader, options, &|problems| print(global, problems))
        .map_err(|error| failure(global, error))
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
) -> Result<Vec<PathBuf>, Failure> {
    library::baselines_of(config, fleet, target, reader).map_err(|error| of_settings(&error))
}

/// Account ids of the command line.
///
/// # Errors
/// One of them is none.
pub fn accounts(names: &[String]) -> Result<BTreeSet<AccountId>, Failure> {
    Ok(library::accounts(names)?)
}

/// Problems that are shown at once.
const MOST_SHOWN: usize = 100;

/// Prints problems, each with file, line and caret.
pub fn print(global: &Global, problems: &Problems) {
    let theme = if colours_on_stderr(global) {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_width(100);
    for report in problems.reports(MOST_SHOWN) {
        let mut text = String::new();
        if handler.render_report(&mut text, report.as_ref()).is_ok() {
            out::say(text.trim_end());
        }
    }
    let more = problems.list.len().saturating_sub(MOST_SHOWN);
    if more > 0 {
        out::say(&format!("… and {more} more; mend these first"));
    }
}
