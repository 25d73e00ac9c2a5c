"""S3: buckets by owner and region, every setting of a log bucket, the account's public access block."""

import json
import unittest
from typing import Any

import boto3
from botocore.config import Config

from emulator.testing import AccountTest, client, control, endpoint, resolve

BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Buckets(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.s3 = self.client("s3")
        self.bucket = f"bucket.with-dots-{self.account}"
        self.s3.create_bucket(Bucket=self.bucket)

    def statement(self, **more: Any) -> dict[str, Any]:
        base = {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*",
        }
        return base | more

    def put_policy(self, *statements: dict[str, Any]) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=text)

    def test_root_elements_have_their_own_names(self) -> None:
        seen: dict[str, str] = {}
        self.s3.meta.events.register(
            "before-parse", lambda operation_model, response_dict, **_: seen.update({operation_model.name: response_dict["body"].decode()})
        )
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
        self.s3.get_bucket_tagging(Bucket=self.bucket)
        self.s3.get_bucket_versioning(Bucket=self.bucket)
        self.s3.get_bucket_logging(Bucket=self.bucket)
        self.s3.list_buckets(MaxBuckets=10)
        for operation, root in {
            "GetBucketTagging": "Tagging",
            "GetBucketVersioning": "VersioningConfiguration",
            "GetBucketLogging": "BucketLoggingStatus",
            "ListBuckets": "ListAllMyBucketsResult",
        }.items():
            self.assertIn(f"<{root}", seen[operation])
            self.assertNotIn(f"<{operation}", seen[operation])

    def test_a_new_bucket_has_the_defaults_of_aws(self) -> None:
        s3, bucket = self.s3, self.bucket
        self.assertEqual(
            s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"], dict.fromkeys(BLOCK, True)
        )
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(
            rules,
            [
                {
                    "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                    "BucketKeyEnabled": False,
                    "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
                }
            ],
        )
        controls = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
        self.assertEqual(controls, {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]})
        self.assertNotIn("Status", s3.get_bucket_versioning(Bucket=bucket))
        self.assertNotIn("LoggingEnabled", s3.get_bucket_logging(Bucket=bucket))
        for code, call in (
            ("NoSuchBucketPolicy", s3.get_bucket_policy),
            ("NoSuchBucketPolicy", s3.get_bucket_policy_status),
            ("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration),
            ("ObjectLockConfigurationNotFoundError", s3.get_object_lock_configuration),
            ("NoSuchTagSet", s3.get_bucket_tagging),
        ):
            self.fails(code, call, Bucket=bucket)

    def test_owner_and_region(self) -> None:
        other = client("s3", "7" + self.account[1:])
        self.fails("BucketAlreadyExists", other.create_bucket, Bucket=self.bucket)
        self.fails("AccessDenied", other.get_bucket_policy, Bucket=self.bucket)
        self.fails("403", other.head_bucket, Bucket=self.bucket)
        self.fails(
            "AccessDenied", self.s3.get_bucket_versioning, Bucket=self.bucket, ExpectedBucketOwner="999999999999"
        )
        self.s3.get_bucket_versioning(Bucket=self.bucket, ExpectedBucketOwner=self.account)
        self.assertEqual(self.s3.head_bucket(Bucket=self.bucket)["BucketRegion"], "us-east-1")
        away = f"away-{self.account}"
        there = self.client("s3", "eu-west-1")
        self.fails("IllegalLocationConstraintException", there.create_bucket, Bucket=away)
        there.create_bucket(Bucket=away, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        self.fails(
            "BucketAlreadyOwnedByYou",
            there.create_bucket,
            Bucket=away,
            CreateBucketConfiguration={"LocationConstraint": "eu-west-1"},
        )
        self.s3.get_bucket_versioning(Bucket=away)
        log = [
            (c["operation"], c["region"], c["status"], c["error_code"])
            for c in control("GET", f"calls?account={self.account}")
        ]
        # boto3 learns the region from the redirect and asks again.
        self.assertIn(("GetBucketVersioning", "us-east-1", 301, None), [(o, r, s, None) for o, r, s, _ in log])

    def test_every_account_has_an_id_of_its_own(self) -> None:
        acl = self.s3.get_bucket_acl(Bucket=self.bucket)
        own = self.s3.list_buckets()["Owner"]["ID"]
        self.assertEqual((acl["Owner"], acl["Grants"][0]["Grantee"]["ID"]), ({"ID": own}, own))
        other = client("s3", str(int(self.account) + 100000))
        other.create_bucket(Bucket=f"other-{self.account}")
        self.assertNotEqual(other.get_bucket_acl(Bucket=f"other-{self.account}")["Owner"]["ID"], own)

    def test_conditions_compare_with_texts(self) -> None:
        sent = {"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:TlsVersion": [1.2]}}
        self.put_policy(self.statement(Effect="Deny", Condition=sent))
        [statement] = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])["Statement"]
        kept = {"Bool": {"aws:SecureTransport": "false"}, "NumericLessThan": {"s3:TlsVersion": ["1.2"]}}
        self.assertEqual(statement["Condition"], kept)

    def test_tags_that_count_for_access(self) -> None:
        self.s3.put_bucket_abac(Bucket=self.bucket, AbacStatus={"Status": "Enabled"})
        tags = {"TagSet": [{"Key": "a", "Value": "b"}]}
        self.fails("InvalidRequest", self.s3.put_bucket_tagging, Bucket=self.bucket, Tagging=tags)
        self.fails("InvalidRequest", self.s3.delete_bucket_tagging, Bucket=self.bucket)
        self.s3.put_bucket_abac(Bucket=self.bucket, AbacStatus={"Status": "Disabled"})
        self.s3.put_bucket_tagging(Bucket=self.bucket, Tagging=tags)

    def test_listing(self) -> None:
        for name in ("a", "b"):
            self.s3.create_bucket(Bucket=f"{name}-{self.account}")
        got = self.s3.list_buckets(MaxBuckets=2)
        self.assertEqual([b["BucketRegion"] for b in got["Buckets"]], ["us-east-1"] * 2)
        rest = self.s3.list_buckets(MaxBuckets=2, ContinuationToken=got["ContinuationToken"])
        self.assertEqual([b["Name"] for b in rest["Buckets"]], [self.bucket])
        self.assertEqual(len(self.s3.list_buckets(Prefix="a-")["Buckets"]), 1)

    def test_virtual_host_with_dots_in_the_name(self) -> None:
        keys = {"aws_access_key_id": f"AKIA{self.account}TEST", "aws_secret_access_key": "s"}
        s3 = boto3.client(
            "s3",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            **keys,
            config=Config(s3={"addressing_style": "virtual"}),
        )
        s3.meta.events.register("before-send", resolve)
        s3.put_bucket_tagging(Bucket=self.bucket, Tagging={"TagSet": [{"Key": "a", "Value": "1"}]})
        s3.put_object(Bucket=self.bucket, Key="folder/file name.txt", Body=b"text")
        self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="folder/file name.txt")["Body"].read(), b"text")
        self.assertEqual(self.s3.get_bucket_tagging(Bucket=self.bucket)["TagSet"], [{"Key": "a", "Value": "1"}])

    def test_policy(self) -> None:
        tls = self.statement(
            Effect="Deny",
            Action="s3:*",
            Condition={"Bool": {"aws:SecureTransport": "false"}},
            Resource=[f"arn:aws:s3:::{self.bucket}", f"arn:aws:s3:::{self.bucket}/*"],
        )
        self.put_policy(tls, self.statement(Principal={"AWS": ["111122223333"]}, Action=["s3:GetObject"]))
        got = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])["Statement"]
        self.assertEqual(got[1]["Principal"], {"AWS": "arn:aws:iam::111122223333:root"})
        self.assertEqual(got[1]["Action"], "s3:GetObject")
        self.assertFalse(self.s3.get_bucket_policy_status(Bucket=self.bucket)["PolicyStatus"]["IsPublic"])
        self.s3.put_object(Bucket=self.bucket, Key="x", Body=b"not denied by a condition that does not hold")
        self.fails("MalformedPolicy", self.s3.put_bucket_policy, Bucket=self.bucket, Policy="{nonsense")
        with self.subTest("another bucket's ARN"):
            self.fails("MalformedPolicy", self.put_policy_of, resource="arn:aws:s3:::another/*")
        self.s3.delete_bucket_policy(Bucket=self.bucket)
        self.fails("NoSuchBucketPolicy", self.s3.get_bucket_policy, Bucket=self.bucket)

    def put_policy_of(self, resource: str) -> None:
        self.put_policy(self.statement(Resource=resource))

    def test_policies_that_s3_refuses_or_keeps_in_another_form(self) -> None:
        allow = {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{self.bucket}/*"}
        self.put_policy(self.statement(Principal={"CanonicalUser": "79a59df900b949e5"}, **allow))
        got = json.loads(self.s3.get_bucket_policy(Bucket=self.bucket)["Policy"])["Statement"][0]
        self.assertEqual(
            got["Principal"],
            {"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E79A59DF900B94"},
        )
        # A Sid may stand twice.
        twice = self.statement(Sid="A", Principal={"AWS": self.account}, **allow)
        self.put_policy(twice, twice | {"Action": "s3:PutObject"})
        gone = self.statement(Principal={"AWS": "AROAEXAMPLEEXAMPLE123"}, **allow)
        self.fails("MalformedPolicy", lambda: self.put_policy(gone))
        many = [f"arn:aws:s3:::{self.bucket}/{number:0100}" for number in range(200)]
        large = self.statement(Principal={"AWS": self.account}, Action="s3:GetObject", Resource=many)
        self.fails("MalformedPolicy", lambda: self.put_policy(large))
        nobody = {key: value for key, value in twice.items() if key != "Principal"}
        self.fails("MalformedPolicy", lambda: self.put_policy(nobody))

    def test_public_policies_and_what_blocks_them(self) -> None:
        def put() -> None:
            self.put_policy(self.statement())

        self.fails("AccessDenied", put)
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.fails("NoSuchPublicAccessBlockConfiguration", self.s3.get_public_access_block, Bucket=self.bucket)
        put()
        self.assertTrue(self.s3.get_bucket_policy_status(Bucket=self.bucket)["PolicyStatus"]["IsPublic"])
        control_client = self.client("s3control")
        control_client.put_public_access_block(
            AccountId=self.account, PublicAccessBlockConfiguration={"BlockPublicPolicy": True}
        )
        self.fails("AccessDenied", put)

    def test_encryption(self) -> None:
        rule = {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": "aws:kms",
                "KMSMasterKeyID": "arn:aws:kms:us-east-1:1:key/x",
            },
            "BucketKeyEnabled": True,
            "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]},
        }
        self.s3.put_bucket_encryption(Bucket=self.bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        got = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(got, [rule])
        self.s3.delete_bucket_encryption(Bucket=self.bucket)
        got = self.s3.get_bucket_encryption(Bucket=self.bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual(got[0]["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})

    def test_lifecycle(self) -> None:
        rules = [
            {
                "ID": "logs",
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "Transitions": [{"Days": 90, "StorageClass": "STANDARD_IA"}, {"Days": 365, "StorageClass": "GLACIER"}],
                "Expiration": {"Days": 2557},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 90, "NewerNoncurrentVersions": 3},
            },
            {
                "ID": "sizes",
                "Status": "Disabled",
                "Expiration": {"ExpiredObjectDeleteMarker": True},
                "Filter": {"And": {"Prefix": "x/", "ObjectSizeGreaterThan": 10}},
            },
        ]
        put = self.s3.put_bucket_lifecycle_configuration
        put(
            Bucket=self.bucket,
            LifecycleConfiguration={"Rules": rules},
            TransitionDefaultMinimumObjectSize="varies_by_storage_class",
        )
        got = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)
        self.assertEqual((got["Rules"], got["TransitionDefaultMinimumObjectSize"]), (rules, "varies_by_storage_class"))
        del rules[0]["ID"]
        put(Bucket=self.bucket, LifecycleConfiguration={"Rules": rules})
        got = self.s3.get_bucket_lifecycle_configuration(Bucket=self.bucket)
        self.assertTrue(got["Rules"][0]["ID"])
        self.assertEqual(got["TransitionDefaultMinimumObjectSize"], "all_storage_classes_128K")
        twice = [rules[1], rules[1] | {"Expiration": {"Days": 1}, "Filter": {"Prefix": "y/"}}]
        self.fails("InvalidArgument", put, Bucket=self.bucket, LifecycleConfiguration={"Rules": twice})
        beside = [rules[1] | {"Expiration": {"Days": 1, "ExpiredObjectDeleteMarker": False}, "Filter": {"Prefix": ""}}]
        self.fails("MalformedXML", put, Bucket=self.bucket, LifecycleConfiguration={"Rules": beside})
        rules[0]["Transitions"][0]["Days"] = 29
        self.fails("InvalidArgument", put, Bucket=self.bucket, LifecycleConfiguration={"Rules": rules})
        self.s3.delete_bucket_lifecycle(Bucket=self.bucket)
        self.fails("NoSuchLifecycleConfiguration", self.s3.get_bucket_lifecycle_configuration, Bucket=self.bucket)

    def test_versioning_and_object_lock(self) -> None:
        s3, bucket = self.s3, self.bucket
        lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 365}}}
        self.fails("InvalidBucketState", s3.put_object_lock_configuration, Bucket=bucket, ObjectLockConfiguration=lock)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
        self.assertEqual(s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"], lock)
        self.fails(
            "InvalidBucketState",
            s3.put_bucket_versioning,
            Bucket=bucket,
            VersioningConfiguration={"Status": "Suspended"},
        )
        years = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 2}}}
        s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=years)
        self.assertEqual(s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"], years)
        locked = f"locked-{self.account}"
        s3.create_bucket(Bucket=locked, ObjectLockEnabledForBucket=True)
        self.assertEqual(s3.get_bucket_versioning(Bucket=locked)["Status"], "Enabled")
        self.assertEqual(
            s3.get_object_lock_configuration(Bucket=locked)["ObjectLockConfiguration"], {"ObjectLockEnabled": "Enabled"}
        )

    def test_logging(self) -> None:
        status = {
            "LoggingEnabled": {
                "TargetBucket": self.bucket,
                "TargetPrefix": "p/",
                "TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}},
            }
        }
        source = f"source-{self.account}"
        self.s3.create_bucket(Bucket=source)
        self.fails(
            "InvalidTargetBucketForLogging", self.s3.put_bucket_logging, Bucket=source, BucketLoggingStatus=status
        )
        self.put_policy(self.statement(Principal={"Service": "logging.s3.amazonaws.com"}, Action="s3:PutObject"))
        self.s3.put_bucket_logging(Bucket=source, BucketLoggingStatus=status)
        self.assertEqual(self.s3.get_bucket_logging(Bucket=source)["LoggingEnabled"], status["LoggingEnabled"])
        self.s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
        self.assertNotIn("LoggingEnabled", self.s3.get_bucket_logging(Bucket=source))

    def test_ownership_and_acls(self) -> None:
        s3, bucket = self.s3, self.bucket
        self.fails("AccessControlListNotSupported", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
        s3.put_bucket_ownership_controls(
            Bucket=bucket, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]}
        )
        self.fails("AccessDenied", s3.put_bucket_acl, Bucket=bucket, ACL="public-read")
        s3.delete_public_access_block(Bucket=bucket)
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
        enforced = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
        self.fails(
            "InvalidBucketAclWithObjectOwnership",
            s3.put_bucket_ownership_controls,
            Bucket=bucket,
            OwnershipControls=enforced,
        )
        s3.put_bucket_acl(Bucket=bucket, ACL="private")
        s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=enforced)
        s3.delete_bucket_ownership_controls(Bucket=bucket)
        self.fails("OwnershipControlsNotFoundError", s3.get_bucket_ownership_controls, Bucket=bucket)

    def test_tags(self) -> None:
        tagged = f"tagged-{self.account}"
        self.s3.create_bucket(Bucket=tagged, CreateBucketConfiguration={"Tags": [{"Key": "a", "Value": "1"}]})
        self.assertEqual(self.s3.get_bucket_tagging(Bucket=tagged)["TagSet"], [{"Key": "a", "Value": "1"}])
        self.s3.put_bucket_tagging(Bucket=tagged, Tagging={"TagSet": [{"Key": "b", "Value": "2"}]})
        self.assertEqual(self.s3.get_bucket_tagging(Bucket=tagged)["TagSet"], [{"Key": "b", "Value": "2"}])
        many = [{"Key": str(number), "Value": ""} for number in range(51)]
        self.fails("BadRequest", self.s3.put_bucket_tagging, Bucket=tagged, Tagging={"TagSet": many})
        self.s3.delete_bucket_tagging(Bucket=tagged)
        self.fails("NoSuchTagSet", self.s3.get_bucket_tagging, Bucket=tagged)


class AccountBlock(AccountTest):
    def test_round_trip(self) -> None:
        s3control, account = self.client("s3control"), self.account
        self.fails("NoSuchPublicAccessBlockConfiguration", s3control.get_public_access_block, AccountId=account)
        s3control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
        got = s3control.get_public_access_block(AccountId=account)["PublicAccessBlockConfiguration"]
        self.assertEqual([got[name] for name in BLOCK], [True, False, False, False])
        self.fails("AccessDenied", s3control.get_public_access_block, AccountId="999999999999")
        s3control.delete_public_access_block(AccountId=account)
        s3control.delete_public_access_block(AccountId=account)
        self.fails("NoSuchPublicAccessBlockConfiguration", s3control.get_public_access_block, AccountId=account)


if __name__ == "__main__":
    unittest.main()
