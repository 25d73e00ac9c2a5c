//! Buckets and what hangs on them, as others have set them up: nothing of theirs is lost, what S3
//! keeps in another form is known again, and what S3 would refuse is said before.

use crate::support::declared::{self, APPLY};
use crate::support::{self, Account};

use serde_json::{Value, json};

/// Makes a bucket in the Region of the tests.
const MADE: &str = "s3 = boto3.client('s3')\n\
    def made(name): s3.create_bucket(Bucket=name, CreateBucketConfiguration={'LocationConstraint': 'eu-west-1'})\n";

fn account(items: &str, script: &str) -> Account {
    let account = declared::account(items);
    boto3(&account, script);
    account
}

/// Runs a script; `ACCOUNT` in it is the account's.
fn boto3(account: &Account, script: &str) -> Value {
    account.boto3(&format!("{MADE}{}", script.replace("ACCOUNT", &account.id)))
}

fn statements(account: &Account, bucket: &str) -> Vec<Value> {
    let policy =
        boto3(account, &format!("print(s3.get_bucket_policy(Bucket='{bucket}')['Policy'])"));
    policy["Statement"].as_array().unwrap().clone()
}

#[test]
fn a_statement_that_s3_keeps_in_another_form_is_refused_or_written_once() {
    let user = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be";
    let site = |principal: &str| {
        format!(
            "[s3.bucket.site]\nbucket = \"site-${{account.id}}\"\n\
             [[s3.bucket.site.extra_policy_statements]]\nEffect = \"Allow\"\nPrincipal = {principal}\n\
             Action = \"s3:GetObject\"\nResource = \"arn:aws:s3:::site-${{account.id}}/*\"\n"
        )
    };
    let canonical = format!("{{ CanonicalUser = \"{user}\" }}");
    let account = account(&site(&canonical), "made('site-ACCOUNT')");
    account
        .run(&["validate", "b.toml"])
        .code(1)
        .complains("CanonicalUser")
        .complains("write the identity's ARN");
    // S3 answers with something that means the same to nobody but itself.
    let arn = "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E1";
    account.declare(&site(&format!("{{ AWS = \"{arn}\" }}")));
    account.fault(json!({ "service": "s3", "operation": "GetBucketPolicy", "kind": "replace",
        "find": format!("\"AWS\":\"{arn}\""), "replace": "\"AWS\":\"AIDAEXAMPLEEXAMPLE123\"" }));
    let foreign: Vec<&str> = APPLY.into_iter().chain(["--allow-grants", "foreign"]).collect();
    for _ in 0..3 {
        account.run(&foreign);
    }
    account.no_faults();
    assert_eq!(statements(&account, "site-ACCOUNT").len(), 1);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn a_statement_of_somebody_else_is_never_displaced() {
    let items = "[s3.bucket.logs]\nbucket = \"logs-${account.id}\"\nrequire_tls = true\n";
    let account = account(
        items,
        "made('logs-ACCOUNT')\n\
         own = {'Sid': 'DenyInsecureTransport', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteObject', 'Resource': 'arn:aws:s3:::logs-ACCOUNT/*'}\n\
         s3.put_bucket_policy(Bucket='logs-ACCOUNT', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [own]}))",
    );
    account.run(&APPLY).code(0);
    let there = statements(&account, "logs-ACCOUNT");
    assert_eq!(there.len(), 2);
    assert_eq!(there[0]["Action"], "s3:DeleteObject");
    assert_eq!(there[1]["Action"], "s3:*");
    assert_ne!(there[0]["Sid"], there[1]["Sid"]);
    account.run(&["check", "-b", "b.toml"]).code(0);
    // Declared, the same statement would be in the way of the other.
    account.declare(
        &format!(
            "{items}[[s3.bucket.logs.extra_policy_statements]]\nSid = \"DenyInsecureTransport\"\nEffect = \"Deny\"\n\
             Principal = \"*\"\nAction = \"s3:DeleteObject\"\nResource = \"arn:aws:s3:::logs-${{account.id}}/*\"\n"
        ),
    );
    account
        .run(&["validate", "b.toml"])
        .code(1)
        .complains("DenyInsecureTransport")
        .complains("another Sid");
}

#[test]
fn a_mark_that_is_false_is_the_same_as_none() {
    let rule = |expiration: &str| {
        format!(
            "[s3.bucket.life]\nbucket = \"life-${{account.id}}\"\n[[s3.bucket.life.lifecycle]]\nid = \"old\"\n\
             expiration = {expiration}\n"
        )
    };
    let account = account(
        &rule("{ days = 400, expired_object_delete_marker = false }"),
        "made('life-ACCOUNT')\n\
         rule = {'ID': 'old', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 400}}\n\
         s3.put_bucket_lifecycle_configuration(Bucket='life-ACCOUNT', LifecycleConfiguration={'Rules': [rule]})",
    );
    account.run(&["check", "-b", "b.toml"]).code(0);
    account.declare(&rule("{ days = 300, expired_object_delete_marker = false }"));
    account.run(&APPLY).code(0);
    for refused in [
        "{ days = 400, expired_object_delete_marker = true }",
        "{ expired_object_delete_marker = false }",
    ] {
        account.declare(&rule(refused));
        account.run(&["validate", "b.toml"]).code(1).complains("expir");
    }
}

#[test]
fn the_key_format_of_an_access_log_is_kept_exported_and_undone() {
    let account = account(
        "[s3.bucket.src]\nbucket = \"src-${account.id}\"\naccess_log_bucket = \"tgt-${account.id}\"\naccess_log_prefix = \"new/\"\n",
        "made('src-ACCOUNT'); made('tgt-ACCOUNT')\n\
         allow = {'Effect': 'Allow', 'Principal': {'Service': 'logging.s3.amazonaws.com'}, 'Action': 's3:PutObject', 'Resource': 'arn:aws:s3:::tgt-ACCOUNT/*'}\n\
         s3.put_bucket_policy(Bucket='tgt-ACCOUNT', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [allow]}))\n\
         s3.put_bucket_logging(Bucket='src-ACCOUNT', BucketLoggingStatus={'LoggingEnabled': {'TargetBucket': 'tgt-ACCOUNT', 'TargetPrefix': 'old/', 'TargetObjectKeyFormat': {'PartitionedPrefix': {'PartitionDateSource': 'EventTime'}}}})",
    );
    account.run(&APPLY).code(0);
    let there = boto3(
        &account,
        "print(json.dumps(s3.get_bucket_logging(Bucket='src-ACCOUNT')['LoggingEnabled']))",
    );
    assert_eq!(there["TargetPrefix"], "new/");
    assert_eq!(
        there["TargetObjectKeyFormat"]["PartitionedPrefix"]["PartitionDateSource"],
        "EventTime"
    );
    let text = account.run(&["export", "-k", "s3.bucket"]).code(0).stdout;
    assert!(text.contains("access_log_key_format") && text.contains("\"EventTime\""), "{text}");
}

#[test]
fn one_key_has_several_names_and_a_disabled_one_is_no_agreement() {
    let account = account(
        "[s3.bucket.data]\nbucket = \"data-${account.id}\"\nsse_algorithm = \"aws:kms\"\n\
         kms_master_key_id = \"arn:${partition}:kms:eu-west-1:${account.id}:alias/data\"\n",
        "kms = boto3.client('kms'); key = kms.create_key()['KeyMetadata']\n\
         kms.create_alias(AliasName='alias/data', TargetKeyId=key['KeyId']); made('data-ACCOUNT')\n\
         rule = {'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': key['Arn']}, 'BucketKeyEnabled': True}\n\
         s3.put_bucket_encryption(Bucket='data-ACCOUNT', ServerSideEncryptionConfiguration={'Rules': [rule]})",
    );
    account.run(&["check", "-b", "b.toml"]).code(0);
    boto3(
        &account,
        "boto3.client('kms').disable_key(KeyId=boto3.client('kms').describe_key(KeyId='alias/data')['KeyMetadata']['KeyId'])",
    );
    account.run(&["check", "-b", "b.toml"]).code(2).says("it is in the state Disabled");
    // The alias points elsewhere.
    boto3(
        &account,
        "kms = boto3.client('kms'); kms.update_alias(AliasName='alias/data', TargetKeyId=kms.create_key()['KeyMetadata']['KeyId'])",
    );
    account.run(&["check", "-b", "b.toml"]).code(2).says("kms_master_key_id");
    // Who may not ask KMS knows nothing.
    account.fault(json!({ "service": "kms", "operation": "DescribeKey", "kind": "error",
        "code": "AccessDeniedException", "status": 400 }));
    account.run(&["check", "-b", "b.toml"]).code(1).says("kms:DescribeKey");
}

#[test]
fn a_tag_of_a_role_in_another_case_stays_a_tag() {
    let account = account(
        "[iam.role.worker]\ntags = { team = \"core\" }\n",
        "trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}\n\
         boto3.client('iam').create_role(RoleName='worker', AssumeRolePolicyDocument=json.dumps(trust), Tags=[{'Key': 'Team', 'Value': 'core'}])",
    );
    account.forget_calls();
    account.run(&APPLY).code(0);
    let tagging: Vec<String> = account
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .filter(|operation| operation.ends_with("tagRole") || operation == "TagRole")
        .collect();
    assert_eq!(tagging, ["TagRole"]);
    let there = boto3(
        &account,
        "print(json.dumps(boto3.client('iam').get_role(RoleName='worker')['Role']['Tags']))",
    );
    assert_eq!(there, json!([{ "Key": "team", "Value": "core" }]));
    for (tags, word) in [
        ("{ team = \"core\", Team = \"core\" }", "are one key"),
        ("{ \"aws:x\" = \"1\" }", "reserved for AWS"),
    ] {
        account.declare(&format!("[iam.role.worker]\ntags = {tags}\n"));
        account.run(&["validate", "b.toml"]).code(1).complains(word);
    }
}

#[test]
fn a_tls_deny_that_is_not_wanted_is_found() {
    let account = account(
        "[s3.bucket.a]\nbucket = \"a-${account.id}\"\nrequire_tls = false\n",
        "made('a-ACCOUNT')\n\
         deny = {'Sid': 'Theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:*', 'Resource': ['arn:aws:s3:::a-ACCOUNT', 'arn:aws:s3:::a-ACCOUNT/*'], 'Condition': {'Bool': {'aws:SecureTransport': 'false'}}}\n\
         s3.put_bucket_policy(Bucket='a-ACCOUNT', Policy=json.dumps({'Version': '2012-10-17', 'Statement': [deny]}))",
    );
    account.run(&["check", "-b", "b.toml"]).code(2).says("require_tls");
}

#[test]
fn a_bucket_that_was_only_half_made_is_finished() {
    let account = account(
        "[s3.bucket.logs]\nbucket = \"half-${account.id}\"\nversioning = \"Enabled\"\nlifecycle = [{ id = \"a-year\", expiration = { days = 365 } }]\n",
        "made('half-ACCOUNT')",
    );
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
    // Where something is, the same rule deletes it one day.
    boto3(
        &account,
        "s3.delete_bucket_lifecycle(Bucket='half-ACCOUNT'); s3.put_object(Bucket='half-ACCOUNT', Key='a', Body=b'')",
    );
    account.run(&["plan", "-b", "b.toml"]).says("destructive");
}

#[test]
fn a_name_that_another_account_has_is_unknown_and_the_remedy_helps() {
    let account =
        account("[s3.bucket.a]\nbucket = \"taken-${account.id}\"\nversioning = \"Enabled\"\n", "");
    let other = support::emulator().account();
    let name = format!("taken-{}", account.id);
    other.boto3(&format!("{MADE}made('{name}')"));
    account.run(&["plan", "-b", "b.toml"]).says("choose another one");
    account.forget_calls();
    account.run(&APPLY);
    assert!(account.calls().iter().all(|call| call.operation != "CreateBucket"));
}

/// What S3 leaves out, or says in words that this version does not know, is no agreement; what it
/// documents to mean the same is.
#[test]
fn an_answer_that_says_too_little_is_unknown() {
    let declared = "[s3.bucket.a]\nbucket = \"b-${account.id}\"\n";
    let block = "[s3.bucket.a.public_access_block]\nblock_public_acls = true\nignore_public_acls = true\nblock_public_policy = true\nrestrict_public_buckets = true\n";
    let account = account(
        declared,
        "made('b-ACCOUNT')\n\
         s3.put_bucket_versioning(Bucket='b-ACCOUNT', VersioningConfiguration={'Status': 'Enabled'})\n\
         lock = {'ObjectLockEnabled': 'Enabled', 'Rule': {'DefaultRetention': {'Mode': 'GOVERNANCE', 'Days': 7}}}\n\
         s3.put_object_lock_configuration(Bucket='b-ACCOUNT', ObjectLockConfiguration=lock)",
    );
    let lock = "object_lock_mode = \"GOVERNANCE\"\nobject_lock_days = 7\n";
    let of_account =
        "[s3.account_public_access_block]\nblock_public_acls = false\nignore_public_acls = true\n";
    account.declare(of_account);
    account.run(&APPLY).code(0);
    let cases = [
        (
            "s3",
            "GetPublicAccessBlock",
            format!("{declared}{block}"),
            "BlockPublicAcls",
            "Unheard",
            1,
        ),
        (
            "s3control",
            "GetPublicAccessBlock",
            of_account.to_owned(),
            "BlockPublicAcls",
            "Unheard",
            1,
        ),
        (
            "s3",
            "GetBucketEncryption",
            format!("{declared}sse_algorithm = \"AES256\"\n"),
            "AES256",
            "AES512",
            1,
        ),
        (
            "s3",
            "GetBucketVersioning",
            format!("{declared}mfa_delete = false\n"),
            "</Status>",
            "</Status><MfaDelete>Maybe</MfaDelete>",
            1,
        ),
        (
            "s3",
            "GetObjectLockConfiguration",
            format!("{declared}{lock}"),
            "<Days>7</Days>",
            "<Days>7</Days><Years>0</Years>",
            0,
        ),
        (
            "s3",
            "GetObjectLockConfiguration",
            format!("{declared}{lock}"),
            "<Days>7</Days>",
            "<Days>-7</Days>",
            1,
        ),
    ];
    for (service, operation, items, find, replace, code) in cases {
        account.declare(&items);
        account.run(&["check", "-b", "b.toml"]).code(0);
        account.fault(json!({ "service": service, "operation": operation, "kind": "replace",
            "find": find, "replace": replace }));
        account.run(&["check", "-b", "b.toml"]).code(code);
        account.no_faults();
    }
}

#[test]
fn policies_of_roles_and_keys_are_checked_before_they_are_sent() {
    let statement =
        "{ Sid = \"A\", Effect = \"Allow\", Action = \"s3:GetObject\", Resource = \"*\" }";
    let principal =
        "Effect = \"Allow\", Principal = { AWS = \"*\" }, Action = \"kms:*\", Resource = \"*\"";
    for (items, word) in [
        (format!("[iam.role.a.inline_policies.x]\nStatement = [{statement}, {statement}]\n"), "has the Sid of another one"),
        (
            "[iam.role.a.assume_role_policy]\nStatement = [{ Effect = \"Allow\", Action = \"sts:AssumeRole\", Principal = { AWS = \"arn:aws:iam::111122223333:role/*\" } }]\n".to_owned(),
            "no wildcard",
        ),
        (
            format!("[kms.key.a.policy]\nStatement = [{{ Sid = \"A b\", {principal} }}, {{ Sid = \"A b\", {principal} }}]\n"),
            "has the Sid of another one",
        ),
    ] {
        let account = support::emulator().account();
        account.declare(&items);
        account.run(&["validate", "b.toml"]).code(1).complains(word);
    }
}

/// A key that S3 could not encrypt with is not written, by whatever name it is declared, and what
/// needs no key is.
/// AWS blocks customers' own keys of a new bucket by itself, of which the plan of one that is not there says nothing.
#[test]
fn what_aws_gives_a_new_bucket_by_itself_is_kept() {
    let account = account(
        "[kms.key.k]\nalias = \"alias/k\"\n\n[s3.bucket.kms]\nbucket = \"kms-${account.id}\"\nsse_algorithm = \"aws:kms\"\n\
         kms_master_key_id = \"${kms.key.k.alias}\"\n\n[s3.bucket.aes]\nbucket = \"aes-${account.id}\"\nsse_algorithm = \"AES256\"\n",
        "print('null')",
    );
    account.run(&APPLY).code(0);
    for (bucket, algorithm) in [("kms", "aws:kms"), ("aes", "AES256")] {
        let rule = boto3(
            &account,
            &format!(
                "print(json.dumps(s3.get_bucket_encryption(Bucket='{bucket}-ACCOUNT')['ServerSideEncryptionConfiguration']['Rules'][0]))"
            ),
        );
        assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], algorithm);
        assert!(rule.to_string().contains("SSE-C"), "{rule}");
    }
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn a_bucket_takes_no_key_that_cannot_work() {
    let account = account(
        "",
        "made('data-ACCOUNT')\n\
         kms = boto3.client('kms')\n\
         def named(name, region='eu-west-1', **more):\n\
         \x20   kms = boto3.client('kms', region)\n\
         \x20   key = kms.create_key(**more)['KeyMetadata']['KeyId']\n\
         \x20   kms.create_alias(AliasName=f'alias/{name}', TargetKeyId=key)\n\
         \x20   return key\n\
         kms.disable_key(KeyId=named('disabled'))\n\
         kms.schedule_key_deletion(KeyId=named('dying'), PendingWindowInDays=7)\n\
         named('rsa', KeySpec='RSA_2048', KeyUsage='SIGN_VERIFY')\n\
         named('far', 'us-east-1')",
    );
    let spec = |key: &str| {
        format!(
            "[s3.bucket.data]\nbucket = \"data-${{account.id}}\"\nsse_algorithm = \"aws:kms\"\n\
             kms_master_key_id = \"{key}\"\nblocked_encryption_types = [\"SSE-C\"]\n"
        )
    };
    account.declare(&spec("alias/aws/ebs"));
    let check = account.run(&["check", "-b", "b.toml"]).code(1);
    check.complains("AWS's own key of another service").complains("name a key of your own");
    for (key, why) in [
        ("alias/disabled", "in the state Disabled"),
        ("alias/dying", "in the state PendingDeletion"),
        ("alias/rsa", "of the spec RSA_2048"),
        ("arn:aws:kms:us-east-1:${account.id}:alias/far", "it is a key of us-east-1"),
        ("11111111-2222-3333-4444-555555555555", "it is not there"),
    ] {
        account.declare(&spec(key));
        account.run(&["check", "-b", "b.toml"]).code(2).says(why);
    }
    account.run(&APPLY);
    let rule = boto3(
        &account,
        "print(json.dumps(s3.get_bucket_encryption(Bucket='data-ACCOUNT')['ServerSideEncryptionConfiguration']['Rules'][0]))",
    );
    assert_eq!(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"], "AES256");
    assert!(rule.to_string().contains("SSE-C"), "{rule}");
    // An alias may be another item's to make; when it is nobody's, nothing is written.
    account.declare(&spec("alias/nowhere"));
    account.run(&["check", "-b", "b.toml"]).code(2).says("the key is not there yet");
    account.run(&APPLY).code(4).says("the key alias/nowhere: it is not there");
    // Nor is a new bucket given one.
    account.declare(&spec("alias/disabled").replace("data-", "new-"));
    account.run(&APPLY).code(4).says("the key alias/disabled: it is in the state Disabled");
    // A key that works is written by its ARN, whatever it was called.
    boto3(
        &account,
        "boto3.client('kms').enable_key(KeyId=boto3.client('kms').describe_key(KeyId='alias/disabled')['KeyMetadata']['KeyId'])",
    );
    account.run(&APPLY).code(0);
    let rule = boto3(
        &account,
        "print(json.dumps(s3.get_bucket_encryption(Bucket='new-ACCOUNT')['ServerSideEncryptionConfiguration']['Rules'][0]))",
    );
    assert!(rule.to_string().contains(":key/"), "{rule}");
}

/// Who had rights by a statement without a name has none once another one is declared.
#[test]
fn an_edited_statement_without_a_sid_leaves_nothing_behind() {
    let of = |role: &str| {
        format!(
            "[s3.bucket.site]\nbucket = \"site-${{account.id}}\"\n\
             [[s3.bucket.site.extra_policy_statements]]\nEffect = \"Allow\"\n\
             Principal = {{ AWS = \"arn:aws:iam::${{account.id}}:role/{role}\" }}\n\
             Action = \"s3:GetObject\"\nResource = \"arn:aws:s3:::site-${{account.id}}/*\"\n"
        )
    };
    let account = account(
        &of("a"),
        "made('site-ACCOUNT')\n\
         iam = boto3.client('iam')\n\
         for name in 'ab': iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}))",
    );
    account.run(&APPLY).code(0);
    account.declare(&of("b"));
    account.run(&["plan", "-b", "b.toml"]).code(0).says("no longer allowed").says("role/a");
    account.run(&APPLY).code(0);
    let statements = statements(&account, &format!("site-{}", account.id));
    assert_eq!(statements.len(), 1, "{statements:?}");
    assert!(statements[0].to_string().contains("role/b"));
    account.run(&["check", "-b", "b.toml"]).code(0);
}
