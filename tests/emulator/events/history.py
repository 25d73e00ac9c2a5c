"""Event history: what CloudTrail keeps of an account and a Region for LookupEvents."""

import json
import time
from datetime import datetime
from typing import Any

from emulator.answers import AwsError
from emulator.events import record as records
from emulator.events.identity import user_name
from emulator.missing import Forward, handles
from emulator.wire import Call

KEPT_SECONDS = 90 * 86400
PAGE = 50

# (account, Region) to (when LookupEvents finds it, event), oldest first.
_EVENTS: dict[tuple[str, str], list[tuple[float, dict[str, Any]]]] = {}


def keep(record: dict[str, Any], delay: float) -> None:
    """The record can be looked up after so many seconds."""
    identity = record["userIdentity"]
    event = {
        "EventId": record["eventID"],
        "EventName": record["eventName"],
        "ReadOnly": str(record["readOnly"]).lower(),
        "EventTime": datetime.fromisoformat(record["eventTime"]),
        "EventSource": record["eventSource"],
        "Username": user_name(identity),
        "Resources": records.resources(record),
        "CloudTrailEvent": json.dumps(record, separators=(",", ":")),
    }
    if "accessKeyId" in identity:
        event["AccessKeyId"] = identity["accessKeyId"]
    place = _EVENTS.setdefault((record["recipientAccountId"], record["awsRegion"]), [])
    place.append((time.time() + delay, event))


def forget(account: str | None) -> None:
    for place in [place for place in _EVENTS if account in (None, place[0])]:
        del _EVENTS[place]


@handles("cloudtrail", "LookupEvents")
def lookup_events(call: Call, _: Forward) -> dict[str, Any]:
    params = call.params
    attributes = params.get("LookupAttributes") or []
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "Only one lookup attribute is supported.")
    start, end = _moment(params.get("StartTime")), _moment(params.get("EndTime"))
    if start is not None and end is not None and start > end:
        raise AwsError("InvalidTimeRangeException", "The start time is after the end time.")
    now = time.time()
    found = [
        event
        for visible, event in reversed(_EVENTS.get((call.account, call.region), []))
        if visible <= now
        and event["EventTime"].timestamp() >= max(now - KEPT_SECONDS, start or 0)
        and (end is None or event["EventTime"].timestamp() <= end)
        and all(_fits(event, attribute) for attribute in attributes)
    ]
    if params.get("EventCategory") == "insight":
        found = []
    token = params.get("NextToken")
    ids = [event["EventId"] for event in found]
    if token is not None and token not in ids:
        raise AwsError("InvalidNextTokenException", "The token is not valid.")
    first = ids.index(token) if token else 0
    last = first + (params.get("MaxResults") or PAGE)
    answer: dict[str, Any] = {"Events": found[first:last]}
    if last < len(found):
        answer["NextToken"] = ids[last]
    return answer


def _fits(event: dict[str, Any], attribute: dict[str, str]) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key in ("ResourceType", "ResourceName"):
        return any(resource[key] == value for resource in event["Resources"])
    return event.get(key) == value


def _moment(value: Any) -> float | None:
    if isinstance(value, datetime):
        return value.timestamp()
    return float(value) if value is not None else None
