"""Whether a value is surely what a shape of an API model allows; in doubt the slow and talkative check decides."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.utils import is_json_value_header

#: What the shape of a member asks for, worked out at its first value and kept at the shape.
Check = Callable[[Any], bool]


def is_surely_valid(value: Any, shape: Any, pattern_of: Callable[[str], Any] | None) -> bool:
    """No is no verdict; `pattern_of` makes what matches a pattern, and without it patterns do not count."""
    return _check_of(shape, pattern_of)(value)


def _check_of(shape: Any, pattern_of: Callable[[str], Any] | None) -> Check:
    kept: dict[bool, Check] = shape.__dict__.setdefault("_quick_checks", {})
    check = kept.get(pattern_of is not None)
    if check is None:
        make = _MAKERS.get(shape.type_name)
        check = _never if make is None or is_json_value_header(shape) else make(shape, pattern_of)
        kept[pattern_of is not None] = check
    return check


def _never(_: Any) -> bool:
    return False


def _structure(shape: Any, pattern_of: Any) -> Check:
    if shape.is_tagged_union or shape.is_document_type:
        return _never
    members, required = shape.members, tuple(shape.metadata.get("required", ()))
    checks: dict[str, Check] = {}

    def check(value: Any) -> bool:
        if not isinstance(value, dict):
            return False
        for name in required:
            if name not in value:
                return False
        for name, item in value.items():
            one = checks.get(name)
            if one is None:
                if name not in members:
                    return False
                one = checks[name] = _check_of(members[name], pattern_of)
            if not one(item):
                return False
        return True

    return check


def _list(shape: Any, pattern_of: Any) -> Check:
    low, high = _bounds(shape)

    def check(value: Any) -> bool:
        if not isinstance(value, list) or not low <= len(value) <= high:
            return False
        one = _check_of(shape.member, pattern_of)
        return all([one(item) for item in value])

    return check


def _map(shape: Any, pattern_of: Any) -> Check:
    low, high = _bounds(shape)

    def check(value: Any) -> bool:
        if not isinstance(value, dict) or not low <= len(value) <= high:
            return False
        of_key, of_value = _check_of(shape.key, pattern_of), _check_of(shape.value, pattern_of)
        return all([of_key(key) and of_value(item) for key, item in value.items()])

    return check


def _string(shape: Any, pattern_of: Any) -> Check:
    low, high = _bounds(shape)
    words = frozenset(getattr(shape, "enum", None) or ())
    pattern = shape.metadata.get("pattern") if pattern_of else None
    matches = pattern_of(pattern) if pattern else None

    def check(value: Any) -> bool:
        return (
            isinstance(value, str)
            and low <= len(value) <= high
            and (not words or value in words)
            and (matches is None or matches(value) is not None)
        )

    return check


def _number(kinds: tuple[type, ...]) -> Callable[[Any, Any], Check]:
    def make(shape: Any, _: Any) -> Check:
        low, high = _bounds(shape)
        return lambda value: isinstance(value, kinds) and low <= value <= high

    return make


def _bounds(shape: Any) -> tuple[float, float]:
    low = shape.metadata.get("min", 1 if shape.serialization.get("hostLabel") else float("-inf"))
    return low, shape.metadata.get("max", float("inf"))


def _of_type(*kinds: type) -> Callable[[Any, Any], Check]:
    return lambda *_: lambda value: isinstance(value, kinds)


_MAKERS: dict[str, Callable[[Any, Any], Check]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _number((int,)),
    "long": _number((int,)),
    "float": _number((int, float)),
    "double": _number((int, float)),
    "boolean": _of_type(bool),
    "blob": _of_type(bytes, bytearray),
    "timestamp": _of_type(datetime),
}
