//! A target with its baseline, and what a plan says of targets.

use std::collections::BTreeSet;

use crate::baseline::{Baseline, Mode};
use crate::digest;
use crate::fleet::file::Selector;
use crate::fleet::select::Choice;
use crate::guards::Version;
use crate::plan::BaselineRef;

/// A target with its baseline.
pub struct FleetTarget {
    /// Its name in the fleet file.
    pub name: String,
    /// The accounts; `None` for the account of the credentials.
    pub select: Option<Selector>,
    /// Accounts that are left out.
    pub except: Option<Selector>,
    /// What is declared.
    pub baseline: Baseline<'static>,
    /// What it may do.
    pub ceiling: Mode,
    /// Whether it was not asked for: what it declares and excepts is heard where it concerns the same
    /// accounts, so that a choice of targets changes no verdict, and it has no part in the plan.
    pub is_beside: bool,
}

impl FleetTarget {
    /// A baseline for the account of the credentials.
    pub fn own(baseline: Baseline<'static>) -> Self {
        Self {
            name: "own account".to_owned(),
            select: None,
            except: None,
            baseline,
            ceiling: Mode::Enforce,
            is_beside: false,
        }
    }

    /// The version of what it declares.
    pub fn version(&self) -> Version {
        let baseline = &self.baseline;
        Version { digest: baseline.digest.clone(), items: baseline.item_digests() }
    }

    /// Which accounts it chooses.
    pub fn choice(&self) -> Choice<'_> {
        Choice {
            name: &self.name,
            select: self.select.as_ref(),
            except: self.except.as_ref(),
            is_beside: self.is_beside,
        }
    }
}

/// The digest of what the targets declare that were asked for.
pub fn digest_of<'a>(targets: impl IntoIterator<Item = &'a FleetTarget>) -> String {
    let chosen = targets.into_iter().filter(|target| !target.is_beside);
    let digests: Vec<&String> = chosen.map(|target| &target.baseline.digest).collect();
    match digests.as_slice() {
        [only] => (*only).clone(),
        many => digest::of(&many),
    }
}

/// What a plan says of its targets; `are_named` when the fleet file has them by these names.
pub fn reference(targets: &[FleetTarget], are_named: bool) -> BaselineRef {
    let chosen = || targets.iter().filter(|target| !target.is_beside);
    let names: BTreeSet<_> = chosen().map(|target| target.baseline.name.as_str()).collect();
    let mut files = Vec::new();
    for file in chosen().flat_map(|target| &target.baseline.files) {
        let file = file.display().to_string();
        if !files.contains(&file) {
            files.push(file);
        }
    }
    let named = chosen().filter(|_| are_named);
    BaselineRef {
        name: names.into_iter().collect::<Vec<_>>().join("+"),
        digest: digest_of(targets),
        files,
        targets: named.map(|target| target.name.clone()).collect(),
    }
}
