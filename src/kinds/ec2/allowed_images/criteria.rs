//! Criteria for images: what is declared, what AWS has, and how one becomes the other.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::{
    CreationDateConditionRequest, DeprecationTimeConditionRequest, ImageCriterion as Said,
    ImageCriterionRequest, ImageWatermarkFilterRequest, ImageWatermarkFilterResponse,
    ScanResultCondition as SaidOfScans, ScanResultConditionRequest,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::baseline::catalog::SpecProblem;
use crate::kinds::spec::aws_enum;
use crate::kinds::{ObserveError, WriteError, count, known, sendable, told};

/// How many criteria AWS takes.
const CRITERIA: usize = 10;
/// How many providers one criterion may name, and how much of everything else.
const PROVIDERS: usize = 200;
const VALUES: usize = 50;
/// The largest number of days.
const DAYS: u32 = i32::MAX.unsigned_abs();
/// Providers that are no accounts.
const WORDS: [&str; 3] = ["amazon", "aws-marketplace", "aws-backup-vault"];
/// The provider that stands for nobody but the account itself.
const NOBODY: &str = "none";

aws_enum! {
    /// How grave a finding of Amazon Inspector is.
    Severity {
        Informational = "informational",
        Low = "low",
        Medium = "medium",
        High = "high",
        Critical = "critical",
    }
}

/// One criterion: an image that meets all of its conditions is allowed.
#[serde_with::skip_serializing_none]
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Criterion {
    /// Whose images: account ids, `amazon`, `aws-marketplace`, `aws-backup-vault`; or `none` alone, for
    /// those of the account itself.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub image_providers: BTreeSet<String>,
    /// Names of images, in which `*` and `?` stand for anything.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub image_names: BTreeSet<String>,
    /// Product codes of AWS Marketplace.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub marketplace_product_codes: BTreeSet<String>,
    /// How old an image may be.
    pub creation_date_condition: Option<Created>,
    /// How long ago an image may have been deprecated.
    pub deprecation_time_condition: Option<Deprecated>,
    /// Watermarks, of which an image must have one.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub image_watermarks: BTreeSet<Watermark>,
    /// What Amazon Inspector must have found. An image that it has not scanned is not allowed.
    pub scan_result_condition: Option<Scanned>,
}

/// The age of an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Created {
    /// How many days ago it was created, at most.
    #[schemars(range(max = DAYS))]
    pub maximum_days_since_created: u32,
}

/// The time since an image was deprecated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deprecated {
    /// How many days ago it was deprecated, at most; 0 allows no deprecated image.
    #[schemars(range(max = DAYS))]
    pub maximum_days_since_deprecated: u32,
}

/// A watermark of an image: all that is said of it must hold.
#[serde_with::skip_serializing_none]
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Watermark {
    /// `accountId:name`, in which `*` and `?` stand for anything.
    pub watermark_key: Option<String>,
    /// The Region where it was made, in which `*` and `?` stand for anything.
    pub source_image_region: Option<String>,
    /// How many days ago the source image was created, at most.
    #[schemars(range(max = DAYS))]
    pub maximum_days_since_source_image_created: Option<u32>,
    /// How many days ago the watermark was attached, at most.
    #[schemars(range(max = DAYS))]
    pub maximum_days_since_watermark_created: Option<u32>,
}

/// What Amazon Inspector must have found: all that is said of it must hold.
#[serde_with::skip_serializing_none]
#[derive(
    Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields, default)]
