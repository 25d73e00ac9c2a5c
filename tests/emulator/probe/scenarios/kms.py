"""KMS."""

import json

from emulator.probe.trial import Trial


def kms(t: Trial) -> None:
    answer = t("kms.CreateKey", Description="d", Tags=[{"TagKey": "a", "TagValue": "b"}])
    kid = answer["KeyMetadata"]["KeyId"] if answer.ok else "1234abcd-12ab-34cd-56ef-1234567890ab"
    karn = answer["KeyMetadata"]["Arn"] if answer.ok else f"arn:aws:kms:us-east-1:{t.acct}:key/" + kid
    t.kid, t.karn = (kid, karn)
    d = t("kms.DescribeKey", KeyId=kid)
    t.check(
        "kms.CreateKey DescribeKey",
        "metadata for eligibility",
        lambda: all(
            (
                made in d.KeyMetadata
                for made in ("KeyManager", "KeySpec", "KeyUsage", "Origin", "KeyState", "MultiRegion")
            )
        ),
    )
    t.check("kms.DescribeKey", "MultiRegion is a boolean", lambda: d.KeyMetadata["MultiRegion"] is False)
    listed = t("kms.ListResourceTags", KeyId=kid)
    t.check(
        "kms.ListResourceTags CreateKey", "tags at create", lambda: listed.Tags == [{"TagKey": "a", "TagValue": "b"}]
    )
    t("kms.CreateAlias", AliasName="alias/x", TargetKeyId=kid)
    d = t("kms.DescribeKey", KeyId="alias/x")
    t.check("kms.CreateAlias DescribeKey", "by alias", lambda: d.KeyMetadata["KeyId"] == kid)
    listed = t("kms.ListAliases", KeyId=kid)
    t.check("kms.ListAliases", "of the key", lambda: [made["AliasName"] for made in listed.Aliases] == ["alias/x"])
    listed = t("kms.ListKeys")
    t.check("kms.ListKeys", "listed", lambda: kid in [made["KeyId"] for made in listed.Keys])
    r2 = t("kms.CreateKey")
    k2 = r2["KeyMetadata"]["KeyId"] if r2.ok else kid
    t("kms.UpdateAlias", AliasName="alias/x", TargetKeyId=k2)
    d = t("kms.DescribeKey", KeyId="alias/x")
    t.check("kms.UpdateAlias", "moved", lambda: d.KeyMetadata["KeyId"] == k2)
    t("kms.DeleteAlias", AliasName="alias/x")
    t("kms.DescribeKey", KeyId="alias/x", expect="NotFoundException")
    t.gone("kms.DeleteAlias", "kms.DescribeKey")
    t("kms.UpdateKeyDescription", KeyId=kid, Description="e")
    d = t("kms.DescribeKey", KeyId=kid)
    t.check("kms.UpdateKeyDescription", "changed", lambda: d.KeyMetadata["Description"] == "e")
    pol = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "root",
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{t.acct}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        }
    )
    t("kms.PutKeyPolicy", KeyId=kid, PolicyName="default", Policy=pol)
    read = t("kms.GetKeyPolicy", KeyId=kid, PolicyName="default")
    t.check("kms.PutKeyPolicy GetKeyPolicy", "back", lambda: json.loads(read.Policy)["Statement"][0]["Sid"] == "root")
    listed = t("kms.ListKeyPolicies", KeyId=kid)
    t.check("kms.ListKeyPolicies", "default", lambda: listed.PolicyNames == ["default"])
    read = t("kms.GetKeyRotationStatus", KeyId=kid)
    t.check("kms.GetKeyRotationStatus", "off at first", lambda: read.KeyRotationEnabled is False)
    t("kms.EnableKeyRotation", KeyId=kid, RotationPeriodInDays=180)
    read = t("kms.GetKeyRotationStatus", KeyId=kid)
    t.check(
        "kms.EnableKeyRotation GetKeyRotationStatus",
        "period 180 and NextRotationDate",
        lambda: read.KeyRotationEnabled and read.RotationPeriodInDays == 180 and read.NextRotationDate,
    )
    t("kms.DisableKeyRotation", KeyId=kid)
    read = t("kms.GetKeyRotationStatus", KeyId=kid)
    t.check("kms.DisableKeyRotation", "off", lambda: read.KeyRotationEnabled is False)
    a = t("kms.CreateKey", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")
    aid = a["KeyMetadata"]["KeyId"] if a.ok else kid
    t("kms.GetKeyRotationStatus", KeyId=aid, expect="UnsupportedOperationException")
    t("kms.EnableKeyRotation", KeyId=aid, expect="UnsupportedOperationException")
    t("kms.TagResource", KeyId=kid, Tags=[{"TagKey": "k", "TagValue": "v"}])
    listed = t("kms.ListResourceTags", KeyId=kid)
    t.check("kms.TagResource", "kept", lambda: {"TagKey": "k", "TagValue": "v"} in listed.Tags)
    t("kms.UntagResource", KeyId=kid, TagKeys=["k"])
    listed = t("kms.ListResourceTags", KeyId=kid)
    t.check("kms.UntagResource", "gone", lambda: "k" not in [made["TagKey"] for made in listed.Tags])
    t("kms.DisableKey", KeyId=kid)
    d = t("kms.DescribeKey", KeyId=kid)
    t.check(
        "kms.DisableKey",
        "Disabled",
        lambda: d.KeyMetadata["KeyState"] == "Disabled" and d.KeyMetadata["Enabled"] is False,
    )
    t("kms.EnableKeyRotation", KeyId=kid, expect="DisabledException")
    t("kms.EnableKey", KeyId=kid)
    d = t("kms.DescribeKey", KeyId=kid)
    t.check("kms.EnableKey", "Enabled", lambda: d.KeyMetadata["KeyState"] == "Enabled")
    read = t("kms.CreateGrant", KeyId=kid, GranteePrincipal="arn:aws:iam::999999999999:role/x", Operations=["Decrypt"])
    listed = t("kms.ListGrants", KeyId=kid)
    t.check(
        "kms.CreateGrant ListGrants",
        "listed",
        lambda: listed.Grants[0]["GranteePrincipal"].endswith("999999999999:role/x"),
    )
    m = t("kms.CreateKey", MultiRegion=True)
    mid = m["KeyMetadata"]["KeyId"] if m.ok else "mrk-1234"
    t("kms.ReplicateKey", KeyId=mid, ReplicaRegion="eu-west-1")
    d = t("kms.DescribeKey", KeyId=mid, region="eu-west-1")
    t.check(
        "kms.ReplicateKey",
        "replica in the other Region",
        lambda: d.KeyMetadata["MultiRegionConfiguration"]["MultiRegionKeyType"] == "REPLICA",
    )
    t("kms.ScheduleKeyDeletion", KeyId=k2, PendingWindowInDays=7)
    d = t("kms.DescribeKey", KeyId=k2)
    t.check(
        "kms.ScheduleKeyDeletion",
        "PendingDeletion with date",
        lambda: d.KeyMetadata["KeyState"] == "PendingDeletion" and d.KeyMetadata["DeletionDate"],
    )
    t("kms.CancelKeyDeletion", KeyId=k2)
    d = t("kms.DescribeKey", KeyId=k2)
    t.check("kms.CancelKeyDeletion", "Disabled", lambda: d.KeyMetadata["KeyState"] == "Disabled")


SCENARIOS = [[kms]]
