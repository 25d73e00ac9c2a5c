"""EventBridge: what an event pattern may say (user guide, "Comparison operators for use in event patterns")."""

import json
from typing import Any

from emulator.answers import AwsError
from emulator.missing import refuses
from emulator.wire import Call

TEXTS = {"prefix", "suffix", "equals-ignore-case", "wildcard"}
BOUNDS = {"<", "<=", "=", ">", ">="}


@refuses("events", "PutRule", "TestEventPattern")
def pattern_of_a_rule(call: Call) -> None:
    """Refuses operators that there are not, and ones with a value that they do not take."""
    try:
        pattern = json.loads(call.params.get("EventPattern") or "null")
    except ValueError:
        return
    reason = _object(pattern) if isinstance(pattern, dict) else None
    if pattern == {}:
        reason = "Filter is an empty object"
    if reason:
        raise AwsError("InvalidEventPatternException", f"Event pattern is not valid. Reason: {reason}")


def _object(pattern: dict[str, Any]) -> str | None:
    for name, value in pattern.items():
        found = None
        if name == "$or" and isinstance(value, list):
            found = next((why for one in value if isinstance(one, dict) and (why := _object(one))), None)
        elif isinstance(value, dict):
            found = _object(value)
        elif isinstance(value, list):
            found = next((why for one in value if isinstance(one, dict) and (why := _match(one))), None)
        if found:
            return found
    return None


def _match(match: dict[str, Any]) -> str | None:
    if len(match) != 1:
        return "Only one key allowed in match expression"
    ((operator, value),) = match.items()
    if operator in TEXTS:
        # Of a prefix and a suffix also without regard to case.
        folded = isinstance(value, dict) and list(value) == ["equals-ignore-case"] and operator in ("prefix", "suffix")
        return None if isinstance(value, str) or folded else f"{operator} match pattern must be a string"
    if operator == "exists":
        return None if isinstance(value, bool) else "exists match pattern must be either true or false."
    if operator == "cidr":
        return None if isinstance(value, str) else "prefix match pattern must be a string"
    if operator == "numeric":
        return None if _is_numeric(value) else "Bad numeric range"
    if operator == "anything-but":
        kinds = (str, int, float, list, dict)
        return None if isinstance(value, kinds) and value not in ([], {}) else "Bad anything-but pattern"
    return f"Unrecognized match type {operator}"


def _is_numeric(value: Any) -> bool:
    if not isinstance(value, list) or len(value) not in (2, 4):
        return False
    return all(
        one in BOUNDS if index % 2 == 0 else isinstance(one, (int, float)) and not isinstance(one, bool)
        for index, one in enumerate(value)
    )
