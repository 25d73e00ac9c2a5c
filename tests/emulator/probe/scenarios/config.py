"""Config."""

import json
from contextlib import suppress

from emulator.probe.trial import Trial


def recorder(t: Trial) -> None:
    t.role = f"arn:aws:iam::{t.acct}:role/aws-service-role/config.amazonaws.com/AWSServiceRoleForConfig"
    with suppress(Exception):
        t.client("s3").create_bucket(Bucket=f"acme-config-{t.acct}")
        t.client("s3").put_bucket_policy(
            Bucket=f"acme-config-{t.acct}",
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "config.amazonaws.com"},
                            "Action": ["s3:GetBucketAcl", "s3:ListBucket", "s3:PutObject"],
                            "Resource": [
                                f"arn:aws:s3:::{f'acme-config-{t.acct}'}",
                                f"arn:aws:s3:::{f'acme-config-{t.acct}'}/*",
                            ],
                        }
                    ],
                }
            ),
        )
    made = t("config.DescribeConfigurationRecorders")
    t.check("config.DescribeConfigurationRecorders", "empty at first", lambda: made.ConfigurationRecorders == [])
    t(
        "config.PutDeliveryChannel",
        DeliveryChannel={"name": "default", "s3BucketName": f"acme-config-{t.acct}"},
        expect="NoAvailableConfigurationRecorderException",
    )
    t(
        "config.PutConfigRule",
        ConfigRule={"ConfigRuleName": "x", "Source": {"Owner": "AWS", "SourceIdentifier": "ROOT_ACCOUNT_MFA_ENABLED"}},
        expect="NoAvailableConfigurationRecorderException",
    )
    rec = {
        "name": "default",
        "roleARN": t.role,
        "recordingGroup": {
            "allSupported": False,
            "includeGlobalResourceTypes": False,
            "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::User"]},
            "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
        },
        "recordingMode": {"recordingFrequency": "CONTINUOUS"},
    }
    t("config.PutConfigurationRecorder", ConfigurationRecorder=rec)
    made = t("config.DescribeConfigurationRecorders")
    t.check(
        "config.PutConfigurationRecorder DescribeConfigurationRecorders",
        "strategy, exclusion, mode",
        lambda: (
            (
                lambda got: (
                    got["recordingGroup"]["recordingStrategy"]["useOnly"],
                    got["recordingGroup"]["exclusionByResourceTypes"]["resourceTypes"],
                    got["recordingMode"]["recordingFrequency"],
                )
            )(made.ConfigurationRecorders[0])
            == ("EXCLUSION_BY_RESOURCE_TYPES", ["AWS::IAM::User"], "CONTINUOUS")
        ),
    )
    t(
        "config.PutConfigurationRecorder",
        ConfigurationRecorder=dict(rec, name="second"),
        expect="MaxNumberOfConfigurationRecordersExceededException",
    )
    t(
        "config.StartConfigurationRecorder",
        ConfigurationRecorderName="default",
        expect="NoAvailableDeliveryChannelException",
    )
    t(
        "config.PutDeliveryChannel",
        DeliveryChannel={
            "name": "default",
            "s3BucketName": f"acme-config-{t.acct}",
            "s3KmsKeyArn": t.key,
            "configSnapshotDeliveryProperties": {"deliveryFrequency": "TwentyFour_Hours"},
        },
    )
    made = t("config.DescribeDeliveryChannels")
    t.check(
        "config.PutDeliveryChannel DescribeDeliveryChannels",
        "back with key",
        lambda: (
            (
                made.DeliveryChannels[0]["s3KmsKeyArn"],
                made.DeliveryChannels[0]["configSnapshotDeliveryProperties"]["deliveryFrequency"],
            )
            == (t.key, "TwentyFour_Hours")
        ),
    )
    t("config.StartConfigurationRecorder", ConfigurationRecorderName="default")
    made = t("config.DescribeConfigurationRecorderStatus")
    t.check(
        "config.StartConfigurationRecorder DescribeConfigurationRecorderStatus",
        "recording",
        lambda: made.ConfigurationRecordersStatus[0]["recording"] is True,
    )
    made = t("config.DescribeDeliveryChannelStatus")
    t.check("config.DescribeDeliveryChannelStatus", "one", lambda: len(made.DeliveryChannelsStatus) == 1)
    made = t("config.ListConfigurationRecorders")
    t.check(
        "config.ListConfigurationRecorders",
        "listed",
        lambda: [got["name"] for got in made.ConfigurationRecorderSummaries] == ["default"],
    )
    t("config.PutRetentionConfiguration", RetentionPeriodInDays=400)
    made = t("config.DescribeRetentionConfigurations")
    t.check(
        "config.PutRetentionConfiguration DescribeRetentionConfigurations",
        "400",
        lambda: made.RetentionConfigurations[0]["RetentionPeriodInDays"] == 400,
    )
    t("config.DeleteRetentionConfiguration", RetentionConfigurationName="default")
    made = t("config.DescribeRetentionConfigurations")
    t.check("config.DeleteRetentionConfiguration", "gone", lambda: made.RetentionConfigurations == [])
    made = t("config.PutServiceLinkedConfigurationRecorder", ServicePrincipal="observabilityadmin.amazonaws.com")
    t.check(
        "config.PutServiceLinkedConfigurationRecorder",
        "named AWSConfigurationRecorderFor…",
        lambda: made.Name.startswith("AWSConfigurationRecorderFor"),
    )
    try:
        t.made_ra = t.client("config").describe_configuration_recorders()["ConfigurationRecorders"][0].get("arn")
    except Exception:
        t.made_ra = None
    t.made_ra = t.made_ra or f"arn:aws:config:us-east-1:{t.acct}:configuration-recorder/default/abcdefghijklmnop"


