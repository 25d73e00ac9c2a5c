//! `iam.password_policy`: the rules for the passwords of IAM users.
//!
//! `UpdateAccountPasswordPolicy` replaces the whole policy: a parameter that is left out goes
//! back to its default. So every write carries all nine settings, those that are not declared
//! with the value that they have today.

use aws_sdk_iam::Client;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Status, Undo, Use,
    WriteCx, WriteError, control,
};

const GET: Call = Call::new("iam", "GetAccountPasswordPolicy");
const UPDATE: Call = Call::new("iam", "UpdateAccountPasswordPolicy");
const DELETE: Call = Call::new("iam", "DeleteAccountPasswordPolicy");

/// The rules for the passwords of IAM users in an account. They do not apply to the root user,
/// to federated users or to IAM Identity Center.
///
/// An account where nobody has set a policy follows AWS's built-in rules (8 characters, three of
/// four character classes); evenkeel shows such a policy as not set.
///
/// AWS replaces the whole policy with every write. evenkeel therefore sends all settings each
/// time: the declared ones, and the others as they are.
///
/// Source: IAM API Reference, `UpdateAccountPasswordPolicy`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The least number of characters, 6 to 128. AWS's default is 6. CIS and the AWS Foundational
    /// Security Best Practices ask for 14 and 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 6, max = 128))]
    pub minimum_password_length: Option<u32>,
    /// Whether a password needs one of `! @ # $ % ^ & * ( ) _ + - = [ ] { } | '`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_symbols: Option<bool>,
    /// Whether a password needs a digit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_numbers: Option<bool>,
    /// Whether a password needs an upper-case letter (A to Z).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_uppercase_characters: Option<bool>,
    /// Whether a password needs a lower-case letter (a to z).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require_lowercase_characters: Option<bool>,
    /// Whether users may change their own password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_users_to_change_password: Option<bool>,
    /// Days after which a password expires, 1 to 1095; 0 means that passwords never expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 1095))]
    pub max_password_age: Option<u32>,
    /// How many former passwords a user may not use again, 1 to 24; 0 turns the check off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 24))]
    pub password_reuse_prevention: Option<u32>,
    /// Whether a user whose password has expired is locked out until an administrator resets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hard_expiry: Option<bool>,
}

/// A password policy with all its settings; 0 means "off" as in the spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    minimum_password_length: u32,
    require_symbols: bool,
    require_numbers: bool,
    require_uppercase_characters: bool,
    require_lowercase_characters: bool,
    allow_users_to_change_password: bool,
    max_password_age: u32,
    password_reuse_prevention: u32,
    hard_expiry: bool,
}

impl State {
    /// What AWS sets for parameters that an update leaves out.
    const API_DEFAULT: Self = Self {
        minimum_password_length: 6,
        require_symbols: false,
        require_numbers: false,
        require_uppercase_characters: false,
        require_lowercase_characters: false,
        allow_users_to_change_password: false,
        max_password_age: 0,
        password_reuse_prevention: 0,
        hard_expiry: false,
    };
}

/// The writes of this kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Replaces the whole policy.
    Update {
        /// All settings.
        policy: State,
    },
    /// Goes back to AWS's built-in rules; only to undo the first update.
    Delete,
}

/// The kind.
pub struct PasswordPolicy;

