//! Macie as a user meets it: enabled with all that it has, whose it is in a member, what AWS refuses.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, HEADER, account};

const KEPT: &str = "[kms.key.macie]\nservice_principals = [\"macie.amazonaws.com\"]\n\
    [s3.bucket.macie]\nbucket = \"macie-results-${account.id}\"\nservices = [\"macie\"]\n";
const MACIE: &str = r#"
[macie2.session]
status                          = "ENABLED"
automated_discovery             = "DISABLED"
publish_classification_findings = true

[macie2.session.custom_data_identifiers.orders]
regex           = "[A-Z]{2}-[0-9]{8}"
keywords        = ["order"]
severity_levels = { LOW = 1, HIGH = 10 }

[macie2.session.allow_lists.examples]
regex = "XX-[0-9]{8}"
"#;
const EXPORT: &str = "[macie2.session.classification_export]\nbucket_name = \"${s3.bucket.macie.bucket}\"\n\
    kms_key_arn = \"${kms.key.macie.alias}\"\n";

fn macie(account: &Account, script: &str) -> Value {
    let head = "macie = boto3.client('macie2', 'eu-west-1')\n\
        def identifier():\n\
        \x20   [one] = macie.list_custom_data_identifiers()['items']\n\
        \x20   return macie.get_custom_data_identifier(id=one['id'])\n\
        def allowed():\n\
        \x20   [one] = macie.list_allow_lists()['allowLists']\n\
        \x20   return macie.get_allow_list(id=one['id'])\n\
        def there():\n\
        \x20   one, kept = identifier(), macie.get_classification_export_configuration().get('configuration', {})\n\
        \x20   return [macie.get_macie_session()['status'],\n\
        \x20       macie.get_automated_discovery_configuration()['status'],\n\
        \x20       macie.get_findings_publication_configuration()['securityHubConfiguration'],\n\
        \x20       [one['regex'], one['keywords'], one['severityLevels'], one.get('tags', {})],\n\
        \x20       allowed()['criteria'], sorted(kept.get('s3Destination', {}))]\n";
    account.boto3(&format!("{head}{script}"))
}

fn there(account: &Account) -> Value {
    macie(account, "print(json.dumps(there()))")
}

#[test]
fn macie_is_enabled_with_what_it_needs_in_one_plan_and_goes_only_where_that_is_declared() {
    let account = account(&format!("{KEPT}{MACIE}{EXPORT}"));
    account.run(&["plan", "-b", "b.toml"]).code(0).says("0.10 USD for each bucket a month");
    account.run(&APPLY).code(0);
    account.check().code(0);
    let wanted = json!([
        "ENABLED",
        "DISABLED",
        { "publishPolicyFindings": true, "publishClassificationFindings": true },
        [
            "[A-Z]{2}-[0-9]{8}",
            ["order"],
            [
                { "occurrencesThreshold": 1, "severity": "LOW" },
                { "occurrencesThreshold": 10, "severity": "HIGH" },
            ],
            {},
        ],
        { "regex": "XX-[0-9]{8}" },
        ["bucketName", "kmsKeyArn"],
    ]);
    assert_eq!(there(&account), wanted);
    let exported = account.run(&["export", "-k", "macie2.session", "-r", "eu-west-1"]).code(0);
    exported.says("examples = { regex = \"XX-[0-9]{8}\" }");

    account.declare("[macie2.session]\nstatus = \"DISABLED\"\n");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(2).says("only reported");
    account.run(&APPLY).code(0).says("nobody brings back");
    account.check().code(0);
}

