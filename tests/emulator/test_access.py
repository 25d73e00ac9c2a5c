"""Policies: what they let through, with resources and conditions, as identity policy of an account and of a session."""

import json
import unittest

from botocore.exceptions import ClientError

from emulator import access
from emulator.testing import AccountTest, client, control, endpoint

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
    }
)

LINKED = "access-analyzer.amazonaws.com/AWSServiceRoleForAccessAnalyzer"


def policy(*statements: dict) -> dict:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: str, resource: str = "*", **conditions: dict) -> dict:
    condition = {"Condition": conditions} if conditions else {}
    return {"Effect": "Allow", "Action": [action], "Resource": resource, **condition}


class Patterns(unittest.TestCase):
    def test_wildcards_and_their_escapes(self) -> None:
        self.assertTrue(access.glob("a*c", "abbc"))
        self.assertTrue(access.glob("a?c", "abc"))
        self.assertFalse(access.glob("a?c", "abbc"))
        self.assertTrue(access.glob("a${*}c", "a*c"))
        self.assertFalse(access.glob("a${*}c", "abc"))
        self.assertFalse(access.glob("a.c", "abc"))

    def test_conditions_without_their_key(self) -> None:
        self.assertFalse(access.holds("StringEquals", ["a"], None))
        self.assertFalse(access.holds("ForAnyValue:StringLike", ["a"], []))
        self.assertTrue(access.holds("ArnNotLike", ["a"], None))
        self.assertFalse(access.holds("ArnNotLike", ["a*"], ["ab"]))
        with self.assertRaises(NotImplementedError):
            access.holds("NumericLessThan", ["1"], ["0"])


