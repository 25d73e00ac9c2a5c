"""Events: records of calls, LookupEvents, rules on the default bus, targets, other accounts, disorder."""

import gzip
import json
import time
import unittest
from typing import Any

import boto3

from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, client, control, endpoint

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"]}],
    }
)
ANYTHING = json.dumps({"source": [{"prefix": ""}]})


def allowing(service: str, action: str, arn: str, **condition: Any) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": action, "Resource": arn}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class EventTest(AccountTest):
    def on(self, account: str | None = None, **settings: Any) -> Any:
        return control("POST", f"events?account={account or self.account}", settings)

    def tearDown(self) -> None:
        control("DELETE", f"events?account={self.account}")

    def lookup(self, key: str | None = None, value: str = "", region: str = "us-east-1") -> list[dict[str, Any]]:
        more = {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]} if key else {}
        found = self.client("cloudtrail", region).lookup_events(**more)["Events"]
        return [json.loads(event["CloudTrailEvent"]) for event in found]

    def record(self, name: str, region: str = "us-east-1") -> dict[str, Any]:
        return self.lookup("EventName", name, region)[0]

    def trail(self, name: str = "main", account: str | None = None, **more: Any) -> str:
        account = account or self.account
        bucket = f"trail-{account}"
        s3, trails = client("s3", account), client("cloudtrail", account)
        s3.create_bucket(Bucket=bucket)
        actions = ["s3:GetBucketAcl", "s3:PutObject"]
        statement = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": actions}
        statement["Resource"] = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        trails.create_trail(Name=name, S3BucketName=bucket, **more)
        trails.start_logging(Name=name)
        return bucket

    def queue(self, name: str = "events", account: str | None = None, policy: bool = True, **more: str) -> str:
        """The ARN of a queue that lets EventBridge send."""
        account = account or self.account
        arn = f"arn:aws:sqs:us-east-1:{account}:{name}"
        if policy:
            more["Policy"] = allowing("events.amazonaws.com", "sqs:SendMessage", arn)
        client("sqs", account).create_queue(QueueName=name, Attributes=more)
        return arn

    def rule(self, pattern: str, *targets: dict[str, Any], account: str | None = None, **more: Any) -> str:
        events = client("events", account or self.account, more.pop("region", "us-east-1"))
        arn = events.put_rule(Name="r", EventPattern=pattern, **more)["RuleArn"]
        events.put_targets(Rule="r", Targets=[{"Id": str(n)} | target for n, target in enumerate(targets)])
        return arn

    def got(self, arn: str, wait: int = 0) -> list[dict[str, Any]]:
        account, name = arn.split(":")[4:]
        sqs = client("sqs", account)
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        found = []
        while messages := sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
            wait = 0
        return found

    def names(self, arn: str, wait: int = 0) -> list[str]:
        return [json.loads(message["Body"])["detail"]["eventName"] for message in self.got(arn, wait)]


