//! The writes on a role.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::Tag;

use super::spec::{Action, NewRole, Step};
use crate::aws::error::AbsentIf;
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::WriteCx;

pub const CREATE: Call = Call::new("iam", "CreateRole");
pub const DELETE: Call = Call::new("iam", "DeleteRole");
pub const UPDATE: Call = Call::new("iam", "UpdateRole");
pub const UPDATE_TRUST: Call = Call::new("iam", "UpdateAssumeRolePolicy");
pub const PUT_BOUNDARY: Call = Call::new("iam", "PutRolePermissionsBoundary");
pub const DELETE_BOUNDARY: Call = Call::new("iam", "DeleteRolePermissionsBoundary");
pub const ATTACH: Call = Call::new("iam", "AttachRolePolicy");
pub const DETACH: Call = Call::new("iam", "DetachRolePolicy");
pub const PUT_INLINE: Call = Call::new("iam", "PutRolePolicy");
pub const DELETE_INLINE: Call = Call::new("iam", "DeleteRolePolicy");
pub const TAG: Call = Call::new("iam", "TagRole");
pub const UNTAG: Call = Call::new("iam", "UntagRole");

const GONE: [&str; 1] = ["NoSuchEntity"];

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), AwsError> {
    let client = cx.client(Client::new);
    let role = action.role_name.as_str();
    match &action.step {
        Step::Create(new) => create(cx, &client, role, new).await,
        Step::Delete => cx
            .write(DELETE, client.delete_role().role_name(role).send())
            .await
            .absent_if(&GONE)
            .map(drop),
        Step::Update { description, max_session_duration } => {
            let request = client
                .update_role()
                .role_name(role)
                .description(description)
                .max_session_duration(seconds(*max_session_duration));
            cx.write(UPDATE, request.send()).await.map(drop)
        }
        Step::UpdateTrust { policy } => {
            let request =
                || client.update_assume_role_policy().role_name(role).policy_document(policy);
            settle(is_settling, || cx.write(UPDATE_TRUST, request().send())).await.map(drop)
        }
        Step::PutBoundary { policy_arn } => {
            let request = client
                .put_role_permissions_boundary()
                .role_name(role)
                .permissions_boundary(policy_arn);
            cx.write(PUT_BOUNDARY, request.send()).await.map(drop)
        }
        Step::DeleteBoundary => {
            let request = client.delete_role_permissions_boundary().role_name(role);
            cx.write(DELETE_BOUNDARY, request.send()).await.absent_if(&GONE).map(drop)
        }
        Step::Attach { policy_arn } => {
            let request = client.attach_role_policy().role_name(role).policy_arn(policy_arn);
            cx.write(ATTACH, request.send()).await.map(drop)
        }
        Step::Detach { policy_arn } => {
            let request = client.detach_role_policy().role_name(role).policy_arn(policy_arn);
            cx.write(DETACH, request.send()).await.absent_if(&GONE).map(drop)
        }
        Step::PutInline { name, policy } => {
            let request =
                client.put_role_policy().role_name(role).policy_name(name).policy_document(policy);
            cx.write(PUT_INLINE, request.send()).await.map(drop)
        }
        Step::DeleteInline { name } => {
            let request = client.delete_role_policy().role_name(role).policy_name(name);
            cx.write(DELETE_INLINE, request.send()).await.absent_if(&GONE).map(drop)
        }
        Step::Tag { tags } => {
            let tags = tags.iter().filter_map(|(key, value)| tag(key, value)).collect();
            let request = client.tag_role().role_name(role).set_tags(Some(tags));
            cx.write(TAG, request.send()).await.map(drop)
        }
        Step::Untag { tags } => {
            let keys = tags.keys().cloned().collect();
            let request = client.untag_role().role_name(role).set_tag_keys(Some(keys));
            cx.write(UNTAG, request.send()).await.map(drop)
        }
    }
}

async fn create(cx: &WriteCx, client: &Client, role: &str, new: &NewRole) -> Result<(), AwsError> {
    let tags: Vec<Tag> = new.tags.iter().filter_map(|(key, value)| tag(key, value)).collect();
    let request = || {
        client
            .create_role()
            .role_name(role)
            .assume_role_policy_document(&new.assume_role_policy)
            .set_path(new.path.clone())
            .set_description(new.description.clone())
            .set_max_session_duration(new.max_session_duration.map(seconds))
            .set_permissions_boundary(new.permissions_boundary.clone())
            .set_tags((!tags.is_empty()).then(|| tags.clone()))
            .send()
    };
    match settle(is_settling, || cx.write(CREATE, request())).await {
        // Made by an earlier try; whether it is as declared is observed afterwards.
        Err(error) if error.is_code(&["EntityAlreadyExists"]) => Ok(()),
        answer => answer.map(drop),
    }
}

/// A principal that was made a moment ago is not known everywhere yet.
fn is_settling(error: &AwsError) -> bool {
    error.class == ErrorClass::Settling
        || (error.is_code(&["MalformedPolicyDocument"]) && error.message.contains("principal"))
}

fn seconds(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// A tag; both parts are always there.
fn tag(key: &str, value: &str) -> Option<Tag> {
    Tag::builder().key(key).value(value).build().ok()
}
