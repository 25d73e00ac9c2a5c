"""SQS, and what EventBridge delivers."""

import json
import time
from contextlib import suppress

from emulator.probe.material import policy
from emulator.probe.trial import Trial


def queues(t: Trial) -> None:
    answer = t(
        "sqs.CreateQueue",
        QueueName="f.fifo",
        Attributes={"FifoQueue": "true", "ContentBasedDeduplication": "false", "VisibilityTimeout": "2"},
    )
    u = answer.get("QueueUrl")
    if u:
        for read, b in (("a", "1"), ("a", "2"), ("b", "3")):
            t("sqs.SendMessage", QueueUrl=u, MessageBody=b, MessageGroupId=read, MessageDeduplicationId=read + b)
        t("sqs.SendMessage", QueueUrl=u, MessageBody="1", MessageGroupId="a", MessageDeduplicationId="a1")
        m = t("sqs.ReceiveMessage", QueueUrl=u, MaxNumberOfMessages=1, AttributeNames=["All"])
        t.check(
            "sqs.SendMessage ReceiveMessage",
            "FIFO: first of group a, MessageGroupId",
            lambda: (m.Messages[0]["Body"], m.Messages[0]["Attributes"]["MessageGroupId"]) == ("1", "a"),
        )
        m2 = t("sqs.ReceiveMessage", QueueUrl=u, MaxNumberOfMessages=10)
        t.check(
            "sqs.ReceiveMessage",
            "FIFO: group a is blocked while one is in flight, b is served",
            lambda: [made["Body"] for made in m2.Messages] == ["3"],
        )
        t(
            "sqs.DeleteMessage",
            QueueUrl=u,
            ReceiptHandle=m["Messages"][0]["ReceiptHandle"] if m.ok and m.get("Messages") else "x",
        )
        m3 = t("sqs.ReceiveMessage", QueueUrl=u, MaxNumberOfMessages=10)
        t.check(
            "sqs.DeleteMessage SendMessage ReceiveMessage",
            "FIFO: next of group a after the delete; duplicate was dropped",
            lambda: [made["Body"] for made in m3.Messages] == ["2"],
        )
        if m3.ok and m3.get("Messages"):
            t(
                "sqs.ChangeMessageVisibility",
                QueueUrl=u,
                ReceiptHandle=m3["Messages"][0]["ReceiptHandle"],
                VisibilityTimeout=0,
            )
            m4 = t("sqs.ReceiveMessage", QueueUrl=u, MaxNumberOfMessages=10)
            t.check(
                "sqs.ChangeMessageVisibility",
                "visible again at once",
                lambda: "2" in [made["Body"] for made in m4.Messages],
            )


def dead_letters(t: Trial) -> None:
    d = t("sqs.CreateQueue", QueueName="dlq")
    w = t(
        "sqs.CreateQueue",
        QueueName="work",
        Attributes={
            "VisibilityTimeout": "0",
            "RedrivePolicy": json.dumps(
                {"deadLetterTargetArn": f"arn:aws:sqs:us-east-1:{t.acct}:dlq", "maxReceiveCount": "1"}
            ),
        },
    )
    if w.ok and d.ok:
        t("sqs.SendMessage", QueueUrl=w.QueueUrl, MessageBody="x")
        for _ in range(3):
            t("sqs.ReceiveMessage", QueueUrl=w.QueueUrl)
            time.sleep(0.2)
        m = t("sqs.ReceiveMessage", QueueUrl=d.QueueUrl)
        t.check(
            "sqs.ReceiveMessage",
            "moved to the dead-letter queue after maxReceiveCount",
            lambda: [made["Body"] for made in m.Messages] == ["x"],
        )
        t0 = time.time()
        m = t("sqs.ReceiveMessage", QueueUrl=w.QueueUrl, WaitTimeSeconds=2)
        t.check("sqs.ReceiveMessage", "long polling waits", lambda: time.time() - t0 > 1.5)


