"""Pages of lists, with tokens that tell nothing and are good for their own operation and filters alone."""

import base64
import hashlib
import json
from typing import Any

from emulator.answers import AwsError
from emulator.shapes import refused
from emulator.shelf.model import INVALID, declared, member
from emulator.wire import Call

TOKENS = ("NextToken", "nextToken", "Marker", "PaginationToken")
LIMITS = (
    "MaxResults",
    "maxResults",
    "MaxRecords",
    "Limit",
    "limit",
    "MaxItems",
    "PageSize",
    "pageSize",
    "ResourcesPerPage",
)
MOST = 100


def page(call: Call, found: list[Any], usual: int = MOST) -> tuple[list[Any], dict[str, str]]:
    """The rows of the page that the call asks for, and the output's members that tell of the next one.

    A page has the `usual` number of rows when the call names none.
    """
    token, limit = member(call, TOKENS), member(call, LIMITS)
    back = member(call, (*TOKENS, "NextMarker"), "output")
    if token is None or back is None:
        return found, {}
    asked = {name: value for name, value in call.params.items() if name not in (token, limit)}
    mark = hashlib.sha256(json.dumps([call.account, call.region, call.operation, asked], default=str).encode())
    start = _start(call, call.params.get(token), mark.hexdigest()[:12])
    size = call.params.get(limit) if limit else None
    if not size:
        shape = call.model.input_shape.members[limit].metadata if limit else {}
        size = min(shape.get("max", usual), usual)
    rest = start + size < len(found)
    text = base64.urlsafe_b64encode(f"{mark.hexdigest()[:12]}:{start + size}".encode()).decode()
    told = {"IsTruncated": rest} if member(call, ["IsTruncated"], "output") else {}
    return found[start : start + size], told | ({back: text} if rest else {})


def _start(call: Call, token: str | None, mark: str) -> int:
    if not token:
        return 0
    try:
        made, _, start = base64.urlsafe_b64decode(token).decode().partition(":")
        if made == mark:
            return int(start)
    except ValueError:
        pass
    raise wrong_token(call)


def wrong_token(call: Call) -> AwsError:
    """The error for a token that no page gave: the operation's own, as far as its API model has one."""
    text = "The token is not valid."
    if call.service == "ec2":
        return AwsError("InvalidNextToken", text)
    if call.service == "s3":
        return AwsError("InvalidArgument", "The continuation token provided is incorrect", 400)
    code = declared(call, "NextToken", "PaginationToken", "Marker", *INVALID)
    return AwsError(code, text) if code else refused(call, text)