class Judged(AccountTest):
    def only(self, *statements: dict) -> None:
        control("POST", f"policy?account={self.account}", policy(*statements))

    def test_a_role_is_known_by_name_and_path_and_its_policies_too(self) -> None:
        iam = self.client("iam")
        own = f"arn:aws:iam::{self.account}:role/a/own"
        read = "arn:aws:iam::aws:policy/ReadOnlyAccess"
        self.only(
            allow("iam:CreateRole", own),
            allow("iam:AttachRolePolicy", own, ArnLike={"iam:PolicyARN": read}),
        )
        self.fails("AccessDenied", iam.create_role, RoleName="own", AssumeRolePolicyDocument=TRUST)
        iam.create_role(RoleName="own", Path="/a/", AssumeRolePolicyDocument=TRUST)
        iam.attach_role_policy(RoleName="own", PolicyArn=read)
        admin = "arn:aws:iam::aws:policy/AdministratorAccess"
        self.fails("AccessDenied", iam.attach_role_policy, RoleName="own", PolicyArn=admin)
        self.fails("AccessDenied", iam.get_role, RoleName="own")

    def test_a_deny_wins(self) -> None:
        iam = self.client("iam")
        role = f"arn:aws:iam::{self.account}:role/evenkeel"
        deny = {"Effect": "Deny", "NotAction": ["iam:Get*"], "Resource": role}
        self.only(allow("iam:*"), deny)
        error = self.fails("AccessDenied", iam.create_role, RoleName="evenkeel", AssumeRolePolicyDocument=TRUST)
        self.assertIn("with an explicit deny in an identity-based policy", str(error))
        self.fails("NoSuchEntity", iam.get_role, RoleName="evenkeel")
        iam.create_role(RoleName="other", AssumeRolePolicyDocument=TRUST)

    def test_a_key_is_known_by_alias_and_by_tag(self) -> None:
        kms = self.client("kms")
        made = {"StringLike": {"aws:RequestTag/mark": "alias/a"}}
        tagged = {"StringLike": {"aws:ResourceTag/mark": "alias/a"}}
        named = {"ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/a"}}
        keys = f"arn:aws:kms:*:{self.account}:key/*"
        self.only(
            allow("kms:CreateKey", **made),
            allow("kms:TagResource", keys, **made),
            allow("kms:CreateAlias", keys, **tagged),
            allow("kms:CreateAlias", f"arn:aws:kms:*:{self.account}:alias/a"),
            allow("kms:DisableKey", keys, **named),
        )
        self.fails("AccessDeniedException", kms.create_key)
        # The tags of a request are there too where a key is tagged that is there already.
        self.only(allow("kms:CreateKey"), allow("kms:TagResource", keys, **made))
        there = kms.create_key()["KeyMetadata"]["KeyId"]
        self.fails("AccessDeniedException", kms.tag_resource, KeyId=there, Tags=[{"TagKey": "mark", "TagValue": "alias/b"}])
        kms.tag_resource(KeyId=there, Tags=[{"TagKey": "mark", "TagValue": "alias/a"}])
        self.only(
            allow("kms:CreateKey", **made),
            allow("kms:TagResource", keys, **made),
            allow("kms:CreateAlias", keys, **tagged),
            allow("kms:CreateAlias", f"arn:aws:kms:*:{self.account}:alias/a"),
            allow("kms:DisableKey", keys, **named),
        )
        key = kms.create_key(Tags=[{"TagKey": "mark", "TagValue": "alias/a"}])["KeyMetadata"]["KeyId"]
        self.fails("AccessDeniedException", kms.disable_key, KeyId=key)
        self.fails("AccessDeniedException", kms.create_alias, AliasName="alias/b", TargetKeyId=key)
        kms.create_alias(AliasName="alias/a", TargetKeyId=key)
        kms.disable_key(KeyId=key)

    def test_what_is_passed_to_a_service_is_judged_too(self) -> None:
        config = self.client("config")
        role = f"arn:aws:iam::{self.account}:role/config"
        recorder = {"name": "default", "roleARN": role, "recordingGroup": {"allSupported": True}}
        put = allow("config:PutConfigurationRecorder", f"arn:aws:config:*:{self.account}:configuration-recorder/*")
        self.only(put)
        error = self.fails("AccessDeniedException", config.put_configuration_recorder, ConfigurationRecorder=recorder)
        self.assertIn("iam:PassRole", str(error))
        passes = {"StringEquals": {"iam:PassedToService": "config.amazonaws.com"}}
        self.only(put, allow("iam:PassRole", role, **passes))
        # Past the judgment, Config finds that the role is not there.
        self.fails("InvalidRoleException", config.put_configuration_recorder, ConfigurationRecorder=recorder)

    def test_a_flow_log_demands_its_vpc_its_role_and_a_delivery(self) -> None:
        ec2, start = self.client("ec2"), f"arn:aws:ec2:*:{self.account}"
        vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
        role = f"arn:aws:iam::{self.account}:role/flow"
        asked = {"ResourceIds": [vpc], "ResourceType": "VPC", "TrafficType": "ALL"}
        group = asked | {"LogGroupName": "flow", "DeliverLogsPermissionArn": role}
        bucket = asked | {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::flow-{self.account}"}
        self.client("s3").create_bucket(Bucket=f"flow-{self.account}")
        make, delete = allow("ec2:CreateFlowLogs", f"{start}:vpc-flow-log/*"), allow("ec2:DeleteFlowLogs", f"{start}:vpc-flow-log/*")
        others = allow("ec2:CreateFlowLogs", f"{start}:vpc/*", StringNotLike={"ec2:VpcID": [vpc]})
        passes = {"StringEquals": {"iam:PassedToService": "vpc-flow-logs.amazonaws.com"}}
        self.only(make, delete, others)
        self.fails("UnauthorizedOperation", ec2.create_flow_logs, **group)
        this = allow("ec2:CreateFlowLogs", f"{start}:vpc/*")
        self.only(make, delete, this)
        for more in (group, bucket):
            self.fails("UnauthorizedOperation", ec2.create_flow_logs, **more)
        self.only(make, delete, this, allow("iam:PassRole", role, **passes), allow("logs:CreateLogDelivery"))
        made = [ec2.create_flow_logs(**more)["FlowLogIds"][0] for more in (group, bucket)]
        ec2.delete_flow_logs(FlowLogIds=made[:1])
        self.fails("UnauthorizedOperation", ec2.delete_flow_logs, FlowLogIds=made[1:])
        self.only(delete, allow("logs:DeleteLogDelivery"))
        ec2.delete_flow_logs(FlowLogIds=made[1:])

    def test_query_logging_demands_its_configuration_a_delivery_and_a_role(self) -> None:
        resolver, start = self.client("route53resolver"), f"arn:aws:route53resolver:*:{self.account}"
        vpc = self.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
        names = ("CreateResolverQueryLogConfig", "AssociateResolverQueryLogConfig")
        both = [allow(f"route53resolver:{name}", f"{start}:resolver-query-log-config/*") for name in names]
        asked = {"Name": "dns", "DestinationArn": "arn:aws:s3:::dns", "CreatorRequestId": "1"}
        self.only(*both)
        self.fails("AccessDeniedException", resolver.create_resolver_query_log_config, **asked)
        self.only(*both, allow("logs:CreateLogDelivery"))
        made = resolver.create_resolver_query_log_config(**asked)["ResolverQueryLogConfig"]
        stream = f"arn:aws:firehose:us-east-1:{self.account}:deliverystream/dns"
        streamed = asked | {"DestinationArn": stream, "CreatorRequestId": "2"}
        self.fails("AccessDeniedException", resolver.create_resolver_query_log_config, **streamed)
        named = {"ResolverQueryLogConfigId": made["Id"], "ResourceId": vpc}
        self.fails("AccessDeniedException", resolver.associate_resolver_query_log_config, **named)
        path = "role/aws-service-role/route53resolver.amazonaws.com/AWSServiceRoleForRoute53Resolver"
        role = allow("iam:CreateServiceLinkedRole", f"arn:aws:iam::{self.account}:{path}")
        self.only(*both, allow("ec2:DescribeVpcs"), role)
        resolver.associate_resolver_query_log_config(**named)

    def test_a_graph_demands_its_role_and_its_tags(self) -> None:
        detective, graphs = self.client("detective"), f"arn:aws:detective:*:{self.account}:graph:*"
        path = "role/aws-service-role/detective.amazonaws.com/AWSServiceRoleForDetective"
        role = allow("iam:CreateServiceLinkedRole", f"arn:aws:iam::{self.account}:{path}")
        self.only(allow("detective:CreateGraph"))
        self.fails("AccessDeniedException", detective.create_graph)
        self.only(allow("detective:CreateGraph"), role)
        self.fails("AccessDeniedException", detective.create_graph, Tags={"a": "b"})
        self.only(allow("detective:CreateGraph"), role, allow("detective:TagResource", graphs))
        made = detective.create_graph(Tags={"a": "b"})["GraphArn"]
        self.fails("AccessDeniedException", detective.delete_graph, GraphArn=made)
        self.only(allow("detective:DeleteGraph", graphs))
        detective.delete_graph(GraphArn=made)

    def test_macie_demands_its_role_and_what_it_knows_as_resources(self) -> None:
        macie, identifiers = self.client("macie2"), f"arn:aws:macie2:*:{self.account}:custom-data-identifier/*"
        path = "role/aws-service-role/macie.amazonaws.com/AWSServiceRoleForAmazonMacie"
        role = allow("iam:CreateServiceLinkedRole", f"arn:aws:iam::{self.account}:{path}")
        self.only(allow("macie2:EnableMacie"))
        self.fails("AccessDeniedException", macie.enable_macie)
        self.only(allow("macie2:EnableMacie"), role)
        macie.enable_macie()
        lists = f"arn:aws:macie2:*:{self.account}:allow-list/*"
        self.only(allow("macie2:CreateCustomDataIdentifier", lists), allow("macie2:CreateAllowList", lists))
        self.fails("AccessDeniedException", macie.create_custom_data_identifier, name="n", regex="a+")
        wanted = {"name": "l", "criteria": {"regex": "a"}}
        self.fails("AccessDeniedException", macie.create_allow_list, **wanted)
        self.only(allow("macie2:CreateCustomDataIdentifier", identifiers), allow("macie2:CreateAllowList"), allow("macie2:UpdateAllowList", lists))
        macie.create_custom_data_identifier(name="n", regex="a+")
        made = macie.create_allow_list(**wanted)["id"]
        macie.update_allow_list(id=made, **wanted)
        self.fails("AccessDeniedException", macie.delete_allow_list, id=made)

    def test_inspector_demands_its_roles_and_the_scan_of_cis(self) -> None:
        inspector, roles = self.client("inspector2"), f"arn:aws:iam::{self.account}:role/aws-service-role"
        own = allow("iam:CreateServiceLinkedRole", f"{roles}/inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2")
        both = [own, allow("iam:CreateServiceLinkedRole", f"{roles}/agentless.inspector2.amazonaws.com/AWSServiceRoleForAmazonInspector2Agentless")]
        self.only(allow("inspector2:Enable"), own)
        inspector.enable(resourceTypes=["ECR"])
        self.fails("AccessDeniedException", inspector.enable, resourceTypes=["EC2"])
        self.only(allow("inspector2:Enable"), *both)
        inspector.enable(resourceTypes=["EC2"])
        scans = f"arn:aws:inspector2:*:{self.account}:owner/*/cis-configuration/*"
        at = {"startTime": {"timeOfDay": "03:00", "timezone": "UTC"}}
        targets = {"accountIds": ["SELF"], "targetResourceTags": {"cis": ["yes"]}}
        wanted = {"scanName": "n", "securityLevel": "LEVEL_1", "schedule": {"daily": at}, "targets": targets}
        self.only(allow("inspector2:CreateCisScanConfiguration", scans))
        arn = inspector.create_cis_scan_configuration(**wanted)["scanConfigurationArn"]
        self.fails("AccessDeniedException", inspector.delete_cis_scan_configuration, scanConfigurationArn=arn)

    def test_without_a_policy_everything_is_allowed_again(self) -> None:
        s3 = self.client("s3")
        self.only(allow("s3:CreateBucket", "arn:aws:s3:::mine-*"))
        name = f"mine-{self.account}"
        self.fails("AccessDenied", s3.create_bucket, Bucket=f"other-{self.account}")
        s3.create_bucket(Bucket=name)
        self.fails("AccessDenied", s3.delete_bucket, Bucket=name)
        control("DELETE", f"policy?account={self.account}")
        s3.delete_bucket(Bucket=name)

    def test_a_session_has_the_rights_of_its_policy(self) -> None:
        session = self.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{self.account}:role/any",
            RoleSessionName="test",
            Policy=json.dumps(policy(allow("iam:ListRoles"))),
        )["Credentials"]
        import boto3

        iam = boto3.client(
            "iam",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )
        iam.list_roles()
        error = self.fails("AccessDenied", iam.create_role, RoleName="a", AssumeRolePolicyDocument=TRUST)
        self.assertIn("session policy", str(error))
        client("iam", self.account).create_role(RoleName="a", AssumeRolePolicyDocument=TRUST)


