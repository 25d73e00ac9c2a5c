"""Lists that moto answers in one piece, cut into pages as botocore's paginators have them.

moto pages some lists by itself, and the shelf all of its own: what has a token already is left alone.
"""

import base64
import dataclasses
import functools
from typing import Any

from botocore.loaders import create_loader
from botocore.parsers import create_parser

from emulator.answers import Answer
from emulator.inside import environ_of
from emulator.shelf.pages import LIMITS, TOKENS
from emulator.wire import AccountKeys, Call, recognise

OURS = "cut:"
# How long a page is when the call does not say it, where it is known.
USUAL = {"iam": 100}
NAMES = (*LIMITS, *TOKENS)


@dataclasses.dataclass
class Pages:
    """Where an operation has its token, its limit and its list."""

    token: str
    back: str
    limit: str | None
    rows: str
    more: str | None


@functools.cache
def _all(service: str) -> dict[str, Pages]:
    try:
        told = create_loader().load_service_model(service, "paginators-1")["pagination"]
    except Exception:
        return {}
    found = {}
    for operation, said in told.items():
        names = (said.get("input_token"), said.get("output_token"), said["result_key"])
        if all(isinstance(name, str) and name.isalnum() for name in names):
            found[operation] = Pages(*names[:2], said.get("limit_key"), names[2], said.get("more_results"))
    return found


def _pages(call: Call) -> Pages | None:
    if call.service not in USUAL and not any(name in call.params for name in NAMES):
        return None
    return _all(str(call.service)).get(str(call.operation))


def whole(call: Call, accounts: AccountKeys) -> Call:
    """The call for the whole list, when it asks for a later page of one that was cut here."""
    pages = _pages(call)
    if pages is None or _start(call, pages) == 0:
        return call
    params = {name: value for name, value in call.params.items() if name not in (pages.token, pages.limit)}
    environ, body = environ_of(call.model, params, call.access_key or "", call.region)
    return recognise(environ, body, accounts)


def cut(call: Call, result: dict[str, Any] | Answer) -> dict[str, Any] | Answer:
    """The page that the call asks for, of an answer that has all."""
    pages = _pages(call)
    if pages is None:
        return result
    size, start = call.params.get(pages.limit or "") or USUAL.get(str(call.service)), _start(call, pages)
    if not size or (isinstance(result, Answer) and (result.status >= 300 or _few(call, result, size))):
        return result
    output = result if isinstance(result, dict) else _parsed(call, result)
    rows = output.get(pages.rows)
    if not isinstance(rows, list) or output.get(pages.back) or len(rows) <= size:
        return result
    output = output | {pages.rows: rows[start : start + size]}
    rest = start + size < len(rows)
    if rest:
        output[pages.back] = base64.urlsafe_b64encode(f"{OURS}{call.operation}:{start + size}".encode()).decode()
    if pages.more:
        output[pages.more] = rest
    return output


def _few(call: Call, answer: Answer, size: int) -> bool:
    """Whether the answer of a query service is too short for a second page, without reading it."""
    return call.protocol == "query" and answer.body.count(b"<member>") <= size


def _parsed(call: Call, answer: Answer) -> dict[str, Any]:
    parsed = create_parser(call.protocol).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, call.model.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    return parsed


def _start(call: Call, pages: Pages) -> int:
    token = call.params.get(pages.token)
    try:
        name, operation, start = base64.urlsafe_b64decode(token or "").decode().split(":")
        return int(start) if (f"{name}:", operation) == (OURS, call.operation) else 0
    except ValueError:
        return 0
