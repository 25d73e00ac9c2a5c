"""Where AWS is strict about values, dry runs, what is in use, and what replaces what; of services with a little of it."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest

SEEN = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


class Network(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"]
        self.mine = [{"Name": "vpc-id", "Values": [self.vpc]}]

    def test_a_dry_run_changes_nothing(self) -> None:
        before = len(self.ec2.describe_vpcs()["Vpcs"])
        self.fails("DryRunOperation", self.ec2.create_vpc, CidrBlock="10.2.0.0/16", DryRun=True)
        self.assertEqual(len(self.ec2.describe_vpcs()["Vpcs"]), before)
        self.fails("DryRunOperation", self.ec2.delete_vpc, VpcId=self.vpc, DryRun=True)
        self.fails("DryRunOperation", self.ec2.describe_vpcs, VpcIds=[self.vpc], DryRun=True)
        self.assertEqual(len(self.ec2.describe_vpcs(VpcIds=[self.vpc], DryRun=False)["Vpcs"]), 1)

    def test_ids_have_a_form(self) -> None:
        ec2 = self.ec2
        for call, member, prefix, code in (
            (ec2.describe_vpcs, "VpcIds", "vpc", "InvalidVpcID"),
            (ec2.describe_subnets, "SubnetIds", "subnet", "InvalidSubnetID"),
            (ec2.describe_volumes, "VolumeIds", "vol", "InvalidVolume"),
            (ec2.describe_security_groups, "GroupIds", "sg", "InvalidGroup"),
        ):
            self.fails(f"{code}.NotFound", call, **{member: [f"{prefix}-0123456789abcdef0"]})
            malformed = {"InvalidVolume": "InvalidVolumeID", "InvalidGroup": "InvalidGroupId"}.get(code, code)
            for name in ("nope", f"{prefix}-0123", f"{prefix}-0123456789ABCDEF0"):
                self.fails(f"{malformed}.Malformed", call, **{member: [name]})

    def test_what_a_vpc_came_with_stays(self) -> None:
        [acl] = self.ec2.describe_network_acls(Filters=self.mine)["NetworkAcls"]
        self.fails("InvalidParameterValue", self.ec2.delete_network_acl, NetworkAclId=acl["NetworkAclId"])
        [main] = self.ec2.describe_route_tables(Filters=self.mine)["RouteTables"]
        self.fails("DependencyViolation", self.ec2.delete_route_table, RouteTableId=main["RouteTableId"])
        [group] = self.ec2.describe_security_groups(Filters=self.mine)["SecurityGroups"]
        self.fails("CannotDelete", self.ec2.delete_security_group, GroupId=group["GroupId"])

    def test_what_a_subnet_uses_stays_until_it_goes(self) -> None:
        subnet = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock="10.1.1.0/24")["Subnet"]["SubnetId"]
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        used = self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)["AssociationId"]
        self.fails("DependencyViolation", self.ec2.delete_route_table, RouteTableId=table)
        self.ec2.disassociate_route_table(AssociationId=used)
        self.ec2.delete_route_table(RouteTableId=table)
        self.fails("InvalidRouteTableID.NotFound", self.ec2.delete_route_table, RouteTableId=table)
        acl = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        here = [{"Name": "association.subnet-id", "Values": [subnet]}]
        [old] = self.ec2.describe_network_acls(Filters=here)["NetworkAcls"]
        [link] = [one["NetworkAclAssociationId"] for one in old["Associations"] if one["SubnetId"] == subnet]
        link = self.ec2.replace_network_acl_association(AssociationId=link, NetworkAclId=acl)["NewAssociationId"]
        self.fails("DependencyViolation", self.ec2.delete_network_acl, NetworkAclId=acl)
        self.ec2.replace_network_acl_association(AssociationId=link, NetworkAclId=old["NetworkAclId"])
        self.ec2.delete_network_acl(NetworkAclId=acl)
        self.fails("InvalidNetworkAclID.NotFound", self.ec2.delete_network_acl, NetworkAclId=acl)

    def test_groups_are_described_in_few_characters(self) -> None:
        create = self.ec2.create_security_group
        for text in ("é", "a<b", "it's"):
            self.fails("InvalidParameterValue", create, GroupName="x", Description=text, VpcId=self.vpc)
            self.fails("InvalidParameterValue", create, GroupName=text, Description="d", VpcId=self.vpc)
        absent = "vpc-0123456789abcdef0"
        self.fails("InvalidVpcID.NotFound", create, GroupName="x", Description="d", VpcId=absent)
        create(GroupName="x (1)", Description="a-z, 0-9._-:/()#,@[]+=&;{}!$*", VpcId=self.vpc)

    def test_what_is_not_there_by_its_id(self) -> None:
        ec2 = self.ec2
        for call, member, name, code in (
            (ec2.describe_snapshots, "SnapshotIds", "snap-12345678", "InvalidSnapshot.NotFound"),
            (ec2.describe_snapshots, "SnapshotIds", "snap", "InvalidSnapshotID.Malformed"),
            (ec2.describe_instances, "InstanceIds", "x", "InvalidInstanceID.Malformed"),
            (ec2.describe_flow_logs, "FlowLogIds", "fl-12345678", "InvalidFlowLogId.NotFound"),
            (ec2.describe_network_acls, "NetworkAclIds", "acl-12345678", "InvalidNetworkAclID.NotFound"),
            (
                ec2.describe_vpc_peering_connections,
                "VpcPeeringConnectionIds",
                "pcx-12345678",
                "InvalidVpcPeeringConnectionID.NotFound",
            ),
        ):
            self.fails(code, call, **{member: [name]})
        image = {"ImageId": "ami-12345678", "Attribute": "launchPermission"}
        self.fails("InvalidAMIID.NotFound", ec2.describe_image_attribute, **image)
        both = {"InstanceIds": ["i-12345678"], "MaxResults": 5}
        self.fails("InvalidParameterCombination", ec2.describe_instances, **both)

    def test_filters_have_names_that_the_list_knows(self) -> None:
        for call in (self.ec2.describe_vpcs, self.ec2.describe_security_groups, self.ec2.describe_regions):
            self.fails("InvalidParameterValue", call, Filters=[{"Name": "foo", "Values": ["x"]}])
        tagged = {"Filters": [*self.mine, {"Name": "tag:a", "Values": ["b"]}, {"Name": "tag-key", "Values": ["a"]}]}
        self.assertEqual(self.ec2.describe_vpcs(**tagged)["Vpcs"], [])

    def test_values_of_vpcs_tags_and_groups(self) -> None:
        on = {"Value": True}
        two = {"EnableDnsSupport": on, "EnableDnsHostnames": on}
        self.fails("InvalidParameterCombination", self.ec2.modify_vpc_attribute, VpcId=self.vpc, **two)
        self.fails("MissingParameter", self.ec2.modify_vpc_attribute, VpcId=self.vpc)
        for key, value in (("x" * 128, ""), ("x", "x" * 257)):
            tags = [{"Key": key, "Value": value}]
            self.fails("InvalidParameterValue", self.ec2.create_tags, Resources=[self.vpc], Tags=tags)
        create = self.ec2.create_security_group
        self.fails("InvalidParameterValue", create, GroupName="x" * 256, Description="d", VpcId=self.vpc)

    def test_a_snapshot_is_not_shared_with_everybody_where_that_is_blocked(self) -> None:
        volume = self.ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        snapshot = self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        add = {"SnapshotId": snapshot, "Attribute": "createVolumePermission", "OperationType": "add"}
        modify = self.ec2.modify_snapshot_attribute
        self.fails("InvalidUserID.Malformed", modify, **add, UserIds=["me"])
        modify(**add, GroupNames=["all"])
        modify(**add | {"OperationType": "remove"}, GroupNames=["all"])
        self.ec2.enable_snapshot_block_public_access(State="block-new-sharing")
        self.fails("OperationNotPermitted", modify, **add, GroupNames=["all"])
        public = {"Add": [{"Group": "all"}]}
        self.fails("OperationNotPermitted", modify, SnapshotId=snapshot, CreateVolumePermission=public)
        modify(**add, UserIds=["111122223333"])


class WebAcls(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.waf = self.client("wafv2")

    def make(self, name: str, **more: Any) -> str:
        params = {"Scope": "REGIONAL", "DefaultAction": {"Allow": {}}, "VisibilityConfig": SEEN} | more
        return self.waf.create_web_acl(Name=name, **params)["Summary"]["ARN"]

    def test_a_resource_has_one_web_acl_and_the_last_one_holds(self) -> None:
        first, second = self.make("a"), self.make("b")
        subnets = [one["SubnetId"] for one in self.client("ec2").describe_subnets()["Subnets"]][:2]
        made = self.client("elbv2").create_load_balancer(Name="l", Subnets=subnets)["LoadBalancers"][0]
        arn = made["LoadBalancerArn"]
        for acl in (first, second, second):
            self.waf.associate_web_acl(WebACLArn=acl, ResourceArn=arn)
        self.assertEqual(self.waf.get_web_acl_for_resource(ResourceArn=arn)["WebACL"]["ARN"], second)
        self.assertEqual(self.waf.list_resources_for_web_acl(WebACLArn=first)["ResourceArns"], [])
        self.assertEqual(self.waf.list_resources_for_web_acl(WebACLArn=second)["ResourceArns"], [arn])
        self.waf.disassociate_web_acl(ResourceArn=arn)
        self.assertNotIn("WebACL", self.waf.get_web_acl_for_resource(ResourceArn=arn))

    def test_rules_differ_and_one_action_is_the_default(self) -> None:
        group = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}}
        rule = {"Name": "r", "Priority": 1, "Statement": group, "OverrideAction": {"None": {}}}
        rule |= {"VisibilityConfig": SEEN}
        code = "WAFInvalidParameterException"
        self.fails(code, self.make, name="a", Rules=[rule, rule | {"Name": "s"}])
        self.fails(code, self.make, name="a", Rules=[rule, rule | {"Priority": 2}])
        self.fails(code, self.make, name="a", DefaultAction={"Allow": {}, "Block": {}})
        self.fails(code, self.make, name="a", DefaultAction={})
        self.make("a", Rules=[rule, rule | {"Name": "s", "Priority": 2}])
        country, block = {"GeoMatchStatement": {"CountryCodes": ["DE"]}}, {"Action": {"Block": {}}}
        own = {name: value for name, value in rule.items() if name != "OverrideAction"} | {"Statement": country}
        for wrong in (
            own,
            rule | {"Statement": country},
            rule | block,
            own | block | {"Statement": country | {"LabelMatchStatement": {"Scope": "LABEL", "Key": "k"}}},
        ):
            self.fails(code, self.make, name="b", Rules=[wrong])
        self.make("b", Rules=[own | block])


class Messages(AccountTest):
    def test_attributes_of_queues(self) -> None:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q", Attributes={"VisibilityTimeout": "30"})["QueueUrl"]
        self.fails("QueueAlreadyExists", sqs.create_queue, QueueName="q", Attributes={"VisibilityTimeout": "31"})
        self.assertEqual(sqs.create_queue(QueueName="q")["QueueUrl"], url)
        self.fails("InvalidAttributeName", sqs.set_queue_attributes, QueueUrl=url, Attributes={"Nope": "1"})
        for name, value in (("VisibilityTimeout", "43201"), ("DelaySeconds", "-1"), ("MessageRetentionPeriod", "59")):
            attributes = {name: value}
            self.fails("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes=attributes)
            self.fails("InvalidAttributeValue", sqs.create_queue, QueueName="r", Attributes=attributes)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "43200", "SqsManagedSseEnabled": "true"})

    def test_secrets(self) -> None:
        secrets = self.client("secretsmanager")
        self.fails("ValidationException", secrets.create_secret, Name="a b", SecretString="s")
        self.fails("InvalidParameterException", secrets.create_secret, Name="a", SecretString="s", SecretBinary=b"s")
        secrets.create_secret(Name="a/b-c", SecretString="s", Tags=[{"Key": "mine", "Value": "1"}])
        for tags in ([{"Key": f"{n}", "Value": ""} for n in range(50)], [{"Key": "aws:x", "Value": ""}]):
            self.fails("InvalidParameterException", secrets.tag_resource, SecretId="a/b-c", Tags=tags)

    def test_where_query_logs_go(self) -> None:
        create = self.client("route53resolver").create_resolver_query_log_config
        for place in (f"arn:aws:sqs:us-east-1:{self.account}:q", "arn:aws:s3:::", "bucket"):
            self.fails("InvalidParameterException", create, Name="n", DestinationArn=place, CreatorRequestId="1")
        create(Name="n", DestinationArn="arn:aws:s3:::bucket/dns", CreatorRequestId="1")

    def test_names_policies_and_dead_letters_of_queues(self) -> None:
        sqs, arn = self.client("sqs"), f"arn:aws:sqs:us-east-1:{self.account}:"
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for name in ("d", "d.fifo"):
            sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if name.endswith(".fifo") else {})
        self.fails("InvalidParameterValue", sqs.create_queue, QueueName="e.fifo")
        for name in ("FifoQueue", "ContentBasedDeduplication"):
            self.fails("InvalidAttributeName", sqs.create_queue, QueueName="e", Attributes={name: "false"})

        def put(name: str, value: Any) -> None:
            sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value if isinstance(value, str) else json.dumps(value)})

        for target, count in (("none", 3), ("d", 0), ("d", 1001), ("d.fifo", 3)):
            given = {"deadLetterTargetArn": arn + target, "maxReceiveCount": count}
            self.fails("InvalidParameterValue", put, name="RedrivePolicy", value=given)
        for wrong in ("{", "[]", {"maxReceiveCount": 3}):
            self.fails("InvalidParameterValue", put, name="RedrivePolicy", value=wrong)
        put("RedrivePolicy", {"deadLetterTargetArn": arn + "d", "maxReceiveCount": "1000"})
        good = {"Effect": "Allow", "Principal": "*", "Action": "SQS:SendMessage"}
        put("Policy", {"Version": "2012-10-17", "Statement": [good]})
        for changes in ({"Action": "s3:GetObject"}, {"Effect": "x"}, {"Principal": {}}, {"Foo": "x"}):
            document = {"Version": "2012-10-17", "Statement": [good | changes]}
            self.fails("InvalidAttributeValue", put, name="Policy", value=document)
        self.fails("InvalidAttributeValue", put, name="Policy", value="{")
        both = {"KmsMasterKeyId": "alias/aws/sqs", "SqsManagedSseEnabled": "true"}
        self.fails("InvalidAttributeValue", sqs.set_queue_attributes, QueueUrl=url, Attributes=both)

    def test_protocols_of_subscriptions(self) -> None:
        sns = self.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        self.fails("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="nope", Endpoint="a")
        self.fails("NotFound", sns.subscribe, TopicArn=topic + "x", Protocol="email", Endpoint="a@example.com")
        sns.subscribe(TopicArn=topic, Protocol="email", Endpoint="a@example.com")

    def test_rules_and_the_inputs_of_their_targets(self) -> None:
        events = self.client("events")
        pattern = json.dumps({"source": ["a"]})
        self.fails("ValidationException", events.put_rule, Name="a b", EventPattern=pattern)
        events.put_rule(Name="rule", EventPattern=pattern)
        target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{self.account}:q"}
        for wrong in ({"Input": "{}", "InputPath": "$.a"}, {"Input": "nope"}, {"Arn": "nope"}):
            self.fails("ValidationException", events.put_targets, Rule="rule", Targets=[target | wrong])
        self.assertEqual(events.list_targets_by_rule(Rule="rule")["Targets"], [])
        events.put_targets(Rule="rule", Targets=[target | {"Input": '"text"'}])


class Keys(AccountTest):
    def test_a_new_key_has_few_tags_and_a_policy_that_is_not_too_long(self) -> None:
        kms = self.client("kms")
        tags = [{"TagKey": str(number), "TagValue": ""} for number in range(51)]
        self.fails("LimitExceededException", kms.create_key, Tags=tags)
        self.fails("TagException", kms.create_key, Tags=[{"TagKey": "aws:x", "TagValue": ""}])
        self.assertEqual(kms.list_keys()["Keys"], [])
        key = kms.create_key(Tags=tags[:50])["KeyMetadata"]["KeyId"]
        root = {"AWS": f"arn:aws:iam::{self.account}:root"}
        statement = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement] * 400})
        self.assertGreater(len(policy), 32768)
        put = {"KeyId": key, "PolicyName": "default"}
        self.fails("LimitExceededException", kms.put_key_policy, **put, Policy=policy)


class Aggregators(AccountTest):
    def test_an_organization_s_aggregator_needs_one(self) -> None:
        config = self.client("config")
        put, name = config.put_configuration_aggregator, {"ConfigurationAggregatorName": "a"}
        role = f"arn:aws:iam::{self.account}:role/r"
        whole = {"OrganizationAggregationSource": {"RoleArn": role, "AllAwsRegions": True}}
        self.fails("NoAvailableOrganizationException", put, **name, **whole)
        self.client("organizations").create_organization(FeatureSet="ALL")
        source = {"AccountIds": [self.account], "AllAwsRegions": True}
        self.fails("InvalidParameterValueException", put, **name, **whole, AccountAggregationSources=[source])
        self.fails("InvalidRoleException", put, **name, **whole)
        trust = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        self.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=document)
        put(**name, **whole)


if __name__ == "__main__":
    unittest.main()
