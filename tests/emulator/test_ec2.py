"""EC2: regions, default security groups and their rules, EBS encryption by default."""

import unittest
from typing import Any

from emulator.testing import AccountTest, client, control


class Regions(AccountTest):
    def test_seventeen_by_default_more_by_opt_in(self) -> None:
        ec2 = self.client("ec2")
        self.assertEqual(len(ec2.describe_regions()["Regions"]), 17)
        every = {r["RegionName"]: r["OptInStatus"] for r in ec2.describe_regions(AllRegions=True)["Regions"]}
        self.assertEqual((every["us-east-1"], every["af-south-1"]), ("opt-in-not-required", "not-opted-in"))
        self.assertFalse(any(name.startswith(("cn-", "us-gov-")) for name in every))
        control("POST", f"opt_in?account={self.account}&region=af-south-1")
        self.assertEqual(len(ec2.describe_regions()["Regions"]), 18)
        self.fails("InvalidParameterValue", ec2.describe_regions, RegionNames=["mars-1"])


class Networks(AccountTest):
    def test_a_network_under_ids_that_are_asked_for(self) -> None:
        ids = {"vpc": "vpc-0a1b2c3d4e5f60718", "subnet": "subnet-0a1b2c3d4e5f60718"}
        control("POST", f"network?account={self.account}", {"region": "eu-west-1"} | ids)
        ec2 = self.client("ec2", "eu-west-1")
        subnet = ec2.describe_subnets(SubnetIds=[ids["subnet"]])["Subnets"][0]
        self.assertEqual(subnet["VpcId"], ids["vpc"])
        made = ec2.create_vpc_block_public_access_exclusion(
            SubnetId=ids["subnet"], InternetGatewayExclusionMode="allow-egress"
        )["VpcBlockPublicAccessExclusion"]
        self.assertTrue(made["ResourceArn"].endswith(f":subnet/{ids['subnet']}"))
        other = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        self.assertNotEqual(other, ids["vpc"])