pub struct Scanned {
    /// How many days ago the last scan was, at most.
    #[schemars(range(max = DAYS))]
    pub max_days_since_last_finding_scan: Option<u32>,
    /// The gravest finding that is allowed, whether or not there is a fix.
    pub maximum_severity_label: Option<Severity>,
    /// How many days ago a fix for an informational finding became available, at most.
    #[schemars(range(max = DAYS))]
    pub max_days_since_informational_fix_available: Option<u32>,
    /// The same of findings of low severity.
    #[schemars(range(max = DAYS))]
    pub max_days_since_low_fix_available: Option<u32>,
    /// The same of findings of medium severity.
    #[schemars(range(max = DAYS))]
    pub max_days_since_medium_fix_available: Option<u32>,
    /// The same of findings of high severity.
    #[schemars(range(max = DAYS))]
    pub max_days_since_high_fix_available: Option<u32>,
    /// The same of critical findings.
    #[schemars(range(max = DAYS))]
    pub max_days_since_critical_fix_available: Option<u32>,
}

/// What AWS would refuse of declared criteria, and what would allow every image.
pub fn problems(criteria: &[Criterion]) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    if criteria.len() > CRITERIA {
        problems.push(SpecProblem::new(
            "image_criteria",
            format!("{} criteria are more than AWS takes", criteria.len()),
            format!("keep {CRITERIA} or fewer: one criterion can name many providers and names"),
        ));
    }
    for (place, one) in criteria.iter().enumerate() {
        let at = format!("image_criteria[{place}]");
        if *one == Criterion::default() {
            problems.push(SpecProblem::new(
                at,
                "a criterion without a condition is met by every image",
                "say whose images are meant (image_providers), or take it out",
            ));
            continue;
        }
        problems.extend(of_values(&at, one));
        problems.extend(empty_conditions(&at, one));
    }
    problems
}

fn of_values(at: &str, one: &Criterion) -> Vec<SpecProblem> {
    let mut problems = Vec::new();
    let mut wrong = |field: &str, message: String, help: &str| {
        problems.push(SpecProblem::new(format!("{at}.{field}"), message, help));
    };
    let mut many = |field: &str, there: usize, limit: usize| {
        if there > limit {
            let message = format!("{there} values are more than AWS takes");
            wrong(field, message, &format!("keep {limit} or fewer"));
        }
    };
    many("image_providers", one.image_providers.len(), PROVIDERS);
    many("image_names", one.image_names.len(), VALUES);
    many("marketplace_product_codes", one.marketplace_product_codes.len(), VALUES);
    many("image_watermarks", one.image_watermarks.len(), VALUES);
    let is_account = |text: &str| text.len() == 12 && text.bytes().all(|one| one.is_ascii_digit());
    for provider in &one.image_providers {
        let is_known = WORDS.contains(&provider.as_str()) || provider == NOBODY;
        if !is_known && !is_account(provider) {
            let help = "write an account id, amazon, aws-marketplace, aws-backup-vault or none";
            wrong("image_providers", format!("{provider:?} is no provider of images"), help);
        }
    }
    if one.image_providers.contains(NOBODY) && one.image_providers.len() > 1 {
        let message = "none stands for nobody else, and AWS takes no other provider beside it";
        wrong("image_providers", message.to_owned(), "keep none, or the others");
    }
    for name in &one.image_names {
        let least = if name.contains('?') { 3 } else { 1 };
        let is_taken = |sign: char| sign.is_ascii_alphanumeric() || "()[]./-'@_*? ".contains(sign);
        if !(least..=128).contains(&name.chars().count()) || !name.chars().all(is_taken) {
            let help = "names have 1 to 128 letters, digits, spaces and ( ) [ ] . / - ' @ _ * ?, with ? at least 3";
            wrong("image_names", format!("AWS takes no name such as {name:?}"), help);
        }
    }
    for code in &one.marketplace_product_codes {
        let is_taken = code.bytes().all(|one| one.is_ascii_alphanumeric());
        if !(1..=25).contains(&code.len()) || !is_taken {
            let help = "product codes have 1 to 25 letters and digits";
            wrong("marketplace_product_codes", format!("{code:?} is no product code"), help);
        }
    }
    problems
}

