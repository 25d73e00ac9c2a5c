//! Who could do everything, or make himself somebody who can.

use super::*;

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
fn each_known_way_to_become_an_administrator_is_seen() {
    let allow = |actions: &[&str], resource: &str| json!({ "Effect": "Allow", "Action": actions, "Resource": resource });
    for method in methods::METHODS {
        let service = method.actions.last().unwrap().split(':').next().unwrap().to_owned();
        let together = document(allow(method.actions, "*"));
        assert_eq!(classes(&of_identity_policy(None, &together))[0], "administrator", "{method:?}");
        let apart: Vec<Value> = method.actions.iter().map(|one| allow(&[one], "*")).collect();
        let apart = document(Value::Array(apart));
        assert!(!of_identity_policy(None, &apart).is_empty(), "{method:?}");
        let upper: Vec<String> = method.actions.iter().map(|one| one.to_uppercase()).collect();
        let upper: Vec<&str> = upper.iter().map(String::as_str).collect();
        assert!(!of_identity_policy(None, &document(allow(&upper, "*"))).is_empty(), "{method:?}");
        let narrow = format!("arn:aws:{service}:eu-west-1:{OWN}:thing/particular");
        assert!(
            of_identity_policy(None, &document(allow(method.actions, &narrow))).is_empty(),
            "{method:?}"
        );
    }
}

#[test]
fn ways_that_two_policies_open_together_are_seen_at_both() {
    let one =
        |action: &str| document(json!({ "Effect": "Allow", "Action": action, "Resource": "*" }));
    let (change, stop, start) =
        (one("ec2:ModifyInstanceAttribute"), one("ec2:StopInstances"), one("ec2:StartInstances"));
    let reads = one("ec2:Describe*");
    assert!(of_identity_policy(None, &change).is_empty());
    let before = [&stop, &start];
    let after = [&stop, &start, &change, &reads];
    assert_eq!(classes(&of_identity_policies(&before, &after, &change, &[])), ["administrator"]);
    assert!(of_identity_policies(&before, &after, &reads, &[]).is_empty());
    assert!(of_identity_policies(&after, &after, &change, &[]).is_empty());
}

#[test]
fn policies_of_aws_that_make_an_administrator_are_known_by_name() {
    for arn in [
        "arn:aws:iam::aws:policy/AdministratorAccess",
        "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::aws:policy/AdministratorAccess-Amplify",
        "arn:aws:iam::aws:policy/IAMFullAccess",
        "arn:aws:iam::aws:policy/PowerUserAccess",
        "arn:aws:iam::aws:policy/AWSLambda_FullAccess",
        "arn:aws:iam::aws:policy/AmazonSSMFullAccess",
        "arn:aws:iam::aws:policy/job-function/DataScientist",
        "arn:aws:iam::aws:policy/NotKnownWhenThisWasBuilt",
    ] {
        assert!(is_administrator_policy(arn), "{arn}");
    }
    for arn in [
        "arn:aws:iam::aws:policy/ReadOnlyAccess",
        "arn:aws:iam::aws:policy/SecurityAudit",
        "arn:aws:iam::aws:policy/AmazonS3FullAccess",
        "arn:aws:iam::aws:policy/AmazonDynamoDBReadOnlyAccess",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::111122223333:policy/AdministratorAccess",
        "AdministratorAccess",
    ] {
        assert!(!is_administrator_policy(arn), "{arn}");
    }
}