class SecurityGroups(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.ec2 = self.client("ec2")

    def default_group(self, vpc: str | None = None) -> str:
        vpc = vpc or self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        filters = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
        return self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]

    def rules(self, group: str) -> list[dict[str, Any]]:
        return self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
            "SecurityGroupRules"
        ]

    def test_a_default_group_lets_itself_in_and_everything_out(self) -> None:
        group = self.default_group()
        got = [
            (
                r["IsEgress"],
                r["IpProtocol"],
                r["FromPort"],
                r.get("CidrIpv4"),
                r.get("ReferencedGroupInfo", {}).get("GroupId"),
            )
            for r in self.rules(group)
        ]
        self.assertEqual(got, [(False, "-1", -1, None, group), (True, "-1", -1, "0.0.0.0/0", None)])
        self.assertEqual(self.rules(group)[0]["GroupOwnerId"], self.account)

    def test_rules_by_id(self) -> None:
        group = self.default_group()
        permissions = [
            {
                "IpProtocol": "tcp",
                "FromPort": 22,
                "ToPort": 22,
                "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "ssh"}, {"CidrIp": "10.0.0.0/8"}],
                "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
            },
            {
                "IpProtocol": "udp",
                "FromPort": 53,
                "ToPort": 53,
                "UserIdGroupPairs": [{"GroupId": group, "Description": "dns"}],
            },
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "PrefixListIds": [{"PrefixListId": "pl-12345678", "Description": "p"}],
            },
        ]
        tags = [{"ResourceType": "security-group-rule", "Tags": [{"Key": "a", "Value": "b"}]}]
        made = self.ec2.authorize_security_group_ingress(
            GroupId=group, IpPermissions=permissions, TagSpecifications=tags
        )
        self.assertEqual(len(made["SecurityGroupRules"]), 5)
        described = {r["SecurityGroupRuleId"]: r for r in self.rules(group)}
        for rule in made["SecurityGroupRules"]:
            self.assertEqual(described[rule["SecurityGroupRuleId"]], rule)
            self.assertEqual(rule["Tags"], [{"Key": "a", "Value": "b"}])
        self.assertEqual(
            sorted(r.get("Description", "") for r in made["SecurityGroupRules"]), ["", "", "dns", "p", "ssh"]
        )
        ids = [r["SecurityGroupRuleId"] for r in made["SecurityGroupRules"]]
        gone = self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=ids[:2])
        self.assertEqual([r["SecurityGroupRuleId"] for r in gone["RevokedSecurityGroupRules"]], ids[:2])
        self.fails(
            "InvalidSecurityGroupRuleId.NotFound",
            self.ec2.revoke_security_group_ingress,
            GroupId=group,
            SecurityGroupRuleIds=ids[:3],
        )
        self.assertEqual(len(self.rules(group)), 5)
        egress = [r["SecurityGroupRuleId"] for r in self.rules(group) if r["IsEgress"]]
        self.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=egress)
        self.ec2.authorize_security_group_egress(
            GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        )
        self.assertEqual([r["CidrIpv4"] for r in self.rules(group) if r["IsEgress"]], ["0.0.0.0/0"])

    def test_a_call_adds_all_rules_or_none(self) -> None:
        group = self.default_group()
        one = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[one])
        two = one | {"FromPort": 81, "ToPort": 81}
        self.fails(
            "InvalidPermission.Duplicate",
            self.ec2.authorize_security_group_ingress,
            GroupId=group,
            IpPermissions=[two, one],
        )
        self.assertEqual([r["FromPort"] for r in self.rules(group)], [-1, 80, -1])

    def test_rules_are_stored_in_the_form_of_aws(self) -> None:
        group = self.default_group()

        def stored(permission: dict[str, Any]) -> tuple[Any, ...]:
            made = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
            rule = made["SecurityGroupRules"][0]
            return (rule["IpProtocol"], rule["FromPort"], rule["ToPort"], rule.get("CidrIpv4") or rule["CidrIpv6"])

        v4, v6 = [{"CidrIp": "100.68.0.18/18"}], [{"CidrIpv6": "2001:0DB8:0:0::1/32"}]
        for permission, expected in (
            ({"IpProtocol": "6", "FromPort": 1, "ToPort": 2, "IpRanges": v4}, ("tcp", 1, 2, "100.68.0.0/18")),
            ({"IpProtocol": "58", "Ipv6Ranges": v6}, ("icmpv6", -1, -1, "2001:db8::/32")),
            ({"IpProtocol": "50", "FromPort": 1, "ToPort": 2, "IpRanges": v4}, ("50", -1, -1, "100.68.0.0/18")),
            ({"IpProtocol": "icmp", "FromPort": 0, "ToPort": -1, "IpRanges": v4}, ("icmp", 0, -1, "100.68.0.0/18")),
            ({"IpProtocol": "all", "IpRanges": v4}, ("-1", -1, -1, "100.68.0.0/18")),
        ):
            self.assertEqual(stored(permission), expected)
        same = {"FromPort": 1, "ToPort": 2, "IpRanges": [{"CidrIp": "100.68.0.0/18", "Description": "another"}]}
        for protocol in ("tcp", "6"):
            self.fails(
                "InvalidPermission.Duplicate",
                self.ec2.authorize_security_group_ingress,
                GroupId=group,
                IpPermissions=[same | {"IpProtocol": protocol}],
            )

    def test_what_aws_refuses(self) -> None:
        group, ranges = self.default_group(), {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        tcp = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}

        def pair(**peer: str) -> dict[str, Any]:
            return tcp | {"UserIdGroupPairs": [peer]}

        for code, permission in (
            ("InvalidParameterValue", {"IpProtocol": "tcp"} | ranges),
            ("InvalidParameterValue", {"IpProtocol": "icmp"} | ranges),
            ("InvalidParameterValue", {"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80} | ranges),
            ("InvalidParameterValue", {"IpProtocol": "tcp", "FromPort": -1, "ToPort": -1} | ranges),
            ("InvalidParameterValue", {"IpProtocol": "icmp", "FromPort": -1, "ToPort": 3} | ranges),
            ("InvalidParameterValue", {"IpProtocol": "esp"} | ranges),
            ("InvalidParameterValue", tcp | {"IpRanges": [{"CidrIp": "10.0.0.0/33"}]}),
            ("InvalidParameterValue", tcp | {"IpRanges": [{"CidrIp": "10.0.0.1"}]}),
            ("InvalidParameterValue", tcp | {"IpRanges": [{"CidrIp": "::/0"}]}),
            ("InvalidParameterValue", tcp | {"Ipv6Ranges": [{"CidrIpv6": "fe80::1%eth0/64"}]}),
            ("InvalidParameterValue", tcp | {"IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.1.1.1/8"}]}),
            ("InvalidGroupId.Malformed", pair(GroupId=f"{self.account}/{group}")),
            ("InvalidGroup.NotFound", pair(GroupId="sg-0123456789abcdef0")),
            ("InvalidPrefixListID.Malformed", tcp | {"PrefixListIds": [{"PrefixListId": "pl-1"}]}),
            ("MissingParameter", tcp),
        ):
            for write in (self.ec2.authorize_security_group_ingress, self.ec2.authorize_security_group_egress):
                self.fails(code, write, GroupId=group, IpPermissions=[permission])
        self.fails(
            "InvalidGroupId.Malformed",
            self.ec2.authorize_security_group_ingress,
            GroupId="default",
            IpPermissions=[tcp | ranges],
        )
        self.assertEqual(len(self.rules(group)), 2)

    def test_sixty_rules_for_each_family(self) -> None:
        group = self.default_group()

        def add(first: int, count: int, **peer: Any) -> None:
            rules = [{"IpProtocol": "tcp", "FromPort": p, "ToPort": p} | peer for p in range(first, first + count)]
            self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)

        v4, v6 = {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]}, {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        # The group's own rule counts in both.
        add(1, 59, **v4)
        self.fails("RulesPerSecurityGroupLimitExceeded", lambda: add(100, 1, **v4))
        add(1, 58, **v6)
        self.fails("RulesPerSecurityGroupLimitExceeded", lambda: add(100, 2, **v6))
        self.fails(
            "RulesPerSecurityGroupLimitExceeded", lambda: add(100, 1, UserIdGroupPairs=[{"GroupId": group}])
        )

    def test_a_group_of_another_account_needs_its_account(self) -> None:
        group = self.default_group()
        theirs = client("ec2", "444455556666")
        peer = theirs.describe_security_groups()["SecurityGroups"][0]["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}

        def add(**pair: str) -> Any:
            permissions = [rule | {"UserIdGroupPairs": [pair]}]
            return self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=permissions)

        self.fails("InvalidGroup.NotFound", add, GroupId=peer)
        made = add(GroupId=peer, UserId="444455556666")["SecurityGroupRules"][0]
        self.assertEqual(made["ReferencedGroupInfo"], {"GroupId": peer, "UserId": "444455556666"})

    def test_a_revoke_that_matches_nothing(self) -> None:
        nothing = [{"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}]
        got = self.ec2.revoke_security_group_ingress(GroupId=self.default_group(), IpPermissions=nothing)
        self.assertEqual((got["Return"], got["UnknownIpPermissions"]), (True, nothing))
        vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        self.fails(
            "InvalidPermission.NotFound",
            self.ec2.revoke_security_group_ingress,
            GroupId=self.default_group(vpc),
            IpPermissions=nothing,
        )

    def test_a_revoke_finds_rules_by_their_meaning(self) -> None:
        group, port = self.default_group(), {"FromPort": 1, "ToPort": 1}
        ranges = {"IpRanges": [{"CidrIp": "100.68.0.0/18"}, {"CidrIp": "10.0.0.0/8"}]}
        rule = {"IpProtocol": "tcp"} | port | ranges
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        other = {"IpProtocol": "6"} | port | {"IpRanges": [{"CidrIp": "100.68.0.18/18"}, {"CidrIp": "10.9.0.0/16"}]}
        got = self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[other])
        self.assertEqual([one["CidrIpv4"] for one in got["RevokedSecurityGroupRules"]], ["100.68.0.0/18"])
        [unknown] = got["UnknownIpPermissions"]
        self.assertEqual(unknown["IpRanges"], [{"CidrIp": "10.9.0.0/16"}])
        wrong = {"IpProtocol": "tcp"} | port | {"IpRanges": [{"CidrIp": "10.0.0.300/8"}]}
        revoke = self.ec2.revoke_security_group_ingress
        self.fails("InvalidParameterValue", revoke, GroupId=group, IpPermissions=[wrong])
        self.fails("InvalidSecurityGroupRuleId.Malformed", revoke, GroupId=group, SecurityGroupRuleIds=["rule"])
        self.fails("MissingParameter", revoke, GroupId=group)
        self.fails("MissingParameter", self.ec2.authorize_security_group_ingress, GroupId=group)

    def test_a_rule_is_changed_in_the_form_of_aws(self) -> None:
        group = self.default_group()
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        made = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])["SecurityGroupRules"][0]
        change, name = self.ec2.modify_security_group_rules, made["SecurityGroupRuleId"]

        def to(**new: Any) -> dict[str, Any]:
            return {"GroupId": group, "SecurityGroupRules": [{"SecurityGroupRuleId": name, "SecurityGroupRule": new}]}

        change(**to(IpProtocol="58", CidrIpv6="2001:0DB8::1/32", Description="d"))
        [got] = self.ec2.describe_security_group_rules(SecurityGroupRuleIds=[name])["SecurityGroupRules"]
        told = (got["IpProtocol"], got["FromPort"], got["CidrIpv6"], got["Description"])
        self.assertEqual(told, ("icmpv6", -1, "2001:db8::/32", "d"))
        self.assertNotIn("CidrIpv4", got)
        tcp = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1}
        self.fails("InvalidParameterValue", change, **to(**tcp))
        self.fails("InvalidParameterValue", change, **to(**tcp, CidrIpv4="10.0.0.0/8", CidrIpv6="::/0"))
        self.fails("InvalidParameterValue", change, **to(**tcp, CidrIpv4="10.0.0.0/8", Description="ü"))
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        self.fails("InvalidPermission.Duplicate", change, **to(**tcp, CidrIpv4="10.1.2.3/8"))
        absent = {"SecurityGroupRuleId": "sgr-0123456789abcdef0", "SecurityGroupRule": tcp}
        self.fails("InvalidSecurityGroupRuleId.NotFound", change, GroupId=group, SecurityGroupRules=[absent])

    def test_a_group_that_a_rule_names_stays(self) -> None:
        one, two = (self.ec2.create_security_group(GroupName=name, Description="d")["GroupId"] for name in "ab")
        rule = [{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": two}]}]
        self.ec2.authorize_security_group_egress(GroupId=one, IpPermissions=rule)
        self.fails("DependencyViolation", self.ec2.delete_security_group, GroupId=two)
        self.fails("DependencyViolation", self.ec2.delete_security_group, GroupName="b")
        self.fails("MissingParameter", self.ec2.delete_security_group)
        self.ec2.revoke_security_group_egress(GroupId=one, IpPermissions=rule)
        self.ec2.delete_security_group(GroupName="b")

    def test_new_volumes_are_encrypted_by_default(self) -> None:
        volume = {"AvailabilityZone": "us-east-1a", "Size": 1}
        self.assertFalse(self.ec2.create_volume(**volume)["Encrypted"])
        self.ec2.enable_ebs_encryption_by_default()
        made = self.ec2.create_volume(**volume)
        usual = self.ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
        self.assertEqual((made["Encrypted"], made["KmsKeyId"]), (True, usual))
        key = self.client("kms").create_key()["KeyMetadata"]["Arn"]
        self.ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
        self.assertEqual(self.ec2.create_volume(**volume)["KmsKeyId"], key)

    def test_default_groups_stay_and_interfaces_use_them(self) -> None:
        group = self.default_group()
        self.fails("CannotDelete", self.ec2.delete_security_group, GroupId=group)
        subnet = self.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
        self.ec2.create_network_interface(SubnetId=subnet)
        got = self.ec2.describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])[
            "NetworkInterfaces"
        ]
        self.assertEqual([i["Groups"] for i in got], [[{"GroupId": group, "GroupName": "default"}]])

    def test_page_sizes_of_aws(self) -> None:
        self.fails("InvalidParameterValue", self.ec2.describe_vpcs, MaxResults=4)
        self.ec2.describe_security_group_rules(MaxResults=1000)


