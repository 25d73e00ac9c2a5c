//! What putting a run back does to the objects of several kinds, and what it refuses: the command as a
//! process against the emulator.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{self, Account, Run};

pub fn account(baseline: &str) -> Account {
    let account = support::emulator().account();
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[safety]\nkill_switch = \"STOP\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    declare(&account, baseline);
    account
}

pub fn declare(account: &Account, items: &str) {
    let text = format!(
        "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n{items}"
    );
    account.write("b.toml", &text);
}

pub fn apply(account: &Account) -> String {
    account.run(&["apply", "--yes"]).code(0);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    list["runs"][0]["run"].as_str().unwrap().to_owned()
}

const BLOCK: &str = "[s3.account_public_access_block]\nblock_public_acls = true\nignore_public_acls = true\nblock_public_policy = true\nrestrict_public_buckets = true\n";

fn block(account: &Account) -> Value {
    account.boto3(&format!(
        "s3 = boto3.client('s3control')\n\
         try: print(json.dumps(s3.get_public_access_block(AccountId='{}')['PublicAccessBlockConfiguration']))\n\
         except s3.exceptions.NoSuchPublicAccessBlockConfiguration: print('null')",
        account.id
    ))
}

#[test]
fn what_opens_to_everybody_is_a_rise_on_the_way_back_as_well() {
    let account = account(BLOCK);
    assert_eq!(block(&account), Value::Null);
    let run = apply(&account);
    account
        .run(&["rollback", &run, "--yes"])
        .code(2)
        .says("! gives rights (public): ")
        .says("it gives rights (public) that are not allowed")
        .says("Nothing is put back; 1 change only reported");
    assert_eq!(block(&account)["BlockPublicAcls"], true);
    account
        .run(&["rollback", &run, "--yes", "--allow-grants", "public"])
        .code(0)
        .says("! gives rights (public): ");
    assert_eq!(block(&account), Value::Null);
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says("it is as it was before the run already");
}

#[test]
fn what_is_said_to_be_put_back_is_so() {
    let account = account("[kms.key.k]\nenable_key_rotation = true\n");
    account.boto3(
        "kms = boto3.client('kms', 'eu-west-1')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         kms.create_alias(AliasName='alias/k', TargetKeyId=key)",
    );
    let rotates = || {
        account.boto3(
            "kms = boto3.client('kms', 'eu-west-1')\n\
             key = kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyId']\n\
             print(json.dumps(kms.get_key_rotation_status(KeyId=key)['KeyRotationEnabled']))",
        )
    };
    let run = apply(&account);
    assert_eq!(rotates(), true);
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    assert_eq!(rotates(), false);
}

/// Neither what others have not allowed yet nor what AWS does not tell of an object keeps the rest of it.
#[test]
fn a_finding_beside_a_change_holds_up_no_way_back() {
    let aggregator = |others: &str| {
        format!(
            "[config.aggregator.g]\nconfiguration_aggregator_name = \"g\"\naccount_aggregation_source = {{ account_ids = [{others}\"${{account.id}}\"], all_aws_regions = true }}\n"
        )
    };
    let pack = |age: &str| {
        format!(
            "[config.conformance_pack.p]\ninput_parameters = {{ MaxAge = \"{age}\" }}\ntemplate_body = \"\"\"\nParameters:\n  MaxAge: {{Type: String}}\nResources:\n  Keys:\n    Type: AWS::Config::ConfigRule\n    Properties:\n      ConfigRuleName: k\n      InputParameters: {{maxAccessKeyAge: {{Ref: MaxAge}}}}\n      Source: {{Owner: AWS, SourceIdentifier: ACCESS_KEYS_ROTATED}}\n\"\"\"\n"
        )
    };
    let recorder = "[s3.bucket.c]\nbucket = \"c-${account.id}\"\nservices = [\"config\"]\n\n[config.recorder]\nrecording = true\ns3_bucket_name = \"c-${account.id}\"\nrole_arn = \"\"\n\n";
    let account = account(&format!("{recorder}{}{}", aggregator(""), pack("90")));
    account.run(&["apply", "--yes"]).code(0);
    let seen = || {
        account.boto3(
            "config = boto3.client('config', 'eu-west-1')\n\
             [aggregator] = config.describe_configuration_aggregators()['ConfigurationAggregators']\n\
             [pack] = config.describe_conformance_packs()['ConformancePackDetails']\n\
             print(json.dumps([aggregator['AccountAggregationSources'], pack['ConformancePackInputParameters']]))",
        )
    };
    let before = seen();
    declare(&account, &format!("{recorder}{}{}", aggregator("\"444455556666\", "), pack("45")));
    account.run(&["apply", "--yes"]).code(2);
    assert_ne!(seen(), before);
    account.run(&["rollback", &last_run(&account), "--yes"]).code(0).says("2 changes put back");
    assert_eq!(seen(), before);
}

