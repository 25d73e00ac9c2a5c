"""The protocol rpc-v2-cbor, which aws-sdk-cloudwatch alone speaks: a request becomes JSON 1.0, the answer CBOR again.

In between, moto, the fill-ins, the faults and the log see the JSON that they know.
"""

import base64
import datetime
import gzip
import json
import re
import zlib
from types import SimpleNamespace
from typing import Any

from botocore.parsers import RpcV2CBORParser, create_parser
from botocore.serialize import RpcV2CBORSerializer

from emulator.answers import Answer, AwsError

PATH = re.compile(r"/service/(?P<target>[^/]+)/operation/(?P<operation>[^/]+)$")
_TEXT = SimpleNamespace(type_name="string", serialization={})
_TEXTS = SimpleNamespace(type_name="map", key=_TEXT, value=_TEXT)


def speaks(environ: dict[str, Any]) -> bool:
    return environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor"


def as_json(environ: dict[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
    """The environment and body of the JSON request that says the same; the header `smithy-protocol` stays."""
    path = PATH.search(environ["PATH_INFO"])
    if not path:
        return environ, body
    parser = RpcV2CBORParser()
    try:
        body = unzipped(environ, body) if environ.get("HTTP_CONTENT_ENCODING") == "gzip" else body
        value = parser.parse_data_item(parser.get_peekable_stream_from_bytes(body)) if body else {}
        text = json.dumps(value, default=_plain).encode()
    except Exception:
        # No JSON either, so that it is refused as such.
        text = b"not CBOR"
    return environ | {
        "PATH_INFO": "/",
        "REQUEST_URI": "/",
        "RAW_URI": "/",
        "HTTP_X_AMZ_TARGET": f"{path['target']}.{path['operation']}",
        "CONTENT_TYPE": "application/x-amz-json-1.0",
        "CONTENT_LENGTH": str(len(text)),
    }, text


def unzipped(environ: dict[str, Any], body: bytes) -> bytes:
    """The body as it was before the client compressed it."""
    try:
        plain = gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return body
    environ.pop("HTTP_CONTENT_ENCODING")
    environ["CONTENT_LENGTH"] = str(len(plain))
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.datetime):
        return value.timestamp()
    return base64.b64encode(value).decode()


def answer(call: Any, made: Answer) -> Answer:
    """The JSON answer in CBOR."""
    out = bytearray()
    headers = [(name, value) for name, value in made.headers if name.lower().startswith("x-amzn-requestid")]
    headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    if made.status >= 300:
        error = _error(made)
        shape = _shape_of(call, error.code)
        name = shape.name if shape else error.code
        RpcV2CBORSerializer()._serialize_type_map(out, {"__type": name, "message": error.message}, _TEXTS, None)
        if call.environ.get("HTTP_X_AMZN_QUERY_MODE"):
            side = "Sender" if made.status < 500 else "Receiver"
            headers.append(("x-amzn-query-error", f"{shape.error_code if shape else error.code};{side}"))
    elif call.model.output_shape is None:
        out += b"\xa0"
    else:
        response = {"status_code": made.status, "headers": {}, "body": made.body}
        parsed = create_parser("json").parse(response, call.model.output_shape)
        parsed.pop("ResponseMetadata", None)
        RpcV2CBORSerializer()._serialize_data_item(out, parsed, call.model.output_shape)
    return Answer(made.status, headers, bytes(out))


def _error(made: Answer) -> AwsError:
    try:
        body = json.loads(made.body)
    except ValueError:
        body = {}
    return AwsError(made.error_code() or "InternalFailure", str(body.get("message") or body.get("Message") or ""))


def _shape_of(call: Any, code: str) -> Any:
    """The modelled error: by its name, or by the code that it has in the older protocols."""
    shapes = call.model.service_model.error_shapes if call.model else []
    found = [shape for shape in shapes if shape.name == code] or [s for s in shapes if s.error_code == code]
    return found[0] if found else None
