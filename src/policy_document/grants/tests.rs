mod administrator;

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
        Rise::Foreign { .. } => "foreign",
        Rise::Public(_) => "public",
        Rise::Administrator(_) => "administrator",
    }
}

fn classes(rises: &[Rise]) -> Vec<&'static str> {
    rises.iter().map(class).collect()
}

fn new_trust(principal: Value, condition: Value) -> Vec<&'static str> {
    classes(&of_trust_policy(None, &document(trust(principal, condition)), OWN))
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
        // Of which account an id is cannot be told.
        (json!({ "AWS": "AROAEXAMPLEID1234567" }), none(), &["foreign"]),
        (json!({ "AWS": "AIDAEXAMPLEID1234567" }), none(), &["foreign"]),
        (json!({ "AWS": "somebody" }), none(), &["foreign"]),
        (json!({ "Anybody": "x" }), none(), &["foreign"]),
        (json!({ "Service": "delivery.logs.amazonaws.com" }), none(), &[]),
        (json!({ "Service": "ec2.amazonaws.com.cn" }), none(), &[]),
        (json!({ "Service": "*" }), none(), &["public"]),
        (json!({ "Service": ["ec2.amazonaws.com", "*.amazonaws.com"] }), none(), &["public"]),
        (json!({ "Service": "example.org" }), none(), &["foreign"]),
        (json!({ "Federated": "*" }), none(), &["public"]),
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
fn a_subject_must_name_its_owner() {
    let github = "token.actions.githubusercontent.com";
    let kubernetes = "oidc.eks.eu-west-1.amazonaws.com/id/D0E1";
    let cases = [
        (github, "StringLike", "sub", "repo:*", false),
        (github, "StringLike", "sub", "?*", false),
        (github, "StringLike", "sub", "r*", false),
        (github, "StringLike", "sub", "*:*", false),
        (github, "StringLike", "sub", "repo:*/*:*", false),
        (github, "StringLike", "sub", "repo:*:ref:refs/heads/main", false),
        (github, "StringLike", "sub", "repo:ac*/*", false),
        (github, "StringLike", "sub", "repo:acme*", false),
        (github, "StringLike", "sub", "repo:?cme/infra:*", false),
        (github, "StringLike", "sub", "repo:${aws:userid}/infra:*", false),
        (github, "StringLike", "sub", "", false),
        (github, "StringLike", "sub", "repo:acme/*", true),
        (github, "StringLike", "sub", "repo:acme/infra:*", true),
        (github, "ForAnyValue:StringLike", "sub", "repo:acme/infra:*", true),
        (github, "ForAllValues:StringLike", "sub", "repo:acme/infra:*", false),
        (github, "StringLikeIfExists", "sub", "repo:acme/infra:*", false),
        (github, "StringNotLike", "sub", "repo:evil/*", false),
        (github, "Null", "sub", "false", false),
        (github, "StringLike", "SUB", "repository_owner:acme:*", true),
        (github, "StringEquals", "sub", "repo:acme/infra:ref:refs/heads/main", true),
        (github, "StringEquals", "aud", "acme", false),
        (github, "StringEquals", "repository", "acme/infra", true),
        (github, "StringLike", "repository", "acme/*", true),
        (github, "StringLike", "repository", "*/infra", false),
        (github, "StringLike", "repository_owner", "ac*", false),
        (github, "StringEquals", "actor", "dependabot[bot]", false),
        (github, "StringEquals", "ref", "refs/heads/main", false),
        (github, "StringLike", "job_workflow_ref", "acme/wf/.github/workflows/a.yml@*", false),
        ("gitlab.com", "StringLike", "sub", "project_path:acme/*:ref_type:branch:ref:main", true),
        ("gitlab.com", "StringLike", "sub", "project_path:*/infra:*", false),
        ("gitlab.com", "StringEquals", "aud", "https://gitlab.com", false),
        ("app.terraform.io", "StringLike", "sub", "organization:acme:project:*", true),
        ("app.terraform.io", "StringLike", "sub", "organization:*:project:x:*", false),
        ("app.terraform.io", "StringEquals", "aud", "aws.workload.identity", false),
        // Guests of the pool have its audience as well.
        ("cognito-identity.amazonaws.com", "StringEquals", "aud", "eu-west-1:0a1b-pool", false),
        ("cognito-identity.amazonaws.com", "StringLike", "aud", "eu-west-1:*", false),
        ("cognito-identity.amazonaws.com", "ForAnyValue:StringLike", "amr", "authenticated", false),
        ("graph.facebook.com", "StringEquals", "app_id", "1234", true),
        (kubernetes, "StringLike", "sub", "system:serviceaccount:*", false),
        (kubernetes, "StringLike", "sub", "system:serviceaccount:*:*", false),
        (kubernetes, "StringLike", "sub", "system:serviceaccount:web:*", true),
        (kubernetes, "StringEquals", "aud", "sts.amazonaws.com", false),
        ("id.example.org", "StringLike", "sub", "team*", false),
        ("id.example.org", "StringLike", "sub", "tenant:*", false),
        ("id.example.org", "StringLike", "sub", "tenant:acme:*", true),
        ("id.example.org", "StringEquals", "sub", "4711", true),
    ];
    for (host, operator, claim, value, narrow) in cases {
        let provider = if host == "cognito-identity.amazonaws.com" || host == "graph.facebook.com" {
            host.to_owned()
        } else {
            format!("arn:aws:iam::{OWN}:oidc-provider/{host}")
        };
        let condition = json!({ operator: { format!("{host}:{claim}"): value } });
        let classes = new_trust(json!({ "Federated": provider }), condition);
        let expected: &[&str] = if narrow { &[] } else { &["public"] };
        assert_eq!(classes, expected, "{host} {operator} {claim} {value}");
    }
    let pool = |amr: Value| {
        let host = "cognito-identity.amazonaws.com";
        let condition = json!({
            "StringEquals": { format!("{host}:aud"): "eu-west-1:0a1b-pool" },
            "ForAnyValue:StringLike": { format!("{host}:amr"): amr },
        });
        new_trust(json!({ "Federated": host }), condition)
    };
    assert!(pool(json!("authenticated")).is_empty());
    for guests in
        [json!("unauthenticated"), json!(["authenticated", "unauthenticated"]), json!("*")]
    {
        assert_eq!(pool(guests.clone()), ["public"], "{guests}");
    }
    let either = json!({ "StringLike": { format!("{github}:sub"): ["repo:acme/a:*", "repo:*"] } });
    let provider = json!({ "Federated": format!("arn:aws:iam::{OWN}:oidc-provider/{github}") });
    assert_eq!(new_trust(provider, either), ["public"]);
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
fn a_provider_of_another_account_is_as_wide_as_its_conditions() {
    let rise = |condition: Value| {
        let mut one = json!({
            "Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": { "Federated": format!("arn:aws:iam::{OTHER}:oidc-provider/x.y") },
        });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        of_resource_policy(None, &document(one), OWN)
    };
    assert!(matches!(&rise(Value::Null)[..], [Rise::Public(_)]), "{:?}", rise(Value::Null));
    let subject = json!({ "StringEquals": { "x.y:sub": "repo:acme/infra" } });
    let narrow = rise(subject);
    assert!(matches!(&narrow[..], [Rise::Foreign { accounts: Some(_), .. }]), "{narrow:?}");
}

#[test]
fn what_is_not_narrow_is_everything() {
    let rises = |action: &str, resource: Value, condition: Value| {
        let mut one = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        !of_identity_policy(None, &document(one)).is_empty()
    };
    let none = || Value::Null;
    for (action, resource) in [
        ("sts:AssumeRole", json!("*")),
        ("sts:AssumeRole", json!("arn:aws:iam::*:role/*")),
        ("sts:AssumeRole", json!(format!("arn:aws:iam::{OTHER}:role/?*"))),
        ("sts:AssumeRole", json!("arn:aws:iam::*:role/a*")),
        ("sts:AssumeRole", json!("arn:aws:iam::*:role/OrganizationAccountAccessRole")),
        ("sts:AssumeRole", json!(format!("arn:aws:iam::{OTHER}:role/AWSControlTower*"))),
        ("sts:AssumeRole", json!("arn:*")),
        (
            "ssm:SendCommand",
            json!(["arn:aws:ssm:*:*:document/AWS-RunShellScript", "arn:aws:ec2:*:*:instance/*"]),
        ),
        ("ssm:StartSession", json!("arn:aws:ec2:*:*:instance/i-*")),
        ("lambda:UpdateFunctionCode", json!("arn:aws:lambda:*:*:function:*")),
        ("iam:PassRole", json!("arn:aws:iam::*:role/*")),
    ] {
        assert!(rises(action, resource.clone(), none()), "{action} {resource}");
    }
    for (action, resource) in [
        ("sts:AssumeRole", json!(format!("arn:aws:iam::{OWN}:role/deploy-*"))),
        ("sts:AssumeRole", json!("arn:aws:iam::*:role/evenkeel")),
        ("lambda:UpdateFunctionCode", json!("arn:aws:lambda:*:*:function:shop-*")),
        ("lambda:UpdateFunctionCode", json!("arn:aws:s3:::*")),
        ("iam:PassRole", json!(format!("arn:aws:iam::{OWN}:role/service-role/*"))),
    ] {
        assert!(!rises(action, resource.clone(), none()), "{action} {resource}");
    }
    let passed = |service: Value| json!({ "StringEquals": { "iam:PassedToService": service } });
    assert!(rises("iam:PassRole", json!("*"), passed(json!("lambda.amazonaws.com"))));
    assert!(rises(
        "iam:PassRole",
        json!("*"),
        json!({ "StringLike": { "iam:PassedToService": "*" } })
    ));
    assert!(rises(
        "iam:PassRole",
        json!("*"),
        passed(json!(["config.amazonaws.com", "ec2.amazonaws.com.cn"]))
    ));
    assert!(!rises("iam:PassRole", json!("*"), passed(json!("config.amazonaws.com"))));
    let policy =
        |arn: &str| json!({ "ArnLike": { "iam:PolicyARN": format!("arn:aws:iam::{arn}") } });
    assert!(rises("iam:AttachRolePolicy", json!("*"), policy("aws:policy/AdministratorAccess")));
    assert!(rises("iam:AttachRolePolicy", json!("*"), policy("aws:policy/A*")));
    assert!(rises("iam:AttachRolePolicy", json!("*"), policy("*:policy/*")));
    assert!(!rises("iam:AttachRolePolicy", json!("*"), policy("aws:policy/SecurityAudit")));
    let tagged = |value: &str| json!({ "StringEquals": { "aws:ResourceTag/team": value } });
    assert!(!rises("ssm:SendCommand", json!("*"), tagged("shop")));
    assert!(rises("ssm:SendCommand", json!("*"), tagged("*")));
    let mfa = json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } });
    assert!(rises("iam:PassRole", json!("*"), mfa));
}

