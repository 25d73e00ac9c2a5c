"""CloudTrail."""

import json
from contextlib import suppress

from emulator.probe.trial import Trial


def trails(t: Trial) -> None:
    t.events_on()
    B = f"acme-trail-{t.acct}"

    with suppress(Exception):
        t.client("s3").create_bucket(Bucket=B)
        t.client("s3").put_bucket_policy(
            Bucket=B,
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": ["s3:GetBucketAcl", "s3:PutObject"],
                            "Resource": [f"arn:aws:s3:::{B}", f"arn:aws:s3:::{B}/*"],
                        }
                    ],
                }
            ),
        )
    with suppress(Exception):
        karn = t.client("kms").create_key(
            Policy=json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"AWS": f"arn:aws:iam::{t.acct}:root"},
                            "Action": "kms:*",
                            "Resource": "*",
                        },
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "kms:GenerateDataKey*",
                            "Resource": "*",
                        },
                    ],
                }
            )
        )["KeyMetadata"]["Arn"]
    made = t("cloudtrail.DescribeTrails")
    t.check("cloudtrail.DescribeTrails", "empty at first", lambda: made.trailList == [])
    t("cloudtrail.GetTrailStatus", Name="none-x", expect="TrailNotFoundException")
    made = t(
        "cloudtrail.CreateTrail",
        Name="base",
        S3BucketName=B,
        IsMultiRegionTrail=True,
        EnableLogFileValidation=True,
        KmsKeyId=karn,
        TagsList=[{"Key": "a", "Value": "b"}],
    )
    tarn = made.get("TrailARN") or f"arn:aws:cloudtrail:us-east-1:{t.acct}:trail/base"
    read = t("cloudtrail.DescribeTrails", trailNameList=["base"])
    t.check(
        "cloudtrail.CreateTrail DescribeTrails",
        "all members",
        lambda: (
            (
                lambda got: (
                    got["S3BucketName"],
                    got["IsMultiRegionTrail"],
                    got["LogFileValidationEnabled"],
                    got["KmsKeyId"],
                    got["HomeRegion"],
                    got["IncludeGlobalServiceEvents"],
                )
            )(read.trailList[0])
            == (B, True, True, karn, "us-east-1", True)
        ),
    )
    read = t("cloudtrail.DescribeTrails", trailNameList=["nope-x"])
    t.check("cloudtrail.DescribeTrails", "unknown name: empty list", lambda: read.trailList == [])
    read = t("cloudtrail.DescribeTrails", region="eu-west-1")
    t.check(
        "cloudtrail.DescribeTrails",
        "shadow trail in another Region",
        lambda: [got["Name"] for got in read.trailList] == ["base"],
    )
    t("cloudtrail.CreateTrail", Name="base", S3BucketName=B, expect="TrailAlreadyExistsException")
    read = t("cloudtrail.GetTrailStatus", Name=tarn)
    t.check("cloudtrail.GetTrailStatus", "not logging at first", lambda: read.IsLogging is False)
    t("cloudtrail.StartLogging", Name=tarn)
    read = t("cloudtrail.GetTrailStatus", Name=tarn)
    t.check("cloudtrail.StartLogging GetTrailStatus", "logging", lambda: read.IsLogging is True)
    t("cloudtrail.StopLogging", Name=tarn)
    read = t("cloudtrail.GetTrailStatus", Name=tarn)
    t.check("cloudtrail.StopLogging", "stopped", lambda: read.IsLogging is False)
    read = t("cloudtrail.GetEventSelectors", TrailName="base")
    t.check(
        "cloudtrail.GetEventSelectors", "default selector", lambda: read.EventSelectors[0]["ReadWriteType"] == "All"
    )
    adv = [{"Name": "m", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Management"]}]}]
    t("cloudtrail.PutEventSelectors", TrailName="base", AdvancedEventSelectors=adv)
    read = t("cloudtrail.GetEventSelectors", TrailName="base")
    t.check(
        "cloudtrail.PutEventSelectors GetEventSelectors",
        "advanced replace basic",
        lambda: read.AdvancedEventSelectors == adv and (not read.get("EventSelectors")),
    )
    t("cloudtrail.GetInsightSelectors", TrailName="base", expect="InsightNotEnabledException")
    t("cloudtrail.PutInsightSelectors", TrailName="base", InsightSelectors=[{"InsightType": "ApiCallRateInsight"}])
    read = t("cloudtrail.GetInsightSelectors", TrailName="base")
    t.check(
        "cloudtrail.PutInsightSelectors GetInsightSelectors",
        "back",
        lambda: [got["InsightType"] for got in read.InsightSelectors] == ["ApiCallRateInsight"],
    )
    read = t("cloudtrail.DescribeTrails", trailNameList=["base"])
    t.check(
        "cloudtrail.DescribeTrails",
        "flags HasCustomEventSelectors, HasInsightSelectors",
        lambda: (
            (read.trailList[0]["HasCustomEventSelectors"], read.trailList[0]["HasInsightSelectors"]) == (True, True)
        ),
    )
    made = t(
        "cloudtrail.PutEventConfiguration",
        TrailName="base",
        AggregationConfigurations=[{"EventCategory": "Data", "Templates": ["API_ACTIVITY"]}],
    )
    read = t("cloudtrail.GetEventConfiguration", TrailName="base")
    t.check(
        "cloudtrail.PutEventConfiguration GetEventConfiguration",
        "back",
        lambda: read.AggregationConfigurations[0]["Templates"] == ["API_ACTIVITY"],
    )
    t("cloudtrail.UpdateTrail", Name="base", KmsKeyId="")
    read = t("cloudtrail.DescribeTrails", trailNameList=["base"])
    t.check(
        "cloudtrail.UpdateTrail",
        '"" clears the key, the rest is kept',
        lambda: "KmsKeyId" not in read.trailList[0] and read.trailList[0]["LogFileValidationEnabled"] is True,
    )
    t(
        "cloudtrail.UpdateTrail",
        Name=tarn,
        region="eu-west-1",
        EnableLogFileValidation=False,
        expect="InvalidHomeRegionException",
    )
    read = t("cloudtrail.ListTags", ResourceIdList=[tarn])
    t.check(
        "cloudtrail.ListTags",
        "tags at create",
        lambda: read.ResourceTagList[0]["TagsList"] == [{"Key": "a", "Value": "b"}],
    )
    t("cloudtrail.AddTags", ResourceId=tarn, TagsList=[{"Key": "k", "Value": "v"}])
    read = t("cloudtrail.ListTags", ResourceIdList=[tarn])
    t.check("cloudtrail.AddTags", "kept", lambda: {"Key": "k", "Value": "v"} in read.ResourceTagList[0]["TagsList"])
    t("cloudtrail.RemoveTags", ResourceId=tarn, TagsList=[{"Key": "k"}])
    read = t("cloudtrail.ListTags", ResourceIdList=[tarn])
    t.check(
        "cloudtrail.RemoveTags", "gone", lambda: "k" not in [got["Key"] for got in read.ResourceTagList[0]["TagsList"]]
    )
    read = t("cloudtrail.ListTrails")
    t.check("cloudtrail.ListTrails", "listed", lambda: [got["TrailARN"] for got in read.Trails] == [tarn])
    read = t(
        "cloudtrail.LookupEvents", LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "StopLogging"}]
    )
    t.check(
        "cloudtrail.LookupEvents",
        "finds the StopLogging call made a moment ago",
        lambda: [got["EventName"] for got in read.Events] == ["StopLogging"],
    )
    t("cloudtrail.DeleteTrail", Name=tarn)
    read = t("cloudtrail.DescribeTrails", trailNameList=["base"])
    t.check("cloudtrail.DeleteTrail", "by ARN: gone", lambda: read.trailList == [])
    made = t("cloudtrail.CreateEventDataStore", Name="eds", RetentionPeriod=90, TerminationProtectionEnabled=True)
    ea = (
        made.get("EventDataStoreArn")
        or f"arn:aws:cloudtrail:us-east-1:{t.acct}:eventdatastore/12345678-1234-1234-1234-{t.acct}"
    )
    read = t("cloudtrail.GetEventDataStore", EventDataStore=ea)
    t.check(
        "cloudtrail.CreateEventDataStore GetEventDataStore",
        "retention, protection",
        lambda: (read.RetentionPeriod, read.TerminationProtectionEnabled) == (90, True),
    )
    read = t("cloudtrail.ListEventDataStores")
    t.check(
        "cloudtrail.ListEventDataStores", "listed", lambda: [got["Name"] for got in read.EventDataStores] == ["eds"]
    )
    t("cloudtrail.UpdateEventDataStore", EventDataStore=ea, TerminationProtectionEnabled=False)
    read = t("cloudtrail.GetEventDataStore", EventDataStore=ea)
    t.check(
        "cloudtrail.UpdateEventDataStore",
        "changed, retention kept",
        lambda: (read.RetentionPeriod, read.TerminationProtectionEnabled) == (90, False),
    )
    t("cloudtrail.DeleteEventDataStore", EventDataStore=ea)
    read = t("cloudtrail.GetEventDataStore", EventDataStore=ea)
    t.check(
        "cloudtrail.DeleteEventDataStore",
        "gone or pending deletion",
        lambda: read.code == "EventDataStoreNotFoundException" or read.Status == "PENDING_DELETION",
    )


SCENARIOS = [[trails]]
