"""Operations that moto lacks or gets wrong, one file per service.

A file registers its handlers with `@handles(service, operation)`. A handler gets the recognised call and `forward`,
which asks moto. It returns the output as a dict by the API model's names (checked against the model, then put on the
wire), or a finished Answer, or None to let moto answer. It raises AwsError for an error answer.
"""

import importlib
import pkgutil
from collections.abc import Callable
from typing import Any

from botocore.parsers import create_parser

from emulator.answers import Answer, AwsError
from emulator.wire import Call

Forward = Callable[[], Answer]
Handler = Callable[[Call, Forward], dict[str, Any] | Answer | None]

_HANDLERS: dict[tuple[str, str], Handler] = {}
_GUARDS: dict[str, list[Callable[[Call], None]]] = {}
_REFUSALS: dict[tuple[str, str], list[Callable[[Call], None]]] = {}


def handles(service: str, *operations: str) -> Callable[[Handler], Handler]:
    """Registers the handler for the operations."""

    def register(handler: Handler) -> Handler:
        for operation in operations:
            if (service, operation) in _HANDLERS:
                raise RuntimeError(f"two handlers for {service}.{operation}")
            _HANDLERS[(service, operation)] = handler
        return handler

    return register


def guards(service: str) -> Callable[[Callable[[Call], None]], Callable[[Call], None]]:
    """Registers a check that runs before every call of the service; of all services when it is `*`."""

    def register(check: Callable[[Call], None]) -> Callable[[Call], None]:
        _GUARDS.setdefault(service, []).append(check)
        return check

    return register


def refuses(service: str, *operations: str) -> Callable[[Callable[[Call], None]], Callable[[Call], None]]:
    """Registers a check that runs before these operations, whoever answers them."""

    def register(check: Callable[[Call], None]) -> Callable[[Call], None]:
        for operation in operations:
            _REFUSALS.setdefault((service, operation), []).append(check)
        return check

    return register


def guard(call: Call) -> None:
    """Runs the checks of the call's service and operation; raises AwsError when one refuses."""
    service = call.service or ""
    for check in (*_GUARDS.get("*", ()), *_GUARDS.get(service, ()), *_REFUSALS.get((service, call.operation or ""), ())):
        check(call)


def handler_for(call: Call) -> Handler | None:
    return _HANDLERS.get((call.service or "", call.operation or ""))


def handled() -> list[tuple[str, str]]:
    """All (service, operation) pairs that a file here answers or adjusts."""
    return sorted(_HANDLERS)


def from_moto(call: Call, forward: Forward) -> dict[str, Any]:
    """moto's answer as a dict by the API model's names; raises AwsError when moto answers with an error."""
    answer = forward()
    parsed = create_parser(call.protocol).parse(
        {"status_code": answer.status, "headers": dict(answer.headers), "body": answer.body},
        call.model.output_shape,
    )
    if answer.status >= 300:
        error = parsed.get("Error", {})
        raise AwsError(error.get("Code", "Unknown"), error.get("Message") or "", answer.status)
    parsed.pop("ResponseMetadata", None)
    return parsed


for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
