//! What a rollback leaves alone though its plan was to put it back, or would seem to: what nobody knows the writer of,
//! what somebody changes between the plan and a write, and what an object needs that stays.

use serde_json::{Value, json};

use crate::rollback::{account, apply, last_run};
use crate::support::{self, Account, Run};
use crate::taken_along::{START, run, run_while};

fn read(account: &Account, script: &str) -> Value {
    account.boto3(&format!("{START}{script}"))
}

fn rollback(account: &Account, run: &str) -> Run {
    account.run(&["rollback", run, "--yes", "--max-risk", "destructive"])
}

/// AWS never heard of what the killed run had begun; somebody does just that by hand.
#[test]
fn what_a_killed_run_may_not_have_written_stays() {
    let cases = [
        (
            "[iam.account_alias]\naccount_alias = \"acme-${account.id}\"\n",
            "",
            ("iam", "CreateAccountAlias"),
            "iam.create_account_alias(AccountAlias='acme-' + own)",
            "print(json.dumps(len(iam.list_account_aliases()['AccountAliases'])))",
        ),
        (
            "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nlifecycle = [{ id = \"a\", expiration = { days = 400 } }]\n",
            "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)",
            ("s3", "PutBucketLifecycleConfiguration"),
            "s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={'Rules': [{'ID': 'a', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 400}}]})",
            "print(json.dumps(len(s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules'])))",
        ),
        (
            "[sns.topic.t]\nname = \"t\"\ndisplay_name = \"T\"\n",
            "sns.create_topic(Name='t')",
            ("sns", "SetTopicAttributes"),
            "sns.set_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t', AttributeName='DisplayName', AttributeValue='T')",
            "print(json.dumps(len(sns.get_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t')['Attributes']['DisplayName'])))",
        ),
    ];
    for (items, before, (service, operation), theirs, then) in cases {
        let account = account(items);
        run(&account, before);
        let args = ["apply", "--yes", "--max-risk", "destructive"];
        support::kill(&mut account.hanging_with(service, operation, false, &args));
        account.no_faults();
        let killed = last_run(&account);
        run(&account, theirs);
        account.run(&args).code(0);
        rollback(&account, &killed).code(3).says("somebody else may have done that");
        assert_eq!(read(&account, then), json!(1), "{items}");
    }
}

/// What somebody sets between two writes of a rollback to one object is theirs.
#[test]
fn what_somebody_sets_between_two_writes_to_one_object_stays() {
    let account = account(
        "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nrequire_tls = true\ntags = { a = \"b\" }\nlifecycle = [{ id = \"a\", expiration = { days = 400 } }]\n",
    );
    run(&account, "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)");
    let made = apply(&account);
    let theirs = "policy = {'Version': '2012-10-17', 'Statement': []}\n\
        try: policy = json.loads(s3.get_bucket_policy(Bucket=b)['Policy'])\n\
        except Exception: pass\n\
        policy['Statement'].append({'Sid': 'theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteBucket', 'Resource': f'arn:aws:s3:::{b}'})\n\
        s3.put_bucket_policy(Bucket=b, Policy=json.dumps(policy))\n\
        s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 'a', 'Value': 'b'}, {'Key': 'o', 'Value': '1'}]})\n\
        s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={'Rules': [{'ID': one, 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 400}} for one in ['a', 'o']]})";
    let args = ["rollback", made.as_str(), "--yes", "--max-risk", "destructive"];
    let args = [&args[..], &["--allow-grants", "administrator"]].concat();
    run_while(&account, &args, ("s3", "GetBucketTagging"), 1, "", theirs)
        .code(4)
        .says("what is there is more than the run wrote");
    let then = "policy = json.loads(s3.get_bucket_policy(Bucket=b)['Policy'])\n\
        print(json.dumps([\n\
            any(one['Sid'] == 'theirs' for one in policy['Statement']),\n\
            sorted(tag['Key'] for tag in s3.get_bucket_tagging(Bucket=b)['TagSet']),\n\
            len(s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules']),\n\
        ]))";
    assert_eq!(read(&account, then), json!([true, ["a", "o"], 2]));
}

/// What the run made goes with all that is set on it, also of what was set since the plan was made.
#[test]
fn what_somebody_sets_on_what_goes_before_the_write_stays() {
    let key = |name: &str| {
        format!(
            "[kms.key.{name}]\nalias = \"alias/{name}\"\nprevent_destroy = false\ndeletion_window_days = 7\n\n"
        )
    };
    let account = account(&format!("{}{}", key("k"), key("l")));
    let made = apply(&account);
    let theirs = "for alias in ['alias/k', 'alias/l']:\n\
        \x20   key = kms.describe_key(KeyId=alias)['KeyMetadata']\n\
        \x20   if key['KeyState'] == 'Enabled': kms.tag_resource(KeyId=key['KeyId'], Tags=[{'TagKey': 'theirs', 'TagValue': '1'}])";
    let args = ["rollback", made.as_str(), "--yes", "--max-risk", "destructive"];
    run_while(&account, &args, ("kms", "GetKeyPolicy"), 1, "ScheduleKeyDeletion", theirs)
        .code(4)
        .says("what is there is more than the run wrote");
    let then = "keys = [kms.describe_key(KeyId=one['KeyId'])['KeyMetadata'] for one in kms.list_keys()['Keys']]\n\
        print(json.dumps(sorted(key['KeyState'] for key in keys if key['KeyManager'] == 'CUSTOMER')))";
    assert_eq!(read(&account, then), json!(["Enabled", "PendingDeletion"]));
}

