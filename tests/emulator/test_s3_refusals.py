"""S3: policies, rules of a life cycle and other settings of a bucket that AWS refuses."""

import json
from typing import Any

from emulator.testing import AccountTest, client

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"
OLD = {"Expiration": {"Days": 400}}


class Buckets(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.s3 = self.client("s3")
        self.bucket = f"b-{self.account}"
        self.arn = f"arn:aws:s3:::{self.bucket}"
        self.s3.create_bucket(Bucket=self.bucket)

    def policy(self, *statements: dict[str, Any], **more: Any) -> None:
        text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | more)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=text)

    def one(self, statement: dict[str, Any]) -> None:
        self.policy({name: value for name, value in statement.items() if value is not None})

    def test_policies(self) -> None:
        good = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "s3:GetObject", "Resource": f"{self.arn}/*"}
        self.policy(good)
        self.policy(good | {"Action": ["s3:getobject", "s3:List*", "s3:*"], "Resource": [self.arn, f"{self.arn}/*"]})
        self.policy(good | {"Action": "*", "Principal": {"AWS": "*", "Service": "logging.s3.amazonaws.com"}, "Effect": "Deny"})
        for changes, message in (
            ({"Action": "s3:Nothing"}, "Policy has invalid action"),
            ({"Action": "sqs:SendMessage"}, "Policy has invalid action"),
            ({"Action": "s3:ListBucket"}, "Action does not apply to any resource(s) in statement"),
            ({"Action": ["s3:GetObject", "s3:ListBucket"]}, "Action does not apply to any resource(s) in statement"),
            ({"Resource": self.arn}, "Action does not apply to any resource(s) in statement"),
            ({"Resource": "*"}, "Policy has invalid resource"),
            ({"Resource": f"{self.arn}2/*"}, "Policy has invalid resource"),
            ({"Effect": "Maybe"}, "effect"),
            ({"Effect": None}, "Effect"),
            ({"Action": []}, "Action"),
            ({"Foo": "x"}, "Unknown field Foo"),
            ({"Principal": {"AWS": "nobody"}}, "Invalid principal in policy"),
            ({"Principal": {"Foo": "*"}}, "Invalid principal in policy"),
            ({"Principal": {}}, "Missing required field Principal cannot be empty!"),
            ({"Condition": {"StringFoo": {"aws:SourceArn": "x"}}}, "Condition"),
        ):
            error = self.fails("MalformedPolicy", self.one, statement=good | changes)
            self.assertIn(message, str(error), changes)
        for statements, more, message in (
            ([], {}, "Statement is empty!"),
            ([good], {"Version": "2020-01-01"}, "The policy must contain a valid version string"),
            ([good], {"Foo": "x"}, "Unknown field Foo"),
        ):
            with self.assertRaisesRegex(Exception, "MalformedPolicy.*" + message):
                self.policy(*statements, **more)

    def lifecycle(self, *rules: dict[str, Any]) -> None:
        self.s3.put_bucket_lifecycle_configuration(Bucket=self.bucket, LifecycleConfiguration={"Rules": list(rules)})

    def refused(self, code: str, **changes: Any) -> None:
        rule = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}} | changes
        with self.subTest(**changes):
            self.fails(code, lambda: self.lifecycle(rule))

    def test_transitions(self) -> None:
        warm, cold = ({"Days": days, "StorageClass": kind} for days, kind in ((30, "STANDARD_IA"), (90, "GLACIER")))
        usual = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": ""}}
        self.lifecycle(usual | {"Transitions": [cold, warm]} | OLD)
        for code, transitions in (
            ("InvalidArgument", [warm | {"Days": 90}, cold | {"Days": 60}]),
            ("InvalidArgument", [warm | {"Days": 90}, cold]),
            ("InvalidArgument", [cold | {"Days": -1}]),
            ("InvalidArgument", [warm | {"Days": 29}]),
            ("InvalidRequest", [cold, cold | {"Days": 100}]),
            ("InvalidRequest", [warm, {"Date": "2030-01-01", "StorageClass": "GLACIER"}]),
            ("MalformedXML", [{"StorageClass": "GLACIER"}]),
            ("MalformedXML", [cold | {"Date": "2030-01-01"}]),
        ):
            self.refused(code, Transitions=transitions)
        self.refused("InvalidRequest", Transitions=[{"Date": "2030-01-01", "StorageClass": "GLACIER"}], **OLD)
        self.refused("InvalidRequest", Transitions=[warm], Expiration={"Date": "2030-01-01"})
        old = {"StorageClass": "STANDARD_IA"}
        self.refused("InvalidArgument", NoncurrentVersionTransitions=[old | {"NoncurrentDays": 29}])
        self.refused("MalformedXML", NoncurrentVersionTransitions=[old])

    def test_other_rules_of_a_lifecycle(self) -> None:
        tag = {"Key": "a", "Value": "b"}
        self.refused("InvalidArgument", NoncurrentVersionExpiration={"NoncurrentDays": 0})
        for number in (0, 101):
            versions = {"NoncurrentDays": 1, "NewerNoncurrentVersions": number}
            self.refused("InvalidArgument", NoncurrentVersionExpiration=versions)
        self.refused("InvalidArgument", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 0})
        marker = {"ExpiredObjectDeleteMarker": True}
        for tagged in ({"Tag": tag}, {"And": {"Prefix": "x", "Tags": [tag]}}):
            self.refused("InvalidRequest", Filter=tagged, Expiration=marker)
        self.refused("MalformedXML", Filter={"And": {"Prefix": "a"}}, **OLD)
        self.refused("MalformedXML", Filter={"And": {"Tags": [tag]}}, **OLD)
        sizes = {"ObjectSizeGreaterThan": 10, "ObjectSizeLessThan": 10}
        self.refused("InvalidRequest", Filter={"And": sizes}, **OLD)
        rules = [{"ID": str(n), "Status": "Enabled", "Filter": {"Prefix": str(n)}} | OLD for n in range(1001)]
        self.fails("MalformedXML", lambda: self.lifecycle(*rules))

    def test_lists_that_let_everybody_in(self) -> None:
        owns = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
        self.s3.put_bucket_ownership_controls(Bucket=self.bucket, OwnershipControls=owns)
        put, there = self.s3.put_bucket_acl, self.s3.get_bucket_acl(Bucket=self.bucket)
        grant = {"Grantee": {"Type": "Group", "URI": EVERYBODY}, "Permission": "READ"}
        whole = {"Owner": there["Owner"], "Grants": [*there["Grants"], grant]}
        for public in ({"GrantRead": f'uri="{EVERYBODY}"'}, {"AccessControlPolicy": whole}, {"ACL": "public-read"}):
            self.fails("AccessDenied", put, Bucket=self.bucket, **public)
        self.fails("MissingSecurityHeader", put, Bucket=self.bucket)
        self.s3.delete_public_access_block(Bucket=self.bucket)
        put(Bucket=self.bucket, GrantRead=f'uri="{EVERYBODY}"')

    def test_encryption_versions_locks_and_logs(self) -> None:
        named = {"Bucket": self.bucket}
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        two = {"Rules": [rule, rule]}
        self.fails("MalformedXML", self.s3.put_bucket_encryption, **named, ServerSideEncryptionConfiguration=two)
        versions = self.s3.put_bucket_versioning
        none = {"VersioningConfiguration": {"MFADelete": "Disabled"}}
        self.fails("IllegalVersioningConfigurationException", versions, **named, **none)
        versions(**named, VersioningConfiguration={"Status": "Enabled"})
        for retention in ({"Days": 0}, {"Days": 36501}, {"Years": 101}):
            lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE"} | retention}}
            self.fails("InvalidArgument", self.s3.put_object_lock_configuration, **named, ObjectLockConfiguration=lock)
        theirs = f"t-{self.account}"
        client("s3", "8" + self.account[1:]).create_bucket(Bucket=theirs)
        to = {"LoggingEnabled": {"TargetBucket": theirs, "TargetPrefix": ""}}
        self.fails("InvalidTargetBucketForLogging", self.s3.put_bucket_logging, **named, BucketLoggingStatus=to)

    def test_operations_that_moto_takes_for_others_are_a_gap(self) -> None:
        named = {"Bucket": self.bucket}
        self.fails("EmulatorLacksOperation", self.s3.get_bucket_request_payment, **named)
        self.fails("EmulatorLacksOperation", self.s3.get_bucket_metrics_configuration, **named, Id="a")
        self.fails("EmulatorLacksOperation", self.s3.delete_bucket_analytics_configuration, **named, Id="a")
        self.s3.head_bucket(**named)
