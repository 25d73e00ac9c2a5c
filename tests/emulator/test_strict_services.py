"""Where other services are strict: names, whole-object writes, absent errors, quotas, what is on its way out."""

import json
import unittest

from emulator.testing import AccountTest, client

PATTERN = json.dumps({"source": ["a"]})
WRITES = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "logs:PutLogEvents",
                "Resource": "*",
            }
        ],
    }
)
ALARM = {
    "AlarmName": "alarm",
    "MetricName": "m",
    "Namespace": "n",
    "Statistic": "Sum",
    "Period": 300,
    "EvaluationPeriods": 1,
    "Threshold": 1,
    "ComparisonOperator": "GreaterThanOrEqualToThreshold",
}


class Watching(AccountTest):
    def test_an_alarm_is_put_as_a_whole_and_keeps_state_and_tags(self) -> None:
        watch = self.client("cloudwatch")
        more = {"AlarmDescription": "d", "TreatMissingData": "notBreaching", "ActionsEnabled": False}
        topic = f"arn:aws:sns:us-east-1:{self.account}:t"
        watch.put_metric_alarm(**ALARM, **more, AlarmActions=[topic], Tags=[{"Key": "a", "Value": "1"}])
        [made] = watch.describe_alarms(AlarmNames=["alarm"])["MetricAlarms"]
        self.assertEqual(made["StateValue"], "INSUFFICIENT_DATA")
        watch.set_alarm_state(AlarmName="alarm", StateValue="ALARM", StateReason="because")
        watch.put_metric_alarm(**ALARM, Tags=[{"Key": "b", "Value": "2"}])
        [now] = watch.describe_alarms(AlarmNames=["alarm"])["MetricAlarms"]
        self.assertEqual((now["StateValue"], now["StateReason"]), ("ALARM", "because"))
        self.assertEqual((now["AlarmActions"], now["ActionsEnabled"]), ([], True))
        self.assertEqual((now.get("AlarmDescription"), now.get("TreatMissingData")), (None, None))
        tags = watch.list_tags_for_resource(ResourceARN=now["AlarmArn"])["Tags"]
        self.assertEqual(tags, [{"Key": "a", "Value": "1"}], "tags are for new alarms")
        actions = [f"{topic}{number}" for number in range(6)]
        self.fails("ValidationError", watch.put_metric_alarm, **ALARM, AlarmActions=actions)

    def test_what_an_alarm_cannot_say(self) -> None:
        watch, topic = self.client("cloudwatch"), f"arn:aws:sns:eu-west-1:{self.account}:t"
        for more in (
            {"Period": 61},
            {"Period": 60, "EvaluationPeriods": 1441},
            {"EvaluationPeriods": 1, "DatapointsToAlarm": 2},
            {"TreatMissingData": "perhaps"},
            {"AlarmActions": ["topic"]},
            {"AlarmActions": [topic]},
            {"Statistic": None},
            {"MetricName": None},
            {"Threshold": None},
        ):
            alarm = {name: value for name, value in (ALARM | more).items() if value is not None}
            self.fails("ValidationError", watch.put_metric_alarm, **alarm)
        both = {"ExtendedStatistic": "p99"}
        self.fails("InvalidParameterCombination", watch.put_metric_alarm, **ALARM, **both)
        query = [{"Id": "m", "MetricStat": {"Metric": {"MetricName": "m"}, "Period": 60, "Stat": "Sum"}}]
        self.fails("ValidationError", watch.put_metric_alarm, **ALARM, Metrics=query)
        self.assertEqual(watch.describe_alarms()["MetricAlarms"], [])
        self.fails("ResourceNotFound", watch.set_alarm_state, AlarmName="no", StateValue="OK", StateReason="r")

    def test_alarms_are_found_by_all_that_is_asked_in_pages(self) -> None:
        watch, topic = self.client("cloudwatch"), f"arn:aws:sns:us-east-1:{self.account}:t"
        for number in range(51):
            watch.put_metric_alarm(**ALARM | {"AlarmName": f"a{number}"}, AlarmActions=[topic] if number % 2 else [])
        first = watch.describe_alarms()
        self.assertEqual((len(first["MetricAlarms"]), first["CompositeAlarms"]), (50, []))
        self.assertEqual(len(watch.describe_alarms(NextToken=first["NextToken"])["MetricAlarms"]), 1)
        self.fails("InvalidNextToken", watch.describe_alarms, NextToken="guess")
        new = first["MetricAlarms"][0]
        self.assertEqual(new["StateReason"], "Unchecked: Initial alarm creation")
        self.assertEqual((new["StateTransitionedTimestamp"], "StateReasonData" in new), (new["StateUpdatedTimestamp"], 0))
        names = ["a1", "a2"]
        watch.set_alarm_state(AlarmName="a2", StateValue="OK", StateReason="r")
        for asked, found in (
            ({"AlarmNames": names, "StateValue": "OK"}, ["a2"]),
            ({"AlarmNames": names, "ActionPrefix": topic}, ["a1"]),
            ({"AlarmNames": names, "AlarmTypes": ["CompositeAlarm"]}, []),
        ):
            self.assertEqual([one["AlarmName"] for one in watch.describe_alarms(**asked)["MetricAlarms"]], found)
        both = {"AlarmNames": names, "AlarmNamePrefix": "a"}
        self.fails("ValidationError", watch.describe_alarms, **both)

    def test_alarms_of_two_sorts_have_one_set_of_names(self) -> None:
        watch = self.client("cloudwatch")
        watch.put_composite_alarm(AlarmName="both", AlarmRule='ALARM("a")', Tags=[{"Key": "a", "Value": "1"}])
        watch.put_metric_alarm(**ALARM)
        self.assertEqual([one["AlarmName"] for one in watch.describe_alarms()["MetricAlarms"]], ["alarm"])
        every = watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm", "LogAlarm"])
        self.assertEqual([one["AlarmName"] for one in every["MetricAlarms"]], ["alarm"])
        [both] = every["CompositeAlarms"]
        self.assertEqual((both["AlarmRule"], both["StateValue"], both["ActionsEnabled"]), ('ALARM("a")', "INSUFFICIENT_DATA", True))
        self.assertEqual(watch.list_tags_for_resource(ResourceARN=both["AlarmArn"])["Tags"], [{"Key": "a", "Value": "1"}])
        self.fails("ValidationError", watch.put_metric_alarm, **ALARM | {"AlarmName": "both"})
        self.fails("ValidationError", watch.put_composite_alarm, AlarmName="alarm", AlarmRule="TRUE")
        watch.delete_alarms(AlarmNames=["both"])
        watch.put_metric_alarm(**ALARM | {"AlarmName": "both"})

    def test_an_alarm_keeps_its_window_and_warm_up(self) -> None:
        watch = self.client("cloudwatch")
        more = {
            "EvaluationWindow": {"WallClockWindow": {"Timezone": "+0200"}},
            "WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 60},
            "ActionConfiguration": {"AlarmTagsPropagation": {"Enabled": True}},
        }
        watch.put_metric_alarm(**ALARM, **more)
        [made] = watch.describe_alarms()["MetricAlarms"]
        self.assertEqual({name: made[name] for name in more}, more)
        watch.put_metric_alarm(**ALARM)
        [now] = watch.describe_alarms()["MetricAlarms"]
        self.assertFalse(set(more) & set(now), "an alarm is replaced as a whole")

    def test_an_alarm_takes_its_tags_along(self) -> None:
        watch = self.client("cloudwatch")
        watch.put_metric_alarm(**ALARM, Tags=[{"Key": "a", "Value": "1"}])
        watch.delete_alarms(AlarmNames=["none", "alarm"])
        watch.put_metric_alarm(**ALARM)
        [made] = watch.describe_alarms()["MetricAlarms"]
        self.assertEqual(watch.list_tags_for_resource(ResourceARN=made["AlarmArn"])["Tags"], [])
        reserved = [{"Key": "aws:a", "Value": "1"}]
        self.fails("InvalidParameterValue", watch.tag_resource, ResourceARN=made["AlarmArn"], Tags=reserved)
        gone = made["AlarmArn"] + "x"
        self.fails("ResourceNotFoundException", watch.list_tags_for_resource, ResourceARN=gone)

    def test_a_rule_is_put_as_a_whole(self) -> None:
        events = self.client("events")
        role = f"arn:aws:iam::{self.account}:role/r"
        events.put_rule(Name="r", EventPattern=PATTERN, Description="d", State="DISABLED", RoleArn=role)
        events.put_rule(Name="r", EventPattern=PATTERN)
        now = events.describe_rule(Name="r")
        self.assertEqual((now.get("Description"), now["State"], now.get("RoleArn")), (None, "ENABLED", None))
        target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{self.account}:q"}
        events.put_targets(Rule="r", Targets=[target])
        self.fails("ValidationException", events.delete_rule, Name="r")
        events.delete_rule(Name="none")
        self.fails("ResourceNotFoundException", events.describe_rule, Name="none")
        self.fails("ResourceNotFoundException", events.put_targets, Rule="none", Targets=[target])
        self.fails("ValidationException", events.put_rule, Name="x")
        self.fails("ValidationException", events.put_rule, Name="x", ScheduleExpression="every day")
        for wrong in ("{", json.dumps({"source": "a"})):
            self.fails("InvalidEventPatternException", events.put_rule, Name="x", EventPattern=wrong)
        events.create_event_bus(Name="bus")
        scheduled = {"ScheduleExpression": "rate(1 day)", "EventBusName": "bus"}
        self.fails("ValidationException", events.put_rule, Name="x", **scheduled)
        self.fails("ResourceNotFoundException", events.put_rule, Name="x", EventPattern=PATTERN, EventBusName="none")

    def test_log_groups_and_their_policies(self) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName="a")
        self.fails("ResourceAlreadyExistsException", logs.create_log_group, logGroupName="a")
        self.fails("InvalidParameterException", logs.create_log_group, logGroupName="a b")
        absent = {"logGroupName": "none", "retentionInDays": 1}
        self.fails("ResourceNotFoundException", logs.put_retention_policy, **absent)
        put, delete = logs.put_resource_policy, logs.delete_resource_policy
        long = WRITES + " " * (51_200 - len(WRITES))
        for wrong in ("{", PATTERN, json.dumps({"Statement": []}), long + " "):
            self.fails("InvalidParameterException", put, policyName="x", policyDocument=wrong)
        put(policyName="p1", policyDocument=long)
        for number in range(10):
            put(policyName=f"p{number}", policyDocument=WRITES)
        self.fails("LimitExceededException", put, policyName="x", policyDocument=WRITES)
        made = put(policyName="p1", policyDocument=WRITES)["resourcePolicy"]
        self.assertEqual((made["policyScope"], made["policyDocument"]), ("ACCOUNT", WRITES))
        first = logs.describe_resource_policies(limit=6)
        second = logs.describe_resource_policies(limit=6, nextToken=first["nextToken"])
        self.assertEqual([len(one["resourcePolicies"]) for one in (first, second)], [6, 4])
        self.assertNotIn("nextToken", second)
        self.fails("ResourceNotFoundException", delete, policyName="none")
        self.fails("InvalidParameterException", delete)

    def test_topics(self) -> None:
        sns = self.client("sns")
        absent = f"arn:aws:sns:us-east-1:{self.account}:none"
        self.fails("NotFound", sns.get_topic_attributes, TopicArn=absent)
        sns.delete_topic(TopicArn=absent)
        topic = sns.create_topic(Name="t")["TopicArn"]
        attributes = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        self.assertEqual(json.loads(attributes["Policy"])["Statement"][0]["Sid"], "__default_statement_ID")
        self.assertNotIn("SignatureVersion", attributes)
        put = sns.set_topic_attributes
        self.fails("InvalidParameter", put, TopicArn=topic, AttributeName="Policy", AttributeValue="none")
        put(TopicArn=topic, AttributeName="KmsMasterKeyId", AttributeValue="alias/x")
        now = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
        self.assertEqual(now["KmsMasterKeyId"], "alias/x", "as it was sent")
        self.fails("InvalidParameter", sns.unsubscribe, SubscriptionArn="PendingConfirmation")

    def test_five_trails_in_a_region_shadows_too(self) -> None:
        trails, s3, bucket = self.client("cloudtrail"), self.client("s3"), f"trails-{self.account}"
        s3.create_bucket(Bucket=bucket)
        resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
        allow = {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:*"}
        policy = {"Version": "2012-10-17", "Statement": [allow | {"Resource": resources}]}
        s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
        other = self.client("cloudtrail", "eu-west-1")
        other.create_trail(Name="everywhere", S3BucketName=bucket, IsMultiRegionTrail=True)
        for number in range(4):
            trails.create_trail(Name=f"trail-{number}", S3BucketName=bucket)
        code = "MaximumNumberOfTrailsExceededException"
        self.fails(code, trails.create_trail, Name="one-more", S3BucketName=bucket)
        [made] = trails.describe_trails(trailNameList=["trail-0"])["trailList"]
        flags = [made[n] for n in ("IsMultiRegionTrail", "LogFileValidationEnabled", "IncludeGlobalServiceEvents")]
        self.assertEqual(flags, [False, False, True], "the defaults of the API")
        self.assertFalse(trails.get_trail_status(Name="trail-0")["IsLogging"])
        both = {"IsMultiRegionTrail": True, "IncludeGlobalServiceEvents": False}
        self.fails("InvalidParameterCombinationException", trails.update_trail, Name="trail-0", **both)


class Keeping(AccountTest):
    def test_documents_are_made_in_versions(self) -> None:
        ssm, name = self.client("ssm"), "SSM-SessionManagerRunShell"
        content = {"schemaVersion": "1.0", "description": "1", "sessionType": "Standard_Stream", "inputs": {}}
        document = {"Name": name, "Content": json.dumps(content), "DocumentFormat": "JSON"}
        self.fails("InvalidDocument", ssm.get_document, Name=name)
        ssm.create_document(**document, DocumentType="Session")
        self.fails("DocumentAlreadyExists", ssm.create_document, **document, DocumentType="Session")
        update = ssm.update_document
        self.fails("DuplicateDocumentContent", update, **document, DocumentVersion="$LATEST")
        second = document | {"Content": json.dumps(content | {"description": "2"})}
        update(**second, DocumentVersion="$LATEST")
        self.assertEqual(json.loads(ssm.get_document(Name=name)["Content"])["description"], "1", "the default stays")
        ssm.update_document_default_version(Name=name, DocumentVersion="2")
        self.assertEqual(json.loads(ssm.get_document(Name=name)["Content"])["description"], "2")
        bad = {"Name": "other", "Content": "{", "DocumentFormat": "JSON", "DocumentType": "Session"}
        self.fails("InvalidDocumentContent", ssm.create_document, **bad)

    def test_parameters(self) -> None:
        ssm, parameter = self.client("ssm"), {"Name": "p", "Value": "1", "Type": "String"}
        ssm.put_parameter(**parameter)
        self.fails("ParameterAlreadyExists", ssm.put_parameter, **parameter)
        tagged = parameter | {"Overwrite": True, "Tags": [{"Key": "a", "Value": ""}]}
        self.fails("ValidationException", ssm.put_parameter, **tagged)
        self.fails("ParameterNotFound", ssm.get_parameter, Name="none")

    def test_a_secret_on_its_way_out_keeps_its_name(self) -> None:
        secrets = self.client("secretsmanager")
        secrets.create_secret(Name="s", SecretString="x")
        self.fails("ResourceExistsException", secrets.create_secret, Name="s", SecretString="x")
        secrets.delete_secret(SecretId="s")
        self.fails("InvalidRequestException", secrets.put_secret_value, SecretId="s", SecretString="y")
        self.fails("InvalidRequestException", secrets.create_secret, Name="s", SecretString="x")
        self.fails("ResourceNotFoundException", secrets.describe_secret, SecretId="none")

    def test_vaults_and_their_lock(self) -> None:
        backup, vault = self.client("backup"), {"BackupVaultName": "vault"}
        backup.create_backup_vault(**vault)
        self.fails("AlreadyExistsException", backup.create_backup_vault, **vault)
        self.fails("InvalidParameterValueException", backup.create_backup_vault, BackupVaultName="a b c")
        self.fails("ResourceNotFoundException", backup.describe_backup_vault, BackupVaultName="none")
        lock = backup.put_backup_vault_lock_configuration
        lock(**vault, MinRetentionDays=7, MaxRetentionDays=30)
        now = backup.describe_backup_vault(**vault)
        self.assertEqual((now["Locked"], now.get("LockDate"), now["MinRetentionDays"]), (True, None, 7))
        lock(**vault, MaxRetentionDays=31)
        now = backup.describe_backup_vault(**vault)
        self.assertEqual((now.get("MinRetentionDays"), now["MaxRetentionDays"]), (None, 31), "put as a whole")
        self.fails("InvalidParameterValueException", lock, **vault, ChangeableForDays=2)
        self.fails("InvalidParameterValueException", lock, **vault, MinRetentionDays=9, MaxRetentionDays=8)
        backup.delete_backup_vault_lock_configuration(**vault)
        self.assertFalse(backup.describe_backup_vault(**vault)["Locked"])

    def test_web_acls(self) -> None:
        waf, metrics = self.client("wafv2"), {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True}
        acl = {"Name": "w", "DefaultAction": {"Allow": {}}, "VisibilityConfig": metrics | {"MetricName": "m"}}
        made = waf.create_web_acl(**acl, Scope="REGIONAL")["Summary"]
        self.fails("WAFDuplicateItemException", waf.create_web_acl, **acl, Scope="REGIONAL")
        same = {"Scope": "REGIONAL", "Id": made["Id"]}
        waf.update_web_acl(**acl, **same, LockToken=made["LockToken"])
        code = "WAFOptimisticLockException"
        self.fails(code, waf.update_web_acl, **acl, **same, LockToken=made["LockToken"])
        self.fails(code, waf.delete_web_acl, Name="w", **same, LockToken=made["LockToken"])
        elsewhere = self.client("wafv2", "eu-west-1")
        self.fails("WAFInvalidParameterException", elsewhere.create_web_acl, **acl, Scope="CLOUDFRONT")
        self.fails("WAFInvalidParameterException", elsewhere.list_web_acls, Scope="CLOUDFRONT")
        waf.create_web_acl(**acl, Scope="CLOUDFRONT")
        self.fails("WAFNonexistentItemException", waf.get_logging_configuration, ResourceArn=made["ARN"])
        log = {"ResourceArn": made["ARN"], "LogDestinationConfigs": [f"arn:aws:s3:::logs-{self.account}"]}
        put = waf.put_logging_configuration
        self.fails("WAFInvalidParameterException", put, LoggingConfiguration=log)
        put(LoggingConfiguration=log | {"LogDestinationConfigs": [f"arn:aws:s3:::aws-waf-logs-{self.account}"]})
        unknown = {"Name": "w", "Scope": "REGIONAL", "Id": "00000000-0000-0000-0000-000000000000"}
        self.fails("WAFNonexistentItemException", waf.get_web_acl, **unknown)

    def test_contacts_and_certificates(self) -> None:
        account = self.client("account")
        for call in (account.get_alternate_contact, account.delete_alternate_contact):
            self.fails("ResourceNotFoundException", call, AlternateContactType="SECURITY")
        acm = self.client("acm")
        self.assertEqual(acm.get_account_configuration()["ExpiryEvents"]["DaysBeforeExpiry"], 45)
        wrong = {"ExpiryEvents": {"DaysBeforeExpiry": 0}, "IdempotencyToken": "a"}
        self.fails("ValidationException", acm.put_account_configuration, **wrong)


class Buckets(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.s3, self.bucket = self.client("s3"), f"strict-{self.account}"
        self.s3.create_bucket(Bucket=self.bucket)

    def test_what_is_not_set_has_a_code_of_its_own(self) -> None:
        self.s3.delete_public_access_block(Bucket=self.bucket)
        for read, code in (
            ("get_bucket_cors", "NoSuchCORSConfiguration"),
            ("get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration"),
            ("get_bucket_policy", "NoSuchBucketPolicy"),
            ("get_bucket_policy_status", "NoSuchBucketPolicy"),
            ("get_bucket_replication", "ReplicationConfigurationNotFoundError"),
            ("get_bucket_tagging", "NoSuchTagSet"),
            ("get_bucket_website", "NoSuchWebsiteConfiguration"),
            ("get_object_lock_configuration", "ObjectLockConfigurationNotFoundError"),
            ("get_public_access_block", "NoSuchPublicAccessBlockConfiguration"),
        ):
            self.fails(code, getattr(self.s3, read), Bucket=self.bucket)
            self.fails("NoSuchBucket", getattr(self.s3, read), Bucket=f"none-{self.bucket}")
        block = {"BlockPublicAcls": True}
        self.s3.put_public_access_block(Bucket=self.bucket, PublicAccessBlockConfiguration=block)
        now = self.s3.get_public_access_block(Bucket=self.bucket)["PublicAccessBlockConfiguration"]
        self.assertEqual([name for name, on in now.items() if on], ["BlockPublicAcls"], "put as a whole")

    def test_names_and_places(self) -> None:
        create = self.s3.create_bucket
        bad = ["Bad-Name", "under_score", "a..b", "192.168.5.4", "-begins", "xn--name", "name-s3alias"]
        for name in (*bad, "amzn-s3-demo-a", "a.mrap"):
            self.fails("InvalidBucketName", create, Bucket=name)
        here = {"LocationConstraint": "us-east-1"}
        self.fails("InvalidLocationConstraint", create, Bucket="new-" + self.bucket, CreateBucketConfiguration=here)
        there = {"LocationConstraint": "eu-west-1"}
        other = self.client("s3", "eu-west-1")
        again = {"Bucket": self.bucket, "CreateBucketConfiguration": there}
        self.fails("BucketAlreadyOwnedByYou", other.create_bucket, **again)
        stranger = client("s3", str(int(self.account) + 100000))
        self.fails("BucketAlreadyExists", stranger.create_bucket, Bucket=self.bucket)
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"")
        self.fails("BucketNotEmpty", self.s3.delete_bucket, Bucket=self.bucket)

    def test_logs_stay_in_their_region(self) -> None:
        other = f"other-{self.account}"
        constraint = {"LocationConstraint": "eu-west-1"}
        self.client("s3", "eu-west-1").create_bucket(Bucket=other, CreateBucketConfiguration=constraint)
        for target, code in (
            (other, "CrossLocationLoggingProhibitted"),
            (f"none-{other}", "InvalidTargetBucketForLogging"),
        ):
            status = {"LoggingEnabled": {"TargetBucket": target, "TargetPrefix": ""}}
            self.fails(code, self.s3.put_bucket_logging, Bucket=self.bucket, BucketLoggingStatus=status)

    def test_tags(self) -> None:
        twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
        for tags in (twice, [{"Key": "aws:a", "Value": "1"}]):
            self.fails("InvalidTag", self.s3.put_bucket_tagging, Bucket=self.bucket, Tagging={"TagSet": tags})


if __name__ == "__main__":
    unittest.main()
