"""A fleet against the simulated AWS: wall time beside its physical limit, CPU for each call beside a
bare loop of the SDK, and memory, for 10, 100 and 1,000 accounts in 17 Regions.

The limit is the larger of two: what the latency alone demands, drawn at random: in each account three
calls one after the other (the role, who am I, which Regions) and then the slowest Region's two (VPCs,
their groups' rules), so many accounts at a time; and the time that the bare loop takes for as many calls
with as many in flight, against the same simulator with the same latency, which is what this machine can do.

Usage: fleet.py EVENKEEL SIMULATOR BARE_LOOP [ACCOUNTS …]. Nothing here is a test.
"""

import heapq
import json
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MEDIAN_MS, SPREAD = 40, 0.35
CONCURRENT_ACCOUNTS = 32
REGIONS = 17


def start(command: list[str]) -> tuple[subprocess.Popen, str]:
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    return server, server.stdout.readline().strip().removeprefix("listening on ")


def measure(command: list[str], env: dict[str, str], folder: str) -> dict:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, 2):
        sys.exit(f"{' '.join(command)} ended with {code}: {output[-2000:].decode()} {process.stderr.read().decode()}")
    return {
        "wall": time.perf_counter() - started,
        "cpu": usage.ru_utime + usage.ru_stime,
        "memory": usage.ru_maxrss / 1024,
        "output": output,
    }


def settings(url: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": os.environ["HOME"],
        "AWS_ENDPOINT_URL": url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def counts(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/_counts") as answer:
        return json.load(answer)


def fleet_file(accounts: int) -> str:
    ids = ", ".join(f'"{500_000_000_000 + number}"' for number in range(accounts))
    return (
        'schema = 1\nhome_region = "eu-west-1"\n\n[[target]]\nname = "all"\nbaselines = ["foundation.toml"]\n'
        f"select = {{ accounts = [{ids}] }}\n\n[access]\n"
        'role_arn = "arn:${partition}:iam::${account.id}:role/evenkeel"\n\n'
        f"[limits]\nconcurrent_accounts = {CONCURRENT_ACCOUNTS}\n\n"
        # Everything is drifted everywhere, and no guard is measured here.
        "[safety]\nmax_changes_per_day = 10000000\nmax_changes_per_account_per_day = 10000000\n"
    )


def main() -> None:
    evenkeel, simulator, bare_loop = sys.argv[1:4]
    sizes = [int(size) for size in sys.argv[4:]] or [10, 100, 1000]
    print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, shared with the simulator; latency: log-normal,")
    print(f"median {MEDIAN_MS} ms; {CONCURRENT_ACCOUNTS} accounts at a time.\n")
    with tempfile.TemporaryDirectory() as folder:
        baseline = (ROOT / "baselines/foundation.toml").read_text()
        Path(folder, "foundation.toml").write_text(baseline)
        emulator, url = start([sys.executable, str(ROOT / "tests/emulator/server.py"), "--port", "0"])
        try:
            urllib.request.urlopen(f"{url}/_evenkeel/mess?account=123456789012&minimal=1", data=b"").close()
            snapshot = [evenkeel, "snapshot", "-b", "foundation.toml", "--out", "one.snapshot"]
            measure(snapshot, settings(url), folder)
        finally:
            emulator.terminate()
        print("| accounts | calls | for each account | throttled | wall s | limit s | wall / limit | CPU ms for each call | of the bare loop | beside it | peak MiB |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
        rows = [row(evenkeel, simulator, bare_loop, folder, size) for size in sizes]
    if len(rows) > 1:
        (few, first), (many, last) = rows[-2:]
        more = many - few
        print(
            f"\nFrom {few} to {many} accounts, each more costs {(last['served'] - first['served']) / more:.0f} calls,"
            f" {(last['wall'] - first['wall']) / more * 1000:.0f} ms, {(last['cpu'] - first['cpu']) / more * 1000:.0f} ms of CPU"
            f" and {(last['memory'] - first['memory']) / more * 1024:.0f} KiB."
        )


def bare(simulator: str, bare_loop: str, folder: str) -> dict[str, float]:
    """Seconds of CPU and of wall time for each call of the bare loop."""
    # Its calls are all of one account, which AWS would throttle.
    command = [simulator, f"{folder}/one.snapshot", "--limits", "off", "--median-ms", str(MEDIAN_MS), "--spread", str(SPREAD)]
    server, url = start(command)
    try:
        run = json.loads(measure([bare_loop, "40000"], settings(url), folder)["output"])
    finally:
        server.terminate()
    if run["failed"]:
        sys.exit(f"the bare loop failed: {run}")
    return {what: run[what] / run["requests"] for what in ("cpu", "wall")}


def demanded_by_latency(accounts: int) -> float:
    chance = random.Random(accounts)
    call = lambda: MEDIAN_MS / 1000 * chance.lognormvariate(0, SPREAD)
    free = [call()] * CONCURRENT_ACCOUNTS  # when each turn is free, once we know who we are
    for _ in range(accounts):
        one_after_the_other = call() + call() + call()
        slowest_region = max(call() + call() for _ in range(REGIONS))
        heapq.heapreplace(free, free[0] + one_after_the_other + slowest_region)
    return max(free)


def row(evenkeel: str, simulator: str, bare_loop: str, folder: str, size: int) -> tuple[int, dict]:
    Path(folder, "evenkeel.toml").write_text(fleet_file(size))
    # A machine's pace changes by a tenth from minute to minute: the bare loop is measured on both sides.
    loops = [bare(simulator, bare_loop, folder)]
    command = [simulator, f"{folder}/one.snapshot", "--median-ms", str(MEDIAN_MS), "--spread", str(SPREAD)]
    server, url = start(command)
    try:
        # As in CI: a file, so that rendering is part of what is measured.
        plan = [evenkeel, "plan", "--format", "markdown", "--out", "plan.md"]
        result = measure(plan, settings(url), folder)
        seen = counts(url)
    finally:
        server.terminate()
    loops.append(bare(simulator, bare_loop, folder))
    loop = {what: statistics.mean(one[what] for one in loops) for what in ("cpu", "wall")}
    if seen["not_recorded"]:
        print(f"not recorded: {seen['not_recorded']}", file=sys.stderr)
    calls = seen["served"]
    by_latency = demanded_by_latency(size)
    by_machine = calls * loop["wall"]
    limit = max(by_latency, by_machine)
    per_call = result["cpu"] / calls
    print(
        f"| {size} | {calls} | {calls / size:.0f} | {seen['throttled']} | {result['wall']:.1f} | {limit:.1f}"
        f" ({'machine' if by_machine > by_latency else 'latency'}) | {result['wall'] / limit:.2f} | {per_call * 1000:.2f}"
        f" | {loop['cpu'] * 1000:.2f} | {per_call / loop['cpu']:.2f} | {result['memory']:.0f} |",
        flush=True,
    )
    return size, {**result, "served": calls}


if __name__ == "__main__":
    main()
