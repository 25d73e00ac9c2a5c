//! `iam.root_user`: whether the root user is locked away. Reports only.

mod report;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AssignmentStatusType, SummaryKeyType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::together::together;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Scope, Undo, Use, WriteCx,
    WriteError, compared, control, told,
};

const GET_SUMMARY: Call = Call::new("iam", "GetAccountSummary");
const LIST_MFA: Call = Call::new("iam", "ListVirtualMFADevices");

/// The root user of an account: MFA, access keys, certificates, password, and when it was last
/// used.
///
/// evenkeel only reports here, whatever the mode: what protects the root user can be changed by the
/// root user alone, or from the organization's management account.
///
/// A root user without password and keys needs no MFA: centralized root access of IAM leaves it
/// without any credentials.
///
/// Source: IAM API Reference, `GetAccountSummary`, `ListVirtualMFADevices`, `GetCredentialReport`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Whether MFA is needed, as long as there is a password or a key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_mfa: Option<bool>,
    /// Whether a virtual MFA device is a finding, and no MFA at all as long as there is a password or a
    /// key. That none is found does not prove that the device is hardware: passkeys are in no list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_hardware_mfa: Option<bool>,
    /// Whether access keys may exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_access_keys: Option<bool>,
    /// Whether signing certificates may exist.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_signing_certificates: Option<bool>,
    /// A use within so many days, 1 to 400, is a finding. AWS renews its report every four hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 400))]
    pub max_days_since_last_use: Option<u32>,
    /// Whether a password is a finding; for members of an organization with centralized root access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect_no_password: Option<bool>,
}

impl Spec {
    /// Whether MFA is needed, of any kind or of hardware.
    fn asks_for_mfa(&self) -> bool {
        self.require_mfa == Some(true) || self.require_hardware_mfa == Some(true)
    }
}

/// What is known of the root user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    mfa_enabled: bool,
    access_keys_present: bool,
    signing_certificates_present: bool,
    /// Absent in older answers, where nothing that is declared depends on it.
    password_present: Option<bool>,
    /// Serial numbers of virtual devices; absent when not looked at.
    virtual_mfa_devices: Option<Vec<String>>,
    /// When it was last used; absent when never, or when not looked at.
    last_use: Option<report::LastUse>,
}

/// There are no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {}

/// The kind.
pub struct RootUser;

impl Kind for RootUser {
    const NAME: &'static str = "iam.root_user";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: &'static [Control] = &[
        control("cis-v3", "1.4"),
        control("cis-v3", "1.5"),
        control("cis-v3", "1.6"),
        control("cis-v3", "1.7"),
        control("cis-v5", "1.3"),
        control("cis-v5", "1.4"),
        control("cis-v5", "1.5"),
        control("cis-v5", "1.6"),
        control("fsbp", "IAM.4"),
        control("fsbp", "IAM.6"),
        control("fsbp", "IAM.9"),
        control("wa-security", "SEC01-BP02"),
        control("wa-security", "SEC02-BP01"),
    ];
    const CALLS: &'static [Use<Spec>] = &[
        Use::read(GET_SUMMARY),
        Use::read_if(LIST_MFA, |spec| spec.require_hardware_mfa == Some(true)),
        Use::read_if(report::GENERATE, |spec| spec.max_days_since_last_use.is_some()),
        Use::read_if(report::GET, |spec| spec.max_days_since_last_use.is_some()),
    ];
    const MORE_EVENTS: &'static [&'static str] = &[
        "signin.amazonaws.com:ConsoleLogin",
        "sts.amazonaws.com:AssumeRoot",
        "iam.amazonaws.com:CreateAccessKey",
        "iam.amazonaws.com:DeactivateMFADevice",
        "iam.amazonaws.com:EnableMFADevice",
    ];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[iam.root_user]
require_mfa                = true
require_hardware_mfa       = true
allow_access_keys          = false
allow_signing_certificates = false
max_days_since_last_use    = 90
expect_no_password         = false
"#,
        r#"
