//! `iam.root_user`: whether the root user is locked away. Reports only.

mod report;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{AssignmentStatusType, SummaryKeyType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::kinds::shapes::{Audit, Findings};
use crate::kinds::together::{together, when};
use crate::kinds::{Controls, Cx, Facts, Object, ObserveError, Scope, Use, told};
use crate::names::Arn;

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
    pub require_mfa: Option<bool>,
    /// Whether a virtual MFA device is a finding, and no MFA at all as long as there is a password or a
    /// key. That none is found does not prove that the device is hardware: passkeys are in no list.
    pub require_hardware_mfa: Option<bool>,
    /// Whether access keys may exist.
    pub allow_access_keys: Option<bool>,
    /// Whether signing certificates may exist.
    pub allow_signing_certificates: Option<bool>,
    /// A use within so many days, 1 to 400, is a finding. AWS renews its report every four hours.
    #[schemars(range(min = 1, max = 400))]
    pub max_days_since_last_use: Option<u32>,
    /// Whether a password is a finding; for members of an organization with centralized root access.
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

/// The kind.
pub struct RootUser;

impl Audit for RootUser {
    const NAME: &'static str = "iam.root_user";
    const SCOPE: Scope = Scope::Global;
    const CONTROLS: Controls = Controls {
        cis_v3: &["1.4", "1.5", "1.6", "1.7"],
        cis_v5: &["1.3", "1.4", "1.5", "1.6"],
        fsbp: &["IAM.4", "IAM.6"],
        security_hub: &["IAM.9"],
        well_architected: &["SEC01-BP02", "SEC02-BP01"],
        by_fields: &[
            (&["1.3", "IAM.4"], &["allow_access_keys"]),
            // A root user without a password needs no MFA, says AWS of both.
            (&["1.4", "IAM.9"], &["require_mfa", "require_hardware_mfa", "expect_no_password"]),
            (&["1.5", "IAM.6"], &["require_hardware_mfa", "expect_no_password"]),
            (&["1.6"], &["max_days_since_last_use"]),
        ],
    };
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
    const OF_OTHERS: &'static [&'static str] = &["userName"];
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

    async fn observe(cx: &Cx, spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let (summary, virtual_mfa_devices, last_use) = together!(
            async { Ok(cx.read(GET_SUMMARY, "", client.get_account_summary().send()).await?) },
            when(spec.require_hardware_mfa == Some(true), virtual_devices(cx)),
            when(spec.max_days_since_last_use.is_some(), report::root_last_use(cx)),
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
            last_use: last_use.flatten(),
        };
        Ok(vec![Object::present("", state)])
    }

    fn judge(_facts: &Facts, spec: &Spec, state: &State) -> Findings {
        let mut findings = Findings::new();
        let without_mfa = match (state.mfa_enabled, state.access_keys_present) {
            (true, _) => Some(false),
            (false, true) => Some(true),
            (false, false) => state.password_present,
        };
        findings.judge(
            "require_mfa",
            asked(spec.require_mfa, true, without_mfa),
            "no MFA",
            "MFA",
            "sign in as the root user and register MFA, or remove its credentials from the management account",
        );
        let devices = state.virtual_mfa_devices.as_ref();
        // No MFA at all is no hardware; where MFA is asked for by itself, it is said there.
        let bare = without_mfa.map(|bare| bare && spec.require_mfa != Some(true));
        let is_weak = devices.and_then(|some| if some.is_empty() { bare } else { Some(true) });
        let (said, wanted, remedy) = match devices.filter(|some| !some.is_empty()) {
            Some(some) => (
                format!("virtual device {}", some.join(", ")),
                "no virtual device",
                "register a security key as the root user, then remove the virtual device",
            ),
            None => (
                "no MFA".to_owned(),
                "hardware MFA",
                "sign in as the root user and register a security key, or remove its credentials from the management account",
            ),
        };
        findings.judge(
            "require_hardware_mfa",
            asked(spec.require_hardware_mfa, true, is_weak),
            said,
            wanted,
            remedy,
        );
        findings.judge(
            "allow_access_keys",
            asked(spec.allow_access_keys, false, Some(state.access_keys_present)),
            "access keys",
            "none",
            "find out what uses the keys, then delete them as the root user: they can do everything",
        );
        findings.judge(
            "allow_signing_certificates",
            asked(spec.allow_signing_certificates, false, Some(state.signing_certificates_present)),
            "signing certificates",
            "none",
            "delete them as the root user",
        );
        let limit = spec.max_days_since_last_use.unwrap_or(0);
        let last = state.last_use.as_ref().filter(|last| last.days_ago < limit);
        findings.judge(
            "max_days_since_last_use",
            spec.max_days_since_last_use.map(|_| last.is_some()),
            last.map(|last| format!("used {} ago, on {}", days(last.days_ago), last.date))
                .unwrap_or_default(),
            format!("not used for {}", days(limit)),
            "find out in CloudTrail what the root user did, and make a role for it",
        );
        findings.judge(
            "expect_no_password",
            asked(spec.expect_no_password, true, state.password_present),
            "a password",
            "none",
            "delete the root user's credentials from the management account (centralized root access)",
        );
        findings
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        // A requirement that holds for want of a password is declared only where AWS says so.
        let without_credentials =
            !state.access_keys_present && state.password_present == Some(false);
        let undecided =
            !state.mfa_enabled && !state.access_keys_present && state.password_present.is_none();
        let protected = (!undecided).then_some(state.mfa_enabled || without_credentials);
        let devices = state.virtual_mfa_devices.as_ref();
        Some(Spec {
            require_mfa: protected,
            // Without a virtual device it holds where MFA holds at all.
            require_hardware_mfa: devices
                .and_then(|some| if some.is_empty() { protected } else { Some(false) }),
            allow_access_keys: Some(state.access_keys_present),
            allow_signing_certificates: Some(state.signing_certificates_present),
            max_days_since_last_use: None,
            expect_no_password: state.password_present.map(|present| !present),
        })
    }
}