#[test]
fn what_a_name_stands_for_is_looked_up_for_the_way_back() {
    let account = account("[ec2.ebs_encryption]\nkms_key_id = \"alias/k\"\n");
    account.boto3(
        "kms = boto3.client('kms', 'eu-west-1')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         kms.create_alias(AliasName='alias/k', TargetKeyId=key)",
    );
    let key = || {
        account.boto3(
            "print(json.dumps(boto3.client('ec2', 'eu-west-1').get_ebs_default_kms_key_id()['KmsKeyId']))",
        )
    };
    let before = key();
    let run = apply(&account);
    assert_ne!(key(), before);
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    assert_eq!(key(), before);
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says("it is as it was before the run already");
}

/// What is said of one change of an object is said under it alone.
#[test]
fn each_way_back_has_its_own_warnings() {
    let account = account(
        "[sns.topic.t]\nname = \"t\"\nservices = [\"events\"]\ndisplay_name = \"T\"\ntags = { a = \"1\" }\n",
    );
    account.boto3(
        "sns = boto3.client('sns', 'eu-west-1')\n\
         sns.create_topic(Name='t')",
    );
    let run = apply(&account);
    let shown = account.run(&["rollback", &run, "--save", "back.json"]).code(0).stdout.clone();
    assert_eq!(shown.matches("cost reports").count(), 1, "{shown}");
    assert!(shown.contains("events.amazonaws.com"), "{shown}");
}

const DAY: &str = "max_changes_per_day = 1";

#[test]
fn what_a_budget_holds_back_says_what_to_run_next() {
    let account = account(POLICY);
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &fleet.replace("[safety]", &format!("[safety]\n{DAY}")));
    let run = apply(&account);
    account
        .run(&["rollback", &run, "--yes"])
        .code(3)
        .says(&format!("next: evenkeel rollback {run} --yes --overrule budget"));
    account.run(&["rollback", &run, "--yes", "--overrule", "budget"]).code(0).says("put back");
    let last = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let last = last["runs"][0]["run"].as_str().unwrap().to_owned();
    account.run(&["show", &last, "-v"]).code(0).says("guards overruled by").says(": budget");
}

#[test]
fn rules_that_have_new_ids_are_back() {
    let account = account("[ec2.default_security_group]\ningress = []\n");
    account.boto3(
        "ec2 = boto3.client('ec2', 'eu-west-1')\n\
         group = ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': ['default']}])['SecurityGroups'][0]['GroupId']\n\
         ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 5432, 'ToPort': 5432, 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]}])",
    );
    let run = apply(&account);
    account.run(&["rollback", &run, "--yes"]).code(0).says("put back");
    let count = account.boto3(
        "ec2 = boto3.client('ec2', 'eu-west-1')\n\
         print(len(ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': ['default']}])['SecurityGroups'][0]['IpPermissions']))",
    );
    assert_eq!(count, 2);
}

