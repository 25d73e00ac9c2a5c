"""What AWS refuses of each operation, made from the API models: calls without what they need, with values that are not
allowed, about things that are not there, and of callers who may do nothing.

Which error each is, is not the emulator's word: `CODES` has the services' codes for wrong input, the models declare what
is not found, and `ABSENT` has the operations for which they do not, or of which AWS says something else.
"""

import functools
import json
from collections.abc import Iterator
from typing import Any

from moto.core.utils import get_service_model

from emulator.probe.absent import (
    ABSENT,
    ALLOWED,
    CLIENTS,
    CODES,
    DECLARED,
    DENIED,
    MISSING,
    NAMED,
    NOT_FOUND,
    OF_MEMBER,
    OWN_CODES,
    PREPARED,
    VALUES,
)
from emulator.probe.trial import Trial
from emulator.shapes import pattern_of

# What makes or switches on something comes last, so that nothing is there that others ask for.
MAKING = ("Accept", "Activate", "Associate", "Attach", "Batch", "Copy", "Create", "Enable", "Generate", "Import", "Put")
MAKING += ("Register", "Request", "Run", "Start", "Subscribe", "Update", "Upload")
BUILT = ("Create", "Generate", "Import", "Run", "Start", "Upload")


def of_service(service: str, operations: list[str]) -> Any:
    """A scenario: everything that is refused of these operations."""

    def scenario(t: Trial) -> None:
        for operation, params in PREPARED.get(service, ()):
            t.wrong(operation, None, params)
        made = [one for one in operations if one.startswith(MAKING)]
        for name in [one for one in operations if one not in made] + made:
            for wanted, params in refused(service, name, t.acct):
                t.wrong(f"{service}.{name}", wanted, params)
        t.let(None)
        for name in operations:
            t.wrong(f"{service}.{name}", *denied(service, name, t.acct))
        t.let("*")

    scenario.__name__ = f"refusals of {service}"
    return scenario


def refused(service: str, operation: str, account: str) -> Iterator[tuple[set[str], dict[str, Any]]]:
    """The calls that must fail: the codes of which one is right, and the parameters."""
    model = get_service_model(service).operation_model(operation)
    name, shape = f"{service}.{operation}", model.input_shape
    if shape is None or not shape.members:
        return
    right = minimal(shape, "", service, account)
    named = _with_account(NAMED.get(name, {}), account)
    declared = {one.name for one in model.error_shapes}
    code = DECLARED[service] if DECLARED.get(service) in declared else CODES[service]
    needed = [one for one in shape.required_members if _in_body(one, shape.members[one])]
    if needed:
        yield {MISSING.get(service, code)}, {one: value for one, value in right.items() if one not in needed}
    bad = not_allowed(shape)
    if bad:
        yield {OWN_CODES.get(name, code)}, right | named | bad
    wanted = not_found(service, operation, [*shape.required_members, *named])
    if wanted:
        yield wanted, right | named


def denied(service: str, operation: str, account: str) -> tuple[set[str] | None, dict[str, Any]]:
    """The error of a caller who may do nothing, and a call that is right otherwise."""
    model = get_service_model(service).operation_model(operation)
    name, protocol = f"{service}.{operation}", get_service_model(service).metadata["protocol"]
    right = minimal(model.input_shape, "", service, account) if model.input_shape else {}
    code = next(DENIED[one] for one in (name, service, protocol) if one in DENIED)
    return (None if name in ALLOWED else {code}), right


def not_found(service: str, operation: str, members: list[str]) -> set[str]:
    """The errors of which one says that the thing is not there; none where nothing is asked for."""
    name = f"{service}.{operation}"
    if name in ABSENT:
        return {ABSENT[name]} if ABSENT[name] else set()
    if not members or operation.startswith(BUILT):
        return set()
    declared = get_service_model(service).operation_model(operation).error_shapes
    codes = {one.error_code or one.name for one in declared if any(word in one.name for word in NOT_FOUND)}
    named = [OF_MEMBER[service, one] for one in members if (service, one) in OF_MEMBER]
    return set(named[:1]) or codes


def _in_body(name: str, member: Any) -> bool:
    return name not in CLIENTS and member.serialization.get("location") != "uri"


def _with_account(value: Any, account: str) -> Any:
    return json.loads(json.dumps(value).replace("ACCOUNT", account))


def minimal(shape: Any, name: str, service: str, account: str) -> Any:
    """A value of the shape with what is required alone, about nothing that is there."""
    kind, known = shape.type_name, VALUES.get((service, name)) or VALUES.get(name)
    if known is not None:
        return _with_account(known, account)
    inner = functools.partial(minimal, service=service, account=account)
    if kind == "structure":
        return {one: inner(shape.members[one], one) for one in shape.required_members}
    if kind == "list":
        return [inner(shape.member, name)] * max(1, shape.metadata.get("min") or 1)
    if kind == "map":
        return {inner(shape.key, ""): inner(shape.value, "")}
    if kind == "string":
        return _text(shape, name, service, account)
    number = max(1, int(shape.metadata.get("min") or 1))
    return {"boolean": True, "blob": b"x", "timestamp": "2026-01-01T00:00:00Z"}.get(kind, number)


def _text(shape: Any, name: str, service: str, account: str) -> str:
    if getattr(shape, "enum", None):
        return str(shape.enum[0])
    arn = f"arn:aws:{service}:us-east-1:{account}:thing/absent"
    forms = ["absent", f"absent-{account}", account, "a" * 32, "00000000-0000-0000-0000-000000000000", "us-east-1"]
    forms = [arn, f"arn:aws:iam::{account}:role/absent", *forms] if "arn" in name.lower() else [*forms, arn]
    forms += ["https://example.com/x", "a@example.com", "10.9.0.0/16", "1.0", "12345678"]
    low, high = shape.metadata.get("min") or 0, shape.metadata.get("max") or 10**9
    pattern = shape.metadata.get("pattern")
    matches = (pattern_of(pattern) if pattern else None) or (lambda _: True)
    fitting = [one for one in [*forms, "a" * low] if low <= len(one) <= high and matches(one)]
    if not fitting:
        raise ValueError(f"no text for {name} of {service}: {shape.metadata}")
    return fitting[0]


def not_allowed(shape: Any) -> dict[str, Any] | None:
    """A member with a value that the model does not allow."""
    for name, member in shape.members.items():
        if member.type_name == "list":
            value = _bad(member.member)
            value = None if value is None else [value]
        else:
            value = _bad(member)
        if value is not None and name not in CLIENTS:
            return {name: value}
    return None


def _bad(member: Any) -> Any:
    kind, rules = member.type_name, member.metadata
    if kind == "string" and getattr(member, "enum", None):
        return "nonsense"
    if kind == "string" and (rules.get("max") or 10_000) < 3000:
        return "x" * (rules["max"] + 1)
    if kind in ("integer", "long") and rules.get("min") is not None:
        return rules["min"] - 1
    if kind in ("integer", "long") and rules.get("max") is not None:
        return rules["max"] + 1
    return None
