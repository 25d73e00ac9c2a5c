"""One service asks another in the caller's name, as AWS's own do: with the caller's key, permissions and Region."""

from collections.abc import Callable
from typing import Any

from botocore.parsers import create_parser
from moto.core.utils import get_service_model

from emulator.answers import Answer, AwsError
from emulator.inside import environ_of
from emulator.wire import AccountKeys, Call, protocol_of, recognise

Execute = Callable[[Call], Answer]
_SERVING: list[tuple[Execute, AccountKeys]] = []


def serve(execute: Execute, accounts: AccountKeys) -> None:
    """From now on this is who answers."""
    _SERVING[:] = [(execute, accounts)]


def ask(call: Call, service: str, operation: str, **params: Any) -> dict[str, Any]:
    """The operation's output; raises the AwsError that it fails with. A gap of the emulator stays a gap."""
    execute, accounts = _SERVING[0]
    model = get_service_model(service).operation_model(operation)
    environ, body = environ_of(model, params, call.access_key or f"AKIA{call.account}SELF", call.region)
    answer = execute(recognise(environ, body, accounts))
    if answer.status == 501:
        raise NotImplementedError(f"{service}.{operation}, which it asks")
    parsed = create_parser(protocol_of(service)).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body}, model.output_shape
    )
    if answer.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code", "Unknown"), error.get("Message", ""), answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed
