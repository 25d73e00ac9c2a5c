"""Where SNS is strict: what topics and subscriptions may have, whose they are, and what they answer."""

import json
from typing import Any

from emulator.testing import AccountTest, client, control


def allows(who: Any, action: Any, arn: str) -> str:
    statement = {"Sid": "s", "Effect": "Allow", "Principal": who, "Action": action, "Resource": arn}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


class Topics(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.sns = self.client("sns")
        self.arn = self.sns.create_topic(Name="t")["TopicArn"]

    def attributes(self) -> dict[str, str]:
        return self.sns.get_topic_attributes(TopicArn=self.arn)["Attributes"]

    def put(self, name: str, value: str) -> None:
        self.sns.set_topic_attributes(TopicArn=self.arn, AttributeName=name, AttributeValue=value)

    def refused(self, name: str, value: str) -> str:
        return str(self.fails("InvalidParameter", self.put, name=name, value=value))

    def test_the_effective_delivery_policy_is_the_own_one_over_that_of_aws(self) -> None:
        first = json.loads(self.attributes()["EffectiveDeliveryPolicy"])["http"]
        self.assertEqual(first["defaultRequestPolicy"], {"headerContentType": "text/plain; charset=UTF-8"})
        self.assertEqual(first["defaultHealthyRetryPolicy"]["numRetries"], 3)
        self.put("DeliveryPolicy", json.dumps({"http": {"defaultHealthyRetryPolicy": {"numRetries": 5}}}))
        now = json.loads(self.attributes()["EffectiveDeliveryPolicy"])["http"]
        retries = now["defaultHealthyRetryPolicy"]
        self.assertEqual((retries["numRetries"], retries["minDelayTarget"]), (5, 20))
        self.put("DeliveryPolicy", "")
        self.assertNotIn("DeliveryPolicy", self.attributes())

    def test_the_password_of_an_address_is_shown_to_nobody(self) -> None:
        address = {"Protocol": "https", "Endpoint": "https://me:secret@a.example.com/x"}
        arn = self.sns.subscribe(TopicArn=self.arn, **address, ReturnSubscriptionArn=True)["SubscriptionArn"]
        [row] = self.sns.list_subscriptions_by_topic(TopicArn=self.arn)["Subscriptions"]
        told = self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]["Endpoint"]
        self.assertEqual((row["Endpoint"], told), ("https://me:****@a.example.com/x",) * 2)

    def test_a_policy_names_accounts_by_arn_and_what_topics_know(self) -> None:
        self.put("Policy", allows({"AWS": "111122223333"}, "SNS:Publish", self.arn))
        stored = json.loads(self.attributes()["Policy"])["Statement"][0]["Principal"]
        self.assertEqual(stored, {"AWS": "arn:aws:iam::111122223333:root"})
        for action in ("sns:CreateTopic", "sqs:SendMessage", ["SNS:Publish", "sns:SetSubscriptionAttributes"]):
            self.assertIn("out of service scope", self.refused("Policy", allows("*", action, self.arn)))
        gone = {"AWS": f"arn:aws:iam::{self.account}:role/gone"}
        self.assertIn("PrincipalNotFound", self.refused("Policy", allows(gone, "SNS:Publish", self.arn)))
        for text in ("", "[]", "{", json.dumps({"Statement": []})):
            self.refused("Policy", text)

    def test_values_of_attributes(self) -> None:
        self.put("MaximumMessageSize", "1024")
        self.assertEqual(self.attributes()["MaximumMessageSize"], "1024")
        role = f"arn:aws:iam::{self.account}:role/r"
        self.put("SQSSuccessFeedbackRoleArn", role)
        for name, value in (
            ("MaximumMessageSize", "1023"),
            ("DisplayName", "x" * 101),
            ("SQSSuccessFeedbackSampleRate", "101"),
            ("SQSFailureFeedbackRoleArn", "role"),
            ("ContentBasedDeduplication", "true"),
            ("DeliveryPolicy", "{"),
            ("DeliveryPolicy", '{"htttp": {}}'),
            ("DeliveryPolicy", '{"http": {"defaultHealthyRetryPolicy": {"numRetries": 101}}}'),
            ("DeliveryPolicy", '{"http": {"defaultHealthyRetryPolicy": {"minDelayTarget": 9, "maxDelayTarget": 8}}}'),
            ("DeliveryPolicy", '{"http": {"defaultHealthyRetryPolicy": {"retries": 1}}}'),
            ("DeliveryPolicy", '{"http": {"defaultThrottlePolicy": {"maxReceivesPerSecond": 0}}}'),
        ):
            self.refused(name, value)

    def test_names(self) -> None:
        for name in ("a b", "x" * 257, "t.fifo", ""):
            self.fails("InvalidParameter", self.sns.create_topic, Name=name)
        fifo = {"FifoTopic": "true"}
        self.fails("InvalidParameter", self.sns.create_topic, Name="t", Attributes=fifo)
        self.sns.create_topic(Name="t.fifo", Attributes=fifo | {"ContentBasedDeduplication": "true"})
        twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
        for tags in (twice, [{"Key": "aws:a", "Value": "1"}]):
            self.fails("InvalidParameter", self.sns.create_topic, Name="tagged", Tags=tags)
            self.fails("InvalidParameter", self.sns.tag_resource, ResourceArn=self.arn, Tags=tags)
        self.fails("ResourceNotFound", self.sns.list_tags_for_resource, ResourceArn=self.arn + "x")

    def test_a_topic_is_its_account_s_and_its_region_s(self) -> None:
        read = client("sns", "8" + self.account[1:]).get_topic_attributes
        error = self.fails("AuthorizationError", read, TopicArn=self.arn)
        self.assertEqual(error.response["ResponseMetadata"]["HTTPStatusCode"], 403)
        other = {"AWS": "8" + self.account[1:]}
        self.put("Policy", allows(other, "SNS:GetTopicAttributes", self.arn))
        self.assertEqual(read(TopicArn=self.arn)["Attributes"]["Owner"], self.account)
        publish = client("sns", "8" + self.account[1:]).publish
        self.fails("AuthorizationError", publish, TopicArn=self.arn, Message="m")
        elsewhere = self.client("sns", "eu-west-1")
        self.fails("InvalidParameter", elsewhere.get_topic_attributes, TopicArn=self.arn)
        for arn in ("t", "arn:aws"):
            self.fails("InvalidParameter", self.sns.get_topic_attributes, TopicArn=arn)

    def test_topics_come_in_pages(self) -> None:
        for number in range(100):
            self.sns.create_topic(Name=f"topic-{number}")
        first = self.sns.list_topics()
        self.assertEqual(len(first["Topics"]), 100)
        second = self.sns.list_topics(NextToken=first["NextToken"])
        self.assertEqual((len(second["Topics"]), "NextToken" in second), (1, False))
        self.fails("InvalidParameter", self.sns.list_topics, NextToken="guess")


