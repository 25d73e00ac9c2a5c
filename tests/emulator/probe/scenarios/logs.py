"""CloudWatch Logs."""

import json

from emulator.probe.trial import Trial


def log_groups(t: Trial) -> None:
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme")
    t.check("logs.DescribeLogGroups", "empty at first", lambda: made.logGroups == [])
    t("logs.CreateLogGroup", logGroupName="/acme/a", kmsKeyId=t.key, tags={"a": "b"})
    t("logs.CreateLogGroup", logGroupName="/acme/a", expect="ResourceAlreadyExistsException")
    t("logs.CreateLogGroup", logGroupName="/acme/ab")
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check(
        "logs.CreateLogGroup DescribeLogGroups",
        "prefix gives two; key; no retention; arn ends :*; logGroupArn",
        lambda: (
            (
                len(made.logGroups),
                made.logGroups[0]["kmsKeyId"],
                "retentionInDays" in made.logGroups[0],
                made.logGroups[0]["arn"].endswith(":*"),
            )
            == (2, t.key, False, True)
        ),
    )
    t.check(
        "logs.DescribeLogGroups",
        "logGroupArn and logGroupClass",
        lambda: made.logGroups[0]["logGroupArn"] and made.logGroups[0]["logGroupClass"] == "STANDARD",
    )
    arn = f"arn:aws:logs:us-east-1:{t.acct}:log-group:/acme/a"
    read = t("logs.ListTagsForResource", resourceArn=arn)
    t.check("logs.ListTagsForResource", "tags at create", lambda: read.tags == {"a": "b"})
    t("logs.PutRetentionPolicy", logGroupName="/acme/a", retentionInDays=365)
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check("logs.PutRetentionPolicy", "365", lambda: made.logGroups[0]["retentionInDays"] == 365)
    t("logs.DeleteRetentionPolicy", logGroupName="/acme/a")
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check("logs.DeleteRetentionPolicy", "gone", lambda: "retentionInDays" not in made.logGroups[0])
    t("logs.DisassociateKmsKey", logGroupName="/acme/a")
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check(
        "logs.DisassociateKmsKey",
        "gone",
        lambda: "kmsKeyId" not in made.logGroups[0] and t.went("logs.DisassociateKmsKey"),
    )
    t("logs.AssociateKmsKey", logGroupName="/acme/a", kmsKeyId=t.key)
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check("logs.AssociateKmsKey", "key", lambda: made.logGroups[0]["kmsKeyId"] == t.key)
    t("logs.PutLogGroupDeletionProtection", logGroupIdentifier="/acme/a", deletionProtectionEnabled=True)
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/a")
    t.check(
        "logs.PutLogGroupDeletionProtection DescribeLogGroups",
        "deletionProtectionEnabled",
        lambda: made.logGroups[0]["deletionProtectionEnabled"] is True,
    )
    data = ["arn:aws:dataprotection::aws:data-identifier/EmailAddress"]
    audit = {"Sid": "audit", "DataIdentifier": data, "Operation": {"Audit": {"FindingsDestination": {}}}}
    mask = {"Sid": "mask", "DataIdentifier": data, "Operation": {"Deidentify": {"MaskConfig": {}}}}
    dp = json.dumps({"Name": "p", "Version": "2021-06-01", "Statement": [audit, mask]})
    t("logs.PutDataProtectionPolicy", logGroupIdentifier="/acme/a", policyDocument=dp)
    made = t("logs.GetDataProtectionPolicy", logGroupIdentifier="/acme/a")
    t.check(
        "logs.PutDataProtectionPolicy GetDataProtectionPolicy",
        "back",
        lambda: json.loads(made.policyDocument)["Name"] == "p",
    )
    t("logs.DeleteDataProtectionPolicy", logGroupIdentifier="/acme/a")
    made = t("logs.GetDataProtectionPolicy", logGroupIdentifier="/acme/a")
    t.check("logs.DeleteDataProtectionPolicy", "gone", lambda: made.ok and "policyDocument" not in made)
    t("logs.TagResource", resourceArn=arn, tags={"k": "v"})
    read = t("logs.ListTagsForResource", resourceArn=arn)
    t.check("logs.TagResource", "kept", lambda: read.tags.get("k") == "v")
    t("logs.UntagResource", resourceArn=arn, tagKeys=["k"])
    read = t("logs.ListTagsForResource", resourceArn=arn)
    t.check("logs.UntagResource", "gone", lambda: "k" not in read.tags)
    t("logs.PutAccountPolicy", policyName="p", policyDocument=dp, policyType="DATA_PROTECTION_POLICY", scope="ALL")
    kept = t.client("logs").describe_account_policies(policyType="DATA_PROTECTION_POLICY")
    t.check(
        "logs.PutAccountPolicy",
        "back",
        lambda: [(one["policyName"], one["policyDocument"]) for one in kept["accountPolicies"]] == [("p", dp)],
    )
    rp = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                    "Action": "logs:PutLogEvents",
                    "Resource": "*",
                }
            ],
        }
    )
    t("logs.PutResourcePolicy", policyName="rp", policyDocument=rp)
    made = t("logs.DescribeResourcePolicies")
    t.check(
        "logs.PutResourcePolicy DescribeResourcePolicies",
        "back",
        lambda: (
            [json.loads(p["policyDocument"]) for p in made.resourcePolicies if p["policyName"] == "rp"]
            == [json.loads(rp)]
        ),
    )
    t("logs.PutResourcePolicy", policyName="rp", policyDocument=rp.replace("PutLogEvents", "CreateLogStream"))
    made = t("logs.DescribeResourcePolicies")
    t.check(
        "logs.PutResourcePolicy",
        "upsert",
        lambda: (
            ["CreateLogStream" in p["policyDocument"] for p in made.resourcePolicies if p["policyName"] == "rp"]
            == [True]
        ),
    )
    for n in range(9):
        t("logs.PutResourcePolicy", policyName=f"rp{n}", policyDocument=rp)
    t("logs.PutResourcePolicy", policyName="rp99", policyDocument=rp, expect="LimitExceededException")
    t("logs.DeleteResourcePolicy", policyName="rp")
    made = t("logs.DescribeResourcePolicies")
    t.check("logs.DeleteResourcePolicy", "gone", lambda: "rp" not in [p["policyName"] for p in made.resourcePolicies])


