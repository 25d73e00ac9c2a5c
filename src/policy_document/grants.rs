//! Which rises of privileges a new version of a policy makes: rights for other accounts, for
//! everybody, or over everything.
//!
//! When in doubt, a rise: what is named here is only reported until somebody allows its class.
//!
//! Sources: IAM User Guide, "AWS JSON policy elements: Principal", "Condition operators"; Amazon S3
//! User Guide, "The meaning of 'public'", for the conditions that narrow `*`.

mod administrator;
mod federated;
mod methods;
mod service;

use std::collections::BTreeSet;

use serde_json::Value;

use super::PolicyDocument;
use super::patterns::{covers_all, texts};
use super::statements::summary;
pub use super::words::account_of;
use crate::names::AccountId;
pub use administrator::{
    Known, allows_more, is_administrator_policy, managed_policy, may_deny, of_identity_policies,
    of_identity_policy,
};

/// A rise of privileges that a policy makes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rise {
    /// Somebody in another account.
    Foreign {
        /// Who gets what, in words.
        what: String,
        /// The accounts of all who get it; `None` where the policy does not say.
        accounts: Option<BTreeSet<AccountId>>,
    },
    /// Everybody, in words.
    Public(String),
    /// Rights over everything, in words.
    Administrator(String),
}

impl Rise {
    /// Rights for somebody in another account, of which nobody knows which.
    fn stranger(what: String) -> Self {
        Self::Foreign { what, accounts: None }
    }

    /// Rights for accounts; where one of these is none, nobody knows which.
    pub fn accounts<'a>(what: String, accounts: impl IntoIterator<Item = &'a str>) -> Self {
        let accounts: Result<BTreeSet<AccountId>, _> =
            accounts.into_iter().map(str::parse).collect();
        Self::Foreign { what, accounts: accounts.ok() }
    }

    /// Who gets what, in words.
    pub fn what(&self) -> &str {
        match self {
            Self::Foreign { what, .. } | Self::Public(what) | Self::Administrator(what) => what,
        }
    }
}

/// Condition keys whose values are accounts.
const ACCOUNT_KEYS: [&str; 5] = [
    "aws:principalaccount",
    "aws:sourceaccount",
    "aws:sourceowner",
    "kms:calleraccount",
    "aws:vpceaccount",
];
/// Condition keys whose values are ARNs of an account.
const ARN_KEYS: [&str; 2] = ["aws:principalarn", "aws:sourcearn"];
/// Condition keys that narrow `*` to somebody whose account cannot be read from the value. Whose access point it
/// is does not say whom its own policy lets in (Amazon S3 User Guide, "Delegating access control to access
/// points").
const OTHER_KEYS: [&str; 11] = [
    "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:sourceip",
    "aws:vpceorgid",
    "aws:userid",
];

/// Whom a statement means that names a service of AWS without saying on whose behalf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Services {
    /// Nobody else: a role is passed to a service within its account.
    OfTheAccount,
    /// Whoever uses the service (IAM User Guide, "The confused deputy problem").
    OfWhoeverUsesThem,
}

/// The rises of a bucket or key policy that replaces `before`, none when there was none.
pub fn of_resource_policy(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
    account: &str,
) -> Vec<Rise> {
    rises(before, after, account, Services::OfWhoeverUsesThem)
}

/// The rises of a trust policy that replaces `before`, none when there was none.
pub fn of_trust_policy(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
    account: &str,
) -> Vec<Rise> {
    rises(before, after, account, Services::OfTheAccount)
}

