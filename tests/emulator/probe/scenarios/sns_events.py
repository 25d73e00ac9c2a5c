"""SNS and EventBridge."""

import json

from emulator.probe.trial import Trial


def topics(t: Trial) -> None:
    answer = t(
        "sns.CreateTopic", Name="alerts", Attributes={"KmsMasterKeyId": t.key}, Tags=[{"Key": "a", "Value": "b"}]
    )
    t.made_ta = answer.get("TopicArn") or f"arn:aws:sns:us-east-1:{t.acct}:alerts"
    read = t("sns.GetTopicAttributes", TopicArn=t.made_ta)
    t.check(
        "sns.CreateTopic GetTopicAttributes",
        "key; default policy of the owner",
        lambda: read.Attributes["KmsMasterKeyId"] == t.key and "__default_statement_ID" in read.Attributes["Policy"],
    )
    t("sns.GetTopicAttributes", TopicArn=t.made_ta + "x", expect=["NotFound", "NotFoundException"])
    read = t("sns.ListTagsForResource", ResourceArn=t.made_ta)
    t.check("sns.ListTagsForResource CreateTopic", "tags at create", lambda: read.Tags == [{"Key": "a", "Value": "b"}])
    made = t("sns.CreateTopic", Name="alerts", Attributes={"KmsMasterKeyId": t.key}, Tags=[{"Key": "a", "Value": "b"}])
    t.check("sns.CreateTopic", "idempotent", lambda: made.TopicArn == t.made_ta)
    t("sns.CreateTopic", Name="alerts", Attributes={"KmsMasterKeyId": "alias/aws/sns"}, expect="InvalidParameter")
    for n, v in (
        ("DisplayName", "D"),
        ("SignatureVersion", "2"),
        (
            "Policy",
            json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "e",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sns:Publish",
                            "Resource": t.made_ta,
                        }
                    ],
                }
            ),
        ),
        ("TracingConfig", "Active"),
        ("DeliveryPolicy", '{"http":{"defaultHealthyRetryPolicy":{"numRetries":5}}}'),
    ):
        t("sns.SetTopicAttributes", TopicArn=t.made_ta, AttributeName=n, AttributeValue=v)
        read = t("sns.GetTopicAttributes", TopicArn=t.made_ta)
        t.check(
            "sns.SetTopicAttributes",
            "attribute " + n,
            lambda: json.loads(read.Attributes[n]) == json.loads(v) if v[0] == "{" else read.Attributes.get(n) == v,
        )
    t.check("sns.GetTopicAttributes", "EffectiveDeliveryPolicy", lambda: "EffectiveDeliveryPolicy" in read.Attributes)
    t("sns.TagResource", ResourceArn=t.made_ta, Tags=[{"Key": "k", "Value": "v"}])
    read = t("sns.ListTagsForResource", ResourceArn=t.made_ta)
    t.check("sns.TagResource", "kept", lambda: {"Key": "k", "Value": "v"} in read.Tags)
    t("sns.UntagResource", ResourceArn=t.made_ta, TagKeys=["k"])
    read = t("sns.ListTagsForResource", ResourceArn=t.made_ta)
    t.check("sns.UntagResource", "gone", lambda: "k" not in [got["Key"] for got in read.Tags])
    e = t("sns.Subscribe", TopicArn=t.made_ta, Protocol="email", Endpoint="a@example.com", ReturnSubscriptionArn=True)
    ll = t("sns.ListSubscriptionsByTopic", TopicArn=t.made_ta)
    t.check(
        "sns.Subscribe ListSubscriptionsByTopic",
        "e-mail stays PendingConfirmation",
        lambda: [got["SubscriptionArn"] for got in ll.Subscriptions] == ["PendingConfirmation"],
    )
    t.client("sns")
    t("sqs.CreateQueue", QueueName="q1")
    t.made_qa = f"arn:aws:sqs:us-east-1:{t.acct}:q1"
    e = t(
        "sns.Subscribe",
        TopicArn=t.made_ta,
        Protocol="sqs",
        Endpoint=t.made_qa,
        ReturnSubscriptionArn=True,
        Attributes={"RawMessageDelivery": "true"},
    )
    sa = e.get("SubscriptionArn") or t.made_ta + ":0"
    read = t("sns.GetSubscriptionAttributes", SubscriptionArn=sa)
    t.check(
        "sns.Subscribe GetSubscriptionAttributes",
        "raw delivery, confirmed",
        lambda: (
            (
                read.Attributes["RawMessageDelivery"],
                read.Attributes["PendingConfirmation"],
                read.Attributes["Protocol"],
                read.Attributes["Endpoint"],
            )
            == ("true", "false", "sqs", t.made_qa)
        ),
    )
    e2 = t(
        "sns.Subscribe",
        TopicArn=t.made_ta,
        Protocol="sqs",
        Endpoint=t.made_qa,
        ReturnSubscriptionArn=True,
        Attributes={"RawMessageDelivery": "true"},
    )
    t.check("sns.Subscribe", "same endpoint again: same ARN", lambda: e2.SubscriptionArn == sa)
    for n, v in (
        ("FilterPolicy", '{"a":["b"]}'),
        ("FilterPolicyScope", "MessageBody"),
        ("RedrivePolicy", json.dumps({"deadLetterTargetArn": t.made_qa})),
    ):
        t("sns.SetSubscriptionAttributes", SubscriptionArn=sa, AttributeName=n, AttributeValue=v)
        read = t("sns.GetSubscriptionAttributes", SubscriptionArn=sa)
        t.check(
            "sns.SetSubscriptionAttributes",
            "attribute " + n,
            lambda: json.loads(read.Attributes[n]) == json.loads(v) if v[0] == "{" else read.Attributes[n] == v,
        )
    t("sns.ConfirmSubscription", TopicArn=t.made_ta, Token="a" * 64, expect=["InvalidParameter", "NotFound"])
    _confirm(t)
    t("sns.Unsubscribe", SubscriptionArn=sa)
    ll = t("sns.ListSubscriptionsByTopic", TopicArn=t.made_ta)
    t.check("sns.Unsubscribe", "gone", lambda: sa not in [got["SubscriptionArn"] for got in ll.Subscriptions])
    ll = t("sns.ListTopics")
    t.check("sns.ListTopics", "listed", lambda: t.made_ta in [got["TopicArn"] for got in ll.Topics])


