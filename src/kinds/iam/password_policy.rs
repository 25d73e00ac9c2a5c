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
use crate::baseline::catalog::SpecProblem;
use crate::kinds::calls::everywhere;
use crate::kinds::shapes::{Setting, Unset, Write};
use crate::kinds::{
    Change, Controls, Cx, Object, ObserveError, Risk, Scope, Stricter, Use, WriteCx, WriteError,
    count, sendable, told,
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
pub struct Policy {
    /// The least number of characters, 6 to 128. AWS's built-in rules ask for 8. CIS and the AWS Foundational
    /// Security Best Practices ask for 14 and 8.
    #[schemars(range(min = 6, max = 128))]
    pub minimum_password_length: Option<u32>,
    /// Whether a password needs one of `! @ # $ % ^ & * ( ) _ + - = [ ] { } | '`.
    pub require_symbols: Option<bool>,
    /// Whether a password needs a digit.
    pub require_numbers: Option<bool>,
    /// Whether a password needs an upper-case letter (A to Z).
    pub require_uppercase_characters: Option<bool>,
    /// Whether a password needs a lower-case letter (a to z).
    pub require_lowercase_characters: Option<bool>,
    /// Whether users may change their own password.
    pub allow_users_to_change_password: Option<bool>,
    /// Days after which a password expires, 1 to 1095; 0 means that passwords never expire.
    #[schemars(range(min = 0, max = 1095))]
    pub max_password_age: Option<u32>,
    /// How many former passwords a user may not use again, 1 to 24; 0 turns the check off.
    #[schemars(range(min = 0, max = 24))]
    pub password_reuse_prevention: Option<u32>,
    /// Whether a user whose password has expired is locked out until an administrator resets it.
    pub hard_expiry: Option<bool>,
}

/// What AWS's built-in rules ask for in an account without a policy: the length, and how many of the
/// four kinds of characters. Passwords never expire, and may be used again.
const BUILT_IN_LENGTH: u32 = 8;
const BUILT_IN_KINDS: usize = 3;

impl Policy {
    /// The policy that is made where there is none. A rule of "any three kinds" cannot be said to
    /// AWS; asking for three certain ones lets through no password that the built-in rules refuse.
    fn made(spec: &Self) -> Self {
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
            minimum_password_length: spec.minimum_password_length.or(Some(BUILT_IN_LENGTH)),
            require_symbols: Some(symbols),
            require_numbers: Some(numbers),
            require_uppercase_characters: Some(uppercase),
            require_lowercase_characters: Some(lowercase),
            allow_users_to_change_password: spec.allow_users_to_change_password.or(Some(false)),
            max_password_age: spec.max_password_age.or(Some(0)),
            password_reuse_prevention: spec.password_reuse_prevention.or(Some(0)),
            hard_expiry: spec.hard_expiry.or(Some(false)),
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
        .filter(|kind| *kind == Some(true))
        .count()
    }

    /// In what it asks for less than AWS's built-in rules.
    fn weaker_than_built_in(&self) -> Vec<String> {
        let mut weaker = Vec::new();
        if let Some(length) =
            self.minimum_password_length.filter(|length| *length < BUILT_IN_LENGTH)
        {
            weaker.push(format!(
                "weaker than before: without a policy AWS asks for {BUILT_IN_LENGTH} characters, and this one for {length}"
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

/// The kind.
pub struct PasswordPolicy;

impl Setting for PasswordPolicy {
    const NAME: &'static str = "iam.password_policy";
    const SCOPE: Scope = Scope::Global;
    const CONTROLS: Controls = Controls {
        cis_v3: &["1.8", "1.9"],
        cis_v5: &["1.7", "1.8"],
        fsbp: &["IAM.7"],
        security_hub: &[
            "IAM.10", "IAM.11", "IAM.12", "IAM.13", "IAM.14", "IAM.15", "IAM.16", "IAM.17",
        ],
        well_architected: &["SEC02-BP01", "SEC02-BP05"],
        by_fields: &[
            (
                &["IAM.7", "IAM.10"],
                &[
                    "minimum_password_length",
                    "require_numbers",
                    "require_uppercase_characters",
                    "require_lowercase_characters",
                    "max_password_age",
                    "password_reuse_prevention",
                ],
            ),
            // PCI DSS, which IAM.10 is of, asks for no symbols.
            (&["IAM.7"], &["require_symbols"]),
            (&["1.7", "IAM.15"], &["minimum_password_length"]),
            (&["1.8", "IAM.16"], &["password_reuse_prevention"]),
            (&["IAM.11"], &["require_uppercase_characters"]),
            (&["IAM.12"], &["require_lowercase_characters"]),
            (&["IAM.13"], &["require_symbols"]),
            (&["IAM.14"], &["require_numbers"]),
            (&["IAM.17"], &["max_password_age"]),
        ],
    };
    const CALLS: &'static [Use<Policy>] =
        &[Use::read(GET), Use::write(UPDATE, everywhere), Use::undo(DELETE, everywhere)];
    const CLEAR: Option<Call> = Some(DELETE);
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

    const STRICTER: &'static [Stricter] = &[
        Stricter::Neither("allow_users_to_change_password"),
        Stricter::More("minimum_password_length"),
        Stricter::On("require_symbols"),
        Stricter::On("require_numbers"),
        Stricter::On("require_uppercase_characters"),
        Stricter::On("require_lowercase_characters"),
        Stricter::Less("max_password_age"),
        Stricter::More("password_reuse_prevention"),
        Stricter::On("hard_expiry"),
    ];

    type Record = Policy;

    fn check(declared: &Policy) -> Vec<SpecProblem> {
        if declared.hard_expiry == Some(true) && declared.max_password_age == Some(0) {
            return vec![SpecProblem::new(
                "hard_expiry",
                "hard_expiry has no effect when passwords never expire",
                "set max_password_age to 1 to 1095 days, or hard_expiry to false",
            )];
        }
        Vec::new()
    }

    async fn read(cx: &Cx) -> Result<Object<Policy>, ObserveError> {
        let request = cx.client(Client::new).get_account_password_policy();
        let answer = cx.read(GET, "", request.send()).await.absent_if(&["NoSuchEntity"])?;
        let Some(answer) = answer else { return Ok(Object::absent("")) };
        let policy = told("PasswordPolicy", answer.password_policy())?;
        Ok(Object::only(Some(read(policy)?)))
    }

    fn unset(declared: &Policy) -> Unset<Policy> {
        Unset::Nothing { first: Policy::made(declared) }
    }

    fn judge(
        mut change: Change<Write<Policy>>,
        now: Option<&Policy>,
        then: &Policy,
    ) -> Change<Write<Policy>> {
        if now.is_none() {
            change = then.weaker_than_built_in().into_iter().fold(change, Change::warn);
        }
        // Without a policy passwords never expire.
        let age = |policy: &Policy| policy.max_password_age.filter(|days| *days > 0);
        if let Some(days) = age(then)
            && now.and_then(age).is_none_or(|before| days < before)
        {
            change = change.risk(Risk::Disruptive).warn(format!(
                "users whose password is older than {days} days must change it at their next sign-in"
            ));
        }
        let locks_out = |policy: &Policy| policy.hard_expiry == Some(true);
        if locks_out(then) && !now.is_some_and(locks_out) {
            change = change.risk(Risk::Disruptive).warn(
                "users whose password has expired are locked out until an administrator resets it",
            );
        }
        change
    }

    fn call(_then: &Policy) -> Call {
        UPDATE
    }

    async fn put(cx: &WriteCx, then: &Policy) -> Result<(), WriteError> {
        let length = then.minimum_password_length;
        let length = length.map(|length| sendable("MinimumPasswordLength", length)).transpose()?;
        let request = cx
            .client(Client::new)
            .update_account_password_policy()
            .set_minimum_password_length(length)
            .set_require_symbols(then.require_symbols)
            .set_require_numbers(then.require_numbers)
            .set_require_uppercase_characters(then.require_uppercase_characters)
            .set_require_lowercase_characters(then.require_lowercase_characters)
            .set_allow_users_to_change_password(then.allow_users_to_change_password)
            .set_max_password_age(off_is_left_out("MaxPasswordAge", then.max_password_age)?)
            .set_password_reuse_prevention(off_is_left_out(
                "PasswordReusePrevention",
                then.password_reuse_prevention,
            )?)
            .set_hard_expiry(then.hard_expiry);
        cx.send(UPDATE, request.send()).await
    }

    async fn clear(cx: &WriteCx, _now: &Policy) -> Result<(), WriteError> {
        let request = cx.client(Client::new).delete_account_password_policy();
        cx.remove(DELETE, request.send(), &["NoSuchEntity"]).await
    }
}

/// The settings as AWS tells them.
fn read(policy: &PasswordPolicyOfAws) -> Result<Policy, ObserveError> {
    // An absent MaxPasswordAge means that passwords do not expire, which ExpirePasswords says too
    // (IAM API Reference, `PasswordPolicy`).
    let age = policy.max_password_age();
    if policy.expire_passwords() {
        told("MaxPasswordAge", age)?;
    } else if let Some(days) = age.filter(|days| *days > 0) {
        return Err(ObserveError::Malformed {
            field: "ExpirePasswords".to_owned(),
            problem: format!("it is false beside a MaxPasswordAge of {days}"),
        });
    }
    Ok(Policy {
        minimum_password_length: Some(count(
            "MinimumPasswordLength",
            told("MinimumPasswordLength", policy.minimum_password_length())?,
        )?),
        // The five and `ExpirePasswords` are of `booleanType`, which IAM's API model does not box, unlike
        // `HardExpiry` (`booleanObjectType`, boxed): such a member has a value always, and it is
        // false where the answer leaves it out (botocore, iam/2010-05-08/service-2.json; Smithy 1.0,
        // "box trait").
        require_symbols: Some(policy.require_symbols()),
        require_numbers: Some(policy.require_numbers()),
        require_uppercase_characters: Some(policy.require_uppercase_characters()),
        require_lowercase_characters: Some(policy.require_lowercase_characters()),
        allow_users_to_change_password: Some(policy.allow_users_to_change_password()),
        max_password_age: Some(count("MaxPasswordAge", age.unwrap_or(0))?),
        // Set by nobody, they have the defaults that `UpdateAccountPasswordPolicy` documents: 0 and
        // false. AWS leaves both out then.
        password_reuse_prevention: Some(count(
            "PasswordReusePrevention",
            policy.password_reuse_prevention().unwrap_or(0),
        )?),
        hard_expiry: Some(policy.hard_expiry().unwrap_or(false)),
    })
}

/// A number as AWS takes it, where 0 means "off": AWS turns these two settings off when they are left
/// out, and 0 is outside their range.
fn off_is_left_out(field: &str, value: Option<u32>) -> Result<Option<i32>, WriteError> {
    value.filter(|value| *value > 0).map(|value| sendable(field, value)).transpose()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::kinds::shapes::Whole;
    use crate::kinds::{Facts, Kind, Undo};

    fn diff(spec: &Policy, object: &Object<Policy>) -> Vec<Change<Write<Policy>>> {
        Whole::<PasswordPolicy>::diff(&Facts::example(PasswordPolicy::NAME), spec, object)
    }

    fn weak() -> Object<Policy> {
        let spec = Policy {
            minimum_password_length: Some(8),
            require_symbols: Some(false),
            require_numbers: Some(false),
            require_uppercase_characters: Some(false),
            require_lowercase_characters: Some(false),
            ..Policy::default()
        };
        Object::present("", Policy::made(&spec))
    }

    fn made(spec: &Policy) -> (Policy, Change<Write<Policy>>) {
        let mut changes = diff(spec, &Object::absent(""));
        let change = changes.remove(0);
        let Some(Write::Put { record: policy }) = change.action.clone() else {
            panic!("no update")
        };
        (policy, change)
    }

    #[test]
    fn the_first_policy_shows_every_setting_and_asks_for_no_less_than_aws_did() {
        let (policy, change) = made(&Policy { max_password_age: Some(90), ..Policy::default() });
        assert_eq!((policy.minimum_password_length, policy.kinds()), (Some(8), 3));
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
        let strong = Policy { require_symbols: Some(true), ..Policy::default() };
        assert_eq!(made(&strong).0.kinds(), 3, "symbols are one of the three");
        let no_digits = Policy { require_numbers: Some(false), ..Policy::default() };
        let (policy, change) = made(&no_digits);
        assert!(policy.require_symbols == Some(true) && policy.require_numbers == Some(false));
        assert!(!change.warnings.concat().contains("weaker"));
        let short = Policy { minimum_password_length: Some(6), ..Policy::default() };
        let (policy, change) = made(&short);
        assert_eq!(policy.minimum_password_length, Some(6));
        assert!(change.warnings.concat().contains("8 characters, and this one for 6"));
        let two = Policy { require_symbols: Some(false), ..no_digits };
        let (policy, change) = made(&two);
        assert_eq!(policy.kinds(), 2);
        assert!(change.warnings.concat().contains("kinds of characters, and this one for 2"));
    }

    #[test]
    fn what_aws_leaves_out_means_what_it_documents_or_is_not_known() {
        let answer = || PasswordPolicyOfAws::builder().minimum_password_length(8);
        let off = read(&answer().build()).unwrap();
        assert_eq!((off.max_password_age, off.password_reuse_prevention), (Some(0), Some(0)));
        assert!(off.hard_expiry == Some(false) && off.require_symbols == Some(false));
        for untold in [
            PasswordPolicyOfAws::builder().require_symbols(true),
            answer().expire_passwords(true),
            answer().max_password_age(-1),
            answer().expire_passwords(false).max_password_age(90),
        ] {
            assert!(read(&untold.build()).is_err());
        }
    }

    #[test]
    fn a_setting_that_is_not_declared_keeps_its_value() {
        let spec = Policy { require_symbols: Some(true), ..Policy::default() };
        let changes = diff(&spec, &weak());
        let Some(Write::Put { record: policy }) = &changes[0].action else { panic!("no update") };
        assert_eq!(policy.minimum_password_length, Some(8));
        assert_eq!(changes[0].drift.len(), 1);
        assert_eq!(changes[0].risk, Risk::Safe);
    }

    #[test]
    fn nothing_declared_is_nothing_to_do() {
        assert!(diff(&Policy::default(), &weak()).is_empty());
        assert!(diff(&Policy::default(), &Object::absent("")).is_empty());
    }

    #[test]
    fn a_shorter_password_age_is_disruptive() {
        let spec = Policy { max_password_age: Some(90), ..Policy::default() };
        let changes = diff(&spec, &weak());
        assert_eq!(changes[0].risk, Risk::Disruptive);
        assert!(changes[0].warnings[0].contains("older than 90 days"));
    }

    #[test]
    fn undo_restores_or_deletes() {
        let action = Write::Clear { record: Policy::default() };
        let undo = |before| Whole::<PasswordPolicy>::undo(&action, &before);
        let Undo::By(actions) = undo(weak()) else { panic!("no undo") };
        assert!(
            matches!(&actions[0], Write::Put { record } if record.minimum_password_length == Some(8))
        );
        assert_eq!(undo(Object::absent("")), Undo::By(vec![action.clone()]));
    }
}
