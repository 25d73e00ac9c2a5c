//! `iam.password_policy`: the rules for the passwords of IAM users.
//!
//! `UpdateAccountPasswordPolicy` replaces the whole policy: a parameter that is left out goes
//! back to its default. So every write carries all nine settings, those that are not declared
//! with the value that they have today.

use aws_sdk_iam::Client;
use aws_sdk_iam::types::PasswordPolicy as PasswordPolicyOfAws;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::aws::Call;
use crate::aws::error::AbsentIf;
use crate::baseline::catalog::{Identity, SpecProblem};
use crate::kinds::calls::everywhere;
use crate::kinds::{
    Change, Control, Cx, Drift, Facts, Kind, Object, ObserveError, Risk, Scope, Status, Undo, Use,
    WriteCx, WriteError, control, count, sendable, told,
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
/// time: the declared ones, and the others as they are. Where there is no policy yet, the plan shows
/// every setting of the one that it makes: those that are not declared ask for as much as AWS's
/// built-in rules did, and are off where these ask for nothing. A declared setting that is weaker
/// than the built-in rules is warned of.
///
/// Source: IAM API Reference, `UpdateAccountPasswordPolicy`, `PasswordPolicy`; IAM User Guide,
/// "Default password policy".
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The least number of characters, 6 to 128. AWS's built-in rules ask for 8. CIS and the AWS Foundational
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

/// What AWS's built-in rules ask for in an account without a policy: the length, and how many of the
/// four kinds of characters. Passwords never expire, and may be used again.
const BUILT_IN_LENGTH: u32 = 8;
const BUILT_IN_KINDS: usize = 3;

impl State {
    /// The policy that is made where there is none. A rule of "any three kinds" cannot be said to
    /// AWS; asking for three certain ones lets through no password that the built-in rules refuse.
    fn made(spec: &Spec) -> Self {
        let declared = [
            spec.require_lowercase_characters,
            spec.require_uppercase_characters,
            spec.require_numbers,
            spec.require_symbols,
        ];
        let mut kinds = declared.map(|kind| kind == Some(true));
        for (place, declared) in declared.iter().enumerate() {
            let asked = kinds.iter().filter(|kind| **kind).count();
            kinds[place] |= declared.is_none() && asked < BUILT_IN_KINDS;
        }
        let [lowercase, uppercase, numbers, symbols] = kinds;
        Self {
            minimum_password_length: spec.minimum_password_length.unwrap_or(BUILT_IN_LENGTH),
            require_symbols: symbols,
            require_numbers: numbers,
            require_uppercase_characters: uppercase,
            require_lowercase_characters: lowercase,
            allow_users_to_change_password: spec.allow_users_to_change_password.unwrap_or(false),
            max_password_age: spec.max_password_age.unwrap_or(0),
            password_reuse_prevention: spec.password_reuse_prevention.unwrap_or(0),
            hard_expiry: spec.hard_expiry.unwrap_or(false),
        }
    }

    /// How many kinds of characters a password needs.
    fn kinds(&self) -> usize {
        [
            self.require_symbols,
            self.require_numbers,
            self.require_uppercase_characters,
            self.require_lowercase_characters,
        ]
        .into_iter()
        .filter(|kind| *kind)
        .count()
    }

    /// In what it asks for less than AWS's built-in rules.
    fn weaker_than_built_in(&self) -> Vec<String> {
        let mut weaker = Vec::new();
        if self.minimum_password_length < BUILT_IN_LENGTH {
            weaker.push(format!(
                "weaker than before: without a policy AWS asks for {BUILT_IN_LENGTH} characters, and this one for {}",
                self.minimum_password_length
            ));
        }
        if self.kinds() < BUILT_IN_KINDS {
            weaker.push(format!(
                "weaker than before: without a policy AWS asks for {BUILT_IN_KINDS} of the four kinds of characters, and this one for {}",
                self.kinds()
            ));
        }
        weaker
    }
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
        let Some(answer) = answer else { return Ok(vec![Object::absent("")]) };
        let policy = told("PasswordPolicy", answer.password_policy())?;
        Ok(vec![Object::present("", read(policy)?)])
    }

    fn diff(_facts: &Facts, spec: &Spec, object: &Object<State>) -> Vec<Change<Action>> {
        let now = object.state();
        // What nobody declares is not made.
        if now.is_none() && *spec == Spec::default() {
            return Vec::new();
        }
        let base = now.cloned().unwrap_or_else(|| State::made(spec));
        let mut drift = Drift::new();
        let mut not_declared = Vec::new();
        macro_rules! settle {
            ($field:ident) => {{
                let name = stringify!($field);
                drift.compare(name, now.map(|now| &now.$field), spec.$field.as_ref());
                if now.is_none() && spec.$field.is_none() {
                    drift.add(name, None::<&str>, Some(&base.$field));
                    not_declared.push(name);
                }
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
        // Without a policy passwords never expire.
        let (age_before, locked_before) =
            now.map_or((0, false), |now| (now.max_password_age, now.hard_expiry));
        let days = policy.max_password_age;
        let expires_sooner = days != 0 && (age_before == 0 || days < age_before);
        let locks_out = policy.hard_expiry && !locked_before;
        let weaker = now.map_or_else(|| policy.weaker_than_built_in(), |_| Vec::new());
        let mut change = Change::new(Action::Update { policy }, drift);
        if !not_declared.is_empty() {
            change = change.warn(format!(
                "there is no policy yet, and AWS makes one as a whole; not declared: {}",
                not_declared.join(", ")
            ));
        }
        for warning in weaker {
            change = change.warn(warning);
        }
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
                    .minimum_password_length(sendable(
                        "MinimumPasswordLength",
                        policy.minimum_password_length,
                    )?)
                    .require_symbols(policy.require_symbols)
                    .require_numbers(policy.require_numbers)
                    .require_uppercase_characters(policy.require_uppercase_characters)
                    .require_lowercase_characters(policy.require_lowercase_characters)
                    .allow_users_to_change_password(policy.allow_users_to_change_password)
                    .set_max_password_age(off_is_left_out(
                        "MaxPasswordAge",
                        policy.max_password_age,
                    )?)
                    .set_password_reuse_prevention(off_is_left_out(
                        "PasswordReusePrevention",
                        policy.password_reuse_prevention,
                    )?)
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

/// The settings as AWS tells them.
fn read(policy: &PasswordPolicyOfAws) -> Result<State, ObserveError> {
    // An absent MaxPasswordAge means that passwords do not expire, which ExpirePasswords says too
    // (IAM API Reference, `PasswordPolicy`).
    let age = policy.max_password_age();
    if policy.expire_passwords() {
        told("MaxPasswordAge", age)?;
    }
    Ok(State {
        minimum_password_length: count(
            "MinimumPasswordLength",
            told("MinimumPasswordLength", policy.minimum_password_length())?,
        )?,
        // The API model gives these five the default false, so that absent is false.
        require_symbols: policy.require_symbols(),
        require_numbers: policy.require_numbers(),
        require_uppercase_characters: policy.require_uppercase_characters(),
        require_lowercase_characters: policy.require_lowercase_characters(),
        allow_users_to_change_password: policy.allow_users_to_change_password(),
        max_password_age: count("MaxPasswordAge", age.unwrap_or(0))?,
        // Set by nobody, they have the defaults that `UpdateAccountPasswordPolicy` documents: 0 and
        // false. AWS leaves both out then.
        password_reuse_prevention: count(
            "PasswordReusePrevention",
            policy.password_reuse_prevention().unwrap_or(0),
        )?,
        hard_expiry: policy.hard_expiry().unwrap_or(false),
    })
}

/// AWS turns these two settings off when they are left out; 0 is outside their range.
fn off_is_left_out(field: &str, value: u32) -> Result<Option<i32>, WriteError> {
    (value > 0).then(|| sendable(field, value)).transpose()
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
        let spec = Spec {
            minimum_password_length: Some(8),
            require_symbols: Some(false),
            require_numbers: Some(false),
            require_uppercase_characters: Some(false),
            require_lowercase_characters: Some(false),
            ..Spec::default()
        };
        Object::present("", State::made(&spec))
    }

    fn made(spec: &Spec) -> (State, Change<Action>) {
        let mut changes = PasswordPolicy::diff(&facts(), spec, &Object::absent(""));
        let change = changes.remove(0);
        let Some(Action::Update { policy }) = change.action.clone() else { panic!("no update") };
        (policy, change)
    }

    #[test]
    fn the_first_policy_shows_every_setting_and_asks_for_no_less_than_aws_did() {
        let (policy, change) = made(&Spec { max_password_age: Some(90), ..Spec::default() });
        assert_eq!((policy.minimum_password_length, policy.kinds()), (8, 3));
        assert_eq!(change.drift.len(), 9);
        let shown: Vec<_> = change.drift.iter().map(|drift| drift.field.as_str()).collect();
        for field in serde_json::to_value(&policy).unwrap().as_object().unwrap().keys() {
            assert!(shown.contains(&field.as_str()), "{field}");
        }
        assert!(change.warnings[0].contains("not declared: minimum_password_length"));
        assert!(!change.warnings.concat().contains("weaker"), "{:?}", change.warnings);
    }

    #[test]
    fn the_first_policy_is_as_declared_and_warns_where_it_is_weaker() {
        let strong = Spec { require_symbols: Some(true), ..Spec::default() };
        assert_eq!(made(&strong).0.kinds(), 3, "symbols are one of the three");
        let no_digits = Spec { require_numbers: Some(false), ..Spec::default() };
        let (policy, change) = made(&no_digits);
        assert!(policy.require_symbols && !policy.require_numbers);
        assert!(!change.warnings.concat().contains("weaker"));
        let short = Spec { minimum_password_length: Some(6), ..Spec::default() };
        let (policy, change) = made(&short);
        assert_eq!(policy.minimum_password_length, 6);
        assert!(change.warnings.concat().contains("8 characters, and this one for 6"));
        let two = Spec { require_symbols: Some(false), ..no_digits };
        let (policy, change) = made(&two);
        assert_eq!(policy.kinds(), 2);
        assert!(change.warnings.concat().contains("kinds of characters, and this one for 2"));
    }

    #[test]
    fn what_aws_leaves_out_means_what_it_documents_or_is_not_known() {
        let answer = || PasswordPolicyOfAws::builder().minimum_password_length(8);
        let off = read(&answer().build()).unwrap();
        assert_eq!((off.max_password_age, off.password_reuse_prevention), (0, 0));
        assert!(!off.hard_expiry && !off.require_symbols);
        for untold in [
            PasswordPolicyOfAws::builder().require_symbols(true),
            answer().expire_passwords(true),
            answer().max_password_age(-1),
        ] {
            assert!(read(&untold.build()).is_err());
        }
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
