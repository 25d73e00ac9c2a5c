//! GuardDuty in an organization, as its management account and its administrator meet it; read back with boto3.

use serde_json::{Value, json};

use crate::support::Run;
use crate::support::declared::{HEADER, account};
use crate::support::organization::Organization;

const CONFIGURED: &str = r#"
[guardduty.detector]
enable = true

[guardduty.organization]
auto_enable_organization_members = "ALL"

[guardduty.organization.features]
S3_DATA_EVENTS     = { auto_enable = "ALL" }
RUNTIME_MONITORING = { auto_enable = "NEW", additional_configuration = { EC2_AGENT_MANAGEMENT = "NEW" } }
"#;

/// An organization whose management account names `delta` the administrator, which configures.
fn organization() -> Organization {
    let org = Organization::new();
    let named = format!("[guardduty.organization]\nadmin_account_id = \"{}\"\n", org.id("delta"));
    org.management.write("management.toml", &format!("{HEADER}{named}"));
    org.management.write("delta.toml", &format!("{HEADER}{CONFIGURED}"));
    org.fleet(
        "[store]\nurl = \"sqlite://.evenkeel/store.db\"\n[[target]]\nname = \"delta\"\nbaselines = [\"delta.toml\"]\nselect = { accounts = [\"<delta>\"] }\nconfirmed = true\n",
    );
    org
}

/// The management account names its administrator, which takes a yes to a rise of privileges.
fn name(org: &Organization) {
    let apply = ["apply", "-b", "management.toml", "--yes", "--outside-fleet"];
    org.management.run(&apply).code(2).says("foreign").says("sees all their findings");
    org.management.run(&[&apply[..], &["--allow-grants", "foreign"]].concat()).code(0);
    org.management.run(&["check", "-b", "management.toml"]).code(0).says("1 in sync");
}

fn configure(org: &Organization) -> Run {
    org.management.run(&["apply", "--yes", "--max-risk", "destructive"])
}

fn there(org: &Organization) -> Value {
    org.inside(
        "delta",
        "guardduty = client('guardduty')\n\
         there = guardduty.describe_organization_configuration(DetectorId=guardduty.list_detectors()['DetectorIds'][0])\n\
         features = {one['Name']: [one['AutoEnable'], {more['Name']: more['AutoEnable'] for more in one.get('AdditionalConfiguration', [])}] for one in there['Features']}\n\
         print(json.dumps([there['AutoEnableOrganizationMembers'], features['S3_DATA_EVENTS'], features['RUNTIME_MONITORING'], features['EKS_AUDIT_LOGS']]))",
    )
}

/// The administrator's configuration is nobody's guess, also where the management account is the administrator.
#[test]
fn what_an_administrator_without_a_detector_has_configured_is_not_known() {
    let org = Organization::new();
    let own = &org.management;
    let items = format!(
        "[guardduty.organization]\nadmin_account_id = \"{}\"\nauto_enable_organization_members = \"NONE\"\n",
        own.id
    );
    let detector = "[guardduty.detector]\nenable = true\n\n";
    own.write("all.toml", &format!("{HEADER}{detector}{items}"));
    own.run(&["apply", "-b", "all.toml", "--yes", "--allow-grants", "foreign"]).code(0);
    own.write("b.toml", &format!("{HEADER}{items}"));
    own.run(&["check", "-b", "b.toml"]).code(0).says("1 in sync");
    own.boto3(
        "guardduty = boto3.client('guardduty', 'eu-west-1')\n\
         detector = guardduty.list_detectors()['DetectorIds'][0]\n\
         guardduty.update_organization_configuration(DetectorId=detector, AutoEnableOrganizationMembers='NEW')\n\
         guardduty.delete_detector(DetectorId=detector)\n\
         print('null')",
    );
    own.run(&["check", "-b", "b.toml"]).code(1).says("GuardDuty has no detector here");
}