def _confirm(t: Trial) -> None:
    """The queue of another account is asked first, and the owner's account answers with what came there."""
    sqs, arn = t.client("sqs", account=t.member), f"arn:aws:sqs:us-east-1:{t.member}:confirms"
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    url = sqs.create_queue(QueueName="confirms", Attributes={"Policy": policy})["QueueUrl"]
    t("sns.Subscribe", TopicArn=t.made_ta, Protocol="sqs", Endpoint=arn)
    came = sqs.receive_message(QueueUrl=url).get("Messages", [{"Body": "{}"}])
    token = json.loads(came[0]["Body"]).get("Token", "a" * 64)
    t("sns.ConfirmSubscription", acct=t.member, TopicArn=t.made_ta, Token=token)
    listed = t("sns.ListSubscriptionsByTopic", TopicArn=t.made_ta)
    t.check(
        "sns.ConfirmSubscription",
        "confirmed",
        lambda: [one["SubscriptionArn"][:4] for one in listed.Subscriptions if one["Endpoint"] == arn] == ["arn:"],
    )


def rules(t: Trial) -> None:
    t("events.DescribeRule", Name="r", expect="ResourceNotFoundException")
    pat = json.dumps(
        {
            "source": ["aws.guardduty"],
            "detail-type": ["GuardDuty Finding"],
            "detail": {"severity": [{"numeric": [">=", 4]}]},
        }
    )
    t(
        "events.PutRule",
        Name="r",
        EventPattern=pat,
        State="DISABLED",
        Description="d",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    read = t("events.DescribeRule", Name="r")
    t.check(
        "events.PutRule DescribeRule",
        "pattern, state, description",
        lambda: (json.loads(read.EventPattern), read.State, read.Description) == (json.loads(pat), "DISABLED", "d"),
    )
    ra = read.get("Arn") or f"arn:aws:events:us-east-1:{t.acct}:rule/r"
    made = t("events.ListTagsForResource", ResourceARN=ra)
    t.check("events.ListTagsForResource", "tags at create", lambda: made.Tags == [{"Key": "a", "Value": "b"}])
    t("events.PutRule", Name="r", EventPattern=pat)
    read = t("events.DescribeRule", Name="r")
    t.check(
        "events.PutRule",
        "replaces: description gone, state ENABLED again",
        lambda: "Description" not in read and read.State == "ENABLED",
    )
    tg = [
        {
            "Id": "1",
            "Arn": t.made_ta,
            "InputTransformer": {"InputPathsMap": {"a": "$.detail.x"}, "InputTemplate": '"<a>"'},
            "DeadLetterConfig": {"Arn": t.made_qa},
            "RetryPolicy": {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600},
        },
        {"Id": "2", "Arn": t.made_qa, "Input": '"x"'},
    ]
    made = t("events.PutTargets", Rule="r", Targets=tg)
    read = t("events.ListTargetsByRule", Rule="r")
    t.check(
        "events.PutTargets ListTargetsByRule",
        "targets with all members",
        lambda: sorted(read.Targets, key=lambda got: got["Id"]) == tg and made.FailedEntryCount == 0,
    )
    t("events.PutTargets", Rule="r", Targets=[{"Id": "2", "Arn": t.made_qa}])
    read = t("events.ListTargetsByRule", Rule="r")
    t.check(
        "events.PutTargets",
        "upsert by Id",
        lambda: len(read.Targets) == 2 and "Input" not in [got for got in read.Targets if got["Id"] == "2"][0],
    )
    made = t("events.RemoveTargets", Rule="r", Ids=["2", "nope"])
    read = t("events.ListTargetsByRule", Rule="r")
    t.check("events.RemoveTargets", "gone", lambda: [got["Id"] for got in read.Targets] == ["1"])
    t.check("events.RemoveTargets", "unknown id: FailedEntryCount 1", lambda: made.FailedEntryCount == 1)
    t("events.DisableRule", Name="r")
    read = t("events.DescribeRule", Name="r")
    t.check("events.DisableRule", "DISABLED", lambda: read.State == "DISABLED")
    t("events.EnableRule", Name="r")
    read = t("events.DescribeRule", Name="r")
    t.check("events.EnableRule", "ENABLED", lambda: read.State == "ENABLED")
    ll = t("events.ListRules")
    t.check("events.ListRules", "listed", lambda: "r" in [got["Name"] for got in ll.Rules])
    t("events.TagResource", ResourceARN=ra, Tags=[{"Key": "k", "Value": "v"}])
    made = t("events.ListTagsForResource", ResourceARN=ra)
    t.check("events.TagResource", "kept", lambda: {"Key": "k", "Value": "v"} in made.Tags)
    t("events.UntagResource", ResourceARN=ra, TagKeys=["k"])
    made = t("events.ListTagsForResource", ResourceARN=ra)
    t.check("events.UntagResource", "gone", lambda: "k" not in [got["Key"] for got in made.Tags])
    read = t("events.DescribeEventBus", Name="default")
    t.check("events.DescribeEventBus", "no policy: member absent", lambda: "Policy" not in read)
    t(
        "events.PutPermission",
        EventBusName="default",
        Action="events:PutEvents",
        Principal="111122223333",
        StatementId="s1",
    )
    read = t("events.DescribeEventBus", Name="default")
    t.check(
        "events.PutPermission DescribeEventBus",
        "policy",
        lambda: json.loads(read.Policy)["Statement"][0]["Sid"] == "s1",
    )
    t("events.RemovePermission", EventBusName="default", StatementId="s1")
    read = t("events.DescribeEventBus", Name="default")
    t.check(
        "events.RemovePermission", "gone", lambda: "Policy" not in read or json.loads(read.Policy)["Statement"] == []
    )
    t("events.DeleteRule", Name="r", expect="ValidationException")
    t("events.RemoveTargets", Rule="r", Ids=["1"])
    t("events.DeleteRule", Name="r")
    t("events.DescribeRule", Name="r", expect="ResourceNotFoundException")
    t.gone("events.DeleteRule", "events.DescribeRule")
    made = t("events.PutEvents", Entries=[{"Source": "acme", "DetailType": "t", "Detail": "{}"}])
    t.check("events.PutEvents", "accepted", lambda: made.FailedEntryCount == 0)
    t("sns.DeleteTopic", TopicArn=t.made_ta)
    t("sns.GetTopicAttributes", TopicArn=t.made_ta, expect=["NotFound", "NotFoundException"])
    t.gone("sns.DeleteTopic", "sns.GetTopicAttributes")


SCENARIOS = [[topics, rules]]
