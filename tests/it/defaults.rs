//! Settings that an account has before anybody sets them: the key of EBS encryption and the rules for
//! passwords, as a user meets them.

use serde_json::{Value, json};

use crate::support::declared::APPLY;
use crate::support::{self, Account};

fn export(account: &Account) -> String {
    account.run(&["export", "-k", "ec2.ebs_encryption", "-r", "eu-west-1"]).code(0).stdout
}

#[test]
fn a_default_key_that_is_gone_is_neither_aws_own_nor_in_sync() {
    let account = support::emulator().account();
    let gone =
        format!("arn:aws:kms:eu-west-1:{}:key/11111111-2222-3333-4444-555555555555", account.id);
    account.boto3(&format!(
        "ec2 = boto3.client('ec2')\nec2.enable_ebs_encryption_by_default()\nec2.modify_ebs_default_kms_key_id(KmsKeyId='{gone}')"
    ));
    let export = export(&account);
    assert!(
        export.contains(&gone.replace(&account.id, "${account.id}")) || export.contains(&gone),
        "{export}"
    );
    assert!(export.contains("not there") && !export.contains("kms_key_id = \"\""), "{export}");
    account.declare(&format!("[ec2.ebs_encryption]\nenabled = true\nkms_key_id = \"{gone}\""));
    account.check().code(2).says("not there");
    account.run(&APPLY).says("nothing to apply");
    account.declare("[ec2.ebs_encryption]\nenabled = true\nkms_key_id = \"\"");
    account.check().code(2).says("not there");
    account.run(&APPLY).code(0);
    // AWS names its own key by its ARN.
    account.check().code(0);
}

#[test]
fn a_key_of_ones_own_is_exported_and_is_found_out_when_it_is_disabled() {
    let account = support::emulator().account();
    let arn = account.boto3(
        "kms = boto3.client('kms')\narn = kms.create_key()['KeyMetadata']['Arn']\n\
         kms.create_alias(AliasName='alias/volumes', TargetKeyId=arn)\n\
         boto3.client('ec2').modify_ebs_default_kms_key_id(KmsKeyId=arn)\nprint(json.dumps(arn))",
    );
    let arn = arn.as_str().unwrap();
    let id = arn.rsplit('/').next().unwrap();
    assert!(export(&account).contains(id));
    account.declare("[ec2.ebs_encryption]\nkms_key_id = \"alias/volumes\"");
    account.check().code(0);
    account.boto3(&format!("boto3.client('kms').disable_key(KeyId='{id}')"));
    account.check().code(2).says("Disabled");
    account.declare(&format!("[ec2.ebs_encryption]\nenabled = true\nkms_key_id = \"{arn}\""));
    account.run(&APPLY).says("nothing to apply");
    let enabled = account.boto3(
        "print(json.dumps(boto3.client('ec2').get_ebs_encryption_by_default()['EbsEncryptionByDefault']))",
    );
    assert_eq!(enabled, json!(false), "encryption with a key that cannot work");
}

#[test]
fn the_key_of_another_service_is_not_the_one_of_ebs() {
    let account = support::emulator().account();
    account.boto3(
        "arn = boto3.client('kms').describe_key(KeyId='alias/aws/s3')['KeyMetadata']['Arn']\n\
         boto3.client('ec2').modify_ebs_default_kms_key_id(KmsKeyId=arn)",
    );
    account.declare("[ec2.ebs_encryption]\nkms_key_id = \"\"");
    account.check().code(2);
    account.run(&APPLY).code(0);
    account.check().code(0);
}

fn policy(account: &Account) -> Value {
    account.boto3(
        "print(json.dumps(boto3.client('iam').get_account_password_policy()['PasswordPolicy']))",
    )
}

#[test]
fn the_first_password_policy_is_shown_whole_and_no_weaker_than_before() {
    let account = support::emulator().account();
    account.declare("[iam.password_policy]\nmax_password_age = 90");
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says("minimum_password_length")
        .says("allow_users_to_change_password")
        .says("not declared");
    account.run(&APPLY).code(0);
    let now = policy(&account);
    assert_eq!((&now["MinimumPasswordLength"], &now["MaxPasswordAge"]), (&json!(8), &json!(90)));
    for kind in ["RequireLowercaseCharacters", "RequireUppercaseCharacters", "RequireNumbers"] {
        assert_eq!(now[kind], json!(true), "{kind}");
    }
    account.check().code(0);
}

#[test]
fn a_first_password_policy_that_is_weaker_says_so() {
    let account = support::emulator().account();
    account.declare("[iam.password_policy]\nminimum_password_length = 6");
    account.run(&["plan", "-b", "b.toml"]).code(0).says("weaker than before");
}

#[test]
fn a_password_policy_of_which_aws_leaves_out_the_length_is_unknown() {
    let account = support::emulator().account();
    account.boto3("boto3.client('iam').update_account_password_policy(MinimumPasswordLength=14, MaxPasswordAge=90)");
    account.declare("[iam.password_policy]\nmax_password_age = 90");
    account.check().code(0);
    for (member, value) in [("MinimumPasswordLength", "14"), ("MaxPasswordAge", "90")] {
        account.fault(json!({
            "service": "iam", "operation": "GetAccountPasswordPolicy", "kind": "replace",
            "find": format!("<{member}>{value}</{member}>"), "replace": "",
        }));
        let run = account.check();
        assert!(run.stdout.contains(&format!("AWS did not say {member}")), "{}", run.stdout);
        account.no_faults();
    }
}

/// Without a detector there is nothing to set: what is lacking is said, and an item that makes it is enough.
#[test]
fn malware_scans_are_set_once_there_is_a_detector() {
    let account = support::emulator().account();
    let settings = "[guardduty.malware_scan_settings]\nebs_snapshot_preservation = \"RETENTION_WITH_FINDING\"\n\
                    scan_resource_criteria = { exclude = [{ key = \"scan\", value = \"none\" }] }\n";
    account.declare(settings);
    account.check().code(2).says("GuardDuty has no detector yet");
    account.forget_calls();
    account.run(&APPLY).code(4).says("declare guardduty.detector with enable = true");
    assert_eq!(account.writes(), Vec::<String>::new());
    account.declare(&format!("[guardduty.detector]\nenable = true\n{settings}"));
    account.run(&APPLY).code(0);
    account.check().code(0).says("2 in sync");
    let there = account.boto3(
        "guardduty = boto3.client('guardduty', 'eu-west-1')\n\
         there = guardduty.get_malware_scan_settings(DetectorId=guardduty.list_detectors()['DetectorIds'][0])\n\
         print(json.dumps([there['EbsSnapshotPreservation'], there['ScanResourceCriteria']]))",
    );
    let none = json!([{ "Key": "scan", "Value": "none" }]);
    let excluded = json!({ "Exclude": { "EC2_INSTANCE_TAG": { "MapEquals": none } } });
    assert_eq!(there, json!(["RETENTION_WITH_FINDING", excluded]));
}