class Messaging(AccountTest):
    def only(self, *statements: dict) -> None:
        control("POST", f"policy?account={self.account}", policy(*statements))

    def arn(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:us-east-1:{self.account}:{resource}"

    def test_topics_by_name_and_tags_besides(self) -> None:
        sns, arn = self.client("sns"), self.arn("sns", "own")
        self.only(allow("sns:CreateTopic", arn), allow("sns:SetTopicAttributes", arn))
        tags = [{"Key": "a", "Value": "1"}]
        self.fails("AuthorizationError", sns.create_topic, Name="own", Tags=tags)
        self.fails("AuthorizationError", sns.create_topic, Name="other")
        sns.create_topic(Name="own")
        sns.set_topic_attributes(TopicArn=arn, AttributeName="DisplayName", AttributeValue="x")
        self.fails("AuthorizationError", sns.get_topic_attributes, TopicArn=arn)

    def test_rules_and_the_roles_that_they_pass(self) -> None:
        events, arn = self.client("events"), self.arn("events", "rule/own")
        role = f"arn:aws:iam::{self.account}:role/forward"
        passed = {"iam:PassedToService": "events.amazonaws.com"}
        self.only(allow("events:PutRule", arn), allow("events:PutTargets", arn))
        pattern = '{"source": ["x"]}'
        self.fails("AccessDeniedException", events.put_rule, Name="other", EventPattern=pattern)
        events.put_rule(Name="own", EventPattern=pattern)
        targets = [{"Id": "a", "Arn": self.arn("sqs", "q"), "RoleArn": role}]
        self.fails("AccessDeniedException", events.put_targets, Rule="own", Targets=targets)
        self.only(allow("events:PutTargets", arn), allow("iam:PassRole", role, StringEquals=passed))
        events.put_targets(Rule="own", Targets=targets)

    def test_queues_and_batches(self) -> None:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="own")["QueueUrl"]
        self.only(allow("sqs:SendMessage", self.arn("sqs", "own")))
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}])
        self.fails("AccessDenied", sqs.receive_message, QueueUrl=url)

    def test_alarms(self) -> None:
        alarms, own = self.client("cloudwatch"), self.arn("cloudwatch", "alarm:own")
        self.only(allow("cloudwatch:PutMetricAlarm", own), allow("cloudwatch:DescribeAlarms", own))
        alarm = {"MetricName": "m", "Namespace": "n", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0}
        alarm |= {"ComparisonOperator": "GreaterThanThreshold", "Statistic": "Sum"}
        alarms.put_metric_alarm(AlarmName="own", **alarm)
        self.assertEqual(len(alarms.describe_alarms(AlarmNames=["own"])["MetricAlarms"]), 1)
        for call, given in ((alarms.describe_alarms, {}), (alarms.put_metric_alarm, {"AlarmName": "other"} | alarm)):
            with self.assertRaises(ClientError) as caught:
                call(**given)
            self.assertIn("AccessDenied", caught.exception.response["Error"]["Code"])

    def test_rules_of_config(self) -> None:
        config = self.client("config")
        role = f"arn:aws:iam::{self.account}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
        config.put_configuration_recorder(ConfigurationRecorder={"name": "default", "roleARN": role})
        self.only(allow("config:PutConfigRule", self.arn("config", "config-rule/*")))
        rule = {"ConfigRuleName": "r", "Source": {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}}
        config.put_config_rule(ConfigRule=rule)
        self.fails("AccessDeniedException", config.delete_config_rule, ConfigRuleName="r")


