//! Default security groups as a user meets them: spellings, order, room, and who the peers are.

use serde_json::{Value, json};

use crate::support::declared::{APPLY, HEADER};
use crate::support::{self, Account};

/// The default group of the default VPC, without rules for incoming traffic.
const GROUP: &str = "ec2 = boto3.client('ec2')\n\
    group = ec2.describe_security_groups(Filters=[{'Name': 'group-name', 'Values': ['default']}])['SecurityGroups'][0]['GroupId']\n\
    def rules(egress=False):\n\
    \x20   found = ec2.describe_security_group_rules(Filters=[{'Name': 'group-id', 'Values': [group]}])['SecurityGroupRules']\n\
    \x20   return [rule for rule in found if rule['IsEgress'] == egress]\n\
    def tcp(port, **peer):\n\
    \x20   return {'IpProtocol': 'tcp', 'FromPort': port, 'ToPort': port, **peer}\n\
    def allow(*rules):\n\
    \x20   ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(rules))\n";
const EMPTY: &str = "ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule['SecurityGroupRuleId'] for rule in rules()])\n";

fn ec2(account: &Account, script: &str) -> Value {
    account.boto3(&format!("{GROUP}{script}"))
}

/// Lets nothing in, but for what the script allows.
fn only(account: &Account, script: &str) {
    ec2(account, &format!("{EMPTY}{script}"));
}

fn declare(account: &Account, fields: &str) {
    let item = format!("[ec2.default_security_group]\nin_use = \"enforce\"\n{fields}\n");
    account.declare(&item);
}

#[test]
fn other_spellings_of_a_rule_are_the_rule() {
    let account = support::emulator().account();
    only(
        &account,
        "allow(tcp(443, IpRanges=[{'CidrIp': '100.68.0.0/18'}]),\
         {'IpProtocol': 'icmpv6', 'FromPort': -1, 'ToPort': -1, 'Ipv6Ranges': [{'CidrIpv6': '2001:db8::/32'}]},\
         {'IpProtocol': 'icmp', 'FromPort': -1, 'ToPort': -1, 'IpRanges': [{'CidrIp': '10.0.0.0/8'}]})",
    );
    declare(
        &account,
        "ingress = [\
         { ip_protocol = \"6\", from_port = 443, to_port = 443, cidr_ipv4 = \"100.68.0.18/18\" },\
         { ip_protocol = \"58\", cidr_ipv6 = \"2001:0DB8::1/32\" },\
         { ip_protocol = \"icmp\", cidr_ipv4 = \"10.9.9.9/8\" }]",
    );
    account.check().code(0);
    // Made by evenkeel from the same words, they are there afterwards too.
    only(&account, "");
    account.run(&APPLY).code(0);
    account.check().code(0);
}

#[test]
fn all_ports_of_tcp_are_sent_as_aws_wants_them() {
    let account = support::emulator().account();
    declare(&account, "ingress = [{ ip_protocol = \"tcp\", cidr_ipv4 = \"10.0.0.0/8\" }]");
    account.run(&APPLY).code(0);
    account.check().code(0);
    let ports = ec2(&account, "print(json.dumps([(r['FromPort'], r['ToPort']) for r in rules()]))");
    assert_eq!(ports, json!([[0, 65535]]));
}

#[test]
fn validate_refuses_what_aws_would_and_names_the_line_and_the_right_words() {
    let cases = [
        ("cidr_ipv4 = \"10.0.0.300/8\"", "no IPv4 range", "10.0.0.0/8"),
        ("cidr_ipv4 = \"::/0\"", "an IPv6 range", "cidr_ipv6"),
        ("cidr_ipv4 = \"10.0.0.1\"", "no IPv4 range", "10.0.0.1/32"),
        ("referenced_group_id = \"default\"", "no id", "sg-0123456789abcdef0"),
        ("cidr_ipv4 = \"10.0.0.0/8\", from_port = 90, to_port = 80", "90 to 80", "from_port = 80"),
    ];
    for (field, problem, help) in cases {
        let account = support::emulator().account();
        declare(
            &account,
            &format!(
                "egress = [\n{{ ip_protocol = \"udp\", cidr_ipv6 = \"::/0\" }},\n{{ ip_protocol = \"tcp\", {field} }},\n]"
            ),
        );
        account
            .run(&["validate", "b.toml"])
            .code(1)
            .complains("b.toml:12")
            .complains(problem)
            .complains(help);
    }
}

