"""CloudWatch Logs: what moto lacks of log groups."""

import json
import unittest

from emulator.testing import AccountTest

REGION = "eu-west-1"
IDENTIFIER = "arn:aws:dataprotection::aws:data-identifier/EmailAddress"
POLICY = {
    "Name": "p",
    "Version": "2021-06-01",
    "Statement": [
        {"Sid": "a", "DataIdentifier": [IDENTIFIER], "Operation": {"Audit": {"FindingsDestination": {}}}},
        {"Sid": "m", "DataIdentifier": [IDENTIFIER], "Operation": {"Deidentify": {"MaskConfig": {}}}},
    ],
}


class LogGroups(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.logs = self.client("logs", REGION)
        self.logs.create_log_group(logGroupName="/audit")
        self.arn = f"arn:aws:logs:{REGION}:{self.account}:log-group:/audit"

    def group(self) -> dict[str, object]:
        return self.logs.describe_log_groups(logGroupNamePrefix="/audit")["logGroups"][0]

    def test_a_new_group_is_of_the_standard_class_and_unprotected(self) -> None:
        group = self.group()
        self.assertEqual(group["logGroupClass"], "STANDARD")
        self.assertIs(group["deletionProtectionEnabled"], False)
        self.assertEqual((group["logGroupArn"], group["arn"]), (self.arn, self.arn + ":*"))
        for member in ("retentionInDays", "kmsKeyId", "dataProtectionStatus"):
            self.assertNotIn(member, group)
        self.fails("ResourceAlreadyExistsException", self.logs.create_log_group, logGroupName="/audit")

    def test_a_protected_group_cannot_be_deleted(self) -> None:
        protect = self.logs.put_log_group_deletion_protection
        protect(logGroupIdentifier="/audit", deletionProtectionEnabled=True)
        self.assertIs(self.group()["deletionProtectionEnabled"], True)
        self.fails("ValidationException", self.logs.delete_log_group, logGroupName="/audit")
        protect(logGroupIdentifier=self.arn, deletionProtectionEnabled=False)
        self.logs.delete_log_group(logGroupName="/audit")
        self.fails(
            "ResourceNotFoundException", protect, logGroupIdentifier="/audit", deletionProtectionEnabled=True
        )

    def test_retention_is_one_of_some_numbers(self) -> None:
        put = self.logs.put_retention_policy
        put(logGroupName="/audit", retentionInDays=365)
        self.assertEqual(self.group()["retentionInDays"], 365)
        self.fails("InvalidParameterException", put, logGroupName="/audit", retentionInDays=366)

    def test_a_key_is_an_arn_and_lets_the_service_use_it(self) -> None:
        kms = self.client("kms", REGION)
        key = kms.create_key()["KeyMetadata"]
        associate = self.logs.associate_kms_key
        self.fails("InvalidParameterException", associate, logGroupName="/audit", kmsKeyId=key["Arn"])
        service = {"Effect": "Allow", "Principal": {"Service": f"logs.{REGION}.amazonaws.com"}}
        owner = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}}
        statements = [one | {"Action": "kms:*", "Resource": "*"} for one in (owner, service)]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)
        self.fails("InvalidParameterException", associate, logGroupName="/audit", kmsKeyId=key["KeyId"])
        associate(logGroupName="/audit", kmsKeyId=key["Arn"])
        self.assertEqual(self.group()["kmsKeyId"], key["Arn"])
        self.logs.disassociate_kms_key(logGroupName="/audit")
        self.assertNotIn("kmsKeyId", self.group())

    def test_patterns_and_values_of_metric_filters(self) -> None:
        metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
        named = {"logGroupName": "/audit", "filterName": "f"}
        for pattern in (
            "",
            "ERROR",
            "?ERROR ?WARN",
            "[ip, user, ...]",
            "{ $.a = 1 }",
            "{ $.a != x && $.b[0].c >= -1.5 }",
            "{ $.a[*] IS NULL || $.b IS TRUE }",
            "{ $.['a b'] = %x (y% }",
            '{($.errorCode="*UnauthorizedOperation") || (($.errorCode="AccessDenied*") && $.c NOT EXISTS)}',
            '{ $.a = "x \\" } y" }',
            "{ $.ip = 10.0.* }",
        ):
            with self.subTest(pattern):
                self.logs.put_metric_filter(**named, filterPattern=pattern, metricTransformations=[metric])
        for pattern in (
            "{ $.a = 1",
            "{ $.a = 1 } x",
            "{ a = 1 }",
            "{ $.a == 1 }",
            "{ $.a }",
            "{ }",
            "{ $.a = 1 || }",
            "{ $.a = 1 $.b = 2 }",
            "{ ($.a = 1) ($.b = 2) }",
            "{ $.a NOTEXISTS }",
            "{ $.a ! = x }",
        ):
            with self.subTest(pattern):
                put = {"filterPattern": pattern, "metricTransformations": [metric]}
                self.fails("InvalidParameterException", self.logs.put_metric_filter, **named, **put)
        for value, good in (("0.5", True), ("$.size", True), ("$size", True), ("many", False)):
            put = {"filterPattern": "", "metricTransformations": [metric | {"metricValue": value}]}
            with self.subTest(value):
                if good:
                    self.logs.put_metric_filter(**named, **put)
                else:
                    self.fails("InvalidParameterException", self.logs.put_metric_filter, **named, **put)

    def test_data_protection(self) -> None:
        get, put = self.logs.get_data_protection_policy, self.logs.put_data_protection_policy
        self.assertNotIn("policyDocument", get(logGroupIdentifier="/audit"))
        only_audit = POLICY | {"Statement": POLICY["Statement"][:1]}
        for wrong in ("{}", "no json", json.dumps(only_audit)):
            self.fails("InvalidParameterException", put, logGroupIdentifier="/audit", policyDocument=wrong)
        put(logGroupIdentifier="/audit", policyDocument=json.dumps(POLICY))
        self.assertEqual(json.loads(get(logGroupIdentifier="/audit")["policyDocument"]), POLICY)
        self.assertEqual(self.group()["dataProtectionStatus"], "ACTIVATED")
        self.logs.delete_data_protection_policy(logGroupIdentifier="/audit")
        self.assertNotIn("policyDocument", get(logGroupIdentifier="/audit"))
        self.assertEqual(self.group()["dataProtectionStatus"], "DELETED")

    def test_a_call_is_about_one_thing(self) -> None:
        both = {"logGroupNamePrefix": "/", "logGroupNamePattern": "a"}
        self.fails("InvalidParameterException", self.logs.describe_log_groups, **both)
        key = f"arn:aws:kms:{REGION}:{self.account}:key/x"
        self.fails("InvalidParameterException", self.logs.associate_kms_key, kmsKeyId=key)
        two = {"logGroupName": "/audit", "resourceIdentifier": self.arn}
        self.fails("InvalidParameterException", self.logs.associate_kms_key, kmsKeyId=key, **two)
        self.logs.disassociate_kms_key(resourceIdentifier=self.arn)

    def test_data_protection_of_the_account(self) -> None:
        kind = {"policyName": "p", "policyType": "DATA_PROTECTION_POLICY"}
        for wrong in ('{"a": 1}', json.dumps(POLICY | {"Statement": POLICY["Statement"][:1]})):
            self.fails("InvalidParameterException", self.logs.put_account_policy, **kind, policyDocument=wrong)
        self.logs.put_account_policy(**kind, policyDocument=json.dumps(POLICY))
        long = {"policyType": "FIELD_INDEX_POLICY", "policyDocument": json.dumps({"Fields": ["x" * 30_720]})}
        self.fails("InvalidParameterException", self.logs.put_account_policy, policyName="p", **long)

    def test_tags_stand_at_the_arn_without_a_star(self) -> None:
        self.logs.tag_resource(resourceArn=self.arn, tags={"team": "core"})
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=self.arn)["tags"], {"team": "core"})
        self.fails("InvalidParameterException", self.logs.list_tags_for_resource, resourceArn=self.arn + ":*")
        self.fails("ResourceNotFoundException", self.logs.list_tags_for_resource, resourceArn=self.arn + "-other")
        self.logs.untag_resource(resourceArn=self.arn, tagKeys=["team"])


if __name__ == "__main__":
    unittest.main()