class EbsEncryption(AccountTest):
    def test_default_and_key(self) -> None:
        ec2 = self.client("ec2", "eu-west-1")
        self.assertFalse(ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])
        own = ec2.get_ebs_default_kms_key_id()["KmsKeyId"]
        managed = self.client("kms", "eu-west-1").describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        self.assertEqual((own, managed["KeyManager"]), (managed["Arn"], "AWS"))
        ec2.enable_ebs_encryption_by_default()
        self.assertEqual(ec2.get_ebs_encryption_by_default()["SseType"], "sse-ebs")
        key = f"arn:aws:kms:eu-west-1:{self.account}:key/11111111-2222-3333-4444-555555555555"
        self.assertEqual(ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)["KmsKeyId"], key)
        self.assertEqual(ec2.get_ebs_default_kms_key_id()["KmsKeyId"], key)
        self.assertIn(":us-east-1:", self.client("ec2", "us-east-1").get_ebs_default_kms_key_id()["KmsKeyId"])
        self.assertEqual(ec2.reset_ebs_default_kms_key_id()["KmsKeyId"], own)
        self.assertEqual(ec2.modify_ebs_default_kms_key_id(KmsKeyId="alias/aws/ebs")["KmsKeyId"], own)
        self.assertEqual(ec2.get_ebs_default_kms_key_id()["KmsKeyId"], own)
        ec2.disable_ebs_encryption_by_default()
        self.assertFalse(ec2.get_ebs_encryption_by_default()["EbsEncryptionByDefault"])


class SnapshotSharing(AccountTest):
    def test_state_of_each_region(self) -> None:
        ec2 = self.client("ec2", "eu-west-1")
        shown = ec2.get_snapshot_block_public_access_state()
        self.assertEqual((shown["State"], shown["ManagedBy"]), ("unblocked", "account"))
        for state in ("block-all-sharing", "block-new-sharing"):
            self.assertEqual(ec2.enable_snapshot_block_public_access(State=state)["State"], state)
            self.assertEqual(ec2.get_snapshot_block_public_access_state()["State"], state)
        elsewhere = self.client("ec2", "us-east-1").get_snapshot_block_public_access_state()
        self.assertEqual(elsewhere["State"], "unblocked")
        self.fails("InvalidParameterValue", ec2.enable_snapshot_block_public_access, State="unblocked")
        self.assertEqual(ec2.disable_snapshot_block_public_access()["State"], "unblocked")
        self.assertEqual(ec2.get_snapshot_block_public_access_state()["State"], "unblocked")


if __name__ == "__main__":
    unittest.main()
