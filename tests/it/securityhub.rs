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
    assert_eq!(account.writes(), ["UpdateInsight"]);
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