def deliveries(t: Trial) -> None:
    t.made_s = t.queue("ev", "events")
    tp = t("sns.CreateTopic", Name="evt")
    s2 = t.queue("ev2", "sns")
    t.made_sa = f"arn:aws:sqs:us-east-1:{t.acct}:ev"
    sa2 = f"arn:aws:sqs:us-east-1:{t.acct}:ev2"
    if tp.ok:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": tp.TopicArn,
        }
        t("sns.SetTopicAttributes", TopicArn=tp.TopicArn, AttributeName="Policy", AttributeValue=policy(statement))
        t("sns.Subscribe", TopicArn=tp.TopicArn, Protocol="sqs", Endpoint=sa2)
    t(
        "events.PutRule",
        Name="api",
        EventPattern=json.dumps({"source": ["acme.trail"], "detail": {"eventName": ["StopLogging"]}}),
    )
    t(
        "events.PutTargets",
        Rule="api",
        Targets=[{"Id": "q", "Arn": t.made_sa}] + ([{"Id": "t", "Arn": tp.TopicArn}] if tp.ok else []),
    )
    ev = {
        "Source": "acme.trail",
        "DetailType": "AWS API Call via CloudTrail",
        "Detail": json.dumps({"eventName": "StopLogging"}),
    }
    made = t(
        "events.PutEvents",
        Entries=[ev, {"Source": "acme.trail", "DetailType": "x", "Detail": json.dumps({"eventName": "Other"})}],
    )
    time.sleep(0.3)
    m = t("sqs.ReceiveMessage", QueueUrl=t.made_s.get("QueueUrl") or t.url, MaxNumberOfMessages=10)
    t.check(
        "events.PutEvents",
        "delivered to SQS, the pattern filters",
        lambda: [json.loads(got["Body"])["detail"]["eventName"] for got in m.Messages] == ["StopLogging"],
    )
    m = t("sqs.ReceiveMessage", QueueUrl=s2.get("QueueUrl") or t.url, MaxNumberOfMessages=10)
    t.check("events.PutEvents", "delivered to SNS and on to SQS", lambda: "StopLogging" in m.Messages[0]["Body"])
    t(
        "events.PutRule",
        Name="num",
        EventPattern=json.dumps({"source": ["acme.gd"], "detail": {"severity": [{"numeric": [">=", 4]}]}}),
    )
    t("events.PutTargets", Rule="num", Targets=[{"Id": "q", "Arn": t.made_sa}])
    t(
        "events.PutEvents",
        Entries=[
            {"Source": "acme.gd", "DetailType": "GuardDuty Finding", "Detail": '{"severity":5.3}'},
            {"Source": "acme.gd", "DetailType": "GuardDuty Finding", "Detail": '{"severity":2}'},
        ],
    )
    time.sleep(0.3)
    m = t("sqs.ReceiveMessage", QueueUrl=t.made_s.get("QueueUrl") or t.url, MaxNumberOfMessages=10)
    t.check(
        "events.PutEvents",
        "numeric pattern",
        lambda: [json.loads(got["Body"])["detail"]["severity"] for got in m.Messages] == [5.3],
    )
    made = t("events.PutEvents", Entries=[{"Source": "aws.ec2", "DetailType": "x", "Detail": "{}"}])
    t.check("events.PutEvents", "source aws.… is refused (NotAuthorizedForSource)", lambda: made.FailedEntryCount == 1)


def real_calls(t: Trial) -> None:
    trail = t.client("cloudtrail")
    with suppress(Exception):
        trail.create_trail(Name="all", S3BucketName=t.log_buckets("cloudtrail"))
        trail.start_logging(Name="all")
    t.events_on()
    t(
        "events.PutRule",
        Name="sg",
        EventPattern=json.dumps({"source": ["aws.ec2"], "detail-type": ["AWS API Call via CloudTrail"]}),
    )
    t("events.PutTargets", Rule="sg", Targets=[{"Id": "q", "Arn": t.made_sa}])
    with suppress(Exception):
        t.client("ec2").create_security_group(GroupName="ct-x", Description="d")
    time.sleep(0.3)
    m = t("sqs.ReceiveMessage", QueueUrl=t.made_s.get("QueueUrl") or t.url, MaxNumberOfMessages=10)
    t.check(
        "events.PutRule",
        "a real API call arrives on the bus as CloudTrail event",
        lambda: any(("CreateSecurityGroup" in got["Body"] for got in m.Messages)),
    )
    read = t(
        "cloudtrail.LookupEvents",
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateSecurityGroup"}],
    )
    t.check(
        "cloudtrail.LookupEvents", "real calls are found", lambda: read.Events[0]["EventName"] == "CreateSecurityGroup"
    )


SCENARIOS = [[queues, dead_letters], [deliveries, real_calls]]
