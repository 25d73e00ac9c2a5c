//! Query logging as a user meets it: which VPCs are recorded, what a run takes back, and what AWS refuses.

use serde_json::{Value, json};

use crate::support::Account;
use crate::support::declared::{APPLY, account};

const CONFIG: &str = "[route53resolver.query_log_config.dns]\nname = \"dns\"\n\
    destination_arn = \"arn:${partition}:s3:::dns-${account.id}\"\ntags = { team = \"security\" }\n";
const STORE: &str = "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n";

fn resolver(account: &Account, script: &str) -> Value {
    let head = "resolver = boto3.client('route53resolver', 'eu-west-1')\n\
        ec2 = boto3.client('ec2', 'eu-west-1')\n\
        def configs():\n\
        \x20   return resolver.list_resolver_query_log_configs()['ResolverQueryLogConfigs']\n\
        def make(name='dns', to='arn:aws:s3:::theirs', token='1'):\n\
        \x20   return resolver.create_resolver_query_log_config(Name=name, DestinationArn=to, CreatorRequestId=token)['ResolverQueryLogConfig']['Id']\n\
        def recorded(id):\n\
        \x20   all = resolver.list_resolver_query_log_config_associations()['ResolverQueryLogConfigAssociations']\n\
        \x20   return sorted(one['ResourceId'] for one in all if one['ResolverQueryLogConfigId'] == id)\n\
        def there():\n\
        \x20   tags = lambda one: resolver.list_tags_for_resource(ResourceArn=one['Arn'])['Tags']\n\
        \x20   return [[one['Name'], one['DestinationArn'], tags(one), recorded(one['Id'])] for one in configs()]\n\
        def out(vpc):\n\
        \x20   resolver.disassociate_resolver_query_log_config(ResolverQueryLogConfigId=configs()[0]['Id'], ResourceId=vpc)\n\
        def associate(vpc):\n\
        \x20   resolver.associate_resolver_query_log_config(ResolverQueryLogConfigId=configs()[0]['Id'], ResourceId=vpc)\n";
    account.boto3(&format!("{head}{script}"))
}

/// An account with two VPCs, and their ids.
fn with_vpcs(fields: &str) -> (Account, [String; 2]) {
    let account = account(&format!("{CONFIG}{fields}"));
    let made = resolver(
        &account,
        "ec2.create_vpc(CidrBlock='10.1.0.0/16')\nprint(json.dumps(sorted(one['VpcId'] for one in ec2.describe_vpcs()['Vpcs'])))",
    );
    (account, serde_json::from_value::<Vec<String>>(made).unwrap().try_into().unwrap())
}

fn there(account: &Account) -> Value {
    resolver(account, "print(json.dumps(there()))")
}

fn recorded(account: &Account, vpcs: &[String]) -> Value {
    let place = format!("arn:aws:s3:::dns-{}", account.id);
    json!([["dns", place, [{ "Key": "team", "Value": "security" }], vpcs]])
}

fn calls(account: &Account, operation: &str) -> usize {
    account.calls().iter().filter(|call| call.operation == operation).count()
}

#[test]
fn every_vpc_is_recorded_and_two_lists_say_so() {
    let (account, vpcs) = with_vpcs("vpcs = [\"*\"]\n");
    account.forget_calls();
    account.run(&["plan", "-b", "b.toml"]).code(0).says("AWS charges for each gigabyte");
    for list in ["ListResolverQueryLogConfigs", "ListResolverQueryLogConfigAssociations"] {
        assert_eq!(calls(&account, list), 1, "{list}");
    }
    account.run(&APPLY).code(0);
    account.check().code(0).says("1 in sync");
    assert_eq!(there(&account), recorded(&account, &vpcs));
    account
        .run(&["export", "-k", "route53resolver.query_log_config", "-r", "eu-west-1"])
        .code(0)
        .says("arn:aws:s3:::dns-${account.id}")
        .says(&vpcs[0]);
}

