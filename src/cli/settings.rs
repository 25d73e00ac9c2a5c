//! Settings resolved once: the fleet file and the command line become targets with their baselines.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use chrono::Utc;
use evenkeel::baseline::Mode;
use evenkeel::baseline::disk::Disk;
use evenkeel::baseline::load::Reader;
use evenkeel::baseline::texts::Texts;
use evenkeel::baseline::{self, Baseline, Environment, LoadOptions, Problems};
use evenkeel::fleet::file::{FleetFile, Git, SafetyTable as Limits, Selector, Target};
use evenkeel::fleet::notify::Notify;
use evenkeel::fleet::urls::without_secrets;
use evenkeel::fleet::{self, Fleet};
use evenkeel::kinds::AllowedGrants;
use evenkeel::kinds::registry;
use evenkeel::names::{AccountId, well_formed_region};
use evenkeel::reconcile::{FleetTarget, Safety};
use serde_json::json;

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::terminal::colours_on_stderr;
use super::{explain, out};

/// The name of the target that `-b` makes.
pub const COMMAND_LINE: &str = "command line";

/// What a command works on.
pub struct Settings {
    /// The fleet file, when there is one.
    pub fleet: Option<Fleet>,
    /// The targets; those that were not asked for are there beside the others.
    pub targets: Vec<Work>,
    /// The limits of a run.
    pub safety: Safety,
    /// The audit log.
    pub audit_log: PathBuf,
}

/// A target with its baseline.
pub struct Work {
    /// The target.
    pub target: FleetTarget,
}

/// Resolves the settings. All problems of all files are printed.
///
/// # Errors
/// The files cannot be used, or the selectors name nothing.
pub fn resolve(global: &Global, selectors: &Selectors) -> Result<Settings, Failure> {
    resolve_from(global, selectors, &Disk)
}

/// The same, with files from elsewhere.
///
/// # Errors
/// As [`resolve`].
pub fn resolve_from(
    global: &Global,
    selectors: &Selectors,
    reader: &dyn Reader,
) -> Result<Settings, Failure> {
    known_kinds(&selectors.kind)?;
    for region in &selectors.region {
        // That AWS has it is asked of AWS, which may have it since this version was made.
        well_formed_region(region)
            .map_err(|error| Failure::usage(error.to_string(), error.remedy()))?;
    }
    let fleet = fleet_file(global, reader)?;
    let targets = if selectors.baseline.is_empty() {
        let fleet = fleet.as_ref().ok_or_else(|| {
            Failure::usage(
                format!(
                    "there is no baseline: no -b, and no fleet file {}",
                    global.config.display()
                ),
                "name a baseline with -b, or make a starter repository with `evenkeel init`",
            )
        })?;
        from_fleet(global, fleet, selectors, reader)?
    } else {
        if !selectors.target.is_empty() {
            return Err(Failure::usage(
                "-t chooses a target of the fleet file, and -b replaces its baselines",
                "use one of the two",
            ));
        }
        let environment = fleet.as_ref().map(environment).unwrap_or_default();
        let options = options(BTreeMap::new(), environment);
        let baseline = load(global, &selectors.baseline, reader, options)?;
        let accounts = accounts(&selectors.account)?;
        let target = FleetTarget {
            name: COMMAND_LINE.to_owned(),
            select: (!accounts.is_empty()).then(|| Selector {
                accounts: accounts.iter().map(ToString::to_string).collect(),
                ..Selector::default()
            }),
            except: None,
            baseline,
            // Where every target only reports, -b is no way around it.
            ceiling: fleet.as_ref().map_or(Mode::Enforce, highest_ceiling),
            is_beside: false,
        };
        vec![Work { target }]
    };
    let safety = safety_of(fleet.as_ref());
    let audit_log = audit_log_of(fleet.as_ref());
    Ok(Settings { fleet, targets, safety, audit_log })
}

/// The limits, where the command line names none.
///
/// # Errors
/// The fleet file cannot be used.
pub fn safety(global: &Global) -> Result<Safety, Failure> {
    Ok(safety_of(fleet_file(global, &Disk)?.as_ref()))
}

fn safety_of(fleet: Option<&Fleet>) -> Safety {
    let Some(file) = fleet.map(|fleet| &fleet.file.safety) else { return Safety::default() };
    let mut allow_grants: AllowedGrants = file.allow_grants.iter().copied().collect();
    allow_grants.trust_all(file.trusted_accounts.iter().cloned());
    Safety {
        max_changes: file.max_changes,
        max_changes_per_account: file.max_changes_per_account,
        max_risk: file.max_risk,
        allow_grants,
    }
}

/// The audit log: the one that the command line or the environment names, or else the fleet file's.
///
/// # Errors
/// The fleet file cannot be used.
pub fn audit_log(global: &Global, named: Option<&PathBuf>) -> Result<PathBuf, Failure> {
    match named {
        Some(path) => Ok(path.clone()),
        None => Ok(audit_log_of(fleet_file(global, &Disk)?.as_ref())),
    }
}

