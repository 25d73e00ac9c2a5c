//! An emulated organization with a management account and a few members.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Account;

/// Kinds of what an organization has: AWS takes it from an account that manages one.
const KINDS: [&str; 2] = ["guardduty.organization", "securityhub.organization"];

/// Gives an account what a kind cannot do without.
pub fn prepare(account: &Account, kind: &str) {
    if KINDS.contains(&kind) {
        account.boto3(
            "boto3.client('organizations').create_organization(FeatureSet='ALL')\nprint('null')",
        );
    }
    if kind == "ec2.vpc_block_public_access" {
        // The network that its samples exclude.
        for region in ["eu-west-1", "us-east-1"] {
            let (vpc, subnet) = ("vpc-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60718");
            let network = json!({ "region": region, "vpc": vpc, "subnet": subnet });
            account.control("POST", "network", Some(network));
        }
    }
}

/// A baseline with one item.
pub const POLICY: &str = "schema = 1\n[baseline]\nname = \"fleet\"\nmode = \"enforce\"\n[iam.password_policy]\nminimum_password_length = 14\n";

/// A management account with a small organization: names to ids of accounts and units.
pub struct Organization {
    /// The account that manages it.
    pub management: Account,
    /// Ids of accounts and units by name.
    pub ids: BTreeMap<String, String>,
}

impl Organization {
    /// `alpha` and `beta` in a unit below `Work`, `gamma` in `Work`, `delta` beside it, `closed`
    /// closed.
    pub fn new() -> Self {
        let management = super::emulator().account();
        let made = management.boto3(
            "o = boto3.client('organizations')\n\
             o.create_organization(FeatureSet='ALL')\n\
             root = o.list_roots()['Roots'][0]['Id']\n\
             unit = lambda parent, name: o.create_organizational_unit(ParentId=parent, Name=name)['OrganizationalUnit']['Id']\n\
             ids = {'root': root, 'Work': unit(root, 'Work')}\n\
             ids['Team'] = unit(ids['Work'], 'Team')\n\
             for name, parent in [('alpha', 'Team'), ('beta', 'Team'), ('gamma', 'Work'), ('delta', 'root'), ('closed', 'Team')]:\n\
             \x20   ids[name] = o.create_account(Email=name + '@example.com', AccountName=name)['CreateAccountStatus']['AccountId']\n\
             \x20   if parent != 'root': o.move_account(AccountId=ids[name], SourceParentId=root, DestinationParentId=ids[parent])\n\
             o.close_account(AccountId=ids['closed'])\n\
             o.tag_resource(ResourceId=ids['alpha'], Tags=[{'Key': 'env', 'Value': 'prod'}])\n\
             print(json.dumps(ids))",
        );
        let ids = serde_json::from_value(made).unwrap();
        management.write("b.toml", POLICY);
        Self { management, ids }
    }

    /// The id of an account or unit.
    pub fn id(&self, name: &str) -> &str {
        &self.ids[name]
    }

    /// A fleet file with these targets.
    pub fn fleet(&self, targets: &str) {
        let mut text = format!(
            "schema = 1\nhome_region = \"eu-west-1\"\n{targets}\n[access]\nrole_arn = \"arn:${{partition}}:iam::${{account.id}}:role/evenkeel\"\n"
        );
        for (name, id) in &self.ids {
            text = text.replace(&format!("<{name}>"), id);
        }
        self.management.write("evenkeel.toml", &text);
    }

    /// Everything below `Work`.
    pub fn work(&self) {
        self.fleet(
            "[[target]]\nname = \"work\"\nbaselines = [\"b.toml\"]\nselect = { ous = [\"<Work>\"] }\n",
        );
    }

    /// Evaluates Python with clients of a member account.
    pub fn inside(&self, name: &str, script: &str) -> Value {
        let id = self.id(name);
        self.management.boto3(&format!(
            "c = boto3.client('sts').assume_role(RoleArn='arn:aws:iam::{id}:role/second-opinion', RoleSessionName='test')['Credentials']\n\
             client = lambda service: boto3.client(service, aws_access_key_id=c['AccessKeyId'], aws_secret_access_key=c['SecretAccessKey'], aws_session_token=c['SessionToken'])\n\
             {script}"
        ))
    }

    /// The minimum length of passwords in an account; null when it has no policy.
    pub fn password_length(&self, name: &str) -> Value {
        self.inside(
            name,
            "iam = client('iam')\n\
             try: print(iam.get_account_password_policy()['PasswordPolicy']['MinimumPasswordLength'])\n\
             except iam.exceptions.NoSuchEntityException: print('null')",
        )
    }

    /// Makes taking the role of an account fail.
    pub fn no_way_into(&self, name: &str, fault: Value) {
        let arn = format!("arn:aws:iam::{}:role/evenkeel", self.id(name));
        let mut fault = fault;
        fault["service"] = json!("sts");
        fault["operation"] = json!("AssumeRole");
        fault["where"] = json!({"RoleArn": arn});
        self.management.fault(fault);
    }
}
