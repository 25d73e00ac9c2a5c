//! `config.recorder`: how every resource looked at any time.

mod apply;
mod calls;
mod channel;
mod check;
mod diff;
mod observe;
pub mod spec;

use spec::Strategy;
pub use spec::{Action, Spec, State};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::{
    Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter, Undo, Use, WriteCx,
    WriteError,
};

/// The kind.
pub struct ConfigRecorder;

impl Kind for ConfigRecorder {
    const NAME: &'static str = "config.recorder";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Singleton;
    const AFTER: &'static [&'static str] = &["s3.bucket", "kms.key", "iam.role", "sns.topic"];
    const BESIDE: &'static [&'static str] =
        &["/recorder_arn", "/declared_key", "/key_policy", "/failures", "/has_service_linked_role"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["3.3"],
        cis_v5: &["3.3"],
        fsbp: &["Config.1"],
        well_architected: &["SEC04-BP01", "SEC04-BP02"],
        by_fields: &[
            (
                &["3.3", "Config.1"],
                &[
                    "role_arn",
                    "strategy",
                    "include_global_resource_types",
                    "resource_types",
                    "recording",
                ],
            ),
            (&["3.3"], &["s3_bucket_name", "sns_topic_arn"]),
        ],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = calls::CALLS;
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[iam.role.config]
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = "config.amazonaws.com" }, Action = "sts:AssumeRole" }] }

[config.recorder]
recorder_name                 = "default"
role_arn                      = ""
strategy                      = "ALL_SUPPORTED_RESOURCE_TYPES"
include_global_resource_types = true
recording_frequency           = "CONTINUOUS"
recording_overrides           = [{ description = "Noisy", resource_types = ["AWS::EC2::NetworkInterface"], recording_frequency = "DAILY" }]
recording                     = true
delivery_channel_name         = "default"
s3_bucket_name                = "${s3.bucket.config.bucket}"
s3_key_prefix                 = ""
s3_kms_key_arn                = ""
sns_topic_arn                 = ""
snapshot_delivery_frequency   = "TwentyFour_Hours"
retention_period_in_days      = 2557
"#,
        r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[[s3.bucket.config.extra_policy_statements]]
Sid       = "AWSConfigBucketDeliveryBelowPrefix"
Effect    = "Allow"
Principal = { Service = "config.amazonaws.com" }
Action    = "s3:PutObject"
Resource  = "arn:${partition}:s3:::config-${account.id}/config/AWSLogs/${account.id}/Config/*"
Condition = { StringEquals = { "s3:x-amz-acl" = "bucket-owner-full-control", "AWS:SourceAccount" = "${account.id}" } }

[iam.role.config]
assume_role_policy = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Principal = { Service = ["config.amazonaws.com", "ec2.amazonaws.com"] }, Action = "sts:AssumeRole" }] }

[config.recorder]
role_arn                    = "arn:${partition}:iam::${account.id}:role/${iam.role.config.role_name}"
strategy                    = "EXCLUSION_BY_RESOURCE_TYPES"
resource_types              = ["AWS::IAM::User", "AWS::EC2::NetworkInterface"]
recording_frequency         = "DAILY"
recording_overrides         = []
recording                   = false
s3_bucket_name              = "${s3.bucket.config.bucket}"
s3_key_prefix               = "config"
snapshot_delivery_frequency = "Six_Hours"
retention_period_in_days    = 400
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("snapshot_delivery_frequency"),
        Stricter::On("recording"),
        Stricter::On("include_global_resource_types"),
        Stricter::Order("recording_frequency", &["DAILY", "CONTINUOUS"]),
        Stricter::Order(
            "strategy",
            &[
                "INCLUSION_BY_RESOURCE_TYPES",
                "EXCLUSION_BY_RESOURCE_TYPES",
                "ALL_SUPPORTED_RESOURCE_TYPES",
            ],
        ),
        Stricter::MoreOrNone("retention_period_in_days"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::check(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![calls::of(action)]
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

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        let recorder = state.recorder.as_ref();
        let channel = state.channel.as_ref();
        if recorder.is_none() && channel.is_none() {
            return None;
        }
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let all = recorder.is_some_and(|recorder| recorder.strategy == Strategy::All);
        Some(Spec {
            recorder_name: recorder.map(|recorder| recorder.name.clone()),
            role_arn: recorder.map(|recorder| recorder.role_arn.clone()),
            strategy: recorder.map(|recorder| recorder.strategy),
            // Outside the home Region, true cannot be declared; export says so when it tries.
            include_global_resource_types: recorder
                .filter(|_| all)
                .map(|recorder| recorder.include_global_resource_types),
            resource_types: recorder
                .filter(|_| !all)
                .map(|recorder| recorder.resource_types.clone()),
            recording_frequency: recorder.map(|recorder| recorder.recording_frequency),
            recording_overrides: recorder.map(|recorder| recorder.recording_overrides.clone()),
            recording: recorder.map(|_| state.recording),
            delivery_channel_name: channel.map(|channel| channel.name.clone()),
            s3_bucket_name: channel.and_then(|channel| channel.s3_bucket_name.clone()),
            s3_key_prefix: channel.map(|channel| text(&channel.s3_key_prefix)),
            s3_kms_key_arn: channel.map(|channel| text(&channel.s3_kms_key_arn)),
            sns_topic_arn: channel.map(|channel| text(&channel.sns_topic_arn)),
            snapshot_delivery_frequency: channel
                .and_then(|channel| channel.snapshot_delivery_frequency),
            retention_period_in_days: state.retention_period_in_days,
        })
    }

    fn as_it_was(facts: &Facts, object: &Object<State>) -> Option<Spec> {
        Some(diff::as_it_was(object.state()?, Self::export(facts, object)))
    }
}

#[cfg(test)]
mod tests;
