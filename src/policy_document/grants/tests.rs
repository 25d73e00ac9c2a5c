use serde_json::json;

use super::*;

const OWN: &str = "111122223333";
const OTHER: &str = "999999999999";

fn document(statements: Value) -> PolicyDocument {
    let list = match statements {
        Value::Array(list) => list,
        one => vec![one],
    };
    PolicyDocument::of_statements(list)
}

fn trust(principal: Value, condition: Value) -> Value {
    let mut statement =
        json!({ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" });
    if !condition.is_null() {
        statement["Condition"] = condition;
    }
    statement
}

fn class(rise: &Rise) -> &'static str {
    match rise {
        Rise::Foreign(_) => "foreign",
        Rise::Public(_) => "public",
        Rise::Administrator(_) => "administrator",
    }
}

fn classes(rises: &[Rise]) -> Vec<&'static str> {
    rises.iter().map(class).collect()
}

fn new_trust(principal: Value, condition: Value) -> Vec<&'static str> {
    classes(&of_resource_policy(None, &document(trust(principal, condition)), OWN))
}

#[test]
#[allow(clippy::too_many_lines, reason = "a table of cases")]
fn who_is_foreign_and_who_is_everybody() {
    let none = || Value::Null;
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let nobody: [&str; 0] = [];
    let cases = [
        (json!({ "AWS": root(OWN) }), none(), &nobody[..]),
        (json!({ "AWS": OWN }), none(), &[]),
        (json!({ "Service": "ec2.amazonaws.com" }), none(), &[]),
        (json!({ "AWS": "AROAEXAMPLEID1234567" }), none(), &[]),
        (json!({ "AWS": [root(OWN), root(OTHER)] }), none(), &["foreign"]),
        (json!({ "AWS": OTHER }), none(), &["foreign"]),
        (json!({ "AWS": format!("arn:aws:iam::{OTHER}:role/a") }), none(), &["foreign"]),
        (
            json!({ "AWS": root(OTHER) }),
            json!({ "StringEquals": { "sts:ExternalId": "x" } }),
            &["foreign"],
        ),
        (json!({ "CanonicalUser": "79a5" }), none(), &["foreign"]),
        (json!("*"), none(), &["public"]),
        (json!({ "AWS": "*" }), none(), &["public"]),
        (json!({ "AWS": ["*", OTHER] }), none(), &["foreign", "public"]),
        (json!("*"), json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }), &["public"]),
        (json!("*"), json!({ "StringEquals": { "AWS:PrincipalAccount": OWN } }), &[]),
        (
            json!("*"),
            json!({ "StringEquals": { "aws:PrincipalAccount": [OWN, OTHER] } }),
            &["foreign"],
        ),
        (
            json!("*"),
            json!({ "StringEqualsIfExists": { "aws:PrincipalAccount": OWN } }),
            &["public"],
        ),
        (json!("*"), json!({ "StringNotEquals": { "aws:PrincipalAccount": OTHER } }), &["public"]),
        (
            json!("*"),
            json!({ "ForAllValues:StringEquals": { "aws:PrincipalAccount": OWN } }),
            &["public"],
        ),
        (json!("*"), json!({ "StringLike": { "aws:PrincipalAccount": "*" } }), &["public"]),
        (
            json!("*"),
            json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5" } }),
            &["foreign"],
        ),
        (json!("*"), json!({ "StringLike": { "aws:PrincipalOrgID": "o-*" } }), &["public"]),
        (
            json!("*"),
            json!({ "ArnLike": { "aws:PrincipalArn": format!("arn:aws:iam::{OWN}:role/*") } }),
            &[],
        ),
        (
            json!("*"),
            json!({ "ArnLike": { "aws:PrincipalArn": "arn:aws:iam::*:role/admin" } }),
            &["public"],
        ),
        (json!("*"), json!({ "IpAddress": { "aws:SourceIp": "203.0.113.0/24" } }), &["foreign"]),
        (json!("*"), json!({ "IpAddress": { "aws:SourceIp": "0.0.0.0/0" } }), &["public"]),
        (
            json!("*"),
            json!({ "IpAddress": { "aws:SourceIp": ["203.0.113.0/24", "::/0"] } }),
            &["public"],
        ),
        (json!("*"), json!({ "StringEquals": { "aws:SourceVpce": "vpce-1" } }), &["foreign"]),
        (
            json!("*"),
            json!({ "StringEquals": { "aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:PrincipalAccount": OWN } }),
            &[],
        ),
        (json!({ "Federated": format!("arn:aws:iam::{OWN}:saml-provider/corp") }), none(), &[]),
        (
            json!({ "Federated": format!("arn:aws:iam::{OTHER}:saml-provider/corp") }),
            none(),
            &["foreign"],
        ),
        (json!({ "Federated": "cognito-identity.amazonaws.com" }), none(), &["public"]),
    ];
    for (principal, condition, expected) in cases {
        assert_eq!(
            new_trust(principal.clone(), condition.clone()),
            expected,
            "{principal} {condition}"
        );
    }
    let all_but = json!({ "Effect": "Allow", "NotPrincipal": { "AWS": OTHER }, "Action": "s3:*", "Resource": "*" });
    assert_eq!(classes(&of_resource_policy(None, &document(all_but), OWN)), ["public"]);
}

