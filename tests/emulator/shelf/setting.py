"""One object in each account and Region: read, written as a whole or in part, reset."""

import copy
from collections.abc import Callable, Sequence
from typing import Any

from emulator.answers import AwsError
from emulator.missing import handles
from emulator.shelf.model import output
from emulator.shelf.store import Owner, Row, place
from emulator.wire import Call

# What is sent takes the place of everything that was there.
WHOLE = object()
Says = object | dict[str, Any] | Callable[[Call], dict[str, Any]] | None


class Setting:
    def __init__(self, name: str, default: Any, key: Any, everywhere: bool, whose: Any) -> None:
        self.name, self.default, self.key, self.everywhere, self.whose = name, default, key, everywhere, whose

    def rows(self, call: Call) -> dict[Any, Row]:
        return place(call, self.name, self.everywhere, self.whose(call) if self.whose else None)

    def at(self, call: Call) -> tuple[Any, ...]:
        return self.key(call) if callable(self.key) else tuple(call.params.get(name) for name in self.key)

    def usual(self, call: Call) -> dict[str, Any]:
        """What AWS has before anything is written."""
        return copy.deepcopy(self.default(call) if callable(self.default) else self.default)

    def now(self, call: Call) -> dict[str, Any]:
        """What is in force, however long reads take to show it."""
        row = self.rows(call).get(self.at(call))
        return self.usual(call) | (row.now if row else {})


def setting(
    service: str,
    name: str,
    default: dict[str, Any] | Callable[[Call], dict[str, Any]],
    *,
    get: str,
    put: dict[str, Says],
    under: str | None = None,
    key: Sequence[str] | Callable[[Call], tuple[Any, ...]] = (),
    everywhere: bool = False,
    whose: Callable[[Call], str] | None = None,
    absent: tuple[str, str] | None = None,
    nothing: Sequence[Any] = (),
    middle: dict[str, Any] | Callable[[Call], dict[str, Any]] | None = None,
    late: bool = False,
    owner: Owner | None = None,
    check: Callable[[Call], None] | None = None,
) -> Setting:
    """Registers the operations of a setting.

    `put` says what each write does: True keeps what was sent and leaves the rest, WHOLE replaces all, a dict or a
    function of the call gives the members, None goes back to the default. `under` is the output's member that holds
    the object, `key` the input's members (or a function) that tell one object from another, `everywhere` one object
    for all Regions, `whose` the account that it is of, where that is not the caller's, `absent` the error (code,
    message) of a read before the first write, `nothing` the values that mean not set. While it settles the object
    shows the `middle` members, or with `late` what it was before. `check` refuses calls.
    """
    kept = Setting(name, default, key, everywhere, whose)

    def before(call: Call) -> None:
        if check:
            check(call)

    @handles(service, get)
    def read(call: Call, _: Any) -> dict[str, Any]:
        before(call)
        row = kept.rows(call).get(kept.at(call))
        if row is None and absent:
            raise AwsError(*absent)
        value = kept.usual(call) | (row.read() if row else {}) | (owner.shown(call, name) if owner else {})
        return output(call, value, under)

    def writer(says: Says) -> Callable[[Call, Any], dict[str, Any]]:
        def write(call: Call, _: Any) -> dict[str, Any]:
            before(call)
            if owner:
                owner.check(call, name)
            rows, at = kept.rows(call), kept.at(call)
            row = rows.setdefault(at, Row({}))
            between = middle(call) if callable(middle) else middle
            if says is None:
                row.write(call, {}, between, late)
                if absent:
                    rows.pop(at)
            else:
                sent = {k: v for k, v in call.params.items() if callable(key) or k not in key}
                if callable(says):
                    sent = says(call)
                elif isinstance(says, dict):
                    sent = copy.deepcopy(says)
                value = sent if says is WHOLE else row.now | sent
                row.write(call, {k: v for k, v in value.items() if v not in nothing}, between, late)
            value = kept.usual(call) | row.now | (between or {}) | (owner.shown(call, name) if owner else {})
            return output(call, {"Return": True, "ReturnValue": True} | value, under)

        return write

    for operation, says in put.items():
        handles(service, operation)(writer(says))
    return kept
