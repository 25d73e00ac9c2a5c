//! Inspector as a user meets it: enabled with all that it has, whose it is in a member, what fails inside a success.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, HEADER, account};

const SCANNING: &str = r#"
[inspector2.scanning]
resource_types      = ["EC2", "ECR", "LAMBDA"]
ecr_rescan_duration = "DAYS_30"
ec2_scan_mode       = "EC2_SSM_AGENT_BASED"
package_paths       = ["/opt/app"]

[inspector2.scanning.cis_scans.nightly]
security_level       = "LEVEL_2"
schedule             = { daily = { start_time = { time_of_day = "03:00", timezone = "UTC" } } }
target_resource_tags = { cis = ["yes"] }
"#;

fn inspector(account: &Account, script: &str) -> Value {
    let head = "inspector = boto3.client('inspector2', 'eu-west-1')\n\
        def scanned():\n\
        \x20   [one] = inspector.batch_get_account_status()['accounts']\n\
        \x20   return sorted(name for name, state in one['resourceState'].items() if state['status'] == 'ENABLED')\n\
        def there():\n\
        \x20   configured, deep = inspector.get_configuration(), inspector.get_ec2_deep_inspection_configuration()\n\
        \x20   scans = inspector.list_cis_scan_configurations()['scanConfigurations']\n\
        \x20   return [scanned(), configured['ecrConfiguration']['rescanDurationState']['rescanDuration'],\n\
        \x20       configured['ec2Configuration']['scanModeState']['scanMode'], deep['packagePaths'],\n\
        \x20       [[one['scanName'], one['securityLevel'], one['schedule'], one['targets']['targetResourceTags']] for one in scans]]\n";
    account.boto3(&format!("{head}{script}"))
}

/// What is written is shown on its way for so many reads.
fn settle_after(account: &Account, reads: u32) {
    account.boto3(&format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/settling?account={}&reads={reads}'\n\
         urllib.request.urlopen(urllib.request.Request(url, b''))\nprint('null')",
        account.id
    ));
}

fn there(account: &Account) -> Value {
    inspector(account, "print(json.dumps(there()))")
}

#[test]
fn inspector_is_enabled_with_all_that_is_declared_and_nothing_else_is_touched() {
    let account = account(SCANNING);
    account.run(&["plan", "-b", "b.toml"]).code(0).says("1.25 USD for each instance a month");
    account.run(&APPLY).code(0);
    account.check().code(0);
    let daily = json!({ "daily": { "startTime": { "timeOfDay": "03:00", "timezone": "UTC" } } });
    let wanted = json!([
        ["ec2", "ecr", "lambda"],
        "DAYS_30",
        "EC2_SSM_AGENT_BASED",
        ["/opt/app"],
        [["nightly", "LEVEL_2", daily, { "cis": ["yes"] }]],
    ]);
    assert_eq!(there(&account), wanted);
    account
        .run(&["export", "-k", "inspector2.scanning", "-r", "eu-west-1"])
        .code(0)
        .says("nightly = { security_level = \"LEVEL_2\"");

    inspector(&account, "inspector.enable(resourceTypes=['LAMBDA_CODE'])\nprint('null')");
    account.check().code(0);
    account.declare(&SCANNING.replace("\necr_", "\nexclusive = true\necr_"));
    account.check().code(2).says("resource_types.LAMBDA_CODE");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(2).says("only reported");
    account.run(&APPLY).code(0).says("findings of what is no longer scanned are lost");
    assert_eq!(there(&account), wanted);
    account.declare("[inspector2.scanning]\nresource_types = []\nexclusive = true\n");
    account.run(&APPLY).code(0);
    account.check().code(0);
    assert_eq!(inspector(&account, "print(json.dumps(scanned()))"), json!([]));
}

#[test]
fn what_somebody_changed_is_put_back() {
    let account = account(SCANNING);
    account.run(&APPLY).code(0);
    let before = there(&account);
    inspector(
        &account,
        "inspector.disable(resourceTypes=['ECR'])\n\
         inspector.update_configuration(ecrConfiguration={'rescanDuration': 'DAYS_3'}, ec2Configuration={'scanMode': 'EC2_HYBRID'})\n\
         [one] = inspector.list_cis_scan_configurations()['scanConfigurations']\n\
         inspector.update_cis_scan_configuration(scanConfigurationArn=one['scanConfigurationArn'], schedule={'oneTime': {}})\n\
         print('null')",
    );
    account
        .check()
        .code(2)
        .says("resource_types.ECR")
        .says("ecr_rescan_duration")
        .says("cis_scans.nightly.schedule");
    account.run(&APPLY).code(0);
    account.check().code(0);
    assert_eq!(there(&account), before);
}

#[test]
fn while_inspector_is_at_work_nothing_is_in_sync_and_the_apply_waits() {
    let account = account("[inspector2.scanning]\nresource_types = [\"EC2\"]\n");
    settle_after(&account, 2);
    account.run(&APPLY).code(0);
    account.check().code(0);
    settle_after(&account, 100);
    inspector(&account, "inspector.enable(resourceTypes=['ECR'])\nprint('null')");
    account
        .check()
        .code(1)
        .says("Inspector is still working: resourceState.ecr.status is ENABLING");
}

#[test]
fn what_fails_inside_of_a_success_is_a_failure() {
    let account = account("[inspector2.scanning]\nresource_types = [\"EC2\"]\n");
    account.fault(json!({
        "service": "inspector2", "operation": "Enable", "kind": "partial",
        "code": "ACCOUNT_IS_ISOLATED", "message": "The account is isolated.",
    }));
    account.run(&APPLY).code(4).says("ACCOUNT_IS_ISOLATED");
    account.no_faults();
    account.run(&APPLY).code(0);
    account.check().code(0);
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let account = account(SCANNING);
    for operation in ["BatchGetAccountStatus", "GetDelegatedAdminAccount"] {
        account.fault(json!({ "service": "inspector2", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: inspector2:{operation}"));
        account.no_faults();
    }
    account.run(&APPLY).code(0);
    for operation in
        ["GetConfiguration", "GetEc2DeepInspectionConfiguration", "ListCisScanConfigurations"]
    {
        account.fault(json!({ "service": "inspector2", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: inspector2:{operation}"));
        account.no_faults();
    }
    account.declare(&SCANNING.replace("ec2_scan", "auto_enable_members = []\nec2_scan"));
    account
        .check()
        .code(1)
        .says("for the organization's delegated administrator of Inspector alone");
}

/// New Zealand is a Region that Inspector is not offered in, and no name leads to an endpoint there.
#[test]
fn a_region_that_lacks_inspector_is_left_out_and_neither_unknown_nor_drift() {
    let account = account("");
    account
        .write("b.toml", &format!("{}{SCANNING}", HEADER.replace("eu-west-1", "ap-southeast-6")));
    account.fault(json!({ "service": "inspector2", "region": "ap-southeast-6", "kind": "drop" }));
    account
        .run(&["check", "-b", "b.toml", "-v"])
        .code(0)
        .says("Amazon Inspector is not available in ap-southeast-6");
}
