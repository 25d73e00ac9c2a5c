"""The messy account is as messy as it says, and the server starts and stops as it should."""

import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from emulator.testing import AccountTest, control

SERVER = str(Path(__file__).parent / "server.py")


class Mess(AccountTest):
    def test_everything_is_there_and_nothing_is_logged(self) -> None:
        made = control("POST", f"mess?account={self.account}")
        self.assertEqual(self.calls(), [])
        policy = self.client("iam").get_account_password_policy()["PasswordPolicy"]
        self.assertEqual(policy["MinimumPasswordLength"], 8)
        keys, home, other = made["keys"], self.client("kms"), self.client("kms", "eu-west-1")
        self.assertFalse(home.get_key_rotation_status(KeyId=keys["not_rotating"])["KeyRotationEnabled"])
        self.assertTrue(home.get_key_rotation_status(KeyId=keys["rotating"])["KeyRotationEnabled"])
        self.assertEqual(home.describe_key(KeyId=keys["asymmetric"])["KeyMetadata"]["KeySpec"], "RSA_2048")
        self.assertEqual(other.describe_key(KeyId=keys["hmac"])["KeyMetadata"]["KeySpec"], "HMAC_256")
        for name, state in (
            ("disabled", "Disabled"),
            ("pending_deletion", "PendingDeletion"),
            ("not_rotating_eu", "Enabled"),
        ):
            self.assertEqual(other.describe_key(KeyId=keys[name])["KeyMetadata"]["KeyState"], state)
        group = made["security_groups"]["us-east-1"]
        rules = self.client("ec2").describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertIn(("0.0.0.0/0", 22), [(r.get("CidrIpv4"), r["FromPort"]) for r in rules["SecurityGroupRules"]])
        used = self.client("ec2").describe_network_interfaces(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual([i["NetworkInterfaceId"] for i in used["NetworkInterfaces"]], [made["network_interface"]])
        vpcs = self.client("ec2", "eu-west-1").describe_vpcs(Filters=[{"Name": "tag:legacy", "Values": ["true"]}])[
            "Vpcs"
        ]
        self.assertEqual([v["VpcId"] for v in vpcs], [made["legacy_vpc"]])
        self.assertTrue(
            self.client("s3").get_bucket_policy_status(Bucket=made["public_bucket"])["PolicyStatus"]["IsPublic"]
        )
        self.assertFalse(self.client("cloudtrail").get_trail_status(Name=made["trail"])["IsLogging"])
        self.assertEqual(self.client("config").describe_configuration_recorders()["ConfigurationRecorders"], [])
        self.assertEqual(self.client("iam").get_role(RoleName=made["role"])["Role"]["MaxSessionDuration"], 43200)

    def test_minimal(self) -> None:
        made = control("POST", f"mess?account={self.account}&minimal=1")
        self.assertEqual(sorted(made), ["account", "keys", "public_bucket", "security_groups"])

    def test_wrong_requests_are_told_what_is_wrong(self) -> None:
        for path, status in (("mess", 400), ("nothing?account=1", 404)):
            with self.assertRaises(urllib.error.HTTPError) as caught:
                control("POST", path)
            self.assertEqual(caught.exception.code, status)
            caught.exception.close()


class Process(unittest.TestCase):
    def start(self, *more: str) -> subprocess.Popen:
        server = subprocess.Popen([sys.executable, SERVER, *more], stdout=subprocess.PIPE, text=True)
        self.addCleanup(server.stdout.close)
        self.assertRegex(server.stdout.readline(), r"^listening on http://127\.0\.0\.1:\d+$")
        return server

    def test_sigterm_ends_it(self) -> None:
        server = self.start()
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=10), 0)

    def test_it_ends_with_its_parent(self) -> None:
        script = (
            "import subprocess, sys\n"
            f"command = [sys.executable, {SERVER!r}, '--die-with-parent']\n"
            "p = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)\n"
            "print(p.stdout.readline().strip(), flush=True)\n"
        )
        parent = subprocess.run(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, timeout=30, check=True
        )
        url = parent.stdout.strip().removeprefix("listening on ")
        for _ in range(100):
            try:
                urllib.request.urlopen(url + "/_evenkeel/health").close()
            except OSError:
                return
            time.sleep(0.1)
        self.fail("the server outlived its parent")


if __name__ == "__main__":
    unittest.main()
