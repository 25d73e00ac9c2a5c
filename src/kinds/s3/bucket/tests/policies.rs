//! Statements of a bucket's policy: those of services, of TLS, and of others.

use super::*;

#[test]
fn statements_of_others_stay_in_the_policy() {
    let theirs = r#"{"Version":"2012-10-17","Statement":[{"Sid":"Theirs","Effect":"Allow",
        "Principal":{"AWS":"arn:aws:iam::444455556666:root"},"Action":"s3:GetObject",
        "Resource":"arn:aws:s3:::audit/*"}]}"#;
    let spec = Spec { require_tls: Some(true), ..spec() };
    let changes = changes(&spec, State { policy: Some(theirs.to_owned()), ..state() });
    let Some(Action { step: Step::PutPolicy(Some(policy)), .. }) = &changes[0].action else {
        panic!("no policy")
    };
    let document = PolicyDocument::from_text(policy).unwrap();
    assert_eq!(document.statements().len(), 2);
    assert!(policy.contains("Theirs") && policy.contains("DenyInsecureTransport"));
    assert_eq!(changes[0].risk, Risk::Disruptive, "who comes without TLS is cut off");
    let after = State { policy: Some(policy.clone()), ..state() };
    assert!(self::changes(&spec, after).is_empty());
}

#[test]
fn a_denial_of_what_the_services_need_is_a_finding() {
    let account = "111122223333";
    let spec = Spec {
        services: Some(BTreeSet::from([Service::Cloudtrail, Service::Config])),
        require_tls: Some(true),
        ..spec()
    };
    let deny = serde_json::json!({ "Sid": "Quiet", "Effect": "Deny", "Action": "s3:PutObject",
        "Principal": { "Service": "cloudtrail.amazonaws.com" }, "Resource": "arn:aws:s3:::audit/*" });
    let with = |spec: &Spec, more: Option<&serde_json::Value>| {
        let all = super::statements::required("aws", account, spec);
        let all = all.into_iter().map(|one| one.statement).chain(more.cloned());
        changes(spec, with_policy(all.collect()))
    };
    assert!(with(&spec, None).is_empty());
    let found = with(&spec, Some(&deny));
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].action, found[0].drift[0].field.as_str()), (&None, "services"));
    assert_eq!(found[0].drift[0].actual, Some(serde_json::json!([deny])));
    let declared = deny.as_object().unwrap().clone().into_iter().collect();
    let declaring = Spec { extra_policy_statements: Some(vec![declared]), ..spec.clone() };
    assert!(with(&declaring, None).is_empty());
    let mut sparing = deny;
    sparing["Principal"] = "*".into();
    sparing["Condition"] = serde_json::json!({ "Bool": { "aws:PrincipalIsAWSService": "false" } });
    assert!(with(&spec, Some(&sparing)).is_empty());
}

fn with_policy(statements: serde_json::Value) -> State {
    let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
    State { policy: Some(policy.to_string()), ..state() }
}

/// AWS reads variables in documents of the version of 2012 alone.
#[test]
fn a_policy_of_the_older_version_has_no_variables() {
    let extra = |resource: &str| {
        serde_json::json!({ "Sid": "Own", "Effect": "Allow", "Principal": { "AWS": "111122223333" },
            "Action": "s3:GetObject", "Resource": resource })
    };
    let variable = extra("arn:aws:s3:::audit/${aws:username}/*");
    let plain = extra("arn:aws:s3:::audit/home/*");
    let declared = |statement: &serde_json::Value| Spec {
        extra_policy_statements: Some(vec![serde_json::from_value(statement.clone()).unwrap()]),
        ..spec()
    };
    let there = |version: Option<&str>, statement: &serde_json::Value| {
        let mut policy = serde_json::json!({ "Statement": [statement] });
        if let Some(version) = version {
            policy["Version"] = serde_json::json!(version);
        }
        State { policy: Some(policy.to_string()), ..state() }
    };
    for version in [Some("2008-10-17"), None] {
        assert!(changes(&declared(&plain), there(version, &plain)).is_empty(), "{version:?}");
        let found = changes(&declared(&variable), there(version, &variable));
        let [found] = found.as_slice() else { panic!("{version:?}: {found:?}") };
        assert!(found.action.is_none(), "{found:?}");
        assert!(found.withheld.as_deref().unwrap().contains("raise its Version"), "{found:?}");
    }
    assert!(changes(&declared(&variable), there(Some("2012-10-17"), &variable)).is_empty());
}

#[test]
fn a_tls_deny_that_is_not_wanted_is_no_agreement() {
    let off = Spec { require_tls: Some(false), ..spec() };
    assert!(changes(&off, state()).is_empty());
    let own = tls::deny_plain("arn:aws:s3:::audit");
    let taken_away = changes(&off, with_policy(serde_json::json!([own])));
    assert_eq!(step(&taken_away[0]), &Step::PutPolicy(None));
    assert!(taken_away[0].warnings[0].contains("no longer denied"), "{taken_away:?}");
    let mut theirs = own;
    theirs["Sid"] = serde_json::json!("Theirs");
    let findings = changes(&off, with_policy(serde_json::json!([theirs])));
    is_finding(&findings, "require_tls", "take it out of the bucket policy");
    let newer = tls::deny_old("arn:aws:s3:::audit", TlsVersion::V1_3);
    let mut theirs = newer.clone();
    theirs["Sid"] = serde_json::json!("Theirs");
    let old = Spec { min_tls_version: Some(TlsVersion::V1_2), ..spec() };
    let both = changes(&old, with_policy(serde_json::json!([theirs])));
    assert!(both[0].action.is_some());
    is_finding(&both[1..], "min_tls_version", "take it out");
    // A former version of evenkeel's own statement is replaced.
    let replaced = changes(&old, with_policy(serde_json::json!([newer])));
    let Step::PutPolicy(Some(policy)) = step(&replaced[0]) else { panic!("no policy") };
    assert_eq!(PolicyDocument::from_text(policy).unwrap().statements().len(), 1);
    assert_eq!(replaced.len(), 1);
}

#[test]
fn a_tls_deny_in_another_form_is_not_written_again() {
    let on = Spec { require_tls: Some(true), ..spec() };
    let theirs = serde_json::json!([{ "Effect": "Deny", "Principal": "*", "Action": "*",
        "Resource": ["arn:aws:s3:::audit", "arn:aws:s3:::audit/*"],
        "Condition": { "bool": { "AWS:SecureTransport": [false] } } }]);
    assert!(changes(&on, with_policy(theirs)).is_empty());
}

#[test]
fn a_policy_that_s3_would_refuse_is_not_sent() {
    let on = Spec { require_tls: Some(true), ..spec() };
    let allow = |principal: &str, resource: serde_json::Value| {
        serde_json::json!([{ "Effect": "Allow", "Principal": { "AWS": principal },
            "Action": "s3:GetObject", "Resource": resource }])
    };
    let many: Vec<String> =
        (0..200).map(|number| format!("arn:aws:s3:::audit/{number:0100}")).collect();
    let large = changes(&on, with_policy(allow("111122223333", serde_json::json!(many))));
    assert!(large[0].withheld.as_deref().unwrap().contains("AWS takes 20480"), "{large:?}");
    let gone = allow("AROAEXAMPLEEXAMPLE123", serde_json::json!("arn:aws:s3:::audit/*"));
    let gone = changes(&on, with_policy(gone));
    assert!(gone[0].withheld.as_deref().unwrap().contains("AROAEXAMPLE"), "{gone:?}");
}
