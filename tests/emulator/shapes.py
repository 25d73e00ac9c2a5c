"""Strict about API models: a fill-in whose answer has a wrong shape fails, and so does a request that AWS would refuse.

botocore checks types, required members and minimums of what a client sends; this adds maximums, lengths, enums and patterns,
and does the same for answers, but for patterns.
"""

import functools
import re
from collections.abc import Callable
from typing import Any

import orjson
from botocore.validate import ParamValidator
from moto.core.serialize import get_serializer_class

from emulator.answers import Answer, AwsError
from emulator.quick.checks import is_surely_valid
from emulator.wire import Call


class WrongShape(Exception):
    """A fill-in answered with something that the API model does not allow: a bug in the fill-in."""


def serialise(call: Call, result: dict[str, Any]) -> Answer:
    """The answer to the call in its wire format, after a check against the operation's output shape."""
    shape = call.model.output_shape
    if shape is not None:
        # AWS itself answers with less than its models' minimal lengths, such as the root user's id of 12 digits.
        problems = [text for text in violations(result, shape) if "min length" not in text and "at least" not in text]
        if problems:
            raise WrongShape(f"{call.service}.{call.operation}: {'; '.join(problems)}")
    elif result:
        raise WrongShape(f"{call.service}.{call.operation} has no output, but got {sorted(result)}")
    serializer = get_serializer_class(call.service, call.protocol)(operation_model=call.model)
    made = serializer.serialize(result)
    body = made["body"]
    return Answer(
        made["status_code"],
        [(name, str(value)) for name, value in made["headers"].items()],
        body if isinstance(body, bytes) else body.encode(),
    )


def without_nulls(call: Call, answer: Answer) -> Answer:
    """The answer of moto's without what it says to have no value, of which AWS says nothing."""
    shape = call.model.output_shape if call.model else None
    if call.protocol not in ("json", "rest-json") or answer.status >= 300 or b"null" not in answer.body:
        return answer
    if shape is None or "payload" in shape.serialization:
        return answer
    body = orjson.dumps(_told(orjson.loads(answer.body), shape))
    headers = [pair for pair in answer.headers if pair[0].lower() != "content-length"]
    return Answer(answer.status, headers, body)


def _told(value: Any, shape: Any) -> Any:
    if shape.type_name == "structure" and isinstance(value, dict) and not shape.is_document_type:
        members = {one.serialization.get("name", name): one for name, one in shape.members.items()}
        kept = {name: item for name, item in value.items() if item is not None}
        return {name: _told(item, members[name]) if name in members else item for name, item in kept.items()}
    if shape.type_name == "list" and isinstance(value, list):
        return [_told(item, shape.member) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {name: _told(item, shape.value) for name, item in value.items()}
    return value


# The code for what the API model does not allow, where a service has one of its own.
INVALID = {
    "cloudwatch": "ValidationError",
    "ecr": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "organizations": "InvalidInputException",
    "s3control": "InvalidRequest",
    "sqs": "InvalidParameterValue",
}
# Services that call it `MissingParameter` when something is not sent.
NAME_WHAT_IS_MISSING = ("ec2", "sqs")
# Members whose values have an error of their own, by service and what the problem tells of.
OF_MEMBERS = {
    ("s3", "LocationConstraint"): ("InvalidLocationConstraint", "The specified location-constraint is not valid"),
    ("sqs", "AttributeNames"): ("InvalidAttributeName", "Unknown Attribute."),
}
# Members that also take what a newer member takes, which their own enum in the model does not say.
OLD_NAMES = {("sqs", "ReceiveMessage"): ("AttributeNames", "MessageSystemAttributeNames")}
# What Organizations says of an input besides, by what is wrong with it.
REASONS = {
    "Missing required": "INPUT_REQUIRED",
    "enum value set": "INVALID_ENUM",
    "expression pattern": "INVALID_PATTERN",
    "min value": "MIN_VALUE_EXCEEDED",
    "MaxResults": "MAX_VALUE_EXCEEDED",
    "at most": "MAX_LENGTH_EXCEEDED",
    "min length": "MIN_LENGTH_EXCEEDED",
}


def check_input(call: Call) -> None:
    """Refuses an input that the API model does not allow, as AWS does before it looks at anything else."""
    if call.model is None or call.model.input_shape is None:
        return
    shape = call.model.input_shape
    # The model of S3's control plane has a pattern that its own buckets' ARNs do not meet.
    patterns = call.service not in ("s3", "s3control")
    params = _without_old_names(call, shape)
    problems = [text for text in violations(params, shape, patterns) if "Unknown parameter" not in text]
    if not problems:
        return
    detail = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''} detected: {'; '.join(problems)}"
    for (service, member), (code, message) in OF_MEMBERS.items():
        if call.service == service and member in problems[0]:
            raise AwsError(code, message)
    missing = re.match(r'Missing required parameter in .*"(\w+)"$', problems[0])
    if missing and call.service in NAME_WHAT_IS_MISSING:
        raise AwsError("MissingParameter", f"The request must contain the parameter {missing[1]}.")
    raise refused(call, detail)


def _without_old_names(call: Call, shape: Any) -> dict[str, Any]:
    old, new = OLD_NAMES.get((str(call.service), str(call.operation)), ("", ""))
    if not call.params.get(old):
        return call.params
    taken = shape.members[new].member.enum
    return call.params | {old: [name for name in call.params[old] if name not in taken]}


