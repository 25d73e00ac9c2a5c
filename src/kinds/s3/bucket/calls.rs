//! The calls on a bucket, and what they are allowed on.

use super::apply::{
    CREATE, DELETE_BLOCK, DELETE_ENCRYPTION, DELETE_LIFECYCLE, DELETE_OWNERSHIP, DELETE_POLICY,
    DELETE_TAGGING, PUT_BLOCK, PUT_ENCRYPTION, PUT_LIFECYCLE, PUT_LOCK, PUT_LOGGING, PUT_OWNERSHIP,
    PUT_POLICY, PUT_TAGGING, PUT_VERSIONING,
};
use super::logging::GET_LOGGING;
use super::observe::{
    DESCRIBE_KEY, GET_BLOCK, GET_ENCRYPTION, GET_LIFECYCLE, GET_LOCK, GET_OWNERSHIP, GET_POLICY,
    GET_TAGGING, GET_VERSIONING, HEAD, LIST, LIST_VERSIONS,
};
use super::spec::{Spec, Step};
use crate::aws::Call;
use crate::kinds::{Allowed, Arns, Use};

/// All of them.
pub const CALLS: &[Use<Spec>] = &[
    Use::read(LIST),
    Use::read(HEAD),
    Use::read_if(GET_POLICY, Spec::looks_at_policy),
    Use::read_if(GET_BLOCK, |spec| spec.public_access_block.is_some()),
    Use::read_if(GET_ENCRYPTION, Spec::has_encryption),
    Use::read_if(GET_VERSIONING, Spec::has_versioning),
    Use::read_if(GET_LIFECYCLE, Spec::has_lifecycle),
    Use::read_if(GET_LOCK, Spec::has_object_lock),
    Use::read_if(GET_LOGGING, Spec::has_logging),
    Use::read_if(GET_OWNERSHIP, |spec| spec.object_ownership.is_some()),
    Use::read_if(GET_TAGGING, |spec| spec.tags.is_some()),
    Use::read_if(LIST_VERSIONS, Spec::may_delete),
    Use::read_if(DESCRIBE_KEY, |spec| spec.kms_master_key_id.is_some()),
    Use::write(CREATE, bucket),
    Use::write_if(PUT_POLICY, Spec::has_policy, bucket),
    Use::write_if(DELETE_POLICY, Spec::may_empty_policy, bucket),
    Use::write_if(PUT_BLOCK, |spec| spec.public_access_block.is_some(), bucket),
    Use::undo(DELETE_BLOCK),
    Use::write_if(PUT_ENCRYPTION, Spec::has_encryption, bucket),
    Use::undo(DELETE_ENCRYPTION),
    Use::write_if(PUT_VERSIONING, |spec| spec.versioning.is_some(), bucket),
    Use::write_if(PUT_LIFECYCLE, Spec::has_lifecycle, bucket),
    Use::write_if(DELETE_LIFECYCLE, Spec::has_lifecycle, bucket),
    Use::write_if(PUT_LOCK, Spec::has_object_lock, bucket),
    Use::write_if(PUT_LOGGING, Spec::has_logging, bucket),
    Use::write_if(PUT_OWNERSHIP, |spec| spec.object_ownership.is_some(), bucket),
    Use::undo(DELETE_OWNERSHIP),
    Use::write_if(PUT_TAGGING, |spec| spec.tags.is_some(), bucket),
    Use::write_if(DELETE_TAGGING, |spec| spec.tags.is_some(), bucket),
];

fn bucket(spec: &Spec, arns: &Arns) -> Vec<Allowed> {
    Allowed::on([arns.bucket(&spec.bucket)]).into()
}

/// The call of a step.
pub fn of(step: &Step) -> Call {
    match step {
        Step::Create { .. } => CREATE,
        Step::PutPublicAccessBlock(Some(_)) => PUT_BLOCK,
        Step::PutPublicAccessBlock(None) => DELETE_BLOCK,
        Step::PutOwnership(Some(_)) => PUT_OWNERSHIP,
        Step::PutOwnership(None) => DELETE_OWNERSHIP,
        Step::PutEncryption(Some(_)) => PUT_ENCRYPTION,
        Step::PutEncryption(None) => DELETE_ENCRYPTION,
        Step::PutVersioning(_) => PUT_VERSIONING,
        Step::PutPolicy(Some(_)) => PUT_POLICY,
        Step::PutPolicy(None) => DELETE_POLICY,
        // Deleting the last rule or tag needs the same permission.
        Step::PutLifecycle(_) => PUT_LIFECYCLE,
        Step::PutObjectLock(_) => PUT_LOCK,
        Step::PutLogging(_) => PUT_LOGGING,
        Step::PutTags(_) => PUT_TAGGING,
    }
}
