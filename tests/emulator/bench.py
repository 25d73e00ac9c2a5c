"""`python -m emulator.bench`: what the emulator costs, by CPU of its process and by the clock.

With `--write` docs/emulator.md has the figures, between its marks, and says how busy the machine was; with `--cpu`
those by the clock are left out, which say nothing on a machine with other work.

Start, memory and first calls are of fresh processes; the cost of a call is that of every call of the contract tests
(`emulator/probe/`), one at a time: they make the same calls each time, and of several times the least counts. On a
machine with other work the CPU counts, and the least more than the median.
"""

import argparse
import datetime
import http.client
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import botocore.httpsession

from emulator.probe.keys import Keys
from emulator.probe.run import run

SERVER = Path(__file__).with_name("server.py")
DOCUMENT = Path(__file__).parents[2] / "docs" / "emulator.md"
BEGIN, END = "<!-- emulator-bench -->", "<!-- /emulator-bench -->"
#: A read of each service, made as the first call to a fresh process.
FIRST = {
    "accessanalyzer": "list_analyzers",
    "cloudtrail": "describe_trails",
    "cloudwatch": "describe_alarms",
    "config": "describe_configuration_recorders",
    "ec2": "describe_vpcs",
    "guardduty": "list_detectors",
    "iam": "get_account_summary",
    "kms": "list_keys",
    "logs": "describe_log_groups",
    "organizations": "list_roots",
    "s3": "list_buckets",
    "securityhub": "describe_hub",
    "sns": "list_topics",
    "ssm": "describe_patch_baselines",
    "sts": "get_caller_identity",
}


#: What a run calls most, on an account with a bucket, a topic and a queue.
COMMON = {
    "s3": {
        "list_buckets": {},
        "get_bucket_acl": {"Bucket": "bench"},
        "get_bucket_encryption": {"Bucket": "bench"},
        "get_public_access_block": {"Bucket": "bench"},
        "head_bucket": {"Bucket": "bench"},
    },
    "sns": {"get_topic_attributes": {"TopicArn": "arn:aws:sns:us-east-1:111122223333:bench"}},
    "sqs": {"get_queue_attributes": {"QueueUrl": "http://127.0.0.1/111122223333/bench", "AttributeNames": ["All"]}},
    "ec2": {
        name: {}
        for name in (
            "describe_vpcs",
            "describe_subnets",
            "describe_security_groups",
            "describe_security_group_rules",
            "describe_network_acls",
            "describe_snapshots",
            "get_ebs_encryption_by_default",
        )
    },
    "iam": {"get_account_summary": {}, "list_roles": {}},
}