fn days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// Whether something is weak: only where the declaration `demands` that it is not, and not a question
/// where nothing is declared.
fn asked(declared: Option<bool>, demands: bool, is_weak: Option<bool>) -> Option<bool> {
    if declared? == demands { is_weak } else { Some(false) }
}

/// Serial numbers of the virtual MFA devices that are the root user's.
async fn virtual_devices(cx: &Cx) -> Result<Vec<String>, ObserveError> {
    let client = cx.client(Client::new);
    let devices = cx
        .pages(
            LIST_MFA,
            "",
            client
                .list_virtual_mfa_devices()
                .assignment_status(AssignmentStatusType::Assigned)
                .into_paginator()
                .items()
                .send(),
        )
        .await?;
    let mut roots = Vec::new();
    for device in devices.iter() {
        // Assigned devices have a user; the root user comes without name and path.
        let user = told("VirtualMFADevices.User", device.user())?;
        let arn =
            told("VirtualMFADevices.User.Arn", Some(user.arn()).filter(|arn| !arn.is_empty()))?;
        if Arn::parse(arn).is_some_and(|arn| arn.resource == "root") {
            roots.push(device.serial_number().to_owned());
        }
    }
    Ok(roots)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Inspect;
    use crate::kinds::{Kind, compared};

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
        Inspect::<RootUser>::diff(
            &Facts::example(RootUser::NAME),
            spec,
            &Object::present("", state),
        )
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
        let facts = Facts::example(RootUser::NAME);
        let (_, looked_at) = compared::during(|| Inspect::<RootUser>::diff(&facts, &spec, &untold));
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
            compared::during(|| {
                Inspect::<RootUser>::diff(&Facts::example(RootUser::NAME), spec, &object)
            })
            .1
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

    #[test]
    fn what_is_exported_holds_in_every_state() {
        let device = || Some(vec!["arn".to_owned()]);
        for bits in 0..8_u8 {
            for password_present in [None, Some(false), Some(true)] {
                for virtual_mfa_devices in [None, Some(Vec::new()), device()] {
                    let state = State {
                        mfa_enabled: bits & 1 > 0,
                        access_keys_present: bits & 2 > 0,
                        signing_certificates_present: bits & 4 > 0,
                        password_present,
                        virtual_mfa_devices,
                        last_use: None,
                    };
                    let facts = Facts::example(RootUser::NAME);
                    let object = Object::present("", state.clone());
                    let spec = RootUser::export(&facts, &object).unwrap();
                    assert!(fields(&spec, state.clone()).is_empty(), "{state:?}\n{spec:?}");
                }
            }
        }
    }
}
