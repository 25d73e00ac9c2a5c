//! `ecr.registry_scanning`: who scans the images of a registry, which of them, and how often.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::error::BuildError;
use aws_sdk_ecr::types::{
    RegistryScanningRule as Said, ScanningRepositoryFilter, ScanningRepositoryFilterType,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::inspector2::scanning::own_roles;
use crate::kinds::shapes::{Setting, Write};
use crate::kinds::spec::aws_enum;
use crate::kinds::{
    Change, Charge, Controls, Cx, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx,
    WriteError, known, told,
};

const GET: Call = Call::new("ecr", "GetRegistryScanningConfiguration");
const PUT: Call = Call::new("ecr", "PutRegistryScanningConfiguration");

aws_enum! {
    /// Who scans.
    ScanType {
        Basic = "BASIC",
        Enhanced = "ENHANCED",
    }
}

aws_enum! {
    /// When images are scanned.
    ScanFrequency {
        Manual = "MANUAL",
        ScanOnPush = "SCAN_ON_PUSH",
        ContinuousScan = "CONTINUOUS_SCAN",
    }
}

/// Which images of a Region's registry are scanned for known vulnerabilities, by whom, and when.
///
/// `inspector2.scanning` says whether Inspector scans images at all; which repositories it scans, and
/// whether an image is scanned again when something new becomes known, is said here: without a rule that
/// fits it, a repository is not scanned by itself, and Inspector still says that ECR is on. Declare both.
///
/// All rules are declared: whatever else there is, goes. Where a policy of the organization decides on
/// Inspector, AWS refuses the write with that reason.
///
/// Source: ECR API Reference, `GetRegistryScanningConfiguration`, `PutRegistryScanningConfiguration`,
/// `RegistryScanningRule`; ECR User Guide, "Enhanced scanning" and "IAM permissions required for enhanced
/// scanning".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scanning {
    /// `ENHANCED`: Inspector scans the operating system and what is installed of languages. `BASIC`, which is AWS's
    /// default: ECR scans the operating system alone.
    pub scan_type: Option<ScanType>,
    /// Which repositories are scanned by themselves; `[]` for none.
    #[schemars(length(max = 2))]
    pub rules: Option<BTreeSet<Rule>>,
}

/// Repositories whose images are scanned by themselves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// `SCAN_ON_PUSH`: when an image is pushed. `CONTINUOUS_SCAN`: then, and again whenever something new is known;
    /// with `ENHANCED` alone. One rule for each.
    pub scan_frequency: ScanFrequency,
    /// The repositories by name, `*` for any text: `["*"]` for all. One without `*` fits every name that has it in it.
    #[schemars(
        length(min = 1, max = 100),
        inner(length(min = 1, max = 255), regex(pattern = r"^[a-z0-9*]([._/-]?[a-z0-9*])*$"))
    )]
    pub repository_filters: BTreeSet<String>,
}

/// The kind.
pub struct RegistryScanning;

impl Setting for RegistryScanning {
    const NAME: &'static str = "ecr.registry_scanning";
    const SCOPE: Scope = Scope::Regional;
    // To switch ECR on in Inspector makes AWS write here.
    const AFTER: &'static [&'static str] = &["inspector2.scanning"];
    const CONTROLS: Controls =
        Controls { fsbp: &["ECR.1"], well_architected: &["SEC06-BP01"], ..Controls::NONE };
    const CALLS: &'static [Use<Scanning>] = &[
        Use::read(GET),
        Use::write(PUT, everywhere),
        Use::implied("inspector2:Enable", is_enhanced, everywhere),
        Use::implied_read("inspector2:ListAccountPermissions", is_enhanced),
        Use::implied("inspector2:Disable", is_basic, everywhere),
        Use::implied("iam:CreateServiceLinkedRole", is_enhanced, own_roles),
    ];
    const MORE_EVENTS: &'static [&'static str] =
        &["inspector2.amazonaws.com:Enable", "inspector2.amazonaws.com:Disable"];
    const STRICTER: &'static [Stricter] =
        &[Stricter::Order("scan_type", &["BASIC", "ENHANCED"]), Stricter::Neither("rules")];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[ecr.registry_scanning]
scan_type = "ENHANCED"
rules     = [{ scan_frequency = "CONTINUOUS_SCAN", repository_filters = ["*"] }]
"#,
        r#"
