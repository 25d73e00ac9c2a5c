"""Reads that lag behind writes, and answers with HTTP 200 in which some entries failed."""

import json
import unittest
from typing import Any

from moto.core.utils import get_service_model

from emulator import shapes
from emulator.answers import AwsError
from emulator.partial import PARTIAL, _filled
from emulator.testing import AccountTest, control

ASSUME = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [ASSUME]})


class LagTest(AccountTest):
    def lag(self, service: str, operation: str, calls: int, **more: Any) -> None:
        rule = {"service": service, "operation": operation, "calls": calls, "account": self.account}
        control("POST", "lag", rule | more)
        self.addCleanup(control, "DELETE", f"lag?account={self.account}")

    def test_what_was_just_made_is_not_found(self) -> None:
        iam = self.client("iam")
        self.lag("iam", "GetRole", 2)
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        for _ in range(2):
            error = self.fails("NoSuchEntity", iam.get_role, RoleName="r")
            self.assertIn("r", str(error))
        self.assertEqual(iam.get_role(RoleName="r")["Role"]["RoleName"], "r")
        self.assertEqual(control("GET", f"lag?account={self.account}")[0]["hits"], 2)

    def test_what_was_just_made_by_an_id_of_aws_is_not_found(self) -> None:
        kms = self.client("kms")
        self.lag("kms", "DescribeKey", 1)
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        self.fails("NotFoundException", kms.describe_key, KeyId=key)
        self.assertEqual(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyId"], key)

    def test_an_id_that_the_read_need_not_give_counts_too(self) -> None:
        iam = self.client("iam")
        self.lag("iam", "GetUser", 2)
        iam.create_user(UserName="u")
        for _ in range(2):
            self.assertIn("u", str(self.fails("NoSuchEntity", iam.get_user, UserName="u")))
        self.assertEqual(iam.get_user(UserName="u")["User"]["UserName"], "u")
        self.assertEqual(control("GET", f"lag?account={self.account}")[0]["hits"], 2)

    def test_ids_in_a_list(self) -> None:
        config = self.client("config")
        self.lag("config", "DescribeConfigurationAggregators", 1)
        source = {"AccountIds": [self.account], "AllAwsRegions": True}
        config.put_configuration_aggregator(ConfigurationAggregatorName="a", AccountAggregationSources=[source])
        names = {"ConfigurationAggregatorNames": ["a"]}
        self.fails("NoSuchConfigurationAggregatorException", config.describe_configuration_aggregators, **names)
        self.assertEqual(len(config.describe_configuration_aggregators(**names)["ConfigurationAggregators"]), 1)

    def test_a_read_that_asks_for_more_is_refused_as_well(self) -> None:
        ssm = self.client("ssm")
        self.lag("ssm", "GetParameter", 1)
        ssm.put_parameter(Name="p", Value="v", Type="String")
        self.fails("ParameterNotFound", ssm.get_parameter, Name="p", WithDecryption=True)
        self.assertEqual(ssm.get_parameter(Name="p", WithDecryption=True)["Parameter"]["Value"], "v")

    def test_a_read_is_answered_as_before_the_write(self) -> None:
        iam = self.client("iam")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="old")
        self.lag("iam", "GetRole", 1)
        iam.update_role(RoleName="r", Description="middle")
        iam.get_role(RoleName="r")
        iam.update_role(RoleName="r", Description="new")
        told = [iam.get_role(RoleName="r")["Role"]["Description"] for _ in range(2)]
        self.assertEqual(told, ["middle", "new"])

    def test_lists_that_were_read_lag_too(self) -> None:
        iam = self.client("iam")
        self.lag("iam", "*", 1)
        before = len(iam.list_users()["Users"])
        iam.create_user(UserName="u")
        self.assertEqual([len(iam.list_users()["Users"]) - before for _ in range(2)], [0, 1])

    def test_answers_flip(self) -> None:
        iam = self.client("iam")
        iam.create_role(RoleName="r", AssumeRolePolicyDocument=TRUST, Description="old")
        self.lag("iam", "GetRole", 4, flips=True)
        iam.update_role(RoleName="r", Description="new")
        told = [iam.get_role(RoleName="r")["Role"]["Description"] for _ in range(5)]
        self.assertEqual(told, ["old", "new", "old", "new", "new"])

    def test_a_refused_write_changes_nothing(self) -> None:
        iam = self.client("iam")
        self.lag("iam", "GetRole", 2)
        self.fails("NoSuchEntity", iam.update_role, RoleName="r", Description="x")
        self.assertEqual(control("GET", f"lag?account={self.account}")[0]["hits"], 0)

    def test_regions_and_services_are_apart(self) -> None:
        logs, far = self.client("logs"), self.client("logs", "eu-west-1")
        self.lag("logs", "DescribeLogGroups", 1)
        for one in (logs, far):
            one.describe_log_groups()
        logs.create_log_group(logGroupName="g")
        far.create_log_group(logGroupName="g")
        self.assertEqual(len(logs.describe_log_groups()["logGroups"]), 0)
        self.assertEqual(len(far.describe_log_groups()["logGroups"]), 0)
        self.assertEqual(len(far.describe_log_groups()["logGroups"]), 1)


