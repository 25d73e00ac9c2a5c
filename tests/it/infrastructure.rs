//! The ready-made baseline of networks and instances, and EC2's settings of an account as a user meets them: read back
//! with boto3, put right, taken back, and left alone where an organization decides.

use serde_json::{Value, json};

use crate::support::declared::{APPLY, account};
use crate::support::{self, Account};

/// What is there in each of the four Regions.
const READ_BACK: &str = "
def look(region):
    ec2 = boto3.client('ec2', region_name=region)
    metadata = ec2.get_instance_metadata_defaults()['AccountLevel']
    allowed = ec2.get_allowed_images_settings()
    return {
        'images': ec2.get_image_block_public_access_state()['ImageBlockPublicAccessState'],
        'console': ec2.get_serial_console_access_status()['SerialConsoleAccessEnabled'],
        'metadata': {name: value for name, value in metadata.items() if name != 'ManagedBy'},
        'allowed': [allowed['State'], allowed['ImageCriteria']],
        'internet': ec2.describe_vpc_block_public_access_options()['VpcBlockPublicAccessOptions']['InternetGatewayBlockMode'],
    }
print(json.dumps({region: look(region) for region in ('eu-west-1', 'us-east-1', 'ap-southeast-2', 'us-west-2')}))
";

/// One thing of each setting is weakened, in a Region that nobody looks at.
const WEAKEN: &str = "
ec2 = boto3.client('ec2', region_name='us-west-2')
ec2.disable_image_block_public_access()
ec2.enable_serial_console_access()
ec2.modify_instance_metadata_defaults(HttpTokens='optional', HttpPutResponseHopLimit=64)
ec2.replace_image_criteria_in_allowed_images_settings(ImageCriteria=[{'ImageNames': ['*']}])
print('null')
";

const KINDS: [&str; 4] = [
    "ec2.image_block_public_access",
    "ec2.serial_console_access",
    "ec2.instance_metadata_defaults",
    "ec2.allowed_images",
];
const VPC: &str = "vpc-0a1b2c3d4e5f60718";
const SUBNET: &str = "subnet-0a1b2c3d4e5f60718";

fn boto3(account: &Account, script: &str) -> Value {
    account.boto3(&format!("ec2 = boto3.client('ec2', 'eu-west-1')\n{script}"))
}

#[test]
fn one_apply_sets_four_regions_and_what_is_weakened_is_found_and_mended() {
    let account = support::emulator().account();
    for file in ["foundation.toml", "detection.toml", "infrastructure.toml"] {
        let text = std::fs::read_to_string(support::root().join("baselines").join(file)).unwrap();
        account.write(file, &text);
    }
    account.control("POST", "root", Some(json!({ "mfa": true })));
    account.write(
        "b.toml",
        "schema = 1\n[baseline]\nname = \"some\"\nextends = [\"infrastructure.toml\"]\nmode = \"enforce\"\n\
         regions = [\"eu-west-1\", \"us-east-1\", \"ap-southeast-2\", \"us-west-2\"]\n",
    );
    account.run(&["validate", "b.toml"]).code(0).says("ok");
    account.run(&[&APPLY[..], &["-k", "ec2"]].concat());
    for kind in KINDS {
        account.run(&["check", "-b", "b.toml", "-k", kind]).code(0);
    }
    // What could interrupt somebody is only reported.
    account
        .run(&["check", "-b", "b.toml", "-k", "ec2.vpc_block_public_access"])
        .code(2)
        .says("block-ingress");
    let there = account.boto3(READ_BACK);
    for (region, one) in there.as_object().unwrap() {
        let wanted = json!({
            "images": "block-new-sharing",
            "console": false,
            "metadata": { "HttpTokens": "required", "HttpPutResponseHopLimit": 2 },
            "allowed": ["audit-mode", [{ "ImageProviders": ["amazon", "aws-backup-vault", "aws-marketplace"] }]],
            "internet": "off",
        });
        assert_eq!(one, &wanted, "{region}");
    }
    account.boto3(WEAKEN);
    for kind in KINDS {
        account.run(&["check", "-b", "b.toml", "-k", kind]).code(2).says("us-west-2");
    }
    account.run(&[&APPLY[..], &["-k", "ec2"]].concat());
    assert_eq!(account.boto3(READ_BACK), there);
    // With the other ready-made baselines, too.
    let both = account.read("b.toml").replace("\"infra", "\"detection.toml\", \"infra");
    account.write("both.toml", &both);
    account.run(&["validate", "both.toml"]).code(0).says("ok");
}