[ecr.registry_scanning]
scan_type = "BASIC"
rules     = [{ scan_frequency = "SCAN_ON_PUSH", repository_filters = ["prod", "team/*"] }]
"#,
    ];

    type Record = Scanning;

    fn check(declared: &Scanning) -> Vec<SpecProblem> {
        let mut problems = Vec::new();
        let mut problem = |message: &str, help: &str| {
            problems.push(SpecProblem::new("rules", message, help));
        };
        let has = |frequency| often(declared, frequency);
        if has(ScanFrequency::Manual) > 0 {
            problem(
                "MANUAL is what holds for repositories that no rule fits",
                "leave that rule out",
            );
        }
        if [ScanFrequency::ScanOnPush, ScanFrequency::ContinuousScan]
            .map(has)
            .iter()
            .any(|count| *count > 1)
        {
            problem(
                "two rules have the same scan_frequency",
                "write one, with the filters of both",
            );
        }
        if declared.scan_type == Some(ScanType::Basic) && has(ScanFrequency::ContinuousScan) > 0 {
            problem(
                "only Inspector scans continuously",
                "declare scan_type = \"ENHANCED\", or scan_frequency = \"SCAN_ON_PUSH\"",
            );
        }
        problems
    }

    async fn read(cx: &Cx) -> Result<Object<Scanning>, ObserveError> {
        let request = cx.client(Client::new).get_registry_scanning_configuration();
        let answer = cx.read(GET, "", request.send()).await?;
        let said = told("scanningConfiguration", answer.scanning_configuration())?;
        let scan_type = told("scanType", said.scan_type())?;
        let rules = told("rules", said.rules.as_deref())?;
        Ok(Object::only(Some(Scanning {
            scan_type: Some(known("scanType", scan_type.as_str())?),
            rules: Some(read_rules(rules)?),
        })))
    }

    fn judge(
        change: Change<Write<Scanning>>,
        now: Option<&Scanning>,
        then: &Scanning,
    ) -> Change<Write<Scanning>> {
        if then.scan_type == Some(ScanType::Basic) && often(then, ScanFrequency::ContinuousScan) > 0
        {
            return change.withhold(
                "only Inspector scans continuously, and AWS refuses such a rule beside BASIC: declare both scan_type and rules",
            );
        }
        let before = now.and_then(|now| now.scan_type);
        let change = match (before, then.scan_type) {
            (Some(ScanType::Basic) | None, Some(ScanType::Enhanced)) => {
                change.charged("AWS charges for each image", [Charge::InspectorImage])
            }
            (Some(ScanType::Enhanced), Some(ScanType::Basic)) => {
                change.risk(Risk::Disruptive).warn(
                    "Inspector scans no image any more, and its findings about images are closed",
                )
            }
            _ => change,
        };
        match (now.map(|now| lost(now, then)).unwrap_or_default()).as_slice() {
            [] => change,
            filters => change.warn(format!(
                "no longer scanned, or less often, but for what the other filters fit: {}",
                filters.join(", ")
            )),
        }
    }

    fn call(_then: &Scanning) -> Call {
        PUT
    }

    async fn put(cx: &WriteCx, then: &Scanning) -> Result<(), WriteError> {
        let rules = then.rules.iter().flatten().map(said).collect::<Result<Vec<_>, _>>()?;
        let request = cx.client(Client::new).put_registry_scanning_configuration();
        let request = request
            .set_scan_type(then.scan_type.map(|one| one.as_str().into()))
            .set_rules(Some(rules));
        cx.send(PUT, request.send()).await
    }
}

/// How many rules have a frequency.
fn often(scanning: &Scanning, frequency: ScanFrequency) -> usize {
    scanning.rules.iter().flatten().filter(|rule| rule.scan_frequency == frequency).count()
}

fn is_enhanced(declared: &Scanning) -> bool {
    declared.scan_type != Some(ScanType::Basic)
}

fn is_basic(declared: &Scanning) -> bool {
    declared.scan_type != Some(ScanType::Enhanced)
}

/// The rules in one form: one for each frequency, and none of which no repository is.
fn read_rules(said: &[Said]) -> Result<BTreeSet<Rule>, ObserveError> {
    let mut rules: BTreeMap<ScanFrequency, BTreeSet<String>> = BTreeMap::new();
    for rule in said {
        let frequency = known("rules.scanFrequency", rule.scan_frequency().as_str())?;
        let filters = rules.entry(frequency).or_default();
        for filter in rule.repository_filters() {
            match filter.filter_type() {
                ScanningRepositoryFilterType::Wildcard => {
                    filters.insert(filter.filter().to_owned());
                }
                other => {
                    return Err(ObserveError::UnknownValue {
                        field: "rules.repositoryFilters.filterType".to_owned(),
                        value: other.as_str().to_owned(),
                    });
                }
            }
        }
    }
    let all = rules
        .into_iter()
        .filter(|(frequency, filters)| *frequency != ScanFrequency::Manual && !filters.is_empty());
    Ok(all
        .map(|(scan_frequency, repository_filters)| Rule { scan_frequency, repository_filters })
        .collect())
}

fn said(rule: &Rule) -> Result<Said, BuildError> {
    let filter = |text: &String| {
        ScanningRepositoryFilter::builder()
            .filter(text)
            .filter_type(ScanningRepositoryFilterType::Wildcard)
            .build()
    };
    let filters = rule.repository_filters.iter().map(filter).collect::<Result<Vec<_>, _>>()?;
    let said = Said::builder().scan_frequency(rule.scan_frequency.as_str().into());
    said.set_repository_filters(Some(filters)).build()
}

