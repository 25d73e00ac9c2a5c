//! What becomes of GuardDuty's findings as a user meets it: where they are exported to, and what hides them.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, account};

/// All that an export needs, from an empty account on.
const CHAIN: &str = r#"
[kms.key.findings]
service_principals = ["guardduty.amazonaws.com"]

[s3.bucket.findings]
bucket   = "findings-${account.id}"
services = ["guardduty"]

[guardduty.detector]
enable = true
"#;
const EXPORT: &str = r#"
[guardduty.publishing_destination]
destination_arn = "arn:${partition}:s3:::${s3.bucket.findings.bucket}"
kms_key_arn     = "${kms.key.findings.alias}"
"#;
const FOREIGN: &str = "999988887777";

fn guardduty(account: &Account, script: &str) -> Value {
    let head = "guardduty = boto3.client('guardduty', 'eu-west-1')\n\
        kms, s3 = boto3.client('kms', 'eu-west-1'), boto3.client('s3', 'eu-west-1')\n\
        def here():\n\
        \x20   return {'DetectorId': guardduty.list_detectors()['DetectorIds'][0]}\n\
        def there():\n\
        \x20   for one in guardduty.list_publishing_destinations(**here())['Destinations']:\n\
        \x20       found = guardduty.describe_publishing_destination(**here(), DestinationId=one['DestinationId'])\n\
        \x20       return [found['DestinationProperties'], found['Status'], found.get('Tags', {})]\n";
    account.boto3(&format!("{head}{script}"))
}

fn there(account: &Account) -> Value {
    guardduty(account, "print(json.dumps(there()))")
}

fn key(account: &Account) -> String {
    let script =
        "print(json.dumps(kms.describe_key(KeyId='alias/findings')['KeyMetadata']['Arn']))";
    guardduty(account, script).as_str().unwrap().to_owned()
}

/// A bucket of somebody else that lets GuardDuty in.
fn their_bucket(account: &Account) -> String {
    let script = format!(
        "theirs = boto3.client('s3', 'eu-west-1', aws_access_key_id='AKIA{FOREIGN}TEST', aws_secret_access_key='x', aws_session_token='x')\n\
         theirs.create_bucket(Bucket='archive-{0}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         one = {{'Effect': 'Allow', 'Principal': {{'Service': 'guardduty.amazonaws.com'}}, 'Action': ['s3:GetBucketLocation', 's3:PutObject'], 'Resource': ['arn:aws:s3:::archive-{0}', 'arn:aws:s3:::archive-{0}/*']}}\n\
         theirs.put_bucket_policy(Bucket='archive-{0}', Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [one]}}))\n\
         print('null')",
        account.id
    );
    guardduty(account, &script);
    format!("arn:aws:s3:::archive-{}", account.id)
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

#[test]
fn an_empty_account_exports_its_findings_after_one_apply() {
    let account = account(&format!("{CHAIN}{EXPORT}tags = {{ team = \"security\" }}\n"));
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says("the key is not there yet")
        .says("GuardDuty has no detector yet")
        .says("AWS charges for what is kept in the bucket");
    account.run(&APPLY).code(0);
    account.check().code(0).says("4 in sync");
    let arn = format!("arn:aws:s3:::findings-{}", account.id);
    let properties = json!({ "DestinationArn": arn, "KmsKeyArn": key(&account) });
    assert_eq!(there(&account), json!([properties, "PUBLISHING", { "team": "security" }]));
    account
        .run(&["export", "-k", "guardduty.publishing_destination", "-r", "eu-west-1"])
        .code(0)
        .says("arn:aws:s3:::findings-${account.id}");
}

#[test]
fn what_is_made_is_taken_back() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    with_history(&account);
    account.declare(&format!("{CHAIN}{EXPORT}"));
    apply(&account);
    assert_eq!(there(&account)[1], json!("PUBLISHING"));
    account.run(&["rollback", &last_run(&account), "--yes"]).code(0).says("put back");
    assert_eq!(there(&account), Value::Null);
}

