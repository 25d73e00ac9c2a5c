"""What an organization's policies decide in its accounts' services."""

import json
from typing import Any

from emulator.organization_testing import OrganizationTest
from emulator.testing import client, control


class Ec2(OrganizationTest):
    def declare(self, attributes: dict[str, Any], *targets: str) -> str:
        return self.policy("DECLARATIVE_POLICY_EC2", {"ec2_attributes": attributes}, *targets)

    def test_what_a_declarative_policy_sets_is_read_and_cannot_be_written(self) -> None:
        ec2 = client("ec2", self.member, "eu-west-1")
        ec2.enable_serial_console_access()
        policy = self.declare(
            {
                "exception_message": {"@@assign": "ask the platform team"},
                "serial_console_access": {"status": {"@@assign": "disabled"}},
                "snapshot_block_public_access": {"state": {"@@assign": "block_all_sharing"}},
                "image_block_public_access": {"state": {"@@assign": "block_new_sharing"}},
                "instance_metadata_defaults": {
                    "http_tokens": {"@@assign": "required"},
                    "http_put_response_hop_limit": {"@@assign": "2"},
                    "http_endpoint": {"@@assign": "no_preference"},
                },
                "allowed_images_settings": {
                    "state": {"@@assign": "audit_mode"},
                    "image_criteria": {"criteria_1": {"allowed_image_providers": {"@@append": ["amazon"]}}},
                },
                "vpc_block_public_access": {
                    "internet_gateway_block": {
                        "mode": {"@@assign": "block_ingress"},
                        "exclusions_allowed": {"@@assign": "disabled"},
                    }
                },
            },
            self.root_id,
        )
        serial = ec2.get_serial_console_access_status()
        self.assertEqual((serial["SerialConsoleAccessEnabled"], serial["ManagedBy"]), (False, "declarative-policy"))
        snapshots = ec2.get_snapshot_block_public_access_state()
        self.assertEqual((snapshots["State"], snapshots["ManagedBy"]), ("block-all-sharing", "declarative-policy"))
        images = ec2.get_image_block_public_access_state()
        self.assertEqual(images["ImageBlockPublicAccessState"], "block-new-sharing")
        self.assertEqual(
            ec2.get_instance_metadata_defaults()["AccountLevel"],
            {
                "HttpTokens": "required",
                "HttpPutResponseHopLimit": 2,
                "ManagedBy": "declarative-policy",
                "ManagedExceptionMessage": "ask the platform team",
            },
        )
        allowed = ec2.get_allowed_images_settings()
        self.assertEqual((allowed["State"], allowed["ImageCriteria"]), ("audit-mode", [{"ImageProviders": ["amazon"]}]))
        options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
        self.assertEqual(
            (options["InternetGatewayBlockMode"], options["ExclusionsAllowed"], options["ManagedBy"]),
            ("block-ingress", "not-allowed", "declarative-policy"),
        )
        error = self.fails("UnauthorizedOperation", ec2.enable_serial_console_access)
        self.assertIn("disabled by a Declarative Policy. Custom Message: ask the platform team", str(error))
        for call, arguments in (
            (ec2.enable_snapshot_block_public_access, {"State": "block-all-sharing"}),
            (ec2.disable_image_block_public_access, {}),
            (ec2.modify_instance_metadata_defaults, {"HttpTokens": "optional"}),
            (ec2.disable_allowed_images_settings, {}),
            (ec2.modify_vpc_block_public_access_options, {"InternetGatewayBlockMode": "off"}),
            (ec2.create_vpc_block_public_access_exclusion, {"InternetGatewayExclusionMode": "allow-egress"}),
        ):
            self.fails("UnauthorizedOperation", call, **arguments)
        # The management account is bound too, and the account's own value comes back with its freedom.
        self.assertEqual(self.client("ec2").get_serial_console_access_status()["ManagedBy"], "declarative-policy")
        self.org.detach_policy(PolicyId=policy, TargetId=self.root_id)
        serial = ec2.get_serial_console_access_status()
        self.assertEqual((serial["SerialConsoleAccessEnabled"], serial["ManagedBy"]), (True, "account"))

    def test_only_the_attributes_of_the_policy_and_only_below_it(self) -> None:
        self.declare({"serial_console_access": {"status": {"@@assign": "enabled"}}}, self.member)
        ec2 = client("ec2", self.member)
        self.assertTrue(ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        self.assertEqual(ec2.get_snapshot_block_public_access_state()["ManagedBy"], "account")
        ec2.enable_snapshot_block_public_access(State="block-new-sharing")
        self.assertEqual(self.client("ec2").get_serial_console_access_status()["ManagedBy"], "account")


class S3(OrganizationTest):
    def test_the_accounts_block_of_public_access(self) -> None:
        document = {"s3_attributes": {"public_access_block_configuration": {"@@assign": "all"}}}
        control = client("s3control", self.member)
        block = dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), False
        )
        control.put_public_access_block(AccountId=self.member, PublicAccessBlockConfiguration=block)
        policy = self.policy("S3_POLICY", document, self.member)
        got = control.get_public_access_block(AccountId=self.member)["PublicAccessBlockConfiguration"]
        self.assertEqual(set(got.values()), {True})
        for call, arguments in (
            (control.put_public_access_block, {"PublicAccessBlockConfiguration": block}),
            (control.delete_public_access_block, {}),
        ):
            error = self.fails("AccessDenied", call, AccountId=self.member, **arguments)
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        s3, bucket = client("s3", self.member), f"public-{self.member}"
        s3.create_bucket(Bucket=bucket)
        s3.delete_public_access_block(Bucket=bucket)
        public = (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject",'
            f'"Resource":"arn:aws:s3:::{bucket}/*"}}}}'
        )
        self.fails("AccessDenied", s3.put_bucket_policy, Bucket=bucket, Policy=public)
        self.org.detach_policy(PolicyId=policy, TargetId=self.member)
        got = control.get_public_access_block(AccountId=self.member)["PublicAccessBlockConfiguration"]
        self.assertEqual(got, block)
        s3.put_bucket_policy(Bucket=bucket, Policy=public)


