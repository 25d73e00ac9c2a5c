"""`python -m emulator.probe [URL] [--keys akia|digits|header] [--only FILE] [--at-once N] [--write] [--compare]`."""

import argparse
import json
from collections import Counter
from pathlib import Path

from emulator.probe import table
from emulator.probe.keys import Keys
from emulator.probe.run import lacking, run


def main() -> None:
    parser = argparse.ArgumentParser(description="Which operations hold what the fact sheets say.")
    parser.add_argument("url", nargs="?", help="of the emulator; without it this one is started")
    parser.add_argument("--keys", default="akia", help="how it tells accounts apart: akia, digits or header")
    parser.add_argument("--only", help="one file of scenarios")
    parser.add_argument("--at-once", type=int, default=4, help="scenarios at a time")
    parser.add_argument("--write", action="store_true", help="write lacking.json and the table of docs/emulator.md")
    parser.add_argument("--compare", action="store_true", help="say where it differs from lacking.json")
    options = parser.parse_args()
    records = run(_url(options.url), Keys(options.keys), at_once=options.at_once, only=options.only, wrong=not options.compare)
    short = lacking(records)
    if options.write:
        table.write(records, short)
    elif options.compare:
        compare(short, set(records))
    else:
        for operation, (verdict, *reasons) in short.items():
            print(f"{verdict:7} {operation}: {'; '.join(reasons)}")
    print(dict(Counter(record.verdict()[0] for record in records.values())))


def _url(given: str | None) -> str:
    if given:
        return given.rstrip("/")
    from emulator.testing import endpoint

    return endpoint()


def compare(short: dict[str, list[str]], tried: set[str]) -> None:
    """Where two emulators say different things: one of them is wrong, or knows more. What one lacks is only counted."""
    here = json.loads(Path(table.LACKING).read_text())
    alike, lacks = 0, Counter[str]()
    for operation in sorted(tried):
        ours, theirs = here.get(operation, ["yes"]), short.get(operation, ["yes"])
        if _has_not(ours) or _has_not(theirs):
            lacks["here" if _has_not(ours) else "there"] += 1
        elif ours[0] == theirs[0]:
            alike += 1
        else:
            print(f"{operation}: here {'; '.join(ours)} | there {'; '.join(theirs)}")
    print(f"{alike} operations hold, or fall short, in both; lacking: {lacks['here']} here, {lacks['there']} there")


def _has_not(said: list[str]) -> bool:
    return said[0] == "no" and all(reason.startswith("missing:") or reason == "never called" for reason in said[1:])


if __name__ == "__main__":
    main()