#[test]
fn the_management_account_names_who_configures_all_accounts() {
    let org = organization();
    // Before it is the administrator, the account is told nothing, and that is not in order.
    org.management.run(&["check"]).code(2).says("GuardDuty has no detector here yet");
    name(&org);
    configure(&org).code(0).says("applied");
    org.management.run(&["check"]).code(0).says("2 in sync");
    let agents = json!({
        "EKS_ADDON_MANAGEMENT": "NONE", "ECS_FARGATE_AGENT_MANAGEMENT": "NONE", "EC2_AGENT_MANAGEMENT": "NEW",
    });
    assert_eq!(there(&org), json!(["ALL", ["ALL", {}], ["NEW", agents], ["NONE", {}]]));
    // It has reached the members.
    let members =
        org.inside("alpha", "print(len(client('guardduty').list_detectors()['DetectorIds']))");
    assert_eq!(members, 1);
    let updates = || {
        let calls = org.management.calls_of(org.id("delta"));
        calls.iter().filter(|call| call["operation"] == "UpdateOrganizationConfiguration").count()
    };
    let before = updates();
    configure(&org).code(0);
    assert_eq!(updates(), before);
}

#[test]
fn who_does_not_administer_is_told_nothing_and_never_in_sync() {
    let org = organization();
    name(&org);
    configure(&org).code(0);
    let management = &org.management;
    management.declare("[guardduty.detector]\nenable = true\n\n[guardduty.organization]\nauto_enable_organization_members = \"NONE\"\n");
    management.run(&["apply", "-b", "b.toml", "--yes", "--outside-fleet"]);
    management.forget_calls();
    management.check().code(4).says("GuardDuty administrator account alone");
    let alone = account("[guardduty.organization]\nadmin_account_id = \"444455556666\"\n");
    alone.check().code(1).says("for the organization's management account alone");
    // An export leaves out what another account has.
    let export = ["export", "-k", "guardduty.organization", "-r", "eu-west-1"];
    alone.run(&export).code(0).complains("is told to its management account alone");
}

#[test]
fn an_administrator_that_somebody_has_taken_away_is_seen_on_both_sides() {
    let org = organization();
    name(&org);
    configure(&org).code(0);
    let (delta, gamma) = (org.id("delta"), org.id("gamma"));
    org.management.boto3(&format!(
        "guardduty = boto3.client('guardduty')\n\
         guardduty.disable_organization_admin_account(AdminAccountId='{delta}')\n\
         guardduty.enable_organization_admin_account(AdminAccountId='{gamma}')\nprint('null')"
    ));
    org.management
        .run(&["check", "-b", "management.toml"])
        .code(2)
        .says(gamma)
        .says("evenkeel takes no administrator account away");
    org.management.run(&["check"]).code(4).says("does not administer GuardDuty");
}

#[test]
fn what_was_configured_comes_back() {
    let org = organization();
    name(&org);
    configure(&org).code(0);
    let before = there(&org);
    let weaker = CONFIGURED.replace("\"ALL\"", "\"NONE\"").replace("\"NEW\"", "\"NONE\"");
    org.management.write("delta.toml", &format!("{HEADER}{weaker}"));
    let plan = org.management.run(&["plan"]).code(0);
    plan.says("weaker than before: fewer accounts get auto_enable_organization_members");
    configure(&org).code(0);
    assert_eq!(there(&org)[0], "NONE");
    let runs = org.management.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let last = runs["runs"][0]["run"].as_str().unwrap();
    let back = ["rollback", last, "--yes", "--max-risk", "destructive"];
    org.management.run(&back).code(0).says("put back");
    assert_eq!(there(&org), before);
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let org = organization();
    name(&org);
    configure(&org).code(0);
    for (args, of, operation) in [
        (
            &["check", "-b", "management.toml"][..],
            &org.management.id[..],
            "ListOrganizationAdminAccounts",
        ),
        (&["check"][..], org.id("delta"), "DescribeOrganizationConfiguration"),
    ] {
        let fault = json!({ "service": "guardduty", "operation": operation, "kind": "error" });
        org.management.fault_in(of, fault);
        let missing = format!("missing permission: guardduty:{operation}");
        assert!([1, 4].contains(&org.management.run(args).says(&missing).code));
        org.management.no_faults_in(of);
    }
}
