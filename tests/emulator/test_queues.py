"""SQS as a real queue: groups, deduplication, visibility, dead letters, long polling, other accounts."""

import json
import threading
import time
import unittest
from typing import Any

from emulator.testing import AccountTest, client


class Queues(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.sqs = self.client("sqs")

    def queue(self, name: str, **attributes: str) -> str:
        return self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]

    def arn(self, url: str) -> str:
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def send(self, url: str, body: str, group: str | None = None, **more: Any) -> dict[str, Any]:
        if group:
            more |= {"MessageGroupId": group}
        return self.sqs.send_message(QueueUrl=url, MessageBody=body, **more)

    def receive(self, url: str, **more: Any) -> list[dict[str, Any]]:
        more = {"MaxNumberOfMessages": 10} | more
        return self.sqs.receive_message(QueueUrl=url, AttributeNames=["All"], **more).get("Messages", [])

    def bodies(self, url: str, **more: Any) -> list[str]:
        return [message["Body"] for message in self.receive(url, **more)]

    def delete(self, url: str, message: dict[str, Any]) -> None:
        self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])

    def fifo(self, **more: str) -> str:
        return self.queue("q.fifo", FifoQueue="true", ContentBasedDeduplication="true", **more)

    def test_a_group_waits_for_the_message_in_flight(self) -> None:
        url = self.fifo()
        for body, group in (("a1", "a"), ("a2", "a"), ("b1", "b")):
            self.send(url, body, group)
        first = self.receive(url, MaxNumberOfMessages=1)
        self.assertEqual([m["Body"] for m in first], ["a1"])
        self.assertEqual(self.bodies(url), ["b1"])
        self.delete(url, first[0])
        self.assertEqual(self.bodies(url), ["a2"])

    def test_what_is_no_message(self) -> None:
        standard, fifo = self.queue("q"), self.fifo()
        text = {"DataType": "String", "StringValue": "v"}
        wrong: list[tuple[dict[str, Any], str]] = [
            ({"DelaySeconds": -1}, "DelaySeconds must be >= 0 and <= 900."),
            ({"MessageDeduplicationId": "d"}, "not valid for this queue type"),
            ({"MessageGroupId": "g" * 129}, "MessageGroupId can only include alphanumeric and punctuation characters"),
            ({"MessageAttributes": {f"a{n}": text for n in range(11)}}, "[11] exceeds the allowed maximum [10]"),
            ({"MessageAttributes": {"a": {"DataType": "String", "StringValue": ""}}}, "non-empty value of type 'String'"),
            ({"MessageAttributes": {"a": {"DataType": "Number", "StringValue": "x"}}}, "to a number"),
            ({"MessageSystemAttributes": {"Other": text}}, "system attribute name 'Other'"),
        ]
        wrong += [({"MessageAttributes": {name: text}}, name) for name in ("AWS.a", "amazon.a", ".a", "a.", "a..b", "a b")]
        for more, words in wrong:
            with self.subTest(more):
                error = self.fails("InvalidParameterValue", self.send, url=standard, body="b", **more)
                self.assertIn(words, error.response["Error"]["Message"])
                entries = [{"Id": "bad", "MessageBody": "b"} | more, {"Id": "good", "MessageBody": "b"}]
                told = self.sqs.send_message_batch(QueueUrl=standard, Entries=entries)
                self.assertEqual([one["Id"] for one in told["Failed"]], ["bad"])
                self.assertEqual([one["Id"] for one in told["Successful"]], ["good"])
        for name in ("a b", "d" * 129):
            arguments = {"url": fifo, "body": "b", "group": "g", "MessageDeduplicationId": name}
            self.fails("InvalidParameterValue", self.send, **arguments)
        self.fails("MissingParameter", self.send, url=standard, body="")
        # Groups are for fair queues too, and numbers are of many forms.
        number = {"DataType": "Number.int", "StringValue": "-1.5e3"}
        self.send(standard, "b", "g", MessageAttributes={"a-b.c_d": number, "t": text})

    def test_attributes_count_for_the_size_of_a_message(self) -> None:
        url = self.queue("q", MaximumMessageSize="1024")
        attributes = {"name": {"DataType": "String", "StringValue": "v" * 14}}
        self.send(url, "b" * 1000, MessageAttributes=attributes)
        error = self.fails("InvalidParameterValue", self.send, url=url, body="b" * 1001, MessageAttributes=attributes)
        self.assertIn("Message must be shorter than 1024 bytes", str(error))

    def test_attributes_of_fifo_queues_go_with_each_other(self) -> None:
        url = self.fifo()
        change = self.sqs.set_queue_attributes
        for bad in (
            {"DeduplicationScope": "x"},
            {"FifoThroughputLimit": "x"},
            {"ContentBasedDeduplication": "yes"},
            {"FifoThroughputLimit": "perMessageGroupId"},
            {"FifoQueue": "false"},
        ):
            with self.subTest(bad):
                self.fails("InvalidAttributeValue", change, QueueUrl=url, Attributes=bad)
        change(QueueUrl=url, Attributes={"DeduplicationScope": "messageGroup"})
        change(QueueUrl=url, Attributes={"FifoThroughputLimit": "perMessageGroupId"})
        change(QueueUrl=url, Attributes={"FifoQueue": "true"})
        both = {"FifoQueue": "true", "FifoThroughputLimit": "perMessageGroupId"}
        self.fails("InvalidAttributeValue", self.queue, name="r.fifo", **both)

    def test_attributes_of_messages_are_asked_for_by_either_name(self) -> None:
        url = self.queue("q", VisibilityTimeout="0")
        self.send(url, "b")
        for name in ("AttributeNames", "MessageSystemAttributeNames"):
            found = self.sqs.receive_message(QueueUrl=url, **{name: ["ApproximateReceiveCount"]})["Messages"][0]
            self.assertEqual([*found["Attributes"]], ["ApproximateReceiveCount"])
        self.fails("InvalidAttributeName", self.sqs.receive_message, QueueUrl=url, AttributeNames=["Nothing"])

    def test_times_of_a_queue_are_whole_seconds(self) -> None:
        url = self.queue("q")
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": "1"})
        names = ["CreatedTimestamp", "LastModifiedTimestamp"]
        for value in self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values():
            self.assertRegex(value, r"^\d{10}$")

    def test_numbers_out_of_range_are_told_in_the_words_of_sqs(self) -> None:
        url = self.queue("q")
        for name, value, reason in (
            ("MaxNumberOfMessages", 11, "Must be between 1 and 10"),
            ("WaitTimeSeconds", 21, "Must be >= 0 and <= 20"),
            ("VisibilityTimeout", 43201, "Must be between 0 and 43200"),
        ):
            error = self.fails("InvalidParameterValue", self.sqs.receive_message, QueueUrl=url, **{name: value})
            wanted = f"Value {value} for parameter {name} is invalid. Reason: {reason}, if provided."
            self.assertEqual(error.response["Error"]["Message"], wanted)

    def test_a_message_comes_back_in_its_place(self) -> None:
        url = self.fifo()
        for body in ("1", "2", "3"):
            self.send(url, body, "g")
        taken = self.receive(url, MaxNumberOfMessages=1, VisibilityTimeout=1)
        self.assertEqual(self.bodies(url), [])
        time.sleep(1.1)
        self.assertEqual(self.bodies(url), ["1", "2", "3"])
        self.assertEqual(taken[0]["Body"], "1")

    def test_a_long_poll_sees_a_group_that_becomes_free(self) -> None:
        url = self.fifo()
        self.send(url, "1", "g")
        self.send(url, "2", "g")
        first = self.receive(url, MaxNumberOfMessages=1)[0]
        threading.Timer(0.3, lambda: client("sqs", self.account).delete_message(
            QueueUrl=url, ReceiptHandle=first["ReceiptHandle"])).start()
        started = time.monotonic()
        self.assertEqual(self.bodies(url, WaitTimeSeconds=10), ["2"])
        self.assertLess(time.monotonic() - started, 3)

    def test_duplicates_are_dropped_even_after_the_first_is_deleted(self) -> None:
        url = self.fifo()
        first = self.send(url, "same", "g")
        self.delete(url, self.receive(url)[0])
        again = self.send(url, "same", "g")
        self.assertEqual(again["MessageId"], first["MessageId"])
        self.assertEqual(again["SequenceNumber"], first["SequenceNumber"])
        self.assertEqual(self.bodies(url), [])
        self.send(url, "same", "g", MessageDeduplicationId="another")
        self.assertEqual(self.bodies(url), ["same"])

    def test_deduplication_can_be_for_each_group(self) -> None:
        url = self.fifo(DeduplicationScope="messageGroup", FifoThroughputLimit="perMessageGroupId")
        self.send(url, "same", "a")
        self.send(url, "same", "b")
        self.send(url, "same", "a")
        self.assertEqual(self.bodies(url), ["same", "same"])

    def test_sequence_numbers_grow(self) -> None:
        url = self.fifo()
        numbers = [self.send(url, str(n), "g")["SequenceNumber"] for n in range(3)]
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual(self.receive(url)[0]["Attributes"]["SequenceNumber"], numbers[0])

    def test_a_message_received_too_often_goes_to_the_dead_letters(self) -> None:
        dead = self.queue("dead")
        policy = json.dumps({"deadLetterTargetArn": self.arn(dead), "maxReceiveCount": 2})
        url = self.queue("q", VisibilityTimeout="0", RedrivePolicy=policy)
        self.send(url, "poison")
        counts = [m["Attributes"]["ApproximateReceiveCount"] for _ in range(2) for m in self.receive(url)]
        self.assertEqual(counts, ["1", "2"])
        self.assertEqual(self.bodies(url), [])
        self.assertEqual(self.bodies(dead), ["poison"])

    def test_a_long_poll_keeps_nobody_waiting(self) -> None:
        url = self.queue("q")
        got: list[str] = []
        poll = threading.Thread(target=lambda: got.extend(self.bodies(url, WaitTimeSeconds=10)))
        poll.start()
        time.sleep(0.2)
        started = time.monotonic()
        client("iam", self.account).list_roles()
        client("sqs", self.account).send_message(QueueUrl=url, MessageBody="here")
        poll.join()
        self.assertLess(time.monotonic() - started, 3)
        self.assertEqual(got, ["here"])

    def test_a_long_poll_ends_empty_and_on_time(self) -> None:
        url = self.queue("q", ReceiveMessageWaitTimeSeconds="1")
        started = time.monotonic()
        self.assertEqual(self.bodies(url), [])
        self.assertGreater(time.monotonic() - started, 0.9)

    def test_a_delayed_message_ends_a_long_poll(self) -> None:
        url = self.queue("q")
        self.send(url, "late", DelaySeconds=1)
        self.assertEqual(self.bodies(url), [])
        self.assertEqual(self.bodies(url, WaitTimeSeconds=5), ["late"])

    def test_visibility_is_changed_only_in_flight(self) -> None:
        url = self.queue("q")
        self.send(url, "x")
        message = self.receive(url)[0]
        self.sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0)
        self.fails(
            "AWS.SimpleQueueService.MessageNotInflight",
            self.sqs.change_message_visibility,
            QueueUrl=url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=5,
        )
        self.assertEqual(self.bodies(url), ["x"])

    def test_only_the_last_receipt_deletes(self) -> None:
        url = self.queue("q", VisibilityTimeout="0")
        self.send(url, "x")
        first, second = self.receive(url)[0], self.receive(url)[0]
        self.delete(url, first)
        self.assertEqual(self.bodies(url), ["x"])
        last = self.receive(url)[0]
        self.delete(url, last)
        self.assertEqual(self.bodies(url), [])
        self.assertNotEqual(second["ReceiptHandle"], last["ReceiptHandle"])

    def test_a_fifo_receipt_expires(self) -> None:
        url = self.fifo()
        self.send(url, "x", "g")
        message = self.receive(url, VisibilityTimeout=1)[0]
        time.sleep(1.1)
        receipt = message["ReceiptHandle"]
        self.fails("InvalidParameterValue", self.sqs.delete_message, QueueUrl=url, ReceiptHandle=receipt)

    def test_the_policy_stays_when_something_else_is_set(self) -> None:
        url = self.queue("q")
        policy = {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": self.arn(url)}]}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "5"})
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        self.assertEqual(json.loads(found["Policy"]), policy)

    def test_another_account_needs_the_policy_of_the_queue(self) -> None:
        url, other = self.queue("q"), str(int(self.account) + 500_000_000)
        theirs = client("sqs", other)
        self.fails("AccessDenied", theirs.receive_message, QueueUrl=url)
        gone = self.fails("AWS.SimpleQueueService.NonExistentQueue", theirs.receive_message, QueueUrl=url + "x")
        headers = gone.response["ResponseMetadata"]["HTTPHeaders"]
        self.assertEqual(headers["x-amzn-query-error"], "AWS.SimpleQueueService.NonExistentQueue;Sender")
        self.assertEqual(headers["x-amzn-errortype"], "QueueDoesNotExist")
        policy = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{other}:root"},
                                 "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"], "Resource": self.arn(url)}]}
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
        self.send(url, "x")
        message = theirs.receive_message(QueueUrl=url)["Messages"][0]
        theirs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        self.fails("AccessDenied", theirs.send_message, QueueUrl=url, MessageBody="no")

    def test_messages_are_counted_by_whether_they_can_be_received(self) -> None:
        url = self.queue("q", VisibilityTimeout="600")
        for body in "abc":
            self.send(url, body)
        self.send(url, "d", DelaySeconds=600)
        self.receive(url, MaxNumberOfMessages=1)
        names = ["", "NotVisible", "Delayed"]
        names = [f"ApproximateNumberOfMessages{name}" for name in names]
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        self.assertEqual([counts[name] for name in names], ["2", "1", "1"])

    def test_who_sends_counts_nothing(self) -> None:
        from moto.sqs.models import sqs_backends

        from emulator.events import queues
        from emulator.turn import TURN

        class Uncountable(list):
            def __iter__(self) -> Any:
                raise AssertionError("all messages of the queue are gone through")

        queues.install()
        backend = sqs_backends[self.account]["eu-west-1"]
        queue = backend.create_queue("many", {})
        queue._messages = Uncountable()
        with TURN:
            for body in "ab":
                backend.send_message("many", body)
        self.assertEqual(len(queue._messages), 2)


if __name__ == "__main__":
    unittest.main()
