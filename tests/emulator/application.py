"""Puts it together: recognise the call, apply a fault, answer from a fill-in or from moto, and write the log."""

import io
import json
import sys
import traceback
from typing import Any

from moto.core.exceptions import ServiceException

from emulator import cbor, missing, paging, partial, patches, shapes, shelf, tokens
from emulator.access import NOTHING, Access
from emulator.answers import (
    Answer,
    AwsError,
    DropConnection,
    HangConnection,
    error_answer,
)
from emulator.ask import serve
from emulator.calls import CallLog
from emulator.control import Control
from emulator.events import demands, security_demands
from emulator.events.feed import Feed
from emulator.faults import Fault, FaultBook
from emulator.lag import LagBook
from emulator.organization import denials
from emulator.quick.dispatch import Moto
from emulator.turn import TURN
from emulator.wire import AccountKeys, Call, recognise

patches.apply()
demands.register()
security_demands.register()

CONTROL_PREFIX = "/_evenkeel/"


class Emulator:
    def __init__(self) -> None:
        self.calls = CallLog()
        self.faults = FaultBook()
        self.access = Access()
        self.events = Feed()
        self.lags = LagBook()
        self.accounts = AccountKeys()
        self._moto = Moto()
        # Untidy accounts that others are copied from (mess.py).
        self.patterns: dict[bool, tuple[bytes, bytes]] = {}
        self.lock = TURN
        self._control = Control(self)
        serve(lambda call: self.execute(call, self.access), self.accounts)

    def __call__(self, environ: dict[str, Any]) -> Answer:
        body = environ["wsgi.input"].read()
        if environ["PATH_INFO"].startswith(CONTROL_PREFIX):
            return self._control.answer(environ, body)
        number = self.calls.begin()
        call = recognise(environ, body, self.accounts)
        fault = self.faults.take(call)
        answer: Answer | None = None
        try:
            answer = fault.before(call) if fault else None
            if answer is None:
                answer = self._execute_and_tell(call, fault)
                if fault:
                    answer = fault.behind(call, answer)
            elif self.events.on():
                with self.lock:
                    self._tell(call, answer, [])
            return cbor.answer(call, answer) if cbor.speaks(environ) else answer
        except (DropConnection, HangConnection):
            answer = None
            raise
        finally:
            self.calls.record(number, call, answer, fault.kind if fault else None)

    def _execute_and_tell(self, call: Call, fault: Fault | None) -> Answer:
        """The answer of AWS, whatever the client gets to see of it, and the events that follow from it."""

        def execute(one: Call) -> Answer:
            return self.execute(one, self.access)

        with self.lock:
            before = self.events.before(call)
            if fault and fault.kind == "partial":
                answer = partial.answer(call, fault, execute, self.accounts)
            else:
                answer = self.lags.answer(call, execute, self.accounts)
            self._tell(call, answer, before)
            return answer

    def _tell(self, call: Call, answer: Answer, before: list[Any]) -> None:
        """The events that follow; the caller's answer never depends on them."""
        try:
            self.events.after(call, answer, before)
        except Exception:
            traceback.print_exc(file=sys.stderr)

    def execute(self, call: Call, access: Access | None = None) -> Answer:
        """The answer without any fault; with `access`, the caller's policies count."""
        with self.lock:
            try:
                if call.model is None and (call.service or call.access_key):
                    raise NotImplementedError("no API model has an operation for this request")
                shapes.check_readable(call)
                refused = self._refused(call, access) if access else []
                shelf.load(call.service)
                shapes.check_input(call)
                missing.guard(call)
                refused = refused or partial.refused(call)
                if refused:
                    return partial.apart(call, refused, lambda rest: self.execute(rest, access), self.accounts)
                again = tokens.answered(call)
                if again is not None:
                    return again
                paging.check(call)
                all_pages = paging.whole(call, self.accounts)
                handler = missing.handler_for(all_pages)
                result = handler(all_pages, lambda: self._forward(all_pages)) if handler else None
                if result is None:
                    result = self._forward(all_pages)
                result = paging.page(call, result)
                if call.service == "sts" and isinstance(result, dict):
                    # A federated user may do nothing that the session's policy does not say.
                    policy = call.params.get("Policy") or (NOTHING if call.operation == "GetFederationToken" else None)
                    if policy:
                        self.access.remember(result["Credentials"]["AccessKeyId"], policy)
                made = shapes.name_root(call, result if isinstance(result, Answer) else shapes.serialise(call, result))
                tokens.remember(call, made)
                return made
            except AwsError as error:
                return error_answer(call, error)
            except ServiceException as error:
                # What a fill-in asked of moto's models, and they refused.
                return error_answer(call, AwsError(error.code, error.message))
            except NotImplementedError as gap:
                # 501 and not a code of AWS's: a gap in the emulator must never look like an answer of AWS.
                print(f"emulator: {call.service}.{call.operation}: {gap}", file=sys.stderr)
                return error_answer(call, AwsError("EmulatorLacksOperation", str(gap), 501))
            except Exception as error:
                if call.model is None:
                    # Unsigned, and nobody's operation as far as it can be told: moto takes it for S3's.
                    gap = f"no API model has an operation for this request, and moto fails: {error!r}"
                    print(f"emulator: {gap}", file=sys.stderr)
                    return error_answer(call, AwsError("EmulatorLacksOperation", gap, 501))
                traceback.print_exc(file=sys.stderr)
                return error_answer(call, AwsError("InternalFailure", "The emulator failed; see its log.", 500))

    def _refused(self, call: Call, access: Access) -> list[tuple[Any, AwsError]]:
        """Raises AccessDenied for what the caller may not do; where each entry is judged by itself, says which fail."""

        def judge(one: Call) -> None:
            denials.judge(one)
            access.judge(one)

        if partial.is_judged_by_entry(call):
            return partial.one_by_one(call, lambda _, item: judge(partial.alone(call, item)))
        judge(call)
        return []

    def _forward(self, call: Call) -> Answer:
        """moto's own answer."""
        environ = call.environ | {
            "wsgi.input": io.BytesIO(call.body),
            "CONTENT_LENGTH": str(len(call.body)),
            "HTTP_X_MOTO_ACCOUNT_ID": call.owner or call.account,
        }
        # moto would take the region from the user agent before it looks at the signature; it knows no CBOR.
        for name in ("HTTP_USER_AGENT", "HTTP_SMITHY_PROTOCOL"):
            environ.pop(name, None)
        try:
            answer = self._moto.answer(environ)
        except ModuleNotFoundError as gone:
            raise NotImplementedError(f"moto has it with the package {gone.name} only") from gone
        if answer.status in (404, 405) and answer.body[:9].lower() == b"<!doctype":
            raise NotImplementedError("moto has no such route")
        if answer.status >= 400 and answer.body[:1] == b"{" and call.protocol not in ("json", "rest-json"):
            # Some of moto's errors are JSON for every service.
            told = json.loads(answer.body)
            raise AwsError(told["__type"], told.get("message", ""), answer.status)
        return shapes.without_nulls(call, answer)
