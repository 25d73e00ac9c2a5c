"""Resource Groups Tagging, over the wire."""

import json
import unittest
from typing import Any

from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, client, control


class Tagging(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.tagging = self.client("resourcegroupstaggingapi")

    def found(self, **params: Any) -> dict[str, dict[str, str]]:
        pages = self.tagging.get_paginator("get_resources").paginate(**params)
        rows = [row for page in pages for row in page["ResourceTagMappingList"]]
        return {row["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in row["Tags"]} for row in rows}

    def arns(self) -> dict[str, str]:
        """Something of every service that keeps tags, by the namespace of its ARN."""
        here = f"arn:aws:{{}}:us-east-1:{self.account}"
        self.client("sqs").create_queue(QueueName="q")
        self.client("s3").create_bucket(Bucket=f"tagged-{self.account}")
        self.client("logs").create_log_group(logGroupName="/a/b")
        self.client("ssm").put_parameter(Name="/a/b", Value="x", Type="String")
        self.client("dynamodb").create_table(
            TableName="tbl",
            KeySchema=[{"AttributeName": "k", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "k", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.client("s3").create_bucket(Bucket=f"trail-{self.account}")
        allowed = {
            "Effect": "Allow",
            "Principal": {"Service": "cloudtrail.amazonaws.com"},
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::trail-{self.account}", f"arn:aws:s3:::trail-{self.account}/*"],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        self.client("s3").put_bucket_policy(Bucket=f"trail-{self.account}", Policy=policy)
        trail = self.client("cloudtrail").create_trail(Name="all", S3BucketName=f"trail-{self.account}")
        self.client("securityhub").enable_security_hub(EnableDefaultStandards=False)
        volume = self.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        detector = self.client("guardduty").create_detector(Enable=True)["DetectorId"]
        role = f"arn:aws:iam::{self.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        recorder = {"name": "default", "roleARN": role}
        self.client("config").put_configuration_recorder(ConfigurationRecorder=recorder)
        [recorder] = self.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
        return {
            "access-analyzer": self.client("accessanalyzer").create_analyzer(analyzerName="a", type="ACCOUNT")["arn"],
            "cloudtrail": trail["TrailARN"],
            "config": recorder["arn"],
            "dynamodb": f"{here.format('dynamodb')}:table/tbl",
            "ecr": self.client("ecr").create_repository(repositoryName="repo")["repository"]["repositoryArn"],
            "ec2": f"{here.format('ec2')}:volume/{volume}",
            "es": self.client("opensearch").create_domain(DomainName="domain")["DomainStatus"]["ARN"],
            "events": self.client("events").put_rule(Name="r", ScheduleExpression="rate(1 day)")["RuleArn"],
            "guardduty": f"{here.format('guardduty')}:detector/{detector}",
            "kms": self.client("kms").create_key()["KeyMetadata"]["Arn"],
            "logs": f"{here.format('logs')}:log-group:/a/b",
            "s3": f"arn:aws:s3:::tagged-{self.account}",
            "secretsmanager": self.client("secretsmanager").create_secret(Name="s", SecretString="x")["ARN"],
            "securityhub": f"{here.format('securityhub')}:hub/default",
            "sns": self.client("sns").create_topic(Name="t")["TopicArn"],
            "sqs": f"{here.format('sqs')}:q",
            "ssm": f"{here.format('ssm')}:parameter/a/b",
        }

    def test_what_any_service_keeps_is_tagged_found_and_untagged(self) -> None:
        arns = self.arns()
        done = self.tagging.tag_resources(ResourceARNList=list(arns.values()), Tags={"a": "1", "b": "2"})
        self.assertEqual(done["FailedResourcesMap"], {})
        found = self.found(TagFilters=[{"Key": "a", "Values": ["1"]}])
        self.assertEqual(set(found), set(arns.values()))
        self.assertEqual(found[arns["sqs"]], {"a": "1", "b": "2"})
        url = self.client("sqs").get_queue_url(QueueName="q")["QueueUrl"]
        self.assertEqual(self.client("sqs").list_queue_tags(QueueUrl=url)["Tags"], {"a": "1", "b": "2"})
        for namespace, arn in arns.items():
            with self.subTest(namespace):
                self.assertEqual(list(self.found(ResourceTypeFilters=[namespace], TagFilters=[{"Key": "a"}])), [arn])
        self.assertEqual(self.tagging.get_tag_keys()["TagKeys"], ["a", "b"])
        self.assertEqual(self.tagging.get_tag_values(Key="a")["TagValues"], ["1"])
        gone = self.tagging.untag_resources(ResourceARNList=list(arns.values()), TagKeys=["a", "none"])
        self.assertEqual(gone["FailedResourcesMap"], {})
        self.assertEqual(self.found(TagFilters=[{"Key": "a"}]), {})
        self.assertEqual(len(self.found(TagFilters=[{"Key": "b"}])), len(arns))

    def test_what_fails_is_told_beside_what_goes_through(self) -> None:
        url = self.client("sqs").create_queue(QueueName="q")["QueueUrl"]
        here = f"us-east-1:{self.account}"
        good, absent, bucket = f"arn:aws:sqs:{here}:q", f"arn:aws:sqs:{here}:none", "arn:aws:s3:::none-such-bucket"
        elsewhere = f"arn:aws:sqs:eu-west-1:{self.account}:q"
        unknown = f"arn:aws:nosuch:{here}:thing/x"
        asked = [good, absent, bucket, elsewhere, unknown]
        failed = self.tagging.tag_resources(ResourceARNList=asked, Tags={"a": "1"})["FailedResourcesMap"]
        codes = {arn: one["ErrorCode"] for arn, one in failed.items()}
        self.assertEqual(
            codes,
            {
                absent: "AWS.SimpleQueueService.NonExistentQueue",
                bucket: "NoSuchBucket",
                elsewhere: "InvalidParameterException",
                unknown: "InternalServiceException",
            },
        )
        self.assertEqual(failed[bucket]["StatusCode"], 404)
        self.assertEqual(self.client("sqs").list_queue_tags(QueueUrl=url)["Tags"], {"a": "1"})
        for wrong in ("q", "arn:aws-cn:sqs:cn-north-1:1:q"):
            self.fails("InvalidParameterException", self.tagging.tag_resources, ResourceARNList=[wrong], Tags={"a": ""})
        reserved = {"aws:a": "1"}
        self.fails("InvalidParameterException", self.tagging.tag_resources, ResourceARNList=[good], Tags=reserved)

    def test_the_services_own_permission_is_needed_too(self) -> None:
        self.client("sqs").create_queue(QueueName="q")
        statement = {"Effect": "Allow", "Action": ["tag:*", "sqs:GetQueueUrl"], "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": [statement]}
        control("POST", f"policy?account={self.account}", document)
        arn = f"arn:aws:sqs:us-east-1:{self.account}:q"
        failed = self.tagging.tag_resources(ResourceARNList=[arn], Tags={"a": "1"})["FailedResourcesMap"]
        self.assertIn("sqs:tagqueue", failed[arn]["ErrorMessage"])

    def test_resources_that_once_had_tags_stay_listed(self) -> None:
        url = self.client("sqs").create_queue(QueueName="q", tags={"a": "1"})["QueueUrl"]
        self.client("sqs").create_queue(QueueName="never")
        arn = f"arn:aws:sqs:us-east-1:{self.account}:q"
        self.assertEqual(self.found(), {arn: {"a": "1"}})
        self.client("sqs").untag_queue(QueueUrl=url, TagKeys=["a"])
        self.assertEqual(self.found(), {arn: {}})
        self.assertEqual(self.found(TagFilters=[{"Key": "a"}]), {})
        self.client("sqs").delete_queue(QueueUrl=url)
        self.assertEqual(self.found(), {})

    def test_buckets_are_listed_in_their_own_region(self) -> None:
        other = self.client("s3", "eu-west-1")
        name = f"elsewhere-{self.account}"
        other.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        other.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
        self.assertEqual(self.found(), {})
        there = self.client("resourcegroupstaggingapi", "eu-west-1").get_resources()["ResourceTagMappingList"]
        self.assertEqual([one["ResourceARN"] for one in there], [f"arn:aws:s3:::{name}"])

    def test_arguments_that_exclude_each_other_and_pages(self) -> None:
        arns = [f"arn:aws:sqs:us-east-1:{self.account}:q{number}" for number in range(3)]
        for number in range(3):
            tags = {f"key-{one}": "v" for one in range(40)}
            self.client("sqs").create_queue(QueueName=f"q{number}", tags=tags)
        self.assertEqual(set(self.found(ResourceARNList=[arns[0], arns[0] + "x"])), {arns[0]})
        for more in (
            {"ResourceTypeFilters": ["sqs"]},
            {"TagFilters": [{"Key": "a"}]},
            {"ResourcesPerPage": 10},
        ):
            self.fails("InvalidParameterException", self.tagging.get_resources, ResourceARNList=arns, **more)
        for wrong in ({"TagsPerPage": 99}, {"ResourcesPerPage": 101}, {"ExcludeCompliantResources": True}):
            self.fails("InvalidParameterException", self.tagging.get_resources, **wrong)
        first = self.tagging.get_resources(TagsPerPage=100)
        self.assertEqual(len(first["ResourceTagMappingList"]), 2, "80 of 100 tags: resources are not split")
        token = first["PaginationToken"]
        rest = self.tagging.get_resources(TagsPerPage=100, PaginationToken=token)
        self.assertEqual((len(rest["ResourceTagMappingList"]), rest["PaginationToken"]), (1, ""))
        self.fails("PaginationTokenExpiredException", self.tagging.get_resources, PaginationToken="nonsense")


class OfAnOrganization(OrganizationTest):
    def test_required_tags_and_the_summary(self) -> None:
        tagging = self.client("resourcegroupstaggingapi")
        self.assertEqual(tagging.list_required_tags()["RequiredTags"], [])
        self.fails("ConstraintViolationException", tagging.get_compliance_summary)
        organizations = self.client("organizations")
        organizations.enable_aws_service_access(ServicePrincipal="tagpolicies.tag.amazonaws.com")
        [root] = organizations.list_roots()["Roots"]
        organizations.enable_policy_type(RootId=root["Id"], PolicyType="TAG_POLICY")
        self.fails("ConstraintViolationException", tagging.get_compliance_summary)
        node = {"tag_key": {"@@assign": "CostCenter"}, "report_required_tag_for": {"@@assign": ["ec2:instance"]}}
        made = organizations.create_policy(
            Name="tags", Description="", Type="TAG_POLICY", Content=json.dumps({"tags": {"costcenter": node}})
        )
        organizations.attach_policy(PolicyId=made["Policy"]["PolicySummary"]["Id"], TargetId=root["Id"])
        wanted = [{"ResourceType": "ec2:instance", "ReportingTagKeys": ["CostCenter"]}]
        self.assertEqual(tagging.list_required_tags()["RequiredTags"], wanted)
        self.assertEqual(tagging.get_compliance_summary()["SummaryList"], [])
        self.fails("ConstraintViolationException", client("resourcegroupstaggingapi", self.member).get_compliance_summary)
        elsewhere = client("resourcegroupstaggingapi", self.account, "eu-west-1")
        self.fails("ConstraintViolationException", elsewhere.get_compliance_summary)

    def test_what_does_not_comply_is_told_and_counted(self) -> None:
        self.trust("tagpolicies.tag.amazonaws.com")
        node = {
            "tag_key": {"@@assign": "Stage"},
            "tag_value": {"@@assign": ["prod", "test-*"]},
            "report_required_tag_for": {"@@assign": ["sqs:queue"]},
        }
        self.policy("TAG_POLICY", {"tags": {"stage": node}}, self.root_id)
        sent = {"good": {"Stage": "prod"}, "like": {"Stage": "test-1"}, "case": {"stage": "prod"}, "none": {"a": "b"}}
        sqs, other = client("sqs", self.member), client("sqs", self.member, "eu-west-1")
        for name, tags in (sent | {"value": {"Stage": "dev"}}).items():
            sqs.create_queue(QueueName=name, tags=tags)
        other.create_queue(QueueName="elsewhere", tags={"Stage": "dev"})
        tagging = client("resourcegroupstaggingapi", self.member)
        told = {
            one["ResourceARN"].rpartition(":")[2]: one["ComplianceDetails"]
            for one in tagging.get_resources(IncludeComplianceDetails=True)["ResourceTagMappingList"]
        }
        self.assertEqual({name for name, one in told.items() if one["ComplianceStatus"]}, {"good", "like"})
        self.assertEqual((told["case"]["NoncompliantKeys"], told["value"]["NoncompliantKeys"]), (["stage"], []))
        self.assertEqual(told["value"]["KeysWithNoncompliantValues"], ["Stage"])
        self.assertEqual(told["none"]["MissingTagKeys"], ["Stage"])
        bad = tagging.get_resources(IncludeComplianceDetails=True, ExcludeCompliantResources=True)
        self.assertEqual(len(bad["ResourceTagMappingList"]), 3)
        summary = self.client("resourcegroupstaggingapi").get_compliance_summary
        [whole] = summary()["SummaryList"]
        shown = (whole["TargetId"], whole["TargetIdType"], whole["NonCompliantResources"])
        self.assertEqual(shown, (self.root_id, "ROOT", 4))
        rows = summary(GroupBy=["TARGET_ID", "REGION"])["SummaryList"]
        places = [(one["TargetId"], one["Region"]) for one in rows]
        self.assertEqual(places, [(self.member, "eu-west-1"), (self.member, "us-east-1")])
        self.assertEqual([one["NonCompliantResources"] for one in rows], [1, 3])
        self.assertEqual({one["TargetIdType"] for one in rows}, {"ACCOUNT"})
        self.assertEqual(summary(TargetIdFilters=[self.account])["SummaryList"], [])
        self.assertEqual(summary(RegionFilters=["eu-west-1"])["SummaryList"][0]["NonCompliantResources"], 1)
        self.assertEqual(summary(TagKeyFilters=["a"])["SummaryList"][0]["NonCompliantResources"], 1)
        first = summary(GroupBy=["REGION"], MaxResults=1)
        rest = summary(GroupBy=["REGION"], MaxResults=1, PaginationToken=first["PaginationToken"])
        self.assertEqual((len(rest["SummaryList"]), rest["PaginationToken"]), (1, ""))


if __name__ == "__main__":
    unittest.main()
