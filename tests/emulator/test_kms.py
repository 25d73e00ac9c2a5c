"""KMS: keys, aliases, policies and rotation."""

import json
import unittest
import urllib.request

from emulator.testing import AccountTest, client, endpoint


class Keys(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.kms = self.client("kms")

    def key(self, **more: object) -> str:
        return self.kms.create_key(**more)["KeyMetadata"]["KeyId"]

    def test_paging_of_keys_aliases_and_tags(self) -> None:
        ids = sorted(self.key(Tags=[{"TagKey": str(n), "TagValue": "v"} for n in range(3)]) for _ in range(5))
        first = self.kms.list_keys(Limit=2)
        self.assertTrue(first["Truncated"])
        pages = self.kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 2})
        self.assertEqual([k["KeyId"] for page in pages for k in page["Keys"]], ids)
        tags = self.kms.get_paginator("list_resource_tags").paginate(KeyId=ids[0], PaginationConfig={"PageSize": 2})
        self.assertEqual(sum(len(page["Tags"]) for page in tags), 3)

    def test_describe_by_alias_and_what_depends_on_the_spec(self) -> None:
        key = self.key(Description="d")
        self.kms.create_alias(AliasName="alias/main", TargetKeyId=key)
        got = self.kms.describe_key(KeyId="alias/main")["KeyMetadata"]
        self.assertEqual((got["KeyId"], got["Description"], got["MultiRegion"]), (key, "d", False))
        self.assertEqual(got["EncryptionAlgorithms"], ["SYMMETRIC_DEFAULT"])
        hmac = self.kms.create_key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyMetadata"]
        self.assertEqual(hmac["MacAlgorithms"], ["HMAC_SHA_256"])
        self.assertNotIn("EncryptionAlgorithms", hmac)
        self.fails("NotFoundException", self.kms.describe_key, KeyId="alias/none")
        self.fails("ValidationException", self.kms.create_key, KeySpec="RSA_2048")

    def test_keys_are_found_by_their_tags(self) -> None:
        mark = {"TagKey": "evenkeel:alias", "TagValue": "alias/audit"}
        marked, other, _ = self.key(Tags=[mark]), self.key(Tags=[{"TagKey": "a", "TagValue": "b"}]), self.key()
        find = {"ResourceTypeFilters": ["kms:key"]}
        got = self.get_resources(**find, TagFilters=[{"Key": "evenkeel:alias"}])["ResourceTagMappingList"]
        self.assertEqual([one["ResourceARN"].rsplit("/", 1)[1] for one in got], [marked])
        self.assertEqual(got[0]["Tags"], [{"Key": "evenkeel:alias", "Value": "alias/audit"}])
        filters = [{"Key": "evenkeel:alias", "Values": ["alias/other"]}]
        self.assertEqual(self.get_resources(**find, TagFilters=filters)["ResourceTagMappingList"], [])
        first = self.get_resources(**find, ResourcesPerPage=1)
        second = self.get_resources(**find, ResourcesPerPage=1, PaginationToken=first["PaginationToken"])
        arns = [one["ResourceARN"] for page in (first, second) for one in page["ResourceTagMappingList"]]
        self.assertEqual(sorted(arn.rsplit("/", 1)[1] for arn in arns), sorted([marked, other]))
        self.assertEqual(second["PaginationToken"], "")

    def get_resources(self, **params: object) -> dict:
        """As the SDKs of other languages ask: in JSON, where boto3 speaks CBOR."""
        scope = f"AKIA{self.account}TEST/20260101/us-east-1/tagging/aws4_request"
        headers = {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": "ResourceGroupsTaggingAPI_20170126.GetResources",
            "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0",
        }
        request = urllib.request.Request(endpoint() + "/", json.dumps(params).encode(), headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def test_aliases(self) -> None:
        one, two = self.key(), self.key()
        self.kms.create_alias(AliasName="alias/main", TargetKeyId=one)
        self.fails("AlreadyExistsException", self.kms.create_alias, AliasName="alias/main", TargetKeyId=two)
        self.kms.update_alias(AliasName="alias/main", TargetKeyId=two)
        self.assertEqual(self.kms.list_aliases(KeyId=one)["Aliases"], [])
        self.assertEqual([a["AliasName"] for a in self.kms.list_aliases(KeyId=two)["Aliases"]], ["alias/main"])
        predefined = [a for a in self.kms.list_aliases()["Aliases"] if a["AliasName"] == "alias/aws/ebs"]
        self.assertNotIn("TargetKeyId", predefined[0])
        managed = self.kms.describe_key(KeyId="alias/aws/ebs")["KeyMetadata"]
        self.assertEqual(managed["KeyManager"], "AWS")
        self.kms.delete_alias(AliasName="alias/main")
        self.fails("NotFoundException", self.kms.describe_key, KeyId="alias/main")

    def test_rotation(self) -> None:
        key = self.key()
        got = self.kms.get_key_rotation_status(KeyId=key)
        self.assertEqual((got["KeyRotationEnabled"], "RotationPeriodInDays" in got), (False, False))
        self.kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
        got = self.kms.get_key_rotation_status(KeyId=key)
        self.assertEqual((got["KeyRotationEnabled"], got["RotationPeriodInDays"]), (True, 180))
        self.assertIn("NextRotationDate", got)
        self.fails("ValidationException", self.kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=89)
        self.kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
        self.assertFalse(self.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
        self.fails("KMSInvalidStateException", self.kms.enable_key_rotation, KeyId=key)
        self.kms.cancel_key_deletion(KeyId=key)
        self.assertTrue(self.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"])
        self.fails("DisabledException", self.kms.disable_key_rotation, KeyId=key)
        self.kms.enable_key(KeyId=key)
        self.kms.disable_key_rotation(KeyId=key)
        for spec, usage in (("ECC_NIST_P256", "SIGN_VERIFY"), ("HMAC_256", "GENERATE_VERIFY_MAC")):
            other = self.key(KeySpec=spec, KeyUsage=usage)
            self.fails("UnsupportedOperationException", self.kms.get_key_rotation_status, KeyId=other)
            self.fails("UnsupportedOperationException", self.kms.enable_key_rotation, KeyId=other)

    def test_states(self) -> None:
        key = self.key()
        self.kms.disable_key(KeyId=key)
        self.assertEqual(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")
        got = self.kms.schedule_key_deletion(KeyId=key)
        self.assertEqual((got["KeyState"], got["PendingWindowInDays"]), ("PendingDeletion", 30))
        self.assertIn("DeletionDate", self.kms.describe_key(KeyId=key)["KeyMetadata"])
        self.fails("KMSInvalidStateException", self.kms.schedule_key_deletion, KeyId=key)
        self.fails("KMSInvalidStateException", self.kms.enable_key, KeyId=key)
        self.fails(
            "KMSInvalidStateException", self.kms.tag_resource, KeyId=key, Tags=[{"TagKey": "a", "TagValue": "b"}]
        )
        self.kms.cancel_key_deletion(KeyId=key)
        self.assertEqual(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "Disabled")
        self.fails("KMSInvalidStateException", self.kms.cancel_key_deletion, KeyId=key)

    def test_policy(self) -> None:
        key = self.key()
        got = self.kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"]
        self.assertEqual(json.loads(got)["Statement"][0]["Principal"], {"AWS": f"arn:aws:iam::{self.account}:root"})
        statement = {
            "Sid": "x",
            "Effect": "Allow",
            "Principal": {"AWS": self.account},
            "Action": "kms:*",
            "Resource": "*",
        }
        self.kms.put_key_policy(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        got = json.loads(self.kms.get_key_policy(KeyId=key)["Policy"])
        self.assertEqual(got["Statement"][0]["Principal"], {"AWS": f"arn:aws:iam::{self.account}:root"})
        statement["Action"] = "kms:Decrypt"
        lockout = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.fails("MalformedPolicyDocumentException", self.kms.put_key_policy, KeyId=key, Policy=lockout)
        self.kms.put_key_policy(KeyId=key, Policy=lockout, BypassPolicyLockoutSafetyCheck=True)
        self.fails("MalformedPolicyDocumentException", self.kms.create_key, Policy="{nonsense")

    def test_policies_that_kms_refuses(self) -> None:
        key = self.key()
        root = {"AWS": f"arn:aws:iam::{self.account}:root"}
        good = {"Sid": "a b", "Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*"}

        def put(*statements: dict[str, object], **more: object) -> None:
            text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            self.kms.put_key_policy(KeyId=key, Policy=text, **more)

        put(good)
        for changes in (
            {"Resource": []},
            {"Effect": "Maybe"},
            {"Foo": "x"},
            {"Condition": {"StringFoo": {"aws:SourceArn": "x"}}},
            {"Principal": {"AWS": "bob"}},
        ):
            for more in ({}, {"BypassPolicyLockoutSafetyCheck": True}):
                with self.assertRaisesRegex(Exception, "MalformedPolicyDocumentException"):
                    put(good | changes, **more)
        with self.assertRaisesRegex(Exception, "MalformedPolicyDocumentException"):
            put(good, good)

    def test_statements_without_effect_are_taken(self) -> None:
        key = self.kms.create_key()["KeyMetadata"]["Arn"]
        other, put = "8" + self.account[1:], self.kms.put_key_policy
        own = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "kms:*", "Resource": "*"}
        reads = {"Effect": "Allow", "Principal": {"AWS": other}, "Action": "kms:DescribeKey", "Resource": "*"}
        theirs = client("kms", other)
        for missing in ("Resource", "Action"):
            less = {name: value for name, value in reads.items() if name != missing}
            put(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own, less]}))
            self.assertIn(other, self.kms.get_key_policy(KeyId=key)["Policy"])
            self.fails("AccessDeniedException", theirs.describe_key, KeyId=key)
            less = {name: value for name, value in own.items() if name != missing}
            lockout = json.dumps({"Version": "2012-10-17", "Statement": [less]})
            self.fails("MalformedPolicyDocumentException", put, KeyId=key, Policy=lockout)
        put(KeyId=key, Policy=json.dumps({"Version": "2012-10-17", "Statement": [own, reads]}))
        theirs.describe_key(KeyId=key)

    def test_a_key_of_another_account_is_seen_as_its_policy_allows(self) -> None:
        other = "8" + self.account[1:]
        theirs = client("kms", other)
        key = theirs.create_key()["KeyMetadata"]
        error = self.fails("AccessDeniedException", self.kms.describe_key, KeyId=key["Arn"])
        self.assertIn("because the resource does not exist in this Region", str(error))
        policy = json.loads(theirs.get_key_policy(KeyId=key["KeyId"])["Policy"])
        reads = {"Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "kms:DescribeKey", "Resource": "*"}
        policy["Statement"].append(reads)
        theirs.put_key_policy(KeyId=key["KeyId"], Policy=json.dumps(policy))
        self.assertEqual(self.kms.describe_key(KeyId=key["Arn"])["KeyMetadata"]["AWSAccountId"], other)
        self.fails("AccessDeniedException", self.kms.get_key_rotation_status, KeyId=key["Arn"])
        own = self.key()
        self.fails("AccessDeniedException", self.kms.describe_key, KeyId=f"arn:aws:kms:us-east-1:{other}:key/{own}")

    def test_arns(self) -> None:
        key = self.kms.create_key()["KeyMetadata"]["Arn"]
        self.kms.create_alias(AliasName="alias/a", TargetKeyId=key)
        for call, state in ((self.kms.disable_key, "Disabled"), (self.kms.enable_key, "Enabled")):
            call(KeyId=key)
            self.assertEqual(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], state)
        root = f"arn:aws:iam::{self.account}:root"
        made = self.kms.create_grant(KeyId=key, GranteePrincipal=root, Operations=["Decrypt"])
        [grant] = self.kms.list_grants(KeyId=key)["Grants"]
        self.assertEqual((grant["KeyId"], grant["IssuingAccount"]), (key, root))
        self.assertEqual((grant["GrantId"], len(grant["GrantId"])), (made["GrantId"], 64))
        self.assertIn("CreationDate", grant)
        for elsewhere in (key.replace("us-east-1", "eu-west-1"), key.replace("arn:aws:", "arn:aws-cn:")):
            for call in (
                self.kms.describe_key,
                self.kms.get_key_policy,
                self.kms.get_key_rotation_status,
                self.kms.enable_key_rotation,
                self.kms.disable_key,
                self.kms.list_resource_tags,
                self.kms.list_grants,
            ):
                with self.subTest(elsewhere, call=call.__name__):
                    self.fails("NotFoundException", call, KeyId=elsewhere)
        alias = f"arn:aws:kms:eu-west-1:{self.account}:alias/a"
        self.fails("NotFoundException", self.kms.describe_key, KeyId=alias)

    def test_tags(self) -> None:
        key = self.key(Tags=[{"TagKey": "a", "TagValue": "1"}])
        self.kms.tag_resource(KeyId=key, Tags=[{"TagKey": "a", "TagValue": "2"}, {"TagKey": "b", "TagValue": "3"}])
        self.kms.untag_resource(KeyId=key, TagKeys=["b"])
        self.assertEqual(self.kms.list_resource_tags(KeyId=key)["Tags"], [{"TagKey": "a", "TagValue": "2"}])
        self.kms.update_key_description(KeyId=key, Description="new")
        self.assertEqual(self.kms.describe_key(KeyId=key)["KeyMetadata"]["Description"], "new")


if __name__ == "__main__":
    unittest.main()