#[test]
fn who_can_change_himself_is_an_administrator() {
    let role = format!("arn:aws:iam::{OWN}:role/team/k6");
    let policy = format!("arn:aws:iam::{OWN}:policy/k6");
    let rises = |action: &str, resource: &str| {
        let one = document(json!({ "Effect": "Allow", "Action": action, "Resource": resource }));
        of_identity_policies(&[], &[&one], &one, &[role.clone(), policy.clone()])
    };
    for action in [
        "iam:AttachRolePolicy",
        "iam:PutRolePolicy",
        "iam:UpdateAssumeRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:*",
    ] {
        for resource in [role.as_str(), "arn:aws:iam::*:role/team/k?", "arn:aws:iam::*:role/team/*"]
        {
            let rises = rises(action, resource);
            assert_eq!(classes(&rises), ["administrator"], "{action} {resource}");
            assert_eq!(rises[0].what(), format!("{action} on itself"));
        }
        assert!(rises(action, &role.replace("k6", "k7")).is_empty(), "{action}");
    }
    for action in ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"] {
        assert_eq!(classes(&rises(action, &policy)), ["administrator"], "{action}");
    }
    for action in ["iam:PassRole", "sts:AssumeRole", "iam:TagRole", "iam:Get*"] {
        assert!(rises(action, &role).is_empty(), "{action}");
    }
}

#[test]
fn roles_of_a_pattern_are_passed_where_something_runs_with_them() {
    let allow = |action: Value, resource: Value| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let services = || json!(format!("arn:aws:iam::{OWN}:role/svc-*"));
    let pass = || allow(json!("iam:PassRole"), services());
    let run = |action: &str| allow(json!(action), json!("*"));
    let rises = |statements: Value| of_identity_policy(None, &document(statements));
    for action in ["ec2:RunInstances", "ec2:*", "lambda:CreateFunction", "glue:CreateDevEndpoint"] {
        let both = match action {
            "lambda:CreateFunction" => json!([pass(), run(action), run("lambda:InvokeFunction")]),
            action => json!([pass(), run(action)]),
        };
        let rises = rises(both);
        assert_eq!(classes(&rises)[0], "administrator", "{action}");
        let is_pass = |rise: &Rise| rise.what().starts_with("iam:PassRole on arn:aws:iam::");
        assert!(rises.iter().any(is_pass), "{rises:?}");
    }
    assert!(rises(pass()).is_empty());
    assert!(rises(json!([pass(), run("s3:*")])).is_empty());
    let one = allow(json!("iam:PassRole"), json!(format!("arn:aws:iam::{OWN}:role/svc-web")));
    assert!(rises(json!([one, run("ec2:RunInstances")])).is_empty());
    // What starts something comes later, to a role that may pass others already.
    let (former, new) = (document(pass()), document(run("ec2:RunInstances")));
    let added = of_identity_policies(&[&former], &[&former, &new], &new, &[]);
    assert_eq!(classes(&added), ["administrator"]);
}

#[test]
fn a_way_is_said_in_words_that_say_what_was_declared() {
    let what = |statements: Value| -> Vec<String> {
        let rises = of_identity_policy(None, &document(statements));
        rises.iter().map(|rise| rise.what().to_owned()).collect()
    };
    let allow = |action: Value, resource: &str| json!({ "Effect": "Allow", "Action": action, "Resource": resource });
    let pass = what(allow(json!("iam:PassRole"), "*"));
    assert_eq!(pass.len(), 1, "{pass:?}");
    assert!(pass[0].starts_with("iam:PassRole on everything to "), "{pass:?}");
    let lambda = what(json!([
        allow(json!("iam:PassRole"), "*"),
        allow(json!(["lambda:CreateFunction", "lambda:InvokeFunction"]), "*"),
    ]));
    assert_eq!(
        lambda,
        [
            "iam:PassRole on everything with lambda:CreateFunction: what is started so has the rights of the role"
        ]
    );
    let role = format!("arn:aws:iam::{OWN}:role/a*");
    assert_eq!(
        what(allow(json!("iam:PutRolePolicy"), &role)),
        [format!("iam:PutRolePolicy on {role}")]
    );
    assert_eq!(what(allow(json!("*"), "*")), ["* on everything"]);
}

