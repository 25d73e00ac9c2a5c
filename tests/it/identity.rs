//! Two items that govern one object, and names that are another object's: said with both lines, and
//! nothing written.

use crate::support::Account;
use crate::support::declared::{HEADER, account};

const ROLE: &str = "trusted_account_ids = [\"${account.id}\"]\n";

fn wrote(account: &Account) -> bool {
    account.calls().iter().any(|call| {
        !["Get", "List", "Describe"].iter().any(|verb| call.operation.starts_with(verb))
    })
}

#[test]
fn names_of_roles_that_differ_by_case_are_one_role() {
    let items = format!(
        "[iam.role.a]\nrole_name = \"audit\"\n{ROLE}[iam.role.b]\nrole_name = \"AUDIT\"\n{ROLE}"
    );
    let account = account(&items);
    account.run(&["validate", "b.toml"]).code(1).complains("iam.role.a").complains("iam.role.b");
    // Of two targets that select one account, too.
    for (file, name) in [("a.toml", "audit"), ("b.toml", "AUDIT")] {
        let item = format!("[iam.role.{}]\nrole_name = \"{name}\"\n{ROLE}", &file[..1]);
        account.write(file, &format!("{HEADER}{item}"));
    }
    account.write(
        "evenkeel.toml",
        "schema = 1\n[[target]]\nname = \"one\"\nbaselines = [\"a.toml\"]\n[[target]]\nname = \"two\"\nbaselines = [\"b.toml\"]\n",
    );
    account
        .run(&["plan"])
        .code(1)
        .complains("iam.role.a and iam.role.b both govern")
        .complains("a.toml:8")
        .complains("b.toml:8");
}

#[test]
fn another_spelling_of_a_roles_name_is_a_finding_with_the_right_one() {
    let account =
        account(&format!("[iam.role.a]\nrole_name = \"AUDIT\"\ndescription = \"\"\n{ROLE}"));
    account.boto3(
        "iam = boto3.client('iam')\n\
         own = boto3.client('sts').get_caller_identity()['Account']\n\
         trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'AWS': f'arn:aws:iam::{own}:root'}, 'Action': 'sts:AssumeRole'}]}\n\
         iam.create_role(RoleName='audit', AssumeRolePolicyDocument=json.dumps(trust))",
    );
    account.run(&["check", "-b", "b.toml"]).code(2).says("write role_name = \"audit\"");
}

#[test]
fn two_aliases_of_one_key_are_unknown_and_name_each_other() {
    let account = account(
        "[kms.key.one]\nenable_key_rotation = true\n[kms.key.two]\nenable_key_rotation = false\ndescription = \"x\"\n",
    );
    account.boto3(
        "kms = boto3.client('kms')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         for name in ('one', 'two'): kms.create_alias(AliasName=f'alias/{name}', TargetKeyId=key)",
    );
    account.forget_calls();
    account
        .run(&["check", "-b", "b.toml"])
        .code(1)
        .says("kms.key.one (b.toml:8) and kms.key.two (b.toml:10) are one thing");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(1);
    assert!(!wrote(&account));
    // What is exported never holds such a pair.
    account.run(&["export", "-k", "kms.key", "-r", "eu-west-1", "--out", "e.toml"]);
    let text = account.read("e.toml");
    assert!(text.contains("[kms.key.one]") && !text.contains("[kms.key.two]"), "{text}");
    assert!(text.contains("kms.key alias/two in eu-west-1: it is the KMS key"), "{text}");
    account.run(&["check", "-b", "e.toml"]).code(0);
}

#[test]
fn a_key_and_a_sweep_that_contradict_each_other_are_unknown() {
    let account =
        account("[kms.key.one]\nenable_key_rotation = false\n[kms.key_rotation]\nenabled = true\n");
    account.boto3(
        "kms = boto3.client('kms')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         kms.create_alias(AliasName='alias/one', TargetKeyId=key)",
    );
    account.forget_calls();
    account
        .run(&["check", "-b", "b.toml"])
        .code(1)
        .says("kms.key.one (b.toml:8) with false")
        .says("kms.key_rotation (b.toml:10) with true");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(1);
    assert!(!wrote(&account));
}

