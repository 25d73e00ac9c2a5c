"""What has another type than the API model is refused, and named as such; it is never a failure of the emulator."""

import unittest

from emulator.testing import AccountTest


class Types(AccountTest):
    def test_json_and_query(self) -> None:
        for service, operation, code, arguments in (
            ("kms", "list_keys", "SerializationException", {"Limit": "x"}),
            ("ssm", "get_parameter", "SerializationException", {"Name": 7}),
            ("organizations", "list_accounts", "SerializationException", {"MaxResults": "a"}),
            ("logs", "put_retention_policy", "SerializationException", {"logGroupName": "x", "retentionInDays": "a"}),
            ("cloudwatch", "describe_alarms", "SerializationException", {"MaxRecords": "x"}),
            ("sqs", "create_queue", "SerializationException", {"QueueName": ["x"]}),
            ("guardduty", "create_detector", "BadRequestException", {"Enable": "yes"}),
            ("iam", "list_users", "ValidationError", {"MaxItems": "x"}),
            ("ec2", "describe_vpcs", "InvalidParameterValue", {"MaxResults": "x"}),
            ("s3", "list_objects_v2", "InvalidArgument", {"Bucket": "some-bucket", "MaxKeys": "x"}),
        ):
            with self.subTest(f"{service}.{operation}"):
                error = self.fails(code, getattr(self.client(service), operation), **arguments)
                self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 400)


if __name__ == "__main__":
    unittest.main()
