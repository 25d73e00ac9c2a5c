//! The writes on a role.

use aws_sdk_iam::Client;
use aws_sdk_iam::error::BuildError;
use aws_sdk_iam::types::{Role, Tag};

use super::observe::GET;
use super::spec::{Action, DEFAULT_DURATION, NewRole, Step};
use crate::aws::settle::settle;
use crate::aws::{AwsError, Call, ErrorClass};
use crate::kinds::tags::Tags;
use crate::kinds::{Made, WriteCx, WriteError, sendable};
use crate::policy_document::PolicyDocument;

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

pub async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
    let client = cx.client(Client::new);
    let role = action.role_name.as_str();
    match &action.step {
        Step::Create(new) => {
            create(cx, &client, role, new).await?;
        }
        Step::Delete => {
            let request = client.delete_role().role_name(role);
            cx.remove(DELETE, request.send(), &GONE).await?;
        }
        Step::Update { description, max_session_duration } => {
            let request = client
                .update_role()
                .role_name(role)
                .description(description)
                .max_session_duration(sendable("MaxSessionDuration", *max_session_duration)?);
            cx.write(UPDATE, request.send()).await?;
        }
        Step::UpdateTrust { policy } => {
            let request =
                || client.update_assume_role_policy().role_name(role).policy_document(policy);
            settle(is_settling, || cx.write(UPDATE_TRUST, request().send())).await?;
        }
        Step::PutBoundary { policy_arn } => {
            let request = client
                .put_role_permissions_boundary()
                .role_name(role)
                .permissions_boundary(policy_arn);
            cx.write(PUT_BOUNDARY, request.send()).await?;
        }
        Step::DeleteBoundary => {
            let request = client.delete_role_permissions_boundary().role_name(role);
            cx.remove(DELETE_BOUNDARY, request.send(), &GONE).await?;
        }
        Step::Attach { policy_arn } => {
            let request = client.attach_role_policy().role_name(role).policy_arn(policy_arn);
            cx.write(ATTACH, request.send()).await?;
        }
        Step::Detach { policy_arn } => {
            let request = client.detach_role_policy().role_name(role).policy_arn(policy_arn);
            cx.remove(DETACH, request.send(), &GONE).await?;
        }
        Step::PutInline { name, policy } => {
            let request =
                client.put_role_policy().role_name(role).policy_name(name).policy_document(policy);
            cx.write(PUT_INLINE, request.send()).await?;
        }
        Step::DeleteInline { name } => {
            let request = client.delete_role_policy().role_name(role).policy_name(name);
            cx.remove(DELETE_INLINE, request.send(), &GONE).await?;
        }
        Step::Tag { tags } => {
            let tags = all_tags(tags)?;
            let request = client.tag_role().role_name(role).set_tags(Some(tags));
            cx.write(TAG, request.send()).await?;
        }
        Step::Untag { tags } => {
            let keys = tags.keys().cloned().collect();
            let request = client.untag_role().role_name(role).set_tag_keys(Some(keys));
            cx.write(UNTAG, request.send()).await?;
        }
    }
    Ok(())
}

async fn create(
    cx: &WriteCx,
    client: &Client,
    name: &str,
    new: &NewRole,
) -> Result<Made, WriteError> {
    let tags = all_tags(&new.tags)?;
    let duration = new
        .max_session_duration
        .map(|seconds| sendable("MaxSessionDuration", seconds))
        .transpose()?;
    let request = || {
        client
            .create_role()
            .role_name(name)
            .assume_role_policy_document(&new.assume_role_policy)
            .set_path(new.path.clone())
            .set_description(new.description.clone())
            .set_max_session_duration(duration)
            .set_permissions_boundary(new.permissions_boundary.clone())
            .set_tags((!tags.is_empty()).then(|| tags.clone()))
            .send()
    };
    match settle(is_settling, || cx.make(CREATE, request())).await {
        // An earlier try whose answer was lost made it, or somebody else did since the plan was
        // made: then no permission may be given to it.
        Err(error) if error.is_code(&["EntityAlreadyExists"]) => {
            let answer = cx.write(GET, client.get_role().role_name(name).send()).await?;
            match answer.role() {
                Some(role) if is_as_made(role, name, new, &cx.partition) => {
                    Err(WriteError::was_there(&error))
                }
                _ => Err(WriteError::Another(format!(
                    "there is a role {name} now, with other settings than the plan's: {error}"
                ))),
            }
        }
        answer => {
            let (answer, made) = answer?;
            cx.note_made(answer.role().map(Role::role_id));
            Ok(made)
        }
    }
}

/// Whether a role is one that a request of ours would have made, in all that AWS tells of it: what else is planned
/// for a new role is not to be written to somebody else's.
fn is_as_made(role: &Role, name: &str, new: &NewRole, partition: &str) -> bool {
    let trust = |text: &str| PolicyDocument::from_url_encoded(text).ok();
    let wanted = PolicyDocument::from_text(&new.assume_role_policy).ok();
    let same_trust = match (role.assume_role_policy_document().and_then(trust), wanted) {
        (Some(actual), Some(wanted)) => actual.same_meaning(&wanted, partition),
        _ => false,
    };
    let boundary =
        role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
    let tags = role.tags().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned()));
    let duration = role.max_session_duration().map(u32::try_from).and_then(Result::ok);
    let text = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    same_trust
        && tags.collect::<Tags>() == new.tags
        && text(role.description()) == text(new.description.as_deref())
        && duration.unwrap_or(DEFAULT_DURATION)
            == new.max_session_duration.unwrap_or(DEFAULT_DURATION)
        && role.role_name() == name
        && role.path() == new.path.as_deref().unwrap_or("/")
        && boundary == new.permissions_boundary.as_deref()
}

/// A principal that was made a moment ago is not known everywhere yet.
fn is_settling(error: &AwsError) -> bool {
    error.class == ErrorClass::Settling
        || (error.is_code(&["MalformedPolicyDocument"]) && error.message.contains("principal"))
}

fn all_tags(tags: &Tags) -> Result<Vec<Tag>, BuildError> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}
