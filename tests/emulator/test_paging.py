"""Lists that moto has in one piece come in pages."""

import json

from botocore import xform_name

from emulator.testing import AccountTest, client

TOKENS = ("NextToken", "nextToken", "Marker", "ContinuationToken", "NextMarker")


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

    def test_what_vanishes_between_pages_moves_no_other_row(self) -> None:
        iam = self.client("iam")
        for number in range(5):
            iam.create_user(UserName=f"u{number}")
        first = iam.list_users(MaxItems=2)
        iam.delete_user(UserName="u0")
        second = iam.list_users(MaxItems=2, Marker=first["Marker"])
        iam.delete_user(UserName="u3")
        last = iam.list_users(MaxItems=2, Marker=second["Marker"])
        told = [[one["UserName"] for one in page["Users"]] for page in (first, second, last)]
        self.assertEqual(told, [["u0", "u1"], ["u2", "u3"], ["u4"]])
        self.assertEqual((second["IsTruncated"], last["IsTruncated"], "Marker" in last), (True, False, False))

    def test_a_token_that_no_page_gave_is_refused(self) -> None:
        self.client("organizations").create_organization(FeatureSet="ALL")
        for service, operation, code in (
            ("iam", "ListUsers", "ValidationError"),
            ("ec2", "DescribeVpcs", "InvalidNextToken"),
            ("events", "ListRules", "ValidationException"),
            ("logs", "DescribeLogGroups", "InvalidParameterException"),
            ("ssm", "DescribeParameters", "InvalidNextToken"),
            ("ssm", "ListDocuments", "InvalidNextToken"),
            ("kms", "ListKeys", "InvalidMarkerException"),
            ("sns", "ListTopics", "InvalidParameter"),
            ("sqs", "ListQueues", "InvalidParameterValue"),
            ("secretsmanager", "ListSecrets", "InvalidNextTokenException"),
            ("cloudwatch", "DescribeAlarms", "InvalidNextToken"),
            ("config", "DescribeConfigurationAggregators", "InvalidNextTokenException"),
            ("cloudtrail", "ListTrails", "ValidationException"),
            ("cloudtrail", "LookupEvents", "InvalidNextTokenException"),
            ("guardduty", "ListDetectors", "BadRequestException"),
            ("acm", "ListCertificates", "ValidationException"),
            ("backup", "ListBackupVaults", "InvalidParameterValueException"),
            ("s3", "ListBuckets", "InvalidArgument"),
            ("inspector2", "ListMembers", "ValidationException"),
            ("elbv2", "DescribeLoadBalancers", "ValidationError"),
            ("rds", "DescribeDBInstances", "ValidationError"),
            ("lambda", "ListFunctions", "InvalidParameterValueException"),
            ("ecr", "DescribeRepositories", "InvalidParameterException"),
            ("wafv2", "ListWebACLs", "WAFInvalidParameterException"),
            ("organizations", "ListRoots", "InvalidInputException"),
        ):
            with self.subTest(f"{service}.{operation}"):
                one = self.client(service)
                members = one.meta.service_model.operation_model(operation).input_shape.members
                token = next(name for name in TOKENS if name in members)
                more = {"Scope": "REGIONAL"} if service == "wafv2" else {}
                self.fails(code, getattr(one, xform_name(operation)), **{token: "Zm9yZ2VkLXRva2Vu"}, **more)

    def test_a_token_is_good_for_its_own_list_alone(self) -> None:
        iam = self.client("iam")
        for number in range(2):
            iam.create_user(UserName=f"u{number}")
        marker = iam.list_users(MaxItems=1)["Marker"]
        self.fails("ValidationError", iam.list_roles, Marker=marker)
        other = client("iam", str(int(self.account) + 500000))
        self.fails("ValidationError", other.list_users, Marker=marker)

    def test_tokens_of_moto_go_on(self) -> None:
        events = self.client("events")
        for number in range(3):
            events.put_rule(Name=f"r{number}", EventPattern='{"source": ["x"]}')
        first = events.list_rules(Limit=2)
        rest = events.list_rules(Limit=2, NextToken=first["NextToken"])
        self.assertEqual([one["Name"] for page in (first, rest) for one in page["Rules"]], ["r0", "r1", "r2"])
        pages = self.client("ssm").get_paginator("describe_parameters")
        for number in range(3):
            self.client("ssm").put_parameter(Name=f"p{number}", Value="v", Type="String")
        found = [one["Name"] for page in pages.paginate(MaxResults=1) for one in page["Parameters"]]
        self.assertEqual(found, ["p0", "p1", "p2"])
