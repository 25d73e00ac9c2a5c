"""Tokens of pages, of all services in one place; and lists that moto answers in one piece, cut into pages.

A token is good when a page of the same operation gave it in the same account and Region, whoever makes the pages: moto
some, the shelf its own, this file what is left, as botocore's paginators have them. Pages that are cut here go on
behind the rows that were told, so that none is told twice or left out when others vanish in between.
"""

import dataclasses
import functools
import html
import json
import re
import uuid
from typing import Any

from botocore.loaders import create_loader
from botocore.parsers import create_parser

from emulator.answers import Answer
from emulator.inside import environ_of
from emulator.shelf.pages import LIMITS, wrong_token
from emulator.shelf.pages import TOKENS as USUAL_TOKENS
from emulator.wire import AccountKeys, Call, recognise

TOKENS = (*USUAL_TOKENS, "ContinuationToken", "NextMarker")
# Where `Marker` is a key or an id, which anybody may name.
FREE_MARKERS = {"s3", "cloudfront"}
# Operations whose reference asks for the same parameters on each page.
SAME_PARAMETERS = {("cloudtrail", "LookupEvents")}
# How long a page is when the call does not say it, where it is known.
USUAL = {"iam": 100}
NAMES = (*LIMITS, *TOKENS)
MOST_TOKENS = 50_000


@dataclasses.dataclass
class Pages:
    """Where an operation has its token, its limit and its list."""

    token: str
    back: str
    limit: str | None
    rows: str
    more: str | None


@dataclasses.dataclass
class Given:
    """A token that a page gave: for which parameters, and the rows so far when the page was cut here."""

    asked: str
    told: list[Any] | None = None


_GIVEN: dict[tuple[str, ...], Given] = {}


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


def check(call: Call) -> None:
    """Refuses a token that no page gave."""
    names = _members(call)
    token = call.params.get(names[0]) if names else None
    if not token:
        return
    given = _GIVEN.get(_place(call, str(token)))
    if given is None or (_same(call) and given.asked != _asked(call)):
        raise wrong_token(call)


def whole(call: Call, accounts: AccountKeys) -> Call:
    """The call for the whole list, when it asks for a later page of one that was cut here."""
    pages = _pages(call)
    if pages is None or _told(call, pages) is None:
        return call
    params = {name: value for name, value in call.params.items() if name not in (pages.token, pages.limit)}
    environ, body = environ_of(call.model, params, call.access_key or "", call.region)
    return recognise(environ, body, accounts)


def page(call: Call, result: dict[str, Any] | Answer) -> dict[str, Any] | Answer:
    """The page that the call asks for, whose token is good from now on."""
    result = _cut(call, result)
    names = _members(call)
    if names:
        token = _token_in(call, result, names[1])
        if token:
            _GIVEN.setdefault(_place(call, token), Given(_asked(call)))
            if len(_GIVEN) > MOST_TOKENS:
                del _GIVEN[next(iter(_GIVEN))]
    return result


def _cut(call: Call, result: dict[str, Any] | Answer) -> dict[str, Any] | Answer:
    """The page, of an answer that has all rows."""
    pages = _pages(call)
    if pages is None:
        return result
    size, told = call.params.get(pages.limit or "") or USUAL.get(str(call.service)), _told(call, pages)
    if told is None and (not size or (isinstance(result, Answer) and _few(call, result, size))):
        return result
    if isinstance(result, Answer) and result.status >= 300:
        return result
    output = result if isinstance(result, dict) else _parsed(call, result)
    rows = output.get(pages.rows)
    if not isinstance(rows, list) or output.get(pages.back) or (told is None and len(rows) <= size):
        return result
    known = [_identity(row) for row in rows]
    start = 1 + max((index for index, one in enumerate(known) if one in (told or [])), default=-1)
    end = start + (size or len(rows))
    output = output | {pages.rows: rows[start:end]}
    if end < len(rows):
        output[pages.back] = uuid.uuid4().hex
        _GIVEN[_place(call, output[pages.back])] = Given(_asked(call), [*(told or []), *known[start:end]])
    if pages.more:
        output[pages.more] = end < len(rows)
    return output


def _identity(row: Any) -> Any:
    """What tells a row from the others, also when it is changed."""
    if not isinstance(row, dict):
        return row
    texts = [(name, value) for name, value in row.items() if isinstance(value, str)]
    return [one for one in texts if re.search(r"(Id|A[Rr][Nn]|Name)$", one[0])] or row


def _few(call: Call, answer: Answer, size: int) -> bool:
    """Whether the answer of a query service is too short for a second page, without reading it."""
    return call.protocol == "query" and answer.body.count(b"<member>") <= size


def _parsed(call: Call, answer: Answer) -> dict[str, Any]:
    parsed = create_parser(call.protocol).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, call.model.output_shape
    )
    parsed.pop("ResponseMetadata", None)
    return parsed


def _told(call: Call, pages: Pages) -> list[Any] | None:
    given = _GIVEN.get(_place(call, str(call.params.get(pages.token))))
    return given.told if given else None


def _place(call: Call, token: str) -> tuple[str, ...]:
    return call.account, call.region, str(call.service), str(call.operation), token


def _same(call: Call) -> bool:
    return (call.service, call.operation) in SAME_PARAMETERS


def _asked(call: Call) -> str:
    if not _same(call):
        return ""
    return json.dumps({name: value for name, value in call.params.items() if name not in NAMES}, default=str)


def _members(call: Call) -> tuple[str, str] | None:
    """The members that have the token, of the input and of the output."""
    if call.model is None or call.model.input_shape is None or call.model.output_shape is None:
        return None
    kept: dict[str, Any] = call.model.__dict__
    if "_pages" not in kept:
        asked, answered = call.model.input_shape.members, call.model.output_shape.members
        names = [name for name in TOKENS if name != "Marker" or call.service not in FREE_MARKERS]
        token = next((name for name in names if name in asked), None)
        backs = (f"Next{token}", token, *TOKENS)
        back = next((name for name in backs if name in answered), None)
        kept["_pages"] = (token, back) if token and back else None
    return kept["_pages"]


def _token_in(call: Call, result: dict[str, Any] | Answer, back: str) -> str | None:
    """The token that an answer gives."""
    if isinstance(result, dict):
        return result.get(back)
    name = call.model.output_shape.members[back].serialization.get("name", back)
    if result.status >= 300 or name.encode() not in result.body:
        return None
    if call.protocol in ("json", "rest-json"):
        return json.loads(result.body).get(name)
    found = re.search(rf"<{name}>([^<]+)</{name}>", result.body.decode())
    return html.unescape(found[1]) if found else None
