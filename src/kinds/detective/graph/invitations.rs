//! The account in whose graph this one is a member.

use aws_sdk_detective::Client;
use aws_sdk_detective::types::MemberStatus;

use super::pages;
use crate::aws::Call;
use crate::kinds::{Cx, ObserveError, told};

pub const LIST: Call = Call::new("detective", "ListInvitations");

/// The administrator account, where this one is a member of its graph.
pub async fn administrator(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let client = cx.client(Client::new);
    let pages = cx.read(LIST, "", pages!(client.list_invitations())).await?;
    let mut found = None;
    for page in pages.iter() {
        for one in told("Invitations", page.invitations.as_ref())? {
            if is_member(told("Invitations.Status", one.status())?)? {
                // Its name until 2021.
                #[allow(deprecated)]
                let account = one.administrator_id().or(one.master_id());
                found = Some(told("Invitations.AdministratorId", account)?.to_owned());
            }
        }
    }
    Ok(found)
}

/// Whether somebody with this status is a member, if only one whose data Detective has stopped taking in.
pub fn is_member(status: &MemberStatus) -> Result<bool, ObserveError> {
    match status {
        MemberStatus::Enabled | MemberStatus::AcceptedButDisabled => Ok(true),
        MemberStatus::Invited
        | MemberStatus::VerificationInProgress
        | MemberStatus::VerificationFailed => Ok(false),
        other => Err(ObserveError::UnknownValue {
            field: "Invitations.Status".to_owned(),
            value: other.as_str().to_owned(),
        }),
    }
}
