"""What becomes of an event on its way to a target: late, twice, out of order, never. Drawn from a seed, by account."""

import heapq
import itertools
import random
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.turn import TURN

Action = Callable[[], None]


@dataclass
class Disorder:
    """`delay` and `reorder` are seconds (each delivery waits delay, and up to reorder more); the rest probabilities."""

    delay: float = 0.0
    reorder: float = 0.0
    duplicates: float = 0.0
    loss: float = 0.0
    seed: int = 0
    dice: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if min(self.delay, self.reorder) < 0 or not all(0 <= one <= 1 for one in (self.duplicates, self.loss)):
            raise ValueError("seconds are not negative, and probabilities are from 0 to 1")
        self.dice = random.Random(self.seed)

    def waits(self) -> list[float]:
        """How long each copy of the next delivery waits; always four draws, so that one seed tells one story."""
        lost, twice, first, second = (self.dice.random() for _ in range(4))
        if lost < self.loss:
            return []
        draws = [first, second] if twice < self.duplicates else [first]
        return [self.delay + draw * self.reorder for draw in draws]


_DISORDERS: dict[str, Disorder] = {}
_PENDING: list[tuple[float, int, str, Action]] = []
_NUMBERS = itertools.count()
_RUNNER: list[threading.Thread] = []


def set_for(account: str, disorder: Disorder | None) -> None:
    if disorder is None:
        _DISORDERS.pop(account, None)
    else:
        _DISORDERS[account] = disorder


def later(account: str, action: Action) -> None:
    """Does the action now, or when and as often as the account's disorder has it."""
    disorder = _DISORDERS.get(account) or _DISORDERS.get("*")
    if disorder is None:
        action()
        return
    for wait in disorder.waits():
        if wait <= 0:
            action()
        else:
            heapq.heappush(_PENDING, (time.monotonic() + wait, next(_NUMBERS), account, action))
    if _PENDING:
        if not _RUNNER:
            _RUNNER.append(threading.Thread(target=_run, name="events", daemon=True))
            _RUNNER[0].start()
        TURN.notify_all()


def flush(account: str | None) -> int:
    """Does at once, in their order, what waits for the account; how much that was."""
    mine = sorted(entry for entry in _PENDING if account in (None, entry[2]))
    _PENDING[:] = [entry for entry in _PENDING if entry not in mine]
    heapq.heapify(_PENDING)
    for *_, action in mine:
        action()
    return len(mine)


def _run() -> None:
    with TURN:
        while True:
            while _PENDING and _PENDING[0][0] <= time.monotonic():
                try:
                    heapq.heappop(_PENDING)[-1]()
                except Exception:
                    traceback.print_exc()
            TURN.wait(max(_PENDING[0][0] - time.monotonic(), 0) if _PENDING else None)
