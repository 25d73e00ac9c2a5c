//! `ec2.flow_logs`: a record of the traffic of every VPC.

mod apply;
mod check;
mod diff;
mod observe;
pub mod spec;

use std::collections::BTreeSet;

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::ec2::vpcs::{self, VPCS};
use crate::kinds::shapes::sweep;
use crate::kinds::{
    Allowed, Arns, Change, Controls, Cx, Facts, Kind, Object, ObserveError, Scope, Stricter, Undo,
    Use, WriteCx, WriteError,
};
use apply::{CREATE, DELETE};
use observe::FLOW_LOGS;
use spec::{Action, FlowLog, LogDestinationType, Spec, State, Step};

/// The services as principals.
const SERVICE: &str = "vpc-flow-logs.amazonaws.com";
const DELIVERY: &str = "delivery.logs.amazonaws.com";

/// The kind.
pub struct FlowLogs;

impl Kind for FlowLogs {
    const NAME: &'static str = "ec2.flow_logs";
    const SCOPE: Scope = Scope::Regional;
    const IDENTITY: Identity = Identity::Sweep;
    const NOT_STATE: &'static [&'static str] = &["exclude"];
    // AWS gives an id anew to each that is made again as it was.
    const BESIDE: &'static [&'static str] = &["/flow_logs/*/flow_log_id", "/flow_logs/*/problem"];
    const AFTER: &'static [&'static str] = &["iam.role", "s3.bucket", "logs.log_group"];
    const IN_REGION: &'static [&'static str] = &["log_destination"];
    const CONTROLS: Controls = Controls {
        cis_v3: &["3.7"],
        cis_v5: &["3.7"],
        fsbp: &["EC2.6"],
        well_architected: &["SEC04-BP01", "SEC05-BP04"],
        ..Controls::NONE
    };
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(VPCS),
        Use::read(FLOW_LOGS),
        Use::write(CREATE, made),
        Use::write(DELETE, flow_logs),
        // Of a flow log that is made anew, the tags are kept.
        Use::implied("ec2:CreateTags", always, |spec, arns| {
            let of = |one: Allowed| {
                one.when("StringEquals", "ec2:CreateAction", [CREATE.operation.to_owned()])
            };
            flow_logs(spec, arns).into_iter().map(of).collect()
        }),
        Use::implied("iam:PassRole", |spec| spec.deliver_logs_permission_arn.is_some(), passed),
        Use::implied("logs:CreateLogDelivery", is_delivered, everywhere),
        Use::implied(
            "logs:DeleteLogDelivery",
            |spec| is_delivered(spec) || spec.exclusive == Some(true),
            everywhere,
        ),
        Use::implied("firehose:TagDeliveryStream", to_a_stream, |spec, arns| {
            Allowed::on([stream(spec, arns)]).into()
        }),
        Use::implied("iam:CreateServiceLinkedRole", to_a_stream, |_, arns| {
            Allowed::on([arns.service_linked_role(DELIVERY, "AWSServiceRoleForLogDelivery")])
                .when("StringEquals", "iam:AWSServiceName", [DELIVERY.to_owned()])
                .into()
        }),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "ec2.amazonaws.com:CreateVpc",
        "ec2.amazonaws.com:CreateDefaultVpc",
        "ec2.amazonaws.com:DeleteVpc",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[s3.bucket.flow-logs]
bucket   = "flow-logs-${account.id}"
services = ["vpc_flow_logs"]

