"""Idempotency tokens: what is repeated with its token is done once, also where moto answers."""

import unittest

from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, control


class Tokens(AccountTest):
    def test_what_ec2_makes_is_made_once(self) -> None:
        ec2 = self.client("ec2")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        for call, named, id_of in (
            (ec2.create_volume, {"AvailabilityZone": "us-east-1a", "Size": 1}, lambda made: made["VolumeId"]),
            (ec2.create_network_acl, {"VpcId": vpc}, lambda made: made["NetworkAcl"]["NetworkAclId"]),
            (ec2.create_route_table, {"VpcId": vpc}, lambda made: made["RouteTable"]["RouteTableId"]),
            (ec2.create_network_interface, {"SubnetId": subnet}, lambda made: made["NetworkInterface"]["NetworkInterfaceId"]),
        ):
            with self.subTest(call=call.__name__):
                first = id_of(call(**named, ClientToken="once"))
                self.assertEqual(id_of(call(**named, ClientToken="once")), first)
                self.assertNotEqual(id_of(call(**named, ClientToken="other")), first)
        wrong = {"AvailabilityZone": "us-east-1a", "Size": 2, "ClientToken": "once"}
        self.fails("IdempotentParameterMismatch", ec2.create_volume, **wrong)
        # In another Region it is another token.
        elsewhere = self.client("ec2", "eu-west-1")
        elsewhere.create_volume(AvailabilityZone="eu-west-1a", Size=2, ClientToken="once")

    def test_a_call_that_failed_is_made_again(self) -> None:
        ec2 = self.client("ec2")
        self.fails("InvalidVpcID.NotFound", ec2.create_route_table, VpcId="vpc-12345678", ClientToken="t")
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        ec2.create_route_table(VpcId=vpc, ClientToken="t")

    def test_a_file_system_is_not_made_again(self) -> None:
        efs = self.client("efs")
        efs.create_file_system(CreationToken="t")
        self.fails("FileSystemAlreadyExists", efs.create_file_system, CreationToken="t")

    def test_an_answer_that_was_lost_is_given_again(self) -> None:
        guardduty = self.client("guardduty")
        fault = {"service": "guardduty", "operation": "CreateDetector", "account": self.account, "executed": True}
        control("POST", "faults", fault | {"kind": "drop", "count": 1})
        with self.assertRaises(Exception):
            guardduty.create_detector(Enable=True, ClientToken="t")
        made = guardduty.create_detector(Enable=True, ClientToken="t")["DetectorId"]
        self.assertEqual(guardduty.list_detectors()["DetectorIds"], [made])


class OfOrganizations(OrganizationTest):
    def test_an_administrator_is_enabled_once(self) -> None:
        for service, operation, member, token, again in (
            ("macie2", "enable_organization_admin_account", "adminAccountId", "clientToken", "ConflictException"),
            ("inspector2", "enable_delegated_admin_account", "delegatedAdminAccountId", "clientToken", "ConflictException"),
        ):
            with self.subTest(service=service):
                enable = getattr(self.client(service), operation)
                for _ in range(2):
                    enable(**{member: self.member, token: "t"})
                self.fails(again, enable, **{member: self.member, token: "other"})


if __name__ == "__main__":
    unittest.main()
