"""`python -m emulator.bench`: what the emulator costs, by CPU of its process and by the clock. docs/emulator.md has figures.

Start, memory and first calls are of fresh processes; the cost of a call is that of every call of the contract tests
(`emulator/probe/`), one at a time: they make the same calls each time, and of several times the least counts. On a
machine with other work the CPU counts, and the least more than the median.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import botocore.httpsession

from emulator.probe.keys import Keys
from emulator.probe.run import run

SERVER = Path(__file__).with_name("server.py")
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


def starts(times: int) -> None:
    made = []
    for _ in range(times):
        server = Server()
        made.append((server.start_cpu, server.start_wall, server.memory()))
        server.stop()
    cpu, wall, memory = (sorted(column) for column in zip(*made, strict=True))
    print("| start | least | median |\n| --- | ---: | ---: |")
    print(f"| CPU s | {cpu[0]:.2f} | {statistics.median(cpu):.2f} |")
    print(f"| by the clock, s | {wall[0]:.2f} | {statistics.median(wall):.2f} |")
    print(f"| MiB after it | {memory[0]:.0f} | {statistics.median(memory):.0f} |\n")


def first_calls(times: int) -> None:
    import boto3

    print("| first call of | CPU ms, least | by the clock, least | MiB after it |\n| --- | ---: | ---: | ---: |")
    for service, operation in FIRST.items():
        made = []
        for _ in range(times):
            server = Server()
            client = boto3.client(
                service,
                region_name="us-east-1",
                endpoint_url=server.url,
                aws_access_key_id="AKIA111122223333TEST",
                aws_secret_access_key="secret",
            )
            with timed(server) as noted:
                try:
                    getattr(client, operation)()
                except client.exceptions.ClientError:
                    pass  # no hub, no organization: an answer too
            made.append((noted[0][2], noted[0][1], server.memory()))
            server.stop()
        cpu, wall, memory = (min(column) for column in zip(*made, strict=True))
        print(f"| {service} | {cpu:.0f} | {wall:.0f} | {memory:.0f} |")
    print()


def common(times: int) -> None:
    """Each read so many times, after one that loads what it needs."""
    import boto3

    server = Server()

    def client(service: str) -> Any:
        return boto3.client(
            service,
            region_name="us-east-1",
            endpoint_url=server.url,
            aws_access_key_id="AKIA111122223333TEST",
            aws_secret_access_key="secret",
        )

    client("s3").create_bucket(Bucket="bench")
    client("sns").create_topic(Name="bench")
    client("sqs").create_queue(QueueName="bench")
    print("| common read | CPU ms, least | median |\n| --- | ---: | ---: |")
    for service, reads in COMMON.items():
        asked = client(service)
        for name, params in reads.items():
            getattr(asked, name)(**params)
            with timed(server) as noted:
                for _ in range(times):
                    getattr(asked, name)(**params)
            cpu = sorted(one[2] for one in noted)
            print(f"| {service} {name} | {cpu[0]:.1f} | {statistics.median(cpu):.1f} |")
    server.stop()
    print()


def calls(only: str | None, times: int) -> None:
    made = []
    for _ in range(times):
        server = Server()
        with timed(server) as noted:
            run(server.url, Keys("akia"), at_once=1, only=only)
        made.append(noted)
        memory = server.memory()
        server.stop()
    by: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for same in zip(*made, strict=True):
        services, walls, cpus = zip(*same, strict=True)
        by[services[0]].append((min(walls), min(cpus)))
    print("| signed for | calls | CPU ms p50 | p90 | by the clock p50 | p90 |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for service, costs in [*sorted(by.items()), ("**all**", [cost for costs in by.values() for cost in costs])]:
        # What a service loads at its first call is told by itself.
        later = costs if service == "**all**" or len(costs) < 3 else costs[1:]
        wall, cpu = (sorted(column) for column in zip(*later, strict=True))
        places = [min(len(cpu) - 1, int(part * len(cpu))) for part in (0.5, 0.9)]
        at = [f"{column[place]:.1f}" for column in (cpu, wall) for place in places]
        print(f"| {service} | {len(costs)} | {' | '.join(at)} |")
    print(f"\nMiB at the end: {memory:.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="What the emulator costs.")
    parser.add_argument("--times", type=int, default=7, help="fresh processes for each figure")
    parser.add_argument("--common", action="store_true", help="the most common reads, and nothing else")
    parser.add_argument("--only", help="calls of one file of scenarios only, and nothing else")
    options = parser.parse_args()
    if options.common:
        return common(5 * options.times)
    if not options.only:
        starts(options.times)
        first_calls(max(1, options.times // 2))
        common(5 * options.times)
    calls(options.only, max(1, options.times // 2))


if __name__ == "__main__":
    main()
