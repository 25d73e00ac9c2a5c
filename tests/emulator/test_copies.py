"""An untidy account is a copy of the first one, and cannot be told from one that is made by calls."""

import json
import re
from typing import Any

import boto3

from emulator import copies
from emulator.testing import AccountTest, client, control, endpoint

TIMES = re.compile(r"\d{4}-\d\d-\d\d[T ][\d:.+]+")
READS = [
    ("iam", "us-east-1", "list_roles"),
    ("iam", "us-east-1", "get_account_password_policy"),
    ("s3", "us-east-1", "list_buckets"),
    ("cloudtrail", "us-east-1", "describe_trails"),
    *[("kms", region, name) for region in ("us-east-1", "eu-west-1") for name in ("list_keys", "list_aliases")],
    *[
        ("ec2", region, f"describe_{name}")
        for region in ("us-east-1", "eu-west-1")
        for name in (
            "vpcs",
            "subnets",
            "security_groups",
            "security_group_rules",
            "network_interfaces",
            "network_acls",
            "route_tables",
            "internet_gateways",
            "dhcp_options",
            "tags",
        )
    ],
]


class CopiesTest(AccountTest):
    def seen(self, account: str) -> str:
        """All that reads tell, as text."""
        answers = []
        for service, region, name in READS:
            answer: dict[str, Any] = getattr(client(service, account, region), name)()
            del answer["ResponseMetadata"]
            answers.append([service, region, name, answer])
        for region in ("us-east-1", "eu-west-1"):
            kms = client("kms", account, region)
            for key in kms.list_keys()["Keys"]:
                answers.append([kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]])
                answers.append([kms.get_key_policy(KeyId=key["KeyId"])["Policy"]])
        bucket = f"downloads-{account}"
        answers.append([client("s3", account).get_bucket_policy(Bucket=bucket)["Policy"]])
        answers.append([client("iam", account).list_attached_role_policies(RoleName="contractor")["AttachedPolicies"]])
        return json.dumps(answers, default=str, indent=1)

    def test_a_copy_looks_as_one_that_calls_made(self) -> None:
        made, copy = self.account, str(int(self.account) + 500_000)
        client("iam", made).create_user(UserName="u")
        client("iam", made).delete_user(UserName="u")
        client("kms", made).list_keys()
        control("POST", f"mess?account={made}")
        control("POST", f"mess?account={copy}")

        def plain(account: str) -> str:
            text = TIMES.sub("T", self.seen(account)).replace(account, "A")
            text = copies.IDS.sub(b"ID", text.encode()).decode()
            # The interface is in the first subnet by its id; a canonical user follows from the account.
            text = re.sub(r"172\.31\.\d+\.\d+|172-31-\d+-\d+|\b(?:[0-9a-f]{2}:){5}[0-9a-f]{2}\b", "X", text)
            text = re.sub(r"us-east-1[a-f]|[0-9a-f]{64}", "X", text)
            return "\n".join(sorted(text.splitlines()))

        self.assertEqual(plain(copy), plain(made))

    def test_no_two_accounts_have_an_id_in_common(self) -> None:
        ids = []
        for number in range(2):
            account = str(int(self.account) + 600_000 + number)
            control("POST", f"mess?account={account}")
            ids.append({found[0] for found in copies.IDS.finditer(self.seen(account).encode())})
        self.assertGreater(len(ids[0]), 40)
        self.assertEqual(ids[0] & ids[1], set())

    def test_a_session_from_before_goes_on(self) -> None:
        role = f"arn:aws:iam::{self.account}:role/tester"
        session = client("sts", "123456789012").assume_role(RoleArn=role, RoleSessionName="tester")["Credentials"]
        control("POST", f"mess?account={self.account}")
        key = boto3.client(
            "iam",
            region_name="us-east-1",
            endpoint_url=endpoint(),
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key="secret",
            aws_session_token=session["SessionToken"],
        )
        self.assertEqual([role["RoleName"] for role in key.list_roles()["Roles"]], ["contractor"])
        self.assertTrue(self.copied())

    def test_an_account_that_somebody_used_keeps_what_it_has(self) -> None:
        self.client("iam").create_user(UserName="old")
        control("POST", f"mess?account={self.account}")
        self.assertEqual([user["UserName"] for user in self.client("iam").list_users()["Users"]], ["old"])
        self.assertFalse(self.copied())

    def copied(self) -> bool:
        """The hardware address of the interface is drawn by chance once for all copies."""
        other = str(int(self.account) + 800_000)
        control("POST", f"mess?account={other}")
        found = [client("ec2", account).describe_network_interfaces() for account in (self.account, other)]
        return len({one["NetworkInterfaces"][0]["MacAddress"] for one in found}) == 1

    def test_what_a_copy_has_works(self) -> None:
        made = control("POST", f"mess?account={self.account}")
        home, ec2 = self.client("kms"), self.client("ec2")
        secret = home.encrypt(KeyId=made["keys"]["not_rotating"], Plaintext=b"x")["CiphertextBlob"]
        self.assertEqual(home.decrypt(CiphertextBlob=secret)["Plaintext"], b"x")
        signed = home.sign(KeyId=made["keys"]["asymmetric"], Message=b"m", SigningAlgorithm="RSASSA_PSS_SHA_256")
        self.assertTrue(signed["Signature"])
        self.fails("DependencyViolation", ec2.delete_security_group, GroupId=_new_group_in_use(ec2))
        self.client("s3").put_object(Bucket=made["public_bucket"], Key="k", Body=b"b")
        other = client("s3", str(int(self.account) + 700_000))
        self.fails("BucketAlreadyExists", other.create_bucket, Bucket=made["public_bucket"])
        self.client("cloudtrail").start_logging(Name="old-trail")
        self.assertTrue(self.client("cloudtrail").get_trail_status(Name="old-trail")["IsLogging"])


def _new_group_in_use(ec2: Any) -> str:
    group = ec2.create_security_group(GroupName="g", Description="g")["GroupId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group])
    return group
