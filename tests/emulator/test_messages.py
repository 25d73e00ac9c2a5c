"""What queues do not take, and event patterns that are none."""

import json
import unittest
import urllib.error

from emulator.testing import AccountTest, control

EVENT = {"id": "1", "account": "1", "source": "x", "time": "2020-01-01T00:00:00Z", "region": "us-east-1"}
EVENT |= {"resources": [], "detail-type": "t", "detail": {"x": 5}}


class Queues(AccountTest):
    def test_characters(self) -> None:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        for text in ("\x01", "a\ufffe", "\x1f"):
            self.fails("InvalidMessageContents", sqs.send_message, QueueUrl=url, MessageBody=text)
        sqs.send_message(QueueUrl=url, MessageBody="\t\n\r ä\U0001f600")

    def test_a_queue_that_was_just_deleted(self) -> None:
        sqs = self.client("sqs")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        sqs.delete_queue(QueueUrl=url)
        self.fails("QueueDeletedRecently", sqs.create_queue, QueueName="q")
        sqs.create_queue(QueueName="other")
        self.client("sqs", "eu-west-1").create_queue(QueueName="q")

    def test_a_queue_of_dead_letters_says_whose(self) -> None:
        sqs = self.client("sqs")
        arn = f"arn:aws:sqs:us-east-1:{self.account}:"
        allowed = {
            "none": {"redrivePermission": "denyAll"},
            "some": {"redrivePermission": "byQueue", "sourceQueueArns": [f"{arn}a"]},
        }
        for name, policy in allowed.items():
            sqs.create_queue(QueueName=name, Attributes={"RedriveAllowPolicy": json.dumps(policy)})

        def create(name: str, letters: str) -> None:
            redrive = json.dumps({"maxReceiveCount": 3, "deadLetterTargetArn": f"{arn}{letters}"})
            sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})

        self.fails("InvalidParameterValue", create, name="a", letters="none")
        self.fails("InvalidParameterValue", create, name="b", letters="some")
        create("a", "some")


class Patterns(AccountTest):
    def test_operators(self) -> None:
        events = self.client("events")
        wrong = [{"nope": "x"}, {"numeric": ["<"]}, {"numeric": ["<", "5"]}, {"prefix": 5}, {"exists": "yes"}, {}]
        for match in wrong:
            with self.subTest(match):
                pattern = json.dumps({"detail": {"x": [match]}})
                self.fails("InvalidEventPatternException", events.put_rule, Name="r", EventPattern=pattern)
                arguments = {"EventPattern": pattern, "Event": json.dumps(EVENT)}
                self.fails("InvalidEventPatternException", events.test_event_pattern, **arguments)
        right = [{"numeric": [">", 0, "<=", 5]}, {"anything-but": {"prefix": "y"}}, {"exists": True}]
        right.append({"cidr": "10.0.0.0/8"})
        for match in [*right, {"prefix": {"equals-ignore-case": "X"}}, {"wildcard": "a*"}, {"suffix": "b"}, 5, None]:
            events.put_rule(Name="r", EventPattern=json.dumps({"detail": {"$or": [{"x": [match]}, {"y": ["z"]}]}}))

    def test_probabilities(self) -> None:
        with self.assertRaises(urllib.error.HTTPError):
            control("POST", f"events?account={self.account}", {"loss": 7})


if __name__ == "__main__":
    unittest.main()
