"""Where EC2 is strict: canonical ranges, network ACLs, groups, what is in use, flow logs, tags."""

import unittest
from typing import Any

from emulator.testing import AccountTest

LAST = 32767


class Network(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = self.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.7.3.1/16")["Vpc"]
        self.id = self.vpc["VpcId"]

    def entries(self, acl: str) -> list[dict[str, Any]]:
        return self.ec2.describe_network_acls(NetworkAclIds=[acl])["NetworkAcls"][0]["Entries"]

    def acl(self) -> str:
        found = self.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.id]}])["NetworkAcls"]
        return found[0]["NetworkAclId"]

    def test_ranges_are_stored_in_their_canonical_form(self) -> None:
        self.assertEqual(self.vpc["CidrBlock"], "10.7.0.0/16")
        self.fails("InvalidVpc.Range", self.ec2.create_vpc, CidrBlock="10.0.0.0/8")
        subnet = self.ec2.create_subnet(VpcId=self.id, CidrBlock="10.7.1.9/24")["Subnet"]
        self.assertEqual(subnet["CidrBlock"], "10.7.1.0/24")
        self.fails("InvalidSubnet.Conflict", self.ec2.create_subnet, VpcId=self.id, CidrBlock="10.7.1.128/25")
        self.fails("InvalidSubnet.Range", self.ec2.create_subnet, VpcId=self.id, CidrBlock="10.9.1.0/24")
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.id)
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="100.68.0.18/18", GatewayId=gateway)
        [found] = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"]
        self.assertEqual([one["DestinationCidrBlock"] for one in found["Routes"]], ["10.7.0.0/16", "100.68.0.0/18"])
        self.ec2.delete_route(RouteTableId=table, DestinationCidrBlock="100.68.1.1/18")

    def test_subnets_routes_and_gateways(self) -> None:
        for size in ("10.7.2.0/29", "10.7.0.0/15"):
            self.fails("InvalidSubnet.Range", self.ec2.create_subnet, VpcId=self.id, CidrBlock=size)
        table = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        one, two = (self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"] for _ in "ab")
        self.ec2.attach_internet_gateway(InternetGatewayId=one, VpcId=self.id)
        self.fails("InvalidParameterValue", self.ec2.attach_internet_gateway, InternetGatewayId=two, VpcId=self.id)
        route = {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0"}
        self.fails("MissingParameter", self.ec2.create_route, **route)
        self.fails("InvalidParameterValue", self.ec2.create_route, **route, GatewayId=two)
        self.ec2.create_route(**route, GatewayId=one)
        local = {"RouteTableId": table, "DestinationCidrBlock": "10.7.0.0/16"}
        self.fails("InvalidParameterValue", self.ec2.delete_route, **local)
        self.ec2.delete_route(**route)

    def test_descriptions_of_rules(self) -> None:
        of_vpc = [{"Name": "vpc-id", "Values": [self.id]}]
        [group] = self.ec2.describe_security_groups(Filters=of_vpc)["SecurityGroups"]
        for text in ("x" * 256, "über", "a\tb", "<b>"):
            port = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
            permissions = [port | {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": text}]}]
            change = {"GroupId": group["GroupId"], "IpPermissions": permissions}
            self.fails("InvalidParameterValue", self.ec2.authorize_security_group_ingress, **change)
            self.fails("InvalidParameterValue", self.ec2.update_security_group_rule_descriptions_ingress, **change)

    def test_entries_of_an_acl(self) -> None:
        acl = self.acl()
        rows = [(one["RuleNumber"], one["Egress"], one["Protocol"], one["RuleAction"]) for one in self.entries(acl)]
        first = [(100, way, "-1", "allow") for way in (False, True)]
        self.assertEqual(sorted(rows), first + [(LAST, way, "-1", "deny") for way in (False, True)])
        entry = {"NetworkAclId": acl, "Egress": False, "Protocol": "tcp", "RuleAction": "deny"}
        entry |= {"CidrBlock": "100.68.0.18/18", "PortRange": {"From": 22, "To": 22}}
        create, replace = self.ec2.create_network_acl_entry, self.ec2.replace_network_acl_entry
        create(RuleNumber=10, **entry)
        [made] = [one for one in self.entries(acl) if one["RuleNumber"] == 10]
        self.assertEqual((made["CidrBlock"], made["Protocol"]), ("100.68.0.0/18", "6"))
        self.fails("NetworkAclEntryAlreadyExists", create, RuleNumber=10, **entry)
        self.fails("InvalidNetworkAclEntry.NotFound", replace, RuleNumber=11, **entry)
        delete = self.ec2.delete_network_acl_entry
        self.fails("InvalidNetworkAclEntry.NotFound", delete, NetworkAclId=acl, Egress=False, RuleNumber=11)
        for number in (0, LAST):
            self.fails("InvalidParameterValue", create, RuleNumber=number, **entry)
            self.fails("InvalidParameterValue", delete, NetworkAclId=acl, Egress=False, RuleNumber=number)
        self.fails("InvalidParameterValue", replace, RuleNumber=10, **entry | {"CidrBlock": "10.0.0.300/8"})
        for ports in ({"From": 23, "To": 22}, {"From": 1, "To": 70000}, {"From": -1, "To": -1}):
            self.fails("InvalidParameterValue", create, RuleNumber=12, **entry | {"PortRange": ports})
        self.fails("MissingParameter", create, RuleNumber=12, **entry | {"Protocol": "1"})
        no_ports = {name: value for name, value in entry.items() if name != "PortRange"}
        self.fails("MissingParameter", create, RuleNumber=12, **no_ports)
        self.fails("MissingParameter", create, RuleNumber=12, **entry | {"Ipv6CidrBlock": "::/0"})
        for number in range(20, 38):
            create(RuleNumber=number, **entry)
        self.fails("NetworkAclEntryLimitExceeded", create, RuleNumber=99, **entry)
        create(RuleNumber=99, **entry | {"Egress": True})

    def test_names_and_number_of_groups(self) -> None:
        def make(name: str) -> str:
            return self.ec2.create_security_group(GroupName=name, Description="d", VpcId=self.id)["GroupId"]

        [made] = self.ec2.describe_security_groups(GroupIds=[make("quarantine")])["SecurityGroups"]
        [egress] = made["IpPermissionsEgress"]
        self.assertEqual((egress["IpProtocol"], egress["IpRanges"]), ("-1", [{"CidrIp": "0.0.0.0/0"}]))
        self.fails("InvalidGroup.Duplicate", make, name="quarantine")
        for name in ("default", "sg-0123"):
            self.fails("InvalidParameterValue", make, name=name)
        subnet = self.ec2.create_subnet(VpcId=self.id, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
        interface = self.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
        groups = [make(f"group-{number}") for number in range(6)]
        modify = self.ec2.modify_network_interface_attribute
        code = "SecurityGroupsPerInterfaceLimitExceeded"
        self.fails(code, modify, NetworkInterfaceId=interface, Groups=groups)
        self.fails(code, self.ec2.create_network_interface, SubnetId=subnet, Groups=groups)
        modify(NetworkInterfaceId=interface, Groups=groups[:5])
        self.fails("DependencyViolation", self.ec2.delete_security_group, GroupId=groups[0])
        self.fails("DependencyViolation", self.ec2.delete_subnet, SubnetId=subnet)
        self.fails("DependencyViolation", self.ec2.delete_vpc, VpcId=self.id)
        self.ec2.delete_network_interface(NetworkInterfaceId=interface)
        self.ec2.delete_subnet(SubnetId=subnet)

    def test_flow_logs(self) -> None:
        bucket = f"flow-{self.account}"
        self.client("s3").create_bucket(Bucket=bucket)
        asked = {"ResourceIds": [self.id], "ResourceType": "VPC", "TrafficType": "ALL"}
        asked |= {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::{bucket}"}
        create = self.ec2.create_flow_logs
        made = create(**asked)["FlowLogIds"]
        [found] = self.ec2.describe_flow_logs(FlowLogIds=made)["FlowLogs"]
        self.assertEqual(found["MaxAggregationInterval"], 600)
        self.assertTrue(found["LogFormat"].startswith("${version} ${account-id}"), "the default is spelt out")
        no_traffic = {name: value for name, value in asked.items() if name != "TrafficType"}
        self.fails("MissingParameter", create, **no_traffic)
        self.fails("InvalidParameter", create, **asked | {"MaxAggregationInterval": 90})
        role_is_missing = {"ResourceIds": [self.id], "ResourceType": "VPC", "TrafficType": "ALL", "LogGroupName": "g"}
        self.fails("InvalidParameter", create, **role_is_missing)
        failed = self.ec2.delete_flow_logs(FlowLogIds=["fl-0123456789abcdef0", *made])["Unsuccessful"]
        self.assertEqual([one["Error"]["Code"] for one in failed], ["InvalidFlowLogId.NotFound"])
        self.assertEqual(self.ec2.describe_flow_logs()["FlowLogs"], [], "the other one is gone")

    def test_tags(self) -> None:
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        self.fails("TagLimitExceeded", self.ec2.create_tags, Resources=[self.id], Tags=many)
        reserved = [{"Key": "aws:x", "Value": ""}]
        self.fails("InvalidParameterValue", self.ec2.create_tags, Resources=[self.id], Tags=reserved)
        absent = ["vpc-0123456789abcdef0"]
        self.fails("InvalidVpcID.NotFound", self.ec2.create_tags, Resources=absent, Tags=[{"Key": "x", "Value": ""}])


if __name__ == "__main__":
    unittest.main()