#[test]
fn what_a_declarative_policy_decides_is_named_and_never_written() {
    let all = "[ec2.image_block_public_access]\nstate = \"block-new-sharing\"\n\
        [ec2.serial_console_access]\nenabled = true\n\
        [ec2.instance_metadata_defaults]\nhttp_tokens = \"required\"\n\
        [ec2.allowed_images]\nstate = \"enabled\"\n\
        [ec2.vpc_block_public_access]\ninternet_gateway_block_mode = \"block-ingress\"\n";
    let account = account(all);
    let settings = [
        "image_block_public_access",
        "serial_console_access",
        "instance_metadata_defaults",
        "allowed_images_settings",
        "vpc_block_public_access",
    ];
    for setting in settings {
        let url = format!("owner?of=ec2:{setting}&owner=declarative-policy&account");
        owned(&account, &url);
    }
    account.forget_calls();
    let apply = account.run(&APPLY).code(2);
    assert_eq!(
        apply.stdout.matches("managed by a declarative policy").count(),
        5,
        "{}",
        apply.stdout
    );
    let is_write =
        |operation: &str| !operation.starts_with("Get") && !operation.starts_with("Describe");
    let writes: Vec<String> = account
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .filter(|one| is_write(one))
        .collect();
    assert_eq!(writes, Vec::<String>::new());
}

/// Gives a setting of the account to a policy.
fn owned(account: &Account, route: &str) {
    account.boto3(&format!(
        "import os, urllib.request\n\
         url = os.environ['AWS_ENDPOINT_URL'] + '/_evenkeel/{route}={id}'\n\
         urllib.request.urlopen(urllib.request.Request(url, b'', method='POST'))\nprint('null')",
        id = account.id
    ));
}

fn network(account: &Account) {
    let network = json!({ "region": "eu-west-1", "vpc": VPC, "subnet": SUBNET });
    account.control("POST", "network", Some(network));
}

/// The mode, and what is excluded from it.
fn internet(account: &Account) -> Value {
    boto3(
        account,
        "mode = ec2.describe_vpc_block_public_access_options()['VpcBlockPublicAccessOptions']['InternetGatewayBlockMode']\n\
         rows = ec2.describe_vpc_block_public_access_exclusions()['VpcBlockPublicAccessExclusions']\n\
         there = sorted([one['ResourceArn'].rsplit('/')[-1], one['InternetGatewayExclusionMode'], one.get('Tags', [])] for one in rows if not one['State'].startswith('delete'))\n\
         print(json.dumps([mode, there]))",
    )
}

fn written(account: &Account) -> Vec<String> {
    let calls = account.calls().into_iter();
    calls
        .map(|call| call.operation)
        .filter(|operation| {
            operation.contains("VpcBlockPublicAccess") && !operation.starts_with("Describe")
        })
        .collect()
}

#[test]
fn what_must_pass_is_excluded_first_and_stays_so_until_all_passes_again() {
    let block = |mode: &str, exclusions: &str| {
        format!(
            "[ec2.vpc_block_public_access]\ninternet_gateway_block_mode = \"{mode}\"\nexclusions = [{exclusions}]\nexclusive_exclusions = true\n"
        )
    };
    let vpc =
        format!("{{ vpc_id = \"{VPC}\", internet_gateway_exclusion_mode = \"allow-egress\" }}");
    let account = account(&block("block-bidirectional", &vpc));
    network(&account);
    boto3(
        &account,
        &format!(
            "tags = [{{'ResourceType': 'vpc-block-public-access-exclusion', 'Tags': [{{'Key': 'team', 'Value': 'web'}}]}}]\n\
             ec2.create_vpc_block_public_access_exclusion(SubnetId='{SUBNET}', InternetGatewayExclusionMode='allow-bidirectional', TagSpecifications=tags)\nprint('null')"
        ),
    );
    account.forget_calls();
    account.run(&APPLY).code(0);
    let order = [
        "CreateVpcBlockPublicAccessExclusion",
        "ModifyVpcBlockPublicAccessOptions",
        "DeleteVpcBlockPublicAccessExclusion",
    ];
    assert_eq!(written(&account), order);
    account.check().code(0);
    assert_eq!(internet(&account), json!(["block-bidirectional", [[VPC, "allow-egress", []]]]));
    account.forget_calls();
    account.declare(&block("off", ""));
    account.run(&APPLY).code(0);
    assert_eq!(written(&account), order[1..]);
    assert_eq!(internet(&account), json!(["off", []]));
}

#[test]
fn where_aws_takes_its_time_the_run_waits_and_where_it_takes_longer_the_object_is_unknown() {
    let block = "[ec2.vpc_block_public_access]\ninternet_gateway_block_mode = \"block-ingress\"\n\
        [ec2.image_block_public_access]\nstate = \"block-new-sharing\"\n";
    let account = account(block);
    settling(&account, 2);
    account.run(&APPLY).code(0);
    settling(&account, 0);
    account.check().code(0);
    settling(&account, 100);
    boto3(
        &account,
        "ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode='off')\nprint('null')",
    );
    account.check().code(4).says("still changing what internet gateways may do");
}

fn settling(account: &Account, reads: u32) {
    owned(account, &format!("settling?reads={reads}&account"));
}
