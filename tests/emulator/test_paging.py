"""Lists that moto has in one piece come in pages."""

import json

from emulator.testing import AccountTest


class Pages(AccountTest):
    def test_a_list_of_ec2_is_cut_when_it_is_asked_for(self) -> None:
        ec2 = self.client("ec2")
        for number in range(6):
            ec2.create_vpc(CidrBlock=f"10.{number}.0.0/16")
        every = [one["VpcId"] for one in ec2.describe_vpcs()["Vpcs"]]
        first = ec2.describe_vpcs(MaxResults=5)
        second = ec2.describe_vpcs(MaxResults=5, NextToken=first["NextToken"])
        self.assertEqual([one["VpcId"] for page in (first, second) for one in page["Vpcs"]], every)
        self.assertEqual((len(first["Vpcs"]), "NextToken" in second), (5, False))
        self.assertEqual(self.calls()[-1], "ec2:DescribeVpcs")

    def test_lists_of_iam_have_a_hundred(self) -> None:
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=document)
        allow = {"Effect": "Allow", "Action": "a:B", "Resource": "*"}
        small = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        names = [f"p{number:03}" for number in range(101)]
        for name in names:
            iam.put_role_policy(RoleName="r", PolicyName=name, PolicyDocument=small)
        first = iam.list_role_policies(RoleName="r")
        self.assertEqual((len(first["PolicyNames"]), first["IsTruncated"]), (100, True))
        second = iam.list_role_policies(RoleName="r", Marker=first["Marker"])
        self.assertEqual((second["PolicyNames"], second["IsTruncated"]), (names[100:], False))
        few = iam.list_role_policies(RoleName="r", MaxItems=3)
        self.assertEqual((few["PolicyNames"], few["IsTruncated"]), (names[:3], True))
