#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::*;
use crate::kinds::registry;

const ITEMS: &str = include_str!("items.toml");
const SECURITY_HUB: &str =
    include_str!("../../../tests/emulator/shelf/tables/securityhub_controls.json");
const FSBP: &str = "standards/aws-foundational-security-best-practices/v/1.0.0";

/// What `items.toml` has of a framework.
#[derive(Deserialize)]
struct Listed {
    items: Vec<String>,
    /// By service, `1=1.2`: control and requirement.
    #[serde(default)]
    checked_by: BTreeMap<String, String>,
}

impl Listed {
    fn items(&self) -> BTreeSet<String> {
        self.items.iter().flat_map(|text| spelt_out(text)).collect()
    }

    /// The requirement of each control that checks one.
    fn checked_by(&self) -> BTreeMap<String, String> {
        let services = self.checked_by.iter().filter(|(service, _)| *service != "source");
        let pairs = services.flat_map(|(service, pairs)| {
            pairs.split(' ').map(move |pair| (service, pair.split_once('=').unwrap()))
        });
        let owned = |(service, (control, requirement)): (&String, (&str, &str))| {
            (format!("{service}.{control}"), requirement.to_owned())
        };
        pairs.map(owned).collect()
    }
}

/// `1.1..22` as 1.1, 1.2 and so on to 1.22.
fn spelt_out(text: &str) -> Vec<String> {
    let Some((first, last)) = text.split_once("..") else { return vec![text.to_owned()] };
    let numbers_at = first.rfind(|letter: char| !letter.is_ascii_digit()).unwrap() + 1;
    let (before, from) = first.split_at(numbers_at);
    let width = from.len();
    let numbers = from.parse::<u8>().unwrap()..=last.parse().unwrap();
    numbers.map(|number| format!("{before}{number:0width$}")).collect()
}

/// The controls of each of Security Hub's standards: `IAM 1-3 8; S3 1` there.
fn standards() -> BTreeMap<String, BTreeSet<String>> {
    let catalogue: Value = serde_json::from_str(SECURITY_HUB).unwrap();
    let standards = catalogue["standards"].as_object().unwrap().iter();
    let controls = |text: &str| {
        let groups = text.split("; ").map(|group| group.split_once(' ').unwrap());
        let each = groups.flat_map(|(service, numbers)| {
            numbers.split(' ').flat_map(move |numbers| {
                spelt_out(&format!("{service}.{}", numbers.replace('-', "..")))
            })
        });
        each.collect()
    };
    standards.map(|(name, text)| (name.clone(), controls(text.as_str().unwrap()))).collect()
}

fn listed(name: &str) -> Listed {
    let mut all: BTreeMap<String, Listed> = toml::from_str(ITEMS).unwrap();
    all.remove(name).unwrap()
}

/// The benchmarks of CIS, under their names here and in Security Hub.
fn benchmarks() -> [(Framework, Listed, &'static str); 2] {
    [
        (Framework::CisV3, listed("cis_v3"), "standards/cis-aws-foundations-benchmark/v/3.0.0"),
        (Framework::CisV5, listed("cis_v5"), "standards/cis-aws-foundations-benchmark/v/5.0.0"),
    ]
}

/// All items that a framework has.
fn known(framework: Framework) -> BTreeSet<String> {
    let of_standards = standards();
    match framework {
        Framework::CisV3 => listed("cis_v3").items(),
        Framework::CisV5 => listed("cis_v5").items(),
        Framework::WellArchitected => listed("well_architected").items(),
        Framework::Fsbp => of_standards[FSBP].clone(),
        Framework::SecurityHub => {
            let all: BTreeSet<_> = of_standards.values().flatten().cloned().collect();
            all.difference(&of_standards[FSBP]).cloned().collect()
        }
    }
}

/// The fields that serve an item; none when it is of the whole object.
fn fields(controls: Controls, id: &str) -> Option<BTreeSet<&'static str>> {
    let rows = controls.by_fields.iter().filter(|(ids, _)| ids.contains(&id));
    let fields: BTreeSet<_> = rows.flat_map(|(_, fields)| *fields).copied().collect();
    (!fields.is_empty()).then_some(fields)
}

