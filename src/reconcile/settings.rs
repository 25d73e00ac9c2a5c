//! Files and what is selected of them become targets with their baselines, and a wish to look at them.

mod error;
mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind::NotFound;
use std::path::{Path, PathBuf};

use croner::Cron;

use super::declare::Selection;
use super::guarded::Guarded;
use super::look::Look;
use super::target::FleetTarget;
use crate::baseline::load::Reader;
use crate::baseline::{self, Mode};
use crate::fleet::file::{Selector, schedule};
use crate::fleet::shard::Shard;
use crate::fleet::{self, Fleet};
use crate::kinds::registry;
use crate::names::{AccountId, InvalidName, Region, well_formed_region};

pub use error::SettingsError;
pub(crate) use error::counted;
pub use files::{
    Hears, audit_log, baselines_of, declares, environment, fleet_file, load, options,
    says_only_where,
};

/// The name of the target that baselines make which are named in the place of the fleet file's targets.
pub const COMMAND_LINE: &str = "command line";

/// Which baselines, targets, accounts, Regions and kinds; all that the fleet file has when nothing is said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selectors {
    /// Baselines in the place of the fleet file's targets.
    pub baselines: Vec<PathBuf>,
    /// Only these targets of the fleet file.
    pub targets: Vec<String>,
    /// Only these accounts.
    pub accounts: Vec<String>,
    /// Only these Regions.
    pub regions: Vec<String>,
    /// Only these kinds, or services.
    pub kinds: Vec<String>,
    /// Only a part of the accounts.
    pub shard: Option<Shard>,
    /// With baselines in the place of targets, accounts may be written to that no target selects.
    pub outside_fleet: bool,
}

/// What is worked on.
pub struct Settings {
    /// The fleet file, when there is one.
    pub fleet: Option<Fleet>,
    /// The targets; those that were not asked for are there beside the others.
    pub targets: Vec<FleetTarget>,
}

impl Settings {
    /// Resolves them. What somebody should look at in files that can be used is said to `hears`.
    ///
    /// # Errors
    /// The files cannot be used, or the selectors name nothing.
    pub fn resolve(
        config: &Path,
        selectors: &Selectors,
        reader: &dyn Reader,
        hears: Hears<'_>,
    ) -> Result<Self, SettingsError> {
        known_kinds(&selectors.kinds)?;
        for region in &selectors.regions {
            // That AWS has it is asked of AWS, which may have it since this version was made.
            well_formed_region(region)?;
        }
        let fleet = fleet_file(config, reader, hears)?;
        let targets = if selectors.baselines.is_empty() {
            let no_baseline = || SettingsError::NoBaseline { config: config.to_owned() };
            let fleet = fleet.as_ref().ok_or_else(no_baseline)?;
            from_fleet(config, fleet, selectors, reader, hears)?
        } else {
            vec![named(fleet.as_ref(), selectors, reader, hears)?]
        };
        Ok(Self { fleet, targets })
    }

    /// A look at what is selected, which could be applied within what the fleet file allows.
    ///
    /// # Errors
    /// A selected account is none.
    pub fn look(self, selectors: &Selectors, mut guarded: Guarded) -> Result<Look, InvalidName> {
        let beside_fleet = !selectors.baselines.is_empty();
        // What is named in the place of targets has no name that could be confirmed.
        guarded.protects_first_run &= !beside_fleet;
        Ok(Look {
            beside_fleet,
            outside_fleet: selectors.outside_fleet,
            accounts: accounts(&selectors.accounts)?,
            selection: Selection {
                regions: selectors.regions.iter().map(Region::new).collect(),
                kinds: selectors.kinds.iter().cloned().collect(),
                only: None,
            },
            shard: selectors.shard,
            ..Look::at(self.targets, self.fleet, guarded)
        })
    }
}

/// The target that baselines make in the place of the fleet file's.
fn named(
    fleet: Option<&Fleet>,
    selectors: &Selectors,
    reader: &dyn Reader,
    hears: Hears<'_>,
) -> Result<FleetTarget, SettingsError> {
    if !selectors.targets.is_empty() {
        return Err(SettingsError::Both);
    }
    let environment = fleet.map(environment).unwrap_or_default();
    let options = options(BTreeMap::new(), environment);
    let baseline = load(&selectors.baselines, reader, options, hears)?;
    let accounts = accounts(&selectors.accounts)?;
    Ok(FleetTarget {
        name: COMMAND_LINE.to_owned(),
        select: (!accounts.is_empty()).then(|| Selector {
            accounts: accounts.iter().map(ToString::to_string).collect(),
            ..Selector::default()
        }),
        except: None,
        baseline,
        // Where every target only reports, they are no way around it.
        ceiling: fleet.map_or(Mode::Enforce, highest_ceiling),
        is_beside: false,
    })
}

/// What the targets of a fleet file may do at most.
fn highest_ceiling(fleet: &Fleet) -> Mode {
    let ceilings = fleet.file.targets.iter().map(|target| target.mode.unwrap_or(Mode::Enforce));
    ceilings.max().unwrap_or(Mode::Enforce)
}

