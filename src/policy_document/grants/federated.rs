//! Whom a trust in an identity provider lets in.
//!
//! A provider that many share signs tokens for all of them: only what the token says of its owner,
//! the *subject*, keeps strangers out. Whose tokens are meant must be shown by a condition; where it
//! is not, everybody is let in.
//!
//! Sources: IAM User Guide, "Identity-provider controls for shared OIDC providers", "Available keys
//! for AWS OIDC federation"; GitHub Docs, "OpenID Connect reference"; GitLab Docs, "OpenID Connect
//! (OIDC) Authentication Using ID Tokens"; HCP Terraform, "Workload identity tokens".

use serde_json::Value;

use super::{Rise, account_of};
use crate::policy_document::patterns::texts;

/// Claims that say for whom a token was made.
const OWNERS: [&str; 6] =
    ["sub", "app_id", "repository", "repository_id", "repository_owner", "repository_owner_id"];

/// Providers whose audience is one tenant's own: an identity pool, a client id. With the others,
/// who asks for a token chooses its audience.
const AUDIENCE_IS_OWN: [&str; 3] =
    ["accounts.google.com", "cognito-identity.amazonaws.com", "www.amazon.com"];

/// Words in a subject that name the sort of what follows.
const SORTS: [&str; 20] = [
    "account",
    "deploy",
    "enterprise",
    "environment",
    "environments",
    "group",
    "org",
    "organization",
    "owner",
    "project",
    "project_path",
    "pulumi",
    "repo",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "serviceaccount",
    "system",
    "workspace",
];

/// So many letters, digits and dashes are an id that nobody else has.
const ID_LENGTH: usize = 32;

/// The rise of a trust in a provider.
pub(super) fn rise(provider: &str, statement: &Value, what: &str, account: &str) -> Option<Rise> {
    let foreign = account_of(provider)
        .filter(|of| *of != account)
        .map(|of| Rise::accounts(format!("{what} to a provider of account {of}"), [of]));
    // What a company's own SAML provider signs names the role that may be taken (IAM User Guide,
    // "Configure SAML assertions for the authentication response").
    if provider.contains(":saml-provider/") && !provider.contains(['*', '?', '$']) {
        return foreign;
    }
    let host = provider.rsplit_once("oidc-provider/").map_or(provider, |(_, host)| host);
    let everybody = || Rise::Public(format!("{what} to everybody who has a token of {host}"));
    if host.contains(['*', '?', '$']) {
        return Some(everybody());
    }
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    let says_whose = conditions
        .filter(|(operator, _)| is_sound(operator))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .any(|(key, values)| {
            let claim = key.rsplit(':').next().unwrap_or_default().to_lowercase();
            let values = texts(values);
            let narrow = |is: &dyn Fn(&String) -> bool| !values.is_empty() && values.iter().all(is);
            match claim.as_str() {
                "aud" => AUDIENCE_IS_OWN.contains(&host) && narrow(&|one| is_literal(one)),
                "sub" => narrow(&|one| names_an_owner(one)),
                claim if claim.starts_with("repository") => {
                    OWNERS.contains(&claim) && narrow(&|one| names_a_repository(one))
                }
                claim => OWNERS.contains(&claim) && narrow(&|one| is_literal(one)),
            }
        });
    let is_anonymous = host == "cognito-identity.amazonaws.com" && !is_authenticated(statement);
    if says_whose && !is_anonymous { foreign } else { Some(everybody()) }
}

/// Whether a trust in Cognito takes authenticated users alone: a pool gives tokens to everybody who asks
/// where it knows guests, and their `amr` says `unauthenticated` (Amazon Cognito Developer Guide, "IAM
/// roles").
fn is_authenticated(statement: &Value) -> bool {
    let conditions = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
    conditions
        .filter(|(operator, _)| is_sound(operator))
        .filter_map(|(_, keys)| keys.as_object())
        .flatten()
        .filter(|(key, _)| key.to_lowercase().ends_with(":amr"))
        .any(|(_, values)| {
            let values = texts(values);
            !values.is_empty()
                && values.iter().all(|one| is_literal(one) && one != "unauthenticated")
        })
}

/// Operators that a token without the claim does not pass.
fn is_sound(operator: &str) -> bool {
    let plain = operator.strip_prefix("ForAnyValue:").unwrap_or(operator).to_lowercase();
    ["stringequals", "stringequalsignorecase", "stringlike"].contains(&plain.as_str())
}

fn is_literal(value: &str) -> bool {
    !value.trim().is_empty() && !value.contains(['*', '?', '$'])
}

/// `acme/infra`, `acme/*`, but not `ac*/infra`.
fn names_a_repository(value: &str) -> bool {
    is_literal(value) || value.split_once('/').is_some_and(|(owner, _)| is_literal(owner))
}

/// Whether a pattern of subjects is of one owner: `repo:acme/*`, `organization:acme:*`, and not
/// `repo:*`, `repo:ac*/*`, `system:serviceaccount:*`.
fn names_an_owner(subject: &str) -> bool {
    let Some(fixed) = subject.find(['*', '?', '$']).map(|at| &subject[..at]) else {
        return is_literal(subject);
    };
    // The last segment is cut by the wildcard, and may go on.
    let mut whole: Vec<&str> = fixed.split([':', '/']).collect();
    whole.pop();
    let owners: Vec<&&str> = whole
        .iter()
        .filter(|word| !word.is_empty() && !SORTS.contains(&word.to_lowercase().as_str()))
        .collect();
    let is_id = |word: &str| {
        word.len() >= ID_LENGTH
            && word.bytes().all(|byte| byte.is_ascii_hexdigit() || b"-{}".contains(&byte))
    };
    owners.iter().any(|word| is_id(word)) || (!owners.is_empty() && whole.len() >= 2)
}
