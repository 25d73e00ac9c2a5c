"""What each form of a plan costs in a large fleet: time, CPU and peak memory, with every object of every
account drifted.

One untidy account of the emulator is recorded with the foundation in all 17 Regions, and copied under other
ids into a snapshot of a whole fleet, which `plan --snapshot` replays: nothing waits for a network. A plan from a
snapshot is not saved, so that the saved plan is made against the simulated AWS, without latency or limits.

Usage: forms.py EVENKEEL SIMULATOR [ACCOUNTS …]. Nothing here is a test.
"""

import gzip
import hashlib
import json
import sys
import tempfile
import urllib.request
from pathlib import Path

from fleet import ROOT, fleet_file, measure, settings, start

FORMS = ["text", "markdown", "html", "json", "json-lines", "sarif", "junit", "saved"]
HOME = "123456789012"


def page_of(body: str) -> str:
    """What tells the pages of a read apart (src/aws/tape.rs): a digest of method, query and body."""
    asked = json.dumps(["POST", "", body], separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(asked.encode()).hexdigest()[:12]


def asked_by_name(seen: str) -> list[tuple[str, str]]:
    """The pages of the keys that are asked for by their ARNs, in which the account stands: page and body."""
    asked = []
    for read in json.loads(seen)["seen"]["reads"]:
        if read["call"] == "kms:DescribeKey" and HOME in read.get("arguments", ""):
            body = json.dumps({"KeyId": read["arguments"]}, separators=(",", ":"))
            assert [page_of(body)] == list(read["pages"]), read
            asked.append((page_of(body), body))
    return asked


def copied(one: Path, fleet: Path, accounts: int) -> None:
    """The snapshot of a fleet, each account of which is the one that was recorded."""
    head, seen, _end = gzip.decompress(one.read_bytes()).decode().splitlines()
    asked = asked_by_name(seen)
    with gzip.open(fleet, "wt", compresslevel=1) as out:
        print(head, file=out)
        for number in range(accounts):
            account = str(500_000_000_000 + number)
            own = seen.replace(HOME, account)
            for page, body in asked:
                own = own.replace(page, page_of(body.replace(HOME, account)))
            print(own, file=out)
        print(json.dumps({"end": accounts}), file=out)


def main() -> None:
    evenkeel, simulator, *sizes = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "foundation.toml").write_text((ROOT / "baselines/foundation.toml").read_text())
        emulator, url = start([sys.executable, str(ROOT / "tests/emulator/server.py"), "--port", "0"])
        try:
            urllib.request.urlopen(f"{url}/_evenkeel/mess?account={HOME}&minimal=1", data=b"").close()
            measure([evenkeel, "snapshot", "-b", "foundation.toml", "--out", "one.snapshot"], settings(url), folder)
        finally:
            emulator.terminate()
        print("| accounts | form | MiB written | wall s | CPU s | peak MiB |")
        print("| ---: | --- | ---: | ---: | ---: | ---: |")
        for size in map(int, sizes or ["1000"]):
            Path(folder, "evenkeel.toml").write_text(fleet_file(size))
            copied(Path(folder, "one.snapshot"), Path(folder, "fleet.snapshot"), size)
            for form in FORMS:
                run, written = made(evenkeel, simulator, folder, form)
                print(
                    f"| {size} | {form} | {written:.1f} | {run['wall']:.1f} | {run['cpu']:.1f} | {run['memory']:.0f} |",
                    flush=True,
                )


def made(evenkeel: str, simulator: str, folder: str, form: str) -> tuple[dict, float]:
    """A run that makes a form, and how many MiB it has written."""
    out = Path(folder, "out")
    plan = [evenkeel, "plan", "--quiet"]
    if form == "saved":
        server, url = start([simulator, f"{folder}/one.snapshot", "--limits", "off", "--median-ms", "1"])
        try:
            run = measure([*plan, "--save", "out"], settings(url), folder)
        finally:
            server.terminate()
    else:
        plan += ["--snapshot", "fleet.snapshot", "--format", form, "--out", "out"]
        run = measure(plan, settings("http://127.0.0.1:1"), folder)
    written = out.stat().st_size / 1024 / 1024
    out.unlink()
    return run, written


if __name__ == "__main__":
    main()