[iam.root_user]
require_mfa                = false
require_hardware_mfa       = true
allow_access_keys          = true
allow_signing_certificates = true
max_days_since_last_use    = 1
expect_no_password         = true
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(_spec: &Spec) -> Vec<SpecProblem> {
        Vec::new()
    }

    fn calls(action: &Action) -> Vec<Call> {
        match *action {}
    }

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let (summary, virtual_mfa_devices, last_use) = together!(
            async { Ok(cx.read(GET_SUMMARY, "", client.get_account_summary().send()).await?) },
            async {
                match spec.require_hardware_mfa {
                    Some(true) => virtual_devices(cx).await.map(Some),
                    _ => Ok(None),
                }
            },
            async {
                match spec.max_days_since_last_use {
                    Some(_) => report::root_last_use(cx).await,
                    None => Ok(None),
                }
            },
        )?;
        let summary = summary.summary_map();
        let present = |key: &str| {
            let member = SummaryKeyType::from(key);
            summary.and_then(|map| map.get(&member)).map(|count| *count > 0)
        };
        let must = |key: &str| told(&format!("SummaryMap.{key}"), present(key));
        let mfa_enabled = must("AccountMFAEnabled")?;
        let access_keys_present = must("AccountAccessKeysPresent")?;
        // Whether MFA is needed depends on the password where nothing else decides.
        let password_decides = spec.expect_no_password == Some(true)
            || (spec.asks_for_mfa() && !mfa_enabled && !access_keys_present);
        let password_present = match password_decides {
            true => Some(must("AccountPasswordPresent")?),
            false => present("AccountPasswordPresent"),
        };
        let state = State {
            mfa_enabled,
            access_keys_present,
            signing_certificates_present: must("AccountSigningCertificatesPresent")?,
            password_present,
            virtual_mfa_devices,
            last_use,
        };
        Ok(vec![Object::present("", state)])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let Some(state) = object.state() else { return Vec::new() };
        let mut findings = Vec::new();
        let mut find = |field: &str, actual: &str, desired: &str, what_to_do: &str| {
            let mut drift = Drift::new();
            drift.add(field, Some(actual), Some(desired));
            findings.push(Change::finding(drift).withhold(what_to_do));
        };
        for field in ["allow_access_keys", "allow_signing_certificates", "max_days_since_last_use"]
        {
            compared::mark(field);
        }
        if state.password_present.is_some() || spec.expect_no_password == Some(false) {
            compared::mark("expect_no_password");
        }
        let has_credentials = match state.access_keys_present {
            true => Some(true),
            false => state.password_present,
        };
        let knows_need = state.mfa_enabled || has_credentials.is_some();
        if knows_need || spec.require_mfa == Some(false) {
            compared::mark("require_mfa");
        }
        if (knows_need && state.virtual_mfa_devices.is_some())
            || spec.require_hardware_mfa == Some(false)
        {
            compared::mark("require_hardware_mfa");
        }
        if spec.asks_for_mfa() && has_credentials == Some(true) && !state.mfa_enabled {
            let field = match spec.require_mfa {
                Some(true) => "require_mfa",
                _ => "require_hardware_mfa",
            };
            find(
                field,
                "no MFA",
                "MFA",
                "sign in as the root user and register MFA, or remove its credentials from the management account",
            );
        }
        let devices = state.virtual_mfa_devices.as_deref().unwrap_or_default();
        if spec.require_hardware_mfa == Some(true) && !devices.is_empty() {
            find(
                "require_hardware_mfa",
                &format!("virtual device {}", devices.join(", ")),
                "no virtual device",
                "register a security key as the root user, then remove the virtual device",
            );
        }
        if spec.allow_access_keys == Some(false) && state.access_keys_present {
            find(
                "allow_access_keys",
                "access keys",
                "none",
                "find out what uses the keys, then delete them as the root user: they can do everything",
            );
        }
        if spec.allow_signing_certificates == Some(false) && state.signing_certificates_present {
            find(
                "allow_signing_certificates",
                "signing certificates",
                "none",
                "delete them as the root user",
            );
        }
        if let (Some(limit), Some(last)) = (spec.max_days_since_last_use, &state.last_use)
            && last.days_ago < limit
        {
            find(
                "max_days_since_last_use",
                &format!("used {} days ago, on {}", last.days_ago, last.date),
                &format!("not used for {limit} days"),
                "find out in CloudTrail what the root user did, and make a role for it",
            );
        }
        if spec.expect_no_password == Some(true) && state.password_present == Some(true) {
            find(
                "expect_no_password",
                "a password",
                "none",
                "delete the root user's credentials from the management account (centralized root access)",
            );
        }
        findings
    }

    async fn apply(_cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        match *action {}
    }

    fn undo(action: &Action, _before: &Object<State>) -> Undo<Action> {
        match *action {}
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        // A requirement that holds for want of a password is declared only where AWS says so.
        let without_credentials =
            !state.access_keys_present && state.password_present == Some(false);
        let undecided =
            !state.mfa_enabled && !state.access_keys_present && state.password_present.is_none();
        Some(Spec {
            require_mfa: (!undecided).then_some(state.mfa_enabled || without_credentials),
            require_hardware_mfa: state.virtual_mfa_devices.as_ref().map(Vec::is_empty),
            allow_access_keys: Some(state.access_keys_present),
            allow_signing_certificates: Some(state.signing_certificates_present),
            max_days_since_last_use: None,
            expect_no_password: state.password_present.map(|present| !present),
        })
    }
}

