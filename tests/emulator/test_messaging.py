"""Rules, topics, subscriptions, metric filters and event data stores: what they hold and what they refuse."""

import json
import unittest
from typing import Any

from emulator.testing import AccountTest, client, control


class Rules(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.events = self.client("events")
        self.arn = self.events.put_rule(Name="r", EventPattern='{"source": ["x"]}', Tags=[{"Key": "a", "Value": "1"}])[
            "RuleArn"
        ]

    def targets(self, *ids: str) -> list[dict[str, str]]:
        return [{"Id": one, "Arn": f"arn:aws:sqs:us-east-1:{self.account}:q"} for one in ids]

    def test_a_target_that_is_not_there_cannot_be_removed(self) -> None:
        self.events.put_targets(Rule="r", Targets=self.targets("a"))
        answer = self.events.remove_targets(Rule="r", Ids=["a", "b"])
        self.assertEqual((answer["FailedEntryCount"], answer["FailedEntries"][0]["TargetId"]), (1, "b"))

    def test_a_rule_has_five_targets(self) -> None:
        self.events.put_targets(Rule="r", Targets=self.targets(*"abcde"))
        self.events.put_targets(Rule="r", Targets=self.targets("e"))
        self.fails("LimitExceededException", self.events.put_targets, Rule="r", Targets=self.targets("f"))

    def test_tags_are_for_new_rules(self) -> None:
        self.events.put_rule(Name="r", EventPattern='{"source": ["y"]}', Tags=[{"Key": "b", "Value": "2"}])
        self.assertEqual(
            self.events.list_tags_for_resource(ResourceARN=self.arn)["Tags"], [{"Key": "a", "Value": "1"}]
        )

    def test_a_pattern_is_tried(self) -> None:
        of_all = {"account": self.account, "time": "t", "region": "r", "resources": [], "detail-type": "t"}
        event = json.dumps({"id": "1", "source": "x"} | of_all)
        tried = self.events.test_event_pattern
        self.assertIs(tried(EventPattern='{"source": ["x"]}', Event=event)["Result"], True)
        self.assertIs(tried(EventPattern='{"source": ["y"]}', Event=event)["Result"], False)
        self.fails("InvalidEventPatternException", tried, EventPattern="{", Event=event)

    def test_days_of_the_month_and_of_the_week_exclude_each_other(self) -> None:
        for wrong in ("cron(0 20 * * * *)", "cron(0 20 ? * ? *)", "cron(0 20 * * MON *)", "cron(0 20 * * ?)"):
            self.fails("ValidationException", self.events.put_rule, Name="s", ScheduleExpression=wrong)
        for right in ("cron(0 20 * * ? *)", "cron(0 20 ? * MON-FRI *)"):
            self.events.put_rule(Name="s", ScheduleExpression=right)

    def test_a_bus_with_rules_stays(self) -> None:
        self.events.create_event_bus(Name="b")
        self.events.put_rule(Name="r", EventBusName="b", EventPattern='{"source": ["x"]}')
        self.fails("ValidationException", self.events.delete_event_bus, Name="b")
        self.events.delete_rule(Name="r", EventBusName="b")
        self.events.delete_event_bus(Name="b")

    def test_what_a_target_gets_is_a_path_or_a_template_of_json(self) -> None:
        def put(**given: Any) -> None:
            arn = f"arn:aws:sqs:us-east-1:{self.account}:q"
            self.events.put_targets(Rule="r", Targets=[{"Id": "t", "Arn": arn} | given])

        def template(text: str, **paths: str) -> dict[str, Any]:
            return {"InputTransformer": {"InputPathsMap": paths, "InputTemplate": text}}

        for wrong in (
            {"InputPath": "detail"},
            {"InputPath": "$.detail['x']"},
            template('"<a>"', a="detail"),
            template('"<a>"', a='$["detail"]'),
            template('"<b>"', a="$.detail"),
            template('"<aws.events.nothing>"'),
            template('"<aws.x>"', **{"aws.x": "$.detail"}),
            template("no quotes <a>", a="$.detail"),
            template('{"x": <a>', a="$.detail"),
            template('{x: "<a>"}', a="$.detail"),
        ):
            with self.subTest(wrong):
                self.fails("ValidationException", put, **wrong)
        for right in (
            {"InputPath": "$"},
            {"InputPath": "$.resources[0]"},
            template('"<a> \\"<a>\\" <not a part>"', a="$.detail.x"),
            template('{"a": <a>, "said": "<a>", "of": [1, <aws.events.event>], "rule": "<aws.events.rule-name>"}', a="$"),
            template('"first <a>"\n"second"', a="$.time"),
            template("<aws.events.event.json>"),
        ):
            with self.subTest(right):
                put(**right)

    def test_a_managed_rule_is_left_alone(self) -> None:
        self.events.put_targets(Rule="r", Targets=self.targets("a"))
        control("POST", f"owner?account={self.account}&of=events:rule/r&owner=inspector2.amazonaws.com")
        self.assertEqual(self.events.describe_rule(Name="r")["ManagedBy"], "inspector2.amazonaws.com")
        self.assertEqual(self.events.list_rules()["Rules"][0]["ManagedBy"], "inspector2.amazonaws.com")
        pattern = '{"source": ["z"]}'
        self.fails("ManagedRuleException", self.events.put_rule, Name="r", EventPattern=pattern)
        self.fails("ManagedRuleException", self.events.put_targets, Rule="r", Targets=self.targets("b"))
        self.fails("ManagedRuleException", self.events.disable_rule, Name="r")
        self.fails("ManagedRuleException", self.events.remove_targets, Rule="r", Ids=["a"])
        self.events.remove_targets(Rule="r", Ids=["a"], Force=True)
        self.events.delete_rule(Name="r", Force=True)


    def test_a_rule_tells_who_made_it_and_is_there_or_not(self) -> None:
        self.assertEqual(self.events.describe_rule(Name="r")["CreatedBy"], self.account)
        self.assertNotIn("CreatedBy", self.events.list_rules()["Rules"][0])
        for call in (self.events.enable_rule, self.events.disable_rule, self.events.describe_rule):
            self.fails("ResourceNotFoundException", call, Name="none")
        self.fails("ResourceNotFoundException", self.events.list_targets_by_rule, Rule="none")
        self.fails("ResourceNotFoundException", self.events.remove_targets, Rule="none", Ids=["a"])
        self.events.put_targets(Rule="r", Targets=self.targets(*"abc"))
        first = self.events.list_targets_by_rule(Rule="r", Limit=2)
        second = self.events.list_targets_by_rule(Rule="r", Limit=2, NextToken=first["NextToken"])
        self.assertEqual([len(first["Targets"]), len(second["Targets"]), "NextToken" in second], [2, 1, False])

    def test_targets_that_need_a_role_or_an_address(self) -> None:
        put = self.events.put_targets
        stream = f"arn:aws:kinesis:us-east-1:{self.account}:stream/s"
        for arn in (stream, "queue", "arn:aws:sqs"):
            self.fails("ValidationException", put, Rule="r", Targets=[{"Id": "1", "Arn": arn}])
        role = f"arn:aws:iam::{self.account}:role/r"
        put(Rule="r", Targets=[{"Id": "1", "Arn": stream, "RoleArn": role}])

    def test_a_bus_has_three_hundred_rules(self) -> None:
        for number in range(299):
            self.events.put_rule(Name=f"r{number}", EventPattern='{"source": ["x"]}')
        one_more = {"Name": "more", "EventPattern": '{"source": ["x"]}'}
        self.fails("LimitExceededException", self.events.put_rule, **one_more)
        self.events.put_rule(Name="r1", EventPattern='{"source": ["y"]}')

    def test_the_policy_of_a_bus(self) -> None:
        put, bus = self.events.put_permission, self.events.describe_event_bus
        self.assertNotIn("Policy", bus())
        put(Action="events:PutEvents", Principal="*", StatementId="all")
        put(Action="events:PutEvents", Principal="111122223333", StatementId="one")
        statements = json.loads(bus()["Policy"])["Statement"]
        wanted = ["*", {"AWS": "arn:aws:iam::111122223333:root"}]
        self.assertEqual([one["Principal"] for one in statements], wanted)
        arn = bus()["Arn"]
        statement = {"Sid": "new", "Effect": "Allow", "Principal": "*", "Action": "events:PutEvents", "Resource": arn}
        put(Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        self.assertEqual([one["Sid"] for one in json.loads(bus()["Policy"])["Statement"]], ["new"])
        many = [statement | {"Sid": f"statement-{number}"} for number in range(100)]
        long = json.dumps({"Version": "2012-10-17", "Statement": many})
        self.fails("PolicyLengthExceededException", put, Policy=long)
        self.assertEqual(len(json.loads(bus()["Policy"])["Statement"]), 1)
        self.fails("ValidationException", put, Action="events:PutRule", Principal="*", StatementId="s")
        self.fails("ResourceNotFoundException", self.events.remove_permission, StatementId="none")
        self.events.remove_permission(StatementId="new")
        self.assertNotIn("Policy", bus())


class Deliveries(AccountTest):
    """What a topic sends on to queues."""

    def setUp(self) -> None:
        super().setUp()
        self.sns, self.sqs = self.client("sns"), self.client("sqs")
        self.topic = self.sns.create_topic(Name="t")["TopicArn"]

    def queue(self, name: str, lets_in: bool = True, **attributes: str) -> str:
        arn = f"arn:aws:sqs:us-east-1:{self.account}:{name}"
        if lets_in:
            statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
            attributes["Policy"] = json.dumps({"Statement": [statement | {"Resource": arn}]})
        self.sqs.create_queue(QueueName=name, Attributes=attributes)
        return arn

    def subscribed(self, arn: str, **attributes: str) -> None:
        self.sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)

    def got(self, arn: str) -> list[str]:
        url = self.sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

    def test_the_key_of_a_queue_must_serve_the_topic(self) -> None:
        queue = self.queue("q", KmsMasterKeyId="alias/aws/sqs")
        self.subscribed(queue)
        self.sns.publish(TopicArn=self.topic, Message="the key of AWS serves nobody else")
        owner = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{self.account}:root"}, "Action": "kms:*"}
        policy = {"Version": "2012-10-17", "Statement": [owner | {"Resource": "*"}]}
        kms = self.client("kms")
        key = kms.create_key(Policy=json.dumps(policy))["KeyMetadata"]["Arn"]
        url = self.sqs.get_queue_url(QueueName="q")["QueueUrl"]
        self.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key})
        self.sns.publish(TopicArn=self.topic, Message="the key's policy says nothing of SNS")
        self.assertEqual(self.got(queue), [])
        actions = ["kms:GenerateDataKey*", "kms:Decrypt"]
        serves = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": actions, "Resource": "*"}
        serves["Condition"] = {"ArnEquals": {"aws:SourceArn": self.topic}}
        policy["Statement"].append(serves)
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps(policy))
        self.sns.publish(TopicArn=self.topic, Message="now")
        self.assertEqual([json.loads(body)["Message"] for body in self.got(queue)], ["now"])

    def test_what_a_queue_does_not_take_goes_to_the_dead_letters(self) -> None:
        dead, closed = self.queue("dead"), self.queue("closed", lets_in=False)
        redrive = json.dumps({"deadLetterTargetArn": dead})
        self.subscribed(closed, RedrivePolicy=redrive, FilterPolicy=json.dumps({"kind": ["a"]}))
        self.subscribed(f"{closed}-gone", RedrivePolicy=redrive, RawMessageDelivery="true")
        for kind in ("a", "b"):
            attributes = {"kind": {"DataType": "String", "StringValue": kind}}
            self.sns.publish(TopicArn=self.topic, Message=kind, MessageAttributes=attributes)
        found = self.got(dead)
        self.assertEqual(self.got(closed), [])
        self.assertEqual([body for body in found if not body.startswith("{")], ["a", "b"])
        self.assertEqual([json.loads(body)["Message"] for body in found if body.startswith("{")], ["a"])

    def test_dead_letters_too_must_let_the_topic_in(self) -> None:
        dead, closed = self.queue("dead", lets_in=False), self.queue("closed", lets_in=False)
        self.subscribed(closed, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}))
        self.sns.publish(TopicArn=self.topic, Message="lost")
        self.assertEqual((self.got(closed), self.got(dead)), ([], []))

    def test_a_message_that_is_too_long_for_a_queue_is_the_queues_matter(self) -> None:
        small, dead = self.queue("small", MaximumMessageSize="1024"), self.queue("dead")
        self.subscribed(small, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead}), RawMessageDelivery="true")
        self.sns.publish(TopicArn=self.topic, Message="m" * 2000)
        self.assertEqual((self.got(small), self.got(dead)), ([], ["m" * 2000]))

    def test_a_message_is_wrapped_unless_it_is_asked_for_as_it_is(self) -> None:
        wrapped, raw = self.queue("wrapped"), self.queue("raw")
        self.subscribed(wrapped, RawMessageDelivery="false")
        self.subscribed(raw, RawMessageDelivery="true")
        self.sns.publish(TopicArn=self.topic, Message="m")
        self.assertEqual(self.got(raw), ["m"])
        self.assertEqual([json.loads(body)["Message"] for body in self.got(wrapped)], ["m"])

    def test_a_fifo_queue_takes_no_messages_of_a_standard_topic(self) -> None:
        fifo = self.queue("q.fifo", FifoQueue="true")
        self.fails("InvalidParameter", self.subscribed, arn=fifo)


