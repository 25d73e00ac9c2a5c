"""What AWS refuses though the API model allows it, over the wire."""

import json
from typing import Any
from urllib.error import HTTPError

from emulator.testing import AccountTest, control


def lifecycle(**rule: Any) -> dict[str, Any]:
    return {"LifecycleConfiguration": {"Rules": [{"Status": "Enabled", "Filter": {"Prefix": ""}} | rule]}}


def statement(**more: Any) -> str:
    usual = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
    made = {name: value for name, value in (usual | more).items() if value}
    return json.dumps({"Version": "2012-10-17", "Statement": [made]})


class RefusedValues(AccountTest):
    def test_rules_of_a_lifecycle(self) -> None:
        s3, bucket = self.client("s3"), f"values-{self.account}"
        s3.create_bucket(Bucket=bucket)
        put, tag, days = s3.put_bucket_lifecycle_configuration, {"Tag": {"Key": "a", "Value": "b"}}, {"Days": 3}
        self.fails("InvalidRequest", put, Bucket=bucket, **lifecycle())
        self.fails("InvalidArgument", put, Bucket=bucket, **lifecycle(Expiration={"Days": 0}))
        self.fails("InvalidArgument", put, Bucket=bucket, **lifecycle(Expiration=days, ID="a" * 256))
        abort = {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}
        self.fails("InvalidRequest", put, Bucket=bucket, **lifecycle(Filter=tag, **abort))
        put(Bucket=bucket, **lifecycle(**abort))
        two = [{"ObjectOwnership": "ObjectWriter"}, {"ObjectOwnership": "BucketOwnerPreferred"}]
        self.fails("MalformedXML", s3.put_bucket_ownership_controls, Bucket=bucket, OwnershipControls={"Rules": two})

    def test_keys(self) -> None:
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        managed = kms.describe_key(KeyId="alias/aws/s3")["KeyMetadata"]["KeyId"]
        for operation, arguments in (
            ("schedule_key_deletion", {}),
            ("disable_key", {}),
            ("put_key_policy", {"Policy": statement()}),
            ("tag_resource", {"Tags": [{"TagKey": "a", "TagValue": "b"}]}),
            ("untag_resource", {"TagKeys": ["a"]}),
            ("update_key_description", {"Description": "x"}),
        ):
            self.fails("AccessDeniedException", getattr(kms, operation), KeyId=managed, **arguments)
        self.fails("AccessDeniedException", kms.create_alias, AliasName="alias/a", TargetKeyId=managed)
        self.assertEqual(kms.describe_key(KeyId=managed)["KeyMetadata"]["KeyState"], "Enabled")
        for marker in ("abc", "7000", "-1"):
            self.fails("InvalidMarkerException", kms.list_keys, Marker=marker)
        twice = [{"TagKey": "a", "TagValue": "b"}, {"TagKey": "a", "TagValue": "c"}]
        self.fails("TagException", kms.create_key, Tags=twice)
        self.fails("TagException", kms.tag_resource, KeyId=key, Tags=twice)
        long = statement(Sid="x" * 33_000)
        self.fails("LimitExceededException", kms.put_key_policy, KeyId=key, Policy=long)
        self.fails("NotFoundException", kms.put_key_policy, KeyId=key, PolicyName="mine", Policy=statement())

    def test_log_groups(self) -> None:
        logs, protect = self.client("logs"), {"deletionProtectionEnabled": True}
        logs.create_log_group(logGroupName="g")
        own = f"arn:aws:logs:us-east-1:{self.account}:log-group:g"
        for arn in (own.replace(self.account, "111111111111"), own.replace("us-east-1", "eu-west-1")):
            call = logs.put_log_group_deletion_protection
            self.fails("ResourceNotFoundException", call, logGroupIdentifier=arn, **protect)
        logs.put_log_group_deletion_protection(logGroupIdentifier=own, **protect)
        self.fails("InvalidParameterException", logs.tag_resource, resourceArn=own, tags={"aws:x": "y"})

    def test_policies_of_secrets_vaults_and_topics(self) -> None:
        secrets, backup, sns = self.client("secretsmanager"), self.client("backup"), self.client("sns")
        secrets.create_secret(Name="s", SecretString="x")
        nobody = {"AWS": f"arn:aws:iam::{self.account}:role/none"}
        for text in (statement(Principal=None), statement(Principal=nobody), "{}", "no"):
            call = secrets.put_resource_policy
            self.fails("MalformedPolicyDocumentException", call, SecretId="s", ResourcePolicy=text)
        backup.create_backup_vault(BackupVaultName="vault")
        for text in (statement(Effect="Maybe"), statement(Principal=None)):
            call = backup.put_backup_vault_access_policy
            self.fails("InvalidParameterValueException", call, BackupVaultName="vault", Policy=text)
        topic = sns.create_topic(Name="t")["TopicArn"]
        policy = {"TopicArn": topic, "AttributeName": "Policy"}
        for text in ("{}", "no"):
            self.fails("InvalidParameter", sns.set_topic_attributes, **policy, AttributeValue=text)
        sns.set_topic_attributes(**policy, AttributeValue=statement(Action="sns:Publish", Resource=topic))
        self.fails("InvalidParameter", sns.subscribe, TopicArn=topic, Protocol="pigeon", Endpoint="x")

    def test_web_acls(self) -> None:
        waf = self.client("wafv2")
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
        acl = {"Name": "a", "Scope": "REGIONAL", "VisibilityConfig": seen, "DefaultAction": {"Allow": {}}}
        geo = {"GeoMatchStatement": {"CountryCodes": ["DE"]}}
        one = {"Name": "one", "Priority": 0, "Statement": geo, "Action": {"Block": {}}, "VisibilityConfig": seen}
        for wrong in (
            {"Rules": [one, one | {"Name": "two"}]},
            {"Rules": [one, one | {"Priority": 1}]},
            {"DefaultAction": {"Allow": {}, "Block": {}}},
            {"DefaultAction": {}},
        ):
            self.fails("WAFInvalidParameterException", waf.create_web_acl, **acl | wrong)
        made = waf.create_web_acl(**acl, Rules=[one, one | {"Name": "two", "Priority": 1}])["Summary"]
        found = waf.list_resources_for_web_acl(WebACLArn=made["ARN"], ResourceType="AMPLIFY")
        self.assertEqual(found["ResourceArns"], [])

    def test_others(self) -> None:
        table = {
            "AttributeDefinitions": [{"AttributeName": "a", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "a", "KeyType": "HASH"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        self.fails("ValidationException", self.client("dynamodb").create_table, TableName="tb", **table)
        events = self.client("events")
        for text in ("cron(x)", "rate(1 days)", "rate(0 minutes)", "rate(5 minute)", "every day"):
            self.fails("ValidationException", events.put_rule, Name="r", ScheduleExpression=text)
        for text in ("cron(0 12 * * ? *)", "rate(1 day)", "rate(5 minutes)"):
            events.put_rule(Name="r", ScheduleExpression=text)
        macie = self.client("macie2")
        macie.enable_macie()
        job = {"name": "j", "clientToken": "t", "jobType": "SCHEDULED"}
        where = {"bucketDefinitions": [{"accountId": self.account, "buckets": ["b"]}]}
        self.fails("ValidationException", macie.create_classification_job, **job, s3JobDefinition=where)
        self.fails("ValidationException", macie.create_classification_job, **job, s3JobDefinition={})
        analyzer = self.client("accessanalyzer").create_analyzer
        age = {"configuration": {"unusedAccess": {"unusedAccessAge": 366}}}
        self.fails("ValidationException", analyzer, analyzerName="u", type="ACCOUNT_UNUSED_ACCESS", **age)
        wrong = {"StatelessDefaultActions": ["aws:bogus"], "StatelessFragmentDefaultActions": ["aws:pass"]}
        create = self.client("network-firewall").create_firewall_policy
        self.fails("InvalidRequestException", create, FirewallPolicyName="p", FirewallPolicy=wrong)


class Lacking(AccountTest):
    """Calls that lack what they need, though the API model does not say so; moto fails, or takes them."""

    def test_what_is_needed_besides(self) -> None:
        name = f"b-{self.account}"
        self.client("s3").create_bucket(Bucket=name)
        rule = f"arn:aws:config:us-east-1:{self.account}:config-rule/config-rule-absent"
        subnets = self.client("ec2").describe_subnets()["Subnets"]
        group = self.client("ec2").describe_security_groups()["SecurityGroups"][0]["GroupId"]
        rules = [{"SecurityGroupRuleId": "sgr-0123456789abcdef0"}]
        tagged = {"Resources": [subnets[0]["SubnetId"]], "Tags": [{"Value": "x"}]}
        for code, service, operation, params in (
            ("MissingRequestBodyError", "s3", "put_bucket_lifecycle_configuration", {"Bucket": name}),
            ("InvalidInput", "iam", "create_service_linked_role", {"AWSServiceName": "nonsense"}),
            ("ValidationException", "config", "tag_resource", {"ResourceArn": rule, "Tags": [{}]}),
            ("ValidationException", "dynamodb", "create_table", {"TableName": "table"}),
            ("InvalidParameterCombinationException", "cloudtrail", "get_insight_selectors", {}),
            ("InvalidParameterCombinationException", "cloudtrail", "get_event_configuration", {}),
            ("MissingParameter", "ec2", "modify_security_group_rules", {"GroupId": group, "SecurityGroupRules": rules}),
            ("InvalidParameterValue", "ec2", "create_tags", tagged),
        ):
            with self.subTest(f"{service} {operation}"):
                self.fails(code, getattr(self.client(service), operation), **params)

    def test_scans_that_are_not_named_are_all(self) -> None:
        inspector = self.client("inspector2")
        inspector.enable(resourceTypes=["EC2", "ECR"])
        inspector.disable()
        [account] = inspector.batch_get_account_status(accountIds=[self.account])["accounts"]
        self.assertEqual({one["status"] for one in account["resourceState"].values()}, {"DISABLED"})

    def test_what_organizations_says_is_wrong(self) -> None:
        organizations = self.client("organizations")
        for reason, params in (
            ("INPUT_REQUIRED", {}),
            ("INVALID_ENUM", {"Filter": "NONSENSE"}),
            ("MIN_VALUE_EXCEEDED", {"Filter": "TAG_POLICY", "MaxResults": 0}),
            ("MAX_VALUE_EXCEEDED", {"Filter": "TAG_POLICY", "MaxResults": 21}),
        ):
            with self.subTest(reason):
                error = self.fails("InvalidInputException", organizations.list_policies, **params)
                self.assertEqual(error.response["Reason"], reason)

    def test_how_a_denial_is_told(self) -> None:
        for service, operation, params, code, action in (
            ("sns", "create_topic", {"Name": "t"}, "AuthorizationError", "SNS:CreateTopic"),
            ("sqs", "create_queue", {"QueueName": "q"}, "AccessDenied", "sqs:createqueue"),
        ):
            control("POST", "faults", {"service": service, "account": self.account, "kind": "error", "count": 1})
            error = self.fails(code, getattr(self.client(service), operation), **params)
            self.assertIn(f"is not authorized to perform: {action} on resource", error.response["Error"]["Message"])

    def test_schedules_patterns_documents_and_vaults(self) -> None:
        events, ssm, backup = self.client("events"), self.client("ssm"), self.client("backup")
        for wrong in ("cron(0 12 * * * *)", "cron(0 12 ? * ? *)", "cron(0 12 * * ?)"):
            self.fails("ValidationException", events.put_rule, Name="r", ScheduleExpression=wrong)
        for right in ("cron(0 12 * * ? *)", "cron(0 12 ? * MON-FRI *)"):
            events.put_rule(Name="r", ScheduleExpression=right)
        self.fails("InvalidEventPatternException", events.put_rule, Name="p", EventPattern="{}")
        content = json.dumps({"schemaVersion": "1.0", "sessionType": "Standard_Stream"})
        session = {"Content": content, "DocumentType": "Session"}
        for name in ("AWS-Mine", "amazon-mine", "amznMine", "AWSSupport-Mine"):
            self.fails("ValidationException", ssm.create_document, Name=name, **session)
        ssm.create_document(Name="mine", **session)
        sharing = "/ssm/documents/console/public-sharing-permission"
        ssm.update_service_setting(SettingId=sharing, SettingValue="Disable")
        share = {"Name": "mine", "PermissionType": "Share"}
        self.fails("DocumentPermissionLimit", ssm.modify_document_permission, **share, AccountIdsToAdd=["All"])
        ssm.modify_document_permission(**share, AccountIdsToAdd=["111122223333"])
        ssm.reset_service_setting(SettingId=sharing)
        ssm.modify_document_permission(**share, AccountIdsToAdd=["All"])
        absent = f"arn:aws:backup:us-east-1:{self.account}:backup-vault:none"
        self.fails("ResourceNotFoundException", backup.list_tags, ResourceArn=absent)
        self.fails("ResourceNotFoundException", backup.tag_resource, ResourceArn=absent, Tags={"a": "b"})

    def test_what_control_routes_do_not_know(self) -> None:
        for path in ("plant?of=ssm:nothing&", "opt_in?region=nowhere&"):
            with self.assertRaises(HTTPError) as caught:
                control("POST", f"{path}account={self.account}", [])
            self.assertEqual(caught.exception.code, 400)
            caught.exception.close()

    def test_formats_and_regions(self) -> None:
        ec2, s3, config = self.client("ec2"), self.client("s3"), self.client("config")
        s3.create_bucket(Bucket=f"flows-{self.account}")
        flows = {"ResourceIds": [ec2.describe_vpcs()["Vpcs"][0]["VpcId"]], "ResourceType": "VPC", "TrafficType": "ALL"}
        flows |= {"LogDestinationType": "s3", "LogDestination": f"arn:aws:s3:::flows-{self.account}"}
        self.fails("InvalidParameter", ec2.create_flow_logs, **flows, LogFormat="${version} ${colour}")
        made = ec2.create_flow_logs(**flows, LogFormat="${version} ${pkt-srcaddr} ${reject-reason}")
        self.assertEqual(made["Unsuccessful"], [])
        authorize = config.put_aggregation_authorization
        nowhere = {"AuthorizedAccountId": self.account, "AuthorizedAwsRegion": "nowhere"}
        self.fails("InvalidParameterValueException", authorize, **nowhere)