fn rises(
    before: Option<&PolicyDocument>,
    after: &PolicyDocument,
    account: &str,
    services: Services,
) -> Vec<Rise> {
    new_allows(before, after)
        .iter()
        .flat_map(|statement| principals(statement, account, services))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// The other accounts whose principals a policy gives rights.
pub fn accounts_let_in(policy: &PolicyDocument, account: &str) -> BTreeSet<AccountId> {
    rises(None, policy, account, Services::OfTheAccount)
        .into_iter()
        .filter_map(|rise| match rise {
            Rise::Foreign { accounts, .. } => accounts,
            Rise::Public(_) | Rise::Administrator(_) => None,
        })
        .flatten()
        .collect()
}

/// The denials that go when a trust, key or bucket policy replaces `before`: who put one there locked
/// something, and nobody knows whom it keeps out. What is denied to AWS's services alone keeps nobody
/// out: it blinds a trail.
pub fn of_lifted_denials(before: &PolicyDocument, after: &PolicyDocument) -> Vec<Rise> {
    let after = after.statements();
    let denials = before.statements().into_iter().filter(|one| one["Effect"] == "Deny");
    let of_services = |one: &Value| {
        let kinds = one["Principal"].as_object();
        kinds.is_some_and(|kinds| kinds.keys().all(|kind| kind == "Service"))
    };
    denials
        .filter(|one| !of_services(one) && !after.iter().any(|other| covers(other, one)))
        .map(|one| Rise::Administrator(format!("what is denied today: {}", summary(&one))))
        .collect()
}

/// To whom outside of the account a statement of a bucket or key policy gives rights, services on
/// behalf of others included: a service does what whoever uses it wants, unless a condition says for
/// whom.
pub fn from_outside(statement: &Value, account: &str) -> Vec<Rise> {
    if statement["Effect"] != "Allow" {
        return Vec::new();
    }
    principals(statement, account, Services::OfWhoeverUsesThem)
}

/// The statements that allow something which the former document did not allow. A denial that goes
/// may let anything through that is allowed.
fn new_allows(before: Option<&PolicyDocument>, after: &PolicyDocument) -> Vec<Value> {
    let (before, after) = (before.map(PolicyDocument::statements), after.statements());
    let before = before.unwrap_or_default();
    let covered = |one: &Value, there: &[Value]| there.iter().any(|other| covers(other, one));
    let has_effect = |one: &&Value, effect: &str| one["Effect"] == effect;
    let all_denials_stay =
        before.iter().filter(|one| has_effect(one, "Deny")).all(|one| covered(one, &after));
    after
        .iter()
        .filter(|one| has_effect(one, "Allow"))
        .filter(|one| !(all_denials_stay && covered(one, &before)))
        .cloned()
        .collect()
}

/// Whether `wide` says at least all that `narrow` says, with the same effect.
fn covers(wide: &Value, narrow: &Value) -> bool {
    let lists = |key: &str, fold: bool| {
        let list = |one: &Value| -> Vec<String> {
            let list = texts(&one[key]);
            if fold { list.iter().map(|text| text.to_lowercase()).collect() } else { list }
        };
        covers_all(&list(wide), &list(narrow))
    };
    wide["Effect"] == narrow["Effect"]
        && ["NotAction", "NotResource", "NotPrincipal"]
            .iter()
            .all(|key| wide.get(key) == narrow.get(key))
        && (wide.get("Action").is_none() || lists("Action", true))
        && (wide.get("Resource").is_none() || lists("Resource", false))
        && covers_principals(&wide["Principal"], &narrow["Principal"])
        && covers_conditions(&wide["Condition"], &narrow["Condition"])
}

fn covers_principals(wide: &Value, narrow: &Value) -> bool {
    let everybody =
        |value: &Value| value == "*" || texts(&value["AWS"]).iter().any(|one| one == "*");
    if everybody(wide) {
        return true;
    }
    match narrow {
        Value::Object(kinds) => kinds.iter().all(|(kind, list)| {
            let wide = texts(&wide[kind]);
            texts(list).iter().all(|one| wide.contains(one))
        }),
        other => wide == other,
    }
}

/// A condition less says more; each one that is there must be there in the narrow one too.
fn covers_conditions(wide: &Value, narrow: &Value) -> bool {
    let Value::Object(operators) = wide else { return true };
    operators.iter().all(|(operator, keys)| {
        let Value::Object(keys) = keys else { return false };
        keys.iter().all(|(key, value)| {
            let found = narrow.get(operator).and_then(Value::as_object).and_then(|narrow| {
                narrow.iter().find(|(other, _)| other.eq_ignore_ascii_case(key))
            });
            found.is_some_and(|(_, other)| {
                let (wide, narrow) = (texts(value), texts(other));
                let says_all = |these: &[String], those: &[String]| {
                    those.iter().all(|one| these.contains(one))
                };
                says_all(&wide, &narrow) && (is_any_of(operator) || says_all(&narrow, &wide))
            })
        })
    })
}

/// Whether fewer values of an operator are fewer ways in; with any other they may be more.
fn is_any_of(operator: &str) -> bool {
    is_sound(operator.strip_suffix("IfExists").unwrap_or(operator))
}

/// Whether nobody passes a condition of this operator but who has the key, with one of the values. `Null`
/// asks whether the key is there at all; a negation, `IfExists` and `ForAllValues` let through who lacks it.
fn is_sound(operator: &str) -> bool {
    const SOUND: [&str; 6] = [
        "stringequals",
        "stringequalsignorecase",
        "stringlike",
        "arnequals",
        "arnlike",
        "ipaddress",
    ];
    let plain = operator.strip_prefix("ForAnyValue:").unwrap_or(operator).to_lowercase();
    SOUND.contains(&plain.as_str())
}

/// To whom outside of the account a statement gives rights.
fn principals(statement: &Value, account: &str, services: Services) -> Vec<Rise> {
    let what = actions(statement);
    if statement.get("NotPrincipal").is_some() {
        return vec![Rise::Public(format!("{what} to all but a few"))];
    }
    let Some(principal) = statement.get("Principal") else { return Vec::new() };
    let entries: Vec<(String, String)> = match principal {
        Value::Object(kinds) => kinds
            .iter()
            .flat_map(|(kind, list)| texts(list).into_iter().map(|one| (kind.clone(), one)))
            .collect(),
        other => texts(other).into_iter().map(|one| ("AWS".to_owned(), one)).collect(),
    };
    entries
        .into_iter()
        .filter_map(|(kind, one)| match kind.as_str() {
            "AWS" if one == "*" => everybody(&narrowing(statement), &what, account),
            "AWS" => foreign_principal(&one, account)
                .map(|(who, of)| Rise::accounts(format!("{what} to {who}"), [of])),
            "CanonicalUser" => Some(Rise::stranger(format!("{what} to the canonical user {one}"))),
            "Federated" => federated::rise(&one, statement, &what, account),
            "Service" => service::rise(&one, &what).or_else(|| match services {
                Services::OfTheAccount => None,
                Services::OfWhoeverUsesThem if service::is_of_owner(&one, statement) => None,
                Services::OfWhoeverUsesThem => {
                    let narrowed = service::narrowing(statement);
                    everybody(&narrowed, &format!("{what} by {one}"), account)
                }
            }),
            kind => Some(Rise::stranger(format!("{what} to {kind} {one}, which is not known"))),
        })
        .collect()
}

/// `*`, narrowed by conditions or not.
fn everybody(narrowing: &[(String, Vec<String>)], what: &str, account: &str) -> Option<Rise> {
    let mut narrowed: Option<Rise> = None;
    for (key, values) in narrowing {
        let strangers: Vec<&String> = if ACCOUNT_KEYS.contains(&key.as_str()) {
            values.iter().filter(|value| *value != account).collect()
        } else if ARN_KEYS.contains(&key.as_str()) {
            values.iter().filter(|value| account_of(value) != Some(account)).collect()
        } else {
            values.iter().collect()
        };
        if strangers.is_empty() {
            // One condition that lets only the account itself through is enough.
            return None;
        }
        let who: Vec<&str> = strangers.into_iter().map(String::as_str).collect();
        let words = format!("{what} to whoever has {key} {}", who.join(" or "));
        let rise = match key.as_str() {
            // A network is in an account, and those who come from it in any.
            "aws:vpceaccount" => Rise::stranger(words),
            key if ACCOUNT_KEYS.contains(&key) => Rise::accounts(words, who),
            key if ARN_KEYS.contains(&key) => {
                let accounts = who.into_iter().map(|arn| account_of(arn).unwrap_or_default());
                Rise::accounts(words, accounts)
            }
            _ => Rise::stranger(words),
        };
        // Each condition holds: one that names all accounts says enough.
        let says_more = matches!(rise, Rise::Foreign { accounts: Some(_), .. })
            && matches!(narrowed, Some(Rise::Foreign { accounts: None, .. }));
        if narrowed.is_none() || says_more {
            narrowed = Some(rise);
        }
    }
    Some(narrowed.unwrap_or_else(|| Rise::Public(format!("{what} to everybody"))))
}

/// Keys and values of the conditions that narrow whom `*` means. An operator with a negation,
/// `IfExists` or `ForAllValues` lets through who has no such key, and a wildcard lets through all.
fn narrowing(statement: &Value) -> Vec<(String, Vec<String>)> {
    let known = |key: &str| {
        ACCOUNT_KEYS.contains(&key) || ARN_KEYS.contains(&key) || OTHER_KEYS.contains(&key)
    };
    let mut all = sound_conditions(statement);
    all.retain(|(key, values)| {
        known(key) && !values.is_empty() && values.iter().all(|value| is_narrow(key, value))
    });
    all
}

/// Keys and values of the conditions that nobody passes who lacks the key.
fn sound_conditions(statement: &Value) -> Vec<(String, Vec<String>)> {
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    conditions
        .filter(|(operator, _)| is_sound(operator))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .map(|(key, values)| (key.to_lowercase(), texts(values)))
        .collect()
}

/// Whether a value of a condition means somebody.
fn is_narrow(key: &str, value: &str) -> bool {
    if key == "aws:sourceip" {
        // S3 takes ranges larger than these for public.
        let (address, length) = value.split_once('/').unwrap_or((value, "128"));
        let least = if address.contains(':') { 32 } else { 8 };
        return length.parse::<u32>().is_ok_and(|length| length >= least);
    }
    if ARN_KEYS.contains(&key) {
        return account_of(value).is_some_and(|account| !account.contains(['*', '?']))
            || value.starts_with("arn:aws:s3:::") && !value.contains("s3:::*");
    }
    let fixed = value.trim_end_matches('*');
    match key {
        "aws:principalorgpaths" | "aws:sourceorgpaths" | "aws:userid" => {
            !fixed.is_empty() && !fixed.contains(['*', '?', '$'])
        }
        _ => !value.contains(['*', '?', '$']),
    }
}

/// A principal outside of the account, as a reader knows it; one that cannot be told is outside.
/// With its account, "" for none.
fn foreign_principal<'a>(principal: &'a str, account: &str) -> Option<(String, &'a str)> {
    let digits = |text: &str| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits(principal) {
        return (principal != account).then(|| (format!("account {principal}"), principal));
    }
    let Some(of) = account_of(principal) else {
        // `AROA…`: the id of a role or user, of which account only AWS knows.
        return Some((format!("{principal}, whose account cannot be told"), ""));
    };
    if of == account {
        return None;
    }
    let who = match principal.strip_suffix(":root") {
        Some(_) => format!("account {of}"),
        None => principal.to_owned(),
    };
    Some((who, of))
}

/// The actions of a statement, few of them, for a reader.
fn actions(statement: &Value) -> String {
    const NAMED: usize = 3;
    if let Some(others) = statement.get("NotAction") {
        return format!("all but {}", texts(others).join(", "));
    }
    let actions = texts(&statement["Action"]);
    let mut words = actions.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    if actions.len() > NAMED {
        words.push_str(&format!(" and {} more", actions.len() - NAMED));
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
