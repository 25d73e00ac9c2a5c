//! Two items that govern one object, and names that are another object's: said with both lines, and
//! nothing written.

use crate::support::{self, Account};

const HEADER: &str =
    "schema = 1\n\n[baseline]\nname = \"test\"\nmode = \"enforce\"\nregions = [\"eu-west-1\"]\n\n";
const ROLE: &str = "trusted_account_ids = [\"${account.id}\"]\n";

fn account(items: &str) -> Account {
    let account = support::emulator().account();
    account.write("b.toml", &format!("{HEADER}{items}"));
    account
}

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
