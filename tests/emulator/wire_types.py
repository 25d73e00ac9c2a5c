"""Whether the JSON of a request has the types of the API model; AWS refuses others before it looks at anything else.

What the other protocols carry is text, and is read as the model says by whoever parses it.
"""

import json
from typing import Any

NAMES = {dict: "START_OBJECT", list: "START_ARRAY", str: "STRING_VALUE", bool: "TRUE_VALUE", type(None): "NULL_VALUE"}
KINDS: dict[str, tuple[type, ...]] = {
    "blob": (str,),
    "boolean": (bool,),
    "double": (int, float, str),
    "float": (int, float, str),
    "integer": (int,),
    "list": (list,),
    "long": (int,),
    "map": (dict,),
    "string": (str,),
    "structure": (dict,),
    "timestamp": (int, float, str),
}
#: What floating numbers are that JSON has no number for.
FLOATS = ("NaN", "Infinity", "-Infinity")


def problem(call: Any) -> str | None:
    """What is wrong with the body of a call that speaks JSON."""
    shape = call.model.input_shape
    if call.protocol == "rest-json":
        # With a payload the body is that member, which may be no JSON at all.
        shape = shape.members[shape.serialization["payload"]] if "payload" in shape.serialization else shape
        if shape.type_name != "structure":
            return None
    elif call.protocol != "json":
        return None
    if not call.body.strip():
        return None
    try:
        value = json.loads(call.body)
    except ValueError as error:
        return f"The body cannot be read: {error}"
    return _problem(value, shape, "")


def _problem(value: Any, shape: Any, path: str) -> str | None:
    kind = shape.type_name
    if (value is None and path) or getattr(shape, "is_document_type", False) or kind not in KINDS:
        return None
    number_as_text = kind in ("double", "float") and isinstance(value, str) and value not in FLOATS
    wrong = not isinstance(value, KINDS[kind]) or (isinstance(value, bool) and kind != "boolean")
    if wrong or number_as_text:
        name = NAMES.get(type(value), "NUMBER_VALUE")
        return f"{name} can not be converted to a {kind.capitalize()}{f' at {path[1:]}' if path else ''}"
    parts: list[tuple[Any, Any, str]] = []
    if kind == "structure":
        wire = {member.serialization.get("name", name): (name, member) for name, member in shape.members.items()}
        for name, item in value.items():
            if name in wire and "location" not in wire[name][1].serialization:
                parts.append((item, wire[name][1], f"{path}.{name}"))
    elif kind == "list":
        parts = [(item, shape.member, f"{path}[{index}]") for index, item in enumerate(value)]
    elif kind == "map":
        parts = [(item, shape.value, f"{path}.{key}") for key, item in value.items()]
    return next((found for part in parts if (found := _problem(*part))), None)
