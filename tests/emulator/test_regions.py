"""A Region that the account has not opted into knows nobody."""

from emulator.testing import AccountTest, control


class Regions(AccountTest):
    def test_a_region_that_is_off_knows_nobody(self) -> None:
        off = "ap-east-1"
        role = {"RoleArn": f"arn:aws:iam::{self.account}:role/r", "RoleSessionName": "session"}
        for service, call, arguments, code, status in (
            ("ec2", "describe_vpcs", {}, "AuthFailure", 401),
            ("sns", "list_topics", {}, "InvalidClientTokenId", 403),
            ("kms", "list_keys", {}, "UnrecognizedClientException", 400),
            ("guardduty", "list_detectors", {}, "UnrecognizedClientException", 403),
            ("s3", "list_buckets", {}, "InvalidAccessKeyId", 403),
            ("sts", "assume_role", role, "RegionDisabledException", 403),
        ):
            error = self.fails(code, getattr(self.client(service, off), call), **arguments)
            self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], status, service)
        control("POST", f"opt_in?account={self.account}&region={off}")
        self.assertEqual(self.client("kms", off).list_keys()["Keys"], [])
        self.client("kms", "us-gov-west-1").list_keys()
