"""Event patterns: what they may say, and which events they match.

Sources: the EventBridge User Guide ("Event patterns", "Comparison operators", "Arrays in event patterns") and Event
Ruler, the library of AWS that EventBridge matches with. moto's own code does not look into arrays of objects, takes
true for 1, and compares with operators that there are not.

An event is a set of fields: the names on the way to a value, joined by dots, with the elements of arrays that the value
is in. A pattern matches when each of its fields has a value that fits, all of them in the same elements.
"""

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

Pattern = dict[str, Any]
# The elements that a value is in: the array's number in the event, and the index.
Elements = dict[int, int]
Fields = dict[str, list[tuple[Any, Elements]]]

TEXTS = ("prefix", "suffix", "equals-ignore-case", "wildcard")
# What may stand below anything-but.
DENIABLE = ("equals-ignore-case", "prefix", "suffix", "wildcard")
# Numbers are compared within this range on both sides of zero.
FARTHEST = 5e9
LOWER, UPPER = {">": True, ">=": False}, {"<": True, "<=": False}
# Names that fields below $or cannot have.
RESERVED = {"exactly", *TEXTS, "anything-but", "exists", "numeric", "cidr", "=", "<", "<=", ">", ">=", "regex"}
RESERVED |= {"not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before"}
RESERVED |= {"date-on-or-before", "in-date-range", "ip-address-in-range", "ip-address-not-in-range"}


class Invalid(Exception):
    """What is no pattern; the text is the reason that EventBridge gives."""


# What a pattern may say.


def check(pattern: Any, below_or: bool = False) -> None:
    """Raises Invalid for what is no pattern."""
    if not isinstance(pattern, dict):
        raise Invalid("Filter is not an object")
    if not pattern:
        raise Invalid("Empty objects are not allowed")
    for name, value in pattern.items():
        if name == "$or":
            _check_or(value)
        elif below_or and name in RESERVED:
            raise Invalid(f"{name} is Ruler reserved fieldName which cannot be used inside $or.")
        elif isinstance(value, dict):
            check(value, below_or)
        elif isinstance(value, list):
            _check_values(value)
        else:
            raise Invalid(f'"{name}" must be an object or an array')


def _check_or(value: Any) -> None:
    if not isinstance(value, list):
        raise Invalid("It must be an Array followed with $or.")
    for one in value:
        if not isinstance(one, dict):
            raise Invalid("Only JSON object is allowed in array of $or relationship.")
        check(one, below_or=True)
    if len(value) < 2:
        raise Invalid("There must have at least 2 Objects in $or relationship.")


def _check_values(values: list[Any]) -> None:
    if not values:
        raise Invalid("Empty arrays are not allowed")
    for value in values:
        if isinstance(value, dict):
            _check_match(value)
        elif isinstance(value, list):
            raise Invalid("Match value must be String, number, true, false, or null")


def _check_match(match: dict[str, Any]) -> None:
    if not match:
        raise Invalid("Match expression name not found")
    if len(match) != 1:
        raise Invalid("Only one key allowed in match expression")
    ((operator, value),) = match.items()
    if operator in TEXTS:
        # Of a prefix and a suffix also without regard to case.
        if operator in ("prefix", "suffix") and isinstance(value, dict):
            if list(value) != ["equals-ignore-case"]:
                raise Invalid(f"Unsupported {operator} pattern: {next(iter(value), '')}")
            operator, value = "equals-ignore-case", value["equals-ignore-case"]
        _check_text(operator, value)
    elif operator == "exists":
        if not isinstance(value, bool):
            raise Invalid("exists match pattern must be either true or false.")
    elif operator == "cidr":
        _range(value)
    elif operator == "numeric":
        _check_numeric(value)
    elif operator == "anything-but":
        _check_anything_but(value)
    else:
        raise Invalid(f"Unrecognized match type {operator}")


def _check_text(operator: str, value: Any) -> None:
    if not isinstance(value, str):
        raise Invalid(f"{operator} match pattern must be a string")
    if operator == "wildcard":
        _wildcard(value)


