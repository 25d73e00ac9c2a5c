//! Flow logs as a user meets them: what is made of each VPC, what is replaced, and what AWS refuses inside an
//! answer that says "done".

use serde_json::{Value, json};

use crate::support::declared::{APPLY, account};
use crate::support::{self, Account};

const BUCKET: &str = "[ec2.flow_logs]\ntraffic_type = \"ALL\"\nlog_destination = \"arn:${partition}:s3:::flows-${account.id}/vpc\"\n";

/// An account with a bucket for flow logs and a second VPC.
fn with_bucket(fields: &str) -> Account {
    let account = account(&format!("{BUCKET}{fields}"));
    ec2(
        &account,
        &format!(
            "boto3.client('s3').create_bucket(Bucket='flows-{}', CreateBucketConfiguration={{'LocationConstraint': 'eu-west-1'}})\n\
             ec2.create_vpc(CidrBlock='10.1.0.0/16')",
            account.id
        ),
    );
    account
}

fn ec2(account: &Account, script: &str) -> Value {
    let head = "ec2 = boto3.client('ec2', 'eu-west-1')\n\
        vpcs = sorted(vpc['VpcId'] for vpc in ec2.describe_vpcs()['Vpcs'])\n\
        def logs():\n\
        \x20   found = ec2.describe_flow_logs()['FlowLogs']\n\
        \x20   kept = ('ResourceId', 'TrafficType', 'LogDestination', 'LogGroupName', 'MaxAggregationInterval', 'DestinationOptions')\n\
        \x20   print(json.dumps(sorted(([one.get(name) for name in kept] + [one.get('Tags', [])] for one in found), key=str)))\n\
        def make(vpc, **more):\n\
        \x20   asked = {'ResourceIds': [vpc], 'ResourceType': 'VPC', 'TrafficType': 'ALL', 'LogDestinationType': 's3'}\n\
        \x20   asked['DestinationOptions'] = {'FileFormat': 'plain-text', 'HiveCompatiblePartitions': False, 'PerHourPartition': False}\n\
        \x20   return ec2.create_flow_logs(**asked | more)['FlowLogIds'][0]\n";
    account.boto3(&format!("{head}{script}"))
}

fn calls(account: &Account, operation: &str) -> usize {
    account.calls().iter().filter(|call| call.operation == operation).count()
}

fn vpcs(account: &Account) -> Vec<String> {
    serde_json::from_value(ec2(account, "print(json.dumps(vpcs))")).unwrap()
}

#[test]
fn every_vpc_gets_one_and_two_lists_find_them() {
    let account = with_bucket("max_aggregation_interval = 60\nfile_format = \"parquet\"\n");
    account.forget_calls();
    account.run(&["plan", "-b", "b.toml"]).code(0).says("AWS charges for each gigabyte");
    assert_eq!((calls(&account, "DescribeVpcs"), calls(&account, "DescribeFlowLogs")), (1, 1));
    account.run(&APPLY).code(0);
    account.check().code(0).says("2 in sync");
    let place = format!("arn:aws:s3:::flows-{}/vpc", account.id);
    let options = json!({ "FileFormat": "parquet", "HiveCompatiblePartitions": false, "PerHourPartition": false });
    let expected: Vec<Value> = vpcs(&account)
        .iter()
        .map(|vpc| json!([vpc, "ALL", place, null, 60, options, []]))
        .collect();
    assert_eq!(ec2(&account, "logs()"), json!(expected));
    account
        .run(&["export", "-k", "ec2.flow_logs", "-r", "eu-west-1"])
        .code(0)
        .says("arn:aws:s3:::flows-${account.id}/vpc");
}

#[test]
fn what_is_left_out_is_never_written_whatever_it_has() {
    let account = with_bucket("");
    let [one, other] = vpcs(&account).try_into().unwrap();
    ec2(
        &account,
        &format!("ec2.create_tags(Resources=['{one}'], Tags=[{{'Key': 'flow', 'Value': 'none'}}])"),
    );
    account.declare(&format!(
        "{BUCKET}exclusive = true\nexclude = [{{ vpc_tags = {{ flow = \"none\" }} }}, {{ vpc_ids = [\"{other}\"] }}]\n"
    ));
    ec2(&account, &format!("make('{other}', LogDestination='arn:aws:s3:::flows-{}')", account.id));
    account.forget_calls();
    account.run(&APPLY).code(0);
    assert_eq!(account.writes(), Vec::<String>::new());
    account
        .run(&["check", "-b", "b.toml", "-v"])
        .code(0)
        .says("it has the tag flow = none")
        .says("is in vpc_ids");
}