def refused(call: Call, detail: str) -> AwsError:
    """The error for an input that the API model does not allow."""
    if call.protocol == "query":
        return AwsError("ValidationError", detail)
    if call.service == "s3":
        return AwsError("MalformedXML", f"The XML you provided was not well-formed or did not validate: {detail}")
    if call.protocol == "ec2":
        return AwsError("InvalidParameterValue", detail)
    if call.protocol == "rest-json":
        from emulator.shelf.model import invalid

        return invalid(call, detail)
    reason = next((name for word, name in REASONS.items() if word in detail), None)
    more = {"Reason": reason} if reason and call.service == "organizations" else None
    return AwsError(INVALID.get(str(call.service), "ValidationException"), detail, more=more)


def check_readable(call: Call) -> None:
    """Refuses an input that has other types than the API model, as AWS does before it asks who calls."""
    if call.model is None or (call.params or not call.unreadable):
        return
    detail = str(call.unreadable)
    if call.protocol == "json":
        raise AwsError("SerializationException", detail)
    if call.service == "s3" and not call.body:
        raise AwsError("InvalidArgument", detail)
    raise refused(call, detail)


def violations(value: Any, shape: Any, patterns: bool = False) -> list[str]:
    """Everything about the value that the shape does not allow; patterns count for what a client sends."""
    if is_surely_valid(value, shape, pattern_of if patterns else None):
        return []
    return slow_violations(value, shape, patterns)


def slow_violations(value: Any, shape: Any, patterns: bool) -> list[str]:
    """The same, without a look whether there can be any."""
    report = ParamValidator().validate(value, shape)
    found = report.generate_report().splitlines() if report.has_errors() else []
    _limits(value, shape, shape.name, found, patterns)
    return found


@functools.cache
def pattern_of(text: str) -> Callable[[str], Any] | None:
    """What matches the pattern of an API model; None for the one in twenty that only Java can read."""
    try:
        compiled = re.compile(text, re.ASCII)
    except re.error:
        return None
    return compiled.search if text.startswith("^") or text.endswith("$") else compiled.fullmatch


# The enums that AWS answers in capitals, whatever its model says.
CAPITALS = {"RecorderStatus", "DeliveryStatus"}
# An enum of two codes to which, says its own text, those of all other services come.
OPEN = re.compile(r"\.FailedResourcesMap\..*\.ErrorCode$")


def _limits(value: Any, shape: Any, path: str, found: list[str], patterns: bool) -> None:
    if value is None:
        return
    if shape.type_name == "structure" and isinstance(value, dict):
        for name, member in shape.members.items():
            if name in value:
                _limits(value[name], member, f"{path}.{name}", found, patterns)
    elif shape.type_name == "list" and isinstance(value, list):
        _size(len(value), shape, path, found)
        for index, item in enumerate(value):
            _limits(item, shape.member, f"{path}[{index}]", found, patterns)
    elif shape.type_name == "map" and isinstance(value, dict):
        _size(len(value), shape, path, found)
        for key, item in value.items():
            if patterns:
                _pattern(key, shape.key, f"{path}.{key}", found)
            _limits(item, shape.value, f"{path}.{key}", found, patterns)
    elif shape.type_name == "string" and isinstance(value, str):
        _size(len(value), shape, path, found)
        enum = getattr(shape, "enum", None)
        words = {word.upper() for word in enum or []} if shape.name in CAPITALS else set(enum or [])
        if enum and value not in words and not OPEN.search(path):
            found.append(
                f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy enum value "
                f"set: [{', '.join(enum)}]"
            )
        if patterns:
            _pattern(value, shape, path, found)
    elif shape.type_name in ("integer", "long", "float", "double") and isinstance(value, (int, float)):
        _size(value, shape, path, found)


def _pattern(value: str, shape: Any, path: str, found: list[str]) -> None:
    pattern = shape.metadata.get("pattern")
    if pattern and (matches := pattern_of(pattern)) and not matches(value):
        found.append(
            f"Value '{value}' at '{path}' failed to satisfy constraint: Member must satisfy regular expression "
            f"pattern: {pattern}"
        )


def _size(size: float, shape: Any, path: str, found: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        found.append(
            f"Value at '{path}' failed to satisfy constraint: Member must have a value or length of at least {low}"
        )
    if high is not None and size > high:
        found.append(
            f"Value at '{path}' failed to satisfy constraint: Member must have a value or length of at most {high}"
        )


# The outputs of S3 whose root element has a name of its own in AWS's model, which botocore does not check and so
# does not carry.
ROOTS = {
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketTagging": "Tagging",
    "GetBucketVersioning": "VersioningConfiguration",
    "ListBuckets": "ListAllMyBucketsResult",
}


def name_root(call: Call, answer: Answer) -> Answer:
    """The answer with the root element that AWS gives it."""
    root = ROOTS.get(call.operation or "") if call.service == "s3" and answer.status == 200 else None
    found = re.search(rb"<([A-Za-z]+)([^>]*?)(/?)>", answer.body) if root else None
    if not root or not found or found[1].decode() == root:
        return answer
    name = root.encode()
    body = answer.body[: found.start()] + b"<" + name + found[2] + found[3] + b">" + answer.body[found.end() :]
    if not found[3]:
        head, _, tail = body.rpartition(b"</" + found[1] + b">")
        body = head + b"</" + name + b">" + tail
    headers = [(key, value) for key, value in answer.headers if key.lower() != "content-length"]
    return Answer(answer.status, headers, body)