def _check_numeric(value: Any) -> None:
    if not isinstance(value, list):
        raise Invalid("Value of numeric must be an array.")
    operators, bounds = value[::2], value[1::2]
    if not operators or operators[0] not in ("=", *LOWER, *UPPER):
        raise Invalid(f"Unrecognized numeric range operator: {operators[0] if operators else ''}")
    for operator, bound in zip(operators, [*bounds, None], strict=False):
        if not is_number(bound):
            raise Invalid(f"Value of {operator} must be numeric")
        if abs(bound) > FARTHEST:
            raise Invalid("Value must be between -5.0E9 and 5.0E9, inclusive")
    if len(operators) > 1:
        if operators[0] not in LOWER or len(operators) > 2:
            raise Invalid("Too many elements in numeric expression")
        if operators[1] not in UPPER:
            raise Invalid(f"Bad numeric range operator: {operators[1]}")
        if bounds[0] >= bounds[1]:
            raise Invalid("Bottom must be less than top")


def _check_anything_but(value: Any) -> None:
    if isinstance(value, dict):
        if len(value) != 1 or next(iter(value)) not in DENIABLE:
            raise Invalid(f"Unsupported anything-but pattern: {next(iter(value), '')}")
        ((operator, denied),) = value.items()
        for one in denied if isinstance(denied, list) else [denied]:
            if operator in ("prefix", "suffix") and one == "":
                raise Invalid("Null prefix/suffix not allowed")
            _check_text(operator, one)
        if denied == []:
            raise Invalid("Empty arrays are not allowed")
        return
    values = value if isinstance(value, list) else [value]
    numbers, texts = [is_number(one) for one in values], [isinstance(one, str) for one in values]
    if not all(number or text for number, text in zip(numbers, texts, strict=True)):
        raise Invalid("Inside anything but list, start|null|boolean is not supported.")
    if all(numbers) == all(texts):
        raise Invalid(
            "Inside anything but list, either all values are number or string, mixed type is not supported"
        )


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# Which events match.


def matches(pattern: Pattern, event: dict[str, Any]) -> bool:
    """Whether a pattern that `check` has let through matches the event."""
    fields: Fields = {}
    _read(event, (), {}, fields, [0])
    return any(_fits(list(wanted.items()), fields, {}) for wanted in _alternatives(pattern, (), [{}]))


def _read(value: Any, path: tuple[str, ...], within: Elements, fields: Fields, arrays: list[int]) -> None:
    if isinstance(value, dict):
        for name, below in value.items():
            _read(below, (*path, name), within, fields, arrays)
    elif isinstance(value, list):
        number = arrays[0]
        arrays[0] += 1
        for index, element in enumerate(value):
            inside = within | {number: index} if isinstance(element, (dict, list)) else within
            _read(element, path, inside, fields, arrays)
    else:
        fields.setdefault(".".join(path), []).append((value, within))


def _alternatives(pattern: Pattern, path: tuple[str, ...], so_far: list[dict[str, list[Any]]]) -> list[dict[str, list[Any]]]:
    """What the pattern wants of fields, once for each way through its `$or`s."""
    for name, value in pattern.items():
        if name == "$or":
            so_far = [made for one in value for made in _alternatives(one, path, [dict(each) for each in so_far])]
        elif isinstance(value, dict):
            so_far = _alternatives(value, (*path, name), so_far)
        else:
            so_far = [each | {".".join((*path, name)): value} for each in so_far]
    return so_far


def _fits(wanted: list[tuple[str, list[Any]]], fields: Fields, within: Elements) -> bool:
    """Whether the fields have values for all that is wanted, in the same elements of arrays."""
    if not wanted:
        return True
    (name, accepted), *rest = wanted
    if name not in fields:
        return {"exists": False} in accepted and _fits(rest, fields, within)
    return any(_fits(rest, fields, inside) for inside in _places(fields[name], accepted, within))