class Inspector(OrganizationTest):
    def test_scans_that_a_policy_decides_are_blocked(self) -> None:
        scans = {"ec2_scanning": {"enable_in_regions": {"@@assign": ["us-east-1"]}}}
        self.policy("INSPECTOR_POLICY", {"inspector": {"enablement": scans}}, self.member)
        inspector = client("inspector2", self.member)
        failed = inspector.disable(resourceTypes=["EC2"])["failedAccounts"]
        self.assertEqual(
            [(one["accountId"], one["errorCode"]) for one in failed],
            [(self.member, "BLOCKED_BY_ORGANIZATION_POLICY")],
        )
        self.assertEqual(inspector.enable(resourceTypes=["ECR"])["failedAccounts"], [])
        elsewhere = client("inspector2", self.member, "eu-west-1")
        self.assertEqual(elsewhere.enable(resourceTypes=["EC2"])["failedAccounts"], [])


class Reports(OrganizationTest):
    def test_a_report_counts_accounts(self) -> None:
        ec2, bucket = self.client("ec2"), f"reports-{self.account}"
        start = {"S3Bucket": bucket, "TargetId": self.root_id}
        self.fails("UnauthorizedOperation", ec2.start_declarative_policies_report, **start)
        self.trust("ec2.amazonaws.com")
        self.fails("InvalidParameterValue", ec2.start_declarative_policies_report, **start)
        s3 = self.client("s3")
        s3.create_bucket(Bucket=bucket)
        self.fails("InvalidParameterValue", ec2.start_declarative_policies_report, **start)
        policy = (
            '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"Service":'
            '"report.declarative-policies-ec2.amazonaws.com"},"Action":"s3:PutObject",'
            f'"Resource":"arn:aws:s3:::{bucket}/*"}}}}'
        )
        s3.put_bucket_policy(Bucket=bucket, Policy=policy)
        control("POST", f"settling?account={self.account}&reads=1")
        report = ec2.start_declarative_policies_report(**start)["ReportId"]
        self.fails("IncorrectState", ec2.get_declarative_policies_report_summary, ReportId=report)
        self.fails("IncorrectState", ec2.start_declarative_policies_report, **start)
        shown = [ec2.describe_declarative_policies_reports()["Reports"][0]["Status"] for _ in range(2)]
        self.assertEqual(shown, ["running", "complete"])
        self.fails("IncorrectState", ec2.cancel_declarative_policies_report, ReportId=report)
        self.join()
        client("ec2", self.member).enable_serial_console_access()
        got = ec2.get_declarative_policies_report_summary(ReportId=report)
        self.assertEqual(got["NumberOfAccounts"], 3)
        serial = next(one for one in got["AttributeSummaries"] if one["AttributeName"].startswith("serial"))
        self.assertEqual(
            (serial["MostFrequentValue"], serial["NumberOfMatchedAccounts"], serial["NumberOfUnmatchedAccounts"]),
            ("false", 2, 1),
        )
        self.fails("UnauthorizedOperation", client("ec2", self.member).start_declarative_policies_report, **start)