class Server:
    """A fresh emulator, and what its process has used."""

    def __init__(self) -> None:
        began = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, str(SERVER), "--die-with-parent"], stdout=subprocess.PIPE, text=True
        )
        self.url = self._process.stdout.readline().strip().removeprefix("listening on ")
        self.start_wall = time.perf_counter() - began
        self.start_cpu = self.cpu()

    def cpu(self) -> float:
        """Seconds on a processor, to the nanosecond; those of threads that have ended are not in it."""
        total = 0
        for task in os.listdir(f"/proc/{self._process.pid}/task"):
            with open(f"/proc/{self._process.pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def memory(self) -> float:
        """MiB that are resident."""
        with open(f"/proc/{self._process.pid}/status") as file:
            line = next(line for line in file if line.startswith("VmRSS"))
        return int(line.split()[1]) / 1024

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@contextmanager
def timed(server: Server) -> Iterator[list[tuple[str, float, float]]]:
    """Notes the operation, the clock's and the server's CPU milliseconds of each exchange that botocore makes."""
    noted: list[tuple[str, float, float]] = []
    send = botocore.httpsession.URLLib3Session.send

    def send_and_note(self: Any, request: Any) -> Any:
        cpu, began = server.cpu(), time.perf_counter()
        answer = send(self, request)
        wall = time.perf_counter() - began
        scope = str(request.headers.get("Authorization", "")).partition("Credential=")[2].split("/")
        noted.append((scope[3] if len(scope) > 3 else "?", 1000 * wall, 1000 * max(server.cpu() - cpu, 0.0)))
        return answer

    botocore.httpsession.URLLib3Session.send = send_and_note
    try:
        yield noted
    finally:
        botocore.httpsession.URLLib3Session.send = send


Row = tuple[str, ...]
Table = tuple[Row, list[Row]]


def starts(times: int) -> Table:
    made = []
    for _ in range(times):
        server = Server()
        made.append((server.start_cpu, server.start_wall, server.memory()))
        server.stop()
    cpu, wall, memory = (sorted(column) for column in zip(*made, strict=True))
    row = (f"{cpu[0]:.2f}", f"{statistics.median(cpu):.2f}", f"{wall[0]:.2f}", f"{statistics.median(wall):.2f}")
    head = ("", "CPU s, least", "median", "by the clock, least", "by the clock, median", "MiB after it")
    return head, [("start", *row, f"{memory[0]:.0f}")]


def first_calls(times: int) -> Table:
    rows = []
    for service, operation in FIRST.items():
        made = []
        for _ in range(times):
            server = Server()
            asked = client(server, service)
            with timed(server) as noted, suppress(asked.exceptions.ClientError):
                # No hub, no organization: an answer too.
                getattr(asked, operation)()
            made.append((noted[0][2], noted[0][1], server.memory()))
            server.stop()
        rows.append((service, *(f"{min(column):.0f}" for column in zip(*made, strict=True))))
    return ("first call of", "CPU ms, least", "by the clock, least", "MiB after it"), rows


def client(server: Server, service: str) -> Any:
    import boto3

    return boto3.client(
        service,
        region_name="us-east-1",
        endpoint_url=server.url,
        aws_access_key_id="AKIA111122223333TEST",
        aws_secret_access_key="secret",
    )


def messes(times: int) -> Table:
    """Untidy accounts: the first of its sort is made by calls, others are copies. One of another sort loads the services."""
    first, copies = [], []
    for _ in range(times):
        server = Server()
        # One connection, as a thread that has ended is not counted.
        kept = http.client.HTTPConnection(server.url.removeprefix("http://"))
        kept.request("POST", "/_evenkeel/mess?account=111122229999&minimal=1")
        kept.getresponse().read()
        for number in range(4):
            cpu = server.cpu()
            kept.request("POST", f"/_evenkeel/mess?account=11112222000{number}")
            kept.getresponse().read()
            (copies if number else first).append(1000 * (server.cpu() - cpu))
        kept.close()
        server.stop()
    rows = [(what, f"{min(of):.0f}", f"{statistics.median(of):.0f}") for what, of in (("first", first), ("copy", copies))]
    return ("untidy account", "CPU ms, least", "median"), rows


def common(times: int) -> Table:
    """Each read so many times, after one that loads what it needs."""
    server = Server()
    client(server, "s3").create_bucket(Bucket="bench")
    client(server, "sns").create_topic(Name="bench")
    client(server, "sqs").create_queue(QueueName="bench")
    rows, least = [], 0.0
    for service, reads in COMMON.items():
        asked = client(server, service)
        for name, params in reads.items():
            getattr(asked, name)(**params)
            with timed(server) as noted:
                for _ in range(times):
                    getattr(asked, name)(**params)
            cpu = sorted(one[2] for one in noted)
            least += cpu[0]
            rows.append((f"{service} {name}", f"{cpu[0]:.1f}", f"{statistics.median(cpu):.1f}"))
    server.stop()
    return ("common read", "CPU ms, least", "median"), [*rows, ("one of each", f"{least:.1f}", "")]


def calls(only: str | None, times: int) -> Table:
    made = []
    for _ in range(times):
        server = Server()
        with timed(server) as noted:
            run(server.url, Keys("akia"), at_once=1, only=only, wrong=False)
        made.append(noted)
        memory = server.memory()
        server.stop()
    by: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for same in zip(*made, strict=True):
        services, walls, cpus = zip(*same, strict=True)
        by[services[0]].append((min(walls), min(cpus)))
    rows = []
    for service, costs in [*sorted(by.items()), ("**all**", [cost for costs in by.values() for cost in costs])]:
        # What a service loads at its first call is told by itself.
        later = costs if service == "**all**" or len(costs) < 3 else costs[1:]
        wall, cpu = (sorted(column) for column in zip(*later, strict=True))
        places = [min(len(cpu) - 1, int(part * len(cpu))) for part in (0.5, 0.9)]
        rows.append((service, str(len(costs)), *(f"{column[place]:.1f}" for column in (cpu, wall) for place in places)))
    rows.append((f"after all of them: {memory:.0f} MiB", "", "", "", "", ""))
    return ("signed for", "calls", "CPU ms p50", "p90", "by the clock p50", "by the clock p90"), rows


def shown(one: Table, cpu_alone: bool) -> list[str]:
    """The table in Markdown, if need be without the columns by the clock."""
    head, rows = one
    columns = [number for number, name in enumerate(head) if not (cpu_alone and "clock" in name)]
    lines = [head, ("---", *("---:" for _ in head[1:])), *rows]
    return [*(f"| {' | '.join(line[number] for number in columns)} |" for line in lines), ""]


def write(lines: list[str]) -> None:
    """Puts the figures into the document, with the day and what else the machine did."""
    text, busy = DOCUMENT.read_text(), f"{os.getloadavg()[1]:.0f} processes at work on {os.cpu_count()} cores"
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    head = f"Of {datetime.date.today().isoformat()}, with {busy} at the end, this one among them."
    DOCUMENT.write_text("\n".join([before + BEGIN, head, "", *lines, END]) + after)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the emulator costs.")
    parser.add_argument("--times", type=int, default=7, help="fresh processes for each figure")
    parser.add_argument("--common", action="store_true", help="the most common reads, and nothing else")
    parser.add_argument("--only", help="calls of one file of scenarios only, and nothing else")
    parser.add_argument("--cpu", action="store_true", help="no figures by the clock")
    parser.add_argument("--write", action="store_true", help="write the figures into docs/emulator.md")
    options = parser.parse_args()
    few = max(1, options.times // 2)
    if options.common:
        tables = [common(5 * options.times)]
    elif options.only:
        tables = [calls(options.only, few)]
    else:
        tables = [starts(options.times), first_calls(few), messes(few), common(5 * options.times), calls(None, few)]
    lines = [line for one in tables for line in shown(one, options.cpu)]
    print("\n".join(lines))
    if options.write:
        write(lines)


if __name__ == "__main__":
    main()