class SecurityServices(AccountTest):
    """What Access Analyzer, GuardDuty and Security Hub demand: their own resources, and the right to make their role."""

    def try_with(self, *statements: dict) -> None:
        control("POST", f"policy?account={self.account}", policy(*statements))

    def test_an_analyzer_needs_the_right_to_its_role(self) -> None:
        analyzer = self.client("accessanalyzer")
        own = f"arn:aws:access-analyzer:us-east-1:{self.account}:analyzer/*"
        role = f"arn:aws:iam::{self.account}:role/aws-service-role/{LINKED}"
        make = {"analyzerName": "a", "type": "ACCOUNT"}
        self.try_with(allow("access-analyzer:*", own))
        self.fails("AccessDeniedException", analyzer.create_analyzer, **make)
        self.fails("AccessDeniedException", analyzer.list_analyzers)
        self.try_with(allow("access-analyzer:*", own), allow("iam:CreateServiceLinkedRole", role))
        analyzer.create_analyzer(**make)

    def test_a_detector_and_a_hub_are_resources(self) -> None:
        guardduty, hub = self.client("guardduty"), self.client("securityhub")
        detector = guardduty.create_detector(Enable=True)["DetectorId"]
        hub.enable_security_hub()
        here = f"us-east-1:{self.account}"
        self.try_with(
            allow("guardduty:*", f"arn:aws:guardduty:{here}:detector/{detector}"),
            allow("securityhub:*", f"arn:aws:securityhub:{here}:hub/default"),
        )
        guardduty.update_detector(DetectorId=detector, Enable=False)
        hub.update_security_hub_configuration(AutoEnableControls=False)
        self.fails("AccessDeniedException", guardduty.create_detector, Enable=True)
        self.fails("AccessDeniedException", guardduty.get_administrator_account, DetectorId=detector)

    def test_what_is_in_a_detector_is_a_resource_of_its_own(self) -> None:
        guardduty = self.client("guardduty")
        detector = guardduty.create_detector(Enable=True)["DetectorId"]
        criteria = {"Criterion": {"severity": {"Lt": 4}}}
        guardduty.create_filter(DetectorId=detector, Name="quiet", FindingCriteria=criteria)
        here = f"arn:aws:guardduty:us-east-1:{self.account}:detector/{detector}"
        self.try_with(allow("guardduty:GetFilter", f"{here}/filter/*"), allow("guardduty:ListFilters", here))
        guardduty.get_filter(DetectorId=detector, FilterName="quiet")
        self.fails("AccessDeniedException", guardduty.list_filters, DetectorId=detector)
        there = {"DestinationArn": "arn:aws:s3:::findings/all", "KmsKeyArn": "k"}
        asked = {"DetectorId": detector, "DestinationType": "S3", "DestinationProperties": there}
        create = allow("guardduty:CreatePublishingDestination", "*")
        on_bucket = [allow("s3:*", one) for one in ("arn:aws:s3:::findings", "arn:aws:s3:::findings/*")]
        self.try_with(create)
        self.fails("AccessDeniedException", guardduty.create_publishing_destination, **asked)
        self.try_with(create, *on_bucket)
        self.fails("BadRequestException", guardduty.create_publishing_destination, **asked)