impl Kind for PasswordPolicy {
    const NAME: &'static str = "iam.password_policy";
    const SCOPE: Scope = Scope::Global;
    const IDENTITY: Identity = Identity::Singleton;
    const CONTROLS: &'static [Control] = &[
        control("cis-v3", "1.8"),
        control("cis-v3", "1.9"),
        control("cis-v5", "1.7"),
        control("cis-v5", "1.8"),
        control("fsbp", "IAM.7"),
        control("fsbp", "IAM.10"),
        control("fsbp", "IAM.11"),
        control("fsbp", "IAM.12"),
        control("fsbp", "IAM.13"),
        control("fsbp", "IAM.14"),
        control("fsbp", "IAM.15"),
        control("fsbp", "IAM.16"),
        control("fsbp", "IAM.17"),
        control("wa-security", "SEC02-BP01"),
        control("wa-security", "SEC02-BP05"),
    ];
    const CALLS: &'static [Use<Spec>] =
        &[Use::read(GET), Use::write(UPDATE, everywhere), Use::undo(DELETE)];
    const SAMPLES: &'static [&'static str] = &[
        r#"
[iam.password_policy]
minimum_password_length        = 14
require_symbols                = true
require_numbers                = true
require_uppercase_characters   = true
require_lowercase_characters   = true
allow_users_to_change_password = true
max_password_age               = 90
password_reuse_prevention      = 24
hard_expiry                    = false
"#,
        r#"
[iam.password_policy]
minimum_password_length        = 20
require_symbols                = false
require_numbers                = false
require_uppercase_characters   = false
require_lowercase_characters   = false
allow_users_to_change_password = false
max_password_age               = 365
password_reuse_prevention      = 0
hard_expiry                    = true
"#,
    ];

    type Spec = Spec;
    type State = State;
    type Action = Action;

    fn check(spec: &Spec) -> Vec<SpecProblem> {
        if spec.hard_expiry == Some(true) && spec.max_password_age == Some(0) {
            return vec![SpecProblem {
                field: "hard_expiry".to_owned(),
                message: "hard_expiry has no effect when passwords never expire".to_owned(),
                help: Some(
                    "set max_password_age to 1 to 1095 days, or hard_expiry to false".to_owned(),
                ),
            }];
        }
        Vec::new()
    }

    fn calls(action: &Action) -> Vec<Call> {
        vec![match action {
            Action::Update { .. } => UPDATE,
            Action::Delete => DELETE,
        }]
    }

    async fn observe(cx: &Cx, _spec: &Spec) -> Result<Vec<Object<State>>, ObserveError> {
        let client = cx.client(Client::new);
        let answer = cx
            .read(GET, "", client.get_account_password_policy().send())
            .await
            .absent_if(&["NoSuchEntity"])?;
        let Some(policy) = answer.as_ref().and_then(|answer| answer.password_policy()) else {
            return Ok(vec![Object::absent("")]);
        };
        let state = State {
            minimum_password_length: count(
                "MinimumPasswordLength",
                policy.minimum_password_length(),
            )?
            .max(State::API_DEFAULT.minimum_password_length),
            require_symbols: policy.require_symbols(),
            require_numbers: policy.require_numbers(),
            require_uppercase_characters: policy.require_uppercase_characters(),
            require_lowercase_characters: policy.require_lowercase_characters(),
            allow_users_to_change_password: policy.allow_users_to_change_password(),
            max_password_age: count("MaxPasswordAge", policy.max_password_age())?,
            password_reuse_prevention: count(
                "PasswordReusePrevention",
                policy.password_reuse_prevention(),
            )?,
            hard_expiry: policy.hard_expiry().unwrap_or_default(),
        };
        Ok(vec![Object::present("", state)])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let now = object.state();
        let base = now.unwrap_or(&State::API_DEFAULT);
        let mut drift = Drift::new();
        macro_rules! settle {
            ($field:ident) => {{
                drift.compare(stringify!($field), now.map(|now| &now.$field), spec.$field.as_ref());
                spec.$field.unwrap_or(base.$field)
            }};
        }
        let policy = State {
            minimum_password_length: settle!(minimum_password_length),
            require_symbols: settle!(require_symbols),
            require_numbers: settle!(require_numbers),
            require_uppercase_characters: settle!(require_uppercase_characters),
            require_lowercase_characters: settle!(require_lowercase_characters),
            allow_users_to_change_password: settle!(allow_users_to_change_password),
            max_password_age: settle!(max_password_age),
            password_reuse_prevention: settle!(password_reuse_prevention),
            hard_expiry: settle!(hard_expiry),
        };
        if drift.is_empty() {
            return Vec::new();
        }
        let days = policy.max_password_age;
        let expires_sooner =
            days != 0 && (base.max_password_age == 0 || days < base.max_password_age);
        let locks_out = policy.hard_expiry && !base.hard_expiry;
        let mut change = Change::new(Action::Update { policy }, drift);
        if expires_sooner {
            change = change.risk(Risk::Disruptive).warn(format!(
                "users whose password is older than {days} days must change it at their next sign-in"
            ));
        }
        if locks_out {
            change = change.risk(Risk::Disruptive).warn(
                "users whose password has expired are locked out until an administrator resets it",
            );
        }
        vec![change]
    }

    async fn apply(cx: &WriteCx, action: &Action) -> Result<(), WriteError> {
        let client = cx.client(Client::new);
        match action {
            Action::Update { policy } => {
                let request = client
                    .update_account_password_policy()
                    .minimum_password_length(setting(policy.minimum_password_length))
                    .require_symbols(policy.require_symbols)
                    .require_numbers(policy.require_numbers)
                    .require_uppercase_characters(policy.require_uppercase_characters)
                    .require_lowercase_characters(policy.require_lowercase_characters)
                    .allow_users_to_change_password(policy.allow_users_to_change_password)
                    .set_max_password_age(off_is_left_out(policy.max_password_age))
                    .set_password_reuse_prevention(off_is_left_out(
                        policy.password_reuse_prevention,
                    ))
                    .hard_expiry(policy.hard_expiry);
                cx.write(UPDATE, request.send()).await.map(drop).map_err(Into::into)
            }
            Action::Delete => cx
                .write(DELETE, client.delete_account_password_policy().send())
                .await
                .absent_if(&["NoSuchEntity"])
                .map(drop)
                .map_err(Into::into),
        }
    }

    fn undo(_action: &Action, before: &Object<State>) -> Undo<Action> {
        match &before.status {
            Status::Present(policy) => Undo::By(vec![Action::Update { policy: policy.clone() }]),
            Status::Absent => Undo::By(vec![Action::Delete]),
            Status::Unknown(_) | Status::Skipped { .. } => {
                Undo::Impossible("the former policy was not observed".to_owned())
            }
        }
    }

    fn export(_facts: &Facts, object: &Object<State>) -> Option<Spec> {
        let state = object.state()?;
        Some(Spec {
            minimum_password_length: Some(state.minimum_password_length),
            require_symbols: Some(state.require_symbols),
            require_numbers: Some(state.require_numbers),
            require_uppercase_characters: Some(state.require_uppercase_characters),
            require_lowercase_characters: Some(state.require_lowercase_characters),
            allow_users_to_change_password: Some(state.allow_users_to_change_password),
            max_password_age: Some(state.max_password_age),
            password_reuse_prevention: Some(state.password_reuse_prevention),
            hard_expiry: Some(state.hard_expiry),
        })
    }
}