#[test]
fn what_is_led_elsewhere_comes_back_with_its_tags() {
    let account = account(&format!("{CHAIN}{EXPORT}"));
    account.run(&APPLY).code(0);
    with_history(&account);
    let before = there(&account);
    let archive =
        "\n[s3.bucket.archive]\nbucket   = \"archive-${account.id}\"\nservices = [\"guardduty\"]\n";
    let moved = EXPORT.replace("s3.bucket.findings", "s3.bucket.archive");
    account.declare(&format!("{CHAIN}{archive}{moved}tags = {{ a = \"b\" }}\n"));
    account.run(&["plan"]).code(0).says("who reads them must follow");
    apply(&account);
    let now = there(&account);
    let arn = format!("arn:aws:s3:::archive-{}", account.id);
    assert_eq!((&now[0]["DestinationArn"], &now[2]), (&json!(arn), &json!({ "a": "b" })));
    let run = last_run(&account);
    // The bucket stays, for evenkeel deletes none.
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).says("put back");
    assert_eq!(there(&account), before);
}

#[test]
fn a_destination_that_somebody_has_changed_since_is_left_by_a_rollback() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    with_history(&account);
    account.declare(&format!("{CHAIN}{EXPORT}"));
    apply(&account);
    let theirs = their_bucket(&account);
    let script = format!(
        "one = guardduty.list_publishing_destinations(**here())['Destinations'][0]['DestinationId']\n\
         guardduty.update_publishing_destination(**here(), DestinationId=one, DestinationProperties={{'DestinationArn': '{theirs}', 'KmsKeyArn': there()[0]['KmsKeyArn']}})\n\
         print('null')"
    );
    guardduty(&account, &script);
    let now = there(&account);
    let run = last_run(&account);
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).code(3);
    assert_eq!(there(&account), now);
}

#[test]
fn findings_go_to_another_account_only_when_that_is_said_and_allowed() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    let theirs = their_bucket(&account);
    let export = EXPORT.replace("arn:${partition}:s3:::${s3.bucket.findings.bucket}", &theirs);
    account.declare(&format!("{CHAIN}{export}"));
    account.check().code(2).says("declare expected_bucket_owner if it is another account's");
    account.forget_calls();
    account
        .run(&APPLY)
        .code(4)
        .says("is not among those of this account, so that nothing was sent");
    assert_eq!(account.writes(), Vec::<String>::new());
    account.declare(&format!("{CHAIN}{export}expected_bucket_owner = \"{FOREIGN}\"\n"));
    account
        .run(&APPLY)
        .code(2)
        .says("gives rights (foreign)")
        .says("findings are exported to account");
    assert_eq!(account.writes(), Vec::<String>::new());
    let allowed: Vec<&str> = APPLY.into_iter().chain(["--allow-grants", "foreign"]).collect();
    account.run(&allowed).code(0);
    account.check().code(0);
    let properties = &there(&account)[0];
    assert_eq!(
        (&properties["DestinationArn"], &properties["ExpectedBucketOwner"]),
        (&json!(theirs), &json!(FOREIGN))
    );
}

#[test]
fn what_does_not_publish_is_told_with_what_to_do() {
    let account = account(&format!("{CHAIN}{EXPORT}"));
    account.run(&APPLY).code(0);
    let close = format!("s3.delete_bucket_policy(Bucket='findings-{}')\nprint('null')", account.id);
    guardduty(&account, &close);
    let only = ["check", "-b", "b.toml", "-k", "guardduty.publishing_destination"];
    account
        .run(&only)
        .code(2)
        .says("UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY")
        .says("s3:GetBucketLocation and s3:PutObject");
    // Its bucket is evenkeel's to mend.
    account.run(&APPLY);
    account.check().code(0).says("4 in sync");
}