/// Serial numbers of the virtual MFA devices that are the root user's.
async fn virtual_devices(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    let client = cx.client(Client::new);
    let devices = cx
        .read(LIST_MFA, "", async {
            client
                .list_virtual_mfa_devices()
                .assignment_status(AssignmentStatusType::Assigned)
                .into_paginator()
                .items()
                .send()
                .collect::<Result<Vec<_>, _>>()
                .await
        })
        .await?;
    let mut roots = Vec::new();
    for device in devices.iter() {
        // Assigned devices have a user; the root user comes without name and path.
        let user = told("VirtualMFADevices.User", device.user())?;
        let arn =
            told("VirtualMFADevices.User.Arn", Some(user.arn()).filter(|arn| !arn.is_empty()))?;
        if arn.ends_with(":root") {
            roots.push(device.serial_number().to_owned());
        }
    }
    Ok(roots)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::names::{ItemName, Region};

    fn facts() -> Facts {
        Facts {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            region: Region::new("us-east-1"),
            home_region: Region::new("us-east-1"),
            item: ItemName::singleton(RootUser::NAME),
        }
    }

    fn locked() -> State {
        State {
            mfa_enabled: true,
            access_keys_present: false,
            signing_certificates_present: false,
            password_present: Some(true),
            virtual_mfa_devices: Some(Vec::new()),
            last_use: None,
        }
    }

    fn strict() -> Spec {
        Spec {
            require_mfa: Some(true),
            require_hardware_mfa: Some(true),
            allow_access_keys: Some(false),
            allow_signing_certificates: Some(false),
            max_days_since_last_use: Some(90),
            expect_no_password: None,
        }
    }

    fn fields(spec: &Spec, state: State) -> Vec<String> {
        RootUser::diff(&facts(), spec, &Object::present("", state))
            .into_iter()
            .inspect(|change| assert!(change.action.is_none() && change.withheld.is_some()))
            .map(|change| change.drift[0].field.clone())
            .collect()
    }

    #[test]
    fn each_weakness_is_one_finding() {
        let used = |days_ago| Some(report::LastUse { date: "2026-01-01".to_owned(), days_ago });
        assert!(fields(&strict(), locked()).is_empty());
        let cases = [
            (State { mfa_enabled: false, ..locked() }, vec!["require_mfa"]),
            (
                State { virtual_mfa_devices: Some(vec!["arn".to_owned()]), ..locked() },
                vec!["require_hardware_mfa"],
            ),
            (State { access_keys_present: true, ..locked() }, vec!["allow_access_keys"]),
            (
                State { signing_certificates_present: true, ..locked() },
                vec!["allow_signing_certificates"],
            ),
            (State { last_use: used(3), ..locked() }, vec!["max_days_since_last_use"]),
            (State { last_use: used(90), ..locked() }, vec![]),
        ];
        for (state, expected) in cases {
            assert_eq!(fields(&strict(), state), expected);
        }
        let spec = Spec { expect_no_password: Some(true), ..Spec::default() };
        assert_eq!(fields(&spec, locked()), ["expect_no_password"]);
    }

    /// A promise of hardware is one of MFA.
    #[test]
    fn no_mfa_at_all_is_no_hardware() {
        let spec = Spec { require_hardware_mfa: Some(true), ..Spec::default() };
        let bare = State { mfa_enabled: false, ..locked() };
        assert_eq!(fields(&spec, bare.clone()), ["require_hardware_mfa"]);
        let keys =
            State { access_keys_present: true, password_present: Some(false), ..bare.clone() };
        assert_eq!(fields(&spec, keys), ["require_hardware_mfa"]);
        let none = State { password_present: Some(false), ..bare.clone() };
        assert!(fields(&spec, none).is_empty(), "nothing that could be stolen");
        let untold = Object::present("", State { password_present: None, ..bare });
        let (_, looked_at) = compared::during(|| RootUser::diff(&facts(), &spec, &untold));
        assert!(!looked_at.contains("require_hardware_mfa"));
    }

    #[test]
    fn without_credentials_no_mfa_is_needed() {
        let state = State { mfa_enabled: false, password_present: Some(false), ..locked() };
        assert!(fields(&strict(), state).is_empty());
    }

    /// What AWS left out is not compared, so that the root user is unknown and never in sync.
    #[test]
    fn what_was_not_read_is_not_compared() {
        let looked_at = |spec: &Spec, state: State| {
            let object = Object::present("", state);
            compared::during(|| RootUser::diff(&facts(), spec, &object)).1
        };
        let untold = State { mfa_enabled: false, password_present: None, ..locked() };
        let fields = looked_at(&strict(), untold.clone());
        assert!(!fields.contains("require_mfa") && !fields.contains("expect_no_password"));
        let with_keys = State { access_keys_present: true, ..untold.clone() };
        assert!(looked_at(&strict(), with_keys).contains("require_mfa"), "keys decide alone");
        let with_mfa = State { mfa_enabled: true, ..untold };
        assert!(looked_at(&strict(), with_mfa).contains("require_mfa"), "MFA is there anyway");
        let unread = State { virtual_mfa_devices: None, ..locked() };
        assert!(!looked_at(&strict(), unread).contains("require_hardware_mfa"));
    }

    #[test]
    fn nothing_declared_is_no_finding() {
        let state = State { mfa_enabled: false, access_keys_present: true, ..locked() };
        assert!(fields(&Spec::default(), state).is_empty());
    }
}
