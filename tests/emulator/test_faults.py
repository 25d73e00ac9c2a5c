"""Each kind of fault, in each protocol's wire format, and its limits."""

import threading
import time
import unittest
import urllib.error

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from emulator.testing import AccountTest, control


class Faults(AccountTest):
    def fault(self, service: str, operation: str, **more: object) -> int:
        made = control("POST", "faults", {"account": self.account, "service": service, "operation": operation} | more)
        return made["id"]

    def test_denied_reads_as_aws_writes_it(self) -> None:
        cases = [
            ("iam", "GetAccountSummary", "get_account_summary", {}, "AccessDenied", 403, "iam:GetAccountSummary"),
            ("ec2", "DescribeVpcs", "describe_vpcs", {}, "UnauthorizedOperation", 403, "ec2:DescribeVpcs"),
            ("kms", "ListKeys", "list_keys", {}, "AccessDeniedException", 400, "kms:ListKeys"),
            (
                "cloudtrail",
                "DescribeTrails",
                "describe_trails",
                {},
                "AccessDeniedException",
                400,
                "cloudtrail:DescribeTrails",
            ),
            (
                "config",
                "PutDeliveryChannel",
                "put_delivery_channel",
                {"DeliveryChannel": {}},
                "AccessDeniedException",
                400,
                "config:PutDeliveryChannel",
            ),
            (
                "s3",
                "GetBucketEncryption",
                "get_bucket_encryption",
                {"Bucket": "any-bucket"},
                "AccessDenied",
                403,
                "s3:GetEncryptionConfiguration",
            ),
            (
                "s3control",
                "GetPublicAccessBlock",
                "get_public_access_block",
                {"AccountId": self.account},
                "AccessDenied",
                403,
                "s3:GetAccountPublicAccessBlock",
            ),
        ]
        for service, operation, method, arguments, code, status, action in cases:
            with self.subTest(service=service):
                self.fault(service, operation)
                error = self.fails(code, getattr(self.client(service), method), **arguments)
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
                message = error.response["Error"]["Message"]
                self.assertIn(f"is not authorized to perform: {action} on resource: ", message)
                self.assertIn(f"because no identity-based policy allows the {action} action", message)
                self.assertIn(f"arn:aws:iam::{self.account}:user/", message)

    def test_throttled_has_the_code_of_the_service(self) -> None:
        for service, operation, method, arguments, code in [
            ("iam", "*", "list_roles", {}, "Throttling"),
            ("ec2", "*", "describe_regions", {}, "RequestLimitExceeded"),
            ("kms", "*", "list_keys", {}, "ThrottlingException"),
            ("s3", "*", "list_buckets", {}, "SlowDown"),
        ]:
            with self.subTest(service=service):
                self.fault(service, operation, kind="throttle")
                self.fails(code, getattr(self.client(service), method), **arguments)

    def test_message_code_and_status_can_be_given(self) -> None:
        text = "denied with an explicit deny in a service control policy"
        self.fault("kms", "ListKeys", message=text)
        error = self.fails("AccessDeniedException", self.client("kms").list_keys)
        self.assertEqual(error.response["Error"]["Message"], text)
        self.fault("iam", "GetRole", code="ServiceFailure")
        error = self.fails("ServiceFailure", self.client("iam").get_role, RoleName="x")
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 500)

    def test_count_after_seconds_and_region_limit_a_fault(self) -> None:
        kms = self.client("kms")
        self.fault("kms", "ListKeys", count=1, after=1)
        kms.list_keys()
        self.fails("AccessDeniedException", kms.list_keys)
        kms.list_keys()
        self.fault("kms", "ListKeys", region="eu-west-1")
        kms.list_keys()
        self.fails("AccessDeniedException", self.client("kms", "eu-west-1").list_keys)
        self.fault("kms", "ListAliases", seconds=2)
        self.fails("AccessDeniedException", kms.list_aliases)
        time.sleep(2.1)
        kms.list_aliases()

    def test_where_matches_arguments(self) -> None:
        self.fault("iam", "GetRole", where={"RoleName": "one"})
        self.fails("AccessDenied", self.client("iam").get_role, RoleName="one")
        self.fails("NoSuchEntity", self.client("iam").get_role, RoleName="two")

    def test_status_500_before_and_after_the_call_was_executed(self) -> None:
        iam = self.client("iam")
        self.fault("iam", "UpdateAccountPasswordPolicy", kind="status", count=1)
        self.fails("ServiceFailure", iam.update_account_password_policy, MinimumPasswordLength=9)
        self.fails("NoSuchEntity", iam.get_account_password_policy)
        self.fault("iam", "UpdateAccountPasswordPolicy", kind="status", count=1, executed=True)
        self.fails("ServiceFailure", iam.update_account_password_policy, MinimumPasswordLength=9)
        self.assertEqual(iam.get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"], 9)

    def test_replace_changes_the_answer(self) -> None:
        kms = self.client("kms")
        key = kms.create_key()["KeyMetadata"]["KeyId"]
        self.fault("kms", "DescribeKey", kind="replace", find='"Enabled"', replace='"FromTheFuture"')
        self.assertEqual(kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"], "FromTheFuture")

    def test_drop_closes_the_connection(self) -> None:
        self.fault("kms", "ListKeys", kind="drop", count=1)
        with self.assertRaises(ConnectionClosedError):
            self.client("kms").list_keys()
        self.client("kms").list_keys()
        log = control("GET", f"calls?account={self.account}")
        self.assertEqual([(c["status"], c["fault"]) for c in log], [(None, "drop"), (200, None)])

    def test_hang_says_nothing_until_the_client_gives_up(self) -> None:
        self.fault("kms", "ListKeys", kind="hang", count=1)
        with self.assertRaises(ReadTimeoutError):
            self.client("kms", read_timeout=0.3).list_keys()
        self.client("kms").list_keys()

    def test_delay_waits_and_then_answers(self) -> None:
        self.fault("kms", "ListKeys", kind="delay", delay=0.3)
        start = time.monotonic()
        self.client("kms").list_keys()
        self.assertGreaterEqual(time.monotonic() - start, 0.3)

    def test_wait_lets_the_call_go_on_when_it_is_removed(self) -> None:
        kms, answers = self.client("kms"), []
        self.fault("kms", "ListKeys", kind="wait")
        calling = threading.Thread(target=lambda: answers.append(kms.list_keys()))
        calling.start()
        while not control("GET", f"faults?account={self.account}")[0]["hits"]:
            time.sleep(0.01)
        self.client("kms").list_aliases()
        self.assertEqual(answers, [])
        control("DELETE", f"faults?account={self.account}")
        calling.join()
        self.assertEqual(len(answers), 1)
        with self.assertRaises(urllib.error.HTTPError):
            self.fault("kms", "ListKeys", kind="wait", count=1)

    def test_faults_are_listed_and_removed_by_account(self) -> None:
        first = self.fault("kms", "ListKeys")
        self.fault("iam", "*")
        self.assertEqual(len(control("GET", f"faults?account={self.account}")), 2)
        control("DELETE", f"faults?account={self.account}&id={first}")
        self.client("kms").list_keys()
        with self.assertRaises(ClientError):
            self.client("iam").list_roles()
        control("DELETE", f"faults?account={self.account}")
        self.client("iam").list_roles()


if __name__ == "__main__":
    unittest.main()