def _places(values: list[tuple[Any, Elements]], accepted: list[Any], within: Elements) -> Iterator[Elements]:
    for value, elements in values:
        together = all(within.get(array, index) == index for array, index in elements.items())
        if together and any(_accepts(one, value) for one in accepted):
            yield within | elements


def _accepts(wanted: Any, value: Any) -> bool:
    if not isinstance(wanted, dict):
        return _equal(wanted, value)
    ((operator, operand),) = wanted.items()
    if operator == "exists":
        return operand
    if operator == "numeric":
        return is_number(value) and abs(value) <= FARTHEST and _within(operand, value)
    if operator == "anything-but":
        if isinstance(operand, dict):
            ((denied, operands),) = operand.items()
            texts = operands if isinstance(operands, list) else [operands]
            return not any(_text_accepts(denied, one, value) for one in texts)
        return not any(_equal(one, value) for one in (operand if isinstance(operand, list) else [operand]))
    return _text_accepts(operator, operand, value)


def _equal(wanted: Any, value: Any) -> bool:
    if is_number(wanted) or is_number(value):
        return is_number(wanted) and is_number(value) and wanted == value
    if isinstance(wanted, str) and isinstance(value, str) and wanted != value:
        # Addresses are compared as such, so that their spelling does not count.
        one, other = _address(wanted), _address(value)
        return one is not None and one == other
    return wanted is value or (isinstance(wanted, str) and wanted == value)


def _text_accepts(operator: str, operand: Any, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    if isinstance(operand, dict):
        operand, value = operand["equals-ignore-case"].lower(), value.lower()
    if operator == "prefix":
        return value.startswith(operand)
    if operator == "suffix":
        return value.endswith(operand)
    if operator == "equals-ignore-case":
        return value.lower() == operand.lower()
    if operator == "wildcard":
        return _wildcard(operand).fullmatch(value) is not None
    address, (bottom, top) = _address(value), _range(operand)
    return address is not None and address.version == bottom.version and bottom <= address <= top


def _within(operand: list[Any], value: float) -> bool:
    compare = {
        "=": lambda bound: value == bound,
        "<": lambda bound: value < bound,
        "<=": lambda bound: value <= bound,
        ">": lambda bound: value > bound,
        ">=": lambda bound: value >= bound,
    }
    return all(compare[operator](bound) for operator, bound in zip(operand[::2], operand[1::2], strict=True))


def _wildcard(text: str) -> re.Pattern[str]:
    made, position = "", 0
    while position < len(text):
        letter, following = text[position], text[position + 1 : position + 2]
        if letter == "*":
            if following == "*":
                raise Invalid(f"Consecutive wildcard characters at pos {position + 1}")
            made += ".*"
        elif letter == "\\":
            if following not in ("*", "\\") or not following:
                raise Invalid(f"Invalid escape character at pos {position + 1}")
            made += re.escape(following)
            position += 1
        else:
            made += re.escape(letter)
        position += 1
    return re.compile(made, re.DOTALL)


def _address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _range(text: Any) -> tuple[Any, Any]:
    """From the address itself, whatever bits of the host it has, to the last one of its network."""
    if not isinstance(text, str):
        raise Invalid("prefix match pattern must be a string")
    address, slash, bits = text.partition("/")
    if not slash or "/" in bits:
        raise Invalid("Malformed CIDR, one '/' required")
    bottom = _address(address)
    if bottom is None:
        raise Invalid(f"Nonstandard IP address: {address}")
    if not re.fullmatch(r"[+-]?\d+", bits):
        raise Invalid("Malformed CIDR, mask bits must be an integer")
    if int(bits) < 0:
        raise Invalid("Malformed CIDR, mask bits must not be negative")
    if int(bits) >= bottom.max_prefixlen:
        raise Invalid(f"IPv{bottom.version} mask bits must be < {bottom.max_prefixlen}")
    return bottom, ipaddress.ip_network(f"{address}/{int(bits)}", strict=False).broadcast_address