class Topics(AccountTest):
    def setUp(self) -> None:
        super().setUp()
        self.sns = self.client("sns")

    def attributes(self, arn: str) -> dict[str, str]:
        return self.sns.get_topic_attributes(TopicArn=arn)["Attributes"]

    def test_a_policy_is_about_its_topic_alone(self) -> None:
        arn = self.sns.create_topic(Name="t")["TopicArn"]

        def put(statements: list[dict[str, Any]]) -> None:
            text = json.dumps({"Version": "2012-10-17", "Statement": statements})
            self.sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)

        good = {"Sid": "a", "Effect": "Allow", "Principal": {"AWS": self.account}, "Action": "SNS:Publish", "Resource": arn}
        put([good])
        kept = json.loads(self.attributes(arn)["Policy"])["Statement"][0]["Principal"]["AWS"]
        self.assertEqual(kept, f"arn:aws:iam::{self.account}:root")
        for bad in (
            [],
            [good, good],
            [good | {"Action": "sns:*"}],
            [good | {"Action": "sns:SetSubscriptionAttributes"}],
            [good | {"Resource": "*"}],
            [good | {"Principal": {}}],
            [good | {"Principal": {"AWS": f"arn:aws:iam::{self.account}:role/gone"}}],
            [good | {"Sid": f"s{number}"} for number in range(101)],
        ):
            with self.subTest(statements=len(bad)):
                self.fails("InvalidParameter", put, statements=bad)

    def test_all_attributes_are_kept(self) -> None:
        arn = self.sns.create_topic(Name="t", Attributes={"SignatureVersion": "2"})["TopicArn"]
        self.assertEqual(self.attributes(arn)["SignatureVersion"], "2")
        self.assertNotIn("DeliveryPolicy", self.attributes(arn))
        for name, value in (("SignatureVersion", "1"), ("TracingConfig", "Active"), ("DisplayName", "T")):
            self.sns.set_topic_attributes(TopicArn=arn, AttributeName=name, AttributeValue=value)
            self.assertEqual(self.attributes(arn)[name], value)
        bad = (("SignatureVersion", "3"), ("Nothing", "1"), ("Policy", "{"))
        for name, value in bad:
            self.fails(
                "InvalidParameter",
                self.sns.set_topic_attributes,
                TopicArn=arn,
                AttributeName=name,
                AttributeValue=value,
            )
        self.fails("NotFound", self.sns.get_topic_attributes, TopicArn=arn + "x")

    def test_a_topic_is_made_twice_only_as_it_is(self) -> None:
        first = self.sns.create_topic(Name="t", Attributes={"DisplayName": "T"}, Tags=[{"Key": "a", "Value": "1"}])
        self.assertEqual(self.sns.create_topic(Name="t")["TopicArn"], first["TopicArn"])
        self.sns.create_topic(Name="t", Attributes={"DisplayName": "T"}, Tags=[{"Key": "a", "Value": "1"}])
        self.fails("InvalidParameter", self.sns.create_topic, Name="t", Attributes={"DisplayName": "U"})
        self.fails("InvalidParameter", self.sns.create_topic, Name="t", Tags=[{"Key": "a", "Value": "2"}])

    def test_e_mail_waits_for_its_owner(self) -> None:
        topic = self.sns.create_topic(Name="t")["TopicArn"]
        who = {"TopicArn": topic, "Protocol": "email", "Endpoint": "me@example.com"}
        self.assertEqual(self.sns.subscribe(**who)["SubscriptionArn"], "pending confirmation")
        arn = self.sns.subscribe(**who, ReturnSubscriptionArn=True)["SubscriptionArn"]
        self.assertTrue(arn.startswith(topic))

        def listed() -> list[str]:
            rows = self.sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
            return [row["SubscriptionArn"] for row in rows]

        self.assertEqual(listed(), ["PendingConfirmation"])
        attributes = self.sns.get_subscription_attributes(SubscriptionArn=arn)["Attributes"]
        self.assertEqual(attributes["PendingConfirmation"], "true")
        counts = self.attributes(topic)
        self.assertEqual((counts["SubscriptionsPending"], counts["SubscriptionsConfirmed"]), ("1", "0"))
        self.fails("InvalidParameter", self.sns.unsubscribe, SubscriptionArn="PendingConfirmation")
        self.fails("InvalidParameter", self.sns.confirm_subscription, TopicArn=topic, Token="guess")
        confirmed = control("POST", f"confirm?account={self.account}&endpoint=me@example.com")
        self.assertEqual((confirmed, listed()), ({"confirmed": [arn]}, [arn]))
        self.assertEqual(self.sns.subscribe(**who)["SubscriptionArn"], arn)

    def test_a_queue_of_the_own_account_needs_no_word_and_another_s_does(self) -> None:
        topic = self.sns.create_topic(Name="t")["TopicArn"]
        other = str(int(self.account) + 200_000_000_000)
        own, theirs = (f"arn:aws:sqs:us-east-1:{account}:q" for account in (self.account, other))
        for account in (self.account, other):
            arn = f"arn:aws:sqs:us-east-1:{account}:q"
            statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}}
            statement |= {"Action": "sqs:SendMessage", "Resource": arn}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
            client("sqs", account).create_queue(QueueName="q", Attributes={"Policy": policy})
        first = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=own)["SubscriptionArn"]
        self.assertTrue(first.startswith("arn:"))
        second = self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=theirs)["SubscriptionArn"]
        self.assertEqual(second, "pending confirmation")
        self.sns.publish(TopicArn=topic, Message="early")
        sqs = client("sqs", other)
        url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        self.assertEqual(len(messages), 1)
        asked = json.loads(messages[0]["Body"])
        self.assertEqual(asked["Type"], "SubscriptionConfirmation")
        client("sns", other).confirm_subscription(TopicArn=topic, Token=asked["Token"])
        self.sns.publish(TopicArn=topic, Message="hello")
        messages = sqs.receive_message(QueueUrl=url)["Messages"]
        self.assertEqual(json.loads(messages[0]["Body"])["Message"], "hello")


