"""What an emulated operation answers with: a response, an error in the service's wire format, or no answer at all."""

import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape


@dataclass
class Answer:
    """A complete HTTP response."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def error_code(self) -> str | None:
        """The AWS error code in the body, for a status that means failure."""
        if self.status < 400:
            return None
        for name, value in self.headers:
            if name.lower() == "x-amzn-errortype":
                return value.split(":")[0].split("#")[-1]
        text = self.body.decode("utf-8", "replace")
        found = re.search(r"<Code>([^<]*)</Code>", text)
        if found:
            return found.group(1)
        try:
            return json.loads(text)["__type"].split("#")[-1]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None


class DropConnection(Exception):
    """The connection is closed without an answer."""


class HangConnection(Exception):
    """The connection stays open and silent until the client gives up."""


class AwsError(Exception):
    """An error that an operation answers with; without `status` the API model's own HTTP status is used, or 400."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int | None = None,
        headers: dict[str, str] | None = None,
        more: dict[str, str] | None = None,
    ):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.headers = headers or {}
        # Further members that the API model gives to the error, such as `Reason`; on the JSON protocols.
        self.more = more or {}


def error_answer(call: Any, error: AwsError) -> Answer:
    """The error as the protocol of the call's service writes it."""
    service, protocol = call.service, call.protocol
    status = error.status or modelled_status(call, error.code)
    request_id = str(uuid.uuid4())
    headers = [("x-amzn-RequestId", request_id), *error.headers.items()]
    code, message = escape(error.code), escape(error.message)
    if protocol in ("json", "rest-json"):
        name = compatible_name(call, error.code)
        if name != error.code:
            headers.append(("x-amzn-query-error", f"{error.code};{'Sender' if status < 500 else 'Receiver'}"))
        text = json.dumps({"__type": name, "message": error.message} | error.more)
        headers.append(("Content-Type", "application/x-amz-json-1.1" if protocol == "json" else "application/json"))
        headers.append(("x-amzn-ErrorType", name))
    elif protocol == "ec2":
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<Response><Errors><Error>'
            f"<Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
        headers.append(("Content-Type", "text/xml;charset=UTF-8"))
    elif protocol == "query":
        fault = "Sender" if status < 500 else "Receiver"
        text = (
            f"<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            f"<RequestId>{request_id}</RequestId></ErrorResponse>"
        )
        headers.append(("Content-Type", "text/xml"))
    else:
        inner = f"<Code>{code}</Code><Message>{message}</Message>"
        ids = f"<RequestId>{request_id}</RequestId><HostId>evenkeel-emulator</HostId>"
        # S3 alone writes its errors without the wrapper that the rest-xml protocol asks for.
        text = (
            f"<Error>{inner}{ids}</Error>"
            if service == "s3"
            else (f"<ErrorResponse><Error>{inner}</Error>{ids}</ErrorResponse>")
        )
        text = '<?xml version="1.0" encoding="UTF-8"?>\n' + text
        headers.append(("Content-Type", "application/xml"))
    return Answer(status, headers, b"" if call.method == "HEAD" else text.encode())


def compatible_name(call: Any, code: str) -> str:
    """The exception's name, where a service that spoke the query protocol once had another code for it (SQS)."""
    service = call.model.service_model if call.model else None
    if service is None or "awsQueryCompatible" not in service.metadata:
        return code
    shapes = [*call.model.error_shapes, *service.error_shapes]
    return next((shape.name for shape in shapes if shape.error_code == code), code)


def modelled_status(call: Any, code: str) -> int:
    """The HTTP status that the API model gives to the error code; 400 for a code that it does not know."""
    for shape in call.model.service_model.error_shapes if call.model else []:
        if code in (shape.error_code, shape.name):
            return shape.metadata.get("error", {}).get("httpStatusCode", 400)
    return {"AccessDenied": 403, "UnauthorizedOperation": 403, "ServiceUnavailable": 503}.get(code, 400)