/// The filters of which images are scanned less often than before.
fn lost(now: &Scanning, then: &Scanning) -> Vec<String> {
    let often = |scanning: &Scanning, filter: &String| {
        let rules = scanning.rules.iter().flatten();
        rules
            .filter(|rule| rule.repository_filters.contains(filter))
            .map(|rule| rule.scan_frequency)
            .max()
    };
    let is_for_all = often(then, &"*".to_owned());
    let mut lost: Vec<String> = now
        .rules
        .iter()
        .flatten()
        .flat_map(|rule| &rule.repository_filters)
        .filter(|filter| often(then, filter).max(is_for_all) < often(now, filter))
        .cloned()
        .collect();
    lost.dedup();
    lost
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind};

    fn scanning(scan_type: &str, rules: &[(&str, &[&str])]) -> Scanning {
        let rules: Vec<_> = rules
            .iter()
            .map(|(often, filters)| json!({ "scan_frequency": often, "repository_filters": filters }))
            .collect();
        serde_json::from_value(json!({ "scan_type": scan_type, "rules": rules })).unwrap()
    }

    fn change(now: Scanning, then: &Scanning) -> Change<Write<Scanning>> {
        let facts = Facts::example(RegistryScanning::NAME);
        Whole::<RegistryScanning>::diff(&facts, then, &Object::present("", now)).remove(0)
    }

    #[test]
    fn what_is_scanned_less_is_said() {
        let all = scanning("ENHANCED", &[("CONTINUOUS_SCAN", &["*"])]);
        let pushed = change(all.clone(), &scanning("ENHANCED", &[("SCAN_ON_PUSH", &["*"])]));
        assert!(pushed.warnings[0].ends_with(": *"), "{pushed:?}");
        let basic = change(all.clone(), &scanning("BASIC", &[("SCAN_ON_PUSH", &["*"])]));
        assert_eq!((basic.risk, basic.warnings.len()), (Risk::Disruptive, 2));
        let more = change(scanning("BASIC", &[("SCAN_ON_PUSH", &["prod"])]), &all);
        assert_eq!((more.risk, more.charges.len()), (Risk::Safe, 1), "{more:?}");
        assert!(more.warnings.iter().all(|warning| !warning.contains("no longer")), "{more:?}");
    }

    #[test]
    fn what_aws_would_refuse_is_refused_before() {
        for (wrong, words) in [
            (scanning("BASIC", &[("CONTINUOUS_SCAN", &["*"])]), "only Inspector"),
            (scanning("ENHANCED", &[("MANUAL", &["*"])]), "no rule fits"),
            (
                scanning("ENHANCED", &[("SCAN_ON_PUSH", &["a"]), ("SCAN_ON_PUSH", &["b"])]),
                "the same",
            ),
        ] {
            let problems = RegistryScanning::check(&wrong);
            assert!(problems.len() == 1 && problems[0].message.contains(words), "{problems:?}");
        }
        let both =
            scanning("ENHANCED", &[("CONTINUOUS_SCAN", &["prod"]), ("SCAN_ON_PUSH", &["*"])]);
        assert!(RegistryScanning::check(&both).is_empty());
    }

    #[test]
    fn what_does_not_go_with_what_is_there_is_withheld() {
        let all = scanning("ENHANCED", &[("CONTINUOUS_SCAN", &["*"])]);
        let basic = Scanning { scan_type: Some(ScanType::Basic), rules: None };
        let rules = Scanning { scan_type: None, ..all.clone() };
        for (now, declared) in [(all, basic), (scanning("BASIC", &[]), rules)] {
            let change = change(now, &declared);
            assert!(change.withheld.is_some_and(|why| why.contains("both")), "{declared:?}");
        }
    }

    #[test]
    fn rules_have_one_form() {
        let filter = |text: &str| {
            let filter = ScanningRepositoryFilter::builder().filter(text);
            filter.filter_type(ScanningRepositoryFilterType::Wildcard).build().unwrap()
        };
        let rule = |often: &str, filters: &[&str]| {
            let filters = filters.iter().map(|text| filter(text)).collect();
            Said::builder()
                .scan_frequency(often.into())
                .set_repository_filters(Some(filters))
                .build()
                .unwrap()
        };
        let two = [
            rule("SCAN_ON_PUSH", &["b"]),
            rule("SCAN_ON_PUSH", &["a", "a"]),
            rule("MANUAL", &["*"]),
            rule("CONTINUOUS_SCAN", &[]),
        ];
        let rules = read_rules(&two).unwrap();
        assert_eq!(Some(rules), scanning("BASIC", &[("SCAN_ON_PUSH", &["a", "b"])]).rules);
        assert!(read_rules(&[rule("HOURLY", &["*"])]).is_err());
    }
}