#[test]
fn a_wrong_range_of_one_account_is_said_for_that_account() {
    let account = support::emulator().account();
    let declare = |range: &str| {
        account.write(
            "b.toml",
            &format!("{HEADER}[variables]\noffice = \"10.0.0.0/8\"\n[ec2.default_security_group]\ningress = [{{ ip_protocol = \"tcp\", cidr_ipv4 = \"{range}\" }}]\n"),
        );
    };
    // A sample in the place of an account's tag is no mistake of the baseline.
    declare("${account.tags.office}");
    account.run(&["validate", "b.toml"]).code(0);
    declare("${office}");
    account.run(&["validate", "b.toml"]).code(0);
}

#[test]
fn a_group_of_another_account_is_named_with_its_account() {
    let account = support::emulator().account();
    let other = support::emulator().account();
    let peer = ec2(&other, "print(json.dumps(group))");
    let foreign = format!("{}/{}", other.id, peer.as_str().unwrap());
    only(&account, "");
    declare(
        &account,
        &format!(
            "ingress = [{{ ip_protocol = \"tcp\", from_port = 5432, to_port = 5432, referenced_group_id = \"{foreign}\" }}]"
        ),
    );
    account.run(&["plan", "-b", "b.toml"]).code(0).says(&format!("tcp 5432 from {foreign}"));
    account.run(&APPLY).code(2);
    account.check().code(2).says("weaker than before").says("gives rights (foreign)");
    let allowed: Vec<&str> = APPLY.into_iter().chain(["--allow-grants", "foreign"]).collect();
    account.run(&allowed).code(0);
    account.check().code(0);
    let there = ec2(&account, "print(json.dumps(rules()[0]['ReferencedGroupInfo']))");
    assert_eq!(there["UserId"], other.id);
    let export = ["export", "-k", "ec2.default_security_group", "-r", "eu-west-1"];
    account.run(&export).code(0).says(&foreign);
}

#[test]
fn a_full_group_is_changed_and_the_plan_says_what_goes_first() {
    let account = support::emulator().account();
    only(
        &account,
        "allow(*[tcp(port, IpRanges=[{'CidrIp': '10.0.0.0/8'}]) for port in range(1, 61)])",
    );
    declare(
        &account,
        "ingress = [{ ip_protocol = \"tcp\", from_port = 443, to_port = 443, cidr_ipv4 = \"10.0.0.0/8\" }]",
    );
    account.run(&["plan", "-b", "b.toml"]).code(0).says("these go first");
    account.run(&APPLY).code(0);
    account.check().code(0);
}

#[test]
fn no_addition_that_fails_keeps_a_door_open() {
    let account = support::emulator().account();
    only(&account, "allow(tcp(22, IpRanges=[{'CidrIp': '0.0.0.0/0'}]))");
    account.fault(json!({
        "service": "ec2", "operation": "AuthorizeSecurityGroupIngress", "kind": "error",
        "code": "InvalidPrefixListID.NotFound",
    }));
    declare(
        &account,
        "ingress = [{ ip_protocol = \"tcp\", from_port = 443, to_port = 443, prefix_list_id = \"pl-0123456789abcdef0\" }]\negress = []",
    );
    account.run(&APPLY).code(4);
    assert_eq!(ec2(&account, "print(len(rules()) + len(rules(egress=True)))"), json!(0));
}

