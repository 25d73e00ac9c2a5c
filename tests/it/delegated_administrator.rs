//! The example of an account that administers an organization's security services: each of the two files where it
//! belongs, read back with boto3.

use serde_json::json;

use crate::support;
use crate::support::organization::Organization;

const MANAGEMENT: &str = "examples/delegated-administrator/management.toml";
const ADMINISTRATOR: &str = "examples/delegated-administrator/administrator.toml";

#[test]
fn two_files_make_an_account_the_administrator_of_all() {
    let org = Organization::new();
    let management = &org.management;
    for file in [MANAGEMENT, ADMINISTRATOR, "baselines/detection.toml", "baselines/foundation.toml"]
    {
        let text = std::fs::read_to_string(support::root().join(file)).unwrap();
        let named = text.replace(
            "administrator = \"111122223333\"",
            &format!("administrator = \"{}\"", org.id("delta")),
        );
        management.write(file, &named);
    }
    management.run(&["validate", MANAGEMENT, ADMINISTRATOR]).code(0).says("ok");
    let here = ["-r", "eu-west-1"];
    let apply = ["apply", "-b", MANAGEMENT, "--yes", "--allow-grants", "foreign"];
    management.run(&[&apply[..], &here].concat()).code(0);
    // As the file says, three are given by their own calls.
    let delta = org.id("delta");
    management.boto3(&format!(
        "boto3.client('macie2').enable_organization_admin_account(adminAccountId='{delta}')\n\
         boto3.client('inspector2').enable_delegated_admin_account(delegatedAdminAccountId='{delta}')\n\
         boto3.client('detective').enable_organization_admin_account(AccountId='{delta}')\nprint('null')"
    ));
    org.fleet(&format!(
        "[[target]]\nname = \"security\"\nbaselines = [\"{ADMINISTRATOR}\"]\nselect = {{ accounts = [\"<delta>\"] }}\nconfirmed = true\n"
    ));
    let apply = ["apply", "--yes", "--max-risk", "destructive", "--max-changes-per-account", "400"];
    management.run(&[&apply[..], &here].concat());
    for kind in [
        "guardduty.organization",
        "securityhub.organization",
        "inspector2.scanning",
        "macie2.session",
        "detective.graph",
    ] {
        management.run(&[&["check", "-k", kind], &here[..]].concat()).code(0).says("1 in sync");
    }
    let seen = org.inside(
        "delta",
        "guardduty, graph = client('guardduty'), client('detective').list_graphs()['GraphList'][0]['Arn']\n\
         there = guardduty.describe_organization_configuration(DetectorId=guardduty.list_detectors()['DetectorIds'][0])\n\
         scans = client('inspector2').describe_organization_configuration()['autoEnable']\n\
         print(json.dumps([there['AutoEnableOrganizationMembers'],\n\
         \x20   client('securityhub').describe_organization_configuration()['AutoEnable'],\n\
         \x20   [scans['ec2'], scans['ecr'], scans['lambda']],\n\
         \x20   client('macie2').describe_organization_configuration()['autoEnable'],\n\
         \x20   client('detective').describe_organization_configuration(GraphArn=graph)['AutoEnable']]))",
    );
    assert_eq!(seen, json!(["ALL", true, [true, true, true], true, true]));
}