class Subscriptions(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.sns = self.client("sns")
        self.topic = self.sns.create_topic(Name="t")["TopicArn"]
        self.queue = {"Protocol": "sqs", "Endpoint": f"arn:aws:sqs:us-east-1:{self.account}:q"}

    def subscribe(self, **more: Any) -> str:
        return self.sns.subscribe(TopicArn=self.topic, ReturnSubscriptionArn=True, **more)["SubscriptionArn"]

    def attributes(self, arn: str) -> dict[str, str]:
        return self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]

    def test_a_second_one_must_be_equal(self) -> None:
        raw = {"RawMessageDelivery": "True"}
        arn = self.subscribe(**self.queue, Attributes=raw)
        self.assertEqual(self.attributes(arn)["RawMessageDelivery"], "true")
        self.assertEqual(self.subscribe(**self.queue), arn)
        self.assertEqual(self.subscribe(**self.queue, Attributes=raw), arn)
        other = {"RawMessageDelivery": "false"}
        error = self.fails("InvalidParameter", self.subscribe, **self.queue, Attributes=other)
        self.assertIn("Subscription already exists with different attributes", str(error))
        self.assertEqual(self.attributes(arn)["RawMessageDelivery"], "true")

    def test_endpoints_fit_their_protocol(self) -> None:
        for protocol, endpoint in (
            ("fax", "1"),
            ("https", "http://example.com"),
            ("email", "nobody"),
            ("sqs", "https://sqs.us-east-1.amazonaws.com/1/q"),
            ("lambda", "f"),
            ("firehose", f"arn:aws:firehose:us-east-1:{self.account}:deliverystream/d"),
        ):
            self.fails("InvalidParameter", self.subscribe, Protocol=protocol, Endpoint=endpoint)
        gone = {"TopicArn": self.topic + "x", **self.queue}
        self.fails("NotFound", self.sns.subscribe, **gone)

    def test_attributes(self) -> None:
        arn = self.subscribe(**self.queue)
        got = self.attributes(arn)
        self.assertEqual(got["ConfirmationWasAuthenticated"], "true")
        self.assertEqual(got["SubscriptionPrincipal"], f"arn:aws:iam::{self.account}:user/evenkeel-test")
        self.assertNotIn("FilterPolicyScope", got)
        put = self.sns.set_subscription_attributes
        for name, value in (
            ("Nothing", "1"),
            ("RawMessageDelivery", "maybe"),
            ("RawMessageDelivery", ""),
            ("RedrivePolicy", "{invalid}"),
            ("RedrivePolicy", '{"deadLetterTargetArn": "q"}'),
            ("FilterPolicy", "{invalid}"),
            ("FilterPolicyScope", "Everything"),
            ("DeliveryPolicy", "{}"),
        ):
            self.fails("InvalidParameter", put, SubscriptionArn=arn, AttributeName=name, AttributeValue=value)
        put(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue='{"a": ["b"]}')
        self.assertEqual(self.attributes(arn)["FilterPolicyScope"], "MessageAttributes")
        put(SubscriptionArn=arn, AttributeName="FilterPolicy", AttributeValue="")
        self.assertNotIn("FilterPolicy", self.attributes(arn))

    def test_settings_go_with_each_other_and_with_the_protocol(self) -> None:
        flat, deep = '{"a": ["x"]}', '{"a": {"b": ["x"]}}'
        arn = self.subscribe(**self.queue, Attributes={"FilterPolicy": flat})
        self.fails("InvalidParameter", self.subscribe, **self.queue, Attributes={"FilterPolicy": '{"a": ["y"]}'})
        self.assertEqual(self.subscribe(**self.queue, Attributes={"FilterPolicy": flat}), arn)

        def put(name: str, value: str | None) -> None:
            more = {} if value is None else {"AttributeValue": value}
            self.sns.set_subscription_attributes(SubscriptionArn=arn, AttributeName=name, **more)

        self.assertEqual(self.attributes(arn)["FilterPolicyScope"], "MessageAttributes")
        error = self.fails("InvalidParameter", put, name="FilterPolicy", value=deep)
        self.assertIn("Filter policy scope MessageAttributes does not support nested filter policy", str(error))
        self.assertEqual(self.attributes(arn)["FilterPolicy"], flat)
        put("FilterPolicyScope", "MessageBody")
        put("FilterPolicy", deep)
        self.fails("InvalidParameter", put, name="FilterPolicyScope", value="MessageAttributes")
        put("RedrivePolicy", json.dumps({"deadLetterTargetArn": self.queue["Endpoint"]}))
        self.fails("InvalidParameter", put, name="RedrivePolicy", value="")
        put("RedrivePolicy", None)
        self.assertNotIn("RedrivePolicy", self.attributes(arn))
        self.fails("InvalidParameter", put, name="SubscriptionRoleArn", value="arn:aws:iam::111122223333:role/r")
        mail = {"Protocol": "email", "Endpoint": "me@example.com"}
        for attributes in ({"RawMessageDelivery": "true"}, {"DeliveryPolicy": "{}"}, {"FilterPolicy": deep}):
            self.fails("InvalidParameter", self.subscribe, **mail, Attributes=attributes)

    def test_the_end(self) -> None:
        arn = self.subscribe(**self.queue)
        self.sns.unsubscribe(SubscriptionArn=arn)
        self.sns.unsubscribe(SubscriptionArn=arn)
        error = self.fails("NotFound", self.sns.get_subscription_attributes, SubscriptionArn=arn)
        self.assertIn("Subscription does not exist", str(error))
        counts = self.sns.get_topic_attributes(TopicArn=self.topic)["Attributes"]
        self.assertEqual((counts["SubscriptionsDeleted"], counts["SubscriptionsConfirmed"]), ("1", "0"))
        pending = self.subscribe(Protocol="email", Endpoint="me@example.com")
        self.assertEqual(self.attributes(pending)["ConfirmationWasAuthenticated"], "false")
        self.fails("InvalidParameter", self.sns.unsubscribe, SubscriptionArn=pending)
        control("POST", f"confirm?account={self.account}&endpoint=me@example.com")
        self.sns.unsubscribe(SubscriptionArn=pending)

    def test_the_topic_s_owner_sees_those_of_others(self) -> None:
        other = "8" + self.account[1:]
        policy = allows({"AWS": other}, "SNS:Subscribe", self.topic)
        self.sns.set_topic_attributes(TopicArn=self.topic, AttributeName="Policy", AttributeValue=policy)
        endpoint = f"arn:aws:sqs:us-east-1:{other}:q"
        client("sns", other).subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=endpoint)
        rows = self.sns.list_subscriptions_by_topic(TopicArn=self.topic)["Subscriptions"]
        self.assertEqual([row["Owner"] for row in rows], [other])
        self.assertEqual(self.sns.list_subscriptions()["Subscriptions"], [])