fn from_fleet(
    config: &Path,
    fleet: &Fleet,
    selectors: &Selectors,
    reader: &dyn Reader,
    hears: Hears<'_>,
) -> Result<Vec<FleetTarget>, SettingsError> {
    declares(Some(fleet))?;
    for wanted in &selectors.targets {
        if !fleet.file.targets.iter().any(|target| target.name == *wanted) {
            let there = fleet.file.targets.iter().map(|target| target.name.clone()).collect();
            return Err(SettingsError::NoTarget { name: wanted.clone(), there });
        }
    }
    let mut targets = Vec::new();
    for target in &fleet.file.targets {
        let options = options(target.variables.clone(), environment(fleet));
        let files = baselines_of(config, fleet, target, reader)?;
        targets.push(FleetTarget {
            name: target.name.clone(),
            select: target.select.clone(),
            except: target.except.clone(),
            baseline: load(&files, reader, options, hears)?,
            ceiling: target.mode.unwrap_or(Mode::Enforce),
            is_beside: !selectors.targets.is_empty() && !selectors.targets.contains(&target.name),
        });
    }
    match targets.is_empty() {
        true => Err(SettingsError::NothingLeft),
        false => Ok(targets),
    }
}

/// The targets of another version of the files. What that version does not have yet (the fleet file, a
/// target, a baseline that is named) it does not declare.
///
/// # Errors
/// The files of that version cannot be used.
pub fn other_targets(
    config: &Path,
    selectors: &Selectors,
    reader: &dyn Reader,
    name: &str,
    hears: Hears<'_>,
) -> Result<Vec<FleetTarget>, SettingsError> {
    let mut there = selectors.clone();
    there
        .baselines
        .retain(|path| reader.read(path).map_or_else(|error| error.kind() != NotFound, |_| true));
    if !selectors.baselines.is_empty() && there.baselines.is_empty() {
        return Ok(Vec::new());
    }
    let of_version = |error: SettingsError| match error {
        SettingsError::Declared(problems) => {
            SettingsError::OtherVersion { name: name.to_owned(), problems }
        }
        other => other,
    };
    if there.baselines.is_empty() {
        if reader.read(config).is_err_and(|error| error.kind() == NotFound) {
            return Ok(Vec::new());
        }
        let Some(fleet) = fleet_file(config, reader, hears).map_err(of_version)? else {
            return Ok(Vec::new());
        };
        let known = |target: &String| fleet.file.targets.iter().any(|one| one.name == *target);
        there.targets.retain(known);
        if !selectors.targets.is_empty() && there.targets.is_empty() {
            return Ok(Vec::new());
        }
    }
    let settings = Settings::resolve(config, &there, reader, hears);
    settings.map(|settings| settings.targets).map_err(of_version)
}

/// The schedules of the targets that are selected, `default` for those without one.
///
/// # Errors
/// The default is no schedule.
pub fn schedules(
    fleet: Option<&Fleet>,
    selectors: &Selectors,
    default: &str,
) -> Result<BTreeMap<String, Cron>, SettingsError> {
    let of = |text: &str| schedule(text).map_err(|why| SettingsError::Schedule { why });
    let Some(fleet) = fleet.filter(|_| selectors.baselines.is_empty()) else {
        return Ok([(COMMAND_LINE.to_owned(), of(default)?)].into());
    };
    let is_selected =
        |name: &String| selectors.targets.is_empty() || selectors.targets.contains(name);
    let targets = fleet.file.targets.iter().filter(|target| is_selected(&target.name));
    let targets = targets.map(|target| {
        let cron = of(target.schedule.as_deref().unwrap_or(default))?;
        Ok((target.name.clone(), cron))
    });
    targets.collect()
}

/// Kinds and services that are there.
///
/// # Errors
/// One of them is none.
pub fn known_kinds(names: &[String]) -> Result<BTreeSet<String>, SettingsError> {
    for name in names {
        let is_service = registry::catalog().services().contains(&name.as_str());
        if registry::find(name).is_none() && !is_service {
            return Err(SettingsError::NoKind { name: name.clone() });
        }
    }
    Ok(names.iter().cloned().collect())
}

/// Account ids.
///
/// # Errors
/// One of them is none.
pub fn accounts(names: &[String]) -> Result<BTreeSet<AccountId>, InvalidName> {
    names.iter().map(|name| name.parse()).collect()
}

/// Reads all files of the fleet, or those that are named in the place of its targets, and says nothing of
/// what is wrong with them.
pub fn read_all(config: &Path, selectors: &Selectors, reader: &dyn Reader) {
    let fleet = fleet::load(config, reader).ok();
    let environment = fleet.as_ref().map(environment).unwrap_or_default();
    let load = |files: &[PathBuf]| {
        let options = options(BTreeMap::new(), environment.clone());
        let _ = baseline::load(files, reader, registry::catalog(), options);
    };
    match &fleet {
        _ if !selectors.baselines.is_empty() => load(&selectors.baselines),
        Some(fleet) => {
            for target in &fleet.file.targets {
                let files = fleet.baselines(target);
                // Whether they may be named is judged with the rest.
                files.iter().for_each(|file| drop(reader.reaches(config, file)));
                load(&files);
            }
        }
        None => {}
    }
}