class ControlTower(OrganizationTest):
    def test_what_control_tower_puts_into_an_account(self) -> None:
        made = control("POST", f"control_tower?account={self.member}&management={self.account}")
        trails = client("cloudtrail", self.member).describe_trails()["trailList"]
        self.assertEqual([one["Name"] for one in trails], [made["trail"]])
        status = client("config", self.member).describe_configuration_recorder_status()
        recorder = status["ConfigurationRecordersStatus"][0]
        self.assertEqual((recorder["name"], recorder["recording"]), ("aws-controltower-BaselineConfigRecorder", True))
        role = client("iam", self.member).get_role(RoleName="AWSControlTowerExecution")["Role"]
        trust = role["AssumeRolePolicyDocument"]["Statement"][0]
        self.assertEqual(trust["Principal"]["AWS"], f"arn:aws:iam::{self.account}:root")
        topics = client("sns", self.member).list_topics()["Topics"]
        self.assertEqual(sorted(one["TopicArn"] for one in topics), sorted(made["topics"]))


class Conditions(OrganizationTest):
    """Policies of resources that name the organization."""

    def queue(self, principal: Any, key: str) -> str:
        arn = f"arn:aws:sqs:us-east-1:{self.account}:{key.rpartition(':')[2]}"
        organization = self.org.describe_organization()["Organization"]["Id"]
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
        statement["Condition"] = {"StringEquals": {key: organization}}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = self.client("sqs").create_queue(QueueName=arn.rpartition(":")[2], Attributes={"Policy": policy})
        return made["QueueUrl"]

    def test_a_queue_for_the_accounts_of_the_organization(self) -> None:
        url = self.queue("*", "aws:PrincipalOrgID")
        client("sqs", self.member).send_message(QueueUrl=url, MessageBody="b")
        outsider = client("sqs", str(int(self.account) + 300_000_000))
        self.fails("AccessDenied", outsider.send_message, QueueUrl=url, MessageBody="b")

    def test_a_queue_for_the_topics_of_the_organization(self) -> None:
        url = self.queue({"Service": "sns.amazonaws.com"}, "aws:SourceOrgID")
        arn = f"arn:aws:sqs:us-east-1:{self.account}:SourceOrgID"
        topic = self.client("sns").create_topic(Name="t")["TopicArn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.client("sns").publish(TopicArn=topic, Message="m")
        self.assertEqual(len(self.client("sqs").receive_message(QueueUrl=url).get("Messages", [])), 1)
