//! Security Hub in an organization, as its management account and its administrator meet it; read back with boto3.

use serde_json::{Value, json};

use crate::support::Run;
use crate::support::declared::{HEADER, account};
use crate::support::organization::Organization;

const HUB: &str = "[securityhub.hub]\nenabled = true\nenable_default_standards = false\n\n";
const CONFIGURED: &str = "[securityhub.organization]\nauto_enable           = true\nauto_enable_standards = \"DEFAULT\"\nconfiguration_type    = \"LOCAL\"\n";
const CENTRAL: &str = "[securityhub.finding_aggregator]\nhome_region = \"eu-west-1\"\nregion_linking_mode = \"ALL_REGIONS\"\n\n[securityhub.organization]\nconfiguration_type = \"CENTRAL\"\n";

/// An organization whose management account names `delta` the administrator.
fn organization() -> Organization {
    let org = Organization::new();
    let named = format!("[securityhub.organization]\nadmin_account_id = \"{}\"\n", org.id("delta"));
    org.management.write("management.toml", &format!("{HEADER}{named}"));
    org.fleet(
        "[store]\nurl = \"sqlite://.evenkeel/store.db\"\n[[target]]\nname = \"delta\"\nbaselines = [\"delta.toml\"]\nselect = { accounts = [\"<delta>\"] }\nconfirmed = true\n",
    );
    let apply = ["apply", "-b", "management.toml", "--yes", "--outside-fleet"];
    org.management.run(&apply).code(2).says("foreign").says("sees all their findings");
    org.management.run(&[&apply[..], &["--allow-grants", "foreign"]].concat()).code(0);
    org.management.run(&["check", "-b", "management.toml"]).code(0).says("1 in sync");
    org
}

fn configure(org: &Organization, items: &str) -> Run {
    org.management.write("delta.toml", &format!("{HEADER}{HUB}{items}"));
    org.management.run(&["apply", "--yes", "--max-risk", "destructive"])
}

fn there(org: &Organization) -> Value {
    org.inside(
        "delta",
        "there = client('securityhub').describe_organization_configuration()\n\
         print(json.dumps([there['AutoEnable'], there['AutoEnableStandards'], there['OrganizationConfiguration']['ConfigurationType']]))",
    )
}

#[test]
fn the_administrator_configures_what_new_accounts_begin_with_and_it_comes_back() {
    let org = organization();
    configure(&org, CONFIGURED).code(0);
    org.management.run(&["check"]).code(0).says("2 in sync");
    assert_eq!(there(&org), json!([true, "DEFAULT", "LOCAL"]));
    configure(&org, "[securityhub.organization]\nauto_enable = false\n").code(0);
    assert_eq!(there(&org), json!([false, "DEFAULT", "LOCAL"]));
    let runs = org.management.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let last = runs["runs"][0]["run"].as_str().unwrap();
    org.management.run(&["rollback", last, "--yes"]).code(0).says("put back");
    assert_eq!(there(&org), json!([true, "DEFAULT", "LOCAL"]));
}

#[test]
fn central_configuration_comes_after_the_aggregator_and_is_waited_for() {
    let org = organization();
    configure(&org, CENTRAL).code(0);
    org.management.run(&["check"]).code(0).says("3 in sync");
    assert_eq!(there(&org), json!([false, "NONE", "CENTRAL"]));
    // While Security Hub changes over, nobody can say what holds.
    configure(
        &org,
        "[securityhub.organization]\nconfiguration_type = \"LOCAL\"\nauto_enable = true\n",
    )
    .code(0);
    assert_eq!(there(&org), json!([true, "NONE", "LOCAL"]));
}

#[test]
fn who_does_not_administer_is_told_nothing_and_never_in_sync() {
    let org = organization();
    let management = &org.management;
    management.declare(&format!("{HUB}[securityhub.organization]\nauto_enable = false\n"));
    management.run(&["apply", "-b", "b.toml", "--yes", "--outside-fleet"]);
    management
        .check()
        .code(4)
        .says("for the organization's Security Hub administrator account alone");
    let alone = account("[securityhub.organization]\nadmin_account_id = \"444455556666\"\n");
    alone.check().code(1).says("for the organization's management account alone");
    let export = ["export", "-k", "securityhub.organization", "-r", "eu-west-1"];
    alone.run(&export).code(0).complains("is told to its management account alone");
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let org = organization();
    configure(&org, CONFIGURED).code(0);
    for (args, of, operation) in [
        (
            &["check", "-b", "management.toml"][..],
            &org.management.id[..],
            "ListOrganizationAdminAccounts",
        ),
        (&["check"][..], org.id("delta"), "DescribeOrganizationConfiguration"),
    ] {
        let fault = json!({ "service": "securityhub", "operation": operation, "kind": "error" });
        org.management.fault_in(of, fault);
        let missing = format!("missing permission: securityhub:{operation}");
        assert!([1, 4].contains(&org.management.run(args).says(&missing).code));
        org.management.no_faults_in(of);
    }
}
