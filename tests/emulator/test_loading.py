"""API models and moto's data, as the emulator reads them."""

import subprocess
import sys
import urllib.request
from pathlib import Path

from emulator.testing import AccountTest, endpoint


class LoadingTest(AccountTest):
    def test_instance_types_are_offered_by_region_though_they_are_read_late(self) -> None:
        for kind, location in (("region", "eu-west-1"), ("availability-zone", "eu-west-1a")):
            found = self.client("ec2", "eu-west-1").describe_instance_type_offerings(
                LocationType=kind, Filters=[{"Name": "instance-type", "Values": ["t3.micro"]}]
            )["InstanceTypeOfferings"]
            self.assertIn({"InstanceType": "t3.micro", "LocationType": kind, "Location": location}, found)

    def test_an_instance_starts_where_its_zone_is(self) -> None:
        ec2 = self.client("ec2")
        wanted = {"ImageId": "ami-12345678", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1}
        made = ec2.run_instances(**wanted, Placement={"AvailabilityZone": "us-east-1b"})
        self.assertEqual(made["Instances"][0]["Placement"]["AvailabilityZone"], "us-east-1b")
        with self.assertRaises(ec2.exceptions.ClientError):
            ec2.run_instances(**wanted, Placement={"AvailabilityZone": "eu-west-1a"})

    def test_what_moto_adds_to_a_model_is_there(self) -> None:
        s3 = self.client("s3")
        s3.create_bucket(Bucket=f"loaded-{self.account}")
        answer = urllib.request.Request(
            f"{endpoint()}/loaded-{self.account}?versions",
            headers={
                "Authorization": f"AWS4-HMAC-SHA256 Credential=AKIA{self.account}TEST/20260101/us-east-1/s3/"
                "aws4_request, SignedHeaders=host, Signature=0"
            },
        )
        with urllib.request.urlopen(answer) as got:
            self.assertIn(b"<ListVersionsResult", got.read())

    def test_a_model_is_what_botocore_reads(self) -> None:
        script = (
            "from botocore.loaders import create_loader\n"
            "names = ('iam', 'ec2', 'sqs', 'logs')\n"
            "every = create_loader().list_available_services('service-2')\n"
            "plain = [create_loader().load_service_model(name, 'service-2') for name in names]\n"
            "from emulator import loading\n"
            "loading.apply()\n"
            "import botocore.loaders\n"
            "made = [botocore.loaders.create_loader().load_service_model(name, 'service-2') for name in names]\n"
            "assert botocore.loaders.create_loader().list_available_services('service-2') == every\n"
            "assert made == plain\n"
            "assert [list(one['shapes']) for one in made] == [list(one['shapes']) for one in plain]\n"
        )
        subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[1])