#[test]
fn a_shared_provider_needs_a_word_on_whose_tokens() {
    let host = "token.actions.githubusercontent.com";
    let provider = json!({ "Federated": format!("arn:aws:iam::{OWN}:oidc-provider/{host}") });
    let audience = json!({ "StringEquals": { format!("{host}:aud"): "sts.amazonaws.com" } });
    assert_eq!(new_trust(provider.clone(), Value::Null), ["public"]);
    assert_eq!(new_trust(provider.clone(), audience), ["public"]);
    let of = |subject: &str| json!({ "StringLike": { format!("{host}:sub"): subject } });
    assert_eq!(new_trust(provider.clone(), of("*")), ["public"]);
    assert!(new_trust(provider, of("repo:acme/infra:*")).is_empty());
}

#[test]
fn only_what_is_new_is_a_rise() {
    let foreign = |action: &str, condition: Value| {
        let mut one = json!({ "Sid": "A", "Effect": "Allow", "Principal": { "AWS": OTHER }, "Action": action,
            "Resource": "arn:aws:s3:::b/*" });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        one
    };
    let external = json!({ "StringEquals": { "sts:ExternalId": "x" } });
    let deny = json!({ "Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": "*" });
    let cases = [
        // The same, or less: fewer actions, one more condition, one more denial.
        (json!([foreign("s3:Get*", Value::Null)]), json!([foreign("s3:Get*", Value::Null)]), 0),
        (
            json!([foreign("s3:Get*", Value::Null)]),
            json!([foreign("S3:GetObject", Value::Null)]),
            0,
        ),
        (
            json!([foreign("s3:Get*", Value::Null)]),
            json!([foreign("s3:Get*", external.clone())]),
            0,
        ),
        (
            json!([foreign("s3:Get*", Value::Null)]),
            json!([foreign("s3:Get*", Value::Null), deny.clone()]),
            0,
        ),
        // More: another action, a condition less, a denial less.
        (json!([foreign("s3:Get*", Value::Null)]), json!([foreign("s3:*", Value::Null)]), 1),
        (json!([foreign("s3:Get*", external)]), json!([foreign("s3:Get*", Value::Null)]), 1),
        (json!([foreign("s3:*", Value::Null), deny]), json!([foreign("s3:*", Value::Null)]), 1),
    ];
    for (before, after, expected) in cases {
        let (before, after) = (document(before), document(after));
        let rises = of_resource_policy(Some(&before), &after, OWN);
        assert_eq!(rises.len(), expected, "{before}\n{after}\n{rises:?}");
    }
}

#[test]
fn who_can_do_everything_is_an_administrator() {
    let allow = |action: Value, resource: Value| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let all = || json!("*");
    let rises = |statement: Value| !of_identity_policy(None, &document(statement)).is_empty();
    for administrator in [
        allow(all(), all()),
        allow(json!("*:*"), all()),
        allow(json!("iam:*"), all()),
        allow(json!("IAM:Attach*"), all()),
        allow(json!(["s3:GetObject", "iam:PutRolePolicy"]), json!("arn:aws:iam::*:role/*")),
        allow(json!("iam:*"), json!(["arn:aws:s3:::b", "arn:aws:iam::111122223333:*"])),
        json!({ "Effect": "Allow", "NotAction": ["iam:*", "organizations:*"], "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3:::secret" }),
        json!({ "Effect": "Allow", "Action": "*", "Resource": "*",
            "Condition": { "Bool": { "aws:MultiFactorAuthPresent": "true" } } }),
    ] {
        assert!(rises(administrator.clone()), "{administrator}");
    }
    for other in [
        allow(json!("s3:*"), all()),
        allow(json!(["iam:Get*", "iam:List*"]), all()),
        allow(json!("iam:PutRolePolicy"), json!("arn:aws:iam::111122223333:role/one")),
        allow(all(), json!("arn:aws:s3:::b/*")),
        json!({ "Effect": "Deny", "Action": "*", "Resource": "*" }),
        json!({ "Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*",
            "Condition": { "ArnEquals": { "iam:PolicyARN": "arn:aws:iam::aws:policy/ReadOnlyAccess" } } }),
    ] {
        assert!(!rises(other.clone()), "{other}");
    }
}

#[test]
fn a_denial_that_goes_from_an_administrator_is_a_rise() {
    let all = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let deny = json!({ "Effect": "Deny", "Action": "iam:*", "Resource": "*" });
    let (with, without) = (document(json!([all, deny])), document(json!([all])));
    assert_eq!(of_identity_policy(Some(&with), &with), []);
    assert_eq!(of_identity_policy(Some(&without), &with), []);
    assert_eq!(classes(&of_identity_policy(Some(&with), &without)), ["administrator"]);
}

#[test]
fn policies_of_aws_that_make_an_administrator_are_known_by_name() {
    for arn in [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/AdministratorAccess-Amplify",
        "arn:aws:iam::aws:policy/IAMFullAccess",
        "arn:aws:iam::aws:policy/PowerUserAccess",
    ] {
        assert!(is_administrator_policy(arn), "{arn}");
    }
    for arn in [
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::111122223333:policy/AdministratorAccess",
        "AdministratorAccess",
    ] {
        assert!(!is_administrator_policy(arn), "{arn}");
    }
}