class Records(EventTest):
    def test_nothing_is_recorded_unless_it_is_switched_on(self) -> None:
        self.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=TRUST)
        self.assertEqual(self.lookup(), [])
        self.on()
        self.client("iam").delete_role(RoleName="r")
        self.assertEqual([record["eventName"] for record in self.lookup("ReadOnly", "false")], ["DeleteRole"])

    def test_a_record_has_what_cloudtrail_writes(self) -> None:
        self.on()
        answer = self.client("iam", "eu-west-1").create_role(
            RoleName="r", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "Team", "Value": "x"}]
        )
        record = self.record("CreateRole")
        self.assertEqual(
            {name: record[name] for name in ("eventVersion", "eventSource", "awsRegion", "readOnly", "eventType")},
            {
                "eventVersion": "1.11",
                "eventSource": "iam.amazonaws.com",
                "awsRegion": "us-east-1",
                "readOnly": False,
                "eventType": "AwsApiCall",
            },
        )
        self.assertEqual(record["requestID"], answer["ResponseMetadata"]["RequestId"])
        self.assertEqual(
            record["requestParameters"],
            {"roleName": "r", "assumeRolePolicyDocument": TRUST, "tags": [{"key": "Team", "value": "x"}]},
        )
        self.assertEqual(record["responseElements"]["role"]["roleId"], answer["Role"]["RoleId"])
        self.assertEqual((record["recipientAccountId"], record["managementEvent"]), (self.account, True))
        identity = record["userIdentity"]
        self.assertEqual((identity["type"], identity["userName"]), ("IAMUser", "evenkeel-test"))

    def test_a_session_is_named_with_its_source_identity(self) -> None:
        self.on()
        role = self.client("iam").create_role(RoleName="c", AssumeRolePolicyDocument=TRUST)["Role"]
        sts = self.client("sts")
        taken = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="run-7", SourceIdentity="alice")
        credentials = taken["Credentials"]
        session = boto3.client(
            "kms",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
        )
        key = session.create_key()["KeyMetadata"]
        session.disable_key(KeyId=key["KeyId"])
        record = self.record("DisableKey")
        identity = record["userIdentity"]
        self.assertEqual(identity["type"], "AssumedRole")
        self.assertEqual(identity["principalId"], f"{role['RoleId']}:run-7")
        self.assertEqual(identity["arn"], f"arn:aws:sts::{self.account}:assumed-role/c/run-7")
        self.assertEqual(identity["sessionContext"]["sourceIdentity"], "alice")
        self.assertEqual(identity["sessionContext"]["sessionIssuer"]["arn"], role["Arn"])
        self.assertEqual(record["requestParameters"], {"keyId": key["KeyId"]})
        self.assertEqual(record["responseElements"], {"keyId": key["Arn"]})
        taken = self.record("AssumeRole")
        self.assertTrue(taken["readOnly"])
        self.assertNotIn("secretAccessKey", taken["responseElements"]["credentials"])
        event = self.client("cloudtrail").lookup_events(
            LookupAttributes=[{"AttributeKey": "Username", "AttributeValue": "run-7"}]
        )["Events"][0]
        self.assertEqual(event["AccessKeyId"], credentials["AccessKeyId"])

    def test_both_accounts_hear_of_a_role_that_is_taken_across(self) -> None:
        other = str(int(self.account) + 300_000_000_000)
        self.on()
        self.on(other)
        client("sts", other).assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/x", RoleSessionName="session")
        here = self.record("AssumeRole")
        there = json.loads(client("cloudtrail", other).lookup_events()["Events"][0]["CloudTrailEvent"])
        self.assertEqual(here["userIdentity"]["type"], "AWSAccount")
        self.assertEqual(here["userIdentity"]["accountId"], other)
        self.assertEqual(here["sharedEventID"], there["sharedEventID"])
        self.assertNotEqual(here["eventID"], there["eventID"])
        control("DELETE", f"events?account={other}")

    def test_s3_has_names_of_its_own(self) -> None:
        self.on()
        s3, bucket = self.client("s3"), f"b-{self.account}"
        s3.create_bucket(Bucket=bucket)
        names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        block = dict.fromkeys(names, True)
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=block)
        rules = [{"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 3}}]
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
        s3.put_object(Bucket=bucket, Key="k", Body=b"data")
        self.client("s3control").put_public_access_block(
            AccountId=self.account, PublicAccessBlockConfiguration=block
        )
        names = [record["eventName"] for record in self.lookup("EventSource", "s3.amazonaws.com")]
        wanted = ["PutAccountPublicAccessBlock", "PutBucketLifecycle", "PutBucketPublicAccessBlock", "CreateBucket"]
        self.assertEqual(names, wanted)
        parameters = self.record("PutBucketPublicAccessBlock")["requestParameters"]
        self.assertEqual(parameters["bucketName"], bucket)
        self.assertEqual(parameters["publicAccessBlock"], "")
        self.assertEqual(parameters["PublicAccessBlockConfiguration"]["BlockPublicAcls"], True)

    def test_ec2_writes_items_and_whose_fault_it_was(self) -> None:
        self.on()
        ec2 = self.client("ec2", "eu-west-1")
        group = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
        permission = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[permission])
        self.fails(
            "InvalidPermission.Duplicate",
            ec2.authorize_security_group_ingress,
            GroupId=group,
            IpPermissions=[permission],
        )
        again, first = self.lookup("EventName", "AuthorizeSecurityGroupIngress", "eu-west-1")
        items = first["requestParameters"]["ipPermissions"]["items"]
        self.assertEqual(items[0]["ipRanges"], {"items": [{"cidrIp": "0.0.0.0/0"}]})
        self.assertTrue(first["responseElements"]["return"])
        self.assertEqual(again["errorCode"], "Client.InvalidPermission.Duplicate")
        self.assertIsNone(again["responseElements"])
        self.assertEqual(self.record("CreateSecurityGroup", "eu-west-1")["requestParameters"]["groupDescription"], "d")

    def test_ec2_has_names_of_its_own_for_what_is_tagged(self) -> None:
        self.on()
        ec2 = self.client("ec2")
        tags = [{"Key": "a", "Value": "b"}]
        self.fails("DryRunOperation", ec2.create_tags, DryRun=True, Resources=["vpc-00000000000000000"], Tags=tags)
        record = self.record("CreateTags")
        self.assertEqual(record["errorCode"], "Client.DryRunOperation")
        self.assertEqual(
            record["requestParameters"],
            {
                "dryRun": True,
                "resourcesSet": {"items": [{"resourceId": "vpc-00000000000000000"}]},
                "tagSet": {"items": [{"key": "a", "value": "b"}]},
            },
        )

    def test_secrets_are_left_out(self) -> None:
        self.on()
        iam, vault = self.client("iam"), self.client("secretsmanager")
        iam.create_user(UserName="u")
        iam.create_access_key(UserName="u")
        iam.create_login_profile(UserName="u", Password="Very-Secret-1")
        vault.create_secret(Name="s", SecretString="Very-Secret-2")
        text = json.dumps(self.lookup())
        self.assertNotIn("Very-Secret", text)
        self.assertNotIn("secretAccessKey", text)
        self.assertIn("accessKeyId", self.record("CreateAccessKey")["responseElements"]["accessKey"])

    def test_a_refused_write_has_its_error(self) -> None:
        self.on()
        iam = self.client("iam")
        self.fails("NoSuchEntity", iam.delete_role, RoleName="nobody")
        record = self.record("DeleteRole")
        self.assertEqual(record["errorCode"], "NoSuchEntityException")
        self.assertIn("nobody", record["errorMessage"])
        control("POST", "faults", {"service": "iam", "operation": "DeleteUser", "account": self.account, "count": 1})
        self.fails("AccessDenied", iam.delete_user, UserName="u")
        self.assertEqual(self.record("DeleteUser")["errorCode"], "AccessDenied")

    def test_a_write_whose_answer_is_lost_is_recorded_as_done(self) -> None:
        self.on()
        control(
            "POST",
            "faults",
            {"service": "iam", "operation": "CreateUser", "account": self.account, "executed": True, "kind": "drop"},
        )
        with self.assertRaises(Exception):
            self.client("iam").create_user(UserName="u")
        self.assertNotIn("errorCode", self.record("CreateUser"))

    def test_the_service_tells_of_an_account_that_is_made(self) -> None:
        self.on()
        organizations = self.client("organizations", "eu-west-1")
        organizations.create_organization(FeatureSet="ALL")
        made = organizations.create_account(Email="a@example.com", AccountName="m")["CreateAccountStatus"]
        record = self.record("CreateAccountResult")
        self.assertEqual((record["eventType"], record["sourceIPAddress"]), ("AwsServiceEvent", "AWS Internal"))
        status = record["serviceEventDetails"]["createAccountStatus"]
        self.assertEqual((status["state"], status["accountId"]), ("SUCCEEDED", made["AccountId"]))
        organizations.create_account(Email="A@example.com", AccountName="again")
        status = self.record("CreateAccountResult")["serviceEventDetails"]["createAccountStatus"]
        self.assertEqual((status["state"], status["failureReason"]), ("FAILED", "EMAIL_ALREADY_EXISTS"))
        self.assertNotIn("accountId", status)
        control("POST", f"settling?account={self.account}&reads=1")
        organizations.create_account(Email="b@example.com", AccountName="n")
        status = self.record("CreateAccountResult")["serviceEventDetails"]["createAccountStatus"]
        accounts = {one["Name"]: one["Id"] for one in organizations.list_accounts()["Accounts"]}
        self.assertEqual((status["state"], status["accountId"]), ("SUCCEEDED", accounts["n"]))

    def test_sources_of_services_with_other_names(self) -> None:
        self.on()
        self.client("elbv2").describe_load_balancers()
        self.client("guardduty").create_detector(Enable=True)
        self.client("opensearch").list_domain_names()
        sources = {record["eventSource"] for record in self.lookup()}
        self.assertLessEqual({"guardduty.amazonaws.com", "elasticloadbalancing.amazonaws.com"}, sources)


class Lookup(EventTest):
    def test_pages_ranges_and_attributes(self) -> None:
        self.on()
        iam, trails = self.client("iam"), self.client("cloudtrail")
        for name in ("a", "b", "c"):
            iam.create_user(UserName=name)
        attribute = [{"AttributeKey": "EventName", "AttributeValue": "CreateUser"}]
        first = trails.lookup_events(LookupAttributes=attribute, MaxResults=2)
        second = trails.lookup_events(LookupAttributes=attribute, MaxResults=2, NextToken=first["NextToken"])
        found = [event["Resources"][0]["ResourceName"] for event in first["Events"] + second["Events"]]
        self.assertEqual(found, ["c", "b", "a"])
        self.assertNotIn("NextToken", second)
        self.assertEqual(self.lookup("ResourceName", "b")[0]["requestParameters"], {"userName": "b"})
        self.assertEqual(trails.lookup_events(EndTime=time.time() - 60)["Events"], [])
        self.fails("InvalidTimeRangeException", trails.lookup_events, StartTime=time.time(), EndTime=time.time() - 9)
        self.fails("InvalidLookupAttributesException", trails.lookup_events, LookupAttributes=attribute * 2)
        self.fails("InvalidNextTokenException", trails.lookup_events, NextToken="x")
        self.assertEqual(self.lookup(region="eu-west-1"), [])

    def test_the_history_lags(self) -> None:
        # The first look loads the client and the service's model, which on a busy machine takes longer than the delay.
        self.lookup()
        self.on(lookup_delay=1)
        self.client("iam").create_user(UserName="u")
        self.assertEqual(self.lookup("EventName", "CreateUser"), [])
        time.sleep(1.1)
        self.assertEqual(len(self.lookup("EventName", "CreateUser")), 1)


class Bus(EventTest):
    PATTERN = json.dumps({"source": ["aws.iam", "aws.cloudtrail"], "detail-type": ["AWS API Call via CloudTrail"]})

    def setUp(self) -> None:
        super().setUp()
        self.on()
        self.arn = self.queue()

    def test_a_call_comes_to_the_queue_when_a_trail_logs_it(self) -> None:
        rule = self.rule(self.PATTERN, {"Arn": self.arn})
        self.client("iam").create_user(UserName="unseen")
        self.trail()
        self.got(self.arn)
        self.client("iam").create_user(UserName="seen")
        self.client("iam").list_users()
        message = json.loads(self.got(self.arn)[0]["Body"])
        self.assertEqual(
            {name: message[name] for name in ("version", "detail-type", "source", "account", "region", "resources")},
            {
                "version": "0",
                "detail-type": "AWS API Call via CloudTrail",
                "source": "aws.iam",
                "account": self.account,
                "region": "us-east-1",
                "resources": [],
            },
        )
        self.assertEqual(message["detail"]["requestParameters"], {"userName": "seen"})
        self.assertEqual(message["time"], message["detail"]["eventTime"])
        self.assertTrue(rule.endswith("rule/r"))

    def test_the_end_of_the_last_trail_is_still_told(self) -> None:
        self.trail()
        self.rule(self.PATTERN, {"Arn": self.arn})
        trails = self.client("cloudtrail")
        trails.stop_logging(Name="main")
        trails.update_trail(Name="main", IsMultiRegionTrail=True)
        trails.start_logging(Name="main")
        trails.delete_trail(Name="main")
        self.assertEqual(self.names(self.arn), ["StopLogging", "DeleteTrail"])

    def test_selectors_decide(self) -> None:
        self.trail()
        self.rule(json.dumps({"source": ["aws.iam", "aws.kms"]}), {"Arn": self.arn})
        trails = self.client("cloudtrail")
        selector = {"ReadWriteType": "ReadOnly", "IncludeManagementEvents": True}
        trails.put_event_selectors(TrailName="main", EventSelectors=[selector])
        self.client("iam").create_user(UserName="a")
        selector = {"ReadWriteType": "All", "ExcludeManagementEventSources": ["kms.amazonaws.com"]}
        trails.put_event_selectors(TrailName="main", EventSelectors=[selector | {"IncludeManagementEvents": True}])
        self.client("kms").create_key()
        self.client("iam").create_user(UserName="b")
        fields = [
            {"Field": "eventCategory", "Equals": ["Management"]},
            {"Field": "eventSource", "NotEquals": ["kms.amazonaws.com"]},
            {"Field": "readOnly", "Equals": ["false"]},
        ]
        trails.put_event_selectors(TrailName="main", AdvancedEventSelectors=[{"FieldSelectors": fields}])
        self.client("kms").create_key()
        self.client("iam").create_user(UserName="c")
        users = [json.loads(m["Body"])["detail"]["requestParameters"]["userName"] for m in self.got(self.arn)]
        self.assertEqual(users, ["b", "c"])

    def test_reads_come_to_rules_that_ask_for_them(self) -> None:
        self.trail()
        self.rule(json.dumps({"source": ["aws.iam", "aws.sts"]}), {"Arn": self.arn})
        self.client("iam").list_users()
        self.client("sts").assume_role(RoleArn=f"arn:aws:iam::{self.account}:role/x", RoleSessionName="session")
        self.assertEqual(self.names(self.arn), ["AssumeRole"])
        state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
        self.rule(json.dumps({"source": ["aws.iam"]}), {"Arn": self.arn}, State=state)
        self.client("iam").list_users()
        self.assertEqual(self.names(self.arn), ["ListUsers"])

    def test_a_disabled_rule_is_silent(self) -> None:
        self.trail()
        self.rule(ANYTHING, {"Arn": self.arn}, State="DISABLED")
        self.client("iam").create_user(UserName="a")
        self.assertEqual(self.names(self.arn), [])

    def test_regions_are_apart_and_global_services_in_the_leader(self) -> None:
        self.trail(IsMultiRegionTrail=True)
        arn = "arn:aws:sqs:eu-west-1:{}:eu".format(self.account)
        policy = allowing("events.amazonaws.com", "sqs:SendMessage", arn)
        self.client("sqs", "eu-west-1").create_queue(QueueName="eu", Attributes={"Policy": policy})
        self.rule(ANYTHING, {"Arn": arn}, region="eu-west-1")
        self.rule(ANYTHING, {"Arn": self.arn})
        self.got(self.arn)
        self.client("ec2", "eu-west-1").create_vpc(CidrBlock="10.0.0.0/16")
        self.client("iam", "eu-west-1").create_user(UserName="a")
        self.assertEqual(self.names(self.arn), ["CreateUser"])
        sqs = self.client("sqs", "eu-west-1")
        url = sqs.get_queue_url(QueueName="eu")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        names = [json.loads(message["Body"])["detail"]["eventName"] for message in messages]
        self.assertEqual([name for name in names if name != "PutTargets"], ["CreateVpc"])

    def test_a_trail_of_one_region_logs_no_other(self) -> None:
        self.trail()
        self.on()
        bucket = self.client("s3").list_buckets()["Buckets"][0]["Name"]
        self.assertTrue(bucket)
        self.client("kms", "eu-west-1").create_key()
        self.assertEqual(len(self.lookup("EventName", "CreateKey", "eu-west-1")), 1)
        self.rule(ANYTHING, {"Arn": self.arn}, region="eu-west-1")
        self.client("kms", "eu-west-1").create_key()
        self.assertEqual(self.got(self.arn), [])

    def test_inputs(self) -> None:
        self.trail()
        transformer = {
            "InputPathsMap": {"who": "$.detail.userIdentity.userName", "what": "$.detail.requestParameters"},
            "InputTemplate": '{"who": <who>, "what": <what>, "said": "<who> did it", "rule": "<aws.events.rule-name>"}',
        }
        self.rule(
            self.PATTERN,
            {"Arn": self.arn, "InputTransformer": transformer},
            {"Arn": self.arn, "Input": '{"constant": 1}'},
            {"Arn": self.arn, "InputPath": "$.detail.eventName"},
        )
        self.client("iam").create_user(UserName="a")
        bodies = [json.loads(message["Body"]) for message in self.got(self.arn)]
        what = {"who": "evenkeel-test", "what": {"userName": "a"}, "said": "evenkeel-test did it", "rule": "r"}
        self.assertEqual(bodies, [what, {"constant": 1}, "CreateUser"])

    def test_a_template_has_the_event_with_and_without_its_detail(self) -> None:
        self.trail()
        template = '{"all": <aws.events.event.json>, "around": <aws.events.event>}'
        self.rule(self.PATTERN, {"Arn": self.arn, "InputTransformer": {"InputTemplate": template}})
        self.client("iam").create_user(UserName="a")
        body = json.loads(self.got(self.arn)[0]["Body"])
        self.assertEqual(body["all"]["detail"]["eventName"], "CreateUser")
        self.assertEqual(set(body["around"]), set(body["all"]) - {"detail", "detail-type"} | {"detailType"})

    def test_topics_go_on_to_queues(self) -> None:
        self.trail()
        sns = self.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        arn = self.queue("behind", policy=False)
        url = self.client("sqs").get_queue_url(QueueName="behind")["QueueUrl"]
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.rule(self.PATTERN, {"Arn": topic})
        self.client("iam").create_user(UserName="a")
        self.assertEqual(self.got(arn), [], "the topic's policy lets nobody in but its owner")
        policy = allowing("events.amazonaws.com", "sns:Publish", topic)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        self.client("iam").create_user(UserName="b")
        self.assertEqual(self.got(arn), [], "the queue's policy does not let the topic in")
        like = {"aws:SourceArn": topic}
        policy = allowing("sns.amazonaws.com", "sqs:SendMessage", arn, ArnEquals=like)
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        self.client("iam").create_user(UserName="c")
        notice = json.loads(self.got(arn)[0]["Body"])
        self.assertEqual((notice["Type"], notice["TopicArn"]), ("Notification", topic))
        self.assertEqual(json.loads(notice["Message"])["detail"]["requestParameters"], {"userName": "c"})
        own = {"aws:SourceAccount": self.account}
        policy = allowing("events.amazonaws.com", "sns:Publish", topic, StringEquals=own)
        sns.set_topic_attributes(TopicArn=topic, AttributeName="Policy", AttributeValue=policy)
        self.client("iam").create_user(UserName="d")
        self.assertEqual(self.got(arn), [], "EventBridge sends topics no condition key")

    def test_who_is_not_let_in_leaves_the_event_to_the_dead_letters(self) -> None:
        self.trail()
        dead, shut = self.queue("dead"), self.queue("shut", policy=False)
        rule = self.rule(self.PATTERN, {"Arn": shut, "DeadLetterConfig": {"Arn": dead}})
        self.client("iam").create_user(UserName="a")
        self.assertEqual(self.got(shut), [])
        letter = self.got(dead)[0]
        attributes = {name: value["StringValue"] for name, value in letter["MessageAttributes"].items()}
        self.assertEqual(attributes["ERROR_CODE"], "NO_PERMISSIONS")
        self.assertEqual((attributes["RULE_ARN"], attributes["TARGET_ARN"]), (rule, shut))
        self.assertEqual(json.loads(letter["Body"])["detail"]["eventName"], "CreateUser")
        url = self.client("sqs").get_queue_url(QueueName="shut")["QueueUrl"]
        for source, came in ((rule + "x", []), (rule, ["CreateUser"])):
            policy = allowing("events.amazonaws.com", "sqs:SendMessage", shut, ArnEquals={"aws:SourceArn": source})
            self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
            self.client("iam").create_user(UserName=f"u{len(came)}")
            self.assertEqual(self.names(shut), came)
        self.client("sqs").delete_queue(QueueUrl=url)
        self.client("iam").create_user(UserName="z")
        codes = [m["MessageAttributes"]["ERROR_CODE"]["StringValue"] for m in self.got(dead)]
        self.assertEqual(codes, ["NO_PERMISSIONS", "NO_RESOURCE"])

    def test_keys_of_aws_serve_no_other_service(self) -> None:
        self.trail()
        dead, locked = self.queue("dead"), self.queue("locked", KmsMasterKeyId="alias/aws/sqs")
        self.rule(self.PATTERN, {"Arn": locked, "DeadLetterConfig": {"Arn": dead}})
        self.client("iam").create_user(UserName="a")
        self.assertEqual((len(self.got(locked)), len(self.got(dead))), (0, 1))
        policy = json.loads(allowing("events.amazonaws.com", "kms:*", "*"))
        owner = {"AWS": f"arn:aws:iam::{self.account}:root"}
        policy["Statement"].append({"Effect": "Allow", "Principal": owner, "Action": "kms:*", "Resource": "*"})
        key = self.client("kms").create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
        url = self.client("sqs").get_queue_url(QueueName="locked")["QueueUrl"]
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
        self.client("iam").create_user(UserName="b")
        self.assertEqual(self.names(locked), ["CreateUser"])

    def test_a_fifo_queue_needs_a_group_and_content_based_deduplication(self) -> None:
        self.trail()
        arn = self.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
        self.rule(self.PATTERN, {"Arn": arn, "SqsParameters": {"MessageGroupId": "g"}})
        self.client("iam").create_user(UserName="a")
        self.assertEqual(self.names(arn), ["CreateUser"])

    def test_services_have_events_of_their_own(self) -> None:
        pattern = {"source": ["aws.guardduty"], "detail": {"severity": [{"numeric": [">=", 4]}]}}
        self.rule(json.dumps(pattern), {"Arn": self.arn})
        for severity in (3.9, 4.2):
            finding = {"source": "aws.guardduty", "detail-type": "GuardDuty Finding", "detail": {"severity": severity}}
            control("POST", f"events/put?account={self.account}", finding)
        self.assertEqual([json.loads(m["Body"])["detail"]["severity"] for m in self.got(self.arn)], [4.2])

    def test_an_event_that_is_too_long_for_a_queue_goes_to_the_dead_letters(self) -> None:
        small, dead = self.queue("small", MaximumMessageSize="1024"), self.queue("dead")
        self.rule(ANYTHING, {"Arn": small, "DeadLetterConfig": {"Arn": dead}})
        entry = {"Source": "own", "DetailType": "x", "Detail": json.dumps({"text": "x" * 2000})}
        answer = self.client("events").put_events(Entries=[entry])
        self.assertEqual(answer["FailedEntryCount"], 0)
        self.assertEqual((len(self.got(small)), len(self.got(dead))), (0, 1))

    def test_entries_are_not_too_long_together(self) -> None:
        entry = {"Source": "own", "DetailType": "x", "Detail": json.dumps({"text": "x" * 600_000})}
        put = self.client("events").put_events
        put(Entries=[entry])
        self.fails("ValidationException", put, Entries=[entry, entry])

    def test_own_events_have_no_source_of_aws(self) -> None:
        self.rule(ANYTHING, {"Arn": self.arn})
        entries = [
            {"Source": "aws.iam", "DetailType": "x", "Detail": "{}"},
            {"Source": "mine", "DetailType": "x", "Detail": "["},
            {"Source": "mine", "DetailType": "x", "Detail": '{"n": 1}'},
        ]
        answer = self.client("events").put_events(Entries=entries)
        codes = [entry.get("ErrorCode") for entry in answer["Entries"]]
        self.assertEqual(codes, ["NotAuthorizedForSourceException", "MalformedDetail", None])
        self.assertEqual(answer["FailedEntryCount"], 2)
        self.assertEqual([json.loads(m["Body"])["detail"] for m in self.got(self.arn)], [{"n": 1}])


class Disorder(EventTest):
    PATTERN = json.dumps({"source": ["aws.iam"]})

    def setUp(self) -> None:
        super().setUp()
        self.arn = self.queue()
        self.trail()
        self.rule(self.PATTERN, {"Arn": self.arn})

    def users(self, *names: str) -> list[str]:
        for name in names:
            self.client("iam").create_user(UserName=name)
        control("POST", f"events/flush?account={self.account}")
        return [json.loads(m["Body"])["detail"]["requestParameters"]["userName"] for m in self.got(self.arn)]

    def test_late(self) -> None:
        self.on(delay=1)
        self.client("iam").create_user(UserName="late")
        self.assertEqual(self.got(self.arn), [])
        self.assertEqual(self.names(self.arn, wait=5), ["CreateUser"])

    def test_lost(self) -> None:
        self.on(loss=1.0)
        self.assertEqual(self.users("a"), [])

    def test_twice(self) -> None:
        self.on(duplicates=1.0)
        self.client("iam").create_user(UserName="a")
        ids = [json.loads(m["Body"])["id"] for m in self.got(self.arn)]
        self.assertEqual((len(ids), len(set(ids))), (2, 1))

    def test_out_of_order_the_same_each_time(self) -> None:
        names = "abcdefgh"
        self.on(delay=100, reorder=1000, seed=7)
        first = self.users(*names)
        self.assertEqual(sorted(first), list(names))
        self.assertNotEqual(first, list(names))
        for name in names:
            self.client("iam").delete_user(UserName=name)
        control("POST", f"events/flush?account={self.account}")
        self.got(self.arn)
        self.on(delay=100, reorder=1000, seed=7)
        self.assertEqual(self.users(*names), first)


class Accounts(EventTest):
    def setUp(self) -> None:
        super().setUp()
        self.member = str(int(self.account) + 300_000_000_000)
        self.on()
        self.on(self.member)

    def tearDown(self) -> None:
        super().tearDown()
        control("DELETE", f"events?account={self.member}")

    def test_a_rule_of_a_member_sends_to_the_bus_of_the_controller(self) -> None:
        self.trail(account=self.member)
        arn = self.queue()
        bus = f"arn:aws:events:us-east-1:{self.account}:event-bus/default"
        self.rule(json.dumps({"source": ["aws.iam"]}), {"Arn": arn})
        dead = self.queue("dead", account=self.member)
        target = {"Arn": bus, "DeadLetterConfig": {"Arn": dead}}
        self.rule(json.dumps({"source": ["aws.iam"]}), target, account=self.member)
        client("iam", self.member).create_user(UserName="a")
        self.assertEqual(self.got(arn), [])
        self.assertEqual(self.got(dead)[0]["MessageAttributes"]["ERROR_CODE"]["StringValue"], "NO_PERMISSIONS")
        self.client("events").put_permission(Action="events:PutEvents", Principal=self.member, StatementId="fleet")
        client("iam", self.member).create_user(UserName="b")
        event = json.loads(self.got(arn)[0]["Body"])
        self.assertEqual((event["account"], event["source"]), (self.member, "aws.iam"))
        self.assertEqual(event["detail"]["recipientAccountId"], self.member)

    def test_a_permission_for_an_organization_needs_a_role(self) -> None:
        organizations = self.client("organizations")
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        status = organizations.create_account(Email="a@example.com", AccountName="m")["CreateAccountStatus"]
        member = status["AccountId"]
        self.on(member)
        self.trail(account=member)
        arn = self.queue()
        self.rule(json.dumps({"account": [member]}), {"Arn": arn})
        condition = {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": organization}
        self.client("events").put_permission(
            Action="events:PutEvents", Principal="*", StatementId="fleet", Condition=condition
        )
        target = {"Arn": f"arn:aws:events:us-east-1:{self.account}:event-bus/default"}
        pattern = json.dumps({"source": ["aws.iam"]})
        self.rule(pattern, target, account=member)
        client("iam", member).create_user(UserName="a")
        self.assertEqual(self.got(arn), [])
        self.rule(pattern, target | {"RoleArn": f"arn:aws:iam::{member}:role/forward"}, account=member)
        client("iam", member).create_user(UserName="b")
        self.assertEqual(self.names(arn), ["CreateUser"])
        control("DELETE", f"events?account={member}")

    def test_a_member_s_call_is_in_the_trail_of_the_organization(self) -> None:
        organizations = self.client("organizations")
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
        organizations.enable_aws_service_access(ServicePrincipal="cloudtrail.amazonaws.com")
        status = organizations.create_account(Email="a@example.com", AccountName="m")["CreateAccountStatus"]
        member = status["AccountId"]
        self.on(member, files=True)
        bucket = self.trail(IsOrganizationTrail=True, IsMultiRegionTrail=True)
        arn = self.queue(account=member)
        self.rule(json.dumps({"source": ["aws.iam"]}), {"Arn": arn}, account=member)
        client("iam", member).create_user(UserName="a")
        self.assertEqual(self.names(arn), ["CreateUser"], "the organization's trail serves the member's bus")
        keys = [entry["Key"] for entry in self.client("s3").list_objects_v2(Bucket=bucket)["Contents"]]
        self.assertTrue(all(key.startswith(f"AWSLogs/{organization}/{member}/CloudTrail/us-east-1/") for key in keys))
        bodies = [self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys]
        names = [json.loads(gzip.decompress(body))["Records"][0]["eventName"] for body in bodies]
        self.assertIn("CreateUser", names)
        self.assertIn("LatestDeliveryTime", self.client("cloudtrail").get_trail_status(Name="main"))
        control("DELETE", f"events?account={member}")


class RootSessions(OrganizationTest):
    def tearDown(self) -> None:
        for account in (self.account, self.member):
            control("DELETE", f"events?account={account}")
        super().tearDown()

    def test_the_member_hears_of_a_session_of_its_root_user(self) -> None:
        self.trust("iam.amazonaws.com")
        self.client("iam").enable_organizations_root_sessions()
        for account in (self.account, self.member):
            control("POST", f"events?account={account}", {})
        task = {"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"}
        made = self.client("sts").assume_root(TargetPrincipal=self.member, TaskPolicyArn=task)["Credentials"]
        root = boto3.client(
            "iam",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=made["AccessKeyId"],
            aws_secret_access_key=made["SecretAccessKey"],
        )
        root.list_access_keys()
        found = client("cloudtrail", self.member).lookup_events()["Events"]
        records = {event["EventName"]: json.loads(event["CloudTrailEvent"]) for event in found}
        self.assertEqual(records["AssumeRoot"]["userIdentity"]["accountId"], self.account)
        identity = records["ListAccessKeys"]["userIdentity"]
        self.assertEqual((identity["type"], identity["arn"]), ("Root", f"arn:aws:iam::{self.member}:root"))
        self.assertEqual(found[0]["Username"], "root")


if __name__ == "__main__":
    unittest.main()