/// The same, as far as the fleet file can be read; what is wrong with it is said when it is used.
pub fn likely_audit_log(global: &Global, named: Option<&PathBuf>) -> PathBuf {
    let of_fleet = || audit_log_of(fleet::load(&global.config, &Disk).ok().as_ref());
    named.cloned().or_else(audit_log_of_environment).unwrap_or_else(of_fleet)
}

/// The audit log that the environment names, for commands that have no option for it.
pub fn audit_log_of_environment() -> Option<PathBuf> {
    std::env::var_os("EVENKEEL_AUDIT_LOG").filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn audit_log_of(fleet: Option<&Fleet>) -> PathBuf {
    fleet
        .and_then(|fleet| Some(fleet.folder.join(fleet.file.store.audit_log.as_ref()?)))
        .unwrap_or_else(|| PathBuf::from(".evenkeel/audit.jsonl"))
}

/// What the targets of a fleet file may do at most.
fn highest_ceiling(fleet: &Fleet) -> Mode {
    let ceilings = fleet.file.targets.iter().map(|target| target.mode.unwrap_or(Mode::Enforce));
    ceilings.max().unwrap_or(Mode::Enforce)
}

/// The targets of another version of the files. What that version does not have yet (the fleet
/// file, a target, a baseline named with -b) it does not declare.
///
/// # Errors
/// The files of that version cannot be used.
pub fn other_targets(
    global: &Global,
    selectors: &Selectors,
    reader: &dyn Reader,
    name: &str,
) -> Result<Vec<Work>, Failure> {
    let mut there = selectors.clone();
    there
        .baseline
        .retain(|path| reader.read(path).map_or_else(|error| error.kind() != NotFound, |_| true));
    if !selectors.baseline.is_empty() && there.baseline.is_empty() {
        return Ok(Vec::new());
    }
    let of_version = |failure: Failure| match failure {
        Failure::Declared { said, .. } => Failure::usage(
            format!("the files of {name}, which --compare-to names, cannot be used: {said}"),
            "the problems above are those of that version; compare with one that is right, or plan without --compare-to",
        ),
        other => other,
    };
    if there.baseline.is_empty() {
        if reader.read(&global.config).is_err_and(|error| error.kind() == NotFound) {
            return Ok(Vec::new());
        }
        let Some(fleet) = fleet_file(global, reader).map_err(of_version)? else {
            return Ok(Vec::new());
        };
        let known = |target: &String| fleet.file.targets.iter().any(|one| one.name == *target);
        there.target.retain(known);
        if !selectors.target.is_empty() && there.target.is_empty() {
            return Ok(Vec::new());
        }
    }
    resolve_from(global, &there, reader).map(|settings| settings.targets).map_err(of_version)
}

/// Kinds and services of the command line.
///
/// # Errors
/// One of them is none.
pub fn known_kinds(names: &[String]) -> Result<BTreeSet<String>, Failure> {
    for name in names {
        let is_service = registry::catalog().services().contains(&name.as_str());
        if registry::find(name).is_none() && !is_service {
            return Err(explain::unknown_kind(name));
        }
    }
    Ok(names.iter().cloned().collect())
}

/// The texts of the files, read once, of whatever reader.
pub type FileTexts = Texts<Box<dyn Reader + Send + Sync>>;

/// Reads all files of the fleet, or those that `-b` names, and says nothing of what is wrong with them.
pub fn read_all(global: &Global, selectors: &Selectors, reader: &dyn Reader) {
    let fleet = fleet::load(&global.config, reader).ok();
    let environment = fleet.as_ref().map(environment).unwrap_or_default();
    let load = |files: &[PathBuf]| {
        let options = options(BTreeMap::new(), environment.clone());
        let _ = baseline::load(files, reader, registry::catalog(), options);
    };
    match &fleet {
        _ if !selectors.baseline.is_empty() => load(&selectors.baseline),
        Some(fleet) => {
            for target in &fleet.file.targets {
                let files = fleet.baselines(target);
                // Whether they may be named is judged with the rest.
                files.iter().for_each(|file| drop(reader.reaches(&global.config, file)));
                load(&files);
            }
        }
        None => {}
    }
}

/// Reads the fleet file. One that was not asked for and is not there is none.
///
/// # Errors
/// It cannot be used.
pub fn fleet_file(global: &Global, reader: &dyn Reader) -> Result<Option<Fleet>, Failure> {
    let is_default = global.config == Path::new("evenkeel.toml");
    let is_absent = || {
        reader.read(&global.config).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    };
    if is_default && is_absent() {
        return Ok(None);
    }
    match fleet::load(&global.config, reader) {
        Ok(fleet) => {
            print(global, &fleet.warnings);
            Ok(Some(fleet))
        }
        Err(problems) => Err(declared(global, &problems)),
    }
}

/// Refuses a fleet file that only names the repository of the files: it declares nothing itself.
///
/// # Errors
/// It is that.
pub fn declares(fleet: Option<&Fleet>) -> Result<(), Failure> {
    let git = fleet.filter(|fleet| fleet.file.targets.is_empty()).and_then(git_of);
    let Some(Git { url, reference, path, .. }) = git else { return Ok(()) };
    Err(Failure::usage(
        format!(
            "this fleet file declares nothing: its [controller] git names where the controller's files are, {path} of {} {reference}",
            without_secrets(url)
        ),
        "run this in a checkout of that repository, at the commit that `evenkeel status` says is in force, with the controller's audit log (EVENKEEL_AUDIT_LOG=PATH) and its store",
    ))
}

/// Refuses a fleet file that names the repository of the files, and says besides what is taken from there
/// alone: nobody would notice that it does not count.
///
/// # Errors
/// It says more than counts.
pub fn says_only_where(fleet: &Fleet) -> Result<(), Failure> {
    let Some(Git { url, reference, path, .. }) = git_of(fleet) else { return Ok(()) };
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
    if parts.is_empty() {
        return Ok(());
    }
    Err(Failure::usage(
        format!(
            "[controller] git names where the files are, and this fleet file also has what does not count here: {}",
            parts.join("; ")
        ),
        format!(
            "they belong into {path} of {} {reference}; the file that the controller is started with says only [controller], [store], [safety] kill_switch or kill_switch_parameter, [limits] and home_region",
            without_secrets(url)
        ),
    ))
}

fn git_of(fleet: &Fleet) -> Option<&Git> {
    fleet.file.controller.as_ref()?.git.as_ref()
}

/// Whether the fleet file takes signed plans only.
///
/// # Errors
/// The fleet file cannot be used.
pub fn wants_signed_plans(global: &Global) -> Result<bool, Failure> {
    let fleet = fleet_file(global, &Disk)?;
    Ok(fleet.is_some_and(|fleet| fleet.file.safety.require_signed_plans))
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
    match baseline::load(paths, reader, registry::catalog(), options) {
        Ok(loaded) => {
            print(global, &loaded.warnings);
            Ok(loaded.baseline)
        }
        Err(problems) => Err(declared(global, &problems)),
    }
}

/// The baseline files of a target, which the fleet file must reach.
///
/// # Errors
/// One of them is outside of the fleet file's repository.
pub fn baselines_of(
    global: &Global,
    fleet: &Fleet,
    target: &Target,
    reader: &dyn Reader,
) -> Result<Vec<PathBuf>, Failure> {
    let files = fleet.baselines(target);
    for file in &files {
        // That one is not there is said with the others, when they are read.
        let reached = reader.reaches(&global.config, file);
        if let Err(error) = reached.or_else(|error| match error.kind() {
            NotFound => Ok(()),
            _ => Err(error),
        }) {
            return Err(Failure::usage(
                format!("the target {:?} names {}: {error}", target.name, file.display()),
                "keep the baselines of a fleet in the repository of its fleet file",
            ));
        }
    }
    Ok(files)
}

fn from_fleet(
    global: &Global,
    fleet: &Fleet,
    selectors: &Selectors,
    reader: &dyn Reader,
) -> Result<Vec<Work>, Failure> {
    declares(Some(fleet))?;
    for wanted in &selectors.target {
        if !fleet.file.targets.iter().any(|target| target.name == *wanted) {
            let names: Vec<_> =
                fleet.file.targets.iter().map(|target| target.name.as_str()).collect();
            return Err(Failure::usage(
                format!("the fleet file has no target {wanted:?}"),
                format!("it has {}", names.join(", ")),
            ));
        }
    }
    let mut works = Vec::new();
    for target in &fleet.file.targets {
        let options = options(target.variables.clone(), environment(fleet));
        let files = baselines_of(global, fleet, target, reader)?;
        let baseline = load(global, &files, reader, options)?;
        works.push(Work {
            target: FleetTarget {
                name: target.name.clone(),
                select: target.select.clone(),
                except: target.except.clone(),
                baseline,
                ceiling: target.mode.unwrap_or(Mode::Enforce),
                is_beside: !selectors.target.is_empty() && !selectors.target.contains(&target.name),
            },
        });
    }
    if works.is_empty() {
        return Err(Failure::usage(
            "no target is left: the selectors exclude everything",
            "a run that looks at nothing would look green; correct -a and -t",
        ));
    }
    Ok(works)
}

/// Account ids of the command line.
///
/// # Errors
/// One of them is none.
pub fn accounts(names: &[String]) -> Result<BTreeSet<AccountId>, Failure> {
    Ok(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?)
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

/// Prints problems and counts them.
pub fn declared(global: &Global, problems: &Problems) -> Failure {
    print(global, problems);
    let errors = problems.errors();
    let word = if errors == 1 { "error" } else { "errors" };
    Failure::Declared {
        said: format!("{errors} {word} in what is declared; nothing was looked at"),
        problems: problems.errors_in_lines(MOST_SHOWN),
    }
}
