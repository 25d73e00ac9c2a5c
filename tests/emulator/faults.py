"""Faults on demand: a test says which calls shall fail, how, how often and for how long."""

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from emulator import partial
from emulator.answers import Answer, AwsError, DropConnection, HangConnection, error_answer
from emulator.identity import access_denied_message
from emulator.wire import Call

KINDS = ("error", "throttle", "status", "delay", "wait", "replace", "drop", "hang", "partial")

# What a service, or else its protocol, calls "not allowed" and "too fast": (denied, status, throttled, status).
USUAL_CODES = {
    "ec2": ("UnauthorizedOperation", 403, "RequestLimitExceeded", 503),
    "s3": ("AccessDenied", 403, "SlowDown", 503),
    "sns": ("AuthorizationError", 403, "Throttling", 400),
    "s3control": ("AccessDenied", 403, "SlowDown", 503),
    # What once spoke the query protocol still says so, in JSON and CBOR (`x-amzn-query-error`).
    "sqs": ("AccessDenied", 403, "ThrottlingException", 400),
    "cloudwatch": ("AccessDenied", 403, "ThrottlingException", 400),
    "query": ("AccessDenied", 403, "Throttling", 400),
    "json": ("AccessDeniedException", 400, "ThrottlingException", 400),
    "rest-json": ("AccessDeniedException", 403, "TooManyRequestsException", 429),
    "rest-xml": ("AccessDenied", 403, "Throttling", 400),
}
SERVER_ERROR_CODES = {"json": "InternalFailure", "rest-json": "InternalServerException", "ec2": "InternalError"}


@dataclass
class Fault:
    """One rule; the fields are those of POST /_evenkeel/faults, described in docs/emulator.md."""

    service: str
    operation: str = "*"
    kind: str = "error"
    account: str | None = None
    region: str | None = None
    code: str | None = None
    message: str | None = None
    status: int | None = None
    count: int | None = None
    seconds: float | None = None
    after: int = 0
    delay: float = 1.0
    find: str | None = None
    replace: str | None = None
    executed: bool = False
    where: dict[str, Any] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    id: int = 0
    hits: int = 0
    until: float | None = None
    gone: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}, not {self.kind!r}")
        if self.kind == "replace" and (self.find is None or self.replace is None):
            raise ValueError("kind replace needs find and replace")
        if self.kind == "wait" and (self.count is not None or self.seconds is not None):
            raise ValueError("kind wait has no count and no seconds: it ends when it is removed")
        if self.kind == "partial":
            partial.check(self.service, self.operation)
        if self.seconds is not None:
            self.until = time.monotonic() + self.seconds

    def matches(self, call: Call) -> bool:
        return (
            self.service in ("*", call.service)
            and self.operation in ("*", call.operation)
            and self.account in (None, call.account)
            and self.region in (None, call.region)
            and all(call.params.get(name) == value for name, value in self.where.items())
        )

    def spent(self) -> bool:
        if self.until is not None and time.monotonic() >= self.until:
            return True
        return self.count is not None and self.hits >= self.count

    def before(self, call: Call) -> Answer | None:
        """What happens instead of the call; None lets it through."""
        if self.kind == "delay":
            time.sleep(self.delay)
            return None
        if self.kind == "wait":
            self.gone.wait()
            return None
        if self.kind in ("replace", "partial") or self.executed:
            return None
        return self._strike(call)

    def behind(self, call: Call, answer: Answer) -> Answer:
        """What becomes of the answer of a call that went through."""
        if self.kind == "replace":
            body = answer.body.replace((self.find or "").encode(), (self.replace or "").encode())
            return Answer(answer.status, answer.headers, body)
        return self._strike(call) if self.executed and self.kind not in ("delay", "wait", "partial") else answer

    def _strike(self, call: Call) -> Answer:
        if self.kind == "drop":
            raise DropConnection
        if self.kind == "hang":
            raise HangConnection
        code, message, status = self._error(call)
        return error_answer(call, AwsError(code, message, status))

    def _error(self, call: Call) -> tuple[str, str, int | None]:
        usual = USUAL_CODES.get(call.service or "") or USUAL_CODES[call.protocol]
        denied, denied_status, throttled, throttled_status = usual
        if self.kind == "status":
            code = self.code or SERVER_ERROR_CODES.get(call.protocol, "ServiceFailure")
            return code, self.message or "We encountered an internal error. Please try again.", self.status or 500
        if self.kind == "throttle":
            code = self.code or throttled
            return code, self.message or "Rate exceeded", self.status or throttled_status
        code = self.code or denied
        if code == denied:
            return code, self.message or denied_message(call), self.status or denied_status
        return code, self.message or f"{code} (made by the emulator)", self.status


class FaultBook:
    """All active faults. The first that matches a call is the one that strikes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ids = itertools.count(1)
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> int:
        with self._lock:
            fault.id = next(self._ids)
            self._faults.append(fault)
            return fault.id

    def take(self, call: Call) -> Fault | None:
        """The fault that strikes this call; counts it."""
        with self._lock:
            if not self._faults:
                return None
            self._faults = [fault for fault in self._faults if not fault.spent()]
            for fault in self._faults:
                if not fault.matches(call):
                    continue
                if fault.after > 0:
                    fault.after -= 1
                    continue
                fault.hits += 1
                return fault
        return None

    def listed(self, account: str | None) -> list[dict[str, Any]]:
        with self._lock:
            self._faults = [fault for fault in self._faults if not fault.spent()]
            return [
                {
                    "id": f.id,
                    "account": f.account,
                    "service": f.service,
                    "operation": f.operation,
                    "kind": f.kind,
                    "hits": f.hits,
                }
                for f in self._faults
                if account in (None, f.account)
            ]

    def clear(self, account: str | None, fault_id: int | None) -> None:
        with self._lock:
            kept, gone = [], []
            for fault in self._faults:
                is_kept = account not in (None, fault.account) or fault_id not in (None, fault.id)
                (kept if is_kept else gone).append(fault)
            self._faults = kept
        for fault in gone:
            fault.gone.set()


def denied_message(call: Call) -> str:
    if call.service == "ec2":
        return f"You are not authorized to perform this operation. {access_denied_message(call)}"
    return access_denied_message(call)
