//! What is declared of Inspector's scanning.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::spec::aws_enum;

/// Amazon Inspector in a Region: what is scanned for known vulnerabilities, how, and how long.
///
/// What is declared is scanned; other types are left alone, unless `exclusive` says that they are not to be. Inspector
/// that scans nothing is off. Turning a type off loses its findings. While Inspector is turning a type on or off the
/// object is unknown, and not in sync.
///
/// In a member of the organization's delegated administrator, that account decides: evenkeel compares and reports, names
/// it, and writes nothing. `auto_enable_members` is for the delegated administrator itself. In a Region that Inspector is
/// known not to be offered in, and where nobody answers, there is nothing to declare, and the object is left out.
///
/// Source: Inspector API Reference, `Enable`, `Disable`, `BatchGetAccountStatus`, `UpdateConfiguration`,
/// `UpdateEc2DeepInspectionConfiguration`, `CreateCisScanConfiguration`, `UpdateOrganizationConfiguration`; Inspector
/// User Guide, "Understanding the delegated administrator account and member account".
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What must be scanned: `EC2`, `ECR`, `LAMBDA`, `LAMBDA_CODE` (which needs `LAMBDA`), `CODE_REPOSITORY`. `[]` for
    /// nothing. A type that the Region lacks is reported.
    pub resource_types: BTreeSet<ResourceType>,
    /// Whether nothing else is to be scanned: other types are turned off, and their findings are lost. False, if not
    /// said.
    pub exclusive: Option<bool>,
    /// For how long after it was pushed an image is scanned again when something new is known: `LIFETIME`, `DAYS_3`,
    /// `DAYS_7`, `DAYS_14`, `DAYS_30`, `DAYS_60`, `DAYS_90` or `DAYS_180`. AWS's default is `DAYS_14`.
    pub ecr_rescan_duration: Option<RescanDuration>,
    /// For how long after it was last used or pulled: as above, without `LIFETIME`. AWS's default is `DAYS_14`.
    pub ecr_pull_date_rescan_duration: Option<PullDateRescanDuration>,
    /// From when on that is counted: `LAST_PULL_DATE`, or `LAST_IN_USE_AT`, when it last ran. AWS's default is
    /// `LAST_IN_USE_AT`.
    pub ecr_pull_date_rescan_mode: Option<PullDateRescanMode>,
    /// Which instances are scanned: those with an agent of Systems Manager (`EC2_SSM_AGENT_BASED`), or others too, by
    /// snapshots of their volumes (`EC2_HYBRID`). AWS's default is `EC2_HYBRID`.
    pub ec2_scan_mode: Option<ScanMode>,
    /// Whether packages of programming languages on instances are looked at, too. AWS's default is true.
    pub deep_inspection: Option<bool>,
    /// Folders that such packages are in, besides those that Inspector looks into by itself: 5 at most. AWS's default
    /// is [].
    #[schemars(length(max = 5))]
    pub package_paths: Option<BTreeSet<String>>,
    /// Scans against the benchmarks of CIS that must be there, by name. Others are left alone.
    pub cis_scans: Option<BTreeMap<String, CisScan>>,
    /// Whether it is a finding when a rule suppresses findings by itself, so that nobody sees them.
    pub forbid_suppression_rules: Option<bool>,
    /// What is scanned in new members by itself; for the organization's delegated administrator. AWS's default is [].
    pub auto_enable_members: Option<BTreeSet<ResourceType>>,
}

aws_enum! {
    /// What can be scanned.
    ResourceType {
        Ec2 = "EC2",
        Ecr = "ECR",
        Lambda = "LAMBDA",
        LambdaCode = "LAMBDA_CODE",
        CodeRepository = "CODE_REPOSITORY",
    }
}

aws_enum! {
    /// For how long an image is scanned again.
    RescanDuration {
        Lifetime = "LIFETIME",
        Days3 = "DAYS_3",
        Days7 = "DAYS_7",
        Days14 = "DAYS_14",
        Days30 = "DAYS_30",
        Days60 = "DAYS_60",
        Days90 = "DAYS_90",
        Days180 = "DAYS_180",
    }
}