def metric_filters(t: Trial) -> None:
    mt = [{"metricName": "m", "metricNamespace": "CISBenchmark", "metricValue": "1", "defaultValue": 0.0}]
    t(
        "logs.PutMetricFilter",
        logGroupName="/acme/a",
        filterName="f",
        filterPattern='{ $.eventName = "X" }',
        metricTransformations=mt,
    )
    made = t("logs.DescribeMetricFilters", logGroupName="/acme/a")
    t.check(
        "logs.PutMetricFilter DescribeMetricFilters",
        "pattern and transformation",
        lambda: (
            (
                made.metricFilters[0]["filterPattern"],
                made.metricFilters[0]["metricTransformations"][0]["metricNamespace"],
            )
            == ('{ $.eventName = "X" }', "CISBenchmark")
        ),
    )
    t.check(
        "logs.PutMetricFilter",
        "defaultValue kept",
        lambda: made.metricFilters[0]["metricTransformations"][0]["defaultValue"] == 0.0,
    )
    t(
        "logs.PutMetricFilter",
        logGroupName="/acme/a",
        filterName="f",
        filterPattern='{ $.eventName = "Y" }',
        metricTransformations=mt,
    )
    made = t("logs.DescribeMetricFilters", logGroupName="/acme/a")
    t.check(
        "logs.PutMetricFilter",
        "upsert",
        lambda: [got["filterPattern"] for got in made.metricFilters] == ['{ $.eventName = "Y" }'],
    )
    t("logs.DeleteMetricFilter", logGroupName="/acme/a", filterName="f")
    made = t("logs.DescribeMetricFilters", logGroupName="/acme/a")
    t.check("logs.DeleteMetricFilter", "gone", lambda: made.metricFilters == [])
    t("logs.DeleteLogGroup", logGroupName="/acme/ab")
    made = t("logs.DescribeLogGroups", logGroupNamePrefix="/acme/ab")
    t.check("logs.DeleteLogGroup", "gone", lambda: made.logGroups == [])


SCENARIOS = [[log_groups, metric_filters]]