class PartialTest(AccountTest):
    def partial(self, service: str, operation: str, **more: Any) -> None:
        rule = {"kind": "partial", "service": service, "operation": operation, "account": self.account, "count": 1}
        control("POST", "faults", rule | more)

    def test_every_row_fits_the_api_model(self) -> None:
        for (service, operation), row in PARTIAL.items():
            with self.subTest(f"{service}.{operation}"):
                model = get_service_model(service).operation_model(operation)
                items, failed = model.input_shape, model.output_shape.members[row.failed]
                for name in row.items.split("."):
                    items = items.members[name]
                if row.count:
                    self.assertIn(row.count, model.output_shape.members)
                if row.name:
                    self.assertIn(row.name, items.member.members)
                if "{item}" in json.dumps(row.entry):
                    continue
                item = {row.name: "111122223333"} if row.name else "111122223333"
                entry = _filled(row.entry, row, item, AwsError(row.code, "why"))
                shape = failed.value if row.keyed else failed.member
                self.assertEqual(shapes.violations(entry, shape), [])

    def test_targets(self) -> None:
        events = self.client("events")
        events.put_rule(Name="r", EventPattern='{"source": ["x"]}')
        self.partial("events", "PutTargets", entries=["b"])
        targets = [{"Id": one, "Arn": f"arn:aws:sqs:us-east-1:{self.account}:{one}"} for one in ("a", "b", "c")]
        answer = events.put_targets(Rule="r", Targets=targets)
        self.assertEqual(answer["FailedEntryCount"], 1)
        self.assertEqual(answer["FailedEntries"][0]["TargetId"], "b")
        self.assertEqual(answer["FailedEntries"][0]["ErrorCode"], "ConcurrentModificationException")
        self.assertEqual([t["Id"] for t in events.list_targets_by_rule(Rule="r")["Targets"]], ["a", "c"])

    def test_all_of_it(self) -> None:
        events = self.client("events")
        events.put_rule(Name="r", EventPattern='{"source": ["x"]}')
        self.partial("events", "PutTargets", code="X", message="told so")
        target = {"Id": "a", "Arn": f"arn:aws:sqs:us-east-1:{self.account}:a"}
        answer = events.put_targets(Rule="r", Targets=[target])
        self.assertEqual(answer["FailedEntries"], [{"TargetId": "a", "ErrorCode": "X", "ErrorMessage": "told so"}])
        self.assertEqual(events.list_targets_by_rule(Rule="r")["Targets"], [])
        self.assertEqual(self.calls()[1:3], ["events:PutTargets", "events:ListTargetsByRule"])

    def test_flow_logs(self) -> None:
        ec2 = self.client("ec2")
        first, second = (ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"] for _ in range(2))
        self.partial("ec2", "CreateFlowLogs", entries=[second])
        self.client("s3").create_bucket(Bucket=f"flow-{self.account}")
        answer = ec2.create_flow_logs(
            ResourceIds=[first, second],
            ResourceType="VPC",
            TrafficType="ALL",
            LogDestinationType="s3",
            LogDestination=f"arn:aws:s3:::flow-{self.account}",
        )
        self.assertEqual(len(answer["FlowLogIds"]), 1)
        self.assertEqual([row["ResourceId"] for row in answer["Unsuccessful"]], [second])
        self.assertEqual([f["ResourceId"] for f in ec2.describe_flow_logs()["FlowLogs"]], [first])

    def test_tags(self) -> None:
        arns = [self.client("sns").create_topic(Name=name)["TopicArn"] for name in ("a", "b")]
        self.partial("resourcegroupstaggingapi", "TagResources", entries=[arns[1]])
        answer = self.client("resourcegroupstaggingapi").tag_resources(ResourceARNList=arns, Tags={"k": "v"})
        self.assertEqual(answer["FailedResourcesMap"][arns[1]]["ErrorCode"], "InvalidParameterException")
        self.assertEqual(self.client("sns").list_tags_for_resource(ResourceArn=arns[1])["Tags"], [])

    def test_events_stay_in_order(self) -> None:
        self.partial("events", "PutEvents", entries=["bad"])
        entries = [{"Source": "x", "DetailType": kind, "Detail": "{}"} for kind in ("good", "bad", "fine")]
        answer = self.client("events").put_events(Entries=entries)
        self.assertEqual([entry.get("ErrorCode") for entry in answer["Entries"]], [None, "InternalFailure", None])
        self.assertEqual(answer["FailedEntryCount"], 1)

    def test_an_operation_that_cannot_fail_in_part_is_refused(self) -> None:
        with self.assertRaises(Exception):
            self.partial("iam", "CreateRole")


if __name__ == "__main__":
    unittest.main()