/// A trail that stays is not shut out of its bucket.
#[test]
fn what_a_trail_that_stays_needs_stays() {
    let account = account(
        "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nservices = [\"cloudtrail\"]\n\n[cloudtrail.trail.t]\nname = \"ttt\"\ns3_bucket_name = \"${s3.bucket.b.bucket}\"\nis_logging = true\n",
    );
    run(&account, "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)");
    let made = apply(&account);
    account.forget_calls();
    rollback(&account, &made)
        .says("evenkeel never deletes a trail")
        .says("stays as the run left it, and needs this");
    assert!(account.writes().is_empty(), "{:?}", account.writes());
    account.run(&["check"]).code(0);
}

/// A bucket keeps where its log goes, and who is named in a policy is not taken away: a role that is made anew is
/// another one to AWS.
#[test]
fn what_a_bucket_or_a_policy_that_stays_names_stays() {
    let log = "[s3.bucket.l]\nbucket = \"l-${account.id}\"\nservices = [\"s3_access_logs\"]\n\n\
        [s3.bucket.b]\nbucket = \"b-${account.id}\"\naccess_log_bucket = \"${s3.bucket.l.bucket}\"\naccess_log_prefix = \"x/\"\n";
    let role = "[iam.role.r]\nrole_name = \"r\"\nassume_role_policy = { Version = \"2012-10-17\", Statement = [{ \
        Effect = \"Allow\", Principal = { Service = \"ec2.amazonaws.com\" }, Action = \"sts:AssumeRole\" }] }\n\n\
        [kms.key.k]\nalias = \"alias/k\"\nkey_users = [\"arn:aws:iam::${account.id}:role/${iam.role.r.role_name}\"]\n";
    let before = "s3.create_bucket(Bucket=f'l-{own}', CreateBucketConfiguration=place)";
    for (items, before) in [(log, before), (role, "")] {
        let account = account(items);
        run(&account, before);
        let made = apply(&account);
        account.forget_calls();
        rollback(&account, &made).says("stays as the run left it, and needs this");
        assert!(account.writes().is_empty(), "{items}\n{:?}", account.writes());
        account.run(&["check"]).code(0);
    }
}

/// A write of a whole record brings back what the run had not named.
#[test]
fn a_key_of_somebody_else_that_comes_back_is_a_right() {
    let account =
        account("[s3.bucket.b]\nbucket = \"b-${account.id}\"\nsse_algorithm = \"AES256\"\n");
    run(
        &account,
        "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)\n\
         s3.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration={'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms', 'KMSMasterKeyID': 'arn:aws:kms:eu-west-1:999988887777:key/1234abcd-12ab-34cd-56ef-1234567890ab'}}]})",
    );
    account.run(&["apply", "--yes", "--max-risk", "destructive"]).code(0);
    account.forget_calls();
    rollback(&account, &last_run(&account)).code(2).says("gives rights (foreign)");
    assert!(account.writes().is_empty(), "{:?}", account.writes());
}

/// An apply leaves alone, too, what somebody sets between two of its writes to one object.
#[test]
fn what_somebody_sets_between_two_writes_of_an_apply_stays() {
    let rule = |id: &str, days: u32| {
        format!(
            "{{'ID': '{id}', 'Status': 'Enabled', 'Filter': {{'Prefix': ''}}, 'Expiration': {{'Days': {days}}}}}"
        )
    };
    let put = |rules: &[String]| {
        format!(
            "s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={{'Rules': [{}]}})",
            rules.join(", ")
        )
    };
    let account = account(
        "[s3.bucket.b]\nbucket = \"b-${account.id}\"\ntags = { a = \"b\" }\nlifecycle = [{ id = \"a\", expiration = { days = 400 } }]\n",
    );
    let made = "s3.create_bucket(Bucket=b, CreateBucketConfiguration=place)\n";
    run(&account, &format!("{made}{}", put(&[rule("a", 300)])));
    let theirs = put(&[rule("a", 300), rule("theirs", 500)]);
    let args = ["apply", "--yes", "--max-risk", "destructive"];
    run_while(&account, &args, ("s3", "GetBucketTagging"), 1, "", &theirs).code(4);
    let ids = "print(json.dumps([one['ID'] for one in s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules']]))";
    assert_eq!(read(&account, ids), json!(["a", "theirs"]));
}