#[test]
fn a_folder_that_is_not_there_is_said_with_what_helps() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    let export = EXPORT.replace("findings.bucket}", "findings.bucket}/guardduty");
    account.declare(&format!("{CHAIN}{export}"));
    account.run(&APPLY).code(4).says("put an empty object there");
    let folder = format!(
        "s3.put_object(Bucket='findings-{}', Key='guardduty/', Body=b'')\nprint('null')",
        account.id
    );
    guardduty(&account, &folder);
    account.run(&APPLY).code(0);
    account.check().code(0).says("4 in sync");
}

#[test]
fn what_is_still_looked_at_is_waited_for() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    let slow = format!(
        "import urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/settling?account={}&reads=2'\n\
         urllib.request.urlopen(urllib.request.Request(url, b''))\n\
         print('null')",
        account.id
    );
    guardduty(&account, &format!("import os\n{slow}"));
    account.declare(&format!("{CHAIN}{EXPORT}"));
    account.run(&APPLY).code(0);
    account.check().code(0).says("4 in sync");
}

#[test]
fn a_lost_answer_leaves_one_destination_which_is_ours() {
    let account = account(CHAIN);
    account.run(&APPLY).code(0);
    account.declare(&format!("{CHAIN}{EXPORT}"));
    account.fault(json!({
        "service": "guardduty", "operation": "CreatePublishingDestination", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&APPLY).code(0).says("1 change applied");
    account.check().code(0).says("4 in sync");
}

#[test]
fn what_cannot_be_read_is_unknown_and_nothing_is_written() {
    let account = account(&format!("{CHAIN}{EXPORT}"));
    account.run(&APPLY).code(0);
    for operation in
        ["ListPublishingDestinations", "DescribePublishingDestination", "GetAdministratorAccount"]
    {
        account.fault(json!({ "service": "guardduty", "operation": operation, "kind": "error" }));
        account.check().code(4).says(&format!("missing permission: guardduty:{operation}"));
        account.no_faults();
    }
}

#[test]
fn what_hides_findings_is_told_until_it_is_allowed_or_gone() {
    let account = account(
        "[guardduty.detector]\nenable = true\n\n[guardduty.suppressions]\nallowed_filters = {}\nallowed_ip_sets = {}\nallowed_trusted_entity_sets = {}\n",
    );
    account.run(&APPLY).code(0);
    account.check().code(0).says("2 in sync");
    let hide = "at = {'Format': 'TXT', 'Location': 'https://s3.amazonaws.com/b/x.txt', **here()}\n\
        guardduty.create_filter(**here(), Name='view', FindingCriteria={'Criterion': {'severity': {'Gte': 7}}})\n\
        guardduty.create_filter(**here(), Name='quiet', Action='ARCHIVE', FindingCriteria={'Criterion': {'severity': {'Lt': 7}}})\n\
        guardduty.create_ip_set(**at, Name='offices', Activate=True)\n\
        guardduty.create_trusted_entity_set(**at, Name='idle', Activate=False)\n\
        print('null')";
    guardduty(&account, hide);
    account.forget_calls();
    let run = account.check().code(2);
    assert!(!run.stdout.contains("view") && !run.stdout.contains("idle"), "{}", run.stdout);
    run.says("allowed_filters.quiet")
        .says("archives severity {\"less_than\":7}")
        .says("delete-filter --filter-name quiet")
        .says("allowed_ip_sets.offices")
        .says("a list at https://s3.amazonaws.com/b/x.txt");
    account.run(&APPLY);
    assert_eq!(account.writes(), Vec::<String>::new());
    account
        .run(&["export", "-k", "guardduty.suppressions", "-r", "eu-west-1"])
        .code(0)
        .says("less_than = 7");
    account.declare(
        "[guardduty.suppressions]\nallowed_filters = { quiet = { finding_criteria = { severity = { less_than = 7 } } } }\n\
         allowed_ip_sets = { offices = { location = \"https://s3.amazonaws.com/b/x.txt\" } }\nallowed_trusted_entity_sets = {}\n",
    );
    account.check().code(0).says("1 in sync");
}