class MetricFilters(AccountTest):
    def test_a_filter_is_replaced_by_its_name(self) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName="g")
        given = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}

        def put(group: str = "g", pattern: str = "x", **more: Any) -> None:
            logs.put_metric_filter(
                logGroupName=group, filterName="f", filterPattern=pattern, metricTransformations=[given | more]
            )

        put()
        put(pattern="y")
        filters = logs.describe_metric_filters(logGroupName="g")["metricFilters"]
        self.assertEqual([one["filterPattern"] for one in filters], ["y"])
        self.fails("ResourceNotFoundException", put, group="nowhere")
        self.fails("InvalidParameterException", put, defaultValue=0.0, dimensions={"a": "$.b"})
        logs.delete_metric_filter(logGroupName="g", filterName="f")
        self.fails("ResourceNotFoundException", logs.delete_metric_filter, logGroupName="g", filterName="f")
        logs.create_log_group(logGroupName="rare", logGroupClass="INFREQUENT_ACCESS")
        self.fails("InvalidOperationException", put, group="rare")

    def test_filters_have_a_time_an_order_and_pages_and_go_with_their_group(self) -> None:
        logs = self.client("logs")
        logs.create_log_group(logGroupName="g")
        given = [{"metricName": "m", "metricNamespace": "n", "metricValue": "1"}]
        usual = {"logGroupName": "g", "metricTransformations": given}
        for name in [f"f{number:02}" for number in reversed(range(51))]:
            logs.put_metric_filter(filterName=name, filterPattern='{ $.a = "}" }', **usual)
        first = logs.describe_metric_filters(logGroupName="g")
        self.assertEqual((len(first["metricFilters"]), first["metricFilters"][0]["filterName"]), (50, "f00"))
        self.assertGreater(first["metricFilters"][0]["creationTime"], 1_600_000_000_000)
        second = logs.describe_metric_filters(logGroupName="g", nextToken=first["nextToken"])
        self.assertEqual([one["filterName"] for one in second["metricFilters"]], ["f50"])
        self.assertEqual(logs.describe_log_groups()["logGroups"][0]["metricFilterCount"], 51)
        for pattern in ("{ $.a = 1", '"open', "( $.a }", "]"):
            self.fails("InvalidParameterException", logs.put_metric_filter, filterName="x", filterPattern=pattern, **usual)
        self.fails("ResourceNotFoundException", logs.describe_metric_filters, logGroupName="none")
        self.fails("InvalidParameterException", logs.describe_metric_filters, metricName="m")
        logs.delete_log_group(logGroupName="g")
        logs.create_log_group(logGroupName="g")
        self.assertEqual(logs.describe_metric_filters(logGroupName="g")["metricFilters"], [])


