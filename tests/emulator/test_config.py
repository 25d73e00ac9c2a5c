"""AWS Config: recorder, delivery channel, retention, in the only order that works."""

import json
import unittest

from emulator.testing import AccountTest, control


class Recorder(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.config = self.client("config")
        self.role = f"arn:aws:iam::{self.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"

    def put(self, name: str = "default", **more: object) -> None:
        self.config.put_configuration_recorder(ConfigurationRecorder={"name": name, "roleARN": self.role} | more)

    def bucket(self) -> str:
        name = f"config-{self.account}"
        self.client("s3").create_bucket(Bucket=name)
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "config.amazonaws.com"},
            "Action": "s3:PutObject",
            "Resource": [f"arn:aws:s3:::{name}/{start}AWSLogs/{self.account}/Config/*" for start in ("", "p/")],
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("s3").put_bucket_policy(Bucket=name, Policy=policy)
        return name

    def test_order_of_writes(self) -> None:
        config = self.config
        self.assertEqual(config.describe_configuration_recorders()["ConfigurationRecorders"], [])
        self.assertEqual(config.describe_delivery_channels()["DeliveryChannels"], [])
        channel = {"name": "default", "s3BucketName": self.bucket()}
        self.fails("NoAvailableConfigurationRecorderException", config.put_delivery_channel, DeliveryChannel=channel)
        self.put()
        self.fails(
            "NoAvailableDeliveryChannelException",
            config.start_configuration_recorder,
            ConfigurationRecorderName="default",
        )
        self.fails(
            "NoSuchBucketException",
            config.put_delivery_channel,
            DeliveryChannel=channel | {"s3BucketName": "none-at-all"},
        )
        config.put_delivery_channel(DeliveryChannel=channel)
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        config.start_configuration_recorder(ConfigurationRecorderName="default")
        status = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0]
        self.assertEqual((status["name"], status["recording"], status["lastStatus"]), ("default", True, "SUCCESS"))
        self.fails(
            "LastDeliveryChannelDeleteFailedException", config.delete_delivery_channel, DeliveryChannelName="default"
        )
        config.stop_configuration_recorder(ConfigurationRecorderName="default")
        config.delete_delivery_channel(DeliveryChannelName="default")
        config.delete_configuration_recorder(ConfigurationRecorderName="default")
        self.fails(
            "NoSuchConfigurationRecorderException",
            config.describe_configuration_recorders,
            ConfigurationRecorderNames=["default"],
        )

    def test_one_recorder_and_one_channel(self) -> None:
        self.put()
        self.fails("MaxNumberOfConfigurationRecordersExceededException", self.put, name="second")
        bucket = self.bucket()
        self.config.put_delivery_channel(DeliveryChannel={"name": "one", "s3BucketName": bucket})
        self.fails(
            "MaxNumberOfDeliveryChannelsExceededException",
            self.config.put_delivery_channel,
            DeliveryChannel={"name": "two", "s3BucketName": bucket},
        )

    def test_the_channel_s_folder_topic_and_key(self) -> None:
        self.put()
        put, usual = self.config.put_delivery_channel, {"s3BucketName": self.bucket()}
        region = f"us-east-1:{self.account}"
        for more, code in (
            ({"s3KeyPrefix": "logs"}, "InsufficientDeliveryPolicyException"),
            ({"snsTopicARN": f"arn:aws:sns:{region}:none"}, "InvalidSNSTopicARNException"),
            ({"s3KmsKeyArn": "alias/k"}, "InvalidS3KmsKeyArnException"),
        ):
            self.fails(code, put, DeliveryChannel=usual | more)
        topic = self.client("sns").create_topic(Name="t")["TopicArn"]
        put(DeliveryChannel=usual | {"snsTopicARN": topic, "s3KeyPrefix": "p"})
        iam, own = self.client("iam"), f"own-{self.account}"
        self.client("s3").create_bucket(Bucket=own)
        trust = {"Effect": "Allow", "Principal": {"Service": "config.amazonaws.com"}, "Action": "sts:AssumeRole"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName="config", AssumeRolePolicyDocument=text)["Role"]["Arn"]
        self.put(roleARN=role)
        self.fails("InsufficientDeliveryPolicyException", put, DeliveryChannel={"s3BucketName": own})
        write = {"Effect": "Allow", "Action": "s3:Put*", "Resource": "*"}
        text = json.dumps({"Version": "2012-10-17", "Statement": [write]})
        iam.put_role_policy(RoleName="config", PolicyName="write", PolicyDocument=text)
        put(DeliveryChannel={"s3BucketName": own})

    def test_a_recorder_takes_its_time(self) -> None:
        control("POST", f"settling?account={self.account}&reads=1")
        self.put()
        self.config.put_delivery_channel(DeliveryChannel={"s3BucketName": self.bucket()})
        self.config.start_configuration_recorder(ConfigurationRecorderName="default")
        read = self.config.describe_configuration_recorder_status
        said = [read()["ConfigurationRecordersStatus"][0]["lastStatus"] for _ in range(2)]
        self.assertEqual(said, ["PENDING", "SUCCESS"])

    def test_recording_groups_and_modes(self) -> None:
        self.put()
        got = self.config.describe_configuration_recorders()["ConfigurationRecorders"][0]
        self.assertEqual(
            got["recordingGroup"],
            {
                "allSupported": True,
                "includeGlobalResourceTypes": False,
                "resourceTypes": [],
                "exclusionByResourceTypes": {"resourceTypes": []},
                "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
            },
        )
        self.assertEqual(got["recordingMode"]["recordingFrequency"], "CONTINUOUS")
        override = {"description": "d", "resourceTypes": ["AWS::EC2::Instance"], "recordingFrequency": "CONTINUOUS"}
        self.put(
            recordingGroup={
                "allSupported": False,
                "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::User"]},
                "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
            },
            recordingMode={"recordingFrequency": "DAILY", "recordingModeOverrides": [override]},
        )
        got = self.config.describe_configuration_recorders()["ConfigurationRecorders"][0]
        self.assertEqual(got["recordingGroup"]["exclusionByResourceTypes"], {"resourceTypes": ["AWS::IAM::User"]})
        self.assertEqual(got["recordingMode"], {"recordingFrequency": "DAILY", "recordingModeOverrides": [override]})
        self.put(
            recordingGroup={
                "allSupported": False,
                "resourceTypes": ["AWS::S3::Bucket"],
                "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
            }
        )
        with self.subTest("contradiction"):
            self.fails(
                "InvalidRecordingGroupException",
                self.put,
                recordingGroup={"allSupported": True, "resourceTypes": ["AWS::S3::Bucket"]},
            )
        self.fails("ValidationException", self.put, recordingMode={"recordingFrequency": "HOURLY"})
        for refused in (
            override | {"description": ""},
            {"resourceTypes": ["AWS::Config::ResourceCompliance"], "recordingFrequency": "DAILY"},
        ):
            self.fails(
                "ValidationException",
                self.put,
                recordingMode={"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [refused]},
            )

    def test_roles(self) -> None:
        self.role = f"arn:aws:iam::{self.account}:role/nobody"
        self.fails("InvalidRoleException", self.put)

    def test_channel_round_trip(self) -> None:
        self.put()
        channel = {
            "name": "default",
            "s3BucketName": self.bucket(),
            "s3KeyPrefix": "p",
            "snsTopicARN": self.client("sns").create_topic(Name="t")["TopicArn"],
            "s3KmsKeyArn": f"arn:aws:kms:us-east-1:{self.account}:key/x",
            "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
        }
        self.config.put_delivery_channel(DeliveryChannel=channel)
        self.assertEqual(self.config.describe_delivery_channels()["DeliveryChannels"], [channel])
        plain = {"name": "default", "s3BucketName": channel["s3BucketName"]}
        self.config.put_delivery_channel(DeliveryChannel=plain)
        self.assertEqual(self.config.describe_delivery_channels()["DeliveryChannels"], [plain])
        status = self.config.describe_delivery_channel_status()["DeliveryChannelsStatus"][0]
        self.assertEqual(status["configStreamDeliveryInfo"]["lastStatus"], "NOT_APPLICABLE")

    def test_a_channel_that_cannot_deliver_says_so_in_capitals(self) -> None:
        self.put()
        bucket = self.bucket()
        self.config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": bucket})
        self.config.start_configuration_recorder(ConfigurationRecorderName="default")

        def history() -> dict:
            return self.config.describe_delivery_channel_status()["DeliveryChannelsStatus"][0][
                "configHistoryDeliveryInfo"
            ]

        self.assertEqual(history()["lastStatus"], "SUCCESS")
        self.client("s3").delete_bucket_policy(Bucket=bucket)
        self.assertEqual((history()["lastStatus"], history()["lastErrorCode"]), ("FAILURE", "AccessDenied"))
        self.client("s3").delete_bucket(Bucket=bucket)
        self.assertEqual((history()["lastStatus"], history()["lastErrorCode"]), ("FAILURE", "NoSuchBucket"))

    def test_retention(self) -> None:
        config = self.config
        self.assertEqual(config.describe_retention_configurations()["RetentionConfigurations"], [])
        self.fails("ValidationException", config.put_retention_configuration, RetentionPeriodInDays=29)
        config.put_retention_configuration(RetentionPeriodInDays=365)
        got = config.describe_retention_configurations()["RetentionConfigurations"]
        self.assertEqual(got, [{"Name": "default", "RetentionPeriodInDays": 365}])
        config.delete_retention_configuration(RetentionConfigurationName="default")
        self.fails(
            "NoSuchRetentionConfigurationException",
            config.delete_retention_configuration,
            RetentionConfigurationName="default",
        )


if __name__ == "__main__":
    unittest.main()
