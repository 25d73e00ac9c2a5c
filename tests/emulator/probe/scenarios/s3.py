"""S3 and S3 Control."""

import json

from emulator.probe.trial import Trial


def s3control(t: Trial) -> None:
    t("s3control.GetPublicAccessBlock", AccountId=t.acct, expect="NoSuchPublicAccessBlockConfiguration")
    t.pab = dict(BlockPublicAcls=True, IgnorePublicAcls=True, BlockPublicPolicy=True, RestrictPublicBuckets=True)
    t("s3control.PutPublicAccessBlock", AccountId=t.acct, PublicAccessBlockConfiguration=t.pab)
    read = t("s3control.GetPublicAccessBlock", AccountId=t.acct)
    t.check(
        "s3control.PutPublicAccessBlock GetPublicAccessBlock",
        "back",
        lambda: read.PublicAccessBlockConfiguration == t.pab,
    )
    t("s3control.PutPublicAccessBlock", AccountId=t.acct, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    read = t("s3control.GetPublicAccessBlock", AccountId=t.acct)
    t.check(
        "s3control.PutPublicAccessBlock",
        "replaces: omitted is false",
        lambda: read.PublicAccessBlockConfiguration["RestrictPublicBuckets"] is False,
    )
    read = t("s3control.GetPublicAccessBlock", AccountId=t.acct, region="eu-west-1")
    t.check(
        "s3control.GetPublicAccessBlock",
        "same in all Regions",
        lambda: read.PublicAccessBlockConfiguration["BlockPublicAcls"] is True,
    )
    t("s3control.DeletePublicAccessBlock", AccountId=t.acct)
    t("s3control.GetPublicAccessBlock", AccountId=t.acct, expect="NoSuchPublicAccessBlockConfiguration")
    t.gone("s3control.DeletePublicAccessBlock", "s3control.GetPublicAccessBlock")


def s3(t: Trial) -> None:
    B = f"acme-log-1-{t.acct}"
    t("s3.CreateBucket", Bucket=B, ObjectLockEnabledForBucket=True)
    h = t("s3.HeadBucket", Bucket=B)
    t.check("s3.CreateBucket HeadBucket", "Region", lambda: h.get("BucketRegion", "us-east-1") == "us-east-1" and h.ok)
    t.check("s3.HeadBucket", "answers x-amz-bucket-region", lambda: h.BucketRegion == "us-east-1")
    t("s3.HeadBucket", Bucket="does-not-exist-x", expect="404")
    listed = t("s3.ListBuckets")
    t.check("s3.ListBuckets", "listed", lambda: B in [made["Name"] for made in listed.Buckets])
    t.check(
        "s3.CreateBucket",
        "new bucket: all four blocks",
        lambda: all(t.client("s3").get_public_access_block(Bucket=B)["PublicAccessBlockConfiguration"].values()),
    )
    t.check(
        "s3.CreateBucket",
        "new bucket: BucketOwnerEnforced",
        lambda: (
            t.client("s3").get_bucket_ownership_controls(Bucket=B)["OwnershipControls"]["Rules"][0]["ObjectOwnership"]
            == "BucketOwnerEnforced"
        ),
    )
    t("s3.PutPublicAccessBlock", Bucket=B, PublicAccessBlockConfiguration=t.pab)
    made = t("s3.GetPublicAccessBlock", Bucket=B)
    t.check(
        "s3.PutPublicAccessBlock GetPublicAccessBlock", "back", lambda: made.PublicAccessBlockConfiguration == t.pab
    )
    t("s3.DeletePublicAccessBlock", Bucket=B)
    t("s3.GetPublicAccessBlock", Bucket=B, expect="NoSuchPublicAccessBlockConfiguration")
    t.gone("s3.DeletePublicAccessBlock", "s3.GetPublicAccessBlock")
    t(
        "s3.PutBucketOwnershipControls",
        Bucket=B,
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    made = t("s3.GetBucketOwnershipControls", Bucket=B)
    t.check(
        "s3.PutBucketOwnershipControls GetBucketOwnershipControls",
        "back",
        lambda: made.OwnershipControls["Rules"][0]["ObjectOwnership"] == "BucketOwnerEnforced",
    )
    t("s3.DeleteBucketOwnershipControls", Bucket=B)
    t("s3.GetBucketOwnershipControls", Bucket=B, expect="OwnershipControlsNotFoundError")
    t.gone("s3.DeleteBucketOwnershipControls", "s3.GetBucketOwnershipControls")
    made = t("s3.GetBucketEncryption", Bucket=B)
    t.check(
        "s3.GetBucketEncryption",
        "default AES256 without any put",
        lambda: (
            made.ServerSideEncryptionConfiguration["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            == "AES256"
        ),
    )
    enc = {
        "Rules": [
            {
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": t.key},
                "BucketKeyEnabled": True,
                "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
            }
        ]
    }
    t("s3.PutBucketEncryption", Bucket=B, ServerSideEncryptionConfiguration=enc)
    made = t("s3.GetBucketEncryption", Bucket=B)
    t.check(
        "s3.PutBucketEncryption GetBucketEncryption",
        "key and bucket key",
        lambda: (
            (
                made.ServerSideEncryptionConfiguration["Rules"][0]["ApplyServerSideEncryptionByDefault"],
                made.ServerSideEncryptionConfiguration["Rules"][0]["BucketKeyEnabled"],
            )
            == (enc["Rules"][0]["ApplyServerSideEncryptionByDefault"], True)
        ),
    )
    t.check(
        "s3.PutBucketEncryption",
        "BlockedEncryptionTypes kept",
        lambda: (
            made.ServerSideEncryptionConfiguration["Rules"][0]["BlockedEncryptionTypes"]
            == {"EncryptionType": ["SSE-C"]}
        ),
    )
    t("s3.DeleteBucketEncryption", Bucket=B)
    made = t("s3.GetBucketEncryption", Bucket=B)
    t.check(
        "s3.DeleteBucketEncryption",
        "back to AES256",
        lambda: (
            made.ServerSideEncryptionConfiguration["Rules"][0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]
            == "AES256"
        ),
    )
    made = t("s3.GetBucketVersioning", Bucket=B)
    t.check("s3.CreateBucket", "object lock forces versioning", lambda: made.Status == "Enabled")
    B2 = f"acme-log-2-{t.acct}"
    t("s3.CreateBucket", Bucket=B2)
    made = t("s3.GetBucketVersioning", Bucket=B2)
    t.check("s3.GetBucketVersioning", "never enabled: empty", lambda: "Status" not in made)
    t("s3.PutBucketVersioning", Bucket=B2, VersioningConfiguration={"Status": "Enabled"})
    made = t("s3.GetBucketVersioning", Bucket=B2)
    t.check("s3.PutBucketVersioning GetBucketVersioning", "Enabled", lambda: made.Status == "Enabled")
    t("s3.GetBucketPolicy", Bucket=B, expect="NoSuchBucketPolicy")
    t("s3.GetBucketPolicyStatus", Bucket=B, expect="NoSuchBucketPolicy")
    pol = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "t",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [f"arn:aws:s3:::{B2}", f"arn:aws:s3:::{B2}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    )
    t("s3.PutBucketPolicy", Bucket=B2, Policy=pol)
    made = t("s3.GetBucketPolicy", Bucket=B2)
    t.check(
        "s3.PutBucketPolicy GetBucketPolicy",
        "back; a conditional Deny blocks nobody",
        lambda: json.loads(made.Policy)["Statement"][0]["Sid"] == "t",
    )
    made = t("s3.GetBucketPolicyStatus", Bucket=B2)
    t.check("s3.GetBucketPolicyStatus", "Deny is not public", lambda: made.PolicyStatus["IsPublic"] is False)
    made = t("s3.GetBucketVersioning", Bucket=B2)
    t.check("s3.PutBucketPolicy", "reads still work after the TLS Deny", lambda: made.ok)
    t("s3.DeletePublicAccessBlock", Bucket=B2)
    pub = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{B2}/*"}
            ],
        }
    )
    t("s3.PutBucketPolicy", Bucket=B2, Policy=pub)
    made = t("s3.GetBucketPolicyStatus", Bucket=B2)
    t.check("s3.GetBucketPolicyStatus", "public one is public", lambda: made.PolicyStatus["IsPublic"] is True)
    pc = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:GetObject",
                    "Resource": f"arn:aws:s3:::{B2}/*",
                    "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-abc1234567"}},
                }
            ],
        }
    )
    t("s3.PutBucketPolicy", Bucket=B2, Policy=pc)
    made = t("s3.GetBucketPolicyStatus", Bucket=B2)
    t.check(
        "s3.GetBucketPolicyStatus", "aws:PrincipalOrgID is not public", lambda: made.PolicyStatus["IsPublic"] is False
    )
    pr = pc.replace("StringEquals", "StringNotEquals")
    t("s3.PutBucketPolicy", Bucket=B2, Policy=pr)
    made = t("s3.GetBucketPolicyStatus", Bucket=B2)
    t.check(
        "s3.GetBucketPolicyStatus",
        "a condition that does not narrow is public",
        lambda: made.PolicyStatus["IsPublic"] is True,
    )
    t("s3.DeleteBucketPolicy", Bucket=B2)
    t("s3.GetBucketPolicy", Bucket=B2, expect="NoSuchBucketPolicy")
    t.gone("s3.DeleteBucketPolicy", "s3.GetBucketPolicy")
    t("s3.GetBucketLifecycleConfiguration", Bucket=B, expect="NoSuchLifecycleConfiguration")
    lc = {
        "Rules": [
            {
                "ID": "a",
                "Status": "Enabled",
                "Filter": {"And": {"Prefix": "AWSLogs/", "ObjectSizeGreaterThan": 1000}},
                "Transitions": [{"Days": 90, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}],
                "Expiration": {"Days": 2557},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ]
    }
    t("s3.PutBucketLifecycleConfiguration", Bucket=B, LifecycleConfiguration=lc)
    made = t("s3.GetBucketLifecycleConfiguration", Bucket=B)
    t.check(
        "s3.PutBucketLifecycleConfiguration GetBucketLifecycleConfiguration",
        "all members back",
        lambda: made.Rules == lc["Rules"],
    )
    t.check(
        "s3.GetBucketLifecycleConfiguration",
        "TransitionDefaultMinimumObjectSize",
        lambda: made.TransitionDefaultMinimumObjectSize == "all_storage_classes_128K",
    )
    t("s3.DeleteBucketLifecycle", Bucket=B)
    t("s3.GetBucketLifecycleConfiguration", Bucket=B, expect="NoSuchLifecycleConfiguration")
    t.gone("s3.DeleteBucketLifecycle", "s3.GetBucketLifecycleConfiguration")
    ol = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}}
    t("s3.PutObjectLockConfiguration", Bucket=B, ObjectLockConfiguration=ol)
    made = t("s3.GetObjectLockConfiguration", Bucket=B)
    t.check(
        "s3.PutObjectLockConfiguration GetObjectLockConfiguration",
        "back exactly",
        lambda: made.ObjectLockConfiguration == ol,
    )
    t("s3.GetObjectLockConfiguration", Bucket=B2, expect="ObjectLockConfigurationNotFoundError")
    made = t("s3.GetBucketLogging", Bucket=B)
    t.check("s3.GetBucketLogging", "empty at first", lambda: "LoggingEnabled" not in made)
    t.client("s3")
    lg = {
        "LoggingEnabled": {
            "TargetBucket": B2,
            "TargetPrefix": "p/",
            "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
        }
    }
    pl = json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "logging.s3.amazonaws.com"},
                    "Action": "s3:PutObject",
                    "Resource": f"arn:aws:s3:::{B2}/*",
                }
            ],
        }
    )
    t("s3.PutBucketPolicy", Bucket=B2, Policy=pl)
    t("s3.PutBucketLogging", Bucket=B, BucketLoggingStatus=lg)
    made = t("s3.GetBucketLogging", Bucket=B)
    t.check(
        "s3.PutBucketLogging GetBucketLogging",
        "back",
        lambda: (made.LoggingEnabled["TargetBucket"], made.LoggingEnabled["TargetPrefix"]) == (B2, "p/"),
    )
    t.check(
        "s3.PutBucketLogging",
        "key format kept",
        lambda: made.LoggingEnabled["TargetObjectKeyFormat"] == lg["LoggingEnabled"]["TargetObjectKeyFormat"],
    )
    t("s3.PutBucketLogging", Bucket=B, BucketLoggingStatus={})
    made = t("s3.GetBucketLogging", Bucket=B)
    t.check("s3.PutBucketLogging", "empty status disables", lambda: "LoggingEnabled" not in made)
    t("s3.GetBucketTagging", Bucket=B, expect="NoSuchTagSet")
    t("s3.PutBucketTagging", Bucket=B, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    made = t("s3.GetBucketTagging", Bucket=B)
    t.check("s3.PutBucketTagging GetBucketTagging", "back", lambda: made.TagSet == [{"Key": "a", "Value": "b"}])
    t("s3.GetBucketReplication", Bucket=B, expect="ReplicationConfigurationNotFoundError")
    t(
        "s3.PutBucketReplication",
        Bucket=B,
        ReplicationConfiguration={
            "Role": f"arn:aws:iam::{t.acct}:role/r",
            "Rules": [
                {
                    "ID": "r",
                    "Status": "Enabled",
                    "Priority": 1,
                    "Filter": {"Prefix": ""},
                    "DeleteMarkerReplication": {"Status": "Disabled"},
                    "Destination": {"Bucket": f"arn:aws:s3:::{B2}"},
                }
            ],
        },
    )
    made = t("s3.GetBucketReplication", Bucket=B)
    t.check(
        "s3.PutBucketReplication GetBucketReplication",
        "back",
        lambda: made.ReplicationConfiguration["Rules"][0]["ID"] == "r",
    )
    t("s3.PutBucketVersioning", Bucket=B, VersioningConfiguration={"Status": "Suspended"}, expect="InvalidBucketState")
    made = t("s3.GetBucketAcl", Bucket=B)
    t.check("s3.GetBucketAcl", "owner has full control", lambda: made.Grants[0]["Permission"] == "FULL_CONTROL")
    t("s3.PutBucketOwnershipControls", Bucket=B2, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    t("s3.PutBucketAcl", Bucket=B2, ACL="public-read")
    made = t("s3.GetBucketAcl", Bucket=B2)
    t.check(
        "s3.PutBucketAcl",
        "public grant seen",
        lambda: any(("AllUsers" in read["Grantee"].get("URI", "") for read in made.Grants)),
    )
    made = t("s3.GetBucketAbac", Bucket=B2)
    t.check("s3.GetBucketAbac", "disabled at first", lambda: made.AbacStatus["Status"] == "Disabled")
    t("s3.PutBucketAbac", Bucket=B2, AbacStatus={"Status": "Enabled"})
    made = t("s3.GetBucketAbac", Bucket=B2)
    t.check("s3.PutBucketAbac", "enabled", lambda: made.AbacStatus["Status"] == "Enabled")
    t("s3control.CreateAccessPoint", AccountId=t.acct, Name="ap1", Bucket=B, PublicAccessBlockConfiguration=t.pab)
    made = t("s3control.GetAccessPoint", AccountId=t.acct, Name="ap1")
    t.check(
        "s3control.CreateAccessPoint GetAccessPoint", "block back", lambda: made.PublicAccessBlockConfiguration == t.pab
    )
    t("s3control.TagResource", AccountId=t.acct, ResourceArn=f"arn:aws:s3:::{B2}", Tags=[{"Key": "z", "Value": "y"}])
    made = t("s3.GetBucketTagging", Bucket=B2)
    t.check("s3control.TagResource", "seen by GetBucketTagging", lambda: {"Key": "z", "Value": "y"} in made.TagSet)
    t("s3control.UntagResource", AccountId=t.acct, ResourceArn=f"arn:aws:s3:::{B2}", TagKeys=["z"])
    try:
        made = t.client("s3").get_bucket_tagging(Bucket=B2)["TagSet"]
    except Exception:
        made = []
    t.check(
        "s3control.UntagResource",
        "gone",
        lambda: not [got for got in made if got["Key"] == "z"] and t.went("s3control.UntagResource"),
    )
    t(
        "s3.CreateBucket",
        Bucket="acme-eu",
        region="eu-west-1",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
    )
    t.last_status.clear()
    t(
        "s3.GetBucketPolicy",
        Bucket="acme-eu",
        expect=["PermanentRedirect", "AuthorizationHeaderMalformed", "NoSuchBucketPolicy"],
    )
    t.check("s3.GetBucketPolicy", "wrong Region: 301 redirect", lambda: 301 in t.last_status or 400 in t.last_status)
    made = t("s3.GetBucketTagging", Bucket=B, ExpectedBucketOwner="999999999999", expect="AccessDenied")
    t("s3.DeleteBucket", Bucket="acme-eu", region="eu-west-1")
    t("s3.HeadBucket", Bucket="acme-eu", expect="404")
    t.gone("s3.DeleteBucket", "s3.HeadBucket")


SCENARIOS = [[s3control, s3]]
