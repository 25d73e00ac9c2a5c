//! What a run is made for, as guards, the history and notices take it.

use std::sync::Arc;

use crate::controller::events::Routes;
use crate::controller::queue::{Called, Cause, Causes, What};
use crate::fleet::select::SelectError;
use crate::reconcile::{Heard, LookError};
use crate::store::history::{ByWhom, callers};

/// Who touched what, as far as events told: each only the kinds that their call touches, and where it was
/// made.
pub fn heard(what: &What, causes: &Causes) -> Vec<Heard> {
    let (What::Parts { account, .. } | What::Account(account)) = what else { return Vec::new() };
    let mut heard = Vec::new();
    for Called { by, region, named, told, .. } in events(causes) {
        for (kind, region) in Routes::of_all_kinds().touched(&by.call, region) {
            heard.push(Heard {
                account: account.clone(),
                kind: kind.to_owned(),
                region: region.cloned(),
                by: by.clone(),
                named: Arc::clone(named),
                told: *told,
            });
        }
    }
    heard
}

/// Who did what a run is made for, each with the same call once.
pub fn by_whom(causes: &Causes) -> Vec<ByWhom> {
    callers::together(events(causes).map(|called| &called.by))
}

/// Who called what, in which Region, and what the call names.
fn events(causes: &Causes) -> impl Iterator<Item = &Called> {
    causes.kept.iter().filter_map(|cause| match cause {
        Cause::Event(called) => Some(&**called),
        _ => None,
    })
}

/// Whether a run asks anew which accounts there are: that of a target, but for what is left of it.
pub fn lists_anew(what: &What, causes: &Causes) -> bool {
    let is_left = |cause: &Cause| matches!(cause, Cause::Elsewhere | Cause::Again { .. });
    matches!(what, What::Target(_)) && (causes.kept.is_empty() || !causes.kept.iter().all(is_left))
}

/// Whether it is less than a target, and may be nothing that is declared.
pub fn is_part(what: &What) -> bool {
    !matches!(what, What::Target(_))
}

/// Whether a look came to nothing because nothing is declared there.
pub fn is_nothing_of_ours(error: &LookError) -> bool {
    matches!(
        error,
        LookError::NothingDeclared { .. }
            | LookError::NothingIn { .. }
            | LookError::Select(SelectError::NothingLeft | SelectError::NotSelected { .. })
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::names::Region;
    use crate::plan::ObjectPlan;
    use crate::reconcile::Hearsay;

    const PASSWORDS: &str = "iam.amazonaws.com:UpdateAccountPasswordPolicy";
    const EBS_OFF: &str = "ec2.amazonaws.com:DisableEbsEncryptionByDefault";

    fn event(who: &str, call: &str, region: &str) -> Cause {
        let by = ByWhom {
            principal: who.to_owned(),
            call: call.to_owned(),
            time: Some(DateTime::<Utc>::UNIX_EPOCH),
            ..ByWhom::default()
        };
        let (region, told) = (Region::new(region), DateTime::UNIX_EPOCH);
        Cause::Event(Box::new(Called::of(by, None, region, Arc::default(), told)))
    }

    fn what() -> What {
        let home = || Some(Region::new("eu-west-1"));
        let parts = [
            ("iam.password_policy", None),
            ("iam.root_user", None),
            ("ec2.ebs_encryption", home()),
        ];
        What::Parts { account: "111122223333".parse().unwrap(), parts: BTreeSet::from(parts) }
    }

    /// Who is named for the one object of a kind in a Region.
    fn named(causes: Vec<Cause>, kind: &str, region: &str) -> Vec<String> {
        let told = heard(&what(), &Causes { kept: causes });
        let object: ObjectPlan = serde_json::from_value(serde_json::json!({
            "account": "111122223333", "region": region, "global": false, "item": kind,
            "mode": "enforce", "controls": [], "verdict": {"is": "drifted"}, "spec": {},
            "state_digest": "", "observed": {"id": "", "status": "absent"}, "changes": [],
        }))
        .unwrap();
        let heard = Hearsay { told, ..Hearsay::default() };
        heard.of_object(&object).into_iter().map(|by| by.principal).collect()
    }

    #[test]
    fn each_is_named_only_with_what_their_call_touches() {
        let causes = || {
            vec![
                event("mallory", PASSWORDS, "us-east-1"),
                event("innocent", "iam.amazonaws.com:CreateAccessKey", "us-east-1"),
                event("eve", EBS_OFF, "eu-west-1"),
            ]
        };
        assert_eq!(named(causes(), "iam.password_policy", "eu-west-1"), ["mallory"]);
        assert_eq!(named(causes(), "ec2.ebs_encryption", "eu-west-1"), ["eve"]);
        assert_eq!(named(causes(), "iam.root_user", "eu-west-1"), ["innocent"]);
        // What nobody's event touched: of another kind, or elsewhere.
        assert!(named(causes(), "cloudtrail.trail", "eu-west-1").is_empty());
        assert!(named(causes(), "ec2.ebs_encryption", "eu-central-1").is_empty());
        let all: Vec<String> =
            by_whom(&Causes { kept: causes() }).into_iter().map(|by| by.principal).collect();
        assert_eq!(all, ["mallory", "innocent", "eve"], "the run was made for all of them");
    }

    #[test]
    fn no_look_at_a_whole_target_has_a_name() {
        let causes = Causes { kept: vec![event("eve", EBS_OFF, "eu-west-1")] };
        assert!(heard(&What::Target("prod".to_owned()), &causes).is_empty());
    }
}