#[test]
fn what_somebody_changed_is_put_back_and_an_identifier_keeps_its_tags() {
    let account = account(MACIE);
    account.run(&APPLY).code(0);
    macie(
        &account,
        "one = identifier()\n\
         macie.delete_custom_data_identifier(id=one['id'])\n\
         macie.create_custom_data_identifier(name='orders', regex='none at all', tags={'team': 'sales'})\n\
         macie.update_allow_list(id=allowed()['id'], name='examples', criteria={'regex': '.+'})\n\
         macie.create_allow_list(name='beside', criteria={'regex': '.+'})\n\
         macie.update_macie_session(status='PAUSED')\nprint('null')",
    );
    account
        .check()
        .code(2)
        .says("custom_data_identifiers.orders.regex")
        .says("allow_lists.examples.regex")
        .says("allow_lists.beside");
    account.run(&APPLY).code(2);
    macie(
        &account,
        "[one] = [one for one in macie.list_allow_lists()['allowLists'] if one['name'] == 'beside']\n\
         macie.delete_allow_list(id=one['id'])\nprint('null')",
    );
    account.check().code(0);
    let now = there(&account);
    assert_eq!(now[0], "ENABLED");
    assert_eq!(now[3][0], "[A-Z]{2}-[0-9]{8}");
    assert_eq!(now[3][3], json!({ "team": "sales" }));
    assert_eq!(now[4], json!({ "regex": "XX-[0-9]{8}" }));
}

#[test]
fn in_a_member_the_administrator_is_named_and_its_part_is_left_alone() {
    let account = account("[macie2.session]\nstatus = \"ENABLED\"\n");
    account.run(&APPLY).code(0);
    let join = format!(
        "from botocore.exceptions import ClientError\n\
         theirs = boto3.client('macie2', 'eu-west-1', aws_access_key_id='AKIA999900001111TEST', aws_secret_access_key='x')\n\
         try:\n\
         \x20   theirs.enable_macie()\n\
         except ClientError:\n\
         \x20   pass\n\
         theirs.create_invitations(accountIds=['{0}'])\n\
         [asked] = [one for one in theirs.list_invitations()['invitations'] if one['accountId'] == '{0}']\n\
         macie.accept_invitation(administratorAccountId='999900001111', invitationId=asked['invitationId'])\nprint('null')",
        account.id
    );
    macie(&account, &join);
    account.declare(
        "[macie2.session]\nstatus = \"PAUSED\"\nautomated_discovery = \"ENABLED\"\n\
         publish_classification_findings = true\nrequire_administrator_account = \"999900001111\"\n",
    );
    account.forget_calls();
    account.run(&APPLY).code(2).says("managed by the Macie administrator account 999900001111");
    assert_eq!(account.writes(), ["macie2:PutFindingsPublicationConfiguration"]);
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let account = account(MACIE);
    account.fault(json!({ "service": "macie2", "operation": "GetMacieSession", "kind": "error" }));
    account.check().code(1).says("missing permission: macie2:GetMacieSession");
    account.no_faults();
    account.run(&APPLY).code(0);
    for operation in [
        "GetAdministratorAccount",
        "GetAutomatedDiscoveryConfiguration",
        "GetFindingsPublicationConfiguration",
        "ListCustomDataIdentifiers",
        "GetCustomDataIdentifier",
        "ListAllowLists",
        "GetAllowList",
    ] {
        account.fault(json!({ "service": "macie2", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: macie2:{operation}"));
        account.no_faults();
    }
    account.declare("[macie2.session]\nstatus = \"ENABLED\"\nauto_enable_members = true\n");
    account.check().code(1).says("for the organization's Macie administrator account alone");
}

/// Zurich is one of the Regions that Macie is not offered in, and no name leads to an endpoint there.
#[test]
fn a_region_that_lacks_macie_is_left_out_and_neither_unknown_nor_drift() {
    let account = account("");
    account.write("b.toml", &format!("{}{MACIE}", HEADER.replace("eu-west-1", "eu-central-2")));
    account.fault(json!({ "service": "macie2", "region": "eu-central-2", "kind": "drop" }));
    account
        .run(&["check", "-b", "b.toml", "-v"])
        .code(0)
        .says("Amazon Macie is not available in eu-central-2");
}