[ec2.flow_logs]
traffic_type               = "ALL"
log_destination            = "arn:${partition}:s3:::${s3.bucket.flow-logs.bucket}/vpc"
log_destination_type       = "s3"
max_aggregation_interval   = 60
log_format                 = ["version", "account-id", "vpc-id", "subnet-id", "instance-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "tcp-flags", "packets", "bytes", "start", "end", "action", "log-status", "flow-direction", "traffic-path"]
file_format                = "parquet"
hive_compatible_partitions = false
per_hour_partition         = true
exclusive                  = true
exclude                    = [{ vpc_tags = { "flow-logs" = "none" } }, { vpc_ids = ["vpc-0abc"] }, { accounts = ["444455556666"] }]
"#,
        r#"
[s3.bucket.flow-logs]
bucket   = "flow-logs-${account.id}"
services = ["vpc_flow_logs"]

[ec2.flow_logs]
traffic_type               = "REJECT"
log_destination            = "arn:${partition}:s3:::${s3.bucket.flow-logs.bucket}/vpc/"
max_aggregation_interval   = 600
log_format                 = ["version", "vpc-id", "srcaddr", "dstaddr", "action"]
file_format                = "plain-text"
hive_compatible_partitions = true
per_hour_partition         = false
exclusive                  = false
"#,
        r#"
[logs.log_group.flow-logs]
log_group_name    = "/vpc/flow-logs"
retention_in_days = 400

[iam.role.flow-logs]
role_name = "flow-logs"

[iam.role.flow-logs.assume_role_policy]
Version   = "2012-10-17"
Statement = [{ Effect = "Allow", Principal = { Service = "vpc-flow-logs.amazonaws.com" }, Action = "sts:AssumeRole" }]

[ec2.flow_logs]
traffic_type                = "ACCEPT"
log_destination             = "arn:${partition}:logs:${region}:${account.id}:log-group:${logs.log_group.flow-logs.log_group_name}"
log_destination_type        = "cloud-watch-logs"
deliver_logs_permission_arn = "arn:${partition}:iam::${account.id}:role/${iam.role.flow-logs.role_name}"
"#,
    ];

    const STRICTER: &'static [Stricter] = &[
        Stricter::Order("traffic_type", &["ACCEPT", "REJECT", "ALL"]),
        Stricter::Neither("log_destination_type"),
        Stricter::Less("max_aggregation_interval"),
        Stricter::Neither("file_format"),
        Stricter::Neither("hive_compatible_partitions"),
        Stricter::Neither("per_hour_partition"),
        Stricter::Neither("exclusive"),
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        check::problems(spec)
    }

    fn calls(action: &Action) -> Vec<Call> {
        match &action.step {
            Step::Create(_) => vec![CREATE, FLOW_LOGS],
            Step::Delete(_) => vec![DELETE, FLOW_LOGS],
        }
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        sweep::observe::<Self>(cx, spec).await
    }

    async fn observe_one(
        cx: &Cx,
        spec: &Spec,
        id: &str,
    ) -> Result<Option<Object<State>>, ObserveError> {
        sweep::observe_one::<Self>(cx, spec, id).await
    }

    fn diff(facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        diff::changes(facts, spec, &object.id, state)
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        apply::apply(cx, action).await
    }

    // Once the wrong flow log has gone, nothing is left to take what is not declared from: the planned one
    // still does what is needed.
    fn is_same_write(planned: &Action, now: &Action) -> bool {
        let (Step::Create(new), Step::Create(needed)) = (&planned.step, &now.step) else {
            return false;
        };
        let has_tags = needed.tags.iter().all(|(key, value)| new.tags.get(key) == Some(value));
        planned.vpc_id == now.vpc_id
            && has_tags
            && needed.settings.drift(&new.settings.whole()).is_empty()
    }

    fn undo(action: &Action, before: &Object<State>) -> Undo<Action> {
        let act = |step| Action { step, ..action.clone() };
        let there = before.state().map_or(&[][..], |state| &state.flow_logs);
        match &action.step {
            Step::Create(new) => Undo::By(vec![act(Step::Delete(vec![new.clone()]))]),
            Step::Delete(flow_logs) => {
                // What goes is what is there, whatever somebody has made of it.
                let goes: Vec<FlowLog> =
                    flow_logs.iter().flat_map(|one| one.those(there)).collect();
                match goes.iter().find(|one| !one.unknown.is_empty()) {
                    Some(lossy) => Undo::Impossible(format!(
                        "{} had {}, which evenkeel does not know",
                        lossy.words(),
                        lossy.unknown.join(", ")
                    )),
                    None => {
                        Undo::By(goes.iter().map(|one| act(Step::Create(one.again()))).collect())
                    }
                }
            }
        }
    }

    // A declaration tells of one.
    fn is_told_whole(object: &Object<State>) -> bool {
        object.state().is_none_or(|state| state.flow_logs.len() < 2)
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        // One that does not deliver would be declared in vain.
        let works = object.state()?.flow_logs.iter().find(|one| one.problem.is_none())?;
        let settings = works.settings.clone();
        Some(Spec {
            traffic_type: settings.traffic_type,
            log_destination: settings.log_destination,
            log_destination_type: settings.log_destination_type,
            deliver_logs_permission_arn: settings.deliver_logs_permission_arn,
            max_aggregation_interval: settings.max_aggregation_interval,
            log_format: settings.log_format,
            file_format: settings.file_format,
            hive_compatible_partitions: settings.hive_compatible_partitions,
            per_hour_partition: settings.per_hour_partition,
            exclusive: None,
            exclude: None,
        })
    }
}

fn always(_spec: &Spec) -> bool {
    true
}

/// Whether records go by a delivery of CloudWatch Logs, which is made and deleted with the flow log.
fn is_delivered(spec: &Spec) -> bool {
    LogDestinationType::of(&spec.log_destination) != Some(LogDestinationType::CloudWatchLogs)
}

fn to_a_stream(spec: &Spec) -> bool {
    LogDestinationType::of(&spec.log_destination) == Some(LogDestinationType::Firehose)
}

fn stream(spec: &Spec, arns: &Arns) -> String {
    match LogDestinationType::of(&spec.log_destination) {
        Some(LogDestinationType::Firehose) => arns.text(&spec.log_destination),
        _ => arns.regional("firehose", "deliverystream/*"),
    }
}

/// Which flow logs the sweep finds, IAM cannot know.
fn flow_logs(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("ec2", "vpc-flow-log/*")]).into()
}

/// Flow logs are made of a VPC: those that are left out by their ids stay out of reach.
fn made(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let vpcs = Allowed::on([arns.regional("ec2", "vpc/*")]);
    let excluded = vpcs::excluded_ids(spec.exclude.as_deref().unwrap_or_default());
    let excluded: BTreeSet<String> = excluded.map(|id| arns.text(id)).collect();
    let vpcs = match excluded.is_empty() {
        true => vpcs,
        false => vpcs.when("StringNotLike", "ec2:VpcID", excluded),
    };
    flow_logs(spec, arns).into_iter().chain([vpcs]).collect()
}

/// The role that writes to a log group: the declared one, or in a rollback the one that was there.
fn passed(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let role = spec.deliver_logs_permission_arn.as_deref();
    let role = role.map_or_else(|| arns.iam("role/*"), |role| arns.text(role));
    Allowed::on([role]).when("StringEquals", "iam:PassedToService", [SERVICE.to_owned()]).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