const POLICY: &str = "[iam.password_policy]\nminimum_password_length = 14\n";

#[test]
fn what_may_not_be_written_by_now_is_reported_and_a_plan_of_a_rollback_is_for_it_alone() {
    let account = account(POLICY);
    let run = apply(&account);
    account.run(&["rollback", &run, "--save", "back.json"]).code(0);
    account
        .run(&["apply", "back.json", "--yes"])
        .code(3)
        .complains(&format!("evenkeel rollback {run} back.json"));
    let fleet = account.read("evenkeel.toml");
    account.write("evenkeel.toml", &fleet.replace("\"enforce\"", "\"report\""));
    account.run(&["rollback", &run, "--yes"]).code(2).says("1 change only reported");
}

#[test]
fn a_plan_of_a_rollback_says_what_is_back_already() {
    let account = account(POLICY);
    let run = apply(&account);
    account.run(&["rollback", &run, "--save", "back.json"]).code(0);
    account.run(&["rollback", &run, "--yes", "--hold-days", "0"]).code(0);
    let again = account.run(&["rollback", &run, "back.json", "--yes"]).code(3);
    let again = again.says("iam.password_policy: it is as it was before the run already");
    assert!(!again.stdout.contains("not declared"), "{}", again.stdout);
}

/// An exception of the object that the run wrote, which is as declared.
fn except(account: &Account, until: &str) {
    let text = account.read("b.toml");
    account.write(
        "b.toml",
        &format!(
            "{text}\n[[exception]]\nitem = \"iam.password_policy\"\nuntil = {until}\nowner = \"security@acme.example\"\nreason = \"An audit is under way\"\n"
        ),
    );
}

#[test]
fn what_an_exception_covers_by_now_is_left_alone_though_it_is_as_declared() {
    let account = account(POLICY);
    let policy = || {
        account.boto3(
            "iam = boto3.client('iam')\n\
             try: print(json.dumps(iam.get_account_password_policy()['PasswordPolicy']['MinimumPasswordLength']))\n\
             except iam.exceptions.NoSuchEntityException: print('null')",
        )
    };
    let run = apply(&account);
    assert_eq!(policy(), 14);
    let declared = account.read("b.toml");
    except(&account, "2099-12-31");
    account.run(&["apply", "--yes"]).code(0);
    account
        .run(&["rollback", &run, "--yes"])
        .code(2)
        .says("Excepted")
        .says("until 2099-12-31 · security@acme.example · An audit is under way")
        .says("Nothing is put back; 1 change only reported");
    assert_eq!(policy(), 14);
    // A plan of before is bound by it as well.
    account.write("b.toml", &declared);
    account.run(&["rollback", &run, "--save", "back.json"]).code(0);
    except(&account, "2099-12-31");
    account.run(&["rollback", &run, "back.json", "--yes"]).code(3).says("left alone");
    assert_eq!(policy(), 14);
    // One that has ended covers nothing.
    account.write("b.toml", &declared);
    except(&account, "2020-01-01");
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    assert_eq!(policy(), Value::Null);
}

#[test]
fn what_somebody_overrules_is_in_the_log_beside_each_write() {
    let account = account(POLICY);
    account.write("STOP", "");
    account.run(&["apply", "--yes"]).code(3);
    account.run(&["apply", "--yes", "--overrule", "kill-switch"]).code(0);
    let log = account.read(".evenkeel/audit.jsonl");
    let records = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let intents: Vec<Value> = records.filter(|record| record["phase"] == "intent").collect();
    assert_eq!(intents[0]["overruled"], json!(["kill-switch"]), "{log}");
}

