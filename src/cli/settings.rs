//! Settings resolved once: the fleet file and the command line become targets with their baselines.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use chrono::Utc;
use evenkeel::aws::session::AssumedRole;
use evenkeel::baseline::load::Disk;
use evenkeel::baseline::{self, Baseline, Environment, LoadOptions, Problems};
use evenkeel::fleet::{self, Fleet, Target};
use evenkeel::kinds::registry;
use evenkeel::names::AccountId;
use evenkeel::plan::Mode;
use evenkeel::reconcile::Safety;

use super::args::{Global, Selectors};
use super::failure::Failure;
use super::{colours_on_stderr, explain, out};

/// What a command works on.
pub struct Settings {
    /// The fleet file, when there is one.
    pub fleet: Option<Fleet>,
    /// The targets that were selected.
    pub targets: Vec<Work>,
    /// The limits of a run.
    pub safety: Safety,
    /// The audit log.
    pub audit_log: PathBuf,
}

/// A target with its baseline.
pub struct Work {
    /// The accounts; empty for the account of the credentials.
    pub accounts: BTreeSet<AccountId>,
    /// What is declared.
    pub baseline: Baseline<'static>,
    /// What the target may do.
    pub ceiling: Mode,
    /// When the controller looks at it.
    pub schedule: Option<String>,
    /// Its name in the fleet file.
    pub name: String,
}

/// Resolves the settings. All problems of all files are printed.
///
/// # Errors
/// The files cannot be used, or the selectors name nothing.
pub fn resolve(global: &Global, selectors: &Selectors) -> Result<Settings, Failure> {
    for kind in &selectors.kind {
        let is_service = registry::catalog().services().contains(&kind.as_str());
        if registry::find(kind).is_none() && !is_service {
            return Err(explain::unknown_kind(kind));
        }
    }
    let fleet = fleet_file(global)?;
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
        from_fleet(global, fleet, selectors)?
    } else {
        if !selectors.target.is_empty() {
            return Err(Failure::usage(
                "-t chooses a target of the fleet file, and -b replaces its baselines",
                "use one of the two",
            ));
        }
        let environment = fleet.as_ref().map(environment).unwrap_or_default();
        let baseline = load(global, &selectors.baseline, options(BTreeMap::new(), environment))?;
        vec![Work {
            accounts: accounts(&selectors.account)?,
            baseline,
            ceiling: Mode::Enforce,
            schedule: None,
            name: "command line".to_owned(),
        }]
    };
    let safety = fleet.as_ref().map_or_else(Safety::default, |fleet| Safety {
        max_changes: fleet.file.safety.max_changes,
        max_changes_per_account: fleet.file.safety.max_changes_per_account,
        max_risk: fleet.file.safety.max_risk,
    });
    let audit_log = fleet
        .as_ref()
        .and_then(|fleet| Some(fleet.folder.join(fleet.file.store.audit_log.as_ref()?)))
        .unwrap_or_else(|| PathBuf::from(".evenkeel/audit.jsonl"));
    Ok(Settings { fleet, targets, safety, audit_log })
}

/// Reads the fleet file. One that was not asked for and is not there is none.
///
/// # Errors
/// It cannot be used.
pub fn fleet_file(global: &Global) -> Result<Option<Fleet>, Failure> {
    let is_default = global.config == Path::new("evenkeel.toml");
    if is_default && !global.config.exists() {
        return Ok(None);
    }
    match fleet::load(&global.config, &Disk) {
        Ok(fleet) => {
            print(global, &fleet.warnings);
            Ok(Some(fleet))
        }
        Err(problems) => Err(declared(global, &problems)),
    }
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
    options: LoadOptions,
) -> Result<Baseline<'static>, Failure> {
    match baseline::load(paths, &Disk, registry::catalog(), options) {
        Ok(loaded) => {
            print(global, &loaded.warnings);
            Ok(loaded.baseline)
        }
        Err(problems) => Err(declared(global, &problems)),
    }
}

