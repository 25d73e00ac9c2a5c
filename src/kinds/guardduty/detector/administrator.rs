//! The account that manages GuardDuty in this one.

use aws_sdk_guardduty::Client;
use serde::{Deserialize, Serialize};

use super::{Detector, Place, Spec};
use crate::aws::Call;
use crate::baseline::catalog::SpecProblem;
use crate::kinds::securityhub::administrator::manages;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError, told};

pub const GET: Call = Call::new("guardduty", "GetAdministratorAccount");

pub struct AdministratorAccount;

/// An administrator account.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Administrator {
    account_id: String,
    /// How the two stand, in GuardDuty's words.
    status: String,
}

impl Administrator {
    /// Who governs the detector.
    pub fn title(&self) -> String {
        format!("the GuardDuty administrator account {}", self.account_id)
    }

    /// Whether it governs the detector: also that of a member whose GuardDuty it has turned off (GuardDuty User
    /// Guide, "Managing multiple accounts": it stays a member).
    ///
    /// # Errors
    /// GuardDuty's word for how the two stand is not known.
    pub fn manages(&self) -> Result<bool, ObserveError> {
        manages("administrator.relationshipStatus", &self.status, &["disabled", "paused"])
    }

    /// Whether the administrator manages the account. GuardDuty's guides have the word in both cases.
    fn is_enabled(&self) -> bool {
        self.status.eq_ignore_ascii_case("enabled")
    }
}

/// Who manages the account. To an administrator itself, and to an account on its own, GuardDuty says
/// "success (HTTP 200) but no content" (GuardDuty API Reference, `GetAdministratorAccount`).
pub async fn of(cx: &Cx, detector_id: &str) -> Result<Option<Administrator>, ObserveError> {
    let request = cx.client(Client::new).get_administrator_account().detector_id(detector_id);
    let answer = cx.read(GET, detector_id, request.send()).await?;
    let Some(said) = answer.administrator() else { return Ok(None) };
    let status = said.relationship_status();
    if said.account_id().is_none() && status.is_none() && said.invitation_id().is_none() {
        return Ok(None);
    }
    Ok(Some(Administrator {
        account_id: told("administrator.accountId", said.account_id())?.to_owned(),
        status: told("administrator.relationshipStatus", status)?.to_owned(),
    }))
}

/// There is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Write {}

impl Part for AdministratorAccount {
    type Of = Detector;
    type Now = Option<Administrator>;
    type Write = Write;

    const NAME: &'static str = "require_administrator_account";
    const CALLS: &'static [Use<Spec>] = &[];

    fn is_declared(spec: &Spec) -> bool {
        spec.require_administrator_account.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Self::Now, ObserveError> {
        of(cx, told("detectorId", place.detector_id.as_deref())?).await
    }

    fn diff(look: &Look<'_, Detector>, now: &Self::Now) -> Vec<Change<Write>> {
        let there = now.as_ref().map(|now| match now.is_enabled() {
            true => now.account_id.clone(),
            false => format!("{} ({})", now.account_id, now.status),
        });
        let wanted = look.spec.require_administrator_account.as_deref();
        let mut drift = Drift::new();
        if !drift.compare_text(Self::NAME, there.as_deref(), wanted) {
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
        let enabled = now.as_ref().filter(|now| now.is_enabled());
        if now.is_none() || enabled.is_some() {
            let account = enabled.map(|now| now.account_id.clone()).unwrap_or_default();
            spec.require_administrator_account = Some(account);
        }
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