/// What somebody sets on what an apply has just made, as whoever marks all that is new does, before the next write to
/// it.
#[test]
fn what_somebody_sets_on_what_a_run_makes_stays() {
    const BUCKET: &str = "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nrequire_tls = true\ntags = { a = \"b\" }\n\
        lifecycle = [{ id = \"a\", expiration = { days = 400 } }]\n";
    const KEPT: &str = "[s3.bucket.b]\nbucket = \"b-${account.id}\"\nsse_algorithm = \"AES256\"\nversioning = \"Enabled\"\n\
        public_access_block = { block_public_acls = true, ignore_public_acls = true, block_public_policy = true, restrict_public_buckets = true }\n";
    const TOPIC: &str = "[sns.topic.t]\nname = \"t\"\ndisplay_name = \"T\"\nservices = [\"events\"]\ntags = { a = \"b\" }\n";
    let cases = [
        (
            BUCKET,
            ("s3", "GetBucketPolicy"),
            "CreateBucket",
            "s3.put_bucket_policy(Bucket=b, Policy=json.dumps({'Version': '2012-10-17', 'Statement': [{'Sid': 'theirs', 'Effect': 'Deny', 'Principal': '*', 'Action': 's3:DeleteBucket', 'Resource': f'arn:aws:s3:::{b}'}]}))",
            "print(json.dumps(any(one['Sid'] == 'theirs' for one in json.loads(s3.get_bucket_policy(Bucket=b)['Policy'])['Statement'])))",
        ),
        (
            BUCKET,
            ("s3", "GetBucketTagging"),
            "CreateBucket",
            "s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 'o', 'Value': '1'}]})",
            "print(json.dumps(any(tag['Key'] == 'o' for tag in s3.get_bucket_tagging(Bucket=b)['TagSet'])))",
        ),
        (
            BUCKET,
            ("s3", "GetBucketLifecycleConfiguration"),
            "CreateBucket",
            "s3.put_bucket_lifecycle_configuration(Bucket=b, LifecycleConfiguration={'Rules': [{'ID': 'o', 'Status': 'Enabled', 'Filter': {'Prefix': ''}, 'Expiration': {'Days': 400}}]})",
            "print(json.dumps(any(one['ID'] == 'o' for one in s3.get_bucket_lifecycle_configuration(Bucket=b)['Rules'])))",
        ),
        (
            TOPIC,
            ("sns", "GetTopicAttributes"),
            "CreateTopic",
            "sns.add_permission(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t', Label='theirs', AWSAccountId=[own], ActionName=['Publish'])",
            "print(json.dumps('theirs' in sns.get_topic_attributes(TopicArn=f'arn:aws:sns:eu-west-1:{own}:t')['Attributes']['Policy']))",
        ),
        // A value that is declared as well, once the new one was seen without it.
        (
            BUCKET,
            ("s3", "GetBucketTagging"),
            "PutBucketPolicy",
            "s3.put_bucket_tagging(Bucket=b, Tagging={'TagSet': [{'Key': 'a', 'Value': 'theirs'}]})",
            "print(json.dumps(s3.get_bucket_tagging(Bucket=b)['TagSet'][0]['Value'] == 'theirs'))",
        ),
        // What was as declared by itself, once that was seen.
        (
            KEPT,
            ("s3", "GetBucketEncryption"),
            "PutPublicAccessBlock",
            "s3.put_bucket_encryption(Bucket=b, ServerSideEncryptionConfiguration={'Rules': [{'ApplyServerSideEncryptionByDefault': {'SSEAlgorithm': 'aws:kms'}}]})",
            "print(json.dumps('aws:kms' in json.dumps(s3.get_bucket_encryption(Bucket=b)['ServerSideEncryptionConfiguration'])))",
        ),
        // What is off, where AWS switches it on for all that is new, before the new one was first seen.
        (
            KEPT,
            ("s3", "GetPublicAccessBlock"),
            "CreateBucket",
            "s3.put_public_access_block(Bucket=b, PublicAccessBlockConfiguration={'BlockPublicAcls': True, 'IgnorePublicAcls': False, 'BlockPublicPolicy': True, 'RestrictPublicBuckets': False})",
            "print(json.dumps(s3.get_public_access_block(Bucket=b)['PublicAccessBlockConfiguration']['IgnorePublicAcls'] == False))",
        ),
        // What stands for a run's own where nothing else is there.
        (
            KEPT,
            ("s3", "GetBucketVersioning"),
            "PutPublicAccessBlock",
            "s3.put_bucket_versioning(Bucket=b, VersioningConfiguration={'Status': 'Suspended'})",
            "print(json.dumps(s3.get_bucket_versioning(Bucket=b).get('Status') == 'Suspended'))",
        ),
    ];
    for (items, look, made_by, theirs, then) in cases {
        let account = account(items);
        let args = ["apply", "--yes", "--max-risk", "destructive"];
        let done = run_while(&account, &args, look, 1, made_by, theirs);
        assert_eq!(done.code, 4, "{theirs}\n{}\n{}", done.stdout, done.stderr);
        done.says("somebody has changed it since this run made it");
        assert_eq!(read(&account, then), json!(true), "{theirs}");
    }
}
