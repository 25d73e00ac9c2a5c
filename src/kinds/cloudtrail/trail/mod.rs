//! `cloudtrail.trail`: who did what, recorded and kept.

mod apply;
mod arn;
mod calls;
mod check;
mod coverage;
pub mod delivery;
mod diff;
mod key;
mod observe;
pub mod selectors;
mod settings;
pub mod spec;

use std::collections::BTreeSet;

use serde_json::Value;
use spec::{Action, Spec, State};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Claim, Controls, Cx, Facts, Found, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError,
};
use crate::names::Region;
use selectors::Selectors;

/// The kind.
pub struct Trail;

impl Kind for Trail {
    const NAME: &'static str = "cloudtrail.trail";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Named { field: "name", prefix: "" };
    const REGION: Option<&'static str> = Some("home_region");
    const NOT_STATE: &'static [&'static str] = &["name"];
    const AFTER: &'static [&'static str] =
        &["s3.bucket", "kms.key", "iam.role", "logs.log_group", "sns.topic"];
    const BESIDE: &'static [&'static str] =
        &["/declared_key", "/key_policy", "/delivery_errors", "/namesakes"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["3.1", "3.2", "3.5", "3.8", "3.9"],
        cis_v5: &["3.1", "3.2", "3.5", "3.8", "3.9"],
        fsbp: &["CloudTrail.1", "CloudTrail.2", "CloudTrail.4", "CloudTrail.5"],
        security_hub: &["CloudTrail.3", "CloudTrail.9", "S3.22", "S3.23"],
        well_architected: &["SEC04-BP01", "SEC04-BP02", "SEC08-BP02"],
        by_fields: &[
            (
                &["3.1", "CloudTrail.1"],
                &[
                    "is_multi_region_trail",
                    "is_logging",
                    "event_selectors",
                    "advanced_event_selectors",
                    "record_all_management_events",
                    "forbid_excluded_sources",
                ],
            ),
            (&["3.2", "CloudTrail.4"], &["enable_log_file_validation"]),
            (&["3.5", "CloudTrail.2"], &["kms_key_id"]),
            (&["CloudTrail.3"], &["is_logging"]),
            (&["CloudTrail.5"], &["cloud_watch_logs_log_group_arn"]),
            (&["CloudTrail.9"], &["tags"]),
            (
                &["3.8", "3.9", "S3.22", "S3.23"],
                &[
                    "is_multi_region_trail",
                    "is_logging",
                    "event_selectors",
                    "advanced_event_selectors",
                ],
            ),
        ],
    };
    const CALLS: &'static [Use<Spec>] = calls::CALLS;
    const MORE_EVENTS: &'static [&'static str] = &["cloudtrail.amazonaws.com:DeleteTrail"];
    const GIVEN: &'static [(&'static str, &'static str)] = &[
        ("is_multi_region_trail", "false"),
        ("include_global_service_events", "true"),
        ("is_organization_trail", "false"),
        ("enable_log_file_validation", "false"),
        ("kms_key_id", r#""""#),
        ("cloud_watch_logs_log_group_arn", r#""""#),
        ("sns_topic_name", r#""""#),
        ("is_logging", "false"),
        ("insight_selectors", "[]"),
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.bucket.trail]
bucket   = "trail-${account.id}"
services = ["cloudtrail"]

[kms.key.trail]
service_principals = ["cloudtrail.amazonaws.com"]

[cloudtrail.trail.audit]
name                           = "audit"
s3_bucket_name                 = "${s3.bucket.trail.bucket}"
s3_key_prefix                  = ""
is_multi_region_trail          = true
include_global_service_events  = true
is_organization_trail          = false
enable_log_file_validation     = true
kms_key_id                     = "${kms.key.trail.alias}"
cloud_watch_logs_log_group_arn = ""
cloud_watch_logs_role_arn      = ""
sns_topic_name                 = ""
is_logging                     = true
recursive_logging              = true
event_selectors                = []
insight_selectors              = [{ insight_type = "ApiCallRateInsight" }, { insight_type = "ApiErrorRateInsight" }]
event_aggregation              = []
record_all_management_events   = true
forbid_excluded_sources        = true
tags                           = { team = "security", purpose = "audit" }
"#,
        r#"
[s3.bucket.trail]
bucket   = "trail-${account.id}"
services = ["cloudtrail"]

[[s3.bucket.trail.extra_policy_statements]]
Sid       = "AWSCloudTrailWriteBelowPrefix"
Effect    = "Allow"
Principal = { Service = "cloudtrail.amazonaws.com" }
Action    = "s3:PutObject"
Resource  = "arn:${partition}:s3:::trail-${account.id}/trails/AWSLogs/${account.id}/*"

[s3.bucket.trail.extra_policy_statements.Condition]
StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control" }
ArnLike      = { "aws:SourceArn" = "arn:${partition}:cloudtrail:*:${account.id}:trail/*" }

[kms.key.trail]
service_principals = ["cloudtrail.amazonaws.com", "s3.amazonaws.com"]

[cloudtrail.trail.audit]
s3_bucket_name                 = "${s3.bucket.trail.bucket}"
s3_key_prefix                  = "trails"
is_multi_region_trail          = false
include_global_service_events  = false
is_organization_trail          = false
enable_log_file_validation     = false
kms_key_id                     = ""
is_logging                     = false
recursive_logging              = false
insight_selectors              = []
event_aggregation              = ["API_ACTIVITY"]
tags                           = { team = "platform" }

[[cloudtrail.trail.audit.advanced_event_selectors]]
name            = "Management events"
field_selectors = [{ field = "eventCategory", equals = ["Management"] }]

[[cloudtrail.trail.audit.advanced_event_selectors]]
name            = "Writes to S3"
field_selectors = [
    { field = "eventCategory", equals = ["Data"] },
    { field = "resources.type", equals = ["AWS::S3::Object"] },
    { field = "readOnly", equals = ["false"] },
    { field = "eventName", not_equals = ["PutObjectAcl"], ends_with = ["Object"], not_ends_with = ["LegalHold"] },
    { field = "resources.ARN", starts_with = ["arn:aws:s3:::data-"], not_starts_with = ["arn:aws:s3:::data-tmp"] },
]
"#,
        r#"
[s3.bucket.trail]
bucket   = "trail-${account.id}"
services = ["cloudtrail"]

[cloudtrail.trail.audit]
home_region                   = "eu-west-1"
s3_bucket_name                = "${s3.bucket.trail.bucket}"
include_global_service_events = true
is_multi_region_trail         = true
insight_selectors             = [{ insight_type = "ApiCallRateInsight", event_categories = ["Management"] }]

[[cloudtrail.trail.audit.event_selectors]]
read_write_type                  = "WriteOnly"
include_management_events        = true
exclude_management_event_sources = ["kms.amazonaws.com"]
data_resources                   = [{ type = "AWS::S3::Object", values = ["arn:aws:s3"] }]
"#,
    ];

    const CLAIMS: &'static [&'static str] = &["trail"];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("forbid_excluded_sources"),
        Stricter::Neither("record_all_management_events"),
        Stricter::Neither("recursive_logging"),
        Stricter::On("is_logging"),
        Stricter::On("is_multi_region_trail"),
        Stricter::On("is_organization_trail"),
        Stricter::On("include_global_service_events"),
        Stricter::On("enable_log_file_validation"),
        Stricter::Set("kms_key_id"),
        Stricter::Set("cloud_watch_logs_log_group_arn"),
        Stricter::Set("sns_topic_name"),
        Stricter::Set("insight_selectors"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::check(spec)
    }

    // A Region has one trail of a name, and each Region may have one of the same.
    fn governs(spec: &Value, home: Option<&Region>) -> Option<String> {
        let name = spec.get("name")?.as_str()?;
        let declared = spec.get("home_region").and_then(Value::as_str);
        Some(match declared.or(home.map(Region::as_str)) {
            Some(region) => format!("{name} at home in {region}"),
            None => name.to_owned(),
        })
    }

    // What is at home elsewhere, or the organization's, is not the declared one.
    fn claims(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Claim> {
        let Some(arn) = object.state().and_then(|state| arn::TrailArn::parse(&state.arn)) else {
            return Vec::new();
        };
        let is_it = arn.account == facts.account.as_str()
            && arn.region == observe::declared_region(facts, spec).as_str();
        is_it.then(|| Claim::whole(format!("the trail {}", arn.text))).into_iter().collect()
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![calls::of(&action.step)]
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        observe::observe(cx, spec).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        diff::diff(facts, spec, object)
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        diff::undo(action, before)
    }

    async fn find_all(cx: &Cx, regions: &BTreeSet<Region>) -> Result<Vec<Found>, ObserveError> {
        observe::find_all(cx, regions).await
    }

    fn export(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let arn = arn::TrailArn::parse(&state.arn)?;
        if arn.account != facts.account.as_str() {
            return None;
        }
        let settings = &state.settings;
        let text = |text: &Option<String>| Some(text.clone().unwrap_or_default());
        let (event_selectors, advanced_event_selectors) = match &state.selectors {
            Some(Selectors::Basic(list)) => (Some(list.clone()), None),
            Some(Selectors::Advanced(list)) => (None, Some(list.clone())),
            None => (None, None),
        };
        Some(Spec {
            name: object.id.clone(),
            home_region: Some(arn.region.to_owned()),
            s3_bucket_name: settings.s3_bucket_name.clone(),
            s3_key_prefix: text(&settings.s3_key_prefix),
            is_multi_region_trail: settings.is_multi_region_trail,
            include_global_service_events: settings.include_global_service_events,
            is_organization_trail: settings.is_organization_trail,
            enable_log_file_validation: settings.enable_log_file_validation,
            kms_key_id: text(&settings.kms_key_id),
            cloud_watch_logs_log_group_arn: text(&settings.cloud_watch_logs_log_group_arn),
            cloud_watch_logs_role_arn: text(&settings.cloud_watch_logs_role_arn),
            sns_topic_name: text(&settings.sns_topic_name),
            is_logging: Some(state.is_logging),
            recursive_logging: settings.recursive_logging,
            event_selectors,
            advanced_event_selectors,
            insight_selectors: state.insight_selectors.clone(),
            event_aggregation: state.event_aggregation.clone(),
            tags: state.tags.clone(),
            record_all_management_events: None,
            forbid_excluded_sources: None,
        })
    }
}

#[cfg(test)]
mod tests;
