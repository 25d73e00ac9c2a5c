"""What a controller of 1,000 accounts takes in its steady state, against the simulated AWS: memory, CPU and calls of
whole looks that come by schedule, and of looks at what events depend on alone; from both, the calls and the CPU of a day with
a whole look each hour, and of one with events and one whole look.

Every object of every account is drifted and only reported, so that each look also writes what it found into the store.

Usage: steady.py EVENKEEL SIMULATOR [ACCOUNTS [LOOKS [EVERY-MINUTES]]]. Nothing here is a test.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from fleet import MEDIAN_MS, ROOT, SPREAD, counts, fleet_file, measure, settings, start

# How often events cost a look: those that touch a declared kind, for each account and day.
EVENTS = 20
# Each whole look ends long before, or the machine is too small.
PATIENCE = 3600
TICKS = os.sysconf("SC_CLK_TCK")


def cpu(pid: int) -> float:
    """Seconds of CPU that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory(pid: int, which: str) -> float:
    """MiB: `VmRSS` now, `VmHWM` at most."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) / 1024


class Controller:
    """The controller, whose ended runs are counted as they are said."""

    def __init__(self, evenkeel: str, arguments: list[str], env: dict[str, str], folder: str) -> None:
        self.process = subprocess.Popen(
            [evenkeel, "run", *arguments], env=env, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.ended = threading.Semaphore(0)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout:
            if json.loads(line)["event"] == "run":
                self.ended.release()

    def run(self) -> None:
        if not self.ended.acquire(timeout=PATIENCE):
            sys.exit(f"no run ended within {PATIENCE} seconds: {self.process.poll()}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()


def looks(evenkeel: str, url: str, folder: str, minutes: int, wanted: int) -> list[dict]:
    """The first looks by schedule, the one at the start among them."""
    arguments = ["--schedule", f"0 */{minutes} * * * *", "--audit-log", "audit.jsonl"]
    controller = Controller(evenkeel, arguments, settings(url), folder)
    rows = []
    try:
        pid = controller.process.pid
        before, calls = 0.0, 0
        for _ in range(wanted):
            controller.run()
            time.sleep(2)
            now, served = cpu(pid), counts(url)["served"]
            rows.append(
                {"cpu": now - before, "calls": served - calls, "at most": memory(pid, "VmHWM"), "after": memory(pid, "VmRSS")}
            )
            before, calls = now, served
    finally:
        controller.stop()
    return rows


def part(evenkeel: str, url: str, folder: str, kinds: list[str]) -> dict:
    """One look at some kinds in all accounts."""
    before = counts(url)["served"]
    command = [evenkeel, "plan", "--format", "json-lines", "--out", "plan.jsonl"]
    result = measure([*command, *(f"--kind={kind}" for kind in kinds)], settings(url), folder)
    return {"cpu": result["cpu"], "calls": counts(url)["served"] - before}


def main() -> None:
    evenkeel, simulator, *rest = sys.argv[1:]
    defaults = ["1000", "3", "5"]
    accounts, wanted, minutes = map(int, [*rest, *defaults[len(rest) :]])
    print(f"Machine: {platform.machine()}, {os.cpu_count()} cores, shared with the simulator; {accounts} accounts in 17 Regions.\n")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "foundation.toml").write_text((ROOT / "baselines/foundation.toml").read_text())
        emulator, url = start([sys.executable, str(ROOT / "tests/emulator/server.py"), "--port", "0"])
        try:
            urllib.request.urlopen(f"{url}/_evenkeel/mess?account=123456789012&minimal=1", data=b"").close()
            measure([evenkeel, "snapshot", "-b", "foundation.toml", "--out", "one.snapshot"], settings(url), folder)
        finally:
            emulator.terminate()
        fleet = fleet_file(accounts).replace('name = "all"', 'name = "all"\nmode = "report"')
        Path(folder, "evenkeel.toml").write_text(fleet)
        command = [simulator, f"{folder}/one.snapshot", "--median-ms", str(MEDIAN_MS), "--spread", str(SPREAD)]
        server, url = start(command)
        try:
            whole = looks(evenkeel, url, folder, minutes, wanted)
            trail = part(evenkeel, url, folder, ["cloudtrail.trail"])
        finally:
            server.terminate()
        files = [path for path in Path(folder).glob("audit.*") if path.name != "audit.jsonl"]
        store = max((path.stat().st_size for path in files), default=0) / 1024 / 1024
    print("| whole look | CPU s | calls | for each account | MiB at most | MiB after it |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for number, row in enumerate(whole, 1):
        each = row["calls"] / accounts
        print(f"| {number} | {row['cpu']:.1f} | {row['calls']} | {each:.0f} | {row['at most']:.0f} | {row['after']:.0f} |")
    print(f"\nA look at the trail alone, in all accounts: {trail['calls'] / accounts:.1f} calls and {trail['cpu'] / accounts * 1000:.1f} ms of CPU for each.")
    print(f"The store (the largest file beside the audit log): {store:.1f} MiB.\n")
    full, of_one = whole[-1]["calls"] / accounts, trail["calls"] / accounts
    full_cpu, one_cpu = whole[-1]["cpu"], trail["cpu"] / accounts
    path = 24 * 30 * of_one
    print("| for each account and day | calls | CPU of the controller, of one core |")
    print("| --- | ---: | ---: |")
    print(f"| a whole look each hour | {24 * full:.0f} | {24 * full_cpu / 864:.1f} % |")
    events, by_events = EVENTS * of_one, EVENTS * one_cpu * accounts
    print(
        f"| one whole look, and {EVENTS} events | {full + events:.0f} | {(full_cpu + by_events) / 864:.1f} % |\n"
        f"| the same, with the trail looked at each two minutes | {full + events + path:.0f}"
        f" | {(full_cpu + by_events + 720 * one_cpu * accounts) / 864:.1f} % |"
    )


if __name__ == "__main__":
    main()
