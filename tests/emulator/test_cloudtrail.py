"""CloudTrail: trails, logging, selectors, insights, tags, and what it verifies at a write."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest, client, control

DEFAULT = {
    "ReadWriteType": "All",
    "IncludeManagementEvents": True,
    "DataResources": [],
    "ExcludeManagementEventSources": [],
}


class Trails(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.trails = self.client("cloudtrail")
        self.bucket = f"trail-{self.account}"
        self.client("s3").create_bucket(Bucket=self.bucket)

    def allow(self) -> None:
        def statement(action: str, resource: str) -> dict[str, Any]:
            principal = {"Service": "cloudtrail.amazonaws.com"}
            return {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": f"arn:aws:s3:::{resource}"}

        policy = {
            "Version": "2012-10-17",
            "Statement": [
                statement("s3:GetBucketAcl", self.bucket),
                statement("s3:PutObject", f"{self.bucket}/AWSLogs/{self.account}/*"),
                statement("s3:PutObject", f"{self.bucket}/p/AWSLogs/{self.account}/*"),
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                },
            ],
        }
        self.client("s3").put_bucket_policy(Bucket=self.bucket, Policy=json.dumps(policy))

    def create(self, **more: Any) -> dict[str, Any]:
        self.allow()
        return self.trails.create_trail(Name="main", S3BucketName=self.bucket, **more)

    def trail(self) -> dict[str, Any]:
        return self.trails.describe_trails(trailNameList=["main"], includeShadowTrails=False)["trailList"][0]

    def test_create_describe_update_clear_delete(self) -> None:
        self.assertEqual(self.trails.describe_trails()["trailList"], [])
        self.fails(
            "S3BucketDoesNotExistException", self.trails.create_trail, Name="main", S3BucketName="no-such-bucket-x"
        )
        self.fails(
            "InsufficientS3BucketPolicyException", self.trails.create_trail, Name="main", S3BucketName=self.bucket
        )
        self.create()
        arn = f"arn:aws:cloudtrail:us-east-1:{self.account}:trail/main"
        self.assertEqual(
            self.trail(),
            {
                "Name": "main",
                "S3BucketName": self.bucket,
                "IncludeGlobalServiceEvents": True,
                "IsMultiRegionTrail": False,
                "HomeRegion": "us-east-1",
                "TrailARN": arn,
                "LogFileValidationEnabled": False,
                "HasCustomEventSelectors": False,
                "HasInsightSelectors": False,
                "IsOrganizationTrail": False,
            },
        )
        self.fails("TrailAlreadyExistsException", self.trails.create_trail, Name="main", S3BucketName=self.bucket)
        self.trails.update_trail(Name=arn, S3KeyPrefix="p", IsMultiRegionTrail=True, EnableLogFileValidation=True)
        got = self.trail()
        self.assertEqual(
            (got["S3KeyPrefix"], got["IsMultiRegionTrail"], got["LogFileValidationEnabled"]), ("p", True, True)
        )
        self.trails.update_trail(Name="main", S3KeyPrefix="")
        self.assertNotIn("S3KeyPrefix", self.trail())
        self.assertTrue(self.trail()["IsMultiRegionTrail"])
        self.fails(
            "InvalidParameterCombinationException",
            self.trails.update_trail,
            Name="main",
            IncludeGlobalServiceEvents=False,
        )
        self.trails.delete_trail(Name="main")
        self.fails("TrailNotFoundException", self.trails.get_trail_status, Name="main")

    def test_home_region_and_shadows(self) -> None:
        arn = self.create(IsMultiRegionTrail=True)["TrailARN"]
        away = self.client("cloudtrail", "eu-west-1")
        self.assertEqual([t["HomeRegion"] for t in away.describe_trails()["trailList"]], ["us-east-1"])
        self.assertEqual(away.describe_trails(includeShadowTrails=False)["trailList"], [])
        self.assertEqual(len(away.describe_trails(trailNameList=[arn])["trailList"]), 1)
        self.fails("InvalidHomeRegionException", away.update_trail, Name=arn, S3KeyPrefix="x")
        self.fails("InvalidHomeRegionException", away.stop_logging, Name="main")
        self.trails.update_trail(Name="main", IsMultiRegionTrail=False)
        self.assertEqual(away.describe_trails(trailNameList=["main"])["trailList"], [])
        self.fails("TrailNotFoundException", away.get_trail_status, Name="main")
        self.assertFalse(away.get_trail_status(Name=arn)["IsLogging"])
        self.assertEqual([t["TrailARN"] for t in away.list_trails()["Trails"]], [arn])

    def test_logging(self) -> None:
        self.create()
        self.assertFalse(self.trails.get_trail_status(Name="main")["IsLogging"])
        self.trails.start_logging(Name="main")
        got = self.trails.get_trail_status(Name="main")
        self.assertTrue(got["IsLogging"])
        self.assertIn("StartLoggingTime", got)
        self.trails.stop_logging(Name="main")
        self.assertFalse(self.trails.get_trail_status(Name="main")["IsLogging"])

    def test_event_selectors(self) -> None:
        self.create()
        self.assertEqual(self.trails.get_event_selectors(TrailName="main")["EventSelectors"], [DEFAULT])
        data = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}
        self.trails.put_event_selectors(
            TrailName="main", EventSelectors=[{"ReadWriteType": "WriteOnly", "DataResources": [data]}]
        )
        self.assertTrue(self.trail()["HasCustomEventSelectors"])
        fields = [{"Field": "eventCategory", "Equals": ["Management"]}, {"Field": "readOnly", "Equals": ["false"]}]
        advanced = [{"Name": "writes", "FieldSelectors": fields}]
        self.trails.put_event_selectors(TrailName="main", AdvancedEventSelectors=advanced)
        got = self.trails.get_event_selectors(TrailName="main")
        self.assertEqual((got["AdvancedEventSelectors"], "EventSelectors" in got), (advanced, False))
        self.trails.put_event_selectors(
            TrailName="main",
            EventSelectors=[{"ReadWriteType": "All", "IncludeManagementEvents": True, "DataResources": []}],
        )
        self.assertFalse(self.trail()["HasCustomEventSelectors"])
        self.fails(
            "InvalidEventSelectorsException", self.trails.put_event_selectors, TrailName="main", EventSelectors=[]
        )

    def test_selectors_that_cloudtrail_refuses(self) -> None:
        self.create()

        def put(**selectors: Any) -> Any:
            return self.trails.put_event_selectors(TrailName="main", **selectors)

        def data(kind: str, value: str) -> list[dict[str, Any]]:
            return [{"DataResources": [{"Type": kind, "Values": [value]}]}]

        for kind, value in (
            ("AWS::S3::Object", "arn:aws:s3:::one"),
            ("AWS::S3::Object", "arn:aws:s3:::*"),
            ("AWS::Lambda::Function", "arn:aws:lambda:*"),
            ("AWS::DynamoDB::Table", "arn:aws:s3"),
        ):
            self.fails("InvalidEventSelectorsException", put, EventSelectors=data(kind, value))
        for kind, value in (
            ("AWS::S3::Object", "arn:aws:s3"),
            ("AWS::S3::Object", "arn:aws:s3:::one/"),
            ("AWS::Lambda::Function", "arn:aws:lambda"),
            ("AWS::DynamoDB::Table", f"arn:aws:dynamodb:us-east-1:{self.account}:table/t"),
        ):
            put(EventSelectors=data(kind, value))
        self.fails(
            "InvalidEventSelectorsException",
            put,
            EventSelectors=[{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}],
        )
        management = {"Field": "eventCategory", "Equals": ["Management"]}
        for more in (
            [{"Field": "readOnly", "Equals": ["yes"]}],
            [{"Field": "eventName", "Equals": ["StopLogging"]}],
            [{"Field": "eventSource", "NotEquals": ["kms.*"]}],
        ):
            self.fails(
                "InvalidEventSelectorsException", put, AdvancedEventSelectors=[{"FieldSelectors": [management, *more]}]
            )
        self.fails(
            "InvalidEventSelectorsException",
            put,
            AdvancedEventSelectors=[{"FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}],
        )

    def test_a_bucket_that_takes_nothing_more_is_told(self) -> None:
        self.create()
        self.trails.start_logging(Name="main")
        self.assertNotIn("LatestDeliveryError", self.trails.get_trail_status(Name="main"))
        self.client("s3").delete_bucket_policy(Bucket=self.bucket)
        self.assertEqual(self.trails.get_trail_status(Name="main")["LatestDeliveryError"], "AccessDenied")
        self.client("s3").delete_bucket(Bucket=self.bucket)
        self.assertEqual(self.trails.get_trail_status(Name="main")["LatestDeliveryError"], "NoSuchBucket")

    def test_insights_are_replaced_and_switched_off(self) -> None:
        self.create()
        self.fails("InsightNotEnabledException", self.trails.get_insight_selectors, TrailName="main")
        for kind in ("ApiCallRateInsight", "ApiErrorRateInsight"):
            self.trails.put_insight_selectors(TrailName="main", InsightSelectors=[{"InsightType": kind}])
        got = self.trails.get_insight_selectors(TrailName="main")["InsightSelectors"]
        self.assertEqual(got, [{"InsightType": "ApiErrorRateInsight", "EventCategories": ["Management"]}])
        self.assertTrue(self.trail()["HasInsightSelectors"])
        self.trails.put_insight_selectors(TrailName="main", InsightSelectors=[])
        self.fails("InsightNotEnabledException", self.trails.get_insight_selectors, TrailName="main")

    def test_a_prefix_is_not_too_long(self) -> None:
        self.create()
        self.fails("InvalidS3PrefixException", self.trails.update_trail, Name="main", S3KeyPrefix="x" * 201)

    def test_event_configuration_and_tags(self) -> None:
        arn = self.create(TagsList=[{"Key": "a", "Value": "1"}])["TrailARN"]
        self.assertEqual(self.trails.get_event_configuration(TrailName="main")["TrailARN"], arn)
        templates = [{"Templates": ["API_ACTIVITY"], "EventCategory": "Data"}]
        self.trails.put_event_configuration(TrailName="main", AggregationConfigurations=templates)
        self.assertEqual(self.trails.get_event_configuration(TrailName="main")["AggregationConfigurations"], templates)
        self.trails.add_tags(ResourceId=arn, TagsList=[{"Key": "b", "Value": "2"}])
        self.trails.remove_tags(ResourceId=arn, TagsList=[{"Key": "a"}])
        self.assertEqual(
            self.trails.list_tags(ResourceIdList=[arn])["ResourceTagList"][0]["TagsList"], [{"Key": "b", "Value": "2"}]
        )
        self.fails("ResourceNotFoundException", self.trails.list_tags, ResourceIdList=[arn + "x"])

    def test_key_topic_and_log_group_are_verified(self) -> None:
        self.create()
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]
        kms.create_alias(AliasName="alias/trail", TargetKeyId=key["KeyId"])
        self.fails("KmsKeyNotFoundException", self.trails.update_trail, Name="main", KmsKeyId="alias/none")
        self.fails(
            "InsufficientEncryptionPolicyException", self.trails.update_trail, Name="main", KmsKeyId="alias/trail"
        )
        policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"])["Policy"])
        policy["Statement"].append(
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "kms:GenerateDataKey*",
                "Resource": "*",
            }
        )
        kms.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
        self.trails.update_trail(Name="main", KmsKeyId="alias/trail")
        self.assertEqual(self.trail()["KmsKeyId"], key["Arn"])
        self.trails.update_trail(Name="main", KmsKeyId="")
        self.assertNotIn("KmsKeyId", self.trail())
        self.fails("InsufficientSnsTopicPolicyException", self.trails.update_trail, Name="main", SnsTopicName="none")
        sns = self.client("sns")
        topic = sns.create_topic(Name="trail")["TopicArn"]
        named = {"Name": "main", "SnsTopicName": "trail"}
        error = self.fails("InsufficientSnsTopicPolicyException", self.trails.update_trail, **named)
        self.assertIn("SNS Topic does not exist or the topic policy is incorrect!", str(error))
        may = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "SNS:Publish"}
        for trail, refused in (("other", True), ("main", False)):
            source = {"aws:SourceArn": f"arn:aws:cloudtrail:us-east-1:{self.account}:trail/{trail}"}
            statement = may | {"Resource": topic, "Condition": {"StringEquals": source}}
            text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=text)
            if refused:
                self.fails("InsufficientSnsTopicPolicyException", self.trails.update_trail, **named)
        self.trails.update_trail(**named)
        self.assertEqual(self.trail()["SnsTopicARN"], topic)
        group = f"arn:aws:logs:us-east-1:{self.account}:log-group:trail:*"
        self.client("logs").create_log_group(logGroupName="trail")
        trust = {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
        role = self.client("iam").create_role(RoleName="trail", AssumeRolePolicyDocument=json.dumps(trust))["Role"][
            "Arn"
        ]
        self.fails(
            "InvalidParameterCombinationException",
            self.trails.update_trail,
            Name="main",
            CloudWatchLogsLogGroupArn=group,
        )
        self.trails.update_trail(Name="main", CloudWatchLogsLogGroupArn=group, CloudWatchLogsRoleArn=role)
        self.assertEqual(self.trail()["CloudWatchLogsRoleArn"], role)
        self.trails.update_trail(Name="main", CloudWatchLogsLogGroupArn="", CloudWatchLogsRoleArn="")
        self.assertNotIn("CloudWatchLogsLogGroupArn", self.trail())

    def test_an_organization_trail_is_seen_by_members_who_cannot_change_it(self) -> None:
        self.fails("OrganizationsNotInUseException", self.create, IsOrganizationTrail=True)
        organizations = self.client("organizations")
        organizations.create_organization(FeatureSet="ALL")
        member = organizations.create_account(Email="a@example.com", AccountName="m")["CreateAccountStatus"][
            "AccountId"
        ]
        self.fails("CloudTrailAccessNotEnabledException", self.create, IsOrganizationTrail=True)
        organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        both = {"IsOrganizationTrail": True, "IsMultiRegionTrail": True}
        self.fails("InsufficientS3BucketPolicyException", self.create, **both)
        folder = f"AWSLogs/{organizations.describe_organization()['Organization']['Id']}/*"
        self.lets(folder)
        arn = self.trails.create_trail(Name="main", S3BucketName=self.bucket, **both)["TrailARN"]
        theirs = client("cloudtrail", member, "eu-west-1")
        got = theirs.describe_trails()["trailList"]
        self.assertEqual([(t["TrailARN"], t["IsOrganizationTrail"]) for t in got], [(arn, True)])
        self.fails("NotOrganizationMasterAccountException", client("cloudtrail", member).stop_logging, Name=arn)
        # A delegated administrator may, and what it makes belongs to the management account.
        self.client("cloudtrail").register_organization_delegated_admin(MemberAccountId=member)
        client("cloudtrail", member).stop_logging(Name=arn)
        mine = {"Name": "second", "S3BucketName": self.bucket, "IsOrganizationTrail": True, "IsMultiRegionTrail": True}
        made = client("cloudtrail", member).create_trail(**mine)["TrailARN"]
        self.assertEqual(made.split(":")[4], self.account)

    def lets(self, folder: str, **condition: str) -> None:
        """CloudTrail may write there, and as these conditions have it."""
        usual = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}}
        conditions = {"StringEquals": condition} if condition else {}
        statements = [
            usual | {"Action": "s3:GetBucketAcl", "Resource": f"arn:aws:s3:::{self.bucket}"},
            usual
            | {"Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{self.bucket}/{folder}", "Condition": conditions},
        ]
        text = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.client("s3").put_bucket_policy(Bucket=self.bucket, Policy=text)

    def test_the_bucket_lets_this_trail_write_into_its_folder(self) -> None:
        arn = f"arn:aws:cloudtrail:us-east-1:{self.account}:trail/main"
        own = f"AWSLogs/{self.account}/*"
        acl, made = {"s3:x-amz-acl": "bucket-owner-full-control"}, {"Name": "main", "S3BucketName": self.bucket}
        for folder, condition in (
            ("AWSLogs/111122223333/*", {}),
            (f"logs/{own}", {}),
            (own, {"aws:SourceArn": f"{arn}x"}),
            (own, {"aws:SourceAccount": "111122223333"}),
        ):
            self.lets(folder, **condition)
            self.fails("InsufficientS3BucketPolicyException", self.trails.create_trail, **made)
        self.lets(own, **acl | {"aws:SourceArn": arn})
        self.trails.create_trail(**made)
        self.fails("InsufficientS3BucketPolicyException", self.trails.update_trail, Name="main", S3KeyPrefix="logs")
        self.lets(f"logs/{own}")
        self.trails.update_trail(Name="main", S3KeyPrefix="logs")
        self.fails("InsufficientS3BucketPolicyException", self.trails.update_trail, Name="main", S3KeyPrefix="")

    def test_an_organization_trail_can_be_put_into_an_account(self) -> None:
        arn = control("POST", f"organization_trail?account={self.account}&management=999900001111")["arn"]
        self.assertTrue(self.trails.get_trail_status(Name=arn)["IsLogging"])
        self.assertEqual([t["TrailARN"] for t in self.trails.describe_trails()["trailList"]], [arn])


if __name__ == "__main__":
    unittest.main()