#[test]
fn what_somebody_takes_out_comes_back_and_what_is_left_out_stays() {
    let (account, [one, other]) = with_vpcs("vpcs = [\"*\"]\n");
    account.run(&APPLY).code(0);
    resolver(&account, &format!("out('{one}')\nprint('null')"));
    account.check().code(2).says(&one);
    account.run(&APPLY).code(0);
    assert_eq!(there(&account), recorded(&account, &[one.clone(), other.clone()]));
    account.declare(&format!("{CONFIG}vpcs = [\"*\"]\nexclude = [{{ vpc_ids = [\"{one}\"] }}]\n"));
    account.forget_calls();
    account.run(&APPLY).code(0);
    assert_eq!(account.writes(), Vec::<String>::new());
    account.declare(&format!("{CONFIG}vpcs = [\"{one}\"]\n"));
    account.run(&APPLY).code(0);
    assert_eq!(there(&account), recorded(&account, &[one]));
    account.declare(&format!("{CONFIG}vpcs = [\"vpc-0123abcd\"]\n"));
    account.run(&["plan", "-b", "b.toml"]).says("there is no VPC vpc-0123abcd in eu-west-1");
}

fn applied(account: &Account) -> String {
    account.write("evenkeel.toml", STORE);
    account.run(&["apply", "--yes", "--max-risk", "destructive", "--overrule", "hold"]).code(0);
    let runs = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    runs["runs"][0]["run"].as_str().unwrap().to_owned()
}

#[test]
fn a_rollback_takes_away_what_the_run_made_and_nothing_else() {
    let (account, _) = with_vpcs("vpcs = [\"*\"]\n");
    let run = applied(&account);
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).code(0).says("put back");
    assert_eq!(there(&account), json!([]));
    let run = applied(&account);
    let tag = "resolver.tag_resource(ResourceArn=configs()[0]['Arn'], Tags=[{'Key': 'theirs', 'Value': 'x'}])\nprint('null')";
    resolver(&account, tag);
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]);
    assert_eq!(there(&account).as_array().unwrap().len(), 1, "somebody has made it theirs");
}

#[test]
fn a_lost_answer_leaves_one_configuration_which_is_ours() {
    let (account, vpcs) = with_vpcs("vpcs = [\"*\"]\n");
    for operation in ["CreateResolverQueryLogConfig", "AssociateResolverQueryLogConfig"] {
        account.fault(json!({
            "service": "route53resolver", "operation": operation, "kind": "drop", "executed": true, "count": 1,
        }));
    }
    account.run(&APPLY);
    account.no_faults();
    account.run(&APPLY).code(0);
    account.check().code(0).says("1 in sync");
    assert_eq!(there(&account), recorded(&account, &vpcs));
}

#[test]
fn what_goes_elsewhere_is_reported_and_two_of_a_name_are_unknown() {
    let (account, _) = with_vpcs("vpcs = []\n");
    resolver(&account, "make()\nprint('null')");
    account.check().code(2).says("AWS changes no query logging configuration");
    resolver(&account, "make(token='2')\nprint('null')");
    account.forget_calls();
    account.check().says("2 query logging configurations are named \"dns\"");
    account.run(&APPLY);
    assert_eq!(account.writes(), Vec::<String>::new());
}

#[test]
fn what_aws_refuses_is_said_and_leaves_the_object_unknown() {
    let (account, _) = with_vpcs("vpcs = [\"*\"]\n");
    resolver(
        &account,
        "for number in range(100): make('n' + str(number), token=str(number))\nprint('null')",
    );
    account.run(&APPLY).code(4).says("LimitExceededException");
    for operation in ["ListResolverQueryLogConfigs", "ListResolverQueryLogConfigAssociations"] {
        account.fault(
            json!({ "service": "route53resolver", "operation": operation, "kind": "error" }),
        );
        let missing = format!("missing permission: route53resolver:{operation}");
        account.check().code(1).says(&missing);
        account.no_faults();
    }
}
