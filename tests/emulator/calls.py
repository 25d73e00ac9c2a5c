"""The log of calls on the wire: what a test compares with the permissions that evenkeel says it needs."""

import threading
from typing import Any

from emulator.answers import Answer
from emulator.wire import Call, readable


class CallLog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._entries: list[dict[str, Any]] = []

    def begin(self) -> int:
        """The number of a call that starts now; numbers are in order of arrival."""
        with self._lock:
            self._last += 1
            return self._last

    def record(self, number: int, call: Call, answer: Answer | None, fault: str | None) -> None:
        """Adds a finished call; `answer` is None when the connection was dropped or left hanging."""
        try:
            arguments = readable(call.params)
        except Exception:
            arguments = None
        entry = {
            "seq": number,
            "service": call.service,
            "operation": call.operation,
            "region": call.region,
            "account": call.account,
            "access_key": call.access_key,
            "status": answer.status if answer else None,
            "error_code": answer.error_code() if answer else None,
            "fault": fault,
            "args": arguments,
        }
        with self._lock:
            self._entries.append(entry)

    def entries(self, account: str | None) -> list[dict[str, Any]]:
        with self._lock:
            chosen = [entry for entry in self._entries if account in (None, entry["account"])]
        return sorted(chosen, key=lambda entry: entry["seq"])

    def clear(self, account: str | None) -> None:
        with self._lock:
            self._entries = [] if account is None else [e for e in self._entries if e["account"] != account]