#[test]
fn a_key_whose_policy_has_changed_since_is_no_change_of_what_is_encrypted_with_it() {
    let bucket = |versioning: &str| {
        format!(
            "[kms.key.k]\nalias = \"alias/k\"\nservice_principals = [\"config.amazonaws.com\"]\n\
             [s3.bucket.logs]\nbucket = \"logs-${{account.id}}\"\nservices = [\"config\"]\n\
             sse_algorithm = \"aws:kms\"\nkms_master_key_id = \"${{kms.key.k.alias}}\"\n\
             versioning = \"{versioning}\"\n"
        )
    };
    let account = account(&bucket("Enabled"));
    apply(&account);
    declare(&account, &bucket("Suspended"));
    account.run(&["apply", "--yes", "--max-risk", "destructive"]).code(0);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap().to_owned();
    // Somebody lets one more service in: the key is another one by that, the bucket is not.
    account.boto3(
        "kms = boto3.client('kms', 'eu-west-1')\n\
         key = kms.describe_key(KeyId='alias/k')['KeyMetadata']['KeyId']\n\
         policy = json.loads(kms.get_key_policy(KeyId=key, PolicyName='default')['Policy'])\n\
         policy['Statement'].append({'Sid': 'More', 'Effect': 'Allow', 'Principal': {'Service': 'guardduty.amazonaws.com'}, 'Action': 'kms:GenerateDataKey*', 'Resource': '*'})\n\
         kms.put_key_policy(KeyId=key, PolicyName='default', Policy=json.dumps(policy))",
    );
    account
        .run(&["rollback", &run, "--yes", "--max-risk", "destructive"])
        .code(0)
        .says("1 change put back");
    let versioning = account.boto3(&format!(
        "print(json.dumps(boto3.client('s3').get_bucket_versioning(Bucket='logs-{}')['Status']))",
        account.id
    ));
    assert_eq!(versioning, "Enabled");
}

const RECORDS: &str =
    "[s3.bucket.config]\nbucket = \"config-${account.id}\"\nservices = [\"config\"]\n";
const RECORDER: &str = "[config.recorder]\nstrategy = \"ALL_SUPPORTED_RESOURCE_TYPES\"\ninclude_global_resource_types = true\nrecording = true\ns3_bucket_name = \"${s3.bucket.config.bucket}\"\n";

/// What the run made goes again and gives nobody rights by that. What stays of it keeps nothing else back.
#[test]
fn a_recorder_that_the_run_made_goes_again_though_the_role_of_the_service_stays() {
    for has_role in [true, false] {
        let account = account(RECORDS);
        if has_role {
            account.boto3(
                "boto3.client('iam').create_service_linked_role(AWSServiceName='config.amazonaws.com')",
            );
        }
        apply(&account);
        declare(&account, &format!("{RECORDS}{RECORDER}"));
        let run = apply(&account);
        let there = || {
            account.boto3(
                "config = boto3.client('config', 'eu-west-1')\n\
                 print(json.dumps([[one['recording'] for one in config.describe_configuration_recorder_status()['ConfigurationRecordersStatus']], \\\n\
                 \x20   len(config.describe_delivery_channels()['DeliveryChannels'])]))",
            )
        };
        assert_eq!(there(), json!([[true], 1]));
        let shown = account
            .run(&["rollback", &run, "--yes"])
            .code(if has_role { 2 } else { 3 })
            .says("--max-risk destructive");
        drop(shown);
        assert_eq!(there(), json!([[true], 1]));
        let back = account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]);
        let said = "a part of it cannot be taken back: the role that Config has for itself stays";
        assert_eq!(back.stdout.contains(said), !has_role, "{}", back.stdout);
        assert!(!back.stdout.contains("gives rights"), "{}", back.stdout);
        back.code(if has_role { 0 } else { 4 }).says("3 changes put back");
        assert_eq!(there(), json!([[], 0]));
        account
            .run(&["rollback", &run, "--yes", "--max-risk", "destructive"])
            .code(3)
            .says("it is as it was before the run already");
    }
}

