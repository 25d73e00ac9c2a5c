"""How fast the controller takes in a storm of events, and how fast it repairs and tells, against the emulator.

Usage: storm.py PATH-OF-EVENKEEL (release profile) [MESSAGES [REPAIRS]]. Prints Markdown tables: a queue with 10,000
messages of one account, at the start and drained into a handful of runs; then, again and again, a trail that somebody
has stopped, with the time from the message in the queue to the repairing write, as the audit log has it, and to
the notice; once with half of CloudTrail's quota of reads, as by default, and once with all of it. Between two repairs
there is a pause, in which the calls that a quota allows at once are saved up again. Nothing here is a test, and nothing
waits for ever: what does not come within two minutes ends it, with all that it has started.
"""

import json
import os
import queue
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import boto3
from plan import start_emulator

MESSAGES = int(sys.argv[2]) if len(sys.argv) > 2 else 10_000
REPAIRS = int(sys.argv[3]) if len(sys.argv) > 3 else 45  # twice, and fewer than what is taken for a fight
# In so many seconds, a quota's calls are saved up again.
PAUSE = 3
SENDERS = 8
# So long, a question to the queue waits for messages.
LONG_POLL = 20
# Longer than anything here takes.
PATIENCE = 120
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
confirmed = true
schedule = "0 0 0 1 1 *"
[controller]
event_queue_url = "{url}"
[limits]
requests_per_second = {limit}
[safety]
max_changes_per_account_per_day = 100000
max_changes_per_day = 100000
[safety.fights]
times = 100
hours = 1
[notify.slack.here]
url = "${{env.SLACK_URL}}"
per_hour = 3600
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


class Told(HTTPServer):
    """Takes notices as Slack does, and notes when the first one came that has a text."""

    def __init__(self) -> None:
        self.came: queue.Queue[tuple[float, str]] = queue.Queue()
        came = self.came

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["text"]
                came.put((time.time(), text))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing is printed but the tables."""

        super().__init__(("127.0.0.1", 0), Taking)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Controller:
    """The controller, whose lines are read as they come."""

    def __init__(self, evenkeel: str, env: dict[str, str], folder: Path) -> None:
        self.process = subprocess.Popen(
            [evenkeel, "run"],
            env=env,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=(folder / "stderr").open("w"),
            text=True,
        )
        self.folder = folder
        self.lines: queue.Queue[dict] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.put(json.loads(line))

    def next(self, patience: float = PATIENCE) -> dict | None:
        try:
            return self.lines.get(timeout=patience)
        except queue.Empty:
            if self.process.poll() is not None:
                sys.exit(f"the controller ended: {(self.folder / 'stderr').read_text()}")
            return None


def storm(controller: Controller, sqs, url: str) -> tuple[float, int]:
    """Seconds until nothing is left in the queue, and the runs that all of it came to."""
    started, told, runs = time.perf_counter(), 0, 0
    while told < MESSAGES:
        said = controller.next()
        if said is None:
            sys.exit(f"{told} of {MESSAGES} messages were told within {PATIENCE} seconds")
        told += said["event"] == "told"
        runs += said["event"] == "run"
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    while any(
        int(count) for count in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()
    ):
        if time.perf_counter() - started > PATIENCE:
            sys.exit(f"the queue is not empty after {PATIENCE} seconds")
        time.sleep(0.05)
    drained = time.perf_counter() - started
    # What the last events touched is looked at still.
    while (said := controller.next(3)) and time.perf_counter() - started < 2 * PATIENCE:
        runs += said["event"] == "run"
    return drained, runs


def first_run(controller: Controller) -> None:
    while (said := controller.next()) is None or said["event"] != "run":
        if said is None:
            sys.exit(f"nothing was looked at within {PATIENCE} seconds")


def repair(client, controller: Controller, told: Told, url: str, log: Path) -> tuple[float, float]:
    """Seconds from a message to the write that it led to, and to the notice."""
    account = client("sts").get_caller_identity()["Account"]
    time.sleep(PAUSE)
    client("cloudtrail").stop_logging(Name="main")
    # The letters of the time before have come.
    while not told.came.empty():
        told.came.get()
    sent = time.time()
    client("sqs").send_message(QueueUrl=url, MessageBody=event(account, "cloudtrail.amazonaws.com:StopLogging"))
    while not (said := controller.next()) or not said.get("applied"):
        if said is None:
            sys.exit("nothing was put right")
    records = [json.loads(line) for line in log.read_text().splitlines()]
    wrote = next(record["time"] for record in reversed(records) if record["phase"] == "applied")
    try:
        came, _ = told.came.get(timeout=PATIENCE)
    except queue.Empty:
        sys.exit(f"no notice came within {PATIENCE} seconds")
    return datetime.fromisoformat(wrote).timestamp() - sent, came - sent


def row(name: str, seconds: list[float]) -> None:
    seconds = sorted(seconds)
    p99 = seconds[max(0, int(len(seconds) * 0.99) - 1)]
    print(f"| {name} | {statistics.median(seconds):.2f} | {p99:.2f} | {seconds[-1]:.2f} |")


def ended(process: subprocess.Popen) -> None:
    """Ends a process, and waits until it is gone."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def say(text: str) -> None:
    """Something that takes long must not look as if it hung."""
    print(f"== {text}", file=sys.stderr, flush=True)