aws_enum! {
    /// For how long after its last use an image is scanned again.
    PullDateRescanDuration {
        Days3 = "DAYS_3",
        Days7 = "DAYS_7",
        Days14 = "DAYS_14",
        Days30 = "DAYS_30",
        Days60 = "DAYS_60",
        Days90 = "DAYS_90",
        Days180 = "DAYS_180",
    }
}

aws_enum! {
    /// From when on that is counted.
    PullDateRescanMode {
        LastPullDate = "LAST_PULL_DATE",
        LastInUseAt = "LAST_IN_USE_AT",
    }
}

aws_enum! {
    /// Which instances are scanned.
    ScanMode {
        AgentBased = "EC2_SSM_AGENT_BASED",
        Hybrid = "EC2_HYBRID",
    }
}

aws_enum! {
    /// How strict a benchmark is.
    Level {
        One = "LEVEL_1",
        Two = "LEVEL_2",
    }
}

aws_enum! {
    /// A day of the week.
    Weekday {
        Monday = "MON",
        Tuesday = "TUE",
        Wednesday = "WED",
        Thursday = "THU",
        Friday = "FRI",
        Saturday = "SAT",
        Sunday = "SUN",
    }
}

/// A scan against the benchmarks of CIS, of the instances of the account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CisScan {
    /// How strict: `LEVEL_1`, or `LEVEL_2` with all of it.
    pub security_level: Level,
    /// When.
    pub schedule: Schedule,
    /// Which instances, by their tags: for each key, one of these values.
    #[schemars(length(min = 1, max = 5))]
    pub target_resource_tags: BTreeMap<String, BTreeSet<String>>,
}

/// When a scan is made: one of the three.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// Every day.
    pub daily: Option<Daily>,
    /// On some days of every week.
    pub weekly: Option<Weekly>,
    /// On the first such day of every month.
    pub monthly: Option<Monthly>,
}

/// Every day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// From when on.
    pub start_time: StartTime,
}

/// On some days of every week.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Weekly {
    /// From when on.
    pub start_time: StartTime,
    /// On which days.
    #[schemars(length(min = 1))]
    pub days: BTreeSet<Weekday>,
}

/// On one day of every month.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Monthly {
    /// From when on.
    pub start_time: StartTime,
    /// On the first of which day.
    pub day: Weekday,
}

/// A time of day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StartTime {
    /// `03:00`.
    #[schemars(regex(pattern = r"^([0-1][0-9]|2[0-3]):[0-5][0-9]$"))]
    pub time_of_day: String,
    /// `UTC`, `Europe/Berlin`.
    #[schemars(length(min = 1, max = 50))]
    pub timezone: String,
}

pub const SAMPLES: [&str; 3] = [
    r#"
[inspector2.scanning]
resource_types                = ["EC2", "ECR", "LAMBDA", "LAMBDA_CODE"]
exclusive                     = true
ecr_rescan_duration           = "DAYS_30"
ecr_pull_date_rescan_duration = "DAYS_90"
ecr_pull_date_rescan_mode     = "LAST_PULL_DATE"
ec2_scan_mode                 = "EC2_SSM_AGENT_BASED"
deep_inspection               = true
package_paths                 = ["/opt/app", "/srv/app"]
forbid_suppression_rules      = true

[inspector2.scanning.cis_scans.monthly]
security_level       = "LEVEL_1"
schedule             = { monthly = { start_time = { time_of_day = "03:00", timezone = "UTC" }, day = "SUN" } }
target_resource_tags = { cis = ["yes"] }
"#,
    r#"
[inspector2.scanning]
resource_types                = ["ECR", "CODE_REPOSITORY"]
exclusive                     = true
ecr_rescan_duration           = "LIFETIME"
ecr_pull_date_rescan_duration = "DAYS_14"
ecr_pull_date_rescan_mode     = "LAST_IN_USE_AT"
ec2_scan_mode                 = "EC2_HYBRID"
deep_inspection               = false
package_paths                 = []
forbid_suppression_rules      = false

[inspector2.scanning.cis_scans.monthly]
security_level       = "LEVEL_2"
schedule             = { weekly = { start_time = { time_of_day = "22:30", timezone = "Europe/Berlin" }, days = ["SAT", "SUN"] } }
target_resource_tags = { cis = ["yes", "always"], stage = ["production"] }

[inspector2.scanning.cis_scans.daily]
security_level       = "LEVEL_1"
schedule             = { daily = { start_time = { time_of_day = "04:00", timezone = "UTC" } } }
target_resource_tags = { stage = ["production"] }
"#,
    r#"
[inspector2.scanning]
resource_types = []
exclusive      = true
"#,
];

