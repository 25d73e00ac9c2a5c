"""What the shelf promises for every table, shown with a few of them, over the wire."""

import unittest
from typing import Any

from emulator.testing import AccountTest, client, control


class Settings(AccountTest):
    def test_a_setting_is_kept_by_account_and_region(self) -> None:
        ec2 = self.client("ec2")
        ec2.enable_serial_console_access()
        self.assertTrue(ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        for other in (self.client("ec2", "eu-west-1"), client("ec2", "5" + self.account[1:])):
            self.assertFalse(other.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        ec2.disable_serial_console_access()
        self.assertFalse(ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])

    def test_what_is_not_sent_stays_and_no_preference_goes(self) -> None:
        ec2 = self.client("ec2")
        self.assertEqual(ec2.get_instance_metadata_defaults()["AccountLevel"], {"ManagedBy": "account"})
        ec2.modify_instance_metadata_defaults(HttpTokens="required", HttpPutResponseHopLimit=2)
        ec2.modify_instance_metadata_defaults(HttpEndpoint="enabled", HttpPutResponseHopLimit=-1)
        self.assertEqual(
            ec2.get_instance_metadata_defaults()["AccountLevel"],
            {"ManagedBy": "account", "HttpTokens": "required", "HttpEndpoint": "enabled"},
        )
        self.fails("InvalidParameterValue", ec2.modify_instance_metadata_defaults, HttpPutResponseHopLimit=65)

    def test_a_setting_settles_for_as_many_reads_as_asked(self) -> None:
        ec2, late = self.client("ec2"), self.client("ec2", "eu-west-1")

        def mode() -> tuple[str, str]:
            got = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
            return got["InternetGatewayBlockMode"], got["State"]

        self.assertEqual(mode(), ("off", "default-state"))
        wrote = ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
        self.assertEqual(wrote["VpcBlockPublicAccessOptions"]["State"], "update-in-progress")
        self.assertEqual(mode(), ("block-ingress", "update-complete"))
        control("POST", f"settling?account={self.account}&reads=2")
        ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
        self.assertEqual([mode()[1] for _ in range(3)], ["update-in-progress"] * 2 + ["update-complete"])
        late.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
        got = [late.get_image_block_public_access_state()["ImageBlockPublicAccessState"] for _ in range(3)]
        self.assertEqual(got, ["unblocked"] * 2 + ["block-new-sharing"])

    def test_a_setting_of_an_organizations_policy_cannot_be_changed(self) -> None:
        ec2 = self.client("ec2")
        route = f"owner?account={self.account}&of=ec2:serial_console_access"
        control("POST", f"{route}&owner=declarative-policy")
        self.assertEqual(ec2.get_serial_console_access_status()["ManagedBy"], "declarative-policy")
        error = self.fails("UnauthorizedOperation", ec2.enable_serial_console_access)
        self.assertIn("disabled by a Declarative Policy", str(error))
        control("POST", route)
        ec2.enable_serial_console_access()
        self.assertEqual(ec2.get_serial_console_access_status()["ManagedBy"], "account")


class Collections(AccountTest):
    def vpcs(self, count: int) -> list[str]:
        ec2 = self.client("ec2")
        return [ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")["Vpc"]["VpcId"] for number in range(count)]

    def exclude(self, vpc: str, **more: Any) -> dict[str, Any]:
        made = self.client("ec2").create_vpc_block_public_access_exclusion(
            VpcId=vpc, InternetGatewayExclusionMode="allow-egress", **more
        )
        return made["VpcBlockPublicAccessExclusion"]

    def listed(self, **asked: Any) -> list[dict[str, Any]]:
        got = self.client("ec2").describe_vpc_block_public_access_exclusions(**asked)
        return got["VpcBlockPublicAccessExclusions"]

    def test_an_object_is_made_found_changed_and_lingers(self) -> None:
        ec2, vpc = self.client("ec2"), self.vpcs(1)[0]
        tags = [{"Key": "by", "Value": "evenkeel"}]
        specification = [{"ResourceType": "vpc-block-public-access-exclusion", "Tags": tags}]
        made = self.exclude(vpc, TagSpecifications=specification)
        self.assertEqual((made["State"], made["Tags"]), ("create-in-progress", tags))
        self.assertEqual(made["ResourceArn"], f"arn:aws:ec2:us-east-1:{self.account}:vpc/{vpc}")
        self.assertEqual([row["State"] for row in self.listed()], ["create-complete"])
        changed = ec2.modify_vpc_block_public_access_exclusion(
            ExclusionId=made["ExclusionId"], InternetGatewayExclusionMode="allow-bidirectional"
        )
        self.assertEqual(changed["VpcBlockPublicAccessExclusion"]["State"], "update-in-progress")
        row = self.listed(ExclusionIds=[made["ExclusionId"]])[0]
        self.assertEqual((row["InternetGatewayExclusionMode"], row["Tags"]), ("allow-bidirectional", tags))
        ec2.delete_vpc_block_public_access_exclusion(ExclusionId=made["ExclusionId"])
        self.assertEqual([row["State"] for row in self.listed()], ["delete-complete"])
        unknown = "InvalidVpcBlockPublicAccessExclusionId.NotFound"
        self.fails(unknown, ec2.delete_vpc_block_public_access_exclusion, ExclusionId=made["ExclusionId"])
        self.fails(unknown, ec2.describe_vpc_block_public_access_exclusions, ExclusionIds=["vpcbpa-exclude-0"])

    def test_what_makes_no_sense_is_refused(self) -> None:
        create = self.client("ec2").create_vpc_block_public_access_exclusion
        mode = {"InternetGatewayExclusionMode": "allow-egress"}
        self.fails("InvalidParameterCombination", create, **mode)
        self.fails("InvalidVpcID.NotFound", create, VpcId="vpc-00000000", **mode)
        self.fails("InvalidParameterValue", create, VpcId=self.vpcs(1)[0], InternetGatewayExclusionMode="all")

    def test_lists_come_in_pages_with_tokens_of_their_own(self) -> None:
        ec2 = self.client("ec2")
        made = [self.exclude(vpc)["ExclusionId"] for vpc in self.vpcs(7)]
        list_ = ec2.describe_vpc_block_public_access_exclusions
        first = list_(MaxResults=5)
        self.assertEqual(len(first["VpcBlockPublicAccessExclusions"]), 5)
        second = list_(MaxResults=5, NextToken=first["NextToken"])
        self.assertNotIn("NextToken", second)
        rows = first["VpcBlockPublicAccessExclusions"] + second["VpcBlockPublicAccessExclusions"]
        self.assertEqual([row["ExclusionId"] for row in rows], made)
        self.fails("InvalidNextToken", list_, MaxResults=5, NextToken="5")
        self.fails("InvalidNextToken", list_, ExclusionIds=made, NextToken=first["NextToken"])
        wanted = [{"Name": "state", "Values": ["create-complete"]}]
        self.assertEqual(len(self.listed(Filters=wanted)), 7)


if __name__ == "__main__":
    unittest.main()
