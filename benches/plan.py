"""The first figures: what a full plan of baselines/foundation.toml costs, against the emulator.

Usage: plan.py PATH-OF-EVENKEEL (release profile). Prints a Markdown table, and the AWS calls made.
Nothing here is a test: it asserts nothing about time.
"""

import collections
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REGIONS = {"one Region": ["-r", "eu-west-1"], "all enabled Regions": []}
RUNS = 5


def start_emulator() -> tuple[subprocess.Popen, str]:
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "tests/emulator/server.py"), "--port", "0", "--die-with-parent"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    return server, server.stdout.readline().strip().removeprefix("listening on ")


def measure(command: list[str], env: dict[str, str]) -> dict:
    """Runs a command once: wall seconds, CPU seconds, peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 2):
        sys.exit(f"{' '.join(command)} ended with {code}: {process.stderr.read().decode()}")
    return {"wall": wall, "cpu": usage.ru_utime + usage.ru_stime, "memory": usage.ru_maxrss / 1024}


def median(rows: list[dict], name: str) -> float:
    return statistics.median(row[name] for row in rows)


def control(url: str, method: str, route: str) -> object:
    request = urllib.request.Request(f"{url}/_evenkeel/{route}", method=method)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def main() -> None:
    evenkeel = sys.argv[1]
    server, url = start_emulator()
    env = {
        "PATH": os.environ["PATH"],
        "HOME": tempfile.mkdtemp(),
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    baseline = ["-b", "baselines/foundation.toml"]
    print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}\n")
    print("| what | wall s | CPU s of evenkeel | CPU / wall | peak MiB | calls |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    calls_of: dict[str, collections.Counter] = {}
    for title, regions in REGIONS.items():
        command = [evenkeel, "plan", *baseline, *regions, "--format", "json"]
        measure(command, env)
        control(url, "DELETE", "calls")
        measure(command, env)
        calls = control(url, "GET", "calls")
        calls_of[title] = collections.Counter(f"{call['service']}:{call['operation']}" for call in calls)
        rows = [measure(command, env) for _ in range(RUNS)]
        wall, cpu = median(rows, "wall"), median(rows, "cpu")
        print(
            f"| plan, {title} | {wall:.2f} | {cpu:.2f} | {cpu / wall:.0%} | {median(rows, 'memory'):.0f} | {len(calls)} |"
        )
    rows = [measure([evenkeel, "validate", "baselines/foundation.toml"], env) for _ in range(20)]
    print(f"| validate | {median(rows, 'wall'):.3f} | {median(rows, 'cpu'):.3f} | | {median(rows, 'memory'):.0f} | 0 |")
    print(f"\nBinary: {Path(evenkeel).stat().st_size / 2**20:.1f} MiB\n")
    for title, calls in calls_of.items():
        print(f"Calls of a plan, {title}:\n")
        for name, count in sorted(calls.items()):
            print(f"- {name}: {count}")
        print()
    server.terminate()


if __name__ == "__main__":
    main()
