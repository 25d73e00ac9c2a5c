"""How fast the controller takes in a storm of events, and how fast it repairs, against the emulator.

Usage: storm.py PATH-OF-EVENKEEL (release profile). Prints Markdown tables: a queue with 10,000 messages of one
account, at the start and drained into a handful of runs; then, again and again, a trail that somebody has stopped,
with the time from the message in the queue to the repairing write. Nothing here is a test.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import boto3
from plan import start_emulator

MESSAGES = 10_000
REPAIRS = 100
REGION = "eu-west-1"
CALLS = ["cloudtrail.amazonaws.com:UpdateTrail", "ec2.amazonaws.com:DisableEbsEncryptionByDefault"]

BASELINE = """schema = 1
[baseline]
name = "storm"
mode = "enforce"
regions = ["eu-west-1"]
[cloudtrail.trail.main]
s3_bucket_name = "trails-${account.id}"
is_logging = true
[ec2.ebs_encryption]
enabled = true
"""

FLEET = """schema = 1
[[target]]
name = "here"
baselines = ["b.toml"]
schedule = "0 0 0 1 1 *"
[controller]
event_queue_url = "{url}"
"""


def event(account: str, call: str) -> str:
    source, name = call.split(":")
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    detail = {
        "eventVersion": "1.11",
        "eventID": str(uuid.uuid4()),
        "eventTime": now,
        "eventSource": source,
        "eventName": name,
        "awsRegion": REGION,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "somebody",
        "userIdentity": {"type": "IAMUser", "arn": f"arn:aws:iam::{account}:user/somebody"},
        "recipientAccountId": account,
    }
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid.uuid4()),
            "detail-type": "AWS API Call via CloudTrail",
            "source": "aws." + source.split(".")[0],
            "account": account,
            "time": now,
            "region": REGION,
            "resources": [],
            "detail": detail,
        }
    )


def prepare(client, account: str) -> str:
    bucket = f"trails-{account}"
    client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": ["s3:GetBucketAcl", "s3:PutObject"],
                "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
            }
        ],
    }
    client("s3").put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    return client("sqs").create_queue(QueueName="events")["QueueUrl"]


def lines(process: subprocess.Popen, wanted):
    for line in process.stdout:
        said = json.loads(line)
        if wanted(said):
            yield said


def main() -> None:
    server, url = start_emulator()
    folder = Path(tempfile.mkdtemp())
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }

    def client(service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=REGION, endpoint_url=url, **keys)

    account = client("sts").get_caller_identity()["Account"]
    queue = prepare(client, account)
    (folder / "b.toml").write_text(BASELINE)
    (folder / "evenkeel.toml").write_text(FLEET.format(url=queue))
    sqs = client("sqs")
    for first in range(0, MESSAGES, 10):
        entries = [
            {"Id": str(number), "MessageBody": event(account, CALLS[number % len(CALLS)])}
            for number in range(first, first + 10)
        ]
        sqs.send_message_batch(QueueUrl=queue, Entries=entries)
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.argv[1], "run"], env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    told, runs = 0, 0
    for said in lines(process, lambda said: said["event"] in ("told", "run")):
        told += said["event"] == "told"
        runs += said["event"] == "run"
        if told == MESSAGES:
            break
    drained = time.perf_counter() - started
    # What the last events touched is looked at still.
    time.sleep(3)
    print(f"| {MESSAGES} messages of one account | seconds | runs |\n| --- | ---: | ---: |")
    seconds = []
    for _ in range(REPAIRS):
        client("cloudtrail").stop_logging(Name="main")
        sent = time.perf_counter()
        sqs.send_message(QueueUrl=queue, MessageBody=event(account, "cloudtrail.amazonaws.com:StopLogging"))
        for said in lines(process, lambda said: said["event"] == "run"):
            repaired = bool(said.get("applied"))
            runs += not repaired
            if repaired:
                break
        seconds.append(time.perf_counter() - sent)
    print(f"| at the start | {drained:.1f} | {runs} |\n")
    seconds.sort()
    p50, p99 = statistics.median(seconds), seconds[int(len(seconds) * 0.99) - 1]
    print("| from the message to the end of the run that repaired | p50 s | p99 s | most s |\n| --- | ---: | ---: | ---: |")
    print(f"| {REPAIRS} times | {p50:.2f} | {p99:.2f} | {seconds[-1]:.2f} |")
    process.terminate()
    process.wait()
    server.terminate()


if __name__ == "__main__":
    main()