/// A channel that the run made beside a recorder of somebody's goes alone.
#[test]
fn a_channel_that_the_run_made_goes_and_the_recorder_stays() {
    let account = account(RECORDS);
    account.boto3(
        "iam, config = boto3.client('iam'), boto3.client('config', 'eu-west-1')\n\
         own = boto3.client('sts').get_caller_identity()['Account']\n\
         iam.create_service_linked_role(AWSServiceName='config.amazonaws.com')\n\
         config.put_configuration_recorder(ConfigurationRecorder={'name': 'theirs', 'roleARN': f'arn:aws:iam::{own}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig'})",
    );
    apply(&account);
    declare(
        &account,
        &format!("{RECORDS}[config.recorder]\ns3_bucket_name = \"${{s3.bucket.config.bucket}}\"\n"),
    );
    let run = apply(&account);
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    let there = account.boto3(
        "config = boto3.client('config', 'eu-west-1')\n\
         print(json.dumps([len(config.describe_configuration_recorders()['ConfigurationRecorders']), len(config.describe_delivery_channels()['DeliveryChannels'])]))",
    );
    assert_eq!(there, json!([1, 0]));
}

/// What nobody judges may give any rights where something comes back; where the run turned it on, nothing does.
#[test]
fn what_was_not_there_gives_no_rights_on_the_way_back() {
    let account = account(
        "[securityhub.hub]\nenabled = true\n\n[securityhub.standards]\nstandards = [\"cis-aws-foundations-benchmark/v/5.0.0\"]\n\n\
         [ec2.ebs_encryption]\nenabled = true\n",
    );
    account.run(&["apply", "--yes"]);
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = list["runs"][0]["run"].as_str().unwrap().to_owned();
    let back = account.run(&["rollback", &run, "--yes"]);
    assert!(!back.stdout.contains("gives rights"), "{}", back.stdout);
    back.code(4).says("securityhub:BatchDisableStandards").says("2 changes put back");
}

/// Applies, while a script makes the same thing once our own call is under way.
pub fn apply_while(account: &Account, service: &str, operation: &str, script: &str) -> Run {
    account.fault(json!({
        "service": service, "operation": operation, "kind": "delay", "delay": 6, "count": 1,
    }));
    let log = account.folder.path().join(".evenkeel/audit.jsonl");
    let intents = || {
        std::fs::read_to_string(&log).map_or(0, |log| log.matches("\"phase\":\"intent\"").count())
    };
    let before = intents();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| account.run(&["apply", "--yes"]));
        for _ in 0..600 {
            if intents() > before {
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        // The call reaches AWS directly after its intent is on the disk.
        std::thread::sleep(Duration::from_millis(500));
        account.boto3(script);
        run.join().unwrap()
    })
}

pub fn phases(account: &Account) -> Vec<String> {
    let log = account.read(".evenkeel/audit.jsonl");
    let records = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    records.map(|record| record["phase"].as_str().unwrap().to_owned()).collect()
}

pub fn last_run(account: &Account) -> String {
    let list = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    list["runs"][0]["run"].as_str().unwrap().to_owned()
}