/// A count from AWS; absent is 0, a negative one is nonsense.
fn count(field: &str, value: Option<i32>) -> Result<u32, ObserveError> {
    u32::try_from(value.unwrap_or_default()).map_err(|error| ObserveError::Malformed {
        field: field.to_owned(),
        problem: error.to_string(),
    })
}

/// A count for AWS; the schema keeps it far below the limit.
fn setting(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

/// AWS turns these two settings off when they are left out; 0 is outside their range.
fn off_is_left_out(value: u32) -> Option<i32> {
    (value > 0).then(|| setting(value))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::names::{ItemName, Region};

    fn facts() -> Facts {
        Facts {
            account: "111122223333".parse().unwrap(),
            partition: "aws".to_owned(),
            region: Region::new("us-east-1"),
            home_region: Region::new("us-east-1"),
            item: ItemName::singleton(PasswordPolicy::NAME),
        }
    }

    fn weak() -> Object<State> {
        Object::present("", State { minimum_password_length: 8, ..State::API_DEFAULT })
    }

    #[test]
    fn a_setting_that_is_not_declared_keeps_its_value() {
        let spec = Spec { require_symbols: Some(true), ..Spec::default() };
        let changes = PasswordPolicy::diff(&facts(), &spec, &weak());
        let Some(Action::Update { policy }) = &changes[0].action else { panic!("no update") };
        assert_eq!(policy.minimum_password_length, 8);
        assert_eq!(changes[0].drift.len(), 1);
        assert_eq!(changes[0].risk, Risk::Safe);
    }

    #[test]
    fn nothing_declared_is_nothing_to_do() {
        assert!(PasswordPolicy::diff(&facts(), &Spec::default(), &weak()).is_empty());
        assert!(PasswordPolicy::diff(&facts(), &Spec::default(), &Object::absent("")).is_empty());
    }

    #[test]
    fn a_shorter_password_age_is_disruptive() {
        let spec = Spec { max_password_age: Some(90), ..Spec::default() };
        let changes = PasswordPolicy::diff(&facts(), &spec, &weak());
        assert_eq!(changes[0].risk, Risk::Disruptive);
        assert!(changes[0].warnings[0].contains("older than 90 days"));
    }

    #[test]
    fn undo_restores_or_deletes() {
        let action = Action::Delete;
        let Undo::By(actions) = PasswordPolicy::undo(&action, &weak()) else { panic!("no undo") };
        assert!(
            matches!(&actions[0], Action::Update { policy } if policy.minimum_password_length == 8)
        );
        assert_eq!(
            PasswordPolicy::undo(&action, &Object::absent("")),
            Undo::By(vec![Action::Delete])
        );
    }
}
