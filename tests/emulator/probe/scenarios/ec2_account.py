"""EC2: settings of an account in a Region."""

from emulator.probe.material import policy
from emulator.probe.trial import Trial


def block_public_access(t: Trial) -> None:
    got = t("ec2.DescribeVpcBlockPublicAccessOptions")
    t.check(
        "ec2.DescribeVpcBlockPublicAccessOptions",
        "off at first, ManagedBy account",
        lambda: (
            (got.VpcBlockPublicAccessOptions["InternetGatewayBlockMode"], got.VpcBlockPublicAccessOptions["ManagedBy"])
            == ("off", "account")
        ),
    )
    made = t("ec2.CreateVpcBlockPublicAccessExclusion", VpcId=t.vpc, InternetGatewayExclusionMode="allow-egress")
    xid = (made.get("VpcBlockPublicAccessExclusion") or {}).get("ExclusionId", "vpcbpa-exclude-1")
    got = t("ec2.DescribeVpcBlockPublicAccessExclusions")
    t.check(
        "ec2.CreateVpcBlockPublicAccessExclusion DescribeVpcBlockPublicAccessExclusions",
        "listed",
        lambda: [one["InternetGatewayExclusionMode"] for one in got.VpcBlockPublicAccessExclusions] == ["allow-egress"],
    )
    t("ec2.ModifyVpcBlockPublicAccessExclusion", ExclusionId=xid, InternetGatewayExclusionMode="allow-bidirectional")
    got = t("ec2.DescribeVpcBlockPublicAccessExclusions")
    t.check(
        "ec2.ModifyVpcBlockPublicAccessExclusion",
        "changed",
        lambda: got.VpcBlockPublicAccessExclusions[0]["InternetGatewayExclusionMode"] == "allow-bidirectional",
    )
    t("ec2.ModifyVpcBlockPublicAccessOptions", InternetGatewayBlockMode="block-ingress")
    got = t("ec2.DescribeVpcBlockPublicAccessOptions")
    t.check(
        "ec2.ModifyVpcBlockPublicAccessOptions",
        "changed",
        lambda: got.VpcBlockPublicAccessOptions["InternetGatewayBlockMode"] == "block-ingress",
    )
    t("ec2.DeleteVpcBlockPublicAccessExclusion", ExclusionId=xid)
    got = t("ec2.DescribeVpcBlockPublicAccessExclusions")
    t.check(
        "ec2.DeleteVpcBlockPublicAccessExclusion",
        "gone or delete-…",
        lambda: all(("delete" in one["State"] for one in got.VpcBlockPublicAccessExclusions)),
    )