#[test]
fn a_role_with_all_the_policies_that_iam_takes_can_exchange_one() {
    let arns: Vec<String> = (1..11)
        .map(|number| format!("\"arn:aws:iam::${{account.id}}:policy/p{number}\""))
        .collect();
    let account =
        account(&format!("[iam.role.full]\nmanaged_policy_arns = [{}]\n", arns.join(", ")));
    account.boto3(
        "iam = boto3.client('iam')\n\
         own = boto3.client('sts').get_caller_identity()['Account']\n\
         trust = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Principal': {'Service': 'ec2.amazonaws.com'}, 'Action': 'sts:AssumeRole'}]}\n\
         some = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:ListAllMyBuckets', 'Resource': '*'}]}\n\
         iam.create_role(RoleName='full', AssumeRolePolicyDocument=json.dumps(trust))\n\
         for number in range(11):\n\
         \x20   arn = iam.create_policy(PolicyName=f'p{number}', PolicyDocument=json.dumps(some))['Policy']['Arn']\n\
         \x20   if number < 10: iam.attach_role_policy(RoleName='full', PolicyArn=arn)",
    );
    account.run(&["plan", "-b", "b.toml"]).code(0).says("for a moment less is allowed");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn periods_of_rotation_that_contradict_each_other_are_unknown() {
    let key = "enable_key_rotation = true\nrotation_period_in_days = 365\n";
    let both = |mode: &str, days: u32| {
        format!(
            "[kms.key.one]\n{key}[kms.key_rotation]\nenabled = true\nrotation_period_in_days = {days}\nperiod_mode = \"{mode}\"\n"
        )
    };
    let account = account(&both("at_most", 180));
    account.boto3(
        "kms = boto3.client('kms')\n\
         key = kms.create_key()['KeyMetadata']['KeyId']\n\
         kms.create_alias(AliasName='alias/one', TargetKeyId=key)",
    );
    account.forget_calls();
    account
        .run(&["check", "-b", "b.toml"])
        .code(1)
        .says("kms.key.one (b.toml:8) with 365")
        .says("kms.key_rotation (b.toml:11) with at most 180")
        .says("in the rotation period of the KMS key");
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(1);
    assert!(!wrote(&account));
    account.declare(&both("exact", 400));
    account.run(&["check", "-b", "b.toml"]).code(1).says("with 400");
    // What is at most so much agrees with less.
    account.declare(&both("at_most", 400));
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
}

#[test]
fn trails_of_one_name_are_told_apart_by_their_home() {
    let trail = |item: &str, more: &str| {
        format!(
            "[cloudtrail.trail.{item}]\nname = \"audit\"\ns3_bucket_name = \"trails-${{account.id}}\"\nis_multi_region_trail = false\n{more}"
        )
    };
    let at = |region: &str| format!("home_region = \"{region}\"\n");
    let two = trail("here", "") + &trail("there", &at("us-west-2"));
    let account = account(&two);
    account.boto3(&format!(
        "s, b = boto3.client('s3'), 'trails-{}'\n\
         s.create_bucket(Bucket=b, CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
         allow = lambda action, resource, **more: dict(Effect='Allow', Principal={{'Service': 'cloudtrail.amazonaws.com'}}, Action=action, Resource=resource, **more)\n\
         s.put_bucket_policy(Bucket=b, Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [\n\
         \x20  allow('s3:GetBucketAcl', f'arn:aws:s3:::{{b}}'), allow('s3:PutObject', f'arn:aws:s3:::{{b}}/*')]}}))",
        account.id
    ));
    account.run(&["validate", "b.toml"]).code(0);
    account.run(&["apply", "-b", "b.toml", "--yes"]).code(0);
    account.run(&["check", "-b", "b.toml"]).code(0);
    let homes = account.boto3(
        "print(json.dumps(sorted({t['HomeRegion'] for r in ('eu-west-1', 'us-west-2') for t in boto3.client('cloudtrail', region_name=r).describe_trails()['trailList']})))",
    );
    assert_eq!(homes, serde_json::json!(["eu-west-1", "us-west-2"]));
    // One Region, said twice: of what only an account can say, it is said there.
    let both = "cloudtrail.trail.here and cloudtrail.trail.there both govern";
    for (here, there) in [(at("us-west-2"), at("us-west-2")), (String::new(), String::new())] {
        let twice = trail("here", &here) + &trail("there", &there);
        account.declare(&twice);
        account.run(&["validate", "b.toml"]).code(1).complains(both);
    }
    let twice = trail("here", "") + &trail("there", &at("eu-west-1"));
    account.declare(&twice);
    account.run(&["validate", "b.toml"]).code(0);
    let plan = account.run(&["plan", "-b", "b.toml"]).code(1).complains(both);
    plan.complains("b.toml:8").complains("b.toml:12");
}

#[test]
fn keys_of_one_alias_are_told_apart_by_their_regions() {
    let key = |item: &str, regions: &str| {
        format!("[kms.key.{item}]\nalias = \"alias/audit\"\nregions = {regions}\n")
    };
    let two = key("here", "[\"eu-west-1\"]") + &key("there", "[\"us-west-2\"]");
    let account = account(&two);
    account.run(&["validate", "b.toml"]).code(0);
    account.run(&["plan", "-b", "b.toml"]).code(0).says("2 to change");
    for regions in ["[\"eu-west-1\", \"us-west-2\"]", "\"enabled\""] {
        let twice = key("here", "[\"eu-west-1\"]") + &key("there", regions);
        account.declare(&twice);
        account.run(&["validate", "b.toml"]).code(1).complains("both govern \"alias/audit\"");
    }
    // Which Region is the home, only an account says.
    let twice = key("here", "[\"eu-west-1\"]") + &key("there", "\"home\"");
    account.declare(&twice);
    account.run(&["validate", "b.toml"]).code(0);
    account.run(&["plan", "-b", "b.toml"]).code(1).complains("b.toml:8").complains("b.toml:11");
}