def rules(t: Trial) -> None:
    cr = {
        "ConfigRuleName": "baseline-x",
        "Description": "d",
        "Scope": {"ComplianceResourceTypes": ["AWS::S3::Bucket"]},
        "Source": {"Owner": "AWS", "SourceIdentifier": "S3_BUCKET_SSL_REQUESTS_ONLY"},
    }
    t("config.PutConfigRule", ConfigRule=cr, Tags=[{"Key": "a", "Value": "b"}])
    made = t("config.DescribeConfigRules")
    t.check(
        "config.PutConfigRule DescribeConfigRules",
        "back with ARN, ACTIVE",
        lambda: (
            (
                lambda got: (
                    got["Description"],
                    got["Scope"],
                    got["Source"]["SourceIdentifier"],
                    got["ConfigRuleState"],
                    bool(got["ConfigRuleArn"]),
                )
            )(made.ConfigRules[0])
            == ("d", cr["Scope"], "S3_BUCKET_SSL_REQUESTS_ONLY", "ACTIVE", True)
        ),
    )
    arn = (
        made["ConfigRules"][0]["ConfigRuleArn"]
        if made.ok and made.get("ConfigRules")
        else f"arn:aws:config:us-east-1:{t.acct}:config-rule/config-rule-abcdef"
    )
    read = t("config.ListTagsForResource", ResourceArn=arn)
    t.check("config.ListTagsForResource", "tags at create", lambda: read.Tags == [{"Key": "a", "Value": "b"}])
    t(
        "config.PutConfigRule",
        ConfigRule={
            "ConfigRuleName": "ev",
            "InputParameters": '{"maxAccessKeyAge":"90"}',
            "MaximumExecutionFrequency": "TwentyFour_Hours",
            "EvaluationModes": [{"Mode": "DETECTIVE"}],
            "Source": {"Owner": "AWS", "SourceIdentifier": "ACCESS_KEYS_ROTATED"},
        },
    )
    made = t("config.DescribeConfigRules", ConfigRuleNames=["ev"])
    t.check(
        "config.PutConfigRule",
        "parameters, frequency, evaluation modes",
        lambda: (
            (
                json.loads(made.ConfigRules[0]["InputParameters"]),
                made.ConfigRules[0]["MaximumExecutionFrequency"],
                made.ConfigRules[0]["EvaluationModes"],
            )
            == ({"maxAccessKeyAge": "90"}, "TwentyFour_Hours", [{"Mode": "DETECTIVE"}])
        ),
    )
    cr2 = {k: v for k, v in cr.items() if k != "Description"}
    t("config.PutConfigRule", ConfigRule=cr2)
    made = t("config.DescribeConfigRules", ConfigRuleNames=["baseline-x"])
    t.check("config.PutConfigRule", "replaces: description gone", lambda: "Description" not in made.ConfigRules[0])
    t(
        "config.PutConfigRule",
        ConfigRule={
            "ConfigRuleName": "guard",
            "Source": {
                "Owner": "CUSTOM_POLICY",
                "SourceDetails": [{"EventSource": "aws.config", "MessageType": "ConfigurationItemChangeNotification"}],
                "CustomPolicyDetails": {
                    "PolicyRuntime": "guard-2.x.x",
                    "PolicyText": "rule x { true }",
                    "EnableDebugLogDelivery": False,
                },
            },
        },
    )
    read = t("config.GetCustomRulePolicy", ConfigRuleName="guard")
    t.check("config.GetCustomRulePolicy PutConfigRule", "policy text", lambda: read.PolicyText == "rule x { true }")
    t("config.DescribeConfigRules", ConfigRuleNames=["none-x"], expect="NoSuchConfigRuleException")
    t("config.TagResource", ResourceArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    read = t("config.ListTagsForResource", ResourceArn=arn)
    t.check("config.TagResource ListTagsForResource", "rule: kept", lambda: {"Key": "k", "Value": "v"} in read.Tags)
    t("config.UntagResource", ResourceArn=arn, TagKeys=["k"])
    read = t("config.ListTagsForResource", ResourceArn=arn)
    t.check("config.UntagResource", "gone", lambda: "k" not in [got["Key"] for got in read.Tags])
    t("config.TagResource", ResourceArn=t.made_ra, Tags=[{"Key": "k", "Value": "v"}])
    read = t("config.ListTagsForResource", ResourceArn=t.made_ra)
    t.check("config.TagResource", "recorder: kept", lambda: {"Key": "k", "Value": "v"} in read.Tags)
    made = t("config.DescribeComplianceByConfigRule")
    t.check(
        "config.DescribeComplianceByConfigRule",
        "a row for each rule",
        lambda: {"baseline-x", "ev"} <= {got["ConfigRuleName"] for got in made.ComplianceByConfigRules},
    )
    made = t("config.GetComplianceDetailsByConfigRule", ConfigRuleName="ev")
    t.check("config.GetComplianceDetailsByConfigRule", "none at first", lambda: made.EvaluationResults == [])
    t.evaluate("ev", {"type": "AWS::S3::Bucket", "id": "b", "compliance": "NON_COMPLIANT"})
    seen = t("config.GetComplianceDetailsByConfigRule", ConfigRuleName="ev")
    t.check(
        "config.GetComplianceDetailsByConfigRule",
        "what does not comply",
        lambda: (
            [
                (one["ComplianceType"], one["EvaluationResultIdentifier"]["EvaluationResultQualifier"]["ResourceId"])
                for one in seen.EvaluationResults
            ]
            == [("NON_COMPLIANT", "b")]
        ),
    )
    made = t(
        "config.PutEvaluations",
        ResultToken="t",
        Evaluations=[
            {
                "ComplianceResourceType": "AWS::S3::Bucket",
                "ComplianceResourceId": "b",
                "ComplianceType": "NON_COMPLIANT",
                "OrderingTimestamp": "2026-01-01T00:00:00Z",
            }
        ],
        TestMode=True,
    )
    again = t("config.GetComplianceDetailsByConfigRule", ConfigRuleName="ev")
    t.check(
        "config.PutEvaluations",
        "none fails, and a test keeps none",
        lambda: not made.get("FailedEvaluations") and len(again.EvaluationResults) == len(seen.EvaluationResults),
    )
    made = t(
        "config.PutRemediationConfigurations",
        RemediationConfigurations=[
            {
                "ConfigRuleName": "ev",
                "TargetType": "SSM_DOCUMENT",
                "TargetId": "AWS-DisablePublicAccessForSecurityGroup",
            }
        ],
    )
    t.check("config.PutRemediationConfigurations", "no failed batch", lambda: not made.get("FailedBatches") and made.ok)
    t("config.DeleteRemediationConfiguration", ConfigRuleName="ev")
    left = t.client("config").describe_remediation_configurations(ConfigRuleNames=["ev"])
    t.check("config.DeleteRemediationConfiguration", "gone", lambda: left["RemediationConfigurations"] == [])
    t("config.DeleteConfigRule", ConfigRuleName="ev")
    made = t("config.DescribeConfigRules")
    t.check(
        "config.DeleteConfigRule",
        "gone or DELETING",
        lambda: (
            [got["ConfigRuleState"] for got in made.ConfigRules if got["ConfigRuleName"] == "ev"] in ([], ["DELETING"])
        ),
    )


def conformance_packs(t: Trial) -> None:
    t("config.DescribeConformancePacks", ConformancePackNames=["p1"], expect="NoSuchConformancePackException")
    made = t(
        "config.PutConformancePack",
        ConformancePackName="p1",
        TemplateBody="Resources: {}",
        ConformancePackInputParameters=[{"ParameterName": "a", "ParameterValue": "b"}],
        Tags=[{"Key": "sha", "Value": "1"}],
    )
    pa = made.get("ConformancePackArn") or f"arn:aws:config:us-east-1:{t.acct}:conformance-pack/p1/conformance-pack-abc"
    made = t("config.DescribeConformancePacks")
    t.check(
        "config.PutConformancePack DescribeConformancePacks",
        "parameters",
        lambda: made.ConformancePackDetails[0]["ConformancePackInputParameters"][0]["ParameterValue"] == "b",
    )
    made = t("config.DescribeConformancePackStatus")
    t.check(
        "config.DescribeConformancePackStatus",
        "CREATE_COMPLETE",
        lambda: made.ConformancePackStatusDetails[0]["ConformancePackState"] == "CREATE_COMPLETE",
    )
    read = t("config.ListTagsForResource", ResourceArn=pa)
    t.check("config.ListTagsForResource", "pack tags", lambda: read.Tags == [{"Key": "sha", "Value": "1"}])
    t("config.DeleteConformancePack", ConformancePackName="p1")
    made = t("config.DescribeConformancePacks")
    t.check("config.DeleteConformancePack", "gone", lambda: made.ConformancePackDetails == [])


def aggregators(t: Trial) -> None:
    t(
        "config.PutConfigurationAggregator",
        ConfigurationAggregatorName="ag",
        AccountAggregationSources=[{"AccountIds": ["111122223333"], "AllAwsRegions": True}],
        Tags=[{"Key": "a", "Value": "b"}],
    )
    made = t("config.DescribeConfigurationAggregators")
    t.check(
        "config.PutConfigurationAggregator DescribeConfigurationAggregators",
        "sources",
        lambda: (
            (
                made.ConfigurationAggregators[0]["AccountAggregationSources"][0]["AccountIds"],
                made.ConfigurationAggregators[0]["AccountAggregationSources"][0]["AllAwsRegions"],
            )
            == (["111122223333"], True)
        ),
    )
    organization = {"RoleArn": t.role, "AllAwsRegions": True}
    t(
        "config.PutConfigurationAggregator",
        ConfigurationAggregatorName="agorg",
        OrganizationAggregationSource=organization,
        expect="NoAvailableOrganizationException",
    )
    assert t.org_member
    t(
        "config.PutConfigurationAggregator",
        ConfigurationAggregatorName="agorg",
        OrganizationAggregationSource=organization,
    )
    made = t("config.DescribeConfigurationAggregators", ConfigurationAggregatorNames=["agorg"])
    t.check(
        "config.PutConfigurationAggregator",
        "organization source",
        lambda: made.ConfigurationAggregators[0]["OrganizationAggregationSource"]["RoleArn"] == t.role,
    )
    made = t("config.DescribeConfigurationAggregatorSourcesStatus", ConfigurationAggregatorName="ag")
    t.check(
        "config.DescribeConfigurationAggregatorSourcesStatus",
        "a row for the account",
        lambda: made.AggregatedSourceStatusList[0]["SourceId"] == "111122223333",
    )
    t("config.DeleteConfigurationAggregator", ConfigurationAggregatorName="ag")
    made = t("config.DescribeConfigurationAggregators")
    t.check(
        "config.DeleteConfigurationAggregator",
        "gone",
        lambda: "ag" not in [got["ConfigurationAggregatorName"] for got in made.ConfigurationAggregators],
    )
    t("config.PutAggregationAuthorization", AuthorizedAccountId="111122223333", AuthorizedAwsRegion="us-east-1")
    t("config.PutAggregationAuthorization", AuthorizedAccountId="111122223333", AuthorizedAwsRegion="us-east-1")
    made = t("config.DescribeAggregationAuthorizations")
    t.check(
        "config.PutAggregationAuthorization DescribeAggregationAuthorizations",
        "once",
        lambda: [got["AuthorizedAccountId"] for got in made.AggregationAuthorizations] == ["111122223333"],
    )
    t("config.DeleteAggregationAuthorization", AuthorizedAccountId="111122223333", AuthorizedAwsRegion="us-east-1")
    made = t("config.DescribeAggregationAuthorizations")
    t.check("config.DeleteAggregationAuthorization", "gone", lambda: made.AggregationAuthorizations == [])
    t("config.DeleteDeliveryChannel", DeliveryChannelName="default", expect="LastDeliveryChannelDeleteFailedException")
    t("config.StopConfigurationRecorder", ConfigurationRecorderName="default")
    made = t("config.DescribeConfigurationRecorderStatus")
    t.check(
        "config.StopConfigurationRecorder",
        "stopped",
        lambda: made.ConfigurationRecordersStatus[0]["recording"] is False,
    )
    t("config.DeleteDeliveryChannel", DeliveryChannelName="default")
    made = t("config.DescribeDeliveryChannels")
    t.check("config.DeleteDeliveryChannel", "gone", lambda: made.DeliveryChannels == [])
    t("config.DeleteConfigurationRecorder", ConfigurationRecorderName="default")
    made = t("config.DescribeConfigurationRecorders")
    t.check("config.DeleteConfigurationRecorder", "gone", lambda: made.ConfigurationRecorders == [])


SCENARIOS = [[recorder, rules, conformance_packs, aggregators]]
