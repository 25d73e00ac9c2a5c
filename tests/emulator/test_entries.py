"""Calls of which AWS judges each entry by itself: what fails is told beside what goes through, with HTTP 200."""

import unittest
from typing import Any

from emulator.organization_testing import OrganizationTest
from emulator.testing import AccountTest, client, control


class Deletes(OrganizationTest):
    def setUp(self) -> None:
        super().setUp()
        self.bucket = f"b-{self.member}"
        self.s3 = client("s3", self.member)
        self.s3.create_bucket(Bucket=self.bucket)
        for key in ("kept", "gone"):
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")

    def delete(self, *objects: Any, **more: Any) -> tuple[list[str], dict[str, str], int]:
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": [*objects]} | more)
        errors = {one["Key"]: one["Code"] for one in answer.get("Errors", [])}
        deleted = [one["Key"] for one in answer.get("Deleted", [])]
        return deleted, errors, answer["ResponseMetadata"]["HTTPStatusCode"]

    def deny(self, action: str, key: str) -> None:
        statement = {"Effect": "Deny", "Action": action, "Resource": f"arn:aws:s3:::{self.bucket}/{key}"}
        document = {"Version": "2012-10-17", "Statement": statement}
        self.policy("SERVICE_CONTROL_POLICY", document, self.root_id)

    def test_an_object_that_may_not_be_deleted_is_told_beside_the_others(self) -> None:
        self.deny("s3:DeleteObject", "kept")
        self.assertEqual(self.delete({"Key": "kept"}, {"Key": "gone"}), (["gone"], {"kept": "AccessDenied"}, 200))
        self.assertEqual([one["Key"] for one in self.s3.list_objects_v2(Bucket=self.bucket)["Contents"]], ["kept"])
        self.assertEqual(self.delete({"Key": "kept"}, Quiet=True), ([], {"kept": "AccessDenied"}, 200))
        self.fails("NoSuchBucket", self.s3.delete_objects, Bucket="not-there", Delete={"Objects": [{"Key": "kept"}]})

    def test_an_error_names_key_version_and_who_may_not(self) -> None:
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        version = self.s3.put_object(Bucket=self.bucket, Key="kept", Body=b"y")["VersionId"]
        self.deny("s3:DeleteObjectVersion", "*")
        objects = [{"Key": "kept", "VersionId": version}, {"Key": "kept"}]
        answer = self.s3.delete_objects(Bucket=self.bucket, Delete={"Objects": objects})
        (error,) = answer["Errors"]
        self.assertEqual((error["Key"], error["VersionId"], error["Code"]), ("kept", version, "AccessDenied"))
        self.assertRegex(error["Message"], "not authorized to perform: s3:DeleteObjectVersion on resource: .*/kept")
        self.assertTrue(answer["Deleted"][0]["DeleteMarker"])

    def test_an_accounts_own_policy_counts_too(self) -> None:
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.bucket}/gone"}
        control("POST", f"policy?account={self.member}", {"Version": "2012-10-17", "Statement": [allowed]})
        self.assertEqual(self.delete({"Key": "kept"}, {"Key": "gone"}), (["gone"], {"kept": "AccessDenied"}, 200))

    def test_a_fault_can_strike_one_object(self) -> None:
        fault = {"service": "s3", "operation": "DeleteObjects", "account": self.member, "kind": "partial"}
        control("POST", "faults", fault | {"entries": ["kept"], "count": 1})
        self.assertEqual(self.delete({"Key": "kept"}, {"Key": "gone"}), (["gone"], {"kept": "InternalError"}, 200))


class Messages(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.sqs = self.client("sqs")

    def queue(self, name: str = "q", **attributes: str) -> str:
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def receipts(self, url: str) -> list[str]:
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [one["ReceiptHandle"] for one in answer["Messages"]]

    def told(self, answer: dict[str, Any]) -> tuple[list[str], dict[str, tuple[str, bool]]]:
        failed = {one["Id"]: (one["Code"], one["SenderFault"]) for one in answer.get("Failed", [])}
        return [one["Id"] for one in answer.get("Successful", [])], failed

    def test_a_message_with_a_character_that_is_not_allowed(self) -> None:
        url = self.queue()
        bodies = {"a": "good", "b": "\x01", "c": "good too"}
        entries = [{"Id": name, "MessageBody": body} for name, body in bodies.items()]
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual(self.told(answer), (["a", "c"], {"b": ("InvalidMessageContents", True)}))
        received = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual(sorted(one["Body"] for one in received), ["good", "good too"])
        # None is good: still an answer with HTTP 200.
        answer = self.sqs.send_message_batch(QueueUrl=url, Entries=[entries[1]])
        self.assertEqual(self.told(answer), ([], {"b": ("InvalidMessageContents", True)}))

    def test_what_is_wrong_with_the_batch_itself_is_refused_as_a_whole(self) -> None:
        url, fifo = self.queue(), self.queue("q.fifo", FifoQueue="true")
        without_group = [{"Id": "a", "MessageBody": "x"}]
        self.fails("MissingParameter", self.sqs.send_message_batch, QueueUrl=fifo, Entries=without_group)
        hide = (self.sqs.change_message_visibility_batch, {"VisibilityTimeout": 0})
        for operation, more in ((self.sqs.delete_message_batch, {}), hide):
            entries = [{"Id": f"m{number}", "ReceiptHandle": f"r{number}"} | more for number in range(11)]
            code = "AWS.SimpleQueueService."
            self.fails(code + "EmptyBatchRequest", operation, QueueUrl=url, Entries=[])
            self.fails(code + "TooManyEntriesInBatchRequest", operation, QueueUrl=url, Entries=entries)
            self.fails(code + "BatchEntryIdsNotDistinct", operation, QueueUrl=url, Entries=[entries[0], entries[0]])
            self.fails(code + "InvalidBatchEntryId", operation, QueueUrl=url, Entries=[entries[0] | {"Id": "a.b"}])
            answer = operation(QueueUrl=url, Entries=entries[:1])
            self.assertEqual(self.told(answer), ([], {"m0": ("ReceiptHandleIsInvalid", True)}))

    def test_a_message_that_is_not_in_flight(self) -> None:
        url = self.queue()
        for body in ("1", "2"):
            self.sqs.send_message(QueueUrl=url, MessageBody=body)
        receipts = self.receipts(url)
        entries = [
            {"Id": f"m{number}", "ReceiptHandle": one, "VisibilityTimeout": 0} for number, one in enumerate(receipts)
        ]
        answer = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries[:1])
        self.assertEqual(self.told(answer), (["m0"], {}))
        answer = self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=entries)
        self.assertEqual(self.told(answer), (["m1"], {"m0": ("AWS.SimpleQueueService.MessageNotInflight", True)}))

    def test_a_receipt_of_a_fifo_queue_that_has_expired(self) -> None:
        url = self.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true")
        for body in ("1", "2"):
            self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=body)
        receipts = self.receipts(url)
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=receipts[0], VisibilityTimeout=0)
        entries = [{"Id": f"m{number}", "ReceiptHandle": one} for number, one in enumerate(receipts)]
        answer = self.sqs.delete_message_batch(QueueUrl=url, Entries=entries)
        self.assertEqual(self.told(answer), (["m1"], {"m0": ("InvalidParameterValue", True)}))


if __name__ == "__main__":
    unittest.main()
