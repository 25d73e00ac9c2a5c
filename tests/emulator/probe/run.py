"""Runs the scenarios against an emulator, several at a time, and says what holds."""

import importlib
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from emulator.probe import refusals, scenarios
from emulator.probe.keys import Keys
from emulator.probe.trial import Record, Trial

FIRST_ACCOUNT = 310000000000
Scenario = list[Callable[[Trial], None]]


def found(only: str | None = None) -> list[tuple[str, Scenario]]:
    """The scenarios by the name of their file."""
    names = sorted(module.name for module in pkgutil.iter_modules(scenarios.__path__))
    return [
        (name, scenario)
        for name in names
        if only in (None, name)
        for scenario in importlib.import_module(f"{scenarios.__name__}.{name}").SCENARIOS
    ]


def wrong_calls() -> list[tuple[str, Scenario]]:
    """What is refused of each operation, one scenario a service."""
    services: dict[str, list[str]] = {}
    for operation in sorted(named()):
        services.setdefault(operation.partition(".")[0], []).append(operation.partition(".")[2])
    return [("refusals", [refusals.of_service(service, names)]) for service, names in services.items()]


def named() -> set[str]:
    """The operations that the scenarios name, such as `iam.CreateUser`, without a run."""
    texts = [Path(module.__file__).read_text() for module in map(importlib.import_module, _modules())]
    return {name for text in texts for name in re.findall(r'"([a-z0-9-]+\.[A-Z]\w+)"', text)}


def _modules() -> list[str]:
    return [f"{scenarios.__name__}.{module.name}" for module in pkgutil.iter_modules(scenarios.__path__)]


def run(url: str, keys: Keys, *, at_once: int = 4, only: str | None = None, wrong: bool = True) -> dict[str, Record]:
    """What became of each operation, such as `iam.CreateUser`.

    Without `wrong` of right calls alone, and whether answers are as the API models have them is not asked.
    """
    wanted = found(only) + [one for one in wrong_calls() if wrong and only in (None, one[0])]

    def one(number: int, scenario: Scenario) -> dict[str, Record]:
        account = str(FIRST_ACCOUNT + 10 * number)
        trial = Trial(url, keys, account, str(int(account) + 1), by_model=wrong)
        for part in scenario:
            try:
                part(trial)
            except Exception:
                print(f"probe: {part.__module__}.{part.__name__} gave up", file=sys.stderr)
                traceback.print_exc(file=sys.stderr)
        return trial.res

    merged: dict[str, Record] = {}
    with ThreadPoolExecutor(at_once) as pool:
        results = [pool.submit(one, number, scenario) for number, (_, scenario) in enumerate(wanted)]
        for result in results:
            for operation, record in result.result().items():
                merged.setdefault(operation, Record()).add(record)
    return merged


def lacking(records: dict[str, Record]) -> dict[str, list[str]]:
    """What falls short: the verdict and the reasons, by operation."""
    verdicts = {operation: record.verdict() for operation, record in sorted(records.items())}
    return {operation: [word, *reasons] for operation, (word, reasons) in verdicts.items() if word != "yes"}
