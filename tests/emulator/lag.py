"""Eventual consistency on demand: for N calls after a write, reads are answered as they were before it.

Just before a write, each read that a rule is about, and that was made before or that the write's own parameters are
enough for, is made once more; its answer, a "not found" as well, is what is given again. An id that the read need not
give counts as one that it must, alone or in a list of such ids; and what was not there is not there either for a read
that asks for more besides. A read by an id that only the write's answer tells is refused with the API model's error for
what is not there.
"""

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from moto.core.utils import get_service_model

from emulator.answers import Answer, AwsError, error_answer
from emulator.events.names import event_region, is_read
from emulator.inside import environ_of
from emulator.wire import Call, recognise

Execute = Callable[[Call], Answer]
NOT_FOUND = re.compile(r"NotFound|NoSuch|NonExistent|DoesNotExist")


@dataclass
class Lag:
    """One rule; the fields are those of POST /_evenkeel/lag, described in docs/emulator.md."""

    service: str
    operation: str = "*"
    account: str | None = None
    region: str | None = None
    calls: int = 1
    flips: bool = False
    id: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        model = get_service_model(self.service)
        if self.operation != "*" and self.operation not in model.operation_names:
            raise ValueError(f"{self.service} has no operation {self.operation}")

    def about(self, call: Call, operation: str) -> bool:
        return (
            self.service == call.service
            and self.operation in ("*", operation)
            and self.account in (None, call.account)
            and self.region in (None, call.region)
        )


@dataclass
class Old:
    """What a read is answered for some more calls."""

    read: Call
    answer: Answer
    left: int
    told: int = 0


@dataclass
class LagBook:
    lags: list[Lag] = field(default_factory=list)
    # By the read's place, operation and parameters: those that were made, and their old answers.
    _made: dict[tuple[str, ...], Call] = field(default_factory=dict)
    _old: dict[tuple[str, ...], Old] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    def add(self, lag: Lag) -> int:
        lag.id = next(self._ids)
        self.lags.append(lag)
        return lag.id

    def clear(self, account: str | None) -> None:
        self.lags = [lag for lag in self.lags if account not in (None, lag.account)]
        for kept in (self._made, self._old):
            for key in [key for key in kept if account in (None, key[0])]:
                del kept[key]

    def answer(self, call: Call, execute: Execute, accounts: Any) -> Answer:
        """The answer to a call, old or new."""
        if not self.lags or call.model is None or not any(lag.service == call.service for lag in self.lags):
            return execute(call)
        if is_read(call.operation):
            return self._read(call, execute)
        rules = [lag for lag in self.lags if lag.service == call.service and lag.account in (None, call.account)]
        before = {}
        for lag in rules:
            for read in [*self._known(call, lag), *_derived(call, lag, call.params, accounts)]:
                before[_key(read)] = (execute(read), lag, read)
        answer = execute(call)
        if answer.status < 300:
            for lag in rules:
                for read in _derived(call, lag, _texts(call, answer), accounts):
                    refusal = _refusal(read)
                    if refusal and _key(read) not in before:
                        before[_key(read)] = (refusal, lag, read)
            for key, (old, lag, read) in before.items():
                pending = self._old.get(key)
                self._old[key] = Old(read, pending.answer if pending and pending.left else old, lag.calls)
        return answer

    def _read(self, call: Call, execute: Execute) -> Answer:
        key = _key(call)
        lag = next((lag for lag in self.lags if lag.about(call, call.operation)), None)
        if lag is None:
            return execute(call)
        self._made[key] = call
        old = self._old.get(key) or self._wider(call)
        if old is None or old.left <= 0:
            return execute(call)
        old.left -= 1
        old.told += 1
        if lag.flips and old.told % 2 == 0:
            return execute(call)
        lag.hits += 1
        return old.answer

    def _wider(self, call: Call) -> Old | None:
        """What a read that asks for less was refused, so that this one would have been refused as well."""
        asked = _given(call).items()
        for key, old in self._old.items():
            less = _given(old.read)
            fits = key[:4] == _key(call)[:4] and old.left > 0 and all(one in asked for one in less.items())
            if fits and less and NOT_FOUND.search(old.answer.error_code() or ""):
                return old
        return None

    def _known(self, call: Call, lag: Lag) -> list[Call]:
        here = (call.account, event_region(call))
        return [
            read
            for read in self._made.values()
            if (read.account, event_region(read)) == here and lag.about(read, read.operation)
        ]


def _key(call: Call) -> tuple[str, ...]:
    return (
        call.account,
        event_region(call),
        str(call.service),
        str(call.operation),
        json.dumps(_given(call), sort_keys=True, default=str),
    )


def _given(call: Call) -> dict[str, Any]:
    return {name: value for name, value in call.params.items() if value is not None}


def _derived(call: Call, lag: Lag, given: dict[str, Any], accounts: Any) -> list[Call]:
    """The reads that the rule names, when what is given is all that they ask for."""
    if lag.operation == "*" or not lag.about(call, lag.operation):
        return []
    model = call.model.service_model.operation_model(lag.operation)
    shape = model.input_shape
    wanted = shape.required_members if shape else []
    if any(not isinstance(given.get(name), str) for name in wanted):
        return []
    must = {name: given[name] for name in wanted}
    may = _optional(shape, given, wanted) if shape else {}
    found = []
    for params in [must, *(must | {name: value} for name, value in may.items())]:
        environ, body = environ_of(model, params, call.access_key or "", call.region)
        found.append(recognise(environ, body, accounts))
    return found


def _optional(shape: Any, given: dict[str, Any], wanted: list[str]) -> dict[str, Any]:
    """The ids that the read may give: of what is given by the same name, and lists of it by the name's plural."""
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        if name in wanted:
            continue
        if member.type_name == "string" and isinstance(given.get(name), str):
            found[name] = given[name]
        single = re.sub(r"s$", "", name)
        if member.type_name == "list" and member.member.type_name == "string" and isinstance(given.get(single), str):
            found[name] = [given[single]]
    return found


def _texts(call: Call, answer: Answer) -> dict[str, str]:
    """Texts of the answer by the names of the API model, from outside to inside; the outer of one name counts."""
    from botocore.parsers import create_parser

    if call.model.output_shape is None:
        return {}
    parsed = create_parser(call.protocol).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, call.model.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    found: dict[str, str] = {}
    level = [parsed]
    while level:
        for one in level:
            for name, value in one.items():
                if isinstance(value, str):
                    found.setdefault(name, value)
        level = [value for one in level for value in one.values() if isinstance(value, dict)]
    return found


def _refusal(read: Call) -> Answer | None:
    """The error of the read for what is not there, as far as its API model has one."""
    shape = next((shape for shape in read.model.error_shapes if NOT_FOUND.search(shape.name)), None)
    if shape is None:
        return None
    return error_answer(read, AwsError(shape.error_code or shape.name, "It does not exist (yet)."))