#[test]
#[allow(clippy::panic)]
fn the_accounts_of_all_who_get_something_are_known_or_nobody_says_so() {
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    let accounts = |principal: Value, condition: Value| {
        let rises = of_resource_policy(None, &document(trust(principal, condition)), OWN);
        let [Rise::Foreign { accounts, .. }] = &rises[..] else { panic!("{rises:?}") };
        accounts.clone().map(|all| all.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    let known = |principal, condition| accounts(principal, condition).unwrap();
    let condition = |key: &str, value: Value| json!({ "StringEquals": { key: value } });
    assert_eq!(known(json!({ "AWS": root(OTHER) }), Value::Null), [OTHER]);
    assert_eq!(known(json!({ "AWS": OTHER }), Value::Null), [OTHER]);
    assert_eq!(
        known(json!({ "AWS": format!("arn:aws:iam::{OTHER}:role/a") }), Value::Null),
        [OTHER]
    );
    let provider = format!("arn:aws:iam::{OTHER}:saml-provider/x");
    assert_eq!(known(json!({ "Federated": provider }), Value::Null), [OTHER]);
    let two = json!([OTHER, "888888888888"]);
    assert_eq!(known(json!("*"), condition("aws:PrincipalAccount", two)), ["888888888888", OTHER]);
    let role = json!(format!("arn:aws:iam::{OTHER}:role/*"));
    let like = json!({ "ArnLike": { "aws:PrincipalArn": role } });
    assert_eq!(known(json!("*"), like), [OTHER]);
    // Each condition holds.
    let both = json!({ "StringEquals": { "aws:PrincipalOrgID": "o-abcdefghij", "aws:PrincipalAccount": OTHER } });
    assert_eq!(known(json!("*"), both), [OTHER]);
    for (principal, more) in [
        (json!({ "CanonicalUser": "79a5" }), Value::Null),
        (json!("*"), condition("aws:PrincipalOrgID", json!("o-abcdefghij"))),
        (json!("*"), condition("aws:SourceVpce", json!("vpce-1"))),
        // From a network of that account, by whomever.
        (json!("*"), condition("aws:VpceAccount", json!(OTHER))),
        (json!({ "AWS": "arn:aws:iam::*:root" }), Value::Null),
    ] {
        assert_eq!(accounts(principal.clone(), more), None, "{principal}");
    }
}

#[test]
fn a_name_in_whatever_account_is_as_wide_as_one_of_the_own() {
    let rises = |action: &str, resource: &str| {
        let one = json!({ "Effect": "Allow", "Action": action, "Resource": resource });
        of_identity_policy(None, &document(one))
    };
    for (action, role) in [
        ("sts:AssumeRole", "role/a*"),
        ("sts:AssumeRole", "role/*"),
        ("iam:PutRolePolicy", "role/*"),
        ("iam:PutRolePolicy", "role/a*"),
    ] {
        for account in [OWN, "*", "1111*"] {
            let arn = format!("arn:aws:iam::{account}:{role}");
            assert!(!rises(action, &arn).is_empty(), "{action} {arn}");
        }
    }
    for arn in ["arn:aws:iam::*:role/Admin*", "arn:aws:iam::1111*:role/Admin?"] {
        assert!(!rises("sts:AssumeRole", arn).is_empty(), "{arn}");
    }
    assert!(rises("sts:AssumeRole", "arn:aws:iam::*:role/evenkeel").is_empty());
}

#[test]
fn a_service_does_what_whoever_uses_it_wants_unless_a_condition_says_for_whom() {
    let rises = |condition: Value, resource: Value| {
        let mut one = json!({ "Effect": "Allow", "Action": "s3:PutObject", "Resource": resource,
            "Principal": { "Service": "cloudtrail.amazonaws.com" } });
        if !condition.is_null() {
            one["Condition"] = condition;
        }
        let of_others = from_outside(&one, OWN);
        let of_new = of_resource_policy(None, &document(one.clone()), OWN);
        assert_eq!(of_others, of_new, "two judgements of one thing: {one}");
        let trust = of_trust_policy(None, &document(one), OWN);
        assert_eq!(trust, [], "a role is passed within its account");
        classes(&of_new).join(" ")
    };
    let bucket = || json!("arn:aws:s3:::b/*");
    let equals = |key: &str, value: &str| json!({ "StringEquals": { key: value } });
    assert_eq!(rises(Value::Null, bucket()), "public");
    assert_eq!(rises(equals("s3:x-amz-acl", "bucket-owner-full-control"), bucket()), "public");
    assert_eq!(rises(equals("aws:SourceAccount", OWN), bucket()), "");
    assert_eq!(rises(equals("aws:SourceAccount", OTHER), bucket()), "foreign");
    assert_eq!(rises(equals("aws:SourceOrgID", "o-abcdefghij"), bucket()), "foreign");
    let trail = |account: &str| format!("arn:aws:cloudtrail:*:{account}:trail/*");
    let from = |account: &str| json!({ "ArnLike": { "aws:SourceArn": trail(account) } });
    assert_eq!(rises(from(OWN), bucket()), "");
    assert_eq!(rises(from(OTHER), bucket()), "foreign");
    assert_eq!(rises(from("*"), bucket()), "public");
    let below = |account: &str| json!(format!("arn:aws:s3:::b/AWSLogs/{account}/*"));
    assert_eq!(rises(Value::Null, below(OWN)), "");
    assert_eq!(rises(Value::Null, below(OTHER)), "foreign");
    assert_eq!(rises(Value::Null, below("*")), "public");
    let context = |account: &str| {
        let arn = format!("arn:aws:logs:eu-west-1:{account}:*");
        json!({ "ArnLike": { "kms:EncryptionContext:aws:logs:arn": arn } })
    };
    assert_eq!(rises(context(OWN), json!("*")), "");
    assert_eq!(rises(context(OTHER), json!("*")), "foreign");
}

#[test]
fn eventbridge_sends_in_its_own_name_for_the_own_account_alone() {
    let rises = |service: &str, actions: Value| {
        let one = json!({ "Effect": "Allow", "Principal": { "Service": service },
            "Action": actions, "Resource": "arn:aws:sns:eu-west-1:111122223333:alerts" });
        of_resource_policy(None, &document(json!([one])), OWN).len()
    };
    let events = "events.amazonaws.com";
    assert_eq!(rises(events, json!("SNS:Publish")), 0);
    assert_eq!(rises(events, json!(["sqs:SendMessage", "logs:PutLogEvents"])), 0);
    assert_eq!(rises(events, json!(["sns:Publish", "sns:Subscribe"])), 1);
    assert_eq!(rises(events, json!("sns:*")), 1);
    assert_eq!(rises("cloudwatch.amazonaws.com", json!("sns:Publish")), 1);
}