/// Conditions that say nothing, and would be met by every image that has a watermark, or was scanned.
fn empty_conditions(at: &str, one: &Criterion) -> Vec<SpecProblem> {
    let says_nothing = |field: &str| {
        SpecProblem::new(
            format!("{at}.{field}"),
            "the condition says nothing",
            "say what must hold, or take it out",
        )
    };
    let watermark = one.image_watermarks.contains(&Watermark::default());
    let scanned = one.scan_result_condition == Some(Scanned::default());
    let empty = [("image_watermarks", watermark), ("scan_result_condition", scanned)];
    empty
        .into_iter()
        .filter(|(_, is_empty)| *is_empty)
        .map(|(field, _)| says_nothing(field))
        .collect()
}

/// Criteria in one order, each once: AWS takes an image that meets any of them.
pub fn sorted(criteria: &[Criterion]) -> Vec<Criterion> {
    criteria.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// The criteria of an answer.
pub fn seen(said: &[Said]) -> Result<Vec<Criterion>, ObserveError> {
    Ok(sorted(&said.iter().map(criterion).collect::<Result<Vec<_>, _>>()?))
}

fn criterion(said: &Said) -> Result<Criterion, ObserveError> {
    let set = |texts: &[String]| texts.iter().cloned().collect();
    let created = said.creation_date_condition().map(|one| {
        let days = told("MaximumDaysSinceCreated", one.maximum_days_since_created())?;
        let days = count("MaximumDaysSinceCreated", days)?;
        Ok::<_, ObserveError>(Created { maximum_days_since_created: days })
    });
    let deprecated = said.deprecation_time_condition().map(|one| {
        let days = told("MaximumDaysSinceDeprecated", one.maximum_days_since_deprecated())?;
        let days = count("MaximumDaysSinceDeprecated", days)?;
        Ok::<_, ObserveError>(Deprecated { maximum_days_since_deprecated: days })
    });
    Ok(Criterion {
        image_providers: set(said.image_providers()),
        image_names: set(said.image_names()),
        marketplace_product_codes: set(said.marketplace_product_codes()),
        creation_date_condition: created.transpose()?,
        deprecation_time_condition: deprecated.transpose()?,
        image_watermarks: said
            .image_watermarks()
            .iter()
            .map(watermark)
            .collect::<Result<_, _>>()?,
        scan_result_condition: said.scan_result_condition().map(scanned).transpose()?,
    })
}

fn days(field: &str, days: Option<i32>) -> Result<Option<u32>, ObserveError> {
    days.map(|days| count(field, days)).transpose()
}

fn watermark(said: &ImageWatermarkFilterResponse) -> Result<Watermark, ObserveError> {
    Ok(Watermark {
        watermark_key: said.watermark_key().map(str::to_owned),
        source_image_region: said.source_image_region().map(str::to_owned),
        maximum_days_since_source_image_created: days(
            "MaximumDaysSinceSourceImageCreated",
            said.maximum_days_since_source_image_created(),
        )?,
        maximum_days_since_watermark_created: days(
            "MaximumDaysSinceWatermarkCreated",
            said.maximum_days_since_watermark_created(),
        )?,
    })
}

fn scanned(said: &SaidOfScans) -> Result<Scanned, ObserveError> {
    let severity = said.maximum_severity_label();
    let severity = severity.map(|label| known("MaximumSeverityLabel", label.as_str()));
    let fix = |of: &str, given| days(&format!("MaxDaysSince{of}FixAvailable"), given);
    Ok(Scanned {
        max_days_since_last_finding_scan: days(
            "MaxDaysSinceLastFindingScan",
            said.max_days_since_last_finding_scan(),
        )?,
        maximum_severity_label: severity.transpose()?,
        max_days_since_informational_fix_available: fix(
            "Informational",
            said.max_days_since_informational_fix_available(),
        )?,
        max_days_since_low_fix_available: fix("Low", said.max_days_since_low_fix_available())?,
        max_days_since_medium_fix_available: fix(
            "Medium",
            said.max_days_since_medium_fix_available(),
        )?,
        max_days_since_high_fix_available: fix("High", said.max_days_since_high_fix_available())?,
        max_days_since_critical_fix_available: fix(
            "Critical",
            said.max_days_since_critical_fix_available(),
        )?,
    })
}

/// Criteria as a request has them.
pub fn requested(criteria: &[Criterion]) -> Result<Vec<ImageCriterionRequest>, WriteError> {
    criteria.iter().map(request).collect()
}

fn request(one: &Criterion) -> Result<ImageCriterionRequest, WriteError> {
    let list = |set: &BTreeSet<String>| {
        (!set.is_empty()).then(|| set.iter().cloned().collect::<Vec<String>>())
    };
    let created = one.creation_date_condition.as_ref().map(|condition| {
        let days = sendable("maximum_days_since_created", condition.maximum_days_since_created)?;
        let condition = CreationDateConditionRequest::builder().maximum_days_since_created(days);
        Ok::<_, WriteError>(condition.build())
    });
    let deprecated = one.deprecation_time_condition.as_ref().map(|condition| {
        let days =
            sendable("maximum_days_since_deprecated", condition.maximum_days_since_deprecated)?;
        let condition =
            DeprecationTimeConditionRequest::builder().maximum_days_since_deprecated(days);
        Ok::<_, WriteError>(condition.build())
    });
    let watermarks: Vec<_> =
        one.image_watermarks.iter().map(watermark_request).collect::<Result<_, _>>()?;
    Ok(ImageCriterionRequest::builder()
        .set_image_providers(list(&one.image_providers))
        .set_image_names(list(&one.image_names))
        .set_marketplace_product_codes(list(&one.marketplace_product_codes))
        .set_creation_date_condition(created.transpose()?)
        .set_deprecation_time_condition(deprecated.transpose()?)
        .set_image_watermarks((!watermarks.is_empty()).then_some(watermarks))
        .set_scan_result_condition(
            one.scan_result_condition.as_ref().map(scan_request).transpose()?,
        )
        .build())
}

fn sent(field: &str, days: Option<u32>) -> Result<Option<i32>, WriteError> {
    days.map(|days| sendable(field, days)).transpose()
}

fn watermark_request(one: &Watermark) -> Result<ImageWatermarkFilterRequest, WriteError> {
    Ok(ImageWatermarkFilterRequest::builder()
        .set_watermark_key(one.watermark_key.clone())
        .set_source_image_region(one.source_image_region.clone())
        .set_maximum_days_since_source_image_created(sent(
            "maximum_days_since_source_image_created",
            one.maximum_days_since_source_image_created,
        )?)
        .set_maximum_days_since_watermark_created(sent(
            "maximum_days_since_watermark_created",
            one.maximum_days_since_watermark_created,
        )?)
        .build())
}

fn scan_request(one: &Scanned) -> Result<ScanResultConditionRequest, WriteError> {
    let fix = |of: &str, days| sent(&format!("max_days_since_{of}_fix_available"), days);
    Ok(ScanResultConditionRequest::builder()
        .set_max_days_since_last_finding_scan(sent(
            "max_days_since_last_finding_scan",
            one.max_days_since_last_finding_scan,
        )?)
        .set_maximum_severity_label(one.maximum_severity_label.map(|label| label.as_str().into()))
        .set_max_days_since_informational_fix_available(fix(
            "informational",
            one.max_days_since_informational_fix_available,
        )?)
        .set_max_days_since_low_fix_available(fix("low", one.max_days_since_low_fix_available)?)
        .set_max_days_since_medium_fix_available(fix(
            "medium",
            one.max_days_since_medium_fix_available,
        )?)
        .set_max_days_since_high_fix_available(fix("high", one.max_days_since_high_fix_available)?)
        .set_max_days_since_critical_fix_available(fix(
            "critical",
            one.max_days_since_critical_fix_available,
        )?)
        .build())
}