class EventDataStores(AccountTest):
    def test_a_store_and_its_end(self) -> None:
        trails = self.client("cloudtrail")
        made = trails.create_event_data_store(Name="store")
        arn = made["EventDataStoreArn"]
        self.assertEqual((made["RetentionPeriod"], made["TerminationProtectionEnabled"]), (366, True))
        listed = trails.list_event_data_stores()["EventDataStores"]
        self.assertEqual(listed, [{"EventDataStoreArn": arn, "Name": "store"}])
        self.fails("EventDataStoreAlreadyExistsException", trails.create_event_data_store, Name="store")
        self.fails("EventDataStoreTerminationProtectedException", trails.delete_event_data_store, EventDataStore=arn)
        trails.update_event_data_store(EventDataStore=arn, TerminationProtectionEnabled=False, RetentionPeriod=90)
        trails.delete_event_data_store(EventDataStore=arn)
        found = trails.get_event_data_store(EventDataStore=arn)
        self.assertEqual((found["Status"], found["RetentionPeriod"]), ("PENDING_DELETION", 90))
        self.fails("InactiveEventDataStoreException", trails.update_event_data_store, EventDataStore=arn, Name="new")
        trails.restore_event_data_store(EventDataStore=arn)
        self.assertEqual(trails.get_event_data_store(EventDataStore=arn)["Status"], "ENABLED")
        self.fails("EventDataStoreARNInvalidException", trails.get_event_data_store, EventDataStore="nothing")
        unknown = arn[:-4] + "0000"
        self.fails("EventDataStoreNotFoundException", trails.get_event_data_store, EventDataStore=unknown)
        self.fails(
            "InvalidParameterException",
            trails.create_event_data_store,
            Name="long",
            BillingMode="FIXED_RETENTION_PRICING",
            RetentionPeriod=3000,
        )


if __name__ == "__main__":
    unittest.main()