/// What a declaration cannot say, as a policy that is not there or one statement fewer, is put back as well.
#[test]
fn what_the_run_added_is_taken_away_where_a_declaration_says_nothing_of_less() {
    const FOREIGN: &str = "Effect = \"Allow\"\nPrincipal = { AWS = \"999999999999\" }\n";
    const THEIRS: &str = "json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': 'theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:PutBucketAcl', 'Resource': f'arn:aws:s3:::{bucket}'}]})";
    let account = account("");
    let bucket = format!("b-{}", account.id);
    let names = format!(
        "bucket, topic = '{bucket}', 'arn:aws:sns:eu-west-1:{}:t'\n\
         s3, sns = boto3.client('s3', 'eu-west-1'), boto3.client('sns', 'eu-west-1')\n",
        account.id
    );
    let there = || {
        account.boto3(&format!(
            "{names}\
             def said(ask):\n\
             \x20   try: return ask()\n\
             \x20   except Exception as error: return error.response['Error']['Code']\n\
             policy = said(lambda: json.loads(s3.get_bucket_policy(Bucket=bucket)['Policy'])['Statement'])\n\
             rules = said(lambda: [rule['ID'] for rule in s3.get_bucket_lifecycle_configuration(Bucket=bucket)['Rules']])\n\
             print(json.dumps([policy, rules, json.loads(sns.get_topic_attributes(TopicArn=topic)['Attributes']['Policy'])['Statement']]))"
        ))
    };
    account.boto3(&format!(
        "{names}s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         sns.create_topic(Name='t')\nprint('null')"
    ));
    let on_bucket = format!("[s3.bucket.b]\nbucket = \"{bucket}\"\n");
    let statement = |of: &str, action: &str, resource: &str| {
        format!(
            "[[{of}.extra_policy_statements]]\n{FOREIGN}Action = \"{action}\"\nResource = \"{resource}\"\n"
        )
    };
    let opened = statement("s3.bucket.b", "s3:GetObject", &format!("arn:aws:s3:::{bucket}/*"));
    let topic = format!("arn:aws:sns:eu-west-1:{}:t", account.id);
    let opened_topic = statement("sns.topic.t", "SNS:Subscribe", &topic);
    let tidied = "[[s3.bucket.b.lifecycle]]\nid = \"a\"\nexpiration = { days = 400 }\n";
    for (what, items) in [
        ("a policy", format!("{on_bucket}{opened}")),
        ("statements of services", format!("{on_bucket}services = [\"cloudtrail\"]\n")),
        ("a lifecycle", format!("{on_bucket}{tidied}")),
        ("a topic", format!("[sns.topic.t]\nname = \"t\"\n{opened_topic}")),
        ("a statement beside theirs", format!("{on_bucket}{opened}")),
    ] {
        if what.ends_with("theirs") {
            account.boto3(&format!(
                "{names}s3.put_bucket_policy(Bucket=bucket, Policy={THEIRS})\nprint('null')"
            ));
        }
        let before = there();
        declare(&account, &items);
        let allowed = ["--allow-grants", "foreign", "--max-risk", "destructive"];
        account.run(&[&["apply", "--yes"], &allowed[..]].concat()).code(0);
        assert_ne!(there(), before, "{what}");
        let run = last_run(&account);
        let back = account.run(&[&["rollback", &run, "--yes"], &allowed[..]].concat()).code(0);
        assert!(!back.stdout.contains("0 changes put back"), "{what}: {}", back.stdout);
        assert_eq!(there(), before, "{what}");
        // What was put back is held for a week.
        for held in back.stdout.split("(evenkeel release ").skip(1) {
            account.run(&["release", held.split_once(')').unwrap().0]).code(0);
        }
    }
}

/// A rollback that AWS stopped half way is finished by the next one, and blames nobody for what the first one did.
#[test]
fn a_rollback_that_came_half_the_way_is_finished_by_the_next_one() {
    let account = account(
        "[iam.role.ops]\ntrusted_account_ids = [\"${account.id}\"]\nmanaged_policy_arns = [\"arn:aws:iam::aws:policy/SecurityAudit\"]\n",
    );
    let run = apply(&account);
    account.fault(json!({
        "service": "iam", "operation": "DeleteRole", "kind": "error", "code": "AccessDenied", "status": 403,
    }));
    account
        .run(&["rollback", &run, "--yes"])
        .code(4)
        .says("iam:DetachRolePolicy")
        .says("AccessDenied");
    account.no_faults();
    account.run(&["rollback", &run, "--yes"]).code(0).says("1 change put back");
    let roles = account.boto3(
        "print(json.dumps([role['RoleName'] for role in boto3.client('iam').list_roles()['Roles']]))",
    );
    assert_eq!(roles, json!([]));
}
