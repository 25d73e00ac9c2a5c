"""Calls from inside the emulator: the same path as a request from the wire, without a socket, the log and faults."""

from typing import Any
from urllib.parse import urlencode

from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from moto.core.utils import get_service_model
from werkzeug.test import EnvironBuilder

from emulator.answers import AwsError
from emulator.wire import protocol_of, recognise


class Inside:
    """One account, as its owner sees it."""

    def __init__(self, emulator: Any, account: str) -> None:
        self._emulator = emulator
        self.account = account

    def call(self, service: str, operation: str, region: str = "us-east-1", **params: Any) -> dict[str, Any]:
        """The operation's output; raises AwsError when the operation fails."""
        model = get_service_model(service).operation_model(operation)
        environ, body = environ_of(model, params, f"AKIA{self.account}MESS", region)
        answer = self._emulator.execute(recognise(environ, body, self._emulator.accounts))
        parsed = create_parser(protocol_of(service)).parse(
            {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, model.output_shape
        )
        if answer.status >= 300:
            error = parsed.get("Error", {})
            raise AwsError(
                error.get("Code", "Unknown"), f"{service}.{operation}: {error.get('Message')}", answer.status
            )
        return parsed


def environ_of(
    model: Any, params: dict[str, Any], access_key: str, region: str, virtual_host: bool = False
) -> tuple[dict[str, Any], bytes]:
    """The WSGI environment and body of a request for the operation; with `virtual_host` S3's bucket is in the host."""
    service = model.service_model
    serializer = create_serializer(protocol_of(service.service_name), include_validation=False)
    made = serializer.serialize_to_request(params, model)
    path, _, text = made["url_path"].partition("?")
    host, bucket = "127.0.0.1", params.get("Bucket")
    if virtual_host and bucket and path.startswith(f"/{bucket}"):
        host, path = f"{bucket}.{host}", path.removeprefix(f"/{bucket}") or "/"
    more = urlencode(made["query_string"], doseq=True) if made["query_string"] else ""
    body = made["body"]
    if isinstance(body, dict):
        body = urlencode(body)
    body = body.encode() if isinstance(body, str) else bytes(body or b"")
    credential = f"{access_key}/20260101/{region}/{service.signing_name}/aws4_request"
    headers = dict(made["headers"]) | {
        "Host": host,
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
    }
    environ = EnvironBuilder(
        path=path,
        method=made["method"],
        query_string="&".join(part for part in (text, more) if part),
        headers=headers,
        base_url=f"http://{host}",
        data=body,
    ).get_environ()
    return environ, body
