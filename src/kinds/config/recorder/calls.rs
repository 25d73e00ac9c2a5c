//! The calls on a recorder and its channel, and what they are allowed on.

use super::apply::{
    CREATE_ROLE, DELETE_CHANNEL, DELETE_RECORDER, DELETE_RETENTION, PUT_CHANNEL, PUT_RECORDER,
    PUT_RETENTION, START, STOP,
};
use super::observe::{CHANNEL_STATUS, CHANNELS, GET_ROLE, RECORDERS, RETENTION, STATUS};
use super::spec::{Action, SERVICE_LINKED_ROLE, Spec};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::kms::let_in::GET_POLICY;
use crate::kinds::kms::reads::DESCRIBE as DESCRIBE_KEY;
use crate::kinds::{Allowed, Arns, Use};

/// The service as a principal.
const SERVICE: &str = "config.amazonaws.com";

/// All of them.
pub const CALLS: &[Use<Spec>] = &[
    Use::read(RECORDERS),
    Use::read(STATUS),
    Use::read_if(CHANNELS, Spec::has_channel),
    Use::read_if(CHANNEL_STATUS, Spec::has_channel),
    Use::read_if(DESCRIBE_KEY, |spec| spec.key().is_some()),
    Use::read_if(GET_POLICY, |spec| spec.key().is_some()),
    Use::read_if(RETENTION, |spec| spec.retention_period_in_days.is_some()),
    Use::read_if(GET_ROLE, Spec::may_use_service_linked_role),
    Use::write_if(CREATE_ROLE, Spec::may_use_service_linked_role, |_, arns| {
        Allowed::on([own_role(arns)])
            .when("StringEquals", "iam:AWSServiceName", [SERVICE.to_owned()])
            .into()
    }),
    Use::write_if(PUT_RECORDER, Spec::has_recorder, recorder),
    Use::implied("iam:PassRole", Spec::has_recorder, |spec, arns| {
        Allowed::on([passed(spec, arns)])
            .when("StringEquals", "iam:PassedToService", [SERVICE.to_owned()])
            .into()
    }),
    Use::undo(DELETE_RECORDER, recorder),
    Use::write_if(PUT_CHANNEL, Spec::has_channel, everywhere),
    Use::undo(DELETE_CHANNEL, everywhere),
    Use::write_if(START, |spec| spec.recording == Some(true), recorder),
    Use::write_if(STOP, |spec| spec.recording == Some(false), recorder),
    Use::write_if(PUT_RETENTION, |spec| spec.retention_period_in_days.is_some(), everywhere),
    Use::undo(DELETE_RETENTION, everywhere),
];

/// A Region has one recorder of its customer's own, whose name cannot be changed: the declared name
/// counts only for one that is made.
fn recorder(_spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.regional("config", "configuration-recorder/*/*")]).into()
}

fn own_role(arns: &Arns) -> String {
    arns.service_linked_role(SERVICE, SERVICE_LINKED_ROLE)
}

/// The role that Config gets: the declared one, or with none declared the one that it has.
fn passed(spec: &Spec, arns: &Arns) -> String {
    match spec.role_arn.as_deref() {
        Some("") => own_role(arns),
        Some(arn) => arns.text(arn),
        None => arns.iam("role/*"),
    }
}

/// The call of a write.
pub fn of(action: &Action) -> Call {
    match action {
        Action::CreateServiceLinkedRole => CREATE_ROLE,
        Action::PutRecorder { .. } => PUT_RECORDER,
        Action::DeleteRecorder { .. } => DELETE_RECORDER,
        Action::PutChannel { .. } => PUT_CHANNEL,
        Action::DeleteChannel { .. } => DELETE_CHANNEL,
        Action::Start { .. } => START,
        Action::Stop { .. } => STOP,
        Action::PutRetention { .. } => PUT_RETENTION,
        Action::DeleteRetention => DELETE_RETENTION,
    }
}