#[test]
fn a_wrong_one_is_made_anew_with_its_tags_and_comes_back() {
    let account = with_bucket("exclusive = true\n");
    let [one, other] = vpcs(&account).try_into().unwrap();
    let script = format!(
        "here = 'arn:aws:s3:::flows-{}'\n\
         team = [{{'ResourceType': 'vpc-flow-log', 'Tags': [{{'Key': 'team', 'Value': 'network'}}]}}]\n\
         make('{one}', LogDestination=here + '/vpc', TrafficType='ACCEPT', TagSpecifications=team)\n\
         make('{one}', LogDestination=here)\n\
         make('{other}', LogDestination=here + '/vpc/')",
        account.id
    );
    ec2(&account, &script);
    let before = ec2(&account, "logs()");
    account
        .run(&["plan", "-b", "b.toml"])
        .code(0)
        .says("1 in sync")
        .says("what flows until the next change is not recorded")
        .says("gets no more of them");
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    account.run(&["apply", "--yes", "--max-risk", "destructive"]).code(0);
    let place = format!("arn:aws:s3:::flows-{}/vpc", account.id);
    let after = ec2(&account, "logs()");
    let of_one: Vec<&Value> =
        after.as_array().unwrap().iter().filter(|log| log[0] == json!(one)).collect();
    assert_eq!(of_one.len(), 1, "{after}");
    assert_eq!((&of_one[0][1], &of_one[0][2]), (&json!("ALL"), &json!(place)));
    assert_eq!(of_one[0][6], json!([{ "Key": "team", "Value": "network" }]));
    let runs = account.run(&["history", "--runs", "--format", "json"]).code(0).json();
    let run = runs["runs"][0]["run"].as_str().unwrap().to_owned();
    account.run(&["rollback", &run, "--yes", "--max-risk", "destructive"]).code(0).says("put back");
    assert_eq!(ec2(&account, "logs()"), before);
}

#[test]
fn what_fails_inside_an_answer_that_says_done_fails_and_names_the_vpc() {
    let account = with_bucket("");
    let [one, _] = vpcs(&account).try_into().unwrap();
    account.fault(json!({
        "service": "ec2", "operation": "CreateFlowLogs", "kind": "partial", "entries": [one],
    }));
    let run = account.run(&APPLY).code(4);
    run.says(&format!("the VPC {one}:"))
        .says("1 change applied, 1 not")
        .says("AWS failed on its side");
    account.no_faults();
    // A bucket that is not there is refused in the same way.
    account.declare(&BUCKET.replace("flows-", "nowhere-"));
    account.run(&APPLY).code(4).says("does not exist");
    account.declare(BUCKET);
    account.run(&APPLY).code(0);
    account.check().code(0).says("2 in sync");
}

#[test]
fn a_lost_answer_leaves_one_flow_log_which_is_ours() {
    let account = with_bucket("");
    account.fault(json!({
        "service": "ec2", "operation": "CreateFlowLogs", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&APPLY).code(0).says("2 changes applied");
    account.check().code(0).says("2 in sync");
    assert_eq!(ec2(&account, "logs()").as_array().unwrap().len(), 2);
}

#[test]
fn what_delivers_nothing_is_told_with_aws_words() {
    let account = account(
        "[ec2.flow_logs]\ntraffic_type = \"REJECT\"\n\
         log_destination = \"arn:${partition}:logs:eu-west-1:${account.id}:log-group:nowhere\"\n\
         deliver_logs_permission_arn = \"arn:${partition}:iam::${account.id}:role/flow-logs\"\n",
    );
    // CloudWatch Logs takes them, and says later that the group is not there.
    account.run(&APPLY);
    account
        .check()
        .code(2)
        .says("does not deliver: Access error")
        .says("vpc-flow-logs.amazonaws.com");
    let there = ec2(&account, "logs()");
    assert_eq!(there[0][3], "nowhere");
}

#[test]
fn what_cannot_be_read_is_unknown_and_nothing_is_written() {
    let account = with_bucket("");
    for operation in ["DescribeVpcs", "DescribeFlowLogs"] {
        account.fault(json!({ "service": "ec2", "operation": operation, "kind": "error" }));
        account.check().code(1).says(&format!("missing permission: ec2:{operation}"));
        account.forget_calls();
        account.run(&APPLY);
        assert_eq!(account.writes(), Vec::<String>::new());
        account.no_faults();
    }
}

#[test]
fn records_that_go_to_another_account_are_written_only_when_that_is_allowed() {
    let other = support::emulator().account();
    let account = account(&format!(
        "[ec2.flow_logs]\ntraffic_type = \"ALL\"\n\
         log_destination = \"arn:aws:firehose:eu-west-1:{}:deliverystream/flows\"\n",
        other.id
    ));
    account.run(&APPLY).code(2);
    account.check().code(2).says("gives rights (foreign)").says("flow logs are sent");
    let allowed: Vec<&str> = APPLY.into_iter().chain(["--allow-grants", "foreign"]).collect();
    account.run(&allowed).code(0);
    account.check().code(0);
}