/// What Inspector would refuse, or what says nothing.
pub fn check(spec: &Spec) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let lists = [
        ("resource_types", Some(&spec.resource_types)),
        ("auto_enable_members", spec.auto_enable_members.as_ref()),
    ];
    for (field, types) in lists {
        let has = |one| types.is_some_and(|types| types.contains(&one));
        if has(ResourceType::LambdaCode) && !has(ResourceType::Lambda) {
            problems.push(SpecProblem::new(
                field,
                "LAMBDA_CODE is scanned only together with LAMBDA",
                "add LAMBDA",
            ));
        }
    }
    if spec.resource_types.is_empty() {
        problems.extend(off(spec));
    }
    for (name, scan) in spec.cis_scans.iter().flatten() {
        let field = format!("cis_scans.{name}");
        if name.is_empty() || name.chars().count() > 128 {
            problems.push(SpecProblem::new(&field, "a name has 1 to 128 characters", "shorten it"));
        }
        let Schedule { daily, weekly, monthly } = &scan.schedule;
        let count = [daily.is_some(), weekly.is_some(), monthly.is_some()];
        if count.iter().filter(|is_said| **is_said).count() != 1 {
            problems.push(SpecProblem::new(
                format!("{field}.schedule"),
                "a scan is made daily, weekly or monthly",
                "declare one of the three",
            ));
        }
        if scan.target_resource_tags.values().any(BTreeSet::is_empty) {
            problems.push(SpecProblem::new(
                format!("{field}.target_resource_tags"),
                "a key without a value is no tag",
                "name its values",
            ));
        }
    }
    problems
}

/// Inspector that is off has no settings; whether it is to be off, is to be said.
fn off(spec: &Spec) -> Vec<SpecProblem> {
    if spec.exclusive != Some(true) {
        let message = "nothing must be scanned, and anything may be: that says nothing";
        return vec![SpecProblem::new(
            "resource_types",
            message,
            "name what is to be scanned, or declare exclusive = true for nothing",
        )];
    }
    let declared = [
        ("ecr_rescan_duration", spec.ecr_rescan_duration.is_some()),
        ("ecr_pull_date_rescan_duration", spec.ecr_pull_date_rescan_duration.is_some()),
        ("ecr_pull_date_rescan_mode", spec.ecr_pull_date_rescan_mode.is_some()),
        ("ec2_scan_mode", spec.ec2_scan_mode.is_some()),
        ("deep_inspection", spec.deep_inspection.is_some()),
        ("package_paths", spec.package_paths.is_some()),
        ("cis_scans", spec.cis_scans.is_some()),
        ("auto_enable_members", spec.auto_enable_members.is_some()),
        ("forbid_suppression_rules", spec.forbid_suppression_rules.is_some()),
    ];
    let declared = declared.into_iter().filter(|(_, is_declared)| *is_declared);
    let problem = |(field, _)| {
        let message = "Inspector that scans nothing has none";
        SpecProblem::new(field, message, "leave it out, or name what is to be scanned")
    };
    declared.map(problem).collect()
}
