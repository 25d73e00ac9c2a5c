//! What is kept in Security Hub as a user meets it: insights.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, account};

const HUB: &str = "[securityhub.hub]\nenabled = true\n\n";
const INSIGHT: &str = r#"
[securityhub.insight.critical]
name               = "Kritisch ☠ by resource"
group_by_attribute = "ResourceId"
filters            = { SeverityLabel = [{ value = "CRITICAL", comparison = "EQUALS" }], UpdatedAt = [{ date_range = { value = 30 } }], Confidence = [{ gte = 70 }] }
"#;

pub fn hub(account: &Account, script: &str) -> Value {
    let head = "hub = boto3.client('securityhub', 'eu-west-1')\n\
        def insights():\n\
        \x20   all = hub.get_paginator('get_insights').paginate().search('Insights[]')\n\
        \x20   return [one for one in all if ':::' not in one['InsightArn']]\n\
        def shown():\n\
        \x20   return sorted([one['Name'], one['GroupByAttribute'], one['Filters']] for one in insights())\n";
    account.boto3(&format!("{head}{script}"))
}

fn shown(account: &Account) -> Value {
    hub(account, "print(json.dumps(shown()))")
}

/// A store, so that a run can be taken back.
fn with_history(account: &Account) {
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
}

fn apply(account: &Account) {
    account.run(&["apply", "--yes", "--max-risk", "destructive"]).code(0);
}

fn last_run(account: &Account) -> String {
    let runs = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

fn declared() -> Value {
    json!([["Kritisch ☠ by resource", "ResourceId", {
        "SeverityLabel": [{ "Value": "CRITICAL", "Comparison": "EQUALS" }],
        "UpdatedAt": [{ "DateRange": { "Value": 30, "Unit": "DAYS", "Comparison": "WITHIN" } }],
        "Confidence": [{ "Gte": 70.0 }],
    }]])
}

#[test]
fn an_insight_is_made_with_the_hub_and_put_right_when_it_counts_something_else() {
    let account = account(&format!("{HUB}{INSIGHT}"));
    account.run(&APPLY).code(0);
    account.check().code(0).says("2 in sync");
    assert_eq!(shown(&account), declared());
    hub(
        &account,
        "arn = insights()[0]['InsightArn']\n\
         hub.update_insight(InsightArn=arn, GroupByAttribute='Type', Filters={'Confidence': [{'Lt': 5}]})\nprint('null')",
    );
    account
        .check()
        .code(2)
        .says("group_by_attribute")
        .says("filters.Confidence")
        .says("filters.SeverityLabel")
        .says("filters.UpdatedAt");
    account.forget_calls();
    account.run(&APPLY).code(0);
    assert_eq!(account.writes(), ["securityhub:UpdateInsight"]);
    assert_eq!(shown(&account), declared());
    account
        .run(&["export", "-k", "securityhub.insight", "-r", "eu-west-1"])
        .code(0)
        .says("Kritisch ☠ by resource")
        .says("gte = 70");
}

#[test]
fn an_insight_that_a_run_made_goes_with_it_unless_somebody_has_changed_it() {
    for is_changed in [false, true] {
        let account = account(HUB);
        account.run(&APPLY).code(0);
        with_history(&account);
        account.declare(&format!("{HUB}{INSIGHT}"));
        apply(&account);
        let run = last_run(&account);
        if is_changed {
            hub(
                &account,
                "hub.update_insight(InsightArn=insights()[0]['InsightArn'], GroupByAttribute='Type')\nprint('null')",
            );
        }
        let there = shown(&account);
        let back = account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]);
        match is_changed {
            false => {
                back.code(0).says("put back");
                assert_eq!(shown(&account), json!([]));
            }
            true => {
                back.code(3);
                assert_eq!(shown(&account), there);
            }
        }
    }
}