def account_attributes(t: Trial) -> None:
    got = t("ec2.GetEbsEncryptionByDefault")
    t.check("ec2.GetEbsEncryptionByDefault", "off at first", lambda: got.EbsEncryptionByDefault is False)
    t.check("ec2.GetEbsEncryptionByDefault", "SseType", lambda: "SseType" in got)
    got = t("ec2.GetEbsDefaultKmsKeyId")
    t.check(
        "ec2.GetEbsDefaultKmsKeyId",
        "AWS's own key at first, as alias or ARN",
        lambda: "aws/ebs" in got.KmsKeyId or ":key/" in got.KmsKeyId,
    )
    t("ec2.EnableEbsEncryptionByDefault")
    got = t("ec2.GetEbsEncryptionByDefault")
    t.check("ec2.EnableEbsEncryptionByDefault", "on", lambda: got.EbsEncryptionByDefault is True)
    got = t("ec2.GetEbsEncryptionByDefault", region="ap-south-1")
    t.check("ec2.EnableEbsEncryptionByDefault", "per Region", lambda: got.EbsEncryptionByDefault is False)
    t("ec2.ModifyEbsDefaultKmsKeyId", KmsKeyId=t.key or "alias/x")
    got = t("ec2.GetEbsDefaultKmsKeyId")
    t.check("ec2.ModifyEbsDefaultKmsKeyId GetEbsDefaultKmsKeyId", "back", lambda: got.KmsKeyId == t.key)
    t("ec2.ResetEbsDefaultKmsKeyId")
    got = t("ec2.GetEbsDefaultKmsKeyId")
    t.check("ec2.ResetEbsDefaultKmsKeyId", "AWS's own key again", lambda: got.KmsKeyId != t.key)
    t("ec2.DisableEbsEncryptionByDefault")
    got = t("ec2.GetEbsEncryptionByDefault")
    t.check(
        "ec2.DisableEbsEncryptionByDefault",
        "off",
        lambda: got.EbsEncryptionByDefault is False and t.went("ec2.DisableEbsEncryptionByDefault"),
    )
    got = t("ec2.GetSnapshotBlockPublicAccessState")
    t.check("ec2.GetSnapshotBlockPublicAccessState", "unblocked at first", lambda: got.State == "unblocked")
    t("ec2.EnableSnapshotBlockPublicAccess", State="block-all-sharing")
    got = t("ec2.GetSnapshotBlockPublicAccessState")
    t.check("ec2.EnableSnapshotBlockPublicAccess", "changed", lambda: got.State == "block-all-sharing")
    t("ec2.DisableSnapshotBlockPublicAccess")
    got = t("ec2.GetSnapshotBlockPublicAccessState")
    t.check("ec2.DisableSnapshotBlockPublicAccess", "unblocked", lambda: got.State == "unblocked")
    t("ec2.EnableImageBlockPublicAccess", ImageBlockPublicAccessState="block-new-sharing")
    got = t("ec2.GetImageBlockPublicAccessState")
    t.check(
        "ec2.EnableImageBlockPublicAccess GetImageBlockPublicAccessState",
        "changed",
        lambda: got.ImageBlockPublicAccessState == "block-new-sharing",
    )
    t("ec2.DisableImageBlockPublicAccess")
    got = t("ec2.GetImageBlockPublicAccessState")
    t.check("ec2.DisableImageBlockPublicAccess", "unblocked", lambda: got.ImageBlockPublicAccessState == "unblocked")
    got = t("ec2.GetInstanceMetadataDefaults")
    t.check(
        "ec2.GetInstanceMetadataDefaults",
        "nothing set: members absent",
        lambda: set(got.get("AccountLevel", {})) <= {"ManagedBy"} and got.ok,
    )
    t("ec2.ModifyInstanceMetadataDefaults", HttpTokens="required", HttpPutResponseHopLimit=2)
    got = t("ec2.GetInstanceMetadataDefaults")
    t.check(
        "ec2.ModifyInstanceMetadataDefaults GetInstanceMetadataDefaults",
        "back",
        lambda: (got.AccountLevel["HttpTokens"], got.AccountLevel["HttpPutResponseHopLimit"]) == ("required", 2),
    )
    t("ec2.ModifyInstanceMetadataDefaults", HttpTokens="no-preference", HttpPutResponseHopLimit=-1)
    got = t("ec2.GetInstanceMetadataDefaults")
    t.check(
        "ec2.ModifyInstanceMetadataDefaults",
        "no-preference: absent again",
        lambda: "HttpTokens" not in got.AccountLevel,
    )
    got = t("ec2.GetSerialConsoleAccessStatus")
    t.check("ec2.GetSerialConsoleAccessStatus", "off at first", lambda: got.SerialConsoleAccessEnabled is False)
    t("ec2.EnableSerialConsoleAccess")
    got = t("ec2.GetSerialConsoleAccessStatus")
    t.check("ec2.EnableSerialConsoleAccess", "on", lambda: got.SerialConsoleAccessEnabled is True)
    t("ec2.DisableSerialConsoleAccess")
    got = t("ec2.GetSerialConsoleAccessStatus")
    t.check("ec2.DisableSerialConsoleAccess", "off", lambda: got.SerialConsoleAccessEnabled is False)
    got = t("ec2.GetAllowedImagesSettings")
    t.check("ec2.GetAllowedImagesSettings", "disabled at first", lambda: got.State == "disabled")
    t("ec2.ReplaceImageCriteriaInAllowedImagesSettings", ImageCriteria=[{"ImageProviders": ["amazon", "111122223333"]}])
    t("ec2.EnableAllowedImagesSettings", AllowedImagesSettingsState="audit-mode")
    got = t("ec2.GetAllowedImagesSettings")
    t.check(
        "ec2.ReplaceImageCriteriaInAllowedImagesSettings",
        "criteria",
        lambda: got.ImageCriteria[0]["ImageProviders"] == ["amazon", "111122223333"],
    )
    t.check("ec2.EnableAllowedImagesSettings", "audit-mode", lambda: got.State == "audit-mode")
    t("ec2.DisableAllowedImagesSettings")
    got = t("ec2.GetAllowedImagesSettings")
    t.check("ec2.DisableAllowedImagesSettings", "disabled", lambda: got.State == "disabled")


def declarative_reports(t: Trial) -> None:
    """Only an organization's management account asks for them, with a bucket that the service may write to."""
    t("organizations.CreateOrganization", FeatureSet="ALL")
    t("organizations.EnableAWSServiceAccess", ServicePrincipal="ec2.amazonaws.com")
    roots = t("organizations.ListRoots")
    root = roots.Roots[0]["Id"] if roots.ok else "r-abcd"
    bucket = f"acme-report-{t.acct}"
    t("s3.CreateBucket", Bucket=bucket)
    writer = {"Service": "report.declarative-policies-ec2.amazonaws.com"}
    says = {"Effect": "Allow", "Principal": writer, "Action": "s3:PutObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    t("s3.PutBucketPolicy", Bucket=bucket, Policy=policy(says))
    made = t("ec2.StartDeclarativePoliciesReport", S3Bucket=bucket, TargetId=root)
    rid = made.get("ReportId") or "p-1"
    got = t("ec2.DescribeDeclarativePoliciesReports")
    t.check(
        "ec2.StartDeclarativePoliciesReport DescribeDeclarativePoliciesReports",
        "listed",
        lambda: [one["ReportId"] for one in got.Reports] == [rid],
    )
    got = t("ec2.GetDeclarativePoliciesReportSummary", ReportId=rid)
    t.check("ec2.GetDeclarativePoliciesReportSummary", "counts", lambda: "NumberOfAccounts" in got)


SCENARIOS = [[block_public_access], [account_attributes], [declarative_reports]]
