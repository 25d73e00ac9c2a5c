"""EventBridge: refuses what is no event pattern."""

import json

from emulator.answers import AwsError
from emulator.events import patterns
from emulator.missing import refuses
from emulator.wire import Call

# An event must have these for TestEventPattern (API reference).
MANDATORY = ("id", "account", "source", "time", "region", "resources", "detail-type")


@refuses("events", "PutRule", "TestEventPattern")
def pattern_of_a_rule(call: Call) -> None:
    text = call.params.get("EventPattern")
    if not text:
        return
    try:
        patterns.check(json.loads(text))
    except patterns.Invalid as problem:
        raise _invalid(f"Reason: {problem}") from None
    except ValueError:
        raise _invalid("Reason: Invalid JSON") from None


@refuses("events", "TestEventPattern")
def event_to_test(call: Call) -> None:
    try:
        event = json.loads(call.params["Event"])
    except ValueError:
        event = None
    if not isinstance(event, dict):
        raise AwsError("ValidationException", "Parameter Event is not valid. Reason: It is no JSON object.")
    lacking = next((name for name in MANDATORY if name not in event), None)
    if lacking:
        raise AwsError("ValidationException", f"Parameter Event is not valid. Reason: {lacking} is missing.")


def _invalid(reason: str) -> AwsError:
    return AwsError("InvalidEventPatternException", f"Event pattern is not valid. {reason}")