fn of_security_hub(controls: Controls) -> impl Iterator<Item = &'static str> {
    controls.fsbp.iter().chain(controls.security_hub).copied()
}

#[test]
fn what_serves_a_control_is_a_field_and_the_control_is_named() {
    for kind in registry::all() {
        let controls = kind.controls();
        let all: Vec<&str> =
            of_security_hub(controls).chain(controls.cis_v5.iter().copied()).collect();
        let schema = kind.schema();
        for (ids, fields) in controls.by_fields {
            for id in *ids {
                assert!(all.contains(id), "{}: {id}", kind.name());
            }
            for field in *fields {
                // The state of a key is no field of a spec.
                let is_field = schema["properties"].get(field).is_some() || *field == "key_state";
                assert!(is_field, "{}: {field}", kind.name());
            }
        }
    }
}

#[test]
fn a_field_serves_its_own_controls_alone() {
    let controls = registry::find("s3.bucket").map(|kind| kind.controls()).unwrap();
    let served = |field: &str| {
        let fields = BTreeSet::from([field.to_owned()]);
        let ids = of_security_hub(controls).filter(|id| controls.is_served(id, &fields));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(served("versioning"), ["S3.14"]);
    let of_the_block = ["S3.2", "S3.3", "S3.8", "CloudTrail.6"];
    assert_eq!(served("public_access_block.block_public_acls"), of_the_block);
    assert!(served("tags").is_empty());
    assert!(served("access_log_prefix").is_empty(), "S3.9 asks for a log, wherever it goes");
}

#[test]
fn every_item_is_one_that_its_framework_has() {
    for framework in Framework::ALL {
        let known = known(framework);
        for kind in registry::all() {
            let ids = kind.controls().of(framework);
            for id in ids {
                let title = framework.title();
                assert!(known.contains(*id), "{}: {id} is not of {title}", kind.name());
                assert_eq!(ids.iter().filter(|other| *other == id).count(), 1, "{id}");
            }
        }
    }
}

#[test]
fn what_serves_a_control_serves_the_requirement_of_cis_that_it_checks() {
    for (framework, listed, _) in benchmarks() {
        let checked_by = listed.checked_by();
        for kind in registry::all() {
            let (name, controls) = (kind.name(), kind.controls());
            let requirements = controls.of(framework);
            for id in of_security_hub(controls) {
                let Some(requirement) = checked_by.get(id) else { continue };
                let title = framework.title();
                assert!(
                    requirements.contains(&requirement.as_str()),
                    "{name}: {id} checks {requirement} of {title}"
                );
                // Plans name the requirements of this one alone.
                if framework != Framework::CisV5 {
                    continue;
                }
                let Some(all) = fields(controls, requirement) else { continue };
                let own = fields(controls, id).unwrap();
                assert!(own.is_subset(&all), "{name}: {id} by {own:?}, {requirement} by {all:?}");
            }
            for requirement in requirements {
                let mut by = checked_by.iter().filter(|(_, own)| own == requirement).peekable();
                let is_named = by.peek().is_none()
                    || by.any(|(control, _)| of_security_hub(controls).any(|id| id == control));
                assert!(is_named, "{name}: a control checks {requirement}, and none is named");
            }
        }
    }
}

#[test]
fn the_lists_are_whole() {
    assert_eq!(spelt_out("SEC03-BP08..10"), ["SEC03-BP08", "SEC03-BP09", "SEC03-BP10"]);
    assert_eq!(spelt_out("2.2.1"), ["2.2.1"]);
    assert_eq!(known(Framework::CisV3).len(), 62);
    assert_eq!(known(Framework::CisV5).len(), 63);
    assert_eq!(known(Framework::WellArchitected).len(), 63);
    let standards = standards();
    for (framework, listed, standard) in benchmarks() {
        let checked_by = listed.checked_by();
        let controls: BTreeSet<String> = checked_by.keys().cloned().collect();
        assert_eq!(controls, standards[standard], "{}", framework.title());
        let items = listed.items();
        for (control, requirement) in &checked_by {
            assert!(items.contains(requirement), "{control} checks {requirement}");
        }
    }
}
