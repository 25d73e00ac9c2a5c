//! The account that manages Macie in this one.

use aws_sdk_macie2::Client;

use super::{Place, Session, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::securityhub::administrator::manages;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

pub const GET: Call = Call::new("macie2", "GetAdministratorAccount");

/// The administrator's account; `None` for an account on its own, and for an administrator itself. One that has
/// suspended Macie in the member still decides.
pub async fn of(cx: &Cx) -> Result<Option<String>, ObserveError> {
    let answer =
        cx.read(GET, "", cx.client(Client::new).get_administrator_account().send()).await?;
    let Some(said) = answer.administrator() else { return Ok(None) };
    let status = said.relationship_status();
    if said.account_id().is_none() && status.is_none() && said.invitation_id().is_none() {
        return Ok(None);
    }
    let account = told("administrator.accountId", said.account_id())?;
    let field = "administrator.relationshipStatus";
    let status = told(field, status)?.as_str();
    Ok(manages(field, status, &["paused"])?.then(|| account.to_owned()))
}

/// A change of what an administrator decides, where there is one: reported, and left to it.
///
/// Source: Macie User Guide, "Macie administrator and member account relationships", "Suspending Macie", "Prerequisites
/// for configuring automated sensitive data discovery".
pub fn left_to<A>(administrator: Option<&str>, change: Change<A>) -> Change<A> {
    let Some(account) = administrator else { return change };
    Change { action: None, ..change }.withhold(format!(
        "managed by the Macie administrator account {account}: change it there, or let that account remove this one from its members"
    ))
}

pub struct AdministratorAccount;

/// There is none.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum Write {}

impl Part for AdministratorAccount {
    type Of = Session;
    type Now = Option<String>;
    type Write = Write;

    const NAME: &'static str = "require_administrator_account";
    const CALLS: &'static [Use<Spec>] = &[];

    fn is_declared(spec: &Spec) -> bool {
        spec.require_administrator_account.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Self::Now, ObserveError> {
        of(cx).await
    }

    fn diff(look: &Look<'_, Session>, now: &Self::Now) -> Vec<Change<Write>> {
        let wanted = look.spec.require_administrator_account.as_deref();
        let mut drift = Drift::new();
        if !drift.compare_text(Self::NAME, now.as_deref(), wanted) {
            return Vec::new();
        }
        vec![Change::finding(drift).withhold(match wanted {
            None | Some("") => "leave the administrator account, or let it remove this one from its members".to_owned(),
            Some(wanted) => format!("make this account a member in the administrator account {wanted}: evenkeel accepts no invitations"),
        })]
    }

    fn calls(write: &Write) -> Vec<Call> {
        match *write {}
    }

    async fn write(_cx: &WriteCx, _place: &Place, write: &Write) -> Result<(), WriteError> {
        match *write {}
    }

    fn undo(write: &Write, _before: &Self::Now) -> Undo<Write> {
        match *write {}
    }

    fn export(now: &Self::Now, spec: &mut Spec) {
        spec.require_administrator_account = Some(now.clone().unwrap_or_default());
    }
}

pub fn check(spec: &Spec) -> Option<SpecProblem> {
    let declared = spec.require_administrator_account.as_deref().filter(|id| !id.is_empty())?;
    let is_id = declared.len() == 12 && declared.bytes().all(|byte| byte.is_ascii_digit());
    (!is_id).then(|| {
        let message = format!("{declared:?} is no account");
        SpecProblem::new(AdministratorAccount::NAME, message, "write its twelve digits")
    })
}