/// All operators of conditions, with and without what may stand around them.
fn operators() -> impl Iterator<Item = String> {
    const PLAIN: [&str; 28] = [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "NumericEquals",
        "NumericNotEquals",
        "NumericLessThan",
        "NumericLessThanEquals",
        "NumericGreaterThan",
        "NumericGreaterThanEquals",
        "DateEquals",
        "DateNotEquals",
        "DateLessThan",
        "DateLessThanEquals",
        "DateGreaterThan",
        "DateGreaterThanEquals",
        "Bool",
        "BinaryEquals",
        "IpAddress",
        "NotIpAddress",
        "ArnEquals",
        "ArnLike",
        "ArnNotEquals",
        "ArnNotLike",
        "Null",
        "NewerThanThisVersion",
    ];
    PLAIN.iter().flat_map(|plain| {
        ["", "ForAnyValue:", "ForAllValues:"].into_iter().flat_map(move |quantifier| {
            ["", "IfExists"].map(|end| format!("{quantifier}{plain}{end}"))
        })
    })
}

#[test]
fn only_operators_that_list_what_is_let_through_keep_anybody_small() {
    const LISTS: [&str; 6] = [
        "StringEquals",
        "StringEqualsIgnoreCase",
        "StringLike",
        "ArnEquals",
        "ArnLike",
        "IpAddress",
    ];
    let keys = [
        ("*", "aws:ResourceTag/team", "shop"),
        ("*", "iam:ResourceTag/team", "shop"),
        ("iam:AttachRolePolicy", "iam:PolicyARN", "arn:aws:iam::aws:policy/SecurityAudit"),
        ("iam:PutRolePolicy", "iam:PermissionsBoundary", "arn:aws:iam::111122223333:policy/edge"),
        ("iam:PassRole", "iam:PassedToService", "config.amazonaws.com"),
    ];
    for operator in operators() {
        let plain = operator.strip_prefix("ForAnyValue:").unwrap_or(&operator);
        for (action, key, value) in keys {
            for value in [json!(value), json!(true), json!("true"), json!(["false"]), json!([])] {
                let is_listed = value.as_str().is_some_and(|value| value != "true");
                // No tag, policy or service is called so: who names one lets little through.
                let is_text = value == "true" || value == json!(true) || value == json!(["false"]);
                let condition = json!({ &operator: { key: value } });
                let one = json!({ "Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition });
                let rises = of_identity_policy(None, &document(one));
                let is_small = LISTS.contains(&plain) && (is_listed || is_text);
                assert_eq!(rises.is_empty(), is_small, "{action} {condition}");
            }
        }
        let strangers = json!({ &operator: { "aws:PrincipalAccount": OWN } });
        let rises = of_resource_policy(None, &document(trust(json!("*"), strangers)), OWN);
        assert_eq!(rises.is_empty(), LISTS.contains(&plain), "{operator} {rises:?}");
    }
}

#[test]
fn a_variable_stands_for_whatever_the_request_says() {
    for (action, key, value) in [
        ("*", "aws:ResourceTag/team", "${aws:ResourceTag/team}"),
        ("iam:PassRole", "iam:PassedToService", "${iam:PassedToService}"),
        ("iam:AttachRolePolicy", "iam:PolicyARN", "arn:aws:iam::aws:policy/Ad${aws:username}"),
    ] {
        let condition = json!({ "StringEquals": { key: value } });
        let one =
            json!({ "Effect": "Allow", "Action": action, "Resource": "*", "Condition": condition });
        assert_eq!(
            classes(&of_identity_policy(None, &document(one)))[0],
            "administrator",
            "{value}"
        );
    }
}

#[test]
fn fewer_values_are_less_only_where_they_are_a_list_of_ways_in() {
    for operator in operators() {
        let of = |values: Value| {
            let condition = json!({ &operator: { "aws:ResourceTag/team": values } });
            document(
                json!({ "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition }),
            )
        };
        let (two, one) = (of(json!(["*", "?"])), of(json!(["*", "*"])));
        let is_less = !allows_more(Some(&two), &one);
        let plain = operator.trim_start_matches("ForAnyValue:").trim_end_matches("IfExists");
        let is_list = ["String", "Arn", "Ip"].iter().any(|of| plain.starts_with(of));
        assert_eq!(is_less, is_list && !plain.contains("Not"), "{operator}");
        assert!(!allows_more(Some(&two), &two), "{operator}");
    }
}