#[test]
fn every_form_of_a_plan_names_the_group_beside_its_vpc() {
    let account = support::emulator().account();
    let group = ec2(&account, "print(json.dumps(group))");
    declare(&account, "ingress = []");
    for format in ["text", "json", "markdown", "sarif", "html", "junit"] {
        for command in ["plan", "check"] {
            let run = account.run(&[command, "-b", "b.toml", "--format", format]);
            assert!(
                run.stdout.contains(group.as_str().unwrap()),
                "{command} {format}: {}",
                run.stdout
            );
        }
    }
}

/// The answer is lost, the call is made again below us, and EC2 says that the rule is there.
#[test]
fn a_lost_answer_is_said_as_it_was() {
    let account = support::emulator().account();
    only(&account, "");
    declare(
        &account,
        "ingress = [{ ip_protocol = \"tcp\", from_port = 443, to_port = 443, cidr_ipv4 = \"10.0.0.0/8\" }]",
    );
    account.fault(json!({
        "service": "ec2", "operation": "AuthorizeSecurityGroupIngress", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&APPLY).code(0).says("is there").says("1 change applied").says("verified");
    account.check().code(0);
    // The log says so as well, and is whole.
    let log = account.read(".evenkeel/audit.jsonl");
    let phases: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["phase"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(phases, ["intent", "failed", "observed", "found"], "{log}");
    account.run(&["audit", "verify"]).code(0);
}

/// What was there all the same is in the history as that, and is put back like what AWS accepted.
#[test]
fn what_a_lost_answer_made_is_in_the_history_and_is_put_back() {
    let account = support::emulator().account();
    account.write(
        "evenkeel.toml",
        "schema = 1\n\n[store]\nurl = \"sqlite://.evenkeel/store.db\"\n\n[[target]]\nname = \"here\"\nbaselines = [\"b.toml\"]\nmode = \"enforce\"\nconfirmed = true\n",
    );
    only(&account, "");
    let rule =
        "{ ip_protocol = \"tcp\", from_port = 443, to_port = 443, cidr_ipv4 = \"10.0.0.0/8\" }";
    declare(&account, &format!("ingress = [{rule}]"));
    account.fault(json!({
        "service": "ec2", "operation": "AuthorizeSecurityGroupIngress", "kind": "drop", "executed": true, "count": 1,
    }));
    account.run(&["apply", "--yes"]).code(0).says("is there").says("1 change applied");
    let entries =
        account.run(&["history", "--outcome", "found", "--format", "json"]).code(0).json();
    let entry = &entries["entries"][0];
    assert_eq!(entry["what"], "found", "{entries}");
    let failed =
        account.run(&["history", "--outcome", "failed", "--format", "json"]).code(0).json();
    assert_eq!(failed["entries"], json!([]), "{failed}");
    let run = entry["run"].as_str().unwrap();
    account.run(&["show", run]).code(0).says("is there all the same");
    let back = account.run(&["rollback", run, "--yes"]).code(0).says("1 change put back");
    back.says("AWS refused the run's write or its answer was lost");
}

#[test]
fn what_cannot_be_read_of_one_vpc_is_unknown_and_what_is_left_out_stays_so() {
    let account = support::emulator().account();
    ec2(
        &account,
        "ec2.create_vpc(CidrBlock='10.1.0.0/16', TagSpecifications=[{'ResourceType': 'vpc', 'Tags': [{'Key': 'legacy', 'Value': 'true'}]}])",
    );
    declare(&account, "ingress = []\nexclude = [{ vpc_tags = { legacy = \"true\" } }]");
    account.fault(json!({ "service": "ec2", "operation": "DescribeSecurityGroupRules" }));
    let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).code(4).json();
    assert_eq!(plan["summary"]["unknown"], 1, "{plan:#}");
    assert_eq!(plan["summary"]["skipped"], 1, "{plan:#}");
    account.no_faults();
    let own = format!("ingress = []\nexclude = [{{ accounts = [\"{}\"] }}]", account.id);
    declare(&account, &own);
    let plan = account.run(&["plan", "-b", "b.toml", "--format", "json"]).code(0).json();
    assert_eq!(plan["summary"]["skipped"], 2, "{plan:#}");
}
