//! The rules of the waves of a rollout.

use std::collections::BTreeMap;

use super::super::file::FleetFile;
use crate::baseline::problem::{Problem, SourcePlace};

/// Adds what is wrong with them.
pub(super) fn rules(
    file: &FleetFile,
    at: &dyn Fn(String) -> SourcePlace,
    problems: &mut Vec<Problem>,
) {
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    let mut most = 0;
    for (index, wave) in file.rollout.waves.iter().enumerate() {
        let mut wrong = |field: &str, what: String, help: &str| {
            let place = at(format!("rollout.wave[{index}]{field}"));
            problems.push(Problem::error("wrong-value", what, place).help(help));
        };
        if names.insert(&wave.name, index).is_some() {
            wrong(
                ".name",
                format!("two waves are called {:?}", wave.name),
                "give each its own name",
            );
        }
        if wave.accounts.is_empty() && wave.percent.is_none() {
            wrong(
                "",
                format!("the wave {:?} has no account", wave.name),
                "name accounts = [\"111122223333\"], or percent = 10",
            );
        }
        if let Some(percent) = wave.percent {
            if percent <= most {
                wrong(
                    ".percent",
                    format!("{percent} per cent are no more than the waves before have"),
                    "percent counts the accounts of the waves before, too: 10, then 50, then 100",
                );
            }
            most = percent;
        }
    }
}
