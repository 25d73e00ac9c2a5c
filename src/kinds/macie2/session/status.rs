//! Whether Macie is on. Enabling it is the making of the object.

use aws_sdk_macie2::Client;
use aws_sdk_macie2::types::MacieStatus;
use serde::{Deserialize, Serialize};

use super::spec::Status;
use super::{COST, Place, Session, Spec, UPDATE, administrator, session};
use crate::aws::Call;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{
    Change, Charge, Cx, Drift, ObserveError, Risk, Undo, Use, WriteCx, WriteError, compared, told,
};

const DISABLE: Call = Call::new("macie2", "DisableMacie");

pub struct On;

/// Whether it is on, and who decides that.
#[serde_with::skip_serializing_none]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Now {
    pub status: Status,
    #[serde(default)]
    pub administrator: Option<String>,
}

impl Part for On {
    type Of = Session;
    type Now = Now;
    type Write = Status;

    const NAME: &'static str = "status";
    const CALLS: &'static [Use<Spec>] = &[
        Use::write_if(UPDATE, |spec| spec.status != Status::Disabled, everywhere),
        Use::write_if(DISABLE, |spec| spec.status == Status::Disabled, everywhere),
    ];

    fn is_declared(_spec: &Spec) -> bool {
        true
    }

    async fn read(cx: &Cx, _spec: &Spec, _place: &Place) -> Result<Now, ObserveError> {
        let administrator = administrator::of(cx).await?;
        let session = told("status", session(cx).await?)?;
        match told("status", session.status())? {
            MacieStatus::Enabled => Ok(Now { status: Status::Enabled, administrator }),
            MacieStatus::Paused => Ok(Now { status: Status::Paused, administrator }),
            other => Err(ObserveError::UnknownValue {
                field: "status".to_owned(),
                value: other.as_str().to_owned(),
            }),
        }
    }

    fn diff(look: &Look<'_, Session>, now: &Now) -> Vec<Change<Status>> {
        compared::mark(Self::NAME);
        // A new one is made with it.
        if look.is_new() {
            return Vec::new();
        }
        let wanted = look.spec.status;
        let mut drift = Drift::new();
        if !drift.compare(Self::NAME, Some(&now.status), Some(&wanted)) {
            return Vec::new();
        }
        let change = Change::new(wanted, drift).independent();
        let change = match wanted {
            Status::Enabled => change.charged(COST, [Charge::MacieBucket]),
            Status::Paused => change.risk(Risk::Disruptive).warn(
                "Macie looks at no bucket until it is enabled again, and all its jobs are cancelled, which nobody resumes",
            ),
            Status::Disabled => change.risk(Risk::Destructive).warn(
                "settings, jobs, identifiers, allow lists and findings of Macie are lost, which nobody brings back",
            ),
        };
        vec![administrator::left_to(now.administrator.as_deref(), change)]
    }

    fn calls(wanted: &Status) -> Vec<Call> {
        vec![if *wanted == Status::Disabled { DISABLE } else { UPDATE }]
    }

    async fn write(cx: &WriteCx, _place: &Place, wanted: &Status) -> Result<(), WriteError> {
        if *wanted == Status::Disabled {
            let request = cx.client(Client::new).disable_macie();
            return match cx.write(DISABLE, request.send()).await {
                Err(error) if super::is_off(&error) => Ok(()),
                answer => Ok(answer.map(drop)?),
            };
        }
        let request = cx.client(Client::new).update_macie_session();
        cx.send(UPDATE, request.status(MacieStatus::from(wanted.as_str())).send()).await
    }

    fn undo(wanted: &Status, before: &Now) -> Undo<Status> {
        match wanted {
            Status::Disabled => Undo::Impossible(
                "what Macie had is gone; declare `status = \"ENABLED\"` for a new session"
                    .to_owned(),
            ),
            Status::Enabled | Status::Paused => Undo::By(vec![before.status]),
        }
    }

    fn export(now: &Now, spec: &mut Spec) {
        spec.status = now.status;
    }
}
