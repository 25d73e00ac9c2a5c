//! `evenkeel deploy`: the templates are made in the emulator, call by call (`tests/deploy/stack.py`), and
//! carry an event from a member account to the queue of the hub.

use serde_json::{Value, json};

use crate::support::{emulator, root};

const FORMS: [(&str, &str); 2] = [("cloudformation", "json"), ("terraform", "tf.json")];
const PARTS: [&str; 3] = ["hub", "member-role", "member-events"];

/// A template, as the command prints it.
fn template(form: &str, part: &str) -> String {
    let foundation = root().join("baselines/foundation.toml");
    let mut args = vec!["deploy", form, part];
    if part == "member-role" {
        args.extend(["-b", foundation.to_str().unwrap(), "--mode", "enforce"]);
        args.extend(["--own-role", "arn:aws:iam::111122223333:role/evenkeel"]);
    }
    let account = emulator().account();
    let made = account.run(&args).code(0);
    assert!(account.calls().is_empty(), "it asks AWS for nothing");
    made.stdout
}

/// Those for the foundation are kept, so that everybody can read them, and the linter does.
#[test]
fn the_kept_templates_are_what_the_command_makes() {
    for (form, ending) in FORMS {
        for part in PARTS {
            let text = template(form, part);
            let kept = root().join(format!("deploy/{form}/{part}.{ending}"));
            if std::env::var_os("EVENKEEL_UPDATE").is_some() {
                std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
                std::fs::write(&kept, &text).unwrap();
            }
            let there = std::fs::read_to_string(&kept).unwrap_or_default();
            assert!(there == text, "{} is stale: run `make docs` and commit it", kept.display());
        }
    }
}

#[test]
fn an_event_of_a_member_comes_to_the_queue_of_the_hub() {
    let hub = emulator().account();
    let templates: Value = PARTS
        .iter()
        .map(|part| {
            (part.to_string(), serde_json::from_str::<Value>(&template("cloudformation", part)).unwrap())
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    hub.write("templates.json", &templates.to_string());
    let file = hub.folder.path().join("templates.json");
    let member = hub.boto3(&format!(
        "organizations = boto3.client('organizations')\n\
         organizations.create_organization(FeatureSet='ALL')\n\
         made = organizations.create_account(Email='m@example.com', AccountName='member')\n\
         print(json.dumps(made['CreateAccountStatus']['AccountId']))"
    ));
    let member = member.as_str().unwrap();
    let control = |account: &str| {
        ureq::post(&format!("{}/_evenkeel/events?account={account}", emulator().url))
            .send_json(json!({}))
            .unwrap();
    };
    let made = hub.boto3(&format!(
        "import sys\n\
         sys.path.insert(0, {tests:?})\n\
         from deploy.stack import Stack\n\
         templates = json.load(open({file:?}))\n\
         here = boto3.Session(region_name='eu-west-1')\n\
         there = lambda region: boto3.Session('AKIA{member}TEST', 'x', region_name=region)\n\
         organization = here.client('organizations').describe_organization()['Organization']['Id']\n\
         hub = Stack(here, templates['hub'], OrganizationId=organization)\n\
         bus = hub.outputs['BusArn']\n\
         own = here.client('sts').get_caller_identity()['Account']\n\
         role = Stack(there('us-east-1'), templates['member-role'], HubBusArn=bus, ExternalId='ours',\n\
             ControllerArn=f'arn:aws:iam::{{own}}:role/controller')\n\
         for region in ['us-east-1', 'eu-west-1']:\n\
             Stack(there(region), templates['member-events'], HubBusArn=bus)\n\
         s3 = there('us-east-1').client('s3')\n\
         s3.create_bucket(Bucket='trail-{member}')\n\
         s3.put_bucket_policy(Bucket='trail-{member}', Policy=json.dumps({{'Version': '2012-10-17', 'Statement': [\n\
             {{'Effect': 'Allow', 'Principal': {{'Service': 'cloudtrail.amazonaws.com'}}, 'Action': 's3:*',\n\
              'Resource': ['arn:aws:s3:::trail-{member}', 'arn:aws:s3:::trail-{member}/*']}}]}}))\n\
         trail = there('us-east-1').client('cloudtrail')\n\
         trail.create_trail(Name='all', S3BucketName='trail-{member}', IsMultiRegionTrail=True)\n\
         trail.start_logging(Name='all')\n\
         print(json.dumps(hub.outputs))",
        tests = root().join("tests"),
        file = file,
    ));
    control(member);
    let heard = hub.boto3(&format!(
        "there = lambda region: boto3.Session('AKIA{member}TEST', 'x', region_name=region)\n\
         iam = there('us-east-1').client('iam')\n\
         iam.update_account_password_policy(MinimumPasswordLength=8)\n\
         ec2 = there('eu-west-1').client('ec2')\n\
         ec2.enable_ebs_encryption_by_default()\n\
         ec2.create_key_pair(KeyName='of-no-kind')\n\
         sqs = boto3.client('sqs')\n\
         names = []\n\
         while messages := sqs.receive_message(QueueUrl={url:?}, MaxNumberOfMessages=10).get('Messages'):\n\
             names += [json.loads(each['Body'])['detail']['eventName'] for each in messages]\n\
             for each in messages:\n\
                 sqs.delete_message(QueueUrl={url:?}, ReceiptHandle=each['ReceiptHandle'])\n\
         print(json.dumps(sorted(names)))",
        url = made["QueueUrl"].as_str().unwrap(),
    ));
    assert_eq!(heard, json!(["EnableEbsEncryptionByDefault", "UpdateAccountPasswordPolicy"]));
}

#[test]
fn a_member_role_needs_to_know_whether_it_may_write() {
    let refused = emulator().account().run(&["deploy", "terraform", "member-role"]);
    refused.code(1).complains("--mode");
}
