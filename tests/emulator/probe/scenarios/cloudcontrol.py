"""Cloud Control."""

import json
import time

from emulator.probe.trial import Trial

ASSUME = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}


def resources(t: Trial) -> None:
    made = t(
        "cloudcontrol.CreateResource",
        TypeName="AWS::S3::Bucket",
        DesiredState=json.dumps(
            {
                "BucketName": "cc-bucket-1",
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "BlockPublicPolicy": True,
                    "IgnorePublicAcls": True,
                    "RestrictPublicBuckets": True,
                },
            }
        ),
    )
    rt = (made.get("ProgressEvent") or {}).get("RequestToken", "x")
    time.sleep(0.5)
    got = t("cloudcontrol.GetResourceRequestStatus", RequestToken=rt)
    t.check(
        "cloudcontrol.CreateResource GetResourceRequestStatus",
        "SUCCESS",
        lambda: got.ProgressEvent["OperationStatus"] == "SUCCESS",
    )
    got = t("cloudcontrol.GetResource", TypeName="AWS::S3::Bucket", Identifier="cc-bucket-1")
    t.check(
        "cloudcontrol.GetResource",
        "properties",
        lambda: json.loads(got.ResourceDescription["Properties"])["BucketName"] == "cc-bucket-1",
    )
    t.check(
        "cloudcontrol.CreateResource",
        "the bucket exists in S3",
        lambda: t.client("s3").head_bucket(Bucket="cc-bucket-1"),
    )
    t(
        "cloudcontrol.UpdateResource",
        TypeName="AWS::S3::Bucket",
        Identifier="cc-bucket-1",
        PatchDocument=json.dumps([{"op": "add", "path": "/VersioningConfiguration", "value": {"Status": "Enabled"}}]),
    )
    time.sleep(0.5)
    t.check(
        "cloudcontrol.UpdateResource",
        "S3 shows it",
        lambda: t.client("s3").get_bucket_versioning(Bucket="cc-bucket-1")["Status"] == "Enabled",
    )
    got = t("cloudcontrol.ListResources", TypeName="AWS::S3::Bucket")
    t.check(
        "cloudcontrol.ListResources",
        "listed",
        lambda: "cc-bucket-1" in [answer["Identifier"] for answer in got.ResourceDescriptions],
    )
    for ty, ds in (
        ("AWS::GuardDuty::Detector", {"Enable": True}),
        ("AWS::Logs::LogGroup", {"LogGroupName": "/cc/x", "RetentionInDays": 365}),
        (
            "AWS::IAM::Role",
            {"RoleName": "cc-role", "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [ASSUME]}},
        ),
        ("AWS::AccessAnalyzer::Analyzer", {"Type": "ACCOUNT"}),
        ("AWS::SecurityHub::Hub", {}),
        ("AWS::SSM::Parameter", {"Name": "/cc/p", "Type": "String", "Value": "x"}),
    ):
        made = t("cloudcontrol.CreateResource", TypeName=ty, DesiredState=json.dumps(ds))
        token = made.get("ProgressEvent", {}).get("RequestToken", "none")
        done = t("cloudcontrol.GetResourceRequestStatus", RequestToken=token)
        t.check(
            "cloudcontrol.CreateResource GetResourceRequestStatus",
            ty,
            lambda: done.ProgressEvent["OperationStatus"] == "SUCCESS",
        )
    t.check(
        "cloudcontrol.CreateResource",
        "the log group exists in Logs",
        lambda: (
            t.client("logs").describe_log_groups(logGroupNamePrefix="/cc/x")["logGroups"][0]["retentionInDays"] == 365
        ),
    )
    answer = t("cloudcontrol.DeleteResource", TypeName="AWS::S3::Bucket", Identifier="cc-bucket-1")
    t.check("cloudcontrol.DeleteResource", "its request", lambda: answer.ProgressEvent["Operation"] == "DELETE")
    token = answer.get("ProgressEvent", {}).get("RequestToken", "none")
    answer = t("cloudcontrol.GetResourceRequestStatus", RequestToken=token)
    t.check(
        "cloudcontrol.DeleteResource GetResourceRequestStatus",
        "done, and the bucket is gone",
        lambda: (
            answer.ProgressEvent["OperationStatus"] == "SUCCESS"
            and "cc-bucket-1" not in [one["Name"] for one in t.client("s3").list_buckets()["Buckets"]]
        ),
    )


SCENARIOS = [[resources]]
