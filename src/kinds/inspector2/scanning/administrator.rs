//! The organization's delegated administrator of Inspector.

use aws_sdk_inspector2::Client;

use crate::aws::Call;
use crate::kinds::securityhub::administrator::manages;
use crate::kinds::{Cx, ObserveError, told};

pub const GET: Call = Call::new("inspector2", "GetDelegatedAdminAccount");

/// The delegated administrator, where this account is one of its members; `None` for an account on its own, and for the
/// delegated administrator itself.
pub async fn of(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let request = cx.client(Client::new).get_delegated_admin_account();
    let answer = match cx.read(GET, "", request.send()).await {
        // There is none.
        Err(error) if error.is_code(&["ResourceNotFoundException"]) => return Ok(None),
        answer => answer?,
    };
    let Some(said) = answer.delegated_admin() else { return Ok(None) };
    let account = told("delegatedAdmin.accountId", said.account_id())?;
    if account == cx.account.as_str() {
        return Ok(None);
    }
    let field = "delegatedAdmin.relationshipStatus";
    let status = told(field, said.relationship_status())?.as_str();
    Ok(manages(field, status, &[])?.then(|| account.to_owned()))
}