def send(sqs, url: str, account: str, first: int) -> int:
    """Ten messages; gives how many there are then."""
    entries = [
        {"Id": str(number), "MessageBody": event(account, CALLS[number % len(CALLS)])}
        for number in range(first, first + 10)
    ]
    sqs.send_message_batch(QueueUrl=url, Entries=entries)
    return first + 10


def measure(client, evenkeel: str, env: dict[str, str], folder: Path, told: Told) -> None:
    sqs, account = client("sqs"), client("sts").get_caller_identity()["Account"]
    events = prepare(client, account)
    (folder / "b.toml").write_text(BASELINE)
    log = folder / ".evenkeel/audit.jsonl"
    say(f"{MESSAGES} messages go into the queue")
    with ThreadPoolExecutor(SENDERS) as senders:
        for sent in senders.map(lambda first: send(sqs, events, account, first), range(0, MESSAGES, 10)):
            if sent % 1_000 == 0:
                say(f"{sent} sent")
    for limit, share in [(20, "half"), (40, "all")]:
        (folder / "evenkeel.toml").write_text(FLEET.format(url=events, limit=limit))
        controller = Controller(evenkeel, env, folder)
        try:
            if limit == 20:
                say("they are drained")
                drained, runs = storm(controller, sqs, events)
                print(f"| {MESSAGES} messages of one account | seconds | runs |\n| --- | ---: | ---: |")
                print(f"| at the start | {drained:.1f} | {runs} |\n")
                print(f"| from a message, {REPAIRS} times each | p50 s | p99 s | most s |\n| --- | ---: | ---: | ---: |")
            else:
                first_run(controller)
                # A question of the one before to the queue is still open there, and takes a message with it.
                time.sleep(LONG_POLL)
            say(f"{REPAIRS} repairs, with {share} of the quota")
            times = [repair(client, controller, told, events, log) for _ in range(REPAIRS)]
        finally:
            ended(controller.process)
        row(f"to the repairing write, accepted; {share} of the quota", [wrote for wrote, _ in times])
        row(f"to the notice; {share} of the quota", [came for _, came in times])


def main() -> None:
    server, url = start_emulator()
    folder, told = Path(tempfile.mkdtemp()), Told()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "SLACK_URL": f"http://127.0.0.1:{told.server_port}/",
    }

    def client(service: str):
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(service, region_name=REGION, endpoint_url=url, **keys)

    try:
        measure(client, sys.argv[1], env, folder, told)
    finally:
        ended(server)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