#[test]
fn an_insight_that_was_changed_is_put_back_as_it_was() {
    let account = account(HUB);
    account.run(&APPLY).code(0);
    hub(
        &account,
        "hub.create_insight(Name='Kritisch ☠ by resource', GroupByAttribute='Type', Filters={'Region': [{'Value': 'eu-', 'Comparison': 'PREFIX'}], 'UpdatedAt': [{'DateRange': {'Value': 7, 'Unit': 'DAYS'}}]})\nprint('null')",
    );
    with_history(&account);
    account.declare(&format!("{HUB}{INSIGHT}"));
    apply(&account);
    assert_eq!(shown(&account), declared());
    account.run(&["rollback", &last_run(&account), "--yes"]).code(0).says("put back");
    let was = json!([["Kritisch ☠ by resource", "Type", {
        "Region": [{ "Value": "eu-", "Comparison": "PREFIX" }],
        "UpdatedAt": [{ "DateRange": { "Value": 7, "Unit": "DAYS", "Comparison": "WITHIN" } }],
    }]]);
    assert_eq!(shown(&account), was);
}

#[test]
fn a_name_that_two_insights_have_is_unknown_and_neither_is_written() {
    let account = account(&format!("{HUB}{INSIGHT}"));
    account.run(&APPLY).code(0);
    hub(
        &account,
        "hub.create_insight(Name='Kritisch ☠ by resource', GroupByAttribute='Type', Filters={'Keyword': [{'Value': 'x'}]})\nprint('null')",
    );
    account.forget_calls();
    account.check().says("2 insights are named").says("rename or delete all but one");
    account.run(&APPLY);
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn a_lost_answer_leaves_one_insight_which_is_ours() {
    let account = account(HUB);
    account.run(&APPLY).code(0);
    account.declare(&format!("{HUB}{INSIGHT}"));
    account.fault(json!({
        "service": "securityhub", "operation": "CreateInsight", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&APPLY);
    account.no_faults();
    account.check().code(0).says("2 in sync");
    assert_eq!(shown(&account), declared());
}

#[test]
fn as_many_insights_as_there_may_be_are_said_and_what_is_refused_is_unknown() {
    let account = account(HUB);
    account.run(&APPLY).code(0);
    hub(
        &account,
        "for number in range(100): hub.create_insight(Name=str(number), GroupByAttribute='Type', Filters={'Keyword': [{'Value': 'x'}]})\nprint('null')",
    );
    account.declare(&format!("{HUB}{INSIGHT}"));
    account.run(&APPLY).code(4).says("LimitExceededException");
    account.fault(json!({ "service": "securityhub", "operation": "GetInsights", "kind": "error" }));
    account.check().code(4).says("missing permission: securityhub:GetInsights");
    account.no_faults();
    account.declare(INSIGHT);
    hub(&account, "hub.disable_security_hub()\nprint('null')");
    account.check().code(2).says("Kritisch ☠ by resource");
}

/// Two standards, of which AWS checks all that it can.
const STANDARDS: &str = r#"
[s3.bucket.config]
bucket   = "config-${account.id}"
services = ["config"]

[config.recorder]
role_arn       = ""
recording      = true
s3_bucket_name = "${s3.bucket.config.bucket}"

[securityhub.hub]
enabled = true

[securityhub.standards]
standards = ["aws-foundational-security-best-practices/v/1.0.0", "cis-aws-foundations-benchmark/v/5.0.0"]
"#;
const CONTROL: &str = r#"
[securityhub.control.controls."IAM.6"]
association_status = "DISABLED"
updated_reason     = "The root user has no credentials"

[securityhub.control.controls."IAM.7"]
parameters         = { MinimumPasswordLength = { integer = 14 } }
last_update_reason = "Our rules"
"#;

fn controls(account: &Account, script: &str) -> Value {
    let head = "def at(control):\n\
        \x20   there = hub.list_standards_control_associations(SecurityControlId=control)['StandardsControlAssociationSummaries']\n\
        \x20   return {one['StandardsArn'].split('/')[1]: [one['AssociationStatus'], one.get('UpdatedReason')] for one in there}\n\
        def values(control):\n\
        \x20   there = hub.batch_get_security_controls(SecurityControlIds=[control])['SecurityControls'][0]\n\
        \x20   return {name: one['Value'] for name, one in there['Parameters'].items() if one['ValueType'] == 'CUSTOM'}\n\
        def switch(control, status):\n\
        \x20   entries = [{'StandardsArn': one['StandardsArn'], 'SecurityControlId': control, 'AssociationStatus': status, 'UpdatedReason': 'noise'}\n\
        \x20       for one in hub.list_standards_control_associations(SecurityControlId=control)['StandardsControlAssociationSummaries']]\n\
        \x20   hub.batch_update_standards_control_associations(StandardsControlAssociationUpdates=entries)\n";
    hub(account, &format!("{head}{script}"))
}

fn in_both(status: &str, reason: Option<&str>) -> Value {
    json!({
        "aws-foundational-security-best-practices": [status, reason],
        "cis-aws-foundations-benchmark": [status, reason],
    })
}

#[test]
fn an_empty_account_has_its_controls_as_declared_after_one_apply() {
    let account = account(&format!("{STANDARDS}{CONTROL}"));
    account.run(&APPLY).code(0);
    account.check().code(0).says("5 in sync");
    let there = controls(&account, "print(json.dumps([at('IAM.6'), values('IAM.7')]))");
    let reason = Some("The root user has no credentials");
    let values = json!({ "MinimumPasswordLength": { "Integer": 14 } });
    assert_eq!(there, json!([in_both("DISABLED", reason), values]));
    account
        .run(&["export", "-k", "securityhub.control", "-r", "eu-west-1"])
        .code(0)
        .says("The root user has no credentials")
        .says("integer = 14");
}

#[test]
fn what_is_switched_off_by_somebody_else_is_turned_on_again_in_few_calls() {
    let account = account(&format!("{STANDARDS}{CONTROL}"));
    account.run(&APPLY).code(0);
    controls(
        &account,
        "switch('CloudTrail.1', 'DISABLED')\n\
         hub.update_security_control(SecurityControlId='SecretsManager.3', Parameters={'unusedForDays': {'ValueType': 'CUSTOM', 'Value': {'Integer': 365}}})\nprint('null')",
    );
    account.forget_calls();
    account
        .run(&["check", "-b", "b.toml", "-k", "securityhub.control"])
        .code(2)
        .says("controls.CloudTrail.1.association_status")
        .says("DISABLED: noise")
        .says("controls.SecretsManager.3.parameters.unusedForDays");
    let calls = account.calls();
    let of = |operation: &str| calls.iter().filter(|call| call.operation == operation).count();
    // 405 controls in two standards, a hundred at a time.
    assert_eq!(of("BatchGetStandardsControlAssociations"), 5);
    assert!(of("ListSecurityControlDefinitions") <= 5, "{}", of("ListSecurityControlDefinitions"));
    account.forget_calls();
    account.run(&APPLY).code(0);
    let mut writes = account.writes();
    writes.sort();
    assert_eq!(
        writes,
        [
            "securityhub:BatchUpdateStandardsControlAssociations",
            "securityhub:UpdateSecurityControl"
        ]
    );
    let there =
        controls(&account, "print(json.dumps([at('CloudTrail.1'), values('SecretsManager.3')]))");
    assert_eq!(there, json!([in_both("ENABLED", None), {}]));
    // Whoever leaves the others alone does not look at them either.
    account.declare(&format!("{STANDARDS}{CONTROL}").replace(
        "[securityhub.control.controls.\"IAM.6\"]",
        "[securityhub.control]\nexclusive = false\n\n[securityhub.control.controls.\"IAM.6\"]",
    ));
    controls(&account, "switch('CloudTrail.1', 'DISABLED')\nprint('null')");
    account.check().code(0);
}

#[test]
fn what_a_run_has_switched_is_put_back_as_it_was() {
    let account = account(STANDARDS);
    account.run(&APPLY).code(0);
    let before = "hub.update_security_control(SecurityControlId='IAM.7', Parameters={'MinimumPasswordLength': {'ValueType': 'CUSTOM', 'Value': {'Integer': 20}}}, LastUpdateReason='old')\n\
        entry = {'StandardsArn': 'arn:aws:securityhub:eu-west-1::standards/cis-aws-foundations-benchmark/v/5.0.0', 'SecurityControlId': 'IAM.6', 'AssociationStatus': 'DISABLED', 'UpdatedReason': 'old'}\n\
        hub.batch_update_standards_control_associations(StandardsControlAssociationUpdates=[entry])\n";
    let shown = "print(json.dumps([at('IAM.6'), values('IAM.7')]))";
    let was = controls(&account, &format!("{before}{shown}"));
    with_history(&account);
    account.declare(&format!("{STANDARDS}{CONTROL}"));
    apply(&account);
    assert_ne!(controls(&account, shown), was);
    let run = last_run(&account);
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).code(0).says("put back");
    assert_eq!(controls(&account, shown), was);
}

#[test]
fn what_somebody_has_changed_since_is_left_by_a_rollback() {
    let account = account(STANDARDS);
    account.run(&APPLY).code(0);
    with_history(&account);
    account.declare(&format!("{STANDARDS}{CONTROL}"));
    apply(&account);
    let run = last_run(&account);
    let shown = "print(json.dumps([at('IAM.6'), values('IAM.7')]))";
    let theirs = controls(
        &account,
        &format!(
            "hub.update_security_control(SecurityControlId='IAM.7', Parameters={{'MinimumPasswordLength': {{'ValueType': 'CUSTOM', 'Value': {{'Integer': 30}}}}}})\n{shown}"
        ),
    );
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).code(3);
    assert_eq!(controls(&account, "print(json.dumps(values('IAM.7')))"), theirs[1]);
}

#[test]
fn a_failure_inside_an_answer_that_says_done_names_the_control() {
    let account = account(STANDARDS);
    account.run(&APPLY).code(0);
    account.declare(&format!("{STANDARDS}{CONTROL}"));
    account.fault(json!({
        "service": "securityhub", "operation": "BatchUpdateStandardsControlAssociations", "kind": "partial",
    }));
    account.run(&APPLY).code(4).says("AWS failed with IAM.6 of arn:aws:securityhub");
    account.no_faults();
    account.run(&APPLY).code(0);
    account.check().code(0).says("5 in sync");
}

#[test]
fn controls_of_a_standard_that_takes_its_time_are_waited_for() {
    let account = account(&format!("{STANDARDS}{CONTROL}"));
    account.boto3(&format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/settling?account={}&reads=2'\n\
         urllib.request.urlopen(urllib.request.Request(url, b''))\nprint('null')",
        account.id
    ));
    account.run(&APPLY);
    account.run(&APPLY);
    account.run(&APPLY);
    account.check().code(0).says("5 in sync");
}

#[test]
fn a_control_that_there_is_not_is_said_and_what_is_refused_is_unknown() {
    let account = account(STANDARDS);
    account.run(&APPLY).code(0);
    account.declare(&format!("{STANDARDS}{}", CONTROL.replace("IAM.6", "IAM.600")));
    account.check().code(2).says("Security Hub has no control IAM.600");
    for operation in [
        "ListSecurityControlDefinitions",
        "BatchGetStandardsControlAssociations",
        "BatchGetSecurityControls",
    ] {
        account.fault(json!({ "service": "securityhub", "operation": operation, "kind": "error" }));
        let run = account.run(&["check", "-b", "b.toml", "-k", "securityhub.control"]);
        run.code(1).says(&format!("missing permission: securityhub:{operation}"));
        account.no_faults();
    }
}
