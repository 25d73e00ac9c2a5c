//! Whether nobody can delete the group.

use aws_sdk_cloudwatchlogs::Client;

use super::{LogGroup, Place, Spec, described, group};
use crate::aws::Call;
use crate::kinds::shapes::part::{Look, Part};
use crate::kinds::{Change, Cx, Drift, ObserveError, Undo, Use, WriteCx, WriteError};

pub const PUT: Call = Call::new("logs", "PutLogGroupDeletionProtection");

/// Who can do what to a group without protection.
pub const UNPROTECTED: &str =
    "whoever may delete log groups can delete this one, with all that is in it";

/// Turns the protection of a group on or off.
pub async fn set(cx: &WriteCx, group: &str, enabled: bool) -> Result<(), WriteError> {
    let request = cx.client(Client::new).put_log_group_deletion_protection();
    let request = request.log_group_identifier(group);
    cx.send(PUT, request.deletion_protection_enabled(enabled).send()).await
}

pub struct DeletionProtection;

impl Part for DeletionProtection {
    type Of = LogGroup;
    /// `None` when AWS does not say it, which then differs from either.
    type Now = Option<bool>;
    type Write = bool;

    const NAME: &'static str = "deletion_protection_enabled";
    const CALLS: &'static [Use<Spec>] =
        &[Use::write_if(PUT, |spec| spec.deletion_protection_enabled.is_some(), group)];

    fn is_declared(spec: &Spec) -> bool {
        spec.deletion_protection_enabled.is_some()
    }

    async fn read(cx: &Cx, _spec: &Spec, place: &Place) -> Result<Option<bool>, ObserveError> {
        let group = described(cx, &place.log_group_name).await?;
        Ok(group.and_then(|group| group.deletion_protection_enabled))
    }

    fn diff(look: &Look<'_, LogGroup>, now: &Option<bool>) -> Vec<Change<bool>> {
        let mut drift = Drift::new();
        let Some(wanted) = look.spec.deletion_protection_enabled else { return Vec::new() };
        if !drift.compare(Self::NAME, now.as_ref(), Some(&wanted)) {
            return Vec::new();
        }
        let change = Change::new(wanted, drift);
        vec![if wanted { change } else { look.disruptive(change, UNPROTECTED) }]
    }

    fn calls(_: &bool) -> Vec<Call> {
        vec![PUT]
    }

    async fn write(cx: &WriteCx, place: &Place, enabled: &bool) -> Result<(), WriteError> {
        set(cx, &place.log_group_name, *enabled).await
    }

    fn undo(_: &bool, before: &Option<bool>) -> Undo<bool> {
        // "By default log groups are created without deletion protection" (`CreateLogGroup`).
        Undo::By(vec![before.unwrap_or(false)])
    }

    fn export(now: &Option<bool>, spec: &mut Spec) {
        spec.deletion_protection_enabled = *now;
    }
}
