//! The calls on a key, and what they are allowed on.
//!
//! A key has no name that IAM could know: it is told by its alias, and until it has one by the mark
//! that evenkeel makes it with. KMS may need five minutes until a new alias or tag counts (KMS
//! Developer Guide, "ABAC for AWS KMS").

use super::apply::{
    CANCEL_DELETION, CREATE_ALIAS, CREATE_KEY, DELETE_ALIAS, DISABLE, DISABLE_ROTATION, ENABLE,
    ENABLE_ROTATION, PUT_POLICY, SCHEDULE_DELETION, TAG, UNTAG, UPDATE_ALIAS, UPDATE_DESCRIPTION,
};
use super::grants::LIST_GRANTS;
use super::marks::{ALIAS as MARK, GET_RESOURCES};
use super::policy::GET_POLICY;
use super::spec::{Action, Spec, Step};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::kms::reads::{DESCRIBE, GET_ROTATION, LIST_ALIASES, LIST_KEYS, LIST_TAGS};
use crate::kinds::{Allowed, Arns, Use};

/// All of them.
pub const CALLS: &[Use<Spec>] = &[
    Use::read(DESCRIBE),
    Use::read(GET_RESOURCES),
    // Also of a key that bears the mark, whatever is declared.
    Use::read(LIST_TAGS),
    Use::read(GET_POLICY),
    // Also of a key that bears the mark, whatever is declared.
    Use::read(LIST_GRANTS),
    Use::read_if(GET_ROTATION, Spec::has_rotation),
    // Which keys are there before and after one is made.
    Use::write(LIST_KEYS, everywhere),
    Use::write(CREATE_KEY, |spec, arns| made_with_mark(Allowed::everywhere(), spec, arns)),
    // CreateKey with tags needs it too; with a policy it needs nothing more (KMS API Reference,
    // CreateKey, "Required permissions").
    Use::implied(
        "kms:TagResource",
        |_| true,
        |spec, arns| made_with_mark(of_nobody_else(spec, arns), spec, arns),
    ),
    Use::write(CREATE_ALIAS, |spec, arns| {
        let alias = Allowed::on([arns.regional("kms", &arns.text(&spec.alias))]);
        vec![alias, with_mark(spec, arns)]
    }),
    // Of the alias, the key that it leaves and the one that it comes to.
    Use::write(UPDATE_ALIAS, |spec, arns| {
        let alias = Allowed::on([arns.regional("kms", &arns.text(&spec.alias))]);
        [vec![alias], key(spec, arns)].concat()
    }),
    Use::undo(DELETE_ALIAS, |spec, arns| {
        let alias = Allowed::on([arns.regional("kms", &arns.text(&spec.alias))]);
        [vec![alias], key(spec, arns)].concat()
    }),
    Use::write_if(UPDATE_DESCRIPTION, |spec| spec.description.is_some(), key),
    Use::write_if(PUT_POLICY, Spec::has_policy, key),
    Use::write_if(ENABLE, |spec| spec.enabled == Some(true), key),
    Use::write_if(DISABLE, |spec| spec.enabled == Some(false), key),
    Use::write_if(ENABLE_ROTATION, |spec| spec.enable_key_rotation == Some(true), key),
    Use::write_if(DISABLE_ROTATION, |spec| spec.enable_key_rotation == Some(false), key),
    Use::write_if(CANCEL_DELETION, |spec| spec.prevent_destroy == Some(true), key),
    Use::undo(SCHEDULE_DELETION, key),
    // Whether somebody else uses a key that is to be deleted.
    Use::undo(LIST_ALIASES, everywhere),
    Use::write_if(TAG, |spec| spec.tags.is_some(), key),
    Use::write_if(UNTAG, |spec| spec.tags.is_some(), key),
    Use::implied(
        "iam:CreateServiceLinkedRole",
        |spec| spec.multi_region == Some(true),
        |_, arns| {
            let (service, name) =
                ("mrk.kms.amazonaws.com", "AWSServiceRoleForKeyManagementServiceMultiRegionKeys");
            Allowed::on([arns.service_linked_role(service, name)])
                .when("StringEquals", "iam:AWSServiceName", [service.to_owned()])
                .into()
        },
    ),
];

fn keys(arns: &Arns) -> Allowed {
    Allowed::on([arns.regional("kms", "key/*")])
}

/// The key behind the alias, and the one that was made for it.
fn key(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    let alias = arns.text(&spec.alias);
    let by_alias = keys(arns).when("ForAnyValue:StringLike", "kms:ResourceAliases", [alias]);
    vec![by_alias, with_mark(spec, arns)]
}

fn with_mark(spec: &Spec, arns: &Arns) -> Allowed {
    keys(arns).when("StringLike", format!("aws:ResourceTag/{MARK}"), [arns.text(&spec.alias)])
}

/// The keys that have no alias but the declared one, and no mark but its own: `aws:RequestTag` is there also
/// where a key is tagged that is there already, and whoever may put the mark on a key may then do with it
/// what the mark allows. A key that is just made has none of both.
fn of_nobody_else(spec: &Spec, arns: &Arns) -> Allowed {
    let alias = || [arns.text(&spec.alias)];
    keys(arns).when("ForAllValues:StringLike", "kms:ResourceAliases", alias()).when(
        "StringLikeIfExists",
        format!("aws:ResourceTag/{MARK}"),
        alias(),
    )
}

fn made_with_mark(on: Allowed, spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    on.when("StringLike", format!("aws:RequestTag/{MARK}"), [arns.text(&spec.alias)]).into()
}

/// The calls of a write, the key looked for first.
pub fn of(action: &Action) -> Vec<Call> {
    let write = match &action.step {
        // The making of a key takes all the steps of finding it again.
        Step::Create(_) => {
            return vec![CREATE_KEY, CREATE_ALIAS, DESCRIBE, GET_RESOURCES, LIST_KEYS, LIST_TAGS];
        }
        Step::CreateAlias => CREATE_ALIAS,
        Step::UpdateAlias { .. } => UPDATE_ALIAS,
        Step::DeleteAlias => DELETE_ALIAS,
        Step::PutPolicy { .. } => PUT_POLICY,
        Step::Describe { .. } => UPDATE_DESCRIPTION,
        Step::Enable => ENABLE,
        Step::Disable => DISABLE,
        Step::Rotate { .. } => ENABLE_ROTATION,
        Step::StopRotating => DISABLE_ROTATION,
        Step::Tag { .. } => TAG,
        Step::Untag { .. } => UNTAG,
        Step::CancelDeletion => CANCEL_DELETION,
        Step::ScheduleDeletion { .. } => {
            return vec![SCHEDULE_DELETION, DESCRIBE, LIST_TAGS, LIST_ALIASES, LIST_GRANTS];
        }
    };
    vec![write, DESCRIBE, LIST_TAGS]
}