fn from_fleet(global: &Global, fleet: &Fleet, selectors: &Selectors) -> Result<Vec<Work>, Failure> {
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
    let asked = accounts(&selectors.account)?;
    let mut works = Vec::new();
    for target in &fleet.file.targets {
        if !selectors.target.is_empty() && !selectors.target.contains(&target.name) {
            continue;
        }
        let mut chosen = selected(target)?;
        if !asked.is_empty() {
            if chosen.is_empty() {
                chosen.clone_from(&asked);
            } else {
                chosen.retain(|account| asked.contains(account));
                if chosen.is_empty() {
                    continue;
                }
            }
        }
        let variables = target.variables.clone();
        let baseline =
            load(global, &fleet.baselines(target), options(variables, environment(fleet)))?;
        works.push(Work {
            accounts: chosen,
            baseline,
            ceiling: target.mode.unwrap_or(Mode::Enforce),
            schedule: target.schedule.clone(),
            name: target.name.clone(),
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

/// The accounts that a target names.
fn selected(target: &Target) -> Result<BTreeSet<AccountId>, Failure> {
    for selector in target.select.iter().chain(&target.except) {
        if !selector.ous.is_empty() || !selector.account_tags.is_empty() {
            return Err(Failure::usage(
                format!(
                    "the target {:?} selects by organizational unit or tag, which this version cannot do",
                    target.name
                ),
                "list the accounts: select = { accounts = [\"111122223333\"] }",
            ));
        }
    }
    let Some(select) = &target.select else { return Ok(BTreeSet::new()) };
    let mut chosen = accounts(&select.accounts)?;
    if let Some(except) = &target.except {
        for account in accounts(&except.accounts)? {
            chosen.remove(&account);
        }
    }
    if chosen.is_empty() {
        return Err(Failure::usage(
            format!("the target {:?} selects no account", target.name),
            "a run that looks at nothing would look green; correct `select` and `except`",
        ));
    }
    Ok(chosen)
}

fn accounts(names: &[String]) -> Result<BTreeSet<AccountId>, Failure> {
    Ok(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?)
}

/// The role of an account, as the fleet file says.
///
/// # Errors
/// An environment variable that it needs is not set.
pub fn role(
    fleet: &Fleet,
    account: &AccountId,
    partition: &str,
) -> Result<Option<AssumedRole>, Failure> {
    let Some(access) = &fleet.file.access else { return Ok(None) };
    let fill = |text: &str| -> Result<String, Failure> {
        let mut filled =
            text.replace("${account.id}", account.as_str()).replace("${partition}", partition);
        for name in &fleet.file.env {
            let placeholder = format!("${{env.{name}}}");
            if filled.contains(&placeholder) {
                let value = std::env::var(name).map_err(|_| {
                    Failure::usage(
                        format!("the environment variable {name} is not set"),
                        "[access] in the fleet file needs it",
                    )
                })?;
                filled = filled.replace(&placeholder, &value);
            }
        }
        if filled.contains("${") {
            return Err(Failure::usage(
                format!("[access] holds a placeholder that is not known: {text}"),
                "it can hold ${account.id}, ${partition}, and ${env.NAME} for names in `env`",
            ));
        }
        Ok(filled)
    };
    Ok(Some(AssumedRole {
        role_arn: fill(&access.role_arn)?,
        session_name: fill(&access.session_name)?,
        external_id: access.external_id.as_deref().map(fill).transpose()?,
    }))
}

/// Prints problems, each with file, line and caret.
pub fn print(global: &Global, problems: &Problems) {
    let theme = if colours_on_stderr(global) {
        miette::GraphicalTheme::unicode()
    } else {
        miette::GraphicalTheme::unicode_nocolor()
    };
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_width(100);
    for report in problems.reports() {
        let mut text = String::new();
        if handler.render_report(&mut text, report.as_ref()).is_ok() {
            out::say(text.trim_end());
        }
    }
}

/// Prints problems and counts them.
pub fn declared(global: &Global, problems: &Problems) -> Failure {
    print(global, problems);
    let errors = problems.errors();
    let word = if errors == 1 { "error" } else { "errors" };
    Failure::Declared(format!("{errors} {word} in what is declared; nothing was looked at"))
}
