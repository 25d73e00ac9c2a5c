"""What the shelf asks the API model: which members fit an output, which error an operation has for a wrong input."""

from collections.abc import Iterable
from typing import Any

from emulator.answers import AwsError
from emulator.wire import Call

INVALID = (
    "ValidationException",
    "BadRequestException",
    "InvalidInputException",
    "InvalidParameterValueException",
    "InvalidParameterException",
    "InvalidRequestException",
)


def fit(value: Any, shape: Any) -> Any:
    """The value without what the shape does not have."""
    if shape is None:
        return {}
    if shape.type_name == "structure" and isinstance(value, dict):
        return {name: fit(value[name], part) for name, part in shape.members.items() if value.get(name) is not None}
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        return [fit(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: fit(item, shape.value) for name, item in value.items()}
    return value


def output(call: Call, value: dict[str, Any], under: str | None = None) -> dict[str, Any]:
    """The operation's output that says the value, as a whole or in its member `under`."""
    return fit({under: value} | value if under else value, call.model.output_shape)


def member(call: Call, names: Iterable[str | None], shape: str = "input") -> str | None:
    """The first of the names that the operation's input (or output) has."""
    of = call.model.input_shape if shape == "input" else call.model.output_shape
    return next((name for name in names if of is not None and name in of.members), None)


def declared(call: Call, *words: str) -> str | None:
    """The code of the operation's first error whose name holds one of the words."""
    codes = [(shape.name, shape.error_code or shape.name) for shape in call.model.error_shapes]
    return next((code for word in words for name, code in codes if word in name), None)


def invalid(call: Call, message: str) -> AwsError:
    """The error that the operation has for an input that makes no sense."""
    if call.service == "ec2":
        return AwsError("InvalidParameterValue", message)
    return AwsError(declared(call, *INVALID) or "ValidationException", message)
